//! What people do about an incident beyond taking it, and teams, by the API.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::world::World;

async fn call(world: &World, method: &str, path: &str, body: Value) -> Value {
    let answer = world.call(method, path, &world.admin, Some(body)).await;
    assert!(answer.status.is_success(), "{path}: {}", answer.text());
    answer.json()
}

async fn titles(world: &World, incident: &str) -> Vec<String> {
    let page = world.get(&format!("/incidents/{incident}/timeline")).await;
    let page = page.json();
    let items = page["items"].as_array().unwrap();
    let titles = items.iter().map(|one| one["title"].as_str().unwrap());
    titles.map(str::to_owned).collect()
}

#[tokio::test]
async fn an_incident_is_snoozed_and_the_snooze_is_taken_back() {
    let world = World::new();
    world.raise("web").await;
    let snoozed = call(
        &world,
        "POST",
        "/incidents/1/snooze",
        json!({"seconds": 3600}),
    )
    .await;
    assert_eq!(snoozed["status"], "acknowledged");
    assert!(snoozed["snoozed_until"].is_string());
    let wrong = world
        .post("/incidents/1/snooze", json!({"seconds": 0}))
        .await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
    let told = wrong.json()["detail"].clone();
    assert_eq!(told, "a snooze lasts 1 second to 7 days");
    let wrong = world
        .post("/incidents/1/snooze", json!({"seconds": u64::MAX}))
        .await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
    let path = "/incidents/1/snooze";
    let ended = world.call("DELETE", path, &world.admin, None).await;
    assert_eq!(ended.json()["snoozed_until"], Value::Null);
    let again = world.call("DELETE", path, &world.admin, None).await;
    assert_eq!(again.status, StatusCode::CONFLICT);
    let titles = titles(&world, "1").await;
    assert!(
        titles
            .iter()
            .any(|title| title.starts_with("Ada snoozed it until "))
    );
    assert!(titles.contains(&"The snooze was taken back".to_owned()));
}

/// What is acknowledged stays so for half an hour, by the first policy.
pub(crate) async fn hold_for_half_an_hour(world: &World) {
    let policies = world.get("/escalation-policies").await.json();
    let mut policy = policies["items"][0].clone();
    policy["acknowledgement_timeout_minutes"] = json!(30);
    let fields = policy.as_object_mut().unwrap();
    let id = fields.remove("id").unwrap();
    let place = format!("/escalation-policies/{}", id.as_str().unwrap());
    call(world, "PUT", &place, policy).await;
}

#[tokio::test]
async fn only_the_acknowledgement_that_stops_an_escalation_is_said_to_do_so() {
    let world = World::new();
    hold_for_half_an_hour(&world).await;
    world.raise("web").await;
    let path = "/incidents/1/acknowledge";
    for token in [&world.bobs, &world.admin] {
        let taken = world.call("POST", path, token, Some(json!({}))).await;
        assert!(taken.status.is_success(), "{}", taken.text());
    }
    let page = world.get("/incidents/1/timeline").await.json();
    let entries = page["items"].as_array().unwrap().iter();
    let taken = entries.filter(|one| one["kind"] == "incident.acknowledged");
    let told: Vec<(&str, &str)> = taken
        .map(|one| {
            let detail = one["detail"].as_str().unwrap();
            let (first, holds) = detail.split_once(". ").unwrap();
            assert!(holds.contains("if it still fails then"), "{detail}");
            (one["title"].as_str().unwrap(), first)
        })
        .collect();
    let expected = [
        ("Bob acknowledged", "Escalation stops"),
        ("Ada acknowledged", "It was acknowledged already"),
    ];
    assert_eq!(told, expected);
}

#[tokio::test]
async fn what_somebody_had_who_is_removed_is_told_to_be_the_next_ones_who_had_acknowledged_too() {
    let world = World::new();
    world.raise("web").await;
    let path = "/incidents/1/acknowledge";
    for token in [&world.bobs, &world.admin] {
        let taken = world.call("POST", path, token, Some(json!({}))).await;
        assert_eq!(taken.json()["acknowledged_by"]["name"], "Bob");
    }
    let path = format!("/users/{}", world.bob);
    let removed = world.call("DELETE", &path, &world.admin, None).await;
    assert!(removed.status.is_success(), "{}", removed.text());
    let shown = world.get("/incidents/1").await.json();
    assert_eq!(shown["status"], "acknowledged");
    assert_eq!(shown["acknowledged_by"]["name"], "Ada");
    let titles = titles(&world, "1").await;
    let says = "Bob was removed; Ada, who had acknowledged too, has it";
    assert!(titles.iter().any(|title| title == says), "{titles:?}");
}

#[tokio::test]
async fn an_incident_is_given_to_people_or_to_a_policy() {
    let world = World::new();
    world.raise("web").await;
    let bob = world.bob.to_string();
    let path = "/incidents/1/reassign";
    let unreachable = world.post(path, json!({"people": [bob]})).await;
    assert_eq!(unreachable.status, StatusCode::CONFLICT);
    assert!(unreachable.text().contains("no verified contact method"));
    world
        .reach(world.bob, "ntfy", "https://127.0.0.1/topic", None)
        .await;
    let given = call(&world, "POST", path, json!({"people": [bob]})).await;
    assert_eq!(given["assigned_to"][0]["name"], "Bob");
    let detail = world.get("/incidents/1").await.json();
    assert_eq!(detail["paging"]["recipients"][0]["name"], "Bob");
    let pages = detail["pages"].as_array().unwrap();
    let of_bob = pages.iter().find(|page| page["user"]["name"] == "Bob");
    assert_eq!(of_bob.unwrap()["level"], Value::Null);
    assert_eq!(detail["paging"]["level"], 0);
    let titles = titles(&world, "1").await;
    assert!(titles.contains(&"Given to Bob".to_owned()));
    assert!(titles.contains(&"Paging Bob (it was given to them)".to_owned()));
    let policies = world.get("/escalation-policies").await.json();
    let policy = &policies["items"][0]["id"];
    let given = call(&world, "POST", path, json!({"policy_id": policy})).await;
    assert_eq!(given["assigned_to"], json!([]));
    for wrong in [
        json!({}),
        json!({"people": [bob], "policy_id": policy}),
        json!({"people": ["nobody"]}),
        json!({"policy_id": "none"}),
    ] {
        let answer = world.post(path, wrong).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    }
}

#[tokio::test]
async fn what_was_given_to_a_policy_is_told_by_its_name_once_that_is_removed() {
    let world = World::new();
    world.set_up_mail().await;
    world.raise("web").await;
    let targets = json!([{"kind": "user", "id": world.ada.to_string()}]);
    let policy =
        json!({"name": "Gone", "repeat": 0, "levels": [{"delay_minutes": 5, "targets": targets}]});
    let made = call(&world, "POST", "/escalation-policies", policy).await;
    let given = json!({"policy_id": made["id"]});
    call(&world, "POST", "/incidents/1/reassign", given).await;
    let path = format!("/escalation-policies/{}", made["id"].as_str().unwrap());
    let removed = world.call("DELETE", &path, &world.admin, None).await;
    assert_eq!(removed.status, StatusCode::NO_CONTENT);
    let titles = titles(&world, "1").await;
    assert!(titles.contains(&"Given to the policy “Gone”".to_owned()));
    let paging = "Paging Ada (level 1 of “Gone”)";
    assert!(titles.contains(&paging.to_owned()), "{titles:?}");
}

#[tokio::test]
async fn an_escalation_by_hand_pages_the_next_level() {
    let world = World::new();
    world.raise("web").await;
    call(&world, "POST", "/incidents/1/acknowledge", json!({})).await;
    let escalated = call(&world, "POST", "/incidents/1/escalate", json!({})).await;
    assert_eq!(escalated["status"], "triggered");
    let explained = world.get("/incidents/1").await.json();
    assert_eq!(explained["acknowledged_at"], Value::Null);
    assert!(
        titles(&world, "1")
            .await
            .contains(&"Escalated by hand".to_owned())
    );
}

#[tokio::test]
async fn who_is_asked_to_help_is_shown_with_the_answer() {
    let world = World::new();
    world.raise("web").await;
    world
        .reach(world.bob, "ntfy", "https://127.0.0.1/topic", None)
        .await;
    let body = json!({"people": [world.bob.to_string()], "message": "the disk looks full"});
    call(&world, "POST", "/incidents/1/responders", body).await;
    let asked = world.get("/incidents/1").await.json();
    assert_eq!(asked["responders"][0]["answer"], "pending");
    assert_eq!(asked["responders"][0]["message"], "the disk looks full");
    let pages = asked["pages"].as_array().unwrap();
    assert!(pages.iter().any(|page| page["purpose"] == "request"));
    let path = "/incidents/1/responders/answer";
    let answered = world
        .call("POST", path, &world.bobs, Some(json!({"accept": false})))
        .await;
    assert_eq!(answered.status, StatusCode::OK, "{}", answered.text());
    let asked = world.get("/incidents/1").await.json();
    assert_eq!(asked["responders"][0]["answer"], "declined");
    let nobody = json!({"people": [], "message": "x"});
    let refused = world.post("/incidents/1/responders", nobody).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn incidents_are_merged_by_number_and_the_source_says_where_it_went() {
    let world = World::new();
    world.raise("one").await;
    world.raise("two").await;
    let merged = call(
        &world,
        "POST",
        "/incidents/1/merge",
        json!({"sources": ["2"]}),
    )
    .await;
    assert_eq!(merged["alert_count"], 2);
    let source = world.get("/incidents/2").await.json();
    assert_eq!(source["status"], "resolved");
    assert_eq!(source["merged_into"], 1);
    assert_eq!(world.get("/incidents/1").await.json()["merged"], json!([2]));
    assert!(
        titles(&world, "2")
            .await
            .contains(&"Merged into #1".to_owned())
    );
    let itself = world
        .post("/incidents/1/merge", json!({"sources": ["1"]}))
        .await;
    assert_eq!(itself.status, StatusCode::CONFLICT);
    let unknown = world
        .post("/incidents/1/merge", json!({"sources": ["99"]}))
        .await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn priority_and_urgency_are_said_by_people() {
    let world = World::new();
    world.raise("web").await;
    let set = call(
        &world,
        "PUT",
        "/incidents/1/priority",
        json!({"priority": "P1"}),
    )
    .await;
    assert_eq!(set["priority"], "P1");
    let path = "/incidents/1/priority";
    let wrong = json!({"priority": "P9"});
    let wrong = world.call("PUT", path, &world.admin, Some(wrong)).await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
    let set = call(
        &world,
        "PUT",
        "/priorities",
        json!({"names": ["SEV1", "SEV2"]}),
    )
    .await;
    assert_eq!(set["names"], json!(["SEV1", "SEV2"]));
    assert_eq!(world.get("/priorities").await.json(), set);
    let low = call(
        &world,
        "PUT",
        "/incidents/1/urgency",
        json!({"urgency": "low"}),
    )
    .await;
    assert_eq!(low["urgency"], "low");
}

#[tokio::test]
async fn what_is_urgent_again_and_snoozed_is_not_said_to_page() {
    let world = World::new();
    world.raise("web").await;
    let snooze = json!({"seconds": 3600});
    call(&world, "POST", "/incidents/1/snooze", snooze).await;
    let paged = world.get("/incidents/1").await.json()["pages"].clone();
    for urgency in ["low", "high"] {
        let set = json!({"urgency": urgency});
        call(&world, "PUT", "/incidents/1/urgency", set).await;
    }
    let now = world.get("/incidents/1").await.json();
    assert_eq!(
        now["pages"].as_array().map(Vec::len),
        paged.as_array().map(Vec::len)
    );
    let page = world.get("/incidents/1/timeline").await.json();
    let mut told = page["items"].as_array().unwrap().iter();
    let told = told.find(|one| one["title"] == "The urgency was set to high");
    assert_eq!(
        told.unwrap()["detail"],
        "What fails pages now, unless somebody has it or it is kept quiet."
    );
}

#[tokio::test]
async fn several_incidents_are_taken_at_once_and_each_answers_for_itself() {
    let world = World::new();
    world.raise("one").await;
    world.raise("two").await;
    let body = json!({"action": "acknowledge", "incidents": ["1", "77", "2"]});
    let done = call(&world, "POST", "/incidents/bulk", body).await;
    let problems: Vec<bool> = done["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["problem"].is_null())
        .collect();
    assert_eq!(problems, [true, false, true]);
    let body = json!({"action": "resolve", "incidents": ["1", "2"]});
    call(&world, "POST", "/incidents/bulk", body).await;
    assert_eq!(
        world.get("/incidents?status=open").await.json()["items"],
        json!([])
    );
    for wrong in [json!([]), json!(vec!["1"; 251])] {
        let body = json!({"action": "resolve", "incidents": wrong});
        let answer = world.post("/incidents/bulk", body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    }
}

#[tokio::test]
async fn teams_are_set_listed_paged_and_removed() {
    let world = World::new();
    let (ada, bob) = (world.ada.to_string(), world.bob.to_string());
    let first = world.get("/teams").await.json();
    assert_eq!(first["items"][0]["name"], "Everybody");
    assert!(first["items"][0]["members"].as_array().unwrap().len() > 1);
    let body = json!({"name": "Web", "members": [ada]});
    let team = call(&world, "POST", "/teams", body).await;
    let path = format!("/teams/{}", team["id"].as_str().unwrap());
    let body = json!({"name": "Web", "members": [ada, bob]});
    let team = call(&world, "PUT", &path, body).await;
    assert_eq!(team["members"][1]["name"], "Bob");
    let level = json!({
        "delay_minutes": 5, "each_must_acknowledge": true,
        "targets": [{"kind": "team", "id": team["id"]}],
    });
    let body = json!({
        "name": "Web", "repeat": 0, "levels": [level], "acknowledgement_timeout_minutes": 30,
    });
    let policy = call(&world, "POST", "/escalation-policies", body).await;
    assert_eq!(policy["levels"][0]["each_must_acknowledge"], true);
    assert_eq!(policy["levels"][0]["round_robin"], false);
    assert_eq!(policy["acknowledgement_timeout_minutes"], 30.0);
    let on_call = world.get("/oncall").await.json();
    let places = on_call["items"].as_array().unwrap().iter();
    let of_team = places.filter(|place| place["via"]["kind"] == "team");
    assert_eq!(of_team.count(), 2);
    let named = world.call("DELETE", &path, &world.admin, None).await;
    assert_eq!(named.status, StatusCode::CONFLICT);
    let policy = format!("/escalation-policies/{}", policy["id"].as_str().unwrap());
    let gone = world.call("DELETE", &policy, &world.admin, None).await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT);
    let gone = world.call("DELETE", &path, &world.admin, None).await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn what_is_said_of_an_incident_that_is_declared_stands_with_its_alert() {
    let world = World::new();
    let body = json!({"title": "Odd prices", "summary": "in the shop alone"});
    let made = call(&world, "POST", "/incidents", body).await;
    let path = format!("/incidents/{}", made["id"].as_str().unwrap());
    let shown = world.get(&path).await.json();
    assert_eq!(shown["alerts"][0]["summary"], "in the shop alone");
    let wrong = json!({"title": "Odd prices", "summary": "x".repeat(4_001)});
    let refused = world.post("/incidents", wrong).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn who_ends_and_who_reopens_an_incident_is_named_and_nothing_is_said_to_be_healthy() {
    let world = World::new();
    world.raise("web").await;
    call(&world, "POST", "/incidents/1/resolve", json!({})).await;
    call(&world, "POST", "/incidents/1/reopen", json!({})).await;
    let titles = titles(&world, "1").await;
    let any = |start: &str| titles.iter().any(|title| title.starts_with(start));
    for told in ["Closed: ", "Resolved by Ada", "Reopened by Ada"] {
        assert!(any(told), "{told}: {titles:?}");
    }
    for wrong in [
        "Recovered",
        "Everything is healthy",
        "The failure came back",
    ] {
        assert!(!any(wrong), "{wrong}: {titles:?}");
    }
    let stands = world.get("/incidents/1").await.json();
    assert_eq!(stands["recovered_at"], Value::Null);
    assert_eq!(stands["relapses"], 0);
}

#[tokio::test]
async fn what_was_given_to_somebody_who_is_removed_names_whom_it_pages_now() {
    let world = World::new();
    world
        .reach(world.bob, "ntfy", "https://127.0.0.1/topic", None)
        .await;
    world.raise("web").await;
    let given = json!({"people": [world.bob.to_string()]});
    call(&world, "POST", "/incidents/1/reassign", given).await;
    let path = format!("/users/{}", world.bob);
    let removed = world.call("DELETE", &path, &world.admin, None).await;
    assert!(removed.status.is_success(), "{}", removed.text());
    let shown = world.get("/incidents/1").await.json();
    assert_eq!(shown["assigned_to"], json!([]));
    let recipients = shown["paging"]["recipients"].to_string();
    assert!(!recipients.contains("a removed person"), "{recipients}");
}

#[tokio::test]
async fn a_note_or_a_reason_of_which_nothing_can_be_seen_counts_as_none() {
    let world = World::new();
    world.apache_is_found();
    let target = world.engine.read(|state| {
        let mut targets = state.targets.keys();
        targets.next().unwrap().to_string()
    });
    let muted = json!({"minutes": 5, "reason": "\u{200b}"});
    call(&world, "POST", &format!("/targets/{target}/mute"), muted).await;
    world.raise("web").await;
    for (path, body) in [
        ("notes", json!({"text": "\u{200b}"})),
        (
            "responders",
            json!({"people": [world.ada.to_string()], "message": "\u{feff}\u{7}"}),
        ),
    ] {
        let refused = world.post(&format!("/incidents/1/{path}"), body).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{path}");
        let told = refused.text();
        assert!(told.contains("must not be empty"), "{told}");
    }
    let ended = json!({"note": "\u{200b}\u{0}"});
    let ended = call(&world, "POST", "/incidents/1/resolve", ended).await;
    assert_eq!(ended["status"], "resolved");
    let silence = json!({"matchers": [{"name": "a", "value": "b", "isRegex": false}],
        "startsAt": crate::fakes::START.to_rfc3339(), "endsAt": crate::fakes::START.plus_ms(3_600_000).to_rfc3339(),
        "createdBy": "ada", "comment": "\u{200b}"});
    let path = "/alertmanager/api/v2/silences";
    let made = world
        .call_at("POST", path, &world.admin, Some(silence))
        .await;
    assert_eq!(made.status, StatusCode::OK, "{}", made.text());
}
