//! Which host a request says it is to: by HTTP/1.1 each says so once (RFC 9112, 3.2). Where it says so never, or twice, a proxy before
//! Tocsin may have taken it for another than it is taken for here. It knows no route.

use axum::extract::Request;
use axum::http::{Version, header};
use axum::middleware::Next;
use axum::response::Response;

use crate::front::words::Words;
use crate::http::problem::Problem;

/// Refuses what does not say its host as it must.
pub(crate) async fn said_once(request: Request, next: Next) -> Response {
    let hosts = request.headers().get_all(header::HOST).iter().count();
    if may_be_said(request.version(), hosts) {
        return next.run(request).await;
    }
    let why = "by HTTP/1.1 a request has the header Host, and has it once";
    Words::of_sender(&request).of(Problem::bad(why))
}

/// Whether a request of this version may have so many hosts among its headers. Before HTTP/1.1 there was none, and after it the address
/// itself names one.
fn may_be_said(version: Version, hosts: usize) -> bool {
    hosts == 1 || (hosts == 0 && version != Version::HTTP_11)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_said_once_and_by_http_1_1_always() {
        for (version, hosts, expected) in [
            (Version::HTTP_11, 1, true),
            (Version::HTTP_11, 0, false),
            (Version::HTTP_11, 2, false),
            (Version::HTTP_10, 0, true),
            (Version::HTTP_10, 2, false),
            (Version::HTTP_2, 0, true),
        ] {
            assert_eq!(may_be_said(version, hosts), expected, "{version:?} {hosts}");
        }
    }
}
