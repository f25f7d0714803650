//! What an epoch is decided from: its money, its parameters, the models, and what is known of every device.

use ionet_rules::booking::HardwareKind;
use ionet_rules::money::{Io, MicroUsd, Usdc};
use ionet_rules::multipliers::MAX_CENTI;
use ionet_rules::rewards::{EndFacts, Measurement, NominationFacts, P_ONE, Pots, Standing, Tier};
use ionet_rules::stake::{self, MAX_PROCESSORS};
use ionet_rules::supply::SupplyParams;

use crate::parallel;
use crate::records::{DeviceRecord, TestRecord};
use crate::{Error, Result};

/// Most devices of an epoch.
pub const MAX_DEVICES: usize = 1 << 24;
/// Most tests of an epoch.
pub const MAX_TESTS: usize = 1 << 28;
/// Most models of an epoch.
pub const MAX_MODELS: usize = 4_096;
/// Most compute credits of a device in an epoch, millionths: a hundred million dollars. Keeps every weight within 64 bits.
const MAX_CREDITS: MicroUsd = MicroUsd(100_000_000_000_000);
/// Longest name of a model, bytes.
const MAX_MODEL_NAME: usize = 64;
const NOBODY: [u8; 32] = [0; 32];

/// The epoch itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Epoch {
    /// Its number, from 1.
    pub number: u64,
    /// IO minted for it.
    pub emission: Io,
    /// What the pots brought from the epoch before.
    pub carry_in: Pots,
    /// The parameters in force.
    pub params: SupplyParams,
}

/// A model of processor: what a device of it weighs, and what its tests are measured against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Model {
    /// Its name, at most 64 bytes.
    pub name: String,
    /// Its kind: decides the pot.
    pub kind: HardwareKind,
    /// Its multiplier, hundredths.
    pub multiplier_centi: u32,
    /// What a test should measure; a value of zero asks nothing.
    pub reference: Measurement,
}

/// A co-staker's part of a device's availability rewards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CoStake {
    /// The account that it is claimed from.
    pub beneficiary: [u8; 32],
    /// Its share, basis points.
    pub share_bps: u16,
}

/// What is known of one device in an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Device {
    /// Its public key.
    pub key: [u8; 32],
    /// The account that its earnings are claimed from.
    pub beneficiary: [u8; 32],
    /// A co-staker that earns now (not in notice, not cooling down).
    pub co_stake: Option<CoStake>,
    /// Its model, as [`Draft::model`] numbered it.
    pub model: u16,
    /// Processors.
    pub processors: u32,
    /// Connectivity tier.
    pub tier: Tier,
    /// Staked and counting, the owner's part and the co-staker's.
    pub staked: Io,
    /// Whether the stake is being withdrawn.
    pub unstaking: bool,
    /// Continuous uptime when the epoch began, seconds.
    pub uptime_secs: u32,
    /// Continuous uptime when the epoch ended, seconds.
    pub uptime_at_end_secs: u32,
    /// Whether the last proof before the epoch was right.
    pub last_proof_passed: bool,
    /// Whether the epoch's own proof was right.
    pub proof_passed: bool,
    /// Whether it has passed the cluster-formation test.
    pub cluster_formation_passed: bool,
    /// Whether the network lets it take part.
    pub standing: Standing,
    /// Whether its owner has set a payout wallet.
    pub payout_wallet_set: bool,
    /// Whether it was hired in the epoch.
    pub hired: bool,
    /// Its last P before the epoch, millionths: counts while it is hired.
    pub last_p_millionths: u32,
    /// Compute credits earned in the epoch, millionths.
    pub compute_credits: MicroUsd,
    /// Suppliers' part of work paid in IO that it delivered.
    pub work_io: Io,
    /// Suppliers' part of work paid in USDC that it delivered.
    pub work_usdc: Usdc,
}

/// How a test ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Outcome {
    /// No answer in time: P is zero.
    #[default]
    Missed = 0,
    /// A right answer: P is what was measured.
    Passed = 1,
    /// A wrong answer: P is zero.
    Wrong = 2,
}

/// One test of a device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Test {
    /// How it ended.
    pub outcome: Outcome,
    /// What was measured.
    pub measured: Measurement,
}

/// An epoch's inputs while they are being collected, in any order.
#[derive(Clone, Debug)]
pub struct Draft {
    epoch: Epoch,
    models: Vec<Model>,
    devices: Vec<DeviceRecord>,
    tests: Vec<TestRecord>,
}

/// An epoch's inputs, complete and checked: models by name and kind, devices by key, tests in the order of their devices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inputs {
    pub(crate) epoch: Epoch,
    pub(crate) models: Vec<Model>,
    pub(crate) devices: Vec<DeviceRecord>,
    pub(crate) tests: Vec<TestRecord>,
    /// Where each device's tests begin, and at last where they end.
    first_test: Vec<u32>,
}

impl Draft {
    /// An epoch without devices.
    pub fn new(epoch: Epoch) -> Self {
        Self { epoch, models: Vec::new(), devices: Vec::new(), tests: Vec::new() }
    }

    /// The number of a model in this draft; the same name and kind always have the same number.
    pub fn model(&mut self, model: Model) -> Result<u16> {
        let place = match self.models.iter().position(|known| known.kind == model.kind && known.name == model.name) {
            Some(place) if self.models[place] == model => place,
            Some(_) => return Err(Error::InvalidModel { name: model.name, what: "has two multipliers or two references" }),
            None => {
                check_model(&model)?;
                self.models.push(model);
                self.models.len() - 1
            }
        };
        u16::try_from(place)
            .ok()
            .filter(|place| usize::from(*place) < MAX_MODELS)
            .ok_or(Error::TooMany { what: "models", most: MAX_MODELS })
    }

    /// Adds a device and its tests of this epoch.
    pub fn device(&mut self, device: &Device, tests: &[Test]) -> Result<()> {
        let invalid = |what| Error::InvalidDevice { key: device.key, what };
        if device.co_stake.is_some_and(|co_stake| co_stake.beneficiary == NOBODY) {
            return Err(invalid("the co-staker has no account"));
        }
        if self.devices.len() >= MAX_DEVICES {
            return Err(Error::TooMany { what: "devices", most: MAX_DEVICES });
        }
        if self.tests.len().saturating_add(tests.len()) > MAX_TESTS {
            return Err(Error::TooMany { what: "tests", most: MAX_TESTS });
        }
        let count = u16::try_from(tests.len()).map_err(|_| invalid("has more tests than can be counted"))?;
        let record = DeviceRecord {
            key: device.key,
            beneficiary: device.beneficiary,
            co_staker: device.co_stake.map_or(NOBODY, |co_stake| co_stake.beneficiary),
            staked: device.staked,
            compute_credits: device.compute_credits,
            work_io: device.work_io,
            work_usdc: device.work_usdc,
            uptime_secs: device.uptime_secs,
            uptime_at_end_secs: device.uptime_at_end_secs,
            last_p_millionths: device.last_p_millionths,
            processors: device.processors,
            model: device.model,
            co_share_bps: device.co_stake.map_or(0, |co_stake| co_stake.share_bps),
            tests: count,
            tier: device.tier as u8,
            standing: device.standing as u8,
            unstaking: u8::from(device.unstaking),
            last_proof_passed: u8::from(device.last_proof_passed),
            cluster_formation_passed: u8::from(device.cluster_formation_passed),
            payout_wallet_set: u8::from(device.payout_wallet_set),
            hired: u8::from(device.hired),
            proof_passed: u8::from(device.proof_passed),
            reserved: [0; 2],
        };
        check_device(&record, &self.models)?;
        self.devices.push(record);
        self.tests.extend(tests.iter().map(|test| TestRecord {
            bandwidth_mbps: test.measured.bandwidth_mbps,
            memory_mb_per_sec: test.measured.memory_mb_per_sec,
            cpu_mhz: test.measured.cpu_mhz,
            gflops: test.measured.gflops,
            outcome: test.outcome as u8,
            reserved: [0; 3],
        }));
        Ok(())
    }

    /// Puts all in its one order and checks it. Two devices with one key are refused.
    pub fn seal(self) -> Result<Inputs> {
        let Self { epoch, models, mut devices, tests } = self;
        let (models, new_number) = sort_models(models);
        for device in &mut devices {
            device.model = new_number[usize::from(device.model)];
        }
        let (devices, tests) = if devices.is_sorted_by_key(|device| device.key) { (devices, tests) } else { in_order(&devices, &tests) };
        Inputs::checked(epoch, models, devices, tests)
    }
}

fn sort_models(models: Vec<Model>) -> (Vec<Model>, Vec<u16>) {
    let mut numbered: Vec<(u16, Model)> = (0u16..).zip(models).collect();
    numbered.sort_by(|(_, one), (_, other)| model_order(one).cmp(&model_order(other)));
    let mut new_number = vec![0; numbered.len()];
    for (new, (old, _)) in (0u16..).zip(&numbered) {
        new_number[usize::from(*old)] = new;
    }
    (numbered.into_iter().map(|(_, model)| model).collect(), new_number)
}

fn model_order(model: &Model) -> (&str, u8) {
    (&model.name, model.kind as u8)
}

/// The devices by key, and the tests in the order of their devices.
fn in_order(devices: &[DeviceRecord], tests: &[TestRecord]) -> (Vec<DeviceRecord>, Vec<TestRecord>) {
    // The beginning of the key beside the place: most comparisons look at nothing else.
    let beginning = |key: &[u8; 32]| key.iter().take(8).fold(0u64, |number, byte| (number << 8) | u64::from(*byte));
    let mut order: Vec<(u64, u32)> = devices.iter().map(|device| beginning(&device.key)).zip(0u32..).collect();
    let key = |place: u32| devices[place as usize].key;
    parallel::sort_by(&mut order, |one, other| one.0.cmp(&other.0).then_with(|| key(one.1).cmp(&key(other.1))));

    let sorted = parallel::filled(devices.len(), <DeviceRecord as bytemuck::Zeroable>::zeroed(), |first, part| {
        for (device, (_, place)) in part.iter_mut().zip(&order[first..]) {
            *device = devices[*place as usize];
        }
    });
    let first_test = first_tests(devices);
    let mut sorted_tests = Vec::with_capacity(tests.len());
    for (_, place) in &order {
        let place = *place as usize;
        sorted_tests.extend_from_slice(&tests[first_test[place] as usize..first_test[place + 1] as usize]);
    }
    (sorted, sorted_tests)
}

fn first_tests(devices: &[DeviceRecord]) -> Vec<u32> {
    let mut next = 0u32;
    // No more than `MAX_TESTS` tests are ever taken in, so this cannot overflow on checked input.
    let ends = devices.iter().map(|device| {
        next = next.saturating_add(u32::from(device.tests));
        next
    });
    std::iter::once(0).chain(ends).collect()
}

fn check_model(model: &Model) -> Result<()> {
    let invalid = |what| Err(Error::InvalidModel { name: model.name.clone(), what });
    if model.name.is_empty() || model.name.len() > MAX_MODEL_NAME {
        return invalid("a name has 1 to 64 bytes");
    }
    if model.multiplier_centi > MAX_CENTI {
        return invalid("the multiplier is out of range");
    }
    Ok(())
}

fn check_device(record: &DeviceRecord, models: &[Model]) -> Result<()> {
    let invalid = |what| Err(Error::InvalidDevice { key: record.key, what });
    let flags = [
        record.unstaking,
        record.last_proof_passed,
        record.cluster_formation_passed,
        record.payout_wallet_set,
        record.hired,
        record.proof_passed,
    ];
    if usize::from(record.model) >= models.len() {
        return invalid("its model is not in the list");
    }
    if !(1..=MAX_PROCESSORS).contains(&record.processors) {
        return invalid("the number of processors is out of range");
    }
    if record.last_p_millionths > P_ONE {
        return invalid("P is above one");
    }
    if record.compute_credits > MAX_CREDITS {
        return invalid("the compute credits are out of range");
    }
    if record.co_share_bps > 10_000 || (record.co_staker == NOBODY && record.co_share_bps != 0) {
        return invalid("the co-staker's share is impossible");
    }
    if Tier::from_u8(record.tier).is_err() || Standing::from_u8(record.standing).is_err() {
        return invalid("tier or standing is unknown");
    }
    if flags.iter().any(|flag| *flag > 1) || record.reserved != [0; 2] {
        return invalid("a flag is neither 0 nor 1");
    }
    Ok(())
}

impl Inputs {
    /// Inputs in their one order, from wherever they come: every record is checked, and so is the order.
    pub(crate) fn checked(epoch: Epoch, models: Vec<Model>, devices: Vec<DeviceRecord>, tests: Vec<TestRecord>) -> Result<Self> {
        epoch.params.check()?;
        if epoch.number == 0 {
            return Err(Error::InvalidEpoch("epochs are counted from 1"));
        }
        if epoch.emission > epoch.params.schedule()?.emission(epoch.number) {
            return Err(Error::InvalidEpoch("more is minted than the schedule has for it"));
        }
        if models.len() > MAX_MODELS {
            return Err(Error::TooMany { what: "models", most: MAX_MODELS });
        }
        models.iter().try_for_each(check_model)?;
        if let Some(pair) = models.windows(2).find(|pair| model_order(&pair[0]) >= model_order(&pair[1])) {
            return Err(Error::InvalidModel { name: pair[1].name.clone(), what: "stands twice, or not in order" });
        }
        parallel::try_each(&devices, |device| check_device(device, &models))?;
        if let Some(pair) = devices.windows(2).find(|pair| pair[0].key >= pair[1].key) {
            return Err(Error::DuplicateDevice(pair[1].key));
        }
        if devices.iter().map(|device| usize::from(device.tests)).sum::<usize>() != tests.len() {
            return Err(Error::InvalidEpoch("the devices count other tests than there are"));
        }
        if tests.iter().any(|test| test.outcome > Outcome::Wrong as u8 || test.reserved != [0; 3]) {
            return Err(Error::InvalidEpoch("a test's outcome is unknown"));
        }
        let first_test = first_tests(&devices);
        Ok(Self { epoch, models, devices, tests, first_test })
    }

    /// The epoch itself.
    pub const fn epoch(&self) -> &Epoch {
        &self.epoch
    }

    /// The models, by name and kind.
    pub fn models(&self) -> &[Model] {
        &self.models
    }

    /// The devices, by key.
    pub fn devices(&self) -> &[DeviceRecord] {
        &self.devices
    }

    /// Place of the device with this key.
    pub fn find(&self, key: &[u8; 32]) -> Option<usize> {
        self.devices.binary_search_by(|device| device.key.cmp(key)).ok()
    }

    /// Tests of the device in this place.
    pub fn tests_of(&self, place: usize) -> &[TestRecord] {
        match (self.first_test.get(place), self.first_test.get(place.saturating_add(1))) {
            (Some(from), Some(to)) => &self.tests[*from as usize..*to as usize],
            _ => &[],
        }
    }

    /// Model of the device.
    pub(crate) fn model_of(&self, device: &DeviceRecord) -> &Model {
        &self.models[usize::from(device.model)]
    }

    /// What the checks at the beginning look at.
    pub fn nomination_facts(&self, device: &DeviceRecord) -> Result<NominationFacts> {
        let multiplier_centi = self.model_of(device).multiplier_centi;
        Ok(NominationFacts {
            staked: device.staked,
            minimum_stake: stake::minimum(multiplier_centi, device.processors)?,
            unstaking: device.unstaking != 0,
            multiplier_centi,
            tier: Tier::from_u8(device.tier)?,
            uptime_secs: u64::from(device.uptime_secs),
            last_proof_passed: device.last_proof_passed != 0,
            cluster_formation_passed: device.cluster_formation_passed != 0,
            standing: Standing::from_u8(device.standing)?,
            payout_wallet_set: device.payout_wallet_set != 0,
        })
    }

    /// What the checks at the end look at.
    pub fn end_facts(device: &DeviceRecord) -> EndFacts {
        EndFacts { uptime_secs: u64::from(device.uptime_at_end_secs), proof_passed: device.proof_passed != 0, hired: device.hired != 0 }
    }
}
