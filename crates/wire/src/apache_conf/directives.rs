//! What each directive of interest says; all others are passed over.

use super::config::{
    AccessLog, Config, ENTRIES_MAX, ErrorLog, Listen, LogTarget, Place, VirtualHost,
};
use super::reader::{Reader, full_path};

/// Variables at most.
const VARIABLES_MAX: usize = 1_000;

/// Takes one directive, whose name is in lower case, into the configuration.
pub(super) fn apply(reader: &mut Reader<'_>, place: &Place, name: &str, arguments: &[String]) {
    let Some(first) = arguments.first() else {
        return;
    };
    match name {
        "define" => {
            let value = arguments.get(1).cloned().unwrap_or_default();
            if reader.variables.len() < VARIABLES_MAX || reader.variables.contains_key(first) {
                reader.variables.insert(first.clone(), value);
            } else {
                let why = format!("more than {VARIABLES_MAX} variables; {first} was not defined");
                reader.config.note(place, why);
            }
        }
        "undefine" => {
            reader.variables.remove(first);
        }
        "loadmodule" => {
            reader.config.modules.insert(first.clone());
        }
        "use" => reader.config.note(
            place,
            format!("the macro {first} is used here; it was not expanded"),
        ),
        "listen" => listen(&mut reader.config, place, arguments),
        "servername" => server_name(reader, first),
        "serveralias" => {
            if let Some(host) = current_host(reader) {
                host.aliases.extend_from_slice(arguments);
            }
        }
        "logformat" | "errorlogformat" | "customlog" | "globallog" | "transferlog" | "errorlog" => {
            apply_log(reader, place, name, arguments);
        }
        "sethandler" => {
            if let Some(section) = reader.sections.last_mut() {
                section.shows_status = first.eq_ignore_ascii_case("server-status");
            }
        }
        "require" => {
            if let Some(section) = reader.sections.last_mut() {
                section.requires.push(arguments.join(" "));
            }
        }
        _ => apply_server(reader, name, first),
    }
}

/// Directives that concern the server as a whole.
fn apply_server(reader: &mut Reader<'_>, name: &str, first: &str) {
    match name {
        "serverroot" => first.clone_into(&mut reader.config.server_root),
        "defaultruntimedir" => reader.runtime_dir = Some(reader.full_path(first)),
        "pidfile" => {
            let base = reader
                .runtime_dir
                .as_deref()
                .unwrap_or(&reader.config.server_root);
            reader.config.pid_file = Some(full_path(base, first));
        }
        "user" => reader.config.user = Some(first.to_owned()),
        "group" => reader.config.group = Some(first.to_owned()),
        "maxrequestworkers" | "maxclients" => {
            reader.config.max_request_workers = first.parse().ok()
        }
        "extendedstatus" => reader.config.extended_status = Some(first.eq_ignore_ascii_case("on")),
        _ => {}
    }
}

fn apply_log(reader: &mut Reader<'_>, place: &Place, name: &str, arguments: &[String]) {
    let Some(first) = arguments.first() else {
        return;
    };
    match name {
        "logformat" => log_format(&mut reader.config, first, arguments.get(1)),
        "errorlogformat" => {
            // With `connection` or `request` in front it is the format of additional lines.
            if arguments.len() == 1 {
                reader.config.error_log_format = Some(first.clone());
            }
        }
        "errorlog" => {
            let error_log = ErrorLog {
                target: target(reader, first),
                virtual_host: reader.virtual_host(),
                place: place.clone(),
            };
            push(&mut reader.config.error_logs, error_log);
        }
        _ => {
            let format = arguments.get(1).filter(|_| name != "transferlog").cloned();
            let access_log = AccessLog {
                target: target(reader, first),
                format,
                condition: arguments.get(2).cloned(),
                virtual_host: if name == "globallog" {
                    None
                } else {
                    reader.virtual_host()
                },
                place: place.clone(),
            };
            push(&mut reader.config.access_logs, access_log);
        }
    }
}

fn log_format(config: &mut Config, format: &str, nickname: Option<&String>) {
    match nickname {
        Some(nickname) if config.log_formats.len() < ENTRIES_MAX => {
            config
                .log_formats
                .insert(nickname.clone(), format.to_owned());
        }
        Some(_) => {}
        None => config.default_log_format = Some(format.to_owned()),
    }
}

/// `80`, `192.0.2.1:80`, `[::1]:80`, `*:80`, with a protocol behind it or not.
fn listen(config: &mut Config, place: &Place, arguments: &[String]) {
    let Some(first) = arguments.first() else {
        return;
    };
    let (address, port) = first.rsplit_once(':').unwrap_or(("", first));
    let Ok(port) = port.parse() else {
        config.note(
            place,
            format!("{first} is not an address and port to listen on"),
        );
        return;
    };
    let address = address.trim_start_matches('[').trim_end_matches(']');
    let listen = Listen {
        address: (!address.is_empty() && address != "*").then(|| address.to_owned()),
        port,
        protocol: arguments.get(1).cloned(),
        place: place.clone(),
    };
    push(&mut config.listens, listen);
}

fn server_name(reader: &mut Reader<'_>, name: &str) {
    match current_host(reader) {
        Some(host) => host.server_name = Some(name.to_owned()),
        None => reader.config.server_name = Some(name.to_owned()),
    }
}

fn current_host<'a>(reader: &'a mut Reader<'_>) -> Option<&'a mut VirtualHost> {
    let index = reader.virtual_host()?;
    reader.config.virtual_hosts.get_mut(index)
}

/// Adds the virtual host of `<VirtualHost addresses>`; its index, unless there are too many.
pub(super) fn open_virtual_host(config: &mut Config, words: &[String]) -> Option<usize> {
    let index = config.virtual_hosts.len();
    let host = VirtualHost {
        addresses: words.get(1..).unwrap_or_default().to_vec(),
        ..VirtualHost::default()
    };
    push(&mut config.virtual_hosts, host);
    (index < config.virtual_hosts.len()).then_some(index)
}

fn target(reader: &Reader<'_>, text: &str) -> LogTarget {
    if let Some(command) = text.strip_prefix('|') {
        let command = command.trim_start_matches(['|', '$']);
        return LogTarget::Pipe(command.trim().to_owned());
    }
    let provider = text.split(':').next().unwrap_or_default();
    if matches!(provider, "syslog" | "journald") {
        return LogTarget::Other(text.to_owned());
    }
    LogTarget::File(reader.full_path(text))
}

fn push<T>(entries: &mut Vec<T>, entry: T) {
    if entries.len() < ENTRIES_MAX {
        entries.push(entry);
    }
}
