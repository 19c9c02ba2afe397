//! What must be made before files can become true: vault rows of people who come, keys of integrations and heartbeats. It
//! decides nothing.

use secrecy::SecretString;
use serde::Serialize;
use tocsin_domain::code::{Apply, Kind, NewPerson, Part};
use tocsin_domain::id::{SecretId, UserId};
use tocsin_domain::state;
use utoipa::ToSchema;

use crate::app::{App, Parts};
use crate::http::disclosed::Disclosed;
use crate::http::people::rows_of;
use crate::http::problem::Problem;
use crate::http::roster::integration::IntegrationKind;
use crate::http::{address, intake, roster};
use crate::ports::StorageError;
use crate::secret;

/// Something that was made with a secret, which is shown once.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Made {
    /// An integration.
    Integration {
        /// The names of its service and of itself.
        name: String,
        /// By which alerts are raised.
        #[schema(value_type = String)]
        routing_key: Disclosed,
        /// Where its sender is pointed to.
        #[schema(value_type = String)]
        address: Disclosed,
    },
    /// A heartbeat.
    Heartbeat {
        /// Its name.
        name: String,
        /// Where its job calls.
        #[schema(value_type = String)]
        url: Disclosed,
    },
}

/// Makes vault rows for everybody who comes; gives all of them, to be removed when nothing comes of it.
pub(super) async fn people(app: &App, apply: &mut Apply) -> Result<Vec<SecretId>, Problem> {
    let mut wanted = Vec::new();
    for part in apply.added(Kind::Users) {
        let address = address::mail(&part.name).map_err(Problem::bad)?;
        let digits = secret::digits();
        let code = digits.map_err(|_| Problem::internal("the system gives no random bytes"))?;
        wanted.push((part.name, address, SecretString::from(code)));
    }
    let made = app
        .blocking(move |parts| {
            let mut rows = Vec::new();
            let made = kept(parts, wanted, &mut rows);
            // A row blocks its address for everybody: none stays when not all could be made.
            if !matches!(made, Ok(Ok(_))) {
                parts.vault.remove(&rows)?;
            }
            Ok(made?.map(|made| (made, rows)))
        })
        .await?;
    let (made, rows) = made.map_err(|name| {
        Problem::conflict(format!(
            "somebody has the address {name} already: plan again"
        ))
    })?;
    for (name, person) in made {
        apply.addresses.insert(person.email, name.clone());
        apply.newcomers.insert(name, person);
    }
    Ok(rows)
}

/// The rows of who comes, by their addresses.
type Newcomers = Vec<(String, NewPerson)>;

/// Keeps the addresses and codes of who comes, and notes each row that was made; or gives the address that is taken.
fn kept(
    parts: &Parts,
    wanted: Vec<(String, SecretString, SecretString)>,
    rows: &mut Vec<SecretId>,
) -> Result<Result<Newcomers, String>, StorageError> {
    let mut made = Vec::new();
    for (name, address, code) in wanted {
        let Some(email) = parts.vault.put_sign_in(&address)? else {
            return Ok(Err(name));
        };
        rows.push(email);
        let pending_code = parts.vault.put(&code, None)?;
        rows.push(pending_code);
        let person = NewPerson {
            email,
            pending_code,
        };
        made.push((name, person));
    }
    Ok(Ok(made))
}

/// Makes the keys of integrations and heartbeats that come.
pub(super) fn keys(app: &App, apply: &mut Apply) -> Result<Vec<Made>, Problem> {
    let mut made = Vec::new();
    let chars = [
        (Kind::Integrations, roster::service::ROUTING_KEY_CHARS),
        (Kind::Heartbeats, intake::heartbeat::TOKEN_CHARS),
    ];
    for (kind, count) in chars {
        for part in apply.added(kind) {
            let key = secret::letters(count);
            let key = key.map_err(|_| Problem::internal("the system gives no random bytes"))?;
            let name = part.name.clone();
            let (one, key) = if kind == Kind::Integrations {
                let speaks = speaks(apply, &part);
                let routing_key = speaks.key(key);
                let address = speaks.address(app, &routing_key)?;
                let made = Made::Integration {
                    name,
                    routing_key: routing_key.clone().into(),
                    address: address.into(),
                };
                (made, routing_key)
            } else {
                let url = format!("{}/hb/{key}", app.settings.public_url).into();
                (Made::Heartbeat { name, url }, key)
            };
            apply.key_hashes.insert(part, secret::key_hash(&key));
            made.push(one);
        }
    }
    Ok(made)
}

/// How an integration speaks that comes. What goes together in no way is refused when it is made true.
fn speaks(apply: &Apply, part: &Part) -> IntegrationKind {
    let services = apply.wanted.services.iter();
    let mut all = services.flat_map(|service| {
        let own = service.integrations.iter();
        own.map(|one| (Part::integration(&service.name, &one.name), one))
    });
    let found = all.find(|(known, _)| known == part);
    let kind = found.and_then(|(_, one)| one.kind().ok());
    kind.map_or(IntegrationKind::default(), |kind| {
        IntegrationKind::of(&kind)
    })
}

/// The vault rows of everybody who goes.
pub(super) fn rows_of_removed(
    before: &state::State,
    apply: &Apply,
) -> Vec<(UserId, Vec<SecretId>)> {
    let gone = apply
        .removed
        .iter()
        .filter(|part| part.kind == Kind::Users)
        .map(|part| part.name.as_str());
    let gone: Vec<&str> = gone.collect();
    let users = before.users.values().filter(|user| {
        let address = apply.addresses.get(&user.email);
        address.is_some_and(|text| gone.contains(&text.to_lowercase().as_str()))
    });
    users.map(|user| (user.id, rows_of(user))).collect()
}
