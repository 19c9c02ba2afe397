//! Plain HTTP/1.1 over loopback, one request a connection; it knows no TLS and follows no redirect.

pub(crate) mod client;
pub(crate) mod server;

use std::io::{self, BufRead, Read};
use std::net::SocketAddr;
use std::os::fd::IntoRawFd;

use rustix::net::sockopt::set_socket_reuseaddr;
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, getsockname, socket_with};

use crate::failure::{Because, Outcome};

/// The longest header block that is read, in bytes.
const HEAD_BYTES_MAX: u64 = 32 * 1024;

/// A loopback address nobody listens on now. Nobody else is given it for as long as this process lives: chores run beside each
/// other, and a server that was ended must find its address free when it is started again.
pub(crate) fn free_address() -> Outcome<SocketAddr> {
    reserve().because("finding a free port")
}

/// The system never chooses a port that a socket is bound to; whoever names it may still listen there, as long as that socket
/// does not and both allow the address to be used again, as servers do.
fn reserve() -> rustix::io::Result<SocketAddr> {
    let (family, kind) = (AddressFamily::INET, SocketType::STREAM);
    let socket = socket_with(family, kind, SocketFlags::CLOEXEC, None)?;
    set_socket_reuseaddr(&socket, true)?;
    bind(&socket, &SocketAddr::from(([127, 0, 0, 1], 0)))?;
    let address = SocketAddr::try_from(getsockname(&socket)?)?;
    // It stays open until the process ends.
    let _ = socket.into_raw_fd();
    Ok(address)
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{TcpListener, TcpStream};

    #[test]
    fn an_address_is_free_again_whenever_its_server_has_ended() {
        let address = free_address().unwrap();
        for _ in 0..2 {
            assert!(TcpStream::connect(address).is_err(), "nobody listens");
            let _server = TcpListener::bind(address).unwrap();
            assert!(TcpStream::connect(address).is_ok());
        }
    }

    #[test]
    fn an_address_that_was_given_out_is_kept_though_nobody_listens() {
        let address = free_address().unwrap();
        // A socket that does not allow the address to be used again is what the system looks with when it chooses a port.
        let (family, kind) = (AddressFamily::INET, SocketType::STREAM);
        let other = socket_with(family, kind, SocketFlags::CLOEXEC, None).unwrap();
        assert!(bind(&other, &address).is_err(), "{address} was given away");
    }
}
