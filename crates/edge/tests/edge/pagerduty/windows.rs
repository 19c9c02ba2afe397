//! Maintenance windows in PagerDuty's REST API when something that is worked on goes, and when they are ended.

use axum::http::StatusCode;
use serde_json::{Value, json};
use tocsin_domain::people::Role;

use super::people::{installations_token, last_actor, token_in};
use super::roster::{changed, id_of, made};
use super::{ada, ask, read, refused, service};
use crate::fakes::START;
use crate::world::World;

#[tokio::test]
async fn work_on_a_watched_server_that_is_removed_goes_on_for_what_else_it_is_on() {
    let world = World::new();
    world.apache_is_found();
    let target = world.engine.read(|state| {
        let mut targets = state.targets.keys();
        targets.next().unwrap().to_string()
    });
    let at = |hours: u64| START.plus_ms(hours * 3_600_000).to_rfc3339();
    for services in [json!([]), json!([service(&world)["id"]])] {
        let body = json!({"reason": "New disks", "target_ids": [target], "service_ids": services,
            "from": at(1), "until": at(2)});
        let planned = world.post("/maintenance-windows", body).await;
        assert_eq!(planned.status, StatusCode::CREATED, "{}", planned.text());
    }
    let path = format!("/targets/{target}");
    let removed = world.call("DELETE", &path, &world.admin, None).await;
    assert_eq!(removed.status, StatusCode::NO_CONTENT, "{}", removed.text());
    let listed = read(&world, "/maintenance_windows").await["maintenance_windows"].clone();
    assert_eq!(listed.as_array().unwrap().len(), 1, "{listed}");
    let path = format!("/maintenance_windows/{}", id_of(&listed[0]));
    let later = json!({"maintenance_window": {"description": "Newer disks"}});
    let left = changed(&world, &path, later).await["maintenance_window"].clone();
    assert_eq!(left["description"], "Newer disks");
    assert_eq!(left["services"][0]["id"], service(&world)["id"]);
}

#[tokio::test]
async fn work_that_was_ended_begins_again_only_by_a_new_end() {
    let world = World::new();
    let at = |hours: u64| START.plus_ms(hours * 3_600_000).to_rfc3339();
    let body = json!({"maintenance_window": {"type": "maintenance_window", "description": "New disks",
        "start_time": at(0), "end_time": at(2), "services": [service(&world)]}});
    let work = made(&world, "/maintenance_windows", body).await["maintenance_window"].clone();
    let path = format!("/maintenance_windows/{}", id_of(&work));
    let ended = ada(&world, ("DELETE", &path), None).await;
    assert_eq!(ended.status, StatusCode::NO_CONTENT, "{}", ended.text());
    let words = json!({"maintenance_window": {"description": "Newer disks"}});
    refused(&ada(&world, ("PUT", &path), Some(words)).await, 400, 2001);
    let longer = json!({"maintenance_window": {"end_time": at(3)}});
    let again = changed(&world, &path, longer).await["maintenance_window"].clone();
    let end = again["end_time"].as_str().unwrap();
    assert!(end.starts_with(&at(3)[..19]), "{end}");
}

#[tokio::test]
async fn work_whose_description_is_taken_back_has_that_of_work_without_one() {
    let world = World::new();
    let at = |hours: u64| START.plus_ms(hours * 3_600_000).to_rfc3339();
    let mut body = json!({"maintenance_window": {"type": "maintenance_window", "start_time": at(1), "end_time": at(2),
        "services": [service(&world)]}});
    let plan = "/maintenance_windows";
    let without = made(&world, plan, body.clone()).await["maintenance_window"].clone();
    assert_eq!(without["description"], "maintenance");
    for empty in [json!(""), json!(" "), Value::Null] {
        body["maintenance_window"]["description"] = json!("New disks");
        let work = made(&world, plan, body.clone()).await["maintenance_window"].clone();
        assert_eq!(work["description"], "New disks");
        let path = format!("{plan}/{}", id_of(&work));
        let longer = json!({"maintenance_window": {"end_time": at(3)}});
        let longer = changed(&world, &path, longer).await["maintenance_window"].clone();
        assert_eq!(longer["description"], "New disks", "it was left out");
        let words = json!({"maintenance_window": {"description": empty}});
        changed(&world, &path, words).await;
        let shown = read(&world, &path).await["maintenance_window"].clone();
        assert_eq!(shown["description"], without["description"], "{empty}");
    }
}

#[tokio::test]
async fn a_token_of_nobody_plans_work_by_itself_or_in_the_name_of_somebody() {
    let world = World::new();
    let key = installations_token(&world, Role::Responder);
    let at = |hours: u64| START.plus_ms(hours * 3_600_000).to_rfc3339();
    let body = json!({"maintenance_window": {"type": "maintenance_window", "description": "New disks",
        "start_time": at(1), "end_time": at(2), "services": [service(&world)]}});
    let call = ("POST", "/maintenance_windows");
    let plan = async |from: Option<&str>| ask(&world, call, &key, from, Some(body.clone())).await;
    refused(&plan(Some("nobody@example.org")).await, 400, 1008);
    for (from, person) in [
        (None, Value::Null),
        (Some("bob@example.org"), json!(world.bob.to_string())),
    ] {
        let planned = plan(from).await;
        assert_eq!(planned.status, StatusCode::CREATED, "{}", planned.text());
        let planned = planned.json()["maintenance_window"].clone();
        assert_eq!(planned["created_by"]["id"], person, "{from:?}");
        let path = format!("/maintenance_windows/{}", id_of(&planned));
        let longer = json!({"maintenance_window": {"end_time": at(3)}});
        let longer = ask(&world, ("PUT", &path), &key, None, Some(longer)).await;
        assert_eq!(longer.status, StatusCode::OK, "{}", longer.text());
        let by = token_in(last_actor(&world));
        assert_eq!(by.as_deref(), Some("Terraform"));
    }
}
