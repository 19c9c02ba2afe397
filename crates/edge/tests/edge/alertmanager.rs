//! Alertmanager's API, as Prometheus, amtool and silence pages ask it.

mod sight;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use serde_json::{Value, json};

use crate::fakes::START;
use crate::mapped::integration;
use crate::remote_write::base64;
use crate::world::{Answered, ROUTING_KEY, World};

const API: &str = "/alertmanager/api/v2";

async fn get(world: &World, path: &str) -> Value {
    let answer = world
        .call_at("GET", &format!("{API}{path}"), &world.viewer, None)
        .await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    assert_eq!(answer.headers[header::CONTENT_TYPE], "application/json");
    answer.json()
}

async fn post(world: &World, path: &str, body: Value) -> Answered {
    let path = format!("{API}{path}");
    world
        .call_at("POST", &path, &world.responder, Some(body))
        .await
}

async fn fires(world: &World, alerts: Value) {
    let answer = post(world, "/alerts", alerts).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    assert_eq!(answer.text(), "");
}

fn down(instance: &str) -> Value {
    json!({"labels": {"alertname": "Down", "instance": instance, "severity": "critical"},
        "annotations": {"summary": "web is down", "description": "no answer"},
        "startsAt": START.to_rfc3339(), "endsAt": START.plus_ms(240_000).to_rfc3339(),
        "generatorURL": "http://prometheus.example/graph"})
}

fn silence(matchers: Value) -> Value {
    json!({"matchers": matchers, "startsAt": START.to_rfc3339(),
        "endsAt": START.plus_ms(3_600_000).to_rfc3339(), "createdBy": "ada", "comment": "new disks"})
}

async fn silenced(world: &World, matchers: Value) -> String {
    let made = post(world, "/silences", silence(matchers)).await;
    assert_eq!(made.status, StatusCode::OK, "{}", made.text());
    made.json()["silenceID"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn an_alert_is_taken_and_shown_as_alertmanager_shows_it() {
    let world = World::new();
    fires(&world, json!([down("web-1")])).await;
    // Another replica of the same Prometheus.
    fires(&world, json!([down("web-1")])).await;
    let shown = get(&world, "/alerts").await;
    assert_eq!(
        shown,
        json!([{
            "annotations": {"summary": "web is down", "description": "no answer"},
            "endsAt": START.plus_ms(240_000).to_rfc3339(),
            "fingerprint": "3fb32210d69626d3",
            "receivers": [{"name": "First service"}],
            "startsAt": START.to_rfc3339(),
            "status": {"inhibitedBy": [], "mutedBy": [], "silencedBy": [], "state": "active"},
            "updatedAt": START.to_rfc3339(),
            "generatorURL": "http://prometheus.example/graph",
            "labels": {"alertname": "Down", "instance": "web-1", "severity": "critical"},
        }])
    );
    let incidents = world.get("/incidents").await.json();
    assert_eq!(incidents["items"].as_array().unwrap().len(), 1);
    assert_eq!(incidents["items"][0]["title"], "web is down");
    assert_eq!(incidents["items"][0]["urgency"], "high");
    let id = incidents["items"][0]["id"].as_str().unwrap();
    let detail = world.get(&format!("/incidents/{id}")).await.json();
    assert_eq!(detail["alerts"][0]["source"], "alertmanager");
    assert_eq!(detail["alerts"][0]["repeats"], 1);
    assert_eq!(detail["alerts"][0]["summary"], "no answer");
    // It is over once its sender says so.
    let mut over = down("web-1");
    over["endsAt"] = json!(START.to_rfc3339());
    fires(&world, json!([over])).await;
    assert_eq!(get(&world, "/alerts").await, json!([]));
}

#[tokio::test]
async fn the_bare_paths_and_those_under_the_prefix_are_the_same() {
    let world = World::new();
    for path in ["/api/v2/alerts", "/alertmanager/api/v2/alerts"] {
        let taken = world
            .call_at("POST", path, &world.responder, Some(json!([down("a")])))
            .await;
        assert_eq!(taken.status, StatusCode::OK);
        let shown = world.call_at("GET", path, &world.viewer, None).await;
        assert_eq!(shown.json().as_array().unwrap().len(), 1);
    }
    for path in ["/alertmanager/-/healthy", "/alertmanager/-/ready"] {
        let answer = world.call_at("GET", path, "", None).await;
        assert_eq!(answer.text(), "OK");
    }
}

#[tokio::test]
async fn alerts_come_with_a_token_or_with_the_key_of_an_integration() {
    let world = World::new();
    let alerts = || Some(json!([down("a")]));
    let path = format!("{API}/alerts");
    let made = integration(&world, "alertmanager", None).await;
    let key_of_its_own = made["routing_key"].as_str().unwrap().to_owned();
    for key in [&world.responder, &world.admin, &key_of_its_own] {
        let answer = world.call_at("POST", &path, key, alerts()).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    }
    let basic = format!("Basic {}", base64(&format!("prometheus:{key_of_its_own}")));
    let request = Request::post(&path)
        .header(header::AUTHORIZATION, basic)
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(json!([down("a")]).to_string()));
    assert_eq!(world.send(request.unwrap()).await.status, StatusCode::OK);
    let refused = world.call_at("POST", &path, &world.viewer, alerts()).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert_eq!(refused.json()["code"], 403);
    // The last is the key of an integration that speaks otherwise.
    for key in ["", "x", "abcdefghij0123456789", ROUTING_KEY] {
        let refused = world.call_at("POST", &path, key, alerts()).await;
        assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
        assert_eq!(refused.json()["code"], 401);
        assert!(refused.headers.contains_key(header::WWW_AUTHENTICATE));
    }
    // The key of an integration raises alerts and does nothing else.
    for path in ["/alerts", "/silences", "/status"] {
        let path = format!("{API}{path}");
        let refused = world.call_at("GET", &path, &key_of_its_own, None).await;
        assert_eq!(refused.status, StatusCode::UNAUTHORIZED, "{path}");
    }
    let made = silence(json!([{"name": "a", "value": "b", "isRegex": false}]));
    for (key, status) in [(&key_of_its_own, 401), (&world.viewer, 403)] {
        let path = format!("{API}/silences");
        let refused = world.call_at("POST", &path, key, Some(made.clone())).await;
        assert_eq!(refused.status.as_u16(), status);
    }
}

#[tokio::test]
async fn what_can_be_taken_is_taken_and_the_rest_is_told() {
    let world = World::new();
    let answer = post(&world, "/alerts", json!([down("a"), {"labels": {}}])).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert_eq!(answer.json(), "at least one label pair required");
    assert_eq!(get(&world, "/alerts").await.as_array().unwrap().len(), 1);
    let text = Request::post(format!("{API}/alerts"))
        .header(header::AUTHORIZATION, format!("Bearer {}", world.responder))
        .header(header::CONTENT_TYPE, "text/plain")
        .body(Body::from("[]"));
    let refused = world.send(text.unwrap()).await;
    assert_eq!(refused.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert_eq!(refused.json()["code"], 415);
    let huge = json!([{"labels": {"a": "x".repeat(16 * 1024 * 1024)}}]);
    let refused = post(&world, "/alerts", huge).await;
    assert_eq!(refused.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn an_integration_routes_by_the_label_that_its_settings_name() {
    let world = World::new();
    let named = json!({"name": "Shop", "escalation_policy_id": null});
    world.post("/services", named).await;
    let services = world.get("/services").await.json();
    let first = services["items"][0]["id"].as_str().unwrap();
    let wanted = json!({"name": "Prometheus", "kind": "alertmanager", "service_label": "team"});
    let made = world
        .post(&format!("/services/{first}/integrations"), wanted)
        .await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    let key = made.json()["routing_key"].as_str().unwrap().to_owned();
    let alerts =
        json!([{"labels": {"alertname": "A", "team": "Shop"}}, {"labels": {"alertname": "B"}}]);
    let path = format!("{API}/alerts");
    let taken = world.call_at("POST", &path, &key, Some(alerts)).await;
    assert_eq!(taken.status, StatusCode::OK);
    // Where no label names one, it is the service of the integration.
    let mut all = services["items"].as_array().unwrap().iter();
    let shop = all.find(|one| one["name"] == "Shop").unwrap();
    let path_of_shop = format!("/services/{}/integrations", shop["id"].as_str().unwrap());
    let wanted = json!({"name": "Till", "kind": "alertmanager"});
    let made = world.post(&path_of_shop, wanted).await.json();
    let key = made["routing_key"].as_str().unwrap();
    let taken = world
        .call_at("POST", &path, key, Some(json!([down("C")])))
        .await;
    assert_eq!(taken.status, StatusCode::OK);
    for (receiver, name, count) in [("Shop", "A", 2), ("First.*", "B", 1)] {
        let shown = get(&world, &format!("/alerts?receiver={receiver}")).await;
        let shown = shown.as_array().unwrap();
        assert_eq!(shown.len(), count, "{receiver}");
        assert!(shown.iter().any(|one| one["labels"]["alertname"] == name));
    }
}

#[tokio::test]
async fn alerts_of_every_source_are_shown_and_asked_for() {
    let world = World::new();
    let incident = world.raise("db").await;
    fires(&world, json!([down("web-1"), down("web-2")])).await;
    assert_eq!(get(&world, "/alerts").await.as_array().unwrap().len(), 3);
    let check = async |query: &str, expected: usize| {
        let shown = get(&world, &format!("/alerts?{query}")).await;
        assert_eq!(
            shown.as_array().unwrap().len(),
            expected,
            "{query}: {shown}"
        );
        shown
    };
    let other = check("filter=alertname%3D%22db%20is%20down%22", 1).await;
    assert_eq!(other[0]["labels"]["tocsin_service"], "First service");
    assert_eq!(other[0]["annotations"]["summary"], "db is down");
    let url = format!("http://tocsin.example/ui/incidents/{incident}");
    assert_eq!(other[0]["generatorURL"], url);
    check("filter=instance%3D~%22web-.%22", 2).await;
    check("filter=instance%3D~%22web-.%22&filter=instance!%3Dweb-1", 1).await;
    check("filter=%7Binstance%3Dweb-1%2Calertname%3DDown%7D", 1).await;
    check("filter=instance%3D", 1).await;
    check("active=false", 0).await;
    check("receiver=Shop", 0).await;
    for query in ["filter=a%5Eb", "receiver=("] {
        let path = format!("{API}/alerts?{query}");
        let refused = world.call_at("GET", &path, &world.viewer, None).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST);
        assert!(refused.json().is_string());
    }
}

#[tokio::test]
async fn groups_are_incidents_with_the_labels_that_their_alerts_share() {
    let world = World::new();
    let services = world.get("/services").await.json();
    let path = format!(
        "/services/{}/intake",
        services["items"][0]["id"].as_str().unwrap()
    );
    let settings = json!({"urgency": {"by": "severity"},
        "grouping": {"by": "content", "fields": ["details.alertname"]}, "resolve_after_minutes": null});
    let set = world.call("PUT", &path, &world.admin, Some(settings)).await;
    assert_eq!(set.status, StatusCode::OK, "{}", set.text());
    let other = json!({"labels": {"alertname": "Other"}});
    fires(&world, json!([down("web-1"), down("web-2"), other])).await;
    let groups = get(&world, "/alerts/groups").await;
    assert_eq!(groups.as_array().unwrap().len(), 2, "{groups}");
    assert_eq!(groups[0]["alerts"].as_array().unwrap().len(), 2);
    assert_eq!(
        groups[0]["labels"],
        json!({"alertname": "Down", "severity": "critical"})
    );
    assert_eq!(groups[0]["receiver"], json!({"name": "First service"}));
    let some = get(&world, "/alerts/groups?filter=alertname%3DOther").await;
    assert_eq!(some.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_silence_is_planned_work_and_nobody_is_paged() {
    let world = World::new();
    let matchers = json!([
        {"name": "alertname", "value": "Down", "isRegex": false},
        {"name": "instance", "value": "web-[12]", "isRegex": true, "isEqual": true},
    ]);
    let id = silenced(&world, matchers).await;
    fires(&world, json!([down("web-1"), down("web-3")])).await;
    let held = get(&world, "/alerts?active=false").await;
    assert_eq!(held.as_array().unwrap().len(), 1);
    assert_eq!(held[0]["status"]["silencedBy"], json!([id]));
    assert_eq!(held[0]["status"]["state"], "suppressed");
    let free = get(&world, "/alerts?silenced=false").await;
    assert_eq!(free[0]["labels"]["instance"], "web-3");
    // One notion: it is there in our own API.
    let windows = world.get("/maintenance-windows").await.json();
    let window = &windows["items"][0];
    assert_eq!(window["reason"], "new disks");
    assert_eq!(window["created_by"], "ada");
    assert_eq!(window["active"], true);
    assert_eq!(
        window["matchers"],
        json!([
            {"name": "alertname", "operator": "=", "value": "Down"},
            {"name": "instance", "operator": "=~", "value": "web-[12]"},
        ])
    );
    let shown = get(&world, &format!("/silence/{id}")).await;
    assert_eq!(
        shown,
        json!({"id": id, "status": {"state": "active"}, "updatedAt": START.to_rfc3339(),
            "comment": "new disks", "createdBy": "ada", "startsAt": START.to_rfc3339(),
            "endsAt": START.plus_ms(3_600_000).to_rfc3339(), "matchers": [
                {"isEqual": true, "isRegex": false, "name": "alertname", "value": "Down"},
                {"isEqual": true, "isRegex": true, "name": "instance", "value": "web-[12]"}]})
    );
    // Ended there, it is over here.
    let end = format!(
        "/maintenance-windows/{}/end",
        window["id"].as_str().unwrap()
    );
    assert_eq!(
        world.post(&end, json!({})).await.status,
        StatusCode::NO_CONTENT
    );
    let shown = get(&world, &format!("/silence/{id}")).await;
    assert_eq!(shown["status"]["state"], "expired");
    assert_eq!(shown["endsAt"], START.to_rfc3339());
}

#[tokio::test]
async fn a_silence_is_changed_and_ended_as_alertmanager_does() {
    let world = World::new();
    let matchers = json!([{"name": "a", "value": "b", "isRegex": false}]);
    let id = silenced(&world, matchers.clone()).await;
    let mut longer = silence(matchers.clone());
    longer["id"] = json!(id);
    longer["endsAt"] = json!(START.plus_ms(7_200_000).to_rfc3339());
    let changed = post(&world, "/silences", longer.clone()).await;
    assert_eq!(changed.json()["silenceID"], id);
    longer["matchers"][0]["value"] = json!("c");
    let replaced = post(&world, "/silences", longer.clone()).await.json();
    assert_ne!(replaced["silenceID"], id);
    let states = get(&world, "/silences").await;
    let states: Vec<&str> = states
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["status"]["state"].as_str().unwrap())
        .collect();
    assert_eq!(states, ["active", "expired"]);
    let found = get(&world, "/silences?filter=a%3Dc").await;
    assert_eq!(found.as_array().unwrap().len(), 1);
    let path = format!("{API}/silence/{}", replaced["silenceID"].as_str().unwrap());
    for _ in 0..2 {
        let ended = world.call_at("DELETE", &path, &world.responder, None).await;
        assert_eq!(ended.status, StatusCode::OK, "{}", ended.text());
    }
    let refused = world.call_at("DELETE", &path, &world.viewer, None).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn silences_that_cannot_be_are_refused_in_alertmanagers_words() {
    let world = World::new();
    let good = silence(json!([{"name": "a", "value": "b", "isRegex": false}]));
    let check = async |change: &dyn Fn(&mut Value), status: u16, told: &str| {
        let mut body = good.clone();
        change(&mut body);
        let refused = post(&world, "/silences", body).await;
        assert_eq!(refused.status.as_u16(), status, "{}", refused.text());
        assert!(refused.text().contains(told), "{}", refused.text());
    };
    check(
        &|body| body["endsAt"] = body["startsAt"].clone(),
        400,
        "start time must be before end time",
    )
    .await;
    check(
        &|body| {
            body["startsAt"] = json!("2001-01-01T00:00:00Z");
            body["endsAt"] = json!("2001-01-02T00:00:00Z");
        },
        400,
        "end time can't be in the past",
    )
    .await;
    check(
        &|body| body["endsAt"] = json!("2100-01-01T00:00:00Z"),
        400,
        "at most 90 days",
    )
    .await;
    check(
        &|body| body["matchers"][0]["value"] = json!(""),
        400,
        "must not match the empty string",
    )
    .await;
    check(
        &|body| body["id"] = json!("11111111-1111-4111-8111-111111111111"),
        404,
        "silence not found",
    )
    .await;
    check(&|body| body["id"] = json!("x"), 404, "silence not found").await;
    check(
        &|body| body["comment"] = Value::Null,
        422,
        "comment in body is required",
    )
    .await;
    let unknown = format!("{API}/silence/11111111-1111-4111-8111-111111111111");
    for method in ["GET", "DELETE"] {
        let refused = world
            .call_at(method, &unknown, &world.responder, None)
            .await;
        assert_eq!(refused.status, StatusCode::NOT_FOUND);
        let path = format!("{API}/silence/x");
        let refused = world.call_at(method, &path, &world.responder, None).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(refused.json()["code"], 601);
    }
    assert_eq!(get(&world, "/silences").await, json!([]));
}

#[tokio::test]
async fn planned_work_of_services_is_shown_moved_and_ended_as_a_silence() {
    let world = World::new();
    let services = world.get("/services").await.json();
    let service = services["items"][0]["id"].as_str().unwrap();
    let planned = json!({"reason": "disks", "service_ids": [service],
        "from": START.to_rfc3339(), "until": START.plus_ms(3_600_000).to_rfc3339()});
    world.post("/maintenance-windows", planned).await;
    fires(&world, json!([down("web-1")])).await;
    let shown = get(&world, "/silences").await[0].clone();
    assert_eq!(shown["createdBy"], "Ada");
    assert_eq!(
        shown["matchers"],
        json!([{"isEqual": true, "isRegex": false, "name": "tocsin_service", "value": "First service"}])
    );
    let alerts = get(&world, "/alerts").await;
    assert_eq!(alerts[0]["status"]["silencedBy"], json!([shown["id"]]));
    let mut moved = shown.clone();
    moved["endsAt"] = json!(START.plus_ms(7_200_000).to_rfc3339());
    let changed = post(&world, "/silences", moved).await;
    assert_eq!(
        changed.json()["silenceID"],
        shown["id"],
        "{}",
        changed.text()
    );
    let windows = world.get("/maintenance-windows").await.json();
    assert_eq!(windows["items"][0]["services"][0]["name"], "First service");
    assert_eq!(
        windows["items"][0]["until"],
        START.plus_ms(7_200_000).to_rfc3339()
    );
    let path = format!("{API}/silence/{}", shown["id"].as_str().unwrap());
    let ended = world.call_at("DELETE", &path, &world.responder, None).await;
    assert_eq!(ended.status, StatusCode::OK);
    assert_eq!(get(&world, "/alerts").await[0]["status"]["state"], "active");
}

#[tokio::test]
async fn the_status_names_the_services_as_receivers_in_a_file_that_can_be_read() {
    let world = World::new();
    let status = get(&world, "/status").await;
    assert_eq!(
        status["cluster"],
        json!({"status": "disabled", "peers": []})
    );
    assert_eq!(status["uptime"], START.to_rfc3339());
    assert_eq!(status["versionInfo"]["version"], "0.28.1");
    assert_eq!(status["versionInfo"]["revision"], "tocsin-0.0.0");
    let file = status["config"]["original"].as_str().unwrap();
    assert!(
        file.contains("receivers:\n- name: \"First service\"\n"),
        "{file}"
    );
    assert_eq!(
        get(&world, "/receivers").await,
        json!([{"name": "First service"}])
    );
}

/// The requests as amtool sends them; the program itself is driven by `cargo xtask clients`.
#[tokio::test]
async fn what_amtool_asks_is_answered() {
    let world = World::new();
    fires(&world, json!([down("web-1")])).await;
    let query = "/alerts?active=true&filter=instance%3D~%22web.%2A%22&inhibited=false&silenced=false&unprocessed=false";
    let shown = get(&world, query).await;
    assert_eq!(shown[0]["startsAt"], START.to_rfc3339());
}
