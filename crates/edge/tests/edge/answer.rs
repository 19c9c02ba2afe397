//! The link of a page: looking changes nothing, its form acts, and only for who got it, until it dies.

mod of_before;

use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request, header};
use serde_json::{Value, json};
use tocsin_domain::event::{Actor, EventBody, IncidentWhat, NotificationWhat};
use tocsin_domain::id::UserId;
use tocsin_domain::page::{BURST_MAX, TOGETHER_EVERY_MS};
use tocsin_domain::people::ChannelKind;
use tocsin_edge::delivery::Delivery;
use tocsin_edge::delivery::egress::Egress;

use crate::fakes::START;
use crate::providers::{Provider, Reply};
use crate::world::{Answered, World, trigger};

const KEY: &str = "a-signing-key-of-the-test";

/// Somebody alone is paged, by a webhook to this provider.
async fn alone_on_call(world: &World, who: UserId) -> Provider {
    let provider = Provider::always(Reply::json(200, ""));
    let hook = format!("{}/hook", provider.url());
    world.reach(who, "webhook", &hook, Some(KEY)).await;
    let levels =
        json!([{"delay_minutes": 5, "targets": [{"kind": "user", "id": who.to_string()}]}]);
    let policies = world.get("/escalation-policies").await.json();
    let policy = policies["items"][0]["id"].as_str().unwrap().to_owned();
    let body = json!({"name": "Policy", "repeat": 0, "levels": levels});
    let path = format!("/escalation-policies/{policy}");
    let set = world.call("PUT", &path, &world.admin, Some(body)).await;
    assert!(set.status.is_success(), "{}", set.text());
    provider
}

fn deliver(world: &World) -> Delivery {
    let egress = Egress::new(vec!["127.0.0.0/8".parse().unwrap()]);
    world.deliver(egress, Duration::from_secs(10))
}

/// The path of the link in a message.
fn link_in(message: &Value) -> String {
    let link = message["answer_link"].as_str().unwrap();
    let path = link.strip_prefix("http://tocsin.example");
    path.unwrap().to_owned()
}

/// A world in which somebody was paged, and the path of the link that they got.
async fn paged(world: World, who: UserId) -> (World, String, String) {
    let provider = alone_on_call(&world, who).await;
    let delivery = deliver(&world);
    let incident = world.raise("<b>web</b>").await;
    let message = tokio::task::block_in_place(|| provider.next()).json();
    tokio::task::block_in_place(|| world.first_outcome());
    delivery.stop();
    (world, incident, link_in(&message))
}

/// Waits until so many messages went out and their outcome is known.
pub(crate) fn wait_for_outcomes(world: &World, count: usize) {
    world.committed.wait_for(|events| {
        let finished = events.iter().filter(|event| match &event.body {
            EventBody::Notification(message) => {
                matches!(message.what, NotificationWhat::AttemptFinished { .. })
            }
            _ => false,
        });
        (finished.count() >= count).then_some(())
    });
}

/// A world in which Ada got so many pages that two further incidents were told by one message: these, and the path of its link.
async fn two_by_one_message() -> (World, [String; 2], String) {
    let world = World::new();
    let provider = alone_on_call(&world, world.ada).await;
    let delivery = deliver(&world);
    for n in 0..BURST_MAX {
        world.raise(&format!("k{n}")).await;
        tokio::task::block_in_place(|| provider.next());
    }
    tokio::task::block_in_place(|| wait_for_outcomes(&world, BURST_MAX));
    let mut told = Vec::new();
    for key in ["first", "second"] {
        let mut event = trigger(key);
        // What is critical is told alone.
        event["payload"]["severity"] = json!("error");
        let answer = world.enqueue(&event).await;
        assert_eq!(answer.status, 202, "{}", answer.text());
        let list = world.get("/incidents?limit=1").await.json();
        told.push(list["items"][0]["id"].as_str().unwrap().to_owned());
    }
    *world.clock.0.lock().unwrap() = START.plus_ms(TOGETHER_EVERY_MS);
    let message = tokio::task::block_in_place(|| provider.next()).json();
    tokio::task::block_in_place(|| wait_for_outcomes(&world, BURST_MAX + 1));
    delivery.stop();
    (world, told.try_into().unwrap(), link_in(&message))
}

async fn ada_was_paged() -> (World, String, String) {
    let world = World::new();
    let ada = world.ada;
    paged(world, ada).await
}

async fn look(world: &World, method: Method, path: &str) -> Answered {
    let request = Request::builder().method(method).uri(path);
    world.send(request.body(Body::empty()).unwrap()).await
}

/// Sends a form; what is answered is not followed.
async fn send(world: &World, path: &str, form: &str) -> Answered {
    let kind = "application/x-www-form-urlencoded";
    let request = Request::post(path).header(header::CONTENT_TYPE, kind);
    // A form of a page that tells nobody where it came from.
    let request = request.header(header::ORIGIN, "null");
    world
        .send(request.body(Body::from(form.to_owned())).unwrap())
        .await
}

/// The page that a browser asks for after it has sent a form.
fn next_page(path: &str, answer: &Answered) -> String {
    let place = answer.headers[header::LOCATION].to_str().unwrap();
    assert!(place.starts_with('?'), "{place}");
    format!("{path}{place}")
}

/// Sends a form as a browser does, and gives the page that it ends at.
async fn press(world: &World, path: &str, form: &str) -> Answered {
    let answer = send(world, path, form).await;
    if answer.status != 303 {
        return answer;
    }
    look(world, Method::GET, &next_page(path, &answer)).await
}

/// The form of a page on which Resolve was pressed below this incident.
fn resolving(incident: &str) -> String {
    format!("incident={incident}&action=resolve")
}

/// An incident is over, and comes back at once.
pub(crate) async fn comes_back(world: &World, incident: &str) {
    for what in ["resolve", "reopen"] {
        let path = format!("/incidents/{incident}/{what}");
        let done = world.post(&path, json!({})).await;
        assert!(done.status.is_success(), "{}", done.text());
    }
}

/// Bob acknowledges an incident.
pub(crate) async fn bob_takes(world: &World, incident: &str) {
    let path = format!("/incidents/{incident}/acknowledge");
    let taken = world
        .call("POST", &path, &world.bobs, Some(json!({})))
        .await;
    assert!(taken.status.is_success(), "{}", taken.text());
}

async fn status(world: &World, incident: &str) -> String {
    let shown = world.get(&format!("/incidents/{incident}")).await.json();
    shown["status"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn looking_changes_nothing_and_shows_what_fails_without_a_script() {
    let (world, incident, path) = ada_was_paged().await;
    let before = world.journal.events.lock().unwrap().len();
    for method in [Method::GET, Method::HEAD, Method::GET] {
        let answer = look(&world, method, &path).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    let answer = look(&world, Method::GET, &path).await;
    let page = answer.text();
    assert!(
        page.contains("&lt;b&gt;web&lt;/b&gt; is down") && !page.contains("<b>"),
        "{page}"
    );
    assert!(
        page.contains("value=\"acknowledge\"") && page.contains("value=\"resolve\""),
        "{page}"
    );
    assert!(
        page.contains("nobody has it yet") && !page.contains("<script"),
        "{page}"
    );
    let policy = answer.headers[header::CONTENT_SECURITY_POLICY]
        .to_str()
        .unwrap();
    assert!(
        policy.starts_with("default-src 'none'; style-src 'sha256-"),
        "{policy}"
    );
    assert_eq!(answer.headers[header::CACHE_CONTROL], "no-store");
    assert_eq!(world.journal.events.lock().unwrap().len(), before);
    assert_eq!(status(&world, &incident).await, "triggered");
}

#[tokio::test(flavor = "multi_thread")]
async fn pressing_acknowledges_in_the_name_of_who_got_it_and_twice_is_harmless() {
    let (world, incident, path) = ada_was_paged().await;
    let answer = press(&world, &path, "action=acknowledge").await;
    assert_eq!(answer.status, 200);
    assert!(answer.text().contains("You have it."), "{}", answer.text());
    let again = press(&world, &path, "action=acknowledge").await;
    assert_eq!(again.status, 200);
    assert!(
        again.text().contains("Somebody has it already."),
        "{}",
        again.text()
    );
    assert_eq!(status(&world, &incident).await, "acknowledged");
    let taken: Vec<Actor> = {
        let events = world.journal.events.lock().unwrap();
        let taken = events.iter().filter(|event| match &event.body {
            EventBody::Incident(about) => matches!(about.what, IncidentWhat::Acknowledged { .. }),
            _ => false,
        });
        taken.map(|event| event.actor.clone()).collect()
    };
    let expected = world.ada_by(ChannelKind::Webhook);
    assert_eq!(taken, [expected]);
}

#[tokio::test(flavor = "multi_thread")]
async fn pressing_resolves_and_what_is_over_stays_over() {
    let (world, incident, path) = ada_was_paged().await;
    for words in ["It is resolved.", "Incident 1 is over already."] {
        let answer = press(&world, &path, &resolving(&incident)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert!(answer.text().contains(words), "{}", answer.text());
    }
    assert_eq!(status(&world, &incident).await, "resolved");
    let late = press(&world, &path, "action=acknowledge").await;
    assert!(late.text().contains("it is over"), "{}", late.text());
    assert!(!late.text().contains("<button"), "{}", late.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn of_what_one_message_told_only_the_incident_that_was_looked_at_is_resolved() {
    let (world, [first, second], path) = two_by_one_message().await;
    let page = look(&world, Method::GET, &path).await.text();
    let named = format!("name=\"incident\" value=\"{first}\"");
    assert!(
        page.contains(&named) && page.contains("Acknowledge all"),
        "{page}"
    );
    // A double tap.
    for words in ["It is resolved.", "is over already. Nothing changed."] {
        let page = press(&world, &path, &resolving(&first)).await.text();
        assert!(
            page.contains(words) && page.contains("<h1>first is down</h1>"),
            "{page}"
        );
        assert!(
            page.contains("Show what is left") && !page.contains("<button"),
            "{page}"
        );
        assert_eq!(status(&world, &second).await, "triggered");
    }
    assert_eq!(status(&world, &first).await, "resolved");
    let page = look(&world, Method::GET, &path).await.text();
    assert!(page.contains("<h1>second is down</h1>"), "{page}");
    press(&world, &path, &resolving(&second)).await;
    assert_eq!(status(&world, &second).await, "resolved");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_colleague_does_meanwhile_turns_no_press_on_another_incident() {
    let (world, [first, second], path) = two_by_one_message().await;
    let taken = format!("/incidents/{first}/acknowledge");
    let taken = world.post(&taken, json!({})).await;
    assert!(taken.status.is_success(), "{}", taken.text());
    let page = look(&world, Method::GET, &path).await.text();
    assert!(page.contains("<h1>second is down</h1>"), "{page}");
    let merged = format!("/incidents/{first}/merge");
    let merged = world.post(&merged, json!({"sources": [second]})).await;
    assert!(merged.status.is_success(), "{}", merged.text());
    let page = press(&world, &path, &resolving(&second)).await.text();
    assert!(page.contains("was merged into the one"), "{page}");
    assert_ne!(status(&world, &first).await, "resolved");
    let page = press(&world, &path, &resolving(&first)).await.text();
    assert!(page.contains("It is resolved."), "{page}");
    assert_eq!(status(&world, &first).await, "resolved");
}

#[tokio::test(flavor = "multi_thread")]
async fn acknowledging_takes_all_that_the_message_told() {
    let (world, [first, second], path) = two_by_one_message().await;
    let form = format!("incident={second}&action=acknowledge");
    let page = press(&world, &path, &form).await.text();
    assert!(
        page.contains("You have all of it.") && page.contains("<h1>second is down</h1>"),
        "{page}"
    );
    for incident in [first, second] {
        assert_eq!(status(&world, &incident).await, "acknowledged");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn resolving_an_incident_that_the_message_did_not_tell_or_none_does_nothing() {
    let (world, incident, path) = ada_was_paged().await;
    let other = world.raise("db").await;
    let of_another = resolving(&other);
    for (form, refused) in [
        ("action=resolve", 400),
        ("action=resolve&incident=", 400),
        ("action=resolve&incident=QAAAAAAAAAAAAA", 409),
        (of_another.as_str(), 409),
    ] {
        let answer = press(&world, &path, form).await;
        assert_eq!(answer.status, refused, "{form}");
        let page = answer.text();
        assert!(page.contains("Nothing was done"), "{form}: {page}");
    }
    for incident in [incident, other] {
        assert_eq!(status(&world, &incident).await, "triggered");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_may_acknowledge_what_they_were_paged_for_but_not_resolve_it() {
    let world = World::new();
    let bob = world.bob;
    let path = format!("/users/{bob}");
    let viewer = json!({"role": "viewer"});
    let changed = world.call("PATCH", &path, &world.admin, Some(viewer)).await;
    assert!(changed.status.is_success(), "{}", changed.text());
    let (world, incident, path) = paged(world, bob).await;
    let answer = press(&world, &path, &resolving(&incident)).await;
    assert_eq!(answer.status, 403);
    assert!(
        answer.text().contains("You may not resolve"),
        "{}",
        answer.text()
    );
    assert!(!answer.text().contains("value=\"resolve\""));
    assert_eq!(status(&world, &incident).await, "triggered");
    press(&world, &path, "action=acknowledge").await;
    assert_eq!(status(&world, &incident).await, "acknowledged");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_or_old_link_is_refused_by_both_methods() {
    let (world, incident, path) = ada_was_paged().await;
    let mut changed = path.clone();
    let last = if changed.pop() == Some('A') { 'Q' } else { 'A' };
    changed.push(last);
    for bad in [
        changed.as_str(),
        "/a/x",
        "/a/QAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAA",
    ] {
        assert_eq!(look(&world, Method::GET, bad).await.status, 404, "{bad}");
        assert_eq!(
            press(&world, bad, "action=acknowledge").await.status,
            404,
            "{bad}"
        );
    }
    {
        let mut now = world.clock.0.lock().unwrap();
        *now = now.plus_ms(72 * 3_600_000);
    }
    assert_eq!(look(&world, Method::GET, &path).await.status, 410);
    assert_eq!(press(&world, &path, "action=acknowledge").await.status, 410);
    assert_eq!(status(&world, &incident).await, "triggered");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_that_says_nothing_or_too_much_does_nothing() {
    let (world, incident, path) = ada_was_paged().await;
    for form in ["", "action=", "action=delete", "x=acknowledge"] {
        let answer = press(&world, &path, form).await;
        assert_eq!(answer.status, 400, "refused, and without a redirect");
        assert!(answer.text().contains("Nothing was done"), "{form}");
    }
    let large = format!("action=acknowledge&x={}", "y".repeat(10_000));
    let answer = press(&world, &path, &large).await;
    assert_eq!(answer.status, 413, "{}", answer.text());
    assert_eq!(status(&world, &incident).await, "triggered");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_is_loaded_again_does_nothing_again() {
    let (world, incident, path) = ada_was_paged().await;
    let answer = send(&world, &path, &resolving(&incident)).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    let next = next_page(&path, &answer);
    // A browser may ask for it more than once.
    for _ in 0..2 {
        let page = look(&world, Method::GET, &next).await.text();
        assert!(page.contains("It is resolved."), "{page}");
    }
    assert_eq!(status(&world, &incident).await, "resolved");
    let before = world.journal.events.lock().unwrap().len();
    let again = look(&world, Method::GET, &next).await;
    assert_eq!(again.status, 200);
    assert_eq!(world.journal.events.lock().unwrap().len(), before);
    assert_eq!(status(&world, &incident).await, "resolved");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_others_may_read_a_link_the_timeline_names_the_link_and_not_its_owner() {
    let (world, incident, path) = ada_was_paged().await;
    let page = press(&world, &path, "action=acknowledge").await.text();
    let standing = "taken by the link in Ada’s webhook";
    assert!(page.contains(standing), "{page}");
    let shown = world.get(&format!("/incidents/{incident}")).await.json();
    let by = &shown["acknowledged_by"];
    assert_eq!(by["name"], "the link in Ada’s webhook");
    assert_eq!(by["id"], world.ada.to_string());
    let path = format!("/incidents/{incident}/timeline");
    let timeline = world.get(&path).await.json();
    let mut entries = timeline["items"].as_array().unwrap().iter();
    let taken = entries.find(|entry| entry["kind"] == "incident.acknowledged");
    let taken = taken.unwrap();
    let link = "the link in Ada’s webhook";
    assert_eq!(taken["title"], format!("Acknowledged by {link}"));
    assert_eq!(taken["actor"]["name"], link);
}
