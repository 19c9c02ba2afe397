//! The browser's side, built into the binary: precompressed files, routes of the application, a page for when it was not built.

use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use rust_embed::{Embed, EmbeddedFile};

use crate::http::problem::Problem;

#[derive(Embed)]
#[folder = "../../web/dist"]
#[allow_missing = true]
struct Files;

/// What is served when the browser's side was not built.
const PLACEHOLDER: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Tocsin</title>\
    <h1>Tocsin runs, but without its pages</h1><p>This binary was built without the browser's side. \
    <code>cargo xtask build</code> builds it in. The API is at <code>/api/tocsin/v1</code>.</p></html>";

/// To the pages
#[utoipa::path(get, path = "/", tag = "ui", responses((status = 303)))]
pub(crate) async fn root() -> Redirect {
    Redirect::to("/ui/")
}

/// The first page
#[utoipa::path(get, path = "/ui/", tag = "ui", responses((status = 200, content_type = "text/html", body = String)))]
pub(crate) async fn index(headers: HeaderMap) -> Response {
    page(&headers)
}

/// The first page, by its name without a slash
#[utoipa::path(get, path = "/ui", tag = "ui", responses((status = 303)))]
pub(crate) async fn without_slash() -> Redirect {
    Redirect::to("/ui/")
}

/// A file, or a route of the application
#[utoipa::path(get, path = "/ui/{*path}", tag = "ui", params(("path" = String, Path)),
    responses((status = 200, content_type = "text/html", body = String), (status = 404)))]
pub(crate) async fn file(Path(path): Path<String>, headers: HeaderMap) -> Response {
    // Compressed siblings are a form of their file, not files of their own.
    let is_form = path.ends_with(".br") || path.ends_with(".gz");
    if !is_form && let Some(found) = embedded(&path, &headers) {
        return found;
    }
    let is_file = path.starts_with("assets/")
        || path
            .rsplit('/')
            .next()
            .is_some_and(|name| name.contains('.'));
    if is_file {
        Problem::not_found("such file").into_response()
    } else {
        page(&headers)
    }
}

/// Every route of the application is this page: it finds its way by the address.
fn page(headers: &HeaderMap) -> Response {
    embedded("index.html", headers).unwrap_or_else(|| {
        (
            [(header::CONTENT_TYPE, "text/html; charset=utf-8")],
            PLACEHOLDER,
        )
            .into_response()
    })
}

fn embedded(path: &str, headers: &HeaderMap) -> Option<Response> {
    let plain = Files::get(path)?;
    let (file, encoding) = smallest(path, plain, headers);
    let mut response = (StatusCode::OK, file.data).into_response();
    let out = response.headers_mut();
    out.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind(path)));
    // Hashed names never change their content; everything else is asked for each time.
    let caching = if path.starts_with("assets/") {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    out.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    out.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if let Some(encoding) = encoding {
        out.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    Some(response)
}

fn smallest(
    path: &str,
    plain: EmbeddedFile,
    headers: &HeaderMap,
) -> (EmbeddedFile, Option<&'static str>) {
    let accepted = headers
        .get(header::ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let takes = |name: &str| accepted.split(',').any(|one| is_accepted(one, name));
    for (name, ending) in [("br", "br"), ("gzip", "gz")] {
        if takes(name)
            && let Some(file) = Files::get(&format!("{path}.{ending}"))
        {
            return (file, Some(name));
        }
    }
    (plain, None)
}

/// Whether `gzip;q=0.5` accepts gzip; a weight of zero refuses it.
fn is_accepted(entry: &str, name: &str) -> bool {
    let mut parts = entry.split(';').map(str::trim);
    let same = parts
        .next()
        .is_some_and(|one| one.eq_ignore_ascii_case(name));
    let refused = parts.any(|weight| {
        weight
            .strip_prefix("q=")
            .is_some_and(|weight| weight.parse::<f32>().is_ok_and(|weight| weight <= 0.0))
    });
    same && !refused
}

fn kind(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "json" => "application/json",
        "webmanifest" => "application/manifest+json",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_given_only_to_who_accepts_it() {
        assert!(is_accepted(" br", "br"));
        assert!(is_accepted("gzip;q=0.5", "gzip"));
        assert!(!is_accepted("gzip;q=0", "gzip"));
        assert!(!is_accepted("deflate", "gzip"));
    }
}
