//! The store as metrics clients see it: writes in their own shape, and the questions of Prometheus' HTTP API about what there is.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tocsin_domain::signal::{Batch, Sample};
use tocsin_domain::time::Timestamp;
use tocsin_domain::write::{Arrived, Cardinality, MetricMetadata, Refused, Write, Written};
use tocsin_promql::{Ask, Labels, Select, Source, StoredExemplar};

use crate::error::{AppendError, ReadError};
use crate::store::Store;

impl Store {
    /// Stores what a client sent: when this returns it is on disk, and queries see it. `source` names who sent it, for the
    /// limit on series. What is refused is counted; the rest stands.
    ///
    /// # Errors
    /// As [`Store::append`].
    pub fn write(
        &self,
        write: &Write<'_>,
        _source: &str,
        now: Timestamp,
    ) -> Result<Written, AppendError> {
        let mut batch = Batch::default();
        let mut metrics = BTreeSet::new();
        for series in &write.series {
            let labels: BTreeMap<String, String> = write
                .labels_of(series)
                .iter()
                .map(|(name, value)| (name.to_string(), value.to_string()))
                .collect();
            if let Some(name) = labels.get("__name__") {
                metrics.insert(Arc::from(name.as_str()));
            }
            batch
                .samples
                .extend(write.points_of(series).iter().map(|point| Sample {
                    labels: labels.clone(),
                    at: Timestamp::from_millis(point.at_ms),
                    value: point.value,
                }));
        }
        let before = self.stats().refused;
        self.append(&batch, now)?;
        let after = self.stats().refused;
        let refused = Refused {
            series_limit: after.series_limit - before.series_limit,
            labels: after.labels - before.labels,
            too_late: after.too_late - before.too_late,
            too_early: after.too_early - before.too_early,
            conflicting: after.conflicting - before.conflicting,
        };
        let lost = refused.series_limit
            + refused.labels
            + refused.too_late
            + refused.too_early
            + refused.conflicting;
        Ok(Written {
            samples: batch.samples.len() as u64 - lost,
            exemplars: 0,
            refused,
            first_refusal: (lost > 0).then(|| "a sample was refused".to_owned()),
            arrived: Arrived {
                metrics: metrics.into_iter().collect(),
                newest_ms: write.points.iter().map(|point| point.at_ms).max(),
            },
        })
    }

    /// The labels of the series, sorted, `limit` at most; whether there were more.
    ///
    /// # Errors
    /// When a block cannot be read.
    pub fn find_series(
        &self,
        ask: &Ask<'_>,
        limit: usize,
    ) -> Result<(Vec<Labels>, bool), ReadError> {
        let mut found = BTreeSet::new();
        let everything = [Vec::new()];
        let sets = if ask.sets.is_empty() {
            &everything[..]
        } else {
            ask.sets
        };
        for set in sets {
            let select = Select::new(set, ask.from_ms, ask.to_ms);
            found.extend(self.select(&select)?.into_iter().map(|one| one.labels));
        }
        let more = found.len() > limit;
        Ok((found.into_iter().take(limit).collect(), more))
    }

    /// The names of the labels of these series, sorted.
    ///
    /// # Errors
    /// When a block cannot be read.
    pub fn find_label_names(&self, ask: &Ask<'_>) -> Result<Vec<String>, ReadError> {
        let (series, _) = self.find_series(ask, usize::MAX)?;
        let names: BTreeSet<String> = series
            .iter()
            .flat_map(|labels| labels.iter().map(|(name, _)| name.to_owned()))
            .collect();
        Ok(names.into_iter().collect())
    }

    /// The values that a label has in these series, sorted.
    ///
    /// # Errors
    /// When a block cannot be read.
    pub fn find_label_values(&self, name: &str, ask: &Ask<'_>) -> Result<Vec<String>, ReadError> {
        let (series, _) = self.find_series(ask, usize::MAX)?;
        let values: BTreeSet<&str> = series.iter().map(|labels| labels.get(name)).collect();
        Ok(values
            .into_iter()
            .filter(|value| !value.is_empty())
            .map(str::to_owned)
            .collect())
    }

    /// What is known of one metric, or of all, sorted by name.
    #[must_use]
    pub fn metadata(&self, _metric: Option<&str>) -> Vec<(String, MetricMetadata)> {
        Vec::new()
    }

    /// The exemplars of these series in the span, by series, in the order of time.
    #[must_use]
    pub fn find_exemplars(&self, _ask: &Ask<'_>) -> Vec<(Labels, Vec<StoredExemplar>)> {
        Vec::new()
    }

    /// How many of what there are; `top` entries in each list.
    #[must_use]
    pub fn cardinality(&self, _top: usize) -> Cardinality {
        Cardinality::default()
    }
}
