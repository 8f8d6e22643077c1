//! A studio for tests of sources: starts them, and notes all that they send, as the program would receive it.
#![allow(dead_code, reason = "each test uses its part")]
#![allow(clippy::panic, reason = "a test that cannot go on says why")]

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use gst::prelude::*;
use gst_utils::{ConsumptionLink, StreamProducer};
use media::{
    StudioClock,
    source::{SourceOptions, SourcePipeline},
};
use protocol::{Canvas, SourceId, SourceSettings, SourceState, SourceStatus};

/// A source, and everything that it has said and sent.
pub struct Studio {
    pub clock: StudioClock,
    pub source: SourcePipeline,
    pub statuses: Arc<Mutex<Vec<SourceStatus>>>,
    pub pictures: Option<Listener>,
    pub sounds: Option<Listener>,
}

pub fn canvas() -> Canvas {
    Canvas::new(640, 360, 30).expect("a canvas")
}

impl Studio {
    pub fn start(settings: SourceSettings) -> Self {
        media::init().expect("GStreamer is installed");
        let clock = StudioClock::start();
        let statuses: Arc<Mutex<Vec<SourceStatus>>> = Arc::default();
        let source = SourcePipeline::start(SourceOptions {
            id: SourceId::try_from("one").expect("an id"),
            settings,
            canvas: canvas(),
            clock: clock.clone(),
            on_status: {
                let statuses = Arc::clone(&statuses);
                Arc::new(move |status| statuses.lock().expect("statuses").push(status))
            },
            grants: media::Grants::default(),
            slate_text: Arc::new(|error| format!("Away: {}", error.code.as_str())),
        })
        .expect("the source starts");
        let pictures = source
            .video()
            .map(|producer| Listener::new(&clock, producer, false));
        let sounds = source
            .audio()
            .map(|producer| Listener::new(&clock, producer, true));
        Self {
            clock,
            source,
            statuses,
            pictures,
            sounds,
        }
    }

    pub fn pictures(&self) -> Vec<Heard> {
        self.pictures.as_ref().expect("a source with pictures").heard()
    }

    pub fn sounds(&self) -> Vec<Heard> {
        self.sounds.as_ref().expect("a source with sound").heard()
    }

    pub fn wait_live(&self) {
        self.wait("the source live", |status| status.state == SourceState::Live);
    }

    pub fn wait(&self, what: &str, condition: impl Fn(&SourceStatus) -> bool) {
        let result = testkit::wait_until(what, Duration::from_secs(15), || condition(&self.source.status()));
        if let Err(error) = result {
            panic!("{error}; it is {:?}", self.source.status());
        }
    }

    pub fn wait_for(&self, what: &str, condition: impl Fn() -> bool) {
        if let Err(error) = testkit::wait_until(what, Duration::from_secs(15), condition) {
            panic!("{error}; the source is {:?}", self.source.status());
        }
    }
}

/// One buffer as a consumer gets it.
#[derive(Clone)]
pub struct Heard {
    /// Running time, ns.
    pub pts: u64,
    pub duration: u64,
    pub caps: gst::Caps,
    /// Sound in full; of pictures only when it was asked for by [`luma`].
    pub buffer: gst::Buffer,
    /// Running time of its arrival, ns.
    pub at: u64,
}

impl Heard {
    pub fn samples(&self) -> Vec<f32> {
        let map = self.buffer.map_readable().expect("memory");
        map.chunks_exact(4)
            .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
            .collect()
    }

    pub fn size(&self) -> (i32, i32) {
        let structure = self.caps.structure(0).expect("caps");
        (
            structure.get("width").expect("width"),
            structure.get("height").expect("height"),
        )
    }

    pub fn format(&self) -> String {
        let structure = self.caps.structure(0).expect("caps");
        structure.get::<String>("format").expect("format")
    }

    /// Y, U, V at one place, 0.0 to 1.0 from the left and the top.
    pub fn yuv(&self, x: f64, y: f64) -> [u8; 3] {
        let info = gst_video::VideoInfo::from_caps(&self.caps).expect("video");
        let bytes = self.buffer.map_readable().expect("memory");
        let at = |plane: usize, half: u32| {
            let column = (x * f64::from(info.width() / half - 1)) as usize;
            let row = (y * f64::from(info.height() / half - 1)) as usize;
            bytes[info.offset()[plane] + row * info.stride()[plane] as usize + column]
        };
        [at(0, 1), at(1, 2), at(2, 2)]
    }
}

pub struct Listener {
    heard: Arc<Mutex<Vec<Heard>>>,
    pipeline: gst::Pipeline,
    _link: ConsumptionLink,
}

impl Listener {
    pub fn new(clock: &StudioClock, producer: &StreamProducer, sound: bool) -> Self {
        let heard: Arc<Mutex<Vec<Heard>>> = Arc::default();
        let pipeline = gst::Pipeline::new();
        let appsrc = gst_app::AppSrc::builder().build();
        StreamProducer::configure_consumer(&appsrc);
        let appsink = gst_app::AppSink::builder().sync(false).async_(false).build();
        appsink.set_callbacks(
            gst_app::AppSinkCallbacks::builder()
                .new_sample({
                    let (heard, clock) = (Arc::clone(&heard), clock.clone());
                    move |sink| {
                        let sample = sink.pull_sample().map_err(|_| gst::FlowError::Eos)?;
                        let buffer = sample.buffer_owned().expect("a buffer");
                        let pts = buffer.pts().expect("a timestamp");
                        let pts = sample
                            .segment()
                            .and_then(|segment| segment.downcast_ref::<gst::ClockTime>())
                            .and_then(|segment| segment.to_running_time(pts))
                            .expect("inside a segment of time");
                        let mut heard = heard.lock().expect("heard");
                        // A minute of pictures does not fit in memory: only the last second is kept whole.
                        let old = heard.len().checked_sub(30).filter(|_| !sound);
                        if let Some(old) = old {
                            heard[old].buffer = gst::Buffer::new();
                        }
                        heard.push(Heard {
                            pts: pts.nseconds(),
                            duration: buffer.duration().unwrap_or_default().nseconds(),
                            caps: sample.caps_owned().expect("caps"),
                            buffer,
                            at: clock.running_time().nseconds(),
                        });
                        Ok(gst::FlowSuccess::Ok)
                    }
                })
                .build(),
        );
        pipeline
            .add_many([appsrc.upcast_ref::<gst::Element>(), appsink.upcast_ref()])
            .expect("added");
        appsrc.link(&appsink).expect("linked");
        clock.govern(&pipeline);
        let link = producer.add_consumer(&appsrc).expect("a new consumer");
        pipeline.set_state(gst::State::Playing).expect("playing");
        Self {
            heard,
            pipeline,
            _link: link,
        }
    }

    pub fn heard(&self) -> Vec<Heard> {
        self.heard.lock().expect("heard").clone()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let _ = self.pipeline.set_state(gst::State::Null);
    }
}

/// Frame number of a picture at 30 frames a second; fails when it is off the grid.
pub fn frame_number(pts: u64) -> u64 {
    let n = (pts as f64 * 30.0 / 1e9).round() as u64;
    assert_eq!(pts, n * 1_000_000_000 / 30, "a picture is off the program's grid");
    n
}

/// RMS of both channels over all buffers.
pub fn rms(heard: &[Heard]) -> [f64; 2] {
    let mut sum = [0.0; 2];
    let mut count = 0.0f64;
    for one in heard {
        for frame in one.samples().chunks_exact(2) {
            sum[0] += f64::from(frame[0]).powi(2);
            sum[1] += f64::from(frame[1]).powi(2);
            count += 1.0;
        }
    }
    sum.map(|sum| (sum / count.max(1.0)).sqrt())
}

/// Runs the test `name` again in a process of its own with `variables`: libraries read DISPLAY and PULSE_SERVER once,
/// and tests that run at the same time must not share them. True in the process that is to do the work.
pub fn alone(name: &str, peers: impl FnOnce() -> Peers) -> bool {
    const INSIDE: &str = "STUDIO_TEST_INSIDE";
    if std::env::var_os(INSIDE).is_some() {
        return true;
    }
    let peers = peers();
    let own = std::env::current_exe().expect("the test's own path");
    let status = std::process::Command::new(own)
        .args([name, "--exact", "--nocapture"])
        .env(INSIDE, "1")
        .envs(peers.variables.clone())
        .status()
        .expect("the test starts again");
    assert!(status.success(), "{name} failed in its own process, {status}");
    drop(peers);
    false
}

/// Servers that a test speaks to, and the variables by which they are found.
#[derive(Default)]
pub struct Peers {
    pub variables: Vec<(&'static str, String)>,
    pub screen: Option<testkit::Xvfb>,
    pub sound: Option<testkit::PulseAudio>,
    pub desktop: Option<testkit::Desktop>,
}

impl Peers {
    pub fn screen(width: u32, height: u32, bars: bool) -> Self {
        let mut screen = testkit::Xvfb::start(width, height).expect("Xvfb");
        if bars {
            screen.draw_bars().expect("bars");
        }
        Self {
            variables: vec![
                ("DISPLAY", screen.display().to_owned()),
                ("WAYLAND_DISPLAY", String::new()),
                ("PULSE_SERVER", "unix:/nowhere".to_owned()),
            ],
            screen: Some(screen),
            ..Self::default()
        }
    }

    pub fn sound(tone: Option<u32>) -> Self {
        let mut sound = testkit::PulseAudio::start().expect("PulseAudio");
        if let Some(hertz) = tone {
            sound.play_tone(hertz).expect("a tone");
        }
        Self {
            variables: vec![("PULSE_SERVER", sound.server()), ("DISPLAY", String::new())],
            sound: Some(sound),
            ..Self::default()
        }
    }

    /// A Wayland session: its bus and its PipeWire.
    pub fn desktop() -> Self {
        let desktop = testkit::Desktop::start().expect("a desktop");
        Self {
            variables: desktop.variables(),
            desktop: Some(desktop),
            ..Self::default()
        }
    }
}
