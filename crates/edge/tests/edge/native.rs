//! The native API where fronts once could more: one thing by its id, services that go, overrides in a span, what is said of things,
//! members of teams one by one, names of ways to be reached.

mod business;
mod said;
mod tags;
mod webhooks;

use axum::http::{StatusCode, header};
use serde_json::{Value, json};

use crate::fakes::START;
use crate::schedules::days;
use crate::webhooks::subscribed;
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

#[tokio::test]
async fn one_thing_is_read_by_its_id_as_it_is_listed() {
    let world = World::new();
    world.apache_is_found();
    let service = read(&world, "/services").await["items"][0]["id"].clone();
    let work = json!({"reason": "disks", "service_ids": [service], "from": START.to_rfc3339(),
        "until": START.plus_ms(3_600_000).to_rfc3339()});
    asked(&world, ("POST", "/maintenance-windows"), work).await;
    let job = json!({"name": "backup", "every_seconds": 3600, "grace_seconds": 60});
    asked(&world, ("POST", "/heartbeats"), job).await;
    asked(&world, ("POST", "/changes"), json!({"summary": "shop 1.2"})).await;
    for list in [
        "/services",
        "/escalation-policies",
        "/schedules",
        "/teams",
        "/heartbeats",
        "/maintenance-windows",
        "/changes",
        "/monitors",
        "/targets",
    ] {
        let listed = read(&world, list).await["items"][0].clone();
        let path = format!("{list}/{}", id_of(&listed));
        let shown = world.call("GET", &path, &world.viewer, None).await;
        assert_eq!(shown.status, StatusCode::OK, "{path}: {}", shown.text());
        assert_eq!(shown.json(), listed, "{path}");
        for id in [NOTHING, "nothing"] {
            let missing = (StatusCode::NOT_FOUND, "there is no");
            refused(&world, ("GET", &format!("{list}/{id}")), None, missing).await;
        }
    }
}

#[tokio::test]
async fn a_service_goes_with_the_secrets_of_what_is_about_it_and_one_that_is_needed_stays() {
    let world = World::new();
    let rows = world.vault.count();
    let shop = asked(&world, ("POST", "/services"), json!({"name": "Shop"})).await;
    let path = format!("/services/{}", id_of(&shop));
    let scope = json!({"url": "https://example.org/hook", "events": ["incident.triggered"],
        "scope": "service", "scope_id": shop["id"]});
    let told = asked(&world, ("POST", "/webhook-subscriptions"), scope).await;
    assert_eq!(world.vault.count(), rows + 1);
    let other = subscribed(&world, "https://example.org/other").await;
    assert_eq!(
        status(&world, ("DELETE", &path)).await,
        StatusCode::NO_CONTENT
    );
    let gone = (StatusCode::NOT_FOUND, "there is no service");
    refused(&world, ("GET", &path), None, gone).await;
    refused(&world, ("DELETE", &path), None, gone).await;
    assert_eq!(world.vault.count(), rows + 1, "that of the other is left");
    let gone = (StatusCode::NOT_FOUND, "webhook subscription");
    let told = format!("/webhook-subscriptions/{}", id_of(&told));
    refused(&world, ("GET", &told), None, gone).await;
    read(&world, &format!("/webhook-subscriptions/{other}")).await;
    let first = read(&world, "/services").await["items"][0].clone();
    let needed = (StatusCode::CONFLICT, "belong to it");
    let path = format!("/services/{}", id_of(&first));
    refused(&world, ("DELETE", &path), None, needed).await;
    let missing = (StatusCode::NOT_FOUND, "there is no service");
    refused(&world, ("DELETE", "/services/nothing"), None, missing).await;
}

#[tokio::test]
async fn what_a_service_says_of_itself_and_how_it_holds_stays_until_something_else_is_said() {
    let world = World::new();
    let body = json!({"name": "Shop", "description": "Where people buy",
        "acknowledgement": {"holds": "for", "minutes": 30.0}});
    let made = asked(&world, ("POST", "/services"), body).await;
    assert_eq!(made["description"], "Where people buy");
    let half_an_hour = json!({"holds": "for", "minutes": 30.0});
    assert_eq!(made["acknowledgement"], half_an_hour);
    let path = format!("/services/{}", id_of(&made));
    let settings = json!({"urgency": {"by": "high"}, "grouping": {"by": "nothing"}, "resolve_after_minutes": 240});
    let intake = format!("{path}/intake");
    let settings = asked(&world, ("PUT", &intake), settings).await;
    let renamed = asked(&world, ("PUT", &path), json!({"name": "Store"})).await;
    assert_eq!(renamed["name"], "Store");
    assert_eq!(renamed["description"], "Where people buy");
    assert_eq!(renamed["acknowledgement"], half_an_hour);
    for holds in ["always", "as_policy"] {
        let body = json!({"name": "Store", "description": "", "acknowledgement": {"holds": holds}});
        let changed = asked(&world, ("PUT", &path), body).await;
        assert_eq!(changed["acknowledgement"], json!({ "holds": holds }));
        assert_eq!(changed["description"], "");
    }
    assert_eq!(read(&world, &intake).await, settings);
    for (acknowledgement, reason) in [
        (
            json!({"holds": "for", "minutes": 0.5}),
            "1 minute to 7 days",
        ),
        (json!({"holds": "for", "minutes": 10_081}), "minutes"),
        (json!({"holds": "for"}), "minutes"),
        (json!({"holds": "never"}), "as_policy"),
    ] {
        let body = json!({"name": "Store", "acknowledgement": acknowledgement});
        let wrong = (StatusCode::BAD_REQUEST, reason);
        refused(&world, ("PUT", &path), Some(body), wrong).await;
    }
    let long = json!({"name": "Store", "description": "x".repeat(1_025)});
    let wrong = (StatusCode::BAD_REQUEST, "description");
    refused(&world, ("PUT", &path), Some(long), wrong).await;
}

#[tokio::test]
async fn what_a_team_a_policy_and_a_schedule_say_of_themselves_stays_until_something_else_is_said()
{
    let world = World::new();
    let person = json!({"kind": "user", "id": world.ada.to_string()});
    let levels = json!([{"delay_minutes": 5, "targets": [person]}]);
    let layer = json!({"start": "2026-11-01T08:00:00Z", "turn": {"every": 1, "unit": "days"},
        "members": [world.ada.to_string()]});
    for (list, body) in [
        ("/teams", json!({"name": "Web", "members": []})),
        (
            "/escalation-policies",
            json!({"name": "Web", "repeat": 0, "levels": levels}),
        ),
        (
            "/schedules",
            json!({"name": "Web", "time_zone": "Europe/Paris", "layer": layer}),
        ),
    ] {
        let mut told = body.clone();
        told["description"] = json!("for the shop");
        let made = asked(&world, ("POST", list), told).await;
        assert_eq!(made["description"], "for the shop", "{list}");
        let path = format!("{list}/{}", id_of(&made));
        let kept = asked(&world, ("PUT", &path), body.clone()).await;
        assert_eq!(kept["description"], "for the shop", "{list}");
        let mut long = body;
        long["description"] = json!("x".repeat(1_025));
        let wrong = (StatusCode::BAD_REQUEST, "description");
        refused(&world, ("PUT", &path), Some(long), wrong).await;
    }
    let named = json!({"name": "Named", "time_zone": "Europe/Paris", "layer": layer, "layer_names": ["Days"]});
    let made = asked(&world, ("POST", "/schedules"), named).await;
    assert_eq!(made["layer_names"], json!(["Days"]));
    let more = json!({"name": "Named", "time_zone": "Europe/Paris", "layer": layer, "layer_names": ["a", "b"]});
    let wrong = (StatusCode::BAD_REQUEST, "layer_names");
    refused(&world, ("POST", "/schedules"), Some(more), wrong).await;
}

#[tokio::test]
async fn the_policy_that_a_service_without_one_follows_says_so() {
    let world = World::new();
    let first = read(&world, "/escalation-policies").await["items"][0].clone();
    assert_eq!(first["default"], true);
    let levels =
        json!([{"delay_minutes": 5, "targets": [{"kind": "user", "id": world.ada.to_string()}]}]);
    let body = json!({"name": "Shop", "repeat": 0, "levels": levels});
    let other = asked(&world, ("POST", "/escalation-policies"), body.clone()).await;
    assert_eq!(other["default"], false);
    let path = format!("/escalation-policies/{}", id_of(&first));
    assert_eq!(asked(&world, ("PUT", &path), body).await["default"], true);
    assert_eq!(read(&world, &path).await["default"], true);
    let listed = read(&world, "/escalation-policies").await;
    let mut all = listed["items"].as_array().unwrap().iter();
    let shown = all.find(|one| one["id"] == other["id"]).unwrap();
    assert_eq!(shown["default"], false);
}

#[tokio::test]
async fn overrides_are_listed_within_a_span_by_pages() {
    let world = World::new();
    let path = format!("/schedules/{}/overrides", days(&world).await);
    let mut made = Vec::new();
    for (from, until) in [("05", "06"), ("01", "02")] {
        let body = json!({"user_id": world.bob.to_string(), "from": format!("2026-12-{from}T08:00:00Z"),
            "until": format!("2026-12-{until}T08:00:00Z")});
        made.push(asked(&world, ("POST", &path), body).await);
    }
    made.reverse();
    assert_eq!(read(&world, &path).await["items"], json!(made));
    let first = read(&world, &format!("{path}?limit=1")).await;
    assert_eq!(first["items"], json!([made[0]]));
    let cursor = first["next_cursor"].as_str().unwrap();
    let rest = read(&world, &format!("{path}?cursor={cursor}")).await;
    assert_eq!(rest["items"], json!([made[1]]));
    for (span, expected) in [
        ("since=2026-12-02T08:00:00Z", json!([made[1]])),
        ("since=2026-12-02T07:59:59Z", json!(made)),
        ("until=2026-12-05T08:00:00Z", json!([made[0]])),
        (
            "since=2026-12-03T00:00:00Z&until=2026-12-04T00:00:00Z",
            json!([]),
        ),
    ] {
        let within = read(&world, &format!("{path}?{span}")).await;
        assert_eq!(within["items"], expected, "{span}");
    }
    for (wrong, reason) in [
        ("since=soon", "since"),
        (
            "since=2026-12-02T08:00:00Z&until=2026-12-02T08:00:00Z",
            "until",
        ),
        ("limit=0", "limit"),
        ("cursor=x", "cursor"),
    ] {
        let told = (StatusCode::BAD_REQUEST, reason);
        refused(&world, ("GET", &format!("{path}?{wrong}")), None, told).await;
    }
    let path = format!("/schedules/{NOTHING}/overrides");
    let missing = (StatusCode::NOT_FOUND, "there is no schedule");
    refused(&world, ("GET", &path), None, missing).await;
}

#[tokio::test]
async fn people_come_into_a_team_and_go_one_by_one() {
    let world = World::new();
    let team = json!({"name": "Web", "members": [world.ada.to_string()]});
    let team = asked(&world, ("POST", "/teams"), team).await;
    let path = format!("/teams/{}", id_of(&team));
    let bob = format!("{path}/members/{}", world.bob);
    for _ in 0..2 {
        let put = status(&world, ("PUT", &bob)).await;
        assert_eq!(put, StatusCode::NO_CONTENT);
    }
    let shown = read(&world, &path).await;
    assert_eq!(shown["members"].as_array().unwrap().len(), 2);
    assert_eq!(shown["members"][1]["name"], "Bob");
    for _ in 0..2 {
        let taken = status(&world, ("DELETE", &bob)).await;
        assert_eq!(taken, StatusCode::NO_CONTENT);
    }
    let shown = read(&world, &path).await;
    assert_eq!(shown["members"][0]["name"], "Ada");
    assert_eq!(shown["members"].as_array().unwrap().len(), 1);
    let person = (StatusCode::NOT_FOUND, "person");
    let nobody = format!("{path}/members/{NOTHING}");
    refused(&world, ("PUT", &nobody), None, person).await;
    let team = (StatusCode::NOT_FOUND, "team");
    let nowhere = format!("/teams/{NOTHING}/members/{}", world.bob);
    refused(&world, ("PUT", &nowhere), None, team).await;
    refused(&world, ("DELETE", &nowhere), None, team).await;
}

#[tokio::test]
async fn a_way_to_be_reached_is_called_something_else_and_stays_what_it_is() {
    let world = World::new();
    let address = "https://127.0.0.1/topic";
    let method = world.reach(world.bob, "ntfy", address, None).await;
    let path = format!("/users/{}/contact-methods/{method}", world.bob);
    let call = |label: &str| json!({ "label": label });
    let own = world.call("PATCH", &path, &world.bobs, Some(call("Tablet")));
    let own = own.await;
    assert_eq!(own.status, StatusCode::OK, "{}", own.text());
    assert_eq!(own.json()["label"], "Tablet");
    assert_eq!(own.json()["verified"], true);
    let wrong = (StatusCode::BAD_REQUEST, "label");
    refused(&world, ("PATCH", &path), Some(call(" ")), wrong).await;
    refused(&world, ("PATCH", &path), Some(json!({})), wrong).await;
    let other = format!("/users/{}/contact-methods/{method}", world.ada);
    let missing = (StatusCode::NOT_FOUND, "contact method");
    refused(&world, ("PATCH", &other), Some(call("x")), missing).await;
}

#[tokio::test]
async fn policies_and_schedules_keep_their_team_until_another_or_none_is_said() {
    let world = World::new();
    let body = json!({"name": "Web", "members": []});
    let web = asked(&world, ("POST", "/teams"), body).await["id"].clone();
    let levels =
        json!([{"delay_minutes": 5, "targets": [{"kind": "user", "id": world.ada.to_string()}]}]);
    let policy = json!({"name": "Shop", "repeat": 0, "levels": levels});
    let rota = days(&world).await;
    let layer = read(&world, &format!("/schedules/{rota}")).await["layer"].clone();
    let rota = json!({"name": "Rota", "time_zone": "Europe/Paris", "layer": layer});
    for (list, body) in [("/escalation-policies", policy), ("/schedules", rota)] {
        let made = asked(&world, ("POST", list), body.clone()).await;
        assert_eq!(made["team_id"], Value::Null, "{list}");
        let path = format!("{list}/{}", id_of(&made));
        let with = |team: &Value| {
            let mut body = body.clone();
            body["team_id"] = team.clone();
            body
        };
        for (body, expected) in [
            (with(&web), &web),
            (body.clone(), &web),
            (with(&Value::Null), &Value::Null),
        ] {
            let set = asked(&world, ("PUT", &path), body).await;
            assert_eq!(&set["team_id"], expected, "{list}");
            assert_eq!(&read(&world, &path).await["team_id"], expected, "{list}");
        }
        for wrong in [json!(NOTHING), json!("Web")] {
            let told = (StatusCode::BAD_REQUEST, "team_id");
            refused(&world, ("PUT", &path), Some(with(&wrong)), told).await;
        }
    }
}
