//! PagerDuty's REST API v2: what its clients ask in addresses and bodies, and the frame of what they are answered. It knows no
//! route, no state and no clock.

pub mod absent;
pub mod analytics;
pub mod body;
pub mod business;
pub mod called;
pub mod grouping;
pub mod grouping_setting;
pub mod id;
pub mod incident;
pub mod orchestration;
pub mod paging;
pub mod parameters;
pub mod pcl;
pub mod reach;
pub mod refusal;
pub mod roster;
pub mod schedule;
pub mod service;
pub mod support;
pub mod tag;
pub mod time;
pub mod vendor;
pub mod webhook;
pub mod words;

pub use body::Fields;
pub use paging::{Cut, Paging};
pub use parameters::{Parameters, in_order};
pub use refusal::Refusal;
