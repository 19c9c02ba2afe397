//! The ways to break webserver-01 and to repair it again, and what is expected of Tocsin for each; it judges nothing.

use std::fs;
use std::io::Write;
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use clap::ValueEnum;
use rustix::process::Signal;

use super::apache::Apache;
use super::apache_conf::WORKERS_MAX;
use super::login_app::{LoginApp, Mode};
use crate::clock::{self, Millis};
use crate::failure::{Because, Outcome, fail};
use crate::processes::wait_until;

/// Connections beyond the workers that wait to be accepted while the server is saturated.
const QUEUED: usize = 30;

/// The line that makes the configuration unreadable.
const BAD_LINE: &str = "\nThisIsNoDirective \"written by the drill\"\n";

/// How to break it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Break {
    /// The whole process tree is killed.
    Kill,
    /// Only the parent is killed; its children go on answering, orphaned.
    KillParent,
    /// A clean stop that nobody announced.
    Stop,
    /// Every process is frozen: connections open, no answer comes.
    Hang,
    /// Slow requests hold every worker.
    Saturate,
    /// The login application answers 500.
    Errors,
    /// The configuration on disk would not survive the next reload.
    BadConfig,
    /// A stop and a start, then a restart in one: pages nobody.
    Restart,
    /// A graceful reload: pages nobody.
    Reload,
    /// A crash under a supervisor that starts it again: pages nobody.
    SupervisedCrash,
}

/// When Tocsin itself is killed during a drill.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum CrashAt {
    /// Before the break; it is served again after it, and must find out.
    Blind,
    /// At once after the break.
    AfterBreak,
    /// When the mail has arrived.
    AfterPage,
    /// When the acknowledgement was accepted.
    AfterAcknowledge,
    /// When webserver-01 was repaired.
    AfterRepair,
}

impl CrashAt {
    /// The word on the command line.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Blind => "blind",
            Self::AfterBreak => "after-break",
            Self::AfterPage => "after-page",
            Self::AfterAcknowledge => "after-acknowledge",
            Self::AfterRepair => "after-repair",
        }
    }
}

/// What Tocsin is to make of a break.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Expected {
    /// One page on each channel within this time.
    Page { limit_s: f64 },
    /// An incident of severity warning within this time, and no page.
    Warning { limit_s: f64 },
    /// Nothing that pages.
    Quiet,
}

impl Break {
    /// The word on the command line.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Kill => "kill",
            Self::KillParent => "kill-parent",
            Self::Stop => "stop",
            Self::Hang => "hang",
            Self::Saturate => "saturate",
            Self::Errors => "errors",
            Self::BadConfig => "bad-config",
            Self::Restart => "restart",
            Self::Reload => "reload",
            Self::SupervisedCrash => "supervised-crash",
        }
    }

    /// The limits that Tocsin promises on its default configuration.
    pub(crate) fn expected(self) -> Expected {
        match self {
            Self::Kill => Expected::Page { limit_s: 0.5 },
            Self::KillParent => Expected::Page { limit_s: 1.0 },
            Self::Stop | Self::Errors => Expected::Page { limit_s: 3.0 },
            Self::Hang => Expected::Page { limit_s: 4.0 },
            Self::Saturate => Expected::Page { limit_s: 6.0 },
            Self::BadConfig => Expected::Warning { limit_s: 3.0 },
            Self::Restart | Self::Reload | Self::SupervisedCrash => Expected::Quiet,
        }
    }

    /// Words of which the incident's title must contain one, in lower case: the failure named for what it is.
    pub(crate) fn names(self) -> &'static [&'static str] {
        match self {
            Self::Kill => &[
                "down",
                "died",
                "crash",
                "killed",
                "gone",
                "exited",
                "not running",
            ],
            Self::KillParent => &["parent", "orphan"],
            Self::Stop => &["stop"],
            Self::Hang => &[
                "hang",
                "hung",
                "unresponsive",
                "not answer",
                "no answer",
                "does not respond",
            ],
            Self::Saturate => &["saturat", "workers", "busy"],
            Self::Errors => &["5xx", "error", "500", "failing"],
            Self::BadConfig => &["config"],
            Self::Restart | Self::Reload | Self::SupervisedCrash => &[],
        }
    }

    /// Words the title must not contain.
    pub(crate) fn wrong_names(self) -> &'static [&'static str] {
        match self {
            Self::Saturate | Self::Errors | Self::Hang | Self::KillParent => {
                &["down", "not running"]
            }
            Self::Kill => &["saturat", "was stopped"],
            Self::BadConfig | Self::Stop => &["saturat"],
            Self::Restart | Self::Reload | Self::SupervisedCrash => &[],
        }
    }

    /// True when users are turned away from the break to the repair.
    pub(crate) fn hurts_users(self) -> bool {
        matches!(
            self,
            Self::Kill | Self::Stop | Self::Hang | Self::Saturate | Self::Errors
        )
    }
}

/// The server and what stands behind it: everything a break needs.
pub(crate) struct Fixture {
    pub(crate) apache: Apache,
    pub(crate) login_app: LoginApp,
    held: Vec<TcpStream>,
    good_conf: String,
}

/// What was done, and the instant just before it.
pub(crate) struct Done {
    pub(crate) at: Millis,
    pub(crate) what: String,
}

impl Fixture {
    pub(crate) fn new(apache: Apache, login_app: LoginApp) -> Outcome<Self> {
        let good_conf = fs::read_to_string(apache.conf()).because("reading apache.conf")?;
        Ok(Self {
            apache,
            login_app,
            held: Vec::new(),
            good_conf,
        })
    }

    pub(crate) fn break_it(&mut self, how: Break) -> Outcome<Done> {
        match how {
            Break::Kill | Break::SupervisedCrash => self.signal_tree(Signal::KILL, "killed"),
            Break::KillParent => self.kill_parent(),
            Break::Stop => self.control("stop", "stopped cleanly"),
            Break::Hang => self.signal_tree(Signal::STOP, "frozen"),
            Break::Saturate => self.saturate(),
            Break::Errors => Ok(self.fail_logins()),
            Break::BadConfig => self.spoil_configuration(),
            Break::Restart => self.restart(),
            Break::Reload => {
                self.apache.wait_until_settled()?;
                self.control("graceful", "reloaded gracefully")
            }
        }
    }

    /// Undoes a break; back when the server answers again.
    pub(crate) fn repair(&mut self, how: Break) -> Outcome<Done> {
        let at = clock::now();
        let what = match how {
            Break::Kill => self.start_again("started again")?,
            Break::KillParent => {
                self.apache.signal_all(Signal::KILL);
                self.start_again("orphans ended, started again")?
            }
            Break::Stop => self.start_again("started again")?,
            Break::Hang => format!("{} processes thawed", self.apache.signal_all(Signal::CONT)),
            Break::Saturate => {
                self.login_app.set(Mode::Works);
                format!(
                    "{} slow requests let go",
                    std::mem::take(&mut self.held).len()
                )
            }
            Break::Errors => {
                self.login_app.set(Mode::Works);
                "the login application works again".to_owned()
            }
            Break::BadConfig => {
                fs::write(self.apache.conf(), &self.good_conf)
                    .because("putting apache.conf back")?;
                "apache.conf put back".to_owned()
            }
            Break::Restart | Break::Reload | Break::SupervisedCrash => {
                "nothing to repair".to_owned()
            }
        };
        self.apache.wait_for_answer()?;
        Ok(Done { at, what })
    }

    fn signal_tree(&self, signal: Signal, verb: &str) -> Outcome<Done> {
        let tree = self.apache.tree();
        let at = clock::now();
        let reached = tree
            .iter()
            .filter(|identity| identity.signal(signal))
            .count();
        if reached == 0 {
            fail!("webserver-01 has no process that could be {verb}");
        }
        Ok(Done {
            at,
            what: format!("{reached} processes {verb}"),
        })
    }

    fn kill_parent(&self) -> Outcome<Done> {
        let tree = self.apache.tree();
        let [parent, children @ ..] = tree.as_slice() else {
            fail!("webserver-01 has no parent to kill")
        };
        let at = clock::now();
        if !parent.signal(Signal::KILL) {
            fail!("the parent of webserver-01 was gone before it could be killed");
        }
        Ok(Done {
            at,
            what: format!(
                "parent {} killed, {} children go on",
                parent.pid,
                children.len()
            ),
        })
    }

    fn control(&self, word: &str, said: &str) -> Outcome<Done> {
        let at = clock::now();
        self.apache.control(word)?;
        Ok(Done {
            at,
            what: said.to_owned(),
        })
    }

    fn restart(&self) -> Outcome<Done> {
        let at = clock::now();
        self.apache.control("stop")?;
        self.apache.wait_until_gone()?;
        self.apache.start()?;
        let stopped_s = clock::seconds_between(at, clock::now());
        thread::sleep(Duration::from_secs(2));
        self.apache.control("restart")?;
        self.apache.wait_for_answer()?;
        Ok(Done {
            at,
            what: format!("stopped and started in {stopped_s:.1} s, then restarted in one"),
        })
    }

    fn saturate(&mut self) -> Outcome<Done> {
        self.login_app.set(Mode::Holds);
        let at = clock::now();
        for _ in 0..WORKERS_MAX + QUEUED {
            let limit = Duration::from_secs(1);
            let opened = TcpStream::connect_timeout(&self.apache.address, limit);
            let mut stream = opened.because("opening a slow connection")?;
            let request = "GET /login/slow HTTP/1.1\r\nHost: webserver-01\r\nUser-Agent: drill-slow\r\n\
                           Connection: close\r\n\r\n";
            stream
                .write_all(request.as_bytes())
                .because("asking slowly")?;
            self.held.push(stream);
        }
        Ok(Done {
            at,
            what: format!(
                "{} slow requests hold {WORKERS_MAX} workers",
                self.held.len()
            ),
        })
    }

    fn fail_logins(&self) -> Done {
        let at = clock::now();
        self.login_app.set(Mode::Fails);
        Done {
            at,
            what: "the login application answers 500".to_owned(),
        }
    }

    fn spoil_configuration(&self) -> Outcome<Done> {
        let spoiled = format!("{}{BAD_LINE}", self.good_conf);
        let at = clock::now();
        fs::write(self.apache.conf(), spoiled).because("spoiling apache.conf")?;
        Ok(Done {
            at,
            what: "a line that is no directive was written to apache.conf".to_owned(),
        })
    }

    fn start_again(&self, said: &str) -> Outcome<String> {
        if !wait_until(Duration::from_secs(15), || self.apache.tree().is_empty()) {
            fail!("the broken webserver-01 still has processes, so it cannot be started again");
        }
        self.apache.start()?;
        Ok(said.to_owned())
    }
}
