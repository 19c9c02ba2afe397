//! The provider of all pages: takes them over kept-alive connections, writes down when each came and what it was about, and
//! answers as it was told to.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::line::read_sized;
use crate::http::read_head;

const BODY_BYTES_MAX: usize = 1024 * 1024;

/// One message as it came.
#[derive(Clone, Debug)]
pub(crate) struct Arrival {
    pub(crate) at: Instant,
    /// The message's idempotency key.
    pub(crate) id: String,
    /// The path it was sent to, which names the person.
    pub(crate) path: String,
    /// `page`, `resolved` and so on.
    pub(crate) kind: String,
    /// Its incident's id; empty for a test.
    pub(crate) incident: String,
    /// What fails, as it is told.
    pub(crate) title: String,
    pub(crate) code: Option<String>,
}

impl Arrival {
    pub(crate) fn is_page_of(&self, incident: &str) -> bool {
        self.kind == "page" && self.incident == incident
    }

    /// Whether it is titled so; what it tells of other incidents stands after that.
    pub(crate) fn tells(&self, title: &str) -> bool {
        let rest = self.title.strip_prefix(title);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(" ("))
    }
}

/// How messages are answered.
#[derive(Clone, Debug, Default)]
pub(crate) enum Manner {
    /// Taken at once.
    #[default]
    Take,
    /// Taken after a while.
    Late(Duration),
    /// Read, and never answered.
    Hang,
    /// These very bytes, and then the connection ends.
    Say(String),
}

#[derive(Default)]
struct Shared {
    arrivals: Mutex<Vec<Arrival>>,
    more: Condvar,
    /// What is not told apart by its path is taken at once.
    manners: Mutex<BTreeMap<String, Manner>>,
}

/// Everything that arrived so far, in order.
#[derive(Clone, Default)]
pub(crate) struct Sink(Arc<Shared>);

impl Sink {
    /// Listens on a free loopback port until the process ends.
    pub(crate) fn start() -> io::Result<(Self, SocketAddr)> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let address = listener.local_addr()?;
        let sink = Self::default();
        let filled = sink.clone();
        thread::Builder::new().name("sink".into()).spawn(move || {
            for stream in listener.incoming().flatten() {
                let filled = filled.clone();
                let read = move || {
                    // A sender that goes away is its own affair.
                    let _ = filled.take_in(stream);
                };
                // Without a thread the sender sees a connection that ends, and tries again.
                let _ = thread::Builder::new().stack_size(256 * 1024).spawn(read);
            }
        })?;
        Ok((sink, address))
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arrival>> {
        self.0
            .arrivals
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on what is sent to this path is answered so.
    pub(crate) fn behave(&self, path: &str, manner: Manner) {
        self.manners().insert(path.to_owned(), manner);
    }

    fn manners(&self) -> MutexGuard<'_, BTreeMap<String, Manner>> {
        self.0
            .manners
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn take_in(&self, stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let mut reader = BufReader::with_capacity(16 * 1024, stream);
        loop {
            if reader.fill_buf()?.is_empty() {
                return Ok(());
            }
            let (first, headers) = read_head(&mut reader)?;
            let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
            let body = read_sized(&mut reader, &headers, BODY_BYTES_MAX)?;
            let at = Instant::now();
            let body: Value = serde_json::from_slice(&body)?;
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let manner = self.manners().get(&path).cloned().unwrap_or_default();
            self.lock().push(Arrival {
                at,
                id: text(&body["id"]),
                path,
                kind: text(&body["kind"]),
                incident: text(&body["incident"]["id"]),
                title: text(&body["title"]),
                code: body["verification_code"].as_str().map(str::to_owned),
            });
            self.0.more.notify_all();
            match manner {
                Manner::Take => {}
                Manner::Late(wait) => thread::sleep(wait),
                Manner::Hang => {
                    // Until the sender gives up: then there is nothing more to read.
                    reader.fill_buf()?;
                    return Ok(());
                }
                Manner::Say(words) => return reader.get_mut().write_all(words.as_bytes()),
            }
            reader
                .get_mut()
                .write_all(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")?;
        }
    }

    /// How many have arrived.
    pub(crate) fn len(&self) -> usize {
        self.lock().len()
    }

    /// Whether a page about this incident has arrived.
    pub(crate) fn has_page(&self, incident: &str) -> bool {
        let arrivals = self.lock();
        arrivals.iter().any(|one| one.is_page_of(incident))
    }

    /// What arrived after the first `seen`.
    pub(crate) fn after(&self, seen: usize) -> Vec<Arrival> {
        self.lock().get(seen..).unwrap_or_default().to_vec()
    }

    /// The first arrival after `seen` that is wanted; none when the time is over.
    pub(crate) fn wait(
        &self,
        seen: usize,
        limit: Duration,
        wanted: impl Fn(&Arrival) -> bool,
    ) -> Option<Arrival> {
        let deadline = Instant::now() + limit;
        let mut arrivals = self.lock();
        let mut looked = seen;
        loop {
            let fresh = arrivals.get(looked..).unwrap_or_default();
            if let Some(found) = fresh.iter().find(|arrival| wanted(arrival)) {
                return Some(found.clone());
            }
            looked = looked.max(arrivals.len());
            let left = deadline.checked_duration_since(Instant::now())?;
            let woken = self.0.more.wait_timeout(arrivals, left);
            arrivals = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}
