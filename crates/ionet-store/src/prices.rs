//! The pricing oracle's state, whole: one row, written after every change of it. And the price index, a row for each hour.

use sqlx::Row as _;

use crate::{Store, StoreResult};

impl Store {
    /// The state as it was last written, JSON.
    pub async fn price_oracle(&self) -> StoreResult<Option<String>> {
        let row = sqlx::query("SELECT state FROM price_oracle WHERE id = 0").fetch_optional(&self.read).await?;
        Ok(row.map(|row| row.try_get("state")).transpose()?)
    }

    /// Writes the state, together with the points of the index that are new: series (empty for the whole network), beginning, JSON.
    pub async fn price_oracle_set(&self, state: &str, points: &[(String, i64, String)], now_unix_secs: i64) -> StoreResult<()> {
        let mut transaction = self.write.begin().await?;
        for (series, from_unix_secs, point) in points {
            sqlx::query("INSERT INTO price_points (series, from_unix_secs, point) VALUES (?, ?, ?) ON CONFLICT DO NOTHING")
                .bind(series)
                .bind(from_unix_secs)
                .bind(point)
                .execute(&mut *transaction)
                .await?;
        }
        sqlx::query(
            "INSERT INTO price_oracle (id, state, changed_at_unix_secs) VALUES (0, ?, ?)
             ON CONFLICT (id) DO UPDATE SET state = excluded.state, changed_at_unix_secs = excluded.changed_at_unix_secs",
        )
        .bind(state)
        .bind(now_unix_secs)
        .execute(&mut *transaction)
        .await?;
        Ok(transaction.commit().await?)
    }

    /// All points of the index, oldest first, as they were written.
    pub async fn price_points(&self) -> StoreResult<Vec<String>> {
        let rows = sqlx::query("SELECT point FROM price_points ORDER BY from_unix_secs, series").fetch_all(&self.read).await?;
        rows.iter().map(|row| Ok(row.try_get("point")?)).collect()
    }
}
