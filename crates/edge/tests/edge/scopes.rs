//! Tokens that have scopes: what each reaches of all routes, what it is told, and what such a token makes.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use serde_json::{Value, json};
use tocsin_domain::people::{Role, Scope, Scopes, TokenBounds};
use tocsin_edge::ports::{Accounts, NewToken};

use crate::code::files;
use crate::fakes::START;
use crate::matrix::takes_tokens;
use crate::pagerduty::ask;
use crate::world::World;

const SILENCES: &str = "/alertmanager/api/v2/silences";

/// A token of Ada's with her whole role and these scopes.
fn kept_to(world: &World, scopes: Scopes) -> String {
    let new = NewToken {
        name: "t".to_owned(),
        role: Role::Admin,
        user: Some(world.ada),
        made_by: Some(world.ada),
        expires_at: None,
        bounds: TokenBounds {
            scopes: Some(scopes),
            requests_per_minute: None,
        },
    };
    world.doors.add_token(new, START).unwrap().1
}

/// The path with ids of nothing.
fn filled(path: &str) -> String {
    let steps = path.split('/').map(|step| {
        if step.starts_with('{') {
            "QAAAAAAAAAAAAA"
        } else {
            step
        }
    });
    steps.collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn every_route_admits_a_token_with_the_scopes_that_it_needs_and_no_other() {
    let world = World::new();
    let mut kept: Vec<Scopes> = Scope::ALL.into_iter().map(Scopes::of).collect();
    kept.push(Scopes::ALL);
    let tokens: Vec<_> = kept
        .into_iter()
        .map(|scopes| (scopes, kept_to(&world, scopes)))
        .collect();
    let routes = tocsin_edge::routes();
    for route in routes.iter().filter(|route| takes_tokens(route)) {
        for (scopes, token) in &tokens {
            let admits = route.needs.is_some_and(|needs| scopes.hold(needs));
            // The stream never ends; the gate in front of it is the same.
            if admits && route.path.ends_with("/stream") {
                continue;
            }
            let request = Request::builder()
                .method(route.method.as_str())
                .uri(filled(&route.path))
                .header(header::AUTHORIZATION, format!("Bearer {token}"))
                .body(Body::empty());
            let status = world.send(request.unwrap()).await.status;
            let case = format!("{} {} with {scopes:?}: {status}", route.method, route.path);
            assert_ne!(status, StatusCode::UNAUTHORIZED, "{case}");
            assert_eq!(status == StatusCode::FORBIDDEN, !admits, "{case}");
        }
    }
}

#[tokio::test]
async fn who_is_refused_is_told_which_scope_is_needed_in_the_words_of_each_front() {
    let world = World::new();
    let token = kept_to(&world, Scopes::of(Scope::Alerts));
    let why = "this needs a token without scopes, or with these: ";
    for (method, path, scope) in [
        ("GET", "/api/tocsin/v1/users", "roster"),
        ("GET", "/api/v1/query", "telemetry"),
        ("GET", "/metrics", "telemetry"),
        (
            "POST",
            "/api/tocsin/v1/code/plan",
            "alerts, incidents, roster, settings",
        ),
    ] {
        let answer = world.call_at(method, path, &token, None).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}");
        let expected = format!("{why}{scope}");
        assert!(answer.text().contains(&expected), "{}", answer.text());
    }
    let answer = ask(&world, ("GET", "/incidents"), &token, None, None).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "{}", answer.text());
    assert!(answer.json()["error"]["code"].is_number());
    let token = kept_to(&world, Scopes::of(Scope::Roster));
    let answer = world.call_at("POST", "/api/v2/alerts", &token, None).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert!(answer.text().contains("alerts"), "{}", answer.text());
}

#[tokio::test]
async fn a_scope_widens_no_role_and_stands_for_nobody_in_all_things() {
    let world = World::new();
    let new = NewToken {
        name: "t".to_owned(),
        role: Role::Responder,
        user: Some(world.bob),
        made_by: Some(world.bob),
        expires_at: None,
        bounds: TokenBounds {
            scopes: Some(Scopes::of(Scope::Roster)),
            requests_per_minute: None,
        },
    };
    let token = world.doors.add_token(new, START).unwrap().1;
    let teams = world.call(
        "POST",
        "/teams",
        &token,
        Some(json!({"name": "Web", "members": []})),
    );
    assert_eq!(teams.await.status, StatusCode::FORBIDDEN);
    let read = world.call("GET", "/teams", &token, None).await;
    assert_eq!(read.status, StatusCode::OK);
    // His own ways to be reached are not changed by a part of what he may do.
    let path = format!("/users/{}/contact-methods", world.bob);
    let way =
        json!({"kind": "ntfy", "label": "Phone", "address": "https://ntfy.example.org/topic"});
    let added = world.call("POST", &path, &token, Some(way)).await;
    assert_eq!(added.status, StatusCode::FORBIDDEN, "{}", added.text());
    let whole = world.call(
        "POST",
        "/teams",
        &world.admin,
        Some(json!({"name": "Web", "members": []})),
    );
    assert!(whole.await.status.is_success());
}

/// What is told of a token that `by` makes.
async fn made(world: &World, by: &str, more: Value) -> (StatusCode, Value) {
    let mut body = json!({"name": "t", "role": "responder"});
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    let answer = world.call("POST", "/api-tokens", by, Some(body)).await;
    (answer.status, answer.json())
}

#[tokio::test]
async fn tokens_are_made_with_scopes_and_limits_and_shown_with_them() {
    let world = World::new();
    let bounds = json!({"scopes": ["incidents", "alerts", "alerts"], "requests_per_minute": 60});
    let (status, told) = made(&world, &world.admin, bounds).await;
    assert_eq!(status, StatusCode::CREATED, "{told}");
    assert_eq!(told["scopes"], json!(["alerts", "incidents"]));
    assert_eq!(told["requests_per_minute"], 60);
    let (_, free) = made(&world, &world.admin, json!({})).await;
    assert_eq!(
        (&free["scopes"], &free["requests_per_minute"]),
        (&Value::Null, &json!(12_000))
    );
    let list = world.get("/api-tokens").await.json();
    let shown = list["items"].as_array().unwrap().iter();
    let shown: Vec<_> = shown.map(|one| (&one["id"], &one["scopes"])).collect();
    assert!(shown.contains(&(&told["id"], &told["scopes"])), "{shown:?}");
    let token = told["token"].as_str().unwrap();
    let status = async |path: &str| world.call("GET", path, token, None).await.status;
    assert_eq!(status("/incidents").await, StatusCode::OK);
    assert_eq!(status("/me").await, StatusCode::OK);
    assert_eq!(status("/services").await, StatusCode::FORBIDDEN);
    for (wrong, why) in [
        (json!({"scopes": []}), "scopes: one at least"),
        (json!({"scopes": ["everything"]}), "everything"),
        (
            json!({"requests_per_minute": 0}),
            "requests_per_minute: 1 to 12000",
        ),
        (
            json!({"requests_per_minute": 12_001}),
            "requests_per_minute: 1 to 12000",
        ),
    ] {
        let (status, told) = made(&world, &world.admin, wrong).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{told}");
        assert!(told.to_string().contains(why), "{told}");
    }
}

#[tokio::test]
async fn a_token_makes_none_that_reaches_further_and_none_at_all_under_a_limit_of_its_own() {
    let world = World::new();
    let bounds = json!({"role": "admin", "scopes": ["settings", "roster"]});
    let (_, maker) = made(&world, &world.admin, bounds).await;
    let maker = maker["token"].as_str().unwrap();
    for wider in [
        json!({}),
        json!({"requests_per_minute": 60}),
        json!({"scopes": ["settings", "alerts"]}),
    ] {
        let (status, told) = made(&world, maker, wider).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{told}");
    }
    let limited = json!({"scopes": ["settings"], "requests_per_minute": 60});
    let (status, told) = made(&world, maker, limited.clone()).await;
    assert_eq!(status, StatusCode::CREATED, "{told}");
    let (status, told) = made(&world, told["token"].as_str().unwrap(), limited).await;
    assert_eq!(status, StatusCode::FORBIDDEN, "{told}");
    assert!(told.to_string().contains("makes no tokens"), "{told}");
    let all = kept_to(&world, Scopes::ALL);
    let path = format!("/users/{}/password", world.ada);
    let set = world
        .call("PUT", &path, maker, Some(json!({"password": "x"})))
        .await;
    assert_eq!(
        set.status,
        StatusCode::FORBIDDEN,
        "a session would be kept to nothing"
    );
    assert_eq!(made(&world, &all, json!({})).await.0, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn nobody_is_made_an_administrator_by_a_token_that_is_kept_to_less_than_all() {
    let world = World::new();
    let (roster, all) = (
        kept_to(&world, Scopes::of(Scope::Roster)),
        kept_to(&world, Scopes::ALL),
    );
    let bob = format!("/users/{}", world.bob);
    let add = async |token: &str, role: &str| {
        let body = json!({"name": "Cal", "email": "cal@example.org", "role": role});
        world.call("POST", "/users", token, Some(body)).await
    };
    let change = async |token: &str, role: &str| {
        let body = json!({ "role": role });
        world.call("PATCH", &bob, token, Some(body)).await.status
    };
    let by_pagerduty = async |method: &str, path: &str, role: &str| {
        let user = json!({"name": "Dan", "email": "dan@example.org", "role": role});
        let mut body = json!({ "user": user });
        if method == "PUT" {
            body = json!({"user": {"role": role}});
        }
        ask(&world, (method, path), &roster, None, Some(body))
            .await
            .status
    };
    let refused = add(&roster, "admin").await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    let told = refused.text();
    assert!(told.contains("without scopes, or with all"), "{told}");
    assert_eq!(add(&roster, "responder").await.status, StatusCode::CREATED);
    assert_eq!(change(&roster, "admin").await, StatusCode::FORBIDDEN);
    assert_eq!(change(&roster, "viewer").await, StatusCode::OK);
    let post = by_pagerduty("POST", "/users", "admin").await;
    assert_eq!(post, StatusCode::FORBIDDEN);
    let put = by_pagerduty("PUT", &bob, "admin").await;
    assert_eq!(put, StatusCode::FORBIDDEN);
    let post = by_pagerduty("POST", "/users", "user").await;
    assert_eq!(post, StatusCode::CREATED);

    assert_eq!(change(&all, "admin").await, StatusCode::OK);
    let put = by_pagerduty("PUT", &bob, "admin").await;
    assert_eq!(put, StatusCode::OK, "what was read is written back");
}

#[tokio::test]
async fn files_make_an_administrator_by_a_token_with_all_scopes_alone() {
    let world = World::new();
    let needed = [
        Scope::Alerts,
        Scope::Incidents,
        Scope::Roster,
        Scope::Settings,
    ];
    let most = kept_to(&world, needed.into_iter().collect());
    let all = kept_to(&world, Scopes::ALL);
    let with = |role: &str| {
        files(&format!(
            "[[users]]\nemail = \"cal@example.org\"\nname = \"Cal\"\nrole = \"{role}\"\n"
        ))
    };
    let applied = async |token: &str, role: &str| {
        let body = json!({"files": with(role)});
        let plan = world.call("POST", "/code/plan", token, Some(body)).await;
        assert_eq!(plan.status, StatusCode::OK, "{}", plan.text());
        let body = json!({"files": with(role), "fingerprint": plan.json()["fingerprint"]});
        let answer = world.call("POST", "/code/apply", token, Some(body)).await;
        answer.status
    };
    assert_eq!(applied(&most, "admin").await, StatusCode::FORBIDDEN);
    assert_eq!(applied(&most, "viewer").await, StatusCode::OK);
    assert_eq!(applied(&most, "admin").await, StatusCode::FORBIDDEN);
    assert_eq!(applied(&all, "admin").await, StatusCode::OK);
    assert_eq!(applied(&most, "admin").await, StatusCode::OK, "no news");
}

/// What an answer says to clients of Alertmanager that are refused.
const NEEDS_SETTINGS: &str = "this needs a token without scopes, or with these: settings";

#[tokio::test]
async fn planned_work_is_moved_and_ended_as_a_silence_by_who_may_do_so_where_it_was_planned() {
    let world = World::new();
    let alerts = kept_to(&world, Scopes::of(Scope::Alerts));
    let both = kept_to(&world, Scopes::of(Scope::Alerts).and(Scope::Settings));
    let service = world.get("/services").await.json()["items"][0]["id"].clone();
    let (from, until) = (START.to_rfc3339(), START.plus_ms(3_600_000).to_rfc3339());
    let named = json!({"reason": "disks", "service_ids": [service], "from": from, "until": until});
    let labelled = json!({"reason": "disks", "from": from, "until": until,
        "matchers": [{"name": "job", "operator": "=", "value": "web"}]});
    for planned in [named, labelled] {
        let planned = world.post("/maintenance-windows", planned).await.json();
        let path = format!("/maintenance-windows/{}", planned["id"].as_str().unwrap());
        let active = async || world.get(&path).await.json()["active"].clone();
        let listed = world.call_at("GET", SILENCES, &alerts, None).await.json();
        let mut listed = listed.as_array().unwrap().iter();
        let shown = listed.find(|one| one["status"]["state"] == "active");
        let mut moved = shown.unwrap().clone();
        moved["endsAt"] = json!(START.plus_ms(7_200_000).to_rfc3339());
        let one = format!(
            "/alertmanager/api/v2/silence/{}",
            moved["id"].as_str().unwrap()
        );
        let mut another = moved.clone();
        another["matchers"] = json!([{"name": "a", "value": "b", "isRegex": false}]);
        for (method, at, body) in [
            ("POST", SILENCES, Some(moved.clone())),
            ("POST", SILENCES, Some(another)),
            ("DELETE", one.as_str(), None),
        ] {
            let refused = world.call_at(method, at, &alerts, body).await;
            let told = refused.json();
            assert_eq!(refused.status, StatusCode::FORBIDDEN, "{method}: {told}");
            assert_eq!(told, json!({"code": 403, "message": NEEDS_SETTINGS}));
            let kept = world.get(&path).await.json();
            assert_eq!(kept["until"], until, "{method}: {kept}");
        }
        let set = world.call_at("POST", SILENCES, &both, Some(moved)).await;
        assert_eq!(set.status, StatusCode::OK, "{}", set.text());
        assert_eq!(active().await, true);
        let ended = world.call_at("DELETE", &one, &both, None).await;
        assert_eq!(ended.status, StatusCode::OK, "{}", ended.text());
        assert_eq!(active().await, false);
    }
}

/// Also one of which nobody says who made it: it is no planned work by that.
#[tokio::test]
async fn a_silence_is_changed_and_ended_by_a_token_for_alerts() {
    let world = World::new();
    let alerts = kept_to(&world, Scopes::of(Scope::Alerts));
    for (said, shown) in [("amtool", "amtool"), ("", "Ada"), (" ", "Ada")] {
        let mut silence = json!({"matchers": [{"name": "a", "value": "b", "isRegex": false}],
            "startsAt": START.to_rfc3339(), "endsAt": START.plus_ms(3_600_000).to_rfc3339(),
            "createdBy": said, "comment": "new disks"});
        let post = async |silence: &Value| {
            let body = Some(silence.clone());
            world.call_at("POST", SILENCES, &alerts, body).await
        };
        let id = post(&silence).await.json()["silenceID"].clone();
        silence["id"] = id.clone();
        silence["endsAt"] = json!(START.plus_ms(7_200_000).to_rfc3339());
        let changed = post(&silence).await;
        assert_eq!(changed.json()["silenceID"], id, "{}", changed.text());
        let one = format!("/alertmanager/api/v2/silence/{}", id.as_str().unwrap());
        let told = world.call_at("GET", &one, &alerts, None).await.json();
        assert_eq!(told["createdBy"], shown);
        let ended = world.call_at("DELETE", &one, &alerts, None).await;
        assert_eq!(ended.status, StatusCode::OK, "{}", ended.text());
    }
}
