//! Alertmanager's answers, as its clients demand them: which fields there are, and how an instant is written. What stands in them is
//! decided elsewhere.

use std::collections::BTreeMap;

use serde::Serialize;
use tocsin_domain::intake::LabelMatcher;
use tocsin_domain::time::Timestamp;

/// Names and values.
pub type Labels = BTreeMap<String, String>;

/// JSON of an answer, with the line's end that Go's encoder writes.
#[must_use]
pub fn json<T: Serialize + ?Sized>(answer: &T) -> String {
    // Nothing in these answers can fail to be written.
    let mut text = serde_json::to_string(answer).unwrap_or_default();
    text.push('\n');
    text
}

/// An instant in UTC with milliseconds.
fn instant<S: serde::Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(at)
}

/// Where an alert stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum AlertState {
    /// Nothing holds it back.
    Active,
    /// Nobody is paged for it.
    Suppressed,
}

/// Where an alert stands, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AlertStatus {
    /// In a word.
    pub state: AlertState,
    /// The ids of the silences that cover it.
    pub silenced_by: Vec<String>,
    /// Fingerprints of alerts that make it needless; Tocsin has no such thing.
    pub inhibited_by: Vec<String>,
    /// What else holds it back, by name.
    pub muted_by: Vec<String>,
}

/// Where alerts go.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Receiver {
    /// Its name.
    pub name: String,
}

/// An alert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AlertShown {
    /// Its annotations.
    pub annotations: Labels,
    /// When it is over unless it is said again.
    #[serde(serialize_with = "instant")]
    pub ends_at: Timestamp,
    /// What it is known by.
    pub fingerprint: String,
    /// Where it goes.
    pub receivers: Vec<Receiver>,
    /// Since when it fires.
    #[serde(serialize_with = "instant")]
    pub starts_at: Timestamp,
    /// Where it stands.
    pub status: AlertStatus,
    /// When it was said last.
    #[serde(serialize_with = "instant")]
    pub updated_at: Timestamp,
    /// Where its sender tells more.
    #[serde(rename = "generatorURL", skip_serializing_if = "Option::is_none")]
    pub generator_url: Option<String>,
    /// Its labels.
    pub labels: Labels,
}

/// Alerts that are told together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GroupShown {
    /// Which.
    pub alerts: Vec<AlertShown>,
    /// What they have in common.
    pub labels: Labels,
    /// Where they go.
    pub receiver: Receiver,
}

/// Where a silence stands. The order is that of its list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SilenceState {
    /// It lasts.
    Active,
    /// It has not begun.
    Pending,
    /// It is over.
    Expired,
}

/// The same as an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct SilenceStatus {
    /// In a word.
    pub state: SilenceState,
}

/// A condition of a silence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MatcherShown {
    is_equal: bool,
    is_regex: bool,
    name: String,
    value: String,
}

impl From<&LabelMatcher> for MatcherShown {
    fn from(matcher: &LabelMatcher) -> Self {
        Self {
            is_equal: matcher.test.is_equal(),
            is_regex: matcher.test.is_regex(),
            name: matcher.name.clone(),
            value: matcher.value.clone(),
        }
    }
}

/// A silence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SilenceShown {
    /// Its UUID.
    pub id: String,
    /// Where it stands.
    pub status: SilenceStatus,
    /// When it was last changed.
    #[serde(serialize_with = "instant")]
    pub updated_at: Timestamp,
    /// What for.
    pub comment: String,
    /// Whoever made it.
    pub created_by: String,
    /// When it is over.
    #[serde(serialize_with = "instant")]
    pub ends_at: Timestamp,
    /// Which alerts it covers.
    pub matchers: Vec<MatcherShown>,
    /// From when.
    #[serde(serialize_with = "instant")]
    pub starts_at: Timestamp,
}

impl SilenceShown {
    /// Puts silences in the order of Alertmanager's list: what lasts, the first to end first; what waits, the first to begin first;
    /// what is over, the last that was first.
    pub fn sort(silences: &mut [Self]) {
        silences.sort_by(|one, other| {
            let state = one.status.state;
            let within = match state {
                SilenceState::Active => one.ends_at.cmp(&other.ends_at),
                SilenceState::Pending => one.starts_at.cmp(&other.starts_at),
                SilenceState::Expired => other.ends_at.cmp(&one.ends_at),
            };
            let states = state.cmp(&other.status.state);
            states.then(within).then_with(|| one.id.cmp(&other.id))
        });
    }
}

/// Another server of a cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PeerShown {
    /// Its address.
    pub address: String,
    /// Its name.
    pub name: String,
}

/// What is known of a cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Cluster {
    /// The others.
    pub peers: Vec<PeerShown>,
    /// `disabled` where there is none.
    pub status: &'static str,
}

/// The configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Config {
    /// As YAML.
    pub original: String,
}

/// Whom the caller speaks to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct VersionInfo {
    /// Empty.
    pub branch: String,
    /// Empty.
    pub build_date: String,
    /// Empty.
    pub build_user: String,
    /// Empty.
    pub go_version: String,
    /// The real name and version.
    pub revision: String,
    /// The version of Alertmanager that is spoken.
    pub version: String,
}

/// The answer to `GET /api/v2/status`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StatusShown {
    /// The cluster.
    pub cluster: Cluster,
    /// The configuration.
    pub config: Config,
    /// Since when the server runs.
    #[serde(serialize_with = "instant")]
    pub uptime: Timestamp,
    /// Whom the caller speaks to.
    pub version_info: VersionInfo,
}
