//! The session cookie and the CSRF token that goes with it. It knows no session.

use axum::http::{HeaderMap, HeaderValue, header};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// Cookies longer than this are not ours.
const COOKIE_CHARS_MAX: usize = 256;
/// A browser forgets the cookie after this; the server may end the session earlier.
const COOKIE_AGE_S: u64 = 14 * 24 * 3600;

/// The name of the cookie. The `__Host-` prefix binds it to one https origin; browsers refuse it on plain http.
pub(crate) const fn name(https: bool) -> &'static str {
    if https { "__Host-tocsin" } else { "tocsin" }
}

/// The session cookie's value in a request, if there is exactly one of that name.
pub(crate) fn read(headers: &HeaderMap, https: bool) -> Option<String> {
    let wanted = name(https);
    let mut found = None;
    for header in headers.get_all(header::COOKIE) {
        for pair in header.to_str().ok()?.split(';') {
            let Some((key, value)) = pair.trim().split_once('=') else {
                continue;
            };
            if key != wanted {
                continue;
            }
            let good = !value.is_empty() && value.len() <= COOKIE_CHARS_MAX;
            // Two cookies of one name: somebody planted one, so neither counts.
            if found.is_some() || !good {
                return None;
            }
            found = Some(value.to_owned());
        }
    }
    found
}

/// The header that gives a browser its session.
pub(crate) fn give(value: &str, https: bool) -> Option<HeaderValue> {
    let secure = if https { "; Secure" } else { "" };
    let text = format!(
        "{}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={COOKIE_AGE_S}{secure}",
        name(https)
    );
    HeaderValue::from_str(&text).ok()
}

/// The header that takes it back.
pub(crate) fn take_back(https: bool) -> Option<HeaderValue> {
    let secure = if https { "; Secure" } else { "" };
    HeaderValue::from_str(&format!(
        "{}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0{secure}",
        name(https)
    ))
    .ok()
}

/// The CSRF token of a session: derived from the cookie, so that it needs no place of its own and ends with it.
pub(crate) fn csrf_of(cookie: &str) -> String {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(cookie.as_bytes()) else {
        return String::new();
    };
    mac.update(b"tocsin csrf v1");
    hex(&mac.finalize().into_bytes())
}

/// Whether the request carries the token of its session.
pub(crate) fn csrf_matches(headers: &HeaderMap, cookie: &str) -> bool {
    let Some(given) = headers.get("x-csrf-token") else {
        return false;
    };
    let expected = csrf_of(cookie);
    !expected.is_empty() && bool::from(expected.as_bytes().ct_eq(given.as_bytes()))
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        for digit in [byte >> 4, byte & 15] {
            text.push(char::from(DIGITS[usize::from(digit)]));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(header: &str, expected: Option<&str>) {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, HeaderValue::from_str(header).unwrap());
        assert_eq!(read(&headers, false).as_deref(), expected, "{header}");
    }

    #[test]
    fn each_byte_is_two_digits() {
        assert_eq!(hex(&[0x00, 0x0f, 0x9a, 0xf0, 0xff]), "000f9af0ff");
        assert_eq!(hex(&[]), "");
    }

    #[test]
    fn only_one_cookie_of_our_name_counts() {
        check("a=1; tocsin=abc; b=2", Some("abc"));
        check("tocsin=abc; tocsin=def", None);
        check("tocsin=", None);
        check("__Host-tocsin=abc", None);
        check(&format!("tocsin={}", "x".repeat(257)), None);
    }

    #[test]
    fn a_cookie_is_bound_to_https_where_there_is_https() {
        let secure = give("v", true).unwrap();
        let text = secure.to_str().unwrap();
        assert!(text.starts_with("__Host-tocsin=v; Path=/; HttpOnly; SameSite=Strict"));
        assert!(text.ends_with("; Secure"));
        assert!(
            !give("v", false)
                .unwrap()
                .to_str()
                .unwrap()
                .contains("Secure")
        );
    }

    #[test]
    fn a_csrf_token_fits_its_own_session_only() {
        let mut headers = HeaderMap::new();
        headers.insert(
            "x-csrf-token",
            HeaderValue::from_str(&csrf_of("one")).unwrap(),
        );
        assert!(csrf_matches(&headers, "one"));
        assert!(!csrf_matches(&headers, "two"));
        assert!(!csrf_matches(&HeaderMap::new(), "one"));
    }
}
