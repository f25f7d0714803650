//! Who waits for what. The journal's writer publishes each transaction here once it is on disk; each connection
//! encodes for itself.

use crate::rpc::Fetched;
use solana_account::ReadableAccount;
use solana_address::Address;
use solana_signature::Signature;
use solana_transaction_error::TransactionError;
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};
use tokio::sync::{Notify, mpsc};

/// The most websocket connections at once.
const MAX_CONNECTIONS: usize = 512;
/// Notifications that may wait for a slow client before its connection is closed.
const QUEUE_LEN: usize = 4096;

/// A transaction that is on disk.
pub(crate) struct CommittedTransaction {
    pub(crate) signature: Signature,
    pub(crate) slot: u64,
    pub(crate) err: Option<TransactionError>,
    pub(crate) logs: Vec<String>,
    pub(crate) keys: Vec<Address>,
    /// Accounts it changed, as they are after it.
    pub(crate) accounts: Vec<Fetched>,
}

/// What a subscriber waits for.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) enum Topic {
    Signature(Signature),
    Account(Address),
    Program(Address),
    Logs,
    LogsOf(Address),
}

/// A transaction, for one subscription of a connection.
pub(crate) struct Delivery {
    pub(crate) subscription: u64,
    pub(crate) transaction: Arc<CommittedTransaction>,
}

/// The way to one connection.
#[derive(Clone)]
pub(crate) struct Sink {
    queue: mpsc::Sender<Delivery>,
    overflow: Arc<Notify>,
}

#[derive(Default)]
pub(crate) struct Subscriptions {
    by_topic: Mutex<HashMap<Topic, HashMap<u64, Sink>>>,
    count: AtomicUsize,
    connections: AtomicUsize,
    next_id: AtomicU64,
}

impl Sink {
    /// A new connection's sink, its queue, and what tells that the queue overflowed.
    pub(crate) fn new() -> (Self, mpsc::Receiver<Delivery>, Arc<Notify>) {
        let (queue, receiver) = mpsc::channel(QUEUE_LEN);
        let overflow = Arc::new(Notify::new());
        let sink = Self { queue, overflow: overflow.clone() };
        (sink, receiver, overflow)
    }
}

impl Subscriptions {
    /// Counts a connection in, unless there are too many.
    pub(crate) fn connect(&self) -> bool {
        self.connections.fetch_update(Ordering::AcqRel, Ordering::Acquire, |count| (count < MAX_CONNECTIONS).then_some(count + 1)).is_ok()
    }

    pub(crate) fn disconnect(&self) {
        self.connections.fetch_sub(1, Ordering::AcqRel);
    }

    /// An id that no other subscription of this chain has.
    pub(crate) fn next_id(&self) -> u64 {
        self.next_id.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn add(&self, topic: Topic, id: u64, sink: Sink) {
        self.topics().entry(topic).or_default().insert(id, sink);
        self.count.fetch_add(1, Ordering::AcqRel);
    }

    /// Returns whether it was there.
    pub(crate) fn remove(&self, topic: &Topic, id: u64) -> bool {
        let mut topics = self.topics();
        let Some(sinks) = topics.get_mut(topic) else {
            return false;
        };
        let removed = sinks.remove(&id).is_some();
        if sinks.is_empty() {
            topics.remove(topic);
        }
        if removed {
            self.count.fetch_sub(1, Ordering::AcqRel);
        }
        removed
    }

    /// Whether anybody waits for anything. Whoever subscribes later asks for the present afterwards.
    pub(crate) fn any(&self) -> bool {
        self.count.load(Ordering::Acquire) > 0
    }

    pub(crate) fn publish(&self, transaction: &Arc<CommittedTransaction>) {
        let mut topics = vec![Topic::Signature(transaction.signature), Topic::Logs];
        topics.extend(transaction.keys.iter().copied().map(Topic::LogsOf));
        for changed in &transaction.accounts {
            topics.push(Topic::Account(changed.address));
            topics.push(Topic::Program(*changed.account.owner()));
        }
        topics.sort_unstable_by_key(Topic::order);
        topics.dedup();
        let by_topic = self.topics();
        for topic in topics {
            for (id, sink) in by_topic.get(&topic).into_iter().flatten() {
                let delivery = Delivery { subscription: *id, transaction: transaction.clone() };
                if sink.queue.try_send(delivery).is_err() {
                    sink.overflow.notify_one();
                }
            }
        }
    }

    fn topics(&self) -> MutexGuard<'_, HashMap<Topic, HashMap<u64, Sink>>> {
        self.by_topic.lock().expect("nothing panics while it holds this lock")
    }
}

impl Topic {
    fn order(&self) -> (u8, [u8; 32]) {
        match self {
            Self::Signature(_) => (0, [0; 32]),
            Self::Account(address) => (1, address.to_bytes()),
            Self::Program(address) => (2, address.to_bytes()),
            Self::Logs => (3, [0; 32]),
            Self::LogsOf(address) => (4, address.to_bytes()),
        }
    }
}
