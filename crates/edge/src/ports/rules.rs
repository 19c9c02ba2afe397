//! The rules that are evaluated (monitors and recording rules, in Prometheus' groups) as its API and its clients see them. It
//! knows no JSON and no evaluation.

use tocsin_domain::signal::Labels;
use tocsin_domain::time::Timestamp;

/// Tells of every rule, as it stands after its last evaluation. Calls may block.
pub trait Rules: Send + Sync + 'static {
    /// All groups, in the order of files and of groups in them.
    fn groups(&self) -> Vec<RuleGroup>;

    /// Why rule files are not used as they stand; none when they are.
    fn trouble(&self) -> Option<String> {
        None
    }

    /// Reads the rule files anew and tells what is evaluated from now on.
    ///
    /// # Errors
    /// What is wrong in them; nothing was changed.
    fn reload(&self) -> Result<String, String> {
        Err("no rule files are given: name them under [prometheus] in tocsin.toml".to_owned())
    }
}

/// No rules: nothing was loaded.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoRules;

impl Rules for NoRules {
    fn groups(&self) -> Vec<RuleGroup> {
        Vec::new()
    }
}

/// Rules that are evaluated together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RuleGroup {
    /// The group's name, unique in its file.
    pub name: String,
    /// The file it was read from, or a word for where it came from.
    pub file: String,
    /// How often it is evaluated, milliseconds.
    pub interval_ms: u64,
    /// Alerts or series that one of its rules may give; 0 is no limit.
    pub limit: u64,
    /// How long the last evaluation of all its rules took, microseconds.
    pub evaluation_us: u64,
    /// When it was evaluated last; none before the first time.
    pub last_evaluation: Option<Timestamp>,
    /// Its rules, in the order of the file.
    pub rules: Vec<Rule>,
}

/// One rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// The alert's name, or the metric that is recorded.
    pub name: String,
    /// The PromQL expression.
    pub query: String,
    /// Labels that it adds.
    pub labels: Labels,
    /// How the last evaluation went.
    pub health: RuleHealth,
    /// Why the last evaluation failed.
    pub last_error: Option<String>,
    /// How long the last evaluation took, microseconds.
    pub evaluation_us: u64,
    /// When it was evaluated last; none before the first time.
    pub last_evaluation: Option<Timestamp>,
    /// What it is for.
    pub kind: RuleKind,
}

/// What a rule is for.
#[derive(Clone, Debug, PartialEq)]
pub enum RuleKind {
    /// It writes a series.
    Recording,
    /// It raises alerts.
    Alerting(AlertingRule),
}

/// What a rule that raises alerts has besides.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AlertingRule {
    /// How long the expression must hold before the alert fires (`for`), milliseconds.
    pub for_ms: u64,
    /// How long the alert goes on firing after the expression stopped holding (`keep_firing_for`), milliseconds.
    pub keep_firing_for_ms: u64,
    /// Its annotations, as written: templates are not filled in.
    pub annotations: Labels,
    /// Its alerts that are pending or firing.
    pub alerts: Vec<RuleAlert>,
}

/// How a rule's last evaluation went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RuleHealth {
    /// It was not evaluated yet.
    #[default]
    Unknown,
    /// It gave an answer.
    Ok,
    /// It failed.
    Err,
}

/// How far an alert is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum AlertState {
    /// The expression does not hold.
    #[default]
    Inactive,
    /// It holds, but not for long enough yet.
    Pending,
    /// It fires.
    Firing,
}

/// One alert of a rule.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleAlert {
    /// Its labels, `alertname` among them.
    pub labels: Labels,
    /// Its annotations, filled in.
    pub annotations: Labels,
    /// How far it is.
    pub state: AlertState,
    /// Since when the expression holds.
    pub active_at: Option<Timestamp>,
    /// Since when it fires only because of `keep_firing_for`.
    pub keep_firing_since: Option<Timestamp>,
    /// The expression's value at the last evaluation.
    pub value: f64,
}
