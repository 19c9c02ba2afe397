//! What lists of PagerDuty's REST API are asked for: what cannot be read is refused in its words, and never answered as if it had not
//! been asked.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::roster::{id_of, made, user};
use super::{ada, declared, read, refused, service};
use crate::fakes::START;
use crate::world::World;

/// That each of these is refused as a wrong request that names the parameter.
async fn all_refused(world: &World, path: &str, queries: &[&str]) {
    for query in queries {
        let mark = if path.contains('?') { '&' } else { '?' };
        let asked = format!("{path}{mark}{query}");
        let told = refused(&ada(world, ("GET", &asked), None).await, 400, 2001);
        let (name, _) = query.split_once('=').unwrap();
        assert!(
            told.contains(name.trim_end_matches("[]")),
            "{asked}: {told}"
        );
    }
}

#[tokio::test]
async fn a_page_that_is_no_page_is_refused_by_every_list() {
    let world = World::new();
    world.raise("web").await;
    let team = id_of(&read(&world, "/teams").await["teams"][0]);
    let service = id_of(&service(&world));
    for path in [
        "/incidents",
        "/incidents/1/alerts",
        "/incidents/1/log_entries",
        "/incidents/1/related_change_events",
        "/log_entries",
        "/notifications",
        "/change_events",
        &format!("/services/{service}/change_events"),
        "/services",
        "/vendors",
        "/escalation_policies",
        "/schedules",
        "/oncalls",
        "/users",
        &format!("/users/{}/tags", world.bob),
        "/teams",
        &format!("/teams/{team}/members"),
        "/tags",
        "/business_services",
        "/event_orchestrations",
        "/maintenance_windows",
        "/webhook_subscriptions",
        "/priorities",
    ] {
        let wrong = [
            "limit=abc",
            "limit=0",
            "limit=99999999999999999999",
            "offset=-1",
            "offset=9999",
            "total=maybe",
        ];
        all_refused(&world, path, &wrong).await;
    }
    for path in [
        "/business_services/impacts",
        "/business_services/impactors",
        "/incidents/1/business_services/impacts",
    ] {
        all_refused(&world, path, &["limit=abc", "limit=0", "ids[]="]).await;
    }
}

#[tokio::test]
async fn a_span_that_cannot_be_read_is_refused_and_not_passed_over() {
    let world = World::new();
    world.raise("web").await;
    let schedule = id_of(&read(&world, "/schedules").await["schedules"][0]);
    let schedule = format!("/schedules/{schedule}");
    for path in [
        "/incidents",
        "/log_entries",
        "/incidents/1/log_entries",
        "/change_events",
        "/oncalls",
        "/notifications",
        &schedule,
    ] {
        all_refused(&world, path, &["since=noon", "until=31.12.2026"]).await;
    }
}

#[tokio::test]
async fn a_filter_that_cannot_be_read_is_refused_and_not_passed_over() {
    let world = World::new();
    world.raise("web").await;
    let schedule = id_of(&read(&world, "/schedules").await["schedules"][0]);
    let rules = format!("/users/{}/notification_rules", world.bob);
    let day = "since=2026-01-01&until=2026-01-02";
    let overrides = format!("/schedules/{schedule}/overrides?{day}");
    let notifications = format!("/notifications?{day}");
    for (path, wrong) in [
        (
            "/incidents",
            &[
                "statuses[]=bogus",
                "statuses[]=",
                "urgencies[]=loud",
                "urgencies[]=",
                "service_ids[]=",
                "team_ids[]=",
                "user_ids[]=",
                "priority_ids[]=",
                "date_range=some",
                "sort_by=title",
            ][..],
        ),
        (
            "/incidents/1/alerts",
            &["statuses[]=open", "statuses[]=", "sort_by=title"],
        ),
        ("/log_entries", &["team_ids[]=", "is_overview=maybe"]),
        (
            &notifications,
            &["filter=sms", "filter=pigeon_notification"],
        ),
        ("/change_events", &["team_ids[]=", "integration_ids[]="]),
        ("/services", &["id[]=", "team_ids[]=", "sort_by=created_at"]),
        (
            "/escalation_policies",
            &["team_ids[]=", "user_ids[]=", "sort_by=name:up"],
        ),
        ("/users", &["team_ids[]="]),
        (&rules, &["urgency=loud"]),
        (
            "/maintenance_windows",
            &["filter=soon", "service_ids[]=", "team_ids[]="],
        ),
        ("/webhook_subscriptions", &["filter_type=user"]),
        (
            "/oncalls",
            &[
                "user_ids[]=",
                "schedule_ids[]=",
                "escalation_policy_ids[]=",
                "earliest=maybe",
            ],
        ),
        (&overrides, &["editable=maybe"]),
    ] {
        all_refused(&world, path, wrong).await;
        // Some clients leave the brackets off.
        let bare: Vec<String> = wrong.iter().map(|one| one.replace("[]", "")).collect();
        let bare: Vec<&str> = bare.iter().map(String::as_str).collect();
        all_refused(&world, path, &bare).await;
    }
}

#[tokio::test]
async fn the_filters_that_there_are_filter() {
    let world = World::new();
    let direct = json!({"escalation_policy": {"name": "Bob", "escalation_rules": [
        {"escalation_delay_in_minutes": 5, "targets": [user(&world)]}]}});
    let direct = made(&world, "/escalation_policies", direct).await["escalation_policy"].clone();
    let of = format!("/oncalls?escalation_policy_ids[]={}", id_of(&direct));
    let by_name = read(&world, &format!("{of}&schedule_ids[]=null")).await;
    assert_eq!(by_name["oncalls"][0]["user"]["id"], world.bob.to_string());
    let by_schedule = read(&world, &format!("{of}&schedule_ids[]=QAAAAAAAAAAAAA")).await;
    assert_eq!(by_schedule["oncalls"], json!([]));
    let day = "since=2026-01-01&until=2026-01-02";
    for word in ["sms", "email", "phone", "push"] {
        let path = format!("/notifications?{day}&filter={word}_notification");
        assert_eq!(read(&world, &path).await["notifications"], json!([]));
    }
    let page = read(&world, "/services?limit=1000&sort_by=name:desc").await;
    assert_eq!(page["limit"], 100, "the limit that holds is told");
}

#[tokio::test]
async fn incidents_are_found_by_their_priority() {
    let world = World::new();
    let priorities = read(&world, "/priorities").await["priorities"].clone();
    let (first, second) = (id_of(&priorities[0]), id_of(&priorities[1]));
    let bad = id_of(&declared(&world, "bad").await);
    declared(&world, "plain").await;
    let body = json!({"incident": {"priority": {"id": first, "type": "priority_reference"}}});
    let path = format!("/incidents/{bad}");
    let set = ada(&world, ("PUT", &path), Some(body)).await;
    assert_eq!(set.status, StatusCode::OK, "{}", set.text());
    for (query, expected) in [
        (format!("priority_ids[]={first}"), vec![&bad]),
        (
            format!("priority_ids={second}&priority_ids={first}"),
            vec![&bad],
        ),
        (format!("priority_ids[]={second}"), Vec::new()),
        ("priority_ids[]=PXPGF42".to_owned(), Vec::new()),
    ] {
        let found = read(&world, &format!("/incidents?{query}")).await["incidents"].clone();
        let found = found.as_array().unwrap().iter();
        let found: Vec<String> = found.map(id_of).collect();
        assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{query}");
    }
}

#[tokio::test]
async fn alerts_of_an_incident_stand_in_the_order_that_is_asked_for() {
    let world = World::new();
    let into = id_of(&declared(&world, "one").await);
    *world.clock.0.lock().unwrap() = START.plus_ms(60_000);
    let source = id_of(&declared(&world, "two").await);
    let body = json!({"source_incidents": [{"id": source, "type": "incident_reference"}]});
    let merge = format!("/incidents/{into}/merge");
    let merged = ada(&world, ("PUT", &merge), Some(body)).await;
    assert_eq!(merged.status, StatusCode::OK, "{}", merged.text());
    for (order, expected) in [
        ("created_at", ["one", "two"]),
        ("created_at:desc", ["two", "one"]),
        ("resolved_at,created_at:desc", ["two", "one"]),
    ] {
        let path = format!("/incidents/{into}/alerts?sort_by={order}");
        let list = read(&world, &path).await["alerts"].clone();
        let alerts = list.as_array().unwrap().iter();
        let titles: Vec<&Value> = alerts.map(|one| &one["summary"]).collect();
        assert_eq!(titles, expected, "{order}");
    }
}

#[tokio::test]
async fn instants_are_read_with_any_offset() {
    let world = World::new();
    declared(&world, "Down").await;
    for (written, count) in [
        (START.plus_ms(1_000).to_rfc3339(), 0),
        (START.to_rfc3339(), 1),
        ("2000-01-01T00:00:00%2B05:30".to_owned(), 1),
        ("2000-01-01T00:00:00-0800".to_owned(), 1),
    ] {
        let path = format!("/log_entries?since={written}");
        let found = read(&world, &path).await["log_entries"].clone();
        let found = found.as_array().unwrap().len().min(1);
        assert_eq!(found, count, "{written}");
    }
}

#[tokio::test]
async fn a_service_is_found_by_the_whole_key_of_its_integration() {
    let world = World::new();
    let path = format!("/services/{}/integrations", id_of(&service(&world)));
    let body =
        json!({"integration": {"type": "events_api_v2_inbound_integration", "name": "Probe"}});
    let probe = made(&world, &path, body).await["integration"].clone();
    let key = probe["integration_key"].as_str().unwrap();
    let other = "x".repeat(32);
    for (query, count) in [(key, 1), (&key[..31], 0), (other.as_str(), 0)] {
        let query = format!("include[]=integrations&query={query}");
        let found = read(&world, &format!("/services?{query}")).await["services"].clone();
        assert_eq!(found.as_array().unwrap().len(), count, "{query}: {found}");
        if count > 0 {
            assert_eq!(found[0]["id"], service(&world)["id"]);
        }
    }
}

#[tokio::test]
async fn services_are_listed_by_their_ids_and_by_their_whole_names() {
    let world = World::new();
    let first = id_of(&service(&world));
    let known = read(&world, &format!("/services/{first}")).await["service"].clone();
    let policy = &known["escalation_policy"];
    let shop = json!({"service": {"name": "Shop", "escalation_policy": policy}});
    let shop = id_of(&made(&world, "/services", shop).await["service"]);
    for (query, mut expected) in [
        (format!("id[]={shop}"), vec![&shop]),
        (format!("id={first}&query="), vec![&first]),
        (format!("id[]={first}&id[]={shop}"), vec![&first, &shop]),
        (format!("id[]={shop}&id[]=PXPGF42"), vec![&shop]),
        ("name=Shop".to_owned(), vec![&shop]),
        ("name=Sho".to_owned(), Vec::new()),
        ("name=Shop&query=x".to_owned(), Vec::new()),
        ("id[]=QAAAAAAAAAAAAA".to_owned(), Vec::new()),
        ("id[]=PXPGF42".to_owned(), Vec::new()),
    ] {
        let found = read(&world, &format!("/services?{query}")).await["services"].clone();
        let found = found.as_array().unwrap().iter();
        let mut found: Vec<String> = found.map(id_of).collect();
        found.sort();
        expected.sort();
        assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{query}");
    }
}
