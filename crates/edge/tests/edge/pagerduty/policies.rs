//! Escalation policies of PagerDuty's REST API: what its form cannot say.

use serde_json::{Value, json};

use super::roster::{changed, gone, id_of, made, user};
use super::{ada, read, refused};
use crate::world::World;

/// A policy of two levels, of which each person of the first must acknowledge.
async fn each_must(world: &World) -> String {
    let person = |id: String| json!({"kind": "user", "id": id});
    let both = [person(world.ada.to_string()), person(world.bob.to_string())];
    let levels = [
        json!({"delay_minutes": 5, "each_must_acknowledge": true, "targets": both}),
        json!({"delay_minutes": 10, "targets": [both[1]]}),
    ];
    let body = json!({"name": "Both", "repeat": 0, "levels": levels});
    let made = world.post("/escalation-policies", body).await;
    assert!(made.status.is_success(), "{}", made.text());
    id_of(&made.json())
}

/// Of each level, whether each of its people must acknowledge.
async fn flags(world: &World, id: &str) -> Value {
    let all = world.get("/escalation-policies").await.json();
    let mut all = all["items"].as_array().unwrap().iter();
    let policy = all.find(|policy| policy["id"] == id).unwrap();
    let levels = policy["levels"].as_array().unwrap().iter();
    let flags = levels.map(|level| level["each_must_acknowledge"].clone());
    flags.collect::<Vec<_>>().into()
}

#[tokio::test]
async fn that_each_must_acknowledge_stays_with_the_level_of_which_it_was_said() {
    let world = World::new();
    let id = each_must(&world).await;
    let path = format!("/escalation_policies/{id}");
    let rules = read(&world, &path).await["escalation_policy"]["escalation_rules"].clone();
    let new = json!({"escalation_delay_in_minutes": 1, "targets": [user(&world)]});
    let body = |rules: Value| json!({"escalation_policy": {"escalation_rules": rules}});
    changed(&world, &path, body(json!([new, rules[0], rules[1]]))).await;
    assert_eq!(flags(&world, &id).await, json!([false, true, false]));
    let rules = read(&world, &path).await["escalation_policy"]["escalation_rules"].clone();
    changed(&world, &path, body(json!([rules[1], rules[2]]))).await;
    assert_eq!(flags(&world, &id).await, json!([true, false]));
    // Who sends no ids means the levels in their order.
    changed(&world, &path, body(json!([new, new]))).await;
    assert_eq!(flags(&world, &id).await, json!([true, false]));
}

/// Of each level, after how many minutes the next one comes.
async fn waits(world: &World, id: &str) -> Value {
    let all = world.get("/escalation-policies").await.json();
    let mut all = all["items"].as_array().unwrap().iter();
    let policy = all.find(|policy| policy["id"] == id).unwrap();
    let levels = policy["levels"].as_array().unwrap().iter();
    let waits = levels.map(|level| level["delay_minutes"].clone());
    waits.collect::<Vec<_>>().into()
}

#[tokio::test]
async fn a_level_between_two_minutes_stays_so_when_a_client_sends_back_what_it_read() {
    let world = World::new();
    let person = |id: String| json!({"kind": "user", "id": id});
    let (ada, bob) = (person(world.ada.to_string()), person(world.bob.to_string()));
    let levels = [
        json!({"delay_minutes": 1.5, "targets": [ada]}),
        json!({"delay_minutes": 2.5, "targets": [bob]}),
    ];
    let body = json!({"name": "Soon", "repeat": 0, "levels": levels});
    let made = world.post("/escalation-policies", body).await;
    assert!(made.status.is_success(), "{}", made.text());
    let id = id_of(&made.json());
    let path = format!("/escalation_policies/{id}");
    let mut shown = read(&world, &path).await;
    let minutes = |shown: &Value, index: usize| {
        let rules = &shown["escalation_policy"]["escalation_rules"];
        rules[index]["escalation_delay_in_minutes"].clone()
    };
    let told = [minutes(&shown, 0), minutes(&shown, 1)];
    assert_eq!(told, [json!(2), json!(3)]);
    shown["escalation_policy"]["name"] = json!("Sooner");
    let renamed = changed(&world, &path, shown.clone()).await;
    assert_eq!(renamed["escalation_policy"]["name"], "Sooner");
    assert_eq!(waits(&world, &id).await, json!([1.5, 2.5]));
    // Without ids, a level is known by its place and by whom it pages.
    let rules = &mut shown["escalation_policy"]["escalation_rules"];
    for rule in rules.as_array_mut().unwrap() {
        rule.as_object_mut().unwrap().remove("id");
    }
    rules[1]["targets"] = rules[0]["targets"].clone();
    changed(&world, &path, shown.clone()).await;
    assert_eq!(waits(&world, &id).await, json!([1.5, 3.0]));
    // Whoever writes other minutes means those.
    let rules = &mut shown["escalation_policy"]["escalation_rules"];
    rules[0]["escalation_delay_in_minutes"] = json!(1);
    changed(&world, &path, shown).await;
    assert_eq!(waits(&world, &id).await, json!([1.0, 3.0]));
}

/// The levels of a policy that are found to page nobody in the days ahead, counted from 1.
async fn found_empty(world: &World, name: &str) -> Vec<Value> {
    let found = world.get("/oncall/findings").await.json();
    let all = found["items"].as_array().unwrap().iter();
    let own = all.filter(|one| one["kind"] == "empty_level" && one["policy"]["name"] == name);
    own.map(|one| one["level"].clone()).collect()
}

/// A policy that pages Ada, and before her Bob, who was removed: its path, and how it is shown.
async fn left_empty(world: &World) -> (String, Value) {
    let ada = json!({"id": world.ada.to_string(), "type": "user_reference"});
    let rule = |target: Value| json!({"escalation_delay_in_minutes": 5, "targets": [target]});
    let rules = [rule(user(world)), rule(ada)];
    let body = json!({"escalation_policy": {"name": "Nights", "escalation_rules": rules}});
    let made = made(world, "/escalation_policies", body).await;
    let path = format!("/escalation_policies/{}", id_of(&made["escalation_policy"]));
    gone(world, &format!("/users/{}", world.bob)).await;
    let shown = read(world, &path).await;
    (path, shown)
}

#[tokio::test]
async fn a_level_on_which_nobody_is_left_is_written_back_as_it_was_read() {
    let world = World::new();
    world.set_up_mail().await;
    let (path, shown) = left_empty(&world).await;
    let rules = shown["escalation_policy"]["escalation_rules"].clone();
    assert_eq!(rules[0]["targets"], json!([]));
    let found = found_empty(&world, "Nights").await;
    assert!(found.contains(&json!(1)), "{found:?}");
    // As Terraform's provider sends it: without ids, and without an empty list.
    let mut bare = rules.clone();
    for rule in bare.as_array_mut().unwrap() {
        rule.as_object_mut().unwrap().remove("id");
    }
    bare[0].as_object_mut().unwrap().remove("targets");
    for rules in [rules.clone(), bare] {
        let mut body = shown.clone();
        body["escalation_policy"]["escalation_rules"] = rules;
        assert_eq!(changed(&world, &path, body).await, shown);
        assert_eq!(found_empty(&world, "Nights").await, found);
    }
    let body = json!({"escalation_policy": {"escalation_rules": [rules[1], rules[0]]}});
    let moved = changed(&world, &path, body).await;
    let moved = &moved["escalation_policy"]["escalation_rules"];
    assert_eq!(moved[1]["targets"], json!([]));
    let found = found_empty(&world, "Nights").await;
    assert!(found.contains(&json!(2)), "{found:?}");
}

#[tokio::test]
async fn no_level_is_made_empty() {
    let world = World::new();
    let (path, shown) = left_empty(&world).await;
    let rules = &shown["escalation_policy"]["escalation_rules"];
    let empty = json!({"escalation_delay_in_minutes": 5, "targets": []});
    let mut emptied = rules[1].clone();
    emptied["targets"] = json!([]);
    let change = ("PUT", path.as_str());
    for (call, rules, index) in [
        (("POST", "/escalation_policies"), json!([empty]), 0),
        (change, json!([rules[0], emptied]), 1),
        (change, json!([rules[0], rules[1], empty]), 2),
        // One of the two is not the one that was there.
        (change, json!([rules[0], rules[1], rules[0]]), 2),
        // Without ids, a level is the one that stands there.
        (change, json!([empty, empty]), 1),
    ] {
        let body = json!({"escalation_policy": {"name": "Other", "escalation_rules": rules}});
        let told = refused(&ada(&world, call, Some(body)).await, 400, 2001);
        let place = format!("'escalation_policy.escalation_rules[{index}].targets' is invalid: ");
        assert!(told.contains(&place), "{told}");
        assert!(!told.contains("levels"), "{told}");
        if told.contains("1 to 10") {
            continue;
        }
        let why = "Each escalation rule must have at least one target";
        assert!(told.contains(why), "{told}");
    }
    assert_eq!(read(&world, &path).await, shown);
}

#[tokio::test]
async fn a_level_says_how_it_is_assigned_only_where_it_takes_turns() {
    let world = World::new();
    let rule = json!({"escalation_delay_in_minutes": 5, "targets": [user(&world)]});
    let mut turns = rule.clone();
    turns["escalation_rule_assignment_strategy"] = json!({"type": "round_robin"});
    let body = json!({"escalation_policy": {"name": "Turns", "escalation_rules": [rule, turns]}});
    let made = made(&world, "/escalation_policies", body).await;
    let rules = &made["escalation_policy"]["escalation_rules"];
    assert_eq!(rules[0].get("escalation_rule_assignment_strategy"), None);
    assert_eq!(
        rules[1]["escalation_rule_assignment_strategy"],
        json!({"type": "round_robin"})
    );
}

#[tokio::test]
async fn every_level_says_how_it_is_assigned_where_that_is_asked_for() {
    let world = World::new();
    let strategy = "escalation_rule_assignment_strategy";
    let mut rule = json!({"escalation_delay_in_minutes": 5, "targets": [user(&world)]});
    rule[strategy] = json!({"type": "assign_to_everyone"});
    let mut turns = rule.clone();
    turns[strategy] = json!({"type": "round_robin"});
    let body = json!({"escalation_policy": {"name": "Turns", "escalation_rules": [rule, turns]}});
    let asking = "include[]=escalation_rule_assignment_strategies";
    let path = "/escalation_policies";
    let added = made(&world, &format!("{path}?{asking}"), body.clone()).await;
    let one = format!("{path}/{}?{asking}", id_of(&added["escalation_policy"]));
    let listed = read(&world, &format!("{path}?query=Turns&{asking}")).await;
    for shown in [
        &added["escalation_policy"],
        &read(&world, &one).await["escalation_policy"],
        &changed(&world, &one, body).await["escalation_policy"],
        &listed["escalation_policies"][0],
    ] {
        let rules = shown["escalation_rules"].as_array().unwrap().iter();
        let told: Vec<&Value> = rules.map(|rule| &rule[strategy]["type"]).collect();
        assert_eq!(told, ["assign_to_everyone", "round_robin"], "{shown}");
    }
}

#[tokio::test]
async fn duty_is_said_to_be_told_always_whatever_is_asked_of_a_policy() {
    let world = World::new();
    let rule = json!({"escalation_delay_in_minutes": 5, "targets": [user(&world)]});
    let body = |word: &str| {
        json!({"escalation_policy": {
            "name": "Night", "on_call_handoff_notifications": word, "escalation_rules": [rule],
        }})
    };
    let path = "/escalation_policies";
    let night = made(&world, path, body("if_has_services")).await["escalation_policy"].clone();
    assert_eq!(night["on_call_handoff_notifications"], "always");
    let own = format!("{path}/{}", id_of(&night));
    let again = changed(&world, &own, body("always")).await["escalation_policy"].clone();
    assert_eq!(again["on_call_handoff_notifications"], "always");
    let never = ada(&world, ("PUT", &own), Some(body("never"))).await;
    let told = refused(&never, 400, 2001);
    assert!(told.contains("on_call_handoff_notifications"), "{told}");
}
