//! `tocsin incident snooze …` and what else is done about an incident beyond taking, ending and noting.

use clap::{ArgGroup, Args, Subcommand, ValueEnum};
use jiff::Span;
use serde::Deserialize;
use serde_json::{Value, json};

use super::api::{Answer, Api};
use super::failure::Failure;
use super::given::{self, end_of};
use super::incident_view::{self, Summary};
use super::oncall::policy_named;
use super::plain::Plain;
use super::screen::Screen;
use super::{service, user};

/// What is done about an incident.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum RespondVerb {
    /// Open an incident by hand; whoever is on call for its service is paged, unless it is not urgent
    Declare(Declaration),
    /// Say that an incident is not over after all; it is paged for anew, from the first level on
    Reopen {
        /// Its number or id
        #[arg(value_parser = given::incident)]
        incident: String,
    },
    /// Take an incident and be left in peace for a while; what still fails then is paged again
    Snooze {
        /// Its number or id
        #[arg(value_parser = given::incident)]
        incident: String,
        /// For how long (1s to 7d), such as 45m or 2h
        #[arg(value_parser = given::span)]
        span: Span,
    },
    /// End a snooze early; the incident stays acknowledged
    Unsnooze {
        /// Its number or id
        #[arg(value_parser = given::incident)]
        incident: String,
    },
    /// Give an incident to other people, or to another escalation policy; they are paged now
    #[command(group(ArgGroup::new("whom").required(true).args(["to", "policy"])))]
    Reassign {
        /// Its number or id
        #[arg(value_parser = given::incident)]
        incident: String,
        /// To this person, by name, first name, address or id; may be said several times
        #[arg(long, value_name = "PERSON")]
        to: Vec<String>,
        /// To this escalation policy, from its first level on
        #[arg(long)]
        policy: Option<String>,
    },
    /// Page the next level now
    Escalate {
        /// Its number or id
        #[arg(value_parser = given::incident)]
        incident: String,
    },
    /// Ask further people to help; whoever has the incident keeps it
    #[command(group(ArgGroup::new("whom").required(true).multiple(true).args(["person", "policy"])))]
    Ask {
        /// Its number or id
        #[arg(value_parser = given::incident)]
        incident: String,
        /// This person, by name, first name, address or id; may be said several times
        #[arg(long)]
        person: Vec<String>,
        /// Whoever the first level of this policy names that pages somebody
        #[arg(long)]
        policy: Option<String>,
        /// What they are asked
        #[arg(long)]
        message: String,
    },
    /// Say whether you come to help
    Answer {
        /// Its number or id
        #[arg(value_parser = given::incident)]
        incident: String,
        /// Whether
        #[arg(value_enum)]
        answer: Comes,
    },
    /// Merge other incidents into one; they end, their alerts go to the one that stays
    Merge {
        /// Number or id of the one that stays
        #[arg(value_parser = given::incident)]
        into: String,
        /// Numbers or ids of those that end
        #[arg(value_parser = given::incident, required = true)]
        sources: Vec<String>,
    },
    /// Say how important an incident is
    Priority {
        /// Its number or id
        #[arg(value_parser = given::incident)]
        incident: String,
        /// A name of the installation's list, such as P1; none takes it back
        priority: String,
    },
    /// Say how loudly an incident asks: high pages from now on, low pages nobody
    Urgency {
        /// Its number or id
        #[arg(value_parser = given::incident)]
        incident: String,
        /// How loudly
        #[arg(value_enum)]
        urgency: Urgency,
    },
    /// Take or end several incidents; one that is refused does not keep the others
    Bulk {
        /// What is done with each
        #[arg(value_enum)]
        action: Action,
        /// Their numbers or ids
        #[arg(value_parser = given::incident, required = true)]
        incidents: Vec<String>,
    },
}

/// An incident that a person opens.
#[derive(Clone, Debug, Args)]
pub(crate) struct Declaration {
    /// What fails, in one line: the first that whoever is paged will read
    #[arg(long)]
    title: String,
    /// On which service, by name or id; without it, the service of alerts that name none
    #[arg(long)]
    service: Option<String>,
    /// How loudly it asks
    #[arg(long, value_enum, default_value_t = Urgency::High)]
    urgency: Urgency,
    /// More about it
    #[arg(long)]
    description: Option<String>,
}

/// Whether somebody comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Comes {
    /// I come
    Accept,
    /// I do not
    Decline,
}

/// How loudly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Urgency {
    /// Pages, escalates, repeats
    High,
    /// Nobody is woken
    Low,
}

impl Urgency {
    /// As the API has it.
    const fn word(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Low => "low",
        }
    }
}

/// What is done with several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Action {
    /// Take them
    Ack,
    /// End them
    Resolve,
}

#[derive(Debug, Deserialize)]
struct BulkAnswer {
    results: Vec<BulkResult>,
}

#[derive(Debug, Deserialize)]
struct BulkResult {
    incident: Plain,
    #[serde(default)]
    problem: Option<Plain>,
}

pub(super) fn run(verb: &RespondVerb, api: &Api, screen: &Screen) -> Result<(), Failure> {
    let post = |incident: &str, what: &[&str], body: Value| {
        let path = [&["incidents", incident], what].concat();
        changed(&api.post(&path, &body)?, screen)
    };
    match verb {
        RespondVerb::Declare(declaration) => declare(api, screen, declaration),
        RespondVerb::Reopen { incident } => post(incident, &["reopen"], json!({})),
        RespondVerb::Snooze { incident, span } => {
            let look = &screen.look;
            let until = end_of(*span, look.now, look)?;
            let seconds = until.as_second() - look.now.as_second();
            post(incident, &["snooze"], json!({ "seconds": seconds }))
        }
        RespondVerb::Unsnooze { incident } => {
            changed(&api.delete(&["incidents", incident, "snooze"])?, screen)
        }
        RespondVerb::Reassign {
            incident,
            to,
            policy,
        } => post(incident, &["reassign"], whom(api, to, policy.as_deref())?),
        RespondVerb::Escalate { incident } => post(incident, &["escalate"], json!({})),
        RespondVerb::Ask {
            incident,
            person,
            policy,
            message,
        } => {
            let mut body = whom(api, person, policy.as_deref())?;
            body["message"] = json!(message);
            post(incident, &["responders"], body)
        }
        RespondVerb::Answer { incident, answer } => {
            let accept = *answer == Comes::Accept;
            post(
                incident,
                &["responders", "answer"],
                json!({ "accept": accept }),
            )
        }
        RespondVerb::Merge { into, sources } => {
            post(into, &["merge"], json!({ "sources": sources }))
        }
        RespondVerb::Priority { incident, priority } => {
            let priority = Some(priority).filter(|name| *name != "none");
            let path = ["incidents", incident, "priority"];
            changed(&api.put(&path, &json!({ "priority": priority }))?, screen)
        }
        RespondVerb::Urgency { incident, urgency } => {
            let path = ["incidents", incident, "urgency"];
            let body = json!({ "urgency": urgency.word() });
            changed(&api.put(&path, &body)?, screen)
        }
        RespondVerb::Bulk { action, incidents } => bulk(api, screen, *action, incidents),
    }
}

fn declare(api: &Api, screen: &Screen, wanted: &Declaration) -> Result<(), Failure> {
    let mut body = json!({ "title": wanted.title, "urgency": wanted.urgency.word() });
    if let Some(given) = &wanted.service {
        body["service_id"] = json!(service::named(api, given)?.as_str());
    }
    if let Some(description) = &wanted.description {
        body["summary"] = json!(description);
    }
    changed(&api.post(&["incidents"], &body)?, screen)
}

/// The body that names people and a policy by their ids.
fn whom(api: &Api, people: &[String], policy: Option<&str>) -> Result<Value, Failure> {
    let mut body = json!({ "people": user::ids(api, people)? });
    if let Some(policy) = policy {
        body["policy_id"] = json!(policy_named(api, policy)?.as_str());
    }
    Ok(body)
}

fn changed(answer: &Answer, screen: &Screen) -> Result<(), Failure> {
    screen.show(answer, |summary: &Summary, look| {
        incident_view::changed(summary, look)
    })
}

/// Fails when one of them was refused, after all were tried.
fn bulk(api: &Api, screen: &Screen, action: Action, incidents: &[String]) -> Result<(), Failure> {
    let word = match action {
        Action::Ack => "acknowledge",
        Action::Resolve => "resolve",
    };
    let body = json!({ "action": word, "incidents": incidents });
    let answer = api.post(&["incidents", "bulk"], &body)?;
    screen.show(&answer, |all: &BulkAnswer, _| {
        let lines = all.results.iter().map(|one| match &one.problem {
            None => format!("Incident {}: done\n", one.incident),
            Some(problem) => format!("Incident {}: {problem}\n", one.incident),
        });
        lines.collect()
    })?;
    let answer: BulkAnswer = answer.parsed()?;
    let refused = answer.results.iter().filter(|one| one.problem.is_some());
    match refused.count() {
        0 => Ok(()),
        1 => Err(Failure::Refused("one of them was refused".to_owned())),
        count => Err(Failure::Refused(format!("{count} of them were refused"))),
    }
}
