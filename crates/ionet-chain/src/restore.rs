//! Opening a chain's directory: the lock, genesis, the newest snapshot, the journal after it, the index over all
//! of the journal.

use crate::{
    ChainError, ChainOptions,
    genesis::Genesis,
    history::{History, HistoryEntry, TimeStep},
    journal::{FileKind, Location, Next, Place, Segments, Writer, check_header, create_segment, list, next_frame, segment_path},
    programs,
    record::{self, Record},
    shared::Shared,
    snapshot,
    state::State,
    timeline::{BLOCKHASH_WINDOW_SLOTS, Moment, machine_unix_ms},
};
use fs2::FileExt;
use solana_account::AccountSharedData;
use solana_address::Address;
use solana_transaction::versioned::VersionedTransaction;
use std::{
    collections::HashMap,
    fs::{self, File, OpenOptions},
    io::{self, Seek, SeekFrom},
    path::Path,
    sync::Arc,
};

/// An opened directory.
pub(crate) struct Restored {
    pub(crate) lock: File,
    pub(crate) state: State,
    pub(crate) writer: Writer,
}

pub(crate) fn open(options: &ChainOptions) -> Result<Restored, ChainError> {
    let dir = &options.dir;
    fs::create_dir_all(dir).map_err(ChainError::io("create", dir))?;
    let lock = lock(dir)?;
    let genesis = open_genesis(options)?;
    genesis.check_clock(options)?;
    let svm = programs::ground(&genesis, &options.programs)?;

    let mut replay = Replay::new(&genesis);
    let mut first_replayed = 0;
    if let Some((index, data)) = snapshot::read_newest(dir, &genesis.id)? {
        first_replayed = index;
        replay.now = data.moment;
        replay.accounts.extend(data.accounts);
    }
    let indexes = list(dir, FileKind::Journal)?;
    check_sequence(dir, &indexes, first_replayed)?;
    let segments = Segments::default();
    let mut end = 0;
    let mut replayed_bytes = 0;
    for index in &indexes {
        let last = *index as usize + 1 == indexes.len();
        end = replay.segment(dir, &genesis.id, *index, last, *index >= first_replayed)?;
        if *index >= first_replayed {
            replayed_bytes += end;
        }
        let path = segment_path(dir, *index);
        segments.push(File::open(&path).map_err(ChainError::io("open", &path))?);
    }
    let index = u32::try_from(indexes.len() - 1).expect("segment numbers are u32");
    let path = segment_path(dir, index);
    let mut file = OpenOptions::new().read(true).write(true).open(&path).map_err(ChainError::io("open", &path))?;
    file.seek(SeekFrom::Start(end)).map_err(ChainError::io("seek in", &path))?;

    let Replay { mut now, accounts, history, .. } = replay;
    if genesis.real_clock {
        // Blockhashes handed out after the last write are still good if not too much time has passed since.
        let slot = genesis.real_slot(machine_unix_ms());
        if slot > now.slot {
            now = Moment { slot, unix_secs: genesis.real_unix_secs(slot).max(now.unix_secs), writes: 0 };
        }
    }
    let recent = history.signatures_since(now.slot.saturating_sub(BLOCKHASH_WINDOW_SLOTS));
    let shared = Arc::new(Shared::new(genesis, segments, history, now, options.airdrop_cap_lamports));
    let writer = Writer { dir: dir.clone(), shared: shared.clone(), file, index, offset: end };
    let state = State::new(svm, accounts, now, recent, replayed_bytes, shared);
    Ok(Restored { lock, state, writer })
}

fn lock(dir: &Path) -> Result<File, ChainError> {
    let path = dir.join("lock");
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(ChainError::io("open", &path))?;
    match FileExt::try_lock_exclusive(&file) {
        Ok(()) => Ok(file),
        Err(err) if err.kind() == fs2::lock_contended_error().kind() => Err(ChainError::Locked(dir.to_path_buf())),
        Err(err) => Err(ChainError::io("lock", &path)(err)),
    }
}

/// Reads genesis, or makes a new chain when the directory holds none.
fn open_genesis(options: &ChainOptions) -> Result<Genesis, ChainError> {
    let dir = &options.dir;
    if let Some(genesis) = Genesis::read(dir)? {
        return Ok(genesis);
    }
    // The first segment is made before genesis.json, so a crash between the two leaves an empty segment and no
    // genesis: that is still a new chain. Anything more is a chain that lost its genesis.
    for index in list(dir, FileKind::Journal)? {
        let path = segment_path(dir, index);
        let len = fs::metadata(&path).map_err(ChainError::io("read", &path))?.len();
        if index > 0 || len > crate::journal::FILE_HEADER_LEN as u64 {
            return Err(ChainError::Missing {
                path: Genesis::path(dir),
                advice: "The journal beside it belongs to a chain; restore the file from a backup of that chain".into(),
            });
        }
    }
    let (genesis, text) = Genesis::generate(options.clock);
    create_segment(dir, &genesis.id, 0).map_err(ChainError::io("create", &segment_path(dir, 0)))?;
    Genesis::write(dir, &text)?;
    Ok(genesis)
}

fn check_sequence(dir: &Path, indexes: &[u32], first_replayed: u32) -> Result<(), ChainError> {
    let expected = indexes.len().max(first_replayed as usize + 1);
    for index in 0..u32::try_from(expected).unwrap_or(u32::MAX) {
        if indexes.get(index as usize) != Some(&index) {
            return Err(ChainError::Missing {
                path: segment_path(dir, index),
                advice: "Restore the file from a backup of this chain".into(),
            });
        }
    }
    Ok(())
}

/// What replaying has found so far.
struct Replay {
    now: Moment,
    accounts: HashMap<Address, Option<AccountSharedData>>,
    history: History,
    real_clock: bool,
}

impl Replay {
    fn new(genesis: &Genesis) -> Self {
        let mut history = History::default();
        let start = genesis.start();
        history.push_step(TimeStep { slot: start.slot, unix_secs: start.unix_secs });
        Self { now: start, accounts: HashMap::new(), history, real_clock: genesis.real_clock }
    }

    /// Reads one segment; only with `replayed` do its records change the state. Returns where it ends.
    fn segment(&mut self, dir: &Path, genesis_id: &[u8; 32], index: u32, last: bool, replayed: bool) -> Result<u64, ChainError> {
        let path = segment_path(dir, index);
        let place = Place { genesis_id, index };
        let bytes = fs::read(&path).map_err(ChainError::io("read", &path))?;
        let damaged = |offset: u64, what: String| ChainError::Damaged {
            path: path.clone(),
            offset,
            what,
            advice: format!(
                "The chain before that byte is intact. Restore the file from a backup, or, to give up every \
                 transaction from there on, move the files of later numbers away and cut this one to {offset} bytes"
            ),
        };
        let mut offset = match check_header(FileKind::Journal, place, &bytes) {
            Ok(offset) => offset,
            // A crash while a segment is begun: nothing was written to it yet.
            Err(_) if last && index > 0 && bytes.len() < crate::journal::FILE_HEADER_LEN => {
                create_segment(dir, genesis_id, index).map_err(ChainError::io("create", &path))?;
                return Ok(crate::journal::FILE_HEADER_LEN as u64);
            }
            Err((at, what)) => return Err(damaged(at, what)),
        };
        loop {
            match next_frame(place, &bytes, offset) {
                Next::End => return Ok(offset as u64),
                Next::Frame { payload, payload_offset, next } => {
                    for item in record::split(payload) {
                        let (at, bytes) = item.map_err(|what| damaged(offset as u64, what))?;
                        let location = Location {
                            segment: index,
                            len: u32::try_from(bytes.len()).expect("a frame is under 4 GiB"),
                            offset: (payload_offset + at) as u64,
                        };
                        self.record(bytes, location, replayed).map_err(|what| damaged(location.offset, what))?;
                    }
                    offset = next;
                }
                Next::Torn if last => {
                    let dropped = bytes.len() - offset;
                    tracing::warn!(
                        "dropped {dropped} bytes at the end of {}: a write that was cut short and never acknowledged",
                        path.display()
                    );
                    cut(&path, offset as u64).map_err(ChainError::io("cut", &path))?;
                    return Ok(offset as u64);
                }
                Next::Torn => return Err(damaged(offset as u64, "a frame is cut short and later segments follow".into())),
                Next::Damaged(what) => return Err(damaged(offset as u64, what.into())),
            }
        }
    }

    fn record(&mut self, bytes: &[u8], location: Location, replayed: bool) -> Result<(), String> {
        match record::parse(bytes)? {
            Record::Transaction(transaction) => {
                let moment = Moment::from(transaction.moment);
                let wire: VersionedTransaction = wincode::deserialize(transaction.wire).map_err(|err| format!("a transaction: {err}"))?;
                let mut addresses = wire.message.static_account_keys().to_vec();
                let loaded = transaction.loaded_addresses();
                addresses.extend(loaded.writable.into_iter().chain(loaded.readonly));
                self.history.push(HistoryEntry {
                    signature: wire.signatures.first().copied().ok_or("a transaction without signature")?,
                    slot: moment.slot,
                    unix_secs: moment.unix_secs,
                    err: transaction.err.map(Box::new),
                    addresses,
                    location,
                });
                if replayed {
                    self.now = moment.after_write();
                    for account in transaction.accounts {
                        self.accounts.insert(account.address(), account.to_account());
                    }
                }
            }
            Record::Advance(moment) => {
                let moment = Moment::from(moment);
                if !self.real_clock {
                    self.history.push_step(TimeStep { slot: moment.slot, unix_secs: moment.unix_secs });
                }
                if replayed {
                    self.now = moment;
                }
            }
            Record::Snapshot { .. } | Record::Account(_) => return Err("a snapshot's record in a journal".into()),
        }
        Ok(())
    }
}

fn cut(path: &Path, len: u64) -> io::Result<()> {
    let file = OpenOptions::new().write(true).open(path)?;
    file.set_len(len)?;
    file.sync_all()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail where it stands")]
mod tests {
    use super::*;
    use crate::{Chain, ChainClock};
    use serde_json::json;

    fn replay(dir: &Path) -> Result<(Replay, u64), ChainError> {
        let genesis = Genesis::read(dir)?.expect("the chain has a genesis");
        let mut replay = Replay::new(&genesis);
        let end = replay.segment(dir, &genesis.id, 0, true, true)?;
        Ok((replay, end))
    }

    /// The same as opening a chain, but for the virtual machine: so every single byte can be tried.
    #[tokio::test(flavor = "multi_thread")]
    async fn a_last_record_cut_at_any_byte_is_dropped_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let options = ChainOptions { clock: ChainClock::Stepped { start_unix_secs: 0 }, ..ChainOptions::new(dir.path()) };
        let path = segment_path(dir.path(), 0);
        let chain = Chain::open(options).unwrap();
        let airdrop = async |byte: u8| {
            let address = Address::new_from_array([byte; 32]).to_string();
            chain.request("requestAirdrop", json!([address, 1_000_000])).await.unwrap();
            fs::metadata(&path).unwrap().len()
        };
        airdrop(1).await;
        let before = airdrop(2).await;
        let after = airdrop(3).await;
        chain.close().await;
        let bytes = fs::read(&path).unwrap();
        assert_eq!(bytes.len() as u64, after);

        let (whole, end) = replay(dir.path()).unwrap();
        assert_eq!((whole.history.len(), end), (3, after));
        for len in before..after {
            fs::write(&path, &bytes[..usize::try_from(len).unwrap()]).unwrap();
            let (replayed, end) = replay(dir.path()).unwrap();
            assert_eq!((replayed.history.len(), end), (2, before), "cut to {len}");
            assert!(replayed.accounts.contains_key(&Address::new_from_array([2; 32])));
            assert!(!replayed.accounts.contains_key(&Address::new_from_array([3; 32])));
            assert_eq!(fs::metadata(&path).unwrap().len(), before, "the file is cut, too");
        }
    }
}
