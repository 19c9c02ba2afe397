//! Word to the two people of a swap: that it is offered, agreed, declined, withdrawn, made for them or taken back.

use super::Decider;
use crate::event::Cause;
use crate::id::{ScheduleId, SwapId, UserId};
use crate::oncall::{Change, Schedule, Swap, SwapSide, shown_in};
use crate::page::{Purpose, Word};

/// What is told to whom.
pub(super) struct SwapNews {
    word: Word,
    told: Vec<(UserId, String)>,
}

impl Decider<'_> {
    /// What a change of a schedule tells the people of a swap; looked up before the change is made.
    pub(super) fn swap_news(&self, schedule: ScheduleId, change: &Change) -> Option<SwapNews> {
        let known = self.state.schedules.get(&schedule)?;
        let offer = |swap: SwapId| {
            let mut offers = known.proposed.iter();
            offers.find(|offer| offer.swap.id == swap).copied()
        };
        let name = &known.name;
        let (swap, told) = match change {
            Change::SwapProposed { proposal } => {
                let (from, to) = (self.name(proposal.by), proposal.awaits());
                let what = exchange(known, &proposal.swap, to, "you would have", "and give");
                let text = format!("{from} offers you a swap in {name:?}: {what}");
                (proposal.swap.id, vec![(to, text)])
            }
            Change::SwapAccepted { swap } => {
                let offer = offer(*swap)?;
                let with = self.name(offer.awaits());
                let what = exchange(known, &offer.swap, offer.by, "you have", "and no longer");
                let text = format!("Your swap with {with} in {name:?} is agreed: {what}");
                (*swap, vec![(offer.by, text)])
            }
            Change::SwapDeclined { swap } => {
                let offer = offer(*swap)?;
                let with = self.name(offer.awaits());
                let text = format!("The swap that you offered {with} in {name:?} is declined");
                (*swap, vec![(offer.by, text)])
            }
            Change::SwapWithdrawn { swap } => {
                let offer = offer(*swap)?;
                let from = self.name(offer.by);
                let text = format!("The swap that {from} offered you in {name:?} is withdrawn");
                (*swap, vec![(offer.awaits(), text)])
            }
            Change::SwapMade { swap } => {
                let told = sides(swap).map(|(own, other)| {
                    let with = self.name(other.user);
                    let what = exchange(known, swap, own.user, "you have", "and no longer");
                    let text = format!("A swap with {with} in {name:?} was made for you: {what}");
                    (own.user, text)
                });
                (swap.id, told.to_vec())
            }
            Change::SwapUndone { swap } => {
                let agreed = known.swaps.iter().find(|one| one.id == *swap)?;
                let told = sides(agreed).map(|(own, other)| {
                    let with = self.name(other.user);
                    let text = format!("Your swap with {with} in {name:?} was taken back");
                    (own.user, text)
                });
                (*swap, told.to_vec())
            }
            Change::OverrideAdded { .. }
            | Change::OverrideRemoved { .. }
            | Change::OverrideEnded { .. }
            | Change::TemporaryAdded { .. }
            | Change::TemporaryRemoved { .. }
            | Change::TemporaryEnded { .. } => return None,
        };
        let offered = matches!(change, Change::SwapProposed { .. });
        let word = Word::Swap {
            schedule,
            swap,
            offered,
        };
        Some(SwapNews { word, told })
    }

    pub(super) fn tell_swap(&mut self, news: SwapNews, position: u64) {
        for (user, text) in news.told {
            if let Some(method) = self.way_that_can_wait(user) {
                let (cause, now) = (Cause::Event { position }, self.now);
                self.plan(
                    cause,
                    Purpose::Word(news.word),
                    user,
                    method,
                    None,
                    now,
                    text,
                );
            }
        }
    }

    fn name(&self, user: UserId) -> &str {
        let known = self.state.users.get(&user);
        known.map_or("somebody", |user| user.name.as_str())
    }
}

/// Each of the two, and the other.
const fn sides(swap: &Swap) -> [(SwapSide, SwapSide); 2] {
    [(swap.one, swap.other), (swap.other, swap.one)]
}

/// What one of the two gets and gives, by the schedule's clock.
fn exchange(schedule: &Schedule, swap: &Swap, user: UserId, gets: &str, gives: &str) -> String {
    let (own, other) = if swap.one.user == user {
        (swap.one, swap.other)
    } else {
        (swap.other, swap.one)
    };
    let zone = &schedule.time_zone;
    let span = |side: SwapSide| {
        let (from, until) = (side.span.from, side.span.until);
        format!("{} to {}", shown_in(zone, from), shown_in(zone, until))
    };
    format!("{gets} {}, {gives} {} ({zone})", span(other), span(own))
}
