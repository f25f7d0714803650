//! Proof of time-lock: while a device is offered it is idle, and while it is hired only its tenant's work runs on it.
//!
//! The limits are io.net's for idle devices. A minute with more foreign load than that is no minute of uptime; with a tenant on the device
//! it is *foreign use*, an incident that is counted and may become a slashing case. The load is what the agent says of its own machine: it
//! finds the careless. A liar is found by the tests, because a busy machine answers them late.

use ionet_types::agent::Load;
use serde::{Deserialize, Serialize};

use crate::life::BlockReason;
use crate::minutes::Minutes;

/// Minutes of foreign load in one hour that block an idle device: a quarter of it.
pub const IDLE_MINUTES_TO_BLOCK: u32 = 15;
/// Minutes of foreign load in one hour that block a hired device.
pub const FOREIGN_MINUTES_TO_BLOCK: u32 = 5;

/// How much foreign load a device may have, permille.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Of its processors.
    pub cpu_permille: u16,
    /// Of its GPU.
    pub gpu_permille: u16,
}

impl Limits {
    /// Data-centre cards, the largest consumer cards, and whatever is not listed: 30 % of the processors, 5 % of the GPU.
    pub const STRICT: Self = Self { cpu_permille: 300, gpu_permille: 50 };
    /// Consumer cards below the RTX 4090 and the smaller workstation cards, whose owners also look at a screen: 30 % and 20 %.
    pub const CONSUMER: Self = Self { cpu_permille: 300, gpu_permille: 200 };

    /// The limits for a GPU of this name, as the driver gives it; `None` for a device without one.
    pub fn of_gpu(model: Option<&str>) -> Self {
        if model.is_some_and(is_consumer) { Self::CONSUMER } else { Self::STRICT }
    }
}

/// Whether a card is on the list of those with 20 %: RTX 30xx and 40xx below the 4090, RTX 4000 and 5000, A4000 and A5000; not their Ada
/// successors from the 5000 on.
fn is_consumer(model: &str) -> bool {
    let mut words = model.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let is_ada = words.clone().any(|word| word.eq_ignore_ascii_case("ada"));
    words.any(|word| {
        let digits = word.trim_start_matches(['A', 'a']);
        match digits.parse::<u32>() {
            Ok(number @ (3_000..=3_999 | 4_001..=4_089)) => number % 10 == 0,
            Ok(4_000) => true,
            Ok(5_000) => !is_ada,
            _ => false,
        }
    })
}

/// What a load sample says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing against the device.
    Within,
    /// It is not as idle as it was offered: this minute does not count.
    IdleLoad,
    /// Others use what a tenant pays for: an incident, and the minute does not count.
    ForeignUse,
}

/// Judges one sample.
pub const fn judge(load: &Load, limits: Limits, hired: bool) -> Verdict {
    let over = load.cpu_permille_foreign > limits.cpu_permille || load.gpu_permille_foreign > limits.gpu_permille;
    match (over, hired) {
        (false, _) => Verdict::Within,
        (true, false) => Verdict::IdleLoad,
        (true, true) => Verdict::ForeignUse,
    }
}

/// What is counted of samples over the limits in one hour, for a case that may come of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// Samples over the limits.
    pub samples_over: u16,
    /// Minutes with such a sample while a tenant had the device.
    pub foreign_minutes: u16,
    /// The most foreign load of the processors in such a sample, permille.
    pub worst_cpu_permille: u16,
    /// The most foreign load of the GPU in such a sample, permille.
    pub worst_gpu_permille: u16,
}

/// One hour of a device.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hour {
    /// Minutes in which it was there.
    pub up: Minutes,
    /// Minutes in which it had too much foreign load.
    pub over: Minutes,
    /// How that was.
    pub evidence: Evidence,
}

impl Hour {
    /// Takes a sample of a minute in.
    pub fn sample(&mut self, minute: Minutes, load: &Load, limits: Limits, hired: bool) -> Verdict {
        let verdict = judge(load, limits, hired);
        if verdict == Verdict::Within {
            return verdict;
        }
        let evidence = &mut self.evidence;
        evidence.samples_over = evidence.samples_over.saturating_add(1);
        evidence.worst_cpu_permille = evidence.worst_cpu_permille.max(load.cpu_permille_foreign);
        evidence.worst_gpu_permille = evidence.worst_gpu_permille.max(load.gpu_permille_foreign);
        if verdict == Verdict::ForeignUse && !self.over.contains(minute) {
            evidence.foreign_minutes = evidence.foreign_minutes.saturating_add(1);
        }
        self.over = self.over.union(minute);
        verdict
    }

    /// Minutes that count as uptime.
    pub const fn counted(&self) -> Minutes {
        self.up.without(self.over)
    }

    /// For what this hour blocks the device, if it does.
    pub fn offence(&self) -> Option<BlockReason> {
        let foreign = u32::from(self.evidence.foreign_minutes);
        if foreign >= FOREIGN_MINUTES_TO_BLOCK {
            Some(BlockReason::ForeignUse)
        } else if self.over.count().saturating_sub(foreign) >= IDLE_MINUTES_TO_BLOCK {
            Some(BlockReason::IdleLoad)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn load(cpu: u16, gpu: u16) -> Load {
        Load { cpu_permille: 1_000, gpu_permille: 1_000, cpu_permille_foreign: cpu, gpu_permille_foreign: gpu, gpu_processes_foreign: 1 }
    }

    #[test]
    fn cards_have_the_limits_of_the_list() {
        for model in [
            "NVIDIA GeForce RTX 3060 Ti",
            "NVIDIA GeForce RTX 3090",
            "NVIDIA GeForce RTX 4070",
            "NVIDIA GeForce RTX 4080 SUPER",
            "Quadro RTX 4000",
            "NVIDIA RTX 4000 SFF Ada Generation",
            "Quadro RTX 5000",
            "NVIDIA RTX A4000",
            "NVIDIA RTX A5000",
        ] {
            assert_eq!(Limits::of_gpu(Some(model)), Limits::CONSUMER, "{model}");
        }
        for model in [
            "NVIDIA H100 80GB HBM3",
            "NVIDIA A100-SXM4-80GB",
            "NVIDIA GeForce RTX 4090",
            "NVIDIA GeForce RTX 4090 D",
            "NVIDIA GeForce RTX 5090",
            "NVIDIA RTX 5000 Ada Generation",
            "NVIDIA RTX 6000 Ada Generation",
            "NVIDIA RTX A6000",
            "Tesla T4",
            "Tesla V100-SXM2-32GB",
            "NVIDIA L4",
            "NVIDIA L40S",
            "",
            "my own 99999999999999999999",
        ] {
            assert_eq!(Limits::of_gpu(Some(model)), Limits::STRICT, "{model}");
        }
        assert_eq!(Limits::of_gpu(None), Limits::STRICT);
    }

    #[test]
    fn the_limit_itself_is_allowed() {
        assert_eq!(judge(&load(300, 50), Limits::STRICT, true), Verdict::Within);
        assert_eq!(judge(&load(301, 0), Limits::STRICT, false), Verdict::IdleLoad);
        assert_eq!(judge(&load(0, 51), Limits::STRICT, true), Verdict::ForeignUse);
        assert_eq!(judge(&load(0, 51), Limits::CONSUMER, true), Verdict::Within);
        let tenant = Load { cpu_permille: 1_000, gpu_permille: 1_000, ..Load::default() };
        assert_eq!(judge(&tenant, Limits::STRICT, true), Verdict::Within, "the tenant's own work is no foreign use");
    }

    #[test]
    fn an_hour_blocks_for_what_was_done_in_it() {
        let busy = |minutes: i64, hired| {
            let mut hour = Hour { up: Minutes::ALL, ..Hour::default() };
            for moment in (0..minutes * 60).step_by(30) {
                hour.sample(Minutes::touched(0, moment, moment), &load(0, 900), Limits::STRICT, hired);
            }
            (hour.offence(), hour.counted().count())
        };
        assert_eq!(busy(14, false), (None, 46));
        assert_eq!(busy(15, false), (Some(BlockReason::IdleLoad), 45));
        assert_eq!(busy(4, true), (None, 56));
        assert_eq!(busy(5, true), (Some(BlockReason::ForeignUse), 55));
    }

    proptest! {
        /// Minutes over a limit never count, minutes within never stop to count, and the evidence adds up.
        #[test]
        fn counted_minutes_are_those_that_were_there_and_within(
            samples in prop::collection::vec((0_i64..3_600, 0_u16..1_001, 0_u16..1_001, any::<bool>()), 0..200),
        ) {
            let mut hour = Hour::default();
            let (mut up, mut over, mut foreign) = ([false; 60], [false; 60], 0);
            let mut samples_over = 0;
            for (moment, cpu, gpu, hired) in samples {
                let minute = Minutes::touched(0, moment, moment);
                hour.up = hour.up.union(minute);
                let verdict = hour.sample(minute, &load(cpu, gpu), Limits::CONSUMER, hired);
                let at = usize::try_from(moment / 60).expect("a minute of the hour");
                up[at] = true;
                if cpu > 300 || gpu > 200 {
                    samples_over += 1;
                    foreign += u16::from(hired && !over[at]);
                    over[at] = true;
                }
                prop_assert_eq!(verdict == Verdict::Within, cpu <= 300 && gpu <= 200);
            }
            let counted = up.iter().zip(over).filter(|(up, over)| **up && !over).count();
            prop_assert_eq!(hour.counted().count() as usize, counted);
            prop_assert_eq!((hour.evidence.samples_over, hour.evidence.foreign_minutes), (samples_over, foreign));
        }
    }
}
