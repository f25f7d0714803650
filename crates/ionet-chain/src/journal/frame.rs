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
    Frame {
        payload: &'a [u8],
        payload_offset: usize,
        next: usize,
    },
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
    Next::Frame {
        payload,
        payload_offset,
        next: payload_offset + payload.len(),
    }
}

fn header_checksum(place: Place<'_>, offset: u64, header: &[u8; FRAME_HEADER_LEN]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(place.genesis_id);
    hasher.update(&place.index.to_le_bytes());
    hasher.update(&offset.to_le_bytes());
    hasher.update(&header[..12]);
    hasher.finalize()
}
