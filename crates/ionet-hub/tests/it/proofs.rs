//! Devices that prove what they are to the real control plane, and devices that lie.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ed25519_dalek::SigningKey;
use ionet_hub::{Measuring, Timing};
use ionet_proofs::{Cpu, Limits, Prover, Seed, Stop, Transcript, Verdict};
use ionet_types::Currency;
use ionet_types::agent::challenge::{AnswerBody, Blob, Job, Nonce, Stage};
use ionet_types::agent::{Answer, Ask, Hardware, Task};
use ionet_types::devices::{Device as Shown, DeviceState};
use ionet_types::page::PageRequest;
use ionet_types::proofs::{Proof, ProofOutcome};

use crate::agent::{Device, Prove, TestAgent, hardware};
use crate::world::{World, wait_for};

/// Small jobs, and patience with a machine that does other things, too.
const MEASURING: Measuring = Measuring {
    vouched: false,
    time_lock: true,
    work_ms: 30,
    slack_percent: 100_000,
    scan_percent: 100_000,
    memory_percent: 0,
    memory_mb: 16,
    transfer_bytes: 1 << 20,
    at_once: 4,
    retry_after: Duration::ZERO,
};

fn timing() -> Timing {
    Timing { reconcile_every: Duration::from_millis(100), ..Timing::default() }
}

/// What a device does with an answer before it sends it.
type Bend = Box<dyn FnMut(&Task, Answer) -> Option<Answer> + Send>;

/// A real prover whose answers may be bent.
struct Answering {
    prover: Prover,
    task: Option<Task>,
    bend: Bend,
}

impl Prove for Answering {
    fn task(&mut self, task: &Task) -> Option<Answer> {
        self.task = Some(task.clone());
        let answer = self.prover.start(task, &Stop::default());
        (self.bend)(task, answer)
    }

    fn ask(&mut self, ask: &Ask) -> Option<Answer> {
        let answer = self.prover.ask(ask, &Stop::default())?;
        (self.bend)(self.task.as_ref()?, answer)
    }
}

/// A device with a real prover.
fn device(world: &World, key: &SigningKey, bend: Bend) -> Device {
    let network = world.ledger.program_id.to_string();
    let engine = Arc::new(Cpu::new(NonZeroUsize::new(2).unwrap()));
    let prover = Prover::new(engine, key.clone(), &network, Limits { memory_bytes: 1 << 30 });
    Device { prover: Some(Arc::new(Mutex::new(Answering { prover, task: None, bend }))), ..Device::default() }
}

fn key() -> SigningKey {
    SigningKey::from_bytes(&rand::random())
}

fn start(world: &World, bend: Bend) -> TestAgent {
    let key = key();
    let device = device(world, &key, bend);
    TestAgent::start_as(&world.hub, key, device)
}

async fn shown(world: &World, agent: &TestAgent) -> Shown {
    wait_for("the device to be known", async || world.hub.device_show(agent.id()).await.ok()).await
}

async fn proofs(world: &World, agent: &TestAgent) -> Vec<Proof> {
    world.hub.proof_list(agent.id(), &PageRequest::default()).await.map(|page| page.items).unwrap_or_default()
}

async fn in_state(world: &World, agent: &TestAgent, state: DeviceState) -> Shown {
    wait_for(&format!("the device to be {state:?}"), async || Some(shown(world, agent).await).filter(|shown| shown.status.state == state))
        .await
}

/// The first proof that failed, and what anyone finds in its transcript.
async fn failure(world: &World, agent: &TestAgent) -> (Proof, Vec<Verdict>) {
    let failed = wait_for("a proof to fail", async || {
        proofs(world, agent).await.into_iter().rev().find(|proof| proof.outcome == ProofOutcome::Failed)
    })
    .await;
    assert!(failed.transcript_kept && failed.p_millionths == 0);
    let text = world.hub.proof_transcript(failed.number).await.unwrap();
    let transcripts: Vec<Transcript> = serde_json::from_str(&text).unwrap();
    let verdicts = transcripts.iter().map(|transcript| transcript.replay().unwrap()).collect();
    (failed, verdicts)
}

/// Signs a changed answer anew, as the device itself can.
fn signed(world_network: &str, key: &SigningKey, task: &Task, stage: Stage, nonce: &Nonce, body: AnswerBody) -> Answer {
    let device = key.verifying_key().to_bytes();
    Seed::new(world_network, &device, task).sign(key, task, stage, nonce, body)
}

#[tokio::test]
async fn an_honest_device_is_verified_within_moments_and_may_be_hired() {
    let world = World::measuring(timing(), Some(MEASURING)).await;
    let agent = start(&world, Box::new(|_, answer| Some(answer)));
    let ready = in_state(&world, &agent, DeviceState::Ready).await;
    assert_eq!(ready.status.reason, "test_passed");
    let proof = proofs(&world, &agent).await.remove(0);
    assert_eq!(proof.outcome, ProofOutcome::Passed);
    let measured = proof.measured;
    assert!(measured.gflops > 0 && measured.memory_mb_per_sec > 0 && measured.cpu_mhz > 0, "{measured:?}");
    assert!(measured.download_mbps > 0 && measured.upload_mbps > 0 && proof.p_millionths > 0, "{proof:?}");
    assert!(!proof.transcript_kept, "of what passed the hash is enough");
    let offers = world.hub.hardware_list().await.unwrap();
    assert!(offers.items.iter().any(|offer| offer.free_devices == 1), "{offers:?}");
    // It forms a cluster of one before it may earn, and gives it up again.
    wait_for("the cluster-formation test", async || {
        let readiness = world.hub.readiness(agent.id()).await.ok()?;
        readiness.checks.iter().find(|check| check.code == "cluster_formation").filter(|check| check.passed).map(|_| ())
    })
    .await;
    wait_for("the trial to be cleared away", async || agent.count(|device| device.running.is_empty()).then_some(())).await;
    let reputation = world.hub.device_reputation(agent.id()).await.unwrap();
    assert!(reputation.score >= reputation.neutral, "{reputation:?}");
    assert_eq!(
        i64::from(reputation.score),
        i64::from(reputation.neutral) + reputation.parts.iter().map(|part| i64::from(part.points)).sum::<i64>()
    );
}

#[tokio::test]
async fn a_device_that_proves_nothing_is_hired_by_nobody() {
    let world = World::measuring(timing(), Some(MEASURING)).await;
    let agents = world.agents(1).await;
    let shown = shown(&world, &agents[0]).await;
    assert_eq!(shown.status.state, DeviceState::Verifying);
    assert!(world.hub.hardware_list().await.unwrap().items.iter().all(|offer| offer.free_devices == 0));
}

#[tokio::test]
async fn a_device_with_wrong_rows_is_blocked_after_three_proofs_and_the_evidence_replays() {
    let world = World::measuring(timing(), Some(MEASURING)).await;
    let key = key();
    let network = world.ledger.program_id.to_string();
    let engine = Arc::new(Cpu::new(NonZeroUsize::MIN));
    let prover = Prover::new(engine, key.clone(), &network, Limits { memory_bytes: 1 << 30 });
    let liar = Lying { prover, key: key.clone(), network, task: None };
    let device = Device { prover: Some(Arc::new(Mutex::new(liar))), ..Device::default() };
    let agent = TestAgent::start_as(&world.hub, key, device);
    let (failed, verdicts) = failure(&world, &agent).await;
    assert!(matches!(failed.code.as_deref(), Some("wrong_path" | "wrong_row")), "{failed:?}");
    let Some(Verdict::Failed(found)) = verdicts.last() else { panic!("{verdicts:?}") };
    assert!(found.reason.is_signed_proof(), "fit for a slashing case");
    let blocked = in_state(&world, &agent, DeviceState::Blocked).await;
    assert_eq!(blocked.status.reason, "proof_failed");
    assert!(world.hub.device_reputation(agent.id()).await.unwrap().score < 500);
    assert!(agent.count(|device| device.proofs.iter().all(Option::is_some)), "it was told why");
}

/// Changes the rows that it opens and signs them as its own.
struct Lying {
    prover: Prover,
    key: SigningKey,
    network: String,
    task: Option<Task>,
}

impl Prove for Lying {
    fn task(&mut self, task: &Task) -> Option<Answer> {
        self.task = Some(task.clone());
        Some(self.prover.start(task, &Stop::default()))
    }

    fn ask(&mut self, ask: &Ask) -> Option<Answer> {
        let answer = self.prover.ask(ask, &Stop::default())?;
        let task = self.task.as_ref()?;
        let AnswerBody::Rows { mut rows } = answer.body.clone() else { return Some(answer) };
        let row = rows.first_mut()?;
        row.bytes = Blob::new(vec![1; row.bytes.as_ref().len()])?;
        Some(signed(&self.network, &self.key, task, ask.stage, &ask.nonce, AnswerBody::Rows { rows }))
    }
}

#[tokio::test]
async fn answers_of_yesterday_and_of_other_devices_are_worth_nothing() {
    let world = World::measuring(timing(), Some(MEASURING)).await;
    let other = key();
    let network = world.ledger.program_id.to_string();
    // Forwards every question to another device, which answers truthfully, for itself.
    let (forwarded, replayed) = {
        let network = network.clone();
        let forward: Bend = Box::new(move |task, answer| Some(signed(&network, &other, task, answer.stage, &task.nonce, answer.body)));
        let mut kept: Option<Answer> = None;
        let replay: Bend = Box::new(move |task, answer| match (&kept, task.job) {
            (Some(kept), Job::Product(_)) => Some(Answer { task_id: task.id, ..kept.clone() }),
            (None, Job::Clock(_)) => {
                kept = Some(answer.clone());
                Some(answer)
            }
            _ => Some(answer),
        });
        (start(&world, forward), start(&world, replay))
    };
    assert_eq!(failure(&world, &forwarded).await.0.code.as_deref(), Some("wrong_signature"));
    let code = failure(&world, &replayed).await.0.code;
    assert!(matches!(code.as_deref(), Some("wrong_signature" | "unexpected_answer")), "{code:?}");
}

#[tokio::test]
async fn a_device_that_is_slower_than_it_claims_is_late() {
    // It claims cores that it does not have: the time is that of the claim.
    let world = World::measuring(timing(), Some(Measuring { slack_percent: 190, work_ms: 100, ..MEASURING })).await;
    let key = key();
    let claims = Hardware { cpus: 16, machine_cpus: 16, ..hardware() };
    let slow: Bend = Box::new(|task, answer| {
        if matches!(task.job, Job::Product(_)) {
            std::thread::sleep(Duration::from_secs(2));
        }
        Some(answer)
    });
    let device = Device { hardware: Some(claims), ..device(&world, &key, slow) };
    let agent = TestAgent::start_as(&world.hub, key, device);
    let (failed, verdicts) = failure(&world, &agent).await;
    assert_eq!(failed.code.as_deref(), Some("late"), "{failed:?}");
    let Some(Verdict::Failed(found)) = verdicts.last() else { panic!("{verdicts:?}") };
    assert!(!found.reason.is_signed_proof(), "that it was late is the hub's word");
}

#[tokio::test]
async fn another_machine_behind_the_same_key_is_blocked_until_it_proves_itself() {
    let world = World::measuring(timing(), Some(MEASURING)).await;
    let mut agent = start(&world, Box::new(|_, answer| Some(answer)));
    in_state(&world, &agent, DeviceState::Ready).await;
    // The new machine has another processor, and answers nothing yet.
    let prover = agent.device.lock().unwrap().prover.take();
    agent.device.lock().unwrap().hardware = Some(Hardware { cpu_model: "another".to_owned(), ..hardware() });
    agent.connect(&world.hub).await;
    let blocked = in_state(&world, &agent, DeviceState::Blocked).await;
    assert_eq!(blocked.status.reason, "hardware_changed");
    assert!(blocked.status.detail.contains("CPU: test, now another"), "{}", blocked.status.detail);
    assert!(world.hub.hardware_list().await.unwrap().items.iter().all(|offer| offer.free_devices == 0));
    agent.device.lock().unwrap().prover = prover;
    in_state(&world, &agent, DeviceState::Ready).await;
}

#[tokio::test]
async fn a_trial_that_was_begun_keeps_no_changed_machine_from_its_proof() {
    let world = World::measuring(timing(), Some(MEASURING)).await;
    let mut agent = start(&world, Box::new(|_, answer| Some(answer)));
    // Its trial would go on for ten minutes, and here no time passes.
    agent.change(|device| device.mood.slow = true);
    in_state(&world, &agent, DeviceState::Ready).await;
    wait_for("the trial to begin", async || agent.count(|device| !device.running.is_empty()).then_some(())).await;
    agent.device.lock().unwrap().hardware = Some(Hardware { cpu_model: "another".to_owned(), ..hardware() });
    agent.connect(&world.hub).await;
    in_state(&world, &agent, DeviceState::Blocked).await;
    in_state(&world, &agent, DeviceState::Ready).await;
}

#[tokio::test]
async fn a_hired_device_is_asked_for_nothing_and_keeps_its_tenant_whatever_changes() {
    let world = World::measuring(timing(), Some(MEASURING)).await;
    let mut agent = start(&world, Box::new(|_, answer| Some(answer)));
    in_state(&world, &agent, DeviceState::Ready).await;
    wait_for("the trial to be over", async || {
        let formed =
            world.hub.readiness(agent.id()).await.ok()?.checks.iter().any(|check| check.code == "cluster_formation" && check.passed);
        (formed && agent.count(|device| device.running.is_empty())).then_some(())
    })
    .await;
    let customer = world.customer().await;
    customer.running(1, 60, Currency::Usdc).await;
    in_state(&world, &agent, DeviceState::Hired).await;
    let asked = proofs(&world, &agent).await.len();
    // Hours pass, its clock is set back by a year, and other hardware shows up.
    agent.device.lock().unwrap().clock_ahead_secs = -365 * 86_400;
    agent.device.lock().unwrap().hardware = Some(Hardware { machine_cpus: 64, ..hardware() });
    agent.connect(&world.hub).await;
    world.advance_secs(1_800).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(proofs(&world, &agent).await.len(), asked, "a tenant is not disturbed");
    assert_eq!(agent.count(|device| (device.running.len(), device.stopped)).0, 1, "and not stopped");
    let shown = shown(&world, &agent).await;
    assert_eq!((shown.status.state, shown.status.reason.as_str()), (DeviceState::Hired, "tenant_then_blocked"));
}
