//! Words into lines: measured, broken between words, cut with an ellipsis where there is no more room.

use unicode_segmentation::UnicodeSegmentation;

use crate::source::text::{Look, SvgError, measure};

/// Most characters that are looked at: no template shows more.
const MOST: usize = 600;
const ELLIPSIS: char = '…';
/// An isolate that runs from right to left, and its end.
const RIGHT_TO_LEFT: char = '\u{2067}';
const END_OF_ISOLATE: char = '\u{2069}';

/// One line.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Line {
    /// Ready to be drawn.
    pub text: String,
    /// In the unit of the letters' size.
    pub width: f32,
    /// It begins at the right.
    pub from_right: bool,
}

/// `text` in at most `most` lines that are no wider than `room`. What does not fit ends in an ellipsis.
pub(super) fn fit(text: &str, look: &Look, room: f32, most: usize) -> Result<Vec<Line>, SvgError> {
    let text = plain(text);
    if text.is_empty() || most == 0 {
        return Ok(Vec::new());
    }
    let from_right = from_right(&text);
    let mut lines = broken(&text, look, room)?;
    let too_many = lines.len() > most;
    if too_many {
        // The rest goes with the last line, so that what is cut is cut at its end.
        let rest = lines.split_off(most - 1).join(" ");
        lines.push(cut(&rest, look, room)?);
    }
    let widths = measure(&lines, look)?;
    let mut fitted = Vec::with_capacity(lines.len());
    for (line, width) in lines.into_iter().zip(widths) {
        // Letters side by side may be wider than one by one.
        let (line, width) = if width > room {
            let line = cut(&line, look, room)?;
            let width = measure(std::slice::from_ref(&line), look)?[0];
            (line, width)
        } else {
            (line, width)
        };
        let text = if from_right {
            format!("{RIGHT_TO_LEFT}{line}{END_OF_ISOLATE}")
        } else {
            line
        };
        fitted.push(Line {
            text,
            width,
            from_right,
        });
    }
    Ok(fitted)
}

/// `text` on one line.
pub(super) fn one(text: &str, look: &Look, room: f32) -> Result<Option<Line>, SvgError> {
    Ok(fit(text, look, room, 1)?.into_iter().next())
}

/// One space where there were several, or breaks; without what has no picture and what turns the direction of others.
/// Spaces that may not break stay, and stand where French has them whoever typed.
fn plain(text: &str) -> String {
    let hidden = |c: &char| {
        c.is_control()
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{fffe}' | '\u{ffff}')
    };
    let breaks = |c: char| c.is_whitespace() && !matches!(c, '\u{a0}' | '\u{202f}');
    let spaced = text.chars().map(|c| if breaks(c) { ' ' } else { c });
    let kept: String = spaced.filter(|c| !hidden(c)).take(MOST).collect();
    let words: Vec<&str> = kept.split(' ').filter(|word| !word.is_empty()).collect();
    let mut line = words.join(" ").replace("« ", "«\u{a0}");
    for mark in [" »", " !", " ?", " :", " ;"] {
        line = line.replace(mark, &mark.replace(' ', "\u{a0}"));
    }
    line
}

/// Whether the first letter with a direction runs from right to left (Hebrew, Arabic and their neighbours).
fn from_right(text: &str) -> bool {
    let first = text.chars().find(|c| c.is_alphabetic());
    first.is_some_and(
        |c| matches!(c, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}'),
    )
}

/// Breaks between words; a word that is wider alone breaks between letters.
fn broken(text: &str, look: &Look, room: f32) -> Result<Vec<String>, SvgError> {
    let words: Vec<String> = text.split(' ').map(str::to_owned).collect();
    let widths = measure(&words, look)?;
    let mut pieces = Vec::with_capacity(words.len());
    for (word, width) in words.into_iter().zip(widths) {
        if width <= room {
            pieces.push((word, width, true));
            continue;
        }
        let letters: Vec<String> = word.graphemes(true).map(str::to_owned).collect();
        let widths = measure(&letters, look)?;
        let mut piece = (String::new(), 0.0, true);
        for (letter, width) in letters.into_iter().zip(widths) {
            if !piece.0.is_empty() && piece.1 + width > room {
                pieces.push(std::mem::replace(&mut piece, (String::new(), 0.0, false)));
            }
            piece.0.push_str(&letter);
            piece.1 += width;
        }
        pieces.push(piece);
    }
    let space = measure(&["x x".to_owned(), "xx".to_owned()], look)?;
    let space = space[0] - space[1];
    let mut lines: Vec<(String, f32)> = Vec::new();
    for (piece, width, new_word) in pieces {
        match lines.last_mut() {
            Some((line, used)) if new_word && *used + space + width <= room => {
                line.push(' ');
                line.push_str(&piece);
                *used += space + width;
            }
            _ => lines.push((piece, width)),
        }
    }
    Ok(lines.into_iter().map(|(line, _)| line).collect())
}

/// As much of `text` as fits before an ellipsis.
fn cut(text: &str, look: &Look, room: f32) -> Result<String, SvgError> {
    let mut ends: Vec<usize> = text.grapheme_indices(true).map(|(at, _)| at).collect();
    ends.push(text.len());
    let shortened = |end: usize| format!("{}{ELLIPSIS}", text[..end].trim_end());
    // Widths grow with length, so halving finds the longest.
    let (mut fits, mut wide) = (0, ends.len());
    while fits + 1 < wide {
        let middle = (fits + wide) / 2;
        if measure(&[shortened(ends[middle])], look)?[0] <= room {
            fits = middle;
        } else {
            wide = middle;
        }
    }
    Ok(shortened(ends[fits]))
}

#[cfg(test)]
mod tests {
    use protocol::Colour;

    use super::*;

    fn look(size: f32) -> Look<'static> {
        let colour = Colour {
            red: 255,
            green: 255,
            blue: 255,
            alpha: 255,
        };
        Look {
            font: "DejaVu Sans",
            size,
            bold: true,
            colour,
            outline: colour,
            outline_width: 0.0,
        }
    }

    fn check(text: &str, room: f32, most: usize) -> Vec<Line> {
        let lines = fit(text, &look(30.0), room, most).expect("measured");
        assert!(lines.len() <= most, "{} lines of {text:?}", lines.len());
        for line in &lines {
            assert!(
                line.width <= room,
                "{:?} is {} wide, not {room}",
                line.text,
                line.width
            );
        }
        lines
    }

    #[test]
    fn what_fits_stays_and_what_does_not_ends_in_an_ellipsis() {
        let short = check("Crème brûlée à l’été", 800.0, 2);
        assert_eq!(short.len(), 1);
        assert_eq!(short[0].text, "Crème brûlée à l’été");
        let long = check(&"un très long titre ".repeat(15), 500.0, 2);
        assert_eq!(long.len(), 2);
        assert!(long[1].text.ends_with('…'), "{:?}", long[1].text);
        assert!(long[1].width > 350.0, "the last line is used: {}", long[1].width);
    }

    #[test]
    fn a_word_without_end_is_broken_between_letters() {
        let lines = check(&"W".repeat(250), 400.0, 3);
        assert_eq!(lines.len(), 3);
        assert!(lines[0].width > 350.0 && lines[2].text.ends_with('…'));
        // A family is one letter of seven code points, and is not torn apart.
        let family = "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}\u{200d}\u{1f466}";
        for line in check(&family.repeat(40), 300.0, 2) {
            let rest = line.text.replace(family, "").replace('…', "");
            assert_eq!(rest, "", "torn apart");
        }
    }

    #[test]
    fn arabic_and_hebrew_begin_at_the_right() {
        for text in ["مرحبا بكم في المتجر", "שלום לכולם"] {
            let lines = check(text, 800.0, 1);
            assert!(lines[0].from_right, "{text}");
        }
        assert!(!check("Hello مرحبا", 800.0, 1)[0].from_right);
        assert!(!check("…?!", 800.0, 1)[0].from_right);
    }

    #[test]
    fn nothing_turns_the_direction_or_breaks_the_line() {
        assert_eq!(plain("a\u{202e}b\n\n c\t\0d"), "ab c d");
        assert_eq!(check(" \n ", 100.0, 1), []);
        assert_eq!(plain("« Quoi » ?"), "«\u{a0}Quoi\u{a0}»\u{a0}?");
    }

    #[test]
    fn no_room_at_all_leaves_an_ellipsis() {
        let lines = fit("Hello", &look(30.0), 1.0, 1).expect("measured");
        assert_eq!(lines[0].text, "…");
    }
}
