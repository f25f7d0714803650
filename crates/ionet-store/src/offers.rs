//! On which terms devices are offered (their owners' word) and what the operator has seen proof of. JSON that the hub reads and writes.

use ionet_types::audit::{Actor, AuditAction};
use ionet_types::market::Attestation;
use ionet_types::{Address, DeviceId};
use sqlx::Row as _;

use crate::audit::{self, NewAudit};
use crate::devices::owner;
use crate::{Store, StoreResult, json, json_text, parsed};

impl Store {
    /// The terms of every device that has any.
    pub async fn device_terms_all(&self) -> StoreResult<Vec<(DeviceId, String)>> {
        let rows = sqlx::query("SELECT device_id, terms FROM device_terms").fetch_all(&self.read).await?;
        rows.iter().map(|row| Ok((parsed(row, "device_id")?, row.try_get("terms")?))).collect()
    }

    /// Sets a device's terms, or takes them back.
    pub async fn device_terms_set(&self, device: DeviceId, terms: Option<&str>, by: Address, now_unix_secs: i64) -> StoreResult<()> {
        let mut transaction = self.write.begin().await?;
        let query = match terms {
            Some(terms) => sqlx::query(
                "INSERT INTO device_terms (device_id, terms, changed_at_unix_secs) VALUES (?1, ?2, ?3)
                 ON CONFLICT (device_id) DO UPDATE SET terms = excluded.terms, changed_at_unix_secs = excluded.changed_at_unix_secs",
            )
            .bind(device.to_string())
            .bind(terms)
            .bind(now_unix_secs),
            None => sqlx::query("DELETE FROM device_terms WHERE device_id = ?").bind(device.to_string()),
        };
        query.execute(&mut *transaction).await?;
        let entry = NewAudit {
            actor: Actor::Wallet(by),
            action: AuditAction::DeviceTermsSet,
            subject: device.to_string(),
            concerns: Some(by),
            detail: serde_json::json!({ "terms": terms }),
        };
        audit::append(&mut transaction, &entry, now_unix_secs).await?;
        Ok(transaction.commit().await?)
    }

    /// What the operator has seen proof of, of every device that has any.
    pub async fn attestations_all(&self) -> StoreResult<Vec<(DeviceId, Attestation)>> {
        let rows = sqlx::query("SELECT device_id, attestation FROM attestations").fetch_all(&self.read).await?;
        rows.iter().map(|row| Ok((parsed(row, "device_id")?, json(row, "attestation")?))).collect()
    }

    /// Sets what the operator has seen proof of.
    pub async fn attestation_set(&self, device: DeviceId, attestation: &Attestation, by: Address, now_unix_secs: i64) -> StoreResult<()> {
        let mut transaction = self.write.begin().await?;
        sqlx::query(
            "INSERT INTO attestations (device_id, attestation, attested_by, attested_at_unix_secs) VALUES (?, ?, ?, ?)
             ON CONFLICT (device_id) DO UPDATE SET attestation = excluded.attestation, attested_by = excluded.attested_by,
             attested_at_unix_secs = excluded.attested_at_unix_secs",
        )
        .bind(device.to_string())
        .bind(json_text(attestation))
        .bind(by.to_string())
        .bind(now_unix_secs)
        .execute(&mut *transaction)
        .await?;
        let entry = NewAudit {
            actor: Actor::Wallet(by),
            action: AuditAction::DeviceAttested,
            subject: device.to_string(),
            concerns: owner(&mut transaction, device).await?,
            detail: serde_json::json!(attestation),
        };
        audit::append(&mut transaction, &entry, now_unix_secs).await?;
        Ok(transaction.commit().await?)
    }
}
