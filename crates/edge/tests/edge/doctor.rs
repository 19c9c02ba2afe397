//! What the doctor finds, and whether the server says that it is able to page.

use axum::http::StatusCode;
use serde_json::{Value, json};
use tocsin_edge::ports::{Accounts, Hindrance, Watching};

use crate::auditor::wait_until;
use crate::fakes::START;
use crate::world::{Answered, World};

#[tokio::test]
async fn the_doctor_says_what_stands_between_a_failure_and_a_page() {
    let world = World::new();
    let diagnosis = world.get("/doctor").await.json();
    assert_eq!(diagnosis["able_to_page"], false, "{diagnosis:#}");
    let ready = ready(&world).await;
    assert_eq!(ready.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(ready.json()["reasons"], json!(["contact methods"]));
    world
        .reach(world.ada, "ntfy", "https://ntfy.example.org/topic", None)
        .await;
    assert_eq!(world.get("/doctor").await.json()["able_to_page"], true);
}

async fn ready(world: &World) -> Answered {
    let asked = axum::http::Request::get("/readyz").body(axum::body::Body::empty());
    world.send(asked.unwrap()).await
}

/// A watcher asks with this token.
async fn watches(world: &World, token: &str) -> Answered {
    let path = "/readyz?watch_every_ms=15000";
    world.call_at("GET", path, token, None).await
}

#[tokio::test]
async fn whoever_watches_with_a_token_is_told_until_that_is_revoked() {
    let world = World::new();
    let check = async || {
        let diagnosis = world.get("/doctor").await.json();
        let checks = diagnosis["checks"].as_array().unwrap();
        let check = checks.iter().find(|check| check["name"] == "watcher");
        check.unwrap().clone()
    };
    let unwatched = check().await;
    assert_eq!(unwatched["state"], "warn");
    for unknown in ["", "aaaaaaaaaaaaaaaaaaaa"] {
        let answer = watches(&world, unknown).await;
        assert_eq!(answer.json()["watched_as"], Value::Null);
        assert_eq!(check().await, unwatched, "{unknown}");
    }
    let path = "/readyz";
    let asked = world.call_at("GET", path, &world.viewer, None).await;
    assert_eq!(asked.json()["watched_as"], Value::Null);
    let odd = "/readyz?watch_every_ms=often";
    let odd = world.call_at("GET", odd, &world.viewer, None).await;
    assert_eq!((odd.status, odd.json()), (asked.status, asked.json()));
    assert_eq!(check().await, unwatched, "somebody looked once");
    let body = json!({"name": "second host", "role": "viewer", "owner": "installation"});
    let made = world.post("/api-tokens", body).await.json();
    let answer = watches(&world, made["token"].as_str().unwrap()).await;
    assert_eq!(answer.json()["watched_as"], "second host");
    let watched = check().await;
    assert_eq!(watched["state"], "ok");
    let told = format!("watched by “second host”, last seen at {START}");
    assert_eq!(watched["detail"], told);
    wait_until(|| world.doors.setting("watchers").unwrap().is_some());
    let numbers = world.call_at("GET", "/metrics", &world.admin, None).await;
    let number = "tocsin_watchers{state=\"asking\"} 1";
    assert!(numbers.text().contains(number), "{}", numbers.text());
    let path = format!("/api-tokens/{}", made["id"].as_str().unwrap());
    let revoked = world.call("DELETE", &path, &world.admin, None).await;
    assert_eq!(revoked.status, StatusCode::NO_CONTENT);
    assert_eq!(check().await, unwatched);
}

#[tokio::test]
async fn that_nobody_watches_keeps_no_page_back() {
    let world = World::new();
    let topic = "https://ntfy.example.org/topic";
    world.reach(world.ada, "ntfy", topic, None).await;
    assert_eq!(ready(&world).await.status, StatusCode::OK);
    assert_eq!(world.get("/doctor").await.json()["able_to_page"], true);
}

#[tokio::test]
async fn an_engine_that_has_ended_is_noticed_by_whoever_asks_whether_tocsin_is_ready() {
    let mut world = World::new();
    world
        .reach(world.ada, "ntfy", "https://ntfy.example.org/topic", None)
        .await;
    assert_eq!(world.get("/doctor").await.json()["able_to_page"], true);
    world.end_engine();
    let ready = ready(&world).await;
    assert_eq!(ready.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(ready.json()["reasons"], json!(["engine"]));
}

#[tokio::test]
async fn a_clock_that_is_set_back_does_not_keep_an_old_answer_of_whether_tocsin_is_ready() {
    let mut world = World::new();
    world
        .reach(world.ada, "ntfy", "https://ntfy.example.org/topic", None)
        .await;
    *world.clock.0.lock().unwrap() = START.plus_ms(3_600_000);
    assert_eq!(ready(&world).await.status, StatusCode::OK);
    world.end_engine();
    *world.clock.0.lock().unwrap() = START;
    let ready = ready(&world).await;
    assert_eq!(ready.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(ready.json()["reasons"], json!(["engine"]));
}

#[tokio::test]
async fn a_person_who_would_not_be_paged_makes_nobody_reachable() {
    let world = World::new();
    let topic = "https://ntfy.example.org/topic";
    world.reach(world.bob, "ntfy", topic, None).await;
    let diagnosis = world.get("/doctor").await.json();
    assert_eq!(diagnosis["able_to_page"], false, "{diagnosis:#}");
    assert!(
        diagnosis.to_string().contains("who would be paged now"),
        "{diagnosis:#}"
    );
    world.reach(world.ada, "ntfy", topic, None).await;
    assert_eq!(world.get("/doctor").await.json()["able_to_page"], true);
}

#[tokio::test]
async fn the_doctor_says_what_is_not_watched() {
    let world = World::new();
    let hindrance = Hindrance {
        about: "Apache".to_owned(),
        what: "access.log cannot be read".to_owned(),
        fix: "add the user to the group adm".to_owned(),
    };
    for (watching, state, fix) in [
        (Watching::NotRunning("no threads".to_owned()), "fail", "log"),
        (Watching::Running(vec![hindrance]), "warn", "group adm"),
    ] {
        *world.sight.0.lock().unwrap() = watching.clone();
        let diagnosis = world.get("/doctor").await.json();
        let checks = diagnosis["checks"].as_array().unwrap();
        let check = checks
            .iter()
            .find(|check| check["name"] == "watch")
            .unwrap();
        assert_eq!(check["state"], state, "{watching:?}");
        assert!(check["fix"].as_str().unwrap().contains(fix), "{check}");
    }
}

#[tokio::test]
async fn what_is_switched_off_on_purpose_is_told_and_needs_no_look() {
    let world = World::new();
    watches(&world, &world.viewer).await;
    let odd = async || {
        let diagnosis = world.get("/doctor").await.json();
        let checks = diagnosis["checks"].as_array().unwrap().clone();
        // How much space is free is this machine's.
        let is_odd = |check: &&Value| check["state"] != "ok" && check["name"] != "free space";
        let odd = checks.iter().filter(is_odd);
        let names = odd.map(|check| check["name"].as_str().unwrap().to_owned());
        (names.collect::<Vec<_>>(), diagnosis.to_string())
    };
    let (by_mail, told) = odd().await;
    let mail = "mail server".to_owned();
    assert!(by_mail.contains(&mail), "Ada is paged by mail: {told}");
    let topic = "https://ntfy.example.org/topic";
    for user in [world.ada, world.bob] {
        world.reach(user, "ntfy", topic, None).await;
    }
    let (watched, told) = odd().await;
    assert_eq!(watched, ["targets"], "{told}");
    assert!(told.contains("enabled = false"), "{told}");
    *world.sight.0.lock().unwrap() = Watching::Off;
    let (left_alone, told) = odd().await;
    assert_eq!(left_alone, [""; 0], "{told}");
    assert!(
        told.contains("only what others send is paged for"),
        "{told}"
    );
}

#[tokio::test]
async fn whoever_hears_by_mail_of_what_wakes_nobody_needs_a_mail_server() {
    let world = World::new();
    let needed = async || {
        let diagnosis = world.get("/doctor").await.json();
        let checks = diagnosis["checks"].as_array().unwrap();
        let check = checks.iter().find(|check| check["name"] == "mail server");
        check.unwrap()["state"] == "warn"
    };
    let topic = "https://ntfy.example.org/topic";
    let push = world.reach(world.ada, "ntfy", topic, None).await;
    assert!(!needed().await, "she is paged by push alone");
    let mail = world
        .engine
        .read(|state| state.users[&world.ada].contact_methods[0].id.to_string());
    let rule = |urgency: &str, method: &str| json!({"urgency": urgency, "delay_minutes": 0, "contact_method_id": method});
    let rules = json!([rule("high", &push), rule("low", &mail)]);
    let path = format!("/users/{}/notification-rules", world.ada);
    let set = world.call("PUT", &path, &world.admin, Some(rules)).await;
    assert_eq!(set.status, StatusCode::OK, "{}", set.text());
    assert!(needed().await);
}

#[tokio::test]
async fn whoever_hears_of_a_page_only_when_their_level_is_over_is_told_as_on_the_page_on_call() {
    let world = World::new();
    let topic = "https://ntfy.example.org/topic";
    let push = world.reach(world.ada, "ntfy", topic, None).await;
    let look = async || {
        let diagnosis = world.get("/doctor").await.json();
        let checks = diagnosis["checks"].as_array().unwrap();
        let mut checks = checks.iter();
        let rules = checks.find(|check| check["name"] == "notification rules");
        rules.unwrap().clone()
    };
    assert_eq!(look().await["state"], "ok");
    let rules = json!([{"urgency": "high", "delay_minutes": 30, "contact_method_id": push}]);
    let path = format!("/users/{}/notification-rules", world.ada);
    let set = world.call("PUT", &path, &world.admin, Some(rules)).await;
    assert_eq!(set.status, StatusCode::OK, "{}", set.text());
    let found = world.get("/oncall/findings").await.json();
    let mut found = found["items"].as_array().unwrap().iter();
    let late = found.find(|one| one["kind"] == "late").unwrap();
    let told = look().await;
    assert_eq!(told["state"], "warn");
    assert_eq!(told["detail"], late["text"]);
}
