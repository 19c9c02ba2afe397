//! A schedule as it is kept and sent: layers and what was changed by hand. It computes nothing.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::civil::{CivilTime, TimeOfDay, WeekTime};
use super::span::Span;
use super::swap::{Swap, SwapProposal};
use crate::id::{OverrideId, ScheduleId, TeamId, TemporaryId, UserId};
use crate::numbers::Numbers;
use crate::time::Timestamp;

/// Who is on call when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Stored")]
pub struct Schedule {
    /// Its id.
    pub id: ScheduleId,
    /// The first team, whose it is where it was given to none.
    pub team: TeamId,
    /// The team that it was given to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub given_to: Option<TeamId>,
    /// Its name.
    pub name: String,
    /// IANA name of its zone (`Europe/Paris`).
    pub time_zone: String,
    /// Rotations; a later one takes the place of an earlier one wherever it has somebody.
    pub layers: Vec<Layer>,
    /// Fixed shifts, over the layers; a later one in the list is over an earlier one.
    pub temporary: Vec<Temporary>,
    /// Exchanges between two people, over all that; a later one sees what an earlier one did.
    pub swaps: Vec<Swap>,
    /// One person for a span, over everything; a later one in the list is over an earlier one.
    pub overrides: Vec<Override>,
    /// Exchanges that one of two people offered the other; they change nothing until they are accepted.
    pub proposed: Vec<SwapProposal>,
    /// What it is for, in the words of whoever set it up; may be empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// What its layers are called, in their order, where somebody called them something.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub layer_names: Vec<String>,
    /// The numbers by which its layers are known.
    #[serde(skip_serializing_if = "Numbers::are_places")]
    pub layer_numbers: Numbers,
}

/// A schedule with all that is said of it at once, as it shall be; what was changed by hand for it stays.
#[derive(Clone, Debug, PartialEq)]
pub struct WholeSchedule {
    /// Which, or a new one.
    pub id: Option<ScheduleId>,
    /// Its name.
    pub name: String,
    /// Its zone.
    pub time_zone: String,
    /// Its rotations, all of them.
    pub layers: Vec<Layer>,
    /// What it is for; what was said before stays when none.
    pub description: Option<String>,
    /// What its layers are called, in their order. When none, as many layers as before keep what they were called.
    pub layer_names: Option<Vec<String>>,
    /// The team that it is given to, `Some(None)` for none; as before when none is said.
    pub given_to: Option<Option<TeamId>>,
    /// The numbers by which its layers are known from now on; each that of its place before when none.
    pub layer_numbers: Option<Numbers>,
}

/// People who take turns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layer {
    /// Nobody is on call by this layer before; without `hand_off` also when the first turn begins.
    pub start: Timestamp,
    /// Nobody is on call by this layer from here on; `None`: it does not end.
    #[serde(default)]
    pub until: Option<Timestamp>,
    /// IANA name of the layer's own zone; `None`: the schedule's.
    #[serde(default)]
    pub time_zone: Option<String>,
    /// A civil time at which the first member takes over: every other hand-off is a whole number of turns from it, before
    /// and after. `None`: the civil time of `start`.
    #[serde(default)]
    pub hand_off: Option<CivilTime>,
    /// Length of a turn, in `unit`; at least 1.
    pub every: u32,
    /// Unit of the length of a turn.
    pub unit: TurnUnit,
    /// Who, in order; nobody is on call when it is empty.
    pub members: Vec<UserId>,
    /// When the layer has somebody at all: in any of these windows; always when there is none. Turns pass on outside of them
    /// too.
    #[serde(default)]
    pub restrictions: Vec<Restriction>,
}

/// What turns are counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TurnUnit {
    /// Hours of the civil clock.
    Hours,
    /// Days.
    Days,
    /// Weeks.
    Weeks,
}

/// Length of a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    /// In `unit`; at least 1.
    pub every: u32,
    /// Its unit.
    pub unit: TurnUnit,
}

/// A recurring window of civil time, half open. Its two ends differ: always is told by no restriction at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Restriction {
    /// Every day.
    Daily {
        /// When it begins.
        from: TimeOfDay,
        /// When it ends: on the next day unless this is later than `from`.
        until: TimeOfDay,
    },
    /// Every week.
    Weekly {
        /// When it begins.
        from: WeekTime,
        /// When it ends: in the next week unless this is later than `from`.
        until: WeekTime,
    },
}

/// One person for a span, whoever else would be on call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Override {
    /// Its id.
    pub id: OverrideId,
    /// Who is on call.
    pub user: UserId,
    /// When.
    pub span: Span,
}

/// Fixed shifts for a span, in place of the layers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Temporary {
    /// Its id.
    pub id: TemporaryId,
    /// When.
    pub span: Span,
    /// Who, in order, from the beginning of the span on; after the last one it is the first one's turn again.
    pub members: Vec<UserId>,
    /// Length of a turn by the civil clock of the schedule's zone; `None`: one person has the whole span.
    #[serde(default)]
    pub turn: Option<Turn>,
}

impl Layer {
    /// Turns that begin at `start`, without end and at all times.
    #[must_use]
    pub fn rotation(start: Timestamp, turn: Turn, members: Vec<UserId>) -> Self {
        Self {
            start,
            until: None,
            time_zone: None,
            hand_off: None,
            every: turn.every,
            unit: turn.unit,
            members,
            restrictions: Vec::new(),
        }
    }
}

impl Schedule {
    /// A schedule of these layers, with nothing changed by hand.
    #[must_use]
    pub fn of_layers(
        id: ScheduleId,
        team: TeamId,
        name: String,
        time_zone: String,
        layers: Vec<Layer>,
    ) -> Self {
        Self {
            id,
            team,
            given_to: None,
            name,
            time_zone,
            layers,
            temporary: Vec::new(),
            swaps: Vec::new(),
            overrides: Vec::new(),
            proposed: Vec::new(),
            description: String::new(),
            layer_names: Vec::new(),
            layer_numbers: Numbers::default(),
        }
    }

    /// Everybody it names.
    #[must_use]
    pub fn people(&self) -> BTreeSet<UserId> {
        let layers = self.layers.iter().flat_map(|layer| &layer.members);
        let temporary = self.temporary.iter().flat_map(|fixed| &fixed.members);
        let offered = self.proposed.iter().map(|known| &known.swap);
        let swaps = self
            .swaps
            .iter()
            .chain(offered)
            .flat_map(|swap| [swap.one.user, swap.other.user]);
        let overrides = self.overrides.iter().map(|one| one.user);
        layers
            .chain(temporary)
            .copied()
            .chain(swaps)
            .chain(overrides)
            .collect()
    }
}

/// A schedule as journals hold it: at first it had one layer, and nothing could be changed by hand.
#[derive(Deserialize)]
struct Stored {
    id: ScheduleId,
    team: TeamId,
    #[serde(default)]
    given_to: Option<TeamId>,
    name: String,
    time_zone: String,
    layer: Option<Layer>,
    #[serde(default)]
    layers: Vec<Layer>,
    #[serde(default)]
    temporary: Vec<Temporary>,
    #[serde(default)]
    swaps: Vec<Swap>,
    #[serde(default)]
    overrides: Vec<Override>,
    #[serde(default)]
    proposed: Vec<SwapProposal>,
    #[serde(default)]
    description: String,
    #[serde(default)]
    layer_names: Vec<String>,
    #[serde(default)]
    layer_numbers: Numbers,
}

impl From<Stored> for Schedule {
    fn from(stored: Stored) -> Self {
        Self {
            id: stored.id,
            team: stored.team,
            given_to: stored.given_to,
            name: stored.name,
            time_zone: stored.time_zone,
            layers: stored.layer.into_iter().chain(stored.layers).collect(),
            temporary: stored.temporary,
            swaps: stored.swaps,
            overrides: stored.overrides,
            proposed: stored.proposed,
            description: stored.description,
            layer_names: stored.layer_names,
            layer_numbers: stored.layer_numbers,
        }
    }
}
