//! Who is on call now, by policy and level. Whose turn it is, is computed elsewhere.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use tocsin_domain::id::UserId;
use tocsin_domain::page::{Policy, Recipient};
use tocsin_domain::state;
use tocsin_domain::time::Timestamp;
use utoipa::ToSchema;

use super::page::Page;
use super::shape::{Instant, Named, named_user};
use crate::app::App;

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
    /// When the shift ends.
    until: Option<Instant>,
    /// Why nobody would be paged here.
    problem: Option<String>,
}

/// Who is on call now?
#[utoipa::path(get, path = "/api/tocsin/v1/oncall", tag = "oncall", responses((status = 200, body = Page<OnCallEntry>)))]
pub(crate) async fn on_call(State(app): State<App>) -> Json<Page<OnCallEntry>> {
    let now = app.now();
    let items = app.read(|state| {
        let mut policies: Vec<&Policy> = state.policies.values().collect();
        policies.sort_by(|one, other| (&one.name, one.id).cmp(&(&other.name, other.id)));
        policies
            .into_iter()
            .flat_map(|policy| entries(state, policy, now))
            .collect()
    });
    Json(Page {
        items,
        next_cursor: None,
    })
}

fn entries(state: &state::State, policy: &Policy, now: Timestamp) -> Vec<OnCallEntry> {
    let named = Named {
        id: policy.id.to_string(),
        name: policy.name.clone(),
    };
    let places = policy
        .levels
        .iter()
        .enumerate()
        .flat_map(|(level, step)| step.targets.iter().map(move |to| (level, to)));
    places
        .flat_map(|(level, to)| {
            let named = named.clone();
            let places = places_of(state, *to, now).into_iter();
            places.map(move |(via, user, until)| OnCallEntry {
                policy: named.clone(),
                level: level + 1,
                via,
                user: user.map(|user| named_user(state, user)),
                until: until.map(Instant),
                problem: problem(state, user),
            })
        })
        .collect()
}

type Place = (Via, Option<UserId>, Option<Timestamp>);

/// One place for each person of a target; one that is empty where it names nobody.
fn places_of(state: &state::State, to: Recipient, now: Timestamp) -> Vec<Place> {
    match to {
        Recipient::User(user) => {
            let via = Via {
                kind: RecipientKind::User,
                id: user.to_string(),
                name: named_user(state, user).name,
            };
            vec![(via, Some(user), None)]
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
                return vec![(via, None, None)];
            }
            let members = members.iter();
            members
                .map(|user| (via.clone(), Some(*user), None))
                .collect()
        }
        Recipient::Schedule(id) => {
            let schedule = state.schedules.get(&id);
            let shift = schedule.and_then(|schedule| schedule.shift_at(now));
            let name = schedule.map_or_else(
                || "a removed schedule".to_owned(),
                |schedule| schedule.name.clone(),
            );
            let via = Via {
                kind: RecipientKind::Schedule,
                id: id.to_string(),
                name,
            };
            let user = shift.map(|shift| shift.user);
            vec![(via, user, shift.map(|shift| shift.until))]
        }
    }
}

fn problem(state: &state::State, user: Option<UserId>) -> Option<String> {
    match user {
        None => Some("nobody is on call".to_owned()),
        Some(user) => match state.users.get(&user) {
            None => Some("the person was removed".to_owned()),
            Some(user) if !user.is_reachable() => Some("no contact method is confirmed".to_owned()),
            Some(_) => None,
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
        .filter_map(|(_, user, _)| user)
        .collect()
}
