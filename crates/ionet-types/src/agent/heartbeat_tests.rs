//! A heartbeat speaks for one key, one connection, one number and one content; in a batch as alone.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use proptest::prelude::*;

use super::*;

fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

fn public(key: &SigningKey) -> [u8; 32] {
    key.verifying_key().to_bytes()
}

fn session(key: &SigningKey, nonce: &str) -> Session {
    Session::new("local", nonce, &public(key))
}

const LOAD: Load =
    Load { cpu_permille: 400, gpu_permille: 1_000, cpu_permille_foreign: 20, gpu_permille_foreign: 0, gpu_processes_foreign: 0 };

#[test]
fn it_speaks_for_one_key_on_one_connection() {
    let (ours, other) = (key(7), key(8));
    let here = session(&ours, "nonce");
    let beat = Heartbeat::sign(&ours, &here, 3, 2, 1_000, LOAD);
    assert_eq!(beat.verify(&here, &public(&ours)), Ok(()));
    let refused = Err(HeartbeatError::InvalidSignature);
    assert_eq!(beat.verify(&session(&ours, "next"), &public(&ours)), refused, "another connection");
    assert_eq!(beat.verify(&Session::new("main", "nonce", &public(&ours)), &public(&ours)), refused, "another network");
    assert_eq!(beat.verify(&here, &public(&other)), refused, "another device");
    assert_eq!(beat.verify(&session(&other, "nonce"), &public(&other)), refused, "another device on its own connection");
    assert_ne!(Session::new("loca", "lnonce", &public(&ours)), here, "parts cannot be shifted");
}

#[test]
fn a_hello_is_no_heartbeat_and_weak_keys_speak_for_nobody() {
    // The identity: with it, R = S = 0 verifies every message without the strict check.
    let mut weak = [0; 32];
    weak[0] = 1;
    let mut signature = [0; 64];
    signature[0] = 1;
    let here = Session::new("local", "nonce", &weak);
    let forged = Heartbeat { sequence: 1, desired_revision: 0, unix_secs: 0, load: LOAD, signature: HeartbeatSignature(signature) };
    assert_eq!(forged.verify(&here, &weak), Err(HeartbeatError::InvalidSignature));
    let ours = key(7);
    let good_session = session(&ours, "n");
    let good = Heartbeat::sign(&ours, &good_session, 1, 0, 0, LOAD);
    let answers = verify_batch(&[
        Claimed { heartbeat: &good, session: &good_session, public_key: &public(&ours) },
        Claimed { heartbeat: &forged, session: &here, public_key: &weak },
    ]);
    assert_eq!(answers, [Ok(()), Err(HeartbeatError::InvalidSignature)]);
}

#[test]
fn replays_and_old_ones_are_refused() {
    let ours = key(1);
    let here = session(&ours, "n");
    let beat = |sequence| Heartbeat::sign(&ours, &here, sequence, 0, 0, LOAD);
    assert_eq!(beat(1).follows(0), Ok(()));
    assert_eq!(beat(9).follows(1), Ok(()));
    for (sequence, last) in [(0, 0), (1, 1), (8, 9), (0, u64::MAX), (u64::MAX, u64::MAX)] {
        assert_eq!(beat(sequence).follows(last).unwrap_err().code(), "heartbeat_not_new");
    }
}

#[test]
fn the_wire_keeps_it_and_refuses_what_is_none() {
    let ours = key(1);
    let beat = Heartbeat::sign(&ours, &session(&ours, "n"), 5, 1, -3, LOAD);
    let text = serde_json::to_string(&beat).unwrap();
    assert_eq!(serde_json::from_str::<Heartbeat>(&text).unwrap(), beat);
    let mut value = serde_json::to_value(beat).unwrap();
    for bad in ["", "AA==", &"A".repeat(88), &"A".repeat(87), &"!".repeat(88), &"A".repeat(1 << 16)] {
        value["signature"] = serde_json::json!(bad);
        assert!(serde_json::from_value::<Heartbeat>(value.clone()).is_err(), "{} characters", bad.len());
    }
}

proptest! {
    #[test]
    fn nothing_of_it_can_be_changed(
        sequence: u64, revision: u64, unix_secs: i64,
        change in 0_usize..9, by in 1_u16..500, bit in 0_usize..512,
    ) {
        let ours = key(7);
        let here = session(&ours, "n");
        let good = Heartbeat::sign(&ours, &here, sequence, revision, unix_secs, LOAD);
        prop_assert_eq!(good.verify(&here, &public(&ours)), Ok(()));
        let mut bad = good;
        match change {
            0 => bad.sequence ^= u64::from(by),
            1 => bad.desired_revision ^= u64::from(by),
            2 => bad.unix_secs ^= i64::from(by),
            3 => bad.load.cpu_permille += by,
            4 => bad.load.gpu_permille -= by,
            5 => bad.load.cpu_permille_foreign += by.min(100),
            6 => bad.load.gpu_permille_foreign += by,
            7 => bad.load.gpu_processes_foreign += by,
            _ => bad.signature.0[bit / 8] ^= 1 << (bit % 8),
        }
        prop_assert!(bad.verify(&here, &public(&ours)).is_err());
    }

    /// A batch gives every heartbeat the answer that it gets alone.
    #[test]
    fn a_batch_answers_as_one_by_one(bad in prop::collection::vec(0_u8..12, 0..20)) {
        let beats: Vec<_> = bad.iter().zip(0_u8..).map(|(fault, seed)| {
            let ours = key(seed);
            let here = session(&ours, "n");
            let mut beat = Heartbeat::sign(&ours, &here, 1, 0, 0, LOAD);
            let mut public_key = public(&ours);
            match fault {
                0 => beat.unix_secs += 1,
                1 => beat.load.gpu_permille = 1_001,
                2 => public_key = public(&key(200)),
                3 => public_key = [0xFF; 32],
                4 => beat.signature.0[63] |= 0xE0,
                _ => {}
            }
            (beat, here, public_key)
        }).collect();
        let claimed: Vec<_> = beats.iter().map(|(heartbeat, session, public_key)| Claimed { heartbeat, session, public_key }).collect();
        let alone: Vec<_> = beats.iter().map(|(beat, session, key)| beat.verify(session, key)).collect();
        prop_assert_eq!(&verify_batch(&claimed), &alone);
        for (answer, fault) in alone.iter().zip(&bad) {
            prop_assert_eq!(answer.is_ok(), *fault > 4);
        }
    }

    #[test]
    fn a_load_is_at_most_a_whole(a: u16, b: u16, c: u16, d: u16, e: u16) {
        let load = Load { cpu_permille: a, gpu_permille: b, cpu_permille_foreign: c, gpu_permille_foreign: d, gpu_processes_foreign: e };
        prop_assert_eq!(load.is_well_formed(), a <= 1_000 && b <= 1_000 && c <= a && d <= b);
    }
}
