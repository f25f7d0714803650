//! Properties of the score, and a small cluster on which it beats best fit and chance.

use std::hash::{BuildHasherDefault, DefaultHasher};

use proptest::prelude::*;

use super::*;
use crate::shape::{Demand, GpuDemand, Instance, Room, Slot, WHOLE_MILLI};

type Hasher = BuildHasherDefault<DefaultHasher>;

fn gpu_demands() -> impl Strategy<Value = GpuDemand> {
    prop_oneof![
        Just(GpuDemand::None),
        (1_u16..WHOLE_MILLI).prop_map(GpuDemand::Part),
        (1_u8..=8).prop_map(GpuDemand::Whole),
        prop::sample::select(Instance::ALL.to_vec()).prop_map(GpuDemand::Instance),
    ]
}

fn demands() -> impl Strategy<Value = Demand> {
    (0_u32..40_000, 0_u32..100_000, 0_u32..100_000, gpu_demands()).prop_map(|(cpu_milli, memory_mb, disk_mb, gpus)| Demand {
        cpu_milli,
        memory_mb,
        disk_mb,
        gpus,
    })
}

fn models() -> impl Strategy<Value = Models> {
    prop_oneof![Just(Models::ANY), prop::collection::vec(0_u8..4, 0..4).prop_map(|models| models.into_iter().collect())]
}

/// Devices of any size of which something may be taken.
fn rooms() -> impl Strategy<Value = Room> {
    let size = (0_u32..130_000, 0_u32..800_000, 0_u32..2_000_000, 0_u8..=8, any::<bool>());
    let taken = prop::collection::vec((demands(), any::<prop::sample::Index>()), 0..8);
    (size, taken).prop_map(|((cpu_milli, memory_mb, disk_mb, gpus, mig), taken)| {
        let mut room = Room::new(cpu_milli, memory_mb, disk_mb, gpus, mig).unwrap();
        for (demand, pick) in taken.into_iter().filter(|(demand, _)| room.fits(demand)).collect::<Vec<_>>() {
            let slots: Vec<_> = room.slots(demand.gpus).collect();
            if room.fits(&demand) {
                room.take(&demand, *pick.get(&slots)).unwrap();
            }
        }
        room
    })
}

fn supplies() -> impl Strategy<Value = Vec<Supply>> {
    let supply = (0_u8..4, rooms(), any::<u64>(), any::<u64>());
    prop::collection::vec(supply, 0..20).prop_map(|supplies| {
        let supply = |(model, whole, devices, free_milli)| Supply { model, whole, devices, free_milli };
        supplies.into_iter().map(supply).collect()
    })
}

fn mixes() -> impl Strategy<Value = Mix> {
    (prop::collection::vec((demands(), models(), any::<u32>()), 0..60), supplies()).prop_map(|(arrivals, supplies)| {
        let mut mix = Mix::new();
        for (demand, accepts, nodes) in arrivals {
            mix.arrived(&demand, accepts, nodes);
        }
        mix.renew(supplies);
        mix
    })
}

proptest! {
    /// The best choice fits, is the cheapest of all, costs what the forecast says without any memory, and is the same again.
    #[test]
    fn the_best_choice_is_the_cheapest_that_fits(mix in mixes(), room in rooms(), model in 0_u8..4, demand in demands()) {
        let mut costs = Costs::new(Hasher::default());
        let best = costs.best(&mix, &room, model, &demand);
        prop_assert_eq!(best.is_some(), room.fits(&demand));
        let cost = |slot| {
            let mut after = room;
            after.take(&demand, slot).unwrap();
            mix.forecast().waste(&after, model) - mix.forecast().waste(&room, model)
        };
        if let Some(best) = best {
            let all: Vec<i64> = room.slots(demand.gpus).map(cost).collect();
            prop_assert_eq!(best.cost, cost(best.slot));
            prop_assert_eq!(Some(&best.cost), all.iter().min());
        }
        prop_assert_eq!(costs.best(&mix, &room, model, &demand), best);
        prop_assert_eq!(Costs::new(Hasher::default()).best(&mix.clone(), &room, model, &demand), best);
    }

    /// Asking for nothing costs nothing, and which GPU is which does not matter.
    #[test]
    fn nothing_costs_nothing(mix in mixes(), room in rooms(), model in 0_u8..4) {
        let mut costs = Costs::new(Hasher::default());
        prop_assert_eq!(costs.best(&mix, &room, model, &Demand::default()), Some(Choice { cost: 0, slot: Slot::None }));
        prop_assert_eq!(mix.forecast().waste(&room, model), mix.forecast().waste(&room.sorted(), model));
    }

    /// One memory serves several mixes, and forgets when the forecast changes.
    #[test]
    fn what_is_remembered_is_of_the_present_forecast(mixes in prop::collection::vec(mixes(), 2..4), room in rooms(), demand in demands()) {
        let mut costs = Costs::new(Hasher::default());
        for mix in mixes.iter().chain(&mixes) {
            prop_assert_eq!(costs.best(mix, &room, 1, &demand), Costs::new(Hasher::default()).best(mix, &room, 1, &demand));
        }
    }

    /// The order of arrivals between two forecasts does not matter, and a forecast changes only when it is renewed.
    #[test]
    fn a_forecast_is_of_what_arrived(arrivals in prop::collection::vec((demands(), models()), 0..50), supplies in supplies()) {
        let learned = |arrivals: &mut dyn Iterator<Item = &(Demand, Models)>| {
            let mut mix = Mix::new();
            let before = mix.forecast().clone();
            arrivals.for_each(|(demand, accepts)| mix.arrived(demand, *accepts, 1));
            assert!(mix.version() == 0 && *mix.forecast() == before && mix.is_due());
            mix.renew(supplies.clone());
            assert!(mix.version() == 1 && !mix.is_due());
            mix
        };
        let (there, back) = (learned(&mut arrivals.iter()), learned(&mut arrivals.iter().rev()));
        prop_assert_eq!(there.forecast(), back.forecast());
    }
}

/// Whatever arrives, and however often, little of it is kept, and what is asked all the time is not displaced by what is asked once.
#[test]
fn a_mix_is_bounded() {
    let mut mix = Mix::new();
    let common = Demand { cpu_milli: 7_777, gpus: GpuDemand::Whole(1), ..Demand::default() };
    for number in 0..200_000 {
        mix.arrived(&Demand { cpu_milli: number, gpus: GpuDemand::Part(500), ..Demand::default() }, Models::ANY, u32::MAX);
        mix.arrived(&common, Models::ANY, u32::MAX);
        assert!(mix.kinds() <= 1_025);
    }
    mix.renew((0..5_000).map(|cpu_milli| Supply {
        model: 0,
        whole: Room::new(cpu_milli, 0, 0, 1, false).unwrap(),
        devices: u64::MAX,
        free_milli: u64::MAX,
    }));
    // Half of what arrived takes a whole GPU, so a device that has the CPU for it leaves nothing in nearly all futures.
    let whole = |cpu_milli| mix.forecast().waste(&Room::new(cpu_milli, 0, 0, 1, false).unwrap(), 0);
    assert!(whole(8_000) < 100_000, "{}", whole(8_000));
    assert!(whole(7_000) > 300_000, "{}", whole(7_000));
}

fn asked(kinds: &[(GpuDemand, u32)]) -> Mix {
    let mut mix = Mix::new();
    for (gpus, cpu_milli) in kinds.iter().cycle().take(2_000) {
        mix.arrived(&Demand { cpu_milli: *cpu_milli, memory_mb: 1_000, disk_mb: 0, gpus: *gpus }, Models::ANY, 1);
    }
    mix.renew([]);
    mix
}

#[test]
fn a_small_part_fills_a_gap() {
    let mix = asked(&[(GpuDemand::Part(810), 3_000), (GpuDemand::Whole(1), 3_000)]);
    let mut room = Room::new(64_000, 64_000, 0, 4, false).unwrap();
    room.take(&Demand { gpus: GpuDemand::Part(810), ..Demand::default() }, Slot::Part(2)).unwrap();
    let part = Demand { cpu_milli: 1_000, memory_mb: 1_000, disk_mb: 0, gpus: GpuDemand::Part(160) };
    let best = Costs::new(Hasher::default()).best(&mix, &room, 0, &part).unwrap();
    assert_eq!(best.slot, Slot::Part(2));
    assert!(best.cost < -100_000, "{best:?}");
}

#[test]
fn work_without_a_gpu_keeps_off_gpus_that_need_the_cpu() {
    let mix = asked(&[(GpuDemand::Whole(1), 12_000)]);
    let cpu = Demand { cpu_milli: 16_000, memory_mb: 1_000, ..Demand::default() };
    let cost = |cpu_milli, gpus| {
        let room = Room::new(cpu_milli, 500_000, 0, gpus, false).unwrap();
        Costs::new(Hasher::default()).best(&mix, &room, 0, &cpu).unwrap().cost
    };
    let (tight, ample, none) = (cost(96_000, 8), cost(104_000, 2), cost(16_000, 0));
    assert!(tight > 1_000_000 && ample < 0 && none < ample, "{tight} {ample} {none}");
}

#[test]
fn scarce_models_are_kept() {
    let whole = Room::new(96_000, 500_000, 0, 8, false).unwrap();
    let supply = |model, devices| Supply { model, whole, devices, free_milli: devices * 8_000 };
    let mut mix = Mix::new();
    let one = Demand { cpu_milli: 10_000, memory_mb: 1_000, disk_mb: 0, gpus: GpuDemand::Whole(1) };
    for number in 0_u32..1_000 {
        mix.arrived(&one, if number % 10 == 0 { Models::from_iter([1]) } else { Models::ANY }, 1);
    }
    let cost = |mix: &Mix, model| Costs::new(Hasher::default()).best(mix, &whole, model, &one).unwrap().cost;
    mix.renew([supply(0, 90), supply(1, 10)]);
    let (common, scarce) = (cost(&mix, 0), cost(&mix, 1));
    assert!(scarce > common + 300_000, "{scarce} {common}");
    // The less of it is free, the dearer.
    mix.renew([supply(0, 90), Supply { free_milli: 20_000, ..supply(1, 10) }]);
    assert!(cost(&mix, 1) > scarce + 300_000);
}

#[test]
fn small_instances_leave_the_front_to_large_ones() {
    let kinds = [Instance::Three, Instance::Four].map(|instance| (GpuDemand::Instance(instance), 1_000));
    let mix = asked(&kinds);
    let room = Room::new(64_000, 64_000, 0, 1, true).unwrap();
    let one = Demand { cpu_milli: 1_000, memory_mb: 1_000, disk_mb: 0, gpus: GpuDemand::Instance(Instance::One) };
    let best = Costs::new(Hasher::default()).best(&mix, &room, 0, &one).unwrap();
    assert!(matches!(best.slot, Slot::Instance { gpu: 0, start: 4.. }), "{best:?}");
    // Where it makes no difference to the forecast, the back is still better than the front.
    let best = Costs::new(Hasher::default()).best(&asked(&[(GpuDemand::Whole(1), 1_000)]), &room, 0, &one).unwrap();
    assert_eq!(best.slot, Slot::Instance { gpu: 0, start: 6 });
}

/// A small cluster filled until 30 % more than it has was asked for: what share of its GPUs is used, in 1/1000.
mod cluster {
    use super::*;

    pub(super) enum By {
        Waste,
        BestFit,
        Chance,
    }

    fn draw(state: &mut u64, end: usize) -> usize {
        *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((*state >> 33) % end as u64).unwrap()
    }

    pub(super) fn used_permille(by: &By, seed: u64) -> u32 {
        let sizes = [(0_u8, 96_000, 8), (0, 96_000, 8), (1, 104_000, 2), (1, 104_000, 2), (2, 16_000, 2), (3, 64_000, 0)];
        let kinds = [
            (GpuDemand::Whole(1), 11_400),
            (GpuDemand::Whole(1), 11_400),
            (GpuDemand::Whole(1), 16_000),
            (GpuDemand::Part(650), 8_000),
            (GpuDemand::Part(320), 4_000),
            (GpuDemand::Part(470), 11_900),
            (GpuDemand::Whole(8), 88_000),
            (GpuDemand::None, 32_000),
            (GpuDemand::None, 12_500),
        ];
        let mut nodes: Vec<(u8, Room)> =
            sizes.iter().cycle().take(60).map(|&(model, cpu, gpus)| (model, Room::new(cpu, 500_000, 0, gpus, false).unwrap())).collect();
        let supply = |nodes: &[(u8, Room)]| {
            let of = |&(model, cpu, gpus): &(u8, u32, u8)| Supply {
                model,
                whole: Room::new(cpu, 500_000, 0, gpus, false).unwrap(),
                devices: 10,
                free_milli: nodes.iter().filter(|node| node.0 == model).map(|node| u64::from(node.1.gpu_milli_sum())).sum(),
            };
            sizes[1..].iter().map(of).collect::<Vec<_>>()
        };
        let all: u32 = nodes.iter().map(|(_, room)| room.gpu_milli_sum()).sum();
        let (mut mix, mut costs) = (Mix::new(), Costs::new(Hasher::default()));
        let (mut state, mut asked, mut used) = (seed, 0, 0);
        while asked * 10 < all * 13 {
            let (gpus, cpu_milli) = kinds[draw(&mut state, kinds.len())];
            if gpus == GpuDemand::Whole(8) && draw(&mut state, 10) > 0 {
                continue;
            }
            let demand = Demand { cpu_milli, memory_mb: 1_000, disk_mb: 0, gpus };
            asked += gpus.milli();
            mix.arrived(&demand, Models::ANY, 1);
            if mix.is_due() {
                mix.renew(supply(&nodes));
            }
            let choices = nodes.iter().enumerate().filter_map(|(number, (model, room))| {
                let tightest = || {
                    room.slots(gpus)
                        .min_by_key(|slot| if let Slot::Part(gpu) = slot { room.gpu_milli().nth(usize::from(*gpu)) } else { None })
                };
                let choice = match by {
                    By::Waste => costs.best(&mix, room, *model, &demand)?,
                    _ if !room.fits(&demand) => return None,
                    By::BestFit => Choice { cost: i64::from(room.cpu_milli / 16 + room.gpu_milli_sum()), slot: tightest()? },
                    By::Chance => Choice { cost: i64::try_from(draw(&mut state, 1 << 20)).unwrap(), slot: tightest()? },
                };
                Some((choice, number))
            });
            if let Some((choice, number)) = choices.min_by_key(|(choice, number)| (choice.cost, *number)) {
                nodes[number].1.take(&demand, choice.slot).unwrap();
                used += gpus.milli();
            }
        }
        used * 1_000 / all
    }
}

#[test]
fn least_waste_uses_more_than_best_fit_and_that_more_than_chance() {
    let mean = |by: &cluster::By| (0..6).map(|seed| cluster::used_permille(by, seed)).sum::<u32>() / 6;
    let (waste, best_fit, chance) = (mean(&cluster::By::Waste), mean(&cluster::By::BestFit), mean(&cluster::By::Chance));
    assert!(waste > best_fit + 10 && best_fit > chance + 10, "{waste} {best_fit} {chance}");
}
