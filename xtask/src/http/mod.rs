//! Plain HTTP/1.1 over loopback, one request a connection; it knows no TLS and follows no redirect.

pub(crate) mod client;
pub(crate) mod server;

use std::io::{self, BufRead, Read};
use std::net::{SocketAddr, TcpListener};

use crate::failure::{Because, Outcome};

/// The longest header block that is read, in bytes.
const HEAD_BYTES_MAX: u64 = 32 * 1024;

/// A loopback address nobody listens on now.
pub(crate) fn free_address() -> Outcome<SocketAddr> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).because("finding a free port")?;
    listener.local_addr().because("finding a free port")
}

/// Header fields in the order they came, names in lower case.
#[derive(Clone, Debug, Default)]
pub(crate) struct Headers(Vec<(String, String)>);

impl Headers {
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }
}

/// Reads the first line and the header fields.
pub(crate) fn read_head(reader: &mut impl BufRead) -> io::Result<(String, Headers)> {
    let mut limited = reader.take(HEAD_BYTES_MAX);
    let first = read_line(&mut limited)?;
    let mut headers = Headers::default();
    loop {
        let line = read_line(&mut limited)?;
        if line.is_empty() {
            return Ok((first, headers));
        }
        let (name, value) = line
            .split_once(':')
            .ok_or_else(|| broken("a header line without a colon"))?;
        headers
            .0
            .push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
    }
}

fn read_line(reader: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 || !line.ends_with('\n') {
        return Err(io::Error::new(
            io::ErrorKind::UnexpectedEof,
            "the connection ended inside a header",
        ));
    }
    line.truncate(line.trim_end_matches(['\r', '\n']).len());
    Ok(line)
}

pub(crate) fn broken(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
