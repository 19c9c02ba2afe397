//! Schedules by the API: layers, what is changed by hand, rendering, previews, whose shifts are when.

use axum::http::StatusCode;
use serde_json::{Value, json};
use tocsin_domain::people::{Role, TokenBounds};
use tocsin_edge::ports::{Accounts, NewToken};

use crate::fakes::START;
use crate::world::{Answered, World, add_person};

/// Ada and Bob by the day at 09:00 in Paris, from before the test begins.
pub(crate) async fn days(world: &World) -> String {
    let body = json!({"name": "Days", "time_zone": "Europe/Paris", "layers": [{
        "start": "2026-11-01T08:00:00Z", "turn": {"every": 1, "unit": "days"},
        "members": [world.ada.to_string(), world.bob.to_string()],
    }]});
    let made = world.post("/schedules", body).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    made.json()["id"].as_str().unwrap().to_owned()
}

/// The first shift of a person that begins after the test has, as (from, until).
pub(crate) async fn shift_ahead(world: &World, id: &str, name: &str) -> (String, String) {
    let rendered = world.get(&format!("/schedules/{id}/rendered")).await.json();
    let all = rendered["final"].as_array().unwrap();
    let mut ahead = all.iter().skip(1);
    let own = ahead.find(|entry| entry["user"]["name"] == name).unwrap();
    let text = |key: &str| own[key].as_str().unwrap().to_owned();
    (text("from"), text("until"))
}

fn check(answer: &Answered, status: StatusCode, reason: &str) {
    assert_eq!(answer.status, status, "{}", answer.text());
    let kind = answer.headers["content-type"].to_str().unwrap();
    assert_eq!(kind, "application/problem+json");
    let told = answer.text();
    assert!(told.contains(reason), "{told}");
}

#[tokio::test]
async fn a_schedule_of_several_layers_comes_back_as_it_was_sent() {
    let world = World::new();
    let layers = json!([
        {"start": "2026-11-23T08:00:00.000Z", "until": null, "time_zone": null, "hand_off": null,
         "turn": {"every": 1, "unit": "weeks"}, "members": [world.ada.to_string()], "restrictions": []},
        {"start": "2026-11-23T08:00:00.000Z", "until": "2027-11-23T08:00:00.000Z", "time_zone": "Asia/Tokyo",
         "hand_off": "2026-11-23T09:30", "turn": {"every": 12, "unit": "hours"},
         "members": [world.bob.to_string(), world.ada.to_string()], "restrictions": [
            {"kind": "daily", "from": "22:00", "until": "06:00"},
            {"kind": "weekly", "from": {"weekday": "friday", "time": "18:00"}, "until": {"weekday": "monday", "time": "08:00:30"}}]},
    ]);
    let body = json!({"name": "All", "time_zone": "Europe/Paris", "layers": layers});
    let made = world.post("/schedules", body).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    assert_eq!(made.json()["layers"], layers);
    let id = made.json()["id"].as_str().unwrap().to_owned();
    let got = world.get(&format!("/schedules/{id}")).await.json();
    assert_eq!(got, made.json());
    let names: Vec<&str> = got["people"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["name"].as_str().unwrap())
        .collect();
    assert_eq!(names.len(), 2);
    let missing = world.get("/schedules/QAAAAAAAAAAAAA").await;
    check(&missing, StatusCode::NOT_FOUND, "there is no schedule");
}

#[tokio::test]
async fn a_wrong_layer_is_refused_with_its_place() {
    let world = World::new();
    let layer = |change: Value| {
        let mut layer = json!({"start": "2026-11-23T08:00:00Z", "turn": {"every": 1, "unit": "days"},
            "members": [world.ada.to_string()]});
        for (key, value) in change.as_object().unwrap() {
            layer[key] = value.clone();
        }
        json!({"name": "x", "time_zone": "UTC", "layers": [layer]})
    };
    for (body, reason) in [
        (
            layer(json!({"members": ["root"]})),
            "layers[0].members[0]: not an id of a person",
        ),
        (
            layer(json!({"members": ["QAAAAAAAAAAAAA"]})),
            "layers[0].members[0]: there is no person",
        ),
        (
            layer(json!({"hand_off": "noon"})),
            "layers[0].hand_off: a civil time is",
        ),
        (
            layer(json!({"restrictions": [{"kind": "daily", "from": "9", "until": "17:00"}]})),
            "layers[0].restrictions[0].from: a time of day is",
        ),
        (
            layer(json!({"restrictions": [{"kind": "daily", "from": "09:00", "until": "09:00"}]})),
            "layers[0].restrictions[0]: ends when it begins",
        ),
        (
            layer(json!({"time_zone": "Mars/Olympus"})),
            "layers[0].time_zone: ",
        ),
        (
            layer(json!({"until": "2026-11-22T08:00:00Z"})),
            "layers[0].until: must be later than its start",
        ),
        (layer(json!({"surprise": 1})), "surprise"),
        (
            json!({"name": "x", "time_zone": "UTC"}),
            "layers: say either layers or layer",
        ),
    ] {
        check(
            &world.post("/schedules", body).await,
            StatusCode::BAD_REQUEST,
            reason,
        );
    }
}

#[tokio::test]
async fn a_rendered_range_is_filled_and_says_what_puts_each_on_call() {
    let world = World::new();
    let id = days(&world).await;
    let body =
        json!({"user_id": world.bob.to_string(), "until": START.plus_ms(3_600_000).to_rfc3339()});
    let path = format!("/schedules/{id}/overrides");
    let added = world.call("POST", &path, &world.bobs, Some(body)).await;
    assert_eq!(added.status, StatusCode::CREATED, "{}", added.text());
    assert_eq!(added.json()["user"]["name"], "Bob");
    let until = START.plus_ms(2 * 86_400_000).to_rfc3339();
    let rendered = world
        .get(&format!("/schedules/{id}/rendered?until={until}"))
        .await;
    assert_eq!(rendered.status, StatusCode::OK, "{}", rendered.text());
    let rendered = rendered.json();
    let all = rendered["final"].as_array().unwrap();
    assert_eq!(
        all[0]["reason"],
        json!({"kind": "override", "layer": null, "id": added.json()["id"]})
    );
    assert_eq!(
        all[1]["reason"],
        json!({"kind": "layer", "layer": 0, "id": null})
    );
    assert_eq!(all[0]["from"], rendered["since"]);
    assert_eq!(all.last().unwrap()["until"], json!(until));
    for pair in all.windows(2) {
        assert_eq!(pair[0]["until"], pair[1]["from"]);
    }
    assert_eq!(
        rendered["layers"][0]["entries"][0]["reason"]["kind"],
        "layer"
    );
    assert_eq!(rendered["gap_seconds"], 0);
    let removed = format!("{path}/{}", added.json()["id"].as_str().unwrap());
    let removed = world.call("DELETE", &removed, &world.bobs, None).await;
    assert_eq!(removed.status, StatusCode::NO_CONTENT, "{}", removed.text());
}

#[tokio::test]
async fn a_range_that_is_wrong_or_too_long_is_refused_by_its_field() {
    let world = World::new();
    let id = days(&world).await;
    for (query, reason) in [
        ("since=yesterday", "since: an instant is written as in"),
        (
            "since=2026-11-23T00:00:00Z&until=2026-11-23T00:00:00Z",
            "until: the range must end after it begins",
        ),
        (
            "since=2026-11-23T00:00:00Z&until=2028-11-23T00:00:00Z",
            "until: the range must be at most 400 days long",
        ),
        (
            "since=1800-11-23T00:00:00Z",
            "until: the range must lie in the years",
        ),
    ] {
        let refused = world
            .get(&format!("/schedules/{id}/rendered?{query}"))
            .await;
        check(&refused, StatusCode::BAD_REQUEST, reason);
    }
}

#[tokio::test]
async fn a_preview_shows_what_it_would_change_and_changes_nothing() {
    let world = World::new();
    let id = days(&world).await;
    let before = world.get(&format!("/schedules/{id}")).await.json();
    let body = json!({
        "schedule_id": id,
        "since": "2026-12-01T08:00:00Z", "until": "2026-12-04T08:00:00Z",
        "overrides": [{"user_id": world.bob.to_string(), "from": "2026-12-01T08:00:00Z", "until": "2026-12-03T08:00:00Z"}],
    });
    let preview = world
        .call("POST", "/schedules/preview", &world.viewer, Some(body))
        .await;
    assert_eq!(preview.status, StatusCode::OK, "{}", preview.text());
    let changes = preview.json()["changes"].as_array().unwrap().clone();
    assert_eq!(changes.len(), 1, "{changes:?}");
    assert_eq!(
        (&changes[0]["before"]["name"], &changes[0]["after"]["name"]),
        (&json!("Ada"), &json!("Bob"))
    );
    let empty = json!({"schedule_id": id, "layers": [], "since": "2026-12-01T08:00:00Z", "until": "2026-12-03T08:00:00Z"});
    let preview = world.post("/schedules/preview", empty).await.json();
    assert_eq!(preview["final"][0]["gap"], true);
    assert_eq!(preview["gap_seconds"], 2 * 86_400);
    assert_eq!(preview["changes"].as_array().unwrap().len(), 2);
    let new = json!({"time_zone": "UTC", "layers": [{"start": "2026-12-01T00:00:00Z", "turn": {"every": 1, "unit": "weeks"},
        "members": [world.bob.to_string()]}], "since": "2026-12-01T00:00:00Z", "until": "2026-12-08T00:00:00Z"});
    let preview = world.post("/schedules/preview", new).await.json();
    assert_eq!(preview["changes"][0]["before"], Value::Null);
    let stranger = json!({"time_zone": "UTC", "layers": [{"start": "2026-12-01T00:00:00Z", "turn": {"every": 1, "unit": "weeks"},
        "members": ["QAAAAAAAAAAAAA"]}]});
    let refused = world.post("/schedules/preview", stranger).await;
    check(
        &refused,
        StatusCode::BAD_REQUEST,
        "layers: there is no person",
    );
    assert_eq!(world.get(&format!("/schedules/{id}")).await.json(), before);
}

#[tokio::test]
async fn two_people_swap_by_an_offer_and_nobody_answers_for_another() {
    let world = World::new();
    let id = days(&world).await;
    let cyd = add_person(
        &world.engine,
        world.vault.as_ref(),
        "Cyd",
        "cyd@example.org",
        Role::Responder,
    );
    let new = NewToken {
        name: "t".to_owned(),
        role: Role::Responder,
        user: Some(cyd),
        made_by: Some(cyd),
        expires_at: None,
        bounds: TokenBounds::default(),
    };
    let cyds = world.doors.add_token(new, START).unwrap().1;
    let (adas, bobs) = (
        shift_ahead(&world, &id, "Ada").await,
        shift_ahead(&world, &id, "Bob").await,
    );
    let body = json!({
        "one": {"user_id": world.bob.to_string(), "from": bobs.0, "until": bobs.1},
        "other": {"user_id": world.ada.to_string(), "from": adas.0, "until": adas.1},
    });
    let path = format!("/schedules/{id}/swaps");
    let foreign = world.call("POST", &path, &cyds, Some(body.clone())).await;
    check(&foreign, StatusCode::FORBIDDEN, "one of its two people");
    let nobodys = world
        .call("POST", &path, &world.responder, Some(body.clone()))
        .await;
    check(&nobodys, StatusCode::FORBIDDEN, "this needs a person");
    let offered = world.call("POST", &path, &world.bobs, Some(body)).await;
    assert_eq!(offered.status, StatusCode::CREATED, "{}", offered.text());
    let offered = offered.json();
    assert_eq!(
        (&offered["state"], &offered["awaits"]["name"]),
        (&json!("offered"), &json!("Ada"))
    );
    let swap = offered["id"].as_str().unwrap();
    for token in [&world.bobs, &cyds] {
        let answer = world
            .call("POST", &format!("{path}/{swap}/accept"), token, None)
            .await;
        check(&answer, StatusCode::FORBIDDEN, "to whom it was offered");
    }
    let taken = world
        .call("POST", &format!("{path}/{swap}/accept"), &world.admin, None)
        .await;
    assert_eq!(taken.status, StatusCode::OK, "{}", taken.text());
    assert_eq!(taken.json()["swaps"][0]["state"], "agreed");
    assert_eq!(shift_ahead(&world, &id, "Ada").await.0, bobs.0);
    let gone = world
        .call(
            "POST",
            &format!("{path}/{swap}/decline"),
            &world.admin,
            None,
        )
        .await;
    check(&gone, StatusCode::NOT_FOUND, "offered swap");
}

#[tokio::test]
async fn layers_and_temporary_shifts_are_for_administrators() {
    let world = World::new();
    let id = days(&world).await;
    let body = json!({"from": "2026-12-01T08:00:00Z", "until": "2026-12-02T08:00:00Z", "members": [world.bob.to_string()]});
    let path = format!("/schedules/{id}/temporary");
    let refused = world
        .call("POST", &path, &world.bobs, Some(body.clone()))
        .await;
    check(&refused, StatusCode::FORBIDDEN, "admin");
    let added = world.post(&path, body).await;
    assert_eq!(added.status, StatusCode::CREATED, "{}", added.text());
    assert_eq!(added.json()["members"][0]["name"], "Bob");
    let shown = world.get(&format!("/schedules/{id}")).await.json();
    assert_eq!(shown["temporary"][0]["id"], added.json()["id"]);
    let own = format!("{path}/{}", added.json()["id"].as_str().unwrap());
    let removed = world.call("DELETE", &own, &world.admin, None).await;
    assert_eq!(removed.status, StatusCode::NO_CONTENT);
    let again = world.call("DELETE", &own, &world.admin, None).await;
    check(&again, StatusCode::NOT_FOUND, "temporary shift");
}

#[tokio::test]
async fn everybody_sees_who_has_duty_now_and_next_and_their_own_shifts() {
    let world = World::new();
    let id = days(&world).await;
    let now = world.get("/oncall").await.json();
    let days = now["schedules"].as_array().unwrap();
    let days = days
        .iter()
        .find(|one| one["schedule"]["id"] == json!(id))
        .unwrap();
    let (first, second) = (&days["now"]["user"]["name"], &days["next"]["user"]["name"]);
    assert_ne!(first, second);
    assert_eq!(days["until"], days["next"]["from"]);
    assert_eq!(days["since"], days["now"]["from"]);
    let own = world.call("GET", "/oncall/shifts", &world.bobs, None).await;
    assert_eq!(own.status, StatusCode::OK, "{}", own.text());
    let own = own.json();
    assert_eq!(own["user"]["name"], "Bob");
    let shifts = own["items"].as_array().unwrap();
    assert!((7..=8).contains(&shifts.len()), "{shifts:?}");
    assert!(shifts.iter().all(|one| one["schedule"]["name"] == "Days"));
    let others = world
        .get(&format!("/oncall/shifts?user={}", world.ada))
        .await
        .json();
    assert!(others["items"].as_array().unwrap().len() >= 8);
    let nobodys = world
        .call("GET", "/oncall/shifts", &world.viewer, None)
        .await;
    check(&nobodys, StatusCode::BAD_REQUEST, "user: say whose shifts");
}

#[tokio::test]
async fn what_will_be_wrong_is_listed_with_what_it_is_about() {
    let world = World::new();
    world.set_up_mail().await;
    let body = json!({"name": "Nobody", "time_zone": "UTC", "layers": []});
    let id = world.post("/schedules", body).await.json()["id"].clone();
    let policy = json!({"name": "Web", "repeat": 0, "levels": [
        {"delay_minutes": 5, "targets": [{"kind": "schedule", "id": id}]}]});
    world.post("/escalation-policies", policy).await;
    let found = world
        .call("GET", "/oncall/findings", &world.viewer, None)
        .await;
    assert_eq!(found.status, StatusCode::OK, "{}", found.text());
    let found = found.json();
    assert_eq!(found["days"], 14);
    let of = |kind: &str| {
        let all = found["items"].as_array().unwrap();
        let found = all.iter().find(|one| one["kind"] == kind);
        found.unwrap_or_else(|| panic!("{kind} in {all:?}")).clone()
    };
    assert_eq!(of("empty_schedule")["schedule"]["name"], "Nobody");
    let level = of("empty_level");
    assert_eq!(
        (&level["policy"]["name"], &level["level"]),
        (&json!("Web"), &json!(1))
    );
    assert_eq!(level["until"], Value::Null);
}

#[tokio::test]
async fn a_list_of_last_resort_that_nobody_would_hear_is_listed_and_told_by_the_doctor() {
    let world = World::new();
    let list = json!({"users": [world.bob.to_string()]});
    let set = world
        .call("PUT", "/fallback", &world.admin, Some(list))
        .await;
    assert_eq!(set.status, StatusCode::OK, "{}", set.text());
    let found = world.get("/oncall/findings").await.json();
    let items = found["items"].as_array().unwrap();
    let deaf = items.iter().find(|one| one["kind"] == "last_resort");
    let text = deaf.unwrap()["text"].as_str().unwrap();
    assert!(text.ends_with("verified contact method: Bob"), "{text}");
    let diagnosis = world.get("/doctor").await.json();
    let checks = diagnosis["checks"].as_array().unwrap();
    let check = checks.iter().find(|check| check["name"] == "last resort");
    assert_eq!(check.unwrap()["state"], "warn");
    world
        .reach(world.bob, "ntfy", "https://ntfy.example.org/topic", None)
        .await;
    let found = world.get("/oncall/findings").await.json();
    let items = found["items"].as_array().unwrap();
    assert!(items.iter().all(|one| one["kind"] != "last_resort"));
}

#[tokio::test]
async fn a_level_whose_only_person_was_removed_is_shown_as_one_that_pages_nobody() {
    let world = World::new();
    world.set_up_mail().await;
    let level =
        |user: String| json!({"delay_minutes": 5, "targets": [{"kind": "user", "id": user}]});
    let levels = [world.bob, world.ada].map(|user| level(user.to_string()));
    let policy = json!({"name": "Nights", "repeat": 0, "levels": levels});
    let made = world.post("/escalation-policies", policy).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    let path = format!("/users/{}", world.bob);
    let removed = world.call("DELETE", &path, &world.admin, None).await;
    assert_eq!(removed.status, StatusCode::NO_CONTENT);
    let now = world.get("/oncall").await.json();
    let places = now["items"].as_array().unwrap().iter();
    let mut places = places.filter(|one| one["policy"]["name"] == "Nights");
    let (first, second) = (places.next().unwrap(), places.next().unwrap());
    assert_eq!((&first["level"], &first["user"]), (&json!(1), &Value::Null));
    let problem = first["problem"].as_str().unwrap();
    assert!(problem.contains("was removed"), "{problem}");
    assert_eq!(second["problem"], Value::Null);
    assert_eq!(second["user"]["name"], "Ada");
}

#[tokio::test]
async fn a_duty_of_two_turns_is_told_from_its_first_to_its_last_instant() {
    let world = World::new();
    let (ada, bob) = (world.ada.to_string(), world.bob.to_string());
    let body = json!({"name": "Weeks", "time_zone": "UTC", "layers": [{
        "start": "2026-11-01T08:00:00Z", "turn": {"every": 1, "unit": "weeks"}, "members": [ada, ada, ada, ada, ada, bob],
    }]});
    let made = world.post("/schedules", body).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    let id = made.json()["id"].clone();
    let targets = json!([{"kind": "schedule", "id": id}]);
    let policy = json!({"name": "Nights", "repeat": 0, "levels": [{"delay_minutes": 5, "targets": targets}]});
    let made = world.post("/escalation-policies", policy).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    let now = world.get("/oncall").await.json();
    let duties = now["schedules"].as_array().unwrap();
    let duty = duties
        .iter()
        .find(|one| one["schedule"]["id"] == id)
        .unwrap();
    assert_eq!(duty["now"]["user"]["name"], "Ada");
    assert_eq!(duty["since"], "2026-11-01T08:00:00.000Z");
    assert_eq!(duty["until"], "2026-12-06T08:00:00.000Z");
    assert_ne!(duty["now"]["from"], duty["since"]);
    assert_ne!(duty["now"]["until"], duty["until"]);
    let places = now["items"].as_array().unwrap();
    let place = places.iter().find(|one| one["policy"]["name"] == "Nights");
    assert_eq!(place.unwrap()["until"], duty["until"]);
}

#[tokio::test]
async fn a_person_says_whether_they_want_word_when_duty_passes_to_them() {
    let world = World::new();
    let path = format!("/users/{}/notices", world.bob);
    let now = world.call("GET", &path, &world.bobs, None).await;
    assert_eq!(now.json(), json!({"hand_off": true}));
    let off = json!({"hand_off": false});
    let set = world
        .call("PUT", &path, &world.bobs, Some(off.clone()))
        .await;
    assert_eq!((set.status, set.json()), (StatusCode::OK, off.clone()));
    assert_eq!(world.get(&path).await.json(), off);
    let others = format!("/users/{}/notices", world.ada);
    let refused = world.call("PUT", &others, &world.bobs, Some(off)).await;
    check(
        &refused,
        StatusCode::FORBIDDEN,
        "to be the person it is about",
    );
}
