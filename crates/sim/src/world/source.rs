//! What fails and says so: monitors of watched servers, foreign senders, the native API, rules. Each says how it is until the
//! engine has taken it.

use tocsin_domain::alert::EvidenceSample;
use tocsin_domain::command::{AlertAsk, Ask, RuleFired};
use tocsin_domain::id::{IntegrationId, ServiceId};
use tocsin_domain::monitor::Severity;
use tocsin_domain::time::Timestamp;

use super::agenda::Happening;
use super::{HOUR, Heard, MINUTE, SECOND, Ticket, World};
use crate::tally::Fault;

/// Something that can fail.
#[derive(Clone, Debug)]
pub(super) struct Source {
    pub(super) kind: SourceKind,
    /// How bad it is; `None`: it is well.
    truth: Option<Severity>,
    /// What the engine was told for certain; `None`: a command got no answer, and may have been kept.
    told: Option<Option<Severity>>,
    is_asking: bool,
    /// Its failures so far.
    failures: u64,
    /// It fails once only.
    is_single: bool,
    /// What its sender says besides.
    fields: Vec<(String, String)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum SourceKind {
    Monitor {
        host: String,
        slug: &'static str,
    },
    Sender {
        service: Option<ServiceId>,
        integration: Option<IntegrationId>,
        key: String,
    },
    Rule {
        rule: &'static str,
        instance: &'static str,
        /// The watched server that it is about.
        host: Option<&'static str>,
    },
}

/// Stock monitors that sources play.
const SLUGS: [&str; 4] = [
    "apache-down",
    "apache-orphaned",
    "apache-5xx",
    "apache-config-broken",
];

/// How often a source fails, on average, but for what comes back soon.
const FAILS_EVERY: i64 = 28 * HOUR;

/// What fails, and where, in the fields of alerts from outside.
pub(super) const COMPONENTS: [&str; 3] = ["disk", "net", "app"];
pub(super) const REGIONS: [&str; 2] = ["eu", "us"];

/// Rules of rule files; each fires for several instances.
pub(super) const RULES: [&str; 2] = ["HighLatency", "QueueGrows"];

/// Hosts that are watched.
pub(super) const HOSTS: [&str; 2] = ["web-1", "web-2"];

impl Source {
    fn new(kind: SourceKind) -> Self {
        Self {
            kind,
            truth: None,
            told: Some(None),
            is_asking: false,
            failures: 0,
            is_single: false,
            fields: Vec::new(),
        }
    }
}

impl World {
    /// The things that fail now and then, all through.
    pub(super) fn make_sources(&mut self) {
        for host in HOSTS {
            for slug in SLUGS {
                self.sources.push(Source::new(SourceKind::Monitor {
                    host: host.to_owned(),
                    slug,
                }));
            }
        }
        for rule in RULES {
            for (instance, host) in [("a", None), ("b", None), ("c", Some(HOSTS[0]))] {
                self.sources.push(Source::new(SourceKind::Rule {
                    rule,
                    instance,
                    host,
                }));
            }
        }
        let integrations: Vec<_> = self.ledger.integrations.clone().into_iter().collect();
        let services: Vec<ServiceId> = self.ledger.services.keys().copied().collect();
        for number in 0..6 {
            let by_integration = self.random.chance(500);
            let named = integrations.get(self.random.index(integrations.len()));
            let (service, integration) = match named.filter(|_| by_integration) {
                Some((integration, service)) => (Some(*service), Some(*integration)),
                None => (self.random.pick(&services).copied(), None),
            };
            self.sources.push(Source::new(SourceKind::Sender {
                service,
                integration,
                key: format!("check-{number}"),
            }));
        }
        for source in 0..self.sources.len() {
            self.some_time_after(FAILS_EVERY, Happening::Fails(source));
        }
    }

    /// A sender that fails once, now, and says of where as much as rules may ask for, or nothing.
    pub(super) fn fail_once(
        &mut self,
        service: Option<ServiceId>,
        key: String,
        severity: Severity,
        fields: Vec<(String, String)>,
    ) {
        let kind = SourceKind::Sender {
            service,
            integration: None,
            key,
        };
        let source = Source {
            truth: Some(severity),
            failures: 1,
            is_single: true,
            fields,
            ..Source::new(kind)
        };
        self.sources.push(source);
        self.sync(self.sources.len() - 1);
    }

    /// Where something fails, as its sender says.
    pub(super) fn some_fields(&mut self) -> Vec<(String, String)> {
        let component = self.random.one_of(COMPONENTS);
        let region = self.random.one_of(REGIONS);
        let named = [("component", component), ("region", region)];
        let text = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        named.into_iter().map(text).collect()
    }

    pub(super) fn source_fails(&mut self, index: usize) {
        let gets_worse = self.random.chance(500);
        let fields = self.some_fields();
        let severity = self.random.one_of([
            Severity::Critical,
            Severity::Critical,
            Severity::Error,
            Severity::Warning,
            Severity::Info,
        ]);
        let Some(source) = self.sources.get_mut(index).filter(|_| self.is_rough) else {
            return;
        };
        source.failures += 1;
        source.truth = Some(severity);
        source.fields = fields;
        self.sync(index);
        // Some get worse, some are said again and again, and some come back soon.
        if gets_worse {
            self.some_time_after(3 * MINUTE, Happening::Worsens(index));
        }
        if self.random.chance(300) {
            self.some_time_after(4 * MINUTE, Happening::Repeats(index));
        }
        let lasts = match self.random.below(10) {
            0..4 => 40 * SECOND,
            4..8 => 12 * MINUTE,
            _ => 50 * MINUTE,
        };
        self.some_time_after(lasts, Happening::Recovers(index));
    }

    pub(super) fn source_repeats(&mut self, index: usize) {
        let source = self.sources.get(index).filter(|one| one.truth.is_some());
        if source.is_none() || !self.is_rough {
            return;
        }
        if self.random.chance(100) {
            // It fails elsewhere by now.
            self.sources[index].fields = self.some_fields();
        }
        self.say_again(index, Fault::AlertRepeated);
        if self.random.chance(600) {
            self.some_time_after(4 * MINUTE, Happening::Repeats(index));
        }
    }

    pub(super) fn source_worsens(&mut self, index: usize) {
        let Some(source) = self.sources.get_mut(index).filter(|_| self.is_rough) else {
            return;
        };
        let is_worse = source.truth.is_some_and(|truth| truth < Severity::Critical);
        if is_worse && matches!(source.kind, SourceKind::Sender { .. }) {
            source.truth = Some(Severity::Critical);
            self.say_again(index, Fault::AlertWorsens);
        }
    }

    pub(super) fn source_recovers(&mut self, index: usize) {
        let Some(source) = self.sources.get_mut(index).filter(|_| self.is_rough) else {
            return;
        };
        source.truth = None;
        let is_single = source.is_single;
        self.sync(index);
        if is_single {
            return;
        }
        if self.random.chance(280) {
            self.tally.note(Fault::Relapse);
            let soon = self.random.one_of([8 * SECOND, 30 * SECOND, 4 * MINUTE]);
            self.some_time_after(soon, Happening::Fails(index));
        } else {
            self.some_time_after(FAILS_EVERY, Happening::Fails(index));
        }
    }

    /// All is well everywhere.
    pub(super) fn all_recover(&mut self) {
        for index in 0..self.sources.len() {
            self.sources[index].truth = None;
            self.sync(index);
        }
    }

    /// Whoever judged these is asked anew: what fails is said again.
    pub(super) fn forget_told(&mut self, slug: Option<&str>, at_host: Option<&str>) {
        for index in 0..self.sources.len() {
            let Some(source) = self.sources.get_mut(index) else {
                continue;
            };
            let is_meant = match &source.kind {
                SourceKind::Monitor { host, slug: own } => {
                    slug.is_none_or(|slug| slug == *own) && at_host.is_none_or(|one| one == host)
                }
                SourceKind::Sender { .. } | SourceKind::Rule { .. } => false,
            };
            if is_meant && !source.is_asking {
                source.told = Some(None);
                self.sync(index);
            }
        }
    }

    /// Tells the engine how the source is, if it does not know.
    pub(super) fn sync(&mut self, index: usize) {
        let Some(source) = self.sources.get(index) else {
            return;
        };
        if !source.is_asking && source.told != Some(source.truth) {
            self.tell(index, None);
        }
    }

    fn say_again(&mut self, index: usize, fault: Fault) {
        let Some(source) = self.sources.get(index) else {
            return;
        };
        if !source.is_asking && matches!(source.kind, SourceKind::Sender { .. }) {
            self.tell(index, Some(fault));
        }
    }

    fn tell(&mut self, index: usize, fault: Option<Fault>) {
        self.find_service(index);
        let Some(source) = self.sources.get(index).cloned() else {
            return;
        };
        let ask = match &source.kind {
            SourceKind::Monitor { host, slug } => self.ask_of_monitor(host, slug, source.truth),
            SourceKind::Sender {
                service,
                integration,
                key,
            } => {
                // Some checks use a key of their own for each failure, some one key for ever.
                let key = if key.ends_with(['0', '1', '2']) {
                    key.clone()
                } else {
                    format!("{key}/{}", source.failures)
                };
                let said = (source.truth, source.fields.clone());
                self.ask_of_sender((*service, *integration), key, said)
            }
            SourceKind::Rule {
                rule,
                instance,
                host,
            } => Some(self.ask_of_rule(rule, instance, *host, source.truth)),
        };
        let said = source.truth;
        let Some(ask) = ask else {
            // Whoever would say so is not there.
            self.sources[index].told = Some(said);
            return;
        };
        self.sources[index].is_asking = true;
        let ticket = Ticket::Source {
            source: index,
            said,
            fault,
        };
        self.ask(Ask::Alert(ask), ticket);
    }

    fn ask_of_monitor(
        &mut self,
        host: &str,
        slug: &str,
        truth: Option<Severity>,
    ) -> Option<AlertAsk> {
        let (target, _) = self
            .ledger
            .targets
            .iter()
            .find(|(_, one)| one.host == host)?;
        let (monitor, known) = self
            .ledger
            .monitors
            .iter()
            .find(|(_, one)| one.slug == slug)?;
        let (target, monitor, holds) = (*target, *monitor, known.holds.len());
        let at = self.wall();
        let evidence = vec![sample(at)];
        Some(if truth.is_some() {
            let holds: Vec<usize> = (0..holds).filter(|_| self.random.chance(250)).collect();
            self.ledger.note_answers((monitor, target), at, &holds);
            AlertAsk::MonitorFired {
                monitor,
                target,
                at,
                wording: String::new(),
                evidence,
                onset: None,
                holds,
            }
        } else {
            AlertAsk::MonitorRecovered {
                monitor,
                target,
                at,
                evidence,
            }
        })
    }

    fn ask_of_sender(
        &mut self,
        (service, integration): (Option<ServiceId>, Option<IntegrationId>),
        key: String,
        (truth, details): (Option<Severity>, Vec<(String, String)>),
    ) -> Option<AlertAsk> {
        let default = self.ledger.services.keys().next().copied();
        let named = service.or(default)?;
        Some(match truth {
            Some(severity) => AlertAsk::Trigger {
                service,
                integration,
                title: format!("{key} fails ({})", severity.word()),
                dedup_key: Some(key),
                severity,
                summary: String::new(),
                details,
                sent_details: None,
                at: None,
            },
            None => AlertAsk::ResolveByKey {
                service: named,
                integration,
                dedup_key: key,
            },
        })
    }

    fn ask_of_rule(
        &mut self,
        rule: &str,
        instance: &str,
        host: Option<&str>,
        truth: Option<Severity>,
    ) -> AlertAsk {
        let at = self.wall();
        let mut targets = self.ledger.targets.iter();
        let target = targets.find(|(_, one)| Some(one.host.as_str()) == host);
        let target = target.map(|(target, _)| *target);
        match truth {
            Some(severity) => {
                let labels = [
                    ("alertname", rule),
                    ("severity", severity.word()),
                    ("instance", instance),
                    ("component", self.random.one_of(COMPONENTS)),
                ];
                let text = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
                AlertAsk::RuleFired(Box::new(RuleFired {
                    group: "web".to_owned(),
                    rule: rule.to_owned(),
                    service: None,
                    target,
                    dedup_key: format!("rule/{rule}/{instance}"),
                    severity,
                    title: format!("{rule} fires"),
                    summary: String::new(),
                    details: labels.into_iter().map(text).collect(),
                    at,
                    evidence: vec![sample(at)],
                }))
            }
            None => AlertAsk::RuleResolved {
                dedup_key: format!("rule/{rule}/{instance}"),
                at,
                evidence: vec![sample(at)],
                gone: false,
            },
        }
    }

    pub(super) fn source_heard(
        &mut self,
        index: usize,
        said: Option<Severity>,
        fault: Option<Fault>,
        heard: &Heard,
    ) {
        let Some(source) = self.sources.get_mut(index) else {
            return;
        };
        source.is_asking = false;
        match heard {
            Heard::Done(_) | Heard::Refused => {
                source.told = Some(said);
                if let Some(fault) = fault {
                    self.tally.note(fault);
                }
                self.sync(index);
            }
            Heard::Lost => {
                source.told = None;
                let wait = if self.now_us < self.suspended_until_us {
                    10 * MINUTE
                } else if self.engine.is_none() {
                    MINUTE
                } else {
                    6 * SECOND
                };
                self.some_time_after(wait, Happening::Syncs(index));
            }
        }
    }
}

fn sample(at: Timestamp) -> EvidenceSample {
    EvidenceSample {
        series: "up".to_owned(),
        at,
        value: 0.0,
    }
}
