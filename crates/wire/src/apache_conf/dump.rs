//! Reads what `apache2 -t -D DUMP_RUN_CFG` and `-D DUMP_VHOSTS` print (`-S` prints both); it runs nothing.

/// Lines that are looked at.
const LINES_MAX: usize = 100_000;

/// The paths and the user of a server, as it sees them itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunConfig {
    /// `ServerRoot`.
    pub server_root: Option<String>,
    /// `DocumentRoot` of the main server.
    pub document_root: Option<String>,
    /// `ErrorLog` of the main server.
    pub error_log: Option<String>,
    /// `PidFile`.
    pub pid_file: Option<String>,
    /// `ScoreBoardFile`, where one is configured.
    pub scoreboard_file: Option<String>,
    /// Name of the user that children run as.
    pub user: Option<String>,
    /// Its number.
    pub user_id: Option<u32>,
    /// Name of the group that children run as.
    pub group: Option<String>,
    /// Its number.
    pub group_id: Option<u32>,
    /// `Define` and `-D`, with `=value` where there is one; the dump's own is left out.
    pub defines: Vec<String>,
}

/// Text that is not such a dump.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the output has no `ServerRoot` line, so it is not a dump of a configuration; it begins with {excerpt:?}"
)]
pub struct NotADump {
    /// The beginning of the text.
    pub excerpt: String,
}

/// Reads the standard output of `-t -D DUMP_RUN_CFG`.
///
/// # Errors
/// When the text is something else, such as the error of a configuration that does not parse.
pub fn parse_run_cfg(output: &str) -> Result<RunConfig, NotADump> {
    let mut run = RunConfig::default();
    for line in output.lines().take(LINES_MAX) {
        let Some((name, value)) = line.split_once(": ") else {
            continue;
        };
        match name {
            "ServerRoot" => run.server_root = quoted(value),
            "Main DocumentRoot" => run.document_root = quoted(value),
            "Main ErrorLog" => run.error_log = quoted(value),
            "PidFile" => run.pid_file = quoted(value),
            "ScoreBoardFile" => run.scoreboard_file = quoted(value),
            "User" => (run.user, run.user_id) = account(value),
            "Group" => (run.group, run.group_id) = account(value),
            "Define" if !value.starts_with("DUMP_") => run.defines.push(value.trim().to_owned()),
            _ => {}
        }
    }
    if run.server_root.is_none() {
        let first = output.trim().lines().next().unwrap_or_default();
        return Err(NotADump {
            excerpt: first.chars().take(200).collect(),
        });
    }
    Ok(run)
}

fn quoted(value: &str) -> Option<String> {
    let inside = value.trim().strip_prefix('"')?.strip_suffix('"')?;
    (!inside.is_empty()).then(|| inside.to_owned())
}

/// `name="www-data" id=33`, with ` not_used` behind it when the server does not run as root. A name that is a number in
/// disguise (`#-1`) is none.
fn account(value: &str) -> (Option<String>, Option<u32>) {
    let name = value
        .split('"')
        .nth(1)
        .filter(|name| !name.starts_with('#') && !name.is_empty());
    let id = value
        .split("id=")
        .nth(1)
        .and_then(|rest| rest.split_whitespace().next()?.parse().ok());
    (name.map(str::to_owned), id.filter(|id| *id != u32::MAX))
}

/// A virtual host as the server sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DumpedHost {
    /// `*:80`, `192.0.2.1:443`, `[::1]:80`.
    pub address: String,
    /// `ServerName`.
    pub server_name: String,
    /// `ServerAlias`.
    pub aliases: Vec<String>,
    /// Whether requests for unknown names go to it.
    pub is_default: bool,
    /// The file it is configured in.
    pub file: String,
    /// The line there.
    pub line: usize,
}

/// Reads the standard output of `-t -D DUMP_VHOSTS`. A server without virtual hosts gives an empty list, and so does text
/// that is something else.
#[must_use]
pub fn parse_vhosts(output: &str) -> Vec<DumpedHost> {
    let mut hosts: Vec<DumpedHost> = Vec::new();
    let mut address = String::new();
    let mut default = None;
    for line in output.lines().take(LINES_MAX) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let is_indented = line.starts_with(' ');
        match words.as_slice() {
            [first, "is", "a", "NameVirtualHost"] if !is_indented => {
                (*first).clone_into(&mut address);
                default = None;
            }
            [first, name, place] if !is_indented => {
                hosts.extend(host(first, name, place, true));
            }
            ["default", "server", name, place] if is_indented => default = Some((*name, *place)),
            ["port", _, "namevhost", name, place] if is_indented => {
                hosts.extend(host(
                    &address,
                    name,
                    place,
                    default == Some((*name, *place)),
                ));
            }
            ["alias", alias] | ["wild", "alias", alias] if is_indented => {
                if let Some(host) = hosts.last_mut() {
                    host.aliases.push((*alias).to_owned());
                }
            }
            _ => {}
        }
    }
    hosts
}

/// A host whose place is written as `(/etc/apache2/sites-enabled/000-default.conf:1)`.
fn host(address: &str, name: &str, place: &str, is_default: bool) -> Option<DumpedHost> {
    let (file, line) = place
        .strip_prefix('(')?
        .strip_suffix(')')?
        .rsplit_once(':')?;
    Some(DumpedHost {
        address: address.to_owned(),
        server_name: name.to_owned(),
        aliases: Vec::new(),
        is_default,
        file: file.to_owned(),
        line: line.parse().ok()?,
    })
}
