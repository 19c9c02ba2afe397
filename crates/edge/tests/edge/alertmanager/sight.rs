//! What Alertmanager's API shows of much: windows of many long names, alerts beside the state; and what is counted of alerts.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use serde_json::json;
use tocsin_domain::intake::{LabelMatcher, LabelTest, SERVICE_LABEL};
use tocsin_domain::state::State;

use super::{down, fires, get, post, silence, silenced};
use crate::fakes::START;
use crate::world::World;

#[tokio::test]
async fn planned_work_of_many_long_names_is_shown_by_all_of_them_and_by_nothing_more() {
    let world = World::new();
    let (mut ids, mut names) = (Vec::new(), Vec::new());
    for letter in ["a", "b", "c", "d", "e", "f", "g", "h"] {
        let name = letter.repeat(180);
        let service = json!({"name": name, "escalation_policy_id": null});
        let made = world.post("/services", service).await;
        ids.push(made.json()["id"].clone());
        names.push(name);
    }
    let planned = json!({"reason": "disks", "service_ids": ids,
        "from": START.to_rfc3339(), "until": START.plus_ms(3_600_000).to_rfc3339()});
    let made = world.post("/maintenance-windows", planned).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    let shown = get(&world, "/silences").await[0].clone();
    let matcher = &shown["matchers"][0];
    assert_eq!(matcher["name"], "tocsin_service");
    let pattern = matcher["value"].as_str().unwrap();
    let mut alternatives: Vec<&str> = pattern.split('|').collect();
    alternatives.sort_unstable();
    assert_eq!(alternatives, names);
    // A copy of it is refused; it silences nothing else.
    let mut copy = shown.clone();
    copy.as_object_mut().unwrap().remove("id");
    let refused = post(&world, "/silences", copy).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert!(
        refused.text().contains("more than 1024 bytes"),
        "{}",
        refused.text()
    );
    assert_eq!(get(&world, "/silences").await.as_array().unwrap().len(), 1);
}

/// As the original does: a filter is compared with the conditions of a silence, not tried on them.
#[tokio::test]
async fn silences_are_found_by_the_very_conditions_that_they_have() {
    let world = World::new();
    let is = |name: &str, value: &str| json!({"name": name, "value": value, "isRegex": false});
    let fits = json!({"name": "sx", "value": "Foo.*", "isRegex": true, "isEqual": true});
    let differs = json!({"name": "sx", "value": "Baz", "isRegex": false, "isEqual": false});
    for (comment, matchers) in [
        ("pattern", json!([fits])),
        ("text", json!([is("sx", "FooBar")])),
        ("other", json!([is("sx", "Baz")])),
        ("two", json!([is("sy", "1"), differs])),
    ] {
        let mut body = silence(matchers);
        body["comment"] = json!(comment);
        let made = post(&world, "/silences", body).await;
        assert_eq!(made.status, StatusCode::OK, "{}", made.text());
    }
    let services = world.get("/services").await.json();
    let planned = json!({"reason": "work", "service_ids": [services["items"][0]["id"]],
        "from": START.to_rfc3339(), "until": START.plus_ms(3_600_000).to_rfc3339()});
    world.post("/maintenance-windows", planned).await;
    let check = async |filters: &[&str], expected: &[&str]| {
        let query = filters.iter();
        let query = query.map(|filter| format!("filter={}", percent_encoded(filter)));
        let query: Vec<String> = query.collect();
        let found = get(&world, &format!("/silences?{}", query.join("&"))).await;
        let found = found.as_array().unwrap().iter();
        let mut found: Vec<&str> = found.map(|one| one["comment"].as_str().unwrap()).collect();
        found.sort_unstable();
        assert_eq!(found, expected, "{filters:?}");
    };
    check(&[], &["other", "pattern", "text", "two", "work"]).await;
    check(&["sx=~\"Foo.*\""], &["pattern"]).await;
    check(&["sx=\"Foo.*\""], &[]).await;
    check(&["sx=FooBar"], &["text"]).await;
    check(&["sx!=\"Nope\""], &[]).await;
    check(&["zz=\"\""], &[]).await;
    check(&["sx!=Baz"], &["two"]).await;
    check(&["sy=1", "sx!=Baz"], &["two"]).await;
    check(&["sy=1", "sx=Baz"], &[]).await;
    check(&["tocsin_service=\"First service\""], &["work"]).await;
}

#[tokio::test]
async fn a_silence_of_all_but_one_is_taken_and_hides_nothing_that_came_without_labels() {
    let world = World::new();
    world.raise("db").await;
    fires(&world, json!([down("web-1")])).await;
    let but = json!({"name": "alertname", "value": "Watchdog", "isRegex": false, "isEqual": false});
    let id = silenced(&world, json!([but])).await;
    let alerts = get(&world, "/alerts").await;
    let by_name = |name: &str| {
        let mut alerts = alerts.as_array().unwrap().iter();
        let named = alerts.find(|one| one["labels"]["alertname"] == name);
        named.unwrap()["status"]["silencedBy"].clone()
    };
    assert_eq!(by_name("Down"), json!([id]));
    assert_eq!(by_name("db is down"), json!([]));
}

/// A text as a value of a query.
fn percent_encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[tokio::test]
async fn what_is_shown_is_taken_from_the_state_without_copies_and_without_the_rest() {
    let world = World::new();
    world
        .post(
            "/services",
            json!({"name": "Shop", "escalation_policy_id": null}),
        )
        .await;
    fires(&world, json!([down("web-1"), down("web-2")])).await;
    let mut over = down("web-2");
    over["endsAt"] = json!(START.to_rfc3339());
    fires(&world, json!([over])).await;
    let matchers = json!([{"name": "instance", "value": "web-.", "isRegex": true}]);
    let id = silenced(&world, matchers.clone()).await;
    let mut later = silence(matchers);
    later["startsAt"] = json!(START.plus_ms(60_000).to_rfc3339());
    let made = post(&world, "/silences", later).await;
    assert_eq!(made.status, StatusCode::OK, "{}", made.text());
    world.engine.read(|state| {
        assert!(state.sight_of_firing(START, &[]).incidents.is_empty());
        let sight = state.sight_of_open(START, &[]);
        assert_eq!((state.alerts.len(), sight.alerts.len()), (2, 1));
        let alert = sight.alerts.keys().next().unwrap();
        assert!(sight.alerts.is_shared(alert, &state.alerts));
        assert_eq!(sight.open_incidents, state.open_incidents);
        for incident in sight.open_incidents.iter() {
            assert!(sight.incidents.is_shared(incident, &state.incidents));
        }
        assert_eq!((state.services.len(), sight.services.len()), (2, 1));
        assert_eq!((state.windows.len(), sight.windows.len()), (2, 1));
    });
    let shown = get(&world, "/alerts").await;
    assert_eq!(shown.as_array().unwrap().len(), 1);
    assert_eq!(shown[0]["status"]["silencedBy"], json!([id]));
    let groups = get(&world, "/alerts/groups").await;
    assert_eq!(groups[0]["alerts"], shown);
}

#[tokio::test]
async fn alerts_are_counted_by_how_they_stand_by_our_clock() {
    let world = World::new();
    fires(&world, json!([down("web-1"), down("web-2")])).await;
    // To a clock that is four minutes ahead of its sender's, what fires is over; it is known nowhere else.
    let mut over = down("web-3");
    over["endsAt"] = json!(START.to_rfc3339());
    fires(&world, json!([over])).await;
    assert_eq!(get(&world, "/alerts").await.as_array().unwrap().len(), 2);
    let token = format!("Bearer {}", world.viewer);
    let request = Request::get("/metrics").header(header::AUTHORIZATION, token);
    let metrics = world.send(request.body(Body::empty()).unwrap()).await;
    let metrics = metrics.text();
    for line in [
        "tocsin_alerts_received_total{status=\"firing\"} 2",
        "tocsin_alerts_received_total{status=\"resolved\"} 1",
    ] {
        assert!(metrics.contains(line), "{line} in {metrics}");
    }
}

#[tokio::test]
async fn what_a_plain_filter_leaves_out_is_not_held_and_the_other_filters_are_asked_of_the_rest() {
    let world = World::new();
    fires(&world, json!([down("web-1"), down("web-2"), down("db-1")])).await;
    let held = |label: &str, value: &str| {
        let wanted = [LabelMatcher::new(label, LabelTest::Equals, value).unwrap()];
        let held = |state: &State| state.sight_of_open(START, &wanted).alerts.len();
        world.engine.read(held)
    };
    assert_eq!(held("instance", "web-1"), 1);
    assert_eq!(held("instance", "web-3"), 0);
    let service = world.engine.read(|state| {
        let alert = state.alerts.values().next().unwrap();
        state.services[&alert.service].name.clone()
    });
    assert_eq!(held(SERVICE_LABEL, &service), 3);
    for (query, count) in [
        ("filter=alertname%3DDown", 3),
        ("filter=alertname%3DDown&filter=instance%3D~%22web-.%22", 2),
        ("filter=alertname%3DDown&filter=instance!%3Dweb-1", 2),
        ("filter=instance%3Dweb-1&filter=instance%3Dweb-2", 0),
        ("filter=instance%3Dweb-1&receiver=none", 0),
    ] {
        let shown = get(&world, &format!("/alerts?{query}")).await;
        assert_eq!(shown.as_array().unwrap().len(), count, "{query}");
        let groups = get(&world, &format!("/alerts/groups?{query}")).await;
        let groups = groups.as_array().unwrap().iter();
        let grouped = groups.map(|group| group["alerts"].as_array().unwrap().len());
        assert_eq!(grouped.sum::<usize>(), count, "{query}");
    }
}

#[tokio::test]
async fn grafana_takes_the_address_with_the_prefix_for_an_alertmanager_and_not_for_a_mimir() {
    let world = World::new();
    let asked = async |path: &str| world.call_at("GET", path, &world.viewer, None).await.status;
    // What its data source asks for, in this order: an answer to the first is a Mimir to it.
    for (address, mimir, own) in [
        ("/alertmanager", StatusCode::NOT_FOUND, StatusCode::OK),
        ("", StatusCode::OK, StatusCode::OK),
    ] {
        let probed = asked(&format!("{address}/alertmanager/api/v2/status")).await;
        assert_eq!(probed, mimir, "{address}");
        let probed = asked(&format!("{address}/api/v2/status")).await;
        assert_eq!(probed, own, "{address}");
    }
}
