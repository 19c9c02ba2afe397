//! One incident in full, for the page that a woken person opens.

use axum::Json;
use axum::extract::{Path, State};
use serde::Serialize;
use tocsin_domain::alert::{self, AlertSource};
use tocsin_domain::id::IncidentId;
use tocsin_domain::incident::{Assigned, Incident};
use tocsin_domain::learn::facts::FailureKind;
use tocsin_domain::state;
use tocsin_wire::page_message::web_address;
use utoipa::ToSchema;

use super::explain::{explanation, ground};
use super::live::{self, Chart, Impact, LogLine, RecentChange};
use super::summary::{IncidentSummary, seen_healthy, summary};
use crate::app::App;
use crate::http::intake::RuleHit;
use crate::http::notification::{Notification, shown};
use crate::http::problem::Problem;
use crate::http::shape::{Instant, Named, Severity, Urgency, named_policy, named_user};

/// Whether a condition fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum AlertStatus {
    /// Fails now.
    Firing,
    /// Over.
    Recovered,
}

/// Who says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Source {
    /// A monitor of ours.
    Monitor,
    /// PagerDuty's Events API v2.
    EventsV2,
    /// The native API, or a person.
    Api,
    /// An alerting rule of a rule file.
    Rule,
    /// A job that must call in.
    Heartbeat,
    /// A Prometheus, or another client of Alertmanager's API.
    Alertmanager,
}

/// A sample that proves a statement.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Evidence {
    /// In PromQL notation.
    series: String,
    at: Instant,
    /// Null for a value that is not a number.
    value: Option<f64>,
}

/// A further field of an alert from outside.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct AlertDetail {
    name: String,
    /// Never to be interpreted, only shown; a link is its address.
    value: String,
}

/// One failing condition.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Alert {
    id: String,
    title: String,
    severity: Severity,
    status: AlertStatus,
    monitor: Option<Named>,
    opened_at: Instant,
    recovered_at: Option<Instant>,
    summary: String,
    evidence: Vec<Evidence>,
    /// What else its sender said, as text.
    details: Vec<AlertDetail>,
    source: Source,
    /// How often it was said again while open.
    repeats: u64,
    /// How loudly it asks for a person.
    urgency: Urgency,
    /// Why nobody is paged for it, if a rule says so.
    suppressed: Option<String>,
    /// Its priority, if a rule gave it one.
    priority: Option<String>,
    /// The rules that held for it, in order.
    rules: Vec<RuleHit>,
}

/// Where the escalation stands.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Paging {
    policy: Option<Named>,
    /// The level that was paged last, from 1; 0 when no level was reached.
    level: usize,
    /// How often the policy was walked through before.
    r#loop: u32,
    next_escalation_at: Option<Instant>,
    /// Whether the policy is through and the list of last resort is paged.
    exhausted: bool,
    recipients: Vec<Named>,
    /// Who acknowledged for their part, where each must.
    acknowledged_by: Vec<Named>,
}

/// Whether somebody who was asked to help comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Answer {
    /// Not answered yet.
    Pending,
    /// They come.
    Accepted,
    /// They do not.
    Declined,
}

/// Somebody who was asked to help.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Responder {
    user: Named,
    asked_at: Instant,
    /// What they were asked.
    message: String,
    answer: Answer,
    answered_at: Option<Instant>,
}

/// An incident in full.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct IncidentDetail {
    #[serde(flatten)]
    summary: IncidentSummary,
    alerts: Vec<Alert>,
    pages: Vec<Notification>,
    paging: Paging,
    /// Who was asked to help.
    responders: Vec<Responder>,
    /// Numbers of the incidents that were merged into this one.
    merged: Vec<u64>,
    impact: Option<Impact>,
    /// What changed in the hour before.
    changes: Vec<RecentChange>,
    /// Lines around the onset.
    log_lines: Vec<LogLine>,
    chart: Chart,
    runbook_url: Option<String>,
    /// First steps, in words.
    runbook: Option<String>,
    /// Why somebody was paged: back to the sample, in plain words.
    explanation: Vec<String>,
}

/// One incident in full
#[utoipa::path(get, path = "/api/tocsin/v1/incidents/{id}", tag = "incidents",
    params(("id" = String, Path, description = "Id or number")),
    responses((status = 200, body = IncidentDetail), (status = 404)))]
pub(crate) async fn get_incident(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<IncidentDetail>, Problem> {
    let incident = super::find(&app, &id)?;
    let ground = ground(&app, incident).await?;
    let asked = app.read(|state| asked(state, state.incidents.get(&incident)?));
    let seen = match asked {
        Some(asked) => look(&app, incident, asked).await?,
        None => live::Seen::default(),
    };
    let detail = app.read(|state| {
        let explained = explanation(state, state.incidents.get(&incident)?, &ground);
        detail(state, incident, seen, explained)
    });
    detail
        .map(Json)
        .ok_or_else(|| Problem::not_found(&format!("incident {id}")))
}

async fn look(app: &App, incident: IncidentId, asked: live::Asked) -> Result<live::Seen, Problem> {
    let over = asked.end.is_some();
    let looks = &app.inner().looks;
    if let Some(seen) = looks.recent(incident, app.now()) {
        return Ok(seen);
    }
    // One look at a time, because each reads the store: who waited finds the look that was made meanwhile.
    let _turn = looks.turn().await;
    let now = app.now();
    if let Some(seen) = looks.recent(incident, now) {
        return Ok(seen);
    }
    let seen = app
        .blocking(move |parts| Ok(live::look(parts, &asked, now)))
        .await?;
    looks.keep(incident, (now, app.now()), over, &seen);
    Ok(seen)
}

fn asked(state: &state::State, incident: &Incident) -> Option<live::Asked> {
    let onset = incident.onset.as_ref();
    let named = incident
        .alerts
        .iter()
        .filter_map(|id| state.alerts.get(id))
        .find(|alert| alert.title == incident.title);
    let monitor = named.and_then(|alert| state.monitors.get(&alert.source.monitor()?));
    Some(live::Asked {
        target: incident.target?,
        begin: onset.map_or(incident.opened_at, |onset| onset.at),
        uncertainty_ms: onset.map_or(0, |onset| onset.uncertainty_ms),
        end: incident.healthy_since.or(incident.resolved_at),
        failure: monitor.and_then(|monitor| FailureKind::of_monitor(&monitor.slug)),
    })
}

fn detail(
    state: &state::State,
    id: IncidentId,
    seen: live::Seen,
    explanation: Vec<String>,
) -> Option<IncidentDetail> {
    let incident = state.incidents.get(&id)?;
    let alerts: Vec<&alert::Alert> = incident
        .alerts
        .iter()
        .filter_map(|id| state.alerts.get(id))
        .collect();
    let runbook = alerts
        .iter()
        .filter_map(|alert| state.monitors.get(&alert.source.monitor()?))
        .map(|monitor| monitor.runbook.clone())
        .find(|text| !text.is_empty());
    let mut pages: Vec<_> = state.messages_about(id).collect();
    pages.sort_by_key(|page| (page.planned_at, page.id));
    Some(IncidentDetail {
        summary: summary(state, incident),
        alerts: alerts
            .iter()
            .map(|alert| shown_alert(state, alert))
            .collect(),
        pages: pages.into_iter().map(|page| shown(state, page)).collect(),
        paging: paging(state, incident),
        responders: responders(state, incident),
        merged: incident
            .merged
            .iter()
            .filter_map(|source| Some(state.incidents.get(source)?.number))
            .collect(),
        impact: seen.impact,
        changes: live::with_told(seen.changes, live::told_changes(state, incident)),
        log_lines: seen.log_lines,
        chart: with_marks(seen.chart, incident),
        runbook_url: runbook.as_deref().and_then(web_address).map(str::to_owned),
        runbook,
        explanation,
    })
}

/// An alert as it is shown.
pub(super) fn shown_alert(state: &state::State, alert: &alert::Alert) -> Alert {
    let monitor = alert.source.monitor().map(|id| Named {
        id: id.to_string(),
        name: state
            .monitors
            .get(&id)
            .map_or_else(|| "a removed monitor".to_owned(), |one| one.name.clone()),
    });
    let judged = alert.judged.as_deref();
    Alert {
        id: alert.id.to_string(),
        title: alert.title.clone(),
        severity: alert.severity.into(),
        status: if alert.is_firing() {
            AlertStatus::Firing
        } else {
            AlertStatus::Recovered
        },
        monitor,
        opened_at: Instant(alert.opened_at),
        recovered_at: alert.recovered_at.map(Instant),
        summary: alert.summary.clone(),
        evidence: alert.evidence.iter().map(evidence).collect(),
        details: alert
            .details
            .iter()
            .map(|(name, value)| AlertDetail {
                name: name.clone(),
                value: value.clone(),
            })
            .collect(),
        source: match alert.source {
            AlertSource::Monitor { .. } => Source::Monitor,
            AlertSource::EventsV2 { .. } => Source::EventsV2,
            AlertSource::Api => Source::Api,
            AlertSource::Rule { .. } => Source::Rule,
            AlertSource::Heartbeat { .. } => Source::Heartbeat,
            AlertSource::Alertmanager { .. } => Source::Alertmanager,
        },
        repeats: alert.repeats,
        urgency: alert.urgency().into(),
        suppressed: alert.suppressed().map(str::to_owned),
        priority: judged.and_then(|judged| judged.priority.clone()),
        rules: judged.map_or_else(Vec::new, |judged| {
            judged.rules.iter().map(RuleHit::of).collect()
        }),
    }
}

fn evidence(sample: &alert::EvidenceSample) -> Evidence {
    let value = Some(sample.value).filter(|value| value.is_finite());
    Evidence {
        series: sample.series.clone(),
        at: Instant(sample.at),
        value,
    }
}

fn paging(state: &state::State, incident: &Incident) -> Paging {
    let given = match &incident.assigned {
        Some(Assigned::Policy(policy)) => Some(*policy),
        Some(Assigned::People(_)) | None => None,
    };
    let service = state.services.get(&incident.service);
    let known = given.or(service.and_then(|service| service.policy));
    let default = state.installation.as_ref().map(|all| all.default_policy);
    let policy = known.or(default);
    let Some(paging) = &incident.paging else {
        let policy = policy.map(|policy| named_policy(state, policy));
        return Paging {
            policy,
            level: 0,
            r#loop: 0,
            next_escalation_at: None,
            exhausted: false,
            recipients: Vec::new(),
            acknowledged_by: Vec::new(),
        };
    };
    Paging {
        policy: paging
            .policy
            .or(policy)
            .map(|policy| named_policy(state, policy)),
        // The policy is noted when a level of it is reached: without one, the list of last resort came first.
        level: paging.policy.map_or(0, |_| paging.level + 1),
        r#loop: paging.round,
        next_escalation_at: paging.next_at.map(Instant),
        exhausted: paging.exhausted,
        recipients: paging
            .recipients
            .iter()
            .filter(|user| state.users.contains_key(*user))
            .map(|user| named_user(state, *user))
            .collect(),
        acknowledged_by: paging
            .each_done
            .iter()
            .map(|user| named_user(state, *user))
            .collect(),
    }
}

fn responders(state: &state::State, incident: &Incident) -> Vec<Responder> {
    let asked = incident.responders.iter();
    asked
        .map(|one| Responder {
            user: named_user(state, one.user),
            asked_at: Instant(one.asked_at),
            message: one.message.clone(),
            answer: match one.answer {
                None => Answer::Pending,
                Some((true, _)) => Answer::Accepted,
                Some((false, _)) => Answer::Declined,
            },
            answered_at: one.answer.map(|(_, at)| Instant(at)),
        })
        .collect()
}

fn with_marks(mut chart: Chart, incident: &Incident) -> Chart {
    let marks = [
        (incident.onset.as_ref().map(|onset| onset.at), "onset"),
        (Some(incident.opened_at), "opened"),
        (incident.paged_at, "paged"),
        (incident.acknowledged.map(|(_, at)| at), "acknowledged"),
        (seen_healthy(incident), "recovered"),
        (incident.resolved_at, "resolved"),
    ];
    let known = marks.into_iter().filter_map(|(at, label)| {
        Some(live::Mark {
            at: Instant(at?),
            label: label.to_owned(),
        })
    });
    chart.marks = known.collect();
    chart
}
