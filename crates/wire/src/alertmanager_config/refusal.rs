//! What Alertmanager itself does not run by: nothing is made of it, since nobody can say what was meant. It translates nothing.

use std::collections::{BTreeMap, BTreeSet};

use serde_saphyr::Spanned;

use super::kept;
use super::raw::{Config, Route, line};

/// The first route of a configuration that it runs by; else why it does not, with the line where it is known.
pub(super) fn first_route(config: &Config) -> Result<&Route, String> {
    let Some(root) = &config.route else {
        return Err("there is no route, without which Alertmanager does not run".to_owned());
    };
    if root.named().is_none() {
        return Err("the first route names no receiver".to_owned());
    }
    let mut known = BTreeSet::new();
    let mut lines: BTreeMap<String, u64> = BTreeMap::new();
    for receiver in &config.receivers {
        let written = &receiver.name;
        let name = kept(&written.value);
        if name.is_empty() {
            return Err(told(written, "a receiver has no name"));
        }
        if let Some(first) = lines.get(&name) {
            let what =
                format!("the receiver {name:?} is there twice: it stands in line {first} too");
            return Err(told(written, &what));
        }
        lines.insert(name, line(written));
        known.insert(written.value.as_str());
    }
    routes(root, &known)?;
    Ok(root)
}

/// Each route leads to a receiver that is there.
fn routes(route: &Route, known: &BTreeSet<&str>) -> Result<(), String> {
    if let Some(name) = route.named()
        && !known.contains(name.value.as_str())
    {
        let what = format!(
            "a route leads to the receiver {:?}, which is not there",
            name.value
        );
        return Err(told(name, &what));
    }
    let mut inner = route.routes.iter();
    inner.try_for_each(|route| routes(route, known))
}

/// With the line in front; what came into its place by a merge may have none.
fn told(at: &Spanned<String>, what: &str) -> String {
    match line(at) {
        0 => what.to_owned(),
        line => format!("line {line}: {what}"),
    }
}
