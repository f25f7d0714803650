//! How the tests draw epochs: a few models, devices of every sort, and one plain device that passes every check.

use ionet_epochs::{CoStake, Device, Draft, Epoch, Inputs, Model, Outcome, Test};
use ionet_rules::booking::HardwareKind;
use ionet_rules::money::{IO_UNIT, Io, MicroUsd, Usdc};
use ionet_rules::rewards::{Measurement, P_ONE, Pots, Standing, Tier};
use ionet_rules::supply::SupplyParams;
use proptest::prelude::*;

/// An epoch before it is sealed.
#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) epoch: Epoch,
    pub(crate) devices: Vec<(Device, Vec<Test>)>,
}

pub(crate) const REFERENCE: Measurement = Measurement { bandwidth_mbps: 1_000, memory_mb_per_sec: 900_000, cpu_mhz: 3_000, gflops: 67_000 };

pub(crate) fn models() -> Vec<Model> {
    let model = |name: &str, kind, multiplier_centi, reference| Model { name: name.to_owned(), kind, multiplier_centi, reference };
    vec![
        model("RTX 3060 Ti", HardwareKind::Gpu, 25, Measurement::default()),
        model("H100 PCIe", HardwareKind::Gpu, 1_000, REFERENCE),
        model("unlisted", HardwareKind::Cpu, 10, Measurement { gflops: 0, ..REFERENCE }),
        model("dropped", HardwareKind::Gpu, 0, REFERENCE),
    ]
}

pub(crate) fn epoch(number: u64) -> Epoch {
    let params = SupplyParams::DEFAULT;
    Epoch { number, emission: params.schedule().unwrap().emission(number), carry_in: Pots::EMPTY, params }
}

/// A key that says which device it is and lies anywhere in the order.
pub(crate) fn address(number: u32, role: u8) -> [u8; 32] {
    let mut bytes = [role; 32];
    bytes[..4].copy_from_slice(&number.wrapping_mul(2_654_435_761).to_be_bytes());
    bytes[4..8].copy_from_slice(&number.to_be_bytes());
    bytes
}

/// A device that passes every check.
pub(crate) fn good(number: u32, model: u16) -> Device {
    Device {
        key: address(number, 1),
        beneficiary: address(number, 2),
        co_stake: None,
        model,
        processors: 2,
        tier: Tier::UltraHigh,
        staked: Io(1_000_000 * IO_UNIT),
        unstaking: false,
        uptime_secs: 18_000,
        uptime_at_end_secs: 21_600,
        last_proof_passed: true,
        proof_passed: true,
        cluster_formation_passed: true,
        standing: Standing::Good,
        payout_wallet_set: true,
        hired: false,
        last_p_millionths: P_ONE,
        compute_credits: MicroUsd(0),
        work_io: Io(0),
        work_usdc: Usdc(0),
    }
}

/// A test that measured the reference.
pub(crate) const FULL: Test = Test { outcome: Outcome::Passed, measured: REFERENCE };

fn mostly(wanted: bool) -> impl Strategy<Value = bool> {
    prop_oneof![9 => Just(wanted), 1 => Just(!wanted)]
}

fn money(most: u64) -> impl Strategy<Value = u64> {
    prop_oneof![2 => Just(0), 3 => 0..most, 1 => 0u64..3]
}

fn test() -> impl Strategy<Value = Test> {
    let outcome = prop_oneof![1 => Just(Outcome::Missed), 8 => Just(Outcome::Passed), 1 => Just(Outcome::Wrong)];
    let value = || prop_oneof![3 => 0u32..100_000, 1 => any::<u32>()];
    (outcome, value(), value(), value(), value()).prop_map(|(outcome, bandwidth_mbps, memory_mb_per_sec, cpu_mhz, gflops)| Test {
        outcome,
        measured: Measurement { bandwidth_mbps, memory_mb_per_sec, cpu_mhz, gflops },
    })
}

fn tier() -> impl Strategy<Value = Tier> {
    prop_oneof![1 => Just(Tier::None), 8 => (1u8..=4).prop_map(|byte| Tier::from_u8(byte).unwrap())]
}

fn standing() -> impl Strategy<Value = Standing> {
    prop_oneof![18 => Just(Standing::Good), 1 => Just(Standing::Blocked), 1 => Just(Standing::Terminated)]
}

/// A device with this number.
fn device(number: u32) -> impl Strategy<Value = (Device, Vec<Test>)> {
    let flags = (mostly(false), mostly(true), mostly(true), mostly(true), mostly(true), any::<bool>());
    let times = (prop_oneof![8 => 18_000u32..1_000_000, 1 => 0u32..18_000], prop_oneof![8 => 18_000u32..1_000_000, 1 => 0u32..18_000]);
    let amounts = (money(50_000_000_000), money(5_000_000_000), money(5_000_000_000));
    let rest = (0u16..4, 1u32..=16, tier(), standing(), 0..=P_ONE, prop::option::of(0u16..=10_000));
    (flags, times, amounts, rest, prop::collection::vec(test(), 0..4), prop_oneof![8 => Just(40_000u64), 1 => 0u64..4_000]).prop_map(
        move |(flags, times, amounts, rest, tests, staked)| {
            let device = Device {
                co_stake: rest.5.map(|share_bps| CoStake { beneficiary: address(number, 3), share_bps }),
                model: rest.0,
                processors: rest.1,
                tier: rest.2,
                staked: Io(staked * IO_UNIT),
                unstaking: flags.0,
                uptime_secs: times.0,
                uptime_at_end_secs: times.1,
                last_proof_passed: flags.1,
                proof_passed: flags.2,
                cluster_formation_passed: flags.3,
                standing: rest.3,
                payout_wallet_set: flags.4,
                hired: flags.5,
                last_p_millionths: rest.4,
                compute_credits: MicroUsd(amounts.0),
                work_io: Io(amounts.1),
                work_usdc: Usdc(amounts.2),
                ..good(number, 0)
            };
            (device, tests)
        },
    )
}

fn pots() -> impl Strategy<Value = Pots> {
    let amount = || prop_oneof![1 => Just(0), 1 => 0u64..10, 2 => 0u64..1_000_000_000_000_000];
    (amount(), amount(), amount(), amount()).prop_map(|amounts| Pots {
        availability_gpu: Io(amounts.0),
        availability_cpu: Io(amounts.1),
        compute_gpu: Io(amounts.2),
        compute_cpu: Io(amounts.3),
    })
}

/// Devices with any numbers below 60, each at most once, in any order.
fn devices() -> impl Strategy<Value = Vec<(Device, Vec<Test>)>> {
    prop::collection::btree_set(0u32..60, 0..24).prop_flat_map(|numbers| numbers.into_iter().map(device).collect::<Vec<_>>()).prop_shuffle()
}

/// Any epoch.
pub(crate) fn world() -> impl Strategy<Value = World> {
    let params =
        (0u16..=10_000, 0u16..=10_000, 0u16..=20_000, any::<bool>()).prop_map(|(availability_bps, gpu_bps, bonus_bps, default)| {
            if default { SupplyParams::DEFAULT } else { SupplyParams { availability_bps, gpu_bps, bonus_bps, ..SupplyParams::DEFAULT } }
        });
    (1u64..200_000, params, pots(), 0u64..4, devices()).prop_map(|(number, params, carry_in, less, devices)| {
        let emission = Io(params.schedule().unwrap().emission(number).0.saturating_sub(less));
        World { epoch: Epoch { number, emission, carry_in, params }, devices }
    })
}

impl World {
    /// Seals the world as it is.
    pub(crate) fn seal(&self) -> Inputs {
        self.seal_with(&[0, 1, 2, 3])
    }

    /// Seals it with the models told in another order.
    pub(crate) fn seal_with(&self, model_order: &[usize]) -> Inputs {
        let mut draft = Draft::new(self.epoch);
        let models = models();
        let mut numbers = [0; 4];
        for place in model_order {
            numbers[*place] = draft.model(models[*place].clone()).unwrap();
        }
        for (device, tests) in &self.devices {
            draft.device(&Device { model: numbers[usize::from(device.model)], ..*device }, tests).unwrap();
        }
        draft.seal().unwrap()
    }
}
