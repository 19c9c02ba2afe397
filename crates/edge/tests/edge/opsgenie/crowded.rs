//! What is told to Opsgenie's clients while too many requests are under way.

use std::convert::Infallible;
use std::net::SocketAddr;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::{Request, Response, StatusCode, header};
use futures_util::FutureExt;
use futures_util::stream;
use serde_json::Value;
use tower::ServiceExt;

use crate::world::{BASE, World};

/// More requests than one address may have under way.
const CROWD: usize = 200;

/// A POST from an address that is not this machine.
fn posted(world: &World, path: &str, body: Body) -> Request<Body> {
    let request = Request::post(path)
        .header(header::AUTHORIZATION, format!("Bearer {}", world.admin))
        .header(header::CONTENT_TYPE, "application/json");
    let mut request = request.body(body).unwrap();
    let peer: SocketAddr = "192.0.2.7:5555".parse().unwrap();
    request.extensions_mut().insert(ConnectInfo(peer));
    request
}

async fn json_of(response: Response<Body>) -> Value {
    let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

#[tokio::test]
async fn too_many_requests_at_once_are_refused_in_opsgenies_form() {
    let world = World::new();
    let mut crowd = Vec::new();
    for _ in 0..CROWD {
        // Its body never ends, so that it keeps its place if it has one.
        let body = Body::from_stream(stream::pending::<Result<Bytes, Infallible>>());
        let request = posted(&world, &format!("{BASE}/teams"), body);
        let mut answer = Box::pin(world.router.clone().oneshot(request));
        assert!((&mut answer).now_or_never().is_none());
        crowd.push(answer);
    }
    for path in ["/v2/alerts", "/opsgenie/v2/alerts/db1/close"] {
        let request = posted(&world, path, Body::from("{}"));
        let refused = world.router.clone().oneshot(request).await.unwrap();
        assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE, "{path}");
        let headers = refused.headers().clone();
        assert_eq!(headers[header::CONTENT_TYPE], "application/json");
        assert_eq!(headers[header::RETRY_AFTER], "1");
        let told = json_of(refused).await;
        let why = told["message"].as_str().unwrap();
        assert!(why.starts_with("too many requests at once"), "{told}");
        assert_eq!(headers["x-request-id"], told["requestId"].as_str().unwrap());
        assert!(told["took"].is_number(), "{told}");
    }
}
