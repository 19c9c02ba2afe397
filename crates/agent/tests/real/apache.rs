//! A private Apache for one test: own folder, own port, ended with the test.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

const BINARY: &str = "/usr/sbin/apache2";
const MODULES: &str = "/usr/lib/apache2/modules";
const CONF: &str = r#"
ServerRoot @ROOT@
ServerName webserver-01
PidFile @ROOT@/apache.pid
Listen @ADDRESS@
LoadModule mpm_event_module @MODULES@/mod_mpm_event.so
LoadModule authz_core_module @MODULES@/mod_authz_core.so
LoadModule authz_host_module @MODULES@/mod_authz_host.so
LoadModule dir_module @MODULES@/mod_dir.so
LoadModule alias_module @MODULES@/mod_alias.so
LoadModule reqtimeout_module @MODULES@/mod_reqtimeout.so
User www-data
Group www-data
StartServers 1
ServerLimit 8
ThreadsPerChild 4
ThreadLimit 4
MaxRequestWorkers 4
MinSpareThreads 1
MaxSpareThreads 4
AsyncRequestWorkerFactor 1
ListenBacklog 32
ErrorLog @ROOT@/logs/error.log
LogFormat "%h %l %u %{usec}t %D \"%r\" %>s %b \"%{X-Tier}i\" \"%{User-Agent}i\"" main
CustomLog @ROOT@/logs/access.log main
DocumentRoot @ROOT@/www
Redirect 503 /broken
IncludeOptional @ROOT@/extra/*.conf
"#;
const STATUS: &str = r#"
LoadModule status_module @MODULES@/mod_status.so
<Location /server-status>
    SetHandler server-status
    Require local
</Location>
"#;

/// Whether there is an Apache to test with; says so when there is none.
pub(crate) fn is_installed() -> bool {
    let installed = Path::new(BINARY).exists() && Path::new(MODULES).exists();
    if !installed {
        let mut err = std::io::stderr();
        let _ = writeln!(
            err,
            "skipped: {BINARY} is not installed (apt-get install apache2)"
        );
    }
    installed
}

/// Waits for something that nothing announces.
fn until(what: &str, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !holds() {
        assert!(Instant::now() < deadline, "never: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

pub(crate) struct Apache {
    folder: TempDir,
    pub(crate) address: SocketAddr,
}

impl Apache {
    /// Writes the configuration, with a status page.
    pub(crate) fn configured() -> Self {
        let apache = Self::without_status();
        apache.write("extra/status.conf", &STATUS.replace("@MODULES@", MODULES));
        apache
    }

    pub(crate) fn without_status() -> Self {
        let folder = tempfile::Builder::new()
            .prefix("tocsin-apache-")
            .tempdir()
            .unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(folder.path(), mode).unwrap();
        let address = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();
        let apache = Self { folder, address };
        for below in ["logs", "www", "extra"] {
            fs::create_dir(apache.path(below)).unwrap();
        }
        apache.write("www/index.html", "hello\n");
        let conf = CONF
            .replace("@ROOT@", apache.folder.path().to_str().unwrap())
            .replace("@ADDRESS@", &address.to_string())
            .replace("@MODULES@", MODULES);
        apache.write("httpd.conf", &conf);
        apache
    }

    /// Configures and starts it.
    pub(crate) fn started() -> Self {
        let apache = Self::configured();
        apache.start();
        apache
    }

    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn write(&self, below: &str, text: &str) {
        fs::write(self.path(below), text).unwrap();
    }

    fn run(&self, arguments: &[&str]) {
        let conf = self.path("httpd.conf");
        let status = Command::new(BINARY)
            .arg("-f")
            .arg(conf)
            .args(arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .unwrap();
        assert!(status.success(), "apache2 {arguments:?} failed");
    }

    pub(crate) fn start(&self) {
        if let Some(before) = self.pid() {
            // As long as a killed parent is a zombie, Apache takes it for a running server and does not start.
            until("the killed parent is reaped", || {
                !Path::new(&format!("/proc/{before}")).exists()
            });
        }
        self.run(&["-k", "start"]);
        // The program returns before its child serves.
        self.wait_until_it_serves();
    }

    /// Starts it in the foreground, below a shell that waits for it, away from any terminal.
    pub(crate) fn start_below_a_shell(&self) -> Child {
        let conf = self.path("httpd.conf");
        // The words after the shell's reach it as parameters: no quoting is needed.
        let script = "\"$0\" -f \"$1\" -DFOREGROUND & wait";
        let shell = Command::new("setsid")
            .args(["--wait", "sh", "-c", script, BINARY])
            .arg(conf)
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        self.wait_until_it_serves();
        shell
    }

    fn wait_until_it_serves(&self) {
        until("the server serves", || {
            self.takes_signals() && TcpStream::connect(self.address).is_ok()
        });
    }

    /// Whether the parent has put its signal handlers in place. Its children serve a moment earlier, and a reload signal in
    /// that moment ends the server.
    fn takes_signals(&self) -> bool {
        // SIGUSR1 is signal 10 on Linux; a signal's bit is its number less one (proc(5)).
        const SIGUSR1_MASK: u64 = 1 << 9;
        let status = self
            .pid()
            .and_then(|pid| fs::read_to_string(format!("/proc/{pid}/status")).ok());
        let caught = status.as_deref().and_then(|text| {
            let mask = text.lines().find_map(|line| line.strip_prefix("SigCgt:"))?;
            u64::from_str_radix(mask.trim(), 16).ok()
        });
        caught.is_some_and(|mask| mask & SIGUSR1_MASK != 0)
    }

    /// Restarts it in place (SIGHUP) and waits until it serves again with its logs opened anew.
    pub(crate) fn restart(&self) {
        self.run(&["-k", "restart"]);
        until("the access log is opened anew", || {
            self.path("logs/access.log").exists()
        });
        self.wait_until_it_serves();
    }

    pub(crate) fn stop(&self) {
        self.run(&["-k", "stop"]);
    }

    pub(crate) fn reload(&self) {
        // Apache's event MPM loses count of its workers when it is reloaded while the first ones still start, and then serves
        // nobody: it gets as long as its own upkeep takes to see them all.
        until("the server has been up for a moment", || {
            let written = fs::metadata(self.path("apache.pid")).and_then(|file| file.modified());
            let age = written.ok().and_then(|at| at.elapsed().ok());
            age.is_some_and(|age| age >= Duration::from_secs(2))
        });
        self.run(&["-k", "graceful"]);
    }

    pub(crate) fn pid(&self) -> Option<u32> {
        fs::read_to_string(self.path("apache.pid"))
            .ok()?
            .trim()
            .parse()
            .ok()
    }

    fn signal(to: &str) {
        let _ = Command::new("kill")
            .args(["-KILL", "--", to])
            .stderr(Stdio::null())
            .status();
    }

    /// Ends a process group that the test started.
    pub(crate) fn end_group(leader: u32) {
        Self::signal(&format!("-{leader}"));
    }

    /// Ends the parent alone; its children live on.
    pub(crate) fn kill_parent(&self) {
        Self::signal(&self.pid().unwrap().to_string());
    }

    /// Ends the whole process tree.
    pub(crate) fn kill(&self) {
        Self::signal(&format!("-{}", self.pid().unwrap()));
    }

    /// Waits until nothing of it is left that takes connections.
    pub(crate) fn wait_until_refused(&self) {
        until("the server is gone", || {
            TcpStream::connect(self.address).is_err()
        });
    }

    /// Asks for a path and returns the whole answer.
    pub(crate) fn get(&self, path: &str, tier: &str) -> String {
        let mut stream = TcpStream::connect(self.address).unwrap();
        let request = format!(
            "GET {path} HTTP/1.0\r\nHost: x\r\nX-Tier: {tier}\r\nUser-Agent: visitor\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer);
        answer
    }

    /// Opens connections that never say anything: they hold the workers and then fill the accept queue.
    pub(crate) fn hold(&self, connections: usize) -> Vec<TcpStream> {
        let open = |_| {
            let mut stream = TcpStream::connect(self.address).unwrap();
            stream.write_all(b"GET / HTTP/1.1\r\nX: ").unwrap();
            stream
        };
        (0..connections).map(open).collect()
    }
}

impl Drop for Apache {
    fn drop(&mut self) {
        if let Some(pid) = self.pid() {
            Self::signal(&format!("-{pid}"));
        }
    }
}
