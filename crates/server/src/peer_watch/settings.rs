//! What `tocsin watch` is told: by a small file, by flags, or by both. It asks and sends nothing.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use reqwest::Url;
use secrecy::SecretString;
use serde::Deserialize;
use tocsin_edge::delivery::egress::{Block, Egress};
use tocsin_edge::delivery::mail::{Encryption, MailSettings};
use tocsin_edge::delivery::outside::Outlet;

/// Bytes of the file at most.
const FILE_BYTES_MAX: u64 = 64 * 1024;
/// Places to tell at most.
const NOTIFY_MAX: usize = 16;

/// Watch another Tocsin from this machine, and page by its own way when that one cannot.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct WatchArguments {
    /// The server that is watched; the file of its authority is given by --ca
    #[arg(long, value_name = "URL")]
    peer: Option<String>,
    /// Tell this place: ntfy:URL, webhook:URL or email:ADDRESS; may be given several times
    #[arg(long, value_name = "KIND:ADDRESS")]
    notify: Vec<String>,
    /// A file with all that, and with what must not be on a command line: keys, tokens, the mail server
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where an outage is remembered over restarts of this command
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// Private addresses that may be told, such as 10.0.0.0/8; may be given several times
    #[arg(long, value_name = "BLOCK")]
    allow: Vec<String>,
    /// Milliseconds between two questions
    #[arg(long, hide = true, default_value_t = 15_000)]
    every_ms: u64,
    /// Milliseconds for which the peer may fail
    #[arg(long, hide = true, default_value_t = 45_000)]
    fails_ms: u64,
    /// Milliseconds that one answer may take
    #[arg(long, hide = true, default_value_t = 12_000)]
    answer_ms: u64,
    /// Milliseconds between two reminders
    #[arg(long, hide = true, default_value_t = 900_000)]
    remind_ms: u64,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    peer: Option<String>,
    ca: Option<PathBuf>,
    state: Option<PathBuf>,
    #[serde(default)]
    notify: Vec<Notify>,
    mail: Option<Mail>,
    #[serde(default)]
    egress: EgressPart,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct EgressPart {
    #[serde(default)]
    allow: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Notify {
    kind: String,
    address: SecretString,
    /// Signs a webhook.
    key: Option<SecretString>,
    /// A token of an ntfy server.
    token: Option<SecretString>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Mail {
    host: String,
    port: Option<u16>,
    from: String,
    tls: Option<Encryption>,
    username: Option<String>,
    password: Option<SecretString>,
}

/// All that is needed.
pub(crate) struct Settings {
    pub(crate) peer: Url,
    pub(crate) ca: Option<PathBuf>,
    pub(crate) state: PathBuf,
    pub(crate) outlets: Vec<Outlet>,
    pub(crate) mail: Option<(MailSettings, Option<SecretString>)>,
    pub(crate) egress: Egress,
    pub(crate) every_ms: u64,
    pub(crate) fails_ms: u64,
    /// How long one answer may take: the peer's own look at everything takes up to 5 s for each part that hangs.
    pub(crate) answer_ms: u64,
    pub(crate) remind_ms: u64,
}

impl Settings {
    /// Puts file and flags together; a flag is over the file.
    pub(crate) fn of(given: &WatchArguments, ca: Option<&Path>) -> anyhow::Result<Self> {
        let document = match &given.config {
            None => Document::default(),
            Some(path) => read(path)?,
        };
        let peer = given.peer.clone().or(document.peer);
        let peer = peer.context("say which server is watched, by --peer URL")?;
        let mut outlets = Vec::new();
        for one in document.notify {
            outlets.push(outlet(&one.kind, one.address, one.key, one.token)?);
        }
        let key = || {
            std::env::var("TOCSIN_WATCH_KEY")
                .ok()
                .map(SecretString::from)
        };
        for text in &given.notify {
            let (kind, address) = text.split_once(':').with_context(|| {
                format!("--notify {text}: expected ntfy:URL, webhook:URL or email:ADDRESS")
            })?;
            outlets.push(outlet(kind, address.to_owned().into(), key(), None)?);
        }
        if outlets.is_empty() || outlets.len() > NOTIFY_MAX {
            bail!("say who is told, by --notify or [[notify]]: 1 to {NOTIFY_MAX} places");
        }
        let mail = document.mail.map(mail_of);
        let needs_mail = outlets.iter().any(|one| matches!(one, Outlet::Email(_)));
        if needs_mail && mail.is_none() {
            bail!(
                "mail needs a mail server: give [mail] with host and from in the file of --config"
            );
        }
        let mut blocks = Vec::new();
        for block in document.egress.allow.iter().chain(&given.allow) {
            blocks.push(
                block
                    .parse::<Block>()
                    .with_context(|| format!("--allow {block}"))?,
            );
        }
        let state = given.state.clone().or(document.state);
        Ok(Self {
            peer: peer_url(&peer)?,
            ca: ca.map(Path::to_owned).or(document.ca),
            state: state.unwrap_or_else(|| PathBuf::from("tocsin-watch.json")),
            outlets,
            mail,
            egress: Egress::new(blocks),
            every_ms: given.every_ms.max(10),
            fails_ms: given.fails_ms,
            answer_ms: given.answer_ms,
            remind_ms: given.remind_ms,
        })
    }
}

fn read(path: &Path) -> anyhow::Result<Document> {
    let shown = path.display();
    let size = std::fs::metadata(path)
        .with_context(|| format!("{shown}"))?
        .len();
    if size > FILE_BYTES_MAX {
        bail!("{shown}: larger than {FILE_BYTES_MAX} bytes");
    }
    let text = std::fs::read_to_string(path).with_context(|| format!("{shown}"))?;
    toml::from_str(&text).map_err(|error| {
        // The text around the fault may hold a secret.
        anyhow::anyhow!("{shown}: {}", error.message())
    })
}

fn peer_url(text: &str) -> anyhow::Result<Url> {
    let url = Url::parse(text.trim()).with_context(|| format!("--peer {text}"))?;
    let is_web = matches!(url.scheme(), "http" | "https") && url.host_str().is_some();
    if !is_web || !url.username().is_empty() || url.password().is_some() {
        bail!("--peer {text}: expected an address such as https://tocsin.example:8700");
    }
    Ok(url)
}

fn outlet(
    kind: &str,
    address: SecretString,
    key: Option<SecretString>,
    token: Option<SecretString>,
) -> anyhow::Result<Outlet> {
    match kind {
        "ntfy" => Ok(Outlet::Ntfy {
            url: address,
            token,
        }),
        "email" => Ok(Outlet::Email(address)),
        "webhook" => Ok(Outlet::Webhook {
            url: address,
            key: key.context(
                "a webhook needs the key that signs: key = … in the file, or $TOCSIN_WATCH_KEY",
            )?,
        }),
        other => bail!("{other} is no kind of place: expected ntfy, webhook or email"),
    }
}

fn mail_of(mail: Mail) -> (MailSettings, Option<SecretString>) {
    let tls = mail.tls.unwrap_or(Encryption::StartTls);
    let port = mail.port.unwrap_or(match tls {
        Encryption::None => 25,
        Encryption::StartTls => 587,
        Encryption::Tls => 465,
    });
    let settings = MailSettings {
        host: mail.host,
        port,
        from: mail.from,
        tls,
        username: mail.username,
        // The password comes from the file, not from a vault.
        password: None,
    };
    (settings, mail.password)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        watch: WatchArguments,
    }

    fn settings(words: &[&str]) -> Result<Settings, String> {
        let line = Line::try_parse_from([&["watch"][..], words].concat())
            .map_err(|why| why.to_string())?;
        Settings::of(&line.watch, None).map_err(|why| format!("{why:#}"))
    }

    #[track_caller]
    fn refused(words: &[&str], expected: &str) {
        let Err(why) = settings(words) else {
            panic!("{words:?} was taken");
        };
        assert!(why.contains(expected), "{why}");
    }

    #[test]
    fn flags_alone_are_enough_where_no_secret_is_needed() {
        let found = settings(&[
            "--peer",
            "http://10.0.0.2:8700",
            "--notify",
            "ntfy:https://ntfy.sh/t",
        ])
        .unwrap();
        assert_eq!(found.peer.as_str(), "http://10.0.0.2:8700/");
        assert_eq!(found.outlets[0].word(), "ntfy");
        assert_eq!(
            (found.every_ms, found.fails_ms, found.remind_ms),
            (15_000, 45_000, 900_000)
        );
    }

    #[test]
    fn a_file_says_the_rest() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("watch.toml");
        std::fs::write(
            &path,
            "peer = \"https://a.example\"\n[[notify]]\nkind = \"webhook\"\naddress = \"https://b.example/h\"\nkey = \"k\"\n\
             [[notify]]\nkind = \"email\"\naddress = \"ops@example.org\"\n[mail]\nhost = \"mail.example\"\nfrom = \"t@example.org\"\n\
             [egress]\nallow = [\"10.0.0.0/8\"]\n",
        )
        .unwrap();
        let path = path.to_str().unwrap();
        let found = settings(&["--config", path]).unwrap();
        assert_eq!(found.outlets.len(), 2);
        assert_eq!(found.mail.unwrap().0.port, 587);
        let over = settings(&["--config", path, "--peer", "https://c.example"]).unwrap();
        assert_eq!(over.peer.host_str(), Some("c.example"));
    }

    #[test]
    fn what_cannot_work_is_refused_with_what_to_do() {
        refused(&[], "--peer URL");
        refused(&["--peer", "a b", "--notify", "ntfy:x"], "--peer");
        refused(&["--peer", "http://a"], "--notify");
        refused(
            &["--peer", "http://a", "--notify", "fax:1"],
            "fax is no kind",
        );
        refused(&["--peer", "http://a", "--notify", "email:a@b"], "[mail]");
        refused(&["--peer", "http://u:p@a", "--notify", "ntfy:x"], "--peer");
        refused(
            &[
                "--peer",
                "http://a",
                "--notify",
                "ntfy:x",
                "--allow",
                "everything",
            ],
            "--allow",
        );
        refused(&["--config", "/nowhere/watch.toml"], "/nowhere/watch.toml");
    }
}
