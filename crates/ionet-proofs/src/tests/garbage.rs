//! Whatever a device sends, signed or not: no panic, no pass.

use ionet_types::agent::challenge::{Answer, AnswerBody, Blob, DeclineReason, Fixed, Opened, OpenedBlock, Stage};
use proptest::prelude::*;

use super::common::*;
use crate::verdict::Verdict;
use crate::{Examiner, Seed, Step, Stop};

prop_compose! {
    fn opened()(bytes in prop_oneof![Just(0usize), Just(1_024), Just(1_023), 0usize..5_000], path in 0usize..40, odd in 0usize..2, fill: u8) -> Opened {
        let path = (path * 32 + odd).min(40 * 32);
        Opened { bytes: Blob::new(vec![fill; bytes]).unwrap(), path: Blob::new(vec![fill; path]).unwrap() }
    }
}

prop_compose! {
    fn opened_block()(block in opened(), parents in prop::option::of((opened(), opened())), scanned in opened()) -> OpenedBlock {
        OpenedBlock { block, parents: parents.map(|(one, other)| Box::new([one, other])), scanned }
    }
}

fn body() -> impl Strategy<Value = AnswerBody> {
    let many = prop_oneof![Just(16usize), 0usize..70];
    let rows = many.clone().prop_flat_map(|many| prop::collection::vec(opened(), many));
    let blocks = many.clone().prop_flat_map(|many| prop::collection::vec(opened_block(), many));
    let roots = prop_oneof![Just(3usize), 0usize..300].prop_flat_map(|many| prop::collection::vec(any::<[u8; 32]>(), many));
    prop_oneof![
        any::<[u8; 32]>().prop_map(|root| AnswerBody::Committed { root: Fixed(root) }),
        any::<[u8; 16]>().prop_map(|state| AnswerBody::Ended { state: Fixed(state) }),
        roots.prop_map(|roots| AnswerBody::Scanned { roots: roots.into_iter().map(Fixed).collect() }),
        rows.prop_map(|rows| AnswerBody::Rows { rows }),
        blocks.prop_map(|blocks| AnswerBody::Blocks { blocks }),
        Just(AnswerBody::Declined { reason: DeclineReason::Unknown }),
        Just(AnswerBody::Unknown),
    ]
}

fn stage() -> impl Strategy<Value = Stage> {
    prop_oneof![Just(Stage::Commit), Just(Stage::Scan), Just(Stage::Open), Just(Stage::Unknown)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn signed_garbage_never_passes(which in 0usize..3, honest_stages in 0usize..3, body in body(), stage in stage(), as_asked: bool, now_ms: u64) {
        let (key, task) = (key(40), task(1, JOBS[which]));
        let mut examiner: Examiner = examiner(&key, &task, terms());
        let mut device = prover(cpu(), &key);
        let mut answer = device.start(&task, &Stop::default());
        let mut nonce = task.nonce;
        // As far as it goes honestly, so that garbage comes at every stage.
        for _ in 0..honest_stages {
            let Step::Ask(ask) = examiner.receive(answer.clone(), 1_021) else { break };
            nonce = ask.nonce;
            answer = device.ask(&ask, &Stop::default()).unwrap();
        }
        prop_assume!(examiner.verdict().is_none());
        let stage = if as_asked { examiner.stage() } else { stage };
        let seed = Seed::new(NETWORK, key.verifying_key().as_bytes(), &task);
        let step = examiner.receive(seed.sign(&key, &task, stage, &nonce, body), now_ms);
        let passed = matches!(step, Step::Verdict(Verdict::Passed(_)));
        prop_assert!(!passed);
        if let Some(verdict) = examiner.verdict() {
            prop_assert_eq!(examiner.finish().unwrap().replay().unwrap(), verdict);
        }
    }

    #[test]
    fn an_answer_changed_anywhere_is_not_the_devices(which in 0usize..3, place: usize, bit in 0u8..8) {
        let (key, task) = (key(41), task(1, JOBS[which]));
        let answer = prover(cpu(), &key).start(&task, &Stop::default());
        let mut text = serde_json::to_vec(&answer).unwrap();
        let place = place % text.len();
        text[place] ^= 1 << bit;
        if let Ok(changed) = serde_json::from_slice::<Answer>(&text) {
            prop_assume!(changed != answer);
            let mut examiner: Examiner = examiner(&key, &task, terms());
            prop_assert!(matches!(examiner.receive(changed, 1_021), Step::Verdict(Verdict::Failed(_))));
        }
    }
}
