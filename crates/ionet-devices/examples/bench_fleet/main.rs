//! How many heartbeats of how many devices two threads take in, what a device costs in memory, and how long an answer takes meanwhile.
//!
//! `cargo run --release -p ionet-devices --example bench_fleet` prints one JSON object. Each measurement runs in a process of its own, so
//! that its memory is its own.
#![expect(clippy::cast_precision_loss, reason = "counts and microseconds are far below 2^53")]

mod crowd;
mod plain;
mod query;

use std::fs;
use std::hash::RandomState;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use crowd::{Crowd, START};
use ionet_devices::fleet::{Options, Place, Proven, Shards};
use ionet_devices::timelock::Limits;
use ionet_devices::{Duty, Grace, Link, State, Watching};
use ionet_types::agent::Heartbeat;
use serde_json::{Value, json};

const METHOD: &str = "1,000,000 devices, each with a key of its own and an open session; one signed heartbeat of each, in random order, as 30 s of \
    such a fleet bring them. Taken in by two threads, each with its part of the table, on a clock on which the whole fleet speaks within 30 s, \
    with a look for silent devices every such second. signed: signatures are checked, 256 together; unsigned: they are not. plain: \
    HashMap<device id, state> behind one lock, each signature checked alone (verify_strict), two threads. Generating keys and signatures is \
    not timed. cpu: processor time of all threads over the same span; of two free cores: what that gives where nobody else uses them, for \
    machines that are shared. memory: resident memory of the process after all devices have joined less that before, by device, keys and sessions included. \
    query: state of a random device by its key, asked by a third thread 5,000 times a second, while heartbeats come at the needed rate, and \
    while as many are taken in as two cores can (then three threads share two cores). Each round is a process of its own; rounds alternate; \
    medians. Wanted: at least 33,000 signed heartbeats per second on 2 cores, at most 200 bytes a device.";
const DEVICES: usize = 1_000_000;
const ROUNDS: usize = 3;
/// What a fleet of this size sends.
const PERIOD_SECS: usize = 30;
const THREADS: usize = 2;
/// Heartbeats that are checked together.
const BATCH: usize = 256;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let printed = match words.as_slice() {
        [] => all()?,
        ["table", devices] => table(devices.parse()?)?,
        ["plain", devices] => plain::measure(devices.parse()?)?,
        ["table-memory", devices] => memory(devices.parse()?)?,
        ["plain-memory", devices] => plain::memory(devices.parse()?)?,
        _ => bail!("no arguments, or table|plain|table-memory|plain-memory N"),
    };
    println!("{printed}");
    Ok(())
}

fn all() -> anyhow::Result<Value> {
    let mut rounds: [Vec<Value>; 4] = Default::default();
    for round in 1..=ROUNDS {
        for (name, kept) in ["table", "plain", "table-memory", "plain-memory"].into_iter().zip(&mut rounds) {
            let one = child(name, DEVICES)?;
            eprintln!("round {round} of {ROUNDS}: {name}: {one}");
            kept.push(one);
        }
    }
    let [table, plain, table_memory, plain_memory] = rounds.map(|rounds| medians(&rounds));
    let number = |of: &Value, name: &str| of[name].as_f64().with_context(|| format!("no figure `{name}`"));
    let (signed, bytes) = (number(&table, "signed_per_sec")?, number(&table_memory, "bytes_per_device")?);
    let ratio = |name: &str| -> anyhow::Result<Value> { Ok(hundredths(number(&table, name)? / number(&plain, name)?)) };
    Ok(json!({
        "method": METHOD,
        "devices": DEVICES,
        "rounds": ROUNDS,
        "table": table,
        "plain": plain,
        "table_bytes_per_device": bytes,
        "plain_bytes_per_device": number(&plain_memory, "bytes_per_device")?,
        "signed_ratio_to_plain": ratio("signed_per_sec")?,
        "unsigned_ratio_to_plain": ratio("unsigned_per_sec")?,
        "plain_to_table_memory_ratio": hundredths(number(&plain_memory, "bytes_per_device")? / bytes),
        "within_wanted": signed >= 33_000.0 && bytes <= 200.0,
    }))
}

fn hundredths(figure: f64) -> Value {
    json!((figure * 100.0).round() / 100.0)
}

/// The median of each figure.
fn medians(rounds: &[Value]) -> Value {
    let names = rounds.first().and_then(Value::as_object).into_iter().flat_map(|one| one.keys());
    let figures = names.filter_map(|name| {
        let mut values: Vec<f64> = rounds.iter().filter_map(|round| round[name].as_f64()).collect();
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).map(|median| (name.clone(), json!((median * 10.0).round() / 10.0)))
    });
    Value::Object(figures.collect())
}

fn child(what: &str, devices: usize) -> anyhow::Result<Value> {
    // This very program, also when its file is replaced meanwhile.
    let output = Command::new("/proc/self/exe").args([what, &devices.to_string()]).output()?;
    ensure!(output.status.success(), "{what} {devices}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// Resident memory of this process, bytes.
fn resident_bytes() -> anyhow::Result<usize> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS in /proc/self/status")?;
    Ok(line.trim().trim_end_matches("kB").trim().parse::<usize>()? * 1_024)
}

fn empty_table() -> Shards<RandomState> {
    let options = Options { silence_secs: 90, max_devices: 2_000_000 };
    let watching = Watching::new(Grace { before_secs: 90, after_secs: 120 });
    Shards::new(THREADS, options, &watching, RandomState::new(), START)
}

fn enter(shards: &Shards<RandomState>, key: &[u8; 32], session: ionet_types::agent::Session) -> anyhow::Result<Place> {
    shards.with_part_of(key, |fleet| {
        fleet.register(key, Duty::Ready, Limits::STRICT, Link::Never, START)?;
        Ok(fleet.join(key, session, true, START)?)
    })
}

fn memory(devices: usize) -> anyhow::Result<Value> {
    let before = resident_bytes()?;
    let shards = empty_table();
    for number in 0..devices {
        let (key, session) = crowd::stranger(number);
        enter(&shards, &key, session)?;
    }
    ensure!(shards.counts().of(State::Ready) as usize == devices, "all are there");
    Ok(json!({ "bytes_per_device": (resident_bytes()? - before) as f64 / devices as f64 }))
}

/// One thread's heartbeats, in the order in which they come.
type Queue = Vec<(Place, Heartbeat)>;

/// All devices of a crowd in a new table, and their heartbeats by part, in random order.
fn joined(crowd: &Crowd) -> anyhow::Result<(Shards<RandomState>, Vec<Queue>)> {
    let shards = empty_table();
    let mut queues = vec![Queue::new(); THREADS];
    for device in &crowd.devices {
        queues[shards.part_of(&device.key)].push((enter(&shards, &device.key, device.session)?, device.heartbeat));
    }
    for queue in &mut queues {
        crowd::shuffle(queue);
    }
    Ok((shards, queues))
}

fn table(devices: usize) -> anyhow::Result<Value> {
    let crowd = Crowd::signed(devices, THREADS);
    let signed_take = |shards: &Shards<RandomState>, part: usize, batch: &[(Place, Heartbeat)], now: i64| {
        let mut taken = 0;
        shards.ingest(part, batch, now, |_, answer| taken += usize::from(answer.is_ok()));
        taken
    };
    let unsigned_take = |shards: &Shards<RandomState>, part: usize, batch: &[(Place, Heartbeat)], now: i64| {
        let take = |(place, beat): &(Place, Heartbeat), fleet: &mut ionet_devices::Fleet<RandomState>| {
            fleet.take(&Proven::by_other_means(*place, *beat), now).is_ok()
        };
        shards.with(part, |fleet| batch.iter().filter(|one| take(one, fleet)).count()).unwrap_or(0)
    };
    let (shards, queues) = joined(&crowd)?;
    let unsigned = timed(&shards, &queues, None, unsigned_take)?;
    let (shards, queues) = joined(&crowd)?;
    let cpu_began = cpu_millis()?;
    let signed = timed(&shards, &queues, None, signed_take)?;
    let cpu_micros = (cpu_millis()? - cpu_began) * 1e3 / devices as f64;
    // A quarter of the fleet's heartbeats each, while somebody asks.
    let keys: Vec<[u8; 32]> = crowd.devices.iter().step_by(7).map(|device| device.key).collect();
    let asked = |pace: Option<f64>| -> anyhow::Result<(f64, query::Answers)> {
        let (shards, mut queues) = joined(&crowd)?;
        for queue in &mut queues {
            queue.truncate(queue.len() / 4);
        }
        query::during(&shards, &keys, || timed(&shards, &queues, pace, signed_take))
    };
    let (busy_rate, busy) = asked(None)?;
    let (needed_rate, needed) = asked(Some(devices as f64 / PERIOD_SECS as f64))?;
    Ok(json!({
        "signed_per_sec": signed,
        "signed_cpu_micros_per_heartbeat": cpu_micros,
        "signed_per_sec_of_two_free_cores": THREADS as f64 * 1e6 / cpu_micros,
        "unsigned_per_sec": unsigned,
        "signed_per_sec_while_asked": busy_rate,
        "query_p50_micros_at_full_load": busy.micros(50.0),
        "query_p99_micros_at_full_load": busy.micros(99.0),
        "paced_per_sec": needed_rate,
        "query_p50_micros_at_needed_rate": needed.micros(50.0),
        "query_p99_micros_at_needed_rate": needed.micros(99.0),
        "query_p999_micros_at_needed_rate": needed.micros(99.9),
    }))
}

/// Processor time that all threads of this process have used so far: unlike the clock, it hardly depends on what else the machine does.
fn cpu_millis() -> anyhow::Result<f64> {
    /// Length of a tick of /proc/PID/stat, the same on every Linux.
    const TICK_MILLIS: f64 = 10.0;
    let stat = fs::read_to_string("/proc/self/stat")?;
    let (_, fields) = stat.rsplit_once(')').context("no name in /proc/self/stat")?;
    // Counted from the state, which follows the name: user time is field 11, system time field 12.
    let ticks = fields.split_whitespace().skip(11).take(2).map(str::parse::<f64>).sum::<Result<f64, _>>()?;
    Ok(ticks * TICK_MILLIS)
}

/// Takes all queues in, one thread each, at most `pace` a second together; returns how many a second.
fn timed(
    shards: &Shards<RandomState>,
    queues: &[Queue],
    pace: Option<f64>,
    take: impl Fn(&Shards<RandomState>, usize, &[(Place, Heartbeat)], i64) -> usize + Sync,
) -> anyhow::Result<f64> {
    let taken = AtomicU64::new(0);
    let began = Instant::now();
    std::thread::scope(|scope| {
        for (part, queue) in queues.iter().enumerate() {
            let (taken, take) = (&taken, &take);
            scope.spawn(move || {
                let per_sec = (DEVICES / PERIOD_SECS / THREADS).max(1);
                let mut looked = START;
                for (number, batch) in queue.chunks(BATCH).enumerate() {
                    let now = START + i64::try_from(number * BATCH / per_sec).expect("a small number of seconds");
                    if now > looked {
                        looked = now;
                        shards.with(part, |fleet| fleet.advance(now, |_, _| ()));
                    }
                    if let Some(pace) = pace {
                        let due = Duration::from_secs_f64((number * BATCH) as f64 * THREADS as f64 / pace);
                        std::thread::sleep(due.saturating_sub(began.elapsed()));
                    }
                    taken.fetch_add(take(shards, part, batch, now) as u64, Ordering::Relaxed);
                }
            });
        }
    });
    let elapsed = began.elapsed();
    let all: usize = queues.iter().map(Vec::len).sum();
    ensure!(taken.load(Ordering::Relaxed) == all as u64, "{} of {all} heartbeats were taken", taken.load(Ordering::Relaxed));
    Ok(all as f64 / elapsed.as_secs_f64())
}
