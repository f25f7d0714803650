//! How many placements a second an index of up to a million devices makes, and how long each takes, held against a plain scan.
//!
//! `cargo run --release -p ionet-market --example bench_placement` prints one JSON object. Each size is measured in a process of its own,
//! so that its memory is its own.
#![expect(clippy::cast_precision_loss, reason = "counts and microseconds are far below 2^53")]
#![expect(clippy::disallowed_methods, reason = "a benchmark looks at the clock")]

mod customers;
mod fleet;

use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, bail, ensure};
use fleet::World;
use ionet_market::index::{Index, Options};
use ionet_market::machine::State;
use ionet_market::names::ModelId;
use ionet_market::placed::Placement;
use ionet_market::request::Request;
use ionet_market::scan;
use ionet_market::waste::BestFit;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng as _};
use serde_json::{Value, json};

const METHOD: &str = "Devices of 45 models (common and rare), 1, 2, 4 or 8 GPUs, one in ten without; 40 % at sites (one for 250 devices, of uneven \
    size, each of one supplier, connection, country), the others at home, in 60 countries; every device with its own reputation and predicted \
    survival; prices by model, connection and continent, with suppliers' floors; part of the devices shared, a few cut into instances. Filled to \
    70 % of GPUs by placements, then as many placements as a tenth of the devices, each with a release, to settle. Measured: requests for one \
    node, each with its own conditions; each placement is taken, and others are given back, so that 70 % stay hired; all of that counts for \
    placements_per_sec. update: one device's take or give. gang: 64 nodes, in turn at any sites, packed, spread, at one site; not taken. scan: the \
    same requests to a scan over all devices, answers compared. bytes_per_device: resident memory of the process after the devices were put, less \
    that before, by device. One thread.";
const SIZES: [usize; 3] = [10_000, 100_000, 1_000_000];
const SINGLES: usize = 20_000;
const GANGS: usize = 1_000;
const PREFLIGHTS: usize = 40;
pub(crate) const NOW: i64 = 1_800_000_000;

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
    let most = |name: &str, limit: f64| last[name].as_f64().is_some_and(|figure| figure <= limit);
    let within = last["placements_per_sec"].as_f64().is_some_and(|rate| rate >= 5_000.0)
        && most("single_p99_micros", 1_000.0)
        && most("gang_p99_micros", 10_000.0)
        && most("update_mean_micros", 10.0);
    Ok(json!({ "method": METHOD, "sizes": sizes, "within_wanted": within }))
}

/// Microseconds that something took, sorted.
struct Times(Vec<f64>);

impl Times {
    fn of(mut micros: Vec<f64>) -> Self {
        micros.sort_by(f64::total_cmp);
        Self(micros)
    }

    fn at(&self, part: f64) -> f64 {
        let at = (self.0.len() as f64 * part).min(self.0.len() as f64 - 1.0);
        #[expect(clippy::cast_sign_loss, reason = "an index")]
        let at = at as usize;
        self.0.get(at).copied().unwrap_or(0.0)
    }

    fn mean(&self) -> f64 {
        self.0.iter().sum::<f64>() / (self.0.len().max(1)) as f64
    }
}

fn micros_since(began: Instant) -> f64 {
    began.elapsed().as_secs_f64() * 1e6
}

fn tenths(figure: f64) -> Value {
    json!((figure * 10.0).round() / 10.0)
}

/// Resident memory of this process, bytes.
fn resident_bytes() -> anyhow::Result<usize> {
    let status = std::fs::File::open("/proc/self/status").and_then(std::io::read_to_string)?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS in /proc/self/status")?;
    Ok(line.trim().trim_end_matches("kB").trim().parse::<usize>()? * 1_024)
}

/// A network with its hires, kept at a share of its GPUs.
struct Market {
    index: Index<BestFit>,
    hires: Vec<Placement>,
    all_milli: u64,
    hired_milli: u64,
    updates: Vec<f64>,
}

fn milli(placement: &Placement) -> u64 {
    placement.nodes.iter().map(|node| u64::from(node.demand.gpus.milli())).sum()
}

impl Market {
    fn take(&mut self, placement: Placement) -> anyhow::Result<()> {
        for node in &placement.nodes {
            let began = Instant::now();
            self.index.take(node.device, &node.demand, node.slot)?;
            self.updates.push(micros_since(began));
        }
        self.hired_milli += milli(&placement);
        self.hires.push(placement);
        Ok(())
    }

    /// Ends hires by chance until no more than 70 % of the GPUs are hired.
    fn release(&mut self, rng: &mut SmallRng) -> anyhow::Result<()> {
        while self.hired_milli * 10 > self.all_milli * 7 && !self.hires.is_empty() {
            let placement = self.hires.swap_remove(rng.random_range(0..self.hires.len()));
            for node in &placement.nodes {
                let began = Instant::now();
                self.index.give(node.device, &node.demand, node.slot)?;
                self.updates.push(micros_since(began));
            }
            self.hired_milli -= milli(&placement);
        }
        Ok(())
    }
}

fn filled(rng: &mut SmallRng, devices: usize) -> anyhow::Result<(Market, f64, f64)> {
    let world = World::new(rng, devices);
    let mut index = Index::new(Options::default(), BestFit, NOW);
    for model in (0..fleet::MODELS).map(ModelId) {
        index.set_reference(model, fleet::reference(model))?;
    }
    let before = resident_bytes()?;
    let began = Instant::now();
    for number in 0..devices {
        index.put(world.machine(rng, number), if rng.random_bool(0.03) { State::Away } else { State::Hireable })?;
    }
    let put_micros = micros_since(began) / devices as f64;
    let bytes = (resident_bytes()? - before) as f64 / devices as f64;
    let all_milli = index.iter().map(|(machine, ..)| u64::from(machine.whole.gpu_count) * 1_000).sum();
    let mut market = Market { index, hires: Vec::new(), all_milli, hired_milli: 0, updates: Vec::new() };
    let mut settled = 0;
    while settled < devices / 10 {
        if let Some(placement) = market.index.place(&customers::single(rng), rng.random()) {
            market.take(placement)?;
        }
        market.release(rng)?;
        settled += usize::from(market.hired_milli * 100 > market.all_milli * 69);
    }
    market.updates.clear();
    Ok((market, bytes, put_micros))
}

fn size(devices: usize) -> anyhow::Result<Value> {
    let mut rng = SmallRng::seed_from_u64(devices as u64);
    let (mut market, bytes, put_micros) = filled(&mut rng, devices)?;
    eprintln!("{devices} devices are there");
    let requests: Vec<(Request, u64)> = (0..SINGLES).map(|_| (customers::single(&mut rng), rng.random())).collect();
    let (mut times, mut placed) = (Vec::with_capacity(SINGLES), 0);
    let began = Instant::now();
    for (request, seed) in &requests {
        let asked = Instant::now();
        let placement = market.index.place(request, *seed);
        times.push(micros_since(asked));
        if let Some(placement) = placement {
            placed += 1;
            market.take(placement)?;
            market.release(&mut rng)?;
        }
    }
    let rate = f64::from(placed) / began.elapsed().as_secs_f64();
    let (singles, updates) = (Times::of(times), Times::of(std::mem::take(&mut market.updates)));
    eprintln!("{devices}: {rate:.0} placements a second");
    let gang_requests: Vec<(Request, u64)> = (0..GANGS).map(|number| (customers::gang(&mut rng, number), rng.random())).collect();
    let mut gangs_placed = 0;
    let mut kinds = [const { Vec::new() }; 4];
    for (number, (request, seed)) in gang_requests.iter().enumerate() {
        let asked = Instant::now();
        gangs_placed += usize::from(market.index.place(request, *seed).is_some());
        kinds[number % 4].push(micros_since(asked));
    }
    let by_kind = kinds.clone().map(|times| tenths(Times::of(times).at(0.99)));
    let gangs = Times::of(kinds.concat());
    let compared = compare(&mut market.index, &requests, &gang_requests, (4_000_000 / devices).clamp(8, 400))?;
    let mut preflights = Vec::new();
    for (request, seed) in gang_requests.iter().filter(|(request, _)| request.same_site).take(PREFLIGHTS) {
        let asked = Instant::now();
        market.index.preflight(request, *seed);
        preflights.push(micros_since(asked));
    }
    let preflights = Times::of(preflights);
    Ok(json!({
        "devices": devices,
        "hired_percent": tenths(market.hired_milli as f64 * 100.0 / market.all_milli as f64),
        "placements_per_sec": rate.round(),
        "placed_percent": tenths(f64::from(placed) * 100.0 / SINGLES as f64),
        "single_p50_micros": tenths(singles.at(0.5)),
        "single_mean_micros": tenths(singles.mean()),
        "single_p99_micros": tenths(singles.at(0.99)),
        "gangs_placed_percent": tenths(gangs_placed as f64 * 100.0 / GANGS as f64),
        "gang_p50_micros": tenths(gangs.at(0.5)),
        "gang_p99_micros": tenths(gangs.at(0.99)),
        "gang_p99_micros_any_pack_spread_one_site": by_kind,
        "update_mean_micros": tenths(updates.mean()),
        "update_p99_micros": tenths(updates.at(0.99)),
        "put_mean_micros": tenths(put_micros),
        "bytes_per_device": bytes.round(),
        "preflight_p50_micros": tenths(preflights.at(0.5)),
        "preflight_max_micros": tenths(preflights.at(1.0)),
        "scan": compared,
    }))
}

/// The same requests to index and scan.
fn compare(index: &mut Index<BestFit>, singles: &[(Request, u64)], gangs: &[(Request, u64)], count: usize) -> anyhow::Result<Value> {
    let ask = |index: &mut Index<BestFit>, requests: &[(Request, u64)]| -> anyhow::Result<(f64, f64)> {
        let (mut indexed, mut scanned) = (0.0, 0.0);
        for (request, seed) in requests {
            let began = Instant::now();
            let placement = index.place(request, *seed);
            indexed += micros_since(began);
            let devices: Vec<_> = index.iter().collect();
            let began = Instant::now();
            let plain =
                scan::place(&devices, |model| index.reference_micro_usd(model), Options::default(), &mut BestFit, NOW, request, *seed);
            scanned += micros_since(began);
            ensure!(placement == plain, "index and scan differ for {request:?}");
        }
        Ok((indexed / requests.len() as f64, scanned / requests.len() as f64))
    };
    let (indexed, scanned) = ask(index, &singles[..count.min(singles.len())])?;
    let (gang_indexed, gang_scanned) = ask(index, &gangs[..(count / 2).min(gangs.len())])?;
    Ok(json!({
        "requests": count,
        "single_mean_micros": tenths(scanned),
        "single_ratio_to_index": tenths(scanned / indexed),
        "gang_mean_micros": tenths(gang_scanned),
        "gang_ratio_to_index": tenths(gang_scanned / gang_indexed),
    }))
}
