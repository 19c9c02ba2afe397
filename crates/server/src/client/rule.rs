//! `tocsin rule …`: the rules of rule files, as the server evaluates them. They are changed in their files.

use clap::Subcommand;
use serde::Deserialize;

use super::api::Api;
use super::failure::Failure;
use super::look::{Look, Tone, length};
use super::plain::Plain;
use super::screen::Screen;
use super::table::{Cell, Table};

/// What can be done with rules.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Verb {
    /// List rule files, their groups and rules, how each stands and why one could not be evaluated
    List {
        /// Also show each rule's expression
        #[arg(long)]
        long: bool,
    },
}

#[derive(Debug, Deserialize)]
struct Rules {
    #[serde(default)]
    trouble: Option<Plain>,
    groups: Vec<Group>,
}

#[derive(Debug, Deserialize)]
struct Group {
    name: Plain,
    file: Plain,
    interval_ms: u64,
    rules: Vec<Rule>,
}

#[derive(Debug, Deserialize)]
struct Rule {
    name: Plain,
    kind: Plain,
    standing: Plain,
    #[serde(default)]
    severity: Option<Plain>,
    #[serde(default)]
    expr: Plain,
    #[serde(default)]
    error: Option<Plain>,
    #[serde(default)]
    firing: u64,
    #[serde(default)]
    pending: u64,
}

pub(super) fn run(verb: &Verb, api: &Api, screen: &Screen) -> Result<(), Failure> {
    match verb {
        Verb::List { long } => {
            let answer = api.get(&["rules"], &[])?;
            screen.show(&answer, |all: &Rules, look| list(all, *long, look))
        }
    }
}

fn list(all: &Rules, long: bool, look: &Look) -> String {
    let mut drawn = String::new();
    if let Some(trouble) = &all.trouble {
        let told = format!("The rule files are not used as they stand: {trouble}");
        drawn.push_str(&format!("{}\n\n", look.toned(&told, Tone::Bad)));
    }
    if all.groups.is_empty() {
        drawn.push_str("No rules are loaded.\n");
        return drawn;
    }
    let (mut file, mut between) = (None, "");
    for group in &all.groups {
        drawn.push_str(between);
        if file != Some(&group.file) {
            drawn.push_str(&format!("{}\n", group.file));
            file = Some(&group.file);
        }
        let every = length(group.interval_ms / 1_000);
        drawn.push_str(&format!("group {}, every {every}\n", group.name));
        drawn.push_str(&rules(&group.rules, look));
        drawn.push_str(&beneath(&group.rules, long, look));
        between = "\n";
    }
    drawn
}

fn rules(all: &[Rule], look: &Look) -> String {
    let mut table = Table::new(&["NAME", "KIND", "NOW", "SEVERITY"]);
    for one in all {
        let severity = one.severity.clone().unwrap_or_default();
        table.row([
            (&one.name).into(),
            (&one.kind).into(),
            standing(one),
            Cell::state(&severity),
        ]);
    }
    table.draw(look, "It has no rules.")
}

fn standing(one: &Rule) -> Cell {
    let counted = |word: &str, count: u64| match count {
        0 | 1 => word.to_owned(),
        count => format!("{word} {count} times"),
    };
    match one.standing.as_str() {
        "firing" => Cell::toned(counted("firing", one.firing), Tone::Bad),
        "pending" => Cell::toned(counted("pending", one.pending), Tone::Warn),
        "failing" => Cell::toned("failing", Tone::Bad),
        "quiet" => Cell::toned("quiet", Tone::Good),
        "unknown" => Cell::toned("not yet", Tone::Faint),
        other => other.to_owned().into(),
    }
}

/// What a line of a table has no room for.
fn beneath(all: &[Rule], long: bool, look: &Look) -> String {
    let mut lines = String::new();
    for one in all.iter().filter(|one| long || one.error.is_some()) {
        lines.push_str(&format!("  {}\n", one.name));
        if long {
            let expr = look.toned(one.expr.as_str(), Tone::Faint);
            lines.push_str(&format!("    {expr}\n"));
        }
        if let Some(error) = &one.error {
            let error = look.toned(error.as_str(), Tone::Bad);
            lines.push_str(&format!("    {error}\n"));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::super::api::Answer;
    use super::*;

    fn drawn(given: &str, long: bool) -> Vec<String> {
        let all: Rules = Answer::of(given).parsed().unwrap();
        let drawn = list(&all, long, &Look::of_test());
        drawn
            .lines()
            .map(|line| line.trim_end().to_owned())
            .collect()
    }

    #[test]
    fn rules_show_where_they_stand_and_why_one_failed() {
        let given = r#"{"trouble":"b.yml: line 3: no such key","groups":[
            {"name":"web","file":"a.yml","interval_ms":60000,"evaluated_at":null,"rules":[
              {"name":"Slow","kind":"alert","expr":"rate(x[5m]) > 1","standing":"firing","severity":"critical","for_ms":0,
               "error":null,"evaluated_at":null,"evaluation_us":1,"pending":0,"firing":2,"alerts":[]},
              {"name":"x:sum","kind":"record","expr":"sum(x)","standing":"failing","severity":null,"for_ms":0,
               "error":"too many samples","evaluated_at":null,"evaluation_us":1,"pending":0,"firing":0,"alerts":[]}]},
            {"name":"db","file":"a.yml","interval_ms":30000,"rules":[]}]}"#;
        let expected = [
            "The rule files are not used as they stand: b.yml: line 3: no such key",
            "",
            "a.yml",
            "group web, every 1 min",
            "NAME   KIND    NOW             SEVERITY",
            "Slow   alert   firing 2 times  critical",
            "x:sum  record  failing",
            "  x:sum",
            "    too many samples",
            "",
            "group db, every 30 s",
            "It has no rules.",
        ];
        assert_eq!(drawn(given, false), expected);
        assert!(drawn(given, true).contains(&"    rate(x[5m]) > 1".to_owned()));
        assert_eq!(drawn(r#"{"groups":[]}"#, false), ["No rules are loaded."]);
    }
}
