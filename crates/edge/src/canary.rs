//! How the canary comes in: Tocsin posts it to its own listener, as whoever raises alerts does, at a route that takes nothing else.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use reqwest::{Client, redirect};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use tocsin_engine::handle::{AskError, Passed};
use tokio::sync::oneshot;

use crate::access::authenticate::front_key;
use crate::app::App;
use crate::delivery::exchange::causes;
use crate::http::body;
use crate::http::problem::Problem;
use crate::tls::install_provider;
use crate::vigil::{Stage, Vigil};

/// The route that takes it.
pub(crate) const PATH: &str = "/canary";
/// Bytes of a body at most.
const BODY_BYTES_MAX: usize = 256;
/// How long the listener has for its answer; the engine has less.
const POST_WAIT: Duration = Duration::from_secs(30);

/// What is posted.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Posted {
    run: u64,
}

/// Posts the canary to the listener of this server; cheap to clone.
#[derive(Clone)]
pub struct Post {
    client: Client,
    url: String,
}

impl Post {
    /// To a listener at this address, which speaks TLS or does not.
    ///
    /// # Errors
    /// The HTTP client could not be made.
    pub fn new(listen: SocketAddr, tls: bool) -> Result<Self, reqwest::Error> {
        install_provider();
        let scheme = if tls { "https" } else { "http" };
        let client = Client::builder()
            // The certificate is for the name that others call this server by. What is posted is of use to this server alone.
            .tls_danger_accept_invalid_certs(true)
            .redirect(redirect::Policy::none())
            .no_proxy()
            // Whoever raises an alert needs a connection too.
            .pool_max_idle_per_host(0)
            .timeout(POST_WAIT)
            .build()?;
        Ok(Self {
            client,
            url: format!("{scheme}://{}{PATH}", from_here(listen)),
        })
    }

    /// Posts the canary of this run, and notes when it was not let in.
    pub(crate) async fn send(self, run: u64, vigil: Arc<Vigil>) {
        if let Err(why) = self.post(run, &vigil).await {
            tracing::warn!(%why, run, "the canary was not let in");
            vigil.canary_failed(run, &why);
        }
    }

    async fn post(&self, run: u64, vigil: &Vigil) -> Result<(), String> {
        let key = vigil.canary_key().ok_or("there is no key to let it in")?;
        let request = self.client.post(&self.url);
        let request = request.bearer_auth(key.expose_secret());
        let answered = request.json(&Posted { run }).send().await;
        let status = answered
            .map_err(|error| causes(&error.without_url()))?
            .status();
        if status == StatusCode::ACCEPTED {
            Ok(())
        } else {
            Err(format!("HTTP {}", status.as_u16()))
        }
    }
}

/// Where a listener is reached from its own machine.
fn from_here(listen: SocketAddr) -> SocketAddr {
    let near: IpAddr = match listen {
        SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    };
    let is_anywhere = listen.ip().is_unspecified();
    let address = if is_anywhere { near } else { listen.ip() };
    SocketAddr::new(address, listen.port())
}

/// The canary, from Tocsin itself
#[utoipa::path(post, path = "/canary", tag = "health", request_body(content = Object, content_type = "application/json"),
    responses((status = 202), (status = 401), (status = 409), (status = 503)))]
pub(crate) async fn take(
    State(app): State<App>,
    headers: HeaderMap,
    content: Body,
) -> Result<StatusCode, Problem> {
    let key = front_key(&headers);
    if !key.is_some_and(|key| app.vigil.is_canary_key(&key)) {
        return Err(Problem::unauthenticated("only Tocsin itself sends this"));
    }
    let bytes = body::read(&headers, content, BODY_BYTES_MAX).await?;
    let Posted { run } = body::parse(&bytes)?;
    if !app.vigil.canary_posted(run) {
        return Err(Problem::conflict("no such canary is awaited"));
    }
    send_on(&app, run).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Hands it to the engine, and waits until it is on disk, as for an alert.
async fn send_on(app: &App, run: u64) -> Result<(), Problem> {
    let (sender, receiver) = oneshot::channel();
    let (vigil, mut sender) = (Arc::clone(&app.vigil), Some(sender));
    let tell = move |passed: Result<Passed, AskError>| {
        let written = match passed {
            Ok(Passed::Decided) => return vigil.canary_at(run, Stage::Decided),
            Ok(Passed::Written) => {
                vigil.canary_at(run, Stage::Written);
                Ok(())
            }
            Err(error) => {
                vigil.canary_failed(run, &error.to_string());
                Err(error)
            }
        };
        if let Some(sender) = sender.take() {
            // Whoever posted it may have gone.
            let _ = sender.send(written);
        }
    };
    if let Err(error) = app.engine.canary(run, tell) {
        app.vigil.canary_failed(run, &error.to_string());
        return Err(error.into());
    }
    Ok(app.answer(receiver).await??)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_is_posted_to_where_its_own_machine_reaches_it() {
        let check = |listen: &str, tls, expected: &str| {
            let post = Post::new(listen.parse().unwrap(), tls).unwrap();
            assert_eq!(post.url, expected);
        };
        check("0.0.0.0:8700", false, "http://127.0.0.1:8700/canary");
        check("[::]:8700", true, "https://[::1]:8700/canary");
        check("192.0.2.1:443", true, "https://192.0.2.1:443/canary");
    }
}
