//! Log entries of PagerDuty's REST API: what triggers tell, by which entries alerts began, and how far back the lists go.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::roster::{changed, id_of};
use super::{ada, declared, read, service};
use crate::fakes::START;
use crate::world::{World, trigger};

const TRIGGER: &str = "trigger_log_entry";

/// Says that the disk is full, so far.
async fn said(world: &World, used: Option<&str>) {
    let mut event = trigger("disk");
    if let Some(used) = used {
        event["payload"]["custom_details"] = json!({"used": used});
    }
    let answer = world.enqueue(&event).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text());
}

/// The triggers of a list, the newest first.
async fn triggers(world: &World, path: &str) -> Vec<Value> {
    let list = read(world, path).await["log_entries"].clone();
    let mut entries = list.as_array().unwrap().clone();
    entries.retain(|one| one["type"] == TRIGGER);
    entries
}

/// The incident that was opened last, with what its alerts are shown as.
async fn newest(world: &World, query: &str) -> (String, Vec<Value>) {
    let list = read(world, "/incidents?sort_by=incident_number:desc&limit=1").await;
    let id = id_of(&list["incidents"][0]);
    let alerts = read(world, &format!("/incidents/{id}/alerts{query}")).await["alerts"].clone();
    (id, alerts.as_array().unwrap().clone())
}

#[tokio::test]
async fn what_goes_on_to_the_next_who_acknowledged_is_an_assignment_to_them() {
    let world = World::new();
    let incident = world.raise("web").await;
    let path = format!("/incidents/{incident}/acknowledge");
    for token in [&world.bobs, &world.admin] {
        let taken = world.call("POST", &path, token, Some(json!({}))).await;
        assert_eq!(taken.status, StatusCode::OK, "{}", taken.text());
    }
    let path = format!("/users/{}", world.bob);
    let removed = world.call("DELETE", &path, &world.admin, None).await;
    assert!(removed.status.is_success(), "{}", removed.text());
    let list = read(&world, &format!("/incidents/{incident}/log_entries")).await;
    let entry = &list["log_entries"][0];
    assert_eq!(entry["type"], "assign_log_entry");
    assert_eq!(entry["summary"], "Reassigned to Ada: Bob was removed");
    assert_eq!(entry["assignees"][0]["id"], world.ada.to_string());
    let shown = read(&world, &format!("/incidents/{incident}")).await;
    let taken = &shown["incident"]["acknowledgements"][0];
    assert_eq!(taken["acknowledger"]["id"], world.ada.to_string());
}

#[tokio::test]
async fn what_is_said_again_is_a_trigger_again_with_what_was_told_by_it() {
    let world = World::new();
    for used in [Some("97 %"), Some("98 %"), None] {
        said(&world, used).await;
    }
    let (id, _) = newest(&world, "").await;
    let of = format!("/incidents/{id}/log_entries");
    for path in [of.as_str(), "/log_entries"] {
        let told = triggers(&world, &format!("{path}?include[]=channels")).await;
        let summaries: Vec<&Value> = told.iter().map(|one| &one["summary"]).collect();
        assert_eq!(
            summaries,
            [
                "Triggered again: disk is down",
                "Triggered again: disk is down",
                "Triggered: disk is down"
            ],
            "{path}"
        );
        // Whoever says nothing new of the fields says the same of them.
        for (entry, used) in told.iter().zip(["98 %", "98 %", "97 %"]) {
            let channel = &entry["channel"];
            assert_eq!(
                *channel,
                json!({"type": "api", "summary": "disk is down", "subject": "disk is down",
                    "details": {"used": used}, "details_omitted": false}),
                "{path}"
            );
            assert_eq!(entry["event_details"]["description"], "disk is down");
            let one = format!("/log_entries/{}?include[]=channels", id_of(entry));
            assert_eq!(read(&world, &one).await["log_entry"], *entry);
        }
    }
    let plain = triggers(&world, &of).await;
    let channel = json!({"type": "api", "summary": "disk is down"});
    assert!(plain.iter().all(|one| one["channel"] == channel));
    let all = read(&world, &format!("{of}?total=true")).await;
    let count = all["log_entries"].as_array().unwrap().len();
    assert_eq!(
        (&all["total"], &all["more"]),
        (&json!(count), &json!(false))
    );
    // What says once more what is known is none of the most important.
    let major = triggers(&world, &format!("{of}?is_overview=true")).await;
    assert_eq!(major.len(), 1);
}

#[tokio::test]
async fn what_triggers_told_is_read_back_as_it_was_sent() {
    let world = World::new();
    let (first, last) = (json!({"used": {"of": 97}}), json!({"used": {"of": "97"}}));
    for (class, custom) in [("io", &first), ("io", &last), ("", &Value::Null)] {
        let mut event = trigger("disk");
        event["payload"]["class"] = json!(class);
        event["payload"]["custom_details"] = custom.clone();
        let answer = world.enqueue(&event).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text());
    }
    let told = triggers(&world, "/log_entries?include[]=channels").await;
    let told = told.iter().map(|one| one["channel"]["details"].clone());
    let last = json!({"Class": "io", "used": {"of": "97"}});
    let first = json!({"Class": "io", "used": {"of": 97}});
    assert_eq!(told.collect::<Vec<_>>(), [last.clone(), last, first]);
}

#[tokio::test]
async fn the_words_of_an_incident_that_was_declared_are_in_the_channel_of_its_trigger() {
    let world = World::new();
    let body = json!({"incident": {"type": "incident", "title": "Down", "service": service(&world),
        "body": {"type": "incident_body", "details": "since noon"}}});
    let made = ada(&world, ("POST", "/incidents"), Some(body)).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    let id = id_of(&made.json()["incident"]);
    let query = "include[]=channels&include[]=first_trigger_log_entries";
    let told = triggers(&world, &format!("/incidents/{id}/log_entries?{query}")).await;
    assert_eq!(told[0]["channel"]["details"], "since noon");
    let wordless = id_of(&declared(&world, "Down").await);
    let all = triggers(
        &world,
        &format!("/incidents/{wordless}/log_entries?{query}"),
    )
    .await;
    assert_eq!(all[0]["channel"]["details"], Value::Null);
    let shown = read(&world, &format!("/incidents/{id}?{query}")).await;
    assert_eq!(shown["incident"]["first_trigger_log_entry"], told[0]);
}

#[tokio::test]
async fn each_alert_names_the_entry_by_which_it_began() {
    let world = World::new();
    let path = format!("/services/{}", id_of(&service(&world)));
    let groups = json!({"service": {"alert_grouping_parameters":
        {"type": "time", "config": {"timeout": 30}}}});
    changed(&world, &path, groups).await;
    world.raise("web").await;
    world.raise("db").await;
    let (id, alerts) = newest(&world, "").await;
    assert_eq!(alerts.len(), 2);
    let incident = read(&world, &format!("/incidents/{id}")).await["incident"].clone();
    let began = &incident["first_trigger_log_entry"];
    let first = alerts.iter().find(|one| one["alert_key"] == "web");
    assert_eq!(first.unwrap()["first_trigger_log_entry"], *began);
    let (_, whole) = newest(&world, "?include[]=first_trigger_log_entries").await;
    for (alert, whole) in alerts.iter().zip(whole) {
        let entry = &alert["first_trigger_log_entry"];
        assert_eq!(entry["type"], "trigger_log_entry_reference");
        let told = read(&world, &format!("/log_entries/{}", id_of(entry))).await;
        let told = &told["log_entry"];
        let summary = format!("Triggered: {}", alert["summary"].as_str().unwrap());
        assert_eq!(
            (&told["type"], &told["summary"]),
            (&json!(TRIGGER), &json!(summary))
        );
        assert_eq!(whole["first_trigger_log_entry"], *told);
        let path = format!("/incidents/{id}/alerts/{}", id_of(alert));
        assert_eq!(read(&world, &path).await["alert"], *alert);
    }
    assert_eq!(
        triggers(&world, &format!("/incidents/{id}/log_entries"))
            .await
            .len(),
        2
    );
}

#[tokio::test]
async fn an_alert_that_came_by_a_merge_began_where_it_did() {
    let world = World::new();
    let into = declared(&world, "one").await;
    let source = declared(&world, "two").await;
    let body = json!({"source_incidents": [{"id": source["id"], "type": "incident_reference"}]});
    let merge = format!("/incidents/{}/merge", id_of(&into));
    changed(&world, &merge, body).await;
    let path = format!("/incidents/{}/alerts", id_of(&into));
    let alerts = read(&world, &path).await["alerts"].clone();
    for (index, incident) in [&into, &source].into_iter().enumerate() {
        let entry = &alerts[index]["first_trigger_log_entry"];
        assert_eq!(entry["id"], incident["first_trigger_log_entry"]["id"]);
    }
}

#[tokio::test]
async fn lists_reach_back_as_far_as_is_asked_however_much_came_since() {
    let world = World::new();
    declared(&world, "Down").await;
    let nothing = json!({"action": "resolve", "dedup_key": "never heard of"});
    for _ in 0..21 {
        let body = Value::Array(vec![nothing.clone(); 1_000]);
        let answer = world.post("/alerts", body).await;
        assert!(answer.status.is_success(), "{}", answer.text());
    }
    let since = START.to_rfc3339();
    let of_ada = format!("/users/{}/log_entries", world.ada);
    for path in ["/log_entries", of_ada.as_str()] {
        let list = read(&world, &format!("{path}?since={since}&total=true")).await;
        let entries = list["log_entries"].as_array().unwrap();
        assert_eq!(entries.last().unwrap()["type"], TRIGGER, "{path}");
        assert_eq!(
            (&list["total"], &list["more"]),
            (&json!(entries.len()), &json!(false)),
            "{path}"
        );
    }
}
