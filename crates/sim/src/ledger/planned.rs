//! What is planned to reach somebody, in the second book: whether it follows from anything, to whom it goes, by which of their ways
//! and after how long. It knows no attempt.

use std::collections::{BTreeMap, BTreeSet};

use tocsin_domain::event::{Cause, Event};
use tocsin_domain::id::{ContactMethodId, IncidentId, NotificationId, UserId};
use tocsin_domain::page::{Delivery, Notification, Purpose};
use tocsin_domain::people::Urgency;
use tocsin_domain::time::Timestamp;

use super::{Ledger, Letter, LetterState, Person};
use crate::check::Check;

impl Ledger {
    pub(super) fn plan(&mut self, message: &Notification, envelope: &Event) {
        let id = message.id;
        let due = match message.state {
            Delivery::Due { at } => LetterState::Due(at),
            Delivery::Together { .. }
            | Delivery::Sending { .. }
            | Delivery::Delivered { .. }
            | Delivery::Failed { .. }
            | Delivery::Cancelled { .. } => LetterState::Over,
        };
        let letter = Letter {
            purpose: message.purpose,
            user: message.user,
            method: message.contact_method,
            attempts: 0,
            position: envelope.position,
            planned_at: message.planned_at,
            state: due,
            channel: message.channel,
            receipt: None,
            tries: BTreeMap::new(),
            unanswered: 0,
            is_left: false,
            untried: 0,
            moot: 0,
        };
        self.letters.insert(id, letter);
        if let Purpose::Page(incident) = message.purpose {
            self.check_plan(incident, message, envelope);
        }
        if let Purpose::Notice(incident) = message.purpose {
            let given_to = self.given_people(incident);
            if given_to.is_some_and(|people| !people.contains(&message.user)) {
                let what = "its incident was given to others";
                self.find_about(Check::RightPerson, id, envelope.at, what);
            }
        }
    }

    /// A page follows from a level or from another way that was given up, goes to one of those whom the level chose, and is the only
    /// one by that way.
    fn check_plan(&mut self, incident: IncidentId, message: &Notification, envelope: &Event) {
        let (id, at) = (message.id, envelope.at);
        let Some(case) = self.cases.get(&incident) else {
            return self.find_about(Check::RightPerson, id, at, "there is no such incident");
        };
        let cause = match envelope.cause {
            Cause::Event { position } => Some(position),
            Cause::Request | Cause::Sample { .. } | Cause::Due { .. } => None,
        };
        let by_level = cause == Some(case.level_event);
        let by_loss = cause.is_some_and(|cause| self.given_up.contains(&cause));
        let mut others = case.active.iter().filter_map(|one| self.letters.get(one));
        let is_second = others.any(|other| other.method == message.contact_method);
        if !by_level && !by_loss {
            self.find_about(
                Check::RepeatsAreBounded,
                id,
                at,
                "no level was reached for it",
            );
        }
        if is_second {
            let what = "a page by the same way is under way under another key";
            self.find_about(Check::RepeatsAreBounded, id, at, what);
        }
        if !self.is_chosen(incident, message.user) {
            self.find_about(Check::RightPerson, id, at, "that person was not chosen");
        }
        self.check_way(id, at);
        // What stands in for a way that was lost goes at once.
        let after_ms = if by_level {
            self.unplanned.remove(&(incident, message.contact_method))
        } else {
            Some(0)
        };
        self.check_delay(id, after_ms, at);
    }

    /// A page goes by a way of its person's own rules, and when they say.
    fn check_delay(&mut self, id: NotificationId, after_ms: Option<u64>, at: Timestamp) {
        let Some(letter) = self.letters.get(&id) else {
            return;
        };
        let due = after_ms.map(|ms| LetterState::Due(letter.planned_at.plus_ms(ms)));
        if due != Some(letter.state) {
            let what = format!("by the rules of that person it goes after {after_ms:?} ms");
            self.find_about(Check::RightPerson, id, at, &what);
        }
    }

    /// The way is that person's own, and proved.
    pub(super) fn check_way(&mut self, id: NotificationId, at: Timestamp) {
        let Some(letter) = self.letters.get(&id) else {
            return;
        };
        let person = self.people.get(&letter.user);
        let method = person.and_then(|person| person.methods.get(&letter.method));
        let wrong = match (person, method) {
            (None, _) => Some("the person was removed"),
            (Some(_), None) => Some("the contact method was removed"),
            (Some(_), Some(method)) => {
                (!method.is_verified).then_some("the contact method is not verified")
            }
        };
        if let Some(wrong) = wrong {
            self.find_about(Check::RightPerson, id, at, wrong);
        }
    }

    /// Somebody is chosen: a page goes to each of them by each of their ways by which none is under way.
    pub(super) fn owe_pages(&mut self, incident: IncidentId, chosen: &[UserId]) {
        let active = self.cases.get(&incident).map(|case| &case.active);
        let active = active.into_iter().flatten();
        let busy = active.filter_map(|page| self.letters.get(page));
        let busy: BTreeSet<ContactMethodId> = busy.map(|letter| letter.method).collect();
        let people = chosen.iter().filter_map(|user| self.people.get(user));
        for (method, after_ms) in people.flat_map(Person::page_ways) {
            if !busy.contains(&method) {
                self.unplanned.insert((incident, method), after_ms);
            }
        }
    }

    /// After a step: whoever was chosen in it has their pages.
    pub(super) fn check_pages(&mut self, now: Timestamp) {
        for ((incident, method), after_ms) in std::mem::take(&mut self.unplanned) {
            let number = self.cases.get(&incident).map_or(0, |case| case.number);
            let what = format!(
                "somebody was chosen for incident {number}, and no page was planned by {method}, after {after_ms} ms"
            );
            self.find(Check::NothingForgotten, now, what);
        }
    }
}

impl Person {
    /// By which ways a page goes to them, and how many milliseconds after they were chosen: by those that their rules name and that
    /// are proved, the first of them as soon as any rule says; without such, by each that is proved, at once.
    fn page_ways(&self) -> BTreeMap<ContactMethodId, u64> {
        let loud = self.rules.iter();
        let loud = loud.filter(|(urgency, _, _)| *urgency == Urgency::High);
        let soonest = loud.clone().map(|(_, after_ms, _)| *after_ms).min();
        let is_proved = |method: &ContactMethodId| {
            let known = self.methods.get(method);
            known.is_some_and(|known| known.is_verified)
        };
        let named = loud.map(|(_, after_ms, method)| (*after_ms, *method));
        let mut named: Vec<(u64, ContactMethodId)> =
            named.filter(|(_, method)| is_proved(method)).collect();
        // Those of one time stay in the order of the rules.
        named.sort_by_key(|(after_ms, _)| *after_ms);
        if let (Some((first, _)), Some(soonest)) = (named.first_mut(), soonest) {
            *first = soonest;
        }
        let mut ways = BTreeMap::new();
        for (after_ms, method) in named {
            ways.entry(method).or_insert(after_ms);
        }
        if ways.is_empty() {
            let proved = self.methods.keys().filter(|method| is_proved(method));
            ways.extend(proved.map(|method| (*method, 0)));
        }
        ways
    }
}

#[cfg(test)]
mod tests {
    use super::super::Method;
    use super::*;
    use crate::random::Random;

    /// After how long a page goes by each of three ways, of which the third is not proved.
    #[track_caller]
    fn check(rules: &[(Urgency, u64, usize)], expected: [Option<u64>; 3]) {
        let random = &mut Random::new(3);
        let ids: Vec<ContactMethodId> = (0..3).map(|_| ContactMethodId::random(random)).collect();
        let methods = ids.iter().enumerate();
        let methods = methods.map(|(index, id)| {
            let is_verified = index < 2;
            let carries_words = true;
            (
                *id,
                Method {
                    is_verified,
                    carries_words,
                },
            )
        });
        let rules = rules.iter();
        let person = Person {
            methods: methods.collect(),
            rules: rules
                .map(|(urgency, after_ms, index)| (*urgency, *after_ms, ids[*index]))
                .collect(),
        };
        let ways = person.page_ways();
        let found: Vec<Option<u64>> = ids.iter().map(|id| ways.get(id).copied()).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn pages_go_by_the_rules_and_the_first_as_soon_as_any_says() {
        use Urgency::{High, Low};
        check(&[], [Some(0), Some(0), None]);
        check(&[(Low, 5, 0)], [Some(0), Some(0), None]);
        check(&[(High, 5, 2)], [Some(0), Some(0), None]);
        check(&[(High, 9, 0), (High, 5, 1)], [Some(9), Some(5), None]);
        check(&[(High, 9, 0), (High, 5, 0)], [Some(5), None, None]);
        check(
            &[(High, 1, 2), (High, 9, 0), (High, 5, 1)],
            [Some(9), Some(1), None],
        );
    }
}
