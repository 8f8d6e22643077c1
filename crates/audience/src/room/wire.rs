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
    /// These were featured, one after the other.
    Featured(Vec<Vec<String>>),
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
}

impl Heard {
    /// What a message says that matters here.
    pub fn read(text: &str) -> Option<Self> {
        match serde_json::from_str(text).ok()? {
            Said::Welcome { snapshot } => Some(Self::Welcome {
                featured: snapshot.featured,
            }),
            Said::Done { id } => Some(Self::Done { id }),
            Said::Refused { id, code, field } => Some(Self::Refused { id, code, field }),
            Said::Events { events } => {
                let featured = events.into_iter().filter(|event| event.kind == "featured");
                let lists: Vec<_> = featured
                    .filter_map(|event| serde_json::from_value(event.products).ok())
                    .collect();
                (!lists.is_empty()).then_some(Self::Featured(lists))
            }
            Said::Other => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_was_featured_is_heard_in_order() {
        let text = r#"{"type":"events","events":[
            {"seq":1,"kind":"featured","products":["a"],"by":"Inès"},
            {"seq":2,"kind":"said","message":{"seq":2}},
            {"seq":3,"kind":"featured","products":["b","c"],"by":"Maya"},
            {"seq":4,"kind":"product_changed","product":{"id":"b"}}]}"#;
        let expected = Heard::Featured(vec![vec!["a".into()], vec!["b".into(), "c".into()]]);
        assert_eq!(Heard::read(text), Some(expected));
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
