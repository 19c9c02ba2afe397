//! The shipped binary as server and as watcher.

use std::io::{BufRead, BufReader, Lines, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::places::{PATIENCE, Webhook};

const KEY: &str = "a-signing-key-of-the-test";

fn tocsin() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tocsin"));
    command.env_remove("TOCSIN_DATA").stdout(Stdio::piped());
    command
}

/// Sends a signal.
pub(crate) fn signal(process: u32, name: &str) {
    let sent = Command::new("kill")
        .args([&format!("-{name}"), &process.to_string()])
        .status();
    assert!(sent.unwrap().success());
}

fn end(child: &mut Child) {
    // It may have ended by itself.
    let _ = child.kill();
    let _ = child.wait();
}

/// A server with an administrator.
pub(crate) struct Server {
    folder: TempDir,
    child: Child,
    address: String,
    token: String,
}

impl Server {
    pub(crate) fn set_up() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = "[egress]\nallow = [\"127.0.0.0/8\"]\n[watch]\nenabled = false\n";
        std::fs::write(folder.path().join("tocsin.toml"), config).unwrap();
        let made = tocsin()
            .current_dir(folder.path())
            .args([
                "setup",
                "--data",
                "data",
                "--admin-email",
                "ada@example.org",
            ])
            .output()
            .unwrap();
        let made: Value = serde_json::from_slice(&made.stdout).unwrap();
        let token = made["api_token"].as_str().unwrap().to_owned();
        let (child, address) = serve(folder.path(), "127.0.0.1:0");
        Self {
            folder,
            child,
            address,
            token,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A token of its administrator.
    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    /// Waits until its doctor says that it is watched, and gives the words.
    pub(crate) fn waits_to_be_watched(&self) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let diagnosis = self.ask("GET", "/doctor", &json!({}));
            let mut checks = diagnosis["checks"].as_array().unwrap().iter();
            let check = checks.find(|check| check["name"] == "watcher").unwrap();
            if check["state"] == "ok" {
                return check["detail"].as_str().unwrap().to_owned();
            }
            assert!(Instant::now() < deadline, "never watched: {check}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn kill(&mut self) {
        end(&mut self.child);
    }

    /// At the same address, with the same data.
    pub(crate) fn start_again(&mut self) {
        (self.child, self.address) = serve(self.folder.path(), &self.address);
    }

    /// Gives the administrator a webhook, confirmed by the code that comes there.
    pub(crate) fn make_able_to_page(&self) {
        let hook = Webhook::start();
        let me = self.ask("GET", "/me", &json!({}));
        let base = format!("/users/{}/contact-methods", me["id"].as_str().unwrap());
        let address = format!("http://{}/page", hook.address);
        let body = json!({"kind": "webhook", "label": "Test", "address": address, "secret": KEY});
        let method = self.ask("POST", &base, &body);
        let path = format!("{base}/{}", method["id"].as_str().unwrap());
        self.ask("POST", &format!("{path}/test"), &json!({}));
        let code = hook.next().code;
        self.ask("POST", &format!("{path}/verify"), &json!({ "code": code }));
        let deadline = Instant::now() + PATIENCE;
        while !self.is_ready() {
            assert!(Instant::now() < deadline, "never able to page");
        }
    }

    fn is_ready(&self) -> bool {
        let (status, _) = http(&self.address, "GET", "/readyz", "", &self.token);
        status == 200
    }

    fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        let path = format!("/api/tocsin/v1{path}");
        let body = if method == "GET" {
            String::new()
        } else {
            body.to_string()
        };
        let (status, answer) = http(&self.address, method, &path, &body, &self.token);
        assert!((200..300).contains(&status), "{path}: {status} {answer}");
        serde_json::from_str(&answer).unwrap_or(Value::Null)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

fn serve(folder: &Path, listen: &str) -> (Child, String) {
    let mut child = tocsin()
        .current_dir(folder)
        .args(["serve", "--data", "data", "--listen", listen])
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line = lines.next().unwrap().unwrap();
    let address = line.split("http://").nth(1).unwrap();
    let address = address.split('/').next().unwrap().to_owned();
    drain(lines);
    (child, address)
}

/// Nobody is blocked by words that nobody reads.
fn drain(lines: Lines<BufReader<ChildStdout>>) {
    std::thread::spawn(move || lines.for_each(drop));
}

fn http(address: &str, method: &str, path: &str, body: &str, token: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\nconnection: close\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    let body = answer.split_once("\r\n\r\n").unwrap().1;
    (status, body.to_owned())
}

/// A watcher.
pub(crate) struct Watcher {
    child: Child,
    state: PathBuf,
}

impl Watcher {
    pub(crate) fn start(peer: &str, hook: &Webhook, folder: &Path) -> Self {
        Self::start_telling(peer, &[hook], folder)
    }

    /// With a token that the peer knows it by.
    pub(crate) fn start_known(peer: &str, hook: &Webhook, folder: &Path, token: &str) -> Self {
        let mut command = tocsin();
        command.env("TOCSIN_WATCH_TOKEN", token);
        Self::run(command, peer, &[hook], folder, Duration::from_secs(3_600))
    }

    pub(crate) fn start_telling(peer: &str, hooks: &[&Webhook], folder: &Path) -> Self {
        Self::start_reminding(peer, hooks, folder, Duration::from_secs(3_600))
    }

    pub(crate) fn start_reminding(
        peer: &str,
        hooks: &[&Webhook],
        folder: &Path,
        remind: Duration,
    ) -> Self {
        Self::run(tocsin(), peer, hooks, folder, remind)
    }

    fn run(
        mut command: Command,
        peer: &str,
        hooks: &[&Webhook],
        folder: &Path,
        remind: Duration,
    ) -> Self {
        let state = folder.join("state.json");
        let places = hooks.iter();
        let places = places.map(|hook| format!("--notify=webhook:http://{}/watch", hook.address));
        let mut child = command
            .env("TOCSIN_WATCH_KEY", KEY)
            .args(["watch", "--peer", peer, "--allow", "127.0.0.0/8"])
            .args([
                "--every-ms",
                "50",
                "--fails-ms",
                "200",
                "--answer-ms",
                "4000",
                "--again-ms",
                "100",
            ])
            .args(["--remind-ms", &remind.as_millis().to_string()])
            .args(places)
            .arg("--state")
            .arg(&state)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.next().unwrap().unwrap().starts_with("Watching "));
        drain(lines);
        Self { child, state }
    }

    /// It runs.
    pub(crate) fn waits_to_look(&mut self) {
        assert!(self.child.try_wait().unwrap().is_none());
    }

    /// That it told of an outage is on disk: a moment after it was told.
    pub(crate) fn waits_to_remember(&self) {
        let deadline = Instant::now() + PATIENCE;
        let remembers = || {
            let kept = std::fs::read_to_string(&self.state).unwrap_or_default();
            kept.contains("\"told_ms\":1")
        };
        while !remembers() {
            assert!(Instant::now() < deadline, "it never remembered");
        }
    }

    pub(crate) fn kill(&mut self) {
        end(&mut self.child);
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}
