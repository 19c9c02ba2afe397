//! What becomes of a receiver: a service, a policy that pages whom it mails, and one line on whatever else it has.

use std::collections::BTreeMap;

use tocsin_domain::code::{
    Action, Condition, EscalationPolicy, Grouping, Length, Level, Recipient, Rule, Service, Urgency,
};

use super::raw::{self, Receiver};
use super::{address, kept};
use crate::plain::cut;

/// Whom one step of a policy pages at most, as the core has it.
pub(super) const RECIPIENTS_MAX: usize = 10;
/// Characters that are told of what is no address.
const WRITTEN_CHARS_MAX: usize = 200;
/// Time for an acknowledgement, which Alertmanager does not know.
const LEVEL_DELAY_MS: u64 = 300_000;

/// People by their addresses, with what they are called where somebody says so.
pub(super) type People = BTreeMap<String, String>;

/// Adds somebody; the first name counts.
pub(super) fn meet(people: &mut People, email: String, name: String) {
    let known = people.entry(email).or_default();
    if known.is_empty() {
        *known = name;
    }
}

/// Whom a receiver reaches, and how.
pub(super) struct Reach<'a> {
    /// The name that it keeps.
    name: String,
    /// Whom it mails.
    pub(super) mailed: People,
    /// What is no address in its lists, as it is written, each with its line.
    wrong: Vec<String>,
    /// What it has besides mail, and how many of each.
    others: Vec<(&'a str, usize)>,
    /// It is there to keep alerts quiet.
    pub(super) is_silent: bool,
}

impl<'a> Reach<'a> {
    pub(super) fn of(receiver: &'a Receiver) -> Self {
        let (mut mailed, mut wrong) = (People::new(), Vec::new());
        for list in receiver.lists() {
            for mailbox in address::mailboxes(&list.value) {
                match mailbox {
                    Ok(mailbox) => meet(&mut mailed, mailbox.address, mailbox.name),
                    Err(written) => {
                        let written = cut(&written, WRITTEN_CHARS_MAX);
                        wrong.push(format!("{written:?} (line {})", raw::line(list)));
                    }
                }
            }
        }
        Self {
            name: kept(&receiver.name.value),
            mailed,
            wrong,
            others: receiver.others(),
            is_silent: receiver.is_silent(),
        }
    }

    pub(super) fn service(&self) -> Service {
        Service {
            name: self.name.clone(),
            description: String::new(),
            escalation_policy: (!self.mailed.is_empty()).then(|| self.name.clone()),
            acknowledgement_timeout: None,
            urgency: Urgency::default(),
            grouping: Grouping::Nothing,
            resolve_after: None,
            integrations: Vec::new(),
            rules: Vec::new(),
        }
    }

    /// Pages at once whoever is mailed; none when nobody is.
    pub(super) fn policy(&self) -> Option<EscalationPolicy> {
        let paged = self.mailed.keys().take(RECIPIENTS_MAX).cloned();
        let policy = EscalationPolicy {
            name: self.name.clone(),
            description: String::new(),
            team: None,
            repeat: 0,
            acknowledgement_timeout: None,
            levels: vec![Level {
                delay: Length::of_ms(LEVEL_DELAY_MS),
                targets: paged.map(Recipient::User).collect(),
                round_robin: false,
                each_must_acknowledge: false,
            }],
        };
        (!self.mailed.is_empty()).then_some(policy)
    }

    /// What of it could not be carried over, in one line, however much it is; none when all of it was.
    pub(super) fn remark(&self) -> Option<String> {
        let mut said = Vec::new();
        if !self.others.is_empty() {
            let others = self.others.iter();
            let others: Vec<String> = others
                .map(|(kind, count)| format!("{count} of {kind}"))
                .collect();
            said.push(format!(
                "{} are not carried over, since keys and addresses stand in no file: whoever is to be reached so adds a contact method",
                others.join(", ")
            ));
        }
        if !self.wrong.is_empty() {
            said.push(format!(
                "nobody is made of what is no mail address, {}: add by hand whom it stands for",
                self.wrong.join(", ")
            ));
        }
        if self.mailed.len() > RECIPIENTS_MAX {
            said.push(format!(
                "it mails {} people: the first {RECIPIENTS_MAX} by their addresses are paged, since no step of a policy pages more; \
                 a team does",
                self.mailed.len()
            ));
        }
        // What becomes of one that tells nobody depends on the routes.
        if self.mailed.is_empty() && !self.is_silent {
            said.push(
                "it mails nobody: its service has the policy of the installation until you give it one".to_owned(),
            );
        }
        (!said.is_empty()).then(|| format!("receiver {:?}: {}", self.name, said.join("; ")))
    }
}

/// Keeps all alerts of a service quiet. It stands with the service and not with the rules that move alerts, so that it holds for the
/// first route too and for no alert of another sender.
pub(super) fn silence() -> Rule {
    Rule {
        name: "nobody is told".to_owned(),
        when: Condition::default(),
        then: vec![Action::Suppress],
        go_on: false,
    }
}
