//! How busy the machine is, and how much of that is neither a tenant's work nor the agent's own: what time-lock is judged by.

use std::collections::{HashMap, HashSet};
use std::fs;

use ionet_types::agent::Load;
use ionet_types::agent::heartbeat::PERMILLE;

use crate::processes;

/// Measures from one reading to the next.
pub(crate) struct Meter {
    last: Option<Reading>,
}

/// Processor time since the machine's start, in clock ticks.
struct Reading {
    /// All time of all processors, and how much of it they were busy.
    whole: u64,
    busy: u64,
    /// Of each process of the agent and its tenants.
    own: HashMap<i32, u64>,
}

impl Meter {
    /// Begins to measure.
    pub(crate) fn begin() -> Self {
        Self { last: None }
    }

    /// How busy the machine was since the last reading. Nothing at the first one, and where the system does not tell.
    pub(crate) fn read(&mut self, device_id: &str) -> Load {
        let Some(now) = Reading::take(device_id) else { return gpu_load(Load::default()) };
        let load = self.last.as_ref().map_or_else(Load::default, |last| now.since(last));
        self.last = Some(now);
        gpu_load(load)
    }
}

impl Reading {
    fn take(device_id: &str) -> Option<Self> {
        let (whole, busy) = processors(&fs::read_to_string("/proc/stat").ok()?)?;
        let own = processes::own_and_marked(&format!("{device_id}/")).into_iter().filter_map(|pid| Some((pid, ticks_of(pid)?))).collect();
        Some(Self { whole, busy, own })
    }

    fn since(&self, last: &Self) -> Load {
        let whole = self.whole.saturating_sub(last.whole);
        let busy = self.busy.saturating_sub(last.busy).min(whole);
        // A process that is gone by now has worked, too, but nobody can tell how much: it is taken for foreign, as it would be for a moment.
        let own: u64 = self.own.iter().map(|(pid, ticks)| ticks.saturating_sub(last.own.get(pid).copied().unwrap_or(0))).sum();
        let permille = |ticks: u64| u16::try_from(ticks * u64::from(PERMILLE) / whole.max(1)).unwrap_or(PERMILLE).min(PERMILLE);
        Load { cpu_permille: permille(busy), cpu_permille_foreign: permille(busy.saturating_sub(own)), ..Load::default() }
    }
}

/// All time and busy time in the first line of `/proc/stat`.
fn processors(stat: &str) -> Option<(u64, u64)> {
    let mut ticks = stat.lines().next()?.strip_prefix("cpu ")?.split_ascii_whitespace().map_while(|field| field.parse::<u64>().ok());
    let [user, nice, system, idle, waiting, interrupts, soft, stolen] = std::array::from_fn(|_| ticks.next().unwrap_or(0));
    let busy = user + nice + system + interrupts + soft;
    // Time that the host gave to others is neither idle nor this machine's work.
    Some((busy + idle + waiting + stolen, busy))
}

fn ticks_of(pid: i32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = text.get(text.rfind(')')? + 2..)?.split(' ').skip(11);
    Some(fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?)
}

/// Adds the graphics cards: the busiest counts, and every process on it that is not a tenant's.
fn gpu_load(load: Load) -> Load {
    let read = || -> Result<(u16, HashSet<u32>), nvml_wrapper::error::NvmlError> {
        let nvml = nvml_wrapper::Nvml::init()?;
        let (mut busiest, mut processes) = (0, HashSet::new());
        for index in 0..nvml.device_count()? {
            let device = nvml.device_by_index(index)?;
            busiest = busiest.max(device.utilization_rates()?.gpu);
            processes.extend(device.running_compute_processes()?.into_iter().map(|process| process.pid));
        }
        Ok((u16::try_from(busiest * 10).unwrap_or(PERMILLE).min(PERMILLE), processes))
    };
    let Ok((gpu_permille, on_gpu)) = read() else { return load };
    // This process has the cards open while it waits for proofs.
    let is_own = |pid: u32| pid == std::process::id() || processes::is_marked(pid.cast_signed());
    let foreign = on_gpu.iter().filter(|pid| !is_own(**pid)).count();
    Load {
        gpu_permille,
        // The driver does not share a card's time out to processes: with foreign ones on it, none of it is certain to be the tenant's.
        gpu_permille_foreign: if foreign > 0 { gpu_permille } else { 0 },
        gpu_processes_foreign: u16::try_from(foreign).unwrap_or(u16::MAX),
        ..load
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_is_read() {
        let stat = "cpu  10 20 30 400 50 6 7 8 9 9\ncpu0 1 2 3 4 5 6 7 8 9 9\n";
        assert_eq!(processors(stat), Some((531, 73)));
        assert_eq!(processors(""), None);
        assert_eq!(processors("intr 1"), None);
    }

    #[test]
    fn own_work_is_not_foreign() {
        let mut meter = Meter::begin();
        assert_eq!(meter.read("nobody").cpu_permille_foreign, 0, "nothing to compare with");
        let own = std::process::id().cast_signed();
        let before = ticks_of(own).unwrap();
        let mut number = 1_u64;
        while ticks_of(own).unwrap() < before + 20 {
            number = (0..1_000_000).fold(number, |number, step| number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(step));
        }
        assert_ne!(number, 0);
        let load = meter.read("nobody");
        assert!(load.is_well_formed() && load.cpu_permille > load.cpu_permille_foreign, "{load:?}");
    }
}
