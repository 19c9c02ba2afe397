//! The stock monitors for Apache, on by default.

use crate::id::{MonitorId, TeamId};
use crate::monitor::{BadSample, HoldRule, Monitor, OnsetRule, Severity, Wording};

/// A supervisor is given this long to heal a crash.
const SUPERVISED_HOLD_MS: u64 = 500;
/// Crashes healed by a supervisor within ten minutes that page nobody; the next one does.
const SUPERVISED_RELAPSES: u32 = 2;
/// A clean stop may be the first half of a restart.
const CLEAN_STOP_HOLD_MS: u64 = 2_000;
/// A restart job or a package upgrade is given this long at most.
const CHANGE_HOLD_MS: u64 = 60_000;
/// `apache_parent_up` is written at the exit itself.
const EXIT_RESOLUTION_MS: u64 = 10;

/// The objective: at most this share of the requests may fail.
pub const FAILED_SHARE_MAX: f64 = 0.05;

/// More of the server's workers than this share hold a connection, and further ones wait: that is saturation, not a hang. The
/// last four seconds count, so that the moment of recovery is not taken for a hang.
const ALL_WORKERS_TAKEN: &str = "sum by (target) (max_over_time(apache_connections_accepted[4s])) \
     >= on(target) 0.9 * last_over_time(apache_workers_max[10m])";

/// A stock monitor before it has an id and an owner.
#[derive(Clone, Debug, PartialEq)]
pub struct Stock {
    /// See [`Monitor::slug`].
    pub slug: String,
    monitor: MonitorWithoutId,
}

#[derive(Clone, Debug, PartialEq)]
struct MonitorWithoutId {
    name: &'static str,
    description: &'static str,
    expr: String,
    recovery: String,
    for_ms: u64,
    severity: Severity,
    title: &'static str,
    wording: Vec<Wording>,
    holds: Vec<HoldRule>,
    onset: Option<OnsetRule>,
    runbook: &'static str,
}

impl Stock {
    /// The monitor, owned by `team`.
    #[must_use]
    pub fn with_id(&self, id: MonitorId, team: TeamId) -> Monitor {
        let stock = self.monitor.clone();
        Monitor {
            id,
            team,
            slug: self.slug.clone(),
            name: stock.name.to_owned(),
            description: stock.description.to_owned(),
            pack: Some("apache".to_owned()),
            enabled: true,
            expr: stock.expr,
            recovery: stock.recovery,
            for_ms: stock.for_ms,
            severity: stock.severity,
            title: stock.title.to_owned(),
            wording: stock.wording,
            holds: stock.holds,
            onset: stock.onset,
            runbook: stock.runbook.to_owned(),
        }
    }
}

/// The pack, in the order in which its monitors are asked.
#[must_use]
pub fn apache() -> Vec<Stock> {
    vec![
        down(),
        orphaned(),
        refusing(),
        hung(),
        saturated(),
        failing(),
        failing_probes(),
        broken_configuration(),
    ]
}

fn stock(slug: &str, monitor: MonitorWithoutId) -> Stock {
    Stock {
        slug: slug.to_owned(),
        monitor,
    }
}

fn wording(expr: &str, text: &str) -> Wording {
    Wording {
        expr: expr.to_owned(),
        text: text.to_owned(),
    }
}

fn onset(metric: &str, bad: BadSample, event_resolution_ms: Option<u64>) -> Option<OnsetRule> {
    Some(OnsetRule {
        metric: metric.to_owned(),
        labels: Vec::new(),
        bad,
        event_resolution_ms,
    })
}

fn hold(expr: &str, hold_ms: u64, until_clear: bool, relapses_covered: u32, why: &str) -> HoldRule {
    HoldRule {
        expr: expr.to_owned(),
        hold_ms,
        until_clear,
        relapses_covered,
        why: why.to_owned(),
    }
}

fn change_hold() -> HoldRule {
    hold(
        "apache_change_running == 1",
        CHANGE_HOLD_MS,
        true,
        u32::MAX,
        "a restart job or a package upgrade is running",
    )
}

fn stop_holds() -> Vec<HoldRule> {
    vec![
        hold(
            "apache_supervised == 1 and on(target) apache_exit_clean == 0",
            SUPERVISED_HOLD_MS,
            false,
            SUPERVISED_RELAPSES,
            "a supervisor is about to start it again",
        ),
        hold(
            "apache_exit_clean == 1",
            CLEAN_STOP_HOLD_MS,
            false,
            u32::MAX,
            "it was stopped in good order, which may be the first half of a restart",
        ),
        change_hold(),
    ]
}

fn down() -> Stock {
    stock(
        "apache-down",
        MonitorWithoutId {
            name: "Apache is down",
            description: "The server's parent process is gone and its port refuses connections: nobody is served.",
            expr: "apache_parent_up == 0 and on(target) apache_listener_refused == 1".to_owned(),
            recovery: "apache_parent_up == 1 and on(target) apache_listener_refused == 0"
                .to_owned(),
            for_ms: 0,
            severity: Severity::Critical,
            title: "Apache on {target} is down",
            wording: vec![
                wording(
                    "apache_exit_clean == 0",
                    ": its parent process ended without a word",
                ),
                wording("apache_exit_clean == 1", ": it was stopped"),
            ],
            holds: stop_holds(),
            onset: onset(
                "apache_parent_up",
                BadSample::Equal(0.0),
                Some(EXIT_RESOLUTION_MS),
            ),
            runbook: "Read the end of the error log. Test the configuration (apachectl configtest). Start the server. If it \
                      does not stay up, look for AH00052 (a child crashed) and for the kernel's out-of-memory messages.",
        },
    )
}

fn orphaned() -> Stock {
    stock(
        "apache-orphaned",
        MonitorWithoutId {
            name: "Apache has lost its parent process",
            description: "The parent process is gone but old workers still answer. Nothing replaces a worker that ends, and \
                          a restart fails because the port is taken.",
            expr: "apache_parent_up == 0 and on(target) apache_listener_refused == 0".to_owned(),
            recovery: "apache_parent_up == 1".to_owned(),
            for_ms: 0,
            severity: Severity::Critical,
            title: "Apache on {target} has lost its parent process; orphaned workers still answer",
            wording: Vec::new(),
            holds: stop_holds(),
            onset: onset(
                "apache_parent_up",
                BadSample::Equal(0.0),
                Some(EXIT_RESOLUTION_MS),
            ),
            runbook: "End the orphaned workers (they hold the port), then start the server.",
        },
    )
}

fn refusing() -> Stock {
    stock(
        "apache-refusing",
        MonitorWithoutId {
            name: "Apache runs but refuses connections",
            description: "The parent process runs, yet nothing accepts connections on its port.",
            expr: "min_over_time(apache_listener_refused[3s]) == 1 \
                   and on(target) count_over_time(apache_listener_refused[3s]) >= 2 \
                   and on(target) min_over_time(apache_parent_up[3s]) == 1"
                .to_owned(),
            recovery: "apache_listener_refused == 0".to_owned(),
            for_ms: 0,
            severity: Severity::Critical,
            title: "Apache on {target} is unreachable: it runs but refuses connections",
            wording: Vec::new(),
            holds: stop_holds(),
            onset: onset("apache_listener_refused", BadSample::Equal(1.0), None),
            runbook: "Compare the Listen lines with what listens (ss -ltnp). Look for a graceful stop that does not end.",
        },
    )
}

fn hung() -> Stock {
    stock(
        "apache-hung",
        MonitorWithoutId {
            name: "Apache accepts connections but does not answer",
            description: "Two probes in a row were connected and got no byte, and the workers are not simply all taken.",
            expr: format!(
                "(probe_timeout == 1 and on(target) sum_over_time(probe_timeout[3500ms]) >= 2) unless on(target) ({ALL_WORKERS_TAKEN})"
            ),
            recovery: "probe_up == 1 and on(target) sum_over_time(probe_timeout[3500ms]) == 0"
                .to_owned(),
            for_ms: 0,
            severity: Severity::Critical,
            title: "Apache on {target} hangs: it accepts connections but does not answer",
            wording: vec![wording(
                "apache_processes_stopped > 0",
                " (its processes are stopped)",
            )],
            holds: Vec::new(),
            onset: onset("probe_timeout", BadSample::Equal(1.0), None),
            runbook: "Look at the state of the processes (ps -o pid,stat,wchan). State T means stopped: continue them with \
                      SIGCONT. State D means waiting for a disk or a network file system. Otherwise restart the server.",
        },
    )
}

fn saturated() -> Stock {
    stock(
        "apache-saturated",
        MonitorWithoutId {
            name: "Apache is saturated",
            description: "All workers are taken, new connections wait in the accept queue and time out. The server is not \
                          down: it is full.",
            expr: format!(
                "sum by (target) (min_over_time(apache_listener_queue[3s])) > 0 \
                 and on(target) sum_over_time(probe_timeout[3500ms]) >= 1 and on(target) ({ALL_WORKERS_TAKEN})"
            ),
            recovery: "sum by (target) (max_over_time(apache_listener_queue[3s])) == 0 \
                       and on(target) probe_up == 1 and on(target) sum_over_time(probe_timeout[3500ms]) == 0"
                .to_owned(),
            for_ms: 0,
            severity: Severity::Critical,
            title: "Apache on {target} is saturated: every worker is busy and connections wait",
            wording: Vec::new(),
            holds: Vec::new(),
            onset: onset("apache_listener_queue", BadSample::Above(0.0), None),
            runbook: "See what the workers do (the status page, or the slowest URLs of the access log). A slow backend: repair or \
                      restart it. One client holding many connections: block it. Honest load: raise MaxRequestWorkers.",
        },
    )
}

fn failed(window: &str) -> String {
    format!("sum by (target) (increase(apache_log_requests_total{{class=\"5xx\"}}[{window}]))")
}

fn requests(window: &str) -> String {
    format!("sum by (target) (increase(apache_log_requests_total[{window}]))")
}

fn failing_requests() -> String {
    let burst = |window: &str| {
        let (failed, all) = (failed(window), requests(window));
        format!(
            "({failed} >= 20 and on(target) ({failed} > on(target) {FAILED_SHARE_MAX} * {all}))"
        )
    };
    let (failed_15s, all_15s) = (failed("15s"), requests("15s"));
    // A minute with many failures is over when its last quarter is well: otherwise a repaired server would be called failing
    // until the minute has passed.
    let still = format!("({failed_15s} > on(target) {FAILED_SHARE_MAX} * {all_15s})");
    format!(
        "{} or ({} and on(target) {still})",
        burst("5s"),
        burst("60s")
    )
}

fn failing() -> Stock {
    let (failed_15s, all_15s) = (failed("15s"), requests("15s"));
    stock(
        "apache-5xx",
        MonitorWithoutId {
            name: "Apache answers with server errors",
            description: "More than 5 % of the requests, and at least 20, failed with a 5xx status within a minute or less.",
            expr: failing_requests(),
            recovery: format!(
                "({all_15s} > 0 and on(target) ({failed_15s} <= on(target) {FAILED_SHARE_MAX} * {all_15s})) or ({} == 0)",
                failed("60s")
            ),
            for_ms: 0,
            severity: Severity::Critical,
            title: "Apache on {target} answers with server errors (5xx)",
            wording: Vec::new(),
            holds: Vec::new(),
            onset: Some(OnsetRule {
                metric: "apache_log_requests_total".to_owned(),
                labels: vec![("class".to_owned(), "5xx".to_owned())],
                bad: BadSample::Increased,
                event_resolution_ms: None,
            }),
            runbook: "Read the error log for AH01114 and AH00957 (a backend refuses). Try the backend directly. Undo the last \
                      deploy if it falls together with the onset.",
        },
    )
}

fn failing_probes() -> Stock {
    let status = |code: u32, text: &str| wording(&format!("probe_status_code == {code}"), text);
    stock(
        "apache-probe-failing",
        MonitorWithoutId {
            name: "Apache accepts connections but serves no page",
            description: "Each probe of the last five seconds got a server error or a broken answer, although the server runs \
                          and accepts connections.",
            expr: format!(
                "(max_over_time(probe_up[5s]) == 0 \
                 and on(target) (count_over_time(probe_up[5s]) - on(target) sum_over_time(probe_timeout[5s]) \
                 - on(target) sum_over_time(probe_refused[5s])) >= 4 \
                 and on(target) min_over_time(apache_parent_up[5s]) == 1) unless on(target) ({})",
                failing_requests()
            ),
            recovery: "min_over_time(probe_up[3500ms]) == 1 and on(target) count_over_time(probe_up[3500ms]) >= 2".to_owned(),
            for_ms: 0,
            severity: Severity::Critical,
            title: "Apache on {target} answers no probe well",
            wording: vec![
                status(500, ": it answers with status 500 (internal error)"),
                status(502, ": it answers with status 502 (bad answer of a backend)"),
                status(503, ": it answers with status 503 (unavailable)"),
                status(504, ": it answers with status 504 (a backend is too slow)"),
                wording("probe_status_code >= 500", ": it answers with a server error"),
                wording(
                    "probe_up == 0",
                    ": it closes the connection, or its answer is broken",
                ),
            ],
            holds: vec![change_hold()],
            onset: onset("probe_up", BadSample::Equal(0.0), None),
            runbook: "Ask for the page yourself (curl -v). Read the error log: AH00052 tells of children that crash on each \
                      request, AH01114 and AH00957 of a backend that refuses. Undo the last change of modules or code.",
        },
    )
}

fn broken_configuration() -> Stock {
    stock(
        "apache-config-broken",
        MonitorWithoutId {
            name: "The configuration on disk is broken",
            description: "The server runs, but the configuration on disk does not pass its own test: the next restart fails, \
                          and a raw SIGUSR1 ends the server.",
            expr: "apache_config_valid == 0".to_owned(),
            recovery: "apache_config_valid == 1".to_owned(),
            for_ms: 0,
            severity: Severity::Warning,
            title: "The configuration of Apache on {target} is broken on disk: the next restart would fail",
            wording: Vec::new(),
            holds: Vec::new(),
            onset: onset("apache_config_valid", BadSample::Equal(0.0), None),
            runbook: "Run apachectl configtest; it names the file and the line. Repair it before anything restarts the server.",
        },
    )
}
