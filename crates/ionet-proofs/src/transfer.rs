//! The bytes of a timed transfer and their digest. What a device downloads follows from a seed that it does not know, so the digest shows
//! that all of it arrived; what it uploads follows from the ticket's seed, and the hub compares the digest of what came. Who measures the time
//! is the hub.

use std::io::{self, Read};

use blake3::{Hasher, OutputReader};
use ionet_types::agent::challenge::{Digest, Fixed, Nonce};

/// Bytes that are best read at a time.
pub const CHUNK_BYTES: usize = 64 << 10;

/// The bytes of one transfer, as long as it is.
pub struct Stream {
    bytes: OutputReader,
    left: u64,
}

/// Digest of received bytes, in whatever pieces they come.
#[derive(Clone, Debug)]
pub struct Digester {
    hasher: Hasher,
    received: u64,
}

/// `bytes` bytes that follow from `seed` and cannot be compressed.
pub fn stream(seed: &Nonce, bytes: u64) -> Stream {
    let key = Hasher::new_derive_key("ionet proofs 2026-11 transfer v1").update(&seed.0).finalize();
    Stream { bytes: Hasher::new_keyed(key.as_bytes()).finalize_xof(), left: bytes }
}

/// Digest of all the bytes of a stream: what the other side must report.
pub fn digest(seed: &Nonce, bytes: u64) -> Digest {
    let mut digester = Digester::default();
    stream(seed, bytes).for_each(|chunk| digester.update(&chunk));
    digester.digest()
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let now = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        self.bytes.fill(&mut buffer[..now]);
        self.left -= now as u64;
        Ok(now)
    }
}

/// Chunks of [`CHUNK_BYTES`], the last one shorter.
impl Iterator for Stream {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        let now = usize::try_from(self.left).unwrap_or(usize::MAX).min(CHUNK_BYTES);
        (now > 0).then(|| {
            let mut chunk = vec![0; now];
            self.bytes.fill(&mut chunk);
            self.left -= now as u64;
            chunk
        })
    }
}

impl Default for Digester {
    fn default() -> Self {
        Self { hasher: Hasher::new_derive_key("ionet proofs 2026-11 transfer digest v1"), received: 0 }
    }
}

impl Digester {
    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
        self.received += bytes.len() as u64;
    }

    /// How many came.
    pub fn received(&self) -> u64 {
        self.received
    }

    /// The digest of what came.
    pub fn digest(&self) -> Digest {
        Fixed(*self.hasher.finalize().as_bytes())
    }
}

/// Network bandwidth of a transfer in Mbps, the round trip not counted.
pub fn mbps(bytes: u64, elapsed_ms: u64, rtt_ms: u32) -> u32 {
    let ms = elapsed_ms.saturating_sub(rtt_ms.min(crate::terms::MAX_RTT_MS).into()).max(1);
    u32::try_from(bytes.saturating_mul(8) / (ms * 1_000)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn the_bytes_are_the_same_however_they_are_read(seed in any::<[u8; 32]>(), bytes in 0u64..200_000, piece in 1usize..70_000) {
            let seed = Fixed(seed);
            let chunks: Vec<u8> = stream(&seed, bytes).flatten().collect();
            let mut read = Vec::new();
            stream(&seed, bytes).read_to_end(&mut read).unwrap();
            prop_assert_eq!(&chunks, &read);
            prop_assert_eq!(chunks.len() as u64, bytes);
            let mut digester = Digester::default();
            read.chunks(piece).for_each(|piece| digester.update(piece));
            prop_assert_eq!(digester.digest(), digest(&seed, bytes));
            prop_assert_eq!(digester.received(), bytes);
            if let Some(last) = read.last_mut() {
                *last ^= 1;
                let mut digester = Digester::default();
                digester.update(&read);
                prop_assert_ne!(digester.digest(), digest(&seed, bytes));
            }
            let mut other = seed;
            other.0[31] ^= 1;
            prop_assert!(bytes < 8 || stream(&other, bytes).flatten().ne(chunks));
        }
    }

    #[test]
    fn bandwidth_is_what_was_moved_in_the_time_without_the_round_trip() {
        assert_eq!(mbps(125_000_000, 1_000, 0), 1_000);
        assert_eq!(mbps(125_000_000, 1_040, 40), 1_000);
        assert_eq!(mbps(125_000_000, 10_000, u32::MAX), 111, "no device wins more than a second by a slow round trip");
        assert_eq!(mbps(0, 0, 0), 0);
    }
}
