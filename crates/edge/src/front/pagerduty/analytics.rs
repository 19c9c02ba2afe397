//! Analytics: what incidents came to, from what is recorded of them. The first acknowledgement counts, whatever became of it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};
use tocsin_domain::id::{IncidentId, PolicyId, ServiceId, TeamId, UserId};
use tocsin_domain::incident::Incident;
use tocsin_domain::page::{Delivery, Notification, Purpose};
use tocsin_domain::people::ChannelKind;
use tocsin_domain::state::State;
use tocsin_domain::time::Timestamp;
use tocsin_wire::pagerduty::rest::analytics::{
    self as bodies, Filters, INCIDENTS_MAX, Measure, Question, RawOrder, RawPage,
};
use tocsin_wire::pagerduty::rest::{Refusal, id, time};

use super::asked::{Asked, Path};
use super::incident_shape::{policy_of, status_word, urgency_word};
use super::lookup;
use super::reply::{Answer, Refused, Reply};

/// The priorities that make an incident a major one: the first so many.
const MAJOR: usize = 2;
/// Incidents that are looked at at once.
const AT_ONCE: usize = 250;
/// What comes to one person about one incident within so long interrupts them once: a minute.
const INTERRUPTION_MS: i64 = 60_000;

/// What an answer tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    All,
    Service,
    Team,
    Policy,
}

fn is_major(state: &State, one: &Incident) -> bool {
    let names = state.installation.iter().flat_map(|all| &all.priorities);
    let mut first = names.take(MAJOR);
    first.any(|name| Some(name) == one.priority.as_ref())
}

fn wants(state: &State, filters: &Filters, one: &Incident) -> bool {
    let among = |set: &Option<Vec<String>>, id: &str| {
        set.as_ref()
            .is_none_or(|set| set.iter().any(|known| known == id))
    };
    let priority = one.priority.as_deref();
    let has_priority = |set: &Option<Vec<String>>, told: fn(&str) -> String| {
        set.as_ref()
            .is_none_or(|set| priority.is_some_and(|name| set.contains(&told(name))))
    };
    filters.since.is_none_or(|since| one.opened_at >= since)
        && filters.until.is_none_or(|until| one.opened_at < until)
        && filters.urgency.is_none_or(|urgency| one.urgency == urgency)
        && among(&filters.services, one.service.as_str())
        && among(&filters.teams, one.team.as_str())
        && filters.policies.as_ref().is_none_or(|set| {
            let followed = policy_of(state, one);
            followed.is_some_and(|id| set.iter().any(|known| known == id.as_str()))
        })
        && has_priority(&filters.priority_names, str::to_owned)
        && has_priority(&filters.priority_ids, id::of_name)
        && filters
            .major
            .is_none_or(|major| major == is_major(state, one))
}

/// Whether a message is about the incident itself, and whether it interrupts: mail can wait, and no incident elsewhere is a person.
fn counted(message: &Notification) -> Option<(Timestamp, bool)> {
    let Delivery::Delivered { at } = message.state else {
        return None;
    };
    let is_loud = match message.channel {
        ChannelKind::Email | ChannelKind::PagerDuty => false,
        ChannelKind::Webhook
        | ChannelKind::Ntfy
        | ChannelKind::Slack
        | ChannelKind::Telegram
        | ChannelKind::Pushover
        | ChannelKind::Sms
        | ChannelKind::Voice
        | ChannelKind::WebPush => true,
    };
    match message.purpose {
        Purpose::Page(_) | Purpose::Request(_) => Some((at, is_loud)),
        Purpose::Notice(_) => Some((at, false)),
        Purpose::Resolved(_) | Purpose::Acknowledged(_) | Purpose::Test | Purpose::Word(_) => None,
    }
}

/// Who works on it, and since when: whoever acknowledged it, or came when asked.
fn engaged(one: &Incident) -> BTreeMap<UserId, Timestamp> {
    let people = one.engaged.iter().flat_map(|engaged| &engaged.people);
    let taken = people.copied();
    let came = one.responders.iter().filter_map(|asked| {
        let (comes, at) = asked.answer?;
        comes.then_some((asked.user, at))
    });
    let mut first = BTreeMap::new();
    for (user, at) in taken.chain(came) {
        let known = first.entry(user).or_insert(at);
        *known = at.min(*known);
    }
    first
}

fn measure(state: &State, one: &Incident) -> Measure {
    let mut engaged: Vec<Timestamp> = engaged(one).into_values().collect();
    engaged.sort_unstable();
    let mut notifications = 0;
    let mut interrupted: BTreeSet<(i64, UserId)> = BTreeSet::new();
    for message in state.messages_about(one.id) {
        let Some((at, interrupts)) = counted(message) else {
            continue;
        };
        notifications += 1;
        if interrupts {
            interrupted.insert((at.as_millis().div_euclid(INTERRUPTION_MS), message.user));
        }
    }
    let interruptions = interrupted.into_iter();
    Measure {
        opened: one.opened_at,
        resolved: one.resolved_at.filter(|_| !one.is_open()),
        acknowledged: one.engaged.as_ref().and_then(|all| all.acknowledged_at),
        engaged,
        notifications,
        interruptions: interruptions
            .map(|(minute, _)| Timestamp::from_millis(minute * INTERRUPTION_MS))
            .collect(),
    }
}

/// Looks at the incidents that a question means, a few at a time: the core waits to publish while its state is looked at.
async fn each_meant<T: Send>(
    asked: &Asked,
    filters: &Filters,
    look: fn(&State, &Incident) -> T,
) -> Result<Vec<T>, Refused> {
    let ids: Vec<IncidentId> = asked
        .app
        .read(|state| state.incidents.keys().copied().collect());
    let mut found = Vec::new();
    for some in ids.chunks(AT_ONCE) {
        asked.app.read(|state| {
            let known = some.iter().filter_map(|id| state.incidents.get(id));
            let wanted = known.filter(|one| wants(state, filters, one));
            found.extend(wanted.map(|one| look(state, one)));
        });
        if found.len() > INCIDENTS_MAX {
            let why = format!("'filters' leave more than {INCIDENTS_MAX} incidents: narrow them");
            return Err(Refusal::bad(why).into());
        }
        tokio::task::yield_now().await;
    }
    Ok(found)
}

/// The names under which an answer tells something apart.
fn subject(state: &State, service: Option<ServiceId>, team: Option<TeamId>) -> Map<String, Value> {
    let mut told = Map::new();
    let known = service.and_then(|id| state.services.get(&id));
    if let Some(id) = service {
        let name = known.map(|known| known.name.as_str());
        told.insert("service_id".to_owned(), json!(id.as_str()));
        told.insert("service_name".to_owned(), json!(name));
    }
    if let Some(id) = team.or_else(|| known.map(|known| state.team_of(known))) {
        let name = state.teams.get(&id).map(|known| known.name.as_str());
        told.insert("team_id".to_owned(), json!(id.as_str()));
        told.insert("team_name".to_owned(), json!(name));
    }
    told
}

/// What an answer tells apart from the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Apart {
    All,
    Service(ServiceId),
    Team(TeamId),
    Policy(PolicyId),
}

impl Apart {
    /// The names under which it is told.
    fn named(self, state: &State) -> Map<String, Value> {
        match self {
            Self::All => Map::new(),
            Self::Service(service) => subject(state, Some(service), None),
            Self::Team(team) => subject(state, None, Some(team)),
            Self::Policy(policy) => {
                let name = state.policies.get(&policy);
                let name = name.map(|known| known.name.as_str());
                let told = [
                    ("escalation_policy_id", json!(policy.as_str())),
                    ("escalation_policy_name", json!(name)),
                ];
                let told = told.into_iter();
                told.map(|(name, value)| (name.to_owned(), value)).collect()
            }
        }
    }
}

/// What is told apart, and the begin of a day, a week or a month.
type Key = (Apart, Option<String>);

/// What one incident came to, and what it belongs to.
#[derive(Debug)]
struct Measured {
    service: ServiceId,
    team: TeamId,
    policy: Option<PolicyId>,
    measure: Measure,
}

/// What the incidents of each kind came to.
fn grouped(found: Vec<Measured>, by: By, question: &Question) -> Vec<(Key, Map<String, Value>)> {
    let mut groups: BTreeMap<Key, Vec<Measure>> = BTreeMap::new();
    if by == By::All && question.unit.is_none() {
        // Of nothing there are none, which is an answer too.
        groups.insert((Apart::All, None), Vec::new());
    }
    for one in found {
        let apart = match by {
            By::All => Some(Apart::All),
            By::Service => Some(Apart::Service(one.service)),
            By::Team => Some(Apart::Team(one.team)),
            By::Policy => one.policy.map(Apart::Policy),
        };
        let Some(apart) = apart else { continue };
        let begin = bodies::range_start(one.measure.opened, question);
        groups.entry((apart, begin)).or_default().push(one.measure);
    }
    let totals = groups.into_iter();
    totals
        .map(|(key, measures)| (key, bodies::totals(&measures, &question.zone)))
        .collect()
}

fn measured(state: &State, one: &Incident) -> Measured {
    Measured {
        service: one.service,
        team: one.team,
        policy: policy_of(state, one),
        measure: measure(state, one),
    }
}

async fn metrics(asked: &Asked, by: By) -> Answer {
    let (question, order) = bodies::question(&asked.body)?;
    let found = each_meant(asked, &question.filters, measured).await?;
    let counted = question.clone();
    let groups = asked
        .app
        .rendered(move || Ok(grouped(found, by, &counted)))
        .await?;
    let mut rows: Vec<Value> = asked.app.read(|state| {
        let rows = groups.into_iter().map(|((apart, begin), mut row)| {
            row.extend(apart.named(state));
            if let Some(begin) = begin {
                row.insert("range_start".to_owned(), json!(begin));
            }
            Value::Object(row)
        });
        rows.collect()
    });
    order.sort(&mut rows);
    Ok(Reply::Done(json!({
        "data": rows,
        "filters": question.written,
        "time_zone": question.zone_name,
        "aggregate_unit": question.unit.map(bodies::unit_word),
        "order": order.word(),
        "order_by": order.by,
    })))
}

/// What all incidents came to
#[utoipa::path(post, path = "/analytics/metrics/incidents/all", tag = "fronts", request_body = Object,
    responses((status = 200, body = Object), (status = 400, body = Object)))]
pub(crate) async fn measure_all(asked: Asked) -> Answer {
    metrics(&asked, By::All).await
}

/// What the incidents of all services came to, which are all there are
#[utoipa::path(post, path = "/analytics/metrics/incidents/services/all", tag = "fronts", request_body = Object,
    responses((status = 200, body = Object), (status = 400, body = Object)))]
pub(crate) async fn measure_all_services(asked: Asked) -> Answer {
    metrics(&asked, By::All).await
}

/// What the incidents of all teams came to, which are all there are
#[utoipa::path(post, path = "/analytics/metrics/incidents/teams/all", tag = "fronts", request_body = Object,
    responses((status = 200, body = Object), (status = 400, body = Object)))]
pub(crate) async fn measure_all_teams(asked: Asked) -> Answer {
    metrics(&asked, By::All).await
}

/// What the incidents of all escalation policies came to, which are all there are
#[utoipa::path(post, path = "/analytics/metrics/incidents/escalation_policies/all", tag = "fronts", request_body = Object,
    responses((status = 200, body = Object), (status = 400, body = Object)))]
pub(crate) async fn measure_all_policies(asked: Asked) -> Answer {
    metrics(&asked, By::All).await
}

/// What incidents came to, by the escalation policy that each follows or followed last
#[utoipa::path(post, path = "/analytics/metrics/incidents/escalation_policies", tag = "fronts", request_body = Object,
    responses((status = 200, body = Object), (status = 400, body = Object)))]
pub(crate) async fn measure_policies(asked: Asked) -> Answer {
    metrics(&asked, By::Policy).await
}

/// What incidents came to, service by service
#[utoipa::path(post, path = "/analytics/metrics/incidents/services", tag = "fronts", request_body = Object,
    responses((status = 200, body = Object), (status = 400, body = Object)))]
pub(crate) async fn measure_services(asked: Asked) -> Answer {
    metrics(&asked, By::Service).await
}

/// What incidents came to, team by team
#[utoipa::path(post, path = "/analytics/metrics/incidents/teams", tag = "fronts", request_body = Object,
    responses((status = 200, body = Object), (status = 400, body = Object)))]
pub(crate) async fn measure_teams(asked: Asked) -> Answer {
    metrics(&asked, By::Team).await
}

/// One incident as a row of raw data. What Tocsin does not count is null.
fn row(state: &State, one: &Incident, question: Option<&Question>) -> Value {
    let came = measure(state, one);
    let policy = policy_of(state, one);
    let policy_name = policy.and_then(|id| Some(&state.policies.get(&id)?.name));
    let mut told = json!({
        "id": one.id.as_str(),
        "incident_number": one.number,
        "description": one.title,
        "status": status_word(one.status),
        "urgency": urgency_word(one.urgency),
        "major": is_major(state, one),
        "priority_id": one.priority.as_deref().map(id::of_name),
        "priority_name": one.priority,
        "escalation_policy_id": policy.map(|id| id.to_string()),
        "escalation_policy_name": policy_name,
        "created_at": time::written(one.opened_at),
        "resolved_at": came.resolved.map(time::written),
        "seconds_to_first_ack": came.to_first_ack_s(),
        "seconds_to_resolve": came.to_resolve_s(),
        "seconds_to_engage": came.to_engage_s(),
        "seconds_to_mobilize": came.to_mobilize_s(),
        "engaged_seconds": came.engaged_s(),
    });
    if let Some(told) = told.as_object_mut() {
        told.extend(subject(state, Some(one.service), Some(one.team)));
        told.extend(counts(state, one, &came, question));
    }
    told
}

/// How many people and messages there were.
fn counts(
    state: &State,
    one: &Incident,
    came: &Measure,
    question: Option<&Question>,
) -> Map<String, Value> {
    let utc = jiff::tz::TimeZone::UTC;
    let zone = question.map_or(&utc, |question| &question.zone);
    let (business, off, sleep) = bodies::interruptions(&came.interruptions, zone);
    let people: Vec<UserId> = engaged(one).into_keys().collect();
    let known = people.iter().map(|user| state.users.get(user));
    let names: Vec<Option<&str>> = known
        .map(|known| known.map(|known| known.name.as_str()))
        .collect();
    let ids: Vec<&str> = people.iter().map(UserId::as_str).collect();
    [
        ("engaged_user_count", json!(people.len())),
        ("active_user_count", json!(people.len())),
        ("joined_user_ids", json!(ids)),
        ("joined_user_names", json!(names)),
        ("total_notifications", json!(came.notifications)),
        ("total_interruptions", json!(business + off + sleep)),
        ("business_hour_interruptions", json!(business)),
        ("off_hour_interruptions", json!(off)),
        ("sleep_hour_interruptions", json!(sleep)),
        ("auto_resolved", Value::Null),
        ("escalation_count", Value::Null),
        ("assignment_count", Value::Null),
        ("snoozed_seconds", Value::Null),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect()
}

/// The ids of a page, and whether there are more beyond it, on the side to which it goes on.
fn page_of(all: &[IncidentId], page: &RawPage) -> Result<(Vec<IncidentId>, bool), Refusal> {
    let place = |id: &String| {
        let found = all.iter().position(|one| one.as_str() == id);
        found.ok_or_else(|| Refusal::bad(format!("there is no row {id:?} in what is asked for")))
    };
    let (from, until) = match (&page.after, &page.before) {
        (Some(after), _) => (place(after)? + 1, all.len()),
        (None, Some(before)) => {
            let end = place(before)?;
            (end.saturating_sub(page.limit), end)
        }
        (None, None) => (0, all.len()),
    };
    let rows = all.get(from..until).unwrap_or_default();
    let shown: Vec<IncidentId> = rows.iter().take(page.limit).copied().collect();
    let goes_back = page.after.is_none() && page.before.is_some();
    let more = if goes_back {
        from > 0
    } else {
        from + shown.len() < all.len()
    };
    Ok((shown, more))
}

/// By what rows are in order, and which incident it is.
type Placed = (Option<u64>, Timestamp, u64, IncidentId);

fn by_begin(_: &State, one: &Incident) -> Placed {
    (Some(0), one.opened_at, one.number, one.id)
}

fn by_length(_: &State, one: &Incident) -> Placed {
    let over = one.resolved_at.filter(|_| !one.is_open());
    let lasted_s = over.map(|at| at.ms_since(one.opened_at) / 1_000);
    (lasted_s, one.opened_at, one.number, one.id)
}

/// Puts rows in order. What is not over stands last, whichever way.
fn in_order(found: &mut [Placed], descends: bool) {
    found.sort_unstable_by(|one, other| {
        let last = one.0.is_none().cmp(&other.0.is_none());
        let order = one.cmp(other);
        last.then(if descends { order.reverse() } else { order })
    });
}

/// Incidents as rows of raw data
#[utoipa::path(post, path = "/analytics/raw/incidents", tag = "fronts", request_body = Object,
    responses((status = 200, body = Object), (status = 400, body = Object)))]
pub(crate) async fn list_raw_incidents(asked: Asked) -> Answer {
    let (question, page) = bodies::raw(&asked.body)?;
    let look: fn(&State, &Incident) -> Placed = match page.by {
        RawOrder::Created => by_begin,
        RawOrder::Lasted => by_length,
    };
    let mut found = each_meant(&asked, &question.filters, look).await?;
    in_order(&mut found, page.descends);
    let all: Vec<IncidentId> = found.into_iter().map(|(_, _, _, id)| id).collect();
    let (ids, more) = page_of(&all, &page)?;
    let mut rows: Vec<Value> = Vec::new();
    for some in ids.chunks(AT_ONCE) {
        asked.app.read(|state| {
            let known = some.iter().filter_map(|id| state.incidents.get(id));
            rows.extend(known.map(|one| row(state, one, Some(&question))));
        });
        tokio::task::yield_now().await;
    }
    Ok(Reply::Done(json!({
        "data": rows,
        "first": ids.first().map(|id| id.to_string()),
        "last": ids.last().map(|id| id.to_string()),
        "limit": page.limit,
        "more": more,
        "order": bodies::way_word(page.descends),
        "order_by": page.by.word(),
        "starting_after": page.after,
        "ending_before": page.before,
        "filters": question.written,
        "time_zone": question.zone_name,
    })))
}

/// One incident as a row of raw data
#[utoipa::path(get, path = "/analytics/raw/incidents/{id}", tag = "fronts", params(("id" = String, Path)),
    responses((status = 200, body = Object), (status = 404, body = Object)))]
pub(crate) async fn get_raw_incident(Path(id): Path<String>, asked: Asked) -> Answer {
    let id = lookup::incident(&asked.app, &id)?;
    let shown = asked.app.read(|state| {
        let known = state.incidents.get(&id)?;
        Some(row(state, known, None))
    });
    let missing = || Refused::from(Refusal::no_such("incident"));
    shown.map(Reply::Done).ok_or_else(missing)
}

#[cfg(test)]
mod tests;
