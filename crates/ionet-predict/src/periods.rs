//! How time is cut: short periods at first, when most fails, and longer ones later.

/// Where each period ends, minutes since a hire began. Common lengths of hires are among them, so that few are cut in the middle.
const ENDS: [u32; 11] = [30, 60, 120, 240, 480, 1_440, 2_880, 5_760, 10_080, 20_160, 43_200];

/// How many periods there are. After the last one, time goes on in periods like it.
pub(crate) const COUNT: usize = ENDS.len();

/// A stretch of a hire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Period {
    pub(crate) from_minute: u32,
    pub(crate) to_minute: u32,
}

/// All of them.
pub(crate) fn all() -> impl Iterator<Item = Period> {
    ENDS.iter().scan(0, |from, &to_minute| Some(Period { from_minute: std::mem::replace(from, to_minute), to_minute }))
}

impl Period {
    /// How much of it a hire of these minutes holds, in periods: 1 is all of it, and the last one may be held more often.
    pub(crate) fn held(self, minutes: u32) -> f64 {
        let is_last = self.to_minute == ENDS[COUNT - 1];
        let to = if is_last { minutes } else { minutes.min(self.to_minute) };
        f64::from(to.saturating_sub(self.from_minute)) / f64::from(self.to_minute - self.from_minute)
    }

    /// The logarithm of its middle.
    pub(crate) fn ln_minutes(self) -> f64 {
        (f64::from(self.from_minute) / 2.0 + f64::from(self.to_minute) / 2.0).ln()
    }
}
