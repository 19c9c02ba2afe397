//! PagerDuty's protocols: from the side of the server that Tocsin is to its clients, and of the client that forwards to it or
//! reads what an account has.

pub mod events_v1;
pub mod events_v2;
pub mod forward;
pub mod import;
pub mod rest;
pub mod webhook_v3;

/// Each reason begins as expected, and there are no others.
#[cfg(test)]
#[track_caller]
fn check_reasons(reasons: &[String], expected: &[&str]) {
    let mut pairs = reasons.iter().zip(expected);
    let as_expected = pairs.all(|(reason, start)| reason.starts_with(start));
    assert!(
        as_expected && reasons.len() == expected.len(),
        "{reasons:?}"
    );
}
