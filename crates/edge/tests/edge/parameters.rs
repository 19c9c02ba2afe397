//! Parameters after the question mark: every route of the native API refuses those that it does not take.

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Method, Request, StatusCode, header};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::world::{BASE, World};

/// What no route takes.
const UNKNOWN: &str = "no_such_parameter";

/// A path with something in the place of each of its parameters.
fn filled(path: &str) -> String {
    let mut path = path.to_owned();
    while let (Some(from), Some(to)) = (path.find('{'), path.find('}')) {
        path.replace_range(from..=to, "QAAAAAAAAAAAAA");
    }
    path
}

/// What an operation says that it takes.
fn declared(operation: &Value) -> Vec<&str> {
    let all = operation["parameters"].as_array().into_iter().flatten();
    let of_query = all.filter(|one| one["in"] == "query");
    of_query.map(|one| one["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn every_native_route_refuses_a_parameter_that_it_does_not_take_and_tells_those_that_it_does()
{
    let world = World::new();
    let all = serde_json::to_value(tocsin_edge::openapi()).unwrap();
    // There is a route that only a browser may call, and none that an administrator's may not.
    let (cookie, csrf) = world.sign_in().await;
    let stream = format!("{BASE}/stream");
    let mut refused = 0;
    for route in tocsin_edge::routes() {
        if !route.path.starts_with(BASE) || route.path == stream {
            continue;
        }
        let name = format!("{} {}", route.method, route.path);
        let request = Request::builder()
            .method(route.method.as_str())
            .uri(format!("{}?{UNKNOWN}=1", filled(&route.path)))
            .header(header::COOKIE, &cookie)
            .header("x-csrf-token", &csrf)
            .header("sec-fetch-site", "same-origin");
        let answer = world.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(
            answer.status,
            StatusCode::BAD_REQUEST,
            "{name}: {}",
            answer.text()
        );
        let kind = &answer.headers[header::CONTENT_TYPE];
        assert_eq!(kind, "application/problem+json", "{name}");
        let told = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(told.contains(UNKNOWN), "{name}: {told}");
        let operation = &all["paths"][&route.path][route.method.to_lowercase()];
        for known in declared(operation) {
            assert!(told.contains(known), "{name}: {told}");
        }
        assert!(operation["responses"]["400"].is_object(), "{name}");
        refused += 1;
    }
    assert!(refused > 100, "{refused}");
}

#[tokio::test]
async fn each_parameter_that_is_not_known_is_named_and_those_that_are_stay_good() {
    let world = World::new();
    let answer = world
        .get("/incidents?state=open&limit=1&limt=2&limt=3")
        .await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    let known =
        "status, service_id, team_id, target, urgency, severity, since, until, limit, cursor";
    let reason = |name: &str| {
        format!("the query cannot be read: {name:?} is not one of the parameters: {known}")
    };
    let expected = json!([reason("state"), reason("limt")]);
    assert_eq!(answer.json()["errors"], expected);
    for good in ["/incidents?", "/incidents?&status=open&limit=1", "/me"] {
        let answer = world.get(good).await;
        assert_eq!(answer.status, StatusCode::OK, "{good}: {}", answer.text());
    }
    let none = world.get("/me?fields=name").await;
    assert_eq!(
        none.json()["detail"],
        r#"the query cannot be read: "fields" is a parameter, and none is taken here"#
    );
    let head = world.call("HEAD", "/me?fields=name", &world.admin, None);
    assert_eq!(head.await.status, StatusCode::BAD_REQUEST);
    let stranger = world.call("GET", "/me?fields=name", "", None).await;
    assert_eq!(stranger.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn addresses_that_others_fetch_take_whatever_stands_behind_them() {
    let world = World::new();
    let path_of = |made: Value| {
        let url = made["url"].as_str().unwrap().to_owned();
        url.replace("http://tocsin.example", "")
    };
    let calendars = format!("/users/{}/calendars", world.ada);
    let calendar = world.post(&calendars, json!({})).await.json();
    let job = json!({"name": "Backup", "every_seconds": 3_600, "grace_seconds": 60});
    let job = world.post("/heartbeats", job).await.json();
    for path in [
        format!("{BASE}/stream"),
        path_of(calendar),
        path_of(job),
        "/healthz".to_owned(),
        "/metrics".to_owned(),
        "/api/v1/status/buildinfo".to_owned(),
        "/api/v2/status".to_owned(),
        "/abilities".to_owned(),
    ] {
        let mut request = Request::builder()
            .method(Method::GET)
            .uri(format!("{path}?_=1700000000"))
            .header(header::AUTHORIZATION, format!("Bearer {}", world.admin))
            .body(Body::empty())
            .unwrap();
        let peer: std::net::SocketAddr = "127.0.0.1:5555".parse().unwrap();
        request.extensions_mut().insert(ConnectInfo(peer));
        // A stream has no end.
        let answer = world.router.clone().oneshot(request).await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
    }
}
