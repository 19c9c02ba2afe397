//! Alerts in the second book: what rules and settings should have made of each, where it belongs, and how long it waits.

use std::collections::BTreeMap;
use std::sync::Arc;

use tocsin_domain::alert::{self, AlertSource};
use tocsin_domain::event::{AlertEvent, Event};
use tocsin_domain::id::{AlertId, IncidentId, MonitorId, TargetId};
use tocsin_domain::monitor::Severity;
use tocsin_domain::people::Urgency;
use tocsin_domain::time::Timestamp;

use super::rules::{Heard, Ruled, said_in};
use super::{Ledger, Standing, Subject, Wait};
use crate::check::Check;

/// Returns of what pages that the pause of a rule covers.
const PAUSED_RETURNS_MAX: u32 = 3;
/// What fails of one target waits no longer than this for a reason that another failure of it has.
const SHARED_MS_MAX: u64 = 60_000;

/// Something that fails.
#[derive(Clone, Debug)]
pub(crate) struct Alert {
    pub(crate) incident: IncidentId,
    /// As it was told first.
    pub(crate) told: Arc<alert::Alert>,
    /// Its further fields, where others were told since.
    details: Option<Vec<(String, String)>>,
    pub(crate) severity: Severity,
    pub(super) urgency: Urgency,
    /// Until when nobody is paged for it by itself.
    pub(crate) waits: Option<Timestamp>,
    /// Until when it may wait for the reason of another failure of its target.
    pub(super) shares: Option<Timestamp>,
    /// The worst that was said of it when it paged.
    loudest: Option<Severity>,
    /// Somebody has it, or said that it is not urgent, and it has not got worse since.
    pub(super) is_hushed: bool,
    /// When it was said last.
    pub(super) heard_at: Timestamp,
    /// A person said so, of all that its incident is about.
    pub(super) by_hand: bool,
    /// When it was taken in.
    pub(super) taken_at: Timestamp,
    /// When it began.
    pub(super) began_at: Timestamp,
    /// When it is over unless it is said again, if whoever said it last says so.
    pub(super) ends_at: Option<Timestamp>,
}

/// What an incident knows of an alert that fails.
#[derive(Clone, Copy, Debug)]
pub(super) struct Burning {
    pub(super) urgency: Urgency,
    /// The worst that was said of it when it paged.
    pub(super) loudest: Option<Severity>,
}

/// When a monitor fired last for a target, and which of its reasons to wait it saw.
pub(super) type Answers = BTreeMap<(MonitorId, TargetId), (Timestamp, Vec<usize>)>;

impl Alert {
    pub(super) fn details(&self) -> &[(String, String)] {
        self.details.as_deref().unwrap_or(&self.told.details)
    }

    const fn burning(&self) -> Burning {
        Burning {
            urgency: self.urgency,
            loudest: self.loudest,
        }
    }
}

fn loud(urgency: Urgency, severity: Severity) -> Option<Severity> {
    (urgency == Urgency::High).then_some(severity)
}

impl Ledger {
    /// A monitor is about to say that it fires, with these reasons to wait.
    pub(crate) fn note_answers(
        &mut self,
        (monitor, target): (MonitorId, TargetId),
        at: Timestamp,
        holds: &[usize],
    ) {
        let answers = (at, holds.to_vec());
        self.answers.insert((monitor, target), answers);
    }

    pub(super) fn see_alert(&mut self, what: &AlertEvent, event: &Event) {
        self.last_opened = None;
        let incident = match what {
            AlertEvent::Opened { alert } => {
                self.see_opened(alert, event);
                alert.incident
            }
            AlertEvent::Repeated { .. } => match self.see_repeated(what, event) {
                Some(incident) => incident,
                None => return,
            },
            AlertEvent::Recovered { alert, .. } => {
                let Some(known) = self.alerts.get(alert) else {
                    return;
                };
                let incident = known.incident;
                if let AlertSource::Heartbeat { heartbeat } = known.told.source {
                    self.pulse_recovers(heartbeat);
                }
                self.check_end(*alert, event);
                self.set_due(Subject::Alert(*alert), None);
                self.change(incident, |case| {
                    let ended = case.firing.remove(alert);
                    if ended.is_some_and(|one| one.urgency == Urgency::High) {
                        let at = event.at.min(event.recorded_at);
                        case.ended_at = case.ended_at.max(Some(at));
                    }
                });
                incident
            }
        };
        self.touch(incident);
    }

    fn see_opened(&mut self, told: &Arc<alert::Alert>, event: &Event) {
        let id = told.incident;
        let (returns, held_until, has_severity, is_taken) = match self.cases.get(&id) {
            Some(case) => {
                let held_until = match case.wait {
                    Wait::Hold(until) => Some(until),
                    Wait::Nothing | Wait::Quiet(_) | Wait::Level { .. } => None,
                };
                let is_taken = case.standing == Standing::Taken || case.is_quieted;
                (case.returns, held_until, case.severity, is_taken)
            }
            None => {
                let what = format!("alert {} has no incident", told.id);
                return self.find(Check::NothingHidden, event.at, what);
            }
        };
        // What a person says is as urgent as they say, and no rule is asked.
        let is_said = matches!(told.source, AlertSource::Api) && !told.summary.is_empty();
        let by_hand = is_said && self.reopening.contains(&id);
        let said = self.said(told, &told.title, &told.details);
        let said = said.filter(|_| !by_hand);
        let sent_to = told.sent_to.unwrap_or(told.service);
        let heard = Heard {
            service: sent_to,
            severity: said.unwrap_or(told.severity),
            title: &told.title,
            details: &told.details,
            at: event.recorded_at,
            is_own: told.source.is_own_judge(),
        };
        let ruled = said.and_then(|_| self.rule(&heard).ok());
        let own = ruled.as_ref().map(|ruled| {
            let pause = ruled.pause_ms.filter(|_| returns <= PAUSED_RETURNS_MAX);
            let pause = pause.map(|ms| event.recorded_at.plus_ms(ms));
            let monitor = self.monitor_waits(told, returns, event.recorded_at);
            let waits = pause.into_iter().chain(monitor).max();
            waits.filter(|until| *until > event.recorded_at)
        });
        let told_waits = told.hold.as_ref().map(|hold| hold.until);
        // What is worse than what waits shares nothing.
        let shares = told.target.and(held_until);
        let shares = shares.map(|until| until.min(event.recorded_at.plus_ms(SHARED_MS_MAX)));
        let shares = shares.filter(|_| told.severity <= has_severity);
        if let (Some(ruled), Some(own)) = (&ruled, own) {
            self.check_ruling(told, ruled, (own, own.max(shares)), event);
        }
        self.check_place(told, ruled.as_ref(), event);
        let alert = Alert {
            incident: id,
            told: Arc::clone(told),
            details: None,
            severity: told.severity,
            urgency: told.urgency(),
            waits: own.unwrap_or(told_waits),
            shares,
            loudest: loud(told.urgency(), told.severity),
            // Whoever has the others, or said that they are not urgent, means it too, unless it is worse.
            is_hushed: is_taken,
            heard_at: event.recorded_at,
            taken_at: event.recorded_at,
            by_hand,
            began_at: told.opened_at,
            ends_at: told.ends_at,
        };
        self.put_in(id, alert, event);
    }

    /// A new alert is in its incident from now on.
    fn put_in(&mut self, id: IncidentId, alert: Alert, event: &Event) {
        let told = Arc::clone(&alert.told);
        let burning = alert.burning();
        self.set_due(Subject::Alert(told.id), alert.ends_at);
        self.alerts.insert(told.id, alert);
        self.last_opened = Some(told.id);
        let mut is_hidden = false;
        self.change(id, |case| {
            // Whoever took the others of a storm would not hear of one that joins them.
            is_hidden = told.grouped.is_some()
                && told.urgency() == Urgency::High
                && case.standing == Standing::Taken;
            case.firing.insert(told.id, burning);
            case.newest = Some(told.id);
            case.members += 1;
            case.own_judge |= told.source.is_own_judge();
            case.healthy_since = None;
        });
        if is_hidden {
            let what = format!("alert {} joined what somebody has taken", told.id);
            self.find(Check::NothingHidden, event.at, what);
        }
        if let AlertSource::Heartbeat { heartbeat } = told.source {
            self.pulse_fires(heartbeat, &told, event);
        }
    }

    /// Until when the reasons of its monitor let an alert wait.
    fn monitor_waits(
        &self,
        told: &alert::Alert,
        returns: u32,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let monitor = told.source.monitor()?;
        let (at, holds) = self.answers.get(&(monitor, told.target?))?;
        if *at != told.opened_at {
            return told.hold.as_ref().map(|hold| hold.until);
        }
        let known = &self.monitors.get(&monitor)?.holds;
        let holds = holds.iter().filter_map(|index| known.get(*index));
        let holds = holds.filter(|(_, covered)| returns <= *covered);
        let longest = holds.map(|(ms, _)| *ms).max()?;
        Some((*at).min(now).plus_ms(longest))
    }

    /// How bad its sender said that it is.
    fn said(
        &self,
        told: &alert::Alert,
        title: &str,
        details: &[(String, String)],
    ) -> Option<Severity> {
        match &told.source {
            AlertSource::Monitor { monitor, .. } => Some(self.monitors.get(monitor)?.severity),
            AlertSource::Heartbeat { heartbeat } => Some(self.pulses.get(heartbeat)?.severity),
            AlertSource::Rule { .. } => {
                let mut labels = details.iter();
                let (_, word) = labels.find(|(name, _)| name == "severity")?;
                said_in(&format!("({word})"))
            }
            AlertSource::EventsV2 { .. } | AlertSource::Api | AlertSource::Alertmanager { .. } => {
                said_in(title)
            }
        }
    }

    fn check_ruling(
        &mut self,
        told: &alert::Alert,
        ruled: &Ruled,
        (own, shared): (Option<Timestamp>, Option<Timestamp>),
        event: &Event,
    ) {
        let group = told.judged.as_ref().and_then(|judged| judged.group.clone());
        let suppressed = told.suppressed().is_some();
        let is = (told.service, told.severity, told.urgency(), suppressed);
        let wanted = (
            ruled.service,
            ruled.severity,
            ruled.urgency,
            ruled.is_suppressed,
        );
        let told_waits = told.hold.as_ref().map(|hold| hold.until);
        let wrong = if ruled.is_dropped {
            Some("a rule throws it away".to_owned())
        } else if is != wanted {
            Some(format!("it is {is:?}, by the rules {wanted:?}"))
        } else if group != ruled.group {
            Some(format!("its group is {group:?}, not {:?}", ruled.group))
        } else if told_waits != own && told_waits != shared {
            Some(format!("it waits until {told_waits:?}, not {own:?}"))
        } else {
            None
        };
        if let Some(wrong) = wrong {
            let what = format!("alert {} ({}): {wrong}", told.id, told.title);
            self.find(Check::RightRuling, event.at, what);
        }
    }

    /// What is said again changes what is known of it, and never lets it wait longer than before.
    fn see_repeated(&mut self, what: &AlertEvent, event: &Event) -> Option<IncidentId> {
        let AlertEvent::Repeated {
            alert: id,
            severity,
            summary,
            urgency,
            details,
            ends_at,
            ..
        } = what
        else {
            return None;
        };
        let known = self.alerts.get(id)?;
        let told = Arc::clone(&known.told);
        let now_details = details.as_deref().unwrap_or(known.details()).to_vec();
        let (before, before_urgency) = (known.severity, known.urgency);
        let (waits, incident) = (known.waits, known.incident);
        let now_urgency = urgency.unwrap_or(severity.urgency());
        let said = self.said(&told, summary, &now_details);
        let heard = Heard {
            service: told.sent_to.unwrap_or(told.service),
            severity: said.unwrap_or(*severity),
            title: summary,
            details: &now_details,
            at: event.recorded_at,
            is_own: told.source.is_own_judge(),
        };
        let ruled = said.and_then(|_| self.rule(&heard).ok());
        if let Some(ruled) = &ruled
            && (ruled.severity, ruled.urgency) != (*severity, now_urgency)
        {
            let what = format!(
                "alert {id} is {severity:?} and {now_urgency:?} now, by the rules {ruled:?}"
            );
            self.find(Check::RightRuling, event.at, what);
        }
        let returns = self.cases.get(&incident).map_or(0, |case| case.returns);
        let pause = ruled.as_ref().and_then(|ruled| ruled.pause_ms);
        let pause = pause.filter(|_| returns <= PAUSED_RETURNS_MAX);
        let anew = event.recorded_at.plus_ms(pause.unwrap_or(0));
        let is_worse =
            now_urgency > before_urgency || (now_urgency == before_urgency && *severity > before);
        let shortened = waits.filter(|until| is_worse && anew < *until);
        if let Some(known) = self.alerts.get_mut(id) {
            known.severity = before.max(*severity);
            known.urgency = before_urgency.max(now_urgency);
            known.loudest = known.loudest.max(loud(now_urgency, *severity));
            known.heard_at = event.recorded_at;
            known.ends_at = *ends_at;
            known.details = details.clone().or(known.details.take());
            known.waits = shortened.map_or(waits, |_| Some(anew));
            if is_worse {
                known.shares = None;
                known.is_hushed = false;
            }
            let burning = known.burning();
            self.change(incident, |case| {
                case.firing.insert(*id, burning);
            });
        }
        self.set_due(Subject::Alert(*id), *ends_at);
        Some(incident)
    }

    /// Support hours have begun, and these alerts ask for somebody.
    pub(super) fn raise_alerts(&mut self, id: IncidentId, urgency: Urgency, alerts: &[AlertId]) {
        for alert in alerts {
            let Some(known) = self.alerts.get_mut(alert) else {
                continue;
            };
            known.urgency = known.urgency.max(urgency);
            known.is_hushed = false;
            let burning = known.burning();
            self.change(id, |case| {
                if let Some(known) = case.firing.get_mut(alert) {
                    *known = burning;
                }
            });
        }
    }

    /// Somebody has what fails in an incident or says that it is not urgent, or does so no longer.
    pub(super) fn hush(&mut self, id: IncidentId, is_hushed: bool) {
        let firing = self.cases.get(&id).map(|case| &case.firing);
        for alert in firing.into_iter().flat_map(BTreeMap::keys) {
            if let Some(known) = self.alerts.get_mut(alert) {
                known.is_hushed = is_hushed;
            }
        }
    }

    /// Nobody has what fails in an incident any more. What a person said of it stands.
    pub(super) fn hush_no_more(&mut self, id: IncidentId) {
        let is_quieted = self.cases.get(&id).is_some_and(|case| case.is_quieted);
        self.hush(id, is_quieted);
    }

    /// What takes an incident over is worse than what waits in it, and waits for its own reason alone. The event before this one
    /// told of it.
    pub(super) fn take_over(&mut self, id: IncidentId) {
        let newest = self.cases.get(&id).and_then(|case| case.newest);
        let newest = newest.filter(|newest| self.last_opened == Some(*newest));
        if let Some(alert) = newest.and_then(|newest| self.alerts.get_mut(&newest)) {
            alert.shares = None;
            alert.is_hushed = false;
        }
    }

    /// A pause lasts so long, whatever the clock shows.
    pub(super) fn set_back_alerts(&mut self, by_ms: u64) {
        for alert in self.alerts.values_mut() {
            alert.waits = alert.waits.map(|at| at.minus_ms(by_ms));
            alert.shares = alert.shares.map(|at| at.minus_ms(by_ms));
            alert.heard_at = alert.heard_at.minus_ms(by_ms);
            alert.taken_at = alert.taken_at.minus_ms(by_ms);
            alert.began_at = alert.began_at.minus_ms(by_ms);
        }
    }
}
