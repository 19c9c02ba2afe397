//! An exporter on the loopback that answers every request with the same bytes, and remembers what it was asked.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// What it does with a connection.
#[derive(Clone)]
pub(super) enum Manner {
    /// Sends these bytes and closes.
    Sends(Vec<u8>),
    /// Sends these bytes, then the others again and again until nobody listens.
    Endless(Vec<u8>, Vec<u8>),
    /// Sends these bytes, then nothing, and stays.
    Hangs(Vec<u8>),
}

pub(super) struct Exporter {
    pub(super) address: SocketAddr,
    /// Heads of the requests that came.
    pub(super) asked: Arc<Mutex<Vec<String>>>,
}

impl Exporter {
    /// The answers are given in turn, the last one from then on; it may be told from the exporter's own address.
    pub(super) async fn start(manners: impl FnOnce(SocketAddr) -> Vec<Manner>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let manners = manners(address);
        let heads = Arc::clone(&asked);
        tokio::spawn(async move {
            let mut count = 0;
            while let Ok((mut stream, _)) = listener.accept().await {
                let manner = manners[count.min(manners.len() - 1)].clone();
                count += 1;
                let heads = Arc::clone(&heads);
                tokio::spawn(async move {
                    let mut head = Vec::new();
                    while !head.ends_with(b"\r\n\r\n") {
                        let Ok(byte) = stream.read_u8().await else {
                            return;
                        };
                        head.push(byte);
                    }
                    heads.lock().unwrap().push(String::from_utf8(head).unwrap());
                    // Whoever asked may have gone.
                    let _ = behave(&mut stream, manner).await;
                });
            }
        });
        Self { address, asked }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}/metrics", self.address)
    }
}

async fn behave(stream: &mut tokio::net::TcpStream, manner: Manner) -> std::io::Result<()> {
    match manner {
        Manner::Sends(bytes) => stream.write_all(&bytes).await,
        Manner::Endless(first, again) => {
            stream.write_all(&first).await?;
            loop {
                stream.write_all(&again).await?;
            }
        }
        Manner::Hangs(bytes) => {
            stream.write_all(&bytes).await?;
            std::future::pending().await
        }
    }
}

/// An answer with a status, headers and a body, whose connection ends with it.
pub(super) fn answer(status: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut bytes = format!("HTTP/1.1 {status}\r\nconnection: close\r\n");
    for (name, value) in headers {
        bytes.push_str(&format!("{name}: {value}\r\n"));
    }
    bytes.push_str(&format!("content-length: {}\r\n\r\n", body.len()));
    let mut bytes = bytes.into_bytes();
    bytes.extend_from_slice(body);
    bytes
}
