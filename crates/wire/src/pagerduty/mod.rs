//! PagerDuty's protocols, seen from the side of the server that Tocsin is to PagerDuty's clients.

pub mod events_v2;
