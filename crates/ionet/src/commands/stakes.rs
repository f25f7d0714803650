//! `ionet stakes`: devices on chain, what is staked on them, and who shares in it.

use anyhow::Result;
use clap::{Args, Subcommand};
use ionet_abi::instructions::supply::{
    AcceptCoStakeArgs, EndCoStakeArgs, OfferCoStakeArgs, SetPayoutArgs, StakeArgs, UnstakeArgs, WithdrawCoStakeArgs, WithdrawStakeArgs,
};
use ionet_ledger::address;
use ionet_types::money::{decimal, parse_decimal};
use ionet_types::stakes::{
    CoStakeOffer, CoStakeOfferRequest, CoStakeRequest, CoStakeStatus, PayoutRequest, RegistrationRequest, Stake, StakeRequest, StakeRole,
    WithdrawalRequest,
};
use ionet_types::transactions::TransactionStatus;
use ionet_types::{Address, BaseUnits, Currency, DeviceId, Money, TransactionSignature};
use serde::Serialize;

use crate::client::{Client, ListQuery};
use crate::context::Context;
use crate::exit::{Exit, Failure};
use crate::job::Customer;
use crate::output::{fields, moment, name_of, table_with_amounts};
use crate::signing::{Step, Wish};

/// What to do with stakes.
#[derive(Debug, Subcommand)]
pub enum StakesCommand {
    /// List the stakes of your devices and those that you co-stake
    #[command(after_help = "Examples:\n  ionet stakes list\n  ionet stakes list --json")]
    List,
    /// Show a device's stake: how much it has, how much it needs, what is on its way out
    #[command(after_help = "Examples:\n  ionet stakes show 9sHcvDd2a1b3pTzjUvT8pM1kq2rY4nW5xZ6cB7eF8gH1")]
    Show(DeviceArg),
    /// Register a device of yours on chain, so that it can be staked on and earn
    ///
    /// The device itself must name your wallet: start its agent with --owner, or with `ionet up`.
    #[command(
        after_help = "Examples:\n  ionet stakes register 9sHcvDd2a1b3pTzjUvT8pM1kq2rY4nW5xZ6cB7eF8gH1\n  ionet stakes register --all"
    )]
    Register(RegisterArgs),
    /// Stake IO on a device of yours
    #[command(after_help = "Examples:\n  ionet stakes add 9sHcvDd2a1b3pTzjUvT8pM1kq2rY4nW5xZ6cB7eF8gH1 800")]
    Add(AmountArgs),
    /// Withdraw what exceeds the minimum, or all once it is unstaked
    #[command(
        after_help = "Examples:\n  ionet stakes withdraw 9sHcvDd2a1b3pTzjUvT8pM1kq2rY4nW5xZ6cB7eF8gH1 100\n  ionet stakes withdraw 9sHcvDd2a1b3pTzjUvT8pM1kq2rY4nW5xZ6cB7eF8gH1      all that can be"
    )]
    Withdraw(WithdrawArgs),
    /// Begin to take all stake out: 14 days, no rewards meanwhile, cannot be taken back
    #[command(after_help = "Examples:\n  ionet stakes unstake 9sHcvDd2a1b3pTzjUvT8pM1kq2rY4nW5xZ6cB7eF8gH1 --yes")]
    Unstake(UnstakeArguments),
    /// Change the wallet that your rewards from a device are paid to
    #[command(
        after_help = "Examples:\n  ionet stakes payout 9sHcvDd2a1b3pTzjUvT8pM1kq2rY4nW5xZ6cB7eF8gH1 7qbRF6YsyGuLUVs6Y1q64bdVrfe4ZcUUz1JRdoVNUJnm"
    )]
    Payout(PayoutArguments),
    /// Offer others to co-stake on a device of yours for a share of its block rewards
    #[command(
        after_help = "Examples:\n  ionet stakes offer 9sHcvDd2a1b3pTzjUvT8pM1kq2rY4nW5xZ6cB7eF8gH1 8000 --share 25\n  ionet stakes offer 9sHcvDd2a1b3pTzjUvT8pM1kq2rY4nW5xZ6cB7eF8gH1 0      takes the offer back"
    )]
    Offer(OfferArgs),
    /// List what others offer to co-stake on
    #[command(after_help = "Examples:\n  ionet stakes offers")]
    Offers,
    /// Co-stake on somebody's device, at the share that it offers now
    #[command(after_help = "Examples:\n  ionet stakes accept 9sHcvDd2a1b3pTzjUvT8pM1kq2rY4nW5xZ6cB7eF8gH1 8000 --share 25")]
    Accept(AcceptArgs),
    /// Give notice of a co-stake: it earns no more, and can be withdrawn after notice and cool-down
    #[command(after_help = "Examples:\n  ionet stakes notice 9sHcvDd2a1b3pTzjUvT8pM1kq2rY4nW5xZ6cB7eF8gH1")]
    Notice(DeviceArg),
    /// Take your co-stake out after notice and cool-down
    #[command(after_help = "Examples:\n  ionet stakes withdraw-co 9sHcvDd2a1b3pTzjUvT8pM1kq2rY4nW5xZ6cB7eF8gH1")]
    WithdrawCo(DeviceArg),
    /// Show the multiplier table, which decides the minimum stake
    #[command(after_help = "Examples:\n  ionet stakes multipliers")]
    Multipliers,
}

/// Which device.
#[derive(Debug, Clone, Args)]
pub struct DeviceArg {
    /// The device's id
    pub device: DeviceId,
}

/// What to register.
#[derive(Debug, Clone, Args)]
pub struct RegisterArgs {
    /// The device's id
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    pub device: Option<DeviceId>,
    /// All devices that name your wallet and are not registered yet
    #[arg(long)]
    pub all: bool,
    /// Wallet that its rewards are paid to [default: your own]
    #[arg(long, value_name = "WALLET")]
    pub payout: Option<Address>,
}

/// How much.
#[derive(Debug, Clone, Args)]
pub struct AmountArgs {
    /// The device's id
    pub device: DeviceId,
    /// IO, such as 800 or 0.5
    #[arg(value_parser = io)]
    pub amount: BaseUnits,
}

/// How much, or all.
#[derive(Debug, Clone, Args)]
pub struct WithdrawArgs {
    /// The device's id
    pub device: DeviceId,
    /// IO [default: all that can be withdrawn]
    #[arg(value_parser = io)]
    pub amount: Option<BaseUnits>,
}

/// What to unstake.
#[derive(Debug, Clone, Args)]
pub struct UnstakeArguments {
    /// The device's id
    pub device: DeviceId,
    /// Yes, I know that it cannot be taken back
    #[arg(long)]
    pub yes: bool,
}

/// Where to pay.
#[derive(Debug, Clone, Args)]
pub struct PayoutArguments {
    /// The device's id
    pub device: DeviceId,
    /// The wallet
    #[arg(value_name = "WALLET")]
    pub to: Address,
}

/// What to offer.
#[derive(Debug, Clone, Args)]
pub struct OfferArgs {
    /// The device's id
    pub device: DeviceId,
    /// Most that you ask for, IO; 0 takes the offer back
    #[arg(value_parser = io)]
    pub max: BaseUnits,
    /// The co-staker's share of the device's block rewards, percent, such as 25 or 12.5
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    pub share: Option<u16>,
}

/// What to accept.
#[derive(Debug, Clone, Args)]
pub struct AcceptArgs {
    /// The device's id
    pub device: DeviceId,
    /// How much, IO
    #[arg(value_parser = io)]
    pub amount: BaseUnits,
    /// The share that you want, percent; nothing is staked when the offer is another [default: what is offered now]
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    pub share: Option<u16>,
}

/// A step that was taken.
#[derive(Debug, Serialize)]
pub struct Taken {
    /// The device.
    pub device: DeviceId,
    /// What was done.
    pub what: String,
    /// The transaction.
    pub signature: TransactionSignature,
    /// How far it is.
    pub status: TransactionStatus,
}

/// An amount of IO as people write it.
fn io(text: &str) -> Result<BaseUnits, &'static str> {
    parse_decimal(text, Currency::Io.decimals()).map(BaseUnits).ok_or("an amount of IO, such as 800 or 0.5, with at most 8 decimals")
}

/// Basis points of a share as people write it.
fn percent(text: &str) -> Result<u16, &'static str> {
    let bps = parse_decimal(text, 2).and_then(|bps| u16::try_from(bps).ok());
    bps.filter(|bps| *bps <= 10_000).ok_or("a share in percent, 0 to 100, with at most 2 decimals")
}

/// Does it.
pub async fn run(command: StakesCommand, context: &Context) -> Result<()> {
    match command {
        StakesCommand::List => context.out.answer(&context.signed_in().await?.stakes().await?, |list| table(&list.items)),
        StakesCommand::Show(DeviceArg { device }) => context.out.answer(&context.network().await?.stake(device).await?, shown),
        StakesCommand::Offers => context.out.answer(&context.network().await?.co_stake_offers().await?, |list| offers_table(&list.items)),
        StakesCommand::Multipliers => context.out.answer(&context.network().await?.multipliers().await?, |list| {
            let rows = list.items.iter().map(|entry| {
                vec![entry.number.to_string(), entry.name.clone(), name_of(&entry.kind), decimal(entry.multiplier_centi.into(), 2)]
            });
            let unlisted = decimal(list.unlisted_cpu_centi.into(), 2);
            format!(
                "{}\nA device without graphics cards whose model is not listed: {unlisted}",
                table_with_amounts(&["number", "model", "kind", "multiplier"], &[0, 3], rows)
            )
        }),
        StakesCommand::Register(args) => register(args, context).await,
        other => {
            let customer = Customer::sign_in(context).await?;
            let taken = step(other, &customer).await?;
            context.out.answer(&taken, told)
        }
    }
}

async fn register(args: RegisterArgs, context: &Context) -> Result<()> {
    let customer = Customer::sign_in(context).await?;
    let devices = match args.device {
        Some(device) => vec![device],
        None => unregistered(&customer.client).await?,
    };
    let mut taken = Vec::new();
    for device in devices {
        let payout = args.payout.unwrap_or_else(|| crate::wallet::wire_address(customer.wallet.address()));
        let prepared = customer.client.prepare_registration(device, &RegistrationRequest { payout: Some(payout) }).await?;
        let submitted = customer.sign_and_submit(&prepared.transaction, &Wish::Register { device, payout }).await?;
        taken.push(Taken { device, what: prepared.transaction.what, signature: submitted.signature, status: submitted.status });
    }
    context.out.answer(&taken, |taken| {
        if taken.is_empty() {
            "all your connected devices are registered".to_owned()
        } else {
            taken.iter().map(told).collect::<Vec<_>>().join("\n")
        }
    })
}

/// The caller's own devices that the chain does not know yet.
async fn unregistered(client: &Client) -> Result<Vec<DeviceId>> {
    let registered: Vec<DeviceId> = client.stakes().await?.items.iter().map(|stake| stake.device).collect();
    let mut found = Vec::new();
    let mut query = ListQuery::default();
    loop {
        let page = client.own_devices(&query).await?;
        found.extend(page.items.iter().map(|device| device.id).filter(|id| !registered.contains(id)));
        query.cursor = page.next_cursor;
        if query.cursor.is_none() {
            return Ok(found);
        }
    }
}

async fn step(command: StakesCommand, customer: &Customer) -> Result<Taken> {
    let client = &customer.client;
    let program = solana_address::Address::new_from_array(customer.network.program_id.0);
    let account = |device: DeviceId| address::device(&program, &device.0.into());
    let (device, prepared, step) = match command {
        StakesCommand::Add(AmountArgs { device, amount }) => {
            let prepared = client.prepare_stake(device, &StakeRequest { amount }).await?;
            (device, prepared, Step::new(&StakeArgs { amount: amount.0 }, account(device)))
        }
        StakesCommand::Withdraw(WithdrawArgs { device, amount }) => {
            let stake = client.stake(device).await?;
            let amount = match amount {
                None if stake.unstaking_since_unix_secs.is_none() => Some(stake.overflow.base_units).filter(|overflow| overflow.0 > 0),
                amount => amount,
            };
            let prepared = client.prepare_withdrawal(device, &WithdrawalRequest { amount }).await?;
            (device, prepared, Step::new(&WithdrawStakeArgs { amount: amount.map_or(0, |amount| amount.0) }, account(device)))
        }
        StakesCommand::Unstake(UnstakeArguments { device, yes }) => {
            if !yes {
                let stake = client.stake(device).await?;
                return Err(Failure::new(format!("this takes all {} out of device {device}", stake.owner_stake.display))
                    .hint("it takes 14 days, the device earns nothing meanwhile, and it cannot be taken back; if you want that, add --yes")
                    .exit(Exit::Usage)
                    .into());
            }
            (device, client.prepare_unstake(device).await?, Step::new(&UnstakeArgs {}, account(device)))
        }
        StakesCommand::Payout(PayoutArguments { device, to }) => {
            let prepared = client.prepare_payout(device, &PayoutRequest { wallet: to }).await?;
            let key = device.0.into();
            let owns = client.stakes().await?.items.iter().any(|stake| stake.device == device && stake.role == Some(StakeRole::Owner));
            let claim = if owns {
                address::device_claim(&program, &key)
            } else {
                address::co_staker_claim(&program, &key, &customer.wallet.address())
            };
            (device, prepared, Step::new(&SetPayoutArgs { payout: to.0 }, claim))
        }
        StakesCommand::Offer(OfferArgs { device, max, share }) => {
            let share_bps = match share {
                _ if max.0 == 0 => 0,
                Some(share) => share,
                None => {
                    return Err(Failure::new("an offer needs the share of the block rewards that you give")
                        .hint("name it in percent, such as --share 25; 0 IO takes the offer back")
                        .exit(Exit::Usage)
                        .into());
                }
            };
            let prepared = client.prepare_co_stake_offer(device, &CoStakeOfferRequest { max, share_bps }).await?;
            (device, prepared, Step::new(&OfferCoStakeArgs { max: max.0, share_bps, reserved: [0; 6] }, account(device)))
        }
        StakesCommand::Accept(AcceptArgs { device, amount, share }) => {
            let share_bps = match share {
                Some(share) => share,
                None => offered_share(client, device).await?,
            };
            let prepared = client.prepare_co_stake(device, &CoStakeRequest { amount, share_bps }).await?;
            (device, prepared, Step::new(&AcceptCoStakeArgs { amount: amount.0, share_bps, reserved: [0; 6] }, account(device)))
        }
        StakesCommand::Notice(DeviceArg { device }) => {
            (device, client.prepare_notice(device).await?, Step::new(&EndCoStakeArgs {}, account(device)))
        }
        StakesCommand::WithdrawCo(DeviceArg { device }) => {
            (device, client.prepare_co_stake_withdrawal(device).await?, Step::new(&WithdrawCoStakeArgs {}, account(device)))
        }
        StakesCommand::List | StakesCommand::Show(_) | StakesCommand::Register(_) | StakesCommand::Offers | StakesCommand::Multipliers => {
            return Err(Failure::new("this is not a step with a stake").into());
        }
    };
    let submitted = customer.sign_and_submit(&prepared.transaction, &Wish::Step(step)).await?;
    Ok(Taken { device, what: prepared.transaction.what, signature: submitted.signature, status: submitted.status })
}

async fn offered_share(client: &Client, device: DeviceId) -> Result<u16> {
    let stake = client.stake(device).await?;
    if stake.co_stake.status == CoStakeStatus::Offered {
        return Ok(stake.co_stake.share_bps);
    }
    Err(Failure::new(format!("device {device} offers no co-stake now")).hint("see what is on offer with `ionet stakes offers`").into())
}

fn told(taken: &Taken) -> String {
    format!("{}\ndone in transaction {}", taken.what, taken.signature)
}

fn table(stakes: &[Stake]) -> String {
    let rows = stakes.iter().map(|stake| {
        vec![
            stake.device.to_string(),
            stake.role.map_or_else(String::new, |role| name_of(&role)),
            device_name(stake.model.as_deref(), stake.processors, &name_of(&stake.kind)),
            stake.owner_stake.display.clone(),
            stake.co_stake.amount.display.clone(),
            stake.minimum.display.clone(),
            state(stake),
        ]
    });
    table_with_amounts(&["device", "you are", "hardware", "owner's stake", "co-stake", "minimum", "state"], &[3, 4, 5], rows)
}

fn offers_table(offers: &[CoStakeOffer]) -> String {
    let rows = offers.iter().map(|offer| {
        vec![
            offer.device.to_string(),
            device_name(offer.model.as_deref(), offer.processors, &name_of(&offer.kind)),
            share(offer.share_bps),
            offer.max.display.clone(),
            offer.owner_stake.display.clone(),
            offer.minimum.display.clone(),
        ]
    });
    table_with_amounts(&["device", "hardware", "share", "up to", "owner's stake", "minimum"], &[2, 3, 4, 5], rows)
}

fn device_name(model: Option<&str>, processors: u32, kind: &str) -> String {
    format!("{processors} x {}", model.unwrap_or(kind))
}

fn share(bps: u16) -> String {
    format!("{} %", decimal(bps.into(), 2))
}

fn state(stake: &Stake) -> String {
    if let Some(at) = stake.withdrawable_at_unix_secs {
        return format!("unstaking, free at {}", moment(at));
    }
    let missing = stake.minimum.base_units.0.saturating_sub(stake.counted.base_units.0);
    if missing == 0 { "enough".to_owned() } else { format!("{} missing", Money::io(missing).display) }
}

fn shown(stake: &Stake) -> String {
    let mut lines = vec![
        ("device", stake.device.to_string()),
        ("hardware", device_name(stake.model.as_deref(), stake.processors, &name_of(&stake.kind))),
        ("multiplier", decimal(stake.multiplier_centi.into(), 2)),
        ("minimum stake", stake.minimum.display.clone()),
        ("counts now", stake.counted.display.clone()),
        ("state", state(stake)),
        ("owner's stake", stake.owner_stake.display.clone()),
        ("can be withdrawn now", stake.overflow.display.clone()),
    ];
    let some = |money: &Money| money.base_units.0 > 0;
    if some(&stake.frozen) {
        lines.push(("frozen by cases", stake.frozen.display.clone()));
    }
    if some(&stake.burned) {
        lines.push(("burned by cases", stake.burned.display.clone()));
    }
    let co = &stake.co_stake;
    lines.push(("co-stake", name_of(&co.status)));
    match co.status {
        CoStakeStatus::None => {}
        CoStakeStatus::Offered => {
            lines.push(("offered", format!("{} of the block rewards for up to {}", share(co.share_bps), co.offered_max.display)));
        }
        CoStakeStatus::Active | CoStakeStatus::Notice | CoStakeStatus::Cooling => {
            lines.push(("co-staked", format!("{} for {} of the block rewards", co.amount.display, share(co.share_bps))));
        }
    }
    if let Some(at) = co.cooling_at_unix_secs {
        lines.push(("cool-down from", moment(at)));
    }
    if let Some(at) = co.withdrawable_at_unix_secs {
        lines.push(("co-stake free at", moment(at)));
    }
    fields(&lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a person would type first is understood, and the words do not clash with the options of all commands.
    #[test]
    fn every_example_is_understood() {
        let device = "9sHcvDd2a1b3pTzjUvT8pM1kq2rY4nW5xZ6cB7eF8gH1";
        let wallet = "7qbRF6YsyGuLUVs6Y1q64bdVrfe4ZcUUz1JRdoVNUJnm";
        let case = "0193a0f2-7c1e-7d5a-9b1c-5d1f0e6a7b21";
        for words in [
            "stakes list".to_owned(),
            format!("stakes show {device}"),
            format!("stakes register {device} --payout {wallet}"),
            "stakes register --all".to_owned(),
            format!("stakes add {device} 800"),
            format!("stakes withdraw {device} 100"),
            format!("stakes withdraw {device}"),
            format!("stakes unstake {device} --yes"),
            format!("stakes payout {device} {wallet} --wallet other.json"),
            format!("stakes offer {device} 8000 --share 25"),
            format!("stakes offer {device} 0"),
            "stakes offers".to_owned(),
            format!("stakes accept {device} 8000 --share 25"),
            format!("stakes accept {device} 8000"),
            format!("stakes notice {device}"),
            format!("stakes withdraw-co {device}"),
            "stakes multipliers".to_owned(),
            format!("slashes list --device {device}"),
            format!("slashes show {case}"),
            format!("slashes appeal {case} --file appeal.txt"),
        ] {
            let words = std::iter::once("ionet").chain(words.split(' ')).map(str::to_owned).collect::<Vec<_>>();
            let parsed = <crate::cli::Cli as clap::Parser>::try_parse_from(&words);
            assert!(parsed.is_ok(), "{words:?}: {}", parsed.unwrap_err());
        }
    }

    #[test]
    fn amounts_and_shares_are_read_exactly() {
        assert_eq!(io("800"), Ok(BaseUnits(80_000_000_000)));
        assert_eq!(io("0.00000001"), Ok(BaseUnits(1)));
        assert!(io("0.000000001").is_err() && io("-1").is_err() && io("many").is_err());
        assert_eq!(percent("25"), Ok(2_500));
        assert_eq!(percent("12.5"), Ok(1_250));
        assert!(percent("100.01").is_err() && percent("700").is_err() && percent("").is_err());
    }
}
