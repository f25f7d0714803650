//! An agent proves what the device can do, and leaves its tenants in peace.

use std::collections::BTreeMap;
use std::sync::mpsc as queue;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use ionet_proofs::memory::MemoryOrder;
use ionet_proofs::product::ProductOrder;
use ionet_proofs::{Engine, EngineError, Examiner, Limits, MemoryWork, Nonces, ProductWork, Step, Stop, Terms, Verdict};
use ionet_rules::rewards::Measurement;
use ionet_types::agent::challenge::{AnswerBody, ClockJob, DeclineReason, Fixed, Job, ProductJob, Task};
use ionet_types::agent::{AgentMessage, HubMessage, RayRole, WorkloadState, parse_device_id};
use tokio::sync::{mpsc, watch};
use uuid::Uuid;

use super::{
    hub::{TestHub, ray_node},
    sleeper::{Sleeper, TestAgent},
};

use crate::agent::Shared;
use crate::engine::Chosen;
use crate::prove::Proofs;
use crate::store::Store;
use crate::{AgentOptions, DeviceKey};

/// Says what it is asked for, and works until it is told to stop.
struct Noting(Mutex<queue::Sender<&'static str>>);

impl Noting {
    fn note(&self, what: &'static str) {
        self.0.lock().unwrap().send(what).unwrap();
    }
}

impl Engine for Noting {
    fn memory_bytes(&self, _: &Job) -> u64 {
        0
    }

    fn product(&self, _: &ProductOrder, stop: &Stop) -> Result<Box<dyn ProductWork>, EngineError> {
        self.note("product");
        while !stop.is_stopped() {
            std::thread::sleep(Duration::from_millis(1));
        }
        Err(EngineError::Stopped)
    }

    fn memory(&self, _: &MemoryOrder, _: &Stop) -> Result<Box<dyn MemoryWork>, EngineError> {
        Err(EngineError::Failed)
    }

    fn clock(&self, _: u128, _: u32, _: &Stop) -> Result<u128, EngineError> {
        Err(EngineError::Failed)
    }

    fn prepare(&self) -> Result<(), EngineError> {
        self.note("prepare");
        Ok(())
    }

    fn rest(&self) {
        self.note("rest");
    }
}

#[tokio::test]
async fn cards_are_ready_while_the_device_is_free_and_at_rest_while_it_is_hired() {
    let dir = tempfile::tempdir().unwrap();
    let (to, notes) = queue::channel();
    let engine = Chosen { engine: Arc::new(Noting(Mutex::new(to))), limits: Limits { memory_bytes: 0 } };
    let key = DeviceKey::load_or_create(dir.path()).unwrap();
    let shared = Arc::new(Shared {
        options: AgentOptions::new(dir.path(), "http://127.0.0.1:1"),
        device_id: key.device_id(),
        key,
        clock: crate::clock::Clock::begin(None),
        store: Store::open(dir.path()).unwrap(),
        reaper: crate::node::Reaper::default(),
        runtime: Box::new(Sleeper::default()),
        engine: OnceLock::from(engine),
        desired: watch::Sender::new(None),
        observed: watch::Sender::new(BTreeMap::new()),
        writing: Mutex::default(),
        granting: tokio::sync::Mutex::default(),
    });
    let (outbox, mut answers) = mpsc::channel(4);
    let proofs = Proofs::begin(&shared, "test", outbox);
    let next = || notes.recv_timeout(Duration::from_secs(20)).unwrap();
    proofs.prepare();
    assert_eq!(next(), "prepare");
    proofs.task(task(LONG), false);
    assert_eq!(next(), "product");
    proofs.rest();
    assert_eq!(next(), "rest", "what ran was stopped before");
    let stopped = answers.recv().await.unwrap().into_text().unwrap();
    let Ok(AgentMessage::Answer(stopped)) = AgentMessage::decode(&stopped) else { panic!("{stopped}") };
    assert_eq!(stopped.body, AnswerBody::Declined { reason: DeclineReason::Stopped });
    proofs.prepare();
    assert_eq!(next(), "prepare", "free again");
    drop(proofs);
    assert!(notes.try_recv().is_err(), "a connection that ends asks for nothing");
}

fn task(job: Job) -> Task {
    Task { id: Fixed(rand::random()), epoch: 1, nonce: Fixed(rand::random()), job }
}

/// Much more than this machine does in the time of a test.
const LONG: Job = Job::Product(ProductJob { side: 4_096, rows: 4_096 * 64, openings: 1 });

#[tokio::test]
async fn a_task_is_answered_as_the_examiner_wants_it() {
    let (hub, dir) = (TestHub::start("test").await, tempfile::tempdir().unwrap());
    let agent = TestAgent::start(dir.path(), &hub.url, Sleeper::default());
    hub.hello(&agent.device_id).await;
    let device = parse_device_id(&agent.device_id).unwrap();
    let task = task(Job::Product(ProductJob { side: 256, rows: 1_024, openings: 8 }));
    let terms = Terms { slack_percent: 100_000, ..Terms::new(Measurement { gflops: 1, ..Measurement::default() }, 0) };
    let nonces = Nonces { scan: Fixed(rand::random()), open: Fixed(rand::random()) };
    let mut examiner = Examiner::new("test", device, task.clone(), terms, nonces, 0).unwrap();
    hub.say(&agent.device_id, HubMessage::Task(task));
    let committed = hub.answers(1).await.remove(0);
    let Step::Ask(ask) = examiner.receive(committed, 1) else { panic!("rows are asked for next") };
    hub.say(&agent.device_id, HubMessage::Ask(ask));
    let opened = hub.answers(2).await.remove(1);
    assert!(matches!(examiner.receive(opened, 2), Step::Verdict(Verdict::Passed(_))));
}

#[tokio::test]
async fn a_tenant_ends_what_is_being_proved_and_nothing_is_begun_beside_one() {
    let (hub, dir) = (TestHub::start("test").await, tempfile::tempdir().unwrap());
    let agent = TestAgent::start(dir.path(), &hub.url, Sleeper::default());
    hub.hello(&agent.device_id).await;
    let long = task(LONG);
    hub.say(&agent.device_id, HubMessage::Task(long.clone()));
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    let want = ray_node(Uuid::now_v7(), 0, RayRole::Head, None);
    let hired = Instant::now();
    hub.want(&agent.device_id, vec![want.clone()]);
    let stopped = hub.answers(1).await.remove(0);
    assert_eq!((stopped.task_id, stopped.body), (long.id, AnswerBody::Declined { reason: DeclineReason::Stopped }));
    assert!(hired.elapsed().as_secs() < 60, "it would have taken minutes");
    hub.observe_ready(&agent.device_id, want.key).await;
    hub.say(&agent.device_id, HubMessage::Task(task(LONG)));
    let declined = hub.answers(2).await.remove(1);
    assert_eq!(declined.body, AnswerBody::Declined { reason: DeclineReason::Stopped });
    // Free again, it answers again.
    hub.want(&agent.device_id, vec![]);
    hub.observe(&agent.device_id, want.key, |workload| matches!(workload.state, WorkloadState::Stopped { .. })).await;
    hub.say(&agent.device_id, HubMessage::Task(task(Job::Clock(ClockJob { steps: 1 }))));
    assert!(matches!(hub.answers(3).await.remove(2).body, AnswerBody::Ended { .. }));
}

#[tokio::test]
async fn a_task_that_the_hub_does_not_want_any_more_is_given_up() {
    let (hub, dir) = (TestHub::start("test").await, tempfile::tempdir().unwrap());
    let agent = TestAgent::start(dir.path(), &hub.url, Sleeper::default());
    hub.hello(&agent.device_id).await;
    let long = task(LONG);
    hub.say(&agent.device_id, HubMessage::Task(long.clone()));
    hub.say(&agent.device_id, HubMessage::TaskCancel { task_id: long.id });
    assert_eq!(hub.answers(1).await.remove(0).body, AnswerBody::Declined { reason: DeclineReason::Stopped });
}

#[tokio::test]
async fn heartbeats_are_signed_for_their_connection_and_numbered() {
    let (hub, dir) = (TestHub::start("test").await, tempfile::tempdir().unwrap());
    let agent = TestAgent::start(dir.path(), &hub.url, Sleeper::default());
    hub.hello(&agent.device_id).await;
    let device = parse_device_id(&agent.device_id).unwrap();
    let (session, heartbeats) = hub.heartbeats(&device, 3).await;
    let mut last = 0;
    for heartbeat in heartbeats {
        assert_eq!(heartbeat.verify(&session, &device), Ok(()));
        assert_eq!(heartbeat.follows(last), Ok(()));
        last = heartbeat.sequence;
    }
}
