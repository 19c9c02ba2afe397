//! Escalation policies of PagerDuty's REST API: what its form cannot say.

use serde_json::{Value, json};

use super::read;
use super::roster::{changed, id_of, user};
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
