//! Clients that change one thing at the same moment, by PagerDuty's REST API and by others: none of them undoes what another one says.

use axum::http::StatusCode;
use serde_json::{Value, json};
use tocsin_domain::people::{ChannelKind, User};

use super::duty::weekly;
use super::roster::{id_of, made, user};
use super::{ada, read, refused, service};
use crate::code::files;
use crate::fakes::START;
use crate::mapped::integration;
use crate::providers::Gate;
use crate::world::{Answered, World};

/// What two clients are told, of whom the second comes when the change of the first is decided and not kept: nobody who looks sees it.
async fn at_once(
    world: &World,
    first: impl Future<Output = Answered>,
    second: impl Future<Output = Answered>,
) -> (Answered, Answered) {
    let disk = Gate::default();
    *world.journal.held.lock().unwrap() = Some(disk.clone());
    let second = async {
        let decided = disk.clone();
        let decided = tokio::task::spawn_blocking(move || decided.reached());
        decided.await.unwrap();
        let go_on = async {
            // Whoever waits for no turn has read by then what the first one changes.
            for _ in 0..1_000 {
                tokio::task::yield_now().await;
            }
            disk.open();
        };
        tokio::join!(second, go_on).0
    };
    tokio::join!(first, second)
}

/// The same where both are to be carried out.
async fn both(
    world: &World,
    first: impl Future<Output = Answered>,
    second: impl Future<Output = Answered>,
) {
    let (first, second) = at_once(world, first, second).await;
    for answer in [first, second] {
        assert!(answer.status.is_success(), "{}", answer.text());
    }
}

/// A change by PagerDuty's API, of one object in the form of its kind.
async fn put(world: &World, path: &str, kind: &str, what: Value) -> Answered {
    ada(world, ("PUT", path), Some(json!({ kind: what }))).await
}

/// That an object says this, as PagerDuty's API shows it. Gives all that it says.
async fn says<const N: usize>(
    world: &World,
    path: &str,
    kind: &str,
    expected: [(&str, Value); N],
) -> Value {
    let known = read(world, path).await[kind].clone();
    for (field, value) in expected {
        assert_eq!(known[field], value, "{field}");
    }
    known
}

/// A change by the native API.
async fn native(world: &World, path: &str, body: Value) -> Answered {
    world.call("PUT", path, &world.admin, Some(body)).await
}

/// A policy that pages Bob, and its id.
async fn policy(world: &World) -> String {
    let body = json!({"escalation_policy": {
        "type": "escalation_policy", "name": "Night",
        "escalation_rules": [{"escalation_delay_in_minutes": 30, "targets": [user(world)]}],
    }});
    id_of(&made(world, "/escalation_policies", body).await["escalation_policy"])
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_change_an_escalation_policy_both_do() {
    let world = World::new();
    let (id, kind) = (policy(&world).await, "escalation_policy");
    let path = format!("/escalation_policies/{id}");
    let called = put(&world, &path, kind, json!({"name": "Day"}));
    let repeated = put(&world, &path, kind, json!({"num_loops": 3}));
    both(&world, called, repeated).await;
    let expected = [("name", json!("Day")), ("num_loops", json!(3))];
    says(&world, &path, kind, expected).await;
    let level =
        json!({"delay_minutes": 30, "targets": [{"kind": "user", "id": world.bob.to_string()}]});
    let holds = json!({"name": "Day", "repeat": 3, "levels": [level], "acknowledgement_timeout_minutes": 60});
    let own = format!("/escalation-policies/{id}");
    let held = native(&world, &own, holds);
    let described = put(&world, &path, kind, json!({"description": "By day"}));
    both(&world, held, described).await;
    let known = world.get(&own).await.json();
    assert_eq!(known["acknowledgement_timeout_minutes"], 60.0);
    assert_eq!(known["description"], "By day");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_changes_a_policy_undoes_nothing_that_files_make_true() {
    let world = World::new();
    let path = format!("/escalation_policies/{}", policy(&world).await);
    let text = "[[escalation_policies]]\nname = \"Night\"\nrepeat = 5\n[[escalation_policies.levels]]\ndelay = \"30m\"\ntargets = [{ user = \"bob@example.org\" }]\n\n[[users]]\nemail = \"bob@example.org\"\nname = \"Bob\"\nrole = \"responder\"\n";
    let mut all = json!({"files": files(text)});
    let planned = world.post("/code/plan", all.clone()).await;
    assert_eq!(planned.status, StatusCode::OK, "{}", planned.text());
    all["fingerprint"] = planned.json()["fingerprint"].clone();
    let applied = world.post("/code/apply", all);
    let what = json!({"description": "By night"});
    let described = put(&world, &path, "escalation_policy", what);
    both(&world, applied, described).await;
    let expected = [("num_loops", json!(5)), ("description", json!("By night"))];
    says(&world, &path, "escalation_policy", expected).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_change_a_schedule_both_do() {
    let world = World::new();
    let primary = made(&world, "/schedules", weekly(&world)).await["schedule"].clone();
    let path = format!("/schedules/{}", id_of(&primary));
    let called = put(&world, &path, "schedule", json!({"name": "First"}));
    let moved = put(&world, &path, "schedule", json!({"time_zone": "UTC"}));
    both(&world, called, moved).await;
    let expected = [("name", json!("First")), ("time_zone", json!("UTC"))];
    says(&world, &path, "schedule", expected).await;
    let layer = json!({
        "start": "2026-11-01T08:00:00Z", "turn": {"every": 1, "unit": "weeks"},
        "members": [world.bob.to_string()],
    });
    let renamed = json!({"name": "Bob alone", "time_zone": "UTC", "layers": [layer]});
    let renamed = native(&world, &path, renamed);
    let described = put(&world, &path, "schedule", json!({"description": "Weekly"}));
    both(&world, renamed, described).await;
    let expected = [
        ("name", json!("Bob alone")),
        ("description", json!("Weekly")),
    ];
    let known = says(&world, &path, "schedule", expected).await;
    assert_eq!(known["schedule_layers"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_change_a_team_both_do() {
    let world = World::new();
    let web = made(
        &world,
        "/teams",
        json!({"team": {"type": "team", "name": "Web"}}),
    )
    .await;
    let path = format!("/teams/{}", id_of(&web["team"]));
    let called = put(&world, &path, "team", json!({"name": "Shop"}));
    let described = put(&world, &path, "team", json!({"description": "By day"}));
    both(&world, called, described).await;
    let expected = [("name", json!("Shop")), ("description", json!("By day"))];
    says(&world, &path, "team", expected).await;
    let called = native(&world, &path, json!({"name": "Market", "members": []}));
    let described = put(&world, &path, "team", json!({"description": "By night"}));
    both(&world, called, described).await;
    let expected = [
        ("name", json!("Market")),
        ("description", json!("By night")),
    ];
    says(&world, &path, "team", expected).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_change_a_business_service_both_do() {
    let world = World::new();
    let kind = "business_service";
    let shop = json!({"business_service": {"type": kind, "name": "Shop"}});
    let shop = ada(&world, ("POST", "/business_services"), Some(shop)).await;
    let id = id_of(&shop.json()[kind]);
    let path = format!("/business_services/{id}");
    let called = put(&world, &path, kind, json!({"name": "Store"}));
    let asked = put(&world, &path, kind, json!({"point_of_contact": "Ann"}));
    both(&world, called, asked).await;
    let expected = [("name", json!("Store")), ("point_of_contact", json!("Ann"))];
    says(&world, &path, kind, expected).await;
    let market = json!({"name": "Market", "point_of_contact": "Ann"});
    let own = format!("/business-services/{id}");
    let called = native(&world, &own, market);
    let described = put(&world, &path, kind, json!({"description": "What sells"}));
    both(&world, called, described).await;
    let expected = [
        ("name", json!("Market")),
        ("description", json!("What sells")),
    ];
    says(&world, &path, kind, expected).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_calls_an_integration_otherwise_keeps_a_mapping_that_is_changed_meanwhile() {
    let world = World::new();
    let made = integration(&world, "webhook", Some(json!({"title": "{{ .a }}"}))).await;
    let of = id_of(&service(&world));
    let path = format!("/services/{of}/integrations/{}", id_of(&made));
    let mapping = json!({"title": "{{ .b }}"});
    let mapped = native(
        &world,
        &path,
        json!({"name": "webhook", "mapping": mapping}),
    );
    let called = put(&world, &path, "integration", json!({"name": "Deploys"}));
    both(&world, mapped, called).await;
    let known = world.get(&path).await.json();
    assert_eq!(
        (&known["name"], &known["mapping"]),
        (&json!("Deploys"), &mapping)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_router_is_not_written_over_a_rule_that_it_could_not_show() {
    let world = World::new();
    let all = read(&world, "/event_orchestrations").await;
    let id = id_of(&all["orchestrations"][0]);
    let path = format!("/event_orchestrations/{id}/router");
    let quiet = json!({"rules": [{"name": "Quiet", "when": {}, "then": [{"do": "suppress"}]}]});
    let ruled = native(&world, "/alert-rules", quiet);
    let router = json!({
        "type": "router", "sets": [{"id": "start", "rules": []}],
        "catch_all": {"actions": {"route_to": "unrouted"}},
    });
    let routed = put(&world, &path, "orchestration_path", router);
    let (ruled, routed) = at_once(&world, ruled, routed).await;
    assert_eq!(ruled.status, StatusCode::OK, "{}", ruled.text());
    assert!(refused(&routed, 402, 2014).contains("Quiet"));
    let rules = world.get("/alert-rules").await.json();
    assert_eq!(rules["rules"][0]["name"], "Quiet");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_say_something_of_a_person_both_do() {
    let world = World::new();
    let path = format!("/users/{}", world.bob);
    read(&world, &path).await;
    let titled = put(&world, &path, "user", json!({"job_title": "Operator"}));
    let described = put(&world, &path, "user", json!({"description": "Nights"}));
    both(&world, titled, described).await;
    let expected = [
        ("job_title", json!("Operator")),
        ("description", json!("Nights")),
    ];
    says(&world, &path, "user", expected).await;
}

fn phone() -> Value {
    json!({"contact_method": {"type": "phone_contact_method", "label": "Mobile", "address": "123456789", "country_code": 33}})
}

fn rule(way: &Value) -> Value {
    json!({"notification_rule": {
        "type": "assignment_notification_rule", "start_delay_in_minutes": 5, "urgency": "high",
        "contact_method": {"id": way["id"], "type": "phone_contact_method_reference"},
    }})
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_change_a_notification_rule_both_do() {
    let world = World::new();
    let of = format!("/users/{}", world.bob);
    let way = made(&world, &format!("{of}/contact_methods"), phone()).await;
    let rules = format!("{of}/notification_rules");
    let known = made(&world, &rules, rule(&way["contact_method"])).await;
    let (path, kind) = (
        format!("{rules}/{}", id_of(&known["notification_rule"])),
        "notification_rule",
    );
    let later = put(&world, &path, kind, json!({"start_delay_in_minutes": 7}));
    let low = put(&world, &path, kind, json!({"urgency": "low"}));
    both(&world, later, low).await;
    let expected = [
        ("start_delay_in_minutes", json!(7)),
        ("urgency", json!("low")),
    ];
    says(&world, &path, kind, expected).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_two_add_for_a_person_at_once_is_there_once() {
    let world = World::new();
    let of = format!("/users/{}", world.bob);
    let (ways, rules) = (
        format!("{of}/contact_methods"),
        format!("{of}/notification_rules"),
    );
    read(&world, &ways).await;
    let add = || ada(&world, ("POST", &ways), Some(phone()));
    let (first, second) = at_once(&world, add(), add()).await;
    assert_eq!(first.status, StatusCode::CREATED, "{}", first.text());
    assert!(refused(&second, 400, 2001).contains("must be unique"));
    let way = first.json()["contact_method"].clone();
    let add = || ada(&world, ("POST", &rules), Some(rule(&way)));
    let (first, second) = at_once(&world, add(), add()).await;
    assert_eq!(first.status, StatusCode::CREATED, "{}", first.text());
    assert!(refused(&second, 400, 2001).contains("must be unique"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_way_that_two_add_at_once_is_there_as_if_one_came_after_the_other() {
    let (native, front) = ("the native API", "PagerDuty's API");
    let ways = |world: &World| {
        let phones = |user: &User| {
            let ways = user.contact_methods.iter();
            ways.filter(|way| way.kind == ChannelKind::Voice).count()
        };
        world.engine.read(|state| phones(&state.users[&world.bob]))
    };
    let add = async |world: &World, by: &str| {
        let path = format!("/users/{}/contact", world.bob);
        if by == front {
            ada(world, ("POST", &format!("{path}_methods")), Some(phone())).await
        } else {
            let same = json!({"kind": "voice", "label": "Mobile", "address": "+33123456789"});
            world.post(&format!("{path}-methods"), same).await
        }
    };
    // The native API adds what is there already.
    for (first, second, count) in [(native, native, 2), (native, front, 1), (front, native, 2)] {
        let world = World::new();
        let one = add(&world, first).await.status;
        let other = add(&world, second).await.status;
        let one_after_the_other = (one, other, ways(&world));
        let world = World::new();
        read(&world, &format!("/users/{}", world.bob)).await;
        let (one, other) = at_once(&world, add(&world, first), add(&world, second)).await;
        let told = format!("by {first}, by {second}: {}, {}", one.text(), other.text());
        let together = (one.status, other.status, ways(&world));
        assert_eq!(together, one_after_the_other, "{told}");
        assert_eq!(one.status, StatusCode::CREATED, "{told}");
        assert_eq!(together.2, count, "{told}");
    }
}

/// Work on these services from now on for an hour, and its id.
async fn work(world: &World, services: Value) -> String {
    let body = json!({"maintenance_window": {"type": "maintenance_window", "description": "New disks",
        "start_time": START.to_rfc3339(), "end_time": START.plus_ms(3_600_000).to_rfc3339(), "services": services}});
    let work = made(world, "/maintenance_windows", body).await;
    id_of(&work["maintenance_window"])
}

/// Whoever describes it by PagerDuty's API.
async fn described(world: &World, id: &str) -> Answered {
    let path = format!("/maintenance_windows/{id}");
    let what = json!({"description": "Newer disks"});
    put(world, &path, "maintenance_window", what).await
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_change_planned_work_both_do() {
    let world = World::new();
    let id = work(&world, json!([service(&world)])).await;
    let (path, kind) = (format!("/maintenance_windows/{id}"), "maintenance_window");
    let later = START.plus_ms(7_200_000).to_rfc3339();
    let longer = put(&world, &path, kind, json!({"end_time": later}));
    both(&world, longer, described(&world, &id)).await;
    let own = format!("/maintenance-windows/{id}");
    let known = world.get(&own).await.json();
    assert_eq!(
        (&known["until"], &known["reason"]),
        (&json!(later), &json!("Newer disks"))
    );
    // And by a client of Alertmanager, to which it is a silence.
    let silences = "/alertmanager/api/v2/silences";
    let listed = world.call_at("GET", silences, &world.admin, None).await;
    let mut moved = listed.json()[0].clone();
    let latest = START.plus_ms(10_800_000).to_rfc3339();
    moved["endsAt"] = json!(latest);
    moved["comment"] = json!("By a silence");
    let moved = world.call_at("POST", silences, &world.admin, Some(moved));
    both(&world, moved, described(&world, &id)).await;
    let known = world.get(&own).await.json();
    assert_eq!(
        (&known["until"], &known["reason"]),
        (&json!(latest), &json!("Newer disks"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn planned_work_is_changed_while_what_it_is_on_goes() {
    let world = World::new();
    world.apache_is_found();
    let target = world.engine.read(|state| {
        let mut targets = state.targets.keys();
        targets.next().unwrap().to_string()
    });
    let shop = world.post("/services", json!({"name": "Shop"})).await;
    let shop = id_of(&shop.json());
    let body = json!({"reason": "New disks", "target_ids": [target],
        "service_ids": [shop, service(&world)["id"]],
        "from": START.to_rfc3339(), "until": START.plus_ms(3_600_000).to_rfc3339()});
    let planned = world.post("/maintenance-windows", body).await;
    assert_eq!(planned.status, StatusCode::CREATED, "{}", planned.text());
    let id = id_of(&planned.json());
    for path in [format!("/targets/{target}"), format!("/services/{shop}")] {
        let goes = world.call("DELETE", &path, &world.admin, None);
        both(&world, goes, described(&world, &id)).await;
    }
    let own = format!("/maintenance-windows/{id}");
    let known = world.get(&own).await.json();
    assert_eq!(known["targets"], json!([]));
    assert_eq!(known["services"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn planned_work_that_is_ended_does_not_begin_again_by_a_change_of_its_words() {
    let world = World::new();
    for by_a_silence in [false, true] {
        let id = work(&world, json!([service(&world)])).await;
        let listed = world
            .call_at("GET", "/api/v2/silences", &world.admin, None)
            .await;
        let active = listed.json();
        let mut active = active.as_array().unwrap().iter();
        let silence = active.find(|one| one["status"]["state"] == "active");
        let (method, path) = if by_a_silence {
            let silence = id_of(silence.unwrap());
            ("DELETE", format!("/api/v2/silence/{silence}"))
        } else {
            let own = format!("/api/tocsin/v1/maintenance-windows/{id}/end");
            ("POST", own)
        };
        let ended = world.call_at(method, &path, &world.admin, None);
        let (ended, changed) = at_once(&world, ended, described(&world, &id)).await;
        assert!(ended.status.is_success(), "{}", ended.text());
        refused(&changed, 400, 2001);
        let known = world.get(&format!("/maintenance-windows/{id}")).await;
        assert_eq!(known.json()["active"], false, "{path}");
    }
}
