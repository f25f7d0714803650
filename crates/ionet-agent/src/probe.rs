//! Looks at the machine: what is in it and what of it is offered.

use ionet_types::agent::hardware::{HARDWARE_VERSION, MAX_PARTS};
use ionet_types::agent::{Disk, Gpu, Hardware, HardwareKind, Isolation, NetworkInterface, Pcie};
use sysinfo::{CpuRefreshKind, DiskKind, Disks, MemoryRefreshKind, Networks, RefreshKind, System};

use crate::AgentOptions;

const MIB: u64 = 1 << 20;

/// Describes this machine as it is now. Takes some milliseconds.
pub fn probe(options: &AgentOptions) -> Hardware {
    let system = System::new_with_specifics(
        RefreshKind::nothing().with_cpu(CpuRefreshKind::nothing().with_frequency()).with_memory(MemoryRefreshKind::nothing().with_ram()),
    );
    let machine_cpus = u32::try_from(system.cpus().len()).unwrap_or(u32::MAX).max(1);
    let machine_memory_mb = memory_mb(&system);
    let (disk_mb, disk_free_mb) = disk_of(options);
    let (gpus, gpu_driver) = gpus();
    Hardware {
        version: HARDWARE_VERSION,
        kind: if gpus.is_empty() { HardwareKind::Cpu } else { HardwareKind::Gpu },
        cpu_model: system.cpus().first().map(|cpu| cpu.brand().trim().to_owned()).unwrap_or_default(),
        cpu_mhz: system.cpus().iter().map(sysinfo::Cpu::frequency).max().and_then(|mhz| u32::try_from(mhz).ok()).unwrap_or(0),
        cpus: options.cpus.unwrap_or(machine_cpus).min(machine_cpus),
        machine_cpus,
        memory_mb: options.memory_mb.unwrap_or(machine_memory_mb).min(machine_memory_mb),
        machine_memory_mb,
        gpus,
        gpu_driver,
        unified_gpu_cores: unified_gpu_cores(),
        disk_mb,
        disk_free_mb,
        disks: disks(),
        networks: networks(),
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

/// The machine's disks, each once: a disk may be mounted in many places.
fn disks() -> Vec<Disk> {
    let kind = |disk: &sysinfo::Disk| match disk.kind() {
        DiskKind::SSD => "ssd",
        DiskKind::HDD => "hdd",
        DiskKind::Unknown(_) => "unknown",
    };
    let listed = Disks::new_with_refreshed_list();
    let mut disks: Vec<(&std::ffi::OsStr, Disk)> = listed
        .list()
        .iter()
        .filter(|disk| disk.total_space() > 0)
        .map(|disk| (disk.name(), Disk { kind: kind(disk).to_owned(), size_mb: disk.total_space() / MIB }))
        .collect();
    disks.sort_by_key(|(name, _)| *name);
    disks.dedup_by_key(|(name, _)| *name);
    disks.into_iter().map(|(_, disk)| disk).take(MAX_PARTS).collect()
}

/// The machine's network interfaces, without loopback.
fn networks() -> Vec<NetworkInterface> {
    let listed = Networks::new_with_refreshed_list();
    let mut names: Vec<&String> = listed.keys().filter(|name| !name.starts_with("lo")).collect();
    names.sort_unstable();
    names.into_iter().take(MAX_PARTS).map(|name| NetworkInterface { name: name.clone(), link_mbps: link_mbps(name) }).collect()
}

/// Speed of a link; Linux tells it for wired ones.
fn link_mbps(name: &str) -> Option<u32> {
    let text = std::fs::read_to_string(format!("/sys/class/net/{name}/speed")).ok()?;
    text.trim().parse().ok().filter(|mbps| *mbps > 0)
}

/// The GPUs that NVIDIA's driver knows, and its version; none where there is no driver, which is a normal case.
pub(crate) fn gpus() -> (Vec<Gpu>, Option<String>) {
    let found = || -> Result<(Vec<Gpu>, Option<String>), nvml_wrapper::error::NvmlError> {
        let nvml = nvml_wrapper::Nvml::init()?;
        let gpus = (0..nvml.device_count()?).map(|index| gpu(&nvml.device_by_index(index)?)).collect::<Result<_, _>>()?;
        Ok((gpus, nvml.sys_driver_version().ok()))
    };
    found().unwrap_or_else(|error| {
        tracing::debug!(%error, "no NVIDIA GPU");
        (Vec::new(), None)
    })
}

/// One GPU. What a virtual card does not tell is left out.
fn gpu(device: &nvml_wrapper::Device<'_>) -> Result<Gpu, nvml_wrapper::error::NvmlError> {
    let link = device.current_pcie_link_gen().ok().zip(device.current_pcie_link_width().ok());
    Ok(Gpu {
        model: device.name()?,
        memory_mb: device.memory_info()?.total / MIB,
        uuid: device.uuid().ok(),
        pcie: link.map(|(generation, lanes)| Pcie { generation, lanes }),
        mig: device.mig_mode().is_ok_and(|mode| mode.current == MIG_ENABLED),
    })
}

/// What the driver calls a card that is split into instances.
const MIG_ENABLED: u32 = 1;

/// Cores of the GPU that is part of an Apple chip.
#[cfg(target_os = "macos")]
fn unified_gpu_cores() -> Option<u32> {
    let output = std::process::Command::new("/usr/sbin/ioreg").args(["-rc", "IOAccelerator", "-d1"]).output().ok()?;
    apple_gpu_cores(&String::from_utf8_lossy(&output.stdout))
}

/// Only Apple's chips have one.
#[cfg(not(target_os = "macos"))]
fn unified_gpu_cores() -> Option<u32> {
    None
}

/// The number of GPU cores in what `ioreg` says of the accelerator.
#[cfg(any(target_os = "macos", test))]
fn apple_gpu_cores(ioreg: &str) -> Option<u32> {
    let (_, after) = ioreg.split_once("\"gpu-core-count\" = ")?;
    after.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
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
        assert_eq!(all.version, HARDWARE_VERSION);
        assert_eq!(all.fingerprint(), probe(&options).fingerprint(), "the same machine is the same at every look");
        assert_eq!(all.kind == HardwareKind::Gpu, !all.gpus.is_empty());
        (options.cpus, options.memory_mb) = (Some(1), Some(512));
        let some = probe(&options);
        assert_eq!((some.cpus, some.memory_mb), (1, 512));
        options.cpus = Some(u32::MAX);
        assert_eq!(probe(&options).cpus, all.machine_cpus, "nobody offers more than there is");
    }

    #[test]
    fn an_apple_gpu_is_read_from_what_the_system_says() {
        let said = "+-o AGXAcceleratorG15X\n    {\n      \"IOClass\" = \"AGX\"\n      \"gpu-core-count\" = 40\n      \"model\" = \"Apple M3 Max\"\n";
        assert_eq!(apple_gpu_cores(said), Some(40));
        assert_eq!(apple_gpu_cores("no accelerator"), None);
    }
}
