//! The challenges as a hub sets them, on the cards of this machine: how long each stage takes, and how long it may take.
//!
//! `cargo run --release -p ionet-cuda --example bench_cards` prints one JSON object; without a card it ends with the reason.

use std::sync::Arc;
use std::thread;
use std::time::Instant;

use anyhow::Context as _;
use ed25519_dalek::SigningKey;
use ionet_cuda::Cuda;
use ionet_proofs::plan::WORK_MS;
use ionet_proofs::reference::{Reference, TABLE, by_driver_name};
use ionet_proofs::{Engine, Examiner, Limits, Nonces, Plan, Prover, Step, Stop, Terms, Verdict};
use ionet_types::agent::challenge::{Fixed, Job, Stage, Task};
use serde_json::{Value, json};

const METHOD: &str = "All NVIDIA cards of the machine as one device, examined as a hub would: the jobs of the plan for the model that the driver names \
    (or for the slowest that is listed), with 90 % of the cards' memory, answered by the engine on the cards and checked by the examiner; round \
    trip none. took_ms is the time from the question to the answer, limit_ms what the terms allow for it. open_ms is how long the cards \
    take to be made ready, which the agent does before it is asked for anything; check_ms the doctor's check. Every round is shown.";
const ROUNDS: u8 = 3;
/// Share of a card's memory that a hub wants to see, percent.
const MEMORY_PERCENT: u64 = 90;

fn main() -> anyhow::Result<()> {
    let threads = thread::available_parallelism()?;
    let cuda = Cuda::find(threads).map_err(|error| anyhow::anyhow!("no card to measure: {error} ({})", error.code()))?;
    let begun = Instant::now();
    cuda.prepare().context("the cards cannot be opened")?;
    let open_ms = millis(begun);
    let begun = Instant::now();
    cuda.check()?;
    let check_ms = millis(begun);
    let count = u32::try_from(cuda.cards().len())?;
    let first = cuda.cards().first().context("no card")?;
    let listed = by_driver_name(&first.name);
    let slowest = || TABLE.iter().filter(|row| row.source.starts_with("NVIDIA")).min_by_key(|row| row.values.gflops);
    let reference: &Reference = listed.or_else(slowest).context("no card is listed")?;
    let values = reference.times(count);
    let memory_bytes = cuda.memory_bytes() / 100 * MEMORY_PERCENT;
    let plan = Plan::new(&values, memory_bytes, WORK_MS);
    let cards: Vec<Value> = cuda
        .cards()
        .iter()
        .map(|card| json!({ "name": card.name, "memory_mib": card.memory_bytes >> 20, "capability": f64::from(card.capability) / 10.0 }))
        .collect();
    let limits = Limits { memory_bytes: cuda.memory_bytes() };
    let key = SigningKey::from_bytes(&[7; 32]);
    let mut prover = Prover::new(Arc::new(cuda), key.clone(), "benchmark", limits);
    let terms = Terms::new(values, 0);
    let mut rounds = Vec::new();
    for round in 0..ROUNDS {
        let jobs = plan.jobs().into_iter().map(|job| examine(&mut prover, &key, terms, job, round)).collect::<anyhow::Result<Vec<_>>>()?;
        rounds.push(jobs);
    }
    let printed = json!({
        "method": METHOD,
        "cards": cards,
        "model": reference.model,
        "is_listed": listed.is_some(),
        "reference": { "gflops": values.gflops, "memory_mb_per_sec": values.memory_mb_per_sec, "cpu_mhz": values.cpu_mhz },
        "open_ms": open_ms,
        "check_ms": check_ms,
        "rounds": rounds,
    });
    println!("{printed}");
    Ok(())
}

/// One job, all stages.
fn examine(prover: &mut Prover, key: &SigningKey, terms: Terms, job: Job, round: u8) -> anyhow::Result<Value> {
    let task = Task { id: Fixed([round; 16]), epoch: 1, nonce: Fixed([round ^ 0x55; 32]), job };
    let nonces = Nonces { scan: Fixed([round ^ 0xaa; 32]), open: Fixed([round ^ 0x33; 32]) };
    let mut examiner = Examiner::new("benchmark", key.verifying_key().to_bytes(), task.clone(), terms, nonces, 0)?;
    let (begun, mut asked_ms, mut stages) = (Instant::now(), 0, Vec::new());
    let mut answer = prover.start(&task, &Stop::default());
    let verdict = loop {
        let now_ms = millis(begun);
        let stage: Stage = examiner.stage();
        let limit_ms = examiner.deadline_ms() - asked_ms;
        stages.push(json!({ "stage": stage, "took_ms": now_ms - asked_ms, "limit_ms": limit_ms }));
        // What the hub does with an answer is not the device's time.
        match examiner.receive(answer, now_ms) {
            Step::Verdict(verdict) => break verdict,
            Step::Ask(ask) => {
                asked_ms = now_ms;
                answer = prover.ask(&ask, &Stop::default()).context("the prover forgot the task")?;
            }
        }
    };
    prover.forget();
    let measured = match verdict {
        Verdict::Passed(measured) => serde_json::to_value(measured)?,
        _ => Value::Null,
    };
    Ok(json!({ "job": job, "verdict": verdict.code(), "measured": measured, "stages": stages }))
}

fn millis(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}
