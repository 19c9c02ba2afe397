//! Whether the exporters that are to be scraped answer. It asks none of them.

use std::sync::Arc;

use super::Check;
use crate::app::App;
use crate::ports::scrape::{ActiveTarget, TargetHealth};

const NAME: &str = "exporters";

/// How many answer; nothing where none is scraped.
pub(super) async fn exporters(app: &App) -> Vec<Check> {
    let scraped = Arc::clone(&app.scrape_targets);
    match tokio::task::spawn_blocking(move || scraped.active()).await {
        Ok(targets) => check(&targets).into_iter().collect(),
        Err(_) => vec![Check::warn(
            NAME,
            "they cannot be looked at",
            "look at the log of `tocsin serve`, then restart Tocsin",
        )],
    }
}

fn check(targets: &[ActiveTarget]) -> Option<Check> {
    let is_down = |target: &&ActiveTarget| target.health == TargetHealth::Down;
    let down = targets.iter().filter(is_down).count();
    let Some(first) = targets.iter().find(is_down) else {
        let all = format!("{} are scraped", targets.len());
        return (!targets.is_empty()).then(|| Check::ok(NAME, all));
    };
    let why = first.last_error.as_deref().unwrap_or_default();
    Some(Check::warn(
        NAME,
        format!(
            "{down} of {} cannot be scraped, such as {}: {why}",
            targets.len(),
            first.scrape_url
        ),
        "see that they run and can be reached from here, or take them out of the scrape configuration",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::CheckState;

    #[test]
    fn exporters_that_fail_are_told_with_the_first_reason() {
        assert_eq!(check(&[]), None);
        let target = |health, error: Option<&str>| ActiveTarget {
            scrape_url: "http://h:1/metrics".to_owned(),
            health,
            last_error: error.map(str::to_owned),
            ..ActiveTarget::default()
        };
        let good = target(TargetHealth::Up, None);
        let new = target(TargetHealth::Unknown, None);
        let fine = check(&[good.clone(), new]).unwrap();
        assert_eq!(fine.state, CheckState::Ok);
        let bad = check(&[good, target(TargetHealth::Down, Some("refused"))]).unwrap();
        assert_eq!(bad.state, CheckState::Warn);
        assert_eq!(
            bad.detail,
            "1 of 2 cannot be scraped, such as http://h:1/metrics: refused"
        );
    }
}
