//! One HTTP request to a loopback address, with a limit on its whole time; what the answer means is the caller's to say.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use super::{Headers, broken, read_head};

/// The longest body that is read, in bytes.
const BODY_BYTES_MAX: u64 = 32 * 1024 * 1024;

/// What is asked.
#[derive(Clone, Copy)]
pub(crate) struct Ask<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) headers: &'a [(&'a str, &'a str)],
    pub(crate) body: &'a [u8],
    /// For everything together: connecting, sending, reading.
    pub(crate) limit: Duration,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

/// Asks `address` once.
pub(crate) fn ask(address: SocketAddr, ask: Ask<'_>) -> io::Result<Answer> {
    let deadline = Instant::now() + ask.limit;
    let stream = TcpStream::connect_timeout(&address, ask.limit)?;
    stream.set_nodelay(true)?;
    let mut timed = Timed { stream, deadline };
    let mut head = format!(
        "{} {} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n",
        ask.method, ask.path
    );
    for (name, value) in ask.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if !ask.body.is_empty() || !matches!(ask.method, "GET" | "HEAD" | "DELETE") {
        head.push_str(&format!("Content-Length: {}\r\n", ask.body.len()));
    }
    head.push_str("\r\n");
    timed.write_all(&[head.as_bytes(), ask.body].concat())?;
    read_answer(&mut BufReader::new(timed))
}

fn read_answer(reader: &mut impl BufRead) -> io::Result<Answer> {
    let (first, headers) = read_head(reader)?;
    let status = first.split(' ').nth(1).and_then(|word| word.parse().ok());
    let status = status.ok_or_else(|| broken("a status line without a status"))?;
    Ok(Answer {
        status,
        body: read_body(reader, &headers)?,
    })
}

fn read_body(reader: &mut impl BufRead, headers: &Headers) -> io::Result<Vec<u8>> {
    if headers
        .get("transfer-encoding")
        .is_some_and(|value| value.eq_ignore_ascii_case("chunked"))
    {
        return read_chunks(reader);
    }
    let length = headers
        .get("content-length")
        .and_then(|value| value.parse::<u64>().ok());
    let mut body = Vec::new();
    reader
        .take(length.unwrap_or(BODY_BYTES_MAX).min(BODY_BYTES_MAX))
        .read_to_end(&mut body)?;
    match length {
        Some(length) if (body.len() as u64) < length => Err(io::Error::new(
            io::ErrorKind::UnexpectedEof,
            "the connection ended inside the body",
        )),
        Some(_) | None => Ok(body),
    }
}

fn read_chunks(reader: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line = super::read_line(reader)?;
        let size = line.split(';').next().unwrap_or_default().trim();
        let size = u64::from_str_radix(size, 16).map_err(|_| broken("a chunk without its size"))?;
        if size == 0 {
            return Ok(body);
        }
        if body.len() as u64 + size > BODY_BYTES_MAX {
            return Err(broken("a body above 32 MiB"));
        }
        if reader.take(size).read_to_end(&mut body)? as u64 != size {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "the connection ended inside a chunk",
            ));
        }
        super::read_line(reader)?;
    }
}

/// A connection whose reads and writes all end at one deadline.
struct Timed {
    stream: TcpStream,
    deadline: Instant,
}

impl Timed {
    fn left(&self) -> io::Result<Option<Duration>> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::Error::new(
                io::ErrorKind::TimedOut,
                "no complete answer in time",
            ));
        }
        Ok(Some(left))
    }
}

impl Read for Timed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.set_read_timeout(self.left()?)?;
        self.stream.read(buffer)
    }
}

impl Write for Timed {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.stream.set_write_timeout(self.left()?)?;
        self.stream.write(buffer)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(wire: &str, expected: Option<(u16, &str)>) {
        let answer = read_answer(&mut wire.as_bytes());
        let found = answer
            .ok()
            .map(|answer| (answer.status, String::from_utf8(answer.body).unwrap()));
        assert_eq!(
            found,
            expected.map(|(status, body)| (status, body.to_owned())),
            "{wire:?}"
        );
    }

    #[test]
    fn a_body_ends_where_its_framing_says() {
        check(
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokmore",
            Some((200, "ok")),
        );
        check(
            "HTTP/1.1 201 Made\r\n\r\nto the end",
            Some((201, "to the end")),
        );
        check(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1;x\r\nc\r\n0\r\n\r\n",
            Some((200, "abc")),
        );
    }

    #[test]
    fn an_answer_that_is_cut_is_an_error() {
        check("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab", None);
        check(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nab",
            None,
        );
        check("HTTP/1.1 200 OK\r\nContent-", None);
        check("", None);
    }
}
