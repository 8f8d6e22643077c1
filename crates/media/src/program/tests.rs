//! The program with real pipelines: what is on the canvas, when, and how loud.

use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use gst::prelude::*;
use gst_utils::StreamProducer;
use gst_utils::streamproducer::ProducerSettings;
use gst_video::prelude::*;
use protocol::{AudioControls, Canvas, Crop, Db, Fit, Placement, Transition};

use super::*;

mod overlays;
mod picture;
mod sound;
mod timing;

/// Nothing here takes longer, on the slowest machine.
const DEADLINE: Duration = Duration::from_secs(10);

fn clock() -> StudioClock {
    static CLOCK: OnceLock<StudioClock> = OnceLock::new();
    CLOCK
        .get_or_init(|| {
            crate::init().expect("GStreamer is installed");
            StudioClock::start()
        })
        .clone()
}

fn program(width: u32, height: u32) -> (Program, Receiver<ProgramEvent>) {
    let (events, heard) = channel();
    let program = Program::start(ProgramOptions {
        clock: clock(),
        canvas: Canvas::new(width, height, 30).expect("a canvas"),
        on_event: Arc::new(move |event| drop(events.send(event))),
    })
    .expect("the program starts");
    (program, heard)
}

/// A pipeline that ends in a producer.
struct TestSource {
    pipeline: gst::Pipeline,
    producer: StreamProducer,
    id: SourceId,
}

impl TestSource {
    fn start(id: &str, description: &str) -> Self {
        let clock = clock();
        let pipeline = gst::parse::launch(&format!(
            "{description} ! appsink name=out sync=false async=false max-buffers=4 processing-deadline=0"
        ))
        .expect("the test's pipeline parses")
        .downcast::<gst::Pipeline>()
        .expect("a pipeline");
        let appsink = pipeline
            .by_name("out")
            .and_downcast::<gst_app::AppSink>()
            .expect("the sink has a name");
        let producer = StreamProducer::with(&appsink, ProducerSettings { sync: false });
        producer.set_forward_events([]);
        clock.govern(&pipeline);
        // Some are made to fail here.
        let _ = pipeline.set_state(gst::State::Playing);
        Self {
            pipeline,
            producer,
            id: SourceId::try_from(id).expect("an id"),
        }
    }

    /// One colour, 0xAARRGGBB, 30 frames a second.
    fn colour(id: &str, argb: u32, width: u32, height: u32) -> Self {
        Self::start(
            id,
            &format!(
                "videotestsrc is-live=true pattern=solid-color foreground-color={argb} \
                 ! video/x-raw,format=I420,width={width},height={height},framerate=30/1,colorimetry=bt709"
            ),
        )
    }

    /// A sine of `hertz` with a peak of `dbfs`.
    fn sine(id: &str, hertz: u32, dbfs: f64) -> Self {
        let volume = 10f64.powf(dbfs / 20.0);
        Self::start(
            id,
            &format!(
                "audiotestsrc is-live=true freq={hertz} volume={volume} samplesperbuffer=480 \
                 ! audio/x-raw,format=F32LE,rate=48000,channels=2,layout=interleaved"
            ),
        )
    }

    fn item(&self, placement: Placement) -> LayoutItem {
        LayoutItem {
            id: ItemId::try_from(self.id.as_str()).expect("an id"),
            source: self.id.clone(),
            video: Some(self.producer.clone()),
            placement,
        }
    }

    fn input(&self, controls: AudioControls) -> SoundInput {
        SoundInput {
            source: self.id.clone(),
            audio: self.producer.clone(),
            controls,
        }
    }
}

impl Drop for TestSource {
    fn drop(&mut self) {
        self.pipeline
            .set_state(gst::State::Null)
            .expect("the test's pipeline stops");
    }
}

fn layout(items: impl IntoIterator<Item = LayoutItem>) -> Layout {
    Layout {
        items: items.into_iter().collect(),
    }
}

/// Everything that leaves a producer.
struct Watcher {
    pad: gst::Pad,
    probe: Option<gst::PadProbeId>,
    seen: Receiver<(gst::Buffer, gst::Caps)>,
}

impl Watcher {
    fn of(producer: &StreamProducer) -> Self {
        let (buffers, seen) = channel();
        let pad = producer.appsink().static_pad("sink").expect("a sink has a pad");
        let probe = pad.add_probe(gst::PadProbeType::BUFFER, move |pad, info| {
            if let Some(gst::PadProbeData::Buffer(buffer)) = &info.data {
                let caps = pad.current_caps().expect("buffers come after caps");
                drop(buffers.send((buffer.clone(), caps)));
            }
            gst::PadProbeReturn::Ok
        });
        Self { pad, probe, seen }
    }

    fn next(&self) -> (gst::Buffer, gst::Caps) {
        match self.seen.recv_timeout(DEADLINE) {
            Ok(seen) => seen,
            Err(RecvTimeoutError::Timeout) => panic!("the program stopped"),
            Err(RecvTimeoutError::Disconnected) => panic!("the program is gone"),
        }
    }

    fn frame(&self) -> TestFrame {
        let (buffer, caps) = self.next();
        let info = gst_video::VideoInfo::from_caps(&caps).expect("raw video");
        TestFrame(gst_video::VideoFrame::from_buffer_readable(buffer, &info).expect("a frame"))
    }

    /// The first frame for which `good` holds.
    fn frame_until(&self, what: &str, mut good: impl FnMut(&TestFrame) -> bool) -> TestFrame {
        let end = Instant::now() + DEADLINE;
        loop {
            let frame = self.frame();
            if good(&frame) {
                return frame;
            }
            assert!(
                Instant::now() < end,
                "never: {what}; the last frame has {:?}",
                frame.middle()
            );
        }
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        if let Some(probe) = self.probe.take() {
            self.pad.remove_probe(probe);
        }
    }
}

struct TestFrame(gst_video::VideoFrame<gst_video::video_frame::Readable>);

/// Y, U, V.
type Yuv = [u8; 3];

/// BT.709, limited range.
const BLACK: Yuv = [16, 128, 128];
const WHITE: Yuv = [235, 128, 128];
const RED: Yuv = [63, 102, 240];
const GREEN: Yuv = [173, 42, 26];
const BLUE: Yuv = [32, 240, 118];

const RED_ARGB: u32 = 0xffff_0000;
const GREEN_ARGB: u32 = 0xff00_ff00;
const BLUE_ARGB: u32 = 0xff00_00ff;
const WHITE_ARGB: u32 = 0xffff_ffff;

impl TestFrame {
    fn at(&self, x: u32, y: u32) -> Yuv {
        std::array::from_fn(|plane| {
            let half = u32::from(plane > 0);
            let stride = self.0.plane_stride()[plane] as usize;
            let data = self.0.plane_data(plane as u32).expect("a plane");
            data[(y >> half) as usize * stride + (x >> half) as usize]
        })
    }

    fn middle(&self) -> Yuv {
        self.at(self.0.width() / 2, self.0.height() / 2)
    }

    fn is(&self, x: u32, y: u32, colour: Yuv) -> bool {
        near(self.at(x, y), colour)
    }

    #[track_caller]
    fn check(&self, x: u32, y: u32, colour: Yuv, why: &str) {
        assert!(
            self.is(x, y, colour),
            "{why}: at {x},{y} is {:?}, not {colour:?}",
            self.at(x, y)
        );
    }
}

fn near(a: Yuv, b: Yuv) -> bool {
    a.iter().zip(b).all(|(a, b)| a.abs_diff(b) <= 3)
}

fn between(a: Yuv, b: Yuv) -> Yuv {
    std::array::from_fn(|i| ((u16::from(a[i]) + u16::from(b[i])) / 2) as u8)
}

/// Left half of the box, of a quarter's size.
fn boxed(x: f32, y: f32, width: f32, height: f32) -> Placement {
    Placement {
        x,
        y,
        width,
        height,
        fit: Fit::Stretch,
        ..Placement::default()
    }
}
