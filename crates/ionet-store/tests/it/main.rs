//! The store's promises, against real database files.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod admission;
mod audit;
mod joins;
mod model;
mod presence;
mod reservations;
mod shares;
mod sign_in;

use ionet_store::{NewCluster, Store};
use ionet_types::agent::{Hardware, HardwareKind as AgentKind, Isolation};
use ionet_types::hardware::{HardwareKind, HardwareModel};
use ionet_types::market::Requirements;
use ionet_types::{Address, ClusterId, Currency, DeviceId};

/// A store in a directory that lives as long as it.
pub(crate) struct TestStore {
    pub(crate) store: Store,
    pub(crate) dir: tempfile::TempDir,
}

pub(crate) async fn store() -> TestStore {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("hub.db")).await.unwrap();
    TestStore { store, dir }
}

pub(crate) fn cluster(customer: u8, quantity: u32) -> NewCluster {
    NewCluster {
        id: ClusterId::new(),
        customer: Address([customer; 32]),
        name: Some("training".to_owned()),
        hardware: HardwareModel::cpu(),
        kind: HardwareKind::Cpu,
        quantity,
        minutes: 60,
        currency: Currency::Usdc,
        rate: 115_000,
        rate_micro_usd: 115_000,
        valid_until_unix_secs: 2_000,
        token: "t".repeat(32),
        created_at_unix_secs: 1_000,
        requirements: Requirements::default(),
        part_of: None,
    }
}

pub(crate) fn hardware() -> Hardware {
    Hardware {
        kind: AgentKind::Cpu,
        cpu_model: "EPYC".to_owned(),
        cpus: 2,
        machine_cpus: 4,
        memory_mb: 4096,
        machine_memory_mb: 8192,
        gpus: Vec::new(),
        disk_mb: 1 << 20,
        disk_free_mb: 1 << 19,
        os: "Linux".to_owned(),
        kernel: "6".to_owned(),
        arch: "x86_64".to_owned(),
        isolation: Isolation::None,
        ..Hardware::default()
    }
}

pub(crate) fn device(number: u8) -> DeviceId {
    DeviceId([number; 32])
}
