//! Mail that raises alerts: the listener, its limits of time and connections, and TLS. What is said over a connection `wire`
//! knows; what becomes of a mail is decided in `deliver`.

mod deliver;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use tocsin_wire::smtp::{Security, Session, Step};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use crate::app::App;
use crate::seats::Seats;
use crate::serve::ServeError;
use crate::tls::{self, Tls};

/// Connections at once; one address has half of them at most.
const CONNECTIONS_MAX: usize = 64;
/// Nobody is silent for longer.
const SILENCE_WAIT: Duration = Duration::from_secs(60);
/// A connection lasts no longer in all.
const CONNECTION_WAIT: Duration = Duration::from_secs(300);
/// TLS is spoken after so long, or never.
const HANDSHAKE_WAIT: Duration = Duration::from_secs(20);
/// Bytes that are read at once.
const READ_BYTES: usize = 8 * 1_024;
/// The operating system refuses to take a connection, mostly because too many files are open: wait a little.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// A listener that takes mail for one domain.
pub struct MailIntake {
    listener: tokio::net::TcpListener,
    domain: String,
    tls: Option<TlsAcceptor>,
    seats: Seats,
    app: App,
}

impl MailIntake {
    /// Takes a listener over, with the certificate of the server if it has one.
    ///
    /// # Errors
    /// The certificate cannot be read, or the operating system refuses.
    pub async fn new(
        listener: TcpListener,
        domain: &str,
        tls: &Tls,
        app: App,
    ) -> Result<Self, ServeError> {
        listener.set_nonblocking(true)?;
        let config = tls::config(tls, app.now()).await?;
        let acceptor = config.map(|config| {
            let mut config = (*config.get_inner()).clone();
            // Those of the web are none of mail's.
            config.alpn_protocols.clear();
            TlsAcceptor::from(Arc::new(config))
        });
        Ok(Self {
            listener: tokio::net::TcpListener::from_std(listener)?,
            domain: domain.to_owned(),
            tls: acceptor,
            seats: Seats::new(CONNECTIONS_MAX, false),
            app,
        })
    }

    /// Takes mail for as long as it is polled.
    pub async fn run(self) {
        let intake = Arc::new(self);
        loop {
            match intake.listener.accept().await {
                Ok((stream, peer)) => {
                    let intake = Arc::clone(&intake);
                    tokio::spawn(async move { intake.seat(stream, peer).await });
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection that brings mail was not taken");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    async fn seat(&self, mut stream: TcpStream, peer: SocketAddr) {
        let Some(_seat) = self.seats.take(Some(peer.ip())) else {
            // Whoever hears it or not: there is no seat to wait in.
            let _ = timeout(ACCEPT_PAUSE, stream.write_all(Session::busy().as_bytes())).await;
            return;
        };
        match timeout(CONNECTION_WAIT, self.serve(stream)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::debug!(%peer, %error, "a connection that brings mail ended");
            }
            Err(_) => tracing::debug!(%peer, "a connection that brings mail took too long"),
        }
    }

    async fn serve(&self, mut stream: TcpStream) -> io::Result<()> {
        let security = match self.tls {
            Some(_) => Security::Offered,
            None => Security::Impossible,
        };
        let mut session = Session::new(&self.domain, &self.domain, security);
        stream.write_all(session.greeting().as_bytes()).await?;
        let Ended::ForTls = self.talk(&mut stream, &mut session).await? else {
            return Ok(());
        };
        let Some(acceptor) = &self.tls else {
            return Ok(());
        };
        let mut stream = timeout(HANDSHAKE_WAIT, acceptor.accept(stream)).await??;
        session.secured();
        self.talk(&mut stream, &mut session).await?;
        stream.shutdown().await
    }

    async fn talk<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: &mut S,
        session: &mut Session,
    ) -> io::Result<Ended> {
        let mut bytes = vec![0_u8; READ_BYTES];
        loop {
            while let Some(step) = session.step() {
                let step = self.answered(session, step).await;
                match step {
                    Step::Reply(text) => write(stream, &text).await?,
                    Step::StartTls(text) => {
                        write(stream, &text).await?;
                        return Ok(Ended::ForTls);
                    }
                    Step::Close(text) => {
                        write(stream, &text).await?;
                        return Ok(Ended::Over);
                    }
                    Step::Recipient(_) | Step::Mail(_) => {
                        return Err(io::Error::other("a question was answered with another"));
                    }
                }
            }
            let Ok(read) = timeout(SILENCE_WAIT, stream.read(&mut bytes)).await else {
                write(stream, &Session::timeout()).await?;
                return Ok(Ended::Over);
            };
            match read? {
                0 => return Ok(Ended::Over),
                count => session.push(&bytes[..count]),
            }
        }
    }

    /// What is to be said, when the question that came first is answered.
    async fn answered(&self, session: &mut Session, step: Step) -> Step {
        match step {
            Step::Recipient(local) => {
                session.recipient(deliver::integration_of(&self.app, &local).is_some())
            }
            Step::Mail(mail) => session.delivered(deliver::deliver(&self.app, &mail).await),
            Step::Reply(_) | Step::StartTls(_) | Step::Close(_) => step,
        }
    }
}

/// Why a conversation ended.
#[derive(PartialEq, Eq)]
enum Ended {
    Over,
    ForTls,
}

async fn write<S: AsyncWrite + Unpin>(stream: &mut S, text: &str) -> io::Result<()> {
    let sent = async {
        stream.write_all(text.as_bytes()).await?;
        stream.flush().await
    };
    timeout(SILENCE_WAIT, sent).await?
}
