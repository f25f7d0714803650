//! What a device is made of, as its agent reports it. A claim, not a proof.

use serde::{Deserialize, Serialize};

use super::{MAX_TEXT_BYTES, ProtocolError, at_most};

/// Most GPUs that one device may report.
pub const MAX_GPUS: usize = 64;

/// Whether a device is rented for its CPUs or for its GPUs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HardwareKind {
    /// No GPU.
    Cpu,
    /// At least one GPU that the driver can use.
    Gpu,
}

/// How well the device separates a customer's work from the rest of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Isolation {
    /// Not at all: plain processes of the agent's own user. For customers that the supplier trusts, and nobody else.
    None,
    /// A kind that this version does not know.
    #[serde(other)]
    Unknown,
}

/// One GPU.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gpu {
    /// Name that the driver gives, such as `NVIDIA H100 80GB HBM3`.
    pub model: String,
    /// Its memory in MiB.
    pub memory_mb: u64,
}

/// The device and what of it is offered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hardware {
    /// For what it is rented.
    pub kind: HardwareKind,
    /// Name that the CPU gives itself.
    pub cpu_model: String,
    /// Logical CPUs that are offered.
    pub cpus: u32,
    /// Logical CPUs of the machine.
    pub machine_cpus: u32,
    /// Memory that is offered, in MiB.
    pub memory_mb: u64,
    /// Memory of the machine, in MiB.
    pub machine_memory_mb: u64,
    /// GPUs; empty where there is no driver.
    pub gpus: Vec<Gpu>,
    /// Size of the file system that holds the workloads, in MiB.
    pub disk_mb: u64,
    /// What of it is free, in MiB.
    pub disk_free_mb: u64,
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
    pub(super) fn check(&self) -> Result<(), ProtocolError> {
        at_most("hardware.gpus", self.gpus.len(), MAX_GPUS)?;
        for gpu in &self.gpus {
            at_most("hardware.gpus.model", gpu.model.len(), MAX_TEXT_BYTES)?;
        }
        for (field, text) in [
            ("hardware.cpu_model", &self.cpu_model),
            ("hardware.os", &self.os),
            ("hardware.kernel", &self.kernel),
            ("hardware.arch", &self.arch),
        ] {
            at_most(field, text.len(), MAX_TEXT_BYTES)?;
        }
        Ok(())
    }
}
