//! The router of PagerDuty's event orchestrations, which is Tocsin's rules about alerts.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::roster::{changed, id_of, made};
use super::{ada, read, refused};
use crate::world::World;

async fn path(world: &World) -> String {
    let all = read(world, "/event_orchestrations").await;
    assert_eq!(all["orchestrations"].as_array().unwrap().len(), 1);
    let id = id_of(&all["orchestrations"][0]);
    format!("/event_orchestrations/{id}")
}

async fn shop(world: &World) -> Value {
    let policy = read(world, "/escalation_policies").await["escalation_policies"][0].clone();
    let policy = json!({"id": policy["id"], "type": "escalation_policy_reference"});
    let body = json!({"service": {"type": "service", "name": "Shop", "escalation_policy": policy}});
    made(world, "/services", body).await["service"].clone()
}

fn router(rules: Value) -> Value {
    let sets = json!([{"id": "start", "rules": rules}]);
    let catch_all = json!({"actions": {"route_to": "unrouted"}});
    json!({"orchestration_path": {"type": "router", "sets": sets, "catch_all": catch_all}})
}

#[tokio::test]
async fn a_router_is_written_read_back_and_sends_alerts() {
    let world = World::new();
    let (path, shop) = (path(&world).await, shop(&world).await);
    let rule = json!({
        "label": "Carts", "conditions": [{"expression": "event.summary matches part 'cart' and event.severity matches 'critical'"}],
        "actions": {"route_to": shop["id"]},
    });
    let path = format!("{path}/router");
    let set = changed(&world, &path, router(json!([rule]))).await;
    let rules = set["orchestration_path"]["sets"][0]["rules"].clone();
    assert_eq!(rules[0]["label"], "Carts");
    assert_eq!(rules[0]["conditions"], rule["conditions"]);
    assert_eq!(rules[0]["actions"]["route_to"], shop["id"]);
    assert_eq!(read(&world, &path).await, set);
    let again = changed(&world, &path, set.clone()).await;
    assert_eq!(again, set, "a rule keeps its id");
    for silent in [
        json!({"sets": [{}]}),
        json!({"type": "service", "sets": [{"id": "start", "rules": []}]}),
    ] {
        let body = json!({ "orchestration_path": silent });
        refused(&ada(&world, ("PUT", &path), Some(body)).await, 400, 2001);
        assert_eq!(read(&world, &path).await, set, "no rule goes by silence");
    }
    let mut event = crate::world::trigger("carts");
    event["payload"]["summary"] = json!("No cart can be opened");
    event["payload"]["severity"] = json!("critical");
    assert_eq!(world.enqueue(&event).await.status, StatusCode::ACCEPTED);
    let open = read(
        &world,
        &format!("/incidents?service_ids[]={}", id_of(&shop)),
    )
    .await;
    assert_eq!(open["incidents"][0]["title"], "No cart can be opened");
}

#[tokio::test]
async fn a_rule_without_a_label_is_read_back_without_one() {
    let world = World::new();
    let (path, shop) = (path(&world).await, shop(&world).await);
    let path = format!("{path}/router");
    let to = json!({"route_to": shop["id"]});
    for silent in [json!({}), json!({"label": null}), json!({"label": ""})] {
        let mut rule = silent;
        rule["actions"] = to.clone();
        let set = changed(&world, &path, router(json!([rule]))).await;
        let shown = set["orchestration_path"]["sets"][0]["rules"][0].clone();
        assert_eq!(shown["label"], Value::Null);
        assert_eq!(changed(&world, &path, set.clone()).await, set);
    }
    let native = world.get("/alert-rules").await.json();
    let name = native["rules"][0]["name"].as_str().unwrap();
    assert!(name.ends_with("Shop"), "{name}");
}

#[tokio::test]
async fn what_the_router_cannot_carry_is_refused_and_nothing_is_lost() {
    let world = World::new();
    let (path, shop) = (path(&world).await, shop(&world).await);
    let path = format!("{path}/router");
    let to = json!({"route_to": shop["id"]});
    let regex = json!([{"label": "Hosts", "conditions": [{"expression": "event.source matches regex 'db.*'"}], "actions": to}]);
    let told = refused(
        &ada(&world, ("PUT", &path), Some(router(regex))).await,
        400,
        2001,
    );
    assert!(told.contains("Hosts") && told.contains("regex"), "{told}");
    let nowhere = router(json!([{"label": "x", "actions": {"route_to": "PXPGF42"}}]));
    refused(&ada(&world, ("PUT", &path), Some(nowhere)).await, 400, 5001);
    let native = json!({"rules": [{"name": "Quiet", "when": {}, "then": [{"do": "suppress"}]}]});
    let set = world
        .call("PUT", "/alert-rules", &world.admin, Some(native))
        .await;
    assert_eq!(set.status, StatusCode::OK, "{}", set.text());
    for (method, body) in [("GET", None), ("PUT", Some(router(json!([]))))] {
        let told = refused(&ada(&world, (method, &path), body).await, 402, 2014);
        assert!(told.contains("Quiet"), "{told}");
    }
    let rules = world.get("/alert-rules").await.json();
    assert_eq!(rules["rules"][0]["name"], "Quiet", "it is still there");
    let other = "/event_orchestrations/PAAAAAAAAAAAAA/router";
    refused(&ada(&world, ("GET", other), None).await, 404, 2100);
}
