//! The listener: plain or with TLS, with limits on slow clients, stopped in good order.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;

use crate::app::App;
use crate::http;

/// The headers of a request must have arrived within this time.
const HEADER_WAIT: Duration = Duration::from_secs(10);
/// The first request of a connection must have begun within this time.
const FIRST_REQUEST_WAIT: Duration = Duration::from_secs(20);
/// Bytes of the headers of a request at most.
const HEADER_BYTES_MAX: usize = 64 * 1024;
/// Streams of one HTTP/2 connection at most.
const STREAMS_MAX: u32 = 128;
/// Requests that are under way when Tocsin stops may take so long.
const STOP_WAIT: Duration = Duration::from_secs(3);

/// Why nothing is served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Authentication is off, but others could reach the listener.
    #[error("--insecure-no-auth needs a listener on this machine alone (127.0.0.1 or ::1), not {0}")]
    OpenToOthers(SocketAddr),
    /// Others could listen in.
    #[error("serving at {0}, beyond this machine, needs --tls or --behind-proxy")]
    PlainBeyondLoopback(SocketAddr),
    /// The operating system refuses.
    #[error("the listener failed: {0}")]
    Listen(#[from] io::Error),
}

/// Tells a running [`serve`] to stop; cheap to clone.
#[derive(Clone, Default)]
pub struct Stop(Handle<SocketAddr>);

impl Stop {
    /// Accepts nothing new and ends once what is under way is answered, or after 3 s.
    pub fn stop(&self) {
        self.0.graceful_shutdown(Some(STOP_WAIT));
    }
}

/// Serves until told to stop.
///
/// # Errors
/// As [`ServeError`] says.
pub async fn serve(
    listener: TcpListener,
    app: App,
    tls: Option<RustlsConfig>,
    stop: Stop,
) -> Result<(), ServeError> {
    let address = listener.local_addr()?;
    check(&app, address, tls.is_some())?;
    let (router, _, _) = http::router(app);
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let mut server = axum_server::from_tcp(listener)?.handle(stop.0).first_request_timeout(FIRST_REQUEST_WAIT);
    let builder = server.http_builder();
    builder.http1().header_read_timeout(HEADER_WAIT).max_buf_size(HEADER_BYTES_MAX);
    builder.http2().max_concurrent_streams(STREAMS_MAX).max_header_list_size(HEADER_BYTES_MAX as u32);
    match tls {
        None => server.serve(service).await?,
        Some(config) => {
            server.acceptor(axum_server::tls_rustls::RustlsAcceptor::new(config)).serve(service).await?;
        }
    }
    Ok(())
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
