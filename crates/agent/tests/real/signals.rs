//! What the agent sees of a server that runs: identity, samples, queue, configuration.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use tocsin_agent::Settings;
use tocsin_domain::signal::{FactKind, metric};

use crate::apache::{Apache, is_installed};
use crate::recorder::{self, Recorder, first_id, watch};

#[test]
fn a_running_server_is_found_with_all_that_belongs_to_it() {
    if !is_installed() {
        return;
    }
    let apache = Apache::started();
    let (recorder, agent) = watch(apache.folder().to_owned());
    let identity = recorder.wait("identity", |seen| seen.found.first().cloned());
    let below = |path: &str| apache.path(path).display().to_string();
    assert_eq!(identity.name, "webserver-01");
    assert_eq!(identity.binary, "/usr/sbin/apache2");
    assert_eq!(identity.config_path, below("httpd.conf"));
    assert_eq!(
        identity.config_files,
        [below("httpd.conf"), below("extra/status.conf")]
    );
    assert_eq!(identity.listen, [apache.address.to_string()]);
    assert_eq!(identity.pid_file, below("apache.pid"));
    assert_eq!(identity.error_logs, [below("logs/error.log")]);
    assert_eq!(identity.access_logs[0].0, below("logs/access.log"));
    assert!(identity.access_logs[0].1.contains("%{X-Tier}i"));
    assert_eq!(identity.probe_url, format!("http://{}/", apache.address));
    assert_eq!(
        identity.status_url,
        Some(format!("http://{}/server-status", apache.address))
    );
    for (metric, value) in [
        (metric::PARENT_UP, 1.0),
        (metric::CHILDREN, 1.0),
        (metric::PROCESSES_STOPPED, 0.0),
        (metric::SUPERVISED, 0.0),
        (metric::CHANGE_RUNNING, 0.0),
        (metric::LISTENER_REFUSED, 0.0),
        (metric::UP, 1.0),
        (metric::WORKERS_MAX, 4.0),
        (metric::PROBE_UP, 1.0),
        (metric::PROBE_STATUS_CODE, 200.0),
        (metric::LISTENER_QUEUE_LIMIT, 32.0),
    ] {
        recorder.wait_for(metric, value);
    }
    let status = agent.status();
    assert_eq!(status.targets[0].parent, apache.pid());
    assert_eq!(status.targets[0].problems, Vec::new());
    recorder.seen(|seen| {
        assert!(
            seen.facts().next().is_none(),
            "nothing happened, so nothing is told"
        )
    });
}

#[test]
fn a_server_that_could_not_be_recorded_is_told_again_and_watched() {
    if !is_installed() {
        return;
    }
    let apache = Apache::started();
    let recorder = Arc::new(Recorder::default());
    recorder.refusals.store(2, Ordering::Relaxed);
    let settings = Settings {
        only: vec![apache.folder().to_owned()],
        ..Settings::default()
    };
    let _agent = recorder::start(settings, &recorder);
    recorder.wait_for(metric::PARENT_UP, 1.0);
}

#[test]
fn a_missing_status_page_is_explained_once_and_can_be_switched_on() {
    if !is_installed() {
        return;
    }
    let apache = Apache::without_status();
    apache.start();
    let (recorder, agent) = watch(apache.folder().to_owned());
    let reasons = |seen: &recorder::Seen| {
        let reason = |what: &FactKind| match what {
            FactKind::StatusUnavailable { reason, mendable } => Some((reason.clone(), *mendable)),
            _ => None,
        };
        seen.facts()
            .filter_map(|fact| reason(&fact.what))
            .collect::<Vec<_>>()
    };
    let fetches = |seen: &recorder::Seen| seen.samples(metric::UP).count();
    recorder.wait("three fetches", |seen| (fetches(seen) >= 3).then_some(()));
    let reasons = recorder.seen(reasons);
    assert_eq!(reasons.len(), 1);
    let (reason, mendable) = &reasons[0];
    assert!(reason.ends_with("answers with status 404"), "{reason}");
    assert!(mendable);
    recorder.wait_for(metric::PROBE_UP, 1.0);
    assert_eq!(agent.status().targets[0].problems.len(), 1);
}

#[test]
fn held_workers_show_as_a_queue_and_a_probe_that_times_out() {
    if !is_installed() {
        return;
    }
    let apache = Apache::started();
    let (recorder, _agent) = watch(apache.folder().to_owned());
    recorder.wait_for(metric::PROBE_UP, 1.0);
    let held = apache.hold(20);
    recorder.wait_for(metric::PROBE_TIMEOUT, 1.0);
    let waiting = recorder.wait("queue", |seen| {
        seen.fact(|what| match what {
            FactKind::QueueChanged { waiting, .. } => Some(*waiting),
            _ => None,
        })
    });
    assert!(waiting > 0);
    recorder.seen(|seen| {
        assert!(
            seen.samples(metric::LISTENER_QUEUE)
                .any(|sample| sample.value > 0.0)
        );
        assert_eq!(seen.last(metric::PARENT_UP), Some(1.0));
        assert_eq!(seen.last(metric::LISTENER_REFUSED), Some(0.0));
    });
    drop(held);
    recorder.wait_for(metric::PROBE_TIMEOUT, 0.0);
}

#[test]
fn a_bad_configuration_is_told_with_its_difference_while_the_server_runs_on() {
    if !is_installed() {
        return;
    }
    let apache = Apache::started();
    let (recorder, _agent) = watch(apache.folder().to_owned());
    recorder.wait_for(metric::CONFIG_VALID, 1.0);
    apache.write(
        "extra/site.conf",
        "Define DB_PASSWORD hunter2\nBogusDirective on\n",
    );
    let (path, diff) = recorder.wait("change", |seen| {
        seen.fact(|what| match what {
            FactKind::ConfigChanged { path, diff } => Some((path.clone(), diff.clone())),
            _ => None,
        })
    });
    assert_eq!(path, apache.path("extra/site.conf").display().to_string());
    assert!(
        diff.contains("+BogusDirective on") && !diff.contains("hunter2"),
        "{diff}"
    );
    let tests = |seen: &recorder::Seen| {
        let tested = |what: &FactKind| match what {
            FactKind::ConfigTested { valid, output } => Some((*valid, output.clone())),
            _ => None,
        };
        seen.facts()
            .filter_map(|fact| tested(&fact.what))
            .collect::<Vec<_>>()
    };
    let (valid, output) = recorder.wait("test", |seen| tests(seen).first().cloned());
    assert!(!valid && output.contains("BogusDirective"), "{output}");
    recorder.wait_for(metric::CONFIG_VALID, 0.0);
    recorder.seen(|seen| assert_eq!(seen.last(metric::PARENT_UP), Some(1.0)));
    apache.write("extra/site.conf", "Define DB_PASSWORD hunter2\n");
    recorder.wait_for(metric::CONFIG_VALID, 1.0);
    recorder.seen(|seen| assert!(tests(seen).last().is_some_and(|(valid, _)| *valid)));
}

#[test]
fn the_machine_is_sampled_for_every_target() {
    if !is_installed() {
        return;
    }
    let apache = Apache::started();
    let (recorder, _agent) = watch(apache.folder().to_owned());
    for metric in [
        "node_load1",
        "node_memory_MemAvailable_bytes",
        "node_filesystem_avail_bytes",
        "node_cpu_seconds_total",
    ] {
        let target = recorder.wait(metric, |seen| {
            seen.samples(metric)
                .next()
                .map(|sample| sample.labels["target"].clone())
        });
        assert_eq!(target, first_id().to_string());
    }
}

#[test]
fn an_agent_stops_at_once_also_in_the_middle_of_its_work() {
    if !is_installed() {
        return;
    }
    let apache = Apache::started();
    let (recorder, agent) = watch(apache.folder().to_owned());
    recorder.wait_for(metric::PARENT_UP, 1.0);
    let begun = Instant::now();
    agent.stop();
    recorder.clear();
    assert!(begun.elapsed().as_secs() < 10);
    recorder.seen(|seen| assert!(seen.batches.is_empty()));
}
