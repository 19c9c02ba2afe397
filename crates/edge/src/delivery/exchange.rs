//! One HTTP exchange: to addresses that were checked, without redirects, with an answer that is bounded. It knows no provider.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Method, Response, StatusCode, Url, redirect};
use tocsin_domain::page::Outcome;

use super::egress::{Blocked, Egress};
use super::pace::{Pace, Wait, within};
use super::queue::AT_ONCE_TO_MANY;
use super::report::Report;
use super::retry_after::retry_after_ms;

/// How long the connection may take; the whole attempt has a deadline of its own.
const CONNECT_WAIT: Duration = Duration::from_secs(10);
/// Connections to one host that are kept for what is sent next: as many as are used at the same time in a storm, when many people have
/// their addresses there. Of fewer, each attempt that ends among others would close its own, and the next would open another.
const IDLE_PER_HOST: usize = AT_ONCE_TO_MANY;
/// How long they are kept without use.
const IDLE_WAIT: Duration = Duration::from_secs(20);
/// Bytes of an answer that are looked at.
const ANSWER_BYTES_MAX: usize = 256 * 1_024;
/// How long the words of an answer may take once its status is there, where the status decides.
const ANSWER_WAIT: Duration = Duration::from_secs(1);

/// What the client says of a connection that took nothing: one that closed before the request left, and one whose other end does
/// not speak HTTP. It has no other sign for them.
const NOT_TAKEN: [&str; 2] = ["operation was canceled", "invalid HTTP version parsed"];

/// Sends what Tocsin itself sends by HTTP; cheap to clone.
///
/// It has two clients, and delivery has two of it. None can do for another:
/// - By https and by http different addresses may be reached, and what resolves names for a client is not told which it is for.
/// - What is tried again goes by a new connection ([`Exchange::anew`]), since a kept one may be dead without anybody having noticed;
///   a client that keeps connections takes one that it has.
///
/// The auditor has as many of its own ([`super::direct`]): what delivery holds up must not hold up word of it.
#[derive(Clone)]
pub(crate) struct Exchange {
    /// For https.
    encrypted: Client,
    /// For http, which goes to fewer addresses.
    plain: Client,
    egress: Egress,
    pace: Arc<dyn Pace>,
}

/// One request.
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) url: Url,
    /// Names and values; values are not logged.
    pub(crate) headers: Vec<(Cow<'static, str>, String)>,
    pub(crate) body: Vec<u8>,
    /// Whether a success is one by its words: they are then read to their end, for as long as whoever sends waits.
    pub(crate) reads_success: bool,
}

impl Call {
    /// A POST of JSON whose answer is to be read.
    pub(crate) fn json(url: Url, body: Vec<u8>) -> Self {
        Self {
            method: Method::POST,
            url,
            headers: vec![("content-type".into(), "application/json".to_owned())],
            body,
            reads_success: true,
        }
    }

    /// A POST of a form whose answer is to be read.
    pub(crate) fn form(url: Url, fields: &[(&str, &str)]) -> Self {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(fields);
        let kind = "application/x-www-form-urlencoded".to_owned();
        Self {
            headers: vec![("content-type".into(), kind)],
            ..Self::json(url, form.finish().into_bytes())
        }
    }

    /// A GET whose answer is to be read.
    pub(crate) fn get(url: Url) -> Self {
        Self {
            method: Method::GET,
            headers: Vec::new(),
            ..Self::json(url, Vec::new())
        }
    }

    /// With a further header.
    pub(crate) fn with(mut self, name: impl Into<Cow<'static, str>>, value: String) -> Self {
        self.headers.push((name.into(), value));
        self
    }
}

/// What was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answered {
    pub(crate) status: StatusCode,
    /// How long the server wants to be left alone, if it said so.
    pub(crate) retry_after_ms: Option<u64>,
    /// All that stood before the words: some providers say there what became of it.
    pub(crate) headers: HeaderMap,
    /// The start of the words: all of a success whose words decide, else as far as they came in time.
    pub(crate) body: Vec<u8>,
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

impl Exchange {
    /// Goes where `egress` lets it, and waits as `pace` says.
    pub(crate) fn new(egress: Egress, pace: Arc<dyn Pace>) -> Result<Self, reqwest::Error> {
        Self::keeping(IDLE_PER_HOST, egress, pace)
    }

    /// The same with a new connection for each request: those that are kept may be dead, all of one host at once.
    pub(crate) fn anew(&self) -> Result<Self, reqwest::Error> {
        Self::keeping(0, self.egress.clone(), Arc::clone(&self.pace))
    }

    fn keeping(
        idle_per_host: usize,
        egress: Egress,
        pace: Arc<dyn Pace>,
    ) -> Result<Self, reqwest::Error> {
        Ok(Self {
            encrypted: client(&egress, true, idle_per_host)?,
            plain: client(&egress, false, idle_per_host)?,
            egress,
            pace,
        })
    }

    /// Sends a request and gives its answer, or how the attempt ended without one.
    pub(crate) async fn send(&self, call: Call) -> Result<Answered, Report> {
        self.check(&call.url).await.map_err(|blocked| {
            let outcome = match blocked {
                Blocked::NoAddress(_) => Outcome::Failed,
                Blocked::Private(_) | Blocked::Metadata(_) | Blocked::Plain => Outcome::Refused,
            };
            Report::new(outcome, blocked.to_string())
        })?;
        let client = if call.url.scheme() == "https" {
            &self.encrypted
        } else {
            &self.plain
        };
        let request = client
            .request(call.method, call.url)
            .headers(header_map(&call.headers));
        let response = request.body(call.body).send().await;
        let response = response.map_err(without_answer)?;
        let status = response.status();
        let retry_after_ms = retry_after_ms(response.headers());
        let headers = response.headers().clone();
        let body = match (status.is_success(), call.reads_success) {
            (true, true) => deciding_words(response).await?,
            (true, false) => Vec::new(),
            (false, _) => words_of(response, self.pace.as_ref()).await,
        };
        Ok(Answered {
            status,
            retry_after_ms,
            headers,
            body,
        })
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

/// How an attempt ended that got no answer. Where its connection died after the request may have been sent, nobody knows whether it
/// arrived: that is no failure.
fn without_answer(error: reqwest::Error) -> Report {
    if error.is_timeout() {
        return Report::new(Outcome::TimedOut, "no answer in time");
    }
    let never_began = error.is_builder() || error.is_connect();
    let words = causes(&error.without_url());
    if never_began || NOT_TAKEN.iter().any(|known| words.contains(known)) {
        return Report::failed(words);
    }
    let detail =
        format!("the connection broke off before an answer: it may have been taken ({words})");
    Report::new(Outcome::TimedOut, detail)
}

fn client(
    egress: &Egress,
    encrypted: bool,
    idle_per_host: usize,
) -> Result<Client, reqwest::Error> {
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
            .pool_max_idle_per_host(idle_per_host)
            .pool_idle_timeout(IDLE_WAIT)
            .user_agent(concat!("Tocsin/", env!("CARGO_PKG_VERSION")))
    };
    // A machine without a store of authorities still has the ones that come with the binary.
    builder().build().or_else(|_| {
        builder()
            .tls_backend_preconfigured(bundled_authorities())
            .build()
    })
}

pub(crate) fn bundled_authorities() -> rustls::ClientConfig {
    let roots = rustls::RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    rustls::ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth()
}

fn header_map(pairs: &[(Cow<'static, str>, String)]) -> HeaderMap {
    let known = pairs.iter().filter_map(|(name, value)| {
        let mut value = HeaderValue::from_str(value).ok()?;
        value.set_sensitive(true);
        Some((HeaderName::from_bytes(name.as_bytes()).ok()?, value))
    });
    let mut map = HeaderMap::with_capacity(pairs.len());
    map.extend(known);
    map
}

/// The words of a success that decide what it is. Half of them decide nothing: it may have been taken, and whoever held it for
/// a failure would soon send it again. Their end is waited for by whoever sends, with the deadline of the whole attempt.
async fn deciding_words(mut response: Response) -> Result<Vec<u8>, Report> {
    let mut words = Vec::new();
    match read(&mut response, &mut words).await {
        Ok(()) => Ok(words),
        Err(_) => {
            let status = response.status().as_u16();
            let detail = format!("HTTP {status}, but the answer broke off: it may have been taken");
            Err(Report::new(Outcome::TimedOut, detail))
        }
    }
}

/// The words of an answer whose status decides. It has been an answer however the rest comes, so the words are waited for but a
/// little.
async fn words_of(mut response: Response, pace: &dyn Pace) -> Vec<u8> {
    let mut words = Vec::new();
    let rest = read(&mut response, &mut words);
    // What came in time is enough.
    let _ = within(pace, ANSWER_WAIT, Wait::Words, rest).await;
    words
}

/// Reads words until they end or there are enough.
async fn read(response: &mut Response, words: &mut Vec<u8>) -> Result<(), reqwest::Error> {
    while words.len() < ANSWER_BYTES_MAX {
        let Some(piece) = response.chunk().await? else {
            break;
        };
        words.extend_from_slice(&piece);
    }
    words.truncate(ANSWER_BYTES_MAX);
    Ok(())
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
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::future::BoxFuture;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};
    use tokio::sync::Barrier;

    use super::super::egress::Lookup;
    use super::super::pace::RealTime;
    use super::*;

    /// Answers everything that is asked over a connection, once `all` have asked.
    async fn answer(mut connection: TcpStream, all: Option<Arc<Barrier>>) {
        let mut bytes = [0; 4_096];
        while connection.read(&mut bytes).await.unwrap_or_default() > 0 {
            if let Some(all) = &all {
                all.wait().await;
            }
            let answer = b"HTTP/1.1 204 No Content\r\n\r\n";
            connection.write_all(answer).await.unwrap();
        }
    }

    /// What sends, where it may send to, and how many connections were opened to there.
    async fn counted(all: Option<Arc<Barrier>>) -> (Exchange, String, Arc<AtomicUsize>) {
        crate::tls::install_provider();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let connections = Arc::new(AtomicUsize::new(0));
        let opened = Arc::clone(&connections);
        tokio::spawn(async move {
            loop {
                let (connection, _) = listener.accept().await.unwrap();
                opened.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(answer(connection, all.clone()));
            }
        });
        let egress = Egress::new(vec!["127.0.0.0/8".parse().unwrap()]);
        let exchange = Exchange::new(egress, Arc::new(RealTime)).unwrap();
        (exchange, url, connections)
    }

    #[tokio::test]
    async fn what_is_tried_again_goes_by_a_connection_of_its_own() {
        let (exchange, url, connections) = counted(None).await;
        let anew = exchange.anew().unwrap();
        for made in 1..=3 {
            let answered = anew.send(Call::get(url.parse().unwrap())).await.unwrap();
            assert_eq!(answered.status, StatusCode::NO_CONTENT);
            assert_eq!(connections.load(Ordering::SeqCst), made);
        }
    }

    #[tokio::test]
    async fn as_many_connections_are_kept_as_are_used_at_once() {
        // Nobody is answered before all have asked.
        let all = Arc::new(Barrier::new(AT_ONCE_TO_MANY));
        let (exchange, url, connections) = counted(Some(all)).await;
        for _ in 0..2 {
            let calls = (0..AT_ONCE_TO_MANY).map(|_| {
                let (exchange, url) = (exchange.clone(), url.parse().unwrap());
                tokio::spawn(async move { exchange.send(Call::get(url)).await.is_ok() })
            });
            for call in calls.collect::<Vec<_>>() {
                assert!(call.await.unwrap());
            }
            // A connection is kept by a task of its own, once its answer is there.
            for _ in 0..1_000 {
                tokio::task::yield_now().await;
            }
        }
        assert_eq!(connections.load(Ordering::SeqCst), AT_ONCE_TO_MANY);
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
