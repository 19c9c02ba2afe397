//! Chores as processes of their own, what each says kept in a file, and several of them at a time; it does not know what they do.

use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use crate::failure::{Because, Outcome};
use crate::places;

/// Runs a chore; all that it says goes to `log`, in the order it is said, and nothing to the screen.
pub(crate) fn logged(words: &[impl AsRef<OsStr>], log: &Path) -> Outcome<ExitStatus> {
    let out = File::create(log).because(format!("making {}", log.display()))?;
    let same = out.try_clone().because("opening the log twice")?;
    // By this name the program is found also after it was built anew and replaced on disk.
    Command::new("/proc/self/exe")
        .arg0("xtask")
        .args(words)
        .current_dir(places::root())
        .stdin(Stdio::null())
        .stdout(out)
        .stderr(same)
        .status()
        .because(format!("running what {} tells of", log.display()))
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
    fn what_a_chore_says_is_in_its_log_and_not_on_the_screen() {
        let log = std::env::temp_dir().join(format!("tocsin-chores-{}.log", std::process::id()));
        // The program that runs here is the tests' own, which can tell what it consists of.
        let status = logged(&["--list"], &log).unwrap();
        let said = std::fs::read_to_string(&log).unwrap();
        std::fs::remove_file(&log).unwrap();
        assert!(status.success(), "{said}");
        assert!(said.contains("chores::tests::"), "{said}");
    }
}
