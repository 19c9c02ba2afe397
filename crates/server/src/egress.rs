//! Where Tocsin's own requests may go, as the configuration says.

use std::net::ToSocketAddrs;

use anyhow::Context;
use tocsin_edge::delivery::egress::{Block, Egress};

use crate::config::{Allowed, Config};

/// Where requests of our own may go beyond public addresses. Names are resolved once, now: an answer that changes later
/// opens nothing.
pub(crate) fn of(config: &Config) -> anyhow::Result<Egress> {
    let mut blocks = Vec::new();
    for allowed in &config.egress_allow {
        match allowed {
            Allowed::Block(..) => blocks.push(allowed.to_string().parse::<Block>()?),
            Allowed::Host(name) => {
                let found = (name.as_str(), 0).to_socket_addrs();
                let found =
                    found.with_context(|| format!("resolving {name:?} of [egress] allow"))?;
                for address in found {
                    let bits = if address.is_ipv4() { 32 } else { 128 };
                    blocks.push(format!("{}/{bits}", address.ip()).parse::<Block>()?);
                }
            }
        }
    }
    Ok(Egress::new(blocks))
}
