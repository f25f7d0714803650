//! Tampering: no byte of a published epoch can be changed unseen, not even by somebody who repairs the checksum.

use ionet_epochs::{Closed, Error, LineRecord, Totals, close, read};
use sha2::{Digest, Sha256};

use crate::world::{FULL, World, epoch, good};
use ionet_epochs::{CoStake, Device};
use ionet_rules::money::{Io, MicroUsd, Usdc};

/// The second epoch of a small network with a device of every sort.
pub(crate) fn small() -> Closed {
    let devices = |more: u64| {
        let mut devices: Vec<(Device, _)> =
            (0..5).map(|number| (good(number, (number % 3) as u16), vec![FULL; number as usize % 3])).collect();
        devices[1].0.co_stake = Some(CoStake { beneficiary: [7; 32], share_bps: 3_000 });
        devices[2].0.compute_credits = MicroUsd(5_000_000);
        devices[2].0.work_usdc = Usdc(40_000 + more);
        devices[3].0.work_io = Io(77 + more);
        devices[4].0.unstaking = true;
        devices
    };
    let first = close(World { epoch: epoch(1), devices: devices(0) }.seal(), &Totals::none()).unwrap();
    let mut second = World { epoch: epoch(2), devices: devices(5) };
    second.epoch.carry_in = first.allocation.sums.carry_out;
    second.devices.remove(0);
    close(second.seal(), &first.totals).unwrap()
}

pub(crate) fn published(closed: &Closed) -> (Vec<u8>, [u8; 32]) {
    let mut bytes = Vec::new();
    let sha256 = closed.write(&mut bytes).unwrap();
    (bytes, sha256)
}

/// The same file with a checksum that fits again.
pub(crate) fn repaired(mut bytes: Vec<u8>) -> Vec<u8> {
    let end = bytes.len() - 32;
    let checksum: [u8; 32] = Sha256::digest(&bytes[..end]).into();
    bytes[end..].copy_from_slice(&checksum);
    bytes
}

fn replay(bytes: &[u8]) -> Result<Closed, Error> {
    read(&mut &*bytes)?.replay()
}

#[test]
fn the_file_is_what_it_says() {
    let closed = small();
    let (bytes, sha256) = published(&closed);
    assert_eq!(sha256, <[u8; 32]>::from(Sha256::digest(&bytes)), "what `sha256sum` prints");
    assert_eq!(read(&mut bytes.as_slice()).unwrap().sha256(), sha256);
    // The header is one line of JSON that anybody can read.
    let length = u32::from_le_bytes(bytes[8..12].try_into().unwrap()) as usize;
    let header: serde_json::Value = serde_json::from_slice(&bytes[12..12 + length]).unwrap();
    assert_eq!(header["format"], "ionet-epoch");
    assert_eq!(header["epoch"], 2);
    assert_eq!(header["root"].as_str().unwrap(), hex::encode(closed.root()));
    // The sections have the sizes that it names.
    let rows = |name: &str| header[name].as_u64().unwrap() as usize;
    let size = |section: usize| header["sections"][section]["record_bytes"].as_u64().unwrap() as usize;
    let body = rows("devices") * (size(0) + size(2)) + rows("tests") * size(1) + rows("totals") * size(3);
    assert_eq!(bytes.len(), 12 + length + body + 32);
    let statement = closed.statement(sha256);
    assert_eq!(read(&mut bytes.as_slice()).unwrap().replay_against(&statement).unwrap().root(), closed.root());
}

#[test]
fn no_bit_can_be_flipped_unseen() {
    let (bytes, _) = published(&small());
    for place in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[place] ^= 1 << (place % 8);
        assert!(read(&mut damaged.as_slice()).is_err(), "byte {place}");
    }
    for length in 0..bytes.len() {
        assert!(read(&mut &bytes[..length]).is_err(), "cut off at {length}");
    }
    let longer = [bytes.as_slice(), &[0]].concat();
    assert!(read(&mut longer.as_slice()).is_err());
}

#[test]
fn whoever_repairs_the_checksum_is_found_by_the_replay_or_by_the_chain() {
    let closed = small();
    let (bytes, sha256) = published(&closed);
    let statement = closed.statement(sha256);
    let lines_and_totals = closed.allocation.lines.len() * size_of::<LineRecord>() + size_of_val(closed.totals.records());
    let outcome_begins = bytes.len() - 32 - lines_and_totals;
    for place in 0..bytes.len() - 32 {
        let mut forged = bytes.clone();
        forged[place] ^= 1 << (place % 8);
        let forged = repaired(forged);
        let replayed = replay(&forged);
        if place >= outcome_begins {
            assert!(replayed.is_err(), "a changed line or total never replays: byte {place}");
        }
        // Other inputs may have the same outcome (a second more of uptime); they are not the file that was voted for.
        if let Ok(published) = read(&mut forged.as_slice()) {
            assert!(published.replay_against(&statement).is_err(), "byte {place}");
        }
    }
}

#[test]
fn the_first_difference_is_named() {
    let closed = small();
    let (bytes, _) = published(&closed);
    let lines = closed.allocation.lines.len() * size_of::<LineRecord>();
    let totals = size_of_val(closed.totals.records());
    let line = bytes.len() - 32 - totals - lines;
    // The availability of the first device's line, one base unit more.
    let mut forged = bytes.clone();
    forged[line + 24] ^= 1;
    let message = replay(&repaired(forged)).unwrap_err().to_string();
    let device = ionet_epochs::base58(&closed.inputs.devices()[0].key);
    assert!(message.starts_with(&format!("line of device {device}, availability_io: the file says ")), "{message}");
    // A lifetime total.
    let mut forged = bytes.clone();
    forged[line + lines + 32] ^= 1;
    let message = replay(&repaired(forged)).unwrap_err().to_string();
    assert!(message.starts_with("header, lifetime_io: the file says "), "{message}");
    // The root itself.
    let root = hex::encode(closed.root());
    let text = String::from_utf8_lossy(&bytes).find(&format!("\"root\":\"{root}")).unwrap();
    let mut forged = bytes;
    forged[text + 8] = if forged[text + 8] == b'0' { b'1' } else { b'0' };
    let message = replay(&repaired(forged)).unwrap_err().to_string();
    assert!(message.starts_with("header, root: the file says "), "{message}");
}
