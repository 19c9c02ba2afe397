//! How often something may be tried: sign-ins by account and address, events by key. It reads no clock.

use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Mutex;

use tocsin_domain::time::Timestamp;

use crate::lock::lock;

/// Failed sign-ins of one account from one address within the window.
const ACCOUNT_TRIES_MAX: u32 = 5;
/// Failed sign-ins from one address within the window, whatever the account.
const ADDRESS_TRIES_MAX: u32 = 30;
/// The window of failed sign-ins.
const WINDOW_MS: u64 = 5 * 60 * 1_000;
/// Accounts and addresses remembered at most.
const ENTRIES_MAX: usize = 20_000;
/// The window of [`RollingLimit`].
const ROLLING_MS: u64 = 60_000;
/// Requests that come at once read the clock in any order: no more than this lies between them.
const BESIDE_MS: u64 = 1_000;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Tried {
    Account(String, Option<IpAddr>),
    Address(Option<IpAddr>),
}

struct Tries {
    first_at: Timestamp,
    count: u32,
}

/// Failed sign-ins by account and address.
#[derive(Default)]
pub(crate) struct LoginThrottle(Mutex<BTreeMap<Tried, Tries>>);

impl LoginThrottle {
    /// Takes one try, as failed until [`LoginThrottle::succeeded`] says otherwise, so that tries at the same time count too.
    /// The error is the wait in seconds.
    pub(crate) fn start(
        &self,
        account: &str,
        address: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<(), u64> {
        self.take(&keys(account, address), now)
    }

    /// Takes one try of something that is guarded by more than the address it comes from.
    pub(crate) fn start_alone(&self, what: &str, now: Timestamp) -> Result<(), u64> {
        let [alone, _] = keys(what, None);
        self.take(&[alone], now)
    }

    fn take(&self, keys: &[(Tried, u32)], now: Timestamp) -> Result<(), u64> {
        let mut entries = lock(&self.0);
        for (key, limit) in keys {
            if let Some(tries) = entries
                .get(key)
                .filter(|tries| is_within(tries.first_at, now, WINDOW_MS))
                && tries.count >= *limit
            {
                return Err((WINDOW_MS - now.ms_since(tries.first_at)).div_ceil(1_000));
            }
        }
        if entries.len() >= ENTRIES_MAX {
            entries.retain(|_, tries| is_within(tries.first_at, now, WINDOW_MS));
        }
        for (key, _) in keys {
            if entries.len() >= ENTRIES_MAX && !entries.contains_key(key) {
                forget_oldest(&mut entries);
            }
            let tries = entries.entry(key.clone()).or_insert(Tries {
                first_at: now,
                count: 0,
            });
            if !is_within(tries.first_at, now, WINDOW_MS) {
                *tries = Tries {
                    first_at: now,
                    count: 0,
                };
            }
            tries.count += 1;
        }
        Ok(())
    }

    /// The try was good after all.
    pub(crate) fn succeeded(&self, account: &str, address: Option<IpAddr>) {
        let mut entries = lock(&self.0);
        let [(of_account, _), (of_address, _)] = keys(account, address);
        entries.remove(&of_account);
        if let Some(tries) = entries.get_mut(&of_address) {
            tries.count = tries.count.saturating_sub(1);
        }
    }
}

/// Makes place for another: who sends very many tries must not keep everybody else from signing in.
fn forget_oldest(entries: &mut BTreeMap<Tried, Tries>) {
    let oldest = entries.iter().min_by_key(|(_, tries)| tries.first_at);
    if let Some(key) = oldest.map(|(key, _)| key.clone()) {
        entries.remove(&key);
    }
}

/// An IPv6 host is given a whole /64 (RFC 4291, section 2.5.1), so all of it counts as one address.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
    }
}

fn keys(account: &str, address: Option<IpAddr>) -> [(Tried, u32); 2] {
    let address = address.map(network);
    [
        (
            Tried::Account(account.to_lowercase(), address),
            ACCOUNT_TRIES_MAX,
        ),
        (Tried::Address(address), ADDRESS_TRIES_MAX),
    ]
}

/// What a key has left within the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Remaining {
    /// So many can be taken.
    pub(crate) count: usize,
    /// Seconds until there are more.
    pub(crate) more_in_s: u64,
}

/// So many within any 60 s, by key.
pub(crate) struct RollingLimit {
    per_minute: usize,
    taken: Mutex<BTreeMap<String, VecDeque<Timestamp>>>,
}

impl RollingLimit {
    /// That many within any 60 s.
    pub(crate) fn new(per_minute: usize) -> Self {
        Self {
            per_minute,
            taken: Mutex::default(),
        }
    }

    /// Takes one. The error is the wait in seconds. Only known keys may come here, so that memory stays bounded.
    pub(crate) fn take(&self, key: &str, now: Timestamp) -> Result<(), u64> {
        self.take_counted(key, now).0
    }

    /// The same, and what is left for this key then.
    pub(crate) fn take_counted(&self, key: &str, now: Timestamp) -> (Result<(), u64>, Remaining) {
        self.take_of(self.per_minute, key, now)
    }

    /// The same of a key of which no more than so many are taken.
    pub(crate) fn take_of(
        &self,
        per_minute: usize,
        key: &str,
        now: Timestamp,
    ) -> (Result<(), u64>, Remaining) {
        let per_minute = per_minute.min(self.per_minute);
        let mut all = lock(&self.taken);
        let taken = match all.get_mut(key) {
            Some(taken) => taken,
            None => all.entry(key.to_owned()).or_default(),
        };
        // They stand in their order, so that only a clock that was set back leaves some ahead.
        if taken.back().is_some_and(|last| lies_ahead(*last, now)) {
            taken.retain(|at| !lies_ahead(*at, now));
        }
        while taken
            .front()
            .is_some_and(|first| !is_within(*first, now, ROLLING_MS))
        {
            taken.pop_front();
        }
        let is_free = taken.len() < per_minute;
        if is_free {
            taken.push_back(now);
        }
        let waited = taken.front().map_or(0, |first| now.ms_since(*first));
        let more_in_s = (ROLLING_MS - waited.min(ROLLING_MS)).div_ceil(1_000);
        let remaining = Remaining {
            count: per_minute.saturating_sub(taken.len()),
            more_in_s,
        };
        (is_free.then_some(()).ok_or(more_in_s), remaining)
    }
}

/// Whether it was within the window before now. What lies ahead is from before the clock was set back, and counts as gone: else
/// nothing would be taken until the clock has caught up.
fn is_within(at: Timestamp, now: Timestamp, window_ms: u64) -> bool {
    !lies_ahead(at, now) && now.ms_since(at) < window_ms
}

fn lies_ahead(at: Timestamp, now: Timestamp) -> bool {
    at > now.plus_ms(BESIDE_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_millis(1_000_000);

    #[test]
    fn of_a_thousand_tries_only_a_few_reach_the_password() {
        let throttle = LoginThrottle::default();
        let address = "192.0.2.1".parse().ok();
        let tried = (0..1_000)
            .filter(|_| throttle.start("a@example.org", address, START).is_ok())
            .count();
        assert_eq!(tried, 5);
        let many = (0..1_000)
            .filter(|n| {
                throttle
                    .start(&format!("{n}@example.org"), address, START)
                    .is_ok()
            })
            .count();
        assert_eq!(many, 25);
        assert_eq!(throttle.start("A@example.org", address, START), Err(300));
        assert_eq!(
            throttle.start("a@example.org", "192.0.2.2".parse().ok(), START),
            Ok(())
        );
        assert_eq!(
            throttle.start("a@example.org", address, START.plus_ms(WINDOW_MS)),
            Ok(())
        );
    }

    #[test]
    fn a_network_of_ipv6_and_an_address_in_two_forms_count_as_one() {
        let throttle = LoginThrottle::default();
        let start = |address: &str| throttle.start("a", address.parse().ok(), START).is_ok();
        let tried = (0..100).filter(|n| start(&format!("2001:db8:1:2::{n}")));
        assert_eq!(tried.count(), 5);
        assert!(start("2001:db8:1:3::1"));
        assert_eq!((0..5).filter(|_| start("192.0.2.1")).count(), 5);
        assert!(!start("::ffff:192.0.2.1"));
    }

    #[test]
    fn a_good_sign_in_clears_its_tries() {
        let throttle = LoginThrottle::default();
        for _ in 0..100 {
            assert_eq!(throttle.start("a@example.org", None, START), Ok(()));
            throttle.succeeded("a@example.org", None);
        }
    }

    #[test]
    fn a_flood_of_tries_keeps_nobody_else_from_signing_in() {
        let throttle = LoginThrottle::default();
        for n in 0..10_050_u32 {
            let address = Some(IpAddr::from(n.to_be_bytes()));
            throttle.start("flood", address, START).unwrap();
        }
        let now = START.plus_ms(1_000);
        assert_eq!(throttle.start("a", "192.0.2.1".parse().ok(), now), Ok(()));
        assert!(lock(&throttle.0).len() <= ENTRIES_MAX);
    }

    #[test]
    fn the_limit_rolls() {
        let limit = RollingLimit::new(3);
        for second in 0..3 {
            assert_eq!(limit.take("k", START.plus_ms(second * 1_000)), Ok(()));
        }
        assert_eq!(limit.take("k", START.plus_ms(3_000)), Err(57));
        assert_eq!(limit.take("other", START.plus_ms(3_000)), Ok(()));
        assert_eq!(limit.take("k", START.plus_ms(60_000)), Ok(()));
        assert_eq!(limit.take("k", START.plus_ms(60_500)), Err(1));
    }

    #[test]
    fn those_that_are_left_are_as_many_as_can_be_taken() {
        for later_us in [59_999_999, 60_000_000, 60_000_001, -1_000_000, -1_000_001] {
            let limit = RollingLimit::new(4);
            for _ in 0..2 {
                assert_eq!(limit.take("k", START), Ok(()));
            }
            let now = Timestamp::from_micros(START.as_micros() + later_us);
            let (outcome, remaining) = limit.take_counted("k", now);
            assert_eq!(outcome, Ok(()));
            let taken = (0..5).filter(|_| limit.take("k", now).is_ok()).count();
            assert_eq!(remaining.count, taken, "{later_us}");
        }
    }

    #[test]
    fn who_is_refused_is_told_when_there_are_more() {
        let limit = RollingLimit::new(1);
        let told = |seconds: u64| limit.take_counted("k", START.plus_ms(seconds * 1_000));
        let remaining = |more_in_s| Remaining {
            count: 0,
            more_in_s,
        };
        assert_eq!(told(0), (Ok(()), remaining(60)));
        assert_eq!(told(1), (Err(59), remaining(59)));
        assert_eq!(told(60), (Ok(()), remaining(60)));
    }

    #[test]
    fn a_clock_that_is_set_back_makes_no_sender_wait_for_it_to_catch_up() {
        let limit = RollingLimit::new(3);
        for second in 0..3 {
            assert_eq!(limit.take("k", START.plus_ms(second * 1_000)), Ok(()));
        }
        let back = START.minus_ms(600_000);
        for second in 0..3 {
            assert_eq!(limit.take("k", back.plus_ms(second * 1_000)), Ok(()));
        }
        assert_eq!(limit.take("k", back.plus_ms(3_000)), Err(57));
        assert_eq!(limit.take("k", back.plus_ms(60_000)), Ok(()));
    }

    #[test]
    fn a_clock_that_is_set_back_keeps_nobody_from_signing_in() {
        let throttle = LoginThrottle::default();
        let start = |now| throttle.start("a@example.org", None, now);
        for _ in 0..5 {
            assert_eq!(start(START), Ok(()));
        }
        let back = START.minus_ms(600_000);
        for _ in 0..5 {
            assert_eq!(start(back), Ok(()));
        }
        assert_eq!(start(back), Err(300));
    }

    #[test]
    fn requests_that_read_the_clock_in_another_order_than_they_come_forget_nothing() {
        let (limit, throttle) = (RollingLimit::new(4), LoginThrottle::default());
        let order = [1, 0, 1, 0, 1, 0].map(|ms| START.plus_ms(ms));
        let taken = order
            .into_iter()
            .filter(|now| limit.take("k", *now).is_ok());
        assert_eq!(taken.count(), 4);
        let tried = order
            .into_iter()
            .filter(|now| throttle.start("a@example.org", None, *now).is_ok());
        assert_eq!(tried.count(), 5);
    }
}
