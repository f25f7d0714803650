//! The header of an epoch's file: JSON, so that people and every language can read it, and written in one way only. Amounts are decimal
//! strings of base units, as everywhere in the API; hashes are hexadecimal.

use ionet_abi::merkle::Hash;
use ionet_rules::booking::HardwareKind;
use ionet_rules::layout::{Shape, StructLayout};
use ionet_rules::money::{Io, Usdc};
use ionet_rules::rewards::{Measurement, Pots};
use ionet_rules::supply::SupplyParams;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::allocate::Sums;
use crate::inputs::{Epoch, Model};
use crate::records::{DeviceRecord, LineRecord, TestRecord, Total};
use crate::{Error, Result};

/// What the header's `format` says.
const FORMAT: &str = "ionet-epoch";
/// The version of the format that this crate writes and reads.
const VERSION: u32 = 1;

/// Base units as a decimal string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amount(pub u64);

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map(Self).map_err(de::Error::custom)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Header {
    format: String,
    version: u32,
    epoch: u64,
    emission_io: Amount,
    pub(crate) previous_root: String,
    pub(crate) root: String,
    /// Rows of each section.
    pub(crate) devices: u64,
    pub(crate) tests: u64,
    pub(crate) totals: u64,
    /// What the lines add up to.
    pub(crate) nominated: u64,
    pub(crate) passed: u64,
    carry_in_io: PotAmounts,
    pub(crate) pots_io: PotAmounts,
    pub(crate) paid_io: PotAmounts,
    pub(crate) carry_out_io: PotAmounts,
    pub(crate) dust_io: PotAmounts,
    pub(crate) co_staker_io: Amount,
    pub(crate) work_io: Amount,
    pub(crate) work_usdc: Amount,
    /// What the totals add up to.
    pub(crate) lifetime_io: Amount,
    pub(crate) lifetime_usdc: Amount,
    pub(crate) lifetime_work_io: Amount,
    params: ParamsJson,
    models: Vec<ModelJson>,
    /// How the sections after the header are read.
    sections: Vec<Section>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PotAmounts {
    pub(crate) availability_gpu: Amount,
    pub(crate) availability_cpu: Amount,
    pub(crate) compute_gpu: Amount,
    pub(crate) compute_cpu: Amount,
}

impl From<Pots> for PotAmounts {
    fn from(pots: Pots) -> Self {
        Self {
            availability_gpu: Amount(pots.availability_gpu.0),
            availability_cpu: Amount(pots.availability_cpu.0),
            compute_gpu: Amount(pots.compute_gpu.0),
            compute_cpu: Amount(pots.compute_cpu.0),
        }
    }
}

impl From<PotAmounts> for Pots {
    fn from(amounts: PotAmounts) -> Self {
        Self {
            availability_gpu: Io(amounts.availability_gpu.0),
            availability_cpu: Io(amounts.availability_cpu.0),
            compute_gpu: Io(amounts.compute_gpu.0),
            compute_cpu: Io(amounts.compute_cpu.0),
        }
    }
}

/// All parameters of the supply side, by their names in the rules.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ParamsJson {
    min_bond_io: Amount,
    breaker_floor_io: Amount,
    breaker_floor_usdc: Amount,
    epoch_secs: u32,
    challenge_window_secs: u32,
    unstake_secs: u32,
    notice_secs: u32,
    appeal_secs: u32,
    decision_secs: u32,
    uptime_min_secs: u32,
    vesting_secs: u32,
    availability_bps: u16,
    gpu_bps: u16,
    bonus_bps: u16,
    cpu_multiplier_centi: u16,
    breaker_bps: u16,
    offence_bps: [u16; 3],
    slash_month_bps: u16,
    schedule: u8,
}

impl From<&SupplyParams> for ParamsJson {
    fn from(params: &SupplyParams) -> Self {
        // Every field is named, so that a new one cannot be forgotten.
        let SupplyParams {
            min_bond,
            breaker_floor_io,
            breaker_floor_usdc,
            epoch_secs,
            challenge_window_secs,
            unstake_secs,
            notice_secs,
            appeal_secs,
            decision_secs,
            uptime_min_secs,
            vesting_secs,
            availability_bps,
            gpu_bps,
            bonus_bps,
            cpu_multiplier_centi,
            breaker_bps,
            offence_bps,
            slash_month_bps,
            schedule,
            reserved: _,
        } = *params;
        Self {
            min_bond_io: Amount(min_bond.0),
            breaker_floor_io: Amount(breaker_floor_io.0),
            breaker_floor_usdc: Amount(breaker_floor_usdc.0),
            epoch_secs,
            challenge_window_secs,
            unstake_secs,
            notice_secs,
            appeal_secs,
            decision_secs,
            uptime_min_secs,
            vesting_secs,
            availability_bps,
            gpu_bps,
            bonus_bps,
            cpu_multiplier_centi,
            breaker_bps,
            offence_bps,
            slash_month_bps,
            schedule,
        }
    }
}

impl From<&ParamsJson> for SupplyParams {
    fn from(json: &ParamsJson) -> Self {
        Self {
            min_bond: Io(json.min_bond_io.0),
            breaker_floor_io: Io(json.breaker_floor_io.0),
            breaker_floor_usdc: Usdc(json.breaker_floor_usdc.0),
            epoch_secs: json.epoch_secs,
            challenge_window_secs: json.challenge_window_secs,
            unstake_secs: json.unstake_secs,
            notice_secs: json.notice_secs,
            appeal_secs: json.appeal_secs,
            decision_secs: json.decision_secs,
            uptime_min_secs: json.uptime_min_secs,
            vesting_secs: json.vesting_secs,
            availability_bps: json.availability_bps,
            gpu_bps: json.gpu_bps,
            bonus_bps: json.bonus_bps,
            cpu_multiplier_centi: json.cpu_multiplier_centi,
            breaker_bps: json.breaker_bps,
            offence_bps: json.offence_bps,
            slash_month_bps: json.slash_month_bps,
            schedule: json.schedule,
            reserved: <Self as bytemuck::Zeroable>::zeroed().reserved,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ModelJson {
    name: String,
    kind: KindJson,
    multiplier_centi: u32,
    reference: ReferenceJson,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum KindJson {
    Cpu,
    Gpu,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ReferenceJson {
    bandwidth_mbps: u32,
    memory_mb_per_sec: u32,
    cpu_mhz: u32,
    gflops: u32,
}

impl From<&Model> for ModelJson {
    fn from(model: &Model) -> Self {
        let Measurement { bandwidth_mbps, memory_mb_per_sec, cpu_mhz, gflops } = model.reference;
        Self {
            name: model.name.clone(),
            kind: match model.kind {
                HardwareKind::Cpu => KindJson::Cpu,
                HardwareKind::Gpu => KindJson::Gpu,
            },
            multiplier_centi: model.multiplier_centi,
            reference: ReferenceJson { bandwidth_mbps, memory_mb_per_sec, cpu_mhz, gflops },
        }
    }
}

impl From<&ModelJson> for Model {
    fn from(json: &ModelJson) -> Self {
        let ReferenceJson { bandwidth_mbps, memory_mb_per_sec, cpu_mhz, gflops } = json.reference;
        Self {
            name: json.name.clone(),
            kind: match json.kind {
                KindJson::Cpu => HardwareKind::Cpu,
                KindJson::Gpu => HardwareKind::Gpu,
            },
            multiplier_centi: json.multiplier_centi,
            reference: Measurement { bandwidth_mbps, memory_mb_per_sec, cpu_mhz, gflops },
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Section {
    name: String,
    record_bytes: usize,
    /// Name and type of each field, in order.
    fields: Vec<(String, String)>,
}

fn section<T: StructLayout>(name: &str) -> Section {
    Section {
        name: name.to_owned(),
        record_bytes: size_of::<T>(),
        fields: T::STRUCT.fields.iter().map(|field| (field.name.to_owned(), type_name(field.shape))).collect(),
    }
}

fn type_name(shape: &Shape) -> String {
    match shape {
        Shape::U8 => "u8".to_owned(),
        Shape::U16 => "u16".to_owned(),
        Shape::U32 => "u32".to_owned(),
        Shape::U64 => "u64".to_owned(),
        Shape::I64 => "i64".to_owned(),
        Shape::Array(item, count) => format!("[{}; {count}]", type_name(item)),
        Shape::Struct(of) => of.name.to_owned(),
    }
}

fn sections() -> Vec<Section> {
    vec![section::<DeviceRecord>("devices"), section::<TestRecord>("tests"), section::<LineRecord>("lines"), section::<Total>("totals")]
}

/// What a header is made from.
pub(crate) struct Contents<'a> {
    pub(crate) epoch: &'a Epoch,
    pub(crate) models: &'a [Model],
    pub(crate) sums: &'a Sums,
    pub(crate) roots: (Hash, Hash),
    pub(crate) rows: (usize, usize, usize),
    pub(crate) lifetime: (Io, Usdc, Io),
}

impl Header {
    /// The header of these contents.
    pub(crate) fn new(contents: &Contents<'_>) -> Self {
        let Contents { epoch, models, sums, roots, rows, lifetime } = contents;
        Self {
            format: FORMAT.to_owned(),
            version: VERSION,
            epoch: epoch.number,
            emission_io: Amount(epoch.emission.0),
            previous_root: hex::encode(roots.0),
            root: hex::encode(roots.1),
            devices: rows.0 as u64,
            tests: rows.1 as u64,
            totals: rows.2 as u64,
            nominated: sums.nominated,
            passed: sums.passed,
            carry_in_io: epoch.carry_in.into(),
            pots_io: sums.pots.into(),
            paid_io: sums.paid.into(),
            carry_out_io: sums.carry_out.into(),
            dust_io: sums.dust.into(),
            co_staker_io: Amount(sums.co_staker_io.0),
            work_io: Amount(sums.work_io.0),
            work_usdc: Amount(sums.work_usdc.0),
            lifetime_io: Amount(lifetime.0.0),
            lifetime_usdc: Amount(lifetime.1.0),
            lifetime_work_io: Amount(lifetime.2.0),
            params: (&epoch.params).into(),
            models: models.iter().map(ModelJson::from).collect(),
            sections: sections(),
        }
    }

    /// Its bytes: compact JSON with the fields in their order, and a line's end.
    pub(crate) fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut bytes = serde_json::to_vec(self).map_err(|error| Error::Malformed(error.to_string()))?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// The header in these bytes. Only the bytes that [`Header::to_bytes`] writes are taken, so one content has one file.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let malformed = |what: &str| Err(Error::Malformed(what.to_owned()));
        let header: Self = serde_json::from_slice(bytes).map_err(|error| Error::Malformed(format!("header: {error}")))?;
        if header.format != FORMAT || header.version != VERSION {
            return malformed("its format or version is another");
        }
        if header.sections != sections() {
            return malformed("its records have other fields");
        }
        if header.to_bytes()? != bytes {
            return malformed("its header is not in the one form");
        }
        Ok(header)
    }

    /// The epoch that it says.
    pub(crate) fn epoch(&self) -> Epoch {
        Epoch { number: self.epoch, emission: Io(self.emission_io.0), carry_in: self.carry_in_io.into(), params: (&self.params).into() }
    }

    /// The models that it lists.
    pub(crate) fn models(&self) -> Vec<Model> {
        self.models.iter().map(Model::from).collect()
    }
}
