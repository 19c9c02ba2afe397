//! How a server ends and comes back, as the agent tells it.

use tocsin_agent::Settings;
use tocsin_domain::signal::{ExitKind, FactKind, Supervisor, metric};

use crate::apache::{Apache, is_installed};
use crate::recorder::{first_id, watch, watch_with};

/// Exits of a parent: how, with how many children alive.
pub(crate) fn exit(what: &FactKind) -> Option<(ExitKind, u32, Supervisor)> {
    match what {
        FactKind::ParentExited {
            how,
            children_alive,
            supervisor,
            ..
        } => Some((*how, *children_alive, supervisor.clone())),
        _ => None,
    }
}

#[test]
fn the_end_of_the_whole_tree_is_told_in_one_batch() {
    if !is_installed() {
        return;
    }
    let apache = Apache::started();
    let (recorder, _agent) = watch(apache.folder().to_owned());
    recorder.wait_for(metric::CHILDREN, 1.0);
    apache.kill();
    let batch = recorder.wait("exit", |seen| {
        let told = |batch: &&tocsin_domain::signal::Batch| {
            batch.facts.iter().any(|fact| exit(&fact.what).is_some())
        };
        seen.batches
            .iter()
            .map(|(_, batch)| batch)
            .find(told)
            .cloned()
    });
    assert_eq!(
        exit(&batch.facts[0].what),
        Some((ExitKind::Crash, 0, Supervisor::None))
    );
    let value = |metric: &str| {
        batch
            .samples
            .iter()
            .find(|sample| sample.labels["__name__"] == metric)
            .map(|sample| sample.value)
    };
    assert_eq!(value(metric::PARENT_UP), Some(0.0));
    assert_eq!(value(metric::EXIT_CLEAN), Some(0.0));
    assert_eq!(value(metric::LISTENER_REFUSED), Some(1.0));
    assert_eq!(value(metric::CHILDREN), Some(0.0));
    assert_eq!(value(metric::SUPERVISED), Some(0.0));
    assert_eq!(value(metric::CHANGE_RUNNING), Some(0.0));
    recorder.wait_for(metric::PROBE_REFUSED, 1.0);
    recorder.wait_for(metric::UP, 0.0);
    apache.start();
    let pid = recorder.wait("start", |seen| {
        seen.fact(|what| match what {
            FactKind::ParentStarted { pid } => Some(*pid),
            _ => None,
        })
    });
    assert_eq!(Some(pid), apache.pid());
    recorder.wait_for(metric::PARENT_UP, 1.0);
    recorder.seen(|seen| {
        let ended = seen.last(metric::EXIT_CLEAN);
        assert!(ended.is_some_and(f64::is_nan), "{ended:?}");
    });
    recorder.wait_for(metric::LISTENER_REFUSED, 0.0);
    recorder.wait_for(metric::PROBE_UP, 1.0);
}

#[test]
fn children_that_outlive_their_parent_are_counted() {
    if !is_installed() {
        return;
    }
    let apache = Apache::started();
    let (recorder, _agent) = watch(apache.folder().to_owned());
    recorder.wait_for(metric::CHILDREN, 1.0);
    apache.kill_parent();
    let told = recorder.wait("exit", |seen| seen.fact(exit));
    assert_eq!(told, (ExitKind::Crash, 1, Supervisor::None));
    recorder.seen(|seen| assert_eq!(seen.last(metric::LISTENER_REFUSED), Some(0.0)));
    recorder.wait_for(metric::PROBE_UP, 1.0);
}

#[test]
fn an_orderly_stop_is_told_from_a_crash() {
    if !is_installed() {
        return;
    }
    let apache = Apache::started();
    let (recorder, _agent) = watch(apache.folder().to_owned());
    recorder.wait_for(metric::PARENT_UP, 1.0);
    apache.stop();
    let line = recorder.wait("exit", |seen| {
        seen.fact(|what| match what {
            FactKind::ParentExited {
                how: ExitKind::CleanStop,
                log_line,
                ..
            } => log_line.clone(),
            _ => None,
        })
    });
    assert!(line.contains("AH00491"), "{line}");
    recorder.seen(|seen| assert_eq!(seen.last(metric::EXIT_CLEAN), Some(1.0)));
}

#[test]
fn a_known_server_that_is_down_at_the_start_is_told_and_watched() {
    if !is_installed() {
        return;
    }
    let apache = Apache::started();
    let (recorder, agent) = watch(apache.folder().to_owned());
    let identity = recorder.wait("identity", |seen| seen.found.first().cloned());
    agent.stop();
    apache.kill();
    apache.wait_until_refused();
    let settings = Settings {
        only: vec![apache.folder().to_owned()],
        known: vec![(first_id(), identity)],
        ..Settings::default()
    };
    let (recorder, _agent) = watch_with(settings);
    let told = recorder.wait("exit", |seen| seen.fact(exit));
    assert_eq!(told, (ExitKind::FoundDead, 0, Supervisor::None));
    recorder.wait_for(metric::LISTENER_REFUSED, 1.0);
    apache.start();
    recorder.wait_for(metric::PARENT_UP, 1.0);
}

#[test]
fn a_known_server_that_no_pid_file_names_is_not_called_dead_at_the_start() {
    if !is_installed() {
        return;
    }
    let apache = Apache::started();
    let (recorder, agent) = watch(apache.folder().to_owned());
    let identity = recorder.wait("identity", |seen| seen.found.first().cloned());
    agent.stop();
    let pid_file = apache.path("apache.pid");
    let named = std::fs::read(&pid_file).unwrap();
    std::fs::remove_file(&pid_file).unwrap();
    let (recorder, _agent) = watch_with(Settings {
        only: vec![apache.folder().to_owned()],
        known: vec![(first_id(), identity)],
        ..Settings::default()
    });
    recorder.wait_for(metric::PARENT_UP, 1.0);
    recorder.seen(|seen| assert_eq!(seen.fact(exit), None));
    // The fixture ends the server by this file.
    std::fs::write(&pid_file, named).unwrap();
}

#[test]
fn a_reload_is_a_fact_and_no_exit() {
    if !is_installed() {
        return;
    }
    let apache = Apache::started();
    let (recorder, _agent) = watch(apache.folder().to_owned());
    recorder.wait_for(metric::CONFIG_GENERATION, 1.0);
    apache.reload();
    let generation = recorder.wait("reload", |seen| {
        seen.fact(|what| match what {
            FactKind::Reloaded { generation } => Some(*generation),
            _ => None,
        })
    });
    assert_eq!(generation, 2);
    recorder.seen(|seen| assert_eq!(seen.fact(exit), None));
}

#[test]
fn a_server_below_a_process_that_waits_for_it_is_supervised() {
    if !is_installed() {
        return;
    }
    let apache = Apache::configured();
    let mut shell = apache.start_below_a_shell();
    let (recorder, _agent) = watch(apache.folder().to_owned());
    recorder.wait_for(metric::SUPERVISED, 1.0);
    apache.kill_parent();
    let (how, _, supervisor) = recorder.wait("exit", |seen| seen.fact(exit));
    assert_eq!(how, ExitKind::Crash);
    assert_eq!(
        supervisor,
        Supervisor::ParentProcess {
            name: "sh".to_owned()
        }
    );
    Apache::end_group(shell.id());
    let _ = shell.wait();
}
