//! Asks the kernel by sock_diag which sockets listen, how full their accept queues are and what was accepted.

use std::io;
use std::net::{IpAddr, SocketAddr};

use netlink_packet_core::{
    NLM_F_DUMP, NLM_F_REQUEST, NetlinkHeader, NetlinkMessage, NetlinkPayload,
};
use netlink_packet_sock_diag::SockDiagMessage;
use netlink_packet_sock_diag::constants::{AF_INET, AF_INET6, IPPROTO_TCP};
use netlink_packet_sock_diag::inet::{
    ExtensionFlags, InetRequest, InetResponse, SocketId, StateFlags,
};
use netlink_sys::protocols::NETLINK_SOCK_DIAG;
use netlink_sys::{Socket, SocketAddr as NetlinkAddr};

/// Bytes of answers read at once; the kernel fills at most 32 KiB.
const ANSWER_BYTES: usize = 32 * 1_024;
/// Sockets read from one answer; a server with more has worse problems than an inexact count.
const SOCKETS_MAX: usize = 1_000_000;

/// A listening TCP socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listening {
    pub(crate) address: SocketAddr,
    pub(crate) inode: u64,
    /// Connections that wait to be accepted.
    pub(crate) waiting: u64,
    /// How many may.
    pub(crate) limit: u64,
}

/// A channel to the kernel's socket tables.
pub(crate) struct SocketTables {
    socket: Socket,
    answer: Vec<u8>,
}

impl SocketTables {
    /// # Errors
    /// Where the kernel has no sock_diag or this process may not use netlink.
    pub(crate) fn open() -> io::Result<Self> {
        let mut socket = Socket::new(NETLINK_SOCK_DIAG)?;
        socket.bind_auto()?;
        socket.connect(&NetlinkAddr::new(0, 0))?;
        // The kernel answers while we read: there is never anything to wait for.
        socket.set_non_blocking(true)?;
        Ok(Self {
            socket,
            answer: vec![0; ANSWER_BYTES],
        })
    }

    /// Sockets that listen on `port`, or all.
    pub(crate) fn listening(&mut self, port: Option<u16>) -> io::Result<Vec<Listening>> {
        let mut found = Vec::new();
        for family in [AF_INET, AF_INET6] {
            self.dump(
                family,
                StateFlags::LISTEN,
                port.unwrap_or(0),
                &mut |response| {
                    let header = &response.header;
                    found.push(Listening {
                        address: SocketAddr::new(
                            header.socket_id.source_address,
                            header.socket_id.source_port,
                        ),
                        inode: u64::from(header.inode),
                        waiting: u64::from(header.recv_queue),
                        limit: u64::from(header.send_queue),
                    });
                },
            )?;
        }
        Ok(found)
    }

    /// Established connections to a listener that a process has accepted: one that nobody accepted has no inode yet.
    pub(crate) fn accepted(&mut self, listener: SocketAddr) -> io::Result<u64> {
        let mut count = 0;
        let families: &[u8] = if listener.is_ipv6() {
            &[AF_INET6, AF_INET]
        } else {
            &[AF_INET]
        };
        for family in families {
            self.dump(
                *family,
                StateFlags::ESTABLISHED,
                listener.port(),
                &mut |response| {
                    let local = response.header.socket_id.source_address;
                    let ours = listener.ip().is_unspecified()
                        || unmapped(local) == unmapped(listener.ip());
                    if response.header.inode != 0 && ours {
                        count += 1;
                    }
                },
            )?;
        }
        Ok(count)
    }

    fn dump(
        &mut self,
        family: u8,
        states: StateFlags,
        port: u16,
        each: &mut dyn FnMut(&InetResponse),
    ) -> io::Result<()> {
        self.socket.send(&request(family, states, port), 0)?;
        let mut seen = 0;
        loop {
            let size = self.socket.recv(&mut &mut self.answer[..], 0)?;
            let mut rest = self.answer.get(..size).unwrap_or_default();
            if rest.is_empty() {
                return Ok(());
            }
            while !rest.is_empty() {
                let message =
                    NetlinkMessage::<SockDiagMessage>::deserialize(rest).map_err(|error| {
                        io::Error::new(io::ErrorKind::InvalidData, error.to_string())
                    })?;
                let length = usize::try_from(message.header.length).unwrap_or(usize::MAX);
                // Messages are aligned to four bytes.
                rest = rest
                    .get(length.next_multiple_of(4).max(4)..)
                    .unwrap_or_default();
                if let NetlinkPayload::Error(error) = message.payload {
                    return Err(error.to_io());
                }
                if matches!(message.payload, NetlinkPayload::Done(_)) {
                    return Ok(());
                }
                let NetlinkPayload::InnerMessage(SockDiagMessage::InetResponse(response)) =
                    message.payload
                else {
                    continue;
                };
                // The kernel filters by port where it can; where it cannot, this does.
                if port == 0 || response.header.socket_id.source_port == port {
                    each(&response);
                }
                seen += 1;
                if seen > SOCKETS_MAX {
                    return Err(io::Error::other("more sockets than are counted"));
                }
            }
        }
    }
}

/// An IPv4 address that came in through an IPv6 socket, as IPv4.
fn unmapped(address: IpAddr) -> IpAddr {
    address.to_canonical()
}

fn request(family: u8, states: StateFlags, port: u16) -> Vec<u8> {
    let mut header = NetlinkHeader::default();
    header.flags = NLM_F_REQUEST | NLM_F_DUMP;
    let mut socket_id = if family == AF_INET6 {
        SocketId::new_v6()
    } else {
        SocketId::new_v4()
    };
    socket_id.source_port = port;
    let request = InetRequest {
        family,
        protocol: IPPROTO_TCP,
        extensions: ExtensionFlags::empty(),
        states,
        socket_id,
    };
    let mut message = NetlinkMessage::new(header, SockDiagMessage::InetRequest(request).into());
    message.finalize();
    let mut bytes = vec![0; message.buffer_len()];
    message.serialize(&mut bytes);
    bytes
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn a_listener_shows_what_waits_and_what_was_accepted() {
        let Ok(mut tables) = SocketTables::open() else {
            return;
        };
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let _first = TcpStream::connect(address).unwrap();
        let _second = TcpStream::connect(address).unwrap();
        let accepted = listener.accept().unwrap();
        let found = tables.listening(Some(address.port())).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].address, found[0].waiting), (address, 1));
        assert!(found[0].limit > 0 && found[0].inode > 0);
        assert_eq!(tables.accepted(address).unwrap(), 1);
        drop(accepted);
    }
}
