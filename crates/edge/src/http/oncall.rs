//! Who is on call now and next, by policy and level and by schedule, and when somebody's own shifts are. Whose turn it is, is
//! computed elsewhere.

use std::collections::{BTreeMap, BTreeSet};

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use tocsin_domain::id::UserId;
use tocsin_domain::oncall;
use tocsin_domain::page::{Policy, Recipient};
use tocsin_domain::people::SetUp;
use tocsin_domain::state;
use tocsin_domain::time::Timestamp;
use utoipa::ToSchema;

use super::body::Params;
use super::problem::Problem;
use super::roster::rota::{self, Names, Shift, ShiftsQuery};
use super::shape::{Instant, Named, named_schedule, named_user};
use crate::access::who::Caller;
use crate::app::App;

/// Shifts of an answer at most.
const SHIFTS_MAX: usize = 5_000;

/// A person, or a schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, serde::Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum RecipientKind {
    /// A person.
    User,
    /// Whoever the schedule says.
    Schedule,
    /// Everybody of the team.
    Team,
}

/// By whom a level is answered.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Via {
    kind: RecipientKind,
    id: String,
    name: String,
}

/// One place of one level.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct OnCallEntry {
    policy: Named,
    /// From 1.
    level: usize,
    via: Via,
    user: Option<Named>,
    /// When another person, or nobody, takes over; null: not within 400 days, or it is no schedule that names them.
    until: Option<Instant>,
    /// Why nobody would be paged here.
    problem: Option<String>,
}

/// Who has duty in one schedule, and what comes then.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct ScheduleDuty {
    schedule: Named,
    time_zone: String,
    /// The shift now; null: nobody is on call.
    now: Option<Shift>,
    /// When they took over, maybe some turns ago, or since when nobody is on call; null: more than 60 days ago.
    since: Option<Instant>,
    /// When another person, or nobody, takes over, or somebody after a gap; null: not within 400 days.
    until: Option<Instant>,
    /// The first shift from then on.
    next: Option<Shift>,
}

/// Who is on call now.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct OnCall {
    /// By policy and level.
    items: Vec<OnCallEntry>,
    /// By schedule.
    schedules: Vec<ScheduleDuty>,
    /// Always null: the list comes whole.
    next_cursor: Option<String>,
}

/// Who is on call now, and who is next?
#[utoipa::path(get, path = "/api/tocsin/v1/oncall", tag = "oncall", responses((status = 200, body = OnCall)))]
pub(crate) async fn on_call(State(app): State<App>) -> Result<Json<OnCall>, Problem> {
    let now = app.now();
    let set_up = app.what_is_set_up().await?;
    let (items, schedules, names) = app.read(|state| {
        let mut policies: Vec<&Policy> = state.policies.values().collect();
        policies.sort_by(|one, other| (&one.name, one.id).cmp(&(&other.name, other.id)));
        let items = policies
            .into_iter()
            .flat_map(|policy| entries(state, policy, &set_up, now))
            .collect();
        let schedules: Vec<oncall::Schedule> = state.schedules.values().cloned().collect();
        let people = schedules.iter().flat_map(oncall::Schedule::people);
        (items, schedules.clone(), Names::of(state, people.collect()))
    });
    app.rendered(move || {
        let schedules = duties(schedules, &names, now);
        Ok(Json(OnCall {
            items: lasting(items, &schedules),
            schedules,
            next_cursor: None,
        }))
    })
    .await
}

/// The same places, each with the end of its duty, which is not the end of a turn.
fn lasting(mut items: Vec<OnCallEntry>, schedules: &[ScheduleDuty]) -> Vec<OnCallEntry> {
    let ends = schedules
        .iter()
        .map(|duty| (duty.schedule.id.as_str(), duty.until));
    let ends: BTreeMap<&str, Option<Instant>> = ends.collect();
    for item in &mut items {
        if item.via.kind == RecipientKind::Schedule && item.user.is_some() {
            item.until = ends.get(item.via.id.as_str()).copied().flatten();
        }
    }
    items
}

fn duties(mut all: Vec<oncall::Schedule>, names: &Names, now: Timestamp) -> Vec<ScheduleDuty> {
    all.sort_by(|one, other| (&one.name, one.id).cmp(&(&other.name, other.id)));
    let duty = |known: &oncall::Schedule| {
        let duty = known.duty_at(now);
        ScheduleDuty {
            schedule: Named {
                id: known.id.to_string(),
                name: known.name.clone(),
            },
            time_zone: known.time_zone.clone(),
            now: duty.shift.map(|shift| Shift::of(&shift, names)),
            since: known.duty_since(now).map(Instant),
            until: duty.until.map(Instant),
            next: duty.next.map(|shift| Shift::of(&shift, names)),
        }
    };
    all.iter().map(duty).collect()
}

/// A shift of a person, and in which schedule it is.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct OwnShift {
    schedule: Named,
    #[serde(flatten)]
    shift: Shift,
}

/// The shifts of a person, in order.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct OwnShifts {
    user: Named,
    since: Instant,
    /// The first instant after it.
    until: Instant,
    /// Those that touch the span, each at its whole length.
    items: Vec<OwnShift>,
}

/// When are my shifts, or those of somebody else, in any schedule?
#[utoipa::path(get, path = "/api/tocsin/v1/oncall/shifts", tag = "oncall", params(ShiftsQuery),
    responses((status = 200, body = OwnShifts), (status = 400), (status = 404)))]
pub(crate) async fn own_shifts(
    State(app): State<App>,
    caller: Caller,
    Params(query): Params<ShiftsQuery>,
) -> Result<Json<OwnShifts>, Problem> {
    let user: UserId = match &query.user {
        None => caller
            .user
            .ok_or_else(|| Problem::bad("user: say whose shifts; this token belongs to nobody"))?,
        Some(text) => text
            .parse()
            .map_err(|_| Problem::bad("user: not an id of a person"))?,
    };
    let range = query.range(app.now())?;
    let (schedules, named, names) = app.read(|state| {
        let all = state.schedules.values();
        let theirs = all.filter(|known| known.people().contains(&user));
        (
            theirs.cloned().collect::<Vec<_>>(),
            state
                .users
                .contains_key(&user)
                .then(|| named_user(state, user)),
            Names::of(state, BTreeSet::from([user])),
        )
    });
    let named = named.ok_or_else(|| Problem::not_found(&format!("person {user}")))?;
    app.rendered(move || {
        let mut items = Vec::new();
        for known in &schedules {
            let all = known.shifts(range).map_err(rota::refused)?;
            items.extend(
                all.into_iter()
                    .filter(|shift| shift.user == user)
                    .map(|shift| (shift, known)),
            );
        }
        if items.len() > SHIFTS_MAX {
            return Err(Problem::bad(format!(
                "until: the range holds more than {SHIFTS_MAX} shifts: ask for a shorter one"
            )));
        }
        items.sort_by_key(|(shift, known)| (shift.from, known.id));
        let shown = items.iter().map(|(shift, known)| OwnShift {
            schedule: Named {
                id: known.id.to_string(),
                name: known.name.clone(),
            },
            shift: Shift::of(shift, &names),
        });
        Ok(Json(OwnShifts {
            user: named,
            since: Instant(range.from),
            until: Instant(range.until),
            items: shown.collect(),
        }))
    })
    .await
}

fn entries(
    state: &state::State,
    policy: &Policy,
    set_up: &SetUp,
    now: Timestamp,
) -> Vec<OnCallEntry> {
    let named = Named {
        id: policy.id.to_string(),
        name: policy.name.clone(),
    };
    let entry = |level: usize, (via, user): Place, problem: Option<String>| OnCallEntry {
        policy: named.clone(),
        level: level + 1,
        via,
        user: user.map(|user| named_user(state, user)),
        until: None,
        problem,
    };
    let mut entries = Vec::new();
    for (level, step) in policy.levels.iter().enumerate() {
        for place in step
            .targets
            .iter()
            .flat_map(|to| places_of(state, *to, now))
        {
            let problem = problem(state, place.1, set_up);
            entries.push(entry(level, place, problem));
        }
        // None is made without targets: whoever it named was removed.
        if step.targets.is_empty() {
            let via = Via {
                kind: RecipientKind::User,
                id: String::new(),
                name: "a removed person".to_owned(),
            };
            let problem = "nobody is left on this level: whoever it named was removed";
            entries.push(entry(level, (via, None), Some(problem.to_owned())));
        }
    }
    entries
}

type Place = (Via, Option<UserId>);

/// One place for each person of a target; one that is empty where it names nobody.
fn places_of(state: &state::State, to: Recipient, now: Timestamp) -> Vec<Place> {
    match to {
        Recipient::User(user) => {
            let via = Via {
                kind: RecipientKind::User,
                id: user.to_string(),
                name: named_user(state, user).name,
            };
            vec![(via, Some(user))]
        }
        Recipient::Team(id) => {
            let team = state.teams.get(&id);
            let via = Via {
                kind: RecipientKind::Team,
                id: id.to_string(),
                name: team.map_or_else(|| "a removed team".to_owned(), |team| team.name.clone()),
            };
            let members = team.map(|team| team.members.as_slice()).unwrap_or_default();
            if members.is_empty() {
                return vec![(via, None)];
            }
            let members = members.iter();
            members.map(|user| (via.clone(), Some(*user))).collect()
        }
        Recipient::Schedule(id) => {
            let schedule = state.schedules.get(&id);
            let shift = schedule.and_then(|schedule| schedule.shift_at(now));
            let named = named_schedule(state, id);
            let via = Via {
                kind: RecipientKind::Schedule,
                id: named.id,
                name: named.name,
            };
            vec![(via, shift.map(|shift| shift.user))]
        }
    }
}

fn problem(state: &state::State, user: Option<UserId>, set_up: &SetUp) -> Option<String> {
    match user {
        None => Some("nobody is on call".to_owned()),
        Some(user) => match state.users.get(&user) {
            None => Some("the person was removed".to_owned()),
            Some(user) if !user.is_reachable() => Some("no contact method is confirmed".to_owned()),
            Some(user) => user.reach(set_up).problem(),
        },
    }
}

/// Everybody who would be paged at some level now.
pub(crate) fn on_call_users(state: &state::State, now: Timestamp) -> BTreeSet<UserId> {
    let targets = state
        .policies
        .values()
        .flat_map(|policy| &policy.levels)
        .flat_map(|level| &level.targets);
    targets
        .flat_map(|to| places_of(state, *to, now))
        .filter_map(|(_, user)| user)
        .collect()
}
