//! What will be wrong with paging in the days ahead, as the API writes it. What counts as wrong is decided elsewhere.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use tocsin_domain::ahead::{self, Roster};
use tocsin_domain::oncall::GAP_DAYS_AHEAD;
use tocsin_domain::state;
use utoipa::ToSchema;

use super::problem::Problem;
use super::shape::{Instant, Named, named_policy, named_schedule, named_user};
use crate::app::App;

/// Kinds of trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FindingKind {
    /// A schedule that a policy uses has nobody for a while.
    Gap,
    /// A schedule has nobody at all.
    EmptySchedule,
    /// Somebody who will be paged has no confirmed contact method, or none by a channel that is set up.
    Unreachable,
    /// Somebody who will be paged hears of it only when the level that they stand on is over.
    Late,
    /// A level of a policy would page nobody.
    EmptyLevel,
    /// Nobody on the list of last resort can be reached.
    LastResort,
}

/// Something that will keep a page from somebody, unless it is repaired.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Finding {
    /// Names it: the same as long as it is the same trouble.
    key: String,
    kind: FindingKind,
    /// What it is, in words.
    text: String,
    /// When it begins, now at the earliest.
    since: Instant,
    /// When it ends for the first time; null: not within the days that are looked at.
    until: Option<Instant>,
    /// How often it is so in the days that are looked at.
    times: u32,
    schedule: Option<Named>,
    user: Option<Named>,
    policy: Option<Named>,
    /// Of the policy, from 1.
    level: Option<usize>,
}

/// What will be wrong.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Findings {
    /// What is nearest first; 500 at most.
    items: Vec<Finding>,
    /// How many days ahead were looked at.
    days: u32,
}

fn shown(state: &state::State, finding: ahead::Finding) -> Finding {
    let mut shown = Finding {
        key: finding.key,
        kind: FindingKind::Gap,
        text: finding.text,
        since: Instant(finding.since),
        until: finding.until.map(Instant),
        times: finding.times,
        schedule: None,
        user: None,
        policy: None,
        level: None,
    };
    match finding.kind {
        ahead::FindingKind::Gap { schedule } => {
            shown.schedule = Some(named_schedule(state, schedule));
        }
        ahead::FindingKind::EmptySchedule { schedule } => {
            shown.kind = FindingKind::EmptySchedule;
            shown.schedule = Some(named_schedule(state, schedule));
        }
        ahead::FindingKind::Unreachable { user } => {
            shown.kind = FindingKind::Unreachable;
            shown.user = Some(named_user(state, user));
        }
        ahead::FindingKind::Late { user } => {
            shown.kind = FindingKind::Late;
            shown.user = Some(named_user(state, user));
        }
        ahead::FindingKind::EmptyLevel { policy, level } => {
            shown.kind = FindingKind::EmptyLevel;
            shown.policy = Some(named_policy(state, policy));
            shown.level = Some(level + 1);
        }
        ahead::FindingKind::LastResort => shown.kind = FindingKind::LastResort,
    }
    shown
}

/// What will keep a page from somebody in the next 14 days: gaps, people who cannot be reached, levels that page nobody
#[utoipa::path(get, path = "/api/tocsin/v1/oncall/findings", tag = "oncall", responses((status = 200, body = Findings)))]
pub(crate) async fn list_findings(State(app): State<App>) -> Result<Json<Findings>, Problem> {
    let now = app.now();
    let set_up = app.what_is_set_up().await?;
    let roster = app.read(|state| Roster::of(state, &set_up));
    let found = app.rendered(move || Ok(roster.findings(now))).await?;
    let items = app.read(|state| {
        let each = found.into_iter();
        each.map(|finding| shown(state, finding)).collect()
    });
    Ok(Json(Findings {
        items,
        days: GAP_DAYS_AHEAD,
    }))
}
