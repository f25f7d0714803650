//! How much memory a device shows, and when it is asked: pure.

use std::collections::HashMap;

use ionet_proofs::simultaneous::{Due, schedule};
use ionet_types::agent::{Hardware, HardwareKind};
use ionet_types::{Address, DeviceId};
use sha2::{Digest as _, Sha256};

use super::Measuring;

/// Share of an epoch, from its beginning, in which its proof is asked for, percent: the rest is for those that were hired or away then.
const ASKED_WITHIN_PERCENT: i64 = 80;
/// Share of a card's memory that is filled when all of it is to be shown, percent: its driver keeps some.
const CARD_PERCENT: u64 = 90;
const MIB: u64 = 1 << 20;

/// How much memory is to be shown, in bytes. A `whole` proof shows as much as the network wants to see.
pub(crate) fn memory_bytes(hardware: &Hardware, measuring: &Measuring, whole: bool) -> u64 {
    let (all_mb, percent) = match hardware.kind {
        HardwareKind::Gpu => (hardware.gpus.iter().map(|gpu| gpu.memory_mb).fold(0, u64::saturating_add), CARD_PERCENT),
        HardwareKind::Cpu => (hardware.memory_mb, u64::from(measuring.memory_percent)),
    };
    let small_mb = u64::from(measuring.memory_mb).min(all_mb / 4);
    let wanted_mb = if whole && measuring.memory_percent > 0 { (all_mb / 100).saturating_mul(percent).max(small_mb) } else { small_mb };
    wanted_mb.saturating_mul(MIB)
}

/// When each of these devices is asked in an epoch (from, to; unix seconds). Nobody but the hub can tell before: `secret` is its own. All
/// devices of one owner are asked at the same moment, so that one machine cannot answer for several of them one after the other.
pub(crate) fn moments(
    devices: impl IntoIterator<Item = (DeviceId, Option<Address>)>,
    secret: &[u8; 32],
    epoch: u64,
    (from, to): (i64, i64),
) -> HashMap<DeviceId, i64> {
    let last = from.saturating_add(to.saturating_sub(from).max(0) / 100 * ASKED_WITHIN_PERCENT);
    let ms = |unix_secs: i64| u64::try_from(unix_secs).unwrap_or(0).saturating_mul(1_000);
    let due = |(device, owner): (DeviceId, Option<Address>)| Due {
        device: device.0,
        origins: owner.into_iter().map(|owner| owner.0).collect(),
        from_ms: ms(from),
        until_ms: ms(last.max(from)),
    };
    let due: Vec<Due> = devices.into_iter().map(due).collect();
    let seed: [u8; 32] = Sha256::new_with_prefix(secret).chain_update(epoch.to_le_bytes()).finalize().into();
    schedule(&due, &seed)
        .into_iter()
        .flat_map(|slot| {
            slot.devices.into_iter().map(move |device| (DeviceId(device), i64::try_from(slot.at_ms / 1_000).unwrap_or(i64::MAX)))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use ionet_types::agent::Gpu;

    use super::*;

    #[test]
    fn the_devices_of_one_owner_are_asked_at_one_moment_that_nobody_knows_before() {
        let owner = |device: u8| (DeviceId([device; 32]), Some(Address([device % 3; 32])));
        let moments = |secret, epoch| moments((0..30).map(owner), secret, epoch, (3_600, 7_200));
        let found = moments(&[7; 32], 1);
        for (device, at) in &found {
            assert!((3_600..=3_600 + 2_880).contains(at));
            assert_eq!(*at, found[&DeviceId([device.0[0] % 3; 32])]);
        }
        assert_ne!(found, moments(&[8; 32], 1));
        assert_ne!(found, moments(&[7; 32], 2));
        let spread: std::collections::BTreeSet<i64> = (0..300).map(|epoch| moments(&[7; 32], epoch)[&DeviceId([0; 32])] / 288).collect();
        assert_eq!(spread.len(), 11, "every part of the time is drawn: {spread:?}");
    }

    #[test]
    fn memory_is_shown_whole_now_and_then() {
        let cpu = Hardware { memory_mb: 24_000, ..Hardware::default() };
        let card = Gpu { memory_mb: 81_559, ..Gpu::default() };
        let gpu = Hardware { kind: HardwareKind::Gpu, gpus: vec![card], ..Hardware::default() };
        assert_eq!(memory_bytes(&cpu, &Measuring::DEFAULT, true), 12_000 << 20);
        assert_eq!(memory_bytes(&cpu, &Measuring::DEFAULT, false), 1_024 << 20);
        assert_eq!(memory_bytes(&gpu, &Measuring::DEFAULT, true), (815 * 90) << 20);
        assert_eq!(memory_bytes(&cpu, &Measuring::LOCAL, true), 32 << 20, "a shared machine is spared");
        assert_eq!(
            memory_bytes(&Hardware { memory_mb: u64::MAX, ..cpu }, &Measuring::DEFAULT, true),
            u64::MAX,
            "what is claimed may be anything"
        );
    }
}
