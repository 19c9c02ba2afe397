//! Browsers: cookies, other sites, sign-in links, set-up, and the headers that guard a page.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use serde_json::{Value, json};
use tocsin_domain::id::UserId;

use crate::world::{BASE, PASSWORD, World};

/// Headers of a request with a cookie, and whether it may change something.
type Case = (&'static [(&'static str, &'static str)], bool, bool);

const CROSS_ORIGIN: [Case; 9] = [
    (&[("sec-fetch-site", "same-origin")], true, true),
    (&[("sec-fetch-site", "same-origin")], false, false),
    (&[("sec-fetch-site", "cross-site")], true, false),
    (&[("sec-fetch-site", "same-site")], true, false),
    (&[("origin", "http://tocsin.example")], true, true),
    (
        &[
            ("origin", "http://evil.example"),
            ("host", "tocsin.example"),
        ],
        true,
        false,
    ),
    (&[("origin", "null")], true, false),
    (
        &[
            ("sec-fetch-site", "cross-site"),
            ("origin", "http://tocsin.example"),
        ],
        true,
        false,
    ),
    (&[], true, false),
];

#[tokio::test]
async fn a_cookie_changes_something_only_from_our_own_pages_with_their_token() {
    let world = World::new();
    let (cookie, csrf) = world.sign_in().await;
    for (headers, with_token, allowed) in CROSS_ORIGIN {
        let mut request = Request::post(format!("{BASE}/incidents"))
            .header(header::COOKIE, &cookie)
            .header(header::CONTENT_TYPE, "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if with_token {
            request = request.header("x-csrf-token", &csrf);
        }
        let request = request
            .body(Body::from(json!({"title": "By hand"}).to_string()))
            .unwrap();
        let status = world.send(request).await.status;
        let expected = if allowed {
            StatusCode::CREATED
        } else {
            StatusCode::FORBIDDEN
        };
        assert_eq!(status, expected, "{headers:?} token: {with_token}");
    }
}

#[tokio::test]
async fn another_site_cannot_sign_a_browser_in() {
    let world = World::new();
    let body = json!({"email": "ada@example.org", "password": PASSWORD}).to_string();
    let request = Request::post(format!("{BASE}/session"))
        .header(header::CONTENT_TYPE, "application/json")
        .header("sec-fetch-site", "cross-site");
    assert_eq!(
        world
            .send(request.body(Body::from(body)).unwrap())
            .await
            .status,
        StatusCode::FORBIDDEN
    );
}

#[tokio::test]
async fn a_session_is_kept_in_a_guarded_cookie_and_ends_on_demand() {
    let world = World::with(|settings| settings.public_url = "https://tocsin.example".to_owned());
    let signed_in = world
        .call(
            "POST",
            "/session",
            "",
            Some(json!({"email": "ADA@example.org", "password": PASSWORD})),
        )
        .await;
    let cookie = signed_in.headers[header::SET_COOKIE]
        .to_str()
        .unwrap()
        .to_owned();
    assert!(cookie.starts_with("__Host-tocsin="), "{cookie}");
    for part in ["; Path=/", "; HttpOnly", "; SameSite=Strict", "; Secure"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(!cookie.contains("Domain"));
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let get = || {
        Request::get(format!("{BASE}/session"))
            .header(header::COOKIE, &cookie)
            .body(Body::empty())
            .unwrap()
    };
    let session = world.send(get()).await;
    assert_eq!(session.json()["user"]["email"], "ada@example.org");
    let out = Request::delete(format!("{BASE}/session"))
        .header(header::COOKIE, &cookie)
        .header("sec-fetch-site", "same-origin")
        .header(
            "x-csrf-token",
            session.json()["csrf_token"].as_str().unwrap(),
        );
    assert_eq!(
        world.send(out.body(Body::empty()).unwrap()).await.status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(world.send(get()).await.status, StatusCode::UNAUTHORIZED);
}

/// Changes a person's password by a session, as the page does.
async fn change_password(
    world: &World,
    (cookie, csrf): &(String, String),
    user: UserId,
    body: Value,
) -> StatusCode {
    let request = Request::put(format!("{BASE}/users/{user}/password"))
        .header(header::COOKIE, cookie)
        .header("sec-fetch-site", "same-origin")
        .header("x-csrf-token", csrf)
        .header(header::CONTENT_TYPE, "application/json");
    let request = request.body(Body::from(body.to_string())).unwrap();
    world.send(request).await.status
}

#[tokio::test]
async fn ones_own_password_is_changed_with_the_one_in_use_and_ends_all_sessions() {
    let world = World::new();
    let session = world.sign_in().await;
    let new = "a quite new password";
    for wrong in [
        json!({"password": new}),
        json!({"password": new, "current_password": "not the one in use"}),
        json!({"password": "short", "current_password": PASSWORD}),
    ] {
        let status = change_password(&world, &session, world.ada, wrong).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
    }
    let body = json!({"password": new, "current_password": PASSWORD});
    let status = change_password(&world, &session, world.ada, body).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    let get = Request::get(format!("{BASE}/session")).header(header::COOKIE, session.0);
    assert_eq!(
        world.send(get.body(Body::empty()).unwrap()).await.status,
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn of_many_guesses_at_the_password_in_use_few_are_compared() {
    let world = World::new();
    let session = world.sign_in().await;
    let before = *world.doors.compared.lock().unwrap();
    for n in 0..50 {
        let body = json!({"password": "a quite new password", "current_password": format!("{n}")});
        change_password(&world, &session, world.ada, body).await;
    }
    assert_eq!(*world.doors.compared.lock().unwrap() - before, 5);
}

#[tokio::test]
async fn whoever_comes_by_a_link_sets_a_password_without_the_forgotten_one() {
    let world = World::new();
    let logins = || world.doors.logins.lock().unwrap();
    logins().insert("once".to_owned(), world.ada);
    let body = Some(json!({"login_token": "once"}));
    let answer = world.call("POST", "/session", "", body).await;
    assert_eq!(answer.json()["has_password"], false);
    let cookie = answer.headers[header::SET_COOKIE].to_str().unwrap();
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let csrf = answer.json()["csrf_token"].as_str().unwrap().to_owned();
    let body = json!({"password": "a quite new password"});
    let status = change_password(&world, &(cookie, csrf), world.ada, body).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn a_login_link_works_once() {
    let world = World::new();
    world
        .doors
        .logins
        .lock()
        .unwrap()
        .insert("link".to_owned(), world.ada);
    let body = || Some(json!({"login_token": "link"}));
    assert_eq!(
        world.call("POST", "/session", "", body()).await.status,
        StatusCode::OK
    );
    assert_eq!(
        world.call("POST", "/session", "", body()).await.status,
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn setup_is_refused_once_it_was_done() {
    let world = World::new();
    assert_eq!(
        world.call("GET", "/setup", "", None).await.json(),
        json!({"setup_needed": false})
    );
    *world.doors.setup_token.lock().unwrap() = Some("once".to_owned());
    let body = json!({"setup_token": "once", "name": "Eve", "email": "eve@example.org", "password": "a long password"});
    assert_eq!(
        world.call("POST", "/setup", "", Some(body)).await.status,
        StatusCode::CONFLICT
    );
}

#[tokio::test]
async fn a_foreign_front_takes_no_cookie() {
    let world = World::new();
    let (cookie, csrf) = world.sign_in().await;
    let request = Request::post("/v2/enqueue")
        .header(header::COOKIE, cookie)
        .header("x-csrf-token", csrf)
        .header("sec-fetch-site", "same-origin");
    let body = json!({"event_action": "resolve", "dedup_key": "k"}).to_string();
    assert_eq!(
        world
            .send(request.body(Body::from(body)).unwrap())
            .await
            .status,
        StatusCode::BAD_REQUEST
    );
}

#[tokio::test]
async fn without_authentication_this_machine_reads_and_nothing_else() {
    let world = World::with(|settings| settings.insecure_no_auth = true);
    let get =
        |path: &str| Request::get(format!("{BASE}{path}")).header(header::HOST, "127.0.0.1:8700");
    assert_eq!(
        world
            .send(get("/incidents").body(Body::empty()).unwrap())
            .await
            .status,
        StatusCode::OK
    );
    assert_eq!(
        world
            .send(get("/api-tokens").body(Body::empty()).unwrap())
            .await
            .status,
        StatusCode::FORBIDDEN
    );
    for (name, value) in [
        ("origin", "http://127.0.0.1:8700"),
        ("forwarded", "for=1.2.3.4"),
        ("x-forwarded-for", "1.2.3.4"),
    ] {
        let request = get("/incidents")
            .header(name, value)
            .body(Body::empty())
            .unwrap();
        assert_eq!(
            world.send(request).await.status,
            StatusCode::UNAUTHORIZED,
            "{name}"
        );
    }
    let rebound = Request::get(format!("{BASE}/incidents")).header(header::HOST, "evil.example");
    assert_eq!(
        world
            .send(rebound.body(Body::empty()).unwrap())
            .await
            .status,
        StatusCode::UNAUTHORIZED
    );
    let change = Request::post(format!("{BASE}/incidents"))
        .header(header::HOST, "127.0.0.1:8700")
        .header(header::CONTENT_TYPE, "application/json");
    let change = change
        .body(Body::from(json!({"title": "x"}).to_string()))
        .unwrap();
    assert_eq!(world.send(change).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn every_answer_carries_the_headers_that_guard_a_browser() {
    let world = World::new();
    for path in ["/ui/", "/healthz", "/api/tocsin/v1/incidents", "/nowhere"] {
        let answer = world
            .send(Request::get(path).body(Body::empty()).unwrap())
            .await;
        let policy = answer.headers[header::CONTENT_SECURITY_POLICY]
            .to_str()
            .unwrap();
        assert!(
            policy.contains("frame-ancestors 'none'") && !policy.contains("script-src 'unsafe"),
            "{policy}"
        );
        assert_eq!(answer.headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
        assert_eq!(answer.headers[header::REFERRER_POLICY], "no-referrer");
        assert!(
            !answer
                .headers
                .contains_key(header::STRICT_TRANSPORT_SECURITY)
        );
        let caching = answer
            .headers
            .get(header::CACHE_CONTROL)
            .map(|value| value.to_str().unwrap());
        if !path.starts_with("/ui") {
            assert_eq!(caching, Some("no-store"), "{path}");
        }
    }
    let secure = World::with(|settings| settings.tls = true);
    let answer = secure
        .send(Request::get("/healthz").body(Body::empty()).unwrap())
        .await;
    assert!(
        answer
            .headers
            .contains_key(header::STRICT_TRANSPORT_SECURITY)
    );
}

#[tokio::test]
async fn errors_are_problem_documents() {
    let world = World::new();
    let check = async |method: &str, path: &str, body: Option<Value>, expected: StatusCode| {
        let answer = world.call(method, path, &world.admin, body).await;
        assert_eq!(answer.status, expected, "{}", answer.text());
        assert_eq!(
            answer.headers[header::CONTENT_TYPE],
            "application/problem+json"
        );
        assert_eq!(answer.json()["status"], expected.as_u16());
        assert!(!answer.json()["detail"].as_str().unwrap().is_empty());
    };
    check("GET", "/nowhere", None, StatusCode::NOT_FOUND).await;
    check(
        "GET",
        "/incidents/QAAAAAAAAAAAAA",
        None,
        StatusCode::NOT_FOUND,
    )
    .await;
    check("DELETE", "/incidents", None, StatusCode::METHOD_NOT_ALLOWED).await;
    check("GET", "/incidents?limit=0", None, StatusCode::BAD_REQUEST).await;
    check(
        "GET",
        "/incidents?status=maybe",
        None,
        StatusCode::BAD_REQUEST,
    )
    .await;
    check(
        "POST",
        "/incidents",
        Some(json!({"titel": "x"})),
        StatusCode::BAD_REQUEST,
    )
    .await;
    check(
        "POST",
        "/incidents",
        Some(json!({"title": "\u{0}"})),
        StatusCode::BAD_REQUEST,
    )
    .await;
    check("GET", "/query?query=bad(", None, StatusCode::BAD_REQUEST).await;
}
