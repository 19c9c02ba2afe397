//! The form of a document: what of each thing stands in files, and what it means when it is left out.

use serde::{Deserialize, Serialize};

use super::intake::{Grouping, Rule, Urgency};
use super::integration::Integration;
use super::matcher::Matcher;
use super::part::Kind;
use super::words::{HourWindow, Length, Moment, Timeout};
use crate::monitor::Severity;
use crate::oncall::{CivilTime, RepeatUnit, TurnUnit};
use crate::people::Role;

/// Things of a document at most.
pub const OBJECTS_MAX: usize = 5_000;

/// Everything that files say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Document {
    /// What the files hold wholly.
    #[serde(skip_serializing_if = "Manage::is_empty")]
    pub manage: Manage,
    /// Settings of the installation.
    #[serde(skip_serializing_if = "InstallationSettings::is_empty")]
    pub installation: InstallationSettings,
    /// People.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub users: Vec<User>,
    /// Teams.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub teams: Vec<Team>,
    /// Schedules.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub schedules: Vec<Schedule>,
    /// Escalation policies.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub escalation_policies: Vec<EscalationPolicy>,
    /// Services.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<Service>,
    /// Rules that are looked at before those of a service, in this order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alert_rules: Option<Vec<Rule>>,
    /// Heartbeats.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub heartbeats: Vec<Heartbeat>,
    /// Monitors.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub monitors: Vec<Monitor>,
    /// Planned work.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub maintenance_windows: Vec<MaintenanceWindow>,
}

/// What the files hold wholly.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Manage {
    /// Kinds of which whatever is not in the files is removed.
    pub remove: Vec<Removable>,
}

impl Manage {
    /// Whether nothing is held wholly.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.remove.is_empty()
    }

    /// Whether what is not in the files is removed.
    #[must_use]
    pub fn removes(&self, kind: Kind) -> bool {
        self.remove.iter().any(|one| one.kind() == kind)
    }
}

/// Kinds that can be removed by files; monitors are never.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Removable {
    /// People, with their addresses, sessions and tokens.
    Users,
    /// Teams.
    Teams,
    /// Schedules.
    Schedules,
    /// Escalation policies.
    EscalationPolicies,
    /// Services on which nothing fails and which nothing else names, with their integrations.
    Services,
    /// Integrations of the services that the files name; their keys are dead.
    Integrations,
    /// The rules of the installation.
    AlertRules,
    /// Heartbeats.
    Heartbeats,
    /// Planned work.
    MaintenanceWindows,
}

impl Removable {
    /// The kind that it names.
    #[must_use]
    pub const fn kind(self) -> Kind {
        match self {
            Self::Users => Kind::Users,
            Self::Teams => Kind::Teams,
            Self::Schedules => Kind::Schedules,
            Self::EscalationPolicies => Kind::EscalationPolicies,
            Self::Services => Kind::Services,
            Self::Integrations => Kind::Integrations,
            Self::AlertRules => Kind::AlertRules,
            Self::Heartbeats => Kind::Heartbeats,
            Self::MaintenanceWindows => Kind::MaintenanceWindows,
        }
    }
}

/// Settings of the installation; what is left out stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct InstallationSettings {
    /// Who is paged when a policy is exhausted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fallback: Option<Vec<String>>,
    /// The names of priorities, the most important first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priorities: Option<Vec<String>>,
}

impl InstallationSettings {
    /// Whether it says nothing.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.fallback.is_none() && self.priorities.is_none()
    }
}

/// A person. How they are reached is theirs to say, and secret: it stands in no file. Nor does what clients say of them beside
/// their name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// The address they sign in with, in small letters.
    pub email: String,
    /// Their name. When none, who is known keeps theirs, and who comes is called as their address begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What they may do. When none, who is known keeps what they may, and who comes is a responder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
}

impl User {
    /// Whether it says nothing of somebody that is not so.
    pub(crate) fn is_true_of(&self, known: &Self) -> bool {
        let Self { email, name, role } = self;
        *email == known.email
            && (name.is_none() || *name == known.name)
            && (role.is_none() || *role == known.role)
    }

    /// What they are called when they come.
    pub(crate) fn name_of_newcomer(&self) -> String {
        let before = self.email.split('@').next().unwrap_or_default();
        self.name.clone().unwrap_or_else(|| before.to_owned())
    }

    /// What they may do when they come.
    pub(crate) fn role_of_newcomer(&self) -> Role {
        self.role.unwrap_or(Role::Responder)
    }
}

/// A team.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Team {
    /// Its name.
    pub name: String,
    /// What it is.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Addresses of people.
    #[serde(default)]
    pub members: Vec<String>,
}

/// A schedule. What is changed of it by hand (overrides, swaps, temporary shifts) stays out of files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// Its name.
    pub name: String,
    /// What it is for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// The name of the team that it belongs to; to none when it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// An IANA zone.
    pub time_zone: String,
    /// Rotations; a later one takes the place of an earlier one wherever it has somebody.
    #[serde(default)]
    pub layers: Vec<Layer>,
}

/// A rotation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Layer {
    /// What it is called, where somebody called it something.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Nobody is on call by it before.
    pub start: Moment,
    /// Nobody is on call by it from here on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Moment>,
    /// A zone of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// A civil time at which the first member takes over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hand_off: Option<CivilTime>,
    /// Length of a turn, in `unit`.
    pub every: u32,
    /// Its unit.
    pub unit: TurnUnit,
    /// Addresses of people, in order.
    #[serde(default)]
    pub members: Vec<String>,
    /// When it has somebody at all; always when there is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub restrictions: Vec<HourWindow>,
}

/// An escalation policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EscalationPolicy {
    /// Its name.
    pub name: String,
    /// What it is for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// The name of the team that it belongs to, and its services with it; to none when it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// How often the levels are walked through again.
    #[serde(default)]
    pub repeat: u32,
    /// How long an acknowledgement holds; for ever when none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledgement_timeout: Option<Length>,
    /// Its levels.
    pub levels: Vec<Level>,
}

/// One step of a policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Level {
    /// How long it has for an acknowledgement.
    pub delay: Length,
    /// Who is paged.
    pub targets: Vec<Recipient>,
    /// Only one of the targets each time an incident reaches the level, in turn.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub round_robin: bool,
    /// Whoever is paged must acknowledge in person.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub each_must_acknowledge: bool,
}

/// Who is paged: `{ schedule = "Primary" }`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recipient {
    /// A person, by address.
    User(String),
    /// Whoever this schedule says.
    Schedule(String),
    /// All of this team.
    Team(String),
}

/// A service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// Its name.
    pub name: String,
    /// What it is.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// The name of its escalation policy; that of the installation when none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escalation_policy: Option<String>,
    /// How long an acknowledgement of its incidents holds; as its policy says when none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledgement_timeout: Option<Timeout>,
    /// How urgent an alert is.
    #[serde(default, skip_serializing_if = "Urgency::is_usual")]
    pub urgency: Urgency,
    /// Which alerts make one incident.
    #[serde(default, skip_serializing_if = "Grouping::is_usual")]
    pub grouping: Grouping,
    /// After so long without news, an alert from outside is taken to be over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolve_after: Option<Length>,
    /// By which foreign systems raise alerts on it. A key is made when one is added, and shown once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub integrations: Vec<Integration>,
    /// Its rules, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<Rule>,
}

/// A job that must call in. Its address is made when it is added, and shown once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Heartbeat {
    /// Its name.
    pub name: String,
    /// The service that fails when it does not call.
    pub service: String,
    /// How long after a call the next one is expected.
    pub every: Length,
    /// How late it may be.
    pub grace: Length,
    /// How bad it is when it does not call.
    #[serde(default = "usual_severity")]
    pub severity: Severity,
}

/// What a job is that does not call, unless its file says otherwise; the API has the same.
const fn usual_severity() -> Severity {
    Severity::Error
}

/// A monitor, which comes with Tocsin: whether it is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Monitor {
    /// Its short name.
    pub slug: String,
    /// Whether it is asked at all.
    pub enabled: bool,
}

/// Planned work. It has `from` and `until`, or `repeat`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MaintenanceWindow {
    /// What is done.
    pub reason: String,
    /// Names of services.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<String>,
    /// Names of watched servers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<String>,
    /// Alerts that are covered besides, by their labels: each of these must hold for one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub matchers: Vec<Matcher>,
    /// When it begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Moment>,
    /// When it is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Moment>,
    /// When it comes again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeat: Option<Repeat>,
}

/// Work that comes again at the same civil time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Repeat {
    /// An IANA zone.
    pub time_zone: String,
    /// When the first one begins.
    pub first: CivilTime,
    /// How long each lasts, in whole minutes.
    pub lasts: Length,
    /// In `unit`.
    pub every: u16,
    /// Its unit.
    pub unit: RepeatUnit,
    /// None begins from this instant on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Moment>,
}

impl Document {
    /// How many things it names.
    #[must_use]
    pub fn len(&self) -> usize {
        let integrations: usize = self.services.iter().map(|one| one.integrations.len()).sum();
        self.users.len()
            + self.teams.len()
            + self.schedules.len()
            + self.escalation_policies.len()
            + self.services.len()
            + integrations
            + self.alert_rules.as_ref().map_or(0, Vec::len)
            + self.heartbeats.len()
            + self.monitors.len()
            + self.maintenance_windows.len()
    }

    /// Whether it names nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The keys of all it names of a kind, in its order.
    #[must_use]
    pub fn names(&self, kind: Kind) -> Vec<String> {
        match kind {
            Kind::Users => cloned(&self.users, |one| &one.email),
            Kind::Teams => cloned(&self.teams, |one| &one.name),
            Kind::Schedules => cloned(&self.schedules, |one| &one.name),
            Kind::EscalationPolicies => cloned(&self.escalation_policies, |one| &one.name),
            Kind::Services => cloned(&self.services, |one| &one.name),
            Kind::Integrations => {
                let services = self.services.iter();
                let names = services.flat_map(|service| {
                    let own = service.integrations.iter();
                    own.map(|one| super::Part::integration(&service.name, &one.name).name)
                });
                names.collect()
            }
            Kind::Heartbeats => cloned(&self.heartbeats, |one| &one.name),
            Kind::Monitors => cloned(&self.monitors, |one| &one.slug),
            Kind::MaintenanceWindows => cloned(&self.maintenance_windows, |one| &one.reason),
            Kind::Installation | Kind::AlertRules => Vec::new(),
        }
    }

    /// The same with everything in the form that the state tells it in: addresses in small letters, things by their keys.
    #[must_use]
    pub fn tidied(mut self) -> Self {
        let small = |text: &mut String| *text = text.to_lowercase();
        self.users.iter_mut().for_each(|one| small(&mut one.email));
        let teams = self.teams.iter_mut().flat_map(|one| &mut one.members);
        teams.for_each(small);
        let layers = self.schedules.iter_mut().flat_map(|one| &mut one.layers);
        layers.flat_map(|one| &mut one.members).for_each(small);
        let levels = self
            .escalation_policies
            .iter_mut()
            .flat_map(|one| &mut one.levels);
        for target in levels.flat_map(|level| &mut level.targets) {
            if let Recipient::User(address) = target {
                small(address);
            }
        }
        let fallback = self.installation.fallback.iter_mut().flatten();
        fallback.for_each(small);
        for service in &mut self.services {
            service.integrations.sort();
        }
        for window in &mut self.maintenance_windows {
            for subjects in [&mut window.services, &mut window.targets] {
                subjects.sort();
                subjects.dedup();
            }
            window.matchers.sort();
        }
        self.users.sort_by(|one, other| one.email.cmp(&other.email));
        self.teams.sort_by(|one, other| one.name.cmp(&other.name));
        self.schedules
            .sort_by(|one, other| one.name.cmp(&other.name));
        self.escalation_policies
            .sort_by(|one, other| one.name.cmp(&other.name));
        self.services
            .sort_by(|one, other| one.name.cmp(&other.name));
        self.heartbeats
            .sort_by(|one, other| one.name.cmp(&other.name));
        self.monitors
            .sort_by(|one, other| one.slug.cmp(&other.slug));
        self.maintenance_windows
            .sort_by(|one, other| one.reason.cmp(&other.reason));
        self
    }
}

fn cloned<T>(all: &[T], key: impl Fn(&T) -> &String) -> Vec<String> {
    all.iter().map(|one| key(one).clone()).collect()
}
