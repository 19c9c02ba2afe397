//! What a drill plays on: a work directory, webserver-01 with its login application and traffic, and the janitor who
//! clears it all away; it knows nothing of Tocsin.

use std::fs;
use std::path::PathBuf;

use super::Options;
use super::apache::Apache;
use super::breaks::{Break, Fixture};
use super::login_app::LoginApp;
use super::traffic::Traffic;
use crate::failure::{Because, Outcome};
use crate::janitor::Janitor;
use crate::packages;
use crate::random::Random;
use crate::screen::step;

/// Logins a second.
const LOGINS_PER_SECOND: u64 = 40;
/// Every drill sends the same users in the same order.
const SEED: u64 = 20_240_818;

pub(crate) struct Stage {
    pub(crate) fixture: Fixture,
    pub(crate) traffic: Traffic,
    pub(crate) janitor: Janitor,
    pub(crate) dir: PathBuf,
}

impl Stage {
    /// Starts webserver-01 and its traffic.
    pub(crate) fn set(options: &Options) -> Outcome<Self> {
        let program = step(
            "apache2",
            |step| packages::provide(&packages::APACHE, step),
            |path| path.display().to_string(),
        )?;
        let dir = work_dir(options)?;
        let mut janitor = Janitor::hire()?;
        if options.keep.is_none() {
            janitor.will_remove(&dir);
        }
        let (fixture, traffic) = step(
            "webserver-01",
            |_| start(options.how, &program, &dir, &mut janitor),
            |(fixture, _)| {
                format!(
                    "http://{}, {LOGINS_PER_SECOND} logins/s, every fifth premium",
                    fixture.apache.address
                )
            },
        )?;
        Ok(Self {
            fixture,
            traffic,
            janitor,
            dir,
        })
    }

    /// Stops everything that was started.
    pub(crate) fn clear(mut self) {
        self.traffic.stop();
        self.fixture.apache.end();
        self.janitor.tidy_up();
    }
}

fn start(
    how: Break,
    program: &std::path::Path,
    dir: &std::path::Path,
    janitor: &mut Janitor,
) -> Outcome<(Fixture, Traffic)> {
    let login_app = LoginApp::start().because("starting the login application")?;
    let mut apache = Apache::prepare(program, &dir.join("webserver-01"), login_app.address)?;
    janitor.will_kill_all(&program.to_string_lossy(), &apache.conf().to_string_lossy());
    match how {
        Break::SupervisedCrash => {
            let supervisor = apache.start_supervised()?;
            janitor.will_end(supervisor);
        }
        Break::Kill
        | Break::KillParent
        | Break::Stop
        | Break::Hang
        | Break::Saturate
        | Break::Errors
        | Break::BadConfig
        | Break::Restart
        | Break::Reload => apache.start()?,
    }
    let traffic =
        Traffic::start(apache.address, LOGINS_PER_SECOND, SEED).because("starting the traffic")?;
    Ok((Fixture::new(apache, login_app)?, traffic))
}

/// A fresh directory that Apache's workers can enter.
fn work_dir(options: &Options) -> Outcome<PathBuf> {
    if let Some(dir) = &options.keep {
        fs::create_dir_all(dir).because(format!("making {}", dir.display()))?;
        let dir = dir
            .canonicalize()
            .because(format!("finding {}", dir.display()))?;
        for name in ["webserver-01", "tocsin"] {
            // What an earlier drill kept here would be taken for this one's.
            let old = dir.join(name);
            if old.exists() {
                fs::remove_dir_all(&old).because(format!("removing {}", old.display()))?;
            }
        }
        return Ok(dir);
    }
    let seed = seed_of(std::process::id(), crate::clock::now().unsigned_abs());
    let dir = std::env::temp_dir().join(format!(
        "tocsin-drill-{:012x}",
        Random::new(seed).next() >> 16
    ));
    fs::create_dir(&dir).because(format!("making {}", dir.display()))?;
    Ok(dir)
}

/// Differs for any two processes of this machine at any two times: of two that begin in the same moment too.
const fn seed_of(pid: u32, now_ms: u64) -> u64 {
    // Milliseconds since 1970 fill less than 42 bits until 2109.
    ((pid as u64) << 42) ^ now_ms
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drills_that_begin_together_have_seeds_of_their_own() {
        let mut seeds = std::collections::BTreeSet::new();
        for pid in 9_000..9_020 {
            for at in 1_795_772_000_000..1_795_772_000_020 {
                assert!(seeds.insert(seed_of(pid, at)), "{pid} at {at}");
            }
        }
    }
}
