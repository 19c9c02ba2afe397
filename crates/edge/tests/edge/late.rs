//! Answers whose words come late, break off or never end: what may have been taken is no failure.

use std::sync::Arc;
use std::time::Duration;

use tocsin_domain::page::Outcome;
use tocsin_edge::delivery::pace::Wait;

use crate::buttons::loopback;
use crate::channels::{EVERY, reached_by};
use crate::pace::HandPace;
use crate::providers::{Gate, Provider, Reply};

/// Pages Ada by one channel. Once the request is there `meanwhile` is done, and then the attempt ends as expected.
async fn check(
    (kind, address): (&str, &str),
    reply: Reply,
    meanwhile: impl FnOnce(&HandPace),
    expected: Outcome,
) -> Arc<HandPace> {
    let provider = Provider::always(reply.clone());
    let world = reached_by(&provider, kind, address).await;
    let pace = HandPace::new();
    let delivery = world.deliver_at(loopback(), &pace);
    world.raise("web").await;
    tokio::task::block_in_place(|| provider.next());
    meanwhile(&pace);
    let (outcome, detail) = tokio::task::block_in_place(|| world.first_outcome());
    delivery.stop();
    assert_eq!(outcome, expected, "{kind} {reply:?}: {detail}");
    pace
}

#[tokio::test(flavor = "multi_thread")]
async fn words_that_come_late_still_say_that_it_was_taken() {
    let [slack, telegram, pushover, sms, _, pagerduty] = EVERY;
    let twilio = r#"{"sid":"SM0123456789abcdef0123456789abcdef","status":"queued"}"#;
    for (channel, status, said) in [
        (slack, 201, r#"{"ok":true}"#),
        (telegram, 201, r#"{"ok":true,"result":{}}"#),
        (pushover, 201, r#"{"status":1,"request":"r"}"#),
        (sms, 201, twilio),
        (pagerduty, 202, r#"{"status":"success"}"#),
    ] {
        let gate = Gate::default();
        let reply = Reply::Held(status, gate.clone(), said.to_owned());
        let meanwhile = |pace: &HandPace| {
            gate.reached();
            // Longer than words are waited for where the status decides.
            pace.advance(Duration::from_secs(10));
            gate.open();
        };
        let pace = check(channel, reply, meanwhile, Outcome::Accepted).await;
        assert!(!pace.has_begun(Wait::Words), "{channel:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_success_whose_words_break_off_may_have_been_taken() {
    for channel in EVERY {
        let reply = Reply::Broken(201, r#"{"ok":true,"sid":"#.to_owned());
        check(channel, reply, |_| {}, Outcome::TimedOut).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_success_whose_words_never_end_may_have_been_taken() {
    let gate = Gate::default();
    let reply = Reply::Held(201, gate.clone(), "{}".to_owned());
    let meanwhile = |pace: &HandPace| {
        gate.reached();
        pace.attempt_runs_out();
    };
    check(EVERY[3], reply, meanwhile, Outcome::TimedOut).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_status_decides_the_words_are_not_waited_for() {
    let sms = EVERY[3];
    for (status, expected) in [(403, Outcome::Refused), (500, Outcome::Failed)] {
        let reply = Reply::Held(status, Gate::default(), "{}".to_owned());
        // What has come by then is enough.
        let meanwhile = |pace: &HandPace| pace.advance(pace.begun(Wait::Words));
        check(sms, reply, meanwhile, expected).await;
    }
}
