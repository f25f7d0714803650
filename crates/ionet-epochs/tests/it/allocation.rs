//! The laws of an allocation, for any epoch, and a second, plain computation of every line to compare with.

use ionet_epochs::{Closed, Device, LineRecord, Outcome, Test, Totals, close};
use ionet_rules::booking::HardwareKind;
use ionet_rules::money::MicroUsd;
use ionet_rules::rewards::{Pot, Standing, Tier};
use ionet_rules::stake;
use proptest::prelude::*;

use crate::world::{FULL, World, epoch, good, models, world};

fn closed(world: &World) -> Closed {
    close(world.seal(), &Totals::none()).unwrap()
}

fn bytes_of(closed: &Closed) -> Vec<u8> {
    let mut bytes = Vec::new();
    closed.write(&mut bytes).unwrap();
    bytes
}

/// Whether a device passes every check, said once more in plain words.
fn may_earn(world: &World, number: usize) -> bool {
    let (device, _) = &world.devices[number];
    let multiplier = models()[usize::from(device.model)].multiplier_centi;
    device.staked >= stake::minimum(multiplier, device.processors).unwrap()
        && !device.unstaking
        && multiplier > 0
        && device.tier > Tier::None
        && device.uptime_secs >= 18_000
        && device.uptime_at_end_secs >= 18_000
        && device.last_proof_passed
        && (device.proof_passed || device.hired)
        && device.cluster_formation_passed
        && device.standing == Standing::Good
        && device.payout_wallet_set
}

/// P by floating point: close enough to tell a wrong formula from a right one.
fn p(tests: &[Test], model: usize) -> f64 {
    if tests.is_empty() {
        return 0.0;
    }
    let reference = models()[model].reference;
    let ratio = |value: u32, wanted: u32| if wanted == 0 { 1.0 } else { f64::from(value.min(wanted)) / f64::from(wanted) };
    let one = |test: &Test| {
        let product = ratio(test.measured.bandwidth_mbps, reference.bandwidth_mbps)
            * ratio(test.measured.memory_mb_per_sec, reference.memory_mb_per_sec)
            * ratio(test.measured.cpu_mhz, reference.cpu_mhz)
            * ratio(test.measured.gflops, reference.gflops);
        if test.outcome == Outcome::Passed { product.powf(0.25) } else { 0.0 }
    };
    #[expect(clippy::cast_precision_loss, reason = "a handful of tests")]
    let count = tests.len() as f64;
    tests.iter().map(one).sum::<f64>() / count
}

/// The line of the device with this number in the world.
fn line<'a>(closed: &'a Closed, world: &World, number: usize) -> &'a LineRecord {
    &closed.allocation.lines[closed.inputs.find(&world.devices[number].0.key).unwrap()]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn each_pot_is_its_lines_and_what_goes_on(world in world()) {
        let closed = closed(&world);
        let sums = &closed.allocation.sums;
        prop_assert_eq!(sums.pots.total(), Ok(world.epoch.emission));
        for pot in Pot::ALL {
            let kind = if matches!(pot, Pot::AvailabilityGpu | Pot::ComputeGpu) { HardwareKind::Gpu } else { HardwareKind::Cpu };
            let mine = (0..world.devices.len()).filter(|number| models()[usize::from(world.devices[*number].0.model)].kind == kind);
            let mut lines: u128 = 0;
            let mut claimants = 0;
            for number in mine {
                let line = line(&closed, &world, number);
                let (amount, weight) = match pot {
                    Pot::AvailabilityGpu | Pot::AvailabilityCpu => (line.availability_io, line.weight),
                    Pot::ComputeGpu | Pot::ComputeCpu => (line.compute_io, line.compute_weight),
                };
                lines += u128::from(amount.0);
                claimants += u128::from(weight > 0);
            }
            let available = u128::from(sums.pots.get(pot).0) + u128::from(world.epoch.carry_in.get(pot).0);
            prop_assert_eq!(available, lines + u128::from(sums.carry_out.get(pot).0), "{:?}", pot);
            prop_assert_eq!(u128::from(sums.paid.get(pot).0), lines);
            // A pot that somebody may claim leaves less than one base unit per claimant; one that nobody may claim goes on whole.
            let dust = if claimants > 0 { sums.carry_out.get(pot).0 } else { 0 };
            prop_assert_eq!(sums.dust.get(pot).0, dust);
            prop_assert!(claimants == 0 || u128::from(dust) < claimants);
            prop_assert!(claimants > 0 || lines == 0);
        }
    }

    #[test]
    fn nobody_earns_without_passing_every_check(world in world()) {
        let closed = closed(&world);
        for number in 0..world.devices.len() {
            let (device, tests) = &world.devices[number];
            let line = line(&closed, &world, number);
            let earns = may_earn(&world, number);
            prop_assert_eq!(line.failed_checks == 0, earns);
            if !earns {
                prop_assert_eq!((line.availability_io.0, line.co_staker_io.0, line.compute_io.0, line.weight, line.compute_weight), (0, 0, 0, 0, 0));
            }
            // What customers paid for is the device's own all the same.
            prop_assert_eq!((line.work_io, line.work_usdc), (device.work_io, device.work_usdc));
            let millionths = f64::from(line.p_millionths);
            let expected = if device.hired { f64::from(device.last_p_millionths) } else { p(tests, usize::from(device.model)) * 1e6 };
            prop_assert!((millionths - expected).abs() < 3.0, "P is {millionths} instead of {expected}");
        }
    }

    #[test]
    fn shares_are_in_proportion_to_weights(world in world()) {
        let closed = closed(&world);
        let sums = &closed.allocation.sums;
        let all = |kind: HardwareKind, of: &dyn Fn(&LineRecord) -> u64| -> u128 {
            (0..world.devices.len())
                .filter(|number| models()[usize::from(world.devices[*number].0.model)].kind == kind)
                .map(|number| u128::from(of(line(&closed, &world, number))))
                .sum()
        };
        for number in 0..world.devices.len() {
            let kind = models()[usize::from(world.devices[number].0.model)].kind;
            let line = line(&closed, &world, number);
            for (pot, weight, amount, total) in [
                (Pot::availability(kind), line.weight, line.availability_io, all(kind, &|line| line.weight)),
                (Pot::compute(kind), line.compute_weight, line.compute_io, all(kind, &|line| line.compute_weight)),
            ] {
                let available = u128::from(sums.pots.get(pot).0 + world.epoch.carry_in.get(pot).0);
                prop_assert_eq!(u128::from(amount.0), (available * u128::from(weight)).checked_div(total).unwrap_or(0));
            }
        }
    }

    #[test]
    fn the_order_of_inputs_changes_no_byte(world in world().prop_flat_map(|world| {
        let shuffled = Just(world.devices.clone()).prop_shuffle();
        (Just(world), shuffled, Just(vec![0, 1, 2, 3]).prop_shuffle())
    })) {
        let (world, devices, model_order) = world;
        let other = World { devices, ..world.clone() };
        let one = bytes_of(&closed(&world));
        let two = bytes_of(&close(other.seal_with(&model_order), &Totals::none()).unwrap());
        prop_assert_eq!(one, two);
    }

    #[test]
    fn leaves_are_the_lines_with_the_co_stakers_part_taken_out(world in world()) {
        let closed = closed(&world);
        let mut all_io = 0u128;
        for number in 0..world.devices.len() {
            let (device, _) = &world.devices[number];
            let line = line(&closed, &world, number);
            let owed = line.availability_io.0 + line.compute_io.0 + line.work_io.0 - line.co_staker_io.0;
            let paid = |beneficiary: &[u8; 32]| closed.totals.find(beneficiary).map_or((0, 0), |place| {
                let total = &closed.totals.records()[place];
                (total.io.0, total.usdc.0)
            });
            prop_assert_eq!(paid(&device.beneficiary), (owed, line.work_usdc.0));
            let share = device.co_stake.map_or(0, |co_stake| co_stake.share_bps);
            prop_assert_eq!(u128::from(line.co_staker_io.0), u128::from(line.availability_io.0) * u128::from(share) / 10_000);
            if let Some(co_stake) = device.co_stake {
                prop_assert_eq!(paid(&co_stake.beneficiary), (line.co_staker_io.0, 0));
            }
            all_io += u128::from(owed) + u128::from(line.co_staker_io.0);
        }
        prop_assert_eq!(u128::from(closed.totals.io().0), all_io);
        prop_assert!(closed.totals.records().iter().all(|total| total.io.0 > 0 || total.usdc.0 > 0));
    }
}

#[test]
fn an_epoch_that_is_spread_over_cores_is_the_same_in_any_order() {
    let device = |number: u32| {
        let credits = MicroUsd(u64::from(number % 7) * 1_000);
        let tests = vec![FULL; number as usize % 3];
        (Device { hired: number.is_multiple_of(5), compute_credits: credits, ..good(number, (number % 3) as u16) }, tests)
    };
    // Numbers upwards are keys in no order at all.
    let mut world = World { epoch: epoch(3), devices: (0..20_000).map(device).collect() };
    let one = closed(&world);
    world.devices.sort_by_key(|(device, _)| device.key);
    let two = closed(&world);
    assert_eq!(bytes_of(&one), bytes_of(&two));
    let sums = &one.allocation.sums;
    assert_eq!(sums.passed, 20_000);
    assert_eq!(sums.paid.plus(&sums.carry_out), Ok(sums.pots));
    let lines = |of: &dyn Fn(&LineRecord) -> u64| one.allocation.lines.iter().map(of).sum::<u64>();
    assert_eq!(lines(&|line| line.availability_io.0 + line.compute_io.0), sums.paid.total().unwrap().0);
    // Each line is that of its own device: whoever was never tested and not hired has no P.
    for (record, line) in one.inputs.devices().iter().zip(&one.allocation.lines) {
        assert_eq!(line.p_millionths == 0, record.tests == 0 && record.hired == 0);
        assert_eq!(line.compute_weight, record.compute_credits.0 * 10_000);
    }
}
