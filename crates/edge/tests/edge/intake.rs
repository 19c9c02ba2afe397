//! How alerts come in, by the API: settings, rules and their dry run, planned work, heartbeats and their calls.

use axum::body::{Body, HttpBody};
use axum::http::{Request, StatusCode};
use serde_json::{Value, json};
use tocsin_domain::id::ServiceId;

use crate::fakes::START;
use crate::repeated::{hasty, held};
use crate::world::{BASE, World};

async fn put(world: &World, path: &str, body: Value) -> Value {
    let answer = world.call("PUT", path, &world.admin, Some(body)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    answer.json()
}

async fn first_service(world: &World) -> String {
    let services = world.get("/services").await.json();
    services["items"][0]["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn settings_of_a_service_read_back_as_they_were_set() {
    let world = World::new();
    let path = format!("/services/{}/intake", first_service(&world).await);
    assert_eq!(world.get(&path).await.json()["urgency"]["by"], "severity");
    let settings = json!({
        "urgency": {"by": "support_hours", "during": "high", "outside": "severity", "raise": true,
            "hours": {"time_zone": "Europe/Paris", "windows": [
                {"days": ["monday", "friday"], "from": "09:00", "until": "17:00"}]}},
        "grouping": {"by": "content", "fields": ["component", "details.region"]},
        "resolve_after_minutes": 240,
    });
    assert_eq!(put(&world, &path, settings.clone()).await, settings);
    assert_eq!(world.get(&path).await.json(), settings);
    let wrong = json!({"urgency": {"by": "high"}, "grouping": {"by": "content", "fields": ["colour"]},
        "resolve_after_minutes": null});
    let refused = world.call("PUT", &path, &world.admin, Some(wrong)).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert!(refused.text().contains("colour"), "{}", refused.text());
}

#[tokio::test]
async fn a_dry_run_says_which_rules_hold_and_raises_nothing() {
    let world = World::new();
    let rules = json!({"rules": [
        {"name": "tests", "when": {"any": [{"field": "source", "op": "matches", "text": "test-*"}]},
         "then": [{"do": "suppress"}]},
        {"name": "disks", "go_on": true, "when": {"not": {"field": "class", "op": "exists"}},
         "then": [{"do": "pause", "seconds": 60}, {"do": "set_priority", "priority": "P2"}]},
    ]});
    let set = put(&world, "/alert-rules", rules).await;
    assert_eq!(set["rules"][0]["when"]["any"][0]["text"], "test-*");
    assert_eq!(world.get("/alert-rules").await.json(), set);
    let alert = |source: &str| json!({"summary": "x", "severity": "error", "source": source});
    let run = world.post("/alert-rules/dry-run", alert("test-7")).await;
    assert_eq!(run.status, StatusCode::OK, "{}", run.text());
    assert_eq!(run.json()["rules"][0]["name"], "tests");
    assert_eq!(run.json()["urgency"], "low");
    let run = world
        .post("/alert-rules/dry-run", alert("web-1"))
        .await
        .json();
    assert_eq!(run["pause_seconds"], 60);
    assert_eq!(run["priority"], "P2");
    assert_eq!(
        run["outcome"],
        "Somebody would be paged if it still fails in 60 s."
    );
    assert_eq!(world.get("/incidents").await.json()["items"], json!([]));
    // What the dry run says is what happens, and the incident says why.
    let sent =
        json!({"action": "trigger", "summary": "x", "severity": "error", "source": "test-7"});
    let sent = world.post("/alerts", sent).await.json();
    let incident = format!("/incidents/{}", sent["incident_id"].as_str().unwrap());
    let alert = &world.get(&incident).await.json()["alerts"][0];
    assert_eq!(alert["rules"][0]["name"], "tests");
    assert_eq!(alert["urgency"], "low");
    let timeline = world.get(&format!("{incident}/timeline")).await.text();
    assert!(timeline.contains("It is not urgent"), "{timeline}");
}

#[tokio::test]
async fn rules_that_cannot_be_read_are_refused_with_the_place() {
    let world = World::new();
    for (when, told) in [
        (
            json!({"field": "title", "op": "equals"}),
            "rules[0].when.text",
        ),
        (json!({"field": "title"}), "needs an op"),
        (json!({"all": [], "any": []}), "one of all"),
        (json!({"field": "color", "op": "exists"}), "color"),
    ] {
        let rules = json!({"rules": [{"name": "r", "when": when, "then": [{"do": "drop"}]}]});
        let answer = world
            .call("PUT", "/alert-rules", &world.admin, Some(rules))
            .await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.text());
        assert!(answer.text().contains(told), "{}", answer.text());
    }
}

#[tokio::test]
async fn work_is_planned_ended_and_removed() {
    let world = World::new();
    let service = first_service(&world).await;
    let planned = json!({"reason": "disks", "service_ids": [service],
        "from": START.to_rfc3339(), "until": START.plus_ms(3_600_000).to_rfc3339()});
    let made = world.post("/maintenance-windows", planned).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    assert_eq!(made.json()["active"], true);
    let id = made.json()["id"].as_str().unwrap().to_owned();
    let end = format!("/maintenance-windows/{id}/end");
    let ended = world.post(&end, json!({})).await;
    assert_eq!(ended.status, StatusCode::NO_CONTENT, "{}", ended.text());
    let again = world.post(&end, json!({})).await;
    assert_eq!(again.status, StatusCode::CONFLICT);
    let repeat = json!({"reason": "disks", "service_ids": [service], "repeat": {
        "time_zone": "Europe/Paris", "first": "2030-12-05T22:00", "minutes": 240, "every": 2, "unit": "weeks",
        "until": null}});
    let path = format!("/maintenance-windows/{id}");
    let changed = put(&world, &path, repeat).await;
    assert_eq!(changed["from"], "2030-12-05T21:00:00.000Z");
    let both = json!({"reason": "x", "service_ids": [service], "from": START.to_rfc3339()});
    let refused = world.post("/maintenance-windows", both).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    let removed = world.call("DELETE", &path, &world.admin, None).await;
    assert_eq!(removed.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn work_is_planned_on_alerts_by_their_labels() {
    let world = World::new();
    let matchers = json!([{"name": "job", "operator": "=~", "value": "web.*"},
        {"name": "alertname", "operator": "!=", "value": "Down"}]);
    let planned = json!({"reason": "disks", "from": START.to_rfc3339(),
        "until": START.plus_ms(3_600_000).to_rfc3339(), "matchers": matchers});
    let made = world.post("/maintenance-windows", planned.clone()).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    let made = made.json();
    // In one order, whatever it came in.
    assert_eq!(made["matchers"], json!([matchers[1], matchers[0]]));
    assert_eq!(made["created_by"], "Ada");
    let silences = world
        .call_at("GET", "/alertmanager/api/v2/silences", &world.viewer, None)
        .await
        .json();
    assert_eq!(silences[0]["createdBy"], "Ada");
    assert_eq!(silences[0]["matchers"][1]["value"], "web.*");
    let path = format!("/maintenance-windows/{}", made["id"].as_str().unwrap());
    let mut less = planned.clone();
    less["matchers"] = json!([matchers[0]]);
    let changed = put(&world, &path, less.clone()).await;
    assert_eq!(changed["matchers"], json!([matchers[0]]));
    // Who does not speak of them leaves them as they are.
    less.as_object_mut().unwrap().remove("matchers");
    let changed = put(&world, &path, less).await;
    assert_eq!(changed["matchers"], json!([matchers[0]]));
    let one = |name: &str, operator: &str, value: &str| json!([{"name": name, "operator": operator, "value": value}]);
    for (matchers, told) in [
        (one("a", "==", "b"), "=="),
        (one("", "=", "b"), "matchers[0]: invalid label name"),
        (
            one("a", "=~", "("),
            "matchers[0]: invalid regular expression",
        ),
        (one("a", "=~", ".*"), "must not match the empty string"),
        (one("a", "=", &"x".repeat(1_025)), "more than 1024 bytes"),
        (Value::Array(vec![matchers[0].clone(); 65]), "at most 64"),
        (json!([]), "name services, targets or matchers"),
    ] {
        let mut wrong = planned.clone();
        wrong["matchers"] = matchers;
        let refused = world.post("/maintenance-windows", wrong).await;
        assert_eq!(
            refused.status,
            StatusCode::BAD_REQUEST,
            "{told}: {}",
            refused.text()
        );
        assert!(refused.text().contains(told), "{told}: {}", refused.text());
    }
}

async fn hb(world: &World, method: &str, url: &str, body: &'static str) -> StatusCode {
    let path = &url[url.find("/hb/").unwrap()..];
    let request = Request::builder().method(method).uri(path);
    world
        .send(request.body(Body::from(body)).unwrap())
        .await
        .status
}

async fn heartbeat(world: &World) -> Value {
    world.get("/heartbeats").await.json()["items"][0].clone()
}

#[tokio::test]
async fn a_job_calls_by_its_address_alone_and_its_token_is_never_shown_again() {
    let world = World::new();
    let job = json!({"name": "backup", "every_seconds": 3600, "grace_seconds": 60});
    let made = world.post("/heartbeats", job).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    let url = made.json()["url"].as_str().unwrap().to_owned();
    let token = url.rsplit('/').next().unwrap().to_owned();
    assert_eq!(token.len(), 32);
    assert_eq!(heartbeat(&world).await["status"], "new");
    for method in ["HEAD", "GET", "POST"] {
        assert_eq!(hb(&world, method, &url, "").await, StatusCode::OK);
    }
    let shown = heartbeat(&world).await;
    assert_eq!(shown["status"], "up");
    let missed = START.plus_ms(3_660_000).to_rfc3339();
    assert_eq!(shown["missed_at"], missed);
    let failed = hb(&world, "POST", &format!("{url}/fail"), "no space left").await;
    assert_eq!(failed, StatusCode::OK);
    assert_eq!(heartbeat(&world).await["status"], "down");
    assert_eq!(hb(&world, "GET", &url, "").await, StatusCode::OK);
    assert_eq!(heartbeat(&world).await["status"], "up");
    assert_eq!(
        hb(&world, "GET", "/hb/nobody", "").await,
        StatusCode::NOT_FOUND
    );
    let events = format!("{:?}", world.journal.events.lock().unwrap());
    assert!(!events.contains(&token));
}

#[tokio::test]
async fn a_failure_counts_however_much_its_job_says_of_it() {
    let said = "no space left";
    let whole = |bytes: usize| Body::from(format!("{said}{}", "x".repeat(bytes)));
    let pieces = [Ok(said), Err(std::io::Error::other("gone"))];
    let broken = Body::from_stream(futures_util::stream::iter(pieces));
    for words in [whole(16 * 1024), whole(3 * 1024 * 1024), broken] {
        let world = World::new();
        let job = json!({"name": "backup", "every_seconds": 3600, "grace_seconds": 60});
        let made = world.post("/heartbeats", job).await.json();
        let url = made["url"].as_str().unwrap();
        let path = format!("{}/fail", &url[url.find("/hb/").unwrap()..]);
        let mut request = Request::post(path);
        if let Some(length) = words.size_hint().exact() {
            request = request.header("content-length", length);
        }
        let answer = world.send(request.body(words).unwrap()).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        assert_eq!(heartbeat(&world).await["status"], "down");
        let events = format!("{:?}", world.journal.events.lock().unwrap());
        assert!(events.contains(said), "{events}");
    }
}

#[tokio::test]
async fn a_call_is_on_disk_when_it_is_answered_also_soon_after_another() {
    let world = World::new();
    let job = json!({"name": "backup", "every_seconds": 3600, "grace_seconds": 60});
    let made = world.post("/heartbeats", job).await.json();
    let url = made["url"].as_str().unwrap().to_owned();
    assert_eq!(hb(&world, "GET", &url, "").await, StatusCode::OK);
    let called = || {
        let events = world.journal.events.lock().unwrap();
        let last = events.last().unwrap();
        (events.len(), last.at)
    };
    let (before, _) = called();
    let later = START.plus_ms(1_000);
    *world.clock.0.lock().unwrap() = later;
    assert_eq!(hb(&world, "GET", &url, "").await, StatusCode::OK);
    assert_eq!(called(), (before + 1, later));
}

#[tokio::test]
async fn quick_calls_of_a_job_are_written_down_once_and_too_many_are_refused() {
    let world = World::new();
    let job = json!({"name": "backup", "every_seconds": 3600, "grace_seconds": 60});
    let made = world.post("/heartbeats", job).await.json();
    let url = made["url"].as_str().unwrap().to_owned();
    assert_eq!(hb(&world, "GET", &url, "").await, StatusCode::OK);
    let before = world.journal.events.lock().unwrap().len();
    for _ in 0..119 {
        assert_eq!(hb(&world, "GET", &url, "").await, StatusCode::OK);
    }
    assert_eq!(world.journal.events.lock().unwrap().len(), before);
    assert_eq!(
        hb(&world, "GET", &url, "").await,
        StatusCode::TOO_MANY_REQUESTS
    );
}

#[tokio::test]
async fn a_title_is_one_line_by_whatever_way_it_comes() {
    let world = World::new();
    let body = json!({"action": "trigger", "summary": "Disk\nfull\tof logs", "severity": "critical",
        "source": "db"});
    let answer = world.post("/alerts", body).await;
    assert!(answer.status.is_success(), "{}", answer.text());
    let mut event = crate::world::trigger("web");
    event["payload"]["summary"] = json!("Shop\nis down");
    assert_eq!(world.enqueue(&event).await.status, StatusCode::ACCEPTED);
    let declared = json!({"title": "Logs\nfill", "urgency": "low"});
    let declared = world.post("/incidents", declared).await;
    assert!(declared.status.is_success(), "{}", declared.text());
    let list = world.get("/incidents").await.json();
    let all = list["items"].as_array().unwrap().iter();
    let titles: Vec<&str> = all.map(|one| one["title"].as_str().unwrap()).collect();
    assert_eq!(titles, ["Logs fill", "Shop is down", "Disk full of logs"]);
}

#[tokio::test]
async fn what_cannot_be_read_is_told_in_plain_words() {
    let world = World::new();
    let mut alert = json!({"dedup_key": "a", "action": "trigger", "summary": 5, "severity": "error", "source": "web-1"});
    let told = |answer: &crate::world::Answered| {
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        answer.json()["detail"].as_str().unwrap().to_owned()
    };
    let text = told(&world.post("/alerts", alert.clone()).await);
    let expected = "the body cannot be read: expected text, found 5 at line 1 column ";
    assert!(text.starts_with(expected), "{text}");
    alert["summary"] = json!("x");
    alert["action"] = json!("explode");
    let text = told(&world.post("/alerts", alert).await);
    let expected = r#""explode" is not one of: trigger, "#;
    assert!(text.contains(expected), "{text}");
    assert_eq!(
        told(&world.get("/incidents?limit=x").await),
        "the query cannot be read: limit: expected a whole number of 0 or more"
    );
}

#[tokio::test]
async fn a_list_of_values_is_no_body_and_a_number_is_whole_by_its_value() {
    let world = World::new();
    let path = format!("/users/{}/calendars", world.bob);
    let answer = world.post(&path, json!([null, null])).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.text());
    let told = answer.json()["detail"].as_str().unwrap().to_owned();
    let expected = "the body cannot be read: expected an object, found a list at line 1 column ";
    assert!(told.starts_with(expected), "{told}");
    let rule = json!({"name": "Never", "then": [{"do": "drop"}], "when": {"not": [null, null]}});
    let answer = world
        .call(
            "PUT",
            "/alert-rules",
            &world.admin,
            Some(json!({"rules": [rule]})),
        )
        .await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.text());
    let job = json!({"name": "Backup", "every_seconds": 3600.0, "grace_seconds": 60.0});
    let answer = world.post("/heartbeats", job).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
    assert_eq!(answer.json()["every_seconds"], 3600);
}

/// While the core stands still, somebody sets how a service takes its alerts in, and after that somebody else says `body` of it.
async fn at_one_moment(world: &World, service: &str, intake: &Value, (path, body): (&str, Value)) {
    let gate = held(world, || {});
    let settings = format!("{BASE}{service}/intake");
    for (path, body) in [(settings.as_str(), intake.clone()), (path, body)] {
        let answer = world.call_at("PUT", path, &world.admin, Some(body)).await;
        let told = answer.text();
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{told}");
    }
    gate.open();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_changes_a_service_undoes_nothing_of_who_changes_its_intake_at_the_same_moment() {
    let world = hasty();
    let id: ServiceId = first_service(&world).await.parse().unwrap();
    let service = format!("/services/{id}");
    let intake = |minutes: u64| {
        json!({"urgency": {"by": "low"}, "grouping": {"by": "time", "minutes": minutes, "rolling": false},
            "resolve_after_minutes": minutes})
    };
    let native = (format!("{BASE}{service}"), json!({"name": "Shop"}));
    let foreign = (format!("/pagerduty{service}"), json!({"type": "service"}));
    for ((path, mut body), description, minutes) in [(native, "first", 30), (foreign, "second", 45)]
    {
        body["description"] = json!(description);
        if path.starts_with("/pagerduty") {
            // What was read is said again, as its clients do.
            let read = world.call_at("GET", &path, &world.admin, None).await.json();
            for name in ["alert_grouping_parameters", "acknowledgement_timeout"] {
                body[name] = read["service"][name].clone();
            }
            body = json!({ "service": body });
        }
        at_one_moment(&world, &service, &intake(minutes), (&path, body)).await;
        while world
            .engine
            .read(|state| state.services[&id].description != description)
        {
            tokio::task::yield_now().await;
        }
        let kept = world.get(&format!("{service}/intake")).await.json();
        assert_eq!(kept, intake(minutes), "{path}");
    }
    let known = world.get(&service).await.json();
    assert_eq!(known["name"], "Shop");
    assert_eq!(known["acknowledgement"]["holds"], "as_policy");
}
