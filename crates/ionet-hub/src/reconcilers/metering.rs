//! Writes work logs: after each 24 hours of running, and at the end. All by the chain's clock.

use ionet_rules::RuleResult;
use ionet_rules::booking::{Booking, End, Status, WorkLog};
use ionet_rules::worklog::{self, EndReason, LOG_PERIOD_MINUTES};
use ionet_store::{ClusterRow, Outage};

use super::{Open, all};
use crate::Hub;
use crate::error::HubResult;

pub(super) async fn reconcile(hub: &Hub) -> HubResult<()> {
    let now_unix_secs = hub.ledger().chain_now_unix_secs().await?;
    all(hub.open_clusters().await?.into_iter().map(|cluster| write_logs(hub, cluster, now_unix_secs))).await
}

/// Writes all logs of a cluster that are due, one after the other.
async fn write_logs(hub: &Hub, mut cluster: Open, now_unix_secs: i64) -> HubResult<()> {
    loop {
        let intent = intent(&cluster.row);
        let Some(due) = due(&cluster.booking.book, intent, now_unix_secs)? else { return Ok(()) };
        let id = cluster.row.offer.id;
        let outages = hub.store().outages(id).await?;
        let log = WorkLog {
            sequence: due.sequence,
            device_minutes: delivered(&cluster.booking.book, &due, &outages, now_unix_secs),
            end: due.end,
        };
        let outcome = hub.ledger().worked(&hub.options().operator, &cluster.booking.cluster_id, &log).await?;
        hub.stepped(&cluster, "worked", outcome);
        cluster.booking = hub.ledger().expect_booking(&cluster.booking.cluster_id).await?;
    }
}

/// How and when the cluster is to end before its time, if it is.
pub fn intent(row: &ClusterRow) -> Option<End> {
    let customer = row.terminate_at_unix_secs.map(|at_unix_secs| End { reason: EndReason::CustomerEnded, at_unix_secs });
    let network = row.failed_at_unix_secs.map(|at_unix_secs| End { reason: EndReason::NetworkFailed, at_unix_secs });
    // What came first counts.
    customer.into_iter().chain(network).min_by_key(|end| end.at_unix_secs)
}

/// A log that can be written now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// Number of the log.
    pub sequence: u32,
    /// Most device-minutes that it may claim.
    pub limit: u64,
    /// How the cluster ends with it, if it does.
    pub end: Option<End>,
}

/// The next log of a cluster, if it is due.
pub fn due(book: &Booking, intent: Option<End>, now_unix_secs: i64) -> RuleResult<Option<Due>> {
    let log = |end| Ok(Some(Due { sequence: book.logs, limit: book.log_limit(end, now_unix_secs)?, end }));
    match (book.status()?, intent) {
        // It never ran: whoever ended it, nothing was delivered and everything goes back.
        (Status::Paid, Some(end)) => {
            return log(Some(End { reason: EndReason::NetworkFailed, at_unix_secs: end.at_unix_secs.min(now_unix_secs) }));
        }
        (Status::Running, _) => {}
        _ => return Ok(None),
    }
    let started = book.started_at_unix_secs;
    let Some(period) = worklog::period(book.logs, book.minutes_hired) else { return Ok(None) };
    let hired_until = started.saturating_add(i64::from(book.minutes_hired).saturating_mul(60));
    if let Some(End { reason, at_unix_secs }) = intent {
        // A period that was logged in full cannot be taken back.
        let period_start = started.saturating_add(i64::from(period.from_minute).saturating_mul(60));
        let at_unix_secs = at_unix_secs.max(period_start).min(now_unix_secs);
        let billable = worklog::billable_minutes(reason, at_unix_secs.saturating_sub(started), book.minutes_hired);
        if (period_start..hired_until).contains(&at_unix_secs) && billable <= period.to_minute {
            return log(Some(End { reason, at_unix_secs }));
        }
    }
    if now_unix_secs < started.saturating_add(period.over_after_secs()) {
        return Ok(None);
    }
    log(period.last.then_some(End { reason: EndReason::HiredTimeOver, at_unix_secs: hired_until }))
}

/// Device-minutes delivered in a log's period: all that it may claim, less the time that nodes were out, in whole minutes for the customer.
pub fn delivered(book: &Booking, due: &Due, outages: &[Outage], now_unix_secs: i64) -> u64 {
    let minutes = due.limit / u64::from(book.quantity.max(1));
    let from_minute = i64::from(due.sequence.saturating_mul(LOG_PERIOD_MINUTES));
    let from = book.started_at_unix_secs.saturating_add(from_minute.saturating_mul(60));
    let to = from.saturating_add(i64::try_from(minutes).unwrap_or(i64::MAX).saturating_mul(60));
    let out: u64 = outages
        .iter()
        .map(|outage| {
            let until = outage.to_unix_secs.unwrap_or(now_unix_secs).min(to);
            let secs = until.saturating_sub(outage.from_unix_secs.max(from));
            u64::try_from(secs).unwrap_or(0).div_ceil(60)
        })
        .sum();
    due.limit.saturating_sub(out)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use ionet_rules::booking::{HardwareKind, Offer};
    use ionet_rules::money::{Currency, MicroUsd, Units};
    use ionet_rules::params::Params;
    use proptest::prelude::*;

    use super::*;

    const STARTED: i64 = 10_000;

    fn running(quantity: u32, minutes: u32) -> Booking {
        let offer = Offer {
            currency: Currency::Usdc,
            hardware: HardwareKind::Cpu,
            quantity,
            minutes,
            rate: Units(115_000),
            rate_micro_usd: MicroUsd(115_000),
            valid_until_unix_secs: STARTED,
        };
        let mut book = Booking::book(&offer, &Params::DEFAULT, STARTED).unwrap();
        book.pay(0, book.due().unwrap(), &Params::DEFAULT, STARTED).unwrap();
        book.start(STARTED).unwrap();
        book
    }

    fn write_all(book: &mut Booking, intent: Option<End>, outages: &[Outage], now: i64) -> u32 {
        let mut logs = 0;
        while let Some(due) = due(book, intent, now).unwrap() {
            let device_minutes = delivered(book, &due, outages, now);
            book.work(&WorkLog { sequence: due.sequence, device_minutes, end: due.end }, &Params::DEFAULT, now).unwrap();
            logs += 1;
        }
        logs
    }

    #[test]
    fn three_hours_are_logged_once_and_two_days_twice() {
        let mut short = running(2, 180);
        assert_eq!(write_all(&mut short, None, &[], STARTED + 180 * 60 - 1), 0);
        assert_eq!(write_all(&mut short, None, &[], STARTED + 180 * 60), 1);
        assert_eq!((short.status().unwrap(), short.device_minutes_worked), (Status::Ended, 360));

        let mut long = running(1, 48 * 60);
        assert_eq!(write_all(&mut long, None, &[], STARTED + 24 * 3_600), 1);
        assert_eq!(long.status().unwrap(), Status::Running);
        assert_eq!(write_all(&mut long, None, &[], STARTED + 48 * 3_600), 1);
        assert_eq!((long.status().unwrap(), long.device_minutes_worked), (Status::Ended, 48 * 60));
        // A hub that was away for all of it catches up.
        assert_eq!(write_all(&mut running(1, 48 * 60), None, &[], STARTED + 90 * 3_600), 2);
    }

    #[test]
    fn time_out_is_not_charged() {
        let mut book = running(2, 120);
        let outages = [
            Outage { node: 1, from_unix_secs: STARTED + 600, to_unix_secs: Some(STARTED + 1_201) },
            Outage { node: 0, from_unix_secs: STARTED + 119 * 60, to_unix_secs: None },
        ];
        write_all(&mut book, None, &outages, STARTED + 130 * 60);
        assert_eq!(book.device_minutes_worked, 240 - 11 - 1);
    }

    #[test]
    fn what_never_ran_goes_back_whole() {
        let mut book = running(1, 60);
        book.started_at_unix_secs = 0;
        book.status = Status::Paid as u8;
        book.fees_taken = Units::ZERO;
        let end = End { reason: EndReason::CustomerEnded, at_unix_secs: STARTED + 5 };
        assert_eq!(write_all(&mut book, Some(end), &[], STARTED + 6), 1);
        assert_eq!(book.refund_amount().unwrap(), book.paid);
    }

    proptest! {
        /// However late the hub looks and whenever it ends, all logs can be written, and nothing is left to write.
        #[test]
        fn every_cluster_comes_to_its_end(
            quantity in 1_u32..5,
            minutes in 1_u32..6_000,
            ended_after in 0_i64..400_000,
            network: bool,
            looks in prop::collection::vec(0_i64..100_000, 0..12),
        ) {
            let mut book = running(quantity, minutes);
            let reason = if network { EndReason::NetworkFailed } else { EndReason::CustomerEnded };
            let end = End { reason, at_unix_secs: STARTED + ended_after };
            let mut now = STARTED;
            for look in looks {
                now += look;
                let intent = (now >= end.at_unix_secs).then_some(end);
                write_all(&mut book, intent, &[], now);
            }
            write_all(&mut book, Some(end), &[], now.max(end.at_unix_secs));
            prop_assert_eq!(book.status().unwrap(), Status::Ended);
            if ended_after < i64::from(minutes) * 60 && !network {
                prop_assert!(book.device_minutes_worked >= u64::from(quantity * minutes.min(60)));
            }
        }
    }
}
