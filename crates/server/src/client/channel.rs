//! `tocsin channel …`: the mail servers by which pages leave, and the accounts at other providers.

mod account;

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use serde::Deserialize;
use serde_json::json;

use super::api::Api;
use super::failure::Failure;
use super::look::Look;
use super::notification::{Followed, follow, pause};
use super::plain::{self, Plain};
use super::screen::Screen;
use super::table::facts;

/// Largest password, in bytes.
const PASSWORD_BYTES_MAX: u64 = 4_096;

/// What can be done with channels.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Verb {
    /// Mail
    Email {
        #[command(subcommand)]
        verb: EmailVerb,
    },
    /// Accounts at providers: Twilio, Telegram, Pushover, Slack, web push, PagerDuty
    Account {
        #[command(subcommand)]
        verb: account::Verb,
    },
}

/// What can be done with mail.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum EmailVerb {
    /// Show the mail servers and how they are
    Show,
    /// Set the mail server, or one that takes over where it fails
    Set(Settings),
    /// Remove a mail server that takes over, with its password
    Remove {
        /// Its place
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(2..=3))]
        place: u32,
    },
    /// Send a test page to oneself by mail, and wait for what becomes of it
    Test,
}

/// A mail server.
#[derive(Clone, Debug, Args)]
pub(crate) struct Settings {
    /// Its host name
    #[arg(long)]
    host: String,
    /// Its port; by default 587 for starttls, 465 for tls, 25 for none
    #[arg(long)]
    port: Option<u16>,
    /// The sender of pages
    #[arg(long, value_name = "ADDRESS")]
    from: String,
    /// How the connection is encrypted
    #[arg(long, value_enum, default_value_t = Encryption::Starttls)]
    tls: Encryption,
    /// The account at the mail server
    #[arg(long)]
    username: Option<String>,
    /// A file with its password on the first line; - reads standard input. Without it the password stays, as long as host and
    /// account do
    #[arg(long, value_name = "FILE", requires = "username")]
    password_file: Option<PathBuf>,
    /// Its place, 1 to 3: each takes over where those before it fail
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=3))]
    place: u32,
}

/// How a connection to a mail server is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Encryption {
    /// Not at all
    None,
    /// After a plain greeting
    Starttls,
    /// From the first byte
    Tls,
}

impl Encryption {
    fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Starttls => "starttls",
            Self::Tls => "tls",
        }
    }

    /// The usual port (RFC 6409, RFC 8314).
    fn port(self) -> u16 {
        match self {
            Self::None => 25,
            Self::Starttls => 587,
            Self::Tls => 465,
        }
    }
}

#[derive(Debug, Deserialize)]
struct Channels {
    email: Email,
    #[serde(default)]
    further_email: Vec<Email>,
}

#[derive(Debug, Deserialize)]
struct Email {
    #[serde(default)]
    place: u32,
    configured: bool,
    #[serde(default)]
    host: Option<Plain>,
    #[serde(default)]
    port: Option<u16>,
    #[serde(default)]
    from: Option<Plain>,
    #[serde(default)]
    tls: Option<Plain>,
    #[serde(default)]
    state: Option<Plain>,
    #[serde(default)]
    detail: Option<Plain>,
}

pub(super) fn run(verb: &Verb, api: &Api, screen: &Screen) -> Result<(), Failure> {
    let verb = match verb {
        Verb::Email { verb } => verb,
        Verb::Account { verb } => return account::run(verb, api, screen),
    };
    match verb {
        EmailVerb::Show => screen.show(&api.get(&["channels"], &[])?, all_shown),
        EmailVerb::Set(settings) => set(settings, api, screen),
        EmailVerb::Remove { place } => {
            let answer = api.delete(&at(&["channels", "email"], *place, &place.to_string()))?;
            screen.done(&answer, "The mail server is removed, with its password.")
        }
        EmailVerb::Test => try_out(api, screen),
    }
}

fn set(settings: &Settings, api: &Api, screen: &Screen) -> Result<(), Failure> {
    let mut body = json!({
        "host": settings.host,
        "port": settings.port.unwrap_or(settings.tls.port()),
        "from": settings.from,
        "tls": settings.tls.word(),
    });
    if let Some(username) = &settings.username {
        body["username"] = json!(username);
    }
    if let Some(file) = &settings.password_file {
        body["password"] = json!(secret_in("--password-file", file)?);
    }
    let number = settings.place.to_string();
    let path = at(&["channels", "email"], settings.place, &number);
    let answer = api.put(&path, &body)?;
    screen.done(
        &answer,
        "The mail server is set. Try it: tocsin channel email test",
    )
}

/// The path of what stands at a place: that of the first has no number.
fn at<'a>(first: &[&'a str], place: u32, number: &'a str) -> Vec<&'a str> {
    let further = (place > 1).then_some(number);
    first.iter().copied().chain(further).collect()
}

/// The secret on the first line of a file, or of standard input.
pub(super) fn secret_in(flag: &str, file: &Path) -> Result<String, Failure> {
    let shown = plain::line(&file.to_string_lossy());
    let wrong = |why: String| Failure::Usage(format!("{flag} {shown}: {why}"));
    let mut text = String::new();
    let read = if file == Path::new("-") {
        io::stdin()
            .lock()
            .take(PASSWORD_BYTES_MAX + 1)
            .read_to_string(&mut text)
    } else {
        std::fs::File::open(file)
            .and_then(|file| file.take(PASSWORD_BYTES_MAX + 1).read_to_string(&mut text))
    };
    let count = read.map_err(|error| wrong(error.to_string()))?;
    if count as u64 > PASSWORD_BYTES_MAX {
        return Err(wrong(format!("larger than {PASSWORD_BYTES_MAX} bytes")));
    }
    let first = text.lines().next().unwrap_or_default();
    if first.is_empty() {
        Err(wrong("its first line is empty".to_owned()))
    } else {
        Ok(first.to_owned())
    }
}

fn try_out(api: &Api, screen: &Screen) -> Result<(), Failure> {
    let planned = api
        .post(&["channels", "email", "test"], &json!({}))?
        .parsed()?;
    if !screen.wants_json() {
        screen.say("Test page to yourself by mail")?;
    }
    follow(
        api,
        screen,
        vec![Followed::new("mail".to_owned(), planned)],
        Vec::new(),
        &mut pause,
    )
}

fn all_shown(channels: &Channels, look: &Look) -> String {
    let all = std::iter::once(&channels.email).chain(&channels.further_email);
    let all = all.map(|email| shown(email, look));
    all.collect::<Vec<_>>().join("\n")
}

fn shown(email: &Email, look: &Look) -> String {
    if !email.configured {
        return "No mail server is set. Set one: tocsin channel email set --host HOST --from ADDRESS\n".to_owned();
    }
    let text = |value: &Option<Plain>| value.as_ref().map(ToString::to_string).unwrap_or_default();
    let port = email
        .port
        .map(|port| format!(":{port}"))
        .unwrap_or_default();
    let state = email
        .state
        .as_ref()
        .map(|state| look.state(state))
        .unwrap_or_default();
    let place = (email.place > 1).then(|| ("place", email.place.to_string()));
    let mut known: Vec<(&str, String)> = place.into_iter().collect();
    known.extend([
        ("server", format!("{}{port}", text(&email.host))),
        ("from", text(&email.from)),
        ("encryption", text(&email.tls)),
        ("state", state),
    ]);
    known.extend(
        email
            .detail
            .as_ref()
            .filter(|detail| !detail.as_str().is_empty())
            .map(|detail| ("", detail.to_string())),
    );
    facts(&known, look)
}

#[cfg(test)]
mod tests {
    use super::super::api::Answer;
    use super::*;

    fn check(given: &str, expected: &str) {
        let channels: Channels = Answer::of(given).parsed().unwrap();
        assert_eq!(all_shown(&channels, &Look::of_test()), expected);
    }

    #[test]
    fn the_mail_server_shows_its_state() {
        check(
            r#"{"email":{"configured":true,"host":"mail.example.org","port":587,"from":"tocsin@example.org","tls":"starttls",
                "state":"failing","detail":"connection refused"},"ntfy":{}}"#,
            "server      mail.example.org:587\nfrom        tocsin@example.org\nencryption  starttls\n\
             state       failing\n            connection refused\n",
        );
        check(
            r#"{"email":{"configured":false,"host":null,"port":null,"from":null,"tls":null}}"#,
            "No mail server is set. Set one: tocsin channel email set --host HOST --from ADDRESS\n",
        );
    }

    #[test]
    fn a_mail_server_that_takes_over_shows_its_place() {
        check(
            r#"{"email":{"place":1,"configured":true,"host":"a.example","port":25,"from":"t@a.example","tls":"none","state":"ok"},
                "further_email":[{"place":2,"configured":true,"host":"b.example","port":465,"from":"t@b.example","tls":"tls",
                "state":"ok"}]}"#,
            "server      a.example:25\nfrom        t@a.example\nencryption  none\nstate       ok\n\n\
             place       2\nserver      b.example:465\nfrom        t@b.example\nencryption  tls\nstate       ok\n",
        );
    }

    #[test]
    fn what_stands_at_a_further_place_has_a_path_of_its_own() {
        let first = ["channels", "email"];
        assert_eq!(at(&first, 1, "1"), ["channels", "email"]);
        assert_eq!(at(&first, 3, "3"), ["channels", "email", "3"]);
    }

    #[test]
    fn a_password_is_the_first_line_of_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        let read = |text: &str| {
            std::fs::write(&path, text).unwrap();
            secret_in("--password-file", &path).ok()
        };
        assert_eq!(read("s3cret\n"), Some("s3cret".to_owned()));
        assert_eq!(
            read(" with spaces \r\nmore"),
            Some(" with spaces ".to_owned())
        );
        assert_eq!(read("\n"), None);
        assert_eq!(read(&"x".repeat(5_000)), None);
        assert!(secret_in("--password-file", &folder.path().join("none")).is_err());
    }
}
