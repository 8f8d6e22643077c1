//! Putting one 4:2:0 picture over another: pure arithmetic on bytes.
//!
//! Pictures with alpha are premultiplied: a transparent pixel is black (Y 16, U and V 128) with alpha 0. So
//! scaling and turning them leaves no dark edges, and one formula does.

/// Black in Y, limited range.
pub(crate) const BLACK_Y: u8 = 16;
/// No colour in U and V.
pub(crate) const BLACK_C: u8 = 128;
/// Opacity of 1.0.
pub(crate) const OPAQUE: u32 = 256;

/// One plane to read.
#[derive(Clone, Copy)]
pub(crate) struct Plane<'a> {
    pub data: &'a [u8],
    /// Bytes from one row to the next.
    pub stride: usize,
}

/// A 4:2:0 picture to read; even sides, colour planes half as wide and half as high.
#[derive(Clone, Copy)]
pub(crate) struct Picture<'a> {
    pub width: usize,
    pub height: usize,
    /// Y, U, V.
    pub planes: [Plane<'a>; 3],
    /// Alpha at full and at half size; `None` when opaque.
    pub alpha: Option<[Plane<'a>; 2]>,
}

/// A 4:2:0 picture to draw on.
pub(crate) struct CanvasMut<'a> {
    pub width: usize,
    pub height: usize,
    /// Y, U, V with their strides.
    pub planes: [(&'a mut [u8], usize); 3],
}

impl CanvasMut<'_> {
    /// Makes all of it black.
    pub fn clear(&mut self) {
        for (plane, (data, _)) in self.planes.iter_mut().enumerate() {
            data.fill(if plane == 0 { BLACK_Y } else { BLACK_C });
        }
    }

    /// Draws `picture` with its corner at `(x, y)`, both even, at an opacity of `0..=256`. What hangs over is cut.
    pub fn draw(&mut self, picture: &Picture, x: usize, y: usize, opacity: u32) {
        for plane in 0..3 {
            let half = usize::from(plane > 0);
            let (x, y) = (x >> half, y >> half);
            let width = (picture.width >> half).min((self.width >> half).saturating_sub(x));
            let height = (picture.height >> half).min((self.height >> half).saturating_sub(y));
            let black = if plane == 0 { BLACK_Y } else { BLACK_C };
            let from = picture.planes[plane];
            let alpha = picture.alpha.map(|alpha| alpha[half]);
            let (data, stride) = &mut self.planes[plane];
            for row in 0..height {
                let start = (y + row) * *stride + x;
                let to = &mut data[start..start + width];
                let src = &from.data[row * from.stride..][..width];
                match alpha {
                    None if opacity >= OPAQUE => to.copy_from_slice(src),
                    None => mix(to, src, opacity),
                    Some(alpha) => over(
                        to,
                        src,
                        &alpha.data[row * alpha.stride..][..width],
                        black,
                        opacity,
                    ),
                }
            }
        }
    }
}

/// `to` moves towards `from` by `share` of 256.
pub(crate) fn mix(to: &mut [u8], from: &[u8], share: u32) {
    let (keep, take) = ((OPAQUE - share.min(OPAQUE)) as u16, share.min(OPAQUE) as u16);
    for (to, &from) in to.iter_mut().zip(from) {
        *to = ((u16::from(*to) * keep + u16::from(from) * take + 128) >> 8) as u8;
    }
}

/// Premultiplied `from` over `to`.
fn over(to: &mut [u8], from: &[u8], alpha: &[u8], black: u8, opacity: u32) {
    if opacity >= OPAQUE {
        return over_whole(to, from, alpha, black);
    }
    const WHOLE: i32 = 255 * OPAQUE as i32;
    let black = i32::from(black);
    let opacity = opacity.min(OPAQUE) as i32;
    for ((to, &from), &alpha) in to.iter_mut().zip(from).zip(alpha) {
        let keep = WHOLE - i32::from(alpha) * opacity;
        let sum = (i32::from(from) - black) * opacity * 255 + (i32::from(*to) - black) * keep;
        // Adding half before the division rounds; the bias keeps the dividend positive.
        *to = ((sum + WHOLE / 2 + WHOLE * black) / WHOLE).clamp(0, 255) as u8;
    }
}

/// The same at full opacity, which is nearly always: without a division.
fn over_whole(to: &mut [u8], from: &[u8], alpha: &[u8], black: u8) {
    let black = i32::from(black);
    for ((to, &from), &alpha) in to.iter_mut().zip(from).zip(alpha) {
        let under = (i32::from(*to) - black) * (255 - i32::from(alpha)) + 128;
        // A 255th is a 256th and a 256th of that; with the half above it is rounded.
        *to = (i32::from(from) + ((under + (under >> 8)) >> 8)).clamp(0, 255) as u8;
    }
}

/// Alpha at half size: the mean of four pixels.
pub(crate) fn halve(alpha: Plane, width: usize, height: usize, half: &mut Vec<u8>) {
    half.clear();
    for row in 0..height / 2 {
        let upper = &alpha.data[2 * row * alpha.stride..][..width];
        let lower = &alpha.data[(2 * row + 1) * alpha.stride..][..width];
        half.extend(upper.chunks_exact(2).zip(lower.chunks_exact(2)).map(|(u, l)| {
            ((u16::from(u[0]) + u16::from(u[1]) + u16::from(l[0]) + u16::from(l[1]) + 2) >> 2) as u8
        }));
    }
}

/// Multiplies the colours of an RGBA row by its alpha.
pub(crate) fn premultiply(rgba: &mut [u8]) {
    for pixel in rgba.chunks_exact_mut(4) {
        let alpha = u16::from(pixel[3]);
        for colour in &mut pixel[..3] {
            *colour = ((u16::from(*colour) * alpha + 127) / 255) as u8;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opaque_replaces_and_half_opacity_is_the_mean() {
        let mut to = [16, 100, 235, 0];
        mix(&mut to, &[235, 100, 16, 255], OPAQUE);
        assert_eq!(to, [235, 100, 16, 255]);
        let mut to = [16, 100, 200, 0];
        mix(&mut to, &[116, 100, 100, 255], OPAQUE / 2);
        assert_eq!(to, [66, 100, 150, 128]);
        mix(&mut to, &[9; 4], 0);
        assert_eq!(to, [66, 100, 150, 128], "nothing changes nothing");
    }

    #[test]
    fn alpha_blends_between_nothing_and_all() {
        let mut to = [200u8; 3];
        // Premultiplied: white (235) at alpha 0, 128 and 255.
        let half = 16 + ((235 - 16) * 128 + 127) / 255;
        over(&mut to, &[16, half as u8, 235], &[0, 128, 255], BLACK_Y, OPAQUE);
        assert_eq!(to[0], 200, "transparent changes nothing");
        assert!(
            (217..=219).contains(&to[1]),
            "half way from 200 to 235, not {}",
            to[1]
        );
        assert_eq!(to[2], 235, "opaque replaces");
        let mut colour = [90u8];
        over(&mut colour, &[BLACK_C], &[0], BLACK_C, OPAQUE);
        assert_eq!(colour, [90], "transparent changes no colour");
        let mut faded = [16u8];
        over(&mut faded, &[235], &[255], BLACK_Y, OPAQUE / 2);
        assert!(
            (125..=126).contains(&faded[0]),
            "opaque at half opacity, not {}",
            faded[0]
        );
    }

    #[test]
    fn blending_without_a_division_is_a_rounded_division() {
        for black in [BLACK_Y, BLACK_C] {
            for below in 0..=255u8 {
                for alpha in 0..=255u8 {
                    let mut to = [below];
                    over(&mut to, &[black], &[alpha], black, OPAQUE);
                    let exact = f64::from(black)
                        + (f64::from(below) - f64::from(black)) * f64::from(255 - alpha) / 255.0;
                    let off = (f64::from(to[0]) - exact).abs();
                    assert!(off < 0.51, "{below} under {alpha}: {} is not {exact}", to[0]);
                    if alpha == 0 || alpha == 255 {
                        assert!(off < 1e-9, "{below} under {alpha} is {}", to[0]);
                    }
                }
            }
        }
    }

    #[test]
    fn drawing_touches_its_rectangle_and_no_more() {
        let (mut y, mut u, mut v) = (vec![0; 8 * 8], vec![0; 16], vec![0; 16]);
        let mut canvas = CanvasMut {
            width: 8,
            height: 8,
            planes: [(&mut y, 8), (&mut u, 4), (&mut v, 4)],
        };
        canvas.clear();
        let (luma, chroma) = ([200; 16], [60; 4]);
        let picture = Picture {
            width: 4,
            height: 4,
            planes: [
                Plane {
                    data: &luma,
                    stride: 4,
                },
                Plane {
                    data: &chroma,
                    stride: 2,
                },
                Plane {
                    data: &chroma,
                    stride: 2,
                },
            ],
            alpha: None,
        };
        canvas.draw(&picture, 6, 2, OPAQUE);
        for row in 0..8 {
            for column in 0..8 {
                let inside = column >= 6 && (2..6).contains(&row);
                assert_eq!(
                    y[row * 8 + column],
                    if inside { 200 } else { 16 },
                    "at {column},{row}"
                );
            }
        }
        assert_eq!(u[4 + 3], 60);
        assert_eq!(v[3], 128);
    }

    #[test]
    fn premultiplied_colours_follow_their_alpha() {
        let mut rgba = [255, 128, 0, 128, 10, 20, 30, 0, 1, 2, 3, 255];
        premultiply(&mut rgba);
        assert_eq!(rgba, [128, 64, 0, 128, 0, 0, 0, 0, 1, 2, 3, 255]);
    }

    #[test]
    fn halved_alpha_is_the_mean_of_four() {
        let alpha = [255, 255, 0, 0, 255, 255, 0, 100];
        let mut half = Vec::new();
        halve(
            Plane {
                data: &alpha,
                stride: 4,
            },
            4,
            2,
            &mut half,
        );
        assert_eq!(half, [255, 25]);
    }
}
