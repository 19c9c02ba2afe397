//! `tocsin setup`: the first administrator of an unattended installation, and what they need to begin.

use std::io::Write;
use std::path::Path;

use anyhow::{Context, anyhow, bail, ensure};
use secrecy::ExposeSecret;
use serde_json::json;
use tocsin_domain::command::{Ask, Command};
use tocsin_domain::decide::decide;
use tocsin_domain::event::Actor;
use tocsin_domain::id::{Entropy, SecretId, TokenId};
use tocsin_domain::people::{Role, TokenBounds};
use tocsin_engine::Clock;
use tocsin_journal::NewApiToken;

use crate::accounts::LOGIN_LINK_MS;
use crate::data;
use crate::login_link;
use crate::system::{OsEntropy, SystemClock};

/// Characters of a routing key (PagerDuty Events API v2).
const ROUTING_KEY_LENGTH: usize = 32;

/// What `tocsin setup` was asked for.
pub(crate) struct Wanted<'a> {
    pub(crate) data: &'a Path,
    pub(crate) key_file: Option<&'a Path>,
    pub(crate) public_url: &'a str,
    pub(crate) email: &'a str,
    pub(crate) name: Option<&'a str>,
    pub(crate) time_zone: &'a str,
}

/// Sets the directory up and prints token, routing key and login link as JSON.
pub(crate) fn run(wanted: &Wanted<'_>, out: &mut impl Write) -> anyhow::Result<()> {
    let address = tocsin_edge::mail_address(wanted.email)
        .map_err(|why| anyhow!("--admin-email: {:?}: {why}", wanted.email))?;
    let email = address.expose_secret();
    let mut data = data::open(wanted.data, wanted.key_file)?;
    if data.state.installation.is_some() {
        bail!(
            "{} is set up already; nothing was changed: sign in, or get a sign-in link with `tocsin login-link`",
            wanted.data.display()
        );
    }
    let now = SystemClock.now();
    let (routing_key, key_hash) = routing_key();
    let secret = SecretId::random(&mut OsEntropy);
    let name = wanted
        .name
        .unwrap_or_else(|| email.split('@').next().unwrap_or(email));
    let ask = Ask::SetUp {
        name: name.to_owned(),
        email: secret,
        time_zone: wanted.time_zone.to_owned(),
        key_hash,
    };
    let command = Command {
        actor: Actor::System,
        ask,
    };
    let events = decide(&mut data.state, command, now, &mut OsEntropy)?;
    let user = *data
        .state
        .users
        .keys()
        .next()
        .context("set-up makes a person")?;
    let put = data
        .vault
        .put_sign_in(secret, Some(user), &address, &mut OsEntropy)?;
    ensure!(put, "the vault has this address already");
    data.journal.append(&events, &[])?;
    let token = NewApiToken {
        id: TokenId::random(&mut OsEntropy),
        name: "setup",
        role: Role::Admin,
        user: Some(user),
        made_by: Some(user),
        expires_at: None,
        bounds: TokenBounds::default(),
    };
    let token = data.access.create_api_token(&token, now, &mut OsEntropy)?;
    let login_url = login_link::make(&data, user, wanted.public_url, LOGIN_LINK_MS)?;
    let printed = json!({
        "api_token": token.expose_secret(),
        "routing_key": routing_key,
        "login_url": login_url,
    });
    writeln!(out, "{printed}")?;
    Ok(())
}

/// A new routing key and the hash of it that is kept.
fn routing_key() -> (String, String) {
    const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut bytes = [0_u8; ROUTING_KEY_LENGTH];
    OsEntropy.fill(&mut bytes);
    let key: String = bytes
        .iter()
        .map(|byte| char::from(ALPHABET[usize::from(byte % 32)]))
        .collect();
    let hash = tocsin_edge::secret::key_hash(&key);
    (key, hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is refused of a set-up with this address, in a directory of its own.
    fn refused(email: &str) -> Option<String> {
        let home = tempfile::tempdir().unwrap();
        let data = home.path().join("data");
        let wanted = Wanted {
            data: &data,
            key_file: None,
            public_url: "http://127.0.0.1:8700",
            email,
            name: None,
            time_zone: "UTC",
        };
        let refused = run(&wanted, &mut Vec::new()).err();
        assert_eq!(data.exists(), refused.is_none(), "{email}");
        refused.map(|error| error.to_string())
    }

    #[test]
    fn the_address_of_the_first_administrator_is_checked_as_that_of_whoever_is_added() {
        assert_eq!(refused(" ann@example.org "), None);
        for wrong in ["ann", "ann@", "<ann@example.org>", "ann@example.org, bob"] {
            let why =
                format!("--admin-email: {wrong:?}: not a mail address such as ann@example.org");
            assert_eq!(refused(wrong), Some(why));
        }
    }
}
