//! Work on large slices on all cores. What comes out does not depend on how many there are.

use std::cmp::Ordering;
use std::num::NonZeroUsize;
use std::thread;

/// Below so many items one core is faster than starting another.
const WORTH_A_THREAD: usize = 4_096;

/// How many items each part of `len` gets.
pub(crate) fn part_len(len: usize) -> usize {
    let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    len.div_ceil(cores).max(WORTH_A_THREAD)
}

/// Runs the jobs, each on a thread of its own if there is more than one, and returns what they return, in order.
pub(crate) fn all<T: Send, J: FnOnce() -> T + Send>(jobs: impl IntoIterator<Item = J>) -> Vec<T> {
    let mut jobs: Vec<J> = jobs.into_iter().collect();
    if jobs.len() <= 1 {
        return jobs.pop().map(|job| job()).into_iter().collect();
    }
    thread::scope(|scope| {
        let threads: Vec<_> = jobs.into_iter().map(|job| scope.spawn(job)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    })
}

/// Sorts: the parts on all cores, then one merge of the runs.
pub(crate) fn sort_by<T: Send>(items: &mut [T], compare: impl Fn(&T, &T) -> Ordering + Sync) {
    let part = part_len(items.len());
    let compare = &compare;
    if part < items.len() {
        all(items.chunks_mut(part).map(|part| move || part.sort_unstable_by(compare)));
    }
    // The standard stable sort finds sorted runs and only merges them.
    items.sort_by(compare);
}

/// A vector of `len` items that all cores fill: `fill` gets the place of the first item of a part, and the part.
pub(crate) fn filled<T: Send + Clone>(len: usize, empty: T, fill: impl Fn(usize, &mut [T]) + Sync) -> Vec<T> {
    let mut items = vec![empty; len];
    let part = part_len(len);
    let fill = &fill;
    all((0..len).step_by(part).zip(items.chunks_mut(part)).map(|(first, part)| move || fill(first, part)));
    items
}

/// Checks all items on all cores; the first error in their order is the answer.
pub(crate) fn try_each<T: Sync, E: Send>(items: &[T], check: impl Fn(&T) -> Result<(), E> + Sync) -> Result<(), E> {
    let check = &check;
    all(items.chunks(part_len(items.len())).map(|part| move || part.iter().try_for_each(check))).into_iter().collect()
}
