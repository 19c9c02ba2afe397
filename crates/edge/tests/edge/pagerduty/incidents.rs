//! Incidents of PagerDuty's REST API as they are read: shapes, filters, order, alerts and notes.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use serde_json::{Value, json};
use tocsin_domain::event::{EventBody, IncidentWhat};

use super::{ada, ask, declared, read, refused, service};
use crate::fakes::START;
use crate::world::{ROUTING_KEY, World, trigger};

/// The titles of a list.
async fn titles(world: &World, query: &str) -> Vec<String> {
    let list = read(world, &format!("/incidents?{query}")).await;
    let incidents = list["incidents"].as_array().unwrap().iter();
    incidents
        .map(|one| one["title"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn an_incident_has_what_clients_look_for() {
    let world = World::new();
    let id = world.raise("web").await;
    let shown = read(&world, &format!("/incidents/{id}")).await["incident"].clone();
    let expected = [
        ("type", json!("incident")),
        ("summary", json!("[#1] web is down")),
        ("incident_number", json!(1)),
        ("title", json!("web is down")),
        ("status", json!("triggered")),
        ("urgency", json!("high")),
        ("incident_key", json!("web")),
        ("assigned_via", json!("escalation_policy")),
        ("priority", Value::Null),
        (
            "alert_counts",
            json!({"all": 1, "triggered": 1, "resolved": 0}),
        ),
        ("acknowledgements", json!([])),
        ("resolve_reason", Value::Null),
    ];
    for (name, value) in expected {
        assert_eq!(shown[name], value, "{name}");
    }
    assert_eq!(
        shown["assignments"][0]["assignee"]["id"],
        world.ada.to_string()
    );
    assert_eq!(
        shown["assignments"][0]["assignee"]["type"],
        "user_reference"
    );
    assert_eq!(shown["service"]["type"], "service_reference");
    assert_eq!(
        shown["escalation_policy"]["type"],
        "escalation_policy_reference"
    );
    let created = shown["created_at"].as_str().unwrap();
    assert!(created.len() == 20 && created.ends_with('Z'), "{created}");
    let by_number = read(&world, "/incidents/1").await;
    assert_eq!(by_number["incident"]["id"], id);
}

#[tokio::test]
async fn an_alert_shows_what_its_event_carried() {
    let world = World::new();
    let (page, picture) = ("https://example.org/page", "https://example.org/load.png");
    let mut event = trigger("web");
    event["client"] = json!("Probe");
    event["client_url"] = json!(page);
    event["links"] = json!([{"href": page, "text": "Runbook"}]);
    event["images"] = json!([{"src": picture, "href": page, "alt": "Load"}]);
    event["payload"]["class"] = json!("io");
    event["payload"]["component"] = json!("disk");
    event["payload"]["group"] = json!("www");
    event["payload"]["custom_details"] = json!({"Class": "own", "free": "1 %"});
    assert_eq!(world.enqueue(&event).await.status, StatusCode::ACCEPTED);
    let shown = read(&world, "/incidents/1/alerts").await["alerts"][0]["body"].clone();
    let contexts = json!([
        {"type": "link", "href": page, "text": "Runbook"},
        {"type": "image", "src": picture, "href": page, "alt": "Load"},
    ]);
    let details = json!({"Class": "own", "free": "1 %"});
    let cef = json!({
        "client": "Probe", "client_url": page, "contexts": contexts, "dedup_key": "web", "description": "web is down",
        "details": details, "event_class": "io", "message": "web is down", "service_group": "www", "severity": "critical",
        "source_component": "disk", "source_origin": "host",
    });
    let body =
        json!({"type": "alert_body", "contexts": contexts, "details": details, "cef_details": cef});
    assert_eq!(shown, body);
}

#[tokio::test]
async fn custom_details_are_read_back_as_they_were_sent_and_shown_to_people_as_texts() {
    let world = World::new();
    let first = |details: &Value| {
        json!({"service_key": ROUTING_KEY, "event_type": "trigger", "incident_key": "disk", "description": "disk is full",
            "details": details})
    };
    let second = |details: &Value| {
        let mut event = trigger("disk");
        event["payload"]["custom_details"] = details.clone();
        event
    };
    let send = async |path: &str, event: Value| {
        let sent = world.call_at("POST", path, "", Some(event)).await;
        assert!(sent.status.is_success(), "{}", sent.text());
        let shown = read(&world, "/incidents/1/alerts").await["alerts"][0]["body"].clone();
        assert_eq!(shown["cef_details"]["details"], shown["details"]);
        shown["details"].clone()
    };
    for details in [
        json!({"n": 1, "a": {"b": true, "c": [null, "x"]}}),
        json!({"n": "1"}),
        json!({"n": 1}),
        json!({"n": [1.5]}),
    ] {
        assert_eq!(send("/v2/enqueue", second(&details)).await, details);
        let path = "/generic/2010-04-15/create_event.json";
        assert_eq!(send(path, first(&details)).await, details);
    }
    // Of more than is kept there are names and texts.
    let (long, cut) = ("x".repeat(9_000), "x".repeat(1_000));
    let details = json!({"n": 1, "a": {"b": long}});
    let kept = json!({"n": "1", "a.b": cut});
    assert_eq!(send("/v2/enqueue", second(&details)).await, kept);
    let nested = json!({"a": {"b": true}});
    send("/v2/enqueue", second(&nested)).await;
    let detail = world.get("/incidents/1").await.json();
    let shown = json!([{"name": "a.b", "value": "true"}]);
    assert_eq!(detail["alerts"][0]["details"], shown);
}

#[tokio::test]
async fn the_key_of_what_an_event_opened_is_no_other_incidents_until_it_is_over() {
    let world = World::new();
    let id = world.raise("web").await;
    let body =
        json!({"incident": {"title": "Down", "incident_key": "web", "service": service(&world)}});
    let open = async || ada(&world, ("POST", "/incidents"), Some(body.clone())).await;
    let told = refused(&open().await, 400, 2001);
    assert!(told.contains("has this key already"), "{told}");
    let over = Some(json!({"incident": {"status": "resolved"}}));
    let over = ada(&world, ("PUT", &format!("/incidents/{id}")), over).await;
    assert_eq!(over.status, StatusCode::OK, "{}", over.text());
    let opened = open().await;
    assert_eq!(opened.status, StatusCode::CREATED, "{}", opened.text());
}

#[tokio::test]
async fn what_an_event_acknowledged_has_its_service_as_acknowledger() {
    let world = World::new();
    let id = world.raise("web").await;
    let mut event = trigger("web");
    event["event_action"] = json!("acknowledge");
    let taken = world.enqueue(&event).await;
    assert_eq!(taken.status, StatusCode::ACCEPTED, "{}", taken.text());
    let path = format!("/incidents/{id}");
    let shown = read(&world, &path).await["incident"].clone();
    assert_eq!(shown["status"], "acknowledged");
    let taken = &shown["acknowledgements"][0];
    assert_eq!(taken["acknowledger"], shown["service"]);
    assert_eq!(taken["at"], shown["last_status_change_at"]);
    for (path, at) in [(path.as_str(), "/incident"), ("/incidents", "/incidents/0")] {
        let answer = read(&world, &format!("{path}?include[]=acknowledgers")).await;
        let shown = answer.pointer(at).unwrap();
        let whole = &shown["acknowledgements"][0]["acknowledger"];
        assert_eq!(whole["type"], "service", "{path}");
        assert_eq!(whole["id"], shown["service"]["id"], "{path}");
    }
}

#[tokio::test]
async fn what_waits_before_its_first_page_is_assigned_to_nobody_and_escalates_at_no_time() {
    let world = World::new();
    let rules = json!({"rules": [{"name": "may pass", "when": {"field": "title", "op": "exists"},
        "then": [{"do": "pause", "seconds": 60}]}]});
    let set = world
        .call("PUT", "/alert-rules", &world.admin, Some(rules))
        .await;
    assert_eq!(set.status, StatusCode::OK, "{}", set.text());
    let id = world.raise("web").await;
    let shown = read(&world, &format!("/incidents/{id}")).await["incident"].clone();
    for (name, value) in [
        ("status", json!("triggered")),
        ("assignments", json!([])),
        ("acknowledgements", json!([])),
        ("pending_actions", json!([])),
        (
            "alert_counts",
            json!({"all": 1, "triggered": 1, "resolved": 0}),
        ),
    ] {
        assert_eq!(shown[name], value, "{name}");
    }
    let of_ada = titles(&world, &format!("user_ids[]={}", world.ada)).await;
    assert!(of_ada.is_empty(), "{of_ada:?}");
}

#[tokio::test]
async fn a_list_is_filtered_by_every_filter() {
    let world = World::new();
    let first = declared(&world, "first").await;
    let second = declared(&world, "second").await;
    let path = format!("/incidents/{}", first["id"].as_str().unwrap());
    let taken = json!({"incident": {"status": "acknowledged"}});
    ada(&world, ("PUT", &path), Some(taken)).await;
    let path = format!("/incidents/{}", second["id"].as_str().unwrap());
    ada(
        &world,
        ("PUT", &path),
        Some(json!({"incident": {"status": "resolved"}})),
    )
    .await;
    let low = json!({"incident": {"title": "third", "urgency": "low", "incident_key": "k3", "service": service(&world)}});
    ada(&world, ("POST", "/incidents"), Some(low)).await;
    let service = service(&world)["id"].as_str().unwrap().to_owned();
    for (query, expected) in [
        ("", vec!["first", "second", "third"]),
        (
            "sort_by=incident_number:desc",
            vec!["third", "second", "first"],
        ),
        (
            "sort_by=urgency:desc,created_at:desc",
            vec!["second", "first", "third"],
        ),
        ("statuses[]=acknowledged", vec!["first"]),
        (
            "statuses%5B%5D=acknowledged&statuses%5B%5D=resolved",
            vec!["first", "second"],
        ),
        (
            "statuses[]=triggered&statuses[]=acknowledged",
            vec!["first", "third"],
        ),
        ("urgencies[]=low", vec!["third"]),
        ("incident_key=k3", vec!["third"]),
        (
            &format!("service_ids[]={service}"),
            vec!["first", "second", "third"],
        ),
        ("service_ids[]=PXPGF42", vec![]),
        ("team_ids[]=QAAAAAAAAAAAAA", vec![]),
        (&format!("user_ids[]={}", world.ada), vec!["first"]),
        (&format!("user_ids[]={}", world.bob), vec![]),
        ("since=2100-01-01", vec![]),
        ("until=1990-01-01", vec![]),
        (
            "date_range=all&since=2100-01-01",
            vec!["first", "second", "third"],
        ),
    ] {
        assert_eq!(titles(&world, query).await, expected, "{query}");
    }
    *world.clock.0.lock().unwrap() = START.plus_ms(40 * 86_400_000);
    assert!(titles(&world, "").await.is_empty(), "a month is listed");
    assert_eq!(titles(&world, "date_range=all").await.len(), 3);
    let answer = ada(&world, ("GET", "/incidents?statuses[]=open"), None).await;
    refused(&answer, 400, 2001);
}

#[tokio::test]
async fn what_is_included_is_shown_as_a_whole() {
    let world = World::new();
    let id = world.raise("web").await;
    let query = "include[]=assignees&include[]=services&include[]=escalation_policies&include[]=teams&include[]=body";
    let path = format!("/incidents/{id}?{query}");
    let shown = read(&world, &path).await["incident"].clone();
    assert_eq!(shown["assignments"][0]["assignee"]["type"], "user");
    assert_eq!(
        shown["assignments"][0]["assignee"]["email"],
        "ada@example.org"
    );
    assert_eq!(shown["service"]["type"], "service");
    assert_eq!(shown["escalation_policy"]["type"], "escalation_policy");
    assert!(shown["escalation_policy"]["escalation_rules"].is_array());
    assert_eq!(shown["teams"][0]["type"], "team");
    assert_eq!(shown["body"]["type"], "incident_body");
    world.raise("db").await;
    let listed = read(&world, &format!("/incidents?{query}")).await["incidents"].clone();
    assert_eq!(listed[0], shown);
    assert_eq!(listed[1]["service"], shown["service"]);
    assert_eq!(listed[1]["escalation_policy"], shown["escalation_policy"]);
    let seen = ask(&world, ("GET", &path), &world.viewer, None, None)
        .await
        .json();
    let mail = seen["incident"]["assignments"][0]["assignee"]["email"].clone();
    assert_ne!(mail, "ada@example.org", "others see a hint of an address");
}

#[tokio::test]
async fn alerts_are_listed_read_and_ended() {
    let world = World::new();
    let id = world.raise("web").await;
    let list = read(&world, &format!("/incidents/{id}/alerts")).await;
    let alert = list["alerts"][0].clone();
    assert_eq!(alert["type"], "alert");
    assert_eq!(alert["alert_key"], "web");
    assert_eq!(alert["severity"], "critical");
    assert_eq!(alert["status"], "triggered");
    assert_eq!(alert["incident"]["id"], id);
    let alert_id = alert["id"].as_str().unwrap().to_owned();
    let path = format!("/incidents/{id}/alerts/{alert_id}");
    assert_eq!(read(&world, &path).await["alert"]["id"], alert_id);
    let other = declared(&world, "another").await;
    let elsewhere = format!(
        "/incidents/{}/alerts/{alert_id}",
        other["id"].as_str().unwrap()
    );
    refused(&ada(&world, ("GET", &elsewhere), None).await, 404, 2100);
    let moved = json!({"alert": {"incident": {"id": other["id"], "type": "incident_reference"}}});
    refused(&ada(&world, ("PUT", &path), Some(moved)).await, 400, 2001);
    let ended = json!({"alerts": [{"id": alert_id, "type": "alert", "status": "resolved"}]});
    let all = format!("/incidents/{id}/alerts");
    let answer = ada(&world, ("PUT", &all), Some(ended)).await;
    assert_eq!(
        answer.json()["alerts"][0]["status"],
        "resolved",
        "{}",
        answer.text()
    );
    let incident = read(&world, &format!("/incidents/{id}")).await;
    assert_eq!(incident["incident"]["status"], "resolved");
    let again = json!({"alert": {"status": "triggered"}});
    refused(&ada(&world, ("PUT", &path), Some(again)).await, 400, 2001);
    let of = |status: &str| format!("/incidents/{id}/alerts?statuses[]={status}");
    assert_eq!(read(&world, &of("triggered")).await["alerts"], json!([]));
    refused(&ada(&world, ("GET", &of("open")), None).await, 400, 2001);
}

#[tokio::test]
async fn an_alert_of_alertmanager_that_a_rule_moved_is_ended() {
    let world = World::new();
    let shop = json!({"name": "Shop", "escalation_policy_id": null});
    let shop = world.post("/services", shop).await.json();
    let rules = json!({"rules": [{"name": "moved", "when": {"field": "title", "op": "exists"},
        "then": [{"do": "route", "service_id": shop["id"]}]}]});
    let set = world
        .call("PUT", "/alert-rules", &world.admin, Some(rules))
        .await;
    assert_eq!(set.status, StatusCode::OK, "{}", set.text());
    let fires = Request::post("/alertmanager/api/v2/alerts")
        .header(header::AUTHORIZATION, format!("Bearer {}", world.responder))
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(
            json!([{"labels": {"alertname": "Down"}}]).to_string(),
        ));
    let taken = world.send(fires.unwrap()).await;
    assert_eq!(taken.status, StatusCode::OK, "{}", taken.text());
    let list = read(&world, "/incidents").await;
    let incident = list["incidents"][0].clone();
    assert_eq!(incident["service"]["id"], shop["id"], "it was moved");
    let path = format!("/incidents/{}/alerts", incident["id"].as_str().unwrap());
    let alert = read(&world, &path).await["alerts"][0].clone();
    assert_eq!(alert["status"], "triggered");
    let ended = json!({"alerts": [{"id": alert["id"], "type": "alert", "status": "resolved"}]});
    let answer = ada(&world, ("PUT", &path), Some(ended)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    assert_eq!(answer.json()["alerts"][0]["status"], "resolved");
}

#[tokio::test]
async fn notes_are_kept_and_listed() {
    let world = World::new();
    let incident = declared(&world, "Down").await;
    let path = format!("/incidents/{}/notes", incident["id"].as_str().unwrap());
    for text in ["one", "two"] {
        let note = json!({"note": {"content": text}});
        let answer = ada(&world, ("POST", &path), Some(note)).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        assert_eq!(answer.json()["note"]["content"], text);
    }
    let list = read(&world, &path).await;
    assert_eq!(list["notes"][0]["content"], "two", "the newest first");
    assert_eq!(list["notes"][1]["user"]["id"], world.ada.to_string());
    refused(
        &ada(&world, ("POST", &path), Some(json!({"note": {}}))).await,
        400,
        2001,
    );
    let rings = json!({"note": {"content": "one\u{7}"}});
    let answer = ada(&world, ("POST", &path), Some(rings)).await;
    refused(&answer, 400, 2001);
    let told = answer.json()["error"]["errors"][0].clone();
    assert_eq!(told, "'note.content' is invalid: it has control characters");
    let path = format!("/incidents/{}", incident["id"].as_str().unwrap());
    let mut ended = json!({"incident": {"type": "incident_reference", "status": "resolved"}});
    ended["incident"]["resolution"] = json!("done\u{7}");
    let answer = ada(&world, ("PUT", &path), Some(ended.clone())).await;
    refused(&answer, 400, 2001);
    let told = answer.json()["error"]["errors"][0].clone();
    assert_eq!(
        told,
        "'incident.resolution' is invalid: it has control characters"
    );
    // A resolution of which nothing can be seen is none, and so no note.
    ended["incident"]["resolution"] = json!("\u{200b}");
    let answer = ada(&world, ("PUT", &path), Some(ended)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    let list = read(&world, &format!("{path}/notes")).await;
    assert_eq!(list["notes"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn of_an_incident_with_very_many_events_the_newest_are_looked_at() {
    let world = World::new();
    let incident = declared(&world, "Down").await;
    let path = format!("/incidents/{}/notes", incident["id"].as_str().unwrap());
    let note = json!({"note": {"content": "one"}});
    ada(&world, ("POST", &path), Some(note)).await;
    {
        let mut events = world.journal.events.lock().unwrap();
        let mut event = events.last().unwrap().clone();
        for number in 1..=20_000 {
            let EventBody::Incident(about) = &mut event.body else {
                panic!("the note is the last event");
            };
            about.what = IncidentWhat::noted(format!("note {number}"));
            event.position += 1;
            events.push(event.clone());
        }
    }
    let list = read(&world, &path).await;
    assert_eq!(list["notes"][0]["content"], "note 20000");
}
