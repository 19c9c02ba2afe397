//! The labels that a scraped series is stored with: the exporter's, the target's, then relabelling, then the limits. It knows
//! neither values nor times.

use super::config::{Job, Limits, Names};
use super::labels::LabelSet;
use super::relabel::{is_legacy_name, relabel};

const NAME: &str = "__name__";
const EXPORTED: &str = "exported_";

/// Characters of a name or a value that are repeated in an error.
const SHOWN_CHARS_MAX: usize = 50;

/// Why a scrape fails for the labels of one of its series.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LabelLimitFault {
    /// Relabelling took the metric's name away.
    #[error("a series has no metric name after relabelling: {0}")]
    NoName(String),
    /// A name that the job's validation scheme does not allow.
    #[error(
        "{0:?} is no valid name; names beyond letters, digits and _ need metric_name_validation_scheme: utf8"
    )]
    BadName(String),
    /// More labels than allowed.
    #[error("the metric {metric:?} has {count} labels; label_limit is {limit}")]
    TooMany {
        /// Its name.
        metric: String,
        /// How many it has.
        count: u64,
        /// How many are allowed.
        limit: u64,
    },
    /// A name that is too long.
    #[error(
        "the metric {metric:?} has the label {label:?} of {bytes} bytes; label_name_length_limit is {limit}"
    )]
    NameTooLong {
        /// The metric's name.
        metric: String,
        /// The beginning of the label's.
        label: String,
        /// Its length.
        bytes: u64,
        /// What is allowed.
        limit: u64,
    },
    /// A value that is too long.
    #[error(
        "the metric {metric:?} has the label {label:?} with a value of {bytes} bytes; label_value_length_limit is {limit}"
    )]
    ValueTooLong {
        /// The metric's name.
        metric: String,
        /// The label's name.
        label: String,
        /// The value's length.
        bytes: u64,
        /// What is allowed.
        limit: u64,
    },
}

/// The labels of a series that a target exposes; none when relabelling drops it. `exposed` may have empty values: such a label
/// keeps the target's away where the exporter's labels are honoured.
///
/// # Errors
/// The whole scrape is to fail, and why.
pub fn series_labels<'a>(
    job: &Job,
    target: &LabelSet,
    exposed: impl Iterator<Item = (&'a str, &'a str)> + Clone,
) -> Result<Option<LabelSet>, LabelLimitFault> {
    let mut labels: LabelSet = exposed.clone().collect();
    if job.honor_labels {
        for (name, value) in target.iter() {
            if !exposed.clone().any(|(exposed, _)| exposed == name) {
                labels.set(name, value);
            }
        }
    } else {
        put_target_first(&mut labels, target);
    }
    if !relabel(&mut labels, &job.metric_relabel) || labels.is_empty() {
        return Ok(None);
    }
    check_names(&labels, job.names)?;
    check_limits(&labels, &job.limits)?;
    Ok(Some(labels))
}

/// The target's labels replace the exporter's, which live on under a longer name.
fn put_target_first(labels: &mut LabelSet, target: &LabelSet) {
    let mut displaced = Vec::new();
    for (name, value) in target.iter() {
        let before = labels.get(name);
        if !before.is_empty() {
            displaced.push((name, before.to_owned()));
        }
        labels.set(name, value);
    }
    // The shortest first, so that exported_x of x comes before that of exported_x.
    displaced.sort_by_key(|(name, _)| name.len());
    for (name, value) in displaced {
        let mut free = format!("{EXPORTED}{name}");
        while !labels.get(&free).is_empty() {
            free.insert_str(0, EXPORTED);
        }
        labels.set(&free, value);
    }
}

fn check_names(labels: &LabelSet, names: Names) -> Result<(), LabelLimitFault> {
    let metric = labels.get(NAME);
    if metric.is_empty() {
        return Err(LabelLimitFault::NoName(shown(&labels.to_string())));
    }
    match names {
        Names::Utf8 => Ok(()),
        Names::Legacy => {
            let bad_label = labels
                .iter()
                .map(|(name, _)| name)
                .find(|name| !is_legacy_name(name));
            let bad_metric = (!is_legacy_name(&metric.replace(':', "_"))).then_some(metric);
            match bad_metric.or(bad_label) {
                None => Ok(()),
                Some(bad) => Err(LabelLimitFault::BadName(shown(bad))),
            }
        }
    }
}

fn check_limits(labels: &LabelSet, limits: &Limits) -> Result<(), LabelLimitFault> {
    let metric = || shown(labels.get(NAME));
    let exceeds = |count: u64, limit: u64| limit > 0 && count > limit;
    let count = labels.len() as u64;
    if exceeds(count, limits.labels) {
        return Err(LabelLimitFault::TooMany {
            metric: metric(),
            count,
            limit: limits.labels,
        });
    }
    for (name, value) in labels.iter() {
        let (name_bytes, value_bytes) = (name.len() as u64, value.len() as u64);
        if exceeds(name_bytes, limits.label_name_bytes) {
            return Err(LabelLimitFault::NameTooLong {
                metric: metric(),
                label: shown(name),
                bytes: name_bytes,
                limit: limits.label_name_bytes,
            });
        }
        if exceeds(value_bytes, limits.label_value_bytes) {
            return Err(LabelLimitFault::ValueTooLong {
                metric: metric(),
                label: shown(name),
                bytes: value_bytes,
                limit: limits.label_value_bytes,
            });
        }
    }
    Ok(())
}

fn shown(text: &str) -> String {
    text.chars().take(SHOWN_CHARS_MAX).collect()
}
