//! Turning a picture about a point: pure arithmetic. Edges come out smooth, through alpha.

use protocol::Frame;

use super::blend::{BLACK_C, BLACK_Y, Picture, Plane};
use super::geometry::Placed;

/// A turned picture: 4:2:0, premultiplied.
#[derive(Debug, Default)]
pub(crate) struct Turned {
    width: usize,
    height: usize,
    /// Y, U, V, alpha, alpha at half size.
    planes: [Vec<u8>; 5],
}

impl Turned {
    pub fn picture(&self) -> Picture<'_> {
        let plane = |index: usize, shift: usize| Plane {
            data: &self.planes[index],
            stride: self.width >> shift,
        };
        Picture {
            width: self.width,
            height: self.height,
            planes: [plane(0, 0), plane(1, 1), plane(2, 1)],
            alpha: Some([plane(3, 0), plane(4, 1)]),
        }
    }
}

/// Turns `from` as `placed` says into `to`; the corner of `to` on the canvas, or `None` when nothing is on it.
pub(crate) fn turn(
    from: &Picture,
    placed: &Placed,
    canvas: Frame,
    to: &mut Turned,
) -> Option<(usize, usize)> {
    let Placed::Turned {
        cx,
        cy,
        width,
        height,
        degrees,
    } = *placed
    else {
        return None;
    };
    let (sin, cos) = sin_cos(degrees);
    // Half a pixel more on each side for the smooth edge.
    let reach_x = (width * cos.abs() + height * sin.abs()) / 2.0 + 0.5;
    let reach_y = (width * sin.abs() + height * cos.abs()) / 2.0 + 0.5;
    let span = |centre: f32, reach: f32, limit: u32| {
        let from = ((centre - reach).clamp(0.0, limit as f32) / 2.0).floor() as usize * 2;
        let to = ((centre + reach).clamp(0.0, limit as f32) / 2.0).ceil() as usize * 2;
        (to > from).then_some((from, to - from))
    };
    let (x, out_width) = span(cx, reach_x, canvas.width)?;
    let (y, out_height) = span(cy, reach_y, canvas.height)?;
    (to.width, to.height) = (out_width, out_height);

    let (scale_x, scale_y) = (from.width as f32 / width, from.height as f32 / height);
    for plane in 0..5 {
        // Planes 1, 2 (colour) and 4 (their alpha) are at half size.
        let half = usize::from(plane == 1 || plane == 2 || plane == 4);
        let size = (1 << half) as f32;
        let columns = out_width >> half;
        let rows = out_height >> half;
        let (outside, source) = match plane {
            0 => (BLACK_Y, Some(from.planes[0])),
            1 | 2 => (BLACK_C, Some(from.planes[plane])),
            _ => (0, from.alpha.map(|alpha| alpha[half])),
        };
        let sampler = Sampler {
            source,
            width: (from.width >> half) as i32,
            height: (from.height >> half) as i32,
            outside: i32::from(outside),
        };
        let data = &mut to.planes[plane];
        data.resize(columns * rows, outside);
        for (row, line) in data.chunks_exact_mut(columns).enumerate() {
            // Centre of the first pixel, from the turning point, in canvas pixels.
            let dx = x as f32 + 0.5 * size - cx;
            let dy = y as f32 + (row as f32 + 0.5) * size - cy;
            // Turned back, in pixels of this plane of the source, from its first pixel's centre.
            let u = ((dx * cos + dy * sin) * scale_x / size) + sampler.width as f32 / 2.0 - 0.5;
            let v = ((dy * cos - dx * sin) * scale_y / size) + sampler.height as f32 / 2.0 - 0.5;
            sampler.line(line, (u, v), (cos * scale_x, -sin * scale_y));
        }
    }
    Some((x, y))
}

/// Exact for quarter turns, so that those stay sharp.
fn sin_cos(degrees: f32) -> (f32, f32) {
    match degrees.rem_euclid(360.0) {
        90.0 => (1.0, 0.0),
        180.0 => (0.0, -1.0),
        270.0 => (-1.0, 0.0),
        other => other.to_radians().sin_cos(),
    }
}

struct Sampler<'a> {
    /// `None`: 255 everywhere.
    source: Option<Plane<'a>>,
    width: i32,
    height: i32,
    outside: i32,
}

/// One pixel, in 16.16 fixed point.
const ONE: i64 = 1 << 16;

impl Sampler<'_> {
    /// Bilinear samples along a line that begins at `(u, v)` and goes on by `(du, dv)` a sample.
    fn line(&self, to: &mut [u8], (u, v): (f32, f32), (du, dv): (f32, f32)) {
        let fixed = |value: f32| (f64::from(value) * ONE as f64).round() as i64;
        let (u, v, du, dv) = (fixed(u), fixed(v), fixed(du), fixed(dv));
        let limits = |margin: i64| {
            let (width, height) = (i64::from(self.width) * ONE, i64::from(self.height) * ONE);
            let across = steps(u, du, -margin, width - ONE + margin, to.len());
            let down = steps(v, dv, -margin, height - ONE + margin, to.len());
            let from = across.0.max(down.0);
            (from, across.1.min(down.1).max(from))
        };
        // Where any of the four neighbours is inside, and where all are.
        let (touched, inside) = (limits(ONE), limits(0));
        let inside = if inside.0 < inside.1 {
            inside
        } else {
            (touched.0, touched.0)
        };
        to[..touched.0].fill(self.outside as u8);
        to[touched.1..].fill(self.outside as u8);
        let at = |t: usize| (u + t as i64 * du, v + t as i64 * dv);
        for t in (touched.0..inside.0).chain(inside.1..touched.1) {
            to[t] = self.edge(at(t));
        }
        let within = &mut to[inside.0..inside.1];
        let Some(plane) = self.source else {
            within.fill(255);
            return;
        };
        let (mut u, mut v) = at(inside.0);
        if (u | v | du | dv) & (ONE - 1) == 0 {
            // A quarter turn to whole pixels: nothing to mix.
            for to in within {
                *to = plane.data[(v >> 16) as usize * plane.stride + (u >> 16) as usize];
                u += du;
                v += dv;
            }
            return;
        }
        for to in within {
            let first = (v >> 16) as usize * plane.stride + (u >> 16) as usize;
            let (right, down) = (((u >> 8) & 255) as i32, ((v >> 8) & 255) as i32);
            let upper = &plane.data[first..first + 2];
            let lower = &plane.data[first + plane.stride..first + plane.stride + 2];
            let upper = i32::from(upper[0]) * (256 - right) + i32::from(upper[1]) * right;
            let lower = i32::from(lower[0]) * (256 - right) + i32::from(lower[1]) * right;
            *to = ((upper * (256 - down) + lower * down + 32768) >> 16) as u8;
            u += du;
            v += dv;
        }
    }

    /// A sample of which some neighbours lie outside.
    fn edge(&self, (u, v): (i64, i64)) -> u8 {
        let (column, row) = ((u >> 16) as i32, (v >> 16) as i32);
        let (right, down) = (((u >> 8) & 255) as i32, ((v >> 8) & 255) as i32);
        let upper = self.at(column, row) * (256 - right) + self.at(column + 1, row) * right;
        let lower = self.at(column, row + 1) * (256 - right) + self.at(column + 1, row + 1) * right;
        ((upper * (256 - down) + lower * down + 32768) >> 16) as u8
    }

    fn at(&self, column: i32, row: i32) -> i32 {
        if column < 0 || row < 0 || column >= self.width || row >= self.height {
            return self.outside;
        }
        self.source.map_or(255, |plane| {
            i32::from(plane.data[row as usize * plane.stride + column as usize])
        })
    }
}

/// The steps `t` in `0..count` for which `low <= start + t * step < high`.
fn steps(start: i64, step: i64, low: i64, high: i64, count: usize) -> (usize, usize) {
    let count = count as i64;
    let (from, to) = match step {
        0 if (low..high).contains(&start) => (0, count),
        0 => (0, 0),
        // The first step not under `low`, and the first not under `high`.
        1.. => (
            (low - start).div_euclid(step) + i64::from((low - start).rem_euclid(step) != 0),
            { (high - start).div_euclid(step) + i64::from((high - start).rem_euclid(step) != 0) },
        ),
        // Mirrored: `high` is left out, `low` is not.
        _ => (
            (start - high).div_euclid(-step) + 1,
            (start - low).div_euclid(-step) + 1,
        ),
    };
    let from = from.clamp(0, count);
    (from as usize, to.clamp(from, count) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CANVAS: Frame = Frame {
        width: 32,
        height: 32,
    };

    /// 8×4, Y counts 100.. by pixel, U 50, V 60.
    fn source() -> (Vec<u8>, Vec<u8>, Vec<u8>) {
        ((100..132).collect(), vec![50; 8], vec![60; 8])
    }

    fn turned(degrees: f32) -> (Turned, usize, usize) {
        let (y, u, v) = source();
        let picture = Picture {
            width: 8,
            height: 4,
            planes: [
                Plane { data: &y, stride: 8 },
                Plane { data: &u, stride: 4 },
                Plane { data: &v, stride: 4 },
            ],
            alpha: None,
        };
        let placed = Placed::Turned {
            cx: 16.0,
            cy: 16.0,
            width: 8.0,
            height: 4.0,
            degrees,
        };
        let mut to = Turned::default();
        let (x, y) = turn(&picture, &placed, CANVAS, &mut to).expect("on the canvas");
        (to, x, y)
    }

    fn at(turned: &(Turned, usize, usize), x: usize, y: usize) -> (u8, u8) {
        let (picture, left, top) = turned;
        let index = (y - top) * picture.width + (x - left);
        (picture.planes[0][index], picture.planes[3][index])
    }

    #[test]
    fn steps_are_those_within_the_limits() {
        for (start, step) in [
            (-7, 3),
            (20, -3),
            (4, 0),
            (40, 0),
            (5, 5),
            (-5, 5),
            (10, -5),
            (0, 1),
            (-30, -2),
        ] {
            let (from, to) = steps(start, step, 0, 10, 20);
            let wanted: Vec<usize> = (0..20)
                .filter(|t| (0..10).contains(&(start + *t as i64 * step)))
                .collect();
            assert_eq!((from..to).collect::<Vec<_>>(), wanted, "from {start} by {step}");
        }
    }

    #[test]
    fn quick_and_slow_samples_are_the_same() {
        let (y, _, _) = source();
        let sampler = Sampler {
            source: Some(Plane { data: &y, stride: 8 }),
            width: 8,
            height: 4,
            outside: 16,
        };
        for (u, v, du, dv) in [
            (-3.0, -2.0, 0.5, 0.25),
            (9.0, 4.0, -0.7, -0.3),
            (0.0, 0.0, 1.0, 0.0),
            (2.25, -4.0, 0.0, 0.5),
        ] {
            let mut line = [0; 40];
            sampler.line(&mut line, (u, v), (du, dv));
            let fixed = |value: f32| (f64::from(value) * ONE as f64).round() as i64;
            for (t, value) in line.into_iter().enumerate() {
                let at = (fixed(u) + t as i64 * fixed(du), fixed(v) + t as i64 * fixed(dv));
                assert_eq!(value, sampler.edge(at), "sample {t} from {u},{v} by {du},{dv}");
            }
        }
    }

    #[test]
    fn a_quarter_turn_clockwise_is_exact() {
        let turned = turned(90.0);
        // The left lower corner comes up left; the box is now 4 wide and 8 high about (16, 16).
        assert_eq!(at(&turned, 14, 12), (124, 255));
        assert_eq!(
            at(&turned, 17, 12),
            (100, 255),
            "the first pixel is now right above"
        );
        assert_eq!(at(&turned, 17, 19), (107, 255));
        assert_eq!(at(&turned, 14, 11), (BLACK_Y, 0), "nothing outside");
    }

    #[test]
    fn half_a_turn_is_upside_down() {
        let turned = turned(180.0);
        assert_eq!(at(&turned, 12, 14), (131, 255));
        assert_eq!(at(&turned, 19, 17), (100, 255));
    }

    #[test]
    fn any_angle_keeps_the_middle_and_clears_the_corners() {
        let turned = turned(30.0);
        let (_, alpha) = at(&turned, 16, 16);
        assert_eq!(alpha, 255);
        let picture = turned.0.picture();
        let [alpha, _] = picture.alpha.expect("turned pictures have alpha");
        let (mut sum, mut partly) = (0.0, 0);
        for &value in alpha.data {
            sum += f64::from(value) / 255.0;
            partly += usize::from(value != 0 && value != 255);
        }
        assert!((sum - 32.0).abs() < 3.0, "the area stays 8×4, not {sum}");
        assert!(partly > 4, "edges are smooth");
        assert_eq!(alpha.data[0], 0, "the corner of its bounds is empty");
    }

    #[test]
    fn beside_the_canvas_is_nothing() {
        let (y, u, v) = source();
        let plane = |data, stride| Plane { data, stride };
        let picture = Picture {
            width: 8,
            height: 4,
            planes: [plane(&y, 8), plane(&u, 4), plane(&v, 4)],
            alpha: None,
        };
        let placed = Placed::Turned {
            cx: -50.0,
            cy: 16.0,
            width: 8.0,
            height: 4.0,
            degrees: 45.0,
        };
        assert_eq!(turn(&picture, &placed, CANVAS, &mut Turned::default()), None);
    }
}
