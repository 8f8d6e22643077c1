//! Any channel layout into two: L + 0.707 C + 0.707 Ls, without the subwoofer's channel.
//!
//! GStreamer's own matrix makes 5.1 10 dB too quiet and adds the subwoofer in full. This one keeps left and right as
//! they are, as ITU-R BS.775 and ffmpeg do; what adds up above full scale is left to the master's limiter.

use gst_audio::AudioChannelPosition as Position;

const HALF_POWER: f32 = std::f32::consts::FRAC_1_SQRT_2;

/// Factors of one input channel in left and right.
pub(crate) type Factors = [f32; 2];

/// How each input channel goes into left and right.
///
/// `positions` is one per channel; empty or unknown positions mean a layout that nobody named: then even channels
/// go left and odd ones right. One channel alone goes to both in full, so that a microphone keeps its level.
pub(crate) fn matrix(channels: usize, positions: &[Position]) -> Vec<Factors> {
    if channels == 1 {
        return vec![[1.0, 1.0]];
    }
    let named = positions.len() == channels && !positions.contains(&Position::None);
    (0..channels)
        .map(|n| {
            if named {
                factors(positions[n])
            } else if n % 2 == 0 {
                [1.0, 0.0]
            } else {
                [0.0, 1.0]
            }
        })
        .collect()
}

fn factors(position: Position) -> Factors {
    use Position as P;
    match position {
        P::FrontLeft | P::WideLeft | P::FrontLeftOfCenter => [1.0, 0.0],
        P::FrontRight | P::WideRight | P::FrontRightOfCenter => [0.0, 1.0],
        P::FrontCenter
        | P::RearCenter
        | P::TopFrontCenter
        | P::TopCenter
        | P::TopRearCenter
        | P::BottomFrontCenter => [HALF_POWER, HALF_POWER],
        P::Mono => [1.0, 1.0],
        P::RearLeft
        | P::SideLeft
        | P::SurroundLeft
        | P::TopFrontLeft
        | P::TopRearLeft
        | P::TopSideLeft
        | P::BottomFrontLeft => [HALF_POWER, 0.0],
        P::RearRight
        | P::SideRight
        | P::SurroundRight
        | P::TopFrontRight
        | P::TopRearRight
        | P::TopSideRight
        | P::BottomFrontRight => [0.0, HALF_POWER],
        // The subwoofer's channel is extra, never a part: without it nothing is missing on two loudspeakers.
        _ => [0.0, 0.0],
    }
}

/// Mixes interleaved samples of `matrix.len()` channels into interleaved stereo. `output` is overwritten.
pub(crate) fn mix(matrix: &[Factors], input: &[f32], output: &mut [f32]) {
    for (frame, out) in input.chunks_exact(matrix.len()).zip(output.chunks_exact_mut(2)) {
        let (mut left, mut right) = (0.0, 0.0);
        for (sample, factors) in frame.iter().zip(matrix) {
            left += sample * factors[0];
            right += sample * factors[1];
        }
        out[0] = left;
        out[1] = right;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Position as P;

    fn mixed(positions: &[P], frame: &[f32]) -> [f32; 2] {
        let mut out = [9.0; 2];
        mix(&matrix(positions.len(), positions), frame, &mut out);
        out
    }

    #[test]
    fn five_point_one_keeps_its_level_and_leaves_the_subwoofer_out() {
        let layout = [
            P::FrontLeft,
            P::FrontRight,
            P::FrontCenter,
            P::Lfe1,
            P::RearLeft,
            P::RearRight,
        ];
        assert_eq!(mixed(&layout, &[1.0, 0.0, 0.0, 0.0, 0.0, 0.0]), [1.0, 0.0]);
        assert_eq!(
            mixed(&layout, &[0.0, 0.0, 1.0, 0.0, 0.0, 0.0]),
            [HALF_POWER, HALF_POWER]
        );
        assert_eq!(mixed(&layout, &[0.0, 0.0, 0.0, 1.0, 0.0, 0.0]), [0.0, 0.0]);
        assert_eq!(mixed(&layout, &[0.0, 0.0, 0.0, 0.0, 1.0, 0.0]), [HALF_POWER, 0.0]);
        assert_eq!(mixed(&layout, &[0.0, 0.0, 0.0, 0.0, 0.0, 1.0]), [0.0, HALF_POWER]);
    }

    #[test]
    fn one_channel_sounds_on_both_sides_in_full() {
        assert_eq!(mixed(&[P::Mono], &[0.5]), [0.5, 0.5]);
        assert_eq!(mixed(&[P::FrontCenter], &[0.5]), [0.5, 0.5]);
    }

    #[test]
    fn a_layout_that_nobody_named_goes_left_and_right_by_turns() {
        assert_eq!(mixed(&[P::None; 4], &[0.1, 0.2, 0.3, 0.4]), [0.4, 0.6]);
        let factors = matrix(3, &[]);
        assert_eq!(factors, vec![[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]]);
    }

    #[test]
    fn stereo_passes_as_it_is() {
        assert_eq!(mixed(&[P::FrontLeft, P::FrontRight], &[0.3, -0.7]), [0.3, -0.7]);
    }
}
