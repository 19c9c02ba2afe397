//! Messages that are sent without a vault and an engine, as `tocsin watch` sends them, by the providers' accounts, against fakes.

use tocsin_domain::page::Outcome;
use tocsin_edge::delivery::outside::{Outlet, Outside, Sender, Senders, Told};
use tocsin_wire::page_message::{Kind, PageMessage, Urgency};

use crate::fakes::START;
use crate::post::loopback;
use crate::providers::{Provider, Reply, Request};

const PUSHOVER_USER: &str = "uQiRzpo4DXghDmr9QzzfQu27cmVRsG";
const PUSHOVER_TOKEN: &str = "azGDORePK8gMaC0QOYAMyEEuzJnyUi";
const BOT_TOKEN: &str = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw";
const ACCOUNT: &str = "AC0123456789abcdef0123456789abcdef";
const PHONE: &str = "+33123456789";
const TITLE: &str = "Tocsin at https://tocsin.example is not able to page";

/// What a watcher tells.
fn message() -> PageMessage {
    PageMessage {
        kind: Kind::Page,
        idempotency_key: "watch-1-0".to_owned(),
        incident_number: None,
        incident_id: String::new(),
        title: TITLE.to_owned(),
        others: 0,
        urgency: Urgency::High,
        service: "Tocsin itself".to_owned(),
        target: None,
        onset: None,
        opened_at: START,
        reason: "tocsin watch was told to tell you".to_owned(),
        details: vec![("What is wrong".to_owned(), "it cannot be asked".to_owned())],
        link: "https://tocsin.example/ui/".to_owned(),
        answer_link: None,
        runbook: None,
        verification_code: None,
    }
}

fn sender(provider: &Provider, id: Option<&str>, from: Option<&str>, token: &str) -> Sender {
    Sender {
        base_url: Some(provider.url()),
        id: id.map(str::to_owned),
        from: from.map(str::to_owned),
        token: token.into(),
    }
}

/// Sends by accounts that are all at this provider.
fn send(provider: &Provider, outlet: &Outlet) -> Told {
    let senders = Senders {
        mail: None,
        twilio: Some(sender(
            provider,
            Some(ACCOUNT),
            Some("+15005550006"),
            "auth-token",
        )),
        telegram: Some(sender(provider, None, None, BOT_TOKEN)),
        pushover: Some(sender(provider, None, None, PUSHOVER_TOKEN)),
    };
    assert_eq!(outlet.check(&loopback(), &senders), Ok(()));
    assert_eq!(senders.check(&loopback()), Ok(()));
    let outside = Outside::new(loopback(), senders).unwrap();
    let told = outside.send(std::slice::from_ref(outlet), &message(), START);
    told[0].clone()
}

/// What came to a provider that takes everything with this answer.
fn accepted(outlet: &Outlet, status: u16, answer: &str) -> Request {
    let provider = Provider::always(Reply::json(status, answer));
    let told = send(&provider, outlet);
    assert_eq!(told.outcome, Outcome::Accepted, "{told:?}");
    assert_eq!(told.kind, outlet.word());
    provider.next()
}

fn every() -> [Outlet; 4] {
    [
        Outlet::Sms(PHONE.into()),
        Outlet::Voice(PHONE.into()),
        Outlet::Telegram("42".into()),
        Outlet::Pushover(PUSHOVER_USER.into()),
    ]
}

#[test]
fn a_phone_gets_a_text_message_that_asks_for_no_reply() {
    let answer = r#"{"sid":"SM0123456789abcdef0123456789abcdef","status":"queued"}"#;
    let request = accepted(&Outlet::Sms(PHONE.into()), 201, answer);
    let path = format!("/2010-04-01/Accounts/{ACCOUNT}/Messages.json");
    assert_eq!(request.path, path);
    assert!(
        request
            .header("authorization")
            .starts_with("Basic QUMwMTIz")
    );
    assert_eq!(request.field("To").as_deref(), Some(PHONE));
    assert_eq!(request.field("From").as_deref(), Some("+15005550006"));
    let text = request.field("Body").unwrap();
    assert!(text.contains(TITLE) && !text.contains("Reply"), "{text}");
    assert_eq!(request.field("StatusCallback"), None);
}

#[test]
fn a_phone_is_called_and_told_in_the_call_itself() {
    let answer = r#"{"sid":"CA0123456789abcdef0123456789abcdef","status":"queued"}"#;
    let request = accepted(&Outlet::Voice(PHONE.into()), 201, answer);
    let path = format!("/2010-04-01/Accounts/{ACCOUNT}/Calls.json");
    assert_eq!(request.path, path);
    assert_eq!(request.field("To").as_deref(), Some(PHONE));
    assert_eq!(request.field("Url"), None);
    let said = request.field("Twiml").unwrap();
    assert!(
        said.contains("is not able to page") && !said.contains("Press"),
        "{said}"
    );
}

#[test]
fn a_chat_of_telegram_is_told_without_a_button_that_nobody_would_hear() {
    let answer = r#"{"ok":true,"result":{}}"#;
    let request = accepted(&Outlet::Telegram("42".into()), 200, answer);
    assert_eq!(request.path, format!("/bot{BOT_TOKEN}/sendMessage"));
    let body = request.json();
    assert_eq!(body["chat_id"], "42");
    let text = body["text"].as_str().unwrap();
    assert!(text.contains("What is wrong: it cannot be asked"), "{text}");
    assert!(!body.to_string().contains("callback_data"), "{body}");
}

#[test]
fn a_user_of_pushover_is_rung_until_they_acknowledge_it_there() {
    let answer = r#"{"status":1,"request":"r","receipt":"rLqVuqTRh62UzxtmqiaLzQmVcPgiCy"}"#;
    let request = accepted(&Outlet::Pushover(PUSHOVER_USER.into()), 200, answer);
    assert_eq!(request.path, "/1/messages.json");
    assert_eq!(request.field("token").as_deref(), Some(PUSHOVER_TOKEN));
    assert_eq!(request.field("user").as_deref(), Some(PUSHOVER_USER));
    assert_eq!(request.field("priority").as_deref(), Some("2"));
    let text = request.field("message").unwrap();
    assert!(text.contains("What is wrong: it cannot be asked"), "{text}");
}

#[test]
fn a_provider_that_is_down_refuses_or_is_none_is_told_apart() {
    let hotel = "<html>Welcome to the hotel's network</html>";
    let refusals = [
        r#"{"code":21211,"message":"no such number"}"#,
        r#"{"code":21211,"message":"no such number"}"#,
        r#"{"ok":false,"error_code":403,"description":"bot was blocked"}"#,
        r#"{"status":0,"errors":["user key is invalid"]}"#,
    ];
    for (outlet, refusal) in every().iter().zip(refusals) {
        for (status, answer, expected) in [
            (500, "oops", Outcome::Failed),
            (200, hotel, Outcome::Failed),
            (400, refusal, Outcome::Refused),
        ] {
            let provider = Provider::always(Reply::json(status, answer));
            let told = send(&provider, outlet);
            assert_eq!(told.outcome, expected, "{told:?}");
        }
    }
}
