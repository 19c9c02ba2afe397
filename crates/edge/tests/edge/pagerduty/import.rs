//! A Tocsin that is read as if it were PagerDuty: what is imported is what is exported, as far as PagerDuty's form can say it.

use axum::http::StatusCode;
use serde_json::json;
use tocsin_domain::code::{Document, Timeout, Urgency};
use tocsin_wire::code::{File, read as read_files};
use tocsin_wire::pagerduty::import::{Imported, Walk};

use super::read;
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

[[services]]
name = "Odd"
escalation_policy = "Web"
urgency = { support_hours = { time_zone = "Europe/Paris", windows = [{ from = "09:00", until = "18:00" }], during = "high", outside = "severity" } }
grouping = { time = { within = "5m" } }

[[services]]
name = "Split"
escalation_policy = "Web"
urgency = { support_hours = { time_zone = "Europe/Paris", windows = [{ from = "09:00", until = "12:00" }, { from = "13:00", until = "18:00" }], during = "high", outside = "low" } }

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
        let answer = read(world, &path).await;
        walk.take(answer.to_string().as_bytes()).unwrap();
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
}
