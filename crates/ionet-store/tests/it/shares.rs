//! Nothing of a device is ever given twice, whoever asks for what and in which order; and the store's arithmetic is the engine's.

use std::collections::BTreeMap;

use ionet_market::shape::{Demand, GpuDemand, Instance, Room, Slot};
use ionet_store::{GpuShare, Reserved, Share, Size, Store, Taking};
use ionet_types::market::GpuInstance;
use ionet_types::{ClusterId, DeviceId};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::{cluster, device, store};

const SIZES: [(GpuInstance, Instance); 5] = [
    (GpuInstance::One, Instance::One),
    (GpuInstance::Two, Instance::Two),
    (GpuInstance::Three, Instance::Three),
    (GpuInstance::Four, Instance::Four),
    (GpuInstance::Seven, Instance::Seven),
];

/// Any share, sensible or not.
fn shares() -> impl Strategy<Value = Share> {
    let gpus = prop_oneof![
        1 => Just(GpuShare::None),
        4 => (0_u8..9, prop_oneof![0_u16..1_001, Just(250), Just(500)]).prop_map(|(gpu, milli)| GpuShare::Milli { gpu, milli }),
        4 => any::<u8>().prop_map(GpuShare::Whole),
        8 => (0_u8..3, 0_u8..8, 0_usize..5).prop_map(|(gpu, start, size)| GpuShare::Instance { gpu, start, size: SIZES[size].0 }),
    ];
    (0_u32..6, 0_u32..6, 0_u32..6, gpus).prop_map(|(cpu_milli, memory_mb, disk_mb, gpus)| Share { cpu_milli, memory_mb, disk_mb, gpus })
}

/// The same in the engine's words; `None` where it has no words for it.
fn in_engine(share: &Share) -> Option<(Demand, Slot)> {
    let (gpus, slot) = match share.gpus {
        GpuShare::None => (GpuDemand::None, Slot::None),
        GpuShare::Milli { gpu, milli } if (1..1_000).contains(&milli) => (GpuDemand::Part(milli), Slot::Part(gpu)),
        GpuShare::Milli { .. } => return None,
        GpuShare::Whole(bits) => (GpuDemand::Whole(u8::try_from(bits.count_ones()).unwrap()), Slot::Whole(bits)),
        GpuShare::Instance { gpu, start, size } => {
            let (_, instance) = SIZES.into_iter().find(|(known, _)| *known == size).unwrap();
            (GpuDemand::Instance(instance), Slot::Instance { gpu, start })
        }
    };
    if slot == Slot::Whole(0) {
        return None;
    }
    Some((Demand { cpu_milli: share.cpu_milli, memory_mb: share.memory_mb, disk_mb: share.disk_mb, gpus }, slot))
}

fn sizes() -> impl Strategy<Value = Size> {
    (0_u8..=8, any::<bool>()).prop_map(|(gpus, mig)| Size { cpu_milli: 20, memory_mb: 20, disk_mb: 20, gpus, mig })
}

proptest! {
    /// What the store takes, the engine takes, and the other way round; so what is taken is never more than there is.
    #[test]
    fn the_stores_books_are_the_engines(size in sizes(), asked in prop::collection::vec(shares(), 0..60)) {
        let mut room = Room::new(size.cpu_milli, size.memory_mb, size.disk_mb, size.gpus, size.mig).unwrap();
        let mut taken = Vec::new();
        for share in asked {
            taken.push(share);
            let fits = Share::fit(&size, &taken);
            let engine = in_engine(&share).is_some_and(|(demand, slot)| room.take(&demand, slot).is_ok());
            prop_assert_eq!(fits, engine, "{:?} after {:?}", share, &taken[..taken.len() - 1]);
            if !fits {
                taken.pop();
            }
        }
    }
}

/// What may be done to reservations.
#[derive(Debug, Clone)]
enum Step {
    /// Reserve these for a new cluster, each on one of two devices; `None` for all of it.
    Reserve(Vec<(u8, Option<Share>)>),
    /// Move a node of a cluster.
    Move { which: prop::sample::Index, to: u8, share: Option<Share> },
    /// Let a cluster go.
    Release(prop::sample::Index),
    /// What was let go is clear.
    Free(prop::sample::Index),
    /// A cluster that never landed.
    Forget(prop::sample::Index),
}

fn steps() -> impl Strategy<Value = Step> {
    let share = || prop_oneof![1 => Just(None), 6 => shares().prop_map(Some)];
    prop_oneof![
        4 => prop::collection::vec((0_u8..2, share()), 1..4).prop_map(Step::Reserve),
        2 => (any::<prop::sample::Index>(), 0_u8..2, share()).prop_map(|(which, to, share)| Step::Move { which, to, share }),
        2 => any::<prop::sample::Index>().prop_map(Step::Release),
        3 => any::<prop::sample::Index>().prop_map(Step::Free),
        1 => any::<prop::sample::Index>().prop_map(Step::Forget),
    ]
}

/// Who has what, as it should be: by device, cluster and node, with whether it is let go.
type Model = BTreeMap<(DeviceId, ClusterId, u16), (Option<Share>, bool)>;

fn taking(of: u8, share: Option<Share>, size: Size) -> Taking {
    Taking { device_id: device(of), share: share.map(|share| (share, size)) }
}

/// Takes it in the model, by the engine's arithmetic.
fn take(model: &mut Model, taking: &Taking, cluster: ClusterId, node: u16) -> bool {
    let there: Vec<Option<Share>> = model.iter().filter(|((of, ..), _)| *of == taking.device_id).map(|(_, (share, _))| *share).collect();
    let key = (taking.device_id, cluster, node);
    let fits = match taking.share {
        None => there.is_empty(),
        Some((share, size)) => {
            let mut room = Room::new(size.cpu_milli, size.memory_mb, size.disk_mb, size.gpus, size.mig).unwrap();
            there.iter().all(Option::is_some)
                && there.iter().flatten().chain([&share]).all(|share| {
                    let (demand, slot) = in_engine(share).unwrap_or((Demand { cpu_milli: u32::MAX, ..Demand::default() }, Slot::None));
                    room.take(&demand, slot).is_ok()
                })
        }
    };
    let free = fits && !model.contains_key(&key);
    if free {
        model.insert(key, (taking.share.map(|(share, _)| share), false));
    }
    free
}

async fn apply(store: &Store, model: &mut Model, step: Step, size: Size) {
    let clusters: Vec<ClusterId> = model.iter().filter(|(_, (_, releasing))| !releasing).map(|((_, cluster, _), _)| *cluster).collect();
    let pick = |which: &prop::sample::Index| (!clusters.is_empty()).then(|| *which.get(&clusters));
    match step {
        Step::Reserve(wanted) => {
            let new = cluster(1, u32::try_from(wanted.len()).unwrap());
            let takings: Vec<_> = wanted.into_iter().map(|(of, share)| taking(of, share, size)).collect();
            let mut after = model.clone();
            let all = takings.iter().zip(0..).all(|(taking, node)| take(&mut after, taking, new.id, node));
            let reserved = store.cluster_reserve(&new, &takings, 1).await.unwrap();
            assert_eq!(reserved == Reserved::All, all, "{takings:?} with {model:?}");
            if all {
                *model = after;
            }
        }
        Step::Move { which, to, share } => {
            let Some(cluster) = pick(&which) else { return };
            let mut after = model.clone();
            let old = after.iter_mut().find(|((_, of, _), (_, releasing))| *of == cluster && !*releasing);
            let ((_, _, node), state) = old.unwrap();
            state.1 = true;
            let node = *node;
            let taking = taking(to, share, size);
            let moved = take(&mut after, &taking, cluster, node);
            assert_eq!(store.node_replace(cluster, node, &taking, 1, 1).await.unwrap() == Reserved::All, moved);
            if moved {
                *model = after;
            }
        }
        Step::Release(which) => {
            let Some(cluster) = pick(&which) else { return };
            store.cluster_release(cluster).await.unwrap();
            model.iter_mut().filter(|((_, of, _), _)| *of == cluster).for_each(|(_, state)| state.1 = true);
        }
        Step::Free(which) => {
            if model.is_empty() {
                return;
            }
            let keys: Vec<_> = model.keys().copied().collect();
            let (of, cluster, node) = *which.get(&keys);
            store.device_freed(of, cluster, node).await.unwrap();
            model.retain(|key, (_, releasing)| *key != (of, cluster, node) || !*releasing);
        }
        Step::Forget(which) => {
            let Some(cluster) = pick(&which) else { return };
            store.cluster_forget(cluster).await.unwrap();
            model.retain(|(_, of, _), _| *of != cluster);
        }
    }
}

/// Any sequence: the store says yes exactly when the engine's books, kept beside it, say so, and remembers exactly what was taken.
#[test]
fn no_sequence_gives_anything_twice() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut runner = TestRunner::new(Config { cases: 48, ..Config::default() });
    let result = runner.run(&(sizes(), prop::collection::vec(steps(), 1..40)), |(size, steps)| {
        runtime.block_on(async {
            let test = store().await;
            let mut model = Model::new();
            for step in steps {
                apply(&test.store, &mut model, step, size).await;
                let known = test.store.reservations().await.unwrap().into_iter();
                let known = known.map(|one| ((one.device_id, one.cluster_id, one.node), (one.share, one.releasing)));
                assert_eq!(known.collect::<Model>(), model);
            }
        });
        Ok(())
    });
    result.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_that_want_parts_of_a_device_no_more_get_them_than_there_are() {
    let test = store().await;
    let other = Store::open(&test.dir.path().join("hub.db")).await.unwrap();
    let size = Size { cpu_milli: 64_000, memory_mb: 64_000, disk_mb: 0, gpus: 8, mig: false };
    let tasks: Vec<_> = (0..48_u8)
        .map(|number| {
            let store = if number % 2 == 0 { test.store.clone() } else { other.clone() };
            // Each wants two neighbours of eight, or a part of one.
            let gpus = match number % 3 {
                0 => GpuShare::Milli { gpu: number % 8, milli: 400 },
                _ => GpuShare::Whole(0b11 << (number % 7)),
            };
            let share = Share { cpu_milli: 1_000, memory_mb: 1_000, disk_mb: 0, gpus };
            tokio::spawn(async move {
                let taking = Taking { device_id: device(1), share: Some((share, size)) };
                (share, store.cluster_reserve(&cluster(number, 1), &[taking], 1).await.unwrap() == Reserved::All)
            })
        })
        .collect();
    let mut won = Vec::new();
    for task in tasks {
        let (share, got) = task.await.unwrap();
        won.extend(got.then_some(share));
    }
    let mut kept: Vec<Share> = test.store.reservations().await.unwrap().into_iter().filter_map(|one| one.share).collect();
    won.sort_unstable();
    kept.sort_unstable();
    assert!(won.len() >= 4 && Share::fit(&size, &kept), "{kept:?}");
    assert_eq!(won, kept);
    assert_eq!(test.store.clusters_open().await.unwrap().len(), won.len(), "who got nothing left nothing behind");
}

#[tokio::test]
async fn what_was_reserved_before_devices_were_shared_is_all_of_them() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("hub.db");
    let before = Store::open(&path).await.unwrap();
    let first = cluster(1, 1);
    before.cluster_reserve(&first, &[Taking::whole(device(1))], 1).await.unwrap();
    before.close().await;
    let size = Size { cpu_milli: 8_000, memory_mb: 8_000, disk_mb: 0, gpus: 8, mig: false };
    let part = Taking { device_id: device(1), share: Some((Share { gpus: GpuShare::Whole(1), ..Share::default() }, size)) };
    let after = Store::open(&path).await.unwrap();
    assert_eq!(after.reservations_on(device(1)).await.unwrap()[0].share, None);
    assert_eq!(after.cluster_reserve(&cluster(2, 1), &[part], 2).await.unwrap(), Reserved::Taken);
    after.cluster_release(first.id).await.unwrap();
    after.device_freed(device(1), first.id, 0).await.unwrap();
    assert_eq!(after.cluster_reserve(&cluster(2, 1), &[part], 2).await.unwrap(), Reserved::All);
    assert_eq!(after.cluster_reserve(&cluster(3, 1), &[Taking::whole(device(1))], 3).await.unwrap(), Reserved::Taken);
}
