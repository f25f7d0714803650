//! Timed transfers: the hub sends or takes a stream of bytes that nobody can know before, and takes the time. A ticket names one transfer
//! to the one device that was sent it, and is good for one try.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ionet_types::agent::challenge::{Digest, Direction, Nonce, TaskId, TransferTicket};
use tokio::sync::oneshot;

/// The transfers that are under way.
#[derive(Default)]
pub(crate) struct Transfers(Mutex<HashMap<TaskId, Pending>>);

struct Pending {
    ticket: TransferTicket,
    /// Where the bytes come from, either way.
    seed: Nonce,
    began: Option<Instant>,
    done: oneshot::Sender<Moved>,
}

/// How a transfer went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moved {
    /// From the first byte to the last, as the hub saw it.
    pub(crate) elapsed: Duration,
    /// What was received.
    pub(crate) digest: Digest,
}

/// A transfer that a device has come for.
#[derive(Debug, Clone, Copy)]
pub struct Transfer {
    /// Its name.
    pub ticket: TaskId,
    /// How many bytes.
    pub bytes: u64,
    /// Where they come from.
    pub seed: Nonce,
}

impl Transfers {
    fn lock(&self) -> MutexGuard<'_, HashMap<TaskId, Pending>> {
        // Nothing under this lock leaves the table half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new transfer: the ticket for the device, and how it went once it is over. Forgotten when the receiver is dropped.
    pub(crate) fn issue(&self, id: TaskId, direction: Direction, bytes: u64, seed: Nonce) -> (TransferTicket, oneshot::Receiver<Moved>) {
        let (done, receiver) = oneshot::channel();
        let ticket = TransferTicket { ticket: id, direction, bytes, seed: (direction == Direction::Upload).then_some(seed) };
        let mut all = self.lock();
        all.retain(|_, pending| !pending.done.is_closed());
        all.insert(id, Pending { ticket, seed, began: None, done });
        (ticket, receiver)
    }

    /// A device comes with a ticket; the time begins. `None` when there is no such transfer, or it began already.
    pub(crate) fn begin(&self, id: TaskId, direction: Direction) -> Option<Transfer> {
        let mut all = self.lock();
        let pending = all.get_mut(&id).filter(|pending| pending.ticket.direction == direction && pending.began.is_none())?;
        pending.began = Some(Instant::now());
        Some(Transfer { ticket: id, bytes: pending.ticket.bytes, seed: pending.seed })
    }

    /// All bytes were moved; whoever received them says what they were.
    pub(crate) fn end(&self, id: TaskId, direction: Direction, digest: &Digest) {
        let mut all = self.lock();
        let Some(pending) = all.remove(&id) else { return };
        let Some(began) = pending.began.filter(|_| pending.ticket.direction == direction) else { return };
        // Nobody waits for it any more: then nobody wants to know.
        let _ = pending.done.send(Moved { elapsed: began.elapsed(), digest: *digest });
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use ionet_types::agent::challenge::Fixed;

    use super::*;

    #[test]
    fn a_ticket_is_good_for_one_try_in_its_direction() {
        let transfers = Transfers::default();
        let (id, seed) = (Fixed([1; 16]), Fixed([2; 32]));
        let (ticket, mut done) = transfers.issue(id, Direction::Download, 10, seed);
        assert_eq!(ticket.seed, None, "what the device is to receive it must not know");
        assert!(transfers.begin(Fixed([9; 16]), Direction::Download).is_none());
        assert!(transfers.begin(id, Direction::Upload).is_none());
        assert!(transfers.begin(id, Direction::Download).is_some());
        assert!(transfers.begin(id, Direction::Download).is_none(), "only once");
        transfers.end(id, Direction::Download, &Fixed([3; 32]));
        assert_eq!(done.try_recv().unwrap().digest, Fixed([3; 32]));
        let (_, mut never) = transfers.issue(id, Direction::Download, 10, seed);
        transfers.end(id, Direction::Download, &Fixed([3; 32]));
        assert!(never.try_recv().is_err(), "what has not begun does not end");
    }

    #[test]
    fn what_nobody_waits_for_is_forgotten() {
        let transfers = Transfers::default();
        drop(transfers.issue(Fixed([1; 16]), Direction::Upload, 1, Fixed([0; 32])));
        drop(transfers.issue(Fixed([2; 16]), Direction::Upload, 1, Fixed([0; 32])));
        assert_eq!(transfers.lock().len(), 1);
    }
}
