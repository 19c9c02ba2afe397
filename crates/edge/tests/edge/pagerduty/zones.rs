//! `time_zone` of PagerDuty's REST API: by whose clocks times are read and written.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::duty::weekly;
use super::roster::{id_of, made};
use super::{ada, declared, read, refused};
use crate::world::World;

/// An hour ahead of UTC at the time of these tests.
const PARIS: &str = "time_zone=Europe/Paris";

async fn count(world: &World, path: &str, name: &str) -> usize {
    let list = read(world, path).await[name].clone();
    list.as_array().unwrap().len()
}

#[tokio::test]
async fn times_are_written_by_the_clocks_of_the_zone_that_is_asked_for() {
    let world = World::new();
    let id = id_of(&declared(&world, "Down").await);
    let incidents = read(&world, &format!("/incidents?{PARIS}&include[]=services")).await;
    let incident = &incidents["incidents"][0];
    assert_eq!(incident["created_at"], "2026-11-23T08:00:00+01:00");
    let newest = &incident["service"]["last_incident_timestamp"];
    assert_eq!(*newest, "2026-11-23T08:00:00+01:00");
    let path = format!("/incidents/{id}/log_entries?{PARIS}");
    let entry = read(&world, &path).await["log_entries"][0].clone();
    assert_eq!(entry["created_at"], "2026-11-23T08:00:00+01:00");
    let one = format!("/log_entries/{}?{PARIS}", id_of(&entry));
    assert_eq!(read(&world, &one).await["log_entry"], entry);
    let utc = read(&world, "/incidents?time_zone=Etc/UTC").await;
    assert_eq!(utc["incidents"][0]["created_at"], "2026-11-23T07:00:00Z");
}

#[tokio::test]
async fn a_time_without_an_offset_is_by_the_clocks_of_the_zone() {
    let world = World::new();
    declared(&world, "Down").await;
    // It was declared at 7:00 UTC.
    for (span, found) in [
        ("since=2026-11-23T07:30:00", false),
        ("since=2026-11-23T07:30:00&time_zone=Europe/Paris", true),
        ("since=2026-11-23T07:30:00Z&time_zone=Europe/Paris", false),
        ("until=2026-11-23T07:30:00", true),
        ("until=2026-11-23T07:30:00&time_zone=Europe/Paris", false),
    ] {
        for (path, name) in [("/incidents", "incidents"), ("/log_entries", "log_entries")] {
            let count = count(&world, &format!("{path}?{span}"), name).await;
            assert_eq!(count > 0, found, "{path} {span}");
        }
    }
}

#[tokio::test]
async fn a_schedule_and_its_on_calls_are_shown_by_the_clocks_of_the_zone() {
    let world = World::new();
    let primary = made(&world, "/schedules", weekly(&world)).await["schedule"].clone();
    let id = id_of(&primary);
    let span = "since=2026-12-01&until=2026-12-02&time_zone=America/New_York";
    let day = read(&world, &format!("/schedules/{id}?{span}")).await["schedule"].clone();
    let entries = day["final_schedule"]["rendered_schedule_entries"].as_array();
    let entries = entries.unwrap();
    assert_eq!(entries[0]["start"], "2026-12-01T00:00:00-05:00");
    assert_eq!(entries.last().unwrap()["end"], "2026-12-02T00:00:00-05:00");
    let start = &day["schedule_layers"][0]["rotation_virtual_start"];
    assert_eq!(*start, "2026-01-05T03:00:00-05:00");
    let rule = json!({"escalation_delay_in_minutes": 5,
        "targets": [{"id": id, "type": "schedule_reference"}]});
    let body = json!({"escalation_policy": {"name": "Night", "escalation_rules": [rule]}});
    made(&world, "/escalation_policies", body).await;
    let path = format!("/oncalls?schedule_ids[]={id}&{PARIS}");
    let list = read(&world, &path).await["oncalls"].clone();
    let start = list[0]["start"].as_str().unwrap();
    assert!(start.ends_with("+01:00"), "{start}");
}

#[tokio::test]
async fn a_zone_that_there_is_not_is_refused_where_a_zone_means_something() {
    let world = World::new();
    let id = id_of(&declared(&world, "Down").await);
    let schedule = made(&world, "/schedules", weekly(&world)).await["schedule"].clone();
    for path in [
        "/incidents".to_owned(),
        format!("/incidents/{id}/log_entries"),
        "/log_entries".to_owned(),
        format!("/users/{}/log_entries", world.ada),
        "/oncalls".to_owned(),
        "/schedules".to_owned(),
        format!("/schedules/{}", id_of(&schedule)),
        "/notifications".to_owned(),
    ] {
        let path = format!("{path}?time_zone=Mars/Olympus");
        let told = refused(&ada(&world, ("GET", &path), None).await, 400, 2001);
        assert!(told.contains("'time_zone'"), "{path}: {told}");
    }
    let elsewhere = ada(&world, ("GET", "/services?time_zone=Mars/Olympus"), None).await;
    assert_eq!(elsewhere.status, StatusCode::OK);
}

#[tokio::test]
async fn schedules_are_listed_over_a_span() {
    let world = World::new();
    let primary = made(&world, "/schedules", weekly(&world)).await["schedule"].clone();
    let span = "since=2026-12-01T12:00:00Z&until=2026-12-02T12:00:00Z";
    let one = read(&world, &format!("/schedules/{}?{span}", id_of(&primary))).await;
    let query = "query=primary&include[]=final_schedule&include[]=schedule_layers";
    let list = read(&world, &format!("/schedules?{query}&{span}")).await;
    let listed = &list["schedules"][0];
    for part in ["final_schedule", "schedule_layers"] {
        assert_eq!(listed[part], one["schedule"][part]);
    }
    let entries = &listed["final_schedule"]["rendered_schedule_entries"];
    assert_eq!(entries.as_array().unwrap().len(), 3);
    assert_eq!(listed.get("overrides_subschedule"), None);
    let plain = read(&world, &format!("/schedules?query=primary&{span}")).await;
    assert_eq!(plain["schedules"][0].get("final_schedule"), None);
    for wrong in [
        "since=noon",
        "since=2026-12-02&until=2026-12-01",
        "include[]=final_schedule&since=2020-01-01&until=2026-12-01",
    ] {
        let path = format!("/schedules?{wrong}");
        refused(&ada(&world, ("GET", &path), None).await, 400, 2001);
    }
}

#[tokio::test]
async fn a_schedule_tells_when_somebody_is_on_call_next() {
    let world = World::new();
    let primary = made(&world, "/schedules", weekly(&world)).await["schedule"].clone();
    let next = async |user: &str| {
        let query = format!("include_next_oncall_for_user={user}");
        let one = read(&world, &format!("/schedules/{}?{query}", id_of(&primary))).await;
        let list = read(&world, &format!("/schedules?query=primary&{query}")).await;
        let told = one["schedule"]["next_oncall_for_user"].clone();
        assert_eq!(list["schedules"][0]["next_oncall_for_user"], told);
        told
    };
    // It is 7:00 UTC: the next night begins at 22:00 in Paris.
    let adas = next(&world.ada.to_string()).await;
    assert_eq!(adas["user"]["id"], world.ada.to_string());
    assert_eq!(
        (&adas["start"], &adas["end"]),
        (
            &json!("2026-11-23T21:00:00Z"),
            &json!("2026-11-24T05:00:00Z")
        )
    );
    // He is on call already, since the night is over.
    let bobs = next(&world.bob.to_string()).await;
    assert_eq!(bobs["start"], "2026-11-23T05:00:00Z");
    assert_eq!(next("QAAAAAAAAAAAAA").await, Value::Null);
    let path = format!("/schedules/{}", id_of(&primary));
    let plain = read(&world, &path).await["schedule"].clone();
    assert_eq!(plain.get("next_oncall_for_user"), None);
}
