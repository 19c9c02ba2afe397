//! Holds what comes in from outside to `deny.toml`: licences, refused crates, registries. It asks cargo and reads no source.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;
use spdx::{Expression, ParseMode};
use toml::Table;

use crate::failure::{Because, Failure, Outcome};
use crate::places;

/// Fails with every crate of the lock file that may not come in. It is what `cargo deny check licenses bans sources` finds,
/// without the texts of licences, which only that reads.
pub(crate) fn check() -> Outcome<()> {
    let file = places::root().join("deny.toml");
    let rules = std::fs::read_to_string(&file).because("reading deny.toml")?;
    let rules = rules.parse::<Table>().because("reading deny.toml")?;
    let mut command: Command = places::cargo();
    let output = command
        .args(["metadata", "--format-version", "1", "--locked"])
        .args(["--all-features"])
        .current_dir(places::root())
        .output()
        .because("running cargo metadata")?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(Failure::new(format!("cargo metadata failed: {said}")));
    }
    let metadata = serde_json::from_slice(&output.stdout).because("reading cargo metadata")?;
    let faults = Rules::of(&rules).faults(&metadata);
    if faults.is_empty() {
        return Ok(());
    }
    Err(Failure::new(format!(
        "deny.toml does not let this in:\n  {}",
        faults.join("\n  ")
    )))
}

/// What `deny.toml` says, as far as it is held to here.
struct Rules {
    licences: BTreeSet<String>,
    /// Crates that are refused, each with those that may bring it all the same.
    refused: Vec<(String, BTreeSet<String>)>,
    registries: BTreeSet<String>,
}

impl Rules {
    fn of(file: &Table) -> Self {
        let part = |section: &str, name: &str| {
            let list = file.get(section).and_then(|section| section.get(name));
            list.and_then(|list| list.as_array()).into_iter().flatten()
        };
        let texts = |section, name| {
            let all = part(section, name).filter_map(|text| text.as_str());
            all.map(str::to_owned).collect()
        };
        let refused = part("bans", "deny").filter_map(|ban| {
            let wrappers = ban.get("wrappers").and_then(|list| list.as_array());
            let wrappers = wrappers.into_iter().flatten();
            Some((
                ban.get("crate")?.as_str()?.to_owned(),
                wrappers
                    .filter_map(|name| name.as_str().map(str::to_owned))
                    .collect(),
            ))
        });
        Self {
            licences: texts("licenses", "allow"),
            refused: refused.collect(),
            registries: texts("sources", "allow-registry"),
        }
    }

    fn faults(&self, metadata: &Value) -> Vec<String> {
        let packages = metadata["packages"].as_array().into_iter().flatten();
        let mut faults = Vec::new();
        for package in packages {
            let name = package["name"].as_str().unwrap_or_default();
            let faulty = |why: String| format!("{name} {}: {why}", text(&package["version"]));
            // Members of the workspace come from nowhere.
            if let Some(source) = package["source"].as_str() {
                let registry = source.strip_prefix("registry+").unwrap_or(source);
                if !self.registries.contains(registry) {
                    faults.push(faulty(format!("it comes from {source}")));
                }
                if let Err(why) = self.licence(package["license"].as_str()) {
                    faults.push(faulty(why));
                }
            }
        }
        faults.extend(self.brought(metadata));
        faults
    }

    /// Refused crates in the graph as it is resolved, each with who brings it.
    fn brought(&self, metadata: &Value) -> Vec<String> {
        let packages = metadata["packages"].as_array().into_iter().flatten();
        let names: BTreeMap<&str, &str> = packages
            .map(|package| (text(&package["id"]), text(&package["name"])))
            .collect();
        let name_of = |id: &Value| names.get(text(id)).copied().unwrap_or_default();
        let nodes = metadata["resolve"]["nodes"].as_array();
        let mut faults = Vec::new();
        for node in nodes.into_iter().flatten() {
            let by = name_of(&node["id"]);
            for brought in node["dependencies"].as_array().into_iter().flatten() {
                let brought = name_of(brought);
                let is_refused = |(name, wrappers): &(String, BTreeSet<String>)| {
                    name == brought && !wrappers.contains(by)
                };
                if self.refused.iter().any(is_refused) {
                    faults.push(format!("{by} brings {brought}, which is refused"));
                }
            }
        }
        faults
    }

    fn licence(&self, stated: Option<&str>) -> Result<(), String> {
        let stated = stated.ok_or("it states no licence")?;
        let expression = Expression::parse_mode(stated, ParseMode::LAX)
            .map_err(|error| format!("its licence {stated:?} cannot be read: {}", error.reason))?;
        if expression.evaluate(|asked| self.licences.contains(&asked.to_string())) {
            Ok(())
        } else {
            Err(format!("its licence {stated} is not among those allowed"))
        }
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const RULES: &str = r#"
        [licenses]
        allow = ["MIT", "Apache-2.0", "Unicode-3.0", "Apache-2.0 WITH LLVM-exception"]
        [bans]
        deny = [{ crate = "openssl-sys" }, { crate = "chrono", wrappers = ["parser"] }]
        [sources]
        allow-registry = ["https://example.org/index"]
    "#;

    fn faults(name: &str, licence: Option<&str>, source: &str, brings: &str) -> Vec<String> {
        let metadata = json!({"packages": [
            {"id": "1", "name": name, "version": "1.0.0", "license": licence, "source": source},
            {"id": "2", "name": brings, "version": "1.0.0", "license": null, "source": null},
        ], "resolve": {"nodes": [{"id": "1", "dependencies": ["2"]}, {"id": "2", "dependencies": []}]}});
        Rules::of(&RULES.parse().unwrap()).faults(&metadata)
    }

    #[track_caller]
    fn check(licence: Option<&str>, expected: bool) {
        let found = faults("a", licence, "registry+https://example.org/index", "b");
        assert_eq!(found.is_empty(), expected, "{found:?}");
    }

    #[test]
    fn a_licence_must_be_among_those_allowed() {
        check(Some("MIT"), true);
        check(Some("GPL-3.0-only OR MIT"), true);
        check(Some("(MIT OR Apache-2.0) AND Unicode-3.0"), true);
        check(Some("MIT/Apache-2.0"), true);
        check(Some("Apache-2.0 WITH LLVM-exception"), true);
        check(Some("GPL-3.0-only"), false);
        check(Some("MIT AND GPL-3.0-only"), false);
        check(Some("what is this"), false);
        check(None, false);
    }

    #[test]
    fn other_registries_and_refused_crates_are_named() {
        let found = faults("a", Some("MIT"), "git+https://example.org/x", "b");
        assert!(found[0].contains("comes from git+"), "{found:?}");
        let found = faults(
            "a",
            Some("MIT"),
            "registry+https://example.org/index",
            "openssl-sys",
        );
        assert!(found[0].contains("a brings openssl-sys"), "{found:?}");
        let brought = |by| {
            faults(
                by,
                Some("MIT"),
                "registry+https://example.org/index",
                "chrono",
            )
        };
        assert!(brought("parser").is_empty());
        assert_eq!(brought("other").len(), 1);
    }
}
