//! One HTTP POST to a webhook or an ntfy server: one attempt, to addresses that were checked, without redirects.

use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Response, StatusCode, Url, redirect};
use secrecy::{ExposeSecret, SecretString};
use tocsin_domain::page::Outcome;
use tocsin_domain::time::Timestamp;
use tocsin_wire::page_message::PageMessage;
use tocsin_wire::{ntfy, webhook};

use super::Report;
use super::egress::{Blocked, Egress};

/// How long the connection may take; the whole attempt has a deadline of its own.
const CONNECT_WAIT: Duration = Duration::from_secs(10);
/// Bytes of an answer that are looked at.
const ANSWER_BYTES_MAX: usize = 4_096;
/// How long the words of an answer may take once its status is there.
const ANSWER_WAIT: Duration = Duration::from_secs(1);

/// Sends what Tocsin itself sends by HTTP; cheap to clone.
#[derive(Clone)]
pub(crate) struct Poster {
    /// For https.
    encrypted: Client,
    /// For http, which goes to fewer addresses.
    plain: Client,
    egress: Egress,
}

/// Gives the HTTP client checked addresses only; it connects to those and to nothing else.
pub(crate) struct Checked {
    pub(crate) egress: Egress,
    /// Whether the connection will be; where it will not, fewer addresses are let through.
    pub(crate) encrypted: bool,
}

impl Resolve for Checked {
    fn resolve(&self, name: Name) -> Resolving {
        let (egress, encrypted) = (self.egress.clone(), self.encrypted);
        Box::pin(async move {
            // The port is put in by the client.
            let addresses = egress.resolve(name.as_str(), 0, encrypted).await?;
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

impl Poster {
    /// A poster that goes where `egress` lets it.
    pub(crate) fn new(egress: Egress) -> Result<Self, reqwest::Error> {
        Ok(Self {
            encrypted: client(&egress, true)?,
            plain: client(&egress, false)?,
            egress,
        })
    }

    /// Sends a signed webhook.
    pub(crate) async fn webhook(
        &self,
        address: &SecretString,
        key: Option<&SecretString>,
        message: &PageMessage,
        now: Timestamp,
    ) -> Report {
        let Some(key) = key else {
            return refused("the signing key of this webhook is gone: add the webhook again");
        };
        let body = webhook::body(message);
        let signed = match webhook::sign(key.expose_secret().as_bytes(), now, &body) {
            Ok(signed) => signed,
            Err(error) => return refused(error.to_string()),
        };
        let headers = [
            (webhook::TIMESTAMP_HEADER, signed.timestamp.as_str()),
            (webhook::SIGNATURE_HEADER, signed.signature.as_str()),
            (webhook::ID_HEADER, message.idempotency_key.as_str()),
        ];
        let url = match Url::parse(address.expose_secret()) {
            Ok(url) => url,
            Err(_) => return refused("the address of this webhook is not a URL"),
        };
        self.post(url, body, &headers).await
    }

    /// Publishes to an ntfy topic.
    pub(crate) async fn ntfy(
        &self,
        address: &SecretString,
        token: Option<&SecretString>,
        message: &PageMessage,
    ) -> Report {
        let Some((url, topic)) = topic_of(address.expose_secret()) else {
            return refused("the address is not the URL of an ntfy topic");
        };
        let bearer = token.map(|token| format!("Bearer {}", token.expose_secret()));
        let mut headers = vec![("x-tocsin-id", message.idempotency_key.as_str())];
        if let Some(bearer) = &bearer {
            headers.push(("authorization", bearer));
        }
        self.post(url, ntfy::body(&topic, message), &headers).await
    }

    async fn post(&self, url: Url, body: Vec<u8>, headers: &[(&str, &str)]) -> Report {
        if let Err(blocked) = self.check(&url).await {
            let outcome = match blocked {
                Blocked::NoAddress(_) => Outcome::Failed,
                Blocked::Private(_) | Blocked::Metadata(_) | Blocked::Plain => Outcome::Refused,
            };
            return Report {
                outcome,
                detail: blocked.to_string(),
            };
        }
        let client = if url.scheme() == "https" {
            &self.encrypted
        } else {
            &self.plain
        };
        let request = client
            .post(url)
            .header("content-type", "application/json")
            .headers(header_map(headers));
        match request.body(body).send().await {
            Ok(response) => report_of(response).await,
            Err(error) if error.is_timeout() => Report {
                outcome: Outcome::TimedOut,
                detail: "no answer in time".to_owned(),
            },
            Err(error) => Report {
                outcome: Outcome::Failed,
                detail: causes(&error.without_url()),
            },
        }
    }

    /// Checks a URL's scheme and every address of its host. A literal address never comes to the resolver, so it is checked
    /// here; for a name the resolver checks again what is connected to.
    async fn check(&self, url: &Url) -> Result<(), Blocked> {
        let encrypted = match url.scheme() {
            "https" => true,
            "http" => false,
            _ => return Err(Blocked::Plain),
        };
        let host = url.host_str().unwrap_or_default();
        let port = url.port_or_known_default().unwrap_or(443);
        self.egress.resolve(host, port, encrypted).await.map(|_| ())
    }
}

fn client(egress: &Egress, encrypted: bool) -> Result<Client, reqwest::Error> {
    let builder = || {
        let checked = Checked {
            egress: egress.clone(),
            encrypted,
        };
        Client::builder()
            .dns_resolver(Arc::new(checked))
            .redirect(redirect::Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT_WAIT)
            .pool_max_idle_per_host(1)
            .user_agent(concat!("Tocsin/", env!("CARGO_PKG_VERSION")))
    };
    // A machine without a store of authorities still has the ones that come with the binary.
    builder().build().or_else(|_| {
        builder()
            .tls_backend_preconfigured(bundled_authorities())
            .build()
    })
}

fn refused(detail: impl Into<String>) -> Report {
    Report {
        outcome: Outcome::Refused,
        detail: detail.into(),
    }
}

pub(crate) fn bundled_authorities() -> rustls::ClientConfig {
    let roots = rustls::RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    rustls::ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth()
}

fn header_map(pairs: &[(&str, &str)]) -> HeaderMap {
    let known = pairs.iter().filter_map(|(name, value)| {
        let mut value = HeaderValue::from_str(value).ok()?;
        value.set_sensitive(true);
        Some((HeaderName::from_bytes(name.as_bytes()).ok()?, value))
    });
    known.collect()
}

/// The server's root and the topic in a topic's URL (`https://ntfy.example/topic`).
pub(crate) fn topic_of(address: &str) -> Option<(Url, ntfy::Topic)> {
    let mut url = Url::parse(address).ok()?;
    let name = url.path_segments()?.next_back()?.to_owned();
    let topic = name.parse().ok()?;
    url.path_segments_mut().ok()?.pop().push("");
    url.set_query(None);
    url.set_fragment(None);
    Some((url, topic))
}

/// What the status says. It has been an answer however the rest comes, so the words are waited for but a little.
async fn report_of(response: Response) -> Report {
    let status = response.status();
    if status.is_success() {
        // The words of a success are of no use, and services like ntfy repeat the secret topic in them.
        return Report {
            outcome: Outcome::Accepted,
            detail: format!("HTTP {}", status.as_u16()),
        };
    }
    let words = words_of(response).await;
    let outcome = if status.is_server_error() || is_worth_another_try(status) {
        Outcome::Failed
    } else {
        Outcome::Refused
    };
    let redirect = if status.is_redirection() {
        " (redirects are not followed)"
    } else {
        ""
    };
    Report {
        outcome,
        detail: format!("HTTP {}{redirect} {words}", status.as_u16()),
    }
}

async fn words_of(mut response: Response) -> String {
    let mut words = Vec::new();
    let read = async {
        while words.len() < ANSWER_BYTES_MAX {
            let Ok(Some(piece)) = response.chunk().await else {
                break;
            };
            words.extend_from_slice(&piece);
        }
    };
    // What came in time is enough.
    let _ = tokio::time::timeout(ANSWER_WAIT, read).await;
    words.truncate(ANSWER_BYTES_MAX);
    String::from_utf8_lossy(&words).into_owned()
}

fn is_worth_another_try(status: StatusCode) -> bool {
    [
        StatusCode::REQUEST_TIMEOUT,
        StatusCode::TOO_EARLY,
        StatusCode::TOO_MANY_REQUESTS,
    ]
    .contains(&status)
}

/// An error with everything that it says caused it.
pub(crate) fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::net::SocketAddr;

    use futures_util::future::BoxFuture;

    use super::super::egress::Lookup;
    use super::*;

    #[test]
    fn a_topic_is_the_last_part_of_its_url() {
        let check = |address: &str, expected: Option<&str>| {
            assert_eq!(
                topic_of(address).map(|(url, _)| url.to_string()).as_deref(),
                expected,
                "{address}"
            );
        };
        check("https://ntfy.sh/my-topic", Some("https://ntfy.sh/"));
        check(
            "https://example.org/ntfy/my-topic",
            Some("https://example.org/ntfy/"),
        );
        check("https://ntfy.sh/", None);
        check("https://ntfy.sh/a%20b", None);
        check("ntfy.sh/topic", None);
    }

    /// A name with a public and a private address.
    struct Both;

    impl Lookup for Both {
        fn lookup(&self, _: String, port: u16) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> {
            let both = [[93, 184, 216, 34], [127, 0, 0, 1]];
            Box::pin(async move { Ok(both.map(|one| SocketAddr::from((one, port))).to_vec()) })
        }
    }

    #[tokio::test]
    async fn plain_http_goes_to_the_address_that_was_allowed_and_not_to_the_public_one() {
        let allow = vec!["127.0.0.0/8".parse().unwrap()];
        let egress = Egress::with_lookup(allow, Arc::new(Both));
        for (encrypted, expected) in [(true, 2), (false, 1)] {
            let checked = Checked {
                egress: egress.clone(),
                encrypted,
            };
            let found = checked.resolve("both.example".parse().unwrap()).await;
            let found: Vec<SocketAddr> = found.unwrap().collect();
            assert_eq!(found.len(), expected);
            assert_eq!(found.last().unwrap().ip().to_string(), "127.0.0.1");
        }
    }
}
