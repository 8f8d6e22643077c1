//! Acts of moderation and their log.

use std::sync::Arc;

use axum::extract::State;
use schemars::JsonSchema;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::chat::requests::{Deed, moderate, told_truly};
use crate::chat::wire::{Act, Done as Kept, Entry};
use crate::http::App;
use crate::http::api::{Body, Caller, Crew, Done, Number, Problem, Query, failed};

/// What is done, and why.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Doing {
    /// What.
    #[serde(deserialize_with = "whole")]
    act: Act,
    /// For the log; what is longer than 200 characters is cut.
    #[serde(default)]
    reason: Option<String>,
}

/// An act that says nothing that it does not mean. serde passes over the fields of those that have none, and takes a number
/// for the name of what is done.
fn whole<'de, D: Deserializer<'de>>(from: D) -> Result<Act, D::Error> {
    let value = Value::deserialize(from)?;
    let act: Act = serde_json::from_value(value.clone()).map_err(D::Error::custom)?;
    let understood = serde_json::to_value(&act).map_err(D::Error::custom)?;
    match beside(&value, &understood) {
        Some(field) => Err(D::Error::custom(format!("`{field}` means nothing here"))),
        None => Ok(act),
    }
}

/// A field that was said and not understood.
fn beside(said: &Value, understood: &Value) -> Option<String> {
    let (said, understood) = (said.as_object()?, understood.as_object()?);
    said.iter().find_map(|(field, value)| {
        let wrong = match understood.get(field) {
            None => !value.is_null(),
            Some(meant) if field == "do" || field == "is" => meant != value,
            Some(meant) => return beside(value, meant),
        };
        wrong.then(|| field.clone())
    })
}

/// `POST /api/rooms/{room}/acts`.
pub(super) async fn act(
    Crew(Caller { room, member }): Crew,
    State(app): State<Arc<App>>,
    Body(Doing { act, reason }): Body<Doing>,
) -> Result<Done<Kept>, Problem> {
    let deed = Deed { act, reason };
    let done = moderate(&app.chat(), &room, &member.handle, &member.speaker, deed).await?;
    Ok(Done(done))
}

/// WhichEntries entries.
#[derive(Deserialize, JsonSchema)]
#[schemars(inline)]
pub(super) struct WhichEntries {
    /// Older than this one; without it the newest.
    #[serde(default)]
    #[schemars(with = "Number")]
    before: Option<Number>,
}

/// A page of the log: a hundred entries, newest first; fewer are the oldest.
#[derive(Serialize, JsonSchema)]
pub(super) struct LogPage {
    /// Newest first.
    entries: Vec<Entry>,
}

/// `GET /api/rooms/{room}/log`.
pub(super) async fn log(
    Crew(Caller { room, member }): Crew,
    State(app): State<Arc<App>>,
    Query(WhichEntries { before }): Query<WhichEntries>,
) -> Result<Done<LogPage>, Problem> {
    let entries = app.chat().keeper.log(&room, before.map(|number| number.0)).await;
    let entries = entries.map_err(|error| failed(room.as_str(), &error))?;
    Ok(Done(LogPage {
        entries: told_truly(&member.handle, entries).await?,
    }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn doing(act: Value) -> Result<Act, serde_json::Error> {
        serde_json::from_value::<Doing>(json!({ "act": act })).map(|doing| doing.act)
    }

    #[test]
    fn what_an_act_does_not_mean_is_refused() {
        for wrong in [
            json!({"do": "clear", "message": 7}),
            json!({"do": "money", "what": {"is": 0}}),
            json!({"do": "money", "what": {"is": "cancel", "payment": "x"}}),
            json!({"do": "engage", "what": {"do": "close_poll", "poll": 1}}),
        ] {
            assert!(doing(wrong.clone()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_it_means_is_taken_also_with_nothing_said_of_what_may_be_absent() {
        for right in [
            json!({"do": "clear"}),
            json!({"do": "money", "what": {"is": "goal", "label": null}}),
            json!({"do": "engage", "what": {"do": "open_poll", "question": "?", "options": ["a", "b"], "seconds": null}}),
            json!({"do": "product", "product": {"id": "a", "title": "A", "stock": {"is": "in_stock"}, "price": null}}),
        ] {
            doing(right.clone()).unwrap_or_else(|error| panic!("{right}: {error}"));
        }
    }
}
