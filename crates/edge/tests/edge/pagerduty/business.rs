//! Business services of PagerDuty's REST API: what supports them, and what hurts them.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use axum::http::StatusCode;
use serde_json::{Value, json};
use tocsin_edge::tls::Tls;

use super::roster::{changed, gone, id_of};
use super::{ada, read, refused, service};
use crate::world::World;

/// What Ada says, which is taken.
async fn said(world: &World, path: &str, body: Value) -> Value {
    let answer = ada(world, ("POST", path), Some(body)).await;
    assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text());
    answer.json()
}

/// A new business service, as it was shown.
async fn business(world: &World, name: &str) -> Value {
    let body = json!({"business_service": {"type": "business_service", "name": name}});
    said(world, "/business_services", body).await["business_service"].clone()
}

/// As bodies name a business service.
fn named(business: &Value) -> Value {
    json!({"id": business["id"], "type": "business_service"})
}

fn related(dependent: &Value, supporting: &Value) -> Value {
    json!({"relationships": [{"dependent_service": dependent, "supporting_service": supporting}]})
}

async fn associate(world: &World, dependent: &Value, supporting: &Value) -> Value {
    let body = related(dependent, supporting);
    let shown = said(world, "/service_dependencies/associate", body).await;
    shown["relationships"][0].clone()
}

/// A shop that needs the checkout, which needs the service of all alerts.
async fn shop(world: &World) -> (Value, Value) {
    let (shop, checkout) = (
        business(world, "Shop").await,
        business(world, "Checkout").await,
    );
    associate(world, &named(&shop), &named(&checkout)).await;
    associate(world, &named(&checkout), &service(world)).await;
    (shop, checkout)
}

/// The services of a list of impacts: their names, and how they stand.
fn standings(list: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let all = list["services"].as_array().unwrap().iter();
    all.map(|one| (text(&one["name"]), text(&one["status"])))
        .collect()
}

fn stands(name: &str, status: &str) -> (String, String) {
    (name.to_owned(), status.to_owned())
}

#[tokio::test]
async fn a_business_service_is_made_read_changed_and_removed() {
    let world = World::new();
    let team = read(&world, "/teams").await["teams"][0].clone();
    let body = json!({"business_service": {
        "name": "Shop", "description": "Where people buy", "point_of_contact": "Ada",
        "team": {"id": team["id"], "type": "team_reference"},
    }});
    let made = said(&world, "/business_services", body).await["business_service"].clone();
    assert_eq!(made["type"], "business_service");
    assert_eq!(made["point_of_contact"], "Ada");
    assert_eq!(made["team"]["id"], team["id"]);
    let path = format!("/business_services/{}", id_of(&made));
    assert_eq!(read(&world, &path).await["business_service"], made);
    let other = json!({"business_service": {"name": "Store", "team": null}});
    let other = changed(&world, &path, other).await["business_service"].clone();
    assert_eq!(
        (&other["name"], &other["description"], &other["team"]),
        (&json!("Store"), &json!("Where people buy"), &Value::Null)
    );
    // As Terraform's provider writes it where no team is named.
    let store = |team: Value| json!({"business_service": {"name": "Store", "team": team}});
    let own = json!({"id": team["id"], "type": "team_reference"});
    for none in [json!({}), json!({"id": ""}), json!({"id": null})] {
        let with = changed(&world, &path, store(own.clone())).await;
        assert_eq!(with["business_service"]["team"]["id"], team["id"]);
        let without = changed(&world, &path, store(none.clone())).await;
        assert_eq!(without["business_service"]["team"], Value::Null, "{none}");
    }
    let listed = read(&world, "/business_services?query=STORE&total=true").await;
    assert_eq!(listed["total"], 1);
    assert_eq!(listed["business_services"][0]["id"], made["id"]);
    gone(&world, &path).await;
    let nobody = json!({"id": "PXPGF42", "type": "team_reference"});
    for (wrong, code) in [
        (json!({}), 2001),
        (json!({"name": " "}), 2001),
        (json!({"name": "x", "team": nobody}), 5001),
    ] {
        let body = json!({ "business_service": wrong });
        let answer = ada(&world, ("POST", "/business_services"), Some(body)).await;
        refused(&answer, 400, code);
    }
}

#[tokio::test]
async fn dependencies_are_shown_to_both_sides_and_none_leads_back() {
    let world = World::new();
    let (shop, checkout) = shop(&world).await;
    let of = async |path: String| {
        let shown = read(&world, &format!("/service_dependencies/{path}")).await;
        shown["relationships"].as_array().unwrap().clone()
    };
    let of_shop = of(format!("business_services/{}", id_of(&shop))).await;
    assert_eq!(of_shop.len(), 1);
    let one = of_shop[0].clone();
    assert_eq!(one["type"], "service_dependency");
    assert_eq!(one["dependent_service"]["id"], shop["id"]);
    assert_eq!(one["supporting_service"]["id"], checkout["id"]);
    let of_checkout = of(format!("business_services/{}", id_of(&checkout))).await;
    assert_eq!(of_checkout.len(), 2);
    assert!(of_checkout.contains(&one), "each has one id");
    let of_service = of(format!("technical_services/{}", id_of(&service(&world)))).await;
    let supporting = &of_service[0]["supporting_service"];
    assert_eq!(supporting["type"], "technical_service_reference");
    let associate_path = ("POST", "/service_dependencies/associate");
    let back = related(&service(&world), &named(&shop));
    let told = refused(&ada(&world, associate_path, Some(back)).await, 400, 2001);
    assert!(told.contains("no service supports itself"), "{told}");
    let nobody = json!({"id": "QAAAAAAAAAAAAA", "type": "service"});
    let nobody = related(&named(&shop), &nobody);
    refused(&ada(&world, associate_path, Some(nobody)).await, 400, 5001);
    // As Terraform takes it back: in the words of the answer.
    let gone = json!({"relationships": [one]});
    let path = "/service_dependencies/disassociate";
    said(&world, path, gone.clone()).await;
    let of_shop = of(format!("business_services/{}", id_of(&shop))).await;
    assert!(of_shop.is_empty());
    refused(&ada(&world, ("POST", path), Some(gone)).await, 404, 2100);
    let unknown = read_status(&world, "/service_dependencies/technical_services/QX").await;
    assert_eq!(unknown, StatusCode::NOT_FOUND);
}

async fn read_status(world: &World, path: &str) -> StatusCode {
    ada(world, ("GET", path), None).await.status
}

#[tokio::test]
async fn an_incident_hurts_what_its_service_supports_and_is_named_as_what_does() {
    let world = World::new();
    let (shop, checkout) = shop(&world).await;
    business(&world, "Office").await;
    let impacts = "/business_services/impacts";
    let well = [
        stands("Office", "not_impacted"),
        stands("Shop", "not_impacted"),
    ];
    assert_eq!(standings(&read(&world, impacts).await), well);
    let incident = world.raise("web").await;
    let fields = "additional_fields[]=total_impacted_count";
    let list = read(&world, &format!("{impacts}?{fields}")).await;
    let hurt = [stands("Shop", "impacted"), stands("Office", "not_impacted")];
    assert_eq!(standings(&list), hurt);
    assert_eq!(list["additional_fields"]["total_impacted_count"], 1);
    let one = format!("{impacts}?ids[]={}", id_of(&checkout));
    let hurt = [stands("Checkout", "impacted")];
    assert_eq!(standings(&read(&world, &one).await), hurt);
    let path = format!(
        "/business_services/{}/supporting_services/impacts",
        id_of(&shop)
    );
    assert_eq!(standings(&read(&world, &path).await), hurt);
    let path = format!("/incidents/{incident}/business_services/impacts");
    let of_incident = standings(&read(&world, &path).await);
    assert_eq!(of_incident.len(), 2, "{of_incident:?}");
    let impactors = read(&world, "/business_services/impactors").await;
    let only = &impactors["impactors"];
    assert_eq!(only.as_array().unwrap().len(), 1);
    assert_eq!(
        (&only[0]["id"], &only[0]["type"]),
        (&json!(incident), &json!("incident"))
    );
    let native = world.get("/business-services").await.json();
    let native = native["items"].as_array().unwrap();
    let shop = native.iter().find(|one| one["name"] == "Shop").unwrap();
    assert_eq!(shop["impacted"], true);
    assert_eq!(shop["supported_by"][0]["name"], "Checkout");
    assert_eq!(shop["incidents"][0]["id"], incident);
    let over = json!({"incident": {"status": "resolved"}});
    changed(&world, &format!("/incidents/{incident}"), over).await;
    assert_eq!(standings(&read(&world, impacts).await), well);
}

/// A request over a socket of its own: the status and the body of the answer.
fn over_socket(address: SocketAddr, token: &str, head: &str, body: &Value) -> (String, Value) {
    let mut connection = TcpStream::connect(address).unwrap();
    connection
        .set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    let body = body.to_string();
    let request = format!(
        "{head} HTTP/1.1\r\nhost: x\r\nauthorization: Token token={token}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    connection.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().to_owned();
    (status, serde_json::from_str(body).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_socket_tells_that_a_business_service_is_hurt() {
    let world = World::new();
    world.raise("web").await;
    let (token, service) = (world.admin.clone(), service(&world));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let stopped = async move {
        // A test that has failed stops it too.
        let _ = stopped.await;
    };
    let tls = Tls::Off;
    let serving = tocsin_edge::serve(listener, world.app.clone(), &tls, 8, stopped);
    let asked = tokio::task::spawn_blocking(move || {
        let call = |head: &str, body: &Value| over_socket(address, &token, head, body);
        let body = json!({"business_service": {"name": "Shop"}});
        let (status, made) = call("POST /business_services", &body);
        assert_eq!(status, "200", "{made}");
        let body = related(&named(&made["business_service"]), &service);
        let (status, told) = call("POST /service_dependencies/associate", &body);
        assert_eq!(status, "200", "{told}");
        call("GET /business_services/impacts", &json!({}))
    });
    let asking = async {
        let answer = asked.await.unwrap();
        stop.send(()).unwrap();
        answer
    };
    let (served, (status, list)) = tokio::join!(serving, asking);
    served.unwrap();
    assert_eq!(status, "200", "{list}");
    assert_eq!(standings(&list), [stands("Shop", "impacted")]);
}
