//! Tells what will start a server again without a person, and whether someone is changing it just now.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use tocsin_domain::signal::Supervisor;

use crate::proc_text::{self, Cgroup};
use crate::procfs::{self, ProcessKey};
use crate::run::run;
use crate::server_args::ServerArgs;
use crate::trust::RunAs;

/// The longest that systemctl is waited for where a decision hangs on it.
const SYSTEMCTL_MS_MAX: u64 = 300;
const SYSTEMCTL: &str = "/usr/bin/systemctl";
/// Locks that package managers hold while they change the machine.
const PACKAGE_LOCKS: [&str; 4] = [
    "/var/lib/dpkg/lock-frontend",
    "/var/lib/dpkg/lock",
    "/var/lib/rpm/.rpm.lock",
    "/usr/lib/sysimage/rpm/.rpm.lock",
];

/// Finds the supervisor of a running parent. Takes as long as a systemctl: not for the moment of an exit.
pub(crate) fn supervisor_of(parent: ProcessKey) -> Supervisor {
    let Some(stat) = procfs::stat(parent.pid) else {
        return Supervisor::None;
    };
    if parent.pid == 1 || stat.ppid == 0 {
        return Supervisor::Container;
    }
    match proc_text::cgroup(&procfs::cgroup(parent.pid)) {
        Cgroup::Container => return Supervisor::Container,
        Cgroup::Unit(unit) => {
            if unit_restarts(&unit) {
                return Supervisor::Systemd { unit };
            }
        }
        Cgroup::Other => {}
    }
    let args = ServerArgs::read(&procfs::cmdline(parent.pid));
    // A person at a terminal who started it in the foreground is no supervisor.
    if args.foreground && stat.ppid > 1 && !stat.on_terminal {
        return match procfs::stat(stat.ppid) {
            Some(waiting) => Supervisor::ParentProcess { name: waiting.comm },
            None => Supervisor::None,
        };
    }
    Supervisor::None
}

/// The unit of a running parent, if it is one of systemd's.
pub(crate) fn unit_of(parent: ProcessKey) -> Option<String> {
    match proc_text::cgroup(&procfs::cgroup(parent.pid)) {
        Cgroup::Unit(unit) if has_systemd() => Some(unit),
        Cgroup::Unit(_) | Cgroup::Container | Cgroup::Other => None,
    }
}

/// The unit that a server of this name has on a usual system; for one that was never seen alive.
pub(crate) fn usual_unit(comm: &str) -> Option<String> {
    has_systemd().then(|| format!("{comm}.service"))
}

fn has_systemd() -> bool {
    Path::new("/run/systemd/system").is_dir()
}

fn systemctl(arguments: &[&str]) -> Option<String> {
    if !has_systemd() {
        return None;
    }
    let arguments: Vec<String> = arguments.iter().map(|word| (*word).to_owned()).collect();
    let ran = run(
        Path::new(SYSTEMCTL),
        &arguments,
        &[],
        RunAs::Ourselves,
        SYSTEMCTL_MS_MAX,
    )
    .ok()?;
    (ran.code == 0).then_some(ran.output)
}

fn unit_restarts(unit: &str) -> bool {
    systemctl(&["show", "-p", "Restart", "--value", "--", unit])
        .is_some_and(|output| restarts_after_crash(&output))
}

/// Whether a `Restart=` covers an end by a signal (`systemd.service(5)`, table of exit causes).
fn restarts_after_crash(setting: &str) -> bool {
    matches!(
        setting.trim(),
        "always" | "on-failure" | "on-abnormal" | "on-abort"
    )
}

/// Whether systemd gave the unit up, so that nothing will start it again.
pub(crate) fn unit_failed(unit: &str) -> bool {
    systemctl(&["show", "-p", "ActiveState", "--value", "--", unit])
        .is_some_and(|output| output.trim() == "failed")
}

/// Whether a job of systemd that will start this unit is running or waiting.
pub(crate) fn unit_job_runs(unit: &str) -> bool {
    systemctl(&["list-jobs", "--no-legend", "--plain", "--", unit])
        .is_some_and(|output| starts_unit(&output, unit))
}

/// Reads `list-jobs`: `123 apache2.service restart running`.
fn starts_unit(output: &str, unit: &str) -> bool {
    output.lines().any(|line| {
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        words.get(1) == Some(&unit)
            && matches!(
                words.get(2),
                Some(&("start" | "restart" | "try-restart" | "reload-or-start"))
            )
    })
}

/// Remembers between looks that the package operation that runs now touches the server.
#[derive(Debug, Default)]
pub(crate) struct ChangeWatch {
    holder: Option<u32>,
    touches_server: bool,
}

impl ChangeWatch {
    /// Whether a package operation on the server, or a restart by its own script, runs now.
    pub(crate) fn change_runs(&mut self, look_at_all: bool) -> bool {
        let holder = lock_holder();
        if holder != self.holder {
            self.holder = holder;
            self.touches_server = false;
        }
        if holder.is_none() && !look_at_all {
            return false;
        }
        let mut restarting = false;
        for pid in procfs::pids() {
            let words = procfs::cmdline(pid);
            restarting |= restarts_server(&words);
            // Once one step of an upgrade has touched the server, the whole upgrade counts: it stops it in one step and
            // starts it in another.
            self.touches_server |= holder.is_some() && changes_server(&words);
        }
        restarting || self.touches_server
    }
}

fn lock_holder() -> Option<u32> {
    let locks = procfs::text_at_most(Path::new("/proc/locks"), 1_024 * 1_024);
    PACKAGE_LOCKS.iter().find_map(|path| {
        let inode = fs::metadata(path).ok()?.ino();
        proc_text::lock_holders(&locks, inode).first().copied()
    })
}

/// Whether a command line is a step of a package operation on the server.
fn changes_server(words: &[String]) -> bool {
    let Some(program) = words.first().and_then(|word| word.rsplit('/').next()) else {
        return false;
    };
    let names_server = |word: &String| {
        let name = word.rsplit('/').next().unwrap_or(word);
        name.starts_with("apache2") || name.starts_with("httpd") || name.starts_with("libapache2")
    };
    let is_script =
        |word: &String| word.contains("/dpkg/info/") || word.contains("apache2-maintscript-helper");
    let manages = matches!(
        program,
        "apt"
            | "apt-get"
            | "dpkg"
            | "dnf"
            | "yum"
            | "rpm"
            | "aptitude"
            | "python3"
            | "unattended-upgr"
    );
    (manages && words.iter().skip(1).any(names_server))
        || words
            .iter()
            .any(|word| is_script(word) && names_server(word))
}

/// Whether a command line is a script or tool that will start the server again.
fn restarts_server(words: &[String]) -> bool {
    let names_tool = |word: &String| {
        let name = word.rsplit('/').next().unwrap_or(word);
        matches!(name, "apachectl" | "apache2ctl")
            || word == "/etc/init.d/apache2"
            || word == "/etc/init.d/httpd"
    };
    let restarts = |word: &String| {
        matches!(
            word.as_str(),
            "restart" | "force-reload" | "try-restart" | "graceful"
        )
    };
    words.iter().take(3).any(names_tool) && words.iter().any(restarts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn only_a_restart_that_covers_a_signal_is_a_supervisor() {
        for (setting, expected) in [
            ("always\n", true),
            ("on-abort", true),
            ("on-success", false),
            ("no", false),
            ("", false),
        ] {
            assert_eq!(restarts_after_crash(setting), expected, "{setting}");
        }
    }

    #[test]
    fn a_job_counts_when_it_starts_this_unit() {
        let check = |output: &str, expected: bool| {
            assert_eq!(starts_unit(output, "apache2.service"), expected, "{output}")
        };
        check("42 apache2.service restart running\n", true);
        check("42 apache2.service stop running\n", false);
        check("42 other.service restart running\n", false);
        check("", false);
    }

    #[test]
    fn steps_of_an_upgrade_of_the_server_are_told_from_others() {
        let check = |line: &str, expected: bool| {
            assert_eq!(changes_server(&words(line)), expected, "{line}")
        };
        check("apt-get install apache2", true);
        check("/usr/bin/dpkg --configure apache2-bin", true);
        check(
            "/bin/sh /var/lib/dpkg/info/apache2.postinst configure 2.4",
            true,
        );
        check("/usr/bin/dpkg --configure -a", false);
        check("apt-get install nginx", false);
        check("vi apache2.conf", false);
    }

    #[test]
    fn a_restart_by_the_servers_own_tools_is_seen() {
        let check = |line: &str, expected: bool| {
            assert_eq!(restarts_server(&words(line)), expected, "{line}")
        };
        check("/bin/sh /usr/sbin/apachectl restart", true);
        check("/bin/sh /etc/init.d/apache2 force-reload", true);
        check("/bin/sh /usr/sbin/apachectl stop", false);
        check("grep restart", false);
    }
}
