//! From one answer of an exporter, or its failure, to what is written: samples, reports about the scrape, ends of series. It
//! fetches nothing; it blocks while it writes.

use std::borrow::Cow;
use std::io::Read;
use std::time::{Duration, Instant};

use flate2::read::MultiGzDecoder;
use tocsin_domain::signal::STALE_NAN_BITS;
use tocsin_domain::write::{Exemplar, LabelPair, Metadata, MetricMetadata, Write};
use tocsin_wire::prometheus::exposition::{self, Limits};
use tocsin_wire::prometheus_scrape::{Job, LabelSet, Protocol, Target, format_of};

use super::client::Fetched;
use super::failure::Failure;
use super::memory::{Matched, Memory};
use crate::ports::Metrics;

/// Samples of one answer at most, whatever the configuration says.
const SAMPLES_MAX: usize = 1_000_000;
/// Series about each scrape.
const REPORTS: [&str; 5] = [
    "up",
    "scrape_duration_seconds",
    "scrape_samples_scraped",
    "scrape_samples_post_metric_relabeling",
    "scrape_series_added",
];
/// Further ones, where the job wants them.
const EXTRA_REPORTS: [&str; 3] = [
    "scrape_timeout_seconds",
    "scrape_sample_limit",
    "scrape_body_size_bytes",
];

/// One scrape of one target.
pub(super) struct Scrape<'a> {
    pub(super) job: &'a Job,
    pub(super) target: &'a Target,
    /// The time of its samples, milliseconds since the epoch.
    pub(super) at_ms: i64,
    /// When it began.
    pub(super) begun: Instant,
    /// The largest answer that is taken, bytes.
    pub(super) body_bytes_max: u64,
}

/// How a scrape went.
#[derive(Debug, Default)]
pub(super) struct Done {
    /// Why it failed.
    pub(super) failure: Option<Failure>,
    /// The first sample that the store did not take, and why.
    pub(super) refused: Option<String>,
    /// How long all of it took.
    pub(super) took: Duration,
}

/// What is counted about a scrape.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    scraped: usize,
    kept: usize,
    added: usize,
    /// Minus one when it was too large.
    body_bytes: i64,
}

impl Scrape<'_> {
    /// Stores an answer, or that there was none.
    pub(super) fn finish(
        &self,
        fetched: Result<Fetched, Failure>,
        memory: &mut Memory,
        metrics: &dyn Metrics,
    ) -> Done {
        let mut counts = Counts::default();
        let (failure, refused) = match self.store_answer(fetched, memory, metrics, &mut counts) {
            Ok(refused) => (None, refused),
            // Nothing is known to have ended; the next scrape stores what it can.
            Err(failure @ Failure::NotStored(_)) => (Some(failure), None),
            Err(failure) => match self.store_failure(memory, metrics, counts) {
                Ok(refused) => (Some(failure), refused),
                Err(not_stored) => (Some(not_stored), None),
            },
        };
        Done {
            failure,
            refused,
            took: self.begun.elapsed(),
        }
    }

    fn store_answer(
        &self,
        fetched: Result<Fetched, Failure>,
        memory: &mut Memory,
        metrics: &dyn Metrics,
        counts: &mut Counts,
    ) -> Result<Option<String>, Failure> {
        let fetched = fetched.inspect_err(|failure| counts.note_size(failure))?;
        let format = format_of(fetched.content_type.as_deref(), self.job.fallback_protocol)
            .map_err(|error| Failure::Unreadable(error.to_string()))?;
        let body = unpacked(fetched, self.body_bytes_max)
            .inspect_err(|failure| counts.note_size(failure))?;
        counts.body_bytes = i64::try_from(body.len()).unwrap_or(i64::MAX);
        let mut answer = read(format, &body, self.at_ms)?;
        counts.scraped = answer.points.len();
        if !self.job.honor_timestamps {
            for point in &mut answer.points {
                point.at_ms = self.at_ms;
            }
        }
        let (matched, labelled) = memory.matched(self.job, &self.target.labels, &answer);
        counts.kept = matched.kept();
        counts.added = matched.added;
        let limit = self.job.limits.samples;
        let checked =
            labelled
                .map_err(|fault| fault.to_string())
                .and_then(|()| match counts.kept as u64 {
                    kept if limit > 0 && kept > limit => Err(format!(
                        "{kept} samples are left after relabelling; sample_limit is {limit}"
                    )),
                    _ => Ok(()),
                });
        if let Err(why) = checked {
            memory.restore(matched);
            return Err(Failure::Limit(why));
        }
        let metadata = described(&answer);
        let mut write = self.joined(&matched, &answer);
        if metadata != memory.metadata {
            write.metadata.clone_from(&answer.metadata);
        }
        for labels in memory.vanished(&matched) {
            end(&mut write, labels, self.at_ms);
        }
        let reports = self.reports(true, *counts);
        put_reports(&mut write, &reports, self.at_ms);
        let written = metrics.write(&write, &self.source());
        drop(write);
        match written {
            Ok(written) => {
                memory.metadata = metadata;
                memory.keep(matched, |place| self.ends(&answer, place));
                Ok(written.first_refusal)
            }
            Err(error) => {
                memory.restore(matched);
                Err(Failure::NotStored(error.why))
            }
        }
    }

    /// Stores that the scrape failed, and that every series of the target has ended.
    fn store_failure(
        &self,
        memory: &mut Memory,
        metrics: &dyn Metrics,
        counts: Counts,
    ) -> Result<Option<String>, Failure> {
        let mut write = Write::default();
        for labels in memory.alive() {
            end(&mut write, labels, self.at_ms);
        }
        let reports = self.reports(false, counts);
        put_reports(&mut write, &reports, self.at_ms);
        let written = metrics
            .write(&write, &self.source())
            .map_err(|error| Failure::NotStored(error.why))?;
        drop(write);
        memory.end_all();
        Ok(written.first_refusal)
    }

    /// The samples of an answer under the labels that they are stored with.
    fn joined<'w>(&self, matched: &'w Matched, answer: &Write<'w>) -> Write<'w> {
        let mut write = Write::default();
        write.points.reserve(answer.points.len() + REPORTS.len());
        // Where a series of the answer is in what is written.
        let mut places = vec![None; answer.series.len()];
        for (place, (entry, series)) in matched.entries.iter().zip(&answer.series).enumerate() {
            let Some(labels) = &entry.labels else {
                continue;
            };
            places[place] = Some(write.series.len());
            write.begin(borrowed(labels));
            for point in answer.points_of(series) {
                write.push(point.at_ms, point.value);
            }
        }
        let exemplars = answer.exemplars.iter().filter_map(|exemplar| {
            Some(Exemplar {
                series: (*places.get(exemplar.series)?)?,
                ..exemplar.clone()
            })
        });
        write.exemplars = exemplars.collect();
        write.histograms_left_out = answer.histograms_left_out;
        write
    }

    /// Whether a series ends when it is no longer exposed: one with times of the exporter's only where the job says so.
    fn ends(&self, answer: &Write<'_>, place: usize) -> bool {
        let Some(series) = answer.series.get(place) else {
            return false;
        };
        self.job.track_timestamps_staleness
            || answer
                .points_of(series)
                .iter()
                .all(|point| point.at_ms == self.at_ms)
    }

    fn reports(&self, is_up: bool, counts: Counts) -> Vec<(LabelSet, f64)> {
        let values = [
            f64::from(u8::from(is_up)),
            self.begun.elapsed().as_secs_f64(),
            float(counts.scraped),
            float(counts.kept),
            float(counts.added),
        ];
        #[expect(
            clippy::cast_precision_loss,
            reason = "limits and sizes beyond 2^53 do not occur"
        )]
        let extra = [
            self.target.timeout.ms as f64 / 1_000.0,
            self.job.limits.samples as f64,
            counts.body_bytes as f64,
        ];
        let mut reports: Vec<(LabelSet, f64)> = Vec::new();
        let mut add = |name: &str, value: f64| {
            let mut labels = self.target.labels.clone();
            labels.set("__name__", name);
            reports.push((labels, value));
        };
        for (name, value) in REPORTS.into_iter().zip(values) {
            add(name, value);
        }
        if self.job.extra_metrics {
            for (name, value) in EXTRA_REPORTS.into_iter().zip(extra) {
                add(name, value);
            }
        }
        reports
    }

    /// Who sends these samples, for the store's limit on series.
    fn source(&self) -> String {
        source(self.job, self.target)
    }
}

/// Ends every series of a target that is scraped no more, those about its scrapes too.
///
/// # Errors
/// It is not on disk.
pub(super) fn end_target(
    job: &Job,
    target: &Target,
    series: &[LabelSet],
    at_ms: i64,
    metrics: &dyn Metrics,
) -> Result<(), Failure> {
    let mut names: Vec<&str> = REPORTS.to_vec();
    if job.extra_metrics {
        names.extend(EXTRA_REPORTS);
    }
    let reports: Vec<LabelSet> = names
        .into_iter()
        .map(|name| {
            let mut labels = target.labels.clone();
            labels.set("__name__", name);
            labels
        })
        .collect();
    let mut write = Write::default();
    for labels in series.iter().chain(&reports) {
        end(&mut write, labels, at_ms);
    }
    let written = metrics.write(&write, &source(job, target));
    written.map_err(|error| Failure::NotStored(error.why))?;
    Ok(())
}

fn source(job: &Job, target: &Target) -> String {
    format!("scrape {} {}", job.name, target.labels.get("instance"))
}

impl Counts {
    fn note_size(&mut self, failure: &Failure) {
        if matches!(failure, Failure::TooLarge(_)) {
            self.body_bytes = -1;
        }
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "an answer has far less than 2^53 samples"
)]
fn float(count: usize) -> f64 {
    count as f64
}

fn put_reports<'w>(write: &mut Write<'w>, reports: &'w [(LabelSet, f64)], at_ms: i64) {
    for (labels, value) in reports {
        write.begin(borrowed(labels));
        write.push(at_ms, *value);
    }
}

fn end<'w>(write: &mut Write<'w>, labels: &'w LabelSet, at_ms: i64) {
    write.begin(borrowed(labels));
    write.push(at_ms, f64::from_bits(STALE_NAN_BITS));
}

fn borrowed(labels: &LabelSet) -> impl Iterator<Item = LabelPair<'_>> {
    labels
        .iter()
        .map(|(name, value)| (Cow::Borrowed(name), Cow::Borrowed(value)))
}

/// The whole answer, at most `bytes_max` of it.
fn unpacked(fetched: Fetched, bytes_max: u64) -> Result<Vec<u8>, Failure> {
    if !fetched.gzip {
        return Ok(fetched.body);
    }
    let mut body = Vec::new();
    let mut limited = MultiGzDecoder::new(fetched.body.as_slice()).take(bytes_max + 1);
    let read = limited.read_to_end(&mut body);
    read.map_err(|error| Failure::Packed(error.to_string()))?;
    if body.len() as u64 > bytes_max {
        return Err(Failure::TooLarge(bytes_max));
    }
    Ok(body)
}

fn read(format: Protocol, body: &[u8], at_ms: i64) -> Result<Write<'_>, Failure> {
    let limits = Limits {
        samples_max: SAMPLES_MAX,
        empty_labels: true,
        ..Limits::default()
    };
    let text = || {
        std::str::from_utf8(body)
            .map_err(|_| Failure::Unreadable("the answer is no UTF-8 text".to_owned()))
    };
    let read = match format {
        Protocol::Protobuf => exposition::protobuf::parse(body, at_ms, limits),
        Protocol::OpenMetrics0 | Protocol::OpenMetrics1 => {
            exposition::openmetrics::parse(text()?, at_ms, limits)
        }
        Protocol::Text0 | Protocol::Text1 => exposition::text::parse(text()?, at_ms, limits),
    };
    read.map_err(|error| Failure::Unreadable(error.to_string()))
}

fn described(answer: &Write<'_>) -> Vec<(String, MetricMetadata)> {
    let told = |one: &Metadata<'_>| {
        let metadata = MetricMetadata {
            kind: one.kind,
            help: one.help.to_string(),
            unit: one.unit.to_string(),
        };
        (one.metric.to_string(), metadata)
    };
    let mut all: Vec<(String, MetricMetadata)> = answer.metadata.iter().map(told).collect();
    all.sort_by(|one, other| one.0.cmp(&other.0));
    all
}
