//! Freezes the evidence of resolved incidents: gathers it from journal and store, writes it once, reads it back checked.

use std::collections::{BTreeMap, VecDeque};
use std::fs::{self, File};
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use sha2::{Digest, Sha256};
use tocsin_domain::command::{Ask, Command};
use tocsin_domain::event::Actor;
use tocsin_domain::id::{IncidentId, TargetId};
use tocsin_domain::incident::Incident;
use tocsin_domain::learn::evidence::{
    BEFORE_ONSET_MS, ERROR_LINES_BEFORE_ONSET_MS, ERROR_LINES_MAX, EVIDENCE_VERSION, Evidence,
    FrozenSeries, Names, REQUESTS_BEFORE_ONSET_MS,
};
use tocsin_domain::learn::requests::RequestLog;
use tocsin_domain::signal::{LogLine, LogRecord};
use tocsin_domain::state::State;
use tocsin_domain::time::Timestamp;
use tocsin_edge::ports::{Bundle, Evidences, StorageError};
use tocsin_engine::{Clock, EngineHandle};
use tocsin_journal::JournalReader;
use tocsin_promql::Matcher;
use tocsin_telemetry::Store;

use crate::store_port::request_log;
use crate::system::{SystemClock, hex};

/// A bundle unpacks to this at most.
const BUNDLE_BYTES_MAX: usize = 1 << 30;
/// How long to wait before evidence that could not be frozen is tried again, at first and at most.
const RETRY_MIN: Duration = Duration::from_secs(5);
const RETRY_MAX: Duration = Duration::from_secs(600);
/// Changes that others told of, of one incident at most.
const CHANGES_MAX: usize = 30;
/// Events of one incident that are read at once.
const EVENTS_PAGE: usize = 1_000;

/// Reads and writes bundles.
pub(crate) struct Archive {
    pub(crate) folder: PathBuf,
    pub(crate) engine: EngineHandle,
    pub(crate) reader: JournalReader,
    pub(crate) store: Arc<Store>,
    pub(crate) host_name: String,
}

impl Archive {
    fn path(&self, incident: IncidentId, sha256: &str) -> PathBuf {
        self.folder.join(format!(
            "{incident}-{}.json.zst",
            &sha256[..16.min(sha256.len())]
        ))
    }

    /// All that the report of this incident may speak of, as it is now.
    fn gather(&self, incident: IncidentId) -> anyhow::Result<Option<Evidence>> {
        let Some(mut evidence) = self
            .engine
            .read(|state| skeleton(state, incident, &self.host_name))
        else {
            return Ok(None);
        };
        let mut after = 0;
        loop {
            let page = self
                .reader
                .events_of_incident(incident, after, EVENTS_PAGE)?;
            let Some(last) = page.last() else { break };
            after = last.position;
            evidence.events.extend(page);
        }
        self.add_changes(&mut evidence)?;
        let (from, until) = evidence.window;
        if let Some(target) = evidence.incident.target {
            evidence.series = self.series(target, from, until)?;
            evidence.facts = self.store.facts(target, from, until)?;
            let onset = began(&evidence.incident);
            let requests_from = onset.minus_ms(REQUESTS_BEFORE_ONSET_MS).max(from);
            evidence.requests = request_log(&self.store, target, requests_from, until)?;
            evidence.error_lines = self.error_lines(target, onset, until)?;
        }
        Ok(Some(evidence))
    }

    /// Adds what was told of changes of the service shortly before.
    fn add_changes(&self, evidence: &mut Evidence) -> anyhow::Result<()> {
        let (service, began) = (evidence.incident.service, began(&evidence.incident));
        let told: Vec<u64> = self.engine.read(|state| {
            let told = state.changes.before(service, began);
            let newest = told.iter().take(CHANGES_MAX);
            newest.map(|(position, _)| *position).collect()
        });
        for position in told {
            evidence.events.extend(self.reader.event(position)?);
        }
        evidence.events.sort_by_key(|event| event.position);
        Ok(())
    }

    fn series(
        &self,
        target: TargetId,
        from: Timestamp,
        until: Timestamp,
    ) -> anyhow::Result<Vec<FrozenSeries>> {
        let of_target = [Matcher::equal("target", target.as_str())];
        let series = self.store.samples(&of_target, from, until)?.into_iter();
        let frozen = series.map(|(labels, points)| FrozenSeries {
            labels,
            samples: points
                .into_iter()
                .map(|(at_ms, value)| (at_ms, value.to_bits()))
                .collect(),
        });
        Ok(frozen.collect())
    }

    /// The last lines of the error log before the onset and the first ones from it on.
    fn error_lines(
        &self,
        target: TargetId,
        onset: Timestamp,
        until: Timestamp,
    ) -> anyhow::Result<Vec<LogRecord>> {
        let from = onset.minus_ms(ERROR_LINES_BEFORE_ONSET_MS);
        let (mut before, mut after) = (VecDeque::new(), Vec::new());
        self.store.each_log(target, from, until, &mut |record| {
            let is_error = matches!(record.line, LogLine::Error { .. });
            if is_error && record.at < onset {
                if before.len() == ERROR_LINES_MAX {
                    before.pop_front();
                }
                before.push_back(record);
            } else if is_error {
                after.push(record);
            }
            after.len() < ERROR_LINES_MAX
        })?;
        before.extend(after);
        Ok(before.into())
    }

    /// Gathers, writes and journals the evidence of a resolved incident, unless that was done already.
    fn freeze(&self, incident: IncidentId) -> anyhow::Result<()> {
        let is_wanted = |state: &State| {
            let known = state.incidents.get(&incident);
            known.is_some_and(|one| !one.is_open() && one.evidence.is_none())
        };
        if !self.engine.read(is_wanted) {
            return Ok(());
        }
        let Some(evidence) = self.gather(incident)? else {
            return Ok(());
        };
        let bytes = serde_json::to_vec(&evidence)?;
        let sha256 = hex(&Sha256::digest(&bytes));
        let packed = zstd::bulk::compress(&bytes, 3)?;
        let path = self.path(incident, &sha256);
        write_durably(&self.folder, &path, &packed)
            .with_context(|| format!("writing {}", path.display()))?;
        let ask = Ask::EvidenceFrozen {
            incident,
            sha256,
            bytes: bytes.len() as u64,
        };
        self.engine.ask_and_wait(Command {
            actor: Actor::System,
            ask,
        })?;
        Ok(())
    }

    fn read(&self, incident: IncidentId, sha256: &str) -> anyhow::Result<Bundle> {
        let path = self.path(incident, sha256);
        let packed = fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
        let bytes = zstd::bulk::decompress(&packed, BUNDLE_BYTES_MAX)?;
        if hex(&Sha256::digest(&bytes)) != sha256 {
            bail!(
                "{} is not what was frozen: its SHA-256 differs from the journalled one; restore it from a backup",
                path.display()
            );
        }
        Ok(Bundle {
            bytes,
            sha256: sha256.to_owned(),
        })
    }
}

fn write_durably(folder: &Path, path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    fs::create_dir_all(folder)?;
    let partial = path.with_extension("partial");
    let mut file = File::create(&partial)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&partial, path)?;
    File::open(folder)?.sync_all()
}

/// When the failure began at the earliest.
fn began(incident: &Incident) -> Timestamp {
    incident.onset.as_ref().map_or(incident.opened_at, |onset| {
        onset.at.minus_ms(onset.uncertainty_ms)
    })
}

fn skeleton(state: &State, incident: IncidentId, host_name: &str) -> Option<Evidence> {
    let incident = state.incidents.get(&incident)?.clone();
    let began = began(&incident);
    let until = incident.resolved_at.unwrap_or_else(|| SystemClock.now());
    let alerts: Vec<_> = incident
        .alerts
        .iter()
        .filter_map(|id| state.alerts.get(id))
        .cloned()
        .collect();
    let monitors = match incident.target {
        Some(_) => state
            .monitors
            .values()
            .filter(|monitor| monitor.enabled)
            .cloned()
            .collect(),
        None => Vec::new(),
    };
    let about = |purpose: tocsin_domain::page::Purpose| purpose.incident() == Some(incident.id);
    Some(Evidence {
        version: EVIDENCE_VERSION,
        tocsin_version: env!("CARGO_PKG_VERSION").to_owned(),
        alerts,
        notifications: state
            .notifications
            .values()
            .filter(|message| about(message.purpose))
            .cloned()
            .collect(),
        events: Vec::new(),
        monitors,
        names: Names {
            tocsin_host: host_name.to_owned(),
            services: state
                .services
                .values()
                .map(|service| (service.id, service.name.clone()))
                .collect(),
            users: state
                .users
                .values()
                .map(|user| (user.id, user.name.clone()))
                .collect(),
            policies: state
                .policies
                .values()
                .map(|policy| (policy.id, policy.name.clone()))
                .collect(),
            schedules: state
                .schedules
                .values()
                .map(|one| (one.id, one.name.clone()))
                .collect(),
        },
        target: incident
            .target
            .and_then(|id| state.targets.get(&id))
            .map(|target| target.identity.clone()),
        window: (began.minus_ms(BEFORE_ONSET_MS), until),
        series: Vec::new(),
        facts: Vec::new(),
        requests: RequestLog::default(),
        error_lines: Vec::new(),
        incident,
    })
}

fn storage(error: &anyhow::Error) -> StorageError {
    StorageError {
        why: format!("{error:#}"),
        disk_full: false,
    }
}

impl Evidences for Archive {
    fn frozen(&self, incident: IncidentId) -> Result<Option<Bundle>, StorageError> {
        let sha256 = self
            .engine
            .read(|state| state.incidents.get(&incident)?.evidence.clone());
        sha256
            .map(|sha256| self.read(incident, &sha256))
            .transpose()
            .map_err(|error| storage(&error))
    }

    fn draft(&self, incident: IncidentId) -> Result<Option<Evidence>, StorageError> {
        self.gather(incident).map_err(|error| storage(&error))
    }
}

/// Where the engine's effects put incidents whose evidence is to be frozen.
pub(crate) type ToFreeze = Sender<IncidentId>;

/// The queue between the engine and the thread that freezes.
pub(crate) fn queue() -> (ToFreeze, Receiver<IncidentId>) {
    channel()
}

/// Starts the thread that freezes; it ends when every [`ToFreeze`] is gone. What could not be frozen is tried again, ever more
/// slowly, for as long as Tocsin runs, and by the next start.
pub(crate) fn start(
    archive: Arc<Archive>,
    incidents: Receiver<IncidentId>,
) -> std::io::Result<JoinHandle<()>> {
    std::thread::Builder::new()
        .name("evidence".to_owned())
        .spawn(move || {
            let mut retries = Retries::default();
            loop {
                let incident = match retries.due(Instant::now()) {
                    Ok(incident) => incident,
                    Err(wait) => match incidents.recv_timeout(wait) {
                        Ok(incident) => incident,
                        Err(RecvTimeoutError::Timeout) => continue,
                        Err(RecvTimeoutError::Disconnected) => return,
                    },
                };
                match freeze_or_why(&archive, incident) {
                    Ok(()) => retries.succeeded(incident),
                    Err(why) => {
                        if retries.failed(incident, &why, Instant::now()) {
                            tracing::error!(%incident, why, "the evidence could not be frozen; it is tried again");
                        }
                    }
                }
            }
        })
}

fn freeze_or_why(archive: &Archive, incident: IncidentId) -> Result<(), String> {
    // One incident that cannot be frozen must not keep the others from it; the panic itself is logged where it happened.
    let frozen = catch_unwind(AssertUnwindSafe(|| archive.freeze(incident)));
    match frozen {
        Ok(frozen) => frozen.map_err(|error| format!("{error:#}")),
        Err(_) => Err("a fault of Tocsin itself".to_owned()),
    }
}

/// Incidents whose evidence could not be frozen, and when each is tried again.
#[derive(Default)]
struct Retries(BTreeMap<IncidentId, Retry>);

struct Retry {
    at: Instant,
    wait: Duration,
    why: String,
}

impl Retries {
    /// An incident that is due, else how long to wait for one.
    fn due(&self, now: Instant) -> Result<IncidentId, Duration> {
        let next = self.0.iter().min_by_key(|(_, retry)| retry.at);
        match next {
            Some((incident, retry)) if retry.at <= now => Ok(*incident),
            Some((_, retry)) => Err(retry.at - now),
            None => Err(RETRY_MAX),
        }
    }

    /// One more failure; says whether it is news.
    fn failed(&mut self, incident: IncidentId, why: &str, now: Instant) -> bool {
        let before = self.0.remove(&incident);
        let wait = before
            .as_ref()
            .map_or(RETRY_MIN, |retry| (retry.wait * 2).min(RETRY_MAX));
        let is_news = before.is_none_or(|retry| retry.why != why);
        let retry = Retry {
            at: now + wait,
            wait,
            why: why.to_owned(),
        };
        self.0.insert(incident, retry);
        is_news
    }

    fn succeeded(&mut self, incident: IncidentId) {
        self.0.remove(&incident);
    }
}

/// Telemetry that must be kept: that of open incidents, and of resolved ones until it is frozen.
pub(crate) fn pins(state: &State, now: Timestamp) -> Vec<tocsin_telemetry::Pin> {
    let unfrozen = state
        .incidents
        .values()
        .filter(|incident| incident.is_open() || incident.evidence.is_none());
    unfrozen
        .filter_map(|incident| {
            let began = incident
                .onset
                .as_ref()
                .map_or(incident.opened_at, |onset| onset.at);
            Some(tocsin_telemetry::Pin {
                target: incident.target?,
                from: began.minus_ms(BEFORE_ONSET_MS),
                to: now,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_not_be_frozen_is_tried_again_ever_more_slowly() {
        let [one, other] = [1, 2].map(|_| IncidentId::random(&mut crate::system::OsEntropy));
        let start = Instant::now();
        let mut retries = Retries::default();
        assert_eq!(retries.due(start), Err(RETRY_MAX));
        assert!(retries.failed(one, "full", start));
        assert_eq!(retries.due(start), Err(RETRY_MIN));
        assert_eq!(retries.due(start + RETRY_MIN), Ok(one));
        assert!(!retries.failed(one, "full", start), "no news");
        assert_eq!(retries.due(start), Err(2 * RETRY_MIN));
        assert!(retries.failed(other, "full", start));
        assert_eq!(retries.due(start + RETRY_MIN), Ok(other));
        retries.succeeded(other);
        for _ in 0..20 {
            retries.failed(one, "full", start);
        }
        assert_eq!(retries.due(start), Err(RETRY_MAX));
        retries.succeeded(one);
        assert_eq!(retries.due(start), Err(RETRY_MAX));
    }
}
