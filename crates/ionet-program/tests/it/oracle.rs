//! The oracle: who may say a price, what a set is, and which price lets a repurchase through.

use ionet_abi::faults::Fault;
use ionet_abi::instructions::Tag;
use ionet_rules::RuleError;
use ionet_rules::money::Currency;
use ionet_rules::params::Params;
use solana_signer::Signer;

use crate::world::build::oracle;
use crate::world::scene::{cluster, ready};
use crate::world::{PRICE, World};

const USDC: Currency = Currency::Usdc;

#[test]
fn the_oracle_guards_the_repurchase() {
    let scene = || ready(Tag::Repurchase, USDC).0;
    let one = cluster(USDC);
    let age = i64::from(Params::DEFAULT.price_max_age_secs);
    let mut world = scene();
    world.wait(age + 1);
    world.refuse_for(world.net.repurchase(&one, 0), RuleError::PriceStale);
    // Half of three is not enough; two are.
    world.accept(world.net.submit_price(0, PRICE));
    world.refuse_for(world.net.repurchase(&one, 0), RuleError::PriceStale);
    world.accept(world.net.submit_price(1, PRICE));
    world.refuse_for(world.net.submit_price(1, PRICE), RuleError::PriceNotNewer);
    world.accept(world.net.repurchase(&one, 0));
    // Scattered, and off the pool's price in either direction.
    for (prices, reason) in [
        ([PRICE, PRICE, PRICE * 2], RuleError::PriceScattered),
        ([PRICE * 103 / 100; 3], RuleError::PoolOffOracle),
        ([PRICE * 97 / 100; 3], RuleError::PoolOffOracle),
    ] {
        let mut world = scene();
        world.wait(1);
        for (index, price) in (0..).zip(prices) {
            world.accept(world.net.submit_price(index, price));
        }
        world.refuse_for(world.net.repurchase(&one, 0), reason);
    }
    let mut world = scene();
    world.wait(1);
    for price in [0, 1_000_000_000_001, u64::MAX] {
        world.refuse_for(world.net.submit_price(0, price), RuleError::PriceOutOfRange);
    }
}

#[test]
fn the_oracle_set_is_well_formed_and_keeps_the_prices_of_those_who_stay() {
    let mut world = World::new();
    let right = world.net.set_oracles(3);
    let with_keys = |keys: [[u8; 32]; 8], count: u8| {
        let mut changed = right.clone();
        changed.data[1..257].copy_from_slice(keys.as_flattened());
        changed.data[257] = count;
        changed
    };
    let (a, b, none) = (oracle(0).pubkey().to_bytes(), oracle(5).pubkey().to_bytes(), [0; 32]);
    for (keys, count) in [
        ([none; 8], 0),
        ([a, a, none, none, none, none, none, none], 2),
        ([a, none, none, none, none, none, none, none], 2),
        ([a, b, none, none, none, none, none, none], 1),
        ([a, none, none, none, none, none, none, none], 9),
        ([a, none, none, none, none, none, none, none], 255),
    ] {
        world.refuse_for(with_keys(keys, count), Fault::MalformedData);
    }
    world.accept(with_keys([b, a, none, none, none, none, none, none], 2));
    let set = world.oracle();
    assert_eq!((set.count, set.submissions[0].price.0, set.submissions[1].price.0), (2, 0, PRICE));
    assert!(set.submissions[2..].iter().all(|one| one.price.is_zero()));
}
