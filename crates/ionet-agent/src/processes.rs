//! Finds, watches and ends processes by what the kernel says of them, so that a restarted agent knows its workloads again.
//!
//! Every process of a node is started as the leader of a session of its own and with the node's mark in its environment; its
//! children inherit both. Some programs overwrite their environment to show a title, some leave the session: a process belongs to
//! a node if it has the mark, or is in a session of the node, or descends from a process that belongs to it.

use std::{
    collections::HashSet,
    fs,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde::{Deserialize, Serialize};

/// Name of the variable that carries a node's mark.
pub(crate) const MARK: &str = "IONET_WORKLOAD";

/// One process, not to be taken for a later one with the same number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct ProcessId {
    /// The number.
    pub(crate) pid: i32,
    /// When it started, in clock ticks since the machine's start.
    pub(crate) start_ticks: u64,
}

/// What `/proc/<pid>/stat` says of a process.
#[derive(Debug, Clone, Copy)]
struct Stat {
    id: ProcessId,
    parent: i32,
    session: i32,
    is_dead: bool,
}

impl Stat {
    fn read(pid: i32) -> Option<Self> {
        // The name in parentheses may hold anything, also parentheses.
        let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let fields: Vec<&str> = text[text.rfind(')')? + 2..].split(' ').collect();
        Some(Self {
            id: ProcessId { pid, start_ticks: fields.get(19)?.parse().ok()? },
            parent: fields.get(1)?.parse().ok()?,
            session: fields.get(3)?.parse().ok()?,
            is_dead: matches!(*fields.first()?, "Z" | "X" | "x"),
        })
    }
}

impl ProcessId {
    /// The process that has this number now.
    pub(crate) fn of(pid: i32) -> Option<Self> {
        Stat::read(pid).map(|stat| stat.id)
    }

    /// Whether it still runs.
    pub(crate) fn is_running(self) -> bool {
        Stat::read(self.pid).is_some_and(|stat| stat.id == self && !stat.is_dead)
    }
}

/// Random name of this start of the machine: processes of an earlier one are gone.
pub(crate) fn boot_id() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").map(|id| id.trim().to_owned()).unwrap_or_default()
}

/// All running processes of the node with this mark, whose known session leaders were `leaders`.
pub(crate) fn belonging_to(mark: &str, leaders: &[ProcessId]) -> Vec<ProcessId> {
    let own_pid = std::process::id().cast_signed();
    let all: Vec<Stat> = pids().filter(|pid| *pid != own_pid && *pid > 1).filter_map(Stat::read).collect();
    // A number that names a session is not given to a new process; if another process has it now, the session is gone.
    let mut sessions: HashSet<i32> = leaders
        .iter()
        .filter(|leader| all.iter().all(|stat| stat.id.pid != leader.pid || stat.id == **leader))
        .map(|leader| leader.pid)
        .collect();
    let mut ours: HashSet<i32> = HashSet::new();
    for stat in all.iter().filter(|stat| has_mark(stat.id.pid, mark)) {
        ours.insert(stat.id.pid);
        sessions.insert(stat.session);
    }
    ours.extend(all.iter().filter(|stat| sessions.contains(&stat.session)).map(|stat| stat.id.pid));
    loop {
        let before = ours.len();
        for stat in &all {
            if ours.contains(&stat.parent) {
                ours.insert(stat.id.pid);
            }
        }
        if ours.len() == before {
            break;
        }
    }
    all.iter().filter(|stat| !stat.is_dead && ours.contains(&stat.id.pid)).map(|stat| stat.id).collect()
}

/// The marks with this beginning that some process carries.
pub(crate) fn marks(prefix: &str) -> HashSet<String> {
    pids().filter_map(mark_of).filter(|mark| mark.starts_with(prefix)).collect()
}

/// This process and its children, and all processes that carry a mark with this beginning, with their descendants.
pub(crate) fn own_and_marked(prefix: &str) -> HashSet<i32> {
    let all: Vec<Stat> = pids().filter_map(Stat::read).collect();
    let mut ours: HashSet<i32> = all
        .iter()
        .map(|stat| stat.id.pid)
        .filter(|pid| *pid == std::process::id().cast_signed() || mark_of(*pid).is_some_and(|mark| mark.starts_with(prefix)))
        .collect();
    loop {
        let before = ours.len();
        for stat in &all {
            if ours.contains(&stat.parent) {
                ours.insert(stat.id.pid);
            }
        }
        if ours.len() == before {
            return ours;
        }
    }
}

/// Whether a process carries any node's mark.
pub(crate) fn is_marked(pid: i32) -> bool {
    mark_of(pid).is_some()
}

/// Ends everything that `find` finds: asks, waits up to `grace`, then kills, until nothing is found any more.
pub(crate) async fn end_all(grace: Duration, mut find: impl FnMut() -> Vec<ProcessId>) {
    let begun = Instant::now();
    let mut asked: HashSet<ProcessId> = HashSet::new();
    loop {
        let running = find();
        if running.is_empty() {
            return;
        }
        let kill_now = begun.elapsed() >= grace;
        for process in running {
            if kill_now {
                signal(process, Signal::SIGKILL);
            } else if asked.insert(process) {
                signal(process, Signal::SIGTERM);
            }
        }
        tokio::time::sleep(Duration::from_millis(if kill_now { 10 } else { 50 })).await;
    }
}

fn signal(process: ProcessId, signal: Signal) {
    // A process that is gone by now is what is wanted; one that may not be signalled is found, and tried, again.
    if process.is_running() {
        let _ = kill(Pid::from_raw(process.pid), signal);
    }
}

fn pids() -> impl Iterator<Item = i32> {
    fs::read_dir("/proc").into_iter().flatten().flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

fn mark_of(pid: i32) -> Option<String> {
    let environment = fs::read(format!("/proc/{pid}/environ")).ok()?;
    environment.split(|byte| *byte == 0).find_map(|entry| {
        let value = entry.strip_prefix(MARK.as_bytes())?.strip_prefix(b"=")?;
        Some(String::from_utf8_lossy(value).into_owned())
    })
}

fn has_mark(pid: i32, mark: &str) -> bool {
    mark_of(pid).is_some_and(|found| found == mark)
}
