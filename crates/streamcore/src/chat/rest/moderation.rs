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

/// An act that says nothing but what it is. serde passes over the fields of those that have none.
fn whole<'de, D: Deserializer<'de>>(from: D) -> Result<Act, D::Error> {
    let value = Value::deserialize(from)?;
    let fields = value.as_object().map_or(0, serde_json::Map::len);
    let act: Act = serde_json::from_value(value).map_err(D::Error::custom)?;
    let has_none = matches!(act, Act::Unpin | Act::Clear);
    if has_none && fields > 1 {
        return Err(D::Error::custom("this act has no fields"));
    }
    Ok(act)
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
