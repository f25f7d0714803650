//! Steps with a device and its stake: the hub checks them by the program's own rules, prepares and co-signs; the wallet signs.

use ionet_ledger::instructions::supply::{self as build, Registration};
use ionet_ledger::{Addresses, DeviceView, instructions};
use ionet_rules::RuleError;
use ionet_rules::money::{Currency, Io};
use ionet_rules::multipliers::{Model, UNLISTED};
use ionet_types::agent::Hardware;
use ionet_types::problem::Code;
use ionet_types::stakes::{
    CoStakeOfferRequest, CoStakeRequest, PayoutRequest, PreparedStep, RegistrationRequest, StakeRequest, WithdrawalRequest,
};
use ionet_types::transactions::PreparedTransaction;
use ionet_types::{DeviceId, Money};
use serde::Serialize;
use solana_address::Address;
use solana_instruction::Instruction;
use solana_signer::Signer as _;

use super::clusters::TRANSACTION_VALID_SECS;
use super::stakes::StakeRules;
use crate::Hub;
use crate::caller::Caller;
use crate::error::{HubError, HubResult};
use crate::translate;

/// What a wallet wants with a device.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StakeStep {
    /// To register it on chain.
    Register(RegistrationRequest),
    /// To stake on it.
    Stake(StakeRequest),
    /// To take stake out.
    Withdraw(WithdrawalRequest),
    /// To begin to unstake, for good.
    Unstake,
    /// To be paid elsewhere.
    SetPayout(PayoutRequest),
    /// To offer a co-stake.
    OfferCoStake(CoStakeOfferRequest),
    /// To co-stake.
    CoStake(CoStakeRequest),
    /// To give notice of a co-stake.
    GiveNotice,
    /// To take a co-stake out.
    WithdrawCoStake,
}

/// What is to be signed, and what it does.
struct Plan {
    instructions: Vec<Instruction>,
    /// Whether the network signs as well: it knows something that the chain does not.
    co_signed: bool,
    what: String,
}

impl Plan {
    fn new(instruction: Instruction, what: String) -> Self {
        Self { instructions: vec![instruction], co_signed: false, what }
    }
}

impl Hub {
    /// Prepares a step with a device for the caller's signature. What the program would refuse is not prepared.
    pub async fn stake_prepare(
        &self,
        caller: &Caller,
        device: DeviceId,
        step: &StakeStep,
        idempotency_key: Option<&str>,
    ) -> HubResult<PreparedStep> {
        caller.may_write()?;
        let work = self.prepare_step(caller, device, step);
        self.idempotent(caller, idempotency_key, "stake_prepare", &(device, step), work).await
    }

    async fn prepare_step(&self, caller: &Caller, device: DeviceId, step: &StakeStep) -> HubResult<PreparedStep> {
        let wallet = translate::solana_address(caller.wallet);
        let key = Address::from(device.0);
        let rules = self.stake_rules().await?;
        let plan = match step {
            StakeStep::Register(request) => self.plan_registration(caller, device, request, &rules).await?,
            StakeStep::SetPayout(request) => self.plan_payout(&wallet, &key, request).await?,
            StakeStep::CoStake(request) => self.plan_co_stake(&wallet, device, request).await?,
            StakeStep::GiveNotice | StakeStep::WithdrawCoStake => self.plan_leave(&wallet, device, step, &rules).await?,
            _ => self.plan_owner(&wallet, device, step, &rules).await?,
        };
        let operator = &self.options().operator;
        let co_signers: &[_] = if plan.co_signed { &[&operator.quote] } else { &[] };
        let prepared = self.ledger().prepare(&plan.instructions, &operator.payer, co_signers, &wallet).await?;
        let valid_until_unix_secs = rules.now_unix_secs.saturating_add(TRANSACTION_VALID_SECS);
        let transaction = PreparedTransaction { base64: prepared.base64, what: plan.what, valid_until_unix_secs };
        Ok(PreparedStep { device, transaction })
    }

    /// Only for the owner that the device itself has named: nobody can register, and so take over, a device of somebody else.
    async fn plan_registration(
        &self,
        caller: &Caller,
        device: DeviceId,
        request: &RegistrationRequest,
        rules: &StakeRules,
    ) -> HubResult<Plan> {
        let row = self.store().device(device).await?.ok_or(Code::DeviceNotFound)?;
        if row.owner != Some(caller.wallet) {
            return Err(Code::DeviceOwnerUndeclared.into());
        }
        let key = Address::from(device.0);
        if self.ledger().device(&key).await?.is_some() {
            return Err(Code::DeviceRegistered.into());
        }
        let (model, processors) = described(&row.hardware, rules);
        let payout = request.payout.unwrap_or(caller.wallet);
        let registration = Registration { device: key, payout: translate::solana_address(payout), processors, model };
        ionet_rules::stake::minimum(model.centi(&rules.table.models, &rules.params)?, processors)?;
        let operator = &self.options().operator;
        let owner = translate::solana_address(caller.wallet);
        let at = self.ledger().addresses().await?;
        let instruction = build::register_device(at, operator.payer.pubkey(), owner, operator.quote.pubkey(), &registration);
        let named = rules.table.name(model).unwrap_or("an unlisted model");
        let what = format!("Register device {device} ({processors} x {named}); its rewards go to {payout}");
        Ok(Plan { co_signed: true, ..Plan::new(instruction, what) })
    }

    async fn plan_payout(&self, wallet: &Address, key: &Address, request: &PayoutRequest) -> HubResult<Plan> {
        let claim = match self.claim_of(key, wallet).await? {
            Some(claim) => claim,
            None if self.ledger().device(key).await?.is_some() => return Err(Code::DeviceNotYours.into()),
            None => return Err(Code::DeviceNotRegistered.into()),
        };
        let at = self.ledger().addresses().await?;
        let instruction = build::set_payout(at, *wallet, claim.address, translate::solana_address(request.wallet));
        Ok(Plan::new(instruction, format!("Pay the rewards of device {key} to {}", request.wallet)))
    }

    async fn plan_co_stake(&self, wallet: &Address, device: DeviceId, request: &CoStakeRequest) -> HubResult<Plan> {
        let view = self.registered(device).await?;
        if view.owner == *wallet {
            return Err(HubError::field("the owner of a device cannot co-stake it"));
        }
        let amount = Io(request.amount.0);
        let mut after = view.stake;
        after.accept(amount, request.share_bps)?;
        self.check_io(wallet, amount).await?;
        let at = self.ledger().addresses().await?;
        let payer = self.options().operator.payer.pubkey();
        let instruction = build::accept_co_stake(at, payer, *wallet, &view.device, amount, request.share_bps);
        let what = format!("Co-stake {} on device {device} for {} of its block rewards", io(amount), percent(request.share_bps));
        Ok(Plan::new(instruction, what))
    }

    async fn plan_leave(&self, wallet: &Address, device: DeviceId, step: &StakeStep, rules: &StakeRules) -> HubResult<Plan> {
        let view = self.registered(device).await?;
        let is_co_staker = view.co_staker == Some(*wallet);
        let at = self.ledger().addresses().await?;
        let mut after = view.stake;
        if matches!(step, StakeStep::GiveNotice) {
            if view.owner != *wallet && !is_co_staker {
                return Err(Code::DeviceNotYours.into());
            }
            after.give_notice(rules.minimum(&view)?, &rules.params, rules.now_unix_secs)?;
            let instruction = build::end_co_stake(at, *wallet, &view.device);
            return Ok(Plan::new(instruction, format!("Give notice of the co-stake on device {device}")));
        }
        if !is_co_staker {
            return Err(Code::DeviceNotYours.into());
        }
        let amount = after.withdraw_co(&rules.params, rules.now_unix_secs)?;
        let instruction = build::withdraw_co_stake(at, *wallet, &view.device);
        let what = format!("Withdraw the co-stake of {} from device {device}", io(amount));
        Ok(self.with_account(at, wallet, Plan::new(instruction, what)))
    }

    /// The owner's own steps with its stake.
    async fn plan_owner(&self, wallet: &Address, device: DeviceId, step: &StakeStep, rules: &StakeRules) -> HubResult<Plan> {
        let view = self.registered(device).await?;
        if view.owner != *wallet {
            return Err(Code::DeviceNotYours.into());
        }
        let at = self.ledger().addresses().await?;
        let mut after = view.stake;
        match step {
            StakeStep::Stake(request) => {
                let amount = Io(request.amount.0);
                after.deposit(amount)?;
                self.check_io(wallet, amount).await?;
                let instruction = build::stake(at, *wallet, &view.device, amount);
                Ok(Plan::new(instruction, format!("Stake {} on device {device}", io(amount))))
            }
            StakeStep::OfferCoStake(request) => {
                let max = Io(request.max.0);
                after.offer(max, request.share_bps)?;
                let instruction = build::offer_co_stake(at, *wallet, &view.device, max, request.share_bps);
                let what = if max.is_zero() {
                    format!("Take back the co-stake offer of device {device}")
                } else {
                    format!("Offer a co-stake of up to {} on device {device} for {}", io(max), percent(request.share_bps))
                };
                Ok(Plan::new(instruction, what))
            }
            StakeStep::Unstake => {
                if self.store().is_reserved(device).await? {
                    return Err(Code::DeviceInUse.into());
                }
                after.unstake(rules.now_unix_secs)?;
                let quote = self.options().operator.quote.pubkey();
                let instruction = build::unstake(at, *wallet, quote, &view.device);
                let what = format!("Begin to unstake {} from device {device}: it cannot be taken back", io(view.stake.owner));
                Ok(Plan { co_signed: true, ..Plan::new(instruction, what) })
            }
            StakeStep::Withdraw(request) => {
                let amount = withdrawable(&view, request, rules)?;
                let instruction = build::withdraw_stake(at, *wallet, &view.device, amount);
                let what = match amount {
                    Some(amount) => format!("Withdraw {} of stake from device {device}", io(amount)),
                    None => format!("Withdraw all that is unstaked from device {device}"),
                };
                Ok(self.with_account(at, wallet, Plan::new(instruction, what)))
            }
            _ => Err(HubError::internal("not a step of an owner")),
        }
    }

    /// With the wallet's IO account made first, if it is missing.
    fn with_account(&self, at: &Addresses, wallet: &Address, mut plan: Plan) -> Plan {
        let payer = self.options().operator.payer.pubkey();
        plan.instructions.insert(0, instructions::create_token_account(&payer, wallet, &at.io_mint));
        plan
    }

    async fn check_io(&self, wallet: &Address, amount: Io) -> HubResult<()> {
        let balance = self.ledger().token_balance(wallet, Currency::Io).await?;
        if balance >= amount.0 {
            return Ok(());
        }
        Err(HubError::from(Code::InsufficientFunds).saying(format!("the wallet holds {}, {} is to be staked", io(Io(balance)), io(amount))))
    }
}

/// What is withdrawn: `None` for all that is unstaked.
fn withdrawable(view: &DeviceView, request: &WithdrawalRequest, rules: &StakeRules) -> HubResult<Option<Io>> {
    let mut after = view.stake;
    let minimum = rules.minimum(view)?;
    match request.amount {
        None if view.stake.is_unstaking() => {
            after.withdraw_unstaked(&rules.params, rules.now_unix_secs)?;
            Ok(None)
        }
        amount => {
            let overflow = view.stake.overflow(minimum, rules.now_unix_secs)?;
            if amount.is_none() && overflow.is_zero() {
                return Err(RuleError::StakeNeeded.into());
            }
            let amount = amount.map_or(overflow, |amount| Io(amount.0));
            after.withdraw_overflow(amount, minimum, rules.now_unix_secs)?;
            Ok(Some(amount))
        }
    }
}

/// A device's model in the multiplier table and its number of processors, by what its agent reports. Graphics cards of several models are
/// none that a table lists.
fn described(hardware: &Hardware, rules: &StakeRules) -> (Model, u32) {
    use ionet_rules::booking::HardwareKind as Rules;
    match hardware.kind {
        ionet_types::agent::HardwareKind::Cpu => (rules.table.model(plain_name(&hardware.cpu_model), Rules::Cpu), hardware.cpus),
        ionet_types::agent::HardwareKind::Gpu => {
            let mut names = hardware.gpus.iter().map(|gpu| plain_name(&gpu.model));
            let first = names.next().unwrap_or_default();
            let same = names.all(|name| name == first);
            let model = if same { rules.table.model(first, Rules::Gpu) } else { Model { number: UNLISTED, kind: Rules::Gpu } };
            (model, u32::try_from(hardware.gpus.len()).unwrap_or(u32::MAX))
        }
    }
}

/// The name that the driver gives, without the maker's name around it.
fn plain_name(name: &str) -> &str {
    let name = name.trim();
    let name = ["NVIDIA ", "Apple "].iter().find_map(|maker| name.strip_prefix(maker)).unwrap_or(name);
    let name = name.strip_prefix("GeForce ").unwrap_or(name);
    name.strip_suffix(" Generation").unwrap_or(name)
}

fn io(amount: Io) -> String {
    Money::io(amount.0).display
}

fn percent(bps: u16) -> String {
    format!("{} %", ionet_types::money::decimal(bps.into(), 2))
}

#[cfg(test)]
mod tests {
    use ionet_rules::multipliers::TABLE;

    use super::plain_name;

    #[test]
    fn drivers_names_are_found_in_the_table() {
        let drivers = [
            ("NVIDIA GeForce RTX 4090", "RTX 4090"),
            ("NVIDIA H100 80GB HBM3", "H100 80GB HBM3"),
            ("NVIDIA A100-SXM4-80GB", "A100-SXM4-80GB"),
            ("NVIDIA RTX 6000 Ada Generation", "RTX 6000 Ada"),
            ("Tesla T4", "Tesla T4"),
            ("Apple M3 Pro", "M3 Pro"),
        ];
        for (driver, listed) in drivers {
            assert_eq!(plain_name(driver), listed);
            assert!(TABLE.iter().any(|entry| entry.name() == listed), "{listed}");
        }
    }
}
