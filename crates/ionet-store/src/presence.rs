//! When devices were connected, and when the hub was there to see it.

use std::collections::HashMap;

use ionet_types::DeviceId;
use sqlx::Row as _;

use crate::{Store, StoreResult, parsed};

/// A stretch of time, unix seconds on the hub's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Presence {
    /// From when.
    pub from_unix_secs: i64,
    /// Until when; `None` while it lasts.
    pub to_unix_secs: Option<i64>,
    /// Since when the agent says that it runs.
    pub running_since_unix_secs: Option<i64>,
}

/// A stretch of time in which the hub was there to see, unix seconds on its clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Watch {
    /// From when.
    pub from_unix_secs: i64,
    /// Until when it was last known to be there.
    pub to_unix_secs: i64,
}

impl Store {
    /// A device connects. What it had open is over. Returns the presence's number, for [`Store::presence_end`].
    pub async fn presence_begin(&self, device: DeviceId, now_unix_secs: i64, running_since_unix_secs: Option<i64>) -> StoreResult<i64> {
        let mut transaction = self.write.begin().await?;
        sqlx::query("UPDATE presences SET to_unix_secs = max(from_unix_secs, ?2) WHERE device_id = ?1 AND to_unix_secs IS NULL")
            .bind(device.to_string())
            .bind(now_unix_secs)
            .execute(&mut *transaction)
            .await?;
        let row =
            sqlx::query("INSERT INTO presences (device_id, from_unix_secs, running_since_unix_secs) VALUES (?1, ?2, ?3) RETURNING id")
                .bind(device.to_string())
                .bind(now_unix_secs)
                .bind(running_since_unix_secs)
                .fetch_one(&mut *transaction)
                .await?;
        transaction.commit().await?;
        Ok(row.try_get("id")?)
    }

    /// A presence is over.
    pub async fn presence_end(&self, id: i64, now_unix_secs: i64) -> StoreResult<()> {
        let query = sqlx::query("UPDATE presences SET to_unix_secs = max(from_unix_secs, ?2) WHERE id = ?1 AND to_unix_secs IS NULL");
        query.bind(id).bind(now_unix_secs).execute(&self.write).await?;
        Ok(())
    }

    /// The hub begins to watch. Presences that an earlier run left open ended when that run was last known to be there. Returns the watch's
    /// number, for [`Store::watch_extend`].
    pub async fn watch_begin(&self, now_unix_secs: i64) -> StoreResult<i64> {
        let mut transaction = self.write.begin().await?;
        sqlx::query(
            "UPDATE presences SET to_unix_secs = max(from_unix_secs, coalesce((SELECT max(to_unix_secs) FROM watches), from_unix_secs))
             WHERE to_unix_secs IS NULL",
        )
        .execute(&mut *transaction)
        .await?;
        let row = sqlx::query("INSERT INTO watches (from_unix_secs, to_unix_secs) VALUES (?1, ?1) RETURNING id")
            .bind(now_unix_secs)
            .fetch_one(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(row.try_get("id")?)
    }

    /// The hub was away without ending, and watches again: whoever is connected stays so.
    pub async fn watch_resume(&self, now_unix_secs: i64) -> StoreResult<i64> {
        let query = sqlx::query("INSERT INTO watches (from_unix_secs, to_unix_secs) VALUES (?1, ?1) RETURNING id").bind(now_unix_secs);
        Ok(query.fetch_one(&self.write).await?.try_get("id")?)
    }

    /// The hub is still there.
    pub async fn watch_extend(&self, id: i64, now_unix_secs: i64) -> StoreResult<()> {
        let query = sqlx::query("UPDATE watches SET to_unix_secs = max(to_unix_secs, ?2) WHERE id = ?1");
        query.bind(id).bind(now_unix_secs).execute(&self.write).await?;
        Ok(())
    }

    /// When the hub was there to see, oldest first: what ended after `since`, and the one before.
    pub async fn watches(&self, since_unix_secs: i64) -> StoreResult<Vec<Watch>> {
        let rows = sqlx::query(
            "SELECT * FROM watches WHERE to_unix_secs >= ?1
             OR id = (SELECT id FROM watches WHERE to_unix_secs < ?1 ORDER BY to_unix_secs DESC LIMIT 1) ORDER BY from_unix_secs",
        )
        .bind(since_unix_secs)
        .fetch_all(&self.read)
        .await?;
        let watch = |row| {
            Ok(Watch { from_unix_secs: sqlx::Row::try_get(row, "from_unix_secs")?, to_unix_secs: sqlx::Row::try_get(row, "to_unix_secs")? })
        };
        rows.iter().map(watch).collect()
    }

    /// When each device was connected, oldest first: what lasts or ended after `since`.
    pub async fn presences(&self, since_unix_secs: i64) -> StoreResult<HashMap<DeviceId, Vec<Presence>>> {
        let query =
            sqlx::query("SELECT * FROM presences WHERE to_unix_secs IS NULL OR to_unix_secs >= ? ORDER BY device_id, from_unix_secs, id");
        let mut presences: HashMap<DeviceId, Vec<Presence>> = HashMap::new();
        for row in query.bind(since_unix_secs).fetch_all(&self.read).await? {
            presences.entry(parsed(&row, "device_id")?).or_default().push(Presence {
                from_unix_secs: row.try_get("from_unix_secs")?,
                to_unix_secs: row.try_get("to_unix_secs")?,
                running_since_unix_secs: row.try_get("running_since_unix_secs")?,
            });
        }
        Ok(presences)
    }

    /// Forgets what ended before this moment.
    pub async fn presences_prune(&self, before_unix_secs: i64) -> StoreResult<()> {
        let mut transaction = self.write.begin().await?;
        for statement in ["DELETE FROM presences WHERE to_unix_secs < ?", "DELETE FROM watches WHERE to_unix_secs < ?"] {
            sqlx::query(statement).bind(before_unix_secs).execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        Ok(())
    }
}
