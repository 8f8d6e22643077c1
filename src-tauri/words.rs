//! The shell's few sentences (tray, the question before quitting), in the system's language.
//!
//! The desk has its own catalogues; these stand outside the page, where the page's language does not reach.

use std::collections::BTreeMap;

const ENGLISH: &str = include_str!("messages/en.json");
const FRENCH: &str = include_str!("messages/fr.json");

/// Messages by key.
#[derive(Debug)]
pub struct Words(BTreeMap<String, String>);

impl Words {
    /// In the language of the system; English for those that the studio does not speak.
    pub fn of_system() -> Self {
        Self::of(&sys_locale::get_locale().unwrap_or_default())
    }

    /// In the language of a locale such as `fr-CA`.
    fn of(locale: &str) -> Self {
        let language = locale.split(['-', '_']).next().unwrap_or_default();
        let catalogue = if language.eq_ignore_ascii_case("fr") {
            FRENCH
        } else {
            ENGLISH
        };
        Self(serde_json::from_str(catalogue).expect("the catalogues are tested"))
    }

    /// The message of a key; the key itself where there is none.
    pub fn say<'a>(&'a self, key: &'a str) -> &'a str {
        self.0.get(key).map_or(key, String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_say_the_same_things() {
        let (english, french) = (Words::of("en-GB"), Words::of("fr_CA"));
        assert!(
            english.0.keys().eq(french.0.keys()),
            "every message stands in both catalogues"
        );
        for (key, message) in english.0.iter().chain(&french.0) {
            assert!(!message.trim().is_empty(), "{key} says something");
        }
        assert_ne!(english.say("tray_quit"), french.say("tray_quit"));
        assert_eq!(Words::of("de").say("tray_quit"), english.say("tray_quit"));
    }

    #[test]
    fn every_message_is_said_somewhere() {
        let code = [include_str!("tray.rs"), include_str!("desk_window.rs")].concat();
        for key in Words::of("en").0.keys() {
            assert!(code.contains(&format!("\"{key}\"")), "nobody says {key}");
        }
    }
}
