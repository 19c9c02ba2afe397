//! An account of PagerDuty, read by its REST API: one question after the other, with limits on sizes, times and waits. What the
//! answers mean is not known here.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderValue, LOCATION, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Client, Response, Url};
use serde_json::Value;
use tocsin_domain::time::Timestamp;
use tocsin_wire::pagerduty::import::{Imported, Question, Walk};
use tokio::runtime::Builder;

use super::super::api::{authorities, chain, is_loopback};
use super::super::channel::secret_in;
use super::super::failure::Failure;
use super::super::plain::{self, Plain};
use super::super::screen::Screen;

/// Where everybody's account is.
const PAGERDUTY: &str = "https://api.pagerduty.com";
/// Where the key is looked for when no file is given.
const TOKEN_VARIABLE: &str = "PAGERDUTY_TOKEN";
/// The version of the API that is asked for.
const MEDIA_TYPE: &str = "application/vnd.pagerduty+json;version=2";
/// In how many seconds the answers begin anew after a 429.
const RATE_RESET: &str = "ratelimit-reset";
/// Largest answer, in bytes.
const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Characters shown of a reason.
const REASON_CHARS_MAX: usize = 300;
/// How long a connection may take.
const CONNECT_WAIT: Duration = Duration::from_secs(10);
/// How long a whole answer may take.
const ANSWER_WAIT: Duration = Duration::from_secs(60);
/// How long everything may take.
const WHOLE_WAIT: Duration = Duration::from_secs(3_600);
/// How long is waited after a 429 that does not say it, in seconds.
const RATE_WAIT_S: u64 = 30;
/// How long is waited after an answer that says it at most, in seconds.
const RATE_WAIT_S_MAX: u64 = 120;
/// How often is waited at most.
const RATE_WAITS_MAX: usize = 100;
/// How long is waited before a question is asked again that broke off or was answered by 5xx without saying it, in seconds; so
/// often is it asked again.
const FAULT_PAUSES_S: [u64; 3] = [0, 5, 30];

/// Which account.
#[derive(Clone, Debug, Args)]
pub(crate) struct Settings {
    /// Where the account's API is, such as https://api.eu.pagerduty.com; http only on this machine
    #[arg(long = "from", value_name = "URL", default_value = PAGERDUTY)]
    address: String,
    /// A file with a key of that API on the first line, which need not be more than a read-only one; - reads standard input.
    /// Without it the key is the one in $PAGERDUTY_TOKEN
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
}

/// Reads an account.
///
/// # Errors
/// It cannot be asked, it says no, or what it says is not understood.
pub(super) fn read(
    settings: &Settings,
    ca: Option<&Path>,
    screen: &Screen,
) -> Result<Imported, Failure> {
    let base = base_url(&settings.address)?;
    let account = Account {
        key: key(settings.token_file.as_deref())?,
        client: client(&base, ca)?,
        base,
    };
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::Refused(format!("cannot start: {error}")))?;
    let walk = runtime.block_on(async {
        let walked = tokio::time::timeout(WHOLE_WAIT, account.walk()).await;
        walked.map_err(|_| {
            Failure::Unreachable(format!(
                "{} was not read wholly within {} s",
                account.shown(),
                WHOLE_WAIT.as_secs()
            ))
        })?
    })?;
    let now = Timestamp::from_micros(screen.look.now.as_microsecond());
    Ok(walk.finish(now))
}

fn base_url(given: &str) -> Result<Url, Failure> {
    let wrong = |what: &str| {
        let given = Plain::new(given);
        Failure::Usage(format!(
            "--from {given} {what}; expected an address such as {PAGERDUTY}"
        ))
    };
    let url = Url::parse(given.trim()).map_err(|_| wrong("is not a URL"))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(wrong("is not an https URL"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Failure::Usage(
            "--from holds a name or a password; give a key by --token-file instead".to_owned(),
        ));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(wrong("has more than an address"));
    }
    if url.scheme() == "http" && !is_loopback(&url) {
        return Err(wrong(
            "would send the key where everybody can read it: http is only for this machine",
        ));
    }
    Ok(url)
}

fn key(file: Option<&Path>) -> Result<HeaderValue, Failure> {
    let key = match file {
        Some(file) => secret_in("--token-file", file)?,
        None => std::env::var(TOKEN_VARIABLE).unwrap_or_default(),
    };
    let key = key.trim();
    if key.is_empty() {
        return Err(Failure::Usage(format!(
            "a key of PagerDuty's REST API is needed: give its file by --token-file, or the key in ${TOKEN_VARIABLE}"
        )));
    }
    let value = HeaderValue::from_str(&format!("Token token={key}"));
    let mut value = value.map_err(|_| {
        Failure::Usage("the key has characters that no key of PagerDuty has".to_owned())
    })?;
    value.set_sensitive(true);
    Ok(value)
}

fn client(base: &Url, ca: Option<&Path>) -> Result<Client, Failure> {
    let mut builder = Client::builder()
        .user_agent(concat!("tocsin-cli/", env!("CARGO_PKG_VERSION")))
        .redirect(Policy::none())
        .connect_timeout(CONNECT_WAIT)
        .timeout(ANSWER_WAIT);
    if is_loopback(base) {
        builder = builder.no_proxy();
    }
    builder = match ca {
        // One that is set for a server of ours must not shut out PagerDuty's, so that it is taken besides the system's.
        Some(file) => builder.tls_certs_merge(authorities(file)?),
        None if base.scheme() == "http" => builder.tls_certs_only([]),
        None => builder,
    };
    builder
        .build()
        .map_err(|error| Failure::Usage(format!("cannot prepare TLS: {}", chain(&error))))
}

/// An account that can be asked.
struct Account {
    base: Url,
    key: HeaderValue,
    client: Client,
}

/// What came back.
enum Told {
    /// The body of an answer.
    Answer(Vec<u8>),
    /// It is not given, as this status says.
    Nothing(u16),
    /// It is to be asked again after so long.
    Later(Duration),
    /// What may be over in a moment, and how long it asks to wait.
    Fault {
        failure: Failure,
        wait: Option<Duration>,
    },
}

impl Account {
    fn shown(&self) -> Plain {
        Plain::new(self.base.as_str().trim_end_matches('/'))
    }

    /// Asks everything there is to ask.
    async fn walk(&self) -> Result<Walk, Failure> {
        let (mut walk, mut waits) = (Walk::new(), 0_usize);
        let (mut faults, mut has_answered) = (0_usize, false);
        while let Some(question) = walk.question() {
            match self.ask(&question).await? {
                Told::Answer(body) => {
                    (faults, has_answered) = (0, true);
                    walk.take(&body).map_err(|why| {
                        let why = plain::line(&why);
                        Failure::Refused(format!("{} cannot be imported: {why}", self.shown()))
                    })?;
                }
                Told::Nothing(status) => {
                    faults = 0;
                    walk.lack(status);
                }
                Told::Later(wait) => {
                    waits += 1;
                    if waits > RATE_WAITS_MAX {
                        return Err(Failure::Refused(format!(
                            "{} has refused {waits} questions for being too many (429): try again later",
                            self.shown()
                        )));
                    }
                    tokio::time::sleep(wait).await;
                }
                Told::Fault { failure, wait } => {
                    // Nothing is lost yet, and the address may be a wrong one.
                    let is_silent = matches!(failure, Failure::Unreachable(_)) && !has_answered;
                    let pause = FAULT_PAUSES_S.get(faults).filter(|_| !is_silent);
                    let Some(pause) = pause else {
                        return Err(failure);
                    };
                    faults += 1;
                    tokio::time::sleep(wait.unwrap_or(Duration::from_secs(*pause))).await;
                }
            }
        }
        Ok(walk)
    }

    async fn ask(&self, question: &Question) -> Result<Told, Failure> {
        let mut url = self.base.clone();
        if let Ok(mut steps) = url.path_segments_mut() {
            steps.pop_if_empty().extend(&question.path);
        }
        if !question.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&question.query);
        }
        let request = self.client.get(url).header(ACCEPT, MEDIA_TYPE);
        let request = request.header(AUTHORIZATION, self.key.clone());
        let response = match request.send().await {
            Ok(response) => response,
            Err(error) => return self.broken(&error),
        };
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        if status == 429 {
            let wait = wait_of(&headers).unwrap_or(Duration::from_secs(RATE_WAIT_S));
            return Ok(Told::Later(wait));
        }
        if question.lacking.contains(&status) {
            return Ok(Told::Nothing(status));
        }
        let is_good = response.status().is_success();
        let body = match self.body(response).await? {
            Told::Answer(body) => body,
            other @ (Told::Nothing(_) | Told::Later(_) | Told::Fault { .. }) => return Ok(other),
        };
        if is_good {
            return Ok(Told::Answer(body));
        }
        let failure = Failure::Refused(refusal(
            self.shown().as_str(),
            &question.path.join("/"),
            (status, &headers, &body),
        ));
        if (500..=599).contains(&status) {
            let wait = wait_of(&headers);
            return Ok(Told::Fault { failure, wait });
        }
        Err(failure)
    }

    /// The body of an answer, good or not, or how it broke off.
    async fn body(&self, mut response: Response) -> Result<Told, Failure> {
        let mut body = Vec::new();
        loop {
            let chunk = match response.chunk().await {
                Ok(Some(chunk)) => chunk,
                Ok(None) => return Ok(Told::Answer(body)),
                Err(error) => return self.broken(&error),
            };
            if body.len() + chunk.len() > ANSWER_BYTES_MAX {
                return Err(Failure::Refused(format!(
                    "{}: an answer is larger than {ANSWER_BYTES_MAX} bytes",
                    self.shown()
                )));
            }
            body.extend_from_slice(&chunk);
        }
    }

    /// A connection that broke may be whole again in a moment; one that is not trusted never is.
    fn broken(&self, error: &reqwest::Error) -> Result<Told, Failure> {
        let failure = self.unreachable(error);
        if chain(error).contains("certificate") {
            return Err(failure);
        }
        let wait = None;
        Ok(Told::Fault { failure, wait })
    }

    fn unreachable(&self, error: &reqwest::Error) -> Failure {
        let (base, why) = (self.shown(), chain(error));
        let text = if why.contains("certificate") {
            format!(
                "{base} has a certificate that is not trusted here: {why}\n  \
                 If it comes from an authority of your own, give its file by --ca."
            )
        } else if error.is_connect() {
            format!("cannot connect to {base}: {why}")
        } else if error.is_timeout() {
            format!("{base} did not answer within {} s", ANSWER_WAIT.as_secs())
        } else {
            format!("{base} broke off: {why}")
        };
        Failure::Unreachable(text)
    }
}

/// How long an answer asks to wait, within bounds.
fn wait_of(headers: &HeaderMap) -> Option<Duration> {
    let seconds = [headers.get(RATE_RESET), headers.get(RETRY_AFTER)];
    let mut seconds = seconds.into_iter().flatten().filter_map(|value| {
        let text = value.to_str().ok()?;
        text.trim().parse::<u64>().ok()
    });
    let seconds = seconds.next()?;
    Some(Duration::from_secs(seconds.min(RATE_WAIT_S_MAX)))
}

/// What an answer that is not good means, and what to do.
fn refusal(base: &str, path: &str, (status, headers, body): (u16, &HeaderMap, &[u8])) -> String {
    let reason = reason(body);
    let reason = if reason.is_empty() {
        String::new()
    } else {
        format!(": {reason}")
    };
    let advice = match status {
        300..=399 => {
            let location = headers.get(LOCATION).and_then(|value| value.to_str().ok());
            let location = Plain::new(location.unwrap_or_default());
            format!(
                "It redirects to {location}, which is not followed with a key. Give that address by --from."
            )
        }
        401 => "The key is not good. Make one under Integrations, API Access Keys; for an account in Europe give \
                --from https://api.eu.pagerduty.com."
            .to_owned(),
        403 => "This key may not read it. Use one of the account, which may be read-only.".to_owned(),
        404 => "Is --from the address of PagerDuty's REST API?".to_owned(),
        500..=599 => "Something is wrong there. Try again later.".to_owned(),
        _ => return format!("{base} answered {status} to /{path}{reason}"),
    };
    format!("{base} answered {status} to /{path}{reason}\n  {advice}")
}

/// The reason in an answer: PagerDuty's own, or how the answer begins.
fn reason(body: &[u8]) -> String {
    let read: Option<Value> = serde_json::from_slice(body).ok();
    let error = read.as_ref().and_then(|read| read.get("error"));
    let told = error.and_then(|error| {
        let message = error.get("message").unwrap_or(error);
        message.as_str().map(str::to_owned)
    });
    let text = told.unwrap_or_else(|| String::from_utf8_lossy(body).into_owned());
    let cut: String = text.trim().chars().take(REASON_CHARS_MAX).collect();
    plain::line(&cut)
}
