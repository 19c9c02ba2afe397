//! Whether the buttons in messages are heard: since when somebody listens at a provider, or since when nobody does, and why. It listens
//! to nothing, and nothing of it is kept over a restart.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use tocsin_domain::time::Timestamp;

use super::account::Provider;
use crate::lock::lock;

/// After so long it is told, and messages carry no button any more. What is opened anew is deaf for a moment.
const GRACE_MS: u64 = 30_000;

/// Whether somebody listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Hearing {
    /// Yes.
    Heard {
        /// Since when.
        since: Timestamp,
    },
    /// No.
    Deaf {
        /// Since when.
        since: Timestamp,
        /// Why.
        why: String,
    },
}

/// How it is at one provider.
#[derive(Default)]
struct Ear {
    hears_since: Option<Timestamp>,
    /// Since when nobody was let in, and why the last time.
    deaf: Option<(Timestamp, String)>,
}

impl Ear {
    fn is_deaf(&self, now: Timestamp) -> bool {
        let deaf = self.deaf.as_ref();
        deaf.is_some_and(|(since, _)| now.ms_since(*since) >= GRACE_MS)
    }

    fn hearing(&self, now: Timestamp) -> Option<Hearing> {
        let heard = self.hears_since.map(|since| Hearing::Heard { since });
        let deaf = self.deaf.as_ref().filter(|_| self.is_deaf(now));
        let deaf = deaf.map(|(since, why)| Hearing::Deaf {
            since: *since,
            why: why.clone(),
        });
        deaf.or(heard)
    }
}

/// How it is at each provider at which somebody is to listen.
#[derive(Default)]
pub(crate) struct Ears(Mutex<BTreeMap<Provider, Ear>>);

impl Ears {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<Provider, Ear>> {
        lock(&self.0)
    }

    /// Somebody listens there.
    pub(crate) fn hear(&self, provider: Provider, now: Timestamp) {
        let mut ears = self.lock();
        let ear = ears.entry(provider).or_default();
        // What was deaf for a moment only goes on as before.
        let before = ear.hears_since.filter(|_| !ear.is_deaf(now));
        *ear = Ear {
            hears_since: Some(before.unwrap_or(now)),
            deaf: None,
        };
    }

    /// Nobody listens there, since that went wrong.
    pub(crate) fn miss(&self, provider: Provider, now: Timestamp, why: &str) {
        let mut ears = self.lock();
        let ear = ears.entry(provider).or_default();
        let since = ear.deaf.as_ref().map_or(now, |(since, _)| *since);
        ear.deaf = Some((since, why.to_owned()));
    }

    /// Nobody is to listen there, or by another account.
    pub(crate) fn forget(&self, provider: Provider) {
        self.lock().remove(&provider);
    }

    /// How it is there; none while nobody is to listen, or has been let in or turned away yet.
    pub(crate) fn hearing(&self, provider: Provider, now: Timestamp) -> Option<Hearing> {
        self.lock().get(&provider)?.hearing(now)
    }

    /// Whether a button would be pressed in vain.
    pub(crate) fn are_deaf(&self, provider: Provider, now: Timestamp) -> bool {
        let ears = self.lock();
        ears.get(&provider).is_some_and(|ear| ear.is_deaf(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SLACK: Provider = Provider::Slack;
    const START: Timestamp = Timestamp::from_millis(1_795_417_200_000);

    fn heard(since: Timestamp) -> Option<Hearing> {
        Some(Hearing::Heard { since })
    }

    #[test]
    fn what_is_opened_anew_within_the_grace_was_heard_all_the_time() {
        let (ears, later) = (Ears::default(), START.plus_ms(60_000));
        assert_eq!(ears.hearing(SLACK, START), None);
        ears.hear(SLACK, START);
        ears.miss(SLACK, later, "it was closed");
        let reopened = later.plus_ms(GRACE_MS - 1);
        assert_eq!(ears.hearing(SLACK, reopened), heard(START));
        assert!(!ears.are_deaf(SLACK, reopened));
        ears.hear(SLACK, reopened);
        let long_after = reopened.plus_ms(GRACE_MS);
        assert_eq!(ears.hearing(SLACK, long_after), heard(START));
    }

    #[test]
    fn who_is_turned_away_for_longer_is_deaf_since_the_first_time_until_it_is_let_in() {
        let (ears, since) = (Ears::default(), START);
        ears.miss(SLACK, since, "timeout");
        let later = since.plus_ms(GRACE_MS);
        assert_eq!(ears.hearing(SLACK, since), None, "nobody knows yet");
        ears.miss(SLACK, later, "invalid_auth");
        let why = "invalid_auth".to_owned();
        let deaf = Some(Hearing::Deaf { since, why });
        assert_eq!(ears.hearing(SLACK, later), deaf);
        assert!(ears.are_deaf(SLACK, later));
        assert!(!ears.are_deaf(Provider::Telegram, later));
        ears.hear(SLACK, later);
        assert_eq!(ears.hearing(SLACK, later), heard(later));
    }

    #[test]
    fn what_nobody_is_to_hear_is_neither_heard_nor_missed() {
        let ears = Ears::default();
        ears.miss(SLACK, START, "invalid_auth");
        ears.forget(SLACK);
        let later = START.plus_ms(GRACE_MS);
        assert_eq!(ears.hearing(SLACK, later), None);
        assert!(!ears.are_deaf(SLACK, later));
    }
}
