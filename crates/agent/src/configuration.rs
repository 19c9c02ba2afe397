//! What the agent takes from a server's configuration, its own dumps and its open files, put together.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

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
    /// Path of the status page below a listener, with its query.
    pub(crate) status_path: Option<String>,
    pub(crate) files: Vec<PathBuf>,
}

/// Puts together what the server's dump says, the text of its main file and the logs that its process has open.
pub(crate) fn assemble(
    config_path: &Path,
    text: &str,
    dump: &str,
    open_logs: &[PathBuf],
) -> Configuration {
    let dumped = |name: &str| {
        let value = dump.lines().find_map(|line| {
            line.strip_prefix(name)?
                .trim()
                .strip_prefix('"')?
                .strip_suffix('"')
        });
        value.map(str::to_owned)
    };
    let main_error_log = dumped("Main ErrorLog:");
    let is_error = |log: &PathBuf| {
        main_error_log.as_deref() == log.to_str()
            || log
                .file_name()
                .is_some_and(|name| name.to_string_lossy().contains("error"))
    };
    let (error, access): (Vec<_>, Vec<_>) = open_logs.iter().cloned().partition(is_error);
    let mut error_logs: Vec<String> = main_error_log.into_iter().collect();
    error_logs.extend(
        error
            .iter()
            .map(|log| log.display().to_string())
            .filter(|log| !error_logs.contains(log))
            .collect::<Vec<_>>(),
    );
    let included = dump
        .lines()
        .filter_map(|line| line.trim().strip_prefix("(")?.split_once(") "))
        .map(|(_, path)| PathBuf::from(path.trim()));
    let mut files: Vec<PathBuf> = vec![config_path.to_owned()];
    for file in included {
        if !files.contains(&file) {
            files.push(file);
        }
    }
    Configuration {
        server_name: server_name(text),
        pid_file: dumped("PidFile:")
            .map_or_else(|| PathBuf::from("/run/apache2/apache2.pid"), PathBuf::from),
        access_logs: access
            .iter()
            .map(|log| (log.display().to_string(), String::new()))
            .collect(),
        error_logs,
        tls_ports: BTreeSet::from([443]),
        files,
        ..Configuration::default()
    }
}

fn server_name(text: &str) -> Option<String> {
    let mut depth = 0_u32;
    for line in text.lines().map(str::trim) {
        if line.starts_with("</") {
            depth = depth.saturating_sub(1);
        } else if line.starts_with('<') {
            depth += 1;
        } else if depth == 0
            && let Some(name) = line.strip_prefix("ServerName ")
        {
            let name = name.trim().trim_matches('"');
            return Some(name.split(':').next().unwrap_or(name).to_owned());
        }
    }
    None
}
