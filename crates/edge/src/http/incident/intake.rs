//! The sentences of a timeline about rules, maintenance windows and heartbeats. Pure.

use tocsin_domain::event::IntakeEvent;
use tocsin_domain::id::{HeartbeatId, MaintenanceId};

use super::timeline::{Names, Tone, Words};

pub(super) fn words(event: &IntakeEvent, names: &Names<'_>) -> Words {
    let (title, detail, tone) = match event {
        IntakeEvent::RulesSet { rules } => (
            format!(
                "There are {} rules about alerts of every service",
                rules.len()
            ),
            String::new(),
            Tone::Person,
        ),
        IntakeEvent::WindowSet { window } => (
            format!("Work was planned: {}", window.reason),
            format!(
                "{} services, {} targets",
                window.services.len(),
                window.targets.len()
            ),
            Tone::Person,
        ),
        IntakeEvent::WindowEnded { window } => (
            format!("Work has ended early: {}", window_name(*window, names)),
            "What still fails is paged for.".to_owned(),
            Tone::Person,
        ),
        IntakeEvent::WindowRemoved { .. } => (
            "A maintenance window was removed".to_owned(),
            String::new(),
            Tone::Person,
        ),
        IntakeEvent::HeartbeatSet { heartbeat } => (
            format!("The heartbeat “{}” was set", heartbeat.name),
            format!(
                "A call is expected every {} s, and may be {} s late.",
                heartbeat.every_ms / 1_000,
                heartbeat.grace_ms / 1_000
            ),
            Tone::Person,
        ),
        IntakeEvent::HeartbeatRemoved { .. } => (
            "A heartbeat was removed; its address is dead".to_owned(),
            String::new(),
            Tone::Person,
        ),
        IntakeEvent::HeartbeatCalled { heartbeat } => (
            format!("{} called", heartbeat_name(*heartbeat, names)),
            String::new(),
            Tone::Good,
        ),
        IntakeEvent::HeartbeatStarted { heartbeat } => (
            format!("{} has begun", heartbeat_name(*heartbeat, names)),
            String::new(),
            Tone::Info,
        ),
        IntakeEvent::HeartbeatFailed { heartbeat, message } => (
            format!("{} says that it failed", heartbeat_name(*heartbeat, names)),
            message.clone(),
            Tone::Bad,
        ),
        IntakeEvent::HeartbeatsSpared { heartbeats } => (
            "Tocsin was away when calls were expected".to_owned(),
            waited_for(heartbeats, names),
            Tone::Info,
        ),
        IntakeEvent::AlertsSpared { alerts, until } => (
            "Tocsin was away when alerts may have been said again".to_owned(),
            format!("{} alerts are not over before {until}", alerts.len()),
            Tone::Info,
        ),
    };
    (title, detail, tone)
}

fn waited_for(heartbeats: &[HeartbeatId], names: &Names<'_>) -> String {
    let named = heartbeats.iter().map(|id| heartbeat_name(*id, names));
    let named: Vec<String> = named.collect();
    format!("Each is waited for once more: {}", named.join(", "))
}

fn heartbeat_name(id: HeartbeatId, names: &Names<'_>) -> String {
    let known = names.0.pulses.get(&id);
    known.map_or_else(
        || "A removed heartbeat".to_owned(),
        |pulse| format!("“{}”", pulse.heartbeat.name),
    )
}

fn window_name(id: MaintenanceId, names: &Names<'_>) -> String {
    let known = names.0.windows.get(&id);
    known.map_or_else(
        || "a removed window".to_owned(),
        |window| window.reason.clone(),
    )
}
