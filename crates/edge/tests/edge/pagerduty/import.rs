//! A Tocsin that is read as if it were PagerDuty: what is imported is what is exported, as far as PagerDuty's form can say it.

use axum::http::StatusCode;
use serde_json::json;
use tocsin_domain::code::{Document, Timeout, Urgency};
use tocsin_wire::code::{File, read as read_files};
use tocsin_wire::pagerduty::import::{Imported, Walk};

use super::ada;
use crate::fakes::START;
use crate::world::World;

const FILES: &str = r#"
[[users]]
email = "carol@example.org"
name = "Carol"
role = "viewer"

[[users]]
email = "dave@example.org"
name = "Dave"
role = "responder"

[[teams]]
name = "Web"
description = "Who builds the shop"
members = ["bob@example.org", "carol@example.org"]

[[schedules]]
name = "Night"
description = "Whoever is awake"
time_zone = "Europe/Paris"

[[schedules.layers]]
start = "2026-11-01T00:00:00Z"
hand_off = "2026-11-02T09:00"
every = 1
unit = "weeks"
members = ["bob@example.org", "dave@example.org"]

[[schedules.layers]]
start = "2026-11-01T00:00:00Z"
until = "2027-03-01T00:00:00Z"
time_zone = "Asia/Kolkata"
hand_off = "2026-11-01T20:00"
every = 12
unit = "hours"
members = ["dave@example.org"]
restrictions = [{ from = "22:00", until = "06:00" }, { from = "friday 18:00", until = "monday 08:00" }]

[[escalation_policies]]
name = "Web"
description = "The night first"
repeat = 2
acknowledgement_timeout = "30m"

[[escalation_policies.levels]]
delay = "5m"
targets = [{ schedule = "Night" }, { team = "Web" }]

[[escalation_policies.levels]]
delay = "10m"
targets = [{ user = "bob@example.org" }, { user = "dave@example.org" }]
round_robin = true

[[services]]
name = "Shop"
description = "Where people buy"
escalation_policy = "Web"
urgency = "low"
resolve_after = "1h"

[[services.integrations]]
name = "Nagios"

[[services.integrations]]
name = "Portal"
vendor = "PRO19CT"

[[services]]
name = "Odd"
escalation_policy = "Web"
urgency = { support_hours = { time_zone = "Europe/Paris", windows = [{ from = "09:00", until = "18:00" }], during = "high", outside = "severity" } }
grouping = { time = { within = "5m" } }

[[services]]
name = "Split"
escalation_policy = "Web"
urgency = { support_hours = { time_zone = "Europe/Paris", windows = [{ from = "09:00", until = "12:00" }, { from = "13:00", until = "18:00" }], during = "high", outside = "low" } }

[[alert_rules]]
name = "databases"
when = { any = [{ field = "class", op = "equals", text = "db" }, { not = { field = "details.env", op = "exists" } }] }
then = [{ route = "Shop" }]

[[maintenance_windows]]
reason = "disks"
services = ["Shop"]
from = "2026-12-05T22:00:00Z"
until = "2026-12-06T02:00:00Z"

[installation]
priorities = ["Urgent", "Usual"]
"#;

async fn apply(world: &World) {
    let files = json!([{"name": "all.toml", "text": FILES}]);
    let planned = world.post("/code/plan", json!({"files": files})).await;
    assert_eq!(planned.status, StatusCode::OK, "{}", planned.text());
    let fingerprint = planned.json()["fingerprint"].clone();
    let body = json!({"files": files, "fingerprint": fingerprint});
    let applied = world.post("/code/apply", body).await;
    assert_eq!(applied.status, StatusCode::OK, "{}", applied.text());
}

async fn exported(world: &World) -> Document {
    let answer = world.get("/code").await.json();
    let files = answer["files"].as_array().unwrap().iter();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let files = files.map(|file| File {
        name: text(&file["name"]),
        text: text(&file["text"]),
    });
    read_files(&files.collect::<Vec<_>>()).unwrap().0
}

async fn imported(world: &World) -> Imported {
    let mut walk = Walk::new();
    while let Some(question) = walk.question() {
        let query = question.query.iter();
        let query: Vec<String> = query
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let path = format!("/{}?{}", question.path.join("/"), query.join("&"));
        let answer = ada(world, ("GET", &path), None).await;
        let status = answer.status.as_u16();
        if question.lacking.contains(&status) {
            walk.lack(status);
            continue;
        }
        assert_eq!(status, 200, "{path}: {}", answer.text());
        walk.take(answer.text().as_bytes()).unwrap();
    }
    walk.finish(START)
}

#[tokio::test]
async fn what_is_imported_from_a_tocsin_is_what_it_exports() {
    let world = World::new();
    apply(&world).await;
    let (mut exported, imported) = (exported(&world).await, imported(&world).await);
    let mut made = imported.document;
    assert_eq!(made.users, exported.users);
    assert_eq!(made.teams, exported.teams);
    assert_eq!(made.maintenance_windows, exported.maintenance_windows);
    assert_eq!(made.alert_rules, exported.alert_rules);
    assert_eq!(made.alert_rules.map(|all| all.len()), Some(1));
    assert_eq!(
        made.installation.priorities,
        exported.installation.priorities
    );
    made.schedules.retain(|one| one.name == "Night");
    exported.schedules.retain(|one| one.name == "Night");
    assert_eq!(made.schedules, exported.schedules);
    made.escalation_policies.retain(|one| one.name == "Web");
    exported.escalation_policies.retain(|one| one.name == "Web");
    // There, services say how long an acknowledgement holds, and no policy does.
    let policies = exported.escalation_policies.iter_mut();
    let held: Vec<_> = policies
        .filter_map(|one| one.acknowledgement_timeout.take())
        .collect();
    assert_eq!(held.len(), 1);
    assert_eq!(made.escalation_policies, exported.escalation_policies);
    let mine = ["Odd", "Shop", "Split"];
    made.services
        .retain(|one| mine.contains(&one.name.as_str()));
    exported
        .services
        .retain(|one| mine.contains(&one.name.as_str()));
    // Support hours that are not the same on each of some days are not told by this front: what cannot be said pages.
    for one in &mut exported.services {
        if one.name == "Split" {
            one.urgency = Urgency::High;
        }
        if one.escalation_policy.as_deref() == Some("Web") {
            let own = one.acknowledgement_timeout;
            one.acknowledgement_timeout = own.or(Some(Timeout::After(held[0])));
        }
    }
    assert_eq!(made.services, exported.services);
    let told = imported.remarks.join("\n");
    assert!(
        told.contains("service \"Split\": its urgency is left out"),
        "{told}"
    );
    assert!(!told.contains("service \"Odd\": its urgency"), "{told}");
}

#[tokio::test]
async fn what_was_imported_can_be_planned_where_it_came_from() {
    let world = World::new();
    apply(&world).await;
    let imported = imported(&world).await;
    let files = tocsin_wire::code::write(&imported.document);
    let files: Vec<_> = files
        .iter()
        .map(|file| json!({"name": file.name, "text": file.text}))
        .collect();
    let planned = world.post("/code/plan", json!({"files": files})).await;
    assert_eq!(planned.status, StatusCode::OK, "{}", planned.text());
    let changes = planned.json()["changes"].to_string();
    assert!(
        !changes.contains("Portal"),
        "its vendor stays with it: {changes}"
    );
}

#[tokio::test]
async fn a_label_that_pagerdutys_form_cannot_say_is_remarked() {
    let world = World::new();
    apply(&world).await;
    let body = json!({"name": "Prometheus", "kind": "alertmanager", "service_label": "team"});
    let services = world.get("/services").await.json();
    let service = services["items"][0]["id"].as_str().unwrap();
    let path = format!("/services/{service}/integrations");
    let made = world.post(&path, body).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    let told = imported(&world).await.remarks.join("\n");
    let remark =
        "integration \"Prometheus\": by which label alerts name their service cannot be read";
    assert_eq!(told.matches(remark).count(), 1, "{told}");
}

#[tokio::test]
async fn what_a_tocsin_has_that_no_file_holds_is_told_by_its_name() {
    let world = World::new();
    apply(&world).await;
    let subscription = json!({
        "type": "webhook_subscription",
        "description": "to the wiki",
        "events": ["incident.triggered"],
        "filter": {"type": "account_reference"},
        "delivery_method": {"type": "http_delivery_method", "url": "https://wiki.example.org/hook"},
    });
    for (path, body) in [
        ("/tags", json!({"tag": {"type": "tag", "label": "West"}})),
        (
            "/business_services",
            json!({"business_service": {"name": "Buying"}}),
        ),
        (
            "/webhook_subscriptions",
            json!({"webhook_subscription": subscription}),
        ),
    ] {
        let made = ada(&world, ("POST", path), Some(body)).await;
        assert!(made.status.is_success(), "{}", made.text());
    }
    let told = imported(&world).await.remarks.join("\n");
    for remark in [
        "tag \"West\": left out",
        "business service \"Buying\": left out",
        "webhook subscription \"to the wiki\": left out",
        "rulesets: could not be read: there is no such thing (404)",
        "extensions: could not be read: there is no such thing (404)",
    ] {
        assert!(told.contains(remark), "{remark}\n{told}");
    }
    // Its rules are asked about all alerts, as here.
    let of_rules = "event orchestration \"Tocsin\": its rules are asked here about the alerts of every service";
    assert!(told.contains(of_rules), "{told}");
    assert_eq!(told.matches("event orchestration").count(), 1, "{told}");
}

#[tokio::test]
async fn rules_that_do_more_than_a_router_are_not_lost_without_a_word() {
    let world = World::new();
    apply(&world).await;
    let rules = json!({"rules": [{"name": "quiet", "then": [{"do": "suppress"}]}]});
    let set = world
        .call("PUT", "/alert-rules", &world.admin, Some(rules))
        .await;
    assert_eq!(set.status, StatusCode::OK, "{}", set.text());
    let imported = imported(&world).await;
    assert_eq!(imported.document.alert_rules, None);
    let told = imported.remarks.join("\n");
    let remark = "event orchestration \"Tocsin\": its router could not be read: the account does not give it (402)";
    assert!(told.contains(remark), "{told}");
}
