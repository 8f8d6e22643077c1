//! The end of every pipeline of a source: whatever comes in, the program's formats go to the edge.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
};

use gst::{ClockTime, prelude::*};
use protocol::{Canvas, Frame};

use super::{
    downmix,
    edge::{AudioEdge, RATE, VideoEdge, program_caps},
    error::{Trouble, element_missing},
    picture::fitted,
};

/// What the streaming threads and the source's own thread share.
#[derive(Debug, Default)]
pub(crate) struct Flow {
    /// Added to every running time of the pipeline to get the studio's, in ns. Zero for live sources.
    pub(crate) offset_ns: AtomicI64,
    /// Place in the medium that was sent last, ns of stream time.
    pub(crate) position_ns: AtomicU64,
    /// Pictures and buffers of sound that were sent.
    pub(crate) sent: AtomicU64,
    /// The host sought while paused: the picture at the new place is shown although nothing plays.
    pub(crate) show_preroll: AtomicBool,
    /// Width and height of the pictures, `width << 32 | height`; 0 before the first.
    frame: AtomicU64,
}

impl Flow {
    pub(crate) fn frame(&self) -> Option<Frame> {
        let packed = self.frame.load(Ordering::Relaxed);
        (packed != 0).then_some(Frame {
            width: (packed >> 32) as u32,
            height: packed as u32,
        })
    }

    /// The studio's running time of a pipeline's `running`; `None` before the studio's start.
    fn studio_time(&self, running: ClockTime) -> Option<ClockTime> {
        let ns = (running.nseconds() as i64).checked_add(self.offset_ns.load(Ordering::Relaxed))?;
        u64::try_from(ns).ok().map(ClockTime::from_nseconds)
    }

    /// Notes a sample's place in the medium, gives the studio's time of it.
    fn pass(&self, sample: &gst::Sample) -> Option<ClockTime> {
        let pts = sample.buffer()?.pts()?;
        let segment = sample.segment()?.downcast_ref::<ClockTime>()?;
        let time = self.studio_time(segment.to_running_time(pts)?)?;
        self.note_place(sample);
        self.sent.fetch_add(1, Ordering::Relaxed);
        Some(time)
    }

    fn note_place(&self, sample: &gst::Sample) {
        if let Some(pts) = sample.buffer().and_then(|buffer| buffer.pts())
            && let Some(segment) = sample
                .segment()
                .and_then(|segment| segment.downcast_ref::<ClockTime>())
            && let Some(place) = segment.to_stream_time(pts)
        {
            self.position_ns.store(place.nseconds(), Ordering::Relaxed);
        }
    }
}

/// How a chain's end waits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Pace {
    /// The medium comes as fast as it decodes: the clock is the brake, and buffers leave this much early.
    Clock(ClockTime),
    /// The device is the brake.
    Live,
}

/// A chain that stands in a pipeline, not yet linked.
#[derive(Debug)]
pub(crate) struct Chain {
    pub(crate) entry: gst::Pad,
    elements: Vec<gst::Element>,
}

impl Chain {
    /// Brings the elements to the pipeline's state. Last first, so that nothing flows into what still sleeps.
    pub(crate) fn start(&self) -> Result<(), gst::glib::BoolError> {
        self.elements
            .iter()
            .rev()
            .try_for_each(|element| element.sync_state_with_parent())
    }
}

/// An element of this kind.
pub(crate) fn make(factory: &'static str) -> Result<gst::Element, Trouble> {
    gst::ElementFactory::make(factory)
        .build()
        .map_err(|_| Trouble::hopeless(element_missing(factory)))
}

/// An element that the chain is complete without.
fn make_optional(factory: &'static str) -> Option<gst::Element> {
    gst::ElementFactory::make(factory).build().ok()
}

/// Adds and links `elements` in order.
fn assemble(pipeline: &gst::Pipeline, elements: Vec<gst::Element>) -> Result<Chain, Trouble> {
    let broken = || Trouble::hopeless(element_missing("gstreamer"));
    pipeline.add_many(&elements).map_err(|_| broken())?;
    gst::Element::link_many(&elements).map_err(|_| broken())?;
    let entry = elements
        .first()
        .and_then(|element| element.static_pad("sink"))
        .ok_or_else(broken)?;
    Ok(Chain { entry, elements })
}

fn appsink(pace: Pace, callbacks: gst_app::AppSinkCallbacks) -> gst_app::AppSink {
    let appsink = gst_app::AppSink::builder()
        .sync(pace != Pace::Live)
        .enable_last_sample(false)
        .max_buffers(2)
        .processing_deadline(ClockTime::ZERO)
        .callbacks(callbacks)
        .build();
    if let Pace::Clock(lead) = pace {
        appsink.set_property("ts-offset", -(lead.nseconds() as i64));
    }
    appsink
}

/// Pictures of any kind → I420 (A420 when they have alpha), square pixels, progressive, no larger than the canvas.
///
/// With `Pace::Clock` also at exactly the canvas's rate. A live source keeps its own: the edge puts it on the grid,
/// where videorate would hold every picture until the next one.
pub(crate) fn video(
    pipeline: &gst::Pipeline,
    canvas: Canvas,
    pace: Pace,
    edge: &Arc<VideoEdge>,
    flow: &Arc<Flow>,
) -> Result<Chain, Trouble> {
    let scale = make("videoconvertscale")?;
    scale.set_property("add-borders", false);
    let filter = make("capsfilter")?;
    // Not one that scales: it would answer what the last one asks for, and a turned picture would be turned again.
    let mut elements = vec![make("videoconvert")?];
    elements.extend(make_optional("deinterlace"));
    if pace != Pace::Live {
        elements.push(make("videorate")?);
    }
    // Telephones film lying down and say so in a tag.
    if let Some(flip) = make_optional("videoflip") {
        flip.set_property_from_str("video-direction", "auto");
        elements.push(flip);
    }
    size_to(&scale, &filter, canvas, pace, flow);
    let callbacks = {
        let (still_edge, still_flow) = (Arc::clone(edge), Arc::clone(flow));
        let (edge, flow) = (Arc::clone(edge), Arc::clone(flow));
        let mut known: Option<(gst::Caps, gst::Caps)> = None;
        gst_app::AppSinkCallbacks::builder()
            .new_preroll(move |sink| {
                let sample = sink.pull_preroll().map_err(|_| gst::FlowError::Eos)?;
                if still_flow.show_preroll.swap(false, Ordering::AcqRel) {
                    still_flow.note_place(&sample);
                    if let (Some(caps), Some(buffer)) = (sample.caps(), sample.buffer_owned())
                        && let Ok(info) = gst_video::VideoInfo::from_caps(caps)
                    {
                        let caps = still_edge.caps(info.format(), info.width(), info.height());
                        still_edge.show_next(&caps, buffer);
                    }
                }
                Ok(gst::FlowSuccess::Ok)
            })
            .new_sample(move |sink| {
                let sample = sink.pull_sample().map_err(|_| gst::FlowError::Eos)?;
                let (Some(time), Some(caps)) = (flow.pass(&sample), sample.caps_owned()) else {
                    return Ok(gst::FlowSuccess::Ok);
                };
                if known.as_ref().is_none_or(|(from, _)| *from != caps) {
                    let info =
                        gst_video::VideoInfo::from_caps(&caps).map_err(|_| gst::FlowError::NotNegotiated)?;
                    known = Some((caps, edge.caps(info.format(), info.width(), info.height())));
                }
                if let (Some((_, caps)), Some(buffer)) = (&known, sample.buffer_owned()) {
                    // The sample goes first, so that the buffer's head need not be copied.
                    drop(sample);
                    edge.offer(caps, buffer, time);
                }
                Ok(gst::FlowSuccess::Ok)
            })
            .build()
    };
    elements.extend([scale, filter, appsink(pace, callbacks).upcast()]);
    assemble(pipeline, elements)
}

/// Sets what `filter` asks of `scale` from what comes in.
fn size_to(scale: &gst::Element, filter: &gst::Element, canvas: Canvas, pace: Pace, flow: &Arc<Flow>) {
    let Some(pad) = scale.static_pad("sink") else {
        return;
    };
    let (filter, flow) = (filter.downgrade(), Arc::clone(flow));
    pad.add_probe(gst::PadProbeType::EVENT_DOWNSTREAM, move |_, info| {
        if let Some(gst::EventView::Caps(caps)) = info.event().map(|event| event.view())
            && let Ok(info) = gst_video::VideoInfo::from_caps(caps.caps())
            && let Some(filter) = filter.upgrade()
        {
            let caps = target(&info, canvas, pace);
            if let Some(structure) = caps.structure(0)
                && let (Ok(width), Ok(height)) =
                    (structure.get::<i32>("width"), structure.get::<i32>("height"))
            {
                flow.frame
                    .store((width as u64) << 32 | height as u64, Ordering::Relaxed);
            }
            filter.set_property("caps", &caps);
        }
        gst::PadProbeReturn::Ok
    });
}

/// What a picture of `info` becomes.
fn target(info: &gst_video::VideoInfo, canvas: Canvas, pace: Pace) -> gst::Caps {
    let par = info.par();
    // Square pixels: the width changes, as every player does it.
    let width = u64::from(info.width()) * par.numer().max(1) as u64 / par.denom().max(1) as u64;
    let room = Frame {
        width: canvas.width(),
        height: canvas.height(),
    };
    let frame = fitted(width.min(u64::from(u32::MAX)) as u32, info.height(), room, false);
    let format = if info.has_alpha() {
        gst_video::VideoFormat::A420
    } else {
        gst_video::VideoFormat::I420
    };
    let mut caps = program_caps(canvas, format, frame.width, frame.height);
    for structure in caps.make_mut().iter_mut() {
        // A quarter of a pixel of colour is not worth a conversion of every picture.
        structure.remove_field("chroma-site");
        if pace == Pace::Live {
            structure.remove_field("framerate");
        }
    }
    caps
}

/// Sound of any kind → F32LE stereo, 48 kHz.
pub(crate) fn audio(
    pipeline: &gst::Pipeline,
    pace: Pace,
    edge: &Arc<AudioEdge>,
    flow: &Arc<Flow>,
) -> Result<Chain, Trouble> {
    let filter = make("capsfilter")?;
    // The number of channels stays: they are mixed below.
    let caps = gst::Caps::builder("audio/x-raw")
        .field("format", "F32LE")
        .field("rate", RATE as i32)
        .field("layout", "interleaved")
        .build();
    filter.set_property("caps", &caps);
    let callbacks = {
        let (edge, flow) = (Arc::clone(edge), Arc::clone(flow));
        let mut known: Option<(gst::Caps, Vec<downmix::Factors>)> = None;
        gst_app::AppSinkCallbacks::builder()
            .new_sample(move |sink| {
                let sample = sink.pull_sample().map_err(|_| gst::FlowError::Eos)?;
                let (Some(time), Some(caps)) = (flow.pass(&sample), sample.caps_owned()) else {
                    return Ok(gst::FlowSuccess::Ok);
                };
                if known.as_ref().is_none_or(|(from, _)| *from != caps) {
                    let info =
                        gst_audio::AudioInfo::from_caps(&caps).map_err(|_| gst::FlowError::NotNegotiated)?;
                    let positions = info.positions().unwrap_or_default();
                    let matrix = downmix::matrix(info.channels() as usize, positions);
                    known = Some((caps, matrix));
                }
                if let (Some((_, matrix)), Some(buffer)) = (&known, sample.buffer_owned()) {
                    drop(sample);
                    if let Some(buffer) = stereo(matrix, buffer) {
                        edge.offer(buffer, time);
                    }
                }
                Ok(gst::FlowSuccess::Ok)
            })
            .build()
    };
    assemble(
        pipeline,
        vec![
            make("audioconvert")?,
            make("audioresample")?,
            filter,
            appsink(pace, callbacks).upcast(),
        ],
    )
}

fn stereo(matrix: &[downmix::Factors], buffer: gst::Buffer) -> Option<gst::Buffer> {
    if matrix == [[1.0, 0.0], [0.0, 1.0]] {
        return Some(buffer);
    }
    let mut mixed = gst::Buffer::with_size(buffer.size() / matrix.len() * 2).ok()?;
    {
        let input = buffer.map_readable().ok()?;
        let mut output = mixed.get_mut()?.map_writable().ok()?;
        // GStreamer aligns its memory to far more than four bytes; a foreign allocator might not.
        let input = bytemuck::try_cast_slice(input.as_slice()).ok()?;
        let output = bytemuck::try_cast_slice_mut(output.as_mut_slice()).ok()?;
        downmix::mix(matrix, input, output);
    }
    Some(mixed)
}

/// Takes whatever comes and lets it go.
pub(crate) fn nowhere(pipeline: &gst::Pipeline) -> Result<Chain, Trouble> {
    let sink = make("fakesink")?;
    sink.set_property("sync", false);
    sink.set_property("async", false);
    assemble(pipeline, vec![sink])
}
