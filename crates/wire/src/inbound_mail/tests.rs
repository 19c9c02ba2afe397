//! Mails as programs and people send them, and mails that nobody should send.

use proptest::prelude::*;

use super::*;

fn read(text: &str) -> Mail {
    Mail::read(text.replace('\n', "\r\n").as_bytes())
}

#[test]
fn a_plain_mail_is_read() {
    let mail = read(
        "From: Monitor <mon@example.org>\nSubject: Disk full\n on db-1\nMessage-ID: <1@example.org>\n\
        References: <a@x> <b@x>\nIn-Reply-To: <b@x>\nX-Priority: 1 (Highest)\n\n/var is full\n\n-- \nmon\n",
    );
    assert_eq!(mail.subject, "Disk full on db-1");
    assert_eq!(mail.from, "Monitor <mon@example.org>");
    assert_eq!(mail.message_id.as_deref(), Some("<1@example.org>"));
    assert_eq!(mail.thread, ["<a@x>", "<b@x>", "<b@x>"]);
    assert_eq!(mail.importance, "high");
    assert_eq!(mail.text, "/var is full\n\n--\nmon");
    assert_eq!(mail.json()["headers"]["subject"], "Disk full on db-1");
}

#[test]
fn encoded_subjects_are_decoded() {
    let check = |subject: &str, expected: &str| {
        assert_eq!(
            read(&format!("Subject: {subject}\n\n")).subject,
            expected,
            "{subject}"
        );
    };
    check("=?UTF-8?B?w5xiZXJsYXN0?=", "Überlast");
    check("=?utf-8?Q?=C3=9Cber_last?= on db", "Über last on db");
    check("=?utf-8?q?=C3?= =?utf-8?q?=9C?=", "Ü");
    check("=?iso-8859-1?Q?=DCber?= =?windows-1252?Q?=80?=", "Über€");
    check("=?utf-8*de?Q?x?=", "x");
    check("a =?utf-8?X?y?= b", "a =?utf-8?X?y?= b");
    check("=?utf-8?Q?a=0Ab?=", "a b");
    check("=?=?=?", "=?=?=?");
    check("plain ü", "plain ü");
}

#[test]
fn letters_of_a_header_that_are_no_unicode_are_those_of_windows() {
    let check = |raw: &[u8], expected: &str| {
        let headers = [&b"Subject: "[..], raw, b"\r\nX-Host: ", raw, b"\r\n\r\n"].concat();
        let mail = Mail::read(&headers);
        assert_eq!(mail.subject, expected);
        assert_eq!(mail.key, expected.to_lowercase());
        assert_eq!(mail.json()["headers"]["x-host"], expected);
    };
    check(b"L\xfcfter defekt", "Lüfter defekt");
    check(b"L\xf6fter defekt", "Löfter defekt");
    check(b"5 \x80 \xc3\xbc \xfc", "5 € ü ü");
    check(b"=?utf-8?Q?L=FCfter?= \xfc", "Lüfter ü");
}

/// A subject and a text in base64, in a set of characters, read as these.
fn check_charset(charset: &str, base64: &str, expected: &str) {
    let mail = read(&format!(
        "Subject: =?{charset}?B?{base64}?=\nContent-Type: text/plain; charset=\"{charset}\"\n\
        Content-Transfer-Encoding: base64\n\n{base64}\n"
    ));
    assert_eq!(mail.subject, expected, "{charset}");
    assert_eq!(mail.text, expected, "{charset}");
}

#[test]
fn mails_in_the_sets_of_characters_of_other_languages_are_read() {
    for (charset, base64, expected) in [
        ("GB2312", "tMXFzNLRwvo=", "磁盘已满"),
        ("gb18030", "tMXFzNLRwvo=", "磁盘已满"),
        ("cp936", "tMXFzNLRwvo=", "磁盘已满"),
        ("Big5", "us+60KR3uqE=", "磁碟已滿"),
        ("KOI8-R", "5MnTyyDQz8zPzg==", "Диск полон"),
        ("windows-1251", "xOjx6g==", "Диск"),
        ("windows-1250", "UGxu/SBkaXNrIPg=", "Plný disk ř"),
        ("iso-8859-2", "UGxu/SD4", "Plný ř"),
        ("iso-8859-15", "vHVmIKQ=", "Œuf €"),
        ("Shift_JIS", "g2aDQoNYg04=", "ディスク"),
        ("euc-jp", "pcelo6W5pa8=", "ディスク"),
        ("ISO-2022-JP", "GyRCJUclIyU5JS8bKEI=", "ディスク"),
        ("EUC-KR", "tfC9usWp", "디스크"),
        ("ks_c_5601-1987", "tfC9usWp", "디스크"),
        ("utf-16", "/v8ARgDkAGwAbAB0ACAAYQB1AHM=", "Fällt aus"),
        ("utf-16", "//5GAOQAbABsAHQAIABhAHUAcwA=", "Fällt aus"),
        ("utf-16le", "RgDkAGwAbAB0ACAAYQB1AHMA", "Fällt aus"),
        // These bytes are UTF-8 too, of something else.
        ("gbk", "warNqA==", "联通"),
    ] {
        check_charset(charset, base64, expected);
    }
}

#[test]
fn what_is_in_another_set_than_it_says_or_in_none_that_is_known_is_read_as_unicode_or_latin() {
    for charset in ["iso-2022-jp", "us-ascii", "iso-2022-kr", "utf-7", "x-none"] {
        check_charset(charset, "w5xiZWw=", "Übel");
    }
    for charset in ["us-ascii", "x-none"] {
        check_charset(charset, "3GJlbA==", "Übel");
    }
    // Nobody reads this any more: it stays as it was sent.
    check_charset("utf-7", "RitBT1EtbGx0", "F+AOQ-llt");
}

#[test]
fn encoded_words_that_begin_anew_are_read_one_by_one() {
    let subject =
        "Subject: =?iso-2022-jp?B?GyRCJUclIyU5JS8bKEI=?=\n =?ISO-2022-JP?B?GyRCS35HVRsoQg==?=\n\n";
    assert_eq!(read(subject).subject, "ディスク満杯");
    let subject = "Subject: =?utf-16?B?/v8A3A==?= =?utf-16?B?/v8AYgBlAGw=?=\n\n";
    assert_eq!(read(subject).subject, "Übel");
    // A character that was cut in two.
    assert_eq!(
        read("Subject: =?gb2312?B?tA==?= =?gb2312?B?xcXM?=\n\n").subject,
        "磁盘"
    );
}

#[test]
fn the_first_plain_text_goes_before_html_and_attachments_are_passed_over() {
    let mail = read(
        "Subject: s\nContent-Type: multipart/mixed; boundary=\"out er\"\n\npreamble\n--out er\n\
        Content-Type: text/plain\nContent-Disposition: attachment; filename=x\n\nattached\n--out er\n\
        Content-Type: multipart/alternative;\n boundary=in\n\n--in\nContent-Type: text/html\n\n<p>html</p>\n--in\n\
        Content-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\nsch=F6n=\n er\n--in--\n\
        --out er--\nepilogue\n",
    );
    assert_eq!(mail.text, "schön er");
}

#[test]
fn html_alone_is_read_as_text() {
    let mail = read(
        "Content-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: base64\n\n\
        PGhlYWQ+PHRpdGxlPng8L3RpdGxlPjwvaGVhZD48c3R5bGU+cHt9PC9zdHlsZT48cD5EaXNr\n\
        ICZhbXA7IENQVTwvcD48IS0tIG5vIC0tPjx0cj48dGQ+YTwvdGQ+PHRkPiYjeDQxOyYjNjY7PC90ZD48L3RyPg==\n",
    );
    assert_eq!(mail.text, "Disk & CPU\n\na AB");
    assert_eq!(html::text("a < b & c &bogus; <"), "a < b & c &bogus; <\n");
    assert_eq!(html::text("x<script>never"), "x\n");
}

#[test]
fn a_subject_names_its_alert_and_says_when_it_is_over() {
    let check = |text: &str, title: &str, key: &str, resolved: bool| {
        let read = subject(text);
        assert_eq!(
            (read.title.as_str(), read.key.as_str(), read.resolved),
            (title, key, resolved),
            "{text}"
        );
    };
    check("Disk full", "Disk full", "disk full", false);
    check("Re: Fwd: Disk full", "Disk full", "disk full", false);
    check("RE[2]: AW:  Disk  full", "Disk full", "disk full", false);
    for over in [
        "RESOLVED Disk full",
        "[Resolved] Disk full",
        "Resolved: Disk full",
        "Re: [RESOLVED] Disk full",
        "RECOVERY - Disk full",
        "OK: Disk full",
        "[ok]: Disk full",
        "Fwd: closed : Disk full",
    ] {
        check(over, "Disk full", "disk full", true);
    }
    check(
        "[FIRING] Disk full",
        "[FIRING] Disk full",
        "disk full",
        false,
    );
    check(
        "Problem: Disk full",
        "Problem: Disk full",
        "disk full",
        false,
    );
    check(
        "Resolved issues grow",
        "Resolved issues grow",
        "resolved issues grow",
        false,
    );
    check("OK computer", "OK computer", "ok computer", false);
    check(
        "Recovery failed",
        "Recovery failed",
        "recovery failed",
        false,
    );
    check("[RESOLVED]", "[RESOLVED]", "[resolved]", true);
    check("Re:", "Re:", "re:", false);
    check("", "", "", false);
}

#[test]
fn what_answers_by_itself_and_what_tocsin_sent_is_known() {
    assert!(read("Auto-Submitted: auto-replied (vacation)\n\n").is_automatic_reply);
    assert!(!read("Auto-Submitted: auto-generated\n\n").is_automatic_reply);
    assert!(read("X-Tocsin: page\n\n").is_own);
    assert!(!read("Subject: X-Tocsin: page\n\nX-Tocsin: page\n").is_own);
}

#[test]
fn mails_within_mails_end() {
    let mut inner = "Content-Type: text/plain\n\ndeep".to_owned();
    for level in 0..30 {
        inner = format!(
            "Content-Type: multipart/mixed; boundary=b{level}\n\n--b{level}\n{inner}\n--b{level}--\n"
        );
    }
    assert_eq!(read(&inner).text, "");
    let many = format!(
        "Content-Type: multipart/mixed; boundary=b\n\n{}",
        "--b\nContent-Type: image/png\n\nx\n".repeat(10_000)
    );
    assert_eq!(read(&many).text, "");
    let heads = "A: b\n".repeat(100_000);
    assert_eq!(read(&heads).text, "");
    let long = format!(
        "Subject: {}\n\n{}",
        "x".repeat(500_000),
        "y".repeat(900_000)
    );
    let mail = read(&long);
    assert!(mail.subject.len() <= 1_000 && mail.text.len() <= TEXT_CHARS_MAX);
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..400), text in "(\\PC|\n|=\\?|\\?=|<|>|&|--b|: |;){0,80}") {
        drop(Mail::read(&bytes).json());
        drop(Mail::read(text.as_bytes()).json());
        let inside = format!("Content-Type: multipart/mixed; boundary=b\nSubject: {text}\n\n--b\n{text}\n--b\nContent-Type: text/html\n\n{text}");
        let mail = Mail::read(inside.as_bytes());
        prop_assert!(!mail.subject.contains(char::is_control));
        drop(html::text(&text));
        drop(subject(&text));
    }

    #[test]
    fn marks_do_not_change_the_key(text in "[a-zA-Z0-9][a-zA-Z0-9 ]{0,20}[a-z]zz") {
        let plain = subject(&text);
        prop_assert_eq!(&subject(&format!("Re: [RESOLVED] {text}")).key, &plain.key);
        prop_assert_eq!(&subject(&format!("Fwd: {text}")).key, &plain.key);
    }
}

#[test]
fn a_text_that_is_cut_within_a_character_is_read_as_far_as_it_goes() {
    // Two bytes of each character, and one of the last.
    let mail = read(
        "Content-Type: text/plain; charset=\"iso-2022-jp\"\nContent-Transfer-Encoding: base64\n\nGyRCJUclIyU=\n",
    );
    assert!(mail.text.starts_with("ディ"), "{:?}", mail.text);
}
