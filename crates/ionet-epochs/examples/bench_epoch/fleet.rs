//! A fleet of the size asked for, the same in every run: models, tiers, stakes, tests and work in a realistic mix, in no order.

use ionet_epochs::{CoStake, Device, Draft, Epoch, Model, Outcome, Result, Test};
use ionet_rules::booking::HardwareKind;
use ionet_rules::money::{Io, MicroUsd, Usdc};
use ionet_rules::rewards::{Measurement, P_ONE, Pots, Standing, Tier};
use ionet_rules::stake;
use ionet_rules::supply::SupplyParams;

/// So many devices.
pub(crate) struct Fleet {
    pub(crate) devices: usize,
}

/// One device as a database would hold it, with its tests.
pub(crate) struct Row {
    pub(crate) device: Device,
    pub(crate) tests: [Test; 4],
}

/// Name, kind, hundredths, and out of a hundred devices how many are of it.
const MIX: [(&str, HardwareKind, u32, u64); 9] = [
    ("B200", HardwareKind::Gpu, 3_000, 1),
    ("H200", HardwareKind::Gpu, 1_200, 2),
    ("H100 80GB HBM3", HardwareKind::Gpu, 1_000, 7),
    ("A100-SXM4-80GB", HardwareKind::Gpu, 500, 8),
    ("RTX 4090", HardwareKind::Gpu, 125, 22),
    ("RTX 3090", HardwareKind::Gpu, 175, 10),
    ("RTX 3060 Ti", HardwareKind::Gpu, 75, 10),
    ("M4 Max", HardwareKind::Cpu, 150, 10),
    ("unlisted", HardwareKind::Cpu, 10, 30),
];

/// A generator of numbers that look random (the finalizer of MurmurHash3 over a counter).
pub(crate) struct Numbers(u64);

impl Numbers {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        for factor in [0xff51_afd7_ed55_8ccd, 0xc4ce_b9fe_1a85_ec53u64] {
            mixed = (mixed ^ (mixed >> 33)).wrapping_mul(factor);
        }
        mixed ^ (mixed >> 33)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    fn address(&mut self) -> [u8; 32] {
        let mut bytes = [0; 32];
        bytes.chunks_exact_mut(8).for_each(|chunk| chunk.copy_from_slice(&self.next().to_be_bytes()));
        bytes
    }
}

/// Epoch 1 or 2 of a network with the default parameters.
pub(crate) fn epoch(number: u64) -> Epoch {
    let params = SupplyParams::DEFAULT;
    let emission = params.schedule().map_or(Io::ZERO, |schedule| schedule.emission(number));
    Epoch { number, emission, carry_in: Pots::EMPTY, params }
}

/// The models of the mix, in its order.
pub(crate) fn models() -> Vec<Model> {
    let reference = |kind: HardwareKind| Measurement {
        bandwidth_mbps: 1_000,
        memory_mb_per_sec: 900_000,
        cpu_mhz: 3_000,
        gflops: u32::from(kind == HardwareKind::Gpu) * 67_000,
    };
    let model = |(name, kind, multiplier_centi, _): (&str, _, _, _)| Model {
        name: name.to_owned(),
        kind,
        multiplier_centi,
        reference: reference(kind),
    };
    MIX.map(model).into()
}

impl Fleet {
    /// Its rows in this epoch: the same devices, measured and hired anew.
    pub(crate) fn rows(&self, epoch: u64) -> Vec<Row> {
        let mut devices = Numbers(7);
        let mut news = Numbers(1_000 * epoch);
        (0..self.devices).map(|_| row(&mut devices, &mut news)).collect()
    }

    /// The epoch's inputs, collected but not in order.
    pub(crate) fn draft(&self, number: u64) -> Result<Draft> {
        let mut draft = Draft::new(epoch(number));
        for model in models() {
            draft.model(model)?;
        }
        let (mut devices, mut news) = (Numbers(7), Numbers(1_000 * number));
        for _ in 0..self.devices {
            let row = row(&mut devices, &mut news);
            draft.device(&row.device, &row.tests)?;
        }
        Ok(draft)
    }
}

fn row(devices: &mut Numbers, news: &mut Numbers) -> Row {
    let mut of_hundred = devices.below(100);
    let model = MIX.iter().position(|(.., share)| {
        let here = of_hundred < *share;
        of_hundred = of_hundred.saturating_sub(*share);
        here
    });
    let model = model.unwrap_or(0);
    let (_, kind, centi, _) = MIX[model];
    let processors = if kind == HardwareKind::Gpu { [1, 2, 4, 8][devices.below(4) as usize] } else { 1 };
    let minimum = stake::minimum(centi, processors).unwrap_or(Io::ZERO);
    let (key, beneficiary, co_staker) = (devices.address(), devices.address(), devices.address());
    let has_co_staker = devices.below(10) == 0;
    let tier = Tier::from_u8(1 + (devices.below(4) as u8)).unwrap_or(Tier::Low);
    // Nine in ten pass every check; the others miss one.
    let fails = if news.below(10) == 0 { 1 + news.below(5) } else { 0 };
    let hired = news.below(7) == 0;
    let worked = if hired { news.below(10_000_000) } else { 0 };
    let part = |news: &mut Numbers, whole: u32| whole / 2 + u32::try_from(news.below(u64::from(whole))).unwrap_or(0);
    let tests = [(); 4].map(|()| Test {
        outcome: if news.below(50) == 0 { Outcome::Missed } else { Outcome::Passed },
        measured: Measurement {
            bandwidth_mbps: part(news, 1_000),
            memory_mb_per_sec: part(news, 900_000),
            cpu_mhz: part(news, 3_000),
            gflops: part(news, 67_000),
        },
    });
    let device = Device {
        key,
        beneficiary,
        co_stake: has_co_staker.then_some(CoStake { beneficiary: co_staker, share_bps: 3_000 }),
        model: model as u16,
        processors,
        tier,
        staked: if fails == 1 { Io(minimum.0 / 2) } else { minimum },
        unstaking: fails == 2,
        uptime_secs: 400_000,
        uptime_at_end_secs: if fails == 3 { 900 } else { 403_600 },
        last_proof_passed: fails != 4,
        proof_passed: !hired,
        cluster_formation_passed: fails != 5,
        standing: Standing::Good,
        payout_wallet_set: true,
        hired,
        last_p_millionths: P_ONE / 10 * 9,
        compute_credits: MicroUsd(worked / 9),
        work_io: Io(if worked % 3 == 0 { worked * 10 } else { 0 }),
        work_usdc: Usdc(if worked % 3 == 0 { 0 } else { worked }),
    };
    Row { device, tests }
}
