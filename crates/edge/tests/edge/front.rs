//! PagerDuty's Events API v2, and the limits that every body meets.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use serde_json::json;
use tocsin_engine::NotDurable;

use crate::fakes::START;
use crate::world::{BASE, ROUTING_KEY, World, trigger};

#[tokio::test]
async fn an_event_is_accepted_once_it_is_kept() {
    let world = World::new();
    let before = world.journal.events.lock().unwrap().len();
    let answer = world.enqueue(&trigger("web")).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    assert_eq!(answer.json()["dedup_key"], "web");
    assert_eq!(answer.json()["status"], "success");
    assert!(world.journal.events.lock().unwrap().len() > before);
}

#[tokio::test]
async fn a_full_disk_is_no_success() {
    let world = World::new();
    *world.journal.refusal.lock().unwrap() = Some(NotDurable {
        why: "the disk is full".to_owned(),
        disk_full: true,
    });
    let answer = world.enqueue(&trigger("web")).await;
    // PagerDuty's clients try again after 503 and not after 507.
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer.headers.contains_key("retry-after"));
    assert!(answer.text().contains("the disk is full"));
    let native = world.post("/incidents", json!({"title": "x"})).await;
    assert_eq!(native.status, StatusCode::INSUFFICIENT_STORAGE);
    *world.journal.refusal.lock().unwrap() = Some(NotDurable {
        why: "I/O".to_owned(),
        disk_full: false,
    });
    assert_eq!(
        world.enqueue(&trigger("web")).await.status,
        StatusCode::SERVICE_UNAVAILABLE
    );
    *world.journal.refusal.lock().unwrap() = None;
    assert_eq!(
        world.enqueue(&trigger("web")).await.status,
        StatusCode::ACCEPTED
    );
}

#[tokio::test]
async fn events_with_one_key_are_one_incident_until_it_is_resolved() {
    let world = World::new();
    let first = world.raise("web").await;
    assert_eq!(world.raise("web").await, first);
    let resolve =
        json!({"routing_key": ROUTING_KEY, "event_action": "resolve", "dedup_key": "web"});
    assert_eq!(world.enqueue(&resolve).await.status, StatusCode::ACCEPTED);
    assert_eq!(
        world.get(&format!("/incidents/{first}")).await.json()["status"],
        "resolved"
    );
    assert_eq!(
        world.enqueue(&resolve).await.status,
        StatusCode::ACCEPTED,
        "one that matches nothing is accepted too"
    );
    assert_ne!(world.raise("web").await, first);
}

#[tokio::test]
async fn a_trigger_without_a_key_is_given_one() {
    let world = World::new();
    let mut event = trigger("x");
    event.as_object_mut().unwrap().remove("dedup_key");
    let answer = world.enqueue(&event).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    assert!(!answer.json()["dedup_key"].as_str().unwrap().is_empty());
}

#[tokio::test]
async fn an_unknown_or_malformed_key_and_a_broken_event_get_reasons() {
    let world = World::new();
    let mut unknown = trigger("x");
    unknown["routing_key"] = json!("0".repeat(32));
    for event in [
        unknown,
        json!({}),
        json!([]),
        json!({"routing_key": ROUTING_KEY, "event_action": "explode"}),
    ] {
        let answer = world.enqueue(&event).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{event}");
        assert_eq!(answer.json()["status"], "invalid event");
        assert!(!answer.json()["errors"].as_array().unwrap().is_empty());
    }
}

#[tokio::test]
async fn the_hundred_and_twenty_first_event_of_a_minute_has_to_wait() {
    let world = World::new();
    for _ in 0..120 {
        assert_eq!(
            world.enqueue(&trigger("web")).await.status,
            StatusCode::ACCEPTED
        );
    }
    let refused = world.enqueue(&trigger("web")).await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(refused.headers[header::RETRY_AFTER], "60");
    *world.clock.0.lock().unwrap() = START.plus_ms(60_000);
    assert_eq!(
        world.enqueue(&trigger("web")).await.status,
        StatusCode::ACCEPTED
    );
}

#[tokio::test]
async fn bodies_that_are_too_large_are_refused() {
    let world = World::new();
    let send = async |path: &str, bytes: usize, told: bool| {
        let mut request = Request::post(path)
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::AUTHORIZATION, format!("Bearer {}", world.admin));
        if told {
            request = request.header(header::CONTENT_LENGTH, bytes);
        }
        world
            .send(request.body(Body::from(vec![b' '; bytes])).unwrap())
            .await
            .status
    };
    for told in [true, false] {
        assert_eq!(
            send("/v2/enqueue", 512 * 1_024 + 1, told).await,
            StatusCode::PAYLOAD_TOO_LARGE
        );
        assert_eq!(
            send(&format!("{BASE}/incidents"), 1_024 * 1_024 + 1, told).await,
            StatusCode::PAYLOAD_TOO_LARGE
        );
    }
    let huge = Request::post("/v2/enqueue")
        .header(header::CONTENT_LENGTH, 1_u64 << 30)
        .body(Body::empty())
        .unwrap();
    assert_eq!(world.send(huge).await.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn a_repeated_request_with_its_key_is_carried_out_once() {
    let world = World::new();
    let send = async |key: &str, title: &str, token: &str| {
        let request = Request::post(format!("{BASE}/incidents"))
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .header("idempotency-key", key);
        world
            .send(
                request
                    .body(Body::from(json!({"title": title}).to_string()))
                    .unwrap(),
            )
            .await
    };
    let first = send("one", "Down", &world.admin).await;
    assert_eq!(first.status, StatusCode::CREATED);
    let again = send("one", "Down", &world.admin).await;
    assert_eq!(
        (again.status, again.json()["id"].clone()),
        (StatusCode::CREATED, first.json()["id"].clone())
    );
    assert_eq!(
        send("one", "Other", &world.admin).await.status,
        StatusCode::BAD_REQUEST
    );
    assert_ne!(
        send("two", "Down", &world.admin).await.json()["id"],
        first.json()["id"]
    );
    assert_ne!(
        send("one", "Down", &world.bobs).await.json()["id"],
        first.json()["id"],
        "another's key is another key"
    );

    let taken = async {
        while world.doors.once.lock().unwrap().len() < 4 {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        biased;
        () = taken => {}
        _ = send("hung up", "Down", &world.admin) => {}
    }
    let again = loop {
        let answer = send("hung up", "Down", &world.admin).await;
        if answer.status != StatusCode::CONFLICT {
            break answer;
        }
    };
    assert_eq!(again.status, StatusCode::CREATED);
    assert_eq!(
        again.headers["idempotency-replayed"], "true",
        "a client that hung up finds the answer"
    );
}

#[tokio::test]
async fn a_method_that_a_path_does_not_take_is_refused_with_those_that_it_takes() {
    let world = World::new();
    for (method, path, expected) in [
        ("DELETE", "/v2/enqueue", "POST"),
        ("GET", "/pagerduty/v2/change/enqueue", "POST"),
        ("DELETE", "/services", "GET,HEAD,POST"),
        ("PATCH", "/pagerduty/services/P1", "DELETE,GET,HEAD,PUT"),
        ("DELETE", "/api/v2/alerts", "GET,HEAD,POST"),
        ("POST", "/api/v2/status", "GET,HEAD"),
        ("POST", "/alertmanager/api/v2/silence/1", "DELETE,GET,HEAD"),
        ("DELETE", "/v2/alerts/a", "GET,HEAD"),
    ] {
        let request = Request::builder().method(method).uri(path);
        let answer = world.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{path}");
        let told = answer.headers[header::ALLOW].to_str().unwrap();
        let mut told: Vec<&str> = told.split(',').collect();
        told.sort_unstable();
        assert_eq!(told.join(","), expected, "{path}");
    }
}
