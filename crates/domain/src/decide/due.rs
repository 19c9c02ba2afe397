//! What is due: derived from the state alone, so that no timer can be lost.

use std::collections::BTreeMap;

use super::Decider;
use super::attempt::Ended;
use crate::bugs::{self, Bug};
use crate::event::{Cause, IncidentWhat, NotificationWhat};
use crate::id::{ContactMethodId, IncidentId, NotificationId, UserId};
use crate::page::{Delivery, Fate, Notification, Outcome, Purpose};
use crate::people::ChannelKind;
use crate::state::{Coming, Part, Subject, Wait};

/// Rounds of decisions at one instant; each round can make only a few more things due, so this is never reached.
const ROUNDS_MAX: usize = 64;

/// How many parts share the events of a tick.
const PARTS: u64 = Part::ALL.len() as u64;

/// Why somebody is told that it is over.
const PAGED: &str = "they were paged for it";
/// The same of somebody of whom nobody knows.
const MAYBE_PAGED: &str = "they may have been paged for it";

/// Somebody, and by which way they are told.
type To = (UserId, ContactMethodId, ChannelKind);

/// Why a message to a contact method that is not there any more is not sent.
pub(super) const METHOD_REMOVED: &str = "the contact method was removed";
/// And one to a contact method whose address is gone.
pub(super) const METHOD_GONE: &str = "the address of the contact method is gone";

impl Decider<'_> {
    /// Does what is due, until it is done or enough was done: what is left then is done by the next tick, while what was decided
    /// here is on its way.
    pub(super) fn do_what_is_due(&mut self) {
        let enough = self.state.position.saturating_add(self.state.tick_events());
        for _ in 0..ROUNDS_MAX {
            let before = self.state.position;
            // What is planned for an incident begins at once.
            for part in Part::ALL {
                self.part_due(part);
            }
            if self.state.position == before || self.state.position >= enough {
                return;
            }
        }
    }

    /// Each part has its share of the events, so that neither many silent alerts nor many messages hold up a page.
    fn part_due(&mut self, part: Part) {
        let share = self.state.tick_events().div_ceil(PARTS);
        let enough = self.state.position.saturating_add(share);
        let due = self.state.due_of(part, self.now);
        // Each makes an event at least: `take_up` asserts it.
        let due: Vec<Subject> = due
            .take(usize::try_from(share).unwrap_or(usize::MAX))
            .collect();
        for subject in due {
            if self.state.position >= enough {
                return;
            }
            // What was done for one may have done away with another.
            if !self.state.is_due(subject, self.now) {
                continue;
            }
            self.work_on(subject, |decider| decider.take_up(subject));
        }
    }

    /// Does what is due. Without an event it would stay due as it is, and tick would follow on tick for it; of the deliberate bugs,
    /// some do just that.
    fn take_up(&mut self, subject: Subject) {
        let before = self.state.position;
        match subject {
            Subject::Incident(id) => self.incident_due(id),
            Subject::Message(id) => self.message_due(id),
            Subject::Alert(id) => self.take_to_be_over(id),
            Subject::Heartbeat(id) => self.heartbeat_missed(id),
            Subject::Receipt(id) => self.receipt_due(id),
        }
        debug_assert!(
            self.state.position > before || bugs::any(),
            "{subject:?} is due at {}, and nothing was done about it",
            self.now
        );
    }

    fn incident_due(&mut self, incident: IncidentId) {
        let known = self.state.incidents.get(&incident);
        let held = known.is_some_and(|known| known.hold.is_some());
        let Some((at, wait)) = known.and_then(|known| self.state.wait_of(known)) else {
            return;
        };
        match wait {
            Wait::Resolve => {
                let closed = known.and_then(|known| known.closed.as_deref());
                let why = closed.map_or_else(
                    || "all its alerts were healthy for 15 seconds".to_owned(),
                    |why| {
                        format!(
                            "no alert was open for 15 seconds, and not all were seen healthy: {why}"
                        )
                    },
                );
                self.resolve_now(incident, Cause::Due { at }, &why);
            }
            Wait::FirstPage if !held => self.page_now(incident),
            Wait::FirstPage | Wait::EndOfQuiet => self.page_or_wait(incident),
            Wait::QuietNotice => self.tell_after_quiet(incident),
            Wait::NextLevel
                if bugs::on(Bug::EscalationStallsAfterRestart)
                    && bugs::is_from_before(
                        self.state
                            .incidents
                            .get(&incident)
                            .map_or(0, |one| one.paging_event),
                    ) => {}
            Wait::NextLevel => self.escalate(incident, None),
            Wait::SameLevel => self.page_level_again(incident, None),
            Wait::EndOfSnooze => self.snooze_ended(incident),
            Wait::EndOfAcknowledgement => self.acknowledgement_ended(incident),
            Wait::SupportHours => self.raise_at_support_hours(incident, at),
        }
    }

    /// A provider that tells nothing of what it took is not believed any longer.
    fn receipt_due(&mut self, id: NotificationId) {
        let message = self.state.notifications.get(&id);
        let Some(last) = message.and_then(|message| message.attempts.last()) else {
            return;
        };
        let (number, detail) = (
            last.number,
            "nothing was heard of whether it came to the phone",
        );
        // Cannot be refused: the attempt was just seen to be without a receipt.
        let _ = self.receipt_came(id, number, Fate::Unknown, detail);
    }

    fn message_due(&mut self, id: NotificationId) {
        let Some(message) = self.state.notifications.get(&id) else {
            return;
        };
        let (purpose, incident) = (message.purpose, message.purpose.incident());
        let cause = Cause::Event {
            position: message.last_event,
        };
        let number = message.attempts.last().map_or(0, |last| last.number);
        if matches!(message.state, Delivery::Sending { .. }) {
            let ended = Ended::silently(Outcome::TimedOut, "no answer within the deadline");
            // Cannot be refused: the attempt is open, as its state says.
            let _ = self.attempt_finished(id, number, ended);
            return;
        }
        if let Purpose::Page(page) = purpose
            && self.wants_pages(page)
            && self.suppress_if_quiet(page)
        {
            return;
        }
        if let Some(why) = self.obsolete(id) {
            let why = why.to_owned();
            let position =
                self.emit_message(cause, id, NotificationWhat::Cancelled { why }, incident);
            self.say_what_a_mirror_missed(id, position);
            if self.has_lost_its_way(id) {
                self.try_another_way(id, position);
            }
            return;
        }
        // What would wait with others for a provider that rests goes another way first.
        if number == 0 && (self.spare_provider(id) || self.tell_together(id)) {
            return;
        }
        if number > 0 && bugs::on(Bug::RepeatUnderNewKey) {
            return self.repeat_under_new_key(id);
        }
        let what = NotificationWhat::AttemptStarted { number: number + 1 };
        self.emit_message(cause, id, what, incident);
    }

    /// What [`Bug::RepeatUnderNewKey`] does.
    fn repeat_under_new_key(&mut self, id: NotificationId) {
        let Some(message) = self.state.notifications.get(&id).cloned() else {
            return;
        };
        let cause = Cause::Event {
            position: message.last_event,
        };
        let what = NotificationWhat::Cancelled { why: String::new() };
        self.emit_message(cause.clone(), id, what, message.purpose.incident());
        let way = (message.contact_method, message.channel);
        let (purpose, level, now) = (message.purpose, message.level, self.now);
        self.plan(cause, purpose, message.user, way, level, now, message.why);
    }

    /// Why a message is not sent any more. What others are told by is sent as long as one of them is needed.
    fn obsolete(&self, id: NotificationId) -> Option<&'static str> {
        let message = self.state.notifications.get(&id)?;
        let kept = bugs::on(Bug::RemovedMethodStillUsed) || bugs::on(Bug::RemovedPersonStillPaged);
        if let Some(why) = self.lost_way(id).filter(|_| !kept) {
            return Some(why);
        }
        let kept = bugs::on(Bug::PagingAfterAcknowledgement) || bugs::on(Bug::AttemptAfterResolve);
        let mut along = self.state.told_along(id);
        let needed = kept || self.is_wanted(message) || along.any(|one| self.is_wanted(one));
        (!needed).then_some("it is no longer needed")
    }

    /// Whether a message has to be sent by itself.
    pub(super) fn is_wanted(&self, message: &Notification) -> bool {
        match message.purpose {
            Purpose::Page(page) => {
                let known = self.state.incidents.get(&page);
                // What was planned for something lesser or earlier is not for what waits now.
                let waits = known.is_some_and(|known| known.hold.is_some());
                let is_others = known.is_some_and(|known| known.has_withdrawn(message));
                let asks = self.wants_pages(page) && !waits && !is_others;
                asks && !self.is_spared(page, message.user)
            }
            Purpose::Request(asked) => self.awaits(asked, message.user),
            Purpose::Notice(incident) => self.wants_notices(incident),
            Purpose::Acknowledged(_) | Purpose::Resolved(_) => self.is_still_so(message),
            Purpose::Test => true,
            Purpose::Word(word) => self.still_holds(word, message.user),
        }
    }

    /// Whether nothing can be sent any more to the contact method that a message goes to.
    pub(super) fn has_lost_its_way(&self, id: NotificationId) -> bool {
        self.lost_way(id).is_some()
    }

    /// Why nothing can be: it was removed, or its address is gone.
    pub(super) fn lost_way(&self, id: NotificationId) -> Option<&'static str> {
        let message = self.state.notifications.get(&id)?;
        let user = self.state.users.get(&message.user);
        match user.and_then(|user| user.contact_method(message.contact_method)) {
            None => Some(METHOD_REMOVED),
            Some(method) => method.gone_at.map(|_| METHOD_GONE),
        }
    }

    /// Ends an incident: nobody is paged for it any more, and who was is told.
    pub(super) fn resolve_now(&mut self, incident: IncidentId, cause: Cause, why: &str) {
        let why = why.to_owned();
        let position = self.emit_incident(cause, incident, IncidentWhat::Resolved { why });
        // Looked up before pages are called off: those that a message under way tells along are told of the end after it.
        let told = self.to_be_told(incident);
        let cause = Cause::Event { position };
        if !bugs::on(Bug::AttemptAfterResolve) {
            self.cancel_pages(incident, &cause, "the incident is resolved");
        }
        let request = Purpose::Request(incident);
        self.cancel(request, None, &cause, "the incident is resolved");
        for (to, coming) in told {
            self.plan_end(&cause, incident, to, coming);
        }
        self.end_mirrors(incident, position);
    }

    /// A page that comes, or may have, when its incident was over already is followed by that news, as those are that had come by
    /// then. `along`: what it told along when the attempt began.
    pub(super) fn tell_end_late(
        &mut self,
        id: NotificationId,
        along: &[NotificationId],
        position: u64,
    ) {
        if bugs::on(Bug::LateEndUntold) {
            return;
        }
        let mut told: BTreeMap<(IncidentId, To), Coming> = BTreeMap::new();
        let pages = along.iter().chain([&id]);
        for page in pages.filter_map(|one| self.state.notifications.get(one)) {
            if let Some((incident, coming)) = self.owed_end(page) {
                put_best(&mut told, (incident, to(page)), coming);
            }
        }
        for ((incident, to), coming) in told {
            self.plan_end(&Cause::Event { position }, incident, to, coming);
        }
    }

    /// The incident of a page, where it is over, nobody has told so to whoever got the page, and nothing is about to.
    fn owed_end(&self, page: &Notification) -> Option<(IncidentId, Coming)> {
        let coming = self.untold(page)?;
        let incident = self.state.part_of(page.purpose.incident()?);
        let is_over = !self.state.incidents.get(&incident)?.is_open();
        let is_owed = is_over
            && !self.has_lost_its_way(page.id)
            && !self.tells_end_yet(incident, page.contact_method);
        is_owed.then_some((incident, coming))
    }

    /// Whether word that an incident is over is still to go by this way, or has gone at this very moment.
    fn tells_end_yet(&self, incident: IncidentId, method: ContactMethodId) -> bool {
        let told = self.state.messages_about(incident);
        let mut told = told.filter(|one| one.purpose == Purpose::Resolved(incident));
        told.any(|one| {
            let is_to_go = one.state.is_planned() || one.planned_at == self.now;
            one.contact_method == method && is_to_go
        })
    }

    fn plan_end(
        &mut self,
        cause: &Cause,
        incident: IncidentId,
        (user, method, kind): To,
        coming: Coming,
    ) {
        let why = match coming {
            Coming::Yes => PAGED,
            Coming::Maybe | Coming::No => MAYBE_PAGED,
        };
        let (purpose, now, way) = (Purpose::Resolved(incident), self.now, (method, kind));
        self.plan(cause.clone(), purpose, user, way, None, now, why.to_owned());
    }

    /// Whoever got a page, or may have, and was not told since that it is over.
    fn to_be_told(&self, incident: IncidentId) -> BTreeMap<To, Coming> {
        let mut told = BTreeMap::new();
        for about in self.state.made_of(incident) {
            for page in self.state.messages_about(about) {
                if let Some(coming) = self.untold(page) {
                    put_best(&mut told, to(page), coming);
                }
            }
        }
        told
    }

    /// Whether a page came, or may have, and its person was not told since that it is over. Of what is under way the outcome is
    /// still to come, and whoever gets it then reads that last.
    fn untold(&self, page: &Notification) -> Option<Coming> {
        if self.is_under_way(page) || !is_followed_by_the_end(page) {
            return None;
        }
        let coming = self.state.came_untold(page);
        (coming > Coming::No).then_some(coming)
    }
}

const fn to(page: &Notification) -> To {
    (page.user, page.contact_method, page.channel)
}

/// By one way somebody is told once; what is sure is said rather than what may be.
fn put_best<K: Ord>(told: &mut BTreeMap<K, Coming>, to: K, coming: Coming) {
    let known = told.entry(to).or_insert(coming);
    *known = coming.max(*known);
}

/// Whether it pages a person, or asks them to help, by a way that tells them the end too. A system that keeps incidents is told of
/// each by itself.
fn is_followed_by_the_end(message: &Notification) -> bool {
    let pages = message.purpose.reaches().is_some();
    pages && message.channel.tells_the_end() && !message.channel.mirrors_incidents()
}
