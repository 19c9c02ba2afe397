//! The installation's key: read from its file, never stored beside what it protects; it seals, unseals and hashes, and
//! knows no table.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretBox};
use sha2::{Digest, Sha256};
use tocsin_domain::id::Entropy;

use crate::disk;
use crate::error::AccessError;

const KEY_BYTES: usize = 32;
/// XChaCha20-Poly1305 takes nonces long enough to be drawn at random for ever.
const NONCE_BYTES: usize = 24;
/// Any right of group or others.
const RIGHTS_OF_OTHERS: u32 = 0o077;

/// Keys derived from the installation's key, one for each use.
pub(crate) struct MasterKey {
    sealing: SecretBox<[u8; KEY_BYTES]>,
    lookup: SecretBox<[u8; KEY_BYTES]>,
}

/// A sealed text as it is stored.
pub(crate) struct Sealed {
    pub(crate) nonce: Vec<u8>,
    pub(crate) ciphertext: Vec<u8>,
}

impl MasterKey {
    /// Reads the key of `file`; none when there is no such file.
    pub(crate) fn read(file: &Path) -> Result<Option<Self>, AccessError> {
        let opened = match File::open(file) {
            Ok(opened) => opened,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unusable(file, &error)),
        };
        check_rights(file, &opened)?;
        let mut bytes = Zeroizing::new(Vec::with_capacity(KEY_BYTES + 1));
        opened
            .take(KEY_BYTES as u64 + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| unusable(file, &error))?;
        match <&[u8; KEY_BYTES]>::try_from(bytes.as_slice()) {
            Ok(key) => Ok(Some(Self::derived(key))),
            Err(_) => Err(unusable(
                file,
                &format!("a key has exactly {KEY_BYTES} bytes; restore the right file"),
            )),
        }
    }

    /// Makes a new key and its file. Written beside and renamed, so that no half-written key is ever taken for one.
    pub(crate) fn create(
        file: &Path,
        entropy: &mut (impl Entropy + ?Sized),
    ) -> Result<Self, AccessError> {
        let mut key = Zeroizing::new([0_u8; KEY_BYTES]);
        entropy.fill(key.as_mut());
        let beside = file.with_extension("key.new");
        let write = || {
            let _ = std::fs::remove_file(&beside);
            let mut opened = OpenOptions::new()
                .create_new(true)
                .write(true)
                .mode(0o600)
                .open(&beside)?;
            opened.write_all(key.as_ref())?;
            opened.sync_all()?;
            std::fs::rename(&beside, file)?;
            disk::sync_directory(file.parent().unwrap_or(Path::new(".")))
        };
        write().map_err(|error| unusable(file, &error))?;
        Ok(Self::derived(&key))
    }

    fn derived(key: &[u8; KEY_BYTES]) -> Self {
        let derive = |purpose: &str| SecretBox::new(Box::new(keyed_hash(key, &[purpose])));
        Self {
            sealing: derive("tocsin: sealing, 1"),
            lookup: derive("tocsin: lookup, 1"),
        }
    }

    /// Encrypts `plain` so that it opens only together with `context`.
    pub(crate) fn seal(
        &self,
        context: &str,
        plain: &[u8],
        entropy: &mut (impl Entropy + ?Sized),
    ) -> Result<Sealed, AccessError> {
        let mut nonce = [0_u8; NONCE_BYTES];
        entropy.fill(&mut nonce);
        let payload = Payload {
            msg: plain,
            aad: context.as_bytes(),
        };
        let ciphertext = self
            .cipher()
            .encrypt(&XNonce::from(nonce), payload)
            .map_err(|_| AccessError::Refused {
                what: "that text is too long to be encrypted".to_owned(),
            })?;
        Ok(Sealed {
            nonce: nonce.to_vec(),
            ciphertext,
        })
    }

    /// Decrypts; none when the text was not sealed by this key, or not in this context, or was changed.
    pub(crate) fn unseal(&self, context: &str, sealed: &Sealed) -> Option<Zeroizing<Vec<u8>>> {
        let nonce: [u8; NONCE_BYTES] = sealed.nonce.as_slice().try_into().ok()?;
        let payload = Payload {
            msg: &sealed.ciphertext,
            aad: context.as_bytes(),
        };
        let plain = self.cipher().decrypt(&XNonce::from(nonce), payload).ok()?;
        Some(Zeroizing::new(plain))
    }

    /// A keyed hash of `text` in hex, equal for equal texts of one use and useless without the key.
    pub(crate) fn lookup(&self, of: &str, text: &str) -> String {
        hex(&keyed_hash(self.lookup.expose_secret(), &[of, text]))
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(self.sealing.expose_secret().into())
    }
}

fn check_rights(file: &Path, opened: &File) -> Result<(), AccessError> {
    let found = opened.metadata().map_err(|error| unusable(file, &error))?;
    if !found.is_file() {
        return Err(unusable(file, &"it is not a regular file"));
    }
    let user = rustix::process::geteuid().as_raw();
    if found.uid() != user && found.uid() != 0 {
        let why = format!(
            "it belongs to user {}; run `chown {user} {}`",
            found.uid(),
            file.display()
        );
        return Err(unusable(file, &why));
    }
    if found.mode() & RIGHTS_OF_OTHERS != 0 {
        let why = format!(
            "others may use it (mode {:o}); run `chmod 600 {}`",
            found.mode() & 0o777,
            file.display()
        );
        return Err(unusable(file, &why));
    }
    Ok(())
}

fn unusable(file: &Path, why: &impl ToString) -> AccessError {
    AccessError::KeyFile {
        file: file.to_owned(),
        why: why.to_string(),
    }
}

/// HMAC-SHA256 over parts that are told apart by their lengths.
fn keyed_hash(key: &[u8; KEY_BYTES], parts: &[&str]) -> [u8; 32] {
    // HMAC pads a key shorter than its block of 64 bytes with zeros (RFC 2104).
    let mut block = Zeroizing::new([0_u8; 64]);
    block[..KEY_BYTES].copy_from_slice(key);
    let mut mac = <Hmac<Sha256> as KeyInit>::new((&*block).into());
    for part in parts {
        mac.update(&(part.len() as u64).to_le_bytes());
        mac.update(part.as_bytes());
    }
    mac.finalize().into_bytes().into()
}

/// SHA-256 of a text that nobody can guess, in hex.
pub(crate) fn hash_of(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|digit| char::from(DIGITS[usize::from(digit)]))
        .collect()
}
