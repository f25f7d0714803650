//! Who writes how often: a sliding minute for each actor and endpoint, in memory.
//!
//! In April 2024 somebody rewrote the records of a network's devices through its own interface, and the spike of writes was seen an hour
//! late. Here the request that goes over the bound raises the alarm itself, and everything after it is refused until the minute is over.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use ionet_store::NewAudit;
use ionet_types::audit::{Actor, AuditAction};
use ionet_types::problem::Code;
use serde_json::json;

use crate::Hub;
use crate::error::HubResult;

/// Length of a window, seconds.
const WINDOW_SECS: i64 = 60;
/// Most windows that are kept; beyond, all that are not known yet share one.
const MAX_WINDOWS: usize = 100_000;
/// Name of the window that is shared.
const OTHERS: &str = "others";

/// What there is to do about one more write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Nothing.
    Fine,
    /// It is over the bound, for the first time in this window: tell somebody.
    Alarm,
    /// It is over the bound, and somebody was told.
    Throttled,
}

/// One actor at one endpoint.
#[derive(Debug, Clone, Copy, Default)]
struct Window {
    number: i64,
    count: u32,
    /// Count of the window before.
    before: u32,
    alarmed: bool,
}

impl Window {
    /// Goes on to the window of this moment.
    fn advance(&mut self, number: i64) {
        if number != self.number {
            let before = if number == self.number + 1 { self.count } else { 0 };
            *self = Self { number, count: 0, before, alarmed: self.alarmed && before > 0 };
        }
    }

    /// Writes in the sixty seconds up to this moment, taking those of the window before as evenly spread.
    fn sliding(&self, now_unix_secs: i64) -> u64 {
        let left = u64::try_from(WINDOW_SECS - now_unix_secs.rem_euclid(WINDOW_SECS)).unwrap_or_default();
        u64::from(self.count) + u64::from(self.before) * left / WINDOW_SECS.unsigned_abs()
    }
}

/// The windows of all actors.
#[derive(Debug)]
pub(crate) struct WriteWatch {
    per_minute: u32,
    windows: Mutex<HashMap<(String, String), Window>>,
}

impl WriteWatch {
    /// Nobody has written yet.
    pub(crate) fn new(per_minute: u32) -> Self {
        Self { per_minute: per_minute.max(1), windows: Mutex::default() }
    }

    /// Counts one write. What is refused counts as well: only a pause ends it.
    pub(crate) fn count(&self, who: &str, endpoint: &str, now_unix_secs: i64) -> Verdict {
        let number = now_unix_secs.div_euclid(WINDOW_SECS);
        // No code under this lock leaves the windows half changed.
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let mut key = (who.to_owned(), endpoint.to_owned());
        if windows.len() >= MAX_WINDOWS && !windows.contains_key(&key) {
            windows.retain(|_, window| window.number + 1 >= number);
            if windows.len() >= MAX_WINDOWS {
                key = (OTHERS.to_owned(), endpoint.to_owned());
            }
        }
        let window = windows.entry(key).or_default();
        window.advance(number);
        window.count = window.count.saturating_add(1);
        let over = window.sliding(now_unix_secs) > u64::from(self.per_minute);
        match (over, window.alarmed) {
            (false, _) => {
                window.alarmed = false;
                Verdict::Fine
            }
            (true, true) => Verdict::Throttled,
            (true, false) => {
                window.alarmed = true;
                Verdict::Alarm
            }
        }
    }
}

/// Who asks for a change, as far as is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writer {
    /// Somebody who proved who it is.
    Known(Actor),
    /// Somebody at a network address.
    Address(IpAddr),
}

impl Writer {
    fn name(self) -> String {
        match self {
            Self::Known(actor) => actor.to_string(),
            Self::Address(address) => format!("address:{address}"),
        }
    }

    fn actor(self) -> Actor {
        match self {
            Self::Known(actor) => actor,
            Self::Address(_) => Actor::Network,
        }
    }
}

impl Hub {
    /// Counts one request to change something; refuses it when its sender asks far too often, and raises the alarm the first time.
    pub async fn write_counted(&self, writer: Writer, endpoint: &str) -> HubResult<()> {
        let now_unix_secs = self.clock().now_unix_secs();
        match self.agents().0.writes.count(&writer.name(), endpoint, now_unix_secs) {
            Verdict::Fine => return Ok(()),
            Verdict::Throttled => {}
            Verdict::Alarm => self.agents().0.write_alarm(writer, endpoint, now_unix_secs).await,
        }
        Err(Code::WriteRateExceeded.into())
    }

    /// Takes down that a request to change something was refused. A flood of refusals is taken down in part only: the log is for people.
    pub async fn write_refused(&self, writer: Writer, address: IpAddr, endpoint: &str, code: &str) {
        let detail = json!({ "code": code, "address": address.to_string() });
        self.agents().0.refusal(writer, AuditAction::WriteRefused, endpoint, detail).await;
    }
}

impl crate::agents::Shared {
    /// Tells people and the audit log that somebody writes far too often.
    pub(crate) async fn write_alarm(&self, writer: Writer, endpoint: &str, now_unix_secs: i64) {
        let who = writer.name();
        tracing::warn!(who, endpoint, per_minute = self.writes.per_minute, "alarm.write_rate");
        let detail = json!({ "who": who, "per_minute": self.writes.per_minute });
        let (actor, subject) = (writer.actor(), endpoint.to_owned());
        let entry = NewAudit { actor, action: AuditAction::WriteRateAlarm, subject, concerns: None, detail };
        if let Err(error) = self.store.audit_append(&entry, now_unix_secs).await {
            tracing::error!(error = &error as &dyn std::error::Error, "an alarm could not be written into the audit log");
        }
    }

    /// Takes down a refusal, unless very many are.
    pub(crate) async fn refusal(&self, writer: Writer, action: AuditAction, subject: &str, detail: serde_json::Value) {
        let now_unix_secs = self.clock.now_unix_secs();
        let noted = self.refusals.count(&writer.name(), "", now_unix_secs) == Verdict::Fine
            && self.all_refusals.count(OTHERS, "", now_unix_secs) == Verdict::Fine;
        if !noted {
            return;
        }
        let entry = NewAudit { actor: writer.actor(), action, subject: subject.to_owned(), concerns: None, detail };
        if let Err(error) = self.store.audit_append(&entry, now_unix_secs).await {
            tracing::error!(error = &error as &dyn std::error::Error, "a refusal could not be written into the audit log");
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_alarm_is_raised_once_and_ends_with_a_pause() {
        let watch = WriteWatch::new(10);
        let verdicts = |from: i64, n: usize| (0..n).map(|_| watch.count("a", "x", from)).collect::<Vec<_>>();
        assert_eq!(verdicts(0, 10), [Verdict::Fine; 10]);
        assert_eq!(verdicts(1, 3), [Verdict::Alarm, Verdict::Throttled, Verdict::Throttled]);
        assert_eq!(watch.count("b", "x", 1), Verdict::Fine, "each actor for itself");
        assert_eq!(watch.count("a", "y", 1), Verdict::Fine, "each endpoint for itself");
        // A minute later the older writes still count in part.
        assert_eq!(watch.count("a", "x", 61), Verdict::Throttled);
        assert_eq!(watch.count("a", "x", 115), Verdict::Fine);
        assert_eq!(verdicts(300, 11)[10], Verdict::Alarm, "a new flood is a new alarm");
    }

    proptest! {
        #[test]
        fn no_minute_holds_much_more_than_the_bound(pauses in prop::collection::vec(0_i64..20, 1..400)) {
            let watch = WriteWatch::new(20);
            let mut now = 1_000;
            let mut taken: Vec<i64> = Vec::new();
            for pause in pauses {
                now += pause;
                if watch.count("a", "x", now) == Verdict::Fine {
                    taken.push(now);
                }
                // Evenly spread is an approximation: two bounds in any minute are never passed.
                prop_assert!(taken.iter().filter(|at| **at > now - WINDOW_SECS).count() <= 40);
            }
            // Whoever writes rarely is never refused.
            let calm = WriteWatch::new(20);
            prop_assert!((0..200).all(|n| calm.count("a", "x", n * 4) == Verdict::Fine));
        }
    }
}
