//! The pricing oracle's state, whole: one row, written after every change of it.

use sqlx::Row as _;

use crate::{Store, StoreResult};

impl Store {
    /// The state as it was last written, JSON.
    pub async fn price_oracle(&self) -> StoreResult<Option<String>> {
        let row = sqlx::query("SELECT state FROM price_oracle WHERE id = 0").fetch_optional(&self.read).await?;
        Ok(row.map(|row| row.try_get("state")).transpose()?)
    }

    /// Writes the state.
    pub async fn price_oracle_set(&self, state: &str, now_unix_secs: i64) -> StoreResult<()> {
        sqlx::query(
            "INSERT INTO price_oracle (id, state, changed_at_unix_secs) VALUES (0, ?, ?)
             ON CONFLICT (id) DO UPDATE SET state = excluded.state, changed_at_unix_secs = excluded.changed_at_unix_secs",
        )
        .bind(state)
        .bind(now_unix_secs)
        .execute(&self.write)
        .await?;
        Ok(())
    }
}
