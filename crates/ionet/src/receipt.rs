//! A cluster's receipt: every on-chain record with its amounts, and the balance, added up here once more from the records alone.

use ionet_types::money::decimal;
use ionet_types::transactions::{Receipt, Record, RecordBody};
use ionet_types::{Currency, Money};
use serde::{Deserialize, Serialize};

use crate::output::{name_of, short, table_with_amounts, usd};

/// The balance as this client adds it up, and whether the network's own agrees.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckedBalance {
    /// Paid in by the customer.
    pub paid: Money,
    /// Value of the work logged.
    pub worked: Money,
    /// Returned to the customer.
    pub refunded: Money,
    /// Customer's fees and rounding dust.
    pub fees: Money,
    /// Still in escrow.
    pub escrow: Money,
    /// `paid = worked + refunded + fees + escrow` to the base unit, in the records as in the network's books.
    pub ok: bool,
}

/// Adds up the records and compares the sums with the network's books.
pub fn check(receipt: &Receipt) -> CheckedBalance {
    let mut sums = Sums::default();
    let own_currency = receipt.records.iter().all(|record| record.currency == receipt.currency && sums.add(&record.body, receipt.currency));
    // Each record of the booking is there once, in order: none can have been left out.
    let complete = receipt
        .records
        .iter()
        .zip(0..)
        .all(|(record, number): (_, u32)| record.record == number && record.cluster_id == receipt.cluster_id);
    let books = &receipt.balance;
    let same = [(&books.paid, sums.paid), (&books.worked, sums.worked), (&books.refunded, sums.refunded), (&books.fees, sums.fees)]
        .into_iter()
        .all(|(book, sum)| book.currency == receipt.currency && u128::from(book.base_units.0) == sum);
    let out = sums.worked + sums.refunded + sums.fees + u128::from(books.escrow.base_units.0);
    CheckedBalance {
        paid: books.paid.clone(),
        worked: books.worked.clone(),
        refunded: books.refunded.clone(),
        fees: books.fees.clone(),
        escrow: books.escrow.clone(),
        ok: books.ok && own_currency && complete && same && sums.paid == out,
    }
}

#[derive(Default)]
struct Sums {
    paid: u128,
    worked: u128,
    refunded: u128,
    fees: u128,
}

impl Sums {
    /// Counts one record; `false` when an amount is in another currency than the booking's.
    fn add(&mut self, body: &RecordBody, currency: Currency) -> bool {
        let mut count = |sum: fn(&mut Self) -> &mut u128, amount: &Money| {
            *sum(self) += u128::from(amount.base_units.0);
            amount.currency == currency
        };
        match body {
            RecordBody::Pay { amount, .. } => count(|sums| &mut sums.paid, amount),
            RecordBody::Start { fees } => count(|sums| &mut sums.fees, fees),
            RecordBody::Extend { amount, fees, .. } => count(|sums| &mut sums.paid, amount) & count(|sums| &mut sums.fees, fees),
            RecordBody::Worked { value, dust, .. } => count(|sums| &mut sums.worked, value) & count(|sums| &mut sums.fees, dust),
            RecordBody::Refund { amount, dust } => count(|sums| &mut sums.refunded, amount) & count(|sums| &mut sums.fees, dust),
            RecordBody::Expire { amount } => count(|sums| &mut sums.refunded, amount),
            // What leaves a customer's escrow by these was counted as work before.
            RecordBody::BookProduct { .. } | RecordBody::Repurchase { .. } | RecordBody::Earn { .. } => true,
        }
    }
}

/// The receipt for a person, with the balance in its last line.
pub fn render(receipt: &Receipt, balance: &CheckedBalance) -> String {
    let rows = receipt.records.iter().map(|record| {
        let (amount, detail) = describe(&record.body);
        vec![record.record.to_string(), record.body.kind().name().to_owned(), amount, detail, short(&record.signature.to_string())]
    });
    let status = if receipt.settled { "settled".to_owned() } else { format!("{}, not settled yet", receipt.status.name()) };
    format!(
        "receipt of cluster {} ({status})\n{}\n{}",
        receipt.cluster_id,
        table_with_amounts(&["#", "record", "amount", "", "transaction"], &[2], rows),
        balance_line(balance),
    )
}

/// `paid X = worked Y + refunded Z + fees W  ok`.
pub fn balance_line(balance: &CheckedBalance) -> String {
    let number = |money: &Money| decimal(money.base_units.0, money.currency.decimals());
    let escrow = if balance.escrow.base_units.0 == 0 { String::new() } else { format!(" + escrow {}", number(&balance.escrow)) };
    format!(
        "balance: paid {} = worked {} + refunded {} + fees {}{escrow}  {}",
        balance.paid.display,
        number(&balance.worked),
        number(&balance.refunded),
        number(&balance.fees),
        if balance.ok { "ok" } else { "WRONG" },
    )
}

/// A record's amount and what else it says.
pub fn describe(body: &RecordBody) -> (String, String) {
    match body {
        RecordBody::BookProduct { hardware, quantity, minutes, rate, cost, fees, total, .. } => (
            total.display.clone(),
            format!(
                "{quantity} x {} for {minutes} min at {} an hour: cost {} + fees {}",
                hardware.name(),
                rate.display,
                amount(cost),
                amount(fees)
            ),
        ),
        RecordBody::Pay { amount: paid_now, paid, total, .. } => {
            (paid_now.display.clone(), format!("{} of {} paid", amount(paid), amount(total)))
        }
        RecordBody::Start { fees } => (fees.display.clone(), "fees to the treasury; the hired time begins".to_owned()),
        RecordBody::Extend { amount: paid, minutes, total, .. } => {
            (paid.display.clone(), format!("{minutes} min more, total now {}", amount(total)))
        }
        RecordBody::Worked { device_minutes, value, value_micro_usd, supplier, rest, end_reason, .. } => {
            let end = end_reason.map(|reason| format!("; {}", name_of(&reason).replace('_', " "))).unwrap_or_default();
            (
                value.display.clone(),
                format!(
                    "{device_minutes} device-minutes, {}: suppliers {}, rest {}{end}",
                    usd(*value_micro_usd),
                    amount(supplier),
                    amount(rest)
                ),
            )
        }
        RecordBody::Refund { amount, .. } => (amount.display.clone(), "unused time, back to the customer".to_owned()),
        RecordBody::Repurchase { amount_in, amount_out, price_micro_usd, .. } => {
            (amount_in.display.clone(), format!("swapped into {} (oracle: {} an IO)", amount_out.display, usd(*price_micro_usd)))
        }
        RecordBody::Earn { amount: earned, burned, incentives, treasury, .. } => {
            (earned.display.clone(), format!("burned {}, incentives {}, treasury {}", amount(burned), amount(incentives), amount(treasury)))
        }
        RecordBody::Expire { amount } => (amount.display.clone(), "not paid in time; back to the customer".to_owned()),
    }
}

fn amount(money: &Money) -> String {
    decimal(money.base_units.0, money.currency.decimals())
}

/// One line for a list of records from many clusters.
pub fn row(record: &Record) -> Vec<String> {
    let (amount, detail) = describe(&record.body);
    vec![
        crate::output::moment(record.at_unix_secs),
        record.cluster_id.to_string(),
        record.body.kind().name().to_owned(),
        amount,
        detail,
        record.signature.to_string(),
    ]
}

#[cfg(test)]
mod tests;
