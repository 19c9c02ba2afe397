//! Mail that raises alerts, over a real socket, sent by Python's own client and by hand.

use std::net::SocketAddr;
use std::process::Stdio;

use serde_json::{Value, json};
use tocsin_edge::MailIntake;
use tocsin_edge::tls::Tls;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::mapped::{integration, service};
use crate::world::World;

/// A listener for mail, and where it listens.
async fn listen(world: &World, tls: &Tls) -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let intake = MailIntake::new(listener, "alerts.example", tls, world.app.clone())
        .await
        .unwrap();
    tokio::spawn(intake.run());
    address
}

async fn incidents(world: &World) -> Vec<(String, String)> {
    let list = world.get("/incidents").await.json();
    let items = list["items"].as_array().unwrap().iter();
    let text = |one: &Value, name: &str| one[name].as_str().unwrap().to_owned();
    items
        .map(|one| (text(one, "title"), text(one, "status")))
        .collect()
}

/// Runs a program in Python with these arguments; what it printed.
async fn python(program: &str, arguments: &[&str]) -> String {
    let ran = tokio::process::Command::new("python3")
        .arg("-c")
        .arg(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .await
        .unwrap();
    let (out, err) = (
        ran.stdout,
        String::from_utf8_lossy(&ran.stderr).into_owned(),
    );
    assert!(ran.status.success(), "{err}");
    String::from_utf8_lossy(&out).into_owned()
}

const SEND: &str = r#"
import smtplib, sys
from email.message import EmailMessage
port, to, ca = int(sys.argv[1]), sys.argv[2], sys.argv[3]
client = smtplib.SMTP("127.0.0.1", port, timeout=60)
client.ehlo()
if ca:
    import ssl
    client.starttls(context=ssl.create_default_context(cafile=ca))
    client.ehlo()
    print(client.sock.version() is not None)
def send(subject, id, references=None):
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"], mail["Message-ID"] = "mon@example.org", to, subject, id
    if references:
        mail["References"] = references
    mail.set_content("Füllstand 97 %\n.\n..x")
    mail.add_alternative("<p>html</p>", subtype="html")
    client.send_message(mail)
send("Platte voll: Überlauf", "<1@mon>")
send("Load is high", "<2@mon>")
send("Re: [RESOLVED] Platte voll: Überlauf", "<3@mon>")
send("Resolved: other words", "<4@mon>", "<0@mon> <2@mon>")
for bad in ("nobody@alerts.example", to.replace("alerts", "other")):
    try:
        client.sendmail("mon@example.org", [bad], "Subject: x\r\n\r\n")
        print("taken")
    except smtplib.SMTPRecipientsRefused as refused:
        print(list(refused.recipients.values())[0][0])
try:
    client.sendmail("mon@example.org", [to], "Subject: large\r\n\r\n" + "x" * 100 + "\r\n" * 2000000)
    print("taken")
except smtplib.SMTPResponseException as refused:
    print(refused.smtp_code)
print(client.noop()[0])
client.quit()
"#;

#[tokio::test(flavor = "multi_thread")]
async fn pythons_client_raises_and_resolves_alerts_by_mail() {
    let world = World::new();
    let made = integration(&world, "email", None).await;
    let address = made["address"].as_str().unwrap();
    assert!(address.ends_with("@alerts.example"), "{address}");
    let port = listen(&world, &Tls::Off).await.port().to_string();
    let shown = python(
        SEND,
        &[
            &port,
            &address
                .to_uppercase()
                .replace("ALERTS.EXAMPLE", "alerts.example"),
            "",
        ],
    )
    .await;
    assert_eq!(
        shown.split_whitespace().collect::<Vec<_>>(),
        ["550", "550", "552", "250"]
    );
    let mut found = incidents(&world).await;
    found.sort();
    let expected = ["Load is high", "Platte voll: Überlauf"]
        .map(|title| (title.to_owned(), "resolved".to_owned()));
    assert_eq!(found, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn pythons_client_speaks_tls_after_starttls() {
    let world = World::new();
    let made = integration(&world, "email", None).await;
    let folder = tempfile::tempdir().unwrap();
    let tls = Tls::SelfSigned {
        data_dir: folder.path().to_owned(),
        names: Vec::new(),
    };
    let port = listen(&world, &tls).await.port().to_string();
    let ca = folder.path().join("tls/ca.pem");
    let shown = python(
        SEND,
        &[
            &port,
            made["address"].as_str().unwrap(),
            ca.to_str().unwrap(),
        ],
    )
    .await;
    assert_eq!(shown.split_whitespace().next(), Some("True"));
    assert_eq!(incidents(&world).await.len(), 2);
}

const SEND_BYTES: &str = r#"
import smtplib, sys
from email.message import EmailMessage
mail = EmailMessage()
mail["From"], mail["To"], mail["Subject"] = "mon@example.org", sys.argv[2], "Disk full"
mail.set_content("97 % used\n.\n..x\nof db1\n")
assert b"\r" not in mail.as_bytes()
client = smtplib.SMTP("127.0.0.1", int(sys.argv[1]), timeout=60)
client.sendmail("mon@example.org", [sys.argv[2]], mail.as_bytes())
print(client.noop()[0])
client.quit()
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_pythons_client_sends_as_bytes_raises_its_alert_with_each_line_of_it() {
    let world = World::new();
    let made = integration(&world, "email", None).await;
    let port = listen(&world, &Tls::Off).await.port().to_string();
    let shown = python(SEND_BYTES, &[&port, made["address"].as_str().unwrap()]).await;
    assert_eq!(shown.trim(), "250", "the connection stays");
    let incident = world.get("/incidents/1").await.json();
    assert_eq!(incident["title"], "Disk full");
    let summary = incident["alerts"][0]["summary"].as_str().unwrap();
    let lines: Vec<&str> = summary.lines().map(str::trim).collect();
    assert_eq!(lines, ["97 % used", ".", "..x", "of db1"]);
}

/// Sends bytes and gives all that comes until the other side closes.
async fn say(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // The other side may close before it has read all.
    let _ = stream.write_all(bytes).await;
    let mut heard = Vec::new();
    let _ = stream.read_to_end(&mut heard).await;
    String::from_utf8_lossy(&heard).into_owned()
}

fn mail(to: &str, head: &str) -> Vec<u8> {
    format!("EHLO me\r\nMAIL FROM:<m@x>\r\nRCPT TO:<{to}>\r\nDATA\r\n{head}\r\n\r\ntext\r\n.\r\nQUIT\r\n").into_bytes()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_tocsin_sent_and_what_answers_by_itself_raises_nothing() {
    let world = World::new();
    let made = integration(&world, "email", None).await;
    let to = made["address"].as_str().unwrap();
    let address = listen(&world, &Tls::Off).await;
    for head in [
        "Subject: a\r\nX-Tocsin: page",
        "Subject: a\r\nAuto-Submitted: auto-replied",
    ] {
        let heard = say(address, &mail(to, head)).await;
        assert!(heard.contains("\r\n550 5.7.1 "), "{heard}");
    }
    let heard = say(address, b"EHLO me\nMAIL FROM:<m@x>\n").await;
    assert!(
        heard.ends_with("521 5.5.2 lines end with CR LF\r\n"),
        "{heard}"
    );
    assert!(incidents(&world).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mapping_of_its_own_reads_mails_otherwise() {
    let world = World::new();
    let mapping = json!({
        "title": "{{ .headers.x-host }} {{ .title }}",
        "severity": [{"when": "subject contains 'crit'", "then": "critical"}, {"then": "info"}],
    });
    let made = integration(&world, "email", Some(mapping)).await;
    let address = listen(&world, &Tls::Off).await;
    let to = made["address"].as_str().unwrap();
    let heard = say(address, &mail(to, "Subject: CRIT: disk\r\nX-Host: db-1")).await;
    assert!(heard.contains("250 2.0.0 it is on disk"), "{heard}");
    assert_eq!(incidents(&world).await[0].0, "db-1 CRIT: disk");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_the_alerts_of_a_mail_those_that_can_be_taken_are_and_once_however_often_it_comes() {
    let world = World::new();
    let mapping = json!({
        "each": "$.thread[*]",
        "action": {"from": "{{ . }}", "map": {"<ok@mon>": "resolve"}, "default": "trigger"},
        // Nothing says which alert it is.
        "title": "{{ $.headers.x-none }}",
        "summary": "{{ . }}",
    });
    let made = integration(&world, "email", Some(mapping)).await;
    let address = listen(&world, &Tls::Off).await;
    let to = made["address"].as_str().unwrap();
    let head = "Message-ID: <1@mon>\r\nReferences: <disk@mon> <ok@mon> <load@mon>";
    for _ in 0..2 {
        let heard = say(address, &mail(to, head)).await;
        let in_part = "250 2.0.0 what can be taken of it is on disk, the rest was refused";
        assert!(heard.contains(in_part), "{heard}");
        assert_eq!(incidents(&world).await.len(), 2);
    }
    let none = "Message-ID: <2@mon>\r\nReferences: <ok@mon>";
    let heard = say(address, &mail(to, none)).await;
    assert!(heard.contains("\r\n550 5.7.1 "), "{heard}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_without_an_id_and_a_key_is_one_alert_however_often_it_comes() {
    let world = World::new();
    // Nothing says which alert it is.
    let mapping = json!({"title": "{{ $.headers.x-none }}", "summary": "{{ .text }}"});
    let made = integration(&world, "email", Some(mapping)).await;
    let address = listen(&world, &Tls::Off).await;
    let to = made["address"].as_str().unwrap();
    for head in [
        "Received: from a\r\nSubject: disk",
        "Received: from b\r\nSubject: disk",
    ] {
        let heard = say(address, &mail(to, head)).await;
        assert!(heard.contains("250 2.0.0 it is on disk"), "{heard}");
        assert_eq!(incidents(&world).await.len(), 1);
    }
    say(address, &mail(to, "Subject: disk\r\nX-Host: db-1")).await;
    assert_eq!(incidents(&world).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_gets_too_many_mails_has_them_sent_again_later() {
    let world = World::with(|settings| settings.events_per_minute = 1);
    let made = integration(&world, "email", None).await;
    let address = listen(&world, &Tls::Off).await;
    let to = made["address"].as_str().unwrap();
    assert!(
        say(address, &mail(to, "Subject: a"))
            .await
            .contains("250 2.0.0 it is on disk")
    );
    assert!(
        say(address, &mail(to, "Subject: b"))
            .await
            .contains("451 4.3.0 ")
    );
}

#[tokio::test]
async fn there_is_no_address_where_no_mail_is_taken() {
    let world = World::with(|settings| settings.mail_domain = None);
    let path = format!("/services/{}/integrations", service(&world).await);
    let refused = world
        .post(&path, json!({"name": "n", "kind": "email"}))
        .await;
    assert_eq!(refused.status.as_u16(), 409, "{}", refused.text());
    assert!(refused.text().contains("[mail_intake]"));
}
