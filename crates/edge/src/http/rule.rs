//! Rules of rule files: what is evaluated and how it stands. They are changed in their files, not here.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::problem::Problem;
use super::shape::Instant;
use crate::app::App;
use crate::ports::rules::{self as port, AlertState, RuleHealth, RuleKind as PortKind};

/// Alerts of one rule that are shown.
const ALERTS_MAX: usize = 50;

/// All rules.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct RuleList {
    /// Why rule files are not used as they stand.
    trouble: Option<String>,
    groups: Vec<RuleGroup>,
}

/// Rules that are evaluated together.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct RuleGroup {
    name: String,
    /// The file it stands in.
    file: String,
    interval_ms: u64,
    evaluated_at: Option<Instant>,
    rules: Vec<FileRule>,
}

/// What a rule is for.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum RuleKind {
    /// It raises alerts.
    Alert,
    /// It writes series.
    Record,
}

/// How a rule stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum RuleStanding {
    /// It could not be evaluated.
    Failing,
    /// At least one of its alerts fires.
    Firing,
    /// At least one of its alerts waits.
    Pending,
    /// Nothing is wrong.
    Quiet,
    /// It was not evaluated yet.
    Unknown,
}

/// One rule.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct FileRule {
    name: String,
    kind: RuleKind,
    /// PromQL.
    expr: String,
    standing: RuleStanding,
    /// The label `severity`, as written.
    severity: Option<String>,
    /// Milliseconds that the expression must hold.
    for_ms: u64,
    /// Why it could not be evaluated.
    error: Option<String>,
    evaluated_at: Option<Instant>,
    evaluation_us: u64,
    pending: usize,
    firing: usize,
    /// Alerts that are pending or firing; not all of very many.
    alerts: Vec<RuleAlert>,
}

/// An alert that is pending or firing.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct RuleAlert {
    firing: bool,
    /// Its labels in PromQL notation.
    labels: String,
    summary: Option<String>,
    /// Since when the expression holds.
    active_at: Option<Instant>,
    value: Option<f64>,
}

/// Rules
#[utoipa::path(get, path = "/api/tocsin/v1/rules", tag = "watch", responses((status = 200, body = RuleList)))]
pub(crate) async fn list_rules(State(app): State<App>) -> Result<Json<RuleList>, Problem> {
    app.blocking(|parts| {
        Ok(RuleList {
            trouble: parts.rules.trouble(),
            groups: parts.rules.groups().into_iter().map(group).collect(),
        })
    })
    .await
    .map(Json)
}

fn group(given: port::RuleGroup) -> RuleGroup {
    RuleGroup {
        name: given.name,
        file: given.file,
        interval_ms: given.interval_ms,
        evaluated_at: given.last_evaluation.map(Instant),
        rules: given.rules.into_iter().map(rule).collect(),
    }
}

fn rule(given: port::Rule) -> FileRule {
    let severity = given.labels.get("severity").cloned();
    let (kind, for_ms, alerts) = match given.kind {
        PortKind::Recording => (RuleKind::Record, 0, Vec::new()),
        PortKind::Alerting(alerting) => (RuleKind::Alert, alerting.for_ms, alerting.alerts),
    };
    let count = |state| alerts.iter().filter(|alert| alert.state == state).count();
    let (pending, firing) = (count(AlertState::Pending), count(AlertState::Firing));
    let standing = match (given.health, firing, pending) {
        (RuleHealth::Err, _, _) => RuleStanding::Failing,
        (RuleHealth::Unknown | RuleHealth::Ok, 1.., _) => RuleStanding::Firing,
        (RuleHealth::Unknown | RuleHealth::Ok, 0, 1..) => RuleStanding::Pending,
        (RuleHealth::Ok, 0, 0) => RuleStanding::Quiet,
        (RuleHealth::Unknown, 0, 0) => RuleStanding::Unknown,
    };
    FileRule {
        name: given.name,
        kind,
        expr: given.query,
        standing,
        severity,
        for_ms,
        error: given.last_error,
        evaluated_at: given.last_evaluation.map(Instant),
        evaluation_us: given.evaluation_us,
        pending,
        firing,
        alerts: alerts.into_iter().take(ALERTS_MAX).map(alert).collect(),
    }
}

fn alert(given: port::RuleAlert) -> RuleAlert {
    let labels: tocsin_promql::Labels = (&given.labels).into();
    RuleAlert {
        firing: given.state == AlertState::Firing,
        labels: labels.filtered(|name| name != "alertname").to_string(),
        summary: given.annotations.get("summary").cloned(),
        active_at: given.active_at.map(Instant),
        value: Some(given.value).filter(|value| value.is_finite()),
    }
}
