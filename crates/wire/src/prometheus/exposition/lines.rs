//! The lines that both text formats share: the series with its labels, and what is said of a metric.

use std::borrow::Cow;

use tocsin_domain::write::{Metadata, MetricKind, Point, Write, WrittenSeries};

use super::scan::Scanner;
use super::{ExpositionError, Limits, braces, number};
use crate::prometheus::families::{describe_once, family_of};
use crate::prometheus::labels::{self, NAME};

/// What was read so far.
#[derive(Debug)]
pub(super) struct Reading<'a> {
    pub(super) write: Write<'a>,
    pub(super) limits: Limits,
    /// The metric that was described last: its name and kind.
    family: (Cow<'a, str>, MetricKind),
}

impl<'a> Reading<'a> {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            write: Write::default(),
            limits,
            family: (Cow::Borrowed(""), MetricKind::Unknown),
        }
    }

    /// What was read, each metric described once.
    pub(super) fn end(mut self) -> Write<'a> {
        describe_once(&mut self.write.metadata);
        self.write
    }

    /// Reads the name and the labels that a line begins with, and begins their series.
    pub(super) fn series(&mut self, scanner: &mut Scanner<'a>) -> Result<(), ExpositionError> {
        let line = scanner.line();
        let told = |fault| ExpositionError::Labels { line, fault };
        if self.write.series.len() >= self.limits.samples_max {
            return Err(too_many("samples", self.limits.samples_max));
        }
        let (labels_first, points_first) = (self.write.labels.len(), self.write.points.len());
        let name = scanner.metric_name();
        let named = !name.is_empty();
        if named {
            let pair = (Cow::Borrowed(NAME), Cow::Borrowed(name));
            self.write.labels.push(pair);
            scanner.skip_blanks();
        } else if scanner.peek() != Some(b'{') {
            return Err(scanner.unexpected("a metric's name or `#`"));
        }
        if scanner.eat("{") {
            let all = &mut self.write.labels;
            let max = labels::LABELS_MAX;
            let add = self.limits.adding();
            let found = braces::read(scanner, all, (labels_first, max), !named, add)?;
            if let Some(metric) = found.metric {
                let pair = (Cow::Borrowed(NAME), metric);
                labels::add(all, labels_first, max, pair).map_err(told)?;
            }
        }
        self.normalise_bounds(labels_first);
        labels::settle_series(&mut self.write.labels[labels_first..]).map_err(told)?;
        self.write.series.push(WrittenSeries {
            spelling: &[],
            labels: labels_first..self.write.labels.len(),
            points: points_first..points_first,
        });
        Ok(())
    }

    /// Adds the sample of the series that was begun last.
    pub(super) fn sample(&mut self, point: Point) {
        self.write.push(point.at_ms, point.value);
    }

    /// Writes the bound of a bucket and a quantile in one way, whichever way the exporter does.
    fn normalise_bounds(&mut self, labels_first: usize) {
        let (family, kind) = &self.family;
        let label = match kind {
            MetricKind::Histogram => "le",
            MetricKind::Summary => "quantile",
            MetricKind::Unknown
            | MetricKind::Counter
            | MetricKind::Gauge
            | MetricKind::GaugeHistogram
            | MetricKind::Info
            | MetricKind::StateSet => return,
        };
        let labels = &mut self.write.labels[labels_first..];
        let belongs = labels
            .iter()
            .any(|(name, value)| name == NAME && family_of(value, *kind) == family);
        if !belongs {
            return;
        }
        for (_, value) in labels.iter_mut().filter(|(name, _)| name == label) {
            if let Some(bound) = number::float(value).map(number::bound)
                && bound != *value
            {
                *value = Cow::Owned(bound);
            }
        }
    }

    /// The name of the metric that a line of metadata is about.
    pub(super) fn described_name(
        scanner: &mut Scanner<'a>,
    ) -> Result<Cow<'a, str>, ExpositionError> {
        if scanner.peek() == Some(b'"') {
            return scanner.quoted("a metric's name");
        }
        match scanner.metric_name() {
            "" => Err(scanner.unexpected("a metric's name")),
            name => Ok(Cow::Borrowed(name)),
        }
    }

    /// Says something of a metric.
    pub(super) fn describe(
        &mut self,
        metric: Cow<'a, str>,
        say: impl FnOnce(&mut Metadata<'a>),
    ) -> Result<(), ExpositionError> {
        let metadata = &mut self.write.metadata;
        if metadata.last().is_none_or(|last| last.metric != metric) {
            if metadata.len() >= self.limits.metadata_max {
                return Err(too_many("metrics described", self.limits.metadata_max));
            }
            metadata.push(Metadata {
                metric,
                kind: MetricKind::Unknown,
                help: Cow::Borrowed(""),
                unit: Cow::Borrowed(""),
            });
        }
        if let Some(last) = metadata.last_mut() {
            say(last);
            self.family = (last.metric.clone(), last.kind);
        }
        Ok(())
    }
}

/// A limit was reached.
pub(super) const fn too_many(what: &'static str, limit: usize) -> ExpositionError {
    ExpositionError::TooMany { what, limit }
}

/// Reads a sample's value.
pub(super) fn value(scanner: &mut Scanner<'_>) -> Result<f64, ExpositionError> {
    let start = *scanner;
    number::float(scanner.word()).ok_or_else(|| start.unexpected("a number as value"))
}
