//! People, contact methods, rosters and settings by the API.

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use serde_json::{Value, json};
use tocsin_domain::event::{EventBody, PeopleEvent};
use tocsin_edge::ports::Vault;

use crate::world::World;

#[tokio::test]
async fn an_address_is_shown_to_its_owner_and_to_administrators_only() {
    let world = World::new();
    let mail_of = |answer: Value| {
        let all = answer["items"].as_array().unwrap().clone();
        all.iter().find(|user| user["name"] == "Ada").unwrap()["email"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(
        mail_of(
            world
                .call("GET", "/users", &world.viewer, None)
                .await
                .json()
        ),
        "a…@example.org"
    );
    assert_eq!(
        mail_of(world.call("GET", "/users", &world.bobs, None).await.json()),
        "a…@example.org"
    );
    assert_eq!(mail_of(world.get("/users").await.json()), "ada@example.org");
    assert_eq!(
        world.call("GET", "/me", &world.bobs, None).await.json()["email"],
        "bob@example.org"
    );
    let method = world.get("/users").await.json()["items"][0]["contact_methods"][0].clone();
    assert_eq!(
        method["address_hint"], "a…@example.org",
        "also an administrator sees a hint there"
    );
}

#[tokio::test]
async fn no_address_and_no_secret_enters_an_event() {
    let world = World::new();
    let secret = "a-signing-key-of-mine";
    world
        .reach(
            world.ada,
            "webhook",
            "https://hook.example.org/very/secret",
            Some(secret),
        )
        .await;
    world.post("/users", eve()).await;
    world.raise("web").await;
    let journal = format!("{:?}", world.journal.events.lock().unwrap());
    for hidden in ["very/secret", secret, "eve@example.org", "ada@example.org"] {
        assert!(!journal.contains(hidden), "{hidden}");
    }
}

#[tokio::test]
async fn a_contact_method_is_confirmed_by_its_code_and_by_nothing_else() {
    let world = World::new();
    let path = format!("/users/{}/contact-methods", world.bob);
    let body = json!({"kind": "webhook", "label": "Hook", "address": "https://hook.example.org/x"});
    let added = world.post(&path, body).await;
    assert_eq!(added.status, StatusCode::CREATED);
    assert_eq!(added.json()["webhook_secret"].as_str().unwrap().len(), 32);
    assert_eq!(added.json()["verified"], false);
    let method = added.json()["id"].as_str().unwrap().to_owned();
    let code = world.code_of(world.bob, &method);
    let verify = format!("{path}/{method}/verify");
    let wrong = if code == "000000" { "000001" } else { "000000" };
    for _ in 0..4 {
        assert_eq!(
            world.post(&verify, json!({"code": wrong})).await.status,
            StatusCode::BAD_REQUEST
        );
    }
    let confirmed = world.post(&verify, json!({"code": code})).await;
    assert_eq!(
        (confirmed.status, confirmed.json()["verified"].clone()),
        (StatusCode::OK, json!(true))
    );
    assert!(
        world.get("/users").await.json()["items"][1]["contact_methods"][1]["webhook_secret"]
            .is_null()
    );
}

#[tokio::test]
async fn guessing_a_code_is_stopped() {
    let world = World::new();
    let path = format!("/users/{}/contact-methods", world.bob);
    let body =
        json!({"kind": "ntfy", "label": "Phone", "address": "https://ntfy.example.org/topic"});
    let method = world.post(&path, body).await.json()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let mut compared = 0;
    for guess in 0..100 {
        let answer = world
            .post(
                &format!("{path}/{method}/verify"),
                json!({"code": format!("x{guess}")}),
            )
            .await;
        compared += usize::from(answer.status == StatusCode::BAD_REQUEST);
    }
    assert_eq!(compared, 5);
}

#[tokio::test]
async fn a_removed_person_leaves_no_row_in_the_vault() {
    let world = World::new();
    world
        .reach(world.bob, "webhook", "https://hook.example.org/x", None)
        .await;
    let rows = world.engine.read(|state| {
        let bob = &state.users[&world.bob];
        let methods = bob
            .contact_methods
            .iter()
            .flat_map(|method| [Some(method.address), method.signing_key]);
        methods.flatten().collect::<Vec<_>>()
    });
    assert_eq!(rows.len(), 3);
    let removed = world
        .call(
            "DELETE",
            &format!("/users/{}", world.bob),
            &world.admin,
            None,
        )
        .await;
    assert_eq!(removed.status, StatusCode::NO_CONTENT);
    assert!(
        rows.iter()
            .all(|row| world.vault.get(*row).unwrap().is_none())
    );
    assert_eq!(
        world.call("GET", "/me", &world.bobs, None).await.status,
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn what_is_refused_leaves_no_row_in_the_vault() {
    let world = World::new();
    let before = world.vault.count();
    for body in [
        json!({"name": "", "email": "eve@example.org", "role": "viewer"}),
        json!({"name": "Eve", "email": "not an address", "role": "viewer"}),
        json!({"name": "Eve", "email": "ADA@example.org", "role": "viewer"}),
    ] {
        let status = world.post("/users", body).await.status;
        assert!(
            status == StatusCode::BAD_REQUEST || status == StatusCode::CONFLICT,
            "{status}"
        );
    }
    assert_eq!(world.vault.count(), before);
}

#[tokio::test]
async fn a_rota_is_made_changed_and_seen() {
    let world = World::new();
    let layer = json!({"start": "2026-11-23T00:00:00Z", "turn": {"every": 1, "unit": "days"}, "members": [world.bob.to_string()]});
    let body = json!({"name": "Nights", "time_zone": "Europe/Paris", "layer": layer});
    let schedule = world.post("/schedules", body.clone()).await;
    assert_eq!(schedule.status, StatusCode::CREATED, "{}", schedule.text());
    assert_eq!(schedule.json()["on_call_now"]["name"], "Bob");
    let id = schedule.json()["id"].as_str().unwrap().to_owned();
    let policy = json!({"name": "Web", "repeat": 1, "levels": [
        {"delay_minutes": 0.5, "targets": [{"kind": "schedule", "id": id}]},
        {"delay_minutes": 5, "targets": [{"kind": "user", "id": world.ada.to_string()}]},
    ]});
    let policy = world.post("/escalation-policies", policy).await;
    assert_eq!(policy.status, StatusCode::CREATED, "{}", policy.text());
    assert_eq!(policy.json()["levels"][0]["delay_minutes"], 0.5);
    let on_call = world.get("/oncall").await.json();
    let web: Vec<&Value> = on_call["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|entry| entry["policy"]["name"] == "Web")
        .collect();
    assert_eq!(web[0]["problem"], "no contact method is confirmed");
    assert_eq!(
        (web[1]["level"].clone(), web[1]["user"]["name"].clone()),
        (json!(2), json!("Ada"))
    );
    assert_eq!(
        world
            .call("DELETE", &format!("/schedules/{id}"), &world.admin, None)
            .await
            .status,
        StatusCode::CONFLICT
    );
    let bad = json!({"name": "x", "time_zone": "Mars/Olympus", "layer": {"start": "2026-11-23T00:00:00Z", "turn": {"every": 0, "unit": "days"}, "members": []}});
    let refused = world.post("/schedules", bad).await;
    assert_eq!(
        (
            refused.status,
            refused.json()["errors"].as_array().unwrap().len()
        ),
        (StatusCode::BAD_REQUEST, 2)
    );
}

#[tokio::test]
async fn a_new_integration_works_and_a_removed_one_does_not() {
    let world = World::new();
    let service = world
        .post(
            "/services",
            json!({"name": "Shop", "escalation_policy_id": null}),
        )
        .await
        .json();
    let id = service["id"].as_str().unwrap();
    let made = world
        .post(
            &format!("/services/{id}/integrations"),
            json!({"name": "CI"}),
        )
        .await
        .json();
    let mut event = crate::world::trigger("shop");
    event["routing_key"] = made["routing_key"].clone();
    assert_eq!(world.enqueue(&event).await.status, StatusCode::ACCEPTED);
    let path = format!(
        "/services/{id}/integrations/{}",
        made["id"].as_str().unwrap()
    );
    assert_eq!(
        world.call("DELETE", &path, &world.admin, None).await.status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(world.enqueue(&event).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn the_mail_servers_password_is_kept_and_never_shown() {
    let world = World::new();
    let set = async |body: Value| {
        world
            .call("PUT", "/channels/email", &world.admin, Some(body))
            .await
    };
    let mut body = json!({"host": "127.0.0.1", "port": 1, "from": "Tocsin <tocsin@example.org>", "tls": "starttls", "username": "u", "password": "hunter2hunter2"});
    let kept = set(body.clone()).await;
    assert_eq!(kept.status, StatusCode::OK, "{}", kept.text());
    assert_eq!(
        (
            kept.json()["has_password"].clone(),
            kept.json()["state"].clone()
        ),
        (json!(true), json!("failing"))
    );
    let shown = world.get("/channels").await.text();
    assert!(!shown.contains("hunter2"));
    body.as_object_mut().unwrap().remove("password");
    assert_eq!(
        set(body.clone()).await.json()["has_password"],
        true,
        "it stays when it is not given"
    );
    body["host"] = json!("other.example");
    assert_eq!(
        set(body.clone()).await.json()["has_password"],
        false,
        "but never goes to another host"
    );
    let clear = json!({"host": "h", "port": 25, "from": "a@b.example", "tls": "none", "username": "u", "password": "p"});
    assert_eq!(set(clear).await.status, StatusCode::BAD_REQUEST);
    let bad = json!({"host": "h/x", "port": 0, "from": "nobody", "tls": "tls"});
    assert_eq!(set(bad).await.json()["errors"].as_array().unwrap().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_stays_while_nobody_knows_whether_its_method_was_added() {
    let world = World::with(|settings| settings.answer_wait = Duration::from_millis(50));
    let hold = Arc::clone(&world.journal.hold);
    let hanging = hold.lock().unwrap();
    let body =
        json!({"kind": "ntfy", "label": "Phone", "address": "https://ntfy.example.org/late"});
    let path = format!("/users/{}/contact-methods", world.bob);
    // The lock is the disk's, which no handler takes.
    let answer = tokio::task::block_in_place(|| {
        tokio::runtime::Handle::current().block_on(world.post(&path, body))
    });
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    drop(hanging);
    let address = world.committed.wait_for(|_| {
        world.engine.read(|state| {
            let methods = &state.users[&world.bob].contact_methods;
            methods.get(1).map(|method| method.address)
        })
    });
    assert!(world.vault.get(address).unwrap().is_some());
}

#[tokio::test]
async fn test_pages_and_confirmations_are_limited_for_each_way_alone() {
    let world = World::new();
    let path = format!("/users/{}/contact-methods", world.bob);
    for n in 0..12 {
        let address = format!("https://ntfy.example.org/topic-{n}");
        let body = json!({"kind": "ntfy", "label": format!("Phone {n}"), "address": address});
        let added = world.post(&path, body).await;
        assert_eq!(added.status, StatusCode::CREATED, "{}", added.text());
        let method = added.json()["id"].as_str().unwrap().to_owned();
        for _ in 0..3 {
            let test = format!("{path}/{method}/test");
            assert_eq!(
                world.post(&test, json!({})).await.status,
                StatusCode::ACCEPTED
            );
        }
        let own = format!("{path}/{method}");
        let gone = world.call("DELETE", &own, &world.admin, None).await;
        assert_eq!(gone.status, StatusCode::NO_CONTENT);
    }
    world.set_up_mail().await;
    let mut sent = 0;
    for _ in 0..10 {
        let answer = world.post("/channels/email/test", json!({})).await;
        sent += usize::from(answer.status == StatusCode::ACCEPTED);
    }
    assert_eq!(sent, 5);
}

#[tokio::test]
async fn who_was_to_be_added_can_still_be_when_their_code_was_not_kept() {
    let world = World::new();
    let rows = world.vault.count();
    // The address is kept, the code is not.
    world.vault.fail_after(1);
    let refused = world.post("/users", eve()).await;
    assert!(refused.status.is_server_error(), "{}", refused.text());
    assert_eq!(world.vault.count(), rows);
    let added = world.post("/users", eve()).await;
    assert_eq!(added.status, StatusCode::CREATED, "{}", added.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_added_to_the_end_when_the_client_hangs_up() {
    let world = World::new();
    let (has_come, go_on) = world.vault.hold_next();
    tokio::select! {
        answer = world.post("/users", eve()) => panic!("it is held up: {}", answer.text()),
        came = has_come => came.unwrap(),
    }
    go_on.send(()).unwrap();
    world.committed.wait_for(|events| {
        let mut bodies = events.iter().map(|event| &event.body);
        let has_come = bodies.any(|body| {
            matches!(body, EventBody::People(PeopleEvent::UserAdded { user }) if user.name == "Eve")
        });
        has_come.then_some(())
    });
}

fn eve() -> Value {
    json!({"name": "Eve", "email": "eve@example.org", "role": "viewer"})
}

#[tokio::test]
async fn the_first_administrator_leaves_once_somebody_else_is_the_last_resort() {
    let world = World::new();
    let ada = world.ada.to_string();
    let bob = world.bob.to_string();
    let list = world.call("GET", "/fallback", &world.viewer, None).await;
    assert_eq!(list.json(), json!({"users": [{"id": ada, "name": "Ada"}]}));
    for (body, status) in [
        (json!({"users": []}), StatusCode::BAD_REQUEST),
        (json!({"users": ["bob"]}), StatusCode::BAD_REQUEST),
        (json!({"people": [bob]}), StatusCode::BAD_REQUEST),
        (json!({"users": ["QAAAAAAAAAAAA2"]}), StatusCode::NOT_FOUND),
    ] {
        let put = world.call("PUT", "/fallback", &world.admin, Some(body.clone()));
        let answer = put.await;
        assert_eq!(answer.status, status, "{body}: {}", answer.text());
    }
    let role = json!({"role": "admin"});
    let path = format!("/users/{bob}");
    let made = world.call("PATCH", &path, &world.admin, Some(role)).await;
    assert_eq!(made.status, StatusCode::OK, "{}", made.text());
    let path = format!("/users/{ada}");
    let kept = world.call("DELETE", &path, &world.admin, None).await;
    assert_eq!(kept.status, StatusCode::CONFLICT);
    assert!(
        kept.text().contains("tocsin oncall fallback --set"),
        "{}",
        kept.text()
    );
    let body = json!({"users": [bob, bob]});
    let set = world
        .call("PUT", "/fallback", &world.admin, Some(body))
        .await;
    assert_eq!(set.json(), json!({"users": [{"id": bob, "name": "Bob"}]}));
    let gone = world.call("DELETE", &path, &world.admin, None).await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT, "{}", gone.text());
}
