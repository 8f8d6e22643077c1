//! What is kept of shows and their viewers, in the rooms' database.

use sqlx::Row;
use sqlx::sqlite::{SqlitePool, SqliteRow};

use super::attendance::{Kept, Minute, Visitor};
use super::wire::{CurvePoint, ShowFigures, Watching};
use crate::chat::{KeepError, Keeper, number};
use crate::room::{MINUTE_MS, RoomId};

/// Shows of one answer.
const SHOWS: i64 = 50;
/// Minutes of one answer: a day.
const MINUTES: i64 = 1440;

/// Number of a show.
pub type ShowId = i64;

/// A show that was going on when it was written last.
#[derive(Debug)]
pub struct OpenShow {
    pub id: ShowId,
    pub room: RoomId,
    pub began_ms: u64,
    pub seen_ms: u64,
    pub salt: Vec<u8>,
    pub kept: Kept,
}

/// What is written of a show from time to time.
#[derive(Debug)]
pub struct Progress {
    pub id: ShowId,
    pub at_ms: u64,
    pub totals: Watching,
    pub minutes: Vec<Minute>,
    pub watched: Vec<(Visitor, u64)>,
    /// It is over: what could tell its visitors apart goes.
    pub over: bool,
}

/// Begins a show.
pub async fn begin(keeper: &Keeper, room: &RoomId, salt: &[u8], now_ms: u64) -> Result<ShowId, KeepError> {
    let begun = sqlx::query("INSERT INTO shows (room, began_ms, seen_ms, salt) VALUES (?1, ?2, ?2, ?3)")
        .bind(room.as_str())
        .bind(number(now_ms))
        .bind(salt)
        .execute(keeper.pool())
        .await?;
    Ok(begun.last_insert_rowid())
}

/// Writes how a show goes, or that it is over.
pub async fn write(keeper: &Keeper, progress: &Progress) -> Result<(), KeepError> {
    let Progress { id, totals, .. } = progress;
    let mut transaction = keeper.pool().begin().await?;
    sqlx::query(
        "UPDATE shows SET seen_ms = ?2, peak = ?3, joined = ?4, departed = ?5, visitors = ?6, average_ms = ?7,
         median_ms = ?8 WHERE id = ?1",
    )
    .bind(id)
    .bind(number(progress.at_ms))
    .bind(totals.peak)
    .bind(number(totals.joined))
    .bind(number(totals.departed))
    .bind(number(totals.visitors))
    .bind(number(totals.average_ms))
    .bind(number(totals.median_ms))
    .execute(&mut *transaction)
    .await?;
    for minute in &progress.minutes {
        sqlx::query(
            "INSERT INTO show_minutes (show, minute, viewers, joined, departed) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (show, minute) DO UPDATE SET viewers = max(viewers, ?3), joined = ?4, departed = ?5",
        )
        .bind(id)
        .bind(number(minute.minute))
        .bind(minute.viewers)
        .bind(minute.joined)
        .bind(minute.departed)
        .execute(&mut *transaction)
        .await?;
    }
    if progress.over {
        // While its publisher was waited for, minutes went by that were none of the show's.
        sqlx::query("DELETE FROM show_minutes WHERE show = ?1 AND minute > ?2")
            .bind(id)
            .bind(number(progress.at_ms / MINUTE_MS))
            .execute(&mut *transaction)
            .await?;
        for forget in [
            "DELETE FROM show_visitors WHERE show = ?1",
            "UPDATE shows SET salt = NULL, ended_ms = seen_ms WHERE id = ?1",
        ] {
            sqlx::query(forget).bind(id).execute(&mut *transaction).await?;
        }
    } else {
        for (visitor, watched_ms) in &progress.watched {
            sqlx::query(
                "INSERT INTO show_visitors (show, visitor, watched_ms) VALUES (?1, ?2, ?3)
                 ON CONFLICT (show, visitor) DO UPDATE SET watched_ms = ?3",
            )
            .bind(id)
            .bind(visitor.as_slice())
            .bind(number(*watched_ms))
            .execute(&mut *transaction)
            .await?;
        }
    }
    transaction.commit().await?;
    Ok(())
}

/// Shows that are not over.
pub async fn open_shows(keeper: &Keeper) -> Result<Vec<OpenShow>, KeepError> {
    let rows = sqlx::query(
        "SELECT id, room, began_ms, seen_ms, salt, peak, joined, departed, visitors FROM shows WHERE ended_ms IS NULL
         ORDER BY began_ms",
    )
    .fetch_all(keeper.pool())
    .await?;
    let mut shows = Vec::new();
    for row in rows {
        let id: ShowId = row.try_get("id")?;
        let Ok(room) = row.try_get::<String, _>("room")?.parse() else {
            continue;
        };
        shows.push(OpenShow {
            id,
            room,
            began_ms: whole(&row, "began_ms")?,
            seen_ms: whole(&row, "seen_ms")?,
            salt: row.try_get::<Option<_>, _>("salt")?.unwrap_or_default(),
            kept: Kept {
                peak: row.try_get("peak")?,
                joined: whole(&row, "joined")?,
                departed: whole(&row, "departed")?,
                visitors: whole(&row, "visitors")?,
                minute: minute(keeper.pool(), id, whole(&row, "seen_ms")? / MINUTE_MS).await?,
                watched: visitors(keeper.pool(), id).await?,
            },
        });
    }
    Ok(shows)
}

/// How often somebody came and left in one minute.
async fn minute(pool: &SqlitePool, show: ShowId, minute: u64) -> Result<(u32, u32), KeepError> {
    let row = sqlx::query("SELECT joined, departed FROM show_minutes WHERE show = ?1 AND minute = ?2")
        .bind(show)
        .bind(number(minute))
        .fetch_optional(pool)
        .await?;
    match row {
        Some(row) => Ok((row.try_get("joined")?, row.try_get("departed")?)),
        None => Ok((0, 0)),
    }
}

async fn visitors(pool: &SqlitePool, show: ShowId) -> Result<Vec<(Visitor, u64)>, KeepError> {
    sqlx::query("SELECT visitor, watched_ms FROM show_visitors WHERE show = ?1")
        .bind(show)
        .fetch_all(pool)
        .await?
        .iter()
        .map(|row| {
            let bytes: Vec<u8> = row.try_get("visitor")?;
            let mut visitor = Visitor::default();
            // Of another length it is nobody whom we could meet again.
            if bytes.len() == visitor.len() {
                visitor.copy_from_slice(&bytes);
            }
            Ok((visitor, whole(row, "watched_ms")?))
        })
        .collect()
}

/// A room's shows, the last one first.
pub async fn shows(keeper: &Keeper, room: &RoomId) -> Result<Vec<ShowFigures>, KeepError> {
    sqlx::query(
        "SELECT id, began_ms, ended_ms, peak, joined, departed, visitors, average_ms, median_ms FROM shows
         WHERE room = ?1 ORDER BY began_ms DESC, id DESC LIMIT ?2",
    )
    .bind(room.as_str())
    .bind(SHOWS)
    .fetch_all(keeper.pool())
    .await?
    .iter()
    .map(|row| {
        Ok(ShowFigures {
            show: row.try_get::<ShowId, _>("id")?.cast_unsigned(),
            began_ms: whole(row, "began_ms")?,
            ended_ms: row.try_get::<Option<i64>, _>("ended_ms")?.map(i64::cast_unsigned),
            watching: Watching {
                now: 0,
                peak: row.try_get("peak")?,
                visitors: whole(row, "visitors")?,
                joined: whole(row, "joined")?,
                departed: whole(row, "departed")?,
                average_ms: whole(row, "average_ms")?,
                median_ms: whole(row, "median_ms")?,
            },
        })
    })
    .collect()
}

/// A show minute by minute beside chat and products, oldest first; the last day of it.
pub async fn curve(keeper: &Keeper, room: &RoomId, show: u64) -> Result<Vec<CurvePoint>, KeepError> {
    let rows = sqlx::query(
        "SELECT m.minute, m.viewers, m.joined, m.departed, coalesce(said.messages, 0) AS messages,
             (SELECT coalesce(sum(opened), 0) FROM visits WHERE room = ?1 AND minute = m.minute) AS opened,
             (SELECT coalesce(sum(carted), 0) FROM visits WHERE room = ?1 AND minute = m.minute) AS carted
         FROM show_minutes AS m JOIN shows ON shows.id = m.show AND shows.room = ?1
         LEFT JOIN said ON said.room = ?1 AND said.minute = m.minute
         WHERE m.show = ?2 ORDER BY m.minute DESC LIMIT ?3",
    )
    .bind(room.as_str())
    .bind(number(show))
    .bind(MINUTES)
    .fetch_all(keeper.pool())
    .await?;
    rows.iter()
        .rev()
        .map(|row| {
            Ok(CurvePoint {
                minute_ms: whole(row, "minute")? * MINUTE_MS,
                viewers: row.try_get("viewers")?,
                joined: row.try_get("joined")?,
                departed: row.try_get("departed")?,
                messages: row.try_get("messages")?,
                opened: row.try_get("opened")?,
                carted: row.try_get("carted")?,
            })
        })
        .collect()
}

fn whole(row: &SqliteRow, column: &str) -> Result<u64, KeepError> {
    Ok(row.try_get::<i64, _>(column)?.cast_unsigned())
}
