//! Gathers an epoch's inputs.

use std::collections::BTreeMap;

use ionet_epochs::{CoStake, Device, Draft, Epoch, Inputs, Model};
use ionet_rules::booking::HardwareKind;
use ionet_rules::fees;
use ionet_rules::money::{Currency, Io, MicroUsd, Units, Usdc};
use ionet_rules::rewards;
use ionet_rules::worklog::LOG_PERIOD_MINUTES;
use ionet_store::{DeviceEvent, Presence, Watch};
use ionet_types::DeviceId;
use ionet_types::transactions::{Record, RecordBody};

use super::measured::Measured;
use super::start::Standing;
use super::uptime::{self, Grace};
use super::work::{self, Period};
use crate::Hub;
use crate::devices::reputation::kind;
use crate::error::{HubError, HubResult};
use crate::proofs::reference::Reference;

/// What the network assumes of a device that it does not measure yet; `None` in [`crate::HubOptions::unmeasured`] assumes nothing, and nobody
/// is nominated. Whatever is assumed stands in every published epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unmeasured {
    /// Connectivity tier, 1 to 4.
    pub tier: u8,
}

/// What a device earned by work in an epoch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Worked {
    minutes: u32,
    usdc: u64,
    io: u64,
    credits_micro_usd: u64,
}

impl Hub {
    /// All inputs of an epoch that is over and whose gates are open.
    pub(crate) async fn epoch_inputs(&self, epoch: Epoch, (from, to): (i64, i64), now_unix_secs: i64) -> HubResult<Inputs> {
        let kept = self.store().epoch_start::<Vec<Standing>>(epoch.number).await?;
        let mut standings: BTreeMap<DeviceId, Standing> = match kept {
            Some(start) => start.devices,
            // Nobody looked when it began: the hub was away. What the chain says now is the best there is.
            None => self.standings(now_unix_secs).await?,
        }
        .into_iter()
        .map(|standing| (standing.device, standing))
        .collect();
        let worked = self.worked_by_device(from, to).await?;
        for device in worked.keys().filter(|device| !standings.contains_key(device)).copied().collect::<Vec<_>>() {
            let kind = self.store().device(device).await?.map_or(HardwareKind::Cpu, |row| match row.hardware.kind {
                ionet_types::agent::HardwareKind::Gpu => HardwareKind::Gpu,
                ionet_types::agent::HardwareKind::Cpu => HardwareKind::Cpu,
            });
            standings.insert(device, Standing::unregistered(device, kind, true));
        }
        for (device, work) in &worked {
            // Told once for each epoch, however often it is gathered.
            let event = DeviceEvent {
                at_unix_secs: to,
                kind: kind::WORKED.to_owned(),
                amount: i64::from(work.minutes),
                detail: format!("epoch {}", epoch.number),
            };
            self.agents().0.lives.happened(self.store(), *device, event).await?;
        }
        let since = from.saturating_sub(i64::from(epoch.params.uptime_min_secs)).saturating_sub(i64::from(epoch.params.epoch_secs));
        // The watches first: who left meanwhile was there until then.
        let watches = self.store().watches(since).await?;
        let now = uptime::watched_until(&watches).unwrap_or(now_unix_secs);
        let seen = Seen { presences: self.store().presences(since).await?, watches, grace: self.grace(), now };
        let proofs = self.proofs_for(epoch.number).await?;
        let formed = self.store().devices_formed().await?;
        let mut draft = Draft::new(epoch);
        for standing in standings.values() {
            let hired = standing.hired || worked.contains_key(&standing.device);
            let work = worked.get(&standing.device).copied().unwrap_or_default();
            let uptimes = seen.uptimes(standing.device, from, to);
            let measured = self.measured(&proofs, standing.device, uptimes.1 > 0, formed.contains(&standing.device));
            let reference = self.reference_in_epoch(standing.device, standing.model.as_deref(), agent_kind(standing.kind)).await?;
            let standing = Standing { hired, ..standing.clone() };
            self.draft_device(&mut draft, &standing, work, uptimes, (&measured, reference))?;
        }
        draft.seal().map_err(HubError::internal)
    }

    /// How patient the hub is with devices around its own absence.
    pub(crate) fn grace(&self) -> Grace {
        let timing = &self.options().timing;
        let silence = i64::from(timing.heartbeat_secs.max(1)).saturating_mul(3);
        Grace { before_secs: silence, after_secs: timing.return_within_secs, blip_secs: silence }
    }

    fn draft_device(
        &self,
        draft: &mut Draft,
        standing: &Standing,
        work: Worked,
        uptimes: (u32, u32),
        (measured, reference): (&Measured, Reference),
    ) -> HubResult<()> {
        let addresses = &self.options().ledger.program_id;
        let key = solana_address::Address::new_from_array(standing.device.0);
        let kind = standing.kind.rules();
        let model = Model { name: reference.name, kind, multiplier_centi: standing.multiplier_centi, reference: reference.measurement };
        let model = draft.model(model).map_err(HubError::internal)?;
        let (uptime_secs, uptime_at_end_secs) = uptimes;
        let device = Device {
            key: standing.device.0,
            beneficiary: ionet_ledger::address::device_claim(addresses, &key).to_bytes(),
            co_stake: standing.co_staker.map(|(wallet, share_bps)| CoStake {
                beneficiary: ionet_ledger::address::co_staker_claim(addresses, &key, &crate::translate::solana_address(wallet)).to_bytes(),
                share_bps,
            }),
            model,
            processors: standing.processors,
            tier: measured.tier,
            staked: Io(standing.staked_io),
            unstaking: standing.unstaking,
            uptime_secs,
            uptime_at_end_secs,
            last_proof_passed: measured.last_proof_passed,
            proof_passed: measured.proof_passed,
            cluster_formation_passed: measured.cluster_formation_passed,
            standing: measured.standing,
            // It is named when a device is registered, and cannot be taken away.
            payout_wallet_set: standing.registered,
            hired: standing.hired,
            last_p_millionths: measured.last_p_millionths,
            compute_credits: MicroUsd(work.credits_micro_usd),
            work_io: Io(work.io),
            work_usdc: Usdc(work.usdc),
        };
        draft.device(&device, if standing.hired { &[] } else { &measured.tests }).map_err(HubError::internal)
    }

    /// What each device earned by the work logs written in this time.
    async fn worked_by_device(&self, from: i64, to: i64) -> HubResult<BTreeMap<DeviceId, Worked>> {
        let params = self.ledger().network().await?.params;
        let mut worked: BTreeMap<DeviceId, Worked> = BTreeMap::new();
        for record in self.store().records_worked(from, to).await? {
            let RecordBody::Worked { supplier, value_micro_usd, .. } = &record.body else { continue };
            let minutes = self.minutes_of(&record).await?;
            let currency = record.currency.rules();
            let after_fees = fees::after_fees(Units(value_micro_usd.0), currency, &params)?;
            let credits = rewards::compute_credits(MicroUsd(after_fees.0), params.dollar_share_bps)?;
            for (device, amount) in work::divide(supplier.base_units.0, &minutes)? {
                let entry = worked.entry(device).or_default();
                let sum = match currency {
                    Currency::Usdc => &mut entry.usdc,
                    Currency::Io => &mut entry.io,
                };
                *sum = sum.checked_add(amount).ok_or(ionet_rules::RuleError::Overflow)?;
            }
            for (device, minutes) in &minutes {
                let entry = worked.entry(*device).or_default();
                entry.minutes = entry.minutes.saturating_add(*minutes);
            }
            for (device, amount) in work::divide(credits.0, &minutes)? {
                let entry = worked.entry(device).or_default();
                entry.credits_micro_usd = entry.credits_micro_usd.saturating_add(amount);
            }
        }
        Ok(worked)
    }

    /// Minutes that each device delivered of what a work log pays for.
    async fn minutes_of(&self, record: &Record) -> HubResult<BTreeMap<DeviceId, u32>> {
        let RecordBody::Worked { sequence, .. } = &record.body else { return Ok(BTreeMap::new()) };
        let id = record.cluster_id;
        let (assignments, outages, records) =
            futures::try_join!(self.store().assignments(id), self.store().outages(id), self.store().records_of_cluster(id))?;
        let started = records.iter().find_map(|one| matches!(one.body, RecordBody::Start { .. }).then_some(one.at_unix_secs));
        let Some(started) = started else { return Ok(BTreeMap::new()) };
        let period_secs = i64::from(LOG_PERIOD_MINUTES).saturating_mul(60);
        let from = started.saturating_add(i64::from(*sequence).saturating_mul(period_secs));
        let to = record.at_unix_secs.min(from.saturating_add(period_secs));
        Ok(work::minutes(Period { from_unix_secs: from, to_unix_secs: to }, &assignments, &outages))
    }
}

/// Who was seen when.
struct Seen {
    presences: std::collections::HashMap<DeviceId, Vec<Presence>>,
    watches: Vec<Watch>,
    grace: Grace,
    now: i64,
}

impl Seen {
    /// Continuous uptime of a device when an epoch begins and when it ends, seconds.
    fn uptimes(&self, device: DeviceId, from: i64, to: i64) -> (u32, u32) {
        let presences = self.presences.get(&device).map_or(&[][..], Vec::as_slice);
        let Some((first, downs)) = uptime::downs(presences, &self.watches, self.grace, self.now) else { return (0, 0) };
        let at = |moment| u32::try_from(uptime::continuous_secs(first, &downs, moment)).unwrap_or(u32::MAX);
        (at(from), at(to))
    }
}

/// The kind in the agents' words.
const fn agent_kind(kind: ionet_types::hardware::HardwareKind) -> ionet_types::agent::HardwareKind {
    match kind {
        ionet_types::hardware::HardwareKind::Cpu => ionet_types::agent::HardwareKind::Cpu,
        ionet_types::hardware::HardwareKind::Gpu => ionet_types::agent::HardwareKind::Gpu,
    }
}
