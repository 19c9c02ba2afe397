//! One server, spoken to by its native API: requests with a token, limits on time and size, and every way in which no answer
//! comes told apart. It must not know what the answers mean.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::header::{ACCEPT, HeaderMap, LOCATION, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, Method, Url};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};

use super::Connection;
use super::failure::Failure;
use super::plain::{self, Plain};
use super::problem::{self, Refusal};

/// Largest answer, in bytes.
const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Largest certificate file, in bytes.
const CA_BYTES_MAX: u64 = 1024 * 1024;
/// How long a connection may take.
const CONNECT_WAIT: Duration = Duration::from_secs(5);
/// How long a whole answer may take.
const ANSWER_WAIT: Duration = Duration::from_secs(30);

/// A server that can be asked.
pub(super) struct Api {
    base: Url,
    token: Option<String>,
    ca: Option<PathBuf>,
    client: Client,
    runtime: Runtime,
}

/// A successful answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    body: Vec<u8>,
}

impl Api {
    /// Prepares requests; nothing is sent yet.
    ///
    /// # Errors
    /// When the address or the certificate file is of no use.
    pub(super) fn open(connection: &Connection) -> Result<Self, Failure> {
        let base = base_url(&connection.url)?;
        let mut builder = Client::builder()
            .user_agent(concat!("tocsin-cli/", env!("CARGO_PKG_VERSION")))
            .redirect(Policy::none())
            .connect_timeout(CONNECT_WAIT)
            .timeout(ANSWER_WAIT);
        if is_loopback(&base) {
            builder = builder.no_proxy();
        }
        builder = match &connection.ca {
            Some(file) => builder.tls_certs_only(authorities(file)?),
            // A machine without any certificates must still be able to speak plain http.
            None if base.scheme() == "http" => builder.tls_certs_only([]),
            None => builder,
        };
        let client = builder
            .build()
            .map_err(|error| Failure::Usage(format!("cannot prepare TLS: {}", chain(&error))))?;
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime =
            runtime.map_err(|error| Failure::Refused(format!("cannot start: {error}")))?;
        let token = connection
            .token
            .as_deref()
            .map(str::trim)
            .filter(|token| !token.is_empty());
        Ok(Self {
            base,
            token: token.map(str::to_owned),
            ca: connection.ca.clone(),
            client,
            runtime,
        })
    }

    /// The file of the authority that certificates must come from, if one was given.
    pub(super) fn ca(&self) -> Option<&Path> {
        self.ca.as_deref()
    }

    pub(super) fn get(&self, path: &[&str], query: &[(&str, String)]) -> Result<Answer, Failure> {
        self.ask(Method::GET, path, query, None)
    }

    pub(super) fn post(&self, path: &[&str], body: &Value) -> Result<Answer, Failure> {
        self.ask(Method::POST, path, &[], Some(body))
    }

    pub(super) fn put(&self, path: &[&str], body: &Value) -> Result<Answer, Failure> {
        self.ask(Method::PUT, path, &[], Some(body))
    }

    pub(super) fn patch(&self, path: &[&str], body: &Value) -> Result<Answer, Failure> {
        self.ask(Method::PATCH, path, &[], Some(body))
    }

    pub(super) fn delete(&self, path: &[&str]) -> Result<Answer, Failure> {
        self.ask(Method::DELETE, path, &[], None)
    }

    fn ask(
        &self,
        method: Method,
        path: &[&str],
        query: &[(&str, String)],
        body: Option<&Value>,
    ) -> Result<Answer, Failure> {
        let url = self.address(path, query)?;
        let changes = method != Method::GET;
        let mut request = self.client.request(method, url).header(ACCEPT, "*/*");
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        self.runtime.block_on(async {
            let response = request
                .send()
                .await
                .map_err(|error| self.unreachable(&error, changes))?;
            self.read(response, changes).await
        })
    }

    async fn read(
        &self,
        mut response: reqwest::Response,
        changes: bool,
    ) -> Result<Answer, Failure> {
        let status = response.status();
        let headers = response.headers().clone();
        let mut body = Vec::new();
        while let Some(chunk) = response
            .chunk()
            .await
            .map_err(|error| self.unreachable(&error, changes))?
        {
            if body.len() + chunk.len() > ANSWER_BYTES_MAX {
                let text = format!(
                    "the answer is larger than {ANSWER_BYTES_MAX} bytes; ask for less, by --limit for example"
                );
                return Err(Failure::Refused(text));
            }
            body.extend_from_slice(&chunk);
        }
        if status.is_success() {
            return Ok(Answer { body });
        }
        Err(problem::failure(&Refusal {
            status: status.as_u16(),
            body: &body,
            retry_after: header(&headers, &RETRY_AFTER),
            location: header(&headers, &LOCATION),
            with_token: self.token.is_some(),
        }))
    }

    fn address(&self, path: &[&str], query: &[(&str, String)]) -> Result<Url, Failure> {
        // The URL type drops such steps silently, and another thing would be asked for.
        if path.iter().any(|step| matches!(*step, "" | "." | "..")) {
            return Err(Failure::Usage(
                "an id or a number is wanted, not an empty word or dots".to_owned(),
            ));
        }
        let mut url = self.base.clone();
        if let Ok(mut steps) = url.path_segments_mut() {
            steps
                .pop_if_empty()
                .extend(["api", "tocsin", "v1"])
                .extend(path);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        Ok(url)
    }

    fn unreachable(&self, error: &reqwest::Error, changes: bool) -> Failure {
        let base = Plain::new(self.base.as_str().trim_end_matches('/'));
        let why = chain(error);
        let text = if why.contains("certificate") {
            let advice = if self.ca.is_some() {
                "Is the file of --ca the one of this server, and --url the name in its certificate?"
            } else {
                "For a self-signed server give --ca DATA/tls/ca.pem of its data directory."
            };
            format!("{base} has a certificate that is not trusted here: {why}\n  {advice}")
        } else if why.contains("corrupt message") {
            format!("{base} does not speak TLS.\n  Did you mean http:// in --url?")
        } else if error.is_connect() {
            format!(
                "cannot connect to {base}: {why}\n  \
                 Is `tocsin serve` running there? Another address is given by --url or in $TOCSIN_URL."
            )
        } else if error.is_timeout() {
            format!(
                "{base} did not answer within {} s{}",
                ANSWER_WAIT.as_secs(),
                unsure(changes)
            )
        } else {
            let tls = if self.base.scheme() == "http" {
                "\n  If it serves TLS, write https:// in --url."
            } else {
                ""
            };
            format!("{base} broke off: {why}{}{tls}", unsure(changes))
        };
        Failure::Unreachable(text)
    }
}

fn unsure(changes: bool) -> &'static str {
    if changes {
        "\n  It may have been done all the same: look before you repeat it."
    } else {
        ""
    }
}

fn header(headers: &HeaderMap, name: &reqwest::header::HeaderName) -> Option<Plain> {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .map(Plain::new)
}

/// The innermost words of an error: the outer ones repeat the address, which may be long.
pub(super) fn chain(error: &dyn Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    plain::line(&innermost.to_string())
}

fn base_url(given: &str) -> Result<Url, Failure> {
    let wrong = |what: &str| {
        let given = Plain::new(given);
        Failure::Usage(format!(
            "--url {given} {what}; expected an address such as http://127.0.0.1:8700"
        ))
    };
    let url = Url::parse(given.trim()).map_err(|_| wrong("is not a URL"))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(wrong("is not an http or https URL"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Failure::Usage(
            "--url holds a name or a password; give a token by --token instead".to_owned(),
        ));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(wrong("has more than an address"));
    }
    Ok(url)
}

/// Whether an address is on this machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost"
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

/// The certificates of a file of `--ca`.
///
/// # Errors
/// It cannot be read, or holds none.
pub(super) fn authorities(file: &Path) -> Result<Vec<Certificate>, Failure> {
    let wrong = |why: String| {
        let file = plain::line(&file.to_string_lossy());
        Failure::Usage(format!(
            "--ca {file}: {why}\n  Give the PEM file of a certificate authority."
        ))
    };
    let size = std::fs::metadata(file)
        .map_err(|error| wrong(error.to_string()))?
        .len();
    if size > CA_BYTES_MAX {
        return Err(wrong(format!("larger than {CA_BYTES_MAX} bytes")));
    }
    let bytes = std::fs::read(file).map_err(|error| wrong(error.to_string()))?;
    let found = Certificate::from_pem_bundle(&bytes).map_err(|error| wrong(chain(&error)))?;
    if found.is_empty() {
        Err(wrong("holds no certificate".to_owned()))
    } else {
        Ok(found)
    }
}

impl Answer {
    /// A document that is here already.
    pub(super) fn of(body: &str) -> Self {
        Self {
            body: body.as_bytes().to_vec(),
        }
    }

    /// The bytes as they came.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.body
    }

    /// The document it is meant to be.
    ///
    /// # Errors
    /// When it is not one.
    pub(super) fn parsed<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        serde_json::from_slice(&self.body).map_err(|error| {
            let why = plain::line(&error.to_string());
            Failure::Refused(format!(
                "the answer is not what was expected: {why}\n  \
                 Is --url the address of a Tocsin server of this version ({})?",
                env!("CARGO_PKG_VERSION")
            ))
        })
    }

    /// The JSON as it came, clean for a terminal; empty when there was none.
    ///
    /// # Errors
    /// When it is not JSON.
    pub(super) fn json(&self) -> Result<String, Failure> {
        if self.body.is_empty() {
            return Ok(String::new());
        }
        let _: serde::de::IgnoredAny = self.parsed()?;
        Ok(plain::json(&String::from_utf8_lossy(&self.body)))
    }
}
