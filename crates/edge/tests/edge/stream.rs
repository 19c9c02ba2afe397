//! The live stream: what is committed arrives, and who comes back misses nothing.

use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use axum::extract::ConnectInfo;
use axum::http::{Request, StatusCode, header};
use futures_util::StreamExt;
use serde_json::Value;
use tower::ServiceExt;

use crate::world::{BASE, World};

/// A reader of the stream.
struct Listener {
    pieces: BodyDataStream,
    text: String,
}

#[derive(Debug)]
struct Told {
    id: u64,
    event: String,
    data: Value,
}

impl Listener {
    async fn open(world: &World, resume: Option<u64>) -> Self {
        let mut request = Request::get(format!("{BASE}/stream"))
            .header(header::AUTHORIZATION, format!("Bearer {}", world.viewer));
        if let Some(position) = resume {
            request = request.header("last-event-id", position);
        }
        let mut request = request.body(Body::empty()).unwrap();
        let peer: std::net::SocketAddr = "127.0.0.1:5555".parse().unwrap();
        request.extensions_mut().insert(ConnectInfo(peer));
        let response = world.router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(
            response.headers()[header::CONTENT_TYPE],
            "text/event-stream"
        );
        assert!(!response.headers().contains_key(header::CONTENT_ENCODING));
        Self {
            pieces: response.into_body().into_data_stream(),
            text: String::new(),
        }
    }

    async fn next(&mut self) -> Told {
        let read = async {
            loop {
                if let Some((event, rest)) = self.text.split_once("\n\n") {
                    let event = event.to_owned();
                    self.text = rest.to_owned();
                    let field = |name: &str| {
                        event
                            .lines()
                            .find_map(|line| line.strip_prefix(&format!("{name}: ")))
                            .map(str::to_owned)
                    };
                    if let Some(id) = field("id") {
                        let data = serde_json::from_str(&field("data").unwrap()).unwrap();
                        return Told {
                            id: id.parse().unwrap(),
                            event: field("event").unwrap(),
                            data,
                        };
                    }
                    continue;
                }
                let piece = self.pieces.next().await.expect("the stream ended").unwrap();
                self.text.push_str(std::str::from_utf8(&piece).unwrap());
            }
        };
        tokio::time::timeout(Duration::from_secs(30), read)
            .await
            .expect("nothing was told")
    }
}

#[tokio::test]
async fn what_is_committed_is_told() {
    let world = World::new();
    let mut listener = Listener::open(&world, None).await;
    let hello = listener.next().await;
    assert_eq!(
        (hello.event.as_str(), hello.data["position"].as_u64()),
        ("hello", Some(hello.id))
    );
    let incident = world.raise("web").await;
    let opened = listener.next().await;
    assert_eq!(opened.id, hello.id + 1);
    assert_eq!(
        (opened.event.as_str(), opened.data["kind"].as_str()),
        ("change", Some("incident.opened"))
    );
    assert_eq!(opened.data["incident_id"], incident.as_str());
}

#[tokio::test]
async fn who_comes_back_is_told_what_was_missed_once() {
    let world = World::new();
    let mut listener = Listener::open(&world, None).await;
    let seen = listener.next().await.id;
    drop(listener);
    world.raise("web").await;
    let now = world.engine.read(|state| state.position);
    let mut back = Listener::open(&world, Some(seen)).await;
    assert_eq!(back.next().await.id, seen, "hello resumes where it was");
    for expected in seen + 1..=now {
        assert_eq!(back.next().await.id, expected);
    }
    world.raise("db").await;
    assert_eq!(back.next().await.id, now + 1);
}

#[tokio::test]
async fn who_missed_too_much_or_comes_from_elsewhere_reads_everything_anew() {
    let world = World::with(|settings| settings.events_per_minute = 10_000);
    for n in 0..1_200 {
        world.raise(&format!("k{n}")).await;
    }
    let now = world.engine.read(|state| state.position);
    for resume in [1, now + 1_000_000] {
        let mut listener = Listener::open(&world, Some(resume)).await;
        listener.next().await;
        let next = listener.next().await;
        assert_eq!((next.data["kind"].as_str(), next.id), (Some("resync"), now));
    }
}

#[tokio::test]
async fn a_reader_without_credentials_hears_nothing() {
    let world = World::new();
    let request = Request::get(format!("{BASE}/stream"))
        .body(Body::empty())
        .unwrap();
    assert_eq!(world.send(request).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn one_person_cannot_take_everybodys_streams() {
    let world = World::new();
    let mut open = Vec::new();
    for _ in 0..16 {
        open.push(Listener::open(&world, None).await);
    }
    let answer = world.call("GET", "/stream", &world.viewer, None).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    let request = Request::get(format!("{BASE}/stream"))
        .header(header::AUTHORIZATION, format!("Bearer {}", world.bobs));
    let request = request.body(Body::empty()).unwrap();
    let response = world.router.clone().oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
}
