//! PagerDuty's REST API v2: errors, paging, links, and what is not there.

mod analytics;
mod audit;
mod business;
mod dates;
mod described;
mod duty;
mod filters;
mod groupings;
mod helping;
mod import;
mod incidents;
mod include;
mod kept_ids;
mod keys;
mod levels;
mod log_entries;
pub(crate) mod owned;
mod people;
mod pieces;
mod policies;
mod reach;
mod references;
mod refusals;
mod roster;
mod router;
mod services;
mod support_hours;
mod tags;
mod teams;
mod turns;
mod windows;
mod writes;
mod zones;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use serde_json::{Value, json};

use crate::world::{Answered, ROUTING_KEY, World};

/// What the clients accept.
const MEDIA_TYPE: &str = "application/vnd.pagerduty+json;version=2";

/// A request as the clients send it; `from` is in whose name it is.
pub(crate) async fn ask(
    world: &World,
    (method, path): (&str, &str),
    token: &str,
    from: Option<&str>,
    body: Option<Value>,
) -> Answered {
    let mut request = Request::builder().method(method).uri(path);
    request = request.header(header::ACCEPT, MEDIA_TYPE);
    if !token.is_empty() {
        request = request.header(header::AUTHORIZATION, format!("Token token={token}"));
    }
    if let Some(from) = from {
        request = request.header(header::FROM, from);
    }
    let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
    world.send(request.body(body).unwrap()).await
}

/// By Ada, who may do everything.
pub(crate) async fn ada(world: &World, call: (&str, &str), body: Option<Value>) -> Answered {
    ask(world, call, &world.admin, None, body).await
}

/// What Ada reads, which must be there.
pub(crate) async fn read(world: &World, path: &str) -> Value {
    let answer = ada(world, ("GET", path), None).await;
    assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text());
    answer.json()
}

/// A refusal with its status and its number.
#[track_caller]
pub(crate) fn refused(answer: &Answered, status: u16, code: u16) -> String {
    assert_eq!(answer.status.as_u16(), status, "{}", answer.text());
    let json = answer.json();
    assert_eq!(json["error"]["code"], code, "{json}");
    assert!(json["error"]["message"].is_string() && json["error"]["errors"].is_array());
    assert_eq!(answer.headers[header::CONTENT_TYPE], "application/json");
    json["error"]["errors"].to_string()
}

/// A new incident of the default service, declared by Ada.
pub(crate) async fn declared(world: &World, title: &str) -> Value {
    let body = json!({"incident": {"type": "incident", "title": title, "service": service(world)}});
    let answer = ada(world, ("POST", "/incidents"), Some(body)).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
    answer.json()["incident"].clone()
}

/// A reference to the default service.
pub(crate) fn service(world: &World) -> Value {
    let id = world.engine.read(|state| {
        let installation = state.installation.as_ref().unwrap();
        installation.default_service
    });
    json!({"id": id.to_string(), "type": "service_reference"})
}

#[tokio::test]
async fn pages_by_offset_are_as_clients_read_them() {
    let world = World::new();
    for n in 0..5 {
        declared(&world, &format!("Failure {n}")).await;
    }
    let page = read(&world, "/incidents?limit=2&offset=1").await;
    assert_eq!(page["incidents"].as_array().unwrap().len(), 2);
    let head = |page: &Value| {
        (
            page["limit"].clone(),
            page["offset"].clone(),
            page["total"].clone(),
            page["more"].clone(),
        )
    };
    assert_eq!(head(&page), (json!(2), json!(1), Value::Null, json!(true)));
    let counted = read(&world, "/incidents?limit=1000&offset=4&total=true").await;
    assert_eq!(
        head(&counted),
        (json!(100), json!(4), json!(5), json!(false))
    );
    for beyond in [
        "offset=9901&limit=100",
        "limit=x",
        "limit=0",
        "offset=-1",
        "total=maybe",
    ] {
        let path = format!("/incidents?{beyond}");
        refused(&ada(&world, ("GET", &path), None).await, 400, 2001);
    }
}

#[tokio::test]
async fn what_is_not_there_is_told_in_their_words() {
    let world = World::new();
    for (call, status) in [
        (("GET", "/incidents/QAAAAAAAAAAAAA"), 404),
        (("GET", "/incidents/PXPGF42"), 404),
        (("GET", "/no_such_thing"), 404),
        (("GET", "/pagerduty/no_such_thing"), 404),
        (("PATCH", "/incidents"), 405),
    ] {
        let answer = ada(&world, call, None).await;
        assert_eq!(answer.status.as_u16(), status, "{call:?}");
        assert!(answer.json()["error"]["message"].is_string(), "{call:?}");
        assert_eq!(answer.headers.contains_key("allow"), status == 405);
    }
    let native = world
        .call("GET", "/no_such_thing", &world.admin, None)
        .await;
    assert!(
        native.json()["error"].is_null(),
        "others are answered as before"
    );
}

#[tokio::test]
async fn what_tocsin_has_not_is_told_with_the_reason() {
    let world = World::new();
    let incident = declared(&world, "Down").await;
    let id = incident["id"].as_str().unwrap();
    for (path, word) in [
        ("/incidents/custom_fields".to_owned(), "of your own"),
        ("/incidents/count".to_owned(), "total=true"),
        (format!("/incidents/{id}/past_incidents"), "like this one"),
        (format!("/incidents/{id}/related_incidents"), "belong"),
        (format!("/incidents/{id}/outlier_incident"), "usual"),
        (
            format!("/analytics/raw/incidents/{id}/responses"),
            "the incident itself",
        ),
        ("/v3/schedules".to_owned(), "/schedules"),
        ("/pagerduty/v3/schedules".to_owned(), "/schedules"),
    ] {
        let answer = ada(&world, ("GET", &path), None).await;
        let told = refused(&answer, 404, 2100);
        assert!(told.contains(word), "{path}: {told}");
    }
    let path = "/analytics/metrics/responders/all";
    let answer = ada(&world, ("POST", path), Some(json!({}))).await;
    let told = refused(&answer, 404, 2100);
    assert!(told.contains("no single people"), "{told}");
}

#[tokio::test]
async fn a_slash_at_the_end_of_a_path_means_nothing() {
    let world = World::new();
    declared(&world, "Down").await;
    let list = read(&world, "/incidents/?statuses[]=triggered").await;
    assert_eq!(list["incidents"].as_array().unwrap().len(), 1);
    let none = read(&world, "/pagerduty/incidents/?statuses[]=resolved").await;
    assert_eq!(none["incidents"], json!([]));
    let call = ("GET", "/incidents/");
    refused(&ask(&world, call, "", None, None).await, 401, 2006);
    let first = json!({"service_key": ROUTING_KEY, "event_type": "trigger", "description": "x"});
    let paths = [
        ("/v2/enqueue/", crate::world::trigger("web"), 202),
        ("/generic/2010-04-15/create_event.json/", first, 200),
    ];
    for (path, event, status) in paths {
        let request = Request::post(path).header(header::CONTENT_TYPE, "application/json");
        let event = Body::from(event.to_string());
        let answer = world.send(request.body(event).unwrap()).await;
        assert_eq!(answer.status.as_u16(), status, "{path} {}", answer.text());
    }
}

#[tokio::test]
async fn bodies_that_are_none_or_too_large_are_refused() {
    let world = World::new();
    let send = async |body: Vec<u8>| {
        let request = Request::post("/incidents")
            .header(header::AUTHORIZATION, format!("Bearer {}", world.admin));
        world.send(request.body(Body::from(body)).unwrap()).await
    };
    for body in [&b""[..], b"{", b"[]", b"{\"incident\": 5}", b"\xff"] {
        assert_eq!(send(body.to_vec()).await.status, StatusCode::BAD_REQUEST);
    }
    refused(&send(vec![b' '; 1024 * 1024 + 1]).await, 413, 2001);
}

#[tokio::test]
async fn links_are_built_from_the_servers_own_address_and_with_the_prefix_that_was_used() {
    let world = World::new();
    let incident = declared(&world, "Down").await;
    let id = incident["id"].as_str().unwrap();
    assert_eq!(
        incident["self"],
        format!("http://tocsin.example/incidents/{id}")
    );
    assert_eq!(
        incident["html_url"],
        format!("http://tocsin.example/ui/incidents/{id}")
    );
    let request = Request::get(format!("/pagerduty/incidents/{id}"))
        .header(header::HOST, "evil.example")
        .header(header::AUTHORIZATION, format!("Bearer {}", world.admin));
    let answer = world
        .send(request.body(Body::empty()).unwrap())
        .await
        .json();
    assert_eq!(
        answer["incident"]["self"],
        format!("http://tocsin.example/pagerduty/incidents/{id}")
    );
}

#[tokio::test]
async fn an_event_of_the_first_version_is_taken() {
    let world = World::new();
    let send = async |body: Value| {
        let request = Request::post("/generic/2010-04-15/create_event.json");
        world
            .send(request.body(Body::from(body.to_string())).unwrap())
            .await
    };
    let event = |kind: &str| json!({"service_key": ROUTING_KEY, "event_type": kind, "incident_key": "web", "description": "Down"});
    let taken = send(event("trigger")).await;
    assert_eq!(taken.status, StatusCode::OK, "{}", taken.text());
    assert_eq!(taken.json()["incident_key"], "web");
    let open = read(&world, "/incidents?incident_key=web&include[]=body").await;
    assert_eq!(open["incidents"][0]["title"], "Down");
    assert_eq!(open["incidents"][0]["body"]["details"], Value::Null);
    let native = world.get("/incidents/1").await.json();
    assert_eq!(native["alerts"][0]["summary"], "by the Events API v1");
    assert_eq!(send(event("resolve")).await.status, StatusCode::OK);
    let over = read(&world, "/incidents?incident_key=web").await;
    assert_eq!(over["incidents"][0]["status"], "resolved");
    let wrong =
        send(json!({"service_key": "0".repeat(32), "event_type": "trigger", "description": "x"}))
            .await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
    for _ in 2..120 {
        send(event("trigger")).await;
    }
    assert_eq!(
        send(event("trigger")).await.status,
        StatusCode::FORBIDDEN,
        "too many"
    );
}

#[tokio::test]
async fn what_comes_to_no_handler_is_refused_in_pagerdutys_form() {
    let world = World::new();
    for path in ["/pagerduty/incidents/%FF", "/schedules/%FF/overrides/%FF"] {
        let method = if path.ends_with("overrides/%FF") {
            "DELETE"
        } else {
            "GET"
        };
        refused(&ada(&world, (method, path), None).await, 400, 2001);
    }
    let long = "x".repeat(256);
    for key in ["", long.as_str()] {
        let request = Request::builder().method("POST").uri("/teams");
        let request = request
            .header(header::ACCEPT, MEDIA_TYPE)
            .header(
                header::AUTHORIZATION,
                format!("Token token={}", world.admin),
            )
            .header("idempotency-key", key);
        let body = Body::from(json!({"team": {"name": "Web"}}).to_string());
        let answer = world.send(request.body(body).unwrap()).await;
        let told = refused(&answer, 400, 2001);
        assert!(told.contains("Idempotency-Key"), "{told}");
    }
}
