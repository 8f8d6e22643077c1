//! As much of the room's protocol as its host needs; the whole of it stands in the `streamcore` crate.

use serde::Deserialize;
use serde_json::Value;

/// What the room says.
#[derive(Debug, PartialEq)]
pub enum Heard {
    /// We are in; so much is featured.
    Welcome { featured: Vec<String> },
    /// It is done and kept.
    Done { id: u32 },
    /// It is not done.
    Refused {
        id: Option<u32>,
        code: String,
        field: String,
    },
    /// These are featured from now on.
    Featured(Vec<String>),
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Said {
    Welcome {
        #[serde(default)]
        snapshot: Snapshot,
    },
    Events {
        events: Vec<Event>,
    },
    Done {
        id: u32,
    },
    Refused {
        id: Option<u32>,
        code: String,
        #[serde(default)]
        field: String,
    },
    #[serde(other)]
    Other,
}

#[derive(Deserialize, Default)]
struct Snapshot {
    #[serde(default)]
    featured: Vec<String>,
}

#[derive(Deserialize)]
struct Event {
    kind: String,
    /// Of what is featured: names. Other events have other things there.
    #[serde(default)]
    products: Value,
    #[serde(default)]
    featured: Option<Vec<String>>,
}

impl Heard {
    /// What a message says that matters here; of several events the last counts.
    pub fn read(text: &str) -> Option<Self> {
        match serde_json::from_str(text).ok()? {
            Said::Welcome { snapshot } => Some(Self::Welcome {
                featured: snapshot.featured,
            }),
            Said::Done { id } => Some(Self::Done { id }),
            Said::Refused { id, code, field } => Some(Self::Refused { id, code, field }),
            Said::Events { events } => events
                .into_iter()
                .rev()
                .find_map(|event| match event.kind.as_str() {
                    "featured" => serde_json::from_value(event.products).ok(),
                    "listed" => event.featured,
                    _ => None,
                })
                .map(Self::Featured),
            Said::Other => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_that_was_featured_counts() {
        let text = r#"{"type":"events","events":[
            {"seq":1,"kind":"featured","products":["a"],"by":"Inès"},
            {"seq":2,"kind":"said","message":{"seq":2}},
            {"seq":3,"kind":"featured","products":["b","c"],"by":"Maya"},
            {"seq":4,"kind":"product_changed","product":{"id":"b"}}]}"#;
        let expected = Heard::Featured(vec!["b".into(), "c".into()]);
        assert_eq!(Heard::read(text), Some(expected));
    }

    #[test]
    fn a_new_list_says_what_stays_featured() {
        let text = r#"{"type":"events","events":[{"seq":1,"kind":"listed","products":[{"id":"a"}],"featured":["a"]}]}"#;
        assert_eq!(Heard::read(text), Some(Heard::Featured(vec!["a".into()])));
    }

    #[test]
    fn what_is_strange_is_passed_over() {
        for text in [
            "",
            "[]",
            "{}",
            r#"{"type":"interest","products":[]}"#,
            r#"{"type":"events","events":[{"seq":1,"kind":"featured","products":7}]}"#,
        ] {
            assert_eq!(Heard::read(text), None, "{text}");
        }
        let refused = r#"{"type":"refused","id":3,"code":"out_of_range","field":"products[0].image"}"#;
        assert_eq!(
            Heard::read(refused),
            Some(Heard::Refused {
                id: Some(3),
                code: "out_of_range".into(),
                field: "products[0].image".into()
            })
        );
    }
}
