//! Where requests of Tocsin itself may go: public addresses, and private ones that the configuration names; addresses that
//! hand out a machine's credentials never. It sends nothing.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;
use std::sync::Arc;

use futures_util::future::BoxFuture;

/// Addresses that one name may have; further ones are left out.
const ADDRESSES_MAX: usize = 16;

/// A block of addresses (`127.0.0.0/8`, `fd00::/8`, or one address).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    first: IpAddr,
    bits: u8,
}

/// Text that is not a block of addresses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a block of addresses such as 127.0.0.0/8 or fd00::/8")]
pub struct NotABlock(String);

impl FromStr for Block {
    type Err = NotABlock;

    fn from_str(text: &str) -> Result<Self, NotABlock> {
        let wrong = || NotABlock(text.to_owned());
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let first: IpAddr = address.parse().map_err(|_| wrong())?;
        let whole = if first.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(whole), str::parse).map_err(|_| wrong())?;
        if bits > whole {
            Err(wrong())
        } else {
            Ok(Self { first, bits })
        }
    }
}

impl Block {
    fn contains(&self, address: IpAddr) -> bool {
        match (self.first, address) {
            (IpAddr::V4(first), IpAddr::V4(address)) => same_start(
                first.to_bits().into(),
                address.to_bits().into(),
                32,
                self.bits,
            ),
            (IpAddr::V6(first), IpAddr::V6(address)) => {
                same_start(first.to_bits(), address.to_bits(), 128, self.bits)
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

fn same_start(one: u128, other: u128, width: u32, bits: u8) -> bool {
    let ignored = width - u32::from(bits);
    one.checked_shr(ignored).unwrap_or(0) == other.checked_shr(ignored).unwrap_or(0)
}

/// Turns a name into addresses.
pub trait Lookup: Send + Sync + 'static {
    /// All addresses of the name, with the port.
    fn lookup(&self, host: String, port: u16) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>>;
}

/// The operating system's resolver.
struct System;

impl Lookup for System {
    fn lookup(&self, host: String, port: u16) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> {
        Box::pin(async move {
            Ok(tokio::net::lookup_host((host, port))
                .await?
                .take(ADDRESSES_MAX)
                .collect())
        })
    }
}

/// Where requests of Tocsin itself may go; cheap to clone.
#[derive(Clone)]
pub struct Egress {
    allow: Arc<[Block]>,
    lookup: Arc<dyn Lookup>,
    /// A server of Tocsin's own.
    own: Option<SocketAddr>,
}

impl fmt::Debug for Egress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Egress")
            .field("allow", &self.allow)
            .finish_non_exhaustive()
    }
}

/// Why a request was not sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Blocked {
    /// The name has no address.
    #[error("the name could not be resolved: {0}")]
    NoAddress(String),
    /// Every address it has is forbidden.
    #[error(
        "{0} is not a public address; if it is meant, name its block under [egress] allow in tocsin.toml"
    )]
    Private(IpAddr),
    /// The address hands out a machine's credentials.
    #[error("{0} is an address of cloud metadata; nothing is ever sent there")]
    Metadata(IpAddr),
    /// Plain http is for allowed private addresses alone.
    #[error(
        "plain http goes only to addresses named under [egress] allow in tocsin.toml; use https"
    )]
    Plain,
}

impl Egress {
    /// Public addresses, and those of these blocks.
    #[must_use]
    pub fn new(allow: Vec<Block>) -> Self {
        Self {
            allow: allow.into(),
            lookup: Arc::new(System),
            own: None,
        }
    }

    /// With another resolver, for tests.
    #[must_use]
    pub fn with_lookup(allow: Vec<Block>, lookup: Arc<dyn Lookup>) -> Self {
        Self {
            allow: allow.into(),
            lookup,
            own: None,
        }
    }

    /// With a server of Tocsin's own besides, by its address and its port alone.
    pub(crate) fn and_own(self, own: SocketAddr) -> Self {
        Self {
            own: Some(own),
            ..self
        }
    }

    /// Whether a request may be sent to this address.
    ///
    /// # Errors
    /// Why not.
    pub fn permits(&self, address: IpAddr) -> Result<(), Blocked> {
        let meant = canonical(address);
        if [address, meant].into_iter().any(is_metadata) {
            return Err(Blocked::Metadata(meant));
        }
        if self.names(address) || is_public(meant) {
            Ok(())
        } else {
            Err(Blocked::Private(meant))
        }
    }

    /// Whether the configuration names this private address.
    #[must_use]
    pub fn names(&self, address: IpAddr) -> bool {
        let meant = canonical(address);
        !is_metadata(meant) && self.allow.iter().any(|block| block.contains(meant))
    }

    /// Whether this host could ever be reached, as far as that is known without resolving its name: what a name stands for is
    /// looked at each time.
    ///
    /// # Errors
    /// Why not.
    pub fn could_reach(&self, host: &str, encrypted: bool) -> Result<(), Blocked> {
        match literal(host) {
            Some(address) => self.lets_through(address, encrypted),
            None if !encrypted && self.allow.is_empty() => Err(Blocked::Plain),
            None => Ok(()),
        }
    }

    fn lets_through(&self, address: IpAddr, encrypted: bool) -> Result<(), Blocked> {
        self.permits(address)?;
        if encrypted || self.names(address) {
            Ok(())
        } else {
            Err(Blocked::Plain)
        }
    }

    /// The addresses of a host that a request may go to: resolved once, to be connected to as they are, so that a name that
    /// changes its mind in between changes nothing. For plain http only those that the configuration names.
    ///
    /// # Errors
    /// There is none.
    pub async fn resolve(
        &self,
        host: &str,
        port: u16,
        encrypted: bool,
    ) -> Result<Vec<SocketAddr>, Blocked> {
        let all = match literal(host).map(|address| SocketAddr::new(address, port)) {
            Some(own) if self.own == Some(own) => return Ok(vec![own]),
            Some(address) => vec![address],
            None => self
                .lookup
                .lookup(host.to_owned(), port)
                .await
                .map_err(|error| Blocked::NoAddress(error.to_string()))?,
        };
        let mut refusal = Blocked::NoAddress("it has no address".to_owned());
        let mut good = Vec::new();
        for address in all {
            match self.lets_through(address.ip(), encrypted) {
                Ok(()) => good.push(address),
                Err(blocked) => refusal = blocked,
            }
        }
        if good.is_empty() {
            Err(refusal)
        } else {
            Ok(good)
        }
    }
}

/// The address that a host is written as, where it is no name.
fn literal(host: &str) -> Option<IpAddr> {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host.parse().ok()
}

/// The IPv4 address that an IPv6 address stands for, where it stands for one (mapped, compatible, 6to4, NAT64).
fn canonical(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else {
        return address;
    };
    if let Some(v4) = v6.to_ipv4_mapped() {
        return IpAddr::V4(v4);
    }
    let parts = v6.segments();
    let v4 = |high: u16, low: u16| {
        IpAddr::V4(Ipv4Addr::from_bits(
            (u32::from(high) << 16) | u32::from(low),
        ))
    };
    match parts {
        // IPv4-compatible, but not the unspecified and the loopback address.
        [0, 0, 0, 0, 0, 0, high, low] if high != 0 => v4(high, low),
        [0x2002, high, low, ..] => v4(high, low),
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => v4(high, low),
        _ => address,
    }
}

/// Addresses where clouds hand out credentials: the link-local block (AWS, Azure, Google, Oracle), Azure's wire server,
/// Alibaba's and Oracle's own, AWS' IPv6 block, Google's IPv6 address.
fn is_metadata(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            v4.is_link_local()
                || [[168, 63, 129, 16], [100, 100, 100, 200], [192, 0, 0, 192]]
                    .contains(&v4.octets())
        }
        IpAddr::V6(v6) => {
            v6.segments()[..2] == [0xfd00, 0x0ec2]
                || v6.segments() == [0xfd20, 0x00ce, 0, 0, 0, 0, 0, 0x0254]
        }
    }
}

/// Whether the address is one of the public internet (IANA special-purpose registries).
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(v4: Ipv4Addr) -> bool {
    !matches!(
        v4.octets(),
        [0 | 10 | 127 | 224..=255, ..]
            | [100, 64..=127, ..]
            | [169, 254, ..]
            | [172, 16..=31, ..]
            | [192, 168, ..]
            | [198, 18 | 19, ..]
            | [192, 0, 0 | 2, _]
            | [192, 88, 99, _]
            | [198, 51, 100, _]
            | [203, 0, 113, _]
    )
}

fn is_public_v6(v6: Ipv6Addr) -> bool {
    match v6.segments() {
        // Documentation, 6to4, and the block of protocol assignments with Teredo in it.
        [0x2001, 0x0db8, ..] | [0x2002, ..] | [0x3fff, 0..=0x0fff, ..] => false,
        [0x2001, 0..=0x01ff, ..] => false,
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(address: &str, allow: &[&str], expected: bool) {
        let allow = allow.iter().map(|block| block.parse().unwrap()).collect();
        let permitted = Egress::new(allow).permits(address.parse().unwrap()).is_ok();
        assert_eq!(permitted, expected, "{address}");
    }

    #[test]
    fn only_public_addresses_may_be_reached() {
        for address in [
            "1.1.1.1",
            "93.184.216.34",
            "2606:4700::1111",
            "::ffff:8.8.8.8",
            "64:ff9b::808:808",
        ] {
            check(address, &[], true);
        }
        for address in [
            "127.0.0.1",
            "0.0.0.0",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "100.64.0.1",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "192.0.2.1",
            "::1",
            "::",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "fe80::1",
            "fc00::1",
            "fd12::1",
            "ff02::1",
            "2001:db8::1",
            "2001:0:1::1",
        ] {
            check(address, &[], false);
        }
    }

    #[test]
    fn what_the_configuration_names_may_be_reached() {
        check("127.0.0.1", &["127.0.0.0/8"], true);
        check("::ffff:127.0.0.1", &["127.0.0.0/8"], true);
        check("10.1.2.3", &["10.1.2.3"], true);
        check("10.1.2.4", &["10.1.2.3"], false);
        check("10.1.2.3", &["0.0.0.0/0"], true);
        check("fd12::1", &["fd00::/8"], true);
        check("fd12::1", &["::/0"], true);
    }

    #[tokio::test]
    async fn a_server_of_our_own_is_reached_by_its_port_alone() {
        let own = "127.0.0.1:4321".parse().unwrap();
        let egress = Egress::new(Vec::new()).and_own(own);
        let check = async |host: &str, port, expected| {
            let found = egress.resolve(host, port, false).await;
            assert_eq!(found.ok(), expected, "{host}:{port}");
        };
        check("127.0.0.1", 4321, Some(vec![own])).await;
        check("127.0.0.1", 4322, None).await;
        check("127.0.0.2", 4321, None).await;
        check("10.0.0.1", 4321, None).await;
        assert!(egress.could_reach("127.0.0.1", false).is_err());
    }

    #[test]
    fn metadata_is_never_reached_whatever_is_allowed() {
        for address in [
            "169.254.169.254",
            "169.254.170.2",
            "::ffff:169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "2002:a9fe:a9fe::",
            "fd00:ec2::254",
            "fd20:ce::254",
            "100.100.100.200",
            "168.63.129.16",
        ] {
            check(address, &["0.0.0.0/0", "::/0"], false);
        }
    }

    #[test]
    fn a_block_is_read_or_refused() {
        for text in [
            "",
            "localhost",
            "127.0.0.1/33",
            "127.0.0.1/x",
            "::/129",
            "1.2.3",
        ] {
            assert!(text.parse::<Block>().is_err(), "{text}");
        }
    }
}
