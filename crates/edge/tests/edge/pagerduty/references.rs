//! What bodies of PagerDuty's REST API refer to is of the kind that it can be.

use serde_json::{Value, json};

use super::roster::{id_of, made, user};
use super::{ada, declared, read, refused, service};
use crate::fakes::START;
use crate::world::World;

/// A request that refers to something: its call and body, where the reference stands in that, as a pointer, and to what kind it is.
type Case = ((&'static str, String), Value, &'static str, &'static str);

/// The field at a pointer, as refusals name it.
fn field_at(pointer: &str) -> String {
    let mut field = String::new();
    for part in pointer.split('/').skip(1) {
        if part.parse::<usize>().is_ok() {
            field.push_str(&format!("[{part}]"));
        } else {
            let stop = if field.is_empty() { "" } else { "." };
            field.push_str(&format!("{stop}{part}"));
        }
    }
    field
}

/// A new policy that pages Bob, as bodies name it.
async fn policy(world: &World) -> Value {
    let rule = json!({"escalation_delay_in_minutes": 5, "targets": [user(world)]});
    let policy = json!({"escalation_policy": {"name": "Night", "escalation_rules": [rule]}});
    let policy = made(world, "/escalation_policies", policy).await["escalation_policy"].clone();
    json!({"id": policy["id"], "type": "escalation_policy_reference"})
}

fn at(minutes: u64) -> String {
    START.plus_ms(minutes * 60_000).to_rfc3339()
}

async fn about_the_roster(world: &World, policy: &Value) -> Vec<Case> {
    let layer = json!({
        "start": "2026-11-02T09:00:00Z", "rotation_turn_length_seconds": 604_800,
        "users": [{"user": user(world)}],
    });
    let rota =
        json!({"schedule": {"name": "Rota", "time_zone": "UTC", "schedule_layers": [layer]}});
    let known = made(world, "/schedules", rota.clone()).await;
    let overrides = format!("/schedules/{}/overrides", id_of(&known["schedule"]));
    let stands_in = json!({"override": {"start": at(60), "end": at(120), "user": user(world)}});
    let team = read(world, "/teams").await["teams"][0]["id"].clone();
    let work = json!({"maintenance_window": {
        "description": "x", "start_time": at(60), "end_time": at(120), "services": [service(world)],
    }});
    let shop = json!({"service": {"name": "Shop", "escalation_policy": policy}});
    let sold = json!({"business_service": {"name": "Shop", "team": {"id": team}}});
    let post = |path: &str| ("POST", path.to_owned());
    let layer = "/schedule/schedule_layers/0/users/0/user";
    let window = "/maintenance_window/services/0";
    let of = "/service/escalation_policy";
    vec![
        (post("/services"), shop, of, "escalation_policy"),
        (
            post("/business_services"),
            sold,
            "/business_service/team",
            "team",
        ),
        (post("/schedules"), rota, layer, "user"),
        (post(&overrides), stands_in, "/override/user", "user"),
        (post("/maintenance_windows"), work, window, "service"),
    ]
}

async fn about_incidents(world: &World, policy: &Value) -> Vec<Case> {
    let opened = json!({"incident": {
        "title": "Down", "service": service(world), "escalation_policy": policy,
        "priority": {"id": "P1", "type": "priority_reference"},
    }});
    let given = json!({"incident": {"assignments": [{"assignee": user(world)}]}});
    let id = id_of(&declared(world, "Down").await);
    let merged = json!({"source_incidents": [{"id": id, "type": "incident_reference"}]});
    let path = format!("/incidents/{id}");
    let merge = ("PUT", format!("{path}/merge"));
    let post = || ("POST", "/incidents".to_owned());
    let (of, to) = (
        "/incident/escalation_policy",
        "/incident/assignments/0/assignee",
    );
    vec![
        (post(), opened.clone(), "/incident/service", "service"),
        (post(), opened.clone(), of, "escalation_policy"),
        (post(), opened, "/incident/priority", "priority"),
        (("PUT", path), given, to, "user"),
        (merge, merged, "/source_incidents/0", "incident"),
    ]
}

async fn cases(world: &World) -> Vec<Case> {
    world
        .reach(world.bob, "ntfy", "https://ntfy.example.org/bob", None)
        .await;
    let policy = policy(world).await;
    let mut cases = about_the_roster(world, &policy).await;
    cases.extend(about_incidents(world, &policy).await);
    cases
}

#[tokio::test]
async fn a_reference_that_tells_another_kind_is_refused_by_its_field() {
    let world = World::new();
    for ((method, path), body, pointer, kind) in cases(&world).await {
        for other in ["vendor_reference", "vendor"] {
            let mut body = body.clone();
            body.pointer_mut(pointer).unwrap()["type"] = json!(other);
            let answer = ada(&world, (method, &path), Some(body)).await;
            let told = refused(&answer, 400, 2001);
            let field = field_at(pointer);
            let why = format!("'{field}.type' is invalid: it is {kind}_reference");
            assert!(told.contains(&why), "{told}");
        }
    }
}

#[tokio::test]
async fn a_reference_may_tell_its_kind_in_either_form_or_not_at_all() {
    let world = World::new();
    let mut cases = cases(&world).await;
    // An incident is not merged into itself.
    cases.retain(|(_, _, _, kind)| *kind != "incident");
    for ((method, path), body, pointer, kind) in cases {
        let reference = format!("{kind}_reference");
        for kind in [json!(kind), json!(reference), json!(""), Value::Null] {
            let mut body = body.clone();
            body.pointer_mut(pointer).unwrap()["type"] = kind;
            let answer = ada(&world, (method, &path), Some(body)).await;
            assert!(answer.status.is_success(), "{path}: {}", answer.text());
        }
    }
}

#[tokio::test]
async fn a_notification_rule_names_its_way_by_what_it_is() {
    let world = World::new();
    let of = format!("/users/{}", world.bob);
    let ways = read(&world, &format!("{of}/contact_methods")).await;
    let way = ways["contact_methods"][0]["id"].clone();
    let rules = format!("{of}/notification_rules");
    let rule = |kind: Value, minutes: u64| {
        json!({"notification_rule": {
            "type": "assignment_notification_rule", "urgency": "high",
            "start_delay_in_minutes": minutes, "contact_method": {"id": way, "type": kind},
        }})
    };
    let other = rule(json!("sms_contact_method_reference"), 1);
    let told = refused(&ada(&world, ("POST", &rules), Some(other)).await, 400, 2001);
    let why = "'notification_rule.contact_method.type' is invalid: it is email_contact_method";
    assert!(told.contains(why), "{told}");
    for (kind, minutes) in [
        (json!("email_contact_method"), 1),
        (json!("email_contact_method_reference"), 2),
        (json!("contact_method_reference"), 3),
        (Value::Null, 4),
    ] {
        made(&world, &rules, rule(kind, minutes)).await;
    }
}

#[tokio::test]
async fn a_person_is_no_schedule_whatever_the_id_says() {
    let world = World::new();
    let bob = user(&world);
    for (kind, code) in [
        ("schedule_reference", 5001),
        ("team_reference", 5001),
        ("service_reference", 2001),
    ] {
        let target = json!({"id": bob["id"], "type": kind});
        let rule = json!({"escalation_delay_in_minutes": 5, "targets": [target]});
        let body = json!({"escalation_policy": {"name": "Night", "escalation_rules": [rule]}});
        let answer = ada(&world, ("POST", "/escalation_policies"), Some(body)).await;
        let told = refused(&answer, 400, code);
        let place = "'escalation_policy.escalation_rules[0].targets'";
        assert!(told.contains(place), "{told}");
    }
}
