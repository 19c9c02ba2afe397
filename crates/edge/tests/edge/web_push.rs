//! Pushes to a browser, against a push service that takes them, refuses them, limits them, hangs or lies, and a browser that reads
//! them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ring::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::agreement::{ECDH_P256, EphemeralPrivateKey, UnparsedPublicKey, agree_ephemeral};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey as VerifyingKey};
use serde_json::{Value, json};
use tocsin_domain::command::Ask;
use tocsin_domain::event::{Event, EventBody, NotificationWhat, PeopleEvent};
use tocsin_domain::page::Outcome;
use tocsin_domain::people::ChannelKind;
use tocsin_edge::delivery::pace::Pace;
use tocsin_edge::delivery::{Delivery, Needs};
use tocsin_edge::ports::Accounts;
use tocsin_wire::base64url;
use tocsin_wire::web_push::{Subscription, record_keys};

use crate::accounts::ended;
use crate::buttons::loopback;
use crate::channels::limited::retry_at;
use crate::channels::{answer_link, page, reached_by};
use crate::fakes::START;
use crate::pace::HandPace;
use crate::providers::{NTFY_OK, Provider, Reply};
use crate::world::{Answered, World};

/// What a browser keeps.
struct Browser {
    key: EphemeralPrivateKey,
    public_key: [u8; 65],
}

impl Browser {
    fn new() -> Self {
        let key = EphemeralPrivateKey::generate(&ECDH_P256, &SystemRandom::new()).unwrap();
        let public_key = key
            .compute_public_key()
            .unwrap()
            .as_ref()
            .try_into()
            .unwrap();
        Self { key, public_key }
    }

    fn subscription(&self, endpoint: &str) -> String {
        json!({"endpoint": endpoint, "expirationTime": null, "keys": {
            "p256dh": base64url::encode(&self.public_key), "auth": base64url::encode(&[9; 16])}})
        .to_string()
    }

    /// Decrypts a push, as RFC 8291 says.
    fn read(self, subscription: &Subscription, body: &[u8]) -> Value {
        let (salt, rest) = body.split_at(16);
        assert_eq!(rest[..5], [0, 0, 0x10, 0, 65]);
        let (sender, record) = rest[5..].split_at(65);
        let sender: [u8; 65] = sender.try_into().unwrap();
        let theirs = UnparsedPublicKey::new(&ECDH_P256, sender);
        let keys = agree_ephemeral(self.key, &theirs, |shared| {
            record_keys(shared, subscription, &sender, salt.try_into().unwrap())
        })
        .unwrap();
        let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &keys.key).unwrap());
        let mut record = record.to_vec();
        let nonce = Nonce::assume_unique_for_key(keys.nonce);
        let plain = key.open_in_place(nonce, Aad::empty(), &mut record).unwrap();
        let (mark, payload) = plain.split_last().unwrap();
        assert_eq!(*mark, 2);
        serde_json::from_slice(payload).unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_can_read_what_is_pushed_and_knows_who_pushed_it() {
    let provider = Provider::always(Reply::json(201, ""));
    let browser = Browser::new();
    let endpoint = format!("{}/push/SECRETENDPOINT", provider.url());
    let text = browser.subscription(&endpoint);
    let (world, outcome, detail) = page(&provider, "web_push", &text).await;
    assert_eq!((outcome, detail.as_str()), (Outcome::Accepted, "HTTP 201"));
    let request = provider.next();
    assert_eq!(request.header("content-encoding"), "aes128gcm");
    assert_eq!(request.header("urgency"), "high");
    let authorization = request.header("authorization");
    let (token, key) = authorization
        .strip_prefix("vapid t=")
        .unwrap()
        .split_once(", k=")
        .unwrap();
    let channels = world.get("/channels").await.json();
    let shown = channels["accounts"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["provider"] == "web_push");
    assert_eq!(shown.unwrap()["public_key"], key);
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let key = base64url::decode(key, 65).unwrap();
    VerifyingKey::new(&ECDSA_P256_SHA256_FIXED, key)
        .verify(
            signed.as_bytes(),
            &base64url::decode(signature, 64).unwrap(),
        )
        .unwrap();
    let pushed = browser.read(&Subscription::read(&text).unwrap(), &request.body);
    assert_eq!(pushed["title"], "[Page #1] web is down");
    assert!(
        pushed["answer_link"]
            .as_str()
            .unwrap()
            .starts_with(&answer_link(&world))
    );
}

/// How the first attempt by a push went. Word of a browser that is gone goes otherwise, and may be there before.
fn outcome_by_push(world: &World) -> (Outcome, String) {
    world.committed.wait_for(|events| {
        let messages = events.iter().filter_map(|event| match &event.body {
            EventBody::Notification(message) => Some(message),
            _ => None,
        });
        let pushed = messages.clone().find_map(|message| match &message.what {
            NotificationWhat::Planned { message } => {
                (message.channel == ChannelKind::WebPush).then_some(message.id)
            }
            _ => None,
        })?;
        let mut of_push = messages.filter(|message| message.notification == pushed);
        of_push.find_map(|message| match &message.what {
            NotificationWhat::AttemptFinished {
                outcome, detail, ..
            } => Some((*outcome, detail.clone())),
            _ => None,
        })
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_that_is_not_known_is_not_tried_again_and_its_address_not_journalled() {
    for (status, expected) in [
        (404, "does not know this browser"),
        (410, "takes no more pushes"),
    ] {
        let provider = Provider::always(Reply::json(status, "no push/SECRETENDPOINT here"));
        let endpoint = format!("{}/push/SECRETENDPOINT", provider.url());
        let text = Browser::new().subscription(&endpoint);
        let world = reached_by(&provider, "web_push", &text).await;
        let delivery = world.deliver_at(loopback(), &HandPace::new());
        world.raise("web").await;
        let (outcome, detail) = tokio::task::block_in_place(|| outcome_by_push(&world));
        delivery.stop();
        assert_eq!(outcome, Outcome::Refused, "{detail}");
        assert!(detail.contains(expected), "{detail}");
        let journal = format!("{:?}", world.journal.events.lock().unwrap());
        assert!(!journal.contains("SECRETENDPOINT"));
    }
}

/// Pages Ada by a push to a browser that this service stands behind, and gives how the first attempt ended. The time is what is done
/// with it `meanwhile`.
async fn pushed_while(
    provider: &Provider,
    meanwhile: impl FnOnce(&HandPace),
) -> (World, Outcome, String) {
    let text = Browser::new().subscription(&format!("{}/push/x", provider.url()));
    let world = reached_by(provider, "web_push", &text).await;
    let pace = HandPace::new();
    let delivery = world.deliver_at(loopback(), &pace);
    world.raise("web").await;
    meanwhile(&pace);
    let (outcome, detail) = tokio::task::block_in_place(|| world.first_outcome());
    delivery.stop();
    (world, outcome, detail)
}

/// The same with a service that always answers so.
async fn pushed(reply: Reply) -> (World, Outcome, String) {
    pushed_while(&Provider::always(reply), |_| {}).await
}

#[tokio::test(flavor = "multi_thread")]
async fn each_push_service_has_its_own_mark_of_what_it_took() {
    for (status, headers) in [
        // Google's and Mozilla's, as RFC 8030 has it; Mozilla's where the browser is not there.
        (201, "location: https://push.example/m/1\r\n"),
        (202, "location: https://push.example/m/1\r\n"),
        // Apple's.
        (201, "apns-id: 3BA3E2E9-5640-F35F-1ACB-24A8CF9AD3AD\r\n"),
        // Microsoft's.
        (201, "X-WNS-Status: received\r\n"),
        (200, "X-WNS-Status: received\r\n"),
        (201, ""),
    ] {
        let reply = Reply::Answer(status, headers, String::new());
        let (_, outcome, detail) = pushed(reply).await;
        assert_eq!(outcome, Outcome::Accepted, "{status} {headers}: {detail}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_success_in_another_form_than_a_push_services_is_none() {
    let hotel = "<html>Welcome to the hotel's network</html>";
    for (status, headers, said) in [
        (200, "", hotel),
        (200, "", ""),
        (201, "", hotel),
        (202, "", ""),
        // Thrown away, and said so.
        (200, "X-WNS-Status: dropped\r\n", ""),
        (201, "X-WNS-Status: channelthrottled\r\n", ""),
    ] {
        let reply = Reply::Answer(status, headers, said.to_owned());
        let (world, outcome, detail) = pushed(reply).await;
        assert_eq!(outcome, Outcome::Failed, "{status} {headers}: {detail}");
        assert!(retry_at(&world).is_some(), "{status} {headers}: {detail}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_service_that_is_down_or_refuses_is_told_apart() {
    for (status, expected) in [
        (500, Outcome::Failed),
        (503, Outcome::Failed),
        (403, Outcome::Refused),
    ] {
        let (world, outcome, detail) = pushed(Reply::json(status, "the words of it")).await;
        assert_eq!(outcome, expected, "{detail}");
        assert_eq!(detail, format!("HTTP {status} the words of it"));
        let is_tried_again = retry_at(&world).is_some();
        assert_eq!(is_tried_again, expected == Outcome::Failed, "{status}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_service_that_hangs_is_given_up_at_the_deadline_and_tried_again() {
    let provider = Provider::always(Reply::Hang);
    let meanwhile = |pace: &HandPace| {
        tokio::task::block_in_place(|| provider.next());
        pace.attempt_runs_out();
    };
    let (world, outcome, detail) = pushed_while(&provider, meanwhile).await;
    assert_eq!(outcome, Outcome::TimedOut, "{detail}");
    assert!(retry_at(&world).is_some(), "{detail}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_service_that_limits_is_left_alone_for_as_long_as_it_asks() {
    // Microsoft's says it by a status of its own.
    for status in [429, 406] {
        let reply = Reply::Answer(status, "retry-after: 30\r\n", String::new());
        let (world, outcome, detail) = pushed(reply).await;
        assert_eq!(outcome, Outcome::Failed, "{detail}");
        let wait_ms = retry_at(&world).unwrap().ms_since(START);
        assert_eq!(wait_ms, 30_000, "{detail}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_that_is_repeated_takes_the_place_of_the_one_before_and_of_no_other() {
    let asked = AtomicUsize::new(0);
    let provider = Provider::start(move |_| {
        let is_first = asked.fetch_add(1, Ordering::SeqCst) == 0;
        Reply::json(if is_first { 503 } else { 201 }, "")
    });
    let browser = Browser::new();
    let text = browser.subscription(&format!("{}/push/x", provider.url()));
    let world = reached_by(&provider, "web_push", &text).await;
    let delivery = world.deliver_at(loopback(), &HandPace::new());
    let incident = world.raise("web").await;
    ended(&world, 1);
    *world.clock.0.lock().unwrap() = START.plus_ms(1_000);
    world.does(Ask::Tick);
    let ends = ended(&world, 2);
    delivery.stop();
    assert_eq!(ends[1].0, Outcome::Accepted);
    let (_, second) = (provider.next(), provider.next());
    let pushed = browser.read(&Subscription::read(&text).unwrap(), &second.body);
    let messages = world.engine.read(|state| {
        let all = state.notifications.keys();
        all.map(ToString::to_string).collect::<Vec<_>>()
    });
    assert_eq!(messages, [pushed["id"].as_str().unwrap()]);
    // By this the browser shows one of them.
    assert_eq!(pushed["tag"], incident);
    // A push service might keep no more than a few topics for a phone that is off, and throw other pages away.
    assert!(!second.head.to_lowercase().contains("\r\ntopic:"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_that_is_gone_is_no_way_to_its_person_any_more_and_they_hear_of_it() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let provider = Provider::start(move |_| {
        counted.fetch_add(1, Ordering::SeqCst);
        Reply::json(410, "")
    });
    let topic = Provider::always(Reply::json(200, NTFY_OK));
    let text = Browser::new().subscription(&format!("{}/push/x", provider.url()));
    let world = World::new();
    let browser = world.reach(world.ada, "web_push", &text, None).await;
    let address = format!("{}/topic", topic.url());
    let phone = world.reach(world.ada, "ntfy", &address, None).await;
    let person = format!("/users/{}", world.ada);
    let rule = |minutes: u64, method: &str| json!({"urgency": "high", "delay_minutes": minutes, "contact_method_id": method});
    let rules = json!([rule(0, &browser), rule(60, &phone)]);
    let path = format!("{person}/notification-rules");
    let set = world.call("PUT", &path, &world.admin, Some(rules)).await;
    assert_eq!(set.status, 200, "{}", set.text());
    let delivery = world.deliver_at(loopback(), &HandPace::new());
    world.raise("web").await;
    // The page goes by the next way at once, and so does word of the browser, after mail, which is not set up.
    let both = [topic.next(), topic.next()].map(|request| request.json().to_string());
    let word = "reaches you no more";
    assert_eq!(both.iter().filter(|said| said.contains(word)).count(), 1);
    let own_page = both.iter().any(|said| said.contains("/ui/people/me"));
    assert!(own_page, "{both:?}");
    let shown = world.get(&person).await.json();
    let methods = shown["contact_methods"].as_array().unwrap();
    let state = |id: &str| {
        let one = methods.iter().find(|one| one["id"] == id).unwrap();
        (one["verified"].clone(), one["gone"].clone())
    };
    assert_eq!(state(&browser), (json!(false), json!(true)));
    assert_eq!(state(&phone), (json!(true), json!(false)));
    let base = format!("{person}/contact-methods/{browser}");
    for (path, body) in [
        (format!("{base}/test"), json!({})),
        (format!("{base}/verify"), json!({"code": "123456"})),
    ] {
        let refused = world.post(&path, body).await;
        assert_eq!(refused.status, 409, "{}", refused.text());
        assert!(refused.text().contains("gone for ever"), "{path}");
    }
    world.raise("disk").await;
    assert!(topic.next().json().to_string().contains("disk is down"));
    delivery.stop();
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_that_is_not_known_is_gone_only_when_that_is_said_again_a_while_later() {
    // As a proxy in between may say once.
    let provider = Provider::always(Reply::json(404, "<html>Not Found</html>"));
    let text = Browser::new().subscription(&format!("{}/push/x", provider.url()));
    let world = reached_by(&provider, "web_push", &text).await;
    let delivery = world.deliver_at(loopback(), &HandPace::new());
    let first = world.raise("web").await;
    let (outcome, detail) = tokio::task::block_in_place(|| outcome_by_push(&world));
    assert_eq!(outcome, Outcome::Refused, "{detail}");
    let gone = || {
        world.engine.read(|state| {
            let methods = &state.users[&world.ada].contact_methods;
            methods.iter().any(|method| method.gone_at.is_some())
        })
    };
    assert!(!gone());
    let path = format!("/incidents/{first}/acknowledge");
    let taken = world.post(&path, json!({})).await;
    assert!(taken.status.is_success(), "{}", taken.text());
    *world.clock.0.lock().unwrap() = START.plus_ms(600_000);
    world.raise("disk").await;
    tokio::task::block_in_place(|| {
        world.committed.wait_for(|events| {
            let mut all = events.iter();
            let is_gone = |event: &Event| {
                matches!(
                    event.body,
                    EventBody::People(PeopleEvent::ContactMethodGone { .. })
                )
            };
            all.any(is_gone).then_some(())
        });
    });
    delivery.stop();
    assert!(gone());
}

/// Whom a push service may ask about what is pushed from a Tocsin at that address.
async fn contact(world: &World, provider: &Provider, public_url: &str) -> String {
    let pace: Arc<dyn Pace> = HandPace::new();
    let needs = Needs {
        public_url: public_url.to_owned(),
        pace,
        ..world.needs(loopback())
    };
    let delivery = Delivery::start(world.queue.clone(), needs).unwrap();
    world.raise("web").await;
    let (outcome, detail) = tokio::task::block_in_place(|| world.first_outcome());
    delivery.stop();
    assert_eq!(outcome, Outcome::Accepted, "{detail}");
    let authorization = provider.next().header("authorization");
    let claims = authorization.split('.').nth(1).unwrap();
    let claims = base64url::decode(claims, 1_000).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    claims["sub"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_service_is_told_an_address_that_there_is() {
    let own = "https://tocsin.example.org";
    for (public_url, named, expected) in [
        (own, None, own),
        ("http://127.0.0.1:8700", None, "mailto:tocsin@example.org"),
        (
            own,
            Some("mailto:ops@example.org"),
            "mailto:ops@example.org",
        ),
    ] {
        let provider = Provider::always(Reply::json(201, ""));
        let text = Browser::new().subscription(&format!("{}/push/x", provider.url()));
        let world = reached_by(&provider, "web_push", &text).await;
        world.set_up_mail().await;
        if let Some(named) = named {
            assert_eq!(set(&world, named).await.status, 200);
        }
        assert_eq!(contact(&world, &provider, public_url).await, expected);
    }
}

/// What is shown of the account for web push.
async fn account(world: &World) -> Value {
    let channels = world.get("/channels").await.json();
    let accounts = channels["accounts"].as_array().unwrap();
    let found = accounts.iter().find(|one| one["provider"] == "web_push");
    found.unwrap().clone()
}

/// Sets who is to be asked about pushes.
async fn set(world: &World, from: &str) -> Answered {
    let path = "/channels/accounts/web_push";
    let body = json!({"from": from});
    world.call("PUT", path, &world.admin, Some(body)).await
}

/// A world whose start could keep no key.
fn without_key() -> World {
    let world = World::new();
    let setting = "channel_web_push";
    world.doors.set_setting(setting, "null").unwrap();
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_the_start_could_not_make_is_made_with_the_account_and_stays() {
    let world = without_key();
    assert!(account(&world).await["public_key"].is_null());
    let made = set(&world, "mailto:ops@example.org").await;
    assert_eq!(made.status, 200, "{}", made.text());
    assert!(made.json()["public_key"].is_string(), "{}", made.text());
    let again = set(&world, "mailto:others@example.org").await.json();
    assert_eq!(again["from"], "mailto:others@example.org");
    assert_eq!(again["public_key"], made.json()["public_key"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_to_be_asked_is_kept_also_when_the_key_is_being_made() {
    let world = without_key();
    let (has_come, go_on) = world.vault.hold_next();
    let meanwhile = async {
        // The key is made, and waits for its place in the vault.
        has_come.await.unwrap();
        let others = async {
            // While these are answered, it comes as far as it can.
            for _ in 0..8 {
                world.get("/incidents?limit=1").await;
            }
            go_on.send(()).unwrap();
        };
        tokio::join!(set(&world, "mailto:ops@example.org"), others).0
    };
    let (made, set) = tokio::join!(set(&world, "mailto:first@example.org"), meanwhile);
    assert_eq!(made.status, 200, "{}", made.text());
    assert_eq!(set.status, 200, "{}", set.text());
    let shown = account(&world).await;
    assert_eq!(shown["from"], "mailto:ops@example.org");
    assert!(shown["public_key"].is_string(), "{shown}");
    assert_eq!(shown["public_key"], made.json()["public_key"]);
    assert_eq!(shown["public_key"], set.json()["public_key"]);
}
