//! Stakes as they stand on chain: of one device, of the caller, on offer; and the multiplier table that decides the minimum.

use std::cmp::Reverse;

use ionet_ledger::{ClaimView, DeviceFilter, DeviceView, MultipliersView, address};
use ionet_rules::money::Io;
use ionet_rules::stake::CoStatus;
use ionet_rules::supply::SupplyParams;
use ionet_types::problem::Code;
use ionet_types::stakes::{CoStake, CoStakeOffer, CoStakeOfferList, Multiplier, MultiplierTable, Stake, StakeList, StakeRole};
use ionet_types::{DeviceId, Money};
use solana_address::Address;

use crate::Hub;
use crate::caller::Caller;
use crate::error::HubResult;
use crate::translate;

/// What the rules of stakes go by, at one moment.
pub(super) struct StakeRules {
    pub(super) params: SupplyParams,
    pub(super) table: MultipliersView,
    pub(super) now_unix_secs: i64,
}

impl StakeRules {
    pub(super) fn minimum(&self, device: &DeviceView) -> HubResult<Io> {
        Ok(device.minimum(&self.table.models, &self.params)?)
    }
}

impl Hub {
    /// The stakes of the caller's devices and of those that it co-stakes; of one device only, if asked.
    pub async fn stake_list(&self, caller: &Caller, device: Option<DeviceId>) -> HubResult<StakeList> {
        let wallet = translate::solana_address(caller.wallet);
        let own = DeviceFilter { owner: Some(wallet), co_staker: None };
        let others = DeviceFilter { owner: None, co_staker: Some(wallet) };
        let ledger = self.ledger();
        let (rules, own, others) = futures::try_join!(self.stake_rules(), async { Ok(ledger.devices(&own).await?) }, async {
            Ok(ledger.devices(&others).await?)
        })?;
        let own = own.into_iter().map(|view| (StakeRole::Owner, view));
        let others = others.into_iter().map(|view| (StakeRole::CoStaker, view));
        let mut items = Vec::new();
        for (role, view) in own.chain(others) {
            let id = DeviceId(view.device.to_bytes());
            if device.is_some_and(|wanted| wanted != id) {
                continue;
            }
            let payout = self.claim_of(&view.device, &wallet).await?.map(|claim| translate::address(&claim.payout));
            items.push(Stake { role: Some(role), payout, ..viewed(&view, &rules)? });
        }
        items.sort_by_key(|stake| stake.device);
        Ok(StakeList { items })
    }

    /// A device's stake; of one that was never registered there is none.
    pub async fn stake_show(&self, device: DeviceId) -> HubResult<Stake> {
        let (rules, view) = futures::try_join!(self.stake_rules(), self.registered(device))?;
        viewed(&view, &rules)
    }

    /// Co-stakes on offer, the largest share first. Who offers is not shown.
    pub async fn co_stake_offer_list(&self) -> HubResult<CoStakeOfferList> {
        let ledger = self.ledger();
        let (rules, devices) = futures::try_join!(self.stake_rules(), async { Ok(ledger.devices(&DeviceFilter::default()).await?) })?;
        let offered = devices.iter().filter(|device| device.stake.co_status(rules.now_unix_secs) == CoStatus::Offered);
        let offer = |device: &DeviceView| -> HubResult<CoStakeOffer> {
            Ok(CoStakeOffer {
                device: DeviceId(device.device.to_bytes()),
                kind: device.model.kind.into(),
                model: rules.table.name(device.model).map(str::to_owned),
                processors: device.processors,
                max: Money::io(device.stake.offer_max.min(device.stake.owner).0),
                share_bps: device.stake.co_share_bps,
                owner_stake: Money::io(device.stake.owner.0),
                minimum: Money::io(rules.minimum(device)?.0),
            })
        };
        let mut items = offered.map(offer).collect::<HubResult<Vec<_>>>()?;
        items.sort_by_key(|offer| (Reverse(offer.share_bps), offer.device));
        Ok(CoStakeOfferList { items })
    }

    /// The multiplier table.
    pub async fn multiplier_table(&self) -> HubResult<MultiplierTable> {
        let rules = self.stake_rules().await?;
        let item = |(number, entry): (u16, &ionet_rules::multipliers::Multiplier)| -> HubResult<Multiplier> {
            let kind = ionet_rules::booking::HardwareKind::from_u8(entry.kind)?.into();
            Ok(Multiplier { number, name: entry.name().to_owned(), kind, multiplier_centi: entry.centi })
        };
        let items = (0..).zip(&rules.table.models).map(item).collect::<HubResult<_>>()?;
        Ok(MultiplierTable { items, unlisted_cpu_centi: rules.params.cpu_multiplier_centi.into() })
    }

    pub(super) async fn stake_rules(&self) -> HubResult<StakeRules> {
        let ledger = self.ledger();
        let (supply, table, now_unix_secs) = futures::try_join!(ledger.supply(), ledger.multipliers(), ledger.chain_now_unix_secs())?;
        Ok(StakeRules { params: supply.params, table, now_unix_secs })
    }

    /// A device as it is registered on chain.
    pub(super) async fn registered(&self, device: DeviceId) -> HubResult<DeviceView> {
        let view = self.ledger().device(&Address::from(device.0)).await?;
        view.ok_or_else(|| Code::DeviceNotRegistered.into())
    }

    /// The account that a wallet's rewards from a device are counted in: the owner's, or that of who co-stakes or once co-staked it.
    pub(super) async fn claim_of(&self, device: &Address, wallet: &Address) -> HubResult<Option<ClaimView>> {
        let ledger = self.ledger();
        let own = address::device_claim(&ledger.program_id, device);
        let co = address::co_staker_claim(&ledger.program_id, device, wallet);
        let (own, co) = futures::try_join!(ledger.claim_account(&own), ledger.claim_account(&co))?;
        Ok(own.filter(|claim| claim.owner == *wallet).or(co))
    }
}

fn viewed(device: &DeviceView, rules: &StakeRules) -> HubResult<Stake> {
    let StakeRules { params, table, now_unix_secs } = rules;
    let (stake, now) = (&device.stake, *now_unix_secs);
    let minimum = rules.minimum(device)?;
    let counted = stake.counted(now)?;
    let io = |amount: Io| Money::io(amount.0);
    Ok(Stake {
        device: DeviceId(device.device.to_bytes()),
        role: None,
        payout: None,
        kind: device.model.kind.into(),
        model: table.name(device.model).map(str::to_owned),
        processors: device.processors,
        multiplier_centi: device.model.centi(&table.models, params)?,
        minimum: io(minimum),
        counted: io(counted),
        minimum_met: counted >= minimum,
        owner_stake: io(stake.owner),
        overflow: io(stake.overflow(minimum, now)?),
        frozen: io(stake.owner_frozen),
        burned: io(stake.burned),
        unstaking_since_unix_secs: stake.is_unstaking().then_some(stake.unstake_at_unix_secs),
        withdrawable_at_unix_secs: stake.unstaked_at_unix_secs(params),
        co_stake: CoStake {
            status: stake.co_status(now).into(),
            amount: io(stake.co),
            frozen: io(stake.co_frozen),
            offered_max: io(stake.offer_max),
            share_bps: stake.co_share_bps,
            cooling_at_unix_secs: (stake.co_cooling_at_unix_secs != 0).then_some(stake.co_cooling_at_unix_secs),
            withdrawable_at_unix_secs: stake.co_withdraw_at_unix_secs(params),
        },
    })
}
