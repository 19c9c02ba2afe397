//! What was changed and by whom, as the native API lists it.

use axum::http::StatusCode;
use serde_json::{Value, json};
use tocsin_domain::changed::ChangedKind;
use tocsin_domain::event::{Actor, Cause, Event, EventBody, RosterEvent, TagEvent};
use tocsin_domain::people::{Role, TokenBounds};
use tocsin_domain::time::Timestamp;
use tocsin_edge::ports::{Accounts, ChangeLog, NewToken, StorageError};

use crate::fakes::{Memory, START};
use crate::world::World;

impl ChangeLog for Memory {
    fn changes(
        &self,
        of: Option<(ChangedKind, &str)>,
        before: u64,
        until: Option<Timestamp>,
        limit: usize,
    ) -> Result<Vec<Event>, StorageError> {
        let events = self.events.lock().unwrap();
        let is_wanted = |event: &&Event| {
            let Some(changed) = event.body.changed() else {
                return false;
            };
            event.position < before
                && until.is_none_or(|until| event.recorded_at < until)
                && of.is_none_or(|of| of == (changed.kind, changed.id))
        };
        let newest = events.iter().rev().filter(is_wanted);
        Ok(newest.take(limit).cloned().collect())
    }
}

/// The records of a page that is there.
async fn page(world: &World, query: &str) -> Value {
    let answer = world.get(&format!("/audit/records?{query}")).await;
    assert_eq!(answer.status, StatusCode::OK, "{query}: {}", answer.text());
    answer.json()
}

/// What each record of a page says: action, kind and name of what was changed, and who did it.
fn told(page: &Value) -> Vec<String> {
    let items = page["items"].as_array().unwrap().iter();
    let told = items.map(|item| {
        let word = |value: &Value| value.as_str().unwrap_or("-").to_owned();
        let (object, by) = (&item["object"], word(&item["actor"]["name"]));
        let (action, kind) = (word(&item["action"]), word(&object["kind"]));
        format!("{action} {kind} {} by {by}", word(&object["name"]))
    });
    told.collect()
}

/// Changes more of the world: a team that comes, is renamed and goes, by Ada.
async fn team_comes_and_goes(world: &World) -> String {
    let made = world.post("/teams", json!({"name": "Web", "members": []}));
    let made = made.await.json();
    let id = made["id"].as_str().unwrap().to_owned();
    let path = format!("/teams/{id}");
    let renamed = json!({"name": "Shop", "members": []});
    for (method, body) in [("PUT", Some(renamed)), ("DELETE", None)] {
        let answer = world.call(method, &path, &world.admin, body).await;
        assert!(answer.status.is_success(), "{}", answer.text());
    }
    id
}

#[tokio::test]
async fn what_was_changed_is_listed_from_the_newest_on_with_who_did_it() {
    let world = World::new();
    let id = team_comes_and_goes(&world).await;
    let newest = page(&world, "limit=3").await;
    let expected = [
        "removed team Shop by Ada",
        "updated team Shop by Ada",
        "created team Web by Ada",
    ];
    assert_eq!(told(&newest), expected);
    let first = &newest["items"][0];
    assert_eq!(first["kind"], "roster.team_removed");
    assert_eq!(first["object"]["id"], json!(id));
    assert_eq!(first["actor"]["id"], world.ada.to_string());
    assert_eq!(first["actor"]["kind"], "person");
    assert!(first["position"].is_u64() && first["at"].is_string());

    let cursor = newest["next_cursor"].as_str().unwrap();
    let older = page(&world, &format!("limit=200&cursor={cursor}")).await;
    let told = told(&older);
    assert_eq!(told[0], "created user Bob by Tocsin", "{told:?}");
    assert!(told.last().unwrap().starts_with("created installation"));
    assert_eq!(older["next_cursor"], Value::Null);
}

#[tokio::test]
async fn a_filter_leaves_those_of_one_thing_of_a_kind_of_a_time_and_of_one_actor() {
    let world = World::new();
    let id = team_comes_and_goes(&world).await;
    let later = START.plus_ms(3_600_000);
    *world.clock.0.lock().unwrap() = later;
    let new = NewToken {
        name: "Deploy".to_owned(),
        role: Role::Admin,
        user: None,
        made_by: Some(world.ada),
        expires_at: None,
        bounds: TokenBounds::default(),
    };
    let (token, text) = world.doors.add_token(new, START).unwrap();
    let tag = json!({"label": "West"});
    let tag = world.call("POST", "/tags", &text, Some(tag)).await.json();
    let all_of = async |query: String| told(&page(&world, &query).await);

    assert_eq!(all_of(format!("kind=team&id={id}")).await.len(), 3);
    assert_eq!(all_of("kind=team".to_owned()).await.len(), 3);
    let tagged = ["created tag West by token “Deploy”"];
    assert_eq!(all_of(format!("actor={}", token.id)).await, tagged);
    let of_tag = format!("kind=tag&id={}", tag["id"].as_str().unwrap());
    assert_eq!(all_of(of_tag).await, tagged);
    assert_eq!(all_of(format!("since={later}")).await, tagged);
    let before = all_of(format!("until={later}&limit=1")).await;
    assert_eq!(before, ["removed team Shop by Ada"]);
    let none = all_of("kind=team&id=QAAAAAAAAAAAAA".to_owned()).await;
    assert_eq!(none, [""; 0]);

    let id = tag["id"].as_str().unwrap();
    let path = format!("/tags/{id}");
    let gone = world.call("DELETE", &path, &text, None).await;
    assert!(gone.status.is_success(), "{}", gone.text());
    let of_gone = all_of(format!("kind=tag&id={id}")).await;
    assert_eq!(
        of_gone,
        ["removed tag West by token “Deploy”", tagged[0]],
        "also once it is gone"
    );

    for wrong in [
        "id=QAAAAAAAAAAAAA".to_owned(),
        "kind=weather".to_owned(),
        "since=noon".to_owned(),
        format!("since={later}&until={START}"),
        "cursor=x".to_owned(),
    ] {
        let answer = world.get(&format!("/audit/records?{wrong}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{wrong}");
    }
}

#[tokio::test]
async fn no_secret_and_no_address_is_among_what_is_told() {
    let world = World::new();
    let bob = world.bob;
    let address = "https://127.0.0.1/secret-topic";
    world.reach(bob, "ntfy", address, None).await;
    let answer = world.get("/audit/records?kind=user").await;
    let text = answer.text();
    assert!(text.contains("people.contact_method_added"), "{text}");
    for secret in ["secret-topic", "bob@example.org"] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
}

#[tokio::test]
async fn a_page_looks_at_so_many_changes_and_says_where_to_go_on() {
    let world = World::new();
    team_comes_and_goes(&world).await;
    let mut events = world.journal.events.lock().unwrap().clone();
    for number in 0..2_500 {
        let label = format!("tag {number}");
        events.push(Event {
            position: events.last().map_or(1, |last| last.position + 1),
            at: START,
            recorded_at: START,
            actor: Actor::System,
            cause: Cause::Request,
            body: EventBody::Roster(RosterEvent::Tag(TagEvent::Added { label })),
        });
    }
    *world.journal.events.lock().unwrap() = events;
    let query = format!("actor={}&kind=team", world.ada);
    let first = page(&world, &query).await;
    assert_eq!(first["items"], json!([]));
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = page(&world, &format!("{query}&cursor={cursor}")).await;
    assert_eq!(told(&second).len(), 3);
    assert_eq!(second["next_cursor"], Value::Null);
}
