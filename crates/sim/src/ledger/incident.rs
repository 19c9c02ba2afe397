//! Incidents in the second book: who has them, what they wait for, and whether the wait is right.

use std::collections::{BTreeMap, BTreeSet};

use tocsin_domain::event::{Event, IncidentEvent, IncidentWhat};
use tocsin_domain::id::{IncidentId, NotificationId};
use tocsin_domain::monitor::Severity;
use tocsin_domain::page::Purpose;
use tocsin_domain::people::Urgency;
use tocsin_domain::time::Timestamp;

use super::{Case, Ledger, Standing, Wait};
use crate::check::Check;

/// What comes and goes is paged for again after this long at the latest.
const FLAPPING_MS: u64 = 600_000;
/// So many returns are each paged for.
const RETURNS_PAGED: u32 = 3;
/// After so long in which nothing that pages failed, returns are counted afresh.
const STABLE_MS: u64 = 600_000;
/// What comes back later than this after it was over is another incident.
const RETURN_MS: u64 = 600_000;

impl Ledger {
    #[expect(
        clippy::too_many_lines,
        reason = "one arm for each thing that can happen"
    )]
    pub(super) fn see_incident(&mut self, event: &IncidentEvent, envelope: &Event) {
        let (id, at) = (event.incident, envelope.at);
        self.touch(id);
        match &event.what {
            IncidentWhat::Opened {
                number,
                service,
                target,
                severity,
                ..
            } => {
                let case = Case {
                    number: *number,
                    service: *service,
                    target: *target,
                    standing: Standing::Triggered,
                    severity: *severity,
                    urgency: severity.urgency(),
                    firing: BTreeMap::new(),
                    members: 0,
                    newest: None,
                    returns: 0,
                    ended_at: None,
                    may_flap: false,
                    opened_at: at,
                    reached_at: None,
                    is_pressed: false,
                    own_judge: false,
                    healthy_since: None,
                    over_since: None,
                    wait: Wait::Nothing,
                    walked: None,
                    went_by: Vec::new(),
                    goes_on: None,
                    stands: None,
                    level_event: 0,
                    turn: None,
                    chosen: BTreeSet::new(),
                    asked: BTreeSet::new(),
                    is_paged: false,
                    is_urgent: false,
                    spared: BTreeSet::new(),
                    takers: BTreeSet::new(),
                    signed: Vec::new(),
                    taken_until: None,
                    snoozed_until: None,
                    given_event: 0,
                    given_to: Vec::new(),
                    given_policy: None,
                    is_quieted: false,
                    is_loud: false,
                    is_flapping: false,
                    helpers: BTreeMap::new(),
                    taker: None,
                    unasked: BTreeSet::new(),
                    is_merged: false,
                    is_hurried: false,
                    merged_into: None,
                    active: BTreeSet::new(),
                };
                self.cases.insert(id, case);
                self.open.insert(id);
                self.groups.count(*service, *severity, at);
            }
            IncidentWhat::Raised {
                severity, urgency, ..
            } => {
                self.take_over(id);
                self.change(id, |case| {
                    let wait = case.wait;
                    case.urgency = *urgency;
                    case.begin_anew(Some(*severity));
                    case.is_quieted &= *urgency == Urgency::Low;
                    // What gets worse waits on where a rule says so of it.
                    if matches!(wait, Wait::Hold(_)) {
                        case.wait = wait;
                    }
                });
            }
            // Its alerts say how urgent it is; what pages shows whether that was heard.
            IncidentWhat::UrgencySet {
                urgency, alerts, ..
            } => {
                self.raise_alerts(id, *urgency, alerts);
                self.change(id, |case| case.ask_as(*urgency));
            }
            // Whether that is too long is looked at after the step.
            IncidentWhat::PageHeld { hold } => {
                self.change(id, |case| case.wait = Wait::Hold(hold.until));
            }
            IncidentWhat::PageSuppressed {
                until, flapping, ..
            } => self.suppressed(id, *until, *flapping, at),
            IncidentWhat::QuietEnded => self.quiet_ended(id, at),
            IncidentWhat::LevelReached {
                policy,
                level,
                round,
                recipients,
                next_at,
                turn,
                ..
            } => {
                let place = (*level, *round);
                self.check_policy(id, *policy, at);
                self.check_level(
                    id,
                    place,
                    (*turn, recipients.as_slice()),
                    *next_at,
                    envelope,
                );
                self.take_turn(id, *policy, place, *turn);
                self.go_by(id, *policy, place);
                self.change(id, |case| {
                    case.walked = *policy;
                    case.asked.clear();
                });
                let wait = Wait::Level {
                    level: *level,
                    round: *round,
                    is_fallback: false,
                    next_at: *next_at,
                };
                self.reach(id, wait, recipients.clone(), (envelope.position, at));
            }
            IncidentWhat::FallbackReached {
                recipients,
                next_at,
                circle,
                ..
            } => {
                self.check_fallback(id, *circle, recipients, *next_at, envelope);
                // Whoever takes it from the last resort takes it for all.
                let widens = *circle > 0 && self.is_exhausted(id);
                self.change(id, |case| {
                    case.spared.clear();
                    case.turn = None;
                    case.asked.retain(|_| widens);
                    case.goes_on = case.goes_on.filter(|_| widens);
                });
                let place = self.place_of(id);
                if place.is_none() {
                    self.change(id, |case| case.walked = None);
                }
                let (level, round) = place.unwrap_or((0, 0));
                let wait = Wait::Level {
                    level,
                    round,
                    is_fallback: true,
                    next_at: *next_at,
                };
                self.reach(id, wait, recipients.clone(), (envelope.position, at));
            }
            IncidentWhat::Acknowledged { by, ends_at, .. } => {
                self.hush(id, true);
                self.change(id, |case| {
                    // Who has it keeps it.
                    let keeps = case.standing == Standing::Taken;
                    case.taker = case.taker.filter(|_| keeps).or(*by);
                    case.take();
                    case.takers.extend(*by);
                    case.sign(*by);
                    case.taken_until = *ends_at;
                });
            }
            IncidentWhat::Recovered { .. } => {
                self.change(id, |case| case.healthy_since = Some(at));
            }
            IncidentWhat::Relapsed {
                reopened,
                pages,
                urgent,
                failing,
                by_hand,
                ..
            } => {
                if *reopened {
                    self.check_return(id, at);
                }
                let anew = *reopened || *pages || failing.is_some();
                if anew {
                    self.hush(id, false);
                }
                let severity = failing.as_ref().map(|failing| failing.severity);
                self.open.insert(id);
                self.change(id, |case| {
                    if *urgent {
                        case.count_return(envelope.recorded_at, *by_hand);
                    }
                    case.healthy_since = None;
                    case.over_since = None;
                    if let Some(severity) = severity {
                        case.urgency = severity.urgency();
                        case.is_quieted = false;
                        case.is_loud = false;
                    }
                    if anew {
                        case.begin_anew(severity);
                        // Whether it still comes and goes is decided anew.
                        case.is_flapping = false;
                        case.may_flap = false;
                    }
                });
            }
            IncidentWhat::Resolved { .. } => {
                self.open.remove(&id);
                self.owe_ended(id);
                self.groups.end(id);
                self.change(id, |case| {
                    case.standing = Standing::Over;
                    case.over_since = Some(at);
                    case.wait = Wait::Nothing;
                    case.taken_until = None;
                    case.snoozed_until = None;
                });
            }
            IncidentWhat::Response(what) => self.see_response(id, what, at),
            IncidentWhat::NoteAdded { .. } | IncidentWhat::EvidenceFrozen { .. } => {}
        }
    }

    /// Only what was over a moment ago is opened again, unless a person says that it is not over.
    fn check_return(&mut self, id: IncidentId, at: Timestamp) {
        let case = self.cases.get(&id);
        let over_since = case.and_then(|case| case.over_since);
        if self.reopening.contains(&id) {
            return;
        }
        if over_since.is_none_or(|over| at.ms_since(over) >= RETURN_MS) {
            let number = case.map_or(0, |case| case.number);
            let what = format!("incident {number} was opened again, over since {over_since:?}");
            self.find(Check::NothingHidden, at, what);
        }
    }

    /// A provider took a page, for its incident and for those that it tells along.
    pub(crate) fn page_accepted(&mut self, page: NotificationId) {
        let along = self.together.get(&page).cloned().unwrap_or_default();
        for page in along.into_iter().chain([page]) {
            let letter = self.letters.get(&page);
            let purpose = letter.map(|letter| (letter.purpose, letter.user));
            // Whoever it was taken from does not stand in for those who have it now.
            if let Some((Purpose::Page(id), user)) = purpose
                && self.is_chosen(id, user)
            {
                self.change(id, |case| case.is_paged = true);
            }
        }
    }

    pub(super) fn change(&mut self, id: IncidentId, change: impl FnOnce(&mut Case)) {
        if let Some(case) = self.cases.get_mut(&id) {
            change(case);
        }
    }

    fn reach(
        &mut self,
        id: IncidentId,
        wait: Wait,
        chosen: Vec<tocsin_domain::id::UserId>,
        (position, at): (u64, Timestamp),
    ) {
        self.owe_pages(id, &chosen);
        self.change(id, |case| {
            if !matches!(case.wait, Wait::Level { .. }) {
                case.reached_at = Some(at);
            }
            case.wait = wait;
            case.is_flapping = false;
            case.may_flap = false;
            case.is_pressed = false;
            case.level_event = position;
            case.asked.extend(chosen.iter().copied());
            case.chosen.extend(chosen);
        });
    }

    /// The level and round that were reached last, if the policy is being walked.
    pub(super) fn place_of(&self, id: IncidentId) -> Option<(usize, u32)> {
        match self.cases.get(&id)?.wait {
            Wait::Level { level, round, .. } => Some((level, round)),
            Wait::Nothing | Wait::Hold(_) | Wait::Quiet(_) => None,
        }
    }

    /// Pages may be held back as long as all that asks is covered, or for ten minutes for what comes and goes; where nothing fails any
    /// more, there is none to hold back.
    fn suppressed(&mut self, id: IncidentId, until: Timestamp, flapping: bool, at: Timestamp) {
        let allowed = match self.cases.get(&id) {
            _ if flapping => Some(at.plus_ms(FLAPPING_MS)),
            Some(case) if case.firing.is_empty() => Some(until),
            Some(case) => self.case_covered_until(case, at, true),
            None => None,
        };
        if allowed.is_none_or(|allowed| until > allowed) {
            let what = format!("pages are held back until {until}, allowed is {allowed:?}");
            self.find(Check::NothingForgotten, at, what);
        }
        let steady = self.cases.get(&id).filter(|case| !case.comes_and_goes());
        if let (true, Some(case)) = (flapping, steady) {
            let (number, returns) = (case.number, case.returns);
            let what = format!(
                "incident {number} is held back as what comes and goes, which came back {returns} times"
            );
            self.find(Check::NothingForgotten, at, what);
        }
        self.change(id, |case| {
            case.wait = Wait::Quiet(until);
            case.is_flapping = flapping;
            case.is_paged = false;
            case.spared.clear();
        });
    }
}

impl Ledger {
    /// What wakes nobody is told of once nothing covers it any more, and not before.
    fn quiet_ended(&mut self, id: IncidentId, at: Timestamp) {
        let Some(case) = self.cases.get(&id) else {
            return;
        };
        let covered = self.case_covered_until(case, at, false);
        if covered.is_some() || case.urgency != Urgency::Low {
            let what = format!(
                "incident {} is no longer quiet, covered until {covered:?}",
                case.number
            );
            self.find(Check::NothingCovered, at, what);
        }
        self.change(id, |case| {
            case.wait = Wait::Nothing;
            case.is_flapping = false;
        });
    }
}

impl Case {
    /// What pages comes back now. After it was stable for long enough, that is the first time; by a person's hand, nothing came back.
    fn count_return(&mut self, now: Timestamp, by_hand: bool) {
        let ended_at = self.ended_at.filter(|_| !self.burns());
        let was_stable = ended_at.is_some_and(|ended_at| now.ms_since(ended_at) >= STABLE_MS);
        let returns = self.returns + u32::from(!by_hand);
        self.returns = if was_stable { 0 } else { returns };
    }

    /// Its alerts are as urgent as that from now on; what was done about something less urgent is not what they need.
    fn ask_as(&mut self, urgency: Urgency) {
        let is_walked = matches!(self.wait, Wait::Level { .. });
        if urgency > self.urgency && self.standing == Standing::Triggered && is_walked {
            self.wait = Wait::Nothing;
            self.is_paged = false;
            self.spared.clear();
        }
        self.urgency = urgency;
        self.is_quieted &= urgency == Urgency::Low;
    }

    /// Whether it came back so often that its pages may be held back for that.
    const fn comes_and_goes(&self) -> bool {
        self.returns > RETURNS_PAGED || self.is_flapping || self.may_flap
    }

    /// Somebody has it, and no reason to wait counts any more.
    pub(super) fn take(&mut self) {
        self.standing = Standing::Taken;
        if matches!(self.wait, Wait::Hold(_)) {
            self.wait = Wait::Nothing;
        }
    }

    /// Whatever was done about something lesser or earlier does not count for what fails now.
    pub(super) fn begin_anew(&mut self, severity: Option<Severity>) {
        self.standing = Standing::Triggered;
        self.wait = Wait::Nothing;
        self.is_paged = false;
        self.spared.clear();
        self.takers.clear();
        self.signed.clear();
        self.taker = None;
        self.taken_until = None;
        self.snoozed_until = None;
        self.is_pressed = false;
        self.severity = severity.unwrap_or(self.severity);
    }
}
