//! A peak limiter that looks ahead: no sample over the ceiling, no change below it, no allocation.
//!
//! The gain that each sample needs is held over the look-ahead, released slowly, and averaged over the look-ahead:
//! so it has arrived, without a step, when the delayed sample comes.

/// Frames by which the output is later than the input: 5 ms at 48 kHz.
pub(crate) const LOOK_AHEAD: usize = 240;
const WINDOW: usize = LOOK_AHEAD + 1;
/// Share of the way back to 1 that the gain goes each frame: 100 ms to 63 %.
const RELEASE: f32 = 1.0 / 4800.0;
/// Nearer to 1 than this (a hundredth of a dB) is 1: the steps would become too small for the number.
const RELEASED: f32 = 0.999;

/// Limits interleaved stereo at 48 kHz; both channels alike, so that the image does not move.
#[derive(Debug)]
pub(crate) struct Limiter {
    ceiling: f32,
    delayed: [[f32; 2]; LOOK_AHEAD],
    at: usize,
    /// Least gains of the window, ascending in both: (number of frame, gain).
    least: [(u64, f32); WINDOW],
    first: usize,
    count: usize,
    frame: u64,
    envelope: f32,
    gains: [f32; LOOK_AHEAD],
    /// Sum of `gains`, and how many of them are not 1.
    sum: f64,
    active: usize,
}

impl Limiter {
    /// `ceiling` as amplitude, over 0.
    pub fn new(ceiling: f32) -> Self {
        Self {
            ceiling,
            delayed: [[0.0; 2]; LOOK_AHEAD],
            at: 0,
            least: [(0, 1.0); WINDOW],
            first: 0,
            count: 0,
            frame: 0,
            envelope: 1.0,
            gains: [1.0; LOOK_AHEAD],
            sum: LOOK_AHEAD as f64,
            active: 0,
        }
    }

    /// Takes frames in and gives those of [`LOOK_AHEAD`] frames ago in their place.
    pub fn process(&mut self, samples: &mut [f32]) {
        let loudest = samples.iter().fold(0f32, |most, sample| most.max(sample.abs()));
        if loudest <= self.ceiling && self.idle() {
            // Nearly always: nothing to do but to be late.
            for frame in samples.chunks_exact_mut(2) {
                let delayed = std::mem::replace(&mut self.delayed[self.at], [frame[0], frame[1]]);
                self.at = (self.at + 1) % LOOK_AHEAD;
                frame.copy_from_slice(&delayed);
            }
            return;
        }
        for frame in samples.chunks_exact_mut(2) {
            let gain = self.gain([frame[0], frame[1]]);
            let delayed = std::mem::replace(&mut self.delayed[self.at], [frame[0], frame[1]]);
            self.at = (self.at + 1) % LOOK_AHEAD;
            for (out, delayed) in frame.iter_mut().zip(delayed) {
                // The clamp only takes rounding.
                *out = (delayed * gain).clamp(-self.ceiling, self.ceiling);
            }
        }
    }

    /// The gain is 1, and nothing in sight will change it.
    fn idle(&self) -> bool {
        self.active == 0
            && self.envelope == 1.0
            && (0..self.count).all(|i| self.least[(self.first + i) % WINDOW].1 == 1.0)
    }

    fn gain(&mut self, input: [f32; 2]) -> f32 {
        let peak = input[0].abs().max(input[1].abs());
        let wanted = if peak > self.ceiling {
            self.ceiling / peak
        } else {
            1.0
        };

        while self.count > 0 && self.least[(self.first + self.count - 1) % WINDOW].1 >= wanted {
            self.count -= 1;
        }
        if self.count > 0 && self.least[self.first].0 + WINDOW as u64 <= self.frame {
            self.first = (self.first + 1) % WINDOW;
            self.count -= 1;
        }
        self.least[(self.first + self.count) % WINDOW] = (self.frame, wanted);
        self.count += 1;
        self.frame += 1;
        let held = self.least[self.first].1;

        let released = self.envelope + (1.0 - self.envelope) * RELEASE;
        self.envelope = held.min(if released > RELEASED { 1.0 } else { released });

        let oldest = std::mem::replace(&mut self.gains[self.at], self.envelope);
        self.active = self.active + usize::from(self.envelope != 1.0) - usize::from(oldest != 1.0);
        self.sum += f64::from(self.envelope) - f64::from(oldest);
        if self.active == 0 {
            // Rounding must not stay behind.
            self.sum = LOOK_AHEAD as f64;
        }
        (self.sum / LOOK_AHEAD as f64) as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CEILING: f32 = 0.891_250_9;

    fn stereo(mono: impl Iterator<Item = f32>) -> Vec<f32> {
        mono.flat_map(|v| [v, -v * 0.5]).collect()
    }

    fn noise(seed: &mut u32) -> f32 {
        *seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (*seed >> 8) as f32 / (1 << 23) as f32 - 1.0
    }

    #[test]
    fn nothing_passes_the_ceiling() {
        let mut seed = 7;
        // Loudness that jumps between silence and 24 dB over full scale, in runs of all lengths.
        let mut level = 0.0;
        let mut samples = stereo((0..200_000).map(|i| {
            if i % 377 == 0 {
                level = 10f32.powf(noise(&mut seed) * 1.2);
            }
            noise(&mut seed) * level
        }));
        samples[20_000] = 1000.0;
        let loudest = samples.iter().fold(0f32, |m, s| m.max(s.abs()));
        assert!(loudest > 10.0, "the test is one");
        let mut limiter = Limiter::new(CEILING);
        for chunk in samples.chunks_mut(1920) {
            limiter.process(chunk);
        }
        let most = samples.iter().fold(0f32, |m, s| m.max(s.abs()));
        assert!(most <= CEILING, "{most} is over {CEILING}");
    }

    #[test]
    fn below_the_ceiling_every_bit_stays_only_later() {
        let mut seed = 3;
        let quiet = stereo((0..5000).map(|_| noise(&mut seed) * 0.89));
        let mut samples = quiet.clone();
        Limiter::new(CEILING).process(&mut samples);
        assert_eq!(samples[LOOK_AHEAD * 2..], quiet[..quiet.len() - LOOK_AHEAD * 2]);
        assert!(samples[..LOOK_AHEAD * 2].iter().all(|s| *s == 0.0));
    }

    #[test]
    fn it_is_transparent_again_after_a_peak_and_never_steps() {
        let mut limiter = Limiter::new(CEILING);
        let mut samples = stereo((0..96_000).map(|i| if i == 1000 { 3.0 } else { 0.5 }));
        limiter.process(&mut samples);
        let left: Vec<f32> = samples.iter().copied().step_by(2).skip(LOOK_AHEAD).collect();
        for (i, pair) in left.windows(2).enumerate() {
            if !(999..=1000).contains(&i) {
                assert!((pair[0] - pair[1]).abs() < 0.01, "a step at {i}: {pair:?}");
            }
        }
        assert_eq!(left.last(), Some(&0.5), "released within two seconds, to the bit");
    }

    #[test]
    fn both_channels_are_turned_down_alike() {
        let mut samples = stereo((0..4800).map(|_| 2.0));
        Limiter::new(CEILING).process(&mut samples);
        let last = &samples[samples.len() - 2..];
        assert!(
            (last[0] - CEILING).abs() < 1e-3 && (last[1] + CEILING / 2.0).abs() < 1e-3,
            "{last:?}"
        );
    }
}
