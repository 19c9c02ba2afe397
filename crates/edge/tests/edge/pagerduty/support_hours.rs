//! Support hours of services, in PagerDuty's form and beyond it.

use axum::http::StatusCode;
use serde_json::{Value, json};
use tocsin_domain::id::ServiceId;
use tocsin_domain::intake::{Intake, UrgencyBy};

use super::roster::changed;
use super::services::shop;
use super::{ada, read, refused};
use crate::world::World;

/// As Terraform's provider sends it.
fn weekdays() -> Value {
    json!({
        "incident_urgency_rule": {"type": "use_support_hours",
            "during_support_hours": {"type": "constant", "urgency": "high"},
            "outside_support_hours": {"type": "constant", "urgency": "low"}},
        "support_hours": {"type": "fixed_time_per_day", "time_zone": "America/Lima",
            "start_time": "09:00:00", "end_time": "17:00:00", "days_of_week": [1, 2, 3, 4, 5]},
        "scheduled_actions": [{"type": "urgency_change", "to_urgency": "high",
            "at": {"type": "named_time", "name": "support_hours_start"}}],
    })
}

/// How the service of that path takes its alerts in.
fn intake(world: &World, path: &str) -> Intake {
    let id: ServiceId = path.strip_prefix("/services/").unwrap().parse().unwrap();
    world
        .engine
        .read(|state| state.services[&id].intake.clone())
}

/// Reads a service and writes it back as it was read.
async fn written_back(world: &World, path: &str) -> Value {
    let before = intake(world, path);
    let known = read(world, path).await["service"].clone();
    let again = changed(world, path, json!({ "service": known })).await;
    assert_eq!(again["service"], known);
    assert_eq!(intake(world, path), before);
    known
}

#[tokio::test]
async fn support_hours_are_read_back_as_they_were_written() {
    let world = World::new();
    let (path, made) = shop(&world, weekdays()).await;
    let known = written_back(&world, &path).await;
    assert_eq!(known, made);
    for (name, value) in weekdays().as_object().unwrap() {
        assert_eq!(known[name], *value, "{name}");
    }
    let native = world.get(&format!("{path}/intake")).await.json();
    assert_eq!(native["urgency"]["by"], "support_hours");
    assert_eq!(native["urgency"]["raise"], true);
    // What is not said stays.
    let body = json!({"service": {"scheduled_actions": []}});
    let calm = changed(&world, &path, body).await["service"].clone();
    assert_eq!(calm["scheduled_actions"], json!([]));
    assert_eq!(calm["support_hours"], known["support_hours"]);
    // A client that has read them sends them on beside a rule that uses none.
    let mut constant = calm;
    constant["incident_urgency_rule"] = json!({"type": "constant", "urgency": "high"});
    let constant = changed(&world, &path, json!({ "service": constant })).await["service"].clone();
    assert_eq!(constant["support_hours"], Value::Null);
    assert_eq!(intake(&world, &path).urgency, UrgencyBy::High);
    written_back(&world, &path).await;
}

#[tokio::test]
async fn support_hours_that_have_no_form_there_stay_until_others_are_said() {
    let world = World::new();
    let (path, _) = shop(&world, json!({})).await;
    let hours = json!({"time_zone": "Europe/Paris", "windows": [
        {"days": ["monday"], "from": "09:00", "until": "12:00"},
        {"days": ["monday"], "from": "13:00", "until": "17:00"}]});
    let settings = json!({"grouping": {"by": "nothing"}, "resolve_after_minutes": null,
        "urgency": {"by": "support_hours", "during": "high", "outside": "low", "raise": true, "hours": hours}});
    let native = format!("{path}/intake");
    let set = world
        .call("PUT", &native, &world.admin, Some(settings))
        .await;
    assert_eq!(set.status, StatusCode::OK, "{}", set.text());
    let known = written_back(&world, &path).await;
    assert_eq!(
        known["incident_urgency_rule"],
        json!({"type": "use_support_hours"})
    );
    assert_eq!(known["support_hours"], Value::Null);
    let body = json!({ "service": weekdays() });
    let other = changed(&world, &path, body).await["service"].clone();
    assert_eq!(other["support_hours"], weekdays()["support_hours"]);
}

#[tokio::test]
async fn support_hours_that_nothing_uses_or_that_cannot_be_are_refused() {
    let world = World::new();
    let (path, _) = shop(&world, json!({})).await;
    let mut lunar = weekdays();
    lunar["support_hours"]["time_zone"] = json!("Moon/Tranquility");
    for (body, told) in [
        (
            json!({"support_hours": weekdays()["support_hours"]}),
            "service.support_hours",
        ),
        (
            json!({"scheduled_actions": weekdays()["scheduled_actions"]}),
            "service.scheduled_actions",
        ),
        (
            json!({"incident_urgency_rule": weekdays()["incident_urgency_rule"]}),
            "service.support_hours",
        ),
        (lunar, "service.support_hours.time_zone"),
        (json!({"support_hours": "9 to 5"}), "service.support_hours"),
        (json!({"support_hours": []}), "service.support_hours"),
        (json!({"scheduled_actions": 9}), "service.scheduled_actions"),
    ] {
        let before = intake(&world, &path);
        let answer = ada(&world, ("PUT", &path), Some(json!({ "service": body }))).await;
        let reason = refused(&answer, 400, 2001);
        assert!(reason.contains(told), "{reason}");
        assert_eq!(intake(&world, &path), before);
    }
}
