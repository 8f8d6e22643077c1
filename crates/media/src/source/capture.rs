//! Cameras, microphones, desktop sound, screens, windows: live pipelines on the studio's clock.

use std::{sync::Arc, time::Duration};

use gst::prelude::*;
use protocol::{Canvas, DeviceId, DeviceKind, ErrorCode, SourceId, SourceSettings, UserError};

#[cfg(all(unix, not(target_os = "macos")))]
use super::grants::Choice;
use super::{
    actor::Inside,
    chain::{self, Chain, Flow, Pace, make},
    error::{Trouble, element_missing, from_device_pipeline},
    grants::Grants,
    plan::{self, Target, Way},
    player::Surroundings,
};
use crate::{
    PipelineMessage,
    device::{
        hub::{Found, Hub},
        list::rates,
    },
    supervise,
};

/// The first look at the devices of this computer.
const LOOK_MOST: Duration = Duration::from_secs(3);
/// Sound is read in steps of this, in microseconds: what a live mix can wait for.
const STEP_US: i64 = 10_000;

/// One try at one device.
pub(crate) struct Capture {
    pipeline: gst::Pipeline,
    flow: Arc<Flow>,
    /// Its device, when the hub can tell whether it is still there.
    watched: Option<DeviceId>,
    stalls: bool,
    #[cfg(all(unix, not(target_os = "macos")))]
    _grab: Option<super::grab::Grab>,
    #[cfg(all(unix, not(target_os = "macos")))]
    shared: Option<Shared>,
}

/// A capture that the system's dialog decides.
#[cfg(all(unix, not(target_os = "macos")))]
struct Shared {
    target: Target,
    _portal: super::portal::Portal,
    /// `None` while the person is being asked. `pipewiresrc` works on a copy of it, but finds its connection by the
    /// number of this one: so it stays open as long.
    remote: Option<std::os::fd::OwnedFd>,
}

/// Who asks in the system's dialog, and what it need not be asked.
pub(crate) struct Asked<'a> {
    pub(crate) source: &'a SourceId,
    pub(crate) grants: &'a Grants,
}

/// Which list of devices a source's settings choose from.
pub(crate) fn device_of(settings: &SourceSettings) -> Option<(DeviceKind, Option<&DeviceId>)> {
    match settings {
        SourceSettings::Camera { device } => Some((DeviceKind::Camera, device.as_ref())),
        SourceSettings::Microphone { device } => Some((DeviceKind::Microphone, device.as_ref())),
        SourceSettings::DesktopAudio { device } => Some((DeviceKind::DesktopAudio, device.as_ref())),
        SourceSettings::Screen { device, .. } => Some((DeviceKind::Screen, device.as_ref())),
        SourceSettings::Window { device, .. } => Some((DeviceKind::Window, Some(device))),
        _ => None,
    }
}

impl Capture {
    /// Opens what `settings` name. Blocks while drivers open: for the source's own thread.
    pub(crate) fn open(
        settings: &SourceSettings,
        hub: &Hub,
        asked: Asked<'_>,
        around: &Surroundings,
    ) -> Result<Self, Trouble> {
        let Some((kind, id)) = device_of(settings) else {
            return Err(Trouble::hopeless(UserError::new(ErrorCode::Internal)));
        };
        let (cursor, target) = match settings {
            SourceSettings::Screen { cursor, .. } => (*cursor, Some(Target::Screen)),
            SourceSettings::Window { cursor, .. } => (*cursor, Some(Target::Window)),
            _ => (false, None),
        };
        let way = target.map(plan::here).transpose().map_err(Trouble::hopeless)?;
        if let (Some(Way::Portal), Some(target)) = (way, target) {
            return Self::ask(target, cursor, id, &asked, around);
        }
        let found = hub.find(kind, id, LOOK_MOST);
        // A remembered device that is not there is waited for. Another one is never taken in its place.
        let missing = || Trouble::passing(device_missing(kind, id));
        let stalls = cfg!(all(unix, not(target_os = "macos"))) || kind == DeviceKind::Camera;
        let mut capture = Self::new(stalls);
        let name = found
            .as_ref()
            .map(|found| found.device.name.clone())
            .or_else(|| id.map(|id| id.as_str().to_owned()))
            .unwrap_or_default();
        capture.supervise(name.clone(), around);
        match way {
            Some(Way::X11) => {
                #[cfg(all(unix, not(target_os = "macos")))]
                {
                    let found = found.ok_or_else(missing)?;
                    capture.grab(&found, cursor, &name, around)?;
                }
            }
            Some(way) => capture.screen_element(way, target, id, found.as_ref(), cursor, around)?,
            None => capture.device(&found.ok_or_else(missing)?, around)?,
        }
        around.clock.govern(&capture.pipeline);
        capture
            .pipeline
            .set_state(gst::State::Playing)
            // The message with the cause came before; this one is for those that give none.
            .map_err(|_| Trouble::passing(device_missing(kind, id)))?;
        Ok(capture)
    }

    fn new(stalls: bool) -> Self {
        Self {
            pipeline: gst::Pipeline::new(),
            flow: Arc::default(),
            watched: None,
            stalls,
            #[cfg(all(unix, not(target_os = "macos")))]
            _grab: None,
            #[cfg(all(unix, not(target_os = "macos")))]
            shared: None,
        }
    }

    /// Opens the system's dialog. Nothing runs before the person has chosen.
    #[cfg(all(unix, not(target_os = "macos")))]
    fn ask(
        target: Target,
        cursor: bool,
        id: Option<&DeviceId>,
        asked: &Asked<'_>,
        around: &Surroundings,
    ) -> Result<Self, Trouble> {
        let wish = super::portal::Wish {
            target,
            cursor,
            choice: Choice {
                source: asked.source.clone(),
                device: id.cloned(),
            },
            grants: asked.grants.clone(),
        };
        // A screen on which nothing moves sends nothing.
        let mut capture = Self::new(false);
        capture.shared = Some(Shared {
            target,
            _portal: super::portal::Portal::ask(wish, around)?,
            remote: None,
        });
        Ok(capture)
    }

    #[cfg(not(all(unix, not(target_os = "macos"))))]
    fn ask(
        target: Target,
        _cursor: bool,
        _id: Option<&DeviceId>,
        _asked: &Asked<'_>,
        _around: &Surroundings,
    ) -> Result<Self, Trouble> {
        Err(Trouble::hopeless(
            UserError::new(ErrorCode::CaptureUnavailable)
                .with("what", target.as_str())
                .with("missing", "xdg-desktop-portal"),
        ))
    }

    /// Shows what the person chose.
    #[cfg(all(unix, not(target_os = "macos")))]
    pub(crate) fn show(&mut self, share: super::portal::Share, around: &Surroundings) -> Result<(), Trouble> {
        use std::os::fd::AsRawFd;
        let Some(shared) = &mut self.shared else {
            return Ok(());
        };
        let target = shared.target;
        let source = make("pipewiresrc")?;
        source.set_property("fd", share.remote.as_raw_fd());
        source.set_property("path", share.node.to_string());
        // What is gone is gone: the session manager must not put a camera in its place.
        let properties = gst::Structure::builder("properties")
            .field("node.dont-reconnect", "true")
            .build();
        source.set_property("stream-properties", properties);
        // The compositor's timestamps count from another zero than the studio's.
        source.set_property("do-timestamp", true);
        shared.remote = Some(share.remote);
        {
            let around = around.clone();
            supervise(&self.pipeline, move |message| {
                if let PipelineMessage::Error {
                    error, debug: detail, ..
                } = &message
                {
                    tracing::debug!(%error, ?detail, "shared picture broke");
                }
                if matches!(message, PipelineMessage::Error { .. } | PipelineMessage::Eos) {
                    // Whoever ended it, the host brings it back: another try may be another dialog.
                    let error = super::portal::ended_by_system(target);
                    around.tell(Inside::Broke(Trouble::hopeless(error)));
                }
            });
        }
        let chain = self.video_chain(around)?;
        self.join(&[source], &chain)?;
        around.clock.govern(&self.pipeline);
        self.pipeline
            .set_state(gst::State::Playing)
            .map_err(|_| Trouble::hopeless(super::portal::ended_by_system(target)))?;
        Ok(())
    }

    /// Whether a person has yet to choose.
    pub(crate) fn asking(&self) -> bool {
        #[cfg(all(unix, not(target_os = "macos")))]
        return self.shared.as_ref().is_some_and(|shared| shared.remote.is_none());
        #[cfg(not(all(unix, not(target_os = "macos"))))]
        false
    }

    /// Whether opening it may ask a person.
    pub(crate) fn asks(&self) -> bool {
        #[cfg(all(unix, not(target_os = "macos")))]
        return self.shared.is_some();
        #[cfg(not(all(unix, not(target_os = "macos"))))]
        false
    }

    fn supervise(&self, name: String, around: &Surroundings) {
        let around = around.clone();
        supervise(&self.pipeline, move |message| match message {
            PipelineMessage::Error {
                error, debug: detail, ..
            } => {
                tracing::debug!(device = %name, ?detail, "capture broke");
                around.tell(Inside::Broke(from_device_pipeline(&name, &error)));
            }
            PipelineMessage::Eos => around.tell(Inside::Broke(Trouble::passing(
                UserError::new(ErrorCode::DeviceMissing).with("device", &name),
            ))),
            _ => {}
        });
    }

    /// A device of GStreamer's monitor.
    fn device(&mut self, found: &Found, around: &Surroundings) -> Result<(), Trouble> {
        let missing = || Trouble::passing(device_missing(found.device.kind, Some(&found.device.id)));
        let device = found.gst.as_ref().ok_or_else(missing)?;
        let source = device.create_element(None).map_err(|_| missing())?;
        self.watched = Some(found.device.id.clone());
        let mut elements = vec![source.clone()];
        let chain = if found.device.kind == DeviceKind::Camera {
            elements.extend(camera_mode(device, around.canvas)?);
            self.video_chain(around)?
        } else {
            prepare_sound(&source);
            let edge = around.audio.as_ref().ok_or_else(missing)?;
            chain::audio(&self.pipeline, Pace::Live, edge, &self.flow)?
        };
        self.join(&elements, &chain)
    }

    fn video_chain(&self, around: &Surroundings) -> Result<Chain, Trouble> {
        let edge = around
            .video
            .as_ref()
            .ok_or_else(|| Trouble::hopeless(UserError::new(ErrorCode::Internal)))?;
        chain::video(&self.pipeline, around.canvas, Pace::Live, edge, &self.flow)
    }

    fn join(&self, elements: &[gst::Element], chain: &Chain) -> Result<(), Trouble> {
        let broken = || Trouble::hopeless(element_missing("gstreamer"));
        self.pipeline.add_many(elements).map_err(|_| broken())?;
        gst::Element::link_many(elements).map_err(|_| broken())?;
        let last = elements
            .last()
            .and_then(|element| element.static_pad("src"))
            .ok_or_else(broken)?;
        last.link(&chain.entry).map_err(|_| broken())?;
        Ok(())
    }

    /// Screens and windows on systems with an element for it.
    fn screen_element(
        &mut self,
        way: Way,
        target: Option<Target>,
        id: Option<&DeviceId>,
        found: Option<&Found>,
        cursor: bool,
        around: &Surroundings,
    ) -> Result<(), Trouble> {
        let source = match (way, found.and_then(|found| found.gst.as_ref())) {
            (Way::D3d11, Some(device)) => device
                .create_element(None)
                .map_err(|_| Trouble::hopeless(element_missing("d3d11screencapturesrc")))?,
            (Way::D3d11, None) => make("d3d11screencapturesrc")?,
            (Way::Dxgi, _) => make("dxgiscreencapsrc")?,
            (Way::AvFoundation | Way::X11 | Way::Portal, _) => {
                let source = make("avfvideosrc")?;
                source.set_property("capture-screen", true);
                source
            }
        };
        for name in ["show-cursor", "cursor", "capture-screen-cursor"] {
            if source.has_property_with_type(name, bool::static_type()) {
                source.set_property(name, cursor);
            }
        }
        if target == Some(Target::Window) {
            let handle = id.and_then(|id| id.as_str().parse::<u64>().ok());
            let handle = handle.ok_or_else(|| Trouble::passing(device_missing(DeviceKind::Window, id)))?;
            source.set_property("window-handle", handle);
        }
        let chain = self.video_chain(around)?;
        self.join(&[source], &chain)
    }

    #[cfg(all(unix, not(target_os = "macos")))]
    fn grab(
        &mut self,
        found: &Found,
        cursor: bool,
        name: &str,
        around: &Surroundings,
    ) -> Result<(), Trouble> {
        let source = gst_app::AppSrc::builder()
            .format(gst::Format::Time)
            .is_live(true)
            .stream_type(gst_app::AppStreamType::Stream)
            .max_buffers(2)
            .leaky_type(gst_app::AppLeakyType::Downstream)
            .build();
        let chain = self.video_chain(around)?;
        self.join(&[source.clone().upcast()], &chain)?;
        let what =
            match found.area {
                Some(area) => super::grab::What::Area(area),
                None => super::grab::What::Window(found.device.id.as_str().parse().map_err(|_| {
                    Trouble::passing(device_missing(DeviceKind::Window, Some(&found.device.id)))
                })?),
            };
        self._grab = Some(super::grab::Grab::start(what, cursor, name, source, around)?);
        Ok(())
    }

    pub(crate) fn flow(&self) -> &Flow {
        &self.flow
    }

    /// The device that must be in the hub's list for this to go on.
    pub(crate) fn watched(&self) -> Option<&DeviceId> {
        self.watched.as_ref()
    }

    /// Whether silence of the pipeline means that it is stuck. Elsewhere desktop sound sends nothing while nothing
    /// plays, and a screen nothing while nothing moves.
    pub(crate) fn stalls(&self) -> bool {
        self.stalls
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        let _ = self.pipeline.set_state(gst::State::Null);
    }
}

pub(crate) fn device_missing(kind: DeviceKind, id: Option<&DeviceId>) -> UserError {
    let kind = match kind {
        DeviceKind::Camera => "camera",
        DeviceKind::Microphone => "microphone",
        DeviceKind::DesktopAudio => "desktop_audio",
        DeviceKind::Screen => "screen",
        DeviceKind::Window => "window",
    };
    UserError::new(ErrorCode::DeviceMissing)
        .with("device", id.map_or(kind, DeviceId::as_str))
        .with("kind", kind)
}

fn prepare_sound(source: &gst::Element) {
    // The studio's clock is the master; the source resamples by dropping and filling where its own drifts.
    if source.has_property_with_type("provide-clock", bool::static_type()) {
        source.set_property("provide-clock", false);
    }
    if source.has_property_with_type("latency-time", i64::static_type()) {
        source.set_property("latency-time", STEP_US);
    }
    if source.has_property_with_type("low-latency", bool::static_type()) {
        source.set_property("low-latency", true);
    }
}

/// Filter and decoder for the mode of a camera that serves the canvas best.
fn camera_mode(device: &gst::Device, canvas: Canvas) -> Result<Vec<gst::Element>, Trouble> {
    let Some(mode) = device.caps().and_then(|caps| choose_mode(&caps, canvas)) else {
        return Ok(Vec::new());
    };
    let filter = make("capsfilter")?;
    let compressed = mode
        .structure(0)
        .is_some_and(|structure| structure.name() == "image/jpeg");
    filter.set_property("caps", mode);
    let mut elements = vec![filter];
    if compressed {
        elements.push(make("jpegdec")?);
    }
    Ok(elements)
}

/// The mode to ask a camera for: fast enough for the canvas, then large enough, then without compression.
fn choose_mode(caps: &gst::CapsRef, canvas: Canvas) -> Option<gst::Caps> {
    let wanted = u64::from(canvas.width()) * u64::from(canvas.height());
    let candidates = caps.iter().filter_map(|structure| {
        let raw = structure.name() == "video/x-raw";
        if !raw && structure.name() != "image/jpeg" {
            return None;
        }
        let (width, height) = (
            structure.get::<i32>("width").ok()?,
            structure.get::<i32>("height").ok()?,
        );
        let mut rates = rates(structure);
        rates.sort_by(|a, b| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal));
        // The slowest that is fast enough: faster ones cost light and are thrown away.
        let enough = f64::from(canvas.fps()) - 0.1;
        let value = |rate: &gst::Fraction| f64::from(rate.numer()) / f64::from(rate.denom().max(1));
        let rate = rates
            .iter()
            .find(|rate| value(rate) >= enough)
            .or(rates.last())
            .copied()?;
        let fast = (value(&rate).min(enough) * 100.0) as u64;
        let pixels = width.max(0) as u64 * height.max(0) as u64;
        // Enough pixels is best, and of those the fewest; with too few, the most.
        let size = if pixels >= wanted {
            u64::MAX - pixels
        } else {
            pixels
        };
        let chosen = gst::Caps::builder(structure.name().as_str())
            .field("width", width)
            .field("height", height)
            .field("framerate", rate)
            .build();
        Some(((fast, size, raw), chosen))
    });
    candidates.max_by_key(|(score, _)| *score).map(|(_, caps)| caps)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(caps: &str, canvas: (u32, u32, u32)) -> String {
        gst::init().expect("GStreamer is installed");
        let caps: gst::Caps = caps.parse().expect("caps");
        let canvas = Canvas::new(canvas.0, canvas.1, canvas.2).expect("a canvas");
        choose_mode(&caps, canvas)
            .map(|caps| caps.to_string())
            .unwrap_or_default()
    }

    const WEBCAM: &str = "video/x-raw,format=YUY2,width=640,height=480,framerate={15/1,30/1};\
        video/x-raw,format=YUY2,width=1280,height=720,framerate={5/1,10/1};\
        image/jpeg,width=1280,height=720,framerate={30/1,60/1};\
        image/jpeg,width=1920,height=1080,framerate=30/1;\
        video/x-h264,width=1920,height=1080,framerate=60/1";

    #[test]
    fn a_webcam_is_asked_for_the_mode_that_fits_the_canvas() {
        let mode = chosen(WEBCAM, (1280, 720, 30));
        assert!(
            mode.starts_with("image/jpeg") && mode.contains("1280") && mode.contains("30/1"),
            "raw 720p is too slow there, {mode}"
        );
        let mode = chosen(WEBCAM, (1920, 1080, 30));
        assert!(mode.contains("1920"), "{mode}");
        let mode = chosen(WEBCAM, (640, 480, 30));
        assert!(mode.starts_with("video/x-raw") && mode.contains("640"), "{mode}");
        let mode = chosen(WEBCAM, (1280, 720, 60));
        assert!(mode.contains("60/1") && mode.starts_with("image/jpeg"), "{mode}");
    }

    #[test]
    fn a_camera_that_names_no_sizes_is_left_to_negotiate() {
        assert_eq!(
            chosen("video/x-raw,width=[1,4096],height=[1,4096]", (1280, 720, 30)),
            ""
        );
    }
}
