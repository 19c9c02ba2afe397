//! Ways to people and their notification rules in bodies. Whether an address is good, and whose it may be, is decided elsewhere.

use tocsin_domain::people::{ChannelKind, Urgency};

use super::body::{self, Named, Wrong};
use super::refusal::Refusal;

/// Characters of what a way is called at most.
const LABEL_CHARS_MAX: usize = 255;
/// Characters of an address at most.
const ADDRESS_CHARS_MAX: usize = 2_000;
/// The country of a number that names none, as in PagerDuty.
const COUNTRY_DEFAULT: u64 = 1;
/// Countries have at most three digits.
const COUNTRY_MAX: u64 = 999;

/// The words for the ways that can be added by a body. A push to a browser is set up in that browser, and the key of a webhook
/// is shown where Tocsin makes it.
const WAYS: [(&str, ChannelKind); 8] = [
    ("email_contact_method", ChannelKind::Email),
    ("sms_contact_method", ChannelKind::Sms),
    ("phone_contact_method", ChannelKind::Voice),
    ("ntfy_contact_method", ChannelKind::Ntfy),
    ("slack_contact_method", ChannelKind::Slack),
    ("telegram_contact_method", ChannelKind::Telegram),
    ("pushover_contact_method", ChannelKind::Pushover),
    ("pagerduty_contact_method", ChannelKind::PagerDuty),
];

/// PagerDuty's word for a kind of way; those that it has not are named as they are.
#[must_use]
pub const fn method_word(kind: ChannelKind) -> &'static str {
    match kind {
        ChannelKind::Email => "email_contact_method",
        ChannelKind::Sms => "sms_contact_method",
        ChannelKind::Voice => "phone_contact_method",
        ChannelKind::WebPush => "push_notification_contact_method",
        ChannelKind::Webhook => "webhook_contact_method",
        ChannelKind::Ntfy => "ntfy_contact_method",
        ChannelKind::Slack => "slack_contact_method",
        ChannelKind::Telegram => "telegram_contact_method",
        ChannelKind::Pushover => "pushover_contact_method",
        ChannelKind::PagerDuty => "pagerduty_contact_method",
    }
}

/// Whether an address of this kind can be told to whoever may write it. Who knows any other can send to it: it is as good as a password.
#[must_use]
pub const fn is_told(kind: ChannelKind) -> bool {
    matches!(
        kind,
        ChannelKind::Email | ChannelKind::Sms | ChannelKind::Voice
    )
}

/// Countries whose calling codes have two digits; one and seven have one, and all others three (ITU-T E.164).
const COUNTRIES_OF_TWO: [&str; 44] = [
    "20", "27", "30", "31", "32", "33", "34", "36", "39", "40", "41", "43", "44", "45", "46", "47",
    "48", "49", "51", "52", "53", "54", "55", "56", "57", "58", "60", "61", "62", "63", "64", "65",
    "66", "81", "82", "84", "86", "90", "91", "92", "93", "94", "95", "98",
];

/// A number of a phone as its country and what is dialled there.
#[must_use]
pub fn country_and_number(number: &str) -> Option<(u64, &str)> {
    let digits = number.strip_prefix('+')?;
    let begin = digits.get(..2)?;
    let length = if begin.starts_with(['1', '7']) {
        1
    } else if COUNTRIES_OF_TWO.contains(&begin) {
        2
    } else {
        3
    };
    let (country, rest) = digits.split_at_checked(length)?;
    Some((country.parse().ok()?, rest))
}

/// A way to a person, to add or to change; what is not said stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Method {
    /// The word for its kind.
    pub word: Option<String>,
    /// What its owner calls it.
    pub label: Option<String>,
    /// Where it leads, as it was written.
    pub address: Option<String>,
    country: Option<u64>,
}

impl Method {
    /// Its kind.
    ///
    /// # Errors
    /// There is none, or it cannot be added so.
    pub fn kind(&self) -> Result<ChannelKind, Refusal> {
        let word = self.word.as_deref();
        let word = word.ok_or_else(|| Refusal::bad("'contact_method.type' is missing"))?;
        let known = WAYS.iter().find(|(known, _)| *known == word);
        known.map(|(_, kind)| *kind).ok_or_else(|| {
            let words: Vec<&str> = WAYS.iter().map(|(word, _)| *word).collect();
            let words = words.join(", ");
            Refusal::bad(format!(
                "'contact_method.type' is not supported here: it is one of {words}"
            ))
        })
    }

    /// Its address as one of this kind: a number without a country gets that of the body.
    #[must_use]
    pub fn address_as(&self, kind: ChannelKind) -> Option<String> {
        let address = self.address.clone()?;
        let is_phone = kind == ChannelKind::Sms || kind == ChannelKind::Voice;
        if !is_phone || address.starts_with('+') {
            return Some(address);
        }
        let country = self.country.unwrap_or(COUNTRY_DEFAULT);
        Some(format!("+{country}{address}"))
    }
}

/// A notification rule, to add or to change; what is not said stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// For what it is.
    pub urgency: Option<Urgency>,
    /// How long after an assignment.
    pub delay_minutes: Option<u64>,
    /// The way that is used.
    pub method: Option<Named>,
}

/// Reads the body of `POST /users/{id}/contact_methods` or `PUT /users/{id}/contact_methods/{id}`.
///
/// # Errors
/// Everything that is wrong with it.
pub fn method(bytes: &[u8]) -> Result<Method, Refusal> {
    let body = body::object(bytes)?;
    let fields = body::wrapped(&body, "contact_method")?;
    let mut wrong = Wrong::default();
    let country = fields.number(&mut wrong, "country_code");
    if country.is_some_and(|country| country == 0 || country > COUNTRY_MAX) {
        wrong.add("'contact_method.country_code' is invalid: it has one to three digits");
    }
    if fields.flag(&mut wrong, "send_short_email") == Some(true) {
        wrong.add("'contact_method.send_short_email' is not supported: every mail is sent whole");
    }
    let method = Method {
        word: fields.text(&mut wrong, "type", 64),
        label: fields.text(&mut wrong, "label", LABEL_CHARS_MAX),
        address: fields.text(&mut wrong, "address", ADDRESS_CHARS_MAX),
        country,
    };
    wrong.outcome(Some(method))
}

/// Reads the body of `POST /users/{id}/notification_rules` or `PUT /users/{id}/notification_rules/{id}`.
///
/// # Errors
/// Everything that is wrong with it.
pub fn rule(bytes: &[u8]) -> Result<Rule, Refusal> {
    let body = body::object(bytes)?;
    let fields = body::wrapped(&body, "notification_rule")?;
    let mut wrong = Wrong::default();
    let kinds = [
        ("assignment_notification_rule", ()),
        ("assignment_notification_rule_reference", ()),
    ];
    let _: Option<()> = fields.word(&mut wrong, "type", &kinds);
    let words = [("high", Urgency::High), ("low", Urgency::Low)];
    let method = fields.object(&mut wrong, "contact_method");
    let method = method.and_then(|method| method.named(&mut wrong));
    let rule = Rule {
        urgency: fields.word(&mut wrong, "urgency", &words),
        delay_minutes: fields.number(&mut wrong, "start_delay_in_minutes"),
        method,
    };
    wrong.outcome(Some(rule))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn read(method_in: Value) -> Result<Method, Refusal> {
        method(
            json!({ "contact_method": method_in })
                .to_string()
                .as_bytes(),
        )
    }

    #[test]
    fn a_number_has_the_country_that_is_said_beside_it() {
        for (body, expected) in [
            (
                json!({"type": "phone_contact_method", "address": "5551234567"}),
                "+15551234567",
            ),
            (
                json!({"type": "sms_contact_method", "address": "123456789", "country_code": 33}),
                "+33123456789",
            ),
            (
                json!({"type": "sms_contact_method", "address": "123456789", "country_code": "33"}),
                "+33123456789",
            ),
            (
                json!({"type": "sms_contact_method", "address": "+33123456789", "country_code": 1}),
                "+33123456789",
            ),
            (
                json!({"type": "email_contact_method", "address": " ann@example.org ", "country_code": null}),
                "ann@example.org",
            ),
        ] {
            let read = read(body.clone()).unwrap();
            let kind = read.kind().unwrap();
            assert_eq!(read.address_as(kind).as_deref(), Some(expected), "{body}");
        }
        for country in [json!(0), json!(1_000), json!(-1), json!(1.5), json!("x")] {
            assert!(
                read(json!({ "country_code": country })).is_err(),
                "{country}"
            );
        }
    }

    #[test]
    fn no_way_is_for_short_mails() {
        for good in [json!(false), Value::Null] {
            let body = json!({"type": "email_contact_method", "send_short_email": good});
            assert!(read(body.clone()).is_ok(), "{body}");
        }
        for wrong in [json!(true), json!("true")] {
            let refusal = read(json!({ "send_short_email": wrong })).unwrap_err();
            let part = "'contact_method.send_short_email' is";
            assert!(refusal.errors[0].starts_with(part), "{refusal}");
        }
    }

    #[test]
    fn a_number_is_told_as_its_country_and_the_rest() {
        for (number, expected) in [
            ("+15551234567", Some((1, "5551234567"))),
            ("+79261234567", Some((7, "9261234567"))),
            ("+33123456789", Some((33, "123456789"))),
            ("+989121234567", Some((98, "9121234567"))),
            ("+358401234567", Some((358, "401234567"))),
            ("0123", None),
            ("+", None),
            ("+é1", None),
        ] {
            assert_eq!(country_and_number(number), expected, "{number}");
        }
    }

    #[test]
    fn every_way_that_can_be_added_is_shown_by_the_same_word() {
        for (word, kind) in WAYS {
            assert_eq!(method_word(kind), word);
        }
        for word in [
            "push_notification_contact_method",
            "webhook_contact_method",
            "",
        ] {
            let read = read(json!({ "type": word })).unwrap();
            assert_eq!(read.kind().unwrap_err().status, 400, "{word}");
        }
    }

    #[test]
    fn a_rule_is_read_strictly() {
        let read = |rule_in: Value| {
            rule(
                json!({ "notification_rule": rule_in })
                    .to_string()
                    .as_bytes(),
            )
        };
        let whole = json!({
            "type": "assignment_notification_rule", "start_delay_in_minutes": 5, "urgency": "low",
            "contact_method": {"id": "QA", "type": "email_contact_method_reference"},
        });
        let expected = Rule {
            urgency: Some(Urgency::Low),
            delay_minutes: Some(5),
            method: Some(Named {
                id: "QA".to_owned(),
                kind: "email_contact_method".to_owned(),
            }),
        };
        assert_eq!(read(whole), Ok(expected));
        for wrong in [
            json!({"type": "oncall_handoff_notification_rule"}),
            json!({"urgency": "loud"}),
            json!({"start_delay_in_minutes": -1}),
            json!({"start_delay_in_minutes": 0.5}),
            json!({"contact_method": "QA"}),
        ] {
            assert_eq!(read(wrong.clone()).unwrap_err().code, 2001, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(body in "\\{\"(contact_method|notification_rule)\":\\PC{0,60}\\}") {
            let _ = (method(body.as_bytes()), rule(body.as_bytes()));
        }
    }
}
