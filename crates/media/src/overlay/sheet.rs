//! A drawing of one overlay: panels, bars and lines of words, written as SVG, made pixels by resvg.
//!
//! Lengths are points: 1080 to the canvas's shorter side.

use std::fmt::Write;

use protocol::{Colour, OverlayLook};
use resvg::tiny_skia::{
    FillRule, FilterQuality, Paint, Path, PathBuilder, Pattern, Pixmap, Rect, SpreadMode, Transform,
};

use super::lines::{self, Line};
use crate::source::text::{self, Look, SvgError, TextError};

/// Distance of two baselines, in ems.
const LEADING: f32 = 1.22;
/// First baseline below the top of a line, in ems.
const ASCENT: f32 = 0.95;

/// How letters look.
#[derive(Debug, Clone, Copy)]
pub(super) struct Face {
    /// In points.
    pub size: f32,
    pub bold: bool,
}

impl Face {
    /// Height of one line.
    pub fn line(self) -> f32 {
        self.size * LEADING
    }
}

/// A colour with an opacity of its own, `0.0..=1.0`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ink(pub Colour, pub f32);

impl Ink {
    fn css(self, what: &str) -> String {
        let Self(c, opacity) = self;
        let alpha = f32::from(c.alpha) / 255.0 * opacity;
        format!(
            r##"{what}="#{:02x}{:02x}{:02x}" {what}-opacity="{alpha:.3}""##,
            c.red, c.green, c.blue
        )
    }
}

/// Measures words in the look's font.
#[derive(Clone, Copy)]
pub(super) struct Pen<'a> {
    look: &'a OverlayLook,
}

impl<'a> Pen<'a> {
    pub fn new(look: &'a OverlayLook) -> Self {
        Self { look }
    }

    pub fn words(&self, opacity: f32) -> Ink {
        Ink(self.look.words, opacity)
    }

    pub fn accent(&self) -> Ink {
        Ink(self.look.accent, 1.0)
    }

    pub fn back(&self) -> Ink {
        Ink(self.look.back, 1.0)
    }

    /// At most `most` lines of `room` points.
    pub fn fit(&self, words: &str, face: Face, room: f32, most: usize) -> Result<Vec<Line>, SvgError> {
        lines::fit(words, &self.letters(face), room, most)
    }

    /// One line of at most `room` points.
    pub fn one(&self, words: &str, face: Face, room: f32) -> Result<Option<Line>, SvgError> {
        lines::one(words, &self.letters(face), room)
    }

    /// Width of words whose figures may change without any of them moving.
    pub fn widest(&self, words: &str, face: Face) -> Result<f32, SvgError> {
        let figures: String = words
            .chars()
            .map(|c| if c.is_ascii_digit() { '0' } else { c })
            .collect();
        Ok(text::measure(&[figures], &self.letters(face))?[0])
    }

    fn letters(&self, face: Face) -> Look<'a> {
        Look {
            font: self.look.font.as_str(),
            size: face.size,
            bold: face.bold,
            colour: self.look.words,
            outline: self.look.words,
            outline_width: 0.0,
        }
    }
}

/// Where a line of words begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum From {
    Left,
    Middle,
    Right,
}

/// A drawing that grows.
pub(super) struct Sheet {
    width: f32,
    height: f32,
    svg: String,
    /// A picture, its square, and the radius of its corners.
    picture: Option<(Pixmap, [f32; 3], f32)>,
}

impl Sheet {
    /// With a panel as large as the sheet under everything.
    pub fn panel(pen: &Pen, width: f32, height: f32, radius: f32) -> Self {
        let mut sheet = Self::bare(pen, width, height);
        sheet.rect([0.0, 0.0, width, height], radius, pen.back());
        // A fine edge parts it from a picture as dark as itself.
        let _ = write!(
            sheet.svg,
            r#"<rect x="1" y="1" width="{}" height="{}" rx="{}" fill="none" {} stroke-width="2"/>"#,
            width - 2.0,
            height - 2.0,
            radius - 1.0,
            pen.words(0.14).css("stroke"),
        );
        sheet
    }

    /// With nothing on it.
    pub fn bare(pen: &Pen, width: f32, height: f32) -> Self {
        Self {
            width,
            height,
            svg: format!(
                r#"<g font-family="{}" xml:space="preserve">"#,
                text::family(pen.look.font.as_str())
            ),
            picture: None,
        }
    }

    /// A filled rectangle `[x, y, width, height]`.
    pub fn rect(&mut self, [x, y, width, height]: [f32; 4], radius: f32, ink: Ink) {
        let radius = radius.min(width / 2.0).min(height / 2.0);
        let fill = ink.css("fill");
        let _ = write!(
            self.svg,
            r#"<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="{radius}" {fill}/>"#
        );
    }

    /// A horizontal line through the middle of small letters, as over a price that no longer holds.
    pub fn strike(&mut self, x: f32, top: f32, width: f32, face: Face, ink: Ink) {
        let y = top + face.size * 0.62;
        self.rect([x, y, width, (face.size * 0.07).max(2.0)], 0.0, ink);
    }

    /// Words on one line, whose top is `top`.
    pub fn words(&mut self, words: &str, from: From, x: f32, top: f32, face: Face, ink: Ink) {
        let anchor = match from {
            From::Left => "start",
            From::Middle => "middle",
            From::Right => "end",
        };
        let _ = write!(
            self.svg,
            r#"<text x="{x}" y="{}" font-size="{}" font-weight="{}" text-anchor="{anchor}" {} xml:space="preserve">{}</text>"#,
            top + ASCENT * face.size,
            face.size,
            if face.bold { 700 } else { 400 },
            ink.css("fill"),
            text::escaped(words),
        );
    }

    /// Lines below each other in a column `[x, top, width]`, each at the side at which its script begins. Where the
    /// next thing can stand.
    pub fn column(&mut self, lines: &[Line], [x, top, width]: [f32; 3], face: Face, ink: Ink) -> f32 {
        for (n, line) in lines.iter().enumerate() {
            let top = top + face.line() * n as f32;
            if line.from_right {
                // Written out from the left edge of the words: an anchor counts in the direction of the line.
                self.words(&line.text, From::Left, x + width - line.width, top, face, ink);
            } else {
                self.words(&line.text, From::Left, x, top, face, ink);
            }
        }
        top + face.line() * lines.len() as f32
    }

    /// Time, each figure in a cell of its own, so that none moves when another changes.
    pub fn clock(
        &mut self,
        pen: &Pen,
        time: &str,
        [x, top]: [f32; 2],
        face: Face,
        ink: Ink,
    ) -> Result<(), SvgError> {
        let cells = pen.widest("0", face)?;
        let mut x = x;
        for letter in time.chars() {
            let letter = letter.to_string();
            let width = if letter.as_bytes()[0].is_ascii_digit() {
                cells
            } else {
                pen.widest(&letter, face)?
            };
            self.words(&letter, From::Middle, x + width / 2.0, top, face, ink);
            x += width;
        }
        Ok(())
    }

    /// A picture that fills the square at `[x, y]` with sides of `side`, cut to it in the middle.
    pub fn picture(&mut self, picture: Pixmap, square: [f32; 3], radius: f32) {
        self.picture = Some((picture, square, radius));
    }

    /// The pixels, `scale` to a point.
    pub fn draw(self, scale: f32) -> Result<Pixmap, TextError> {
        let side = |length: f32| ((length * scale).ceil().max(2.0) as u32).next_multiple_of(2);
        let (width, height) = (side(self.width), side(self.height));
        let too_large = || TextError::TooLarge {
            width: width.into(),
            height: height.into(),
        };
        let mut pixmap = Pixmap::new(width, height).ok_or_else(too_large)?;
        let svg = format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" width="{}" height="{}">{}</g></svg>"#,
            self.width, self.height, self.svg
        );
        let tree = text::tree(&svg)?;
        let transform = Transform::from_scale(width as f32 / self.width, height as f32 / self.height);
        resvg::render(&tree, transform, &mut pixmap.as_mut());
        if let Some((picture, square, radius)) = &self.picture {
            paint(&mut pixmap, picture, *square, *radius, transform);
        }
        Ok(pixmap)
    }
}

/// Paints `picture` into the square of the drawing, with round corners.
fn paint(pixmap: &mut Pixmap, picture: &Pixmap, [x, y, side]: [f32; 3], radius: f32, transform: Transform) {
    let (width, height) = (picture.width() as f32, picture.height() as f32);
    let zoom = side / width.min(height);
    let placed = Transform::from_row(
        zoom,
        0.0,
        0.0,
        zoom,
        x + (side - width * zoom) / 2.0,
        y + (side - height * zoom) / 2.0,
    );
    let paint = Paint {
        shader: Pattern::new(
            picture.as_ref(),
            SpreadMode::Pad,
            FilterQuality::Bilinear,
            1.0,
            placed,
        ),
        ..Paint::default()
    };
    if let Some(path) = rounded(x, y, side, radius) {
        pixmap.fill_path(&path, &paint, FillRule::Winding, transform, None);
    }
}

fn rounded(x: f32, y: f32, side: f32, r: f32) -> Option<Path> {
    Rect::from_xywh(x, y, side, side)?;
    let (right, bottom) = (x + side, y + side);
    let mut path = PathBuilder::new();
    path.move_to(x + r, y);
    path.line_to(right - r, y);
    path.quad_to(right, y, right, y + r);
    path.line_to(right, bottom - r);
    path.quad_to(right, bottom, right - r, bottom);
    path.line_to(x + r, bottom);
    path.quad_to(x, bottom, x, bottom - r);
    path.line_to(x, y + r);
    path.quad_to(x, y, x + r, y);
    path.close();
    path.finish()
}
