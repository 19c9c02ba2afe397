//! Functions that change or sort by labels.

use std::cmp::Ordering;

use crate::error::EvalError;
use crate::labels::METRIC_NAME;
use crate::matcher::compile;

use super::Evaluator;
use super::columns::{Row, merge_equal};

impl Evaluator<'_> {
    /// `label_replace(rows, target, template, source, pattern)`.
    pub(super) fn label_replace(
        &mut self,
        mut rows: Vec<Row>,
        [target, template, source, pattern]: [&str; 4],
    ) -> Result<Vec<Row>, EvalError> {
        let pattern = compile(pattern).map_err(|error| EvalError::argument(error.to_string()))?;
        self.check_label_name(target)?;
        let references = template.matches('$').count();
        for row in &mut rows {
            let Some(found) = pattern.captures(row.labels.get(source)) else {
                continue;
            };
            // Each reference stands for a part of the source at most.
            let source_len = row.labels.get(source).len();
            self.pay_for_text(
                template
                    .len()
                    .saturating_add(references.saturating_mul(source_len)),
            )?;
            let mut value = String::new();
            found.expand(template, &mut value);
            set_label(row, target, &value);
        }
        merge_equal(rows)
    }

    /// `label_join(rows, target, separator, sources...)`.
    pub(super) fn label_join(
        &mut self,
        mut rows: Vec<Row>,
        target: &str,
        separator: &str,
        sources: &[&str],
    ) -> Result<Vec<Row>, EvalError> {
        self.check_label_name(target)?;
        for row in &mut rows {
            let values: Vec<&str> = sources.iter().map(|name| row.labels.get(name)).collect();
            let bytes = values.iter().map(|value| value.len() + separator.len());
            self.pay_for_text(bytes.sum())?;
            let value = values.join(separator);
            set_label(row, target, &value);
        }
        merge_equal(rows)
    }

    /// Accounts for text of so many bytes before it is made, since it can grow by each function that wraps another: it takes memory
    /// as values do.
    fn pay_for_text(&mut self, bytes: usize) -> Result<(), EvalError> {
        let paid = self.budget.spend(bytes.div_ceil(size_of::<f64>()));
        paid.map_err(
            |error| match matches!(error, EvalError::TooManySamples { .. }) {
                true => EvalError::argument("the labels that it makes are too long in all"),
                false => error,
            },
        )
    }

    /// Refuses what is no name of a label.
    pub(super) fn check_label_name(&self, name: &str) -> Result<(), EvalError> {
        if name.is_empty() {
            return Err(EvalError::argument("a label's name must not be empty"));
        }
        let starts_well = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        let goes_well = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if self.limits.legacy_label_names && !(starts_well && goes_well) {
            return Err(EvalError::argument(format!(
                "{name:?} is no name of a label: letters, digits and _ are allowed"
            )));
        }
        Ok(())
    }
}

fn set_label(row: &mut Row, target: &str, value: &str) {
    row.labels = row.labels.with(target, value);
    if target == METRIC_NAME {
        // A name that was just given is not the one that was to be dropped.
        row.drop_name = false;
    }
}

/// Sorts by the values of labels, digits in them compared as numbers; ties by all labels.
pub(super) fn sort_by_labels(rows: &mut [Row], names: &[&str], descending: bool) {
    rows.sort_by(|a, b| {
        let by_names = names
            .iter()
            .map(|name| natural(a.labels.get(name), b.labels.get(name)))
            .find(|order| order.is_ne())
            .unwrap_or_else(|| a.labels.cmp(&b.labels));
        if descending {
            by_names.reverse()
        } else {
            by_names
        }
    });
}

/// Compares texts so that `node2` comes before `node10`.
fn natural(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a, b);
    loop {
        let (number_a, rest_a) = split_digits(a);
        let (number_b, rest_b) = split_digits(b);
        if !number_a.is_empty() && !number_b.is_empty() {
            let trimmed = (
                number_a.trim_start_matches('0'),
                number_b.trim_start_matches('0'),
            );
            let order = (trimmed.0.len(), trimmed.0).cmp(&(trimmed.1.len(), trimmed.1));
            if order.is_ne() {
                return order;
            }
            (a, b) = (rest_a, rest_b);
            continue;
        }
        let (mut chars_a, mut chars_b) = (a.chars(), b.chars());
        match (chars_a.next(), chars_b.next()) {
            (None, None) => return Ordering::Equal,
            (one, other) if one != other => return one.cmp(&other),
            _ => (a, b) = (chars_a.as_str(), chars_b.as_str()),
        }
    }
}

fn split_digits(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit());
    text.split_at(end.unwrap_or(text.len()))
}
