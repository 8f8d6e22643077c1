//! A table of products, line by line.

use std::borrow::Cow;

use csv::{ReaderBuilder, StringRecord};
use encoding_rs::{Encoding, WINDOWS_1252};
use protocol::{Text, WrongLine, WrongLineReason};

use super::columns::{Column, Columns};
use crate::Found;
use crate::money::Unit;
use crate::product::web_address;

/// Most bytes of a file.
const MOST_BYTES: usize = 64 * 1024 * 1024;
/// Most products of a file.
const MOST_LINES: usize = 100_000;
/// So many wrong lines are told; more only counted.
const TOLD: usize = 20;

/// What a file holds.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// The lines that can be used.
    pub products: Vec<Found>,
    /// How many cannot.
    pub wrong: u32,
    /// The first of those.
    pub wrong_lines: Vec<WrongLine>,
}

/// Why a file is no table of products. Reads after "failed to …".
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CsvError {
    /// No column is called as one with titles is.
    #[error("find a column of titles in the first line")]
    NoTitles,
    /// Too many bytes.
    #[error("take a file of over {} MB", MOST_BYTES / 1024 / 1024)]
    TooLarge,
    /// Too many products.
    #[error("take over {MOST_LINES} products")]
    TooMany,
}

/// Reads a file of products.
///
/// The first line names the columns, in English or French. UTF-8, UTF-16 with its mark, and what French Excel writes
/// (Windows-1252); commas, semicolons or tabs between fields; amounts with point or comma.
///
/// # Errors
/// [`CsvError`] when it is no such table. Single lines that are wrong are in [`Table::wrong_lines`].
pub fn read(bytes: &[u8]) -> Result<Table, CsvError> {
    if bytes.len() > MOST_BYTES {
        return Err(CsvError::TooLarge);
    }
    let text = decoded(bytes);
    let mut reader = ReaderBuilder::new()
        .delimiter(delimiter(&text))
        .flexible(true)
        .has_headers(false)
        .from_reader(text.as_bytes());
    let mut line = StringRecord::new();
    // A text's bytes are UTF-8, and memory can be read: no other error is left.
    let mut next = |line: &mut StringRecord| reader.read_record(line).unwrap_or(false);
    if !next(&mut line) {
        return Err(CsvError::NoTitles);
    }
    let headings = line.clone();
    let columns = Columns::of(&headings);
    if columns.place(Column::Title).is_none() {
        return Err(CsvError::NoTitles);
    }
    let mut table = Table::default();
    while next(&mut line) {
        if line.iter().all(|field| field.trim().is_empty()) {
            continue;
        }
        match product(&line, &headings, &columns) {
            Ok(_) if table.products.len() == MOST_LINES => return Err(CsvError::TooMany),
            Ok(product) => table.products.push(product),
            Err((column, reason)) => {
                table.wrong += 1;
                if table.wrong_lines.len() < TOLD {
                    let at = column.and_then(|column| columns.place(column));
                    table.wrong_lines.push(WrongLine {
                        line: line_of(&text, &line),
                        column: at
                            .and_then(|at| headings.get(at))
                            .unwrap_or_default()
                            .trim()
                            .chars()
                            .take(60)
                            .collect(),
                        reason,
                    });
                }
            }
        }
    }
    Ok(table)
}

/// The number of a record's first line, from 1. The reader's own count is one short after `\r\n`.
fn line_of(text: &str, record: &StringRecord) -> u32 {
    let bytes = text.as_bytes();
    let at = record
        .position()
        .map_or(0, |at| usize::try_from(at.byte()).unwrap_or(0));
    let ends = bytes[at..]
        .iter()
        .take_while(|byte| matches!(byte, b'\r' | b'\n'))
        .count();
    let before = bytes[..at + ends].iter().filter(|byte| **byte == b'\n').count();
    u32::try_from(before + 1).unwrap_or(u32::MAX)
}

type Wrong = (Option<Column>, WrongLineReason);

fn product(line: &StringRecord, headings: &StringRecord, columns: &Columns) -> Result<Found, Wrong> {
    let field = |column| columns.field(line, column);
    let wrong = |column, reason| (Some(column), reason);
    // Spreadsheets leave empty fields at the end away; a field too many is a separator inside a title.
    let beyond = line
        .iter()
        .skip(headings.len())
        .any(|field| !field.trim().is_empty());
    if beyond {
        return Err((None, WrongLineReason::Shape));
    }
    let title = field(Column::Title);
    if title.is_empty() {
        return Err(wrong(Column::Title, WrongLineReason::NoTitle));
    }
    let title: Text<200> = text(title).ok_or(wrong(Column::Title, WrongLineReason::TooLong))?;
    let sku: Text<100> = text(field(Column::Sku)).ok_or(wrong(Column::Sku, WrongLineReason::TooLong))?;
    let left = match field(Column::Stock) {
        "" => None,
        count => Some(whole(count).ok_or(wrong(Column::Stock, WrongLineReason::Count))?),
    };
    let address = |column| match field(column) {
        "" => Ok(Text::default()),
        // A spreadsheet of WooCommerce's own has several pictures, between commas.
        text => web_address(text.split(", ").next().unwrap_or(text))
            .ok_or(wrong(column, WrongLineReason::Address)),
    };
    Ok(Found {
        sku,
        title,
        price: price(columns, line)?,
        buyable: left != Some(0),
        left,
        link: address(Column::Link)?,
        image: address(Column::Image)?,
        ..Found::default()
    })
}

fn price(columns: &Columns, line: &StringRecord) -> Result<Option<protocol::Price>, Wrong> {
    let field = |column| columns.field(line, column);
    let (now, before) = (field(Column::Price), field(Column::RegularPrice));
    // Only a regular price: then that is the price.
    let (column, now, before) = if now.is_empty() {
        (Column::RegularPrice, before, "")
    } else {
        (Column::Price, now, before)
    };
    if now.is_empty() {
        return Ok(None);
    }
    let (sign, amount) = split_sign(now);
    let unit = match (field(Column::Currency), sign) {
        ("", None) => return Err((Some(column), WrongLineReason::Currency)),
        ("", Some(code)) => Unit::of(code),
        (named, _) => Unit::of(split_sign(named).0.unwrap_or(named)),
    };
    let of_currency = if field(Column::Currency).is_empty() {
        column
    } else {
        Column::Currency
    };
    let unit = unit.ok_or((Some(of_currency), WrongLineReason::Currency))?;
    let minor = |text: &str| unit.minor(&with_point(text, unit.digits)?);
    let now = minor(amount).ok_or((Some(column), WrongLineReason::Amount))?;
    let was = match before {
        "" => None,
        before => {
            let (_, amount) = split_sign(before);
            Some(minor(amount).ok_or((Some(Column::RegularPrice), WrongLineReason::Amount))?)
        }
    };
    Ok(Some(unit.price(now, was)))
}

/// A currency's sign or code before or behind an amount, and the amount.
fn split_sign(text: &str) -> (Option<&str>, &str) {
    let text = text.trim();
    let part =
        |c: char| c.is_ascii_digit() || matches!(c, '.' | ',' | '-' | '+' | '\'' | '’') || c.is_whitespace();
    let amount = text.trim_matches(|c: char| !part(c)).trim();
    let at = text.find(amount).unwrap_or(0);
    let (before, behind) = (text[..at].trim(), text[at + amount.len()..].trim());
    let sign = match (before, behind) {
        ("", sign) | (sign, "") => sign,
        // A sign on both sides is none that is known.
        _ => text,
    };
    let code = match sign {
        "" => None,
        "€" => Some("EUR"),
        "$" | "US$" => Some("USD"),
        "£" => Some("GBP"),
        code => Some(code),
    };
    (code, amount)
}

/// An amount with point or comma as one with a point. `None` when it cannot be told what the sign in it is: of `1,234`
/// euros nobody knows whether they are one or a thousand.
fn with_point(text: &str, digits: u8) -> Option<String> {
    let text: String = text
        .chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '\'' | '’'))
        .collect();
    let last = text.rfind(['.', ',']);
    let Some(at) = last else { return Some(text) };
    let (whole, part) = (&text[..at], &text[at + 1..]);
    let sign = text.as_bytes()[at] as char;
    let groups = |text: &str, sign: char| {
        let mut groups = text.split(sign);
        groups.next().is_some_and(|first| (1..=3).contains(&first.len()))
            && groups.all(|group| group.len() == 3)
    };
    if !whole.contains(['.', ',']) {
        // One sign: a decimal one, unless three figures follow that the currency does not have.
        let decimals =
            part.len() <= usize::from(digits) || part.bytes().all(|b| b == b'0') && part.len() != 3;
        return decimals.then(|| format!("{whole}.{part}"));
    }
    let other = if sign == ',' { '.' } else { ',' };
    if whole.contains(sign) {
        // Twice the same: they group, and there is no part.
        return (!whole.contains(other) && groups(&text, sign)).then(|| text.replace(sign, ""));
    }
    (groups(whole, other) && part.len() <= usize::from(digits))
        .then(|| format!("{}.{part}", whole.replace(other, "")))
}

fn whole(text: &str) -> Option<u32> {
    let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let text = text
        .strip_suffix(".0")
        .or(text.strip_suffix(",0"))
        .unwrap_or(&text);
    (!text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?
}

/// A text that fits; line breaks inside a field become spaces.
fn text<const MOST: usize>(field: &str) -> Option<Text<MOST>> {
    (field.chars().count() <= MOST).then(|| Text::cut(field))
}

fn decoded(bytes: &[u8]) -> Cow<'_, str> {
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        return encoding.decode_without_bom_handling(&bytes[mark..]).0;
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => WINDOWS_1252.decode_without_bom_handling(bytes).0,
    }
}

/// What stands between the fields of the first line most often.
fn delimiter(text: &str) -> u8 {
    let first = text
        .lines()
        .find(|line| !line.trim().is_empty())
        .unwrap_or_default();
    let count = |sign: u8| first.bytes().filter(|b| *b == sign).count();
    [b';', b'\t', b',']
        .into_iter()
        .max_by_key(|sign| count(*sign))
        .unwrap_or(b',')
}

#[cfg(test)]
mod tests;
