//! The running time of a medium that is played round and round.
//!
//! A SEGMENT seek loops without a stop, but demuxers count the new turn from the start of the last sample, so sound
//! overlaps by a packet and the picture slips. Here every turn's base is rewritten to what it must be: the length
//! of the medium times the turns played.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use gst::{ClockTime, prelude::*};

/// The sound's own end may differ from the medium's length by this much and still be where the next turn begins.
const SEAM: u64 = 100_000_000;

/// Length and start of what is looped; written by the player before each seek that flushes.
#[derive(Debug, Default)]
pub(crate) struct Loop {
    /// What the container says, until the sound has shown where it really ends.
    pub(crate) length_ns: AtomicU64,
    /// Place in the medium at which the first turn began.
    pub(crate) from_ns: AtomicU64,
}

impl Loop {
    /// The sound ended at `end`: an ear hears a hole of ten milliseconds, an eye no picture held for as long.
    fn heard(&self, end: ClockTime) {
        let length = self.length_ns.load(Ordering::Acquire);
        if end.nseconds() != length && end.nseconds().abs_diff(length) < SEAM {
            self.length_ns.store(end.nseconds(), Ordering::Release);
        }
    }

    /// Running time at which turn `lap` begins, counted from the last flush.
    fn base(&self, lap: u64) -> ClockTime {
        let length = self.length_ns.load(Ordering::Acquire);
        let from = self.from_ns.load(Ordering::Acquire);
        ClockTime::from_nseconds(match lap {
            0 => 0,
            lap => (lap * length).saturating_sub(from),
        })
    }
}

/// Counts the turns of one stream by the seeks that its segments come from.
#[derive(Debug, Default)]
struct Laps {
    lap: u64,
    seqnum: Option<gst::Seqnum>,
}

impl Laps {
    fn flushed(&mut self) {
        *self = Self::default();
    }

    fn segment(&mut self, seqnum: gst::Seqnum) -> u64 {
        match self.seqnum {
            Some(known) if known != seqnum => self.lap += 1,
            _ => {}
        }
        self.seqnum = Some(seqnum);
        self.lap
    }
}

/// Watches one decoded stream: rewrites the base of each turn, and tells where each turn really ended.
pub(crate) fn watch(
    pad: &gst::Pad,
    sound: bool,
    looping: Arc<Loop>,
    on_end: impl Fn(ClockTime) + Send + 'static,
) {
    let mut laps = Laps::default();
    let mut segment = gst::FormattedSegment::<ClockTime>::new();
    let mut end = ClockTime::ZERO;
    let kinds =
        gst::PadProbeType::EVENT_DOWNSTREAM | gst::PadProbeType::EVENT_FLUSH | gst::PadProbeType::BUFFER;
    let state = std::sync::Mutex::new(move |info: &mut gst::PadProbeInfo| {
        let event = match &info.data {
            Some(gst::PadProbeData::Buffer(buffer)) => {
                if let Some(pts) = buffer.pts()
                    && let Some(place) = segment.to_stream_time(pts)
                {
                    end = end.max(place + buffer.duration().unwrap_or(ClockTime::ZERO));
                }
                return;
            }
            Some(gst::PadProbeData::Event(event)) => event.clone(),
            _ => return,
        };
        match event.view() {
            gst::EventView::FlushStop(_) => {
                laps.flushed();
                end = ClockTime::ZERO;
            }
            gst::EventView::Segment(message) => {
                let Some(time) = message.segment().downcast_ref::<ClockTime>() else {
                    return;
                };
                segment = time.clone();
                let lap = laps.segment(event.seqnum());
                if lap > 0 {
                    segment.set_base(looping.base(lap));
                    let rewritten = gst::event::Segment::builder(&segment)
                        .seqnum(event.seqnum())
                        .build();
                    info.data = Some(gst::PadProbeData::Event(rewritten));
                }
            }
            gst::EventView::SegmentDone(_) | gst::EventView::Eos(_) => {
                if sound {
                    looping.heard(end);
                }
                on_end(end);
                end = ClockTime::ZERO;
            }
            _ => {}
        }
    });
    pad.add_probe(kinds, move |_, info| {
        // One streaming thread at a time; the lock is never waited for.
        if let Ok(mut state) = state.lock() {
            state(info);
        }
        gst::PadProbeReturn::Ok
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_follow_each_other_without_a_gap_wherever_the_first_began() {
        let looping = Loop::default();
        looping.length_ns.store(10_000, Ordering::Relaxed);
        let bases = |looping: &Loop| (0..4).map(|lap| looping.base(lap).nseconds()).collect::<Vec<_>>();
        assert_eq!(bases(&looping), [0, 10_000, 20_000, 30_000]);
        looping.from_ns.store(4_000, Ordering::Relaxed);
        assert_eq!(
            bases(&looping),
            [0, 6_000, 16_000, 26_000],
            "the first turn is shorter"
        );
    }

    #[test]
    fn the_sounds_own_end_is_the_seam_unless_it_is_far_from_the_mediums() {
        let looping = Loop::default();
        looping.length_ns.store(2_016_000_000, Ordering::Relaxed);
        looping.heard(ClockTime::from_mseconds(2000));
        assert_eq!(looping.base(2).mseconds(), 4000);
        looping.heard(ClockTime::from_mseconds(1000));
        assert_eq!(
            looping.base(2).mseconds(),
            4000,
            "sound that ends early leaves the picture its time"
        );
    }

    #[test]
    fn a_segment_that_is_sent_again_is_no_new_turn() {
        gst::init().expect("GStreamer is installed");
        let (one, two, three) = (gst::Seqnum::next(), gst::Seqnum::next(), gst::Seqnum::next());
        let mut laps = Laps::default();
        assert_eq!((laps.segment(one), laps.segment(one)), (0, 0));
        assert_eq!((laps.segment(two), laps.segment(two)), (1, 1));
        laps.flushed();
        assert_eq!(laps.segment(three), 0, "after a flush the count starts anew");
    }
}
