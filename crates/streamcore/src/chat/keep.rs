//! What is kept of every room's chat: one SQLite database, one transaction for all that one turn of a room changes.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::hmac;
use secrecy::{ExposeSecret, SecretString};
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{Row, Sqlite, Transaction};

use super::doors::network;
use super::engage::{keep_engagement, load as load_engagement};
use super::personal;
use super::products::{AtHand, keep_product_change, load as load_products};
use super::room::{AddressHash, Change, Kept};
use super::wire::{Entry, Message, Restriction, Seq};
use crate::money::{Offer, keep_money_change, load_money};
use crate::room::{MINUTE_MS, RoomId};

static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// How long a statement waits for somebody who looks into the database with another program.
const BUSY_FOR: Duration = Duration::from_secs(5);
/// Messages of a page of history, and entries of one of the log.
const PAGE: i64 = 100;
/// As many as a room has at hand.
const AT_HAND: i64 = 500;

/// Why something could not be kept or read.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    /// The database.
    #[error("use the room database")]
    Database(#[from] sqlx::Error),
    /// Another version of the server made it, or it is not ours.
    #[error("bring the room database up to date")]
    Migrate(#[from] MigrateError),
    /// What is in it cannot be read.
    #[error("understand the room database")]
    Content(#[from] serde_json::Error),
}

/// The database of all rooms.
#[derive(Clone)]
pub struct Keeper {
    pub(crate) pool: SqlitePool,
    pub(super) images: Arc<tokio::sync::Mutex<AtHand>>,
    address_key: hmac::Key,
    /// What viewers may pay; absent without payments.
    offer: Option<Arc<Offer>>,
}

impl std::fmt::Debug for Keeper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keeper")
    }
}

/// A page of messages.
#[derive(Debug)]
pub struct Page {
    /// Oldest first.
    pub messages: Vec<Message>,
    /// Whether there are older ones.
    pub more: bool,
}

impl Keeper {
    /// Opens the database at `path`, or one in memory that ends with the server. `key` is what addresses are hashed
    /// with; it stands in no database.
    pub async fn open(path: Option<&Path>, key: &SecretString) -> Result<Self, KeepError> {
        let options = match path {
            Some(path) => SqliteConnectOptions::new().filename(path).create_if_missing(true),
            None => SqliteConnectOptions::new().in_memory(true),
        };
        let options = options
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .busy_timeout(BUSY_FOR)
            .foreign_keys(true);
        // One connection: rooms write one after the other; and a database in memory is its connection's own.
        let pool = SqlitePoolOptions::new()
            .max_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_with(options)
            .await?;
        MIGRATIONS.run(&pool).await?;
        let address_key = hmac::Key::new(hmac::HMAC_SHA256, key.expose_secret().as_bytes());
        Ok(Self {
            pool,
            images: Arc::default(),
            address_key,
            offer: None,
        })
    }

    /// Tells rooms what viewers may pay in them.
    pub fn with_offer(mut self, offer: Option<Arc<Offer>>) -> Self {
        self.offer = offer;
        self
    }

    /// A number that stands for an address in one room: the same for the same address, and no way back without the
    /// server's key. Of an IPv6 address the network counts (64 bits): a home has many addresses, and one network.
    pub fn address_hash(&self, room: &RoomId, address: std::net::IpAddr) -> AddressHash {
        let network = match network(address) {
            std::net::IpAddr::V4(v4) => v4.octets().to_vec(),
            std::net::IpAddr::V6(v6) => v6.octets()[..8].to_vec(),
        };
        let mut context = hmac::Context::with_key(&self.address_key);
        context.update(b"address\0");
        context.update(room.as_str().as_bytes());
        context.update(b"\0");
        context.update(&network);
        let mut hash = AddressHash::default();
        hash.copy_from_slice(&context.sign().as_ref()[..16]);
        hash
    }

    /// Its connections.
    pub fn pool(&self) -> &SqlitePool {
        &self.pool
    }

    /// What is kept of a room; a room nobody has spoken in is empty.
    pub async fn load(&self, room: &RoomId) -> Result<Kept, KeepError> {
        let room = room.as_str();
        let Some(row) = sqlx::query("SELECT seq, entries, rules, pinned FROM rooms WHERE room = ?1")
            .bind(room)
            .fetch_optional(&self.pool)
            .await?
        else {
            return Ok(self.with_money(Kept::default()));
        };
        let json = |column: &str| row.try_get::<Option<String>, _>(column);
        let rules = json("rules")?
            .map(|text| serde_json::from_str(&text))
            .transpose()?;
        let pinned = json("pinned")?
            .map(|text| serde_json::from_str(&text))
            .transpose()?;
        let messages = bodies(
            sqlx::query(
                "SELECT body FROM messages WHERE room = ?1 AND deleted_by IS NULL ORDER BY seq DESC LIMIT ?2",
            )
            .bind(room)
            .bind(AT_HAND)
            .fetch_all(&self.pool)
            .await?,
        )?;
        let held = sqlx::query("SELECT body FROM held WHERE room = ?1 ORDER BY seq")
            .bind(room)
            .fetch_all(&self.pool)
            .await?
            .iter()
            .map(|row| Ok(serde_json::from_str(row.try_get("body")?)?))
            .collect::<Result<_, KeepError>>()?;
        let restrictions =
            sqlx::query("SELECT member, name, until_ms, address FROM restrictions WHERE room = ?1")
                .bind(room)
                .fetch_all(&self.pool)
                .await?
                .iter()
                .map(|row| {
                    let restriction = Restriction {
                        member: row.try_get("member")?,
                        name: row.try_get("name")?,
                        until_ms: row.try_get::<Option<i64>, _>("until_ms")?.map(i64::cast_unsigned),
                    };
                    let address: Option<Vec<u8>> = row.try_get("address")?;
                    Ok((restriction, address.and_then(|bytes| bytes.try_into().ok())))
                })
                .collect::<Result<_, KeepError>>()?;
        let invitations = sqlx::query("SELECT member, name FROM invitations WHERE room = ?1")
            .bind(room)
            .fetch_all(&self.pool)
            .await?
            .iter()
            .map(|row| Ok((row.try_get("member")?, row.try_get("name")?)))
            .collect::<Result<_, KeepError>>()?;
        let kept = Kept {
            seq: row.try_get::<i64, _>("seq")?.cast_unsigned(),
            entries: row.try_get::<i64, _>("entries")?.cast_unsigned(),
            messages,
            pinned,
            rules: rules.unwrap_or_default(),
            held,
            restrictions,
            invitations,
            products: load_products(&self.pool, room).await?,
            money: load_money(&self.pool, room).await?,
            engagement: load_engagement(&self.pool, room).await?,
        };
        Ok(self.with_money(kept))
    }

    fn with_money(&self, mut kept: Kept) -> Kept {
        kept.money.offer.clone_from(&self.offer);
        kept
    }

    /// Keeps all changes and the number of the last event that they brought, or nothing.
    pub async fn keep(&self, room: &RoomId, seq: Option<Seq>, changes: &[Change]) -> Result<(), KeepError> {
        let mut transaction = self.pool.begin().await?;
        sqlx::query(
            "INSERT INTO rooms (room, seq) VALUES (?1, coalesce(?2, 0))
             ON CONFLICT (room) DO UPDATE SET seq = coalesce(?2, seq)",
        )
        .bind(room.as_str())
        .bind(seq.map(number))
        .execute(&mut *transaction)
        .await?;
        for change in changes {
            keep_one(&mut transaction, room.as_str(), change).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Messages before `before`, with all the words of `search` in them.
    pub async fn history(&self, room: &RoomId, before: Seq, search: Option<&str>) -> Result<Page, KeepError> {
        let words = search.map(search_words);
        let rows = match &words {
            Some(words) if words.is_empty() => Vec::new(),
            Some(words) => {
                sqlx::query(
                    "SELECT body FROM messages WHERE room = ?1 AND seq < ?2 AND deleted_by IS NULL AND id IN
                     (SELECT rowid FROM message_words WHERE message_words MATCH ?4) ORDER BY seq DESC LIMIT ?3",
                )
                .bind(room.as_str())
                .bind(number(before))
                .bind(PAGE + 1)
                .bind(words)
                .fetch_all(&self.pool)
                .await?
            }
            None => {
                sqlx::query(
                    "SELECT body FROM messages WHERE room = ?1 AND seq < ?2 AND deleted_by IS NULL
                     ORDER BY seq DESC LIMIT ?3",
                )
                .bind(room.as_str())
                .bind(number(before))
                .bind(PAGE + 1)
                .fetch_all(&self.pool)
                .await?
            }
        };
        let more = rows.len() > PAGE as usize;
        let mut messages = bodies(rows)?;
        if more {
            messages.remove(0);
        }
        Ok(Page { messages, more })
    }

    /// One message, unless it was deleted.
    pub async fn message(&self, room: &RoomId, seq: Seq) -> Result<Option<Message>, KeepError> {
        let row =
            sqlx::query("SELECT body FROM messages WHERE room = ?1 AND seq = ?2 AND deleted_by IS NULL")
                .bind(room.as_str())
                .bind(number(seq))
                .fetch_optional(&self.pool)
                .await?;
        row.map(|row| Ok(serde_json::from_str(row.try_get("body")?)?))
            .transpose()
    }

    /// Asks the database whether it answers.
    pub async fn look(&self) -> Result<(), KeepError> {
        sqlx::query("SELECT 1 FROM rooms LIMIT 1")
            .fetch_optional(&self.pool)
            .await?;
        Ok(())
    }

    /// Entries of the log before `before`, newest first.
    pub async fn log(&self, room: &RoomId, before: Option<u64>) -> Result<Vec<Entry>, KeepError> {
        sqlx::query("SELECT body FROM entries WHERE room = ?1 AND number < ?2 ORDER BY number DESC LIMIT ?3")
            .bind(room.as_str())
            .bind(before.map_or(i64::MAX, number))
            .bind(PAGE)
            .fetch_all(&self.pool)
            .await?
            .iter()
            .map(|row| Ok(serde_json::from_str(row.try_get("body")?)?))
            .collect()
    }

    /// Ends after what is being written.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

async fn keep_one(to: &mut Transaction<'_, Sqlite>, room: &str, change: &Change) -> Result<(), KeepError> {
    let query = match change {
        Change::Message(message) => {
            sqlx::query(
                "INSERT INTO said (room, minute, messages) VALUES (?1, ?2, 1)
                 ON CONFLICT (room, minute) DO UPDATE SET messages = messages + 1",
            )
            .bind(room)
            .bind(number(message.at_ms / MINUTE_MS))
            .execute(&mut **to)
            .await?;
            sqlx::query(
                "INSERT INTO messages (room, seq, author, text, body, at_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )
            .bind(room)
            .bind(number(message.seq))
            .bind(message.author.id.clone())
            .bind(message.text.clone())
            .bind(serde_json::to_string(message)?)
            .bind(number(message.at_ms))
        }
        Change::Delete { messages, entry } => {
            for seq in messages {
                sqlx::query(
                    "UPDATE messages SET deleted_by = ?3 WHERE room = ?1 AND seq = ?2 AND deleted_by IS NULL",
                )
                .bind(room)
                .bind(number(*seq))
                .bind(number(*entry))
                .execute(&mut **to)
                .await?;
            }
            return Ok(());
        }
        Change::DeleteAllOf { member, entry } => sqlx::query(
            "UPDATE messages SET deleted_by = ?3 WHERE room = ?1 AND author = ?2 AND deleted_by IS NULL",
        )
        .bind(room)
        .bind(member.clone())
        .bind(number(*entry)),
        Change::DeleteAll { entry } => {
            sqlx::query("UPDATE messages SET deleted_by = ?2 WHERE room = ?1 AND deleted_by IS NULL")
                .bind(room)
                .bind(number(*entry))
        }
        Change::Restore { entry } => {
            sqlx::query("UPDATE messages SET deleted_by = NULL WHERE room = ?1 AND deleted_by = ?2")
                .bind(room)
                .bind(number(*entry))
        }
        Change::Forget { member } => return personal::forget(to, room, member).await,
        Change::Product(change) => return keep_product_change(to, room, change).await,
        Change::Money(change) => return keep_money_change(to, room, change).await,
        Change::Engage(change) => return keep_engagement(to, room, change).await,
        Change::Pinned(pinned) => sqlx::query("UPDATE rooms SET pinned = ?2 WHERE room = ?1")
            .bind(room)
            .bind(pinned.as_ref().map(serde_json::to_string).transpose()?),
        Change::Rules(rules) => sqlx::query("UPDATE rooms SET rules = ?2 WHERE room = ?1")
            .bind(room)
            .bind(serde_json::to_string(rules)?),
        Change::Held(held) => sqlx::query("INSERT INTO held (room, seq, body) VALUES (?1, ?2, ?3)")
            .bind(room)
            .bind(number(held.message.seq))
            .bind(serde_json::to_string(held)?),
        Change::Decided(seq) => sqlx::query("DELETE FROM held WHERE room = ?1 AND seq = ?2")
            .bind(room)
            .bind(number(*seq)),
        Change::Restricted { restriction, address } => sqlx::query(
            "INSERT INTO restrictions (room, member, name, until_ms, address) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (room, member) DO UPDATE SET name = ?3, until_ms = ?4, address = ?5",
        )
        .bind(room)
        .bind(restriction.member.clone())
        .bind(restriction.name.clone())
        .bind(restriction.until_ms.map(number))
        .bind(address.map(|hash| hash.to_vec())),
        Change::Lifted(member) => sqlx::query("DELETE FROM restrictions WHERE room = ?1 AND member = ?2")
            .bind(room)
            .bind(member.clone()),
        Change::Entry(entry) => {
            sqlx::query("UPDATE rooms SET entries = ?2 WHERE room = ?1")
                .bind(room)
                .bind(number(entry.number))
                .execute(&mut **to)
                .await?;
            sqlx::query("INSERT INTO entries (room, number, body) VALUES (?1, ?2, ?3)")
                .bind(room)
                .bind(number(entry.number))
                .bind(serde_json::to_string(entry)?)
        }
        Change::Invitation {
            member,
            name,
            holds: true,
        } => sqlx::query("INSERT INTO invitations (room, member, name) VALUES (?1, ?2, ?3)")
            .bind(room)
            .bind(member.clone())
            .bind(name.clone()),
        Change::Invitation {
            member, holds: false, ..
        } => sqlx::query("DELETE FROM invitations WHERE room = ?1 AND member = ?2")
            .bind(room)
            .bind(member.clone()),
    };
    query.execute(&mut **to).await?;
    Ok(())
}

/// Rows that come newest first, as messages oldest first.
fn bodies(rows: Vec<sqlx::sqlite::SqliteRow>) -> Result<Vec<Message>, KeepError> {
    rows.iter()
        .rev()
        .map(|row| Ok(serde_json::from_str(row.try_get("body")?)?))
        .collect()
}

/// What a person typed as a search of FTS5: every word as the beginning of one, nothing of it an operator.
fn search_words(text: &str) -> String {
    let words = text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .take(8);
    words
        .map(|word| format!("\"{word}\"*"))
        .collect::<Vec<_>>()
        .join(" ")
}

/// SQLite's integers have a sign; ours stay far below 2^53.
pub(crate) fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn addresses_are_told_apart_and_cannot_be_read() {
        let open = async |key: &str| {
            Keeper::open(None, &SecretString::from(key))
                .await
                .expect("memory")
        };
        let (keeper, other) = (open("one").await, open("two").await);
        let room: RoomId = "a".parse().expect("a room's name");
        let hash = |text: &str| keeper.address_hash(&room, text.parse().expect("an address"));
        assert_eq!(hash("192.0.2.1"), hash("::ffff:192.0.2.1"), "the same host");
        assert_eq!(hash("2001:db8::1"), hash("2001:db8::2"), "the same home");
        assert_ne!(hash("192.0.2.1"), hash("192.0.2.2"));
        let address = "192.0.2.1".parse().expect("an address");
        assert_ne!(
            hash("192.0.2.1"),
            other.address_hash(&room, address),
            "another server"
        );
        let next: RoomId = "b".parse().expect("a room's name");
        assert_ne!(
            hash("192.0.2.1"),
            keeper.address_hash(&next, address),
            "another room"
        );
    }

    #[test]
    fn a_search_holds_no_operators() {
        assert_eq!(search_words("ship NOT \"x"), "\"ship\"* \"NOT\"* \"x\"*");
        assert_eq!(search_words("* - \""), "");
    }
}
