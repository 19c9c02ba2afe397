//! How many requests one API token may send, and what it is told about it.

use axum::http::{HeaderMap, StatusCode, header};
use serde_json::json;

use crate::fakes::START;
use crate::pagerduty::ask;
use crate::world::World;

fn told<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers[name].to_str().unwrap()
}

#[tokio::test]
async fn a_token_that_runs_wild_is_refused_until_it_has_waited_and_no_other_is() {
    let world = World::with(|settings| settings.token_requests_per_minute = 3);
    for left in ["2", "1", "0"] {
        let answer = world.get("/incidents").await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(
            told(&answer.headers, "ratelimit-policy"),
            "\"token\";q=3;w=60"
        );
        let expected = format!("\"token\";r={left};t=");
        let shown = told(&answer.headers, "ratelimit");
        assert!(shown.starts_with(&expected), "{shown}");
    }
    let refused = world.get("/incidents").await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(told(&refused.headers, "retry-after"), "20");
    assert_eq!(
        told(&refused.headers, "content-type"),
        "application/problem+json"
    );
    assert_eq!(told(&refused.headers, "ratelimit"), "\"token\";r=0;t=60");
    let other = world.call("GET", "/incidents", &world.bobs, None).await;
    assert_eq!(other.status, StatusCode::OK);
    *world.clock.0.lock().unwrap() = START.plus_ms(20_000);
    assert_eq!(world.get("/incidents").await.status, StatusCode::OK);
}

#[tokio::test]
async fn what_reports_an_outage_and_who_sits_at_a_browser_are_not_counted() {
    let world = World::with(|settings| settings.token_requests_per_minute = 1);
    for n in 0..3 {
        let alert = json!({"action": "trigger", "dedup_key": format!("disk {n}"), "summary": "a disk is full",
            "severity": "error", "source": "db-1"});
        let answer = world.post("/alerts", alert).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text());
        assert!(!answer.headers.contains_key("ratelimit"));
    }
    let (cookie, _) = world.sign_in().await;
    for _ in 0..3 {
        let request = axum::http::Request::get(format!("{}/incidents", crate::world::BASE))
            .header(header::COOKIE, &cookie)
            .body(axum::body::Body::empty());
        let answer = world.send(request.unwrap()).await;
        assert_eq!(answer.status, StatusCode::OK);
    }
}

/// The text of a token of Ada's that may send so many requests within a minute.
async fn kept_to(world: &World, per_minute: u32) -> String {
    let body = json!({"name": "t", "role": "admin", "requests_per_minute": per_minute});
    let made = world.post("/api-tokens", body).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    assert_eq!(made.json()["requests_per_minute"], per_minute);
    made.json()["token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_token_with_a_limit_of_its_own_is_kept_to_it_and_told() {
    let world = World::new();
    let token = kept_to(&world, 2).await;
    for left in ["1", "0"] {
        let answer = world.call("GET", "/incidents", &token, None).await;
        assert_eq!(answer.status, StatusCode::OK);
        let policy = told(&answer.headers, "ratelimit-policy");
        assert_eq!(policy, "\"token\";q=2;w=60");
        let expected = format!("\"token\";r={left};t=");
        let shown = told(&answer.headers, "ratelimit");
        assert!(shown.starts_with(&expected), "{shown}");
    }
    let refused = world.call("GET", "/incidents", &token, None).await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(told(&refused.headers, "retry-after"), "30");
    assert_eq!(world.get("/incidents").await.status, StatusCode::OK);
}

#[tokio::test]
async fn fronts_keep_a_token_to_its_own_limit_in_the_words_of_their_clients() {
    let world = World::new();
    let token = kept_to(&world, 1).await;
    for (path, status) in [
        ("/api/v1/status/buildinfo", StatusCode::OK),
        ("/api/v1/status/buildinfo", StatusCode::TOO_MANY_REQUESTS),
        ("/api/v2/silences", StatusCode::TOO_MANY_REQUESTS),
    ] {
        let answer = world.call_at("GET", path, &token, None).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.text());
        let policy = told(&answer.headers, "ratelimit-policy");
        assert_eq!(policy, "\"token\";q=1;w=60");
        if status != StatusCode::OK {
            let is_theirs = told(&answer.headers, "content-type") == "application/json";
            assert!(
                is_theirs && answer.headers.contains_key("retry-after"),
                "{path}"
            );
        }
    }
    let token = kept_to(&world, 2).await;
    for (status, left) in [(200, "1"), (200, "0"), (429, "0")] {
        let answer = ask(&world, ("GET", "/abilities"), &token, None, None).await;
        assert_eq!(answer.status.as_u16(), status);
        assert_eq!(told(&answer.headers, "ratelimit-limit"), "2");
        assert_eq!(told(&answer.headers, "ratelimit-remaining"), left);
    }
    // No limit of a token costs an alert.
    let token = kept_to(&world, 1).await;
    for n in 0..3 {
        let alert = json!({"action": "trigger", "dedup_key": format!("disk {n}"), "summary": "a disk is full",
            "severity": "error", "source": "db-1"});
        let answer = world.call("POST", "/alerts", &token, Some(alert)).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text());
    }
}
