//! Conditions of a route on labels, as conditions of a rule on fields. A regular expression is carried over when it is a choice
//! of texts, each with `.*` at most at its beginning and its end.

use tocsin_domain::code::{Condition, Operator};
use tocsin_domain::intake::LabelTest;

use super::label_field;
use super::raw::Route;
use crate::alertmanager::written_matchers;

/// Characters that mean something in a regular expression.
const MEANING: &str = "\\.+*?()|[]{}^$";

/// The pattern that any text fits.
const ANYTHING: &str = ".*";

/// All conditions of a route by itself.
pub(super) fn conditions(route: &Route) -> Result<Vec<Condition>, String> {
    let mut found = Vec::new();
    for (label, value) in &route.r#match {
        found.push(equals(label, value));
    }
    for (label, pattern) in &route.match_re {
        found.extend(fits(label, pattern)?);
    }
    for text in &route.matchers {
        for (label, test, value) in written_matchers(text)? {
            found.extend(matcher(&label, test, &value)?);
        }
    }
    Ok(found)
}

/// How many conditions stand in one, with itself, as the core counts them.
pub(super) fn count(condition: &Condition) -> usize {
    let lists = condition.all.iter().chain(&condition.any).flatten();
    let inner = lists.chain(condition.not.as_deref());
    1 + inner.map(count).sum::<usize>()
}

/// None where nothing is asked.
fn matcher(label: &str, test: LabelTest, value: &str) -> Result<Option<Condition>, String> {
    if label.is_empty() {
        return Err("a condition is on a label without a name".to_owned());
    }
    match test {
        LabelTest::Equals => Ok(Some(equals(label, value))),
        LabelTest::Differs => Ok(Some(not(equals(label, value)))),
        LabelTest::Fits => fits(label, value),
        LabelTest::Misfits => match fits(label, value)? {
            Some(condition) => Ok(Some(not(condition))),
            None => Err(format!(
                "no text misfits the pattern {value:?} of {label:?}"
            )),
        },
    }
}

/// A label without a value is one that is not there.
fn equals(label: &str, value: &str) -> Condition {
    if value.is_empty() {
        return not(field(label, Operator::Exists, None));
    }
    field(label, Operator::Equals, Some(value.to_owned()))
}

fn field(label: &str, op: Operator, text: Option<String>) -> Condition {
    Condition {
        field: Some(label_field(label)),
        op: Some(op),
        text,
        ..Condition::default()
    }
}

fn not(condition: Condition) -> Condition {
    Condition {
        not: Some(Box::new(condition)),
        ..Condition::default()
    }
}

/// None where any text fits, and a label that is not there too.
fn fits(label: &str, pattern: &str) -> Result<Option<Condition>, String> {
    let whole = pattern
        .strip_prefix("^")
        .unwrap_or(pattern)
        .trim_end_matches('$');
    let inner = whole
        .strip_prefix("(?:")
        .or_else(|| whole.strip_prefix('('))
        .and_then(|rest| rest.strip_suffix(')'));
    let written: Vec<&str> = inner.unwrap_or(whole).split('|').collect();
    // The others are read all the same: one of them may show that this is no list of choices.
    let choices = written.iter().filter(|choice| **choice != ANYTHING);
    let choices = choices.map(|choice| {
        let one = one_choice(label, choice);
        one.ok_or_else(|| format!("the pattern {pattern:?} of {label:?} cannot be said here"))
    });
    let mut choices = choices.collect::<Result<Vec<_>, _>>()?;
    if written.contains(&ANYTHING) {
        return Ok(None);
    }
    if choices.len() == 1 {
        return Ok(Some(choices.remove(0)));
    }
    Ok(Some(Condition {
        any: Some(choices),
        ..Condition::default()
    }))
}

fn one_choice(label: &str, choice: &str) -> Option<Condition> {
    match choice {
        "" => return Some(equals(label, "")),
        ".+" => return Some(field(label, Operator::Exists, None)),
        _ => {}
    }
    let (open_before, rest) = match choice.strip_prefix(".*") {
        Some(rest) => (true, rest),
        None => (false, choice),
    };
    let (open_after, rest) = match rest.strip_suffix(".*") {
        Some(rest) => (true, rest),
        None => (false, rest),
    };
    let text = literal(rest)?;
    if text.is_empty() {
        // Any text too, but in a way in which nobody says it.
        return None;
    }
    match (open_before, open_after) {
        (false, false) => Some(equals(label, &text)),
        (false, true) => Some(field(label, Operator::StartsWith, Some(text))),
        (true, true) => Some(field(label, Operator::Contains, Some(text))),
        (true, false) if text.contains(['*', '?']) => None,
        (true, false) => Some(field(label, Operator::Matches, Some(format!("*{text}")))),
    }
}

/// The text that a pattern without any choice stands for.
fn literal(pattern: &str) -> Option<String> {
    let mut text = String::new();
    let mut letters = pattern.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => {
                let escaped = letters.next()?;
                if !MEANING.contains(escaped) && escaped != '-' {
                    return None;
                }
                text.push(escaped);
            }
            other if MEANING.contains(other) => return None,
            other => text.push(other),
        }
    }
    Some(text)
}
