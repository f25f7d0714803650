//! What devices were asked to prove, and how it went.

use std::collections::{HashMap, HashSet};

use ionet_types::DeviceId;
use ionet_types::proofs::{Measured, Proof, ProofOutcome};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use crate::{Store, StoreError, StoreResult, integer, named, number, parsed};

/// Everything of a proof but its transcript.
const COLUMNS: &str = "number, device_id, epoch, began_at_unix_secs, ended_at_unix_secs, outcome, code, detail, download_mbps, upload_mbps,
    memory_mb_per_sec, cpu_mhz, gflops, p_millionths, busy_ms, transcript_sha256, transcript IS NOT NULL AS transcript_kept";

fn proof(row: &SqliteRow) -> StoreResult<Proof> {
    Ok(Proof {
        number: number(row, "number")?,
        device: parsed(row, "device_id")?,
        epoch: number(row, "epoch")?,
        began_at_unix_secs: row.try_get("began_at_unix_secs")?,
        ended_at_unix_secs: row.try_get("ended_at_unix_secs")?,
        outcome: named(row, "outcome")?,
        code: row.try_get("code")?,
        detail: row.try_get("detail")?,
        measured: Measured {
            download_mbps: number(row, "download_mbps")?,
            upload_mbps: number(row, "upload_mbps")?,
            memory_mb_per_sec: number(row, "memory_mb_per_sec")?,
            cpu_mhz: number(row, "cpu_mhz")?,
            gflops: number(row, "gflops")?,
        },
        p_millionths: number(row, "p_millionths")?,
        busy_ms: number(row, "busy_ms")?,
        transcript_sha256: parsed(row, "transcript_sha256")?,
        transcript_kept: row.try_get("transcript_kept")?,
    })
}

/// The name of an outcome in the table.
fn outcome(outcome: ProofOutcome) -> &'static str {
    match outcome {
        ProofOutcome::Passed => "passed",
        ProofOutcome::Failed => "failed",
        ProofOutcome::Stopped => "stopped",
    }
}

impl Store {
    /// Writes a proof down; its `number` and `transcript_kept` are ignored. Returns its number.
    pub async fn proof_insert(&self, proof: &Proof, transcript: Option<&str>) -> StoreResult<u64> {
        let query = sqlx::query(
            "INSERT INTO proofs (device_id, epoch, began_at_unix_secs, ended_at_unix_secs, outcome, code, detail, download_mbps, upload_mbps,
                 memory_mb_per_sec, cpu_mhz, gflops, p_millionths, busy_ms, transcript_sha256, transcript)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING number",
        );
        let row = query
            .bind(proof.device.to_string())
            .bind(integer(proof.epoch, "epoch")?)
            .bind(proof.began_at_unix_secs)
            .bind(proof.ended_at_unix_secs)
            .bind(outcome(proof.outcome))
            .bind(&proof.code)
            .bind(&proof.detail)
            .bind(proof.measured.download_mbps)
            .bind(proof.measured.upload_mbps)
            .bind(proof.measured.memory_mb_per_sec)
            .bind(proof.measured.cpu_mhz)
            .bind(proof.measured.gflops)
            .bind(proof.p_millionths)
            .bind(integer(proof.busy_ms, "busy_ms")?)
            .bind(proof.transcript_sha256.to_string())
            .bind(transcript)
            .fetch_one(&self.write)
            .await?;
        number(&row, "number")
    }

    /// A device's proofs, newest first, before `before`.
    pub async fn proofs_of(&self, device: DeviceId, before: Option<u64>, limit: u32) -> StoreResult<Vec<Proof>> {
        let before = before.map_or(Ok(i64::MAX), |before| integer(before, "number"))?;
        let text = format!("SELECT {COLUMNS} FROM proofs WHERE device_id = ? AND number < ? ORDER BY number DESC LIMIT ?");
        let rows = sqlx::query(&text).bind(device.to_string()).bind(before).bind(limit).fetch_all(&self.read).await?;
        rows.iter().map(proof).collect()
    }

    /// The proofs of an epoch by device, each device's in their order.
    pub async fn proofs_of_epoch(&self, epoch: u64) -> StoreResult<HashMap<DeviceId, Vec<Proof>>> {
        let text = format!("SELECT {COLUMNS} FROM proofs WHERE epoch = ? ORDER BY number");
        let rows = sqlx::query(&text).bind(integer(epoch, "epoch")?).fetch_all(&self.read).await?;
        let mut proofs: HashMap<DeviceId, Vec<Proof>> = HashMap::new();
        for row in &rows {
            let one = proof(row)?;
            proofs.entry(one.device).or_default().push(one);
        }
        Ok(proofs)
    }

    /// The last proof of each device that counted for something and was for an epoch before this one.
    pub async fn proofs_last_before(&self, epoch: u64) -> StoreResult<HashMap<DeviceId, Proof>> {
        let text = format!(
            "SELECT {COLUMNS} FROM proofs WHERE number IN
                 (SELECT max(number) FROM proofs WHERE epoch < ? AND outcome <> 'stopped' GROUP BY device_id)"
        );
        let rows = sqlx::query(&text).bind(integer(epoch, "epoch")?).fetch_all(&self.read).await?;
        rows.iter().map(|row| proof(row).map(|one| (one.device, one))).collect()
    }

    /// Remembers that these devices have worked together; once for each.
    pub async fn devices_have_formed(&self, devices: &[DeviceId], now_unix_secs: i64) -> StoreResult<()> {
        let mut transaction = self.write.begin().await?;
        for device in devices {
            sqlx::query(
                "INSERT INTO device_events (device_id, at_unix_secs, kind)
                 SELECT ?1, ?2, 'formed' WHERE NOT EXISTS (SELECT 1 FROM device_events WHERE device_id = ?1 AND kind = 'formed')",
            )
            .bind(device.to_string())
            .bind(now_unix_secs)
            .execute(&mut *transaction)
            .await?;
        }
        Ok(transaction.commit().await?)
    }

    /// Devices on which a node of some cluster has been ready.
    pub async fn devices_formed(&self) -> StoreResult<HashSet<DeviceId>> {
        let rows = sqlx::query("SELECT DISTINCT device_id FROM device_events WHERE kind = 'formed'").fetch_all(&self.read).await?;
        rows.iter().map(|row| parsed(row, "device_id")).collect()
    }

    /// The transcript of a proof, where it was kept, as the JSON that was written.
    pub async fn proof_transcript(&self, proof: u64) -> StoreResult<Option<String>> {
        let query = sqlx::query("SELECT transcript FROM proofs WHERE number = ?").bind(integer(proof, "number")?);
        let row = query.fetch_optional(&self.read).await?;
        row.map(|row| row.try_get("transcript").map_err(StoreError::from)).transpose().map(Option::flatten)
    }
}
