//! What the agent takes from a server's configuration files and from the server's own dump of them.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

use tocsin_wire::apache_conf::{self, Config, Files, LogTarget, RunConfig, Start};
use tocsin_wire::apache_log::{FieldNames, LogFormat};

use crate::glob;
use crate::server_args::ServerArgs;
use crate::trust::Reader;

/// Bytes of one configuration file that are read.
const FILE_BYTES_MAX: u64 = 1_024 * 1_024;
/// Values that Debian's `envvars` gives, for a process whose environment cannot be read.
const DEBIAN_VARIABLES: [(&str, &str); 5] = [
    ("APACHE_LOG_DIR", "/var/log/apache2"),
    ("APACHE_RUN_DIR", "/var/run/apache2"),
    ("APACHE_PID_FILE", "/var/run/apache2/apache2.pid"),
    ("APACHE_RUN_USER", "www-data"),
    ("APACHE_RUN_GROUP", "www-data"),
];

/// What is known of a configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Configuration {
    pub(crate) server_name: Option<String>,
    pub(crate) listen: Vec<SocketAddr>,
    pub(crate) tls_ports: BTreeSet<u16>,
    pub(crate) pid_file: PathBuf,
    /// Path and format; an empty format is to be guessed.
    pub(crate) access_logs: Vec<(String, String)>,
    pub(crate) error_logs: Vec<String>,
    pub(crate) status_page: Option<StatusPage>,
    pub(crate) files: Vec<PathBuf>,
}

/// Where the status page is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StatusPage {
    pub(crate) path: String,
    /// The port of the only virtual host that has it.
    pub(crate) port: Option<u16>,
}

/// Reads the configuration files, as far as they can be read.
pub(crate) fn read_files(
    main_file: &Path,
    server_root: &Path,
    args: &ServerArgs,
    environment: &[(String, String)],
) -> Config {
    let mut variables: BTreeMap<String, String> = BTreeMap::new();
    if server_root.starts_with("/etc/apache2") {
        variables.extend(DEBIAN_VARIABLES.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }
    variables.extend(environment.iter().cloned());
    variables.extend(
        args.defines
            .iter()
            .map(|define| match define.split_once('=') {
                Some((name, value)) => (name.to_owned(), value.to_owned()),
                None => (define.clone(), String::new()),
            }),
    );
    let start = Start {
        server_root: server_root.display().to_string(),
        variables,
    };
    let reader = Reader::of(main_file);
    let read = |path: &str| match read_for(reader, Path::new(path)) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) => Err(error.to_string()),
    };
    let files = Files {
        read: &read,
        expand: &glob::expand,
    };
    apache_conf::read(&main_file.display().to_string(), &start, &files)
}

/// The beginning of a configuration file, if it may be read for this reader.
pub(crate) fn read_for(reader: Reader, file: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader
        .open(file)?
        .take(FILE_BYTES_MAX)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Puts files and dump together; what the server says itself goes first.
pub(crate) fn assemble(main_file: &Path, files: &Config, dump: &RunConfig) -> Configuration {
    let server_root = dump
        .server_root
        .clone()
        .unwrap_or_else(|| files.server_root.clone());
    let pid_file = dump.pid_file.clone().or_else(|| files.pid_file.clone());
    let pid_file = pid_file.unwrap_or_else(|| format!("{server_root}/logs/httpd.pid"));
    let mut read: Vec<PathBuf> = files.files.iter().map(PathBuf::from).collect();
    if read.is_empty() {
        read.push(main_file.to_owned());
    }
    Configuration {
        server_name: files.server_name.as_deref().map(host_of),
        listen: files
            .listens
            .iter()
            .filter_map(|listen| address(listen.address.as_deref(), listen.port))
            .collect(),
        tls_ports: files
            .listens
            .iter()
            .filter(|listen| listen.is_tls())
            .map(|listen| listen.port)
            .collect(),
        pid_file: PathBuf::from(pid_file),
        access_logs: access_logs(files),
        error_logs: error_logs(files, dump),
        status_page: status_page(files),
        files: read,
    }
}

/// `ServerName` may have a scheme in front and a port behind.
fn host_of(name: &str) -> String {
    let name = name.split_once("://").map_or(name, |(_, rest)| rest);
    name.split(':').next().unwrap_or(name).to_owned()
}

fn address(address: Option<&str>, port: u16) -> Option<SocketAddr> {
    let ip = match address {
        // Without an address Apache opens one socket for both families.
        None => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        Some("0.0.0.0") => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        Some(text) => text.parse().ok()?,
    };
    Some(SocketAddr::new(ip, port))
}

/// One log for each virtual host: a request that is in two logs must not be counted twice. Of several the one that tells
/// most is taken.
fn access_logs(files: &Config) -> Vec<(String, String)> {
    let mut best: BTreeMap<Option<usize>, (u32, String, String)> = BTreeMap::new();
    for log in &files.access_logs {
        let LogTarget::File(path) = &log.target else {
            continue;
        };
        let format = files.format_of(log).unwrap_or_default();
        let worth = worth(format);
        if best
            .get(&log.virtual_host)
            .is_none_or(|(before, ..)| worth > *before)
        {
            best.insert(log.virtual_host, (worth, path.clone(), format.to_owned()));
        }
    }
    let mut logs: Vec<(String, String)> = Vec::new();
    for (_, path, format) in best.into_values() {
        if !logs.iter().any(|(other, _)| *other == path) {
            logs.push((path, format));
        }
    }
    logs
}

fn worth(format: &str) -> u32 {
    let Ok(format) = LogFormat::compile(format, &FieldNames::default()) else {
        return 1;
    };
    let tells = [
        (format.tells_status(), 8),
        (format.tells_tier(), 4),
        (format.tells_user(), 2),
        (format.tells_duration(), 1),
    ];
    1 + tells
        .into_iter()
        .filter(|(tells, _)| *tells)
        .map(|(_, worth)| worth)
        .sum::<u32>()
}

fn error_logs(files: &Config, dump: &RunConfig) -> Vec<String> {
    let mut logs: Vec<String> = Vec::new();
    // The dump gives a path for `syslog` and pipes too, which is none.
    let main = dump
        .error_log
        .iter()
        .filter(|log| log.starts_with('/'))
        .cloned();
    let configured = files.error_logs.iter().filter_map(|log| match &log.target {
        LogTarget::File(path) => Some(path.clone()),
        LogTarget::Pipe(_) | LogTarget::Other(_) => None,
    });
    for log in main.chain(configured) {
        if !logs.contains(&log) {
            logs.push(log);
        }
    }
    logs
}

fn status_page(files: &Config) -> Option<StatusPage> {
    let plain = || {
        files
            .status_pages
            .iter()
            .filter(|page| !page.is_pattern && page.path.starts_with('/'))
    };
    let page = plain()
        .find(|page| page.virtual_host.is_none())
        .or_else(|| plain().next())?;
    let host = page
        .virtual_host
        .and_then(|index| files.virtual_hosts.get(index));
    let port = host.and_then(|host| host.addresses.first()?.rsplit_once(':')?.1.parse().ok());
    Some(StatusPage {
        path: page.path.clone(),
        port,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Configuration {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("httpd.conf");
        std::fs::write(&file, text).unwrap();
        let files = read_files(
            &file,
            Path::new("/srv"),
            &ServerArgs::default(),
            &[("LOGS".to_owned(), "/l".to_owned())],
        );
        assemble(&file, &files, &RunConfig::default())
    }

    #[test]
    fn a_configuration_gives_what_is_watched() {
        let found = read(
            "ServerName http://webserver-01:8080\nListen 127.0.0.1:8080\nListen 8443 https\nErrorLog ${LOGS}/error.log\n\
             LogFormat \"%h %l %u %t \\\"%r\\\" %>s %b\" common\nCustomLog ${LOGS}/access.log common\nPidFile /run/a.pid\n\
             <Location /server-status>\nSetHandler server-status\n</Location>\n",
        );
        assert_eq!(found.server_name.as_deref(), Some("webserver-01"));
        assert_eq!(
            found.listen,
            [
                "127.0.0.1:8080".parse().unwrap(),
                "[::]:8443".parse().unwrap()
            ]
        );
        assert_eq!(found.tls_ports, BTreeSet::from([8_443]));
        assert_eq!(found.error_logs, ["/l/error.log"]);
        assert_eq!(found.access_logs[0].0, "/l/access.log");
        assert!(found.access_logs[0].1.starts_with("%h %l %u"));
        assert_eq!(found.pid_file, PathBuf::from("/run/a.pid"));
        assert_eq!(
            found.status_page,
            Some(StatusPage {
                path: "/server-status".to_owned(),
                port: None
            })
        );
        assert_eq!(found.files.len(), 1);
    }

    #[test]
    fn a_request_in_two_logs_is_read_from_the_one_that_tells_more() {
        let found = read(
            "CustomLog /a \"%h %r\"\nCustomLog /b \"%h %>s %D\"\n<VirtualHost *:81>\nCustomLog /c \"%>s\"\n</VirtualHost>",
        );
        let paths: Vec<&str> = found
            .access_logs
            .iter()
            .map(|(path, _)| path.as_str())
            .collect();
        assert_eq!(paths, ["/b", "/c"]);
    }

    #[test]
    fn a_status_page_of_one_virtual_host_is_asked_at_its_port() {
        let found = read(
            "<VirtualHost 127.0.0.1:8090>\n<Location /s>\nSetHandler server-status\n</Location>\n</VirtualHost>",
        );
        assert_eq!(
            found.status_page,
            Some(StatusPage {
                path: "/s".to_owned(),
                port: Some(8_090)
            })
        );
    }
}
