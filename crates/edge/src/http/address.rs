//! Addresses of people: whether one can be used, and how much of it may be shown to others.

use lettre::Address;
use reqwest::Url;
use secrecy::SecretString;

use super::shape::ChannelKind;
use crate::delivery::post::topic_of;

/// Characters of a mail address at most (RFC 5321).
pub(crate) const MAIL_CHARS_MAX: usize = 254;
/// Characters of a URL at most.
const URL_CHARS_MAX: usize = 2_000;

/// A mail address, as it is kept.
pub(crate) fn mail(text: &str) -> Result<SecretString, String> {
    let text = text.trim();
    if text.chars().count() > MAIL_CHARS_MAX {
        return Err(format!("at most {MAIL_CHARS_MAX} characters"));
    }
    let address: Address = text
        .parse()
        .map_err(|_| "not a mail address such as ann@example.org".to_owned())?;
    Ok(SecretString::from(address.to_string()))
}

/// An address of a contact method, as it is kept.
pub(crate) fn of(kind: ChannelKind, text: &str) -> Result<SecretString, String> {
    match kind {
        ChannelKind::Email => mail(text),
        ChannelKind::Webhook => url(text).map(|url| SecretString::from(url.to_string())),
        ChannelKind::Ntfy => {
            let url = url(text)?;
            topic_of(url.as_str())
                .ok_or("not the URL of an ntfy topic such as https://ntfy.example.org/my-topic")?;
            Ok(SecretString::from(url.to_string()))
        }
    }
}

/// Whether its addresses may be reached is checked at each attempt: a name can change its mind.
fn url(text: &str) -> Result<Url, String> {
    let text = text.trim();
    if text.chars().count() > URL_CHARS_MAX {
        return Err(format!("at most {URL_CHARS_MAX} characters"));
    }
    let url = Url::parse(text).map_err(|error| format!("not a URL: {error}"))?;
    if !matches!(url.scheme(), "https" | "http") || url.host_str().is_none() {
        return Err("must begin with https://".to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("must not have a name or password in it; use the secret".to_owned());
    }
    Ok(url)
}

/// What others may see of an address: enough to recognise one's own.
pub(crate) fn hint(kind: ChannelKind, address: &str) -> String {
    match kind {
        ChannelKind::Email => {
            let (name, host) = address.split_once('@').unwrap_or((address, ""));
            let first: String = name.chars().take(1).collect();
            format!("{first}…@{host}")
        }
        ChannelKind::Webhook | ChannelKind::Ntfy => {
            let url = Url::parse(address).ok();
            let host = url.as_ref().and_then(Url::host_str).unwrap_or_default();
            format!("{}://{host}/…", url.as_ref().map_or("https", Url::scheme))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_cannot_be_used_is_refused_with_a_reason() {
        for text in [
            "",
            "ann",
            "ann@",
            "a b@example.org",
            "ann@example.org\r\nBcc: x@example.org",
            "<ann@example.org>",
        ] {
            assert!(mail(text).is_err(), "{text:?}");
        }
        assert!(mail(" ann@example.org ").is_ok());
        for text in [
            "",
            "example.org",
            "ftp://example.org/",
            "file:///etc/passwd",
            "https://u:p@example.org/",
            "javascript:alert(1)",
        ] {
            assert!(of(ChannelKind::Webhook, text).is_err(), "{text:?}");
        }
        assert!(of(ChannelKind::Webhook, "https://example.org/hook?k=v").is_ok());
        assert!(of(ChannelKind::Ntfy, "https://ntfy.sh/").is_err());
        assert!(of(ChannelKind::Ntfy, "https://ntfy.sh/topic").is_ok());
    }

    #[test]
    fn a_hint_gives_no_secret_away() {
        assert_eq!(
            hint(ChannelKind::Email, "eve@example.org"),
            "e…@example.org"
        );
        assert_eq!(
            hint(ChannelKind::Webhook, "https://example.org/hook?key=secret"),
            "https://example.org/…"
        );
        assert_eq!(
            hint(ChannelKind::Ntfy, "https://ntfy.sh/secret-topic"),
            "https://ntfy.sh/…"
        );
    }
}
