//! Worked examples: one epoch by hand, inputs that cannot be, and what a device is told.

use ionet_epochs::{CoStake, Device, Draft, Model, Outcome, Test, Totals, close, write_csv};
use ionet_rules::booking::HardwareKind;
use ionet_rules::money::{Io, MicroUsd, Usdc};
use ionet_rules::rewards::{Measurement, P_ONE, Pot};

use crate::world::{FULL, World, address, epoch, good, models};

/// Two GPU devices, one of them co-staked and hired, and nobody with a CPU.
fn two_gpus() -> World {
    let cheap = good(1, 0);
    let hired = Device {
        hired: true,
        proof_passed: false,
        last_p_millionths: P_ONE / 2,
        co_stake: Some(CoStake { beneficiary: address(2, 3), share_bps: 2_500 }),
        compute_credits: MicroUsd(1_000_000),
        work_usdc: Usdc(383_985),
        ..good(2, 0)
    };
    World { epoch: epoch(1), devices: vec![(cheap, vec![FULL]), (hired, vec![])] }
}

#[test]
fn one_epoch_by_hand() {
    let world = two_gpus();
    let closed = close(world.seal(), &Totals::none()).unwrap();
    let line = |number: u32| closed.allocation.lines[closed.inputs.find(&address(number, 1)).unwrap()];
    // Two RTX 3060 Ti at 0.25, tier 4: 1020.0, and 1020.5 when hired.
    assert_eq!((line(1).base_score_tenths, line(2).base_score_tenths), (10_200, 10_205));
    assert_eq!((line(1).weight, line(2).weight), (10_200_000_000, 5_102_500_000));
    let emission = epoch(1).emission.0;
    let pot = (emission * 7 / 10) * 8 / 10;
    let shares = [line(1).availability_io.0, line(2).availability_io.0];
    let total = 15_302_500_000u128;
    assert_eq!(u128::from(shares[0]), u128::from(pot) * 10_200_000_000 / total);
    assert_eq!(u128::from(shares[1]), u128::from(pot) * 5_102_500_000 / total);
    let dust = closed.allocation.sums.dust;
    assert_eq!(dust.get(Pot::AvailabilityGpu).0, pot - shares[0] - shares[1]);
    // A quarter of the block reward is the co-staker's; compute goes to the only one with credits.
    assert_eq!(line(2).co_staker_io.0, shares[1] / 4);
    assert_eq!(line(2).compute_io, closed.allocation.sums.pots.get(Pot::ComputeGpu));
    assert_eq!(line(1).compute_io, Io(0));
    // Nobody has a CPU: both of those pots go on whole, and none of it is dust.
    for pot in [Pot::AvailabilityCpu, Pot::ComputeCpu] {
        assert_eq!(closed.allocation.sums.carry_out.get(pot), closed.allocation.sums.pots.get(pot));
        assert_eq!(dust.get(pot), Io(0));
    }
    let (total, proof) = closed.proof_of(&address(2, 2)).unwrap();
    assert_eq!((total.io.0, total.usdc.0), (shares[1] - shares[1] / 4 + line(2).compute_io.0, 383_985));
    assert!(ionet_epochs::verify(&closed.root(), &ionet_epochs::leaf_hash(&total), &proof));
    assert!(closed.proof_of(&address(9, 2)).is_none());
    let statement = closed.statement([5; 32]);
    assert_eq!((statement.epoch, statement.root, statement.file), (1, closed.root(), [5; 32]));
    assert_eq!((statement.total_usdc.0, statement.work_io.0, statement.locked_io.0), (383_985, 0, 0));
}

#[test]
fn a_device_is_told_why() {
    let mut world = two_gpus();
    world.devices[0].0.uptime_at_end_secs = 3_000;
    let closed = close(world.seal(), &Totals::none()).unwrap();
    let report = serde_json::to_value(closed.report_of(&address(1, 1)).unwrap()).unwrap();
    assert_eq!(report["passed"], false);
    assert_eq!(report["nominated"], true);
    assert_eq!(report["availability_io"], "0");
    let failed: Vec<_> = report["checks"].as_array().unwrap().iter().filter(|check| check["passed"] == false).collect();
    assert_eq!(failed.len(), 1);
    assert_eq!(failed[0]["code"], "uptime_at_end");
    assert_eq!(failed[0]["reason"], "up without a break for 3000 s of at least 18000 s");
    // The other one now has all weight of its kind: all eight million.
    let other = serde_json::to_value(closed.report_of(&address(2, 1)).unwrap()).unwrap();
    assert_eq!(other["normalised_score_thousandths"], 8_000_000_000u64);
    assert!(closed.report_of(&address(3, 1)).is_none());

    let mut csv = Vec::new();
    write_csv(&closed, &mut csv).unwrap();
    let csv = String::from_utf8(csv).unwrap();
    let rows: Vec<Vec<&str>> = csv.lines().map(|row| row.split(',').collect()).collect();
    assert_eq!(rows.len(), 3);
    assert!(rows.iter().all(|row| row.len() == rows[0].len()));
    let failed = rows[0].iter().position(|name| *name == "failed_checks").unwrap();
    let told: Vec<_> = rows[1..].iter().map(|row| row[failed]).collect();
    assert!(told.contains(&"uptime_at_end") && told.contains(&""));
}

#[test]
fn tests_of_the_epoch_are_averaged() {
    let missed = Test { outcome: Outcome::Missed, measured: FULL.measured };
    let wrong = Test { outcome: Outcome::Wrong, measured: FULL.measured };
    // A sixteenth of one reference value is half of P.
    let slow = Test { measured: Measurement { gflops: FULL.measured.gflops.div_ceil(16), ..FULL.measured }, ..FULL };
    let p_of = |tests: &[Test]| {
        let world = World { epoch: epoch(1), devices: vec![(good(1, 1), tests.to_vec())] };
        close(world.seal(), &Totals::none()).unwrap().allocation.lines[0].p_millionths
    };
    assert_eq!(p_of(&[FULL, missed]), P_ONE / 2);
    assert_eq!(p_of(&[FULL, wrong, FULL, FULL]), P_ONE / 4 * 3);
    assert!(p_of(&[slow]).abs_diff(P_ONE / 2) < 20);
    assert_eq!(p_of(&[]), 0, "a device that was never tested has no P");
}

#[test]
fn inputs_that_cannot_be_are_refused() {
    let draft = || {
        let mut draft = Draft::new(epoch(1));
        for model in models() {
            draft.model(model).unwrap();
        }
        draft
    };
    let code_of = |device: Device| draft().device(&device, &[]).map_or_else(|error| error.code(), |()| "taken");
    let fine = good(1, 0);
    assert_eq!(code_of(fine), "taken");
    assert_eq!(code_of(Device { model: 4, ..fine }), "invalid_device");
    assert_eq!(code_of(Device { processors: 0, ..fine }), "invalid_device");
    assert_eq!(code_of(Device { processors: 4_097, ..fine }), "invalid_device");
    assert_eq!(code_of(Device { last_p_millionths: P_ONE + 1, ..fine }), "invalid_device");
    assert_eq!(code_of(Device { compute_credits: MicroUsd(u64::MAX), ..fine }), "invalid_device");
    let co_stake = |beneficiary, share_bps| Device { co_stake: Some(CoStake { beneficiary, share_bps }), ..fine };
    assert_eq!(code_of(co_stake([0; 32], 1)), "invalid_device");
    assert_eq!(code_of(co_stake([1; 32], 10_001)), "invalid_device");

    let mut twice = draft();
    twice.device(&fine, &[]).unwrap();
    twice.device(&Device { beneficiary: [8; 32], ..fine }, &[]).unwrap();
    assert_eq!(twice.seal().unwrap_err().code(), "duplicate_device");
    let mut shared = draft();
    shared.device(&fine, &[]).unwrap();
    shared.device(&Device { key: [8; 32], ..fine }, &[]).unwrap();
    let error = close(shared.seal().unwrap(), &Totals::none()).unwrap_err();
    assert_eq!(error.code(), "duplicate_beneficiary");

    let mut models = draft();
    let again = Model { name: "H100 PCIe".to_owned(), kind: HardwareKind::Gpu, multiplier_centi: 999, reference: Measurement::default() };
    assert_eq!(models.model(again).unwrap_err().code(), "invalid_model");
    let nameless = Model { name: String::new(), kind: HardwareKind::Cpu, multiplier_centi: 1, reference: Measurement::default() };
    assert_eq!(models.model(nameless).unwrap_err().code(), "invalid_model");

    let mut inflated = epoch(1);
    inflated.emission = Io(inflated.emission.0 + 1);
    assert_eq!(Draft::new(inflated).seal().unwrap_err().code(), "invalid_epoch", "no epoch mints more than its schedule");
    assert_eq!(Draft::new(epoch(0)).seal().unwrap_err().code(), "invalid_epoch");
}

#[test]
fn an_epoch_of_nobody_closes() {
    let closed = close(World { epoch: epoch(1), devices: Vec::new() }.seal(), &Totals::none()).unwrap();
    assert_eq!((closed.root(), closed.previous_root), ([0; 32], [0; 32]));
    assert!(closed.allocation.lines.is_empty());
}
