//! Takes addresses, keys and codes out of what a provider said: the detail of an attempt is journalled, and no secret may be.

use reqwest::Url;
use secrecy::ExposeSecret;
use tocsin_domain::people::ChannelKind;

use tocsin_wire::web_push::Subscription;

use super::account::Opened;
use super::message::{Letter, Secrets};
use super::walk::Means;

/// Parts of a path that are shorter give nothing away and are common words; longer ones may be the secret itself.
const PART_CHARS_MIN: usize = 6;

/// The detail without any secret of the attempt.
pub(super) fn without_secrets(detail: &str, letter: &Letter, secrets: &Secrets) -> String {
    if is_status_alone(detail) {
        return detail.to_owned();
    }
    let address = secrets.address.expose_secret();
    let mut hidden = vec![address.to_owned()];
    hidden.extend(
        secrets
            .signing_key
            .as_ref()
            .map(|key| key.expose_secret().to_owned()),
    );
    hidden.extend(letter.message.verification_code.clone());
    // Who has it could answer in their name.
    let answer = letter.message.answer_link.as_deref();
    hidden.extend(
        answer
            .and_then(|link| link.rsplit('/').next())
            .map(str::to_owned),
    );
    for carrier in &secrets.carriers {
        match &carrier.means {
            Means::Api(opened) => hidden.extend(tokens_of(opened)),
            // A mail server repeats no password.
            Means::Mail(_) => {}
        }
    }
    match letter.channel {
        ChannelKind::Email
        | ChannelKind::Telegram
        | ChannelKind::Pushover
        | ChannelKind::PagerDuty => {}
        // A provider may repeat what it was sent, with the plus sign escaped.
        ChannelKind::Sms | ChannelKind::Voice => {
            hidden.push(address.trim_start_matches('+').to_owned());
        }
        ChannelKind::WebPush => {
            let endpoint = Subscription::read(address).map(|known| known.endpoint);
            hidden.extend(endpoint.iter().flat_map(|endpoint| parts_of(endpoint)));
        }
        ChannelKind::Webhook | ChannelKind::Slack => hidden.extend(parts_of(address)),
        ChannelKind::Ntfy => {
            hidden.extend(parts_of(address));
            // However short it is: the topic is the secret.
            let url = Url::parse(address).ok();
            let topic = url
                .as_ref()
                .and_then(|url| url.path_segments()?.next_back());
            hidden.extend(topic.map(str::to_owned));
        }
    }
    without(detail, hidden)
}

/// What an account was told, without its tokens.
pub(super) fn without_tokens(told: &str, opened: &Opened) -> String {
    without(told, tokens_of(opened).collect())
}

fn tokens_of(opened: &Opened) -> impl Iterator<Item = String> {
    let tokens = opened.secret.iter().chain(&opened.listener);
    tokens.map(|token| token.expose_secret().to_owned())
}

/// Whether it is nothing but the status of an answer, as it mostly is: that gives no secret away, and in a storm none is looked for.
fn is_status_alone(detail: &str) -> bool {
    let status = detail.strip_prefix("HTTP ").map(str::as_bytes);
    status.is_some_and(|status| status.len() == 3 && status.iter().all(u8::is_ascii_digit))
}

/// What of a URL lets anybody use it who reads it: path, query and user, as they stand and with escapes resolved.
fn parts_of(address: &str) -> Vec<String> {
    let Ok(url) = Url::parse(address) else {
        return Vec::new();
    };
    let (path, query) = (url.path(), url.query().unwrap_or_default());
    let mut parts = vec![format!("{path}?{query}"), query.to_owned()];
    parts.extend(url.password().map(str::to_owned));
    parts.push(url.username().to_owned());
    parts.extend(path.split('/').map(str::to_owned));
    parts.extend(query.split(['&', '=']).map(str::to_owned));
    parts.retain(|part| part.chars().count() >= PART_CHARS_MIN);
    if path.len() > 1 {
        parts.push(path.to_owned());
    }
    let unescaped: Vec<String> = parts.iter().map(|part| unescape(part)).collect();
    parts.extend(unescaped);
    parts
}

/// Resolves `%41` and the like.
fn unescape(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let pair = after.get(..2).filter(|_| *first == b'%');
        let byte = pair
            .and_then(|pair| std::str::from_utf8(pair).ok())
            .and_then(|pair| u8::from_str_radix(pair, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Without any of these, however capitalised; the longest go first, since others are parts of them.
fn without(text: &str, mut hidden: Vec<String>) -> String {
    hidden.retain(|secret| !secret.is_empty());
    hidden.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    let mut clean = text.to_owned();
    for secret in &hidden {
        // What is longer does not stand in it: most answers say next to nothing.
        if secret.len() <= clean.len() {
            clean = replace_ignoring_case(&clean, secret);
        }
    }
    clean
}

fn replace_ignoring_case(text: &str, secret: &str) -> String {
    let mut clean = String::new();
    let mut rest = text;
    let (lower_secret, length) = (secret.to_ascii_lowercase(), secret.len());
    while let Some(at) = rest.to_ascii_lowercase().find(&lower_secret) {
        clean.push_str(&rest[..at]);
        clean.push('…');
        rest = &rest[at + length..];
    }
    clean + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(address: &str, said: &str, expected: &str) {
        let mut hidden = parts_of(address);
        hidden.push(address.to_owned());
        assert_eq!(without(said, hidden), expected, "{address}");
    }

    #[test]
    fn secrets_are_taken_out_of_what_a_provider_says() {
        check(
            "eve@example.org",
            "550 <Eve@Example.ORG>: eve@example.org is unknown",
            "550 <…>: … is unknown",
        );
        check(
            "https://hooks.example.org/T0/SECRETSECRET",
            "Cannot POST /T0/SECRETSECRET",
            "Cannot POST …",
        );
        check(
            "https://hooks.example.org/T0/SECRETSECRET",
            r#"{"path":"\/T0\/secretsecret"}"#,
            r#"{"path":"\/T0\/…"}"#,
        );
        check(
            "https://hooks.example.org/x?key=abcdef1234&v=1",
            "bad key abcdef1234 in /x?key=abcdef1234&v=1",
            "bad key … in …",
        );
        check(
            "https://hooks.example.org/s%C3%BCper%20hook",
            "no süper hook here",
            "no … here",
        );
        check(
            "https://hooks.example.org/ab",
            "Cannot POST /ab about",
            "Cannot POST … about",
        );
        check("https://hooks.example.org/", "404 / no", "404 / no");
    }

    #[test]
    fn nothing_is_looked_for_in_a_status_without_words() {
        for detail in ["HTTP 202", "HTTP 503"] {
            assert!(is_status_alone(detail), "{detail}");
        }
        for detail in ["HTTP 404 /ab", "HTTP 40", "HTTP abc", "http 404", "202", ""] {
            assert!(!is_status_alone(detail), "{detail}");
        }
    }
}
