//! The writer thread: takes what the chain's thread executed, appends it, syncs once for all that waits, then
//! lets the answers out. While it waits for the disk the chain's thread executes the next requests.

use super::{FILE_HEADER_LEN, FRAME_HEADER_LEN, FileKind, Location, Place, encode_header, file_header};
use crate::{
    history::{HistoryEntry, TimeStep},
    record,
    server::subscriptions::CommittedTransaction,
    shared::Shared,
    snapshot::{self, SnapshotData},
    timeline::Moment,
};
use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    path::PathBuf,
    sync::{Arc, mpsc},
    thread,
};

/// A frame is closed when its payload has grown beyond this.
const FRAME_SOFT_LIMIT_BYTES: usize = 8 << 20;
/// At most this many requests share a sync.
const BATCH_LIMIT: usize = 4096;

/// Called once the request's effects are on disk, or with the reason why they are not.
pub(crate) type Deliver = Box<dyn FnOnce(Result<(), &str>) + Send>;

/// What one request left behind.
pub(crate) struct Commit {
    /// Its record, as `record::append` wrote it; empty when it only read.
    pub(crate) record: Vec<u8>,
    /// For the index, when the record is a transaction.
    pub(crate) entry: Option<HistoryEntry>,
    /// For `getBlockTime`, when the record is an advance.
    pub(crate) step: Option<TimeStep>,
    /// The chain's time after it.
    pub(crate) now: Moment,
    /// For subscribers.
    pub(crate) event: Option<Arc<CommittedTransaction>>,
    pub(crate) deliver: Option<Deliver>,
}

/// What the chain's thread sends.
pub(crate) enum Message {
    Commit(Commit),
    /// Begin a new segment and write what the state was at that point.
    Snapshot(SnapshotData),
}

/// The open end of the journal.
pub(crate) struct Writer {
    pub(crate) dir: PathBuf,
    pub(crate) shared: Arc<Shared>,
    pub(crate) file: File,
    pub(crate) index: u32,
    pub(crate) offset: u64,
}

/// Starts the thread. It ends when the sender is dropped, after the last message is on disk.
pub(crate) fn spawn(writer: Writer) -> io::Result<(mpsc::SyncSender<Message>, thread::JoinHandle<()>)> {
    let (sender, receiver) = mpsc::sync_channel(4 * BATCH_LIMIT);
    let handle = thread::Builder::new().name("chain-journal".into()).spawn(move || writer.run(&receiver))?;
    Ok((sender, handle))
}

impl Writer {
    fn run(mut self, receiver: &mpsc::Receiver<Message>) {
        let mut snapshot: Option<thread::JoinHandle<()>> = None;
        let mut batch = Vec::new();
        let mut frame = Vec::new();
        while let Ok(first) = receiver.recv() {
            let mut requested = None;
            let mut bytes = 0;
            let mut next = Some(first);
            while let Some(message) = next.take() {
                match message {
                    Message::Commit(commit) => {
                        bytes += commit.record.len();
                        batch.push(commit);
                    }
                    Message::Snapshot(data) => {
                        requested = Some(data);
                        break;
                    }
                }
                if batch.len() < BATCH_LIMIT && bytes < FRAME_SOFT_LIMIT_BYTES {
                    next = receiver.try_recv().ok();
                }
            }
            self.commit(&mut batch, &mut frame);
            if let Some(data) = requested {
                // One snapshot at a time: the older would be worthless once the newer is there.
                if let Some(running) = snapshot.take() {
                    running.join().ok();
                }
                snapshot = self.begin_segment(data);
            }
        }
        if let Some(running) = snapshot {
            running.join().ok();
        }
    }

    /// Writes one frame for the whole batch, syncs, publishes, answers.
    fn commit(&mut self, batch: &mut Vec<Commit>, frame: &mut Vec<u8>) {
        let result = match self.shared.failure() {
            Some(reason) => Err(reason.to_owned()),
            None => self.append(batch, frame).map_err(|err| {
                let reason = format!("the journal in {} cannot be written: {err}", self.dir.display());
                tracing::error!("{reason}; the chain stops until it is opened again");
                self.shared.fail(reason.clone());
                reason
            }),
        };
        let mut events = Vec::new();
        let mut deliveries = Vec::with_capacity(batch.len());
        {
            let mut history = self.shared.history_mut();
            for commit in batch.drain(..) {
                if result.is_ok() {
                    if let Some(entry) = commit.entry {
                        history.push(entry);
                    }
                    if let Some(step) = commit.step {
                        history.push_step(step);
                    }
                    self.shared.publish(commit.now);
                    events.extend(commit.event);
                }
                deliveries.extend(commit.deliver);
            }
        }
        for event in events {
            self.shared.subscriptions.publish(&event);
        }
        for deliver in deliveries {
            match &result {
                Ok(()) => deliver(Ok(())),
                Err(reason) => deliver(Err(reason)),
            }
        }
    }

    fn append(&mut self, batch: &mut [Commit], frame: &mut Vec<u8>) -> io::Result<()> {
        frame.clear();
        frame.resize(FRAME_HEADER_LEN, 0);
        for commit in &mut *batch {
            if commit.record.is_empty() {
                continue;
            }
            if let Some(entry) = &mut commit.entry {
                entry.location = Location {
                    segment: self.index,
                    len: u32::try_from(commit.record.len() - record::LENGTH_LEN).map_err(|_| io::Error::other("a record is over 4 GiB"))?,
                    offset: self.offset + (frame.len() + record::LENGTH_LEN) as u64,
                };
            }
            frame.extend_from_slice(&commit.record);
        }
        if frame.len() == FRAME_HEADER_LEN {
            return Ok(());
        }
        if u32::try_from(frame.len()).is_err() {
            return Err(io::Error::other("a batch is over 4 GiB"));
        }
        let place = Place { genesis_id: &self.shared.genesis.id, index: self.index };
        let header = encode_header(place, self.offset, &frame[FRAME_HEADER_LEN..]);
        frame[..FRAME_HEADER_LEN].copy_from_slice(&header);
        self.file.write_all(frame)?;
        self.file.sync_data()?;
        self.offset += frame.len() as u64;
        // A rare huge batch must not hold its memory for ever.
        if frame.capacity() > 4 * FRAME_SOFT_LIMIT_BYTES {
            frame.shrink_to(FRAME_SOFT_LIMIT_BYTES);
        }
        Ok(())
    }

    /// Goes on in a new segment, and writes in the background what the state was when it began.
    fn begin_segment(&mut self, data: SnapshotData) -> Option<thread::JoinHandle<()>> {
        if self.shared.failure().is_some() {
            return None;
        }
        let index = self.index + 1;
        let opened = create_segment(&self.dir, &self.shared.genesis.id, index).and_then(|file| Ok((file.try_clone()?, file)));
        match opened {
            Ok((reader, file)) => {
                self.shared.segments.push(reader);
                self.file = file;
                self.index = index;
                self.offset = FILE_HEADER_LEN as u64;
            }
            Err(err) => {
                // Not fatal: the journal goes on in the old segment, which must then stay the last.
                std::fs::remove_file(super::segment_path(&self.dir, index)).ok();
                tracing::warn!("no new journal segment in {}: {err}", self.dir.display());
                return None;
            }
        }
        let (dir, shared) = (self.dir.clone(), self.shared.clone());
        thread::Builder::new()
            .name("chain-snapshot".into())
            .spawn(move || {
                if let Err(err) = snapshot::write(&dir, &shared.genesis.id, index, &data) {
                    tracing::warn!("no snapshot was written: {err}; the journal has everything it would hold");
                }
            })
            .ok()
    }
}

/// Makes an empty segment, durable with its name.
pub(crate) fn create_segment(dir: &std::path::Path, genesis_id: &[u8; 32], index: u32) -> io::Result<File> {
    let path = super::segment_path(dir, index);
    let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(&path)?;
    file.write_all(&file_header(FileKind::Journal, Place { genesis_id, index }))?;
    file.sync_all()?;
    File::open(dir)?.sync_all()?;
    Ok(file)
}
