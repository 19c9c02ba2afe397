//! Keys of PagerDuty's REST API v2, in whose name a write is, and how many requests a key may send.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use serde_json::json;
use tocsin_domain::people::{Role, TokenBounds};
use tocsin_edge::ports::{Accounts, NewToken};

use super::{MEDIA_TYPE, ask, declared, refused, service};
use crate::fakes::START;
use crate::world::{World, add_person};

#[tokio::test]
async fn both_forms_of_a_key_are_good_and_a_wrong_one_is_told_in_their_words() {
    let world = World::new();
    for form in ["Token token=", "Bearer "] {
        let request = Request::get("/incidents")
            .header(header::AUTHORIZATION, format!("{form}{}", world.viewer));
        let answer = world.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, StatusCode::OK, "{form}");
    }
    let call = ("GET", "/incidents");
    refused(&ask(&world, call, "", None, None).await, 401, 2006);
    refused(
        &ask(&world, call, "y_NbAkKc66ryYTWUXYEu", None, None).await,
        401,
        2006,
    );
    let write = ("POST", "/incidents");
    refused(
        &ask(&world, write, &world.viewer, None, None).await,
        403,
        2010,
    );
}

#[tokio::test]
async fn a_repeated_key_in_the_name_of_somebody_else_is_not_answered_by_the_first_answer() {
    let world = World::new();
    let by = async |key: &str, from: &str| {
        let body = json!({"incident": {"title": "Down", "service": service(&world)}});
        let request = Request::post("/incidents")
            .header(header::ACCEPT, MEDIA_TYPE)
            .header(
                header::AUTHORIZATION,
                format!("Token token={}", world.responder),
            )
            .header(header::FROM, from)
            .header("idempotency-key", key);
        let request = request.body(Body::from(body.to_string()));
        world.send(request.unwrap()).await
    };
    let first = by("one", "bob@example.org").await;
    assert_eq!(first.status, StatusCode::CREATED, "{}", first.text());
    let again = by("one", "bob@example.org").await;
    assert_eq!(again.headers["idempotency-replayed"], "true");
    assert_eq!(
        again.json()["incident"]["id"],
        first.json()["incident"]["id"]
    );
    let of_ada = by("one", "ada@example.org").await;
    assert_eq!(of_ada.status, StatusCode::BAD_REQUEST, "{}", of_ada.text());
    let new = by("two", "ada@example.org").await;
    assert_eq!(new.status, StatusCode::CREATED, "{}", new.text());
}

#[tokio::test]
async fn a_token_of_nobody_says_in_whose_name_it_writes() {
    let world = World::new();
    let create = || Some(json!({"incident": {"title": "Down", "service": service(&world)}}));
    let call = ("POST", "/incidents");
    let by = async |token: &str, from| ask(&world, call, token, from, create()).await;
    refused(&by(&world.responder, None).await, 400, 2016);
    refused(
        &by(&world.responder, Some("nobody@example.org")).await,
        400,
        1008,
    );
    add_person(
        &world.engine,
        world.vault.as_ref(),
        "Eve",
        "eve@example.org",
        Role::Viewer,
    );
    refused(
        &by(&world.responder, Some("eve@example.org")).await,
        403,
        2010,
    );
    let made = by(&world.responder, Some("Bob@Example.org")).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    let id = made.json()["incident"]["id"].as_str().unwrap().to_owned();
    let note = Some(json!({"note": {"content": "Looking"}}));
    let path = format!("/incidents/{id}/notes");
    let noted = ask(
        &world,
        ("POST", &path),
        &world.responder,
        Some("bob@example.org"),
        note,
    )
    .await;
    assert_eq!(noted.json()["note"]["user"]["id"], world.bob.to_string());
    let timeline = world.get(&format!("/incidents/{id}/timeline")).await.text();
    assert!(timeline.contains("Bob by token “t”"), "{timeline}");
}

#[tokio::test]
async fn a_persons_token_speaks_for_nobody_else() {
    let world = World::new();
    let note = |id: &str| {
        let path = format!("/incidents/{id}/notes");
        (path, Some(json!({"note": {"content": "Mine"}})))
    };
    let incident = declared(&world, "Down").await;
    let (path, body) = note(incident["id"].as_str().unwrap());
    let noted = ask(
        &world,
        ("POST", &path),
        &world.bobs,
        Some("ada@example.org"),
        body,
    )
    .await;
    assert_eq!(noted.json()["note"]["user"]["id"], world.bob.to_string());
}

#[tokio::test]
async fn requests_are_counted_and_told_and_too_many_have_to_wait() {
    let world = World::new();
    let call = ("GET", "/incidents?limit=1");
    let first = ask(&world, call, &world.viewer, None, None).await;
    assert_eq!(first.headers["ratelimit-limit"], "960");
    assert_eq!(first.headers["ratelimit-remaining"], "959");
    for _ in 1..960 {
        ask(&world, call, &world.viewer, None, None).await;
    }
    let over = ask(&world, call, &world.viewer, None, None).await;
    refused(&over, 429, 2020);
    assert_eq!(over.headers["ratelimit-remaining"], "0");
    assert_eq!(over.headers["ratelimit-reset"], "60");
    assert_eq!(over.headers[header::RETRY_AFTER], "60");
    let other = ask(&world, call, &world.responder, None, None).await;
    assert_eq!(other.status, StatusCode::OK, "each key has its own");
    *world.clock.0.lock().unwrap() = START.plus_ms(60_000);
    let later = ask(&world, call, &world.viewer, None, None).await;
    assert_eq!(later.status, StatusCode::OK);
}

#[tokio::test]
async fn two_keys_of_one_person_are_counted_apart() {
    let world = World::new();
    let second = world.token(Role::Responder, Some(world.bob));
    for token in [&world.bobs, &second] {
        let answer = ask(&world, ("GET", "/abilities"), token, None, None).await;
        assert_eq!(answer.headers["ratelimit-remaining"], "959");
    }
}

#[tokio::test]
async fn a_key_in_their_form_is_answered_in_their_form_too() {
    let world = World::new();
    for (call, form, is_theirs) in [
        (("GET", "/extensions"), "Token token=", true),
        (("GET", "/extensions"), "Bearer ", false),
        (("PATCH", "/incidents"), "Token token=", true),
        (("GET", "/api/tocsin/v1/nothing"), "Token token=", false),
    ] {
        let request = Request::builder().method(call.0).uri(call.1);
        let key = format!("{form}{}", world.admin);
        let request = request.header(header::AUTHORIZATION, key);
        let answer = world.send(request.body(Body::empty()).unwrap()).await;
        let told = &answer.json()["error"]["message"];
        assert_eq!(told.is_string(), is_theirs, "{call:?} {form}: {told}");
    }
}

#[tokio::test]
async fn a_revoked_token_is_good_for_nothing() {
    let world = World::new();
    let new = NewToken {
        name: "t".to_owned(),
        role: Role::Admin,
        user: None,
        made_by: None,
        expires_at: Some(START.plus_ms(1_000)),
        bounds: TokenBounds::default(),
    };
    let (_, token) = world.doors.add_token(new, START).unwrap();
    let call = ("GET", "/incidents");
    assert_eq!(
        ask(&world, call, &token, None, None).await.status,
        StatusCode::OK
    );
    *world.clock.0.lock().unwrap() = START.plus_ms(1_000);
    refused(&ask(&world, call, &token, None, None).await, 401, 2006);
}
