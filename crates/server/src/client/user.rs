//! `tocsin user …`: people and the ways to reach them.

use clap::{Subcommand, ValueEnum};
use serde::Deserialize;
use serde_json::json;

use super::api::Api;
use super::failure::Failure;
use super::given::{self, choose, whole};
use super::look::{Look, Tone};
use super::plain::Plain;
use super::screen::Screen;
use super::table::{Cell, Table};

/// What can be done with people.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Verb {
    /// List people and how they can be reached
    List,
    /// Add a person; their mail address becomes their first contact method, to be confirmed by a test page
    Add {
        /// Their name
        #[arg(long)]
        name: String,
        /// The address they sign in with
        #[arg(long)]
        email: String,
        /// What they may do
        #[arg(long, value_enum, default_value_t = Role::Responder)]
        role: Role,
    },
}

/// What somebody may do; each includes those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Role {
    /// Reads everything but secrets
    Viewer,
    /// Also works on incidents
    Responder,
    /// Also changes people, schedules, channels and tokens
    Admin,
}

impl Role {
    /// As the API writes it.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Responder => "responder",
            Self::Admin => "admin",
        }
    }
}

/// A person.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct User {
    pub(super) id: Plain,
    pub(super) name: Plain,
    role: Plain,
    email: Plain,
    #[serde(default)]
    pub(super) contact_methods: Vec<ContactMethod>,
    #[serde(default)]
    on_call: bool,
    #[serde(default)]
    reachable: bool,
}

/// A way to reach a person.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct ContactMethod {
    pub(super) id: Plain,
    pub(super) kind: Plain,
    #[serde(default)]
    pub(super) label: Plain,
    #[serde(default)]
    address_hint: Plain,
    #[serde(default)]
    pub(super) verified: bool,
    #[serde(default)]
    gone: bool,
}

impl ContactMethod {
    /// `email Work (a…@example.org)`
    pub(super) fn named(&self) -> String {
        format!("{} {} ({})", self.kind, self.label, self.address_hint)
    }
}

/// The person that somebody names.
pub(super) fn named(api: &Api, given: &str) -> Result<User, Failure> {
    chosen(given::all(api, &["users"])?, given)
}

/// The ids of the people that somebody names.
pub(super) fn ids(api: &Api, people: &[String]) -> Result<Vec<String>, Failure> {
    let ids = people
        .iter()
        .map(|name| Ok(named(api, name)?.id.to_string()));
    ids.collect()
}

/// The one that is meant: by id, name or address; where nobody is called so, by a first name that only one has.
fn chosen(all: Vec<User>, given: &str) -> Result<User, Failure> {
    let wanted = given.trim().to_lowercase();
    let is_wanted = |text: &str| text.to_lowercase() == wanted;
    let is_whole = |one: &User| {
        is_wanted(one.name.as_str())
            || is_wanted(one.email.as_str())
            || one.id.as_str() == given.trim()
    };
    let is_first = |one: &User| {
        let first = one.name.as_str().split_whitespace().next();
        first.is_some_and(is_wanted)
    };
    if !all.iter().any(is_whole) {
        let meant: Vec<&User> = all.iter().filter(|one| is_first(one)).collect();
        match meant.as_slice() {
            [] => {}
            [one] => return Ok((*one).clone()),
            several => {
                let ids = several.iter().map(|one| one.id.as_str());
                return Err(given::several("person", given, &ids.collect::<Vec<_>>()));
            }
        }
    }
    choose(
        all,
        "person",
        given,
        |one| &one.id,
        |one| vec![&one.name, &one.email],
    )
}

pub(super) fn run(verb: &Verb, api: &Api, screen: &Screen) -> Result<(), Failure> {
    match verb {
        Verb::List => screen.show_list(&api.get(&["users"], &whole())?, list),
        Verb::Add { name, email, role } => {
            let answer = api.post(
                &["users"],
                &json!({ "name": name, "email": email, "role": role.word() }),
            )?;
            screen.show(&answer, |user: &User, _| {
                format!("Added {} as {}, id {}.\n", user.name, user.role, user.id)
                    + "They are paged only after a test page has confirmed a contact method: tocsin page test --user "
                    + user.id.as_str()
            })
        }
    }
}

fn list(all: &[User], look: &Look) -> String {
    let mut table = Table::new(&[
        "NAME",
        "ROLE",
        "ON CALL",
        "REACHABLE",
        "E-MAIL",
        "CONTACT METHODS",
        "ID",
    ]);
    for one in all {
        let reachable = if one.reachable {
            Cell::toned("yes", Tone::Good)
        } else {
            Cell::toned("no", Tone::Bad)
        };
        let methods: Vec<String> = one.contact_methods.iter().map(method).collect();
        table.row([
            (&one.name).into(),
            (&one.role).into(),
            if one.on_call { "yes".into() } else { "".into() },
            reachable,
            (&one.email).into(),
            methods.join(", ").into(),
            (&one.id).into(),
        ]);
    }
    table.draw(
        look,
        "There are no people: open the setup link that `tocsin serve` prints.",
    )
}

fn method(one: &ContactMethod) -> String {
    let standing = match (one.verified, one.gone) {
        (true, _) => "",
        (false, true) => ", gone for ever",
        (false, false) => ", not confirmed",
    };
    format!("{}{standing}", one.named())
}

#[cfg(test)]
mod tests {
    use super::super::api::Answer;
    use super::super::shape::List;
    use super::*;

    #[test]
    fn a_person_is_named_by_a_first_name_that_only_one_has() {
        let given = r#"{"items":[
            {"id":"Q1","name":"Ann","role":"admin","email":"ann@example.org"},
            {"id":"Q2","name":"Ann Other","role":"viewer","email":"other@example.org"},
            {"id":"Q3","name":"Bob Brown","role":"viewer","email":"bob@example.org"},
            {"id":"Q4","name":"Bob Green","role":"viewer","email":"green@example.org"},
            {"id":"Q5","name":"Cy Doe","role":"viewer","email":"cy@example.org"}]}"#;
        let check = |wanted: &str, expected: Result<&str, &str>| {
            let all: List<User> = Answer::of(given).parsed().unwrap();
            let found = chosen(all.items, wanted);
            let found = found.map(|one| one.id.to_string());
            let found = found.map_err(|failure| failure.to_string());
            assert_eq!(found.as_deref().map_err(String::as_str), expected);
        };
        check(" cy ", Ok("Q5"));
        check("Ann", Ok("Q1"));
        check("bob brown", Ok("Q3"));
        check("GREEN@example.org", Ok("Q4"));
        check(
            "bob",
            Err("several are called person “bob”; name one by its id: Q3, Q4"),
        );
        check(
            "doe",
            Err("there is no person “doe”; there is: Ann, Ann Other, Bob Brown, Bob Green, Cy Doe"),
        );
    }

    #[test]
    fn people_show_how_they_can_be_reached() {
        let given = r#"{"items":[
            {"id":"Q1","name":"Ann","role":"admin","email":"ann@example.org","on_call":true,"reachable":true,
             "notification_rules":[],"contact_methods":[
               {"id":"QC","kind":"email","label":"Work","address_hint":"a…@example.org","verified":true,"last_result":null},
               {"id":"QD","kind":"ntfy","label":"Phone","address_hint":"ntfy.sh/…","verified":false}]},
            {"id":"Q2","name":"Bob","role":"viewer","email":"b…@example.org","contact_methods":[
               {"id":"QE","kind":"web_push","label":"Laptop","address_hint":"push.example","verified":false,"gone":true}]}]}"#;
        let all: List<User> = Answer::of(given).parsed().unwrap();
        let drawn = list(&all.items, &Look::of_test());
        let methods = "email Work (a…@example.org), ntfy Phone (ntfy.sh/…), not confirmed";
        let expected = [
            format!(
                "NAME  ROLE    ON CALL  REACHABLE  E-MAIL           CONTACT METHODS{:width$}ID",
                "",
                width = 53
            ),
            format!("Ann   admin   yes      yes        ann@example.org  {methods}  Q1"),
            "Bob viewer no b…@example.org web_push Laptop (push.example), gone for ever Q2"
                .to_owned(),
        ];
        let words = |text: &str| {
            text.split_whitespace()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        for (line, expected) in drawn.lines().zip(&expected) {
            assert_eq!(words(line), words(expected));
        }
    }
}
