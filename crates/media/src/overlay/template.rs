//! The templates: content, look and canvas in, pixels out. Pure but for the logo, which is a file.

use protocol::{Canvas, ErrorCode, Frame, OverlayLook, UserError};
use resvg::tiny_skia::Pixmap;

use super::content::{OverlayContent, clock};
use super::layout;
use super::product::product;
use super::sheet::{Face, From, Pen, Sheet};
use crate::source::image;
use crate::source::text::{self, SvgError, TextError};

/// Room between a panel's edge and what stands on it, in points.
pub(super) const PAD: f32 = 26.0;
/// Radius of a panel's corners, in points.
pub(super) const RADIUS: f32 = 26.0;

/// Why an overlay is not on the picture.
#[derive(Debug, thiserror::Error)]
pub(super) enum TemplateError {
    #[error(transparent)]
    Text(#[from] TextError),
    #[error("read the logo: {}", .0.code.as_str())]
    Logo(UserError),
}

impl std::convert::From<SvgError> for TemplateError {
    fn from(error: SvgError) -> Self {
        Self::Text(error.into())
    }
}

/// What the templates know of the canvas.
pub(super) struct Room {
    /// Pixels of a point.
    scale: f32,
    /// Widest overlay, in points.
    most: f32,
    /// Broader than high.
    wide: bool,
    canvas: Canvas,
}

impl Room {
    fn of(canvas: Canvas) -> Self {
        let scale = text::scale(canvas);
        Self {
            scale,
            most: layout::room(canvas) / scale,
            wide: canvas.width() >= canvas.height(),
            canvas,
        }
    }

    /// At most this share of a wide canvas; all of an upright one.
    pub(super) fn share(&self, share: f32) -> f32 {
        let canvas = self.canvas.width() as f32 / self.scale;
        if self.wide {
            (canvas * share).min(self.most)
        } else {
            self.most
        }
    }
}

/// Draws one overlay for a canvas at a time (wall clock, milliseconds since 1970). Premultiplied RGBA, even sides.
pub(super) fn draw(
    content: &OverlayContent,
    look: &OverlayLook,
    canvas: Canvas,
    now_ms: u64,
) -> Result<Pixmap, TemplateError> {
    let room = Room::of(canvas);
    let pen = Pen::new(look);
    let sheet = match content {
        OverlayContent::Product(card) => product(&pen, &room, card, now_ms)?,
        OverlayContent::Message { name, text } => message(&pen, &room, name, text)?,
        OverlayContent::LowerThird { title, subtitle } => lower_third(&pen, &room, title, subtitle)?,
        OverlayContent::Logo { path } => return logo(path, &room),
        OverlayContent::Countdown { label, ends_at_ms } => countdown(
            &pen,
            &room,
            label,
            ends_at_ms.saturating_sub(now_ms).div_ceil(1000),
        )?,
        OverlayContent::Goal {
            label,
            value,
            target,
            share,
        } => goal(&pen, &room, label, value, target, *share)?,
    };
    Ok(sheet.draw(room.scale)?)
}

fn message(pen: &Pen, room: &Room, name: &str, words: &str) -> Result<Sheet, TemplateError> {
    const NAME: Face = Face {
        size: 30.0,
        bold: true,
    };
    const WORDS: Face = Face {
        size: 36.0,
        bold: false,
    };
    const BAR: f32 = 10.0;
    let left = PAD + BAR + 20.0;
    let most = room.share(0.42) - left - PAD;
    let name = pen.one(name, NAME, most)?;
    let lines = pen.fit(words, WORDS, most, if room.wide { 4 } else { 6 })?;
    let widest = lines
        .iter()
        .chain(&name)
        .map(|line| line.width)
        .fold(0.0, f32::max);
    let width = widest.max(most.min(260.0));
    let head = if name.is_some() { NAME.line() + 4.0 } else { 0.0 };
    let height = head + WORDS.line() * lines.len() as f32;
    let mut sheet = Sheet::panel(pen, left + width + PAD, height + 2.0 * PAD, RADIUS);
    sheet.rect([PAD, PAD, BAR, height], BAR / 2.0, pen.accent());
    if let Some(name) = name {
        sheet.column(&[name], [left, PAD, width], NAME, pen.accent());
    }
    sheet.column(&lines, [left, PAD + head, width], WORDS, pen.words(1.0));
    Ok(sheet)
}

fn lower_third(pen: &Pen, room: &Room, title: &str, subtitle: &str) -> Result<Sheet, TemplateError> {
    const TITLE: Face = Face {
        size: 52.0,
        bold: true,
    };
    const SUBTITLE: Face = Face {
        size: 34.0,
        bold: false,
    };
    const STRIPE: f32 = 12.0;
    let left = STRIPE + PAD;
    let most = room.share(0.6) - left - PAD - 10.0;
    let titles = pen.fit(title, TITLE, most, 2)?;
    let subtitles = pen.fit(subtitle, SUBTITLE, most, 2)?;
    let widest = titles
        .iter()
        .chain(&subtitles)
        .map(|line| line.width)
        .fold(0.0, f32::max);
    let width = widest.max(most.min(240.0));
    let gap = if titles.is_empty() || subtitles.is_empty() {
        0.0
    } else {
        6.0
    };
    let height = TITLE.line() * titles.len() as f32 + gap + SUBTITLE.line() * subtitles.len() as f32;
    let pad = 22.0;
    let mut sheet = Sheet::panel(pen, left + width + PAD + 10.0, height + 2.0 * pad, 10.0);
    sheet.rect([0.0, 0.0, STRIPE, height + 2.0 * pad], 4.0, pen.accent());
    let top = sheet.column(&titles, [left, pad, width], TITLE, pen.words(1.0));
    sheet.column(&subtitles, [left, top + gap, width], SUBTITLE, pen.words(0.82));
    Ok(sheet)
}

fn countdown(pen: &Pen, room: &Room, label: &str, seconds: u64) -> Result<Sheet, TemplateError> {
    const LABEL: Face = Face {
        size: 30.0,
        bold: false,
    };
    const TIME: Face = Face {
        size: 84.0,
        bold: true,
    };
    let time = clock(seconds);
    let time_width = pen.widest(&time, TIME)?;
    let most = room.share(0.5) - 2.0 * PAD - 12.0;
    let label = pen.one(label, LABEL, most)?;
    let label_width = label.as_ref().map_or(0.0, |line| line.width);
    let width = time_width.max(label_width);
    let head = if label.is_some() { LABEL.line() } else { 0.0 };
    let pad = 20.0;
    let height = head + TIME.line();
    let mut sheet = Sheet::panel(pen, width + 2.0 * PAD + 12.0, height + 2.0 * pad, RADIUS);
    let middle = PAD + 6.0 + width / 2.0;
    if let Some(label) = label {
        // Its own left edge: an anchor in the middle counts in the direction of the line.
        sheet.words(
            &label.text,
            From::Left,
            middle - label_width / 2.0,
            pad,
            LABEL,
            pen.words(0.82),
        );
    }
    let ink = if seconds <= 10 {
        pen.accent()
    } else {
        pen.words(1.0)
    };
    sheet.clock(pen, &time, [middle - time_width / 2.0, pad + head], TIME, ink)?;
    Ok(sheet)
}

fn goal(
    pen: &Pen,
    room: &Room,
    label: &str,
    value: &str,
    target: &str,
    share: f32,
) -> Result<Sheet, TemplateError> {
    const LABEL: Face = Face {
        size: 32.0,
        bold: true,
    };
    const NUMBER: Face = Face {
        size: 30.0,
        bold: false,
    };
    const BAR: f32 = 22.0;
    let width = (room.share(0.34) - 2.0 * PAD)
        .max(360.0)
        .min(room.most - 2.0 * PAD);
    let labels = pen.fit(label, LABEL, width, 2)?;
    let numbers = pen.one(&format!("{value} / {target}"), NUMBER, width - 110.0)?;
    let head = LABEL.line() * labels.len() as f32 + if labels.is_empty() { 0.0 } else { 10.0 };
    let height = head + BAR + 8.0 + NUMBER.line();
    let mut sheet = Sheet::panel(pen, width + 2.0 * PAD, height + 2.0 * PAD - 6.0, RADIUS);
    sheet.column(&labels, [PAD, PAD, width], LABEL, pen.words(1.0));
    let top = PAD + head;
    sheet.rect([PAD, top, width, BAR], BAR / 2.0, pen.words(0.18));
    let share = share.clamp(0.0, 1.0);
    if share > 0.0 {
        // Never less than a dot: something is more than nothing.
        sheet.rect([PAD, top, (width * share).max(BAR), BAR], BAR / 2.0, pen.accent());
    }
    if let Some(numbers) = numbers {
        sheet.words(
            &numbers.text,
            From::Left,
            PAD,
            top + BAR + 8.0,
            NUMBER,
            pen.words(0.86),
        );
    }
    let percent = format!("{} %", (share * 100.0).floor());
    sheet.words(
        &percent,
        From::Right,
        PAD + width,
        top + BAR + 8.0,
        NUMBER,
        pen.words(0.86),
    );
    Ok(sheet)
}

/// The picture of a logo, as large as a logo may be.
fn logo(path: &str, room: &Room) -> Result<Pixmap, TemplateError> {
    let even = |length: f32| (length * room.scale) as u32 & !1;
    let size = Frame {
        width: even(if room.wide { 380.0 } else { 320.0 }).max(2),
        height: even(if room.wide { 170.0 } else { 180.0 }).max(2),
    };
    image::pixmap_of(path, size).map_err(TemplateError::Logo)
}

/// Whether a file can be shown as a logo. Reads and decodes it: not for a thread that others wait for.
///
/// # Errors
/// [`ErrorCode::FileMissing`], [`ErrorCode::FileUnreadable`], [`ErrorCode::MediaUnreadable`].
pub fn check_logo(path: &str, canvas: Canvas) -> Result<(), UserError> {
    if !std::path::Path::new(path).is_absolute() {
        return Err(UserError::new(ErrorCode::FileMissing).with("path", path));
    }
    logo(path, &Room::of(canvas))
        .map(|_| ())
        .map_err(|error| match error {
            TemplateError::Logo(user) => user,
            TemplateError::Text(error) => UserError::new(ErrorCode::Internal).with("detail", error),
        })
}

#[cfg(test)]
#[path = "template_tests.rs"]
mod tests;
