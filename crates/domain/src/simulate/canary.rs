//! The canary's page: decided as every other, on a copy of what is set up, where it can be written and answered for although
//! nothing fails. To whom it goes in a person's place is not known here.

use super::{AHEAD_MS, Counted, INSTANTS_MAX, Play};
use crate::command::{Ask, Refusal, RespondAsk};
use crate::id::NotificationId;
use crate::page::{Outcome, Purpose};
use crate::people::Urgency;
use crate::state::State;
use crate::time::Timestamp;

/// What fails.
const TITLE: &str = "canary";
/// Ids that one canary may take, so that no two have a message in common.
const IDS_OF_ONE: u64 = 1 << 32;

/// A page about something that fails on a copy alone, whose first attempt is under way there.
pub struct Canary {
    run: u64,
    play: Play,
    message: NotificationId,
    number: u32,
    is_over: bool,
}

impl Canary {
    /// Declares an urgent incident of the default service on a copy, as a person would, and plays on until the first page about it
    /// begins. No rule is asked, nor planned work, nor the service how urgent it is: that they let a failure page nobody is no
    /// fault of Tocsin's. No two runs have the same message.
    ///
    /// # Errors
    /// Nobody has set Tocsin up, or nobody would be paged within a day.
    pub fn declare(state: &State, run: u64, now: Timestamp) -> Result<Self, Refusal> {
        let mut copy = state.without_incidents();
        copy.windows.clear();
        let ids = Counted(run.wrapping_mul(IDS_OF_ONE));
        let mut play = Play::on(copy, now, ids);
        play.ask(Ask::Respond(RespondAsk::Declare {
            title: TITLE.to_owned(),
            service: None,
            urgency: Urgency::High,
            more: Box::default(),
        }))?;
        let page = play.first_page(now.plus_ms(AHEAD_MS));
        let (message, number) = page.ok_or_else(|| {
            Refusal::conflict("an urgent incident would page nobody within a day")
        })?;
        Ok(Self {
            run,
            play,
            message,
            number,
            is_over: false,
        })
    }

    /// Takes in how its attempt ended, as the end of every attempt is; gives how that was, and in whose words. Whoever could not
    /// keep that may say it again.
    ///
    /// # Errors
    /// It is of another attempt.
    pub fn ended(&mut self, ask: Ask, now: Timestamp) -> Result<(Outcome, String), Refusal> {
        if !self.is_over {
            self.play.now = self.play.now.max(now);
            self.play.ask(ask)?;
            self.is_over = true;
        }
        let end = self.end();
        end.ok_or_else(|| Refusal::not_found("end of the attempt of the canary"))
    }

    /// How its attempt ended, as the copy says.
    fn end(&self) -> Option<(Outcome, String)> {
        let message = self.play.state.notifications.get(&self.message)?;
        let mut attempts = message.attempts.iter();
        let attempt = attempts.find(|one| one.number == self.number)?;
        Some((attempt.outcome?, attempt.detail.clone()))
    }

    /// Which one it is.
    #[must_use]
    pub const fn run(&self) -> u64 {
        self.run
    }

    /// The copy that its message stands in.
    #[must_use]
    pub const fn state(&self) -> &State {
        &self.play.state
    }

    /// Its message, which stands nowhere else.
    #[must_use]
    pub const fn message(&self) -> NotificationId {
        self.message
    }

    /// Its attempt.
    #[must_use]
    pub const fn number(&self) -> u32 {
        self.number
    }
}

impl Play {
    /// The first attempt of a page, once one has begun; none when none does until then.
    fn first_page(&mut self, last: Timestamp) -> Option<(NotificationId, u32)> {
        for _ in 0..INSTANTS_MAX {
            let mut begun = self.started.iter().copied();
            let page = begun.find(|(message, _)| is_page(&self.state, *message));
            if page.is_some() {
                return page;
            }
            let due = self.state.next_due().filter(|due| *due <= last)?;
            self.now = self.now.max(due);
            if !self.ask(Ask::Tick).unwrap_or_default() {
                return None;
            }
        }
        None
    }
}

fn is_page(state: &State, message: NotificationId) -> bool {
    let known = state.notifications.get(&message);
    known.is_some_and(|known| matches!(known.purpose, Purpose::Page(_)))
}
