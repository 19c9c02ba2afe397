//! Answers whose words come late, break off or never end: what may have been taken is no failure.

use std::time::Duration;

use tocsin_domain::page::Outcome;

use crate::channels::{EVERY, page_within};
use crate::providers::{Provider, Reply};

/// Longer than words are waited for where the status decides.
const LATE: Duration = Duration::from_millis(1_200);
/// Longer than any test takes.
const NEVER: Duration = Duration::from_secs(60);

async fn check(kind: &str, address: &str, reply: Reply, attempt_wait: Duration, expected: Outcome) {
    let provider = Provider::always(reply.clone());
    let (_, outcome, detail) = page_within(&provider, kind, address, attempt_wait).await;
    assert_eq!(outcome, expected, "{kind} {reply:?}: {detail}");
}

#[tokio::test(flavor = "multi_thread")]
async fn words_that_come_late_still_say_that_it_was_taken() {
    let said = [
        r#"{"ok":true}"#,
        r#"{"ok":true,"result":{}}"#,
        r#"{"status":1,"request":"r"}"#,
        r#"{"sid":"SM0123456789abcdef0123456789abcdef","status":"queued"}"#,
    ];
    for ((kind, address), said) in EVERY.into_iter().zip(said) {
        let reply = Reply::Late(201, LATE, said.to_owned());
        let patience = Duration::from_secs(10);
        check(kind, address, reply, patience, Outcome::Accepted).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_success_whose_words_break_off_may_have_been_taken() {
    for (kind, address) in &EVERY[..5] {
        let reply = Reply::Broken(201, r#"{"ok":true,"sid":"#.to_owned());
        let patience = Duration::from_secs(10);
        check(kind, address, reply, patience, Outcome::TimedOut).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_success_whose_words_never_end_may_have_been_taken() {
    let reply = Reply::Late(201, NEVER, "{}".to_owned());
    let patience = Duration::from_millis(1_500);
    let (kind, address) = EVERY[3];
    check(kind, address, reply, patience, Outcome::TimedOut).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_status_decides_the_words_are_not_waited_for() {
    let (sms, pagerduty) = (EVERY[3], EVERY[5]);
    for ((kind, address), status, expected) in [
        (sms, 403, Outcome::Refused),
        (sms, 500, Outcome::Failed),
        (pagerduty, 202, Outcome::Accepted),
    ] {
        let reply = Reply::Late(status, NEVER, "{}".to_owned());
        let patience = Duration::from_secs(10);
        check(kind, address, reply, patience, expected).await;
    }
}
