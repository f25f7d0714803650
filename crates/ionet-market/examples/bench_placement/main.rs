//! How many placements a second an index of up to a million devices makes, and how long each takes, held against a plain scan.
//!
//! `cargo run --release -p ionet-market --example bench_placement` prints one JSON object. Each size is measured in a process of its own,
//! so that its memory is its own.
#![expect(clippy::cast_precision_loss, reason = "counts and microseconds are far below 2^53")]
#![expect(clippy::disallowed_methods, reason = "a benchmark looks at the clock")]

mod customers;
mod fleet;
mod times;

use std::hash::RandomState;
use std::process::Command;

use anyhow::{Context as _, bail, ensure};
use fleet::World;
use ionet_market::index::{Index, Options};
use ionet_market::machine::State;
use ionet_market::names::ModelId;
use ionet_market::placed::Placement;
use ionet_market::request::Request;
use ionet_market::scan;
use ionet_market::shape::{Demand, Slot};
use ionet_market::waste::Learned;
use ionet_types::DeviceId;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng as _};
use serde_json::{Value, json};
use times::{Began, Times, tenths};

const METHOD: &str = "Devices of 45 models (common and rare), 1, 2, 4 or 8 GPUs, one in ten without; 40 % at sites (one for 250 devices, of uneven \
    size, each of one supplier, connection, country), the others at home, in 60 countries; every device with its own reputation and predicted \
    survival; prices by model, connection and continent, with suppliers' floors; part of the devices shared, a few cut into instances. Hired by chance to \
    about 60 %, then by placements to 70 %; then one placement for every 20 devices, each with a release, to settle. Measured, \
    with the forecast renewed whenever it is due: requests for one \
    node, each with its own conditions; each placement is taken, and others are given back, so that 70 % stay hired; all of that counts for \
    placements_per_sec. update: one device's take or give. gang: 64 nodes, in turn at any sites, packed, spread, at one site; not taken. scan: the \
    same requests to a scan over all devices, answers compared. bytes_per_device: resident memory of the process after the devices were put, less \
    that before, by device. One thread; times are of the processor, for machines that are shared, and of the clock.";
const SIZES: [usize; 3] = [10_000, 100_000, 1_000_000];
const SINGLES: usize = 200_000;
const GANGS: usize = 1_000;
/// Before anything is measured, a placement for every so many devices.
const SETTLED_PART: usize = 20;
const PREFLIGHTS: usize = 40;
pub(crate) const NOW: i64 = 1_800_000_000;

type Fleetwide = Learned<RandomState>;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let printed = match words.as_slice() {
        [] => all()?,
        ["size", devices] => size(devices.parse()?)?,
        _ => bail!("no arguments, or size N"),
    };
    println!("{printed}");
    Ok(())
}

fn all() -> anyhow::Result<Value> {
    let mut sizes = Vec::new();
    for devices in SIZES {
        // This very program, also when its file is replaced meanwhile.
        let output = Command::new("/proc/self/exe").args(["size", &devices.to_string()]).output()?;
        ensure!(output.status.success(), "{devices} devices: {}", String::from_utf8_lossy(&output.stderr));
        let one: Value = serde_json::from_slice(&output.stdout)?;
        eprintln!("{one}");
        sizes.push(one);
    }
    let last = sizes.last().context("some sizes")?;
    let most =
        |what: &str, figure: &str, limit: f64| last["micros"][what]["processor"][figure].as_f64().is_some_and(|micros| micros <= limit);
    let within = last["placements_per_sec"].as_f64().is_some_and(|rate| rate >= 5_000.0)
        && most("single", "p99", 1_000.0)
        && most("gang", "p99", 10_000.0)
        && most("update", "mean", 10.0);
    Ok(json!({ "method": METHOD, "sizes": sizes, "within_wanted": within }))
}

/// Resident memory of this process, bytes.
fn resident_bytes() -> anyhow::Result<usize> {
    let status = std::fs::File::open("/proc/self/status").and_then(std::io::read_to_string)?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS in /proc/self/status")?;
    Ok(line.trim().trim_end_matches("kB").trim().parse::<usize>()? * 1_024)
}

/// A network with its hires, kept at a share of its GPUs.
struct Market {
    index: Index<Fleetwide>,
    hires: Vec<Hire>,
    all_milli: u64,
    hired_milli: u64,
    updates: Times,
}

/// What of a device is hired.
type Hire = (DeviceId, Demand, Slot);

impl Market {
    /// A customer's request, which the market remembers.
    fn ask(&mut self, request: &Request, seed: u64) -> Option<Placement> {
        self.index.arrived(request);
        self.index.renew();
        self.index.place(request, seed)
    }

    fn take(&mut self, (device, demand, slot): Hire) -> anyhow::Result<()> {
        let began = Began::now();
        self.index.take(device, &demand, slot)?;
        self.updates.add(began.micros());
        self.hired_milli += u64::from(demand.gpus.milli());
        self.hires.push((device, demand, slot));
        Ok(())
    }

    /// Ends hires by chance until no more than 70 % of the GPUs are hired.
    fn release(&mut self, rng: &mut SmallRng) -> anyhow::Result<()> {
        while self.hired_milli * 10 > self.all_milli * 7 && !self.hires.is_empty() {
            let (device, demand, slot) = self.hires.swap_remove(rng.random_range(0..self.hires.len()));
            let began = Began::now();
            self.index.give(device, &demand, slot)?;
            self.updates.add(began.micros());
            self.hired_milli -= u64::from(demand.gpus.milli());
        }
        Ok(())
    }

    /// Hires this device, or parts of it, with a chance of 60 %.
    fn hire_by_chance(&mut self, rng: &mut SmallRng, device: DeviceId) -> anyhow::Result<()> {
        let Some((machine, whole, _)) = self.index.get(device) else { return Ok(()) };
        let share = u32::from(whole.gpu_count.max(1));
        if machine.divisible {
            for _ in 0..share {
                let Some((_, free, _)) = self.index.get(device) else { break };
                let gpus = customers::some_of(rng, free.mig);
                let demand = customers::sized(rng, gpus);
                let slot = if rng.random_bool(0.6) { free.slots(gpus).next() } else { None };
                if let Some(slot) = slot.filter(|_| free.fits(&demand)) {
                    self.take((device, demand, slot))?;
                }
            }
        } else if rng.random_bool(0.6) {
            let (demand, slot) = whole.all();
            self.take((device, demand, slot))?;
        }
        Ok(())
    }
}

/// What a placement of one node hires.
fn hire(placement: &Placement) -> Hire {
    let node = placement.nodes[0];
    (node.device, node.demand, node.slot)
}

fn filled(rng: &mut SmallRng, devices: usize) -> anyhow::Result<(Market, f64, Times)> {
    let world = World::new(rng, devices);
    let mut index = Index::new(Options::default(), Learned::new(Options::default().outline_bits, RandomState::new()), NOW);
    for model in (0..fleet::MODELS).map(ModelId) {
        index.set_reference(model, fleet::reference(model))?;
    }
    let before = resident_bytes()?;
    let mut puts = Times::default();
    for number in 0..devices {
        let (machine, state) = (world.machine(rng, number), if rng.random_bool(0.03) { State::Away } else { State::Hireable });
        let began = Began::now();
        index.put(machine, state)?;
        puts.add(began.micros());
    }
    let bytes = (resident_bytes()? - before) as f64 / devices as f64;
    let all_milli = index.iter().map(|(machine, ..)| u64::from(machine.whole.gpu_count) * 1_000).sum();
    let mut market = Market { index, hires: Vec::new(), all_milli, hired_milli: 0, updates: Times::default() };
    let keys: Vec<DeviceId> = market.index.iter().map(|(machine, ..)| machine.device).collect();
    for device in keys {
        market.hire_by_chance(rng, device)?;
    }
    let (mut asked, mut settled) = (0, 0);
    while settled < devices / SETTLED_PART && asked < 4 * devices {
        if let Some(placement) = market.ask(&customers::single(rng), rng.random()) {
            market.take(hire(&placement))?;
        }
        market.release(rng)?;
        asked += 1;
        settled += usize::from(market.hired_milli * 100 > market.all_milli * 69);
    }
    market.updates = Times::default();
    Ok((market, bytes, puts))
}

fn size(devices: usize) -> anyhow::Result<Value> {
    let mut rng = SmallRng::seed_from_u64(devices as u64);
    let (mut market, bytes, puts) = filled(&mut rng, devices)?;
    eprintln!("{devices} devices are there");
    let requests: Vec<(Request, u64)> = (0..SINGLES).map(|_| (customers::single(&mut rng), rng.random())).collect();
    let (mut singles, mut placed) = (Times::default(), 0);
    let began = Began::now();
    for (request, seed) in &requests {
        let asked = Began::now();
        let placement = market.ask(request, *seed);
        singles.add(asked.micros());
        if let Some(placement) = placement {
            placed += 1;
            market.take(hire(&placement))?;
            market.release(&mut rng)?;
        }
    }
    let (processor, clock) = began.micros();
    let updates = std::mem::take(&mut market.updates);
    eprintln!("{devices}: {:.0} placements a second", f64::from(placed) / processor * 1e6);
    let gang_requests: Vec<(Request, u64)> = (0..GANGS).map(|number| (customers::gang(&mut rng, number), rng.random())).collect();
    let mut gangs_placed = 0;
    let mut kinds: [Times; 4] = Default::default();
    for (number, (request, seed)) in gang_requests.iter().enumerate() {
        let asked = Began::now();
        gangs_placed += usize::from(market.index.place(request, *seed).is_some());
        kinds[number % 4].add(asked.micros());
    }
    let mut gangs = Times::default();
    for kind in &kinds {
        gangs.extend(kind);
    }
    let [any, pack, spread, one_site] = kinds.map(|kind| kind.figures());
    let compared = compare(&mut market.index, &requests, &gang_requests, (4_000_000 / devices).clamp(8, 400))?;
    let mut preflights = Times::default();
    for (request, seed) in gang_requests.iter().filter(|(request, _)| request.same_site).take(PREFLIGHTS) {
        let asked = Began::now();
        market.index.preflight(request, *seed);
        preflights.add(asked.micros());
    }
    Ok(json!({
        "devices": devices,
        "hired_percent": tenths(market.hired_milli as f64 * 100.0 / market.all_milli as f64),
        "placements_per_sec": (f64::from(placed) / processor * 1e6).round(),
        "placements_per_sec_by_clock": (f64::from(placed) / clock * 1e6).round(),
        "placed_percent": tenths(f64::from(placed) * 100.0 / SINGLES as f64),
        "gangs_placed_percent": tenths(gangs_placed as f64 * 100.0 / GANGS as f64),
        "bytes_per_device": bytes.round(),
        "micros": {
            "single": singles.figures(),
            "gang": gangs.figures(),
            "gang_any_sites": any,
            "gang_packed": pack,
            "gang_spread": spread,
            "gang_one_site": one_site,
            "update": updates.figures(),
            "put": puts.figures(),
            "preflight": preflights.figures(),
        },
        "scan": compared,
    }))
}

/// The same requests to index and scan.
fn compare(index: &mut Index<Fleetwide>, singles: &[(Request, u64)], gangs: &[(Request, u64)], count: usize) -> anyhow::Result<Value> {
    let ask = |index: &mut Index<Fleetwide>, requests: &[(Request, u64)]| -> anyhow::Result<(Times, Times)> {
        let (mut indexed, mut scanned) = (Times::default(), Times::default());
        for (request, seed) in requests {
            let began = Began::now();
            let placement = index.place(request, *seed);
            indexed.add(began.micros());
            let mut waste = index.waste_mut().clone();
            let devices: Vec<_> = index.iter().collect();
            let began = Began::now();
            let plain =
                scan::place(&devices, |model| index.reference_micro_usd(model), Options::default(), &mut waste, NOW, request, *seed);
            scanned.add(began.micros());
            ensure!(placement == plain, "index and scan differ for {request:?}");
        }
        Ok((indexed, scanned))
    };
    let (indexed, scanned) = ask(index, &singles[..count.min(singles.len())])?;
    let (gang_indexed, gang_scanned) = ask(index, &gangs[..(count / 2).min(gangs.len())])?;
    Ok(json!({
        "requests": count,
        "single_mean_micros": tenths(scanned.mean()),
        "single_ratio_to_index": tenths(scanned.mean() / indexed.mean()),
        "gang_mean_micros": tenths(gang_scanned.mean()),
        "gang_ratio_to_index": tenths(gang_scanned.mean() / gang_indexed.mean()),
    }))
}
