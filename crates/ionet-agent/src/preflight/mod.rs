//! Whether a machine is fit to be lent: looks at everything at once, so that nobody repairs one thing only to hear of the next.
//!
//! [`collect`] looks, [`evaluate`] judges: the second is pure.

mod collect;
mod evaluate;

use serde::{Deserialize, Serialize};

pub use collect::collect;
pub use evaluate::evaluate;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// As it should be.
    Ok,
    /// The machine can be lent, and would earn less or be hired less.
    Warning,
    /// The machine cannot be lent so.
    Error,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Stable name of what was looked at.
    pub check: String,
    /// How bad it is.
    pub severity: Severity,
    /// What was found.
    pub found: String,
    /// What to do about it; absent when all is well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

/// What a look at the machine brought.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// The GPUs and their driver.
    pub gpu: GpuFact,
    /// Whether the GPUs can answer challenges.
    pub gpu_proofs: ProofsFact,
    /// Memory of the machine, MiB.
    pub memory_mb: u64,
    /// Free space where the agent keeps its workloads, MiB.
    pub disk_free_mb: u64,
    /// Whether the hub can be reached.
    pub hub: HubFact,
    /// The container engine.
    pub engine: EngineFact,
    /// The Python that environments are made with.
    pub python: PythonFact,
    /// Whether another agent runs in the agent's directory.
    pub agent_running: bool,
    /// Whether customers could share the machine; absent when that is not wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sharing: Option<SharingFact>,
}

/// Whether several customers could share a machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SharingFact {
    /// They could.
    Possible {
        /// How many GPUs it has.
        gpus: usize,
        /// They are in MIG mode: customers get instances.
        mig: bool,
    },
    /// It has no GPU.
    NoGpus,
    /// More GPUs than the market tells apart.
    TooManyGpus,
    /// The driver does not name each GPU by a UUID of its own.
    Nameless,
    /// Some GPUs are in MIG mode and some are not.
    Mixed,
}

/// What is known of GPUs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GpuFact {
    /// There is no driver: a machine that lends its CPUs.
    NoDriver,
    /// There is a driver, and it does not work.
    Broken {
        /// What it says.
        reason: String,
    },
    /// There is a driver.
    Driver {
        /// Its version.
        version: String,
        /// Newest CUDA that it can serve: 1000 times the major version and 10 times the minor one.
        cuda: Option<u32>,
        /// The cards that it knows.
        cards: Vec<String>,
    },
}

/// What is known of how the GPUs answer challenges.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProofsFact {
    /// There is none: the processor answers.
    NoCard,
    /// They can be opened, and were not, because an agent runs that may have a tenant.
    Found {
        /// How many.
        cards: u32,
    },
    /// They did small jobs rightly.
    Right {
        /// How many.
        cards: u32,
    },
    /// They cannot answer.
    Impossible {
        /// Stable code of the reason.
        code: String,
        /// The reason.
        reason: String,
        /// What to do about it.
        remedy: String,
    },
}

/// What is known of the way to the hub.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HubFact {
    /// No hub was named.
    NotNamed,
    /// No connection can be made.
    Unreachable {
        /// Why not.
        reason: String,
    },
    /// Something answers, and does not let an agent connect.
    NoUpgrade {
        /// What it answered.
        status: u16,
    },
    /// A connection like the agent's own can be made.
    Reached {
        /// How long that took, milliseconds.
        connect_ms: u64,
        /// How far the machine's clock is ahead of the hub's, seconds; negative when it is behind. Absent when the hub did not say its time.
        clock_ahead_secs: Option<i64>,
    },
}

/// What is known of the container engine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EngineFact {
    /// There is none.
    Absent,
    /// There is one, and it does not answer.
    Silent {
        /// Its socket.
        socket: String,
        /// Why not.
        reason: String,
    },
    /// There is one.
    Answers {
        /// Its socket.
        socket: String,
    },
}

/// What is known of Python.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PythonFact {
    /// There is none that can be run.
    Missing {
        /// Why not.
        reason: String,
    },
    /// There is one.
    Version {
        /// Its major version.
        major: u32,
        /// Its minor version.
        minor: u32,
    },
}
