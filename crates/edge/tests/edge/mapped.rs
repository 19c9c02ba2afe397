//! JSON of any shape and Grafana's over the real router: integrations of these kinds, what they raise, and what is refused.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use serde_json::{Value, json};

use crate::world::{Answered, ROUTING_KEY, World, trigger};

const GRAFANA: &str = include_str!("../../../wire/src/mapping/testdata/grafana.json");

/// A mapping of checks.
pub(crate) fn checks() -> Value {
    json!({
        "each": "$.checks[*]",
        "action": {"from": "{{ .state }}", "map": {"ok": "resolve", "seen": "acknowledge"}, "default": "trigger"},
        "dedup_key": "{{ $.host }}/{{ .name }}",
        "title": "{{ .name }} on {{ $.host }}",
        "severity": {"from": "{{ .state }}", "map": {"crit": "critical"}, "default": "warning"},
    })
}

pub(crate) async fn service(world: &World) -> String {
    let services = world.get("/services").await.json();
    services["items"][0]["id"].as_str().unwrap().to_owned()
}

/// Makes an integration.
pub(crate) async fn integration(world: &World, kind: &str, mapping: Option<Value>) -> Value {
    let service = service(world).await;
    let mut body = json!({"name": kind, "kind": kind});
    if let Some(mapping) = mapping {
        body["mapping"] = mapping;
    }
    let made = world
        .post(&format!("/services/{service}/integrations"), body)
        .await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    made.json()
}

async fn post(world: &World, path: &str, authorization: &str, body: &str) -> Answered {
    let mut request = Request::post(path);
    if !authorization.is_empty() {
        request = request.header(header::AUTHORIZATION, authorization);
    }
    world
        .send(request.body(Body::from(body.to_owned())).unwrap())
        .await
}

fn path_of(made: &Value) -> String {
    let address = made["address"].as_str().unwrap();
    address
        .strip_prefix("http://tocsin.example")
        .unwrap()
        .to_owned()
}

async fn titles(world: &World) -> Vec<String> {
    let list = world.get("/incidents?status=open").await.json();
    let items = list["items"].as_array().unwrap().iter();
    items
        .map(|one| one["title"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn a_body_makes_alerts_by_the_mapping_of_its_integration() {
    let world = World::new();
    let made = integration(&world, "webhook", Some(checks())).await;
    let body = json!({"host": "db-1", "checks": [
        {"name": "disk", "state": "crit"}, {"name": "load", "state": "warn"}]});
    let answer = post(&world, &path_of(&made), "", &body.to_string()).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text());
    let alerts = answer.json()["alerts"].clone();
    assert_eq!(alerts[0]["dedup_key"], "db-1/disk");
    assert!(alerts[0]["incident_id"].is_string() && alerts[1]["incident_id"].is_string());
    let mut open = titles(&world).await;
    open.sort();
    assert_eq!(open, ["disk on db-1", "load on db-1"]);

    let over = json!({"host": "db-1", "checks": [{"name": "disk", "state": "ok"}]});
    let key = made["routing_key"].as_str().unwrap();
    let answer = post(
        &world,
        "/intake",
        &format!("Bearer {key}"),
        &over.to_string(),
    )
    .await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text());
    assert_eq!(titles(&world).await, ["load on db-1"]);
}

#[tokio::test]
async fn ids_that_64_bits_do_not_hold_make_two_alerts_and_a_dry_run_says_so() {
    let world = World::new();
    let mapping = json!({"each": "$.all[*]", "dedup_key": "{{ .id }}", "title": "{{ .id }}"});
    let path = path_of(&integration(&world, "webhook", Some(mapping.clone())).await);
    let ids = ["12345678901234567890123", "12345678901234567890124"];
    let body = format!(r#"{{"all": [{{"id": {}}}, {{"id": {}}}]}}"#, ids[0], ids[1]);
    let keys = |answer: &Answered| {
        let alerts = answer.json()["alerts"].as_array().unwrap().clone();
        let keys = alerts.iter().map(|one| one["dedup_key"].clone());
        keys.collect::<Vec<Value>>()
    };
    let answer = post(&world, &path, "", &body).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text());
    assert_eq!(keys(&answer), ids);
    let mut open = titles(&world).await;
    open.sort();
    assert_eq!(open, ids);
    let sample = format!(r#"{{"mapping": {mapping}, "body": {body}}}"#);
    let request = Request::post("/api/tocsin/v1/intake/dry-run")
        .header(header::AUTHORIZATION, format!("Bearer {}", world.admin))
        .header(header::CONTENT_TYPE, "application/json");
    let tried = world.send(request.body(Body::from(sample)).unwrap()).await;
    assert_eq!(tried.status, StatusCode::OK, "{}", tried.text());
    assert_eq!(keys(&tried), ids);
}

#[tokio::test]
async fn grafanas_alerts_are_raised_and_resolved() {
    let world = World::new();
    let made = integration(&world, "grafana", None).await;
    let path = path_of(&made);
    let answer = post(&world, &path, "", GRAFANA).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text());
    assert_eq!(titles(&world).await, ["db-1 runs out of disk"]);
    let over = GRAFANA.replace("\"firing\"", "\"resolved\"");
    let answer = post(&world, &path, "", &over).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text());
    assert!(titles(&world).await.is_empty());
}

#[tokio::test]
async fn a_key_is_good_for_its_own_way_in_alone() {
    let world = World::new();
    let made = integration(&world, "webhook", Some(checks())).await;
    let key = made["routing_key"].as_str().unwrap();
    let mut event = trigger("x");
    event["routing_key"] = json!(key);
    assert_eq!(world.enqueue(&event).await.status, StatusCode::BAD_REQUEST);
    let body = r#"{"host": "h", "checks": []}"#;
    let foreign = post(&world, &format!("/intake/{ROUTING_KEY}"), "", body).await;
    assert_eq!(foreign.status, StatusCode::FORBIDDEN);
    let unknown = post(&world, "/intake/nonsense", "", body).await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    assert!(!unknown.text().contains("nonsense"), "it may be a secret");
    let unknown = post(&world, "/intake", "Bearer nonsense", body).await;
    assert_eq!(unknown.status, StatusCode::UNAUTHORIZED);
    let known = post(&world, "/intake", &format!("GenieKey {key}"), body).await;
    assert_eq!(known.status, StatusCode::ACCEPTED, "{}", known.text());
}

#[tokio::test]
async fn bodies_that_make_nothing_are_refused_with_the_reason() {
    let world = World::new();
    let path = path_of(&integration(&world, "webhook", Some(checks())).await);
    let check = async |body: &str, status: StatusCode, part: &str| {
        let answer = post(&world, &path, "", body).await;
        assert_eq!(answer.status, status, "{}", answer.text());
        assert!(answer.text().contains(part), "{}", answer.text());
    };
    check("{", StatusCode::BAD_REQUEST, "is not JSON").await;
    check("{}", StatusCode::BAD_REQUEST, "$.checks[*]").await;
    let many = json!({"checks": vec![json!({"name": "a"}); 1_001]}).to_string();
    check(
        &many,
        StatusCode::PAYLOAD_TOO_LARGE,
        "more than 1000 alerts",
    )
    .await;
    let large = " ".repeat(1_024 * 1_024 + 1);
    check(&large, StatusCode::PAYLOAD_TOO_LARGE, "larger than").await;
    assert!(titles(&world).await.is_empty());
}

#[tokio::test]
async fn an_end_of_nothing_in_particular_is_refused_and_the_other_alerts_are_taken() {
    let world = World::new();
    let mapping = json!({"each": "$.checks[*]", "title": "{{ .name }}",
        "action": {"from": "{{ .state }}", "map": {"ok": "resolve"}, "default": "trigger"}});
    let path = path_of(&integration(&world, "webhook", Some(mapping)).await);
    let body = json!({"checks": [{"state": "ok"}, {"name": "disk", "state": "crit"}]});
    let answer = post(&world, &path, "", &body.to_string()).await;
    assert_eq!(answer.status, StatusCode::MULTI_STATUS, "{}", answer.text());
    let alerts = answer.json()["alerts"].clone();
    assert_eq!(alerts[0]["dedup_key"], "");
    let why = alerts[0]["refused"].as_str().unwrap();
    assert!(why.contains("no dedup_key and no title"), "{why}");
    assert_eq!(alerts[1]["dedup_key"], "disk");
    assert!(alerts[1]["incident_id"].is_string(), "{alerts}");
    assert_eq!(titles(&world).await, ["disk"]);
    // Of nothing else, the body is refused as it was.
    let alone = json!({"checks": [{"state": "ok"}]}).to_string();
    let answer = post(&world, &path, "", &alone).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.text());
}

#[tokio::test]
async fn an_integration_sends_so_often_and_no_more() {
    let world = World::with(|settings| settings.events_per_minute = 2);
    let path = path_of(&integration(&world, "webhook", Some(checks())).await);
    let body = r#"{"checks": []}"#;
    for expected in [
        StatusCode::ACCEPTED,
        StatusCode::ACCEPTED,
        StatusCode::TOO_MANY_REQUESTS,
    ] {
        let answer = post(&world, &path, "", body).await;
        assert_eq!(answer.status, expected, "{}", answer.text());
    }
}

#[tokio::test]
async fn mappings_are_shown_changed_and_refused_with_the_place_of_a_mistake() {
    let world = World::new();
    let made = integration(&world, "webhook", Some(checks())).await;
    let service = service(&world).await;
    let id = made["id"].as_str().unwrap();
    let path = format!("/services/{service}/integrations/{id}");
    let shown = world.get(&path).await.json();
    assert_eq!(
        (shown["kind"].clone(), shown["mapping"].clone()),
        (json!("webhook"), checks())
    );
    let put = async |body: Value| world.call("PUT", &path, &world.admin, Some(body)).await;
    let refused = put(json!({"name": "n", "mapping": {"title": "{{ .a"}})).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert!(
        refused.text().contains("title, character 1"),
        "{}",
        refused.text()
    );
    let refused = put(json!({"name": "n"})).await;
    assert_eq!(
        refused.status,
        StatusCode::BAD_REQUEST,
        "a webhook needs one"
    );
    let changed = put(json!({"name": "n", "mapping": {"title": "t"}})).await;
    assert_eq!(changed.status, StatusCode::OK, "{}", changed.text());
    assert_eq!(
        world.get(&path).await.json()["mapping"],
        json!({"title": "t"})
    );
    let answer = post(&world, &path_of(&made), "", "{}").await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "the key stayed");
    let listed = world.get("/services").await.json();
    let kinds = listed["items"][0]["integrations"]
        .as_array()
        .unwrap()
        .iter();
    let kinds: Vec<_> = kinds.map(|one| one["kind"].as_str().unwrap()).collect();
    assert!(kinds.contains(&"events_v2") && kinds.contains(&"webhook"));
    let other = world
        .get(&format!("/services/QAAAAAAAAAAAAA/integrations/{id}"))
        .await;
    assert_eq!(other.status, StatusCode::NOT_FOUND);
    for wrong in [
        json!({"name": "n", "kind": "webhook"}),
        json!({"name": "n", "kind": "grafana", "mapping": {"title": "t"}}),
        json!({"name": "n", "kind": "pigeon"}),
    ] {
        let refused = world
            .post(&format!("/services/{service}/integrations"), wrong)
            .await;
        assert_eq!(
            refused.status,
            StatusCode::BAD_REQUEST,
            "{}",
            refused.text()
        );
    }
}

#[tokio::test]
async fn a_mapping_that_was_changed_is_followed_from_then_on() {
    let world = World::new();
    let made = integration(&world, "webhook", Some(json!({"title": "{{ .a }}"}))).await;
    let (service, id) = (service(&world).await, made["id"].as_str().unwrap());
    let body = json!({"a": "old", "b": "new"}).to_string();
    for title in ["old", "old"] {
        let answer = post(&world, &path_of(&made), "", &body).await;
        assert_eq!(answer.json()["alerts"][0]["dedup_key"], title);
    }
    let path = format!("/services/{service}/integrations/{id}");
    let change = json!({"name": "n", "mapping": {"title": "{{ .b }}"}});
    let changed = world.call("PUT", &path, &world.admin, Some(change)).await;
    assert_eq!(changed.status, StatusCode::OK, "{}", changed.text());
    let answer = post(&world, &path_of(&made), "", &body).await;
    assert_eq!(answer.json()["alerts"][0]["dedup_key"], "new");
}

#[tokio::test]
async fn a_key_that_was_used_is_refused_once_its_integration_is_gone() {
    let world = World::new();
    let made = integration(&world, "webhook", Some(json!({"title": "{{ .a }}"}))).await;
    let (service, id) = (service(&world).await, made["id"].as_str().unwrap());
    let body = json!({"a": "x"}).to_string();
    assert_eq!(
        post(&world, &path_of(&made), "", &body).await.status,
        StatusCode::ACCEPTED
    );
    let path = format!("/services/{service}/integrations/{id}");
    let gone = world.call("DELETE", &path, &world.admin, None).await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT, "{}", gone.text());
    let another = integration(&world, "webhook", Some(json!({"title": "{{ .a }}"}))).await;
    for (made, expected) in [
        (&made, StatusCode::NOT_FOUND),
        (&another, StatusCode::ACCEPTED),
    ] {
        let answer = post(&world, &path_of(made), "", &body).await;
        assert_eq!(answer.status, expected, "{}", answer.text());
    }
}

#[tokio::test]
async fn a_dry_run_shows_the_alerts_and_raises_none() {
    let world = World::new();
    let run = async |body: Value| world.post("/intake/dry-run", body).await;
    let sample = json!({"host": "db-1", "checks": [{"name": "disk", "state": "crit"}]});
    let shown = run(json!({"mapping": checks(), "body": sample})).await;
    assert_eq!(shown.status, StatusCode::OK, "{}", shown.text());
    let alert = shown.json()["alerts"][0].clone();
    assert_eq!(
        (alert["action"].clone(), alert["severity"].clone()),
        (json!("trigger"), json!("critical"))
    );
    assert_eq!(alert["title"], "disk on db-1");
    let mail = "Subject: Re: [RESOLVED] Disk full\r\nFrom: m@x\r\n\r\nall well\r\n";
    let shown = run(json!({"preset": "email", "mail": mail})).await.json();
    let alert = &shown["alerts"][0];
    assert_eq!(
        (alert["action"].clone(), alert["dedup_key"].clone()),
        (json!("resolve"), json!("disk full"))
    );
    let made = integration(&world, "grafana", None).await;
    let grafana: Value = serde_json::from_str(GRAFANA).unwrap();
    let shown = run(json!({"integration_id": made["id"], "body": grafana}))
        .await
        .json();
    assert_eq!(shown["alerts"].as_array().unwrap().len(), 2);
    let made = integration(&world, "opsgenie", None).await;
    let body = json!({"message": "m", "responders": [{"type": "team", "name": "DBA"}]});
    for way in [
        json!({"preset": "opsgenie", "body": body}),
        json!({"integration_id": made["id"], "body": body}),
    ] {
        let shown = run(way).await.json();
        let details = json!([{"name": "Responders", "value": "team DBA"}]);
        assert_eq!(shown["alerts"][0]["details"], details);
    }
    for wrong in [
        json!({"mapping": checks()}),
        json!({"body": {}}),
        json!({"mapping": checks(), "preset": "grafana", "body": {}}),
        json!({"mapping": {"title": 5}, "body": {}}),
    ] {
        assert_eq!(run(wrong).await.status, StatusCode::BAD_REQUEST);
    }
    assert!(titles(&world).await.is_empty());
    let presets = world.get("/intake/presets").await.json();
    let presets = presets["presets"].as_array().unwrap();
    assert_eq!(presets.len(), 3);
    for preset in presets {
        let body = json!({"mapping": preset["mapping"], "body": {"alerts": []}});
        assert_eq!(run(body).await.status, StatusCode::OK);
    }
}
