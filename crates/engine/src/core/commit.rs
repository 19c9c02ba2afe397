//! How what was decided becomes durable and is answered: one group is decided while the journal works on the one before, and
//! what rests on a group that cannot be kept is not kept either.

use std::mem;
use std::sync::Arc;

use tocsin_domain::bugs::{self, Bug};
use tocsin_domain::event::{Event, EventBody, IncidentWhat};
use tocsin_domain::id::Entropy;
use tocsin_domain::state::Touched;
use tocsin_domain::time::Timestamp;

use super::{Core, EVALUATED_TO, NOTE_EVERY_MS, TRIED};
use crate::group::Group;
use crate::ports::{AppendError, Effect, Effects, Journal, NotDurable};
use crate::setback::Setback;
use crate::writer::{Entry, Notes};

impl<J: Journal, E: Entropy, F: Effects> Core<J, E, F> {
    /// Begins to make durable what was decided, once what was decided before is durable.
    pub(super) fn commit(&mut self, mut group: Group, events: Vec<Event>, now: Timestamp) {
        let notes = self.notes(&events, now);
        if notes.is_none() && group.answers.is_empty() {
            return;
        }
        let touched = self.state.touched(&events);
        group.events = Arc::new(events);
        group.seen_ms = self.detector.seen_ms();
        let before = match self.land(now) {
            Ok(before) => before,
            Err(why) => {
                // It was decided on what is not kept.
                self.hold(mem::take(&mut group.batches));
                return group.refuse(&why);
            }
        };
        // The journal works on the one while the other is answered.
        let events = Arc::clone(&group.events);
        let is_begun = notes.is_some_and(|notes| {
            self.begin(Entry {
                events,
                touched,
                notes,
            })
        });
        if let Some(before) = before {
            self.conclude_group(before);
        }
        if is_begun {
            self.under_way = Some(group);
        } else {
            // Nothing is to be written, and what the answers rest on is durable.
            self.conclude_group(group);
        }
    }

    /// The notes to be made durable with these events; none when there is nothing to make durable.
    fn notes(&self, events: &[Event], now: Timestamp) -> Option<Notes> {
        let seen_ms = self.detector.seen_ms();
        let is_noted = seen_ms.abs_diff(self.noted_ms) < NOTE_EVERY_MS;
        if events.is_empty() && self.setback.is_none() && (is_noted || seen_ms == i64::MIN) {
            return None;
        }
        let mut notes = Vec::new();
        if seen_ms > i64::MIN {
            notes.push((EVALUATED_TO, seen_ms.to_string()));
        }
        if self.setback.is_some() {
            notes.push((TRIED, now.as_millis().to_string()));
        }
        Some(notes)
    }

    /// Begins an append; says whether there is one to wait for.
    fn begin(&mut self, entry: Entry) -> bool {
        let events = &entry.events;
        if bugs::on(Bug::EffectsBeforeCommit) {
            events
                .iter()
                .filter_map(effect_of)
                .for_each(|effect| self.effects.carry_out(effect));
        }
        let about_incidents = || events.iter().any(|event| event.body.incident().is_some());
        if bugs::on(Bug::AlertsOnlyInMemory) && about_incidents() {
            self.published.show(events, entry.touched);
            return false;
        }
        self.writer.begin(entry);
        true
    }

    /// Waits until what is under way is durable and published, and hands it over to be answered. When it cannot be made durable
    /// it is answered so, and the state is what is durable again.
    pub(super) fn land(&mut self, now: Timestamp) -> Result<Option<Group>, NotDurable> {
        let Some(mut group) = self.under_way.take() else {
            return Ok(None);
        };
        let Err(failure) = self.writer.finish() else {
            self.succeeded();
            self.noted_ms = group.seen_ms;
            return Ok(Some(group));
        };
        let may_be_kept = matches!(failure, AppendError::Unclear(_));
        if may_be_kept && bugs::on(Bug::UnclearTakenForKept) {
            self.published.show(&group.events, Touched::default());
            self.succeeded();
            return Ok(Some(group));
        }
        let why = self.failed(failure, now);
        // Only the journal knows whether an append of unknown fate is in it.
        match may_be_kept.then(|| self.take_up(now)) {
            Some(Ok(found)) if !group.events.is_empty() && found.len() == group.events.len() => {
                group.answer();
            }
            Some(Ok(_) | Err(_)) | None => {
                // What arrived is judged again, before what was held since.
                self.detector.back_to(group.seen_before);
                let since = mem::take(&mut self.held);
                self.hold(mem::take(&mut group.batches));
                self.hold(since);
                group.refuse(&why);
            }
        }
        Err(why)
    }

    /// Makes notes durable, with nothing under way.
    pub(super) fn note(&mut self, notes: Notes, now: Timestamp) -> Result<(), NotDurable> {
        self.writer.begin(Entry::of_notes(notes));
        if let Err(failure) = self.writer.finish() {
            return Err(self.failed(failure, now));
        }
        self.succeeded();
        Ok(())
    }

    /// Publishes what an append of unknown fate has left in the journal, once it is surely durable, and returns it.
    pub(super) fn take_up(&mut self, now: Timestamp) -> Result<Vec<Event>, NotDurable> {
        let position = self.published.read(|state| state.position);
        let found = match self.writer.after(position) {
            Ok(found) => found,
            Err(why) => return Err(self.failed(AppendError::Unclear(why), now)),
        };
        if !found.is_empty() {
            // It can be read, yet its sync may have failed: the next commit syncs both.
            self.note(vec![(TRIED, now.as_millis().to_string())], now)?;
            self.published.show(&found, Touched::default());
            self.hand_out(&found);
            self.fall_back();
        }
        self.is_unclear = false;
        Ok(found)
    }

    /// Falls back to what is committed, and notes how long to wait.
    pub(super) fn failed(&mut self, failure: AppendError, now: Timestamp) -> NotDurable {
        let why = match failure {
            AppendError::NotKept(why) => why,
            AppendError::Unclear(why) | AppendError::Behind(why) => {
                self.is_unclear = true;
                why
            }
            AppendError::TakenOver(why) => {
                self.taken_over = Some(why.clone());
                why
            }
        };
        let (setback, is_news) = Setback::after(self.setback.as_ref(), &why, now);
        if is_news {
            tracing::error!(failure = %why, "events could not be made durable; they are decided again until they are");
        }
        self.setback = Some(setback);
        self.refused = true;
        self.fall_back();
        why
    }

    pub(super) fn fall_back(&mut self) {
        self.state = self.published.read(Clone::clone);
    }

    fn succeeded(&mut self) {
        if let Some(setback) = self.setback.take() {
            tracing::info!(
                failures = setback.failures,
                "the journal takes commits again"
            );
        }
    }

    /// Tells everybody of what is durable and published.
    pub(super) fn conclude_group(&mut self, group: Group) {
        self.hand_out(&group.events);
        group.answer();
    }

    fn hand_out(&mut self, events: &[Event]) {
        if events.is_empty() {
            return;
        }
        self.effects.committed(events);
        for effect in events.iter().filter_map(effect_of) {
            self.effects.carry_out(effect);
        }
    }
}

fn effect_of(event: &Event) -> Option<Effect> {
    match &event.body {
        EventBody::Notification(message) => message.what.begun().map(|number| Effect::Send {
            notification: message.notification,
            number,
        }),
        EventBody::Incident(incident) => matches!(incident.what, IncidentWhat::Resolved { .. })
            .then_some(Effect::Freeze {
                incident: incident.incident,
            }),
        EventBody::Installation(_)
        | EventBody::People(_)
        | EventBody::Roster(_)
        | EventBody::Watch(_)
        | EventBody::Alert(_)
        | EventBody::Input(_) => None,
    }
}
