//! Exchanges of shifts between two people. It knows no rotation: only whose shifts lie where.

use serde::{Deserialize, Serialize};

use super::overlay;
use super::render::{By, Shift};
use super::schedule::Schedule;
use super::span::Span;
use crate::id::{SwapId, UserId};
use crate::time::Timestamp;

/// Two people exchange what each has in a span.
///
/// It names people and spans, not turns: wherever the one would be on call within the one's span it is the other, and the
/// other way round, whatever the rotation has become since. Should one of them no longer have anything there, the exchange
/// would be a gift, and the swap is void: nothing is exchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Swap {
    /// Its id.
    pub id: SwapId,
    /// What one of them gives.
    pub one: SwapSide,
    /// What the other gives for it.
    pub other: SwapSide,
}

/// A swap that one of its two people offers the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SwapProposal {
    /// What would be exchanged.
    pub swap: Swap,
    /// Which of the two offers it; it is the other's to accept.
    pub by: UserId,
    /// When it was offered.
    pub at: Timestamp,
}

impl SwapProposal {
    /// Who may accept it.
    #[must_use]
    pub fn awaits(&self) -> UserId {
        if self.by == self.swap.one.user {
            self.swap.other.user
        } else {
            self.swap.one.user
        }
    }
}

/// What one person gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SwapSide {
    /// Who gives.
    pub user: UserId,
    /// Their time on call within this span.
    pub span: Span,
}

/// What a swap exchanges at present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SwapStanding {
    /// Which swap.
    pub swap: SwapId,
    /// Microseconds on call that the one gives.
    pub one_us: i64,
    /// Microseconds on call that the other gives.
    pub other_us: i64,
}

impl SwapStanding {
    /// Whether nothing is exchanged, because one of them has nothing to give.
    #[must_use]
    pub fn is_void(self) -> bool {
        self.one_us == 0 || self.other_us == 0
    }
}

impl Swap {
    /// Whether this person is one of the two.
    #[must_use]
    pub fn is_of(&self, user: UserId) -> bool {
        self.one.user == user || self.other.user == user
    }

    /// Whether a part of what is exchanged is past, or has begun.
    #[must_use]
    pub fn has_begun(&self, at: Timestamp) -> bool {
        self.one.span.from <= at || self.other.span.from <= at
    }

    fn spans(&self) -> [Span; 2] {
        [self.one.span, self.other.span]
    }

    /// `shifts` after the exchange.
    fn exchanged(&self, shifts: &[Shift]) -> Vec<Shift> {
        let mut after = Vec::with_capacity(shifts.len() + 2);
        for shift in shifts {
            let (side, taker) = if shift.user == self.one.user {
                (self.one, self.other.user)
            } else {
                (self.other, self.one.user)
            };
            let given = side.span.overlap(shift.span());
            match given.filter(|_| side.user == shift.user) {
                None => after.push(*shift),
                Some(given) => after.extend(overlay::over(
                    vec![*shift],
                    vec![Shift {
                        user: taker,
                        from: given.from,
                        until: given.until,
                        by: By::Swap(self.id),
                    }],
                )),
            }
        }
        after
    }
}

/// The swaps that matter within some spans, and all of the time that one must know to tell.
pub(super) struct Relevant<'a> {
    /// In their order.
    pub(super) swaps: Vec<&'a Swap>,
    /// The spans asked for, and those of the swaps.
    pub(super) spans: Vec<Span>,
}

impl Schedule {
    /// What a swap would exchange if it were made now, after all that are.
    #[must_use]
    pub fn standing_of(&self, swap: &Swap) -> SwapStanding {
        let mut holding = Vec::new();
        for one in self.swaps.iter().filter(|one| one.id != swap.id) {
            if !self.standing(one, &holding).is_void() {
                holding.push(one);
            }
        }
        self.standing(swap, &holding)
    }

    /// What each swap exchanges at present, in their order.
    #[must_use]
    pub fn swap_standings(&self) -> Vec<SwapStanding> {
        let mut holding = Vec::new();
        let mut standings = Vec::new();
        for swap in &self.swaps {
            let standing = self.standing(swap, &holding);
            if !standing.is_void() {
                holding.push(swap);
            }
            standings.push(standing);
        }
        standings
    }

    /// The swaps that can change who is on call in `span`. One swap may hand on what an earlier one gave, so the spans of
    /// those that matter matter too.
    pub(super) fn relevant_swaps(&self, span: Span) -> Relevant<'_> {
        let mut spans = vec![span];
        let mut swaps = Vec::new();
        for swap in self.swaps.iter().rev() {
            let touches = |one: Span| spans.iter().any(|known| known.overlap(one).is_some());
            if swap.spans().into_iter().any(touches) {
                spans.extend(swap.spans());
                swaps.push(swap);
            }
        }
        swaps.reverse();
        Relevant { swaps, spans }
    }

    /// Who is on call in `span` by layers and temporary shifts, after every swap that is not void.
    pub(super) fn swapped(&self, span: Span) -> Vec<Shift> {
        let mut holding = Vec::new();
        for swap in self.relevant_swaps(span).swaps {
            if !self.standing(swap, &holding).is_void() {
                holding.push(swap);
            }
        }
        self.swapped_by(&holding, span)
    }

    fn standing(&self, swap: &Swap, before: &[&Swap]) -> SwapStanding {
        let given_us = |side: SwapSide| -> i64 {
            let shifts = self.swapped_by(before, side.span);
            let own = shifts.iter().filter(|shift| shift.user == side.user);
            own.map(|shift| shift.span().length_us()).sum()
        };
        SwapStanding {
            swap: swap.id,
            one_us: given_us(swap.one),
            other_us: given_us(swap.other),
        }
    }

    fn swapped_by(&self, swaps: &[&Swap], span: Span) -> Vec<Shift> {
        let mut shifts = self.rostered(span);
        for swap in swaps {
            if swap.spans().iter().any(|one| one.overlap(span).is_some()) {
                shifts = swap.exchanged(&shifts);
            }
        }
        shifts
    }
}
