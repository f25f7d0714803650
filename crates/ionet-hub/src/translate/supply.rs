//! The supply side's records, from the chain's types to those that travel.

use ionet_ledger::{SupplyEvent, SupplyRecord as LedgerRecord};
use ionet_rules::booking::HardwareKind;
use ionet_rules::slash::Offence;
use ionet_types::supply::{SupplyRecord, SupplyRecordBody as Body};
use ionet_types::{Address, CaseId, DeviceId, Money, Sha256};

use super::{address, signature};
use crate::error::HubResult;

/// A record as the explorer shows it.
pub(crate) fn supply_record(from: &LedgerRecord) -> HubResult<SupplyRecord> {
    Ok(SupplyRecord {
        signature: signature(&from.signature),
        slot: from.slot,
        at_unix_secs: from.at_unix_secs,
        subject: address(&from.subject),
        record: from.number,
        body: body(&from.event)?,
    })
}

fn body(event: &SupplyEvent) -> HubResult<Body> {
    let io = Money::io;
    Ok(match event {
        SupplyEvent::MintEpoch(body) => Body::MintEpoch { epoch: body.epoch, amount: io(body.amount), emitted: io(body.emitted) },
        SupplyEvent::PostRoot(body) => {
            Body::PostRoot { verifier: Address(body.verifier), weight: io(body.weight), statement: (&body.statement).into() }
        }
        SupplyEvent::AcceptRoot(body) => Body::AcceptRoot { statement: (&body.statement).into(), moved: io(body.moved) },
        SupplyEvent::StrikeRoot(body) => Body::StrikeRoot { statement: (&body.statement).into() },
        SupplyEvent::Bond(body) => Body::Bond { verifier: Address(body.verifier), amount: io(body.amount), bond: io(body.bond) },
        SupplyEvent::Unbond(body) => Body::Unbond { verifier: Address(body.verifier), until_unix_secs: body.until_unix_secs },
        SupplyEvent::WithdrawBond(body) => Body::WithdrawBond { verifier: Address(body.verifier), amount: io(body.amount) },
        SupplyEvent::AdmitVerifier(body) => {
            Body::AdmitVerifier { verifier: Address(body.verifier), place: body.place, admitted: body.admitted != 0 }
        }
        SupplyEvent::Claim(body) => Body::Claim {
            device: DeviceId(body.device),
            payout: Address(body.payout),
            io: io(body.io),
            usdc: Money::usdc(body.usdc),
            claimed_io: io(body.claimed_io),
            claimed_usdc: Money::usdc(body.claimed_usdc),
        },
        SupplyEvent::RegisterDevice(body) => Body::RegisterDevice {
            device: DeviceId(body.device),
            owner: Address(body.owner),
            payout: Address(body.payout),
            processors: body.processors,
            model: body.model,
            hardware: HardwareKind::from_u8(body.kind)?.into(),
        },
        SupplyEvent::SetPayout(body) => Body::SetPayout { device: DeviceId(body.device), payout: Address(body.payout) },
        SupplyEvent::Stake(body) => {
            Body::Stake { device: DeviceId(body.device), amount: io(body.amount), owner_stake: io(body.owner_stake) }
        }
        SupplyEvent::WithdrawStake(body) => {
            Body::WithdrawStake { device: DeviceId(body.device), amount: io(body.amount), owner_stake: io(body.owner_stake) }
        }
        SupplyEvent::Unstake(body) => {
            Body::Unstake { device: DeviceId(body.device), owner_stake: io(body.owner_stake), until_unix_secs: body.until_unix_secs }
        }
        SupplyEvent::OfferCoStake(body) => {
            Body::OfferCoStake { device: DeviceId(body.device), max: io(body.max), share_bps: body.share_bps }
        }
        SupplyEvent::AcceptCoStake(body) => Body::AcceptCoStake {
            device: DeviceId(body.device),
            co_staker: Address(body.co_staker),
            amount: io(body.amount),
            share_bps: body.share_bps,
        },
        SupplyEvent::EndCoStake(body) => {
            Body::EndCoStake { device: DeviceId(body.device), cooling_at_unix_secs: body.cooling_at_unix_secs }
        }
        SupplyEvent::WithdrawCoStake(body) => {
            Body::WithdrawCoStake { device: DeviceId(body.device), co_staker: Address(body.co_staker), amount: io(body.amount) }
        }
        SupplyEvent::OpenCase(body) => Body::OpenCase {
            device: DeviceId(body.device),
            case_id: CaseId::from_bytes(body.case_id),
            evidence: Sha256(body.evidence),
            verifier: Address(body.verifier),
            parts: (&body.parts).into(),
            offence: Offence::from_u8(body.offence)?.into(),
        },
        SupplyEvent::AppealCase(body) => {
            Body::AppealCase { device: DeviceId(body.device), case_id: CaseId::from_bytes(body.case_id), appeal: Sha256(body.appeal) }
        }
        SupplyEvent::CloseCase(body) => Body::CloseCase {
            device: DeviceId(body.device),
            case_id: CaseId::from_bytes(body.case_id),
            parts: (&body.parts).into(),
            burned: body.burned != 0,
            decided: body.decided != 0,
        },
    })
}
