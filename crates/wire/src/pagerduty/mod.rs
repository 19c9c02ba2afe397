//! PagerDuty's protocols: from the side of the server that Tocsin is to its clients, and of the client that forwards to it or
//! reads what an account has.

pub mod events_v1;
pub mod events_v2;
pub mod forward;
pub mod import;
pub mod rest;
