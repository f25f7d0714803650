//! Which GPUs a node's processes see, and how much of one: what of a shared machine is whose, as far as its runtime can keep to it.
//!
//! Whole GPUs are named to CUDA by UUID, so a program that goes through CUDA finds no others. A part of a GPU is a share of time and memory
//! that only NVIDIA's MPS service keeps to, where the supplier runs it; the processes are told either way. A hardware instance is made for
//! the node and kept apart by the hardware. None of this keeps out a program that goes around CUDA: nodes are not isolated.

pub(crate) mod mig;

use std::collections::BTreeSet;

use ionet_types::agent::share::MAX_GRANTS;
use ionet_types::agent::{Gpu, GpuGrant, GpuPart, NodeShare};

use crate::NodeFailure;
use crate::preflight::SharingFact;
use crate::store::{Phase, Record};

/// Name of the variable by which CUDA learns which GPUs there are (CUDA C++ programming guide, "CUDA environment variables").
pub(crate) const CUDA_VISIBLE: &str = "CUDA_VISIBLE_DEVICES";
/// The same for containers that a node starts (NVIDIA Container Toolkit).
const CONTAINER_VISIBLE: &str = "NVIDIA_VISIBLE_DEVICES";
/// Share of a GPU's processors, percent (NVIDIA MPS guide).
const MPS_PERCENT: &str = "CUDA_MPS_ACTIVE_THREAD_PERCENTAGE";
/// Share of its memory: number among the visible devices, `=`, megabytes (NVIDIA MPS guide).
const MPS_MEMORY: &str = "CUDA_MPS_PINNED_DEVICE_MEM_LIMIT";

/// What the processes of a node with this share find in their environment. `instance` is CUDA's name of the hardware instance that was made
/// for it; `memory_mb` is the memory of the GPU that it has a part of, where that is known.
pub(crate) fn environment(share: &NodeShare, instance: Option<&str>, memory_mb: Option<u64>) -> Vec<(&'static str, String)> {
    if share.gpus.is_empty() {
        // An empty list hides all of them.
        return vec![(CUDA_VISIBLE, String::new()), (CONTAINER_VISIBLE, "void".to_owned())];
    }
    let name = |grant: &GpuGrant| match grant.part {
        GpuPart::Instance { .. } => instance.unwrap_or_default().to_owned(),
        _ => grant.uuid.clone(),
    };
    let visible = share.gpus.iter().map(name).collect::<Vec<_>>().join(",");
    let mut environment = vec![(CUDA_VISIBLE, visible.clone()), (CONTAINER_VISIBLE, visible)];
    if let [GpuGrant { part: GpuPart::Milli { milli }, .. }] = share.gpus.as_slice() {
        environment.push((MPS_PERCENT, (milli / 10).max(1).to_string()));
        if let Some(memory_mb) = memory_mb {
            environment.push((MPS_MEMORY, format!("0={}M", (memory_mb * u64::from(*milli) / 1_000).max(1))));
        }
    }
    environment
}

/// Whether customers could share a machine with these GPUs; the market goes by the same (`ionet-hub/src/market/sharing.rs`).
pub(crate) fn sharing(gpus: &[Gpu]) -> SharingFact {
    let names: BTreeSet<&str> = gpus.iter().filter_map(|gpu| gpu.uuid.as_deref()).collect();
    let split = gpus.iter().filter(|gpu| gpu.mig).count();
    match gpus.len() {
        0 => SharingFact::NoGpus,
        count if count > MAX_GRANTS => SharingFact::TooManyGpus,
        count if names.len() < count => SharingFact::Nameless,
        count if split > 0 && split < count => SharingFact::Mixed,
        count => SharingFact::Possible { gpus: count, mig: split > 0 },
    }
}

/// Whether a share asks for anything that this machine, with these GPUs, does not have, or this agent does not know.
pub(crate) fn check(share: &NodeShare, there: &[Gpu]) -> Result<(), NodeFailure> {
    for grant in &share.gpus {
        let Some(gpu) = there.iter().find(|gpu| gpu.uuid.as_deref() == Some(&grant.uuid)) else {
            return Err(NodeFailure::lasting("gpu_missing", format!("this machine has no GPU {}", grant.uuid)));
        };
        match grant.part {
            GpuPart::Unknown => return Err(NodeFailure::lasting("gpu_part_unknown", "this agent cannot give a GPU in this way")),
            GpuPart::Instance { .. } if !gpu.mig => {
                return Err(NodeFailure::lasting("gpu_not_split", format!("GPU {} is not in MIG mode", grant.uuid)));
            }
            GpuPart::Whole | GpuPart::Milli { .. } if gpu.mig => {
                return Err(NodeFailure::lasting(
                    "gpu_split",
                    format!("GPU {} is in MIG mode: only instances of it can be used", grant.uuid),
                ));
            }
            _ => {}
        }
    }
    Ok(())
}

/// The GPU of a share that a node which runs has already, if there is one. The hub sees to it that there is none; a GPU that two customers
/// have at once is bad enough to be looked for here as well.
pub(crate) fn taken(share: &NodeShare, others: &[Record]) -> Option<String> {
    let running = others.iter().filter(|record| matches!(record.phase, Phase::Starting | Phase::Ready));
    let granted: Vec<&GpuGrant> = running.filter_map(|record| record.plan.share.as_ref()).flat_map(|share| &share.gpus).collect();
    let clashes = |grant: &&GpuGrant| {
        let of_it: Vec<GpuPart> = granted.iter().filter(|other| other.uuid == grant.uuid).map(|other| other.part).collect();
        let milli = |part: GpuPart| match part {
            GpuPart::Milli { milli } => Some(u32::from(milli)),
            _ => None,
        };
        match grant.part {
            GpuPart::Milli { milli: own } => {
                let sum = of_it.iter().map(|part| milli(*part)).sum::<Option<u32>>();
                sum.is_none_or(|sum| sum + u32::from(own) > 1_000)
            }
            GpuPart::Instance { size, start } => of_it.iter().any(|part| match part {
                GpuPart::Instance { size: other, start: at } => mig::overlap((size, start), (*other, *at)),
                _ => true,
            }),
            GpuPart::Whole | GpuPart::Unknown => !of_it.is_empty(),
        }
    };
    share.gpus.iter().find(clashes).map(|grant| grant.uuid.clone())
}

#[cfg(test)]
mod tests {
    use ionet_types::agent::WorkloadKey;
    use ionet_types::market::GpuInstance;

    use super::*;
    use crate::store::Plan;

    fn share(gpus: &[(&str, GpuPart)]) -> NodeShare {
        let gpus = gpus.iter().map(|(uuid, part)| GpuGrant { uuid: (*uuid).to_owned(), part: *part }).collect();
        NodeShare { cpu_milli: 1_000, memory_mb: 1_024, disk_mb: 0, gpus }
    }

    const fn milli(milli: u16) -> GpuPart {
        GpuPart::Milli { milli }
    }

    const fn instance(size: GpuInstance, start: u8) -> GpuPart {
        GpuPart::Instance { size, start }
    }

    #[test]
    fn processes_see_what_is_theirs() {
        let of = |share: &NodeShare| environment(share, Some("MIG-GPU-c/9/0"), Some(80_000));
        let visible = |names: &str| vec![(CUDA_VISIBLE, names.to_owned()), (CONTAINER_VISIBLE, names.to_owned())];
        assert_eq!(of(&share(&[("GPU-a", GpuPart::Whole), ("GPU-b", GpuPart::Whole)])), visible("GPU-a,GPU-b"));
        assert_eq!(of(&share(&[])), [(CUDA_VISIBLE, String::new()), (CONTAINER_VISIBLE, "void".to_owned())]);
        assert_eq!(of(&share(&[("GPU-c", instance(GpuInstance::Three, 4))])), visible("MIG-GPU-c/9/0"));
        let mut part = visible("GPU-a");
        part.extend([(MPS_PERCENT, "25".to_owned()), (MPS_MEMORY, "0=20000M".to_owned())]);
        assert_eq!(of(&share(&[("GPU-a", milli(250))])), part);
        assert_eq!(environment(&share(&[("GPU-a", milli(3))]), None, None)[2], (MPS_PERCENT, "1".to_owned()));
    }

    fn gpu(uuid: &str, mig: bool) -> Gpu {
        Gpu { uuid: Some(uuid.to_owned()), mig, ..Gpu::default() }
    }

    #[test]
    fn machines_whose_gpus_can_be_told_apart_can_be_shared() {
        assert_eq!(sharing(&[]), SharingFact::NoGpus);
        assert_eq!(sharing(&[gpu("a", false), gpu("b", false)]), SharingFact::Possible { gpus: 2, mig: false });
        assert_eq!(sharing(&[gpu("a", true)]), SharingFact::Possible { gpus: 1, mig: true });
        assert_eq!(sharing(&[gpu("a", true), gpu("b", false)]), SharingFact::Mixed);
        assert_eq!(sharing(&[gpu("a", false), gpu("a", false)]), SharingFact::Nameless);
        assert_eq!(sharing(&[gpu("a", false), Gpu::default()]), SharingFact::Nameless);
        let nine: Vec<_> = (0..9).map(|number| gpu(&number.to_string(), false)).collect();
        assert_eq!(sharing(&nine), SharingFact::TooManyGpus);
    }

    #[test]
    fn what_is_not_there_is_refused() {
        let there = [gpu("GPU-a", false), gpu("GPU-b", true)];
        let code = |uuid, part| check(&share(&[(uuid, part)]), &there).map_err(|failure| (failure.code, failure.retryable));
        assert_eq!(code("GPU-a", GpuPart::Whole), Ok(()));
        assert_eq!(code("GPU-b", instance(GpuInstance::One, 0)), Ok(()));
        assert_eq!(code("GPU-z", GpuPart::Whole), Err(("gpu_missing", false)));
        assert_eq!(code("GPU-b", milli(500)), Err(("gpu_split", false)));
        assert_eq!(code("GPU-a", instance(GpuInstance::One, 0)), Err(("gpu_not_split", false)));
        assert_eq!(code("GPU-a", GpuPart::Unknown), Err(("gpu_part_unknown", false)));
    }

    #[test]
    fn a_gpu_that_somebody_has_is_not_given_again() {
        let record = |phase: Phase, gpus: &[(&str, GpuPart)]| Record {
            key: WorkloadKey { cluster_id: uuid::Uuid::nil(), node: 0 },
            attempt: 0,
            phase,
            since_unix_secs: 0,
            boot_id: String::new(),
            plan: Plan { share: Some(share(gpus)), ..Plan::default() },
            processes: Vec::new(),
        };
        let others = [
            record(Phase::Ready, &[("GPU-a", GpuPart::Whole)]),
            record(Phase::Starting, &[("GPU-b", milli(600))]),
            record(Phase::Ready, &[("GPU-c", instance(GpuInstance::Three, 4))]),
            record(Phase::Failed { code: "x".into(), message: "y".into(), retryable: true }, &[("GPU-d", GpuPart::Whole)]),
        ];
        let taken = |uuid, part| taken(&share(&[("GPU-e", GpuPart::Whole), (uuid, part)]), &others);
        for (uuid, part, free) in [
            ("GPU-a", GpuPart::Whole, false),
            ("GPU-a", milli(1), false),
            ("GPU-b", milli(400), true),
            ("GPU-b", milli(401), false),
            ("GPU-b", GpuPart::Whole, false),
            ("GPU-c", instance(GpuInstance::Four, 0), true),
            ("GPU-c", instance(GpuInstance::One, 5), false),
            ("GPU-c", milli(1), false),
            ("GPU-d", GpuPart::Whole, true),
        ] {
            assert_eq!(taken(uuid, part), (!free).then(|| uuid.to_owned()), "{uuid} {part:?}");
        }
    }
}
