//! The Tocsin that one client is driven against: set up, with somebody who can be paged, a service and a key, and all that a walk must
//! know of it in a file. What is done in it is not known here.

use std::fs;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use crate::failure::{Because, Outcome, fail};
use crate::http::free_address;
use crate::janitor::Janitor;
use crate::processes::wait_until;
use crate::site::server::{Serve, text};
use crate::site::{Site, call, made};

/// Where the person is paged: the path of their webhook, which nobody else may see.
const WEBHOOK: &str = "/webster";
/// Until a server that speaks TLS takes connections.
const START_LIMIT: Duration = Duration::from_secs(60);
/// Addresses that a walk may listen at.
const ADDRESSES: usize = 3;

/// How a client is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Speaks {
    Plainly,
    Tls,
}

impl Speaks {
    const fn scheme(self) -> &'static str {
        match self {
            Self::Plainly => "http",
            Self::Tls => "https",
        }
    }
}

/// A running Tocsin that was told everything.
pub(super) struct House {
    pub(super) site: Site,
    pub(super) dir: PathBuf,
    pub(super) url: String,
    /// What a walk must know.
    pub(super) file: PathBuf,
}

impl House {
    /// Sets up, tells and serves in an empty folder.
    pub(super) fn open(
        binary: &Path,
        dir: &Path,
        speaks: Speaks,
        janitor: &mut Janitor,
    ) -> Outcome<Self> {
        let address = free_address()?;
        let url = format!("{}://{address}", speaks.scheme());
        let serve = Serve::prepare(binary, dir, address, &config(&url, Speaks::Plainly))?;
        let mut site = Site::open(serve, janitor)?;
        let mut told = furnish(&site)?;
        if speaks == Speaks::Tls {
            // What sets it up speaks no TLS: from here on only the client does.
            serve_tls(&mut site, &url, janitor)?;
        }
        let ca = site.server.serve.data.join("tls/ca.pem");
        let addresses = (0..ADDRESSES).map(|_| Ok(free_address()?.to_string()));
        told["addresses"] = addresses.collect::<Outcome<Vec<String>>>()?.into();
        told["ca"] = ca.display().to_string().into();
        told["url"] = url.clone().into();
        let file = dir.join("house.json");
        write_private(&file, &told)?;
        Ok(Self {
            site,
            dir: dir.to_owned(),
            url,
            file,
        })
    }
}

/// Somebody to page, what they are paged for, and a key to say so.
fn furnish(site: &Site) -> Outcome<Value> {
    let mut line = site.line()?;
    let me = call(&mut line, "GET", "/me", &Value::Null)?;
    let other = site.add_person(&mut line, "webster", &[WEBHOOK])?;
    let level = json!({"delay_minutes": 30, "targets": [{"kind": "user", "id": other}]});
    let policy = json!({"name": "Webster", "repeat": 0, "levels": [level]});
    let policy = made(&mut line, "/escalation-policies", &policy)?;
    let service = json!({"name": "Shop", "escalation_policy_id": policy});
    let service = made(&mut line, "/services", &service)?;
    let path = format!("/services/{service}/integrations");
    let mut key = |kind: &str| -> Outcome<String> {
        let body = json!({"name": kind, "kind": kind});
        text(&call(&mut line, "POST", &path, &body)?, "routing_key")
    };
    Ok(json!({
        "token": site.token,
        "email": text(&me, "email")?,
        "person": text(&me, "id")?,
        "other": other,
        "webhook": WEBHOOK,
        "policy": policy,
        "service": service,
        "routing_key": key("events_v2")?,
        "alertmanager_key": key("alertmanager")?,
    }))
}

/// Ends it, and serves the same data with TLS.
fn serve_tls(site: &mut Site, url: &str, janitor: &mut Janitor) -> Outcome<()> {
    site.server.end()?;
    let path = site.server.serve.config.clone();
    fs::write(&path, config(url, Speaks::Tls)).because(format!("writing {}", path.display()))?;
    site.server.begin_again(janitor)?;
    // Written after the authority that clients trust.
    let certificate = site.server.serve.data.join("tls/cert.pem");
    let listens = || certificate.is_file() && TcpStream::connect(site.address).is_ok();
    wait_until(START_LIMIT, listens);
    if !listens() || !site.server.is_alive() {
        let said = site.server.serve.last_words();
        fail!("tocsin serve does not listen with TLS; it said:\n{said}");
    }
    Ok(())
}

fn config(url: &str, speaks: Speaks) -> String {
    let tls = match speaks {
        Speaks::Plainly => "",
        Speaks::Tls => "\n[tls]\nself_signed = true\n",
    };
    format!(
        "# Written by `cargo xtask clients`: pages go to this machine, and nothing is watched.\n\
         public_url = \"{url}\"\n{tls}\n\
         [egress]\nallow = [\"127.0.0.0/8\"]\n\n\
         [watch]\nenabled = false\n"
    )
}

/// Writes a file that only its owner can read, since keys are in it.
fn write_private(file: &Path, told: &Value) -> Outcome<()> {
    let because = || format!("writing {}", file.display());
    fs::write(file, "").because(because())?;
    let secret = fs::Permissions::from_mode(0o600);
    fs::set_permissions(file, secret).because(because())?;
    fs::write(file, told.to_string()).because(because())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configuration_can_be_read_with_tls_and_without() {
        for (speaks, tls) in [(Speaks::Plainly, false), (Speaks::Tls, true)] {
            let text = config("https://127.0.0.1:1", speaks);
            let read: toml::Table = toml::from_str(&text).unwrap();
            assert_eq!(read["public_url"].as_str(), Some("https://127.0.0.1:1"));
            assert_eq!(read.contains_key("tls"), tls);
        }
    }
}
