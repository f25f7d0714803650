//! Frames: length, checksum of the payload, checksum of the header itself, payload.
//!
//! The header has its own checksum, over its place in the chain's files too, so that a damaged length cannot pass
//! for a torn tail and quietly take the frames behind it with it. A frame is written with one call and synced
//! before anything in it is acknowledged: only the last one can be cut short by a crash.

const MAGIC: [u8; 4] = *b"IOFR";
/// Bytes before a frame's payload.
pub(crate) const FRAME_HEADER_LEN: usize = 16;

/// Which file of which chain a frame belongs to.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) genesis_id: &'a [u8; 32],
    /// Number of the segment or snapshot.
    pub(crate) index: u32,
}

/// What stands at an offset of a file.
pub(crate) enum Next<'a> {
    /// Exactly the end of the file.
    End,
    /// A whole, sound frame.
    Frame { payload: &'a [u8], payload_offset: usize, next: usize },
    /// A frame that was cut short: its bytes end with the file.
    Torn,
    /// Bytes that no crash leaves behind.
    Damaged(&'static str),
}

/// The header of a frame that will stand at `offset`.
pub(crate) fn encode_header(place: Place<'_>, offset: u64, payload: &[u8]) -> [u8; FRAME_HEADER_LEN] {
    let len = u32::try_from(payload.len()).expect("the writer keeps frames under 4 GiB");
    let mut header = [0; FRAME_HEADER_LEN];
    header[..4].copy_from_slice(&MAGIC);
    header[4..8].copy_from_slice(&len.to_le_bytes());
    header[8..12].copy_from_slice(&crc32fast::hash(payload).to_le_bytes());
    let checksum = header_checksum(place, offset, &header);
    header[12..].copy_from_slice(&checksum.to_le_bytes());
    header
}

/// Reads the frame at `offset` of a whole file.
pub(crate) fn next_frame<'a>(place: Place<'_>, file: &'a [u8], offset: usize) -> Next<'a> {
    let rest = &file[offset.min(file.len())..];
    if rest.is_empty() {
        return Next::End;
    }
    let Some((header, body)) = rest.split_first_chunk::<FRAME_HEADER_LEN>() else {
        return Next::Torn;
    };
    let word = |at: usize| u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
    if header[..4] != MAGIC || header_checksum(place, offset as u64, header) != word(12) {
        // A file that grew before its bytes arrived reads as zeros to its end.
        return if rest.iter().all(|byte| *byte == 0) {
            Next::Torn
        } else {
            Next::Damaged("the frame's header does not match its checksum")
        };
    }
    let Some(payload) = body.get(..word(4) as usize) else {
        return Next::Torn;
    };
    if crc32fast::hash(payload) != word(8) {
        return Next::Damaged("the frame's content does not match its checksum");
    }
    let payload_offset = offset + FRAME_HEADER_LEN;
    Next::Frame { payload, payload_offset, next: payload_offset + payload.len() }
}

fn header_checksum(place: Place<'_>, offset: u64, header: &[u8; FRAME_HEADER_LEN]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(place.genesis_id);
    hasher.update(&place.index.to_le_bytes());
    hasher.update(&offset.to_le_bytes());
    hasher.update(&header[..12]);
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const GENESIS_ID: [u8; 32] = [7; 32];

    fn place(index: u32) -> Place<'static> {
        Place { genesis_id: &GENESIS_ID, index }
    }

    fn file(payloads: &[Vec<u8>]) -> Vec<u8> {
        let mut file = Vec::new();
        for payload in payloads {
            let header = encode_header(place(3), file.len() as u64, payload);
            file.extend_from_slice(&header);
            file.extend_from_slice(payload);
        }
        file
    }

    /// The sound frames from the start, and whether the file then ends, is torn or is damaged.
    fn read(place: Place<'_>, file: &[u8]) -> (Vec<Vec<u8>>, &'static str) {
        let (mut payloads, mut offset) = (Vec::new(), 0);
        loop {
            match next_frame(place, file, offset) {
                Next::Frame { payload, next, .. } => {
                    payloads.push(payload.to_vec());
                    offset = next;
                }
                Next::End => return (payloads, "end"),
                Next::Torn => return (payloads, "torn"),
                Next::Damaged(_) => return (payloads, "damaged"),
            }
        }
    }

    fn payloads() -> impl Strategy<Value = Vec<Vec<u8>>> {
        proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..300), 1..5)
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(payloads in payloads()) {
            prop_assert_eq!(read(place(3), &file(&payloads)), (payloads, "end"));
        }

        #[test]
        fn every_cut_in_the_last_frame_is_torn_and_costs_only_it(payloads in payloads()) {
            let whole = file(&payloads);
            let (last, others) = payloads.split_last().expect("at least one");
            let start = whole.len() - FRAME_HEADER_LEN - last.len();
            for len in start..whole.len() {
                let expected = if len == start { "end" } else { "torn" };
                prop_assert_eq!(read(place(3), &whole[..len]), (others.to_vec(), expected));
            }
        }

        #[test]
        fn every_flipped_bit_is_damage(payloads in payloads(), at in any::<prop::sample::Index>(), bit in 0..8u8) {
            let mut flipped = file(&payloads);
            let at = at.index(flipped.len());
            flipped[at] ^= 1 << bit;
            let (sound, verdict) = read(place(3), &flipped);
            prop_assert_eq!(verdict, "damaged");
            prop_assert_eq!(&sound[..], &payloads[..sound.len()]);
        }

        #[test]
        fn frames_do_not_fit_elsewhere(payloads in payloads(), shift in 1..50usize) {
            let whole = file(&payloads);
            prop_assert_eq!(read(place(4), &whole), (vec![], "damaged"));
            let mut shifted = vec![1; shift];
            shifted.extend_from_slice(&whole);
            prop_assert!(matches!(next_frame(place(3), &shifted, shift), Next::Damaged(_)));
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), offset in 0..300usize) {
            next_frame(place(3), &bytes, offset);
        }
    }
}
