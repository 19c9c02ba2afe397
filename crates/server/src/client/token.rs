//! `tocsin token …`: API tokens made, listed and revoked.

use clap::{Subcommand, ValueEnum};
use jiff::Span;
use serde::Deserialize;
use serde_json::json;

use super::api::Api;
use super::failure::Failure;
use super::given::{self, choose, end_of, whole, wire};
use super::look::Look;
use super::plain::Plain;
use super::screen::Screen;
use super::shape::{Moment, Named, name_or};
use super::table::Table;
use super::user::Role;

/// What can be done with tokens.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Verb {
    /// Make a token; its text is shown this once
    Create {
        /// What it is for
        #[arg(long)]
        name: String,
        /// What it may do, at most what you may
        #[arg(long, value_enum)]
        role: Role,
        /// Keep it to this part of what its role may do; give it again for a further one. Without it, it may do all of that
        #[arg(long = "scope", value_enum, value_name = "SCOPE")]
        scopes: Vec<Scope>,
        /// How many requests it may send within a minute (1 to 12000); without it, as many as any token
        #[arg(long, value_name = "NUMBER")]
        requests_per_minute: Option<u32>,
        /// How long it is good for (90d); without it, until it is revoked
        #[arg(long, value_name = "SPAN", value_parser = given::span)]
        expires_in: Option<Span>,
        /// Make it of the installation: it belongs to nobody, acts by its name and stays when you go (administrators only)
        #[arg(long)]
        installation: bool,
    },
    /// List tokens, without their texts
    List,
    /// Revoke a token; whoever uses it is shut out at once
    Revoke {
        /// Its name or id
        // The flag --token has the plain name.
        #[arg(id = "revoked", value_name = "TOKEN")]
        token: String,
    },
}

/// A part of what Tocsin does, to which a token may be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scope {
    /// Alerts and changes that are sent, heartbeats, silences
    Alerts,
    /// Incidents: reading and responding
    Incidents,
    /// People, teams, schedules, policies
    Roster,
    /// Services, rules, integrations, planned work, channels, tokens
    Settings,
    /// Samples: queries, remote write, metrics
    Telemetry,
}

impl Scope {
    /// As the API writes it.
    fn word(self) -> &'static str {
        match self {
            Self::Alerts => "alerts",
            Self::Incidents => "incidents",
            Self::Roster => "roster",
            Self::Settings => "settings",
            Self::Telemetry => "telemetry",
        }
    }
}

#[derive(Debug, Deserialize)]
struct Token {
    id: Plain,
    name: Plain,
    role: Plain,
    #[serde(default)]
    scopes: Option<Vec<Plain>>,
    #[serde(default)]
    requests_per_minute: Option<u32>,
    #[serde(default)]
    user_id: Option<Plain>,
    #[serde(default)]
    made_by: Option<Named>,
    #[serde(default)]
    created_at: Option<Moment>,
    #[serde(default)]
    expires_at: Option<Moment>,
    #[serde(default)]
    last_used_at: Option<Moment>,
}

#[derive(Deserialize)]
struct Made {
    token: Plain,
}

pub(super) fn run(verb: &Verb, api: &Api, screen: &Screen) -> Result<(), Failure> {
    match verb {
        Verb::Create {
            name,
            role,
            scopes,
            requests_per_minute,
            expires_in,
            installation,
        } => {
            let mut body = json!({ "name": name, "role": role.word() });
            if let Some(span) = expires_in {
                body["expires_at"] = json!(wire(end_of(*span, screen.look.now, &screen.look)?));
            }
            if !scopes.is_empty() {
                let words: Vec<&str> = scopes.iter().map(|scope| scope.word()).collect();
                body["scopes"] = json!(words);
            }
            if let Some(rate) = requests_per_minute {
                body["requests_per_minute"] = json!(rate);
            }
            if *installation {
                body["owner"] = json!("installation");
            }
            let answer = api.post(&["api-tokens"], &body)?;
            screen.show(&answer, |made: &Made, _| made.token.to_string())?;
            screen.note("This is the only time the token is shown. Keep it where only its user can read it.");
            Ok(())
        }
        Verb::List => screen.show_list(&api.get(&["api-tokens"], &whole())?, list),
        Verb::Revoke { token } => {
            let all: Vec<Token> = given::all(api, &["api-tokens"])?;
            let found = choose(all, "token", token, |one| &one.id, |one| vec![&one.name])?;
            let answer = api.delete(&["api-tokens", found.id.as_str()])?;
            screen.done(&answer, &format!("{} is revoked.", found.name))
        }
    }
}

fn list(all: &[Token], look: &Look) -> String {
    let mut table = Table::new(&[
        "NAME", "ROLE", "SCOPES", "A MINUTE", "OWNER", "MADE", "USED", "EXPIRES", "ID",
    ]);
    let at = |moment: Option<Moment>, otherwise: &str| {
        moment.map_or_else(|| otherwise.to_owned(), |moment| look.moment(moment.0))
    };
    for one in all {
        table.row([
            (&one.name).into(),
            (&one.role).into(),
            scopes(one).into(),
            rate(one).into(),
            owner(one).into(),
            at(one.created_at, "").into(),
            at(one.last_used_at, "never").into(),
            at(one.expires_at, "never").into(),
            (&one.id).into(),
        ]);
    }
    table.draw(look, "There are no tokens that you may see.")
}

/// To what it is kept.
fn scopes(token: &Token) -> String {
    let Some(scopes) = &token.scopes else {
        return "all".to_owned();
    };
    let words: Vec<&str> = scopes.iter().map(Plain::as_str).collect();
    words.join(", ")
}

/// How many requests it may send within a minute.
fn rate(token: &Token) -> String {
    token
        .requests_per_minute
        .map(|rate| rate.to_string())
        .unwrap_or_default()
}

/// Whose it is. People make none but their own and the installation's, so who made it says that of a person's too.
fn owner(token: &Token) -> String {
    match (&token.user_id, &token.made_by) {
        (Some(_), maker) => name_or(maker.as_ref(), ""),
        (None, None) => "installation".to_owned(),
        (None, Some(maker)) => format!("installation, made by {}", maker.name),
    }
}
