//! How many requests one API token may send: a bucket for each that fills again evenly. It reads no clock and no request.

use std::collections::BTreeMap;
use std::sync::Mutex;

use axum::http::{HeaderName, HeaderValue};
use axum::response::Response;
use tocsin_domain::id::TokenId;
use tocsin_domain::time::Timestamp;

use super::who::{Caller, Front, Via, Who};
use crate::http::problem::Problem;
use crate::lock::lock;

/// Requests that one token may send within a minute: far more than any client needs that does not run wild.
pub const TOKEN_REQUESTS_PER_MINUTE: u32 = 12_000;
/// An empty bucket is full again after this.
const WINDOW_MICROS: i64 = 60_000_000;
/// Buckets remembered at most. There are fewer tokens; those of revoked ones are forgotten once they are full.
const BUCKETS_MAX: usize = 4_096;
/// Alerts come in bursts when much breaks at once, and none may be lost: they are bounded by places and by the core's queue.
const ALERTS: &str = "/api/tocsin/v1/alerts";

/// What each token may still send.
pub(crate) struct TokenLimit {
    per_minute: u32,
    /// When the bucket of each token is full again: that alone says how much is in it.
    full_at: Mutex<BTreeMap<TokenId, i64>>,
}

/// What a token may still send after a request of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Left {
    per_minute: u32,
    requests: u32,
    full_in_s: u64,
}

/// The bucket was empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Empty {
    left: Left,
    wait_s: u64,
}

impl TokenLimit {
    /// That many within a minute, at least one.
    pub(crate) fn new(per_minute: u32) -> Self {
        Self {
            per_minute: per_minute.clamp(1, 60_000_000),
            full_at: Mutex::default(),
        }
    }

    /// Takes one request of a token that was found good, and that may have a limit of its own.
    pub(crate) fn take(
        &self,
        token: TokenId,
        own: Option<u32>,
        now: Timestamp,
    ) -> Result<Left, Empty> {
        let now = now.as_micros();
        let per_minute = self.of(own);
        let each = WINDOW_MICROS / i64::from(per_minute);
        let mut all = lock(&self.full_at);
        if all.len() >= BUCKETS_MAX {
            all.retain(|_, full_at| *full_at > now);
        }
        let full_at = all.entry(token).or_insert(now);
        // What is full again later than an empty bucket would be is from before the clock was set back: it says nothing of what
        // was sent since, and nobody must wait for that.
        let before = if *full_at > now.saturating_add(WINDOW_MICROS) {
            now
        } else {
            (*full_at).max(now)
        };
        let after = before.saturating_add(each);
        let beyond = after - now - WINDOW_MICROS;
        if beyond > 0 {
            *full_at = before;
            let left = left(before - now, per_minute);
            let wait_s = seconds(beyond);
            return Err(Empty { left, wait_s });
        }
        *full_at = after;
        Ok(left(after - now, per_minute))
    }

    /// What a token may send within a minute: its own limit, or that of all.
    pub(crate) fn of(&self, own: Option<u32>) -> u32 {
        own.map_or(self.per_minute, |own| own.clamp(1, self.per_minute))
    }
}

fn left(missing_micros: i64, per_minute: u32) -> Left {
    let each = WINDOW_MICROS / i64::from(per_minute);
    let requests = (WINDOW_MICROS - missing_micros) / each;
    Left {
        per_minute,
        requests: u32::try_from(requests).unwrap_or(0),
        full_in_s: seconds(missing_micros),
    }
}

/// Rounded up: whoever waits that long finds what was promised.
fn seconds(micros: i64) -> u64 {
    u64::try_from(micros).unwrap_or(0).div_ceil(1_000_000)
}

/// Whose bucket a request takes from, and how large its token says that it is: a token's on a route of the native API, and on those of
/// a front when it has a limit of its own.
pub(crate) fn counted(who: Who, path: &str, caller: &Caller) -> Option<(TokenId, Option<u32>)> {
    let own = caller.bounds.requests_per_minute;
    match caller.via {
        Via::Token(token) if counts(who, path) || (own.is_some() && counts_own(who)) => {
            Some((token, own))
        }
        Via::Token(_) | Via::Session | Via::Open => None,
    }
}

/// Whether requests to a front are counted when the token that sends them has a limit of its own. PagerDuty's counts by itself, in the
/// words of its clients; whoever has no token but a key is counted elsewhere.
pub(crate) fn counts_own(who: Who) -> bool {
    match who {
        Who::Token(front, _) => front != Front::PagerDutyRest,
        Who::Role(_) | Who::SelfOr(_) | Who::Public | Who::Key(_) | Who::Session => false,
    }
}

/// Whether requests of that path are counted where a token sends them.
pub(crate) fn counts(who: Who, path: &str) -> bool {
    match who {
        Who::Role(_) | Who::SelfOr(_) => path != ALERTS,
        Who::Public | Who::Key(_) | Who::Token(..) | Who::Session => false,
    }
}

impl Left {
    /// Tells it in the answer, as clients read it (draft-ietf-httpapi-ratelimit-headers-10).
    pub(crate) fn tell(self, response: &mut Response) {
        let Self {
            per_minute,
            requests,
            full_in_s,
        } = self;
        let policy = format!("\"token\";q={per_minute};w=60");
        let left = format!("\"token\";r={requests};t={full_in_s}");
        let told = [("ratelimit-policy", policy), ("ratelimit", left)];
        for (name, value) in told {
            // Digits and our own words are always a header's value.
            if let Ok(value) = HeaderValue::from_str(&value) {
                let name = HeaderName::from_static(name);
                response.headers_mut().insert(name, value);
            }
        }
    }
}

impl Empty {
    /// The answer in place of the route's, in the words of whom the caller believes to speak to.
    pub(crate) fn refusal(self, answer: impl FnOnce(Problem) -> Response) -> Response {
        let per_minute = self.left.per_minute;
        let detail = format!(
            "this API token sends more than {per_minute} requests a minute; nothing was done, send it again after the wait"
        );
        let mut response = answer(Problem::too_many(detail, self.wait_s));
        self.left.tell(&mut response);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_millis(1_000_000);

    fn token(text: &str) -> TokenId {
        text.parse().unwrap()
    }

    fn one() -> TokenId {
        token("QAAAAAAAAAAAAA")
    }

    fn taken(limit: &TokenLimit, token: TokenId, now: Timestamp) -> usize {
        (0..1_000)
            .take_while(|_| limit.take(token, None, now).is_ok())
            .count()
    }

    #[test]
    fn a_full_bucket_takes_a_minutes_worth_at_once_and_fills_again_evenly() {
        let limit = TokenLimit::new(60);
        assert_eq!(taken(&limit, one(), START), 60);
        assert_eq!(taken(&limit, one(), START.plus_ms(999)), 0);
        assert_eq!(taken(&limit, one(), START.plus_ms(1_000)), 1);
        assert_eq!(taken(&limit, one(), START.plus_ms(11_000)), 10);
        assert_eq!(taken(&limit, one(), START.plus_ms(600_000)), 60);
    }

    #[test]
    fn one_token_takes_nothing_from_another() {
        let limit = TokenLimit::new(60);
        assert_eq!(taken(&limit, one(), START), 60);
        assert_eq!(taken(&limit, token("QBBBBBBBBBBBBB"), START), 60);
    }

    #[test]
    fn a_limit_of_a_tokens_own_is_its_bucket_and_never_larger_than_that_of_all() {
        let limit = TokenLimit::new(60);
        for (own, of_one) in [(Some(6), 6), (Some(600), 60), (Some(0), 1), (None, 60)] {
            assert_eq!(limit.of(own), of_one);
        }
        let takes = |now| {
            (0..1_000)
                .take_while(|_| limit.take(one(), Some(6), now).is_ok())
                .count()
        };
        assert_eq!(takes(START), 6);
        assert_eq!(takes(START.plus_ms(9_999)), 0);
        assert_eq!(takes(START.plus_ms(10_000)), 1);
    }

    #[test]
    fn whoever_waits_as_told_is_served() {
        let limit = TokenLimit::new(7);
        assert_eq!(taken(&limit, one(), START), 7);
        let empty = limit.take(one(), None, START.plus_ms(300)).unwrap_err();
        assert_eq!((empty.wait_s, empty.left.requests), (9, 0));
        let then = START.plus_ms(300 + empty.wait_s * 1_000);
        assert!(limit.take(one(), None, then).is_ok());
    }

    #[test]
    fn a_clock_that_is_set_back_makes_nobody_wait_and_lets_no_more_through_than_before() {
        let limit = TokenLimit::new(60);
        assert_eq!(taken(&limit, one(), START), 60);
        let before = START.minus_ms(500_000);
        assert_eq!(taken(&limit, one(), before), 60);
        assert_eq!(taken(&limit, one(), before.plus_ms(999)), 0);
        assert_eq!(taken(&limit, one(), before.plus_ms(60_000)), 60);
    }

    #[test]
    fn a_token_that_sent_little_is_served_at_once_when_the_clock_is_set_back() {
        let limit = TokenLimit::new(TOKEN_REQUESTS_PER_MINUTE);
        assert!(limit.take(one(), None, START).is_ok());
        for back_ms in [61_000, 3_600_000, 86_400_000] {
            assert!(limit.take(one(), None, START.minus_ms(back_ms)).is_ok());
        }
    }

    #[test]
    fn buckets_that_are_full_again_are_forgotten_before_there_are_too_many() {
        let limit = TokenLimit::new(60);
        let letters: Vec<char> = ('A'..='P').collect();
        for n in 0..BUCKETS_MAX {
            let digit = |place: usize| letters[n >> (4 * place) & 15];
            let text = format!("QAAAAAAAAAA{}{}{}", digit(2), digit(1), digit(0));
            assert!(limit.take(token(&text), None, START).is_ok());
        }
        assert!(limit.take(one(), None, START.plus_ms(60_000)).is_ok());
        assert_eq!(limit.full_at.lock().unwrap().len(), 1);
    }
}
