//! H.264 in RTP (RFC 6184, packetization-mode 1): access units into payloads, and what a payload holds.

use std::sync::Arc;

/// Bytes of RTP payload at most. With header, extensions and the SRTP tag the datagram stays under 1200, which
/// passes every tunnel.
pub(crate) const MAX_PAYLOAD: usize = 1120;

const NAL_IDR: u8 = 5;
const NAL_SEI: u8 = 6;
const NAL_SPS: u8 = 7;
const NAL_PPS: u8 = 8;
const NAL_AUD: u8 = 9;
const STAP_A: u8 = 24;
const FU_A: u8 = 28;

/// The NAL units of an Annex B byte stream (ITU-T H.264, B.1), without start codes.
pub(crate) fn nal_units(data: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut at = start_code(data, 0).map(|(_, end)| end);
    std::iter::from_fn(move || {
        let begin = at?;
        let end = match start_code(data, begin) {
            Some((start, next)) => {
                at = Some(next);
                start
            }
            None => {
                at = None;
                data.len()
            }
        };
        data.get(begin..end)
    })
    .filter(|nal| !nal.is_empty())
}

/// The next start code at or after `from`: where it begins (its leading zero included) and where it ends.
fn start_code(data: &[u8], from: usize) -> Option<(usize, usize)> {
    let mut i = from;
    while i + 3 <= data.len() {
        if data[i + 2] > 1 {
            i += 3;
        } else if data[i] == 0 && data[i + 1] == 0 && data[i + 2] == 1 {
            // trailing_zero_8bits and the four-byte form belong to no NAL unit.
            let mut start = i;
            while start > from && data[start - 1] == 0 {
                start -= 1;
            }
            return Some((start, i + 3));
        } else {
            i += 1;
        }
    }
    None
}

/// Cuts one access unit into RTP payloads; the last one takes the marker.
///
/// Delimiters and SEI are dropped (no viewer needs them), parameter sets go first as one STAP-A, slices become
/// FU-As of one size, so that a frame leaves in few segmented sends.
pub(crate) fn payloads(access_unit: &[u8]) -> Vec<Arc<[u8]>> {
    let mut parameter_sets: Vec<&[u8]> = Vec::new();
    let mut slices: Vec<&[u8]> = Vec::new();
    for nal in nal_units(access_unit) {
        match nal[0] & 0x1f {
            NAL_AUD | NAL_SEI => {}
            NAL_SPS | NAL_PPS => parameter_sets.push(nal),
            _ => slices.push(nal),
        }
    }
    let mut out = Vec::with_capacity(access_unit.len() / MAX_PAYLOAD + 2);
    push_parameter_sets(&mut out, &parameter_sets);
    for nal in slices {
        push_slice(&mut out, nal);
    }
    out
}

fn push_parameter_sets(out: &mut Vec<Arc<[u8]>>, sets: &[&[u8]]) {
    let size = 1 + sets.iter().map(|nal| nal.len() + 2).sum::<usize>();
    if sets.len() < 2 || size > MAX_PAYLOAD {
        for nal in sets {
            push_slice(out, nal);
        }
        return;
    }
    let mut stap = Vec::with_capacity(size);
    // RFC 6184 section 5.7: NRI is the highest of those carried.
    stap.push(STAP_A | sets.iter().map(|nal| nal[0] & 0x60).max().unwrap_or(0));
    for nal in sets {
        // Each fits in 16 bits: the sum is under MAX_PAYLOAD.
        stap.extend_from_slice(&(nal.len() as u16).to_be_bytes());
        stap.extend_from_slice(nal);
    }
    out.push(stap.into());
}

fn push_slice(out: &mut Vec<Arc<[u8]>>, nal: &[u8]) {
    if nal.len() <= MAX_PAYLOAD {
        out.push(nal.into());
        return;
    }
    let (header, body) = (nal[0], &nal[1..]);
    let pieces = body.len().div_ceil(MAX_PAYLOAD - 2);
    // Even pieces instead of full ones and a rest: no last packet of a few bytes.
    let size = body.len().div_ceil(pieces);
    let count = body.len().div_ceil(size);
    for (index, piece) in body.chunks(size).enumerate() {
        let start = if index == 0 { 0x80 } else { 0 };
        let end = if index + 1 == count { 0x40 } else { 0 };
        let mut fragment = Vec::with_capacity(piece.len() + 2);
        fragment.push((header & 0xe0) | FU_A);
        fragment.push(start | end | (header & 0x1f));
        fragment.extend_from_slice(piece);
        out.push(fragment.into());
    }
}

/// What a viewer could begin with, found in one RTP payload.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Contents {
    /// A sequence parameter set.
    pub sps: bool,
    /// The beginning of an IDR picture.
    pub idr: bool,
}

impl Contents {
    /// Reads a payload that came from the network: nothing in it is trusted.
    pub fn of(payload: &[u8]) -> Self {
        let mut found = Self::default();
        let Some(&first) = payload.first() else {
            return found;
        };
        match first & 0x1f {
            STAP_A => {
                let mut rest = &payload[1..];
                while let [a, b, tail @ ..] = rest {
                    let size = usize::from(u16::from_be_bytes([*a, *b]));
                    let Some(nal) = tail.get(..size) else { break };
                    found.note(nal);
                    rest = &tail[size..];
                }
            }
            FU_A => {
                if let Some(&header) = payload.get(1)
                    && header & 0x80 != 0
                {
                    found.note(&[header & 0x1f]);
                }
            }
            _ => found.note(payload),
        }
        found
    }

    fn note(&mut self, nal: &[u8]) {
        match nal.first().map(|b| b & 0x1f) {
            Some(NAL_SPS) => self.sps = true,
            Some(NAL_IDR) => self.idr = true,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(nals: &[&[u8]]) -> Vec<u8> {
        let mut out = Vec::new();
        for (i, nal) in nals.iter().enumerate() {
            out.extend_from_slice(if i % 2 == 0 { &[0, 0, 0, 1] } else { &[0, 0, 1] });
            out.extend_from_slice(nal);
        }
        out
    }

    /// Puts payloads together again as a receiver does (RFC 6184 section 5.6 to 5.8).
    fn reassemble(payloads: &[Arc<[u8]>]) -> Vec<Vec<u8>> {
        let mut nals: Vec<Vec<u8>> = Vec::new();
        for payload in payloads {
            match payload[0] & 0x1f {
                STAP_A => {
                    let mut rest = &payload[1..];
                    while rest.len() > 2 {
                        let size = usize::from(u16::from_be_bytes([rest[0], rest[1]]));
                        nals.push(rest[2..2 + size].to_vec());
                        rest = &rest[2 + size..];
                    }
                }
                FU_A => {
                    if payload[1] & 0x80 != 0 {
                        nals.push(vec![(payload[0] & 0xe0) | (payload[1] & 0x1f)]);
                    }
                    nals.last_mut()
                        .expect("a fragment has a beginning")
                        .extend_from_slice(&payload[2..]);
                }
                _ => nals.push(payload.to_vec()),
            }
        }
        nals
    }

    #[test]
    fn both_start_codes_and_trailing_zeros_are_understood() {
        let data = [
            0, 0, 0, 1, 0x67, 1, 2, 0, 0, 0, 0, 1, 0x68, 3, 0, 0, 1, 0x65, 9, 9,
        ];
        let nals: Vec<&[u8]> = nal_units(&data).collect();
        assert_eq!(nals, [&[0x67, 1, 2][..], &[0x68, 3], &[0x65, 9, 9]]);
    }

    #[test]
    fn a_keyframe_comes_out_as_it_went_in_without_delimiter_and_sei() {
        let idr: Vec<u8> = std::iter::once(0x65)
            .chain((0..5000u32).map(|n| (n % 251 + 2) as u8))
            .collect();
        let out = payloads(&unit(&[
            &[9, 0xf0],
            &[0x67, 66, 1],
            &[0x68, 5],
            &[6, 5, 4, 3],
            &idr,
        ]));
        assert_eq!(reassemble(&out), vec![vec![0x67, 66, 1], vec![0x68, 5], idr]);
        assert!(Contents::of(&out[0]).sps, "parameter sets come first");
        assert!(Contents::of(&out[1]).idr, "then the picture");
    }

    #[test]
    fn fragments_of_a_slice_have_one_size_but_the_last() {
        let slice = vec![0x61; 40_000];
        let out = payloads(&unit(&[&slice]));
        assert!(out.len() > 30);
        let size = out[0].len();
        assert!(size <= MAX_PAYLOAD);
        assert!(
            out[..out.len() - 1].iter().all(|p| p.len() == size),
            "equal sizes leave in one send"
        );
        assert!(out[out.len() - 1].len() <= size);
    }

    #[test]
    fn nothing_in_gives_nothing_out() {
        assert!(payloads(&[]).is_empty());
        assert!(payloads(&[0, 0, 1]).is_empty());
        assert!(payloads(&[1, 2, 3]).is_empty(), "no start code, no NAL unit");
    }

    #[test]
    fn hostile_payloads_are_read_without_harm() {
        for payload in [
            &[][..],
            &[STAP_A],
            &[STAP_A, 0xff, 0xff, 1],
            &[FU_A],
            &[STAP_A, 0, 0, 0, 0],
        ] {
            assert_eq!(Contents::of(payload), Contents::default(), "{payload:?}");
        }
        // Every short payload, so that no length is forgotten.
        for a in 0..=255u8 {
            for b in [0, 1, 5, 0x85, 0xff] {
                Contents::of(&[a, b]);
                Contents::of(&[a, b, b]);
            }
        }
    }
}
