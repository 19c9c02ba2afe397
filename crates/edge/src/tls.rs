//! TLS: the one provider of ciphers, certificates from files, and self-signed ones. It knows no HTTP.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::{fs, io};

use axum_server::tls_rustls::RustlsConfig;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use tocsin_domain::time::Timestamp;

/// Days that the self-signed authority is good for.
const CA_DAYS: u64 = 3_650;
/// Days that a leaf is good for; a new one is made at every start.
const LEAF_DAYS: u64 = 397;
const MS_PER_DAY: u64 = 86_400_000;

/// Where the certificate comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tls {
    /// No TLS.
    Off,
    /// PEM files: the chain and its key.
    Files {
        /// The chain.
        cert: PathBuf,
        /// The key.
        key: PathBuf,
    },
    /// An authority of our own in `tls/ca.pem` of the data directory, and a leaf for this machine.
    SelfSigned {
        /// The data directory.
        data_dir: PathBuf,
        /// Names and addresses beside localhost, 127.0.0.1 and ::1.
        names: Vec<String>,
    },
}

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read or written, or what is in it cannot be used.
    #[error("{path}: {error}; give PEM files of a certificate chain and its key")]
    File {
        /// Which.
        path: PathBuf,
        /// The system's words.
        error: io::Error,
    },
    /// A certificate could not be made.
    #[error("a self-signed certificate could not be made: {0}")]
    Make(#[from] rcgen::Error),
}

/// Makes ring the provider of ciphers of this process; the first call counts.
pub fn install_provider() {
    // Somebody was first: the same one, since no other is built in.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// The configuration of the listener; `None` without TLS.
///
/// # Errors
/// As [`TlsError`] says.
pub async fn config(tls: &Tls, now: Timestamp) -> Result<Option<RustlsConfig>, TlsError> {
    install_provider();
    let (cert, key) = match tls {
        Tls::Off => return Ok(None),
        Tls::Files { cert, key } => (cert.clone(), key.clone()),
        Tls::SelfSigned { data_dir, names } => self_signed(data_dir, names, now)?,
    };
    let loaded = RustlsConfig::from_pem_file(&cert, &key).await;
    loaded
        .map(Some)
        .map_err(|error| TlsError::File { path: cert, error })
}

/// Writes a leaf for this start, signed by the authority of this data directory, which is made at the first start. Gives the
/// paths of the chain and its key.
fn self_signed(
    data_dir: &Path,
    names: &[String],
    now: Timestamp,
) -> Result<(PathBuf, PathBuf), TlsError> {
    let folder = data_dir.join("tls");
    let at = |path: &Path| {
        let path = path.to_owned();
        move |error| TlsError::File { path, error }
    };
    fs::create_dir_all(&folder).map_err(at(&folder))?;
    let (ca_path, ca_key_path) = (folder.join("ca.pem"), folder.join("ca.key"));
    if !(ca_path.exists() && ca_key_path.exists()) {
        let (pem, key) = authority(now)?;
        write_private(&ca_key_path, &key).map_err(at(&ca_key_path))?;
        fs::write(&ca_path, pem).map_err(at(&ca_path))?;
    }
    let ca_pem = fs::read_to_string(&ca_path).map_err(at(&ca_path))?;
    let ca_key = KeyPair::from_pem(&fs::read_to_string(&ca_key_path).map_err(at(&ca_key_path))?)?;
    let issuer = Issuer::new(authority_params()?, ca_key);
    let (leaf, key) = leaf(&issuer, names, now)?;
    let (cert_path, key_path) = (folder.join("cert.pem"), folder.join("cert.key"));
    write_private(&key_path, &key).map_err(at(&key_path))?;
    fs::write(&cert_path, format!("{leaf}{ca_pem}")).map_err(at(&cert_path))?;
    Ok((cert_path, key_path))
}

fn authority_params() -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(Vec::new())?;
    params
        .distinguished_name
        .push(DnType::CommonName, "Tocsin on this machine");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(params)
}

fn authority(now: Timestamp) -> Result<(String, String), rcgen::Error> {
    let key = KeyPair::generate()?;
    let mut params = authority_params()?;
    set_validity(&mut params, now, CA_DAYS);
    Ok((params.self_signed(&key)?.pem(), key.serialize_pem()))
}

fn leaf(
    issuer: &Issuer<'_, KeyPair>,
    names: &[String],
    now: Timestamp,
) -> Result<(String, String), rcgen::Error> {
    let key = KeyPair::generate()?;
    let mut all: Vec<String> = ["localhost", "127.0.0.1", "::1"]
        .map(str::to_owned)
        .to_vec();
    let good = |name: &&String| {
        name.parse::<IpAddr>()
            .map_or(true, |address| !address.is_unspecified())
    };
    all.extend(names.iter().filter(good).cloned());
    let mut params = CertificateParams::new(all)?;
    params.distinguished_name.push(DnType::CommonName, "Tocsin");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    set_validity(&mut params, now, LEAF_DAYS);
    Ok((params.signed_by(&key, issuer)?.pem(), key.serialize_pem()))
}

/// From yesterday, because clocks differ, for so many days.
fn set_validity(params: &mut CertificateParams, now: Timestamp, days: u64) {
    let (year, month, day) = date_of(now.minus_ms(MS_PER_DAY));
    params.not_before = rcgen::date_time_ymd(year, month, day);
    let (year, month, day) = date_of(now.plus_ms(days * MS_PER_DAY));
    params.not_after = rcgen::date_time_ymd(year, month, day);
}

fn date_of(at: Timestamp) -> (i32, u8, u8) {
    let instant = jiff::Timestamp::from_microsecond(at.as_micros()).unwrap_or_default();
    let date = instant.to_zoned(jiff::tz::TimeZone::UTC).date();
    (
        i32::from(date.year()),
        date.month().unsigned_abs(),
        date.day().unsigned_abs(),
    )
}

/// Writes a file that only its owner can read.
fn write_private(path: &Path, text: &str) -> io::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    // A file of an earlier start may have other rights: it is made anew.
    match fs::remove_file(path) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?
        .write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_self_signed_certificate_is_made_and_its_authority_stays() {
        let folder = tempfile::tempdir().unwrap();
        let tls = Tls::SelfSigned {
            data_dir: folder.path().to_owned(),
            names: vec!["192.0.2.1".to_owned()],
        };
        let now = Timestamp::parse_rfc3339("2024-12-31T12:00:00Z").unwrap();
        assert!(config(&tls, now).await.unwrap().is_some());
        let first = fs::read_to_string(folder.path().join("tls/ca.pem")).unwrap();
        assert!(config(&tls, now).await.unwrap().is_some());
        assert_eq!(
            fs::read_to_string(folder.path().join("tls/ca.pem")).unwrap(),
            first
        );
    }
}
