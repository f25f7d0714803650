//! Segment and snapshot files: their names, their headers, and reading records back from them.

use super::Place;
use crate::ChainError;
use std::{
    fs::{self, File},
    io,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::{Arc, RwLock},
};

const VERSION: u32 = 1;
/// Bytes before a file's first frame.
pub(crate) const FILE_HEADER_LEN: usize = 52;

/// The two kinds of file that hold frames.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum FileKind {
    Journal,
    Snapshot,
}

impl FileKind {
    fn magic(self) -> [u8; 8] {
        match self {
            Self::Journal => *b"IONETJNL",
            Self::Snapshot => *b"IONETSNP",
        }
    }

    fn affixes(self) -> (&'static str, &'static str) {
        match self {
            Self::Journal => ("journal-", ".log"),
            Self::Snapshot => ("snapshot-", ".bin"),
        }
    }

    pub(crate) fn path(self, dir: &Path, index: u32) -> PathBuf {
        let (prefix, suffix) = self.affixes();
        dir.join(format!("{prefix}{index:010}{suffix}"))
    }
}

pub(crate) fn segment_path(dir: &Path, index: u32) -> PathBuf {
    FileKind::Journal.path(dir, index)
}

/// The numbers of the files of a kind, ascending.
pub(crate) fn list(dir: &Path, kind: FileKind) -> Result<Vec<u32>, ChainError> {
    let (prefix, suffix) = kind.affixes();
    let mut indexes = Vec::new();
    for entry in fs::read_dir(dir).map_err(ChainError::io("list", dir))? {
        let name = entry.map_err(ChainError::io("list", dir))?.file_name();
        let index: Option<u32> = name.to_str().and_then(|name| name.strip_prefix(prefix)?.strip_suffix(suffix)?.parse().ok());
        indexes.extend(index);
    }
    indexes.sort_unstable();
    Ok(indexes)
}

/// Magic, version, number, chain, checksum.
pub(crate) fn file_header(kind: FileKind, place: Place<'_>) -> [u8; FILE_HEADER_LEN] {
    let mut header = [0; FILE_HEADER_LEN];
    header[..8].copy_from_slice(&kind.magic());
    header[8..12].copy_from_slice(&VERSION.to_le_bytes());
    header[12..16].copy_from_slice(&place.index.to_le_bytes());
    header[16..48].copy_from_slice(place.genesis_id);
    let checksum = crc32fast::hash(&header[..48]);
    header[48..].copy_from_slice(&checksum.to_le_bytes());
    header
}

/// Returns where the first frame begins, or what is wrong and where.
pub(crate) fn check_header(kind: FileKind, place: Place<'_>, file: &[u8]) -> Result<usize, (u64, String)> {
    let Some(header) = file.first_chunk::<FILE_HEADER_LEN>() else {
        return Err((file.len() as u64, "the file header is cut short".into()));
    };
    if crc32fast::hash(&header[..48]).to_le_bytes() != header[48..] {
        return Err((0, "the file header does not match its checksum".into()));
    }
    if header[..8] != kind.magic() {
        return Err((0, "this is another kind of file".into()));
    }
    if header[8..12] != VERSION.to_le_bytes() {
        return Err((8, "it was written by another version of the format".into()));
    }
    if header[12..16] != place.index.to_le_bytes() {
        return Err((12, "its number differs from its name's".into()));
    }
    if header[16..48] != *place.genesis_id {
        return Err((16, "it belongs to another chain (genesis.json differs)".into()));
    }
    Ok(FILE_HEADER_LEN)
}

/// Where a record's bytes are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Location {
    pub(crate) segment: u32,
    pub(crate) len: u32,
    pub(crate) offset: u64,
}

/// Open handles of all segments, for reading history.
#[derive(Clone, Default)]
pub(crate) struct Segments(Arc<RwLock<Vec<Arc<File>>>>);

impl Segments {
    /// Adds the next segment. They come in order from number 0.
    pub(crate) fn push(&self, file: File) {
        self.0.write().expect("nothing panics while it holds this lock").push(Arc::new(file));
    }

    /// Reads one record's bytes. Blocks on the disk.
    pub(crate) fn read(&self, at: Location) -> io::Result<Vec<u8>> {
        let file = self
            .0
            .read()
            .expect("nothing panics while it holds this lock")
            .get(at.segment as usize)
            .cloned()
            .ok_or_else(|| io::Error::other("no such journal segment"))?;
        let mut bytes = vec![0; at.len as usize];
        file.read_exact_at(&mut bytes, at.offset)?;
        Ok(bytes)
    }
}
