//! Foreign bytes to and from our types, one folder per format; it never sees I/O or a clock.

pub mod alertmanager_config;
pub mod apache_conf;
pub mod apache_log;
pub mod apache_status;
pub mod base64url;
pub mod code;
pub mod email;
pub mod ical;
pub mod markup;
pub mod ntfy;
pub mod page_message;
pub mod pagerduty;
pub mod prometheus;
pub mod prometheus_rules;
pub mod prometheus_scrape;
pub mod prometheus_text;
pub mod pushover;
pub mod slack;
pub mod telegram;
pub mod twilio;
pub mod web_push;
pub mod webhook;
