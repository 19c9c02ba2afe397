//! What is changed of a schedule by hand, one small thing at a time, and how a schedule takes it in. It judges nothing: what
//! may be changed is decided before.

use serde::{Deserialize, Serialize};

use super::schedule::{Override, Schedule, Temporary};
use super::span::Span;
use super::swap::{Swap, SwapProposal};
use super::violations::{OVERRIDES_MAX, SWAPS_MAX, TEMPORARY_MAX};
use crate::id::{OverrideId, SwapId, TemporaryId};
use crate::time::Timestamp;

/// One thing that was changed by hand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Change {
    /// One person has a span, whoever else would.
    OverrideAdded {
        /// The whole of it.
        added: Override,
    },
    /// An override that had not begun is gone.
    OverrideRemoved {
        /// Which.
        id: OverrideId,
    },
    /// An override ends before its time; what is past of it stays.
    OverrideEnded {
        /// Which.
        id: OverrideId,
        /// When.
        at: Timestamp,
    },
    /// A span has fixed shifts in place of the layers'.
    TemporaryAdded {
        /// The whole of it.
        added: Temporary,
    },
    /// A temporary shift that had not begun is gone.
    TemporaryRemoved {
        /// Which.
        id: TemporaryId,
    },
    /// A temporary shift ends before its time; what is past of it stays.
    TemporaryEnded {
        /// Which.
        id: TemporaryId,
        /// When.
        at: Timestamp,
    },
    /// One person offers another to exchange shifts; nothing is exchanged yet.
    SwapProposed {
        /// The whole of it.
        proposal: SwapProposal,
    },
    /// The other one takes the offer: the exchange holds.
    SwapAccepted {
        /// Which.
        swap: SwapId,
    },
    /// The other one does not take the offer.
    SwapDeclined {
        /// Which.
        swap: SwapId,
    },
    /// The offer is taken back by whoever made it.
    SwapWithdrawn {
        /// Which.
        swap: SwapId,
    },
    /// An administrator decided for both: the exchange holds.
    SwapMade {
        /// The whole of it.
        swap: Swap,
    },
    /// An exchange that had not begun holds no more.
    SwapUndone {
        /// Which.
        swap: SwapId,
    },
}

impl Schedule {
    /// Takes a change in that was made at `at`. One about something that is not there changes nothing.
    pub fn apply(&mut self, change: &Change, at: Timestamp) {
        match change {
            Change::OverrideAdded { added } => {
                make_room(&mut self.overrides, OVERRIDES_MAX, at, |one| one.span.until);
                self.overrides.push(*added);
            }
            Change::OverrideRemoved { id } => self.overrides.retain(|one| one.id != *id),
            Change::OverrideEnded { id, at } => {
                for one in self.overrides.iter_mut().filter(|one| one.id == *id) {
                    one.span.until = one.span.until.min(*at);
                }
            }
            Change::TemporaryAdded { added } => {
                make_room(&mut self.temporary, TEMPORARY_MAX, at, |one| one.span.until);
                self.temporary.push(added.clone());
            }
            Change::TemporaryRemoved { id } => self.temporary.retain(|one| one.id != *id),
            Change::TemporaryEnded { id, at } => {
                for one in self.temporary.iter_mut().filter(|one| one.id == *id) {
                    one.span.until = one.span.until.min(*at);
                }
            }
            Change::SwapProposed { proposal } => {
                // Nobody can take an offer that came too late to be taken.
                self.proposed.retain(|known| !known.swap.has_begun(at));
                self.proposed.push(*proposal);
            }
            Change::SwapAccepted { swap } => {
                let taken = self.proposed.iter().find(|known| known.swap.id == *swap);
                if let Some(taken) = taken.map(|known| known.swap) {
                    self.drop_proposal(*swap);
                    self.hold(taken, at);
                }
            }
            Change::SwapDeclined { swap } | Change::SwapWithdrawn { swap } => {
                self.drop_proposal(*swap);
            }
            Change::SwapMade { swap } => self.hold(*swap, at),
            Change::SwapUndone { swap } => self.swaps.retain(|one| one.id != *swap),
        }
    }

    fn drop_proposal(&mut self, swap: SwapId) {
        self.proposed.retain(|known| known.swap.id != swap);
    }

    fn hold(&mut self, swap: Swap, at: Timestamp) {
        make_room(&mut self.swaps, SWAPS_MAX, at, |one| {
            one.one.span.until.max(one.other.span.until)
        });
        self.swaps.push(swap);
    }
}

/// While a list is full, forgets what was over the longest; what is not over stays.
fn make_room<T>(list: &mut Vec<T>, max: usize, at: Timestamp, end: impl Fn(&T) -> Timestamp) {
    while list.len() >= max {
        let ends = list.iter().map(&end).enumerate();
        let over = ends.filter(|(_, until)| *until <= at);
        let Some((oldest, _)) = over.min_by_key(|(_, until)| *until) else {
            return;
        };
        list.remove(oldest);
    }
}

/// What of `span` is not past at `now`; `None` when all of it is.
pub(crate) fn still_ahead(span: Span, now: Timestamp) -> Option<Span> {
    (span.until > now).then(|| Span::new(span.from.max(now), span.until))
}
