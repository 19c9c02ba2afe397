//! The live stream: what was committed, to every browser, resumed from the journal. A reader that is too slow is sent away to
//! resume; nothing waits for it.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, Method};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, mpsc};
use tokio::time::Instant;
use tokio_stream::wrappers::ReceiverStream;

use super::problem::Problem;
use super::share::Share;
use crate::access::authenticate::caller_of;
use crate::access::who::{Caller, Peer};
use crate::app::App;
use crate::feed::Change;

/// A comment is sent this often, and the right to listen is looked at again.
const KEEPALIVE: Duration = Duration::from_secs(15);
/// Readers at most.
const READERS_MAX: usize = 512;
/// Of those, readers that one person, or one token of nobody, has at most.
pub(crate) const READERS_OF_ONE: usize = 16;
/// Changes read from the journal for one reader that resumes; one that has missed more is told to read everything anew.
const MISSED_MAX: usize = 1_000;
/// Changes that may wait for one reader's socket.
const WAITING_MAX: usize = 64;
/// A reader that takes nothing for so long is gone.
const SEND_WAIT: Duration = Duration::from_secs(30);

/// The first event of a stream.
#[derive(Serialize)]
struct Hello {
    position: u64,
}

struct Reader {
    app: App,
    headers: HeaderMap,
    peer: Option<SocketAddr>,
    sender: mpsc::Sender<Result<Event, Infallible>>,
    last: u64,
    /// When the right to listen is looked at next.
    look_at: Instant,
    _share: Share,
}

/// Nothing more can be sent.
struct Gone;

/// What happens, as it happens
///
/// Server-sent events: `hello` first, then `change` for each event; `id` is the journal position, and `Last-Event-ID`
/// resumes there. A change of the kind `resync` says that changes were left out.
#[utoipa::path(get, path = "/api/tocsin/v1/stream", tag = "stream",
    responses((status = 200, content_type = "text/event-stream", body = Change), (status = 429)))]
pub(crate) async fn stream(
    State(app): State<App>,
    caller: Caller,
    Peer(peer): Peer,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if app.feed.readers() >= READERS_MAX {
        return Err(Problem::too_many("too many streams are open", 10));
    }
    let holder = format!("{:?}", caller.actor);
    let share = app.inner().streams.take(holder);
    let share = share.ok_or_else(|| {
        Problem::too_many(
            "you have too many streams open: close some windows of Tocsin",
            10,
        )
    })?;
    let resume = headers
        .get("last-event-id")
        .and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    // Subscribed before the journal is read, so that nothing falls between the two.
    let changes = app.feed.subscribe();
    let (sender, receiver) = mpsc::channel(WAITING_MAX);
    let last = app.read(|state| state.position);
    let reader = Reader {
        app,
        headers,
        peer,
        sender,
        last,
        look_at: Instant::now() + KEEPALIVE,
        _share: share,
    };
    tokio::spawn(async move {
        // The reader has gone away or is sent away; both end its stream, and it comes back if it wants to.
        let _ = reader.run(resume, changes).await;
    });
    let mut response = Sse::new(ReceiverStream::new(receiver)).into_response();
    response.headers_mut().insert(
        "x-accel-buffering",
        axum::http::HeaderValue::from_static("no"),
    );
    Ok(response)
}

impl Reader {
    async fn run(
        mut self,
        resume: Option<u64>,
        mut changes: broadcast::Receiver<Change>,
    ) -> Result<(), Gone> {
        let now = self.last;
        // A position from the future is one of another journal: everything is read anew.
        let from = resume.filter(|from| *from <= now);
        self.last = from.unwrap_or(now);
        self.hello().await?;
        if resume.is_some() && from.is_none() {
            self.resync(now).await?;
        } else if self.last < now {
            self.catch_up(now).await?;
        }
        loop {
            // By the clock, since a busy stream is never silent.
            if Instant::now() >= self.look_at {
                self.keep_alive().await?;
            }
            match tokio::time::timeout_at(self.look_at, changes.recv()).await {
                Err(_) => {}
                Ok(Ok(change)) if change.position <= self.last => {}
                Ok(Ok(change)) => self.tell(&change).await?,
                Ok(Err(RecvError::Lagged(_) | RecvError::Closed)) => return Err(Gone),
            }
        }
    }

    async fn hello(&self) -> Result<(), Gone> {
        let data = serde_json::to_string(&Hello {
            position: self.last,
        })
        .map_err(|_| Gone)?;
        self.send(
            Event::default()
                .id(self.last.to_string())
                .event("hello")
                .data(data),
        )
        .await
    }

    async fn catch_up(&mut self, now: u64) -> Result<(), Gone> {
        let from = self.last;
        let missed = self
            .app
            .blocking(move |parts| parts.events.after(from, MISSED_MAX + 1))
            .await
            .map_err(|_| Gone)?;
        if missed.len() > MISSED_MAX {
            return self.resync(now).await;
        }
        for event in &missed {
            self.tell(&Change::of(event)).await?;
        }
        Ok(())
    }

    async fn resync(&mut self, position: u64) -> Result<(), Gone> {
        self.tell(&Change {
            position,
            kind: "resync".to_owned(),
            incident_id: None,
            target_id: None,
        })
        .await
    }

    async fn tell(&mut self, change: &Change) -> Result<(), Gone> {
        self.last = change.position;
        let data = serde_json::to_string(change).map_err(|_| Gone)?;
        self.send(
            Event::default()
                .id(change.position.to_string())
                .event("change")
                .data(data),
        )
        .await
    }

    async fn keep_alive(&mut self) -> Result<(), Gone> {
        let allowed = caller_of(&self.app, &self.headers, &Method::GET, self.peer).await;
        if allowed.is_err_and(|problem| problem.status() == axum::http::StatusCode::UNAUTHORIZED) {
            return Err(Gone);
        }
        self.look_at = Instant::now() + KEEPALIVE;
        self.send(Event::default().comment("keepalive")).await
    }

    async fn send(&self, event: Event) -> Result<(), Gone> {
        match tokio::time::timeout(SEND_WAIT, self.sender.send(Ok(event))).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Gone),
        }
    }
}
