//! What is kept of engagement: polls with their votes, questions, giveaways with their entries, how often what was shown.

use std::collections::{HashMap, HashSet};

use sqlx::sqlite::SqlitePool;
use sqlx::{Row, Sqlite, Transaction};

use super::draw::Seed;
use super::giveaway::{Entry, RunningGiveaway};
use super::questions::Asked;
use super::wire::{Giveaway, GiveawayState, Poll, Proof, Question, Reaction};
use crate::chat::keep::{KeepError, Keeper, number};
use crate::chat::room::EngageChange;
use crate::chat::wire::{MemberId, Seq};
use crate::room::RoomId;

/// What is kept of a room's engagement while nobody is in it.
#[derive(Debug, Default, Clone)]
pub struct KeptEngagement {
    /// The one that is shown, and who voted for what.
    pub poll: Option<(Poll, HashMap<MemberId, u32>)>,
    pub questions_open: bool,
    pub questions: Vec<Asked>,
    /// The one that is shown, with its seed and its entries.
    pub giveaway: Option<(Giveaway, Seed, Vec<Entry>)>,
    pub reactions: HashMap<Reaction, u64>,
}

/// What is kept of a room's engagement.
pub async fn load(pool: &SqlitePool, room: &str) -> Result<KeptEngagement, KeepError> {
    let questions_open: i64 = sqlx::query("SELECT questions_open FROM rooms WHERE room = ?1")
        .bind(room)
        .fetch_one(pool)
        .await?
        .try_get("questions_open")?;
    let reactions = sqlx::query("SELECT reaction, total FROM reactions WHERE room = ?1")
        .bind(room)
        .fetch_all(pool)
        .await?
        .iter()
        .map(|row| {
            let reaction = serde_json::from_str(row.try_get("reaction")?)?;
            Ok((reaction, row.try_get::<i64, _>("total")?.cast_unsigned()))
        })
        .collect::<Result<_, KeepError>>()?;
    Ok(KeptEngagement {
        poll: load_poll(pool, room).await?,
        questions_open: questions_open != 0,
        questions: load_questions(pool, room).await?,
        giveaway: load_giveaway(pool, room).await?,
        reactions,
    })
}

async fn load_poll(
    pool: &SqlitePool,
    room: &str,
) -> Result<Option<(Poll, HashMap<MemberId, u32>)>, KeepError> {
    let shown = "SELECT body FROM polls WHERE room = ?1 AND shown = 1 ORDER BY id DESC LIMIT 1";
    let Some(row) = sqlx::query(shown).bind(room).fetch_optional(pool).await? else {
        return Ok(None);
    };
    let poll: Poll = serde_json::from_str(row.try_get("body")?)?;
    let ballots = sqlx::query("SELECT member, choice FROM ballots WHERE room = ?1 AND poll = ?2")
        .bind(room)
        .bind(number(poll.id))
        .fetch_all(pool)
        .await?
        .iter()
        .map(|row| {
            let choice: i64 = row.try_get("choice")?;
            Ok((row.try_get("member")?, u32::try_from(choice).unwrap_or(u32::MAX)))
        })
        .collect::<Result<_, KeepError>>()?;
    Ok(Some((poll, ballots)))
}

async fn load_questions(pool: &SqlitePool, room: &str) -> Result<Vec<Asked>, KeepError> {
    let mut supporters: HashMap<i64, HashSet<MemberId>> = HashMap::new();
    let rows = sqlx::query("SELECT question, member FROM supporters WHERE room = ?1")
        .bind(room)
        .fetch_all(pool)
        .await?;
    for row in rows {
        let of = supporters.entry(row.try_get("question")?).or_default();
        of.insert(row.try_get("member")?);
    }
    sqlx::query("SELECT id, body FROM questions WHERE room = ?1 ORDER BY id")
        .bind(room)
        .fetch_all(pool)
        .await?
        .iter()
        .map(|row| {
            let mut question: Question = serde_json::from_str(row.try_get("body")?)?;
            let supporters = supporters.remove(&row.try_get("id")?).unwrap_or_default();
            question.votes = supporters.len() as u64;
            Ok(Asked { question, supporters })
        })
        .collect()
}

async fn load_giveaway(
    pool: &SqlitePool,
    room: &str,
) -> Result<Option<(Giveaway, Seed, Vec<Entry>)>, KeepError> {
    let shown = "SELECT id, body, seed FROM giveaways WHERE room = ?1 AND shown = 1 ORDER BY id DESC LIMIT 1";
    let Some(row) = sqlx::query(shown).bind(room).fetch_optional(pool).await? else {
        return Ok(None);
    };
    let giveaway: Giveaway = serde_json::from_str(row.try_get("body")?)?;
    let seed: Vec<u8> = row.try_get("seed")?;
    // One that lost its seed cannot be drawn: it is as good as none.
    let Ok(seed) = <[u8; 32]>::try_from(seed) else {
        return Ok(None);
    };
    let entries = sqlx::query(
        "SELECT entry, member, name, address FROM giveaway_entries WHERE room = ?1 AND giveaway = ?2 ORDER BY place",
    )
    .bind(room)
    .bind(number(giveaway.id))
    .fetch_all(pool)
    .await?
    .iter()
    .map(|row| {
        let address: Vec<u8> = row.try_get("address")?;
        Ok(Entry {
            entry: row.try_get("entry")?,
            member: row.try_get("member")?,
            name: row.try_get("name")?,
            address: address.try_into().unwrap_or_default(),
        })
    })
    .collect::<Result<_, KeepError>>()?;
    Ok(Some((giveaway, Seed::from_bytes(seed), entries)))
}

/// Keeps one change, as part of what its turn changes.
pub async fn keep_engagement(
    to: &mut Transaction<'_, Sqlite>,
    room: &str,
    change: &EngageChange,
) -> Result<(), KeepError> {
    let query = match change {
        EngageChange::Poll { poll, shown } => {
            if !shown {
                // Who voted for what is nobody's business any more; how many did stands in the poll.
                sqlx::query("DELETE FROM ballots WHERE room = ?1 AND poll = ?2")
                    .bind(room)
                    .bind(number(poll.id))
                    .execute(&mut **to)
                    .await?;
            }
            sqlx::query(
                "INSERT INTO polls (room, id, body, shown) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (room, id) DO UPDATE SET body = ?3, shown = ?4",
            )
            .bind(room)
            .bind(number(poll.id))
            .bind(serde_json::to_string(poll)?)
            .bind(i64::from(*shown))
        }
        EngageChange::Voted { poll, member, option } => sqlx::query(
            "INSERT INTO ballots (room, poll, member, choice) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (room, poll, member) DO UPDATE SET choice = ?4",
        )
        .bind(room)
        .bind(number(*poll))
        .bind(member.clone())
        .bind(i64::from(*option)),
        EngageChange::QuestionsOpen(open) => {
            sqlx::query("UPDATE rooms SET questions_open = ?2 WHERE room = ?1")
                .bind(room)
                .bind(i64::from(*open))
        }
        EngageChange::Question(question) => sqlx::query(
            "INSERT INTO questions (room, id, body) VALUES (?1, ?2, ?3)
             ON CONFLICT (room, id) DO UPDATE SET body = ?3",
        )
        .bind(room)
        .bind(number(question.id))
        .bind(serde_json::to_string(question)?),
        EngageChange::QuestionGone(id) => {
            sqlx::query("DELETE FROM supporters WHERE room = ?1 AND question = ?2")
                .bind(room)
                .bind(number(*id))
                .execute(&mut **to)
                .await?;
            sqlx::query("DELETE FROM questions WHERE room = ?1 AND id = ?2")
                .bind(room)
                .bind(number(*id))
        }
        EngageChange::Supported { question, member } => sqlx::query(
            "INSERT INTO supporters (room, question, member) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
        )
        .bind(room)
        .bind(number(*question))
        .bind(member.clone()),
        EngageChange::Giveaway {
            giveaway,
            seed,
            shown,
        } => {
            if !shown {
                // The draw can be done again without knowing whose entries they were.
                sqlx::query(
                    "UPDATE giveaway_entries SET member = '', name = '', address = x''
                     WHERE room = ?1 AND giveaway = ?2",
                )
                .bind(room)
                .bind(number(giveaway.id))
                .execute(&mut **to)
                .await?;
            }
            sqlx::query(
                "INSERT INTO giveaways (room, id, body, seed, shown) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT (room, id) DO UPDATE SET body = ?3, shown = ?5",
            )
            .bind(room)
            .bind(number(giveaway.id))
            .bind(serde_json::to_string(giveaway)?)
            .bind(seed.bytes().to_vec())
            .bind(i64::from(*shown))
        }
        EngageChange::Entered {
            giveaway,
            place,
            entry,
        } => sqlx::query(
            "INSERT INTO giveaway_entries (room, giveaway, place, entry, member, name, address)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )
        .bind(room)
        .bind(number(*giveaway))
        .bind(number(*place))
        .bind(entry.entry.clone())
        .bind(entry.member.clone())
        .bind(entry.name.clone())
        .bind(entry.address.to_vec()),
        EngageChange::Reacted(totals) => {
            for one in totals {
                sqlx::query(
                    "INSERT INTO reactions (room, reaction, total) VALUES (?1, ?2, ?3)
                     ON CONFLICT (room, reaction) DO UPDATE SET total = ?3",
                )
                .bind(room)
                .bind(serde_json::to_string(&one.reaction)?)
                .bind(number(one.total))
                .execute(&mut **to)
                .await?;
            }
            return Ok(());
        }
    };
    query.execute(&mut **to).await?;
    Ok(())
}

impl Keeper {
    /// A draw with all that it takes to do it again; `None` while there is none of this number, or it is not drawn yet.
    pub async fn proof(&self, room: &RoomId, id: Seq) -> Result<Option<Proof>, KeepError> {
        let row = sqlx::query("SELECT body FROM giveaways WHERE room = ?1 AND id = ?2")
            .bind(room.as_str())
            .bind(number(id))
            .fetch_optional(&self.pool)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let mut giveaway: Giveaway = serde_json::from_str(row.try_get("body")?)?;
        if !matches!(giveaway.state, GiveawayState::Drawn { .. }) {
            return Ok(None);
        }
        let list: Vec<String> = sqlx::query(
            "SELECT entry FROM giveaway_entries WHERE room = ?1 AND giveaway = ?2 ORDER BY place",
        )
        .bind(room.as_str())
        .bind(number(id))
        .fetch_all(&self.pool)
        .await?
        .iter()
        .map(|row| row.try_get("entry"))
        .collect::<Result<_, _>>()?;
        giveaway.entries = list.len() as u64;
        Ok(Some(Proof { giveaway, list }))
    }
}

impl KeptEngagement {
    /// Takes the giveaway out, running.
    pub fn take_giveaway(&mut self) -> Option<RunningGiveaway> {
        let (giveaway, seed, entries) = self.giveaway.take()?;
        Some(RunningGiveaway::kept(giveaway, seed, entries))
    }
}
