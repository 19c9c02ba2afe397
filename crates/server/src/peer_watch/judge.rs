//! Whether what a peer answered to "are you able to page?" is good enough. Pure.

use serde::Deserialize;

/// An audit is made every 30 s.
const AUDIT_AGE_MS_MAX: u64 = 120_000;
/// A canary comes through every 5 minutes.
const CANARY_AGE_MS_MAX: u64 = 420_000;
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
#[derive(Deserialize)]
struct Readiness {
    able_to_page: bool,
    #[serde(default)]
    reasons: Vec<String>,
    #[serde(default)]
    audit_age_ms: Option<u64>,
    #[serde(default)]
    canary_age_ms: Option<u64>,
}

/// What is wrong with the peer; nothing when it is able to page.
pub(crate) fn trouble(answer: &Answer) -> Option<String> {
    let (status, body) = match answer {
        Answer::None(why) => return Some(format!("it cannot be asked: {}", plain(why))),
        Answer::Http { status, body } => (*status, body),
    };
    let Ok(readiness) = serde_json::from_slice::<Readiness>(body) else {
        return Some(format!(
            "it answers HTTP {status}, and not as a Tocsin does"
        ));
    };
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
    let age = old(readiness.canary_age_ms, CANARY_AGE_MS_MAX)?;
    let seconds = age / 1_000;
    Some(format!("its canary has not come through for {seconds} s"))
}

/// Foreign words on one line.
fn plain(text: &str) -> String {
    tocsin_wire::page_message::one_line(text, WORDS_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(status: u16, body: &str, expected: Option<&str>) {
        let body = body.as_bytes().to_vec();
        let found = trouble(&Answer::Http { status, body });
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
        let none = Answer::None("refused".to_owned());
        assert_eq!(trouble(&none).unwrap(), "it cannot be asked: refused");
    }
}
