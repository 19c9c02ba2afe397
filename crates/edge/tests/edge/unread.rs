//! Requests whose bodies nobody reads: whoever sends one learns whether the connection stays.

use std::convert::Infallible;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode, Version, header};
use futures_util::{StreamExt, stream};
use tocsin_edge::tls::Tls;

use crate::world::{Answered, BASE, World};

/// Bytes of each piece of a body.
const PIECE_BYTES: usize = 10_000;

/// A body of so many pieces, and how many of them were read.
fn body(pieces: usize) -> (Body, Arc<AtomicUsize>) {
    let read = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&read);
    let pieces = stream::iter(0..pieces).map(move |_| {
        counter.fetch_add(1, Ordering::SeqCst);
        Ok::<_, Infallible>(vec![b' '; PIECE_BYTES])
    });
    (Body::from_stream(pieces), read)
}

fn says_close(answer: &Answered) -> bool {
    let said = answer.headers.get(header::CONNECTION);
    said.is_some_and(|said| said == "close")
}

/// What is refused before its body is read.
const REFUSED: [(&str, &str, StatusCode); 3] = [
    ("POST", "/nowhere", StatusCode::NOT_FOUND),
    ("DELETE", "/healthz", StatusCode::METHOD_NOT_ALLOWED),
    ("POST", "/incidents", StatusCode::UNAUTHORIZED),
];

fn refused(method: &str, path: &str) -> axum::http::request::Builder {
    let path = match path {
        "/incidents" => format!("{BASE}{path}"),
        _ => path.to_owned(),
    };
    Request::builder().method(method).uri(path)
}

#[tokio::test]
async fn a_small_body_that_is_refused_is_read_to_its_end_and_the_connection_stays() {
    let world = World::new();
    for (method, path, status) in REFUSED {
        let (body, read) = body(3);
        let answer = world.send(refused(method, path).body(body).unwrap()).await;
        assert_eq!(answer.status, status);
        assert!(!says_close(&answer), "{path}");
        assert_eq!(read.load(Ordering::SeqCst), 3, "{path}");
    }
}

#[tokio::test]
async fn a_refusal_of_a_large_body_says_that_the_connection_ends() {
    let world = World::new();
    for (method, path, status) in REFUSED {
        let (body, read) = body(1_000);
        let answer = world.send(refused(method, path).body(body).unwrap()).await;
        assert_eq!(answer.status, status);
        assert!(says_close(&answer), "{path}");
        assert!(read.load(Ordering::SeqCst) < 10, "{path}");
    }
    let request = Request::post(format!("{BASE}/alerts"))
        .header(header::CONTENT_LENGTH, 10_000_000_u64)
        .header(header::AUTHORIZATION, format!("Bearer {}", world.admin))
        .header(header::CONTENT_TYPE, "application/json");
    let answer = world.send(request.body(body(1_000).0).unwrap()).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(says_close(&answer));
}

#[tokio::test]
async fn a_body_that_waits_to_be_asked_for_is_not_asked_for_in_vain() {
    let world = World::new();
    let (body, read) = body(1);
    let request = refused("POST", "/nowhere").header(header::EXPECT, "100-continue");
    let answer = world.send(request.body(body).unwrap()).await;
    assert!(says_close(&answer));
    assert_eq!(read.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn among_frames_a_small_body_that_is_refused_is_read_to_its_end_too() {
    let world = World::new();
    for (method, path, status) in REFUSED {
        let request = refused(method, path).version(Version::HTTP_2);
        let (body, read) = body(3);
        let answer = world.send(request.body(body).unwrap()).await;
        assert_eq!(answer.status, status);
        // Else the stream is reset behind the answer, and old clients drop that.
        assert_eq!(read.load(Ordering::SeqCst), 3, "{path}");
    }
}

#[tokio::test]
async fn among_frames_little_is_read_of_a_large_body_and_no_connection_ends_for_it() {
    let world = World::new();
    let request = refused("POST", "/nowhere").version(Version::HTTP_2);
    let (body, read) = body(1_000);
    let answer = world.send(request.body(body).unwrap()).await;
    assert!(!answer.headers.contains_key(header::CONNECTION));
    assert!(read.load(Ordering::SeqCst) < 10);
}

/// All that a server answers to these bytes, which come over one connection.
async fn answered(parts: &'static [&'static str]) -> String {
    let world = World::new();
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
        let mut connection = TcpStream::connect(address).unwrap();
        connection
            .set_read_timeout(Some(Duration::from_secs(30)))
            .unwrap();
        for part in parts {
            connection.write_all(part.as_bytes()).unwrap();
        }
        let mut answers = String::new();
        connection.read_to_string(&mut answers).unwrap();
        answers
    });
    let asking = async {
        let answers = asked.await.unwrap();
        stop.send(()).unwrap();
        answers
    };
    let (served, answers) = tokio::join!(serving, asking);
    served.unwrap();
    answers
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_behind_one_that_was_refused_is_answered() {
    let answers = answered(&[
        "POST /nowhere HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n4\r\nfour\r\n",
        "0\r\n\r\nGET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
    ])
    .await;
    assert!(answers.starts_with("HTTP/1.1 404"), "{answers}");
    assert!(answers.contains("HTTP/1.1 200"), "{answers}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_does_not_say_once_to_which_host_it_is_is_refused() {
    for (request, status) in [
        (
            &["GET /healthz HTTP/1.1\r\nconnection: close\r\n\r\n"],
            "400",
        ),
        (
            &["GET /healthz HTTP/1.1\r\nhost: x\r\nhost: y\r\nconnection: close\r\n\r\n"],
            "400",
        ),
        (&["GET /healthz HTTP/1.0\r\n\r\n"], "200"),
    ] {
        let answer = answered(request).await;
        let line = answer.lines().next().unwrap_or_default();
        assert!(line.contains(status), "{request:?}: {answer}");
    }
}
