//! The login application behind Apache: answers, fails or hangs as told, and names the user and tier of each request.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use crate::http::server::{Request, Response, serve};

/// The longest a slow request is held.
const HELD_MAX: Duration = Duration::from_secs(120);

/// How the application behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Logs everybody in.
    Works,
    /// Answers every login with status 500.
    Fails,
    /// Works, but holds what is asked under `/login/slow` until the mode changes.
    Holds,
}

/// The running application.
#[derive(Clone)]
pub(crate) struct LoginApp {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    mode: Mutex<Mode>,
    changed: Condvar,
}

impl Shared {
    fn mode(&self) -> MutexGuard<'_, Mode> {
        self.mode
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Waits while the application holds its slow requests.
    fn hold(&self) {
        let deadline = Instant::now() + HELD_MAX;
        let mut mode = self.mode();
        while *mode == Mode::Holds {
            let Some(left) = deadline.checked_duration_since(Instant::now()) else {
                return;
            };
            mode = self
                .changed
                .wait_timeout(mode, left)
                .unwrap_or_else(std::sync::PoisonError::into_inner)
                .0;
        }
    }
}

impl LoginApp {
    /// Serves on a free loopback port until the process ends.
    pub(crate) fn start() -> io::Result<Self> {
        let shared = Arc::new(Shared {
            mode: Mutex::new(Mode::Works),
            changed: Condvar::new(),
        });
        let used = Arc::clone(&shared);
        let address = serve(move |request| answer(&used, &request))?;
        Ok(Self { address, shared })
    }

    pub(crate) fn set(&self, mode: Mode) {
        *self.shared.mode() = mode;
        self.shared.changed.notify_all();
    }
}

fn answer(shared: &Shared, request: &Request) -> Response {
    if request.path == "/healthz" {
        return Response::new(200, "ok\n");
    }
    if request.path.starts_with("/login/slow") {
        shared.hold();
    }
    let mode = *shared.mode();
    let response = match mode {
        Mode::Fails => Response::new(500, "the session store is not there\n"),
        Mode::Works | Mode::Holds => Response::new(200, "welcome\n"),
    };
    match identity(request.headers.get("cookie").unwrap_or_default()) {
        Some((user, tier)) => response.with("X-User", user).with("X-User-Tier", tier),
        None => response,
    }
}

/// The user and tier in `user=u0001; tier=premium`; what is not written that way is nobody.
fn identity(cookie: &str) -> Option<(String, &'static str)> {
    let mut user = None;
    let mut tier = None;
    for (name, value) in cookie
        .split(';')
        .filter_map(|pair| pair.trim().split_once('='))
    {
        match (name, value) {
            ("user", value) if is_user(value) => user = Some(value.to_owned()),
            ("tier", "premium") => tier = Some("premium"),
            ("tier", "free") => tier = Some("free"),
            _ => {}
        }
    }
    Some((user?, tier?))
}

fn is_user(text: &str) -> bool {
    text.strip_prefix('u')
        .is_some_and(|digits| digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::client::{Ask, ask};
    use std::thread;

    fn status(app: &LoginApp, path: &str) -> u16 {
        let question = Ask {
            method: "GET",
            path,
            headers: &[],
            body: b"",
            limit: Duration::from_secs(20),
        };
        ask(app.address, question).unwrap().status
    }

    #[test]
    fn a_failing_application_is_still_alive() {
        let app = LoginApp::start().unwrap();
        assert_eq!(status(&app, "/login"), 200);
        app.set(Mode::Fails);
        assert_eq!(
            (status(&app, "/login"), status(&app, "/healthz")),
            (500, 200)
        );
    }

    #[test]
    fn a_held_request_is_answered_once_it_is_let_go() {
        let app = LoginApp::start().unwrap();
        app.set(Mode::Holds);
        let held = thread::spawn({
            let app = app.clone();
            move || status(&app, "/login/slow")
        });
        assert_eq!(status(&app, "/login"), 200, "others are answered meanwhile");
        app.set(Mode::Works);
        assert_eq!(held.join().unwrap(), 200);
    }

    #[test]
    fn only_a_well_formed_user_is_named() {
        assert_eq!(
            identity("user=u0001; tier=premium"),
            Some(("u0001".into(), "premium"))
        );
        assert_eq!(
            identity("tier=free;user=u0300"),
            Some(("u0300".into(), "free"))
        );
        for cookie in [
            "",
            "user=u0001",
            "user=u1\r\nX: y; tier=free",
            "user=u0001; tier=gold",
        ] {
            assert_eq!(identity(cookie), None, "{cookie}");
        }
    }
}
