//! Our own numbers for a Prometheus: requests, events, deliveries, the store, this process.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use tocsin_domain::incident::Status;
use tocsin_domain::time::Timestamp;
use tocsin_wire::prometheus_text::{CONTENT_TYPE, Exposition, MetricKind};

use crate::app::App;
use crate::lock::lock;
use crate::vigil::Seen;
use crate::watched::Watcher;

/// Answered requests by status class.
#[derive(Default)]
pub(crate) struct Requests(Mutex<BTreeMap<&'static str, u64>>);

impl Requests {
    pub(crate) fn count(&self, status: StatusCode) {
        let class = match status.as_u16() {
            0..=199 => "1xx",
            200..=299 => "2xx",
            300..=399 => "3xx",
            400..=499 => "4xx",
            500.. => "5xx",
        };
        *lock(&self.0).entry(class).or_default() += 1;
    }

    fn all(&self) -> BTreeMap<&'static str, u64> {
        lock(&self.0).clone()
    }
}

/// Alerts that came by Alertmanager's API. One of which nothing is known, and that is over as it comes, is recorded nowhere: where
/// the clock is ahead of its sender's, that is all of them, and shows here.
#[derive(Default)]
pub(crate) struct AlertsReceived {
    firing: AtomicU64,
    over: AtomicU64,
}

impl AlertsReceived {
    pub(crate) fn count(&self, is_firing: bool) {
        let counter = if is_firing { &self.firing } else { &self.over };
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

/// Tocsin's own metrics
///
/// In Prometheus' text format.
#[utoipa::path(get, path = "/metrics", tag = "health", responses((status = 200, content_type = "text/plain", body = String)))]
pub(crate) async fn metrics(State(app): State<App>) -> Response {
    let mut text = Exposition::default();
    write_core(&app, &mut text);
    write_received(&app.inner().alerts_received, &mut text);
    write_delivery(&app, &mut text);
    write_vigil(&app.vigil.seen(), &mut text);
    write_watchers(&app.vigil.watched.watchers(Instant::now()), &mut text);
    for (name, help, value) in app.telemetry.numbers() {
        text.family(name, MetricKind::Gauge, help)
            .sample(&[], value);
    }
    write_process(&mut text);
    (
        [(header::CONTENT_TYPE, CONTENT_TYPE)],
        text.finish().to_owned(),
    )
        .into_response()
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a gauge is a float; counts of this size lose nothing that matters"
)]
fn write_core(app: &App, text: &mut Exposition) {
    let (position, incidents, firing, waiting) = app.read(|state| {
        let mut open = [0_u64; 2];
        for incident in state
            .open_incidents
            .iter()
            .filter_map(|id| state.incidents.get(id))
        {
            match incident.status {
                Status::Triggered => open[0] += 1,
                Status::Acknowledged => open[1] += 1,
                Status::Resolved => {}
            }
        }
        (
            state.position,
            open,
            state.firing.len(),
            state.active_notifications.len(),
        )
    });
    text.family(
        "tocsin_journal_position",
        MetricKind::Counter,
        "Events committed",
    )
    .sample(&[], position as f64);
    text.family(
        "tocsin_open_incidents",
        MetricKind::Gauge,
        "Incidents that are not resolved",
    )
    .sample(&[("status", "triggered")], incidents[0] as f64)
    .sample(&[("status", "acknowledged")], incidents[1] as f64);
    text.family(
        "tocsin_firing_alerts",
        MetricKind::Gauge,
        "Alerts that fail now",
    )
    .sample(&[], firing as f64);
    text.family(
        "tocsin_active_notifications",
        MetricKind::Gauge,
        "Messages due or being sent",
    )
    .sample(&[], waiting as f64);
    text.family(
        "tocsin_http_requests_total",
        MetricKind::Counter,
        "Requests answered, by class of status",
    );
    for (class, count) in app.inner().requests.all() {
        text.sample(&[("class", class)], count as f64);
    }
    text.family(
        "tocsin_stream_readers",
        MetricKind::Gauge,
        "Readers of the live stream",
    )
    .sample(&[], app.feed.readers() as f64);
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts of this size lose nothing that matters"
)]
fn write_received(received: &AlertsReceived, text: &mut Exposition) {
    let help = "Alerts received by Alertmanager's API, by how they stood by the clock of Tocsin";
    text.family("tocsin_alerts_received_total", MetricKind::Counter, help);
    let firing = received.firing.load(Ordering::Relaxed);
    let over = received.over.load(Ordering::Relaxed);
    for (status, count) in [("firing", firing), ("resolved", over)] {
        text.sample(&[("status", status)], count as f64);
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts of this size lose nothing that matters"
)]
fn write_delivery(app: &App, text: &mut Exposition) {
    text.family(
        "tocsin_delivery_attempts_total",
        MetricKind::Counter,
        "Attempts to deliver, by channel and outcome",
    );
    for (channel, outcome, count) in app.tally.attempts() {
        text.sample(
            &[("channel", channel.word()), ("outcome", outcome)],
            count as f64,
        );
    }
    text.family(
        "tocsin_delivery_waiting",
        MetricKind::Gauge,
        "Messages that wait for their turn to be sent",
    )
    .sample(&[], app.tally.waiting() as f64);
    text.family(
        "tocsin_delivery_receipts_unasked",
        MetricKind::Gauge,
        "Texts and calls whose provider is not asked what became of them, since there are too many",
    )
    .sample(&[], app.tally.unasked() as f64);
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts and times of this size lose nothing that matters"
)]
fn write_vigil(seen: &Seen, text: &mut Exposition) {
    let mut number = |name, kind, help, value: Option<f64>| {
        if let Some(value) = value {
            text.family(name, kind, help).sample(&[], value);
        }
    };
    let seconds = |at: Timestamp| at.as_millis() as f64 / 1_000.0;
    let counter = MetricKind::Counter;
    let gauge = MetricKind::Gauge;
    let (name, help) = ("tocsin_audit_looks_total", "Looks of the auditor");
    number(name, counter, help, Some(seen.looks as f64));
    let (name, help) = (
        "tocsin_audit_last_timestamp_seconds",
        "When the auditor last looked",
    );
    number(name, gauge, help, seen.looked_at.map(seconds));
    let (name, help) = (
        "tocsin_audit_messages_total",
        "Messages of the auditor to administrators",
    );
    number(name, counter, help, Some(seen.pages as f64));
    let (name, help) = ("tocsin_canary_sent_total", "Canaries sent");
    number(name, counter, help, Some(seen.canaries_sent as f64));
    let (name, help) = ("tocsin_canary_passed_total", "Canaries that came through");
    number(name, counter, help, Some(seen.canaries_back as f64));
    let (name, help) = (
        "tocsin_canary_last_success_timestamp_seconds",
        "When the canary last came through",
    );
    number(name, gauge, help, seen.canary_at.map(seconds));
    let help = "What the auditor found at its last look, by kind";
    text.family("tocsin_audit_findings", gauge, help);
    let mut kinds: BTreeMap<&str, u64> = BTreeMap::new();
    for one in &seen.findings {
        *kinds.entry(one.kind.word()).or_default() += 1;
    }
    if kinds.is_empty() {
        text.sample(&[("kind", "any")], 0.0);
    }
    for (kind, count) in kinds {
        text.sample(&[("kind", kind)], count as f64);
    }
    let help = "How long the last canary took from the beginning up to a stage";
    text.family("tocsin_canary_seconds", gauge, help);
    for (stage, ms) in &seen.took_ms {
        text.sample(&[("stage", stage.word())], *ms as f64 / 1_000.0);
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts and times of this size lose nothing that matters"
)]
fn write_watchers(watchers: &[Watcher], text: &mut Exposition) {
    let help =
        "Watchers on other machines that showed a token: who asks, and who does not any more";
    text.family("tocsin_watchers", MetricKind::Gauge, help);
    let away = watchers.iter().filter(|one| one.is_away).count();
    for (state, count) in [("asking", watchers.len() - away), ("away", away)] {
        text.sample(&[("state", state)], count as f64);
    }
    if watchers.is_empty() {
        return;
    }
    let help = "When a watcher last asked";
    let name = "tocsin_watcher_last_timestamp_seconds";
    text.family(name, MetricKind::Gauge, help);
    for one in watchers {
        let labels = [("token", one.token.as_str()), ("name", one.name.as_str())];
        text.sample(&labels, one.asked_at.as_millis() as f64 / 1_000.0);
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a process has less memory than a float can count"
)]
fn write_process(text: &mut Exposition) {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let resident = status.lines().find_map(|line| {
        line.strip_prefix("VmRSS:")?
            .trim()
            .strip_suffix(" kB")?
            .parse()
            .ok()
    });
    if let Some(kilobytes) = resident.map(|kilobytes: u64| kilobytes) {
        text.family(
            "process_resident_memory_bytes",
            MetricKind::Gauge,
            "Memory of this process",
        )
        .sample(&[], (kilobytes * 1_024) as f64);
    }
    if let Ok(descriptors) = fs::read_dir("/proc/self/fd") {
        text.family(
            "process_open_fds",
            MetricKind::Gauge,
            "Open file descriptors",
        )
        .sample(&[], descriptors.count() as f64);
    }
}
