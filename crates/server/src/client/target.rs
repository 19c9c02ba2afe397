//! `tocsin target …`: what is watched, and for how long nobody shall be paged about it.

use clap::{ArgGroup, Args, Subcommand};
use jiff::Span;
use serde::Deserialize;
use serde_json::{Value, json};
use tocsin_domain::intake::LabelMatcher;
use tocsin_wire::alertmanager::parse_matcher;

use super::api::Api;
use super::failure::Failure;
use super::given::{self, choose, end_of, instant, whole, wire};
use super::look::Look;
use super::plain::{Plain, lines};
use super::screen::Screen;
use super::shape::{Moment, Named, name_or};
use super::table::{Cell, Table};

/// What can be done with targets.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Verb {
    /// List what is watched and how it is
    List,
    /// Page nobody about a target for some time from now
    Mute {
        /// Its name or id
        target: String,
        /// How long: 45m, 2h, 1d
        #[arg(long = "for", value_name = "SPAN", value_parser = given::span)]
        span: Span,
        /// Why, for the record
        #[arg(long)]
        reason: Option<String>,
    },
    /// Page about a target again
    Unmute {
        /// Its name or id
        target: String,
    },
    /// Plan a time in which nobody is paged about a target, or about alerts with some labels, or cancel one
    Maintenance(Maintenance),
}

/// A planned time.
#[derive(Clone, Debug, Args)]
#[command(group(ArgGroup::new("what").required(true).args(["until", "span", "cancel"])))]
pub(crate) struct Maintenance {
    /// Its name or id; may be left out with --label, and to cancel what was planned so
    #[arg(required_unless_present_any = ["labels", "cancel"])]
    target: Option<String>,
    /// Whatever alert has this label, too: 'job=web', 'job!=web', 'job=~web.*', 'job!~web.*'; of several, each must hold
    #[arg(long = "label", value_name = "MATCHER", value_parser = parse_matcher, conflicts_with = "cancel")]
    labels: Vec<LabelMatcher>,
    /// When it begins: now, "2026-11-23 22:00" (your clock), 2026-11-23T22:00:00Z
    #[arg(long, default_value = "now", value_name = "TIME")]
    from: String,
    /// When it ends
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// How long it lasts: 45m, 2h, 1d
    #[arg(long = "for", id = "span", value_name = "SPAN", value_parser = given::span)]
    span: Option<Span>,
    /// What is done
    #[arg(long, default_value = "planned maintenance")]
    reason: String,
    /// Cancel the one with this id
    #[arg(long, value_name = "ID", value_parser = given::id)]
    cancel: Option<String>,
}

/// Something that is watched.
#[derive(Debug, Deserialize)]
pub(super) struct Target {
    pub(super) id: Plain,
    name: Plain,
    kind: Plain,
    state: Plain,
    #[serde(default)]
    config_path: Plain,
    #[serde(default)]
    mute: Option<Mute>,
    #[serde(default)]
    maintenance: Vec<Planned>,
    #[serde(default)]
    status_page: Option<StatusPage>,
    #[serde(default)]
    last_seen_at: Option<Moment>,
    #[serde(default)]
    service: Option<Named>,
}

#[derive(Debug, Deserialize)]
struct Mute {
    until: Moment,
}

#[derive(Debug, Deserialize)]
struct Planned {
    id: Plain,
    from: Moment,
    until: Moment,
    #[serde(default)]
    reason: Plain,
}

/// Planned work that was made.
#[derive(Debug, Deserialize)]
struct Made {
    id: Plain,
}

#[derive(Debug, Deserialize)]
struct StatusPage {
    ok: bool,
    #[serde(default)]
    reason: Option<Plain>,
    #[serde(default)]
    paste: Option<Paste>,
}

#[derive(Debug, Deserialize)]
struct Paste {
    how: Plain,
    snippet: String,
}

/// The target that a person names.
pub(super) fn named(api: &Api, given: &str) -> Result<Target, Failure> {
    let all: Vec<Target> = given::all(api, &["targets"])?;
    choose(
        all,
        "target",
        given,
        |one| &one.id,
        |one| vec![&one.name, &one.config_path],
    )
}

pub(super) fn run(verb: &Verb, api: &Api, screen: &Screen) -> Result<(), Failure> {
    match verb {
        Verb::List => screen.show_list(&api.get(&["targets"], &whole())?, list),
        Verb::Mute {
            target,
            span,
            reason,
        } => mute(api, screen, target, *span, reason.as_deref()),
        Verb::Unmute { target } => {
            let target = named(api, target)?;
            let answer = api.delete(&["targets", target.id.as_str(), "mute"])?;
            screen.done(&answer, &format!("{} pages again.", target.name))
        }
        Verb::Maintenance(planned) => maintenance(api, screen, planned),
    }
}

fn mute(
    api: &Api,
    screen: &Screen,
    target: &str,
    span: Span,
    reason: Option<&str>,
) -> Result<(), Failure> {
    let look = &screen.look;
    let until = end_of(span, look.now, look)?;
    let target = named(api, target)?;
    // Whole minutes, rather one too many than one too few.
    let minutes = (until.as_second() - look.now.as_second() + 59) / 60;
    let mut body = json!({ "minutes": minutes });
    if let Some(reason) = reason {
        body["reason"] = json!(reason);
    }
    let answer = api.post(&["targets", target.id.as_str(), "mute"], &body)?;
    screen.done(
        &answer,
        &format!(
            "Nobody is paged about {} until {}.",
            target.name,
            look.clock(until)
        ),
    )
}

fn maintenance(api: &Api, screen: &Screen, planned: &Maintenance) -> Result<(), Failure> {
    let target = planned.target.as_deref();
    let target = target.map(|given| named(api, given)).transpose()?;
    if let Some(id) = &planned.cancel {
        return cancel(api, screen, target.as_ref(), id);
    }
    let look = &screen.look;
    let from = instant(&planned.from, look)?;
    let until = match (&planned.until, planned.span) {
        (Some(until), _) => instant(until, look)?,
        (None, Some(span)) => end_of(span, from, look)?,
        (None, None) => {
            return Err(Failure::Usage(
                "say when it ends, by --until or --for".to_owned(),
            ));
        }
    };
    let when = format!("from {} until {}", look.clock(from), look.clock(until));
    if let (Some(target), []) = (&target, planned.labels.as_slice()) {
        let body = json!({ "from": wire(from), "until": wire(until), "reason": planned.reason });
        let answer = api.post(&["targets", target.id.as_str(), "maintenance"], &body)?;
        return screen.done(
            &answer,
            &format!("Nobody is paged about {} {when}.", target.name),
        );
    }
    let ids: Vec<&str> = target.iter().map(|target| target.id.as_str()).collect();
    let matchers: Vec<Value> = planned.labels.iter().map(matcher).collect();
    let body = json!({
        "from": wire(from),
        "matchers": matchers,
        "reason": planned.reason,
        "target_ids": ids,
        "until": wire(until),
    });
    let answer = api.post(&["maintenance-windows"], &body)?;
    let made: Made = answer.parsed()?;
    let labels: Vec<String> = planned.labels.iter().map(ToString::to_string).collect();
    let labels = Plain::new(&labels.join(" and "));
    let besides = target.map_or_else(String::new, |target| format!("{}, and about ", target.name));
    let sentence = format!(
        "Nobody is paged about {besides}alerts with {labels} {when}.\nCancel it by `tocsin target maintenance --cancel {}`.",
        made.id
    );
    screen.done(&answer, &sentence)
}

/// A condition on a label, as the API takes it.
fn matcher(given: &LabelMatcher) -> Value {
    json!({ "name": given.name, "operator": given.test.sign(), "value": given.value })
}

/// What was planned for a target is kept with it; what speaks of labels is not.
fn cancel(api: &Api, screen: &Screen, target: Option<&Target>, id: &str) -> Result<(), Failure> {
    let (answer, whose) = match target {
        Some(target) => (
            api.delete(&["targets", target.id.as_str(), "maintenance", id])?,
            format!("The maintenance of {}", target.name),
        ),
        None => (
            api.delete(&["maintenance-windows", id])?,
            "The planned work".to_owned(),
        ),
    };
    screen.done(&answer, &format!("{whose} is cancelled."))
}

fn list(all: &[Target], look: &Look) -> String {
    let mut table = Table::new(&[
        "NAME",
        "STATE",
        "KIND",
        "SERVICE",
        "LAST SEEN",
        "QUIET",
        "CONFIGURATION",
        "ID",
    ]);
    for one in all {
        table.row([
            (&one.name).into(),
            Cell::state(&one.state),
            (&one.kind).into(),
            name_or(one.service.as_ref(), "").into(),
            one.last_seen_at
                .map(|seen| look.moment(seen.0))
                .unwrap_or_default()
                .into(),
            quiet(one, look).into(),
            (&one.config_path).into(),
            (&one.id).into(),
        ]);
    }
    let mut drawn = table.draw(
        look,
        "Nothing is watched yet. Start Apache on this machine; Tocsin finds it by itself.",
    );
    for one in all {
        for planned in &one.maintenance {
            drawn.push_str(&format!(
                "\n{}: maintenance {} from {} until {}: {}\n",
                one.name,
                planned.id,
                look.clock(planned.from.0),
                look.clock(planned.until.0),
                planned.reason
            ));
        }
        if let Some(page) = one.status_page.as_ref().filter(|page| !page.ok) {
            let reason = page.reason.clone().unwrap_or_default();
            drawn.push_str(&format!(
                "\n{}: its status page cannot be read: {reason}\n",
                one.name
            ));
            // What is pasted stands from the first column on: a shell would not see the end of an indented text.
            if let Some(paste) = &page.paste {
                let (how, snippet) = (&paste.how, lines(&paste.snippet));
                drawn.push_str(&format!("To do: {how}\n\n{}\n", snippet.trim_end()));
            }
        }
    }
    drawn
}

fn quiet(one: &Target, look: &Look) -> String {
    let under_way = one
        .maintenance
        .iter()
        .find(|planned| planned.from.0 <= look.now && look.now < planned.until.0);
    match (&one.mute, under_way) {
        (Some(mute), _) => format!("muted, ends {}", look.moment(mute.until.0)),
        (None, Some(planned)) => format!("maintenance, ends {}", look.moment(planned.until.0)),
        (None, None) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::api::Answer;
    use super::super::shape::List;
    use super::*;

    #[test]
    fn targets_show_their_state_and_what_keeps_them_quiet() {
        let given = r#"{"items":[
            {"id":"Q1","name":"web\u001b[31m-01","kind":"apache","state":"healthy","config_path":"/etc/apache2/apache2.conf",
             "mute":{"until":"2026-11-23T08:15:58Z"},"maintenance":[],"status_page":{"ok":true,"reason":null},
             "last_seen_at":"2026-11-23T07:15:57Z","service":{"id":"Q2","name":"Web"},"listen":[]},
            {"id":"Q3","name":"web-02","kind":"apache","state":"unknown",
             "maintenance":[{"id":"QM","from":"2026-11-23T07:00:00Z","until":"2026-11-23T09:15:58Z","reason":"upgrade"}],
             "status_page":{"ok":false,"reason":"it answers with status 404",
               "paste":{"how":"paste this into a shell as root","snippet":"cat <<'END'\nSetHandler\u001b[2J\nEND\n"}}}]}"#;
        let list_of: List<Target> = Answer::of(given).parsed().unwrap();
        let drawn = list(&list_of.items, &Look::of_test());
        let expected = [
            concat!(
                "NAME       STATE    KIND    SERVICE  LAST SEEN                          ",
                "QUIET                                               CONFIGURATION              ID",
            ),
            concat!(
                "web[31m-01  healthy  apache  Web      1 s ago, 2026-11-23 08:15:57 CET  ",
                "muted, ends in 1 h, 2026-11-23 09:15:58 CET        /etc/apache2/apache2.conf  Q1",
            ),
        ];
        let words = |text: &str| {
            text.split_whitespace()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        for (line, expected) in drawn.lines().zip(expected) {
            assert_eq!(words(line), words(expected));
        }
        assert!(
            drawn.contains("maintenance, ends in 2 h, 2026-11-23 10:15:58 CET"),
            "{drawn}"
        );
        assert!(drawn.ends_with(
            "\nweb-02: maintenance QM from 2026-11-23 08:00:00 CET until 2026-11-23 10:15:58 CET: upgrade\n\
             \nweb-02: its status page cannot be read: it answers with status 404\n\
             To do: paste this into a shell as root\n\ncat <<'END'\nSetHandler[2J\nEND\n"
        ));
    }
}
