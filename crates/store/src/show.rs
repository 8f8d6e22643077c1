//! The record of shows: which is on air, where it goes, which files it left.

use std::path::PathBuf;

use protocol::DestinationId;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use crate::{Store, StoreError, UnreadableRow};

/// One show in the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ShowId(i64);

/// One file of a recording in the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RecordingId(i64);

/// How a show ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShowEnding {
    /// The host ended it.
    Stopped,
    /// The engine died and nobody brought the show back.
    Lost,
}

/// A show that has begun and not ended: what a restarted engine brings back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShowOnAir {
    /// Which.
    pub id: ShowId,
    /// What it is called.
    pub title: String,
    /// When the host went live, wall clock, milliseconds since 1970.
    pub started_ms: u64,
    /// When the first output was live; `None` if none was.
    pub live_ms: Option<u64>,
    /// Destinations whose outputs run.
    pub outputs: Vec<DestinationId>,
    /// Its files so far, oldest first.
    pub recordings: Vec<Recording>,
}

/// A file that a show was recorded to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recording {
    /// Which.
    pub id: RecordingId,
    /// Whose output wrote it.
    pub destination: DestinationId,
    /// Absolute path.
    pub path: PathBuf,
    /// Which part of the show's recording, from 1.
    pub part: u32,
    /// It is closed and a plain seekable file.
    pub finalised: bool,
}

impl Store {
    /// A show has begun, with these outputs. Times are wall clock, milliseconds since 1970, here and below.
    ///
    /// # Errors
    /// [`StoreError::Database`], also while another show is on air.
    pub async fn show_began(
        &self,
        title: &str,
        at_ms: u64,
        outputs: &[DestinationId],
    ) -> Result<ShowId, StoreError> {
        let mut transaction = self.pool.begin().await.map_err(|e| self.failed(e))?;
        let id = sqlx::query("INSERT INTO shows (title, started_ms) VALUES (?1, ?2)")
            .bind(title)
            .bind(at_ms as i64)
            .execute(&mut *transaction)
            .await
            .map_err(|e| self.failed(e))?
            .last_insert_rowid();
        for output in outputs {
            sqlx::query("INSERT INTO show_outputs (show_id, destination_id, on_air) VALUES (?1, ?2, 1)")
                .bind(id)
                .bind(output.as_str())
                .execute(&mut *transaction)
                .await
                .map_err(|e| self.failed(e))?;
        }
        transaction.commit().await.map_err(|e| self.failed(e))?;
        Ok(ShowId(id))
    }

    /// An output of the show is live for the first time. Later calls change nothing.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn show_live(&self, show: ShowId, at_ms: u64) -> Result<(), StoreError> {
        sqlx::query("UPDATE shows SET live_ms = ?2 WHERE id = ?1 AND live_ms IS NULL")
            .bind(show.0)
            .bind(at_ms as i64)
            .execute(&self.pool)
            .await
            .map_err(|e| self.failed(e))?;
        Ok(())
    }

    /// The show has ended. Later calls change nothing.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn show_ended(&self, show: ShowId, at_ms: u64, ending: ShowEnding) -> Result<(), StoreError> {
        let ending = match ending {
            ShowEnding::Stopped => "stopped",
            ShowEnding::Lost => "lost",
        };
        sqlx::query("UPDATE shows SET ended_ms = ?2, ending = ?3 WHERE id = ?1 AND ended_ms IS NULL")
            .bind(show.0)
            .bind(at_ms as i64)
            .bind(ending)
            .execute(&self.pool)
            .await
            .map_err(|e| self.failed(e))?;
        Ok(())
    }

    /// An output has joined the running show or left it.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn output_on_air(
        &self,
        show: ShowId,
        output: &DestinationId,
        on_air: bool,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO show_outputs (show_id, destination_id, on_air) VALUES (?1, ?2, ?3)
             ON CONFLICT (show_id, destination_id) DO UPDATE SET on_air = ?3",
        )
        .bind(show.0)
        .bind(output.as_str())
        .bind(on_air)
        .execute(&self.pool)
        .await
        .map_err(|e| self.failed(e))?;
        Ok(())
    }

    /// A file of the show's recording has been begun; `part` counts from 1.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn recording_began(
        &self,
        show: ShowId,
        output: &DestinationId,
        path: &std::path::Path,
        part: u32,
        at_ms: u64,
    ) -> Result<RecordingId, StoreError> {
        let done = sqlx::query(
            "INSERT INTO recordings (show_id, destination_id, path, part, started_ms, finalised)
             VALUES (?1, ?2, ?3, ?4, ?5, 0)",
        )
        .bind(show.0)
        .bind(output.as_str())
        .bind(path.to_string_lossy().as_ref())
        .bind(part)
        .bind(at_ms as i64)
        .execute(&self.pool)
        .await
        .map_err(|e| self.failed(e))?;
        Ok(RecordingId(done.last_insert_rowid()))
    }

    /// A file is closed; `finalised` when it was made a plain seekable one.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn recording_ended(
        &self,
        recording: RecordingId,
        at_ms: u64,
        finalised: bool,
    ) -> Result<(), StoreError> {
        sqlx::query("UPDATE recordings SET ended_ms = ?2, finalised = ?3 WHERE id = ?1")
            .bind(recording.0)
            .bind(at_ms as i64)
            .bind(finalised)
            .execute(&self.pool)
            .await
            .map_err(|e| self.failed(e))?;
        Ok(())
    }

    /// The show that has begun and not ended, if any: after a crash, the one to bring back.
    ///
    /// # Errors
    /// [`StoreError::Database`], [`StoreError::Unreadable`].
    pub async fn show_on_air(&self) -> Result<Option<ShowOnAir>, StoreError> {
        let row = sqlx::query("SELECT id, title, started_ms, live_ms FROM shows WHERE ended_ms IS NULL")
            .fetch_optional(&self.pool)
            .await
            .map_err(|e| self.failed(e))?;
        let Some(row) = row else { return Ok(None) };
        let id: i64 = row.try_get("id").map_err(|e| self.failed(e))?;

        let mut outputs = Vec::new();
        let rows: Vec<String> = sqlx::query_scalar(
            "SELECT destination_id FROM show_outputs WHERE show_id = ?1 AND on_air ORDER BY rowid",
        )
        .bind(id)
        .fetch_all(&self.pool)
        .await
        .map_err(|e| self.failed(e))?;
        for text in rows {
            outputs.push(self.destination("show_outputs", text)?);
        }

        let mut recordings = Vec::new();
        let rows = sqlx::query("SELECT * FROM recordings WHERE show_id = ?1 ORDER BY id")
            .bind(id)
            .fetch_all(&self.pool)
            .await
            .map_err(|e| self.failed(e))?;
        for row in &rows {
            recordings.push(self.recording(row)?);
        }

        let started_ms: i64 = row.try_get("started_ms").map_err(|e| self.failed(e))?;
        let live_ms: Option<i64> = row.try_get("live_ms").map_err(|e| self.failed(e))?;
        Ok(Some(ShowOnAir {
            id: ShowId(id),
            title: row.try_get("title").map_err(|e| self.failed(e))?,
            started_ms: started_ms.unsigned_abs(),
            live_ms: live_ms.map(i64::unsigned_abs),
            outputs,
            recordings,
        }))
    }

    /// Files that nobody closed, of whatever show, oldest first. Asked before anything is recorded, these are the ones
    /// that died with their engine.
    ///
    /// # Errors
    /// [`StoreError::Database`], [`StoreError::Unreadable`].
    pub async fn recordings_cut_short(&self) -> Result<Vec<Recording>, StoreError> {
        let rows =
            sqlx::query("SELECT * FROM recordings WHERE ended_ms IS NULL AND NOT finalised ORDER BY id")
                .fetch_all(&self.pool)
                .await
                .map_err(|e| self.failed(e))?;
        rows.iter().map(|row| self.recording(row)).collect()
    }

    fn recording(&self, row: &SqliteRow) -> Result<Recording, StoreError> {
        let text: String = row.try_get("destination_id").map_err(|e| self.failed(e))?;
        let path: String = row.try_get("path").map_err(|e| self.failed(e))?;
        Ok(Recording {
            id: RecordingId(row.try_get("id").map_err(|e| self.failed(e))?),
            destination: self.destination("recordings", text)?,
            path: path.into(),
            part: row.try_get("part").map_err(|e| self.failed(e))?,
            finalised: row.try_get("finalised").map_err(|e| self.failed(e))?,
        })
    }

    fn destination(&self, table: &'static str, text: String) -> Result<DestinationId, StoreError> {
        DestinationId::try_from(text.as_str()).map_err(|error| StoreError::Unreadable {
            path: self.path.clone(),
            source: UnreadableRow {
                table,
                row: text,
                detail: error.to_string(),
            },
        })
    }
}
