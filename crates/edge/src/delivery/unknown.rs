//! Browsers that a push service said it does not know, as a proxy in between may say too: one is gone only when that is said again a
//! while later, and nothing was taken for it between. Nothing of it is kept over a restart.

use std::collections::BTreeMap;
use std::sync::Mutex;

use tocsin_domain::id::SecretId;
use tocsin_domain::time::Timestamp;

use crate::lock::lock;

/// So long after it was said first it is believed when it is said again: 10 minutes.
const BELIEVED_AFTER_MS: u64 = 600_000;
/// What was said so long ago is as if it never was: a day.
const FORGOTTEN_AFTER_MS: u64 = 86_400_000;
/// Browsers of which is remembered when it was said first. Of those beyond that it is said a first time again.
const BROWSERS_MAX: usize = 1_024;

/// When that was said first of each, by the vault row of its address.
#[derive(Default)]
pub(super) struct Unknown(Mutex<BTreeMap<SecretId, Timestamp>>);

impl Unknown {
    /// It is said of a browser now: whether it is gone.
    pub(super) fn is_gone(&self, browser: SecretId, now: Timestamp) -> bool {
        let mut since = lock(&self.0);
        // A clock that was set back tells nothing of how long ago it was.
        let lasts = |first: &Timestamp| *first <= now && now.ms_since(*first) < FORGOTTEN_AFTER_MS;
        let first = since.get(&browser).copied().filter(lasts);
        let is_gone = first.is_some_and(|first| now.ms_since(first) >= BELIEVED_AFTER_MS);
        if is_gone {
            since.remove(&browser);
        } else if first.is_none() {
            if since.len() >= BROWSERS_MAX {
                since.clear();
            }
            since.insert(browser, now);
        }
        is_gone
    }

    /// A push to it was taken.
    pub(super) fn is_known(&self, browser: SecretId) {
        lock(&self.0).remove(&browser);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: u64) -> Timestamp {
        Timestamp::from_millis(1_795_417_200_000).plus_ms(minutes * 60_000)
    }

    #[test]
    fn a_browser_is_gone_when_that_is_said_twice_with_time_and_no_success_between() {
        let [one, other]: [SecretId; 2] =
            ["QAAAAAAAAAAAAA", "QAAAAAAAAAAAAB"].map(|text| text.parse().unwrap());
        let unknown = Unknown::default();
        assert!(!unknown.is_gone(one, at(0)));
        assert!(!unknown.is_gone(one, at(9)), "too soon");
        assert!(!unknown.is_gone(other, at(10)), "another one");
        unknown.is_known(one);
        assert!(!unknown.is_gone(one, at(20)), "something was taken between");
        assert!(!unknown.is_gone(one, at(29)));
        assert!(unknown.is_gone(one, at(30)));
        let day = 24 * 60;
        assert!(!unknown.is_gone(one, at(31)));
        assert!(!unknown.is_gone(one, at(31 + day)), "a day is long");
        assert!(unknown.is_gone(one, at(41 + day)));
    }

    #[test]
    fn a_clock_that_is_set_back_makes_no_browser_gone_and_none_stay_for_ever() {
        let browser: SecretId = "QAAAAAAAAAAAAA".parse().unwrap();
        let unknown = Unknown::default();
        assert!(!unknown.is_gone(browser, at(100)));
        assert!(!unknown.is_gone(browser, at(50)));
        assert!(unknown.is_gone(browser, at(60)));
    }
}
