//! Hands every encoded frame to everybody who carries the rendition.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::frame::{EncodedFrame, EncodedStream};
use super::mailbox::{Mailbox, Reader, SubscribeOptions};

/// Longest stretch that is kept for newcomers. Two GOPs: a forced keyframe restarts the count of the encoder.
const CACHE_TIME: gst::ClockTime = gst::ClockTime::from_seconds(4);
/// Most bytes that are kept for newcomers, whatever the rate.
const CACHE_BYTES: usize = 8 * 1024 * 1024;

/// Fan-out of one rendition.
///
/// Lock order: the hub's state, then a mailbox's. Neither is ever held while waiting for anything.
#[derive(Default)]
pub(crate) struct EncodedHub {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// All streams since the last keyframe, in order of arrival: that keyframe first. Without one only sound, which may
    /// belong to a picture that is still being encoded.
    cache: VecDeque<EncodedFrame>,
    cache_bytes: usize,
    mailboxes: Vec<Arc<Mailbox>>,
    taps: Vec<Arc<TapSlot>>,
    ended: bool,
}

/// What a tap calls, on an encoder's thread.
pub(super) type TapCall = Box<dyn FnMut(&EncodedFrame) + Send>;

pub(super) struct TapSlot(Mutex<TapCall>);

impl TapSlot {
    fn call(&self, frame: &EncodedFrame) {
        (self.0.lock().unwrap_or_else(PoisonError::into_inner))(frame);
    }
}

impl EncodedHub {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a frame from an encoder and hands it on. Never waits for anybody.
    pub(super) fn publish(&self, frame: EncodedFrame) {
        let mut state = self.lock();
        state.keep(&frame);
        for mailbox in &state.mailboxes {
            mailbox.post(&frame);
        }
        for tap in &state.taps {
            tap.call(&frame);
        }
    }

    pub(crate) fn subscribe(self: &Arc<Self>, options: SubscribeOptions) -> Subscription {
        let mailbox = Arc::new(Mailbox::new(options));
        let mut state = self.lock();
        for frame in &state.cache {
            mailbox.post(frame);
        }
        if state.ended {
            mailbox.end();
        }
        state.mailboxes.push(mailbox.clone());
        Subscription {
            reader: Reader { mailbox },
            hub: self.clone(),
        }
    }

    pub(super) fn tap(self: &Arc<Self>, from_cache: bool, mut call: TapCall) -> Tap {
        let mut state = self.lock();
        if from_cache {
            state.cache.iter().for_each(&mut call);
        }
        let slot = Arc::new(TapSlot(Mutex::new(call)));
        state.taps.push(slot.clone());
        Tap {
            slot,
            hub: self.clone(),
        }
    }

    pub(super) fn end(&self) {
        let mut state = self.lock();
        state.ended = true;
        for mailbox in &state.mailboxes {
            mailbox.end();
        }
    }
}

impl State {
    fn keep(&mut self, frame: &EncodedFrame) {
        if frame.stream == EncodedStream::Video && frame.keyframe {
            // Sound may be ahead of the picture: what belongs to the new GOP stays.
            self.cache
                .retain(|f| f.stream != EncodedStream::Video && f.pts >= frame.pts);
            self.cache_bytes = self.cache.iter().map(|f| f.buffer.size()).sum();
            self.cache.push_front(frame.clone());
            self.cache_bytes += frame.buffer.size();
            return;
        }
        let over = |begins: gst::ClockTime| frame.pts.saturating_sub(begins) > CACHE_TIME;
        match self.cache.front() {
            Some(first) if first.stream == EncodedStream::Video => {
                let begins = first.pts;
                if frame.pts < begins {
                    return;
                }
                self.add(frame);
                if over(begins) || self.cache_bytes > CACHE_BYTES {
                    self.cache.clear();
                    self.cache_bytes = 0;
                }
            }
            _ if frame.stream == EncodedStream::Video => {}
            _ => {
                self.add(frame);
                while let Some(oldest) = self.cache.pop_front_if(|oldest| over(oldest.pts)) {
                    self.cache_bytes -= oldest.buffer.size();
                }
            }
        }
    }

    fn add(&mut self, frame: &EncodedFrame) {
        self.cache_bytes += frame.buffer.size();
        self.cache.push_back(frame.clone());
    }
}

/// One subscriber's share of a rendition. Dropping it ends it.
pub struct Subscription {
    reader: Reader,
    hub: Arc<EncodedHub>,
}

impl std::ops::Deref for Subscription {
    type Target = Reader;
    fn deref(&self) -> &Reader {
        &self.reader
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let mut state = self.hub.lock();
        state
            .mailboxes
            .retain(|mailbox| !Arc::ptr_eq(mailbox, &self.reader.mailbox));
    }
}

/// A callback on a rendition's frames. Dropping it takes it off; after that it is not called any more.
#[must_use]
pub struct Tap {
    slot: Arc<TapSlot>,
    hub: Arc<EncodedHub>,
}

impl Drop for Tap {
    fn drop(&mut self) {
        self.hub.lock().taps.retain(|slot| !Arc::ptr_eq(slot, &self.slot));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::mailbox::tests::frame;
    use super::*;

    fn options() -> SubscribeOptions {
        SubscribeOptions {
            aac: true,
            opus: false,
            max_queue: Duration::from_secs(10),
            wake: None,
        }
    }

    #[test]
    fn a_newcomer_starts_with_the_last_keyframe_and_the_sound_from_there() {
        let hub = Arc::new(EncodedHub::default());
        hub.publish(frame(EncodedStream::Video, 0, true));
        hub.publish(frame(EncodedStream::Aac, 0, true));
        hub.publish(frame(EncodedStream::Video, 100, false));
        // Sound of the next GOP, ahead of its picture.
        hub.publish(frame(EncodedStream::Aac, 210, true));
        hub.publish(frame(EncodedStream::Video, 200, true));
        hub.publish(frame(EncodedStream::Aac, 190, true));
        hub.publish(frame(EncodedStream::Video, 300, false));
        let sub = hub.subscribe(options());
        let got: Vec<_> = std::iter::from_fn(|| sub.try_next())
            .map(|f| (f.stream, f.pts.mseconds()))
            .collect();
        let expected = [
            (EncodedStream::Video, 200),
            (EncodedStream::Aac, 210),
            (EncodedStream::Video, 300),
        ];
        assert_eq!(got, expected);
    }

    #[test]
    fn the_cache_is_bounded_and_a_newcomer_then_waits_for_a_keyframe() {
        let hub = Arc::new(EncodedHub::default());
        hub.publish(frame(EncodedStream::Video, 0, true));
        for n in 1..60 {
            hub.publish(frame(EncodedStream::Video, n * 100, false));
        }
        let sub = hub.subscribe(options());
        assert!(sub.try_next().is_none(), "a GOP over four seconds is not kept");
        hub.publish(frame(EncodedStream::Video, 6000, false));
        assert!(sub.try_next().is_none(), "and a delta frame is of no use alone");
        hub.publish(frame(EncodedStream::Video, 6100, true));
        assert!(sub.try_next().is_some());
    }

    #[test]
    fn sound_of_the_very_first_picture_is_kept_for_newcomers() {
        let hub = Arc::new(EncodedHub::default());
        for n in 0..300 {
            hub.publish(frame(EncodedStream::Aac, n * 20, true));
        }
        assert!(hub.lock().cache.len() <= 201, "four seconds at most");
        hub.publish(frame(EncodedStream::Video, 5900, true));
        let sub = hub.subscribe(options());
        let got: Vec<_> = std::iter::from_fn(|| sub.try_next())
            .map(|f| (f.stream, f.pts.mseconds()))
            .collect();
        let sound = [5900, 5920, 5940, 5960, 5980].map(|ms| (EncodedStream::Aac, ms));
        assert_eq!(got, [&[(EncodedStream::Video, 5900)], &sound[..]].concat());
    }

    #[test]
    fn whoever_leaves_is_forgotten() {
        let hub = Arc::new(EncodedHub::default());
        let sub = hub.subscribe(options());
        let tap = hub.tap(false, Box::new(|_| {}));
        drop(sub);
        drop(tap);
        let state = hub.lock();
        assert!(state.mailboxes.is_empty() && state.taps.is_empty());
    }
}
