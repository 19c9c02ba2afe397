//! Services, and what is said of other things, as Terraform's provider of PagerDuty keeps it: what it writes, reads back and takes away.

mod senders;

use axum::http::StatusCode;
use serde_json::{Value, json};
use tocsin_domain::event::{EventBody, RosterEvent};
use tocsin_edge::ports::Vault;

use super::roster::{changed, gone, id_of, made};
use super::{ada, ask, read, refused, service};
use crate::fakes::START;
use crate::world::World;

/// A new integration of the default service, as its path.
async fn integration(world: &World, body: Value) -> (String, Value) {
    let path = format!("/services/{}/integrations", id_of(&service(world)));
    let made = made(world, &path, json!({ "integration": body })).await["integration"].clone();
    (format!("{path}/{}", id_of(&made)), made)
}

#[tokio::test]
async fn an_administrator_reads_the_key_of_an_integration_again_and_nobody_else_does() {
    let world = World::new();
    let body = json!({"type": "events_api_v2_inbound_integration", "name": "Probe"});
    let (path, made) = integration(&world, body).await;
    let key = made["integration_key"].as_str().unwrap();
    let again = read(&world, &path).await;
    assert_eq!(again["integration"]["integration_key"], key);
    for token in [&world.viewer, &world.responder, &world.bobs] {
        let answer = ask(&world, ("GET", &path), token, None, None).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        let shown = answer.json();
        assert_eq!(shown["integration"]["integration_key"], Value::Null);
    }
    assert!(world.vault.knows(key));
    gone(&world, &path).await;
    assert!(!world.vault.knows(key), "a dead key is not kept");
}

#[tokio::test]
async fn the_address_of_a_mail_integration_is_read_again() {
    let world = World::new();
    let body = json!({"type": "generic_email_inbound_integration", "name": "Mail"});
    let (path, made) = integration(&world, body).await;
    let again = read(&world, &path).await;
    assert!(made["integration_email"].is_string(), "{made}");
    assert_eq!(
        again["integration"]["integration_email"],
        made["integration_email"]
    );
}

#[tokio::test]
async fn an_integration_is_called_otherwise_and_keeps_its_key() {
    let world = World::new();
    let body = json!({"type": "events_api_v2_inbound_integration", "name": "Probe"});
    let (path, made) = integration(&world, body).await;
    let body = json!({"integration": {"type": made["type"], "name": "Other probe"}});
    let renamed = changed(&world, &path, body).await["integration"].clone();
    assert_eq!(renamed["name"], "Other probe");
    assert_eq!(renamed["integration_key"], made["integration_key"]);
    let other = json!({"integration": {"type": "generic_email_inbound_integration"}});
    refused(&ada(&world, ("PUT", &path), Some(other)).await, 400, 2001);
}

#[tokio::test]
async fn a_key_that_is_removed_by_the_native_api_is_not_kept_either() {
    let world = World::new();
    let body = json!({"type": "events_api_v2_inbound_integration", "name": "Probe"});
    let (path, made) = integration(&world, body).await;
    let key = made["integration_key"].as_str().unwrap();
    let removed = world.call("DELETE", &path, &world.admin, None).await;
    assert_eq!(removed.status, StatusCode::NO_CONTENT);
    assert!(!world.vault.knows(key));
}

/// A new service that follows the policy of the installation, with this beside its name.
pub(super) async fn shop(world: &World, more: Value) -> (String, Value) {
    let policy = world.engine.read(|state| {
        let installation = state.installation.as_ref().unwrap();
        installation.default_policy
    });
    let policy = json!({"id": policy.to_string(), "type": "escalation_policy_reference"});
    let mut body = json!({"type": "service", "name": "Shop", "escalation_policy": policy});
    body.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    let shop = made(world, "/services", json!({ "service": body })).await["service"].clone();
    (format!("/services/{}", id_of(&shop)), shop)
}

#[tokio::test]
async fn what_terraform_says_of_a_service_is_read_back_as_it_was_written() {
    let world = World::new();
    let fields = json!({"aggregate": "all", "fields": ["source", "custom_details.host"]});
    let (path, made) = shop(
        &world,
        json!({
            "description": "Managed by Terraform", "acknowledgement_timeout": 1_800,
            "auto_resolve_timeout": 14_400, "alert_creation": "create_alerts_and_incidents",
            "alert_grouping_parameters": {"type": "content_based", "config": fields},
            "auto_pause_notifications_parameters": {"enabled": false},
        }),
    )
    .await;
    let known = read(&world, &path).await["service"].clone();
    assert_eq!(known, made);
    assert_eq!(known["description"], "Managed by Terraform");
    assert_eq!(known["acknowledgement_timeout"], 1_800);
    assert_eq!(known["alert_creation"], "create_alerts_and_incidents");
    let grouping = &known["alert_grouping_parameters"];
    assert_eq!(grouping["type"], "content_based");
    assert_eq!(grouping["config"]["fields"], fields["fields"]);
    let again = changed(&world, &path, json!({ "service": known })).await;
    assert_eq!(again["service"], known, "written back, it changes nothing");
    let never = json!({"service": {"acknowledgement_timeout": null, "description": ""}});
    let never = changed(&world, &path, never).await["service"].clone();
    assert_eq!(never["acknowledgement_timeout"], Value::Null);
    assert_eq!(never["description"], Value::Null);
}

#[tokio::test]
async fn what_a_service_cannot_be_made_to_do_is_refused_by_its_name() {
    let world = World::new();
    let (path, _) = shop(&world, json!({})).await;
    for (name, value) in [
        ("status", json!("disabled")),
        ("alert_creation", json!("create_incidents")),
        (
            "alert_grouping_parameters",
            json!({"type": "intelligent", "config": null}),
        ),
        (
            "auto_pause_notifications_parameters",
            json!({"enabled": true, "timeout": 300}),
        ),
    ] {
        let mut body = json!({"service": {"name": "Other"}});
        body["service"][name] = value;
        let told = refused(&ada(&world, ("PUT", &path), Some(body)).await, 400, 2001);
        assert!(told.contains(&format!("service.{name}")), "{told}");
    }
    assert_eq!(read(&world, &path).await["service"]["name"], "Shop");
}

#[tokio::test]
async fn a_service_that_is_refused_is_neither_made_nor_changed_by_half() {
    let world = World::new();
    let (path, made) = shop(&world, json!({})).await;
    let body = json!({"service": {"name": "Half", "auto_resolve_timeout": 60,
        "escalation_policy": made["escalation_policy"]}});
    let told = refused(
        &ada(&world, ("POST", "/services"), Some(body.clone())).await,
        400,
        2001,
    );
    assert!(told.contains("auto_resolve_timeout"), "{told}");
    let found = read(&world, "/services?query=Half").await;
    assert_eq!(found["services"], json!([]));
    refused(&ada(&world, ("PUT", &path), Some(body)).await, 400, 2001);
    assert_eq!(read(&world, &path).await["service"]["name"], "Shop");
}

#[tokio::test]
async fn an_incident_of_which_no_urgency_is_said_is_as_urgent_as_its_service_says() {
    let world = World::new();
    for (word, urgency) in [("low", "low"), ("high", "high"), ("severity_based", "high")] {
        let rule = json!({"type": "constant", "urgency": word});
        let (_, shop) = shop(&world, json!({ "incident_urgency_rule": rule })).await;
        let service = json!({"id": shop["id"], "type": "service_reference"});
        let body = json!({"incident": {"type": "incident", "title": "Down", "service": service}});
        let opened = made(&world, "/incidents", body).await;
        assert_eq!(opened["incident"]["urgency"], urgency, "{word}");
    }
}

/// Writes words of something, reads them back, and changes something else of it, by which they stay.
async fn says(world: &World, (path, noun): (&str, &str), body: Value, words: Value) -> String {
    let mut whole = body;
    let said = words.as_object().unwrap().clone();
    whole.as_object_mut().unwrap().extend(said.clone());
    let mut wrapped = json!({});
    wrapped[noun] = whole;
    let id = id_of(&made(world, path, wrapped).await[noun]);
    let path = format!("{path}/{id}");
    let mut renamed = json!({});
    renamed[noun] = json!({"name": "Otherwise"});
    for shown in [
        read(world, &path).await,
        changed(world, &path, renamed).await,
        read(world, &path).await,
    ] {
        for (name, value) in &said {
            assert_eq!(shown[noun][name], *value, "{noun}.{name}");
        }
    }
    let mut long = json!({});
    long[noun] = json!({"name": "Long", "description": "x".repeat(2_000)});
    refused(&ada(world, ("PUT", &path), Some(long)).await, 400, 2001);
    assert_eq!(read(world, &path).await[noun]["name"], "Otherwise");
    path
}

#[tokio::test]
async fn what_is_said_of_policies_teams_people_and_schedules_is_read_back() {
    let world = World::new();
    let words = || json!({"description": "Managed by Terraform"});
    let bob = json!({"id": world.bob.to_string(), "type": "user_reference"});
    let rules = json!([{"escalation_delay_in_minutes": 30, "targets": [bob]}]);
    let policy = json!({"name": "Night", "escalation_rules": rules});
    let at = ("/escalation_policies", "escalation_policy");
    says(&world, at, policy, words()).await;
    says(&world, ("/teams", "team"), json!({"name": "Web"}), words()).await;
    let layer = json!({"name": "Nights", "start": "2026-11-02T09:00:00Z",
        "rotation_turn_length_seconds": 604_800, "users": [{"user": bob}]});
    let rota = json!({"name": "Rota", "time_zone": "UTC", "schedule_layers": [layer]});
    let path = says(&world, ("/schedules", "schedule"), rota, words()).await;
    let rota = read(&world, &path).await;
    assert_eq!(rota["schedule"]["schedule_layers"][0]["name"], "Nights");
    let person = json!({"name": "Cy", "email": "cy@example.org"});
    let words = json!({"description": "Managed by Terraform", "job_title": "Cook", "role": "user",
        "time_zone": "Europe/Paris", "color": "teal"});
    let path = says(&world, ("/users", "user"), person, words).await;
    let viewer = json!({"user": {"role": "observer"}});
    let viewer = changed(&world, &path, viewer).await;
    assert_eq!(viewer["user"]["role"], "observer");
}

#[tokio::test]
async fn what_is_said_of_something_comes_with_it_in_one_event() {
    let world = World::new();
    let bob = json!({"id": world.bob.to_string(), "type": "user_reference"});
    let rules = json!([{"escalation_delay_in_minutes": 30, "targets": [bob]}]);
    let layer = json!({"name": "Nights", "start": "2026-11-02T09:00:00Z",
        "rotation_turn_length_seconds": 604_800, "users": [{"user": bob}]});
    for (path, noun, mut body) in [
        ("/teams", "team", json!({"name": "Web"})),
        (
            "/escalation_policies",
            "escalation_policy",
            json!({"name": "Night", "escalation_rules": rules}),
        ),
        (
            "/schedules",
            "schedule",
            json!({"name": "Rota", "time_zone": "UTC", "schedule_layers": [layer]}),
        ),
        (
            "/users",
            "user",
            json!({"name": "Cy", "email": "cy@example.org"}),
        ),
    ] {
        let count = || world.journal.events.lock().unwrap().len();
        let before = count();
        body["description"] = json!("Managed by Terraform");
        let added = made(&world, path, json!({ noun: body })).await;
        assert_eq!(added[noun]["description"], "Managed by Terraform");
        assert_eq!(count() - before, 1, "{path}");
    }
}

#[tokio::test]
async fn a_service_goes_with_its_keys_and_its_incidents_are_kept() {
    let world = World::new();
    let (path, shop) = shop(&world, json!({})).await;
    let body = json!({"integration": {"type": "events_api_v2_inbound_integration", "name": "x"}});
    let made = made(&world, &format!("{path}/integrations"), body).await;
    let key = made["integration"]["integration_key"].as_str().unwrap();
    let event = |action: &str| {
        json!({"routing_key": key, "event_action": action, "dedup_key": "k",
            "payload": {"summary": "Down", "source": "probe", "severity": "critical"}})
    };
    let accepted = world.enqueue(&event("trigger")).await;
    assert_eq!(accepted.status, StatusCode::ACCEPTED);
    let told = refused(&ada(&world, ("DELETE", &path), None).await, 400, 2001);
    assert!(told.contains("open incidents"), "{told}");
    let accepted = world.enqueue(&event("resolve")).await;
    assert_eq!(accepted.status, StatusCode::ACCEPTED);
    gone(&world, &path).await;
    assert!(!world.vault.knows(key));
    let late = world.enqueue(&event("trigger")).await;
    assert_eq!(late.status, StatusCode::BAD_REQUEST, "{}", late.text());
    let listed = read(&world, "/services?query=Shop").await;
    assert_eq!(listed["services"], json!([]));
    let kept = read(
        &world,
        &format!("/incidents?service_ids[]={}", id_of(&shop)),
    )
    .await;
    let left = &kept["incidents"][0]["service"];
    assert_eq!(left["summary"], "a removed service");
    assert_eq!(left["id"], shop["id"]);
    for address in ["self", "html_url"] {
        assert_eq!(left[address], Value::Null, "nothing is found there");
    }
}

/// Planned work on these services.
async fn work(world: &World, services: Value) -> Value {
    let at = |hours: u64| START.plus_ms(hours * 3_600_000).to_rfc3339();
    let body = json!({"maintenance_window": {"type": "maintenance_window", "description": "New disks",
        "start_time": at(1), "end_time": at(2), "services": services}});
    made(world, "/maintenance_windows", body).await["maintenance_window"].clone()
}

/// What is said and answered with a plain 200.
async fn said(world: &World, path: &str, body: Value) -> Value {
    let answer = ada(world, ("POST", path), Some(body)).await;
    assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text());
    answer.json()
}

#[tokio::test]
async fn nothing_names_a_service_that_was_removed() {
    let world = World::new();
    let (path, shop) = shop(&world, json!({})).await;
    let shop = json!({"id": shop["id"], "type": "service_reference"});
    let alone = work(&world, json!([shop])).await;
    let both = work(&world, json!([service(&world), shop])).await;
    let rows = world.vault.count();
    let subscription = json!({"webhook_subscription": {
        "type": "webhook_subscription", "events": ["incident.triggered"], "filter": shop,
        "delivery_method": {"type": "http_delivery_method", "url": "https://example.org/hook"},
    }});
    said(&world, "/webhook_subscriptions", subscription).await;
    assert_eq!(world.vault.count(), rows + 1);
    let checkout = json!({"business_service": {"name": "Checkout"}});
    let checkout = said(&world, "/business_services", checkout).await["business_service"].clone();
    let needs = json!({"relationships": [{
        "dependent_service": {"id": checkout["id"], "type": "business_service"},
        "supporting_service": {"id": shop["id"], "type": "service"},
    }]});
    said(&world, "/service_dependencies/associate", needs).await;
    gone(&world, &path).await;
    let windows = "/maintenance_windows";
    let listed = read(&world, windows).await[windows.trim_start_matches('/')].clone();
    assert_eq!(listed.as_array().unwrap().len(), 1, "{listed}");
    let alone = format!("{windows}/{}", id_of(&alone));
    refused(&ada(&world, ("GET", &alone), None).await, 404, 2100);
    let both = format!("{windows}/{}", id_of(&both));
    let later = json!({"maintenance_window": {"description": "Newer disks"}});
    let left = changed(&world, &both, later).await["maintenance_window"].clone();
    let left = left["services"].as_array().unwrap().clone();
    assert_eq!(left.len(), 1, "{left:?}");
    assert_eq!(left[0]["id"], service(&world)["id"]);
    let subscriptions = read(&world, "/webhook_subscriptions").await;
    assert_eq!(subscriptions["webhook_subscriptions"], json!([]));
    assert_eq!(
        world.vault.count(),
        rows,
        "nothing of it is left in the vault"
    );
    let of_checkout = format!(
        "/service_dependencies/business_services/{}",
        id_of(&checkout)
    );
    assert_eq!(read(&world, &of_checkout).await["relationships"], json!([]));
}

#[tokio::test]
async fn an_incident_of_a_removed_service_is_not_reopened() {
    let world = World::new();
    let (path, shop) = shop(&world, json!({})).await;
    let shop = json!({"id": shop["id"], "type": "service_reference"});
    let body = json!({"incident": {"type": "incident", "title": "Down", "service": shop}});
    let opened = made(&world, "/incidents", body).await["incident"].clone();
    let incident = format!("/incidents/{}", id_of(&opened));
    let status = |word: &str| json!({"incident": {"type": "incident", "status": word}});
    changed(&world, &incident, status("resolved")).await;
    gone(&world, &path).await;
    let again = ada(&world, ("PUT", &incident), Some(status("triggered"))).await;
    let told = refused(&again, 400, 2001);
    assert!(told.contains("its service was removed"), "{told}");
    let still = read(&world, &incident).await["incident"].clone();
    assert_eq!(still["status"], "resolved");
}

/// How a service is shown to be grouped, by the newer form alone.
fn grouping(shown: &Value) -> (Value, Value) {
    for older in ["alert_grouping", "alert_grouping_timeout"] {
        assert_eq!(shown.get(older), Some(&Value::Null), "{shown}");
    }
    let newer = &shown["alert_grouping_parameters"];
    (newer["type"].clone(), newer["config"]["timeout"].clone())
}

#[tokio::test]
async fn the_older_fields_of_grouping_are_read_and_shown_by_the_newer_form() {
    let world = World::new();
    let older = json!({"alert_grouping": "time", "alert_grouping_timeout": 5});
    let (path, made) = shop(&world, older).await;
    assert_eq!(grouping(&made), (json!("time"), json!(5)));
    let seven = json!({"service": {"alert_grouping_timeout": 7}});
    let shown = changed(&world, &path, seven).await["service"].clone();
    assert_eq!(grouping(&shown), (json!("time"), json!(7)));
    let again = changed(&world, &path, json!({ "service": shown })).await;
    assert_eq!(
        again["service"], shown,
        "the nulls that were read say nothing"
    );
    for (name, value) in [
        ("alert_grouping", json!("intelligent")),
        ("alert_grouping_timeout", json!(100_000)),
    ] {
        let mut body = json!({"service": {}});
        body["service"][name] = value;
        let told = refused(&ada(&world, ("PUT", &path), Some(body)).await, 400, 2001);
        assert!(told.contains(&format!("service.{name}")), "{told}");
    }
    let none = json!({"service": {"alert_grouping_parameters": {"type": null}}});
    let none = changed(&world, &path, none).await["service"].clone();
    assert_eq!(grouping(&none), (Value::Null, Value::Null));
}

#[tokio::test]
async fn what_a_client_has_kept_of_the_older_fields_undoes_nothing_that_it_says_by_the_newer_form()
{
    let world = World::new();
    let older = json!({"alert_grouping": "time", "alert_grouping_timeout": 5});
    let (path, _) = shop(&world, older.clone()).await;
    let mut both = older;
    let config = json!({"aggregate": "all", "fields": ["source"]});
    both["alert_grouping_parameters"] = json!({"type": "content_based", "config": config});
    for _ in 0..2 {
        let body = json!({ "service": both });
        let shown = changed(&world, &path, body).await["service"].clone();
        assert_eq!(grouping(&shown), (json!("content_based"), Value::Null));
    }
}

#[tokio::test]
async fn the_service_of_alerts_that_name_none_cannot_be_removed() {
    let world = World::new();
    let path = format!("/services/{}", id_of(&service(&world)));
    let told = refused(&ada(&world, ("DELETE", &path), None).await, 400, 2001);
    assert!(told.contains("name no service"), "{told}");
    assert_eq!(
        read(&world, &path).await["service"]["id"],
        service(&world)["id"]
    );
}

fn probe() -> Value {
    json!({"integration": {"type": "events_api_v2_inbound_integration", "name": "Probe"}})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_was_kept_has_its_integration_also_when_the_client_hangs_up() {
    let world = World::new();
    let path = format!("/services/{}/integrations", id_of(&service(&world)));
    let (has_come, go_on) = world.vault.hold_next();
    tokio::select! {
        answer = ada(&world, ("POST", &path), Some(probe())) =>
            panic!("it is held up: {}", answer.text()),
        came = has_come => came.unwrap(),
    }
    go_on.send(()).unwrap();
    let row = world.committed.wait_for(|events| {
        events.iter().find_map(|event| {
            let body = &event.body;
            let EventBody::Roster(RosterEvent::IntegrationAdded { integration }) = body else {
                return None;
            };
            integration.key_row
        })
    });
    assert!(world.vault.get(row).unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_is_removed_takes_a_key_with_it_that_was_being_made() {
    let world = World::new();
    let (path, _) = shop(&world, json!({})).await;
    let rows = world.vault.count();
    let integrations = format!("{path}/integrations");
    let (has_come, go_on) = world.vault.hold_next();
    let first = ada(&world, ("POST", &integrations), Some(probe()));
    let second = async {
        has_come.await.unwrap();
        let removal = ada(&world, ("DELETE", &path), None);
        let (removed, ()) = tokio::join!(removal, async { go_on.send(()).unwrap() });
        removed
    };
    let (first, second) = tokio::join!(first, second);
    assert_eq!(first.status, StatusCode::CREATED, "{}", first.text());
    assert_eq!(second.status, StatusCode::NO_CONTENT, "{}", second.text());
    assert_eq!(world.vault.count(), rows);
}
