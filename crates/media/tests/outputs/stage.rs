//! A small live program for outputs to carry.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gst::prelude::*;
use gst_utils::StreamProducer;
use gst_utils::streamproducer::ProducerSettings;
use media::StudioClock;
use media::output::{Leg, Output, OutputEvent, OutputOptions};
use media::rendition::{Rendition, RenditionOptions};
use protocol::{
    Canvas, Container, DestinationId, H264Profile, KilobitsPerSecond, OutputState, RenditionId, RtmpUrl,
};
use secrecy::SecretString;

/// What is shown and heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// A ball in noise-free black and a steady tone.
    Card,
    /// A grey picture and silence: what a slate is.
    Still,
    /// Black and silence; white and a tone of 1 kHz in the tenth of a second after each half.
    Flash,
    /// Noise, which no encoder makes small, and a tone.
    Snow,
}

/// One program at a time: two would take the processor from each other, and frames be skipped.
pub fn alone() -> MutexGuard<'static, ()> {
    static STAGE: Mutex<()> = Mutex::new(());
    STAGE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Picture and sound of a running program.
pub struct Stage {
    pub clock: StudioClock,
    pub canvas: Canvas,
    picture: StreamProducer,
    sound: StreamProducer,
    pipeline: gst::Pipeline,
    _alone: MutexGuard<'static, ()>,
}

impl Stage {
    pub fn start(content: Content, canvas: Canvas) -> Self {
        let alone = alone();
        media::init().expect("GStreamer is installed");
        let pattern = match content {
            Content::Card => "pattern=ball",
            Content::Still => "pattern=solid-color foreground-color=0xff505050",
            Content::Flash => "pattern=black",
            Content::Snow => "pattern=snow",
        };
        let wave = match content {
            Content::Card | Content::Snow => "wave=sine freq=440 volume=0.3",
            Content::Still | Content::Flash => "wave=silence",
        };
        let launch = format!(
            "videotestsrc name=v is-live=true {pattern} ! video/x-raw,format=I420,width={},height={},framerate={}/1 \
             ! appsink name=picture sync=false enable-last-sample=false max-buffers=4 \
             audiotestsrc name=a is-live=true samplesperbuffer=960 {wave} \
             ! audio/x-raw,format=F32LE,layout=interleaved,rate=48000,channels=2 \
             ! appsink name=sound sync=false enable-last-sample=false max-buffers=4",
            canvas.width(),
            canvas.height(),
            canvas.fps()
        );
        let pipeline = gst::parse::launch(&launch)
            .expect("the elements are installed")
            .downcast::<gst::Pipeline>()
            .expect("it is a pipeline");
        let producer = |name: &str| {
            let sink = pipeline.by_name(name).expect("it is there");
            let sink = sink.downcast::<gst_app::AppSink>().expect("it is an appsink");
            let producer = StreamProducer::with(&sink, ProducerSettings { sync: false });
            producer.set_forward_events([]);
            producer
        };
        let (picture, sound) = (producer("picture"), producer("sound"));
        snap_to_grid(&pipeline, canvas.fps());
        if content == Content::Flash {
            flash_and_beep(&pipeline);
        }
        media::supervise(&pipeline, |_| {});
        let clock = StudioClock::start();
        clock.govern(&pipeline);
        pipeline.set_state(gst::State::Playing).expect("it starts");
        Self {
            clock,
            canvas,
            picture,
            sound,
            pipeline,
            _alone: alone,
        }
    }

    pub fn rendition(&self, kbps: u32) -> Rendition {
        self.rendition_with(kbps, |_| {})
    }

    pub fn rendition_with(&self, kbps: u32, change: impl FnOnce(&mut RenditionOptions<'_>)) -> Rendition {
        let mut options = RenditionOptions {
            id: RenditionId::try_from("main").expect("an id"),
            canvas: self.canvas,
            profile: H264Profile::ConstrainedBaseline,
            video: KilobitsPerSecond::try_from(kbps).expect("a rate"),
            encoder: "x264enc".to_owned(),
            preset: Some("superfast".to_owned()),
            low_delay: true,
            aac: Some(KilobitsPerSecond::try_from(160).expect("a rate")),
            opus: true,
            clock: self.clock.clone(),
            picture: &self.picture,
            sound: &self.sound,
            on_event: Box::new(|event| assert_eq!(event, media::rendition::RenditionEvent::Started)),
        };
        change(&mut options);
        Rendition::start(options).expect("the encoder is installed")
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = self.pipeline.set_state(gst::State::Null);
    }
}

/// A live source counts from the moment that it started; the program's pictures lie on the grid of its rate.
fn snap_to_grid(pipeline: &gst::Pipeline, fps: u32) {
    let source = pipeline.by_name("v").expect("it is there");
    let pad = source.static_pad("src").expect("it has a pad");
    pad.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
        let buffer = info.buffer_mut().expect("a buffer probe");
        let (second, fps) = (1_000_000_000, u64::from(fps));
        let pts = buffer.pts().expect("it has a time").nseconds();
        let frame = (pts * fps + second / 2) / second;
        let at = |frame: u64| gst::ClockTime::from_nseconds(frame * second / fps);
        let buffer = buffer.make_mut();
        buffer.set_pts(at(frame));
        buffer.set_duration(at(frame + 1) - at(frame));
        gst::PadProbeReturn::Ok
    });
}

fn flash_and_beep(pipeline: &gst::Pipeline) {
    let lit = |ns: u64| (500_000_000..600_000_000).contains(&(ns % 1_000_000_000));
    let pad = |name: &str| {
        let element = pipeline.by_name(name).expect("it is there");
        element.static_pad("src").expect("it has a pad")
    };
    pad("v").add_probe(gst::PadProbeType::BUFFER, move |_, info| {
        let buffer = info.buffer_mut().expect("a buffer probe");
        // The grid of a third of a millisecond is nobody's: round up to be safe.
        if lit(buffer.pts().expect("it has a time").nseconds() + 1000) {
            let mut map = buffer.make_mut().map_writable().expect("writable");
            let luma = map.len() * 2 / 3;
            map[..luma].fill(235);
        }
        gst::PadProbeReturn::Ok
    });
    pad("a").add_probe(gst::PadProbeType::BUFFER, move |_, info| {
        let buffer = info.buffer_mut().expect("a buffer probe");
        let first = buffer.pts().expect("it has a time").nseconds() * 48 / 1_000_000;
        let buffer = buffer.make_mut();
        buffer.unset_flags(gst::BufferFlags::GAP);
        let mut map = buffer.map_writable().expect("writable");
        for (n, frame) in (first..).zip(map.chunks_exact_mut(8)) {
            let ns = n * 1_000_000 / 48;
            let value = if lit(ns) {
                0.5 * (std::f32::consts::TAU * ((n % 48) as f32) / 48.0).sin()
            } else {
                0.0
            };
            frame[..4].copy_from_slice(&value.to_le_bytes());
            frame[4..].copy_from_slice(&value.to_le_bytes());
        }
        gst::PadProbeReturn::Ok
    });
}

/// 640×360 at 30: what a loaded test machine carries several times.
pub fn small() -> Canvas {
    Canvas::new(640, 360, 30).expect("a canvas")
}

/// An output with all that it said.
pub struct Watched {
    pub output: Output,
    pub events: Arc<Mutex<Vec<OutputEvent>>>,
}

impl Watched {
    pub fn start(stage: &Stage, rendition: &Rendition, leg: Leg) -> Self {
        let events = Arc::new(Mutex::new(Vec::new()));
        let heard = events.clone();
        let output = Output::start(OutputOptions {
            id: DestinationId::try_from("out").expect("an id"),
            leg,
            rendition,
            clock: stage.clock.clone(),
            on_event: Box::new(move |event| heard.lock().expect("unpoisoned").push(event)),
        })
        .expect("it starts");
        Self { output, events }
    }

    pub fn state(&self) -> OutputState {
        self.output.status().state
    }

    pub fn live(&self) -> bool {
        matches!(self.state(), OutputState::Live { .. })
    }

    /// Waits until the state is as asked.
    pub fn wait(&self, what: &str, seconds: u64, good: impl Fn(&OutputState) -> bool) {
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(seconds);
        while !good(&self.state()) {
            assert!(
                std::time::Instant::now() < deadline,
                "not {what} in {seconds} s, but {:?}",
                self.output.status()
            );
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    }

    pub fn wait_live(&self) {
        self.wait("live", 10, |state| matches!(state, OutputState::Live { .. }));
    }

    /// Code of the error that it has failed with.
    pub fn wait_failed(&self, seconds: u64) -> protocol::UserError {
        self.wait("failed", seconds, |state| {
            matches!(state, OutputState::Failed { .. })
        });
        match self.state() {
            OutputState::Failed { error } => error,
            other => panic!("{other:?}"),
        }
    }

    /// Files that it has closed.
    pub fn files(&self) -> Vec<std::path::PathBuf> {
        self.events
            .lock()
            .expect("unpoisoned")
            .iter()
            .filter_map(|event| match event {
                OutputEvent::FileFinished { path } => Some(path.clone()),
                OutputEvent::State(_) => None,
            })
            .collect()
    }
}

pub fn rtmp(url: &str) -> Leg {
    let (url, key) = RtmpUrl::split_key(url).expect("an address");
    Leg::Rtmp {
        url,
        key: key.map(SecretString::from),
    }
}

pub fn recording(folder: &std::path::Path, container: Container) -> Leg {
    Leg::Recording {
        folder: folder.to_owned(),
        title: "Show".to_owned(),
        container,
        file_stem: None,
        split_minutes: None,
    }
}

/// Lets the program run for a while: what is tested is what it has made by then.
pub fn run_for(seconds: f64) {
    std::thread::sleep(std::time::Duration::from_secs_f64(seconds));
}
