//! The signature by which a request of Twilio proves that it is one: HMAC-SHA1 over the address and the sorted fields.

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

/// The header that carries it, in base64.
pub const HEADER: &str = "X-Twilio-Signature";
/// Bytes of a signature.
const BYTES: usize = 20;

/// Whether this signature, decoded, is the one of a request to `url` with these fields.
#[must_use]
pub fn is_genuine(token: &[u8], url: &str, fields: &[(String, String)], signature: &[u8]) -> bool {
    // Without a token anybody could sign.
    !token.is_empty()
        && signature.len() == BYTES
        && mac(token, url, fields).is_some_and(|mac| mac.verify_slice(signature).is_ok())
}

/// The signature of a request, as a provider makes it.
#[must_use]
pub fn sign(token: &[u8], url: &str, fields: &[(String, String)]) -> Vec<u8> {
    mac(token, url, fields)
        .map(|mac| mac.finalize().into_bytes().to_vec())
        .unwrap_or_default()
}

fn mac(token: &[u8], url: &str, fields: &[(String, String)]) -> Option<Hmac<Sha1>> {
    let mut sorted: Vec<&(String, String)> = fields.iter().collect();
    sorted.sort();
    let mut mac = Hmac::<Sha1>::new_from_slice(token).ok()?;
    mac.update(url.as_bytes());
    for (name, value) in sorted {
        mac.update(name.as_bytes());
        mac.update(value.as_bytes());
    }
    Some(mac)
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://mycompany.com/myapp.php?foo=1&bar=2";

    fn fields() -> Vec<(String, String)> {
        [
            ("To", "+18005551212"),
            ("CallSid", "CA1234567890ABCDE"),
            ("From", "+12349013030"),
            ("Caller", "+12349013030"),
            ("Digits", "1234"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
    }

    #[test]
    fn the_signature_is_the_one_that_twilio_makes() {
        // `0/KCTR6DLpKmkAf8muzZqo1nDgQ=`, of Twilio's own libraries, in base64 for URLs.
        let known = crate::base64url::decode("0_KCTR6DLpKmkAf8muzZqo1nDgQ=", 20).unwrap();
        assert_eq!(sign(b"12345", URL, &fields()), known);
        assert!(is_genuine(b"12345", URL, &fields(), &known));
    }

    #[test]
    fn any_change_is_noticed() {
        let known = sign(b"12345", URL, &fields());
        assert!(!is_genuine(b"12346", URL, &fields(), &known));
        assert!(!is_genuine(
            b"12345",
            "https://mycompany.com/",
            &fields(),
            &known
        ));
        assert!(!is_genuine(b"12345", URL, &fields()[1..], &known));
        assert!(!is_genuine(b"12345", URL, &fields(), &known[..19]));
        assert!(!is_genuine(b"12345", URL, &fields(), b""));
        assert!(!is_genuine(b"", URL, &fields(), &sign(b"", URL, &fields())));
    }
}
