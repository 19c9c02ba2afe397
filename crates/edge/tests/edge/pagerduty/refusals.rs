//! What the core refuses is told to PagerDuty's clients by the names that they know.

use serde_json::{Value, json};

use super::duty::weekly;
use super::roster::{id_of, made, user};
use super::{ada, read, refused, service};
use crate::fakes::START;
use crate::world::World;

/// Names that fields have in the core alone.
const OWN_NAMES: [&str; 8] = [
    "levels",
    "'layers[",
    ".layers[",
    "members",
    "turn.every",
    "delay_minutes",
    "user_id",
    "matchers",
];

/// A body is refused for this field, which is named in no other way.
async fn check(world: &World, call: (&str, &str), body: Value, field: &str) {
    let answer = ada(world, call, Some(body)).await;
    let told = refused(&answer, 400, 2001);
    assert!(
        told.contains(&format!("\"'{field}' is ")),
        "{field}: {told}"
    );
    for own in OWN_NAMES {
        assert!(!told.contains(own), "{own}: {told}");
    }
}

#[tokio::test]
async fn a_policy_is_refused_by_the_names_of_its_rules() {
    let world = World::new();
    let policy = |rule: Value, loops: u64| json!({"escalation_policy": {"name": "Night", "num_loops": loops, "escalation_rules": [rule]}});
    let rule = |minutes: u64, count: usize| json!({"escalation_delay_in_minutes": minutes, "targets": vec![user(&world); count]});
    let rules = "escalation_policy.escalation_rules";
    for (body, field) in [
        (policy(rule(5, 11), 0), format!("{rules}[0].targets")),
        (
            policy(rule(1_441, 1), 0),
            format!("{rules}[0].escalation_delay_in_minutes"),
        ),
        (
            policy(rule(5, 1), 10),
            "escalation_policy.num_loops".to_owned(),
        ),
        (
            json!({"escalation_policy": {"name": "x", "escalation_rules": []}}),
            rules.to_owned(),
        ),
    ] {
        check(&world, ("POST", "/escalation_policies"), body, &field).await;
    }
}

#[tokio::test]
async fn a_schedule_and_who_stands_in_are_refused_by_their_names() {
    let world = World::new();
    let schedule = |name: &str, value: Value| {
        let mut layer = json!({
            "start": "2026-11-02T09:00:00Z", "rotation_turn_length_seconds": 604_800,
            "users": [{"user": user(&world)}],
        });
        layer[name] = value;
        json!({"schedule": {"name": "Rota", "time_zone": "UTC", "schedule_layers": [layer]}})
    };
    let span = "since=2026-12-01T12:00:00Z&until=2026-12-02T12:00:00Z";
    let preview = format!("/schedules/preview?{span}");
    for (name, value) in [
        ("rotation_turn_length_seconds", json!(367 * 604_800)),
        ("end", json!("2026-11-01T09:00:00Z")),
        ("time_zone", json!("Mars/Olympus")),
        ("users", json!(vec![json!({"user": user(&world)}); 201])),
    ] {
        let field = format!("schedule.schedule_layers[0].{name}");
        for path in ["/schedules", preview.as_str()] {
            let body = schedule(name, value.clone());
            check(&world, ("POST", path), body, &field).await;
        }
    }
    let mut mars = schedule("end", Value::Null);
    mars["schedule"]["time_zone"] = json!("Mars/Olympus");
    check(&world, ("POST", "/schedules"), mars, "schedule.time_zone").await;
    let rota = made(&world, "/schedules", schedule("end", Value::Null)).await;
    let path = format!("/schedules/{}/overrides", id_of(&rota["schedule"]));
    let (from, until) = (START.plus_ms(7_200_000), START.plus_ms(3_600_000));
    let backwards =
        json!({"start": from.to_rfc3339(), "end": until.to_rfc3339(), "user": user(&world)});
    let body = json!({"override": backwards});
    check(&world, ("POST", &path), body, "override.end").await;
}

#[tokio::test]
async fn a_layer_that_does_not_say_who_is_in_it_takes_nobody_off_duty() {
    let world = World::new();
    let primary = made(&world, "/schedules", weekly(&world)).await;
    let path = format!("/schedules/{}", id_of(&primary["schedule"]));
    let before = read(&world, &path).await;
    let field = "schedule.schedule_layers[0].users";
    for silent in [None, Some(Value::Null)] {
        let mut body = weekly(&world);
        let layer = body["schedule"]["schedule_layers"][0].as_object_mut();
        let layer = layer.unwrap();
        layer.remove("users");
        layer.extend(silent.map(|null| ("users".to_owned(), null)));
        check(&world, ("PUT", &path), body.clone(), field).await;
        check(&world, ("POST", "/schedules"), body, field).await;
    }
    assert_eq!(read(&world, &path).await, before);
}

#[tokio::test]
async fn a_name_that_shows_nothing_is_refused_where_something_is_changed_too() {
    let world = World::new();
    let first = |path: &'static str, list: &'static str| {
        let world = &world;
        async move { id_of(&read(world, path).await[list][0]) }
    };
    let business = json!({"business_service": {"name": "Shop"}});
    let business = ada(&world, ("POST", "/business_services"), Some(business)).await;
    for (path, noun) in [
        (format!("/users/{}", world.bob), "user"),
        (format!("/teams/{}", first("/teams", "teams").await), "team"),
        (format!("/services/{}", id_of(&service(&world))), "service"),
        (
            format!("/schedules/{}", first("/schedules", "schedules").await),
            "schedule",
        ),
        (
            format!(
                "/escalation_policies/{}",
                first("/escalation_policies", "escalation_policies").await
            ),
            "escalation_policy",
        ),
        (
            format!(
                "/business_services/{}",
                id_of(&business.json()["business_service"])
            ),
            "business_service",
        ),
    ] {
        for blank in ["", " \t", "\0"] {
            let body = json!({noun: {"name": blank}});
            check(&world, ("PUT", &path), body, &format!("{noun}.name")).await;
        }
        let before = read(&world, &path).await;
        let nothing = json!({noun: {"name": null}});
        let answer = ada(&world, ("PUT", &path), Some(nothing)).await;
        assert!(answer.status.is_success(), "{path}: {}", answer.text());
        let after = read(&world, &path).await;
        assert_eq!(
            after[noun]["name"], before[noun]["name"],
            "null says nothing"
        );
    }
}

#[tokio::test]
async fn planned_work_is_refused_by_its_names() {
    let world = World::new();
    let window = |services: Value, minutes: u64| {
        let (from, until) = (START, START.plus_ms(minutes * 60_000));
        json!({"maintenance_window": {
            "type": "maintenance_window", "description": "New disks", "services": services,
            "start_time": from.to_rfc3339(), "end_time": until.to_rfc3339(),
        }})
    };
    let call = ("POST", "/maintenance_windows");
    let services = "maintenance_window.services";
    check(&world, call, window(json!([]), 60), services).await;
    let own = json!([service(&world)]);
    check(&world, call, window(own, 0), "maintenance_window.end_time").await;
}

#[tokio::test]
async fn what_is_called_too_long_or_backwards_is_refused_by_its_names() {
    let world = World::new();
    let long = "x".repeat(201);
    let backwards = "web\u{202e}1";
    let policy = world.engine.read(|state| {
        let installation = state.installation.as_ref().unwrap();
        installation.default_policy.to_string()
    });
    let follows = json!({"id": policy, "type": "escalation_policy_reference"});
    let own = format!("/services/{}", id_of(&service(&world)));
    let integrations = format!("{own}/integrations");
    let bob = format!("/users/{}", world.bob);
    for (call, noun, body) in [
        (("POST", "/teams"), "team", json!({"name": long})),
        (("PUT", own.as_str()), "service", json!({"name": long})),
        (
            ("POST", "/services"),
            "service",
            json!({"name": long, "escalation_policy": follows}),
        ),
        (
            ("POST", integrations.as_str()),
            "integration",
            json!({"name": long, "type": "events_api_v2_inbound_integration"}),
        ),
        (("PUT", bob.as_str()), "user", json!({"name": backwards})),
        (
            ("POST", "/users"),
            "user",
            json!({"name": backwards, "email": "cy@example.org"}),
        ),
        (
            ("POST", "/business_services"),
            "business_service",
            json!({"name": backwards}),
        ),
    ] {
        let field = format!("{noun}.name");
        check(&world, call, json!({ noun: body }), &field).await;
    }
    let tag = json!({"tag": {"label": backwards}});
    check(&world, ("POST", "/tags"), tag, "tag.label").await;
    let ways = read(&world, &format!("{bob}/contact_methods")).await;
    let rule = json!({"notification_rule": {
        "type": "assignment_notification_rule", "urgency": "high", "start_delay_in_minutes": 1_441,
        "contact_method": {"id": ways["contact_methods"][0]["id"], "type": "email_contact_method"},
    }});
    let rules = format!("{bob}/notification_rules");
    let field = "notification_rule.start_delay_in_minutes";
    check(&world, ("POST", &rules), rule, field).await;
}
