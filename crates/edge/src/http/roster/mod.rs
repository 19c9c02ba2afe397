//! Schedules, escalation policies, the list of last resort, teams, services and their integrations. What they may hold is
//! decided elsewhere.

pub(crate) mod business;
pub(crate) mod change;
mod changed;
pub(crate) mod dependency;
pub(crate) mod fallback;
pub(crate) mod integration;
pub(crate) mod key;
mod layer;
pub(crate) mod policy;
pub(crate) mod rendered;
pub(crate) mod rota;
pub(crate) mod schedule;
pub(crate) mod service;
pub(crate) mod team;

use tocsin_domain::command::{Ask, RosterAsk};
use tocsin_domain::event::{Actor, EventBody, RosterEvent};
use tocsin_domain::id::TeamId;
use tocsin_engine::handle::Done;

use super::problem::Problem;
use crate::access::who::Caller;
use crate::app::App;

/// Asks the core and gives the event about the roster that came of it.
pub(crate) async fn set_in(
    app: &App,
    caller: &Caller,
    ask: RosterAsk,
) -> Result<RosterEvent, Problem> {
    set_by(app, caller, Ask::Roster(ask)).await
}

/// The same for whatever changes the roster.
pub(crate) async fn set_by(app: &App, caller: &Caller, ask: Ask) -> Result<RosterEvent, Problem> {
    set_as(app, &caller.actor, ask).await
}

/// The same as whoever it is journalled.
pub(crate) async fn set_as(app: &App, actor: &Actor, ask: Ask) -> Result<RosterEvent, Problem> {
    event_in(&asked(app, actor, ask).await?)
}

/// The same for whoever has the turn of the roster.
pub(crate) async fn set_in_turn(
    app: &App,
    actor: &Actor,
    ask: Ask,
) -> Result<RosterEvent, Problem> {
    event_in(&app.ask(actor, ask).await?)
}

/// Asks the core for a change of something that others read, change and write back: in their turn, so that none of them writes back
/// what was before it, and to the end.
pub(crate) async fn asked(app: &App, actor: &Actor, ask: Ask) -> Result<Done, Problem> {
    let (own, actor) = (app.clone(), actor.clone());
    let work = async move { own.ask(&actor, ask).await };
    App::in_turn(&app.inner().roster_changes, work).await
}

fn event_in(done: &Done) -> Result<RosterEvent, Problem> {
    let event = done.events().iter().find_map(|event| match &event.body {
        EventBody::Roster(event) => Some(event.clone()),
        EventBody::Installation(_)
        | EventBody::People(_)
        | EventBody::Watch(_)
        | EventBody::Alert(_)
        | EventBody::Incident(_)
        | EventBody::Notification(_)
        | EventBody::Input(_) => None,
    });
    event.ok_or_else(lost)
}

/// The team that a request gives something to, `Some(None)` for none; as before where it says nothing of it.
fn given_to(team: Option<Option<String>>) -> Result<Option<Option<TeamId>>, Problem> {
    let wrong = |_| Problem::bad("team_id: not an id");
    let read = |id: String| id.parse::<TeamId>().map_err(wrong);
    team.map(|team| team.map(read).transpose()).transpose()
}

/// The change is on disk, but the answer cannot show it.
pub(crate) fn lost() -> Problem {
    Problem::internal("the change was kept but not found; ask for it again")
}
