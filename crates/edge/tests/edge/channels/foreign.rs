//! Whoever answers well and not as the provider would has taken nothing.

use tocsin_domain::page::Outcome;

use super::{EVERY, page};
use crate::providers::{Provider, Reply};

#[tokio::test(flavor = "multi_thread")]
async fn a_success_in_another_form_than_the_providers_is_none() {
    let hotel = "<html>Welcome to the hotel's network</html>";
    // PagerDuty has a status of its own for what it took.
    let pagerduty = [(202, hotel), (200, r#"{"status":"success"}"#)];
    let pagerduty = pagerduty.map(|(status, said)| (EVERY[5], status, said));
    let every = EVERY.map(|way| (way, 200, hotel));
    for ((kind, address), status, said) in every.into_iter().chain(pagerduty) {
        let provider = Provider::always(Reply::json(status, said));
        let (_, outcome, detail) = page(&provider, kind, address).await;
        assert_eq!(outcome, Outcome::Failed, "{kind} {status}: {detail}");
    }
    // An incoming webhook of Slack says one word, and nothing else is one.
    for (status, said) in [
        (200, hotel),
        (200, r#"{"ok":false}"#),
        (200, "OK"),
        (200, ""),
        (204, ""),
        (202, "ok"),
    ] {
        let (outcome, detail) = by_hook(Reply::json(status, said)).await;
        assert_eq!(outcome, Outcome::Failed, "{status} {said}: {detail}");
        let told = format!("HTTP {status}, but not in the form of the provider: {said}");
        assert_eq!(detail, told.trim_end_matches(": "));
    }
}

/// Pages Ada by an incoming webhook of Slack.
async fn by_hook(reply: Reply) -> (Outcome, String) {
    let provider = Provider::always(reply);
    let hook = format!("{}/services/T0/B0/SECRETHOOK", provider.url());
    let (_, outcome, detail) = page(&provider, "slack", &hook).await;
    (outcome, detail)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_of_slack_that_is_gone_is_told_in_its_words_without_its_secret() {
    let (outcome, detail) = by_hook(Reply::json(404, "no_service")).await;
    assert_eq!(
        (outcome, detail.as_str()),
        (Outcome::Refused, "HTTP 404 no_service")
    );
    let (_, detail) = by_hook(Reply::json(200, "at /services/T0/B0/SECRETHOOK")).await;
    assert!(!detail.contains("SECRETHOOK"), "{detail}");
}
