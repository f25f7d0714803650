//! Total network earnings: the value of all work delivered, from the chain's records.

use std::collections::BTreeMap;

use ionet_rules::money::MicroUsd;
use ionet_rules::{RuleError, RuleResult};

use crate::accounts::BookingView;
use crate::address::ClusterId;
use crate::records::{Body, Record};

const DAY_SECS: i64 = 24 * 60 * 60;

/// Value of work delivered, in total, per day and per cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tne {
    /// In total.
    pub total: MicroUsd,
    /// By the day of the work log; the key is the unix second at which the day (UTC) begins.
    pub per_day: BTreeMap<i64, MicroUsd>,
    /// By cluster.
    pub per_cluster: BTreeMap<ClusterId, MicroUsd>,
}

impl Tne {
    /// Sums the work logs among these records; each record must be given once.
    pub fn of<'a>(records: impl IntoIterator<Item = &'a Record>) -> RuleResult<Self> {
        let mut tne = Self::default();
        for record in records {
            tne.add(record)?;
        }
        Ok(tne)
    }

    /// Adds one record; all but work logs count nothing.
    pub fn add(&mut self, record: &Record) -> RuleResult<()> {
        let Body::Worked(body) = &record.body else { return Ok(()) };
        let value = MicroUsd(body.value_micro_usd);
        let day = record.at_unix_secs.div_euclid(DAY_SECS).checked_mul(DAY_SECS).ok_or(RuleError::Overflow)?;
        self.total = self.total.plus(value)?;
        let per_day = self.per_day.entry(day).or_default();
        *per_day = per_day.plus(value)?;
        let per_cluster = self.per_cluster.entry(record.cluster_id).or_default();
        *per_cluster = per_cluster.plus(value)?;
        Ok(())
    }

    /// The same total out of the bookings' own books: what [`Tne::total`] must equal to the base unit.
    pub fn of_bookings<'a>(bookings: impl IntoIterator<Item = &'a BookingView>) -> RuleResult<MicroUsd> {
        bookings.into_iter().try_fold(MicroUsd::ZERO, |sum, booking| sum.plus(booking.book.worked_micro_usd))
    }
}
