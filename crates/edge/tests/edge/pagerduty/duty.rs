//! Schedules, overrides, on-calls, log entries and notifications of PagerDuty's REST API.

use axum::http::StatusCode;
use serde_json::{Value, json};
use tocsin_domain::command::{Ask, RosterAsk};
use tocsin_domain::oncall::{Layer, Restriction, Turn, TurnUnit};

use super::roster::{changed, gone, id_of, made, user};
use super::{ada, ask, read, refused};
use crate::fakes::START;
use crate::world::World;

pub(super) fn weekly(world: &World) -> Value {
    json!({"schedule": {
        "type": "schedule", "name": "Primary", "time_zone": "Europe/Paris",
        "schedule_layers": [
            {
                "name": "Everybody", "start": "2026-01-05T09:00:00+01:00", "rotation_virtual_start": "2026-01-05T09:00:00+01:00",
                "rotation_turn_length_seconds": 604_800, "users": [{"user": user(world)}],
            },
            {
                "name": "Nights", "start": "2026-01-05T09:00:00+01:00", "rotation_virtual_start": "2026-01-05T09:00:00+01:00",
                "rotation_turn_length_seconds": 86_400,
                "users": [{"user": {"id": world.ada.to_string(), "type": "user_reference"}}],
                "restrictions": [{"type": "daily_restriction", "start_time_of_day": "22:00:00", "duration_seconds": 28_800}],
            },
        ],
    }})
}

#[tokio::test]
async fn a_schedule_is_added_read_over_a_span_and_changed() {
    let world = World::new();
    let primary = made(&world, "/schedules", weekly(&world)).await["schedule"].clone();
    let path = format!("/schedules/{}", id_of(&primary));
    let plain = read(&world, &path).await["schedule"].clone();
    assert_eq!(
        plain["final_schedule"]["rendered_schedule_entries"],
        json!([])
    );
    // The layer that wins stands first.
    let nights = plain["schedule_layers"][0].clone();
    assert_eq!(nights["rotation_turn_length_seconds"], 86_400);
    assert_eq!(nights["rotation_virtual_start"], "2026-01-05T08:00:00Z");
    assert_eq!(nights["restrictions"][0]["start_time_of_day"], "22:00:00");
    assert_eq!(nights["restrictions"][0]["duration_seconds"], 28_800);
    let span = "since=2026-12-01T12:00:00%2B0100&until=2026-12-02T12:00:00%2B0100";
    let day = read(&world, &format!("{path}?{span}")).await["schedule"].clone();
    let entries = day["final_schedule"]["rendered_schedule_entries"]
        .as_array()
        .unwrap()
        .clone();
    let who: Vec<&Value> = entries.iter().map(|one| &one["user"]["id"]).collect();
    let (ada_id, bob_id) = (json!(world.ada.to_string()), json!(world.bob.to_string()));
    assert_eq!(who, [&bob_id, &ada_id, &bob_id]);
    assert_eq!(entries[1]["start"], "2026-12-01T21:00:00Z");
    assert_eq!(day["final_schedule"]["rendered_coverage_percentage"], 100.0);
    let users = read(&world, &format!("{path}/users?{span}")).await;
    assert_eq!(users["users"].as_array().unwrap().len(), 2);
    let renamed = changed(&world, &path, json!({"schedule": {"name": "First"}})).await;
    assert_eq!(
        renamed["schedule"]["schedule_layers"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    for wrong in [
        "since=2026-12-02&until=2026-12-01",
        "since=2020-01-01&until=2026-01-01",
    ] {
        let answer = ada(&world, ("GET", &format!("{path}?{wrong}")), None).await;
        refused(&answer, 400, 2001);
    }
    let whole = "since=2026-12-01&until=2026-12-15";
    let whole = read(&world, &format!("{path}?{whole}")).await;
    for end in ["since=2026-12-01", "until=2026-12-15"] {
        let alone = read(&world, &format!("{path}?{end}")).await;
        assert_eq!(alone, whole, "{end}: two weeks");
        let users = read(&world, &format!("{path}/users?{end}")).await;
        assert_eq!(users["users"].as_array().unwrap().len(), 2, "{end}");
        let overrides = format!("{path}/overrides?{end}");
        refused(&ada(&world, ("GET", &overrides), None).await, 400, 2003);
    }
    let mut broken = weekly(&world);
    broken["schedule"]["time_zone"] = json!("Mars/Olympus");
    refused(
        &ada(&world, ("POST", "/schedules"), Some(broken)).await,
        400,
        2001,
    );
    gone(&world, &path).await;
}

#[tokio::test]
async fn a_schedule_is_taken_with_times_as_go_prints_them() {
    let world = World::new();
    let mut body = weekly(&world);
    let layer = &mut body["schedule"]["schedule_layers"][0];
    layer["rotation_virtual_start"] = json!("2026-01-05 08:00:00 +0000 UTC");
    layer["end"] = json!("2027-01-04 08:00:00 +0000 UTC");
    let primary = made(&world, "/schedules", body).await["schedule"].clone();
    // The layer that was sent first stands last.
    let layer = &primary["schedule_layers"][1];
    assert_eq!(layer["rotation_virtual_start"], "2026-01-05T08:00:00Z");
    assert_eq!(layer["end"], "2027-01-04T08:00:00Z");
}

#[tokio::test]
async fn a_layer_keeps_a_zone_of_its_own_when_its_schedule_is_written_back() {
    let world = World::new();
    let turn = Turn {
        every: 1,
        unit: TurnUnit::Weeks,
    };
    let weeks = Layer::rotation(START, turn, vec![world.ada]);
    let days = Layer {
        time_zone: Some("Asia/Kolkata".to_owned()),
        hand_off: Some("2026-11-23T12:30".parse().unwrap()),
        restrictions: vec![Restriction::Daily {
            from: "09:00".parse().unwrap(),
            until: "17:00".parse().unwrap(),
        }],
        ..Layer::rotation(START, turn, vec![world.bob])
    };
    world.does(Ask::Roster(RosterAsk::SetSchedule {
        id: None,
        name: "Days".to_owned(),
        time_zone: "America/New_York".to_owned(),
        layers: vec![weeks, days],
    }));
    let known = || {
        world.engine.read(|state| {
            let mut all = state.schedules.values();
            all.find(|one| one.name == "Days").unwrap().clone()
        })
    };
    let before = known();
    let path = format!("/schedules/{}", before.id);
    let shown = read(&world, &path).await["schedule"]["schedule_layers"].clone();
    assert_eq!(shown[0]["time_zone"], "Asia/Kolkata");
    assert_eq!(shown[0]["rotation_virtual_start"], "2026-11-23T07:00:00Z");
    assert_eq!(shown[1].get("time_zone"), None);
    let body = |layers: Value| json!({"schedule": {"schedule_layers": layers}});
    let without = |layer: &Value, names: &[&str]| {
        let mut layer = layer.clone();
        for name in names {
            layer.as_object_mut().unwrap().remove(*name);
        }
        layer
    };
    // Answers begin with the layer that wins, requests with the first.
    let as_shown = json!([shown[1], shown[0]]);
    let by_id = json!([shown[1], without(&shown[0], &["time_zone"])]);
    let by_place = json!([
        without(&shown[1], &["id"]),
        without(&shown[0], &["id", "time_zone"])
    ]);
    for layers in [as_shown, by_id, by_place] {
        changed(&world, &path, body(layers.clone())).await;
        let mut after = known().layers;
        // How the first turn of the other is told does not matter here.
        after[0].hand_off = None;
        assert_eq!(after, before.layers, "{layers}");
    }
    // A new one before it takes nothing of it, and it keeps what it has.
    let new = without(&shown[1], &["id"]);
    let three = json!([new, shown[1], without(&shown[0], &["time_zone"])]);
    changed(&world, &path, body(three)).await;
    let layers = known().layers.into_iter();
    let zones: Vec<Option<String>> = layers.map(|one| one.time_zone).collect();
    assert_eq!(zones, [None, None, Some("Asia/Kolkata".to_owned())]);
    // That of the schedule is none of its own, and one that nobody knows is refused.
    let mut own = shown[0].clone();
    own["time_zone"] = json!("America/New_York");
    changed(&world, &path, body(json!([own]))).await;
    assert_eq!(known().layers[0].time_zone, None);
    own["time_zone"] = json!("Mars/Olympus");
    let answer = ada(&world, ("PUT", &path), Some(body(json!([own])))).await;
    let told = refused(&answer, 400, 2001);
    assert!(told.contains("Mars/Olympus"), "{told}");
}

#[tokio::test]
async fn a_schedule_that_a_policy_pages_is_not_removed_and_the_provider_is_told_why() {
    let world = World::new();
    let primary = made(&world, "/schedules", weekly(&world)).await["schedule"].clone();
    let rule = |targets: Value| json!([{"escalation_delay_in_minutes": 5, "targets": targets}]);
    let both = rule(json!([{"id": primary["id"], "type": "schedule_reference"}, user(&world)]));
    let body = json!({"escalation_policy": {"name": "Both", "escalation_rules": both}});
    let policy = made(&world, "/escalation_policies", body).await["escalation_policy"].clone();
    let path = format!("/schedules/{}", id_of(&primary));
    let answer = ada(&world, ("DELETE", &path), None).await;
    refused(&answer, 400, 2001);
    let told = json!(["Schedule can't be deleted if it's being used by escalation policies"]);
    assert_eq!(answer.json()["error"]["errors"], told);
    let without = json!({"escalation_policy": {"escalation_rules": rule(json!([user(&world)]))}});
    let policy = format!("/escalation_policies/{}", id_of(&policy));
    changed(&world, &policy, without).await;
    gone(&world, &path).await;
}

#[tokio::test]
async fn a_schedule_is_tried_and_not_kept() {
    let world = World::new();
    let before = read(&world, "/schedules?total=true").await["total"].clone();
    let span = "since=2026-12-01T12:00:00%2B0100&until=2026-12-02T12:00:00%2B0100";
    let path = format!("/schedules/preview?{span}");
    let body = || Some(weekly(&world));
    let tried = ask(&world, ("POST", &path), &world.viewer, None, body()).await;
    assert_eq!(tried.status, StatusCode::OK, "{}", tried.text());
    let tried = tried.json()["schedule"].clone();
    let entries = tried["final_schedule"]["rendered_schedule_entries"].clone();
    assert_eq!(entries.as_array().unwrap().len(), 3);
    assert_eq!(entries[1]["user"]["id"], world.ada.to_string());
    assert_eq!((&tried["id"], &tried["self"]), (&Value::Null, &Value::Null));
    let after = read(&world, "/schedules?total=true").await["total"].clone();
    assert_eq!(after, before);
    let bare = ("POST", "/schedules/preview");
    refused(&ada(&world, bare, body()).await, 400, 2003);
    let mut broken = weekly(&world);
    broken["schedule"]["time_zone"] = json!("Mars/Olympus");
    refused(&ada(&world, ("POST", &path), Some(broken)).await, 400, 2001);
}

#[tokio::test]
async fn overrides_are_added_listed_and_taken_back() {
    let world = World::new();
    let primary = made(&world, "/schedules", weekly(&world)).await["schedule"].clone();
    let path = format!("/schedules/{}/overrides", id_of(&primary));
    let begin = START.plus_ms(3_600_000).to_rfc3339();
    let end = START.plus_ms(7_200_000).to_rfc3339();
    let good = json!({"start": begin, "end": end, "user": user(&world)});
    let bad = json!({"start": end, "end": begin, "user": user(&world)});
    let answers = made(&world, &path, json!({"overrides": [good, bad]})).await;
    assert_eq!(
        (&answers[0]["status"], &answers[1]["status"]),
        (&json!(201), &json!(400))
    );
    let one = ask(
        &world,
        ("POST", &path),
        &world.bobs,
        None,
        Some(json!({"override": good})),
    )
    .await;
    assert_eq!(one.status, StatusCode::CREATED, "{}", one.text());
    let since = START.to_rfc3339();
    let until = START.plus_ms(86_400_000).to_rfc3339();
    let listed = read(&world, &format!("{path}?since={since}&until={until}")).await;
    assert!(!listed["overrides"].as_array().unwrap().is_empty());
    let span = format!("since={since}&until={until}");
    let editable = read(&world, &format!("{path}?{span}&editable=true")).await;
    let first = json!({"id": listed["overrides"][0]["id"]});
    assert_eq!(editable["overrides"][0], first, "only the id is told");
    refused(&ada(&world, ("GET", &path), None).await, 400, 2003);
    let id = one.json()["override"]["id"].as_str().unwrap().to_owned();
    let removed = ada(&world, ("DELETE", &format!("{path}/{id}")), None).await;
    assert_eq!(removed.status, StatusCode::NO_CONTENT, "{}", removed.text());
    refused(
        &ada(&world, ("DELETE", &format!("{path}/{id}")), None).await,
        404,
        2100,
    );
}

#[tokio::test]
async fn what_goes_on_beyond_a_span_is_cut_to_it_unless_it_is_asked_for() {
    let world = World::new();
    let primary = made(&world, "/schedules", weekly(&world)).await["schedule"].clone();
    let path = format!("/schedules/{}", id_of(&primary));
    let body = json!({"start": "2026-12-01T10:00:00Z", "end": "2026-12-01T14:00:00Z", "user": user(&world)});
    let overrides = format!("{path}/overrides");
    made(&world, &overrides, json!({ "override": body })).await;
    // In the midst of the override, and of one night.
    for (span, part, begin, end) in [
        (
            "11:00:00Z&until=2026-12-01T12:00:00Z",
            "overrides_subschedule",
            "10:00:00Z",
            "14:00:00Z",
        ),
        (
            "22:00:00Z&until=2026-12-01T23:00:00Z",
            "final_schedule",
            "21:00:00Z",
            "05:00:00Z",
        ),
    ] {
        let query = format!("{path}?since=2026-12-01T{span}");
        let cut = read(&world, &query).await["schedule"].clone();
        let cut = cut[part]["rendered_schedule_entries"][0].clone();
        assert!(query.contains(cut["start"].as_str().unwrap()), "{cut}");
        assert!(query.ends_with(cut["end"].as_str().unwrap()), "{cut}");
        let whole = read(&world, &format!("{query}&overflow=true")).await["schedule"].clone();
        let shown = &whole[part]["rendered_schedule_entries"][0];
        assert!(shown["start"].as_str().unwrap().ends_with(begin), "{shown}");
        assert!(shown["end"].as_str().unwrap().ends_with(end), "{shown}");
        assert_eq!(
            whole["final_schedule"]["rendered_coverage_percentage"],
            100.0
        );
        if part == "final_schedule" {
            let of_layer = &whole["schedule_layers"][0]["rendered_schedule_entries"][0];
            assert_eq!(of_layer, shown);
        }
    }
    let span = "since=2026-12-01T11:00:00Z&until=2026-12-01T12:00:00Z";
    for (more, end) in [
        ("", "2026-12-01T12:00:00Z"),
        ("&overflow=true", "2026-12-01T14:00:00Z"),
    ] {
        let listed = read(&world, &format!("{overrides}?{span}{more}")).await;
        assert_eq!(listed["overrides"][0]["end"], end, "{listed}");
    }
}

#[tokio::test]
async fn who_is_on_call_is_told_level_by_level() {
    let world = World::new();
    let primary = made(&world, "/schedules", weekly(&world)).await["schedule"].clone();
    let rule = |target: Value| json!({"escalation_delay_in_minutes": 5, "targets": [target]});
    let by_schedule = rule(json!({"id": primary["id"], "type": "schedule_reference"}));
    let body = json!({"escalation_policy": {"name": "Both", "escalation_rules": [by_schedule, rule(user(&world))]}});
    let both = made(&world, "/escalation_policies", body).await["escalation_policy"].clone();
    let list = read(
        &world,
        &format!("/oncalls?escalation_policy_ids[]={}", id_of(&both)),
    )
    .await;
    let oncalls = list["oncalls"].as_array().unwrap();
    assert_eq!(oncalls.len(), 2);
    assert_eq!(oncalls[0]["escalation_level"], 1);
    assert_eq!(oncalls[0]["schedule"]["id"], primary["id"]);
    assert!(oncalls[0]["start"].is_string() && oncalls[0]["end"].is_string());
    assert_eq!(
        (&oncalls[1]["start"], &oncalls[1]["schedule"]),
        (&Value::Null, &Value::Null)
    );
    let of_schedule = read(
        &world,
        &format!(
            "/oncalls?schedule_ids[]={}&include[]=users",
            id_of(&primary)
        ),
    )
    .await;
    assert_eq!(of_schedule["oncalls"][0]["user"]["type"], "user");
    // What began before now goes on until now, unless an end is said.
    let since = START.minus_ms(30 * 86_400_000).to_rfc3339();
    let query = format!("schedule_ids[]={}&since={since}", id_of(&primary));
    let turns = read(&world, &format!("/oncalls?{query}")).await["oncalls"].clone();
    assert!(turns.as_array().unwrap().len() > 1, "{turns}");
    let nobody = read(&world, "/oncalls?user_ids[]=QAAAAAAAAAAAAA").await;
    assert_eq!(nobody["oncalls"], json!([]));
}

#[tokio::test]
async fn on_calls_go_back_as_far_as_a_schedule_is_rendered_and_ninety_days_ahead() {
    let world = World::new();
    let primary = made(&world, "/schedules", weekly(&world)).await["schedule"].clone();
    let rule = json!({
        "escalation_delay_in_minutes": 5,
        "targets": [{"id": primary["id"], "type": "schedule_reference"}],
    });
    let body = json!({"escalation_policy": {"name": "Rota", "escalation_rules": [rule]}});
    made(&world, "/escalation_policies", body).await;
    let of = format!("/oncalls?total=true&schedule_ids[]={}", id_of(&primary));
    let days = |days: u64| days * 86_400_000;
    let counted = async |query: String| {
        let total = read(&world, &format!("{of}&{query}")).await["total"].clone();
        total.as_u64().unwrap()
    };
    let since = |back: u64| format!("since={}", START.minus_ms(days(back)).to_rfc3339());
    let until = |ahead: u64| format!("until={}", START.plus_ms(days(ahead)).to_rfc3339());
    let (quarter, half) = (counted(since(90)).await, counted(since(200)).await);
    assert!(half > quarter, "{half} of 200 days, {quarter} of 90");
    let said = counted(format!("{}&{}", since(200), until(0))).await;
    assert_eq!(said, half, "an end that is not said is now");
    assert!(counted(format!("{}&{}", since(200), until(90))).await > half);
    for wrong in [
        since(401),
        until(91),
        format!("{}&{}", since(320), until(81)),
    ] {
        let answer = ada(&world, ("GET", &format!("{of}&{wrong}")), None).await;
        refused(&answer, 400, 2001);
    }
}

#[tokio::test]
async fn log_entries_tell_what_happened_newest_first() {
    let world = World::new();
    let id = world.raise("web").await;
    let take = json!({"incident": {"status": "acknowledged"}});
    changed(&world, &format!("/incidents/{id}"), take).await;
    let note = json!({"note": {"content": "Looking"}});
    ada(
        &world,
        ("POST", &format!("/incidents/{id}/notes")),
        Some(note),
    )
    .await;
    let list = read(&world, &format!("/incidents/{id}/log_entries")).await;
    let entries = list["log_entries"].as_array().unwrap();
    let kinds: Vec<&str> = entries
        .iter()
        .map(|one| one["type"].as_str().unwrap())
        .collect();
    assert_eq!(kinds[0], "annotate_log_entry");
    assert_eq!(kinds[1], "acknowledge_log_entry");
    assert_eq!(kinds.last(), Some(&"trigger_log_entry"));
    assert!(kinds.contains(&"assign_log_entry"), "{kinds:?}");
    assert_eq!(entries[1]["agent"]["id"], world.ada.to_string());
    let one = read(&world, &format!("/log_entries/{}", id_of(&entries[1]))).await;
    assert_eq!(one["log_entry"]["type"], "acknowledge_log_entry");
    let all = read(&world, "/log_entries?limit=2&include[]=incidents").await;
    assert_eq!(all["log_entries"][0]["incident"]["type"], "incident");
    assert_eq!(all["more"], true);
    let overview = read(&world, "/log_entries?is_overview=true").await;
    assert_eq!(overview["log_entries"][0]["type"], "acknowledge_log_entry");
    refused(
        &ada(&world, ("GET", "/log_entries/PAAAAAAAAAAAAA"), None).await,
        404,
        2100,
    );
    assert_eq!(
        read(&world, "/log_entries?since=2100-01-01").await["log_entries"],
        json!([])
    );
}

#[tokio::test]
async fn a_log_entry_says_who_resolved_it() {
    let world = World::new();
    let id = world.raise("web").await;
    let end = json!({"incident": {"status": "resolved"}});
    changed(&world, &format!("/incidents/{id}"), end).await;
    let list = read(&world, &format!("/incidents/{id}/log_entries")).await;
    let entries = list["log_entries"].as_array().unwrap();
    let resolved = entries
        .iter()
        .find(|one| one["type"] == "resolve_log_entry");
    assert_eq!(resolved.unwrap()["summary"], "Resolved by Ada");
}

#[tokio::test]
async fn a_log_entry_names_no_level_of_those_to_whom_an_incident_was_given() {
    let world = World::new();
    world
        .reach(world.bob, "ntfy", "https://ntfy.example.org/bob", None)
        .await;
    let id = world.raise("web").await;
    let given = json!({"incident": {"assignments": [{"assignee": user(&world)}]}});
    changed(&world, &format!("/incidents/{id}"), given).await;
    let list = read(&world, &format!("/incidents/{id}/log_entries")).await;
    let entries = list["log_entries"].as_array().unwrap().iter();
    let told = entries.map(|one| one["summary"].as_str().unwrap());
    let assigned: Vec<&str> = told
        .filter(|told| told.starts_with("Assigned to "))
        .collect();
    assert_eq!(assigned.len(), 2, "{assigned:?}");
    assert!(!assigned[0].contains("level"), "{assigned:?}");
    assert!(assigned[1].ends_with("(level 1)"), "{assigned:?}");
}

#[tokio::test]
async fn notifications_need_a_span() {
    let world = World::new();
    refused(
        &ada(&world, ("GET", "/notifications"), None).await,
        400,
        2003,
    );
    let empty = read(&world, "/notifications?since=2026-01-01&until=2026-02-01").await;
    assert_eq!(empty["notifications"], json!([]));
    let long = "/notifications?since=2024-01-01&until=2026-02-01";
    refused(&ada(&world, ("GET", long), None).await, 400, 2001);
}
