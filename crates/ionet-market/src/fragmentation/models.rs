//! Sets of device models, by the caller's numbers.

/// Models that a request accepts, or that a fleet has. A model is a number below 256 that the caller gives it; where there are more models,
/// rare ones may share a number, which only blurs the forecast.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Models([u64; 4]);

impl Models {
    /// All of them: the request does not care.
    pub const ANY: Self = Self([u64::MAX; 4]);

    /// Whether the model is in the set.
    pub const fn has(&self, model: u8) -> bool {
        self.0[(model >> 6) as usize] & (1 << (model & 63)) != 0
    }
}

impl FromIterator<u8> for Models {
    fn from_iter<I: IntoIterator<Item = u8>>(models: I) -> Self {
        let mut set = Self([0; 4]);
        for model in models {
            set.0[usize::from(model >> 6)] |= 1 << (model & 63);
        }
        set
    }
}
