//! How long a device may take: a pure function of the job, of the reference values of the model that it claims to be, and of how far away it is.

use ionet_rules::rewards::Measurement;
use ionet_types::agent::challenge::{ClockJob, Job, MemoryJob, ProductJob, Stage};
use serde::{Deserialize, Serialize};

use crate::clock::CYCLES_PER_STEP;

/// Most of the round trip that is allowed for: a device cannot win more than this by answering pings late.
pub const MAX_RTT_MS: u32 = 1_000;
/// Allowed for besides: the agent's threads must start.
pub const GRACE_MS: u64 = 50;
/// Longest time for any stage, also where the reference says nothing.
pub const LONGEST_MS: u64 = 300_000;
/// Time to send what is opened: a frame at a few Mbps. Nothing is computed in it that matters.
pub const OPEN_MS: u64 = 10_000;
/// Slack for a device that is what it claims: less than twice, so that one device in the place of two is late.
pub const SLACK_PERCENT: u32 = 190;
/// Each pass of a scan may take this share of the fill, in percent. On the machines that were measured an honest pass takes 7 to 9 %, and one
/// of a device that must make half of the memory again 40 to 50 %; so a device that lacks less than about a quarter is not seen by this.
pub const SCAN_PERCENT: u32 = 25;

/// What a device is held to in one examination.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// Reference values of what it claims to be; a zero asks nothing.
    #[serde(with = "measurement")]
    pub reference: Measurement,
    /// Round trip to the device in milliseconds, as the hub measured it before.
    pub rtt_ms: u32,
    /// How much longer than the reference it may take, in percent of the reference time: 100 is none.
    pub slack_percent: u32,
    /// How much of its own fill time one pass of a scan may take, in percent.
    pub scan_percent: u32,
}

impl Terms {
    /// The usual terms.
    pub fn new(reference: Measurement, rtt_ms: u32) -> Self {
        Self { reference, rtt_ms, slack_percent: SLACK_PERCENT, scan_percent: SCAN_PERCENT }
    }

    /// How long the device may take for a stage, in milliseconds. `fill_ms` is how long its own fill took, for a scan.
    pub fn limit_ms(&self, job: &Job, stage: Stage, fill_ms: u64) -> u64 {
        let work = match (job, stage) {
            (_, Stage::Open) => return OPEN_MS + self.rtt_allowance_ms(),
            (Job::Product(job), _) => self.slack(product_ms(job, &self.reference)),
            (Job::Memory(job), Stage::Scan) => {
                let reference = self.slack(scan_ms(job, &self.reference));
                reference.min(fill_ms.saturating_mul(self.scan_percent.into()).saturating_mul(job.passes.into()) / 100)
            }
            (Job::Memory(job), _) => self.slack(fill_ms_of(job, &self.reference)),
            (Job::Clock(job), _) => self.slack(clock_ms(job, &self.reference)),
            (Job::Unknown, _) => LONGEST_MS,
        };
        work.saturating_add(GRACE_MS).saturating_add(self.rtt_allowance_ms()).min(LONGEST_MS)
    }

    /// The time of the work itself in what the hub measured, at least one millisecond.
    pub fn work_ms(&self, elapsed_ms: u64) -> u64 {
        elapsed_ms.saturating_sub(self.rtt_allowance_ms()).max(1)
    }

    fn rtt_allowance_ms(&self) -> u64 {
        self.rtt_ms.min(MAX_RTT_MS).into()
    }

    fn slack(&self, ms: u64) -> u64 {
        ms.saturating_mul(self.slack_percent.into()) / 100
    }
}

/// Time of a product at the reference's arithmetic speed, rounded up.
pub fn product_ms(job: &ProductJob, reference: &Measurement) -> u64 {
    // A GFLOPS is a million operations in a millisecond.
    at(job.operations(), u64::from(reference.gflops) * 1_000_000)
}

/// Time of a scan at the reference's memory bandwidth, rounded up.
pub fn scan_ms(job: &MemoryJob, reference: &Measurement) -> u64 {
    at(job.bytes().saturating_mul(job.passes.into()), u64::from(reference.memory_mb_per_sec) * 1_000)
}

/// Time of a fill, rounded up. Nobody states how fast a model adds and shifts integers; a quarter of its floating-point speed is what all
/// models reach, and a generous time is harmless here, since the scan is measured by the memory bandwidth, too.
pub fn fill_ms_of(job: &MemoryJob, reference: &Measurement) -> u64 {
    // Three operations for each word and round, and forty to hash it.
    let operations = (job.bytes() / 4).saturating_mul(3 * u64::from(job.rounds) + 40);
    at(operations, u64::from(reference.gflops) * 250_000)
}

/// Time of a chain at the reference's clock, rounded up.
pub fn clock_ms(job: &ClockJob, reference: &Measurement) -> u64 {
    at(u64::from(job.steps) * CYCLES_PER_STEP, u64::from(reference.cpu_mhz) * 1_000)
}

/// Milliseconds of `work` at so much for each millisecond; without a reference the longest.
fn at(work: u64, per_ms: u64) -> u64 {
    if per_ms == 0 { LONGEST_MS } else { work.div_ceil(per_ms) }
}

/// `Measurement` is a type of the rules, which know no serialisation.
mod measurement {
    use ionet_rules::rewards::Measurement;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Values {
        bandwidth_mbps: u32,
        memory_mb_per_sec: u32,
        cpu_mhz: u32,
        gflops: u32,
    }

    pub(super) fn serialize<S: Serializer>(value: &Measurement, serializer: S) -> Result<S::Ok, S::Error> {
        let Measurement { bandwidth_mbps, memory_mb_per_sec, cpu_mhz, gflops } = *value;
        Values { bandwidth_mbps, memory_mb_per_sec, cpu_mhz, gflops }.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Measurement, D::Error> {
        let Values { bandwidth_mbps, memory_mb_per_sec, cpu_mhz, gflops } = Values::deserialize(deserializer)?;
        Ok(Measurement { bandwidth_mbps, memory_mb_per_sec, cpu_mhz, gflops })
    }
}

#[cfg(test)]
mod tests;
