use proptest::prelude::*;

use super::*;
use crate::verdict::Measured;

const PRODUCT: ProductJob = ProductJob { side: 1_024, rows: 1 << 20, openings: 8 };
const MEMORY: MemoryJob = MemoryJob { lanes: 64, lane_blocks: 16_384, rounds: 128, passes: 3, openings: 8 };

#[test]
fn times_at_the_reference_are_what_they_are_by_hand() {
    let reference = Measurement { bandwidth_mbps: 100, memory_mb_per_sec: 10_000, cpu_mhz: 3_000, gflops: 1_000 };
    // 2 * 2^20 * 2^20 operations at 10^12 a second.
    assert_eq!(product_ms(&PRODUCT, &reference), 2_200);
    // 3 * 2^30 bytes at 10^10 a second.
    assert_eq!(scan_ms(&MEMORY, &reference), 323);
    assert_eq!(clock_ms(&ClockJob { steps: 1_000_000 }, &reference), CYCLES_PER_STEP / 3 + u64::from(!CYCLES_PER_STEP.is_multiple_of(3)));
    let terms = Terms::new(reference, 40);
    assert_eq!(terms.limit_ms(&Job::Product(PRODUCT), Stage::Commit, 0), 2_200 * 190 / 100 + 50 + 40);
    assert_eq!(terms.limit_ms(&Job::Memory(MEMORY), Stage::Scan, 100_000), 323 * 190 / 100 + 50 + 40, "the reference is stricter");
    assert_eq!(terms.limit_ms(&Job::Memory(MEMORY), Stage::Scan, 400), 300 + 50 + 40, "its own fill is stricter: 3 passes of a quarter");
    assert_eq!(terms.limit_ms(&Job::Product(PRODUCT), Stage::Open, 0), OPEN_MS + 40);
    assert_eq!(terms.work_ms(41), 1);
    assert_eq!(terms.work_ms(3), 1);
    assert_eq!(terms.work_ms(1_040), 1_000);
}

#[test]
fn nobody_wins_by_a_slow_round_trip() {
    let reference = Measurement { bandwidth_mbps: 100, memory_mb_per_sec: 10_000, cpu_mhz: 3_000, gflops: 1_000 };
    let (near, far) = (Terms::new(reference, 0), Terms::new(reference, u32::MAX));
    let job = Job::Product(PRODUCT);
    assert_eq!(far.limit_ms(&job, Stage::Commit, 0) - near.limit_ms(&job, Stage::Commit, 0), u64::from(MAX_RTT_MS));
    assert_eq!(far.work_ms(10_000), 10_000 - u64::from(MAX_RTT_MS));
}

#[test]
fn a_reference_of_nothing_asks_for_nothing_but_an_end() {
    let terms = Terms::new(Measurement::default(), 0);
    for job in [Job::Product(PRODUCT), Job::Memory(MEMORY), Job::Clock(ClockJob { steps: 1 })] {
        assert_eq!(terms.limit_ms(&job, Stage::Commit, 0), LONGEST_MS);
    }
}

#[test]
fn a_share_of_the_speed_is_a_share_of_p() {
    let reference = Measurement { bandwidth_mbps: 400, memory_mb_per_sec: 1_000, cpu_mhz: 2_000, gflops: 50 };
    let whole = Measured { memory_mb_per_sec: Some(1_000), ..Measured::default() }
        .and(Measured { gflops: Some(60), ..Measured::default() })
        .and(Measured { cpu_mhz: Some(2_000), bandwidth_mbps: Some(400), ..Measured::default() });
    assert_eq!(whole.p(&reference), 1_000_000);
    assert_eq!(whole.measurement(), Measurement { gflops: 60, ..reference });
    let sixteenth = whole.and(Measured { memory_mb_per_sec: Some(125), gflops: Some(25), ..Measured::default() });
    assert_eq!(sixteenth.p(&reference), 500_000, "an eighth times a half, to the fourth root");
    assert_eq!(whole.and(Measured { gflops: Some(0), ..Measured::default() }).p(&reference), 0);
    assert_eq!(Measured { gflops: Some(50), ..Measured::default() }.p(&reference), 1_000_000, "what was not measured is not asked");
}

proptest! {
    #[test]
    fn a_greater_claim_never_gets_more_time(gflops in 1u32.., memory in 1u32.., mhz in 1u32.., more in 1u32..100, fill_ms in 0u64..1_000_000, rtt_ms: u32) {
        let reference = Measurement { bandwidth_mbps: 0, memory_mb_per_sec: memory, cpu_mhz: mhz, gflops };
        let claim = Measurement {
            bandwidth_mbps: 0,
            memory_mb_per_sec: memory.saturating_mul(more),
            cpu_mhz: mhz.saturating_mul(more),
            gflops: gflops.saturating_mul(more),
        };
        for job in [Job::Product(PRODUCT), Job::Memory(MEMORY), Job::Clock(ClockJob { steps: 1 << 20 }), Job::Unknown] {
            for stage in [Stage::Commit, Stage::Scan, Stage::Open] {
                let limit = |reference| Terms::new(reference, rtt_ms).limit_ms(&job, stage, fill_ms);
                prop_assert!(limit(claim) <= limit(reference) && limit(reference) <= LONGEST_MS);
            }
        }
    }
}
