//! Reads the text of files under `/proc`; it knows neither where the text came from nor what is done with it.

/// What is used of `/proc/PID/stat`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stat {
    /// Name of the program, at most 15 bytes; chosen by the process itself, so never proof of anything.
    pub(crate) comm: String,
    /// `R`, `S`, `D`, `T`, `t`, `Z`, `X`, ...
    pub(crate) state: char,
    /// Parent process.
    pub(crate) ppid: u32,
    /// Process group.
    pub(crate) pgrp: u32,
    /// Whether it has a controlling terminal.
    pub(crate) on_terminal: bool,
    /// Start in clock ticks since boot; with the process id it names a process for good.
    pub(crate) start_ticks: u64,
}

impl Stat {
    /// Whether it still runs (a zombie does not).
    pub(crate) fn is_alive(&self) -> bool {
        !matches!(self.state, 'Z' | 'X' | 'x')
    }

    /// Whether it was stopped by a signal or a tracer.
    pub(crate) fn is_stopped(&self) -> bool {
        matches!(self.state, 'T' | 't')
    }
}

/// Reads `/proc/PID/stat`. The name in parentheses may itself hold spaces and parentheses: the last one counts.
pub(crate) fn stat(text: &str) -> Option<Stat> {
    let open = text.find('(')?;
    let close = text.rfind(')')?;
    let comm = text.get(open + 1..close)?.to_owned();
    let fields: Vec<&str> = text.get(close + 1..)?.split_ascii_whitespace().collect();
    Some(Stat {
        comm,
        state: fields.first()?.chars().next()?,
        ppid: fields.get(1)?.parse().ok()?,
        pgrp: fields.get(2)?.parse().ok()?,
        on_terminal: fields.get(4)?.parse::<i64>().ok()? != 0,
        start_ticks: fields.get(19)?.parse().ok()?,
    })
}

/// Splits the NUL-separated words of `/proc/PID/cmdline` or `environ`.
pub(crate) fn words(bytes: &[u8]) -> Vec<String> {
    let bytes = bytes.strip_suffix(b"\0").unwrap_or(bytes);
    if bytes.is_empty() {
        return Vec::new();
    }
    bytes
        .split(|byte| *byte == 0)
        .map(|word| String::from_utf8_lossy(word).into_owned())
        .collect()
}

/// What a cgroup path says about who started a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cgroup {
    /// A unit of systemd.
    Unit(String),
    /// A container of some runtime.
    Container,
    /// Nothing known.
    Other,
}

/// Reads `/proc/PID/cgroup`.
pub(crate) fn cgroup(text: &str) -> Cgroup {
    let paths = || {
        text.lines()
            .take(64)
            .filter_map(|line| line.splitn(3, ':').nth(2))
    };
    let marks = [
        "docker",
        "kubepods",
        "libpod",
        "containerd",
        "/lxc",
        "crio-",
    ];
    if paths().any(|path| marks.iter().any(|mark| path.contains(mark))) {
        return Cgroup::Container;
    }
    let unit = paths().find_map(|path| {
        // A user's own services lie below `user@1000.service`: the innermost unit is the one that started the server.
        path.rsplit('/')
            .find(|part| part.ends_with(".service"))
            .map(str::to_owned)
    });
    unit.filter(|name| is_unit_name(name))
        .map_or(Cgroup::Other, Cgroup::Unit)
}

/// Whether the text can stand as a unit's name on systemctl's command line.
fn is_unit_name(name: &str) -> bool {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || b":-_.\\@".contains(&byte);
    !name.starts_with('-') && name.len() <= 255 && name.bytes().all(good)
}

/// Process ids that hold a lock on the file with this inode, from `/proc/locks`; waiting ones (`->`) are left out.
pub(crate) fn lock_holders(text: &str, inode: u64) -> Vec<u32> {
    let wanted = format!(":{inode}");
    text.lines()
        .take(4_096)
        .filter_map(|line| {
            let fields: Vec<&str> = line.split_ascii_whitespace().collect();
            if fields.get(1) == Some(&"->") || !fields.get(5)?.ends_with(&wanted) {
                return None;
            }
            fields.get(4)?.parse().ok()
        })
        .collect()
}

/// Seconds a processor spent in each mode since boot, from the first line of `/proc/stat` at 100 ticks a second (fixed
/// for user space on Linux).
pub(crate) fn cpu_seconds(text: &str) -> Vec<(&'static str, f64)> {
    const MODES: [&str; 8] = [
        "user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal",
    ];
    let Some(fields) = text
        .lines()
        .next()
        .and_then(|line| line.strip_prefix("cpu "))
    else {
        return Vec::new();
    };
    let ticks = fields
        .split_ascii_whitespace()
        .map_while(|field| field.parse::<u32>().ok());
    MODES
        .into_iter()
        .zip(ticks)
        .map(|(mode, ticks)| (mode, f64::from(ticks) / 100.0))
        .collect()
}

/// Bytes of one entry of `/proc/meminfo`.
#[expect(
    clippy::cast_precision_loss,
    reason = "a memory size in a double is exact up to 8 PiB"
)]
pub(crate) fn memory_bytes(text: &str, entry: &str) -> Option<f64> {
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(entry)?.strip_prefix(':'))?;
    let kibibytes: u64 = line.split_ascii_whitespace().next()?.parse().ok()?;
    Some(kibibytes.saturating_mul(1_024) as f64)
}

/// The mount point that holds `path`, from `/proc/self/mountinfo`.
pub(crate) fn mount_point(mountinfo: &str, path: &str) -> Option<String> {
    let is_under = |point: &str| {
        point == "/"
            || path == point
            || path
                .strip_prefix(point)
                .is_some_and(|rest| rest.starts_with('/'))
    };
    mountinfo
        .lines()
        .take(4_096)
        .filter_map(|line| line.split(' ').nth(4))
        .map(|point| point.replace("\\040", " "))
        .filter(|point| is_under(point))
        .max_by_key(String::len)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_parentheses_does_not_shift_the_fields() {
        let text = "77 (a) S 1 (b) T 12 77 70 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 4242 9 9";
        let stat = stat(text).unwrap();
        assert_eq!(stat.comm, "a) S 1 (b");
        assert!(stat.is_stopped() && stat.is_alive() && !stat.on_terminal);
        assert_eq!((stat.ppid, stat.pgrp, stat.start_ticks), (12, 77, 4242));
    }

    #[test]
    fn a_zombie_is_not_alive_and_torn_text_is_nothing() {
        let text = "77 (apache2) Z 1 77 70 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 4242 9 9";
        assert!(!stat(text).unwrap().is_alive());
        for torn in ["", "77", "77 (a", "77 (a) S", ") (", "1 (x) S 2 3"] {
            assert_eq!(stat(torn), None, "{torn}");
        }
    }

    #[test]
    fn words_end_with_nul_and_may_be_empty() {
        let check = |given: &[u8], expected: &[&str]| assert_eq!(words(given), expected);
        check(b"apache2\0-D\0\0", &["apache2", "-D", ""]);
        check(b"", &[]);
        check(b"torn", &["torn"]);
        check(b"\xff\0", &["\u{fffd}"]);
    }

    #[test]
    fn a_cgroup_names_its_unit_or_its_container() {
        let check = |given: &str, expected: Cgroup| assert_eq!(cgroup(given), expected, "{given}");
        check(
            "0::/system.slice/apache2.service\n",
            Cgroup::Unit("apache2.service".to_owned()),
        );
        check("0::/system.slice/docker-3f.scope\n", Cgroup::Container);
        check("0::/kubepods/besteffort/pod1/2\n", Cgroup::Container);
        check("0::/\n1:name=systemd:/\n", Cgroup::Other);
        check("0::/system.slice/-Hevil.service\n", Cgroup::Other);
        check("0::/x/a b.service\n", Cgroup::Other);
    }

    #[test]
    fn a_lock_has_its_holder_and_not_those_who_wait() {
        let text = "1: POSIX  ADVISORY  WRITE 812 fe:00:9931 0 EOF\n1: -> POSIX  ADVISORY  WRITE 99 fe:00:9931 0 EOF\n\
                    2: FLOCK  ADVISORY  WRITE 5 fe:00:19931 0 EOF\nnonsense";
        assert_eq!(lock_holders(text, 9_931), [812]);
        assert_eq!(lock_holders(text, 1), Vec::<u32>::new());
    }

    #[test]
    fn the_longest_mount_point_holds_a_path() {
        let text =
            "22 1 254:0 / / rw - ext4 /dev/a rw\n30 22 254:1 / /var/log rw - ext4 /dev/b rw\n";
        let check = |path: &str, expected: &str| {
            assert_eq!(mount_point(text, path).as_deref(), Some(expected))
        };
        check("/var/log/apache2", "/var/log");
        check("/var/logs", "/");
        assert_eq!(mount_point("", "/var"), None);
    }

    #[test]
    fn memory_and_processor_times_are_read() {
        assert_eq!(
            memory_bytes("MemTotal:  16 kB\nMemAvailable: 2 kB\n", "MemAvailable"),
            Some(2_048.0)
        );
        assert_eq!(memory_bytes("MemTotalX: 16 kB\n", "MemTotal"), None);
        assert_eq!(
            cpu_seconds("cpu  100 50 x\n"),
            [("user", 1.0), ("nice", 0.5)]
        );
        assert!(cpu_seconds("").is_empty());
    }
}
