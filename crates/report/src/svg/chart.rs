//! Charts over time, drawn from the values that facts carry; whole numbers only, so that every machine draws the same.

use std::fmt::Write as _;

use tocsin_domain::learn::facts::{Chart, ChartLine, Facts, Tone};
use tocsin_domain::learn::moment::Moment;

use super::{Paint, fit, open, text};

const WIDTH: i64 = 560;
const HEIGHT: i64 = 236;
const LEFT: i64 = 52;
const RIGHT: i64 = 20;
const TOP: i64 = 66;
const BOTTOM: i64 = 40;

/// One picture for each chart, with its title.
#[must_use]
pub fn chart_svgs(facts: &Facts) -> Vec<(String, String)> {
    facts
        .charts
        .iter()
        .map(|chart| (chart.title.clone(), draw(facts, chart)))
        .collect()
}

fn draw(facts: &Facts, chart: &Chart) -> String {
    let label = format!("{} over time, in {}", chart.title, chart.unit);
    let mut out = open(WIDTH, HEIGHT, &label);
    text(
        &mut out,
        (20, 28),
        "h",
        "start",
        &fit(&chart.title, WIDTH - 40, 18.0),
    );
    let top = highest(chart).max(1_000);
    legend(&mut out, chart);
    trouble(&mut out, facts, chart);
    for part in 0..=2_i64 {
        let y = HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * part / 2;
        let _ = write!(
            out,
            "<path class=\"grid\" d=\"M{LEFT} {y}H{}\"/>",
            WIDTH - RIGHT
        );
        let value = top / 2 * part.unsigned_abs();
        text(
            &mut out,
            (LEFT - 8, y + 4),
            "c",
            "end",
            &thousandths_text(value),
        );
    }
    for line in &chart.lines {
        path(&mut out, line, top);
    }
    marks(&mut out, facts, chart);
    out.push_str("</svg>\n");
    out
}

/// The largest value, rounded up so that half of it is a round number too.
fn highest(chart: &Chart) -> u64 {
    let most = chart
        .lines
        .iter()
        .flat_map(|line| line.thousandths.iter().flatten())
        .max();
    let most = most.copied().unwrap_or_default();
    let mut step = 2_000;
    while most > step * 5 {
        step *= if step.to_string().starts_with('2') {
            5
        } else {
            2
        };
    }
    most.div_ceil(step) * step
}

fn thousandths_text(value: u64) -> String {
    if value.is_multiple_of(1_000) {
        (value / 1_000).to_string()
    } else {
        format!("{}.{}", value / 1_000, value % 1_000 / 100)
    }
}

const fn paint(tone: Tone) -> Paint {
    match tone {
        Tone::Bad => Paint::Bad,
        Tone::Good => Paint::Good,
        Tone::Person => Paint::Person,
        Tone::Info => Paint::Soft,
    }
}

fn legend(out: &mut String, chart: &Chart) {
    let mut x = 20;
    for line in &chart.lines {
        let class = paint(line.tone).class();
        let _ = write!(
            out,
            "<rect class=\"{class}\" x=\"{x}\" y=\"40\" width=\"14\" height=\"4\" rx=\"2\"/>"
        );
        text(out, (x + 20, 46), "s", "start", &line.name);
        let chars = i64::try_from(line.name.chars().count()).unwrap_or_default();
        x += 40 + chars * 8;
    }
    // The unit stands where the axis ends, unless the legend needs the place.
    if x < WIDTH - 170 {
        text(out, (WIDTH - RIGHT, 46), "s", "end", &chart.unit);
    }
}

fn x_of(chart: &Chart, at: Moment) -> Option<i64> {
    let steps = i64::try_from(chart.lines.first()?.thousandths.len()).ok()?;
    let span = steps.checked_mul(i64::try_from(chart.step_ms).ok()?)?;
    let into = at.as_millis().checked_sub(chart.from.as_millis())?;
    let inside = (0..=span).contains(&into) && span > 0;
    inside.then(|| LEFT + (WIDTH - LEFT - RIGHT) * into / span)
}

/// The time of the failure, shaded.
fn trouble(out: &mut String, facts: &Facts, chart: &Chart) {
    let (Some(from), Some(until)) = (
        x_of(chart, facts.impact.from),
        x_of(chart, facts.impact.until),
    ) else {
        return;
    };
    let _ = write!(
        out,
        "<rect class=\"badbg\" x=\"{from}\" y=\"{TOP}\" width=\"{}\" height=\"{}\"/>",
        (until - from).max(1),
        HEIGHT - TOP - BOTTOM
    );
}

fn path(out: &mut String, line: &ChartLine, top: u64) {
    let steps = i64::try_from(line.thousandths.len()).unwrap_or(1).max(1);
    let mut d = String::new();
    let mut pen_down = false;
    for (index, value) in (0_i64..).zip(&line.thousandths) {
        let Some(value) = value else {
            pen_down = false;
            continue;
        };
        let x = LEFT + (WIDTH - LEFT - RIGHT) * (2 * index + 1) / (2 * steps);
        let tall = u128::from(*value) * u128::from((HEIGHT - TOP - BOTTOM).unsigned_abs())
            / u128::from(top);
        let y = HEIGHT - BOTTOM - i64::try_from(tall).unwrap_or_default();
        let _ = write!(d, "{}{x} {y}", if pen_down { "L" } else { "M" });
        pen_down = true;
    }
    let _ = write!(
        out,
        "<path class=\"l l{}\" d=\"{d}\"/>",
        paint(line.tone).class()
    );
}

fn marks(out: &mut String, facts: &Facts, chart: &Chart) {
    let moments = &facts.moments;
    let named = [
        ("onset", moments.onset.value),
        ("recovered", moments.recovered.value),
    ];
    let y = HEIGHT - BOTTOM;
    let mut free_from = LEFT;
    for (name, at) in named {
        let Some((at, x)) = at.and_then(|at| Some((at, x_of(chart, at)?))) else {
            continue;
        };
        let _ = write!(
            out,
            "<path class=\"grid dash\" d=\"M{x} {TOP}V{}\"/>",
            y + 6
        );
        let words = format!("{name} {}", at.clock().trim_end_matches(" UTC"));
        let half = 82;
        let middle = x.clamp(LEFT + half - 30, WIDTH - RIGHT - half);
        if middle - half >= free_from - half {
            let middle = middle.max(free_from + half - LEFT.min(half));
            text(
                out,
                (middle.min(WIDTH - RIGHT - half), y + 24),
                "c",
                "middle",
                &words,
            );
            free_from = middle + half * 2;
        }
    }
}
