//! What events touched, so that two states that were folded from the same events hold it once. It decides and changes nothing.

use std::sync::Arc;

use super::{State, merge_of};
use crate::alert::Alert;
use crate::event::{AlertEvent, Event, EventBody, IntakeEvent, PeopleEvent, RosterEvent};
use crate::id::{AlertId, IncidentId, NotificationId};
use crate::incident::Incident;
use crate::page::Notification;

/// Values as they were right after some events. They never change: a state that goes on copies what it changes.
#[derive(Debug, Default)]
pub struct Touched {
    incidents: Vec<(IncidentId, Arc<Incident>)>,
    alerts: Vec<(AlertId, Arc<Alert>)>,
    messages: Vec<(NotificationId, Arc<Notification>)>,
}

/// Of what something touches, the ids; some may be there more than once.
#[derive(Default)]
pub(super) struct Ids {
    pub(super) incidents: Vec<IncidentId>,
    pub(super) alerts: Vec<AlertId>,
    pub(super) messages: Vec<NotificationId>,
}

impl State {
    /// What `events`, the last that were folded in, touched.
    #[must_use]
    pub fn touched(&self, events: &[Event]) -> Touched {
        let mut ids = Ids::default();
        for event in events {
            self.note_touched(event, &mut ids);
        }
        Touched {
            incidents: once(ids.incidents, |id| self.incidents.shared(id)),
            alerts: once(ids.alerts, |id| self.alerts.shared(id)),
            messages: once(ids.messages, |id| self.notifications.shared(id)),
        }
    }

    /// Folds in events that another state was folded from, and holds together with it what they touched.
    pub fn keep_up_with(&mut self, events: &[Event], touched: Touched) {
        for event in events {
            self.evolve(event);
        }
        self.hold(touched);
    }

    /// Holds those values together with the state that they are from, which was folded from the same events.
    pub fn hold(&mut self, touched: Touched) {
        for (id, incident) in touched.incidents {
            self.incidents.hold(id, incident);
        }
        for (id, alert) in touched.alerts {
            self.alerts.hold(id, alert);
        }
        for (id, message) in touched.messages {
            self.notifications.hold(id, message);
        }
    }

    fn note_touched(&self, event: &Event, ids: &mut Ids) {
        match &event.body {
            // Its incident is not shared for that: in a storm the next alert joins it at once, and would have to copy it first. It is
            // when something else is said of it, when it is resolved at the latest.
            EventBody::Alert(what) => match what {
                // Every state holds the value of the event itself, unless it knows more of the clock.
                AlertEvent::Opened { alert } if self.clock.set_back_ms > 0 => {
                    ids.alerts.push(alert.id);
                }
                AlertEvent::Opened { .. } => {}
                AlertEvent::Repeated { alert, .. } | AlertEvent::Recovered { alert, .. } => {
                    ids.alerts.push(*alert);
                }
            },
            EventBody::Incident(what) => {
                ids.incidents.push(what.incident);
                if let Some((source, alerts)) = merge_of(what) {
                    ids.incidents.push(source);
                    ids.alerts.extend(alerts);
                }
                ids.alerts.extend(what.what.alerts());
            }
            EventBody::Notification(what) => {
                ids.messages.push(what.notification);
                // What it told along shares its fate.
                let told = self.told_with(what.notification);
                ids.messages.extend(told.map(|message| message.id));
            }
            EventBody::Installation(what) => self.note_moved(what, event.recorded_at, ids),
            EventBody::People(PeopleEvent::UserRemoved { .. })
            | EventBody::Roster(RosterEvent::TeamSet { .. } | RosterEvent::PolicySet { .. }) => {
                ids.incidents.extend(self.open_incidents.iter());
            }
            EventBody::Roster(RosterEvent::Intake(IntakeEvent::AlertsSpared {
                alerts, ..
            })) => ids.alerts.extend(alerts),
            EventBody::People(_)
            | EventBody::Roster(_)
            | EventBody::Watch(_)
            | EventBody::Input(_) => {}
        }
    }
}

/// Each once, with its value.
fn once<K: Ord + Copy, V>(mut ids: Vec<K>, shared: impl Fn(&K) -> Option<V>) -> Vec<(K, V)> {
    ids.sort_unstable();
    ids.dedup();
    let known = ids.into_iter();
    known.filter_map(|id| Some((id, shared(&id)?))).collect()
}
