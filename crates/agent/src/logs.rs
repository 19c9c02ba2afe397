//! Follows the logs of one server: wakes when they grow, reads what is new and hands it over.

use std::io;
use std::os::fd::AsFd;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use inotify::{Inotify, WatchMask};
use tocsin_domain::target::TargetIdentity;
use tocsin_domain::time::Timestamp;
use tocsin_wire::apache_log::FieldNames;

use crate::folders::Folders;
use crate::log_lines::{AccessFormat, Gathered, Kind, Reading};
use crate::probe::place;
use crate::stop::Woken;
use crate::tail::{Position, Tail};
use crate::trust::Reader;
use crate::watched::Watched;

/// Between two looks; the first line after a pause is read at once.
const COALESCE: Duration = Duration::from_millis(200);
const SECOND: Duration = Duration::from_secs(1);
/// Bytes read of one log before the others have their turn and what was gathered is handed over.
const TURN_BYTES: u64 = 1_024 * 1_024;
const LOGS_MAX: usize = 256;

/// Follows until the target is forgotten or the agent stops.
pub(crate) fn follow(watched: &Watched) {
    let names = FieldNames {
        tier: watched.settings.tier_field.clone(),
        user: watched.settings.user_field.clone(),
    };
    let mut followed = FollowedLogs {
        names,
        ..FollowedLogs::default()
    };
    let mut gathered = Gathered::new();
    let mut next_second = Instant::now();
    loop {
        followed.follow_identity(watched);
        let more = followed.read(watched, &mut gathered);
        if Instant::now() >= next_second {
            next_second = Instant::now() + SECOND;
            gathered.begin_second();
            followed.watch_folders(watched);
        }
        watched.deliver(gathered.hand_over(watched));
        followed.keep_positions(watched);
        if more {
            if watched.stop.is_raised() {
                return;
            }
            continue;
        }
        if watched
            .stop
            .wait(COALESCE.min(next_second.saturating_duration_since(Instant::now())))
        {
            return;
        }
        let rest = next_second.saturating_duration_since(Instant::now());
        match watched
            .stop
            .wait_with(followed.inotify.as_ref().map(AsFd::as_fd), rest)
        {
            Woken::Stop => return,
            Woken::Readable => followed.drain(),
            Woken::Timeout => {}
        }
    }
}

#[derive(Default)]
struct FollowedLogs {
    names: FieldNames,
    identity: Option<Arc<TargetIdentity>>,
    logs: Vec<(Tail, Kind)>,
    inotify: Option<Inotify>,
    folders: Folders,
    kept: Vec<Position>,
}

impl FollowedLogs {
    /// Follows the logs that the present configuration names; those it had before go on where they are.
    fn follow_identity(&mut self, watched: &Watched) {
        let identity = watched.identity();
        if self
            .identity
            .as_ref()
            .is_some_and(|before| Arc::ptr_eq(before, &identity))
        {
            return;
        }
        let positions = watched.positions.of(watched.id);
        let reader = Reader::of(Path::new(&identity.config_path));
        let mut before = std::mem::take(&mut self.logs);
        let mut tail_of = |path: &str| {
            let path = Path::new(path);
            match before.iter().position(|(tail, _)| tail.path() == path) {
                Some(place) => before.swap_remove(place).0,
                None => {
                    let of_path = positions.iter().filter(|position| position.path == path);
                    Tail::new(path, reader, of_path)
                }
            }
        };
        let names = &self.names;
        let access = identity
            .access_logs
            .iter()
            .map(|(path, format)| (path, Kind::Access(AccessFormat::new(format, names))));
        let error = identity.error_logs.iter().map(|path| (path, Kind::Error));
        self.logs = access
            .chain(error)
            .take(LOGS_MAX)
            .map(|(path, kind)| (tail_of(path), kind))
            .collect();
        let tells_who = |format: &str| format.to_ascii_lowercase().contains("{user-agent}i");
        let all_tell = identity
            .access_logs
            .iter()
            .all(|(_, format)| tells_who(format));
        watched
            .mark_own_requests
            .store(!all_tell, Ordering::Relaxed);
        self.identity = Some(identity);
        self.watch_folders(watched);
    }

    /// Has the kernel tell when a log grows, appears or is renamed.
    fn watch_folders(&mut self, watched: &Watched) {
        if self.inotify.is_none() {
            match Inotify::init() {
                Ok(inotify) => self.inotify = Some(inotify),
                Err(error) => {
                    let problem = format!(
                        "logs are read once a second only: the kernel refuses inotify ({error}); raise fs.inotify.max_user_instances"
                    );
                    watched.set_problem("inotify", Some(problem));
                    return;
                }
            }
        }
        let Some(inotify) = &self.inotify else {
            return;
        };
        let mask = WatchMask::MODIFY | WatchMask::CREATE | WatchMask::MOVED_TO;
        for folder in self
            .logs
            .iter()
            .filter_map(|(tail, _)| tail.path().parent())
        {
            self.folders.watch(inotify, folder, mask);
        }
    }

    /// Forgets what was announced: every log is looked at anyway.
    fn drain(&mut self) {
        let mut buffer = [0; 16 * 1_024];
        if let Some(inotify) = &mut self.inotify {
            while inotify
                .read_events(&mut buffer)
                .is_ok_and(|mut events| events.next().is_some())
            {}
        }
    }

    /// Reads what is new; true when there is more.
    fn read(&mut self, watched: &Watched, gathered: &mut Gathered) -> bool {
        let Some(identity) = &self.identity else {
            return false;
        };
        let status = identity.status_url.as_deref().and_then(place);
        let status_path = status.as_ref().map_or("/server-status", |place| {
            place.path.split('?').next().unwrap_or_default()
        });
        let reading = Reading {
            watched,
            names: &self.names,
            status_path,
            utc_offset_seconds: utc_offset_seconds(watched.now()),
        };
        let mut more = false;
        let mut problem = None;
        for (tail, kind) in &mut self.logs {
            if gathered.is_full() {
                // The file keeps the rest until the next second.
                break;
            }
            match tail.read(TURN_BYTES, &mut |line| {
                gathered.take(&reading, kind, line.bytes, line.is_old)
            }) {
                Ok(unfinished) => more |= unfinished,
                Err(error) => problem = Some(unreadable(tail.path(), &error)),
            }
        }
        watched.set_problem("logs", problem);
        more
    }

    fn keep_positions(&mut self, watched: &Watched) {
        let positions: Vec<Position> = self
            .logs
            .iter()
            .flat_map(|(tail, _)| tail.positions())
            .collect();
        if positions == self.kept {
            return;
        }
        let problem = watched.positions.keep(watched.id, positions.clone()).err();
        watched.set_problem(
            "positions",
            problem.map(|error| format!("how far the logs were read cannot be kept: {error}")),
        );
        self.kept = positions;
    }
}

fn unreadable(path: &Path, error: &io::Error) -> String {
    let path = path.display();
    format!(
        "the log {path} cannot be read ({error}): let Tocsin's user read it, on Debian by adding it to the group adm"
    )
}

/// Offset of this machine's local time, east of Greenwich.
fn utc_offset_seconds(now: Timestamp) -> i32 {
    let zone = jiff::tz::TimeZone::system();
    jiff::Timestamp::from_microsecond(now.as_micros())
        .map_or(0, |instant| zone.to_offset(instant).seconds())
}
