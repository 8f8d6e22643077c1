//! What may stand in a message and in a name: text of bounded length, without what hides or turns around.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;
use unicode_properties::UnicodeEmoji;

/// Most characters of a message.
pub const MOST_CHARACTERS: usize = 500;
/// Most bytes that are looked at: 500 characters of four bytes each, with room for what is taken out.
const MOST_BYTES: usize = 8 * 1024;
/// Most characters of a name.
const MOST_OF_A_NAME: usize = 32;
/// Most marks on one letter that are kept: more of them climb over the lines above.
const MOST_MARKS: usize = 3;

/// Words as they came from a client, with a length that can be worked with. [`Text::clean`] makes a message of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "chat/"))]
pub struct Text(pub String);

/// Why words are no message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextError {
    Empty,
    TooLong,
}

impl Text {
    /// The message: composed (NFC), without control characters, without characters that turn the direction of what
    /// follows, with single spaces at its inside and none at its ends. Line breaks become spaces.
    pub fn clean(&self) -> Result<String, TextError> {
        if self.0.len() > MOST_BYTES {
            return Err(TextError::TooLong);
        }
        let text = tidy(&self.0);
        if text.is_empty() {
            return Err(TextError::Empty);
        }
        if text.chars().count() > MOST_CHARACTERS {
            return Err(TextError::TooLong);
        }
        Ok(text)
    }
}

/// A name: at most 32 characters; `None` if nothing is left that can be seen.
pub fn clean_name(name: &str) -> Option<String> {
    let cut: String = name.chars().take(4 * MOST_OF_A_NAME).collect();
    // An @ would begin a mention inside a mention.
    let name: String = tidy(&cut)
        .chars()
        .filter(|c| *c != '@')
        .take(MOST_OF_A_NAME)
        .collect();
    let name = name.trim().to_owned();
    name.chars().any(char::is_alphanumeric).then_some(name)
}

/// Text that another person gave, cut to `most` characters: reasons, titles.
pub fn line(text: &str, most: usize) -> String {
    let cut: String = text.chars().take(4 * most).collect();
    tidy(&cut).chars().take(most).collect()
}

/// Text that another person gave, whole; `None` if it has more than `most` characters.
pub fn whole_line(text: &str, most: usize) -> Option<String> {
    // What is taken out must not cost more than what is left.
    if text.len() > 16 * most {
        return None;
    }
    let text = tidy(text);
    (text.chars().count() <= most).then_some(text)
}

fn tidy(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut marks = 0;
    for c in text.nfc() {
        if c.is_whitespace() {
            if !out.is_empty() && !out.ends_with(' ') {
                out.push(' ');
            }
            marks = 0;
            continue;
        }
        if hidden(c) && !joins_emoji(c) {
            continue;
        }
        if unicode_normalization::char::is_combining_mark(c) {
            marks += 1;
            if marks > MOST_MARKS {
                continue;
            }
        } else {
            marks = 0;
        }
        out.push(c);
    }
    // Joiners and variation selectors on their own say nothing.
    let seen = out.chars().any(|c| c != ' ' && !joins_emoji(c));
    if seen {
        out.trim_end().to_owned()
    } else {
        String::new()
    }
}

/// Control characters, marks of direction (UAX 9) and what has no width: they make a text look like another one.
pub fn hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// What emoji are put together with: the joiner (also of Arabic and Indic letters), the selectors, the tags of flags.
fn joins_emoji(c: char) -> bool {
    matches!(
        c,
        '\u{200c}' | '\u{200d}' | '\u{fe0e}' | '\u{fe0f}' | '\u{e0020}'..='\u{e007f}'
    )
}

/// Whether nothing but emoji stands in a message.
pub fn emoji_only(text: &str) -> bool {
    text.chars().all(|c| {
        c == ' '
            || joins_emoji(c)
            || matches!(c, '\u{1f1e6}'..='\u{1f1ff}' | '\u{1f3fb}'..='\u{1f3ff}' | '\u{20e3}')
            || c.is_emoji_char() && !c.is_ascii()
    })
}

/// Whether a link stands in a message: an address, or something that would become one when it is typed into a browser.
pub fn has_link(text: &str) -> bool {
    let mut finder = linkify::LinkFinder::new();
    finder.url_must_have_scheme(false);
    finder.links(text).next().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clean(text: &str) -> Result<String, TextError> {
        Text(text.to_owned()).clean()
    }

    #[test]
    fn a_message_is_one_line_that_hides_nothing() {
        assert_eq!(clean("  a\n\n b\t c "), Ok("a b c".into()));
        assert_eq!(
            clean("pay\u{202e}lap"),
            Ok("paylap".into()),
            "no turned direction"
        );
        assert_eq!(clean("a\u{200b}b\u{feff}c\u{7}"), Ok("abc".into()));
        assert_eq!(clean("e\u{301}"), Ok("é".into()), "composed");
        assert_eq!(clean("👩‍🚀"), Ok("👩‍🚀".into()), "emoji stay whole");
        assert_eq!(clean("<b>&amp;"), Ok("<b>&amp;".into()), "text is kept as text");
    }

    #[test]
    fn nothing_and_too_much_are_refused() {
        for nothing in ["", "  \n", "\u{200b}\u{200d}", "\u{3164}"] {
            assert_eq!(clean(nothing), Err(TextError::Empty), "{nothing:?}");
        }
        assert_eq!(clean(&"é".repeat(500)).map(|t| t.chars().count()), Ok(500));
        assert_eq!(clean(&"é".repeat(501)), Err(TextError::TooLong));
        assert_eq!(
            clean(&" ".repeat(9000)),
            Err(TextError::TooLong),
            "not even looked at"
        );
    }

    #[test]
    fn marks_do_not_climb() {
        let zalgo = format!("a{}b", "\u{35c}".repeat(200));
        let text = clean(&zalgo).expect("it has letters");
        assert_eq!(text.chars().count(), 2 + MOST_MARKS, "{text:?}");
    }

    #[test]
    fn names_are_short_and_can_be_seen() {
        assert_eq!(clean_name(" Inès \u{202e}"), Some("Inès".into()));
        assert_eq!(clean_name("@@ada"), Some("ada".into()));
        assert_eq!(clean_name("---"), None);
        assert_eq!(clean_name("\u{3164}"), None);
        assert_eq!(clean_name(&"x".repeat(99)).map(|n| n.len()), Some(32));
    }

    #[test]
    fn emoji_and_words_are_told_apart() {
        for emoji in ["🔥", "🔥 🔥", "👩‍🚀", "🇫🇷", "👍🏽", "❤️"] {
            assert!(emoji_only(emoji), "{emoji}");
        }
        for words in ["ok 🔥", "1", "#", "é"] {
            assert!(!emoji_only(words), "{words}");
        }
    }

    #[test]
    fn links_are_seen_with_and_without_a_scheme() {
        for link in ["see https://a.example/x", "shop.example/now", "www.cheap.example"] {
            assert!(has_link(link), "{link}");
        }
        for none in ["that was 3.5 stars", "no.", "hello...", "a/b"] {
            assert!(!has_link(none), "{none}");
        }
    }
}
