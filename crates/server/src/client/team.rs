//! `tocsin team …`: teams and their members.

use clap::Subcommand;
use serde::Deserialize;
use serde_json::json;

use super::api::Api;
use super::failure::Failure;
use super::given::{all, choose, whole};
use super::look::Look;
use super::plain::Plain;
use super::screen::Screen;
use super::shape::{Named, names};
use super::table::Table;
use super::user;

/// What can be done with teams.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Verb {
    /// List teams and who belongs to them
    List,
    /// Add a team
    Add {
        /// Its name
        name: String,
        /// A person, by name, address or id; may be said several times
        #[arg(long = "member", value_name = "PERSON")]
        members: Vec<String>,
    },
    /// Replace the members of a team, or its name
    Set {
        /// Its name or id
        team: String,
        /// The new name
        #[arg(long)]
        name: Option<String>,
        /// A person, by name, address or id; may be said several times. Without any, the members stay
        #[arg(long = "member", value_name = "PERSON")]
        members: Vec<String>,
    },
    /// Remove a team that no escalation policy names
    Remove {
        /// Its name or id
        team: String,
    },
}

#[derive(Clone, Debug, Deserialize)]
struct Team {
    id: Plain,
    name: Plain,
    #[serde(default)]
    members: Vec<Named>,
}

pub(super) fn run(verb: &Verb, api: &Api, screen: &Screen) -> Result<(), Failure> {
    match verb {
        Verb::List => screen.show_list(&api.get(&["teams"], &whole())?, list),
        Verb::Add { name, members } => {
            let members = user::ids(api, members)?;
            let body = json!({ "name": name, "members": members });
            let answer = api.post(&["teams"], &body)?;
            screen.show(&answer, |team: &Team, _| is_now(team))
        }
        Verb::Set {
            team,
            name,
            members,
        } => {
            let known = named(api, team)?;
            let members = if members.is_empty() {
                let members = known.members.iter();
                members.map(|one| one.id.to_string()).collect()
            } else {
                user::ids(api, members)?
            };
            let name = name.as_deref().unwrap_or(known.name.as_str());
            let body = json!({ "name": name, "members": members });
            let answer = api.put(&["teams", known.id.as_str()], &body)?;
            screen.show(&answer, |team: &Team, _| is_now(team))
        }
        Verb::Remove { team } => {
            let known = named(api, team)?;
            let answer = api.delete(&["teams", known.id.as_str()])?;
            screen.done(&answer, &format!("{} is removed.", known.name))
        }
    }
}

fn named(api: &Api, given: &str) -> Result<Team, Failure> {
    let teams: Vec<Team> = all(api, &["teams"])?;
    choose(teams, "team", given, |one| &one.id, |one| vec![&one.name])
}

fn is_now(team: &Team) -> String {
    let members = if team.members.is_empty() {
        "nobody".to_owned()
    } else {
        names(&team.members)
    };
    format!("The team {} is now: {members}\n", team.name)
}

fn list(all: &[Team], look: &Look) -> String {
    let mut table = Table::new(&["NAME", "MEMBERS", "ID"]);
    for team in all {
        table.row([
            (&team.name).into(),
            names(&team.members).into(),
            (&team.id).into(),
        ]);
    }
    table.draw(look, "There are no teams.")
}
