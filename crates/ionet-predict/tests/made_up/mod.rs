//! Networks made up from a seed.

use ionet_predict::{Class, Features, Hire, Outcome};

/// Small, fast and the same everywhere.
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    /// Even, from 0 to 1.
    pub(crate) fn next(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub(crate) fn below(&mut self, most: f64) -> u32 {
        (self.next() * most) as u32
    }
}

/// Minutes that customers of a mixed network hire for.
pub(crate) const LENGTHS: &[u32] = &[60, 120, 480, 1_440, 4_320, 10_080, 43_200];
const DAY_SECS: i64 = 86_400;

/// Hires over so many days; `hazard` gives the chance to fail of a device in an hour, from how it stands and from the day.
pub(crate) fn network(hires: u32, days: f64, lengths: &[u32], seed: u64, hazard: impl Fn(&Features, f64) -> f64) -> Vec<Hire> {
    let mut chance = Chance(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    (0..hires)
        .map(|_| {
            let day = chance.next() * days;
            let bad = chance.next().powi(3);
            let features = Features {
                reputation: (900.0 - 600.0 * bad + 100.0 * chance.next()) as u16,
                uptime_30d_bps: (10_000.0 - 2_500.0 * bad * chance.next()) as u16,
                failures_30d: chance.below(1.0 + 8.0 * bad),
                failures_7d: chance.below(1.0 + 3.0 * bad),
                age_days: chance.below(700.0),
                hour_of_week: (day * 24.0) as u8 % 168,
                tier: chance.below(5.0) as u8,
                class: [Class::Cpu, Class::Consumer, Class::Workstation, Class::DataCentre][chance.below(4.0) as usize],
            };
            let minutes = lengths[chance.below(lengths.len() as f64) as usize];
            let lasts = -(1.0 - chance.next()).ln() / hazard(&features, day) * 60.0;
            let ends_early = chance.next() < 0.15;
            let ended = 1 + chance.below(f64::from(minutes - 1));
            let outcome = match ends_early {
                true if f64::from(ended) <= lasts => Outcome::Ended { after_minutes: ended },
                _ if lasts < f64::from(minutes) => Outcome::Failed { after_minutes: lasts as u32 },
                _ => Outcome::Served,
            };
            Hire { started_at_unix_secs: (day * DAY_SECS as f64) as i64, minutes, features, outcome }
        })
        .collect()
}

/// Devices that failed before fail again, home machines more than data centres.
pub(crate) fn telling(features: &Features) -> f64 {
    let class = match features.class {
        Class::Consumer => 3.0,
        Class::Cpu | Class::Workstation => 1.5,
        Class::DataCentre => 0.4,
    };
    0.0006 * class * (1.0 + f64::from(features.failures_30d)) * (1.0 + f64::from(10_000 - features.uptime_30d_bps) / 500.0)
}
