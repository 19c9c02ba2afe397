//! The sender of the simulated process: it looks up what to send, gives it to the providers, and reports what they said.

use std::sync::PoisonError;

use tocsin_domain::command::Ask;
use tocsin_domain::id::NotificationId;
use tocsin_domain::page::{Fate, Outcome, Purpose};

use super::agenda::Happening;
use super::{MS, Report, SECOND, Ticket, World};
use crate::check::Check;
use crate::machine::HandedOut;
use crate::providers::{Answer, names_what_it_takes};

/// An attempt without an answer for so long hangs.
const HANGS: i64 = 12 * SECOND;

impl World {
    /// What was handed out reaches the sender and whoever freezes evidence.
    pub(super) fn deliver(&mut self, out: HandedOut) {
        for (notification, number) in out.sends {
            self.send(notification, number);
        }
        for incident in out.freezes {
            let life = self.life;
            let delay = self.random.between(SECOND, 20 * SECOND);
            self.after(delay, Happening::Frozen { life, incident });
        }
    }

    /// The sender looks up what to send as it stands now, and makes the attempt.
    fn send(&mut self, notification: NotificationId, number: u32) {
        let Some(engine) = &self.engine else {
            return;
        };
        let published = engine.published();
        let state = published.read().unwrap_or_else(PoisonError::into_inner);
        let message = state.notifications.get(&notification);
        let found = message.and_then(|message| {
            let user = state.users.get(&message.user)?;
            let method = user.contact_method(message.contact_method)?;
            Some((message.user, method.kind, method.address, message.purpose))
        });
        drop(state);
        let life = self.life;
        let report = |outcome| Report {
            life,
            notification,
            number,
            outcome,
            wait_ms: None,
            is_named: false,
            tries: 0,
        };
        let Some((user, channel, address, purpose)) = found else {
            self.after(MS, Happening::Reported(report(Outcome::Refused)));
            return;
        };
        if self.ledger.owners.get(&address) != Some(&user) {
            let what = format!("message {notification} goes to somebody else's address");
            self.wrong(Check::RightPerson, what);
        }
        let fate = self.providers.receive(channel, notification, self.now_us);
        if let Some(fault) = fate.fault {
            self.tally.note(fault);
        }
        self.say(|| format!("attempt {number} of {notification} by {channel:?}: {fate:?}"));
        for answer in &fate.answers {
            let report = Report {
                wait_ms: answer.wait_ms,
                is_named: answer.outcome == Outcome::Accepted && names_what_it_takes(channel),
                ..report(answer.outcome)
            };
            self.after(answer.after_us, Happening::Reported(report));
        }
        for word in &fate.words {
            let fate = word.fate;
            let told = Happening::Told {
                notification,
                number,
                fate,
            };
            self.after(word.after_us, told);
        }
        if let Purpose::Page(incident) = purpose {
            if fate.is_accepted {
                self.tally.pages += 1;
                self.check_repeats(notification);
                self.ledger.page_accepted(notification);
            }
            if let Some(after) = fate.read_after_us {
                self.after(after, Happening::Reads { user, incident });
            }
            let hangs = |first: &Answer| first.after_us >= HANGS;
            if fate.answers.first().is_none_or(hangs) && self.random.chance(40) {
                let after = self.random.between(SECOND, HANGS);
                self.after(after, Happening::TakesAway { user, incident });
            }
        }
    }

    /// A provider takes a message once, and once more for each attempt that had no answer or a bad one.
    fn check_repeats(&mut self, key: NotificationId) {
        let taken = self.providers.accepted(key);
        let allowed = self
            .ledger
            .letters
            .get(&key)
            .map_or(0, |letter| letter.unanswered + 1);
        if taken > allowed {
            let what = format!("message {key} was accepted {taken} times, {allowed} are allowed");
            self.wrong(Check::RepeatsAreBounded, what);
        }
    }

    /// The sender tells the engine what came of an attempt.
    pub(super) fn report(&mut self, report: Report) {
        if report.life != self.life {
            return;
        }
        if self.now_us < self.suspended_until_us {
            let wait = self.suspended_until_us - self.now_us;
            self.after(wait, Happening::Reported(report));
            return;
        }
        let ask = Ask::AttemptFinished {
            notification: report.notification,
            number: report.number,
            outcome: report.outcome,
            detail: String::new(),
            retry_after_ms: report.wait_ms,
            reference: report.is_named.then(|| "SM1".to_owned()),
            via: None,
        };
        if let Some(wait_ms) = report.wait_ms {
            let attempt = (report.notification, report.number);
            self.ledger.asked_to_wait.insert(attempt, wait_ms);
        }
        self.ask(ask, Ticket::Report(report));
    }

    /// What a provider says later; nobody hears it while the process is gone.
    pub(super) fn told(&mut self, notification: NotificationId, number: u32, fate: Fate) {
        if self.engine.is_some() && self.now_us >= self.suspended_until_us {
            let ask = Ask::ReceiptCame {
                notification,
                number,
                fate,
                detail: String::new(),
            };
            self.ask(ask, Ticket::Nobody);
        }
    }
}
