//! Makes keys, codes and ids that nobody can guess, and hashes of keys that are stored. It keeps none.

use std::io;

use sha2::{Digest, Sha256};

use crate::access::cookie::hex;

/// Letters and digits, as PagerDuty's routing keys have them.
const ALPHANUMERIC: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// So many random letters and digits.
///
/// # Errors
/// The operating system gives no random bytes.
pub fn letters(count: usize) -> io::Result<String> {
    let mut text = String::with_capacity(count);
    while text.len() < count {
        let mut bytes = [0_u8; 64];
        getrandom::fill(&mut bytes).map_err(no_bytes)?;
        // Bytes beyond the last whole multiple of 62 are passed over, so that every letter is as likely.
        let fair = bytes.iter().filter(|byte| **byte < 248);
        text.extend(
            fair.map(|byte| char::from(ALPHANUMERIC[usize::from(byte % 62)]))
                .take(count - text.len()),
        );
    }
    Ok(text)
}

/// Six random digits.
///
/// # Errors
/// The operating system gives no random bytes.
pub fn digits() -> io::Result<String> {
    let mut bytes = [0_u8; 8];
    getrandom::fill(&mut bytes).map_err(no_bytes)?;
    Ok(format!("{:06}", u64::from_be_bytes(bytes) % 1_000_000))
}

fn no_bytes(error: getrandom::Error) -> io::Error {
    io::Error::other(error.to_string())
}

/// SHA-256 of a routing key, in hex: what an integration keeps of it.
#[must_use]
pub fn key_hash(key: &str) -> String {
    hex(&Sha256::digest(key.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_as_many_as_asked_for_and_differ() {
        let (one, other) = (letters(32).unwrap(), letters(32).unwrap());
        assert_eq!(one.len(), 32);
        assert!(one.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        assert_ne!(one, other);
        assert_eq!(digits().unwrap().len(), 6);
    }
}
