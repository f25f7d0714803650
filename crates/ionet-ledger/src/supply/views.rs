//! The accounts of the supply side as typed values.

use ionet_abi::accounts::{
    CaseAccount, ClaimAccount, DeviceAccount, EpochsAccount, MultipliersAccount, ProgramAccount, SupplyAccount, VerifiersAccount,
};
use ionet_rules::RuleResult;
use ionet_rules::booking::HardwareKind;
use ionet_rules::epochs::{Epochs, MAX_VERIFIERS, Paid, Statement, Verifier};
use ionet_rules::money::{Io, Usdc};
use ionet_rules::multipliers::{Model, Multiplier, UNLISTED};
use ionet_rules::slash::{Case, CaseStatus, Offence};
use ionet_rules::stake::{self, Stake};
use ionet_rules::supply::SupplyParams;
use solana_address::Address;

use crate::address::{Addresses, CaseId};
use crate::error::LedgerError;

/// What the supply side was set up with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SupplyView {
    /// The parameters.
    pub params: SupplyParams,
    /// Decides appeals and strikes roots.
    pub council: Address,
}

impl SupplyView {
    /// The supply account of the network with these addresses.
    pub fn decode(at: &Addresses, data: &[u8]) -> Result<Self, LedgerError> {
        const MALFORMED: LedgerError = LedgerError::malformed("supply account");
        let account = SupplyAccount::read(data).ok_or(MALFORMED)?;
        account.params.check()?;
        if Address::from(account.io_rewards) != at.io_rewards || Address::from(account.io_stake) != at.io_stake {
            return Err(MALFORMED);
        }
        Ok(Self { params: account.params, council: account.council.into() })
    }
}

/// What was minted, what counts, what was claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EpochsView {
    /// Records written for the account so far.
    pub records: u32,
    /// The books.
    pub book: Epochs,
}

impl EpochsView {
    /// The epochs account in its data.
    pub fn decode(data: &[u8]) -> Result<Self, LedgerError> {
        let account = EpochsAccount::read(data).ok_or(LedgerError::malformed("epochs account"))?;
        Ok(Self { records: account.records, book: account.book })
    }
}

/// The verifiers, their bonds and votes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VerifiersView {
    /// Records written for the account so far.
    pub records: u32,
    /// The places; an empty one has a zero key.
    pub places: [Verifier; MAX_VERIFIERS],
}

impl VerifiersView {
    /// The verifiers account in its data.
    pub fn decode(data: &[u8]) -> Result<Self, LedgerError> {
        let account = VerifiersAccount::read(data).ok_or(LedgerError::malformed("verifiers account"))?;
        Ok(Self { records: account.records, places: account.places })
    }

    /// A verifier and its place, by its key.
    pub fn find(&self, key: &Address) -> Option<(u8, &Verifier)> {
        self.taken().find(|(_, verifier)| verifier.key == key.to_bytes())
    }

    /// The verifiers that were admitted, with their places.
    pub fn taken(&self) -> impl Iterator<Item = (u8, &Verifier)> {
        (0..).zip(&self.places).filter(|(_, verifier)| verifier.key != [0; 32])
    }

    /// Places of those that vote for a statement.
    pub fn voters<'a>(&'a self, statement: &'a Statement) -> impl Iterator<Item = u8> + 'a {
        self.taken().filter(|(_, verifier)| verifier.voted_at_unix_secs != 0 && verifier.vote == *statement).map(|(place, _)| place)
    }

    /// The first empty place.
    pub fn free_place(&self) -> Option<u8> {
        (0..).zip(&self.places).find(|(_, verifier)| verifier.key == [0; 32]).map(|(place, _)| place)
    }
}

/// The multiplier table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MultipliersView {
    /// The models; a model's place is its number.
    pub models: Vec<Multiplier>,
}

impl MultipliersView {
    /// The multipliers account in its data.
    pub fn decode(data: &[u8]) -> Result<Self, LedgerError> {
        let account = MultipliersAccount::read(data).ok_or(LedgerError::malformed("multipliers account"))?;
        Ok(Self { models: account.models().to_vec() })
    }

    /// The model of this name and kind, without regard to case; unlisted when the table has none.
    pub fn model(&self, name: &str, kind: HardwareKind) -> Model {
        let found = (0..).zip(&self.models).find(|(_, entry)| entry.kind == kind as u8 && entry.name().eq_ignore_ascii_case(name));
        Model { number: found.map_or(UNLISTED, |(number, _)| number), kind }
    }

    /// A listed model's name.
    pub fn name(&self, model: Model) -> Option<&str> {
        self.models.get(usize::from(model.number)).map(Multiplier::name)
    }
}

/// A device and its stake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeviceView {
    /// Where the account is.
    pub address: Address,
    /// The device's own key.
    pub device: Address,
    /// Who stakes and withdraws.
    pub owner: Address,
    /// Who co-stakes; `None` without one.
    pub co_staker: Option<Address>,
    /// Records written for it so far.
    pub records: u32,
    /// Graphics cards, or processors of a device without.
    pub processors: u32,
    /// Its model and kind.
    pub model: Model,
    /// What is staked.
    pub stake: Stake,
}

impl DeviceView {
    /// The device at `address` in its account's data; refused when its books do not balance.
    pub fn decode(address: Address, data: &[u8]) -> Result<Self, LedgerError> {
        let account = DeviceAccount::read(data).ok_or(LedgerError::malformed("device account"))?;
        account.stake.check()?;
        Ok(Self {
            address,
            device: account.device.into(),
            owner: account.owner.into(),
            co_staker: (account.co_staker != [0; 32]).then(|| account.co_staker.into()),
            records: account.records,
            processors: account.processors,
            model: Model { number: account.model, kind: HardwareKind::from_u8(account.kind)? },
            stake: account.stake,
        })
    }

    /// Its minimum stake by this table and these parameters.
    pub fn minimum(&self, table: &[Multiplier], params: &SupplyParams) -> RuleResult<Io> {
        stake::minimum(self.model.centi(table, params)?, self.processors)
    }
}

/// What a beneficiary has claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClaimView {
    /// Where the account is: the beneficiary's name in the tree.
    pub address: Address,
    /// Records written for it so far.
    pub records: u32,
    /// The device whose rewards these are.
    pub device: Address,
    /// Who may change the payout wallet: the device's owner, or the co-staker.
    pub owner: Address,
    /// The only wallet that claims are paid to.
    pub payout: Address,
    /// What it has claimed in its life.
    pub claimed: Paid,
}

impl ClaimView {
    /// The claim account at `address` in its data.
    pub fn decode(address: Address, data: &[u8]) -> Result<Self, LedgerError> {
        let account = ClaimAccount::read(data).ok_or(LedgerError::malformed("claim account"))?;
        Ok(Self {
            address,
            records: account.records,
            device: account.device.into(),
            owner: account.owner.into(),
            payout: account.payout.into(),
            claimed: Paid { io: Io(account.claimed_io), usdc: Usdc(account.claimed_usdc) },
        })
    }
}

/// A slashing case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CaseView {
    /// Where the account is.
    pub address: Address,
    /// The case.
    pub case_id: CaseId,
    /// The device accused.
    pub device: Address,
    /// The verifier that opened it.
    pub verifier: Address,
    /// SHA-256 of the evidence.
    pub evidence: [u8; 32],
    /// SHA-256 of the appeal; `None` before.
    pub appeal: Option<[u8; 32]>,
    /// What the device is accused of.
    pub offence: Offence,
    /// Where it stands.
    pub status: CaseStatus,
    /// Amounts and clock.
    pub book: Case,
}

impl CaseView {
    /// The case at `address` in its account's data.
    pub fn decode(address: Address, data: &[u8]) -> Result<Self, LedgerError> {
        let account = CaseAccount::read(data).ok_or(LedgerError::malformed("case account"))?;
        Ok(Self {
            address,
            case_id: account.case_id,
            device: account.device.into(),
            verifier: account.verifier.into(),
            evidence: account.evidence,
            appeal: (account.book.appealed_at_unix_secs != 0).then_some(account.appeal),
            offence: Offence::from_u8(account.book.offence)?,
            status: account.book.status()?,
            book: account.book,
        })
    }

    /// Whether it has come to its end.
    pub const fn is_closed(&self) -> bool {
        matches!(self.status, CaseStatus::Burned | CaseStatus::Freed)
    }

    /// Whether time has decided it at `now_unix_secs`, for anyone to carry out.
    pub fn lapse_due(&self, params: &SupplyParams, now_unix_secs: i64) -> bool {
        let mut book = self.book;
        book.lapse(params, now_unix_secs).is_ok()
    }
}
