//! Folds who acknowledged an incident beside whoever has it, and whose it is when that person is removed.

use crate::event::{Event, IncidentWhat, Response};
use crate::id::UserId;
use crate::incident::{Acknowledger, ENGAGED_MAX, Incident};
use crate::time::Timestamp;

/// Keeps who says that they take it, or no longer do. The event was folded in otherwise; `had`: whose it was before.
pub(super) fn keep_acknowledgers(
    incident: &mut Incident,
    had: Option<Acknowledger>,
    what: &IncidentWhat,
    envelope: &Event,
) {
    if let IncidentWhat::Response(Response::ResponderAnswered {
        user,
        accepted: false,
    }) = what
    {
        withdraw(incident, *user);
    }
    let by = if let IncidentWhat::Acknowledged { by, .. } = what {
        *by
    } else if let IncidentWhat::Response(
        Response::PartlyAcknowledged { by, .. } | Response::Snoozed { by, .. },
    ) = what
    {
        Some(*by)
    } else {
        None
    };
    if let Some(user) = by {
        let (at, through) = (envelope.at, envelope.actor.channel());
        join(incident, had, Acknowledger { user, at, through });
    }
}

/// Whoever has it alone stands with it already. Once there is a second one, both are kept in their order.
fn join(incident: &mut Incident, had: Option<Acknowledger>, new: Acknowledger) {
    let first = had.or_else(|| incident.holder());
    let is_alone = first.is_some_and(|first| first.user == new.user);
    let all = &mut incident.engaged.get_or_insert_default().acknowledgers;
    if all.is_empty() {
        if is_alone {
            return;
        }
        all.extend(had);
    }
    if all.len() < ENGAGED_MAX && all.iter().all(|one| one.user != new.user) {
        all.push(new);
    }
}

/// Somebody does not come. What is theirs stays so until it is given away.
fn withdraw(incident: &mut Incident, user: UserId) {
    let has_it = incident.holder().is_some_and(|holder| holder.user == user);
    if let (false, Some(engaged)) = (has_it, &mut incident.engaged) {
        engaged.acknowledgers.retain(|one| one.user != user);
    }
}

/// It is somebody else's from now on, as they acknowledged it; how long that holds does not change.
pub(super) fn pass_on(incident: &mut Incident, to: UserId, at: Timestamp) {
    let known = incident.acknowledged_too().find(|one| one.user == to);
    let known = known.copied();
    incident.acknowledged = Some((Some(to), known.map_or(at, |known| known.at)));
    incident.acknowledged_through = known.and_then(|known| known.through);
}
