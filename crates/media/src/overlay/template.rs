//! The templates: content, look and canvas in, pixels out. Pure but for the logo, which is a file.

use protocol::{Canvas, ErrorCode, Frame, OverlayLook, UserError};
use resvg::tiny_skia::Pixmap;

use super::content::{OverlayContent, PictureBytes, clock};
use super::layout;
use super::sheet::{Face, From, Ink, Pen, Sheet};
use crate::source::image;
use crate::source::text::{self, TextError};

/// Room between a panel's edge and what stands on it, in points.
const PAD: f32 = 26.0;
const RADIUS: f32 = 26.0;

/// Why an overlay is not on the picture.
#[derive(Debug, thiserror::Error)]
pub(super) enum TemplateError {
    #[error(transparent)]
    Text(#[from] TextError),
    #[error("read the logo: {}", .0.code.as_str())]
    Logo(UserError),
}

impl std::convert::From<resvg::usvg::Error> for TemplateError {
    fn from(error: resvg::usvg::Error) -> Self {
        Self::Text(error.into())
    }
}

/// What the templates know of the canvas.
struct Room {
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
    fn share(&self, share: f32) -> f32 {
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
        OverlayContent::Product { .. } => product(&pen, &room, content, now_ms)?,
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

/// A small rounded field with words, beside a price.
struct Pill {
    words: String,
    width: f32,
    warns: bool,
}

const PILL: Face = Face {
    size: 28.0,
    bold: true,
};
const PILL_PAD: f32 = 18.0;
const PILL_HEIGHT: f32 = 46.0;
const PILL_GAP: f32 = 12.0;

fn product(pen: &Pen, room: &Room, content: &OverlayContent, now_ms: u64) -> Result<Sheet, TemplateError> {
    const PICTURE: f32 = 184.0;
    const GAP: f32 = 28.0;
    const TITLE: Face = Face {
        size: 38.0,
        bold: true,
    };
    const NOTE: Face = Face {
        size: 29.0,
        bold: false,
    };
    const PRICE: Face = Face {
        size: 46.0,
        bold: true,
    };
    const WAS: Face = Face {
        size: 29.0,
        bold: false,
    };
    let OverlayContent::Product {
        title,
        note,
        price,
        was,
        code,
        stock,
        ends_at_ms,
        picture,
    } = content
    else {
        unreachable!("only a product's content comes here")
    };
    // An offer that is over takes its code and its price with it, as on the viewers' page.
    let over = ends_at_ms.is_some_and(|ends| ends <= now_ms);
    let (price, was) = match (over, was.is_empty()) {
        (true, false) => (was.as_str(), ""),
        _ => (price.as_str(), was.as_str()),
    };
    let mut offer = Vec::new();
    if let Some(ends) = ends_at_ms.filter(|_| !over) {
        offer.push(clock((ends - now_ms).div_ceil(1000)));
    }
    if !over && !code.is_empty() {
        offer.push(code.clone());
    }

    let image = picture.as_ref().and_then(shown);
    let left = PAD + if image.is_some() { PICTURE + GAP } else { 0.0 };
    let most = room.share(0.46) - left - PAD;
    let titles = pen.fit(title, TITLE, most, 2)?;
    let note = pen.one(note, NOTE, most)?;
    let price = pen.one(price, PRICE, most)?;
    // A price that leaves no room for the one before has nothing beside it.
    let beside_price = most - price.as_ref().map_or(0.0, |line| line.width + 16.0);
    let was = if beside_price > 60.0 {
        pen.one(was, WAS, beside_price)?
    } else {
        None
    };
    let mut pills = Vec::new();
    for (words, warns) in [(stock.as_str(), true), (offer.join(" · ").as_str(), false)] {
        if let Some(line) = pen.one(words, PILL, most - 2.0 * PILL_PAD)? {
            let width = pen.widest(&line.text, PILL)?.min(most - 2.0 * PILL_PAD) + 2.0 * PILL_PAD;
            pills.push(Pill {
                words: line.text,
                width,
                warns,
            });
        }
    }
    let width_of = |line: &Option<super::lines::Line>| line.as_ref().map_or(0.0, |line| line.width);
    let prices = width_of(&price) + if was.is_some() { 16.0 + width_of(&was) } else { 0.0 };
    let all_pills = pills.iter().map(|pill| pill.width + PILL_GAP).sum::<f32>() - PILL_GAP;
    let beside = pills.is_empty() || prices == 0.0 || prices + 28.0 + all_pills <= most;
    let row = match (beside, pills.is_empty()) {
        (true, false) if prices > 0.0 => prices + 28.0 + all_pills,
        (_, true) => prices,
        _ => prices.max(all_pills.min(most)),
    };
    let widest = titles.iter().map(|line| line.width).fold(0.0, f32::max);
    let text_width = widest.max(width_of(&note)).max(row).max(most.min(320.0));

    let mut height = TITLE.line() * titles.len() as f32;
    if note.is_some() {
        height += 4.0 + NOTE.line();
    }
    let has_row = price.is_some() || (beside && !pills.is_empty());
    if has_row {
        height += 12.0 + PRICE.line();
    }
    let own_rows = if beside {
        0
    } else {
        rows_of(&pills, text_width).len()
    };
    height += own_rows as f32 * (PILL_HEIGHT + PILL_GAP);
    let inner = height.max(if image.is_some() { PICTURE } else { 0.0 });

    let mut sheet = Sheet::panel(pen, left + text_width + PAD, inner + 2.0 * PAD, RADIUS);
    if let Some(image) = image {
        sheet.picture(image, [PAD, PAD + (inner - PICTURE) / 2.0, PICTURE], 16.0);
    }
    let mut top = PAD + (inner - height) / 2.0;
    top = sheet.column(&titles, [left, top, text_width], TITLE, pen.words(1.0));
    if let Some(note) = note {
        top = sheet.column(&[note], [left, top + 4.0, text_width], NOTE, pen.words(0.78));
    }
    if has_row {
        top += 12.0;
        let mut x = left;
        if let Some(price) = &price {
            sheet.words(&price.text, From::Left, x, top, PRICE, pen.words(1.0));
            x += price.width + 16.0;
        }
        if let Some(was) = &was {
            let lower = top + (PRICE.size - WAS.size) * 0.95;
            sheet.words(&was.text, From::Left, x, lower, WAS, pen.words(0.66));
            sheet.strike(x, lower, was.width, WAS, pen.words(0.66));
        }
        if beside {
            let mut x = left + text_width - all_pills;
            for pill in &pills {
                sheet_pill(&mut sheet, pen, pill, [x, top + 4.0]);
                x += pill.width + PILL_GAP;
            }
        }
        top += PRICE.line();
    }
    if !beside {
        for row in rows_of(&pills, text_width) {
            let mut x = left;
            for pill in row {
                sheet_pill(&mut sheet, pen, pill, [x, top + PILL_GAP]);
                x += pill.width + PILL_GAP;
            }
            top += PILL_HEIGHT + PILL_GAP;
        }
    }
    Ok(sheet)
}

/// Pills in rows that are no wider than `room`.
fn rows_of(pills: &[Pill], room: f32) -> Vec<Vec<&Pill>> {
    let mut rows: Vec<(Vec<&Pill>, f32)> = Vec::new();
    for pill in pills {
        match rows.last_mut() {
            Some((row, used)) if *used + PILL_GAP + pill.width <= room => {
                row.push(pill);
                *used += PILL_GAP + pill.width;
            }
            _ => rows.push((vec![pill], pill.width)),
        }
    }
    rows.into_iter().map(|(row, _)| row).collect()
}

fn sheet_pill(sheet: &mut Sheet, pen: &Pen, pill: &Pill, [x, y]: [f32; 2]) {
    // Few left is said in the accent's colour, filled: the one thing on the card that hurries.
    let (field, letters) = if pill.warns {
        let Ink(accent, _) = pen.accent();
        (pen.accent(), Ink(against(accent), 1.0))
    } else {
        (pen.words(0.16), pen.words(1.0))
    };
    sheet.rect([x, y, pill.width, PILL_HEIGHT], PILL_HEIGHT / 2.0, field);
    let top = y + (PILL_HEIGHT - PILL.line()) / 2.0;
    sheet.words(&pill.words, From::Left, x + PILL_PAD, top, PILL, letters);
}

/// Black or white, whichever is easier to read on this colour.
fn against(colour: protocol::Colour) -> protocol::Colour {
    let light =
        0.2126 * f32::from(colour.red) + 0.7152 * f32::from(colour.green) + 0.0722 * f32::from(colour.blue);
    let side = if light > 120.0 { 0x10 } else { 0xff };
    protocol::Colour {
        red: side,
        green: side,
        blue: side,
        alpha: 255,
    }
}

/// A product's picture; one that cannot be read leaves the card without.
fn shown(picture: &PictureBytes) -> Option<Pixmap> {
    let size = Frame {
        width: 640,
        height: 640,
    };
    image::pixels(picture.0.to_vec(), size)
        .inspect_err(|error| tracing::warn!(%error, "a product's picture cannot be drawn"))
        .ok()
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
