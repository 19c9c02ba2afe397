//! People: they read pages, take incidents, mend things, or ignore it all.

use tocsin_domain::command::{Ask, RespondAsk};
use tocsin_domain::id::{IncidentId, PolicyId, UserId};
use tocsin_domain::incident::Assigned;
use tocsin_domain::people::Urgency;

use super::agenda::Happening;
use super::{HOUR, Heard, MINUTE, SECOND, Ticket, World};
use crate::ledger::Standing;
use crate::tally::Fault;

impl World {
    /// Somebody reads a page, and does something about it, or not.
    pub(super) fn reads(&mut self, user: UserId, incident: IncidentId) {
        if !self.is_rough || !self.ledger.people.contains_key(&user) {
            return;
        }
        let dice = self.random.below(100);
        if dice < 55 {
            let ask = RespondAsk::Acknowledge { incident, by: user };
            self.ask(Ask::Respond(ask), Ticket::Taker { user, incident });
        } else if dice < 65 {
            self.finishes(user, incident);
        } else if dice < 75 {
            let ask = self.other_response(user, incident);
            self.ask(Ask::Respond(ask), Ticket::Taker { user, incident });
        } else if dice < 80 {
            let text = "looking at it".to_owned();
            let ask = RespondAsk::noted(incident, text);
            self.ask(Ask::Respond(ask), Ticket::Nobody);
        }
    }

    /// Somebody does something about whatever is open, whether they were paged or not.
    pub(super) fn meddles(&mut self) {
        if !self.is_rough {
            return;
        }
        let open: Vec<IncidentId> = self.ledger.open.iter().copied().collect();
        let people: Vec<UserId> = self.ledger.people.keys().copied().collect();
        let chosen = self.random.pick(&open).copied();
        if let Some((incident, user)) = chosen.zip(self.random.pick(&people).copied()) {
            self.tally.note(Fault::Meddled);
            let ask = self.other_response(user, incident);
            self.ask(Ask::Respond(ask), Ticket::Taker { user, incident });
        }
        if self.random.chance(100) {
            self.reopens();
        }
        self.some_time_after(80 * MINUTE, Happening::Meddles);
    }

    /// Somebody says that what is over is not, and mends it later; until then it is whatever else joins it.
    fn reopens(&mut self) {
        let over = self.ledger.cases.iter();
        let over = over.filter(|(_, case)| case.standing == Standing::Over);
        let over: Vec<IncidentId> = over.map(|(id, _)| *id).collect();
        let Some(incident) = self.random.pick(&over).copied() else {
            return;
        };
        self.ledger.note_reopen(incident);
        let ask = Ask::Respond(RespondAsk::Reopen { incident });
        self.ask(ask, Ticket::Editor(Some(Fault::Reopened)));
        if let Some(user) = self.root {
            for mean in [20 * MINUTE, 2 * HOUR] {
                self.some_time_after(mean, Happening::Finishes { user, incident });
            }
        }
    }

    /// Something else than to take it: leave it for later, give it away, call others, say how urgent it is, or join it with
    /// another.
    fn other_response(&mut self, user: UserId, incident: IncidentId) -> RespondAsk {
        let by = user;
        match self.random.below(8) {
            0 | 1 => RespondAsk::Snooze {
                incident,
                by,
                for_ms: self.random.one_of([60_000, 600_000, 3_600_000]),
            },
            2 => {
                let people: Vec<UserId> = self.ledger.people.keys().copied().collect();
                self.reassign(incident, &people, user)
            }
            3 => RespondAsk::Escalate { incident },
            4 => {
                let people: Vec<UserId> = self.ledger.people.keys().copied().collect();
                let policies: Vec<PolicyId> = self.ledger.policies.keys().copied().collect();
                let by_policy = self.random.chance(300);
                let policy = self.random.pick(&policies).copied();
                RespondAsk::RequestResponders {
                    incident,
                    people: self.random.pick(&people).copied().into_iter().collect(),
                    policy: policy.filter(|_| by_policy),
                    message: "please help".to_owned(),
                }
            }
            5 => RespondAsk::SetUrgency {
                incident,
                urgency: self.random.one_of([Urgency::Low, Urgency::High]),
            },
            6 => RespondAsk::CancelSnooze { incident },
            _ => {
                let open: Vec<IncidentId> = self.ledger.open.iter().copied().collect();
                RespondAsk::Merge {
                    sources: self.random.pick(&open).copied().into_iter().collect(),
                    into: incident,
                }
            }
        }
    }

    /// Somebody gives an incident to one or two of these people, or to a policy.
    fn reassign(&mut self, incident: IncidentId, people: &[UserId], user: UserId) -> RespondAsk {
        let policies: Vec<PolicyId> = self.ledger.policies.keys().copied().collect();
        let policy = self.random.pick(&policies).copied();
        let to = match policy.filter(|_| self.random.chance(400)) {
            Some(policy) => Assigned::Policy(policy),
            None => {
                let first = self.random.pick(people).copied().unwrap_or(user);
                let second = self.random.pick(people).copied();
                let second = second.filter(|one| *one != first && self.random.chance(300));
                Assigned::People([first].into_iter().chain(second).collect())
            }
        };
        RespondAsk::Reassign { incident, to }
    }

    /// While nobody knows whether a page comes to somebody, its incident is given to others.
    pub(super) fn takes_away(&mut self, user: UserId, incident: IncidentId) {
        if !self.is_rough || !self.ledger.is_being_sent(incident) {
            return;
        }
        let people = self.ledger.people.keys().copied();
        let others: Vec<UserId> = people.filter(|one| *one != user).collect();
        let ask = self.reassign(incident, &others, user);
        self.ask(Ask::Respond(ask), Ticket::Nobody);
    }

    /// Whoever took it mends it after a while, or takes it again when that was not kept.
    pub(super) fn taker_heard(&mut self, user: UserId, incident: IncidentId, heard: &Heard) {
        match heard {
            Heard::Done(_) => {
                if self.random.chance(850) {
                    self.some_time_after(25 * MINUTE, Happening::Finishes { user, incident });
                }
                let in_turn = self.ledger.paged_in_turn(incident);
                if let Some(service) = in_turn.filter(|_| self.random.chance(250)) {
                    self.some_time_after(4 * MINUTE, Happening::FailsBeside(service));
                }
            }
            Heard::Lost => {
                self.some_time_after(30 * SECOND, Happening::Reads { user, incident });
            }
            Heard::Refused => {}
        }
    }

    /// Somebody says that it is over; what our own monitors see failing cannot be talked well.
    pub(super) fn finishes(&mut self, _: UserId, incident: IncidentId) {
        if self.is_rough {
            self.resolve(incident);
        }
    }

    pub(super) fn resolve(&mut self, incident: IncidentId) {
        self.ledger.note_resolve(incident);
        let note = None;
        let ask = RespondAsk::Resolve { incident, note };
        self.ask(Ask::Respond(ask), Ticket::Nobody);
    }

    /// Somebody looks at all that is open, so that it does not pile up.
    pub(super) fn sweep(&mut self) {
        if !self.is_rough {
            return;
        }
        let open: Vec<(IncidentId, bool)> = self
            .ledger
            .open
            .iter()
            .filter_map(|id| Some((*id, self.ledger.cases.get(id)?)))
            .map(|(id, case)| (id, case.own_judge || case.standing == Standing::Taken))
            .collect();
        for (incident, is_taken) in open {
            if !is_taken && self.random.chance(600) {
                self.resolve(incident);
            }
        }
        self.some_time_after(3 * HOUR, Happening::Sweep);
    }
}
