//! One message by SMTP: one connection, one attempt, the server's own words. It keeps nothing and tries nothing twice.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use lettre::address::Envelope;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};
use lettre::transport::smtp::response::Response;
use lettre::{Address, Message};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use tocsin_domain::id::SecretId;
use tocsin_domain::page::Outcome;
use tocsin_wire::email;
use tocsin_wire::inbound_mail::OWN_HEADER;
use tocsin_wire::page_message::PageMessage;

use super::egress::Egress;
use super::place::{Place, all_readable};
use super::report::Report;
use crate::access::base64;
use crate::ports::{Accounts, StorageError, Vault};

/// The setting that mail is sent by; further servers have settings of their own.
const SETTING: &str = "mail";
/// How long one answer of the server may take; the whole attempt has a deadline of its own.
const ANSWER_WAIT: Duration = Duration::from_secs(10);
/// How long the goodbye may take, after the message was accepted.
const GOODBYE_WAIT: Duration = Duration::from_secs(2);

/// Bytes in one encoded word: with its marks it fits into a line of 76 characters behind the name of the header.
const WORD_BYTES_MAX: usize = 39;

/// How the connection is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encryption {
    /// Not at all.
    None,
    /// After the greeting, or nothing is sent.
    StartTls,
    /// From the start.
    Tls,
}

/// The mail server, as kept in the settings (as JSON).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailSettings {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The sender's address, with or without a name.
    pub from: String,
    /// How the connection is encrypted.
    pub tls: Encryption,
    /// The name to sign in with.
    pub username: Option<String>,
    /// Vault row of the password.
    pub password: Option<SecretId>,
}

/// Sends one message.
pub(crate) async fn send(
    settings: &MailSettings,
    password: Option<&SecretString>,
    egress: &Egress,
    to: &SecretString,
    message: &PageMessage,
    now: SystemTime,
) -> Report {
    let letter = match compose(settings, to, message, now) {
        Ok(letter) => letter,
        Err(report) => return report,
    };
    let mut connection = match open(settings, password, egress).await {
        Ok(connection) => connection,
        Err(report) => return report,
    };
    let handed_over = hand_over(&mut connection, &letter).await;
    tokio::spawn(async move {
        // What became of the message is known; a goodbye that fails changes nothing.
        let _ = tokio::time::timeout(GOODBYE_WAIT, connection.abort()).await;
    });
    match handed_over {
        Ok(response) => {
            let words: Vec<&str> = response.message().collect();
            Report::accepted(format!("{} {}", response.code(), words.join(" ")))
        }
        Err(report) => report,
    }
}

/// Hands a message over. Once the server has said that it takes the words, its answer alone tells what became of them: where that does
/// not come, nobody knows whether the message arrived, and that is no failure.
async fn hand_over(
    connection: &mut AsyncSmtpConnection,
    letter: &Message,
) -> Result<Response, Report> {
    let (envelope, words) = (letter.envelope(), letter.formatted());
    let parameters = parameters(connection, envelope, words.is_ascii())?;
    let known = |error| report_of(&error);
    let mail = Mail::new(envelope.from().cloned(), parameters);
    connection.command(mail).await.map_err(known)?;
    for to in envelope.to() {
        let recipient = Rcpt::new(to.clone(), Vec::new());
        let taken = connection.command(recipient).await;
        taken.map_err(|error| of_recipient(&error))?;
    }
    connection.command(Data).await.map_err(known)?;
    connection.message(&words).await.map_err(|error| {
        let report = report_of(&error);
        if error.is_permanent() || error.is_transient() {
            return report;
        }
        let detail = format!(
            "the mail server did not say what became of the message: it may have been taken ({})",
            report.detail
        );
        Report::new(Outcome::TimedOut, detail)
    })
}

/// What the server must be able to do for this message.
fn parameters(
    connection: &AsyncSmtpConnection,
    envelope: &Envelope,
    words_are_ascii: bool,
) -> Result<Vec<MailParameter>, Report> {
    let lacks = |extension| !connection.server_info().supports_feature(extension);
    let mut addresses = envelope.from().into_iter().chain(envelope.to());
    let mut parameters = Vec::new();
    if !addresses.all(|address| AsRef::<str>::as_ref(address).is_ascii()) {
        if lacks(Extension::SmtpUtfEight) {
            return Err(Report::failed(
                "the mail server does not take addresses beyond ASCII (it offers no SMTPUTF8)",
            ));
        }
        parameters.push(MailParameter::SmtpUtfEight);
    }
    if !words_are_ascii {
        if lacks(Extension::EightBitMime) {
            return Err(Report::failed(
                "the mail server does not take text beyond ASCII (it offers no 8BITMIME)",
            ));
        }
        parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
    }
    Ok(parameters)
}

/// Connects and signs in, but sends nothing: whether the server would take a message.
pub(crate) async fn knock(
    settings: &MailSettings,
    password: Option<&SecretString>,
    egress: &Egress,
) -> Result<(), Report> {
    let mut connection = open(settings, password, egress).await?;
    // It answered; its goodbye does not matter.
    let _ = tokio::time::timeout(GOODBYE_WAIT, connection.quit()).await;
    Ok(())
}

async fn open(
    settings: &MailSettings,
    password: Option<&SecretString>,
    egress: &Egress,
) -> Result<AsyncSmtpConnection, Report> {
    // What is not encrypted may still go to a public relay: whether it does is the administrator's choice of `tls`.
    let addresses = egress
        .resolve(&settings.host, settings.port, true)
        .await
        .map_err(|blocked| {
            Report::failed(format!("the mail server {}: {blocked}", settings.host))
        })?;
    let tls = || {
        TlsParameters::builder(settings.host.clone())
            .build_rustls()
            .map_err(|error| Report::failed(format!("TLS: {error}")))
    };
    let hello = ClientId::default();
    let wrapped = if settings.tls == Encryption::Tls {
        Some(tls()?)
    } else {
        None
    };
    let mut connection = connect(&addresses, &hello, wrapped)
        .await
        .map_err(|error| report_of(&error))?;
    if settings.tls == Encryption::StartTls {
        if !connection.can_starttls() {
            return Err(Report::failed(
                "the mail server offers no STARTTLS; nothing was sent in the clear",
            ));
        }
        connection
            .starttls(tls()?, &hello)
            .await
            .map_err(|error| report_of(&error))?;
    }
    if let (Some(name), Some(password)) = (&settings.username, password) {
        let credentials = Credentials::new(name.clone(), password.expose_secret().to_owned());
        let ways = [Mechanism::Plain, Mechanism::Login];
        connection
            .auth(&ways, &credentials)
            .await
            .map_err(|error| report_of(&error))?;
    }
    Ok(connection)
}

async fn connect(
    addresses: &[SocketAddr],
    hello: &ClientId,
    tls: Option<TlsParameters>,
) -> Result<AsyncSmtpConnection, lettre::transport::smtp::Error> {
    AsyncSmtpConnection::connect_tokio1(addresses, Some(ANSWER_WAIT), hello, tls, None).await
}

/// Why a recipient was not taken.
fn of_recipient(error: &lettre::transport::smtp::Error) -> Report {
    use std::error::Error;
    let code = error.status().filter(|_| error.is_permanent());
    let words = error.source().map(|words| words.to_string());
    let words = words.unwrap_or_default();
    Report {
        of_receiver: code.is_some_and(|code| is_about_recipient(&code.to_string(), &words)),
        ..report_of(error)
    }
}

/// Whether a server that refuses a recipient for good does so because of them, as any other one would in the end: one that takes
/// everything and finds that out later tells nobody. Codes after the first (RFC 3463) tell an address or a mailbox that is none from a
/// sender that may not write (`5.1.7`, `5.1.8`, `5.7.1`).
fn is_about_recipient(code: &str, words: &str) -> bool {
    let mut words_of = words.split(|letter: char| letter.is_whitespace() || "()#".contains(letter));
    match words_of.find_map(|word| word.strip_prefix("5.")) {
        Some("1.7" | "1.8") => false,
        Some(subject) => subject.starts_with("1.") || subject.starts_with("2."),
        // Some servers that do not know the sender say so with these codes too.
        None => {
            let words = words.to_lowercase();
            let is_of_sender = words.contains("relay") || words.contains("rcpthosts");
            ["550", "551", "553"].contains(&code) && !is_of_sender
        }
    }
}

fn report_of(error: &lettre::transport::smtp::Error) -> Report {
    use std::error::Error;
    let outcome = if error.is_timeout() {
        Outcome::TimedOut
    } else if error.is_permanent() {
        Outcome::Refused
    } else {
        Outcome::Failed
    };
    let mut detail = error.to_string();
    if let Some(source) = error.source()
        && !detail.contains(&source.to_string())
    {
        detail = format!("{detail}: {source}");
    }
    Report::new(outcome, detail)
}

/// The MIME message. Its id is the notification's, so that a repeated attempt is the same message to a mail program.
fn compose(
    settings: &MailSettings,
    to: &SecretString,
    message: &PageMessage,
    now: SystemTime,
) -> Result<Message, Report> {
    let from: Mailbox = settings
        .from
        .parse()
        .map_err(|_| Report::failed("the sender's address in the mail settings is wrong"))?;
    let to: Address = to
        .expose_secret()
        .parse()
        .map_err(|_| Report::refused("the address is not a mail address"))?;
    let envelope = Envelope::new(Some(from.email.clone()), vec![to.clone()])
        .map_err(|error| Report::refused(format!("the envelope cannot be made: {error}")))?;
    let id = format!("<{}@{}>", message.idempotency_key, from.email.domain());
    let content = email::render(message);
    Message::builder()
        .from(from)
        .to(Mailbox::new(None, to))
        .envelope(envelope)
        .date(now)
        .message_id(Some(id))
        .raw_header(subject(content.subject))
        .raw_header(HeaderValue::new(
            HeaderName::new_from_ascii_str("Auto-Submitted"),
            "auto-generated".to_owned(),
        ))
        // So that a page that comes back by an address of ours raises no alert.
        .raw_header(HeaderValue::new(
            HeaderName::new_from_ascii_str(OWN_HEADER),
            "page".to_owned(),
        ))
        .multipart(MultiPart::alternative_plain_html(
            content.text,
            content.html,
        ))
        .map_err(|error| Report::refused(format!("the message cannot be made: {error}")))
}

/// The subject. Whoever reports what fails may write what readers of mail take for an encoded word (RFC 2047) and show as something
/// else: all of it is encoded then, so that it is shown as it is.
fn subject(text: String) -> HeaderValue {
    let name = HeaderName::new_from_ascii_str("Subject");
    if !text.contains("=?") {
        return HeaderValue::new(name, text);
    }
    let (mut words, mut rest) = (Vec::new(), text.as_str());
    while !rest.is_empty() {
        let (word, after) = rest.split_at(rest.floor_char_boundary(WORD_BYTES_MAX));
        words.push(format!("=?utf-8?b?{}?=", base64::encode(word.as_bytes())));
        rest = after;
    }
    let encoded = words.join("\r\n ");
    HeaderValue::dangerous_new_pre_encoded(name, text, encoded)
}

/// A mail server with its password, if it wants one.
pub(crate) type Server = (MailSettings, Option<SecretString>);

/// The mail server as it is kept at this place; none when nobody set one.
pub(crate) fn kept(
    accounts: &dyn Accounts,
    place: Place,
) -> Result<Option<MailSettings>, StorageError> {
    let Some(text) = accounts.setting(&place.setting(SETTING))? else {
        return Ok(None);
    };
    // `null` is what is left of a server that was removed.
    serde_json::from_str(&text).map_err(|error| StorageError {
        why: format!("the mail settings cannot be read: {error}"),
        disk_full: false,
    })
}

/// Keeps the settings of a mail server; none of one that is not used any more.
pub(crate) fn keep(
    accounts: &dyn Accounts,
    place: Place,
    settings: Option<&MailSettings>,
) -> Result<(), StorageError> {
    // Serializing strings into memory has no way to fail.
    let text = serde_json::to_string(&settings).unwrap_or_default();
    accounts.set_setting(&place.setting(SETTING), &text)
}

/// Whether there is a mail server at any place.
pub(crate) fn is_set_up(accounts: &dyn Accounts) -> Result<bool, StorageError> {
    let all = all_readable(&Place::ALL, |place| kept(accounts, place))?;
    Ok(!all.is_empty())
}

/// The addresses that mail is sent from, in the order of their servers.
pub(crate) fn senders(accounts: &dyn Accounts) -> Result<Vec<String>, StorageError> {
    let all = all_readable(&Place::ALL, |place| kept(accounts, place))?;
    let known = all
        .iter()
        .filter_map(|(_, settings)| settings.from.parse::<Mailbox>().ok());
    Ok(known.map(|from| from.email.to_string()).collect())
}

/// The mail servers with their passwords, in the order of their places.
pub(crate) fn servers(
    accounts: &dyn Accounts,
    vault: &dyn Vault,
) -> Result<Vec<(Place, Server)>, StorageError> {
    all_readable(&Place::ALL, |place| server(accounts, vault, place))
}

fn server(
    accounts: &dyn Accounts,
    vault: &dyn Vault,
    place: Place,
) -> Result<Option<Server>, StorageError> {
    let Some(settings) = kept(accounts, place)? else {
        return Ok(None);
    };
    let password = settings.password.map_or(Ok(None), |id| vault.get(id))?;
    Ok(Some((settings, password)))
}

/// The mail server at this place with its password; `None` when none is set up there.
pub(crate) async fn mail_server(
    accounts: &Arc<dyn Accounts>,
    vault: &Arc<dyn Vault>,
    place: Place,
) -> Result<Option<Server>, StorageError> {
    let (accounts, vault) = (Arc::clone(accounts), Arc::clone(vault));
    let read =
        tokio::task::spawn_blocking(move || server(accounts.as_ref(), vault.as_ref(), place));
    read.await.map_err(|_| StorageError {
        why: "the mail settings could not be read".to_owned(),
        disk_full: false,
    })?
}

#[cfg(test)]
mod tests {
    use lettre::message::header::Headers;
    use tocsin_wire::inbound_mail::Mail;

    use super::*;

    #[test]
    fn a_recipient_is_refused_because_of_them_or_because_of_us() {
        let check = |code: &str, words: &str, expected: bool| {
            assert_eq!(is_about_recipient(code, words), expected, "{code} {words}");
        };
        check("550", "5.1.1 <a@example.org>: unknown user", true);
        check("550", "5.2.1 mailbox disabled", true);
        check("550", "relay not permitted", false);
        check(
            "553",
            "sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)",
            false,
        );
        check("550", "no such mailbox (#5.1.1)", true);
        check("550", "No such user here", true);
        check("550", "", true);
        check("553", "mailbox name not allowed", true);
        check("550", "5.7.1 relaying denied", false);
        check("550", "5.1.8 sender address rejected", false);
        check("554", "your address is listed", false);
        check("530", "authentication required", false);
    }

    #[test]
    fn a_subject_is_read_as_it_was_written() {
        let long = "=?utf-8?b?eA==?= é".repeat(9);
        for text in [
            "[Page #1] web is down",
            "[Page #1] é =?utf-8?q?All_clear?=",
            "=? ?=",
            &long,
        ] {
            let mut headers = Headers::new();
            headers.insert_raw(subject(text.to_owned()));
            let written = headers.to_string();
            assert!(written.lines().all(|line| line.len() <= 76), "{written}");
            let read = Mail::read(format!("{written}\r\nx").as_bytes());
            assert_eq!(read.subject, text, "{written}");
        }
    }
}
