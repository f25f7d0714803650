//! One proof of one device: how far away it is, then its jobs one after the other, then a timed transfer each way. What was measured, or
//! why it failed, is written down, with the transcript of what failed, and told to the device's life.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ionet_devices::{Event, TestCode};
use ionet_proofs::plan::Plan;
use ionet_proofs::{Examiner, Failure, Measured as Found, Nonces, Step, Terms, Transcript, Verdict};
use ionet_rules::rewards::{Measurement, Tier, test_p};
use ionet_store::DeviceEvent;
use ionet_types::DeviceId;
use ionet_types::Sha256;
use ionet_types::agent::challenge::{ClockJob, DeclineReason, Direction, Fixed, Job, Task};
use ionet_types::agent::{Answer, Ask, Hardware, HubMessage, TaskId};
use ionet_types::proofs::{Measured, Proof, ProofOutcome};
use sha2::Digest as _;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::Measuring;
use super::transfers::Moved;
use crate::Hub;
use crate::devices::reputation::kind;
use crate::error::{HubError, HubResult};

/// Answers that may wait to be looked at. A device sends one for each question.
const ANSWERS: usize = 8;
/// How often the way to the device is measured; the shortest counts.
const WAYS: u32 = 3;
/// Slack for the one step by which the way is measured: about ten seconds, for the slowest way and the busiest machine.
const WAY_SLACK_PERCENT: u32 = 300_000;
/// Longest time for a transfer.
const TRANSFER_LIMIT: Duration = Duration::from_mins(1);

/// What is to be proved.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    pub(crate) device: DeviceId,
    pub(crate) epoch: u64,
    pub(crate) hardware: Arc<Hardware>,
    /// Reference values of the model that the device claims to be.
    pub(crate) reference: Measurement,
    /// Whether as much memory is filled as the network wants to see.
    pub(crate) whole: bool,
}

/// Why a proof ended before it was whole.
enum Broken {
    /// The device was at fault.
    Failed { code: String, detail: String },
    /// It was hired, left, or its agent ended: nobody's fault.
    Stopped(&'static str),
}

/// A proof that runs.
struct Round<'a> {
    hub: &'a Hub,
    order: &'a Order,
    measuring: Measuring,
    generation: u64,
    messages: mpsc::Sender<HubMessage>,
    answers: mpsc::Receiver<Answer>,
    began: Instant,
    /// Round trip in milliseconds.
    rtt_ms: u32,
    transcripts: Vec<Transcript>,
    measured: Measured,
    busy: Duration,
}

/// Runs a proof to its end. Returns it as it was written down; `None` when the device is not there, or busy with another proof.
pub(crate) async fn run(hub: &Hub, order: &Order, measuring: Measuring) -> HubResult<Option<Proof>> {
    let (sender, answers) = mpsc::channel(ANSWERS);
    let Some((generation, messages)) = hub.agents().0.directory.begin_proof(order.device, sender) else { return Ok(None) };
    let began_at_unix_secs = hub.clock().now_unix_secs();
    let mut round = Round {
        hub,
        order,
        measuring,
        generation,
        messages,
        answers,
        began: Instant::now(),
        rtt_ms: 0,
        transcripts: Vec::new(),
        measured: Measured::default(),
        busy: Duration::ZERO,
    };
    let ended = round.all().await;
    hub.agents().0.directory.end_proof(order.device, generation);
    round.write_down(ended?, began_at_unix_secs).await.map(Some)
}

impl Round<'_> {
    async fn all(&mut self) -> HubResult<Result<(), Broken>> {
        let mut shortest_ms = u64::MAX;
        for _ in 0..WAYS {
            // One step takes no time at all: what is measured is the way.
            let terms = Terms { slack_percent: WAY_SLACK_PERCENT, ..Terms::new(Measurement { cpu_mhz: 1, ..Measurement::default() }, 0) };
            let began = Instant::now();
            if let Err(broken) = self.examine(Job::Clock(ClockJob { steps: 1 }), terms).await? {
                return Ok(Err(broken));
            }
            shortest_ms = shortest_ms.min(u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX));
        }
        self.rtt_ms = u32::try_from(shortest_ms).unwrap_or(u32::MAX);
        self.transcripts.clear();
        let Measuring { slack_percent, scan_percent, .. } = self.measuring;
        let terms = Terms { slack_percent, scan_percent, ..Terms::new(self.order.reference, self.rtt_ms) };
        let memory_bytes = super::plan::memory_bytes(&self.order.hardware, &self.measuring, self.order.whole);
        for job in Plan::new(&self.order.reference, memory_bytes, u64::from(self.measuring.work_ms)).jobs() {
            if self.hub.store().is_reserved(self.order.device).await? {
                return Ok(Err(Broken::Stopped("the device was hired")));
            }
            let begun = Instant::now();
            let examined = self.examine(job, terms).await?;
            self.busy += begun.elapsed();
            match examined {
                Ok(measured) => self.add(&measured),
                Err(broken) => return Ok(Err(broken)),
            }
        }
        for direction in [Direction::Download, Direction::Upload] {
            match self.transfer(direction).await {
                Ok(mbps) if direction == Direction::Download => self.measured.download_mbps = mbps,
                Ok(mbps) => self.measured.upload_mbps = mbps,
                Err(broken) => return Ok(Err(broken)),
            }
        }
        Ok(Ok(()))
    }

    /// Runs one task to its verdict.
    async fn examine(&mut self, job: Job, terms: Terms) -> HubResult<Result<Found, Broken>> {
        let task = Task { id: Fixed(rand::random()), epoch: self.order.epoch, nonce: Fixed(rand::random()), job };
        let nonces = Nonces { scan: Fixed(rand::random()), open: Fixed(rand::random()) };
        let network = &self.hub.agents().0.network;
        let mut examiner =
            Examiner::new(network, self.order.device.0, task.clone(), terms, nonces, self.now_ms()).map_err(HubError::internal)?;
        let task_id = task.id;
        if !self.send(HubMessage::Task(task)).await {
            return Ok(Err(Broken::Stopped("the device has left")));
        }
        let verdict = loop {
            let wait = Duration::from_millis(examiner.deadline_ms().saturating_sub(self.now_ms()).saturating_add(1));
            match timeout(wait, self.answers.recv()).await {
                Ok(None) => return Ok(Err(Broken::Stopped("the device has left"))),
                // An answer to an earlier task that was broken off says nothing of this one.
                Ok(Some(answer)) if answer.task_id != task_id => {}
                Ok(Some(answer)) => {
                    let now_ms = self.now_ms();
                    // Checking takes its time, off the runtime's threads.
                    let checked = tokio::task::spawn_blocking(move || {
                        let step = examiner.receive(answer, now_ms);
                        (examiner, step)
                    });
                    let step;
                    (examiner, step) = checked.await.map_err(HubError::internal)?;
                    match step {
                        Step::Ask(ask) => {
                            if !self.ask(ask).await {
                                return Ok(Err(Broken::Stopped("the device has left")));
                            }
                        }
                        Step::Verdict(verdict) => break verdict,
                    }
                }
                Err(_) => {
                    if let Some(verdict) = examiner.expire(self.now_ms()) {
                        break verdict;
                    }
                }
            }
        };
        self.transcripts.extend(examiner.finish());
        match verdict {
            Verdict::Passed(measured) => Ok(Ok(measured)),
            Verdict::Failed(failed) => {
                self.cancel(task_id).await;
                // Late because it is gone: then it is the connection that ended, not the device that was slow.
                if failed.reason == Failure::Late && !self.is_here() {
                    return Ok(Err(Broken::Stopped("the device has left")));
                }
                Ok(Err(Broken::Failed {
                    code: failed.reason.code().to_owned(),
                    detail: format!("{}, {:?}: {}", job_name(&job), failed.stage, failed.reason.code()),
                }))
            }
            Verdict::Declined { reason } => {
                let hired = self.hub.store().is_reserved(self.order.device).await?;
                if reason == DeclineReason::Stopped && hired {
                    return Ok(Err(Broken::Stopped("the device was hired")));
                }
                let detail = format!("{}: the device declined: {reason:?}", job_name(&job));
                Ok(Err(Broken::Failed { code: "declined".to_owned(), detail }))
            }
        }
    }

    /// Moves bytes one way. Returns its speed in Mbps.
    async fn transfer(&mut self, direction: Direction) -> Result<u32, Broken> {
        let (id, seed) = (Fixed(rand::random()), Fixed(rand::random()));
        let bytes = self.measuring.transfer_bytes;
        let (ticket, done) = self.hub.agents().0.transfers.issue(id, direction, bytes, seed);
        if !self.send(HubMessage::Transfer(ticket)).await {
            return Err(Broken::Stopped("the device has left"));
        }
        let failed = |detail: &str| Broken::Failed { code: "transfer_failed".to_owned(), detail: detail.to_owned() };
        let Ok(Ok(Moved { elapsed, digest })) = timeout(TRANSFER_LIMIT, done).await else {
            return Err(if self.is_here() {
                failed("the transfer was not finished in time")
            } else {
                Broken::Stopped("the device has left")
            });
        };
        let wanted = tokio::task::spawn_blocking(move || ionet_proofs::transfer::digest(&seed, bytes)).await;
        if wanted.ok() != Some(digest) {
            return Err(failed("other bytes arrived than were sent"));
        }
        // The report of what was received needs the way once more.
        let way_ms = if direction == Direction::Download { self.rtt_ms } else { 0 };
        Ok(ionet_proofs::transfer::mbps(bytes, u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX), way_ms))
    }

    fn add(&mut self, found: &Found) {
        let Measured { memory_mb_per_sec, cpu_mhz, gflops, .. } = &mut self.measured;
        for (place, found) in [(memory_mb_per_sec, found.memory_mb_per_sec), (cpu_mhz, found.cpu_mhz), (gflops, found.gflops)] {
            *place = found.unwrap_or(*place);
        }
    }

    async fn write_down(self, ended: Result<(), Broken>, began_at_unix_secs: i64) -> HubResult<Proof> {
        let Self { hub, order, transcripts, measured, .. } = &self;
        let (outcome, code, detail) = match ended {
            Ok(()) => (ProofOutcome::Passed, None, None),
            Err(Broken::Failed { code, detail }) => (ProofOutcome::Failed, Some(code), Some(detail)),
            Err(Broken::Stopped(detail)) => (ProofOutcome::Stopped, None, Some(detail.to_owned())),
        };
        let transcript = serde_json::to_string(transcripts).map_err(HubError::internal)?;
        let now_unix_secs = hub.clock().now_unix_secs();
        let mut proof = Proof {
            number: 0,
            device: order.device,
            epoch: order.epoch,
            began_at_unix_secs,
            ended_at_unix_secs: now_unix_secs,
            outcome,
            code,
            detail,
            measured: *measured,
            p_millionths: if outcome == ProofOutcome::Passed { test_p(&measurement(measured), &order.reference) } else { 0 },
            busy_ms: u64::try_from(self.busy.as_millis()).unwrap_or(u64::MAX),
            transcript_sha256: Sha256(sha2::Sha256::digest(transcript.as_bytes()).into()),
            transcript_kept: outcome == ProofOutcome::Failed,
        };
        proof.number = hub.store().proof_insert(&proof, proof.transcript_kept.then_some(transcript.as_str())).await?;
        let agents = &hub.agents().0;
        match outcome {
            ProofOutcome::Passed => {
                hub.market().measured(order.device, Tier::from_mbps(measured.download_mbps, measured.upload_mbps));
                let event = Event::TestPassed { test: proof.number, hardware: order.hardware.fingerprint() };
                hub.store().device_verified_set(order.device, &order.hardware).await?;
                agents.tell(order.device, event, now_unix_secs).await?;
                let passed = DeviceEvent {
                    at_unix_secs: now_unix_secs,
                    kind: kind::PROOF_PASSED.to_owned(),
                    amount: i64::from(proof.p_millionths),
                    detail: format!("proof {}", proof.number),
                };
                agents.lives.happened(hub.store(), order.device, passed).await?;
            }
            ProofOutcome::Failed => {
                let code: TestCode = proof.code.as_deref().unwrap_or("failed").parse().map_err(HubError::internal)?;
                agents.tell(order.device, Event::TestFailed { test: proof.number, code }, now_unix_secs).await?;
            }
            ProofOutcome::Stopped => {}
        }
        if outcome != ProofOutcome::Stopped {
            let detail = proof.detail.clone().unwrap_or_else(|| summary(measured, proof.p_millionths));
            self.send(HubMessage::ProofEnded { passed: outcome == ProofOutcome::Passed, code: proof.code.clone(), detail }).await;
        }
        tracing::info!(device = %order.device, proof = proof.number, ?outcome, code = proof.code, p = proof.p_millionths, "a proof is over");
        Ok(proof)
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn is_here(&self) -> bool {
        self.hub.agents().0.directory.is_session(self.order.device, self.generation)
    }

    async fn ask(&self, ask: Ask) -> bool {
        self.send(HubMessage::Ask(ask)).await
    }

    async fn cancel(&self, task_id: TaskId) {
        self.send(HubMessage::TaskCancel { task_id }).await;
    }

    async fn send(&self, message: HubMessage) -> bool {
        self.messages.send(message).await.is_ok()
    }
}

/// What was measured, as the rules take it: of the two ways the one to the device counts, as in the tiers' first number.
pub(crate) const fn measurement(measured: &Measured) -> Measurement {
    Measurement {
        bandwidth_mbps: measured.download_mbps,
        memory_mb_per_sec: measured.memory_mb_per_sec,
        cpu_mhz: measured.cpu_mhz,
        gflops: measured.gflops,
    }
}

const fn job_name(job: &Job) -> &'static str {
    match job {
        Job::Product(_) => "matrix product",
        Job::Memory(_) => "memory",
        Job::Clock(_) => "clock",
        Job::Unknown => "task",
    }
}

fn summary(measured: &Measured, p_millionths: u32) -> String {
    let Measured { download_mbps, upload_mbps, memory_mb_per_sec, cpu_mhz, gflops } = measured;
    format!(
        "P {}.{:02}: {gflops} GFLOPS, memory {memory_mb_per_sec} MB/s, clock {cpu_mhz} MHz, network {download_mbps}/{upload_mbps} Mbps",
        p_millionths / 1_000_000,
        p_millionths % 1_000_000 / 10_000
    )
}
