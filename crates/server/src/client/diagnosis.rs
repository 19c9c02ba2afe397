//! What `tocsin doctor` found, in words: each check, and what to do where it is not well. It looks at nothing itself.

use serde::Deserialize;

use super::api::{Answer, Api};
use super::failure::Failure;
use super::look::{Look, Tone, columns};
use super::plain::{Plain, lines};
use super::screen::Screen;

#[derive(Debug, Deserialize)]
struct Diagnosis {
    able_to_page: bool,
    checks: Vec<Check>,
}

#[derive(Debug, Deserialize)]
struct Check {
    name: Plain,
    state: Plain,
    #[serde(default)]
    detail: Plain,
    #[serde(default)]
    fix: Option<Plain>,
    #[serde(default)]
    snippet: Option<String>,
}

/// Asks a running server.
pub(super) fn of_server(api: &Api, screen: &Screen) -> Result<(), Failure> {
    show(&api.get(&["doctor"], &[])?, screen)
}

/// Shows a diagnosis; one with anything but good checks is a failure.
pub(super) fn show(answer: &Answer, screen: &Screen) -> Result<(), Failure> {
    screen.show(answer, draw)?;
    let diagnosis: Diagnosis = answer.parsed()?;
    let unwell = diagnosis
        .checks
        .iter()
        .filter(|check| check.state.as_str() != "ok")
        .count();
    match (diagnosis.able_to_page, unwell) {
        (true, 0) => Ok(()),
        (false, _) => Err(Failure::Refused(
            "no page would reach anybody now; see above what to do".to_owned(),
        )),
        (true, 1) => Err(Failure::Refused("one check needs a look".to_owned())),
        (true, count) => Err(Failure::Refused(format!("{count} checks need a look"))),
    }
}

fn draw(diagnosis: &Diagnosis, look: &Look) -> String {
    let widest = |text: fn(&Check) -> &Plain| {
        diagnosis
            .checks
            .iter()
            .map(|check| columns(text(check).as_str()))
            .max()
            .unwrap_or(0)
    };
    let (state_width, name_width) = (widest(|check| &check.state), widest(|check| &check.name));
    let mut drawn = String::new();
    for check in &diagnosis.checks {
        let state = look.toned(&padded(&check.state, state_width), Tone::of(&check.state));
        drawn.push_str(&format!(
            "{state}  {}  {}\n",
            padded(&check.name, name_width),
            check.detail
        ));
        if let Some(fix) = check.fix.as_ref().filter(|fix| !fix.as_str().is_empty()) {
            drawn.push_str(&format!(
                "{}To do: {fix}\n",
                " ".repeat(state_width + name_width + 4)
            ));
        }
        // What is pasted stands by itself, from the first column on, so that no space is copied with it.
        if let Some(snippet) = &check.snippet {
            drawn.push_str(&format!("\n{}\n\n", lines(snippet).trim_end()));
        }
    }
    let (sentence, tone) = if diagnosis.able_to_page {
        ("Tocsin is able to page.", Tone::Good)
    } else {
        ("Tocsin is NOT able to page.", Tone::Bad)
    };
    drawn.push_str(&format!("\n{}\n", look.toned(sentence, tone)));
    drawn
}

fn padded(text: &Plain, width: usize) -> String {
    format!(
        "{text}{}",
        " ".repeat(width.saturating_sub(columns(text.as_str())))
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(able: bool, checks: &str) -> Answer {
        Answer::of(&format!(r#"{{"able_to_page":{able},"checks":[{checks}]}}"#))
    }

    const GOOD: &str =
        r#"{"name":"journal","state":"ok","detail":"the last commit is on disk","fix":null}"#;
    const BAD: &str = r#"{"name":"mail server","state":"fail","detail":"refused\u001b[2J","fix":"look at the mail server"}"#;

    #[test]
    fn each_check_is_shown_with_what_to_do() {
        let diagnosis = answer(false, &format!("{GOOD},{BAD}")).parsed().unwrap();
        let expected = "\
ok    journal      the last commit is on disk
fail  mail server  refused[2J
                   To do: look at the mail server

Tocsin is NOT able to page.
";
        assert_eq!(draw(&diagnosis, &Look::of_test()), expected);
    }

    #[test]
    fn what_is_to_be_pasted_stands_alone_from_the_first_column_on() {
        let check = r#"{"name":"status page","state":"warn","detail":"404","fix":"paste this","snippet":"cat <<'END'\nx\nEND\n"}"#;
        let drawn = draw(&answer(true, check).parsed().unwrap(), &Look::of_test());
        assert!(
            drawn.contains("To do: paste this\n\ncat <<'END'\nx\nEND\n\n"),
            "{drawn}"
        );
    }

    #[test]
    fn only_a_clean_bill_is_a_success() {
        let (screen, ..) = super::super::screen::capture::screen(false);
        let check = |able, checks: &str| {
            show(&answer(able, checks), &screen).map_err(|failure| failure.code())
        };
        assert_eq!(check(true, GOOD), Ok(()));
        assert_eq!(check(true, &BAD.replace("fail", "warn")), Err(1));
        assert_eq!(check(false, BAD), Err(1));
    }
}
