//! What a device is asked to do, and when: pure.

use ionet_rules::rewards::Measurement;
use ionet_types::DeviceId;
use ionet_types::agent::challenge::{
    BLOCK_BYTES, ClockJob, GROUP_BLOCKS, Job, MAX_CLOCK_STEPS, MAX_OPENED_VALUES, MAX_ROWS, MemoryJob, ProductJob,
};
use ionet_types::agent::{Hardware, HardwareKind};
use sha2::{Digest as _, Sha256};

use super::Measuring;

/// Rows and blocks that are opened: who computed only half of them is caught but once in 65,536 times.
const OPENINGS: u16 = 16;
/// Rounds of the fill: what makes filling several times slower than reading.
const ROUNDS: u16 = 16;
/// Passes of a scan: enough for its time to be measured.
const PASSES: u16 = 2;
/// Share of an epoch, from its beginning, in which its proof is asked for, percent: the rest is for those that were hired or away then.
const ASKED_WITHIN_PERCENT: u64 = 80;

/// The jobs of one proof, each sized to take about `job_ms` on a device that is what it claims to be. A `whole` proof fills as much memory
/// as the network wants to see.
pub(crate) fn jobs(hardware: &Hardware, reference: &Measurement, measuring: &Measuring, whole: bool) -> [Job; 3] {
    let job_ms = u64::from(measuring.job_ms.max(1));
    let steps = u64::from(reference.cpu_mhz.max(1_000)) * 1_000 * job_ms / ionet_proofs::clock::CYCLES_PER_STEP;
    let clock = ClockJob { steps: u32::try_from(steps).unwrap_or(u32::MAX).clamp(1, MAX_CLOCK_STEPS) };
    [Job::Clock(clock), Job::Memory(memory(hardware, measuring, whole)), Job::Product(product(hardware, reference, job_ms))]
}

fn product(hardware: &Hardware, reference: &Measurement, job_ms: u64) -> ProductJob {
    let side: u32 = if hardware.kind == HardwareKind::Gpu { 4_096 } else { 1_024 };
    let operations = u64::from(reference.gflops.max(1)) * 1_000_000 * job_ms;
    let wanted = operations / (2 * u64::from(side) * u64::from(side));
    // The product is kept until rows of it are shown: in no more than an eighth of the memory.
    let room = memory_mb(hardware) / 8 * (1 << 20) / (u64::from(side) * 4);
    let blocks = (wanted.min(room).min(u64::from(MAX_ROWS)) / u64::from(side)).max(1);
    let openings = u16::try_from(MAX_OPENED_VALUES / u64::from(side)).unwrap_or(u16::MAX).min(OPENINGS);
    ProductJob { side, rows: u32::try_from(blocks).unwrap_or(1) * side, openings }
}

fn memory(hardware: &Hardware, measuring: &Measuring, whole: bool) -> MemoryJob {
    let lanes = if hardware.kind == HardwareKind::Gpu { 4_096 } else { hardware.cpus.clamp(1, 256) };
    let offered_mb = memory_mb(hardware);
    let small_mb = u64::from(measuring.memory_mb).min(offered_mb / 4);
    let wanted_mb = if whole { (offered_mb * u64::from(measuring.memory_percent) / 100).max(small_mb) } else { small_mb };
    let lane_bytes = wanted_mb.max(1) * (1 << 20) / u64::from(lanes);
    let groups = (lane_bytes / (BLOCK_BYTES as u64 * u64::from(GROUP_BLOCKS))).max(1);
    let lane_blocks = u32::try_from(groups * u64::from(GROUP_BLOCKS)).unwrap_or(u32::MAX / GROUP_BLOCKS * GROUP_BLOCKS);
    MemoryJob { lanes, lane_blocks, rounds: ROUNDS, passes: PASSES, openings: OPENINGS }
}

/// The memory that the jobs are about: the cards', or the machine's where there are none.
fn memory_mb(hardware: &Hardware) -> u64 {
    match hardware.kind {
        HardwareKind::Gpu => hardware.gpus.iter().map(|gpu| gpu.memory_mb).sum(),
        HardwareKind::Cpu => hardware.memory_mb,
    }
}

/// When a device is asked in an epoch (from, to; unix seconds). Nobody but the hub can tell before: `secret` is its own. All devices of one
/// owner are asked at the same moment, so that one machine cannot answer for several of them one after the other.
pub(crate) fn moment(secret: &[u8; 32], group: &DeviceId, epoch: u64, (from, to): (i64, i64)) -> i64 {
    let mut hash = Sha256::new();
    for part in [b"ionet proof moment v1".as_slice(), secret, &group.0, &epoch.to_le_bytes()] {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    let drawn = u64::from_le_bytes(std::array::from_fn(|place| hash.clone().finalize()[place]));
    let span = u64::try_from(to.saturating_sub(from)).unwrap_or(0) * ASKED_WITHIN_PERCENT / 100;
    from.saturating_add(i64::try_from(drawn % span.max(1)).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use ionet_types::agent::Gpu;
    use ionet_types::agent::challenge::{Fixed, Task};
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Whatever a device claims, what it is asked is within the bounds of the wire, and within its memory.
        #[test]
        fn every_job_is_within_bounds(
            gpus in prop::collection::vec(0_u64..1 << 40, 0..9),
            (cpus, memory_mb): (u32, u64),
            (gflops, cpu_mhz, job_ms): (u32, u32, u32),
            whole: bool,
        ) {
            let memory_mb = memory_mb >> 24;
            let kind = if gpus.is_empty() { HardwareKind::Cpu } else { HardwareKind::Gpu };
            let gpus = gpus.into_iter().map(|memory_mb| Gpu { memory_mb, ..Gpu::default() }).collect();
            let hardware = Hardware { kind, cpus, memory_mb, gpus, ..Hardware::default() };
            let reference = Measurement { gflops, cpu_mhz, ..Measurement::default() };
            let measuring = Measuring { job_ms: job_ms % 100_000, ..Measuring::DEFAULT };
            for job in jobs(&hardware, &reference, &measuring, whole) {
                let task = Task { id: Fixed([0; 16]), epoch: 0, nonce: Fixed([0; 32]), job };
                prop_assert!(task.check().is_ok(), "{job:?}: {:?}", task.check());
            }
        }

        #[test]
        fn the_moment_is_within_the_epoch_and_the_same_for_a_group(secret: [u8; 32], group: [u8; 32], epoch: u64, from in 0_i64..1 << 40, secs in 1_i64..100_000) {
            let at = moment(&secret, &DeviceId(group), epoch, (from, from + secs));
            prop_assert!((from..from + secs).contains(&at));
            prop_assert_eq!(at, moment(&secret, &DeviceId(group), epoch, (from, from + secs)));
        }
    }

    #[test]
    fn moments_are_spread_over_the_epoch() {
        let moments: std::collections::BTreeSet<_> =
            (0..1_000_u64).map(|epoch| moment(&[7; 32], &DeviceId([1; 32]), epoch, (0, 3_600)) / 288).collect();
        assert_eq!(moments.len(), 10, "each tenth of the time in which is asked");
    }
}
