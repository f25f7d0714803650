//! What suppliers earn: totals, claims, the reason for every line, readiness, and what a device could expect.

use std::sync::Arc;

use ionet_epochs::{Closed, LineReport};
use ionet_ledger::{ClaimFilter, ClaimView, LedgerError, StepOutcome, address};
use ionet_rules::booking::HardwareKind;
use ionet_rules::epochs::Paid;
use ionet_rules::money::{self, BPS, Io, Usdc};
use ionet_rules::multipliers::UNLISTED;
use ionet_rules::rewards::{NominationFacts, P_ONE, Pot, Tier, base_score, nomination, share, weight};
use ionet_rules::stake;
use ionet_types::page::{Page, PageRequest};
use ionet_types::problem::Code;
use ionet_types::rewards::{
    BeneficiaryRole, ClaimProof, Claimed, Estimate, EstimateRequest, NewClaims, Readiness, ReadinessCheck, Reward, RewardLine,
};
use ionet_types::{Address, DeviceId, MicroUsd, Money};

use super::{page_cursor, page_limit};
use crate::Hub;
use crate::caller::Caller;
use crate::epochs::{Chain, uptime};
use crate::error::{HubError, HubResult};
use crate::translate;

/// Most devices in one request for claims.
const MAX_CLAIMS: usize = 200;
/// Published epochs that one page of lines may read.
const MAX_LINES: u32 = 50;
/// Seconds in 30 days and in 365.
const MONTH_SECS: u64 = 30 * 86_400;
const YEAR_SECS: u64 = 365 * 86_400;
const PPM: u64 = 1_000_000;

impl Hub {
    /// What the caller's beneficiaries have earned, claimed and can claim.
    pub async fn reward_list(&self, caller: &Caller) -> HubResult<Vec<Reward>> {
        let accounts = self.claim_accounts_of(caller).await?;
        let tree = self.accepted_tree().await?;
        Ok(accounts.iter().map(|account| self.reward_viewed(account, tree.as_deref())).collect())
    }

    /// Claims for the caller's beneficiaries, one transaction each; the network pays the fee.
    pub async fn reward_claim(&self, caller: &Caller, request: &NewClaims) -> HubResult<Vec<Claimed>> {
        let named = request.devices.as_deref();
        if named.is_some_and(|devices| devices.is_empty() || devices.len() > MAX_CLAIMS) {
            return Err(HubError::field(format!("devices: name 1 to {MAX_CLAIMS}, or leave it out to claim for all")));
        }
        let accounts = self.claim_accounts_of(caller).await?;
        let id = |account: &ClaimView| DeviceId(account.device.to_bytes());
        let wanted: Vec<&ClaimView> =
            accounts.iter().filter(|account| named.is_none_or(|devices| devices.contains(&id(account)))).collect();
        if let Some(missing) = named.unwrap_or_default().iter().find(|named| !wanted.iter().any(|account| id(account) == **named)) {
            return Err(HubError::from(Code::DeviceNotFound).saying(format!("you have no rewards on device {missing}")));
        }
        let tree = self.accepted_tree().await?;
        let mut claimed = Vec::with_capacity(wanted.len());
        for account in wanted {
            claimed.push(self.claim_one(account, tree.as_deref()).await?);
        }
        Ok(claimed)
    }

    async fn claim_one(&self, account: &ClaimView, tree: Option<&Closed>) -> HubResult<Claimed> {
        let nothing = Claimed {
            device: DeviceId(account.device.to_bytes()),
            beneficiary: translate::address(&account.address),
            signature: None,
            io: Money::io(0),
            usdc: Money::usdc(0),
            code: None,
            detail: None,
        };
        let Some((total, proof)) = tree.and_then(|tree| tree.proof_of(&account.address.to_bytes())) else { return Ok(nothing) };
        let lifetime = Paid { io: total.io, usdc: total.usdc };
        match self.ledger().claim(&self.options().operator, &account.address, lifetime, &proof).await {
            Ok(StepOutcome::Done(signature)) => {
                let after = self.ledger().claim_account(&account.address).await?.unwrap_or(*account).claimed;
                let paid = |after: u64, before: u64| after.saturating_sub(before);
                Ok(Claimed {
                    signature: Some(translate::signature(&signature)),
                    io: Money::io(paid(after.io.0, account.claimed.io.0)),
                    usdc: Money::usdc(paid(after.usdc.0, account.claimed.usdc.0)),
                    ..nothing
                })
            }
            Ok(StepOutcome::AlreadyDone) => Ok(nothing),
            Err(error @ (LedgerError::Rule(_) | LedgerError::Fault(_))) => {
                // One beneficiary's refusal does not keep the others waiting.
                let error = HubError::from(error);
                Ok(Claimed { code: Some(error.code().to_owned()), detail: Some(error.message().to_owned()), ..nothing })
            }
            Err(error) => Err(error.into()),
        }
    }

    /// A beneficiary's leaf and proof in the accepted tree, for claiming without the hub.
    pub async fn claim_proof(&self, beneficiary: Address) -> HubResult<ClaimProof> {
        let tree = self.accepted_tree().await?.ok_or(Code::RewardNotFound)?;
        let (total, proof) = tree.proof_of(&beneficiary.0).ok_or(Code::RewardNotFound)?;
        Ok(ClaimProof {
            beneficiary,
            epoch: tree.inputs.epoch().number,
            root: hex::encode(tree.root()),
            lifetime_io: Money::io(total.io.0),
            lifetime_usdc: Money::usdc(total.usdc.0),
            proof: proof.iter().map(hex::encode).collect(),
        })
    }

    /// What a device earned epoch by epoch, newest first, with the reasons.
    pub async fn reward_lines(&self, device: DeviceId, request: &PageRequest) -> HubResult<Page<RewardLine>> {
        let limit = page_limit(request)?.min(MAX_LINES);
        let newest = self.last_closed().await?.map_or(0, |row| row.epoch);
        let before: u64 = page_cursor(request)?.unwrap_or(u64::MAX);
        let newest = newest.min(before.checked_sub(1).ok_or(Code::CursorInvalid)?);
        let oldest = newest.saturating_sub(u64::from(limit).saturating_sub(1)).max(1);
        let mut items = Vec::new();
        for epoch in (oldest..=newest).rev() {
            if let Some(line) = self.closed_epoch(epoch).await?.report_of(&device.0) {
                items.push(reward_line(device, line));
            }
        }
        let next_cursor = (newest > 0 && oldest > 1).then(|| oldest.to_string());
        Ok(Page { items, next_cursor })
    }

    /// Whether a device would be nominated if an epoch began now.
    pub async fn readiness(&self, device: DeviceId) -> HubResult<Readiness> {
        self.store().device(device).await?.ok_or(Code::DeviceNotFound)?;
        let now = self.ledger().chain_now_unix_secs().await?;
        let params = self.ledger().supply().await?.params;
        let standing = self.standings(now).await?.into_iter().find(|standing| standing.device == device);
        let since = now.saturating_sub(i64::from(params.uptime_min_secs)).saturating_sub(86_400);
        let (presences, watches) = futures::try_join!(self.store().presences(since), self.store().watches(since))?;
        let presences = presences.get(&device).map_or(&[][..], Vec::as_slice);
        let clock = self.clock().now_unix_secs();
        let up = uptime::downs(presences, &watches, self.grace(), clock);
        let epoch = Chain::look(self).await?.running();
        let formed = self.store().devices_formed().await?.contains(&device);
        // As the epoch that is next would see it: this epoch's proofs are the last ones then.
        let measured = self.measured(&self.proofs_for(epoch.saturating_add(1)).await?, device, up.is_some(), formed);
        let tier = measured.tier;
        let (multiplier_centi, processors) = standing.as_ref().map_or((0, 1), |one| (one.multiplier_centi, one.processors));
        let facts = NominationFacts {
            staked: Io(standing.as_ref().map_or(0, |one| one.staked_io)),
            minimum_stake: stake::minimum(multiplier_centi, processors)?,
            unstaking: standing.as_ref().is_some_and(|one| one.unstaking),
            multiplier_centi,
            tier,
            uptime_secs: up.map_or(0, |(first, downs)| uptime::continuous_secs(first, &downs, clock)),
            last_proof_passed: measured.last_proof_passed,
            cluster_formation_passed: measured.cluster_formation_passed,
            standing: measured.standing,
            payout_wallet_set: standing.is_some(),
        };
        let checks = nomination(&facts, &params);
        let estimated_next = match (&standing, self.last_tree().await?) {
            (Some(one), Some(tree)) => {
                let own = tree.inputs.find(&device.0).and_then(|place| tree.allocation.lines.get(place)).map_or(0, |line| line.weight);
                let kind = one.kind.rules();
                Some(Money::io(expected(&tree, kind, base_score(tier, multiplier_centi, processors, one.hired)?, own)?.0.0))
            }
            _ => None,
        };
        Ok(Readiness {
            device,
            ready: checks.iter().all(|check| check.passed),
            checks: checks
                .iter()
                .map(|check| ReadinessCheck { code: check.code.code().to_owned(), passed: check.passed, reason: check.reason.to_string() })
                .collect(),
            estimated_next,
        })
    }

    /// What a device of this kind could expect.
    pub async fn reward_estimate(&self, request: &EstimateRequest) -> HubResult<Estimate> {
        let (table, supply, network, now) = {
            let ledger = self.ledger();
            futures::try_join!(ledger.multipliers(), ledger.supply(), ledger.network(), ledger.chain_now_unix_secs())?
        };
        let kinds = [HardwareKind::Gpu, HardwareKind::Cpu];
        let model = if request.model.eq_ignore_ascii_case("cpu") {
            table.model("", HardwareKind::Cpu)
        } else {
            let found = kinds.into_iter().map(|kind| table.model(&request.model, kind)).find(|model| model.number != UNLISTED);
            found.ok_or_else(|| {
                let known: Vec<&str> = table.models.iter().map(ionet_rules::multipliers::Multiplier::name).collect();
                HubError::from(Code::ModelUnknown).saying(format!(
                    "{:?} is not in the multiplier table: cpu, {}",
                    request.model,
                    known.join(", ")
                ))
            })?
        };
        let processors = request.processors.unwrap_or(1);
        let tier = Tier::from_u8(request.tier.unwrap_or(Tier::UltraHigh as u8)).ok().filter(|tier| *tier > Tier::None);
        let tier = tier.ok_or_else(|| HubError::field("tier is between 1 and 4"))?;
        let multiplier_centi = model.centi(&table.models, &supply.params)?;
        let minimum_stake = stake::minimum(multiplier_centi, processors)?;
        let base_score_tenths = base_score(tier, multiplier_centi, processors, false)?;
        let tree = self.last_tree().await?.ok_or(Code::EpochNotClosed)?;
        let (per_epoch, share_ppm) = expected(&tree, model.kind, base_score_tenths, 0)?;
        let epoch_secs = u64::from(supply.params.epoch_secs);
        let over = |secs: u64| money::mul_div_down(per_epoch.0, secs, epoch_secs);
        let per_30_days = over(MONTH_SECS)?;
        let price = self.io_price(&network, now).await?;
        let value = |price: MicroUsd| money::io_value(Io(per_30_days), money::MicroUsd(price.0));
        Ok(Estimate {
            model: table.name(model).unwrap_or("cpu").to_owned(),
            kind: model.kind.into(),
            multiplier_centi,
            processors,
            tier: tier as u8,
            minimum_stake: Money::io(minimum_stake.0),
            base_score_tenths,
            share_ppm,
            from_epoch: tree.inputs.epoch().number,
            per_epoch: Money::io(per_epoch.0),
            per_30_days: Money::io(per_30_days),
            per_30_days_micro_usd: price.map(value).transpose()?.map(|value| MicroUsd(value.0)),
            yearly_return_on_stake_bps: money::mul_div_down(over(YEAR_SECS)?, BPS, minimum_stake.0).ok(),
        })
    }

    async fn claim_accounts_of(&self, caller: &Caller) -> HubResult<Vec<ClaimView>> {
        let filter = ClaimFilter { owner: Some(translate::solana_address(caller.wallet)), ..ClaimFilter::default() };
        Ok(self.ledger().claim_accounts(&filter).await?)
    }

    fn reward_viewed(&self, account: &ClaimView, tree: Option<&Closed>) -> Reward {
        let found = tree.and_then(|tree| Some(tree.totals.records()[tree.totals.find(&account.address.to_bytes())?]));
        let (io, usdc) = found.map_or((Io::ZERO, Usdc::ZERO), |total| (total.io, total.usdc));
        let own = address::device_claim(&self.ledger().program_id, &account.device);
        Reward {
            device: DeviceId(account.device.to_bytes()),
            role: if own == account.address { BeneficiaryRole::Owner } else { BeneficiaryRole::CoStaker },
            beneficiary: translate::address(&account.address),
            payout: translate::address(&account.payout),
            through_epoch: tree.map_or(0, |tree| tree.inputs.epoch().number),
            earned_io: Money::io(io.0),
            earned_usdc: Money::usdc(usdc.0),
            claimed_io: Money::io(account.claimed.io.0),
            claimed_usdc: Money::usdc(account.claimed.usdc.0),
            claimable_io: Money::io(io.0.saturating_sub(account.claimed.io.0)),
            claimable_usdc: Money::usdc(usdc.0.saturating_sub(account.claimed.usdc.0)),
        }
    }

    /// The tree whose root the chain has accepted; `None` before the first.
    async fn accepted_tree(&self) -> HubResult<Option<Arc<Closed>>> {
        let accepted = self.ledger().epochs().await?.book.accepted.epoch;
        if accepted == 0 { Ok(None) } else { self.closed_epoch(accepted).await.map(Some) }
    }

    /// The last published epoch.
    async fn last_tree(&self) -> HubResult<Option<Arc<Closed>>> {
        match self.last_closed().await? {
            Some(row) => self.closed_epoch(row.epoch).await.map(Some),
            None => Ok(None),
        }
    }
}

/// What a base score would have earned in an epoch beside all others (without `own`, its weight there), and its share in millionths.
fn expected(tree: &Closed, kind: HardwareKind, base_score_tenths: u64, own: u64) -> HubResult<(Io, u64)> {
    let pot = Pot::availability(kind);
    let sums = &tree.allocation.sums;
    let weight = weight(base_score_tenths, P_ONE)?;
    let all = sums.weights[pot as usize].saturating_sub(u128::from(own)).saturating_add(u128::from(weight));
    let share_ppm = share(Io(PPM), weight, all)?.0;
    Ok((share(sums.pots.get(pot), weight, all)?, share_ppm))
}

fn reward_line(device: DeviceId, line: LineReport) -> RewardLine {
    RewardLine {
        epoch: line.epoch,
        device,
        model: line.model,
        processors: line.processors,
        tier: line.tier,
        hired: line.hired,
        passed: line.passed,
        checks: line
            .checks
            .into_iter()
            .map(|check| ReadinessCheck { code: check.code.to_owned(), passed: check.passed, reason: check.reason })
            .collect(),
        base_score_tenths: line.base_score_tenths,
        p_millionths: line.p_millionths,
        normalised_score_thousandths: line.normalised_score_thousandths,
        availability: Money::io(line.availability_io.0),
        co_staker: Money::io(line.co_staker_io.0),
        compute: Money::io(line.compute_io.0),
        work_io: Money::io(line.work_io.0),
        work_usdc: Money::usdc(line.work_usdc.0),
    }
}
