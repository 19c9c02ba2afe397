//! What is told to a person, before any channel gives it a form; it knows no channel and no address.

use std::fmt;
use std::net::IpAddr;

use tocsin_domain::time::Timestamp;

/// Details that are shown; further ones are counted only.
pub const DETAILS_MAX: usize = 32;
/// Characters of one detail's name or value that are shown.
pub const DETAIL_CHARS_MAX: usize = 500;
/// Characters of a title that are shown.
pub const TITLE_CHARS_MAX: usize = 200;

/// Why a message is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Someone must act now.
    Page,
    /// What was paged is over.
    Resolved,
    /// Somebody took what was paged.
    Acknowledged,
    /// A person checks whether pages reach them.
    Test,
    /// A shift begins, or something will keep pages from somebody.
    Handoff,
    /// A contact method is to be confirmed by its owner.
    Verification,
}

impl Kind {
    /// The word that stands for it in machine-readable bodies.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Resolved => "resolved",
            Self::Acknowledged => "acknowledged",
            Self::Test => "test",
            Self::Handoff => "handoff",
            Self::Verification => "verification",
        }
    }
}

/// How urgent the incident is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Urgency {
    /// Wake someone.
    High,
    /// Can wait for working hours.
    Low,
}

impl Urgency {
    /// The word that stands for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Low => "low",
        }
    }
}

/// When a failure began, as measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Onset {
    /// The first sample outside the objective.
    pub at: Timestamp,
    /// How much earlier it may have begun, in milliseconds.
    pub uncertainty_ms: u64,
}

/// One message to one person. All text in it may come from outside and is escaped by each channel.
#[derive(Clone, PartialEq, Eq)]
pub struct PageMessage {
    /// Why it is sent.
    pub kind: Kind,
    /// The same for each attempt to send this message, so that a receiver can drop repeats.
    pub idempotency_key: String,
    /// The incident's number for people.
    pub incident_number: Option<u64>,
    /// The incident's id; empty for a message about none.
    pub incident_id: String,
    /// What fails, in one line.
    pub title: String,
    /// How many other incidents it tells along.
    pub others: usize,
    /// How urgent it is.
    pub urgency: Urgency,
    /// The service it concerns.
    pub service: String,
    /// The watched server it concerns; of what comes from outside, where its sender says that it fails.
    pub target: Option<String>,
    /// When the failure began.
    pub onset: Option<Onset>,
    /// When the incident (or, without one, the message) was opened.
    pub opened_at: Timestamp,
    /// Why this person gets it: "level 1 of policy Web, on call by schedule Primary".
    pub reason: String,
    /// Further facts, in the order to show them.
    pub details: Vec<(String, String)>,
    /// Where to look and act; built from the configured public address.
    pub link: String,
    /// Where its receiver, and nobody else, answers without signing in; a page has one.
    pub answer_link: Option<String>,
    /// What to do, by address or in words.
    pub runbook: Option<String>,
    /// The code that confirms a contact method.
    pub verification_code: Option<String>,
}

impl fmt::Debug for PageMessage {
    /// Without the link by which its receiver answers and the code that proves where it goes.
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.debug_struct("PageMessage")
            .field("kind", &self.kind)
            .field("idempotency_key", &self.idempotency_key)
            .field("incident_number", &self.incident_number)
            .field("title", &self.title)
            .field("others", &self.others)
            .field("urgency", &self.urgency)
            .field("reason", &self.reason)
            .field("details", &self.details)
            .finish_non_exhaustive()
    }
}

impl PageMessage {
    /// The headline: `[Page #7] Apache on webserver-01 is down`. One line, limited, without control characters.
    #[must_use]
    pub fn headline(&self) -> String {
        self.headline_within(usize::MAX)
    }

    /// The headline in so many characters, and an ellipsis where the title was longer: its end is cut off, never what says that
    /// others are told along.
    #[must_use]
    pub fn headline_within(&self, chars_max: usize) -> String {
        let number = self
            .incident_number
            .map(|number| format!(" #{number}"))
            .unwrap_or_default();
        let word = match self.kind {
            Kind::Page if self.urgency == Urgency::Low => "Low urgency",
            Kind::Page => "Page",
            Kind::Resolved => "Resolved",
            Kind::Acknowledged => "Taken",
            Kind::Test => "Test page",
            Kind::Handoff => "On call",
            Kind::Verification => "Confirm this contact",
        };
        let before = format!("[{word}{number}] ");
        let left = chars_max.saturating_sub(before.chars().count());
        format!("{before}{}", self.title_within(left.min(TITLE_CHARS_MAX)))
    }

    /// The title with how many others are told along, on one line in so many characters, and an ellipsis where it was longer.
    #[must_use]
    pub fn title_within(&self, chars_max: usize) -> String {
        let others = self.and_others();
        let left = chars_max.saturating_sub(others.len());
        format!("{}{others}", one_line(&self.title, left))
    }

    /// ` (and 2 more incidents)`, which follows the title; empty where none is told along.
    #[must_use]
    pub fn and_others(&self) -> String {
        let count = self.others;
        match count {
            0 => String::new(),
            1 => " (and 1 more incident)".to_owned(),
            _ => format!(" (and {count} more incidents)"),
        }
    }

    /// Where it fails, unless the title names that place: what a short message tells beside its headline.
    #[must_use]
    pub fn place_beside_title(&self) -> Option<&str> {
        let target = self.target.as_deref()?;
        (!names(&self.title, target)).then_some(target)
    }

    /// The facts that every channel shows, as name and value on one line each, in the order to show them.
    #[must_use]
    pub fn facts(&self) -> Vec<(String, String)> {
        let mut facts = Vec::new();
        let mut add = |name: &str, value: String| {
            if !value.is_empty() {
                facts.push((name.to_owned(), value));
            }
        };
        add(
            "Code",
            one_line(self.verification_code.as_deref().unwrap_or_default(), 64),
        );
        add("Service", one_line(&self.service, DETAIL_CHARS_MAX));
        add(
            "Target",
            one_line(self.target.as_deref().unwrap_or_default(), DETAIL_CHARS_MAX),
        );
        if matches!(self.kind, Kind::Page | Kind::Resolved | Kind::Acknowledged) {
            add("Urgency", self.urgency.word().to_owned());
        }
        add(
            "Failing since",
            self.onset.map(|onset| onset.text()).unwrap_or_default(),
        );
        let opened = if self.incident_id.is_empty() {
            "Time"
        } else {
            "Opened"
        };
        add(opened, self.opened_at.to_rfc3339());
        for (name, value) in self.details.iter().take(DETAILS_MAX) {
            add(
                &one_line(name, DETAIL_CHARS_MAX),
                one_line(value, DETAIL_CHARS_MAX),
            );
        }
        if self.details.len() > DETAILS_MAX {
            let more = self.details.len() - DETAILS_MAX;
            add(
                "More",
                format!("{more} further details on the incident's page"),
            );
        }
        add("Why you", one_line(&self.reason, DETAIL_CHARS_MAX));
        facts
    }
}

impl Onset {
    /// `2024-08-18T03:12:07.041Z (at most 1.000 s earlier)`
    #[must_use]
    pub fn text(self) -> String {
        if self.uncertainty_ms == 0 {
            return self.at.to_rfc3339();
        }
        let (seconds, millis) = (self.uncertainty_ms / 1_000, self.uncertainty_ms % 1_000);
        format!(
            "{} (at most {seconds}.{millis:03} s earlier)",
            self.at.to_rfc3339()
        )
    }
}

/// Whether a text holds a name, and not only as a part of another one.
#[must_use]
pub fn names(text: &str, name: &str) -> bool {
    let goes_on = |symbol: Option<char>| symbol.is_some_and(char::is_alphanumeric);
    let mut found = text.match_indices(name);
    found.any(|(at, held)| {
        let before = text.get(..at).and_then(|before| before.chars().next_back());
        let after = text
            .get(at + held.len()..)
            .and_then(|rest| rest.chars().next());
        !goes_on(before) && !goes_on(after)
    })
}

/// The text on one line: control characters and line separators become spaces, and it ends with an ellipsis when it was
/// longer than `chars_max`.
#[must_use]
pub fn one_line(text: &str, chars_max: usize) -> String {
    let mut line = String::new();
    for (count, symbol) in text.trim().chars().enumerate() {
        if count == chars_max {
            line.push('…');
            break;
        }
        line.push(if is_plain(symbol) { symbol } else { ' ' });
    }
    line
}

/// Neither a control character nor one of those that break a line or turn the direction of the text after them.
fn is_plain(symbol: char) -> bool {
    let turns = matches!(symbol, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    !symbol.is_control() && !turns && !matches!(symbol, '\u{2028}' | '\u{2029}')
}

/// The address, if it is one of the web that others than this machine can open: services refuse a message with a button that
/// leads elsewhere.
#[must_use]
pub fn outside_address(text: &str) -> Option<&str> {
    let address = web_address(text)?;
    let (_, rest) = address.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next()?,
        None => authority.split(':').next()?,
    };
    let inside = match host.parse::<IpAddr>() {
        Ok(IpAddr::V4(v4)) => v4.is_loopback() || v4.is_private() || v4.is_unspecified(),
        Ok(IpAddr::V6(v6)) => v6.is_loopback() || v6.is_unspecified(),
        Err(_) => !host.contains('.'),
    };
    (!inside).then_some(address)
}

/// The address, if it is one of the web; nothing else may become a link.
#[must_use]
pub fn web_address(text: &str) -> Option<&str> {
    let trimmed = text.trim();
    let lower = trimmed.get(..8).unwrap_or(trimmed).to_ascii_lowercase();
    let web = lower.starts_with("https://") || lower.starts_with("http://");
    let clean = trimmed
        .chars()
        .all(|symbol| is_plain(symbol) && !symbol.is_whitespace());
    (web && clean && trimmed.len() <= 2_048).then_some(trimmed)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A page as a down server causes it, with hostile text wherever text comes from outside.
    pub(crate) fn hostile_page() -> PageMessage {
        PageMessage {
            kind: Kind::Page,
            idempotency_key: "QNOTIFICATION1".to_owned(),
            incident_number: Some(7),
            incident_id: "QABCDEFGHIJKLM".to_owned(),
            title:
                "Apache on webserver-01\r\nBcc: all@example.org <script>alert(1)</script>\u{fffe} is down\u{ffff}"
                    .to_owned(),
            others: 0,
            urgency: Urgency::High,
            service: "Web & \"Login\"".to_owned(),
            target: Some("webserver-01".to_owned()),
            onset: Some(Onset {
                at: Timestamp::from_millis(1_723_950_727_041),
                uncertainty_ms: 1_000,
            }),
            opened_at: Timestamp::from_millis(1_723_950_727_100),
            reason: "level 1 of policy Web, on call by schedule Primary".to_owned(),
            details: vec![(
                "Last log <line>".to_owned(),
                "\u{1b}[31mGET /?q='><img src=x>".to_owned(),
            )],
            link: "https://tocsin.example.org/ui/incidents/QABCDEFGHIJKLM".to_owned(),
            answer_link: Some("https://tocsin.example.org/a/QNOTIFICATION1.x.y".to_owned()),
            runbook: Some("https://wiki.example.org/apache?a=1&b=2".to_owned()),
            verification_code: None,
        }
    }

    #[test]
    fn a_headline_is_one_line_whatever_the_title_holds() {
        let headline = hostile_page().headline();
        assert!(
            headline.starts_with("[Page #7] Apache on webserver-01  Bcc:"),
            "{headline}"
        );
        assert!(!headline.contains(['\r', '\n']));
    }

    #[test]
    fn however_long_a_title_is_every_channel_says_how_many_others_are_told_along() {
        let json = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let topic: crate::ntfy::Topic = "tocsin_a1B2-c3".parse().unwrap();
        let mut page = hostile_page();
        page.urgency = Urgency::Low;
        page.incident_number = Some(u64::MAX);
        for (title, others) in [("x", 1), ("é", 3), ("…", 12_345), ("\"", 2)] {
            page.title = title.repeat(1_000);
            page.others = others;
            let expected = page.and_others();
            let email = crate::email::render(&page);
            let mut forms = vec![
                ("headline", page.headline()),
                ("text", crate::twilio::text(&page)),
                ("call", crate::twilio::twiml::words(&page)),
                ("subject", email.subject),
                ("mail", email.text),
                ("mail in HTML", email.html),
                ("ntfy", json(crate::ntfy::body(&topic, &page))),
                ("telegram", json(crate::telegram::body("1", &page, false))),
                ("web push", json(crate::web_push::payload(&page))),
                (
                    "pagerduty",
                    json(crate::pagerduty::forward::body("R", &page)),
                ),
            ];
            let pushover = crate::pushover::form(&page).into_iter();
            let pushover = pushover.filter(|(name, _)| *name == "title");
            forms.extend(pushover.map(|(_, value)| ("pushover", value)));
            for (form, told) in forms {
                assert!(told.contains(&expected), "{form}: {told}");
            }
            // Slack has it in the header and in what is read aloud, a webhook in the headline and after the title.
            for told in [
                crate::slack::webhook_body(&page),
                crate::webhook::body(&page),
            ] {
                let told = json(told);
                assert_eq!(told.matches(&expected).count(), 2, "{told}");
            }
        }
    }

    #[test]
    fn facts_are_limited_and_say_what_was_left_out() {
        let mut page = hostile_page();
        page.details = vec![("n".to_owned(), "v".repeat(10_000)); 40];
        let facts = page.facts();
        assert!(
            facts
                .iter()
                .all(|(_, value)| value.chars().count() <= DETAIL_CHARS_MAX + 1)
        );
        assert!(
            facts
                .iter()
                .any(|(name, value)| name == "More" && value.starts_with("8 "))
        );
        assert_eq!(facts.last().unwrap().0, "Why you");
        let since = facts
            .iter()
            .find(|(name, _)| name == "Failing since")
            .unwrap();
        assert_eq!(
            since.1,
            "2024-08-18T03:12:07.041Z (at most 1.000 s earlier)"
        );
    }

    #[test]
    fn a_place_is_named_where_it_is_not_a_part_of_another_name() {
        for (text, name, expected) in [
            ("replication on db-1 is late", "db-1", true),
            ("db-1: late", "db-1", true),
            ("late on db-10", "db-1", false),
            ("late on mydb-1 and on db-1", "db-1", true),
            ("feedback is late", "db", false),
            ("", "db", false),
        ] {
            assert_eq!(names(text, name), expected, "{name} in {text:?}");
        }
    }

    #[test]
    fn an_address_of_this_machine_is_of_no_use_to_others() {
        for text in [
            "http://127.0.0.1:8700/ui/",
            "http://localhost:8700/",
            "http://[::1]:8700/",
            "https://10.0.0.1/",
            "https://tocsin/",
            "ftp://tocsin.example.org/",
        ] {
            assert_eq!(outside_address(text), None, "{text}");
        }
        for text in [
            "https://tocsin.example.org/a?b",
            "https://1.1.1.1:8700/",
            "https://[2606:4700::1]/",
        ] {
            assert_eq!(outside_address(text), Some(text));
        }
    }

    #[test]
    fn only_addresses_of_the_web_become_links() {
        assert_eq!(web_address(" https://a/b "), Some("https://a/b"));
        assert_eq!(web_address("HTTP://a"), Some("HTTP://a"));
        for text in [
            "javascript:alert(1)",
            "https://a b",
            "see https://a",
            "file:///etc/passwd",
            "",
            "https://a\u{202e}b",
        ] {
            assert_eq!(web_address(text), None, "{text}");
        }
    }
}
