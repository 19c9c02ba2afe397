//! A store of metrics that holds nothing and takes everything.

use tocsin_domain::write::{Cardinality, MetricMetadata, Write, Written};
use tocsin_edge::ports::{Metrics, StorageError};
use tocsin_promql::{Ask, Labels, Source, StoredExemplar};

use crate::fakes::NoSeries;

impl Metrics for NoSeries {
    fn write(&self, write: &Write<'_>, _source: &str) -> Result<Written, StorageError> {
        Ok(Written {
            samples: write.points.len() as u64,
            ..Written::default()
        })
    }

    fn source(&self) -> &dyn Source {
        self
    }

    fn series(&self, _: &Ask<'_>, _: usize) -> Result<(Vec<Labels>, bool), StorageError> {
        Ok((Vec::new(), false))
    }

    fn label_names(&self, _: &Ask<'_>) -> Result<Vec<String>, StorageError> {
        Ok(Vec::new())
    }

    fn label_values(&self, _: &str, _: &Ask<'_>) -> Result<Vec<String>, StorageError> {
        Ok(Vec::new())
    }

    fn metadata(&self, _: Option<&str>) -> Vec<(String, MetricMetadata)> {
        Vec::new()
    }

    fn exemplars(&self, _: &Ask<'_>) -> Vec<(Labels, Vec<StoredExemplar>)> {
        Vec::new()
    }

    fn cardinality(&self, _: usize) -> Cardinality {
        Cardinality::default()
    }
}
