//! The journal: numbered segment files of frames, each frame one group commit. See `frame` for the bytes.

mod frame;
mod segment;
mod writer;

pub(crate) use frame::{FRAME_HEADER_LEN, Next, Place, encode_header, next_frame};
pub(crate) use segment::{FILE_HEADER_LEN, FileKind, Location, Segments, check_header, file_header, list, segment_path};
pub(crate) use writer::{Commit, Deliver, Message, Writer, create_segment, spawn};

use crate::ChainError;
use std::{fs::File, path::Path};

/// Makes renames and new files in a directory durable.
pub(crate) fn sync_dir(dir: &Path) -> Result<(), ChainError> {
    File::open(dir).and_then(|handle| handle.sync_all()).map_err(ChainError::io("sync", dir))
}
