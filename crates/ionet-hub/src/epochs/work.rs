//! Who did the work that a log pays for: a log's supplier part is divided among the cluster's devices by the minutes each delivered.

use std::collections::BTreeMap;

use ionet_rules::RuleResult;
use ionet_rules::rewards::work_shares;
use ionet_store::{Assignment, Outage};
use ionet_types::DeviceId;

/// The period that a log is about, on the chain's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// From when, unix seconds.
    pub from_unix_secs: i64,
    /// Until when, unix seconds.
    pub to_unix_secs: i64,
}

/// Minutes that each device delivered in a period, by device: the time it was the node, less the node's outages, started minutes in the
/// supplier's favour.
pub fn minutes(period: Period, assignments: &[Assignment], outages: &[Outage]) -> BTreeMap<DeviceId, u32> {
    let mut secs: BTreeMap<DeviceId, i64> = BTreeMap::new();
    for assignment in assignments {
        // Who was assigned first was the node from its beginning: deployments begin before the hired time.
        let from = assignment.from_unix_secs.max(period.from_unix_secs);
        let to = assignment.to_unix_secs.unwrap_or(i64::MAX).min(period.to_unix_secs);
        let out: i64 = outages
            .iter()
            .filter(|outage| outage.node == assignment.node)
            .map(|outage| outage.to_unix_secs.unwrap_or(i64::MAX).min(to).saturating_sub(outage.from_unix_secs.max(from)).max(0))
            .sum();
        let there = to.saturating_sub(from).max(0).saturating_sub(out).max(0);
        *secs.entry(assignment.device_id).or_default() += there;
    }
    secs.into_iter().map(|(device, secs)| (device, u32::try_from(secs.max(0).unsigned_abs().div_ceil(60)).unwrap_or(u32::MAX))).collect()
}

/// Divides `part` among those who delivered; when nobody is known to have, evenly among all that were assigned: somebody was paid for.
pub fn divide(part: u64, minutes: &BTreeMap<DeviceId, u32>) -> RuleResult<Vec<(DeviceId, u64)>> {
    let known = minutes.values().any(|minutes| *minutes > 0);
    let weights: Vec<u32> = minutes.values().map(|minutes| if known { *minutes } else { 1 }).collect();
    minutes.keys().zip(work_shares(part, &weights)).map(|(device, share)| Ok((*device, share?))).collect()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::*;

    const PERIOD: Period = Period { from_unix_secs: 1_000, to_unix_secs: 1_000 + 7_200 };

    fn device(number: u8) -> DeviceId {
        DeviceId([number; 32])
    }

    fn assigned(node: u16, number: u8, from: i64, to: Option<i64>) -> Assignment {
        Assignment { node, device_id: device(number), from_unix_secs: from, to_unix_secs: to }
    }

    #[test]
    fn a_device_that_took_over_is_paid_for_its_time() {
        let assignments = [assigned(0, 1, 0, None), assigned(1, 2, 0, Some(1_000 + 3_600)), assigned(1, 3, 1_000 + 3_600, None)];
        let outages = [Outage { node: 1, from_unix_secs: 1_000 + 1_800, to_unix_secs: Some(1_000 + 3_600) }];
        let minutes = minutes(PERIOD, &assignments, &outages);
        assert_eq!(minutes, BTreeMap::from([(device(1), 120), (device(2), 30), (device(3), 60)]));
        let shares = divide(21_000, &minutes).unwrap();
        assert_eq!(shares, [(device(1), 12_000), (device(2), 3_000), (device(3), 6_000)]);
    }

    #[test]
    fn shares_sum_to_the_part_whatever_is_known() {
        let assignments = [assigned(0, 1, 0, None), assigned(1, 2, 0, None), assigned(2, 3, 0, None)];
        for period in [PERIOD, Period { from_unix_secs: 1_000, to_unix_secs: 1_000 }] {
            let minutes = minutes(period, &assignments, &[]);
            for part in [0, 1, 2, 3, 100, 1_000_003] {
                let sum: u64 = divide(part, &minutes).unwrap().iter().map(|(_, share)| share).sum();
                assert_eq!(sum, part);
            }
        }
        assert_eq!(divide(5, &BTreeMap::new()), Ok(Vec::new()));
    }
}
