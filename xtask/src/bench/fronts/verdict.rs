//! What was measured against what must be reached: the ratios of rounds, and the rows of the tables. It measures nothing.

use crate::bench::answers::median;

/// What a front may cost of the native call at most.
const RATIO_MAX: f64 = 1.1;
/// How long a list may take at most.
const LIST_MS_MAX: f64 = 20.0;

/// CPU microseconds of a call: of the native one before and after, and of the front's between them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Round {
    pub(super) native: [f64; 2],
    pub(super) front: f64,
}

impl Round {
    /// The native call, as far as the host's speed lies between the two times.
    fn native_us(&self) -> f64 {
        f64::midpoint(self.native[0], self.native[1])
    }

    fn ratio(&self) -> f64 {
        self.front / self.native_us()
    }
}

/// The rows of what calls cost.
pub(super) const COSTS_HEAD: &str = "| | native, CPU µs | front, CPU µs | front / native, median | least | greatest | must | reached |\n\
     |---|---|---|---|---|---|---|---|";

/// A row of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// As the table shows it.
    pub(super) text: String,
    /// What misses its limit in it, if it does, in words.
    pub(super) missed: Option<String>,
}

/// One row; none without rounds.
pub(super) fn cost_row(what: &str, rounds: &[Round]) -> Option<Row> {
    let middle = |of: fn(&Round) -> f64| median(rounds.iter().map(of).collect());
    let (native, front) = (middle(Round::native_us)?, middle(|round| round.front)?);
    let ratio = middle(Round::ratio)?;
    let ratios = || rounds.iter().map(Round::ratio);
    let least = ratios().fold(f64::INFINITY, f64::min);
    let greatest = ratios().fold(0.0, f64::max);
    let is_reached = ratio <= RATIO_MAX;
    let reached = yes_or_no(is_reached);
    Some(Row {
        text: format!(
            "| {what} | {native:.1} | {front:.1} | {ratio:.2} | {least:.2} | {greatest:.2} | <= {RATIO_MAX:.2} | {reached} |"
        ),
        missed: (!is_reached).then(|| format!("{what}: {ratio:.3} (must be <= {RATIO_MAX:.2})")),
    })
}

/// The rows of what lists take.
pub(super) const LISTS_HEAD: &str =
    "| | p50, ms | p99, ms | p99 must | reached |\n|---|---|---|---|---|";

/// One row.
pub(super) fn list_row(what: &str, p50_ms: f64, p99_ms: f64) -> Row {
    let is_reached = p99_ms <= LIST_MS_MAX;
    let reached = yes_or_no(is_reached);
    Row {
        text: format!("| {what} | {p50_ms:.1} | {p99_ms:.1} | <= {LIST_MS_MAX:.0} | {reached} |"),
        missed: (!is_reached)
            .then(|| format!("{what}: p99 {p99_ms:.2} ms (must be <= {LIST_MS_MAX:.0})")),
    }
}

const fn yes_or_no(reached: bool) -> &'static str {
    if reached { "yes" } else { "no" }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn round(before: f64, front: f64, after: f64) -> Round {
        Round {
            native: [before, after],
            front,
        }
    }

    #[track_caller]
    fn check(row: Option<Row>, text: &str, missed: Option<&str>) {
        let row = row.unwrap();
        assert_eq!((row.text.as_str(), row.missed.as_deref()), (text, missed));
    }

    #[test]
    fn a_front_is_judged_by_the_median_of_the_ratios_of_its_rounds() {
        let rounds = [
            round(100.0, 105.0, 100.0),
            // The host was half as fast, which drops out.
            round(190.0, 220.0, 210.0),
            round(100.0, 180.0, 100.0),
        ];
        check(
            cost_row("Events", &rounds),
            "| Events | 100.0 | 180.0 | 1.10 | 1.05 | 1.80 | <= 1.10 | yes |",
            None,
        );
        check(
            cost_row("Events", &[round(100.0, 111.0, 100.0)]),
            "| Events | 100.0 | 111.0 | 1.11 | 1.11 | 1.11 | <= 1.10 | no |",
            Some("Events: 1.110 (must be <= 1.10)"),
        );
        assert_eq!(cost_row("Events", &[]), None);
    }

    #[test]
    fn a_list_is_judged_by_its_slow_answers() {
        check(
            Some(list_row("native", 3.21, 20.0)),
            "| native | 3.2 | 20.0 | <= 20 | yes |",
            None,
        );
        check(
            Some(list_row("native", 3.21, 20.1)),
            "| native | 3.2 | 20.1 | <= 20 | no |",
            Some("native: p99 20.10 ms (must be <= 20)"),
        );
    }
}
