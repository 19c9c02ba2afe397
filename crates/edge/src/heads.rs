//! Over which connections the head of a request is awaited: whoever answers requests tells it here to whoever reads bytes. It knows
//! neither bytes nor routes.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use axum::extract::{ConnectInfo, Request, State};
use axum::http::Version;
use axum::middleware::Next;
use axum::response::Response;

use crate::lock::lock;

/// The requests of one connection. All of it is told and asked by the task of the connection.
#[derive(Default)]
pub(crate) struct Requests {
    /// Whose head has come.
    begun: AtomicU64,
    answered: AtomicU64,
    /// Whether many come at once, in frames: what comes may then belong to anything.
    are_framed: AtomicBool,
}

impl Requests {
    /// The number of the request whose head must be what comes next, if anything comes. The first has a deadline of its own.
    pub(crate) fn awaited(&self) -> Option<u64> {
        let begun = self.begun.load(Ordering::Relaxed);
        let are_answered = begun == self.answered.load(Ordering::Relaxed);
        let are_framed = self.are_framed.load(Ordering::Relaxed);
        (begun > 0 && are_answered && !are_framed).then_some(begun)
    }

    /// The head of one has come. It is answered when the result is dropped.
    pub(crate) fn begin(self: Arc<Self>, version: Version) -> Answering {
        if version == Version::HTTP_2 {
            self.are_framed.store(true, Ordering::Relaxed);
        }
        self.begun.fetch_add(1, Ordering::Relaxed);
        Answering(self)
    }
}

/// A request that is being answered.
pub(crate) struct Answering(Arc<Requests>);

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.answered.fetch_add(1, Ordering::Relaxed);
    }
}

/// All connections, by who is at their other end; cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Connections(Arc<Mutex<BTreeMap<SocketAddr, Arc<Requests>>>>);

impl Connections {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<SocketAddr, Arc<Requests>>> {
        lock(&self.0)
    }

    /// One more.
    pub(crate) fn open(&self, peer: Option<SocketAddr>) -> Connection {
        let requests = Arc::<Requests>::default();
        if let Some(peer) = peer {
            self.lock().insert(peer, Arc::clone(&requests));
        }
        Connection {
            requests,
            peer,
            all: self.clone(),
        }
    }
}

/// A connection, which is forgotten when this is dropped.
pub(crate) struct Connection {
    pub(crate) requests: Arc<Requests>,
    /// None when nobody knows it: then no head is awaited.
    peer: Option<SocketAddr>,
    all: Connections,
}

impl Drop for Connection {
    fn drop(&mut self) {
        let Some(peer) = self.peer else {
            return;
        };
        let mut all = self.all.lock();
        // Another one from the same port may be open by now.
        let known = all.get(&peer);
        if known.is_some_and(|known| Arc::ptr_eq(known, &self.requests)) {
            all.remove(&peer);
        }
    }
}

/// Tells a connection of each of its requests.
pub(crate) async fn note(
    State(all): State<Connections>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
    next: Next,
) -> Response {
    let requests = all.lock().get(&peer).cloned();
    let _answering = requests.map(|requests| requests.begin(request.version()));
    next.run(request).await
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::Body;
    use axum::http::{self, StatusCode};
    use axum::middleware::from_fn_with_state;
    use axum::routing::get;
    use tower::ServiceExt;

    use super::*;

    #[tokio::test]
    async fn a_head_is_awaited_between_requests_but_not_among_frames() {
        let peer: SocketAddr = "192.0.2.1:5555".parse().unwrap();
        let all = Connections::default();
        let connection = all.open(Some(peer));
        let requests = Arc::clone(&connection.requests);
        let inside = Arc::clone(&requests);
        let handler = move || {
            let awaited = inside.awaited();
            async move { assert_eq!(awaited, None, "it is being answered") }
        };
        let router = Router::new()
            .route("/", get(handler))
            .layer(from_fn_with_state(all.clone(), note));
        let ask = async |version: Version| {
            let request = http::Request::get("/").version(version);
            let request = request.extension(ConnectInfo(peer));
            let request = request.body(Body::empty()).unwrap();
            let answer = router.clone().oneshot(request).await.unwrap();
            assert_eq!(answer.status(), StatusCode::OK);
        };
        assert_eq!(requests.awaited(), None, "the first has its own deadline");
        for number in 1..=2 {
            ask(Version::HTTP_11).await;
            assert_eq!(requests.awaited(), Some(number));
        }
        ask(Version::HTTP_2).await;
        assert_eq!(requests.awaited(), None);
        drop(connection);
        assert!(all.lock().is_empty());
    }

    #[test]
    fn a_connection_that_ends_late_forgets_none_that_came_after_it() {
        let peer: SocketAddr = "192.0.2.1:5555".parse().unwrap();
        let all = Connections::default();
        let (before, after) = (all.open(Some(peer)), all.open(Some(peer)));
        drop(before);
        assert_eq!(all.lock().len(), 1);
        drop(after);
        assert!(all.lock().is_empty());
    }
}
