//! Challenges keep their shapes and bounds, and whatever an agent answers is either within them or refused.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::agent::MAX_FRAME_BYTES;

fn product(side: u32, rows: u32, openings: u16) -> Task {
    task(Job::Product(ProductJob { side, rows, openings }))
}

fn task(job: Job) -> Task {
    Task { id: Fixed([1; 16]), epoch: 3, nonce: Fixed([2; 32]), job }
}

fn memory() -> MemoryJob {
    MemoryJob { lanes: 4, lane_blocks: 64, rounds: 8, passes: 2, openings: 8 }
}

#[test]
fn a_task_has_this_shape() {
    let text = serde_json::to_value(product(512, 1024, 8)).unwrap();
    let wanted = json!({
        "id": "AQEBAQEBAQEBAQEBAQEBAQ==",
        "epoch": 3,
        "nonce": "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=",
        "job": {"kind": "product", "side": 512, "rows": 1024, "openings": 8},
    });
    assert_eq!(text, wanted);
    let ask = Ask { task_id: Fixed([1; 16]), stage: Stage::Open, nonce: Fixed([0; 32]) };
    assert_eq!(serde_json::to_value(ask).unwrap()["stage"], "open");
    let answer = Answer {
        task_id: ask.task_id,
        stage: Stage::Commit,
        body: AnswerBody::Declined { reason: DeclineReason::Stopped },
        signature: Fixed([0; 64]),
    };
    assert_eq!(serde_json::to_value(&answer).unwrap()["body"], json!({"kind": "declined", "reason": "stopped"}));
    let ticket = TransferTicket { ticket: ask.task_id, direction: Direction::Download, bytes: 9, seed: None };
    assert_eq!(serde_json::to_value(ticket).unwrap(), json!({"ticket": ask.task_id, "direction": "download", "bytes": 9}));
}

#[test]
fn newer_words_are_understood_as_unknown() {
    let job: Job = serde_json::from_value(json!({"kind": "fold_protein", "length": 3})).unwrap();
    assert_eq!(job, Job::Unknown);
    assert!(task(job).check().is_ok());
    assert_eq!(serde_json::from_value::<Stage>(json!("dance")).unwrap(), Stage::Unknown);
    assert_eq!(serde_json::from_value::<DeclineReason>(json!("headache")).unwrap(), DeclineReason::Unknown);
    assert_eq!(serde_json::from_value::<AnswerBody>(json!({"kind": "song"})).unwrap(), AnswerBody::Unknown);
}

#[test]
fn bounds_of_jobs_hold() {
    assert!(product(256, 256, 64).check().is_ok() && product(4096, 1 << 22, 32).check().is_ok());
    let wrong = [(128, 128, 1), (8192, 8192, 1), (768, 768, 1), (512, 256, 1), (512, 700, 1), (512, 0, 1), (512, 512, 0), (256, 256, 65)];
    for (side, rows, openings) in wrong {
        assert!(product(side, rows, openings).check().is_err(), "{side} {rows} {openings}");
    }
    assert!(product(4096, 4096, 33).check().is_err(), "an answer would not fit in a frame");
    assert!(product(256, (1 << 22) + 256, 1).check().is_err());
    let good = memory();
    assert!(task(Job::Memory(good)).check().is_ok());
    for wrong in [
        MemoryJob { lanes: 0, ..good },
        MemoryJob { lanes: MAX_LANES + 1, ..good },
        MemoryJob { lane_blocks: 0, ..good },
        MemoryJob { lane_blocks: 17, ..good },
        MemoryJob { lanes: MAX_LANES, lane_blocks: 1 << 17, ..good },
        MemoryJob { rounds: 0, ..good },
        MemoryJob { rounds: 6, ..good },
        MemoryJob { rounds: MAX_ROUNDS + 4, ..good },
        MemoryJob { passes: 0, ..good },
        MemoryJob { passes: MAX_PASSES + 1, ..good },
        MemoryJob { openings: 0, ..good },
        MemoryJob { openings: MAX_OPENINGS + 1, ..good },
    ] {
        assert!(task(Job::Memory(wrong)).check().is_err(), "{wrong:?}");
    }
    for steps in [0, MAX_CLOCK_STEPS + 1] {
        assert!(task(Job::Clock(ClockJob { steps })).check().is_err());
    }
    let ticket = TransferTicket { ticket: Fixed([1; 16]), direction: Direction::Download, bytes: 1, seed: None };
    assert!(ticket.check().is_ok());
    assert!(TransferTicket { bytes: MAX_TRANSFER_BYTES + 1, ..ticket }.check().is_err());
    assert!(TransferTicket { seed: Some(Fixed([1; 32])), ..ticket }.check().is_err(), "the device must not know what it will receive");
    assert!(TransferTicket { direction: Direction::Upload, ..ticket }.check().is_err());
}

fn opened(bytes: usize, path: usize) -> Opened {
    Opened { bytes: Blob::new(vec![0xff; bytes]).unwrap(), path: Blob::new(vec![0xff; path * 32]).unwrap() }
}

#[test]
fn the_longest_answers_fit_in_a_frame() {
    let wrap = |body| {
        let answer = Answer { task_id: Fixed([255; 16]), stage: Stage::Open, body, signature: Fixed([255; 64]) };
        answer.check().unwrap();
        serde_json::to_string(&answer).unwrap().len() + 64
    };
    // The longest path that the bounds of jobs allow: 2^24 chunks of a product, 2^32 of a memory.
    for side in [256, 512, 1024, 2048, 4096] {
        let openings = usize::try_from(MAX_OPENED_VALUES).unwrap() / side;
        let rows = vec![opened(side * 4, 24); openings.min(usize::from(MAX_OPENINGS))];
        assert!(wrap(AnswerBody::Rows { rows }) <= MAX_FRAME_BYTES, "{side}");
    }
    let block =
        OpenedBlock { block: opened(1024, 32), parents: Some(Box::new([opened(1024, 32), opened(1024, 32)])), scanned: opened(1024, 24) };
    assert!(wrap(AnswerBody::Blocks { blocks: vec![block; usize::from(MAX_OPENINGS)] }) <= MAX_FRAME_BYTES);
    assert!(wrap(AnswerBody::Scanned { roots: vec![Fixed([255; 32]); usize::from(MAX_PASSES)] }) <= MAX_FRAME_BYTES);
}

#[test]
fn too_much_is_refused() {
    assert!(Blob::<4>::new(vec![0; 5]).is_none());
    assert!(serde_json::from_value::<Blob<4>>(json!("AAAAAAA=")).is_err());
    for text in ["", "AAAA", "AQEBAQEBAQEBAQEBAQEBAQEB", "not base64 not base64 =="] {
        assert!(serde_json::from_value::<TaskId>(json!(text)).is_err(), "{text}");
    }
    let answer = |body| Answer { task_id: Fixed([0; 16]), stage: Stage::Open, body, signature: Fixed([0; 64]) };
    assert!(answer(AnswerBody::Scanned { roots: vec![Fixed([0; 32]); 257] }).check().is_err());
    assert!(answer(AnswerBody::Rows { rows: vec![opened(0, 0); 65] }).check().is_err());
}

proptest! {
    #[test]
    fn bytes_return_as_they_left(bytes in any::<[u8; 32]>(), blob in proptest::collection::vec(any::<u8>(), 0..64)) {
        let fixed = Fixed(bytes);
        prop_assert_eq!(serde_json::from_value::<Fixed<32>>(json!(fixed)).unwrap(), fixed);
        let blob = Blob::<64>::new(blob).unwrap();
        prop_assert_eq!(serde_json::from_value::<Blob<64>>(json!(blob)).unwrap(), blob);
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in ".{0,200}", kind in "product|memory|rows|blocks|committed") {
        let _ = serde_json::from_str::<Answer>(&text);
        let value = json!({"kind": kind, "side": 3, "rows": text, "root": text, "blocks": [{"block": {"bytes": text}}]});
        let _ = serde_json::from_value::<AnswerBody>(value);
    }
}
