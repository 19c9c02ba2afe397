//! Everything that is set up as files: written out, planned, made true, or refused with the place of what is wrong.

mod ended;
mod turns;

use std::sync::atomic::Ordering;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use serde_json::{Value, json};
use tocsin_domain::event::{EventBody, PeopleEvent};

use crate::pagerduty::ada;
use crate::world::{BASE, World};

const BOB: &str = r#"
[[users]]
email = "bob@example.org"
name = "Bob"
role = "responder"

[[users]]
email = "carol@example.org"
name = "Carol"
role = "viewer"

[[schedules]]
name = "First schedule"
time_zone = "Europe/Paris"
[[schedules.layers]]
start = 2026-11-01T00:00:00Z
every = 1
unit = "weeks"
members = ["bob@example.org"]

[[services]]
name = "Web"
integrations = [{ name = "Nagios" }]

[[heartbeats]]
name = "backup"
service = "Web"
every = "1h"
grace = "5m"
severity = "error"
"#;

pub(crate) fn files(text: &str) -> Value {
    json!([{"name": "all.toml", "text": text}])
}

async fn plan(world: &World, files: &Value) -> Value {
    let answer = world.post("/code/plan", json!({"files": files})).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    answer.json()
}

pub(crate) async fn apply(world: &World, files: &Value) -> Value {
    let fingerprint = plan(world, files).await["fingerprint"].clone();
    let body = json!({"files": files, "fingerprint": fingerprint});
    let answer = world.post("/code/apply", body).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    answer.json()
}

fn events(world: &World) -> usize {
    world.journal.events.lock().unwrap().len()
}

#[tokio::test]
async fn a_plan_of_an_export_shows_nothing() {
    let world = World::new();
    let exported = world.get("/code").await.json();
    let before = events(&world);
    let planned = plan(&world, &exported["files"]).await;
    for empty in ["changes", "kept", "on_call", "paged", "findings"] {
        assert_eq!(planned[empty], json!([]), "{empty}");
    }
    assert_eq!(planned["fingerprint"], exported["fingerprint"]);
    assert_eq!(events(&world), before);
}

#[tokio::test]
async fn a_plan_says_who_is_on_call_and_changes_nothing_and_apply_makes_it_true_in_one_group() {
    let world = World::new();
    let before = events(&world);
    let planned = plan(&world, &files(BOB)).await;
    assert_eq!(events(&world), before);
    let text = planned["on_call"][0]["text"].as_str().unwrap();
    assert!(
        text.starts_with("First schedule: from Mon 23 Nov 08:00"),
        "{text}"
    );
    assert!(text.ends_with("Bob instead of Ada"), "{text}");
    let findings = planned["findings"].to_string();
    assert!(
        findings.contains("Bob"),
        "nobody has proved an address: {findings}"
    );
    let applied = apply(&world, &files(BOB)).await;
    assert_eq!(applied["changes"], planned["changes"]);
    let again = plan(&world, &files(BOB)).await;
    assert_eq!(
        (&again["changes"], &again["on_call"]),
        (&json!([]), &json!([]))
    );
    let people = world.get("/users").await.json();
    let carol = people["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["name"] == "Carol");
    assert_eq!(carol.unwrap()["email"], "carol@example.org");
    // What was made with a secret works.
    assert_eq!(applied["made"][0]["name"], "Web / Nagios");
    let event = json!({"routing_key": applied["made"][0]["routing_key"], "event_action": "trigger",
        "payload": {"summary": "x", "source": "y", "severity": "critical"}});
    assert_eq!(world.enqueue(&event).await.status, StatusCode::ACCEPTED);
    let url = applied["made"][1]["url"].as_str().unwrap();
    assert!(url.contains("/hb/"), "{url}");
    let journal = format!("{:?}", world.journal.events.lock().unwrap());
    assert!(!journal.contains("carol@example.org"));
    assert!(!journal.contains(url.rsplit('/').next().unwrap()));
}

#[tokio::test]
async fn a_plan_says_whom_a_policy_pages_instead() {
    let world = World::new();
    let policy = |target: &str| {
        let user = format!("{{ user = \"{target}\" }}");
        files(&format!(
            "[[escalation_policies]]\nname = \"Web\"\n[[escalation_policies.levels]]\ndelay = \"5m\"\ntargets = [{user}]\n\n{BOB}"
        ))
    };
    apply(&world, &policy("ada@example.org")).await;
    let planned = plan(&world, &policy("carol@example.org")).await;
    assert_eq!(planned["on_call"], json!([]));
    assert_eq!(
        planned["paged"],
        json!(["policy Web, level 1: Carol instead of Ada"])
    );
    assert_eq!(planned["paged_left_out"], 0);
}

#[tokio::test]
async fn a_plan_that_is_no_longer_true_is_refused() {
    let world = World::new();
    let planned = plan(&world, &files(BOB)).await;
    let team = world
        .post("/teams", json!({"name": "Web", "members": []}))
        .await;
    assert_eq!(team.status, StatusCode::CREATED);
    let before = events(&world);
    let body = json!({"files": files(BOB), "fingerprint": planned["fingerprint"]});
    let refused = world.post("/code/apply", body).await;
    assert_eq!(refused.status, StatusCode::CONFLICT, "{}", refused.text());
    assert!(
        refused.text().contains("plan it again"),
        "{}",
        refused.text()
    );
    assert_eq!(events(&world), before);
    assert_eq!(
        world.get("/users").await.json()["items"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
}

#[tokio::test]
async fn a_broken_file_changes_nothing_and_names_the_line() {
    let world = World::new();
    let before = (events(&world), world.get("/code").await.text());
    let broken = format!("{BOB}\n[[teams]]\nname = \"T\"\nmembers = [\"eve@example.org\"]\n");
    let line = broken.lines().count();
    let body = json!({"files": files(&broken), "fingerprint": "any"});
    for path in ["/code/plan", "/code/apply"] {
        let mut body = body.clone();
        if path == "/code/plan" {
            body.as_object_mut().unwrap().remove("fingerprint");
        }
        let refused = world.post(path, body).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST);
        let place = format!("all.toml, line {line}, column 12: ");
        assert!(refused.text().contains(&place), "{}", refused.text());
        assert!(
            refused.text().contains("eve@example.org"),
            "{}",
            refused.text()
        );
    }
    let wrong = "[[users]]\nemail = \"nobody\"\nname = \"N\"\nrole = \"viewer\"\n";
    let refused = world
        .post("/code/plan", json!({"files": files(wrong)}))
        .await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert!(
        refused.text().contains("all.toml, line 2, column 1: "),
        "{}",
        refused.text()
    );
    assert_eq!((events(&world), world.get("/code").await.text()), before);
}

#[tokio::test]
async fn only_administrators_see_and_apply_files() {
    let world = World::new();
    let body = json!({"files": files(BOB), "fingerprint": "any"});
    for token in [&world.viewer, &world.responder, &world.bobs] {
        for (method, path) in [
            ("GET", "/code"),
            ("POST", "/code/plan"),
            ("POST", "/code/apply"),
        ] {
            let body = (method == "POST").then(|| body.clone());
            let refused = world.call(method, path, token, body).await;
            assert_eq!(refused.status, StatusCode::FORBIDDEN, "{method} {path}");
        }
    }
}

#[tokio::test]
async fn who_is_removed_by_files_is_gone_with_their_address() {
    let world = World::new();
    let remove = "[manage]\nremove = [\"users\"]\n\n[[users]]\nemail = \"ADA@example.org\"\nname = \"Ada\"\nrole = \"admin\"\n";
    let applied = apply(&world, &files(remove)).await;
    assert_eq!(applied["changes"][0]["change"], "removed");
    let refused = world.call("GET", "/users", &world.bobs, None).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn an_integration_by_mail_that_nobody_takes_is_a_mistake_of_the_file_and_blocks_no_address() {
    let world = World::with(|settings| settings.mail_domain = None);
    let fingerprint = world.get("/code").await.json()["fingerprint"].clone();
    let rows = world.vault.count();
    let by_mail = format!(
        "{BOB}\n[[services]]\nname = \"Post\"\nintegrations = [{{ name = \"Nagios\", kind = \"email\" }}]\n"
    );
    let place = format!("all.toml, line {}, column ", by_mail.lines().count());
    for path in ["/code/plan", "/code/apply"] {
        let mut body = json!({"files": files(&by_mail)});
        if path == "/code/apply" {
            body["fingerprint"] = fingerprint.clone();
        }
        let refused = world.post(path, body).await;
        assert_eq!(
            refused.status,
            StatusCode::BAD_REQUEST,
            "{}",
            refused.text()
        );
        assert!(refused.text().contains(&place), "{}", refused.text());
        assert!(
            refused.text().contains("[mail_intake]"),
            "{}",
            refused.text()
        );
    }
    assert_eq!(world.vault.count(), rows);
    apply(&world, &files(BOB)).await;
}

#[tokio::test]
async fn keys_that_are_shown_once_are_shown_also_when_what_is_kept_of_who_went_cannot_be_deleted() {
    let world = World::new();
    world.vault.keeps_all.store(true, Ordering::Relaxed);
    let wanted = format!(
        "[manage]\nremove = [\"users\"]\n\n[[users]]\nemail = \"ada@example.org\"\nname = \"Ada\"\nrole = \"admin\"\n\n{}",
        "[[services]]\nname = \"Web\"\nintegrations = [{ name = \"Nagios\" }]\n"
    );
    let applied = apply(&world, &files(&wanted)).await;
    assert_eq!(applied["made"][0]["name"], "Web / Nagios");
    assert!(applied["made"][0]["routing_key"].is_string(), "{applied}");
    let changes = applied["changes"].to_string();
    assert!(changes.contains("removed"), "{changes}");
    let refused = world.call("GET", "/users", &world.bobs, None).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn who_was_to_come_can_still_come_when_their_code_was_not_kept() {
    let world = World::new();
    let fingerprint = plan(&world, &files(BOB)).await["fingerprint"].clone();
    let rows = world.vault.count();
    // The address of Carol is kept, her code is not.
    world.vault.fail_after(1);
    let body = json!({"files": files(BOB), "fingerprint": fingerprint});
    let refused = world.post("/code/apply", body).await;
    assert!(refused.status.is_server_error(), "{}", refused.text());
    assert_eq!(world.vault.count(), rows);
    apply(&world, &files(BOB)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_made_true_to_the_end_when_the_client_hangs_up() {
    let world = World::new();
    let fingerprint = plan(&world, &files(BOB)).await["fingerprint"].clone();
    let (has_come, go_on) = world.vault.hold_next();
    let body = json!({"files": files(BOB), "fingerprint": fingerprint});
    tokio::select! {
        answer = world.post("/code/apply", body) => panic!("it is held up: {}", answer.text()),
        came = has_come => came.unwrap(),
    }
    go_on.send(()).unwrap();
    world.committed.wait_for(|events| {
        let mut bodies = events.iter().map(|event| &event.body);
        let has_come = bodies.any(|body| {
            matches!(body, EventBody::People(PeopleEvent::UserAdded { user }) if user.name == "Carol")
        });
        has_come.then_some(())
    });
}

#[tokio::test]
async fn a_service_that_goes_by_files_takes_the_keys_with_it_that_were_kept_of_it() {
    let world = World::new();
    let shop = world.post("/services", json!({"name": "Shop"})).await;
    assert_eq!(shop.status, StatusCode::CREATED, "{}", shop.text());
    let id = shop.json()["id"].as_str().unwrap().to_owned();
    let body = json!({"integration": {"type": "events_api_v2_inbound_integration", "name": "x"}});
    let path = format!("/services/{id}/integrations");
    let made = ada(&world, ("POST", &path), Some(body)).await.json();
    let key = made["integration"]["integration_key"].as_str().unwrap();
    assert!(world.vault.knows(key));
    let wanted = files("[manage]\nremove = [\"services\"]\n");
    let applied = apply(&world, &wanted).await;
    let gone = json!({"change": "removed", "kind": "services", "name": "Shop", "fields": []});
    assert_eq!(applied["changes"], json!([gone]));
    assert!(!world.vault.knows(key));
}

#[tokio::test]
async fn a_service_with_an_open_incident_is_refused_by_a_plan_as_it_would_be_by_apply() {
    let world = World::new();
    apply(&world, &files("[[services]]\nname = \"Shop\"\n")).await;
    let shop = world.engine.read(|state| {
        let mut services = state.services.values();
        let shop = services.find(|service| service.name == "Shop");
        shop.unwrap().id.to_string()
    });
    let body = json!({"title": "Odd prices", "service_id": shop});
    let declared = world.post("/incidents", body).await;
    assert_eq!(declared.status, StatusCode::CREATED, "{}", declared.text());
    let wanted = files("[manage]\nremove = [\"teams\", \"services\"]\n");
    let fingerprint = world.get("/code").await.json()["fingerprint"].clone();
    let body = json!({"files": wanted});
    let planned = world.post("/code/plan", body).await;
    assert_eq!(
        planned.status,
        StatusCode::BAD_REQUEST,
        "{}",
        planned.text()
    );
    let told = planned.json()["detail"].as_str().unwrap().to_owned();
    let place = "all.toml, line 2, column 20: service \"Shop\": ";
    assert!(told.starts_with(place), "{told}");
    assert!(told.contains("it has open incidents"), "{told}");
    let body = json!({"files": wanted, "fingerprint": fingerprint});
    let applied = world.post("/code/apply", body).await;
    assert_eq!(applied.text(), planned.text());
    let stays = world
        .engine
        .read(|state| state.services.values().any(|one| one.name == "Shop"));
    assert!(stays);
}

#[tokio::test]
async fn planned_work_that_goes_with_its_service_is_not_told_as_kept() {
    let world = World::new();
    let work = |reason: &str, services: &str| {
        format!(
            "[[maintenance_windows]]\nreason = \"{reason}\"\nservices = [{services}]\nfrom = 2026-12-05T22:00:00Z\nuntil = 2026-12-06T02:00:00Z\n"
        )
    };
    let standing = [
        "[[services]]\nname = \"Shop\"\n".to_owned(),
        work("disks", "\"Shop\""),
        work("network", "\"First service\", \"Shop\""),
        work("power", "\"First service\""),
    ];
    apply(&world, &files(&standing.concat())).await;
    let planned = plan(&world, &files("[manage]\nremove = [\"services\"]\n")).await;
    let told = |list: &Value| -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let list = list.as_array().unwrap().iter();
        let work = list.filter(|one| one["kind"] == "maintenance_windows");
        work.map(|one| (text(&one["name"]), text(&one["change"])))
            .collect()
    };
    let pair = |name: &str, change: &str| (name.to_owned(), change.to_owned());
    assert_eq!(
        told(&planned["changes"]),
        [pair("disks", "removed"), pair("network", "changed")]
    );
    assert_eq!(told(&planned["kept"]), [pair("power", "")]);
}

#[tokio::test]
async fn of_several_things_with_one_name_the_first_does_not_go_before_the_others() {
    let world = World::new();
    for _ in 0..3 {
        let service = world.post("/services", json!({"name": "Web"})).await;
        assert_eq!(service.status, StatusCode::CREATED, "{}", service.text());
    }
    let keeping = |names: &[&str]| {
        let tables = names.iter();
        let tables = tables.map(|name| format!("\n[[services]]\nname = \"{name}\"\n"));
        let tables: String = tables.collect();
        files(&format!("[manage]\nremove = [\"services\"]\n{tables}"))
    };
    let before = events(&world);
    for path in ["/code/plan", "/code/apply"] {
        let body = json!({"files": keeping(&["Service", "Web#2"]), "fingerprint": "0"});
        let answer = world.post(path, body).await;
        assert!(answer.status.is_client_error(), "{path}: {}", answer.text());
    }
    let body = json!({"files": keeping(&["Service", "Web#2"])});
    let refused = world.post("/code/plan", body).await.text();
    assert!(refused.contains("\\\"Web\\\" in files"), "{refused}");
    assert!(refused.contains("a name of its own first"), "{refused}");
    assert_eq!(events(&world), before);
    let wanted = keeping(&["Service", "Web", "Web#2"]);
    apply(&world, &wanted).await;
    assert_eq!(plan(&world, &wanted).await["changes"], json!([]));
    let left = world.engine.read(|state| {
        let all = state.services.values();
        all.filter(|one| one.name == "Web").count()
    });
    assert_eq!(left, 2);
}

#[tokio::test]
async fn what_gets_the_name_of_another_thing_does_not_get_its_key() {
    let world = World::new();
    // Ids are random: by them, one of so many would come before the first.
    for _ in 0..8 {
        let exported = world.get("/code").await.json();
        let layer = json!({
            "start": "2026-11-01T08:00:00Z", "turn": {"every": 1, "unit": "weeks"},
            "members": [world.bob.to_string()],
        });
        let body =
            json!({"name": "First schedule", "time_zone": "Europe/Paris", "layers": [layer]});
        let made = world.post("/schedules", body).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
        let planned = plan(&world, &exported["files"]).await;
        for empty in ["changes", "on_call", "paged"] {
            assert_eq!(planned[empty], json!([]), "{empty}: {planned}");
        }
    }
    let one = r#"
[[escalation_policies]]
name = "First policy"
[[escalation_policies.levels]]
delay = "5m"
targets = [{ schedule = "First schedule#2" }]
"#;
    let planned = plan(&world, &files(one)).await;
    let told = planned["paged"].to_string();
    assert!(
        told.contains("whoever is on call in First schedule#2 instead of"),
        "{told}"
    );
}

#[tokio::test]
async fn files_are_taken_whole_up_to_their_limit_however_long_they_are_in_json() {
    let world = World::new();
    let send = async |text: &str, key: Option<&str>| {
        let mut request = Request::post(format!("{BASE}/code/plan"))
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::AUTHORIZATION, format!("Bearer {}", world.admin));
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        let body = json!({"files": files(text)}).to_string();
        world.send(request.body(Body::from(body)).unwrap()).await
    };
    // Each quotation mark is two bytes of JSON.
    let quoted = |count: usize| format!("# {}", "\"".repeat(count));
    for key in [None, Some("once")] {
        let planned = send(&quoted(899_998), key).await;
        assert_eq!(planned.status, StatusCode::OK, "{}", planned.text());
        assert_eq!(planned.json()["changes"], json!([]));
    }
    let long = send(&quoted(899_999), None).await;
    assert_eq!(long.status, StatusCode::BAD_REQUEST);
    let told = long.json()["detail"].clone();
    assert_eq!(told, "1 to 200 files are taken, of 900000 bytes together");
    let larger = send(&quoted(1_500_000), None).await;
    assert_eq!(larger.status, StatusCode::PAYLOAD_TOO_LARGE);
}
