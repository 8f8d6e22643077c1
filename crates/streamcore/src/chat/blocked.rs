//! Blocked words, seen through case, accents, look-alikes, characters without width and letters set apart.
//!
//! A word matches whole words; with `*` at an end it matches a part: `spam*`, `*spam*`. Matching takes time that
//! grows with the length of the message alone (Aho-Corasick), so no list of words can make it slow.

use aho_corasick::AhoCorasick;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::text::hidden;

/// A list of words, ready to look for.
#[derive(Debug, Default)]
pub struct Blocked {
    finder: Option<AhoCorasick>,
}

impl Blocked {
    /// Words that fold to nothing match nothing.
    pub fn new(words: &[String]) -> Self {
        let needles: Vec<String> = words.iter().filter_map(|word| needle(word)).collect();
        let finder = (!needles.is_empty())
            .then(|| AhoCorasick::new(needles).ok())
            .flatten();
        Self { finder }
    }

    /// Whether one of the words stands in `text`.
    pub fn is_in(&self, text: &str) -> bool {
        self.finder.as_ref().is_some_and(|finder| {
            let folded = fold(text);
            let words = words_of(&folded);
            finder.is_match(&padded(&words)) || finder.is_match(&padded(&set_together(&words)))
        })
    }
}

/// A word with a space on each side that must be a word's end.
fn needle(word: &str) -> Option<String> {
    let open_start = word.starts_with('*');
    let open_end = word.ends_with('*') && word.len() > 1;
    let words = words_of(&fold(word.trim_matches('*'))).join(" ");
    (!words.is_empty()).then(|| {
        format!(
            "{}{words}{}",
            if open_start { "" } else { " " },
            if open_end { "" } else { " " }
        )
    })
}

/// The text as a reader sees it: compatibility forms (NFKC), lower case, look-alikes as one letter (UTS 39), no marks.
fn fold(text: &str) -> String {
    let plain: String = text
        .nfkd()
        .filter(|c| !hidden(*c) && !is_combining_mark(*c))
        .flat_map(char::to_lowercase)
        .collect();
    // The skeleton of a letter may be a capital one (0 looks like O).
    unicode_security::skeleton(&plain)
        .flat_map(char::to_lowercase)
        .collect()
}

fn words_of(folded: &str) -> Vec<&str> {
    folded
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect()
}

fn padded<T: AsRef<str>>(words: &[T]) -> String {
    let mut out = String::from(" ");
    for word in words {
        out.push_str(word.as_ref());
        out.push(' ');
    }
    out
}

/// `b a d` as `bad`: letters that stand alone belong together.
fn set_together(words: &[&str]) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut joining = false;
    for word in words {
        // Some letters fold to two (m looks like rn).
        let single = word.chars().count() <= 2;
        match out.last_mut() {
            Some(last) if joining && single => last.push_str(word),
            _ => out.push((*word).to_owned()),
        }
        joining = single;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocked(words: &[&str]) -> Blocked {
        Blocked::new(&words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn a_word_is_seen_through_its_disguises() {
        let list = blocked(&["scam", "idiôt"]);
        for text in [
            "scam",
            "a SCAM!",
            "sçäm",
            "ѕсаm",
            "ｓｃａｍ",
            "s\u{200b}c\u{2060}am",
            "s.c.a.m",
            "s c a m",
            "𝓼𝓬𝓪𝓶",
            "Idiot",
        ] {
            assert!(list.is_in(text), "{text}");
        }
    }

    #[test]
    fn whole_words_unless_asked_otherwise() {
        let list = blocked(&["ass", "spam*", "*bot*"]);
        for text in ["class", "assume", "password"] {
            assert!(!list.is_in(text), "{text}");
        }
        for text in ["ass", "spammer", "a robot army"] {
            assert!(list.is_in(text), "{text}");
        }
        assert!(!list.is_in("antispam"), "the word's start is closed");
    }

    #[test]
    fn phrases_match_across_whatever_stands_between() {
        let list = blocked(&["buy now"]);
        assert!(list.is_in("BUY... now!"));
        assert!(!list.is_in("buy it now"));
    }

    #[test]
    fn nothing_blocks_nothing_and_odd_lists_are_harmless() {
        assert!(!blocked(&[]).is_in("anything"));
        assert!(!blocked(&["", "***", "()[]+", "\u{200b}"]).is_in("anything at all"));
        let many: Vec<String> = (0..500)
            .map(|n| format!("*{}*", "a".repeat(n % 50 + 1)))
            .collect();
        assert!(Blocked::new(&many).is_in(&"a".repeat(500)));
    }
}
