//! Tables and lists of facts, aligned and cut to the screen. What stands in them is not known here.

use super::look::{Look, Tone, columns, fitted};
use super::plain::Plain;

/// Columns are not made narrower than this, so that ids stay whole.
const COLUMN_MIN: usize = 16;
/// Columns between two columns.
const GAP: usize = 2;

/// One field of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cell {
    text: String,
    tone: Tone,
}

impl Cell {
    /// The word of a state.
    pub(super) fn state(word: &Plain) -> Self {
        Self {
            text: word.to_string(),
            tone: Tone::of(word),
        }
    }

    pub(super) fn toned(text: impl Into<String>, tone: Tone) -> Self {
        Self {
            text: text.into(),
            tone,
        }
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self {
            text,
            tone: Tone::Plain,
        }
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl From<&Plain> for Cell {
    fn from(text: &Plain) -> Self {
        text.to_string().into()
    }
}

/// A table in the making.
pub(super) struct Table {
    head: Vec<&'static str>,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    pub(super) fn new(head: &[&'static str]) -> Self {
        Self {
            head: head.to_vec(),
            rows: Vec::new(),
        }
    }

    pub(super) fn row<const N: usize>(&mut self, cells: [Cell; N]) {
        self.rows.push(cells.into());
    }

    /// The table with a newline after each line; `empty` stands for one without rows.
    pub(super) fn draw(&self, look: &Look, empty: &str) -> String {
        if self.rows.is_empty() {
            return format!("{empty}\n");
        }
        let widths = self.widths(look.width);
        let head: Vec<Cell> = self
            .head
            .iter()
            .map(|name| Cell::toned(*name, Tone::Faint))
            .collect();
        let mut drawn = draw_row(&head, &widths, look);
        for row in &self.rows {
            drawn.push_str(&draw_row(row, &widths, look));
        }
        drawn
    }

    /// The width of each column: what it needs, and on a narrow screen the widest give way first.
    fn widths(&self, screen: Option<usize>) -> Vec<usize> {
        let mut widths: Vec<usize> = self.head.iter().map(|name| columns(name)).collect();
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = columns(&cell.text).max(*width);
            }
        }
        let Some(screen) = screen else { return widths };
        while widths.iter().sum::<usize>() + GAP * (widths.len() - 1) > screen {
            match widths
                .iter_mut()
                .filter(|width| **width > COLUMN_MIN)
                .max_by_key(|width| **width)
            {
                Some(widest) => *widest -= 1,
                None => break,
            }
        }
        widths
    }
}

fn draw_row(cells: &[Cell], widths: &[usize], look: &Look) -> String {
    let mut line = String::new();
    for (index, (cell, width)) in cells.iter().zip(widths).enumerate() {
        let text = fitted(&cell.text, *width);
        let padding = width - columns(&text).min(*width);
        line.push_str(&look.toned(&text, cell.tone));
        if index + 1 < cells.len() {
            line.push_str(&" ".repeat(padding + GAP));
        }
    }
    format!("{}\n", line.trim_end())
}

/// Facts under each other, their names aligned: `opened   today`.
pub(super) fn facts(facts: &[(&str, String)], look: &Look) -> String {
    let width = facts
        .iter()
        .map(|(name, _)| columns(name))
        .max()
        .unwrap_or(0);
    let mut drawn = String::new();
    for (name, value) in facts {
        let name = look.toned(&format!("{name:<width$}"), Tone::Faint);
        drawn.push_str(&format!("{name}  {value}\n"));
    }
    drawn
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new(&["NO", "TITLE", "STATE"]);
        table.row([
            "1".into(),
            "障害: the web server is down".into(),
            Cell::state(&Plain::new("failing")),
        ]);
        table.row(["20".into(), "slow".into(), "".into()]);
        table
    }

    fn check(width: Option<usize>, expected: &[&str]) {
        let drawn = table().draw(
            &Look {
                width,
                ..Look::of_test()
            },
            "nothing",
        );
        assert_eq!(drawn.lines().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn columns_are_aligned_by_what_they_take_on_the_screen() {
        check(
            None,
            &[
                "NO  TITLE                         STATE",
                "1   障害: the web server is down  failing",
                "20  slow",
            ],
        );
    }

    #[test]
    fn on_a_narrow_screen_the_widest_column_gives_way() {
        check(
            Some(36),
            &[
                "NO  TITLE                    STATE",
                "1   障害: the web server i…  failing",
                "20  slow",
            ],
        );
        check(
            Some(5),
            &[
                "NO  TITLE             STATE",
                "1   障害: the web s…  failing",
                "20  slow",
            ],
        );
    }

    #[test]
    fn a_table_without_rows_says_so() {
        assert_eq!(
            Table::new(&["A"]).draw(&Look::of_test(), "no incidents"),
            "no incidents\n"
        );
    }

    #[test]
    fn facts_are_aligned() {
        let drawn = facts(
            &[("opened", "today".to_owned()), ("by", "Ann".to_owned())],
            &Look::of_test(),
        );
        assert_eq!(drawn, "opened  today\nby      Ann\n");
    }
}
