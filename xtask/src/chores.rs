//! Chores as processes of their own, what each says kept in a file, and several of them at a time; it does not know what they do.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::failure::{Because, Outcome, fail};
use crate::places;

/// How often it is looked whether a chore with a limit has ended.
const LOOK: Duration = Duration::from_millis(50);

/// Runs a chore, for so long at most; all that it says goes to `log`, in the order it is said, and nothing to the screen.
pub(crate) fn logged(
    words: &[impl AsRef<OsStr>],
    log: &Path,
    limit: Option<Duration>,
) -> Outcome<ExitStatus> {
    let out = File::create(log).because(format!("making {}", log.display()))?;
    let same = out.try_clone().because("opening the log twice")?;
    // By this name the program is found also after it was built anew and replaced on disk.
    let running = || format!("running what {} tells of", log.display());
    let mut child = Command::new("/proc/self/exe")
        .arg0("xtask")
        .args(words)
        .current_dir(places::root())
        .stdin(Stdio::null())
        .stdout(out)
        .stderr(same)
        .spawn()
        .because(running())?;
    match end_of(&mut child, limit).because(running())? {
        Some(status) => Ok(status),
        None => {
            let limit = limit.unwrap_or_default();
            fail!(
                "it hung and was ended after {limit:?}: see {}",
                log.display()
            )
        }
    }
}

/// Waits until a child has ended; none when it had to be killed because it did not within the limit. Whatever it started is the
/// affair of its janitor.
pub(crate) fn end_of(child: &mut Child, limit: Option<Duration>) -> io::Result<Option<ExitStatus>> {
    let Some(limit) = limit else {
        return child.wait().map(Some);
    };
    let deadline = Instant::now() + limit;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() >= deadline {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        thread::sleep(LOOK);
    }
}

/// Does `work` with every item, `at_once` of them at a time and begun in their order; gives back what came of each, in that
/// order too.
pub(crate) fn side_by_side<I: Sync, O: Send>(
    at_once: usize,
    items: &[I],
    work: impl Fn(&I) -> O + Sync,
) -> Vec<O> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(|| {
                loop {
                    let place = next.fetch_add(1, Ordering::SeqCst);
                    let Some(item) = items.get(place) else {
                        break;
                    };
                    let came = work(item);
                    done.lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .push((place, came));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(place, _)| *place);
    done.into_iter().map(|(_, came)| came).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Barrier;

    #[test]
    fn two_run_at_a_time_and_what_came_of_them_is_in_their_order() {
        let both = Barrier::new(2);
        let (running, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let came = side_by_side(2, &[1, 2, 3, 4], |item| {
            let now = running.fetch_add(1, Ordering::SeqCst) + 1;
            most.fetch_max(now, Ordering::SeqCst);
            // Nobody gets past here alone.
            both.wait();
            running.fetch_sub(1, Ordering::SeqCst);
            item * 10
        });
        assert_eq!(came, [10, 20, 30, 40]);
        assert_eq!(most.into_inner(), 2);
    }

    #[test]
    fn a_chore_that_hangs_is_ended() {
        let mut child = Command::new("sleep")
            .arg("60.375")
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let ended = end_of(&mut child, Some(Duration::ZERO)).unwrap();
        assert_eq!(ended, None);
        assert!(child.try_wait().unwrap().is_some(), "nothing is left of it");
    }

    #[test]
    fn what_a_chore_says_is_in_its_log_and_not_on_the_screen() {
        let log = std::env::temp_dir().join(format!("tocsin-chores-{}.log", std::process::id()));
        // The program that runs here is the tests' own, which can tell what it consists of.
        let status = logged(&["--list"], &log, None).unwrap();
        let said = std::fs::read_to_string(&log).unwrap();
        std::fs::remove_file(&log).unwrap();
        assert!(status.success(), "{said}");
        assert!(said.contains("chores::tests::"), "{said}");
    }
}
