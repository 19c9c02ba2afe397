//! Whether what a peer answered to "are you able to page?" is good enough. Pure.

use std::time::Duration;

use serde::Deserialize;

/// An audit is made every 30 s.
const AUDIT_AGE_MS_MAX: u64 = 120_000;
/// A canary comes through every 5 minutes.
const CANARY_AGE_MS_MAX: u64 = 420_000;
/// A server that has just started has no audit and no canary yet: the first of both come after some 5 to 25 seconds.
const START_MAX: Duration = Duration::from_secs(60);
/// Characters of foreign words that are passed on.
const WORDS_MAX: usize = 200;

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Nothing, and why.
    None(String),
    /// An answer of this status.
    Http {
        /// The status.
        status: u16,
        /// The body.
        body: Vec<u8>,
    },
}

/// `/readyz`, as far as it is looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub(crate) struct Readiness {
    pub(crate) able_to_page: bool,
    #[serde(default)]
    pub(crate) reasons: Vec<String>,
    #[serde(default)]
    pub(crate) audit_age_ms: Option<u64>,
    #[serde(default)]
    pub(crate) canary_age_ms: Option<u64>,
    #[serde(default)]
    pub(crate) watched_as: Option<String>,
}

/// What came back, as it is understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// Nothing came, and why.
    Nothing(String),
    /// Something that no Tocsin answers, with this status.
    Foreign(u16),
    /// How the peer says that it is, with this status.
    Told(u16, Readiness),
}

impl Reading {
    pub(crate) fn of(answer: Answer) -> Self {
        match answer {
            Answer::None(why) => Self::Nothing(why),
            Answer::Http { status, body } => match serde_json::from_slice(&body) {
                Ok(readiness) => Self::Told(status, readiness),
                Err(_) => Self::Foreign(status),
            },
        }
    }

    /// Whether the peer took the token that it was shown; nothing where it says nothing at all.
    pub(crate) fn took_token(&self) -> Option<bool> {
        match self {
            Self::Nothing(_) | Self::Foreign(_) => None,
            Self::Told(_, readiness) => Some(readiness.watched_as.is_some()),
        }
    }
}

/// Judges one answer after the other.
#[derive(Default)]
pub(crate) struct Judge {
    /// Since when answers lack the audit or the canary. No answer at all changes nothing about that, so that a server which starts over
    /// and over is not always a new one.
    unseen_since: Option<Duration>,
}

impl Judge {
    /// What is wrong with the peer; nothing when it is able to page. `at` is the time that this command has run.
    pub(crate) fn trouble(&mut self, reading: &Reading, at: Duration) -> Option<String> {
        let (status, readiness) = match reading {
            Reading::Nothing(why) => return Some(format!("it cannot be asked: {}", plain(why))),
            Reading::Foreign(status) => {
                return Some(format!(
                    "it answers HTTP {status}, and not as a Tocsin does"
                ));
            }
            Reading::Told(status, readiness) => (*status, readiness),
        };
        let unseen = self.unseen(readiness, at);
        if !readiness.able_to_page {
            let reasons = plain(&readiness.reasons.join(", "));
            return Some(format!("it says that it is not able to page: {reasons}"));
        }
        if !(200..300).contains(&status) {
            return Some(format!("it answers HTTP {status}"));
        }
        let old = |age: Option<u64>, max: u64| age.filter(|age| *age > max);
        if let Some(age) = old(readiness.audit_age_ms, AUDIT_AGE_MS_MAX) {
            let seconds = age / 1_000;
            return Some(format!("its auditor has not looked for {seconds} s"));
        }
        if let Some(age) = old(readiness.canary_age_ms, CANARY_AGE_MS_MAX) {
            let seconds = age / 1_000;
            return Some(format!("its canary has not come through for {seconds} s"));
        }
        unseen
    }

    /// What the answer lacks, for longer than a start may take.
    fn unseen(&mut self, readiness: &Readiness, at: Duration) -> Option<String> {
        let what = if readiness.audit_age_ms.is_none() {
            "its auditor has never looked"
        } else if readiness.canary_age_ms.is_none() {
            "its canary has never come through"
        } else {
            self.unseen_since = None;
            return None;
        };
        let since = *self.unseen_since.get_or_insert(at);
        let is_late = at.saturating_sub(since) > START_MAX;
        is_late.then(|| format!("{what}, which takes less than a minute after a start"))
    }
}

/// Foreign words on one line.
fn plain(text: &str) -> String {
    tocsin_wire::page_message::one_line(text, WORDS_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Reading {
        let body = body.as_bytes().to_vec();
        Reading::of(Answer::Http { status, body })
    }

    fn refused() -> Reading {
        Reading::of(Answer::None("refused".to_owned()))
    }

    #[track_caller]
    fn check(status: u16, body: &str, expected: Option<&str>) {
        let found = Judge::default().trouble(&answer(status, body), Duration::ZERO);
        match (found, expected) {
            (None, None) => {}
            (Some(found), Some(expected)) => assert!(found.contains(expected), "{found}"),
            (found, expected) => panic!("{found:?} instead of {expected:?}"),
        }
    }

    #[test]
    fn a_peer_is_well_only_when_it_says_so_and_its_audit_and_canary_are_fresh() {
        check(200, r#"{"able_to_page":true,"reasons":[]}"#, None);
        let fresh =
            r#"{"able_to_page":true,"reasons":[],"audit_age_ms":30000,"canary_age_ms":300000}"#;
        check(200, fresh, None);
        let old = r#"{"able_to_page":true,"audit_age_ms":121000}"#;
        check(200, old, Some("auditor has not looked for 121 s"));
        let old = r#"{"able_to_page":true,"audit_age_ms":null,"canary_age_ms":421000}"#;
        check(200, old, Some("canary has not come through for 421 s"));
        let unable = r#"{"able_to_page":false,"reasons":["engine","audit\u001b[2J"]}"#;
        check(503, unable, Some("not able to page: engine, audit [2J"));
        check(502, "<html>", Some("HTTP 502"));
        check(200, "ok", Some("not as a Tocsin does"));
        check(500, r#"{"able_to_page":true}"#, Some("HTTP 500"));
        let found = Judge::default().trouble(&refused(), Duration::ZERO);
        assert_eq!(found.unwrap(), "it cannot be asked: refused");
    }

    #[test]
    fn a_peer_that_does_not_take_the_token_is_no_less_well_and_known() {
        let well = r#"{"able_to_page":true,"watched_as":null}"#;
        check(200, well, None);
        assert_eq!(answer(200, well).took_token(), Some(false));
        let older = r#"{"able_to_page":true}"#;
        assert_eq!(answer(200, older).took_token(), Some(false));
        let known = r#"{"able_to_page":false,"watched_as":"eye"}"#;
        assert_eq!(answer(503, known).took_token(), Some(true));
        assert_eq!(answer(502, "<html>").took_token(), None);
        assert_eq!(refused().took_token(), None);
    }

    #[test]
    fn a_peer_whose_audit_and_canary_do_not_come_is_unwell_once_its_start_is_over() {
        let mut judge = Judge::default();
        let mut at = |second: u64, body: &str| {
            let found = judge.trouble(&answer(200, body), Duration::from_secs(second));
            found.unwrap_or_default()
        };
        let fresh = r#"{"able_to_page":true,"audit_age_ms":0,"canary_age_ms":0}"#;
        let starts = r#"{"able_to_page":true,"audit_age_ms":null,"canary_age_ms":null}"#;
        let audited = r#"{"able_to_page":true,"audit_age_ms":0,"canary_age_ms":null}"#;
        assert_eq!(at(0, fresh), "");
        assert_eq!(at(100, starts), "");
        assert_eq!(at(160, starts), "");
        assert!(at(161, starts).contains("auditor has never looked"));
        assert!(at(162, audited).contains("canary has never come through"));
        assert_eq!(at(163, fresh), "");
        assert_eq!(at(164, starts), "");
    }

    #[test]
    fn a_peer_that_starts_over_and_over_is_not_always_a_new_one() {
        let mut judge = Judge::default();
        let starts = answer(200, r#"{"able_to_page":true}"#);
        assert_eq!(judge.trouble(&starts, Duration::ZERO), None);
        let down = judge.trouble(&refused(), Duration::from_secs(30));
        assert!(down.is_some());
        assert!(judge.trouble(&starts, Duration::from_secs(61)).is_some());
    }
}
