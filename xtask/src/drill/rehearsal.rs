//! A drill without Tocsin: shows that each break breaks what it says, and that its repair repairs it.

use std::process::{Command, Stdio};
use std::time::Duration;

use super::Options;
use super::breaks::{Break, Fixture};
use super::stage::Stage;
use crate::clock;
use crate::failure::{Because, Outcome, fail};
use crate::processes::wait_until;
use crate::screen::step;

/// Breaks, looks, repairs, looks, and stops everything.
pub(crate) fn run(options: &Options) -> Outcome<()> {
    let mut stage = Stage::set(options)?;
    let played = play(&mut stage, options.how);
    stage.clear();
    played
}

fn play(stage: &mut Stage, how: Break) -> Outcome<()> {
    let whole = stage.traffic.truth(0, clock::now());
    if whole.failed > 0 {
        fail!(
            "{} of {} logins failed before anything was broken",
            whole.failed,
            whole.attempts
        );
    }
    let broken = step(
        how.word(),
        |_| stage.fixture.break_it(how),
        |done| done.what.clone(),
    )?;
    step(
        "looks broken",
        |_| look(&stage.fixture, how),
        |()| "as it should".to_owned(),
    )?;
    if how.hurts_users()
        && !wait_until(Duration::from_secs(10), || {
            stage.traffic.truth(broken.at, i64::MAX).failed > 0
        })
    {
        fail!("the break hurt nobody");
    }
    step(
        "repair",
        |_| stage.fixture.repair(how),
        |done| done.what.clone(),
    )?;
    step(
        "looks whole",
        |_| look_whole(&stage.fixture),
        |()| "as it should".to_owned(),
    )?;
    Ok(())
}

fn look(fixture: &Fixture, how: Break) -> Outcome<()> {
    let apache = &fixture.apache;
    let expected = match how {
        Break::Kill | Break::Stop => {
            apache.wait_until_gone()?;
            None
        }
        Break::Hang | Break::Saturate => None,
        Break::Errors => Some(500),
        Break::SupervisedCrash => {
            apache.wait_for_answer()?;
            Some(200)
        }
        Break::Reload => {
            // With every slot of the scoreboard taken, the new workers wait until the old ones have let their last visitor go.
            apache.wait_for_answer()?;
            Some(200)
        }
        Break::KillParent | Break::BadConfig | Break::Restart => Some(200),
    };
    let found = apache.answers_within(Duration::from_secs(1));
    if found != expected {
        fail!("a visitor gets {found:?} after the break, and should get {expected:?}");
    }
    if how == Break::BadConfig && configuration_is_good(fixture)? {
        fail!("Apache takes the spoilt configuration for a good one");
    }
    let orphaned = apache.tree().iter().all(|identity| identity.parent <= 1);
    if how == Break::KillParent && !orphaned {
        fail!("the parent was killed, but a process still has it as its parent");
    }
    Ok(())
}

fn look_whole(fixture: &Fixture) -> Outcome<()> {
    fixture.apache.wait_for_answer()?;
    if !configuration_is_good(fixture)? {
        fail!("the configuration is not good after the repair");
    }
    Ok(())
}

fn configuration_is_good(fixture: &Fixture) -> Outcome<bool> {
    let checked = Command::new(&fixture.apache.program)
        .arg("-t")
        .arg("-f")
        .arg(fixture.apache.conf())
        .stdin(Stdio::null())
        .output()
        .because("running apache2 -t")?;
    Ok(checked.status.success())
}
