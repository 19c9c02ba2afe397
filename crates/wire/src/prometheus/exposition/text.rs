//! Prometheus' text format (0.0.4, and 1.0.0 with names in quotation marks), read and written; it knows no HTTP.

use tocsin_domain::write::{MetricKind, Point, Write};

use super::lines::{self, Reading};
use super::scan::{Scanner, Spacing, unescape};
use super::{ExpositionError, Limits};

pub use super::output::{CONTENT_TYPE, write};

/// Reads an answer. Samples without a time get `default_at_ms`, milliseconds since the epoch.
///
/// # Errors
/// A line is not of this format, or a limit is reached.
pub fn parse(text: &str, default_at_ms: i64, limits: Limits) -> Result<Write<'_>, ExpositionError> {
    let mut scanner = Scanner::of(text, Spacing::Loose);
    let mut reading = Reading::new(limits);
    while !scanner.is_at_end() {
        scanner.skip_blanks();
        if scanner.eat("#") {
            comment(&mut scanner, &mut reading)?;
        } else if !scanner.eat_line_end() {
            sample(&mut scanner, &mut reading, default_at_ms)?;
        }
    }
    Ok(reading.end())
}

fn sample<'a>(
    scanner: &mut Scanner<'a>,
    reading: &mut Reading<'a>,
    default_at_ms: i64,
) -> Result<(), ExpositionError> {
    reading.series(scanner)?;
    scanner.skip_blanks();
    let value = lines::value(scanner)?;
    scanner.skip_blanks();
    let mut at_ms = default_at_ms;
    if !scanner.eat_line_end() {
        let start = *scanner;
        at_ms = scanner.word().parse().map_err(|_| {
            start.unexpected("a time in whole milliseconds, or the end of the line")
        })?;
        scanner.skip_blanks();
        if !scanner.eat_line_end() {
            return Err(scanner.unexpected("the end of the line"));
        }
    }
    reading.sample(Point { at_ms, value });
    Ok(())
}

/// A comment describes a metric if it begins with one of two words, and is for people otherwise.
fn comment<'a>(
    scanner: &mut Scanner<'a>,
    reading: &mut Reading<'a>,
) -> Result<(), ExpositionError> {
    let has_gap = scanner.eat_gap();
    match (has_gap, scanner.word()) {
        (true, "HELP") => {
            scanner.skip_blanks();
            let metric = Reading::described_name(scanner)?;
            scanner.eat_gap();
            let help = unescape(scanner.rest_of_line(), &['\\']);
            reading.describe(metric, |metadata| metadata.help = help)
        }
        (true, "TYPE") => {
            scanner.skip_blanks();
            let metric = Reading::described_name(scanner)?;
            scanner.eat_gap();
            let start = *scanner;
            let word = scanner.rest_of_line().trim_end();
            let kind = MetricKind::from_word(word)
                .ok_or_else(|| start.unexpected("a kind of metric, like `counter`"))?;
            reading.describe(metric, |metadata| metadata.kind = kind)
        }
        (true | false, _) => {
            scanner.rest_of_line();
            Ok(())
        }
    }
}
