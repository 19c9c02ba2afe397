//! Which requests come from clients of Opsgenie, by their paths and by how they send a key. It answers none.

use axum::extract::Request;
use axum::http::header;

use super::PREFIX;

/// What every path about alerts begins with.
const ALERTS: &str = "/v2/alerts";
/// Under this are Tocsin's own API, and those of others that are none of Opsgenie's.
const OWN: &str = "/api/";

/// The path without the front's own prefix, and whether it had that.
pub(super) fn unprefixed(path: &str) -> (&str, bool) {
    match path.strip_prefix(PREFIX) {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => (rest, true),
        Some(_) | None => (path, false),
    }
}

pub(super) fn is_about_alerts(path: &str) -> bool {
    let rest = path.strip_prefix(ALERTS);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Whether a request that no route takes comes from a client of Opsgenie.
pub(crate) fn is_meant(request: &Request) -> bool {
    let (path, is_prefixed) = unprefixed(request.uri().path());
    let keys = request.headers().get_all(header::AUTHORIZATION);
    let mut keys = keys.into_iter().filter_map(|value| value.to_str().ok());
    is_prefixed
        || is_about_alerts(path)
        // Tocsin's own API takes a key in any form, and is not Opsgenie's.
        || (!path.starts_with(OWN) && keys.any(is_their_key))
}

/// Whether a key is sent in the form that clients of Opsgenie have, and others have not: `GenieKey KEY`.
fn is_their_key(value: &str) -> bool {
    let scheme = value.trim().split_once(' ').map(|(scheme, _)| scheme);
    scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case("geniekey"))
}
