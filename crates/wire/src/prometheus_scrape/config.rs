//! A scrape configuration with every default filled in; it does not know how it was written.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde::de::Deserializer;

use super::labels::LabelSet;
use super::protocol::Protocol;
use super::relabel::Rule;
use super::units::Duration;

/// What a file of Prometheus says, as far as Tocsin does it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PrometheusConfig {
    /// What holds for all jobs.
    pub global: Global,
    /// Patterns of files with rules, as written.
    pub rule_files: Vec<String>,
    /// Patterns of files with further jobs, as written.
    pub job_files: Vec<String>,
    /// The jobs, in the order of the file.
    pub jobs: Vec<Job>,
    /// What stands in the file and is not done.
    pub ignored: Vec<Ignored>,
}

/// A key that stands in the file and is not acted upon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ignored {
    /// From 1.
    pub line: u64,
    /// The key, with where it stands (`scrape_configs: web: consul_sd_configs`).
    pub key: String,
    /// What that means, for a person.
    pub why: &'static str,
}

/// What holds for all jobs unless they say otherwise.
#[derive(Clone, Debug, PartialEq)]
pub struct Global {
    /// How often targets are scraped.
    pub scrape_interval: Duration,
    /// After how long a scrape is given up.
    pub scrape_timeout: Duration,
    /// How often rules are evaluated.
    pub evaluation_interval: Duration,
    /// Labels for systems that are sent alerts or samples; nothing that is stored has them.
    pub external_labels: BTreeMap<String, String>,
    pub(super) limits: Limits,
    pub(super) protocols: Option<Vec<Protocol>>,
    pub(super) native_histograms: bool,
    pub(super) names: Names,
    pub(super) escaping: Option<Escaping>,
    pub(super) extra_metrics: bool,
}

impl Default for Global {
    fn default() -> Self {
        Self {
            scrape_interval: Duration::from_seconds(60),
            scrape_timeout: Duration::from_seconds(10),
            evaluation_interval: Duration::from_seconds(60),
            external_labels: BTreeMap::new(),
            limits: Limits::default(),
            protocols: None,
            native_histograms: false,
            names: Names::Utf8,
            escaping: None,
            extra_metrics: false,
        }
    }
}

/// One scrape configuration: targets of one kind, and how they are scraped.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// Its name, unique; the value of the label `job`.
    pub name: String,
    /// How often targets are scraped.
    pub scrape_interval: Duration,
    /// After how long a scrape is given up.
    pub scrape_timeout: Duration,
    /// Path of the URL.
    pub metrics_path: String,
    /// Parameters of the URL.
    pub params: BTreeMap<String, Vec<String>>,
    /// Scheme of the URL.
    pub scheme: Scheme,
    /// Whether labels of the exporter go before those of the target.
    pub honor_labels: bool,
    /// Whether timestamps of the exporter count.
    pub honor_timestamps: bool,
    /// Whether series with timestamps of the exporter are ended when they are no longer exposed.
    pub track_timestamps_staleness: bool,
    /// Targets that stand in the configuration.
    pub static_groups: Vec<TargetGroup>,
    /// Files with targets.
    pub file_discovery: Vec<FileDiscovery>,
    /// Rules for targets.
    pub relabel: Vec<Rule>,
    /// Rules for samples.
    pub metric_relabel: Vec<Rule>,
    /// How requests are made.
    pub http: HttpClient,
    /// Whether compressed answers are asked for.
    pub compression: bool,
    /// Limits.
    pub limits: Limits,
    /// Formats, the most wanted first.
    pub protocols: Vec<Protocol>,
    /// The format of answers that do not tell theirs.
    pub fallback_protocol: Option<Protocol>,
    /// Which names are valid.
    pub names: Names,
    /// How exporters are asked to write names.
    pub escaping: Escaping,
    /// Whether `scrape_timeout_seconds`, `scrape_sample_limit` and `scrape_body_size_bytes` are stored too.
    pub extra_metrics: bool,
}

/// Targets with labels that they share.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TargetGroup {
    /// Addresses, `host:port`.
    pub targets: Vec<String>,
    /// Labels of all of them.
    pub labels: LabelSet,
}

/// Files that list targets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileDiscovery {
    /// Paths; the last part may be a pattern.
    pub files: Vec<String>,
    /// How often they are read again even when nothing seems to have changed.
    pub refresh_interval: Duration,
}

/// Scheme of a target's URL.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scheme {
    /// Plain.
    #[default]
    Http,
    /// Encrypted.
    Https,
}

impl Scheme {
    /// As it stands in a URL.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

/// Limits of one target's scrape, or of a job; 0 is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the uncompressed answer.
    pub body_bytes: u64,
    /// Samples after relabelling.
    pub samples: u64,
    /// Labels of one series.
    pub labels: u64,
    /// Bytes of a label's name.
    pub label_name_bytes: u64,
    /// Bytes of a label's value.
    pub label_value_bytes: u64,
    /// Targets of the job after relabelling.
    pub targets: u64,
    /// Dropped targets that are remembered.
    pub dropped_targets: u64,
}

/// Which names of metrics and labels are valid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Names {
    /// Any text.
    #[default]
    Utf8,
    /// Letters, digits, underscores, in metrics colons.
    Legacy,
}

/// How an exporter is asked to write names that older parsers do not know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum Escaping {
    /// As they are.
    #[default]
    #[serde(rename = "allow-utf-8")]
    AllowUtf8,
    /// Foreign characters become underscores.
    #[serde(rename = "underscores")]
    Underscores,
    /// Dots become `_dot_`.
    #[serde(rename = "dots")]
    Dots,
    /// Foreign characters become their code.
    #[serde(rename = "values")]
    Values,
}

impl Escaping {
    /// The word of the `Accept` header.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::AllowUtf8 => "allow-utf-8",
            Self::Underscores => "underscores",
            Self::Dots => "dots",
            Self::Values => "values",
        }
    }
}

/// How the requests of a job are made.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HttpClient {
    /// How Tocsin shows who it is.
    pub auth: Auth,
    /// Further headers, by name.
    pub headers: BTreeMap<String, Vec<HeaderSource>>,
    /// How encryption is checked.
    pub tls: TlsClient,
    /// Whether redirects are followed (to the same host only).
    pub follow_redirects: bool,
}

/// How Tocsin shows who it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Auth {
    /// Not at all.
    #[default]
    None,
    /// Name and password.
    Basic {
        /// The name.
        username: SecretSource,
        /// The password.
        password: SecretSource,
    },
    /// Another kind, mostly `Bearer`.
    Credentials {
        /// The word before the credentials.
        kind: String,
        /// The credentials.
        credentials: SecretSource,
    },
}

/// Where a secret comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum SecretSource {
    /// It stands in the configuration.
    Given(Secret),
    /// It is the content of a file, read for every scrape.
    File(String),
}

/// Where a header's value comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum HeaderSource {
    /// It may be seen.
    Plain(String),
    /// It may not.
    Secret(SecretSource),
}

/// How encryption is checked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TlsClient {
    /// Certificates in a file that are trusted instead of the system's.
    pub ca_file: Option<String>,
    /// Certificates (PEM) that are trusted instead of the system's.
    pub ca: Option<String>,
    /// A certificate of Tocsin's own (PEM), and its key.
    pub own: Option<(SecretSource, SecretSource)>,
    /// The name that the certificate must have, where it is not the host's.
    pub server_name: Option<String>,
    /// Whether any certificate is good.
    pub insecure_skip_verify: bool,
}

/// A text that is not printed by accident and is wiped when it is no longer needed.
#[derive(Clone, Debug)]
pub struct Secret(SecretString);

impl Secret {
    /// The text itself.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl PartialEq for Secret {
    /// Both come from the operator's own files: how long the comparison takes tells nobody anything.
    fn eq(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::from)
    }
}
