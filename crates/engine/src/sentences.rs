//! Errors as sentences, and names, from the desk's own catalogues, so that command line, slate and desk say the same.

use std::sync::OnceLock;

use protocol::UserError;
use serde_json::{Map, Value};

/// A language of the catalogues.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// English.
    English,
    /// French.
    French,
}

impl Language {
    /// What the system's environment asks for; English unless it is French.
    pub fn of_system() -> Self {
        let wanted = ["LC_ALL", "LC_MESSAGES", "LANG"]
            .iter()
            .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
            .unwrap_or_default();
        Self::from_locale(&wanted)
    }

    fn from_locale(locale: &str) -> Self {
        if locale.to_ascii_lowercase().starts_with("fr") {
            Self::French
        } else {
            Self::English
        }
    }

    fn catalogue(self) -> &'static Map<String, Value> {
        static ENGLISH: OnceLock<Map<String, Value>> = OnceLock::new();
        static FRENCH: OnceLock<Map<String, Value>> = OnceLock::new();
        let (cell, parts) = match self {
            Self::English => (
                &ENGLISH,
                [
                    include_str!("../../../ui/messages/en/errors.json"),
                    include_str!("../../../ui/messages/en/desk.json"),
                    include_str!("../../../ui/messages/en/overlays.json"),
                ],
            ),
            Self::French => (
                &FRENCH,
                [
                    include_str!("../../../ui/messages/fr/errors.json"),
                    include_str!("../../../ui/messages/fr/desk.json"),
                    include_str!("../../../ui/messages/fr/overlays.json"),
                ],
            ),
        };
        cell.get_or_init(|| {
            let read = |text| serde_json::from_str::<Map<String, Value>>(text).unwrap_or_default();
            parts.into_iter().flat_map(read).collect()
        })
    }
}

/// What happened, in one short sentence.
pub fn title(error: &UserError, language: Language) -> String {
    sentence(error, "title", language).unwrap_or_else(|| error.code.as_str().to_owned())
}

/// What to do next, in one sentence.
pub fn hint(error: &UserError, language: Language) -> String {
    sentence(error, "hint", language).unwrap_or_default()
}

/// A name of the desk's catalogue, as the desk itself would give it.
pub fn name(key: &str, params: &protocol::Params, language: Language) -> Option<String> {
    let text = language.catalogue().get(key)?.as_str()?;
    Some(fill(text, params))
}

fn sentence(error: &UserError, part: &str, language: Language) -> Option<String> {
    let text = language
        .catalogue()
        .get(&format!("error_{}_{part}", error.code.as_str()))?
        .as_str()?;
    Some(fill(text, &error.params))
}

/// Puts values into `{name}`; a name without a value leaves a dash, never its braces.
fn fill(text: &str, params: &protocol::Params) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((name, after)) = after.split_once('}') else {
            break;
        };
        filled.push_str(before);
        filled.push_str(params.get(name).map_or("–", String::as_str));
        rest = after;
    }
    filled.push_str(rest);
    filled
}

#[cfg(test)]
mod tests {
    use protocol::ErrorCode;

    use super::*;

    #[test]
    fn every_error_has_a_sentence_and_a_next_step_in_both_languages() {
        for language in [Language::English, Language::French] {
            for code in ErrorCode::ALL {
                let error = UserError::new(*code);
                assert!(
                    title(&error, language).len() > 8,
                    "{}: no title in {language:?}",
                    code.as_str()
                );
                assert!(
                    hint(&error, language).len() > 8,
                    "{}: no hint in {language:?}",
                    code.as_str()
                );
            }
        }
    }

    #[test]
    fn values_are_filled_in_and_never_read_again() {
        let params = protocol::Params::from([("host".to_owned(), "{path}".to_owned())]);
        assert_eq!(
            fill("no answer from {host} at {path}", &params),
            "no answer from {path} at –"
        );
    }

    #[test]
    fn french_systems_get_french() {
        assert_eq!(Language::from_locale("fr_CA.UTF-8"), Language::French);
        assert_eq!(Language::from_locale("C.UTF-8"), Language::English);
    }
}
