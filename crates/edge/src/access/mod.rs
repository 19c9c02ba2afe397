//! Who may call what: the levels a route can demand, and how a request proves to have one.

pub(crate) mod authenticate;
pub(crate) mod base64;
pub(crate) mod cookie;
pub(crate) mod known_keys;
pub(crate) mod known_tokens;
pub(crate) mod origin;
pub(crate) mod scope;
pub(crate) mod throttle;
pub(crate) mod token_limit;
pub(crate) mod who;
