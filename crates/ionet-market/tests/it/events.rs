//! Whatever happens in whatever order, the index is the one that would be built from what is left.

use ionet_market::index::Index;
use ionet_market::machine::{Machine, State};
use ionet_market::request::Request;
use ionet_market::waste::BestFit;
use ionet_types::DeviceId;
use proptest::prelude::*;

use crate::world::{NOW, Taken, demands, device, empty, machines, requests, scanned, states, taken};

#[derive(Debug, Clone)]
enum Event {
    Put(Machine, State),
    Gone(DeviceId),
    State(DeviceId, State),
    Rated(DeviceId, Machine),
    Repriced(u8, u32),
    Failed(DeviceId, i64),
    Later(i64),
    Reference(u8, u32),
    Placed(Request, u64),
    GivenBack(prop::sample::Index),
    /// Somebody else took or gave: the books may not allow it.
    Odd(DeviceId, ionet_market::shape::Demand, ionet_market::shape::Slot, bool),
}

fn devices() -> impl Strategy<Value = DeviceId> {
    (0_u16..30).prop_map(device)
}

fn events() -> impl Strategy<Value = Event> {
    use ionet_market::shape::Slot;
    let slots = prop_oneof![
        Just(Slot::None),
        (0_u8..8).prop_map(Slot::Part),
        any::<u8>().prop_map(Slot::Whole),
        (0_u8..8, 0_u8..8).prop_map(|(gpu, start)| Slot::Instance { gpu, start })
    ];
    let machine = || (0_u16..30).prop_flat_map(machines);
    prop_oneof![
        6 => (machine(), states()).prop_map(|(machine, state)| Event::Put(machine, state)),
        1 => devices().prop_map(Event::Gone),
        1 => (devices(), states()).prop_map(|(device, state)| Event::State(device, state)),
        1 => (devices(), machine()).prop_map(|(device, like)| Event::Rated(device, like)),
        1 => (0_u8..4, 1_u32..2_000_000).prop_map(|(model, price)| Event::Repriced(model, price)),
        1 => (devices(), NOW - 10..NOW + 8_000).prop_map(|(device, at)| Event::Failed(device, at)),
        1 => (NOW - 100..NOW + 8_000).prop_map(Event::Later),
        1 => (0_u8..4, 1_u32..3_000_000).prop_map(|(model, price)| Event::Reference(model, price)),
        5 => (requests(), any::<u64>()).prop_map(|(request, seed)| Event::Placed(request, seed)),
        2 => any::<prop::sample::Index>().prop_map(Event::GivenBack),
        1 => (devices(), demands(), slots, any::<bool>()).prop_map(|(device, demand, slot, take)| Event::Odd(device, demand, slot, take)),
    ]
}

fn apply(index: &mut Index<BestFit>, books: &mut Vec<Taken>, event: &Event) {
    match event {
        Event::Put(machine, state) => {
            let taken = index.get(machine.device).is_some_and(|(known, free, _)| free != known.whole);
            let same =
                index.get(machine.device).is_none_or(|(known, ..)| known.whole == machine.whole && known.divisible == machine.divisible);
            assert_eq!(index.put(machine.clone(), *state).is_ok(), same || !taken);
        }
        Event::Gone(device) => {
            index.remove(*device);
            books.retain(|(other, ..)| other != device);
        }
        Event::State(device, state) => drop(index.set_state(*device, *state)),
        Event::Rated(device, like) => drop(index.rate(*device, like.prices, like.reputation, like.survival_bps)),
        Event::Repriced(model, price) => {
            let model = ionet_market::names::ModelId(*model);
            index.reprice(model, |machine| {
                let odd = machine.device.0[0] % 2 == 1;
                odd.then_some(ionet_market::machine::Prices { on_demand_micro_usd: *price, ..machine.prices })
            });
        }
        Event::Failed(device, at) => drop(index.failed(*device, *at)),
        Event::Later(now) => index.advance(*now),
        Event::Reference(model, price) => index.set_reference(ionet_market::names::ModelId(*model), *price).unwrap(),
        Event::Placed(request, seed) => {
            if let Some(placement) = index.place(request, *seed) {
                index.commit(&placement).unwrap();
                books.extend(taken(&placement));
            }
        }
        Event::GivenBack(which) => {
            if !books.is_empty() {
                let (device, demand, slot) = books.swap_remove(which.index(books.len()));
                index.give(device, &demand, slot).unwrap();
            }
        }
        Event::Odd(device, demand, slot, take) => {
            if *take {
                if index.take(*device, demand, *slot).is_ok() {
                    books.push((*device, *demand, *slot));
                }
            } else if let Some(at) = books.iter().position(|(other, known, at)| (other, known, at) == (device, demand, slot)) {
                books.swap_remove(at);
                index.give(*device, demand, *slot).unwrap();
            }
        }
    }
}

fn rebuilt(index: &Index<BestFit>, books: &[Taken], now: i64) -> Index<BestFit> {
    let mut again = empty(false);
    again.advance(now);
    for model in 0..4 {
        let model = ionet_market::names::ModelId(model);
        again.set_reference(model, index.reference_micro_usd(model).unwrap()).unwrap();
    }
    let mut all: Vec<_> = index.iter().collect();
    all.sort_unstable_by_key(|(machine, ..)| machine.device);
    for (machine, _, state) in all {
        again.put(machine.clone(), state).unwrap();
    }
    for (device, demand, slot) in books {
        again.take(*device, demand, *slot).unwrap();
    }
    again
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn the_index_equals_a_rebuild_and_a_scan_after_any_events(
        list in prop::collection::vec(events(), 0..80),
        asked in prop::collection::vec((requests(), any::<u64>()), 4),
    ) {
        let mut index = empty(false);
        let (mut books, mut now) = (Vec::new(), NOW);
        for event in &list {
            apply(&mut index, &mut books, event);
            if let Event::Later(later) = event {
                now = now.max(*later);
            }
        }
        let mut again = rebuilt(&index, &books, now);
        prop_assert_eq!(index.len(), again.len());
        for (machine, free, state) in again.iter() {
            prop_assert_eq!(index.get(machine.device), Some((machine, free, state)));
        }
        for (request, seed) in &asked {
            let placed = index.place(request, *seed);
            prop_assert_eq!(&placed, &again.place(request, *seed));
            prop_assert_eq!(&placed, &scanned(&index, false, now, request, *seed));
        }
    }
}

#[test]
fn numbers_out_of_range_are_refused() {
    use ionet_market::machine::Unusable;
    use proptest::strategy::ValueTree as _;
    use proptest::test_runner::TestRunner;

    let machine = machines(1).new_tree(&mut TestRunner::deterministic()).unwrap().current();
    let mut index = empty(false);
    let code = |index: &mut Index<BestFit>, machine: Machine| index.put(machine, State::Hireable).map_err(Unusable::code);
    assert_eq!(code(&mut index, Machine { reputation: 1_001, ..machine.clone() }), Err("out_of_range"));
    assert_eq!(code(&mut index, Machine { survival_bps: [0, 0, 0, 10_001], ..machine.clone() }), Err("out_of_range"));
    let prices = ionet_market::machine::Prices { on_demand_micro_usd: u32::MAX, interruptible_micro_usd: 1 };
    assert_eq!(code(&mut index, Machine { prices, ..machine.clone() }), Err("out_of_range"));
    assert_eq!(code(&mut index, Machine { model: ionet_market::names::ModelId(9), ..machine.clone() }), Err("out_of_range"));
    assert_eq!(index.set_state(machine.device, State::Paused).map_err(Unusable::code), Err("device_unknown"));
    assert!(index.is_empty() && !index.remove(machine.device));
}

/// Kinds of room come and go by the hundred: what was remembered of one is not said of another that takes its number.
#[test]
fn rooms_that_come_and_go_are_not_mistaken() {
    use proptest::strategy::ValueTree as _;
    use proptest::test_runner::TestRunner;

    let (mut runner, mut index) = (TestRunner::deterministic(), empty(true));
    let (devices, asked) = ((machines(0), machines(1), machines(2)), prop::collection::vec(requests(), 6));
    let asked = asked.new_tree(&mut runner).unwrap().current();
    let mut placed = 0;
    for round in 0..1_500_u32 {
        let (first, second, third) = devices.new_tree(&mut runner).unwrap().current();
        for machine in [first, second, third] {
            let cpu_milli = machine.whole.cpu_milli + round % 977;
            let mut whole = machine.whole;
            whole.cpu_milli = cpu_milli;
            index.put(Machine { whole, ..machine }, State::Hireable).unwrap();
        }
        for request in &asked {
            let request = Request { nodes: 1, ..request.clone() };
            let placement = index.place(&request, u64::from(round));
            assert_eq!(placement, scanned(&index, true, NOW, &request, u64::from(round)));
            placed += usize::from(placement.is_some());
        }
    }
    assert!(placed > 500, "{placed}");
}
