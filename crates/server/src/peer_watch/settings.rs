//! What `tocsin watch` is told: by a small file, by flags, or by both. It asks and sends nothing.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tocsin_edge::delivery::egress::{Block, Blocked, Egress};
use tocsin_edge::delivery::mail::{Encryption, MailSettings};
use tocsin_edge::delivery::outside::{Outlet, Sender, Senders, Unusable};

/// Bytes of the file at most.
const FILE_BYTES_MAX: u64 = 64 * 1024;
/// Places to tell at most.
const NOTIFY_MAX: usize = 16;
/// What a file with secrets must not let others do.
const RIGHTS_OF_OTHERS: u32 = 0o077;

/// Watch another Tocsin from this machine, and page by its own way when that one cannot.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct WatchArguments {
    /// The server that is watched; the file of its authority is given by --ca
    #[arg(long, value_name = "URL")]
    peer: Option<String>,
    /// Tell this place, such as ntfy:URL: ntfy, webhook, email, sms, voice, telegram or pushover; may be given several times
    #[arg(long, value_name = "KIND:ADDRESS")]
    notify: Vec<String>,
    /// A file with all that, and with what must not be on a command line: keys, tokens, the mail server, accounts
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
    /// Milliseconds until a place that did not clearly take a message is told it again
    #[arg(long, hide = true, default_value_t = 60_000)]
    again_ms: u64,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    peer: Option<String>,
    /// By which the peer knows who watches it.
    token: Option<SecretString>,
    ca: Option<PathBuf>,
    state: Option<PathBuf>,
    #[serde(default)]
    notify: Vec<Notify>,
    mail: Option<Mail>,
    twilio: Option<Twilio>,
    telegram: Option<Bot>,
    pushover: Option<Bot>,
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

/// An account that makes calls and sends text messages.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Twilio {
    base_url: Option<String>,
    account_id: String,
    token: SecretString,
    from: String,
}

impl From<Twilio> for Sender {
    fn from(given: Twilio) -> Self {
        Self {
            base_url: given.base_url,
            id: Some(given.account_id),
            from: Some(given.from),
            token: given.token,
        }
    }
}

/// A bot of Telegram, or an application of Pushover.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Bot {
    base_url: Option<String>,
    token: SecretString,
}

impl From<Bot> for Sender {
    fn from(given: Bot) -> Self {
        Self {
            base_url: given.base_url,
            id: None,
            from: None,
            token: given.token,
        }
    }
}

/// All that is needed.
pub(crate) struct Settings {
    pub(crate) peer: Url,
    /// A token of the peer's, by which it knows who watches it.
    pub(crate) token: Option<SecretString>,
    pub(crate) ca: Option<PathBuf>,
    pub(crate) state: PathBuf,
    pub(crate) outlets: Vec<Outlet>,
    /// The mail server and accounts that those are told by.
    pub(crate) senders: Senders,
    pub(crate) egress: Egress,
    pub(crate) every_ms: u64,
    pub(crate) fails_ms: u64,
    /// How long one answer may take: the peer's own look at everything takes up to 5 s for each part that hangs.
    pub(crate) answer_ms: u64,
    pub(crate) remind_ms: u64,
    pub(crate) again_ms: u64,
}

impl Settings {
    /// Puts file and flags together; a flag is over the file. What could never work is refused: a watcher that can tell nobody is
    /// noticed when it is too late.
    pub(crate) fn of(given: &WatchArguments, ca: Option<&Path>) -> anyhow::Result<Self> {
        let document = match &given.config {
            None => Document::default(),
            Some(path) => read(path)?,
        };
        let peer = given.peer.clone().or(document.peer);
        let peer = peer.context("say which server is watched, by --peer URL")?;
        let places = places(document.notify, &given.notify)?;
        if places.is_empty() || places.len() > NOTIFY_MAX {
            bail!("say who is told, by --notify or [[notify]]: 1 to {NOTIFY_MAX} places");
        }
        let senders = Senders {
            mail: document.mail.map(mail_of).transpose()?,
            twilio: document.twilio.map(Sender::from),
            telegram: document.telegram.map(Sender::from),
            pushover: document.pushover.map(Sender::from),
        };
        let egress = egress(&document.egress.allow, &given.allow)?;
        let peer = peer_url(&peer)?;
        let token = secret_of_the_environment("TOCSIN_WATCH_TOKEN").or(document.token);
        token.as_ref().map(check_token).transpose()?;
        for (name, outlet) in &places {
            let word = outlet.word();
            outlet
                .check(&egress, &senders)
                .map_err(|why| anyhow!("{name} ({word}): {}", in_our_words(&why)))?;
        }
        senders
            .check(&egress)
            .map_err(|(word, why)| anyhow!("[{word}]: {}", in_our_words(&why)))?;
        let state = given.state.clone().or(document.state);
        let state = state.unwrap_or_else(|| PathBuf::from("tocsin-watch.json"));
        check_folder(&state)?;
        Ok(Self {
            peer,
            token,
            ca: ca.map(Path::to_owned).or(document.ca),
            state,
            outlets: places.into_iter().map(|(_, outlet)| outlet).collect(),
            senders,
            egress,
            every_ms: given.every_ms.max(10),
            fails_ms: given.fails_ms,
            answer_ms: given.answer_ms,
            remind_ms: given.remind_ms,
            again_ms: given.again_ms,
        })
    }
}

/// The places of the file and of the flags, each with what it is called in a message.
fn places(file: Vec<Notify>, flags: &[String]) -> anyhow::Result<Vec<(String, Outlet)>> {
    let mut places = Vec::new();
    for (number, one) in (1..).zip(file) {
        let outlet = outlet(&one.kind, one.address, one.key, one.token)?;
        places.push((format!("[[notify]] {number}"), outlet));
    }
    let key = || secret_of_the_environment("TOCSIN_WATCH_KEY");
    for (number, text) in (1..).zip(flags) {
        let (kind, address) = text.split_once(':').with_context(|| {
            format!("--notify {text}: expected KIND:ADDRESS, such as ntfy:https://ntfy.sh/my-topic")
        })?;
        let outlet = outlet(kind, address.to_owned().into(), key(), None)?;
        places.push((format!("--notify {number}"), outlet));
    }
    Ok(places)
}

fn secret_of_the_environment(name: &str) -> Option<SecretString> {
    std::env::var(name).ok().map(SecretString::from)
}

/// One that cannot stand in a request would make each question fail.
fn check_token(token: &SecretString) -> anyhow::Result<()> {
    let text = token.expose_secret();
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        bail!("token: expected an API token of the peer, as `tocsin token create` gives it");
    }
    Ok(())
}

fn egress(file: &[String], flags: &[String]) -> anyhow::Result<Egress> {
    let mut blocks = Vec::new();
    for block in file.iter().chain(flags) {
        blocks.push(
            block
                .parse::<Block>()
                .with_context(|| format!("--allow {block}"))?,
        );
    }
    Ok(Egress::new(blocks))
}

/// Why nothing can be sent somewhere, with what to do about it here: there is no tocsin.toml.
fn in_our_words(why: &Unusable) -> String {
    match why {
        Unusable::Blocked(Blocked::Private(address)) => format!(
            "{address} is not a public address; if it is meant, name its block by --allow or in [egress] allow"
        ),
        Unusable::Blocked(Blocked::Plain) => {
            "plain http goes only to addresses named by --allow or in [egress] allow; use https"
                .to_owned()
        }
        Unusable::NoAccount { name, word } => {
            format!("there is no {name}: give [{word}] in the file of --config")
        }
        Unusable::Wrong(_) | Unusable::Blocked(Blocked::NoAddress(_) | Blocked::Metadata(_)) => {
            why.to_string()
        }
    }
}

/// A full disk must not keep the watcher from watching, so nothing is written yet.
fn check_folder(state: &Path) -> anyhow::Result<()> {
    let folder = state.parent().unwrap_or(Path::new(""));
    if !folder.as_os_str().is_empty() && !folder.is_dir() {
        bail!(
            "--state {}: there is no folder {}",
            state.display(),
            folder.display()
        );
    }
    Ok(())
}

fn read(path: &Path) -> anyhow::Result<Document> {
    let shown = path.display();
    let file = File::open(path).with_context(|| format!("{shown}"))?;
    let found = file.metadata().with_context(|| format!("{shown}"))?;
    if found.mode() & RIGHTS_OF_OTHERS != 0 {
        let mode = found.mode() & 0o777;
        bail!(
            "{shown}: others may use this file, which holds secrets (mode {mode:o}); run `chmod 600 {shown}`"
        );
    }
    if found.len() > FILE_BYTES_MAX {
        bail!("{shown}: larger than {FILE_BYTES_MAX} bytes");
    }
    let mut text = String::new();
    file.take(FILE_BYTES_MAX)
        .read_to_string(&mut text)
        .with_context(|| format!("{shown}"))?;
    toml::from_str(&text).map_err(|error| {
        // The text around the fault may hold a secret.
        anyhow!("{shown}: {}", error.message())
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
        "sms" => Ok(Outlet::Sms(address)),
        "voice" => Ok(Outlet::Voice(address)),
        "telegram" => Ok(Outlet::Telegram(address)),
        "pushover" => Ok(Outlet::Pushover(address)),
        "webhook" => Ok(Outlet::Webhook {
            url: address,
            key: key.context(
                "a webhook needs the key that signs: key = … in the file, or $TOCSIN_WATCH_KEY",
            )?,
        }),
        other => bail!(
            "{other} is no kind of place: expected ntfy, webhook, email, sms, voice, telegram or pushover"
        ),
    }
}

fn mail_of(mail: Mail) -> anyhow::Result<(MailSettings, Option<SecretString>)> {
    if mail.username.is_some() != mail.password.is_some() {
        bail!("[mail]: username and password go together: give both, or none of them");
    }
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
    Ok((settings, mail.password))
}

#[cfg(test)]
mod tests;
