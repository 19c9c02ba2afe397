//! The names by which an alert keeps, among its details, what the form of its sender has beside what fails. A further field that is
//! called like one of them is kept behind [`FURTHER`], so that either can be told from the other, and found by a rule.

/// What fails, within what it runs on.
pub const COMPONENT: &str = "Component";
/// To what it belongs.
pub const GROUP: &str = "Group";
/// What kind of failure it is.
pub const CLASS: &str = "Class";
/// The program that saw it.
pub const CLIENT: &str = "Client";
/// Where that program is.
pub const CLIENT_ADDRESS: &str = "Client address";
/// The fields of PagerDuty's events, each there once at most.
pub const EVENT: [&str; 5] = [COMPONENT, GROUP, CLASS, CLIENT, CLIENT_ADDRESS];
/// What else is said: by PagerDuty's events what was dropped of them, by Opsgenie's requests a word of their sender.
pub const NOTE: &str = "Note";
/// What it is about.
pub const ENTITY: &str = "Entity";
/// How urgent its sender finds it.
pub const PRIORITY: &str = "Priority";
/// Where it comes from.
pub const SOURCE: &str = "Source";
/// Words to find it by, with commas between them.
pub const TAGS: &str = "Tags";
/// Who sent it.
pub const USER: &str = "User";
/// Who is to take it, with commas between them.
pub const RESPONDERS: &str = "Responders";
/// What can be done about it, with commas between.
pub const ACTIONS: &str = "Actions";
/// The fields of Opsgenie's requests, each there once at most. The mapping of such requests names them so.
pub const REQUEST: [&str; 8] = [
    ENTITY, PRIORITY, SOURCE, TAGS, RESPONDERS, ACTIONS, USER, NOTE,
];
/// What the name of a link begins with; its words follow.
pub const LINK: &str = "Link";
/// What the name of an image begins with; its words follow.
pub const IMAGE: &str = "Image";
/// What goes before the name of a further field that is called like any of these.
pub const FURTHER: &str = "details.";

/// Whether something of a form is kept by this name.
pub(super) fn keeps(name: &str) -> bool {
    EVENT.contains(&name)
        || REQUEST.contains(&name)
        || [LINK, IMAGE].iter().any(|list| name.starts_with(list))
}
