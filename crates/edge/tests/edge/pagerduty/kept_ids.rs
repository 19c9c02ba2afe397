//! Rules of escalation policies and layers of schedules in PagerDuty's API: each keeps its id wherever it stands.

use serde_json::{Value, json};

use super::read;
use super::roster::{changed, id_of, made, user};
use crate::world::World;

/// What a list of a thing shows, by its ids.
fn ids_of(shown: &Value, list: &str) -> Vec<String> {
    let all = shown[list].as_array().unwrap().iter();
    all.map(id_of).collect()
}

#[tokio::test]
async fn a_rule_keeps_its_id_when_others_are_left_out() {
    let world = World::new();
    let rule =
        |minutes: u64| json!({"escalation_delay_in_minutes": minutes, "targets": [user(&world)]});
    let (noun, list) = ("escalation_policy", "escalation_rules");
    let body = json!({noun: {"name": "Night", list: [rule(5), rule(6), rule(7)]}});
    let first = made(&world, "/escalation_policies", body).await[noun].clone();
    let path = format!("/escalation_policies/{}", id_of(&first));
    let ids = ids_of(&first, list);
    let rules = first[list].clone();
    let put = async |rules: Value| {
        let written = changed(&world, &path, json!({noun: {list: rules}})).await;
        assert_eq!(read(&world, &path).await, written);
        written[noun].clone()
    };
    let fewer = put(json!([rules[1], rules[2]])).await;
    assert_eq!(ids_of(&fewer, list), ids[1..]);
    assert_eq!(fewer[list][0]["escalation_delay_in_minutes"], 6);
    let turned = put(json!([rules[2], rule(8), rules[1]])).await;
    let now = ids_of(&turned, list);
    assert_eq!((&now[0], &now[2]), (&ids[2], &ids[1]));
    assert!(!ids.contains(&now[1]), "a new rule has a new id");
    assert_eq!(put(turned[list].clone()).await, turned);
    // Who sends no ids means them in their order.
    let by_place = put(json!([rule(9), rule(8), rule(7)])).await;
    assert_eq!(ids_of(&by_place, list), now);
}

#[tokio::test]
async fn a_layer_keeps_its_id_when_others_are_left_out() {
    let world = World::new();
    let layer = |name: &str| {
        json!({"name": name, "start": "2026-01-05T09:00:00Z", "rotation_turn_length_seconds": 86_400,
            "users": [{"user": user(&world)}]})
    };
    let (noun, list) = ("schedule", "schedule_layers");
    let layers = json!([layer("one"), layer("two")]);
    let body = json!({noun: {"name": "Night", "time_zone": "UTC", list: layers}});
    let first = made(&world, "/schedules", body).await[noun].clone();
    let path = format!("/schedules/{}", id_of(&first));
    // The layer that wins stands first in answers.
    let second = first[list][0].clone();
    assert_eq!(second["name"], "two");
    let left = changed(&world, &path, json!({noun: {list: [second]}})).await[noun].clone();
    assert_eq!(ids_of(&left, list), [id_of(&second)]);
    let both = json!({noun: {list: [layer("three"), second]}});
    let both = changed(&world, &path, both).await[noun].clone();
    let ids = ids_of(&both, list);
    assert_eq!(ids[0], id_of(&second));
    assert!(!ids_of(&first, list).contains(&ids[1]), "{ids:?}");
    assert_eq!(read(&world, &path).await[noun][list][0]["id"], ids[0]);
}
