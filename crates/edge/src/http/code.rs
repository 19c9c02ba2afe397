//! Everything that is set up as files: written out, compared with what there is, and made true. What files mean is not known
//! here.

mod made;
mod shown;

use std::collections::{BTreeMap, BTreeSet};

use axum::Json;
use axum::extract::State;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use tocsin_domain::code::{Apply, Document, Fault, Kind, Part, describe, removals};
use tocsin_domain::command::{Ask, Refusal};
use tocsin_domain::decide::rehearse;
use tocsin_domain::event::Actor;
use tocsin_domain::id::{SecretId, UserId};
use tocsin_domain::people::{Role, User};
use tocsin_domain::service::Speaks;
use tocsin_domain::state;
use tocsin_domain::time::Timestamp;
use tocsin_wire::code::{File, Files, Mistake, canonical, read, write};
use utoipa::ToSchema;

use self::made::Made;
use self::shown::{Outlook, PlanShape};
use super::address;
use super::body::WithFiles;
use super::problem::Problem;
use super::roster::integration::TAKES_NO_MAIL;
use super::roster::key;
use super::underway;
use crate::access::who::Caller;
use crate::app::{App, Parts};
use crate::ports::StorageError;
use crate::secret;

/// A file.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CodeFile {
    /// Its name, which stands in front of what is wrong in it.
    name: String,
    /// TOML.
    text: String,
}

/// Everything that is set up, as files.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct CodeExport {
    /// Names this state of what is set up.
    fingerprint: String,
    files: Vec<CodeFile>,
}

/// Files to look at.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PlanRequest {
    /// All of them: what stands in none is not in the files.
    #[schema(min_items = 1, max_items = 200)]
    files: Vec<CodeFile>,
}

/// Files to make true.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ApplyRequest {
    /// All of them.
    #[schema(min_items = 1, max_items = 200)]
    files: Vec<CodeFile>,
    /// That of the plan: when something else is set up by now, nothing is changed.
    fingerprint: String,
}

/// What was made true.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Applied {
    /// What has changed.
    #[serde(flatten)]
    plan: PlanShape,
    /// Keys and addresses that were made, each shown once.
    made: Vec<Made>,
}

/// Everything that is set up, as files
#[utoipa::path(get, path = "/api/tocsin/v1/code", tag = "code", responses((status = 200, body = CodeExport)))]
pub(crate) async fn export_code(State(app): State<App>) -> Result<Json<CodeExport>, Problem> {
    let (state, now) = (app.read(state::State::set_up_alone), app.now());
    let document = app
        .blocking(move |parts| {
            let addresses = addresses(parts, &state)?;
            Ok(describe(&state, &addresses, now))
        })
        .await?;
    let files = write(&document).into_iter().map(|file| CodeFile {
        name: file.name,
        text: file.text,
    });
    Ok(Json(CodeExport {
        fingerprint: fingerprint(&document),
        files: files.collect(),
    }))
}

/// What files would change, and what that makes of who is on call; nothing is changed
#[utoipa::path(post, path = "/api/tocsin/v1/code/plan", tag = "code", request_body = PlanRequest,
    responses((status = 200, body = PlanShape), (status = 400), (status = 409)))]
pub(crate) async fn plan_code(
    State(app): State<App>,
    WithFiles(request): WithFiles<PlanRequest>,
) -> Result<Json<PlanShape>, Problem> {
    let planned = plan(&app, request.files).await?;
    planned.shown(&app).await.map(Json)
}

/// Make files true: all of them or nothing
#[utoipa::path(post, path = "/api/tocsin/v1/code/apply", tag = "code", request_body = ApplyRequest,
    responses((status = 200, body = Applied), (status = 400), (status = 409)))]
pub(crate) async fn apply_code(
    State(app): State<App>,
    caller: Caller,
    WithFiles(request): WithFiles<ApplyRequest>,
) -> Result<Json<Applied>, Problem> {
    let planned = plan(&app, request.files).await?;
    if fingerprint(&planned.apply.standing) != request.fingerprint {
        return Err(Problem::conflict(
            "what is set up has changed since this was planned: plan it again, look at it, then apply it",
        ));
    }
    if planned.makes_an_administrator() {
        caller.may_give(Role::Admin)?;
    }
    // On a task of its own: a client that hangs up would else leave the rows of who was to come, and those block their addresses.
    let work = underway::to_the_end(async move { make_true(&app, &caller, planned).await });
    let unfinished = || Problem::internal("the files were not carried out to their end");
    work.await.ok_or_else(unfinished)?.map(Json)
}

async fn make_true(app: &App, caller: &Caller, planned: Planned) -> Result<Applied, Problem> {
    let goes = made::rows_of_removed(&planned.before, &planned.apply);
    let mut apply = planned.apply.clone();
    // Before anything is changed: once it is true, nothing may come between a key that is shown once and whoever asked.
    let plan = planned.shown(app).await?;
    // Rows come last: whatever is refused before leaves none.
    let made = made::keys(app, &mut apply)?;
    let rows = made::people(app, &mut apply).await?;
    let asked = asked_in_turn(app, &caller.actor, Ask::Apply(Box::new(apply))).await;
    if let Err(problem) = asked {
        // While it is not certain that nothing was kept, what was made for it stays: the next start removes what is nobody's.
        if problem.outcome_known() {
            app.blocking(move |parts| parts.vault.remove(&rows)).await?;
        }
        return Err(problem);
    }
    forget(app, goes).await;
    Ok(Applied { plan, made })
}

/// Asks for it in every turn that it needs, or in none when one does not come. Subscriptions go with their services and teams: one
/// that is changed meanwhile would leave a row behind that nothing names.
async fn asked_in_turn(app: &App, actor: &Actor, ask: Ask) -> Result<(), Problem> {
    let _of_webhooks = App::turn(&app.inner().webhook_changes).await?;
    let _of_keys = App::turn(&app.inner().key_changes).await?;
    key::removed_in_turn(app, actor, ask).await
}

/// Deletes what is kept of everybody who went. The files are true by now, so what fails here stands in the log alone.
async fn forget(app: &App, goes: Vec<(UserId, Vec<SecretId>)>) {
    let forgotten = app
        .blocking(move |parts| {
            for (user, rows) in goes {
                let failed = [
                    parts.accounts.forget_user(user).err(),
                    parts.vault.remove(&rows).err(),
                ];
                for error in failed.into_iter().flatten() {
                    tracing::warn!(%user, why = %error.why, "what is kept of somebody who was removed by files stays");
                }
            }
            Ok(())
        })
        .await;
    if forgotten.is_err() {
        tracing::warn!("what is kept of what was removed by files may stay");
    }
}

/// Files that were read and played through.
struct Planned {
    before: state::State,
    after: state::State,
    apply: Apply,
    /// Every address, with stand-ins' rows.
    addresses: BTreeMap<SecretId, String>,
    kept: Vec<Part>,
    now: Timestamp,
}

impl Planned {
    /// Whether somebody is an administrator by them who is none without.
    fn makes_an_administrator(&self) -> bool {
        let is_made = |user: &User| {
            let before = self.before.users.get(&user.id).map(|user| user.role);
            user.role == Role::Admin && before != Some(Role::Admin)
        };
        self.after.users.values().any(is_made)
    }

    async fn shown(self, app: &App) -> Result<PlanShape, Problem> {
        let fingerprint = fingerprint(&self.apply.standing);
        let set_up = app.what_is_set_up().await?;
        let outlook = Outlook {
            standing: self.apply.standing,
            before: self.before,
            after: self.after,
            addresses: self.addresses,
            kept: self.kept,
            set_up,
            now: self.now,
        };
        app.rendered(move || Ok(outlook.shown(fingerprint))).await
    }
}

/// Reads files and plays them through on a copy.
async fn plan(app: &App, files: Vec<CodeFile>) -> Result<Planned, Problem> {
    let files = files.into_iter().map(|file| File {
        name: file.name,
        text: file.text,
    });
    let files: Vec<File> = files.collect();
    let reading = app.rendered(move || read(&files).map_err(|mistakes| refused(&mistakes)));
    let (wanted, places) = reading.await?;
    let (before, now) = (app.read(|state| stage(state, &wanted)), app.now());
    let (before, addresses) = app
        .blocking(move |parts| {
            let addresses = addresses(parts, &before)?;
            Ok((before, addresses))
        })
        .await?;
    let takes_mail = app.settings.mail_domain.is_some();
    app.rendered(move || {
        let standing = describe(&before, &addresses, now);
        let (removed, kept) = removals(&before, &standing, &wanted);
        let apply = Apply {
            standing,
            wanted,
            removed,
            addresses,
            ..Apply::default()
        };
        let mut wrong = wrong_addresses(&apply, &places);
        if !takes_mail {
            wrong.extend(wrong_mail(&apply, &places));
        }
        if !wrong.is_empty() {
            return Err(refused(&wrong));
        }
        let rehearsed = apply.clone().with_stand_ins();
        let after = rehearse(&before, &rehearsed, now)
            .map_err(|fault| refused(&places.mistakes(&fault)))?;
        Ok(Planned {
            before,
            after,
            apply,
            addresses: rehearsed.addresses,
            kept,
            now,
        })
    })
    .await
}

/// The copy that files are played through on. What fails is on it where they may remove a service: it refuses to go for that.
fn stage(state: &state::State, wanted: &Document) -> state::State {
    if wanted.manage.removes(Kind::Services) {
        state.set_up_with_what_fails()
    } else {
        state.set_up_alone()
    }
}

/// Somebody who comes needs an address that mail can go to.
fn wrong_addresses(apply: &Apply, places: &Files) -> Vec<Mistake> {
    let wrong = apply.added(Kind::Users).into_iter().filter_map(|part| {
        let reason = address::mail(&part.name).err()?;
        let refusal = Refusal::Invalid {
            reasons: vec![format!("email: {reason}")],
        };
        Some(places.mistakes(&Fault { part, refusal }))
    });
    wrong.flatten().collect()
}

/// An integration that comes and speaks by mail needs a server that takes it.
fn wrong_mail(apply: &Apply, places: &Files) -> Vec<Mistake> {
    let added: BTreeSet<Part> = apply.added(Kind::Integrations).into_iter().collect();
    let mut wrong = Vec::new();
    for service in &apply.wanted.services {
        let all = service.integrations.iter();
        for one in all.filter(|one| one.kind == Speaks::Email) {
            let part = Part::integration(&service.name, &one.name);
            if !added.contains(&part) {
                continue;
            }
            let refusal = Refusal::Invalid {
                reasons: vec![format!("kind: {TAKES_NO_MAIL}")],
            };
            wrong.extend(places.mistakes(&Fault { part, refusal }));
        }
    }
    wrong
}

fn refused(mistakes: &[Mistake]) -> Problem {
    Problem::invalid(mistakes.iter().map(ToString::to_string).collect())
}

/// Names a state of what is set up.
fn fingerprint(standing: &Document) -> String {
    secret::key_hash(&canonical(standing))
}

/// The addresses that everybody signs in with, by their vault rows.
fn addresses(
    parts: &Parts,
    state: &state::State,
) -> Result<BTreeMap<SecretId, String>, StorageError> {
    let mut found = BTreeMap::new();
    for user in state.users.values() {
        if let Some(address) = parts.vault.get(user.email)? {
            found.insert(user.email, address.expose_secret().to_owned());
        }
    }
    Ok(found)
}
