//! What the codes in Apache's error log say happened, in our words; it does not decide what to do about it.
//!
//! The three MPMs use codes of their own for the same event: `event` AH0048x/AH0049x, `worker` AH0028x/AH0029x, `prefork`
//! AH0016x/AH0017x. All of these were recorded from Apache 2.4.71 or read from its programs.

/// What kind of event a code announces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CodeClass {
    /// The server is up and serves.
    Started,
    /// The server starts and finds that it had not been ended in order.
    UncleanBefore,
    /// Someone ended the server in an orderly way.
    CleanStop,
    /// The server reads its configuration anew and goes on.
    Restarting,
    /// No worker is left for another request.
    WorkersExhausted,
    /// Nearly no worker is left.
    WorkersLow,
    /// A child process died by a signal.
    ChildCrashed,
    /// The server could not start, or could not go on.
    StartFailed,
    /// The configuration is refused.
    ConfigInvalid,
    /// A certificate or key does not work.
    TlsBroken,
    /// A backend does not answer, or not well.
    BackendFailed,
    /// The operating system refuses memory, files, processes or disk space.
    ResourceShortage,
    /// A client was refused by the configuration.
    ClientDenied,
}

struct Code(&'static str, CodeClass, &'static str);

use CodeClass::{
    BackendFailed, ChildCrashed, CleanStop, ClientDenied, ConfigInvalid, ResourceShortage,
    Restarting, StartFailed, Started, TlsBroken, UncleanBefore, WorkersExhausted, WorkersLow,
};

/// Sorted by code, for the binary search below.
const CODES: &[Code] = &[
    Code(
        "AH00013",
        StartFailed,
        "the server did not start: a module failed before the configuration was read",
    ),
    Code(
        "AH00014",
        StartFailed,
        "the server did not start: a module refused the configuration",
    ),
    Code(
        "AH00015",
        StartFailed,
        "the server did not start: a log file could not be opened, or no port could be bound",
    ),
    Code(
        "AH00016",
        StartFailed,
        "the server did not start: a module could not be set up",
    ),
    Code(
        "AH00017",
        StartFailed,
        "the server ended while reloading: a module failed before the configuration was read",
    ),
    Code(
        "AH00018",
        StartFailed,
        "the server ended while reloading: a module refused the configuration",
    ),
    Code(
        "AH00019",
        StartFailed,
        "the server ended while reloading: a log file could not be opened, or no port could be bound",
    ),
    Code(
        "AH00020",
        StartFailed,
        "the server ended while reloading: a module could not be set up",
    ),
    Code(
        "AH00051",
        ChildCrashed,
        "a child process crashed by a signal and may have left a core file",
    ),
    Code(
        "AH00052",
        ChildCrashed,
        "a child process was ended by a signal",
    ),
    Code(
        "AH00072",
        StartFailed,
        "a port could not be bound: another process uses it, or the right to use it is missing",
    ),
    Code(
        "AH00098",
        UncleanBefore,
        "the server starts after a run that did not end in order",
    ),
    Code(
        "AH00104",
        ResourceShortage,
        "a program that logs are piped to could not be started",
    ),
    Code(
        "AH00106",
        ResourceShortage,
        "a program that logs are piped to ended unexpectedly",
    ),
    Code(
        "AH00124",
        ConfigInvalid,
        "a request was redirected inside the server in a circle",
    ),
    Code(
        "AH00136",
        StartFailed,
        "the server did not start: no module drops root's rights",
    ),
    Code(
        "AH00159",
        ResourceShortage,
        "the operating system refused another child process",
    ),
    Code(
        "AH00161",
        WorkersExhausted,
        "every worker allowed by MaxRequestWorkers is busy; new requests wait",
    ),
    Code(
        "AH00162",
        WorkersLow,
        "the server is busy and starts more children",
    ),
    Code("AH00163", Started, "the server is up and serves"),
    Code("AH00169", CleanStop, "someone stopped the server (SIGTERM)"),
    Code(
        "AH00170",
        CleanStop,
        "someone stopped the server gracefully (SIGWINCH)",
    ),
    Code(
        "AH00171",
        Restarting,
        "the server reads its configuration anew and lets requests finish (SIGUSR1)",
    ),
    Code(
        "AH00173",
        Restarting,
        "the server restarts and breaks requests off (SIGHUP)",
    ),
    Code(
        "AH00275",
        ResourceShortage,
        "the operating system refused a thread for the listener",
    ),
    Code(
        "AH00282",
        ResourceShortage,
        "the operating system refused another worker thread",
    ),
    Code(
        "AH00283",
        ResourceShortage,
        "the operating system refused another child process",
    ),
    Code(
        "AH00286",
        WorkersExhausted,
        "every worker allowed by MaxRequestWorkers is busy; new requests wait",
    ),
    Code(
        "AH00287",
        WorkersLow,
        "nearly every worker allowed by MaxRequestWorkers is busy",
    ),
    Code(
        "AH00288",
        WorkersExhausted,
        "the scoreboard is full of children that are still stopping; no worker can be added",
    ),
    Code(
        "AH00289",
        WorkersLow,
        "the server is busy and starts more children",
    ),
    Code("AH00292", Started, "the server is up and serves"),
    Code("AH00295", CleanStop, "someone stopped the server (SIGTERM)"),
    Code(
        "AH00296",
        CleanStop,
        "someone stopped the server gracefully (SIGWINCH)",
    ),
    Code(
        "AH00297",
        Restarting,
        "the server reads its configuration anew and lets requests finish (SIGUSR1)",
    ),
    Code(
        "AH00298",
        Restarting,
        "the server restarts and breaks requests off (SIGHUP)",
    ),
    Code(
        "AH00474",
        ResourceShortage,
        "the operating system refused a thread for the listener",
    ),
    Code(
        "AH00480",
        ResourceShortage,
        "the operating system refused another worker thread",
    ),
    Code(
        "AH00481",
        ResourceShortage,
        "the operating system refused another child process",
    ),
    Code(
        "AH00484",
        WorkersExhausted,
        "every worker allowed by MaxRequestWorkers is busy; new requests wait",
    ),
    Code(
        "AH00486",
        WorkersLow,
        "the server is busy and starts more children",
    ),
    Code("AH00489", Started, "the server is up and serves"),
    Code("AH00491", CleanStop, "someone stopped the server (SIGTERM)"),
    Code(
        "AH00492",
        CleanStop,
        "someone stopped the server gracefully (SIGWINCH)",
    ),
    Code(
        "AH00493",
        Restarting,
        "the server reads its configuration anew and lets requests finish (SIGUSR1)",
    ),
    Code(
        "AH00494",
        Restarting,
        "the server restarts and breaks requests off (SIGHUP)",
    ),
    Code(
        "AH00526",
        ConfigInvalid,
        "the configuration has an error; a server that is told to reload it ends",
    ),
    Code(
        "AH00529",
        ResourceShortage,
        "a .htaccess file could not be checked, so the request was refused",
    ),
    Code(
        "AH00534",
        ConfigInvalid,
        "the configuration is refused: no MPM or more than one is loaded",
    ),
    Code(
        "AH00543",
        ConfigInvalid,
        "the configuration names a user that does not exist",
    ),
    Code(
        "AH00544",
        ConfigInvalid,
        "the configuration names a group that does not exist",
    ),
    Code(
        "AH00898",
        BackendFailed,
        "a backend's answer could not be read",
    ),
    Code("AH00957", BackendFailed, "a backend could not be connected"),
    Code(
        "AH00959",
        BackendFailed,
        "a backend was taken out of use for its retry time",
    ),
    Code(
        "AH00992",
        BackendFailed,
        "reading from an AJP backend failed",
    ),
    Code(
        "AH01071",
        BackendFailed,
        "a FastCGI program reported an error",
    ),
    Code(
        "AH01075",
        BackendFailed,
        "a request could not be passed to a FastCGI program",
    ),
    Code(
        "AH01079",
        BackendFailed,
        "a FastCGI program could not be connected",
    ),
    Code(
        "AH01102",
        BackendFailed,
        "a backend's status line could not be read: it hung up or took too long",
    ),
    Code(
        "AH01110",
        BackendFailed,
        "a backend broke off in the middle of its answer; the client got a part of it with a good status",
    ),
    Code(
        "AH01114",
        BackendFailed,
        "a request failed because its backend could not be connected",
    ),
    Code(
        "AH01276",
        ClientDenied,
        "a directory without an index page was asked for and may not be listed",
    ),
    Code("AH01617", ClientDenied, "a user gave a wrong password"),
    Code(
        "AH01618",
        ClientDenied,
        "a user who is not known tried to log in",
    ),
    Code(
        "AH01630",
        ClientDenied,
        "a client was refused by a Require rule",
    ),
    Code(
        "AH01797",
        ClientDenied,
        "a client was refused by an access rule",
    ),
    Code(
        "AH02179",
        ResourceShortage,
        "a connection could not be accepted: no file descriptors are left",
    ),
    Code(
        "AH02217",
        TlsBroken,
        "the issuer of a certificate was not found, so OCSP stapling cannot work",
    ),
    Code(
        "AH02311",
        TlsBroken,
        "TLS could not be set up; the server ends",
    ),
    Code(
        "AH02312",
        TlsBroken,
        "TLS could not be set up; the server ends",
    ),
    Code(
        "AH02324",
        StartFailed,
        "no child process could start; the server ends",
    ),
    Code(
        "AH02325",
        StartFailed,
        "no child process could start; the server ends",
    ),
    Code("AH02561", TlsBroken, "a certificate file could not be read"),
    Code("AH02564", TlsBroken, "a key file could not be read"),
    Code(
        "AH02565",
        TlsBroken,
        "certificate and key do not belong together",
    ),
    Code(
        "AH02572",
        TlsBroken,
        "a virtual host has no certificate that could be used",
    ),
    Code(
        "AH02580",
        TlsBroken,
        "a key needs a pass phrase that nobody could give",
    ),
    Code(
        "AH02604",
        TlsBroken,
        "a certificate could not be prepared for OCSP stapling",
    ),
    Code("AH02818", StartFailed, "the server ended: its MPM failed"),
    Code(
        "AH03104",
        ResourceShortage,
        "the operating system refused another worker thread",
    ),
    Code(
        "AH03142",
        ResourceShortage,
        "the operating system refused another worker thread",
    ),
    Code(
        "AH03490",
        WorkersExhausted,
        "the scoreboard is full of children that are still stopping; no worker can be added",
    ),
    Code(
        "AH10159",
        WorkersLow,
        "nearly every worker allowed by MaxRequestWorkers is busy",
    ),
    Code(
        "AH10392",
        ChildCrashed,
        "children are ended one after the other",
    ),
    Code(
        "AH10393",
        ChildCrashed,
        "children are ended one after the other",
    ),
];

/// What a code (`AH00484`) says happened, for a person; `None` for a code that is not of interest here.
#[must_use]
pub fn meaning(code: &str) -> Option<&'static str> {
    find(code).map(|code| code.2)
}

/// What kind of event a code announces.
#[must_use]
pub fn class(code: &str) -> Option<CodeClass> {
    find(code).map(|code| code.1)
}

/// Whether the code is a server's goodbye: someone stopped it in an orderly way. All MPMs' codes count.
#[must_use]
pub fn is_clean_stop(code: &str) -> bool {
    class(code) == Some(CleanStop)
}

fn find(code: &str) -> Option<&'static Code> {
    let index = CODES.binary_search_by(|known| known.0.cmp(code)).ok()?;
    CODES.get(index)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_names_each_code_once() {
        assert!(CODES.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }

    #[test]
    fn each_mpm_says_goodbye_with_a_code_of_its_own() {
        for code in [
            "AH00491", "AH00492", "AH00169", "AH00170", "AH00295", "AH00296",
        ] {
            assert!(is_clean_stop(code), "{code}");
        }
        for code in ["AH00489", "AH00493", "AH99999", ""] {
            assert!(!is_clean_stop(code), "{code}");
        }
        assert_eq!(class("AH00161"), Some(WorkersExhausted));
        assert_eq!(meaning("AH00094"), None);
    }
}
