//! One kept-alive HTTP connection to a loopback address, for senders that must cost little; whose requests and answers are not
//! known here.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::http::broken;

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
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let status = line.split(' ').nth(1).and_then(|word| word.parse().ok());
    let status = status.ok_or_else(|| broken("a status line without a status"))?;
    let mut length = 0;
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        if name.eq_ignore_ascii_case("content-length") {
            length = value
                .trim()
                .parse()
                .map_err(|_| broken("a length that is no number"))?;
        }
    }
    if length > BODY_BYTES_MAX {
        return Err(broken("an answer above 16 MiB"));
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok((status, body))
}
