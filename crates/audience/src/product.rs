//! A product as a shop or a file describes it.

use protocol::{Price, Text};

/// A product before it has an id of ours.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Found {
    /// The shop's own number; may be empty.
    pub sku: Text<100>,
    /// What it is called, plain text.
    pub title: Text<200>,
    /// Names of its categories, between commas.
    pub categories: Text<500>,
    /// One line about it, plain text; may be empty.
    pub about: Text<200>,
    /// What it costs; `None` when nobody said.
    pub price: Option<Price>,
    /// Whether it can be bought.
    pub buyable: bool,
    /// How many there are; `None` counts nothing.
    pub left: Option<u32>,
    /// Where it can be bought; may be empty.
    pub link: Text<1000>,
    /// Where its picture is; may be empty.
    pub image: Text<1000>,
}

/// An address that a page may link to or an engine may fetch; anything else, `javascript:` above all, is none.
pub fn web_address(text: &str) -> Option<Text<1000>> {
    let text = text.trim();
    let scheme = text
        .split_once("://")
        .map(|(scheme, _)| scheme.to_ascii_lowercase());
    let good = matches!(scheme.as_deref(), Some("http" | "https"))
        && text.len() <= 1000
        && !text
            .chars()
            .any(|c| c.is_control() || c.is_whitespace() || matches!(c, '<' | '>' | '"' | '\\'));
    good.then(|| Text::cut(text))
}

/// One line of plain text, out of HTML or out of text with its entities.
pub(crate) fn plain(html: &str) -> String {
    if !html.contains(['<', '&']) {
        return one_line(html);
    }
    // Far more than is kept of it, and little enough that no page of markup keeps the reader busy.
    let html: String = html.chars().take(20_000).collect();
    let text = html2text::config::plain_no_decorate().string_from_read(html.as_bytes(), 10_000);
    one_line(&text.unwrap_or_default())
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_becomes_text() {
        assert_eq!(plain("Tom &amp; J&#233;r&ocirc;me"), "Tom & Jérôme");
        assert_eq!(
            plain("<p>Double <b>vinyl</b>,<br>300 copies</p>\n"),
            "Double vinyl, 300 copies"
        );
        let hostile = plain("<script>alert(1)</script><img src=x onerror=alert(1)>ok");
        assert!(!hostile.contains('<') && !hostile.contains("alert"), "{hostile}");
        assert_eq!(plain("a < b"), "a < b", "a sign of somebody's title stays");
    }

    #[test]
    fn only_addresses_of_the_web_are_links() {
        assert!(web_address("https://shop.example/p?a=1").is_some());
        for bad in [
            "javascript:alert(1)",
            "data:text/html,x",
            "//x",
            "ftp://a",
            "https://a b",
            "https://a/\"onx",
            "",
        ] {
            assert!(web_address(bad).is_none(), "{bad:?}");
        }
    }
}
