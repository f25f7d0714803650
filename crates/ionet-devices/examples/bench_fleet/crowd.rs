//! Many devices: with real keys and signed heartbeats, or only with names where memory is all that is asked.

use ed25519_dalek::SigningKey;
use ionet_types::agent::{Heartbeat, Load, Session};

/// The moment at which everything begins, unix seconds.
pub(crate) const START: i64 = 1_800_000_000;

/// One device, and its heartbeat.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Device {
    pub(crate) key: [u8; 32],
    pub(crate) session: Session,
    pub(crate) heartbeat: Heartbeat,
}

/// All of them.
pub(crate) struct Crowd {
    pub(crate) devices: Vec<Device>,
}

impl Crowd {
    /// Devices with keys, each with one signed heartbeat; made by so many threads.
    pub(crate) fn signed(devices: usize, threads: usize) -> Self {
        let share = devices.div_ceil(threads);
        let parts = std::thread::scope(|scope| {
            let make = |part: usize| scope.spawn(move || (part * share..((part + 1) * share).min(devices)).map(device).collect::<Vec<_>>());
            let running: Vec<_> = (0..threads).map(make).collect();
            running.into_iter().map(|thread| thread.join().expect("making devices does not panic")).collect::<Vec<_>>()
        });
        Self { devices: parts.concat() }
    }
}

fn device(number: usize) -> Device {
    let signer = SigningKey::from_bytes(&bytes(number as u64));
    let key = signer.verifying_key().to_bytes();
    let session = Session::new("bench", "nonce", &key);
    let load = Load { cpu_permille: 100, ..Load::default() };
    Device { key, session, heartbeat: Heartbeat::sign(&signer, &session, 1, 1, START, load) }
}

/// A device's name and session, not its key.
pub(crate) fn stranger(number: usize) -> ([u8; 32], Session) {
    (bytes(number as u64), Session(bytes(!(number as u64))))
}

/// Puts things into a random order, always the same.
pub(crate) fn shuffle<T>(things: &mut [T]) {
    for last in (1..things.len()).rev() {
        let chosen = mixed(last as u64) % (last as u64 + 1);
        things.swap(last, usize::try_from(chosen).expect("below a length"));
    }
}

fn bytes(number: u64) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (word, place) in bytes.chunks_exact_mut(8).enumerate() {
        place.copy_from_slice(&mixed(number.wrapping_mul(4).wrapping_add(word as u64)).to_le_bytes());
    }
    bytes
}

/// splitmix64.
fn mixed(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}
