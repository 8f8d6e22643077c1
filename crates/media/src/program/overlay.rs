//! Overlays over the program: pictures that come and go with a short movement, whatever scene is below.
//!
//! The movement is driven by the ticks' running time. What is here runs on the program's thread and draws nothing but
//! pictures that are ready.

use std::sync::{Arc, Weak};

use protocol::OverlayKind;
use resvg::tiny_skia::Pixmap;

use super::blend::{self, CanvasMut, OPAQUE, Picture, Plane};
use super::video::Shared;

/// How long an overlay takes to come or to go, in nanoseconds.
pub(super) const MOVES_FOR: u64 = 300_000_000;

/// An overlay's pixels as the program needs them: 4:2:0, BT.709, limited range, premultiplied.
#[derive(Debug)]
pub(crate) struct OverlayPicture {
    width: usize,
    height: usize,
    /// Y, U, V, and alpha at full and at half size; rows without gaps.
    planes: [Vec<u8>; 5],
}

impl OverlayPicture {
    /// From premultiplied RGBA. An odd last row or column is left out: 4:2:0 has none.
    pub(crate) fn from_pixmap(pixmap: &Pixmap) -> Self {
        let (width, height) = (pixmap.width() as usize & !1, pixmap.height() as usize & !1);
        let row = pixmap.width() as usize * 4;
        let source = pixmap.data();
        let mut luma = Vec::with_capacity(width * height);
        let mut alpha = Vec::with_capacity(width * height);
        for y in 0..height {
            for pixel in source[y * row..][..width * 4].chunks_exact(4) {
                let [r, g, b] = [pixel[0], pixel[1], pixel[2]].map(u32::from);
                // Both luma and alpha are linear, so a premultiplied colour gives a premultiplied luma, over black.
                luma.push((((11_966 * r + 40_254 * g + 4_064 * b + 32_768) >> 16) + 16) as u8);
                alpha.push(pixel[3]);
            }
        }
        let (mut u, mut v) = (
            Vec::with_capacity(width * height / 4),
            Vec::with_capacity(width * height / 4),
        );
        for y in (0..height).step_by(2) {
            for x in (0..width).step_by(2) {
                let sum = |n: usize| -> i32 {
                    let at = |dx: usize, dy: usize| i32::from(source[(y + dy) * row + (x + dx) * 4 + n]);
                    at(0, 0) + at(1, 0) + at(0, 1) + at(1, 1)
                };
                let (r, g, b) = (sum(0), sum(1), sum(2));
                // Of four pixels, hence two bits more.
                let chroma = |sum: i32| (((sum + (1 << 17)) >> 18) + 128).clamp(0, 255) as u8;
                u.push(chroma(-6_596 * r - 22_189 * g + 28_785 * b));
                v.push(chroma(28_785 * r - 26_145 * g - 2_640 * b));
            }
        }
        let mut half = Vec::with_capacity(width * height / 4);
        let whole = Plane {
            data: &alpha,
            stride: width,
        };
        blend::halve(whole, width, height, &mut half);
        Self {
            width,
            height,
            planes: [luma, u, v, alpha, half],
        }
    }

    /// In pixels, even.
    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// In pixels, even.
    pub(crate) fn height(&self) -> usize {
        self.height
    }

    fn picture(&self) -> Picture<'_> {
        let plane = |n: usize, stride: usize| Plane {
            data: &self.planes[n],
            stride,
        };
        let half = self.width / 2;
        Picture {
            width: self.width,
            height: self.height,
            planes: [plane(0, self.width), plane(1, half), plane(2, half)],
            alpha: Some([plane(3, self.width), plane(4, half)]),
        }
    }
}

/// An overlay at its place.
#[derive(Debug, Clone)]
pub(crate) struct PlacedOverlay {
    /// One of a kind is on the picture at a time.
    pub kind: OverlayKind,
    pub picture: Arc<OverlayPicture>,
    /// Left edge, even.
    pub x: usize,
    /// Upper edge, even.
    pub y: usize,
    /// It comes from so many pixels below, and goes there; from above when negative.
    pub slide: i32,
}

/// The way to the program's overlays, from any thread.
#[derive(Debug, Clone)]
pub(crate) struct OverlaySink(pub(super) Weak<Shared>);

impl OverlaySink {
    /// What lies over the picture from the next frame on, back to front. Kinds that are new come, those that are
    /// missing go, both with their movement; the others change at once.
    pub(crate) fn show(&self, overlays: Vec<PlacedOverlay>) {
        if let Some(shared) = self.0.upgrade() {
            *super::lock(&shared.overlays) = Some(overlays);
        }
    }
}

/// The program's overlays in time. Times are running time in nanoseconds.
#[derive(Debug, Default)]
pub(super) struct Overlays {
    items: Vec<Item>,
    /// Something looks other than on the frame before.
    moved: bool,
}

#[derive(Debug)]
struct Item {
    placed: PlacedOverlay,
    coming: bool,
    /// How far it had come, `0.0..=1.0`, when it was last sent one way or the other, and when that was.
    from: f64,
    since: u64,
    /// How far it has come now.
    way: f64,
}

impl Overlays {
    /// Takes what is wanted from the frame at `tick` on; `frame_time` is the length of a frame.
    pub fn set(&mut self, wanted: Vec<PlacedOverlay>, tick: u64, frame_time: u64) {
        // The first frame of a movement shows that it has begun.
        let since = tick.saturating_sub(frame_time);
        let gone = |item: &Item| wanted.iter().all(|placed| placed.kind != item.placed.kind);
        let mut items = Vec::with_capacity(wanted.len().max(self.items.len()));
        for mut item in self.items.drain(..) {
            if gone(&item) {
                if item.coming {
                    item.send(false, since);
                }
                items.push(item);
            } else {
                items.push(item);
            }
        }
        for placed in wanted {
            match items.iter_mut().find(|item| item.placed.kind == placed.kind) {
                Some(item) => {
                    if !item.coming {
                        item.send(true, since);
                    }
                    item.placed = placed;
                }
                None => items.push(Item {
                    placed,
                    coming: true,
                    from: 0.0,
                    since,
                    way: 0.0,
                }),
            }
        }
        self.items = items;
        self.moved = true;
    }

    /// Moves on to the frame at `tick`.
    pub fn advance(&mut self, tick: u64) {
        for item in &mut self.items {
            let before = item.way;
            let part = tick.saturating_sub(item.since) as f64 / MOVES_FOR as f64;
            item.way = if item.coming {
                (item.from + part).min(1.0)
            } else {
                (item.from - part).max(0.0)
            };
            self.moved |= item.way != before;
        }
        let before = self.items.len();
        self.items.retain(|item| item.coming || item.way > 0.0);
        self.moved |= self.items.len() != before;
    }

    /// Whether this frame's overlays look other than the last frame's; asked once a frame.
    pub fn take_moved(&mut self) -> bool {
        std::mem::take(&mut self.moved)
    }

    /// Nothing to draw.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Draws them at the present moment of their movement.
    pub fn draw(&self, canvas: &mut CanvasMut) {
        for item in &self.items {
            let share = eased(item.way);
            let opacity = (share * f64::from(OPAQUE)).round() as u32;
            // Pixels of colour are two by two.
            let off = (f64::from(item.placed.slide) * (1.0 - share)) as i64 & !1;
            let y = (item.placed.y as i64 + off).max(0) as usize;
            if y < canvas.height && item.placed.x < canvas.width {
                canvas.draw(&item.placed.picture.picture(), item.placed.x, y, opacity);
            }
        }
    }
}

impl Item {
    fn send(&mut self, coming: bool, since: u64) {
        self.coming = coming;
        self.from = self.way;
        self.since = since;
    }
}

/// Quick at first, then slower: what comes is seen at once and arrives softly.
fn eased(way: f64) -> f64 {
    1.0 - (1.0 - way).powi(3)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: u64 = 33_333_333;

    fn overlay(kind: OverlayKind, rgba: [u8; 4]) -> PlacedOverlay {
        let mut pixmap = Pixmap::new(8, 4).expect("a size");
        for pixel in pixmap.data_mut().chunks_exact_mut(4) {
            pixel.copy_from_slice(&rgba);
        }
        PlacedOverlay {
            kind,
            picture: Arc::new(OverlayPicture::from_pixmap(&pixmap)),
            x: 4,
            y: 8,
            slide: 6,
        }
    }

    fn ways(overlays: &Overlays) -> Vec<f64> {
        overlays.items.iter().map(|item| item.way).collect()
    }

    #[test]
    fn what_comes_is_seen_on_its_first_frame_and_has_arrived_after_three_tenths() {
        let mut overlays = Overlays::default();
        overlays.set(vec![overlay(OverlayKind::Logo, [255; 4])], 5 * FRAME, FRAME);
        overlays.advance(5 * FRAME);
        assert!(ways(&overlays)[0] > 0.1, "{:?}", ways(&overlays));
        assert!(overlays.take_moved());
        overlays.advance(5 * FRAME + MOVES_FOR - FRAME);
        assert_eq!(ways(&overlays), [1.0]);
        overlays.take_moved();
        overlays.advance(30 * FRAME);
        assert!(!overlays.take_moved(), "it stands");
    }

    #[test]
    fn what_goes_turns_where_it_is_and_is_gone_in_the_end() {
        let mut overlays = Overlays::default();
        overlays.set(vec![overlay(OverlayKind::Logo, [255; 4])], 0, FRAME);
        overlays.advance(MOVES_FOR / 2);
        overlays.set(Vec::new(), MOVES_FOR / 2, 0);
        overlays.advance(MOVES_FOR / 2 + MOVES_FOR / 4);
        assert!((ways(&overlays)[0] - 0.25).abs() < 0.01, "{:?}", ways(&overlays));
        // And back again, before it has gone.
        overlays.set(
            vec![overlay(OverlayKind::Logo, [255; 4])],
            MOVES_FOR / 2 + MOVES_FOR / 4,
            0,
        );
        overlays.advance(MOVES_FOR);
        assert!((ways(&overlays)[0] - 0.5).abs() < 0.01, "{:?}", ways(&overlays));
        overlays.set(Vec::new(), MOVES_FOR, 0);
        overlays.take_moved();
        overlays.advance(2 * MOVES_FOR);
        assert!(overlays.is_empty());
        assert!(overlays.take_moved(), "the frame without it is another one");
    }

    #[test]
    fn another_picture_of_the_same_kind_does_not_move() {
        let mut overlays = Overlays::default();
        overlays.set(vec![overlay(OverlayKind::Countdown, [255; 4])], 0, FRAME);
        overlays.advance(MOVES_FOR);
        overlays.take_moved();
        overlays.set(vec![overlay(OverlayKind::Countdown, [9; 4])], MOVES_FOR, FRAME);
        overlays.advance(MOVES_FOR);
        assert_eq!(ways(&overlays), [1.0]);
        assert!(overlays.take_moved(), "but the frame is another one");
    }

    #[test]
    fn colours_follow_bt709_and_their_opacity() {
        let red = overlay(OverlayKind::Logo, [255, 0, 0, 255]);
        let [y, u, v, alpha, half] = &red.picture.planes;
        assert_eq!((alpha[0], half[0]), (255, 255));
        for (is, should) in [(y[0], 63), (u[0], 102), (v[0], 240)] {
            assert!(is.abs_diff(should) <= 1, "{is}, not {should}");
        }
        let nothing = overlay(OverlayKind::Logo, [0; 4]);
        let [y, u, v, alpha, _] = &nothing.picture.planes;
        assert_eq!((y[0], u[0], v[0], alpha[0]), (16, 128, 128, 0));
    }
}
