//! For each instruction a chain on which it succeeds next, and the instruction.

use ionet_abi::instructions::{BookProductArgs, Tag};
use ionet_rules::money::Currency;
use ionet_rules::params::Params;
use ionet_rules::supply::SupplyParams;
use solana_instruction::Instruction;
use solana_signer::Signer;

pub(crate) mod supply;

use super::build::{Cluster, Net};
use super::{PRICE, START, World, customer};

/// The scene's cluster: 7 devices, so that its amounts leave dust.
pub(crate) const fn offer(currency: Currency) -> BookProductArgs {
    BookProductArgs {
        cluster_id: [0; 16],
        rate: match currency {
            Currency::Usdc => 115_003,
            Currency::Io => 46_000_003,
        },
        rate_micro_usd: 115_003,
        valid_until_unix_secs: START + 60,
        quantity: 7,
        minutes: 181,
        currency: currency as u8,
        hardware: 1,
        reserved: [0; 6],
    }
}

/// The cluster of the first customer.
pub(crate) fn cluster(currency: Currency) -> Cluster {
    Cluster { id: [currency as u8 + 1; 16], customer: customer(0).pubkey(), currency }
}

/// A chain on which the cluster has come so far that `tag` is next, in both networks, and that instruction of the network under test.
pub(crate) fn ready(tag: Tag, currency: Currency) -> (World, Instruction) {
    let mut world = match tag {
        Tag::Initialize => World::bare(),
        _ if tag as u8 > Tag::InitializeSupply as u8 => World::with_supply(SupplyParams::DEFAULT),
        _ => World::new(),
    };
    let net = world.net;
    for each in [world.other, net] {
        world.set_clock(START);
        if is_supply(tag) {
            supply::prepare(&mut world, each, tag);
        } else {
            prepare(&mut world, each, tag, currency);
        }
    }
    let instruction = if is_supply(tag) { supply::next(net, tag) } else { next(&world, tag, &cluster(currency)) };
    (world, instruction)
}

/// Whether an instruction is one of the supply side.
const fn is_supply(tag: Tag) -> bool {
    tag as u8 >= Tag::InitializeSupply as u8
}

fn prepare(world: &mut World, net: Net, tag: Tag, currency: Currency) {
    let cluster = cluster(currency);
    if tag == Tag::SubmitPrice {
        world.set_clock(START + 1);
    }
    if (tag as u8) <= Tag::BookProduct as u8 {
        return;
    }
    world.accept(net.book(&cluster, offer(currency)));
    let total = ionet_rules::booking::Booking::total(&booking(world, net, &cluster)).unwrap().0;
    let first = total / 3;
    match tag {
        Tag::Pay => return,
        Tag::Expire => {
            world.accept(net.pay(&cluster, 0, first));
            world.set_clock(START + i64::from(Params::DEFAULT.payment_window_secs) + 1);
            return;
        }
        _ => {}
    }
    world.accept(net.pay(&cluster, 0, first));
    world.accept(net.pay(&cluster, 1, total - first));
    if tag == Tag::Start {
        return;
    }
    world.accept(net.start(&cluster));
    if tag == Tag::Extend {
        return;
    }
    world.set_clock(START + 100 * 60 + 1);
    for oracle in 0..3 {
        world.accept(net.submit_price(oracle, PRICE));
    }
    if tag == Tag::Worked {
        return;
    }
    world.accept(net.worked(&cluster, 0, 7 * 101, (2, START + 100 * 60 + 1)));
    if tag == Tag::Earn && currency == Currency::Usdc {
        world.accept(net.repurchase(&cluster, 0));
    }
}

fn booking(world: &World, net: Net, cluster: &Cluster) -> ionet_rules::booking::Booking {
    use ionet_abi::accounts::{BookingAccount, ProgramAccount};
    BookingAccount::read(&world.svm.get_account(&net.booking(cluster.id)).unwrap().data).unwrap().book
}

/// The next instruction of a cluster, with arguments that are right.
fn next(world: &World, tag: Tag, cluster: &Cluster) -> Instruction {
    let net = world.net;
    match tag {
        Tag::Initialize => net.initialize(),
        Tag::SetOracles => net.set_oracles(2),
        Tag::SubmitPrice => net.submit_price(0, PRICE + 1),
        Tag::FundPool => net.fund_pool(1_000, 2_000),
        Tag::BookProduct => net.book(cluster, offer(cluster.currency)),
        Tag::Pay => net.pay(cluster, 0, 100_000),
        Tag::Start => net.start(cluster),
        Tag::Extend => {
            let price = world.booking(cluster.id).book.extension_price(60, &Params::DEFAULT).unwrap();
            net.extend(cluster, 0, 60, price.total.0)
        }
        Tag::Worked => net.worked(cluster, 0, 7 * 101, (2, world.now())),
        Tag::Refund => net.refund(cluster),
        Tag::Repurchase => net.repurchase(cluster, 0),
        Tag::Earn => net.earn(cluster, 0),
        Tag::Expire => net.expire(cluster),
        _ => unreachable!("an instruction of a cluster's life"),
    }
}

/// The currencies in which an instruction exists.
pub(crate) const fn currencies(tag: Tag) -> &'static [Currency] {
    match tag {
        Tag::Initialize | Tag::SetOracles | Tag::SubmitPrice | Tag::FundPool | Tag::Repurchase => &[Currency::Usdc],
        _ if is_supply(tag) => &[Currency::Io],
        _ => &[Currency::Usdc, Currency::Io],
    }
}
