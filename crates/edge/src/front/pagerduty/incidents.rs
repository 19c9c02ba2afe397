//! Incidents as PagerDuty's clients list and read them: the filters of a list, its order, and one by its id. It changes nothing.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use axum::http::StatusCode;
use jiff::tz::TimeZone;
use serde_json::Value;
use tocsin_domain::id::{IncidentId, ServiceId, TeamId, UserId};
use tocsin_domain::incident::{Incident, Status};
use tocsin_domain::people::Urgency;
use tocsin_domain::state::{Listed, State};
use tocsin_domain::time::Timestamp;
use tocsin_wire::pagerduty::rest::{Paging, Parameters, Refusal, id, in_order};

use super::asked::{Asked, Path};
use super::incident_shape::{Include, assignees};
use super::incident_shown::incident;
use super::include::Named;
use super::lookup;
use super::parameters;
use super::reply::{Answer, Refused, Reply};
use super::triggers::FIRST_ENTRIES;
use super::user_shape::Mails;
use super::wholes::{Wholes, Written};

/// What can be shown wholly besides what [`Include`] names, and where it stands.
pub(super) const INCLUDED: &[Named] = &[
    ("agents", &["last_status_change_by"]),
    // People are whole there already; a service that acknowledged is not.
    ("acknowledgers", &["acknowledgements", "acknowledger"]),
];
/// What stands before the incidents of a list.
const LIST_BEGINS: &str = "{\"incidents\":[";
/// Incidents of so long ago are listed when no span is asked for: a month.
const SPAN_DEFAULT_MS: u64 = 31 * 86_400_000;
/// The longest span that is looked at unless all are asked for: PagerDuty's six months.
const SPAN_MS_MAX: u64 = 184 * 86_400_000;
pub(super) const STATUSES: [(&str, Status); 3] = [
    ("triggered", Status::Triggered),
    ("acknowledged", Status::Acknowledged),
    ("resolved", Status::Resolved),
];
pub(super) const URGENCIES: [(&str, Urgency); 2] = [("high", Urgency::High), ("low", Urgency::Low)];
pub(super) const SORTS: [(&str, Sort); 4] = [
    ("incident_number", Sort::Number),
    ("created_at", Sort::Created),
    ("resolved_at", Sort::Resolved),
    ("urgency", Sort::Urgency),
];

/// What a list is sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    Number,
    Created,
    Resolved,
    Urgency,
}

/// Which incidents are wanted.
struct Filter {
    statuses: Vec<Status>,
    urgencies: Vec<Urgency>,
    services: Option<Vec<ServiceId>>,
    teams: Option<Vec<TeamId>>,
    users: Option<Vec<UserId>>,
    /// The ids of priorities, which are made of their names.
    priorities: Option<Vec<String>>,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    key: Option<String>,
    sorts: Vec<(Sort, bool)>,
}

impl Filter {
    fn read(parameters: &Parameters, zone: &TimeZone, now: Timestamp) -> Result<Self, Refusal> {
        let mut since = parameters.time("since", zone)?;
        let until = parameters.time("until", zone)?;
        let all = parameters.word("date_range", &[("all", ())])?.is_some();
        if all {
            since = None;
        } else if let Some(since) = since {
            if until.unwrap_or(now).ms_since(since) > SPAN_MS_MAX {
                let why = "'since' is invalid: it is at most six months before 'until', or before now; 'date_range=all' lists all";
                return Err(Refusal::bad(why));
            }
        } else {
            since = Some(until.unwrap_or(now).minus_ms(SPAN_DEFAULT_MS));
        }
        Ok(Self {
            statuses: parameters.words("statuses", &STATUSES)?.unwrap_or_default(),
            urgencies: parameters
                .words("urgencies", &URGENCIES)?
                .unwrap_or_default(),
            services: parameters.ids("service_ids")?,
            teams: parameters.ids("team_ids")?,
            users: parameters.ids("user_ids")?,
            priorities: priorities(parameters)?,
            since,
            until: if all { None } else { until },
            key: parameters.get("incident_key").map(str::to_owned),
            sorts: parameters.sorts(&SORTS)?,
        })
    }

    /// Whether only what is open is wanted: of that there are few, and they are known.
    fn is_of_open(&self) -> bool {
        !self.statuses.is_empty() && !self.statuses.contains(&Status::Resolved)
    }

    /// Those that are wanted, in the order that is wanted, as far as this page reaches and one more: it tells that more follow. Where
    /// they are to be counted, all are there, and ordered as far as the page reaches.
    fn found<'a>(&self, state: &'a State, paging: Paging) -> Vec<&'a Listed> {
        let named = self.key.as_ref().map(|key| with_key(state, key));
        let wanted = |one: &&Listed| {
            self.wants(one)
                && named.as_ref().is_none_or(|named| named.contains(&one.id))
                && self
                    .users
                    .as_ref()
                    .is_none_or(|users| is_theirs(state, one, users))
                && self
                    .priorities
                    .as_ref()
                    .is_none_or(|ids| is_of_priority(state, one, ids))
        };
        let reach = paging.offset + paging.limit;
        let enough = if paging.counted {
            usize::MAX
        } else {
            reach + 1
        };
        let listed: Box<dyn DoubleEndedIterator<Item = &Listed>> = if self.is_of_open() {
            Box::new(state.numbers.open())
        } else {
            Box::new(state.numbers.all().iter())
        };
        let mut found: Vec<&'a Listed> = match self.by_number() {
            Some(false) => return listed.filter(wanted).take(enough).collect(),
            Some(true) => return listed.rev().filter(wanted).take(enough).collect(),
            None => listed.filter(wanted).collect(),
        };
        let order = |one: &&Listed, other: &&Listed| self.order(one, other);
        if reach < found.len() {
            found.select_nth_unstable_by(reach, order);
        }
        let reach = reach.min(found.len());
        found[..reach].sort_unstable_by(order);
        found
    }

    /// Whether the numbers alone order them, in which they are kept, and backwards.
    fn by_number(&self) -> Option<bool> {
        match self.sorts.first() {
            None => Some(false),
            Some((Sort::Number, backwards)) => Some(*backwards),
            Some((Sort::Created | Sort::Resolved | Sort::Urgency, _)) => None,
        }
    }

    fn wants(&self, one: &Listed) -> bool {
        let opened = one.opened_at;
        let services = self.services.as_ref();
        let teams = self.teams.as_ref();
        (self.statuses.is_empty() || self.statuses.contains(&one.status))
            && self.since.is_none_or(|since| opened >= since)
            && self.until.is_none_or(|until| opened < until)
            && (self.urgencies.is_empty() || self.urgencies.contains(&one.urgency))
            && services.is_none_or(|set| set.contains(&one.service))
            && teams.is_none_or(|set| set.contains(&one.team))
    }

    fn order(&self, one: &Listed, other: &Listed) -> Ordering {
        let by_sorts = in_order(&self.sorts, |sort| match sort {
            Sort::Number => one.number.cmp(&other.number),
            Sort::Created => (one.opened_at, one.number).cmp(&(other.opened_at, other.number)),
            Sort::Resolved => one.resolved_at.cmp(&other.resolved_at),
            Sort::Urgency => one.urgency.cmp(&other.urgency),
        });
        by_sorts.then(one.number.cmp(&other.number))
    }
}

fn priorities(parameters: &Parameters) -> Result<Option<Vec<String>>, Refusal> {
    let given = parameters.set("priority_ids")?;
    let owned = |ids: Vec<&str>| ids.into_iter().map(str::to_owned).collect();
    Ok(given.map(owned))
}

/// Whether it has one of the priorities with these ids, also where the list has that no longer.
fn is_of_priority(state: &State, one: &Listed, ids: &[String]) -> bool {
    let known = state.incidents.get(&one.id);
    let name = known.and_then(|incident| incident.priority.as_deref());
    name.is_some_and(|name| ids.contains(&id::of_name(name)))
}

/// The incidents that have an alert with this key.
fn with_key(state: &State, key: &str) -> BTreeSet<IncidentId> {
    let alerts = state.alerts.values();
    let known = alerts.filter(|alert| alert.dedup_key == key);
    known.map(|alert| alert.incident).collect()
}

/// Whether one of these people has it, or is asked to take it. Nobody has what is over.
fn is_theirs(state: &State, one: &Listed, users: &[UserId]) -> bool {
    let open = (one.status != Status::Resolved).then(|| state.incidents.get(&one.id));
    open.flatten().is_some_and(|incident| {
        let assigned = assignees(state, incident);
        users.iter().any(|user| assigned.contains(user))
    })
}

/// Incidents
#[utoipa::path(get, path = "/incidents", tag = "fronts",
    params(
        parameters::Page,
        parameters::Span,
        parameters::Services,
        parameters::Teams,
        parameters::People,
        parameters::Incidents,
        parameters::IncidentInclude,
        parameters::Zone,
    ),
    responses((status = 200, body = Object), (status = 400, body = Object)))]
pub(crate) async fn list_incidents(asked: Asked) -> Answer {
    let asked = asked.zoned()?;
    let paging = asked.paging()?;
    let filter = Filter::read(&asked.parameters, asked.place.zone(), asked.app.now())?;
    let cut = asked.app.read(|state| {
        let cut = paging.cut(filter.found(state, paging));
        cut.map(|one| Some(one.id))
    });
    let include = Include::read(&asked.parameters);
    let (shown, wholes) = asked.shown(&cut.items, include, LIST_BEGINS).await?;
    let body = shown.end(wholes, &paging.list_ends(&cut));
    Ok(Reply::Written(StatusCode::OK, body))
}

/// One incident
#[utoipa::path(get, path = "/incidents/{id}", tag = "fronts", params(("id" = String, Path), parameters::IncidentInclude),
    responses((status = 200, body = Object), (status = 404, body = Object)))]
pub(crate) async fn get_incident(Path(id): Path<String>, asked: Asked) -> Answer {
    let id = lookup::incident(&asked.app, &id)?;
    asked.incident(id, StatusCode::OK).await
}

impl Asked {
    /// The answer that shows one incident.
    pub(crate) async fn incident(&self, id: IncidentId, status: StatusCode) -> Answer {
        let include = Include::read(&self.parameters);
        self.incident_with(id, status, include).await
    }

    /// The same with what is shown wholly of it.
    pub(crate) async fn incident_with(
        &self,
        id: IncidentId,
        status: StatusCode,
        include: Include,
    ) -> Answer {
        let (shown, wholes) = self.shown(&[id], include, "{\"incident\":").await?;
        if shown.count() == 0 {
            return Err(Refusal::no_such("incident").into());
        }
        Ok(Reply::Written(status, shown.end(wholes, "}")))
    }

    /// The answer that shows these.
    pub(crate) async fn incidents(&self, ids: &[IncidentId]) -> Answer {
        let include = Include::read(&self.parameters);
        let (shown, wholes) = self.shown(ids, include, LIST_BEGINS).await?;
        Ok(Reply::Written(StatusCode::OK, shown.end(wholes, "]}")))
    }

    /// These incidents with what `include[]` names of them, for every answer that shows some: so that none shows one otherwise than
    /// the others.
    async fn shown(
        &self,
        ids: &[IncidentId],
        include: Include,
        frame: &str,
    ) -> Result<(Written, Wholes), Refused> {
        // Most ask for none of them, and whoever looks at the state waits for who changes it.
        let mails = if include.shows_people() {
            let people = self
                .app
                .read(|state| include.people(state, known_of(state, ids)));
            self.mails(people).await?
        } else {
            Mails::new()
        };
        let mut written = Written::begin(frame, ids.len());
        if self.writes_at_once() {
            let wholes = self.app.read(|state| {
                let known = known_of(state, ids);
                for one in &known {
                    written.add(state, (&self.place, &include, &mails), one);
                }
                Wholes::of(state, &self.place, &include, &known)
            });
            return Ok((written, wholes));
        }
        let (incidents, wholes) = self.app.read(|state| {
            let place = &self.place;
            let known = known_of(state, ids);
            let wholes = Wholes::of(state, place, &include, &known);
            let shown = known.into_iter();
            let shown = shown.map(|one| incident(state, place, one, &include, &mails));
            (shown.collect::<Vec<Value>>(), wholes)
        });
        let mut incidents = self.included(incidents, INCLUDED).await?;
        self.first_entries(&mut incidents).await?;
        for shown in &incidents {
            written.add_value(shown, &wholes);
        }
        Ok((written, wholes))
    }

    /// Whether nothing is put into incidents that is looked for once they are made.
    fn writes_at_once(&self) -> bool {
        let completed = INCLUDED.iter().map(|(word, _)| *word);
        let mut completed = completed.chain([FIRST_ENTRIES]);
        !completed.any(|word| self.parameters.includes(word))
    }
}

/// Those of these incidents that there are.
fn known_of<'a>(state: &'a State, ids: &[IncidentId]) -> Vec<&'a Incident> {
    let known = ids.iter().filter_map(|id| state.incidents.get(id));
    known.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&str, &str)]) -> Result<Filter, Refusal> {
        let pairs = pairs.iter();
        let pairs = pairs.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let now = Timestamp::parse_rfc3339("2026-11-23T07:00:00Z").unwrap();
        Filter::read(&Parameters::new(pairs).unwrap(), &TimeZone::UTC, now)
    }

    #[test]
    fn a_month_is_listed_unless_another_span_is_asked_for() {
        let since = |pairs| of(pairs).unwrap().since.map(Timestamp::to_rfc3339);
        assert_eq!(since(&[]).as_deref(), Some("2026-10-23T07:00:00.000Z"));
        assert_eq!(since(&[("date_range", "all")]), None);
        let given = since(&[("since", "2026-06-01T00:00:00+0000")]);
        assert_eq!(given.as_deref(), Some("2026-06-01T00:00:00.000Z"));
        assert!(of(&[("date_range", "some")]).is_err());
    }

    #[test]
    fn six_months_are_listed_at_most_unless_all_are_asked_for() {
        let long = ("since", "2024-01-01T00:00:00Z");
        assert_eq!(of(&[long]).err().map(|one| one.status), Some(400));
        assert!(of(&[long, ("until", "2024-07-03T00:00:00Z")]).is_ok());
        assert!(of(&[long, ("until", "2024-07-05T00:00:00Z")]).is_err());
        assert!(of(&[long, ("date_range", "all")]).is_ok());
    }

    #[test]
    fn words_that_are_none_are_refused() {
        for (name, value) in [
            ("statuses[]", "open"),
            ("urgencies[]", "loud"),
            ("sort_by", "title"),
            ("sort_by", "urgency:up"),
            ("sort_by", "urgency,created_at,resolved_at"),
            ("since", "noon"),
            ("statuses[]", ""),
            ("service_ids[]", ""),
        ] {
            assert_eq!(
                of(&[(name, value)]).err().map(|one| one.status),
                Some(400),
                "{value}"
            );
        }
        let sorted = of(&[("sort_by", "urgency:desc,created_at")]).unwrap();
        assert_eq!(
            sorted.sorts,
            [(Sort::Urgency, true), (Sort::Created, false)]
        );
    }
}
