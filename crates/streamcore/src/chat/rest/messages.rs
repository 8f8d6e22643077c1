//! Messages: read, said, deleted.

use std::borrow::Cow;
use std::sync::Arc;

use axum::extract::State;
use axum::response::NoContent;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::chat::products::wire::Interest;
use crate::chat::requests::{Deed, moderate, say as say_it};
use crate::chat::text::Text;
use crate::chat::wire::{Act, Author, Done as Kept, Message, Refused, Restriction, Seq, Snapshot};
use crate::http::App;
use crate::http::api::{Body, Caller, Crew, Done, Number, Numbered, Problem, Query, Said, failed};
use crate::room::wall_ms;

/// Messages of a page at most.
const PAGE: u8 = 100;

/// The chat as the caller may see it.
#[derive(Serialize, JsonSchema)]
pub(super) struct ChatNow {
    /// The last event's number: who enters by a socket with it as `last_seq` is told what happened after this.
    seq: Seq,
    /// The server's clock.
    now_ms: u64,
    /// Who asks.
    you: Author,
    /// What keeps them from speaking.
    #[serde(skip_serializing_if = "Option::is_none")]
    restriction: Option<Restriction>,
    /// Host and moderators: how much viewers want the products.
    #[serde(skip_serializing_if = "Option::is_none")]
    interest: Option<Vec<Interest>>,
    /// The room.
    snapshot: Snapshot,
}

/// `GET /api/rooms/{room}/chat`.
pub(super) async fn chat(Caller { member, .. }: Caller) -> Result<Done<ChatNow>, Problem> {
    let looked = member.look().await?;
    Ok(Done(ChatNow {
        seq: looked.seq,
        now_ms: wall_ms(),
        you: member.speaker.author,
        restriction: looked.restriction,
        interest: looked.interest,
        snapshot: *looked.snapshot,
    }))
}

/// WhichMessages messages.
#[derive(Deserialize, JsonSchema)]
#[schemars(inline)]
pub(super) struct WhichMessages {
    /// Older than this one; without it the newest.
    #[serde(default)]
    #[schemars(with = "Number")]
    before: Option<Number>,
    /// Only those with all of these words in them, each as the beginning of one. The first eight words count.
    #[serde(default)]
    #[schemars(with = "Words")]
    search: Option<Words>,
    /// So many at most; without it 100.
    #[serde(default)]
    #[schemars(with = "Limit")]
    limit: Option<Limit>,
}

/// A number of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "u64")]
struct Limit(u8);

impl JsonSchema for Limit {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Limit".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "integer", "minimum": 1, "maximum": PAGE})
    }
}

impl TryFrom<u64> for Limit {
    type Error = &'static str;

    fn try_from(value: u64) -> Result<Self, Self::Error> {
        let limit = u8::try_from(value)
            .ok()
            .filter(|limit| (1..=PAGE).contains(limit));
        limit.map(Self).ok_or("`limit` is a number from 1 to 100")
    }
}

/// Words to look for.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
struct Words(String);

impl JsonSchema for Words {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Words".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "maxLength": 200})
    }
}

impl TryFrom<String> for Words {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        // A character has four bytes at most: what has more of them need not be counted.
        let short = text.len() <= 800 && text.chars().count() <= 200;
        short
            .then_some(Self(text))
            .ok_or("`search` has 200 characters at most")
    }
}

/// A page of messages.
#[derive(Serialize, JsonSchema)]
pub(super) struct MessagesPage {
    /// Oldest first.
    messages: Vec<Message>,
    /// Whether there are older ones.
    more: bool,
}

/// `GET /api/rooms/{room}/messages`.
pub(super) async fn list(
    Caller { room, .. }: Caller,
    State(app): State<Arc<App>>,
    Query(which): Query<WhichMessages>,
) -> Result<Done<MessagesPage>, Problem> {
    let before = which.before.map_or(u64::MAX, |number| number.0);
    let search = which.search.as_ref().map(|words| words.0.as_str());
    let page = app.chat().keeper.history(&room, before, search).await;
    let mut page = page.map_err(|error| failed(room.as_str(), &error))?;
    let limit = usize::from(which.limit.map_or(PAGE, |limit| limit.0));
    let older = page.messages.len().saturating_sub(limit);
    page.messages.drain(..older);
    Ok(Done(MessagesPage {
        messages: page.messages,
        more: page.more || older > 0,
    }))
}

/// Something to say.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Saying {
    /// The words: at most 500 characters once what hides, turns around or repeats spaces is taken out.
    #[schemars(length(min = 1))]
    text: Text,
    /// The message that it answers.
    #[serde(default)]
    reply_to: Option<Number>,
}

/// What became of a message.
#[derive(Serialize, JsonSchema)]
#[serde(tag = "result", rename_all = "snake_case")]
pub(super) enum Became {
    /// It is there for all.
    Said {
        /// Its number.
        seq: Seq,
    },
    /// It waits for a moderator.
    Held,
}

/// `POST /api/rooms/{room}/messages`.
pub(super) async fn say(
    Caller { room, member }: Caller,
    Body(saying): Body<Saying>,
) -> Result<Said<Became>, Problem> {
    let reply_to = saying.reply_to.map(|number| number.0);
    let kept = say_it(&member.handle, &member.speaker, saying.text, reply_to).await?;
    match kept {
        Kept::Said { seq } => Ok(Said::There {
            at: format!("/api/rooms/{room}/messages/{seq}"),
            message: Became::Said { seq },
        }),
        Kept::Held => Ok(Said::Waits(Became::Held)),
        // What is said is said or held.
        _ => Err(Refused::Unavailable.into()),
    }
}

/// `GET /api/rooms/{room}/messages/{seq}`.
pub(super) async fn one(
    Caller { room, .. }: Caller,
    State(app): State<Arc<App>>,
    Numbered(seq): Numbered,
) -> Result<Done<Message>, Problem> {
    let message = app.chat().keeper.message(&room, seq).await;
    let message = message.map_err(|error| failed(room.as_str(), &error))?;
    message
        .map(Done)
        .ok_or_else(|| Problem::unknown("There is no such message."))
}

/// WhyDeleted a message goes.
#[derive(Deserialize, JsonSchema)]
#[schemars(inline)]
pub(super) struct WhyDeleted {
    /// For the log; what is longer than 200 characters is cut.
    #[serde(default)]
    #[schemars(with = "String")]
    reason: Option<String>,
}

/// `DELETE /api/rooms/{room}/messages/{seq}`: the act `delete`.
pub(super) async fn delete(
    Crew(Caller { room, member }): Crew,
    State(app): State<Arc<App>>,
    Numbered(seq): Numbered,
    Query(WhyDeleted { reason }): Query<WhyDeleted>,
) -> Result<NoContent, Problem> {
    let chat = app.chat();
    let there = chat.keeper.message(&room, seq).await;
    if there.map_err(|error| failed(room.as_str(), &error))?.is_none() {
        return Err(Problem::unknown("There is no such message."));
    }
    let act = Act::Delete { message: seq };
    moderate(
        &chat,
        &room,
        &member.handle,
        &member.speaker,
        Deed { act, reason },
    )
    .await?;
    Ok(NoContent)
}
