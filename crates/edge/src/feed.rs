//! The one source of the live stream: what was committed, as small changes in a bounded ring. It never waits for a reader.

use serde::Serialize;
use tocsin_domain::event::{AlertEvent, Event, EventBody, IncidentWhat, WatchEvent};
use tocsin_domain::id::{IncidentId, TargetId};
use tokio::sync::broadcast;
use utoipa::ToSchema;

use crate::kind;

/// Changes that a slow reader may lag behind before it has to resume from the journal.
pub const FEED_CHANGES_MAX: usize = 4_096;

/// One change, as told to browsers: where to look, not what is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = StreamChange)]
pub struct Change {
    /// The event's place in the journal.
    pub position: u64,
    /// What happened (`incident.acknowledged`), or `resync` when changes were left out.
    pub kind: String,
    /// The incident it is about.
    #[schema(value_type = Option<String>)]
    pub incident_id: Option<IncidentId>,
    /// The target it is about.
    #[schema(value_type = Option<String>)]
    pub target_id: Option<TargetId>,
}

impl Change {
    /// What is told of an event.
    #[must_use]
    pub fn of(event: &Event) -> Self {
        Self {
            position: event.position,
            kind: kind::of(&event.body),
            incident_id: event.body.incident(),
            target_id: target_of(&event.body),
        }
    }
}

fn target_of(body: &EventBody) -> Option<TargetId> {
    match body {
        EventBody::Watch(event) => watched(event),
        EventBody::Alert(AlertEvent::Opened { alert }) => alert.target,
        EventBody::Incident(event) => match &event.what {
            IncidentWhat::Opened { target, .. } => *target,
            IncidentWhat::Raised { .. }
            | IncidentWhat::UrgencySet { .. }
            | IncidentWhat::PageHeld { .. }
            | IncidentWhat::PageSuppressed { .. }
            | IncidentWhat::QuietEnded
            | IncidentWhat::LevelReached { .. }
            | IncidentWhat::FallbackReached { .. }
            | IncidentWhat::Acknowledged { .. }
            | IncidentWhat::NoteAdded { .. }
            | IncidentWhat::Recovered { .. }
            | IncidentWhat::Relapsed { .. }
            | IncidentWhat::Resolved { .. }
            | IncidentWhat::EvidenceFrozen { .. }
            | IncidentWhat::Response(_) => None,
        },
        EventBody::Alert(AlertEvent::Repeated { .. } | AlertEvent::Recovered { .. })
        | EventBody::Installation(_)
        | EventBody::People(_)
        | EventBody::Roster(_)
        | EventBody::Notification(_)
        | EventBody::Input(_) => None,
    }
}

fn watched(event: &WatchEvent) -> Option<TargetId> {
    match event {
        WatchEvent::TargetFound { target } => Some(target.id),
        WatchEvent::TargetChanged { target, .. }
        | WatchEvent::TargetRemoved { target }
        | WatchEvent::TargetMuted { target, .. }
        | WatchEvent::TargetUnmuted { target }
        | WatchEvent::MaintenancePlanned { target, .. }
        | WatchEvent::MaintenanceCancelled { target, .. } => Some(*target),
        WatchEvent::MonitorSet { .. } | WatchEvent::MonitorSwitched { .. } => None,
    }
}

/// Where committed events are published; cheap to clone.
#[derive(Clone)]
pub struct Feed(broadcast::Sender<Change>);

impl Default for Feed {
    fn default() -> Self {
        Self(broadcast::Sender::new(FEED_CHANGES_MAX))
    }
}

impl Feed {
    /// Tells every reader; called after the commit, from any thread, and never waits.
    pub fn publish(&self, events: &[Event]) {
        for event in events {
            // Nobody listens: then nobody has to be told.
            if self.0.receiver_count() > 0 {
                let _ = self.0.send(Change::of(event));
            }
        }
    }

    pub(crate) fn subscribe(&self) -> broadcast::Receiver<Change> {
        self.0.subscribe()
    }

    /// How many listen.
    #[must_use]
    pub fn readers(&self) -> usize {
        self.0.receiver_count()
    }
}
