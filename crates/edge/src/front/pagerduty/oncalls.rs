//! Who is on call, by escalation policy, level and schedule, now or in a span. Whose turn it is, is computed elsewhere.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tocsin_domain::id::{PolicyId, ScheduleId, UserId};
use tocsin_domain::oncall::{RANGE_DAYS_MAX, Schedule, Span};
use tocsin_domain::page::Recipient;
use tocsin_domain::state::State;
use tocsin_domain::time::Timestamp;
use tocsin_wire::pagerduty::rest::{Paging, Refusal};

use super::asked::Asked;
use super::parameters;
use super::policy_shape::policy;
use super::reply::{Answer, Refused, Reply};
use super::schedule_shape::schedule;
use super::user_shape::{Mails, user};
use crate::http::problem::Problem;
use crate::http::roster::rota;

const DAY_MS: u64 = 86_400_000;
/// How far ahead is looked, of now or of a beginning that lies ahead itself: PagerDuty's 90 days. Back it has no bound but that of a
/// schedule, and an end that is not said is now, so that whoever says a beginning alone misses nothing that came since.
const AHEAD_MS_MAX: u64 = 90 * DAY_MS;
/// The longest span that is looked at.
const SPAN_MS_MAX: u64 = RANGE_DAYS_MAX as u64 * DAY_MS;
/// Entries of all pages at most.
const ENTRIES_MAX: usize = 20_000;

/// One place of one level, before it is known who has it.
#[derive(Clone, Debug)]
struct Place {
    policy: PolicyId,
    level: usize,
    via: Recipient,
}

/// One stretch of somebody's duty; without ends it is always.
#[derive(Clone, Debug)]
struct Duty {
    policy: PolicyId,
    level: usize,
    schedule: Option<ScheduleId>,
    user: UserId,
    span: Option<Span>,
}

struct Wanted {
    range: Span,
    users: Option<Vec<UserId>>,
    policies: Option<Vec<PolicyId>>,
    schedules: Option<Vec<ScheduleId>>,
    /// Whether those are wanted too whom a policy itself names; `null` among the schedules says so.
    by_name: bool,
    earliest: bool,
}

impl Wanted {
    fn read(asked: &Asked) -> Result<Self, Refused> {
        let now = asked.app.now();
        let parameters = &asked.parameters;
        let since = asked.time("since")?.unwrap_or(now);
        let latest = since.max(now);
        let until = asked.time("until")?.unwrap_or(latest);
        if until < since || until > latest.plus_ms(AHEAD_MS_MAX) {
            let why = "'until' is invalid: it is not before 'since', and at most 90 days ahead";
            return Err(Refusal::bad(why).into());
        }
        if until.ms_since(since) > SPAN_MS_MAX {
            let why = format!(
                "'since' is invalid: it is at most {RANGE_DAYS_MAX} days before 'until', which is now where none is said"
            );
            return Err(Refusal::bad(why).into());
        }
        // An instant is the shortest span there is.
        let until = until.max(since.plus_ms(1));
        Ok(Self {
            range: Span::new(since, until),
            users: parameters.ids("user_ids")?,
            policies: parameters.ids("escalation_policy_ids")?,
            schedules: parameters.ids("schedule_ids")?,
            by_name: parameters.list("schedule_ids").any(|id| id == "null"),
            earliest: parameters.flag("earliest")?,
        })
    }

    fn places(&self, state: &State) -> Vec<Place> {
        let among = |id: PolicyId| self.policies.as_ref().is_none_or(|set| set.contains(&id));
        let policies = state.policies.values().filter(|one| among(one.id));
        let places = policies.flat_map(|one| {
            let levels = one.levels.iter().enumerate();
            levels.flat_map(move |(level, step)| {
                let targets = step.targets.iter();
                targets.map(move |via| Place {
                    policy: one.id,
                    level: level + 1,
                    via: *via,
                })
            })
        });
        places
            .filter(|place| match (&self.schedules, place.via) {
                (None, _) => true,
                (Some(set), Recipient::Schedule(schedule)) => set.contains(&schedule),
                (Some(_), Recipient::User(_) | Recipient::Team(_)) => self.by_name,
            })
            .collect()
    }
}

/// Everybody's duty in the span.
fn duties(wanted: &Wanted, places: &[Place], known: &Known) -> Result<Vec<Duty>, Problem> {
    let mut all = Vec::new();
    for place in places {
        let duty = |user, schedule, span| Duty {
            policy: place.policy,
            level: place.level,
            schedule,
            user,
            span,
        };
        match place.via {
            Recipient::User(user) => all.push(duty(user, None, None)),
            Recipient::Team(team) => {
                let members = known.teams.get(&team).into_iter().flatten();
                all.extend(members.map(|user| duty(*user, None, None)));
            }
            Recipient::Schedule(id) => {
                let Some(schedule) = known.schedules.get(&id) else {
                    continue;
                };
                let shifts = schedule.shifts(wanted.range).map_err(rota::refused)?;
                refuse_more(all.len() + shifts.len())?;
                // What is asked for is cut to the span; a shift is shown as long as it is.
                all.extend(shifts.iter().map(|shift| {
                    let whole = schedule
                        .shift_at(shift.from)
                        .map_or(shift.span(), |one| one.span());
                    duty(shift.user, Some(id), Some(whole))
                }));
            }
        }
        refuse_more(all.len())?;
    }
    let among = |one: &Duty| {
        wanted
            .users
            .as_ref()
            .is_none_or(|set| set.contains(&one.user))
    };
    all.retain(among);
    if wanted.earliest {
        let mut seen = BTreeSet::new();
        all.sort_by_key(|one| one.span.map(|span| span.from));
        all.retain(|one| seen.insert((one.policy, one.level, one.user)));
    }
    all.sort_by_key(|one| (one.policy, one.level, one.span.map(|span| span.from)));
    Ok(all)
}

fn refuse_more(entries: usize) -> Result<(), Problem> {
    if entries > ENTRIES_MAX {
        let why = "'until' is invalid: the span holds too many entries";
        return Err(Problem::bad(why));
    }
    Ok(())
}

/// What is computed from, apart from the state.
struct Known {
    schedules: std::collections::BTreeMap<ScheduleId, Schedule>,
    teams: std::collections::BTreeMap<tocsin_domain::id::TeamId, Vec<UserId>>,
}

/// Who is on call
#[utoipa::path(get, path = "/oncalls", tag = "fronts", 
    params(parameters::Page, parameters::Span, parameters::People, parameters::Duties, parameters::Zone),
    responses((status = 200, body = Object), (status = 400, body = Object)))]
pub(crate) async fn list_oncalls(asked: Asked) -> Answer {
    let asked = asked.zoned()?;
    let paging: Paging = asked.paging()?;
    let wanted = Wanted::read(&asked)?;
    let (places, known) = asked.app.read(|state| {
        let teams = state.teams.iter();
        let known = Known {
            schedules: state.schedules.clone(),
            teams: teams
                .map(|(id, team)| (*id, team.members.clone()))
                .collect(),
        };
        (wanted.places(state), known)
    });
    let duties = asked
        .app
        .rendered(move || duties(&wanted, &places, &known))
        .await?;
    let cut = paging.cut(duties);
    let whole = asked.parameters.includes("users");
    let people = cut.items.iter().filter(|_| whole).map(|one| one.user);
    let mails = asked.mails(people.collect()).await?;
    let cut = asked
        .app
        .read(|state| cut.map(|one| Some(shown(&asked, state, &one, &mails))));
    Ok(Reply::page(paging, "oncalls", cut))
}

fn shown(asked: &Asked, state: &State, one: &Duty, mails: &Mails) -> Value {
    let place = &asked.place;
    let includes = |what: &str| asked.parameters.includes(what);
    let known = state.users.get(&one.user).filter(|_| includes("users"));
    let shown_user = known.map(|known| user(state, place, known, mails));
    let known = state.policies.get(&one.policy);
    let known = known.filter(|_| includes("escalation_policies"));
    let shown_policy = known.map(|known| policy(state, place, known));
    let shown_schedule = one.schedule.map(|id| {
        let known = state.schedules.get(&id).filter(|_| includes("schedules"));
        let whole = known.map(|known| schedule(state, place, known));
        whole.unwrap_or_else(|| place.schedule(state, id))
    });
    let written = |at: fn(Span) -> Timestamp| one.span.map(|span| place.time(at(span)));
    json!({
        "user": shown_user.unwrap_or_else(|| place.user(state, one.user)),
        "schedule": shown_schedule,
        "escalation_policy": shown_policy.unwrap_or_else(|| place.policy(state, one.policy)),
        "escalation_level": one.level,
        "start": written(|span| span.from),
        "end": written(|span| span.until),
    })
}
