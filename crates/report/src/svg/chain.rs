//! The picture of the chain: users, the web server, Tocsin, the page, the engineer, with what was measured between them.

use std::fmt::Write as _;

use tocsin_domain::learn::facts::{Facts, FailureKind};
use tocsin_domain::learn::moment::{Moment, span_text};

use super::chain_parts::{arrow_down, arrow_right, card, way_back, wide_card};
use super::{Paint, fit, open, text, tight_span};
use crate::wording::{PREMIUM, did, expected_tier, range, recorded_tier, state, subject};

pub(super) const CARD_WIDTH: i64 = 176;
pub(super) const CARD_HEIGHT: i64 = 146;
pub(super) const GAP: i64 = 72;
pub(super) const MARGIN: i64 = 20;
pub(super) const TOP: i64 = 60;

/// One party of the chain.
pub(super) struct Node {
    pub(super) icon: Icon,
    pub(super) paint: Paint,
    pub(super) name: &'static str,
    pub(super) lines: [String; 2],
    /// The time under it.
    pub(super) time: Option<Moment>,
    pub(super) badge: String,
}

/// What leads from one party to the next.
pub(super) struct Link {
    pub(super) value: String,
    pub(super) words: &'static str,
    pub(super) paint: Paint,
    pub(super) broken: bool,
}

#[derive(Clone, Copy)]
pub(super) enum Icon {
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
    let height = 300;
    let mut out = open(width, height, &label(facts));
    text(
        &mut out,
        (MARGIN, 36),
        "h",
        "start",
        &fit(&heading(facts), width - 280, 18.0),
    );
    text(&mut out, (width - MARGIN, 36), "s", "end", &day(facts));
    for (index, node) in (0_i64..).zip(&nodes) {
        card(
            &mut out,
            MARGIN + index * (CARD_WIDTH + GAP),
            TOP,
            CARD_WIDTH,
            node,
        );
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
    let (width, step, card_height, top) = (360, 142, 98, 92);
    let height = top + step * 5 + 72;
    let mut out = open(width, height, &label(facts));
    let words = heading(facts);
    let what = words
        .strip_prefix(&subject(facts))
        .unwrap_or_default()
        .trim_start();
    text(
        &mut out,
        (20, 32),
        "h",
        "start",
        &fit(&subject(facts), width - 40, 18.0),
    );
    text(
        &mut out,
        (20, 55),
        "t",
        "start",
        &fit(what, width - 40, 16.0),
    );
    text(&mut out, (20, 76), "s", "start", &day(facts));
    for (index, node) in (0_i64..).zip(&nodes) {
        wide_card(
            &mut out,
            20,
            top + index * step,
            width - 40,
            card_height,
            node,
        );
    }
    for (index, link) in (0_i64..).zip(&links) {
        arrow_down(
            &mut out,
            56,
            top + index * step + card_height,
            step - card_height,
            link,
        );
    }
    let y = top + 4 * step + card_height;
    let link = Link {
        value: repaired(facts).unwrap_or_else(|| "not recorded".to_owned()),
        words: "repair",
        paint: Paint::Good,
        broken: false,
    };
    arrow_down(&mut out, 56, y, step - card_height, &link);
    let end = y + step - card_height;
    let _ = write!(
        out,
        "<rect class=\"goodbg\" x=\"20\" y=\"{end}\" width=\"{}\" height=\"52\" rx=\"10\"/>",
        width - 40
    );
    text(
        &mut out,
        (36, end + 32),
        "t good",
        "start",
        &fit(&recovery(facts), width - 72, 16.0),
    );
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
    at.map_or_else(
        || "times in UTC".to_owned(),
        |at| format!("{}, times in UTC", at.date()),
    )
}

fn label(facts: &Facts) -> String {
    let links: Vec<String> = parties(facts)
        .1
        .iter()
        .filter(|link| !link.value.is_empty())
        .map(|link| format!("{} {}", link.words, link.value))
        .collect();
    format!(
        "{}. {}. {}",
        heading(facts),
        links.join(", "),
        recovery(facts)
    )
}

fn parties(facts: &Facts) -> ([Node; 5], [Link; 4]) {
    let nodes = [
        users(facts),
        server(facts),
        tocsin(facts),
        page(facts),
        engineer(facts),
    ];
    (nodes, links(facts))
}

fn users(facts: &Facts) -> Node {
    let premium = premium_users(facts);
    Node {
        icon: Icon::Users,
        paint: if hurts_users(facts) {
            Paint::Bad
        } else {
            Paint::Soft
        },
        name: "Users",
        lines: [
            requests(facts),
            premium.map_or_else(
                || "premium: unknown".to_owned(),
                |users| format!("premium: {users}"),
            ),
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
    match (
        crate::brief_summary::affected(facts),
        &facts.impact.expected.value,
    ) {
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
    Some(
        recorded_tier(facts, PREMIUM)?
            .counts
            .users_failed
            .to_string(),
    )
}

fn hurts_users(facts: &Facts) -> bool {
    let failed = crate::brief_summary::affected(facts).is_some_and(|affected| affected.high > 0);
    failed || facts.impact.recorded.value.is_none()
}

fn server(facts: &Facts) -> Node {
    let watched = facts.identity.target.as_deref();
    let warned = facts.failure.value == Some(FailureKind::BadConfiguration);
    Node {
        icon: Icon::Server,
        paint: if warned { Paint::Wait } else { Paint::Bad },
        name: if watched.is_some() {
            "Apache"
        } else {
            "Service"
        },
        lines: [
            watched.unwrap_or(&facts.identity.service).to_owned(),
            facts.identity.listen.first().cloned().unwrap_or_default(),
        ],
        time: facts.moments.onset.value,
        badge: state(facts.failure.value).to_owned(),
    }
}

fn tocsin(facts: &Facts) -> Node {
    let by = if facts.detection.by_monitor {
        "watches, detects"
    } else {
        "was told"
    };
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
    let attempts: usize = facts
        .paging
        .pages
        .iter()
        .map(|page| page.attempts.len())
        .sum();
    Node {
        icon: Icon::Envelope,
        paint: match (first, accepted) {
            (None, _) => Paint::Soft,
            (Some(_), Some(_)) => Paint::Good,
            (Some(_), None) => Paint::Bad,
        },
        name: "Page",
        lines: [
            first.map_or_else(
                || "nobody was paged".to_owned(),
                |page| format!("by {}", page.channel),
            ),
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
        paint: if acknowledged.is_some() {
            Paint::Good
        } else {
            Paint::Soft
        },
        name: "Engineer",
        lines: [
            person.unwrap_or_else(|| "nobody was called".to_owned()),
            if facts.paging.pages.is_empty() {
                String::new()
            } else {
                "on call".to_owned()
            },
        ],
        time: acknowledged,
        badge: if acknowledged.is_some() {
            "acknowledged"
        } else if facts.paging.pages.is_empty() {
            "not called"
        } else {
            "no answer"
        }
        .to_owned(),
    }
}

fn links(facts: &Facts) -> [Link; 4] {
    let moments = &facts.moments;
    let between = |from: Option<Moment>, until: Option<Moment>| {
        from.zip(until)
            .and_then(|(from, until)| until.ms_since(from))
            .map_or_else(String::new, tight_span)
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
                Some(FailureKind::Hung) => "no reply",
                Some(FailureKind::Saturated) => "must wait",
                Some(
                    FailureKind::Crashed
                    | FailureKind::Stopped
                    | FailureKind::FoundDead
                    | FailureKind::Unreachable,
                ) => "refused",
                Some(FailureKind::Other) | None => "affected",
            },
            paint: if answered { Paint::Good } else { Paint::Bad },
            broken: !answered,
        },
        link(
            between(moments.onset.value, moments.detected.value),
            "detect",
            Paint::Person,
        ),
        Link {
            value: between(moments.detected.value, moments.paged.value),
            words: if paged { "page" } else { "no page" },
            paint: if paged { Paint::Person } else { Paint::Soft },
            broken: !paged,
        },
        Link {
            value: between(moments.paged.value, moments.acknowledged.value),
            words: if acknowledged {
                "answer"
            } else if paged {
                "no reply"
            } else {
                "no call"
            },
            paint: if acknowledged {
                Paint::Good
            } else {
                Paint::Soft
            },
            broken: !acknowledged,
        },
    ]
}

pub(super) fn repaired(facts: &Facts) -> Option<String> {
    let until = facts.moments.recovered.value?;
    let from = facts.moments.acknowledged.value.filter(|at| *at <= until);
    let from = from.or(facts.moments.onset.value)?;
    until.ms_since(from).map(span_text)
}

pub(super) fn recovery(facts: &Facts) -> String {
    match facts.moments.recovered.value {
        Some(at) => format!("recovered {}", at.clock()),
        None => "recovery not recorded".to_owned(),
    }
}
