//! How likely devices are to serve a hire to its end: learnt from the network's own hires, hour by hour (docs/MARKET.md).

use std::collections::HashMap;

use ionet_market::machine::Horizon;
use ionet_market::oracle::Cell;
use ionet_predict::{Class, Features, Hire, Outcome, Predictor, Report, learn};
use ionet_store::{Past, Store};
use ionet_types::DeviceId;
use ionet_types::agent::{Hardware, HardwareKind};
use ionet_types::market::SurvivalReport;

use crate::Hub;
use crate::error::{HubError, HubResult};

/// How often it is learnt anew, seconds.
const LEARN_EVERY_SECS: i64 = 3_600;
/// How far back a device's past counts, seconds.
const PAST_SECS: i64 = 30 * DAY_SECS;
const DAY_SECS: i64 = 86_400;
/// Hires that are learnt from at most: the latest.
const MOST_HIRES: u32 = 200_000;

/// What is predicted, and from what.
#[derive(Debug)]
pub(crate) struct Survival {
    predictor: Predictor,
    report: Report,
    pasts: HashMap<DeviceId, Past>,
    learnt_at_unix_secs: i64,
}

impl Survival {
    /// What was recorded until now.
    pub(super) async fn load(store: &Store, now_unix_secs: i64) -> HubResult<Self> {
        let hires: Vec<Hire> = store.hires_over(MOST_HIRES).await?.iter().map(recorded).collect::<Result<_, _>>()?;
        let pasts = store.device_pasts(now_unix_secs.saturating_sub(PAST_SECS), now_unix_secs).await?;
        // Fitting takes a second or two for the most hires: not on a thread that answers.
        let learnt = tokio::task::spawn_blocking(move || learn(&hires, 0)).await.map_err(HubError::internal)?;
        let (predictor, report) = learnt;
        Ok(Self { predictor, report, pasts, learnt_at_unix_secs: now_unix_secs })
    }

    /// How a device stands now.
    pub(super) fn features(&self, device: DeviceId, cell: &Cell, reputation: u32, hardware: &Hardware, now_unix_secs: i64) -> Features {
        let none = Past { registered_at_unix_secs: now_unix_secs, ..Past::default() };
        let past = self.pasts.get(&device).unwrap_or(&none);
        let age_secs = now_unix_secs.saturating_sub(past.registered_at_unix_secs).max(0);
        let failures = |days: i64| {
            let since = now_unix_secs.saturating_sub(days * DAY_SECS);
            u32::try_from(past.failed_at_unix_secs.iter().filter(|at| **at >= since).count()).unwrap_or(u32::MAX)
        };
        let watched_secs = age_secs.clamp(1, PAST_SECS);
        let uptime_bps = past.up_secs.clamp(0, watched_secs).saturating_mul(10_000) / watched_secs;
        Features {
            reputation: u16::try_from(reputation).unwrap_or(u16::MAX),
            // Nothing is known of one that has just come: it counts as always there.
            uptime_30d_bps: if age_secs < DAY_SECS { 10_000 } else { u16::try_from(uptime_bps).unwrap_or(10_000) },
            failures_30d: failures(30),
            failures_7d: failures(7),
            age_days: u32::try_from(age_secs / DAY_SECS).unwrap_or(u32::MAX),
            // The first of January 1970 was a Thursday.
            hour_of_week: u8::try_from((now_unix_secs.div_euclid(3_600) + 3 * 24).rem_euclid(7 * 24)).unwrap_or(0),
            tier: cell.tier as u8,
            class: class(hardware),
        }
    }

    /// The chance that a device serves to the end of hires of each horizon, basis points.
    pub(super) fn of(&self, features: &Features) -> [u16; 4] {
        Horizon::ALL.map(|horizon| self.predictor.survival_bps(features, horizon.minutes()))
    }
}

impl Hub {
    /// Learns anew, when it is time.
    pub(crate) async fn survival_update(&self) -> HubResult<()> {
        let now_unix_secs = self.clock().now_unix_secs();
        let learnt_at = self.market().lock().survival.learnt_at_unix_secs;
        if now_unix_secs.saturating_sub(learnt_at) < LEARN_EVERY_SECS {
            return Ok(());
        }
        let survival = Survival::load(self.store(), now_unix_secs).await?;
        self.market().lock().survival = survival;
        self.market().mark_all();
        Ok(())
    }

    /// How survival is predicted now: by the model or by the plain mean, and why.
    pub fn survival_report(&self) -> HubResult<SurvivalReport> {
        let state = self.market().lock();
        let survival = &state.survival;
        Ok(SurvivalReport {
            mean_bps: survival.predictor.mean_bps(),
            report: serde_json::to_value(&survival.report).map_err(HubError::internal)?,
            text: survival.report.to_string(),
            learnt_at_unix_secs: survival.learnt_at_unix_secs,
        })
    }
}

/// A hire of the store, as it is learnt from.
fn recorded(hire: &ionet_store::Hire) -> HubResult<Hire> {
    let features = serde_json::from_str(&hire.features).map_err(HubError::internal)?;
    let secs = hire.ended_at_unix_secs.unwrap_or(hire.from_unix_secs).saturating_sub(hire.from_unix_secs).max(0);
    let after_minutes = u32::try_from(secs / 60).unwrap_or(u32::MAX);
    let outcome = match hire.failed {
        Some(true) => Outcome::Failed { after_minutes: after_minutes.min(hire.minutes_hired.saturating_sub(1)) },
        // A minute more or less is the reconciler's own pace.
        _ if after_minutes.saturating_add(1) >= hire.minutes_hired => Outcome::Served,
        _ => Outcome::Ended { after_minutes: after_minutes.max(1) },
    };
    Ok(Hire { started_at_unix_secs: hire.from_unix_secs, minutes: hire.minutes_hired, features, outcome })
}

/// What sort of machine it is, by the names of its cards.
fn class(hardware: &Hardware) -> Class {
    let Some(gpu) = hardware.gpus.first().filter(|_| hardware.kind == HardwareKind::Gpu) else { return Class::Cpu };
    let name = gpu.model.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
    if has(&["geforce", "gtx", "titan"]) {
        Class::Consumer
    } else if has(&["rtx", "quadro"]) {
        Class::Workstation
    } else {
        Class::DataCentre
    }
}
