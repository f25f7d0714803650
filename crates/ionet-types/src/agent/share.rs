//! What of a device a node may use, where the device is shared by several clusters.

use serde::{Deserialize, Serialize};

use super::{ProtocolError, at_most};
use crate::market::GpuInstance;

/// Longest UUID of a GPU in bytes.
pub const MAX_UUID_BYTES: usize = 96;
/// Most GPUs that one node may use of a shared device.
pub const MAX_GRANTS: usize = 8;

/// A node's share of its device.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeShare {
    /// Thousandths of a logical CPU.
    pub cpu_milli: u32,
    /// Memory, MiB.
    pub memory_mb: u64,
    /// Disk, MiB.
    pub disk_mb: u64,
    /// Its GPUs; no others are to be seen by its processes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gpus: Vec<GpuGrant>,
}

/// A GPU that a node may use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GpuGrant {
    /// Which, as the device itself named it.
    pub uuid: String,
    /// How much of it.
    #[serde(flatten)]
    pub part: GpuPart,
}

/// How much of a GPU a node may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "part", rename_all = "snake_case")]
pub enum GpuPart {
    /// All of it.
    Whole,
    /// So many thousandths of its processors and its memory, beside others.
    Milli {
        /// 1 to 999.
        milli: u16,
    },
    /// A hardware instance of it.
    Instance {
        /// Its size.
        size: GpuInstance,
        /// The memory slice at which it begins, 0 to 7.
        start: u8,
    },
    /// A way that this version does not know; the node is reported as failed.
    #[serde(other)]
    Unknown,
}

impl NodeShare {
    pub(super) fn check(&self) -> Result<(), ProtocolError> {
        at_most("ray.share.gpus", self.gpus.len(), MAX_GRANTS)?;
        for (index, gpu) in self.gpus.iter().enumerate() {
            // It becomes part of a variable of the environment, and of a program's arguments.
            let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
            at_most("ray.share.gpus.uuid", gpu.uuid.len(), MAX_UUID_BYTES)?;
            if gpu.uuid.is_empty() || gpu.uuid.starts_with('-') || !gpu.uuid.bytes().all(fits) {
                return Err(out_of_bounds("ray.share.gpus.uuid", "letters, digits and hyphens"));
            }
            if self.gpus[..index].iter().any(|earlier| earlier.uuid == gpu.uuid) {
                return Err(out_of_bounds("ray.share.gpus", "each GPU at most once"));
            }
            match gpu.part {
                GpuPart::Milli { milli } if !(1..1_000).contains(&milli) => {
                    return Err(out_of_bounds("ray.share.gpus.milli", "1 to 999"));
                }
                GpuPart::Instance { start, .. } if start > 7 => {
                    return Err(out_of_bounds("ray.share.gpus.start", "0 to 7"));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

fn out_of_bounds(field: &'static str, bound: &str) -> ProtocolError {
    ProtocolError::OutOfBounds { field, bound: bound.to_owned() }
}
