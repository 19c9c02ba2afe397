//! Whether a browser says that a request comes from our own pages, and whether a request is from this machine itself.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, header};

/// Whether this may be a request that another site made a browser send. Browsers tell by `Sec-Fetch-Site`, older ones by
/// `Origin`; programs send neither.
pub(crate) fn is_foreign(headers: &HeaderMap, public_url: &str) -> bool {
    match headers.get("sec-fetch-site").map(|value| value.as_bytes()) {
        Some(b"same-origin" | b"none") => return false,
        Some(_) => return true,
        None => {}
    }
    let Some(origin) = headers.get(header::ORIGIN) else {
        return false;
    };
    let Ok(origin) = origin.to_str() else {
        return true;
    };
    if origin.eq_ignore_ascii_case(public_url) {
        return false;
    }
    // The Host header is compared, never used: a browser lets no page choose it.
    let host = headers
        .get(header::HOST)
        .and_then(|value| value.to_str().ok());
    match (origin.split_once("://"), host) {
        (Some((_, of_origin)), Some(host)) => !of_origin.eq_ignore_ascii_case(host),
        _ => true,
    }
}

/// Whether a request that changes something says at all where it comes from; a cookie alone is not enough.
pub(crate) fn says_where_from(headers: &HeaderMap) -> bool {
    headers.contains_key("sec-fetch-site") || headers.contains_key(header::ORIGIN)
}

/// Whether a request comes from this machine, asks for this machine and was handed on by nobody.
pub(crate) fn is_local(headers: &HeaderMap, peer: Option<SocketAddr>) -> bool {
    let forwarded = [
        "forwarded",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-real-ip",
        "via",
        "origin",
    ];
    let by_nobody = forwarded.iter().all(|name| !headers.contains_key(*name));
    let host = headers
        .get(header::HOST)
        .and_then(|value| value.to_str().ok());
    by_nobody
        && peer.is_some_and(|peer| peer.ip().is_loopback())
        && host.is_some_and(is_loopback_host)
}

fn is_loopback_host(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// The client's address: the peer's, or what the trusted proxy in front says.
pub(crate) fn client_ip(
    headers: &HeaderMap,
    peer: Option<SocketAddr>,
    behind_proxy: bool,
) -> Option<IpAddr> {
    let told = || {
        let last = headers
            .get_all("x-forwarded-for")
            .iter()
            .next_back()?
            .to_str()
            .ok()?;
        last.rsplit(',').next()?.trim().parse().ok()
    };
    behind_proxy
        .then(told)
        .flatten()
        .or_else(|| peer.map(|peer| peer.ip()))
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| {
                (
                    HeaderName::from_static(name),
                    HeaderValue::from_static(value),
                )
            })
            .collect()
    }

    fn check(pairs: &[(&'static str, &'static str)], foreign: bool) {
        assert_eq!(
            is_foreign(&headers(pairs), "https://tocsin.example"),
            foreign,
            "{pairs:?}"
        );
    }

    #[test]
    fn what_another_site_sends_is_foreign() {
        check(&[], false);
        check(&[("sec-fetch-site", "same-origin")], false);
        check(&[("sec-fetch-site", "none")], false);
        check(&[("sec-fetch-site", "cross-site")], true);
        check(&[("sec-fetch-site", "same-site")], true);
        check(&[("origin", "https://tocsin.example")], false);
        check(
            &[
                ("origin", "https://evil.example"),
                ("host", "tocsin.example"),
            ],
            true,
        );
        check(
            &[
                ("origin", "http://127.0.0.1:8700"),
                ("host", "127.0.0.1:8700"),
            ],
            false,
        );
        check(&[("origin", "null"), ("host", "127.0.0.1:8700")], true);
        check(
            &[
                ("origin", "https://tocsin.example.evil.example"),
                ("host", "x"),
            ],
            true,
        );
        check(&[("origin", "https://evil.example")], true);
    }

    #[test]
    fn only_an_unforwarded_request_of_this_machine_to_this_machine_is_local() {
        let near: SocketAddr = "127.0.0.1:5".parse().unwrap();
        let far: SocketAddr = "192.0.2.1:5".parse().unwrap();
        assert!(is_local(
            &headers(&[("host", "127.0.0.1:8700")]),
            Some(near)
        ));
        assert!(is_local(&headers(&[("host", "[::1]:8700")]), Some(near)));
        assert!(is_local(&headers(&[("host", "localhost")]), Some(near)));
        assert!(!is_local(
            &headers(&[("host", "localhost.evil.example")]),
            Some(near)
        ));
        assert!(!is_local(&headers(&[("host", "evil.example")]), Some(near)));
        assert!(!is_local(&headers(&[]), Some(near)));
        assert!(!is_local(&headers(&[("host", "localhost")]), Some(far)));
        assert!(!is_local(
            &headers(&[("host", "localhost"), ("origin", "http://localhost")]),
            Some(near)
        ));
        assert!(!is_local(
            &headers(&[("host", "localhost"), ("x-forwarded-for", "1.2.3.4")]),
            Some(near)
        ));
    }

    #[test]
    fn only_a_trusted_proxy_may_say_who_the_client_is() {
        let peer: SocketAddr = "192.0.2.1:5".parse().unwrap();
        let told = headers(&[("x-forwarded-for", "6.6.6.6, 203.0.113.9")]);
        assert_eq!(client_ip(&told, Some(peer), false), Some(peer.ip()));
        assert_eq!(
            client_ip(&told, Some(peer), true),
            "203.0.113.9".parse().ok()
        );
    }
}
