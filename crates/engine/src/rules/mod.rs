//! Rules of rule files: when each is evaluated, what its answer changes, which series it writes and which alerts begin and end.
//! It reads no clock and no file; the thread that drives it lives elsewhere.

mod alerting;
mod depend;
mod evaluate;
mod evidence;
mod group;
mod known;
mod recording;
mod reload;
mod restore;
mod schedule;
mod spec;
mod step;
mod view;

pub use known::{Known, known_of};
pub use reload::Reading;
pub use spec::{AlertSpec, AskInside, GroupSpec, Kind, NoData, RuleSpec, Subject, Template, Text};
pub use step::{Outcome, Produced, Rules, Told};
pub use view::{AlertView, GroupView, Health, KindView, RuleView, State};

/// The metric that tells which alerts are pending or firing.
pub const ALERTS: &str = "ALERTS";
/// The metric that tells since when an alert's expression holds, in seconds since the epoch.
pub const ALERTS_FOR_STATE: &str = "ALERTS_FOR_STATE";
/// The label with an alert's name.
pub const ALERT_NAME: &str = "alertname";
/// The label of [`ALERTS`] that tells how far the alert is.
pub const ALERT_STATE: &str = "alertstate";
