//! One kept-alive HTTP connection to a loopback address, for senders that must cost little; whose requests and answers are not
//! known here.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::http::{Headers, broken, read_head};

/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// The longest answer that is read, in bytes.
const BODY_BYTES_MAX: usize = 16 * 1024 * 1024;

/// A connection.
pub(crate) struct Line {
    reader: BufReader<TcpStream>,
    /// Host and authorization, as they stand in each request.
    headers: String,
}

impl Line {
    pub(crate) fn open(address: SocketAddr, token: &str) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Self {
            reader: BufReader::with_capacity(64 * 1024, stream),
            headers: format!("Host: {address}\r\nAuthorization: Bearer {token}\r\n"),
        })
    }

    /// Sends a request and reads its whole answer: status and body.
    pub(crate) fn ask(
        &mut self,
        method: &str,
        path: &str,
        body: &str,
    ) -> io::Result<(u16, Vec<u8>)> {
        let request = format!(
            "{method} {path} HTTP/1.1\r\n{}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.headers,
            body.len()
        );
        self.reader.get_mut().write_all(request.as_bytes())?;
        read_answer(&mut self.reader)
    }
}

fn read_answer(reader: &mut impl BufRead) -> io::Result<(u16, Vec<u8>)> {
    let (first, headers) = read_head(reader)?;
    let status = first.split(' ').nth(1).and_then(|word| word.parse().ok());
    let status = status.ok_or_else(|| broken("a status line without a status"))?;
    Ok((status, read_sized(reader, &headers, BODY_BYTES_MAX)?))
}

/// Reads a body of the length that its head tells; none when it tells none.
pub(crate) fn read_sized(
    reader: &mut impl BufRead,
    headers: &Headers,
    limit: usize,
) -> io::Result<Vec<u8>> {
    let length = headers.get("content-length").map_or(Ok(0), str::parse);
    let length = length.map_err(|_| broken("a length that is no number"))?;
    if length > limit {
        return Err(broken("a body above the limit"));
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(body)
}
