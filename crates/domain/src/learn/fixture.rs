//! Synthetic outages with a known truth, for tests and previews: evidence as it would be frozen after each kind of failure.
//! It is not part of the product; only tests may use it.

use super::evidence::{EVIDENCE_VERSION, Evidence, FrozenSeries, Names};
use crate::alert::{Alert, AlertSource, EvidenceSample, Onset};
use crate::event::{
    Actor, AlertEvent, Cause, Event, EventBody, IncidentEvent, IncidentWhat, NotificationEvent,
    NotificationWhat,
};
use crate::id::{
    AlertId, ContactMethodId, Entropy, IncidentId, IntegrationId, MonitorId, NotificationId,
    PolicyId, ServiceId, TargetId, TeamId, UserId,
};
use crate::incident::{Hold, Incident, Status};
use crate::monitor::{Monitor, Severity};
use crate::page::{Attempt, Delivery, Notification, Outcome, Purpose};
use crate::people::ChannelKind;
use crate::signal::{
    ExitKind, Fact, FactKind, LogLine, LogRecord, Sample, Supervisor, metric,
};
use crate::target::TargetIdentity;
use crate::time::Timestamp;

/// Numbers from a seed (SplitMix64, Steele et al. 2014).
pub struct Random(u64);

impl Random {
    /// The same seed gives the same numbers.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to below 1.
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
    pub const fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// From 0 to below `bound`; 0 when that is 0.
    pub const fn below(&mut self, bound: u64) -> u64 {
        if bound == 0 { 0 } else { self.next() % bound }
    }
}

impl Entropy for Random {
    fn fill(&mut self, buffer: &mut [u8]) {
        for byte in buffer {
            *byte = self.next().to_le_bytes()[0];
        }
    }
}

/// How the server is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Break {
    /// All processes killed.
    Kill,
    /// The parent killed, its children live on.
    KillParent,
    /// Stopped in good order.
    Stop,
    /// All processes stopped by a signal.
    Hang,
    /// Every worker taken by slow clients.
    Saturate,
    /// The application behind answers with 503.
    Errors,
    /// A broken configuration file on disk.
    BadConfig,
    /// An alert from outside, about a service that is not watched.
    External,
}

/// All of them.
pub const BREAKS: [Break; 8] = [
    Break::Kill,
    Break::KillParent,
    Break::Stop,
    Break::Hang,
    Break::Saturate,
    Break::Errors,
    Break::BadConfig,
    Break::External,
];

/// An outage to be played.
#[derive(Clone, Debug)]
pub struct Scene {
    /// How it breaks.
    pub how: Break,
    /// The seed of its traffic and its ids.
    pub seed: u64,
    /// Milliseconds of traffic before.
    pub before_ms: u64,
    /// Milliseconds from break to repair.
    pub outage_ms: u64,
    /// Requests per second; 0 for none.
    pub rate: f64,
    /// Distinct users; a quarter of them are premium.
    pub users: u64,
    /// Whether the access log is read.
    pub access_log: bool,
    /// Whether somebody is paged.
    pub paged: bool,
    /// Whether somebody acknowledges.
    pub acknowledged: bool,
    /// Whether it is over when frozen.
    pub resolved: bool,
    /// Failed attempts before the page is accepted.
    pub failed_attempts: u32,
    /// Further events such as notes, each a second after the other.
    pub notes: Vec<String>,
    /// Names of the server, the service and the engineer.
    pub names: [String; 3],
    /// Extra repeated alerts, to make a long timeline.
    pub repeats: u32,
    /// Whether the failure comes back once.
    pub relapse: bool,
}

impl Scene {
    /// A kill during steady traffic that is paged, acknowledged and repaired.
    #[must_use]
    pub fn of(how: Break) -> Self {
        Self {
            how,
            seed: 7,
            before_ms: 120_000,
            outage_ms: 31_400,
            rate: 24.0,
            users: 60,
            access_log: true,
            paged: how != Break::BadConfig,
            acknowledged: how != Break::BadConfig,
            resolved: true,
            failed_attempts: 0,
            notes: Vec::new(),
            names: ["webserver-01", "Apache on webserver-01", "Ada Lovelace"].map(str::to_owned),
            repeats: 0,
            relapse: false,
        }
    }

    /// Plays it.
    #[must_use]
    pub fn play(&self) -> Played {
        Stage::new(self).play()
    }
}

/// What came of it.
pub struct Played {
    /// What Tocsin froze.
    pub evidence: Evidence,
    /// What the traffic generator knows and Tocsin never sees.
    pub truth: Truth,
}

/// What the traffic generator counted between break and repair.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Truth {
    /// Requests that were sent and not answered.
    pub unanswered: u64,
    /// Those of premium users.
    pub unanswered_premium: u64,
    /// Distinct premium users that sent them.
    pub premium_users: u64,
    /// Requests answered with 503.
    pub failed: u64,
}

/// The break, in every scene: 2026-11-23T07:12:58.123Z.
pub const BREAK_AT: Timestamp = Timestamp::from_millis(1_795_417_978_123);

struct Stage<'a> {
    scene: &'a Scene,
    random: Random,
    evidence: Evidence,
    truth: Truth,
    target: TargetId,
    user: UserId,
    position: u64,
}

impl<'a> Stage<'a> {
    fn new(scene: &'a Scene) -> Self {
        let mut random = Random::new(scene.seed);
        let target = TargetId::random(&mut random);
        let user = UserId::random(&mut random);
        let service = ServiceId::random(&mut random);
        let team = TeamId::random(&mut random);
        let watched = scene.how != Break::External;
        let severity = if scene.how == Break::BadConfig { Severity::Warning } else { Severity::Critical };
        let incident = Incident {
            id: IncidentId::random(&mut random),
            number: 12,
            team,
            service,
            target: watched.then_some(target),
            title: title(scene),
            status: if scene.resolved { Status::Resolved } else { Status::Triggered },
            urgency: severity.urgency(),
            severity,
            opened_at: BREAK_AT.plus_ms(detect_ms(scene.how)),
            onset: None,
            alerts: Vec::new(),
            hold: None,
            suppressed: None,
            paging: None,
            paged_at: None,
            acknowledged: None,
            healthy_since: None,
            paging_event: 42,
            resolved_at: None,
            relapses: u32::from(scene.relapse),
            evidence: None,
        };
        let [server, service_name, engineer] = scene.names.clone();
        Self {
            scene,
            evidence: Evidence {
                version: EVIDENCE_VERSION,
                tocsin_version: "0.1.0".to_owned(),
                incident,
                alerts: Vec::new(),
                notifications: Vec::new(),
                events: Vec::new(),
                monitors: Vec::new(),
                names: Names {
                    tocsin_host: "watchtower".to_owned(),
                    services: vec![(service, service_name)],
                    users: vec![(user, engineer)],
                    policies: Vec::new(),
                    schedules: Vec::new(),
                },
                target: watched.then(|| identity(server)),
                window: (
                    BREAK_AT.minus_ms(scene.before_ms),
                    BREAK_AT.plus_ms(scene.outage_ms + 25_000),
                ),
                series: Vec::new(),
                facts: Vec::new(),
                logs: Vec::new(),
            },
            truth: Truth::default(),
            random,
            target,
            user,
            position: 41,
        }
    }

    fn play(mut self) -> Played {
        if self.scene.how != Break::External {
            self.monitors();
            self.signals();
            self.seen();
            if self.scene.access_log {
                self.traffic();
            }
        }
        self.alarm();
        if self.scene.paged {
            self.page();
        }
        self.notes();
        if self.scene.resolved {
            self.ending();
        }
        Played {
            evidence: self.evidence,
            truth: self.truth,
        }
    }

    fn repaired_at(&self) -> Timestamp {
        BREAK_AT.plus_ms(self.scene.outage_ms)
    }

    fn event(&mut self, at: Timestamp, actor: Actor, cause: Cause, body: EventBody) {
        self.position += 1;
        self.evidence.events.push(Event {
            position: self.position,
            at,
            recorded_at: at.plus_ms(3),
            actor,
            cause,
            body,
        });
    }

    fn system(&mut self, at: Timestamp, body: EventBody) {
        let cause = Cause::Event { position: self.position };
        self.event(at, Actor::System, cause, body);
    }

    fn told(&mut self, at: Timestamp, what: IncidentWhat) {
        let incident = self.evidence.incident.id;
        self.system(at, EventBody::Incident(IncidentEvent { incident, what }));
    }

    fn message(&mut self, at: Timestamp, notification: NotificationId, what: NotificationWhat) {
        let body = EventBody::Notification(NotificationEvent {
            notification,
            incident: Some(self.evidence.incident.id),
            what,
        });
        self.system(at, body);
    }

    fn person(&mut self, at: Timestamp, what: IncidentWhat) {
        let incident = self.evidence.incident.id;
        let body = EventBody::Incident(IncidentEvent { incident, what });
        self.event(at, Actor::Person { user: self.user }, Cause::Request, body);
    }

    fn monitors(&mut self) {
        for (slug, name) in [
            (slug(self.scene.how), "The web server fails"),
            ("apache-certificate", "A certificate runs out"),
        ] {
            self.evidence.monitors.push(Monitor {
                id: MonitorId::random(&mut self.random),
                team: self.evidence.incident.team,
                slug: slug.to_owned(),
                name: name.to_owned(),
                description: String::new(),
                pack: Some("apache".to_owned()),
                enabled: true,
                expr: "apache_parent_up == 0".to_owned(),
                recovery: "apache_parent_up == 1".to_owned(),
                for_ms: 0,
                severity: self.evidence.incident.severity,
                title: "{target} fails".to_owned(),
                wording: Vec::new(),
                holds: Vec::new(),
                onset: None,
                runbook: String::new(),
            });
        }
    }

    /// One series with a value each second: `bad` between break and repair, `good` elsewhere.
    fn gauge(&mut self, name: &str, good: f64, bad: f64) {
        let first = Sample::of(name, self.target, &[("instance", &self.scene.names[0])], BREAK_AT, bad);
        let mut samples = Vec::new();
        let start = self.evidence.window.0.as_millis() / 1_000 * 1_000;
        let mut at = start;
        while at < self.evidence.window.1.as_millis() {
            let broken = BREAK_AT.as_millis() <= at && at < self.repaired_at().as_millis();
            samples.push((at, if broken { bad } else { good }.to_bits()));
            at += 1_000;
        }
        samples.push((BREAK_AT.as_millis(), bad.to_bits()));
        samples.sort_by_key(|(at, _)| *at);
        self.evidence.series.push(FrozenSeries {
            labels: first.labels,
            samples,
        });
    }

    fn signals(&mut self) {
        match self.scene.how {
            Break::Kill | Break::Stop => {
                self.gauge(metric::PARENT_UP, 1.0, 0.0);
                self.gauge(metric::LISTENER_REFUSED, 0.0, 1.0);
                self.gauge(metric::PROBE_UP, 1.0, 0.0);
            }
            Break::KillParent => {
                self.gauge(metric::PARENT_UP, 1.0, 0.0);
                self.gauge(metric::LISTENER_REFUSED, 0.0, 0.0);
                self.gauge(metric::PROBE_UP, 1.0, 1.0);
            }
            Break::Hang => {
                self.gauge(metric::PROCESSES_STOPPED, 0.0, 5.0);
                self.gauge(metric::PROBE_TIMEOUT, 0.0, 1.0);
                self.gauge(metric::PROBE_UP, 1.0, 0.0);
                self.gauge(metric::LISTENER_QUEUE, 0.0, 37.0);
            }
            Break::Saturate => {
                self.gauge(metric::WORKERS_BUSY, 3.0, 50.0);
                self.gauge(metric::WORKERS_MAX, 50.0, 50.0);
                self.gauge(metric::PROBE_TIMEOUT, 0.0, 1.0);
                self.gauge(metric::LISTENER_QUEUE, 0.0, 61.0);
            }
            Break::Errors => self.gauge(metric::PROBE_STATUS_CODE, 200.0, 503.0),
            Break::BadConfig => self.gauge(metric::CONFIG_VALID, 1.0, 0.0),
            Break::External => {}
        }
    }

    fn fact(&mut self, at: Timestamp, what: FactKind) {
        self.evidence.facts.push(Fact {
            at,
            target: self.target,
            what,
        });
    }

    fn seen(&mut self) {
        let repaired = self.repaired_at();
        let exited = |how, children_alive, log_line: Option<&str>| FactKind::ParentExited {
            pid: 4_711,
            how,
            supervisor: Supervisor::None,
            children_alive,
            log_line: log_line.map(str::to_owned),
        };
        let config = |diff: &str| FactKind::ConfigChanged {
            path: "/etc/apache2/conf-enabled/tuning.conf".to_owned(),
            diff: diff.to_owned(),
        };
        match self.scene.how {
            Break::Kill => self.fact(BREAK_AT, exited(ExitKind::Crash, 0, None)),
            Break::KillParent => self.fact(BREAK_AT, exited(ExitKind::Crash, 4, None)),
            Break::Stop => {
                let line = "AH00491: caught SIGTERM, shutting down";
                self.fact(BREAK_AT, exited(ExitKind::CleanStop, 0, Some(line)));
            }
            Break::Saturate => self.fact(
                BREAK_AT.plus_ms(2_600),
                FactKind::ErrorLogged {
                    code: "AH00484".to_owned(),
                    level: "error".to_owned(),
                    message: "server reached MaxRequestWorkers setting".to_owned(),
                },
            ),
            Break::BadConfig => {
                self.fact(BREAK_AT.minus_ms(1_200), config("+MaxRequestWorkers lots"));
                let output = "AH00526: Syntax error on line 3: password=hunter2 is not a number";
                let tested = |valid, output: &str| FactKind::ConfigTested {
                    valid,
                    output: output.to_owned(),
                };
                self.fact(BREAK_AT, tested(false, output));
                self.fact(repaired, tested(true, "Syntax OK"));
            }
            Break::Hang | Break::Errors | Break::External => {}
        }
        if matches!(self.scene.how, Break::Kill | Break::KillParent | Break::Stop) {
            self.fact(repaired, FactKind::ParentStarted { pid: 4_920 });
        }
    }

    fn traffic(&mut self) {
        let premium_users = (self.scene.users / 4).max(1);
        let (from, until) = (self.evidence.window.0.as_millis(), self.evidence.window.1.as_millis());
        let mut hurt: Vec<u64> = Vec::new();
        let mut at = from;
        while self.scene.rate > 0.0 {
            at += exponential_ms(&mut self.random, self.scene.rate);
            if at >= until {
                break;
            }
            let user = self.random.below(self.scene.users.max(1));
            let premium = user < premium_users;
            let broken = BREAK_AT.as_millis() <= at && at < self.repaired_at().as_millis();
            let answered = !broken || matches!(self.scene.how, Break::KillParent | Break::Errors | Break::BadConfig);
            let failed = broken && self.scene.how == Break::Errors;
            if answered {
                self.log(at, if failed { 503 } else { 200 }, premium, Some(user));
                self.truth.failed += u64::from(failed);
            } else {
                self.truth.unanswered += 1;
                self.truth.unanswered_premium += u64::from(premium);
                if premium && !hurt.contains(&user) {
                    hurt.push(user);
                }
            }
        }
        self.truth.premium_users = super::requests::count(hurt.len());
        for second in (from..until).step_by(1_000) {
            let broken = BREAK_AT.as_millis() <= second && second < self.repaired_at().as_millis();
            if !broken {
                self.log(second, 200, false, None);
            }
        }
    }

    /// A line of the access log; one without a user is Tocsin's own probe.
    fn log(&mut self, at_ms: i64, status: u16, premium: bool, user: Option<u64>) {
        let tier = if premium { "premium" } else { "free" };
        self.evidence.logs.push(LogRecord {
            at: Timestamp::from_millis(at_ms),
            target: self.target,
            line: LogLine::Access {
                status,
                method: "GET".to_owned(),
                path: "/login".to_owned(),
                duration_us: Some(1_800),
                tier: tier.to_owned(),
                user: user.map_or_else(String::new, |user| format!("{user:016x}")),
                own_probe: user.is_none(),
            },
            raw: String::new(),
        });
    }

    fn alarm(&mut self) {
        let at = self.evidence.incident.opened_at;
        let (series, value) = first_bad(self.scene.how);
        let proof = EvidenceSample {
            series: format!("{series}{{instance={:?}}}", self.scene.names[0]),
            at: BREAK_AT,
            value,
        };
        let onset = Onset {
            at: BREAK_AT,
            uncertainty_ms: if matches!(self.scene.how, Break::Kill | Break::KillParent | Break::Stop) { 1 } else { 1_000 },
            evidence: proof.clone(),
        };
        let watched = self.scene.how != Break::External;
        let source = match self.evidence.monitors.first() {
            Some(monitor) => AlertSource::Monitor {
                monitor: monitor.id,
                target: self.target,
            },
            None => AlertSource::EventsV2 {
                integration: IntegrationId::random(&mut self.random),
            },
        };
        let incident = self.evidence.incident.clone();
        let alert = Alert {
            id: AlertId::random(&mut self.random),
            incident: incident.id,
            service: incident.service,
            target: incident.target,
            dedup_key: "main".to_owned(),
            source,
            severity: incident.severity,
            title: incident.title.clone(),
            summary: "seen from outside".to_owned(),
            details: Vec::new(),
            opened_at: at,
            recovered_at: None,
            onset: watched.then(|| onset.clone()),
            evidence: if watched { vec![proof.clone()] } else { Vec::new() },
            repeats: 0,
        };
        self.evidence.incident.onset.clone_from(&alert.onset);
        self.evidence.incident.alerts.push(alert.id);
        let cause = if watched { Cause::Sample { sample: proof } } else { Cause::Request };
        let opened = AlertEvent::Opened {
            alert: Box::new(alert.clone()),
        };
        self.event(at, Actor::System, cause, EventBody::Alert(opened));
        self.told(
            at,
            IncidentWhat::Opened {
                number: incident.number,
                team: incident.team,
                service: incident.service,
                target: incident.target,
                title: incident.title.clone(),
                severity: incident.severity,
                onset: alert.onset.clone(),
            },
        );
        for repeat in 0..self.scene.repeats {
            let body = EventBody::Alert(AlertEvent::Repeated {
                alert: alert.id,
                incident: incident.id,
                severity: incident.severity,
                summary: "again".to_owned(),
            });
            self.system(at.plus_ms(500 + u64::from(repeat)), body);
        }
        self.evidence.alerts.push(alert);
    }

    fn page(&mut self) {
        let opened = self.evidence.incident.opened_at;
        let hold_ms = if self.scene.how == Break::Stop { 2_000 } else { 0 };
        let incident = self.evidence.incident.id;
        if hold_ms > 0 {
            let hold = Hold {
                until: opened.plus_ms(hold_ms),
                until_clear: false,
                why: "a clean stop may be followed by a start".to_owned(),
            };
            self.told(opened, IncidentWhat::PageHeld { hold });
        }
        let planned = opened.plus_ms(hold_ms + 1);
        let policy = Some(PolicyId::random(&mut self.random));
        self.told(
            planned,
            IncidentWhat::LevelReached {
                policy,
                level: 0,
                round: 0,
                recipients: vec![self.user],
                skipped: Vec::new(),
                next_at: planned.plus_ms(300_000),
            },
        );
        let mut notification = Notification {
            id: NotificationId::random(&mut self.random),
            purpose: Purpose::Page(incident),
            user: self.user,
            contact_method: ContactMethodId::random(&mut self.random),
            channel: ChannelKind::Email,
            level: Some(0),
            planned_at: planned,
            why: "on call at level 1".to_owned(),
            state: Delivery::Due { at: planned },
            attempts: Vec::new(),
            last_event: self.position,
        };
        let message = notification.clone();
        self.message(planned, message.id, NotificationWhat::Planned { message });
        let mut start = planned.plus_ms(2);
        for number in 1..=self.scene.failed_attempts + 1 {
            let last = number > self.scene.failed_attempts;
            self.attempt(&mut notification, number, start, last);
            start = start.plus_ms(1_200);
        }
        self.evidence.notifications.push(notification);
        if self.scene.acknowledged {
            self.acknowledge(start.plus_ms(7_900));
        }
    }

    fn attempt(&mut self, notification: &mut Notification, number: u32, start: Timestamp, last: bool) {
        let id = notification.id;
        self.message(start, id, NotificationWhat::AttemptStarted { number });
        let (outcome, detail) = if last {
            (Outcome::Accepted, "250 queued")
        } else {
            (Outcome::Failed, "451 try again later")
        };
        let finish = start.plus_ms(64);
        self.message(
            finish,
            id,
            NotificationWhat::AttemptFinished {
                number,
                outcome,
                detail: detail.to_owned(),
                retry_at: (!last).then(|| finish.plus_ms(1_000)),
            },
        );
        notification.attempts.push(Attempt {
            number,
            started_at: start,
            finished_at: Some(finish),
            outcome: Some(outcome),
            detail: detail.to_owned(),
        });
        if last {
            notification.state = Delivery::Delivered { at: finish };
        }
    }

    fn acknowledge(&mut self, at: Timestamp) {
        let by = Some(self.user);
        self.evidence.incident.acknowledged = Some((by, at));
        self.person(at, IncidentWhat::Acknowledged { by });
    }

    fn notes(&mut self) {
        let mut at = BREAK_AT.plus_ms(14_000);
        for text in self.scene.notes.clone() {
            self.person(at, IncidentWhat::NoteAdded { text });
            at = at.plus_ms(1_000);
        }
    }

    fn ending(&mut self) {
        let incident = self.evidence.incident.id;
        let recovered = self.repaired_at().plus_ms(640);
        if self.scene.relapse {
            self.told(recovered.minus_ms(5_000), IncidentWhat::Recovered);
            let relapsed = IncidentWhat::Relapsed {
                reopened: false,
                pages: false,
            };
            self.told(recovered.minus_ms(4_000), relapsed);
        }
        let proof = EvidenceSample {
            series: format!("{}{{instance={:?}}}", first_bad(self.scene.how).0, self.scene.names[0]),
            at: recovered,
            value: 1.0,
        };
        for index in 0..self.evidence.alerts.len() {
            self.evidence.alerts[index].recovered_at = Some(recovered);
            let alert = self.evidence.alerts[index].id;
            let evidence = vec![proof.clone()];
            let body = AlertEvent::Recovered {
                alert,
                incident,
                evidence,
            };
            self.system(recovered, EventBody::Alert(body));
        }
        self.told(recovered, IncidentWhat::Recovered);
        let resolved = recovered.plus_ms(15_000);
        let why = "all alerts were healthy for 15 s".to_owned();
        self.told(resolved, IncidentWhat::Resolved { why });
        self.evidence.incident.resolved_at = Some(resolved);
    }
}

#[expect(clippy::cast_possible_truncation, reason = "an hour of milliseconds")]
fn exponential_ms(random: &mut Random, rate: f64) -> i64 {
    (-(1.0 - random.unit()).ln() / rate * 1_000.0).ceil() as i64
}

const fn detect_ms(how: Break) -> u64 {
    match how {
        Break::Kill | Break::KillParent | Break::Stop => 41,
        Break::Hang => 3_050,
        Break::Saturate => 5_020,
        Break::Errors => 2_300,
        Break::BadConfig => 1_400,
        Break::External => 0,
    }
}

const fn slug(how: Break) -> &'static str {
    match how {
        Break::Kill | Break::Stop => "apache-down",
        Break::KillParent => "apache-orphaned",
        Break::Hang => "apache-hung",
        Break::Saturate => "apache-saturated",
        Break::Errors => "apache-5xx",
        Break::BadConfig => "apache-config-broken",
        Break::External => "",
    }
}

fn first_bad(how: Break) -> (&'static str, f64) {
    match how {
        Break::Kill | Break::KillParent | Break::Stop => (metric::PARENT_UP, 0.0),
        Break::Hang => (metric::PROBE_TIMEOUT, 1.0),
        Break::Saturate => (metric::LISTENER_QUEUE, 61.0),
        Break::Errors => (metric::LOG_REQUESTS_TOTAL, 21.0),
        Break::BadConfig => (metric::CONFIG_VALID, 0.0),
        Break::External => ("", 0.0),
    }
}

fn title(scene: &Scene) -> String {
    let server = &scene.names[0];
    match scene.how {
        Break::Kill => format!("Apache on {server} is down: it was killed"),
        Break::KillParent => format!("Apache on {server} has lost its parent process"),
        Break::Stop => format!("Apache on {server} is down: it was stopped"),
        Break::Hang => format!("Apache on {server} does not answer"),
        Break::Saturate => format!("Apache on {server} has no free worker"),
        Break::Errors => format!("Apache on {server} answers with errors"),
        Break::BadConfig => format!("Apache on {server} has a broken configuration on disk"),
        Break::External => "Checkout latency above 4 s".to_owned(),
    }
}

fn identity(name: String) -> TargetIdentity {
    TargetIdentity {
        binary: "/usr/sbin/apache2".to_owned(),
        config_path: "/etc/apache2/apache2.conf".to_owned(),
        name,
        listen: vec!["127.0.0.1:8080".to_owned()],
        pid_file: "/run/apache2/apache2.pid".to_owned(),
        access_logs: Vec::new(),
        error_logs: Vec::new(),
        config_files: Vec::new(),
        status_url: None,
        probe_url: "http://127.0.0.1:8080/".to_owned(),
    }
}
