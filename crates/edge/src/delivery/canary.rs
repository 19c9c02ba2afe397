//! What delivery does for the canary and for nothing else: its turn among pages, and the sink that takes it in a person's place, a
//! small server of Tocsin's own, on this machine alone, that believes nobody without its key.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use secrecy::{ExposeSecret, SecretString};
use tocsin_domain::people::ChannelKind;
use tocsin_domain::state::Provider;
use tocsin_engine::ports::Clock;
use tocsin_wire::webhook::{
    SIGNATURE_HEADER, SKEW_SECONDS_DEFAULT, SignedHeaders, TIMESTAMP_HEADER, verify,
};
use tokio::runtime::Runtime;

use super::Needs;
use super::message::{Letter, Secrets};
use super::queue::{Rank, Route};
use super::report::Report;
use crate::secret::letters;
use crate::vigil::{Stage, Vigil};

/// The address of the sink among those of people: it has places of its own, and takes nobody's.
const ADDRESS: &str = "QCANARYCANARYC";
/// Letters of the key that signs what goes to the sink.
const KEY_LETTERS: usize = 43;

/// Its turn: that of any page by a webhook, with none of the places that are kept for what is critical. A channel that is full of
/// addresses that hang makes it wait as it does any page, and the auditor tells so.
pub(super) fn turn() -> Option<(Rank, Route)> {
    let route = Route {
        channel: ChannelKind::Webhook,
        provider: Provider::Method(ADDRESS.parse().ok()?),
    };
    Some((Rank::Page, route))
}

/// Where the sink is, and the key that it knows its letters by.
pub(super) struct Sink {
    address: SocketAddr,
    key: SecretString,
}

/// What the sink needs to take letters in.
struct Taking {
    key: SecretString,
    clock: Arc<dyn Clock>,
    vigil: Arc<Vigil>,
}

impl Sink {
    /// Opens it on this machine alone; nobody takes anything in yet.
    fn open() -> io::Result<(Self, TcpListener)> {
        let key = SecretString::from(letters(KEY_LETTERS)?);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .or_else(|_| TcpListener::bind((Ipv6Addr::LOCALHOST, 0)))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        Ok((Self { address, key }, listener))
    }

    /// Where delivery may send although no configuration names it.
    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Puts the sink in the place of whom a letter is for, once all that it needs was taken out of the vault as for any.
    fn stands_in(&self, run: u64, letter: &mut Letter, secrets: &mut Secrets) {
        letter.channel = ChannelKind::Webhook;
        // The sink rests for nobody.
        letter.may_wait = false;
        letter.message.answer_link = None;
        letter.message.verification_code = None;
        secrets.address = SecretString::from(format!("http://{}/{run}", self.address));
        secrets.signing_key = Some(self.key.clone());
        secrets.carriers.clear();
    }
}

/// Opens the sink and takes letters in; none where the machine has no place for it, so that the canary is missed and paging goes on.
pub(super) fn open_sink(needs: &Needs, runtime: &Runtime) -> Option<Sink> {
    match Sink::open() {
        Ok((sink, listener)) => {
            let taking = Taking {
                key: sink.key.clone(),
                clock: Arc::clone(&needs.clock),
                vigil: Arc::clone(&needs.vigil),
            };
            runtime.spawn(take_in(listener, taking));
            Some(sink)
        }
        Err(error) => {
            tracing::error!(%error, "the canary's sink could not be opened: no canary comes through");
            None
        }
    }
}

/// Sends a letter to the sink instead, where it is the canary's.
pub(super) fn redirect(
    sink: Option<&Sink>,
    letter: &mut Letter,
    secrets: &mut Secrets,
) -> Result<(), Report> {
    let Some(run) = letter.canary else {
        return Ok(());
    };
    let sink = sink.ok_or_else(|| Report::failed("the canary's sink could not be opened"))?;
    sink.stands_in(run, letter, secrets);
    Ok(())
}

/// Takes letters in for as long as the runtime runs.
async fn take_in(listener: TcpListener, taking: Taking) {
    let router = Router::new()
        .route("/{run}", post(take))
        .with_state(Arc::new(taking));
    let served = async { axum::serve(tokio::net::TcpListener::from_std(listener)?, router).await };
    if let Err(error) = served.await {
        tracing::error!(%error, "the canary's sink has ended: no canary comes through");
    }
}

async fn take(
    State(taking): State<Arc<Taking>>,
    Path(run): Path<u64>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let header = |name: &str| {
        let value = headers.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default().to_owned()
    };
    let signed = SignedHeaders {
        timestamp: header(TIMESTAMP_HEADER),
        signature: header(SIGNATURE_HEADER),
    };
    let (key, now) = (taking.key.expose_secret(), taking.clock.now());
    if verify(key.as_bytes(), &signed, &body, now, SKEW_SECONDS_DEFAULT).is_err() {
        return StatusCode::NOT_FOUND;
    }
    taking.vigil.canary_at(run, Stage::Sent);
    StatusCode::NO_CONTENT
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sink_has_an_address_among_people_and_the_turn_of_any_page() {
        let (rank, route) = turn().unwrap();
        assert_eq!(rank, Rank::Page);
        let own = Provider::Method(ADDRESS.parse().unwrap());
        assert_eq!((route.channel, route.provider), (ChannelKind::Webhook, own));
    }
}
