//! Text from outside is carried as it is, and is never interpreted.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use proptest::prelude::*;
use serde_json::json;
use tocsin_edge::{Front, Who};

use crate::mapped::{checks, integration};
use crate::world::{BASE, ROUTING_KEY, World, trigger};

const HOSTILE: [&str; 9] = [
    "<script>alert(1)</script>",
    "'; DROP TABLE events; --",
    "{{7*7}} ${7*7} #{7*7} %{7*7}",
    "../../etc/passwd",
    "%s%s%s%n",
    "$(reboot) `reboot` | reboot",
    "\u{202e}gnp.exe",
    "a\r\nSet-Cookie: x=y",
    "\u{feff}🔥 ﷽ \u{0301}",
];

#[tokio::test]
async fn hostile_text_comes_back_as_it_went_in_but_for_what_is_no_text_and_only_as_json() {
    let world = World::new();
    for (index, text) in HOSTILE.iter().enumerate() {
        let mut event = trigger(&format!("key {index}"));
        event["payload"]["summary"] = json!(text);
        event["payload"]["source"] = json!(text);
        event["payload"]["custom_details"] = json!({*text: text});
        let answer = world.enqueue(&event).await;
        assert_eq!(
            answer.status,
            StatusCode::ACCEPTED,
            "{text}: {}",
            answer.text()
        );
        let shown = text.replace('\r', " ");
        let list = world.get("/incidents?limit=1").await;
        // What turns the text around it, or cannot be seen before it, is left out; and a title is one line.
        let read = shown.replace(['\u{202e}', '\u{feff}'], "");
        let line = read.replace(['\n', '\t'], " ");
        assert_eq!(list.json()["items"][0]["title"], line);
        assert_eq!(list.headers[header::CONTENT_TYPE], "application/json");
        let id = list.json()["items"][0]["id"].as_str().unwrap().to_owned();
        let note = world
            .post(&format!("/incidents/{id}/notes"), json!({"text": shown}))
            .await;
        assert_eq!(note.json()["detail"], read);
        for path in ["", "/timeline"] {
            assert_eq!(
                world.get(&format!("/incidents/{id}{path}")).await.status,
                StatusCode::OK
            );
        }
    }
}

#[tokio::test]
async fn no_path_leads_out() {
    let world = World::new();
    for path in [
        "/ui/../Cargo.toml",
        "/ui/%2e%2e/%2e%2e/Cargo.toml",
        "/ui/assets/../../../etc/passwd",
        "/ui/..%2f..%2fetc%2fpasswd",
        "/ui//etc/passwd",
        "/api/tocsin/v1/incidents/..%2f..%2fusers",
        "//api/tocsin/v1/incidents",
        "/api/tocsin/v1//incidents",
        "/api/tocsin/v1/%69ncidents/x%00y",
    ] {
        let request =
            Request::get(path).header(header::AUTHORIZATION, format!("Bearer {}", world.admin));
        let answer = world.send(request.body(Body::empty()).unwrap()).await;
        assert!(
            !answer.text().contains("root:") && !answer.text().contains("[package]"),
            "{path}"
        );
        let is_page = path.starts_with("/ui") && answer.status == StatusCode::OK;
        assert!(
            is_page || answer.status == StatusCode::NOT_FOUND,
            "{path}: {}",
            answer.status
        );
    }
}

#[tokio::test]
async fn a_path_that_is_no_text_is_refused_as_all_else_is() {
    let world = World::new();
    for (method, path) in [
        ("GET", "/incidents/%ff"),
        ("POST", "/incidents/%ff/acknowledge"),
        ("DELETE", "/services/%ff/integrations/1"),
        ("DELETE", "/users/1/contact-methods/x%fe"),
    ] {
        let answer = world.call(method, path, &world.admin, None).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path}");
        let kind = &answer.headers[header::CONTENT_TYPE];
        assert_eq!(kind, "application/problem+json", "{path}");
        let told = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(told.starts_with("the path cannot be read: "), "{told}");
    }
    // Who may not ask learns no more than before, and a path that is text is looked for.
    let stranger = world.call("GET", "/incidents/%ff", "", None).await;
    assert_eq!(stranger.status, StatusCode::UNAUTHORIZED);
    let missing = world.get("/incidents/%c3%a9").await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn unknown_assets_are_missing_and_routes_of_the_application_are_its_page() {
    let world = World::new();
    let get = async |path: &str| {
        world
            .send(Request::get(path).body(Body::empty()).unwrap())
            .await
    };
    assert_eq!(
        get("/ui/assets/none-12345.js").await.status,
        StatusCode::NOT_FOUND
    );
    assert_eq!(get("/ui/none.svg").await.status, StatusCode::NOT_FOUND);
    for path in ["/ui/", "/ui/incidents/QABCDEFGHIJKLM", "/ui/login?token=x"] {
        let answer = get(path).await;
        assert_eq!(
            (answer.status, &answer.headers[header::CONTENT_TYPE]),
            (StatusCode::OK, &"text/html; charset=utf-8".parse().unwrap())
        );
    }
    assert_eq!(get("/").await.headers[header::LOCATION], "/ui/");
    assert_eq!(get("/healthz").await.text(), "ok");
}

#[tokio::test]
async fn a_link_never_comes_from_the_host_header() {
    let world = World::new();
    let (cookie, _) = world.sign_in().await;
    let request = Request::get("/")
        .header(header::HOST, "evil.example")
        .header(header::COOKIE, cookie);
    let answer = world.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.headers[header::LOCATION], "/ui/");
}

#[tokio::test]
async fn the_description_names_every_route_of_the_api_and_is_openapi() {
    let openapi = serde_json::to_value(tocsin_edge::openapi()).unwrap();
    assert_eq!(openapi["openapi"], "3.1.0");
    for route in tocsin_edge::routes() {
        // Nobody but Tocsin itself can call the way in of its canary.
        let is_own = route.who == Who::Key(Front::Canary);
        if route.path.starts_with("/ui") || route.path == "/" || is_own {
            continue;
        }
        let operation = &openapi["paths"][&route.path][route.method.to_lowercase()];
        assert!(operation.is_object(), "{} {}", route.method, route.path);
    }
    let refs = openapi.to_string();
    for reference in refs
        .match_indices("\"#/components/schemas/")
        .map(|(at, start)| &refs[at + start.len()..])
    {
        let name = reference.split('"').next().unwrap();
        assert!(
            openapi["components"]["schemas"][name].is_object(),
            "{name} is not described"
        );
    }
}

#[test]
fn the_description_in_the_repository_is_what_the_routes_give() {
    let kept = concat!(env!("CARGO_MANIFEST_DIR"), "/../../openapi.json");
    let kept = std::fs::read_to_string(kept).unwrap();
    let made = tocsin_edge::openapi().to_pretty_json().unwrap();
    let is_same = kept == format!("{made}\n");
    assert!(is_same, "openapi.json is old: run `cargo xtask openapi`");
}

#[tokio::test]
async fn our_own_numbers_can_be_scraped() {
    let world = World::new();
    world.raise("web").await;
    let request =
        Request::get("/metrics").header(header::AUTHORIZATION, format!("Bearer {}", world.viewer));
    let text = world
        .send(request.body(Body::empty()).unwrap())
        .await
        .text();
    for name in [
        "tocsin_journal_position",
        "tocsin_open_incidents{status=\"triggered\"} 1",
        "process_resident_memory_bytes",
        "tocsin_store_series",
    ] {
        assert!(text.contains(name), "{name} in {text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn no_bytes_make_the_server_fail(body in proptest::collection::vec(any::<u8>(), 0..300), path in "[a-z/{}%.0-9]{0,40}") {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let world = World::new();
            for (method, uri) in [("POST", format!("{BASE}/alerts")), ("POST", "/v2/enqueue".to_owned()), ("PUT", format!("{BASE}/{path}"))] {
                let Ok(request) = Request::builder().method(method).uri(uri)
                    .header(header::AUTHORIZATION, format!("Bearer {}", world.admin))
                    .header(header::CONTENT_TYPE, "application/json")
                    .body(Body::from(body.clone())) else { continue };
                let status = world.send(request).await.status;
                prop_assert!(status.is_client_error(), "{}", status);
            }
            Ok(())
        })?;
    }
}

#[tokio::test]
async fn half_a_character_costs_no_alert_by_any_front() {
    costs_no_alert(b"disk\\ud83d", "disk\u{fffd}").await;
}

#[tokio::test]
async fn a_byte_of_another_set_of_characters_costs_no_alert_by_any_front() {
    costs_no_alert(b"disk\xe9", "disk\u{e9}").await;
}

/// Sends alerts with this for a name in each way in which they come as JSON, and sees how it is read.
async fn costs_no_alert(name: &[u8], is_read: &str) {
    let world = World::new();
    let made = integration(&world, "opsgenie", None).await;
    let opsgenie = format!("GenieKey {}", made["routing_key"].as_str().unwrap());
    let made = integration(&world, "webhook", Some(checks())).await;
    let webhook = format!("Bearer {}", made["routing_key"].as_str().unwrap());
    let admin = format!("Bearer {}", world.admin);
    let native = |key: &str| json!({"dedup_key": key, "action": "trigger", "summary": format!("HALF {key}"), "severity": "error", "source": "db"});
    let mut event = trigger("v2");
    event["payload"]["summary"] = json!("HALF v2");
    event["payload"]["custom_details"] = json!({"HALF": ["HALF"]});
    let first =
        json!({"service_key": ROUTING_KEY, "event_type": "trigger", "description": "HALF v1"});
    let check = json!({"host": "h", "checks": [{"name": "HALF", "state": "crit"}]});
    let labelled =
        json!([{"labels": {"alertname": "Full"}, "annotations": {"summary": "HALF full"}}]);
    for (path, authorization, body) in [
        ("/v2/enqueue", "", event),
        ("/generic/2010-04-15/create_event.json", "", first),
        ("/v2/alerts", opsgenie.as_str(), json!({"message": "HALF"})),
        ("/intake", webhook.as_str(), check),
        ("/api/tocsin/v1/alerts", admin.as_str(), native("one")),
        (
            "/api/tocsin/v1/alerts",
            admin.as_str(),
            json!([native("of many")]),
        ),
        ("/alertmanager/api/v2/alerts", admin.as_str(), labelled),
    ] {
        let text = body.to_string();
        let parts: Vec<&[u8]> = text.split("HALF").map(str::as_bytes).collect();
        let bytes = parts.join(name);
        let mut request = Request::post(path).header(header::CONTENT_TYPE, "application/json");
        if !authorization.is_empty() {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        let answer = world.send(request.body(Body::from(bytes)).unwrap()).await;
        assert!(answer.status.is_success(), "{path}: {}", answer.text());
        let newest = world.get("/incidents?limit=1").await.json()["items"][0].clone();
        let title = newest["title"].as_str().unwrap();
        assert!(title.starts_with(is_read), "{path}: {title}");
    }
    // What else a person writes is refused as it was.
    let request = Request::post("/api/tocsin/v1/incidents/1/notes")
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::AUTHORIZATION, &admin);
    let body = [&b"{\"text\": \""[..], name, &b"\"}"[..]].concat();
    let refused = world.send(request.body(Body::from(body)).unwrap()).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
}
