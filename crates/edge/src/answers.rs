//! What an answer to a message is about, and what it has come to. It knows no channel and no route.

use std::collections::BTreeSet;

use tocsin_domain::id::{IncidentId, NotificationId};
use tocsin_domain::incident::{Incident, Status};
use tocsin_domain::page::{Notification, Purpose};
use tocsin_domain::state::State;

/// A message with all that it tells along, or told along when it was taken.
pub(crate) fn carried<'a>(
    state: &'a State,
    message: &'a Notification,
) -> impl Iterator<Item = &'a Notification> {
    let along = state.told_along(message.id);
    let along = along.chain(state.told_with(message.id));
    std::iter::once(message).chain(along)
}

/// The incidents that whoever got the message answers for: each where it goes on, if it was merged.
pub(crate) fn subjects(state: &State, message: NotificationId) -> Vec<IncidentId> {
    let (mut all, mut seen) = (Vec::new(), BTreeSet::new());
    let Some(message) = state.notifications.get(&message) else {
        return all;
    };
    for one in carried(state, message) {
        let incident = match one.purpose {
            Purpose::Page(id) | Purpose::Notice(id) | Purpose::Request(id) => state.part_of(id),
            Purpose::Resolved(_) | Purpose::Acknowledged(_) | Purpose::Test | Purpose::Word(_) => {
                continue;
            }
        };
        if seen.insert(incident) {
            all.push(incident);
        }
    }
    all
}

/// Those of them that can still be answered. All of them when none can, so that whoever answers is told why.
pub(crate) fn open_subjects(state: &State, message: NotificationId) -> Vec<IncidentId> {
    let all = subjects(state, message);
    let open: Vec<IncidentId> = all
        .iter()
        .copied()
        .filter(|id| is_open(state, *id))
        .collect();
    if open.is_empty() { all } else { open }
}

fn is_open(state: &State, id: IncidentId) -> bool {
    state.incidents.get(&id).is_some_and(Incident::is_open)
}

/// The link that took an incident, where others than its owner may have it too: nobody knows then who took it.
pub(crate) fn shared_link(state: &State, incident: &Incident) -> Option<String> {
    let (by, _) = incident.acknowledged?;
    let name = &state.users.get(&by?)?.name;
    let place = incident.acknowledged_through?.read_by_others()?;
    Some(format!("the link in {name}’s {place}"))
}

/// What an acknowledgement has come to, for whoever gave it.
pub(crate) fn acknowledged_words(state: &State, incidents: &[IncidentId]) -> &'static str {
    let known = incidents.iter().filter_map(|id| state.incidents.get(id));
    let untaken = known.filter(|one| one.status == Status::Triggered).count();
    match (untaken, incidents.len()) {
        (0, 1) => "You have it. Nobody else is paged for it now.",
        (0, _) => "You have all of it. Nobody else is paged for it now.",
        (_, _) => "Your part is done. Others must acknowledge it too, and are paged until they do.",
    }
}
