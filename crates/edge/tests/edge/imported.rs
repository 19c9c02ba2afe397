//! What was carried over from an Alertmanager is taken by a server as it is, in a plan and when it is made true.

use axum::http::StatusCode;
use serde_json::{Value, json};
use tocsin_wire::alertmanager_config::import;
use tocsin_wire::code::write;

use crate::code::apply;
use crate::world::World;

/// Whom `to` mails, in a configuration with a route and one receiver.
fn configured(to: &str) -> String {
    format!(
        "route: {{ receiver: ops }}\nreceivers:\n- name: ops\n  email_configs:\n  - to: '{to}'\n"
    )
}

fn files(config: &str) -> Value {
    let files = write(&import(config).unwrap().document);
    let files = files
        .iter()
        .map(|file| json!({"name": file.name, "text": file.text}));
    files.collect()
}

#[tokio::test]
async fn people_of_an_imported_address_list_come_with_their_names() {
    let world = World::new();
    let config = configured(
        r#"Ann Example <Ann@example.org>, "Ops, Team" <ops@example.org>, root@localhost, {{ .x }}"#,
    );
    apply(&world, &files(&config)).await;
    let people = world.get("/users").await.json();
    let people = people["items"].as_array().unwrap();
    for (email, name) in [
        ("ann@example.org", "Ann Example"),
        ("ops@example.org", "Ops, Team"),
        ("root@localhost", "root"),
    ] {
        let known = people.iter().find(|one| one["email"] == email);
        assert_eq!(known.unwrap()["name"], name, "{people:?}");
    }
    assert_eq!(people.len(), 2 + 3, "nobody is made of a template");
}

#[tokio::test]
async fn whoever_is_known_stays_what_they_are_and_who_comes_is_shown_as_they_will_be() {
    let world = World::new();
    let before = world.get("/users").await.json();
    let files = files(&configured("ada@example.org, cleo@example.org"));
    let planned = world.post("/code/plan", json!({"files": files})).await;
    assert_eq!(planned.status, StatusCode::OK, "{}", planned.text());
    let planned = planned.json();
    let changes = planned["changes"].as_array().unwrap().iter();
    let people: Vec<&Value> = changes.filter(|one| one["kind"] == "users").collect();
    let cleo = json!({"change": "added", "kind": "users", "name": "cleo@example.org", "fields": [
        {"path": "name", "before": null, "after": "\"cleo\""},
        {"path": "role", "before": null, "after": "\"responder\""},
    ]});
    assert_eq!(people, [&cleo]);
    apply(&world, &files).await;
    let after = world.get("/users").await.json();
    let ada = |people: &Value| {
        let all = people["items"].as_array().unwrap().iter();
        let mut found = all.filter(|one| one["email"] == "ada@example.org");
        let ada = found.next().unwrap();
        (ada["name"].clone(), ada["role"].clone())
    };
    assert_eq!(ada(&after), ada(&before));
    assert_eq!(ada(&after).1, "admin");
}

#[tokio::test]
async fn the_rule_of_a_receiver_that_tells_nobody_is_taken() {
    let world = World::new();
    let config = "route: { receiver: 'null' }\nreceivers: [ { name: 'null' } ]\n";
    apply(&world, &files(config)).await;
    let exported = world.get("/code").await.text();
    assert!(exported.contains(r#"then = [\"suppress\"]"#), "{exported}");
}

#[tokio::test]
async fn a_route_for_everything_leaves_alone_what_others_send_to_other_services() {
    let world = World::new();
    let config = "route: { receiver: ops, routes: [ { receiver: web } ] }\n\
                  receivers: [ { name: ops }, { name: web, slack_configs: [ { channel: x } ] } ]\n";
    let before = world.get("/services").await.json();
    apply(&world, &files(config)).await;
    let services = world.get("/services").await.json();
    let services = services["items"].as_array().unwrap();
    let ops = services.iter().find(|one| one["name"] == "ops").unwrap();
    let other = &before["items"][0];
    for (sent_to, expected) in [(ops, &json!("web")), (other, &other["name"])] {
        let alert = json!({"service_id": sent_to["id"], "summary": "down", "severity": "critical"});
        let run = world.post("/alert-rules/dry-run", alert).await;
        assert_eq!(run.status, StatusCode::OK, "{}", run.text());
        assert_eq!(&run.json()["service"]["name"], expected);
    }
}

/// Whatever is taken for an address by the import is one to the server, which reads addresses in its own way.
#[tokio::test]
async fn each_address_that_is_imported_is_one_to_the_server() {
    let world = World::new();
    for to in [
        "ann+pager@example.org",
        "größe@müller.example",
        "a.b-c_d@sub.example.org",
        "{x}|y@example.org",
        "x/y=z?@example.org",
        "İ@example.org",
        "ann@1.example",
        "ann@xn--mller-kva.example",
        "ann@a--b.example",
        "ann@example_org",
        "ann@example.org-",
        "<@example.org",
        "ann@example.org\u{202e}",
        "ann\u{301}@example.org",
        "\u{1f600}@example.org",
    ] {
        let files = files(&configured(to));
        let planned = world.post("/code/plan", json!({"files": files})).await;
        assert_eq!(planned.status, StatusCode::OK, "{to}: {}", planned.text());
    }
}
