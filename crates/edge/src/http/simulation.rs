//! "Who would be contacted when?": the real decisions played through in virtual time, as the API shows it.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use tocsin_domain::id::{TargetId, UserId};
use tocsin_domain::people;
use tocsin_domain::simulate::{self, Contact, End, QuietTarget, What, simulate};
use tocsin_domain::state;
use tocsin_domain::time::Timestamp;
use utoipa::ToSchema;

use super::body::Params;
use super::problem::Problem;
use super::shape::{
    ChannelKind, Instant, Named, Urgency, named_policy, named_service, named_target, named_user,
};
use crate::app::App;

/// A simulation is asked for at most this far from now: two years.
const DISTANCE_MS_MAX: u64 = 731 * 86_400_000;
/// How long one waits for its turn.
const TURN_WAIT: Duration = Duration::from_secs(10);

/// What is to be played through.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct SimulationQuery {
    /// When the service fails, RFC 3339; now when not given.
    #[param(value_type = Option<String>, format = DateTime)]
    at: Option<Instant>,
    /// High when not given.
    #[param(inline)]
    urgency: Option<Urgency>,
    /// The id of a target of the service, of which the alert is then. Without one it is of the service alone, as an alert from outside
    /// is: no mute and no maintenance of a target counts.
    target: Option<String>,
}

/// One thing that would happen.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct SimulatedStep {
    /// Milliseconds after the failure.
    after_ms: u64,
    at: Instant,
    #[serde(flatten)]
    what: SimulatedWhat,
}

/// What would happen.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub(crate) enum SimulatedWhat {
    /// A level of the policy is reached.
    Level {
        policy: Option<Named>,
        /// From 1.
        level: usize,
        /// How often the policy was walked through before.
        r#loop: u32,
        people: Vec<Named>,
        /// Who or what is passed over, and why.
        skipped: Vec<String>,
    },
    /// The list of last resort is paged.
    Fallback {
        people: Vec<Named>,
        /// Why, with who or what was passed over.
        why: Vec<String>,
    },
    /// A message is sent to a person.
    Contact {
        user: Named,
        channel: ChannelKind,
        /// What its owner calls the contact method.
        label: String,
        /// From 1; null for the list of last resort.
        level: Option<usize>,
        /// How often the policy was walked through before.
        r#loop: u32,
        /// Why this person by this way.
        why: String,
    },
    /// The page waits.
    Held { why: String, until: Instant },
    /// Nobody is paged although it is urgent.
    Suppressed { why: String, until: Instant },
}

/// Why a simulation ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SimulationEnd {
    /// The list of last resort was reached twice: it goes on like that every 15 minutes.
    Repeats,
    /// 24 hours have passed.
    Day,
    /// Nothing more happens.
    Nothing,
    /// More happens than is told.
    TooMuch,
}

/// A target of the service that is muted or worked on at that time: nobody would be paged for its own alerts.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct SimulatedQuiet {
    target: Named,
    why: String,
    /// When its alerts page again.
    until: Instant,
}

/// Who would be contacted when, if nobody answered and every provider took every message.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Simulation {
    service: Named,
    /// The target of which the alert is; null when it is of the service alone.
    target: Option<Named>,
    at: Instant,
    urgency: Urgency,
    steps: Vec<SimulatedStep>,
    end: SimulationEnd,
    /// Targets of the service whose own alerts would page nobody; none where a target was asked for.
    quiet_targets: Vec<SimulatedQuiet>,
}

/// Who would be contacted when
///
/// What would happen if the service failed at that time, nobody answered, and every provider took every message: played
/// through by what decides about real pages, on a copy. Nothing is sent and nothing is kept.
#[utoipa::path(get, path = "/api/tocsin/v1/services/{id}/simulation", tag = "oncall",
    params(("id" = String, Path), SimulationQuery),
    responses((status = 200, body = Simulation), (status = 400), (status = 404)))]
pub(crate) async fn simulation(
    State(app): State<App>,
    Path(id): Path<String>,
    Params(query): Params<SimulationQuery>,
) -> Result<Json<Simulation>, Problem> {
    let missing = || Problem::not_found(&format!("service {id}"));
    let service = id.parse().map_err(|_| missing())?;
    let now = app.now();
    let at = query.at.map_or(now, |at| at.0);
    if at.ms_since(now).max(now.ms_since(at)) > DISTANCE_MS_MAX {
        return Err(Problem::bad("at: at most two years from now"));
    }
    let urgency = query.urgency.unwrap_or(Urgency::High);
    let target = query.target.map(target_of).transpose()?;
    let wanted = simulate::Wanted {
        service,
        target,
        at,
        urgency: people::Urgency::from(urgency),
    };
    let turn = Arc::clone(&app.inner().queries).acquire_owned();
    let Ok(Ok(turn)) = tokio::time::timeout(TURN_WAIT, turn).await else {
        return Err(Problem::too_many("too much is being asked at once", 5));
    };
    // The engine must not wait for a simulation: it is played on a copy, beside everything else.
    let copy = app.read(state::State::without_incidents);
    let played = tokio::task::spawn_blocking(move || {
        let played = simulate(&copy, &wanted);
        drop(turn);
        played.map(|played| shown(&copy, &wanted, urgency, played))
    });
    match played.await {
        Ok(outcome) => outcome.map(Json).map_err(Problem::from),
        Err(_) => Err(Problem::internal(
            "the simulation ended in a fault of Tocsin itself",
        )),
    }
}

fn target_of(id: String) -> Result<TargetId, Problem> {
    id.parse()
        .map_err(|_| Problem::not_found(&format!("target {id}")))
}

fn shown(
    state: &state::State,
    wanted: &simulate::Wanted,
    urgency: Urgency,
    played: simulate::Simulation,
) -> Simulation {
    let steps = played.steps.into_iter().map(|step| SimulatedStep {
        after_ms: step.after_ms,
        at: Instant(wanted.at.plus_ms(step.after_ms)),
        what: what(state, wanted.at, step.what),
    });
    Simulation {
        service: named_service(state, wanted.service),
        target: wanted.target.map(|target| named_target(state, target)),
        at: Instant(wanted.at),
        urgency,
        steps: steps.collect(),
        end: match played.end {
            End::Repeats => SimulationEnd::Repeats,
            End::Ahead => SimulationEnd::Day,
            End::Nothing => SimulationEnd::Nothing,
            End::TooMuch => SimulationEnd::TooMuch,
        },
        quiet_targets: played
            .quiet
            .into_iter()
            .map(|one| quiet_target(state, one))
            .collect(),
    }
}

fn quiet_target(state: &state::State, one: QuietTarget) -> SimulatedQuiet {
    SimulatedQuiet {
        target: named_target(state, one.target),
        why: one.quiet.why,
        until: Instant(one.quiet.until),
    }
}

fn what(state: &state::State, from: Timestamp, what: What) -> SimulatedWhat {
    let named = |users: Vec<UserId>| -> Vec<Named> {
        users
            .into_iter()
            .map(|user| named_user(state, user))
            .collect()
    };
    match what {
        What::Level {
            policy,
            level,
            round,
            people,
            skipped,
        } => SimulatedWhat::Level {
            policy: policy.map(|policy| named_policy(state, policy)),
            level: level + 1,
            r#loop: round,
            people: named(people),
            skipped,
        },
        What::Fallback { people, why } => SimulatedWhat::Fallback {
            people: named(people),
            why,
        },
        What::Contact(contact) => shown_contact(state, contact),
        What::Held { why, until_ms } => SimulatedWhat::Held {
            why,
            until: Instant(from.plus_ms(until_ms)),
        },
        What::Suppressed { why, until_ms } => SimulatedWhat::Suppressed {
            why,
            until: Instant(from.plus_ms(until_ms)),
        },
    }
}

fn shown_contact(state: &state::State, contact: Contact) -> SimulatedWhat {
    let user = state.users.get(&contact.user);
    let method = user.and_then(|user| user.contact_method(contact.method));
    SimulatedWhat::Contact {
        user: named_user(state, contact.user),
        channel: contact.channel.into(),
        label: method.map_or_else(String::new, |method| method.label.clone()),
        level: contact.level.map(|level| level + 1),
        r#loop: contact.round,
        why: contact.why,
    }
}
