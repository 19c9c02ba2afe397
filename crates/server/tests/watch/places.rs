//! A webhook that keeps what came, and a peer that answers what a test says.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How long something may take on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A message as it came.
#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) kind: String,
    pub(crate) code: String,
    pub(crate) body: String,
}

/// A webhook.
pub(crate) struct Webhook {
    pub(crate) address: SocketAddr,
    came: Receiver<Message>,
}

impl Webhook {
    pub(crate) fn start() -> Self {
        Self::start_refusing(0)
    }

    /// Refuses the first ones.
    pub(crate) fn start_refusing(first: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, came) = channel();
        std::thread::spawn(move || {
            for (index, connection) in listener.incoming().enumerate() {
                let mut connection = connection.unwrap();
                let Some((_, body)) = request(&connection) else {
                    continue;
                };
                let status = if index < first { "503 no" } else { "200 OK" };
                answer(&mut connection, status, "");
                let json: serde_json::Value = serde_json::from_str(&body).unwrap();
                let text = |key: &str| json[key].as_str().unwrap_or_default().to_owned();
                let message = Message {
                    id: text("id"),
                    title: text("title"),
                    kind: text("kind"),
                    code: text("verification_code"),
                    body,
                };
                // The test may have ended.
                let _ = sender.send(message);
            }
        });
        Self { address, came }
    }

    pub(crate) fn next(&self) -> Message {
        self.came.recv_timeout(PATIENCE).unwrap()
    }

    /// Nothing more is there.
    pub(crate) fn is_silent(&self) -> bool {
        self.came.try_recv().is_err()
    }
}

/// A peer.
pub(crate) struct Peer {
    address: SocketAddr,
    says: Arc<Mutex<(u16, String)>>,
}

impl Peer {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let says = Arc::new(Mutex::new((200, String::new())));
        let there = Arc::clone(&says);
        std::thread::spawn(move || {
            for connection in listener.incoming() {
                let mut connection = connection.unwrap();
                if let Some((head, _)) = request(&connection) {
                    assert!(head.starts_with("GET /readyz "), "{head}");
                    let (status, body) = there.lock().unwrap().clone();
                    answer(&mut connection, &format!("{status} so"), &body);
                }
            }
        });
        Self { address, says }
    }

    pub(crate) fn says(&self, status: u16, body: &str) {
        *self.says.lock().unwrap() = (status, body.to_owned());
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

fn answer(connection: &mut TcpStream, status: &str, body: &str) {
    let length = body.len();
    let text =
        format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}");
    // Whoever asked may be gone.
    let _ = connection.write_all(text.as_bytes());
}

/// The head of a request, and its body.
fn request(connection: &TcpStream) -> Option<(String, String)> {
    let mut reader = BufReader::new(connection);
    let mut head = String::new();
    loop {
        let mut line = String::new();
        let count = reader.read_line(&mut line).ok()?;
        if count == 0 {
            return None;
        }
        if line == "\r\n" {
            break;
        }
        head.push_str(&line);
    }
    let lower = head.to_lowercase();
    let length = lower
        .split("content-length: ")
        .nth(1)
        .and_then(|rest| rest.split('\r').next()?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    Some((head, String::from_utf8(body).ok()?))
}
