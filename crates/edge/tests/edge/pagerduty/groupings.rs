//! Alert grouping settings of PagerDuty's REST API.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::roster::{changed, gone, id_of, made};
use super::{ada, read, refused, service};
use crate::world::World;

const SETTINGS: &str = "/alert_grouping_settings";

/// Another service, without a setting.
async fn other(world: &World, name: &str) -> Value {
    let policies = read(world, "/escalation_policies").await;
    let policy = policies["escalation_policies"][0]["id"].clone();
    let policy = json!({"id": policy, "type": "escalation_policy_reference"});
    let body = json!({"service": {"name": name, "escalation_policy": policy}});
    made(world, "/services", body).await["service"].clone()
}

/// What Terraform's provider sends for the alerts of a service that are grouped by time.
fn by_time(service: &Value) -> Value {
    json!({"alert_grouping_setting": {
        "name": "Web", "description": "Managed by Terraform", "type": "time",
        "config": {"timeout": 300}, "services": [{"id": service["id"]}],
    }})
}

#[tokio::test]
async fn a_setting_is_made_read_back_as_written_changed_and_removed() {
    let world = World::new();
    let own = service(&world);
    assert_eq!(
        read(&world, SETTINGS).await["alert_grouping_settings"],
        json!([])
    );
    let made = made(&world, SETTINGS, by_time(&own)).await["alert_grouping_setting"].clone();
    assert_eq!(made["name"], "Web");
    assert_eq!(made["description"], "Managed by Terraform");
    assert_eq!(made["type"], "time");
    assert_eq!(made["config"], json!({"timeout": 300}));
    assert_eq!(made["services"][0]["id"], own["id"]);
    let path = format!("{SETTINGS}/{}", id_of(&made));
    assert_eq!(read(&world, &path).await["alert_grouping_setting"], made);
    let of_service = format!("/services/{}", id_of(&own));
    let shown = read(&world, &of_service).await["service"].clone();
    assert_eq!(shown["alert_grouping_parameters"]["type"], "time");
    assert_eq!(shown["alert_grouping_parameters"]["config"]["timeout"], 5);

    let fields = json!({"time_window": 0, "aggregate": "all", "fields": ["source"]});
    let wanted = json!({"alert_grouping_setting": {"type": "content_based", "config": fields}});
    let now = changed(&world, &path, wanted).await["alert_grouping_setting"].clone();
    assert_eq!(now["type"], "content_based");
    assert_eq!(now["config"]["fields"], json!(["source"]));
    assert_eq!(now["name"], "Web", "what is not said stays");
    let renamed = json!({"alert_grouping_setting": {"name": "Shop", "description": null}});
    let now = changed(&world, &path, renamed).await["alert_grouping_setting"].clone();
    assert_eq!(now["name"], "Shop");
    assert_eq!(now["description"], "");
    assert_eq!(now["config"]["fields"], json!(["source"]));

    gone(&world, &path).await;
    let shown = read(&world, &of_service).await["service"].clone();
    assert_eq!(shown["alert_grouping_parameters"]["type"], Value::Null);
    refused(&ada(&world, ("DELETE", &path), None).await, 404, 2100);
}

#[tokio::test]
async fn what_a_service_says_of_its_grouping_is_a_setting_too_and_goes_with_it() {
    let world = World::new();
    let own = service(&world);
    let path = format!("/services/{}", id_of(&own));
    let name = read(&world, &path).await["service"]["name"].clone();
    let by_time = json!({"type": "time", "config": {"timeout": 5}});
    let said = |grouping: Value| json!({"service": {"alert_grouping_parameters": grouping}});
    changed(&world, &path, said(by_time.clone())).await;
    let listed = read(&world, SETTINGS).await["alert_grouping_settings"].clone();
    assert_eq!(listed[0]["name"], name, "it is called as its service is");
    assert_eq!(listed[0]["config"], json!({"timeout": 300}));

    let setting = format!("{SETTINGS}/{}", id_of(&listed[0]));
    let described = json!({"alert_grouping_setting": {"description": "By day"}});
    let shown = changed(&world, &setting, described).await["alert_grouping_setting"].clone();
    assert_eq!(
        (&shown["name"], &shown["description"]),
        (&name, &json!("By day"))
    );
    let intake = format!("/services/{}/intake", id_of(&own));
    let settings = json!({"urgency": {"by": "high"}, "resolve_after_minutes": null,
        "grouping": {"by": "time", "minutes": 10, "rolling": false}});
    let set = world
        .call("PUT", &intake, &world.admin, Some(settings))
        .await;
    assert_eq!(set.status, StatusCode::OK, "{}", set.text());
    let shown = read(&world, &setting).await["alert_grouping_setting"].clone();
    assert_eq!(shown["description"], "By day", "Tocsin's own API keeps it");
    assert_eq!(shown["config"], json!({"timeout": 600}));

    changed(&world, &path, said(json!({"type": null, "config": null}))).await;
    refused(&ada(&world, ("GET", &setting), None).await, 404, 2100);
    changed(&world, &path, said(by_time)).await;
    let shown = read(&world, &setting).await["alert_grouping_setting"].clone();
    assert_eq!(shown["description"], "", "what it was called is gone");
}

#[tokio::test]
async fn settings_are_listed_by_pages_that_follow_each_other_and_by_services() {
    let world = World::new();
    let mut ids = Vec::new();
    for name in ["One", "Two", "Three"] {
        let service = other(&world, name).await;
        let setting = made(&world, SETTINGS, by_time(&service)).await;
        ids.push((id_of(&setting["alert_grouping_setting"]), id_of(&service)));
    }
    ids.sort();
    let listed = |page: &Value| -> Vec<String> {
        let all = page["alert_grouping_settings"].as_array().unwrap().iter();
        all.map(id_of).collect()
    };
    let first = read(&world, &format!("{SETTINGS}?limit=2&total=true")).await;
    assert_eq!(listed(&first), [ids[0].0.clone(), ids[1].0.clone()]);
    assert_eq!((&first["total"], &first["limit"]), (&json!(3), &json!(2)));
    assert_eq!(first["before"], Value::Null);
    let after = first["after"].as_str().unwrap();
    let rest = read(&world, &format!("{SETTINGS}?limit=2&after={after}")).await;
    assert_eq!(listed(&rest), [ids[2].0.clone()]);
    assert_eq!(
        (&rest["after"], &rest["total"]),
        (&Value::Null, &Value::Null)
    );
    let before = rest["before"].as_str().unwrap();
    let back = read(&world, &format!("{SETTINGS}?limit=2&before={before}")).await;
    assert_eq!(listed(&back), listed(&first));
    let of_one = read(&world, &format!("{SETTINGS}?service_ids[]={}", ids[1].1)).await;
    assert_eq!(listed(&of_one), [ids[1].0.clone()]);
    gone(&world, &format!("{SETTINGS}/{}", ids[1].0)).await;
    let rest = read(&world, &format!("{SETTINGS}?after={after}")).await;
    assert_eq!(listed(&rest), [ids[2].0.clone()], "it was there once");
    let back = read(&world, &format!("{SETTINGS}?before={after}")).await;
    assert_eq!(listed(&back), [ids[0].0.clone()]);
    let unread = format!("{SETTINGS}?after=PXPGF42");
    refused(&ada(&world, ("GET", &unread), None).await, 400, 2001);
}

#[tokio::test]
async fn what_a_setting_cannot_be_is_refused_with_the_reason() {
    let world = World::new();
    let (own, other) = (service(&world), other(&world, "Other").await);
    let with = |name: &str, value: Value| {
        let mut body = by_time(&own);
        body["alert_grouping_setting"][name] = value;
        body
    };
    let both = json!([{"id": own["id"]}, {"id": other["id"]}]);
    for (body, code, word) in [
        (with("services", both), 2001, "several"),
        (with("services", json!([])), 2001, "missing"),
        (
            with("services", json!([{"id": "PXPGF42"}])),
            5001,
            "PXPGF42",
        ),
        (with("type", json!("intelligent")), 2001, "by itself"),
        (with("config", json!({"timeout": 86_401})), 2001, "at most"),
    ] {
        let answer = ada(&world, ("POST", SETTINGS), Some(body.clone())).await;
        let told = refused(&answer, 400, code);
        assert!(told.contains(word), "{body}: {told}");
    }
    let made = made(&world, SETTINGS, by_time(&own)).await;
    let again = ada(&world, ("POST", SETTINGS), Some(by_time(&own))).await;
    assert!(refused(&again, 400, 2001).contains("already"));
    let id = id_of(&made["alert_grouping_setting"]);
    let path = format!("{SETTINGS}/{id}");
    let moved = ada(&world, ("PUT", &path), Some(by_time(&other))).await;
    assert!(refused(&moved, 400, 2001).contains("stays with its service"));
}
