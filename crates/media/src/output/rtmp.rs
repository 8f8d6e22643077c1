//! RTMP and RTMPS.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Once};
use std::time::{Duration, Instant};

use gst::prelude::*;
use protocol::{ErrorCode, RtmpUrl, UserError};
use secrecy::{ExposeSecret, SecretString};

use super::actor::{Context, Opener, Session, waiting};
use super::machine::{Failure, Input, Verdict};
use super::refusal::classify;
use crate::PipelineMessage;
use crate::rendition::{EncodedFrame, EncodedStream, Subscription};

/// Media that may wait for this network before frames are dropped. Two GOPs, so that one always stays.
const MAX_QUEUE: Duration = Duration::from_secs(5);
/// Media that is handed to the pipeline ahead of the network. Little: what is there can't be dropped any more.
const AHEAD: gst::ClockTime = gst::ClockTime::from_mseconds(200);
/// Buffers that the sink has taken when we say live: the connection stands, the server has accepted the stream, and
/// all but the few that the sink keeps have gone out.
const LIVE_AFTER_BUFFERS: u64 = 12;
/// How long a network may take nothing before we call it lost. Shorter and a roaming Wi-Fi looks like a failure.
const STALL_AFTER: Duration = Duration::from_secs(6);
/// How long connecting may take in all; each of its steps has the sink's own limit of 5 s.
const CONNECT_WITHIN: Duration = Duration::from_secs(20);

/// The server to connect to. The key's own `Debug` says `[REDACTED]`.
#[derive(Debug)]
pub(super) struct RtmpLeg {
    encrypted: bool,
    host: String,
    port: u16,
    /// As in the address, for sentences.
    host_said: String,
    application: String,
    stream: SecretString,
}

impl RtmpLeg {
    /// # Errors
    /// `KeyMissing` when there is no key and the address has no second part that could name the stream.
    pub fn new(url: RtmpUrl, key: Option<SecretString>) -> Result<Self, UserError> {
        keep_key_out_of_gstreamers_log();
        let host_said = url.host().to_owned();
        let (scheme, rest) = url.as_str().split_once("://").unwrap_or(("rtmp", url.as_str()));
        let encrypted = scheme == "rtmps";
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, port.parse().ok()),
            _ => (authority, None),
        };
        let (application, stream) = match (key, path.rsplit_once('/')) {
            (Some(key), _) if !key.expose_secret().is_empty() => (path.to_owned(), key),
            (_, Some((application, stream))) => (application.to_owned(), SecretString::from(stream)),
            _ => return Err(UserError::new(ErrorCode::KeyMissing).with("name", &host_said)),
        };
        Ok(Self {
            encrypted,
            host: host.trim_matches(['[', ']']).to_owned(),
            port: port.unwrap_or(if encrypted { 443 } else { 1935 }),
            host_said,
            application,
            stream,
        })
    }

    /// The sink, set up part by part: `location` would hold the key, and takes keys apart that contain a slash.
    fn sink(&self) -> Result<gst::Element, gst::glib::BoolError> {
        let sink = gst::ElementFactory::make("rtmp2sink")
            .name("server")
            .property("host", &self.host)
            .property("port", i32::from(self.port))
            .property("application", &self.application)
            .property("stream", self.stream.expose_secret())
            // The default of 128 bytes cuts a keyframe into hundreds of chunks.
            .property("chunk-size", 60_000u32)
            .property("timeout", 5u32)
            .property("sync", false)
            .property("async", false)
            .property("enable-last-sample", false)
            .build()?;
        sink.set_property_from_str("scheme", if self.encrypted { "rtmps" } else { "rtmp" });
        Ok(sink)
    }

    fn pipeline(&self, context: &Context, number: u64) -> Result<RtmpSession, gst::glib::BoolError> {
        let pipeline = gst::Pipeline::with_name(&format!("rtmp-{}", context.id));
        let source = |name: &str| {
            gst_app::AppSrc::builder()
                .name(name)
                .format(gst::Format::Time)
                // The queue before it is the bounded one; this one is kept short by `feed`.
                .max_bytes(0)
                .max_buffers(0)
                .max_time(gst::ClockTime::NONE)
                .build()
        };
        let (video, audio) = (source("video"), source("audio"));
        let mux = gst::ElementFactory::make("flvmux")
            .property("streamable", true)
            .build()?;
        let sink = self.sink()?;
        pipeline.add_many([video.upcast_ref(), audio.upcast_ref(), &mux, &sink])?;
        video.link_pads(Some("src"), &mux, Some("video"))?;
        audio.link_pads(Some("src"), &mux, Some("audio"))?;
        mux.link(&sink)?;
        let taken = Arc::new(AtomicU64::new(0));
        if let Some(pad) = sink.static_pad("sink") {
            let taken = taken.clone();
            pad.add_probe(gst::PadProbeType::BUFFER, move |_, _| {
                taken.fetch_add(1, Ordering::Relaxed);
                gst::PadProbeReturn::Ok
            });
        }
        context.supervise(&pipeline, number);
        context.clock.govern(&pipeline);
        let now = Instant::now();
        Ok(RtmpSession {
            number,
            host: self.host_said.clone(),
            key: self.stream.clone(),
            subscription: context.subscribe(MAX_QUEUE),
            pipeline,
            video,
            audio,
            sink,
            taken,
            begins: None,
            live: false,
            finishing: false,
            opened: now,
            progress: (0, now),
        })
    }
}

/// At INFO the RTMP client prints the stream that it publishes, which is the key; at LOG it prints all it sends.
fn keep_key_out_of_gstreamers_log() {
    static ONCE: Once = Once::new();
    // The newest pattern wins over what GST_DEBUG asked for, also for categories that come later.
    ONCE.call_once(|| {
        for names in ["rtmp*", "amf*"] {
            gst::log::set_threshold_for_name(names, gst::DebugLevel::Warning);
        }
    });
}

impl Opener for RtmpLeg {
    fn open(&mut self, context: &Arc<Context>, number: u64) -> Result<Box<dyn Session>, Failure> {
        let broken = |detail: String| Failure {
            error: UserError::new(ErrorCode::Internal).with("detail", detail),
            verdict: Verdict::Final,
        };
        if gst::ElementFactory::find("rtmp2sink").is_none() || gst::ElementFactory::find("flvmux").is_none() {
            return Err(Failure {
                error: UserError::new(ErrorCode::ElementMissing).with("missing", "rtmp2sink, flvmux"),
                verdict: Verdict::Final,
            });
        }
        let session = self
            .pipeline(context, number)
            .map_err(|error| broken(error.to_string()))?;
        // Its error, if any, arrives by the bus.
        if let Err(error) = session.pipeline.set_state(gst::State::Playing) {
            tracing::debug!(%error, "rtmp pipeline did not start at once");
        }
        Ok(Box::new(session))
    }
}

struct RtmpSession {
    number: u64,
    host: String,
    key: SecretString,
    subscription: Subscription,
    pipeline: gst::Pipeline,
    video: gst_app::AppSrc,
    audio: gst_app::AppSrc,
    sink: gst::Element,
    /// Buffers that arrived at the sink; all but the last were taken.
    taken: Arc<AtomicU64>,
    /// Running time of the first keyframe: the stream's zero.
    begins: Option<gst::ClockTime>,
    live: bool,
    finishing: bool,
    opened: Instant,
    /// What was taken when it last was more than before, and when that was.
    progress: (u64, Instant),
}

impl RtmpSession {
    fn push(&mut self, frame: &EncodedFrame) {
        let begins = match (self.begins, frame.stream) {
            (Some(begins), _) => begins,
            (None, EncodedStream::Video) => *self.begins.insert(frame.dts),
            (None, _) => return,
        };
        let Some(pts) = frame.pts.checked_sub(begins) else {
            return;
        };
        let dts = frame.dts.saturating_sub(begins);
        let source = match frame.stream {
            EncodedStream::Video => &self.video,
            EncodedStream::Aac => &self.audio,
            EncodedStream::Opus => return,
        };
        if source.caps().as_ref() != Some(&frame.caps) {
            source.set_caps(Some(&frame.caps));
        }
        // It fails only when the pipeline has failed, which its bus tells.
        let _ = source.push_buffer(frame.retimed(pts, dts));
    }

    /// Either stream is short: then the muxer may be waiting for just that one.
    fn room(&self) -> bool {
        waiting(&self.video).min(waiting(&self.audio)) < AHEAD
    }

    fn lost(&self) -> Input {
        Input::Lost(Failure {
            error: UserError::new(ErrorCode::ConnectionLost).with("host", &self.host),
            verdict: Verdict::Retry,
        })
    }
}

impl Session for RtmpSession {
    fn feed(&mut self) {
        if self.finishing {
            return;
        }
        while self.room() {
            let Some(frame) = self.subscription.try_next() else {
                return;
            };
            self.push(&frame);
        }
    }

    fn backlog(&self) -> bool {
        !self.finishing && self.subscription.queue_ms() > 0
    }

    fn check(&mut self, now: Instant) -> Option<Input> {
        let taken = self.taken.load(Ordering::Relaxed);
        if taken > self.progress.0 {
            self.progress = (taken, now);
        }
        if !self.live {
            if taken >= LIVE_AFTER_BUFFERS {
                self.live = true;
                return Some(Input::Taken);
            }
            return (now.saturating_duration_since(self.opened) > CONNECT_WITHIN).then(|| self.lost());
        }
        let waiting = self.subscription.queue_ms() > 1000;
        let stalled = now.saturating_duration_since(self.progress.1) > STALL_AFTER;
        (waiting && stalled).then(|| self.lost())
    }

    fn on_message(&mut self, number: u64, message: PipelineMessage) -> Option<Input> {
        if number != self.number {
            return None;
        }
        match message {
            PipelineMessage::Eos => Some(if self.finishing { Input::Ended } else { self.lost() }),
            PipelineMessage::Error {
                element,
                error,
                debug,
            } => {
                let text = format!("{}: {}", error.message(), debug.unwrap_or_default());
                let text = without(&text, self.key.expose_secret());
                tracing::debug!(element, text, "rtmp error");
                Some(Input::Lost(classify(&text, &self.host)))
            }
            _ => None,
        }
    }

    fn finish(&mut self) -> Option<Input> {
        self.finishing = true;
        let _ = self.video.end_of_stream();
        let _ = self.audio.end_of_stream();
        None
    }

    fn sent_bytes(&self) -> u64 {
        self.sink
            .property::<gst::Structure>("stats")
            .get("out-bytes-total")
            .unwrap_or(0)
    }

    fn dropped_frames(&self) -> u32 {
        self.subscription.dropped_frames()
    }

    fn queue_ms(&self) -> u32 {
        let inside = waiting(&self.video).mseconds();
        self.subscription
            .queue_ms()
            .saturating_add(u32::try_from(inside).unwrap_or(0))
    }
}

impl Drop for RtmpSession {
    fn drop(&mut self) {
        if let Err(error) = self.pipeline.set_state(gst::State::Null) {
            tracing::warn!(%error, "rtmp pipeline did not stop cleanly");
        }
    }
}

/// `text` without `secret`, and without the part of it before its query, which servers repeat alone.
fn without(text: &str, secret: &str) -> String {
    let mut text = text.to_owned();
    let name = secret.split('?').next().unwrap_or(secret);
    for part in [secret, name] {
        if !part.is_empty() {
            text = text.replace(part, "[redacted]");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leg(url: &str, key: Option<&str>) -> Result<RtmpLeg, UserError> {
        let url = RtmpUrl::try_from(url.to_owned()).expect("an address");
        RtmpLeg::new(url, key.map(SecretString::from))
    }

    #[test]
    fn addresses_are_taken_apart() {
        let l = leg("rtmps://a.example:4443/app/instance", Some("k/e?y=1")).expect("good");
        assert_eq!(
            (l.host.as_str(), l.port, l.application.as_str()),
            ("a.example", 4443, "app/instance")
        );
        assert_eq!(l.stream.expose_secret(), "k/e?y=1");
        let l = leg("rtmp://[::1]/live", Some("k")).expect("good");
        assert_eq!((l.host.as_str(), l.port), ("::1", 1935));
        assert_eq!(leg("rtmps://h/live", Some("k")).ok().map(|l| l.port), Some(443));
    }

    #[test]
    fn without_a_key_the_last_part_names_the_stream() {
        let l = leg("rtmp://h/app/stream", None).expect("good");
        assert_eq!(
            (l.application.as_str(), l.stream.expose_secret()),
            ("app", "stream")
        );
        let error = leg("rtmp://h/app", Some("")).expect_err("no stream");
        assert_eq!(error.code, ErrorCode::KeyMissing);
    }

    #[test]
    fn keys_leave_error_texts() {
        assert_eq!(
            without("stream abc?x=1: abc exists", "abc?x=1"),
            "stream [redacted]: [redacted] exists"
        );
    }
}
