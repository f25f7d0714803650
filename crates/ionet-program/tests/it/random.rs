//! Random numbers that are the same in every run: a test that fails names its seed and fails again.

/// SplitMix64.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) const fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        word ^ (word >> 31)
    }

    /// Below `end`; 0 when it is 0.
    pub(crate) const fn below(&mut self, end: u64) -> u64 {
        let word = self.word();
        if end == 0 { 0 } else { word % end }
    }

    pub(crate) const fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    pub(crate) fn pick<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u64) as usize]
    }

    /// Of every magnitude alike, often at an end.
    pub(crate) fn amount(&mut self) -> u64 {
        if self.chance(15) {
            return self.pick(&[0, 1, 2, 59, 60, 61, 9_999, 10_000, 10_001, 1 << 63, u64::MAX - 1, u64::MAX]);
        }
        let shift = self.below(64);
        self.word() >> shift
    }

    /// Any time, often at an end.
    pub(crate) fn time(&mut self) -> i64 {
        if self.chance(50) {
            return self.pick(&[i64::MIN, i64::MIN + 1, -1, 0, 1, i64::MAX - 1, i64::MAX]);
        }
        self.amount().cast_signed()
    }
}
