//! Ways to people and their rules by PagerDuty's REST API: who may change whose, and that nobody is paged by what is not proved.

use axum::http::StatusCode;
use serde_json::{Value, json};
use tocsin_domain::command::{Ask, Command, PeopleAsk};
use tocsin_domain::event::Actor;
use tocsin_domain::people::Urgency;

use super::roster::{changed, gone, id_of, made};
use super::{ada, ask, read, refused};
use crate::world::World;

fn phone(address: &str) -> Value {
    json!({"contact_method": {"type": "phone_contact_method", "label": "Mobile", "address": address, "country_code": 33}})
}

fn ways(world: &World) -> String {
    format!("/users/{}/contact_methods", world.bob)
}

fn rules(world: &World) -> String {
    format!("/users/{}/notification_rules", world.bob)
}

fn rule(way: &Value, minutes: u64) -> Value {
    json!({"notification_rule": {
        "type": "assignment_notification_rule", "start_delay_in_minutes": minutes, "urgency": "high",
        "contact_method": {"id": way["id"], "type": "phone_contact_method_reference"},
    }})
}

/// Bob types in the code that came by one of his ways.
async fn prove(world: &World, id: &str) {
    let code = world.code_of(world.bob, id);
    let verify = format!("/users/{}/contact-methods/{id}/verify", world.bob);
    let verified = world.post(&verify, json!({"code": code})).await;
    assert_eq!(verified.status, StatusCode::OK, "{}", verified.text());
}

/// After how many minutes each of Bob's rules uses which way.
async fn steps(world: &World) -> Vec<(u64, String)> {
    let rules = read(world, &rules(world)).await["notification_rules"].clone();
    let rules = rules.as_array().unwrap().iter();
    let step = |rule: &Value| {
        let minutes = rule["start_delay_in_minutes"].as_u64().unwrap();
        (minutes, id_of(&rule["contact_method"]))
    };
    rules.map(step).collect()
}

#[tokio::test]
async fn a_way_joins_the_rules_once_it_is_proved_unless_a_client_has_written_one_for_it() {
    let world = World::new();
    let first = steps(&world).await;
    let way = made(&world, &ways(&world), phone("123456789")).await["contact_method"].clone();
    assert_eq!(steps(&world).await, first, "nobody has proved it");
    prove(&world, &id_of(&way)).await;
    let mut joined = first;
    joined.push((0, id_of(&way)));
    assert_eq!(steps(&world).await, joined);
    // A client that writes it down afterwards is told that it is there, in the words that it looks for.
    let again = ada(&world, ("POST", &rules(&world)), Some(rule(&way, 0))).await;
    assert!(refused(&again, 400, 2001).contains("must be unique"));
    let other = made(&world, &ways(&world), phone("987654321")).await["contact_method"].clone();
    made(&world, &rules(&world), rule(&other, 5)).await;
    prove(&world, &id_of(&other)).await;
    joined.push((5, id_of(&other)));
    assert_eq!(steps(&world).await, joined, "as the client wrote it");
}

#[tokio::test]
async fn a_way_that_a_client_adds_is_unproved_until_its_owner_confirms_it() {
    let world = World::new();
    let way = made(&world, &ways(&world), phone("123456789")).await["contact_method"].clone();
    assert_eq!(way["type"], "phone_contact_method");
    assert_eq!(
        (&way["label"], &way["enabled"]),
        (&json!("Mobile"), &json!(false))
    );
    let told = |way: &Value| (way["country_code"].clone(), way["address"].clone());
    let whole = (json!(33), json!("123456789"));
    assert_eq!(told(&way), whole, "an administrator may write it");
    let path = format!("{}/{}", ways(&world), id_of(&way));
    for (token, expected) in [
        (&world.bobs, whole),
        (&world.viewer, (Value::Null, json!("+…89"))),
    ] {
        let seen = ask(&world, ("GET", &path), token, None, None).await;
        assert_eq!(told(&seen.json()["contact_method"]), expected);
    }
    let id = id_of(&way);
    prove(&world, &id).await;
    let path = format!("{}/{id}", ways(&world));
    let proved = read(&world, &path).await["contact_method"].clone();
    assert_eq!(proved["enabled"], true);
    gone(&world, &path).await;
}

#[tokio::test]
async fn a_way_is_there_once_and_changes_its_name_alone() {
    let world = World::new();
    let way = made(&world, &ways(&world), phone("123456789")).await["contact_method"].clone();
    let twice = ada(&world, ("POST", &ways(&world)), Some(phone("+33123456789"))).await;
    let told = refused(&twice, 400, 2001);
    assert_eq!(told, r#"["User Contact method must be unique"]"#);
    let path = format!("{}/{}", ways(&world), id_of(&way));
    let mut back = way.clone();
    back["label"] = json!("Office");
    let renamed = changed(&world, &path, json!({"contact_method": back})).await;
    assert_eq!(renamed["contact_method"]["label"], "Office");
    assert_eq!(renamed["contact_method"]["id"], way["id"]);
    let same = changed(&world, &path, phone("123456789")).await;
    assert_eq!(same["contact_method"]["label"], "Mobile");
    for wrong in [
        phone("999999999"),
        json!({"contact_method": {"type": "sms_contact_method"}}),
    ] {
        refused(&ada(&world, ("PUT", &path), Some(wrong)).await, 400, 2001);
    }
    for wrong in [
        phone("not a number"),
        json!({"contact_method": {"type": "push_notification_contact_method", "address": "x"}}),
        json!({"contact_method": {"type": "email_contact_method", "address": "nobody"}}),
        json!({"contact_method": {"type": "email_contact_method"}}),
    ] {
        let answer = ada(&world, ("POST", &ways(&world)), Some(wrong)).await;
        refused(&answer, 400, 2001);
    }
}

#[tokio::test]
async fn rules_are_added_changed_and_removed_one_by_one() {
    let world = World::new();
    let way = made(&world, &ways(&world), phone("123456789")).await["contact_method"].clone();
    let before = read(&world, &rules(&world)).await["notification_rules"].clone();
    let before = before.as_array().unwrap().len();
    let five = made(&world, &rules(&world), rule(&way, 5)).await["notification_rule"].clone();
    assert_eq!(five["start_delay_in_minutes"], 5);
    assert_eq!(five["contact_method"]["id"], way["id"]);
    assert_eq!(five["contact_method"]["type"], "phone_contact_method");
    let twice = ada(&world, ("POST", &rules(&world)), Some(rule(&way, 5))).await;
    assert!(refused(&twice, 400, 2001).contains("must be unique"));
    let path = format!("{}/{}", rules(&world), id_of(&five));
    let low = json!({"notification_rule": {"urgency": "low"}});
    let low = changed(&world, &path, low).await["notification_rule"].clone();
    assert_eq!((&low["id"], &low["urgency"]), (&five["id"], &json!("low")));
    assert_eq!(low["start_delay_in_minutes"], 5);
    assert_eq!(low["contact_method"], five["contact_method"]);
    let all = read(&world, &rules(&world)).await["notification_rules"].clone();
    assert_eq!(all.as_array().unwrap().len(), before + 1, "the others stay");
    gone(&world, &path).await;
    for (wrong, code) in [
        (json!({"notification_rule": {}}), 2001),
        (rule(&json!({"id": "QAAAAAAAAAAAAA"}), 0), 5001),
        (rule(&way, 1_441), 2001),
    ] {
        let answer = ada(&world, ("POST", &rules(&world)), Some(wrong)).await;
        refused(&answer, 400, code);
    }
}

#[tokio::test]
async fn a_rule_names_its_way_by_the_word_of_the_way_wherever_it_is_shown() {
    let world = World::new();
    let bob = format!("/users/{}", world.bob);
    let list = read(&world, &rules(&world)).await["notification_rules"].clone();
    let path = format!("{}/{}", rules(&world), id_of(&list[0]));
    let one = read(&world, &path).await["notification_rule"].clone();
    let query = "include[]=notification_rules";
    let of_bob = read(&world, &format!("{bob}?{query}")).await["user"].clone();
    for shown in [&list[0], &one, &of_bob["notification_rules"][0]] {
        assert_eq!(shown["contact_method"]["type"], "email_contact_method");
    }
    let way = &of_bob["contact_methods"][0]["type"];
    assert_eq!(way, "email_contact_method_reference");
}

#[tokio::test]
async fn short_mails_are_refused_since_none_is_sent() {
    let world = World::new();
    let mail = |is_short: bool| {
        json!({"contact_method": {"type": "email_contact_method", "label": "Home",
            "address": "bob@home.example", "send_short_email": is_short}})
    };
    let all = ways(&world);
    let told = ada(&world, ("POST", &all), Some(mail(true))).await;
    assert!(refused(&told, 400, 2001).contains("send_short_email"));
    let made = made(&world, &all, mail(false)).await["contact_method"].clone();
    assert_eq!(made["send_short_email"], false);
    let path = format!("{all}/{}", id_of(&made));
    let told = ada(&world, ("PUT", &path), Some(mail(true))).await;
    assert!(refused(&told, 400, 2001).contains("send_short_email"));
    changed(&world, &path, json!({ "contact_method": made })).await;
}

#[tokio::test]
async fn a_rule_between_two_minutes_stays_so_when_a_client_sends_back_what_it_read() {
    let world = World::new();
    let way = made(&world, &ways(&world), phone("123456789")).await["contact_method"].clone();
    let method = id_of(&way).parse().unwrap();
    let ask = PeopleAsk::SetRules {
        user: world.bob,
        rules: vec![(Urgency::High, 90_000, method)],
    };
    let command = Command {
        actor: Actor::System,
        ask: Ask::People(ask),
    };
    world.engine.ask_and_wait(command).unwrap();
    let delay_ms = || {
        let engine = &world.engine;
        engine.read(|state| state.users[&world.bob].rules[0].delay_ms)
    };
    let mut shown = read(&world, &rules(&world)).await["notification_rules"][0].clone();
    assert_eq!(shown["start_delay_in_minutes"], 1);
    let path = format!("{}/{}", rules(&world), id_of(&shown));
    changed(&world, &path, json!({"notification_rule": shown})).await;
    assert_eq!(delay_ms(), 90_000);
    shown["start_delay_in_minutes"] = json!(2);
    changed(&world, &path, json!({"notification_rule": shown})).await;
    assert_eq!(delay_ms(), 120_000);
}

#[tokio::test]
async fn only_the_person_and_administrators_change_ways_and_rules() {
    let world = World::new();
    let own = ask(
        &world,
        ("POST", &ways(&world)),
        &world.bobs,
        None,
        Some(phone("123456789")),
    )
    .await;
    assert_eq!(own.status, StatusCode::CREATED, "{}", own.text());
    let way = id_of(&own.json()["contact_method"]);
    let adas = format!("/users/{}/contact_methods", world.ada);
    let theirs = ask(
        &world,
        ("POST", &adas),
        &world.bobs,
        None,
        Some(phone("123456789")),
    )
    .await;
    refused(&theirs, 403, 2010);
    // A token of nobody is nobody, whatever name it gives.
    let bob = Some("bob@example.org");
    let path = format!("{}/{way}", ways(&world));
    for token in [&world.responder, &world.viewer] {
        let answer = ask(&world, ("DELETE", &path), token, bob, None).await;
        refused(&answer, 403, 2010);
    }
    let others = format!("/users/{}/contact_methods/{way}", world.ada);
    refused(&ada(&world, ("DELETE", &others), None).await, 404, 2100);
}
