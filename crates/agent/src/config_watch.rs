//! Watches the configuration files of one server: what changed, and whether the server would accept it.

use std::collections::{BTreeMap, BTreeSet};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use inotify::{Inotify, WatchMask};
use tocsin_domain::signal::{Batch, FactKind, metric};

use crate::NotRecorded;
use crate::configuration::read_for;
use crate::diff::unified;
use crate::discover;
use crate::folders::Folders;
use crate::identify::{self, ServerProgram};
use crate::log_lines::cut;
use crate::run::Ran;
use crate::stop::Woken;
use crate::supervisor;
use crate::trust::Reader;
use crate::watched::{Watched, flag};

/// A change is looked at when nothing more has happened for this long: an editor or a deployment writes in steps.
const QUIET: Duration = Duration::from_secs(1);
const WAKE_EVERY: Duration = Duration::from_secs(1);
const WRITE_EVERY: Duration = Duration::from_secs(60);
/// What a test depends on beside the files (modules, certificates) can change unseen.
const TEST_EVERY: Duration = Duration::from_secs(600);
const SUPERVISOR_EVERY: Duration = Duration::from_secs(30);
const FOLDERS_MAX: usize = 1_024;
/// Bytes of all files that are held to compare with.
const HELD_BYTES_MAX: usize = 16 * 1_024 * 1_024;
/// Files whose change is told after one quiet moment.
const FACTS_MAX: usize = 32;
const OUTPUT_BYTES_MAX: usize = 1_024;

/// Watches until the target is forgotten or the agent stops.
pub(crate) fn watch(watched: &Watched) {
    let mut watch = ConfigWatch::default();
    loop {
        watch.step(watched);
        let quiet_in = watch.dirty_at.map(|at| QUIET.saturating_sub(at.elapsed()));
        let wait = quiet_in.unwrap_or(WAKE_EVERY).min(WAKE_EVERY);
        match watched
            .stop
            .wait_with(watch.inotify.as_ref().map(AsFd::as_fd), wait)
        {
            Woken::Stop => return,
            Woken::Readable => watch.note_events(watched),
            Woken::Timeout => {}
        }
    }
}

#[derive(Default)]
struct ConfigWatch {
    inotify: Option<Inotify>,
    folders: Folders,
    program: Option<ServerProgram>,
    texts: BTreeMap<PathBuf, String>,
    /// When something last happened in a watched folder that was not looked at yet.
    dirty_at: Option<Instant>,
    /// The last test's verdict, when it had one.
    valid: Option<bool>,
    written_at: Option<Instant>,
    tested_at: Option<Instant>,
    supervisor_at: Option<Instant>,
}

impl ConfigWatch {
    fn step(&mut self, watched: &Watched) {
        if watched.take_reload()
            && let Some(parent) = watched.parent()
        {
            identify_again(watched, parent);
        }
        let program = watched.program();
        if program.is_some() && program != self.program {
            self.program = program;
            self.hold_texts();
            self.watch_folders(watched);
        }
        if self
            .supervisor_at
            .is_none_or(|at| at.elapsed() >= SUPERVISOR_EVERY)
            && let Some(parent) = watched.parent()
        {
            self.supervisor_at = Some(Instant::now());
            watched.set_supervisor(supervisor::supervisor_of(parent));
        }
        if self.dirty_at.is_some_and(|at| at.elapsed() >= QUIET) {
            self.dirty_at = None;
            self.look(watched);
        }
        if self.program.is_some() && self.tested_at.is_none_or(|at| at.elapsed() >= TEST_EVERY) {
            self.test(watched, false);
        }
        if self.written_at.is_none_or(|at| at.elapsed() >= WRITE_EVERY) {
            if self.program.is_some() {
                self.watch_folders(watched);
            }
            self.write(watched);
        }
    }

    /// Keeps the texts that the files have now.
    fn hold_texts(&mut self) {
        let Some(program) = &self.program else {
            return;
        };
        self.texts = texts(&program.files);
    }

    fn watch_folders(&mut self, watched: &Watched) {
        if self.inotify.is_none() {
            self.inotify = Inotify::init().ok();
        }
        let (Some(inotify), Some(program)) = (&self.inotify, &self.program) else {
            let problem = "changes of the configuration are not seen: the kernel refuses inotify; raise fs.inotify.max_user_instances";
            watched.set_problem("inotify", Some(problem.to_owned()));
            return;
        };
        let mask = WatchMask::MODIFY
            | WatchMask::CREATE
            | WatchMask::DELETE
            | WatchMask::MOVED_TO
            | WatchMask::MOVED_FROM
            | WatchMask::CLOSE_WRITE;
        // A link's own folder sees it replaced, the folder it leads to sees its content change.
        let led_to = program
            .files
            .iter()
            .filter_map(|file| file.canonicalize().ok());
        let of_files = program
            .files
            .iter()
            .cloned()
            .chain(led_to)
            .filter_map(|file| file.parent().map(Path::to_owned));
        for folder in of_files
            .chain(program.folders.iter().cloned())
            .take(FOLDERS_MAX)
        {
            if self.folders.watch(inotify, &folder, mask) {
                // What its files say may have changed with it, and no event told so.
                self.dirty_at.get_or_insert_with(Instant::now);
            }
        }
    }

    fn note_events(&mut self, watched: &Watched) {
        let mut buffer = [0; 16 * 1_024];
        let logs = watched.identity();
        let is_log = |name: &str| {
            let mut all = logs
                .access_logs
                .iter()
                .map(|(path, _)| path)
                .chain(&logs.error_logs);
            all.any(|path| path.rsplit('/').next() == Some(name))
        };
        let Some(inotify) = &mut self.inotify else {
            return;
        };
        while let Ok(events) = inotify.read_events(&mut buffer) {
            let mut seen = false;
            for event in events {
                seen = true;
                // Logs beside the configuration would keep it from ever being quiet.
                let name = event.name.and_then(|name| name.to_str());
                if !name.is_some_and(is_log) {
                    self.dirty_at = Some(Instant::now());
                }
            }
            if !seen {
                break;
            }
        }
    }

    /// Compares with what was held, tells what changed, and has it tested.
    fn look(&mut self, watched: &Watched) {
        let Some(program) = &self.program else {
            return;
        };
        let program = program.read_again();
        let now = texts(&program.files);
        let paths: BTreeSet<&PathBuf> = self.texts.keys().chain(now.keys()).collect();
        let text = |texts: &BTreeMap<PathBuf, String>, path: &PathBuf| {
            texts.get(path).cloned().unwrap_or_default()
        };
        let at = watched.now();
        let facts: Vec<_> = paths
            .into_iter()
            .filter_map(|path| {
                let name = path.display().to_string();
                let diff = unified(&name, &text(&self.texts, path), &text(&now, path));
                (!diff.is_empty())
                    .then(|| watched.fact(at, FactKind::ConfigChanged { path: name, diff }))
            })
            .take(FACTS_MAX)
            .collect();
        if facts.is_empty() {
            return;
        }
        watched.deliver(Batch {
            facts,
            ..Batch::default()
        });
        self.texts = now;
        watched.set_program(program.clone());
        self.program = Some(program);
        self.watch_folders(watched);
        self.test(watched, true);
    }

    /// Runs the server's own test; its verdict is a fact when it is asked for or bad.
    fn test(&mut self, watched: &Watched, is_asked_for: bool) {
        let Some(program) = &self.program else {
            return;
        };
        self.tested_at = Some(Instant::now());
        let verdict = match (program.run_as(), program.ask(&["-t"])) {
            (Some(run_as), Some(ran)) => verdict(&ran, program.has_fewer_rights(run_as)),
            _ => Verdict::Unknown(
                "the server's own test may not be run safely, or did not end in time".to_owned(),
            ),
        };
        let (valid, output) = match verdict {
            Verdict::Known { valid, output } => (valid, output),
            Verdict::Unknown(why) => {
                self.valid = None;
                let problem =
                    format!("whether the configuration on disk is valid is not known: {why}");
                watched.set_problem("config", Some(problem));
                return;
            }
        };
        watched.set_problem("config", None);
        let turned_bad = !valid && self.valid != Some(false);
        self.valid = Some(valid);
        if is_asked_for || turned_bad {
            let fact = watched.fact(watched.now(), FactKind::ConfigTested { valid, output });
            watched.deliver(Batch {
                facts: vec![fact],
                ..Batch::default()
            });
        }
        self.write(watched);
    }

    fn write(&mut self, watched: &Watched) {
        let Some(valid) = self.valid else {
            return;
        };
        self.written_at = Some(Instant::now());
        let sample = watched.sample(metric::CONFIG_VALID, &[], watched.now(), flag(valid));
        watched.deliver(Batch {
            samples: vec![sample],
            ..Batch::default()
        });
    }
}

/// What a test tells.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Verdict {
    Known { valid: bool, output: String },
    Unknown(String),
}

fn verdict(ran: &Ran, has_fewer_rights: bool) -> Verdict {
    let output = cut(ran.output.trim().to_owned(), OUTPUT_BYTES_MAX);
    if ran.code == 0 {
        return Verdict::Known {
            valid: true,
            output,
        };
    }
    let lower = output.to_ascii_lowercase();
    let is_denied = lower.contains("permission denied") || lower.contains("(13)");
    // Without root's rights a key that is there cannot be read.
    let is_key = has_fewer_rights
        && (lower.contains("does not exist or is empty") || lower.contains("certificatekeyfile"));
    if ran.code < 0 || is_denied || is_key {
        return Verdict::Unknown(format!(
            "its test ended with code {} and said: {output}",
            ran.code
        ));
    }
    Verdict::Known {
        valid: false,
        output,
    }
}

fn texts(files: &[PathBuf]) -> BTreeMap<PathBuf, String> {
    // The main file comes first.
    let reader = files
        .first()
        .map_or(Reader::Anyone, |main| Reader::of(main));
    let mut left = HELD_BYTES_MAX;
    let mut texts = BTreeMap::new();
    for file in files {
        let Ok(bytes) = read_for(reader, file) else {
            continue;
        };
        left = left.saturating_sub(bytes.len());
        if left == 0 {
            break;
        }
        texts.insert(file.clone(), String::from_utf8_lossy(&bytes).into_owned());
    }
    texts
}

/// After a reload the server may listen, log and be named otherwise.
fn identify_again(watched: &Watched, parent: crate::procfs::ProcessKey) {
    let Some(identified) = discover::candidate(parent)
        .and_then(|candidate| identify::identify(&candidate, &|_| true).ok())
    else {
        return;
    };
    watched.set_program(identified.program);
    if *watched.identity() != identified.identity {
        match watched.host.target_found(identified.identity.clone()) {
            Ok(_) => watched.set_identity(identified.identity),
            Err(NotRecorded) => watched.note_reload(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_is_unknown_and_not_bad() {
        let check = |code: i32, output: &str, has_fewer_rights: bool, expected: Option<bool>| {
            let found = match verdict(
                &Ran {
                    code,
                    output: output.to_owned(),
                },
                has_fewer_rights,
            ) {
                Verdict::Known { valid, .. } => Some(valid),
                Verdict::Unknown(_) => None,
            };
            assert_eq!(found, expected, "{output}");
        };
        check(0, "Syntax OK", false, Some(true));
        check(
            1,
            "AH00526: Syntax error on line 3 of /etc/apache2/apache2.conf",
            true,
            Some(false),
        );
        check(
            1,
            "SSLCertificateKeyFile: file '/k' does not exist or is empty",
            true,
            None,
        );
        check(
            1,
            "SSLCertificateKeyFile: file '/k' does not exist or is empty",
            false,
            Some(false),
        );
        check(
            1,
            "could not open /etc/apache2/x.conf: (13)Permission denied",
            true,
            None,
        );
        check(-9, "", false, None);
    }
}
