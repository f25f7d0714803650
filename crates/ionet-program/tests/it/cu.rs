//! What each instruction costs, measured over its paths, and the table in docs/CU.md that says so. Keys and ids are fixed, so the numbers are
//! those of the artefact and of nothing else.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;
use std::{env, fs};

use ionet_abi::instructions::{BookProductArgs, Tag};
use ionet_abi::merkle::Hash;
use ionet_rules::booking::Booking;
use ionet_rules::epochs::Statement;
use ionet_rules::money::Currency;
use ionet_rules::multipliers::TABLE;
use ionet_rules::params::Params;
use ionet_rules::supply::SupplyParams;
use solana_address::Address;
use solana_instruction::Instruction;
use solana_signer::Signer;

use crate::world::build::Cluster;
use crate::world::build::supply::Device;
use crate::world::scene::{self, offer, supply};
use crate::world::{PRICE, START, World, customer, tree};

/// The bound for the steps of a cluster's life, token transfers included.
const BOUND: u64 = 15_000;
/// And for a claim with a proof of [`LEVELS`] levels that pays both coins.
const CLAIM_BOUND: u64 = 8_000;
/// Levels of a tree over a million beneficiaries.
const LEVELS: u8 = 20;
/// The steps it is for.
const BOUNDED: [Tag; 7] = [Tag::BookProduct, Tag::Pay, Tag::Extend, Tag::Worked, Tag::Refund, Tag::Repurchase, Tag::Earn];
/// Bookings measured: each has an address of its own, and finding it costs as many tries as its bump is below 255.
const BOOKINGS: u8 = 100;
/// Devices whose claims are measured.
const DEVICES: u8 = 8;
/// What one more try costs.
const TRY: u64 = 1_500;

const BEGIN: &str = "<!-- measured: begin -->";
const END: &str = "<!-- measured: end -->";

#[derive(Default)]
struct Measured {
    /// Least and most, by path.
    paths: BTreeMap<(u8, &'static str), (u64, u64)>,
}

impl Measured {
    #[track_caller]
    fn step(&mut self, world: &mut World, path: &'static str, instruction: Instruction) -> u64 {
        let tag = instruction.data[0];
        let units = world.accept(instruction).compute_units_consumed;
        let (least, most) = self.paths.entry((tag, path)).or_insert((units, units));
        *least = units.min(*least);
        *most = units.max(*most);
        units
    }
}

fn book_of(world: &World, cluster: &Cluster) -> Booking {
    world.booking(cluster.id).book
}

/// One whole life, through a path for each step.
fn live(measured: &mut Measured, world: &mut World, cluster: &Cluster, minutes: u32) {
    let (net, start) = (world.net, world.now());
    let args = BookProductArgs { valid_until_unix_secs: start + 60, minutes, ..offer(cluster.currency) };
    measured.step(world, "", net.book(cluster, args));
    let total = book_of(world, cluster).total().unwrap().0;
    measured.step(world, "in part", net.pay(cluster, 0, total / 3));
    measured.step(world, "in full", net.pay(cluster, 1, total - total / 3));
    let price = |world: &World| book_of(world, cluster).extension_price(60, &Params::DEFAULT).unwrap().total.0;
    let amount = price(world);
    measured.step(world, "before the start", net.extend(cluster, 0, 60, amount));
    measured.step(world, "", net.start(cluster));
    let amount = price(world);
    measured.step(world, "running", net.extend(cluster, 1, 60, amount));
    let mut logs = 0;
    let hired = book_of(world, cluster).minutes_hired;
    while (logs + 1) * 1_440 < hired {
        world.set_clock(start + i64::from(logs + 1) * 86_400);
        measured.step(world, "each 24 h", net.worked(cluster, logs, 7 * 1_440, (0, 0)));
        logs += 1;
    }
    let ran = i64::from(logs) * 86_400 + 61 * 60 + 1;
    world.set_clock(start + ran);
    for oracle in 0..3 {
        measured.step(world, "", net.submit_price(oracle, PRICE));
    }
    measured.step(world, "ended early", net.worked(cluster, logs, 7 * 62, (2, start + ran)));
    measured.step(world, "unused time", net.refund(cluster));
    if cluster.currency == Currency::Usdc {
        measured.step(world, "", net.repurchase(cluster, 0));
    }
    measured.step(world, "", net.earn(cluster, 0));
}

fn measure() -> Measured {
    let mut measured = Measured::default();
    let mut world = World::bare();
    for net in [world.net, world.other] {
        measured.step(&mut world, "", net.initialize());
        for count in [1, 3, 8] {
            measured.step(&mut world, "", net.set_oracles(count));
        }
        for oracle in 0..8 {
            measured.step(&mut world, "", net.submit_price(oracle, PRICE));
        }
        measured.step(&mut world, "", net.fund_pool(1_000_000_000_000, 400_000_000_000_000));
    }
    let mut world = World::new();
    for (id, (currency, minutes)) in (1..).zip([(Currency::Usdc, 181), (Currency::Io, 181), (Currency::Usdc, 4_000), (Currency::Io, 4_000)])
    {
        let cluster = Cluster { id: [id; 16], customer: customer(id % 3).pubkey(), currency };
        live(&mut measured, &mut world, &cluster, minutes);
    }
    for currency in [Currency::Usdc, Currency::Io] {
        // Worked to the end of the hired time.
        let (mut world, _) = scene::ready(Tag::Worked, currency);
        let cluster = scene::cluster(currency);
        let net = world.net;
        world.set_clock(START + 181 * 60);
        measured.step(&mut world, "to its end", net.worked(&cluster, 0, 7 * 181, (1, 0)));
        // Never started.
        let (mut world, _) = scene::ready(Tag::Start, currency);
        measured.step(&mut world, "never started", net.worked(&cluster, 0, 0, (3, START)));
        measured.step(&mut world, "never started", net.refund(&cluster));
        // Expired, with something paid and with nothing.
        let (mut world, expire) = scene::ready(Tag::Expire, currency);
        measured.step(&mut world, "paid in part", expire);
        let (mut world, _) = scene::ready(Tag::Pay, currency);
        world.set_clock(START + 2_000);
        measured.step(&mut world, "unpaid", net.expire(&cluster));
    }
    let mut world = World::new();
    let net = world.net;
    for id in 0..BOOKINGS {
        let cluster = Cluster { id: [id; 16], customer: customer(0).pubkey(), currency: Currency::Usdc };
        let tries = 255 - u64::from(Address::find_program_address(&[b"booking", &cluster.id], &world.net.program).1);
        let units = measured.step(&mut world, "", net.book(&cluster, offer(Currency::Usdc)));
        if tries == 0 {
            measured.paths.entry((Tag::BookProduct as u8, "first try")).or_insert((units, units));
        }
        assert_eq!(units - measured.paths[&(Tag::BookProduct as u8, "")].0, tries * TRY, "a try costs what it costs");
    }
    measure_supply(&mut measured);
    measured
}

/// The supply side, from its scenes; and claims with proofs of some lengths.
fn measure_supply(measured: &mut Measured) {
    for tag in Tag::ALL.into_iter().filter(|tag| *tag as u8 >= Tag::InitializeSupply as u8 && *tag != Tag::Claim) {
        let (mut world, instruction) = scene::ready(tag, Currency::Io);
        measured.step(&mut world, "", instruction);
    }
    let (mut world, _) = scene::ready(Tag::SetMultipliers, Currency::Io);
    let net = world.net;
    measured.step(&mut world, "sixteen", net.set_multipliers(16, &TABLE[16..32]));
    let (mut world, _) = scene::ready(Tag::DecideCase, Currency::Io);
    measured.step(&mut world, "freed", net.decide(&supply::device(), supply::CASE, 0));
    for (path, lifetime, levels) in [
        ("both coins, no neighbours", supply::EARNED, 0),
        ("both coins, 20 levels", supply::EARNED, LEVELS),
        ("both coins, 20 levels, dearest", supply::EARNED, LEVELS),
        ("both coins, 32 levels", supply::EARNED, 32),
        ("IO alone, 20 levels", (supply::EARNED.0, 0), LEVELS),
    ] {
        // Dearest when every neighbour is the smaller of the two.
        let neighbour = |level: u8| if path.contains("dearest") { [0; 32] } else { tree::hash(&[level]) };
        let proof: Vec<Hash> = (0..levels).map(neighbour).collect();
        // Which child of a node is the smaller changes with the device.
        for number in 1..=DEVICES {
            let mut world = World::with_supply(SupplyParams::DEFAULT);
            let device = Device { key: [number; 32], ..supply::device() };
            world.accept(net.register(&device, device.owner));
            world.wait(3_600);
            supply::catch_up(&mut world, net);
            supply::fund_payable(&mut world, net, lifetime.1);
            let account = net.device_claim(device.key);
            let root = tree::climb(&account, lifetime, &proof);
            let totals = [(account, lifetime)].into();
            supply::agree(&mut world, net, Statement { root, ..supply::statement(1, &totals) });
            measured.step(&mut world, path, net.claim(account, device.owner, lifetime, &proof));
        }
    }
}

fn table(measured: &Measured) -> String {
    let mut table = String::from("| instruction | path | least | most |\n|---|---|---:|---:|\n");
    for tag in Tag::ALL {
        for ((_, path), (least, most)) in measured.paths.iter().filter(|((of, _), _)| *of == tag as u8) {
            writeln!(table, "| `{}` | {path} | {least} | {most} |", snake(tag)).unwrap();
        }
    }
    table
}

fn snake(tag: Tag) -> String {
    let mut name = String::new();
    for letter in format!("{tag:?}").chars() {
        if letter.is_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.extend(letter.to_lowercase());
    }
    name
}

fn page() -> PathBuf {
    // Asked when the test runs: several clones may share what was built.
    PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo names the crate's folder to its tests")).join("../../docs/CU.md")
}

fn intro() -> String {
    format!(
        "# Compute units\n\n\
         What each instruction costs, event record and token transfers included, measured by the program's tests on the committed\n\
         artefact. The table is written by `cargo xtask docs`; a test fails when it is\n\
         out of date. `book_product` looks for the booking's address, and each try beyond the first costs {TRY} more; whoever chooses the\n\
         cluster's id can choose one whose address is found at the first try. The most is that of {BOOKINGS} ids.\n\n\
         Bound of the steps of a cluster's life: {BOUND}. Bound of a claim that pays both coins with a proof of {LEVELS} levels (a million\n\
         beneficiaries): {CLAIM_BOUND}.\n\n{BEGIN}\n{END}\n"
    )
}

#[test]
fn every_step_stays_below_its_bound() {
    for ((tag, path), (_, most)) in measure().paths {
        let tag = Tag::from_u8(tag).unwrap();
        assert!(!BOUNDED.contains(&tag) || most < BOUND, "{tag:?} {path}: {most} CU");
        assert!(tag != Tag::Claim || path.contains("32") || most <= CLAIM_BOUND, "{tag:?} {path}: {most} CU");
    }
}

#[test]
fn the_table_does_not_drift() {
    let measured = table(&measure());
    let update = env::var_os("IONET_UPDATE_DOCS").is_some_and(|value| value == "1");
    let text = match fs::read_to_string(page()) {
        Ok(text) => text,
        Err(_) if update => intro(),
        Err(error) => panic!("docs/CU.md: {error}: write it with `cargo xtask docs`"),
    };
    let (head, rest) = text.split_once(BEGIN).expect("docs/CU.md has the begin marker");
    let (written, tail) = rest.split_once(END).expect("docs/CU.md has the end marker");
    if update {
        fs::write(page(), format!("{head}{BEGIN}\n{measured}{END}{tail}")).unwrap();
        return;
    }
    assert!(written.trim() == measured.trim(), "docs/CU.md is out of date: run `cargo xtask docs`\nmeasured:\n{measured}");
}
