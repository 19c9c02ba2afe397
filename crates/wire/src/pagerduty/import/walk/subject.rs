//! What is read of an account: where each thing stands, and what is told of one that the account does not give. It sends nothing.

use super::{Account, NOT_FOUND};

/// What an account answers that has nothing of a kind.
const HAS_NONE: &[u16] = &[402, 404];
/// What an account answers that does not tell who takes turns: one without that feature, or a key that may not see it.
const TELLS_NO_TURNS: &[u16] = &[400, 402, 403];
/// What an account answers that does not give what is only read to tell that it stays behind.
const WITHHELD: &[u16] = &[402, 403, 404];

/// What is read, in the order in which it is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    Users,
    Teams,
    Schedules,
    Policies,
    Services,
    Windows,
    Priorities,
    Orchestrations,
    Rulesets,
    Webhooks,
    Extensions,
    BusinessServices,
    Tags,
    /// Who belongs to the team of that place.
    Members(usize),
    /// The schedule of that place, with its layers.
    Layers(usize),
    /// The event orchestration of that place, with its keys.
    Orchestration(usize),
    /// Its rules that send alerts to services.
    Router(usize),
    /// Its rules about everything that comes in.
    Global(usize),
    /// Its rules about what the router sends nowhere.
    Unrouted(usize),
    /// The orchestration of the service of that place.
    ServiceRules(usize),
}

/// What is asked for first.
pub(super) const LISTS: [Subject; 13] = [
    Subject::Users,
    Subject::Teams,
    Subject::Schedules,
    Subject::Policies,
    Subject::Services,
    Subject::Windows,
    Subject::Priorities,
    Subject::Orchestrations,
    Subject::Rulesets,
    Subject::Webhooks,
    Subject::Extensions,
    Subject::BusinessServices,
    Subject::Tags,
];

impl Subject {
    /// What has to be asked of the event orchestration of that place.
    pub(super) const fn of_orchestration(place: usize) -> [Self; 4] {
        [
            Self::Orchestration(place),
            Self::Router(place),
            Self::Global(place),
            Self::Unrouted(place),
        ]
    }

    /// The key of its list, or of its object.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Users => "users",
            Self::Teams => "teams",
            Self::Schedules => "schedules",
            Self::Policies => "escalation_policies",
            Self::Services => "services",
            Self::Windows => "maintenance_windows",
            Self::Priorities => "priorities",
            Self::Orchestrations => "orchestrations",
            Self::Rulesets => "rulesets",
            Self::Webhooks => "webhook_subscriptions",
            Self::Extensions => "extensions",
            Self::BusinessServices => "business_services",
            Self::Tags => "tags",
            Self::Members(_) => "members",
            Self::Layers(_) => "schedule",
            Self::Orchestration(_) => "orchestration",
            Self::Router(_) | Self::Global(_) | Self::Unrouted(_) | Self::ServiceRules(_) => {
                "orchestration_path"
            }
        }
    }

    /// Whether it is a list, which comes page by page.
    pub(super) const fn is_list(self) -> bool {
        match self {
            Self::Layers(_)
            | Self::Orchestration(_)
            | Self::Router(_)
            | Self::Global(_)
            | Self::Unrouted(_)
            | Self::ServiceRules(_) => false,
            Self::Users
            | Self::Teams
            | Self::Schedules
            | Self::Policies
            | Self::Services
            | Self::Windows
            | Self::Priorities
            | Self::Orchestrations
            | Self::Rulesets
            | Self::Webhooks
            | Self::Extensions
            | Self::BusinessServices
            | Self::Tags
            | Self::Members(_) => true,
        }
    }

    /// The steps of its path.
    pub(super) fn path(self, account: &Account) -> Option<Vec<&str>> {
        const ORCHESTRATIONS: &str = "event_orchestrations";
        let orchestration = |place: usize| account.orchestrations.get(place)?.id.as_deref();
        Some(match self {
            Self::Members(place) => {
                let id = account.teams.get(place)?.id.as_deref()?;
                vec!["teams", id, "members"]
            }
            Self::Layers(place) => {
                let id = account.schedules.get(place)?.id.as_deref()?;
                vec!["schedules", id]
            }
            Self::Orchestrations => vec![ORCHESTRATIONS],
            Self::Orchestration(place) => vec![ORCHESTRATIONS, orchestration(place)?],
            Self::Router(place) => vec![ORCHESTRATIONS, orchestration(place)?, "router"],
            Self::Global(place) => vec![ORCHESTRATIONS, orchestration(place)?, "global"],
            Self::Unrouted(place) => vec![ORCHESTRATIONS, orchestration(place)?, "unrouted"],
            Self::ServiceRules(place) => {
                let id = account.services.get(place)?.id.as_deref()?;
                vec![ORCHESTRATIONS, "services", id]
            }
            Self::Users
            | Self::Teams
            | Self::Schedules
            | Self::Policies
            | Self::Services
            | Self::Windows
            | Self::Priorities
            | Self::Rulesets
            | Self::Webhooks
            | Self::Extensions
            | Self::BusinessServices
            | Self::Tags => vec![self.word()],
        })
    }

    /// The answers that say no more than that the account does not give it.
    pub(super) const fn lacking(self, asks_turns: bool) -> &'static [u16] {
        match self {
            Self::Priorities | Self::Members(_) | Self::Layers(_) => HAS_NONE,
            Self::Policies if asks_turns => TELLS_NO_TURNS,
            Self::Orchestrations
            | Self::Rulesets
            | Self::Webhooks
            | Self::Extensions
            | Self::BusinessServices
            | Self::Tags
            | Self::Orchestration(_)
            | Self::Router(_)
            | Self::Global(_)
            | Self::Unrouted(_)
            | Self::ServiceRules(_) => WITHHELD,
            Self::Users
            | Self::Teams
            | Self::Schedules
            | Self::Policies
            | Self::Services
            | Self::Windows => &[],
        }
    }

    /// What is told when the account answers that it does not give it; nothing where there need be none.
    pub(super) fn lack(self, account: &Account, status: u16) -> Option<String> {
        let why = withheld(status);
        let part = |place: usize, part: &str| {
            let known = account.orchestrations.get(place);
            let name = known.and_then(|one| one.name.as_deref());
            let name = name.unwrap_or_default();
            format!("event orchestration {name:?}: {part} could not be read: {why}")
        };
        match self {
            Self::Priorities => Some("priorities: the account has none".to_owned()),
            Self::Members(place) => {
                let name = account.teams.get(place).and_then(|one| one.name.as_deref());
                let name = name.unwrap_or_default();
                Some(format!("team {name:?}: who belongs to it is not told"))
            }
            Self::Layers(place) => {
                let known = account.schedules.get(place);
                let name = known.and_then(|one| one.name.as_deref());
                let name = name.unwrap_or_default();
                Some(format!("schedule {name:?}: its layers are not told"))
            }
            Self::Orchestrations => Some(format!("event orchestrations: could not be read: {why}")),
            Self::Rulesets => Some(format!("rulesets: could not be read: {why}")),
            Self::Webhooks => Some(format!("webhook subscriptions: could not be read: {why}")),
            Self::Extensions => Some(format!("extensions: could not be read: {why}")),
            Self::BusinessServices => Some(format!("business services: could not be read: {why}")),
            Self::Tags => Some(format!("tags: could not be read: {why}")),
            Self::Orchestration(place) => Some(part(place, "its keys")),
            Self::Router(place) => Some(part(place, "its router")),
            Self::Global(place) if status != NOT_FOUND => Some(part(place, "its global rules")),
            Self::Unrouted(place) if status != NOT_FOUND => {
                Some(part(place, "its rules about what is sent nowhere"))
            }
            Self::ServiceRules(_) if status != NOT_FOUND => Some(format!(
                "services: the orchestrations of single ones could not be read: {why}"
            )),
            Self::Global(_)
            | Self::Unrouted(_)
            | Self::ServiceRules(_)
            | Self::Users
            | Self::Teams
            | Self::Schedules
            | Self::Policies
            | Self::Services
            | Self::Windows => None,
        }
    }
}

fn withheld(status: u16) -> String {
    let why = match status {
        403 => "this key may not see it",
        NOT_FOUND => "there is no such thing",
        _ => "the account does not give it",
    };
    format!("{why} ({status})")
}
