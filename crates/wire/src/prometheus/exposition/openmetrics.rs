//! OpenMetrics 1.0 text; it knows no HTTP.
//!
//! The series that tell when a counter was created (`_created`) are series like others, as Prometheus keeps them.

use tocsin_domain::write::{Exemplar, MetricKind, Point, Write};

use super::lines::{self, Reading, too_many};
use super::scan::{QUOTED_ESCAPES, Scanner, Spacing, unescape};
use super::{EXEMPLAR_LABELS_MAX, ExpositionError, Limits, braces, number};
use crate::prometheus::labels;

/// Reads an answer. Samples without a time get `default_at_ms`, milliseconds since the epoch.
///
/// # Errors
/// A line is not of this format, the last line is missing, or a limit is reached.
pub fn parse(text: &str, default_at_ms: i64, limits: Limits) -> Result<Write<'_>, ExpositionError> {
    let mut scanner = Scanner::of(text, Spacing::Strict);
    let mut reading = Reading::new(limits);
    while !scanner.is_at_end() {
        if !scanner.eat("# ") {
            sample(&mut scanner, &mut reading, default_at_ms)?;
        } else if scanner.eat("EOF") {
            if scanner.eat_line_end() && scanner.is_at_end() {
                return Ok(reading.end());
            }
            return Err(scanner.unexpected("nothing behind `# EOF`"));
        } else {
            description(&mut scanner, &mut reading)?;
        }
    }
    Err(ExpositionError::NoEnd)
}

fn sample<'a>(
    scanner: &mut Scanner<'a>,
    reading: &mut Reading<'a>,
    default_at_ms: i64,
) -> Result<(), ExpositionError> {
    reading.series(scanner)?;
    if !scanner.eat(" ") {
        return Err(scanner.unexpected("a space and a value"));
    }
    let value = lines::value(scanner)?;
    let mut at_ms = default_at_ms;
    let mut has_exemplar = scanner.eat(" # ");
    if !has_exemplar && scanner.eat(" ") {
        at_ms = time(scanner)?;
        has_exemplar = scanner.eat(" # ");
    }
    reading.sample(Point { at_ms, value });
    if has_exemplar {
        exemplar(scanner, reading, at_ms)?;
    }
    if scanner.is_at_end() {
        return Err(ExpositionError::NoEnd);
    }
    if !scanner.eat_line_end() {
        return Err(scanner.unexpected("the end of the line"));
    }
    Ok(())
}

fn time(scanner: &mut Scanner<'_>) -> Result<i64, ExpositionError> {
    let start = *scanner;
    number::seconds_as_ms(scanner.word()).ok_or_else(|| start.unexpected("a time in seconds"))
}

fn exemplar<'a>(
    scanner: &mut Scanner<'a>,
    reading: &mut Reading<'a>,
    sample_at_ms: i64,
) -> Result<(), ExpositionError> {
    let line = scanner.line();
    if !scanner.eat("{") {
        return Err(scanner.unexpected("`{` and the labels of an exemplar"));
    }
    let mut own = Vec::new();
    let max = EXEMPLAR_LABELS_MAX;
    braces::read(scanner, &mut own, (0, max), false, labels::add)?;
    labels::settle(&mut own).map_err(|fault| ExpositionError::Labels { line, fault })?;
    if !scanner.eat(" ") {
        return Err(scanner.unexpected("a space and the value of an exemplar"));
    }
    let value = lines::value(scanner)?;
    let at_ms = if scanner.eat(" ") {
        time(scanner)?
    } else {
        sample_at_ms
    };
    if reading.write.exemplars.len() >= reading.limits.exemplars_max {
        return Err(too_many("exemplars", reading.limits.exemplars_max));
    }
    reading.write.exemplars.push(Exemplar {
        series: reading.write.series.len().saturating_sub(1),
        labels: own,
        at_ms,
        value,
    });
    Ok(())
}

/// A line that describes a metric; no other comments exist.
fn description<'a>(
    scanner: &mut Scanner<'a>,
    reading: &mut Reading<'a>,
) -> Result<(), ExpositionError> {
    let start = *scanner;
    let word = scanner.word();
    if !matches!(word, "HELP" | "TYPE" | "UNIT") || !scanner.eat(" ") {
        return Err(start.unexpected("`HELP`, `TYPE`, `UNIT` or `EOF`"));
    }
    let metric = Reading::described_name(scanner)?;
    if !scanner.eat(" ") {
        return Err(scanner.unexpected("a space and text"));
    }
    let text_start = *scanner;
    let text = scanner.rest_of_line();
    match word {
        "HELP" => reading.describe(metric, |metadata| {
            metadata.help = unescape(text, &QUOTED_ESCAPES)
        }),
        "TYPE" => {
            let kind = MetricKind::from_word(text)
                .filter(|_| text != "untyped")
                .ok_or_else(|| text_start.unexpected("a kind of metric, like `counter`"))?;
            reading.describe(metric, |metadata| metadata.kind = kind)
        }
        _ => {
            let ends_with_unit = metric
                .strip_suffix(text)
                .is_some_and(|before| text.is_empty() || before.ends_with('_'));
            if !ends_with_unit {
                return Err(text_start.unexpected("the unit that the metric's name ends with"));
            }
            reading.describe(metric, |metadata| metadata.unit = text.into())
        }
    }
}
