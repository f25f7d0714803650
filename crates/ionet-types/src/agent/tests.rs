//! The wire keeps its shape, its bounds, and its peace with newer speakers.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use ed25519_dalek::SigningKey;
use proptest::prelude::*;
use serde_json::json;
use uuid::Uuid;

use super::*;

fn hardware() -> Hardware {
    Hardware {
        kind: HardwareKind::Cpu,
        cpu_model: "x".into(),
        cpus: 1,
        machine_cpus: 2,
        memory_mb: 1024,
        machine_memory_mb: 2048,
        gpus: vec![],
        disk_mb: 10,
        disk_free_mb: 5,
        os: "Linux".into(),
        kernel: "6".into(),
        arch: "x86_64".into(),
        isolation: Isolation::None,
        ..Hardware::default()
    }
}

fn ray(token: &str) -> serde_json::Value {
    json!({"kind": "ray", "role": "head", "nodes": 2, "token": token, "cpus": 1})
}

fn desired(workloads: &[serde_json::Value]) -> String {
    json!({"type": "desired", "revision": 1, "workloads": workloads}).to_string()
}

#[test]
fn desired_state_has_this_shape() {
    let id = Uuid::from_u128(7);
    let frame = desired(&[json!({"cluster_id": id, "node": 1, "lease_until_unix_secs": 99, "spec": ray("0123456789abcdef")})]);
    let HubMessage::Desired(state) = HubMessage::decode(&frame).unwrap() else { panic!("not desired") };
    let WorkloadSpec::Ray(node) = &state.workloads[0].spec else { panic!("not ray") };
    assert_eq!(state.workloads[0].key, WorkloadKey { cluster_id: id, node: 1 });
    assert_eq!(state.workloads[0].attempt, 0);
    assert_eq!(node.role, RayRole::Head);
    assert_eq!(node.token.reveal(), "0123456789abcdef");
    assert!(!format!("{state:?}").contains("0123456789"), "a token is never shown");
    assert_eq!(HubMessage::decode(&HubMessage::Desired(state.clone()).encode()).unwrap(), HubMessage::Desired(state));
}

#[test]
fn newer_speakers_are_understood_as_far_as_possible() {
    assert_eq!(HubMessage::decode(r#"{"type":"fly_to_the_moon","fuel":3}"#).unwrap(), HubMessage::Unknown);
    assert_eq!(AgentMessage::decode(r#"{"type":"selfie"}"#).unwrap(), AgentMessage::Unknown);
    let frame = desired(&[
        json!({"cluster_id": Uuid::nil(), "node": 0, "lease_until_unix_secs": 1, "new": {}, "spec": {"kind": "mainframe", "x": 1}}),
    ]);
    let HubMessage::Desired(state) = HubMessage::decode(&frame).unwrap() else { panic!("not desired") };
    assert_eq!(state.workloads[0].spec, WorkloadSpec::Unknown);
    let frame = json!({"type": "observed", "desired_revision": 1, "unix_secs": 1, "workloads": [
        {"cluster_id": Uuid::nil(), "node": 0, "since_unix_secs": 1, "state": {"phase": "dreaming"}},
        {"cluster_id": Uuid::nil(), "node": 1, "since_unix_secs": 1, "state": {"phase": "stopped", "reason": "boredom"}}]});
    let AgentMessage::Observed(state) = AgentMessage::decode(&frame.to_string()).unwrap() else { panic!("not observed") };
    assert_eq!(state.workloads[0].state, WorkloadState::Unknown);
    assert_eq!(state.workloads[1].state, WorkloadState::Stopped { reason: StopReason::Unknown });
}

#[test]
fn bounds_hold() {
    let workload =
        |node: u32, spec: serde_json::Value| json!({"cluster_id": Uuid::nil(), "node": node, "lease_until_unix_secs": 1, "spec": spec});
    let good = || ray("0123456789abcdef");
    let many: Vec<_> = (0..=MAX_WORKLOADS as u32).map(|node| workload(node, good())).collect();
    let shared = |gpus: serde_json::Value| {
        let mut ray = good();
        ray["share"] = json!({"cpu_milli": 1, "memory_mb": 1, "disk_mb": 0, "gpus": gpus});
        desired(&[workload(0, ray)])
    };
    let gpu = |uuid: &str| json!({"uuid": uuid, "part": "whole"});
    assert!(HubMessage::decode(&shared(json!([gpu("GPU-1"), {"uuid": "GPU-2", "part": "milli", "milli": 250}]))).is_ok());
    assert!(HubMessage::decode(&shared(json!([{"uuid": "GPU-2", "part": "timeslice"}]))).is_ok(), "to be reported as failed");
    let mut worker = good();
    worker["head"] = json!({"host": "a b", "gcs_port": 1});
    let mut option = good();
    option["head"] = json!({"host": "--x", "gcs_port": 1});
    for (frame, code) in [
        (" ".repeat(MAX_FRAME_BYTES + 1), "frame_too_long"),
        (desired(&many), "frame_out_of_bounds"),
        (desired(&[workload(0, good()), workload(0, good())]), "frame_out_of_bounds"),
        (desired(&[workload(0, ray("short"))]), "frame_out_of_bounds"),
        (desired(&[workload(0, ray("0123456789abcde\n"))]), "frame_out_of_bounds"),
        (desired(&[workload(0, worker)]), "frame_out_of_bounds"),
        (desired(&[workload(0, option)]), "frame_out_of_bounds"),
        (desired(&[workload(70_000, good())]), "frame_malformed"),
        (shared(json!([gpu("GPU-1,GPU-2")])), "frame_out_of_bounds"),
        (shared(json!([gpu("-i")])), "frame_out_of_bounds"),
        (shared(json!([gpu("GPU-1"), gpu("GPU-1")])), "frame_out_of_bounds"),
        (shared(json!([{"uuid": "GPU-1", "part": "milli", "milli": 1_000}])), "frame_out_of_bounds"),
        (shared(json!([{"uuid": "GPU-1", "part": "instance", "size": "1g", "start": 8}])), "frame_out_of_bounds"),
        (shared((0..9).map(|n| gpu(&format!("GPU-{n}"))).collect()), "frame_out_of_bounds"),
        (json!({"type": "challenge", "nonce": "x".repeat(200), "network": "n"}).to_string(), "frame_out_of_bounds"),
        (json!({"type": "http_request", "request_id": 1, "cluster_id": Uuid::nil(), "node": 0, "method": "GET", "path": "x".repeat(9000)}).to_string(), "frame_out_of_bounds"),
        (json!({"type": "http_body", "request_id": 1, "chunk": "A".repeat(MAX_CHUNK_BYTES / 3 * 4 + 8)}).to_string(), "frame_malformed"),
        ("[]".to_string(), "frame_malformed"),
        ("[".repeat(100_000), "frame_malformed"),
    ] {
        assert_eq!(HubMessage::decode(&frame).unwrap_err().code(), code, "{}", &frame[..frame.len().min(120)]);
    }
    assert_eq!(AgentMessage::decode(r#"{"type":"http_response","request_id":1,"status":7}"#).unwrap_err().code(), "frame_out_of_bounds");
}

#[test]
fn a_hello_proves_one_key_for_one_challenge() {
    let key = SigningKey::from_bytes(&[7; 32]);
    let hello =
        Hello::sign(&key, "local", "nonce", Introduction { label: Some("rack 1".into()), ..Introduction::new("0.1.0", hardware()) });
    assert_eq!(hello.verify("local", "nonce").unwrap(), key.verifying_key().to_bytes());
    assert_eq!(hello.verify("local", "other"), Err(HelloError::InvalidSignature));
    assert_eq!(hello.verify("main", "nonce"), Err(HelloError::InvalidSignature));
    assert_eq!(hello.verify("loca", "lnonce"), Err(HelloError::InvalidSignature), "parts cannot be shifted");
    let other = SigningKey::from_bytes(&[8; 32]);
    let stolen = Hello { device_id: device_id(other.verifying_key().as_bytes()), ..hello.clone() };
    assert_eq!(stolen.verify("local", "nonce"), Err(HelloError::InvalidSignature));
    for id in ["", "0", "111", &"1".repeat(64)] {
        let bad = Hello { device_id: (*id).to_owned(), ..hello.clone() };
        assert!(bad.verify("local", "nonce").is_err());
    }
    let old = Hello { protocol: 0, ..hello.clone() };
    assert_eq!(old.verify("local", "nonce").unwrap_err().code(), "protocol_not_spoken");
    let message = AgentMessage::Hello(Box::new(hello));
    assert_eq!(AgentMessage::decode(&message.encode()).unwrap(), message);
}

#[test]
fn all_that_a_device_says_is_signed_by_it() {
    let key = SigningKey::from_bytes(&[7; 32]);
    let plain = Introduction::new("0.1.0", hardware());
    let declared = Declared { owner: Some(crate::Address([9; 32])), running_for_secs: Some(5) };
    let more_memory = Hardware { memory_mb: 4096, ..hardware() };
    let all = [
        plain.clone(),
        Introduction { declared, ..plain.clone() },
        Introduction { hardware: more_memory, ..plain.clone() },
        Introduction { label: Some("rack 1".into()), ..plain.clone() },
        Introduction { join_token: Some("let me in".into()), ..plain.clone() },
        Introduction { credential: Some("as told".into()), ..plain },
    ];
    for said in &all {
        let hello = Hello::sign(&key, "local", "nonce", said.clone());
        assert!(hello.verify("local", "nonce").is_ok());
        assert_eq!(hello.introduction.said(), said);
        let message = AgentMessage::Hello(Box::new(hello.clone()));
        assert_eq!(AgentMessage::decode(&message.encode()).unwrap(), message);
        // Nobody on the way can add, change or take away what was said.
        for other in all.iter().filter(|other| *other != said) {
            let changed = Hello { introduction: other.clone().into(), ..hello.clone() };
            assert_eq!(changed.verify("local", "nonce"), Err(HelloError::InvalidSignature), "{said:?} {other:?}");
        }
    }
    let secret = format!("{:?}", all[4]) + &format!("{:?}", all[5]);
    assert!(!secret.contains("let me in") && !secret.contains("as told"), "secrets are never shown");
}

#[test]
fn what_a_newer_agent_says_is_signed_too() {
    let text = String::from(hello::Signed::from(Introduction::new("9.0.0", hardware())));
    let newer = text.replacen('{', "{\"flies\":true,", 1);
    let signed = hello::Signed::try_from(newer.clone()).unwrap();
    assert_eq!(signed.said(), &Introduction::new("9.0.0", hardware()));
    assert_eq!(signed.text(), newer, "the signature is over what was sent, not over what was understood");
}

#[test]
fn another_machine_has_another_fingerprint() {
    let card = |uuid: &str| Gpu { model: "NVIDIA H100".into(), memory_mb: 81_559, uuid: Some(uuid.into()), ..Gpu::default() };
    let before = Hardware { gpus: vec![card("GPU-1"), card("GPU-2")], ..hardware() };
    let same = [
        Hardware { gpus: vec![card("GPU-2"), card("GPU-1")], ..before.clone() },
        Hardware { disk_free_mb: 1, kernel: "7".into(), memory_mb: 1, cpus: 9, version: 3, ..before.clone() },
        Hardware { machine_memory_mb: before.machine_memory_mb + 100, ..before.clone() },
    ];
    for same in same {
        assert_eq!(same.fingerprint(), before.fingerprint());
        assert_eq!(same.changes_since(&before), Vec::<String>::new());
    }
    let others = [
        (Hardware { gpus: vec![card("GPU-1")], ..before.clone() }, "GPUs: NVIDIA H100 + NVIDIA H100, now NVIDIA H100"),
        (Hardware { gpus: vec![card("GPU-1"), card("GPU-3")], ..before.clone() }, "GPUs: other cards of the same models"),
        (Hardware { cpu_model: "y".into(), ..before.clone() }, "CPU: x, now y"),
        (Hardware { machine_memory_mb: 4096, ..before.clone() }, "memory: 2 GiB, now 4 GiB"),
        (Hardware { machine_cpus: 3, ..before.clone() }, "logical CPUs: 2, now 3"),
    ];
    for (other, change) in others {
        assert_ne!(other.fingerprint(), before.fingerprint());
        assert_eq!(other.changes_since(&before), [change]);
    }
}

proptest! {
    #[test]
    fn any_text_is_decoded_or_refused(text in ".{0,400}") {
        let _ = HubMessage::decode(&text);
        let _ = AgentMessage::decode(&text);
    }

    #[test]
    fn any_json_under_a_known_type_is_decoded_or_refused(
        kind in prop::sample::select(vec!["challenge", "welcome", "refused", "desired", "http_request", "http_body", "http_credit", "hello", "observed", "heartbeat", "task", "ask", "transfer", "proof_ended", "answer", "transfer_report", "credential", "http_response", "http_error"]),
        fields in prop::collection::btree_map(
            prop::sample::select(vec!["nonce", "network", "revision", "workloads", "request_id", "chunk", "end", "path", "method", "headers", "status", "node", "cluster_id"]),
            prop_oneof![Just(json!(null)), any::<i64>().prop_map(|n| json!(n)), any::<f64>().prop_map(|n| json!(n)), ".{0,20}".prop_map(|s| json!(s)), Just(json!([])), Just(json!({})), Just(json!([[1]]))],
            0..8),
    ) {
        let mut message = json!(fields);
        message["type"] = json!(kind);
        let _ = HubMessage::decode(&message.to_string());
        let _ = AgentMessage::decode(&message.to_string());
    }

    #[test]
    fn bodies_arrive_as_sent(request_id: u64, bytes in prop::collection::vec(any::<u8>(), 0..3 * MAX_CHUNK_BYTES_TEST), end: bool) {
        let mut got = Vec::new();
        for chunk in Chunk::split(&bytes) {
            let sent = AgentMessage::HttpBody(HttpBody { request_id, chunk, end });
            let AgentMessage::HttpBody(body) = AgentMessage::decode(&sent.encode()).unwrap() else { panic!("not a body") };
            prop_assert_eq!((body.request_id, body.end), (request_id, end));
            got.extend(body.chunk.into_bytes());
        }
        prop_assert_eq!(got, bytes);
    }
}

/// Small enough for many cases, large enough to be cut.
const MAX_CHUNK_BYTES_TEST: usize = tunnel::MAX_CHUNK_BYTES / 2;

use tunnel::MAX_CHUNK_BYTES;
