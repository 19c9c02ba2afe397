//! The agent beside a real, private Apache; without one installed every test says so and passes.

#![expect(clippy::unwrap_used, reason = "a test fails by it")]
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a test looks for one kind of fact"
)]

mod apache;
mod recorder;

use std::time::Instant;

use tocsin_agent::Settings;
use tocsin_domain::signal::{ExitKind, FactKind, LogLine, Supervisor, metric};

use apache::{Apache, is_installed};
use recorder::{first_id, watch, watch_with};

/// Exits of a parent: how, with how many children alive.
fn exit(what: &FactKind) -> Option<(ExitKind, u32, Supervisor)> {
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
    assert_eq!(status.targets[0].problems, Vec::<String>::new());
    recorder.seen(|seen| {
        assert!(
            seen.facts().next().is_none(),
            "nothing happened, so nothing is told"
        )
    });
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
fn a_missing_status_page_is_explained_once_with_the_lines_to_paste() {
    if !is_installed() {
        return;
    }
    let apache = Apache::without_status();
    apache.start();
    let (recorder, agent) = watch(apache.folder().to_owned());
    let reasons = |seen: &recorder::Seen| {
        let reason = |what: &FactKind| match what {
            FactKind::StatusUnavailable { reason } => Some(reason.clone()),
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
    assert!(
        reasons[0].contains("404") && reasons[0].contains("SetHandler server-status"),
        "{}",
        reasons[0]
    );
    recorder.wait_for(metric::PROBE_UP, 1.0);
    assert_eq!(agent.status().targets[0].problems.len(), 1);
}

#[test]
fn requests_are_counted_by_class_and_tier_and_own_probes_are_not() {
    if !is_installed() {
        return;
    }
    let apache = Apache::started();
    let (recorder, _agent) = watch(apache.folder().to_owned());
    recorder.wait_for(metric::PROBE_UP, 1.0);
    recorder.wait("own probe in the log", |seen| {
        seen.logs()
            .any(|record| {
                matches!(
                    record.line,
                    LogLine::Access {
                        own_probe: true,
                        ..
                    }
                )
            })
            .then_some(())
    });
    apache.get("/broken", "premium");
    apache.get("/", "free");
    let count = |seen: &recorder::Seen, class: &str, tier: &str| -> Vec<f64> {
        let of_tier = |labels: &tocsin_domain::signal::Labels| {
            labels["class"] == class && labels.get("tier").is_some_and(|found| found == tier)
        };
        seen.samples(metric::LOG_REQUESTS_TOTAL)
            .filter(|sample| of_tier(&sample.labels))
            .map(|sample| sample.value)
            .collect()
    };
    let broken = recorder.wait("a failure", |seen| {
        Some(count(seen, "5xx", "premium")).filter(|all| all.len() >= 2)
    });
    assert_eq!(broken[..2], [0.0, 1.0], "a series begins at zero");
    recorder.wait("a success", |seen| {
        (count(seen, "2xx", "free").last() == Some(&1.0)).then_some(())
    });
    recorder.seen(|seen| {
        let untold = seen
            .samples(metric::LOG_REQUESTS_TOTAL)
            .filter(|sample| !sample.labels.contains_key("tier"));
        assert!(
            untold.into_iter().all(|sample| sample.value == 0.0),
            "probes and status fetches are no users"
        );
    });
}

#[test]
fn no_line_is_missed_through_a_rotation() {
    if !is_installed() {
        return;
    }
    let apache = Apache::started();
    let (recorder, _agent) = watch(apache.folder().to_owned());
    recorder.wait_for(metric::PROBE_UP, 1.0);
    apache.get("/before", "free");
    std::fs::rename(
        apache.path("logs/access.log"),
        apache.path("logs/access.log.1"),
    )
    .unwrap();
    apache.get("/between", "free");
    apache.reload();
    recorder.wait("reload", |seen| {
        seen.fact(|what| matches!(what, FactKind::Reloaded { .. }).then_some(()))
    });
    apache.get("/after", "free");
    for wanted in ["/before", "/between", "/after"] {
        recorder.wait(wanted, |seen| {
            let is_wanted = |line: &LogLine| matches!(line, LogLine::Access { path, status: 404, .. } if path == wanted);
            seen.logs().any(|record| is_wanted(&record.line)).then_some(())
        });
    }
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
        "SetEnv DB_PASSWORD hunter2\nBogusDirective on\n",
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
    apache.write("extra/site.conf", "SetEnv DB_PASSWORD hunter2\n");
    recorder.wait_for(metric::CONFIG_VALID, 1.0);
    recorder.seen(|seen| assert!(tests(seen).last().is_some_and(|(valid, _)| *valid)));
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
    let _ = shell.wait();
}

#[test]
fn lines_written_while_nobody_watched_are_read_but_not_counted_as_new() {
    if !is_installed() {
        return;
    }
    let apache = Apache::started();
    let settings = Settings {
        only: vec![apache.folder().to_owned()],
        log_positions: Some(apache.path("positions.json")),
        ..Settings::default()
    };
    let (recorder, agent) = watch_with(settings.clone());
    apache.get("/first", "free");
    let has = |seen: &recorder::Seen, wanted: &str| {
        let is_wanted =
            |line: &LogLine| matches!(line, LogLine::Access { path, .. } if path == wanted);
        seen.logs()
            .any(|record| is_wanted(&record.line))
            .then_some(())
    };
    recorder.wait("own probe", |seen| {
        seen.logs()
            .any(|record| {
                matches!(
                    record.line,
                    LogLine::Access {
                        own_probe: true,
                        ..
                    }
                )
            })
            .then_some(())
    });
    agent.stop();
    apache.get("/meanwhile", "premium");
    let (recorder, _agent) = watch_with(settings);
    recorder.wait("the line of the meantime", |seen| has(seen, "/meanwhile"));
    recorder.wait_for(metric::PROBE_UP, 1.0);
    recorder.seen(|seen| {
        let counted = |labels: &tocsin_domain::signal::Labels| {
            labels.get("tier").is_some_and(|tier| tier == "premium")
        };
        assert!(
            !seen
                .samples(metric::LOG_REQUESTS_TOTAL)
                .any(|sample| counted(&sample.labels))
        );
    });
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
