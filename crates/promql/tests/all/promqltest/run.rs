//! Carries out the commands of a test file and compares.

use std::collections::BTreeSet;

use tocsin_promql::{
    Answer, Labels, Limits, METRIC_NAME, Matcher, NoteLevel, ParseError, Query, Value,
};

use super::memory::Memory;
use super::script::{Eval, Expected, Mode, Series, Times, What, read};

/// How a case ended.
pub(crate) enum Outcome {
    Passed,
    Skipped(String),
    Failed(String),
}

/// Runs all commands; gives each evaluation's `file:line` and how it ended.
pub(crate) fn run_script(file: &str, text: &str) -> Vec<(String, Outcome)> {
    let mut memory = Memory::default();
    let mut native = BTreeSet::new();
    let mut outcomes = Vec::new();
    for command in read(text) {
        let case = format!("{file}:{}", command.line);
        match command.what {
            What::Clear => {
                memory = Memory::default();
                native.clear();
            }
            What::Load {
                step_ms,
                series,
                with_native,
            } => load(&mut memory, &mut native, step_ms, series, with_native),
            What::Eval(eval) => {
                outcomes.push((case, check(&eval, &memory, &native, file)));
            }
            What::Unknown(line) => {
                outcomes.push((case, Outcome::Skipped(format!("unknown command {line}"))));
            }
        }
    }
    outcomes
}

fn load(
    memory: &mut Memory,
    native: &mut BTreeSet<String>,
    step_ms: i64,
    series: Vec<Series>,
    with_native: bool,
) {
    for one in series {
        let name = one.labels.metric_name().to_owned();
        let Some(values) = one.values else {
            native.insert(name);
            continue;
        };
        if with_native && let Some(base) = name.strip_suffix("_bucket") {
            native.insert(base.to_owned());
        }
        let samples = memory.series.entry(one.labels).or_default();
        let mut time_ms = 0;
        for value in values {
            if let Some(value) = value {
                samples.insert(time_ms, value);
            }
            time_ms += step_ms;
        }
    }
}

fn check(eval: &Eval, memory: &Memory, native: &BTreeSet<String>, file: &str) -> Outcome {
    let is_native = |one: &Expected| matches!(one, Expected::Series(s) if s.values.is_none());
    if eval.expected.iter().any(is_native) {
        return Outcome::Skipped("expects native histograms".to_owned());
    }
    let query = match Query::parse(&eval.query) {
        Ok(query) => query,
        Err(_) if eval.mode == Mode::Fail => return Outcome::Passed,
        Err(error @ ParseError::Unsupported { .. }) => return Outcome::Skipped(error.to_string()),
        Err(error) => return Outcome::Failed(format!("{}: {error}", eval.query)),
    };
    let touches_native = |matchers: &[Matcher]| {
        native.iter().any(|name| {
            let mut of_name = matchers.iter().filter(|one| one.name() == METRIC_NAME);
            of_name.all(|matcher| matcher.accepts(name))
        })
    };
    if query.selectors().into_iter().any(touches_native) {
        return Outcome::Skipped("reads native histograms".to_owned());
    }
    // Prometheus runs its tests with the removal of names put off to the end of the query. Only a file that is about
    // that may tell the difference.
    for delayed in [true, false] {
        if !delayed && file == "name_label_dropping.test" {
            continue;
        }
        let limits = Limits {
            delayed_name_removal: delayed,
            // Prometheus' files are older than label names of any text.
            legacy_label_names: file != "own",
            ..Limits::default()
        };
        if let Err(why) = compare(eval, &query, memory, &limits) {
            let mode = if delayed { "delayed" } else { "at once" };
            return Outcome::Failed(format!("{} (names dropped {mode}): {why}", eval.query));
        }
    }
    Outcome::Passed
}

fn compare(eval: &Eval, query: &Query, memory: &Memory, limits: &Limits<'_>) -> Result<(), String> {
    let answer = match eval.times {
        Times::Instant(at) => query.instant(memory, at, limits),
        Times::Range { start, end, step } => query.range(memory, start, end, step, limits),
    };
    let answer = match (answer, eval.mode) {
        (Err(_), Mode::Fail) => return Ok(()),
        (Ok(answer), Mode::Fail) => return Err(format!("did not fail but gave {answer:?}")),
        (Err(error), _) => return Err(error.to_string()),
        (Ok(answer), _) => answer,
    };
    check_notes(eval.mode, &answer)?;
    match eval.times {
        Times::Instant(at) => {
            compare_value(eval, &answer.value)?;
            if eval.mode != Mode::Ordered && !matches!(answer.value, Value::Text(_)) {
                let around = query.range(memory, at - 60_000, at + 60_000, 60_000, limits);
                let around = around.map_err(|error| format!("as a range: {error}"));
                compare_middle(&answer, around, at)?;
            }
            Ok(())
        }
        Times::Range { start, step, .. } => compare_matrix(eval, &answer.value, start, step),
    }
}

fn check_notes(mode: Mode, answer: &Answer) -> Result<(), String> {
    if mode == Mode::Ordered {
        return Ok(());
    }
    let has = |level| answer.notes.iter().any(|note| note.level == level);
    // A hint that was not asked for is no fault, as in Prometheus' own runner.
    let as_wanted = has(NoteLevel::Warning) == (mode == Mode::Warn)
        && (mode != Mode::Info || has(NoteLevel::Info));
    if as_wanted {
        Ok(())
    } else {
        Err(format!("its notes are {:?}", answer.notes))
    }
}

fn compare_value(eval: &Eval, value: &Value) -> Result<(), String> {
    match value {
        Value::Scalar(number) => match eval.expected.as_slice() {
            [Expected::Number(wanted)] if near(*wanted, *number) => Ok(()),
            _ => Err(format!("gave the number {number}")),
        },
        Value::Text(text) => Err(format!("gave the text {text:?}")),
        Value::Vector(samples) => {
            let found: Vec<(Labels, f64)> = samples
                .iter()
                .map(|one| (one.labels.clone(), one.value))
                .collect();
            compare_vector(eval, &found)
        }
        Value::Matrix(_) => Err("gave a matrix".to_owned()),
    }
}

fn compare_vector(eval: &Eval, found: &[(Labels, f64)]) -> Result<(), String> {
    let gave = || format!("gave {found:?}");
    if found.len() != eval.expected.len() {
        return Err(gave());
    }
    for (at, expected) in eval.expected.iter().enumerate() {
        let Expected::Series(series) = expected else {
            return Err(gave());
        };
        let wanted = series.values.as_ref().and_then(|v| *v.first()?);
        let place = found
            .iter()
            .position(|(labels, _)| *labels == series.labels);
        let in_order = eval.mode != Mode::Ordered || place == Some(at);
        match (place, wanted) {
            (Some(place), Some(wanted)) if in_order && near(wanted, found[place].1) => {}
            _ => {
                return Err(format!(
                    "wanted {} {wanted:?} at {at}, {}",
                    series.labels,
                    gave()
                ));
            }
        }
    }
    Ok(())
}

/// The same query as a range must give at its middle what it gave at the instant.
fn compare_middle(
    instant: &Answer,
    range: Result<Answer, String>,
    at_ms: i64,
) -> Result<(), String> {
    let Value::Matrix(series) = range?.value else {
        return Err("the range gave no matrix".to_owned());
    };
    let middle: Vec<(&Labels, f64)> = series
        .iter()
        .filter_map(|one| {
            let point = one.points.iter().find(|(time, _)| *time == at_ms)?;
            Some((&one.labels, point.1))
        })
        .collect();
    let same = match &instant.value {
        Value::Scalar(number) => matches!(middle.as_slice(), [(_, n)] if near(*number, *n)),
        Value::Vector(samples) => {
            samples.len() == middle.len()
                && samples.iter().all(|one| {
                    let mut found = middle.iter().filter(|(labels, _)| **labels == one.labels);
                    found.any(|(_, value)| near(one.value, *value))
                })
        }
        Value::Text(_) | Value::Matrix(_) => true,
    };
    if same {
        Ok(())
    } else {
        Err(format!("as a range its middle is {middle:?}"))
    }
}

fn compare_matrix(eval: &Eval, value: &Value, start: i64, step: i64) -> Result<(), String> {
    let Value::Matrix(found) = value else {
        return Err("gave no matrix".to_owned());
    };
    if found.len() != eval.expected.len() {
        return Err(format!("gave {found:?}"));
    }
    for expected in &eval.expected {
        let (labels, values) = match expected {
            Expected::Series(series) => (
                series.labels.with(METRIC_NAME, series.labels.metric_name()),
                series.values.clone().unwrap_or_default(),
            ),
            Expected::Number(number) => (Labels::default(), vec![Some(*number)]),
        };
        let mut wanted = Vec::new();
        let mut time_ms = start;
        for value in values {
            wanted.extend(value.map(|value| (time_ms, value)));
            time_ms += step;
        }
        let points = found.iter().find(|one| one.labels == labels);
        let same = points.is_some_and(|one| {
            one.points.len() == wanted.len()
                && one
                    .points
                    .iter()
                    .zip(&wanted)
                    .all(|(a, b)| a.0 == b.0 && near(a.1, b.1))
        });
        if !same {
            return Err(format!("wanted {labels} {wanted:?}, gave {found:?}"));
        }
    }
    Ok(())
}

/// Equal, up to one part in a million.
fn near(a: f64, b: f64) -> bool {
    if a == b || (a.is_nan() && b.is_nan()) {
        return true;
    }
    let difference = (a - b).abs();
    if a == 0.0 || b == 0.0 {
        return difference < 1e-6 * f64::MIN_POSITIVE;
    }
    difference / (a.abs() + b.abs()).min(f64::MAX) < 1e-6
}
