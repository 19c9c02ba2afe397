//! Everything that people set up, as files say it: by names, without ids, secrets and times. It knows neither how files are
//! written nor where they lie.
//!
//! A name is the key of a thing: of a person the address they sign in with, of a monitor its short name, of planned work what
//! is done. What a document does not name is left as it is, unless it says that it holds all of that kind.

mod apply;
mod describe;
mod document;
mod duty;
mod intake;
mod integration;
mod keys;
mod matcher;
mod paged;
mod part;
mod words;

pub use apply::{Apply, NewPerson, removals};
pub use describe::describe;
pub(crate) use describe::{of_service, of_team, of_window};
pub use document::{
    Document, EscalationPolicy, Heartbeat, InstallationSettings, Layer, Level, MaintenanceWindow,
    Manage, Monitor, OBJECTS_MAX, Recipient, Removable, Repeat, Schedule, Service, Team, User,
};
pub use duty::{DutyChange, duty_changes};
pub use intake::{Action, Condition, FieldName, Grouping, Hours, Operator, Rule, Support, Urgency};
pub use integration::Integration;
pub(crate) use keys::{Keys, Names};
pub use matcher::{Comparison, Matcher};
pub use paged::paging_changes;
pub use part::{Fault, Kind, Part};
pub use words::{HourWindow, Length, Moment, Timeout};
