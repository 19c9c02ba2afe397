//! `tocsin monitor …`: the conditions that raise alerts.

use clap::Subcommand;
use serde::Deserialize;
use serde_json::json;

use super::api::Api;
use super::failure::Failure;
use super::given::{self, choose, whole};
use super::look::{Look, Tone};
use super::plain::Plain;
use super::screen::Screen;
use super::table::{Cell, Table};

/// What can be done with monitors.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Verb {
    /// List monitors and what fires
    List {
        /// Also show each monitor's expression and description
        #[arg(long)]
        long: bool,
    },
    /// Let a monitor raise alerts
    Enable {
        /// Its name or id
        monitor: String,
    },
    /// Keep a monitor from raising alerts
    Disable {
        /// Its name or id
        monitor: String,
    },
}

#[derive(Debug, Deserialize)]
struct Monitor {
    id: Plain,
    name: Plain,
    severity: Plain,
    #[serde(default)]
    expr: Plain,
    enabled: bool,
    #[serde(default)]
    pack: Option<Plain>,
    #[serde(default)]
    description: Plain,
    #[serde(default)]
    firing: Vec<serde_json::Value>,
}

pub(super) fn run(verb: &Verb, api: &Api, screen: &Screen) -> Result<(), Failure> {
    match verb {
        Verb::List { long } => {
            let answer = api.get(&["monitors"], &whole())?;
            screen.show_list(&answer, |all: &[Monitor], look| {
                if *long {
                    in_full(all, look)
                } else {
                    list(all, look)
                }
            })
        }
        Verb::Enable { monitor } => switch(api, screen, monitor, true),
        Verb::Disable { monitor } => switch(api, screen, monitor, false),
    }
}

fn switch(api: &Api, screen: &Screen, given: &str, enabled: bool) -> Result<(), Failure> {
    let all: Vec<Monitor> = given::all(api, &["monitors"])?;
    let monitor = choose(all, "monitor", given, |one| &one.id, |one| vec![&one.name])?;
    let answer = api.patch(
        &["monitors", monitor.id.as_str()],
        &json!({ "enabled": enabled }),
    )?;
    let state = if enabled {
        "raises alerts"
    } else {
        "raises no alerts any more"
    };
    screen.done(&answer, &format!("{} {state}.", monitor.name))
}

fn firing(one: &Monitor) -> Cell {
    match (one.enabled, one.firing.len()) {
        (false, _) => Cell::toned("off", Tone::Faint),
        (true, 0) => Cell::toned("quiet", Tone::Good),
        (true, 1) => Cell::toned("firing", Tone::Bad),
        (true, count) => Cell::toned(format!("firing on {count}"), Tone::Bad),
    }
}

fn list(all: &[Monitor], look: &Look) -> String {
    let mut table = Table::new(&["NAME", "NOW", "SEVERITY", "PACK", "ID"]);
    for one in all {
        let pack = one
            .pack
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default();
        table.row([
            (&one.name).into(),
            firing(one),
            Cell::state(&one.severity),
            pack.into(),
            (&one.id).into(),
        ]);
    }
    table.draw(look, "There are no monitors.")
}

fn in_full(all: &[Monitor], look: &Look) -> String {
    let mut drawn = list(all, look);
    for one in all {
        drawn.push_str(&format!(
            "\n{}\n  {}\n  {}\n",
            one.name,
            one.description,
            look.toned(one.expr.as_str(), Tone::Faint)
        ));
    }
    drawn
}

#[cfg(test)]
mod tests {
    use super::super::api::Answer;
    use super::super::shape::List;
    use super::*;

    #[test]
    fn monitors_show_what_fires() {
        let given = r#"{"items":[
            {"id":"Q1","name":"Apache is down","severity":"critical","expr":"apache_parent_up == 0","enabled":true,
             "pack":"apache","description":"No process.","firing":[{"target":{"id":"Q9","name":"web"}}]},
            {"id":"Q2","name":"Slow","severity":"warning","enabled":false,"pack":null,"firing":[]}]}"#;
        let all: List<Monitor> = Answer::of(given).parsed().unwrap();
        let drawn = list(&all.items, &Look::of_test());
        let expected = [
            "NAME            NOW     SEVERITY  PACK    ID",
            "Apache is down  firing  critical  apache  Q1",
            "Slow            off     warning           Q2",
        ];
        assert_eq!(drawn.lines().collect::<Vec<_>>(), expected);
        assert!(
            in_full(&all.items, &Look::of_test())
                .contains("\nApache is down\n  No process.\n  apache_parent_up == 0\n")
        );
    }
}
