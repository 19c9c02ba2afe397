//! One-time links: for an administrator who has lost every other way in, which needs the data directory to itself, and for whoever
//! sets Tocsin up.

use std::io::Write;
use std::path::Path;

use anyhow::{Context, bail};
use secrecy::ExposeSecret;
use tocsin_domain::id::UserId;
use tocsin_domain::people::{Role, User};
use tocsin_domain::time::Timestamp;
use tocsin_engine::Clock;
use tocsin_journal::OneTimePurpose;

use crate::accounts::LOGIN_LINK_MS;
use crate::data::{self, Data};
use crate::system::{OsEntropy, SystemClock};

/// A link that `tocsin serve` prints because nobody can sign in lives this long.
const LOCKED_OUT_LINK_MS: u64 = 24 * 3_600_000;

/// A link to set Tocsin up lives this long.
const SETUP_LINK_MS: u64 = 24 * 3_600_000;

/// What `tocsin login-link` was asked for.
pub(crate) struct Wanted<'a> {
    pub(crate) data: &'a Path,
    pub(crate) key_file: Option<&'a Path>,
    pub(crate) public_url: &'a str,
    pub(crate) email: Option<&'a str>,
}

/// While nobody has set Tocsin up, a one-time link that does; older ones die.
pub(crate) fn for_setup(data: &Data, public_url: &str) -> anyhow::Result<Option<String>> {
    if data.state.installation.is_some() {
        return Ok(None);
    }
    let now = SystemClock.now();
    data.access.withdraw_one_time(OneTimePurpose::Setup)?;
    let expires = now.plus_ms(SETUP_LINK_MS);
    let token =
        data.access
            .create_one_time(OneTimePurpose::Setup, None, now, expires, &mut OsEntropy)?;
    Ok(Some(format!(
        "{public_url}/ui/setup?token={}",
        token.expose_secret()
    )))
}

/// Prints a link for the administrator that was asked for, or for the only one.
pub(crate) fn run(wanted: &Wanted<'_>, out: &mut impl Write) -> anyhow::Result<()> {
    let shown = wanted.data.display();
    if !wanted.data.is_dir() {
        bail!("{shown} is no directory: give the one that `tocsin serve --data` uses");
    }
    let data = data::open(wanted.data, wanted.key_file)
        .context("no link was made; a server that uses the directory must be stopped first")?;
    if data.state.installation.is_none() {
        bail!("{shown} is not set up yet: open the link that `tocsin serve` prints");
    }
    let user = match wanted.email {
        Some(email) => by_address(&data, email)?,
        None => only_one(&data)?,
    };
    let link = make(&data, user, wanted.public_url, LOGIN_LINK_MS)?;
    writeln!(out, "{link}")?;
    Ok(())
}

/// A link for the first administrator when none has a password, a session or a token: after a set-up that was cut off.
pub(crate) fn when_locked_out(data: &Data, public_url: &str) -> anyhow::Result<Option<String>> {
    let now = SystemClock.now();
    for admin in administrators(data) {
        if has_a_way_in(data, admin.id, now)? {
            return Ok(None);
        }
    }
    let first = administrators(data).next();
    first
        .map(|admin| make(data, admin.id, public_url, LOCKED_OUT_LINK_MS))
        .transpose()
}

fn has_a_way_in(data: &Data, user: UserId, now: Timestamp) -> anyhow::Result<bool> {
    let lives = |token: &tocsin_journal::ApiToken| {
        token.revoked_at.is_none() && token.expires_at.is_none_or(|at| at > now)
    };
    Ok(data.access.password_hash(user)?.is_some()
        || data.access.has_session(user, now)?
        || data.access.api_tokens(Some(user))?.iter().any(lives))
}

fn administrators(data: &Data) -> impl Iterator<Item = &User> {
    let all = data.state.users.values();
    all.filter(|user| user.role == Role::Admin)
}

fn by_address(data: &Data, email: &str) -> anyhow::Result<UserId> {
    let row = data.vault.find_sign_in(email.trim())?;
    let mut users = data.state.users.values();
    let found = users.find(|user| row == Some(user.email));
    let found = found.with_context(|| format!("no link was made: nobody signs in as {email}"))?;
    if found.role != Role::Admin {
        bail!(
            "no link was made: {} is no administrator; an administrator sets their password under People",
            found.name
        );
    }
    Ok(found.id)
}

fn only_one(data: &Data) -> anyhow::Result<UserId> {
    let all: Vec<&User> = administrators(data).collect();
    match all.as_slice() {
        [] => bail!("no link was made: there is no administrator"),
        [one] => Ok(one.id),
        [_, _, ..] => {
            let mut addresses = Vec::new();
            for admin in all {
                let address = data.vault.get(admin.email)?;
                addresses.extend(address.map(|text| text.expose_secret().to_owned()));
            }
            bail!(
                "no link was made: say for whom with --email; administrators are {}",
                addresses.join(", ")
            )
        }
    }
}

/// A link that signs `user` in once.
pub(crate) fn make(
    data: &Data,
    user: UserId,
    public_url: &str,
    life_ms: u64,
) -> anyhow::Result<String> {
    let now = SystemClock.now();
    let expires = now.plus_ms(life_ms);
    let token = data.access.create_one_time(
        OneTimePurpose::SignIn,
        Some(user),
        now,
        expires,
        &mut OsEntropy,
    )?;
    Ok(format!(
        "{public_url}/ui/login?token={}",
        token.expose_secret()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setup;

    const URL: &str = "http://tocsin.example";

    /// A directory that was set up, and what set-up printed.
    fn installed() -> (tempfile::TempDir, serde_json::Value) {
        let folder = tempfile::tempdir().unwrap();
        let mut out = Vec::new();
        let wanted = setup::Wanted {
            data: folder.path(),
            key_file: None,
            public_url: URL,
            email: "ada@example.org",
            name: None,
            time_zone: "UTC",
        };
        setup::run(&wanted, &mut out).unwrap();
        (folder, serde_json::from_slice(&out).unwrap())
    }

    fn link_for(folder: &Path, email: Option<&str>) -> anyhow::Result<String> {
        let mut out = Vec::new();
        let wanted = Wanted {
            data: folder,
            key_file: None,
            public_url: URL,
            email,
        };
        run(&wanted, &mut out)?;
        Ok(String::from_utf8(out)?)
    }

    fn redeem(folder: &Path, link: &str) -> bool {
        let data = data::open(folder, None).unwrap();
        let token = link.trim().split_once("token=").unwrap().1;
        let now = SystemClock.now();
        let used = data
            .access
            .consume_one_time(OneTimePurpose::SignIn, token, now);
        used.unwrap().is_ok()
    }

    #[test]
    fn a_link_lets_the_administrator_in_once() {
        let (folder, _) = installed();
        for email in [None, Some("Ada@example.org")] {
            let link = link_for(folder.path(), email).unwrap();
            assert!(link.starts_with("http://tocsin.example/ui/login?token="));
            assert!(redeem(folder.path(), &link));
            assert!(!redeem(folder.path(), &link));
        }
        let refused = link_for(folder.path(), Some("eve@example.org")).unwrap_err();
        assert!(refused.to_string().contains("nobody signs in as"));
    }

    #[test]
    fn a_directory_that_a_server_holds_gives_no_link_and_says_what_to_do() {
        let (folder, _) = installed();
        let _held = data::open(folder.path(), None).unwrap();
        let refused = link_for(folder.path(), None).unwrap_err();
        assert!(
            format!("{refused:#}").contains("must be stopped first"),
            "{refused:#}"
        );
    }

    #[test]
    fn a_start_prints_a_link_only_when_no_administrator_has_a_way_in() {
        let (folder, printed) = installed();
        let data = data::open(folder.path(), None).unwrap();
        assert_eq!(when_locked_out(&data, URL).unwrap(), None);
        // As when set-up was cut off after the journal had it.
        let token = printed["api_token"].as_str().unwrap();
        let now = SystemClock.now();
        let token = data.access.api_token(token, now).unwrap().unwrap();
        assert!(data.access.revoke_api_token(token.id, now).unwrap());
        let link = when_locked_out(&data, URL).unwrap().unwrap();
        assert!(link.starts_with("http://tocsin.example/ui/login?token="));
        let ada = *data.state.users.keys().next().unwrap();
        data.access
            .create_session(ada, now, now.plus_ms(1_000_000), &mut OsEntropy)
            .unwrap();
        assert_eq!(when_locked_out(&data, URL).unwrap(), None);
    }

    #[test]
    fn a_directory_without_an_installation_is_not_locked_out() {
        let folder = tempfile::tempdir().unwrap();
        let data = data::open(folder.path(), None).unwrap();
        assert_eq!(when_locked_out(&data, URL).unwrap(), None);
    }
}
