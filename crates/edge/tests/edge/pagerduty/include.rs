//! `include[]` of PagerDuty's REST API: what is named is shown wholly.

use std::collections::BTreeSet;

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::roster::{changed, id_of, made, user};
use super::{ada, ask, declared, read, service};
use crate::fakes::START;
use crate::world::World;

/// A policy that pages Bob, with a service that follows it.
async fn policy(world: &World) -> Value {
    let body = json!({"escalation_policy": {
        "type": "escalation_policy", "name": "Night",
        "escalation_rules": [{"escalation_delay_in_minutes": 30, "targets": [user(world)]}],
    }});
    let night = made(world, "/escalation_policies", body).await["escalation_policy"].clone();
    let follows = json!({"service": {
        "type": "service", "name": "Shop",
        "escalation_policy": {"id": night["id"], "type": "escalation_policy_reference"},
    }});
    made(world, "/services", follows).await;
    night
}

#[tokio::test]
async fn a_policy_shows_its_services_and_its_targets() {
    let world = World::new();
    let night = policy(&world).await;
    let query = "include[]=services&include[]=teams&include[]=targets";
    let one = read(
        &world,
        &format!("/escalation_policies/{}?{query}", id_of(&night)),
    )
    .await;
    let list = read(&world, &format!("/escalation_policies?query=night&{query}")).await;
    for shown in [&one["escalation_policy"], &list["escalation_policies"][0]] {
        assert_eq!(shown["services"][0]["type"], "service");
        assert_eq!(shown["services"][0]["name"], "Shop");
        assert_eq!(shown["teams"], json!([]), "it was given to none");
        let target = &shown["escalation_rules"][0]["targets"][0];
        assert_eq!(
            (&target["type"], &target["email"]),
            (&json!("user"), &json!("bob@example.org"))
        );
    }
    let plain = read(&world, &format!("/escalation_policies/{}", id_of(&night))).await;
    let plain = &plain["escalation_policy"];
    assert_eq!(plain["services"][0]["type"], "service_reference");
}

#[tokio::test]
async fn schedules_are_listed_with_their_layers_and_people_with_their_teams() {
    let world = World::new();
    let body = json!({"schedule": {
        "type": "schedule", "name": "Primary", "time_zone": "Europe/Paris",
        "schedule_layers": [{
            "name": "Everybody", "start": "2026-01-05T09:00:00+01:00",
            "rotation_virtual_start": "2026-01-05T09:00:00+01:00",
            "rotation_turn_length_seconds": 604_800, "users": [{"user": user(&world)}],
        }],
    }});
    made(&world, "/schedules", body).await;
    let list = read(&world, "/schedules?query=primary&include[]=schedule_layers").await;
    let layers = &list["schedules"][0]["schedule_layers"];
    assert_eq!(layers[0]["rotation_turn_length_seconds"], 604_800);
    let list = read(&world, "/schedules?query=primary").await;
    assert_eq!(list["schedules"][0].get("schedule_layers"), None);
    for path in ["/users", "/users/me"] {
        let shown = read(&world, &format!("{path}?include[]=teams")).await;
        let who = shown.get("user").unwrap_or(&shown["users"][0]);
        assert_eq!(who["teams"][0]["type"], "team", "{path}");
    }
}

#[tokio::test]
async fn windows_and_log_entries_show_services_teams_and_people() {
    let world = World::new();
    let at = |minutes: u64| START.plus_ms(minutes * 60_000).to_rfc3339();
    let body = json!({"maintenance_window": {
        "type": "maintenance_window", "description": "New disks",
        "start_time": at(60), "end_time": at(120), "services": [service(&world)],
    }});
    made(&world, "/maintenance_windows", body).await;
    let query = "include[]=services&include[]=teams&include[]=users";
    let list = read(&world, &format!("/maintenance_windows?{query}")).await;
    let window = &list["maintenance_windows"][0];
    assert_eq!(window["created_by"]["type"], "user");
    assert_eq!(window["services"][0]["type"], "service");
    assert_eq!(window["teams"][0]["type"], "team");
    world.raise("web").await;
    let list = read(&world, &format!("/log_entries?{query}")).await;
    let entry = &list["log_entries"][0];
    assert_eq!(entry["service"]["type"], "service");
    assert_eq!(entry["teams"][0]["type"], "team");
}

#[tokio::test]
async fn an_incident_shows_who_changed_it_and_the_entry_by_which_it_began() {
    let world = World::new();
    let id = id_of(&declared(&world, "Down").await);
    let path = format!("/incidents/{id}");
    let taken = json!({"incident": {"type": "incident", "status": "acknowledged"}});
    changed(&world, &path, taken).await;
    let plain = read(&world, &path).await["incident"].clone();
    let first = &plain["first_trigger_log_entry"];
    assert_eq!(first["type"], "trigger_log_entry_reference");
    let entry = read(&world, &format!("/log_entries/{}", id_of(first))).await;
    assert_eq!(entry["log_entry"]["type"], "trigger_log_entry");
    let query = "include[]=agents&include[]=first_trigger_log_entries";
    let whole = read(&world, &format!("{path}?{query}")).await["incident"].clone();
    assert_eq!(whole["last_status_change_by"]["type"], "user");
    assert_eq!(whole["first_trigger_log_entry"], entry["log_entry"]);
}

#[tokio::test]
async fn an_incident_is_shown_alike_by_every_answer_whatever_is_included() {
    let world = World::new();
    let id = world.raise("web").await;
    world.raise("db").await;
    let path = format!("/incidents/{id}");
    made(
        &world,
        &format!("{path}/snooze"),
        json!({"duration": 3_600}),
    )
    .await;
    let plain = read(&world, &path).await["incident"].clone();
    let words = [
        "assignees",
        "acknowledgers",
        "users",
        "services",
        "escalation_policies",
        "teams",
        "body",
        "agents",
        "first_trigger_log_entries",
    ];
    let all = words.join("&include[]=");
    for word in words.into_iter().chain([all.as_str()]) {
        let query = format!("include[]={word}");
        let one = read(&world, &format!("{path}?{query}")).await["incident"].clone();
        assert_ne!(one, plain, "{word}: something is shown wholly");
        let listed = read(&world, &format!("/incidents?{query}")).await;
        assert_eq!(listed["incidents"][0], one, "{word}");
        let named = json!({"incidents": [{"id": id, "type": "incident_reference"}]});
        let several = changed(&world, &format!("/incidents?{query}"), named).await;
        assert_eq!(several["incidents"][0], one, "{word}");
        let named = json!({"incident": {"type": "incident_reference"}});
        let same = changed(&world, &format!("{path}?{query}"), named).await;
        assert_eq!(same["incident"], one, "{word}");
        let snooze = format!("{path}/snooze?{query}");
        let snoozed = made(&world, &snooze, json!({"duration": 3_600})).await;
        assert_eq!(snoozed["incident"], one, "{word}");
    }
}

/// With `agents` it is made as a value, and without written at once.
#[tokio::test]
async fn an_incident_that_is_written_at_once_is_written_as_its_value_is() {
    let world = World::new();
    let id = world.raise("web").await;
    let path = format!("/incidents/{id}");
    for status in ["triggered", "acknowledged", "resolved"] {
        if status != "triggered" {
            let change = json!({"incident": {"type": "incident_reference", "status": status}});
            changed(&world, &path, change).await;
        }
        for query in [
            "",
            "&include[]=body",
            "&include[]=users&include[]=teams",
            "&include[]=services&include[]=escalation_policies",
        ] {
            let answer = ada(&world, ("GET", &format!("{path}?limit=1{query}")), None).await;
            let mut at_once = answer.json();
            assert_eq!(at_once["incident"]["status"], status);
            assert_eq!(answer.text(), at_once.to_string(), "{status} {query}");
            let agents = format!("{path}?include[]=agents{query}");
            let mut value = read(&world, &agents).await;
            for shown in [&mut at_once, &mut value] {
                let by = shown["incident"]["last_status_change_by"].take();
                assert!(by.is_object(), "{by}");
            }
            assert_eq!(at_once, value, "{status} {query}");
        }
    }
}

/// What an answer says more than once is copied: each incident of a list is the one that is read alone.
#[tokio::test]
async fn each_incident_of_a_list_is_shown_as_it_is_alone() {
    let world = World::new();
    world
        .reach(world.bob, "ntfy", "https://ntfy.example.org/bob", None)
        .await;
    policy(&world).await;
    let services = read(&world, "/services").await["services"].clone();
    let services = services.as_array().unwrap();
    assert_eq!(services.len(), 2);
    for shown in services.iter().chain(services) {
        let service = json!({"id": shown["id"], "type": "service_reference"});
        let declared =
            json!({"incident": {"type": "incident", "title": "\"Down\"", "service": service}});
        made(&world, "/incidents", declared).await;
    }
    let all = read(&world, "/incidents").await["incidents"].clone();
    let all: Vec<Value> = all.as_array().unwrap().clone();
    let taken = json!({"incident": {"type": "incident_reference", "status": "acknowledged"}});
    for one in [&all[1], &all[2]] {
        changed(&world, &format!("/incidents/{}", id_of(one)), taken.clone()).await;
    }
    let to_bob = json!({"incident": {"type": "incident_reference", "assignments": [{"assignee": user(&world)}]}});
    changed(&world, &format!("/incidents/{}", id_of(&all[2])), to_bob).await;
    for query in [
        "",
        "include[]=users",
        "include[]=assignees",
        "include[]=acknowledgers&include[]=teams",
        "include[]=services",
        "include[]=escalation_policies",
        "include[]=services&include[]=escalation_policies&include[]=users&include[]=teams",
        "include[]=services&include[]=escalation_policies&include[]=first_trigger_log_entries",
    ] {
        let listed = read(&world, &format!("/incidents?{query}")).await;
        let listed = listed["incidents"].as_array().unwrap();
        assert_eq!(listed.len(), 4, "{query}");
        for one in listed {
            let alone = read(&world, &format!("/incidents/{}?{query}", id_of(one))).await;
            assert_eq!(alone["incident"], *one, "{query}");
            assert_eq!(one["impacted_services"][0]["id"], one["service"]["id"]);
        }
        let services: BTreeSet<&str> = listed
            .iter()
            .filter_map(|one| one["service"]["id"].as_str())
            .collect();
        assert_eq!(services.len(), 2, "{query}");
    }
}

#[tokio::test]
async fn a_request_for_help_is_told_with_its_incident() {
    let world = World::new();
    world
        .reach(world.bob, "ntfy", "https://ntfy.example.org/bob", None)
        .await;
    let path = format!("/incidents/{}", id_of(&declared(&world, "Down").await));
    let body = json!({
        "requester_id": world.ada.to_string(), "message": "Please come",
        "responder_request_targets": [{"responder_request_target": user(&world)}],
    });
    let asked = ada(
        &world,
        ("POST", &format!("{path}/responder_requests")),
        Some(body),
    )
    .await;
    assert!(asked.status.is_success(), "{}", asked.text());
    let answered = asked.json()["responder_request"].clone();
    let requests = read(&world, &path).await["incident"]["responder_requests"].clone();
    for request in [&requests[0], &answered] {
        assert_eq!(request["message"], "Please come");
        assert_eq!(request["requester"]["type"], "user_reference");
        assert_eq!(request["requester"]["id"], world.ada.to_string());
        let target = &request["responder_request_targets"][0]["responder_request_target"];
        assert_eq!(target["id"], world.bob.to_string());
        let asked = &target["incidents_responders"][0];
        assert_eq!(asked["state"], "pending");
        assert_eq!(asked["user"]["id"], world.bob.to_string());
        assert_eq!(asked["requester"]["id"], world.ada.to_string());
        assert!(asked["requested_at"].is_string());
    }
}

#[tokio::test]
async fn alerts_show_their_service_and_their_incident() {
    let world = World::new();
    let id = world.raise("web").await;
    let query = "include[]=services&include[]=incidents&include[]=no_such_word";
    let path = format!("/incidents/{id}/alerts");
    let list = read(&world, &format!("{path}?{query}")).await;
    let first = &list["alerts"][0];
    let one = read(&world, &format!("{path}/{}?{query}", id_of(first))).await;
    for shown in [first, &one["alert"]] {
        assert_eq!(shown["service"]["type"], "service");
        assert_eq!(shown["incident"]["type"], "incident");
    }
    let plain = read(&world, &path).await["alerts"][0].clone();
    assert_eq!(plain["service"]["type"], "service_reference");
    assert_eq!(plain["incident"]["type"], "incident_reference");
}

#[tokio::test]
async fn an_integration_shows_its_service_and_its_vendor() {
    let world = World::new();
    let path = format!("/services/{}/integrations", id_of(&service(&world)));
    let body = json!({"integration": {
        "name": "Deploys", "type": "events_api_v2_inbound_integration",
    }});
    let made = made(&world, &path, body).await["integration"].clone();
    let path = format!("{path}/{}", id_of(&made));
    let shown = read(
        &world,
        &format!("{path}?include[]=services&include[]=vendors"),
    )
    .await;
    let shown = &shown["integration"];
    assert_eq!(shown["service"]["type"], "service");
    assert_eq!(
        (&shown["vendor"]["type"], &shown["vendor"]["name"]),
        (&json!("vendor"), &json!("Events API V2"))
    );
    assert_eq!(shown["integration_key"], made["integration_key"]);
    // Whoever may not see the key is not shown it with the rest either.
    let query = format!("{path}?include[]=services&include[]=vendors");
    let hidden = ask(&world, ("GET", &query), &world.viewer, None, None).await;
    let hidden = hidden.json()["integration"].clone();
    assert_eq!(hidden["service"]["type"], "service");
    assert_eq!(hidden["integration_key"], Value::Null);
}

#[tokio::test]
async fn integrations_that_are_shown_with_their_services_show_their_keys_to_whom_single_ones_do() {
    let world = World::new();
    let path = format!("/services/{}/integrations", id_of(&service(&world)));
    let added = async |kind: &str, name: &str| {
        let body = json!({"integration": {"type": kind, "name": name}});
        made(&world, &path, body).await["integration"].clone()
    };
    let probe = added("events_api_v2_inbound_integration", "Probe").await;
    let mail = added("generic_email_inbound_integration", "Mail").await;
    let of = async |path: &str, token: &str| {
        let path = format!("{path}?include[]=integrations");
        let answer = ask(&world, ("GET", &path), token, None, None).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        let shown = answer.json();
        let mut listed = shown["services"].as_array().into_iter().flatten();
        let own = listed.find(|one| one["id"] == service(&world)["id"]);
        let own = own.unwrap_or(&shown["service"]);
        let integrations = own["integrations"].as_array().unwrap().clone();
        let named = |name: &Value| {
            let mut all = integrations.iter();
            all.find(|one| one["name"] == *name).unwrap().clone()
        };
        (named(&probe["name"]), named(&mail["name"]))
    };
    let single = format!("/services/{}", id_of(&service(&world)));
    for path in ["/services", &single] {
        let (events, post) = of(path, &world.admin).await;
        assert_eq!(events["integration_key"], probe["integration_key"]);
        assert_eq!(post["integration_email"], mail["integration_email"]);
        assert!(events["integration_key"].is_string(), "{path}");
        for token in [&world.viewer, &world.responder, &world.bobs] {
            let (events, post) = of(path, token).await;
            assert_eq!(events["integration_key"], Value::Null, "{path}");
            assert_eq!(post["integration_email"], Value::Null, "{path}");
        }
    }
}

#[tokio::test]
async fn members_and_rules_show_the_people_and_the_ways_that_they_name() {
    let world = World::new();
    let teams = read(&world, "/teams").await["teams"].clone();
    let members = format!("/teams/{}/members", id_of(&teams[0]));
    let plain = read(&world, &members).await["members"][0].clone();
    assert_eq!(plain["user"]["type"], "user_reference");
    let whole = read(&world, &format!("{members}?include[]=users")).await["members"][0].clone();
    assert_eq!(whole["user"]["type"], "user");
    let rules = format!("/users/{}/notification_rules", world.ada);
    let plain = read(&world, &rules).await["notification_rules"][0].clone();
    assert_eq!(plain["contact_method"]["type"], "email_contact_method");
    assert_eq!(plain["contact_method"].get("enabled"), None);
    let query = "include[]=contact_methods";
    let list = read(&world, &format!("{rules}?{query}")).await;
    let one = read(&world, &format!("{rules}/{}?{query}", id_of(&plain))).await;
    for shown in [&list["notification_rules"][0], &one["notification_rule"]] {
        let way = &shown["contact_method"];
        assert_eq!(way["type"], "email_contact_method");
        assert_eq!(way["enabled"], true);
    }
}

#[tokio::test]
async fn a_list_of_schedules_shows_each_part_that_is_named_and_no_other() {
    let world = World::new();
    let query = "include[]=final_schedule&include[]=overrides_subschedule";
    let list = read(&world, &format!("/schedules?{query}")).await;
    let shown = &list["schedules"][0];
    assert_eq!(shown["final_schedule"]["name"], "Final Schedule");
    assert_eq!(shown["overrides_subschedule"]["name"], "Overrides");
    assert_eq!(shown.get("schedule_layers"), None);
}

#[tokio::test]
async fn each_service_of_an_answer_has_its_own_integrations() {
    let world = World::new();
    let incident = world.raise("web").await;
    for name in ["Shop", "Till", "Stock"] {
        let body = json!({"name": name, "escalation_policy_id": null});
        let path = format!(
            "/services/{}/integrations",
            id_of(&world.post("/services", body).await.json())
        );
        for number in 1..=2 {
            let body = json!({"integration": {
                "type": "events_api_v2_inbound_integration", "name": format!("{name} {number}"),
            }});
            made(&world, &path, body).await;
        }
    }
    let own = |service: &Value, field: &str| {
        let all = service["integrations"].as_array().unwrap().iter();
        let mut names: Vec<String> = all
            .map(|one| one[field].as_str().unwrap().to_owned())
            .collect();
        names.sort();
        names
    };
    for (path, field) in [
        ("/services", "summary"),
        ("/services?include[]=integrations", "name"),
    ] {
        let services = read(&world, path).await["services"].clone();
        let mut services: Vec<Value> = services.as_array().unwrap().clone();
        let first = service(&world)["id"].clone();
        services.retain(|one| one["id"] != first);
        assert_eq!(services.len(), 3, "{path}");
        for service in services {
            let name = service["name"].as_str().unwrap();
            let expected = [1, 2].map(|number| format!("{name} {number}"));
            assert_eq!(own(&service, field), expected, "{path}");
        }
    }
    let path = format!("/services/{}", id_of(&service(&world)));
    let alone = read(&world, &path).await["service"].clone();
    assert_eq!(alone["integrations"].as_array().unwrap().len(), 1);
    let shown = read(&world, &format!("/incidents/{incident}?include[]=services")).await;
    assert_eq!(shown["incident"]["service"], alone);
    let alerts = format!("/incidents/{incident}/alerts?include[]=services");
    assert_eq!(read(&world, &alerts).await["alerts"][0]["service"], alone);
}

#[tokio::test]
async fn the_integration_of_a_product_is_found_again_by_its_vendor() {
    let world = World::new();
    let of = id_of(&service(&world));
    let path = format!("/services/{of}/integrations");
    let vendor = json!({"id": "PRO19CT", "type": "vendor_reference"});
    let body = json!({"integration": {
        "name": "Backstage", "type": "generic_events_api_inbound_integration", "vendor": vendor,
    }});
    let added = made(&world, &path, body).await["integration"].clone();
    let path = format!("{path}/{}", id_of(&added));
    let renamed = json!({"integration": {"name": "Portal", "vendor": vendor}});
    let renamed = changed(&world, &path, renamed).await["integration"].clone();
    let known = read(&world, &format!("/services/{of}?include[]=integrations")).await;
    let known = known["service"]["integrations"].as_array().unwrap().iter();
    let found: Vec<&Value> = known
        .filter(|one| one["vendor"]["id"] == "PRO19CT")
        .collect();
    assert_eq!(found, [&renamed]);
    assert_eq!(renamed["integration_key"], added["integration_key"]);
    let whole = read(&world, &format!("{path}?include[]=vendors")).await;
    let whole = &whole["integration"]["vendor"];
    assert_eq!(*whole, read(&world, "/vendors/PRO19CT").await["vendor"]);
    assert_eq!(whole["name"], "Backstage");
}
