//! Planned work, silences and mutes in the second book: what each covers at which time. It shares no code with the core.

use tocsin_domain::alert::{self, AlertSource};
use tocsin_domain::id::{AlertId, ServiceId, TargetId};
use tocsin_domain::intake::{LabelMatcher, LabelTest, When, Window};
use tocsin_domain::oncall::{Repeating, Span};
use tocsin_domain::people::Urgency;
use tocsin_domain::time::Timestamp;

use super::{Alert, Case, Ledger};
use crate::oncall::occurrences;

const DAY_MS: u64 = 86_400_000;
/// So far ahead it is looked up when work comes again.
const AHEAD_MS: u64 = 12 * DAY_MS;
/// And so long before that ends it is looked up anew.
const EARLY_MS: u64 = 2 * DAY_MS;

/// Planned work, or a silence.
#[derive(Clone, Debug)]
pub(crate) struct Work {
    services: Vec<ServiceId>,
    targets: Vec<TargetId>,
    matchers: Vec<LabelMatcher>,
    /// When it is, as far ahead as it was looked up.
    spans: Vec<Span>,
    repeats: Option<Repeating>,
    /// What had begun by then was ended then.
    ended_at: Option<Timestamp>,
    /// When it was planned or changed last.
    set_at: Timestamp,
}

impl Work {
    /// Until when it lasts, if it does now.
    fn lasts_until(&self, now: Timestamp) -> Option<Timestamp> {
        let mut spans = self.spans.iter();
        let lasts = |span: &&Span| {
            let was_ended = self.ended_at.is_some_and(|ended| span.from <= ended);
            span.from <= now && now < span.until && !was_ended
        };
        spans.find(lasts).map(|span| span.until)
    }

    /// Whether it lasts now, and what lasts of it can be ended.
    pub(crate) fn lasts(&self, now: Timestamp) -> bool {
        self.lasts_until(now).is_some()
    }

    /// Whether nothing of it is left.
    pub(crate) fn is_over(&self, now: Timestamp) -> bool {
        self.repeats.is_none() && !self.lasts(now) && self.spans.iter().all(|span| span.from <= now)
    }

    /// Whether it comes again and again.
    pub(crate) const fn repeats(&self) -> bool {
        self.repeats.is_some()
    }

    /// Whether it names what fails by its labels.
    pub(crate) fn matchers(&self) -> &[LabelMatcher] {
        &self.matchers
    }

    /// When it is, where it is once.
    pub(crate) fn span(&self) -> Option<Span> {
        let once = self.repeats.is_none();
        self.spans.first().copied().filter(|_| once)
    }

    pub(super) fn end(&mut self, at: Timestamp) {
        self.ended_at = Some(at);
    }

    fn look_ahead(&mut self, now: Timestamp) {
        if let Some(repeats) = &self.repeats {
            let span = Span::new(now.minus_ms(EARLY_MS), now.plus_ms(AHEAD_MS));
            // Worlds have no zones that nobody knows.
            self.spans = occurrences(repeats, span).unwrap_or_default();
        }
    }
}

impl Ledger {
    pub(super) fn plan_work(&mut self, window: &Window, now: Timestamp) {
        let (spans, repeats) = match &window.when {
            When::Once { span } => (vec![*span], None),
            When::Repeating { work } => (Vec::new(), Some(work.clone())),
        };
        let silence = window.silence.as_ref();
        let mut work = Work {
            services: window.services.clone(),
            targets: window.targets.clone(),
            matchers: silence.map_or_else(Vec::new, |one| one.matchers.clone()),
            spans,
            repeats,
            ended_at: window.ended_at,
            set_at: now,
        };
        work.look_ahead(now);
        if self.looked_ahead_at.is_none() {
            self.looked_ahead_at = Some(now);
        }
        self.work.insert(window.id, work);
        self.touch_open();
    }

    /// Looks up again when work comes again, before that is not known any more.
    pub(super) fn look_ahead(&mut self, now: Timestamp) {
        let until = |at: Timestamp| at.plus_ms(AHEAD_MS - 2 * EARLY_MS);
        if self.looked_ahead_at.is_some_and(|at| now >= until(at)) {
            self.looked_ahead_at = Some(now);
            for work in self.work.values_mut() {
                work.look_ahead(now);
            }
        }
    }

    fn lasting_work(&self, now: Timestamp) -> Vec<(&Work, Timestamp)> {
        let work = self.work.values();
        let lasting = work.filter_map(|work| Some((work, work.lasts_until(now)?)));
        lasting.collect()
    }

    /// Until when an alert is covered, by whatever lasts longest.
    fn covered_among(
        &self,
        told: &alert::Alert,
        known: Option<&Alert>,
        work: &[(&Work, Timestamp)],
        now: Timestamp,
    ) -> Option<Timestamp> {
        let target = told.target.or_else(|| self.target_by_hand(known?));
        let planned = work.iter().filter(|(work, _)| {
            let by_target = target.is_some_and(|one| work.targets.contains(&one));
            let by_labels = || {
                let mut matchers = work.matchers.iter();
                matchers.all(|one| accepts(one, &self.label(told, known, &one.name)))
            };
            work.services.contains(&told.service)
                || by_target
                || (!work.matchers.is_empty() && by_labels())
        });
        let planned = planned.map(|(_, until)| *until);
        planned.chain(self.muted_until(target, now)).max()
    }

    /// What a person says is not over is about the server that its incident is about, as long as that is one incident.
    fn target_by_hand(&self, known: &Alert) -> Option<TargetId> {
        let case = self.cases.get(&known.incident)?;
        case.target.filter(|_| known.by_hand && !case.is_merged)
    }

    /// Until when a target is quiet now, by whatever lasts longest.
    fn muted_until(&self, target: Option<TargetId>, now: Timestamp) -> Option<Timestamp> {
        let known = self.targets.get(&target?)?;
        let windows = known.maintenance.values();
        let windows = windows.filter(|(from, until)| *from <= now && now < *until);
        let muted = known.muted_until.filter(|until| now < *until);
        windows.map(|(_, until)| *until).chain(muted).max()
    }

    /// Whether an alert is covered that has no incident yet.
    pub(crate) fn is_covered(&self, told: &alert::Alert, now: Timestamp) -> bool {
        let work = self.lasting_work(now);
        self.covered_among(told, None, &work, now).is_some()
    }

    /// Until when all that asks for somebody in an incident is covered; none when something is not. Where nothing asks, what
    /// fails is looked at. What somebody has, or said is not urgent, `may_wait` for what is worse and covered.
    pub(super) fn case_covered_until(
        &self,
        case: &Case,
        now: Timestamp,
        may_wait: bool,
    ) -> Option<Timestamp> {
        let work = self.lasting_work(now);
        let some_ask = case.burns();
        let is_hushed = |id: &AlertId| self.alerts.get(id).is_some_and(|known| known.is_hushed);
        let may_wait = may_wait && case.asking().any(|id| !is_hushed(&id));
        let mut first: Option<Timestamp> = None;
        for (id, burning) in &case.firing {
            if some_ask && !case.is_loud && burning.urgency == Urgency::Low {
                continue;
            }
            if may_wait && is_hushed(id) {
                continue;
            }
            let known = self.alerts.get(id)?;
            let until = self.covered_among(&known.told, Some(known), &work, now)?;
            first = first.into_iter().chain([until]).min();
        }
        first
    }

    /// The instant from which on something asks in an incident that is neither covered nor waits, as far as is known now. Each
    /// alert waits for its own reason; where it `may_wait`, also for that of another of its target, or because somebody had it, or
    /// said that it is not urgent, before something worse took its incident over. Where it does not, what was planned at this
    /// very instant does not count yet: what asked before it asks at once.
    pub(super) fn case_free_from(
        &self,
        case: &Case,
        now: Timestamp,
        may_wait: bool,
    ) -> Option<Timestamp> {
        let mut work = self.lasting_work(now);
        work.retain(|(work, _)| may_wait || work.set_at != now);
        let mut first: Option<Timestamp> = None;
        for id in case.asking() {
            let known = self.alerts.get(&id)?;
            if may_wait && known.is_hushed {
                continue;
            }
            let covered = self.covered_among(&known.told, Some(known), &work, now);
            // Where a person said that it is urgent, no pause counts.
            let waits = known.waits.filter(|_| !case.is_loud);
            let shares = known.shares.filter(|_| may_wait && !case.is_loud);
            let reasons = waits.into_iter().chain(shares).chain(covered);
            let free = reasons.chain([now]).max();
            first = first.into_iter().chain(free).min();
            if first == Some(now) {
                break;
            }
        }
        first
    }

    /// The value of a label of an alert; empty when it has none such.
    fn label(&self, told: &alert::Alert, known: Option<&Alert>, name: &str) -> String {
        let text = |text: Option<&String>| text.cloned().unwrap_or_default();
        if name == "tocsin_service" {
            return text(self.services.get(&told.service).map(|one| &one.name));
        }
        if name == "tocsin_target" {
            let target = told.target.and_then(|target| self.targets.get(&target));
            return text(target.map(|one| &one.host));
        }
        let has_labels = match told.source {
            AlertSource::Rule { .. } | AlertSource::Alertmanager { .. } => true,
            AlertSource::Monitor { .. }
            | AlertSource::EventsV2 { .. }
            | AlertSource::Api
            | AlertSource::Heartbeat { .. } => false,
        };
        if has_labels {
            let details = known.map_or(&told.details[..], Alert::details);
            let found = details.iter().find(|(one, _)| one == name);
            return text(found.map(|(_, value)| value));
        }
        match name {
            "alertname" => {
                let monitor = told.source.monitor();
                let monitor = monitor.and_then(|monitor| self.monitors.get(&monitor));
                text(Some(monitor.map_or(&told.title, |one| &one.name)))
            }
            "severity" => {
                let severity = known.map_or(told.severity, |known| known.severity);
                severity.word().to_owned()
            }
            _ => String::new(),
        }
    }
}

/// Whether a label's value passes; patterns of these worlds are words with `|` between them.
fn accepts(matcher: &LabelMatcher, value: &str) -> bool {
    let fits = || matcher.value.split('|').any(|word| word == value);
    match matcher.test {
        LabelTest::Equals => matcher.value == value,
        LabelTest::Differs => matcher.value != value,
        LabelTest::Fits => fits(),
        LabelTest::Misfits => !fits(),
    }
}
