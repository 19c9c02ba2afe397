//! Who is left alone for a while: an account that keeps failing, and whoever asked for it. Nothing of it is kept over a restart, and
//! what follows when nobody else is left is not known here.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use tocsin_domain::id::SecretId;
use tocsin_domain::page::{Outcome, PROVIDER_FAILURES_MAX, PROVIDER_REST_MS, RETRY_WAIT_MS_MAX};
use tokio::time::Instant;

use super::report::Report;
use crate::lock::lock;

/// How long an account is left alone that keeps failing; then one message tries it before the others do.
const REST: Duration = Duration::from_millis(PROVIDER_REST_MS);
/// Accounts of which is remembered how they fare: more than there are places, since they may be changed.
const ACCOUNTS_MAX: usize = 64;
/// Addresses of which is remembered that their servers asked for a wait. Those beyond that are asked themselves.
const ADDRESSES_MAX: usize = 1_024;

/// Whom an attempt goes by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum By {
    /// An account, by what tells it from every other.
    Account(String),
    /// The server that one address has for itself, by the vault row of the address. What it says is about nobody else.
    Address(SecretId),
}

/// Whether somebody is to be left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rest {
    /// No.
    Awake,
    /// It keeps failing: any other is better, and it is better than none.
    Failing,
    /// It asked to be left alone until then.
    Asked(Instant),
}

/// How an account fares.
#[derive(Clone, Copy, Debug, Default)]
struct Health {
    /// Attempts in a row that failed or got no answer.
    failures: u32,
    fails_until: Option<Instant>,
    asks_until: Option<Instant>,
}

#[derive(Default)]
struct Known {
    accounts: BTreeMap<String, Health>,
    /// Until when they asked to be left alone.
    addresses: BTreeMap<SecretId, Instant>,
}

/// How those fare whom messages go by.
#[derive(Default)]
pub(super) struct Rests(Mutex<Known>);

impl Rests {
    fn lock(&self) -> MutexGuard<'_, Known> {
        lock(&self.0)
    }

    /// Whether somebody is to be left alone.
    pub(super) fn rest(&self, by: &By, now: Instant) -> Rest {
        let known = self.lock();
        let (asks_until, fails_until) = match by {
            By::Account(account) => {
                let health = known.accounts.get(account).copied().unwrap_or_default();
                (health.asks_until, health.fails_until)
            }
            By::Address(row) => (known.addresses.get(row).copied(), None),
        };
        let is_later = |until: &Instant| *until > now;
        match (asks_until.filter(is_later), fails_until.filter(is_later)) {
            (Some(until), _) => Rest::Asked(until),
            (None, Some(_)) => Rest::Failing,
            (None, None) => Rest::Awake,
        }
    }

    /// Somebody is tried now. Where an account failed so often that it rested, the others wait for what becomes of that.
    pub(super) fn begins(&self, by: &By, now: Instant) {
        let By::Account(account) = by else {
            return;
        };
        let mut known = self.lock();
        let failing = known.accounts.get_mut(account);
        if let Some(health) = failing.filter(|health| health.failures >= PROVIDER_FAILURES_MAX) {
            health.fails_until = Some(now + REST);
        }
    }

    /// How it went.
    pub(super) fn ended(&self, by: &By, report: &Report, now: Instant) {
        let asked = report.retry_after_ms;
        let asked = asked.map(|ms| now + Duration::from_millis(ms.min(RETRY_WAIT_MS_MAX)));
        let mut known = self.lock();
        match by {
            By::Account(account) => known.account_ended(account, (report.outcome, asked), now),
            By::Address(row) => known.address_asked(*row, asked, now),
        }
    }
}

impl Known {
    fn account_ended(
        &mut self,
        account: &str,
        (outcome, asked): (Outcome, Option<Instant>),
        now: Instant,
    ) {
        match outcome {
            // A refusal is an answer too. What was sent before it asked for a wait says nothing of that.
            Outcome::Accepted | Outcome::Refused => {
                if let Some(health) = self.accounts.get_mut(account) {
                    health.failures = 0;
                    health.fails_until = None;
                }
            }
            Outcome::Failed | Outcome::TimedOut => {
                if self.accounts.len() >= ACCOUNTS_MAX && !self.accounts.contains_key(account) {
                    self.accounts.clear();
                }
                let health = self.accounts.entry(account.to_owned()).or_default();
                health.failures = health.failures.saturating_add(1);
                let keeps_failing = health.failures >= PROVIDER_FAILURES_MAX;
                health.fails_until = keeps_failing.then(|| now + REST);
                health.asks_until = health.asks_until.max(asked);
            }
            Outcome::Unanswered => {}
        }
    }

    fn address_asked(&mut self, row: SecretId, asked: Option<Instant>, now: Instant) {
        let Some(until) = asked else {
            return;
        };
        self.addresses.retain(|_, until| *until > now);
        if self.addresses.len() < ADDRESSES_MAX || self.addresses.contains_key(&row) {
            let known = self.addresses.entry(row).or_insert(until);
            *known = until.max(*known);
        }
    }
}

#[cfg(test)]
mod tests;
