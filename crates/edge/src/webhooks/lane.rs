//! One subscription: reads the journal from where it had come to, and makes one attempt after the other.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use reqwest::{StatusCode, Url};
use tocsin_domain::command::{Ask, WebhookAsk};
use tocsin_domain::event::{Actor, Event, EventBody};
use tocsin_domain::id::{IncidentId, WebhookId};
use tocsin_domain::page::Outcome;
use tocsin_domain::time::Timestamp;
use tocsin_domain::webhook::{Subscribed, Webhook};
use tocsin_wire::pagerduty::webhook_v3::{self, BODY_BYTES_MAX};
use tokio::sync::watch;
use tokio::time::Instant;

use super::Shared;
use super::kept::Kept;
use super::progress::{Ended, Next, Progress, Tried, is_too_old};
use crate::delivery::exchange::Call;
use crate::front::pagerduty::webhook_event::told;
use crate::http::problem::Problem;

/// Events that are read at once.
const EVENTS_PAGE: u64 = 200;
/// Events of an incident that waits aside that are read at once.
const ASIDE_PAGE: usize = 200;
/// How far it has come is kept after so many events. What was told is kept after each attempt, so that only reading is done again.
const PASSED_MAX: u64 = 1_000;

/// What to do next.
enum Step {
    /// Look again.
    Again,
    /// Wait for something to happen.
    Wait,
    /// Look again after this time.
    Pause(Duration),
    /// The same, or as soon as something happens: it may be that nothing is to be waited for any more.
    PauseOrNews(Duration),
}

/// A part of what an event tells.
enum Part {
    /// There are no more.
    Over,
    /// It is not wanted.
    Unwanted,
    /// Its id and its body.
    Told(String, Vec<u8>),
}

/// The time of a lane, which goes on evenly.
struct Stopwatch {
    began_at: Timestamp,
    began: Instant,
}

impl Stopwatch {
    fn now(&self) -> Timestamp {
        let ms = self.began.elapsed().as_millis();
        let ms = u64::try_from(ms).unwrap_or(u64::MAX);
        self.began_at.plus_ms(ms)
    }
}

/// One subscription on its way.
struct Lane {
    shared: Arc<Shared>,
    id: WebhookId,
    watch: Stopwatch,
    progress: Progress,
    /// Events that were read and come next.
    read: VecDeque<Event>,
    /// Whether what was looked at last waits aside: the journal comes next.
    was_aside: bool,
    /// Events that were passed since it was last kept how far it has come.
    passed: u64,
}

/// Tells a subscriber what happens, for as long as there is the subscription.
pub(super) async fn run(shared: Arc<Shared>, id: WebhookId, mut news: watch::Receiver<u64>) {
    let mut lane = Lane {
        progress: shared.cursors.get(id),
        watch: Stopwatch {
            began_at: shared.app.now(),
            began: Instant::now(),
        },
        shared,
        id,
        read: VecDeque::new(),
        was_aside: false,
        passed: 0,
    };
    loop {
        news.borrow_and_update();
        let known = lane
            .shared
            .app
            .read(|state| state.webhooks.get(&id).cloned());
        let Some(known) = known else {
            return;
        };
        match lane.step(&known).await {
            Step::Again => {}
            Step::Wait => {
                if news.changed().await.is_err() {
                    return;
                }
            }
            Step::Pause(time) => tokio::time::sleep(time).await,
            Step::PauseOrNews(time) => {
                let changed = tokio::time::timeout(time, news.changed());
                if let Ok(Err(_)) = changed.await {
                    return;
                }
            }
        }
    }
}

impl Lane {
    /// At most one attempt.
    async fn step(&mut self, known: &Subscribed) -> Step {
        if !known.webhook.active {
            return Step::Wait;
        }
        if known.is_disabled(self.shared.app.now()) {
            return Step::Pause(self.shared.patience.look);
        }
        if self.progress.begin_at(known.since) {
            self.read.clear();
        }
        self.progress.goes_to(known.webhook.delivery);
        self.progress.pinged(known.pinged_at);
        // The journal and what waits aside take turns, so that neither keeps the other from being told.
        let now = self.watch.now();
        let (due, wait) = (
            self.progress.due_aside(now),
            self.progress.journal_waits(now),
        );
        self.was_aside = due.is_some() && (!self.was_aside || wait.is_some());
        if let Some(incident) = due.filter(|_| self.was_aside) {
            return self.step_aside(&known.webhook, incident).await;
        }
        if let Some(wait) = wait {
            let asides = self.progress.asides_wait(now);
            return Step::PauseOrNews(asides.map_or(wait, |asides| asides.min(wait)));
        }
        self.step_on(&known.webhook).await
    }

    /// Goes on with the journal.
    async fn step_on(&mut self, webhook: &Webhook) -> Step {
        let Some(event) = self.read.front().cloned() else {
            return self.read_on().await;
        };
        let incident = incident_of(&event);
        let waits_aside = incident.is_some_and(|incident| self.progress.aside(incident).is_some());
        let part = self.progress.journal.part;
        let part = if waits_aside {
            // It comes after that, and is told with it.
            Part::Over
        } else {
            let was_tried = self.progress.journal.was_tried();
            self.part(webhook, &event, part, was_tried)
        };
        match part {
            Part::Over => {
                self.pass(event.position).await;
                Step::Again
            }
            Part::Unwanted => {
                self.progress.journal.skip();
                Step::Again
            }
            Part::Told(told_id, body) => {
                let tried = Tried::Journal(event.position, incident);
                self.attempt(webhook, (tried, &event), &told_id, body).await
            }
        }
    }

    /// Goes on with an incident that waits aside, up to where the journal has come to.
    async fn step_aside(&mut self, webhook: &Webhook, incident: IncidentId) -> Step {
        let upto = self.progress.journal.position;
        let Some(place) = self.progress.aside(incident) else {
            return Step::Again;
        };
        let (after, mut part) = (place.position, place.part);
        let mut was_tried = place.was_tried();
        let app = self.shared.app.clone();
        let read = app.blocking(move |parts| parts.events.of_incident(incident, after, ASIDE_PAGE));
        let events = match read.await {
            Ok(events) => events,
            Err(problem) => return self.cannot_read(&problem),
        };
        let events = events.into_iter().filter(|event| event.position <= upto);
        let events: Vec<Event> = events.collect();
        for event in &events {
            let tried = Tried::Aside(incident);
            loop {
                match self.part(webhook, event, part, was_tried) {
                    Part::Over => break,
                    Part::Unwanted => self.progress.skip(tried),
                    Part::Told(told_id, body) => {
                        return self.attempt(webhook, (tried, event), &told_id, body).await;
                    }
                }
                part += 1;
            }
            (part, was_tried) = (0, false);
            if let Some(place) = self.progress.aside(incident) {
                place.pass(event.position);
            }
        }
        if events.is_empty() {
            self.progress.rejoin(incident);
        }
        Step::Again
    }

    /// That part of what an event tells. What is too old is not begun with; what was tried before is given up by a last attempt, so
    /// that it counts.
    fn part(&self, webhook: &Webhook, event: &Event, part: usize, was_tried: bool) -> Part {
        let app = &self.shared.app;
        if !was_tried && is_too_old(app.now().ms_since(event.recorded_at)) {
            return Part::Over;
        }
        app.read(|state| {
            let told = told(state, &app.settings.public_url, webhook, event);
            match told.into_iter().nth(part) {
                None => Part::Over,
                Some(None) => Part::Unwanted,
                Some(Some(one)) => Part::Told(one.id.clone(), one.body()),
            }
        })
    }

    fn cannot_read(&self, problem: &Problem) -> Step {
        tracing::warn!(
            why = problem.detail(),
            "webhooks wait: the journal cannot be read"
        );
        Step::Pause(self.shared.patience.retry_first)
    }

    /// Reads what comes next, of what is published.
    async fn read_on(&mut self) -> Step {
        let app = self.shared.app.clone();
        let published = app.read(|state| state.position);
        let after = self.progress.journal.position;
        let count = published.saturating_sub(after).min(EVENTS_PAGE);
        if count == 0 {
            let now = self.watch.now();
            if self.progress.due_aside(now).is_some() {
                return Step::Again;
            }
            let asides = self.progress.asides_wait(now);
            return asides.map_or(Step::Wait, Step::PauseOrNews);
        }
        let count = usize::try_from(count).unwrap_or(0);
        let read = app.blocking(move |parts| parts.events.after(after, count));
        match read.await {
            Ok(events) if events.is_empty() => Step::Pause(self.shared.patience.look),
            Ok(events) => {
                let events = events.into_iter();
                self.read
                    .extend(events.filter(|event| event.position <= published));
                Step::Again
            }
            Err(problem) => self.cannot_read(&problem),
        }
    }

    async fn pass(&mut self, position: u64) {
        self.progress.journal.pass(position);
        self.read.pop_front();
        self.passed += 1;
        if self.passed >= PASSED_MAX {
            self.keep().await;
        }
    }

    /// Keeps how far it has come.
    async fn keep(&mut self) {
        self.passed = 0;
        let (cursors, id) = (Arc::clone(&self.shared.cursors), self.id);
        let progress = self.progress.clone();
        let kept = self.shared.app.blocking(move |parts| {
            cursors.keep(parts.accounts.as_ref(), id, progress);
            Ok(())
        });
        // What was not kept is in the log.
        let _ = kept.await;
    }

    async fn attempt(
        &mut self,
        webhook: &Webhook,
        (tried, event): (Tried, &Event),
        told_id: &str,
        body: Vec<u8>,
    ) -> Step {
        if body.len() > BODY_BYTES_MAX {
            tracing::warn!(webhook = %self.id, bytes = body.len(), "a webhook was too large to be sent");
            self.progress.skip(tried);
            self.keep().await;
            return Step::Again;
        }
        let (ended, why) = self.send(webhook, told_id, body).await;
        let now = self.shared.app.now();
        let age_ms = now.ms_since(event.recorded_at);
        let unanswered = self.progress.unanswered(ended, now);
        let (patience, at) = (&self.shared.patience, self.watch.now());
        let next = self.progress.ended(tried, ended, age_ms, at, patience);
        if ended != Ended::Taken {
            tracing::warn!(webhook = %self.id, event = told_id, why, "a webhook was not taken");
        }
        self.keep().await;
        self.say_whether_it_answers(ended, unanswered, &why).await;
        match next {
            Next::GoOn | Next::Again => Step::Again,
            Next::Aside => {
                // The journal has passed it.
                self.read.pop_front();
                Step::Again
            }
            Next::LeaveAlone => {
                let webhook = self.id;
                self.say(WebhookAsk::Disable { webhook, why }).await;
                Step::Again
            }
        }
    }

    /// Has administrators told when the receiver has taken nothing for long, and has it known when it takes something again.
    async fn say_whether_it_answers(&self, ended: Ended, unanswered: Option<Timestamp>, why: &str) {
        let webhook = self.id;
        let is_told = self.shared.app.read(|state| {
            let known = state.webhooks.get(&webhook);
            known.is_some_and(|known| known.unanswered_since.is_some())
        });
        if let Some(since) = unanswered.filter(|_| !is_told) {
            let why = why.to_owned();
            let ask = WebhookAsk::Unanswered {
                webhook,
                since,
                why,
            };
            self.say(ask).await;
        } else if is_told && ended == Ended::Taken {
            self.say(WebhookAsk::Answered(webhook)).await;
        }
    }

    async fn say(&self, ask: WebhookAsk) {
        if let Err(problem) = self.shared.app.ask(&Actor::System, Ask::Webhook(ask)).await {
            tracing::warn!(webhook = %self.id, why = problem.detail(), "how a webhook subscription is was not kept");
        }
    }

    /// Makes an attempt; how it ended, and why it was not taken.
    async fn send(&self, webhook: &Webhook, told_id: &str, body: Vec<u8>) -> (Ended, String) {
        let row = webhook.delivery;
        let kept = self.shared.app.blocking(move |parts| {
            let vault = parts.vault.as_ref();
            Kept::read(vault, row)
        });
        let kept = match kept.await {
            Ok(Some(kept)) => kept,
            // It was changed meanwhile, and has another row.
            Ok(None) => return (Ended::Later(None), "its address is gone".to_owned()),
            Err(problem) => return (Ended::Later(None), problem.detail().to_owned()),
        };
        let Ok(url) = Url::parse(&kept.url) else {
            return (Ended::Refused, "its address is not a URL".to_owned());
        };
        let signature = webhook_v3::signature(kept.secret.as_bytes(), &body);
        let mut call = Call::json(url, body);
        for (name, value) in kept.headers {
            call = call.with(name, value);
        }
        let call = call
            .with("user-agent", webhook_v3::USER_AGENT.to_owned())
            .with(webhook_v3::SIGNATURE_HEADER, signature)
            .with(webhook_v3::ID_HEADER, told_id.to_owned())
            .with(webhook_v3::SUBSCRIPTION_HEADER, self.id.to_string());
        let call = Call {
            reads_success: false,
            ..call
        };
        let answer = self.shared.exchange.send(call);
        match tokio::time::timeout(self.shared.patience.attempt, answer).await {
            Err(_) => (Ended::Later(None), "no answer in time".to_owned()),
            Ok(Err(report)) => (of_outcome(report.outcome), report.detail),
            Ok(Ok(answered)) => {
                let why = format!("HTTP {}", answered.status.as_u16());
                (of_status(answered.status, answered.retry_after_ms), why)
            }
        }
    }
}

/// The incident that an event tells of; what tells of one waits for what was told of it before.
const fn incident_of(event: &Event) -> Option<IncidentId> {
    match &event.body {
        EventBody::Incident(about) => Some(about.incident),
        EventBody::Installation(_)
        | EventBody::People(_)
        | EventBody::Roster(_)
        | EventBody::Watch(_)
        | EventBody::Alert(_)
        | EventBody::Notification(_)
        | EventBody::Input(_) => None,
    }
}

/// What an attempt without an answer was. Whether something broke off after it was taken, nobody knows: it is sent again.
const fn of_outcome(outcome: Outcome) -> Ended {
    match outcome {
        Outcome::Accepted => Ended::Taken,
        Outcome::Refused => Ended::Refused,
        Outcome::Failed | Outcome::TimedOut | Outcome::Unanswered => Ended::Later(None),
    }
}

/// As PagerDuty does it: of all 4xx only 429 may pass. A 408 is the receiver's own word, and no time that ran out here.
fn of_status(status: StatusCode, retry_after_ms: Option<u64>) -> Ended {
    if status.is_success() {
        Ended::Taken
    } else if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
        Ended::Later(retry_after_ms)
    } else {
        Ended::Refused
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_may_pass_is_tried_again() {
        let check = |status: u16, expected: Ended| {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(of_status(status, Some(7)), expected, "{status}");
        };
        check(200, Ended::Taken);
        check(204, Ended::Taken);
        for status in [429, 500, 503, 599] {
            check(status, Ended::Later(Some(7)));
        }
        for status in [301, 400, 401, 404, 408, 410, 422] {
            check(status, Ended::Refused);
        }
    }
}
