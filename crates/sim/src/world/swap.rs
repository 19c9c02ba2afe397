//! Two people exchange shifts that begin soon, by an administrator or because one takes what the other offers.

use tocsin_domain::command::{Ask, RosterAsk};
use tocsin_domain::id::ScheduleId;
use tocsin_domain::oncall::{Change, Span, SwapSide};
use tocsin_domain::oncall_command::{ChangeAsk, OncallAsk};
use tocsin_domain::oncall_event::OncallEvent;

use super::{Ticket, World};
use crate::oncall::{next_hand_off, on_call};
use crate::tally::Fault;

/// Exchanges of a schedule at most, those that are over counted.
const SWAPS_MAX: usize = 4;

impl World {
    /// The next shift and the one after it, of the first schedule in which two people have those.
    pub(super) fn swap_shifts(&mut self) -> Option<(Ask, Fault)> {
        let known: Vec<ScheduleId> = self.ledger.schedules.keys().copied().collect();
        let first = self.random.index(known.len());
        let in_turn = known.iter().cycle().skip(first).take(known.len());
        let found = in_turn.copied().find_map(|schedule| {
            let sides = self.next_two(schedule)?;
            Some((schedule, sides))
        });
        let (schedule, [one, other]) = found?;
        let by = Some(one.user).filter(|_| self.random.chance(300));
        let ask = change(schedule, ChangeAsk::ProposeSwap { one, other, by });
        if by.is_none() {
            return Some((ask, Fault::Swapped));
        }
        self.ask(ask, Ticket::Editor(None));
        None
    }

    fn next_two(&self, id: ScheduleId) -> Option<[SwapSide; 2]> {
        let schedule = self.ledger.schedules.get(&id);
        let schedule = schedule.filter(|known| known.swaps.len() < SWAPS_MAX)?;
        let mut from = next_hand_off(schedule, self.wall())?;
        let mut next = || {
            let until = next_hand_off(schedule, from)?;
            let span = Span::new(from, until);
            let user = on_call(schedule, self.ledger.holding_of(id), from).ok()??;
            from = until;
            Some(SwapSide { user, span })
        };
        let sides = [next()?, next()?];
        (sides[0].user != sides[1].user).then_some(sides)
    }

    /// To whom an exchange is offered takes it, mostly.
    pub(super) fn answer_offer(&mut self, what: &OncallEvent) {
        let OncallEvent::ScheduleChanged {
            schedule,
            change: Change::SwapProposed { proposal },
        } = what
        else {
            return;
        };
        let (swap, by) = (proposal.swap.id, Some(proposal.awaits()));
        let (ask, fault) = if self.random.chance(800) {
            (ChangeAsk::AcceptSwap { swap, by }, Some(Fault::Swapped))
        } else {
            (ChangeAsk::DeclineSwap { swap, by }, None)
        };
        self.ask(change(*schedule, ask), Ticket::Editor(fault));
    }
}

fn change(schedule: ScheduleId, ask: ChangeAsk) -> Ask {
    Ask::Roster(RosterAsk::Oncall(OncallAsk::Change { schedule, ask }))
}
