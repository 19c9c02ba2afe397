//! The store as clients of metrics protocols write and read it, and who is told of what they wrote. It knows no protocol.

use std::sync::Arc;

use tocsin_domain::write::{Arrived, Cardinality, MetricMetadata, Write, Written};
use tocsin_edge::ports::{Metrics, StorageError};
use tocsin_engine::Clock;
use tocsin_promql::{Ask, Labels, Source, StoredExemplar};
use tocsin_telemetry::{ReadError, Store};

use crate::system::SystemClock;

/// Writes to the store, and tells who waits for samples once they are on disk.
pub(crate) struct Storing<Tell> {
    pub(crate) store: Arc<Store>,
    /// Called on the thread of each write, so it must not take long.
    pub(crate) tell: Tell,
}

fn unreadable(error: &ReadError) -> StorageError {
    StorageError {
        why: error.to_string(),
        disk_full: false,
    }
}

impl<Tell: Fn(&Arrived) + Send + Sync + 'static> Metrics for Storing<Tell> {
    fn write(&self, write: &Write<'_>, source: &str) -> Result<Written, StorageError> {
        let written = self.store.write(write, source, SystemClock.now());
        let written = written.map_err(|error| StorageError {
            why: error.to_string(),
            disk_full: false,
        })?;
        (self.tell)(&written.arrived);
        Ok(written)
    }

    fn source(&self) -> &dyn Source {
        &*self.store
    }

    fn series(&self, ask: &Ask<'_>, limit: usize) -> Result<(Vec<Labels>, bool), StorageError> {
        let found = self.store.find_series(ask, limit);
        found.map_err(|error| unreadable(&error))
    }

    fn label_names(&self, ask: &Ask<'_>) -> Result<Vec<String>, StorageError> {
        let found = self.store.find_label_names(ask);
        found.map_err(|error| unreadable(&error))
    }

    fn label_values(&self, name: &str, ask: &Ask<'_>) -> Result<Vec<String>, StorageError> {
        let found = self.store.find_label_values(name, ask);
        found.map_err(|error| unreadable(&error))
    }

    fn metadata(&self, metric: Option<&str>) -> Vec<(String, MetricMetadata)> {
        self.store.metadata(metric)
    }

    fn exemplars(&self, ask: &Ask<'_>) -> Vec<(Labels, Vec<StoredExemplar>)> {
        self.store.find_exemplars(ask)
    }

    fn cardinality(&self, top: usize) -> Cardinality {
        self.store.cardinality(top)
    }
}
