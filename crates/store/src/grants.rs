//! What the system's own dialog allowed sources to show.

use protocol::{DeviceId, SourceId};
use sqlx::Row;

use crate::{Store, StoreError, UnreadableRow};

/// A choice that a person made in the system's dialog, and what brings it back without asking.
#[derive(Clone, PartialEq, Eq)]
pub struct Grant {
    /// Whose.
    pub source: SourceId,
    /// The device id in its settings; another one is another choice.
    pub device: Option<DeviceId>,
    /// Good for one time.
    pub token: String,
}

impl std::fmt::Debug for Grant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Grant")
            .field("source", &self.source)
            .field("device", &self.device)
            .finish_non_exhaustive()
    }
}

impl Store {
    /// The grants of all sources of the saved document. Those of others are forgotten.
    ///
    /// # Errors
    /// [`StoreError::Database`], [`StoreError::Unreadable`].
    pub async fn grants(&self) -> Result<Vec<Grant>, StoreError> {
        sqlx::query("DELETE FROM grants WHERE source_id NOT IN (SELECT id FROM sources)")
            .execute(&self.pool)
            .await
            .map_err(|e| self.failed(e))?;
        let rows = sqlx::query("SELECT source_id, device, token FROM grants")
            .fetch_all(&self.pool)
            .await
            .map_err(|e| self.failed(e))?;
        let mut grants = Vec::new();
        for row in rows {
            let source: String = row.try_get("source_id").map_err(|e| self.failed(e))?;
            let device: String = row.try_get("device").map_err(|e| self.failed(e))?;
            let unreadable = |error: protocol::IdError| StoreError::Unreadable {
                path: self.path.clone(),
                source: UnreadableRow {
                    table: "grants",
                    row: source.clone(),
                    detail: error.to_string(),
                },
            };
            grants.push(Grant {
                source: SourceId::try_from(source.as_str()).map_err(unreadable)?,
                device: match device.as_str() {
                    "" => None,
                    id => Some(DeviceId::try_from(id).map_err(unreadable)?),
                },
                token: row.try_get("token").map_err(|e| self.failed(e))?,
            });
        }
        Ok(grants)
    }

    /// Keeps the token of a choice; `None` forgets it.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn keep_grant(
        &self,
        source: &SourceId,
        device: Option<&DeviceId>,
        token: Option<&str>,
    ) -> Result<(), StoreError> {
        let device = device.map_or("", DeviceId::as_str);
        let query = match token {
            Some(token) => sqlx::query(
                "INSERT INTO grants (source_id, device, token) VALUES (?1, ?2, ?3)
                 ON CONFLICT (source_id, device) DO UPDATE SET token = ?3",
            )
            .bind(source.as_str())
            .bind(device)
            .bind(token),
            None => sqlx::query("DELETE FROM grants WHERE source_id = ?1 AND device = ?2")
                .bind(source.as_str())
                .bind(device),
        };
        query.execute(&self.pool).await.map_err(|e| self.failed(e))?;
        Ok(())
    }
}
