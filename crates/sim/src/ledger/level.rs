//! Whether a level, or the fallback list, was the right one to page, and everybody it names was chosen. Whose turn it is on a level is
//! known elsewhere, and what was given to people by name too.

use std::collections::BTreeSet;

use tocsin_domain::event::Event;
use tocsin_domain::id::{IncidentId, PolicyId, ScheduleId, UserId};
use tocsin_domain::page::{Level, Policy, Recipient};
use tocsin_domain::time::Timestamp;

use super::{Case, Ledger, Standing, Wait};
use crate::check::Check;
use crate::oncall::{Unknown, holding, on_call};

/// An exhausted policy pages the fallback list this often.
const FALLBACK_EVERY_MS: u64 = 900_000;

/// A level of a policy, and how often the policy was walked through before.
pub(super) type Place = (usize, u32);

impl Ledger {
    /// What is not given to people by name follows the policy that it was given to, or that its service names at that time.
    pub(super) fn check_policy(&mut self, id: IncidentId, policy: Option<PolicyId>, at: Timestamp) {
        let is_given = self.given_people(id).is_some();
        let wanted = self.policy_of(id).filter(|_| !is_given);
        let wanted = wanted.map(|policy| policy.id);
        if let Some(case) = self.cases.get(&id).filter(|_| policy != wanted) {
            let number = case.number;
            let what = format!("incident {number} follows {policy:?}, and is to follow {wanted:?}");
            self.find(Check::RightLevel, at, what);
        }
    }

    pub(super) fn check_level(
        &mut self,
        id: IncidentId,
        place: Place,
        chosen: (Option<usize>, &[UserId]),
        next_at: Timestamp,
        event: &Event,
    ) {
        let at = event.at;
        let found = self.level_faults(id, place, chosen, next_at, at);
        for (check, what) in found {
            let number = self.cases.get(&id).map_or(0, |case| case.number);
            self.find(
                check,
                at,
                format!("incident {number}, level {place:?}: {what}"),
            );
        }
    }

    fn level_faults(
        &self,
        id: IncidentId,
        place: Place,
        (turn, recipients): (Option<usize>, &[UserId]),
        next_at: Timestamp,
        at: Timestamp,
    ) -> Vec<(Check, String)> {
        let mut found = self.untimely(id, at);
        if recipients.is_empty() {
            found.push((
                Check::RightLevel,
                "nobody is paged, yet it waits".to_owned(),
            ));
        }
        if let Some(named) = self.given_people(id) {
            found.extend(self.given_faults(id, place, (named, recipients), next_at, at));
            return found;
        }
        let Some(policy) = self.policy_of(id) else {
            found.push((Check::RightLevel, "there is no policy".to_owned()));
            return found;
        };
        let Some(level) = policy.levels.get(place.0) else {
            found.push((Check::RightLevel, "there is no such level".to_owned()));
            return found;
        };
        if next_at != at.plus_ms(level.delay_ms) {
            let what = format!("the next one is due at {next_at}");
            found.push((Check::NothingForgotten, what));
        }
        let chosen: BTreeSet<UserId> = recipients.iter().copied().collect();
        if level.round_robin {
            let fault = self.turn_fault(id, policy, place, (turn, &chosen), at);
            found.extend(fault.map(|what| (Check::RightLevel, what)));
        } else if let Ok(wanted) = self.recipients(id, policy, place.0, at)
            && chosen != wanted
        {
            let what = format!("{chosen:?} were chosen, {wanted:?} are named");
            found.push((Check::RightLevel, what));
        }
        let first = self.next_places(id);
        let walked = first.iter().map(|place| self.walk(id, policy, *place, at));
        let known: Result<Vec<Option<Place>>, Unknown> = walked.collect();
        if known.is_ok_and(|places| !places.contains(&Some(place))) {
            found.push((
                Check::RightLevel,
                format!("it is not the next after {first:?}"),
            ));
        }
        found
    }

    pub(super) fn check_fallback(
        &mut self,
        id: IncidentId,
        circle: usize,
        recipients: &[UserId],
        next_at: Timestamp,
        event: &Event,
    ) {
        let at = event.at;
        let mut found = self.untimely(id, at);
        if next_at != at.plus_ms(FALLBACK_EVERY_MS) {
            let what = format!("the list of last resort is due again at {next_at}");
            found.push((Check::NothingForgotten, what));
        }
        if circle == 0 {
            let chosen: BTreeSet<UserId> = recipients.iter().copied().collect();
            let list = self.reachable(self.fallback.iter().copied());
            if !list.is_empty() && chosen != list {
                let what = format!("{chosen:?} were chosen, {list:?} are on the list");
                found.push((Check::RightLevel, what));
            }
        }
        if recipients.is_empty() && self.people.values().any(super::Person::is_reachable) {
            found.push((Check::RightLevel, "nobody was chosen".to_owned()));
        }
        // Another policy than the one that was walked through has its turn first; only more of the same round does not wait for that.
        let is_changed = self
            .cases
            .get(&id)
            .is_some_and(|case| case.goes_on.is_some());
        let goes_on = circle > 0 || !(is_changed || self.is_walked_anew(id));
        let given = self.given_people(id);
        let is_given = given.is_some();
        let may_be_reached = match given {
            Some(named) => self.is_through_with(id, named),
            None => self.is_exhausted(id) && goes_on,
        };
        if is_given && !may_be_reached {
            let what = "whom it was given to were not all asked again".to_owned();
            found.push((Check::RightLevel, what));
        }
        let policy = self.policy_of(id).filter(|_| !is_given);
        if let (false, Some(policy)) = (may_be_reached, policy) {
            let starts = self.next_places(id);
            let walked = starts.iter().map(|place| self.walk(id, policy, *place, at));
            let known: Result<Vec<Option<Place>>, Unknown> = walked.collect();
            if known.is_ok_and(|places| !places.contains(&None)) {
                let what = format!("the policy has a level after {starts:?}");
                found.push((Check::RightLevel, what));
            }
        }
        for (check, what) in found {
            let number = self.cases.get(&id).map_or(0, |case| case.number);
            self.find(check, at, format!("incident {number}, fallback: {what}"));
        }
    }

    /// Nobody is chosen for what is taken or over, for what is covered, or for what waits.
    fn untimely(&self, id: IncidentId, at: Timestamp) -> Vec<(Check, String)> {
        let standing = self.cases.get(&id).map(|case| case.standing);
        if standing == Some(Standing::Triggered) {
            return self.too_early(id, at).into_iter().collect();
        }
        vec![(Check::NoAttemptAfter, format!("it is {standing:?}"))]
    }

    /// Whether the policy was walked through, and the fallback list is paged.
    pub(super) fn is_exhausted(&self, id: IncidentId) -> bool {
        match self.cases.get(&id).map(|case| case.wait) {
            Some(Wait::Level { is_fallback, .. }) => is_fallback,
            Some(Wait::Nothing | Wait::Hold(_) | Wait::Quiet(_)) | None => false,
        }
    }

    /// Whether another policy is followed now than when the last level was reached.
    fn is_walked_anew(&self, id: IncidentId) -> bool {
        let walked = self.cases.get(&id).and_then(|case| case.walked);
        let follows = self.policy_of(id).map(|policy| policy.id);
        walked.is_some_and(|walked| follows != Some(walked))
    }

    /// From where the policy is walked on: the first level at first and of another policy, then the one after, or the same one again
    /// when the failure came back.
    fn next_places(&self, id: IncidentId) -> Vec<Place> {
        let is_left = self.is_left_by_all(id);
        let walked = self.cases.get(&id).and_then(|case| case.walked);
        let mut places = match self.place_of(id) {
            None => vec![(0, 0)],
            Some(_) if self.is_walked_anew(id) => vec![(0, 0)],
            // The people that it was given to are no level of it.
            Some(_) if is_left && walked.is_none() => vec![(0, 0)],
            Some((level, round)) => match self.cases.get(&id) {
                Some(case) if case.goes_on.is_some() => self.changed_places(id, case, round),
                Some(_) | None => vec![(level + 1, round), (level, round)],
            },
        };
        if is_left {
            // A person who escalates it, or who goes, may let its policy begin.
            places.push((0, 0));
        }
        places
    }

    /// A policy was changed: it goes on behind the level that was reached, or pages that again, unless somebody new stands before it.
    fn changed_places(&self, id: IncidentId, case: &Case, round: u32) -> Vec<Place> {
        let levels = self.policy_of(id).map_or(0, |policy| policy.levels.len());
        let next = case.goes_on.unwrap_or(levels);
        let again = case.stands.unwrap_or_else(|| levels.saturating_sub(1));
        vec![(next, round), (next.min(again), round)]
    }

    /// A level is reached: whom it and those before it name need not be looked for when the policy is changed in this round.
    pub(super) fn go_by(&mut self, id: IncidentId, policy: Option<PolicyId>, place: Place) {
        let walked = policy.and_then(|policy| self.policies.get(&policy));
        let levels = walked.into_iter().flat_map(|policy| &policy.levels);
        let named = levels.take(place.0 + 1).flat_map(|level| &level.targets);
        let named: Vec<Recipient> = named.copied().collect();
        let before = self.place_of(id).filter(|_| !self.is_exhausted(id));
        self.change(id, |case| {
            let goes_on = before.is_some_and(|(_, round)| round == place.1);
            if !goes_on || case.walked != policy {
                case.went_by.clear();
            }
            case.went_by.extend(named);
            case.goes_on = None;
            case.stands = None;
        });
    }

    /// A policy is another one: where is it gone on with by whoever is paged by it?
    pub(super) fn find_places(&mut self, policy: &Policy) {
        let known = self.policies.get(&policy.id);
        let Some(before) = known.filter(|known| known.levels != policy.levels) else {
            return;
        };
        let before = before.levels.clone();
        for id in self.open.clone() {
            let place = self.place_of(id).filter(|_| !self.is_walked_anew(id));
            let is_exhausted = self.is_exhausted(id);
            self.change(id, |case| {
                if let Some((level, _)) = place.filter(|_| case.walked == Some(policy.id)) {
                    case.look_for_place(level, is_exhausted, &before, &policy.levels);
                }
            });
        }
    }

    /// The first level from a place on that names somebody; `None`: the fallback list's turn has come.
    fn walk(
        &self,
        id: IncidentId,
        policy: &Policy,
        from: Place,
        at: Timestamp,
    ) -> Result<Option<Place>, Unknown> {
        let (mut level, mut round) = from;
        for _ in 0..=policy.levels.len() {
            if level >= policy.levels.len() {
                if round >= policy.repeat {
                    return Ok(None);
                }
                (level, round) = (0, round + 1);
            }
            if !self.recipients(id, policy, level, at)?.is_empty() {
                return Ok(Some((level, round)));
            }
            level += 1;
        }
        Ok(None)
    }

    fn policy_of(&self, id: IncidentId) -> Option<&Policy> {
        let case = self.cases.get(&id)?;
        let given = case.given_policy;
        let given = given.and_then(|policy| self.policies.get(&policy));
        let named = self.services.get(&case.service)?.policy;
        let named = named.and_then(|policy| self.policies.get(&policy));
        let first = given.or(named);
        first.or_else(|| self.policies.get(&self.default_policy?))
    }

    fn recipients(
        &self,
        id: IncidentId,
        policy: &Policy,
        level: usize,
        at: Timestamp,
    ) -> Result<BTreeSet<UserId>, Unknown> {
        let mut named = BTreeSet::new();
        let targets = policy.levels.get(level).map(|level| &level.targets);
        for target in targets.into_iter().flatten() {
            named.extend(self.named_by(id, *target, at)?);
        }
        Ok(named)
    }

    /// Whom one target of a level names who can be reached and has not done their part.
    pub(super) fn named_by(
        &self,
        id: IncidentId,
        target: Recipient,
        at: Timestamp,
    ) -> Result<BTreeSet<UserId>, Unknown> {
        let mut named = Vec::new();
        match target {
            Recipient::User(user) => named.push(user),
            Recipient::Schedule(schedule) => {
                if let Some(known) = self.schedules.get(&schedule) {
                    named.extend(on_call(known, self.holding_of(schedule), at)?);
                }
            }
            Recipient::Team(team) => named.extend(self.teams.get(&team).into_iter().flatten()),
        }
        let spared = self.cases.get(&id).map(|case| &case.spared);
        let is_spared = |user: &UserId| spared.is_some_and(|spared| spared.contains(user));
        let named = named.into_iter().filter(|user| !is_spared(user));
        Ok(self.reachable(named))
    }

    /// Which of the exchanges of a schedule hold.
    pub(crate) fn holding_of(&self, id: ScheduleId) -> &[bool] {
        self.holding.get(&id).map_or(&[][..], Vec::as_slice)
    }

    /// A schedule, or who is there to exchange anything of it, is another.
    pub(super) fn settle_swaps(&mut self, id: ScheduleId) {
        let known = self.schedules.get(&id);
        let known = known.filter(|known| !known.swaps.is_empty());
        match known.map(holding) {
            Some(Ok(found)) => self.holding.insert(id, found),
            Some(Err(Unknown)) | None => self.holding.remove(&id),
        };
    }

    pub(super) fn reachable(&self, users: impl Iterator<Item = UserId>) -> BTreeSet<UserId> {
        let can = |user: &UserId| {
            self.people
                .get(user)
                .is_some_and(super::Person::is_reachable)
        };
        users.filter(can).collect()
    }
}

impl Case {
    /// The levels are others now. `level`: the place of the one that was reached, as they were then.
    fn look_for_place(
        &mut self,
        level: usize,
        is_exhausted: bool,
        before: &[Level],
        now: &[Level],
    ) {
        let stood = if self.goes_on.is_some() {
            self.stands
        } else {
            let reached = before.iter().take(level + 1);
            self.went_by
                .extend(reached.flat_map(|level| level.targets.iter().copied()));
            Some(level)
        };
        let went_by = |one: &Recipient| self.went_by.contains(one);
        let first_new = (0..now.len()).find(|place| {
            let targets = &now[*place].targets;
            let unknown = targets.iter().filter(|one| !went_by(one)).count();
            unknown > 0 && (!now[*place].round_robin || unknown == targets.len())
        });
        let mut stands = None;
        if let Some(old) = stood
            .and_then(|place| before.get(place))
            .filter(|_| !is_exhausted)
        {
            let shares = |place: &usize| {
                let mut targets = now[*place].targets.iter();
                targets.any(|one| old.targets.contains(one))
            };
            let own = stood.filter(|place| *place < now.len());
            stands = own.filter(shares).or_else(|| (0..now.len()).find(shares));
        }
        let behind = stands.map_or(now.len(), |place| place + 1);
        let next = match (first_new, is_exhausted) {
            (Some(new), false) => Some(new.min(behind)),
            (Some(new), true) => Some(new),
            (None, false) => Some(behind),
            (None, true) => None,
        };
        let is_natural = stands == Some(level) && next == Some(level + 1);
        if self.goes_on.is_some() || !is_natural {
            self.goes_on = next;
            self.stands = stands;
        }
    }
}
