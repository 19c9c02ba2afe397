//! What becomes of an alert before it pages: rules, urgency, grouping, maintenance, and jobs that must call in. All of it is
//! read from the state; nothing here does it.

pub mod form;
mod glob;
mod group;
mod heartbeat;
mod judge;
mod label;
mod rule;
mod settings;
mod silence;
mod window;

pub use group::Newcomer;
pub use heartbeat::{
    CALLS_APART_MS, EVERY_MS_MAX, EVERY_MS_MIN, GRACE_MS_MAX, GRACE_MS_MIN, HEARTBEATS_MAX,
    Heartbeat, Pulse,
};
pub use judge::{Incoming, Judged, RuleHit, Ruling};
pub use label::{LabelMatcher, LabelTest, MATCHER_BYTES_MAX};
pub use rule::{Action, Condition, Field, RULES_MAX, Rule, Test, place_in};
pub use settings::{
    ALERTS_PER_INCIDENT_MAX, GROUP_DESCRIPTION_CHARS_MAX, GROUP_FIELDS_MAX, GROUP_MS_MAX,
    GROUP_NAME_CHARS_MAX, GroupBy, GroupingLabel, INCIDENTS_PER_GROUP_MAX, Intake, Loudness,
    RESOLVE_AFTER_MS_MAX, RESOLVE_AFTER_MS_MIN, SupportHours, UrgencyBy,
};
pub use silence::{
    ANNOTATION, Features, Label, MATCHERS_MAX, MatchedLabels, SERVICE_LABEL, SILENCE_KEPT_MS,
    Silence, TARGET_LABEL,
};
pub use window::{WINDOW_SUBJECTS_MAX, WINDOWS_MAX, When, Window};
