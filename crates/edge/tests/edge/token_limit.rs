//! How many requests one API token may send, and what it is told about it.

use axum::http::{HeaderMap, StatusCode, header};
use serde_json::json;

use crate::fakes::START;
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
