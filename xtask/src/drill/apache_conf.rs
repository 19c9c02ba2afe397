//! The configuration text of the private Apache; it writes no file and starts nothing.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use crate::failure::{Outcome, fail};

/// Requests that are worked on at once. Small, so that a drill can use them all up.
pub(crate) const WORKERS_MAX: usize = 50;

/// Modules, by the name of their directive; some are built in on some systems, then there is no file to load.
const MODULES: [&str; 10] = [
    "mpm_event",
    "unixd",
    "authz_core",
    "authz_host",
    "log_config",
    "logio",
    "dir",
    "status",
    "proxy",
    "proxy_http",
];

/// Where distributions keep Apache's modules.
const MODULE_DIRS: [&str; 4] = [
    "/usr/lib/apache2/modules",
    "/usr/lib64/httpd/modules",
    "/usr/lib/httpd/modules",
    "/usr/lib64/apache2",
];

/// What the text depends on.
pub(crate) struct Conf<'a> {
    pub(crate) dir: &'a Path,
    pub(crate) address: SocketAddr,
    pub(crate) login_app: SocketAddr,
    pub(crate) program: &'a Path,
}

/// The whole `apache.conf`.
pub(crate) fn write(conf: &Conf<'_>) -> Outcome<String> {
    let Some(modules) = MODULE_DIRS
        .iter()
        .map(Path::new)
        .find(|dir| dir.join("mod_proxy_http.so").exists())
    else {
        fail!(
            "{} is here, but its modules are in none of {}",
            conf.program.display(),
            MODULE_DIRS.join(", ")
        );
    };
    let dir = conf.dir.display();
    Ok([
        format!("# A private server of `cargo xtask drill`; it goes when the drill goes.\nServerRoot {dir}\n"),
        load_modules(modules),
        account(),
        files(&dir.to_string()),
        workers(),
        site(conf, &dir.to_string()),
    ]
    .join("\n"))
}

fn load_modules(dir: &Path) -> String {
    let mut text = String::new();
    for name in MODULES {
        let path = dir.join(format!("mod_{name}.so"));
        if path.exists() {
            text.push_str(&format!("LoadModule {name}_module {}\n", path.display()));
        }
    }
    text
}

/// Root's server hands its workers to the distribution's account; anybody else's stays with whoever started it.
fn account() -> String {
    if !rustix::process::geteuid().is_root() {
        return String::new();
    }
    let accounts = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let known = |name: &&str| {
        accounts
            .lines()
            .any(|line| line.split(':').next() == Some(*name))
    };
    let name = ["www-data", "apache", "wwwrun", "nobody"]
        .into_iter()
        .find(known)
        .unwrap_or("nobody");
    let group = if name == "nobody" { "nogroup" } else { name };
    format!("User {name}\nGroup {group}\n")
}

fn files(dir: &str) -> String {
    format!(
        "PidFile {dir}/apache.pid\n\
         DefaultRuntimeDir {dir}\n\
         Mutex file:{dir} default\n\
         ErrorLog {dir}/error.log\n\
         LogLevel warn\n\
         LogFormat \"%h %l %u %t \\\"%r\\\" %>s %O \\\"%{{Referer}}i\\\" \\\"%{{User-Agent}}i\\\" %D \
         \\\"%{{X-User}}o\\\" \\\"%{{X-User-Tier}}o\\\"\" tiered\n\
         CustomLog {dir}/access.log tiered\n"
    )
}

fn workers() -> String {
    let threads = WORKERS_MAX / 2;
    format!(
        "StartServers 2\nServerLimit 2\nThreadsPerChild {threads}\nThreadLimit {threads}\n\
         MinSpareThreads {threads}\nMaxSpareThreads {WORKERS_MAX}\nMaxRequestWorkers {WORKERS_MAX}\n\
         Timeout 60\nKeepAlive On\nKeepAliveTimeout 5\nGracefulShutdownTimeout 5\n"
    )
}

fn site(conf: &Conf<'_>, dir: &str) -> String {
    let (address, login_app) = (conf.address, conf.login_app);
    format!(
        "ServerName webserver-01\n\
         Listen {address}\n\
         DocumentRoot {dir}/htdocs\n\
         DirectoryIndex index.html\n\
         <Directory {dir}/htdocs>\n    Require all granted\n</Directory>\n\
         ExtendedStatus On\n\
         <Location /server-status>\n    SetHandler server-status\n    Require local\n</Location>\n\
         # retry=0: one failed login must not close the way for the next.\n\
         ProxyPass /login http://{login_app}/login retry=0 timeout=130 disablereuse=On\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_names_duration_user_and_tier() {
        let text = files("/tmp/x");
        assert!(
            text.contains(r#"%D \"%{X-User}o\" \"%{X-User-Tier}o\"" tiered"#),
            "{text}"
        );
    }
}
