//! Steady logins of free and premium users, sent whether or not earlier ones were answered, and the true count of what
//! became of them; Tocsin never sees this count.

use std::collections::BTreeSet;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

use crate::clock::{self, Millis};
use crate::http::client::{Ask, ask};
use crate::random::Random;

/// How long a user waits for an answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// Requests that wait at once; one more is written down as not sent. Twice what 40 a second and 2 s of patience need.
const IN_FLIGHT_MAX: usize = 160;
/// Attempts that are remembered, three hours of them; then the older half is forgotten.
const REMEMBERED_MAX: usize = 432_000;
const USERS: u64 = 300;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tier {
    Free,
    Premium,
}

/// What became of a request, as its user saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Answered,
    /// An answer of status 500 or above.
    Failed,
    Refused,
    TimedOut,
    /// The connection broke.
    Broken,
    /// The generator itself had too many waiting.
    NotSent,
}

#[derive(Clone, Copy, Debug)]
struct Attempt {
    at: Millis,
    user: u64,
    tier: Tier,
    fate: Fate,
}

/// The true count over some time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Truth {
    pub(crate) attempts: usize,
    pub(crate) failed: usize,
    pub(crate) premium_failed: usize,
    pub(crate) users_failed: usize,
    pub(crate) premium_users_failed: usize,
    pub(crate) not_sent: usize,
}

/// The running generator; it stops when told or when the process ends.
#[derive(Clone)]
pub(crate) struct Traffic {
    attempts: Arc<Mutex<Vec<Attempt>>>,
    stop: Arc<AtomicBool>,
}

impl Traffic {
    /// Starts `per_second` logins a second at `address`, always the same for the same seed.
    pub(crate) fn start(address: SocketAddr, per_second: u64, seed: u64) -> io::Result<Self> {
        let traffic = Self {
            attempts: Arc::new(Mutex::new(Vec::new())),
            stop: Arc::new(AtomicBool::new(false)),
        };
        let running = traffic.clone();
        thread::Builder::new()
            .name("traffic".into())
            .spawn(move || running.run(address, per_second, seed))?;
        Ok(traffic)
    }

    pub(crate) fn stop(&self) {
        self.stop.store(true, Ordering::SeqCst);
    }

    /// Counts what was sent from `from` to before `to`. Requests still waiting are not in it yet.
    pub(crate) fn truth(&self, from: Millis, to: Millis) -> Truth {
        count(
            self.lock()
                .iter()
                .filter(|attempt| (from..to).contains(&attempt.at)),
        )
    }

    fn run(&self, address: SocketAddr, per_second: u64, seed: u64) {
        let mut random = Random::new(seed);
        let in_flight = Arc::new(AtomicUsize::new(0));
        let mut due = Instant::now();
        while !self.stop.load(Ordering::SeqCst) {
            due += next_gap(&mut random, per_second);
            thread::sleep(due.saturating_duration_since(Instant::now()));
            self.send(address, &in_flight, random.below(USERS) + 1);
        }
    }

    fn send(&self, address: SocketAddr, in_flight: &Arc<AtomicUsize>, user: u64) {
        let (at, tier) = (clock::now(), tier_of(user));
        if in_flight.fetch_add(1, Ordering::SeqCst) >= IN_FLIGHT_MAX {
            in_flight.fetch_sub(1, Ordering::SeqCst);
            self.remember(Attempt {
                at,
                user,
                tier,
                fate: Fate::NotSent,
            });
            return;
        }
        let (traffic, waiting) = (self.clone(), Arc::clone(in_flight));
        let work = move || {
            let fate = log_in(address, user, tier);
            traffic.remember(Attempt {
                at,
                user,
                tier,
                fate,
            });
            waiting.fetch_sub(1, Ordering::SeqCst);
        };
        if thread::Builder::new()
            .stack_size(128 * 1024)
            .spawn(work)
            .is_err()
        {
            in_flight.fetch_sub(1, Ordering::SeqCst);
            self.remember(Attempt {
                at,
                user,
                tier,
                fate: Fate::NotSent,
            });
        }
    }

    fn remember(&self, attempt: Attempt) {
        let mut attempts = self.lock();
        if attempts.len() >= REMEMBERED_MAX {
            attempts.drain(..REMEMBERED_MAX / 2);
        }
        attempts.push(attempt);
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Attempt>> {
        self.attempts
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Every fifth user pays.
fn tier_of(user: u64) -> Tier {
    if user.is_multiple_of(5) {
        Tier::Premium
    } else {
        Tier::Free
    }
}

/// Half to one and a half times the mean, so that the rate is steady and the order of things is not.
fn next_gap(random: &mut Random, per_second: u64) -> Duration {
    let mean_us = 1_000_000 / per_second;
    Duration::from_micros(mean_us / 2 + random.below(mean_us))
}

fn log_in(address: SocketAddr, user: u64, tier: Tier) -> Fate {
    let tier = match tier {
        Tier::Free => "free",
        Tier::Premium => "premium",
    };
    let cookie = format!("user=u{user:04}; tier={tier}");
    let headers = [("Cookie", cookie.as_str()), ("User-Agent", "drill-traffic")];
    let question = Ask {
        method: "GET",
        path: "/login",
        headers: &headers,
        body: b"",
        limit: PATIENCE,
    };
    match ask(address, question) {
        Ok(answer) if answer.status < 500 => Fate::Answered,
        Ok(_) => Fate::Failed,
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Fate::Refused,
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock
            ) =>
        {
            Fate::TimedOut
        }
        Err(_) => Fate::Broken,
    }
}

fn count<'a>(attempts: impl Iterator<Item = &'a Attempt>) -> Truth {
    let mut truth = Truth::default();
    let mut hurt = BTreeSet::new();
    for attempt in attempts {
        truth.attempts += 1;
        match attempt.fate {
            Fate::Answered => continue,
            Fate::NotSent => truth.not_sent += 1,
            Fate::Failed | Fate::Refused | Fate::TimedOut | Fate::Broken => {}
        }
        truth.failed += 1;
        truth.premium_failed += usize::from(attempt.tier == Tier::Premium);
        hurt.insert(attempt.user);
    }
    truth.users_failed = hurt.len();
    truth.premium_users_failed = hurt
        .iter()
        .filter(|user| tier_of(**user) == Tier::Premium)
        .count();
    truth
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drill::login_app::{LoginApp, Mode};
    use crate::processes::wait_until;

    #[test]
    fn a_refusal_and_an_error_are_counted_with_the_tier_they_hurt() {
        let attempt = |user, fate| Attempt {
            at: 0,
            user,
            tier: tier_of(user),
            fate,
        };
        let attempts = [
            attempt(1, Fate::Answered),
            attempt(5, Fate::Refused),
            attempt(5, Fate::TimedOut),
            attempt(2, Fate::Failed),
        ];
        let expected = Truth {
            attempts: 4,
            failed: 3,
            premium_failed: 2,
            users_failed: 2,
            premium_users_failed: 1,
            not_sent: 0,
        };
        assert_eq!(count(attempts.iter()), expected);
    }

    #[test]
    fn the_count_agrees_with_what_the_application_did() {
        let app = LoginApp::start().unwrap();
        app.set(Mode::Fails);
        let traffic = Traffic::start(app.address, 400, 1).unwrap();
        let seen = || traffic.truth(0, Millis::MAX);
        assert!(
            wait_until(Duration::from_secs(20), || seen().attempts >= 50),
            "{:?}",
            seen()
        );
        traffic.stop();
        let seen = seen();
        assert_eq!(seen.failed, seen.attempts);
    }

    #[test]
    fn a_server_that_is_gone_is_refusals_and_not_a_stall() {
        let nobody = std::net::TcpListener::bind(("127.0.0.1", 0))
            .unwrap()
            .local_addr()
            .unwrap();
        let traffic = Traffic::start(nobody, 400, 1).unwrap();
        let seen = || traffic.truth(0, Millis::MAX);
        assert!(
            wait_until(Duration::from_secs(20), || seen().attempts >= 50),
            "{:?}",
            seen()
        );
        traffic.stop();
        let seen = seen();
        assert_eq!((seen.failed, seen.not_sent), (seen.attempts, 0));
    }

    #[test]
    fn a_fifth_of_the_users_pays() {
        assert_eq!(
            (1..=USERS)
                .filter(|user| tier_of(*user) == Tier::Premium)
                .count(),
            60
        );
    }
}
