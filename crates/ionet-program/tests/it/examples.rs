//! The worked examples of docs/economy.md on the chain: the amounts to the base unit, and what is refused moves nothing.

use ionet_abi::accounts::VaultKind;
use ionet_abi::instructions::BookProductArgs;
use ionet_rules::RuleError;
use ionet_rules::booking::Status;
use ionet_rules::money::Currency;
use ionet_rules::params::Params;
use solana_signer::Signer;

use crate::world::build::Cluster;
use crate::world::{PRICE, START, WALLET, World, customer};

const HOUR: i64 = 3_600;

/// Four devices at 0.115 USDC an hour.
fn booked(minutes: u32) -> (World, Cluster) {
    let mut world = World::new();
    let cluster = Cluster { id: [1; 16], customer: customer(0).pubkey(), currency: Currency::Usdc };
    let args = BookProductArgs {
        cluster_id: cluster.id,
        rate: 115_000,
        rate_micro_usd: 115_000,
        valid_until_unix_secs: START,
        quantity: 4,
        minutes,
        currency: Currency::Usdc as u8,
        hardware: 0,
        reserved: [0; 6],
    };
    world.accept(world.net.book(&cluster, args));
    (world, cluster)
}

fn running(minutes: u32) -> (World, Cluster) {
    let (mut world, cluster) = booked(minutes);
    let total = world.booking(cluster.id).book.total().unwrap().0;
    world.accept(world.net.pay(&cluster, 0, total));
    world.accept(world.net.start(&cluster));
    (world, cluster)
}

fn spent(world: &World, cluster: &Cluster) -> u64 {
    WALLET - world.balance(cluster.wallet())
}

fn status(world: &World, cluster: &Cluster) -> Status {
    world.booking(cluster.id).book.status().unwrap()
}

#[test]
fn an_hour_of_four_devices_is_paid_in_two_stages() {
    let (mut world, cluster) = booked(60);
    assert_eq!((status(&world, &cluster), world.booking(cluster.id).book.total().unwrap().0), (Status::Booked, 470_350));
    world.refuse_for(world.net.pay(&cluster, 0, 470_351), RuleError::Overpayment);
    world.accept(world.net.pay(&cluster, 0, 200_000));
    assert_eq!(status(&world, &cluster), Status::PartiallyPaid);
    world.refuse_for(world.net.pay(&cluster, 0, 200_000), RuleError::WrongSequence);
    world.refuse_for(world.net.pay(&cluster, 1, 270_351), RuleError::Overpayment);
    world.refuse_for(world.net.start(&cluster), RuleError::NotStartable);
    world.accept(world.net.pay(&cluster, 1, 270_350));
    assert_eq!((status(&world, &cluster), spent(&world, &cluster)), (Status::Paid, 470_350));
    world.refuse_for(world.net.pay(&cluster, 2, 1), RuleError::NotPayable);
    assert_eq!(world.vault(VaultKind::UsdcEscrow), 470_350);
}

#[test]
fn a_payment_after_the_window_is_refused_and_everything_goes_back() {
    let (mut world, cluster) = booked(60);
    let window = i64::from(Params::DEFAULT.payment_window_secs);
    world.wait(window);
    world.accept(world.net.pay(&cluster, 0, 200_000));
    world.wait(window);
    world.refuse_for(world.net.expire(&cluster), RuleError::PaymentWindowOpen);
    world.wait(1);
    world.refuse_for(world.net.pay(&cluster, 1, 270_350), RuleError::PaymentWindowOver);
    assert_eq!(spent(&world, &cluster), 200_000);
    world.accept(world.net.expire(&cluster));
    assert_eq!((status(&world, &cluster), spent(&world, &cluster)), (Status::Expired, 0));
    world.refuse_for(world.net.pay(&cluster, 1, 270_350), RuleError::NotPayable);
    assert_eq!(spent(&world, &cluster), 0);
}

#[test]
fn three_hours_are_logged_once_and_two_days_twice() {
    for (hours, logs) in [(3, 1), (48, 2)] {
        let (mut world, cluster) = running(hours * 60);
        let end = START + i64::from(hours) * HOUR;
        for log in 0..logs {
            let last = log + 1 == logs;
            let over = if last { end } else { START + i64::from(log + 1) * 24 * HOUR };
            let minutes = 4 * 60 * u64::from(if last { hours - 24 * log } else { 24 });
            let instruction = world.net.worked(&cluster, log, minutes, (u8::from(last), 0));
            world.set_clock(over - 1);
            world.refuse_for(instruction.clone(), RuleError::WorkTooEarly);
            world.set_clock(over);
            world.accept(instruction.clone());
            world.refuse_for(instruction, RuleError::WrongSequence);
        }
        let book = world.booking(cluster.id).book;
        assert_eq!((book.logs, book.worked, book.closed), (logs, book.cost, 1));
        world.refuse_for(world.net.refund(&cluster), RuleError::NotRefundable);
        world.refuse_for(world.net.worked(&cluster, logs, 1, (0, 0)), RuleError::NotRunning);
    }
}

#[test]
fn an_early_end_gives_back_all_but_the_first_hour_and_the_fees_once() {
    let (mut world, cluster) = running(180);
    let book = world.booking(cluster.id).book;
    world.wait(600);
    world.accept(world.net.worked(&cluster, 0, 240, (2, START + 600)));
    world.refuse_for(world.net.extend(&cluster, 0, 60, 470_350), RuleError::NotExtendable);
    world.accept(world.net.refund(&cluster));
    assert_eq!(spent(&world, &cluster), 460_000 + book.fees.0);
    world.refuse_for(world.net.refund(&cluster), RuleError::NotRefundable);
    assert_eq!(spent(&world, &cluster), 460_000 + book.fees.0);
    assert_eq!((world.vault(VaultKind::UsdcTreasury), world.vault(VaultKind::UsdcPayable)), (book.fees.0, 383_985));
    // The rest becomes IO: half of the network fee is burned, half is for incentives, all else the treasury's.
    for oracle in 0..3 {
        world.accept(world.net.submit_price(oracle, PRICE));
    }
    world.accept(world.net.repurchase(&cluster, 0));
    world.refuse_for(world.net.repurchase(&cluster, 0), RuleError::WrongSequence);
    let supply = world.supply(Currency::Io);
    let due = world.booking(cluster.id).book.earn_due.0;
    world.accept(world.net.earn(&cluster, 0));
    world.refuse_for(world.net.earn(&cluster, 0), RuleError::WrongSequence);
    let burned = supply - world.supply(Currency::Io);
    let (incentives, treasury) = (world.vault(VaultKind::IoIncentives), world.vault(VaultKind::IoTreasury));
    assert_eq!(burned + incentives + treasury, due);
    assert!(incentives - burned <= 1 && burned > 0);
    assert_eq!((world.vault(VaultKind::UsdcEscrow), world.vault(VaultKind::IoEscrow)), (0, 0));
    let book = world.booking(cluster.id).book;
    assert!(book.is_settled());
    assert_eq!(book.paid.0, book.worked.0 + book.refunded.0 + book.fees_taken.0);
}

#[test]
fn an_extension_costs_the_original_rate_and_is_refused_after_the_end() {
    let (mut world, cluster) = running(60);
    world.set_clock(START + HOUR - 1);
    world.refuse_for(world.net.extend(&cluster, 0, 60, 470_351), RuleError::Overpayment);
    world.refuse_for(world.net.extend(&cluster, 0, 60, 470_349), RuleError::NotPayable);
    world.accept(world.net.extend(&cluster, 0, 60, 470_350));
    world.refuse_for(world.net.extend(&cluster, 0, 60, 470_350), RuleError::WrongSequence);
    assert_eq!((status(&world, &cluster), spent(&world, &cluster)), (Status::Running, 940_700));
    world.set_clock(START + 2 * HOUR);
    world.refuse_for(world.net.extend(&cluster, 1, 60, 470_350), RuleError::NotExtendable);
    assert_eq!(spent(&world, &cluster), 940_700);
}
