//! Where overlays stand: at the edges of the canvas, stacked where they share a place. Pure.

use protocol::{Canvas, OverlayKind, OverlayPlace};

use crate::source::text;

/// Between two overlays, in points (1080 to the canvas's shorter side).
const GAP: f32 = 20.0;
/// How far an overlay slides when it comes or goes, in points.
const SLIDE: f32 = 44.0;

/// A rectangle on the canvas, in pixels, all of it even.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Spot {
    pub kind: OverlayKind,
    pub place: OverlayPlace,
    pub x: u32,
    pub y: u32,
    pub width: u32,
    pub height: u32,
}

impl Spot {
    fn bottom(&self) -> bool {
        below(self.place)
    }

    /// So many pixels below its place it comes from; above it when negative.
    pub fn slide(&self, canvas: Canvas) -> i32 {
        let far = (SLIDE * text::scale(canvas)) as i32 & !1;
        if self.bottom() { far } else { -far }
    }
}

fn below(place: OverlayPlace) -> bool {
    use OverlayPlace::{Bottom, BottomLeft, BottomRight};
    matches!(place, BottomLeft | Bottom | BottomRight)
}

/// Room to the canvas's edges, across and down, in pixels. On an upright canvas, a phone's own buttons lie at the ends.
fn margins(canvas: Canvas) -> (f32, f32) {
    let (width, height) = (canvas.width() as f32, canvas.height() as f32);
    if width >= height {
        (width * 0.04, height * 0.06)
    } else {
        (width * 0.05, height * 0.08)
    }
}

/// Widest overlay, in pixels.
pub(super) fn room(canvas: Canvas) -> f32 {
    canvas.width() as f32 - 2.0 * margins(canvas).0
}

/// A spot for each of `sizes`. Those of `before` keep their distance from the edge as long as they stay at their place,
/// so that nothing moves on the picture but what comes and what goes; a new one takes the nearest that is free.
pub(super) fn arrange(
    canvas: Canvas,
    before: &[Spot],
    sizes: &[(OverlayKind, OverlayPlace, u32, u32)],
) -> Vec<Spot> {
    let kept: Vec<Option<Spot>> = sizes
        .iter()
        .map(|(kind, place, width, height)| {
            let old = before
                .iter()
                .find(|spot| spot.kind == *kind && spot.place == *place)?;
            let new = at(canvas, (*kind, *place, *width, *height), depth(canvas, old));
            Some(new)
        })
        .collect();
    let mut taken: Vec<Spot> = Vec::new();
    let mut spots: Vec<Option<Spot>> = vec![None; sizes.len()];
    // Those that were there first, and of them as many as still fit beside each other.
    for (spot, kept) in spots.iter_mut().zip(kept) {
        if let Some(kept) = kept
            && taken.iter().all(|other| !overlap(canvas, &kept, other))
        {
            taken.push(kept);
            *spot = Some(kept);
        }
    }
    for (spot, size) in spots.iter_mut().zip(sizes) {
        if spot.is_none() {
            let new = nearest(canvas, *size, &taken);
            taken.push(new);
            *spot = Some(new);
        }
    }
    spots.into_iter().flatten().collect()
}

/// The free spot nearest to the edge; at the edge itself where all is full.
fn nearest(canvas: Canvas, size: (OverlayKind, OverlayPlace, u32, u32), taken: &[Spot]) -> Spot {
    let edge = margins(canvas).1 as u32;
    let gap = (GAP * text::scale(canvas)) as u32;
    let beyond = taken
        .iter()
        .filter(|spot| below(spot.place) == below(size.1))
        .map(|spot| depth(canvas, spot) + spot.height + gap);
    let mut depths: Vec<u32> = std::iter::once(edge).chain(beyond).collect();
    depths.sort_unstable();
    let free = depths
        .into_iter()
        .filter(|depth| depth + size.3 <= canvas.height())
        .map(|depth| at(canvas, size, depth))
        .find(|spot| taken.iter().all(|other| !overlap(canvas, spot, other)));
    free.unwrap_or_else(|| at(canvas, size, edge))
}

/// Distance of a spot from the edge that it belongs to.
fn depth(canvas: Canvas, spot: &Spot) -> u32 {
    if spot.bottom() {
        canvas.height().saturating_sub(spot.y + spot.height)
    } else {
        spot.y
    }
}

fn at(
    canvas: Canvas,
    (kind, place, width, height): (OverlayKind, OverlayPlace, u32, u32),
    depth: u32,
) -> Spot {
    use OverlayPlace::{Bottom, BottomLeft, BottomRight, Top, TopLeft, TopRight};
    let side = margins(canvas).0 as u32;
    let free = canvas.width().saturating_sub(width);
    let x = match place {
        TopLeft | BottomLeft => side.min(free),
        Top | Bottom => free / 2,
        TopRight | BottomRight => free.saturating_sub(side),
    };
    let low = canvas.height().saturating_sub(height);
    let y = if below(place) {
        low.saturating_sub(depth)
    } else {
        depth.min(low)
    };
    Spot {
        kind,
        place,
        x: x & !1,
        y: y & !1,
        width,
        height,
    }
}

fn overlap(canvas: Canvas, a: &Spot, b: &Spot) -> bool {
    // Half of the gap: rounding to even pixels may eat some of it.
    let gap = (GAP * text::scale(canvas) / 2.0) as u32;
    a.x < b.x + b.width + gap
        && b.x < a.x + a.width + gap
        && a.y < b.y + b.height + gap
        && b.y < a.y + a.height + gap
}

#[cfg(test)]
mod tests {
    use super::*;
    use OverlayKind::{ChatMessage, Goal, LowerThird, ProductCard};
    use OverlayPlace::{Bottom, BottomLeft, BottomRight, Top, TopLeft, TopRight};

    fn wide() -> Canvas {
        Canvas::new(1920, 1080, 30).expect("a canvas")
    }

    fn upright() -> Canvas {
        Canvas::new(720, 1280, 30).expect("a canvas")
    }

    #[test]
    fn every_place_is_on_the_canvas_even_and_away_from_the_edge() {
        for canvas in [wide(), upright()] {
            for place in [TopLeft, Top, TopRight, BottomLeft, Bottom, BottomRight] {
                let spot = arrange(canvas, &[], &[(Goal, place, 500, 120)])[0];
                assert!(spot.x >= 28 && spot.y >= 28, "{place:?} {spot:?}");
                assert!(spot.x + spot.width <= canvas.width() - 28, "{place:?} {spot:?}");
                assert!(spot.y + spot.height <= canvas.height() - 28, "{place:?} {spot:?}");
                assert_eq!((spot.x % 2, spot.y % 2), (0, 0), "{place:?}");
                let slid = spot.y as i32 + spot.slide(canvas);
                assert!(
                    slid >= 0 && slid as u32 + spot.height <= canvas.height(),
                    "{place:?} slides off"
                );
            }
        }
    }

    #[test]
    fn those_of_one_place_stack_and_nobody_moves_when_one_goes() {
        let card = (ProductCard, BottomLeft, 800, 200);
        let name = (LowerThird, BottomLeft, 600, 140);
        let alone = arrange(wide(), &[], &[card]);
        let both = arrange(wide(), &alone, &[card, name]);
        assert_eq!(both[0], alone[0]);
        assert!(both[1].y + 140 < both[0].y, "{both:?}");
        let left = arrange(wide(), &both, &[name]);
        assert_eq!(left[0], both[1], "it stays where it is");
        let again = arrange(wide(), &left, &[name, card]);
        assert_eq!(again[1], both[0], "the free place at the edge is taken again");
    }

    #[test]
    fn on_an_upright_canvas_left_and_right_stack_too() {
        let card = (ProductCard, BottomLeft, 640, 220);
        let message = (ChatMessage, BottomRight, 640, 200);
        let spots = arrange(upright(), &[], &[card, message]);
        assert!(spots[1].y + 200 < spots[0].y, "{spots:?}");
        let wide = arrange(wide(), &[], &[card, message]);
        assert_eq!(
            wide[1].y + 200,
            wide[0].y + 220,
            "side by side where there is room"
        );
    }

    #[test]
    fn what_grows_grows_away_from_the_edge() {
        let before = arrange(wide(), &[], &[(ChatMessage, BottomRight, 600, 100)]);
        let after = arrange(wide(), &before, &[(ChatMessage, BottomRight, 600, 300)]);
        assert_eq!(after[0].y + 300, before[0].y + 100);
    }
}
