//! The picture of the chain: users, the web server, Tocsin, the page, the engineer, with what was measured between them.

use std::fmt::Write as _;

use tocsin_domain::learn::facts::{FailureKind, Facts};
use tocsin_domain::learn::moment::{Moment, span_text};

use super::{Paint, fit, open, text};
use crate::wording::{PREMIUM, did, expected_tier, range, recorded_tier, state, subject};

const CARD_WIDTH: i64 = 160;
const CARD_HEIGHT: i64 = 132;
const GAP: i64 = 78;
const MARGIN: i64 = 24;
const TOP: i64 = 62;

/// One party of the chain.
struct Node {
    icon: Icon,
    paint: Paint,
    name: &'static str,
    lines: [String; 2],
    /// The time under it.
    time: Option<Moment>,
    badge: String,
}

/// What leads from one party to the next.
struct Link {
    value: String,
    words: &'static str,
    paint: Paint,
    broken: bool,
}

#[derive(Clone, Copy)]
enum Icon {
    Users,
    Server,
    Bell,
    Envelope,
    Engineer,
}

/// The chain from left to right.
#[must_use]
pub fn chain_svg(facts: &Facts) -> String {
    let (nodes, links) = parties(facts);
    let width = MARGIN * 2 + CARD_WIDTH * 5 + GAP * 4;
    let height = 292;
    let mut out = open(width, height, &label(facts));
    text(&mut out, (MARGIN, 36), "h", "start", &fit(&heading(facts), width - 220, 17.0));
    text(&mut out, (width - MARGIN, 36), "s", "end", &day(facts));
    for (index, node) in (0_i64..).zip(&nodes) {
        card(&mut out, MARGIN + index * (CARD_WIDTH + GAP), TOP, CARD_WIDTH, node);
    }
    for (index, link) in (0_i64..).zip(&links) {
        let x = MARGIN + index * (CARD_WIDTH + GAP) + CARD_WIDTH;
        arrow_right(&mut out, x, TOP + CARD_HEIGHT / 2, link);
    }
    way_back(&mut out, facts);
    out.push_str("</svg>\n");
    out
}

/// The chain from top to bottom, for narrow screens.
#[must_use]
pub(crate) fn tall_chain_svg(facts: &Facts) -> String {
    let (nodes, links) = parties(facts);
    let (width, step, card_height) = (360, 148, 100);
    let height = 84 + step * 5 + 66;
    let mut out = open(width, height, &label(facts));
    text(&mut out, (20, 32), "h", "start", &fit(&heading(facts), width - 40, 17.0));
    text(&mut out, (20, 54), "s", "start", &day(facts));
    for (index, node) in (0_i64..).zip(&nodes) {
        wide_card(&mut out, 20, 72 + index * step, width - 40, card_height, node);
    }
    for (index, link) in (0_i64..).zip(&links) {
        arrow_down(&mut out, 56, 72 + index * step + card_height, step - card_height, link);
    }
    let y = 72 + 4 * step + card_height;
    let link = Link {
        value: repaired(facts).unwrap_or_else(|| "not recorded".to_owned()),
        words: "repaired",
        paint: Paint::Good,
        broken: false,
    };
    arrow_down(&mut out, 56, y, step - card_height, &link);
    let end = y + step - card_height;
    let _ = write!(out, "<rect class=\"goodbg\" x=\"20\" y=\"{end}\" width=\"{}\" height=\"52\" rx=\"10\"/>", width - 40);
    text(&mut out, (36, end + 32), "t good", "start", &fit(&recovery(facts), width - 72, 15.0));
    out.push_str("</svg>\n");
    out
}

fn heading(facts: &Facts) -> String {
    let length = facts
        .durations
        .mitigate
        .ms
        .map_or_else(String::new, |ms| format!(" for {}", span_text(ms)));
    format!("{} {}{length}", subject(facts), did(facts.failure.value))
}

fn day(facts: &Facts) -> String {
    let at = facts.moments.onset.value.or(facts.moments.detected.value);
    at.map_or_else(|| "times in UTC".to_owned(), |at| format!("{}, times in UTC", at.date()))
}

fn label(facts: &Facts) -> String {
    let links: Vec<String> = parties(facts)
        .1
        .iter()
        .filter(|link| !link.value.is_empty())
        .map(|link| format!("{} {}", link.words, link.value))
        .collect();
    format!("{}. {}. {}", heading(facts), links.join(", "), recovery(facts))
}

fn parties(facts: &Facts) -> ([Node; 5], [Link; 4]) {
    let nodes = [users(facts), server(facts), tocsin(facts), page(facts), engineer(facts)];
    (nodes, links(facts))
}

fn users(facts: &Facts) -> Node {
    let premium = premium_users(facts);
    Node {
        icon: Icon::Users,
        paint: if hurts_users(facts) { Paint::Bad } else { Paint::Soft },
        name: "Users",
        lines: [
            requests(facts),
            premium.map_or_else(|| "premium: unknown".to_owned(), |users| format!("{users} premium users")),
        ],
        time: None,
        badge: match (&facts.impact.expected.value, facts.impact.recorded.value) {
            (Some(_), _) => "estimate".to_owned(),
            (None, Some(_)) => "counted".to_owned(),
            (None, None) => "unknown".to_owned(),
        },
    }
}

fn requests(facts: &Facts) -> String {
    match (crate::brief::affected(facts), &facts.impact.expected.value) {
        (None, _) => "requests: unknown".to_owned(),
        (Some(affected), Some(_)) => format!("{} requests", range(affected).replace(" to ", "–")),
        (Some(affected), None) => format!("{} failed requests", range(affected)),
    }
}

fn premium_users(facts: &Facts) -> Option<String> {
    if let Some(expected) = &facts.impact.expected.value {
        return Some(range(expected_tier(expected, PREMIUM)?.users?).replace(" to ", "–"));
    }
    facts.impact.recorded.value?;
    Some(recorded_tier(facts, PREMIUM)?.counts.users_failed.to_string())
}

fn hurts_users(facts: &Facts) -> bool {
    let failed = crate::brief::affected(facts).is_some_and(|affected| affected.high > 0);
    failed || facts.impact.recorded.value.is_none()
}

fn server(facts: &Facts) -> Node {
    let watched = facts.identity.target.as_deref();
    let warned = facts.failure.value == Some(FailureKind::BadConfiguration);
    Node {
        icon: Icon::Server,
        paint: if warned { Paint::Wait } else { Paint::Bad },
        name: if watched.is_some() { "Apache" } else { "Service" },
        lines: [
            watched.unwrap_or(&facts.identity.service).to_owned(),
            facts.identity.listen.first().cloned().unwrap_or_default(),
        ],
        time: facts.moments.onset.value,
        badge: state(facts.failure.value).to_owned(),
    }
}

fn tocsin(facts: &Facts) -> Node {
    let by = if facts.detection.by_monitor { "watches, detects" } else { "was told" };
    Node {
        icon: Icon::Bell,
        paint: Paint::Person,
        name: "Tocsin",
        lines: [facts.identity.tocsin_host.clone(), by.to_owned()],
        time: facts.moments.detected.value,
        badge: "detected".to_owned(),
    }
}

fn page(facts: &Facts) -> Node {
    let first = facts.paging.pages.first();
    let accepted = facts.moments.page_accepted.value;
    let attempts: usize = facts.paging.pages.iter().map(|page| page.attempts.len()).sum();
    Node {
        icon: Icon::Envelope,
        paint: match (first, accepted) {
            (None, _) => Paint::Soft,
            (Some(_), Some(_)) => Paint::Good,
            (Some(_), None) => Paint::Bad,
        },
        name: "Page",
        lines: [
            first.map_or_else(|| "nobody was paged".to_owned(), |page| format!("by {}", page.channel)),
            match attempts {
                0 => String::new(),
                1 => "1 attempt".to_owned(),
                many => format!("{many} attempts"),
            },
        ],
        time: accepted.or(facts.moments.paged.value),
        badge: match (first, accepted) {
            (None, _) => "none".to_owned(),
            (Some(_), Some(_)) => "accepted".to_owned(),
            (Some(_), None) => "not accepted".to_owned(),
        },
    }
}

fn engineer(facts: &Facts) -> Node {
    let acknowledged = facts.moments.acknowledged.value;
    let person = facts
        .paging
        .acknowledged_by
        .value
        .clone()
        .or_else(|| facts.paging.pages.first().map(|page| page.person.clone()));
    Node {
        icon: Icon::Engineer,
        paint: if acknowledged.is_some() { Paint::Good } else { Paint::Soft },
        name: "Engineer",
        lines: [
            person.unwrap_or_else(|| "not needed yet".to_owned()),
            if facts.paging.pages.is_empty() { String::new() } else { "on call".to_owned() },
        ],
        time: acknowledged,
        badge: if acknowledged.is_some() { "acknowledged" } else { "no answer" }.to_owned(),
    }
}

fn links(facts: &Facts) -> [Link; 4] {
    let moments = &facts.moments;
    let between = |from: Option<Moment>, until: Option<Moment>| {
        from.zip(until)
            .and_then(|(from, until)| until.ms_since(from))
            .map_or_else(String::new, span_text)
    };
    let link = |value: String, words, paint| Link {
        value,
        words,
        paint,
        broken: false,
    };
    let answered = matches!(
        facts.failure.value,
        Some(FailureKind::Orphaned | FailureKind::BadConfiguration)
    );
    let acknowledged = moments.acknowledged.value.is_some();
    let paged = moments.paged.value.is_some();
    [
        Link {
            value: String::new(),
            words: match facts.failure.value {
                Some(FailureKind::ServerErrors) => "errors",
                Some(FailureKind::Orphaned | FailureKind::BadConfiguration) => "answered",
                Some(FailureKind::Other) | None => "affected",
                Some(_) => "no answer",
            },
            paint: if answered { Paint::Good } else { Paint::Bad },
            broken: !answered,
        },
        link(between(moments.onset.value, moments.detected.value), "to detect", Paint::Person),
        Link {
            value: between(moments.detected.value, moments.paged.value),
            words: if paged { "to page" } else { "no page" },
            paint: if paged { Paint::Person } else { Paint::Soft },
            broken: !paged,
        },
        Link {
            value: between(moments.paged.value, moments.acknowledged.value),
            words: if acknowledged { "to answer" } else { "no answer" },
            paint: if acknowledged { Paint::Good } else { Paint::Soft },
            broken: !acknowledged,
        },
    ]
}

fn repaired(facts: &Facts) -> Option<String> {
    let until = facts.moments.recovered.value?;
    let from = facts.moments.acknowledged.value.filter(|at| *at <= until);
    let from = from.or(facts.moments.onset.value)?;
    until.ms_since(from).map(span_text)
}

fn recovery(facts: &Facts) -> String {
    match facts.moments.recovered.value {
        Some(at) => format!("recovered {}", at.clock()),
        None => "recovery not recorded".to_owned(),
    }
}

fn card(out: &mut String, x: i64, y: i64, width: i64, node: &Node) {
    let class = node.paint.class();
    let _ = write!(
        out,
        "<rect class=\"card\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{CARD_HEIGHT}\" rx=\"10\"/>\
         <rect class=\"{class}\" x=\"{x}\" y=\"{}\" width=\"4\" height=\"{}\" rx=\"2\"/>",
        y + 14,
        CARD_HEIGHT - 28
    );
    icon(out, x + 18, y + 16, node);
    text(out, (x + 50, y + 33), "t", "start", node.name);
    for (line, words) in (0_i64..).zip(&node.lines) {
        text(out, (x + 18, y + 60 + line * 18), "s", "start", &fit(words, width - 28, 12.5));
    }
    foot(out, x + 18, y + CARD_HEIGHT - 16, width - 28, node);
}

/// The state, or the time it was reached.
fn foot(out: &mut String, x: i64, y: i64, width: i64, node: &Node) {
    let words = match node.time {
        Some(at) => at.clock().trim_end_matches(" UTC").to_owned(),
        None => String::new(),
    };
    if words.is_empty() {
        text(out, (x, y), &format!("c {}", node.paint.class()), "start", &fit(&node.badge, width, 12.0));
        return;
    }
    text(out, (x, y - 17), &format!("c {}", node.paint.class()), "start", &fit(&node.badge, width, 12.0));
    text(out, (x, y), "c", "start", &fit(&words, width, 12.0));
}

fn wide_card(out: &mut String, x: i64, y: i64, width: i64, height: i64, node: &Node) {
    let class = node.paint.class();
    let _ = write!(
        out,
        "<rect class=\"card\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"10\"/>\
         <rect class=\"{class}\" x=\"{x}\" y=\"{}\" width=\"4\" height=\"{}\" rx=\"2\"/>",
        y + 14,
        height - 28
    );
    icon(out, x + 18, y + 14, node);
    text(out, (x + 50, y + 31), "t", "start", node.name);
    text(out, (x + width - 14, y + 31), &format!("c {class}"), "end", &fit(&node.badge, 120, 12.0));
    for (line, words) in (0_i64..).zip(&node.lines) {
        text(out, (x + 18, y + 58 + line * 20), "s", "start", &fit(words, width - 160, 12.5));
    }
    if let Some(at) = node.time {
        let clock = at.clock().trim_end_matches(" UTC").to_owned();
        text(out, (x + width - 14, y + 58), "c", "end", &clock);
    }
}

fn icon(out: &mut String, x: i64, y: i64, node: &Node) {
    let class = format!("l l{}", node.paint.class());
    let path = match node.icon {
        Icon::Users => "M8 11a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM1 21c0-4 3-7 7-7s7 3 7 7M16 4a4 4 0 0 1 0 7M18 14c3 1 5 4 5 7",
        Icon::Server => "M3 3h18v7H3zM3 14h18v7H3zM7 6.5h.01M7 17.5h.01M12 6.5h5M12 17.5h5",
        Icon::Bell => "M12 3c-4 0-6 3-6 7 0 5-2 6-3 7h18c-1-1-3-2-3-7 0-4-2-7-6-7zM10 20c.5 1 1 1.500 2 1.500s1.500-.5 2-1.500",
        Icon::Envelope => "M2 5h20v14H2zM2 6l10 8 10-8",
        Icon::Engineer => "M12 11a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4 21c0-4 3-7 8-7s8 3 8 7M9 17l2 2 4-4",
    };
    let _ = write!(out, "<g transform=\"translate({x} {y})\"><path class=\"{class}\" d=\"{path}\"/></g>");
}

fn arrow_right(out: &mut String, x: i64, y: i64, link: &Link) {
    let class = link.paint.class();
    let (from, to) = (x + 8, x + GAP - 8);
    let dash = if link.broken { " dash" } else { "" };
    let _ = write!(
        out,
        "<path class=\"l l{class}{dash}\" d=\"M{from} {y}H{}\"/><path class=\"{class}\" d=\"M{to} {y}l-10 -6v12z\"/>",
        to - 8
    );
    let middle = x + GAP / 2;
    text(out, (middle, y - 12), &format!("v {class}"), "middle", &fit(&link.value, GAP, 15.0));
    text(out, (middle, y + 24), "s", "middle", &fit(link.words, GAP, 12.5));
    if link.broken {
        cross(out, middle, y);
    }
}

fn arrow_down(out: &mut String, x: i64, y: i64, length: i64, link: &Link) {
    let class = link.paint.class();
    let (from, to) = (y + 6, y + length - 6);
    let dash = if link.broken { " dash" } else { "" };
    let _ = write!(
        out,
        "<path class=\"l l{class}{dash}\" d=\"M{x} {from}V{}\"/><path class=\"{class}\" d=\"M{x} {to}l-6 -10h12z\"/>",
        to - 8
    );
    let words = if link.value.is_empty() { link.words.to_owned() } else { format!("{} {}", link.value, link.words) };
    text(out, (x + 20, y + length / 2 + 5), &format!("v {class}"), "start", &fit(&words, 260, 15.0));
    if link.broken {
        cross(out, x, y + length / 2 - 2);
    }
}

fn cross(out: &mut String, x: i64, y: i64) {
    let _ = write!(
        out,
        "<circle class=\"bg\" cx=\"{x}\" cy=\"{y}\" r=\"9\"/><path class=\"l lbad\" d=\"M{} {}l9 9M{} {}l-9 9\"/>",
        x - 4,
        y - 4,
        x + 5,
        y - 4
    );
}

/// From the engineer back to the server: the repair.
fn way_back(out: &mut String, facts: &Facts) {
    let from = MARGIN + 4 * (CARD_WIDTH + GAP) + CARD_WIDTH / 2;
    let to = MARGIN + CARD_WIDTH + GAP + CARD_WIDTH / 2;
    let top = TOP + CARD_HEIGHT + 8;
    let bottom = top + 44;
    let recovered = facts.moments.recovered.value.is_some();
    let by_person = facts.moments.acknowledged.value <= facts.moments.recovered.value
        && facts.moments.acknowledged.value.is_some();
    let (class, dash) = if recovered { ("good", "") } else { ("soft", " dash") };
    let (from, r) = if by_person { (from, 10) } else { (from - 2 * (CARD_WIDTH + GAP), 10) };
    let _ = write!(
        out,
        "<path class=\"l l{class}{dash}\" d=\"M{from} {top}V{}q0 {r} -{r} {r}H{}q-{r} 0 -{r} -{r}V{}\"/>\
         <path class=\"{class}\" d=\"M{to} {top}l-6 10h12z\"/>",
        bottom - r,
        to + r,
        top + 10
    );
    let words = match repaired(facts) {
        Some(length) if by_person => format!("repaired {length} after the answer, {}", recovery(facts)),
        Some(length) => format!("over {length} after the onset, {}", recovery(facts)),
        None => recovery(facts),
    };
    let room = from - to - 30;
    let middle = i64::midpoint(from, to);
    let class = if recovered { "c good" } else { "c soft" };
    text(out, (middle, bottom + 20), class, "middle", &fit(&words, room.max(420), 12.0));
}
