//! The pipeline that encodes one rendition.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use gst::prelude::*;
use gst_utils::StreamProducer;
use protocol::{ErrorCode, H264Profile, UserError};

use super::frame::{EncodedFrame, EncodedStream};
use super::hub::EncodedHub;
use super::sound::{AacEncoder, OPUS_PACKET, make_opus};
use crate::encoder::candidates::{Candidate, VideoSettings, profile_name};

/// Raw frames that may wait for the encoder, as a part of a second of the program. Another program that takes the
/// processor for a moment then costs a delay, which the encoder makes up for, and no frame.
const RAW_QUEUE_PER_SECOND: u32 = 2;

/// What the encoders did so far. Written on their threads.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub frames: AtomicU64,
    pub bytes: AtomicU64,
    pub keyframes: AtomicU64,
    pub skipped: AtomicU32,
}

/// Where the pipeline puts what it makes.
#[derive(Clone)]
pub(super) struct Sinks {
    pub hub: Arc<EncodedHub>,
    pub counts: Arc<Counts>,
    pub on_first_frame: Arc<dyn Fn() + Send + Sync>,
}

pub(super) struct VideoChain {
    pub source: gst_app::AppSrc,
    pub encoder: gst::Element,
    pub sink: gst_app::AppSink,
}

/// An element of the studio's own choice, or what to install.
fn element(name: &str) -> Result<gst::Element, UserError> {
    gst::ElementFactory::make(name)
        .build()
        .map_err(|_| UserError::new(ErrorCode::ElementMissing).with("missing", name))
}

/// An internal error with the detail of `error`.
pub(super) fn internal(error: &impl ToString) -> UserError {
    UserError::new(ErrorCode::Internal).with("detail", error.to_string())
}

fn link(pipeline: &gst::Pipeline, chain: &[gst::Element]) -> Result<(), UserError> {
    pipeline.add_many(chain).map_err(|e| internal(&e))?;
    gst::Element::link_many(chain).map_err(|e| internal(&e))
}

fn app_source(name: &str) -> gst_app::AppSrc {
    let source = gst_app::AppSrc::builder().name(name).build();
    // Before it ever leaves NULL: an appsrc that started in bytes does not learn time any more.
    StreamProducer::configure_consumer(&source);
    source
}

/// A sink that hands over at once: whoever wants to pace does so himself.
fn app_sink(name: &str, caps: &gst::Caps) -> gst_app::AppSink {
    gst_app::AppSink::builder()
        .name(name)
        .caps(caps)
        .sync(false)
        .async_(false)
        .enable_last_sample(false)
        .processing_deadline(gst::ClockTime::ZERO)
        .max_buffers(4)
        .build()
}

/// Raw frames that may wait in front of the encoder before the oldest is skipped.
pub(super) fn raw_queue(fps: u32) -> u64 {
    u64::from((fps / RAW_QUEUE_PER_SECOND).max(4))
}

pub(super) fn build_video(
    pipeline: &gst::Pipeline,
    candidate: &'static Candidate,
    settings: &VideoSettings,
    sinks: &Sinks,
) -> Result<VideoChain, UserError> {
    let encoder = candidate
        .make(settings)
        .ok_or_else(|| UserError::new(ErrorCode::NoEncoder).with("missing", candidate.element))?;
    let source = app_source("video");
    let avc = gst::Caps::builder("video/x-h264")
        .field("stream-format", "avc")
        .field("alignment", "au")
        .build();
    let sink = app_sink("h264", &avc);
    let profile = gst::ElementFactory::make("capsfilter")
        .property("caps", profile_caps(settings.profile))
        .build()
        .map_err(|e| internal(&e))?;
    let mut chain = vec![source.clone().upcast()];
    if candidate.element != crate::encoder::candidates::X264 {
        // Hardware wants NV12. Costs nothing where I420 will do.
        chain.push(element("videoconvert")?);
    }
    chain.extend([encoder.clone(), profile]);
    if candidate.element != crate::encoder::candidates::X264 {
        // Some encoders only make byte-stream, and say no codec_data.
        chain.push(element("h264parse")?);
    }
    chain.push(sink.clone().upcast());
    link(pipeline, &chain)?;
    count_skipped(&source, settings.canvas.fps(), sinks.counts.clone());
    let take = sinks.clone();
    let first = AtomicBool::new(true);
    on_frame(&sink, EncodedStream::Video, gst::ClockTime::ZERO, move |frame| {
        take.counts.frames.fetch_add(1, Ordering::Relaxed);
        take.counts
            .bytes
            .fetch_add(frame.buffer.size() as u64, Ordering::Relaxed);
        take.counts
            .keyframes
            .fetch_add(u64::from(frame.keyframe), Ordering::Relaxed);
        take.hub.publish(frame);
        if first.swap(false, Ordering::Relaxed) {
            (take.on_first_frame)();
        }
    });
    Ok(VideoChain {
        source,
        encoder,
        sink,
    })
}

fn profile_caps(profile: H264Profile) -> gst::Caps {
    gst::Caps::builder("video/x-h264")
        .field("profile", profile_name(profile))
        .build()
}

/// Counts frames that the full queue in front of the encoder let go: holes in the program's even steps.
fn count_skipped(source: &gst_app::AppSrc, fps: u32, counts: Arc<Counts>) {
    let Some(pad) = source.static_pad("src") else {
        return;
    };
    let last = Mutex::new(None::<gst::ClockTime>);
    pad.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
        if let Some(pts) = info.buffer().and_then(|buffer| buffer.pts()) {
            let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(before) = last.replace(pts) {
                let step = pts.saturating_sub(before).nseconds() * u64::from(fps);
                let frames = (step + 500_000_000) / 1_000_000_000;
                let missing = u32::try_from(frames.saturating_sub(1)).unwrap_or(u32::MAX);
                counts.skipped.fetch_add(missing, Ordering::Relaxed);
            }
        }
        gst::PadProbeReturn::Ok
    });
}

/// Builds the encoders of sound behind one source; they share its thread.
pub(super) fn build_sound(
    pipeline: &gst::Pipeline,
    aac_kbps: Option<u32>,
    opus: bool,
    sinks: &Sinks,
) -> Result<Option<gst_app::AppSrc>, UserError> {
    if aac_kbps.is_none() && !opus {
        return Ok(None);
    }
    let source = app_source("audio");
    let tee = element("tee")?;
    link(pipeline, &[source.clone().upcast(), tee.clone()])?;
    if let Some(kbps) = aac_kbps {
        let (encoder, aac) = AacEncoder::make(kbps)
            .ok_or_else(|| UserError::new(ErrorCode::ElementMissing).with("missing", AacEncoder::names()))?;
        let caps = gst::Caps::builder("audio/mpeg")
            .field("mpegversion", 4i32)
            .field("stream-format", "raw")
            .build();
        let sink = app_sink("aac", &caps);
        branch(pipeline, &tee, aac, &sink)?;
        let hub = sinks.hub.clone();
        on_frame(&sink, EncodedStream::Aac, encoder.priming(), move |frame| {
            hub.publish(frame);
        });
    }
    if opus {
        let encoder = make_opus()
            .ok_or_else(|| UserError::new(ErrorCode::ElementMissing).with("missing", "opusenc"))?;
        let sink = app_sink("opus", &gst::Caps::new_empty_simple("audio/x-opus"));
        branch(pipeline, &tee, encoder, &sink)?;
        let hub = sinks.hub.clone();
        on_frame(
            &sink,
            EncodedStream::Opus,
            gst::ClockTime::ZERO,
            move |mut frame| {
                // opusenc takes its pre-skip off the first packet's duration. WebRTC knows no pre-skip: there the packet
                // simply begins earlier, and all steps are even.
                let Some(pts) = frame.end().checked_sub(OPUS_PACKET) else {
                    // It would begin before the clock did: in the first milliseconds of a program there is one such.
                    return;
                };
                frame.pts = pts;
                frame.dts = pts;
                frame.duration = OPUS_PACKET;
                hub.publish(frame);
            },
        );
    }
    Ok(Some(source))
}

fn branch(
    pipeline: &gst::Pipeline,
    tee: &gst::Element,
    encoder: gst::Element,
    sink: &gst_app::AppSink,
) -> Result<(), UserError> {
    let chain = [element("audioconvert")?, encoder, sink.clone().upcast()];
    link(pipeline, &chain)?;
    tee.link(&chain[0]).map_err(|e| internal(&e))
}

/// Calls `take` for every frame, with running times, `earlier` taken off.
fn on_frame(
    sink: &gst_app::AppSink,
    stream: EncodedStream,
    earlier: gst::ClockTime,
    take: impl Fn(EncodedFrame) + Send + Sync + 'static,
) {
    let callbacks = gst_app::AppSinkCallbacks::builder()
        .new_sample(move |sink| {
            let sample = sink.pull_sample().map_err(|_| gst::FlowError::Eos)?;
            if let Some(frame) = frame_of(&sample, stream, earlier) {
                take(frame);
            }
            Ok(gst::FlowSuccess::Ok)
        })
        .build();
    sink.set_callbacks(callbacks);
}

/// x264enc counts from 1000 hours; only the segment tells what its timestamps mean.
fn frame_of(sample: &gst::Sample, stream: EncodedStream, earlier: gst::ClockTime) -> Option<EncodedFrame> {
    let mut buffer = sample.buffer_owned()?;
    let segment = sample.segment()?.downcast_ref::<gst::ClockTime>()?;
    let pts = segment.to_running_time(buffer.pts()?)?.saturating_sub(earlier);
    let dts = buffer
        .dts()
        .and_then(|dts| segment.to_running_time(dts))
        .map_or(pts, |dts| dts.saturating_sub(earlier));
    let duration = buffer.duration().unwrap_or(gst::ClockTime::ZERO);
    let keyframe = !buffer.flags().contains(gst::BufferFlags::DELTA_UNIT);
    let inner = buffer.make_mut();
    inner.set_pts(pts);
    inner.set_dts(dts);
    Some(EncodedFrame {
        stream,
        buffer,
        caps: sample.caps_owned()?,
        pts,
        dts,
        duration,
        keyframe: keyframe || stream != EncodedStream::Video,
    })
}
