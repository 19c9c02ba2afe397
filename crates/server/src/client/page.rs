//! `tocsin page test`: a test page by every way to reach a person, and what became of it. It decides nothing about real pages.

use clap::Subcommand;
use serde_json::json;

use super::api::Api;
use super::failure::Failure;
use super::given::choose;
use super::notification::{Followed, follow, pause};
use super::screen::Screen;
use super::user::{self, ContactMethod, User};

/// What can be done with pages.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Verb {
    /// Send a test page by every contact method of a person, and wait for what becomes of it
    Test {
        /// Whom: mail address, name or id; without it, the owner of the token
        #[arg(long)]
        user: Option<String>,
        /// Only by this contact method: its label, kind or id
        #[arg(long)]
        method: Option<String>,
    },
}

pub(super) fn run(verb: &Verb, api: &Api, screen: &Screen) -> Result<(), Failure> {
    let Verb::Test { user, method } = verb;
    let person = match user {
        Some(given) => user::named(api, given)?,
        None => api
            .get(&["me"], &[])
            .and_then(|answer| answer.parsed())
            .map_err(without_person)?,
    };
    let methods = wanted(&person, method.as_deref())?;
    test(api, screen, &person, &methods, &mut pause)
}

/// A token of the installation is nobody's.
fn without_person(failure: Failure) -> Failure {
    match failure {
        Failure::Refused(text) => {
            Failure::Refused(format!("{text}\n  Or say whom to page by --user."))
        }
        Failure::Usage(_) | Failure::Unreachable(_) | Failure::ReaderGone => failure,
    }
}

fn wanted<'u>(person: &'u User, method: Option<&str>) -> Result<Vec<&'u ContactMethod>, Failure> {
    let all: Vec<&ContactMethod> = person.contact_methods.iter().collect();
    if all.is_empty() {
        let text = format!(
            "{} has no contact method; add one under People in the browser",
            person.name
        );
        return Err(Failure::Refused(text));
    }
    let Some(given) = method else { return Ok(all) };
    choose(
        all,
        "contact method",
        given,
        |one| &one.id,
        |one| vec![&one.label, &one.kind],
    )
    .map(|one| vec![one])
}

/// Sends the test pages and follows them. One that cannot even be planned does not keep the others from being tried.
pub(super) fn test(
    api: &Api,
    screen: &Screen,
    person: &User,
    methods: &[&ContactMethod],
    pause: &mut dyn FnMut(),
) -> Result<(), Failure> {
    let (mut followed, mut bad) = (Vec::new(), Vec::new());
    for method in methods {
        let path = [
            "users",
            person.id.as_str(),
            "contact-methods",
            method.id.as_str(),
            "test",
        ];
        match api.post(&path, &json!({})) {
            Ok(answer) => followed.push(Followed::new(method.named(), answer.parsed()?)),
            Err(Failure::Refused(why)) => {
                bad.push(format!("{} could not be tried: {why}", method.named()));
                continue;
            }
            Err(failure) => return Err(failure),
        }
        if !screen.wants_json() {
            screen.say(&announced(person, method))?;
        }
    }
    follow(api, screen, followed, bad, pause)
}

fn announced(person: &User, method: &ContactMethod) -> String {
    let code = if method.verified {
        ""
    } else {
        "; it carries the code that confirms this way"
    };
    format!("Test page to {} by {}{code}", person.name, method.named())
}
