//! On which of the machine's processors a node runs that has only some of them. The kernel keeps its processes there, and what they start,
//! unless a program asks for others itself: there is no isolation that would forbid that.

use std::collections::BTreeMap;

use crate::store::{Phase, Record};

/// So many processors of those that are allowed, the least used first. `others` are the machine's other nodes.
pub(crate) fn choose(cpu_milli: u32, allowed: &[u16], others: &[Record]) -> Vec<u16> {
    let mut uses: BTreeMap<u16, usize> = allowed.iter().map(|core| (*core, 0)).collect();
    let running = others.iter().filter(|record| matches!(record.phase, Phase::Starting | Phase::Ready));
    for core in running.flat_map(|record| &record.plan.cores) {
        if let Some(count) = uses.get_mut(core) {
            *count += 1;
        }
    }
    let mut cores: Vec<u16> = uses.keys().copied().collect();
    cores.sort_by_key(|core| (uses[core], *core));
    cores.truncate(usize::try_from(cpu_milli.div_ceil(1_000)).unwrap_or(usize::MAX).max(1));
    cores.sort_unstable();
    cores
}

/// The processors on which the agent itself may run; none where the system does not tell, and then nodes are not kept to any.
#[cfg(target_os = "linux")]
pub(crate) fn allowed() -> Vec<u16> {
    let Ok(set) = nix::sched::sched_getaffinity(nix::unistd::Pid::from_raw(0)) else { return Vec::new() };
    let all = 0..nix::sched::CpuSet::count();
    all.filter(|core| set.is_set(*core).unwrap_or(false)).filter_map(|core| u16::try_from(core).ok()).collect()
}

/// Only Linux keeps processes to processors.
#[cfg(not(target_os = "linux"))]
pub(crate) fn allowed() -> Vec<u16> {
    Vec::new()
}

/// Keeps the calling process to these processors, if there are any; for a child before it becomes another program. What cannot be kept to
/// is left: the node works either way.
#[cfg(target_os = "linux")]
pub(crate) fn keeper(cores: &[u16]) -> impl Fn() + use<> {
    let mut set = nix::sched::CpuSet::new();
    let some = cores.iter().filter(|core| set.set(usize::from(**core)).is_ok()).count() > 0;
    move || {
        if some {
            let _ = nix::sched::sched_setaffinity(nix::unistd::Pid::from_raw(0), &set);
        }
    }
}

/// Only Linux keeps processes to processors.
#[cfg(not(target_os = "linux"))]
pub(crate) fn keeper(_: &[u16]) -> impl Fn() + use<> {
    || {}
}

#[cfg(test)]
mod tests {
    use ionet_types::agent::WorkloadKey;
    use proptest::prelude::*;

    use super::*;
    use crate::store::Plan;

    fn record(phase: Phase, cores: &[u16]) -> Record {
        Record {
            key: WorkloadKey { cluster_id: uuid::Uuid::nil(), node: 0 },
            attempt: 0,
            phase,
            since_unix_secs: 0,
            boot_id: String::new(),
            plan: Plan { cores: cores.to_vec(), ..Plan::default() },
            processes: Vec::new(),
        }
    }

    #[test]
    fn nodes_get_processors_of_their_own_while_there_are_any() {
        let allowed: Vec<u16> = (2..10).collect();
        let others = [record(Phase::Ready, &[2, 3, 4]), record(Phase::Stopped { reason: ionet_types::agent::StopReason::LeaseOver }, &[5])];
        assert_eq!(choose(2_500, &allowed, &others), [5, 6, 7]);
        assert_eq!(choose(6_000, &allowed, &others), [2, 5, 6, 7, 8, 9]);
        assert_eq!(choose(1, &allowed, &[]), [2]);
        assert_eq!(choose(64_000, &allowed, &others), allowed);
        assert_eq!(choose(1_000, &[], &others), Vec::<u16>::new());
    }

    proptest! {
        /// While the shares add up to no more than there is, no processor is two nodes'.
        #[test]
        fn what_fits_does_not_overlap(count in 1_u16..64, wanted in prop::collection::vec(1_u32..9, 0..12)) {
            let allowed: Vec<u16> = (0..count).collect();
            let (mut others, mut left) = (Vec::new(), u32::from(count));
            for cpus in wanted.into_iter().filter(|cpus| { let fits = *cpus <= left; left -= if fits { *cpus } else { 0 }; fits }) {
                let cores = choose(cpus * 1_000, &allowed, &others);
                prop_assert_eq!(cores.len(), cpus as usize);
                prop_assert!(others.iter().flat_map(|other: &Record| &other.plan.cores).all(|core| !cores.contains(core)));
                others.push(record(Phase::Ready, &cores));
            }
        }
    }
}
