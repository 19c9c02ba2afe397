//! A configuration of Alertmanager (YAML) as a document of ours, with a word on whatever has no counterpart. Nothing is asked
//! of a server, and no key in it is carried over.

mod address;
mod hours;
mod matcher;
mod raw;
mod receiver;
mod refusal;
mod remarks;
mod spelling;

use std::collections::{BTreeMap, BTreeSet};

use tocsin_domain::code::{
    Action, Condition, Document, FieldName, Grouping, HourWindow, Hours, Operator, Rule, User,
};
use tocsin_domain::intake::{Field, GROUP_FIELDS_MAX, RULES_MAX};

use self::raw::{Config, Route};
use self::receiver::{People, Reach, meet};
use self::remarks::{About, Remarks};
use self::spelling::Spellings;
use crate::plain::tidy;

/// Bytes of a configuration at most.
pub const CONFIG_BYTES_MAX: usize = 1024 * 1024;
/// How deep routes may stand in each other.
const DEPTH_MAX: usize = 20;
/// Characters of the name of a receiver at most: 200 are taken by the core, and those of its rules are longer.
const NAME_CHARS_MAX: usize = 180;
/// Conditions of one rule at most, as the core has it.
const CONDITIONS_MAX: usize = 50;

/// The label of `group_by` that stands for all of them: no two alerts are of one group.
const EACH_ALONE: &str = "...";

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
        groupings: BTreeMap::new(),
        ungrouped: BTreeSet::new(),
        silent: BTreeSet::new(),
        is_incomplete: false,
        remarks: Remarks::default(),
    };
    import.intervals(&config);
    import.receivers(&config);
    let around = import.root(root);
    import.children(root, &around);
    import.rest(&config);
    import.keep_the_first_rules();
    import.silence();
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
    /// By receivers, how the first route to each that says so groups.
    groupings: BTreeMap<String, Grouping>,
    /// Receivers of routes that no `group_by` holds for.
    ungrouped: BTreeSet<String>,
    /// Receivers that tell nobody of anything.
    silent: BTreeSet<String>,
    /// A route or a rule is left out, or cannot be told from another: its alerts go where those of another one go.
    is_incomplete: bool,
    remarks: Remarks,
}

/// What routes have from the one around them.
struct Around<'a> {
    receiver: String,
    /// Each of these holds.
    conditions: Vec<Condition>,
    /// The labels by which alerts are grouped.
    group_by: &'a [String],
    depth: usize,
}

impl Import {
    /// About what routes and the whole say.
    fn remark(&mut self, text: String) {
        self.remarks.add(About::Route, text);
    }

    /// About what does not become a rule, or one that holds for other alerts too.
    fn lost(&mut self, text: String) {
        self.is_incomplete = true;
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
            let service = reach.service();
            if reach.is_silent {
                self.silent.insert(service.name.clone());
            }
            self.document.services.push(service);
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

    /// What the first route says of everything; gives what the routes in it have from it.
    fn root<'a>(&mut self, root: &'a Route) -> Around<'a> {
        let receiver = receiver_of(root, "");
        self.remark(format!(
            "the first route sends everything else to {receiver:?}: send alerts to the service of that name, and the rules move those that \
             belong elsewhere; they ask for that name, since what is sent to other services is none of theirs: where the service is called \
             otherwise, they have to ask for that"
        ));
        self.remark_on_times(root);
        self.group(&receiver, &root.group_by);
        Around {
            conditions: vec![sent_to(&receiver)],
            receiver,
            group_by: &root.group_by,
            depth: 1,
        }
    }

    /// The rules of all routes below one: the first that holds is the last that is looked at, and inner ones come first.
    fn children(&mut self, parent: &Route, around: &Around<'_>) {
        let mut spellings = Spellings::default();
        for (place, route) in parent.routes.iter().enumerate() {
            let receiver = receiver_of(route, &around.receiver);
            let conditions = match matcher::conditions(route) {
                Ok(conditions) => conditions,
                Err(why) => {
                    self.lost(format!(
                        "a route to {receiver:?} is left out, with those in it: {why}"
                    ));
                    continue;
                }
            };
            if around.depth >= DEPTH_MAX {
                self.lost(format!(
                    "routes more than {DEPTH_MAX} deep are left out: one leads to {receiver:?}"
                ));
                continue;
            }
            for (before, asked) in spellings.take(place, &conditions) {
                self.lost(format!(
                    "a route to {receiver:?} asks for {asked}, and one before it for {before}: letters fit in either case here, so that \
                     the one before may have the alerts of both"
                ));
            }
            let before = around.conditions.iter().cloned();
            let inner = Around {
                receiver,
                conditions: before.chain(conditions).collect(),
                group_by: grouped_by(route, around.group_by),
                depth: around.depth + 1,
            };
            self.children(route, &inner);
            self.remark_on_times(route);
            self.group(&inner.receiver, inner.group_by);
            if route.go_on {
                let whose = if self.silent.contains(&inner.receiver) {
                    "it tells nobody, and the routes behind it have its alerts"
                } else {
                    "an alert belongs to one service here, so the first route has it"
                };
                self.remark(format!(
                    "a route to {:?} continues: {whose}",
                    inner.receiver
                ));
            }
            if route.go_on && self.silent.contains(&inner.receiver) {
                // Its alerts are told by the routes behind it, and a rule would keep them from those.
                continue;
            }
            self.quiet(route, &inner.receiver, &inner.conditions);
            self.rule(Rule {
                name: format!("to {}", inner.receiver),
                when: all(&inner.conditions),
                then: vec![Action::Route(inner.receiver)],
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

    /// Services of receivers that tell nobody suppress what comes to them, unless alerts may come there that went elsewhere.
    fn silence(&mut self) {
        for name in std::mem::take(&mut self.silent) {
            let mut services = self.document.services.iter_mut();
            let service = services.find(|service| service.name == name);
            let told = if self.is_incomplete {
                "but since routes or rules are left out or not told apart, alerts may come to it that went elsewhere: its service has the policy of the \
                 installation until you give it a rule that suppresses"
            } else {
                if let Some(service) = service {
                    service.rules.push(receiver::silence());
                }
                "a rule of its service suppresses all alerts there until you take it away"
            };
            let text = format!("receiver {name:?}: it tells nobody of anything: {told}");
            self.remarks.add(About::Receiver, text);
        }
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

    /// The service of a route groups as the route does, if no other has said so.
    fn group(&mut self, receiver: &str, labels: &[String]) {
        if labels.is_empty() {
            self.ungrouped.insert(receiver.to_owned());
            return;
        }
        if labels.len() > GROUP_FIELDS_MAX {
            self.remark(format!(
                "the grouping of {receiver:?} has more than {GROUP_FIELDS_MAX} labels and is left out"
            ));
            return;
        }
        let grouping = if labels.iter().any(|label| label == EACH_ALONE) {
            Grouping::Nothing
        } else {
            Grouping::Content(labels.iter().map(|label| label_field(label)).collect())
        };
        match self.groupings.get(receiver) {
            Some(first) if *first == grouping => {}
            Some(_) => self.remark(format!(
                "routes to {receiver:?} group in different ways: the first one counts"
            )),
            None => {
                let mut services = self.document.services.iter_mut();
                if let Some(service) = services.find(|service| service.name == receiver) {
                    service.grouping = grouping.clone();
                }
                self.groupings.insert(receiver.to_owned(), grouping);
            }
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
        if !self.ungrouped.is_empty() {
            let receivers = self.ungrouped.iter().map(|name| format!("{name:?}"));
            let receivers: Vec<String> = receivers.collect();
            self.remark(format!(
                "no group_by holds for routes to {}: there all alerts of such a route are one group, while here each has an incident of \
                 its own unless the service says otherwise: give it a grouping",
                receivers.join(", ")
            ));
        }
        if !config.inhibit_rules.is_empty() {
            let count = config.inhibit_rules.len();
            self.remark(format!(
                "{count} inhibit_rules are left out: no alert keeps another one quiet; those that a service groups join one incident, and \
                 the others page for themselves"
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

/// By which labels a route groups: by those of the one around it, unless it names some.
fn grouped_by<'a>(route: &'a Route, around: &'a [String]) -> &'a [String] {
    if route.group_by.is_empty() {
        around
    } else {
        &route.group_by
    }
}

/// The field that a label is.
fn label_field(label: &str) -> FieldName {
    FieldName(Field::Detail(label.to_owned()))
}

/// It was sent to the service of that name. Rules of the installation are asked about every alert, and Alertmanager's routes only about
/// those that came to it.
fn sent_to(service: &str) -> Condition {
    Condition {
        field: Some(FieldName(Field::Service)),
        op: Some(Operator::Equals),
        text: Some(service.to_owned()),
        ..Condition::default()
    }
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
