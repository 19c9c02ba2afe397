//! Test pages: sent, followed, decided.

use super::*;

const ANN: &str = r#"{"id":"QU","name":"Ann","role":"admin","email":"ann@example.org","contact_methods":[
    {"id":"QM","kind":"email","label":"Work","address_hint":"a…@example.org","verified":true}]}"#;

fn message(state: &str, attempts: &str) -> Reply {
    let text = format!(
        r#"{{"id":"QN","user":{{"id":"QU","name":"Ann"}},"channel":"email","label":"Work","level":null,"purpose":"test",
            "state":"{state}","due_at":"2026-11-23T07:15:58Z","attempts":[{attempts}],"why":"asked for"}}"#
    );
    Reply::new(200, &text)
}

/// Sends a test page without waiting between the questions.
fn test_page(states: Vec<Reply>) -> (Result<(), Failure>, String, Vec<String>) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let planned = Reply::new(202, r#"{"notification_id":"QN"}"#);
    let fake = Fake::start([vec![planned], states].concat());
    let line = Line::try_parse_from(["page", "test", "--url", &fake.url()]).unwrap();
    let api = Api::open(&line.connection).unwrap();
    let (screen, data, _) = capture::screen(false);
    let person: user::User = Answer::of(ANN).parsed().unwrap();
    let methods: Vec<_> = person.contact_methods.iter().collect();
    let done = page::test(&api, &screen, &person, &methods, &mut || {});
    (done, data.text(), fake.requests())
}

#[test]
fn a_test_page_is_followed_until_it_is_delivered() {
    let begun = r#"{"number":1,"started_at":"2026-11-23T07:15:58Z","finished_at":null,"outcome":null,"detail":""}"#;
    let failed = r#"{"number":1,"started_at":"2026-11-23T07:15:58Z","finished_at":"2026-11-23T07:15:58.250Z",
        "outcome":"failed","detail":"421 busy"}"#;
    let taken = r#"{"number":2,"started_at":"2026-11-23T07:15:59Z","finished_at":"2026-11-23T07:15:59.031Z",
        "outcome":"accepted","detail":"250 ok"}"#;
    let both = format!("{failed},{taken}");
    let states = vec![
        message("planned", ""),
        message("sending", begun),
        message("retrying", failed),
        message("retrying", failed),
        message("delivered", &both),
    ];
    let (done, data, requests) = test_page(states);
    assert_eq!(done, Ok(()));
    let expected = "\
Test page to Ann by email Work (a…@example.org)
  email Work (a…@example.org), attempt 1: failed after 250 ms: 421 busy
  email Work (a…@example.org), attempt 2: accepted after 31 ms: 250 ok
Delivered: the provider took every test page. Did it arrive?
";
    assert_eq!(data, expected);
    assert!(
        requests[0].starts_with("POST /api/tocsin/v1/users/QU/contact-methods/QM/test "),
        "{}",
        requests[0]
    );
    assert!(
        requests[1].starts_with("GET /api/tocsin/v1/notifications/QN "),
        "{}",
        requests[1]
    );
}

#[test]
fn a_test_page_that_nobody_takes_is_a_failure() {
    let (done, ..) = test_page(vec![message("failed", "")]);
    let told = done.unwrap_err();
    assert_eq!(told.code(), 1);
    assert!(
        told.to_string()
            .starts_with("email Work (a…@example.org) failed\n"),
        "{told}"
    );
    let (done, ..) = test_page(vec![message("retrying", ""); 60]);
    assert!(
        done.unwrap_err()
            .to_string()
            .starts_with("email Work (a…@example.org) is still retrying after 30 s\n")
    );
}

#[test]
fn whom_to_test_is_asked_of_the_token_or_of_the_list() {
    let nobody = Reply::new(
        403,
        r#"{"title":"Forbidden","detail":"this token is nobody's"}"#,
    );
    let (ran, _) = run_with(vec![nobody], &["page", "test"]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.notes.ends_with("Or say whom to page by --user.\n"),
        "{}",
        ran.notes
    );
    let list = format!("{{\"items\":[{ANN}],\"next_cursor\":null}}");
    let replies = vec![
        Reply::new(200, &list),
        Reply::new(202, r#"{"notification_id":"QN"}"#),
        message("delivered", ""),
    ];
    let (ran, _) = run_with(
        replies,
        &[
            "page",
            "test",
            "--user",
            "ann@example.org",
            "--method",
            "work",
        ],
    );
    assert_eq!(ran.code, 0, "{}", ran.notes);
}

#[test]
fn a_way_that_cannot_be_tried_does_not_hide_the_others() {
    let busy = Reply::new(429, r#"{"detail":"too many tries"}"#).header("Retry-After", "9");
    let two = ANN.replace(
        "\"verified\":true}",
        "\"verified\":true},{\"id\":\"QX\",\"kind\":\"ntfy\",\"label\":\"Phone\"}",
    );
    let list = format!("{{\"items\":[{two}],\"next_cursor\":null}}");
    let planned = Reply::new(202, r#"{"notification_id":"QN"}"#);
    let replies = vec![
        Reply::new(200, &list),
        busy,
        planned,
        message("delivered", ""),
    ];
    let (ran, _) = run_with(replies, &["page", "test", "--user", "Ann"]);
    assert_eq!(
        (ran.code, ran.data.as_str()),
        (
            1,
            "Test page to Ann by ntfy Phone (); it carries the code that confirms this way\n"
        )
    );
    let expected = "tocsin: email Work (a…@example.org) could not be tried: too many tries\n  Wait 9 s, then try again.\n";
    assert!(ran.notes.starts_with(expected), "{}", ran.notes);
}

#[test]
fn the_mail_server_is_tried_by_a_page_to_oneself() {
    let planned = Reply::new(202, r#"{"notification_id":"QN"}"#);
    let (ran, requests) = run_with(
        vec![planned, message("delivered", "")],
        &["channel", "email", "test"],
    );
    assert_eq!((ran.code, ran.notes.as_str()), (0, ""));
    assert!(
        requests[0].starts_with("POST /api/tocsin/v1/channels/email/test "),
        "{}",
        requests[0]
    );
}
