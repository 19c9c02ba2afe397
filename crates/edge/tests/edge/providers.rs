//! A fake provider on loopback: it answers each request as a script says, may hang, and remembers what it was sent.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

/// A request that has not come by then never will.
const WAIT: Duration = Duration::from_secs(30);

/// What an ntfy server answers to what it published.
pub(crate) const NTFY_OK: &str =
    r#"{"id":"hwQ2YpKdmg","time":1635528741,"event":"message","topic":"topic"}"#;

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> String {
        let wanted = format!("{}: ", name.to_lowercase());
        let line = self
            .head
            .lines()
            .find(|line| line.to_lowercase().starts_with(&wanted));
        line.unwrap_or_else(|| panic!("{name} in {}", self.head))[wanted.len()..].to_owned()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The first field of that name in a form.
    pub(crate) fn field(&self, name: &str) -> Option<String> {
        form_urlencoded::parse(&self.body)
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.into_owned())
    }
}

/// What is answered.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// A status, further headers and a body.
    Answer(u16, &'static str, String),
    /// A status at once, and its body when the test says so.
    Held(u16, Gate, String),
    /// A status, and a body that breaks off.
    Broken(u16, String),
    /// Nothing, for as long as the client waits.
    Hang,
}

impl Reply {
    pub(crate) fn json(status: u16, body: &str) -> Self {
        Self::Answer(status, "", body.to_owned())
    }
}

/// Where the bodies of answers, or whoever keeps something, are held until a test opens it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gate(Arc<(Mutex<Passing>, Condvar)>);

#[derive(Debug, Default)]
struct Passing {
    has_come: bool,
    is_open: bool,
}

impl Gate {
    /// Waits until a body is held.
    pub(crate) fn reached(&self) {
        let (passing, changed) = &*self.0;
        let is_missing = |passing: &mut Passing| !passing.has_come;
        let waited = changed.wait_timeout_while(passing.lock().unwrap(), WAIT, is_missing);
        assert!(waited.unwrap().0.has_come, "no answer was begun");
    }

    pub(crate) fn open(&self) {
        self.0.0.lock().unwrap().is_open = true;
        self.0.1.notify_all();
    }

    /// Waits until it is open.
    pub(crate) fn pass(&self) {
        let (passing, changed) = &*self.0;
        let mut passing = passing.lock().unwrap();
        passing.has_come = true;
        changed.notify_all();
        drop(changed.wait_while(passing, |passing| !passing.is_open));
    }
}

/// A provider that runs until the test ends.
pub(crate) struct Provider {
    pub(crate) address: SocketAddr,
    requests: Receiver<Request>,
}

impl Provider {
    /// One whose answers `script` decides.
    pub(crate) fn start(script: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, requests) = channel();
        let script = Arc::new(script);
        std::thread::spawn(move || {
            for connection in listener.incoming() {
                let (connection, sender) = (connection.unwrap(), sender.clone());
                let script = Arc::clone(&script);
                std::thread::spawn(move || {
                    let Some(request) = receive(&connection) else {
                        return;
                    };
                    let reply = script(&request);
                    // The test may have ended.
                    let _ = sender.send(request);
                    answer(connection, reply);
                });
            }
        });
        Self { address, requests }
    }

    /// One that always answers the same.
    pub(crate) fn always(reply: Reply) -> Self {
        Self::start(move |_| reply.clone())
    }

    /// The next request, but for polls of Telegram, which come whenever they do.
    pub(crate) fn next(&self) -> Request {
        loop {
            let request = self.requests.recv_timeout(WAIT).expect("a request");
            if !request.path.ends_with("/getUpdates") {
                return request;
            }
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

/// Reads one request; none when the other side has gone.
pub(crate) fn receive(connection: &TcpStream) -> Option<Request> {
    let mut reader = BufReader::new(connection);
    let mut head = String::new();
    loop {
        let mut line = String::new();
        reader
            .read_line(&mut line)
            .ok()
            .filter(|count| *count > 0)?;
        if line == "\r\n" {
            break;
        }
        head.push_str(&line);
    }
    let lower = head.to_lowercase();
    let length = lower.split("content-length: ").nth(1);
    let length = length.and_then(|rest| rest.split('\r').next()?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    let mut first = head.split(' ');
    let (method, path) = (first.next()?.to_owned(), first.next()?.to_owned());
    Some(Request {
        method,
        path,
        head,
        body,
    })
}

fn answer(mut connection: TcpStream, reply: Reply) {
    match reply {
        Reply::Answer(status, headers, body) => {
            let text = format!(
                "HTTP/1.1 {status} X\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            );
            let _ = connection.write_all(text.as_bytes());
        }
        Reply::Held(status, gate, body) => {
            let _ = connection.write_all(head(status, body.len()).as_bytes());
            gate.pass();
            let _ = connection.write_all(body.as_bytes());
        }
        Reply::Broken(status, body) => {
            let text = head(status, body.len() + 1) + &body;
            let _ = connection.write_all(text.as_bytes());
        }
        Reply::Hang => {
            // Held until the client gives up.
            let _ = connection.read(&mut [0]);
        }
    }
}

fn head(status: u16, length: usize) -> String {
    format!("HTTP/1.1 {status} X\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n")
}
