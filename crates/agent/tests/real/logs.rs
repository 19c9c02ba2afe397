//! What the agent takes from the logs of a real server.

use tocsin_agent::Settings;
use tocsin_domain::signal::{LogLine, metric};

use crate::apache::{Apache, is_installed};
use crate::recorder::{self, watch, watch_with};

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
    // A log that is found for the first time is followed from its end: the first line seen says that it is.
    recorder.wait("the log is followed", |seen| {
        seen.logs().next().is_some().then_some(())
    });
    apache.get("/before", "free");
    std::fs::rename(
        apache.path("logs/access.log"),
        apache.path("logs/access.log.1"),
    )
    .unwrap();
    apache.get("/between", "free");
    // Makes it open its logs anew at once; a graceful reload would wait for the last visitor of the old workers.
    apache.restart();
    apache.get("/after", "free");
    for wanted in ["/before", "/between", "/after"] {
        recorder.wait(wanted, |seen| {
            let is_wanted = |line: &LogLine| matches!(line, LogLine::Access { path, status: 404, .. } if path == wanted);
            seen.logs().any(|record| is_wanted(&record.line)).then_some(())
        });
    }
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
