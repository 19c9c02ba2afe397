//! Tests of scraping: what is stored of an answer, exporters that misbehave, targets that come and go.

mod exporter;
mod hostile;
mod stored;
mod targets;

use std::collections::BTreeMap;
use std::sync::Mutex;

use tocsin_domain::signal::STALE_NAN_BITS;
use tocsin_domain::write::{Cardinality, MetricMetadata, Write, Written};
use tocsin_promql::{Ask, Labels, Select, SeriesData, Source, SourceError, StoredExemplar};
use tocsin_wire::prometheus_scrape::{Job, LabelSet, Populated, Target, populate, read_config};

use crate::ports::{Metrics, StorageError};

/// A store that keeps what is written as text, one line for each sample.
#[derive(Default)]
struct Book {
    lines: Mutex<Vec<String>>,
    /// What writing fails with.
    refuses: Mutex<Option<String>>,
}

impl Book {
    /// What was written since the last call, sorted, without the reports that differ from run to run.
    fn taken(&self) -> Vec<String> {
        let mut lines = std::mem::take(&mut *self.lines.lock().unwrap());
        lines.retain(|line| !line.starts_with("scrape_duration_seconds") || line.contains("stale"));
        lines.sort();
        lines
    }

    /// The same without anything about the scrape itself.
    fn samples(&self) -> Vec<String> {
        let mut lines = self.taken();
        lines.retain(|line| !line.starts_with("scrape_") && !line.starts_with("up{"));
        lines
    }
}

impl Metrics for Book {
    fn write(&self, write: &Write<'_>, _: &str) -> Result<Written, StorageError> {
        if let Some(why) = self.refuses.lock().unwrap().clone() {
            return Err(StorageError {
                why,
                disk_full: false,
            });
        }
        let mut lines = self.lines.lock().unwrap();
        for series in &write.series {
            let labels = write.labels_of(series);
            assert!(labels.is_sorted(), "{labels:?}");
            let mut name = String::new();
            let mut rest = String::new();
            for (label, value) in labels {
                if label == "__name__" {
                    name = value.to_string();
                } else {
                    rest.push_str(&format!(" {label}={value}"));
                }
            }
            for point in write.points_of(series) {
                let value = if point.value.to_bits() == STALE_NAN_BITS {
                    "stale".to_owned()
                } else {
                    point.value.to_string()
                };
                lines.push(format!(
                    "{name}{{{}}} {value} @{}",
                    rest.trim_start(),
                    point.at_ms
                ));
            }
        }
        for metadata in &write.metadata {
            let kind = metadata.kind.word();
            lines.push(format!("# {} {kind} {}", metadata.metric, metadata.help));
        }
        for exemplar in &write.exemplars {
            let series = &write.series[exemplar.series];
            lines.push(format!(
                "! {:?} {}",
                write.labels_of(series)[0].1,
                exemplar.value
            ));
        }
        Ok(Written::default())
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

impl Source for Book {
    fn select(&self, _: &Select<'_>) -> Result<Vec<SeriesData>, SourceError> {
        Ok(Vec::new())
    }
}

/// The only job of a configuration whose job has these further lines (indented by four).
fn job(lines: &str) -> Job {
    let text = format!("scrape_configs:\n  - job_name: web\n{lines}");
    let config = read_config(&text).unwrap_or_else(|fault| panic!("{fault}\n{text}"));
    config.jobs.into_iter().next().unwrap()
}

fn target(job: &Job, address: &str) -> Target {
    match populate(job, address, &LabelSet::default()) {
        Ok(Populated::Kept(target)) => target,
        other => panic!("{other:?}"),
    }
}

/// Values of the reports in what was written, by name.
fn reports(lines: &[String]) -> BTreeMap<String, String> {
    let of = lines.iter().filter_map(|line| {
        let (series, value) = line.split_once("} ")?;
        let (value, _) = value.split_once(" @")?;
        let (name, _) = series.split_once('{')?;
        Some((name.to_owned(), value.to_owned()))
    });
    of.collect()
}
