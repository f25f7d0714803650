//! Devices that several customers share: what of a device is for hire, and the words that the engine, the store and the agent have for a
//! part of it.

use std::collections::BTreeMap;

use ionet_market::machine::Machine;
use ionet_market::placed::Placed;
use ionet_market::shape::{Demand, GpuDemand, Instance, MAX_GPUS, Room, Slot, WHOLE_MILLI};
use ionet_store::{GpuShare, Reservation, Share, Size, Taking};
use ionet_types::DeviceId;
use ionet_types::agent::{GpuGrant, GpuPart, Hardware, NodeShare};
use ionet_types::market::{GpuInstance, ShortName};

/// What a node with GPUs is given of a device at least, whatever it asks for: one logical CPU, and memory to start Ray in.
pub(super) const LEAST_CPU_MILLI: u32 = 1_000;
/// The same in memory, MiB.
pub(super) const LEAST_MEMORY_MB: u32 = 1_024;

/// A device's GPUs by their numbers, which are those of their UUIDs in order: so the numbers outlast restarts. `None` where they cannot be
/// told apart.
fn gpus(hardware: &Hardware) -> Option<Vec<&str>> {
    let mut uuids: Vec<&str> = hardware.gpus.iter().filter_map(|gpu| gpu.uuid.as_deref()).collect();
    uuids.sort_unstable();
    uuids.dedup();
    let all = uuids.len() == hardware.gpus.len() && (1..=MAX_GPUS).contains(&uuids.len());
    all.then_some(uuids)
}

/// What of a device is for hire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Offer {
    /// All of it.
    pub(super) whole: Room,
    /// Whether it is given in parts.
    pub(super) divisible: bool,
}

impl Offer {
    /// A device of so many GPUs, given in parts where its supplier wants that and its GPUs can be told apart. While anything of it is taken, that
    /// decides in which way: it does not change under a customer. `None` with more GPUs than the market takes.
    pub(super) fn of(hardware: &Hardware, gpu_count: u8, shared: bool, taken: &[Reservation]) -> Option<Self> {
        let all_taken = taken.iter().any(|one| one.share.is_none());
        let parts = || taken.iter().filter_map(|one| one.share);
        let split = hardware.gpus.iter().filter(|gpu| gpu.mig).count();
        // With some GPUs in MIG mode and some not there is no one way to ask for a part.
        let uniform = split == 0 || split == hardware.gpus.len();
        let divisible = gpu_count > 0 && shared && uniform && !all_taken && gpus(hardware).is_some();
        let mig = split > 0 && !all_taken && (divisible || parts().any(|share| matches!(share.gpus, GpuShare::Instance { .. })));
        let mb = |mb: u64| u32::try_from(mb).unwrap_or(u32::MAX);
        let sum = |of: fn(&Share) -> u32| parts().map(|share| of(&share)).fold(0, u32::saturating_add);
        // Never less than is taken: a disk fills with what its customers write, and its agent may offer less by now.
        let cpu_milli = hardware.cpus.saturating_mul(1_000).max(sum(|share| share.cpu_milli));
        let memory_mb = mb(hardware.memory_mb).max(sum(|share| share.memory_mb));
        let disk_mb = mb(hardware.disk_free_mb).max(sum(|share| share.disk_mb));
        Some(Self { whole: Room::new(cpu_milli, memory_mb, disk_mb, gpu_count, mig)?, divisible })
    }

    /// What a reservation takes of it, in the engine's words.
    pub(super) fn taken(&self, reservation: &Reservation) -> (Demand, Slot) {
        match &reservation.share {
            None => self.whole.all(),
            Some(share) => engines(share),
        }
    }
}

/// A share in the engine's words.
fn engines(share: &Share) -> (Demand, Slot) {
    let (gpus, slot) = match share.gpus {
        GpuShare::None => (GpuDemand::None, Slot::None),
        GpuShare::Milli { gpu, milli } => (GpuDemand::Part(milli), Slot::Part(gpu)),
        GpuShare::Whole(bits) => (GpuDemand::Whole(u8::try_from(bits.count_ones()).expect("at most eight bits")), Slot::Whole(bits)),
        GpuShare::Instance { gpu, start, size } => (GpuDemand::Instance(instance(size)), Slot::Instance { gpu, start }),
    };
    (Demand { cpu_milli: share.cpu_milli, memory_mb: share.memory_mb, disk_mb: share.disk_mb, gpus }, slot)
}

/// What was placed, in the store's words. `None` where slot and demand do not belong together, which no placement says.
fn stores(demand: &Demand, slot: Slot) -> Option<Share> {
    let gpus = match (demand.gpus, slot) {
        (GpuDemand::None, Slot::None) => GpuShare::None,
        (GpuDemand::Part(milli), Slot::Part(gpu)) => GpuShare::Milli { gpu, milli },
        (GpuDemand::Whole(_), Slot::Whole(bits)) => GpuShare::Whole(bits),
        (GpuDemand::Instance(instance), Slot::Instance { gpu, start }) => GpuShare::Instance { gpu, start, size: size_of(instance) },
        _ => return None,
    };
    Some(Share { cpu_milli: demand.cpu_milli, memory_mb: demand.memory_mb, disk_mb: demand.disk_mb, gpus })
}

const fn instance(size: GpuInstance) -> Instance {
    match size {
        GpuInstance::One => Instance::One,
        GpuInstance::Two => Instance::Two,
        GpuInstance::Three => Instance::Three,
        GpuInstance::Four => Instance::Four,
        GpuInstance::Seven => Instance::Seven,
    }
}

const fn size_of(instance: Instance) -> GpuInstance {
    match instance {
        Instance::One => GpuInstance::One,
        Instance::Two => GpuInstance::Two,
        Instance::Three => GpuInstance::Three,
        Instance::Four => GpuInstance::Four,
        Instance::Seven => GpuInstance::Seven,
    }
}

/// The site of a machine that is at none: itself.
pub(super) fn own_site(device: DeviceId) -> ShortName {
    hex::encode(&device.0[..16]).parse().expect("32 hexadecimal digits")
}

/// Thousandths of a GPU that a share has.
pub(crate) fn gpu_milli(share: &Share) -> u32 {
    engines(share).0.gpus.milli()
}

/// What the nodes of a placement are to take: all of a device that is given whole, else what was placed. `look` finds a device, and what of
/// it is free.
///
/// A node with GPUs gets CPU and memory in proportion to them where it asks for less and they are free: who takes one GPU of eight leaves
/// seven eighths for the others, and no part of the machine lies idle because nobody named a number.
pub(super) fn takings<'a>(nodes: &[Placed], look: impl Fn(DeviceId) -> Option<(&'a Machine, Room)>) -> Option<Vec<Taking>> {
    let mut left: BTreeMap<DeviceId, Room> = BTreeMap::new();
    // What was asked for comes first, for all of them; what is beyond it only afterwards.
    for node in nodes {
        let (machine, free) = look(node.device)?;
        if machine.divisible {
            left.entry(node.device).or_insert(free).take(&node.demand, node.slot).ok()?;
        }
    }
    let take = |node: &Placed| {
        let (machine, _) = look(node.device)?;
        let Some(left) = left.get_mut(&node.device) else { return Some(Taking::whole(node.device)) };
        let whole = &machine.whole;
        let gpu_milli = u64::from(whole.gpu_count) * u64::from(WHOLE_MILLI);
        let more = |asked: u32, all: u32, left: &mut u32| {
            let part = (u64::from(all) * u64::from(node.demand.gpus.milli())).checked_div(gpu_milli).unwrap_or(0);
            let more = u32::try_from(part).unwrap_or(u32::MAX).saturating_sub(asked).min(*left);
            *left -= more;
            asked + more
        };
        let demand = Demand {
            cpu_milli: more(node.demand.cpu_milli, whole.cpu_milli, &mut left.cpu_milli),
            memory_mb: more(node.demand.memory_mb, whole.memory_mb, &mut left.memory_mb),
            ..node.demand
        };
        let size =
            Size { cpu_milli: whole.cpu_milli, memory_mb: whole.memory_mb, disk_mb: whole.disk_mb, gpus: whole.gpu_count, mig: whole.mig };
        Some(Taking { device_id: node.device, share: Some((stores(&demand, node.slot)?, size)) })
    };
    nodes.iter().map(take).collect()
}

/// What an agent is told that a node may use. `None` where the device has no such GPU any more.
pub(crate) fn granted(share: &Share, hardware: &Hardware) -> Option<NodeShare> {
    let uuids = gpus(hardware)?;
    let grant = |gpu: u8, part| Some(GpuGrant { uuid: (*uuids.get(usize::from(gpu))?).to_owned(), part });
    let gpus = match share.gpus {
        GpuShare::None => Some(Vec::new()),
        GpuShare::Milli { gpu, milli } => grant(gpu, GpuPart::Milli { milli }).map(|one| vec![one]),
        GpuShare::Instance { gpu, start, size } => grant(gpu, GpuPart::Instance { size, start }).map(|one| vec![one]),
        GpuShare::Whole(bits) => (0..8).filter(|gpu| bits & (1 << gpu) != 0).map(|gpu| grant(gpu, GpuPart::Whole)).collect(),
    };
    Some(NodeShare { cpu_milli: share.cpu_milli, memory_mb: share.memory_mb.into(), disk_mb: share.disk_mb.into(), gpus: gpus? })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use ionet_types::ClusterId;
    use ionet_types::agent::Gpu;
    use proptest::prelude::*;

    use super::*;

    fn hardware(uuids: &[&str], mig: &[bool]) -> Hardware {
        let gpu = |(uuid, mig): (&&str, &bool)| Gpu { uuid: Some((*uuid).to_owned()), mig: *mig, ..Gpu::default() };
        Hardware { cpus: 64, memory_mb: 65_536, disk_free_mb: 1_000, gpus: uuids.iter().zip(mig).map(gpu).collect(), ..Hardware::default() }
    }

    fn reservation(share: Option<Share>) -> Reservation {
        Reservation {
            device_id: DeviceId([1; 32]),
            cluster_id: ClusterId::from_bytes([1; 16]),
            node: 0,
            attempt: 0,
            reserved_at_unix_secs: 0,
            releasing: false,
            share,
        }
    }

    #[test]
    fn only_what_can_be_told_apart_is_shared_and_only_where_its_supplier_wants_it() {
        let two = hardware(&["b", "a"], &[false, false]);
        let divisible = |hardware: &Hardware, shared, taken: &[Reservation]| {
            let count = u8::try_from(hardware.gpus.len()).unwrap();
            Offer::of(hardware, count, shared, taken).map(|offer| (offer.divisible, offer.whole.mig))
        };
        assert_eq!(divisible(&two, true, &[]), Some((true, false)));
        assert_eq!(divisible(&two, false, &[]), Some((false, false)));
        assert_eq!(divisible(&hardware(&["a", "a"], &[false; 2]), true, &[]), Some((false, false)));
        assert_eq!(divisible(&hardware(&["a", "b"], &[true, false]), true, &[]), Some((false, false)));
        let split = hardware(&["a", "b"], &[true, true]);
        assert_eq!(divisible(&split, true, &[]), Some((true, true)));
        assert_eq!(divisible(&split, false, &[]), Some((false, false)), "as before devices were shared");
        assert_eq!(divisible(&hardware(&[], &[]), true, &[]), Some((false, false)), "a machine without GPUs is given whole");
        // What is taken decides while it is.
        assert_eq!(divisible(&two, true, &[reservation(None)]), Some((false, false)));
        let one = Share { gpus: GpuShare::Instance { gpu: 0, start: 0, size: GpuInstance::One }, ..Share::default() };
        assert_eq!(divisible(&split, false, &[reservation(Some(one))]), Some((false, true)));
    }

    #[test]
    fn every_machine_can_be_a_site() {
        assert_eq!(own_site(DeviceId([255; 32])).as_str(), "f".repeat(32));
    }

    #[test]
    fn gpus_are_numbered_by_their_uuids_however_they_are_listed() {
        let share = Share { cpu_milli: 1_500, memory_mb: 2, disk_mb: 3, gpus: GpuShare::Whole(0b101) };
        let named = |uuids: &[&str]| granted(&share, &hardware(uuids, &[false; 3]));
        let whole = |uuid: &str| GpuGrant { uuid: uuid.to_owned(), part: GpuPart::Whole };
        let expected = NodeShare { cpu_milli: 1_500, memory_mb: 2, disk_mb: 3, gpus: vec![whole("a"), whole("c")] };
        assert_eq!(named(&["c", "a", "b"]).unwrap(), expected);
        assert_eq!(named(&["a", "b", "c"]).unwrap(), expected);
        assert_eq!(granted(&share, &hardware(&["a", "b"], &[false; 2])), None);
    }

    proptest! {
        /// Whatever is placed becomes a share and the same demand again, and the nodes of one cluster fit their device together.
        #[test]
        fn words_do_not_change_what_is_meant(mig: bool, asked in prop::collection::vec((0_u32..3, 1_u16..1_000, 1_u8..4, 0_usize..5), 1..12)) {
            let device = DeviceId([1; 32]);
            let offer = Offer::of(&hardware(&["a", "b", "c", "d"], &[mig; 4]), 4, true, &[]).unwrap();
            let mut left = offer.whole;
            let mut nodes = Vec::new();
            for (kind, milli, count, size) in asked {
                let gpus = match (mig, kind) {
                    (true, _) => GpuDemand::Instance(Instance::ALL[size]),
                    (false, 0) => GpuDemand::Part(milli),
                    (false, _) => GpuDemand::Whole(count),
                };
                let demand = Demand { cpu_milli: LEAST_CPU_MILLI, memory_mb: LEAST_MEMORY_MB, disk_mb: 10, gpus };
                let Some(slot) = left.slots(gpus).next() else { continue };
                if left.take(&demand, slot).is_ok() {
                    nodes.push(Placed { device, site: None, demand, slot, price_micro_usd: 1 });
                }
            }
            let machine = machine(device, offer);
            let takings = takings(&nodes, |_| Some((&machine, offer.whole))).unwrap();
            let shares: Vec<Share> = takings.iter().map(|taking| taking.share.unwrap().0).collect();
            prop_assert!(Share::fit(&takings[0].share.unwrap().1, &shares));
            for (share, node) in shares.iter().zip(&nodes) {
                let (demand, slot) = engines(share);
                prop_assert_eq!((demand.gpus, slot), (node.demand.gpus, node.slot));
                prop_assert!(demand.cpu_milli >= node.demand.cpu_milli && demand.memory_mb >= node.demand.memory_mb);
                prop_assert_eq!(gpu_milli(share), node.demand.gpus.milli());
            }
        }
    }

    fn machine(device: DeviceId, offer: Offer) -> Machine {
        let names = &mut ionet_market::names::Catalogue::default();
        let model = ionet_market::names::Model {
            hardware: "h100".parse().unwrap(),
            kind: ionet_types::hardware::HardwareKind::Gpu,
            reference_micro_usd: 1,
        };
        Machine {
            device,
            model: names.model(model).unwrap(),
            whole: offer.whole,
            divisible: offer.divisible,
            vram_mb: 0,
            tier: ionet_types::market::Tier::None,
            country: None,
            site: None,
            supplier: None,
            compliance: 0,
            security: ionet_types::market::Security::Process,
            renewable: false,
            prices: ionet_market::machine::Prices::default(),
            min_hire_minutes: 0,
            reputation: 0,
            survival_bps: [0; 4],
            failed_at_unix_secs: 0,
        }
    }
}
