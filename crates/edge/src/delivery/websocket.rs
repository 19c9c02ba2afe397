//! Opens a websocket to an address that was checked, by TLS unless the configuration names the address.

use std::sync::Arc;

use reqwest::Url;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use super::egress::Egress;
use super::exchange::bundled_authorities;

/// Bytes of a message at most.
const MESSAGE_BYTES_MAX: usize = 1_024 * 1_024;

/// A connection, encrypted or not.
pub(super) trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

/// An open websocket.
pub(super) type Socket = WebSocketStream<Box<dyn Wire>>;

/// Opens one.
pub(super) async fn open(address: &str, egress: &Egress) -> Result<Socket, String> {
    let url = Url::parse(address).map_err(|_| "the address of the socket is no URL".to_owned())?;
    let (encrypted, usual_port) = match url.scheme() {
        "wss" => (true, 443),
        "ws" => (false, 80),
        other => return Err(format!("{other} is no scheme of a websocket")),
    };
    let host = url.host_str().unwrap_or_default().to_owned();
    let port = url.port().unwrap_or(usual_port);
    let addresses = egress
        .resolve(&host, port, encrypted)
        .await
        .map_err(|blocked| blocked.to_string())?;
    let connection = TcpStream::connect(&addresses[..])
        .await
        .map_err(|error| error.to_string())?;
    let wire: Box<dyn Wire> = if encrypted {
        let name = ServerName::try_from(host).map_err(|error| error.to_string())?;
        let connector = TlsConnector::from(Arc::new(bundled_authorities()));
        let connection = connector.connect(name, connection).await;
        Box::new(connection.map_err(|error| error.to_string())?)
    } else {
        Box::new(connection)
    };
    let limits = WebSocketConfig::default()
        .max_message_size(Some(MESSAGE_BYTES_MAX))
        .max_frame_size(Some(MESSAGE_BYTES_MAX));
    let (socket, _) = tokio_tungstenite::client_async_with_config(url.as_str(), wire, Some(limits))
        .await
        .map_err(|error| error.to_string())?;
    Ok(socket)
}
