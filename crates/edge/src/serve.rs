//! The listener: plain or with TLS, with limits on slow clients, stopped in good order.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use axum::middleware::{from_fn, from_fn_with_state};
use axum_server::Handle;
use axum_server::tls_rustls::RustlsAcceptor;

use crate::app::App;
use crate::heads;
use crate::hosts;
use crate::http;
use crate::seats::{HEADER_WAIT, Seats, silence_max};
use crate::tls::{self, Tls, TlsError};

/// The first request of a connection must have begun within this time.
const FIRST_REQUEST_WAIT: Duration = Duration::from_secs(20);
/// Bytes of the headers of a request at most.
const HEADER_BYTES_MAX: usize = 64 * 1024;
/// The same for HTTP/2.
const HEADER_LIST_BYTES_MAX: u32 = 64 * 1024;
/// Streams of one HTTP/2 connection at most.
const STREAMS_MAX: u32 = 128;
/// Requests that are under way when Tocsin stops may take so long.
const STOP_WAIT: Duration = Duration::from_secs(3);

/// Why nothing is served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Authentication is off, but others could reach the listener.
    #[error(
        "--insecure-no-auth needs a listener on this machine alone (127.0.0.1 or ::1), not {0}"
    )]
    OpenToOthers(SocketAddr),
    /// Others could listen in.
    #[error("serving at {0}, beyond this machine, needs --tls or --behind-proxy")]
    PlainBeyondLoopback(SocketAddr),
    /// There is no certificate to serve with.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The operating system refuses.
    #[error("the listener failed: {0}")]
    Listen(#[from] io::Error),
}

/// Serves so many connections at once until `stop` is ready, then answers what is under way, for 3 s at most.
///
/// # Errors
/// As [`ServeError`] says.
pub async fn serve(
    listener: TcpListener,
    app: App,
    tls: &Tls,
    connections_max: usize,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    let address = listener.local_addr()?;
    let config = tls::config(tls, app.now()).await?;
    check(&app, address, config.is_some())?;
    let behind_proxy = app.settings.behind_proxy;
    let seats = Seats::new(connections_max, behind_proxy);
    let mut router = http::router(app).layer(from_fn(hosts::said_once));
    if behind_proxy {
        // The wait below is too long for a head that has begun.
        router = router.layer(from_fn_with_state(seats.connections(), heads::note));
    }
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let handle = Handle::new();
    let stopping = handle.clone();
    let waiting = tokio::spawn(async move {
        stop.await;
        stopping.graceful_shutdown(Some(STOP_WAIT));
    });
    let mut server = axum_server::from_tcp(listener)?
        .acceptor(seats.clone())
        .handle(handle)
        .first_request_timeout(FIRST_REQUEST_WAIT);
    let header_wait = header_wait(behind_proxy);
    let builder = server.http_builder();
    builder
        .http1()
        .header_read_timeout(header_wait)
        .max_buf_size(HEADER_BYTES_MAX);
    builder
        .http2()
        .max_concurrent_streams(STREAMS_MAX)
        .max_header_list_size(HEADER_LIST_BYTES_MAX);
    match config {
        None => server.serve(service).await?,
        Some(config) => {
            server
                .acceptor(RustlsAcceptor::new(config).acceptor(seats))
                .serve(service)
                .await?
        }
    }
    waiting.abort();
    Ok(())
}

/// How long the head of a request may take from the end of the request before, so that a connection over which none begins is closed
/// as well. A proxy keeps connections without one for as long as silence is borne.
const fn header_wait(behind_proxy: bool) -> Duration {
    if behind_proxy {
        silence_max(behind_proxy)
    } else {
        HEADER_WAIT
    }
}

fn check(app: &App, address: SocketAddr, tls: bool) -> Result<(), ServeError> {
    let near = address.ip().is_loopback();
    if app.settings.insecure_no_auth && !near {
        return Err(ServeError::OpenToOthers(address));
    }
    if !near && !tls && !app.settings.behind_proxy {
        return Err(ServeError::PlainBeyondLoopback(address));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_given_longer_than_proxies_keep_a_connection_and_others_are_not() {
        // Google's balancer keeps them for 600 s and wants 620 s of whoever is behind it.
        assert!(header_wait(true) > Duration::from_secs(620));
        assert_eq!(header_wait(false), HEADER_WAIT);
    }
}
