//! An agent proves what the device can do, and leaves its tenants in peace.

use std::time::Instant;

use ionet_proofs::{Examiner, Nonces, Step, Terms, Verdict};
use ionet_rules::rewards::Measurement;
use ionet_types::agent::challenge::{AnswerBody, ClockJob, DeclineReason, Fixed, Job, ProductJob, Task};
use ionet_types::agent::{HubMessage, RayRole, WorkloadState, parse_device_id};
use uuid::Uuid;

use super::{
    hub::{TestHub, ray_node},
    sleeper::{Sleeper, TestAgent},
};

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
