//! Business services and what supports what, by the native API.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::{NOTHING, asked, id_of, read, refused, status};
use crate::world::World;

async fn business(world: &World, name: &str) -> Value {
    asked(world, ("POST", "/business-services"), json!({"name": name})).await
}

fn side(kind: &str, service: &Value) -> Value {
    json!({"kind": kind, "id": service["id"]})
}

fn needs(dependent: &Value, supporting: &Value) -> Value {
    json!({"dependencies": [{"dependent": dependent, "supporting": supporting}]})
}

#[tokio::test]
async fn a_business_service_is_made_replaced_and_removed() {
    let world = World::new();
    let team = read(&world, "/teams").await["items"][0].clone();
    let body = json!({"name": "Shop", "description": "Where people buy", "point_of_contact": "Ada",
        "team_id": team["id"]});
    let made = world.post("/business-services", body).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    let made = made.json();
    assert_eq!(made["description"], "Where people buy");
    assert_eq!(made["team"]["name"], team["name"]);
    assert_eq!(made["impacted"], false);
    let path = format!("/business-services/{}", id_of(&made));
    assert_eq!(read(&world, &path).await, made);
    let listed = read(&world, "/business-services").await;
    assert_eq!(listed["items"], json!([made]));
    let other = asked(&world, ("PUT", &path), json!({"name": "Store"})).await;
    assert_eq!(
        (&other["name"], &other["description"], &other["team"]),
        (&json!("Store"), &json!(""), &Value::Null)
    );
    assert_eq!(
        status(&world, ("DELETE", &path)).await,
        StatusCode::NO_CONTENT
    );
    let gone = (StatusCode::NOT_FOUND, "there is no business service");
    refused(&world, ("GET", &path), None, gone).await;
    refused(&world, ("DELETE", &path), None, gone).await;
    let body = Some(json!({"name": "Store"}));
    refused(&world, ("PUT", &path), body, gone).await;
    refused(&world, ("GET", "/business-services/x"), None, gone).await;
}

#[tokio::test]
async fn a_business_service_that_cannot_be_is_refused_with_its_reason() {
    let world = World::new();
    for (body, status, reason) in [
        (json!({}), StatusCode::BAD_REQUEST, "name"),
        (json!({"name": " "}), StatusCode::BAD_REQUEST, "name"),
        (
            json!({"name": "x", "team_id": "x"}),
            StatusCode::BAD_REQUEST,
            "team_id",
        ),
        (
            json!({"name": "x", "team_id": NOTHING}),
            StatusCode::NOT_FOUND,
            "there is no team",
        ),
        (
            json!({"name": "x", "description": "x".repeat(2_001)}),
            StatusCode::BAD_REQUEST,
            "description",
        ),
        (
            json!({"name": "x", "supported_by": []}),
            StatusCode::BAD_REQUEST,
            "supported_by",
        ),
    ] {
        let told = (status, reason);
        refused(&world, ("POST", "/business-services"), Some(body), told).await;
    }
}

#[tokio::test]
async fn what_supports_a_business_service_is_said_shown_and_taken_back() {
    let world = World::new();
    let (shop, checkout) = (
        business(&world, "Shop").await,
        business(&world, "Checkout").await,
    );
    let service = read(&world, "/services").await["items"][0].clone();
    let (shop, checkout) = (side("business", &shop), side("business", &checkout));
    let service = side("technical", &service);
    let path = "/service-dependencies";
    let said = asked(&world, ("POST", path), needs(&shop, &checkout)).await;
    let first = said["dependencies"][0].clone();
    assert_eq!(first["dependent"]["name"], "Shop");
    assert_eq!(first["supporting"]["kind"], "business");
    // What is so already stays.
    asked(&world, ("POST", path), needs(&shop, &checkout)).await;
    asked(&world, ("POST", path), needs(&checkout, &service)).await;
    let all = read(&world, path).await;
    assert_eq!(all["items"].as_array().unwrap().len(), 2);
    let of = async |one: &Value| {
        let path = format!("{path}?service_id={}", one["id"].as_str().unwrap());
        read(&world, &path).await["items"].as_array().unwrap().len()
    };
    assert_eq!(
        (of(&shop).await, of(&checkout).await, of(&service).await),
        (1, 2, 1)
    );
    let page = read(&world, &format!("{path}?limit=1")).await;
    let cursor = page["next_cursor"].as_str().unwrap();
    let rest = read(&world, &format!("{path}?cursor={cursor}")).await;
    assert_eq!(json!([page["items"][0], rest["items"][0]]), all["items"]);
    world.raise("web").await;
    let hurt = read(&world, "/business-services").await;
    let shown = hurt["items"].as_array().unwrap();
    let shown = shown.iter().find(|one| one["name"] == "Shop").unwrap();
    assert_eq!(shown["impacted"], true, "{shown}");
    assert_eq!(shown["supported_by"][0]["name"], "Checkout");
    let one = format!("{path}/{}", id_of(&first));
    assert_eq!(
        status(&world, ("DELETE", &one)).await,
        StatusCode::NO_CONTENT
    );
    let gone = (StatusCode::NOT_FOUND, "there is no service dependency");
    refused(&world, ("DELETE", &one), None, gone).await;
    let path = format!("/business-services/{}", shop["id"].as_str().unwrap());
    let shown = read(&world, &path).await;
    assert_eq!(shown["impacted"], false, "{shown}");
}

#[tokio::test]
async fn what_no_service_can_need_is_refused_and_none_of_it_is_kept() {
    let world = World::new();
    let shop = side("business", &business(&world, "Shop").await);
    let service = read(&world, "/services").await["items"][0].clone();
    let service = side("technical", &service);
    let path = "/service-dependencies";
    asked(&world, ("POST", path), needs(&shop, &service)).await;
    for no_id in ["", "x"] {
        let answer = world.get(&format!("{path}?service_id={no_id}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.text());
    }
    let nothing = json!({"kind": "technical", "id": NOTHING});
    let other = business(&world, "Office").await;
    let half = json!({"dependencies": [
        {"dependent": side("business", &other), "supporting": service},
        {"dependent": shop, "supporting": nothing},
    ]});
    let no_id = json!({"kind": "business", "id": "x"});
    let many = json!({"dependent": shop, "supporting": service});
    for (body, status, reason) in [
        (
            needs(&service, &shop),
            StatusCode::CONFLICT,
            "no service supports itself",
        ),
        (half, StatusCode::NOT_FOUND, "there is no service"),
        (
            needs(&no_id, &no_id),
            StatusCode::BAD_REQUEST,
            "dependencies[0].supporting.id",
        ),
        (
            json!({"dependencies": []}),
            StatusCode::BAD_REQUEST,
            "1 to 100",
        ),
        (
            json!({"dependencies": vec![many; 101]}),
            StatusCode::BAD_REQUEST,
            "1 to 100",
        ),
    ] {
        refused(&world, ("POST", path), Some(body), (status, reason)).await;
    }
    assert_eq!(
        read(&world, path).await["items"].as_array().unwrap().len(),
        1
    );
}
