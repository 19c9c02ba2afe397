//! Decisions about what is changed of a schedule by hand, and about calendars. What is past of a schedule stays as it was.

use super::Decider;
use crate::calendar::{CALENDARS_MAX, Calendar};
use crate::command::Refusal;
use crate::event::{Cause, EventBody, RosterEvent};
use crate::id::{CalendarId, OverrideId, ScheduleId, SwapId, TemporaryId, UserId};
use crate::oncall::{
    Change, Layer, Override, Schedule, Span, Swap, SwapProposal, SwapSide, Temporary, Turn,
    still_ahead,
};
use crate::oncall_command::{ChangeAsk, OncallAsk};
use crate::oncall_event::OncallEvent;

impl Decider<'_> {
    pub(super) fn oncall(&mut self, ask: OncallAsk) -> Result<(), Refusal> {
        let event = match ask {
            OncallAsk::Change { schedule, ask } => {
                let change = self.change(schedule, ask)?;
                OncallEvent::ScheduleChanged { schedule, change }
            }
            OncallAsk::AddCalendar {
                user,
                schedule,
                only_own,
                token_hash,
            } => self.calendar_added(user, schedule, only_own, token_hash)?,
            OncallAsk::RenewCalendar {
                user,
                calendar,
                token_hash,
            } => OncallEvent::CalendarSet {
                calendar: Calendar {
                    token_hash,
                    made_at: self.now,
                    ..self.calendar(user, calendar)?.clone()
                },
            },
            OncallAsk::RevokeCalendar { user, calendar } => {
                self.calendar(user, calendar)?;
                OncallEvent::CalendarRevoked { calendar }
            }
            OncallAsk::SwitchNotices { user, wanted } => {
                self.user(user)?;
                OncallEvent::NoticesSwitched { user, wanted }
            }
            OncallAsk::NoticeHandOffs => {
                self.notice_hand_offs();
                return Ok(());
            }
            OncallAsk::FindingsSeen { findings, set_up } => {
                self.findings_seen(findings, set_up);
                return Ok(());
            }
        };
        let news = match &event {
            OncallEvent::ScheduleChanged { schedule, change } => self.swap_news(*schedule, change),
            OncallEvent::CalendarSet { .. }
            | OncallEvent::CalendarRevoked { .. }
            | OncallEvent::NoticesSwitched { .. }
            | OncallEvent::DutySeen { .. }
            | OncallEvent::FindingAppeared { .. }
            | OncallEvent::FindingsRestated { .. }
            | OncallEvent::FindingEnded { .. }
            | OncallEvent::FindingsTold { .. }
            | OncallEvent::ChannelsSeen { .. } => None,
        };
        let event = RosterEvent::Oncall { what: event };
        let position = self.emit(Cause::Request, EventBody::Roster(event));
        if let Some(news) = news {
            self.tell_swap(news, position);
        }
        Ok(())
    }

    fn change(&mut self, schedule: ScheduleId, ask: ChangeAsk) -> Result<Change, Refusal> {
        let known = self.schedule(schedule)?.clone();
        match ask {
            ChangeAsk::AddOverride { user, span } => {
                self.known_person("user_id", user)?;
                let added = Override {
                    id: OverrideId::random(self.entropy),
                    user,
                    span: self.ahead(span)?,
                };
                let change = Change::OverrideAdded { added };
                self.judged(known, change, "until", |after| {
                    format!("overrides[{}]", after.overrides.len() - 1)
                })
            }
            ChangeAsk::RemoveOverride(id) => {
                let one = known.overrides.iter().find(|one| one.id == id);
                let span = one.map(|one| one.span);
                let change = self.taken_back(span, &format!("override {id}"))?;
                Ok(match change {
                    TakenBack::Whole => Change::OverrideRemoved { id },
                    TakenBack::Rest => Change::OverrideEnded { id, at: self.now },
                })
            }
            ChangeAsk::AddTemporary {
                span,
                members,
                turn,
            } => self.temporary_added(known, span, members, turn),
            ChangeAsk::RemoveTemporary(id) => {
                let one = known.temporary.iter().find(|one| one.id == id);
                let span = one.map(|one| one.span);
                let change = self.taken_back(span, &format!("temporary shift {id}"))?;
                Ok(match change {
                    TakenBack::Whole => Change::TemporaryRemoved { id },
                    TakenBack::Rest => Change::TemporaryEnded { id, at: self.now },
                })
            }
            ChangeAsk::ProposeSwap { one, other, by } => {
                self.swap_proposed(known, [one, other], by)
            }
            ChangeAsk::AcceptSwap { swap, by } => self.swap_accepted(&known, swap, by),
            ChangeAsk::DeclineSwap { swap, by } => {
                let offer = proposal(&known, swap)?;
                only(by, offer.awaits(), "to whom it was offered")?;
                Ok(Change::SwapDeclined { swap })
            }
            ChangeAsk::WithdrawSwap { swap, by } => self.swap_withdrawn(&known, swap, by),
        }
    }

    pub(super) fn schedule(&self, id: ScheduleId) -> Result<&Schedule, Refusal> {
        let known = self.state.schedules.get(&id);
        known.ok_or_else(|| Refusal::not_found(format!("schedule {id}")))
    }

    fn known_person(&self, field: &str, user: UserId) -> Result<(), Refusal> {
        if self.state.users.contains_key(&user) {
            Ok(())
        } else {
            Err(Refusal::invalid(format!(
                "{field}: there is no person {user}"
            )))
        }
    }

    /// Refuses layers that name somebody who is not there.
    pub(super) fn known_members(&self, layers: &[Layer]) -> Result<(), Refusal> {
        let mut reasons = Vec::new();
        for (index, layer) in layers.iter().enumerate() {
            for (place, member) in layer.members.iter().enumerate() {
                if !self.state.users.contains_key(member) {
                    reasons.push(format!(
                        "layers[{index}].members[{place}]: there is no person {member}"
                    ));
                }
            }
        }
        if reasons.is_empty() {
            Ok(())
        } else {
            Err(Refusal::Invalid { reasons })
        }
    }

    /// What of a span is ahead. An empty one is left to be refused with all else.
    fn ahead(&self, span: Span) -> Result<Span, Refusal> {
        if span.is_empty() {
            return Ok(span);
        }
        still_ahead(span, self.now)
            .ok_or_else(|| Refusal::invalid("until: must lie ahead: what is past stays as it was"))
    }

    /// `change`, when the schedule is good after it: nothing new is against it. What is wrong with the new thing as a whole is
    /// said of `field`.
    fn judged(
        &self,
        known: Schedule,
        change: Change,
        field: &str,
        place: impl Fn(&Schedule) -> String,
    ) -> Result<Change, Refusal> {
        let before = known.violations();
        let mut after = known;
        after.apply(&change, self.now);
        let place = place(&after);
        let reasons: Vec<String> = after
            .violations()
            .into_iter()
            .filter(|reason| !before.contains(reason))
            .map(|reason| of_the_request(&place, field, &reason))
            .collect();
        if reasons.is_empty() {
            Ok(change)
        } else {
            Err(Refusal::Invalid { reasons })
        }
    }

    fn taken_back(&self, span: Option<Span>, what: &str) -> Result<TakenBack, Refusal> {
        match span {
            None => Err(Refusal::not_found(what)),
            Some(span) if span.until <= self.now => Err(Refusal::conflict(
                "it is over: what is past stays as it was",
            )),
            Some(span) if span.from < self.now => Ok(TakenBack::Rest),
            Some(_) => Ok(TakenBack::Whole),
        }
    }

    fn temporary_added(
        &mut self,
        known: Schedule,
        span: Span,
        members: Vec<UserId>,
        turn: Option<Turn>,
    ) -> Result<Change, Refusal> {
        for (index, member) in members.iter().enumerate() {
            self.known_person(&format!("members[{index}]"), *member)?;
        }
        let added = Temporary {
            id: TemporaryId::random(self.entropy),
            span: self.ahead(span)?,
            members,
            turn,
        };
        let change = Change::TemporaryAdded { added };
        self.judged(known, change, "until", |after| {
            format!("temporary[{}]", after.temporary.len() - 1)
        })
    }

    fn swap_proposed(
        &mut self,
        known: Schedule,
        [one, other]: [SwapSide; 2],
        by: Option<UserId>,
    ) -> Result<Change, Refusal> {
        for (side, name) in [(one, "one"), (other, "other")] {
            self.known_person(&format!("{name}.user_id"), side.user)?;
        }
        let swap = Swap {
            id: SwapId::random(self.entropy),
            one,
            other,
        };
        if by.is_some_and(|user| !swap.is_of(user)) {
            return Err(Refusal::forbidden(
                "a swap is offered by one of its two people, or made by an administrator",
            ));
        }
        let change = match by {
            Some(by) => Change::SwapProposed {
                proposal: SwapProposal {
                    swap,
                    by,
                    at: self.now,
                },
            },
            None => Change::SwapMade { swap },
        };
        let standing_before = known.clone();
        let change = self.judged(known, change, "other.user_id", |after| match by {
            Some(_) => format!("proposed[{}]", after.proposed.len() - 1),
            None => format!("swaps[{}]", after.swaps.len() - 1),
        })?;
        self.refuse_late_or_void(&standing_before, &swap)?;
        Ok(change)
    }

    fn refuse_late_or_void(&self, known: &Schedule, swap: &Swap) -> Result<(), Refusal> {
        if swap.has_begun(self.now) {
            return Err(Refusal::conflict(
                "it is too late to exchange these: a part of them has begun; add an override for the rest",
            ));
        }
        let standing = known.standing_of(swap);
        let nothing = match (standing.one_us, standing.other_us) {
            (0, _) => swap.one.user,
            (_, 0) => swap.other.user,
            (_, _) => return Ok(()),
        };
        let name = self.state.users.get(&nothing).map(|user| &user.name);
        Err(Refusal::conflict(format!(
            "{} is not on call within that time, so there is nothing to exchange",
            name.map_or("that person", String::as_str)
        )))
    }

    fn swap_accepted(
        &self,
        known: &Schedule,
        swap: SwapId,
        by: Option<UserId>,
    ) -> Result<Change, Refusal> {
        let offer = proposal(known, swap)?;
        only(by, offer.awaits(), "to whom it was offered")?;
        self.refuse_late_or_void(known, &offer.swap)?;
        let change = Change::SwapAccepted { swap };
        self.judged(known.clone(), change, "swap", |after| {
            format!("swaps[{}]", after.swaps.len() - 1)
        })
    }

    fn swap_withdrawn(
        &self,
        known: &Schedule,
        swap: SwapId,
        by: Option<UserId>,
    ) -> Result<Change, Refusal> {
        let Some(agreed) = known.swaps.iter().find(|one| one.id == swap) else {
            let offer = proposal(known, swap)?;
            only(by, offer.by, "who offered it")?;
            return Ok(Change::SwapWithdrawn { swap });
        };
        if by.is_some() {
            return Err(Refusal::forbidden(
                "both have agreed: only an administrator can take it back, or the two swap back",
            ));
        }
        if agreed.has_begun(self.now) {
            return Err(Refusal::conflict(
                "a part of it has begun: add an override for the rest",
            ));
        }
        Ok(Change::SwapUndone { swap })
    }

    fn calendar_added(
        &mut self,
        user: UserId,
        schedule: Option<ScheduleId>,
        only_own: bool,
        token_hash: String,
    ) -> Result<OncallEvent, Refusal> {
        self.user(user)?;
        if let Some(schedule) = schedule
            && !self.state.schedules.contains_key(&schedule)
        {
            return Err(Refusal::invalid(format!(
                "schedule_id: there is no schedule {schedule}"
            )));
        }
        let calendars = self.state.calendars.values();
        if calendars.filter(|known| known.user == user).count() >= CALENDARS_MAX {
            return Err(Refusal::conflict(format!(
                "a person has at most {CALENDARS_MAX} calendars: revoke one first"
            )));
        }
        Ok(OncallEvent::CalendarSet {
            calendar: Calendar {
                id: CalendarId::random(self.entropy),
                user,
                schedule,
                only_own,
                token_hash,
                made_at: self.now,
            },
        })
    }

    fn calendar(&self, user: UserId, id: CalendarId) -> Result<&Calendar, Refusal> {
        let known = self.state.calendars.get(&id);
        known
            .filter(|calendar| calendar.user == user)
            .ok_or_else(|| Refusal::not_found(format!("calendar {id} of that person")))
    }
}

/// How much of something is ahead and can be taken back.
enum TakenBack {
    Whole,
    Rest,
}

fn proposal(known: &Schedule, swap: SwapId) -> Result<SwapProposal, Refusal> {
    let mut offers = known.proposed.iter();
    let found = offers.find(|offer| offer.swap.id == swap);
    found.copied().ok_or_else(|| {
        Refusal::not_found(format!("offered swap {swap}: it may have been answered"))
    })
}

/// Refuses anybody but `user` and an administrator.
fn only(by: Option<UserId>, user: UserId, who: &str) -> Result<(), Refusal> {
    if by.is_none_or(|by| by == user) {
        Ok(())
    } else {
        Err(Refusal::forbidden(format!(
            "only the one {who}, or an administrator, can do this"
        )))
    }
}

/// A reason against a whole schedule in the words of the request that adds the thing at `place`.
fn of_the_request(place: &str, field: &str, reason: &str) -> String {
    match reason.strip_prefix(place) {
        None => reason.to_owned(),
        Some(rest) => match rest.strip_prefix('.') {
            Some(own) => own.to_owned(),
            None => format!("{field}{rest}"),
        },
    }
}
