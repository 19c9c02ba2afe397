//! Whether somebody watches this server from another machine. A page arrives without that as well, so it is not among what keeps one
//! back; but a machine that is off pages nobody, and cannot say so.

use std::time::Instant;

use super::Check;
use crate::app::App;
use crate::watched::{Watcher, heard};

const NAME: &str = "watcher";

/// Nothing before Tocsin is set up: there is nothing to watch yet.
pub(super) async fn check(app: &App) -> Option<Check> {
    if app.read(|state| state.installation.is_none()) {
        return None;
    }
    heard::forget_revoked(app).await;
    Some(of(&app.vigil.watched.watchers(Instant::now())))
}

fn of(watchers: &[Watcher]) -> Check {
    let (away, asking): (Vec<&Watcher>, Vec<&Watcher>) =
        watchers.iter().partition(|one| one.is_away);
    let told = |all: &[&Watcher]| {
        let each = all.iter();
        let each = each.map(|one| format!("“{}”, last seen at {}", one.name, one.asked_at));
        each.collect::<Vec<_>>().join(", and ")
    };
    let start = "start `tocsin watch` there again; where it shall watch no more, revoke its token";
    match (asking.is_empty(), away.is_empty()) {
        (true, true) => Check::warn(
            NAME,
            "nobody is known to watch this server: no watcher asks with a token, and a failure of the whole machine is told to nobody",
            "run `tocsin watch` with a token of its own on a second machine; see docs/guide/peer-watch.md",
        ),
        (false, true) => Check::ok(NAME, format!("watched by {}", told(&asking))),
        (false, false) => Check::warn(
            NAME,
            format!(
                "watched by {}; not any more by {}",
                told(&asking),
                told(&away)
            ),
            start,
        ),
        (true, false) => Check::fail(
            NAME,
            format!(
                "nobody watches this server any more, as did {}: a failure of the whole machine is told to nobody",
                told(&away)
            ),
            start,
        ),
    }
}

#[cfg(test)]
mod tests {
    use tocsin_domain::time::Timestamp;

    use super::*;
    use crate::doctor::CheckState;

    fn watcher(name: &str, is_away: bool) -> Watcher {
        Watcher {
            token: "QAAAAAAAAAAAAA".parse().unwrap(),
            name: name.to_owned(),
            asked_at: Timestamp::from_millis(1_723_950_000_000),
            silent_ms: 0,
            is_away,
        }
    }

    #[track_caller]
    fn check(watchers: &[Watcher], state: CheckState, words: &str) {
        let found = of(watchers);
        assert_eq!(found.state, state, "{found:?}");
        assert!(found.detail.contains(words), "{found:?}");
        assert_eq!(found.fix.is_some(), state != CheckState::Ok);
    }

    #[test]
    fn a_server_that_was_watched_and_is_no_more_is_worse_than_one_that_never_was() {
        check(&[], CheckState::Warn, "nobody is known to watch");
        let a = watcher("a", false);
        let at = "watched by “a”, last seen at 2024-08-18T03:00:00.000Z";
        check(std::slice::from_ref(&a), CheckState::Ok, at);
        let b = watcher("b", true);
        let both = [a, b.clone()];
        check(&both, CheckState::Warn, "not any more by “b”, last seen at");
        check(&[b], CheckState::Fail, "any more, as did “b”, last seen at");
    }
}
