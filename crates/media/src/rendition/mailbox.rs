//! One subscriber's queue: bounded in media time, dropping to the next keyframe.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::frame::{EncodedFrame, EncodedStream};

/// What a subscriber wants.
pub struct SubscribeOptions {
    /// With the AAC stream.
    pub aac: bool,
    /// With the Opus stream.
    pub opus: bool,
    /// Most media that waits; what is over is dropped to the next keyframe.
    pub max_queue: Duration,
    /// Called when frames arrive at an empty queue, on an encoder's thread: hand over and return.
    pub wake: Option<Box<dyn Fn() + Send + Sync>>,
}

pub(super) struct Mailbox {
    options: SubscribeOptions,
    state: Mutex<State>,
    arrived: Condvar,
}

#[derive(Default)]
struct State {
    queue: VecDeque<EncodedFrame>,
    /// Sound that was encoded sooner than the picture that it belongs to. Goes out behind the first keyframe.
    early_sound: VecDeque<EncodedFrame>,
    /// No delta frame is of use before the next keyframe.
    wants_keyframe: bool,
    /// It has had its first keyframe.
    begun: bool,
    dropped_frames: u32,
    ended: bool,
}

impl Mailbox {
    pub(super) fn new(options: SubscribeOptions) -> Self {
        let state = State {
            wants_keyframe: true,
            ..State::default()
        };
        Self {
            options,
            state: Mutex::new(state),
            arrived: Condvar::new(),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a frame in. Never waits for the subscriber.
    pub(super) fn post(&self, frame: &EncodedFrame) {
        let wanted = match frame.stream {
            EncodedStream::Video => true,
            EncodedStream::Aac => self.options.aac,
            EncodedStream::Opus => self.options.opus,
        };
        if !wanted {
            return;
        }
        let was_empty = {
            let mut state = self.lock();
            let was_empty = state.queue.is_empty();
            state.take(frame, gst_time(self.options.max_queue));
            was_empty && !state.queue.is_empty()
        };
        if was_empty {
            self.arrived.notify_one();
            if let Some(wake) = &self.options.wake {
                wake();
            }
        }
    }

    pub(super) fn end(&self) {
        self.lock().ended = true;
        self.arrived.notify_all();
        if let Some(wake) = &self.options.wake {
            wake();
        }
    }
}

fn gst_time(duration: Duration) -> gst::ClockTime {
    gst::ClockTime::from_nseconds(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX - 1))
}

impl State {
    fn take(&mut self, frame: &EncodedFrame, max_queue: gst::ClockTime) {
        if frame.stream == EncodedStream::Video {
            if frame.keyframe {
                self.wants_keyframe = false;
                if !self.begun {
                    self.begin(frame);
                    return;
                }
            } else if self.wants_keyframe {
                // The stretch before the first keyframe is nobody's loss: the subscriber has not begun.
                self.dropped_frames += u32::from(self.begun);
                return;
            }
        } else if !self.begun {
            self.early_sound.push_back(frame.clone());
            self.early_sound
                .retain(|early| frame.dts.saturating_sub(early.dts) <= max_queue);
            return;
        }
        self.queue.push_back(frame.clone());
        if self.span() > max_queue {
            self.drop_video(max_queue);
            self.drop_sound(max_queue);
        }
    }

    fn begin(&mut self, keyframe: &EncodedFrame) {
        self.begun = true;
        self.queue.push_back(keyframe.clone());
        let from_there = |early: &EncodedFrame| early.pts >= keyframe.pts;
        self.queue.extend(self.early_sound.drain(..).filter(from_there));
    }

    fn span(&self) -> gst::ClockTime {
        match (self.queue.front(), self.queue.back()) {
            (Some(first), Some(last)) => last.dts.saturating_sub(first.dts),
            _ => gst::ClockTime::ZERO,
        }
    }

    /// Drops whole stretches up to a keyframe, so that what is left can be decoded.
    fn drop_video(&mut self, max_queue: gst::ClockTime) {
        let Some(newest) = self.queue.back().map(|frame| frame.dts) else {
            return;
        };
        let over = |frame: &EncodedFrame| {
            frame.stream == EncodedStream::Video && newest.saturating_sub(frame.dts) > max_queue
        };
        if !self.queue.iter().any(over) {
            return;
        }
        // The first keyframe that may stay. Without one everything goes, and the next keyframe begins anew.
        let keep_from = self
            .queue
            .iter()
            .position(|f| f.stream == EncodedStream::Video && f.keyframe && !over(f));
        let mut index = 0;
        let mut dropped = 0;
        self.queue.retain(|frame| {
            let stays = frame.stream != EncodedStream::Video || keep_from.is_some_and(|keep| index >= keep);
            index += 1;
            dropped += u32::from(!stays);
            stays
        });
        self.dropped_frames += dropped;
        self.wants_keyframe = keep_from.is_none();
    }

    fn drop_sound(&mut self, max_queue: gst::ClockTime) {
        let Some(newest) = self.queue.back().map(|frame| frame.dts) else {
            return;
        };
        self.queue
            .retain(|f| f.stream == EncodedStream::Video || newest.saturating_sub(f.dts) <= max_queue);
    }
}

/// The taking end of a mailbox.
pub struct Reader {
    pub(super) mailbox: Arc<Mailbox>,
}

impl Reader {
    /// The next frame, if one waits.
    pub fn try_next(&self) -> Option<EncodedFrame> {
        self.mailbox.lock().queue.pop_front()
    }

    /// The next frame, or `None` when none came in time or the rendition has ended.
    pub fn next_within(&self, patience: Duration) -> Option<EncodedFrame> {
        let deadline = Instant::now() + patience;
        let mut state = self.mailbox.lock();
        loop {
            if let Some(frame) = state.queue.pop_front() {
                return Some(frame);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if state.ended || left.is_zero() {
                return None;
            }
            state = self
                .mailbox
                .arrived
                .wait_timeout(state, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    /// Media that waits, in milliseconds.
    pub fn queue_ms(&self) -> u32 {
        u32::try_from(self.mailbox.lock().span().mseconds()).unwrap_or(u32::MAX)
    }

    /// Video frames dropped because the queue was full.
    pub fn dropped_frames(&self) -> u32 {
        self.mailbox.lock().dropped_frames
    }

    /// The rendition has stopped; what waits can still be taken.
    pub fn ended(&self) -> bool {
        self.mailbox.lock().ended
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::rendition) fn frame(stream: EncodedStream, ms: u64, keyframe: bool) -> EncodedFrame {
        gst::init().expect("GStreamer is installed");
        EncodedFrame {
            stream,
            buffer: gst::Buffer::from_slice([0u8; 100]),
            caps: gst::Caps::new_empty_simple("video/x-h264"),
            pts: gst::ClockTime::from_mseconds(ms),
            dts: gst::ClockTime::from_mseconds(ms),
            duration: gst::ClockTime::from_mseconds(100),
            keyframe,
        }
    }

    fn reader(max_queue_ms: u64) -> Reader {
        let options = SubscribeOptions {
            aac: true,
            opus: false,
            max_queue: Duration::from_millis(max_queue_ms),
            wake: None,
        };
        Reader {
            mailbox: Arc::new(Mailbox::new(options)),
        }
    }

    fn post_video(reader: &Reader, from: u64, to: u64) {
        for n in from..to {
            reader
                .mailbox
                .post(&frame(EncodedStream::Video, n * 100, n % 10 == 0));
        }
    }

    #[test]
    fn a_full_queue_drops_to_a_keyframe_and_counts() {
        let sub = reader(1500);
        post_video(&sub, 0, 17);
        assert_eq!(sub.dropped_frames(), 10, "the first GOP went, and nothing else");
        let first = sub.try_next().expect("the second GOP waits");
        assert!(first.keyframe, "a decoder can begin with what is left");
        assert_eq!(first.pts.mseconds(), 1000);
    }

    #[test]
    fn a_gop_longer_than_the_queue_waits_for_the_next_keyframe() {
        let sub = reader(500);
        post_video(&sub, 0, 10);
        assert!(sub.try_next().is_none(), "no frame without its keyframe");
        post_video(&sub, 10, 11);
        assert!(sub.try_next().is_some_and(|f| f.keyframe));
        assert_eq!(sub.dropped_frames(), 10);
    }

    #[test]
    fn nothing_counts_as_dropped_before_the_first_keyframe() {
        let sub = reader(1500);
        post_video(&sub, 4, 11);
        assert_eq!(sub.dropped_frames(), 0);
        assert!(sub.try_next().is_some_and(|f| f.keyframe));
    }

    #[test]
    fn sound_stays_bounded_when_nobody_takes_it() {
        let sub = reader(1000);
        sub.mailbox.post(&frame(EncodedStream::Video, 0, true));
        for n in 0..200 {
            sub.mailbox.post(&frame(EncodedStream::Aac, n * 20, true));
        }
        assert!(sub.queue_ms() <= 1000, "{} ms wait", sub.queue_ms());
        assert_eq!(sub.dropped_frames(), 1, "sound is no frame");
    }

    #[test]
    fn sound_that_overtakes_the_first_picture_is_not_lost() {
        let sub = reader(1000);
        for n in 0..70 {
            sub.mailbox.post(&frame(EncodedStream::Aac, n * 20, true));
        }
        assert!(sub.try_next().is_none(), "nobody can begin with sound");
        sub.mailbox.post(&frame(EncodedStream::Video, 1300, true));
        sub.mailbox.post(&frame(EncodedStream::Aac, 1400, true));
        let got: Vec<_> = std::iter::from_fn(|| sub.try_next())
            .map(|f| (f.stream, f.pts.mseconds()))
            .collect();
        let sound = [1300, 1320, 1340, 1360, 1380, 1400].map(|ms| (EncodedStream::Aac, ms));
        let expected = [&[(EncodedStream::Video, 1300)], &sound[..]].concat();
        assert_eq!(got, expected);
    }

    #[test]
    fn early_sound_is_bounded() {
        let sub = reader(1000);
        for n in 0..200 {
            sub.mailbox.post(&frame(EncodedStream::Aac, n * 20, true));
        }
        sub.mailbox.post(&frame(EncodedStream::Video, 0, true));
        assert!(sub.queue_ms() <= 4000);
        let kept = std::iter::from_fn(|| sub.try_next()).count();
        assert_eq!(kept, 1 + 51, "the picture and a second of sound");
    }

    #[test]
    fn streams_that_nobody_asked_for_stay_out() {
        let sub = reader(1000);
        sub.mailbox.post(&frame(EncodedStream::Opus, 0, true));
        assert!(sub.try_next().is_none());
    }
}
