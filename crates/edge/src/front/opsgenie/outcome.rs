//! What became of a request, by the events that it made. It knows no request.

use tocsin_domain::event::{AlertEvent, Event, EventBody, InputEvent};
use tocsin_domain::id::AlertId;
use tocsin_wire::opsgenie::{Kind, Outcome};

/// What became of an alert that was to be made, and which it is.
pub(super) fn raised(events: &[Event]) -> (Outcome, Option<AlertId>) {
    for event in events {
        if let EventBody::Alert(event) = &event.body {
            let outcome = match event {
                AlertEvent::Opened { .. } => Outcome::Done,
                AlertEvent::Repeated { .. } => Outcome::Again,
                AlertEvent::Recovered { .. } => continue,
            };
            return (outcome, Some(event.alert()));
        }
    }
    (Outcome::Dropped, None)
}

/// What became of what was to be done about an alert; `fires`: it was open. What changes nothing of one that is was done before, but
/// for a severity, which only rises.
pub(super) fn done_about(kind: Kind, fires: bool, events: &[Event]) -> Outcome {
    let unchanged = match (fires, kind) {
        (false, _) => Outcome::NotOpen,
        (true, Kind::Update) => Outcome::Unchanged,
        (true, Kind::Create | Kind::Close | Kind::Acknowledge | Kind::Note) => Outcome::Done,
    };
    let inputs = events.iter().filter_map(|event| match &event.body {
        EventBody::Input(input) => Some(input),
        EventBody::Installation(_)
        | EventBody::People(_)
        | EventBody::Roster(_)
        | EventBody::Watch(_)
        | EventBody::Alert(_)
        | EventBody::Incident(_)
        | EventBody::Notification(_) => None,
    });
    let mut outcomes = inputs.filter_map(|input| match input {
        InputEvent::Ignored { .. } => Some(unchanged),
        InputEvent::Dropped { .. } => Some(Outcome::Dropped),
        InputEvent::Changed { .. } => None,
    });
    outcomes.next().unwrap_or(Outcome::Done)
}
