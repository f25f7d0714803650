//! Who gets how much of an epoch's pots.

use ionet_rules::RuleError;
use ionet_rules::money::{Io, Usdc};
use ionet_rules::rewards::compute::MAX_DOLLAR_SHARE_BPS;
use ionet_rules::rewards::{
    CheckSet, Measurement, Pot, Pots, Tier, at_end, base_score, compute_weight, mean_p, nomination, share, split_emission,
    split_with_co_staker, test_p, weight,
};

use crate::inputs::{Inputs, Outcome};
use crate::records::{DeviceRecord, LineRecord, TestRecord};
use crate::{Result, parallel};

/// An epoch's allocation: one line per device, in the order of the inputs, and what they add up to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allocation {
    /// What each device earned.
    pub lines: Vec<LineRecord>,
    /// What it adds up to.
    pub sums: Sums,
}

/// What an epoch's lines add up to. Pot by pot, `pots + carry_in = paid + carry_out`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sums {
    /// The emission, divided.
    pub pots: Pots,
    /// What the lines take, co-stakers' parts included.
    pub paid: Pots,
    /// What goes on to the next epoch: pots that nobody may claim, and dust.
    pub carry_out: Pots,
    /// Part of `carry_out` that rounding left in pots that were shared.
    pub dust: Pots,
    /// Sum of the weights in each pot, in the order of [`Pot::ALL`].
    pub weights: [u128; 4],
    /// Co-stakers' parts, in `paid`.
    pub co_staker_io: Io,
    /// Work paid in IO.
    pub work_io: Io,
    /// Work paid in USDC.
    pub work_usdc: Usdc,
    /// Devices that passed every check at the beginning.
    pub nominated: u64,
    /// Devices that passed every check.
    pub passed: u64,
}

#[derive(Default)]
struct Weighed {
    weights: [u128; 4],
    nominated: u64,
    passed: u64,
}

#[derive(Default)]
struct Shared {
    pots: [u128; 4],
    co_staker_io: u128,
    work_io: u128,
    work_usdc: u128,
}

/// Allocates an epoch.
pub(crate) fn allocate(inputs: &Inputs) -> Result<Allocation> {
    let epoch = inputs.epoch();
    let pots = split_emission(epoch.emission, &epoch.params)?;
    let available = pots.plus(&epoch.carry_in)?;
    let mut lines = vec![<LineRecord as bytemuck::Zeroable>::zeroed(); inputs.devices().len()];
    let part = parallel::part_len(lines.len());

    let weighed = (0..).step_by(part).zip(lines.chunks_mut(part)).map(|(first, lines)| move || weigh(inputs, first, lines));
    let mut all = Weighed::default();
    for part in parallel::all(weighed) {
        let part = part?;
        all.weights.iter_mut().zip(part.weights).for_each(|(sum, more)| *sum += more);
        all.nominated += part.nominated;
        all.passed += part.passed;
    }

    let weights = &all.weights;
    let shared = inputs
        .devices()
        .chunks(part)
        .zip(lines.chunks_mut(part))
        .map(|(devices, lines)| move || share_out(inputs, devices, lines, &available, weights));
    let mut sum = Shared::default();
    for part in parallel::all(shared) {
        let part = part?;
        sum.pots.iter_mut().zip(part.pots).for_each(|(sum, more)| *sum += more);
        sum.co_staker_io += part.co_staker_io;
        sum.work_io += part.work_io;
        sum.work_usdc += part.work_usdc;
    }

    let paid =
        Pot::ALL.into_iter().zip(sum.pots).try_fold(Pots::EMPTY, |pots, (pot, sum)| amount(sum).map(|sum| pots.with(pot, Io(sum))))?;
    let carry_out = available.minus(&paid)?;
    let shared_pots = Pot::ALL.into_iter().zip(all.weights).filter(|(_, weight)| *weight > 0);
    let dust = shared_pots.fold(Pots::EMPTY, |dust, (pot, _)| dust.with(pot, carry_out.get(pot)));
    let sums = Sums {
        pots,
        paid,
        carry_out,
        dust,
        weights: all.weights,
        co_staker_io: Io(amount(sum.co_staker_io)?),
        work_io: Io(amount(sum.work_io)?),
        work_usdc: Usdc(amount(sum.work_usdc)?),
        nominated: all.nominated,
        passed: all.passed,
    };
    Ok(Allocation { lines, sums })
}

fn amount(sum: u128) -> Result<u64> {
    Ok(u64::try_from(sum).map_err(|_| RuleError::Overflow)?)
}

/// Checks and weighs the devices from place `first` on, as many as there are lines.
fn weigh(inputs: &Inputs, first: usize, lines: &mut [LineRecord]) -> Result<Weighed> {
    let params = &inputs.epoch().params;
    let mut sum = Weighed::default();
    for (place, line) in (first..).zip(lines) {
        let device = &inputs.devices()[place];
        let model = inputs.model_of(device);
        let at_start = CheckSet::failed(&nomination(&inputs.nomination_facts(device)?, params));
        let failed = at_start.union(CheckSet::failed(&at_end(&Inputs::end_facts(device), params)));
        let hired = device.hired != 0;
        let p =
            if hired { device.last_p_millionths } else { mean_p(inputs.tests_of(place).iter().map(|test| p_of(test, &model.reference))) };
        line.base_score_tenths = base_score(Tier::from_u8(device.tier)?, model.multiplier_centi, device.processors, hired)?;
        line.p_millionths = p;
        line.failed_checks = failed.bits();
        sum.nominated += u64::from(at_start.is_empty());
        if failed.is_empty() {
            sum.passed += 1;
            line.weight = weight(line.base_score_tenths, p)?;
            // Until suppliers can choose their dollar share it is the highest for everybody, so nothing is locked.
            line.compute_weight = compute_weight(device.compute_credits, MAX_DOLLAR_SHARE_BPS, params)?;
            sum.weights[Pot::availability(model.kind) as usize] += u128::from(line.weight);
            sum.weights[Pot::compute(model.kind) as usize] += u128::from(line.compute_weight);
        }
    }
    Ok(sum)
}

fn p_of(test: &TestRecord, reference: &Measurement) -> u32 {
    if test.outcome != Outcome::Passed as u8 {
        return 0;
    }
    let measured = Measurement {
        bandwidth_mbps: test.bandwidth_mbps,
        memory_mb_per_sec: test.memory_mb_per_sec,
        cpu_mhz: test.cpu_mhz,
        gflops: test.gflops,
    };
    test_p(&measured, reference)
}

fn share_out(inputs: &Inputs, devices: &[DeviceRecord], lines: &mut [LineRecord], available: &Pots, weights: &[u128; 4]) -> Result<Shared> {
    let mut sum = Shared::default();
    let part = |pot: Pot, weight: u64, sum: &mut Shared| -> Result<Io> {
        let part = share(available.get(pot), weight, weights[pot as usize])?;
        sum.pots[pot as usize] += u128::from(part.0);
        Ok(part)
    };
    for (device, line) in devices.iter().zip(lines) {
        let kind = inputs.model_of(device).kind;
        line.availability_io = part(Pot::availability(kind), line.weight, &mut sum)?;
        line.compute_io = part(Pot::compute(kind), line.compute_weight, &mut sum)?;
        (_, line.co_staker_io) = split_with_co_staker(line.availability_io, device.co_share_bps)?;
        line.work_io = device.work_io;
        line.work_usdc = device.work_usdc;
        sum.co_staker_io += u128::from(line.co_staker_io.0);
        sum.work_io += u128::from(line.work_io.0);
        sum.work_usdc += u128::from(line.work_usdc.0);
    }
    Ok(sum)
}

impl LineRecord {
    /// IO for the device's own account: all of the line but the co-staker's part.
    pub fn device_io(&self) -> Result<Io> {
        Ok(self.availability_io.minus(self.co_staker_io)?.plus(self.compute_io)?.plus(self.work_io)?)
    }
}
