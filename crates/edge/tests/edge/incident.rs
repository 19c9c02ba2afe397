//! Incidents by the API: lists by pages, taking, ending, notes, the timeline and the reason for a page.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::world::{World, trigger};

#[tokio::test]
async fn incidents_are_listed_newest_first_by_pages() {
    let world = World::new();
    for n in 0..5 {
        world.raise(&format!("k{n}")).await;
    }
    let mut numbers = Vec::new();
    let mut path = "/incidents?limit=2".to_owned();
    loop {
        let page = world.get(&path).await.json();
        numbers.extend(
            page["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|item| item["number"].as_u64().unwrap()),
        );
        match page["next_cursor"].as_str() {
            Some(cursor) => path = format!("/incidents?limit=2&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(numbers, [5, 4, 3, 2, 1]);
    assert_eq!(
        world.get("/incidents?status=resolved").await.json()["items"],
        json!([])
    );
    assert_eq!(
        world.get("/incidents?status=open").await.json()["items"]
            .as_array()
            .unwrap()
            .len(),
        5
    );
}

#[tokio::test]
async fn an_incident_is_found_by_id_and_by_number() {
    let world = World::new();
    let id = world.raise("web").await;
    for name in [id.as_str(), "1"] {
        let detail = world.get(&format!("/incidents/{name}")).await.json();
        assert_eq!(detail["id"], id.as_str());
        assert_eq!(detail["title"], "web is down");
        assert_eq!(detail["alerts"][0]["source"], "events_v2");
        assert_eq!(detail["paging"]["level"], 1);
        assert_eq!(detail["pages"][0]["user"]["name"], "Ada");
        assert_eq!(detail["pages"][0]["level"], 1);
        assert_eq!(detail["chart"]["marks"][0]["label"], "opened");
    }
}

#[tokio::test]
async fn all_that_an_event_carried_is_with_its_alert() {
    let world = World::new();
    let mut event = trigger("web");
    event["client"] = json!("Checkout probe");
    event["links"] = json!([{"href": "javascript:alert(1)", "text": "Runbook"}]);
    event["images"] = json!([
        {"src": "https://example.org/load.png", "href": "https://example.org/load", "alt": "Load"},
        {"src": "https://example.org/disk.png", "href": "javascript:alert(1)"},
    ]);
    event["payload"]["component"] = json!("login <b>form</b>");
    event["payload"]["custom_details"] = json!({"exit code": 2});
    assert_eq!(world.enqueue(&event).await.status, StatusCode::ACCEPTED);
    let detail = world.get("/incidents/1").await.json();
    let details: Vec<(&str, &str)> = detail["alerts"][0]["details"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            (
                one["name"].as_str().unwrap(),
                one["value"].as_str().unwrap(),
            )
        })
        .collect();
    let expected = [
        ("Component", "login <b>form</b>"),
        ("Client", "Checkout probe"),
        ("Image: Load", "https://example.org/load.png"),
        ("Image: Load (link)", "https://example.org/load"),
        ("Image", "https://example.org/disk.png"),
        ("exit code", "2"),
    ];
    for one in expected {
        assert!(details.contains(&one), "{one:?} in {details:?}");
    }
}

#[tokio::test]
async fn a_policy_that_reaches_nobody_has_no_level_and_names_the_last_resort() {
    let world = World::new();
    let ada = world.ada.to_string();
    world
        .reach(world.ada, "ntfy", "https://127.0.0.1/topic", None)
        .await;
    let policies = world.get("/escalation-policies").await.json();
    let policy = &policies["items"][0];
    let bob = json!([{"kind": "user", "id": world.bob.to_string()}]);
    let unreachable = json!({"name": "First policy", "repeat": 0, "levels": [{"delay_minutes": 5, "targets": bob}]});
    let path = format!("/escalation-policies/{}", policy["id"].as_str().unwrap());
    let replaced = world
        .call("PUT", &path, &world.admin, Some(unreachable))
        .await;
    assert_eq!(replaced.status, StatusCode::OK, "{}", replaced.text());
    let id = world.raise("web").await;
    let paging = &world.get(&format!("/incidents/{id}")).await.json()["paging"];
    assert_eq!(paging["exhausted"], true);
    assert_eq!(paging["level"], 0);
    assert_eq!(paging["policy"]["name"], "First policy");
    assert_eq!(paging["recipients"], json!([{"id": ada, "name": "Ada"}]));
    assert_ne!(paging["next_escalation_at"], json!(null));
}

#[tokio::test]
async fn taking_is_in_a_persons_name_and_taking_again_is_no_error() {
    let world = World::new();
    let id = world.raise("web").await;
    let path = format!("/incidents/{id}/acknowledge");
    assert_eq!(
        world
            .call("POST", &path, &world.responder, Some(json!({})))
            .await
            .status,
        StatusCode::FORBIDDEN
    );
    let taken = world
        .call("POST", &path, &world.bobs, Some(json!({})))
        .await;
    assert_eq!(
        (
            taken.status,
            taken.json()["acknowledged_by"]["name"].clone()
        ),
        (StatusCode::OK, json!("Bob"))
    );
    assert_eq!(
        world.post(&path, json!({})).await.json()["acknowledged_by"]["name"],
        "Bob"
    );
}

#[tokio::test]
async fn ending_what_is_over_is_a_conflict() {
    let world = World::new();
    let id = world.raise("web").await;
    let path = format!("/incidents/{id}/resolve");
    let ended = world.post(&path, json!({"note": "restarted"})).await;
    assert_eq!(
        (ended.status, ended.json()["status"].clone()),
        (StatusCode::OK, json!("resolved"))
    );
    assert_eq!(
        world.post(&path, json!({})).await.status,
        StatusCode::CONFLICT
    );
}

#[tokio::test]
async fn a_note_has_its_limits_and_its_place_in_the_timeline() {
    let world = World::new();
    let id = world.raise("web").await;
    let path = format!("/incidents/{id}/notes");
    let kept = world
        .post(&path, json!({"text": "<b>disk</b> looks full"}))
        .await;
    assert_eq!(kept.status, StatusCode::CREATED);
    assert_eq!(kept.json()["detail"], "<b>disk</b> looks full");
    assert_eq!(
        kept.json()["actor"],
        json!({"kind": "person", "name": "Ada"})
    );
    for text in [String::new(), " ".to_owned(), "x".repeat(4_001)] {
        assert_eq!(
            world.post(&path, json!({"text": text})).await.status,
            StatusCode::BAD_REQUEST
        );
    }
    let timeline = world.get(&format!("/incidents/{id}/timeline")).await.json();
    let kinds: Vec<&str> = timeline["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["kind"].as_str().unwrap())
        .collect();
    let expected = [
        "incident.opened",
        "alert.opened",
        "incident.level_reached",
        "notification.planned",
        "notification.attempt_started",
        "incident.note_added",
    ];
    assert_eq!(kinds, expected);
}

#[tokio::test]
async fn a_timeline_is_read_by_pages_without_gap() {
    let world = World::new();
    let id = world.raise("web").await;
    let all = world.get(&format!("/incidents/{id}/timeline")).await.json()["items"]
        .as_array()
        .unwrap()
        .clone();
    let mut found = Vec::new();
    let mut path = format!("/incidents/{id}/timeline?limit=2");
    loop {
        let page = world.get(&path).await.json();
        found.extend(page["items"].as_array().unwrap().clone());
        match page["next_cursor"].as_str() {
            Some(cursor) => path = format!("/incidents/{id}/timeline?limit=2&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(found, all);
}

#[tokio::test]
async fn a_page_explains_itself_back_to_what_was_said() {
    let world = World::new();
    let id = world.raise("web").await;
    let detail = world.get(&format!("/incidents/{id}")).await.json();
    let lines: Vec<&str> = detail["explanation"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| line.as_str().unwrap())
        .collect();
    assert!(
        lines[0]
            .starts_with("Ada was paged at 2026-11-23T07:00:00.000Z: level 1 of \"First policy\""),
        "{lines:#?}"
    );
    assert!(
        lines.iter().any(|line| line.contains("web is down")),
        "{lines:#?}"
    );
    assert!(
        lines.last().unwrap().starts_with("That was asked for at"),
        "{lines:#?}"
    );
}

#[tokio::test]
async fn there_is_no_postmortem_before_the_evidence_is_frozen() {
    let world = World::new();
    let id = world.raise("web").await;
    for path in [
        "postmortem",
        "postmortem?format=html&length=full",
        "evidence",
    ] {
        assert_eq!(
            world.get(&format!("/incidents/{id}/{path}")).await.status,
            StatusCode::CONFLICT,
            "{path}"
        );
    }
    assert_eq!(
        world
            .get(&format!("/incidents/{id}/postmortem?format=exe"))
            .await
            .status,
        StatusCode::BAD_REQUEST
    );
}

#[tokio::test]
async fn an_incident_can_be_declared_and_alerts_sent_by_the_native_api() {
    let world = World::new();
    let declared = world
        .post(
            "/incidents",
            json!({"title": "Login is slow", "urgency": "low"}),
        )
        .await;
    assert_eq!(
        (declared.status, declared.json()["urgency"].clone()),
        (StatusCode::CREATED, json!("low"))
    );
    let alert = json!({"action": "trigger", "dedup_key": "db", "summary": "db is down", "severity": "error", "source": "db-1", "details": {"lag": 5}});
    let sent = world.post("/alerts", alert).await;
    assert_eq!(sent.status, StatusCode::ACCEPTED, "{}", sent.text());
    let incident = sent.json()["incident_id"].as_str().unwrap().to_owned();
    let over = world
        .post("/alerts", json!({"action": "resolve", "dedup_key": "db"}))
        .await;
    assert_eq!(over.json()["incident_id"], incident.as_str());
    let nothing = world
        .post(
            "/alerts",
            json!({"action": "acknowledge", "dedup_key": "none"}),
        )
        .await;
    assert_eq!(
        (nothing.status, nothing.json()["incident_id"].clone()),
        (StatusCode::ACCEPTED, json!(null))
    );
    let bad = world.post("/alerts", json!({"action": "trigger"})).await;
    assert_eq!(
        (bad.status, bad.json()["errors"].as_array().unwrap().len()),
        (StatusCode::BAD_REQUEST, 3)
    );
}

#[tokio::test]
async fn a_list_of_alerts_is_taken_in_order_and_one_that_is_refused_does_not_cost_the_others() {
    let world = World::new();
    let alert = |key: &str, action: &str| json!({"dedup_key": key, "action": action, "summary": "disk full", "severity": "warning", "source": "db1"});
    let none = world.post("/alerts", json!([])).await;
    assert_eq!(
        (none.status, none.json()["alerts"].clone()),
        (StatusCode::ACCEPTED, json!([]))
    );
    let all = [
        alert("a", "trigger"),
        alert("b", "trigger"),
        alert("a", "resolve"),
        alert("nothing", "resolve"),
    ];
    let answer = world.post("/alerts", json!(all)).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text());
    let answers = answer.json()["alerts"].clone();
    let incident = |index: usize| answers[index]["incident_id"].clone();
    assert_eq!(incident(0), incident(2));
    assert_ne!(incident(0), incident(1));
    assert_eq!(incident(3), json!(null));
    assert_eq!(world.get("/incidents/1").await.json()["status"], "resolved");
    assert_eq!(
        world.get("/incidents/2").await.json()["status"],
        "triggered"
    );

    let mut elsewhere = alert("c", "trigger");
    elsewhere["service_id"] = json!("QAAAAAAAAAAAAA");
    let answer = world
        .post("/alerts", json!([elsewhere, alert("d", "trigger")]))
        .await;
    assert_eq!(answer.status, StatusCode::MULTI_STATUS, "{}", answer.text());
    let answers = answer.json()["alerts"].clone();
    assert_eq!(answers[0]["status"], 404);
    assert_eq!(answers[0]["dedup_key"], "c");
    assert!(answers[1]["incident_id"].is_string());
}

#[tokio::test]
async fn one_of_a_list_that_cannot_be_read_does_not_cost_the_others() {
    let world = World::new();
    let good = |key: &str| json!({"dedup_key": key, "action": "trigger", "summary": "disk full", "severity": "warning", "source": "db1"});
    let with = |name: &str, value: Value| {
        let mut alert = good("bad");
        alert[name] = value;
        alert
    };
    let wrong = [
        (with("summary", Value::Null), "summary: needed"),
        (with("source", json!(" ")), "source: needed"),
        (with("severity", json!("awful")), "awful"),
        (with("action", json!("explode")), "explode"),
        (with("service_id", json!("?")), "service_id: not an id"),
        (with("colour", json!("red")), "colour"),
        (with("summary", json!({"a": 1})), "cannot be read"),
        (with("dedup_key", json!("k".repeat(300))), "dedup_key: 1 to"),
        (json!({"action": "resolve"}), "dedup_key: needed"),
        (json!({}), "action"),
        (json!(7), "not an object"),
        (json!(null), "not an object"),
        (
            json!([null, "k", "resolve", null, null, null, null]),
            "not an object",
        ),
    ];
    let mut all = vec![good("first")];
    all.extend(wrong.iter().map(|(alert, _)| alert.clone()));
    all.push(good("last"));
    let answer = world.post("/alerts", json!(all)).await;
    assert_eq!(answer.status, StatusCode::MULTI_STATUS, "{}", answer.text());
    let answers = answer.json()["alerts"].as_array().unwrap().clone();
    assert_eq!(answers.len(), all.len());
    for (answer, (alert, told)) in answers[1..].iter().zip(&wrong) {
        assert_eq!(answer["status"], 400, "{alert}");
        assert_eq!(answer["dedup_key"], alert["dedup_key"]);
        let detail = answer["detail"].as_str().unwrap();
        assert!(detail.contains(told), "{detail}");
    }
    for taken in [&answers[0], &answers[all.len() - 1]] {
        assert!(taken["incident_id"].is_string(), "{taken}");
    }
    let incidents = world.get("/incidents").await.json();
    assert_eq!(incidents["items"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn what_is_no_list_of_alerts_or_too_long_is_refused_whole() {
    let world = World::new();
    let good = json!({"dedup_key": "a", "action": "trigger", "summary": "disk full", "severity": "warning", "source": "db1"});
    let many: Vec<_> = (0..1_001).map(|_| good.clone()).collect();
    let answer = world.post("/alerts", json!(many)).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(answer.text().contains("at most 1000"), "{}", answer.text());
    for wrong in [json!("text"), json!(7), json!(null)] {
        let answer = world.post("/alerts", wrong.clone()).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{wrong}");
    }
    assert_eq!(world.get("/incidents").await.json()["items"], json!([]));
}

#[tokio::test]
async fn the_alerts_that_fire_are_listed_by_pages() {
    let world = World::new();
    let alert = |key: usize, action: &str| json!({"dedup_key": format!("k{key}"), "action": action, "summary": "disk full", "severity": "warning", "source": "db1"});
    let all: Vec<_> = (0..25).map(|key| alert(key, "trigger")).collect();
    world.post("/alerts", json!(all)).await;
    world.post("/alerts", alert(3, "resolve")).await;
    let mut keys = Vec::new();
    let mut path = "/alerts?limit=10".to_owned();
    loop {
        let page = world.get(&path).await.json();
        let items = page["items"].as_array().unwrap();
        keys.extend(
            items
                .iter()
                .map(|one| one["dedup_key"].as_str().unwrap().to_owned()),
        );
        match page["next_cursor"].as_str() {
            Some(cursor) => path = format!("/alerts?limit=10&cursor={cursor}"),
            None => break,
        }
    }
    keys.sort();
    let mut expected: Vec<String> = (0..25)
        .filter(|key| *key != 3)
        .map(|key| format!("k{key}"))
        .collect();
    expected.sort();
    assert_eq!(keys, expected);
    let first = &world.get("/alerts?limit=1").await.json()["items"][0];
    assert_eq!(first["service"]["name"], "First service", "{first}");
    assert_eq!(
        world.get("/alerts?cursor=QAAAAAAAAAAAAA").await.status,
        StatusCode::BAD_REQUEST
    );
    let none = world.get("/alerts?service_id=QAAAAAAAAAAAAA").await.json();
    assert_eq!(none["items"], json!([]));
}
