//! Hostile files: whatever comes in, reading and replaying answer with an error, soon and without much memory, and never panic.

use ionet_epochs::{MAGIC, read};
use proptest::prelude::*;

use crate::file::{published, repaired, small};
use crate::world::world;
use ionet_epochs::{Totals, close};

fn try_all(bytes: &[u8]) -> bool {
    read(&mut &*bytes).is_ok_and(|published| published.replay().is_ok())
}

/// The header's text and where the sections begin.
fn parts(bytes: &[u8]) -> (String, usize) {
    let length = u32::from_le_bytes(bytes[8..12].try_into().unwrap()) as usize;
    (String::from_utf8(bytes[12..12 + length].to_vec()).unwrap(), 12 + length)
}

fn with_header(bytes: &[u8], header: &str) -> Vec<u8> {
    let (_, sections) = parts(bytes);
    let length = u32::try_from(header.len()).unwrap().to_le_bytes();
    repaired([&MAGIC[..], &length, header.as_bytes(), &bytes[sections..]].concat())
}

#[test]
fn impossible_headers_are_refused() {
    let (bytes, _) = published(&small());
    let (header, _) = parts(&bytes);
    assert!(try_all(&with_header(&bytes, &header)), "the unchanged header is fine");
    for (from, to) in [
        ("\"devices\":4", "\"devices\":18446744073709551615"),
        ("\"devices\":4", "\"devices\":16777216"),
        ("\"devices\":4", "\"devices\":3"),
        ("\"devices\":4", "\"devices\":-4"),
        ("\"version\":1", "\"version\":2"),
        ("\"version\":1", "\"version\": 1"),
        ("\"format\":\"ionet-epoch\"", "\"format\":\"ionet-epochs\""),
        ("\"epoch\":2", "\"epoch\":0"),
        ("\"epoch\":2", "\"epoch\":3"),
        ("\"record_bytes\":160", "\"record_bytes\":1"),
        ("\"kind\":\"gpu\"", "\"kind\":\"tpu\""),
        ("\"gpu_bps\":8000", "\"gpu_bps\":65535"),
        ("\"gpu_bps\":8000", "\"gpu_bps\":8001"),
        ("\"schedule\":0", "\"schedule\":9"),
        ("{", "{\"more\":1,"),
        ("\"multiplier_centi\":25", "\"multiplier_centi\":4294967295"),
    ] {
        assert!(header.contains(from), "{from} is in the header");
        let forged = with_header(&bytes, &header.replacen(from, to, 1));
        assert!(!try_all(&forged), "{to}");
    }
    // A header that claims to be longer than anything.
    let mut long = bytes.clone();
    long[8..12].copy_from_slice(&u32::MAX.to_le_bytes());
    assert!(!try_all(&long));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn noise_is_refused(noise in prop::collection::vec(any::<u8>(), 0..600)) {
        prop_assert!(!try_all(&noise));
        prop_assert!(!try_all(&[&MAGIC, noise.as_slice()].concat()));
    }

    #[test]
    fn a_mutated_file_never_panics(cuts in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..40), drop in any::<prop::sample::Index>(), repair in any::<bool>()) {
        let (mut bytes, _) = published(&small());
        let original = bytes.clone();
        for (place, byte) in cuts {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        if !repair {
            let length = drop.index(bytes.len());
            bytes.truncate(length);
        }
        if repair {
            bytes = repaired(bytes);
        }
        // What may come back is nothing that a panic or a wrong line could hide in: the replay agreed with every line.
        if try_all(&bytes) {
            prop_assert!(bytes == original || repair);
        }
    }

    #[test]
    fn sections_full_of_noise_never_panic(noise in prop::collection::vec(any::<u8>(), 4_096), from in any::<prop::sample::Index>(), count in 1usize..4_000) {
        let (mut bytes, _) = published(&small());
        let (_, sections) = parts(&bytes);
        let from = sections + from.index(bytes.len() - sections);
        let to = (from + count).min(bytes.len());
        bytes[from..to].copy_from_slice(&noise[..to - from]);
        try_all(&repaired(bytes));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_epoch_survives_its_file(world in world()) {
        let closed = close(world.seal(), &Totals::none()).unwrap();
        let (bytes, sha256) = published(&closed);
        let again = read(&mut bytes.as_slice()).unwrap();
        prop_assert_eq!(again.sha256(), sha256);
        prop_assert_eq!(again.inputs(), &closed.inputs);
        prop_assert_eq!(again.replay().unwrap().root(), closed.root());
    }
}
