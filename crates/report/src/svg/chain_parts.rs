//! The shapes of the picture of the chain: cards, arrows, the way back; what they say is decided elsewhere.

use std::fmt::Write as _;

use tocsin_domain::learn::facts::Facts;

use super::chain::{
    CARD_HEIGHT, CARD_WIDTH, GAP, Icon, Link, MARGIN, Node, TOP, recovery, repaired,
};
use super::{fit, text};

pub(super) fn card(out: &mut String, x: i64, y: i64, width: i64, node: &Node) {
    let class = node.paint.class();
    let _ = write!(
        out,
        "<rect class=\"card\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{CARD_HEIGHT}\" rx=\"10\"/>\
         <rect class=\"{class}\" x=\"{x}\" y=\"{}\" width=\"4\" height=\"{}\" rx=\"2\"/>",
        y + 14,
        CARD_HEIGHT - 28
    );
    icon(out, x + 16, y + 14, node);
    text(out, (x + 48, y + 32), "t", "start", node.name);
    for (line, words) in (0_i64..).zip(&node.lines) {
        text(
            out,
            (x + 16, y + 62 + line * 20),
            "s",
            "start",
            &fit(words, width - 20, 14.0),
        );
    }
    foot(out, x + 16, y + CARD_HEIGHT - 16, width - 20, node);
}

/// The state, or the time it was reached.
fn foot(out: &mut String, x: i64, y: i64, width: i64, node: &Node) {
    let words = match node.time {
        Some(at) => at.clock().trim_end_matches(" UTC").to_owned(),
        None => String::new(),
    };
    if words.is_empty() {
        text(
            out,
            (x, y),
            &format!("c {}", node.paint.class()),
            "start",
            &fit(&node.badge, width, 13.5),
        );
        return;
    }
    text(
        out,
        (x, y - 19),
        &format!("c {}", node.paint.class()),
        "start",
        &fit(&node.badge, width, 13.5),
    );
    text(out, (x, y), "c", "start", &fit(&words, width, 13.5));
}

pub(super) fn wide_card(out: &mut String, x: i64, y: i64, width: i64, height: i64, node: &Node) {
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
    text(
        out,
        (x + width - 14, y + 31),
        &format!("c {class}"),
        "end",
        &fit(&node.badge, 130, 13.5),
    );
    for (line, words) in (0_i64..).zip(&node.lines) {
        text(
            out,
            (x + 18, y + 58 + line * 20),
            "s",
            "start",
            &fit(
                words,
                width - if node.time.is_some() { 150 } else { 40 },
                14.0,
            ),
        );
    }
    if let Some(at) = node.time {
        let clock = at.clock().trim_end_matches(" UTC").to_owned();
        text(out, (x + width - 14, y + 58), "c", "end", &clock);
    }
}

fn icon(out: &mut String, x: i64, y: i64, node: &Node) {
    let class = format!("l l{}", node.paint.class());
    let path = match node.icon {
        Icon::Users => {
            "M8 11a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM1 21c0-4 3-7 7-7s7 3 7 7M16 4a4 4 0 0 1 0 7M18 14c3 1 5 4 5 7"
        }
        Icon::Server => "M3 3h18v7H3zM3 14h18v7H3zM7 6.5h.01M7 17.5h.01M12 6.5h5M12 17.5h5",
        Icon::Bell => {
            "M12 3c-4 0-6 3-6 7 0 5-2 6-3 7h18c-1-1-3-2-3-7 0-4-2-7-6-7zM10 20c.5 1 1 1.500 2 1.500s1.500-.5 2-1.500"
        }
        Icon::Envelope => "M2 5h20v14H2zM2 6l10 8 10-8",
        Icon::Engineer => {
            "M12 11a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4 21c0-4 3-7 8-7s8 3 8 7M9 17l2 2 4-4"
        }
    };
    let _ = write!(
        out,
        "<g transform=\"translate({x} {y})\"><path class=\"{class}\" d=\"{path}\"/></g>"
    );
}

pub(super) fn arrow_right(out: &mut String, x: i64, y: i64, link: &Link) {
    let class = link.paint.class();
    let (from, to) = (x + 8, x + GAP - 8);
    let dash = if link.broken { " dash" } else { "" };
    let _ = write!(
        out,
        "<path class=\"l l{class}{dash}\" d=\"M{from} {y}H{}\"/><path class=\"{class}\" d=\"M{to} {y}l-10 -6v12z\"/>",
        to - 8
    );
    let middle = x + GAP / 2;
    text(
        out,
        (middle, y - 12),
        &format!("v {class}"),
        "middle",
        &fit(&link.value, GAP + 4, 15.5),
    );
    text(
        out,
        (middle, y + 24),
        "s",
        "middle",
        &fit(link.words, GAP + 4, 14.0),
    );
    if link.broken {
        cross(out, middle, y);
    }
}

pub(super) fn arrow_down(out: &mut String, x: i64, y: i64, length: i64, link: &Link) {
    let class = link.paint.class();
    let (from, to) = (y + 6, y + length - 6);
    let dash = if link.broken { " dash" } else { "" };
    let _ = write!(
        out,
        "<path class=\"l l{class}{dash}\" d=\"M{x} {from}V{}\"/><path class=\"{class}\" d=\"M{x} {to}l-6 -10h12z\"/>",
        to - 8
    );
    let words = if link.value.is_empty() {
        link.words.to_owned()
    } else {
        format!("{} to {}", link.value, link.words)
    };
    text(
        out,
        (x + 20, y + length / 2 + 5),
        &format!("v {class}"),
        "start",
        &fit(&words, 260, 15.5),
    );
    if link.broken {
        cross(out, x, y + length / 2 - 7);
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
pub(super) fn way_back(out: &mut String, facts: &Facts) {
    let from = MARGIN + 4 * (CARD_WIDTH + GAP) + CARD_WIDTH / 2;
    let to = MARGIN + CARD_WIDTH + GAP + CARD_WIDTH / 2;
    let top = TOP + CARD_HEIGHT + 8;
    let bottom = top + 44;
    let recovered = facts.moments.recovered.value.is_some();
    let by_person = facts.moments.acknowledged.value <= facts.moments.recovered.value
        && facts.moments.acknowledged.value.is_some();
    let (class, dash) = if recovered {
        ("good", "")
    } else {
        ("soft", " dash")
    };
    let (from, r) = if by_person {
        (from, 10)
    } else {
        (from - 2 * (CARD_WIDTH + GAP), 10)
    };
    let _ = write!(
        out,
        "<path class=\"l l{class}{dash}\" d=\"M{from} {top}V{}q0 {r} -{r} {r}H{}q-{r} 0 -{r} -{r}V{}\"/>\
         <path class=\"{class}\" d=\"M{to} {top}l-6 10h12z\"/>",
        bottom - r,
        to + r,
        top + 10
    );
    let words = match repaired(facts) {
        Some(length) if by_person => {
            format!("repaired {length} after the answer, {}", recovery(facts))
        }
        Some(length) => format!("repaired {length} after the onset, {}", recovery(facts)),
        None => recovery(facts),
    };
    let room = from - to - 30;
    let middle = i64::midpoint(from, to);
    let class = if recovered { "c good" } else { "c soft" };
    text(
        out,
        (middle, bottom + 20),
        class,
        "middle",
        &fit(&words, room.max(440), 13.5),
    );
}
