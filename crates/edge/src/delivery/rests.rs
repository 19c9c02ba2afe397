//! Which accounts of a channel that has several are left alone for a while, because they kept failing or asked for it. Nothing of it
//! is kept over a restart, and what follows when all of them rest is not known here.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use tocsin_domain::page::{Outcome, PROVIDER_FAILURES_MAX, PROVIDER_REST_MS, RETRY_WAIT_MS_MAX};
use tokio::time::Instant;

use super::report::Report;
use crate::lock::lock;

/// How long an account is left alone that keeps failing; then one message tries it before the others do.
const REST: Duration = Duration::from_millis(PROVIDER_REST_MS);
/// Accounts of which is remembered how they fare: more than there are places, since they may be changed.
const REMEMBERED_MAX: usize = 64;

/// How an account fares.
#[derive(Clone, Copy, Debug, Default)]
struct Health {
    /// Attempts in a row that failed or got no answer.
    failures: u32,
    rests_until: Option<Instant>,
}

/// How the accounts fare, by what tells one from another.
#[derive(Default)]
pub(super) struct Rests(Mutex<BTreeMap<String, Health>>);

impl Rests {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Health>> {
        lock(&self.0)
    }

    /// Whether an account is to be left alone.
    pub(super) fn rests(&self, account: &str, now: Instant) -> bool {
        let known = self.lock();
        let until = known.get(account).and_then(|health| health.rests_until);
        until.is_some_and(|until| now < until)
    }

    /// An account is tried now. Where it failed so often that it rested, the others wait for what becomes of that.
    pub(super) fn begins(&self, account: &str, now: Instant) {
        let mut known = self.lock();
        let failing = known
            .get_mut(account)
            .filter(|health| health.failures >= PROVIDER_FAILURES_MAX);
        if let Some(health) = failing {
            health.rests_until = Some(now + REST);
        }
    }

    /// How it went by an account.
    pub(super) fn ended(&self, account: &str, report: &Report, now: Instant) {
        let mut known = self.lock();
        match report.outcome {
            // A refusal is an answer too.
            Outcome::Accepted | Outcome::Refused => {
                known.remove(account);
            }
            Outcome::Failed | Outcome::TimedOut => {
                if known.len() >= REMEMBERED_MAX && !known.contains_key(account) {
                    known.clear();
                }
                let health = known.entry(account.to_owned()).or_default();
                health.failures = health.failures.saturating_add(1);
                let asked_ms = report.retry_after_ms.unwrap_or_default();
                let mut wait = Duration::from_millis(asked_ms.min(RETRY_WAIT_MS_MAX));
                if health.failures >= PROVIDER_FAILURES_MAX {
                    wait = wait.max(REST);
                }
                health.rests_until = Some(now + wait);
            }
            Outcome::Unanswered => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "a";
    const SECOND: Duration = Duration::from_secs(1);

    fn fail(rests: &Rests, times: u32, now: Instant) {
        for _ in 0..times {
            rests.ended(A, &Report::failed("no"), now);
        }
    }

    #[test]
    fn an_account_that_keeps_failing_rests_and_then_one_message_tries_it() {
        let (rests, start) = (Rests::default(), Instant::now());
        fail(&rests, PROVIDER_FAILURES_MAX - 1, start);
        assert!(!rests.rests(A, start));
        rests.ended(A, &Report::new(Outcome::TimedOut, "silence"), start);
        assert!(rests.rests(A, start) && !rests.rests("b", start));
        assert!(rests.rests(A, start + REST - SECOND));
        let later = start + REST;
        assert!(!rests.rests(A, later));
        rests.begins(A, later);
        assert!(
            rests.rests(A, later),
            "the others wait for what becomes of it"
        );
        rests.ended(A, &Report::accepted("yes"), later);
        assert!(!rests.rests(A, later));
        fail(&rests, PROVIDER_FAILURES_MAX - 1, later);
        assert!(!rests.rests(A, later), "it is counted anew");
    }

    #[test]
    fn a_trial_of_which_nothing_is_heard_is_followed_by_another() {
        let (rests, start) = (Rests::default(), Instant::now());
        fail(&rests, PROVIDER_FAILURES_MAX, start);
        rests.begins(A, start + REST);
        assert!(rests.rests(A, start + REST * 2 - SECOND));
        assert!(!rests.rests(A, start + REST * 2));
    }

    #[test]
    fn an_account_is_left_alone_for_as_long_as_it_asks_and_no_longer_than_a_minute() {
        let (rests, now) = (Rests::default(), Instant::now());
        let check = |asked_ms: u64, expected_ms: u64| {
            rests.ended(A, &Report::accepted("yes"), now);
            let limited = Report {
                retry_after_ms: Some(asked_ms),
                ..Report::failed("too many")
            };
            rests.ended(A, &limited, now);
            let until = now + Duration::from_millis(expected_ms);
            let before = until.checked_sub(Duration::from_millis(1)).unwrap_or(now);
            assert!(expected_ms == 0 || rests.rests(A, before), "{asked_ms}");
            assert!(!rests.rests(A, until), "{asked_ms}");
        };
        check(0, 0);
        check(20_000, 20_000);
        check(3_600_000, RETRY_WAIT_MS_MAX);
    }

    #[test]
    fn a_refusal_is_an_answer() {
        let (rests, now) = (Rests::default(), Instant::now());
        fail(&rests, PROVIDER_FAILURES_MAX - 1, now);
        rests.ended(A, &Report::refused("no"), now);
        fail(&rests, 1, now);
        assert!(!rests.rests(A, now));
    }
}
