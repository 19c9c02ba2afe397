//! Rules as the sockets show them. It changes nothing.

use tocsin_edge::ports::rules::{
    AlertState, AlertingRule, Rule, RuleAlert, RuleGroup, RuleHealth, RuleKind,
};
use tocsin_engine::rules::{AlertView, GroupView, Health, KindView, RuleView, State};

pub(super) fn group(given: GroupView) -> RuleGroup {
    RuleGroup {
        name: given.name,
        file: given.file,
        interval_ms: given.interval_ms,
        limit: given.limit as u64,
        evaluation_us: given.evaluation_us,
        last_evaluation: given.evaluated_at,
        rules: given.rules.into_iter().map(rule).collect(),
    }
}

fn rule(given: RuleView) -> Rule {
    Rule {
        name: given.name,
        query: given.query,
        labels: given.labels.into_iter().collect(),
        health: match given.health {
            Health::Unknown => RuleHealth::Unknown,
            Health::Good => RuleHealth::Ok,
            Health::Bad => RuleHealth::Err,
        },
        last_error: given.error,
        evaluation_us: given.evaluation_us,
        last_evaluation: given.evaluated_at,
        kind: match given.kind {
            KindView::Record => RuleKind::Recording,
            KindView::Alert {
                for_ms,
                keep_firing_for_ms,
                annotations,
                alerts,
            } => RuleKind::Alerting(AlertingRule {
                for_ms,
                keep_firing_for_ms,
                annotations: annotations.into_iter().collect(),
                alerts: alerts.into_iter().map(alert).collect(),
            }),
        },
    }
}

fn alert(given: AlertView) -> RuleAlert {
    RuleAlert {
        labels: given.labels.to_map(),
        annotations: given.annotations.into_iter().collect(),
        state: match given.state {
            State::Pending => AlertState::Pending,
            State::Firing => AlertState::Firing,
        },
        active_at: Some(given.active_at),
        keep_firing_since: given.keep_firing_since,
        value: given.value,
    }
}
