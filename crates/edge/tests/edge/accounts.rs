//! Channels of several accounts: what one does not take goes by the next, the API and the timeline tell by which it went, and only
//! the provider of that account is heard about it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tocsin_domain::event::{EventBody, NotificationWhat};
use tocsin_domain::page::{Fate, Outcome, PROVIDER_FAILURES_MAX, Via};
use tocsin_domain::people::{ChannelKind, SetUp};
use tocsin_edge::delivery::Needs;
use tocsin_edge::delivery::direct::{Direct, ways_to_administrators};
use tocsin_edge::delivery::pace::Pace;
use tocsin_wire::page_message::{Kind, PageMessage, Urgency};

use crate::buttons::{fate, loopback, set_account};
use crate::callbacks::calls::Call;
use crate::callbacks::{BASE, post};
use crate::fakes::START;
use crate::pace::HandPace;
use crate::providers::{Gate, NTFY_OK, Provider, Reply, Request};
use crate::world::World;

const PHONE: &str = "+33123456789";
const IDS: [&str; 2] = [
    "AC0123456789abcdef0123456789abcdef",
    "AC1123456789abcdef0123456789abcdef",
];
const TOKENS: [&str; 2] = ["token-of-the-first", "token-of-the-second"];
const TAKEN: &str = r#"{"sid":"SM0123456789abcdef0123456789abcdef","status":"queued"}"#;

fn takes() -> Provider {
    Provider::always(Reply::json(201, TAKEN))
}

/// The account of that index, at that address.
fn account(base_url: &str, index: usize) -> Value {
    json!({"base_url": base_url, "account_id": IDS[index], "from": "+15005550006", "token": TOKENS[index]})
}

/// Ada is reached by texts or calls, which go by two accounts.
async fn reached_by_two(first: &Provider, second: &Provider, kind: &str) -> World {
    let world = World::new();
    set_account(&world, "twilio", account(&first.url(), 0)).await;
    set_account(&world, "twilio/2", account(&second.url(), 1)).await;
    world.reach(world.ada, kind, PHONE, None).await;
    world
}

/// How an attempt ended.
pub(crate) type End = (Outcome, String, Option<Via>);

/// How so many attempts ended, in order.
pub(crate) fn ended(world: &World, count: usize) -> Vec<End> {
    tokio::task::block_in_place(|| {
        world.committed.wait_for(|events| {
            let ended = events.iter().filter_map(|event| match &event.body {
                EventBody::Notification(message) => match &message.what {
                    NotificationWhat::AttemptFinished {
                        outcome,
                        detail,
                        via,
                        ..
                    } => Some((*outcome, detail.clone(), via.as_deref().cloned())),
                    _ => None,
                },
                _ => None,
            });
            let ended: Vec<End> = ended.collect();
            (ended.len() >= count).then_some(ended)
        })
    })
}

pub(crate) fn via(place: u32, elsewhere: bool) -> Option<Via> {
    via_past(&[], place, elsewhere)
}

/// By the account at that place, once those had not taken it in the same attempt.
pub(crate) fn via_past(passed: &[u32], place: u32, elsewhere: bool) -> Option<Via> {
    Some(Via {
        place,
        name: "127.0.0.1".to_owned(),
        elsewhere,
        passed: passed.to_vec(),
    })
}

/// Pages Ada once, while the time stands still, and gives how that went.
async fn paged(world: &World) -> End {
    let delivery = world.deliver_at(loopback(), &HandPace::new());
    world.raise("web").await;
    let ended = ended(world, 1);
    delivery.stop();
    ended[0].clone()
}

fn next(provider: &Provider) -> Request {
    tokio::task::block_in_place(|| provider.next())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_account_does_not_take_goes_by_the_next_in_the_same_attempt() {
    for (reply, said) in [
        (Reply::json(500, "oops"), "HTTP 500"),
        (
            Reply::json(
                401,
                r#"{"code":20003,"message":"Authenticate","status":401}"#,
            ),
            "HTTP 401 error 20003: Authenticate",
        ),
        (Reply::json(429, "slow down"), "HTTP 429"),
    ] {
        let (first, second) = (Provider::always(reply), takes());
        let world = reached_by_two(&first, &second, "sms").await;
        let (outcome, detail, by) = paged(&world).await;
        assert_eq!((outcome, by), (Outcome::Accepted, via_past(&[1], 2, false)));
        assert_eq!(
            detail,
            format!("the provider took it (before that, 127.0.0.1: {said})")
        );
        let request = next(&second);
        let path = format!("/2010-04-01/Accounts/{}/Messages.json", IDS[1]);
        assert_eq!(request.path, path);
        assert_eq!(next(&first).field("Body"), request.field("Body"));
    }
}

/// An account that says "not now" once the gate is open, a further one that takes all, and how often that was asked.
fn first_held() -> (Gate, [Provider; 2], Arc<AtomicUsize>) {
    let gate = Gate::default();
    let first = Provider::start({
        let gate = gate.clone();
        move |_| {
            gate.pass();
            Reply::json(503, "not now")
        }
    });
    let asked = Arc::new(AtomicUsize::new(0));
    let second = Provider::start({
        let asked = Arc::clone(&asked);
        move |_| {
            asked.fetch_add(1, Ordering::SeqCst);
            Reply::json(201, TAKEN)
        }
    });
    (gate, [first, second], asked)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_taken_while_one_account_had_it_goes_by_no_other() {
    let (gate, [first, second], asked) = first_held();
    let world = reached_by_two(&first, &second, "sms").await;
    let delivery = world.deliver_at(loopback(), &HandPace::new());
    let incident = world.raise("web").await;
    tokio::task::block_in_place(|| gate.reached());
    let path = format!("/incidents/{incident}/acknowledge");
    let taken = world.post(&path, json!({})).await;
    assert!(taken.status.is_success(), "{}", taken.text());
    gate.open();
    let (outcome, detail, by) = ended(&world, 1)[0].clone();
    delivery.stop();
    assert_eq!((outcome, by), (Outcome::Failed, via(1, true)));
    assert_eq!(
        detail,
        "HTTP 503; no other account was tried: meanwhile the incident was taken, silenced or over"
    );
    assert_eq!(asked.load(Ordering::SeqCst), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_given_to_others_while_one_account_had_it_goes_by_no_other() {
    let (gate, [first, second], asked) = first_held();
    let push = Provider::always(Reply::json(200, NTFY_OK));
    let world = reached_by_two(&first, &second, "sms").await;
    let topic = format!("{}/topic", push.url());
    world.reach(world.bob, "ntfy", &topic, None).await;
    let delivery = world.deliver_at(loopback(), &HandPace::new());
    let incident = world.raise("web").await;
    tokio::task::block_in_place(|| gate.reached());
    let path = format!("/incidents/{incident}/reassign");
    let people = json!({"people": [world.bob.to_string()]});
    let given = world.post(&path, people).await;
    assert!(given.status.is_success(), "{}", given.text());
    next(&push);
    gate.open();
    let ends = ended(&world, 2);
    delivery.stop();
    let mut of_ada = ends.iter().filter(|(_, _, by)| *by == via(1, true));
    let why = "no other account was tried: meanwhile the incident was given to others";
    assert_eq!(of_ada.next().unwrap().1, format!("HTTP 503; {why}"));
    assert_eq!(asked.load(Ordering::SeqCst), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_and_the_timeline_name_the_account_that_an_attempt_went_by() {
    let (first, second) = (Provider::always(Reply::json(500, "oops")), takes());
    let world = reached_by_two(&first, &second, "sms").await;
    paged(&world).await;
    let detail = world.get("/incidents/1").await.json();
    let attempt = &detail["pages"][0]["attempts"][0];
    assert_eq!(attempt["via"], json!({"place": 2, "name": "127.0.0.1"}));
    let id = detail["pages"][0]["id"].as_str().unwrap();
    let path = format!("/notifications/{id}/explanation");
    let explained = world.get(&path).await.text();
    assert!(explained.contains(" by 127.0.0.1: the provider took it"));
    let path = format!("/incidents/{}/timeline", detail["id"].as_str().unwrap());
    let timeline = world.get(&path).await.text();
    assert!(timeline.contains("attempt 1 by 127.0.0.1"), "{timeline}");
    let doctor = world.get("/doctor").await.json();
    let mut checks = doctor["checks"].as_array().unwrap().iter();
    let covered = checks.find(|check| check["name"] == "last sms by 127.0.0.1");
    assert_eq!(covered.unwrap()["state"], "warn");
    let channels = world.get("/channels").await.json();
    let state = |account: &Value| account["state"].as_str().unwrap().to_owned();
    assert_eq!(state(&channels["accounts"][0]), "failing");
    assert_eq!(state(&channels["further_accounts"][0]), "ok");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_an_account_that_hangs_the_next_attempt_goes_by_the_next_at_once() {
    let (first, second) = (Provider::always(Reply::Hang), takes());
    let world = reached_by_two(&first, &second, "sms").await;
    let pace = HandPace::new();
    let delivery = world.deliver_at(loopback(), &pace);
    world.raise("web").await;
    next(&first);
    pace.attempt_runs_out();
    let ended = ended(&world, 2);
    delivery.stop();
    let ends = ended.into_iter().map(|(outcome, _, by)| (outcome, by));
    let expected = [
        (Outcome::TimedOut, via(1, true)),
        (Outcome::Accepted, via(2, false)),
    ];
    assert_eq!(ends.collect::<Vec<_>>(), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn once_every_account_has_failed_the_next_way_is_used() {
    for hangs in [true, false] {
        let reply = if hangs {
            Reply::Hang
        } else {
            Reply::json(401, "no")
        };
        let (first, second) = (Provider::always(reply.clone()), Provider::always(reply));
        let push = Provider::always(Reply::json(200, NTFY_OK));
        let world = reached_by_two(&first, &second, "sms").await;
        let text = world.reach(world.ada, "sms", "+33987654321", None).await;
        let topic = format!("{}/topic", push.url());
        let topic = world.reach(world.ada, "ntfy", &topic, None).await;
        let step = |minutes: u64, method: &str| json!({"urgency": "high", "delay_minutes": minutes, "contact_method_id": method});
        let rules = json!([step(0, &text), step(60, &topic)]);
        let path = format!("/users/{}/notification-rules", world.ada);
        let set = world.call("PUT", &path, &world.admin, Some(rules)).await;
        assert!(set.status.is_success(), "{}", set.text());
        let pace = HandPace::new();
        let delivery = world.deliver_at(loopback(), &pace);
        world.raise("web").await;
        for provider in [&first, &second] {
            next(provider);
            if hangs {
                pace.attempt_runs_out();
            }
        }
        next(&push);
        delivery.stop();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_keeps_failing_is_left_alone_and_the_next_is_used_straight_away() {
    let asked = Arc::new(AtomicUsize::new(0));
    let first = Provider::start({
        let asked = Arc::clone(&asked);
        move |_| {
            asked.fetch_add(1, Ordering::SeqCst);
            Reply::json(503, "not now")
        }
    });
    let second = takes();
    let world = reached_by_two(&first, &second, "sms").await;
    let delivery = world.deliver_at(loopback(), &HandPace::new());
    let failures = usize::try_from(PROVIDER_FAILURES_MAX).unwrap();
    let mut last = None;
    for number in 1..=failures + 1 {
        world.raise(&format!("web{number}")).await;
        last = ended(&world, number).pop();
    }
    delivery.stop();
    assert_eq!(asked.load(Ordering::SeqCst), failures);
    let (outcome, detail, by) = last.unwrap();
    assert_eq!((outcome, by), (Outcome::Accepted, via(2, false)));
    assert_eq!(detail, "the provider took it");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_because_of_the_receiver_is_tried_by_no_other_account() {
    let said = r#"{"code":21211,"message":"not a valid phone number","status":400}"#;
    let asked = Arc::new(AtomicUsize::new(0));
    let second = Provider::start({
        let asked = Arc::clone(&asked);
        move |_| {
            asked.fetch_add(1, Ordering::SeqCst);
            Reply::json(201, TAKEN)
        }
    });
    let first = Provider::always(Reply::json(400, said));
    let world = reached_by_two(&first, &second, "sms").await;
    let (outcome, _, by) = paged(&world).await;
    assert_eq!((outcome, by), (Outcome::Refused, via(1, false)));
    assert_eq!(asked.load(Ordering::SeqCst), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_provider_of_the_account_that_called_is_heard_about_the_call() {
    let first = Provider::always(Reply::json(500, "oops"));
    let taken = r#"{"sid":"CA0123456789abcdef0123456789abcdef","status":"queued"}"#;
    let second = Provider::always(Reply::json(201, taken));
    let world = reached_by_two(&first, &second, "voice").await;
    paged(&world).await;
    let (told_first, told_second) = (next(&first), next(&second));
    let keys = [&told_first, &told_second].map(|one| Call::made(one).action.unwrap());
    let words = [&told_first, &told_second].map(|one| one.field("StatusCallback").unwrap());
    for ([of_first, of_second], fields) in [
        (&keys, [("Digits", "5")]),
        (&words, [("CallStatus", "ringing")]),
    ] {
        assert_ne!(of_first, of_second);
        for (url, token, expected) in [
            (of_second, TOKENS[1], true),
            (of_second, TOKENS[0], false),
            (of_first, TOKENS[1], false),
            // It may have called all the same.
            (of_first, TOKENS[0], true),
        ] {
            let answer = post(&world, url, &fields, token).await;
            assert_eq!(answer.status.is_success(), expected, "{url} {token}");
        }
    }
    // What one account says of a call is no news of the call by the other.
    let said = [
        (&words[0], "failed", TOKENS[0], Value::Null),
        (&words[1], "completed", TOKENS[1], json!("delivered")),
    ];
    for (url, word, token, expected) in said {
        let answer = post(&world, url, &[("CallStatus", word)], token).await;
        assert_eq!(answer.status, 204);
        let detail = world.get("/incidents/1").await.json();
        let attempt = &detail["pages"][0]["attempts"][0];
        assert_eq!(attempt["receipt"]["state"], expected, "{word}");
    }
    let said = post(&world, &keys[1], &[("Digits", "4")], TOKENS[1]).await;
    assert!(said.text().contains("Incident 1 is acknowledged."));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_may_come_to_the_number_of_any_account() {
    let (first, second) = (Provider::always(Reply::json(500, "oops")), takes());
    let world = reached_by_two(&first, &second, "sms").await;
    paged(&world).await;
    let url = format!("{BASE}/twilio/sms");
    let fields = [("From", PHONE), ("Body", "ack 1")];
    let forged = post(&world, &url, &fields, "another token").await;
    assert_eq!(forged.status, 401);
    for token in TOKENS {
        let said = post(&world, &url, &fields, token).await;
        assert!(said.text().contains("Incident 1 is acknowledged."));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_became_of_a_text_is_asked_of_the_account_that_it_went_by() {
    let asked = Arc::new(AtomicUsize::new(0));
    let first = Provider::start({
        let asked = Arc::clone(&asked);
        move |request| {
            let asks = usize::from(request.method == "GET");
            asked.fetch_add(asks, Ordering::SeqCst);
            Reply::json(500, "oops")
        }
    });
    let second = Provider::start(|request| {
        if request.method == "GET" {
            let told = r#"{"sid":"SM0123456789abcdef0123456789abcdef","status":"delivered"}"#;
            return Reply::json(200, told);
        }
        Reply::json(201, TAKEN)
    });
    let world = reached_by_two(&first, &second, "sms").await;
    let delivery = world.deliver(loopback(), Duration::from_secs(10));
    world.raise("web").await;
    let known = tokio::task::block_in_place(|| fate(&world));
    delivery.stop();
    assert_eq!(known, Fate::Delivered);
    assert_eq!(asked.load(Ordering::SeqCst), 0);
    let mut request = next(&second);
    while request.method != "GET" {
        request = next(&second);
    }
    assert!(request.path.contains(IDS[1]), "{}", request.path);
}

fn word_past_the_engine() -> PageMessage {
    PageMessage {
        kind: Kind::Test,
        idempotency_key: "audit".to_owned(),
        incident_number: None,
        incident_id: String::new(),
        title: "a promise is broken".to_owned(),
        others: 0,
        urgency: Urgency::High,
        service: String::new(),
        target: None,
        onset: None,
        opened_at: START,
        reason: String::new(),
        details: Vec::new(),
        link: String::new(),
        answer_link: None,
        runbook: None,
        verification_code: None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn past_the_engine_too_the_next_account_is_tried_after_one_that_hangs() {
    let (first, second) = (Provider::always(Reply::Hang), takes());
    let world = reached_by_two(&first, &second, "sms").await;
    let pace = HandPace::new();
    let needs = Needs {
        pace: Arc::clone(&pace) as Arc<dyn Pace>,
        ..world.needs(loopback())
    };
    let texts = SetUp::from_iter([ChannelKind::Sms]);
    let ways = world
        .engine
        .read(|state| ways_to_administrators(state, Some(&texts)));
    let direct = Direct::start(needs).unwrap();
    let sending = std::thread::spawn(move || {
        let letters = ways.iter().map(|way| (way, word_past_the_engine()));
        direct.send(&letters.collect::<Vec<_>>())
    });
    next(&first);
    pace.attempt_runs_out();
    let sent = tokio::task::block_in_place(|| sending.join().unwrap());
    let outcomes: Vec<Outcome> = sent.iter().map(|one| one.outcome).collect();
    assert_eq!(outcomes, [Outcome::Accepted]);
    next(&second);
}

#[tokio::test]
async fn accounts_that_take_over_are_kept_shown_and_removed_each_for_itself() {
    let world = World::new();
    let put = async |path: &str, body: Value| {
        let path = format!("/channels/accounts/{path}");
        world.call("PUT", &path, &world.admin, Some(body)).await
    };
    let (here, there) = ("https://sms.example.org", "https://sms.example.net");
    for (path, url, index) in [("twilio", here, 0), ("twilio/2", there, 1)] {
        let set = put(path, account(url, index)).await;
        assert!(set.status.is_success(), "{}", set.text());
    }
    let shown = world.get("/channels").await;
    for token in TOKENS {
        assert!(!shown.text().contains(token));
    }
    let shown = shown.json();
    let first = &shown["accounts"][0];
    assert_eq!(
        (&first["place"], &first["base_url"]),
        (&json!(1), &json!(here))
    );
    let further = shown["further_accounts"].as_array().unwrap();
    assert_eq!(further.len(), 1);
    assert_eq!(
        (&further[0]["place"], &further[0]["base_url"]),
        (&json!(2), &json!(there))
    );
    // The token of one place is none of another's.
    let without = json!({"base_url": there, "account_id": IDS[1], "from": "+15005550006"});
    assert_eq!(put("twilio/3", without.clone()).await.status, 400);
    assert_eq!(put("twilio/2", without).await.status, 200);
    for path in ["twilio/1", "twilio/4", "twilio/x", "telegram/2"] {
        assert_eq!(put(path, account(here, 0)).await.status, 404, "{path}");
    }
    let kept = world.vault.count();
    for place in ["twilio", "twilio/2"] {
        let path = format!("/channels/accounts/{place}");
        let gone = world.call("DELETE", &path, &world.admin, None).await;
        assert_eq!(gone.status, 204);
    }
    assert_eq!(world.vault.count(), kept - 2);
    let shown = world.get("/channels").await.json();
    assert_eq!(shown["accounts"][0]["configured"], false);
    assert_eq!(shown["further_accounts"], json!([]));
}
