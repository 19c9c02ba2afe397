//! Pages by mail, against a small server that takes them, refuses them, hangs or hangs up.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use serde_json::json;
use tocsin_domain::page::Outcome;
use tocsin_domain::people::ChannelKind;
use tocsin_edge::delivery::egress::Egress;
use tocsin_wire::inbound_mail::Mail;

use crate::accounts::{End, ended, via, via_past};
use crate::pace::HandPace;
use crate::world::World;

/// How the server behaves once it has greeted.
#[derive(Clone, Copy, PartialEq)]
enum Manner {
    /// Takes every mail.
    Takes,
    /// Refuses the recipient with this answer.
    Refuses(&'static str),
    /// Says nothing more.
    Hangs,
    /// Closes the connection after the mail was handed over.
    HangsUp,
    /// Closes the connection when the mail is to be handed over.
    HangsUpBefore,
}

/// A mail server on loopback; gives what it was handed, and an empty mail when it hangs.
fn start(manner: Manner) -> (SocketAddr, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, mails) = channel();
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let sender = sender.clone();
            std::thread::spawn(move || {
                // A client that goes away ends the conversation.
                let _ = converse(connection.unwrap(), manner, &sender);
            });
        }
    });
    (address, mails)
}

fn converse(connection: TcpStream, manner: Manner, mails: &Sender<String>) -> std::io::Result<()> {
    let mut out = connection.try_clone()?;
    let mut lines = BufReader::new(connection).lines();
    out.write_all(b"220 fake ESMTP\r\n")?;
    while let Some(line) = lines.next() {
        let line = line?;
        let verb = line.to_ascii_uppercase();
        let answer = if verb.starts_with("EHLO") {
            "250-fake\r\n250 8BITMIME"
        } else if verb.starts_with("RCPT") {
            match manner {
                Manner::Refuses(answer) => answer,
                Manner::Hangs => {
                    // The test may have ended.
                    let _ = mails.send(String::new());
                    // Holds the connection open until the client gives up.
                    while lines.next().is_some_and(|line| line.is_ok()) {}
                    return Ok(());
                }
                Manner::Takes | Manner::HangsUp | Manner::HangsUpBefore => "250 ok",
            }
        } else if verb.starts_with("DATA") {
            if manner == Manner::HangsUpBefore {
                return Ok(());
            }
            out.write_all(b"354 go on\r\n")?;
            let mut mail = String::new();
            for line in lines.by_ref() {
                let line = line?;
                if line == "." {
                    break;
                }
                mail.push_str(&line);
                mail.push('\n');
            }
            if manner == Manner::HangsUp {
                return Ok(());
            }
            // The test may have ended.
            let _ = mails.send(mail);
            "250 2.0.0 queued as 4711"
        } else if verb.starts_with("QUIT") {
            out.write_all(b"221 bye\r\n")?;
            return Ok(());
        } else {
            "250 ok"
        };
        out.write_all(answer.as_bytes())?;
        out.write_all(b"\r\n")?;
    }
    Ok(())
}

async fn page_by(manner: Manner) -> (World, (Outcome, String), Receiver<String>) {
    page_about("web", manner).await
}

async fn page_about(what: &str, manner: Manner) -> (World, (Outcome, String), Receiver<String>) {
    let world = World::new();
    let (server, mails) = start(manner);
    let settings = json!({"host": "127.0.0.1", "port": server.port(), "from": "Tocsin <tocsin@example.org>", "tls": "none"});
    let set = world
        .call("PUT", "/channels/email", &world.admin, Some(settings))
        .await;
    assert!(set.status.is_success(), "{}", set.text());
    let loopback = Egress::new(vec!["127.0.0.0/8".parse().unwrap()]);
    let pace = HandPace::new();
    let delivery = world.deliver_at(loopback, &pace);
    world.raise(what).await;
    if manner == Manner::Hangs {
        pace.attempt_runs_out();
    }
    let outcome = tokio::task::block_in_place(|| world.first_outcome());
    delivery.stop();
    (world, outcome, mails)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_handed_over_with_its_link_and_its_key() {
    let (world, (outcome, detail), mails) = page_by(Manner::Takes).await;
    assert_eq!(
        (outcome, detail.contains("queued as 4711")),
        (Outcome::Accepted, true),
        "{detail}"
    );
    let mail = mails.recv().unwrap();
    let (incident, message) = world.engine.read(|state| {
        (
            state.incidents.keys().next().unwrap().to_string(),
            state.notifications.keys().next().unwrap().to_string(),
        )
    });
    for part in [
        "To: ada@example.org",
        "From: Tocsin <tocsin@example.org>",
        "Subject: [Page #1] web is down",
        "Auto-Submitted: auto-generated",
        &format!("Message-ID: <{message}@example.org>"),
    ] {
        assert!(mail.contains(part), "{part:?} in {mail}");
    }
    let joined = mail.replace("=\n", "");
    assert!(
        joined.contains(&format!("http://tocsin.example/ui/incidents/{incident}")),
        "{mail}"
    );
    assert_eq!(
        world.tally.attempts(),
        [(ChannelKind::Email, "accepted", 1)]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_summary_that_is_written_like_an_encoded_word_is_shown_as_it_is() {
    let (_, _, mails) = page_about("=?utf-8?q?All_clear?=", Manner::Takes).await;
    let mail = mails.recv().unwrap();
    assert!(!mail.contains("=?utf-8?q?"), "{mail}");
    let read = Mail::read(mail.replace('\n', "\r\n").as_bytes());
    assert_eq!(read.subject, "[Page #1] =?utf-8?q?All_clear?= is down");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recipient_that_is_unknown_is_refused_and_their_address_is_not_recorded() {
    let (_, (outcome, detail), _) =
        page_by(Manner::Refuses("550 5.1.1 <Ada@example.org>: unknown user")).await;
    assert_eq!(outcome, Outcome::Refused);
    assert!(
        detail.contains("unknown user") && !detail.to_lowercase().contains("ada@"),
        "{detail}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_busy_may_take_it_later() {
    let (_, (outcome, detail), _) =
        page_by(Manner::Refuses("451 4.7.1 greylisted, try again")).await;
    assert_eq!(
        (outcome, detail.contains("greylisted")),
        (Outcome::Failed, true),
        "{detail}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_hangs_is_given_up() {
    let (_, (outcome, _), _) = page_by(Manner::Hangs).await;
    assert_eq!(outcome, Outcome::TimedOut);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_hangs_up_before_it_was_handed_the_mail_may_take_it_later() {
    let (_, (outcome, _), _) = page_by(Manner::HangsUpBefore).await;
    assert_eq!(outcome, Outcome::Failed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_was_handed_over_to_a_server_that_hangs_up_is_not_said_to_have_failed() {
    let (_, (outcome, detail), _) = page_by(Manner::HangsUp).await;
    assert_eq!(outcome, Outcome::TimedOut, "{detail}");
    assert!(detail.contains("it may have been taken"), "{detail}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_mail_server_the_next_way_is_tried() {
    let world = World::new();
    let delivery = world.deliver(Egress::new(Vec::new()), Duration::from_secs(10));
    world.raise("web").await;
    let (outcome, detail) = tokio::task::block_in_place(|| world.first_outcome());
    delivery.stop();
    assert_eq!(
        (outcome, detail.contains("no mail server is set up")),
        (Outcome::Refused, true),
        "{detail}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_mail_server_needs_to_be_allowed() {
    let world = World::new();
    let settings = json!({"host": "127.0.0.1", "port": 25, "from": "a@b.example", "tls": "none"});
    world
        .call("PUT", "/channels/email", &world.admin, Some(settings))
        .await;
    let delivery = world.deliver(Egress::new(Vec::new()), Duration::from_secs(10));
    world.raise("web").await;
    let (outcome, detail) = tokio::task::block_in_place(|| world.first_outcome());
    delivery.stop();
    assert_eq!(
        (outcome, detail.contains("[egress] allow")),
        (Outcome::Failed, true),
        "{detail}"
    );
}

/// A world whose mail goes by the servers at these ports, one after the other.
async fn with_servers(ports: [u16; 2]) -> World {
    let world = World::new();
    for (path, port) in ["/channels/email", "/channels/email/2"].iter().zip(ports) {
        let settings = json!({"host": "127.0.0.1", "port": port, "from": "Tocsin <tocsin@example.org>", "tls": "none"});
        let set = world.call("PUT", path, &world.admin, Some(settings)).await;
        assert!(set.status.is_success(), "{}", set.text());
    }
    world
}

/// Pages Ada once by mail, by two servers, the second of which takes everything; gives how that went and what the second got.
async fn page_past(port: u16) -> (End, Vec<String>) {
    let (second, mails) = start(Manner::Takes);
    let world = with_servers([port, second.port()]).await;
    let loopback = Egress::new(vec!["127.0.0.0/8".parse().unwrap()]);
    let delivery = world.deliver_at(loopback, &HandPace::new());
    world.raise("web").await;
    let end = ended(&world, 1)[0].clone();
    delivery.stop();
    (end, mails.try_iter().collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_one_server_does_not_take_goes_by_the_next_in_the_same_attempt() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = nobody.local_addr().unwrap().port();
    drop(nobody);
    let mut ports = vec![closed];
    for manner in [
        Manner::Refuses("451 4.7.1 greylisted, try again"),
        Manner::Refuses("550 5.7.1 relaying denied"),
        Manner::HangsUpBefore,
    ] {
        ports.push(start(manner).0.port());
    }
    for port in ports {
        let ((outcome, detail, by), mails) = page_past(port).await;
        assert_eq!((outcome, by), (Outcome::Accepted, via_past(&[1], 2, false)));
        assert!(detail.contains("queued as 4711 (before that, 127.0.0.1: "));
        assert_eq!(mails.len(), 1, "{detail}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_for_nobody_is_given_to_no_server_that_would_take_it_all_the_same() {
    let (first, _) = start(Manner::Refuses("550 5.1.1 unknown user"));
    let ((outcome, _, by), mails) = page_past(first.port()).await;
    assert_eq!((outcome, by), (Outcome::Refused, via(1, false)));
    assert_eq!(mails, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_one_server_may_have_taken_is_repeated_by_the_next_under_the_same_key() {
    for manner in [Manner::Hangs, Manner::HangsUp] {
        let ((first, asked), (second, mails)) = (start(manner), start(Manner::Takes));
        let world = with_servers([first.port(), second.port()]).await;
        let loopback = Egress::new(vec!["127.0.0.0/8".parse().unwrap()]);
        let pace = HandPace::new();
        let delivery = world.deliver_at(loopback, &pace);
        world.raise("web").await;
        if manner == Manner::Hangs {
            // An attempt that runs out before it knows its servers was by none of them.
            tokio::task::block_in_place(|| asked.recv().unwrap());
            pace.attempt_runs_out();
        }
        let ended = ended(&world, 2);
        delivery.stop();
        let ends = ended.into_iter().map(|(outcome, _, by)| (outcome, by));
        let expected = [
            (Outcome::TimedOut, via(1, true)),
            (Outcome::Accepted, via(2, false)),
        ];
        assert_eq!(ends.collect::<Vec<_>>(), expected);
        let messages = world.engine.read(|state| state.notifications.len());
        assert_eq!(messages, 1);
        let key = world.engine.read(|state| {
            let mut keys = state.notifications.keys();
            keys.next().unwrap().to_string()
        });
        let mail = mails.recv().unwrap();
        assert!(mail.contains(&format!("Message-ID: <{key}@example.org>")));
    }
}

#[tokio::test]
async fn mail_servers_that_take_over_are_kept_shown_and_removed() {
    let world = with_servers([1, 2]).await;
    let shown = world.get("/channels").await.json();
    let further = shown["further_email"].as_array().unwrap();
    assert_eq!(further.len(), 1);
    assert_eq!(
        (&further[0]["place"], &further[0]["port"]),
        (&json!(2), &json!(2))
    );
    let doctor = world.get("/doctor").await.json();
    let checks = doctor["checks"].as_array().unwrap();
    for name in ["mail server", "second mail server"] {
        let check = checks.iter().find(|check| check["name"] == name);
        assert_eq!(check.unwrap()["state"], "warn", "{name}");
    }
    for (path, expected) in [("1", 404_u16), ("4", 404), ("2", 204)] {
        let path = format!("/channels/email/{path}");
        let gone = world.call("DELETE", &path, &world.admin, None).await;
        assert_eq!(gone.status, expected, "{path}");
    }
    let shown = world.get("/channels").await.json();
    assert_eq!(shown["further_email"], json!([]));
    assert_eq!(shown["email"]["port"], 1);
}
