//! The picture of where the time went: one bar for each phase, to scale.

use std::fmt::Write as _;

use tocsin_domain::learn::facts::{Facts, Milestone, Phase};
use tocsin_domain::learn::moment::span_text;

use super::{Paint, fit, open, text};

const WIDTH: i64 = 560;
const LEFT: i64 = 164;
const RIGHT: i64 = 116;
const ROW: i64 = 34;
const TOP: i64 = 50;

/// Minutes per phase, from the onset to the resolve.
#[must_use]
pub fn waterfall_svg(facts: &Facts) -> String {
    let phases = &facts.phases;
    let rows = i64::try_from(phases.len()).unwrap_or_default();
    let height = TOP + ROW * rows.max(1) + 40;
    let mut out = open(WIDTH, height, &label(phases));
    text(&mut out, (20, 30), "h", "start", "Where the time went");
    let (Some(first), Some(last)) = (phases.first(), phases.last()) else {
        text(
            &mut out,
            (20, TOP + 22),
            "s",
            "start",
            "Fewer than two moments are recorded.",
        );
        out.push_str("</svg>\n");
        return out;
    };
    let span = last.ends.ms_since(first.starts).unwrap_or_default().max(1);
    let longest = facts.longest_phase();
    for (index, phase) in (0_i64..).zip(phases) {
        let y = TOP + index * ROW;
        let from = scaled(
            phase.starts.ms_since(first.starts).unwrap_or_default(),
            span,
        );
        let bar = scaled(phase.ms, span).max(3);
        let is_longest = longest == Some(phase);
        let class = paint(phase).class();
        let weight = if is_longest { "t" } else { "s" };
        text(
            &mut out,
            (20, y + 21),
            weight,
            "start",
            &fit(phase.to.phase(), LEFT - 22, 14.0),
        );
        let _ = write!(
            out,
            "<path class=\"grid\" d=\"M{LEFT} {}H{}\"/><rect class=\"{class}\" x=\"{}\" y=\"{}\" width=\"{bar}\" height=\"18\" rx=\"3\"/>",
            y + 17,
            WIDTH - RIGHT,
            LEFT + from.min(WIDTH - LEFT - RIGHT - bar),
            y + 8
        );
        text(
            &mut out,
            (WIDTH - 20, y + 22),
            &format!("v {class}"),
            "end",
            &span_text(phase.ms),
        );
    }
    let foot = TOP + rows * ROW + 24;
    text(
        &mut out,
        (20, foot),
        "s",
        "start",
        &format!("{} to {}", first.from.word(), last.to.word()),
    );
    text(
        &mut out,
        (WIDTH - 20, foot),
        "c",
        "end",
        &format!("{} in all", span_text(span)),
    );
    out.push_str("</svg>\n");
    out
}

const fn paint(phase: &Phase) -> Paint {
    match phase.to {
        Milestone::Onset | Milestone::Detected => Paint::Bad,
        Milestone::Paged => Paint::Wait,
        Milestone::Acknowledged => Paint::Person,
        Milestone::Recovered => Paint::Good,
        Milestone::Resolved => Paint::Soft,
    }
}

fn label(phases: &[Phase]) -> String {
    let told: Vec<String> = phases
        .iter()
        .map(|phase| format!("{} {}", phase.to.phase(), span_text(phase.ms)))
        .collect();
    format!("Where the time went: {}", told.join(", "))
}

/// A length in the picture; whole numbers, so that every machine draws the same.
fn scaled(ms: u64, span: u64) -> i64 {
    let width = u128::try_from(WIDTH - LEFT - RIGHT).unwrap_or_default();
    i64::try_from(u128::from(ms) * width / u128::from(span)).unwrap_or_default()
}
