//! What is kept of people: all of one member's, to hand over or to forget, and nothing for longer than the host wants.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use sqlx::{Row, Sqlite, Transaction};
use tokio::sync::watch;

use super::actor::Chat;
use super::engage::wire::Question;
use super::keep::{KeepError, Keeper, number};
use super::wire::{Entry, Held, MemberId, Message, Restriction, Rules, Seq};
use crate::room::{RoomId, wall_ms};

const DAY_MS: u64 = 24 * 3600 * 1000;
const EXPIRE_EVERY: Duration = Duration::from_secs(3600);

/// All that is kept of one member of a room.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "chat/", optional_fields))]
pub struct Export {
    /// Whose.
    pub member: MemberId,
    /// What they have said, oldest first, also what was deleted.
    pub messages: Vec<Message>,
    /// What they have said and waits for a moderator.
    pub held: Vec<Held>,
    /// What keeps them from speaking.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restriction: Option<Restriction>,
    /// Acts of the log by them and on them, oldest first.
    pub entries: Vec<Entry>,
    /// What they have asked.
    pub questions: Vec<Question>,
    /// What they voted for in polls that are shown.
    pub votes: Vec<Vote>,
    /// Giveaways that they have entered, by their numbers.
    pub giveaways: Vec<Seq>,
}

/// One vote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "chat/"))]
pub struct Vote {
    /// The poll's number.
    pub poll: Seq,
    /// The answer's place, from 0.
    pub option: u32,
}

/// What is older goes.
pub fn oldest_kept(rules: &Rules, now_ms: u64) -> u64 {
    now_ms.saturating_sub(u64::from(rules.keep_days) * DAY_MS)
}

/// Entries of the log that have to do with a member: by them, on them, or on what they have said.
const ENTRIES_OF: &str =
    "room = ?1 AND (json_extract(body, '$.by.id') = ?2 OR json_extract(body, '$.act.member') = ?2
    OR json_extract(body, '$.act.message') IN (SELECT seq FROM messages WHERE room = ?1 AND author = ?2))";

impl Keeper {
    /// All that is kept of one member.
    pub async fn export(&self, room: &RoomId, member: &str) -> Result<Export, KeepError> {
        let room = room.as_str();
        let bodies = async |query: &str| -> Result<Vec<String>, KeepError> {
            let query = sqlx::AssertSqlSafe(query.to_owned());
            let rows = sqlx::query(query)
                .bind(room)
                .bind(member)
                .fetch_all(self.pool())
                .await?;
            Ok(rows
                .iter()
                .map(|row| row.try_get("body"))
                .collect::<Result<_, sqlx::Error>>()?)
        };
        let messages =
            bodies("SELECT body FROM messages WHERE room = ?1 AND author = ?2 ORDER BY seq").await?;
        let held = "SELECT body FROM held WHERE room = ?1 AND json_extract(body, '$.message.author.id') = ?2";
        let held = bodies(held).await?;
        let entries = format!("SELECT body FROM entries WHERE {ENTRIES_OF} ORDER BY number");
        let entries = bodies(&entries).await?;
        let restriction =
            sqlx::query("SELECT name, until_ms FROM restrictions WHERE room = ?1 AND member = ?2")
                .bind(room)
                .bind(member)
                .fetch_optional(self.pool())
                .await?;
        let restriction = restriction.map(|row| {
            Ok::<_, sqlx::Error>(Restriction {
                member: member.to_owned(),
                name: row.try_get("name")?,
                until_ms: row.try_get::<Option<i64>, _>("until_ms")?.map(i64::cast_unsigned),
            })
        });
        let questions = bodies(
            "SELECT body FROM questions WHERE room = ?1 AND json_extract(body, '$.by.id') = ?2 ORDER BY id",
        )
        .await?;
        let votes = sqlx::query("SELECT poll, choice FROM ballots WHERE room = ?1 AND member = ?2")
            .bind(room)
            .bind(member)
            .fetch_all(self.pool())
            .await?;
        let vote = |row: &sqlx::sqlite::SqliteRow| {
            Ok::<_, sqlx::Error>(Vote {
                poll: row.try_get::<i64, _>("poll")?.cast_unsigned(),
                option: row.try_get("choice")?,
            })
        };
        let giveaways = sqlx::query_scalar::<_, i64>(
            "SELECT giveaway FROM giveaway_entries WHERE room = ?1 AND member = ?2",
        )
        .bind(room)
        .bind(member)
        .fetch_all(self.pool())
        .await?;
        Ok(Export {
            member: member.to_owned(),
            questions: read(&questions)?,
            votes: votes.iter().map(vote).collect::<Result<_, _>>()?,
            giveaways: giveaways.into_iter().map(i64::cast_unsigned).collect(),
            messages: read(&messages)?,
            held: read(&held)?,
            restriction: restriction.transpose()?,
            entries: read(&entries)?,
        })
    }

    /// What is older than the hosts of the rooms want goes.
    pub async fn expire(&self, now_ms: u64) -> Result<(), KeepError> {
        let rooms = sqlx::query("SELECT room, rules FROM rooms")
            .fetch_all(self.pool())
            .await?;
        for row in rooms {
            let room: String = row.try_get("room")?;
            let rules: Option<String> = row.try_get("rules")?;
            let rules: Rules = rules
                .map(|text| serde_json::from_str(&text))
                .transpose()?
                .unwrap_or_default();
            let oldest = number(oldest_kept(&rules, now_ms));
            for forget in [
                "DELETE FROM messages WHERE room = ?1 AND at_ms < ?2",
                "DELETE FROM held WHERE room = ?1 AND json_extract(body, '$.message.at_ms') < ?2",
                "DELETE FROM entries WHERE room = ?1 AND json_extract(body, '$.at_ms') < ?2",
                "DELETE FROM restrictions WHERE room = ?1 AND until_ms < ?2",
            ] {
                sqlx::query(forget)
                    .bind(&room)
                    .bind(oldest)
                    .execute(self.pool())
                    .await?;
            }
        }
        Ok(())
    }
}

/// Lets go what is too old, once an hour, until the server stops.
pub async fn expire(chat: Arc<Chat>, mut stop: watch::Receiver<bool>) {
    let mut every = tokio::time::interval(EXPIRE_EVERY);
    loop {
        tokio::select! {
            _ = every.tick() => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
        if let Err(error) = chat.keeper.expire(wall_ms()).await {
            tracing::error!(
                error = &error as &(dyn std::error::Error + 'static),
                "what is too old could not be let go"
            );
        }
    }
}

fn read<T: serde::de::DeserializeOwned>(bodies: &[String]) -> Result<Vec<T>, KeepError> {
    let read = |body: &String| Ok(serde_json::from_str(body)?);
    bodies.iter().map(read).collect()
}

/// All of a member's goes, as part of what a turn changes.
pub async fn forget(to: &mut Transaction<'_, Sqlite>, room: &str, member: &str) -> Result<(), KeepError> {
    let nameless =
        format!("UPDATE entries SET body = json_remove(body, '$.whom', '$.reason') WHERE {ENTRIES_OF}");
    for forget in [
        // What others have answered quotes it.
        "UPDATE messages SET body = json_remove(body, '$.reply') WHERE room = ?1 AND
         json_extract(body, '$.reply.message') IN (SELECT seq FROM messages WHERE room = ?1 AND author = ?2)",
        &nameless,
        "UPDATE entries SET body = json_set(body, '$.by.name', '') WHERE room = ?1
         AND json_extract(body, '$.by.id') = ?2",
        "DELETE FROM messages WHERE room = ?1 AND author = ?2",
        "DELETE FROM held WHERE room = ?1 AND json_extract(body, '$.message.author.id') = ?2",
        "UPDATE restrictions SET name = '' WHERE room = ?1 AND member = ?2",
        "DELETE FROM questions WHERE room = ?1 AND json_extract(body, '$.by.id') = ?2",
        // What they voted for and entered counts still, as nobody's: a draw must come out as it did.
        "UPDATE ballots SET member = 'nobody-' || hex(randomblob(8)) WHERE room = ?1 AND member = ?2",
        "UPDATE supporters SET member = 'nobody-' || hex(randomblob(8)) WHERE room = ?1 AND member = ?2",
        "UPDATE giveaway_entries SET member = 'nobody-' || hex(randomblob(8)), name = '', address = zeroblob(16)
         WHERE room = ?1 AND member = ?2",
    ] {
        sqlx::query(sqlx::AssertSqlSafe(forget.to_owned()))
            .bind(room)
            .bind(member)
            .execute(&mut **to)
            .await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use secrecy::SecretString;

    use super::*;
    use crate::chat::identity::Role;
    use crate::chat::room::Change;
    use crate::chat::wire::{Act, Author, HeldFor, Quote};

    fn author(id: &str) -> Author {
        Author {
            id: id.to_owned(),
            name: format!("name of {id}"),
            role: Role::Viewer,
        }
    }

    fn message(seq: u64, at_ms: u64, by: &str, reply: Option<Quote>) -> Message {
        Message {
            seq,
            at_ms,
            author: author(by),
            text: format!("words of {by}"),
            reply,
            mentions: Vec::new(),
        }
    }

    fn entry(number: u64, at_ms: u64, act: Act, whom: &str) -> Entry {
        Entry {
            number,
            at_ms,
            by: author("host"),
            act,
            whom: Some(whom.to_owned()),
            reason: Some(format!("{whom} again")),
            undoable: false,
        }
    }

    async fn kept(changes: &[Change]) -> (Keeper, RoomId) {
        let keeper = Keeper::open(None, &SecretString::from("key"))
            .await
            .expect("memory");
        let room: RoomId = "a".parse().expect("a room's name");
        keeper.keep(&room, Some(9), changes).await.expect("kept");
        (keeper, room)
    }

    #[tokio::test]
    async fn all_of_one_member_is_handed_over_and_then_forgotten() {
        let quote = Quote {
            message: 1,
            name: "name of ann".into(),
            text: "words of ann".into(),
        };
        let held = Held {
            message: message(4, 40, "ann", None),
            why: HeldFor::Link,
        };
        let restriction = Restriction {
            member: "ann".into(),
            name: "name of ann".into(),
            until_ms: None,
        };
        let (keeper, room) = kept(&[
            Change::Message(message(1, 10, "ann", None)),
            Change::Message(message(2, 20, "ben", Some(quote))),
            Change::Message(message(3, 30, "ann", None)),
            Change::Held(held),
            Change::Restricted {
                restriction,
                address: Some([7; 16]),
            },
            Change::Entry(entry(1, 50, Act::Delete { message: 3 }, "name of ann")),
            Change::Entry(entry(2, 50, Act::Ban { member: "ann".into() }, "name of ann")),
            Change::Entry(entry(3, 50, Act::Delete { message: 2 }, "name of ben")),
            Change::Delete {
                messages: vec![3],
                entry: 1,
            },
        ])
        .await;
        let export = keeper.export(&room, "ann").await.expect("exported");
        let seqs: Vec<u64> = export.messages.iter().map(|message| message.seq).collect();
        assert_eq!(seqs, [1, 3], "what was deleted is kept still, so it is said");
        assert_eq!((export.held.len(), export.entries.len()), (1, 2));
        assert_eq!(
            export.restriction.map(|one| one.name).as_deref(),
            Some("name of ann")
        );

        let forget = Change::Forget { member: "ann".into() };
        keeper.keep(&room, Some(10), &[forget]).await.expect("kept");
        let kept = keeper.load(&room).await.expect("loaded");
        let log = keeper.log(&room, None).await.expect("read");
        let all = format!("{kept:?}{log:?}");
        assert!(
            !all.contains("of ann"),
            "neither words nor name are anywhere: {all}"
        );
        assert!(all.contains("words of ben") && all.contains("name of ben"));
        assert_eq!(
            kept.restrictions.len(),
            1,
            "who may not speak may not speak still"
        );
        assert_eq!(
            keeper
                .history(&room, 100, Some("ann"))
                .await
                .expect("read")
                .messages,
            []
        );
    }

    #[tokio::test]
    async fn what_is_older_than_the_host_keeps_goes() {
        let now = 100 * DAY_MS;
        let rules = Rules {
            keep_days: 2,
            ..Rules::default()
        };
        let (keeper, room) = kept(&[
            Change::Rules(rules),
            Change::Message(message(1, now - 2 * DAY_MS - 1, "ann", None)),
            Change::Message(message(2, now - 2 * DAY_MS, "ann", None)),
            Change::Entry(entry(1, now - 3 * DAY_MS, Act::Unpin, "ann")),
            Change::Entry(entry(2, now, Act::Unpin, "ann")),
        ])
        .await;
        keeper.expire(now).await.expect("expired");
        let seqs = |messages: Vec<Message>| messages.iter().map(|one| one.seq).collect::<Vec<_>>();
        let page = keeper.history(&room, 100, None).await.expect("read");
        assert_eq!(seqs(page.messages), [2]);
        let found = keeper.history(&room, 100, Some("words")).await.expect("read");
        assert_eq!(seqs(found.messages), [2], "the index has forgotten it too");
        let log = keeper.log(&room, None).await.expect("read");
        assert_eq!(log.iter().map(|entry| entry.number).collect::<Vec<_>>(), [2]);
    }
}
