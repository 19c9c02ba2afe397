//! The stock pack over made-up series: each failure is named for what it is, at the time it must be, and no other fires.

use tocsin_domain::incident::Status;
use tocsin_domain::people::Urgency;
use tocsin_domain::signal::STALE_NAN_BITS;

use crate::fakes::{Rig, START, Samples};

const LISTENER: &[(&str, &str)] = &[("listener", "127.0.0.1:80")];
const HEALTHY: Samples<'_> = &[
    ("apache_parent_up", &[], 1.0),
    ("apache_supervised", &[], 0.0),
    ("apache_change_running", &[], 0.0),
    ("apache_listener_refused", &[], 0.0),
    ("apache_listener_queue", LISTENER, 0.0),
    ("apache_connections_accepted", LISTENER, 3.0),
    ("apache_workers_max", &[], 50.0),
    ("apache_config_valid", &[], 1.0),
    ("probe_up", &[], 1.0),
    ("probe_timeout", &[], 0.0),
    ("probe_refused", &[], 0.0),
    ("apache_processes_stopped", &[], 0.0),
];

/// Ten healthy seconds.
fn healthy() -> Rig {
    let mut rig = Rig::new();
    for _ in 0..10 {
        rig.pass_ms(1_000);
        rig.arrive(HEALTHY);
    }
    assert_eq!(rig.titles(), Vec::<String>::new());
    rig
}

/// The seconds after which the first message is handed to delivery, while `each_second` arrives; `None` within `seconds`.
fn pages_after(rig: &mut Rig, seconds: u32, each_second: Samples<'_>) -> Option<u32> {
    (1..=seconds).find(|_| {
        rig.pass_ms(1_000);
        rig.arrive(each_second);
        rig.sends() > 0
    })
}

#[test]
fn a_crash_of_the_whole_tree_is_down_and_pages_at_once() {
    let mut rig = healthy();
    rig.pass_ms(400);
    rig.arrive(&[
        ("apache_parent_up", &[], 0.0),
        ("apache_exit_clean", &[], 0.0),
        ("apache_supervised", &[], 0.0),
        ("apache_listener_refused", &[], 1.0),
    ]);
    assert_eq!(
        rig.titles(),
        ["Apache on webserver-01 is down: its parent process ended without a word"]
    );
    assert_eq!(rig.sends(), 1);
    let onset = rig.incidents()[0].onset.clone().unwrap();
    assert_eq!(onset.at, START.plus_ms(10_400));
    assert_eq!(onset.uncertainty_ms, 10);
}

#[test]
fn a_lost_parent_is_not_down_and_not_fine() {
    let mut rig = healthy();
    rig.pass_ms(100);
    rig.arrive(&[
        ("apache_parent_up", &[], 0.0),
        ("apache_exit_clean", &[], 0.0),
        ("apache_listener_refused", &[], 0.0),
    ]);
    assert_eq!(
        rig.titles(),
        ["Apache on webserver-01 has lost its parent process; orphaned workers still answer"]
    );
    assert_eq!(rig.sends(), 1);
}

#[test]
fn a_clean_stop_pages_after_two_seconds_and_a_restart_within_them_never() {
    const STOPPED: Samples<'_> = &[
        ("apache_parent_up", &[], 0.0),
        ("apache_exit_clean", &[], 1.0),
        ("apache_listener_refused", &[], 1.0),
    ];
    let mut rig = healthy();
    rig.arrive(STOPPED);
    assert_eq!(rig.sends(), 0);
    rig.pass_ms(2_000);
    assert_eq!(rig.sends(), 1);
    assert_eq!(
        rig.titles(),
        ["Apache on webserver-01 is down: it was stopped"]
    );

    let mut rig = healthy();
    rig.arrive(STOPPED);
    assert_eq!(pages_after(&mut rig, 60, HEALTHY), None);
    assert_eq!(rig.incidents()[0].status, Status::Resolved);
}

#[test]
fn a_supervised_crash_that_heals_within_half_a_second_pages_nobody() {
    let mut rig = healthy();
    rig.arrive(&[
        ("apache_parent_up", &[], 0.0),
        ("apache_exit_clean", &[], 0.0),
        ("apache_supervised", &[], 1.0),
        ("apache_listener_refused", &[], 1.0),
    ]);
    rig.pass_ms(300);
    rig.arrive(HEALTHY);
    assert_eq!(pages_after(&mut rig, 60, HEALTHY), None);
}

#[test]
fn a_hang_is_told_from_saturation_by_the_connections_that_were_accepted() {
    const HUNG: Samples<'_> = &[
        ("apache_parent_up", &[], 1.0),
        ("apache_listener_refused", &[], 0.0),
        ("apache_listener_queue", LISTENER, 40.0),
        ("apache_connections_accepted", LISTENER, 3.0),
        ("probe_up", &[], 0.0),
        ("probe_timeout", &[], 1.0),
        ("apache_processes_stopped", &[], 3.0),
    ];
    const FULL: Samples<'_> = &[
        ("apache_parent_up", &[], 1.0),
        ("apache_listener_refused", &[], 0.0),
        ("apache_listener_queue", LISTENER, 40.0),
        ("apache_connections_accepted", LISTENER, 50.0),
        ("probe_up", &[], 0.0),
        ("probe_timeout", &[], 1.0),
    ];
    let mut rig = healthy();
    assert_eq!(pages_after(&mut rig, 10, HUNG), Some(2));
    assert_eq!(
        rig.titles(),
        [
            "Apache on webserver-01 hangs: it accepts connections but does not answer (its processes are stopped)"
        ]
    );

    let mut rig = healthy();
    assert_eq!(pages_after(&mut rig, 10, FULL), Some(3));
    assert_eq!(
        rig.titles(),
        ["Apache on webserver-01 is saturated: every worker is busy and connections wait"]
    );
    assert_eq!(
        pages_after(&mut rig, 1, HEALTHY),
        Some(1),
        "only the page so far"
    );
    for _ in 0..30 {
        rig.pass_ms(1_000);
        rig.arrive(HEALTHY);
    }
    assert_eq!(
        rig.incidents()[0].alerts.len(),
        1,
        "recovery is not taken for a hang"
    );
    assert_eq!(rig.incidents()[0].status, Status::Resolved);
}

#[test]
fn a_broken_configuration_on_disk_is_a_warning_that_pages_nobody() {
    let mut rig = healthy();
    rig.arrive(&[("apache_config_valid", &[], 0.0)]);
    assert_eq!(rig.incidents()[0].urgency, Urgency::Low);
    assert_eq!(rig.sends(), 0);
    rig.pass_ms(1_000);
    rig.arrive(&[("apache_config_valid", &[], 1.0)]);
    rig.pass_ms(15_000);
    assert_eq!(rig.incidents()[0].status, Status::Resolved);
}

/// Requests each 200 ms: `ok` and `failed` more each time.
fn traffic(rig: &mut Rig, counters: &mut (f64, f64), ok: f64, failed: f64) {
    counters.0 += ok;
    counters.1 += failed;
    rig.pass_ms(200);
    rig.arrive(&[
        (
            "apache_log_requests_total",
            &[("class", "2xx"), ("tier", "free")],
            counters.0,
        ),
        (
            "apache_log_requests_total",
            &[("class", "5xx"), ("tier", "free")],
            counters.1,
        ),
    ]);
}

#[test]
fn all_failing_traffic_pages_within_a_second_or_two_and_recovers() {
    let mut rig = healthy();
    let mut counters = (0.0, 0.0);
    for _ in 0..300 {
        traffic(&mut rig, &mut counters, 8.0, 0.0);
    }
    let failing_steps = (1..50).find(|_| {
        traffic(&mut rig, &mut counters, 0.0, 8.0);
        rig.sends() > 0
    });
    assert!(
        failing_steps.is_some_and(|steps| steps <= 8),
        "{failing_steps:?} steps of 200 ms"
    );
    assert_eq!(
        rig.titles(),
        ["Apache on webserver-01 answers with server errors (5xx)"]
    );
}

#[test]
fn a_repaired_server_is_not_called_failing_until_the_minute_has_passed() {
    let mut rig = healthy();
    let mut counters = (0.0, 0.0);
    for _ in 0..75 {
        traffic(&mut rig, &mut counters, 8.0, 0.0);
    }
    for _ in 0..40 {
        traffic(&mut rig, &mut counters, 0.0, 8.0);
    }
    let recovery_steps = (1..300).find(|_| {
        traffic(&mut rig, &mut counters, 8.0, 0.0);
        rig.incidents()[0].healthy_since.is_some()
    });
    assert!(
        recovery_steps.is_some_and(|steps| steps <= 78),
        "{recovery_steps:?} steps of 200 ms"
    );
    for _ in 0..80 {
        traffic(&mut rig, &mut counters, 8.0, 0.0);
    }
    assert_eq!(rig.incidents()[0].status, Status::Resolved);
    assert_eq!(
        rig.incidents()[0].relapses,
        0,
        "it does not flap on the way"
    );
}

#[test]
fn a_few_errors_in_much_traffic_page_nobody() {
    let mut rig = healthy();
    let mut counters = (0.0, 0.0);
    for step in 0..900 {
        let failed = f64::from(u8::from(step % 8 == 0));
        traffic(&mut rig, &mut counters, 8.0, failed);
    }
    assert_eq!(rig.titles(), Vec::<String>::new());
}

#[test]
fn silence_is_not_taken_for_health() {
    let mut rig = healthy();
    rig.arrive(&[
        ("apache_parent_up", &[], 0.0),
        ("apache_exit_clean", &[], 0.0),
        ("apache_listener_refused", &[], 1.0),
    ]);
    rig.pass_ms(3_600_000);
    rig.arrive(&[("node_load1", &[], 0.1)]);
    assert_eq!(rig.incidents()[0].status, Status::Triggered);
}

const PROBE_BROKEN: Samples<'_> = &[
    ("apache_parent_up", &[], 1.0),
    ("apache_change_running", &[], 0.0),
    ("apache_listener_refused", &[], 0.0),
    ("apache_listener_queue", LISTENER, 0.0),
    ("apache_connections_accepted", LISTENER, 3.0),
    ("probe_up", &[], 0.0),
    ("probe_timeout", &[], 0.0),
    ("probe_refused", &[], 0.0),
];

#[test]
fn a_server_whose_every_answer_is_broken_or_an_error_pages_after_five_seconds() {
    let mut rig = healthy();
    let began = rig.now;
    assert_eq!(pages_after(&mut rig, 20, PROBE_BROKEN), Some(5));
    assert_eq!(
        rig.titles(),
        [
            "Apache on webserver-01 answers no probe well: it closes the connection, or its answer is broken"
        ]
    );
    let onset = rig.incidents()[0].onset.clone().unwrap();
    assert_eq!(onset.at, began.plus_ms(1_000));
    assert_eq!(onset.uncertainty_ms, 1_000);
    for _ in 0..30 {
        rig.pass_ms(1_000);
        rig.arrive(HEALTHY);
    }
    assert_eq!(rig.incidents()[0].status, Status::Resolved);
    assert_eq!(rig.incidents()[0].alerts.len(), 1);

    let mut rig = healthy();
    let unavailable = [PROBE_BROKEN, &[("probe_status_code", &[], 503.0)]].concat();
    assert_eq!(pages_after(&mut rig, 20, &unavailable), Some(5));
    assert_eq!(
        rig.titles(),
        ["Apache on webserver-01 answers no probe well: it answers with status 503 (unavailable)"]
    );
}

#[test]
fn a_reload_or_a_restart_that_breaks_a_few_probes_is_no_failing_server() {
    let mut rig = healthy();
    for _ in 0..4 {
        rig.pass_ms(1_000);
        rig.arrive(PROBE_BROKEN);
    }
    assert_eq!(pages_after(&mut rig, 60, HEALTHY), None);
    assert_eq!(rig.titles(), Vec::<String>::new());
    for _ in 0..10 {
        for each_second in [PROBE_BROKEN, PROBE_BROKEN, HEALTHY] {
            assert_eq!(pages_after(&mut rig, 1, each_second), None);
        }
    }
    assert_eq!(rig.titles(), Vec::<String>::new());
}

#[test]
fn probes_that_fail_for_a_reason_with_a_monitor_of_its_own_open_no_second_alert() {
    let check = |each_second: Samples<'_>, title: &str| {
        let mut rig = healthy();
        for _ in 0..20 {
            rig.pass_ms(1_000);
            rig.arrive(each_second);
        }
        assert_eq!(rig.titles(), [title]);
        assert_eq!(rig.incidents()[0].alerts.len(), 1, "{title}");
        assert_eq!(rig.sends(), 1, "{title}");
    };
    check(
        &[
            ("apache_parent_up", &[], 0.0),
            ("apache_exit_clean", &[], 0.0),
            ("apache_listener_refused", &[], 1.0),
            ("probe_up", &[], 0.0),
            ("probe_timeout", &[], 0.0),
            ("probe_refused", &[], 1.0),
        ],
        "Apache on webserver-01 is down: its parent process ended without a word",
    );
    check(
        &[
            ("apache_parent_up", &[], 1.0),
            ("apache_listener_refused", &[], 1.0),
            ("probe_up", &[], 0.0),
            ("probe_timeout", &[], 0.0),
            ("probe_refused", &[], 1.0),
        ],
        "Apache on webserver-01 is unreachable: it runs but refuses connections",
    );
    check(
        &[
            ("apache_parent_up", &[], 1.0),
            ("apache_listener_refused", &[], 0.0),
            ("apache_connections_accepted", LISTENER, 3.0),
            ("probe_up", &[], 0.0),
            ("probe_timeout", &[], 1.0),
            ("probe_refused", &[], 0.0),
        ],
        "Apache on webserver-01 hangs: it accepts connections but does not answer",
    );
}

#[test]
fn a_busy_server_whose_requests_and_probes_fail_is_one_alert_about_its_requests() {
    let mut rig = healthy();
    let mut counters = (0.0, 0.0);
    for _ in 0..75 {
        traffic(&mut rig, &mut counters, 8.0, 0.0);
    }
    for _ in 0..20 {
        for _ in 0..5 {
            traffic(&mut rig, &mut counters, 0.0, 8.0);
        }
        rig.arrive(PROBE_BROKEN);
    }
    assert_eq!(
        rig.titles(),
        ["Apache on webserver-01 answers with server errors (5xx)"]
    );
    assert_eq!(rig.incidents()[0].alerts.len(), 1);
    assert_eq!(rig.sends(), 1);
}

#[test]
fn a_server_that_was_found_dead_began_to_fail_somewhere_since_it_was_last_seen_well() {
    let mut rig = healthy();
    let last_good = rig.now;
    rig.pass_ms(3_600_000);
    rig.arrive(&[
        ("apache_parent_up", &[], 0.0),
        ("apache_listener_refused", &[], 1.0),
    ]);
    let onset = rig.incidents()[0].onset.clone().unwrap();
    assert_eq!(onset.at.minus_ms(onset.uncertainty_ms), last_good);

    let mut rig = Rig::new();
    rig.arrive(&[
        ("apache_parent_up", &[], 0.0),
        ("apache_listener_refused", &[], 1.0),
    ]);
    assert_eq!(rig.incidents()[0].onset, None, "nobody ever saw it well");
}

#[test]
fn a_clean_stop_before_the_last_start_says_nothing_of_a_server_that_was_found_dead() {
    const ENDED: f64 = f64::from_bits(STALE_NAN_BITS);
    let mut rig = healthy();
    rig.arrive(&[("apache_exit_clean", &[], 1.0)]);
    rig.pass_ms(1_000);
    rig.arrive(&[
        ("apache_parent_up", &[], 1.0),
        ("apache_exit_clean", &[], ENDED),
    ]);
    rig.pass_ms(120_000);
    rig.arrive(&[
        ("apache_parent_up", &[], 0.0),
        ("apache_listener_refused", &[], 1.0),
    ]);
    assert_eq!(rig.titles(), ["Apache on webserver-01 is down"]);
    assert_eq!(rig.sends(), 1, "at once");
}
