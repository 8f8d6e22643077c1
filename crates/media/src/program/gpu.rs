//! Composing on the graphics card, where that is quicker than on the processor.
//!
//! Which elements there are says little: a GL without a card draws on the processor, ten times slower than we do. So
//! a candidate has to show that it draws the right pixels, at this canvas's size, in less time. Until then, on a
//! machine where none does, and for a frame with something that a mixer cannot do (crop, turn, premultiplied
//! alpha), the processor composes; frames of both follow each other without a seam.

use std::sync::Arc;
use std::time::{Duration, Instant};

use gst::prelude::*;
use protocol::{Frame, Placement};

use super::tap::SourceFrame;
use super::{ProgramError, geometry};

/// Pictures that one frame may have; with more, the processor composes.
const SLOTS: usize = 4;
/// A card that takes longer for a frame is not used any more.
const FRAME_TIMEOUT: gst::ClockTime = gst::ClockTime::from_mseconds(250);
/// A driver may compile its shaders first.
const FIRST_TIMEOUT: gst::ClockTime = gst::ClockTime::from_seconds(5);
/// Frames of the trial, of which the first are not counted.
const TRIAL: usize = 12;
const WARM_UP: usize = 4;

/// What composes the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Compositing {
    /// The processor.
    #[default]
    Cpu,
    /// The graphics card through OpenGL.
    Gl,
    /// The graphics card through VA-API.
    Va,
    /// The graphics card through Direct3D 11.
    D3d11,
}

/// A mixer element, and what carries frames to it and back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Elements {
    pub kind: Compositing,
    pub upload: &'static [&'static str],
    pub mixer: &'static str,
    pub download: &'static [&'static str],
}

/// In the order in which they are tried.
const KNOWN: [Elements; 3] = [
    Elements {
        kind: Compositing::D3d11,
        upload: &["d3d11upload"],
        mixer: "d3d11compositor",
        download: &["d3d11convert", "d3d11download"],
    },
    Elements {
        kind: Compositing::Va,
        upload: &["vapostproc"],
        mixer: "vacompositor",
        download: &["vapostproc"],
    },
    Elements {
        kind: Compositing::Gl,
        upload: &["glupload", "glcolorconvert"],
        mixer: "glvideomixerelement",
        download: &["glcolorconvert", "gldownload"],
    },
];

/// Those whose elements all exist. `card`: the system shows a graphics card; without one there is nothing to try.
pub(crate) fn candidates(exists: impl Fn(&str) -> bool, card: bool) -> Vec<Elements> {
    KNOWN
        .into_iter()
        .filter(|known| {
            card && exists(known.mixer) && known.upload.iter().chain(known.download).all(|name| exists(name))
        })
        .collect()
}

/// The quickest that is quicker than the processor; times are of one frame of the same trial.
pub(crate) fn choose(cpu: Duration, tried: &[(Compositing, Option<Duration>)]) -> Compositing {
    tried
        .iter()
        .filter_map(|(kind, time)| time.map(|time| (*kind, time)))
        .filter(|(_, time)| *time < cpu)
        .min_by_key(|(_, time)| *time)
        .map_or(Compositing::Cpu, |(kind, _)| kind)
}

/// Whether the system shows a graphics card. Linux: a render node; without one GL draws on the processor.
pub(crate) fn has_card() -> bool {
    if !cfg!(target_os = "linux") {
        return true;
    }
    std::fs::read_dir("/dev/dri").is_ok_and(|entries| {
        entries
            .flatten()
            .any(|entry| entry.file_name().to_string_lossy().starts_with("renderD"))
    })
}

/// One picture of a frame, as the source made it.
pub(crate) struct Draw<'a> {
    pub frame: &'a SourceFrame,
    pub placement: &'a Placement,
}

/// A pipeline that composes one frame at a time on the card.
#[derive(Debug)]
pub(crate) struct Gpu {
    pipeline: gst::Pipeline,
    slots: Vec<Slot>,
    appsink: gst_app::AppSink,
    canvas: Frame,
    fps: u64,
    count: u64,
    /// 16×16, black, for slots without a picture.
    nothing: SourceFrame,
}

#[derive(Debug)]
struct Slot {
    appsrc: gst_app::AppSrc,
    pad: gst::Pad,
    caps: Option<(Arc<gst_video::VideoInfo>, gst::Caps)>,
}

impl Gpu {
    pub fn start(elements: &Elements, canvas: &gst_video::VideoInfo) -> Result<Self, ProgramError> {
        let pipeline = gst::Pipeline::new();
        let mixer = gst::ElementFactory::make(elements.mixer).build()?;
        if mixer.has_property("background") {
            mixer.set_property_from_str("background", "black");
        }
        pipeline.add(&mixer)?;
        let appsink = gst_app::AppSink::builder()
            .caps(&canvas.to_caps()?)
            .sync(false)
            .async_(false)
            .build();
        chain(&pipeline, &mixer, elements.download, appsink.upcast_ref())?;
        let mut slots = Vec::with_capacity(SLOTS);
        for _ in 0..SLOTS {
            let appsrc = gst_app::AppSrc::builder().format(gst::Format::Time).build();
            pipeline.add(&appsrc)?;
            let mut last = appsrc.clone().upcast::<gst::Element>();
            for name in elements.upload {
                let element = gst::ElementFactory::make(name).build()?;
                pipeline.add(&element)?;
                last.link(&element)?;
                last = element;
            }
            let pad = mixer
                .request_pad_simple("sink_%u")
                .ok_or_else(|| gst::glib::bool_error!("the mixer gives no pad"))?;
            if let Some(from) = last.static_pad("src") {
                from.link(&pad)
                    .map_err(|_| gst::glib::bool_error!("the mixer takes no frames"))?;
            }
            slots.push(Slot {
                appsrc,
                pad,
                caps: None,
            });
        }
        let info = gst_video::VideoInfo::builder(gst_video::VideoFormat::I420, 16, 16)
            .fps(canvas.fps())
            .colorimetry(&canvas.colorimetry())
            .build()?;
        let mut black = vec![16; 16 * 16];
        black.resize(info.size(), 128);
        pipeline.set_state(gst::State::Playing)?;
        Ok(Self {
            pipeline,
            slots,
            appsink,
            canvas: super::layer::canvas_frame(canvas),
            fps: canvas.fps().numer().max(1) as u64,
            count: 0,
            nothing: SourceFrame {
                running: 0,
                buffer: gst::Buffer::from_slice(black),
                info: Arc::new(info),
            },
        })
    }

    /// Whether the mixer can draw these: few enough, whole and upright.
    pub fn can(&self, draws: &[Draw]) -> bool {
        draws.len() <= SLOTS
            && draws.iter().all(|draw| {
                geometry::whole(
                    frame_size(draw.frame),
                    pixel_aspect(draw.frame),
                    draw.placement,
                    self.canvas,
                )
                .is_some()
            })
    }

    /// Composes one frame, back to front. `None`: the card failed, and is not to be asked again.
    pub fn compose(&mut self, draws: &[Draw]) -> Option<gst::Buffer> {
        let timeout = if self.count == 0 {
            FIRST_TIMEOUT
        } else {
            FRAME_TIMEOUT
        };
        // The base class of all mixers swallows one round of frames when it learns of another format.
        let (mut pts, renewed) = self.push(draws)?;
        if renewed {
            (pts, _) = self.push(draws)?;
        }
        loop {
            let frame = self.appsink.try_pull_sample(timeout)?.buffer_owned()?;
            if frame.pts()? + self.frame_time(1) / 2 > pts {
                return Some(frame);
            }
        }
    }

    fn frame_time(&self, n: u64) -> gst::ClockTime {
        gst::ClockTime::from_nseconds(n * 1_000_000_000 / self.fps)
    }

    /// Gives every slot its picture: their time in the card's pipeline, and whether any has a new format.
    fn push(&mut self, draws: &[Draw]) -> Option<(gst::ClockTime, bool)> {
        let (pts, end) = (self.frame_time(self.count), self.frame_time(self.count + 1));
        self.count += 1;
        let mut renewed = false;
        for (number, slot) in self.slots.iter_mut().enumerate() {
            let draw = draws.get(number);
            let frame = draw.map_or(&self.nothing, |draw| draw.frame);
            // The frame before has left the mixer, so nothing is drawn while this changes.
            slot.pad.set_property(
                "alpha",
                draw.map_or(0.0, |draw| f64::from(draw.placement.opacity)),
            );
            if let Some(draw) = draw {
                let place = geometry::whole(
                    frame_size(frame),
                    pixel_aspect(frame),
                    draw.placement,
                    self.canvas,
                )?;
                slot.pad.set_property("xpos", place.x);
                slot.pad.set_property("ypos", place.y);
                slot.pad.set_property("width", place.width);
                slot.pad.set_property("height", place.height);
            }
            slot.pad.set_property("zorder", number as u32);
            let mut buffer = frame.buffer.copy();
            {
                let buffer = buffer.get_mut()?;
                buffer.set_pts(pts);
                buffer.set_duration(end - pts);
            }
            if slot
                .caps
                .as_ref()
                .is_none_or(|(info, _)| !Arc::ptr_eq(info, &frame.info))
            {
                let caps = frame.info.to_caps().ok()?;
                renewed |= slot.caps.as_ref().is_some_and(|(_, before)| *before != caps);
                slot.caps = Some((frame.info.clone(), caps));
            }
            let caps = slot.caps.as_ref().map(|(_, caps)| caps)?;
            let sample = gst::Sample::builder().buffer(&buffer).caps(caps).build();
            slot.appsrc.push_sample(&sample).ok()?;
        }
        Some((pts, renewed))
    }

    /// Time of a frame, if the card draws right: a whole picture, and a small one over it.
    pub fn trial(&mut self, draws: &[Draw], right: impl Fn(&gst::Buffer) -> bool) -> Option<Duration> {
        let mut times = Vec::with_capacity(TRIAL);
        for number in 0..TRIAL {
            let begun = Instant::now();
            let frame = self.compose(draws)?;
            if number >= WARM_UP {
                times.push(begun.elapsed());
            }
            if !right(&frame) {
                return None;
            }
        }
        Some(median(&mut times))
    }
}

impl Drop for Gpu {
    fn drop(&mut self) {
        if let Err(error) = self.pipeline.set_state(gst::State::Null) {
            tracing::warn!(%error, "the graphics card's pipeline did not stop");
        }
    }
}

/// Tries the candidates with a picture of the whole canvas and a small one over it.
///
/// `cpu` composes the same on the processor. Takes seconds; the program goes on meanwhile.
pub(crate) fn find(
    candidates: &[Elements],
    canvas: &gst_video::VideoInfo,
    cpu: impl Fn(&[Draw]) -> Option<gst::Buffer>,
) -> (Compositing, Option<Gpu>) {
    let (Some(large), Some(small)) = (plain(canvas, RED), plain(canvas, BLUE)) else {
        return (Compositing::Cpu, None);
    };
    let inset = Placement {
        x: 0.5,
        y: 0.5,
        width: 0.5,
        height: 0.5,
        ..Placement::default()
    };
    let draws = [
        Draw {
            frame: &large,
            placement: &Placement::default(),
        },
        Draw {
            frame: &small,
            placement: &inset,
        },
    ];
    let mut times = Vec::with_capacity(TRIAL);
    for _ in 0..TRIAL {
        let begun = Instant::now();
        drop(cpu(&draws));
        times.push(begun.elapsed());
    }
    let cpu = median(&mut times[WARM_UP..]);
    let mut gpus = Vec::new();
    for elements in candidates {
        let gpu = Gpu::start(elements, canvas);
        let tried = gpu.map(|mut gpu| (gpu.trial(&draws, |frame| is_right(frame, canvas)), gpu));
        match tried {
            Ok((time, gpu)) => {
                tracing::debug!(kind = ?elements.kind, ?time, ?cpu, "tried a graphics card");
                gpus.push((elements.kind, time, gpu));
            }
            Err(error) => tracing::debug!(kind = ?elements.kind, %error, "a graphics card did not start"),
        }
    }
    let times: Vec<_> = gpus.iter().map(|(kind, time, _)| (*kind, *time)).collect();
    let chosen = choose(cpu, &times);
    let gpu = gpus
        .into_iter()
        .find(|(kind, _, _)| *kind == chosen)
        .map(|(_, _, gpu)| gpu);
    (chosen, gpu)
}

/// BT.709, limited range.
const RED: [u8; 3] = [63, 102, 240];
const BLUE: [u8; 3] = [32, 240, 118];

/// A frame of one colour in the canvas's own format.
fn plain(canvas: &gst_video::VideoInfo, colour: [u8; 3]) -> Option<SourceFrame> {
    let mut buffer = gst::Buffer::with_size(canvas.size()).ok()?;
    {
        let mut map = buffer.get_mut()?.map_writable().ok()?;
        let offsets = canvas.offset();
        for (plane, value) in colour.into_iter().enumerate() {
            let end = offsets.get(plane + 1).copied().unwrap_or(canvas.size());
            map.get_mut(offsets[plane]..end)?.fill(value);
        }
    }
    Some(SourceFrame {
        running: 0,
        buffer,
        info: Arc::new(canvas.clone()),
    })
}

/// Red above, blue in the right lower quarter.
fn is_right(buffer: &gst::Buffer, canvas: &gst_video::VideoInfo) -> bool {
    use gst_video::prelude::*;
    let Ok(frame) = gst_video::VideoFrameRef::from_buffer_ref_readable(buffer, canvas) else {
        return false;
    };
    let is = |x: u32, y: u32, colour: [u8; 3]| {
        (0..3).all(|plane| {
            let half = u32::from(plane > 0);
            let at = (y >> half) as usize * frame.plane_stride()[plane] as usize + (x >> half) as usize;
            let data = frame.plane_data(plane as u32).unwrap_or_default();
            // Cards round their own way.
            data.get(at)
                .is_some_and(|value| value.abs_diff(colour[plane]) <= 8)
        })
    };
    let (width, height) = (canvas.width(), canvas.height());
    is(width / 4, height / 4, RED)
        && is(width / 4, height * 3 / 4, RED)
        && is(width * 3 / 4, height * 3 / 4, BLUE)
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

fn chain(
    pipeline: &gst::Pipeline,
    from: &gst::Element,
    names: &[&str],
    to: &gst::Element,
) -> Result<(), gst::glib::BoolError> {
    let mut last = from.clone();
    for name in names {
        let element = gst::ElementFactory::make(name).build()?;
        pipeline.add(&element)?;
        last.link(&element)?;
        last = element;
    }
    pipeline.add(to)?;
    last.link(to)
}

fn frame_size(frame: &SourceFrame) -> Frame {
    super::layer::canvas_frame(&frame.info)
}

fn pixel_aspect(frame: &SourceFrame) -> f64 {
    let par = frame.info.par();
    f64::from(par.numer().max(1)) / f64::from(par.denom().max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same machinery with a mixer that works without a card.
    const PROCESSOR: Elements = Elements {
        kind: Compositing::Gl,
        upload: &["videoconvert"],
        mixer: "compositor",
        download: &["videoconvert"],
    };

    fn canvas() -> gst_video::VideoInfo {
        crate::init().expect("GStreamer is installed");
        gst_video::VideoInfo::builder(gst_video::VideoFormat::I420, 320, 180)
            .fps(gst::Fraction::new(30, 1))
            .colorimetry(&"bt709".parse().expect("a colorimetry"))
            .build()
            .expect("a canvas")
    }

    #[test]
    fn a_mixer_that_draws_right_and_quicker_is_taken() {
        let canvas = canvas();
        let slow = |_: &[Draw]| -> Option<gst::Buffer> {
            let begun = Instant::now();
            while begun.elapsed() < 50 * MS {
                std::hint::spin_loop();
            }
            None
        };
        let (compositing, gpu) = find(&[PROCESSOR], &canvas, slow);
        assert_eq!(compositing, Compositing::Gl);
        let mut gpu = gpu.expect("the one that was tried");
        let (red, blue) = (
            plain(&canvas, RED).expect("red"),
            plain(&canvas, BLUE).expect("blue"),
        );
        let whole = Placement::default();
        let covered = Placement { x: 0.5, ..whole };
        let draw = |frame, placement| Draw { frame, placement };
        let at = |buffer: &gst::Buffer, x: usize| buffer.map_readable().expect("readable")[90 * 320 + x];
        let frame = gpu
            .compose(&[draw(&red, &whole), draw(&blue, &covered)])
            .expect("a frame");
        assert_eq!((at(&frame, 80), at(&frame, 240)), (RED[0], BLUE[0]));
        let frame = gpu.compose(&[draw(&blue, &covered)]).expect("a frame");
        assert_eq!(
            (at(&frame, 80), at(&frame, 240)),
            (16, BLUE[0]),
            "the other is gone"
        );
        let turned = Placement {
            rotation: 10.0,
            ..whole
        };
        assert!(!gpu.can(&[draw(&red, &turned)]));
        assert!(
            !gpu.can(&[0; SLOTS + 1].map(|_| draw(&red, &whole))),
            "more than it has slots"
        );
    }

    #[test]
    fn what_is_slower_or_does_not_start_is_left() {
        let canvas = canvas();
        let quick = |_: &[Draw]| None;
        assert_eq!(find(&[PROCESSOR], &canvas, quick).0, Compositing::Cpu);
        let missing = Elements {
            mixer: "no-such-element",
            ..PROCESSOR
        };
        assert!(find(&[missing], &canvas, quick).1.is_none());
    }

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn candidates_need_all_their_elements_and_a_card() {
        let kinds = |exists: &dyn Fn(&str) -> bool, card| -> Vec<Compositing> {
            candidates(exists, card)
                .into_iter()
                .map(|known| known.kind)
                .collect()
        };
        assert_eq!(
            kinds(&|_| true, true),
            [Compositing::D3d11, Compositing::Va, Compositing::Gl]
        );
        assert_eq!(
            kinds(&|_| true, false),
            [],
            "GL without a card draws on the processor"
        );
        assert_eq!(kinds(&|name| name.starts_with("gl"), true), [Compositing::Gl]);
        assert_eq!(
            kinds(&|name| name.starts_with("gl") && name != "gldownload", true),
            [],
            "what cannot come back is of no use"
        );
    }

    #[test]
    fn the_quickest_wins_and_the_processor_in_doubt() {
        let gl = Compositing::Gl;
        let va = Compositing::Va;
        assert_eq!(choose(5 * MS, &[]), Compositing::Cpu);
        assert_eq!(
            choose(5 * MS, &[(gl, None)]),
            Compositing::Cpu,
            "it draws wrongly"
        );
        assert_eq!(
            choose(5 * MS, &[(gl, Some(6 * MS))]),
            Compositing::Cpu,
            "it is slower"
        );
        assert_eq!(choose(5 * MS, &[(gl, Some(4 * MS)), (va, Some(3 * MS))]), va);
        assert_eq!(choose(5 * MS, &[(gl, Some(4 * MS)), (va, None)]), gl);
    }
}
