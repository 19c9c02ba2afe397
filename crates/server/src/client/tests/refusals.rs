//! What is said when a command cannot be done.

use super::*;

/// Checks exit code, and begin of what is said about the failure.
fn check_refused(replies: Vec<Reply>, line: &[&str], code: u8, expected: &str) {
    let (ran, _) = run_with(replies, line);
    assert_eq!((ran.code, ran.data.as_str()), (code, ""), "{}", ran.notes);
    assert!(ran.notes.starts_with(expected), "{}", ran.notes);
}

#[test]
fn wrong_usage_is_told_before_anything_is_sent() {
    for line in [
        &["incident", "show"][..],
        &["incident", "show", "1/2"],
        &["incident", "declare"],
        &["incident", "reopen"],
        &["incident", "list", "--limit", "201"],
        &["target", "mute", "web"],
        &["target", "maintenance", "web"],
        &["target", "maintenance", "--for", "1h"],
        &["target", "maintenance", "--for", "1h", "--label", "job"],
        &["target", "maintenance", "--for", "1h", "--label", "job=~("],
        &[
            "target",
            "maintenance",
            "web",
            "--for",
            "1h",
            "--until",
            "now",
        ],
        &["alert", "send", "--summary", "x", "--action", "resolve"],
        &["alert", "send", "--summary", "x", "--details", "[]"],
        &[
            "channel",
            "email",
            "set",
            "--host",
            "h",
            "--from",
            "f",
            "--password-file",
            "u",
        ],
        &["channel", "email", "remove"],
        &["channel", "email", "remove", "--place", "1"],
        &["channel", "account", "set", "twilio", "--place", "4"],
        &["token", "create", "--name", "x"],
        &["page"],
    ] {
        assert!(Line::try_parse_from(line).is_err(), "{line:?}");
    }
    for url in ["localhost:8700", "ftp://x", "http://u:p@x", "http://x/?q"] {
        let ran = run_at(url, &["oncall", "who"]);
        assert_eq!((ran.code, ran.data.as_str()), (2, ""), "{url}");
        assert!(ran.notes.starts_with("tocsin: --url "), "{}", ran.notes);
    }
}

#[test]
fn a_server_that_does_not_run_is_told() {
    let url = Fake::start(Vec::new()).url();
    let ran = run_at(&url, &["oncall", "who"]);
    assert_eq!(ran.code, 3);
    assert!(
        ran.notes
            .starts_with(&format!("tocsin: cannot connect to {url}: ")),
        "{}",
        ran.notes
    );
    assert!(
        ran.notes.contains("Is `tocsin serve` running there?"),
        "{}",
        ran.notes
    );
}

#[test]
fn refusals_are_told_with_every_reason() {
    let problem = |status, body: &str| vec![Reply::new(status, body)];
    check_refused(
        problem(401, r#"{"title":"Unauthorized","detail":"no token"}"#),
        &["incident", "list"],
        1,
        "tocsin: no token\n  Give an API token by --token or in $TOCSIN_TOKEN.",
    );
    check_refused(
        problem(401, r#"{"title":"Unauthorized","detail":"no such token"}"#),
        &["incident", "list", "--token", "x"],
        1,
        "tocsin: no such token\n  Make another token under Settings",
    );
    check_refused(
        problem(
            409,
            r#"{"title":"Conflict","detail":"it is resolved already"}"#,
        ),
        &["incident", "resolve", "12"],
        1,
        "tocsin: it is resolved already\n",
    );
    check_refused(
        problem(
            400,
            r#"{"title":"Bad Request","detail":"a; b","errors":["a","b\u001b[2J"]}"#,
        ),
        &["incident", "note", "12", "text"],
        1,
        "tocsin: a; b\n  - a\n  - b[2J\n",
    );
}

#[test]
fn answers_that_are_not_tocsins_are_told() {
    let page = "<html>welcome</html>";
    check_refused(
        vec![Reply::new(200, page)],
        &["oncall", "who"],
        1,
        "tocsin: the answer is not what was expected: ",
    );
    check_refused(
        vec![Reply::new(200, page)],
        &["oncall", "who", "--json"],
        1,
        "tocsin: the answer is not what was",
    );
    let redirect = Reply::new(307, "").header("Location", "https://elsewhere.example/");
    check_refused(
        vec![redirect],
        &["oncall", "who"],
        1,
        "tocsin: the answer is a redirect to https://elsewhere.example/",
    );
}

#[test]
fn an_answer_that_breaks_off_leaves_a_change_unsure() {
    let cut = || vec![Reply::new(200, "{\"items\":").header("Content-Length", "1000")];
    check_refused(cut(), &["oncall", "who"], 3, "tocsin: http://127.0.0.1");
    let (ran, _) = run_with(cut(), &["incident", "ack", "12"]);
    assert!(
        ran.notes.contains("It may have been done all the same"),
        "{}",
        ran.notes
    );
}

#[test]
fn an_answer_without_end_is_refused() {
    let endless = Reply::new(200, &" ".repeat(16 * 1024 * 1024 + 1));
    check_refused(
        vec![endless],
        &["oncall", "who"],
        1,
        "tocsin: the answer is larger than 16777216 bytes",
    );
}

#[test]
fn a_file_without_certificates_is_wrong_usage() {
    let ca = tempfile::NamedTempFile::new().unwrap();
    let line = ["oncall", "who", "--ca", ca.path().to_str().unwrap()];
    let ran = run_at("https://127.0.0.1:1", &line);
    assert_eq!(ran.code, 2);
    assert!(ran.notes.contains("holds no certificate"), "{}", ran.notes);
}
