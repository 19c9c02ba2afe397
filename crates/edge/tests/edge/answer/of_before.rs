//! Links and pages of before a failure came back, or before somebody else took it: a press says so, and takes it from nobody.

use axum::http::Method;
use serde_json::json;
use tocsin_domain::time::Timestamp;

use super::{
    ada_was_paged, bob_takes, comes_back, look, next_page, press, send, status, two_by_one_message,
};
use crate::fakes::START;
use crate::respond::hold_for_half_an_hour;

/// The form of this page when a button on it is pressed.
fn form_of(page: &str, action: &str) -> String {
    let value = |name: &str| {
        let field = format!("name=\"{name}\" value=\"");
        let (_, rest) = page.split_once(field.as_str()).unwrap();
        rest.split('"').next().unwrap().to_owned()
    };
    let (incident, seen) = (value("incident"), value("seen"));
    format!("incident={incident}&seen={seen}&action={action}")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_press_on_a_page_of_before_a_failure_came_back_changes_nothing_and_the_next_one_does() {
    let (world, incident, path) = ada_was_paged().await;
    let page = look(&world, Method::GET, &path).await.text();
    comes_back(&world, &incident).await;
    let old = [form_of(&page, "acknowledge"), form_of(&page, "resolve")];
    let mut shown = String::new();
    for form in old.iter().map(String::as_str).chain(["action=acknowledge"]) {
        let answer = press(&world, &path, form).await;
        assert_eq!(answer.status, 409, "{form}");
        shown = answer.text();
        let says = shown.contains("it was over and came back since the page");
        assert!(says && shown.contains("nobody has it yet"), "{shown}");
        assert_eq!(status(&world, &incident).await, "triggered", "{form}");
    }
    let form = form_of(&shown, "acknowledge");
    let page = press(&world, &path, &form).await.text();
    assert!(page.contains("You have it."), "{page}");
    assert_eq!(status(&world, &incident).await, "acknowledged");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_link_that_is_opened_anew_says_what_came_back_and_answers_that() {
    let (world, incident, path) = ada_was_paged().await;
    let says = "It was over and came back since this message was sent.";
    let page = look(&world, Method::GET, &path).await.text();
    assert!(!page.contains(says), "{page}");
    comes_back(&world, &incident).await;
    let page = look(&world, Method::GET, &path).await.text();
    assert!(page.contains(says), "{page}");
    let form = form_of(&page, "acknowledge");
    let answer = send(&world, &path, &form).await;
    assert_eq!(status(&world, &incident).await, "acknowledged");
    let next = next_page(&path, &answer);
    let page = look(&world, Method::GET, &next).await.text();
    assert!(page.contains("You have it."), "{page}");
    // It comes back once more while the answer is still read.
    comes_back(&world, &incident).await;
    let page = look(&world, Method::GET, &next).await.text();
    assert!(
        !page.contains("You have it.") && page.contains(says),
        "{page}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn of_what_one_message_told_what_came_back_since_is_left() {
    let (world, [first, second], path) = two_by_one_message().await;
    let page = look(&world, Method::GET, &path).await.text();
    comes_back(&world, &first).await;
    let form = form_of(&page, "acknowledge");
    let page = press(&world, &path, &form).await.text();
    assert!(
        page.contains("You have it.") && page.contains("Some of it came back"),
        "{page}"
    );
    assert_eq!(status(&world, &first).await, "triggered");
    assert_eq!(status(&world, &second).await, "acknowledged");
    assert!(page.contains("<h1>first is down</h1>"), "{page}");
    let form = form_of(&page, "acknowledge");
    let page = press(&world, &path, &form).await.text();
    assert!(page.contains("You have all of it."), "{page}");
    assert_eq!(status(&world, &first).await, "acknowledged");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_presses_after_somebody_else_is_told_who_has_it_and_does_not_take_it() {
    let (world, incident, path) = ada_was_paged().await;
    hold_for_half_an_hour(&world).await;
    bob_takes(&world, &incident).await;
    {
        let mut now = world.clock.0.lock().unwrap();
        *now = now.plus_ms(60_000);
    }
    let page = press(&world, &path, "action=acknowledge").await.text();
    let says = "Bob has it already. It is paged again at ";
    assert!(page.contains(says), "{page}");
    let shown = world.get(&format!("/incidents/{incident}")).await.json();
    assert_eq!(shown["acknowledged_by"]["name"], "Bob");
    let moment = |at: Timestamp| json!(at.to_rfc3339());
    assert_eq!(shown["acknowledged_at"], moment(START));
    let ends_at = START.plus_ms(31 * 60_000);
    assert_eq!(shown["acknowledgement_ends_at"], moment(ends_at));
    let place = format!("/incidents/{incident}/urgency");
    let low = Some(json!({"urgency": "low"}));
    let set = world.call("PUT", &place, &world.admin, low).await;
    assert!(set.status.is_success(), "{}", set.text());
    let page = press(&world, &path, "action=acknowledge").await.text();
    let says = "Bob has it already. It is told anew at ";
    assert!(page.contains(says), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_did_their_part_has_nothing_of_what_somebody_else_took_after_it() {
    let (world, incident, path) = ada_was_paged().await;
    let new = json!({"name": "Cy", "email": "cy@example.org", "role": "responder"});
    let cy = world.post("/users", new).await.json()["id"].clone();
    let cy = cy.as_str().unwrap().parse().unwrap();
    let hook = "http://127.0.0.1:9/hook";
    world
        .reach(cy, "webhook", hook, Some("a-signing-key-of-cy"))
        .await;
    let both = [world.ada, cy].map(|user| json!({"kind": "user", "id": user.to_string()}));
    let levels = json!([{"delay_minutes": 5, "each_must_acknowledge": true, "targets": both}]);
    let body = json!({"name": "Both", "repeat": 0, "levels": levels});
    let policy = world.post("/escalation-policies", body).await.json()["id"].clone();
    let given = json!({ "policy_id": policy });
    let given = world
        .post(&format!("/incidents/{incident}/reassign"), given)
        .await;
    assert!(given.status.is_success(), "{}", given.text());
    let page = press(&world, &path, "action=acknowledge").await.text();
    assert!(page.contains("Your part is done."), "{page}");
    bob_takes(&world, &incident).await;
    let page = press(&world, &path, "action=acknowledge").await.text();
    assert!(page.contains("Bob has it already."), "{page}");
}
