//! The end of a case, whoever or whatever decided it: what was frozen is burned or free again.

use ionet_abi::accounts::{CaseAccount, DeviceAccount, EpochsAccount, MultipliersAccount, SupplyAccount};
use ionet_abi::events::supply::CloseCaseRecord;
use ionet_abi::faults::Fault;
use ionet_abi::instructions::supply::LapseCaseAccounts;
use ionet_rules::slash::Verdict;
use pinocchio::AccountView;
use pinocchio::account::Ref;

use crate::call::Call;
use crate::checks;
use crate::refusal::Outcome;
use crate::state;
use crate::state::device::{forget_co_staker, minimum};
use crate::state::network::Network;
use crate::state::open::Open;
use crate::tokens::Vault;

/// The checked accounts of a case's end.
pub(super) struct Closing<'a> {
    network: Network<'a>,
    pub(super) supply: Ref<'a, SupplyAccount>,
    multipliers: Ref<'a, MultipliersAccount>,
    epochs: Open<'a, EpochsAccount>,
    device: Open<'a, DeviceAccount>,
    pub(super) case: Open<'a, CaseAccount>,
    io_stake: Vault<'a>,
    io_rewards: Vault<'a>,
    io_mint: &'a AccountView,
}

impl<'a> Closing<'a> {
    /// Checks a list whose length, signers and writability were checked; `authority` says who may.
    #[inline(always)]
    pub(super) fn check(
        call: &Call<'a>,
        list: LapseCaseAccounts<&'a AccountView>,
        authority: impl FnOnce(&SupplyAccount) -> Outcome,
    ) -> Outcome<Self> {
        let LapseCaseAccounts { network, supply, multipliers, epochs, device, case, io_stake, io_rewards, io_mint, token_program, program } =
            list;
        checks::token_program(token_program)?;
        checks::this_program(program, call.program_id)?;
        let network = Network::open(network, call.program_id)?;
        let supply: Ref<SupplyAccount> = state::view(supply, call.program_id)?;
        let multipliers = state::view(multipliers, call.program_id)?;
        let epochs = Open::at(epochs, call.program_id)?;
        let device = Open::at(device, call.program_id)?;
        let case = Open::at(case, call.program_id)?;
        authority(&supply)?;
        belongs(&case, &device)?;
        checks::recorded(io_stake, &supply.io_stake)?;
        checks::recorded(io_rewards, &supply.io_rewards)?;
        checks::recorded(io_mint, &network.io_mint)?;
        Ok(Self {
            io_stake: Vault::open(io_stake)?,
            io_rewards: Vault::open(io_rewards)?,
            io_mint,
            network,
            supply,
            multipliers,
            epochs,
            device,
            case,
        })
    }

    /// Burns or frees. The case's own books have come to their end already.
    #[inline(never)]
    pub(super) fn carry_out(mut self, verdict: Verdict, decided: bool, now: i64) -> Outcome {
        let burned = verdict == Verdict::Burn;
        let case = self.case.read()?;
        let (device, stamp) = self.device.step(|device| {
            let minimum = minimum(device, &self.multipliers, &self.supply.params)?;
            device.stake.settle(&case.book, verdict, minimum, now)?;
            forget_co_staker(device);
            Ok(device.device)
        })?;
        let parts = case.book.parts;
        let owed = self.epochs.change(|epochs| {
            epochs.book.settle_locked(parts.unvested, burned)?;
            Ok(epochs.book.owed_io()?)
        })?;

        if burned {
            self.io_rewards.burn(self.io_mint, &self.network, parts.unvested.0)?;
            self.io_stake.burn(self.io_mint, &self.network, parts.stake()?.0)?;
        }
        self.io_rewards.settle(owed.0)?;
        self.io_stake.settle(0)?;
        let record =
            CloseCaseRecord { device, case_id: case.case_id, parts, burned: burned.into(), decided: decided.into(), reserved: [0; 6] };
        stamp.emit(&self.network, now, &record)
    }
}

/// Refuses a case against another device.
pub(super) fn belongs(case: &Open<CaseAccount>, device: &Open<DeviceAccount>) -> Outcome {
    if case.read()?.device == device.read()?.device { Ok(()) } else { Err(Fault::WrongAddress.into()) }
}
