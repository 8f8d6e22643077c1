//! The product card: picture, title, note, price, what it cost before, what is left of stock and time.

use protocol::{Colour, Frame};
use resvg::tiny_skia::Pixmap;

use super::content::{PictureBytes, ProductCard, clock};
use super::lines::Line;
use super::sheet::{Face, From, Ink, Pen, Sheet};
use super::template::{PAD, RADIUS, Room, TemplateError};
use crate::source::image;

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

/// Draws a product's card.
pub(super) fn product(
    pen: &Pen,
    room: &Room,
    card: &ProductCard,
    now_ms: u64,
) -> Result<Sheet, TemplateError> {
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
    let ProductCard {
        title,
        note,
        price,
        was,
        code,
        stock,
        ends_at_ms,
        picture,
    } = card;
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
    let width_of = |line: &Option<Line>| line.as_ref().map_or(0.0, |line| line.width);
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
fn against(colour: Colour) -> Colour {
    let light =
        0.2126 * f32::from(colour.red) + 0.7152 * f32::from(colour.green) + 0.0722 * f32::from(colour.blue);
    let side = if light > 120.0 { 0x10 } else { 0xff };
    Colour {
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
