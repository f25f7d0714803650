//! One cluster's booking: its terms, its money and its steps (docs/economy.md, section 1).
//!
//! [`Booking`] is stored on chain as these bytes. Each step is a method that checks the rule, changes the books and returns what is to be
//! moved between vaults; the program moves exactly that. A step that is refused changes nothing: steps work on a copy and commit at the end.

use bytemuck::Zeroable;

use crate::fees::{self, EarnSplit};
use crate::money::{Currency, Io, MINUTES_PER_HOUR, MicroUsd, Units, Usdc, mul_div_down, mul_div_up};
use crate::params::Params;
use crate::pool::{self, Reserves};
use crate::worklog::{self, EndReason, LOG_PERIOD_MINUTES};
use crate::{RuleError, RuleResult, stored};

mod terms;

pub use terms::{End, Extended, ExtensionPrice, HardwareKind, Offer, Refunded, Status, WorkLog, Worked};

/// Most devices in one booking.
pub const MAX_QUANTITY: u32 = 100_000;
/// Longest hired time, minutes: ten years.
pub const MAX_MINUTES: u32 = 10 * 365 * 24 * 60;
/// Highest rate, base units or micro-USD per device-hour: a million dollars at 8 decimals.
pub const MAX_RATE: u64 = 100_000_000_000_000;

stored! {
    /// A cluster's terms, money and clock. All amounts without another type are in the booking's own currency.
    ///
    /// At all times: `paid = worked + refunded + fees_taken + escrow()`.
    pub struct Booking {
        /// Base units per device-hour, locked at booking.
        pub rate: Units,
        /// Micro-USD per device-hour, locked at booking.
        pub rate_micro_usd: MicroUsd,
        /// Compute cost of all hired minutes, rounded up.
        pub cost: Units,
        /// The customer's fees on the cost.
        pub fees: Units,
        /// All that was paid in.
        pub paid: Units,
        /// Fees (and dust) taken out of escrow to the treasury.
        pub fees_taken: Units,
        /// Part of `fees_taken` that is rounding dust.
        pub dust: Units,
        /// Value of the work logged.
        pub worked: Units,
        /// The same value in micro-USD: this cluster's total network earnings.
        pub worked_micro_usd: MicroUsd,
        /// All that went back to the customer.
        pub refunded: Units,
        /// Part of `worked` moved to the payable vault for suppliers.
        pub supplier_paid: Units,
        /// Part of `worked` that waits for `repurchase` (USDC bookings).
        pub rest_due: Units,
        /// Network fee within `rest_due`.
        pub rest_fee_due: Units,
        /// USDC converted so far.
        pub repurchased_in: Usdc,
        /// IO received for it.
        pub repurchased_out: Io,
        /// IO that waits for `earn`.
        pub earn_due: Io,
        /// Network fee within `earn_due`.
        pub earn_fee_due: Io,
        /// IO earned so far (burned, incentives and treasury together).
        pub earned: Io,
        /// Device-minutes of work logged.
        pub device_minutes_worked: u64,
        /// When it was booked, unix seconds.
        pub booked_at_unix_secs: i64,
        /// Until when the next payment must come, unix seconds.
        pub pay_by_unix_secs: i64,
        /// When it started running, unix seconds; 0 before.
        pub started_at_unix_secs: i64,
        /// When it ended, unix seconds; 0 before.
        pub ended_at_unix_secs: i64,
        /// Devices.
        pub quantity: u32,
        /// Hired minutes of each device.
        pub minutes_hired: u32,
        /// Payments made; the next one must carry this number. Likewise below.
        pub payments: u32,
        /// Extensions made.
        pub extensions: u32,
        /// Work logs written.
        pub logs: u32,
        /// Repurchases made.
        pub repurchases: u32,
        /// Earnings made.
        pub earns: u32,
        /// [`Currency`].
        pub currency: u8,
        /// [`HardwareKind`].
        pub hardware: u8,
        /// [`Status`].
        pub status: u8,
        /// [`EndReason`], 0 while not ended.
        pub end_reason: u8,
        /// 1 when nothing is left to refund: refunded, or worked to the end.
        pub closed: u8,
        /// Unused, zero.
        pub reserved: [u8; 7],
    }
}

const _: () = assert!(size_of::<Booking>() == 23 * 8 + 7 * 4 + 4 + 8);

/// Compute cost of `device_minutes` at `rate` per device-hour, rounded up: a charge.
pub fn compute_cost(device_minutes: u64, rate: Units) -> RuleResult<Units> {
    mul_div_up(device_minutes, rate.0, MINUTES_PER_HOUR).map(Units)
}

/// Value of `device_minutes` at `rate` per device-hour, rounded down: a payout.
pub fn compute_value(device_minutes: u64, rate: Units) -> RuleResult<Units> {
    mul_div_down(device_minutes, rate.0, MINUTES_PER_HOUR).map(Units)
}

/// Refuses hired time whose value in dollars cannot be counted: its work could never be logged, and the money would stay in escrow.
fn countable_in_dollars(device_minutes: u64, rate: MicroUsd) -> RuleResult<()> {
    mul_div_down(device_minutes, rate.0, MINUTES_PER_HOUR).map(drop)
}

fn device_minutes(quantity: u32, minutes: u32) -> u64 {
    // Two 32-bit factors always fit.
    u64::from(quantity).saturating_mul(u64::from(minutes))
}

impl Booking {
    /// Accepts an offer: the rate is locked, the cost and fees are due within the payment window.
    pub fn book(offer: &Offer, params: &Params, now: i64) -> RuleResult<Self> {
        if offer.quantity == 0 || offer.quantity > MAX_QUANTITY {
            return Err(RuleError::QuantityOutOfRange);
        }
        if offer.minutes == 0 || offer.minutes > MAX_MINUTES {
            return Err(RuleError::MinutesOutOfRange);
        }
        let rates = [offer.rate.0, offer.rate_micro_usd.0];
        if rates.iter().any(|rate| *rate == 0 || *rate > MAX_RATE) {
            return Err(RuleError::RateOutOfRange);
        }
        if offer.currency == Currency::Usdc && rates[0] != rates[1] {
            return Err(RuleError::RateOutOfRange);
        }
        if now > offer.valid_until_unix_secs {
            return Err(RuleError::QuoteExpired);
        }
        let hired = device_minutes(offer.quantity, offer.minutes);
        let cost = compute_cost(hired, offer.rate)?;
        let fees = fees::customer_fees(cost, offer.currency, params)?;
        cost.plus(fees)?;
        countable_in_dollars(hired, offer.rate_micro_usd)?;
        let booking = Self {
            rate: offer.rate,
            rate_micro_usd: offer.rate_micro_usd,
            cost,
            fees,
            booked_at_unix_secs: now,
            pay_by_unix_secs: now.saturating_add(i64::from(params.payment_window_secs)),
            quantity: offer.quantity,
            minutes_hired: offer.minutes,
            currency: offer.currency as u8,
            hardware: offer.hardware as u8,
            status: Status::Booked as u8,
            ..Self::zeroed()
        };
        booking.check()?;
        Ok(booking)
    }

    /// Where the booking stands.
    pub fn status(&self) -> RuleResult<Status> {
        Status::from_u8(self.status)
    }

    /// What it is paid in.
    pub fn currency(&self) -> RuleResult<Currency> {
        Currency::from_u8(self.currency)
    }

    /// Why it ended; `None` while it has not.
    pub fn end_reason(&self) -> RuleResult<Option<EndReason>> {
        EndReason::from_u8(self.end_reason)
    }

    /// Cost plus fees: what the customer pays in all.
    pub fn total(&self) -> RuleResult<Units> {
        self.cost.plus(self.fees)
    }

    /// What is still to be paid.
    pub fn due(&self) -> RuleResult<Units> {
        self.total()?.minus(self.paid)
    }

    /// What the cluster's escrow holds.
    pub fn escrow(&self) -> RuleResult<Units> {
        self.paid.minus(self.worked)?.minus(self.refunded)?.minus(self.fees_taken)
    }

    /// All that the vault of the booking's own currency owes because of this booking: escrow, what waits for repurchase, and for an IO
    /// booking what waits to be earned.
    pub fn vault_liability(&self) -> RuleResult<Units> {
        let own = self.escrow()?.plus(self.rest_due)?;
        match self.currency()? {
            Currency::Usdc => Ok(own),
            Currency::Io => own.plus(Units(self.earn_due.0)),
        }
    }

    /// What the IO vault owes because of this booking.
    pub fn io_liability(&self) -> RuleResult<Io> {
        match self.currency()? {
            Currency::Usdc => Ok(self.earn_due),
            Currency::Io => self.vault_liability()?.io(Currency::Io),
        }
    }

    /// Hired device-minutes.
    pub fn device_minutes_hired(&self) -> u64 {
        device_minutes(self.quantity, self.minutes_hired)
    }

    /// When the hired time is over, unix seconds; `None` before the start.
    pub fn hired_until_unix_secs(&self) -> Option<i64> {
        (self.started_at_unix_secs != 0).then(|| self.started_at_unix_secs.saturating_add(i64::from(self.minutes_hired).saturating_mul(60)))
    }

    /// Whether all money of this booking has come to rest: nothing in escrow, nothing to convert or to earn.
    pub fn is_settled(&self) -> bool {
        matches!(self.status(), Ok(Status::Ended | Status::Expired))
            && self.escrow() == Ok(Units::ZERO)
            && self.rest_due.is_zero()
            && self.earn_due.is_zero()
    }

    /// One payment; `sequence` is the number of payments before it. Restarts the payment window.
    pub fn pay(&mut self, sequence: u32, amount: Units, params: &Params, now: i64) -> RuleResult<()> {
        let mut next = *self;
        if !matches!(self.status()?, Status::Booked | Status::PartiallyPaid) {
            return Err(RuleError::NotPayable);
        }
        if now > self.pay_by_unix_secs {
            return Err(RuleError::PaymentWindowOver);
        }
        if sequence != self.payments {
            return Err(RuleError::WrongSequence);
        }
        if amount.is_zero() {
            return Err(RuleError::ZeroAmount);
        }
        if amount > self.due()? {
            return Err(RuleError::Overpayment);
        }
        next.paid = self.paid.plus(amount)?;
        next.payments = count_up(self.payments)?;
        next.pay_by_unix_secs = now.saturating_add(i64::from(params.payment_window_secs));
        next.status = if next.due()?.is_zero() { Status::Paid } else { Status::PartiallyPaid } as u8;
        self.commit(next)
    }

    /// The cluster runs from `now`: the customer's fees are earned. Returns them.
    pub fn start(&mut self, now: i64) -> RuleResult<Units> {
        let mut next = *self;
        if self.status()? != Status::Paid || now <= 0 {
            return Err(RuleError::NotStartable);
        }
        next.status = Status::Running as u8;
        next.started_at_unix_secs = now;
        next.fees_taken = self.fees_taken.plus(self.fees)?;
        self.commit(next)?;
        Ok(self.fees)
    }

    /// What extending by `minutes` costs: cost and fees grow in proportion, at the original rate.
    pub fn extension_price(&self, minutes: u32, params: &Params) -> RuleResult<ExtensionPrice> {
        let minutes_hired = self.minutes_hired.checked_add(minutes).ok_or(RuleError::MinutesOutOfRange)?;
        if minutes == 0 || minutes_hired > MAX_MINUTES {
            return Err(RuleError::MinutesOutOfRange);
        }
        let hired = device_minutes(self.quantity, minutes_hired);
        countable_in_dollars(hired, self.rate_micro_usd)?;
        let cost = compute_cost(hired, self.rate)?.minus(self.cost)?;
        // Parameters may have changed since the booking: the fees on the added cost are those of today.
        let fees = fees::customer_fees(cost, self.currency()?, params)?;
        Ok(ExtensionPrice { cost, fees, total: cost.plus(fees)? })
    }

    /// Extends a paid or running cluster by `minutes`, paid at once with `amount`, which must be the extension's price.
    pub fn extend(&mut self, sequence: u32, minutes: u32, amount: Units, params: &Params, now: i64) -> RuleResult<Extended> {
        let mut next = *self;
        let running = match self.status()? {
            Status::Paid => false,
            Status::Running if self.hired_until_unix_secs().is_some_and(|until| now < until) => true,
            _ => return Err(RuleError::NotExtendable),
        };
        if sequence != self.extensions {
            return Err(RuleError::WrongSequence);
        }
        let price = self.extension_price(minutes, params)?;
        if amount > price.total {
            return Err(RuleError::Overpayment);
        }
        if amount < price.total {
            return Err(RuleError::NotPayable);
        }
        next.minutes_hired = self.minutes_hired.checked_add(minutes).ok_or(RuleError::MinutesOutOfRange)?;
        next.cost = self.cost.plus(price.cost)?;
        next.fees = self.fees.plus(price.fees)?;
        next.paid = self.paid.plus(amount)?;
        next.extensions = count_up(self.extensions)?;
        let fees = if running { price.fees } else { Units::ZERO };
        next.fees_taken = self.fees_taken.plus(fees)?;
        self.commit(next)?;
        Ok(Extended { paid: amount, fees })
    }

    /// The most device-minutes the next log may claim, were it written at `now` with this `end`; refused when it is not due.
    pub fn log_limit(&self, end: Option<End>, now: i64) -> RuleResult<u64> {
        match (self.status()?, end) {
            (Status::Running, _) => {}
            (Status::Paid, Some(End { reason: EndReason::NetworkFailed, at_unix_secs })) => {
                // It never started: nothing was delivered, and it failed between the booking and now.
                let possible = self.booked_at_unix_secs <= at_unix_secs && at_unix_secs <= now;
                return if possible { Ok(0) } else { Err(RuleError::WorkTooEarly) };
            }
            _ => return Err(RuleError::NotRunning),
        }
        let started = self.started_at_unix_secs;
        let from_minute = self.logs.checked_mul(LOG_PERIOD_MINUTES).ok_or(RuleError::Overflow)?;
        let scheduled = worklog::period(self.logs, self.minutes_hired).ok_or(RuleError::NotRunning)?;
        let to_minute = match end {
            None | Some(End { reason: EndReason::HiredTimeOver, .. }) => {
                if scheduled.last != end.is_some() || now < started.saturating_add(scheduled.over_after_secs()) {
                    return Err(RuleError::WorkTooEarly);
                }
                scheduled.to_minute
            }
            Some(End { reason, at_unix_secs }) => {
                let period_start = started.saturating_add(i64::from(from_minute).saturating_mul(60));
                if at_unix_secs > now || at_unix_secs < period_start {
                    return Err(RuleError::WorkTooEarly);
                }
                let billable = worklog::billable_minutes(reason, at_unix_secs.saturating_sub(started), self.minutes_hired);
                if billable > scheduled.to_minute {
                    // An earlier period is over and must be logged first.
                    return Err(RuleError::WrongSequence);
                }
                billable.max(from_minute)
            }
        };
        Ok(device_minutes(self.quantity, to_minute.saturating_sub(from_minute)))
    }

    /// Writes a work log; with `log.end` the last one. Its value leaves escrow: the supplier part for the payable vault, the rest for
    /// repurchase or earning.
    pub fn work(&mut self, log: &WorkLog, params: &Params, now: i64) -> RuleResult<Worked> {
        let mut next = *self;
        if log.sequence != self.logs && matches!(self.status()?, Status::Running | Status::Paid | Status::Ended) {
            return Err(RuleError::WrongSequence);
        }
        if log.device_minutes > self.log_limit(log.end, now)? {
            return Err(RuleError::WorkTooLarge);
        }
        let currency = self.currency()?;
        let minutes_worked = self.device_minutes_worked.checked_add(log.device_minutes).ok_or(RuleError::Overflow)?;
        // Cumulative values, so that the logs of a cluster sum to the value of all its minutes.
        let worked = compute_value(minutes_worked, self.rate)?;
        let worked_micro_usd = MicroUsd(mul_div_down(minutes_worked, self.rate_micro_usd.0, MINUTES_PER_HOUR)?);
        let value = worked.minus(self.worked)?;
        let value_micro_usd = worked_micro_usd.minus(self.worked_micro_usd)?;
        let split = fees::split_worked(value, currency, params)?;
        next.device_minutes_worked = minutes_worked;
        next.worked = worked;
        next.worked_micro_usd = worked_micro_usd;
        next.supplier_paid = self.supplier_paid.plus(split.supplier)?;
        next.logs = count_up(self.logs)?;
        match currency {
            Currency::Usdc => {
                next.rest_due = self.rest_due.plus(split.rest)?;
                next.rest_fee_due = self.rest_fee_due.plus(split.network_fee.min(split.rest))?;
            }
            Currency::Io => {
                next.earn_due = self.earn_due.plus(split.rest.io(currency)?)?;
                next.earn_fee_due = self.earn_fee_due.plus(split.network_fee.min(split.rest).io(currency)?)?;
            }
        }
        let mut dust = Units::ZERO;
        if let Some(end) = log.end {
            next.status = Status::Ended as u8;
            next.end_reason = end.reason as u8;
            next.ended_at_unix_secs = match (end.reason, self.hired_until_unix_secs()) {
                (EndReason::HiredTimeOver, Some(until)) => until,
                (_, until) => until.map_or(end.at_unix_secs, |until| end.at_unix_secs.min(until)),
            };
            if minutes_worked == next.device_minutes_hired() {
                dust = next.close()?;
            }
        }
        self.commit(next)?;
        Ok(Worked { value, value_micro_usd, supplier: split.supplier, rest: split.rest, dust })
    }

    /// What a refund would give back now: everything when it never started, else the unused minutes at the original rate.
    pub fn refund_amount(&self) -> RuleResult<Units> {
        if self.status()? != Status::Ended || self.closed != 0 {
            return Err(RuleError::NotRefundable);
        }
        if self.started_at_unix_secs == 0 {
            return self.escrow();
        }
        let unused = self.device_minutes_hired().checked_sub(self.device_minutes_worked).ok_or(RuleError::Overflow)?;
        compute_value(unused, self.rate)
    }

    /// Refunds an ended cluster, once.
    pub fn refund(&mut self) -> RuleResult<Refunded> {
        let mut next = *self;
        let amount = self.refund_amount()?;
        next.refunded = self.refunded.plus(amount)?;
        let dust = next.close()?;
        self.commit(next)?;
        Ok(Refunded { amount, dust })
    }

    /// Expires a booking that was not paid in time. Returns what goes back to the customer: all that was paid.
    pub fn expire(&mut self, now: i64) -> RuleResult<Units> {
        let mut next = *self;
        if !matches!(self.status()?, Status::Booked | Status::PartiallyPaid) {
            return Err(RuleError::NotPayable);
        }
        if now <= self.pay_by_unix_secs {
            return Err(RuleError::PaymentWindowOpen);
        }
        next.status = Status::Expired as u8;
        next.refunded = self.paid;
        next.ended_at_unix_secs = now;
        next.closed = 1;
        self.commit(next)?;
        Ok(self.refunded)
    }

    /// Converts what waits into IO, in the protocol's pool, guarded by the oracle's `price`. Returns USDC in and IO out.
    pub fn repurchase(&mut self, sequence: u32, reserves: Reserves, price: MicroUsd, params: &Params) -> RuleResult<(Usdc, Io)> {
        let mut next = *self;
        if sequence != self.repurchases {
            return Err(RuleError::WrongSequence);
        }
        let usdc_in = self.rest_due.usdc(self.currency()?)?;
        if usdc_in.is_zero() {
            return Err(RuleError::NothingDue);
        }
        let io_out = pool::guarded_swap(reserves, usdc_in, price, params.pool_guard_bps)?;
        let fee = Io(mul_div_down(io_out.0, self.rest_fee_due.0, self.rest_due.0)?);
        next.rest_due = Units::ZERO;
        next.rest_fee_due = Units::ZERO;
        next.repurchased_in = self.repurchased_in.plus(usdc_in)?;
        next.repurchased_out = self.repurchased_out.plus(io_out)?;
        next.earn_due = self.earn_due.plus(io_out)?;
        next.earn_fee_due = self.earn_fee_due.plus(fee)?;
        next.repurchases = count_up(self.repurchases)?;
        self.commit(next)?;
        Ok((usdc_in, io_out))
    }

    /// Sends the IO that waits to where it belongs. Returns the whole amount and its parts.
    pub fn earn(&mut self, sequence: u32, params: &Params) -> RuleResult<(Io, EarnSplit)> {
        let mut next = *self;
        if sequence != self.earns {
            return Err(RuleError::WrongSequence);
        }
        if self.earn_due.is_zero() {
            return Err(RuleError::NothingDue);
        }
        let split = fees::split_earned(self.earn_due, self.earn_fee_due, params)?;
        next.earned = self.earned.plus(self.earn_due)?;
        next.earn_due = Io::ZERO;
        next.earn_fee_due = Io::ZERO;
        next.earns = count_up(self.earns)?;
        let amount = self.earn_due;
        self.commit(next)?;
        Ok((amount, split))
    }

    /// Closes the escrow: what rounding left goes to the treasury.
    fn close(&mut self) -> RuleResult<Units> {
        let dust = self.escrow()?;
        self.fees_taken = self.fees_taken.plus(dust)?;
        self.dust = self.dust.plus(dust)?;
        self.closed = 1;
        Ok(dust)
    }

    fn commit(&mut self, next: Self) -> RuleResult<()> {
        next.check()?;
        *self = next;
        Ok(())
    }

    /// The invariant, checked after every step. A booking that fails it is refused as a whole.
    pub fn check(&self) -> RuleResult<()> {
        let status = self.status()?;
        let currency = self.currency()?;
        let escrow = self.escrow()?;
        let rest = self.worked.minus(self.supplier_paid)?;
        let rest_done = match currency {
            Currency::Usdc => self.rest_due.plus(Units(self.repurchased_in.0))?,
            Currency::Io => Units(self.earn_due.plus(self.earned)?.0),
        };
        let io_in = match currency {
            Currency::Usdc => self.repurchased_out,
            Currency::Io => rest.io(currency)?,
        };
        let due_zero = self.paid == self.total()?;
        let status_fits = match status {
            Status::Booked => self.paid.is_zero(),
            Status::PartiallyPaid => !self.paid.is_zero() && !due_zero,
            Status::Paid => due_zero && self.started_at_unix_secs == 0,
            Status::Running => due_zero && self.started_at_unix_secs != 0 && self.closed == 0,
            Status::Ended => due_zero && self.end_reason()?.is_some(),
            Status::Expired => escrow.is_zero() && self.closed == 1,
        };
        let balanced = rest == rest_done
            && io_in == self.earn_due.plus(self.earned)?
            && self.rest_fee_due <= self.rest_due
            && self.earn_fee_due <= self.earn_due
            && self.dust <= self.fees_taken
            && self.device_minutes_worked <= self.device_minutes_hired()
            && (self.closed == 0 || escrow.is_zero())
            && self.reserved == [0; 7];
        if status_fits && balanced { Ok(()) } else { Err(RuleError::BooksDoNotBalance) }
    }
}

fn count_up(count: u32) -> RuleResult<u32> {
    count.checked_add(1).ok_or(RuleError::Overflow)
}
