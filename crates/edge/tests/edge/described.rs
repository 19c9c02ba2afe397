//! What the description promises, held against what is answered.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use serde_json::{Value, json};

use crate::world::{Answered, BASE, World};

fn description() -> Value {
    serde_json::to_value(tocsin_edge::openapi()).unwrap()
}

/// What a part of the description stands for.
fn meant<'a>(all: &'a Value, part: &'a Value) -> &'a Value {
    match part["$ref"].as_str() {
        Some(place) => all.pointer(place.trim_start_matches('#')).unwrap(),
        None => part,
    }
}

/// Whether a value is of a schema, as far as answers of these tests need it.
fn fits(all: &Value, schema: &Value, value: &Value) -> bool {
    let schema = meant(all, schema);
    if let Some(variants) = schema["oneOf"].as_array() {
        let fitting = variants.iter().filter(|one| fits(all, one, value));
        return fitting.count() == 1;
    }
    let is_of = |kind: &str| match kind {
        "string" => value.is_string(),
        "integer" => value.is_u64() || value.is_i64(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        other => panic!("what is {other}?"),
    };
    let is_of_kind = match &schema["type"] {
        Value::String(kind) => is_of(kind),
        Value::Array(kinds) => kinds.iter().any(|kind| is_of(kind.as_str().unwrap())),
        _ => true,
    };
    let mut required = schema["required"].as_array().into_iter().flatten();
    let has_required = required.all(|name| value.get(name.as_str().unwrap()).is_some());
    let mut properties = schema["properties"].as_object().into_iter().flatten();
    let has_fields = properties.all(|(name, field)| {
        let given = value.get(name.as_str());
        given.is_none_or(|given| fits(all, field, given))
    });
    let mut items = value.as_array().into_iter().flatten();
    let has_items = items.all(|item| fits(all, &schema["items"], item));
    is_of_kind && has_required && has_fields && has_items
}

/// Fails unless an answer is one that its operation describes.
fn check(all: &Value, (method, path): (&str, &str), answer: &Answered) {
    let responses = &all["paths"][path][method]["responses"];
    let told = format!("{method} {path}: {} {}", answer.status, answer.text());
    let described = meant(all, &responses[answer.status.as_str()]);
    assert!(described.is_object(), "not described: {told}");
    let kind = answer.headers.get(header::CONTENT_TYPE);
    let kind = kind.map(|kind| kind.to_str().unwrap().split(';').next().unwrap());
    let Some(content) = described["content"].as_object() else {
        return;
    };
    let content = content.get(kind.unwrap_or_default());
    let content = content.unwrap_or_else(|| panic!("of another kind: {kind:?} {told}"));
    let value = match kind {
        Some("text/plain") => json!(answer.text()),
        _ => answer.json(),
    };
    let is_right = fits(all, &content["schema"], &value);
    assert!(is_right, "of another shape: {told}");
}

#[test]
fn every_reference_of_the_description_leads_somewhere() {
    let all = description();
    let text = all.to_string();
    let mut found = 0;
    for part in text.split("\"$ref\":\"#").skip(1) {
        let place = part.split('"').next().unwrap();
        assert!(all.pointer(place).is_some(), "{place} is not described");
        found += 1;
    }
    assert!(found > 1_000, "{found}");
}

#[test]
fn whoever_has_to_be_known_may_be_refused_and_the_description_says_so() {
    let all = description();
    let statuses = |method: &str, path: &str| -> Vec<String> {
        let responses = &all["paths"][path][method]["responses"];
        responses.as_object().unwrap().keys().cloned().collect()
    };
    for route in tocsin_edge::routes() {
        let operation = &all["paths"][&route.path][route.method.to_lowercase()];
        if operation["security"].is_array() {
            let has = operation["responses"]["401"].is_object();
            assert!(has, "{} {}", route.method, route.path);
        }
    }
    let has = |method: &str, path: &str, status: &str| {
        statuses(method, path).iter().any(|known| known == status)
    };
    assert!(has("get", "/api/tocsin/v1/teams", "429"));
    // Reading is for every role, but not for every scope, and alerts are not counted.
    assert!(has("get", "/api/tocsin/v1/teams", "403"));
    assert!(has("post", "/api/tocsin/v1/teams", "403"));
    assert!(!has("post", "/api/tocsin/v1/alerts", "429"));
    assert!(!has("get", "/healthz", "401"));
    assert!(has("post", "/api/v1/write", "429"));
    let scopes = |path: &str| &all["paths"][path]["get"]["x-access"]["scopes"];
    assert_eq!(scopes("/api/tocsin/v1/teams"), "roster");
    assert_eq!(scopes("/prometheus/api/v1/query"), "telemetry");
    assert!(scopes("/api/tocsin/v1/me").is_null() && scopes("/healthz").is_null());
}

#[test]
fn every_list_of_the_native_api_says_how_many_items_may_be_asked_for() {
    let all = description();
    let mut found = 0;
    for route in tocsin_edge::routes() {
        let operation = &all["paths"][&route.path][route.method.to_lowercase()];
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        for limit in parameters.filter(|one| one["name"] == "limit") {
            if route.path.starts_with(BASE) {
                let bounds = [&limit["schema"]["minimum"], &limit["schema"]["maximum"]];
                assert_eq!(bounds, [1, 200], "{}", route.path);
                found += 1;
            }
        }
    }
    assert!(found > 15, "{found}");
}

#[tokio::test]
async fn what_the_native_api_refuses_is_of_a_described_status_kind_and_shape() {
    let (world, all) = (World::new(), description());
    let nobody = "QAAAAAAAAAAAAA";
    let native = async |method: &str, path: &str, given: &str, body: Option<Value>| {
        let answer = world.call(method, given, &world.admin, body).await;
        assert!(answer.status.is_client_error(), "{}", answer.text());
        let path = format!("{BASE}{path}");
        check(&all, (&method.to_lowercase(), &path), &answer);
    };
    native("GET", "/session", "/session", None).await;
    native("DELETE", "/session", "/session", None).await;
    native("POST", "/session", "/session", None).await;
    for list in [
        "/teams",
        "/users",
        "/api-tokens",
        "/monitors",
        "/targets",
        "/tags",
        "/service-dependencies",
        "/webhook-subscriptions",
    ] {
        native("GET", list, &format!("{list}?limit=0"), None).await;
    }
    let (path, given) = ("/users/{id}/password", format!("/users/{nobody}/password"));
    let password = json!({"password": "correct horse battery"});
    native("PUT", path, &given, Some(password)).await;
    let (path, given) = (
        "/users/{id}/calendars",
        format!("/users/{nobody}/calendars"),
    );
    native("POST", path, &given, Some(json!({}))).await;
    let ada = json!({"name": "Ada", "email": "ada@example.org", "role": "viewer"});
    native("POST", "/users", "/users", Some(ada)).await;
    let of_nobody = json!({"title": "Disk full", "service_id": nobody});
    native("POST", "/incidents", "/incidents", Some(of_nobody)).await;
    let of_nobody = json!({"name": "Shop", "escalation_policy_id": nobody});
    native("POST", "/services", "/services", Some(of_nobody)).await;
    let of_nobody =
        json!({"name": "Backup", "every_seconds": 60, "grace_seconds": 5, "service_id": nobody});
    native("POST", "/heartbeats", "/heartbeats", Some(of_nobody)).await;
}

#[tokio::test]
async fn what_the_fronts_answer_and_refuse_is_of_a_described_status_kind_and_shape() {
    let (world, all) = (World::new(), description());
    let front = async |method: &str, path: &str, given: &str, token: &str| {
        let mut request = Request::builder().method(method).uri(given);
        if !token.is_empty() {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let answer = world.send(request.body(Body::empty()).unwrap()).await;
        check(&all, (&method.to_lowercase(), path), &answer);
        answer.status
    };
    for path in [
        "/api/v1/labels",
        "/federate",
        "/api/v2/status",
        "/incidents",
    ] {
        assert_eq!(front("GET", path, path, "").await, 401);
    }
    let admin = &world.admin;
    for path in [
        "/api/v2/alerts",
        "/api/v2/alerts/groups",
        "/api/v2/silences",
    ] {
        assert_eq!(front("GET", path, path, admin).await, 200);
        let wrong = format!("{path}?filter=AAA");
        assert_eq!(front("GET", path, &wrong, admin).await, 400);
    }
    let path = "/api/v2/receivers";
    assert_eq!(front("GET", path, path, admin).await, 200);
    for path in ["/api/v2/alerts", "/api/v2/silences"] {
        assert_eq!(front("POST", path, path, admin).await, 415);
        assert_eq!(front("POST", path, path, "").await, 401);
    }
    let path = "/api/v2/silence/{silence_id}";
    let given = "/api/v2/silence/0b0b0b0b-0b0b-0b0b-0b0b-0b0b0b0b0b0b";
    assert_eq!(front("GET", path, given, admin).await, 404);
    assert_eq!(front("GET", path, "/api/v2/silence/x", admin).await, 422);
}

#[tokio::test]
async fn an_alert_a_list_and_a_list_with_a_refused_one_are_answered_as_described() {
    let (world, all) = (World::new(), description());
    let alert = json!({"action": "trigger", "dedup_key": "k", "summary": "s", "severity": "critical", "source": "x"});
    let mut elsewhere = alert.clone();
    elsewhere["service_id"] = json!("QAAAAAAAAAAAAA");
    for (body, status) in [
        (json!([]), StatusCode::ACCEPTED),
        (alert.clone(), StatusCode::ACCEPTED),
        (json!([alert]), StatusCode::ACCEPTED),
        (json!([alert, elsewhere]), StatusCode::MULTI_STATUS),
    ] {
        let answer = world.post("/alerts", body).await;
        assert_eq!(answer.status, status, "{}", answer.text());
        check(&all, ("post", &format!("{BASE}/alerts")), &answer);
    }
}

#[tokio::test]
async fn an_action_that_needs_no_words_may_come_without_a_body() {
    let (world, all) = (World::new(), description());
    let id = world.raise("web").await;
    let path = format!("/incidents/{id}/resolve");
    let answer = world.call("POST", &path, &world.admin, None).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    let body = &all["paths"][format!("{BASE}/incidents/{{id}}/resolve")]["post"]["requestBody"];
    assert_eq!(body["required"], false);
    // What needs words says which; what brings some says of what kind they are.
    let path = format!("/incidents/{id}/notes");
    let answer = world.call("POST", &path, &world.admin, None).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(answer.text().contains("text"), "{}", answer.text());
    let body = &all["paths"][format!("{BASE}/incidents/{{id}}/notes")]["post"]["requestBody"];
    assert_eq!(body["required"], true);
    let request = Request::post(format!("{BASE}/incidents/{id}/notes"))
        .header(header::AUTHORIZATION, format!("Bearer {}", world.admin));
    let request = request.body(Body::from(r#"{"text": "t"}"#)).unwrap();
    let answer = world.send(request).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(answer.text().contains("Content-Type"), "{}", answer.text());
}
