//! One device's line for people: as JSON (any serde format) and as a row of CSV.

use std::io::Write;

use ionet_rules::booking::HardwareKind;
use ionet_rules::rewards::{Check, CheckSet, Pot, at_end, nomination, normalised_score};
use serde::Serialize;

use crate::allocate::Allocation;
use crate::header::Amount;
use crate::inputs::Inputs;
use crate::{Closed, Result, base58};

/// A device's line with its reasons. Amounts are decimal strings of base units.
#[derive(Clone, Debug, Serialize)]
pub struct LineReport {
    /// The epoch.
    pub epoch: u64,
    /// The device's key, base58.
    pub device: String,
    /// The account that it is paid from, base58.
    pub beneficiary: String,
    /// Its model.
    pub model: String,
    /// `cpu` or `gpu`.
    pub kind: &'static str,
    /// Graphics cards, or processors of a device without.
    pub processors: u32,
    /// Connectivity tier.
    pub tier: u8,
    /// Whether it was hired.
    pub hired: bool,
    /// Whether it passed every check at the beginning.
    pub nominated: bool,
    /// Whether it passed every check.
    pub passed: bool,
    /// The checks, at the beginning and at the end.
    pub checks: Vec<CheckReport>,
    /// Base score, tenths of a point.
    pub base_score_tenths: u64,
    /// P, millionths.
    pub p_millionths: u32,
    /// Weight as a share of all weights of its kind, in thousandths of a normalised point.
    pub normalised_score_thousandths: u64,
    /// Availability reward, the co-staker's part included.
    pub availability_io: Amount,
    /// The account that the co-staker is paid from, base58.
    pub co_staker: Option<String>,
    /// The co-staker's part.
    pub co_staker_io: Amount,
    /// Compute reward.
    pub compute_io: Amount,
    /// Part of work paid in IO.
    pub work_io: Amount,
    /// Part of work paid in USDC.
    pub work_usdc: Amount,
}

/// One check: code, result and reason.
#[derive(Clone, Debug, Serialize)]
pub struct CheckReport {
    /// Stable name of the check.
    pub code: &'static str,
    /// Whether it passed.
    pub passed: bool,
    /// What was found, for a person.
    pub reason: String,
}

impl From<&Check> for CheckReport {
    fn from(check: &Check) -> Self {
        Self { code: check.code.code(), passed: check.passed, reason: check.reason.to_string() }
    }
}

impl LineReport {
    /// The report of the device in this place; `None` when there is none.
    pub(crate) fn new(inputs: &Inputs, allocation: &Allocation, place: usize) -> Option<Self> {
        let (device, line) = (inputs.devices().get(place)?, allocation.lines.get(place)?);
        let model = inputs.model_of(device);
        let params = &inputs.epoch().params;
        let at_start = nomination(&inputs.nomination_facts(device).ok()?, params);
        let at_end = at_end(&Inputs::end_facts(device), params);
        let weights = allocation.sums.weights[Pot::availability(model.kind) as usize];
        Some(Self {
            epoch: inputs.epoch().number,
            device: base58(&device.key),
            beneficiary: base58(&device.beneficiary),
            model: model.name.clone(),
            kind: kind_name(model.kind),
            processors: device.processors,
            tier: device.tier,
            hired: device.hired != 0,
            nominated: CheckSet::failed(&at_start).is_empty(),
            passed: line.failed_checks == 0,
            checks: at_start.iter().chain(&at_end).map(CheckReport::from).collect(),
            base_score_tenths: line.base_score_tenths,
            p_millionths: line.p_millionths,
            normalised_score_thousandths: normalised_score(line.weight, weights, model.kind).ok()?,
            availability_io: Amount(line.availability_io.0),
            co_staker: (device.co_staker != [0; 32]).then(|| base58(&device.co_staker)),
            co_staker_io: Amount(line.co_staker_io.0),
            compute_io: Amount(line.compute_io.0),
            work_io: Amount(line.work_io.0),
            work_usdc: Amount(line.work_usdc.0),
        })
    }
}

const fn kind_name(kind: HardwareKind) -> &'static str {
    match kind {
        HardwareKind::Cpu => "cpu",
        HardwareKind::Gpu => "gpu",
    }
}

/// Columns of the CSV form.
const COLUMNS: &str = "device,beneficiary,kind,multiplier_centi,processors,tier,hired,failed_checks,base_score_tenths,p_millionths,weight,\
                       availability_io,co_staker,co_staker_io,compute_io,work_io,work_usdc";

/// Writes all lines as CSV: a row of names, then one row per device. Failed checks are codes with a space between them. Nothing in it can hold a
/// comma or a quote, so nothing is quoted.
pub fn write_csv(closed: &Closed, to: &mut impl Write) -> Result<()> {
    writeln!(to, "{COLUMNS}")?;
    for (device, line) in closed.inputs.devices().iter().zip(&closed.allocation.lines) {
        let model = closed.inputs.model_of(device);
        let failed: Vec<_> = CheckSet::from_bits(line.failed_checks)?.iter().map(ionet_rules::rewards::CheckCode::code).collect();
        writeln!(
            to,
            "{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}",
            base58(&device.key),
            base58(&device.beneficiary),
            kind_name(model.kind),
            model.multiplier_centi,
            device.processors,
            device.tier,
            device.hired,
            failed.join(" "),
            line.base_score_tenths,
            line.p_millionths,
            line.weight,
            line.availability_io.0,
            if device.co_staker == [0; 32] { String::new() } else { base58(&device.co_staker) },
            line.co_staker_io.0,
            line.compute_io.0,
            line.work_io.0,
            line.work_usdc.0,
        )?;
    }
    Ok(to.flush()?)
}
