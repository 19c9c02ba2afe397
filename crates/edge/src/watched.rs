//! Who watches this server from another machine: by which token, how often each asks, and when it last did. It knows no request,
//! and judges nothing of what they are told.

pub(crate) mod heard;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tocsin_domain::audit::WatchersAway;
use tocsin_domain::id::TokenId;
use tocsin_domain::time::Timestamp;

use crate::delivery::tally::millis;
use crate::lock::lock;
use crate::ports::ApiToken;

/// A watcher that leaves out so many of its questions has stopped.
const QUESTIONS_MISSED: u32 = 20;
/// It may be silent for at least this long: a machine is started anew meanwhile.
const SILENT_MIN: Duration = Duration::from_secs(5 * 60);
/// It may be silent for this long at most, however seldom it says that it asks.
const SILENT_MAX: Duration = Duration::from_secs(3_600);
/// The auditor looks every 30 s. Where more than this lies between two looks, this process stood still, and heard nobody.
const LOOKS_APART_MAX: Duration = Duration::from_secs(120);
/// Watchers remembered at most; beyond, the one that has been silent for longest is forgotten.
const WATCHERS_MAX: usize = 16;
/// When a watcher that goes on asking last did is written down anew after this: over a restart it counts who watches, not when.
const WRITTEN_EVERY: Duration = Duration::from_secs(3_600);

/// A watcher as it is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Watcher {
    /// Its token.
    pub(crate) token: TokenId,
    /// What its token is called.
    pub(crate) name: String,
    /// When it last asked.
    pub(crate) asked_at: Timestamp,
    /// How long it has been silent, whatever was done to the clock since.
    pub(crate) silent_ms: u64,
    /// Whether that is too long.
    pub(crate) is_away: bool,
}

/// A watcher as it is written down.
#[derive(Serialize, Deserialize)]
struct Row {
    token: TokenId,
    name: String,
    every_ms: u64,
    asked_at: Timestamp,
}

struct Known {
    name: String,
    every_ms: u64,
    asked_at: Timestamp,
    /// Since when it is silent, as far as this process can know.
    silent_since: Instant,
    written: Option<Instant>,
}

impl Known {
    fn may_be_silent(&self) -> Duration {
        let every = Duration::from_millis(self.every_ms).min(SILENT_MAX);
        (every * QUESTIONS_MISSED).clamp(SILENT_MIN, SILENT_MAX)
    }
}

#[derive(Default)]
struct Kept {
    all: BTreeMap<TokenId, Known>,
    /// When the auditor last looked.
    looked: Option<Instant>,
}

impl Kept {
    fn watchers(&self, now: Instant) -> Vec<Watcher> {
        let all = self.all.iter().map(|(token, known)| {
            let silent = now.saturating_duration_since(known.silent_since);
            Watcher {
                token: *token,
                name: known.name.clone(),
                asked_at: known.asked_at,
                silent_ms: millis(silent),
                is_away: silent > known.may_be_silent(),
            }
        });
        all.collect()
    }

    fn make_room(&mut self) {
        if self.all.len() < WATCHERS_MAX {
            return;
        }
        let longest = self.all.iter().min_by_key(|(_, known)| known.silent_since);
        if let Some(token) = longest.map(|(token, _)| *token) {
            self.all.remove(&token);
        }
    }

    /// Nobody could be heard up to now.
    fn count_anew(&mut self, now: Instant) {
        for known in self.all.values_mut() {
            known.silent_since = now;
        }
    }
}

/// The watchers that were heard of and whose tokens were not revoked since.
#[derive(Default)]
pub(crate) struct Watched(Mutex<Kept>);

impl Watched {
    /// What was written down before a restart: each is waited for from now on.
    pub(crate) fn take_up(&self, text: &str, now: Instant) -> serde_json::Result<()> {
        let rows: Vec<Row> = serde_json::from_str(text)?;
        let known = rows.into_iter().take(WATCHERS_MAX).map(|row| {
            let known = Known {
                name: row.name,
                every_ms: row.every_ms,
                asked_at: row.asked_at,
                silent_since: now,
                written: Some(now),
            };
            (row.token, known)
        });
        lock(&self.0).all.extend(known);
        Ok(())
    }

    /// As it is to be written down.
    pub(crate) fn text(&self) -> serde_json::Result<String> {
        let kept = lock(&self.0);
        let rows = kept.all.iter().map(|(token, known)| Row {
            token: *token,
            name: known.name.clone(),
            every_ms: known.every_ms,
            asked_at: known.asked_at,
        });
        serde_json::to_string(&rows.collect::<Vec<_>>())
    }

    /// A watcher asked, and will again after `every_ms`; whether that is to be written down.
    pub(crate) fn asked(&self, by: &ApiToken, every_ms: u64, now: Instant, at: Timestamp) -> bool {
        let mut kept = lock(&self.0);
        let written = match kept.all.get(&by.id) {
            Some(known) => known.written,
            None => {
                kept.make_room();
                None
            }
        };
        let is_due =
            written.is_none_or(|written| now.saturating_duration_since(written) >= WRITTEN_EVERY);
        let known = Known {
            name: by.name.clone(),
            every_ms,
            asked_at: at,
            silent_since: now,
            written: if is_due { Some(now) } else { written },
        };
        kept.all.insert(by.id, known);
        is_due
    }

    /// Somebody asked whose token could not be looked up: it may be any of them.
    pub(crate) fn asked_by_any(&self, now: Instant) {
        lock(&self.0).count_anew(now);
    }

    /// Forgets all but those with these tokens; whether one was forgotten.
    pub(crate) fn keep_only(&self, tokens: &[TokenId]) -> bool {
        let mut kept = lock(&self.0);
        let before = kept.all.len();
        kept.all.retain(|token, _| tokens.contains(token));
        kept.all.len() < before
    }

    /// Whether nobody ever watched, as far as is known.
    pub(crate) fn is_empty(&self) -> bool {
        lock(&self.0).all.is_empty()
    }

    /// All of them, as of now.
    pub(crate) fn watchers(&self, now: Instant) -> Vec<Watcher> {
        lock(&self.0).watchers(now)
    }

    /// A look of the auditor: the watchers, where there were some and none of them asks any more.
    pub(crate) fn away(&self, now: Instant) -> Option<WatchersAway> {
        let mut kept = lock(&self.0);
        let looked = kept.looked.replace(now);
        let stood_still =
            looked.is_some_and(|looked| now.saturating_duration_since(looked) > LOOKS_APART_MAX);
        if stood_still {
            kept.count_anew(now);
        }
        let all = kept.watchers(now);
        if all.iter().any(|one| !one.is_away) {
            return None;
        }
        let for_ms = all.iter().map(|one| one.silent_ms).min()?;
        let names = all.into_iter().map(|one| one.name).collect();
        Some(WatchersAway { names, for_ms })
    }
}

#[cfg(test)]
mod tests {
    use tocsin_domain::people::{Role, TokenBounds};

    use super::*;

    const NOON: Timestamp = Timestamp::from_millis(1_723_950_000_000);
    const EVERY_MS: u64 = 15_000;

    /// A token whose id ends with this letter.
    fn token(letter: char) -> ApiToken {
        ApiToken {
            id: format!("QAAAAAAAAAAAA{letter}").parse().unwrap(),
            name: format!("eye {letter}"),
            role: Role::Viewer,
            user: None,
            made_by: None,
            created_at: NOON,
            expires_at: None,
            last_used: None,
            bounds: TokenBounds::default(),
        }
    }

    fn after(start: Instant, seconds: u64) -> Instant {
        start + Duration::from_secs(seconds)
    }

    fn away(watched: &Watched, now: Instant) -> Vec<String> {
        let all = watched.watchers(now).into_iter();
        let away = all.filter(|one| one.is_away);
        away.map(|one| one.name).collect()
    }

    /// Looks of the auditor every 30 s in these seconds; the last of them.
    fn looks(watched: &Watched, start: Instant, seconds: std::ops::Range<u64>) -> Option<u64> {
        let looks = seconds.step_by(30);
        let looks = looks.map(|second| watched.away(after(start, second)));
        looks.last().flatten().map(|away| away.for_ms)
    }

    #[test]
    fn a_watcher_is_away_once_it_left_out_twenty_questions_and_was_silent_for_five_minutes() {
        let check = |every_ms: u64, silent_s: u64| {
            let (watched, start) = (Watched::default(), Instant::now());
            watched.asked(&token('A'), every_ms, start, NOON);
            assert_eq!(away(&watched, after(start, silent_s)), [""; 0]);
            assert_eq!(away(&watched, after(start, silent_s + 1)), ["eye A"]);
            watched.asked(&token('A'), every_ms, after(start, silent_s + 2), NOON);
            assert_eq!(away(&watched, after(start, silent_s + 3)), [""; 0]);
        };
        check(EVERY_MS, 300);
        check(50, 300);
        check(60_000, 1_200);
        check(u64::MAX, 3_600);
    }

    #[test]
    fn the_auditor_finds_that_nobody_watches_only_where_somebody_did() {
        let (watched, start) = (Watched::default(), Instant::now());
        assert_eq!(looks(&watched, start, 0..600), None);
        for letter in ['A', 'B'] {
            watched.asked(&token(letter), EVERY_MS, after(start, 600), NOON);
        }
        watched.asked(&token('B'), EVERY_MS, after(start, 700), NOON);
        assert_eq!(looks(&watched, start, 600..1_000), None, "one still asks");
        assert_eq!(looks(&watched, start, 1_000..1_031), Some(330_000));
        let found = watched.away(after(start, 1_031)).unwrap();
        assert_eq!(found.names, ["eye A", "eye B"]);
        watched.asked(&token('A'), EVERY_MS, after(start, 1_040), NOON);
        assert_eq!(watched.away(after(start, 1_041)), None);
    }

    #[test]
    fn a_server_that_stood_still_waits_for_its_watchers_anew() {
        let (watched, start) = (Watched::default(), Instant::now());
        watched.asked(&token('A'), EVERY_MS, start, NOON);
        assert_eq!(looks(&watched, start, 0..61), None);
        assert_eq!(looks(&watched, start, 3_600..3_901), None);
        assert!(looks(&watched, start, 3_901..3_932).is_some());
    }

    #[test]
    fn who_asks_while_no_token_can_be_looked_up_may_be_any_of_them() {
        let (watched, start) = (Watched::default(), Instant::now());
        watched.asked(&token('A'), EVERY_MS, start, NOON);
        watched.asked_by_any(after(start, 299));
        assert_eq!(away(&watched, after(start, 599)), [""; 0]);
    }

    #[test]
    fn who_watched_is_known_over_a_restart_and_waited_for_from_then_on() {
        let (watched, start) = (Watched::default(), Instant::now());
        assert!(watched.asked(&token('A'), EVERY_MS, start, NOON));
        let again = Watched::default();
        again.take_up(&watched.text().unwrap(), start).unwrap();
        let known = again.watchers(after(start, 300));
        assert_eq!(known, watched.watchers(after(start, 300)));
        assert_eq!(away(&again, after(start, 301)), ["eye A"]);
        assert!(again.take_up("{}", start).is_err());
    }

    #[test]
    fn a_watcher_is_written_down_when_it_is_new_and_once_an_hour() {
        let (watched, start) = (Watched::default(), Instant::now());
        let asked = |second| watched.asked(&token('A'), EVERY_MS, after(start, second), NOON);
        assert!(asked(0));
        assert!(!asked(15));
        assert!(!asked(3_599));
        assert!(asked(3_600));
        assert!(!asked(3_615));
    }

    #[test]
    fn a_watcher_is_forgotten_with_its_token_and_where_there_are_too_many() {
        let (watched, start) = (Watched::default(), Instant::now());
        for (second, letter) in (0..).zip('A'..='Q') {
            watched.asked(&token(letter), EVERY_MS, after(start, second), NOON);
        }
        let known = watched.watchers(start);
        assert_eq!((known.len(), known[0].name.as_str()), (16, "eye B"));
        let living = [token('B').id, token('C').id];
        assert!(watched.keep_only(&living));
        assert!(!watched.keep_only(&living));
        assert_eq!(watched.watchers(start).len(), 2);
        assert!(watched.keep_only(&[]) && watched.is_empty());
    }
}
