//! Alerts that Opsgenie's clients read back, over the real router.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::{accepted, became, get};
use crate::mapped::integration;
use crate::world::{ROUTING_KEY, World};

/// What an alert is by now.
async fn read_back(world: &World, key: &str, name: &str) -> Value {
    let answer = get(world, &format!("/v2/alerts/{name}"), key).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    let told = answer.json();
    assert!(told["took"].is_number() && told["requestId"].is_string());
    told["data"].clone()
}

#[tokio::test]
async fn an_alert_is_read_back_by_its_id_its_alias_and_the_id_of_its_request() {
    let world = World::new();
    let made = integration(&world, "opsgenie", None).await;
    let key = made["routing_key"].as_str().unwrap();
    let body = || {
        json!({"message": "Disk full", "alias": "db/1", "description": "of db1", "priority": "P2", "entity": "db1",
            "source": "Zabbix", "tags": ["disk", "db"], "details": {"Rack": "7"}})
    };
    let request = accepted(&world, "/v2/alerts", key, body()).await;
    accepted(&world, "/v2/alerts", key, body()).await;
    let alert = became(&world, key, &request).await["alertId"].clone();
    let alert = alert.as_str().unwrap();
    let data = read_back(&world, key, alert).await;
    for (name, expected) in [
        ("id", json!(alert)),
        ("alias", json!("db/1")),
        ("message", json!("Disk full")),
        ("status", json!("open")),
        ("acknowledged", json!(false)),
        ("snoozed", json!(false)),
        ("tags", json!(["disk", "db"])),
        ("count", json!(2)),
        ("source", json!("Zabbix")),
        ("owner", json!("")),
        ("priority", json!("P2")),
        ("entity", json!("db1")),
        ("description", json!("of db1")),
        ("details", json!({"Rack": "7"})),
        ("tinyId", Value::Null),
        ("isSeen", Value::Null),
    ] {
        assert_eq!(data[name], expected, "{name}");
    }
    assert_eq!(data["integration"]["id"], made["id"]);
    let asked = data["responders"].as_array().unwrap().iter();
    let asked: Vec<&Value> = asked.map(|one| &one["type"]).collect();
    assert_eq!(asked, ["team", "escalation"]);
    for name in [
        format!("{alert}?identifierType=id"),
        request,
        "db%2F1?identifierType=alias".to_owned(),
    ] {
        assert_eq!(read_back(&world, key, &name).await, data, "{name}");
    }
    let prefixed = format!("/opsgenie/v2/alerts/{alert}/");
    assert_eq!(get(&world, &prefixed, key).await.json()["data"], data);
}

#[tokio::test]
async fn an_alert_that_is_read_back_stands_as_its_incident_does() {
    let world = World::new();
    let made = integration(&world, "opsgenie", None).await;
    let key = made["routing_key"].as_str().unwrap();
    let body = json!({"message": "Disk full", "alias": "db1"});
    let request = accepted(&world, "/v2/alerts", key, body).await;
    let stands = async || {
        let data = read_back(&world, key, &request).await;
        let of = |name: &str| data[name].clone();
        [of("status"), of("acknowledged"), of("snoozed"), of("owner")]
    };
    let expected = |status: &str, acknowledged: bool, snoozed: bool, owner: &str| {
        [
            json!(status),
            json!(acknowledged),
            json!(snoozed),
            json!(owner),
        ]
    };
    assert_eq!(stands().await, expected("open", false, false, ""));
    let path = "/incidents/1/acknowledge";
    let done = world.call("POST", path, &world.bobs, Some(json!({}))).await;
    assert_eq!(done.status, StatusCode::OK, "{}", done.text());
    assert_eq!(stands().await, expected("open", true, false, "Bob"));
    let (path, body) = ("/incidents/1/snooze", json!({"seconds": 3_600}));
    let done = world.call("POST", path, &world.bobs, Some(body)).await;
    assert_eq!(done.status, StatusCode::OK, "{}", done.text());
    assert_eq!(stands().await, expected("open", true, true, "Bob"));
    let data = read_back(&world, key, &request).await;
    assert!(data["snoozedUntil"].is_string(), "{data}");
    let by_alias = "/v2/alerts/db1/close?identifierType=alias";
    accepted(&world, by_alias, key, json!({})).await;
    assert_eq!(stands().await, expected("closed", false, false, ""));
    let gone = get(&world, "/v2/alerts/db1?identifierType=alias", key).await;
    assert_eq!(gone.status, StatusCode::NOT_FOUND, "{}", gone.text());
}

#[tokio::test]
async fn an_alert_is_shown_to_its_integration_alone_and_a_missing_one_is_missing() {
    let world = World::new();
    let made = integration(&world, "opsgenie", None).await;
    let key = made["routing_key"].as_str().unwrap();
    let body = json!({"message": "Disk full", "alias": "count"});
    let request = accepted(&world, "/v2/alerts", key, body).await;
    let alert = became(&world, key, &request).await["alertId"].clone();
    let alert = alert.as_str().unwrap();
    let by_alias = "count?identifierType=alias";
    assert_eq!(read_back(&world, key, by_alias).await["id"], alert);
    let other = integration(&world, "opsgenie", None).await;
    let others = other["routing_key"].as_str().unwrap();
    for (name, key, status) in [
        (alert, others, 404),
        (request.as_str(), others, 404),
        (by_alias, others, 404),
        (alert, "nonsense", 401),
        (alert, ROUTING_KEY, 401),
        (alert, world.admin.as_str(), 401),
        ("QAAAAAAAAAAAAA", key, 404),
        ("db1", key, 404),
        ("%c3%a9", key, 404),
        ("requests", key, 404),
        ("db1?identifierType=alias", key, 404),
        ("%20?identifierType=alias", key, 422),
        ("1?identifierType=tiny", key, 422),
    ] {
        let answer = get(&world, &format!("/v2/alerts/{name}"), key).await;
        assert_eq!(answer.status.as_u16(), status, "{name} {}", answer.text());
        let told = answer.json();
        assert!(told["message"].is_string() && told["took"].is_number());
        assert_eq!(told["requestId"].as_str().unwrap().len(), 36, "{told}");
    }
}
