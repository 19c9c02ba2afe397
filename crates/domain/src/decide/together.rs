//! Decisions that keep a storm from burying a person, and a dead provider from holding up a page: what is told together, and
//! what waits until somebody carries messages again.

use std::collections::BTreeMap;

use super::Decider;
use super::due::{METHOD_GONE, METHOD_REMOVED};
use crate::event::{Cause, IncidentWhat, NotificationWhat};
use crate::id::{ContactMethodId, IncidentId, NotificationId};
use crate::incident::Status;
use crate::monitor::Severity;
use crate::page::{Delivery, Notification, Purpose, QUIET_EVERY_MS, TOGETHER_EVERY_MS};
use crate::people::{ChannelKind, Urgency};
use crate::state::Provider;
use crate::time::Timestamp;

impl Decider<'_> {
    /// Lets a message be told by another, or gather others itself, when its person got many lately. True when it does. A page
    /// for something critical never waits, nor does a request for help with it.
    pub(super) fn tell_together(&mut self, id: NotificationId) -> bool {
        let Some(message) = self.state.notifications.get(&id) else {
            return false;
        };
        let Some(incident) = message.purpose.incident() else {
            return false;
        };
        if message.purpose.reaches().is_some() && self.is_critical(incident) {
            return false;
        }
        // A system that keeps incidents is told of each of them. What tells others has waited for them.
        let has_waited = self.state.tells_along(id) || self.state.is_gathering(message);
        if message.channel.mirrors_incidents() || has_waited {
            return false;
        }
        let latest = self.latest_for(message);
        let own = self.gathers_until(message);
        let own = own.map(|(due_at, why)| (latest.map_or(due_at, |at| due_at.min(at)), why));
        let own = own.filter(|(due_at, _)| *due_at > self.now);
        let due_at = own.map_or(self.now, |(due_at, _)| due_at);
        let what = match (self.state.gathering_for(message), own) {
            (Some(by), _) if !self.holds_up(by, due_at) && !self.is_due_after(by, latest) => {
                NotificationWhat::ToldTogether { by }
            }
            (_, Some((due_at, why))) => NotificationWhat::Gathers {
                due_at,
                why: why.to_owned(),
            },
            (_, None) => return false,
        };
        let cause = Cause::Event {
            position: message.last_event,
        };
        self.emit_message(cause, id, what, Some(incident));
        true
    }

    /// Whether a message that gathers others waits for a provider that rests, and for longer than until `due_at`: what has no other
    /// way and is due then does not wait with it.
    fn holds_up(&self, teller: NotificationId, due_at: Timestamp) -> bool {
        let teller = self.state.notifications.get(&teller);
        teller.is_some_and(|teller| {
            let provider = Provider::of_message(teller);
            let rests = self.state.provider_rests(provider, None, self.now);
            rests.is_some() && matches!(teller.state, Delivery::Due { at } if at > due_at)
        })
    }

    /// When a page must go at the latest, so that who gets it has a third of the time before the next level is paged that is left
    /// now; none when nothing comes after it.
    fn latest_for(&self, message: &Notification) -> Option<Timestamp> {
        let Purpose::Page(incident) = message.purpose else {
            return None;
        };
        let paging = self.state.incidents.get(&incident)?.paging.as_ref()?;
        let left_ms = paging.next_at?.ms_since(self.now);
        Some(self.now.plus_ms(left_ms / 3 * 2))
    }

    fn is_due_after(&self, teller: NotificationId, latest: Option<Timestamp>) -> bool {
        let teller = self.state.notifications.get(&teller);
        let (Some(teller), Some(latest)) = (teller, latest) else {
            return false;
        };
        matches!(teller.state, Delivery::Due { at } if at > latest)
    }

    /// Until when a message waits for others, and why; none when it is sent on its own.
    fn gathers_until(&self, message: &Notification) -> Option<(Timestamp, &'static str)> {
        match message.purpose {
            Purpose::Notice(_) => Some((
                self.now.plus_ms(QUIET_EVERY_MS),
                "what wakes nobody is told together",
            )),
            Purpose::Page(_) | Purpose::Request(_) | Purpose::Resolved(_) => {
                let last = self.state.burst_to(message.user, self.now)?;
                // The clock may have been set back since.
                let due_at = last.min(self.now).plus_ms(TOGETHER_EVERY_MS);
                let why = "this person got many messages lately: what comes now is told together";
                (due_at > self.now).then_some((due_at, why))
            }
            Purpose::Acknowledged(_) | Purpose::Test | Purpose::Word(_) => None,
        }
    }

    /// Whether somebody should still hear of what wakes nobody.
    pub(super) fn wants_notices(&self, incident: IncidentId) -> bool {
        let known = self.state.incidents.get(&incident);
        known
            .is_some_and(|known| known.status == Status::Triggered && known.urgency == Urgency::Low)
    }

    /// What kept quiet what wakes nobody is over, unless something else does by now.
    pub(super) fn tell_after_quiet(&mut self, id: IncidentId) {
        let known = self.state.incidents.get(&id);
        let position = known.map_or(0, |known| known.paging_event);
        if self.suppress_if_quiet(id) {
            return;
        }
        self.emit_incident(Cause::Event { position }, id, IncidentWhat::QuietEnded);
        self.tell_quietly(id);
    }

    /// Tells whom an incident that wakes nobody was given to, or the first level of its policy, about it: those who have rules for
    /// such, by those.
    pub(super) fn tell_quietly(&mut self, id: IncidentId) {
        if !self.wants_notices(id) || self.suppress_if_quiet(id) {
            return;
        }
        let cause = self.state.position;
        let known = self.state.incidents.get(&id);
        let is_given = known.is_some_and(|known| self.state.people_given(known).is_some());
        // Whom it was given to stands on no level of a policy.
        let level = (!is_given).then_some(0);
        for (user, why) in self.first_level(id) {
            let Some(known) = self.state.users.get(&user) else {
                continue;
            };
            // A way that two rules name is used once, by the earlier of them.
            for way in known.notice_ways() {
                let is_used = |notice: &Notification| notice.contact_method == way.method;
                if self.active_of(Purpose::Notice(id)).any(is_used) {
                    continue;
                }
                let due = self.now.plus_ms(way.delay_ms);
                let why = format!("{why}; {}", way.why);
                let cause = Cause::Event { position: cause };
                let method = (way.method, way.channel);
                self.plan(cause, Purpose::Notice(id), user, method, level, due, why);
            }
        }
    }

    /// Whether nothing may delay its pages.
    fn is_critical(&self, incident: IncidentId) -> bool {
        let known = self.state.incidents.get(&incident);
        known.is_some_and(|known| known.severity == Severity::Critical)
    }

    /// Who was asked to help with what became critical hears of it now.
    pub(super) fn ask_alone(&mut self, incident: IncidentId, cause: &Cause) {
        let requests = self.active_of(Purpose::Request(incident));
        let requests: Vec<NotificationId> = requests.map(|one| one.id).collect();
        for request in requests {
            self.tell_alone(request, cause.clone());
        }
    }

    /// What became critical is not told with others: it goes out now.
    pub(super) fn tell_alone(&mut self, page: NotificationId, cause: Cause) {
        let Some(message) = self.state.notifications.get(&page) else {
            return;
        };
        let Some(incident) = message.purpose.incident() else {
            return;
        };
        let waits =
            matches!(message.state, Delivery::Together { .. }) || self.state.is_gathering(message);
        if waits && self.is_critical(incident) {
            let what = NotificationWhat::Advanced {
                due_at: self.now,
                why: "it became critical".to_owned(),
            };
            self.emit_message(cause, page, what, Some(incident));
        }
    }

    /// Leaves a provider alone that keeps failing, if the person can be or was reached by another way for all that the message
    /// tells; else it is tried all the same. True when the message waits.
    pub(super) fn spare_provider(&mut self, id: NotificationId) -> bool {
        let Some(message) = self.state.notifications.get(&id) else {
            return false;
        };
        let provider = Provider::of_message(message);
        let Some(until) = self.state.provider_rests(provider, Some(id), self.now) else {
            return false;
        };
        let told = [message].into_iter().chain(self.state.told_along(id));
        let reaching = told.filter(|one| one.purpose.reaches().is_some() && self.is_wanted(one));
        let waiting: Vec<NotificationId> = reaching.map(|one| one.id).collect();
        let each_has_another = waiting.iter().all(|one| self.has_other_way(*one));
        if waiting.is_empty() || !each_has_another {
            return false;
        }
        let cause = Cause::Event {
            position: message.last_event,
        };
        let why = format!(
            "messages by {} failed several times in a row: another way is used until one gets through",
            message.channel.word()
        );
        let incident = message.purpose.incident();
        let what = NotificationWhat::Postponed { due_at: until, why };
        let position = self.emit_message(cause, id, what, incident);
        let mut ways = Vec::new();
        for one in waiting {
            ways.extend(self.use_other_way(one, position));
        }
        self.tell_at_once(&ways);
        true
    }

    /// Whether the person of a message can be or was reached by another way: what is not set up is none.
    fn has_other_way(&self, id: NotificationId) -> bool {
        let known = self.state.notifications.get(&id);
        let known = known.and_then(|message| Some((message, message.purpose.reaches()?)));
        known.is_some_and(|(message, incident)| {
            let planned = self.next_planned(message);
            let planned = planned.and_then(|(_, next)| self.state.notifications.get(&next));
            let unused = self.unused_method(incident, message);
            planned.is_some_and(|next| self.is_set_up(next.contact_method, next.channel))
                || unused.is_some_and(|(method, channel)| self.is_set_up(method, channel))
                || self.is_reached_otherwise(incident, message)
        })
    }

    /// One way failed for good: another one is used, or else what waits only because its provider rests goes out now.
    pub(super) fn use_what_is_left(
        &mut self,
        failed: NotificationId,
        position: u64,
    ) -> Option<NotificationId> {
        let other = self.use_other_way(failed, position);
        other.or_else(|| self.use_what_rests(failed, position))
    }

    fn use_what_rests(&mut self, failed: NotificationId, position: u64) -> Option<NotificationId> {
        let message = self.state.notifications.get(&failed)?;
        let incident = message.purpose.reaches()?;
        let (due, next) = self.first_at_rest(message)?;
        if self.has_other_way(next) {
            return None;
        }
        if due > self.now {
            let what = NotificationWhat::Advanced {
                due_at: self.now,
                why: "no other way to reach this person is left".to_owned(),
            };
            self.emit_message(Cause::Event { position }, next, what, Some(incident));
        }
        Some(next)
    }

    /// Uses a way to reach the same person that is not used for this incident at this time: first what is planned for later,
    /// then any other verified contact method. Gives the message that goes by it, if there is one.
    fn use_other_way(
        &mut self,
        instead_of: NotificationId,
        position: u64,
    ) -> Option<NotificationId> {
        let message = self.state.notifications.get(&instead_of)?;
        let purpose = message.purpose;
        let incident = purpose.reaches()?;
        let (user, level) = (message.user, message.level);
        let lost = match message.state {
            Delivery::Cancelled { .. } if self.lost_way(instead_of) == Some(METHOD_GONE) => {
                "is gone"
            }
            Delivery::Cancelled { .. } => "was removed",
            Delivery::Due { .. }
            | Delivery::Together { .. }
            | Delivery::Sending { .. }
            | Delivery::Delivered { .. }
            | Delivery::Failed { .. } => "failed",
        };
        let cause = Cause::Event { position };
        if let Some((due, next)) = self.next_planned(message) {
            if due > self.now {
                let what = NotificationWhat::Advanced {
                    due_at: self.now,
                    why: format!("another way to reach this person {lost}"),
                };
                self.emit_message(cause, next, what, Some(incident));
            }
            return Some(next);
        }
        let method = self.unused_method(incident, message)?;
        let why =
            format!("another way to reach this person {lost}, so a further verified one is used");
        let now = self.now;
        Some(self.plan(cause, purpose, user, method, level, now, why))
    }

    /// What was told together and goes other ways has waited for others already: of those by the same way one tells the others
    /// now.
    pub(super) fn tell_at_once(&mut self, ways: &[NotificationId]) {
        let mut tellers: BTreeMap<ContactMethodId, NotificationId> = BTreeMap::new();
        for id in ways {
            let known = self.state.notifications.get(id);
            let Some(message) = known.filter(|message| self.may_be_told(message)) else {
                continue;
            };
            let by = *tellers.entry(message.contact_method).or_insert(*id);
            if by != *id {
                let (incident, position) = (message.purpose.incident(), message.last_event);
                let what = NotificationWhat::ToldTogether { by };
                self.emit_message(Cause::Event { position }, *id, what, incident);
            }
        }
    }

    /// Whether a message may be told by another one to the same address, or tell others. What rests is not sent for the others.
    fn may_be_told(&self, message: &Notification) -> bool {
        let waits = matches!(message.state, Delivery::Due { .. }) && message.attempts.is_empty();
        let reaches = message.purpose.reaches();
        let is_critical = reaches.is_some_and(|incident| self.is_critical(incident));
        let gathers = self.state.is_gathering(message) || self.state.tells_along(message.id);
        let is_alone = is_critical || gathers || message.channel.mirrors_incidents();
        waits && !is_alone && self.is_wanted(message)
    }

    /// A contact method was removed, or its address is gone: what was planned for it goes another way now, if nothing else is on its
    /// way to the person, or to another person.
    pub(super) fn page_by_other_ways(&mut self, lost: ContactMethodId, cause: &Cause) {
        let active = self.state.active_notifications.iter();
        let planned: Vec<NotificationId> = active
            .filter_map(|id| self.state.notifications.get(id))
            .filter(|message| message.contact_method == lost)
            // Of what is being sent, the outcome tells what to do.
            .filter(|message| message.state.is_planned())
            .map(|message| message.id)
            .collect();
        let mut ways = Vec::new();
        for id in planned {
            ways.extend(self.replace(id, cause));
        }
        self.tell_at_once(&ways);
    }

    fn replace(&mut self, id: NotificationId, cause: &Cause) -> Option<NotificationId> {
        let message = self.state.notifications.get(&id)?;
        let purpose = message.purpose;
        let is_later = matches!(message.state, Delivery::Due { at } if at > self.now)
            && message.attempts.is_empty();
        let suffices = purpose.reaches().is_some_and(|incident| {
            let other = self.next_planned(message).is_some()
                || self.is_reached_otherwise(incident, message);
            is_later && other
        });
        let why = self.lost_way(id).unwrap_or(METHOD_REMOVED).to_owned();
        let what = NotificationWhat::Cancelled { why };
        let position = self.emit_message(cause.clone(), id, what, purpose.incident());
        self.say_what_a_mirror_missed(id, position);
        if suffices {
            return None;
        }
        self.try_another_way(id, position)
    }

    /// The message to the same person for the same that is due first of those that were not tried yet and are due before their
    /// provider has rested.
    fn first_at_rest(&self, message: &Notification) -> Option<(Timestamp, NotificationId)> {
        let others = self
            .active_of(message.purpose)
            .filter(|page| page.user == message.user && page.id != message.id)
            .filter(|page| page.attempts.is_empty());
        let due = others.filter_map(|page| {
            let provider = Provider::of_message(page);
            let until = self.state.provider_rests(provider, None, self.now)?;
            match page.state {
                Delivery::Due { at } => (at <= until).then_some((at, page.id)),
                Delivery::Together { .. }
                | Delivery::Sending { .. }
                | Delivery::Delivered { .. }
                | Delivery::Failed { .. }
                | Delivery::Cancelled { .. } => None,
            }
        });
        due.min()
    }

    /// The message to the same person for the same that is due first, by a provider that carries messages; by what is not set up
    /// only where there is no other.
    fn next_planned(&self, message: &Notification) -> Option<(Timestamp, NotificationId)> {
        let others = self
            .active_of(message.purpose)
            .filter(|page| page.user == message.user && page.id != message.id)
            .filter(|page| self.carries(page.contact_method, page.channel));
        let due = others.filter_map(|page| match page.state {
            Delivery::Due { at } => {
                let is_last = !self.is_set_up(page.contact_method, page.channel);
                Some((is_last, at, page.id))
            }
            Delivery::Together { .. }
            | Delivery::Sending { .. }
            | Delivery::Delivered { .. }
            | Delivery::Failed { .. }
            | Delivery::Cancelled { .. } => None,
        });
        due.min().map(|(_, at, id)| (at, id))
    }

    /// A verified contact method of the same person by which no such message about this incident is under way or was planned
    /// since the present level was reached, or since they were asked to help; one that is not set up only where there is no other.
    fn unused_method(
        &self,
        incident: IncidentId,
        message: &Notification,
    ) -> Option<(ContactMethodId, ChannelKind)> {
        let user = self.state.users.get(&message.user)?;
        let known = self.state.incidents.get(&incident)?;
        let paged_since = known.paging.as_ref().map(|paging| paging.reached_at);
        let mut asked = known.responders.iter();
        let asked = asked.find(|one| one.user == message.user);
        let since = match message.purpose {
            Purpose::Request(_) => asked.map(|asked| self.state.since_asked(asked)),
            Purpose::Page(_)
            | Purpose::Notice(_)
            | Purpose::Resolved(_)
            | Purpose::Acknowledged(_)
            | Purpose::Test
            | Purpose::Word(_) => paged_since,
        };
        let used = |method| {
            let pages = self.state.messages_about(incident);
            pages
                .filter(|page| page.purpose == message.purpose)
                .filter(|page| {
                    let is_active = self.state.active_notifications.contains(&page.id);
                    // A receipt may say that a page of a level before was lost: what was used beside it is used.
                    let is_later =
                        |since: Timestamp| page.planned_at >= since.min(message.planned_at);
                    is_active || since.is_none_or(is_later)
                })
                .any(|page| page.contact_method == method)
        };
        user.verified_methods()
            .filter(|method| self.carries(method.id, method.kind))
            .filter(|method| !used(method.id))
            .min_by_key(|method| !self.is_set_up(method.id, method.kind))
            .map(|method| (method.id, method.kind))
    }

    /// Whether a page to the same person has arrived by another way, or is on its way by what is set up.
    fn is_reached_otherwise(&self, incident: IncidentId, message: &Notification) -> bool {
        let pages = self.state.messages_about(incident);
        pages
            .filter(|page| page.purpose == message.purpose && page.user == message.user)
            .any(|page| match page.state {
                Delivery::Sending { .. } => self.is_set_up(page.contact_method, page.channel),
                Delivery::Delivered { at } => at >= message.planned_at,
                Delivery::Together { by } => {
                    let teller = self.state.notifications.get(&by);
                    teller.is_some_and(|one| matches!(one.state, Delivery::Sending { .. }))
                        && self.is_set_up(page.contact_method, page.channel)
                }
                Delivery::Due { .. } | Delivery::Failed { .. } | Delivery::Cancelled { .. } => {
                    false
                }
            })
    }

    /// Whether messages can leave by this way, as it was seen last; where nobody has looked yet, they may.
    fn is_set_up(&self, method: ContactMethodId, channel: ChannelKind) -> bool {
        let set_up = self.state.duty.set_up.as_ref();
        set_up.is_none_or(|set_up| set_up.carries_by(method, channel))
    }

    fn carries(&self, method: ContactMethodId, channel: ChannelKind) -> bool {
        let provider = Provider::of(method, channel);
        self.state
            .provider_rests(provider, None, self.now)
            .is_none()
    }
}
