//! What every request passes, whatever its route: a slash at its end left out, limits of time and number, headers that protect a
//! browser, compression.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderName, HeaderValue, Uri, header};
use axum::middleware::{Next, from_fn_with_state, map_request};
use axum::response::Response;
use tokio::sync::Semaphore;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, Predicate, SizeAbove};

use super::problem::Problem;
use super::share::{Share, Shares};
use super::unread;
use crate::access::authenticate::peer_in;
use crate::access::origin::client_ip;
use crate::access::throttle::network;
use crate::app::App;
use crate::front::prometheus;
use crate::front::words::Words;

/// Requests that are worked on at the same time.
const REQUESTS_AT_ONCE: usize = 1_024;
/// Of those, requests from one address: somebody who sends many slow ones must not take every place. This machine itself is not
/// limited, since a proxy on it may not tell its clients apart.
const REQUESTS_OF_ADDRESS: usize = 128;
/// A request must be answered within this time; the live stream answers at once and goes on.
const REQUEST_WAIT: Duration = Duration::from_secs(60);
/// Smaller answers are not worth compressing.
const COMPRESS_FROM_BYTES: u16 = 1_024;

/// Nothing but our own files, no frames, no plugins. Style attributes are allowed, since charts and transitions set them.
const CONTENT_POLICY: &str = "default-src 'self'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; \
    img-src 'self' data:; font-src 'self'; connect-src 'self'; worker-src 'self'; manifest-src 'self'; object-src 'none'; \
    base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// A request that no route takes is refused in the words of whom its client believes to speak to.
fn refused(request: &Request, problem: Problem) -> Response {
    Words::of_sender(request).of_no_route(request.uri().path(), problem)
}

#[derive(Clone)]
struct Around {
    app: App,
    places: Arc<Semaphore>,
    by_address: Shares,
}

/// Puts the layers around the routes.
pub(crate) fn around(router: Router, app: App) -> Router {
    let around = Around {
        app,
        places: Arc::new(Semaphore::new(REQUESTS_AT_ONCE)),
        by_address: Shares::new(REQUESTS_OF_ADDRESS),
    };
    let worth = DefaultPredicate::new().and(SizeAbove::new(COMPRESS_FROM_BYTES));
    let routed = router
        .fallback(async |request: Request| refused(&request, Problem::not_found("such path")))
        .method_not_allowed_fallback(async |request: Request| {
            refused(&request, Problem::method_not_allowed())
        })
        .layer(CompressionLayer::new().compress_when(worth))
        .layer(from_fn_with_state(around, guard));
    // A layer of the routes comes after a route was chosen, so they are the only route of another router.
    Router::new()
        .fallback_service(routed)
        .layer(map_request(without_slash))
}

/// Some clients of those whose APIs are spoken here end every path with a slash: it means the same without.
async fn without_slash(mut request: Request) -> Request {
    if let Some(uri) = shortened(request.uri()) {
        *request.uri_mut() = uri;
    }
    request
}

/// An address without the slash at the end of its path; none where there is none, or where it belongs to a page.
fn shortened(uri: &Uri) -> Option<Uri> {
    let path = uri.path();
    let rest = path.strip_suffix('/').filter(|rest| !rest.is_empty())?;
    if path.starts_with("/ui/") {
        return None;
    }
    let target = match uri.query() {
        None => rest.to_owned(),
        Some(query) => format!("{rest}?{query}"),
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(target).ok()?);
    Uri::from_parts(parts).ok()
}

async fn guard(State(around): State<Around>, mut request: Request, next: Next) -> Response {
    name_host(&mut request);
    let is_api = !request.uri().path().starts_with("/ui");
    let wait = prometheus::request_wait(request.uri().path()).unwrap_or(REQUEST_WAIT);
    let words = Words::of_sender(&request);
    let too_many = || {
        words.of(Problem::unavailable(
            "too many requests at once; send it again in a moment",
        ))
    };
    let share = share_of(&around, &request);
    let lent = unread::lend(&mut request);
    let place = around.places.try_acquire();
    let mut response = match (share, place) {
        (Err(Full), _) | (_, Err(_)) => too_many(),
        (Ok(_share), Ok(_place)) => match tokio::time::timeout(wait, next.run(request)).await {
            Ok(response) => response,
            Err(_) => words.of(Problem::unavailable(
                "the answer took too long; look before you repeat it",
            )),
        },
    };
    protect(&around.app, is_api, &mut response);
    around.app.inner().requests.count(response.status());
    if let Some(lent) = lent {
        lent.settle(&mut response).await;
    }
    response
}

/// HTTP/2 names the host in the address of the request: whoever looks for it finds it under its one name.
fn name_host(request: &mut Request) {
    if request.headers().contains_key(header::HOST) {
        return;
    }
    let named = request.uri().authority().map(|authority| {
        let host = authority.as_str().rsplit('@').next().unwrap_or_default();
        HeaderValue::from_str(host)
    });
    if let Some(Ok(host)) = named {
        request.headers_mut().insert(header::HOST, host);
    }
}

/// An address has no place left.
struct Full;

/// The place of the request's address; none is needed from this machine itself.
fn share_of(around: &Around, request: &Request) -> Result<Option<Share>, Full> {
    let settings = &around.app.settings;
    let peer = peer_in(request.extensions());
    let address = client_ip(request.headers(), peer, settings.behind_proxy);
    let Some(address) = address.filter(|address| !address.to_canonical().is_loopback()) else {
        return Ok(None);
    };
    let holder = network(address).to_string();
    around.by_address.take(holder).map(Some).ok_or(Full)
}

fn protect(app: &App, is_api: bool, response: &mut Response) {
    let headers = response.headers_mut();
    let mut set = |name: HeaderName, value: &'static str| {
        // A handler that said something stricter itself is left alone.
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    };
    set(header::CONTENT_SECURITY_POLICY, CONTENT_POLICY);
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::REFERRER_POLICY, "no-referrer");
    set(header::X_FRAME_OPTIONS, "DENY");
    set(
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    );
    set(
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    );
    set(
        HeaderName::from_static("permissions-policy"),
        "camera=(), microphone=(), geolocation=(), payment=()",
    );
    if app.settings.is_https() {
        set(header::STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
    if is_api {
        set(header::CACHE_CONTROL, "no-store");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_slash_at_the_end_of_a_path_is_left_out_and_all_else_stays() {
        for (given, expected) in [
            ("/v2/enqueue/", Some("/v2/enqueue")),
            (
                "/v2/alerts/a%2F/close/?identifierType=alias&x=/",
                Some("/v2/alerts/a%2F/close?identifierType=alias&x=/"),
            ),
            (
                "https://tocsin.example/services/?a",
                Some("https://tocsin.example/services?a"),
            ),
            ("/pagerduty/", Some("/pagerduty")),
            ("/services//", Some("/services/")),
            ("/services?query=/", None),
            ("/", None),
            ("/?a", None),
            ("/ui/", None),
            ("/ui/incidents/", None),
        ] {
            let uri: Uri = given.parse().unwrap();
            let expected: Option<Uri> = expected.map(|text| text.parse().unwrap());
            assert_eq!(shortened(&uri), expected, "{given}");
        }
    }
}
