//! From the text of a configuration file to one with every default filled in; what contradicts itself is refused with its line.

use serde_saphyr::{Location, Spanned};

use super::config::{
    Escaping, FileDiscovery, Global, Ignored, Job, Limits, Names, PrometheusConfig, TargetGroup,
};
use super::document::{
    FileDiscoveryText, FileText, GlobalText, GroupText, JobFileText, JobText, Mark, NATIVE,
};
use super::file_sd::{FileFormat, check_static, group_of};
use super::http::http_of;
use super::protocol::{self, Protocol};
use super::relabel::{Rule, RuleText};
use super::units::Duration;
use super::unknown;

/// How often files of targets are read again unless they say otherwise.
const FILE_REFRESH: Duration = Duration::from_seconds(5 * 60);

/// What is wrong with a configuration file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {what}")]
pub struct Fault {
    /// From 1.
    pub line: u64,
    /// In characters, from 1.
    pub column: u64,
    /// What is wrong, what was expected.
    pub what: String,
}

impl Fault {
    pub(super) fn at(place: Location, what: impl Into<String>) -> Self {
        Self {
            line: place.line(),
            column: place.column(),
            what: what.into(),
        }
    }

    fn of_yaml(error: &serde_saphyr::Error) -> Self {
        let place = error.location();
        let (line, column) = place.map_or((1, 1), |place| (place.line(), place.column()));
        let words = error.without_snippet().to_string();
        let suffix = format!(" at line {line}, column {column}");
        Self {
            line,
            column,
            what: unknown::told(words.strip_suffix(&suffix).unwrap_or(&words)),
        }
    }
}

/// Reads a configuration file of Prometheus.
///
/// # Errors
/// The first thing that is wrong, and where.
pub fn read_config(text: &str) -> Result<PrometheusConfig, Fault> {
    let file: Option<FileText> =
        serde_saphyr::from_str(text).map_err(|error| Fault::of_yaml(&error))?;
    let file = file.unwrap_or_default();
    let mut ignored = Vec::new();
    for (key, mark, why) in file.ignored() {
        note(&mut ignored, "", key, mark, why);
    }
    let global = global_of(file.global.unwrap_or_default(), &mut ignored)?;
    let jobs = jobs_of(file.scrape_configs, &global, &mut ignored)?;
    ignored.sort_by_key(|one| one.line);
    Ok(PrometheusConfig {
        global,
        rule_files: patterns(file.rule_files)?,
        job_files: patterns(file.scrape_config_files)?,
        jobs,
        ignored,
    })
}

/// Reads a file that `scrape_config_files` names.
///
/// # Errors
/// The first thing that is wrong, and where.
pub fn read_job_file(text: &str, global: &Global) -> Result<(Vec<Job>, Vec<Ignored>), Fault> {
    let file: Option<JobFileText> =
        serde_saphyr::from_str(text).map_err(|error| Fault::of_yaml(&error))?;
    let mut ignored = Vec::new();
    let jobs = jobs_of(
        file.unwrap_or_default().scrape_configs,
        global,
        &mut ignored,
    )?;
    Ok((jobs, ignored))
}

/// Refuses two jobs of one name, from whatever files they come.
///
/// # Errors
/// The name that is there twice.
pub fn check_job_names(jobs: &[Job]) -> Result<(), String> {
    let mut names: Vec<&str> = jobs.iter().map(|job| job.name.as_str()).collect();
    names.sort_unstable();
    let twice = names.windows(2).find(|pair| pair[0] == pair[1]);
    twice.map_or(Ok(()), |pair| Err(pair[0].to_owned()))
}

pub(super) fn note(
    ignored: &mut Vec<Ignored>,
    owner: &str,
    key: &str,
    mark: &Mark,
    why: &'static str,
) {
    if let Some(mark) = mark {
        ignored.push(Ignored {
            line: mark.referenced.line(),
            key: format!("{owner}{key}"),
            why,
        });
    }
}

/// Notes a switch that is on and does nothing; off is what happens anyway.
fn note_if_on(ignored: &mut Vec<Ignored>, owner: &str, key: &str, switch: Option<&Spanned<bool>>) {
    if let Some(switch) = switch.filter(|switch| switch.value) {
        ignored.push(Ignored {
            line: switch.referenced.line(),
            key: format!("{owner}{key}"),
            why: NATIVE,
        });
    }
}

/// Patterns of files: a star may stand in the last part only.
fn patterns(given: Option<Vec<Spanned<String>>>) -> Result<Vec<String>, Fault> {
    let given = given.unwrap_or_default().into_iter();
    given
        .map(|one| check_pattern(one.value).map_err(|what| Fault::at(one.referenced, what)))
        .collect()
}

fn check_pattern(pattern: String) -> Result<String, String> {
    let folder = pattern.rsplit_once('/').map_or("", |(folder, _)| folder);
    if pattern.is_empty() || folder.contains('*') {
        return Err(format!(
            "{pattern:?} is no pattern of files; a * may stand in the last part of a path only"
        ));
    }
    Ok(pattern)
}

fn global_of(text: GlobalText, ignored: &mut Vec<Ignored>) -> Result<Global, Fault> {
    note_global(&text, ignored);
    let default = Global::default();
    let positive = |given: Option<Duration>| given.filter(|duration| duration.ms > 0);
    let scrape_interval = positive(text.scrape_interval).unwrap_or(default.scrape_interval);
    let scrape_timeout = timeout_of(
        text.scrape_timeout,
        scrape_interval,
        default.scrape_timeout,
        "",
    )?;
    let native = text.scrape_native_histograms.is_some_and(|one| one.value);
    Ok(Global {
        scrape_interval,
        scrape_timeout,
        evaluation_interval: positive(text.evaluation_interval)
            .unwrap_or(default.evaluation_interval),
        external_labels: text
            .external_labels
            .map(|labels| labels.value)
            .unwrap_or_default(),
        limits: Limits {
            body_bytes: text.body_size_limit.unwrap_or_default().0,
            samples: text.sample_limit.unwrap_or_default(),
            labels: text.label_limit.unwrap_or_default(),
            label_name_bytes: text.label_name_length_limit.unwrap_or_default(),
            label_value_bytes: text.label_value_length_limit.unwrap_or_default(),
            targets: text.target_limit.unwrap_or_default(),
            dropped_targets: text.keep_dropped_targets.unwrap_or_default(),
        },
        protocols: text.scrape_protocols.map(check_protocols).transpose()?,
        native_histograms: native,
        names: text.metric_name_validation_scheme.unwrap_or_default(),
        escaping: text.metric_name_escaping_scheme,
        extra_metrics: text.extra_scrape_metrics.unwrap_or_default(),
    })
}

fn note_global(text: &GlobalText, ignored: &mut Vec<Ignored>) {
    let owner = "global: ";
    let switches = [
        ("scrape_native_histograms", &text.scrape_native_histograms),
        (
            "always_scrape_classic_histograms",
            &text.always_scrape_classic_histograms,
        ),
        (
            "convert_classic_histograms_to_nhcb",
            &text.convert_classic_histograms_to_nhcb,
        ),
    ];
    for (key, switch) in switches {
        note_if_on(ignored, owner, key, switch.as_ref());
    }
    let shown = "failures are shown with the target";
    for (key, mark, why) in [
        (
            "rule_query_offset",
            &text.rule_query_offset,
            "rules ask at the time they are evaluated",
        ),
        (
            "query_log_file",
            &text.query_log_file,
            "queries are not logged",
        ),
        (
            "scrape_failure_log_file",
            &text.scrape_failure_log_file,
            shown,
        ),
    ] {
        note(ignored, owner, key, mark, why);
    }
    if let Some(labels) = text
        .external_labels
        .as_ref()
        .filter(|labels| !labels.value.is_empty())
    {
        ignored.push(Ignored {
            line: labels.referenced.line(),
            key: format!("{owner}external_labels"),
            why: "they mark what is sent to other systems, and nothing is",
        });
    }
}

/// A timeout that was given may not be longer than the interval; one that was not is cut to it.
fn timeout_of(
    given: Option<Spanned<Duration>>,
    interval: Duration,
    default: Duration,
    owner: &str,
) -> Result<Duration, Fault> {
    match given.filter(|given| given.value.ms > 0) {
        None => Ok(default.min(interval)),
        Some(given) if given.value <= interval => Ok(given.value),
        Some(given) => Err(Fault::at(
            given.referenced,
            format!(
                "{owner}scrape_timeout {} is longer than scrape_interval {interval}",
                given.value
            ),
        )),
    }
}

fn check_protocols(given: Spanned<Vec<Protocol>>) -> Result<Vec<Protocol>, Fault> {
    let all = given.value;
    let twice = (1..all.len()).any(|at| all[..at].contains(&all[at]));
    if all.is_empty() || twice {
        let what = "scrape_protocols wants at least one format, and none twice";
        return Err(Fault::at(given.referenced, what));
    }
    Ok(all)
}

fn jobs_of(
    given: Option<Vec<Spanned<JobText>>>,
    global: &Global,
    ignored: &mut Vec<Ignored>,
) -> Result<Vec<Job>, Fault> {
    let mut jobs: Vec<Job> = Vec::new();
    for text in given.unwrap_or_default() {
        let place = text.referenced;
        let job = job_of(text.value, place, global, ignored)?;
        if jobs.iter().any(|other| other.name == job.name) {
            let what = format!("there are two jobs of the name {:?}", job.name);
            return Err(Fault::at(place, what));
        }
        jobs.push(job);
    }
    Ok(jobs)
}

fn job_of(
    mut text: JobText,
    place: Location,
    global: &Global,
    ignored: &mut Vec<Ignored>,
) -> Result<Job, Fault> {
    if text.job_name.is_empty() {
        return Err(Fault::at(place, "job_name is empty"));
    }
    let owner = format!("scrape_configs: {}: ", text.job_name);
    note_job(&text, &owner, ignored);
    let http = http_of(&mut text, place, &owner, ignored)?;
    let positive = |given: Option<Duration>| given.filter(|duration| duration.ms > 0);
    let scrape_interval = positive(text.scrape_interval).unwrap_or(global.scrape_interval);
    let scrape_timeout = timeout_of(
        text.scrape_timeout,
        scrape_interval,
        global.scrape_timeout,
        &owner,
    )?;
    let names = text.metric_name_validation_scheme.unwrap_or(global.names);
    let escaping = escaping_of(
        text.metric_name_escaping_scheme.as_ref(),
        text.metric_name_validation_scheme,
        global,
    )?;
    let native = text
        .scrape_native_histograms
        .map_or(global.native_histograms, |one| one.value);
    let given = text.scrape_protocols.map(check_protocols).transpose()?;
    let protocols = given.or_else(|| global.protocols.clone());
    let relabel = rules_of(text.relabel_configs, names)?;
    let inherit = |own: Option<u64>, global: u64| own.filter(|own| *own > 0).unwrap_or(global);
    let limits = Limits {
        body_bytes: inherit(
            text.body_size_limit.map(|size| size.0),
            global.limits.body_bytes,
        ),
        samples: inherit(text.sample_limit, global.limits.samples),
        labels: inherit(text.label_limit, global.limits.labels),
        label_name_bytes: inherit(text.label_name_length_limit, global.limits.label_name_bytes),
        label_value_bytes: inherit(
            text.label_value_length_limit,
            global.limits.label_value_bytes,
        ),
        targets: inherit(text.target_limit, global.limits.targets),
        dropped_targets: inherit(text.keep_dropped_targets, global.limits.dropped_targets),
    };
    Ok(Job {
        name: text.job_name,
        scrape_interval,
        scrape_timeout,
        metrics_path: text.metrics_path.unwrap_or_else(|| "/metrics".to_owned()),
        params: text.params.unwrap_or_default(),
        scheme: text.scheme.unwrap_or_default(),
        honor_labels: text.honor_labels.unwrap_or_default(),
        honor_timestamps: text.honor_timestamps.unwrap_or(true),
        track_timestamps_staleness: text.track_timestamps_staleness.unwrap_or_default(),
        static_groups: groups_of(text.static_configs, relabel.is_empty())?,
        file_discovery: discovery_of(text.file_sd_configs)?,
        relabel,
        metric_relabel: rules_of(text.metric_relabel_configs, names)?,
        http,
        compression: text.enable_compression.unwrap_or(true),
        limits,
        protocols: protocols.unwrap_or_else(|| {
            let first = native.then_some(Protocol::Protobuf);
            first.into_iter().chain(protocol::DEFAULT).collect()
        }),
        fallback_protocol: text.fallback_scrape_protocol,
        names,
        escaping,
        extra_metrics: text.extra_scrape_metrics.unwrap_or(global.extra_metrics),
    })
}

fn note_job(text: &JobText, owner: &str, ignored: &mut Vec<Ignored>) {
    for (key, mark, why) in text.ignored() {
        note(ignored, owner, key, mark, why);
    }
    for (key, switch) in [
        ("scrape_native_histograms", &text.scrape_native_histograms),
        (
            "always_scrape_classic_histograms",
            &text.always_scrape_classic_histograms,
        ),
        (
            "convert_classic_histograms_to_nhcb",
            &text.convert_classic_histograms_to_nhcb,
        ),
    ] {
        note_if_on(ignored, owner, key, switch.as_ref());
    }
}

/// How exporters are asked to write names: as configured, else by which names are valid.
fn escaping_of(
    own: Option<&Spanned<Escaping>>,
    own_names: Option<Names>,
    global: &Global,
) -> Result<Escaping, Fault> {
    let by_names = |names: Names| match names {
        Names::Utf8 => Escaping::AllowUtf8,
        Names::Legacy => Escaping::Underscores,
    };
    let names = own_names.unwrap_or(global.names);
    let escaping = match (own, own_names) {
        (Some(own), _) => own.value,
        (None, Some(names)) => by_names(names),
        (None, None) => global.escaping.unwrap_or_else(|| by_names(names)),
    };
    match own {
        Some(own) if escaping == Escaping::AllowUtf8 && names == Names::Legacy => Err(Fault::at(
            own.referenced,
            "allow-utf-8 does not go with metric_name_validation_scheme: legacy",
        )),
        Some(_) | None => Ok(escaping),
    }
}

fn rules_of(given: Option<Vec<Spanned<RuleText>>>, names: Names) -> Result<Vec<Rule>, Fault> {
    let given = given.unwrap_or_default().into_iter();
    given
        .map(|text| {
            let place = text.referenced;
            Rule::new(text.value, names == Names::Legacy)
                .map_err(|bad| Fault::at(place, bad.to_string()))
        })
        .collect()
}

fn groups_of(
    given: Option<Vec<Spanned<GroupText>>>,
    checked: bool,
) -> Result<Vec<TargetGroup>, Fault> {
    let given = given.unwrap_or_default().into_iter();
    given
        .map(|text| {
            let place = text.referenced;
            let group = group_of(text.value);
            if checked {
                check_static(&group).map_err(|what| Fault::at(place, what))?;
            }
            Ok(group)
        })
        .collect()
}

fn discovery_of(
    given: Option<Vec<Spanned<FileDiscoveryText>>>,
) -> Result<Vec<FileDiscovery>, Fault> {
    let given = given.unwrap_or_default().into_iter();
    given
        .map(|text| {
            let place = text.referenced;
            if text.value.files.is_empty() {
                return Err(Fault::at(place, "file_sd_configs wants at least one file"));
            }
            for file in &text.value.files {
                check_pattern(file.clone()).map_err(|what| Fault::at(place, what))?;
                if FileFormat::of_name(file).is_none() {
                    let what = format!("{file:?} ends in none of .json, .yml and .yaml");
                    return Err(Fault::at(place, what));
                }
            }
            Ok(FileDiscovery {
                files: text.value.files,
                refresh_interval: text.value.refresh_interval.unwrap_or(FILE_REFRESH),
            })
        })
        .collect()
}
