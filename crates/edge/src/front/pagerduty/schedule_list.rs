//! The list of schedules, over a span where one is asked for, and when somebody is on call next.

use serde_json::Value;
use tocsin_domain::id::{ScheduleId, TeamId, UserId};
use tocsin_domain::oncall::{Schedule, Shift, Span};
use tocsin_domain::state::State;
use tocsin_domain::time::Timestamp;

use super::asked::Asked;
use super::parameters;
use super::place::Place;
use super::reply::{Answer, Refused, Reply};
use super::schedule_shape::{Rendered, entry, schedule, schedule_in_full};
use super::schedules::{refuse_more, render, span_in};
use crate::http::problem::Problem;
use crate::http::roster::rota;

/// What lists leave out of a schedule unless `include[]` names it.
pub(super) const PARTS: [&str; 3] = ["schedule_layers", "overrides_subschedule", "final_schedule"];
/// The parameter that names whose next turn is told, and the field in which it is.
pub(super) const NEXT_FOR: &str = "include_next_oncall_for_user";
const NEXT: &str = "next_oncall_for_user";
/// How far ahead that is looked for, as on-calls are: 90 days.
const AHEAD_MS: u64 = 90 * 24 * 3_600_000;

/// Whose next turn is asked for. A text that is no id names nobody, who has none.
#[derive(Clone, Copy, Debug)]
struct Next {
    user: Option<UserId>,
    now: Timestamp,
}

impl Next {
    fn read(asked: &Asked) -> Option<Self> {
        let text = asked.parameters.get(NEXT_FOR)?;
        Some(Self {
            user: text.parse().ok(),
            now: asked.app.now(),
        })
    }

    /// The turn, which may be under way, as long as it is.
    fn turn(self, known: &Schedule) -> Result<Option<Span>, Problem> {
        let named = self.user.filter(|user| known.people().contains(user));
        let Some(user) = named else {
            return Ok(None);
        };
        let ahead = Span::new(self.now, self.now.plus_ms(AHEAD_MS));
        let shifts = known.shifts(ahead).map_err(rota::refused)?;
        let next = shifts.iter().find(|shift| shift.user == user);
        Ok(next.map(Shift::span))
    }

    fn shown(self, state: &State, place: &Place, turn: Option<Span>) -> Value {
        let turn = self.user.zip(turn);
        let turn = turn.map(|(user, span)| entry(state, place, user, span));
        turn.unwrap_or_default()
    }
}

/// Which schedules are wanted.
struct Among {
    /// Those that were given to one of these teams.
    teams: Option<Vec<TeamId>>,
    /// Those that name one of these people.
    users: Option<Vec<UserId>>,
}

impl Among {
    fn read(asked: &Asked) -> Result<Self, Refused> {
        Ok(Self {
            teams: asked.parameters.ids("team_ids")?,
            users: asked.parameters.ids("user_ids")?,
        })
    }

    fn holds(&self, known: &Schedule) -> bool {
        let is_of = |teams: &Vec<TeamId>| known.given_to.is_some_and(|team| teams.contains(&team));
        let names = |users: &Vec<UserId>| {
            let named = known.people();
            users.iter().any(|user| named.contains(user))
        };
        self.teams.as_ref().is_none_or(is_of) && self.users.as_ref().is_none_or(names)
    }
}

/// What is computed of a schedule before it is shown.
#[derive(Debug, Default)]
struct Computed {
    rendered: Rendered,
    turn: Option<Span>,
}

/// Computes these schedules. All together have no more entries than one may have.
fn computed(
    all: &[Schedule],
    range: Option<Span>,
    next: Option<Next>,
) -> Result<Vec<Computed>, Problem> {
    let mut entries = 0;
    let each = all.iter().map(|known| {
        let rendered = render(known, range, false)?;
        entries += rendered.entries();
        refuse_more(entries)?;
        let turn = next.map(|next| next.turn(known)).transpose()?;
        let turn = turn.flatten();
        Ok(Computed { rendered, turn })
    });
    each.collect()
}

/// Schedules, with who has duty between `since` and `until` where `include[]` names that
#[utoipa::path(get, path = "/schedules", tag = "fronts",
    params(parameters::Page, parameters::Search, parameters::Span, parameters::Zone, parameters::Teams, parameters::People,
        parameters::NextTurn, parameters::ScheduleInclude),
    responses((status = 200, body = Object), (status = 400, body = Object)))]
pub(crate) async fn list_pagerduty_schedules(asked: Asked) -> Answer {
    let asked = asked.zoned()?;
    let paging = asked.paging()?;
    let wanted = PARTS.into_iter();
    let wanted: Vec<&str> = wanted
        .filter(|part| asked.parameters.includes(part))
        .collect();
    let range = span_in(&asked)?.filter(|_| !wanted.is_empty());
    let next = Next::read(&asked);
    let among = Among::read(&asked)?;
    let cut = asked.app.read(|state| {
        let all = state.schedules.values().filter(|one| among.holds(one));
        let named = all.map(|one| (one.id, one.name.as_str(), ""));
        let cut = asked.named_cut(paging, named)?;
        Ok::<_, Refused>(cut.map(|id: ScheduleId| state.schedules.get(&id).cloned()))
    })?;
    let all = cut.items.clone();
    // A plain list waits for nobody's turn.
    let computed = if range.is_none() && next.is_none() {
        Vec::new()
    } else {
        let work = move || computed(&all, range, next);
        asked.app.rendered(work).await?
    };
    let mut computed = computed.into_iter();
    // Only what the page holds is shown: each asks all policies which of them name it.
    let cut = asked.app.read(|state| {
        cut.map(|known| {
            let computed = computed.next().unwrap_or_default();
            let place = &asked.place;
            let mut shown = schedule(state, place, &known);
            if !wanted.is_empty() {
                let mut full = schedule_in_full(state, place, &known, &computed.rendered);
                for part in &wanted {
                    shown[*part] = full[*part].take();
                }
            }
            if let Some(next) = next {
                shown[NEXT] = next.shown(state, place, computed.turn);
            }
            Some(shown)
        })
    });
    Ok(Reply::page(paging, "schedules", cut))
}

impl Asked {
    /// Tells in a schedule when whoever is asked for is on call next.
    pub(super) async fn with_next_turn(
        &self,
        known: Schedule,
        mut shown: Value,
    ) -> Result<Value, Refused> {
        let Some(next) = Next::read(self) else {
            return Ok(shown);
        };
        let turn = self.app.rendered(move || next.turn(&known)).await?;
        let read = |state: &State| next.shown(state, &self.place, turn);
        shown[NEXT] = self.app.read(read);
        Ok(shown)
    }
}
