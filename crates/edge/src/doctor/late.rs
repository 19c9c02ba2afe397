//! Whether whoever will be paged hears of it before the next ones are, as the page *On call* tells it. It looks at the days ahead.

use tocsin_domain::ahead::Roster;
use tocsin_domain::people::SetUp;

use super::Check;
use super::reach::told;
use crate::app::App;

/// Nothing before Tocsin is set up.
pub(super) async fn check(app: &App, set_up: &SetUp) -> Option<Check> {
    let now = app.now();
    let roster = app.read(|state| {
        let is_set_up = state.installation.is_some();
        is_set_up.then(|| Roster::of(state, set_up))
    })?;
    let name = "notification rules";
    Some(match app.rendered(move || Ok(roster.late(now))).await {
        Ok(late) if late.is_empty() => {
            let detail = "nobody hears of a page only when the level that they stand on is over";
            Check::ok(name, detail)
        }
        Ok(late) => {
            let fix = "each of them sets an earlier notification rule, or the level gets more time";
            let texts: Vec<String> = late.into_iter().map(|one| one.text).collect();
            Check::warn(name, told(&texts), fix)
        }
        Err(problem) => Check::warn(name, problem.detail(), "ask again in a moment"),
    })
}
