//! Remote write and who may call Prometheus' front.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode, header, request};
use futures_util::{StreamExt, stream};
use tocsin_domain::write::{Exemplar, Metadata, MetricKind, Write};
use tocsin_edge::ports::StorageError;
use tocsin_wire::prometheus::remote_write::{v1, v2};
use tocsin_wire::prometheus::snappy;

use crate::world::{Answered, World};

const V2: &str = "application/x-protobuf;proto=io.prometheus.write.v2.Request";

/// One series with these samples, an exemplar and what is known of the metric.
fn request(points: &[(i64, f64)]) -> Write<'static> {
    let mut write = Write::default();
    let pair = |name, value| (Cow::Borrowed(name), Cow::Borrowed(value));
    write.begin([pair("__name__", "hits_total"), pair("job", "a")]);
    for (at_ms, value) in points {
        write.push(*at_ms, *value);
    }
    write.exemplars.push(Exemplar {
        series: 0,
        labels: vec![pair("trace_id", "1f")],
        at_ms: 5,
        value: 1.0,
    });
    write.metadata.push(Metadata {
        metric: "hits_total".into(),
        kind: MetricKind::Counter,
        help: "Hits.".into(),
        unit: "".into(),
    });
    write
}

fn block(write: &Write<'_>) -> Vec<u8> {
    snappy::compress(&v1::encode(write)).unwrap()
}

fn to(path: &str) -> request::Builder {
    Request::post(path)
        .header(header::CONTENT_TYPE, "application/x-protobuf")
        .header(header::CONTENT_ENCODING, "snappy")
}

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

async fn send(world: &World, block: Vec<u8>) -> Answered {
    let request = to("/api/v1/write").header(header::AUTHORIZATION, bearer(&world.responder));
    world.send(request.body(Body::from(block)).unwrap()).await
}

fn written(headers: &HeaderMap) -> [&str; 3] {
    ["samples", "histograms", "exemplars"].map(|what| {
        let name = format!("x-prometheus-remote-write-{what}-written");
        headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    })
}

#[tokio::test]
async fn what_a_sender_pushes_is_stored_and_can_be_asked_for() {
    let world = World::new();
    let answer = send(&world, block(&request(&[(1, 0.5), (2, f64::NAN)]))).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT, "{}", answer.text());
    assert_eq!(written(&answer.headers), ["", "", ""], "1.0 has no counts");
    assert_eq!(world.samples.count(), 2);
    assert!(
        world
            .samples
            .metadata
            .lock()
            .unwrap()
            .contains_key("hits_total")
    );
    assert_eq!(world.samples.exemplars.lock().unwrap().len(), 1);
    let sources = world.samples.sources.lock().unwrap().clone();
    assert!(sources[0].starts_with("token Q"), "{sources:?}");
}

#[tokio::test]
async fn the_second_version_tells_what_was_written() {
    let world = World::new();
    let block = snappy::compress(&v2::encode(&request(&[(1, 0.5), (2, 1.5)]))).unwrap();
    let sent = Request::post("/prometheus/api/v1/write")
        .header(header::CONTENT_TYPE, V2)
        .header(header::CONTENT_ENCODING, "snappy")
        .header(header::AUTHORIZATION, bearer(&world.bobs));
    let answer = world.send(sent.body(Body::from(block)).unwrap()).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT, "{}", answer.text());
    assert_eq!(written(&answer.headers), ["2", "0", "1"]);
    let sources = world.samples.sources.lock().unwrap().clone();
    assert_eq!(sources, [format!("user {}", world.bob)]);
}

#[tokio::test]
async fn what_is_refused_is_told_and_the_rest_is_kept() {
    let world = World::new();
    *world.samples.oldest_ms.lock().unwrap() = 10;
    let answer = send(&world, block(&request(&[(1, 0.5), (20, 1.5)]))).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(
        answer.text().contains("1 too old: hits_total"),
        "{}",
        answer.text()
    );
    assert!(
        answer.headers[header::CONTENT_TYPE]
            .to_str()
            .unwrap()
            .starts_with("text/plain")
    );
    assert_eq!(world.samples.count(), 1);
}

#[tokio::test]
async fn what_passes_is_to_be_sent_again() {
    let world = World::new();
    for disk_full in [true, false] {
        let why = "the disk is full".to_owned();
        *world.samples.refusal.lock().unwrap() = Some(StorageError { why, disk_full });
        let answer = send(&world, block(&request(&[(1, 0.5)]))).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(answer.headers.contains_key(header::RETRY_AFTER));
        assert!(answer.text().contains("the disk is full"));
    }
    *world.samples.refusal.lock().unwrap() = None;
    let answer = send(&world, block(&request(&[(1, 0.5)]))).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn damaged_oversized_and_foreign_bodies_are_refused_for_good() {
    let world = World::new();
    let check = async |kind: &str, encoding: &str, body: Vec<u8>, expected: u16| {
        let request = Request::post("/api/v1/write")
            .header(header::CONTENT_TYPE, kind)
            .header(header::CONTENT_ENCODING, encoding)
            .header(header::AUTHORIZATION, bearer(&world.responder));
        let answer = world.send(request.body(Body::from(body)).unwrap()).await;
        assert_eq!(answer.status.as_u16(), expected, "{}", answer.text());
        assert!(!answer.text().is_empty());
    };
    let protobuf = "application/x-protobuf";
    let good = block(&request(&[(1, 0.5)]));
    check("application/json", "snappy", good.clone(), 415).await;
    check(&V2.replace("v2", "v3"), "snappy", good.clone(), 415).await;
    check(protobuf, "gzip", good.clone(), 415).await;
    check(protobuf, "snappy", b"not snappy".to_vec(), 400).await;
    let nonsense = snappy::compress(b"not protobuf").unwrap();
    check(protobuf, "snappy", nonsense, 400).await;
    // It claims 256 MiB, and then that six bytes hold 1 MiB.
    check(
        protobuf,
        "snappy",
        vec![0x80, 0x80, 0x80, 0x80, 0x01, 0x00],
        413,
    )
    .await;
    check(
        protobuf,
        "snappy",
        vec![0x80, 0x80, 0x40, 0x00, 0x00, 0x00],
        400,
    )
    .await;
    let huge = to("/api/v1/write")
        .header(header::CONTENT_LENGTH, 64 << 20)
        .header(header::AUTHORIZATION, bearer(&world.responder));
    let answer = world.send(huge.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(world.samples.count(), 0);
}

#[tokio::test]
async fn an_empty_request_is_no_error() {
    let world = World::new();
    let answer = send(&world, block(&Write::default())).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT, "{}", answer.text());
}

#[tokio::test]
async fn a_token_is_taken_as_a_password_and_a_cookie_is_not_looked_at() {
    let world = World::new();
    let get = async |name: &'static str, value: &str| {
        let request = Request::get("/api/v1/query?query=1").header(name, value);
        world.send(request.body(Body::empty()).unwrap()).await
    };
    let basic = format!("Basic {}", base64(&format!("grafana:{}", world.viewer)));
    assert_eq!(get("authorization", &basic).await.status, StatusCode::OK);
    let wrong = format!("Basic {}", base64("grafana:abcdefghij0123456789"));
    let (cookie, _) = world.sign_in().await;
    for (name, value) in [
        ("authorization", wrong),
        ("cookie", cookie),
        ("x-nothing", String::new()),
    ] {
        let answer = get(name, &value).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        assert_eq!(answer.json()["errorType"], "unauthorized");
        let asks = answer.headers[header::WWW_AUTHENTICATE].to_str().unwrap();
        assert!(asks.starts_with("Basic realm="), "{asks}");
    }
    let viewer = to("/api/v1/write").header(header::AUTHORIZATION, bearer(&world.viewer));
    let answer = world.send(viewer.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
}

/// RFC 4648, with padding.
pub(crate) fn base64(text: &str) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for group in text.as_bytes().chunks(3) {
        let bits = [0, 1, 2].map(|n| u32::from(*group.get(n).unwrap_or(&0)));
        let bits = bits[0] << 16 | bits[1] << 8 | bits[2];
        for place in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * place) & 63) as usize];
            out.push(if place > group.len() {
                '='
            } else {
                char::from(digit)
            });
        }
    }
    out
}

#[tokio::test]
async fn a_revoked_token_is_refused_at_once() {
    let world = World::new();
    let ask = async || {
        let request = Request::get("/api/v1/query?query=1")
            .header(header::AUTHORIZATION, bearer(&world.bobs));
        world
            .send(request.body(Body::empty()).unwrap())
            .await
            .status
    };
    assert_eq!(ask().await, StatusCode::OK);
    let tokens = world.get("/api-tokens").await.json();
    let bobs = tokens
        .as_array()
        .or(tokens["items"].as_array())
        .unwrap()
        .iter();
    let id = bobs
        .filter(|token| token["user_id"] == world.bob.to_string())
        .find_map(|token| token["id"].as_str())
        .unwrap_or_else(|| panic!("{tokens}"))
        .to_owned();
    let revoked = world
        .call("DELETE", &format!("/api-tokens/{id}"), &world.admin, None)
        .await;
    assert_eq!(revoked.status, StatusCode::NO_CONTENT, "{}", revoked.text());
    assert_eq!(ask().await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn without_authentication_this_machine_may_read_and_write_and_nobody_else() {
    let world = World::with(|settings| settings.insecure_no_auth = true);
    let good = block(&request(&[(1, 0.5)]));
    let write = async |name: &'static str, value: &'static str| {
        let request = to("/api/v1/write").header(name, value);
        let request = request.body(Body::from(good.clone())).unwrap();
        world.send(request).await.status
    };
    assert_eq!(
        write("host", "127.0.0.1:8700").await,
        StatusCode::NO_CONTENT
    );
    assert_eq!(
        write("host", "evil.example").await,
        StatusCode::UNAUTHORIZED
    );
    for name in ["origin", "x-forwarded-for", "forwarded"] {
        let request = to("/api/v1/write")
            .header("host", "127.0.0.1:8700")
            .header(name, "http://127.0.0.1:8700");
        let request = request.body(Body::from(good.clone())).unwrap();
        assert_eq!(
            world.send(request).await.status,
            StatusCode::UNAUTHORIZED,
            "{name}"
        );
    }
    // HTTP/2 has no Host header: the address of the request names the host.
    for (address, status) in [
        ("http://localhost:8700", StatusCode::NO_CONTENT),
        ("http://evil.example", StatusCode::UNAUTHORIZED),
    ] {
        let request = to(&format!("{address}/api/v1/write"));
        let request = request.body(Body::from(good.clone())).unwrap();
        assert_eq!(world.send(request).await.status, status, "{address}");
    }
    let form = Request::post("/api/v1/query")
        .header("host", "localhost")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    let answer = world.send(form.body(Body::from("query=1")).unwrap()).await;
    assert_eq!(answer.status, StatusCode::OK);
    let native = Request::post("/api/tocsin/v1/incidents").header("host", "localhost");
    let answer = world.send(native.body(Body::from("{}")).unwrap()).await;
    assert_eq!(
        answer.status,
        StatusCode::UNAUTHORIZED,
        "actions stay closed"
    );
}

#[tokio::test]
async fn a_key_of_datadogs_is_not_mistaken_for_a_question_of_prometheus() {
    let world = World::new();
    for path in ["/api/v1/query?query=1", "/api/v1/series?api_key=x"] {
        let request = Request::get(path).header("dd-api-key", "0123456789abcdef");
        let answer = world.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
        assert!(answer.text().contains("Datadog"), "{}", answer.text());
    }
}

#[tokio::test]
async fn a_query_whose_client_has_gone_is_given_up() {
    let world = World::new();
    let ask = || {
        let request = Request::get("/api/v1/query?query=up")
            .header(header::AUTHORIZATION, bearer(&world.viewer));
        world.send(request.body(Body::empty()).unwrap())
    };
    let samples = &world.samples;
    let reads = || samples.selects.load(Ordering::SeqCst);
    let hanging = samples.hang();
    let begun = async {
        while reads() < 4 {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        biased;
        () = begun => {}
        _ = async { tokio::join!(ask(), ask(), ask(), ask(), ask()) } => {}
    }
    // Four were under way and one waited: all have lost their client, so the fifth never reads.
    drop(hanging);
    let answer = ask().await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(reads(), 5);
}

#[tokio::test]
async fn senders_that_tell_much_and_send_it_slowly_keep_nobody_waiting() {
    let world = Arc::new(World::new());
    let mut slow = Vec::new();
    for _ in 0..2 {
        let (begun, begins) = tokio::sync::oneshot::channel();
        let first = stream::once(async {
            begun.send(()).unwrap();
            Ok::<_, std::io::Error>(vec![0_u8])
        });
        let request = to("/api/v1/write")
            .header(header::AUTHORIZATION, bearer(&world.responder))
            .header(header::CONTENT_LENGTH, 32 * 1024 * 1024);
        let body = Body::from_stream(first.chain(stream::pending()));
        let (request, world) = (request.body(body).unwrap(), Arc::clone(&world));
        slow.push(tokio::spawn(
            async move { world.send(request).await.status },
        ));
        begins.await.unwrap();
    }
    let answer = send(&world, block(&request(&[(1, 0.5)]))).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT, "{}", answer.text());
    slow.into_iter().for_each(|sender| sender.abort());
}
