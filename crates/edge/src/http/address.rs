//! Addresses of people: whether one can be used, and how much of it may be shown to others.

use lettre::Address;
use reqwest::Url;
use secrecy::SecretString;

use tocsin_wire::pagerduty::forward;
use tocsin_wire::web_push::Subscription;
use tocsin_wire::{pushover, slack, telegram, twilio};

use super::shape::ChannelKind;
use crate::delivery::post::topic_of;

/// Characters of a mail address at most (RFC 5321).
pub(crate) const MAIL_CHARS_MAX: usize = 254;
/// Characters of a URL at most.
const URL_CHARS_MAX: usize = 2_000;
/// Characters of a phone number at most, with what stands between its digits.
const PHONE_CHARS_MAX: usize = 40;

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
        ChannelKind::Slack if slack::is_member(text.trim()) => Ok(text.trim().into()),
        ChannelKind::Slack => {
            let wrong =
                "neither the URL of an incoming webhook nor the id of a member such as U024BE7LH";
            let url = url(text).map_err(|reason| format!("{wrong}: {reason}"))?;
            Ok(SecretString::from(url.to_string()))
        }
        ChannelKind::Telegram => formed(
            text,
            telegram::is_chat,
            "not the number of a chat, such as 123456789, or the @name of a public channel",
        ),
        ChannelKind::Pushover => formed(
            text,
            pushover::is_key,
            "not a user key of Pushover: 30 letters and digits",
        ),
        ChannelKind::Sms | ChannelKind::Voice => phone(text),
        ChannelKind::WebPush => {
            let subscription = Subscription::read(text)?;
            url(&subscription.endpoint).map_err(|reason| format!("endpoint: {reason}"))?;
            Ok(SecretString::from(subscription.text()))
        }
        ChannelKind::PagerDuty => formed(
            text,
            forward::is_routing_key,
            "not a routing key of PagerDuty's Events API v2: 32 letters and digits",
        ),
    }
}

fn formed(text: &str, is_one: fn(&str) -> bool, wrong: &str) -> Result<SecretString, String> {
    let text = text.trim();
    if is_one(text) {
        Ok(text.into())
    } else {
        Err(wrong.to_owned())
    }
}

/// A phone number, without what people put between its digits.
fn phone(text: &str) -> Result<SecretString, String> {
    if text.chars().count() > PHONE_CHARS_MAX {
        return Err(format!("at most {PHONE_CHARS_MAX} characters"));
    }
    let mut number = text.to_owned();
    number.retain(|symbol| !" -.()\u{a0}".contains(symbol));
    let wrong = "not a phone number in the international form, such as +33 1 23 45 67 89";
    formed(&number, twilio::is_number, wrong)
}

/// Whether its addresses may be reached is checked at each attempt: a name can change its mind.
pub(crate) fn url(text: &str) -> Result<Url, String> {
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
        ChannelKind::Webhook | ChannelKind::Ntfy => host_of(address),
        ChannelKind::Slack if !slack::is_member(address) => host_of(address),
        ChannelKind::WebPush => {
            let endpoint = Subscription::read(address).map(|known| known.endpoint);
            host_of(&endpoint.unwrap_or_default())
        }
        // Enough to tell two of them apart.
        ChannelKind::Slack
        | ChannelKind::Telegram
        | ChannelKind::Pushover
        | ChannelKind::Sms
        | ChannelKind::Voice
        | ChannelKind::PagerDuty => {
            let count = address.chars().count();
            let first: String = address.chars().take(1).collect();
            let last: String = address.chars().skip(count.saturating_sub(2)).collect();
            format!("{first}…{last}")
        }
    }
}

fn host_of(address: &str) -> String {
    let url = Url::parse(address).ok();
    let host = url.as_ref().and_then(Url::host_str).unwrap_or_default();
    format!("{}://{host}/…", url.as_ref().map_or("https", Url::scheme))
}

#[cfg(test)]
mod tests {
    use tocsin_wire::mail_address::is_address;

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
    fn an_address_that_an_import_takes_is_taken_where_somebody_is_added() {
        let part = "a".repeat(63);
        let whole = format!("{part}@{part}.{part}.example.org");
        let texts = [
            "ann@example.org",
            "ann@localhost",
            "o'neil+page@mail.example.org",
            "!#$%&'*+-/=?^_`{|}~@example.org",
            "björn@exämple.org",
            "1@2.example",
            &whole,
            "ann",
            "ann@",
            "a..b@example.org",
            "ann@example..org",
            "ann@-example.org",
            "ann@exam_ple.org",
            "a,b@example.org",
            "ann@@example.org",
        ];
        let taken: Vec<&str> = texts.into_iter().filter(|text| is_address(text)).collect();
        assert_eq!(taken, texts[..7]);
        for text in taken {
            assert!(mail(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn each_kind_of_address_is_checked_when_it_is_entered() {
        use secrecy::ExposeSecret;
        let check = |kind, text: &str, expected: Option<&str>| {
            let found = of(kind, text).ok();
            let found = found.as_ref().map(ExposeSecret::expose_secret);
            assert_eq!(found, expected, "{text}");
        };
        let key = "uQiRzpo4DXghDmr9QzzfQu27cmVRsG";
        check(
            ChannelKind::Sms,
            "+33 (1) 23-45.67 89",
            Some("+33123456789"),
        );
        check(ChannelKind::Voice, "0123456789", None);
        check(ChannelKind::Telegram, " 42 ", Some("42"));
        check(ChannelKind::Telegram, "https://t.me/ann", None);
        check(ChannelKind::Pushover, key, Some(key));
        check(ChannelKind::Pushover, "key", None);
        check(ChannelKind::Slack, "U024BE7LH", Some("U024BE7LH"));
        let hook = "https://hooks.slack.com/services/T0/B0/x";
        check(ChannelKind::Slack, hook, Some(hook));
        check(ChannelKind::Slack, "#general", None);
        check(ChannelKind::PagerDuty, "R0", None);
        check(ChannelKind::WebPush, "{}", None);
        assert_eq!(hint(ChannelKind::Sms, "+33123456789"), "+…89");
        assert_eq!(hint(ChannelKind::Slack, hook), "https://hooks.slack.com/…");
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
