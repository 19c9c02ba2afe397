//! Shifts and rendered spans as the API writes them, and the names that stand in them. It decides nothing.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use tocsin_domain::id::UserId;
use tocsin_domain::oncall::{self, By, Entry, Span};
use tocsin_domain::state::State;
use tocsin_domain::time::Timestamp;
use utoipa::{IntoParams, ToSchema};

use crate::http::problem::Problem;
use crate::http::shape::{Instant, Named, named_user};

/// Days that are shown when no end is asked for.
const RANGE_DAYS_DEFAULT: u32 = 14;

/// Names of people, taken once, so that the state is not held while a schedule is computed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names(BTreeMap<UserId, Named>);

impl Names {
    /// The names of these people.
    pub(crate) fn of(state: &State, people: BTreeSet<UserId>) -> Self {
        let named = people
            .into_iter()
            .map(|user| (user, named_user(state, user)));
        Self(named.collect())
    }

    /// A person by name.
    pub(crate) fn named(&self, user: UserId) -> Named {
        self.0.get(&user).cloned().unwrap_or_else(|| Named {
            id: user.to_string(),
            name: "a removed person".to_owned(),
        })
    }
}

/// What puts somebody on call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ReasonKind {
    /// A layer.
    Layer,
    /// A temporary shift.
    Temporary,
    /// A swap.
    Swap,
    /// An override.
    Override,
}

/// What puts somebody on call.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Reason {
    kind: ReasonKind,
    /// Of a layer: its place among the schedule's layers, from 0.
    layer: Option<usize>,
    /// Of anything else: its id.
    id: Option<String>,
}

impl From<By> for Reason {
    fn from(by: By) -> Self {
        let named = |kind, id| Self {
            kind,
            layer: None,
            id: Some(id),
        };
        match by {
            By::Layer(index) => Self {
                kind: ReasonKind::Layer,
                layer: Some(index),
                id: None,
            },
            By::Temporary(id) => named(ReasonKind::Temporary, id.to_string()),
            By::Swap(id) => named(ReasonKind::Swap, id.to_string()),
            By::Override(id) => named(ReasonKind::Override, id.to_string()),
        }
    }
}

/// One person on call without a break, by one turn of one source.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Shift {
    from: Instant,
    /// The first instant after it.
    until: Instant,
    user: Named,
    reason: Reason,
}

impl Shift {
    /// As the API writes it.
    pub(crate) fn of(shift: &oncall::Shift, names: &Names) -> Self {
        Self {
            from: Instant(shift.from),
            until: Instant(shift.until),
            user: names.named(shift.user),
            reason: shift.by.into(),
        }
    }
}

/// A part of a rendered span: a shift, or a gap.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct RotaEntry {
    from: Instant,
    /// The first instant after it.
    until: Instant,
    /// Whether nobody is on call.
    gap: bool,
    /// Null in a gap.
    user: Option<Named>,
    /// Null in a gap.
    reason: Option<Reason>,
}

/// Rendered entries as the API writes them.
pub(crate) fn entries(all: &[Entry], names: &Names) -> Vec<RotaEntry> {
    let entry = |one: &Entry| {
        let span = one.span();
        let reason = match one {
            Entry::Shift(shift) => Some(shift.by.into()),
            Entry::Gap(_) => None,
        };
        RotaEntry {
            from: Instant(span.from),
            until: Instant(span.until),
            gap: one.user().is_none(),
            user: one.user().map(|user| names.named(user)),
            reason,
        }
    };
    all.iter().map(entry).collect()
}

/// Which span is wanted.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct RangeQuery {
    /// From when on (RFC 3339); now when not given.
    #[param(format = DateTime)]
    since: Option<String>,
    /// Until when; 14 days later when not given.
    #[param(format = DateTime)]
    until: Option<String>,
}

/// Whose shifts are wanted, and when.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ShiftsQuery {
    /// Whose: the id of a person; one's own when not given.
    #[param(pattern = "^Q[A-Z2-7]{13}$")]
    pub(crate) user: Option<String>,
    /// From when on (RFC 3339); now when not given.
    #[param(format = DateTime)]
    since: Option<String>,
    /// Until when; 14 days later when not given.
    #[param(format = DateTime)]
    until: Option<String>,
}

impl RangeQuery {
    /// The span that is meant.
    pub(crate) fn range(&self, now: Timestamp) -> Result<Span, Problem> {
        read_range(self.since.as_deref(), self.until.as_deref(), now)
    }
}

impl ShiftsQuery {
    /// The span that is meant.
    pub(crate) fn range(&self, now: Timestamp) -> Result<Span, Problem> {
        read_range(self.since.as_deref(), self.until.as_deref(), now)
    }
}

fn read_range(since: Option<&str>, until: Option<&str>, now: Timestamp) -> Result<Span, Problem> {
    let mut reasons = Vec::new();
    let since = instant("since", since, &mut reasons);
    let until = instant("until", until, &mut reasons);
    if reasons.is_empty() {
        Ok(range_of(since, until, now))
    } else {
        Err(Problem::invalid(reasons))
    }
}

/// The span from `since`, or now, until `until`, or some days later.
pub(crate) fn range_of(since: Option<Timestamp>, until: Option<Timestamp>, now: Timestamp) -> Span {
    let usual = Span::of_days(since.unwrap_or(now), RANGE_DAYS_DEFAULT);
    Span::new(usual.from, until.unwrap_or(usual.until))
}

/// An instant of a parameter; why it cannot be read is added to `reasons`.
pub(crate) fn instant(
    field: &str,
    text: Option<&str>,
    reasons: &mut Vec<String>,
) -> Option<Timestamp> {
    // A plus sign that was not encoded arrives as a space.
    let text = text?.replace(' ', "+");
    let read = Timestamp::parse_rfc3339(&text);
    if read.is_none() {
        let wanted = "an instant is written as in 2026-11-23T07:12:58Z";
        reasons.push(format!("{field}: {}", Timestamp::refusal(&text, wanted)));
    }
    read
}

/// Why a span cannot be rendered, in the words of the request.
pub(crate) fn refused(refused: oncall::Refused) -> Problem {
    match refused {
        oncall::Refused::Empty
        | oncall::Refused::TooLong
        | oncall::Refused::OutsideCalendar
        | oncall::Refused::TooManyEntries => Problem::bad(format!("until: {refused}")),
        oncall::Refused::NoSuchLayer(_) => Problem::bad(format!("layers: {refused}")),
    }
}
