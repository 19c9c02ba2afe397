//! The encryption of a job's requests: whose certificates are trusted, which one is shown, which name is expected.

use std::io::Read;
use std::sync::Arc;

use reqwest::{Certificate, Client, ClientBuilder, Identity};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, RootCertStore, SignatureScheme};
use tocsin_wire::prometheus_scrape::{SecretSource, TlsClient};

use crate::delivery::exchange::bundled_authorities;

/// A file of certificates is not larger, bytes.
const PEM_BYTES_MAX: u64 = 1 << 20;

/// Finishes a client.
///
/// # Errors
/// A file that cannot be read or is none of certificates.
pub(super) fn build(
    builder: impl Fn() -> ClientBuilder,
    tls: &TlsClient,
) -> Result<Client, String> {
    let authorities = authorities(tls)?;
    let told = |error: reqwest::Error| format!("tls_config cannot be used: {error}");
    if let Some(name) = tls
        .server_name
        .as_deref()
        .filter(|_| !tls.insecure_skip_verify)
    {
        let config = with_server_name(name, authorities.as_deref(), tls)?;
        return builder()
            .tls_backend_preconfigured(config)
            .build()
            .map_err(told);
    }
    let mut configured = builder().tls_danger_accept_invalid_certs(tls.insecure_skip_verify);
    if let Some(pem) = &authorities {
        let all = Certificate::from_pem_bundle(pem).map_err(told)?;
        configured = configured.tls_certs_only(all);
    }
    if let Some((cert, key)) = &tls.own {
        let mut pem = source(cert)?;
        pem.push(b'\n');
        pem.extend(source(key)?);
        configured = configured.identity(Identity::from_pem(&pem).map_err(told)?);
    }
    let is_plain = *tls == TlsClient::default();
    configured.build().or_else(|error| {
        if !is_plain {
            return Err(told(error));
        }
        // A machine without a store of authorities still has the ones that come with the binary.
        builder()
            .tls_backend_preconfigured(bundled_authorities())
            .build()
            .map_err(told)
    })
}

fn authorities(tls: &TlsClient) -> Result<Option<Vec<u8>>, String> {
    match (&tls.ca, &tls.ca_file) {
        (Some(pem), _) => Ok(Some(pem.clone().into_bytes())),
        (None, Some(file)) => read_small(file, PEM_BYTES_MAX)
            .map(Some)
            .map_err(|why| format!("{file}: {why}")),
        (None, None) => Ok(None),
    }
}

fn source(source: &SecretSource) -> Result<Vec<u8>, String> {
    match source {
        SecretSource::Given(text) => Ok(text.expose().as_bytes().to_vec()),
        SecretSource::File(file) => {
            read_small(file, PEM_BYTES_MAX).map_err(|why| format!("{file}: {why}"))
        }
    }
}

/// Reads a file that is not larger than `bytes_max`. It may block.
///
/// # Errors
/// Why not.
pub(super) fn read_small(path: &str, bytes_max: u64) -> Result<Vec<u8>, String> {
    let file = std::fs::File::open(path).map_err(|error| format!("cannot be read: {error}"))?;
    let mut bytes = Vec::new();
    let mut limited = file.take(bytes_max + 1);
    limited
        .read_to_end(&mut bytes)
        .map_err(|error| format!("cannot be read: {error}"))?;
    if bytes.len() as u64 > bytes_max {
        return Err(format!("has more than {bytes_max} bytes"));
    }
    Ok(bytes)
}

/// Encryption whose certificate must have another name than the host.
fn with_server_name(
    name: &str,
    authorities: Option<&[u8]>,
    tls: &TlsClient,
) -> Result<rustls::ClientConfig, String> {
    let expected = ServerName::try_from(name.to_owned())
        .map_err(|_| format!("server_name {name:?} is no name of a host"))?;
    let mut roots = RootCertStore::empty();
    match authorities {
        None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        Some(pem) => {
            for one in CertificateDer::pem_slice_iter(pem) {
                let one = one.map_err(|error| format!("ca_file cannot be used: {error}"))?;
                roots
                    .add(one)
                    .map_err(|error| format!("ca_file cannot be used: {error}"))?;
            }
        }
    }
    let inner = WebPkiServerVerifier::builder(Arc::new(roots))
        .build()
        .map_err(|error| format!("tls_config cannot be used: {error}"))?;
    let builder = rustls::ClientConfig::builder()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Named { inner, expected }));
    let Some((cert, key)) = &tls.own else {
        return Ok(builder.with_no_client_auth());
    };
    let broken =
        |error: rustls::pki_types::pem::Error| format!("cert and key cannot be used: {error}");
    let (cert, key) = (source(cert)?, source(key)?);
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&cert).collect();
    let key = PrivateKeyDer::from_pem_slice(&key).map_err(broken)?;
    builder
        .with_client_auth_cert(chain.map_err(broken)?, key)
        .map_err(|error| format!("cert and key cannot be used: {error}"))
}

/// Checks certificates against one name, whichever host is asked.
#[derive(Debug)]
struct Named {
    inner: Arc<WebPkiServerVerifier>,
    expected: ServerName<'static>,
}

impl ServerCertVerifier for Named {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _asked: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        self.inner.verify_server_cert(
            end_entity,
            intermediates,
            &self.expected,
            ocsp_response,
            now,
        )
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}
