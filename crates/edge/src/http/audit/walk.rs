//! Walks back over the changes of what is set up, within bounds, for the native API and for fronts that tell them in other words. It
//! knows no shape of an answer.

use std::collections::BTreeMap;
use std::str::FromStr;

use tocsin_domain::changed::{ChangedKind, Deed};
use tocsin_domain::event::{Actor, Event};
use tocsin_domain::id::{
    BusinessServiceId, HeartbeatId, IntegrationId, MaintenanceId, MonitorId, PolicyId, ScheduleId,
    ServiceId, TargetId, TeamId, UserId, WebhookId,
};
use tocsin_domain::state::State;
use tocsin_domain::time::Timestamp;

use crate::app::App;
use crate::http::problem::Problem;
use crate::http::tag;
use crate::ports::{EventLog, StorageError};

/// Changes that are looked at for one page at most.
pub(crate) const LOOKED_AT_MAX: usize = 2_000;
/// Changes that are read at once.
const AT_ONCE: usize = 200;
/// Earlier changes of something that is gone, among which its name is looked for.
const NAMED_WITHIN: usize = 500;

/// What was done to something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// It was made.
    Created,
    /// It was changed.
    Updated,
    /// It was removed.
    Removed,
}

/// Which changes are wanted: those of which all holds that is said.
pub(crate) struct Wanted {
    /// Of this thing alone: its kind, and its id, which is empty where there is one of the kind.
    pub(crate) of: Option<(ChangedKind, String)>,
    /// Of the tag with this id alone: one that is gone, so that its label is known by its changes alone.
    pub(crate) gone_tag: Option<String>,
    /// Of things of these kinds alone.
    pub(crate) kinds: Option<Vec<ChangedKind>>,
    /// Made then or later.
    pub(crate) since: Option<Timestamp>,
    /// Made before then.
    pub(crate) until: Option<Timestamp>,
    /// What was done.
    pub(crate) actions: Option<Vec<Action>>,
    /// Who did it.
    pub(crate) is_by: Box<dyn Fn(&Actor) -> bool + Send>,
}

/// A change, told with what its event alone does not say.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    /// How it is journalled.
    pub(crate) event: Event,
    /// What kind of thing was changed.
    pub(crate) kind: ChangedKind,
    /// Which of its kind; empty where there is one alone.
    pub(crate) id: String,
    /// What was done to it.
    pub(crate) action: Action,
    /// What it was called; none where it has no name, or the name is not known any more.
    pub(crate) name: Option<String>,
}

/// Some changes, the newest first.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// They.
    pub(crate) records: Vec<Record>,
    /// The position before which the others are; none where there are none.
    pub(crate) next: Option<u64>,
}

/// What is known of the past besides the events that are looked at.
#[derive(Clone, Copy, Debug)]
struct Ground {
    /// How far the clock was set back, all times together: of two events, the later may say so much earlier a time.
    set_back_ms: u64,
    /// The first team, which set-up makes without an event of its own.
    first_team: Option<TeamId>,
}

impl Ground {
    fn of(state: &State) -> Self {
        Self {
            set_back_ms: state.clock.set_back_ms,
            first_team: state.installation.as_ref().map(|all| all.team),
        }
    }

    /// Whether something was there before an event that set it.
    fn is_there(
        self,
        log: &dyn EventLog,
        (kind, id): (ChangedKind, &str),
        position: u64,
    ) -> Result<bool, StorageError> {
        let earlier = log.changes(Some((kind, id)), position, None, 1)?;
        let changed = earlier.first().and_then(|event| event.body.changed());
        let is_first_team =
            kind == ChangedKind::Team && self.first_team.is_some_and(|team| team.as_str() == id);
        Ok(changed.map_or(is_first_team, |changed| changed.deed != Deed::Removed))
    }
}

impl Wanted {
    /// At most `limit` changes before a position, named. It may take long.
    pub(crate) fn find(
        &self,
        app: &App,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Found, Problem> {
        let log = app.events.as_ref();
        let mut found = self.walk(log, app.read(Ground::of), before, limit)?;
        app.read(|state| {
            for record in found.records.iter_mut().filter(|one| one.name.is_none()) {
                record.name = present_name(state, record.kind, &record.id);
            }
        });
        name_what_is_gone(log, &mut found.records)?;
        Ok(found)
    }

    /// The same without their names, where the events do not say them.
    fn walk(
        &self,
        log: &dyn EventLog,
        ground: Ground,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Found, StorageError> {
        let of = self.of.as_ref().map(|(kind, id)| (*kind, id.as_str()));
        let end = self.until.map(|until| until.plus_ms(ground.set_back_ms));
        let (mut before, mut looked) = (before.unwrap_or(u64::MAX), 0);
        let mut found = Found::default();
        loop {
            let events = log.changes(of, before, end, AT_ONCE)?;
            let is_last = events.len() < AT_ONCE;
            for event in events {
                let latest = event.recorded_at.plus_ms(ground.set_back_ms);
                if self.since.is_some_and(|since| latest < since) {
                    return Ok(found);
                }
                let position = event.position;
                if let Some(record) = self.record(log, ground, event)? {
                    if found.records.len() == limit {
                        found.next = Some(before);
                        return Ok(found);
                    }
                    found.records.push(record);
                }
                before = position;
                looked += 1;
                if looked == LOOKED_AT_MAX {
                    found.next = Some(before);
                    return Ok(found);
                }
            }
            if is_last {
                return Ok(found);
            }
        }
    }

    /// The change of an event, if it is wanted.
    fn record(
        &self,
        log: &dyn EventLog,
        ground: Ground,
        event: Event,
    ) -> Result<Option<Record>, StorageError> {
        let Some(changed) = event.body.changed() else {
            return Ok(None);
        };
        let is_wanted = self.since.is_none_or(|since| event.at >= since)
            && self.until.is_none_or(|until| event.at < until)
            && self
                .kinds
                .as_ref()
                .is_none_or(|set| set.contains(&changed.kind))
            && self
                .gone_tag
                .as_ref()
                .is_none_or(|id| changed.kind == ChangedKind::Tag && tag::id_of(changed.id) == *id)
            && (self.is_by)(&event.actor);
        if !is_wanted {
            return Ok(None);
        }
        let (kind, id) = (changed.kind, changed.id);
        let action = match changed.deed {
            Deed::Created => Action::Created,
            Deed::Updated => Action::Updated,
            Deed::Removed => Action::Removed,
            Deed::Set if ground.is_there(log, (kind, id), event.position)? => Action::Updated,
            Deed::Set => Action::Created,
        };
        if self
            .actions
            .as_ref()
            .is_some_and(|set| !set.contains(&action))
        {
            return Ok(None);
        }
        let name = changed.name.filter(|name| !name.is_empty());
        Ok(Some(Record {
            kind,
            id: id.to_owned(),
            action,
            name: name.map(str::to_owned),
            event,
        }))
    }
}

/// What something is called now, if it is there and has a name.
fn present_name(state: &State, kind: ChangedKind, id: &str) -> Option<String> {
    fn of<I: FromStr>(id: &str) -> Option<I> {
        id.parse().ok()
    }
    let name = match kind {
        ChangedKind::User => &state.users.get(&of::<UserId>(id)?)?.name,
        ChangedKind::Team => &state.teams.get(&of::<TeamId>(id)?)?.name,
        ChangedKind::Schedule => &state.schedules.get(&of::<ScheduleId>(id)?)?.name,
        ChangedKind::Policy => &state.policies.get(&of::<PolicyId>(id)?)?.name,
        ChangedKind::Service => &state.services.get(&of::<ServiceId>(id)?)?.name,
        ChangedKind::Integration => &state.integrations.get(&of::<IntegrationId>(id)?)?.name,
        ChangedKind::Window => &state.windows.get(&of::<MaintenanceId>(id)?)?.reason,
        ChangedKind::Heartbeat => &state.pulses.get(&of::<HeartbeatId>(id)?)?.heartbeat.name,
        ChangedKind::Webhook => {
            &state
                .webhooks
                .get(&of::<WebhookId>(id)?)?
                .webhook
                .description
        }
        ChangedKind::BusinessService => {
            &state
                .business
                .services
                .get(&of::<BusinessServiceId>(id)?)?
                .name
        }
        ChangedKind::Target => &state.targets.get(&of::<TargetId>(id)?)?.identity.name,
        ChangedKind::Monitor => &state.monitors.get(&of::<MonitorId>(id)?)?.name,
        ChangedKind::Installation
        | ChangedKind::Rules
        | ChangedKind::Tag
        | ChangedKind::Dependencies
        | ChangedKind::Calendar => return None,
    };
    Some(name.clone()).filter(|name| !name.is_empty())
}

/// Names what is gone by what it was called last before each of its changes.
fn name_what_is_gone(log: &dyn EventLog, records: &mut [Record]) -> Result<(), StorageError> {
    // What each was called from a position on, for its changes between that one and the newest.
    let mut called: BTreeMap<(ChangedKind, String), (u64, Option<String>)> = BTreeMap::new();
    let unnamed = records.iter_mut().filter(|one| one.name.is_none());
    for record in unnamed.filter(|one| !one.id.is_empty()) {
        let key = (record.kind, record.id.clone());
        let known = called.get(&key);
        let known = known.filter(|(since, _)| *since < record.event.position);
        let name = match known {
            Some((_, name)) => name.clone(),
            None => {
                let (since, name) =
                    name_before(log, (key.0, key.1.as_str()), record.event.position)?;
                called.insert(key, (since, name.clone()));
                name
            }
        };
        record.name = name;
    }
    Ok(())
}

/// What something was called before a position, and since which one; nothing, since ever, where no event that is looked at says it.
fn name_before(
    log: &dyn EventLog,
    of: (ChangedKind, &str),
    position: u64,
) -> Result<(u64, Option<String>), StorageError> {
    let earlier = log.changes(Some(of), position, None, NAMED_WITHIN)?;
    let named = earlier.iter().find_map(|event| {
        let name = event.body.changed()?.name?;
        Some((event.position, Some(name.to_owned())))
    });
    Ok(named.unwrap_or_default())
}
