//! What a file and flags give together, and what is refused.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;

use clap::Parser;

use super::*;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    watch: WatchArguments,
}

fn settings(words: &[&str]) -> Result<Settings, String> {
    let line =
        Line::try_parse_from([&["watch"][..], words].concat()).map_err(|why| why.to_string())?;
    Settings::of(&line.watch, None).map_err(|why| format!("{why:#}"))
}

#[track_caller]
fn refused(words: &[&str], expected: &str) {
    let Err(why) = settings(words) else {
        panic!("{words:?} was taken");
    };
    assert!(why.contains(expected), "{why}");
}

#[test]
fn flags_alone_are_enough_where_no_secret_is_needed() {
    let found = settings(&[
        "--peer",
        "http://10.0.0.2:8700",
        "--notify",
        "ntfy:https://ntfy.sh/t",
    ])
    .unwrap();
    assert_eq!(found.peer.as_str(), "http://10.0.0.2:8700/");
    assert_eq!(found.outlets[0].word(), "ntfy");
    assert_eq!(
        (found.every_ms, found.fails_ms, found.answer_ms),
        (15_000, 45_000, 12_000)
    );
    assert_eq!((found.remind_ms, found.again_ms), (900_000, 60_000));
}

const PEER: [&str; 2] = ["--peer", "https://a.example"];

fn written(folder: &Path, text: &str, mode: u32) -> String {
    let path = folder.join("watch.toml");
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_file_says_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let text = "peer = \"https://a.example\"\ntoken = \"abcdEFGH0123ijklMNOP\"\n[[notify]]\nkind = \"webhook\"\naddress = \"https://b.example/h\"\n\
         key = \"sixteen bytes or more\"\n[[notify]]\nkind = \"email\"\naddress = \"ops@example.org\"\n\
         [mail]\nhost = \"mail.example\"\nfrom = \"t@example.org\"\n[egress]\nallow = [\"10.0.0.0/8\"]\n";
    let path = written(folder.path(), text, 0o600);
    let path = path.as_str();
    let found = settings(&["--config", path]).unwrap();
    assert_eq!(found.outlets.len(), 2);
    let token = found.token.as_ref().map(ExposeSecret::expose_secret);
    assert_eq!(token, Some("abcdEFGH0123ijklMNOP"));
    assert_eq!(found.senders.mail.unwrap().0.port, 587);
    let over = settings(&["--config", path, "--peer", "https://c.example"]).unwrap();
    assert_eq!(over.peer.host_str(), Some("c.example"));
    written(folder.path(), text, 0o644);
    refused(&["--config", path], "(mode 644); run `chmod 600");
    written(folder.path(), text, 0o640);
    refused(&["--config", path], "(mode 640)");
}

#[test]
fn a_phone_is_told_by_the_account_that_the_file_gives() {
    let folder = tempfile::tempdir().unwrap();
    let text = "peer = \"https://a.example\"\n[[notify]]\nkind = \"voice\"\naddress = \"+33123456789\"\n\
         [twilio]\naccount_id = \"AC0123456789abcdef\"\ntoken = \"secret\"\nfrom = \"+15005550006\"\n\
         [telegram]\ntoken = \"110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw\"\n\
         [pushover]\ntoken = \"azGDORePK8gMaC0QOYAMyEEuzJnyUi\"\n";
    let path = written(folder.path(), text, 0o600);
    let line = [
        "--config",
        path.as_str(),
        "--notify",
        "sms:+33123456789",
        "--notify",
        "telegram:-1001234567890",
        "--notify",
        "pushover:uQiRzpo4DXghDmr9QzzfQu27cmVRsG",
    ];
    let found = settings(&line).unwrap();
    let words: Vec<&str> = found.outlets.iter().map(Outlet::word).collect();
    assert_eq!(words, ["voice", "sms", "telegram", "pushover"]);
    let from = found.senders.twilio.unwrap().from;
    assert_eq!(from.as_deref(), Some("+15005550006"));
    let by_name = text.replace("+15005550006", "Tocsin");
    let path = written(folder.path(), &by_name, 0o600);
    refused(&["--config", path.as_str()], "a call comes from a number");
    let odd = text.replace("AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw", "");
    let path = written(folder.path(), &odd, 0o600);
    refused(&["--config", path.as_str()], "[telegram]: token");
}

#[test]
fn a_place_that_can_never_be_told_keeps_the_watcher_from_starting() {
    let place = |words: &[&str], expected| refused(&[&PEER[..], words].concat(), expected);
    let private = ["--notify", "ntfy:http://10.0.0.1/x"];
    let expected = "--notify 1 (ntfy): 10.0.0.1 is not a public address; if it is meant, name its block by --allow";
    place(&private, expected);
    let allowed = [&PEER[..], &private, &["--allow", "10.0.0.0/8"]].concat();
    assert!(settings(&allowed).is_ok());
    place(&["--notify", "ntfy:https://ntfy.sh/"], "ntfy topic");
    place(&["--notify", "ntfy:http://9.9.9.9/x"], "plain http");
    let good = ["--notify", "ntfy:https://ntfy.sh/t"];
    let nowhere = [&good[..], &["--state", "/nowhere/at/all/state.json"]].concat();
    place(&nowhere, "there is no folder /nowhere/at/all");
    let folder = tempfile::tempdir().unwrap();
    let file = |text: &str, expected| {
        let path = written(folder.path(), text, 0o600);
        place(
            &[&good[..], &["--config", path.as_str()]].concat(),
            expected,
        );
    };
    file(
        "[[notify]]\nkind = \"webhook\"\naddress = \"https://b.example/h\"\nkey = \"short\"\n",
        "[[notify]] 1 (webhook): the webhook's secret has fewer than 16 bytes",
    );
    file(
        "[mail]\nhost = \"10.0.0.9\"\nfrom = \"t@example.org\"\n",
        "[mail]: 10.0.0.9 is not",
    );
    file("token = \"two words\"\n", "token: expected an API token");
    file(
        "[mail]\nhost = \"a.example\"\nfrom = \"nobody\"\n",
        "[mail]: from",
    );
    file(
        "[mail]\nhost = \"a.example\"\nfrom = \"t@example.org\"\nusername = \"t\"\n",
        "username and password",
    );
}

#[test]
fn what_cannot_work_is_refused_with_what_to_do() {
    refused(&[], "--peer URL");
    refused(&["--peer", "a b", "--notify", "ntfy:x"], "--peer");
    refused(&["--peer", "http://a"], "--notify");
    refused(
        &["--peer", "http://a", "--notify", "fax:1"],
        "fax is no kind",
    );
    let unset = [
        ("email:a@b.example", "there is no mail server: give [mail]"),
        (
            "sms:+33123456789",
            "there is no Twilio account: give [twilio]",
        ),
        ("telegram:1", "there is no Telegram bot: give [telegram]"),
    ];
    for (place, expected) in unset {
        refused(&["--peer", "http://a", "--notify", place], expected);
    }
    refused(&["--peer", "http://u:p@a", "--notify", "ntfy:x"], "--peer");
    refused(
        &[
            "--peer",
            "http://a",
            "--notify",
            "ntfy:x",
            "--allow",
            "everything",
        ],
        "--allow",
    );
    refused(&["--config", "/nowhere/watch.toml"], "/nowhere/watch.toml");
}
