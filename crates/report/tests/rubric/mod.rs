//! The gates that a brief report must pass, checked on its text against the facts, without knowing how it was written.

use std::collections::BTreeSet;

use serde_json::Value;
use tocsin_domain::learn::facts::Facts;
use tocsin_domain::learn::moment::{Moment, span_text};
use tocsin_domain::time::Timestamp;
use tocsin_report::words;

const HEADINGS: [&str; 5] = [
    "Issue Summary",
    "Timeline",
    "Root Cause and Resolution",
    "Corrective and Preventative Measures",
    "Lessons Learned",
];
/// Words that blame, look back in anger, or say nothing.
const BLAME: [&str; 8] = [
    "should have",
    "human error",
    "careless",
    "fault of",
    "blame",
    "obviously",
    "stupid",
    "negligen",
];
/// Numbers of the fixed text itself.
const FIXED: [&str; 6] = ["5xx", "01", "90", "5", "30", "2"];

pub(crate) fn violations(facts: &Facts, text: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let (body, list) = text.split_once("\n## Evidence\n").unwrap_or((text, ""));
    let headings: Vec<&str> = body
        .lines()
        .filter_map(|line| line.strip_prefix("## "))
        .collect();
    if headings != HEADINGS {
        wrong.push(format!("sections: {headings:?}"));
    }
    let count = words(text);
    if !(400..=600).contains(&count) {
        wrong.push(format!("{count} words"));
    }
    wrong.extend(zones(body));
    wrong.extend(order(body));
    wrong.extend(citations(facts, body, list));
    wrong.extend(numbers(facts, body));
    let lower = body.to_lowercase();
    let quoted = facts.notes.iter().any(|note| {
        BLAME
            .iter()
            .any(|word| note.text.to_lowercase().contains(word))
    });
    wrong.extend(
        BLAME
            .iter()
            .filter(|word| !quoted && lower.contains(**word))
            .map(|word| format!("blame: {word}")),
    );
    wrong
}

fn is_clock(word: &str) -> bool {
    let bytes = word.as_bytes();
    bytes.len() >= 8
        && [0, 1, 3, 4, 6, 7]
            .iter()
            .all(|at| bytes[*at].is_ascii_digit())
        && bytes[2] == b':'
        && bytes[5] == b':'
}

fn zones(body: &str) -> Vec<String> {
    let pieces: Vec<&str> = body
        .split_whitespace()
        .map(|w| w.trim_start_matches(['*', '(']))
        .collect();
    let mut wrong = Vec::new();
    for pair in pieces.windows(2) {
        if is_clock(pair[0]) && !pair[1].starts_with("UTC") && !pair[0].ends_with('Z') {
            wrong.push(format!("no zone: {} {}", pair[0], pair[1]));
        }
    }
    wrong
}

fn order(body: &str) -> Vec<String> {
    let timeline = body
        .split("## Timeline")
        .nth(1)
        .and_then(|rest| rest.split("\n## ").next())
        .unwrap_or_default();
    let first_day = timeline
        .split_whitespace()
        .find(|word| is_date(word))
        .unwrap_or_default()
        .to_owned();
    let mut times = Vec::new();
    for line in timeline
        .lines()
        .filter_map(|line| line.strip_prefix("- **"))
    {
        let lead = line.split("**").next().unwrap_or_default();
        let mut words = lead.split_whitespace();
        let first = words.next().unwrap_or_default();
        let (day, clock) = if is_date(first) {
            (first.to_owned(), words.next().unwrap_or_default())
        } else {
            (first_day.clone(), first)
        };
        times.push(format!("{day} {clock}"));
    }
    let sorted = times.windows(2).all(|pair| pair[0] <= pair[1]);
    if sorted {
        Vec::new()
    } else {
        vec![format!("timeline out of order: {times:?}")]
    }
}

fn is_date(word: &str) -> bool {
    let word = word.trim_end_matches([',', '.']);
    word.len() == 10
        && word.bytes().enumerate().all(|(at, b)| {
            if at == 4 || at == 7 {
                b == b'-'
            } else {
                b.is_ascii_digit()
            }
        })
}

/// Every mark is in the list, and every entry of the list in the facts.
fn citations(facts: &Facts, body: &str, list: &str) -> Vec<String> {
    let listed: BTreeSet<&str> = list
        .split(';')
        .filter_map(|entry| entry.trim().strip_prefix('E')?.split(' ').next())
        .collect();
    let mut wrong = Vec::new();
    for mark in body
        .split("[\\[E")
        .skip(1)
        .filter_map(|rest| rest.split('\\').next())
    {
        let known = mark
            .parse::<usize>()
            .is_ok_and(|number| (1..=facts.evidence.len()).contains(&number));
        if !known || !listed.contains(mark) {
            wrong.push(format!("no evidence E{mark}"));
        }
    }
    wrong
}

/// Every number of the text is a number, a time or a duration of the facts.
fn numbers(facts: &Facts, body: &str) -> Vec<String> {
    let mut allowed: BTreeSet<String> = FIXED.iter().map(|word| (*word).to_owned()).collect();
    let mut spans: Vec<String> = Vec::new();
    collect(
        "",
        &serde_json::to_value(facts).expect("facts are JSON"),
        &mut allowed,
        &mut spans,
    );
    if let Some((from, until)) = facts
        .moments
        .detected
        .value
        .zip(facts.moments.page_accepted.value)
    {
        spans.push(span_text(until.ms_since(from).unwrap_or_default()));
    }
    if let Some(expected) = &facts.impact.expected.value {
        let before = expected
            .baseline_until
            .ms_since(expected.baseline_from)
            .unwrap_or_default();
        spans.push(span_text(before));
    }
    allowed.extend(spans.iter().flat_map(|span| tokens(span)));
    let allowed_lengths: BTreeSet<String> = spans.iter().flat_map(|span| lengths(span)).collect();
    for count in [
        facts.changes.len(),
        facts.detection.silent.len(),
        facts.cause.suspects.len(),
        facts
            .paging
            .pages
            .first()
            .map_or(0, |page| page.attempts.len()),
    ] {
        allowed.insert(count.to_string());
    }
    allowed.extend((1..=facts.cause.suspects.len()).map(|number| number.to_string()));
    let plain = strip_marks(body);
    let mut wrong = wrong_lengths(&allowed_lengths, &plain);
    wrong.extend(
        tokens(&plain)
            .into_iter()
            .filter(|token| match token.strip_suffix('…') {
                // A text that was cut in the report still begins the same.
                Some(head) => !allowed.iter().any(|known| known.starts_with(head)),
                None => !allowed.contains(token),
            })
            .map(|token| format!("a number from nowhere: {token}")),
    );
    wrong
}

/// Lengths of time whose number and unit do not stand together in any text or length of the facts.
fn wrong_lengths(allowed: &BTreeSet<String>, plain: &str) -> Vec<String> {
    lengths(plain)
        .into_iter()
        .filter(|length| !allowed.contains(length))
        .map(|length| format!("a length from nowhere: {length}"))
        .collect()
}

fn lengths(text: &str) -> Vec<String> {
    let words: Vec<&str> = text
        .split_whitespace()
        .map(|w| w.trim_matches(['.', ',', ';', ':', '(', ')', '“', '”']))
        .collect();
    words
        .windows(2)
        .filter(|pair| {
            matches!(pair[1], "ms" | "s" | "min" | "h" | "d")
                && pair[0].starts_with(|c: char| c.is_ascii_digit())
        })
        .map(|pair| pair.join(" "))
        .collect()
}

/// Without citations, pictures and the backslashes of Markdown.
fn strip_marks(body: &str) -> String {
    let mut out = String::new();
    for line in body.lines().filter(|line| !line.starts_with("![")) {
        let mut rest = line;
        while let Some((before, after)) = rest.split_once("[\\[E") {
            out.push_str(before);
            rest = after
                .split_once("](#evidence)")
                .map_or("", |(_, rest)| rest);
        }
        out.push_str(rest);
        out.push('\n');
    }
    unescape(&out)
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&#58;", ":")
        .replace("&amp;", "&")
}

/// Each backslash gives way to the sign it protects.
fn unescape(text: &str) -> String {
    let mut out = String::new();
    let mut signs = text.chars();
    while let Some(sign) = signs.next() {
        out.extend(if sign == '\\' {
            signs.next()
        } else {
            Some(sign)
        });
    }
    out
}

/// Pieces with a digit: numbers, times, dates, names such as webserver-01.
fn tokens(text: &str) -> Vec<String> {
    text.split(|c: char| !(c.is_alphanumeric() || matches!(c, '.' | ':' | '-' | '…')))
        .map(|word| word.trim_matches(['.', ':', '-']))
        .filter(|word| word.contains(|c: char| c.is_ascii_digit()))
        .map(str::to_owned)
        .collect()
}

/// The numbers of a value that stands under `key`; of the evidence list itself only what a sentence may repeat.
fn collect(key: &str, value: &Value, allowed: &mut BTreeSet<String>, spans: &mut Vec<String>) {
    match value {
        Value::Number(number) => {
            let number = number.as_u64().unwrap_or_default();
            if key.ends_with("ms") {
                spans.push(span_text(number));
            } else {
                allowed.insert(number.to_string());
            }
        }
        Value::String(text) => {
            allowed.extend(tokens(text));
            spans.push(text.clone());
            if let Some(at) = Timestamp::parse_rfc3339(text) {
                let moment = Moment::from(at);
                allowed.extend(tokens(&moment.clock()));
                allowed.insert(moment.date());
            }
        }
        Value::Array(all) => all.iter().for_each(|one| collect(key, one, allowed, spans)),
        Value::Object(all) => all
            .iter()
            .filter(|(key, _)| !matches!(key.as_str(), "charts" | "evidence"))
            .for_each(|(key, one)| collect(key, one, allowed, spans)),
        Value::Null | Value::Bool(_) => {}
    }
}

/// Every element that is opened is closed, in order.
pub(crate) fn check_markup(text: &str) {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once('<') {
        let (tag, next) = after.split_once('>').expect("a tag ends");
        rest = next;
        let name = tag
            .trim_start_matches('/')
            .split([' ', '\n', '/'])
            .next()
            .unwrap_or_default();
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name), "closed in order");
        } else if !tag.ends_with('/') && name != "meta" {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "left open: {open:?}");
}

/// Writes a preview.
pub(crate) fn write(directory: &str, name: &str, text: &str) {
    #[expect(
        clippy::disallowed_methods,
        reason = "previews are for eyes, on request only"
    )]
    std::fs::write(std::path::Path::new(directory).join(name), text)
        .expect("the preview is written");
}
