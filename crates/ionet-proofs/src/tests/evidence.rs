//! The transcript: whoever has it comes to the same verdict, and whoever changes it does not get away with it.

use std::sync::OnceLock;

use ionet_types::agent::challenge::Stage;
use proptest::prelude::*;

use super::common::*;
use crate::transcript::{MAX_TRANSCRIPT_BYTES, Transcript, TranscriptError};
use crate::verdict::Verdict;

/// One passed examination of each job.
fn transcripts() -> &'static [Transcript; 3] {
    static KEPT: OnceLock<[Transcript; 3]> = OnceLock::new();
    KEPT.get_or_init(|| {
        let passed = |number: usize| {
            let key = key(30);
            let mut examiner = examiner(&key, &task(number as u8, JOBS[number]), terms());
            let verdict = examine(&mut examiner, &mut prover(cpu(), &key), |_| 30);
            assert!(matches!(verdict, Verdict::Passed(_)), "{verdict:?}");
            examiner.finish().unwrap()
        };
        [passed(0), passed(1), passed(2)]
    })
}

#[test]
fn it_is_written_and_read_and_leads_to_the_same() {
    for transcript in transcripts() {
        let bytes = transcript.to_bytes();
        let read = Transcript::from_bytes(&bytes).unwrap();
        assert_eq!(&read, transcript);
        assert_eq!(read.sha256(), transcript.sha256());
        assert_eq!(Some(read.replay().unwrap()), transcript.verdict);
        let mut stages = read.events.iter().filter_map(|event| event.answer.as_ref()).map(|answer| answer.stage);
        assert_eq!(stages.next_back(), Some(if transcript.events.len() == 1 { Stage::Commit } else { Stage::Open }));
    }
}

#[test]
fn another_story_does_not_lead_there() {
    let whole = &transcripts()[1];
    let told = |change: &dyn Fn(&mut Transcript)| {
        let mut told = whole.clone();
        change(&mut told);
        told.replay().map_err(|error| error.code())
    };
    assert_eq!(told(&|_| ()), Ok(whole.verdict.unwrap()));
    assert_eq!(told(&|it| it.events.truncate(1)), Err("transcript_events_wrong"), "something is missing");
    assert_eq!(told(&|it| it.events.push(it.events[2].clone())), Err("transcript_events_wrong"), "something comes after the end");
    assert_eq!(told(&|it| it.events.swap(0, 1)), Err("transcript_events_wrong"), "another order");
    assert_eq!(told(&|it| it.events[1].at_ms = 0), Err("transcript_events_wrong"), "time goes back");
    assert_eq!(told(&|it| it.events[1].answer = None), Err("transcript_events_wrong"), "nobody stopped waiting so early");
    assert_eq!(told(&|it| it.verdict = None), Err("transcript_events_wrong"));
    assert_eq!(told(&|it| it.verdict = transcripts()[0].verdict), Err("transcript_verdict_wrong"), "another verdict");
    assert_eq!(told(&|it| it.events[1].at_ms += 1), Err("transcript_verdict_wrong"), "another speed");
    assert_eq!(told(&|it| it.device[0] ^= 1), Err("transcript_events_wrong"), "another device");
    assert_eq!(told(&|it| it.network.push('x')), Err("transcript_events_wrong"), "another network");
    assert_eq!(told(&|it| it.task.epoch += 1), Err("transcript_events_wrong"), "another epoch");
    assert_eq!(told(&|it| it.nonces.open.0[0] ^= 1), Err("transcript_verdict_wrong"), "another nonce");
    assert_eq!(told(&|it| it.task.job = ionet_types::agent::challenge::Job::Unknown), Err("transcript_task_refused"));
}

#[test]
fn what_is_no_transcript_is_refused() {
    let code = |bytes: &[u8]| Transcript::from_bytes(bytes).map_err(|error| error.code()).err();
    let bytes = transcripts()[2].to_bytes();
    assert_eq!(code(&bytes), None);
    assert_eq!(code(b"{}"), Some("transcript_malformed"));
    assert_eq!(code(&[b' '; MAX_TRANSCRIPT_BYTES + 1]), Some("transcript_too_long"));
    assert_eq!(code(&[b" ", &bytes[..]].concat()), Some("transcript_not_canonical"));
    let text = String::from_utf8(bytes).unwrap();
    assert_eq!(code(text.replacen("\"version\":1", "\"version\":2", 1).as_bytes()), Some("transcript_version_unknown"));
    assert!(matches!(Transcript::from_bytes(b"[]"), Err(TranscriptError::Malformed(_))));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// The hash notices every change. Without the hash, a change of anything that the device signed or that its answers depend on is
    /// noticed, too; what remains are the hub's own words (times and terms) where they do not touch the verdict.
    #[test]
    fn a_changed_byte_is_noticed(which in 0usize..3, place: usize, bit in 0u8..8) {
        let whole = &transcripts()[which];
        let mut bytes = whole.to_bytes();
        let place = place % bytes.len();
        bytes[place] ^= 1 << bit;
        if let Ok(changed) = Transcript::from_bytes(&bytes) {
            prop_assert_ne!(changed.sha256(), whole.sha256());
            if changed.replay().is_ok() {
                let mut again = changed.clone();
                again.terms = whole.terms;
                again.started_ms = whole.started_ms;
                again.events.iter_mut().zip(&whole.events).for_each(|(event, was)| event.at_ms = was.at_ms);
                // A scan's nonce counts only where there is a scan, and an opening's where something is opened.
                again.nonces = whole.nonces;
                prop_assert_eq!(&again, whole);
                prop_assert!(changed.nonces == whole.nonces || which != 1);
            }
        }
    }
}
