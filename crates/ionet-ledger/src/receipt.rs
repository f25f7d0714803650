//! A cluster's receipt: its records, and the check that they and the booking tell the same story to the base unit.

use ionet_rules::booking::Status;
use ionet_rules::money::{Currency, MicroUsd};

use crate::accounts::BookingView;
use crate::address::ClusterId;
use crate::error::LedgerError;
use crate::ledger::Ledger;
use crate::records::{Body, Record};

/// How often a booking that moves on while it is read is read again.
const ATTEMPTS: usize = 8;

/// What happened to a cluster's money.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The booking.
    pub booking: BookingView,
    /// Every record of it, by number.
    pub records: Vec<Record>,
    /// The sums of the records, and whether they agree with the booking.
    pub balance: Balance,
}

/// Sums over a cluster's records, base units of the booking's currency unless another is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Balance {
    /// Currency of the booking.
    pub currency: Currency,
    /// Paid in, extensions included.
    pub paid: u128,
    /// Value of the work logged.
    pub worked: u128,
    /// Given back to the customer.
    pub refunded: u128,
    /// Fees and rounding dust taken by the treasury.
    pub fees: u128,
    /// What the booking says is still in escrow.
    pub escrow: u128,
    /// USDC converted into IO.
    pub repurchased_in: u128,
    /// IO received for it.
    pub repurchased_out: u128,
    /// IO earned.
    pub earned: u128,
    /// Value of the work logged, micro-USD.
    pub worked_micro_usd: u128,
    /// Everything that does not agree; empty when the books balance.
    pub mismatches: Vec<Mismatch>,
}

/// Two numbers that should be one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// What they count, `snake_case`.
    pub what: &'static str,
    /// As the records say.
    pub records: u128,
    /// As the booking says.
    pub booking: u128,
}

impl Balance {
    /// Whether paid = worked + refunded + fees + escrow, and records and booking agree in everything.
    pub fn is_ok(&self) -> bool {
        self.mismatches.is_empty()
    }

    fn of(booking: &BookingView, records: &[Record]) -> Self {
        let book = &booking.book;
        let escrow = book.escrow().map_or(0, |escrow| escrow.0);
        let mut sums = Self {
            currency: booking.currency,
            paid: 0,
            worked: 0,
            refunded: 0,
            fees: 0,
            escrow: u128::from(escrow),
            repurchased_in: 0,
            repurchased_out: 0,
            earned: 0,
            worked_micro_usd: 0,
            mismatches: Vec::new(),
        };
        let mut counts = Counts::default();
        for (record, number) in records.iter().zip(0u32..) {
            sums.expect("record_number", record.number, number);
            sums.expect("record_currency", record.currency as u8, booking.currency as u8);
            sums.add(record, &mut counts);
        }
        let total = u128::from(book.cost.0).saturating_add(u128::from(book.fees.0));
        sums.expect("records", counts.all, booking.records);
        sums.expect("total", counts.total, total);
        sums.expect("payments", counts.payments, book.payments);
        sums.expect("extensions", counts.extensions, book.extensions);
        sums.expect("logs", counts.logs, book.logs);
        sums.expect("repurchases", counts.repurchases, book.repurchases);
        sums.expect("earns", counts.earns, book.earns);
        sums.expect("device_minutes", counts.device_minutes, book.device_minutes_worked);
        sums.expect("supplier_paid", counts.supplier, book.supplier_paid.0);
        sums.expect("dust", counts.dust, book.dust.0);
        sums.expect("paid", sums.paid, book.paid.0);
        sums.expect("worked", sums.worked, book.worked.0);
        sums.expect("worked_micro_usd", sums.worked_micro_usd, book.worked_micro_usd.0);
        sums.expect("refunded", sums.refunded, book.refunded.0);
        sums.expect("fees", sums.fees, book.fees_taken.0);
        sums.expect("repurchased_in", sums.repurchased_in, book.repurchased_in.0);
        sums.expect("repurchased_out", sums.repurchased_out, book.repurchased_out.0);
        sums.expect("earned", sums.earned, book.earned.0);
        let status = records.last().map_or(Status::Booked, |record| record.status);
        sums.expect("status", status as u8, booking.status as u8);
        sums.expect("balance", sums.worked + sums.refunded + sums.fees + sums.escrow, sums.paid);
        sums
    }

    fn expect(&mut self, what: &'static str, records: impl Into<u128>, booking: impl Into<u128>) {
        let (records, booking) = (records.into(), booking.into());
        if records != booking {
            self.mismatches.push(Mismatch { what, records, booking });
        }
    }

    fn add(&mut self, record: &Record, counts: &mut Counts) {
        counts.all += 1;
        match &record.body {
            Body::BookProduct(body) => {
                counts.total = u128::from(body.total);
                self.expect("booked_total", u128::from(body.cost) + u128::from(body.fees), body.total);
            }
            Body::Pay(body) => {
                self.paid += u128::from(body.amount);
                self.expect("payment_number", body.sequence, counts.payments);
                self.expect("paid_so_far", self.paid, body.paid);
                counts.payments += 1;
            }
            Body::Start(body) => self.fees += u128::from(body.fees),
            Body::Extend(body) => {
                self.paid += u128::from(body.amount);
                self.fees += u128::from(body.fees);
                self.expect("extension_number", body.sequence, counts.extensions);
                counts.total = u128::from(body.total);
                counts.extensions += 1;
            }
            Body::Worked(body) => {
                self.worked += u128::from(body.value);
                self.worked_micro_usd += u128::from(body.value_micro_usd);
                self.fees += u128::from(body.dust);
                self.expect("log_number", body.sequence, counts.logs);
                self.expect("worked_parts", u128::from(body.supplier) + u128::from(body.rest), body.value);
                counts.logs += 1;
                counts.device_minutes += u128::from(body.device_minutes);
                counts.supplier += u128::from(body.supplier);
                counts.dust += u128::from(body.dust);
            }
            Body::Refund(body) => {
                self.refunded += u128::from(body.amount);
                self.fees += u128::from(body.dust);
                counts.dust += u128::from(body.dust);
            }
            Body::Repurchase(body) => {
                self.repurchased_in += u128::from(body.amount_in);
                self.repurchased_out += u128::from(body.amount_out);
                self.expect("repurchase_number", body.sequence, counts.repurchases);
                counts.repurchases += 1;
            }
            Body::Earn(body) => {
                self.earned += u128::from(body.amount);
                let parts = u128::from(body.burned) + u128::from(body.incentives) + u128::from(body.treasury);
                self.expect("earned_parts", parts, body.amount);
                self.expect("earning_number", body.sequence, counts.earns);
                counts.earns += 1;
            }
            Body::Expire(body) => self.refunded += u128::from(body.amount),
        }
    }
}

/// What is counted beside the sums that a receipt shows.
#[derive(Default)]
struct Counts {
    all: u32,
    payments: u32,
    extensions: u32,
    logs: u32,
    repurchases: u32,
    earns: u32,
    total: u128,
    device_minutes: u128,
    supplier: u128,
    dust: u128,
}

impl Receipt {
    /// Adds up the records and compares them with the booking.
    pub fn new(booking: BookingView, records: Vec<Record>) -> Self {
        let balance = Balance::of(&booking, &records);
        Self { booking, records, balance }
    }

    /// The cluster's total network earnings, micro-USD.
    pub fn earnings(&self) -> MicroUsd {
        self.booking.book.worked_micro_usd
    }
}

impl Ledger {
    /// The receipt of a cluster, booking and records of the same moment.
    pub async fn receipt(&self, cluster_id: &ClusterId) -> Result<Receipt, LedgerError> {
        let mut attempt = 0;
        loop {
            attempt += 1;
            let records = self.records_of(cluster_id).await?;
            let booking = self.expect_booking(cluster_id).await?;
            let receipt = Receipt::new(booking, records);
            // A step was taken between the two looks.
            let moved = receipt.records.len() != receipt.booking.records as usize;
            if !moved || attempt >= ATTEMPTS {
                return Ok(receipt);
            }
        }
    }
}
