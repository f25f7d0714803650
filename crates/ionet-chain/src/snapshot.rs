//! Snapshots: the accounts at the beginning of a journal segment, so that opening need not replay from genesis.
//! A snapshot holds nothing that the journal does not; it can always be deleted.

use crate::{
    ChainError,
    journal::{FRAME_HEADER_LEN, FileKind, Next, Place, check_header, encode_header, file_header, list, next_frame, sync_dir},
    record::{self, AccountRecord, Record},
    timeline::Moment,
};
use solana_account::AccountSharedData;
use solana_address::Address;
use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::Path,
};

const FRAME_BYTES: usize = 1 << 20;

/// What a snapshot holds: every account that the journal ever wrote, as it is now (`None`: gone).
pub(crate) struct SnapshotData {
    pub(crate) moment: Moment,
    pub(crate) accounts: Vec<(Address, Option<AccountSharedData>)>,
}

/// Writes a snapshot of the state at the start of segment `index`, then deletes older ones.
pub(crate) fn write(dir: &Path, genesis_id: &[u8; 32], index: u32, data: &SnapshotData) -> io::Result<()> {
    let place = Place { genesis_id, index };
    let path = FileKind::Snapshot.path(dir, index);
    let temp = path.with_extension("tmp");
    let mut file = BufWriter::new(File::create(&temp)?);
    let header = file_header(FileKind::Snapshot, place);
    file.write_all(&header)?;
    let mut offset = header.len() as u64;
    let mut payload = Vec::with_capacity(FRAME_BYTES + 4096);
    record::append(&mut payload, &Record::Snapshot { moment: data.moment.into(), accounts: data.accounts.len() as u64 });
    let mut rest = data.accounts.iter();
    loop {
        let account = rest.next();
        if payload.len() >= FRAME_BYTES || account.is_none() {
            file.write_all(&encode_header(place, offset, &payload))?;
            file.write_all(&payload)?;
            offset += (FRAME_HEADER_LEN + payload.len()) as u64;
            payload.clear();
        }
        let Some((address, account)) = account else {
            break;
        };
        let account = account.as_ref().map_or_else(|| AccountRecord::gone(address), |account| AccountRecord::new(address, account));
        record::append(&mut payload, &Record::Account(account));
    }
    file.into_inner()?.sync_all()?;
    fs::rename(&temp, &path)?;
    File::open(dir)?.sync_all()?;
    for old in list(dir, FileKind::Snapshot).map_err(io::Error::other)? {
        if old < index {
            fs::remove_file(FileKind::Snapshot.path(dir, old))?;
        }
    }
    Ok(())
}

/// Reads the newest snapshot: its segment's number and its content.
pub(crate) fn read_newest(dir: &Path, genesis_id: &[u8; 32]) -> Result<Option<(u32, SnapshotData)>, ChainError> {
    remove_unfinished(dir)?;
    let Some(index) = list(dir, FileKind::Snapshot)?.pop() else {
        return Ok(None);
    };
    let path = FileKind::Snapshot.path(dir, index);
    let bytes = fs::read(&path).map_err(ChainError::io("read", &path))?;
    parse(Place { genesis_id, index }, &bytes).map(|data| Some((index, data))).map_err(|(offset, what)| ChainError::Damaged {
        path: path.clone(),
        offset,
        what,
        advice: "Move this file away and open again: the journal holds all of it and is replayed instead".into(),
    })
}

fn parse(place: Place<'_>, file: &[u8]) -> Result<SnapshotData, (u64, String)> {
    let mut offset = check_header(FileKind::Snapshot, place, file)?;
    let mut head: Option<(Moment, u64)> = None;
    let mut accounts = Vec::new();
    loop {
        let at = offset as u64;
        let (payload, next) = match next_frame(place, file, offset) {
            Next::Frame { payload, next, .. } => (payload, next),
            Next::End => break,
            Next::Torn => return Err((at, "it is cut short".into())),
            Next::Damaged(what) => return Err((at, what.into())),
        };
        for item in record::split(payload) {
            let (_, bytes) = item.map_err(|what| (at, what))?;
            match (record::parse(bytes).map_err(|what| (at, what))?, &head) {
                (Record::Snapshot { moment, accounts }, None) => head = Some((moment.into(), accounts)),
                (Record::Account(account), Some(_)) => accounts.push((account.address(), account.to_account())),
                _ => return Err((at, "records are in the wrong order".into())),
            }
        }
        offset = next;
    }
    match head {
        Some((moment, count)) if count == accounts.len() as u64 => Ok(SnapshotData { moment, accounts }),
        Some((_, count)) => Err((file.len() as u64, format!("it holds {} of {count} accounts", accounts.len()))),
        None => Err((file.len() as u64, "it is empty".into())),
    }
}

fn remove_unfinished(dir: &Path) -> Result<(), ChainError> {
    let mut removed = false;
    for entry in fs::read_dir(dir).map_err(ChainError::io("list", dir))? {
        let path = entry.map_err(ChainError::io("list", dir))?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or("");
        if name.starts_with("snapshot-") && path.extension().is_some_and(|extension| extension == "tmp") {
            fs::remove_file(&path).map_err(ChainError::io("remove", &path))?;
            removed = true;
        }
    }
    if removed { sync_dir(dir) } else { Ok(()) }
}
