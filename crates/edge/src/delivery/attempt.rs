//! One attempt from its place in the queue to the word to the core: how long it may take, and what is said when it was not made.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use tocsin_domain::command::Ask;
use tocsin_domain::event::Actor;
use tocsin_domain::page::Outcome;
use tocsin_domain::state::State;
use tocsin_engine::handle::AskError;
use tocsin_wire::page_message::one_line;
use tocsin_wire::plain::cut;

use super::Courier;
use super::message::{self, Letter};
use super::pace::{Wait, within};
use super::queue::{Queue, Waiting, Work};
use super::report::Report;
use super::tally::Last;
use super::walk::Walk;
use crate::vigil::Stage;

/// Characters of an outcome's detail at most.
const DETAIL_CHARS_MAX: usize = 500;
/// Of what an account said, where more is said behind it.
const SAID_CHARS_MAX: usize = 300;
/// How long a message may wait for a place and for its answer, both together: after 20 s the core counts it as unanswered.
const WHOLE_WAIT: Duration = Duration::from_secs(19);
/// An attempt that has less than this left is not made: a provider that is merely slow would seem to hang.
const LEAST_WAIT: Duration = Duration::from_secs(10);
/// So long it may wait for a place.
pub(super) const LANE_WAIT: Duration = WHOLE_WAIT.saturating_sub(LEAST_WAIT);

/// What came of an attempt.
enum Made {
    /// It ended so, made or not.
    Ended(Report),
    /// Nobody waits for it any more.
    Over,
    /// Nothing was sent: its host, which nobody knew before, has no place for it.
    NoPlace,
}

/// Makes an attempt, gives its place back, and only then tells the core, which may be busy for a while.
pub(super) async fn carry_out(courier: Arc<Courier>, queue: Queue, waiting: Waiting) {
    let Waiting {
        since, work, route, ..
    } = waiting;
    let waited = Instant::now().duration_since(since);
    let Some(limit) = time_left(courier.attempt_wait, waited) else {
        queue.done(route, None);
        return courier.not_tried(work).await;
    };
    let learn = |host: &str| queue.learn(&waiting, host);
    // In a place of its own: the task, which is moved around before it begins, would else have room for it twice.
    let made = AssertUnwindSafe(Box::pin(courier.attempt(work, (waited, limit), learn)));
    let made = made.catch_unwind().await;
    let outcome = match &made {
        // What was not made says nothing of how its host fares.
        Ok(Made::Ended(report)) => (!report.not_tried).then_some(report.outcome),
        Ok(Made::Over) | Err(_) => None,
        Ok(Made::NoPlace) => return queue.put_back(waiting),
    };
    queue.done(route, outcome);
    match made {
        Ok(Made::Ended(report)) => courier.tell(work, report).await,
        Ok(Made::Over | Made::NoPlace) => {}
        Err(_) => {
            // The core counts an attempt without an outcome as timed out.
            tracing::error!(?work, "an attempt ended in a fault of Tocsin itself");
        }
    }
}

/// How long an attempt may take that waited so long for its place; none when it is too late for it.
fn time_left(attempt_wait: Duration, waited: Duration) -> Option<Duration> {
    let left = WHOLE_WAIT.saturating_sub(waited);
    (left >= LEAST_WAIT).then(|| left.min(attempt_wait))
}

impl Courier {
    /// Makes an attempt that is still wanted; `learn` is told the host that it goes to, and says whether it has a place for it.
    async fn attempt(
        &self,
        work: Work,
        time: (Duration, Duration),
        learn: impl FnOnce(&str) -> bool + Send,
    ) -> Made {
        let written = |state: &State, run: Option<u64>| {
            (message::letter(state, work, &self.needs.public_url), run)
        };
        let (letter, canary) = self.needs.engine.read_about(work.notification, written);
        let mut letter = match letter {
            None => return Made::Over,
            Some(Err(why)) => return Made::Ended(Report::moot(why)),
            Some(Ok(letter)) => letter,
        };
        letter.canary = canary;
        if let Some(run) = canary {
            self.needs.vigil.canary_at(run, Stage::Dispatched);
        }
        let channel = letter.channel;
        let called_off = || {
            let why = |state: &State, _: Option<u64>| message::called_off(state, work);
            self.needs.engine.read_about(work.notification, why)
        };
        let tried = self.within_deadline(letter, time, learn, called_off);
        let Some(report) = tried.await else {
            return Made::NoPlace;
        };
        if report.not_tried {
            return Made::Ended(report);
        }
        let last = self.last(&report);
        let detail = last.detail.clone();
        // What is counted is what went to people.
        if canary.is_none() {
            self.needs.tally.count(channel, last);
        }
        if report.reference.is_some() {
            self.follow(channel, work.notification);
        }
        Made::Ended(Report { detail, ..report })
    }

    /// Says honestly that nothing was sent.
    pub(super) async fn not_tried(&self, work: Work) {
        let detail = "not tried: too many other messages were being sent by this channel";
        self.tell(work, Report::not_tried(detail)).await;
    }

    /// Tries once by each account that may take it, until one is not known to have refused it: each has as much time as the first, or
    /// is left for the next attempt. It is put off where all that are left asked to be left alone. Nothing when `learn` says that the
    /// host has no place for it. The times: how long it has waited for its place, and how long its first account may take.
    ///
    /// Before each account `called_off` is asked: it says why none is tried any more, since the one before may have taken long.
    pub(super) async fn within_deadline(
        &self,
        letter: Letter,
        (waited, limit): (Duration, Duration),
        learn: impl FnOnce(&str) -> bool + Send,
        called_off: impl Fn() -> Option<&'static str> + Send + Sync,
    ) -> Option<Report> {
        let pace = self.needs.pace.as_ref();
        let begun = pace.now();
        let mut opened = None;
        let first = self.try_first(letter, &mut opened, learn, &called_off);
        let mut report = match within(pace, limit, Wait::Attempt, first).await {
            Some(tried) => tried?,
            None => silence(limit),
        };
        let Some(mut walk) = opened else {
            return Some(report);
        };
        self.note(&walk, &report);
        while walk.goes_on(&report) {
            let gone = pace.now().duration_since(begun);
            let Some(limit) = time_left(self.attempt_wait, waited + gone) else {
                break;
            };
            if let Some(why) = called_off() {
                let said = cut(&report.detail, SAID_CHARS_MAX);
                report.detail = format!("{said}; no other account was tried: {why}");
                break;
            }
            walk.pass(report);
            let next = within(pace, limit, Wait::Attempt, self.try_next(&walk)).await;
            report = next.unwrap_or_else(|| silence(limit));
            self.note(&walk, &report);
        }
        Some(walk.ended(report))
    }

    /// Remembers how it went.
    fn note(&self, walk: &Walk, report: &Report) {
        let now = self.needs.pace.now();
        self.rests.ended(&walk.by(), report, now);
        if let Some(via) = walk.via() {
            let last = self.last(report);
            self.needs.tally.tried(walk.letter.channel, &via, last);
        }
    }

    fn last(&self, report: &Report) -> Last {
        Last {
            at: self.needs.clock.now(),
            outcome: report.outcome,
            detail: one_line(&report.detail, DETAIL_CHARS_MAX - 1),
        }
    }

    /// Reports the outcome until the core has it: an outcome that is lost would be paged for twice. That an address is gone comes first:
    /// whatever is used instead, it is not that one.
    async fn tell(&self, work: Work, report: Report) {
        let Work {
            notification,
            number,
        } = work;
        if report.is_gone {
            let ask = Ask::WayGone {
                notification,
                number,
            };
            self.tell_core(ask).await;
        }
        let ask = if report.not_tried {
            Ask::NotTried {
                notification,
                number,
                detail: report.detail,
                retry_after_ms: report.retry_after_ms,
                moot: report.is_moot,
            }
        } else {
            Ask::AttemptFinished {
                notification,
                number,
                outcome: report.outcome,
                detail: report.detail,
                retry_after_ms: report.retry_after_ms,
                reference: report.reference,
                via: report.via,
            }
        };
        self.tell_core(ask).await;
    }

    async fn tell_core(&self, ask: Ask) {
        let mut wait = Duration::from_millis(20);
        loop {
            match self.ask(Actor::System, ask.clone()).await {
                Ok(()) | Err(AskError::Refused(_) | AskError::Fault | AskError::Stopped) => return,
                Err(AskError::Busy | AskError::NotDurable(_)) => {
                    tokio::time::sleep(wait).await;
                    wait = (wait * 2).min(Duration::from_secs(2));
                }
            }
        }
    }
}

/// Nobody answered in that time.
fn silence(limit: Duration) -> Report {
    let detail = format!("no answer within {} ms", limit.as_millis());
    Report::new(Outcome::TimedOut, detail)
}

#[cfg(test)]
mod tests {
    use super::super::ATTEMPT_WAIT;
    use super::*;

    #[test]
    fn waiting_for_a_place_and_for_an_answer_end_before_the_core_gives_up() {
        let check = |waited: u64, expected: Option<u64>| {
            let left = time_left(ATTEMPT_WAIT, Duration::from_secs(waited));
            assert_eq!(left, expected.map(Duration::from_secs), "after {waited} s");
        };
        check(0, Some(15));
        check(4, Some(15));
        check(5, Some(14));
        check(9, Some(10));
        check(10, None);
        check(60, None);
        let core = Duration::from_millis(tocsin_domain::page::ATTEMPT_DEADLINE_MS);
        assert!(WHOLE_WAIT < core);
        let short = Duration::from_millis(200);
        assert_eq!(time_left(short, Duration::from_secs(9)), Some(short));
    }
}
