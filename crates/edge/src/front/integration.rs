//! What fronts with keys share: whose key it is, how often it may be used, and what an alert of a mapping asks the core.

use axum::http::{HeaderMap, StatusCode, header};
use subtle::ConstantTimeEq;
use tocsin_domain::command::AlertAsk;
use tocsin_domain::service::Integration;
use tocsin_wire::mapping::{Action, Mapped};

use crate::access::base64;
use crate::app::App;
use crate::http::problem::Problem;
use crate::secret::key_hash;

/// After so many seconds a refusal that passes is worth another try.
pub(crate) const PASSING_RETRY_S: u64 = 10;
/// Bytes of a key at most.
const KEY_BYTES_MAX: usize = 128;

/// The integration whose key this is: the one that it was found to be of before, if it is its key still. Else all are compared, so
/// that time tells nothing.
pub(crate) fn of_key(app: &App, key: &str) -> Option<Integration> {
    let hash = key_hash(key);
    let known_keys = &app.inner().known_keys;
    if let Some(id) = known_keys.find(&hash) {
        let known = app.read(|state| {
            let known = state.integrations.get(&id);
            known.filter(|one| has_key(one, &hash)).cloned()
        });
        if known.is_some() {
            return known;
        }
    }
    let found = app.read(|state| {
        let mut found = None;
        for one in state.integrations.values() {
            if has_key(one, &hash) {
                found = Some(one);
            }
        }
        found.cloned()
    })?;
    known_keys.remember(hash, found.id);
    Some(found)
}

fn has_key(integration: &Integration, hash: &str) -> bool {
    let own = integration.key_hash.as_bytes();
    bool::from(own.ct_eq(hash.as_bytes()))
}

/// The key in a header: as a bearer, as Opsgenie's clients send it, or as the password of HTTP Basic.
pub(crate) fn key_in(headers: &HeaderMap) -> Option<String> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return None;
    };
    let (scheme, rest) = value.to_str().ok()?.trim().split_once(' ')?;
    let rest = rest.trim();
    let key = if scheme.eq_ignore_ascii_case("basic") {
        let pair = String::from_utf8(base64::decode(rest, KEY_BYTES_MAX)?).ok()?;
        pair.split_once(':')?.1.to_owned()
    } else if scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("geniekey") {
        rest.to_owned()
    } else {
        return None;
    };
    (!key.is_empty() && key.len() <= KEY_BYTES_MAX).then_some(key)
}

/// Takes from the limit of an integration. The error is the wait in seconds.
pub(crate) fn take_turn(app: &App, integration: &Integration) -> Result<(), u64> {
    let limit = &app.inner().front_limit;
    limit.take(integration.id.as_str(), app.now())
}

/// Whether a refusal is not the sender's fault and goes away: then it gets a status after which clients send again. None of
/// them does so after 507.
pub(crate) fn will_pass(problem: &Problem) -> bool {
    [
        StatusCode::CONFLICT,
        StatusCode::NOT_FOUND,
        StatusCode::INSUFFICIENT_STORAGE,
    ]
    .contains(&problem.status())
}

/// What an alert of a mapping asks, and its key. `new_key` makes one for what fails without any.
pub(crate) fn ask_of(
    integration: &Integration,
    alert: Mapped,
    new_key: impl FnOnce() -> Result<String, Problem>,
) -> Result<(String, AlertAsk), Problem> {
    let (service, by) = (integration.service, Some(integration.id));
    let dedup_key = if !alert.dedup_key.trim().is_empty() {
        alert.dedup_key
    } else if alert.action == Action::Trigger {
        new_key()?
    } else {
        return Err(Problem::bad(
            "the mapping finds no dedup_key and no title that says which alert it is",
        ));
    };
    let ask = match alert.action {
        Action::Trigger | Action::Ignore => {
            let mut details = alert.details;
            let notes = alert.notes.into_iter();
            details.extend(notes.map(|note| ("Note".to_owned(), note)));
            AlertAsk::Trigger {
                service: Some(service),
                integration: by,
                dedup_key: Some(dedup_key.clone()),
                severity: alert.severity,
                title: alert.title,
                summary: alert.summary,
                details,
                sent_details: None,
                at: alert.at,
            }
        }
        Action::Acknowledge => AlertAsk::AcknowledgeByKey {
            service,
            integration: by,
            dedup_key: dedup_key.clone(),
        },
        Action::Resolve => AlertAsk::ResolveByKey {
            service,
            integration: by,
            dedup_key: dedup_key.clone(),
        },
    };
    Ok((dedup_key, ask))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_in_the_forms_that_senders_have() {
        let check = |value: &str, expected: Option<&str>| {
            let mut headers = HeaderMap::new();
            headers.insert(header::AUTHORIZATION, value.parse().unwrap());
            assert_eq!(key_in(&headers).as_deref(), expected, "{value}");
        };
        check("Bearer abc", Some("abc"));
        check("GenieKey abc", Some("abc"));
        check("geniekey  abc ", Some("abc"));
        // "grafana:abc"
        check("Basic Z3JhZmFuYTphYmM=", Some("abc"));
        check("Basic !", None);
        check("Digest abc", None);
        check("Bearer ", None);
        check(&format!("Bearer {}", "x".repeat(200)), None);
        let mut twice = HeaderMap::new();
        twice.append(header::AUTHORIZATION, "Bearer a".parse().unwrap());
        twice.append(header::AUTHORIZATION, "Bearer b".parse().unwrap());
        assert_eq!(key_in(&twice), None);
    }
}
