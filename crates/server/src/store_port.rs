//! The store as the sockets want it.

use std::sync::Arc;

use tocsin_domain::id::TargetId;
use tocsin_domain::learn::requests::{RequestLog, RequestLogBuilder};
use tocsin_domain::signal::{Fact, LogLine, LogRecord};
use tocsin_domain::time::Timestamp;
use tocsin_edge::ports::{Answer, LogKind, QueryError, Series, StorageError, Telemetry};
use tocsin_promql::{EvalError, Limits, Query, Value};
use tocsin_telemetry::{ReadError, Refused, Store};

/// The time one query may take.
const QUERY_TIME: std::time::Duration = std::time::Duration::from_secs(20);

/// Asks the store.
pub(crate) struct Asking(pub(crate) Arc<Store>);

impl Asking {
    fn ask(
        &self,
        expr: &str,
        run: impl FnOnce(&Query, &Store, &Limits<'_>) -> Result<tocsin_promql::Answer, EvalError>,
    ) -> Result<Value, QueryError> {
        let query = Query::parse(expr).map_err(|error| QueryError::Wrong(error.to_string()))?;
        let begun = std::time::Instant::now();
        let cancelled = move || begun.elapsed() > QUERY_TIME;
        let limits = Limits {
            cancelled: Some(&cancelled),
            ..Limits::default()
        };
        let answer = run(&query, &self.0, &limits).map_err(|error| failed(&error))?;
        Ok(answer.value)
    }
}

fn failed(error: &EvalError) -> QueryError {
    match error {
        EvalError::Source(_) => QueryError::Failed(error.to_string()),
        EvalError::TooManySamples { .. }
        | EvalError::TooManySteps { .. }
        | EvalError::Cancelled => QueryError::TooMuch(error.to_string()),
        EvalError::BadRange { .. }
        | EvalError::DuplicateSeries { .. }
        | EvalError::Matching { .. }
        | EvalError::BadArgument { .. } => QueryError::Wrong(error.to_string()),
        // The enum of the language's crate is `non_exhaustive`, so the compiler asks for this; it may learn further ways to fail.
        _ => QueryError::Failed(error.to_string()),
    }
}

fn answer(value: Value, at: Timestamp) -> Answer {
    let at_ms = at.as_millis();
    match value {
        Value::Scalar(value) => Answer::Scalar(at_ms, value),
        Value::Text(text) => Answer::Text(at_ms, text),
        Value::Vector(samples) => Answer::Vector(
            samples
                .into_iter()
                .map(|sample| Series {
                    labels: sample.labels.to_map(),
                    points: vec![(at_ms, sample.value)],
                })
                .collect(),
        ),
        Value::Matrix(series) => Answer::Matrix(
            series
                .into_iter()
                .map(|one| Series {
                    labels: one.labels.to_map(),
                    points: one.points,
                })
                .collect(),
        ),
    }
}

fn storage(error: &ReadError) -> StorageError {
    StorageError {
        why: error.to_string(),
        disk_full: false,
    }
}

/// The requests that a target's access log tells of in a half-open span. Only what is counted is kept in memory.
pub(crate) fn request_log(
    store: &Store,
    target: TargetId,
    from: Timestamp,
    until: Timestamp,
) -> Result<RequestLog, ReadError> {
    let mut requests = RequestLogBuilder::default();
    store.each_log(target, from, until, &mut |record| {
        if record.at < until {
            requests.add(&record);
        }
        true
    })?;
    Ok(requests.finish())
}

#[expect(
    clippy::cast_precision_loss,
    reason = "metrics are floats; counts beyond 2^53 do not occur"
)]
fn refusals(refused: &Refused) -> [(&'static str, &'static str, f64); 5] {
    let number = |count: u64| count as f64;
    [
        (
            "tocsin_store_refused_series_limit",
            "Samples refused since their source, or the store, has as many series as it may.",
            number(refused.series_limit),
        ),
        (
            "tocsin_store_refused_labels",
            "Samples refused for their labels.",
            number(refused.labels),
        ),
        (
            "tocsin_store_refused_too_late",
            "Samples refused since they were too old.",
            number(refused.too_late),
        ),
        (
            "tocsin_store_refused_too_early",
            "Samples refused since they were too far ahead of now.",
            number(refused.too_early),
        ),
        (
            "tocsin_store_refused_conflicting",
            "Samples refused since another value stood at their instant.",
            number(refused.conflicting),
        ),
    ]
}

impl Telemetry for Asking {
    fn query(&self, expr: &str, at: Timestamp) -> Result<Answer, QueryError> {
        let value = self.ask(expr, |query, store, limits| {
            query.instant(store, at.as_millis(), limits)
        })?;
        Ok(answer(value, at))
    }

    fn query_range(
        &self,
        expr: &str,
        start: Timestamp,
        end: Timestamp,
        step_ms: u64,
    ) -> Result<Answer, QueryError> {
        let step_ms = i64::try_from(step_ms).unwrap_or(i64::MAX);
        let value = self.ask(expr, |query, store, limits| {
            query.range(store, start.as_millis(), end.as_millis(), step_ms, limits)
        })?;
        Ok(answer(value, end))
    }

    fn facts(
        &self,
        target: TargetId,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<Fact>, StorageError> {
        let facts = self
            .0
            .facts(target, from, until)
            .map_err(|error| storage(&error))?;
        Ok(facts.into_iter().filter(|fact| fact.at < until).collect())
    }

    fn requests(
        &self,
        target: TargetId,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<RequestLog, StorageError> {
        request_log(&self.0, target, from, until).map_err(|error| storage(&error))
    }

    fn logs(
        &self,
        target: TargetId,
        kind: LogKind,
        from: Timestamp,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<LogRecord>, StorageError> {
        let mut newest = std::collections::VecDeque::with_capacity(limit.min(1_024));
        let wanted = |record: &LogRecord| match (&record.line, kind) {
            (LogLine::Access { own_probe, .. }, LogKind::Access) => !own_probe && record.at < until,
            (LogLine::Error { .. }, LogKind::Error) => record.at < until,
            (LogLine::Access { .. } | LogLine::Error { .. } | LogLine::Unparsed, _) => false,
        };
        let visited = self.0.each_log(target, from, until, &mut |record| {
            if wanted(&record) {
                if newest.len() == limit {
                    newest.pop_front();
                }
                newest.push_back(record);
            }
            true
        });
        visited.map_err(|error| storage(&error))?;
        Ok(newest.into())
    }

    fn numbers(&self) -> Vec<(&'static str, &'static str, f64)> {
        let stats = self.0.stats();
        #[expect(
            clippy::cast_precision_loss,
            reason = "metrics are floats; counts beyond 2^53 do not occur"
        )]
        let number = |count: u64| count as f64;
        [
            (
                "tocsin_store_series",
                "Series in the store.",
                number(stats.series as u64),
            ),
            (
                "tocsin_store_samples",
                "Samples in the store.",
                number(stats.samples),
            ),
            (
                "tocsin_store_samples_in_memory",
                "Samples that are in no block yet.",
                number(stats.samples_in_head),
            ),
            (
                "tocsin_store_bytes",
                "Bytes of the store on disk.",
                number(stats.size_on_disk),
            ),
            (
                "tocsin_store_sample_block_bytes",
                "Bytes of the blocks of samples.",
                number(stats.sample_block_bytes),
            ),
            (
                "tocsin_store_waiting_batches",
                "Batches that wait to be written.",
                number(stats.waiting as u64),
            ),
            (
                "tocsin_store_dropped_log_lines",
                "Log lines that were dropped while the disk refused them.",
                number(stats.dropped_logs),
            ),
            (
                "tocsin_store_dropped_facts",
                "Facts that were dropped while the disk refused them.",
                number(stats.dropped_facts),
            ),
        ]
        .into_iter()
        .chain(refusals(&stats.refused))
        .collect()
    }

    fn trouble(&self) -> Option<String> {
        let stats = self.0.stats();
        let why = stats.degraded?;
        Some(match (stats.dropped_logs, stats.dropped_facts) {
            (0, 0) => why,
            (lines, facts) => format!(
                "{why}; {lines} log lines and {facts} facts found no room in memory and were dropped since the start"
            ),
        })
    }

    fn refusals(&self) -> Option<String> {
        let stats = self.0.stats();
        let refused = stats.refused.series_limit;
        let (source, series) = stats.series_by_source.first()?;
        (refused > 0).then(|| {
            format!("{refused} samples were refused since the start, since their source has as many series as it may; most series, {series}, come from {source}")
        })
    }
}
