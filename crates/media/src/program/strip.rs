//! One source's way into the mix: gain, pan, coming and going, all without a click. Pure arithmetic.

use protocol::AudioControls;

/// Frames over which a fader's move is spread: 10 ms at 48 kHz.
pub(crate) const CLICK_FREE: u32 = 480;

/// A value that moves to another in a straight line.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ramp {
    value: f32,
    target: f32,
    left: u32,
}

impl Ramp {
    pub fn at(value: f32) -> Self {
        Self {
            value,
            target: value,
            left: 0,
        }
    }

    /// Moves to `target` within `frames`; a move to where it is going already goes on as it was.
    pub fn to(&mut self, target: f32, frames: u32) {
        if target != self.target {
            self.target = target;
            self.left = frames;
            if frames == 0 {
                self.value = target;
            }
        }
    }

    /// The value that does not move, if it does not.
    pub fn steady(&self) -> Option<f32> {
        (self.left == 0).then_some(self.value)
    }

    pub fn next(&mut self) -> f32 {
        if self.left > 0 {
            self.value += (self.target - self.value) / self.left as f32;
            self.left -= 1;
            if self.left == 0 {
                self.value = self.target;
            }
        }
        self.value
    }
}

/// Amplitudes left and right of a strip.
///
/// Pan is a balance: in the middle both channels are as they were, to one side the other goes down along a quarter
/// of a cosine (−3 dB half way, silent at the end). Nothing is ever louder than at the middle.
pub(crate) fn gains(controls: &AudioControls) -> [f32; 2] {
    if controls.muted {
        return [0.0; 2];
    }
    let gain = controls.gain.amplitude() as f32;
    let pan = if controls.pan.is_finite() {
        controls.pan.clamp(-1.0, 1.0)
    } else {
        0.0
    };
    let down = |towards: f32| {
        if towards >= 1.0 {
            0.0
        } else {
            (towards.max(0.0) * std::f32::consts::FRAC_PI_2).cos()
        }
    };
    [gain * down(pan), gain * down(-pan)]
}

/// Gain, pan and presence of one source in the mix.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Strip {
    left: Ramp,
    right: Ramp,
    /// 0 gone, 1 there; its sine is the amplitude, so that two sources cross at constant power.
    presence: Ramp,
}

impl Strip {
    /// A strip that is not heard yet.
    pub fn new([left, right]: [f32; 2]) -> Self {
        Self {
            left: Ramp::at(left),
            right: Ramp::at(right),
            presence: Ramp::at(0.0),
        }
    }

    pub fn move_to(&mut self, [left, right]: [f32; 2]) {
        self.left.to(left, CLICK_FREE);
        self.right.to(right, CLICK_FREE);
    }

    pub fn come(&mut self, frames: u32) {
        self.presence.to(1.0, frames);
    }

    pub fn go(&mut self, frames: u32) {
        self.presence.to(0.0, frames);
    }

    /// Neither heard nor coming.
    pub fn gone(&self) -> bool {
        self.presence.steady() == Some(0.0)
    }

    /// Adds interleaved stereo `input` to `mix`.
    pub fn add(&mut self, input: &[f32], mix: &mut [f32]) {
        let frames = mix.chunks_exact_mut(2).zip(input.chunks_exact(2));
        if let (Some(left), Some(right), Some(presence)) =
            (self.left.steady(), self.right.steady(), self.presence.steady())
        {
            let presence = amplitude(presence);
            let (left, right) = (left * presence, right * presence);
            if left == 0.0 && right == 0.0 {
                return;
            }
            for (mix, input) in frames {
                mix[0] += input[0] * left;
                mix[1] += input[1] * right;
            }
        } else {
            for (mix, input) in frames {
                let presence = amplitude(self.presence.next());
                mix[0] += input[0] * self.left.next() * presence;
                mix[1] += input[1] * self.right.next() * presence;
            }
        }
    }
}

fn amplitude(presence: f32) -> f32 {
    if presence >= 1.0 {
        1.0
    } else {
        (presence * std::f32::consts::FRAC_PI_2).sin()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::Db;

    fn controls(gain: f32, muted: bool, pan: f32) -> AudioControls {
        AudioControls {
            gain: Db::clamped(gain),
            muted,
            pan,
            ..AudioControls::default()
        }
    }

    #[test]
    fn the_middle_changes_nothing_and_the_ends_are_silent_on_the_other_side() {
        assert_eq!(gains(&controls(0.0, false, 0.0)), [1.0, 1.0]);
        assert_eq!(gains(&controls(0.0, false, 1.0)), [0.0, 1.0]);
        assert_eq!(gains(&controls(0.0, false, -1.0)), [1.0, 0.0]);
        let [left, right] = gains(&controls(-20.0, false, 0.5));
        assert!((right - 0.1).abs() < 1e-6);
        assert!((left - 0.0707).abs() < 1e-4, "3 dB down half way");
        assert_eq!(gains(&controls(6.0, true, 0.0)), [0.0, 0.0]);
        assert_eq!(gains(&controls(0.0, false, f32::NAN)), [1.0, 1.0]);
    }

    #[test]
    fn a_move_of_the_fader_takes_ten_milliseconds_and_makes_no_step() {
        let mut strip = Strip::new([1.0, 1.0]);
        strip.come(0);
        strip.move_to([0.0, 0.5]);
        let input = [1.0f32; 2000];
        let mut mix = [0.0f32; 2000];
        strip.add(&input, &mut mix);
        for pair in mix.chunks_exact(2).collect::<Vec<_>>().windows(2) {
            assert!((pair[0][0] - pair[1][0]).abs() < 0.003, "a click: {pair:?}");
        }
        assert!(mix[400] > 0.4, "not at once");
        assert_eq!(mix[970..972], [0.0, 0.5], "there after 480 frames");
    }

    #[test]
    fn two_strips_cross_at_constant_power() {
        let (mut old, mut new) = (Strip::new([1.0; 2]), Strip::new([1.0; 2]));
        old.come(0);
        old.go(1000);
        new.come(1000);
        let input = [1.0f32; 2000];
        let (mut a, mut b) = ([0.0f32; 2000], [0.0f32; 2000]);
        old.add(&input, &mut a);
        new.add(&input, &mut b);
        for (a, b) in a.iter().zip(&b) {
            assert!((a * a + b * b - 1.0).abs() < 1e-3);
        }
        assert!(old.gone() && !new.gone());
    }
}
