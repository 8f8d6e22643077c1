//! One encoded frame, and the form of H.264 that StreamCore wants.

use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};

/// Which of a rendition's streams a frame belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EncodedStream {
    /// H.264 in AVC form (ISO/IEC 14496-15: four bytes of length before each NAL unit).
    Video,
    /// AAC-LC, raw (no ADTS).
    Aac,
    /// Opus packets of 20 ms.
    Opus,
}

/// One encoded frame. Cloning it copies no media.
///
/// `pts`, `dts` are running time of the studio's clock, whatever the encoder itself counts.
#[derive(Debug, Clone)]
pub struct EncodedFrame {
    /// Which stream.
    pub stream: EncodedStream,
    /// The bytes; its own timestamps are running time too.
    pub buffer: gst::Buffer,
    /// Caps with `codec_data`.
    pub caps: gst::Caps,
    /// When it is shown or heard. AAC: the encoder's priming is taken off.
    pub pts: gst::ClockTime,
    /// When it is decoded.
    pub dts: gst::ClockTime,
    /// How long it lasts.
    pub duration: gst::ClockTime,
    /// A decoder can begin here. Always true for sound.
    pub keyframe: bool,
}

impl EncodedFrame {
    /// When it ends, running time.
    pub fn end(&self) -> gst::ClockTime {
        self.pts + self.duration
    }

    /// A buffer of the same bytes with its timestamps moved to `pts` and `dts`.
    pub(crate) fn retimed(&self, pts: gst::ClockTime, dts: gst::ClockTime) -> gst::Buffer {
        // A copy of the description; the memory is shared.
        let mut buffer = self.buffer.clone();
        let inner = buffer.make_mut();
        inner.set_pts(pts);
        inner.set_dts(dts);
        inner.set_duration(self.duration);
        buffer
    }
}

/// H.264 for StreamCore: one access unit in byte-stream form.
#[derive(Debug, Clone)]
pub struct EncodedVideo {
    /// NAL units behind start codes (ITU-T H.264, annex B); a keyframe carries its SPS and PPS.
    pub data: Bytes,
    /// Running time of the studio's clock.
    pub pts: Duration,
    /// A viewer can begin here.
    pub keyframe: bool,
}

/// One Opus packet for StreamCore.
#[derive(Debug, Clone)]
pub struct EncodedAudio {
    /// The packet (RFC 6716).
    pub data: Bytes,
    /// Running time of the studio's clock.
    pub pts: Duration,
    /// What it lasts: 20 ms.
    pub duration: Duration,
}

const START_CODE: &[u8] = &[0, 0, 0, 1];
const NAL_SPS: u8 = 7;

/// Parameter sets of an `avcC` record, behind start codes.
///
/// Layout: ISO/IEC 14496-15, 5.3.3.1.2. `None` when it is cut short.
pub(crate) fn parameter_sets(avcc: &[u8]) -> Option<Bytes> {
    let mut out = BytesMut::new();
    let mut rest = avcc.get(5..)?;
    for mask in [0x1f, 0xff] {
        let (&count, tail) = rest.split_first()?;
        rest = tail;
        for _ in 0..count & mask {
            let length = usize::from(u16::from_be_bytes([*rest.first()?, *rest.get(1)?]));
            out.put_slice(START_CODE);
            out.put_slice(rest.get(2..2 + length)?);
            rest = rest.get(2 + length..)?;
        }
    }
    Some(out.freeze())
}

/// An access unit in AVC form, rewritten with start codes; `parameter_sets` lead it when it is a keyframe that does
/// not carry its own. `None` when a length points outside.
pub(crate) fn annex_b(avc: &[u8], parameter_sets: Option<&[u8]>) -> Option<Bytes> {
    let mut units = Vec::with_capacity(4);
    let mut rest = avc;
    while !rest.is_empty() {
        let length = u32::from_be_bytes(*rest.first_chunk::<4>()?) as usize;
        let unit = rest.get(4..4 + length)?;
        if !unit.is_empty() {
            units.push(unit);
        }
        rest = &rest[4 + length..];
    }
    let carries_own = units.iter().any(|unit| unit[0] & 0x1f == NAL_SPS);
    let leading = parameter_sets.filter(|_| !carries_own).unwrap_or(&[]);
    let mut out = BytesMut::with_capacity(leading.len() + avc.len());
    out.put_slice(leading);
    for unit in units {
        out.put_slice(START_CODE);
        out.put_slice(unit);
    }
    Some(out.freeze())
}

#[cfg(test)]
mod tests {
    use super::*;

    const AVCC: &[u8] = &[1, 0x42, 0xc0, 0x1f, 0xff, 0xe1, 0, 2, 0x67, 9, 1, 0, 2, 0x68, 8];

    #[test]
    fn a_keyframe_carries_its_parameter_sets_once() {
        let sets = parameter_sets(AVCC).expect("the record is whole");
        assert_eq!(&sets[..], &[0, 0, 0, 1, 0x67, 9, 0, 0, 0, 1, 0x68, 8]);
        let bare = annex_b(&[0, 0, 0, 2, 0x65, 1], Some(&sets)).expect("the unit is whole");
        assert_eq!(
            &bare[..],
            &[0, 0, 0, 1, 0x67, 9, 0, 0, 0, 1, 0x68, 8, 0, 0, 0, 1, 0x65, 1]
        );
        let own = [0, 0, 0, 2, 0x67, 9, 0, 0, 0, 2, 0x65, 1];
        let whole = annex_b(&own, Some(&sets)).expect("the unit is whole");
        assert_eq!(&whole[..], &[0, 0, 0, 1, 0x67, 9, 0, 0, 0, 1, 0x65, 1]);
    }

    #[test]
    fn what_is_cut_short_is_refused() {
        assert!(annex_b(&[0, 0, 0, 9, 0x65], None).is_none());
        assert!(annex_b(&[0, 0], None).is_none());
        for end in 0..AVCC.len() {
            assert!(
                parameter_sets(&AVCC[..end]).is_none(),
                "{end} bytes are no record"
            );
        }
    }
}
