//! Where a source's pixels go on the canvas: pure arithmetic.

use protocol::{Fit, Frame, Placement};

/// Longest side of a picture that is prepared for turning, in pixels; a larger one is sampled from less.
const LONGEST_TURNED: f64 = 4096.0;

/// Whole pixels, all even: 4:2:0 has one colour for four pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rect {
    pub x: u32,
    pub y: u32,
    pub width: u32,
    pub height: u32,
}

/// How one item is made from its source's frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Geometry {
    /// What is taken of the source.
    pub source: Rect,
    /// What it is scaled to.
    pub scaled: Frame,
    /// Where that goes.
    pub placed: Placed,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Placed {
    /// Upright, within the canvas, at this corner.
    Straight { x: u32, y: u32 },
    /// Turned about `(cx, cy)`, in canvas pixels, to `width`×`height` canvas pixels. Sampled pixel by pixel.
    Turned {
        cx: f32,
        cy: f32,
        width: f32,
        height: f32,
        degrees: f32,
    },
}

/// A span in one dimension, in pixels.
#[derive(Clone, Copy)]
struct Span {
    from: f64,
    to: f64,
}

impl Span {
    fn length(self) -> f64 {
        self.to - self.from
    }

    /// The middle part that is `length` long.
    fn middle(self, length: f64) -> Self {
        let centre = (self.from + self.to) / 2.0;
        Self {
            from: centre - length / 2.0,
            to: centre + length / 2.0,
        }
    }

    /// Cuts what lies outside `0..limit`, and the same share of `source`.
    fn clipped(self, limit: f64, source: Span) -> Option<(Self, Span)> {
        let (from, to) = (self.from.max(0.0), self.to.min(limit));
        let scale = source.length() / self.length();
        (to - from >= 1.0).then_some((
            Self { from, to },
            Span {
                from: source.from + (from - self.from) * scale,
                to: source.to - (self.to - to) * scale,
            },
        ))
    }

    /// Nearest even start and length within `0..limit`; at least two pixels.
    fn even(self, limit: u32) -> (u32, u32) {
        let nearest = |v: f64| ((v / 2.0).round() * 2.0).clamp(0.0, f64::from(limit)) as u32;
        let from = nearest(self.from).min(limit.saturating_sub(2));
        (from, nearest(self.to).max(from + 2).min(limit.max(2)) - from)
    }
}

/// Places a source of `size` pixels, each `pixel_aspect` times as wide as high, on a canvas.
///
/// `None` when nothing of it lies on the canvas.
pub(crate) fn place(
    size: Frame,
    pixel_aspect: f64,
    placement: &Placement,
    canvas: Frame,
) -> Option<Geometry> {
    let (w, h) = (f64::from(size.width), f64::from(size.height));
    let (canvas_w, canvas_h) = (f64::from(canvas.width), f64::from(canvas.height));
    let crop = placement.crop;
    let mut source_x = Span {
        from: f64::from(crop.left) * w,
        to: (1.0 - f64::from(crop.right)) * w,
    };
    let mut source_y = Span {
        from: f64::from(crop.top) * h,
        to: (1.0 - f64::from(crop.bottom)) * h,
    };
    let mut x = Span {
        from: f64::from(placement.x) * canvas_w,
        to: f64::from(placement.x + placement.width) * canvas_w,
    };
    let mut y = Span {
        from: f64::from(placement.y) * canvas_h,
        to: f64::from(placement.y + placement.height) * canvas_h,
    };
    let (shown_w, shown_h) = (source_x.length() * pixel_aspect, source_y.length());
    if shown_w < 1.0 || shown_h < 1.0 || w < 2.0 || h < 2.0 {
        return None;
    }
    let (scale_x, scale_y) = (x.length() / shown_w, y.length() / shown_h);
    match placement.fit {
        Fit::Stretch => {}
        Fit::Contain => {
            let scale = scale_x.min(scale_y);
            x = x.middle(shown_w * scale);
            y = y.middle(shown_h * scale);
        }
        Fit::Cover => {
            let scale = scale_x.max(scale_y);
            source_x = source_x.middle(x.length() / scale / pixel_aspect);
            source_y = source_y.middle(y.length() / scale);
        }
    }
    let degrees = f64::from(placement.rotation).rem_euclid(360.0);
    if degrees.min(360.0 - degrees) < 0.01 {
        let (x, source_x) = x.clipped(canvas_w, source_x)?;
        let (y, source_y) = y.clipped(canvas_h, source_y)?;
        let (x, width) = x.even(canvas.width);
        let (y, height) = y.even(canvas.height);
        return Some(Geometry {
            source: source_rect(source_x, source_y, size),
            scaled: Frame { width, height },
            placed: Placed::Straight { x, y },
        });
    }
    let shrink = (LONGEST_TURNED / x.length().max(y.length())).min(1.0);
    let even = |length: f64| ((length * shrink / 2.0).round() as u32 * 2).max(2);
    Some(Geometry {
        source: source_rect(source_x, source_y, size),
        scaled: Frame {
            width: even(x.length()),
            height: even(y.length()),
        },
        placed: Placed::Turned {
            cx: ((x.from + x.to) / 2.0) as f32,
            cy: ((y.from + y.to) / 2.0) as f32,
            width: x.length() as f32,
            height: y.length() as f32,
            degrees: degrees as f32,
        },
    })
}

/// A box in canvas pixels, anywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Whole {
    pub x: i32,
    pub y: i32,
    pub width: i32,
    pub height: i32,
}

/// The same for what only places whole, upright pictures: `None` when cropped, covering or turned.
pub(crate) fn whole(size: Frame, pixel_aspect: f64, placement: &Placement, canvas: Frame) -> Option<Whole> {
    let uncut = placement.crop == protocol::Crop::default() && placement.rotation == 0.0;
    if !uncut || placement.fit == Fit::Cover || size.width < 2 || size.height < 2 {
        return None;
    }
    let (canvas_w, canvas_h) = (f64::from(canvas.width), f64::from(canvas.height));
    let mut x = Span {
        from: f64::from(placement.x) * canvas_w,
        to: f64::from(placement.x + placement.width) * canvas_w,
    };
    let mut y = Span {
        from: f64::from(placement.y) * canvas_h,
        to: f64::from(placement.y + placement.height) * canvas_h,
    };
    if placement.fit == Fit::Contain {
        let (w, h) = (f64::from(size.width) * pixel_aspect, f64::from(size.height));
        let scale = (x.length() / w).min(y.length() / h);
        x = x.middle(w * scale);
        y = y.middle(h * scale);
    }
    let even = |value: f64| (value / 2.0).round() as i32 * 2;
    Some(Whole {
        x: even(x.from),
        y: even(y.from),
        width: (even(x.to) - even(x.from)).max(2),
        height: (even(y.to) - even(y.from)).max(2),
    })
}

fn source_rect(x: Span, y: Span, size: Frame) -> Rect {
    let (x, width) = x.even(size.width);
    let (y, height) = y.even(size.height);
    Rect { x, y, width, height }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::Crop;

    const HD: Frame = Frame {
        width: 1280,
        height: 720,
    };
    const SQUARE: Frame = Frame {
        width: 400,
        height: 400,
    };

    fn straight(geometry: Option<Geometry>) -> (Rect, Rect) {
        let geometry = geometry.expect("something is on the canvas");
        let Placed::Straight { x, y } = geometry.placed else {
            panic!("not upright: {geometry:?}")
        };
        let Frame { width, height } = geometry.scaled;
        (geometry.source, Rect { x, y, width, height })
    }

    fn rect(x: u32, y: u32, width: u32, height: u32) -> Rect {
        Rect { x, y, width, height }
    }

    #[test]
    fn the_default_fills_a_canvas_of_the_same_shape_without_scaling() {
        let whole = rect(0, 0, 1280, 720);
        assert_eq!(
            straight(place(HD, 1.0, &Placement::default(), HD)),
            (whole, whole)
        );
    }

    #[test]
    fn each_fit_keeps_its_promise_for_a_square_in_a_wide_box() {
        let fit = |fit| {
            straight(place(
                SQUARE,
                1.0,
                &Placement {
                    fit,
                    ..Placement::default()
                },
                HD,
            ))
        };
        assert_eq!(fit(Fit::Contain), (rect(0, 0, 400, 400), rect(280, 0, 720, 720)));
        assert_eq!(fit(Fit::Stretch), (rect(0, 0, 400, 400), rect(0, 0, 1280, 720)));
        // 400 × 9/16 = 225 lines remain, from 87.5; both even.
        assert_eq!(fit(Fit::Cover), (rect(0, 88, 400, 224), rect(0, 0, 1280, 720)));
    }

    #[test]
    fn wide_pixels_count_in_the_fit() {
        let pal = Frame {
            width: 720,
            height: 576,
        };
        let (_, placed) = straight(place(pal, 64.0 / 45.0, &Placement::default(), HD));
        assert_eq!(placed, rect(0, 0, 1280, 720), "720×576 with 64:45 pixels is 16:9");
    }

    #[test]
    fn a_crop_is_cut_before_the_fit() {
        let crop = Crop {
            left: 0.5,
            ..Crop::default()
        };
        let (source, placed) = straight(place(
            HD,
            1.0,
            &Placement {
                crop,
                ..Placement::default()
            },
            HD,
        ));
        assert_eq!(source, rect(640, 0, 640, 720));
        assert_eq!(
            placed,
            rect(320, 0, 640, 720),
            "the right half, contained in the middle"
        );
    }

    #[test]
    fn what_hangs_over_the_edge_is_cut_with_its_share_of_the_source() {
        let placement = Placement {
            x: -0.5,
            y: 0.5,
            ..Placement::default()
        };
        let (source, placed) = straight(place(HD, 1.0, &placement, HD));
        assert_eq!(placed, rect(0, 360, 640, 360));
        assert_eq!(source, rect(640, 0, 640, 360));
        let gone = Placement {
            x: 1.0,
            ..Placement::default()
        };
        assert_eq!(place(HD, 1.0, &gone, HD), None);
    }

    #[test]
    fn eight_times_the_canvas_costs_no_more_than_the_canvas() {
        let huge = Placement {
            x: -3.5,
            y: -3.5,
            width: 8.0,
            height: 8.0,
            ..Placement::default()
        };
        let (_, placed) = straight(place(HD, 1.0, &huge, HD));
        assert_eq!(placed, rect(0, 0, 1280, 720));
        let turned = place(
            HD,
            1.0,
            &Placement {
                rotation: 45.0,
                ..huge
            },
            HD,
        )
        .expect("on the canvas");
        assert!(
            turned.scaled.width <= 4096 && turned.scaled.height <= 4096,
            "{turned:?}"
        );
    }

    #[test]
    fn whole_pictures_stand_where_place_puts_them_and_others_are_refused() {
        let inside = Placement {
            x: 0.25,
            y: 0.5,
            width: 0.5,
            height: 0.5,
            ..Placement::default()
        };
        for size in [HD, SQUARE] {
            let (_, placed) = straight(place(size, 1.0, &inside, HD));
            let whole = whole(size, 1.0, &inside, HD).expect("whole and upright");
            assert_eq!(
                (whole.x, whole.y, whole.width, whole.height),
                (
                    placed.x as i32,
                    placed.y as i32,
                    placed.width as i32,
                    placed.height as i32
                )
            );
        }
        let outside = Placement { x: -0.5, ..inside };
        assert_eq!(whole(HD, 1.0, &outside, HD).map(|whole| whole.x), Some(-640));
        let crop = Crop {
            top: 0.1,
            ..Crop::default()
        };
        for placement in [
            Placement { crop, ..inside },
            Placement {
                rotation: 1.0,
                ..inside
            },
            Placement {
                fit: Fit::Cover,
                ..inside
            },
        ] {
            assert_eq!(whole(HD, 1.0, &placement, HD), None);
        }
    }

    #[test]
    fn turning_is_about_the_middle_of_the_box() {
        let placement = Placement {
            x: 0.25,
            y: 0.25,
            width: 0.5,
            height: 0.5,
            rotation: -90.0,
            ..Placement::default()
        };
        let turned = place(HD, 1.0, &placement, HD).expect("on the canvas");
        assert_eq!(
            turned.placed,
            Placed::Turned {
                cx: 640.0,
                cy: 360.0,
                width: 640.0,
                height: 360.0,
                degrees: 270.0
            }
        );
    }
}
