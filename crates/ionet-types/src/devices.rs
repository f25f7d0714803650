//! Devices, as everybody may see them. Who owns one is never shown.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::hardware::{HardwareKind, HardwareModel};
use crate::ids::DeviceId;
use crate::market::{Attestation, GpuInstance, Location, Tier};

/// Whether a device is heard of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeviceConnection {
    /// Its agent is connected.
    Connected,
    /// Its agent is not heard of now; what it runs most likely runs on.
    Unknown,
}

/// What a device is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeviceUse {
    /// It can be hired.
    Free,
    /// It is reserved for, or works in, a cluster.
    Hired,
    /// Its last cluster is being cleared away.
    Releasing,
}

/// How a device is, as far as the network can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeviceState {
    /// Known, and never verified.
    Registered,
    /// It is here and has to pass a proof, for the first time or again.
    Verifying,
    /// It can be hired.
    Ready,
    /// It works for a customer.
    Hired,
    /// Its owner takes it out of the market.
    Paused,
    /// The network watches, and it is away.
    Down,
    /// It has been down for more than five days.
    Inactive,
    /// The network takes it out of the market.
    Blocked,
    /// Given up, for good.
    Terminated,
    /// Nobody can tell: the network itself was away. Counts against nobody.
    Unknown,
}

/// What was seen of a device in one hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeviceHour {
    /// Minutes in which it was there and as idle, or as much its tenant's, as it should be.
    pub minutes_up: u32,
    /// Minutes with more foreign load than allowed: they do not count.
    pub minutes_over: u32,
    /// Minutes of which nobody can tell, because the network itself was away.
    pub minutes_unknown: u32,
    /// Minutes with foreign load while a customer had it.
    pub minutes_foreign: u32,
}

/// How many devices are in each state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeviceCounts {
    /// By the name of the state.
    pub states: BTreeMap<DeviceState, u32>,
    /// All of them.
    pub total: u32,
}

/// What a device's past is worth, and why: it ranks who is hired first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeviceReputation {
    /// The score: the neutral one and all parts together.
    pub score: u32,
    /// Score of a device without a past.
    pub neutral: u32,
    /// The highest score.
    pub highest: u32,
    /// After so many seconds what was done counts half.
    pub half_life_secs: u32,
    /// What adds to the score and what takes from it.
    pub parts: Vec<ReputationPart>,
}

/// One kind of thing that counts for a reputation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReputationPart {
    /// What: a stable name.
    pub kind: String,
    /// What it adds, or takes when negative.
    pub points: i32,
}

/// How a device is, since when, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeviceStatus {
    /// How it is.
    pub state: DeviceState,
    /// Since when, unix seconds.
    pub since_unix_secs: i64,
    /// Why: a stable name.
    pub reason: String,
    /// Why, and what to do about it, for a person.
    pub detail: String,
}

/// A device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Device {
    /// Its id: its public key.
    pub id: DeviceId,
    /// The name that its supplier gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// How it is.
    pub status: DeviceStatus,
    /// What its past is worth, 0 to 1,000.
    pub reputation: u32,
    /// Where it is, as its supplier says.
    #[serde(default, skip_serializing_if = "Location::is_unknown")]
    pub location: Location,
    /// How well it is connected, as last measured.
    pub tier: Tier,
    /// What the operator has seen proof of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attestation: Option<Attestation>,
    /// What was seen of it in the hour that runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hour: Option<DeviceHour>,
    /// Whether it is heard of.
    pub connection: DeviceConnection,
    /// What it is used for.
    pub usage: DeviceUse,
    /// How it is divided, where several customers may share it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sharing: Option<DeviceSharing>,
    /// Its kind.
    pub kind: HardwareKind,
    /// Its model in the price list; absent when the list has no price for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hardware: Option<HardwareModel>,
    /// Name that its CPU gives itself.
    pub cpu_model: String,
    /// Logical CPUs offered.
    pub cpus: u32,
    /// Memory offered, MiB.
    pub memory_mb: u64,
    /// Its GPUs.
    pub gpus: Vec<DeviceGpu>,
    /// How well it separates a customer's work from the rest of the machine: `none` means plain processes, for trusted use only.
    pub isolation: String,
    /// Version of its agent.
    pub agent_version: String,
    /// When it first connected, unix seconds.
    pub registered_at_unix_secs: i64,
    /// When it was last heard of, unix seconds.
    pub last_seen_unix_secs: i64,
}

/// How a device that several customers may share is divided now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeviceSharing {
    /// What is free of it is given in parts; otherwise its owner takes no further ones.
    pub open: bool,
    /// GPUs of which nothing is taken.
    pub free_gpus: u8,
    /// Free thousandths of each GPU, by their numbers.
    pub free_gpu_milli: Vec<u16>,
    /// The GPUs are cut into hardware instances (MIG), and give nothing else.
    pub mig: bool,
    /// Free thousandths of logical CPUs.
    pub free_cpu_milli: u32,
    /// Free memory, MiB.
    pub free_memory_mb: u32,
    /// Free disk, MiB.
    pub free_disk_mb: u32,
    /// What is taken of it, one entry for each node; by whom is not said.
    pub hired: Vec<DeviceShare>,
}

/// What one node has of a device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeviceShare {
    /// Numbers of the GPUs that it has, or has a part of, from 0.
    pub gpus: Vec<u8>,
    /// Thousandths of that one GPU.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gpu_milli: Option<u16>,
    /// A hardware instance of that one GPU.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gpu_instance: Option<GpuInstance>,
    /// Thousandths of logical CPUs.
    pub cpu_milli: u32,
    /// Memory, MiB.
    pub memory_mb: u32,
    /// Disk, MiB.
    pub disk_mb: u32,
    /// It is being cleared away.
    pub releasing: bool,
}

/// A GPU of a device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeviceGpu {
    /// Name that the driver gives.
    pub model: String,
    /// Its memory, MiB.
    pub memory_mb: u64,
}
