//! Who may do what: every route against every role, browsers against other sites, sign-ins, limits.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use serde_json::json;
use tocsin_domain::people::{Role, Scope, Scopes, TokenBounds};
use tocsin_edge::ports::{Accounts, NewToken};
use tocsin_edge::{Front, Who};

use crate::fakes::START;
use crate::world::{BASE, PASSWORD, World, add_person};

/// The least role that passes the gate; none when anybody does or a browser's session is needed.
fn least(who: Who) -> Option<Role> {
    match who {
        // Whoever has no key there may send with a token.
        Who::Key(Front::Alertmanager) => Some(Role::Responder),
        Who::Public | Who::Key(_) | Who::Session => None,
        Who::Token(_, role) | Who::Role(role) | Who::SelfOr(role) => Some(role),
    }
}

#[tokio::test]
async fn every_route_admits_the_roles_it_names_and_nobody_else() {
    let world = World::new();
    let nobody = "QAAAAAAAAAAAAA";
    let listed = tocsin_edge::routes();
    assert!(listed.len() > 60, "{}", listed.len());
    for route in &listed {
        let path = [
            "{id}",
            "{method_id}",
            "{window_id}",
            "{token_id}",
            "{integration_id}",
            "{override_id}",
            "{temporary_id}",
            "{swap_id}",
            "{calendar_id}",
            "{*path}",
            "{alert_id}",
            "{user_id}",
            "{rule_id}",
            "{provider}",
            "{place}",
            "{token}",
            "{step}",
            "{silence_id}",
        ]
        .iter()
        .fold(route.path.clone(), |path, parameter| {
            path.replace(parameter, nobody)
        });
        let callers = [
            (None, ""),
            (Some(Role::Viewer), world.viewer.as_str()),
            (Some(Role::Responder), world.responder.as_str()),
            (Some(Role::Admin), world.admin.as_str()),
        ];
        for (role, token) in callers {
            // The stream never ends; the gate in front of it is the same.
            if path.ends_with("/stream") && role.is_some() {
                continue;
            }
            let mut request = Request::builder().method(route.method.as_str()).uri(&path);
            if !token.is_empty() {
                request = request.header(header::AUTHORIZATION, format!("Token token={token}"));
            }
            let status = world
                .send(request.body(Body::empty()).unwrap())
                .await
                .status;
            let case = format!("{} {} as {role:?}: {status}", route.method, route.path);
            match (least(route.who), role) {
                (Some(_), None) => assert_eq!(status, StatusCode::UNAUTHORIZED, "{case}"),
                (Some(least), Some(role)) if role < least => {
                    assert_eq!(status, StatusCode::FORBIDDEN, "{case}")
                }
                (Some(_), Some(_)) => {
                    assert_ne!(status, StatusCode::UNAUTHORIZED, "{case}");
                    // Only `/me` and others that need a person refuse the installation's own tokens, which Ada's is not.
                    let own = role == Some(Role::Admin);
                    assert!(!own || status != StatusCode::FORBIDDEN, "{case}");
                }
                (None, _) if route.who == Who::Session => {
                    let expected = if role.is_none() {
                        StatusCode::UNAUTHORIZED
                    } else {
                        StatusCode::FORBIDDEN
                    };
                    assert_eq!(status, expected, "{case}");
                }
                (None, _) => assert_ne!(status, StatusCode::FORBIDDEN, "{case}"),
            }
        }
    }
}

#[tokio::test]
async fn everything_under_the_api_needs_more_than_nothing() {
    let open = ["/api/tocsin/v1/setup", "/api/tocsin/v1/session"];
    for route in tocsin_edge::routes() {
        let is_open = matches!(route.who, Who::Public | Who::Key(_));
        if route.path.starts_with(BASE) && is_open {
            assert!(
                open.contains(&route.path.as_str()),
                "{} {} is open to all",
                route.method,
                route.path
            );
        }
    }
}

#[tokio::test]
async fn a_person_edits_their_own_contact_methods_and_nobody_elses() {
    let world = World::new();
    let body =
        json!({"kind": "ntfy", "label": "Phone", "address": "https://ntfy.example.org/topic"});
    let own = format!("/users/{}/contact-methods", world.bob);
    let others = format!("/users/{}/contact-methods", world.ada);
    assert_eq!(
        world
            .call("POST", &own, &world.bobs, Some(body.clone()))
            .await
            .status,
        StatusCode::CREATED
    );
    assert_eq!(
        world
            .call("POST", &others, &world.bobs, Some(body.clone()))
            .await
            .status,
        StatusCode::FORBIDDEN
    );
    assert_eq!(
        world
            .call("POST", &own, &world.responder, Some(body.clone()))
            .await
            .status,
        StatusCode::FORBIDDEN
    );
    assert_eq!(
        world
            .call("POST", &own, &world.admin, Some(body))
            .await
            .status,
        StatusCode::CREATED
    );
}

#[tokio::test]
async fn a_viewer_signed_in_changes_what_is_their_own_and_a_viewers_token_nothing() {
    let world = World::new();
    let vic = add_person(
        &world.engine,
        world.vault.as_ref(),
        "Vic",
        "vic@example.org",
        Role::Viewer,
    );
    world.doors.set_password(vic, &PASSWORD.into()).unwrap();
    let new = NewToken {
        name: "t".to_owned(),
        role: Role::Viewer,
        user: Some(vic),
        made_by: Some(vic),
        expires_at: None,
        bounds: TokenBounds::default(),
    };
    let token = world.doors.add_token(new, START).unwrap().1;
    let signed_in = world
        .call(
            "POST",
            "/session",
            "",
            Some(json!({"email": "vic@example.org", "password": PASSWORD})),
        )
        .await;
    assert_eq!(signed_in.status, StatusCode::OK, "{}", signed_in.text());
    let cookie = signed_in.headers[header::SET_COOKIE].to_str().unwrap();
    let csrf = signed_in.json()["csrf_token"].as_str().unwrap().to_owned();
    let way = json!({"kind": "ntfy", "label": "Phone", "address": "https://127.0.0.1/topic"});
    let post = async |user| {
        let request = Request::post(format!("{BASE}/users/{user}/contact-methods"))
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::COOKIE, cookie.split(';').next().unwrap())
            .header("x-csrf-token", &csrf)
            .header("sec-fetch-site", "same-origin")
            .body(Body::from(way.to_string()))
            .unwrap();
        world.send(request).await.status
    };
    assert_eq!(post(vic).await, StatusCode::CREATED);
    assert_eq!(post(world.bob).await, StatusCode::FORBIDDEN);
    let own = format!("/users/{vic}/contact-methods");
    let by_token = world.call("POST", &own, &token, Some(way.clone())).await;
    assert_eq!(by_token.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_token_does_no_more_than_its_owner_may_now_and_dies_with_them() {
    let world = World::new();
    let new = NewToken {
        name: "t".to_owned(),
        role: Role::Admin,
        user: Some(world.bob),
        made_by: Some(world.bob),
        expires_at: None,
        bounds: TokenBounds::default(),
    };
    let token = world.doors.add_token(new, START).unwrap().1;
    let add = || json!({"name": "Eve", "email": "eve@example.org", "role": "viewer"});
    assert_eq!(
        world
            .call("POST", "/users", &token, Some(add()))
            .await
            .status,
        StatusCode::FORBIDDEN
    );
    let up = world
        .call(
            "PATCH",
            &format!("/users/{}", world.bob),
            &world.admin,
            Some(json!({"role": "admin"})),
        )
        .await;
    assert_eq!(up.status, StatusCode::OK);
    assert_eq!(
        world
            .call("POST", "/users", &token, Some(add()))
            .await
            .status,
        StatusCode::CREATED
    );
    let gone = world
        .call(
            "DELETE",
            &format!("/users/{}", world.bob),
            &world.admin,
            None,
        )
        .await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT);
    assert_eq!(
        world.call("GET", "/incidents", &token, None).await.status,
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn credentials_that_are_empty_wrong_or_twice_are_refused() {
    let world = World::new();
    let long = "x".repeat(5_000);
    for value in [
        "",
        "Bearer",
        "Bearer ",
        "Token token=",
        "Bearer aaaaaaaaaaaaaaaaaaaa",
        "Basic YTpi",
        long.as_str(),
    ] {
        let request =
            Request::get(format!("{BASE}/incidents")).header(header::AUTHORIZATION, value);
        assert_eq!(
            world
                .send(request.body(Body::empty()).unwrap())
                .await
                .status,
            StatusCode::UNAUTHORIZED,
            "{value}"
        );
    }
    let request = Request::get(format!("{BASE}/incidents"))
        .header(header::AUTHORIZATION, format!("Bearer {}", world.admin))
        .header(header::AUTHORIZATION, "Bearer aaaaaaaaaaaaaaaaaaaa");
    assert_eq!(
        world
            .send(request.body(Body::empty()).unwrap())
            .await
            .status,
        StatusCode::UNAUTHORIZED
    );
    for (email, password) in [
        ("", ""),
        ("ada@example.org", ""),
        ("", PASSWORD),
        ("ada@example.org", "wrong"),
    ] {
        let answer = world
            .call(
                "POST",
                "/session",
                "",
                Some(json!({"email": email, "password": password})),
            )
            .await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    }
}

#[tokio::test]
async fn an_expired_token_is_refused() {
    let world = World::new();
    let expires_at = Some(START.plus_ms(1_000));
    let new = NewToken {
        name: "t".to_owned(),
        role: Role::Admin,
        user: None,
        made_by: None,
        expires_at,
        bounds: TokenBounds::default(),
    };
    let token = world.doors.add_token(new, START).unwrap().1;
    assert_eq!(
        world.call("GET", "/incidents", &token, None).await.status,
        StatusCode::OK
    );
    *world.clock.0.lock().unwrap() = START.plus_ms(1_000);
    assert_eq!(
        world.call("GET", "/incidents", &token, None).await.status,
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn of_a_thousand_wrong_passwords_five_are_compared() {
    let world = World::new();
    let mut last = StatusCode::OK;
    for n in 0..1_000 {
        let answer = world
            .call(
                "POST",
                "/session",
                "",
                Some(json!({"email": "ada@example.org", "password": format!("{n}")})),
            )
            .await;
        last = answer.status;
        if last == StatusCode::TOO_MANY_REQUESTS {
            assert!(answer.headers.contains_key(header::RETRY_AFTER));
        }
    }
    assert_eq!(last, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(*world.doors.compared.lock().unwrap(), 5);
}

#[tokio::test]
async fn a_small_token_of_an_administrator_does_not_stand_for_them() {
    let world = World::new();
    let new = NewToken {
        name: "alerts".to_owned(),
        role: Role::Responder,
        user: Some(world.ada),
        made_by: Some(world.ada),
        expires_at: None,
        bounds: TokenBounds::default(),
    };
    let small = world.doors.add_token(new, START).unwrap().1;
    let own = format!("/users/{}", world.ada);
    let password = json!({"password": "a password of the thief"});
    let method = json!({"kind": "ntfy", "label": "x", "address": "https://ntfy.example.org/topic"});
    for (verb, path, body) in [
        ("PUT", format!("{own}/password"), password),
        ("POST", format!("{own}/contact-methods"), method),
        ("PUT", format!("{own}/notification-rules"), json!([])),
    ] {
        let answer = world.call(verb, &path, &small, Some(body)).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{verb} {path}");
    }
    world.sign_in().await;
}

#[tokio::test]
async fn no_token_changes_its_owners_password() {
    let world = World::new();
    let body = json!({"password": "a password of the thief", "current_password": PASSWORD});
    for (token, user) in [(&world.admin, world.ada), (&world.bobs, world.bob)] {
        let path = format!("/users/{user}/password");
        let answer = world.call("PUT", &path, token, Some(body.clone())).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{}", answer.text());
    }
    let others = format!("/users/{}/password", world.bob);
    let body = json!({"password": "the first one of Bob"});
    let answer = world.call("PUT", &others, &world.admin, Some(body)).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn what_was_answered_once_is_not_given_to_a_smaller_token_of_the_same_person() {
    let world = World::new();
    let small = |role: Role, scopes: Option<Scopes>| {
        let new = NewToken {
            name: "alerts".to_owned(),
            role,
            user: Some(world.ada),
            made_by: Some(world.ada),
            expires_at: None,
            bounds: TokenBounds {
                scopes,
                requests_per_minute: None,
            },
        };
        world.doors.add_token(new, START).unwrap().1
    };
    let by_role = small(Role::Responder, None);
    let by_scopes = small(Role::Admin, Some(Scopes::of(Scope::Settings)));
    let make = async |token: &str| {
        let body = json!({"name": "deploy", "role": "admin"});
        let request = Request::post(format!("{BASE}/api-tokens"))
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .header("idempotency-key", "one")
            .body(Body::from(body.to_string()));
        world.send(request.unwrap()).await
    };
    assert_eq!(make(&world.admin).await.status, StatusCode::CREATED);
    assert_eq!(make(&by_role).await.status, StatusCode::FORBIDDEN);
    assert_eq!(make(&by_scopes).await.status, StatusCode::FORBIDDEN);
    assert_eq!(make(&world.admin).await.status, StatusCode::CREATED);
}
