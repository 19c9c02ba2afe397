//! An incident as lists show it; where the numbers come from is not known here.

use serde::Serialize;
use tocsin_domain::incident;
use tocsin_domain::state::State;
use tocsin_domain::time::Timestamp;
use utoipa::ToSchema;

use crate::answers;
use crate::http::shape::{
    Instant, Named, Severity, Urgency, named_service, named_target, named_user,
};

/// Where an incident stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Status {
    /// Nobody has taken it.
    Triggered,
    /// Somebody works on it.
    Acknowledged,
    /// Over.
    Resolved,
}

impl From<incident::Status> for Status {
    fn from(status: incident::Status) -> Self {
        match status {
            incident::Status::Triggered => Self::Triggered,
            incident::Status::Acknowledged => Self::Acknowledged,
            incident::Status::Resolved => Self::Resolved,
        }
    }
}

/// Waiting before the first page.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Hold {
    /// When the page goes out at the latest.
    until: Instant,
    /// Why waiting avoids a false page.
    why: String,
}

/// An incident, without what belongs to it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct IncidentSummary {
    pub(crate) id: String,
    /// From 1, never used twice.
    pub(crate) number: u64,
    /// What fails, in one line.
    pub(crate) title: String,
    pub(crate) status: Status,
    pub(crate) urgency: Urgency,
    pub(crate) severity: Severity,
    pub(crate) service: Named,
    pub(crate) target: Option<Named>,
    pub(crate) opened_at: Instant,
    /// When the failure began, as measured.
    pub(crate) onset_at: Option<Instant>,
    /// How much earlier it may have begun.
    pub(crate) onset_uncertainty_ms: Option<u64>,
    pub(crate) paged_at: Option<Instant>,
    pub(crate) acknowledged_at: Option<Instant>,
    pub(crate) acknowledged_by: Option<Named>,
    pub(crate) recovered_at: Option<Instant>,
    pub(crate) resolved_at: Option<Instant>,
    pub(crate) hold: Option<Hold>,
    /// Why nobody is paged although it is urgent.
    pub(crate) suppressed: Option<String>,
    /// When the acknowledgement counts no longer, and what still fails is triggered again.
    pub(crate) acknowledgement_ends_at: Option<Instant>,
    pub(crate) snoozed_until: Option<Instant>,
    /// How important it is, by a name of the installation's list.
    pub(crate) priority: Option<String>,
    /// The people a person gave it to.
    pub(crate) assigned_to: Vec<Named>,
    /// The number of the incident it ended in.
    pub(crate) merged_into: Option<u64>,
    pub(crate) alert_count: usize,
    pub(crate) relapses: u32,
    /// Whether the evidence is frozen, so that the postmortem is final.
    pub(crate) postmortem_ready: bool,
}

/// The summary of an incident.
pub(crate) fn summary(state: &State, incident: &incident::Incident) -> IncidentSummary {
    let by = incident.acknowledged.and_then(|(by, _)| by);
    IncidentSummary {
        id: incident.id.to_string(),
        number: incident.number,
        title: incident.title.clone(),
        status: incident.status.into(),
        urgency: incident.urgency.into(),
        severity: incident.severity.into(),
        service: named_service(state, incident.service),
        target: incident.target.map(|target| named_target(state, target)),
        opened_at: Instant(incident.opened_at),
        onset_at: incident.onset.as_ref().map(|onset| Instant(onset.at)),
        onset_uncertainty_ms: incident.onset.as_ref().map(|onset| onset.uncertainty_ms),
        paged_at: incident.paged_at.map(Instant),
        acknowledged_at: incident.acknowledged.map(|(_, at)| Instant(at)),
        acknowledged_by: by.map(|user| Named {
            name: answers::shared_link(state, incident)
                .unwrap_or_else(|| named_user(state, user).name),
            id: user.to_string(),
        }),
        recovered_at: seen_healthy(incident).map(Instant),
        resolved_at: incident.resolved_at.map(Instant),
        hold: incident.hold.as_ref().map(|hold| Hold {
            until: Instant(hold.until),
            why: hold.why.clone(),
        }),
        suppressed: incident
            .suppressed
            .as_ref()
            .map(|(why, until)| format!("{why} (until {until})")),
        acknowledgement_ends_at: incident.acknowledgement_ends_at.map(Instant),
        snoozed_until: incident.snoozed_until.map(Instant),
        priority: incident.priority.clone(),
        assigned_to: assigned_to(state, incident),
        merged_into: incident
            .merged_into
            .and_then(|into| Some(state.incidents.get(&into)?.number)),
        alert_count: incident.alerts.len(),
        relapses: incident.relapses,
        postmortem_ready: incident.evidence.is_some(),
    }
}

fn assigned_to(state: &State, incident: &incident::Incident) -> Vec<Named> {
    match &incident.assigned {
        Some(incident::Assigned::People(people)) => {
            // Who was removed is paged no longer, and whom that leaves is told with the paging.
            let people = people.iter();
            let people = people.filter(|user| state.users.contains_key(*user));
            people.map(|user| named_user(state, *user)).collect()
        }
        Some(incident::Assigned::Policy(_)) | None => Vec::new(),
    }
}

/// Since when all its alerts were seen healthy; none where one was closed instead.
pub(super) fn seen_healthy(incident: &incident::Incident) -> Option<Timestamp> {
    incident.healthy_since.filter(|_| incident.closed.is_none())
}
