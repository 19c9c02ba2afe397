//! The rules that the labels of one series keep; it does not know which format they came in.

use tocsin_domain::write::LabelPair;

/// Labels of one series; more than a store would keep, so that the store's own limit counts the refusal.
pub(crate) const LABELS_MAX: usize = 512;

/// The label that holds the metric's name.
pub(crate) const NAME: &str = "__name__";

/// What is wrong with the labels of a series.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LabelFault {
    /// A series without a metric's name.
    #[error("has no metric name (`__name__`)")]
    NoMetricName,
    /// A label whose name is empty.
    #[error("has a label without a name")]
    EmptyName,
    /// The same name twice.
    #[error("has the label `{0}` twice")]
    Duplicate(String),
    /// More than are read.
    #[error("has more than {0} labels")]
    TooMany(usize),
}

/// Adds a label of the series whose labels begin at `first`, `max` of which are allowed. A label without value is no label.
///
/// # Errors
/// It has no name, or it is one too many.
#[inline]
pub(crate) fn add<'a>(
    labels: &mut Vec<LabelPair<'a>>,
    first: usize,
    max: usize,
    pair: LabelPair<'a>,
) -> Result<(), LabelFault> {
    if pair.0.is_empty() {
        return Err(LabelFault::EmptyName);
    }
    if pair.1.is_empty() {
        return Ok(());
    }
    add_even_empty(labels, first, max, pair)
}

/// The same, with a label without value for one.
///
/// # Errors
/// As [`add`].
#[inline]
pub(crate) fn add_even_empty<'a>(
    labels: &mut Vec<LabelPair<'a>>,
    first: usize,
    max: usize,
    pair: LabelPair<'a>,
) -> Result<(), LabelFault> {
    if pair.0.is_empty() {
        return Err(LabelFault::EmptyName);
    }
    if labels.len() - first >= max {
        return Err(LabelFault::TooMany(max));
    }
    labels.push(pair);
    Ok(())
}

/// Sorts labels by name, where they are not.
///
/// # Errors
/// A name stands twice.
#[inline]
pub(crate) fn settle(labels: &mut [LabelPair<'_>]) -> Result<(), LabelFault> {
    if labels.is_sorted_by(|one, next| is_before(&one.0, &next.0)) {
        return Ok(());
    }
    settle_unsorted(labels)
}

/// Mostly the first bytes tell already.
#[inline]
fn is_before(one: &str, other: &str) -> bool {
    match (one.as_bytes().first(), other.as_bytes().first()) {
        (Some(first), Some(second)) if first != second => first < second,
        (Some(_) | None, Some(_) | None) => one < other,
    }
}

#[cold]
fn settle_unsorted(labels: &mut [LabelPair<'_>]) -> Result<(), LabelFault> {
    labels.sort_by(|one, other| one.0.cmp(&other.0));
    for pair in labels.windows(2) {
        if pair[0].0 == pair[1].0 {
            return Err(LabelFault::Duplicate(pair[0].0.to_string()));
        }
    }
    Ok(())
}

/// Sorts the labels of a series.
///
/// # Errors
/// A name stands twice, or there is no metric's name.
#[inline]
pub(crate) fn settle_series(labels: &mut [LabelPair<'_>]) -> Result<(), LabelFault> {
    settle(labels)?;
    if labels.iter().any(|(name, _)| name == NAME) {
        Ok(())
    } else {
        Err(LabelFault::NoMetricName)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(given: &[(&'static str, &'static str)], expected: Result<&str, LabelFault>) {
        let mut labels = Vec::new();
        let outcome = given
            .iter()
            .try_for_each(|(name, value)| {
                add(
                    &mut labels,
                    0,
                    LABELS_MAX,
                    ((*name).into(), (*value).into()),
                )
            })
            .and_then(|()| settle_series(&mut labels));
        let text: Vec<String> = labels
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        assert_eq!(
            outcome.map(|()| text.join(",")),
            expected.map(str::to_owned)
        );
    }

    #[test]
    fn labels_are_sorted_and_faults_are_told() {
        check(&[("__name__", "up"), ("job", "a")], Ok("__name__=up,job=a"));
        check(&[("job", "a"), ("__name__", "up")], Ok("__name__=up,job=a"));
        check(&[("__name__", "up"), ("A", "a")], Ok("A=a,__name__=up"));
        check(&[("__name__", "up"), ("job", "")], Ok("__name__=up"));
        check(&[("__name__", "")], Err(LabelFault::NoMetricName));
        check(&[], Err(LabelFault::NoMetricName));
        check(&[("", "x")], Err(LabelFault::EmptyName));
        check(
            &[("a", "1"), ("__name__", "up"), ("a", "1")],
            Err(LabelFault::Duplicate("a".to_owned())),
        );
        check(
            &[("__name__", "up"), ("a", "1"), ("a", "2")],
            Err(LabelFault::Duplicate("a".to_owned())),
        );
    }

    #[test]
    fn more_labels_than_the_limit_are_refused() {
        check(
            &[("a", "1"); LABELS_MAX + 1],
            Err(LabelFault::TooMany(LABELS_MAX)),
        );
    }
}
