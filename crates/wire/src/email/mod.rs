//! Subject, plain text and HTML of a message by e-mail; it neither assembles MIME nor sends.

mod html;

use crate::page_message::{Kind, PageMessage, one_line, web_address};

/// Characters of a subject; longer ones are cut by phones anyway.
const SUBJECT_CHARS_MAX: usize = 160;

/// An e-mail without its envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Email {
    /// One line without control characters.
    pub subject: String,
    /// The plain text.
    pub text: String,
    /// The same as HTML; everything from outside is escaped, nothing is loaded from anywhere.
    pub html: String,
}

/// Renders a message. The link leads to a page where one acts; opening it changes nothing, so mail scanners may follow it.
#[must_use]
pub fn render(message: &PageMessage) -> Email {
    Email {
        subject: message.headline_within(SUBJECT_CHARS_MAX),
        text: text(message),
        html: html::body(message),
    }
}

/// What the link says that answers a page. It opens a page with buttons, so that a scanner that follows it answers nothing.
const ANSWER_LABEL: &str = "Acknowledge or resolve, without signing in";

fn answer_link(message: &PageMessage) -> Option<&str> {
    message.answer_link.as_deref().and_then(web_address)
}

/// What the message wants of its reader.
fn lead(message: &PageMessage) -> &'static str {
    match message.kind {
        Kind::Page => "You are being paged. Acknowledge it to stop the escalation.",
        Kind::Acknowledged => "Somebody took this incident.",
        Kind::Resolved => "This incident is over. Nothing is left to do now.",
        Kind::Test => "This is a test. If you can read it, pages reach you here.",
        Kind::Handoff => "A word about who is on call. Nobody is paged by this.",
        Kind::Verification => {
            "Someone entered this address for pages. Enter the code in Tocsin if it was you."
        }
    }
}

fn link_label(kind: Kind) -> &'static str {
    match kind {
        Kind::Page | Kind::Resolved | Kind::Acknowledged => "Open the incident",
        Kind::Test | Kind::Handoff | Kind::Verification => "Open Tocsin",
    }
}

fn text(message: &PageMessage) -> String {
    let mut text = format!("{}\n\n{}\n\n", message.headline(), lead(message));
    let facts = message.facts();
    let width = facts
        .iter()
        .map(|(name, _)| name.chars().count())
        .filter(|width| *width <= 24)
        .max()
        .unwrap_or(0);
    for (name, value) in facts {
        let padding = " ".repeat(width.saturating_sub(name.chars().count()));
        text.push_str(&format!("{name}:{padding} {value}\n"));
    }
    if let Some(runbook) = &message.runbook {
        text.push_str(&format!("\nRunbook: {}\n", one_line(runbook, 2_048)));
    }
    if let Some(link) = answer_link(message) {
        text.push_str(&format!("\n{ANSWER_LABEL}:\n{link}\n"));
    }
    if let Some(link) = web_address(&message.link) {
        text.push_str(&format!("\n{}:\n{link}\n", link_label(message.kind)));
    }
    text.push_str(&format!(
        "\n-- \nTocsin, message {}\n",
        one_line(&message.idempotency_key, 64)
    ));
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::page_message::tests::hostile_page;

    #[test]
    fn a_page_says_what_fails_since_when_and_why_you() {
        let email = render(&hostile_page());
        assert!(
            email
                .subject
                .starts_with("[Page #7] Apache on webserver-01"),
            "{}",
            email.subject
        );
        for part in [
            "You are being paged.",
            "2024-08-18T03:12:07.041Z (at most 1.000 s earlier)",
            "level 1 of policy Web, on call by schedule Primary",
            "https://tocsin.example.org/ui/incidents/QABCDEFGHIJKLM",
            "Runbook: https://wiki.example.org/apache?a=1&b=2",
        ] {
            assert!(email.text.contains(part), "{part} in {}", email.text);
        }
    }

    #[test]
    fn nothing_from_outside_is_markup_or_a_second_header() {
        let email = render(&hostile_page());
        assert!(!email.subject.contains(['\r', '\n']));
        assert!(!email.text.contains('\u{1b}'));
        assert!(!email.html.contains("<script") && !email.html.contains("<img"));
        assert!(email.html.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
        assert!(email.html.contains("Web &amp; &quot;Login&quot;"));
        assert!(
            email
                .html
                .contains("href=\"https://wiki.example.org/apache?a=1&amp;b=2\"")
        );
    }

    #[test]
    fn a_runbook_in_words_and_a_link_that_is_none_stay_words() {
        let mut message = hostile_page();
        message.runbook = Some("javascript:alert(1)".to_owned());
        message.link = "javascript:alert(2)".to_owned();
        message.answer_link = Some("javascript:alert(3)".to_owned());
        let email = render(&message);
        assert!(!email.html.contains("href"));
        assert!(email.html.contains("javascript:alert(1)"));
        assert!(!email.text.contains("alert(2)"));
    }

    #[test]
    fn each_kind_of_message_reads_as_what_it_is() {
        for (kind, subject, lead) in [
            (Kind::Resolved, "[Resolved #7]", "over"),
            (Kind::Test, "[Test page #7]", "test"),
            (Kind::Handoff, "[On call #7]", "on call"),
            (Kind::Verification, "[Confirm this contact #7]", "code"),
        ] {
            let mut message = hostile_page();
            message.kind = kind;
            message.verification_code = Some("483920".to_owned());
            let email = render(&message);
            assert!(email.subject.starts_with(subject), "{}", email.subject);
            assert!(
                email.text.contains(lead)
                    && email.text.contains("483920")
                    && email.html.contains("483920")
            );
        }
    }

    proptest! {
        #[test]
        fn no_text_gets_out_of_the_html(text in "[<>&\"'a-z=/: \u{0}-\u{20}]{0,60}") {
            let mut message = hostile_page();
            let expected_tags = render(&message).html.matches('<').count();
            message.title = text.clone();
            message.service = format!("s{text}");
            message.reason = format!("r{text}");
            message.details = vec![(format!("n{text}"), format!("v{text}"))];
            let email = render(&message);
            prop_assert_eq!(email.html.matches('<').count(), expected_tags);
            prop_assert!(!email.subject.contains(['\r', '\n']));
        }
    }
}
