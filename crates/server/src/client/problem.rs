//! What an answer that is not a success means, in words: what happened, every reason, what to do. It sends nothing.

use serde::Deserialize;

use super::failure::Failure;
use super::plain::Plain;

/// Reasons shown at most.
const REASONS_MAX: usize = 50;
/// Characters shown of an answer that is not ours.
const FOREIGN_CHARS_MAX: usize = 200;

/// A problem document (RFC 9457).
#[derive(Default, Deserialize)]
struct Problem {
    #[serde(default)]
    title: Plain,
    #[serde(default)]
    detail: Plain,
    #[serde(default)]
    errors: Vec<Plain>,
}

/// What is known of an answer that is not a success.
pub(super) struct Refusal<'a> {
    pub(super) status: u16,
    pub(super) body: &'a [u8],
    /// Seconds to wait, as the answer says.
    pub(super) retry_after: Option<Plain>,
    /// Where the answer sends us.
    pub(super) location: Option<Plain>,
    /// Whether a token was sent.
    pub(super) with_token: bool,
}

/// The failure that an answer means.
pub(super) fn failure(refusal: &Refusal<'_>) -> Failure {
    if let (300..=399, Some(location)) = (refusal.status, &refusal.location) {
        let text = format!(
            "the answer is a redirect to {location}, which is not followed with a token.\n  \
             Give that server's own address by --url."
        );
        return Failure::Refused(text);
    }
    let problem: Option<Problem> = serde_json::from_slice(refusal.body).ok();
    let mut text = match &problem {
        Some(problem) => told(problem, refusal.status),
        None => foreign(refusal),
    };
    if let Some(advice) = advice(refusal, problem.is_some()) {
        text.push_str("\n  ");
        text.push_str(&advice);
    }
    Failure::Refused(text)
}

fn told(problem: &Problem, status: u16) -> String {
    let reasons: Vec<&str> = problem
        .errors
        .iter()
        .take(REASONS_MAX)
        .map(Plain::as_str)
        .collect();
    let detail = problem.detail.as_str();
    // Some answers repeat their reasons as the detail.
    let repeats = !reasons.is_empty() && detail == reasons.join("; ");
    let main = match (detail, problem.title.as_str()) {
        ("", "") => format!("the server answered {status}"),
        ("", title) => title.to_owned(),
        // What is wrong, and where, comes first: the name of the status says neither.
        (detail, _) if repeats && reasons.len() == 1 => return detail.to_owned(),
        (_, _) if repeats => format!("{} things are wrong:", reasons.len()),
        (detail, _) => detail.to_owned(),
    };
    let listed = reasons
        .iter()
        .filter(|reason| **reason != detail)
        .map(|reason| format!("\n  - {reason}"));
    std::iter::once(main).chain(listed).collect()
}

fn foreign(refusal: &Refusal<'_>) -> String {
    let body = String::from_utf8_lossy(refusal.body);
    let begin: String = body.chars().take(FOREIGN_CHARS_MAX).collect();
    let begin = Plain::new(begin.trim());
    let status = refusal.status;
    if begin.as_str().is_empty() {
        format!("the server answered {status} without a reason")
    } else {
        format!("the server answered {status}: {begin}")
    }
}

fn advice(refusal: &Refusal<'_>, ours: bool) -> Option<String> {
    let text = match refusal.status {
        401 if refusal.with_token => {
            "Make another token under Settings in the browser, or let an administrator run `tocsin token create`."
        }
        401 => {
            "Give an API token by --token or in $TOCSIN_TOKEN. `tocsin setup` prints the first one; later ones are made under \
             Settings in the browser or by `tocsin token create`."
        }
        403 => {
            "This token may not do that. Use one with a higher role, or with more scopes; an administrator can make it by `tocsin token create`."
        }
        404 if !ours => "Is --url the address of a Tocsin server?",
        429 => {
            let wait = refusal.retry_after.as_ref()?;
            return Some(format!("Wait {wait} s, then try again."));
        }
        500..=599 => "Look at what `tocsin serve` logs, and at `tocsin doctor`.",
        _ => return None,
    };
    Some(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(status: u16, body: &str, with_token: bool, expected: &str) {
        let refusal = Refusal {
            status,
            body: body.as_bytes(),
            retry_after: None,
            location: None,
            with_token,
        };
        assert_eq!(failure(&refusal), Failure::Refused(expected.to_owned()));
    }

    #[test]
    fn every_reason_is_told() {
        check(
            400,
            r#"{"title":"Bad Request","detail":"host: empty; port: 0 is no port","errors":["host: empty","port: 0 is no port"]}"#,
            true,
            "2 things are wrong:\n  - host: empty\n  - port: 0 is no port",
        );
        check(
            400,
            r#"{"title":"Bad Request","detail":"text: 1 to 4000 characters","errors":["text: 1 to 4000 characters"]}"#,
            true,
            "text: 1 to 4000 characters",
        );
        check(
            409,
            r#"{"title":"Conflict","detail":"it is resolved already"}"#,
            true,
            "it is resolved already",
        );
        check(
            409,
            r#"{"detail":"two things","errors":["one","other"]}"#,
            true,
            "two things\n  - one\n  - other",
        );
        check(409, "{}", true, "the server answered 409");
    }

    #[test]
    fn a_refused_token_is_told_apart_from_a_missing_one() {
        let told = |with_token| {
            let body = br#"{"title":"Unauthorized","detail":"who are you?"}"#;
            let refusal = Refusal {
                status: 401,
                body,
                retry_after: None,
                location: None,
                with_token,
            };
            failure(&refusal).to_string()
        };
        assert!(
            told(false)
                .starts_with("who are you?\n  Give an API token by --token or in $TOCSIN_TOKEN.")
        );
        assert!(told(true).starts_with("who are you?\n  Make another token under Settings"));
    }

    #[test]
    fn an_answer_of_another_server_is_told_as_such() {
        check(
            404,
            "<html>\u{1b}[31mnot here</html>",
            false,
            "the server answered 404: <html>[31mnot here</html>\n  Is --url the address of a Tocsin server?",
        );
        check(418, " ", false, "the server answered 418 without a reason");
    }

    #[test]
    fn waiting_and_redirects_are_told() {
        let told = |status, retry_after: Option<&str>, location: Option<&str>| {
            let refusal = Refusal {
                status,
                body: br#"{"detail":"too many tries"}"#,
                retry_after: retry_after.map(Plain::new),
                location: location.map(Plain::new),
                with_token: false,
            };
            failure(&refusal).to_string()
        };
        assert_eq!(
            told(429, Some("7"), None),
            "too many tries\n  Wait 7 s, then try again."
        );
        assert_eq!(told(429, None, None), "too many tries");
        assert!(
            told(308, None, Some("https://else\u{1b}where/"))
                .contains("redirect to https://elsewhere/,")
        );
    }
}
