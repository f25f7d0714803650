//! What a device is made of, as its agent reports it. A claim, not a proof.

use serde::{Deserialize, Serialize};
use sha2::Digest as _;

use super::{MAX_TEXT_BYTES, ProtocolError, at_most};
use crate::ids::Sha256;

/// Version of the description that this crate writes.
pub const HARDWARE_VERSION: u16 = 2;
/// Most GPUs that one device may report.
pub const MAX_GPUS: usize = 64;
/// Most disks, and most network interfaces, that one device may report.
pub const MAX_PARTS: usize = 64;

/// Whether a device is rented for its CPUs or for its GPUs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HardwareKind {
    /// No GPU.
    #[default]
    Cpu,
    /// At least one GPU that the driver can use.
    Gpu,
}

/// How well the device separates a customer's work from the rest of the machine.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Isolation {
    /// Not at all: plain processes of the agent's own user. For customers that the supplier trusts, and nobody else.
    #[default]
    None,
    /// A kind that this version does not know.
    #[serde(other)]
    Unknown,
}

/// One GPU.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gpu {
    /// Name that the driver gives, such as `NVIDIA H100 80GB HBM3`.
    pub model: String,
    /// Its memory in MiB.
    pub memory_mb: u64,
    /// Its serial identity as the driver tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uuid: Option<String>,
    /// How it is connected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pcie: Option<Pcie>,
    /// Whether it is split into instances.
    #[serde(default)]
    pub mig: bool,
}

/// A PCI Express link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pcie {
    /// Generation that it runs at.
    pub generation: u32,
    /// Lanes that it runs on.
    pub lanes: u32,
}

/// One disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disk {
    /// Whether it is solid-state: `ssd`, `hdd` or `unknown`.
    pub kind: String,
    /// Its size in MiB.
    pub size_mb: u64,
}

/// One network interface. Its addresses are nobody's business.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkInterface {
    /// Its name on the machine.
    pub name: String,
    /// Speed of its link in Mbps, where the system tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link_mbps: Option<u32>,
}

/// The device and what of it is offered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hardware {
    /// Version of this description: [`HARDWARE_VERSION`] of the agent that wrote it; 0 before there were versions.
    #[serde(default)]
    pub version: u16,
    /// For what it is rented.
    pub kind: HardwareKind,
    /// Name that the CPU gives itself.
    pub cpu_model: String,
    /// Logical CPUs that are offered.
    pub cpus: u32,
    /// Logical CPUs of the machine.
    pub machine_cpus: u32,
    /// Highest clock that the system tells of, in MHz; 0 where it tells nothing.
    #[serde(default)]
    pub cpu_mhz: u32,
    /// Memory that is offered, in MiB.
    pub memory_mb: u64,
    /// Memory of the machine, in MiB.
    pub machine_memory_mb: u64,
    /// GPUs; empty where there is no driver.
    pub gpus: Vec<Gpu>,
    /// Version of the GPU driver, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gpu_driver: Option<String>,
    /// Cores of a GPU that shares the machine's memory: Apple silicon.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unified_gpu_cores: Option<u32>,
    /// Size of the file system that holds the workloads, in MiB.
    pub disk_mb: u64,
    /// What of it is free, in MiB.
    pub disk_free_mb: u64,
    /// The machine's disks.
    #[serde(default)]
    pub disks: Vec<Disk>,
    /// The machine's network interfaces, without loopback.
    #[serde(default)]
    pub networks: Vec<NetworkInterface>,
    /// Operating system and its version.
    pub os: String,
    /// Kernel release.
    pub kernel: String,
    /// Instruction set, such as `x86_64`.
    pub arch: String,
    /// How workloads are separated.
    pub isolation: Isolation,
}

impl Hardware {
    /// What of the description makes it another machine when it changes: processors, memory and GPUs, not what is free, offered or installed.
    ///
    /// Memory counts in whole GiB, because a kernel takes a few MiB more or less. The version is not in it: a new agent on the same machine
    /// has the same fingerprint, as long as both find the same.
    pub fn fingerprint(&self) -> Sha256 {
        let mut hash = sha2::Sha256::new();
        let mut part = |bytes: &[u8]| {
            hash.update((bytes.len() as u64).to_le_bytes());
            hash.update(bytes);
        };
        part(b"ionet hardware v1");
        part(self.arch.as_bytes());
        part(self.cpu_model.as_bytes());
        part(&self.machine_cpus.to_le_bytes());
        part(&(self.machine_memory_mb.saturating_add(512) / 1024).to_le_bytes());
        let mut gpus: Vec<_> =
            self.gpus.iter().map(|gpu| (gpu.uuid.as_deref().unwrap_or(""), gpu.model.as_str(), gpu.memory_mb / 1024)).collect();
        // The order in which a driver lists them is no property of the machine.
        gpus.sort_unstable();
        for (uuid, model, memory_gb) in gpus {
            part(uuid.as_bytes());
            part(model.as_bytes());
            part(&memory_gb.to_le_bytes());
        }
        Sha256(hash.finalize().into())
    }

    /// What has changed from `before` to this description, for a person; empty when the machine is the same.
    pub fn changes_since(&self, before: &Self) -> Vec<String> {
        let mut changes = Vec::new();
        let mut change = |what: &str, before: String, after: String| {
            if before != after {
                changes.push(format!("{what}: {before}, now {after}"));
            }
        };
        change("instruction set", before.arch.clone(), self.arch.clone());
        change("CPU", before.cpu_model.clone(), self.cpu_model.clone());
        change("logical CPUs", before.machine_cpus.to_string(), self.machine_cpus.to_string());
        let memory = |hardware: &Self| format!("{} GiB", hardware.machine_memory_mb.saturating_add(512) / 1024);
        change("memory", memory(before), memory(self));
        let gpus = |hardware: &Self| {
            let mut models: Vec<_> = hardware.gpus.iter().map(|gpu| gpu.model.as_str()).collect();
            models.sort_unstable();
            if models.is_empty() { "none".to_owned() } else { models.join(" + ") }
        };
        change("GPUs", gpus(before), gpus(self));
        if changes.is_empty() && self.fingerprint() != before.fingerprint() {
            changes.push("GPUs: other cards of the same models".to_owned());
        }
        changes
    }

    pub(super) fn check(&self) -> Result<(), ProtocolError> {
        at_most("hardware.gpus", self.gpus.len(), MAX_GPUS)?;
        at_most("hardware.disks", self.disks.len(), MAX_PARTS)?;
        at_most("hardware.networks", self.networks.len(), MAX_PARTS)?;
        for gpu in &self.gpus {
            at_most("hardware.gpus.model", gpu.model.len(), MAX_TEXT_BYTES)?;
            at_most("hardware.gpus.uuid", gpu.uuid.as_ref().map_or(0, String::len), MAX_TEXT_BYTES)?;
        }
        for text in self.disks.iter().map(|disk| &disk.kind).chain(self.networks.iter().map(|network| &network.name)) {
            at_most("hardware.parts", text.len(), MAX_TEXT_BYTES)?;
        }
        for (field, text) in [
            ("hardware.cpu_model", &self.cpu_model),
            ("hardware.os", &self.os),
            ("hardware.kernel", &self.kernel),
            ("hardware.arch", &self.arch),
        ] {
            at_most(field, text.len(), MAX_TEXT_BYTES)?;
        }
        at_most("hardware.gpu_driver", self.gpu_driver.as_ref().map_or(0, String::len), MAX_TEXT_BYTES)
    }
}
