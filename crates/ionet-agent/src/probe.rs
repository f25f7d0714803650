//! Looks at the machine: what is in it and what of it is offered.

use ionet_types::agent::{Gpu, Hardware, HardwareKind, Isolation};
use sysinfo::{CpuRefreshKind, Disks, MemoryRefreshKind, RefreshKind, System};

use crate::AgentOptions;

const MIB: u64 = 1 << 20;

/// Describes this machine as it is now. Takes some milliseconds.
pub fn probe(options: &AgentOptions) -> Hardware {
    let system = System::new_with_specifics(
        RefreshKind::nothing().with_cpu(CpuRefreshKind::nothing()).with_memory(MemoryRefreshKind::nothing().with_ram()),
    );
    let machine_cpus = u32::try_from(system.cpus().len()).unwrap_or(u32::MAX).max(1);
    let machine_memory_mb = memory_mb(&system);
    let (disk_mb, disk_free_mb) = disk_of(options);
    let gpus = gpus();
    Hardware {
        kind: if gpus.is_empty() { HardwareKind::Cpu } else { HardwareKind::Gpu },
        cpu_model: system.cpus().first().map(|cpu| cpu.brand().trim().to_owned()).unwrap_or_default(),
        cpus: options.cpus.unwrap_or(machine_cpus).min(machine_cpus),
        machine_cpus,
        memory_mb: options.memory_mb.unwrap_or(machine_memory_mb).min(machine_memory_mb),
        machine_memory_mb,
        gpus,
        disk_mb,
        disk_free_mb,
        os: System::long_os_version().unwrap_or_else(|| std::env::consts::OS.to_owned()),
        kernel: System::kernel_version().unwrap_or_default(),
        arch: std::env::consts::ARCH.to_owned(),
        isolation: Isolation::None,
    }
}

/// Memory of this machine in MiB.
pub(crate) fn machine_memory_mb() -> u64 {
    memory_mb(&System::new_with_specifics(RefreshKind::nothing().with_memory(MemoryRefreshKind::nothing().with_ram())))
}

/// In a container the limit counts, not the machine.
fn memory_mb(system: &System) -> u64 {
    system.cgroup_limits().map_or(system.total_memory(), |limits| limits.total_memory.min(system.total_memory())) / MIB
}

/// Size and free space of the file system that holds the agent's directory, in MiB.
fn disk_of(options: &AgentOptions) -> (u64, u64) {
    let dir = options.dir.canonicalize().unwrap_or_else(|_| options.dir.clone());
    let disks = Disks::new_with_refreshed_list();
    let listed =
        disks.list().iter().filter(|disk| dir.starts_with(disk.mount_point())).max_by_key(|disk| disk.mount_point().as_os_str().len());
    if let Some(disk) = listed.filter(|disk| disk.total_space() > 0) {
        return (disk.total_space() / MIB, disk.available_space() / MIB);
    }
    // Overlays and the like are not listed as disks.
    match (fs2::total_space(&dir), fs2::available_space(&dir)) {
        (Ok(total), Ok(free)) => (total / MIB, free / MIB),
        _ => (0, 0),
    }
}

/// The GPUs that NVIDIA's driver knows; none where there is no driver.
fn gpus() -> Vec<Gpu> {
    let found = || -> Result<Vec<Gpu>, nvml_wrapper::error::NvmlError> {
        let nvml = nvml_wrapper::Nvml::init()?;
        (0..nvml.device_count()?)
            .map(|index| {
                let device = nvml.device_by_index(index)?;
                Ok(Gpu { model: device.name()?, memory_mb: device.memory_info()?.total / MIB })
            })
            .collect()
    };
    found().unwrap_or_else(|error| {
        tracing::debug!(%error, "no NVIDIA GPU");
        Vec::new()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_described() {
        let dir = tempfile::tempdir().unwrap();
        let mut options = AgentOptions::new(dir.path(), "http://127.0.0.1:1");
        let all = probe(&options);
        assert!(all.machine_cpus >= 1 && all.cpus == all.machine_cpus);
        assert!(all.machine_memory_mb > 128 && all.memory_mb == all.machine_memory_mb);
        assert!(all.disk_mb >= all.disk_free_mb && all.disk_mb > 0);
        assert!(!all.kernel.is_empty() && !all.os.is_empty());
        assert_eq!(all.kind == HardwareKind::Gpu, !all.gpus.is_empty());
        (options.cpus, options.memory_mb) = (Some(1), Some(512));
        let some = probe(&options);
        assert_eq!((some.cpus, some.memory_mb), (1, 512));
        options.cpus = Some(u32::MAX);
        assert_eq!(probe(&options).cpus, all.machine_cpus, "nobody offers more than there is");
    }
}
