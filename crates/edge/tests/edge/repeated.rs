//! Requests that come again with their `Idempotency-Key` while nobody knows what became of the first: nothing is carried out twice.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use serde_json::{Value, json};

use crate::providers::Gate;
use crate::world::{Answered, BASE, World};

/// A world in which nobody waits long for the core.
pub(crate) fn hasty() -> World {
    World::with(|settings| settings.answer_wait = Duration::from_millis(50))
}

/// From now on the core stands still, until the gate is open; then it does `last`.
pub(crate) fn held(world: &World, last: impl FnOnce() + Send + 'static) -> Gate {
    let gate = Gate::default();
    let held = gate.clone();
    let stands_still = move || {
        held.pass();
        last();
    };
    world.engine.knock(stands_still).unwrap();
    gate.reached();
    gate
}

/// What Ada is answered who sends this under that key.
async fn sent(world: &World, path: &str, body: &Value, key: &str) -> Answered {
    let request = Request::post(path)
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::AUTHORIZATION, format!("Bearer {}", world.admin))
        .header("idempotency-key", key)
        .body(Body::from(body.to_string()));
    world.send(request.unwrap()).await
}

/// Whether it is to be asked for again. PagerDuty's clients know no conflict.
fn is_under_way(answer: &Answered) -> bool {
    // By PagerDuty's front, whose clients repeat nothing else.
    let refused = [StatusCode::CONFLICT, StatusCode::SERVICE_UNAVAILABLE].contains(&answer.status);
    refused && answer.headers.contains_key(header::RETRY_AFTER)
}

/// The first answer that does not ask for patience.
async fn settled(world: &World, path: &str, body: &Value, key: &str) -> Answered {
    loop {
        let answer = sent(world, path, body, key).await;
        if !is_under_way(&answer) {
            return answer;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_known_yet_is_not_carried_out_again_and_is_told_once_it_is_known() {
    let world = hasty();
    let service = world.engine.read(|state| {
        let installation = state.installation.as_ref().unwrap();
        installation.default_service
    });
    let cal = json!({"name": "Cal", "email": "cal@example.org", "role": "responder"});
    let kind = "events_api_v2_inbound_integration";
    for (path, body) in [
        (format!("{BASE}/incidents"), json!({"title": "Down"})),
        // This goes on on a task of its own.
        (format!("{BASE}/users"), cal),
        // And this waits for its turn.
        (
            format!("/pagerduty/services/{service}/integrations"),
            json!({"integration": {"type": kind, "name": "Probe"}}),
        ),
    ] {
        let gate = held(&world, || {});
        let first = sent(&world, &path, &body, "one").await;
        let told = first.text();
        assert_eq!(first.status, StatusCode::SERVICE_UNAVAILABLE, "{told}");
        assert_eq!(first.headers[header::RETRY_AFTER], "1");
        assert!(told.contains("same Idempotency-Key"), "{told}");
        let meanwhile = sent(&world, &path, &body, "one").await;
        assert!(is_under_way(&meanwhile), "{path}: {}", meanwhile.text());
        gate.open();
        let again = settled(&world, &path, &body, "one").await;
        assert_eq!(again.status, StatusCode::CREATED, "{}", again.text());
        assert_eq!(again.headers["idempotency-replayed"], "true");
    }
    let incidents = world.get("/incidents").await.json();
    assert_eq!(incidents["items"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_stays_taken_where_the_core_ended_and_told_nobody_what_became_of_its_request() {
    let mut world = hasty();
    let gate = held(&world, || panic!("the core breaks off"));
    let (path, body) = (format!("{BASE}/incidents"), json!({"title": "Down"}));
    let first = sent(&world, &path, &body, "one").await;
    assert_eq!(first.status, StatusCode::SERVICE_UNAVAILABLE);
    gate.open();
    world.end_engine();
    let again = settled(&world, &path, &body, "one").await;
    assert_eq!(again.status, StatusCode::CONFLICT, "{}", again.text());
    assert!(again.text().contains("look, then use a new one"));
}

#[tokio::test]
async fn what_was_under_way_when_the_server_ended_is_not_waited_for() {
    let world = World::new();
    let (path, body) = (format!("{BASE}/incidents"), json!({"title": "Down"}));
    let first = sent(&world, &path, &body, "one").await;
    assert_eq!(first.status, StatusCode::CREATED);
    for (_, answer) in world.doors.once.lock().unwrap().values_mut() {
        *answer = None;
    }
    let again = sent(&world, &path, &body, "one").await;
    assert_eq!(again.status, StatusCode::CONFLICT, "{}", again.text());
    assert!(!again.headers.contains_key(header::RETRY_AFTER));
}

#[tokio::test]
async fn a_refusal_leaves_its_key_free() {
    let world = World::new();
    let path = format!("{BASE}/incidents");
    let refused = sent(&world, &path, &json!({"titel": "Down"}), "one").await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    let taken = sent(&world, &path, &json!({"title": "Down"}), "one").await;
    assert_eq!(taken.status, StatusCode::CREATED, "{}", taken.text());
}
