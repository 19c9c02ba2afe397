//! A small threaded HTTP server on a free loopback port; what is answered is its handler's to say.

use std::io::{self, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use super::{Headers, broken, read_head};

/// Requests that are worked on at once; one more is closed unanswered.
const CONNECTIONS_MAX: usize = 512;
/// The longest body that is taken, in bytes.
const BODY_BYTES_MAX: u64 = 1024 * 1024;

pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: Headers,
    pub(crate) body: Vec<u8>,
}

pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
}

impl Response {
    pub(crate) fn new(status: u16, body: impl Into<String>) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: body.into(),
        }
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// Serves until the process ends, on a thread a connection, and gives back where.
pub(crate) fn serve(
    handler: impl Fn(Request) -> Response + Send + Sync + 'static,
) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let address = listener.local_addr()?;
    let handler = Arc::new(handler);
    let busy = Arc::new(AtomicUsize::new(0));
    thread::Builder::new()
        .name("http accept".into())
        .spawn(move || {
            for stream in listener.incoming().flatten() {
                if busy.fetch_add(1, Ordering::SeqCst) >= CONNECTIONS_MAX {
                    busy.fetch_sub(1, Ordering::SeqCst);
                    continue;
                }
                let (handler, done) = (Arc::clone(&handler), Arc::clone(&busy));
                let work = move || {
                    // A client that goes away in the middle is its own affair.
                    let _ = answer(stream, &*handler);
                    done.fetch_sub(1, Ordering::SeqCst);
                };
                if thread::Builder::new()
                    .stack_size(256 * 1024)
                    .spawn(work)
                    .is_err()
                {
                    busy.fetch_sub(1, Ordering::SeqCst);
                }
            }
        })?;
    Ok(address)
}

fn answer(mut stream: TcpStream, handler: &dyn Fn(Request) -> Response) -> io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    stream.set_write_timeout(Some(Duration::from_secs(10)))?;
    stream.set_nodelay(true)?;
    let response = match read_request(&mut stream) {
        Ok(request) => handler(request),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            Response::new(400, format!("{error}\n"))
        }
        Err(error) => return Err(error),
    };
    let mut head = format!(
        "HTTP/1.1 {} {}\r\nConnection: close\r\n",
        response.status,
        reason(response.status)
    );
    for (name, value) in &response.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!(
        "Content-Length: {}\r\n\r\n{}",
        response.body.len(),
        response.body
    ));
    stream.write_all(head.as_bytes())
}

fn read_request(stream: &mut TcpStream) -> io::Result<Request> {
    let mut reader = BufReader::new(stream);
    let (first, headers) = read_head(&mut reader)?;
    let mut words = first.split(' ').map(str::to_owned);
    let (Some(method), Some(path)) = (words.next(), words.next()) else {
        return Err(broken("a request line without a path"));
    };
    let length = headers
        .get("content-length")
        .map_or(Ok(0), str::parse::<u64>);
    let length = length.map_err(|_| broken("a Content-Length that is no number"))?;
    if length > BODY_BYTES_MAX {
        return Err(broken("a body above 1 MiB"));
    }
    let mut body = vec![0; usize::try_from(length).unwrap_or_default()];
    reader.read_exact(&mut body)?;
    Ok(Request {
        method,
        path,
        headers,
        body,
    })
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        202 => "Accepted",
        400 => "Bad Request",
        401 => "Unauthorized",
        404 => "Not Found",
        500 => "Internal Server Error",
        _ => "Other",
    }
}

#[cfg(test)]
mod tests {
    use super::super::client::{Ask, ask};
    use super::*;

    #[test]
    fn a_request_reaches_its_handler_whole() {
        let address = serve(|request| {
            let body = String::from_utf8(request.body).unwrap();
            let said = format!(
                "{} {} {:?} {body}",
                request.method,
                request.path,
                request.headers.get("x-user")
            );
            Response::new(202, said)
        });
        let headers = [("X-User", "u0001")];
        let question = Ask {
            method: "POST",
            path: "/x?y=1",
            headers: &headers,
            body: b"hello",
            limit: Duration::from_secs(5),
        };
        let answer = ask(address.unwrap(), question).unwrap();
        assert_eq!(
            (answer.status, answer.body),
            (202, br#"POST /x?y=1 Some("u0001") hello"#.to_vec())
        );
    }
}
