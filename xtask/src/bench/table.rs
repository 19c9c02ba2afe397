//! The rows of the table, what each must reach, and how it is written as Markdown; it measures nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::system::Kind;

/// When a query is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum State {
    /// Right after the load: the newest samples are in memory.
    Loaded,
    /// After compaction, and for Tocsin after a restart: all comes from blocks.
    Compacted,
}

/// One row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Row {
    WriteCpu,
    BytesPerSample,
    MemoryFew,
    MemoryMore,
    MemoryMany,
    Query(char, State),
    RulesCpu,
    RulesEvaluation,
}

/// What Tocsin must reach in a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Must {
    AtMost(f64),
    /// Below VictoriaMetrics; this many times as much at the very most.
    BelowVictoria(f64),
    AtMostVictoria,
    AtMostTheBetter,
    /// Shown for comparison.
    Nothing,
}

impl Row {
    fn must(self) -> Must {
        match self {
            Self::WriteCpu => Must::AtMost(0.5),
            Self::BytesPerSample => Must::BelowVictoria(1.05),
            Self::MemoryFew => Must::AtMost(150.0),
            Self::MemoryMore => Must::AtMostVictoria,
            Self::MemoryMany => Must::AtMost(400.0),
            Self::Query('A', _) => Must::AtMost(25.0),
            Self::Query(_, _) => Must::AtMostTheBetter,
            Self::RulesCpu => Must::AtMost(40.0),
            Self::RulesEvaluation => Must::Nothing,
        }
    }

    fn digits(self) -> usize {
        match self {
            Self::WriteCpu | Self::BytesPerSample => 3,
            Self::MemoryFew | Self::MemoryMore | Self::MemoryMany => 0,
            Self::Query(_, _) | Self::RulesCpu | Self::RulesEvaluation => 1,
        }
    }
}

/// The verdict on a row that fails a run.
const NO: &str = "no";

/// A figure, and what else was seen with it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Cell {
    pub(crate) figure: f64,
    pub(crate) aside: Option<String>,
}

/// All figures of a run.
#[derive(Debug, Default)]
pub(crate) struct Table {
    cells: BTreeMap<(Row, Kind), Cell>,
    commands: BTreeMap<String, BTreeSet<(Row, Kind)>>,
    notes: Vec<String>,
}

impl Table {
    pub(crate) fn put(&mut self, row: Row, kind: Kind, figure: f64) {
        let cell = Cell {
            figure,
            aside: None,
        };
        self.cells.insert((row, kind), cell);
    }

    pub(crate) fn put_with(&mut self, row: Row, kind: Kind, figure: f64, aside: String) {
        let aside = Some(aside);
        self.cells.insert((row, kind), Cell { figure, aside });
    }

    /// Keeps how a figure was measured, without what differs from run to run.
    pub(crate) fn measured_by(&mut self, row: Row, kind: Kind, command: &str) {
        let rows = self.commands.entry(general(command)).or_default();
        rows.insert((row, kind));
    }

    pub(crate) fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    fn figure(&self, row: Row, kind: Kind) -> Option<f64> {
        self.cells.get(&(row, kind)).map(|cell| cell.figure)
    }

    /// The table, then the notes, then the command of each figure. `titles` names each row in words.
    pub(crate) fn markdown(&self, titles: impl Fn(Row) -> String, judged: bool) -> String {
        let mut text = String::from("| | ");
        for kind in Kind::ALL {
            text.push_str(&format!("{} | ", kind.name()));
        }
        text.push_str("Tocsin must | reached |\n|---|---|---|---|---|---|\n");
        let rows = self.rows();
        for row in &rows {
            let cells = Kind::ALL.map(|kind| self.cell_text(*row, kind)).join(" | ");
            let must = must_text(row.must());
            let reached = match judged {
                true => verdict(row.must(), |kind| self.figure(*row, kind)),
                false => "-",
            };
            let title = titles(*row);
            text.push_str(&format!("| {title} | {cells} | {must} | {reached} |\n"));
        }
        for note in &self.notes {
            text.push_str(&format!("\nNote: {note}\n"));
        }
        text.push_str("\nMeasured by:\n\n");
        for (command, figures) in &self.commands {
            let mut rows: Vec<Row> = figures.iter().map(|(row, _)| *row).collect();
            rows.dedup();
            let rows: Vec<String> = rows.into_iter().map(&titles).collect();
            let kinds = figures.iter().map(|(_, kind)| *kind);
            let kinds: BTreeSet<Kind> = kinds.collect();
            let kinds: Vec<&str> = kinds.into_iter().map(Kind::name).collect();
            let (rows, kinds) = (rows.join("; "), kinds.join(", "));
            text.push_str(&format!("- `{command}` ({kinds}): {rows}\n"));
        }
        text
    }

    /// The rows in which Tocsin does not reach what it must, by their titles.
    pub(crate) fn unreached(&self, titles: impl Fn(Row) -> String) -> Vec<String> {
        let rows = self.rows().into_iter();
        let unreached = rows.filter(|row| {
            let reached = verdict(row.must(), |kind| self.figure(*row, kind));
            reached == NO
        });
        unreached.map(titles).collect()
    }

    fn rows(&self) -> Vec<Row> {
        let mut rows: Vec<Row> = self.cells.keys().map(|(row, _)| *row).collect();
        rows.dedup();
        rows
    }

    fn cell_text(&self, row: Row, kind: Kind) -> String {
        let Some(cell) = self.cells.get(&(row, kind)) else {
            return "-".to_owned();
        };
        let figure = format!("{:.*}", row.digits(), cell.figure);
        match &cell.aside {
            Some(aside) => format!("{figure} ({aside})"),
            None => figure,
        }
    }
}

/// A command with placeholders for ports, processes and instants, which are others each time.
fn general(command: &str) -> String {
    let words = command.split(' ').map(|word| {
        let (name, value) = word.split_once('=').unwrap_or((word, ""));
        let after = if word.ends_with(';') { ";" } else { "" };
        match name {
            "--pid" => format!("--pid=PID{after}"),
            "--end" => format!("--end=END{after}"),
            "--url" | "--base" => {
                let path = value.splitn(4, '/').nth(3);
                let path = path.map(|path| format!("/{path}"));
                format!("{name}=http://127.0.0.1:PORT{}", path.unwrap_or_default())
            }
            _ => word.to_owned(),
        }
    });
    words.collect::<Vec<String>>().join(" ")
}

fn must_text(must: Must) -> String {
    match must {
        Must::AtMost(most) => format!("<= {most}"),
        Must::BelowVictoria(times) => {
            format!("below VictoriaMetrics; {times} times it at the very most")
        }
        Must::AtMostVictoria => "<= VictoriaMetrics".to_owned(),
        Must::AtMostTheBetter => "<= the better of the two".to_owned(),
        Must::Nothing => "-".to_owned(),
    }
}

/// Whether Tocsin reaches what it must; `-` when a figure that decides it is missing.
fn verdict(must: Must, figure: impl Fn(Kind) -> Option<f64>) -> &'static str {
    let Some(ours) = figure(Kind::Tocsin) else {
        return "-";
    };
    let victoria = figure(Kind::Victoria);
    let at_most = |most: Option<f64>| match most {
        Some(most) if ours <= most => "yes",
        Some(_) => NO,
        None => "-",
    };
    match must {
        Must::AtMost(most) => at_most(Some(most)),
        Must::AtMostVictoria => at_most(victoria),
        Must::AtMostTheBetter => match (figure(Kind::Prometheus), victoria) {
            (Some(one), Some(other)) => at_most(Some(one.min(other))),
            (_, _) => "-",
        },
        Must::BelowVictoria(times) => match victoria {
            Some(theirs) if ours < theirs => "yes",
            Some(theirs) if ours <= theirs * times => "nearly",
            Some(_) => NO,
            None => "-",
        },
        Must::Nothing => "-",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(must: Must, ours: f64, peers: Option<(f64, f64)>, expected: &str) {
        let figure = |kind: Kind| match kind {
            Kind::Tocsin => Some(ours),
            Kind::Prometheus => peers.map(|peers| peers.0),
            Kind::Victoria => peers.map(|peers| peers.1),
        };
        assert_eq!(verdict(must, figure), expected);
    }

    #[test]
    fn what_must_be_reached_is_judged_against_the_same_run() {
        check(Must::AtMost(0.5), 0.5, None, "yes");
        check(Must::AtMost(0.5), 0.501, None, "no");
        check(Must::BelowVictoria(1.05), 1.06, Some((2.9, 1.07)), "yes");
        check(Must::BelowVictoria(1.05), 1.07, Some((2.9, 1.07)), "nearly");
        check(Must::BelowVictoria(1.05), 1.13, Some((2.9, 1.07)), "no");
        check(Must::BelowVictoria(1.05), 1.0, None, "-");
        check(Must::AtMostVictoria, 179.0, Some((348.0, 179.0)), "yes");
        check(Must::AtMostTheBetter, 9.0, Some((9.0, 20.0)), "yes");
        check(Must::AtMostTheBetter, 9.0, Some((12.0, 7.0)), "no");
        check(Must::AtMostTheBetter, 9.0, None, "-");
        check(Must::Nothing, 9.0, Some((1.0, 1.0)), "-");
    }

    #[test]
    fn the_table_shows_rows_in_order_with_gaps_notes_and_commands() {
        let mut table = Table::default();
        let query = Row::Query('B', State::Compacted);
        table.put_with(query, Kind::Tocsin, 3.21, "4.5 wall".to_owned());
        table.put(Row::WriteCpu, Kind::Tocsin, 0.4444);
        table.put(Row::WriteCpu, Kind::Victoria, 0.96);
        for (kind, port) in [(Kind::Tocsin, 4_000), (Kind::Victoria, 5_000)] {
            let url = format!("http://127.0.0.1:{port}/api/v1/write");
            let command = format!("rw_load.py --url={url} --end=17 --pid={port}; VmRSS");
            table.measured_by(Row::WriteCpu, kind, &command);
        }
        table.note("half of it".to_owned());
        let text = table.markdown(|row| format!("{row:?}"), true);
        let expected = "\
| | Prometheus | VictoriaMetrics | Tocsin | Tocsin must | reached |
|---|---|---|---|---|---|
| WriteCpu | - | 0.960 | 0.444 | <= 0.5 | yes |
| Query('B', Compacted) | - | - | 3.2 (4.5 wall) | <= the better of the two | - |

Note: half of it

Measured by:

- `rw_load.py --url=http://127.0.0.1:PORT/api/v1/write --end=END --pid=PID; VmRSS` (VictoriaMetrics, Tocsin): WriteCpu
";
        assert_eq!(text, expected);
        let unjudged = table.markdown(|row| format!("{row:?}"), false);
        assert!(unjudged.contains("<= 0.5 | - |"), "{unjudged}");
    }

    #[test]
    fn what_misses_its_limit_is_told_by_its_title_and_what_comes_near_or_lacks_a_rival_is_not() {
        let mut table = Table::default();
        table.put(Row::WriteCpu, Kind::Tocsin, 0.51);
        table.put(Row::BytesPerSample, Kind::Tocsin, 1.1);
        table.put(Row::BytesPerSample, Kind::Victoria, 1.07);
        table.put(Row::MemoryFew, Kind::Tocsin, 150.0);
        table.put(Row::MemoryMore, Kind::Tocsin, 1_000.0);
        table.put(Row::RulesCpu, Kind::Tocsin, 41.0);
        let unreached = table.unreached(|row| format!("{row:?}"));
        assert_eq!(unreached, ["WriteCpu", "RulesCpu"]);
    }
}
