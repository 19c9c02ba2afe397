//! Changes that others tell of: by PagerDuty's change events and by the native API, and where they are shown.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::{Value, json};

use crate::pagerduty::{ada, read, refused, service};
use crate::world::{Answered, ROUTING_KEY, World, trigger};

fn change(summary: &str) -> Value {
    json!({"routing_key": ROUTING_KEY, "payload": {
        "summary": summary, "source": "ci", "custom_details": {"build": 7},
    }, "links": [{"href": "https://ci.example.org/7", "text": "Build"}],
    "images": [{"src": "https://ci.example.org/7.png", "alt": "Load"}]})
}

async fn tell(world: &World, body: &Value) -> Answered {
    let request = Request::post("/v2/change/enqueue").body(Body::from(body.to_string()));
    world.send(request.unwrap()).await
}

#[tokio::test]
async fn an_event_and_a_change_are_taken_by_a_key_in_the_header() {
    let world = World::new();
    for (path, mut body) in [
        ("/v2/enqueue", trigger("web")),
        ("/pagerduty/v2/change/enqueue", change("shop 1.2")),
    ] {
        body.as_object_mut().unwrap().remove("routing_key");
        for (key, expected) in [
            (ROUTING_KEY.to_owned(), StatusCode::ACCEPTED),
            ("0".repeat(32), StatusCode::BAD_REQUEST),
        ] {
            let request = Request::post(path).header("X-Routing-Key", key);
            let request = request.body(Body::from(body.to_string()));
            let answer = world.send(request.unwrap()).await;
            assert_eq!(answer.status, expected, "{path}: {}", answer.text());
        }
    }
    let listed = read(&world, "/change_events?total=true").await;
    assert_eq!(listed["total"], 1);
}

#[tokio::test]
async fn a_change_event_is_kept_and_shown_with_what_fails_after_it() {
    let world = World::new();
    let told = tell(&world, &change("shop 1.2")).await;
    assert_eq!(told.status, StatusCode::ACCEPTED, "{}", told.text());
    let answer = told.json();
    assert_eq!(answer["status"], "success");
    assert!(answer.get("dedup_key").is_none(), "{answer}");
    let listed = read(&world, "/change_events?total=true").await;
    assert_eq!(listed["total"], 1);
    let event = &listed["change_events"][0];
    assert_eq!(event["type"], "change_event");
    assert_eq!(event["summary"], "shop 1.2");
    assert_eq!(event["source"], "ci");
    assert_eq!(event["custom_details"], json!({"build": 7}));
    assert_eq!(event["links"][0]["text"], "Build");
    let image = json!({"src": "https://ci.example.org/7.png", "href": null, "alt": "Load"});
    assert_eq!(event["images"], json!([image]));
    assert_eq!(event["services"][0]["id"], service(&world)["id"]);
    let id = event["id"].as_str().unwrap();
    assert_eq!(id.len(), 26, "{id}");
    let own = id.trim_end_matches('0');
    for named in [id, own] {
        let one = read(&world, &format!("/change_events/{named}")).await;
        assert_eq!(&one["change_event"], event);
    }
    let of_service = service(&world)["id"].as_str().unwrap().to_owned();
    let path = format!("/services/{of_service}/change_events");
    assert_eq!(&read(&world, &path).await["change_events"][0], event);
    let none = read(&world, "/change_events?since=2099-01-01T00:00:00Z").await;
    assert_eq!(none["change_events"], json!([]));

    let incident = world.raise("web").await;
    let path = format!("/incidents/{incident}/related_change_events");
    let related = read(&world, &path).await;
    let related = &related["change_events"][0];
    assert_eq!(related["id"], id);
    assert_eq!(related["correlation_reason"]["reason"], "most_recent");
    let page = world.get(&format!("/incidents/{incident}")).await.json();
    assert_eq!(page["changes"][0]["title"], "shop 1.2", "{page}");
    let native = world.get("/changes").await.json();
    assert_eq!(native["items"][0]["id"], own);
    let missing = ada(&world, ("GET", "/change_events/QAAAAAAAAAAAAA"), None).await;
    refused(&missing, 404, 2100);
}

#[tokio::test]
async fn a_change_raises_nothing_and_a_broken_one_is_refused_as_there() {
    let world = World::new();
    tell(&world, &change("shop 1.2")).await;
    let incidents = world.get("/incidents").await.json();
    assert_eq!(incidents["items"], json!([]));
    let mut unknown = change("x");
    unknown["routing_key"] = json!("x".repeat(ROUTING_KEY.len()));
    let mut blank = change("x");
    blank["payload"]["summary"] = json!(" ");
    for body in [unknown, blank, json!({}), json!([])] {
        let answer = tell(&world, &body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body}");
        let json = answer.json();
        assert_eq!(json["status"], "invalid event");
        assert!(json["errors"].is_array(), "{json}");
    }
}

#[tokio::test]
async fn too_many_changes_keep_no_alert_of_the_same_key_out() {
    let world = World::with(|settings| settings.events_per_minute = 2);
    for _ in 0..2 {
        let told = tell(&world, &change("x")).await;
        assert_eq!(told.status, StatusCode::ACCEPTED);
    }
    let limited = tell(&world, &change("x")).await;
    assert_eq!(limited.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(limited.headers.contains_key("retry-after"));
    let alert = world.enqueue(&trigger("web")).await;
    assert_eq!(alert.status, StatusCode::ACCEPTED, "{}", alert.text());
}

#[tokio::test]
async fn a_change_is_told_of_by_the_native_api_and_listed_by_its_pages() {
    let world = World::new();
    for summary in ["one", "two"] {
        let body = json!({"summary": summary, "details": {"by": "ann"}});
        let made = world.call("POST", "/changes", &world.responder, Some(body));
        let made = made.await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
        assert_eq!(made.json()["details"], json!({"by": "ann"}));
    }
    let first = world.get("/changes?limit=1").await.json();
    assert_eq!(first["items"][0]["summary"], "two", "the last first");
    let cursor = first["next_cursor"].as_str().unwrap();
    let path = format!("/changes?limit=1&cursor={cursor}");
    let second = world.get(&path).await.json();
    assert_eq!(second["items"][0]["summary"], "one");
    for body in [
        json!({"summary": " "}),
        json!({"summary": "x", "details": [1]}),
        json!({"summary": "x", "service_id": "nothing"}),
        json!({"summary": "x", "links": [{"href": "javascript:1"}]}),
        json!({"summary": "x", "details": {"text": "x".repeat(9_000)}}),
    ] {
        let answer = world.post("/changes", body.clone()).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body}");
    }
}
