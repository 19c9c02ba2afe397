//! Reports of synthetic outages: their text, their length, their gates; pictures are written for eyes when asked.

mod rubric;

use proptest::prelude::*;
use tocsin_domain::learn::evidence::Evidence;
use tocsin_domain::learn::facts::{Facts, facts};
use tocsin_domain::learn::fixture::{BREAKS, Break, Scene};
use tocsin_report::{
    BRIEF_WORDS_MAX, BRIEF_WORDS_MIN, brief_html, brief_markdown, chain_svg, chart_svgs, full_html,
    full_markdown, waterfall_svg, words,
};

fn facts_of(scene: &Scene) -> Facts {
    facts(&scene.play().evidence)
}

fn nobody_paged() -> Scene {
    let mut scene = Scene::of(Break::External);
    (scene.paged, scene.acknowledged) = (false, false);
    scene
}

#[test]
fn the_brief_report_of_a_kill_reads_well() {
    insta::assert_snapshot!(brief_markdown(&facts_of(&Scene::of(Break::Kill))));
}

#[test]
fn the_brief_report_of_an_alert_from_outside_that_paged_nobody_reads_well() {
    insta::assert_snapshot!(brief_markdown(&facts_of(&nobody_paged())));
}

#[test]
fn every_kind_of_failure_passes_all_gates() {
    let mut scenes: Vec<Scene> = BREAKS.into_iter().map(Scene::of).collect();
    scenes.push(nobody_paged());
    for scene in scenes {
        let facts = facts_of(&scene);
        let text = brief_markdown(&facts);
        assert_eq!(
            rubric::violations(&facts, &text),
            [] as [String; 0],
            "{:?}\n{text}",
            scene.how
        );
    }
}

#[test]
fn a_report_with_one_changed_number_fails_the_gates() {
    let facts = facts_of(&Scene::of(Break::Kill));
    let text = brief_markdown(&facts);
    let body = text.find("## Evidence").unwrap();
    let (mut tried, mut caught) = (0, 0);
    let mut missed = Vec::new();
    for (at, digit) in text[..body]
        .char_indices()
        .filter(|(_, c)| c.is_ascii_digit())
    {
        let before = &text[..at];
        // Links, and names that hold digits, are not numbers.
        let word = before.rsplit([' ', ')', '\n']).next().unwrap_or_default();
        if word.contains("[\\[E") || word.contains("incident-") {
            continue;
        }
        let other = if digit == '9' {
            '3'
        } else {
            char::from(digit as u8 + 1)
        };
        let changed = format!("{before}{other}{}", &text[at + 1..]);
        tried += 1;
        if rubric::violations(&facts, &changed).is_empty() {
            missed.push(
                changed[at.saturating_sub(30)..]
                    .chars()
                    .take(40)
                    .collect::<String>(),
            );
        } else {
            caught += 1;
        }
    }
    assert!(
        caught * 100 >= tried * 95,
        "{caught} of {tried}: {missed:#?}"
    );
}

#[test]
fn the_same_evidence_gives_the_same_bytes_also_after_a_round_trip() {
    for how in BREAKS {
        let evidence = Scene::of(how).play().evidence;
        let again: Evidence =
            serde_json::from_str(&serde_json::to_string(&evidence).unwrap()).unwrap();
        let (one, two) = (facts(&evidence), facts(&again));
        let render = |facts: &Facts| {
            [
                brief_markdown(facts),
                full_markdown(facts),
                brief_html(facts),
                full_html(facts),
                chain_svg(facts),
                waterfall_svg(facts),
            ]
        };
        assert_eq!(render(&one), render(&one));
        assert_eq!(render(&one), render(&two));
    }
}

#[test]
fn hostile_text_is_never_markup_and_secrets_do_not_show() {
    let mut scene = Scene::of(Break::Kill);
    let hostile = "<script>alert(1)</script> [x](javascript:1) `a` **b** | c";
    scene.names = [hostile, hostile, "Eve <img src=x onerror=1>"].map(str::to_owned);
    scene.notes = vec![hostile.to_owned(), "password=hunter2".to_owned()];
    let facts = facts_of(&scene);
    let mut pages = vec![
        brief_html(&facts),
        full_html(&facts),
        chain_svg(&facts),
        waterfall_svg(&facts),
    ];
    pages.extend(chart_svgs(&facts).into_iter().map(|(_, svg)| svg));
    for page in pages {
        assert!(!page.contains("<script") && !page.contains("<img") && !page.contains("hunter2"));
    }
    for text in [brief_markdown(&facts), full_markdown(&facts)] {
        assert!(
            !text.contains("<script") && !text.contains("[x](") && !text.contains("hunter2"),
            "{text}"
        );
    }
}

#[test]
fn pictures_are_well_formed() {
    for how in BREAKS {
        let facts = facts_of(&Scene::of(how));
        for svg in [chain_svg(&facts), waterfall_svg(&facts)] {
            rubric::check_markup(&svg);
        }
        rubric::check_markup(&brief_html(&facts).replace("<!doctype html>", ""));
        rubric::check_markup(&full_html(&facts).replace("<!doctype html>", ""));
    }
}

/// Writes one file per report and picture for a person (or a browser) to look at: `TOCSIN_PREVIEW=DIR cargo test preview`.
#[test]
fn preview() {
    let Some(directory) = option_env!("TOCSIN_PREVIEW") else {
        return;
    };
    let mut scenes: Vec<(String, Scene)> = BREAKS
        .into_iter()
        .map(|how| (format!("{how:?}").to_lowercase(), Scene::of(how)))
        .collect();
    scenes.push(("nobody".to_owned(), nobody_paged()));
    let mut long = Scene::of(Break::Hang);
    long.names = [
        "frontend-webserver-with-a-very-long-name-01.eu-central.example.org",
        "Apache on frontend-webserver-with-a-very-long-name-01",
        "Maximiliane Wolfeschlegelsteinhausenbergerdorff the Younger",
    ]
    .map(str::to_owned);
    long.failed_attempts = 2;
    long.outage_ms = 400_000;
    long.notes = vec!["Continued the processes with SIGCONT.".to_owned()];
    scenes.push(("long".to_owned(), long));
    for (name, scene) in scenes {
        let facts = facts_of(&scene);
        for (kind, text) in [
            ("brief.html", brief_html(&facts)),
            ("full.html", full_html(&facts)),
            ("brief.md", brief_markdown(&facts)),
            ("full.md", full_markdown(&facts)),
            ("chain.svg", chain_svg(&facts)),
        ] {
            rubric::write(directory, &format!("{name}-{kind}"), &text);
        }
    }
}

fn any_text(length: std::ops::Range<usize>) -> impl Strategy<Value = String> {
    prop_oneof![
        proptest::collection::vec("[a-z]{1,12}", length.clone()).prop_map(|words| words.join(" ")),
        proptest::collection::vec(any::<char>(), length)
            .prop_map(|chars| chars.into_iter().collect()),
    ]
}

fn any_scene() -> impl Strategy<Value = Scene> {
    let shape = (
        0..BREAKS.len(),
        any::<u64>(),
        5_000..90_000_u64,
        1_000..400_000_u64,
        0..30_u32,
        0..40_u64,
    );
    let flags = (
        any::<bool>(),
        any::<bool>(),
        any::<bool>(),
        any::<bool>(),
        any::<bool>(),
    );
    let extras = (
        0..4_u32,
        proptest::collection::vec(any_text(0..60), 0..20),
        [any_text(1..30), any_text(1..30), any_text(1..30)],
        0..700_u32,
    );
    (shape, flags, extras).prop_map(|(shape, flags, extras)| {
        let (how, seed, before_ms, outage_ms, rate, users) = shape;
        let (access_log, paged, acknowledged, resolved, relapse) = flags;
        let (failed_attempts, notes, names, repeats) = extras;
        Scene {
            how: BREAKS[how],
            seed,
            before_ms,
            outage_ms,
            rate: f64::from(rate),
            users,
            access_log,
            paged,
            acknowledged,
            resolved,
            failed_attempts,
            notes,
            names,
            repeats,
            relapse,
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_plausible_evidence_gives_a_brief_report_of_the_right_length(scene in any_scene()) {
        let facts = facts_of(&scene);
        let text = brief_markdown(&facts);
        let count = words(&text);
        prop_assert!((BRIEF_WORDS_MIN..=BRIEF_WORDS_MAX).contains(&count), "{} words\n{}", count, text);
        let all = text.split_whitespace().count();
        prop_assert!(all <= BRIEF_WORDS_MAX, "{} pieces\n{}", all, text);
        let wrong = rubric::violations(&facts, &text);
        prop_assert!(wrong.is_empty(), "{:?}\n{}", wrong, text);
    }
}
