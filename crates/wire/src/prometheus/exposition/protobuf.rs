//! The exposition of protocol buffers: messages `io.prometheus.client.MetricFamily`, each preceded by its length.
//!
//! Field numbers are those of `prompb/io/prometheus/client/metrics.proto` of Prometheus 3. Histograms and summaries become
//! the series that they are in text; native histograms are counted, not kept.

use std::borrow::Cow;

use tocsin_domain::write::{Exemplar, LabelPair, Metadata, MetricKind, Write};

use super::lines::too_many;
use super::number::bound;
use super::{EXEMPLAR_LABELS_MAX, ExpositionError, LABELS_IN_ALL_MAX, Limits, NAME_BYTES_MAX};
use crate::prometheus::families::describe_once;
use crate::prometheus::labels::{self, LabelFault, NAME};
use crate::prometheus::protobuf::{Field, Fields, ProtobufError};

/// Reads an answer. Samples without a time get `default_at_ms`, milliseconds since the epoch.
///
/// # Errors
/// A message is damaged or of an unknown kind, labels break the rules, or a limit is reached.
pub fn parse(
    messages: &[u8],
    default_at_ms: i64,
    limits: Limits,
) -> Result<Write<'_>, ExpositionError> {
    let mut reading = Reading {
        write: Write::default(),
        limits,
        default_at_ms,
        name_bytes: 0,
    };
    let mut messages = Fields::of(messages);
    let mut count = 0;
    loop {
        let message = messages
            .next_delimited()
            .map_err(|problem| Fault::Malformed(problem).told(count))?;
        let Some(message) = message else {
            break;
        };
        reading.family(message).map_err(|fault| fault.told(count))?;
        count += 1;
    }
    describe_once(&mut reading.write.metadata);
    Ok(reading.write)
}

/// What can be wrong inside a family.
#[derive(Debug)]
enum Fault {
    Malformed(ProtobufError),
    Labels(LabelFault),
    UnknownKind(u64),
    TooMany(&'static str, usize),
}

impl From<ProtobufError> for Fault {
    fn from(problem: ProtobufError) -> Self {
        Self::Malformed(problem)
    }
}

impl From<LabelFault> for Fault {
    fn from(fault: LabelFault) -> Self {
        Self::Labels(fault)
    }
}

impl Fault {
    fn told(self, family: usize) -> ExpositionError {
        match self {
            Self::Malformed(problem) => ExpositionError::Malformed { family, problem },
            Self::Labels(fault) => ExpositionError::FamilyLabels { family, fault },
            Self::UnknownKind(kind) => ExpositionError::UnknownKind { family, kind },
            Self::TooMany(what, limit) => too_many(what, limit),
        }
    }
}

#[derive(Debug)]
struct Reading<'a> {
    write: Write<'a>,
    limits: Limits,
    default_at_ms: i64,
    /// Bytes of the names that were put together.
    name_bytes: usize,
}

/// A metric of a family, as far as all kinds have it.
#[derive(Debug)]
struct Metric<'a> {
    family: &'a str,
    labels: Vec<LabelPair<'a>>,
    at_ms: i64,
    /// The message with its value; its field depends on the kind.
    value: &'a [u8],
}

impl<'a> Reading<'a> {
    fn family(&mut self, message: &'a [u8]) -> Result<(), Fault> {
        let mut described = Metadata {
            metric: Cow::Borrowed(""),
            kind: MetricKind::Counter,
            help: Cow::Borrowed(""),
            unit: Cow::Borrowed(""),
        };
        let mut name = "";
        let mut has_metrics = false;
        let mut fields = Fields::of(message);
        while let Some(field) = fields.next()? {
            match field.number {
                1 => name = field.text()?,
                2 => described.help = Cow::Borrowed(field.text()?),
                3 => described.kind = kind_of(field.unsigned()?)?,
                4 => has_metrics = true,
                5 => described.unit = Cow::Borrowed(field.text()?),
                _ => {}
            }
        }
        if !has_metrics {
            return Ok(());
        }
        if name.is_empty() {
            return Err(Fault::Labels(LabelFault::NoMetricName));
        }
        let kind = described.kind;
        described.metric = Cow::Borrowed(name);
        if self.write.metadata.len() >= self.limits.metadata_max {
            return Err(Fault::TooMany(
                "metrics described",
                self.limits.metadata_max,
            ));
        }
        self.write.metadata.push(described);
        let mut fields = Fields::of(message);
        while let Some(field) = fields.next()? {
            if field.number == 4 {
                self.metric(name, kind, field.bytes()?)?;
            }
        }
        Ok(())
    }

    fn metric(
        &mut self,
        family: &'a str,
        kind: MetricKind,
        message: &'a [u8],
    ) -> Result<(), Fault> {
        let value_field = match kind {
            MetricKind::Gauge => 2,
            MetricKind::Counter => 3,
            MetricKind::Summary => 4,
            MetricKind::Histogram | MetricKind::GaugeHistogram => 7,
            MetricKind::Unknown | MetricKind::Info | MetricKind::StateSet => 5,
        };
        let mut metric = Metric {
            family,
            labels: Vec::new(),
            at_ms: self.default_at_ms,
            value: &[],
        };
        let mut fields = Fields::of(message);
        while let Some(field) = fields.next()? {
            match field.number {
                1 => {
                    let pair = read_label(field.bytes()?)?;
                    self.limits.adding()(&mut metric.labels, 0, labels::LABELS_MAX, pair)?;
                }
                // Zero is not told from no time at all.
                6 => match field.signed()? {
                    0 => {}
                    at_ms => metric.at_ms = at_ms,
                },
                number if number == value_field => metric.value = field.bytes()?,
                _ => {}
            }
        }
        match kind {
            MetricKind::Summary => self.summary(&metric),
            MetricKind::Histogram | MetricKind::GaugeHistogram => self.histogram(&metric),
            MetricKind::Counter
            | MetricKind::Gauge
            | MetricKind::Unknown
            | MetricKind::Info
            | MetricKind::StateSet => self.plain(&metric),
        }
    }

    /// A counter, a gauge or a value of no kind; only a counter has a second field that is an exemplar.
    fn plain(&mut self, metric: &Metric<'a>) -> Result<(), Fault> {
        let (mut value, mut exemplar) = (0.0, None);
        let mut fields = Fields::of(metric.value);
        while let Some(field) = fields.next()? {
            match field.number {
                1 => value = field.double()?,
                2 => exemplar = Some(field.bytes()?),
                _ => {}
            }
        }
        self.series(metric, "", None, value)?;
        self.exemplar(metric, exemplar)
    }

    fn summary(&mut self, metric: &Metric<'a>) -> Result<(), Fault> {
        let (mut count, mut sum) = (0.0, 0.0);
        let mut fields = Fields::of(metric.value);
        while let Some(field) = fields.next()? {
            match field.number {
                1 => count = field.unsigned()? as f64,
                2 => sum = field.double()?,
                _ => {}
            }
        }
        self.series(metric, "_count", None, count)?;
        self.series(metric, "_sum", None, sum)?;
        let mut fields = Fields::of(metric.value);
        while let Some(field) = fields.next()? {
            if field.number == 3 {
                let (quantile, value) = read_quantile(field.bytes()?)?;
                self.series(metric, "", Some(("quantile", quantile)), value)?;
            }
        }
        Ok(())
    }

    fn histogram(&mut self, metric: &Metric<'a>) -> Result<(), Fault> {
        let (mut count, mut count_float, mut sum) = (0.0, 0.0, 0.0);
        let mut is_native = false;
        let mut fields = Fields::of(metric.value);
        while let Some(field) = fields.next()? {
            match field.number {
                1 => count = field.unsigned()? as f64,
                4 => count_float = field.double()?,
                2 => sum = field.double()?,
                _ => is_native |= is_native_part(field)?,
            }
        }
        self.write.histograms_left_out += u64::from(is_native);
        let count = if count_float > 0.0 {
            count_float
        } else {
            count
        };
        self.series(metric, "_count", None, count)?;
        self.series(metric, "_sum", None, sum)?;
        let mut has_last = false;
        let mut fields = Fields::of(metric.value);
        while let Some(field) = fields.next()? {
            if field.number == 3 {
                let bucket = read_bucket(field.bytes()?)?;
                has_last |= bucket.upper_bound == f64::INFINITY;
                let label = Some(("le", bucket.upper_bound));
                self.series(metric, "_bucket", label, bucket.count)?;
                self.exemplar(metric, bucket.exemplar)?;
            }
        }
        if !has_last {
            self.series(metric, "_bucket", Some(("le", f64::INFINITY)), count)?;
        }
        Ok(())
    }

    /// Adds a series with its sample: the metric's labels, and what tells this series from the others of the metric.
    fn series(
        &mut self,
        metric: &Metric<'a>,
        ending: &str,
        label: Option<(&'static str, f64)>,
        value: f64,
    ) -> Result<(), Fault> {
        if self.write.series.len() >= self.limits.samples_max {
            return Err(Fault::TooMany("samples", self.limits.samples_max));
        }
        if self.write.labels.len() > LABELS_IN_ALL_MAX {
            return Err(Fault::TooMany("labels", LABELS_IN_ALL_MAX));
        }
        let name = if ending.is_empty() {
            Cow::Borrowed(metric.family)
        } else {
            self.name_bytes += metric.family.len() + ending.len();
            if self.name_bytes > NAME_BYTES_MAX {
                return Err(Fault::TooMany("bytes in names of series", NAME_BYTES_MAX));
            }
            Cow::Owned(format!("{}{ending}", metric.family))
        };
        let bound = label.map(|(name, at)| (Cow::Borrowed(name), Cow::Owned(bound(at))));
        let own = [(Cow::Borrowed(NAME), name)].into_iter().chain(bound);
        let first = self.write.labels.len();
        self.write.begin(own.chain(metric.labels.iter().cloned()));
        labels::settle(&mut self.write.labels[first..])?;
        self.write.push(metric.at_ms, value);
        Ok(())
    }

    /// Adds an exemplar of the series that was added last.
    fn exemplar(&mut self, metric: &Metric<'a>, message: Option<&'a [u8]>) -> Result<(), Fault> {
        let Some(message) = message else {
            return Ok(());
        };
        if self.write.exemplars.len() >= self.limits.exemplars_max {
            return Err(Fault::TooMany("exemplars", self.limits.exemplars_max));
        }
        let series = self.write.series.len().saturating_sub(1);
        let exemplar = read_exemplar(message, series, metric.at_ms)?;
        self.write.exemplars.push(exemplar);
        Ok(())
    }
}

fn kind_of(number: u64) -> Result<MetricKind, Fault> {
    Ok(match number {
        0 => MetricKind::Counter,
        1 => MetricKind::Gauge,
        2 => MetricKind::Summary,
        3 => MetricKind::Unknown,
        4 => MetricKind::Histogram,
        5 => MetricKind::GaugeHistogram,
        _ => return Err(Fault::UnknownKind(number)),
    })
}

fn read_label(message: &[u8]) -> Result<LabelPair<'_>, ProtobufError> {
    let (mut name, mut value) = ("", "");
    let mut fields = Fields::of(message);
    while let Some(field) = fields.next()? {
        match field.number {
            1 => name = field.text()?,
            2 => value = field.text()?,
            _ => {}
        }
    }
    Ok((Cow::Borrowed(name), Cow::Borrowed(value)))
}

fn read_quantile(message: &[u8]) -> Result<(f64, f64), ProtobufError> {
    let (mut quantile, mut value) = (0.0, 0.0);
    let mut fields = Fields::of(message);
    while let Some(field) = fields.next()? {
        match field.number {
            1 => quantile = field.double()?,
            2 => value = field.double()?,
            _ => {}
        }
    }
    Ok((quantile, value))
}

#[derive(Debug)]
struct Bucket<'a> {
    upper_bound: f64,
    count: f64,
    exemplar: Option<&'a [u8]>,
}

fn read_bucket(message: &[u8]) -> Result<Bucket<'_>, ProtobufError> {
    let mut bucket = Bucket {
        upper_bound: 0.0,
        count: 0.0,
        exemplar: None,
    };
    let mut count_float = 0.0;
    let mut fields = Fields::of(message);
    while let Some(field) = fields.next()? {
        match field.number {
            1 => bucket.count = field.unsigned()? as f64,
            2 => bucket.upper_bound = field.double()?,
            3 => bucket.exemplar = Some(field.bytes()?),
            4 => count_float = field.double()?,
            _ => {}
        }
    }
    if count_float > 0.0 {
        bucket.count = count_float;
    }
    Ok(bucket)
}

/// A width or count of the bucket around zero, or a span of native buckets.
fn is_native_part(field: Field<'_>) -> Result<bool, ProtobufError> {
    Ok(match field.number {
        6 | 8 => field.double()? > 0.0,
        7 => field.unsigned()? > 0,
        9 | 12 => {
            field.bytes()?;
            true
        }
        _ => false,
    })
}

fn read_exemplar(message: &[u8], series: usize, sample_at_ms: i64) -> Result<Exemplar<'_>, Fault> {
    let mut exemplar = Exemplar {
        series,
        labels: Vec::new(),
        at_ms: sample_at_ms,
        value: 0.0,
    };
    let mut fields = Fields::of(message);
    while let Some(field) = fields.next()? {
        match field.number {
            1 => {
                let pair = read_label(field.bytes()?)?;
                labels::add(&mut exemplar.labels, 0, EXEMPLAR_LABELS_MAX, pair)?;
            }
            2 => exemplar.value = field.double()?,
            3 => exemplar.at_ms = read_time(field.bytes()?)?,
            _ => {}
        }
    }
    labels::settle(&mut exemplar.labels)?;
    Ok(exemplar)
}

/// `google.protobuf.Timestamp`, in milliseconds since the epoch.
fn read_time(message: &[u8]) -> Result<i64, ProtobufError> {
    let (mut seconds, mut nanos) = (0, 0);
    let mut fields = Fields::of(message);
    while let Some(field) = fields.next()? {
        match field.number {
            1 => seconds = field.signed()?,
            2 => nanos = field.signed()?,
            _ => {}
        }
    }
    Ok(i64::saturating_mul(seconds, 1_000).saturating_add(nanos / 1_000_000))
}
