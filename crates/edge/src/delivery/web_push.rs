//! One push to a browser: encrypted for it alone (RFC 8291), with a proof of who pushes (RFC 8292).

use std::sync::Arc;

use reqwest::{StatusCode, Url};
use ring::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::agreement::{ECDH_P256, EphemeralPrivateKey, UnparsedPublicKey, agree_ephemeral};
use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::KeyPair;
use secrecy::{ExposeSecret, SecretString};
use tocsin_domain::page::Outcome;
use tocsin_domain::time::Timestamp;
use tocsin_wire::page_message::{PageMessage, outside_address};
use tocsin_wire::web_push::{self, POINT_BYTES, SALT_BYTES, Subscription};

use super::account::{Opened, key_pair};
use super::exchange::{Answered, Call, Exchange};
use super::message::Letter;
use super::report::Report;
use super::{Courier, mail};

/// How long a push service keeps a push for a device that is off: a page of an hour ago wakes nobody for anything.
const KEEP_S: u32 = 3_600;
/// How long a proof is good for; push services take a day at most.
const PROOF_S: i64 = 12 * 3_600;
/// Characters of an answer's words that are kept.
const WORDS_CHARS_MAX: usize = 4_096;
/// Where Microsoft's service says what became of a push; it also throws some away with a success.
const WNS_STATUS: &str = "x-wns-status";
/// Where Apple's service names a message.
const APNS_ID: &str = "apns-id";
/// Last parts of names that nobody outside resolves (RFC 6761, RFC 6762, and what ICANN keeps for inside).
const INSIDE: [&str; 5] = ["localhost", "local", "internal", "invalid", "test"];
/// Who is to be asked where nobody is known: enough for a trial on one machine. Apple's service refuses it.
const NOBODY: &str = "mailto:tocsin@localhost";

impl Courier {
    /// Pushes a message to a browser.
    pub(super) async fn push(
        &self,
        exchange: &Exchange,
        opened: &Opened,
        letter: &Letter,
        address: &SecretString,
        now: Timestamp,
    ) -> Report {
        let contact = self.push_contact(opened).await;
        let sent = send(exchange, opened, address, &letter.message, &contact, now).await;
        let answered = match sent {
            Ok(answered) => answered,
            Err(report) => return report,
        };
        let (status, browser) = (answered.status, letter.address);
        if status.is_success() {
            let report = taken(&answered);
            if report.outcome == Outcome::Accepted {
                self.unknown.is_known(browser);
            }
            return report;
        }
        let is_gone = status == StatusCode::GONE
            || (status == StatusCode::NOT_FOUND && self.unknown.is_gone(browser, now));
        if is_gone {
            gone(status)
        } else {
            refused(&answered)
        }
    }

    /// Who push services may ask about what is pushed: whom an administrator named, or whoever is the most likely to answer.
    async fn push_contact(&self, opened: &Opened) -> String {
        if let Some(named) = &opened.account.from {
            return named.clone();
        }
        let own = &self.needs.public_url;
        if is_outside(own) {
            return own.clone();
        }
        let accounts = Arc::clone(&self.needs.accounts);
        let senders = tokio::task::spawn_blocking(move || mail::senders(accounts.as_ref())).await;
        // A push that Apple's service refuses is better than none to anybody.
        let senders = senders.ok().and_then(Result::ok).unwrap_or_default();
        contact(own, &senders)
    }
}

/// The best of these that a push service may be told: RFC 8292 knows addresses of mail and of the web by https, and Apple's service
/// refuses every push when it names a place that is not outside.
fn contact(own: &str, senders: &[String]) -> String {
    if is_outside(own) {
        return own.to_owned();
    }
    let is_asked = |sender: &&String| {
        let domain = sender.rsplit('@').next().unwrap_or_default();
        domain.contains('.') && is_name_outside(domain)
    };
    let mail = senders.iter().find(is_asked);
    let mail = mail.map(|sender| format!("mailto:{sender}"));
    let by_https = own.starts_with("https://").then(|| own.to_owned());
    mail.or(by_https).unwrap_or_else(|| NOBODY.to_owned())
}

/// Whether it is an address of the web by https that others than this network may know.
fn is_outside(url: &str) -> bool {
    let host = Url::parse(url).ok();
    let host = host.as_ref().and_then(Url::host_str).unwrap_or_default();
    url.starts_with("https://") && outside_address(url).is_some() && is_name_outside(host)
}

fn is_name_outside(name: &str) -> bool {
    let last = name.trim_end_matches('.').rsplit('.').next();
    last.is_some_and(|last| INSIDE.iter().all(|known| !last.eq_ignore_ascii_case(known)))
}

/// Pushes a message to a browser, and gives what was answered; `contact` is who its push service may ask about it.
async fn send(
    exchange: &Exchange,
    opened: &Opened,
    address: &SecretString,
    message: &PageMessage,
    contact: &str,
    now: Timestamp,
) -> Result<Answered, Report> {
    let subscription = Subscription::read(address.expose_secret())
        .map_err(|_| Report::refused("the address is not a browser's subscription"))?;
    let call = call(opened, &subscription, message, contact, now).map_err(Report::refused)?;
    exchange.send(call).await
}

/// What a success says. Whoever else answers, such as a proxy with a page of its own, has pushed nothing.
fn taken(answered: &Answered) -> Report {
    let handled = said(answered, WNS_STATUS);
    let status = answered.status.as_u16();
    match handled.filter(|word| !word.eq_ignore_ascii_case("received")) {
        Some(word) => Report::failed(format!("HTTP {status}, but the push service says: {word}")),
        None if handled.is_some() || is_created(answered) => Report::of_status(answered, ""),
        None => Report::foreign(answered),
    }
}

/// Whether a push service made a message of it (RFC 8030, section 5): it names where that is. Apple's names the message otherwise, and
/// Mozilla's has called it accepted where its browser was not there.
fn is_created(answered: &Answered) -> bool {
    let is_located = said(answered, "location").is_some();
    if answered.status == StatusCode::CREATED {
        is_located || said(answered, APNS_ID).is_some() || answered.body.is_empty()
    } else {
        answered.status == StatusCode::ACCEPTED && is_located
    }
}

fn said<'a>(answered: &'a Answered, name: &str) -> Option<&'a str> {
    answered.headers.get(name)?.to_str().ok()
}

/// A subscription that is gone never comes back (RFC 8030, section 7.3).
fn gone(status: StatusCode) -> Report {
    let status = status.as_u16();
    let detail = format!("HTTP {status}: the browser takes no more pushes; add it again");
    Report {
        of_receiver: true,
        is_gone: true,
        ..Report::refused(detail)
    }
}

/// What any other answer says.
fn refused(answered: &Answered) -> Report {
    let status = answered.status;
    if status == StatusCode::NOT_FOUND {
        // Push services say so of a subscription that is gone, and whoever stands in between of what they do not know.
        let detail =
            "HTTP 404: the push service, or a proxy on the way, does not know this browser";
        return Report {
            of_receiver: true,
            ..Report::refused(detail)
        };
    }
    if status == StatusCode::NOT_ACCEPTABLE {
        // So Microsoft's service limits.
        return Report {
            retry_after_ms: answered.retry_after_ms.or(Some(0)),
            ..Report::failed("HTTP 406: the push service wants fewer pushes")
        };
    }
    let words = String::from_utf8_lossy(&answered.body);
    let words: String = words.chars().take(WORDS_CHARS_MAX).collect();
    Report::of_status(answered, &words)
}

fn call(
    opened: &Opened,
    subscription: &Subscription,
    message: &PageMessage,
    contact: &str,
    now: Timestamp,
) -> Result<Call, &'static str> {
    let url = Url::parse(&subscription.endpoint).map_err(|_| "the endpoint is not a URL")?;
    let key = opened.secret.as_ref().and_then(key_pair);
    let key = key.ok_or("the key for web push cannot be read")?;
    let expires = now.as_millis() / 1_000 + PROOF_S;
    let proof = web_push::proof(&subscription.endpoint, expires, contact)
        .ok_or("the endpoint is not a URL")?;
    let random = SystemRandom::new();
    let signature = key
        .sign(&random, proof.as_bytes())
        .map_err(|_| "the proof could not be signed")?;
    let authorization =
        web_push::authorization(&proof, signature.as_ref(), key.public_key().as_ref());
    let body = encrypted(subscription, &web_push::payload(message), &random)
        .ok_or("the push could not be encrypted: the keys of the subscription are wrong")?;
    // No topic: a push service may keep no more than a few of them for a device that is off, and throw the other pages away. The
    // browser shows one of several with the same tag.
    Ok(Call {
        headers: vec![
            ("content-type".into(), "application/octet-stream".to_owned()),
            ("content-encoding".into(), "aes128gcm".to_owned()),
            ("ttl".into(), KEEP_S.to_string()),
            ("urgency".into(), web_push::urgency(message).to_owned()),
            ("authorization".into(), authorization),
        ],
        ..Call::json(url, body)
    })
}

fn encrypted(
    subscription: &Subscription,
    payload: &[u8],
    random: &SystemRandom,
) -> Option<Vec<u8>> {
    let mut salt = [0; SALT_BYTES];
    random.fill(&mut salt).ok()?;
    let own = EphemeralPrivateKey::generate(&ECDH_P256, random).ok()?;
    let sender: [u8; POINT_BYTES] = own.compute_public_key().ok()?.as_ref().try_into().ok()?;
    let theirs = UnparsedPublicKey::new(&ECDH_P256, subscription.public_key);
    let keys = agree_ephemeral(own, &theirs, |shared| {
        web_push::record_keys(shared, subscription, &sender, &salt)
    });
    let keys = keys.ok()?;
    let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &keys.key).ok()?);
    let mut record = web_push::record(payload);
    let nonce = Nonce::assume_unique_for_key(keys.nonce);
    key.seal_in_place_append_tag(nonce, Aad::empty(), &mut record)
        .ok()?;
    let mut body = web_push::header(&sender, &salt);
    body.append(&mut record);
    Some(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_can_be_asked_from_outside_is_named_to_push_services() {
        let check = |own: &str, senders: &[&str], expected: &str| {
            let senders: Vec<String> = senders.iter().map(|one| (*one).to_owned()).collect();
            assert_eq!(contact(own, &senders), expected, "{own} {senders:?}");
        };
        let (own, sender) = ("https://tocsin.example.org", "tocsin@example.org");
        check(own, &[sender], own);
        for inside in [
            "http://tocsin.example.org",
            "https://localhost:8700",
            "https://10.0.0.7",
            "https://tocsin.internal",
            "https://tocsin.LOCAL.",
        ] {
            let senders = ["root@localhost", "tocsin@mail.test", sender];
            check(inside, &senders, "mailto:tocsin@example.org");
        }
        check("https://tocsin.internal", &[], "https://tocsin.internal");
        check("http://127.0.0.1:8700", &["root@localhost"], NOBODY);
    }
}
