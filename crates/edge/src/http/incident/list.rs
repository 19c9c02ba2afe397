//! Incidents by pages, those that a filter wants. Most of what it asks is in the listing of the state, close together: it is asked
//! before any incident is looked at.

use std::str::FromStr;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use tocsin_domain::id::{ServiceId, TargetId, TeamId};
use tocsin_domain::incident::{Incident, Status};
use tocsin_domain::monitor;
use tocsin_domain::people;
use tocsin_domain::state::{self, Listed};
use tocsin_domain::time::Timestamp;
use utoipa::ToSchema;

use super::summary::{IncidentSummary, summary};
use crate::app::App;
use crate::http::body::Params;
use crate::http::page::{Page, PageQuery};
use crate::http::problem::Problem;
use crate::http::roster::rota::instant;
use crate::http::shape::{Severity, Urgency};

/// Which incidents are wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Wanted {
    /// Not resolved.
    Open,
    /// Resolved.
    Resolved,
    /// All.
    #[default]
    All,
}

/// Which incidents are wanted: those for which all holds that is said.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct IncidentQuery {
    /// Open, resolved or all (the default).
    #[serde(default)]
    #[param(inline)]
    status: Wanted,
    /// Only of this service.
    #[param(pattern = "^Q[A-Z2-7]{13}$")]
    service_id: Option<String>,
    /// Only of this team.
    #[param(pattern = "^Q[A-Z2-7]{13}$")]
    team_id: Option<String>,
    /// Only of this target.
    #[param(pattern = "^Q[A-Z2-7]{13}$")]
    target: Option<String>,
    /// Only those of this urgency.
    #[param(inline)]
    urgency: Option<Urgency>,
    /// Only those of this severity.
    #[param(inline)]
    severity: Option<Severity>,
    /// Only those that were opened then (RFC 3339) or later.
    #[param(format = DateTime)]
    since: Option<String>,
    /// Only those that were opened before then (RFC 3339).
    #[param(format = DateTime)]
    until: Option<String>,
    /// Items wanted, 1 to 200; 50 when not given.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<usize>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Incidents, newest first
#[utoipa::path(get, path = "/api/tocsin/v1/incidents", tag = "incidents", params(IncidentQuery),
    responses((status = 200, body = Page<IncidentSummary>), (status = 400)))]
pub(crate) async fn list_incidents(
    State(app): State<App>,
    Params(query): Params<IncidentQuery>,
) -> Result<Json<Page<IncidentSummary>>, Problem> {
    let filter = Filter::read(&query)?;
    let page = PageQuery {
        limit: query.limit,
        cursor: query.cursor,
    };
    let (limit, before) = (page.limit()?, page.after_number()?);
    let (items, more) = app.read(|state| {
        let mut found = filter.found(state, before.unwrap_or(u64::MAX), limit + 1);
        let more = found.len() > limit;
        found.truncate(limit);
        let items = found.into_iter().map(|incident| summary(state, incident));
        (items.collect::<Vec<_>>(), more)
    });
    let next_cursor = items
        .last()
        .filter(|_| more)
        .map(|last| last.number.to_string());
    Ok(Json(Page { items, next_cursor }))
}

/// What has to hold for an incident that is listed.
struct Filter {
    status: Wanted,
    service: Option<ServiceId>,
    team: Option<TeamId>,
    target: Option<TargetId>,
    urgency: Option<people::Urgency>,
    severity: Option<monitor::Severity>,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
}

impl Filter {
    fn read(query: &IncidentQuery) -> Result<Self, Problem> {
        let mut reasons = Vec::new();
        let filter = Self {
            status: query.status,
            service: id(
                "service_id",
                "service",
                query.service_id.as_deref(),
                &mut reasons,
            ),
            team: id("team_id", "team", query.team_id.as_deref(), &mut reasons),
            target: id("target", "target", query.target.as_deref(), &mut reasons),
            urgency: query.urgency.map(Into::into),
            severity: query.severity.map(Into::into),
            since: instant("since", query.since.as_deref(), &mut reasons),
            until: instant("until", query.until.as_deref(), &mut reasons),
        };
        if let (Some(since), Some(until)) = (filter.since, filter.until)
            && until <= since
        {
            reasons.push("until: must be later than since".to_owned());
        }
        if reasons.is_empty() {
            Ok(filter)
        } else {
            Err(Problem::invalid(reasons))
        }
    }

    /// The newest that are wanted, of those with a lower number than `before`.
    fn found<'s>(&self, state: &'s state::State, before: u64, enough: usize) -> Vec<&'s Incident> {
        let listed: Box<dyn Iterator<Item = &'s Listed>> = match self.status {
            // Of these there are few, and they are known.
            Wanted::Open => {
                let open = state.numbers.open().rev();
                Box::new(open.skip_while(move |one| one.number >= before))
            }
            Wanted::Resolved | Wanted::All => Box::new(state.numbers.before(before).iter().rev()),
        };
        let wanted = listed.filter(|one| self.wants(one));
        let known = wanted.filter_map(|one| state.incidents.get(&one.id));
        let on_target = known.filter(|incident| {
            self.target
                .is_none_or(|target| incident.target == Some(target))
        });
        on_target.take(enough).collect()
    }

    fn wants(&self, one: &Listed) -> bool {
        let status = match self.status {
            Wanted::Open => one.status != Status::Resolved,
            Wanted::Resolved => one.status == Status::Resolved,
            Wanted::All => true,
        };
        status
            && self.service.is_none_or(|service| one.service == service)
            && self.team.is_none_or(|team| one.team == team)
            && self.urgency.is_none_or(|urgency| one.urgency == urgency)
            && self
                .severity
                .is_none_or(|severity| one.severity == severity)
            && self.since.is_none_or(|since| one.opened_at >= since)
            && self.until.is_none_or(|until| one.opened_at < until)
    }
}

fn id<T: FromStr>(
    field: &str,
    noun: &str,
    text: Option<&str>,
    reasons: &mut Vec<String>,
) -> Option<T> {
    let read = text?.parse().ok();
    if read.is_none() {
        reasons.push(format!("{field}: not an id of a {noun}"));
    }
    read
}
