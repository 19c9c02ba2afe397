//! The native API where fronts once could more.

mod webhooks;

use axum::http::{StatusCode, header};
use serde_json::{Value, json};

use crate::world::World;

/// An id that nothing has.
const NOTHING: &str = "QAAAAAAAAAAAAA";

/// What Ada asks for and gets.
async fn asked(world: &World, (method, path): (&str, &str), body: Value) -> Value {
    let answer = world.call(method, path, &world.admin, Some(body)).await;
    let told = answer.text();
    assert!(answer.status.is_success(), "{method} {path}: {told}");
    answer.json()
}

/// What Ada reads, which must be there.
async fn read(world: &World, path: &str) -> Value {
    let answer = world.get(path).await;
    assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text());
    answer.json()
}

/// The status of what Ada asks for without a body.
async fn status(world: &World, (method, path): (&str, &str)) -> StatusCode {
    world.call(method, path, &world.admin, None).await.status
}

/// What Ada asks for is refused by a problem document, with the reason.
async fn refused(
    world: &World,
    (method, path): (&str, &str),
    body: Option<Value>,
    (expected, reason): (StatusCode, &str),
) {
    let answer = world.call(method, path, &world.admin, body).await;
    let told = answer.text();
    assert_eq!(answer.status, expected, "{method} {path}: {told}");
    let kind = &answer.headers[header::CONTENT_TYPE];
    assert_eq!(kind, "application/problem+json", "{method} {path}");
    assert!(told.contains(reason), "{method} {path}: {told}");
}

fn id_of(value: &Value) -> String {
    value["id"].as_str().unwrap().to_owned()
}
