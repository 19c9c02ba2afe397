//! `tocsin watch` as its own process, over a Tocsin that is stopped, killed and started again.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod places;
mod processes;

use std::time::Duration;

use places::{Peer, Webhook};
use processes::{Server, Watcher, signal};

const UNABLE: &str = r#"{"able_to_page":false,"reasons":["audit"]}"#;
const ABLE: &str = r#"{"able_to_page":true,"reasons":[]}"#;

#[test]
fn a_server_that_is_paused_killed_and_started_again_is_told_once_each_time() {
    let hook = Webhook::start();
    let mut server = Server::set_up();
    server.make_able_to_page();
    let folder = tempfile::tempdir().unwrap();
    let mut watcher = Watcher::start(&server.url(), &hook, folder.path());
    watcher.waits_to_look();
    signal(server.process(), "STOP");
    let down = hook.next();
    assert!(down.title.contains("is not able to page"), "{down:?}");
    signal(server.process(), "CONT");
    let back = hook.next();
    assert!(back.title.contains("is able to page again"), "{back:?}");
    assert_eq!(back.kind, "resolved");
    server.kill();
    let down = hook.next();
    assert!(down.body.contains("it cannot be asked"), "{down:?}");
    watcher.waits_to_remember();
    // The watcher's own end and new start tell nothing twice.
    watcher.kill();
    let mut watcher = Watcher::start(&server.url(), &hook, folder.path());
    server.start_again();
    assert!(hook.next().title.contains("is able to page again"));
    assert!(hook.is_silent());
    watcher.kill();
}

#[test]
fn a_server_knows_who_watches_it_by_a_token_of_its_own() {
    let hook = Webhook::start();
    let server = Server::set_up();
    server.make_able_to_page();
    let folder = tempfile::tempdir().unwrap();
    let mut watcher = Watcher::start_known(&server.url(), &hook, folder.path(), server.token());
    let told = server.waits_to_be_watched();
    assert!(told.contains("watched by “setup”, last seen at "), "{told}");
    watcher.kill();
    assert!(hook.is_silent());
}

#[test]
fn a_peer_that_says_it_cannot_page_is_told_and_reminded_of() {
    let hook = Webhook::start();
    let peer = Peer::start();
    peer.says(503, UNABLE);
    let folder = tempfile::tempdir().unwrap();
    let mut watcher = Watcher::start_reminding(
        &peer.url(),
        &[&hook],
        folder.path(),
        Duration::from_millis(300),
    );
    let first = hook.next();
    assert!(
        first
            .body
            .contains("it says that it is not able to page: audit"),
        "{first:?}"
    );
    let second = hook.next();
    assert_ne!(first.id, second.id, "a reminder is a message of its own");
    peer.says(200, ABLE);
    while hook.next().kind != "resolved" {}
    watcher.kill();
}

#[test]
fn a_place_that_refuses_is_told_again_and_one_that_took_the_message_is_not() {
    let (takes, refuses) = (Webhook::start(), Webhook::start_refusing(2));
    let peer = Peer::start();
    peer.says(503, UNABLE);
    let folder = tempfile::tempdir().unwrap();
    let hooks = [&takes, &refuses];
    let mut watcher = Watcher::start_telling(&peer.url(), &hooks, folder.path());
    let tries = [refuses.next().id, refuses.next().id, refuses.next().id];
    let told = takes.next().id;
    assert!(tries.iter().all(|id| *id == told), "{tries:?}: one message");
    peer.says(200, ABLE);
    for hook in hooks {
        assert_eq!(hook.next().kind, "resolved");
    }
    watcher.kill();
}

#[test]
fn a_place_that_refuses_is_told_again_until_it_takes_the_message() {
    let hook = Webhook::start_refusing(2);
    let peer = Peer::start();
    peer.says(503, UNABLE);
    let folder = tempfile::tempdir().unwrap();
    let mut watcher = Watcher::start(&peer.url(), &hook, folder.path());
    let tries = [hook.next().id, hook.next().id, hook.next().id];
    assert!(
        tries.iter().all(|id| *id == tries[0]),
        "{tries:?}: one message"
    );
    peer.says(200, ABLE);
    assert_eq!(hook.next().kind, "resolved");
    watcher.kill();
}
