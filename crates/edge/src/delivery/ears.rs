//! Whether the buttons in messages are heard: since when somebody listens at a provider, or since when nobody does, and why. It listens
//! to nothing, and nothing of it is kept over a restart.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tocsin_domain::time::Timestamp;
use tokio::time::Instant;

use super::account::Provider;
use super::pace::Pace;
use crate::lock::lock;

/// After so long it is told, and messages carry no button any more. What is opened anew is deaf for a moment.
const GRACE: Duration = Duration::from_secs(30);

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

/// That nobody was let in.
struct Missed {
    /// Since when, as it is shown.
    since: Timestamp,
    /// The same by the time of whoever tries to listen: a clock that is set must not take the buttons away.
    begun: Instant,
    /// By what that time is read.
    pace: Arc<dyn Pace>,
    /// Why the last time.
    why: String,
}

impl Missed {
    fn is_deaf(&self) -> bool {
        self.pace.now().saturating_duration_since(self.begun) >= GRACE
    }
}

/// How it is at one provider.
#[derive(Default)]
struct Ear {
    hears_since: Option<Timestamp>,
    missed: Option<Missed>,
}

impl Ear {
    fn is_deaf(&self) -> bool {
        self.missed.as_ref().is_some_and(Missed::is_deaf)
    }

    fn hearing(&self) -> Option<Hearing> {
        let heard = self.hears_since.map(|since| Hearing::Heard { since });
        let missed = self.missed.as_ref().filter(|missed| missed.is_deaf());
        let deaf = missed.map(|missed| Hearing::Deaf {
            since: missed.since,
            why: missed.why.clone(),
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
        let before = ear.hears_since.filter(|_| !ear.is_deaf());
        *ear = Ear {
            hears_since: Some(before.unwrap_or(now)),
            missed: None,
        };
    }

    /// Nobody listens there, since that went wrong. For how long it does is measured by `pace`.
    pub(crate) fn miss(&self, provider: Provider, now: Timestamp, pace: &Arc<dyn Pace>, why: &str) {
        let mut ears = self.lock();
        let missed = &mut ears.entry(provider).or_default().missed;
        let missed = missed.get_or_insert_with(|| Missed {
            since: now,
            begun: pace.now(),
            pace: Arc::clone(pace),
            why: String::new(),
        });
        why.clone_into(&mut missed.why);
    }

    /// Nobody is to listen there, or by another account.
    pub(crate) fn forget(&self, provider: Provider) {
        self.lock().remove(&provider);
    }

    /// How it is there; none while nobody is to listen, or has been let in or turned away yet.
    pub(crate) fn hearing(&self, provider: Provider) -> Option<Hearing> {
        self.lock().get(&provider)?.hearing()
    }

    /// Whether a button would be pressed in vain.
    pub(crate) fn are_deaf(&self, provider: Provider) -> bool {
        self.lock().get(&provider).is_some_and(Ear::is_deaf)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::BoxFuture;

    use super::super::pace::Wait;
    use super::*;

    const SLACK: Provider = Provider::Slack;
    const START: Timestamp = Timestamp::from_millis(1_795_417_200_000);

    /// Time that a test sets, and by which nothing waits.
    struct Hand(Mutex<Instant>);

    impl Pace for Hand {
        fn now(&self) -> Instant {
            *lock(&self.0)
        }

        fn until(&self, _: Instant, _: Wait) -> BoxFuture<'static, ()> {
            Box::pin(std::future::pending())
        }
    }

    /// Somebody who tries to listen at Slack.
    struct Listener {
        ears: Ears,
        hand: Arc<Hand>,
    }

    impl Listener {
        fn new() -> Self {
            Self {
                ears: Ears::default(),
                hand: Arc::new(Hand(Mutex::new(Instant::now()))),
            }
        }

        fn wait(&self, by: Duration) {
            *lock(&self.hand.0) += by;
        }

        fn misses(&self, at: Timestamp, why: &str) {
            let pace = Arc::clone(&self.hand) as Arc<dyn Pace>;
            self.ears.miss(SLACK, at, &pace, why);
        }
    }

    fn heard(since: Timestamp) -> Option<Hearing> {
        Some(Hearing::Heard { since })
    }

    #[test]
    fn what_is_opened_anew_within_the_grace_was_heard_all_the_time() {
        let listener = Listener::new();
        let (ears, later) = (&listener.ears, START.plus_ms(60_000));
        assert_eq!(ears.hearing(SLACK), None);
        ears.hear(SLACK, START);
        listener.misses(later, "it was closed");
        listener.wait(GRACE - Duration::from_millis(1));
        assert_eq!(ears.hearing(SLACK), heard(START));
        assert!(!ears.are_deaf(SLACK));
        ears.hear(SLACK, later.plus_ms(29_999));
        listener.wait(GRACE);
        assert_eq!(ears.hearing(SLACK), heard(START));
    }

    #[test]
    fn who_is_turned_away_for_longer_is_deaf_since_the_first_time_until_it_is_let_in() {
        let listener = Listener::new();
        let (ears, since) = (&listener.ears, START);
        listener.misses(since, "timeout");
        assert_eq!(ears.hearing(SLACK), None, "nobody knows yet");
        listener.wait(GRACE);
        let later = since.plus_ms(30_000);
        listener.misses(later, "invalid_auth");
        let why = "invalid_auth".to_owned();
        let deaf = Some(Hearing::Deaf { since, why });
        assert_eq!(ears.hearing(SLACK), deaf);
        assert!(ears.are_deaf(SLACK));
        assert!(!ears.are_deaf(Provider::Telegram));
        ears.hear(SLACK, later);
        assert_eq!(ears.hearing(SLACK), heard(later));
    }

    #[test]
    fn a_clock_that_is_set_makes_nobody_deaf_and_keeps_nobody_from_it() {
        for set_to in [START.plus_ms(86_400_000), Timestamp::from_millis(0)] {
            let listener = Listener::new();
            let ears = &listener.ears;
            ears.hear(SLACK, START);
            listener.misses(START, "timeout");
            listener.misses(set_to, "timeout");
            assert!(!ears.are_deaf(SLACK));
            listener.wait(GRACE);
            assert!(ears.are_deaf(SLACK));
        }
    }

    #[test]
    fn what_nobody_is_to_hear_is_neither_heard_nor_missed() {
        let listener = Listener::new();
        listener.misses(START, "invalid_auth");
        listener.ears.forget(SLACK);
        listener.wait(GRACE);
        assert_eq!(listener.ears.hearing(SLACK), None);
        assert!(!listener.ears.are_deaf(SLACK));
    }
}
