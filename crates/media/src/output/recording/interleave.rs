//! Puts picture and sound into one order of time, so that pause and split cut both at the same instant.

use std::collections::VecDeque;

use crate::rendition::{EncodedFrame, EncodedStream};

/// How long one stream waits for the other before it goes on alone.
const PATIENCE: gst::ClockTime = gst::ClockTime::from_seconds(1);

/// Merges two streams, each in order, by decoding time.
#[derive(Default)]
pub(super) struct Interleaver {
    video: VecDeque<EncodedFrame>,
    audio: VecDeque<EncodedFrame>,
}

impl Interleaver {
    pub fn push(&mut self, frame: EncodedFrame) {
        match frame.stream {
            EncodedStream::Video => self.video.push_back(frame),
            EncodedStream::Aac => self.audio.push_back(frame),
            EncodedStream::Opus => {}
        }
    }

    /// The next frame in order, once it is known that no earlier one can follow.
    pub fn pop(&mut self) -> Option<EncodedFrame> {
        match (self.video.front(), self.audio.front()) {
            (Some(v), Some(a)) if v.dts <= a.dts => self.video.pop_front(),
            (Some(_), Some(_)) => self.audio.pop_front(),
            _ if long(&self.video) => self.video.pop_front(),
            _ if long(&self.audio) => self.audio.pop_front(),
            _ => None,
        }
    }

    /// The next frame in order of those that are here: nothing follows.
    pub fn pop_last(&mut self) -> Option<EncodedFrame> {
        self.pop()
            .or_else(|| self.video.pop_front())
            .or_else(|| self.audio.pop_front())
    }
}

fn long(queue: &VecDeque<EncodedFrame>) -> bool {
    match (queue.front(), queue.back()) {
        (Some(first), Some(last)) => last.dts.saturating_sub(first.dts) > PATIENCE,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(stream: EncodedStream, ms: u64) -> EncodedFrame {
        gst::init().expect("GStreamer is installed");
        let at = gst::ClockTime::from_mseconds(ms);
        EncodedFrame {
            stream,
            buffer: gst::Buffer::new(),
            caps: gst::Caps::new_empty_simple("video/x-h264"),
            pts: at,
            dts: at,
            duration: gst::ClockTime::from_mseconds(33),
            keyframe: true,
        }
    }

    fn order(interleaver: &mut Interleaver) -> Vec<u64> {
        std::iter::from_fn(|| interleaver.pop())
            .map(|f| f.dts.mseconds())
            .collect()
    }

    #[test]
    fn a_stream_waits_for_the_other_and_both_come_in_order() {
        let mut interleaver = Interleaver::default();
        for ms in [0, 33, 66] {
            interleaver.push(frame(EncodedStream::Video, ms));
        }
        assert!(
            order(&mut interleaver).is_empty(),
            "sound of before may still come"
        );
        for ms in [10, 31, 52] {
            interleaver.push(frame(EncodedStream::Aac, ms));
        }
        assert_eq!(order(&mut interleaver), [0, 10, 31, 33, 52]);
        assert_eq!(interleaver.pop_last().map(|f| f.dts.mseconds()), Some(66));
        assert!(interleaver.pop_last().is_none());
    }

    #[test]
    fn a_stream_that_stays_away_holds_nothing_up_for_long() {
        let mut interleaver = Interleaver::default();
        for n in 0..40 {
            interleaver.push(frame(EncodedStream::Video, n * 33));
        }
        let out = order(&mut interleaver);
        assert!(
            !out.is_empty() && out.len() < 15,
            "one second waits, the rest goes on: {out:?}"
        );
    }
}
