//! Conversations: what is said, and what comes of it.

use proptest::prelude::*;

use super::*;

const KEY: &str = "abc";

fn session(security: Security) -> Session {
    Session::new("tocsin.example", "alerts.example", security)
}

/// Feeds bytes and answers as a caller would that knows one address; gives what was sent, and the mails.
fn talk(session: &mut Session, bytes: &[u8]) -> (String, Vec<Incoming>) {
    let (mut sent, mut mails) = (String::new(), Vec::new());
    session.push(bytes);
    while let Some(mut step) = session.step() {
        loop {
            step = match step {
                Step::Recipient(local) => session.recipient(local == KEY),
                Step::Mail(mail) => {
                    mails.push(mail);
                    session.delivered(Delivered::Kept)
                }
                Step::Reply(text) | Step::Close(text) => {
                    sent.push_str(&text);
                    break;
                }
                Step::StartTls(text) => {
                    sent.push_str(&text);
                    session.secured();
                    break;
                }
            };
        }
    }
    (sent, mails)
}

fn codes(text: &str) -> Vec<&str> {
    let last = text
        .lines()
        .filter(|line| line.as_bytes().get(3) == Some(&b' '));
    last.map(|line| &line[..3]).collect()
}

fn check(said: &str, expected: &[&str]) -> Vec<Incoming> {
    let (sent, mails) = talk(
        &mut session(Security::Impossible),
        said.replace('\n', "\r\n").as_bytes(),
    );
    assert_eq!(codes(&sent), expected, "{said}\n{sent}");
    mails
}

#[test]
fn a_mail_is_taken() {
    let mails = check(
        "EHLO me\nMAIL FROM:<m@x> SIZE=10 BODY=8BITMIME\nRCPT TO:<abc@Alerts.Example>\nrcpt to: <abc@alerts.example>\nDATA\n\
        Subject: s\n\n..dot\n.\nQUIT\n",
        &["250", "250", "250", "250", "354", "250", "221"],
    );
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].recipients, [KEY]);
    assert_eq!(mails[0].bytes, b"Subject: s\r\n\r\n.dot\r\n");
}

#[test]
fn what_comes_out_of_order_is_refused() {
    check("MAIL FROM:<m@x>\n", &["503"]);
    check("EHLO me\nRCPT TO:<abc@alerts.example>\n", &["250", "503"]);
    check(
        "HELO me\nMAIL FROM:<m@x>\nMAIL FROM:<m@x>\nDATA\n",
        &["250", "250", "503", "503"],
    );
    check(
        "EHLO me\nMAIL FROM:<m@x>\nRCPT TO:<abc@alerts.example>\nRSET\nDATA\n",
        &["250", "250", "250", "250", "503"],
    );
    check(
        "EHLO me\nSTARTTLS\nAUTH PLAIN x\nVRFY a\nHELP\nNOOP x\nEHLO\n",
        &["250", "502", "502", "252", "214", "250", "501"],
    );
}

#[test]
fn only_known_addresses_of_this_domain_are_taken_and_no_bounces() {
    check(
        "EHLO me\nMAIL FROM:<m@x>\nRCPT TO:<abd@alerts.example>\nRCPT TO:<abc@else.example>\nRCPT TO:<abc>\nRCPT TO:<>\nRCPT TO:abc\n",
        &["250", "250", "550", "550", "501", "501", "501"],
    );
    check(
        "EHLO me\nMAIL FROM:<>\nRCPT TO:<abc@alerts.example>\n",
        &["250", "250", "550"],
    );
    check(
        "EHLO me\nMAIL FROM:<m@x>\nRCPT TO:<@a,@b:abc@alerts.example>\nRCPT TO:<abc@alerts.example> NOTIFY=NEVER\n",
        &["250", "250", "250", "555"],
    );
}

#[test]
fn sizes_are_bounded() {
    check(
        "EHLO me\nMAIL FROM:<m@x> SIZE=99999999999999999999999\nMAIL FROM:<m@x> SIZE=\n",
        &["250", "552", "555"],
    );
    let line = format!("{}\n", "x".repeat(10_000));
    let mail = format!(
        "EHLO me\nMAIL FROM:<m@x>\nRCPT TO:<abc@alerts.example>\nDATA\n{}.\nNOOP\n",
        line.repeat(110)
    );
    assert!(check(&mail, &["250", "250", "250", "354", "552", "250"]).is_empty());
    let mail = format!(
        "EHLO me\nMAIL FROM:<m@x>\nRCPT TO:<abc@alerts.example>\nDATA\n{}.\n",
        "\n".repeat(60_000)
    );
    assert!(check(&mail, &["250", "250", "250", "354", "552"]).is_empty());
    check(&format!("NOOP {}\nNOOP\n", "x".repeat(2_000)), &["500"]);
}

#[test]
fn a_long_line_of_a_mail_is_taken_whole_within_the_size_of_a_mail() {
    let line = "x".repeat(20_000);
    let (mails, codes) = sent(&format!("a\r\n{line}\r\nb\r\n.\r\nNOOP\r\n"));
    assert_eq!(mails, [format!("a\r\n{line}\r\nb\r\n").into_bytes()]);
    assert_eq!(codes, ["250", "250"]);
    let line = "x".repeat(MAIL_BYTES_MAX - END.len());
    let (mails, codes) = sent(&format!("{line}\r\n.\r\n"));
    assert_eq!(mails, [format!("{line}\r\n").into_bytes()]);
    assert_eq!(codes, ["250"]);
    let (mails, codes) = sent(&format!("{line}x\r\n.\r\nNOOP\r\n"));
    assert!(mails.is_empty());
    assert_eq!(codes, ["552", "250"]);
}

#[test]
fn no_piece_of_a_long_line_ends_the_mail_or_begins_with_a_dot_that_goes() {
    let begin = "x".repeat(MAIL_PIECE_BYTES_MAX);
    for (rest, read) in [
        (".\r\n", ".\r\n"),
        (".x\r\n", ".x\r\n"),
        ("..\r\n", "..\r\n"),
        (".\n", ".\r\n"),
        ("\r\n", "\r\n"),
        ("\n", "\r\n"),
    ] {
        let (mails, codes) = sent(&format!("{begin}{rest}\r\n.\r\n"));
        assert_eq!(mails, [format!("{begin}{read}\r\n").into_bytes()]);
        assert_eq!(codes, ["250"], "{rest:?}");
    }
    let begin = "x".repeat(MAIL_PIECE_BYTES_MAX - 1);
    assert_eq!(
        sent(&format!("{begin}\r\n.\r\n")).0,
        [format!("{begin}\r\n").into_bytes()]
    );
}

#[test]
fn whoever_tries_too_often_is_sent_away() {
    let (sent, _) = talk(
        &mut session(Security::Impossible),
        "X\r\n".repeat(1_000).as_bytes(),
    );
    assert_eq!((codes(&sent).len(), codes(&sent)[10]), (11, "421"));
    let (sent, _) = talk(
        &mut session(Security::Impossible),
        "NOOP\r\n".repeat(1_000).as_bytes(),
    );
    assert_eq!(codes(&sent).last(), Some(&"421"));
    let mail = "MAIL FROM:<m@x>\r\nRCPT TO:<abc@alerts.example>\r\nDATA\r\n.\r\n";
    let (sent, mails) = talk(
        &mut session(Security::Impossible),
        format!("EHLO me\r\n{}", mail.repeat(60)).as_bytes(),
    );
    assert_eq!((mails.len(), codes(&sent).last()), (50, Some(&"421")));
}

#[test]
fn a_command_that_ends_with_a_newline_alone_ends_the_connection() {
    let mut open = session(Security::Impossible);
    let (sent, mails) = talk(&mut open, b"EHLO me\r\nNOOP\nMAIL FROM:<evil@x>\r\n");
    assert_eq!(codes(&sent), ["250", "521"]);
    assert!(mails.is_empty());
    assert_eq!(
        talk(&mut open, b"NOOP\r\n").0,
        "",
        "nothing is heard any more"
    );
}

/// What is said before the lines of a mail.
const BEFORE: &str = "EHLO me\r\nMAIL FROM:<m@x>\r\nRCPT TO:<abc@alerts.example>\r\nDATA\r\n";

/// The mails that came of these lines, end and all, and the codes of what was said after the lines before.
fn sent(lines: &str) -> (Vec<Vec<u8>>, Vec<String>) {
    let said = format!("{BEFORE}{lines}");
    let (sent, mails) = talk(&mut session(Security::Impossible), said.as_bytes());
    let codes = codes(&sent).into_iter().skip(4).map(str::to_owned);
    let mails = mails.into_iter().map(|mail| mail.bytes);
    (mails.collect(), codes.collect())
}

#[test]
fn lines_of_a_mail_that_end_with_a_newline_alone_are_taken_as_lines() {
    for (lines, expected) in [
        ("Subject: s\n\nx\n\r\n.\r\n", "Subject: s\r\n\r\nx\r\n\r\n"),
        ("a\n..\n..x\r\n.y\r\n.\r\n", "a\r\n.\r\n.x\r\ny\r\n"),
        ("a\rb\n\rc\r\n.\r\n", "a\rb\r\n\rc\r\n"),
    ] {
        let (mails, codes) = sent(lines);
        assert_eq!(mails, [expected.as_bytes()], "{lines:?}");
        assert_eq!(codes, ["250"], "{lines:?}");
    }
}

#[test]
fn a_dot_ends_a_mail_only_between_two_whole_ends_of_lines() {
    const INNER: &str = "MAIL FROM:<evil@x>\r\nRCPT TO:<abc@alerts.example>\r\nDATA\r\ny";
    for (end, read) in [
        ("\n.\n", "\r\n.\r\n"),
        ("\r\n.\n", "\r\n.\r\n"),
        ("\n.\r\n", "\r\n.\r\n"),
        ("\r\n.\r", "\r\n\r"),
        ("\r.\r\n", "\r.\r\n"),
    ] {
        let (mails, codes) = sent(&format!("x{end}{INNER}\r\n.\r\nNOOP\r\n"));
        let expected = format!("x{read}{INNER}\r\n");
        assert_eq!(mails, [expected.as_bytes()], "{end:?}");
        assert_eq!(codes, ["250", "250"], "{end:?}");
    }
    let (mails, codes) = sent(".\n.\r\n.\r\n");
    assert_eq!(mails, [b".\r\n.\r\n"]);
    assert_eq!(codes, ["250"]);
    assert_eq!(sent(".\r\n").0, [b""], "nothing stands in it");
}

#[test]
fn nothing_that_was_said_in_the_clear_counts_within_tls() {
    let mut open = session(Security::Offered);
    let (sent, _) = talk(&mut open, b"EHLO me\r\nMAIL FROM:<m@x>\r\nSTARTTLS\r\n");
    assert!(sent.contains("250 STARTTLS\r\n"));
    assert_eq!(codes(&sent), ["250", "250", "220"]);
    let (sent, _) = talk(
        &mut open,
        b"MAIL FROM:<m@x>\r\nEHLO me\r\nSTARTTLS\r\nRCPT TO:<abc@alerts.example>\r\n",
    );
    assert_eq!(codes(&sent), ["503", "250", "503", "503"]);
    assert!(!sent.contains("STARTTLS"));
    let (sent, _) = talk(
        &mut session(Security::Offered),
        b"EHLO me\r\nSTARTTLS\r\nEHLO evil\r\n",
    );
    assert_eq!(codes(&sent), ["250", "554"]);
}

fn replied(step: &Step) -> &str {
    match step {
        Step::Reply(text) => text,
        Step::StartTls(_) | Step::Recipient(_) | Step::Mail(_) | Step::Close(_) => "",
    }
}

#[test]
fn what_becomes_of_a_mail_is_told() {
    let mut open = session(Security::Impossible);
    let in_part = open.delivered(Delivered::KeptInPart);
    assert_eq!(codes(replied(&in_part)), ["250"]);
    assert!(replied(&in_part).contains("the rest was refused"));
    assert_eq!(codes(replied(&open.delivered(Delivered::Later))), ["451"]);
    assert_eq!(codes(replied(&open.delivered(Delivered::Refused))), ["550"]);
    assert!(
        matches!(open.recipient(true), Step::Close(_)),
        "nobody asked"
    );
}

/// A mail as Python's client sends bytes: a dot before each line that begins with one, and CR LF where it does not end so.
fn as_python_sends(mail: &str) -> String {
    let lines = mail.split_inclusive('\n').map(|line| {
        let dot = if line.starts_with('.') { "." } else { "" };
        format!("{dot}{line}")
    });
    let sent: String = lines.collect();
    let end = if sent.ends_with("\r\n") { "" } else { "\r\n" };
    format!("{sent}{end}.\r\n")
}

/// The same mail as it is read.
fn as_read(mail: &str) -> Vec<u8> {
    let mut read = mail.replace("\r\n", "\n").replace('\n', "\r\n");
    if !mail.ends_with("\r\n") {
        read.push_str("\r\n");
    }
    read.into_bytes()
}

/// What comes of bytes that come in pieces of these sizes, over and over.
fn talk_in_pieces(said: &str, cuts: &[usize]) -> (String, Vec<Incoming>) {
    let mut open = session(Security::Impossible);
    let (mut sent, mut mails, mut rest) = (String::new(), Vec::new(), said.as_bytes());
    for cut in cuts.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (piece, after) = rest.split_at(rest.len().min(*cut));
        let (more, taken) = talk(&mut open, piece);
        sent.push_str(&more);
        mails.extend(taken);
        rest = after;
    }
    (sent, mails)
}

proptest! {
    #[test]
    fn a_mail_is_read_as_it_was_written_whatever_ends_its_lines(mail in "([.x\r]{0,3}(\n|\r\n)){0,12}[.x]{0,3}") {
        let (mails, codes) = sent(&as_python_sends(&mail));
        prop_assert_eq!(mails, [as_read(&mail)]);
        prop_assert_eq!(codes, ["250"]);
    }

    #[test]
    fn a_long_line_is_read_as_it_was_written_however_its_bytes_are_cut(
        (fill, times) in (prop::sample::select(vec!["x", ".", "\r"]), 1_usize..3),
        length in MAIL_PIECE_BYTES_MAX - 4..MAIL_PIECE_BYTES_MAX + 4,
        (before, after) in ("[.x\n]{0,2}", "[.x\r\n]{0,4}"),
        cuts in prop::collection::vec(1_usize..9_000, 1..20),
    ) {
        let mail = format!("{before}{}{after}", fill.repeat(length * times));
        let said = format!("{BEFORE}{}", as_python_sends(&mail));
        let expected = talk(&mut session(Security::Impossible), said.as_bytes());
        let read: Vec<Vec<u8>> = expected.1.iter().map(|mail| mail.bytes.clone()).collect();
        prop_assert_eq!(read, [as_read(&mail)]);
        prop_assert_eq!(talk_in_pieces(&said, &cuts), expected);
    }

    #[test]
    fn a_mail_ends_where_its_end_stands_and_nowhere_else(lines in "(\r\n|\n|\r|\\.|x){0,20}") {
        let ended = format!("\r\n{lines}").contains("\r\n.\r\n");
        prop_assert_eq!(sent(&lines).0.len(), usize::from(ended));
    }

    #[test]
    fn however_bytes_are_cut_the_answers_are_the_same(
        said in "(EHLO me\r\n|MAIL FROM:<a@b>\r\n|RCPT TO:<abc@alerts\\.example>\r\n|DATA\r\n|\\.\r\n|x\r\n|RSET\r\n|\n|\r|\\.|[ -~]){0,30}",
        cuts in prop::collection::vec(1_usize..9, 1..20),
    ) {
        let mut whole = session(Security::Impossible);
        let expected = talk(&mut whole, said.as_bytes());
        prop_assert_eq!(talk_in_pieces(&said, &cuts), expected);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        drop(talk(&mut session(Security::Offered), &bytes));
    }
}
