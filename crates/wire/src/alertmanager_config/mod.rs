//! A configuration of Alertmanager (YAML) as a document of ours, with a word on whatever has no counterpart. Nothing is asked
//! of a server, and no key in it is carried over.

mod address;
mod hours;
mod matcher;
mod raw;
mod receiver;
mod refusal;
mod remarks;

use std::collections::BTreeMap;

use tocsin_domain::code::{
    Action, Condition, Document, FieldName, Grouping, HourWindow, Hours, Rule, User,
};
use tocsin_domain::intake::{Field, GROUP_FIELDS_MAX, RULES_MAX};

use self::raw::{Config, Route};
use self::receiver::{People, Reach, meet};
use self::remarks::{About, Remarks};
use crate::plain::tidy;

/// Bytes of a configuration at most.
pub const CONFIG_BYTES_MAX: usize = 1024 * 1024;
/// How deep routes may stand in each other.
const DEPTH_MAX: usize = 20;
/// Characters of the name of a receiver at most: 200 are taken by the core, and those of its rules are longer.
const NAME_CHARS_MAX: usize = 180;
/// Conditions of one rule at most, as the core has it.
const CONDITIONS_MAX: usize = 50;

/// What became of a configuration.
#[derive(Clone, Debug, Default)]
pub struct Imported {
    /// Services, policies and rules, in the tidy form.
    pub document: Document,
    /// What could not be carried over, and what to do about it.
    pub remarks: Vec<String>,
}

/// Translates a configuration.
///
/// # Errors
/// It cannot be read, or Alertmanager itself would refuse it; why, with the line where it is known.
pub fn import(text: &str) -> Result<Imported, String> {
    if text.len() > CONFIG_BYTES_MAX {
        return Err(format!("larger than {CONFIG_BYTES_MAX} bytes"));
    }
    let config = raw::read(text)?;
    let root = refusal::first_route(&config)?;
    let mut import = Import {
        intervals: BTreeMap::new(),
        document: Document::default(),
        rules: Vec::new(),
        remarks: Remarks::default(),
    };
    import.intervals(&config);
    import.receivers(&config);
    let receiver = receiver_of(root, "");
    import.root(root, &receiver);
    import.children(root, &receiver, &[], 1);
    import.rest(&config);
    import.keep_the_first_rules();
    let mut document = import.document;
    document.alert_rules = (!import.rules.is_empty()).then_some(import.rules);
    Ok(Imported {
        document: document.tidied(),
        remarks: import.remarks.into_lines(),
    })
}

/// A translation under way.
struct Import {
    /// Hours by their names; those that cannot be said are not there.
    intervals: BTreeMap<String, Vec<Hours>>,
    document: Document,
    rules: Vec<Rule>,
    remarks: Remarks,
}

impl Import {
    /// About what routes and the whole say.
    fn remark(&mut self, text: String) {
        self.remarks.add(About::Route, text);
    }

    /// About what does not become a rule.
    fn lost(&mut self, text: String) {
        self.remarks.add(About::Lost, text);
    }

    fn intervals(&mut self, config: &Config) {
        let all = config.time_intervals.iter();
        for interval in all.chain(&config.mute_time_intervals) {
            match hours::of(interval) {
                Ok(hours) => {
                    self.intervals.insert(interval.name.clone(), hours);
                }
                Err(why) => self.remark(format!("time interval {:?}: {why}", interval.name)),
            }
        }
    }

    /// Each receiver is a service; whom it mails is who its policy pages.
    fn receivers(&mut self, config: &Config) {
        let mut people = People::new();
        for receiver in &config.receivers {
            let reach = Reach::of(receiver);
            if let Some(told) = reach.remark() {
                self.remarks.add(About::Receiver, told);
            }
            self.document.services.push(reach.service());
            self.document.escalation_policies.extend(reach.policy());
            for (email, name) in reach.mailed {
                meet(&mut people, email, name);
            }
        }
        // An address says nothing of what somebody may do, and not always what they are called: who is known keeps both.
        let users = people.into_iter().map(|(email, name)| User {
            email,
            name: (!name.is_empty()).then_some(name),
            role: None,
        });
        self.document.users.extend(users);
    }

    fn root(&mut self, root: &Route, name: &str) {
        self.remark(format!(
            "the first route sends everything else to {name:?}: send alerts to the service of that name, and the rules move those that \
             belong elsewhere"
        ));
        self.remark_on_times(root);
        self.group(name, root);
    }

    /// The rules of all routes below one: the first that holds is the last that is looked at, and inner ones come first.
    fn children(&mut self, parent: &Route, receiver: &str, path: &[Condition], depth: usize) {
        for route in &parent.routes {
            let receiver = receiver_of(route, receiver);
            let receiver = receiver.as_str();
            let conditions = match matcher::conditions(route) {
                Ok(conditions) => conditions,
                Err(why) => {
                    self.lost(format!(
                        "a route to {receiver:?} is left out, with those in it: {why}"
                    ));
                    continue;
                }
            };
            if depth >= DEPTH_MAX {
                self.lost(format!(
                    "routes more than {DEPTH_MAX} deep are left out: one leads to {receiver:?}"
                ));
                continue;
            }
            let whole: Vec<Condition> = path.iter().cloned().chain(conditions).collect();
            self.children(route, receiver, &whole, depth + 1);
            self.remark_on_times(route);
            self.group(receiver, route);
            if route.go_on {
                self.remark(format!(
                    "a route to {receiver:?} continues: an alert belongs to one service here, so the first route has it"
                ));
            }
            self.quiet(route, receiver, &whole);
            self.rule(Rule {
                name: format!("to {receiver}"),
                when: all(&whole),
                then: vec![Action::Route(receiver.to_owned())],
                go_on: false,
            });
        }
    }

    /// Keeps a rule, unless it would be refused.
    fn rule(&mut self, rule: Rule) {
        let count = matcher::count(&rule.when);
        if count > CONDITIONS_MAX {
            self.lost(format!(
                "the rule {:?} is left out: it has {count} conditions, and a rule {CONDITIONS_MAX} at most",
                rule.name
            ));
            return;
        }
        self.rules.push(rule);
    }

    /// A list holds so many; each one that does not fit is told.
    fn keep_the_first_rules(&mut self) {
        let count = self.rules.len();
        let lost = self.rules.split_off(count.min(RULES_MAX));
        for rule in lost {
            self.lost(format!(
                "the rule {:?} is left out: {count} rules came of the routes, and only the first {RULES_MAX} can be kept",
                rule.name
            ));
        }
    }

    /// Times in which a route pages nobody.
    fn quiet(&mut self, route: &Route, receiver: &str, path: &[Condition]) {
        let named = [
            (&route.mute_time_intervals, false),
            (&route.active_time_intervals, true),
        ];
        for (names, is_active) in named.into_iter().filter(|(names, _)| !names.is_empty()) {
            let known = names.iter().filter_map(|name| self.intervals.get(name));
            let hours: Vec<Condition> = known.flatten().cloned().map(within).collect();
            if names.iter().any(|name| !self.intervals.contains_key(name)) {
                self.lost(format!(
                    "times of the route to {receiver:?} are left out: {}",
                    names.join(", ")
                ));
                continue;
            }
            let within = Condition {
                any: Some(hours),
                ..Condition::default()
            };
            let outside = Condition {
                not: Some(Box::new(within.clone())),
                ..Condition::default()
            };
            let time = if is_active { outside } else { within };
            let whole: Vec<Condition> = path.iter().cloned().chain([time]).collect();
            self.rule(Rule {
                name: format!("quiet hours of {receiver}"),
                when: all(&whole),
                then: vec![Action::Suppress],
                go_on: true,
            });
        }
    }

    /// The service of a route groups as the route says, if no other has said so.
    fn group(&mut self, receiver: &str, route: &Route) {
        let labels: Vec<&String> = route.group_by.iter().collect();
        if labels.is_empty() || labels.iter().any(|label| *label == "...") {
            return;
        }
        if labels.len() > GROUP_FIELDS_MAX {
            self.remark(format!(
                "the grouping of {receiver:?} has more than {GROUP_FIELDS_MAX} labels and is left out"
            ));
            return;
        }
        let fields = labels.into_iter().map(|label| label_field(label));
        let grouping = Grouping::Content(fields.collect());
        let mut services = self.document.services.iter_mut();
        let service = services.find(|service| service.name == receiver);
        match service {
            Some(service) if service.grouping == Grouping::Nothing => service.grouping = grouping,
            Some(service) if service.grouping != grouping => self.remark(format!(
                "routes to {receiver:?} group in different ways: the first one counts"
            )),
            Some(_) | None => {}
        }
    }

    fn remark_on_times(&mut self, route: &Route) {
        if route.group_wait.is_some() || route.group_interval.is_some() {
            self.remark(
                "group_wait and group_interval are left out: an incident pages at once, and alerts join it".to_owned(),
            );
        }
        if route.repeat_interval.is_some() {
            self.remark(
                "repeat_interval is left out: a page is repeated by the levels and the repeat of a policy until somebody acknowledges it"
                    .to_owned(),
            );
        }
    }

    fn rest(&mut self, config: &Config) {
        if !config.inhibit_rules.is_empty() {
            let count = config.inhibit_rules.len();
            self.remark(format!(
                "{count} inhibit_rules are left out: alerts of one group join one incident instead"
            ));
        }
        if config.global.is_some() {
            self.remark(
                "global is left out: accounts at providers are set by tocsin channel".to_owned(),
            );
        }
        if !config.templates.is_empty() {
            self.remark("templates are left out: messages are written by Tocsin".to_owned());
        }
    }
}

/// The name that a receiver keeps.
fn kept(name: &str) -> String {
    tidy(name, NAME_CHARS_MAX)
}

/// Where a route leads: to the receiver of the one around it, unless it names one.
fn receiver_of(route: &Route, around: &str) -> String {
    let named = route.named();
    named.map_or_else(|| around.to_owned(), |name| kept(&name.value))
}

/// The field that a label is.
fn label_field(label: &str) -> FieldName {
    FieldName(Field::Detail(label.to_owned()))
}

fn within(hours: Hours) -> Condition {
    Condition {
        hours: Some(hours),
        ..Condition::default()
    }
}

/// Each of these; one by itself needs no list.
fn all(conditions: &[Condition]) -> Condition {
    match conditions {
        [] => Condition::default(),
        [one] => one.clone(),
        several => Condition {
            all: Some(several.to_vec()),
            ..Condition::default()
        },
    }
}

/// Windows of one day after the other.
type Windows = Vec<HourWindow>;

#[cfg(test)]
mod tests;
