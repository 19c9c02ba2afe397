//! The smallest HTTP client that times every phase against a deadline; it follows nothing and keeps no connection.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use rustls::{ClientConnection, StreamOwned};

use crate::tls;

/// Bytes of a response that are read; the rest is left.
const RESPONSE_BYTES_MAX: usize = 256 * 1_024;

/// What to ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) address: SocketAddr,
    pub(crate) tls: bool,
    /// `Host` header.
    pub(crate) host: String,
    /// Path and query.
    pub(crate) path: String,
    /// The longest until the first byte of the answer, from the start.
    pub(crate) first_byte_ms_max: u64,
    /// The longest for everything, from the start.
    pub(crate) total_ms_max: u64,
}

/// What came back, and when; durations are from the start of the request.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) connect: Duration,
    pub(crate) first_byte: Duration,
    pub(crate) total: Duration,
    pub(crate) body: Vec<u8>,
}

/// Why nothing usable came back.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// Nobody listens.
    #[error("the connection was refused")]
    Refused,
    /// No answer in time; after how long the connection stood, where it did.
    #[error("no answer came in time")]
    TimedOut { connect: Option<Duration> },
    /// The connection broke or another error of the network.
    #[error("the connection failed: {0}")]
    Broken(io::Error),
    /// What came back is not HTTP.
    #[error("the answer is not HTTP")]
    NotHttp,
}

impl Failure {
    fn of(error: io::Error, connect: Option<Duration>) -> Self {
        let is = |kind: io::ErrorKind| error.kind() == kind;
        if is(io::ErrorKind::ConnectionRefused) {
            Self::Refused
        } else if is(io::ErrorKind::TimedOut) || is(io::ErrorKind::WouldBlock) {
            Self::TimedOut { connect }
        } else {
            Self::Broken(error)
        }
    }
}

/// Asks once.
///
/// # Errors
/// See [`Failure`]; an HTTP error status is an answer, not a failure.
pub(crate) fn ask(request: &Request) -> Result<Answer, Failure> {
    let start = Instant::now();
    let first_byte_deadline = start + Duration::from_millis(request.first_byte_ms_max);
    let total_deadline = start + Duration::from_millis(request.total_ms_max);
    let tcp = TcpStream::connect_timeout(&request.address, remaining(first_byte_deadline))
        .map_err(|error| Failure::of(error, None))?;
    let connect = start.elapsed();
    let broken = |error| Failure::of(error, Some(connect));
    let _ = tcp.set_nodelay(true);
    let line = DeadlineStream {
        tcp,
        deadline: first_byte_deadline,
    };
    let text = format!(
        "GET {} HTTP/1.0\r\nHost: {}\r\nUser-Agent: {}\r\nAccept: */*\r\nConnection: close\r\n\r\n",
        request.path,
        request.host,
        crate::USER_AGENT
    );
    let mut stream = if request.tls {
        Stream::Tls(Box::new(
            tls::client(request.address.ip(), line).map_err(broken)?,
        ))
    } else {
        Stream::Plain(line)
    };
    stream.write_all(text.as_bytes()).map_err(broken)?;
    let mut bytes = vec![0; 16 * 1_024];
    let mut filled = stream.read(&mut bytes).map_err(broken)?;
    let first_byte = start.elapsed();
    stream.move_deadline(total_deadline);
    while filled < RESPONSE_BYTES_MAX {
        if filled == bytes.len() {
            bytes.resize(bytes.len() * 2, 0);
        }
        // The status line is what counts: a body that stalls or breaks off does not unsay it.
        match stream.read(&mut bytes[filled..]) {
            Ok(0) | Err(_) => break,
            Ok(more) => filled += more,
        }
    }
    bytes.truncate(filled);
    let (status, body) = split(&bytes).ok_or(Failure::NotHttp)?;
    Ok(Answer {
        status,
        connect,
        first_byte,
        total: start.elapsed(),
        body: body.to_vec(),
    })
}

/// A connection whose every read and write ends at one deadline.
#[derive(Debug)]
pub(crate) struct DeadlineStream {
    tcp: TcpStream,
    deadline: Instant,
}

impl Read for DeadlineStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.tcp.set_read_timeout(Some(remaining(self.deadline)))?;
        self.tcp.read(buffer)
    }
}

impl Write for DeadlineStream {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.tcp.set_write_timeout(Some(remaining(self.deadline)))?;
        self.tcp.write(buffer)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

enum Stream {
    Plain(DeadlineStream),
    Tls(Box<StreamOwned<ClientConnection, DeadlineStream>>),
}

impl Stream {
    fn move_deadline(&mut self, deadline: Instant) {
        match self {
            Self::Plain(line) => line.deadline = deadline,
            Self::Tls(tls) => tls.sock.deadline = deadline,
        }
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Plain(line) => line.write_all(bytes),
            Self::Tls(tls) => tls.write_all(bytes),
        }
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(line) => line.read(buffer),
            Self::Tls(tls) => tls.read(buffer),
        }
    }
}

fn remaining(deadline: Instant) -> Duration {
    // A timeout of zero means none at all to the socket calls.
    deadline
        .saturating_duration_since(Instant::now())
        .max(Duration::from_millis(1))
}

/// Status and body of a response.
fn split(response: &[u8]) -> Option<(u16, &[u8])> {
    let line_end = response.iter().position(|byte| *byte == b'\n')?;
    let line = std::str::from_utf8(&response[..line_end]).ok()?;
    let mut words = line.trim_end().splitn(3, ' ');
    if !words.next()?.starts_with("HTTP/") {
        return None;
    }
    let status = words
        .next()?
        .parse()
        .ok()
        .filter(|status| (100..1_000).contains(status))?;
    let head_end = response
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .map(|end| end + 4);
    Some((
        status,
        head_end
            .and_then(|end| response.get(end..))
            .unwrap_or_default(),
    ))
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    fn request(address: SocketAddr) -> Request {
        Request {
            address,
            tls: false,
            host: "localhost".to_owned(),
            path: "/".to_owned(),
            first_byte_ms_max: 5_000,
            total_ms_max: 10_000,
        }
    }

    #[test]
    fn a_response_is_taken_apart() {
        let check =
            |given: &[u8], expected: Option<(u16, &[u8])>| assert_eq!(split(given), expected);
        check(b"HTTP/1.1 200 OK\r\nA: b\r\n\r\nbody", Some((200, b"body")));
        check(b"HTTP/1.1 503\r\n", Some((503, b"")));
        check(b"HTTP/1.1 20 OK\r\n\r\n", None);
        check(b"SSH-2.0-OpenSSH\r\n", None);
        check(b"", None);
    }

    #[test]
    fn a_closed_port_is_refused_and_a_silent_one_times_out() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let silent = Request {
            first_byte_ms_max: 30,
            ..request(address)
        };
        assert!(matches!(
            ask(&silent),
            Err(Failure::TimedOut { connect: Some(_) })
        ));
        drop(listener);
        assert!(matches!(ask(&request(address)), Err(Failure::Refused)));
    }

    #[test]
    fn an_answer_without_http_is_told_apart() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = std::thread::spawn(move || {
            for answer in [&b"HTTP/1.1 404 No\r\n\r\nx"[..], b"hello\n"] {
                let (mut stream, _) = listener.accept().unwrap();
                let mut request = [0; 1_024];
                let _ = stream.read(&mut request).unwrap();
                stream.write_all(answer).unwrap();
            }
        });
        let answer = ask(&request(address)).unwrap();
        assert_eq!((answer.status, answer.body.as_slice()), (404, &b"x"[..]));
        assert!(answer.connect <= answer.first_byte && answer.first_byte <= answer.total);
        assert!(matches!(ask(&request(address)), Err(Failure::NotHttp)));
        server.join().unwrap();
    }
}
