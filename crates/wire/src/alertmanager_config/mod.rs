//! A configuration of Alertmanager (YAML) as a document of ours, with a word on whatever has no counterpart. Nothing is asked
//! of a server, and no key in it is carried over.

mod address;
mod hours;
mod matcher;
mod raw;
mod refusal;

use std::collections::{BTreeMap, BTreeSet};

use tocsin_domain::code::{
    Action, Condition, Document, EscalationPolicy, FieldName, Grouping, HourWindow, Hours, Length,
    Level, Recipient, Rule, Service, User,
};
use tocsin_domain::intake::{Field, GROUP_FIELDS_MAX, RULES_MAX};
use tocsin_domain::people::Role;

use self::raw::{Config, Receiver, Route};
use crate::plain::{cut, tidy};

/// Bytes of a configuration at most.
pub const CONFIG_BYTES_MAX: usize = 1024 * 1024;
/// How deep routes may stand in each other.
const DEPTH_MAX: usize = 20;
/// Remarks at most.
const REMARKS_MAX: usize = 200;
/// Characters of the name of a receiver at most: 200 are taken by the core, and those of its rules are longer.
const NAME_CHARS_MAX: usize = 180;
/// Whom one step of a policy pages at most, as the core has it.
const RECIPIENTS_MAX: usize = 10;
/// Conditions of one rule at most, as the core has it.
const CONDITIONS_MAX: usize = 50;
/// Characters that are told of what is no address.
const WRITTEN_CHARS_MAX: usize = 200;
/// Time for an acknowledgement, which Alertmanager does not know.
const LEVEL_DELAY_MS: u64 = 300_000;

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
        remarks: BTreeSet::new(),
    };
    import.intervals(&config);
    import.receivers(&config);
    let receiver = receiver_of(root, "");
    import.root(root, &receiver);
    import.children(root, &receiver, &[], 1);
    import.rest(&config);
    if import.rules.len() > RULES_MAX {
        import.remark(format!(
            "{} rules came of the routes, and only the first {RULES_MAX} can be kept",
            import.rules.len()
        ));
        import.rules.truncate(RULES_MAX);
    }
    let mut document = import.document;
    document.alert_rules = (!import.rules.is_empty()).then_some(import.rules);
    Ok(Imported {
        document: document.tidied(),
        remarks: import.remarks.into_iter().take(REMARKS_MAX).collect(),
    })
}

/// People by their addresses, with what they are called where somebody says so.
type People = BTreeMap<String, String>;

/// A translation under way.
struct Import {
    /// Hours by their names; those that cannot be said are not there.
    intervals: BTreeMap<String, Vec<Hours>>,
    document: Document,
    rules: Vec<Rule>,
    remarks: BTreeSet<String>,
}

impl Import {
    fn remark(&mut self, text: String) {
        if self.remarks.len() < REMARKS_MAX {
            self.remarks.insert(text);
        }
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
            let name = kept(&receiver.name.value);
            let mailed = self.mailed(receiver, &name);
            self.remark_on(receiver, &name, mailed.is_empty());
            let policy = self.policy(&name, &mailed);
            self.document.services.push(Service {
                escalation_policy: policy.as_ref().map(|policy| policy.name.clone()),
                name,
                description: String::new(),
                acknowledgement_timeout: None,
                urgency: Default::default(),
                grouping: Grouping::Nothing,
                resolve_after: None,
                integrations: Vec::new(),
                rules: Vec::new(),
            });
            self.document.escalation_policies.extend(policy);
            for (email, name) in mailed {
                meet(&mut people, email, name);
            }
        }
        for (email, name) in people {
            let before = email.split('@').next().unwrap_or_default();
            let name = if name.is_empty() {
                before.to_owned()
            } else {
                name
            };
            self.document.users.push(User {
                email,
                name,
                role: Role::Responder,
            });
        }
    }

    /// Whom a receiver mails. What is no address in its lists is told.
    fn mailed(&mut self, receiver: &Receiver, name: &str) -> People {
        let mut people = People::new();
        for list in receiver.lists() {
            for mailbox in address::mailboxes(&list.value) {
                match mailbox {
                    Ok(mailbox) => meet(&mut people, mailbox.address, mailbox.name),
                    Err(written) => self.remark(format!(
                        "receiver {name:?}, line {}: {:?} is no mail address, and nobody is made of it: add by hand whom it stands for",
                        raw::line(list),
                        cut(&written, WRITTEN_CHARS_MAX)
                    )),
                }
            }
        }
        people
    }

    /// Pages at once whoever is mailed; none when nobody is.
    fn policy(&mut self, name: &str, mailed: &People) -> Option<EscalationPolicy> {
        if mailed.len() > RECIPIENTS_MAX {
            self.remark(format!(
                "receiver {name:?} mails {} people: the first {RECIPIENTS_MAX} by their addresses are paged, since no step of a \
                 policy pages more; a team does",
                mailed.len()
            ));
        }
        let paged = mailed.keys().take(RECIPIENTS_MAX).cloned();
        let policy = EscalationPolicy {
            name: name.to_owned(),
            description: String::new(),
            repeat: 0,
            acknowledgement_timeout: None,
            levels: vec![Level {
                delay: Length::of_ms(LEVEL_DELAY_MS),
                targets: paged.map(Recipient::User).collect(),
                round_robin: false,
                each_must_acknowledge: false,
            }],
        };
        (!mailed.is_empty()).then_some(policy)
    }

    fn remark_on(&mut self, receiver: &Receiver, name: &str, pages_nobody_of_its_own: bool) {
        for (kind, count) in receiver.others() {
            self.remark(format!(
                "receiver {name:?}: {count} of {kind} are not carried over, since keys and addresses stand in no file: whoever is to \
                 be reached so adds a contact method"
            ));
        }
        if pages_nobody_of_its_own {
            self.remark(format!(
                "receiver {name:?} mails nobody: its service has the policy of the installation until you give it one"
            ));
        }
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
                    self.remark(format!(
                        "a route to {receiver:?} is left out, with those in it: {why}"
                    ));
                    continue;
                }
            };
            if depth >= DEPTH_MAX {
                self.remark(format!("routes more than {DEPTH_MAX} deep are left out"));
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
            self.remark(format!(
                "the rule {:?} is left out: it has {count} conditions, and a rule {CONDITIONS_MAX} at most",
                rule.name
            ));
            return;
        }
        self.rules.push(rule);
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
                self.remark(format!(
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

/// Adds somebody; the first name counts.
fn meet(people: &mut People, email: String, name: String) {
    let known = people.entry(email).or_default();
    if known.is_empty() {
        *known = name;
    }
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
