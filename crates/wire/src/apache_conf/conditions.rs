//! Which conditional sections of a configuration count; everything it needs to know is given.

use std::collections::{BTreeMap, BTreeSet};

/// Modules that the usual builds of Apache have inside, so that no `LoadModule` names them.
const BUILT_IN: [&str; 9] = [
    "core",
    "so",
    "http",
    "log_config",
    "logio",
    "unixd",
    "version",
    "watchdog",
    "systemd",
];

/// Whether the inside of a section counts. Sections that are no conditions always do.
pub(super) fn is_active(
    section: &str,
    argument: &str,
    modules: &BTreeSet<String>,
    variables: &BTreeMap<String, String>,
    file_exists: impl Fn(&str) -> bool,
) -> bool {
    let (wanted, name) = match argument.strip_prefix('!') {
        Some(name) => (false, name.trim()),
        None => (true, argument),
    };
    let holds = match section {
        "ifmodule" => is_loaded(name, modules),
        "ifdefine" => variables.contains_key(name),
        "iffile" => file_exists(name),
        "ifversion" => return version_holds(argument),
        _ => return true,
    };
    holds == wanted
}

/// A module may be named by its identifier (`ssl_module`) or its source file (`mod_ssl.c`, `event.c`).
fn is_loaded(name: &str, modules: &BTreeSet<String>) -> bool {
    let wanted = stem(name);
    let matches = |module: &str| {
        let module = stem(module);
        module == wanted || module.strip_prefix("mpm_") == Some(wanted)
    };
    BUILT_IN.contains(&wanted) || modules.iter().any(|module| matches(module))
}

fn stem(name: &str) -> &str {
    let name = name.strip_prefix("mod_").unwrap_or(name);
    let name = name.strip_suffix("_module").unwrap_or(name);
    name.strip_suffix(".c").unwrap_or(name)
}

/// `>= 2.4`, `2.4`, `!< 2.5`. The version is not asked for: everything that is watched is some 2.4, so that one is compared,
/// and a pattern (`~ /^2.4/`) is taken to hold.
fn version_holds(argument: &str) -> bool {
    let (wanted, rest) = match argument.strip_prefix('!') {
        Some(rest) => (false, rest.trim_start()),
        None => (true, argument),
    };
    let operator_length = rest
        .find(|symbol| !"=<>~".contains(symbol))
        .unwrap_or(rest.len());
    let (operator, version) = rest.split_at(operator_length);
    let mut numbers = version
        .trim()
        .split('.')
        .map(|number| number.parse::<u32>().ok());
    let (Some(major), minor) = (
        numbers.next().flatten(),
        numbers.next().flatten().unwrap_or(0),
    ) else {
        return true;
    };
    let named = (major, minor);
    let ours = (2, 4);
    let holds = match operator {
        "" | "=" | "==" => ours == named,
        "<" => ours < named,
        "<=" => ours <= named,
        ">" => ours > named,
        ">=" => ours >= named,
        _ => return true,
    };
    holds == wanted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(section: &str, argument: &str, expected: bool) {
        let modules = BTreeSet::from(["ssl_module".to_owned(), "mpm_event_module".to_owned()]);
        let variables = BTreeMap::from([("STAGING".to_owned(), String::new())]);
        let active = is_active(section, argument, &modules, &variables, |path| {
            path == "/there"
        });
        assert_eq!(active, expected, "{section} {argument}");
    }

    #[test]
    fn conditions_hold_as_in_apache() {
        check("ifmodule", "mod_ssl.c", true);
        check("ifmodule", "ssl_module", true);
        check("ifmodule", "event.c", true);
        check("ifmodule", "mpm_event_module", true);
        check("ifmodule", "prefork.c", false);
        check("ifmodule", "!mod_gnutls.c", true);
        check("ifmodule", "log_config_module", true);
        check("ifdefine", "STAGING", true);
        check("ifdefine", "!STAGING", false);
        check("iffile", "/there", true);
        check("iffile", "/missing", false);
        check("ifversion", ">= 2.4", true);
        check("ifversion", "< 2.4.16", false);
        check("ifversion", "!< 2.4", true);
        check("ifversion", "~ /^2.4/", true);
        check("directory", "/", true);
    }
}
