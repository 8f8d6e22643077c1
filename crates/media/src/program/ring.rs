//! Interleaved stereo samples on the studio's time line, as they come in.

/// Frames that fit: 5.4 s, so that a source may send its sound up to a sync offset of 2 s ahead.
const CAPACITY: usize = 1 << 18;
/// Timestamps that differ from the sample count by less are jitter; more is a gap or a jump.
const TOLERANCE: u64 = 480;

/// A ring of stereo frames, each with its number since the studio started (48 000 a second).
#[derive(Debug)]
pub(crate) struct Ring {
    data: Box<[f32]>,
    start: u64,
    end: u64,
}

impl Default for Ring {
    fn default() -> Self {
        Self {
            data: vec![0.0; CAPACITY * 2].into_boxed_slice(),
            start: 0,
            end: 0,
        }
    }
}

impl Ring {
    /// One past the last frame.
    pub fn end(&self) -> u64 {
        self.end
    }

    pub fn clear(&mut self) {
        self.start = self.end;
    }

    /// Adds interleaved little-endian F32 frames that begin at frame `at`.
    pub fn write(&mut self, at: u64, bytes: &[u8]) {
        let frames = (bytes.len() / 8).min(CAPACITY);
        if self.start == self.end || at.abs_diff(self.end) > TOLERANCE {
            if self.start < self.end && at > self.end && at < self.start + CAPACITY as u64 {
                for missing in self.end..at {
                    *self.frame(missing) = [0.0; 2];
                }
            } else if self.start < self.end && at > self.start && at < self.end {
                // The source jumped back: what it says now counts.
            } else {
                self.start = at;
            }
            self.end = at;
        }
        let end = self.end;
        for (number, frame) in (end..).zip(bytes.chunks_exact(8).take(frames)) {
            let value = |i| {
                let value = f32::from_le_bytes([frame[i], frame[i + 1], frame[i + 2], frame[i + 3]]);
                // One NaN would stay in every filter behind for ever.
                if value.is_finite() { value } else { 0.0 }
            };
            *self.frame(number) = [value(0), value(4)];
        }
        self.end += frames as u64;
        self.start = self.start.max(self.end.saturating_sub(CAPACITY as u64));
    }

    /// Copies frames from `at` on into `to` (interleaved), silence where there are none; what lies before is gone.
    pub fn read(&mut self, at: u64, to: &mut [f32]) {
        for (number, frame) in (at..).zip(to.chunks_exact_mut(2)) {
            let known = (self.start..self.end).contains(&number);
            frame.copy_from_slice(if known { self.frame(number) } else { &[0.0; 2] });
        }
        let read = at + to.len() as u64 / 2;
        self.start = self.start.max(read.min(self.end));
    }

    fn frame(&mut self, number: u64) -> &mut [f32; 2] {
        let index = (number as usize % CAPACITY) * 2;
        (&mut self.data[index..index + 2])
            .try_into()
            .expect("the slice has two elements")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(values: impl IntoIterator<Item = f32>) -> Vec<u8> {
        values
            .into_iter()
            .flat_map(|v| [v, -v])
            .flat_map(f32::to_le_bytes)
            .collect()
    }

    fn read(ring: &mut Ring, at: u64, frames: usize) -> Vec<f32> {
        let mut to = vec![9.0; frames * 2];
        ring.read(at, &mut to);
        to.chunks_exact(2)
            .map(|frame| {
                assert_eq!(frame[0], -frame[1], "left and right belong together");
                frame[0]
            })
            .collect()
    }

    #[test]
    fn what_goes_in_comes_out_at_its_time_with_silence_around() {
        let mut ring = Ring::default();
        ring.write(1000, &bytes([1.0, 2.0, 3.0]));
        assert_eq!(read(&mut ring, 998, 6), [0.0, 0.0, 1.0, 2.0, 3.0, 0.0]);
        assert_eq!(read(&mut ring, 1000, 3), [0.0; 3], "read once");
    }

    #[test]
    fn jitter_is_smoothed_and_a_gap_is_silence() {
        let mut ring = Ring::default();
        ring.write(1000, &bytes([1.0; 100]));
        ring.write(1103, &bytes([2.0; 100]));
        assert_eq!(
            read(&mut ring, 1099, 2),
            [1.0, 2.0],
            "three frames of jitter are none"
        );
        ring.write(2000, &bytes([3.0; 10]));
        assert_eq!(read(&mut ring, 1999, 2), [0.0, 3.0]);
        assert_eq!(ring.end(), 2010);
    }

    #[test]
    fn a_jump_back_replaces_and_a_jump_far_ahead_starts_anew() {
        let mut ring = Ring::default();
        ring.write(10_000, &bytes((0..2000).map(|_| 1.0)));
        ring.write(11_000, &bytes([2.0; 10]));
        assert_eq!(ring.end(), 11_010, "the future is what was said last");
        assert_eq!(read(&mut ring, 10_999, 3), [1.0, 2.0, 2.0]);
        ring.write(10_000_000, &bytes([5.0; 2]));
        assert_eq!(read(&mut ring, 10_000_000, 2), [5.0, 5.0]);
    }

    #[test]
    fn never_a_number_that_is_none() {
        let mut ring = Ring::default();
        ring.write(0, &[f32::NAN.to_le_bytes(), f32::INFINITY.to_le_bytes()].concat());
        let mut to = [1.0; 2];
        ring.read(0, &mut to);
        assert_eq!(to, [0.0; 2]);
    }

    #[test]
    fn more_than_fits_keeps_the_newest() {
        let mut ring = Ring::default();
        for second in 0..7u64 {
            ring.write(second * 48_000, &bytes((0..48_000).map(|_| second as f32)));
        }
        assert_eq!(read(&mut ring, 6 * 48_000 + 47_999, 1), [6.0]);
    }
}
