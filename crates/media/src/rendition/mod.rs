//! Encodings of the program: one encoder each, shared by every output that carries it.
//!
//! [`Rendition`] runs the encoders; its hub hands each encoded frame to every subscriber's own bounded queue and to
//! every tap. No output can slow an encoder: a queue that is full drops to the next keyframe, and a newcomer starts
//! from the kept GOP, so that it costs nobody a keyframe.

mod frame;
mod hub;
mod mailbox;
mod pipeline;
mod sound;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use gst::prelude::*;
use gst_utils::{ConsumptionLink, StreamProducer};
use protocol::{Canvas, ErrorCode, H264Profile, KilobitsPerSecond, RenditionId, UserError};

pub use frame::{EncodedAudio, EncodedFrame, EncodedStream, EncodedVideo};
pub use hub::{Subscription, Tap};
pub use mailbox::{Reader, SubscribeOptions};

pub(crate) use hub::EncodedHub;

use crate::encoder::candidates::{self, Candidate, VideoSettings};
use crate::{PipelineMessage, StudioClock, supervise};

/// What a rendition is made of.
pub struct RenditionOptions<'a> {
    /// Who it is.
    pub id: RenditionId,
    /// Size and rate of the program; the encoder scales nothing.
    pub canvas: Canvas,
    /// Profile of its H.264.
    pub profile: H264Profile,
    /// Constant rate of its picture.
    pub video: KilobitsPerSecond,
    /// Element of its encoder, as the probe gives it.
    pub encoder: String,
    /// x264's preset, as the calibration gives it; `None` is veryfast.
    pub preset: Option<String>,
    /// Whether browsers watch it: then small frames and no delay go before quality.
    pub low_delay: bool,
    /// AAC for servers and files, at this rate.
    pub aac: Option<KilobitsPerSecond>,
    /// Opus for browsers.
    pub opus: bool,
    /// The studio's clock.
    pub clock: StudioClock,
    /// The program's picture: I420 of the canvas's size and rate.
    pub picture: &'a StreamProducer,
    /// The program's sound: 48 kHz stereo.
    pub sound: &'a StreamProducer,
    /// Hears what happens, on an encoder's thread: hand over and return.
    pub on_event: Box<dyn Fn(RenditionEvent) + Send + Sync>,
}

/// What happens to a rendition.
#[derive(Debug, Clone, PartialEq)]
pub enum RenditionEvent {
    /// The first frame is encoded.
    Started,
    /// An encoder broke. The rendition makes nothing any more: stop it, and start another.
    Failed(UserError),
}

/// Numbers of a rendition since it started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RenditionCounters {
    /// Frames encoded.
    pub frames: u64,
    /// Bytes of its picture.
    pub bytes: u64,
    /// Keyframes among the frames.
    pub keyframes: u64,
    /// Frames of the program that the encoder had no time for. Never because of an output.
    pub skipped_frames: u32,
}

/// One running encoding of the program. Dropping it stops it and ends its subscriptions.
pub struct Rendition {
    id: RenditionId,
    pipeline: gst::Pipeline,
    candidate: &'static Candidate,
    encoder: gst::Element,
    keyframe_pad: Option<gst::Pad>,
    hub: Arc<EncodedHub>,
    counts: Arc<pipeline::Counts>,
    links: Vec<ConsumptionLink>,
    has_aac: bool,
}

impl Rendition {
    /// Starts encoding. Returns when the pipeline plays; the first frame follows with the program's next.
    ///
    /// # Errors
    /// `NoEncoder` or `ElementMissing` when something is not installed, `Internal` when the pipeline does not start.
    pub fn start(options: RenditionOptions<'_>) -> Result<Self, UserError> {
        let candidate = candidates::candidate(&options.encoder)
            .ok_or_else(|| UserError::new(ErrorCode::NoEncoder).with("missing", &options.encoder))?;
        let settings = VideoSettings {
            canvas: options.canvas,
            profile: options.profile,
            kbps: options.video.value(),
            preset: options.preset,
            low_delay: options.low_delay,
            one_thread: false,
        };
        let on_event: Arc<dyn Fn(RenditionEvent) + Send + Sync> = options.on_event.into();
        let first = on_event.clone();
        let sinks = pipeline::Sinks {
            hub: Arc::default(),
            counts: Arc::default(),
            on_first_frame: Arc::new(move || first(RenditionEvent::Started)),
        };
        let pipeline = gst::Pipeline::with_name(&format!("rendition-{}", options.id));
        supervise(&pipeline, failure_reporter(options.id.clone(), on_event));
        let video = pipeline::build_video(&pipeline, candidate, &settings, &sinks)?;
        let sound = pipeline::build_sound(
            &pipeline,
            options.aac.map(|rate| rate.value()),
            options.opus,
            &sinks,
        )?;
        let frames = gst_utils::streamproducer::ConsumerSettings {
            max_buffer: pipeline::raw_queue(options.canvas.fps()),
            max_time: gst::ClockTime::ZERO,
            ..Default::default()
        };
        // Sound first: then none of the first picture's is missed.
        let mut links = Vec::new();
        if let Some(source) = &sound {
            links.push(
                options
                    .sound
                    .add_consumer(source)
                    .map_err(|e| pipeline::internal(&e))?,
            );
        }
        links.push(
            options
                .picture
                .add_consumer_with(&video.source, frames)
                .map_err(|e| pipeline::internal(&e))?,
        );
        options.clock.govern(&pipeline);
        if let Err(error) = pipeline.set_state(gst::State::Playing) {
            let _ = pipeline.set_state(gst::State::Null);
            return Err(pipeline::internal(&error));
        }
        Ok(Self {
            id: options.id,
            candidate,
            encoder: video.encoder,
            keyframe_pad: video.sink.static_pad("sink"),
            hub: sinks.hub,
            counts: sinks.counts,
            links,
            pipeline,
            has_aac: options.aac.is_some(),
        })
    }

    /// Who it is.
    pub fn id(&self) -> &RenditionId {
        &self.id
    }

    /// Whether it has AAC, which RTMP and recordings need.
    pub fn has_aac(&self) -> bool {
        self.has_aac
    }

    /// Asks for a keyframe. Requests within a second of the last keyframe that was asked for are merged into one,
    /// when that second is over.
    pub fn request_keyframe(&self) {
        if let Some(pad) = &self.keyframe_pad {
            let event = gst_video::UpstreamForceKeyUnitEvent::builder()
                .all_headers(true)
                .build();
            pad.push_event(event);
        }
    }

    /// Changes the rate of the picture, from the next frames on, without a keyframe.
    pub fn set_bitrate(&self, rate: KilobitsPerSecond) {
        self.candidate.set_bitrate(&self.encoder, rate.value());
    }

    /// A share of the encoded frames, beginning with the kept GOP.
    pub fn subscribe(&self, options: SubscribeOptions) -> Subscription {
        self.hub.subscribe(options)
    }

    /// Calls `on_video` and `on_opus` with every frame, beginning with the kept GOP if `from_cache`.
    ///
    /// They run on the encoders' threads (and, for the kept GOP, on the caller's) with the hub locked: hand over and
    /// return; never wait, and never come back to this rendition from inside.
    pub fn tap(
        &self,
        from_cache: bool,
        mut on_video: impl FnMut(EncodedVideo) + Send + 'static,
        mut on_opus: impl FnMut(EncodedAudio) + Send + 'static,
    ) -> Tap {
        let mut sets: Option<(gst::Caps, bytes::Bytes)> = None;
        let call = move |frame: &EncodedFrame| match frame.stream {
            EncodedStream::Video => {
                if sets.as_ref().is_none_or(|(caps, _)| *caps != frame.caps) {
                    sets = codec_data(&frame.caps)
                        .and_then(|data| frame::parameter_sets(&data))
                        .map(|bytes| (frame.caps.clone(), bytes));
                }
                let leading = sets
                    .as_ref()
                    .filter(|_| frame.keyframe)
                    .map(|(_, bytes)| &bytes[..]);
                let Ok(map) = frame.buffer.map_readable() else {
                    return;
                };
                if let Some(data) = frame::annex_b(&map, leading) {
                    on_video(EncodedVideo {
                        data,
                        pts: frame.pts.into(),
                        keyframe: frame.keyframe,
                    });
                }
            }
            EncodedStream::Opus => {
                let Ok(map) = frame.buffer.map_readable() else {
                    return;
                };
                on_opus(EncodedAudio {
                    data: bytes::Bytes::copy_from_slice(&map),
                    pts: frame.pts.into(),
                    duration: Duration::from(frame.duration),
                });
            }
            EncodedStream::Aac => {}
        };
        self.hub.tap(from_cache, Box::new(call))
    }

    /// Numbers since the start.
    pub fn counters(&self) -> RenditionCounters {
        RenditionCounters {
            frames: self.counts.frames.load(Ordering::Relaxed),
            bytes: self.counts.bytes.load(Ordering::Relaxed),
            keyframes: self.counts.keyframes.load(Ordering::Relaxed),
            skipped_frames: self.counts.skipped.load(Ordering::Relaxed),
        }
    }

    pub(crate) fn hub(&self) -> Arc<EncodedHub> {
        self.hub.clone()
    }

    pub(crate) fn keyframe_pad(&self) -> Option<gst::Pad> {
        self.keyframe_pad.clone()
    }
}

impl Drop for Rendition {
    fn drop(&mut self) {
        // First the links, so that the program pushes nothing into a pipeline that stops.
        self.links.clear();
        if let Err(error) = self.pipeline.set_state(gst::State::Null) {
            tracing::warn!(rendition = %self.id, %error, "rendition did not stop cleanly");
        }
        self.hub.end();
    }
}

fn codec_data(caps: &gst::CapsRef) -> Option<Vec<u8>> {
    let buffer = caps.structure(0)?.get::<gst::Buffer>("codec_data").ok()?;
    let map = buffer.map_readable().ok()?;
    Some(map.to_vec())
}

/// Reports the first error; those behind it are its echo.
fn failure_reporter(
    id: RenditionId,
    on_event: Arc<dyn Fn(RenditionEvent) + Send + Sync>,
) -> impl Fn(PipelineMessage) + Send + Sync + 'static {
    let failed = AtomicBool::new(false);
    move |message| {
        if let PipelineMessage::Error {
            element,
            error,
            debug: detail,
        } = message
            && !failed.swap(true, Ordering::Relaxed)
        {
            tracing::error!(rendition = %id, element, %error, detail, "rendition failed");
            on_event(RenditionEvent::Failed(
                pipeline::internal(&error).with("element", element),
            ));
        }
    }
}
