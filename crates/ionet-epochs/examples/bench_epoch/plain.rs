//! The plain version: what one would write first. One core, maps keyed by base58 text, a tree made level by level, one JSON object per line.
//! The rules themselves are the same functions.

use std::collections::{BTreeMap, HashMap};
use std::io::Write;

use ionet_abi::merkle;
use ionet_epochs::{Epoch, Error, Model, Outcome, Result, base58};
use ionet_rules::rewards::compute::MAX_DOLLAR_SHARE_BPS;
use ionet_rules::rewards::{
    EndFacts, NominationFacts, Pot, at_end, base_score, compute_weight, mean_p, nomination, share, split_emission, split_with_co_staker,
    test_p, weight,
};
use ionet_rules::stake;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::fleet::{self, Row};

struct Line {
    failed: Vec<&'static str>,
    base: u64,
    p: u32,
    weight: u64,
    compute_weight: u64,
}

/// Closes the epoch on top of these lifetime totals, writes its file and returns its root.
pub(crate) fn close(epoch: &Epoch, rows: &[Row], before: HashMap<String, (u64, u64)>, out: &mut impl Write) -> Result<[u8; 32]> {
    let models = fleet::models();
    let rows: BTreeMap<String, &Row> = rows.iter().map(|row| (base58(&row.device.key), row)).collect();
    let mut lines = HashMap::new();
    let mut weights = HashMap::new();
    for (key, row) in &rows {
        let model = &models[usize::from(row.device.model)];
        let (line, kind) = (line(epoch, row, model)?, model.kind);
        *weights.entry(Pot::availability(kind)).or_insert(0u128) += u128::from(line.weight);
        *weights.entry(Pot::compute(kind)).or_insert(0u128) += u128::from(line.compute_weight);
        lines.insert(key.clone(), line);
    }

    let pots = split_emission(epoch.emission, &epoch.params)?.plus(&epoch.carry_in)?;
    let mut totals = before;
    for (key, row) in &rows {
        let device = &row.device;
        let line = &lines[key];
        let kind = models[usize::from(device.model)].kind;
        let part = |pot: Pot, weight: u64| share(pots.get(pot), weight, weights.get(&pot).copied().unwrap_or(0));
        let availability = part(Pot::availability(kind), line.weight)?;
        let compute = part(Pot::compute(kind), line.compute_weight)?;
        let (own, co_staker) = split_with_co_staker(availability, device.co_stake.map_or(0, |co_stake| co_stake.share_bps))?;
        let mut add = |beneficiary: &[u8; 32], io: u64, usdc: u64| {
            let total = totals.entry(base58(beneficiary)).or_default();
            *total = (total.0 + io, total.1 + usdc);
        };
        add(&device.beneficiary, own.plus(compute)?.plus(device.work_io)?.0, device.work_usdc.0);
        if let Some(co_stake) = device.co_stake {
            add(&co_stake.beneficiary, co_staker.0, 0);
        }
        let tests: Vec<_> = row.tests.iter().map(|test| json!([test.outcome as u8, test.measured.gflops])).collect();
        let told = json!({
            "device": key, "beneficiary": base58(&device.beneficiary), "failed": line.failed, "base": line.base, "p": line.p,
            "staked": device.staked.0, "uptime": device.uptime_secs, "tests": tests, "availability": availability.0, "co_staker": co_staker.0,
            "compute": compute.0, "work_io": device.work_io.0, "work_usdc": device.work_usdc.0,
        });
        writeln!(out, "{told}")?;
    }

    let mut leaves = BTreeMap::new();
    for (beneficiary, (io, usdc)) in totals.iter().filter(|(_, total)| **total != (0, 0)) {
        let bytes: [u8; 32] = bytes_of(bs58::decode(beneficiary).into_vec().unwrap_or_default())?;
        leaves.insert(bytes, Sha256::digest(merkle::leaf(&bytes, *io, *usdc)).to_vec());
        writeln!(out, "{}", json!({ "beneficiary": beneficiary, "io": io, "usdc": usdc }))?;
    }
    out.flush()?;
    root(leaves.into_values().collect())
}

fn root(mut level: Vec<Vec<u8>>) -> Result<[u8; 32]> {
    while level.len() > 1 {
        level = level
            .chunks(2)
            .map(|pair| match pair {
                [one, other] => {
                    let (low, high) = if one < other { (one, other) } else { (other, one) };
                    Sha256::digest([&[merkle::NODE][..], low, high].concat()).to_vec()
                }
                _ => pair[0].clone(),
            })
            .collect();
    }
    bytes_of(level.pop().unwrap_or_else(|| vec![0; 32]))
}

fn bytes_of(bytes: Vec<u8>) -> Result<[u8; 32]> {
    bytes.try_into().map_err(|_| Error::Malformed("not 32 bytes".to_owned()))
}

fn line(epoch: &Epoch, row: &Row, model: &Model) -> Result<Line> {
    let device = &row.device;
    let facts = NominationFacts {
        staked: device.staked,
        minimum_stake: stake::minimum(model.multiplier_centi, device.processors)?,
        unstaking: device.unstaking,
        multiplier_centi: model.multiplier_centi,
        tier: device.tier,
        uptime_secs: u64::from(device.uptime_secs),
        last_proof_passed: device.last_proof_passed,
        cluster_formation_passed: device.cluster_formation_passed,
        standing: device.standing,
        payout_wallet_set: device.payout_wallet_set,
    };
    let end = EndFacts { uptime_secs: u64::from(device.uptime_at_end_secs), proof_passed: device.proof_passed, hired: device.hired };
    let checks: Vec<_> = nomination(&facts, &epoch.params).into_iter().chain(at_end(&end, &epoch.params)).collect();
    let failed: Vec<_> = checks.iter().filter(|check| !check.passed).map(|check| check.code.code()).collect();
    let tests = row.tests.iter().map(|test| if test.outcome == Outcome::Passed { test_p(&test.measured, &model.reference) } else { 0 });
    let p = if device.hired { device.last_p_millionths } else { mean_p(tests) };
    let base = base_score(device.tier, model.multiplier_centi, device.processors, device.hired)?;
    let (weight, compute_weight) = if failed.is_empty() {
        (weight(base, p)?, compute_weight(device.compute_credits, MAX_DOLLAR_SHARE_BPS, &epoch.params)?)
    } else {
        (0, 0)
    };
    Ok(Line { failed, base, p, weight, compute_weight })
}
