//! How large the jobs of a test are: long enough to be measured over a network, within the device's memory and the load that a test may be.

use ionet_rules::rewards::Measurement;
use ionet_types::agent::challenge::{
    BLOCK_BYTES, ClockJob, GROUP_BLOCKS, Job, MAX_BLOCKS, MAX_CLOCK_STEPS, MAX_LANES, MAX_OPENED_VALUES, MAX_OPENINGS, MAX_PASSES,
    MAX_ROWS, MemoryJob, ProductJob, Stage,
};

use crate::clock::CYCLES_PER_STEP;
use crate::terms::{LONGEST_MS, Terms, scan_ms};

/// How long a product and a scan take at the reference's speed, in milliseconds: many times the round trip to anywhere. A chain takes a third
/// of it at the reference's clock: the hub walks it back in a seventieth of that.
pub const WORK_MS: u64 = 1_500;
/// Rounds of the fill. On the machines that were measured a fill then takes ten to fifteen times a scan, and making half of the memory
/// again more than a third of a fill; a scan may take a quarter.
pub const ROUNDS: u16 = 128;
/// Most load of tests in an hour, in milliseconds: fifteen minutes (facts of the network that this one follows).
pub const MAX_LOAD_MS: u64 = 900_000;

/// Bytes of one lane, about: small enough for thousands of them on a card, large enough that a lane does not fit in a cache.
const LANE_BYTES: u64 = 16 << 20;
/// Share of the memory that a product may keep, in percent.
const PRODUCT_PERCENT: u64 = 60;

/// The jobs of one test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// For arithmetic speed.
    pub product: ProductJob,
    /// For size and speed of the memory.
    pub memory: MemoryJob,
    /// For the clock.
    pub clock: ClockJob,
}

impl Plan {
    /// Jobs for a device that claims `reference`, all its processors together, and is to show `memory_bytes` of memory; each takes about
    /// `work_ms` (the usual is [`WORK_MS`]) at the reference's speed.
    ///
    /// `memory_bytes` is what the device must be able to fill: of a card nearly all it has, of a machine what it offers less what its system
    /// takes. It is a multiple of a few KiB in the end, and at least 16 MiB.
    pub fn new(reference: &Measurement, memory_bytes: u64, work_ms: u64) -> Self {
        let work_ms = work_ms.clamp(1, LONGEST_MS);
        Self {
            product: product(reference, memory_bytes, work_ms),
            memory: memory(reference, memory_bytes, work_ms),
            clock: clock(reference, work_ms / 3),
        }
    }

    /// The jobs, one task each.
    pub fn jobs(&self) -> [Job; 3] {
        [Job::Product(self.product), Job::Memory(self.memory), Job::Clock(self.clock)]
    }

    /// The longest that the device works on it under these terms, in milliseconds: then it is done or late. Openings are not counted, since
    /// hardly anything is computed for them.
    pub fn longest_ms(&self, terms: &Terms) -> u64 {
        let fill_ms = terms.limit_ms(&Job::Memory(self.memory), Stage::Commit, 0);
        let commits: u64 = self.jobs().iter().map(|job| terms.limit_ms(job, Stage::Commit, 0)).sum();
        commits + terms.limit_ms(&Job::Memory(self.memory), Stage::Scan, fill_ms)
    }
}

fn product(reference: &Measurement, memory_bytes: u64, work_ms: u64) -> ProductJob {
    let gflops = u64::from(reference.gflops.max(1));
    // A large side costs the device little more than the arithmetic itself; a small one is enough for a processor.
    let side: u64 = match gflops {
        0..2_000 => 1_024,
        2_000..10_000 => 2_048,
        _ => 4_096,
    };
    // What a device claims may be anything.
    let wanted = (gflops * 1_000_000).saturating_mul(work_ms) / (2 * side * side);
    let kept = memory_bytes / 100 * PRODUCT_PERCENT / (side * 4);
    let rows = wanted.min(kept).min(MAX_ROWS.into()) / side * side;
    ProductJob { side: side as u32, rows: rows.max(side) as u32, openings: (MAX_OPENED_VALUES / side).min(MAX_OPENINGS.into()) as u16 }
}

fn memory(reference: &Measurement, memory_bytes: u64, work_ms: u64) -> MemoryJob {
    let bytes = memory_bytes.clamp(LANE_BYTES, MAX_BLOCKS * BLOCK_BYTES as u64);
    let lanes = (bytes / LANE_BYTES).next_power_of_two().clamp(1, MAX_LANES.into());
    let group_bytes = BLOCK_BYTES as u64 * u64::from(GROUP_BLOCKS);
    let lane_blocks = (bytes / lanes / group_bytes * u64::from(GROUP_BLOCKS)) as u32;
    let one = MemoryJob { lanes: lanes as u32, lane_blocks, rounds: ROUNDS, passes: 1, openings: MAX_OPENINGS };
    let passes = work_ms.div_ceil(scan_ms(&one, reference).max(1)).min(MAX_PASSES.into());
    MemoryJob { passes: passes.max(1) as u16, ..one }
}

fn clock(reference: &Measurement, clock_ms: u64) -> ClockJob {
    let steps = u64::from(reference.cpu_mhz.max(1)) * 1_000 * clock_ms / CYCLES_PER_STEP;
    ClockJob { steps: steps.clamp(1, MAX_CLOCK_STEPS.into()) as u32 }
}

#[cfg(test)]
mod tests {
    use ionet_types::agent::challenge::{Fixed, Task};
    use proptest::prelude::*;

    use super::*;
    use crate::reference::{GENERIC_CPU, TABLE};
    use crate::terms::{clock_ms, product_ms};

    fn check(plan: &Plan) {
        for job in plan.jobs() {
            Task { id: Fixed([0; 16]), epoch: 0, nonce: Fixed([0; 32]), job }.check().unwrap();
        }
    }

    #[test]
    fn every_model_is_tested_with_its_memory_for_about_a_second() {
        for row in TABLE {
            let bytes = u64::from(row.memory_mib) << 20;
            let plan = Plan::new(&row.values, bytes, WORK_MS);
            check(&plan);
            assert!(plan.memory.bytes() <= bytes && plan.memory.bytes() > bytes - (bytes >> 6), "{}: all of it is filled", row.model);
            assert!(plan.product.bytes() < bytes, "{}", row.model);
            let product = product_ms(&plan.product, &row.values);
            assert!((100..=WORK_MS + 1).contains(&product), "{}: {product}", row.model);
            let scan = scan_ms(&plan.memory, &row.values);
            assert!((WORK_MS * 9 / 10..WORK_MS * 2).contains(&scan), "{}: {scan}", row.model);
            assert!(clock_ms(&plan.clock, &row.values) <= WORK_MS / 3 + 1);
            let longest = plan.longest_ms(&Terms::new(row.values, 100));
            assert!(longest < MAX_LOAD_MS / 10, "{}: {longest}", row.model);
        }
    }

    #[test]
    fn processors_are_tested_within_the_load_of_an_hour() {
        for (cpus, gib) in [(1, 1), (2, 8), (2, 24), (8, 64), (64, 512), (256, 2_048)] {
            let reference = GENERIC_CPU.times(cpus);
            let plan = Plan::new(&reference, gib << 30, WORK_MS);
            check(&plan);
            assert_eq!(plan.memory.bytes(), gib << 30);
            let longest = plan.longest_ms(&Terms::new(reference, 100));
            assert!(longest <= MAX_LOAD_MS, "{cpus} {gib}: {longest}");
            assert!(longest < LONGEST_MS * 3);
        }
    }

    proptest! {
        #[test]
        fn every_claim_gets_jobs_within_bounds(gflops: u32, memory_mb_per_sec: u32, cpu_mhz: u32, memory_bytes: u64, work_ms: u64) {
            let reference = Measurement { bandwidth_mbps: 1, memory_mb_per_sec, cpu_mhz, gflops };
            check(&Plan::new(&reference, memory_bytes, work_ms));
        }
    }
}
