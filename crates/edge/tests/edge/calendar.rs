//! Calendars that other programs subscribe to: a private address, without login, that can be renewed and revoked.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use serde_json::{Value, json};

use crate::fakes::START;
use crate::world::{Answered, World};

async fn make(world: &World, body: Value) -> Value {
    let path = format!("/users/{}/calendars", world.bob);
    let made = world.call("POST", &path, &world.bobs, Some(body)).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    made.json()
}

/// The path of a made calendar's address.
fn path(made: &Value) -> String {
    let url = made["url"].as_str().unwrap();
    url.strip_prefix("http://tocsin.example")
        .unwrap()
        .to_owned()
}

async fn read(world: &World, method: &str, path: &str, tag: Option<&str>) -> Answered {
    let mut request = Request::builder().method(method).uri(path);
    if let Some(tag) = tag {
        request = request.header(header::IF_NONE_MATCH, tag);
    }
    world.send(request.body(Body::empty()).unwrap()).await
}

async fn days(world: &World) -> String {
    let body = json!({"name": "Days", "time_zone": "UTC", "layers": [{
        "start": "2026-11-01T09:00:00Z", "turn": {"every": 1, "unit": "days"},
        "members": [world.ada.to_string(), world.bob.to_string()]}]});
    let made = world.post("/schedules", body).await.json();
    made["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn whoever_has_the_address_reads_the_shifts_without_signing_in() {
    let world = World::new();
    let id = days(&world).await;
    let whole = make(&world, json!({"schedule_id": id})).await;
    let own = make(&world, json!({})).await;
    assert_eq!(
        (&whole["only_own"], &own["only_own"]),
        (&json!(false), &json!(true))
    );
    let all = read(&world, "GET", &path(&whole), None).await;
    assert_eq!(all.status, StatusCode::OK, "{}", all.text());
    assert_eq!(
        all.headers[header::CONTENT_TYPE],
        "text/calendar; charset=utf-8"
    );
    for line in [
        "X-WR-CALNAME:On call: Days",
        "SUMMARY:Ada on call: Days",
        "SUMMARY:Bob on call: Days",
    ] {
        assert!(
            all.text().contains(&format!("{line}\r\n")),
            "{line} in {}",
            all.text()
        );
    }
    let text = read(&world, "GET", &path(&own), None).await.text();
    assert!(
        text.contains("SUMMARY:Bob on call: Days") && !text.contains("Ada"),
        "{text}"
    );
    let shifts = text.matches("BEGIN:VEVENT").count();
    assert!((100..=110).contains(&shifts), "{shifts}");
}

#[tokio::test]
async fn a_calendar_that_has_not_changed_is_not_sent_again() {
    let world = World::new();
    let id = days(&world).await;
    let made = make(&world, json!({"schedule_id": id})).await;
    let first = read(&world, "GET", &path(&made), None).await;
    let tag = first.headers[header::ETAG].to_str().unwrap().to_owned();
    let head = read(&world, "HEAD", &path(&made), None).await;
    assert_eq!((head.status, head.bytes.len()), (StatusCode::OK, 0));
    assert_eq!(head.headers[header::ETAG], tag.as_str());
    let again = read(&world, "GET", &path(&made), Some(&tag)).await;
    assert_eq!(
        (again.status, again.bytes.len()),
        (StatusCode::NOT_MODIFIED, 0)
    );
    let over =
        json!({"user_id": world.bob.to_string(), "until": START.plus_ms(60_000).to_rfc3339()});
    world
        .post(&format!("/schedules/{id}/overrides"), over)
        .await;
    let changed = read(&world, "GET", &path(&made), Some(&tag)).await;
    assert_eq!(changed.status, StatusCode::OK);
}

/// What an event of a calendar says under that name.
fn value(calendar: &str, uid: &str, name: &str) -> String {
    let mut events = calendar.split("BEGIN:VEVENT");
    let event = events.find(|event| event.contains(uid)).unwrap();
    let said = event.lines().find_map(|line| line.strip_prefix(name));
    said.unwrap().to_owned()
}

#[tokio::test]
async fn a_shift_that_was_changed_is_a_later_revision_of_the_same_event() {
    let world = World::new();
    let id = days(&world).await;
    let made = make(&world, json!({"schedule_id": id})).await;
    // Bob's shift at the time.
    let uid = format!("UID:{id}-{}-20261122T090000Z@tocsin", world.bob);
    let shown = async || {
        let text = read(&world, "GET", &path(&made), None).await.text();
        ["DTEND:", "SEQUENCE:", "LAST-MODIFIED:"].map(|name| value(&text, &uid, name))
    };
    let first = ["20261123T090000Z", "0", "20261123T070000Z"];
    assert_eq!(shown().await, first);
    *world.clock.0.lock().unwrap() = START.plus_ms(60_000);
    assert_eq!(shown().await, first);
    let until = START.plus_ms(3_600_000).to_rfc3339();
    let over = json!({"user_id": world.ada.to_string(), "until": until});
    let path = format!("/schedules/{id}/overrides");
    let added = world.post(&path, over).await;
    assert_eq!(added.status, StatusCode::CREATED, "{}", added.text());
    let cut = ["20261123T070100Z", "1", "20261123T070100Z"];
    assert_eq!(shown().await, cut);
    // What is shown of somebody is their name.
    let person = format!("/users/{}", world.bob);
    let name = json!({"name": "Robert"});
    world.call("PATCH", &person, &world.admin, Some(name)).await;
    let renamed = ["20261123T070100Z", "2", "20261123T070100Z"];
    assert_eq!(shown().await, renamed);
}

#[tokio::test]
async fn an_address_dies_when_it_is_renewed_or_revoked_or_its_owner_leaves() {
    let world = World::new();
    let made = make(&world, json!({})).await;
    let base = format!("/users/{}/calendars", world.bob);
    let own = format!("{base}/{}", made["id"].as_str().unwrap());
    let renewed = world
        .call("POST", &format!("{own}/renew"), &world.bobs, None)
        .await;
    assert_eq!(renewed.status, StatusCode::OK, "{}", renewed.text());
    let status = async |made: &Value| read(&world, "GET", &path(made), None).await.status;
    assert_eq!(status(&made).await, StatusCode::NOT_FOUND);
    assert_eq!(status(&renewed.json()).await, StatusCode::OK);
    let listed = world.call("GET", &base, &world.bobs, None).await;
    let token = path(&renewed.json());
    assert!(!listed.text().contains(&token[6..]), "{}", listed.text());
    assert_eq!(listed.json()["items"].as_array().unwrap().len(), 1);
    let others = world.call("DELETE", &own, &world.responder, None).await;
    assert_eq!(others.status, StatusCode::FORBIDDEN);
    let gone = world.call("DELETE", &own, &world.bobs, None).await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT);
    assert_eq!(status(&renewed.json()).await, StatusCode::NOT_FOUND);
    let last = make(&world, json!({})).await;
    let person = format!("/users/{}", world.bob);
    world.call("DELETE", &person, &world.admin, None).await;
    assert_eq!(status(&last).await, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_token_of_an_address_is_in_no_event() {
    let world = World::new();
    let made = make(&world, json!({})).await;
    let path = path(&made);
    let token = path
        .strip_prefix("/ical/")
        .unwrap()
        .strip_suffix(".ics")
        .unwrap();
    assert_eq!(token.len(), 32);
    let journal = format!("{:?}", world.journal.events.lock().unwrap());
    assert!(!journal.contains(token));
}

#[tokio::test]
async fn guessing_addresses_is_stopped_and_so_is_reading_one_too_often() {
    let world = World::new();
    let made = make(&world, json!({})).await;
    let mut told = 0;
    for guess in 0..100 {
        let answer = read(&world, "GET", &format!("/ical/guess{guess}.ics"), None).await;
        told += usize::from(answer.status == StatusCode::NOT_FOUND);
    }
    assert_eq!(told, 30);
    let mut read_ok = 0;
    for _ in 0..80 {
        let answer = read(&world, "GET", &path(&made), None).await;
        read_ok += usize::from(answer.status == StatusCode::OK);
    }
    assert_eq!(read_ok, 60);
}

#[tokio::test]
async fn what_is_wrong_with_a_calendar_is_said_of_its_field() {
    let world = World::new();
    let path = format!("/users/{}/calendars", world.bob);
    for (body, reason) in [
        (
            json!({"schedule_id": "days"}),
            "schedule_id: not an id of a schedule",
        ),
        (
            json!({"schedule_id": "QAAAAAAAAAAAAA"}),
            "schedule_id: there is no schedule",
        ),
        (
            json!({"only_own": false}),
            "only_own: a calendar of all schedules",
        ),
    ] {
        let refused = world.call("POST", &path, &world.bobs, Some(body)).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST);
        assert!(refused.text().contains(reason), "{}", refused.text());
    }
    for _ in 0..20 {
        make(&world, json!({})).await;
    }
    let full = world
        .call("POST", &path, &world.bobs, Some(json!({})))
        .await;
    assert_eq!(full.status, StatusCode::CONFLICT);
}
