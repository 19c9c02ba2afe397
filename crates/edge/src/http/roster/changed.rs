//! What was changed of a schedule by hand, as the API writes it.

use serde::Serialize;
use tocsin_domain::oncall::{self, SwapProposal, SwapSide};
use tocsin_domain::time::Timestamp;
use utoipa::ToSchema;

use super::layer::{Turn, shown_turn};
use super::rota::Names;
use crate::http::shape::{Instant, Named};

/// One person for a span, whoever else would be on call.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Override {
    pub(crate) id: String,
    user: Named,
    from: Instant,
    /// The first instant after it.
    until: Instant,
}

/// Fixed shifts for a span, in place of the layers.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Temporary {
    pub(crate) id: String,
    from: Instant,
    /// The first instant after it.
    until: Instant,
    /// In order.
    members: Vec<Named>,
    /// How long each of them has; null: one person has the whole span.
    turn: Option<Turn>,
}

/// Where a swap stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum SwapState {
    /// One of the two offers it; nothing is exchanged yet.
    Offered,
    /// It holds.
    Agreed,
    /// It was agreed, but one of the two is not on call within that time any more, so nothing is exchanged.
    Void,
}

/// What one person gives in a swap.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct SwapGiven {
    user: Named,
    /// Their time on call within this span is given.
    from: Instant,
    /// The first instant after it.
    until: Instant,
}

/// Two people exchange what each has in a span.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Swap {
    pub(crate) id: String,
    state: SwapState,
    one: SwapGiven,
    other: SwapGiven,
    /// Who offers it, while it is offered.
    offered_by: Option<Named>,
    /// Who can accept it, while it is offered.
    awaits: Option<Named>,
    /// When it was offered, while it is.
    offered_at: Option<Instant>,
}

/// The overrides that are not over.
pub(crate) fn overrides(known: &oncall::Schedule, names: &Names, now: Timestamp) -> Vec<Override> {
    overrides_between(known, names, now, None)
}

/// The overrides that are not over at `since` and begin before `until`, if that is said, in the order in which they begin.
pub(crate) fn overrides_between(
    known: &oncall::Schedule,
    names: &Names,
    since: Timestamp,
    until: Option<Timestamp>,
) -> Vec<Override> {
    let is_within =
        |span: oncall::Span| span.until > since && until.is_none_or(|until| span.from < until);
    let all = known.overrides.iter();
    let mut within: Vec<&oncall::Override> = all.filter(|one| is_within(one.span)).collect();
    within.sort_by_key(|one| one.span.from);
    let shown = |one: &oncall::Override| Override {
        id: one.id.to_string(),
        user: names.named(one.user),
        from: Instant(one.span.from),
        until: Instant(one.span.until),
    };
    within.into_iter().map(shown).collect()
}

/// The temporary shifts that are not over.
pub(crate) fn temporary(known: &oncall::Schedule, names: &Names, now: Timestamp) -> Vec<Temporary> {
    let mut ahead: Vec<&oncall::Temporary> = known
        .temporary
        .iter()
        .filter(|one| one.span.until > now)
        .collect();
    ahead.sort_by_key(|one| one.span.from);
    let shown = |one: &oncall::Temporary| Temporary {
        id: one.id.to_string(),
        from: Instant(one.span.from),
        until: Instant(one.span.until),
        members: one.members.iter().map(|user| names.named(*user)).collect(),
        turn: one.turn.map(shown_turn),
    };
    ahead.into_iter().map(shown).collect()
}

/// The swaps that are not over: those that can still be taken first.
pub(crate) fn swaps(known: &oncall::Schedule, names: &Names, now: Timestamp) -> Vec<Swap> {
    let offers = known.proposed.iter();
    let offered = offers
        .filter(|offer| !offer.swap.has_begun(now))
        .map(|offer| swap(&offer.swap, SwapState::Offered, Some(offer), names));
    let standings = known.swap_standings();
    let agreed = known.swaps.iter().zip(standings);
    let agreed = agreed
        .filter(|(one, _)| one.one.span.until.max(one.other.span.until) > now)
        .map(|(one, standing)| {
            let state = if standing.is_void() {
                SwapState::Void
            } else {
                SwapState::Agreed
            };
            swap(one, state, None, names)
        });
    offered.chain(agreed).collect()
}

fn swap(one: &oncall::Swap, state: SwapState, offer: Option<&SwapProposal>, names: &Names) -> Swap {
    let given = |side: SwapSide| SwapGiven {
        user: names.named(side.user),
        from: Instant(side.span.from),
        until: Instant(side.span.until),
    };
    Swap {
        id: one.id.to_string(),
        state,
        one: given(one.one),
        other: given(one.other),
        offered_by: offer.map(|offer| names.named(offer.by)),
        awaits: offer.map(|offer| names.named(offer.awaits())),
        offered_at: offer.map(|offer| Instant(offer.at)),
    }
}
