//! How an attempt went, as the core is told; and what the status of an HTTP answer means for it.

use reqwest::StatusCode;
use tocsin_domain::page::{Outcome, Via};
use tocsin_domain::time::Timestamp;

use super::exchange::Answered;

/// How an attempt went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Report {
    pub(crate) outcome: Outcome,
    /// The provider's words, or what went wrong.
    pub(crate) detail: String,
    /// How long the provider wants to be left alone.
    pub(crate) retry_after_ms: Option<u64>,
    /// What the provider calls the message, where it can be asked for it.
    pub(crate) reference: Option<String>,
    /// Whether it was refused because of whom it goes to, so that no other account could do better.
    pub(crate) of_receiver: bool,
    /// Whether the address that it goes to is gone for ever.
    pub(crate) is_gone: bool,
    /// By which account it went, where its channel may have several.
    pub(crate) via: Option<Box<Via>>,
    /// Whether nothing was sent.
    pub(crate) not_tried: bool,
    /// Whether that was because nobody wanted it any more.
    pub(crate) is_moot: bool,
}

impl Report {
    pub(crate) fn new(outcome: Outcome, detail: impl Into<String>) -> Self {
        Self {
            outcome,
            detail: detail.into(),
            retry_after_ms: None,
            reference: None,
            of_receiver: false,
            is_gone: false,
            via: None,
            not_tried: false,
            is_moot: false,
        }
    }

    /// Nothing was sent.
    pub(crate) fn not_tried(detail: impl Into<String>) -> Self {
        Self {
            not_tried: true,
            ..Self::failed(detail)
        }
    }

    /// Nothing was sent, since nobody wants it any more.
    pub(crate) fn moot(why: &str) -> Self {
        Self {
            is_moot: true,
            ..Self::not_tried(why)
        }
    }

    /// Nothing was sent to whoever asked to be left alone for so long, which is over at `until`.
    pub(crate) fn put_off(wait_ms: u64, until: Timestamp) -> Self {
        let until = until.to_rfc3339();
        // Without the day: it is a minute at most.
        let time = until.get(11..19).unwrap_or(&until);
        Self {
            retry_after_ms: Some(wait_ms),
            ..Self::not_tried(format!("its provider asked to wait until {time} UTC"))
        }
    }

    /// The provider took it.
    pub(crate) fn accepted(detail: impl Into<String>) -> Self {
        Self::new(Outcome::Accepted, detail)
    }

    /// It may work later.
    pub(crate) fn failed(detail: impl Into<String>) -> Self {
        Self::new(Outcome::Failed, detail)
    }

    /// It will not work by this way.
    pub(crate) fn refused(detail: impl Into<String>) -> Self {
        Self::new(Outcome::Refused, detail)
    }

    /// What an answer's status says, with these words of whoever answered. Whoever limits is left alone for as long as it
    /// asks, and the other way is used meanwhile.
    pub(crate) fn of_status(answered: &Answered, words: &str) -> Self {
        let status = answered.status;
        let outcome = if status.is_success() {
            Outcome::Accepted
        } else if status.is_server_error() || is_worth_another_try(status) {
            Outcome::Failed
        } else {
            Outcome::Refused
        };
        let redirect = if status.is_redirection() {
            " (redirects are not followed)"
        } else {
            ""
        };
        let space = if words.is_empty() { "" } else { " " };
        let asked = answered.retry_after_ms;
        let limits = status == StatusCode::TOO_MANY_REQUESTS;
        let detail = format!("HTTP {}{redirect}{space}{words}", status.as_u16());
        Self {
            retry_after_ms: asked
                .or(limits.then_some(0))
                .filter(|_| outcome == Outcome::Failed),
            ..Self::new(outcome, detail)
        }
    }

    /// What whoever answers in another form than the provider's says: a success of theirs is none of ours.
    pub(crate) fn foreign(answered: &Answered) -> Self {
        let mut report = Self::of_status(answered, "");
        if report.outcome == Outcome::Accepted {
            report.outcome = Outcome::Failed;
            report
                .detail
                .push_str(", but not in the form of the provider");
        }
        report
    }
}

fn is_worth_another_try(status: StatusCode) -> bool {
    [
        StatusCode::REQUEST_TIMEOUT,
        StatusCode::TOO_EARLY,
        StatusCode::TOO_MANY_REQUESTS,
    ]
    .contains(&status)
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderMap;

    use super::*;

    fn check(status: u16, retry_after_ms: Option<u64>, expected: (Outcome, Option<u64>)) {
        let answered = Answered {
            status: StatusCode::from_u16(status).unwrap(),
            retry_after_ms,
            headers: HeaderMap::new(),
            body: Vec::new(),
        };
        let report = Report::of_status(&answered, "");
        assert_eq!(
            (report.outcome, report.retry_after_ms),
            expected,
            "{status}"
        );
    }

    #[test]
    fn what_is_put_off_says_until_when() {
        let until = Timestamp::from_millis(1_723_950_727_041);
        let report = Report::put_off(30_000, until);
        assert_eq!(
            report.detail,
            "its provider asked to wait until 03:12:07 UTC"
        );
        assert_eq!(
            (report.outcome, report.retry_after_ms, report.not_tried),
            (Outcome::Failed, Some(30_000), true)
        );
    }

    #[test]
    fn whoever_limits_is_left_alone_and_whoever_refuses_is_not_asked_again() {
        check(201, None, (Outcome::Accepted, None));
        check(429, Some(5_000), (Outcome::Failed, Some(5_000)));
        check(429, None, (Outcome::Failed, Some(0)));
        check(503, Some(2_000), (Outcome::Failed, Some(2_000)));
        check(503, None, (Outcome::Failed, None));
        check(404, Some(9_000), (Outcome::Refused, None));
        check(302, None, (Outcome::Refused, None));
    }
}
