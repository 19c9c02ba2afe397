//! The requests of one job: where they may go, how they show who they are, how much of an answer is taken. It reads no format.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Response, StatusCode, Url, redirect};
use tocsin_wire::prometheus_scrape::{Auth, HeaderSource, Job, SecretSource, accept_header};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::failure::Failure;
use super::tls;
use crate::access::base64;
use crate::delivery::egress::{Blocked, Egress};
use crate::delivery::exchange::{Checked, causes};

/// An answer is never larger, whatever the configuration says, bytes.
pub(super) const BODY_BYTES_MAX: u64 = 50 << 20;
/// Bytes of one permit of the memory that all answers share.
const PERMIT_BYTES: usize = 64 << 10;
/// Permits of all answers that are being read: 256 MiB.
pub(super) const PERMITS: usize = 4_096;
/// A file with a secret is not larger, bytes.
const SECRET_BYTES_MAX: u64 = 64 << 10;
/// Redirects that are followed one after the other.
const REDIRECTS_MAX: usize = 5;
/// Header that tells an exporter how long it has, seconds.
const TIMEOUT_HEADER: &str = "x-prometheus-scrape-timeout-seconds";

/// What an exporter answered.
pub(super) struct Fetched {
    /// As it came, compressed perhaps.
    pub(super) body: Vec<u8>,
    /// Whether it is gzip.
    pub(super) gzip: bool,
    /// What it says it is.
    pub(super) content_type: Option<String>,
    /// The memory it takes, given back when it is dropped.
    pub(super) _room: Vec<OwnedSemaphorePermit>,
}

/// Makes the requests of one job.
pub(super) struct JobClient {
    http: Client,
    egress: Egress,
    accept: HeaderValue,
    compression: bool,
    body_bytes_max: u64,
    auth: Auth,
    headers: Vec<(HeaderName, HeaderSource)>,
}

impl JobClient {
    /// A client as the job wants it. It reads the files of its encryption, now and never again.
    ///
    /// # Errors
    /// What cannot be used.
    pub(super) fn new(job: &Job, egress: &Egress) -> Result<Self, String> {
        let accept = accept_header(&job.protocols, job.escaping);
        let mut headers = Vec::new();
        for (name, sources) in &job.http.headers {
            let name: HeaderName = name
                .parse()
                .map_err(|_| format!("{name:?} is no name of a header"))?;
            headers.extend(sources.iter().map(|source| (name.clone(), source.clone())));
        }
        let limit = job.limits.body_bytes;
        Ok(Self {
            http: client(job, egress)?,
            egress: egress.clone(),
            accept: HeaderValue::from_str(&accept).map_err(|error| error.to_string())?,
            compression: job.compression,
            body_bytes_max: if limit == 0 {
                BODY_BYTES_MAX
            } else {
                limit.min(BODY_BYTES_MAX)
            },
            auth: job.http.auth.clone(),
            headers,
        })
    }

    /// The largest answer that is taken, bytes.
    pub(super) fn body_bytes_max(&self) -> u64 {
        self.body_bytes_max
    }

    /// Asks an exporter; all of it within `timeout`.
    pub(super) async fn fetch(
        &self,
        url: &str,
        timeout: Duration,
        room: &Arc<Semaphore>,
    ) -> Result<Fetched, Failure> {
        tokio::time::timeout(timeout, self.fetch_in_time(url, timeout, room))
            .await
            .unwrap_or(Err(Failure::TimedOut(timeout)))
    }

    async fn fetch_in_time(
        &self,
        url: &str,
        timeout: Duration,
        room: &Arc<Semaphore>,
    ) -> Result<Fetched, Failure> {
        let url: Url = url
            .parse()
            .map_err(|error| Failure::Unusable(format!("{url:?} is no URL: {error}")))?;
        check(&self.egress, &url)?;
        let headers = self.headers(timeout).await?;
        let response = self.http.get(url).headers(headers).send().await;
        let response =
            response.map_err(|error| Failure::Connection(causes(&error.without_url())))?;
        if response.status() != StatusCode::OK {
            return Err(Failure::Status(response.status()));
        }
        let header = |name| {
            let value = response.headers().get(name);
            value
                .and_then(|value: &HeaderValue| value.to_str().ok())
                .map(str::to_owned)
        };
        let content_type = header(CONTENT_TYPE);
        let gzip = match header(CONTENT_ENCODING).as_deref().map(str::trim) {
            None | Some("" | "identity") => false,
            Some("gzip" | "x-gzip") => true,
            Some(other) => {
                let what = format!("the Content-Encoding {other:?} was not asked for");
                return Err(Failure::Packed(what));
            }
        };
        let (body, room) = self.body(response, room).await?;
        Ok(Fetched {
            body,
            gzip,
            content_type,
            _room: room,
        })
    }

    async fn body(
        &self,
        mut response: Response,
        room: &Arc<Semaphore>,
    ) -> Result<(Vec<u8>, Vec<OwnedSemaphorePermit>), Failure> {
        let mut body = Vec::new();
        let mut permits = Vec::new();
        let broken = |error: reqwest::Error| Failure::Connection(causes(&error.without_url()));
        while let Some(piece) = response.chunk().await.map_err(broken)? {
            if (body.len() + piece.len()) as u64 > self.body_bytes_max {
                return Err(Failure::TooLarge(self.body_bytes_max));
            }
            while body.len() + piece.len() > permits.len() * PERMIT_BYTES {
                let permit = Arc::clone(room).try_acquire_owned();
                permits.push(permit.map_err(|_| Failure::TooMuchAtOnce)?);
            }
            body.extend_from_slice(&piece);
        }
        Ok((body, permits))
    }

    async fn headers(&self, timeout: Duration) -> Result<HeaderMap, Failure> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, self.accept.clone());
        let encoding = if self.compression { "gzip" } else { "identity" };
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(encoding));
        let seconds = timeout.as_secs_f64().to_string();
        headers.insert(TIMEOUT_HEADER, value(&seconds, false)?);
        match &self.auth {
            Auth::None => {}
            Auth::Basic { username, password } => {
                let pair = format!("{}:{}", secret(username).await?, secret(password).await?);
                let basic = format!("Basic {}", base64::encode(pair.as_bytes()));
                headers.insert(AUTHORIZATION, value(&basic, true)?);
            }
            Auth::Credentials { kind, credentials } => {
                let text = format!("{kind} {}", secret(credentials).await?);
                headers.insert(AUTHORIZATION, value(&text, true)?);
            }
        }
        for (name, source) in &self.headers {
            let text = match source {
                HeaderSource::Plain(text) => value(text, false)?,
                HeaderSource::Secret(source) => value(&secret(source).await?, true)?,
            };
            headers.append(name.clone(), text);
        }
        Ok(headers)
    }
}

fn client(job: &Job, egress: &Egress) -> Result<Client, String> {
    let builder = || {
        let checked = Checked {
            egress: egress.clone(),
            encrypted: true,
        };
        Client::builder()
            .dns_resolver(Arc::new(checked))
            .redirect(redirects(job.http.follow_redirects))
            .no_proxy()
            .pool_max_idle_per_host(1)
            .user_agent(concat!("Tocsin/", env!("CARGO_PKG_VERSION")))
    };
    tls::build(builder, &job.http.tls)
}

/// Redirects stay on the same host and port, or go from http to https on the same host: what a request carries is meant for that
/// host alone.
fn redirects(follow: bool) -> redirect::Policy {
    if !follow {
        return redirect::Policy::none();
    }
    redirect::Policy::custom(|attempt| {
        if attempt.previous().len() > REDIRECTS_MAX {
            return attempt.error(format!("more than {REDIRECTS_MAX} redirects"));
        }
        let stays = attempt.previous().last().is_some_and(|from| {
            let to = attempt.url();
            let same_place = from.scheme() == to.scheme()
                && from.port_or_known_default() == to.port_or_known_default();
            let becomes_encrypted = from.scheme() == "http" && to.scheme() == "https";
            from.host_str() == to.host_str() && (same_place || becomes_encrypted)
        });
        if stays {
            attempt.follow()
        } else {
            attempt.error("the exporter redirects to another host or port, which is not followed")
        }
    })
}

/// A literal address never comes to the resolver, so it is checked here.
fn check(egress: &Egress, url: &Url) -> Result<(), Blocked> {
    let host = url.host_str().unwrap_or_default();
    let literal = host.trim_start_matches('[').trim_end_matches(']').parse();
    literal.map_or(Ok(()), |address| egress.permits(address))
}

fn value(text: &str, is_secret: bool) -> Result<HeaderValue, Failure> {
    let value = HeaderValue::from_str(text);
    let mut value = value.map_err(|_| {
        Failure::Unusable("a header of this job has signs that no header may have".to_owned())
    })?;
    value.set_sensitive(is_secret);
    Ok(value)
}

/// A secret as it is now; ends of lines around it do not count.
async fn secret(source: &SecretSource) -> Result<String, Failure> {
    match source {
        SecretSource::Given(secret) => Ok(secret.expose().to_owned()),
        SecretSource::File(file) => {
            let told = |why: String| Failure::Secret {
                file: file.clone(),
                why,
            };
            let path = file.clone();
            let read =
                tokio::task::spawn_blocking(move || tls::read_small(&path, SECRET_BYTES_MAX));
            let bytes = read
                .await
                .map_err(|error| told(error.to_string()))?
                .map_err(told)?;
            let text = String::from_utf8(bytes).map_err(|_| told("is no UTF-8 text".to_owned()))?;
            Ok(text.trim().to_owned())
        }
    }
}
