//! Titles, notes and reasons: something of them can be seen, and nothing in titles and notes turns the text around it. No alert is
//! refused for that.

use tocsin_domain::command::{
    AlertAsk, Ask, AskedSilence, Declared, IntakeAsk, Labelled, RespondAsk, RuleFired, WatchAsk,
};
use tocsin_domain::event::IncidentWhat;
use tocsin_domain::intake::When;
use tocsin_domain::monitor::Severity;
use tocsin_domain::oncall::Span;
use tocsin_domain::people::Urgency;
use tocsin_domain::text::NO_TITLE;

use crate::world::{World, sample};

/// Titles of which nothing can be seen.
const BLANK: [&str; 5] = [
    "\u{200b}",
    "\u{feff}\u{2060}",
    "\u{e0041}\u{e0042}",
    "\u{202e}",
    "\u{3164}",
];

fn declare(title: &str) -> RespondAsk {
    RespondAsk::Declare {
        title: title.to_owned(),
        service: None,
        urgency: Urgency::High,
        more: Box::new(Declared::default()),
    }
}

/// Something fails by each way in which a sender says so.
fn said(world: &World, title: &str) -> [AlertAsk; 3] {
    let (title, dedup_key) = (title.to_owned(), "db".to_owned());
    let triggered = AlertAsk::Trigger {
        service: None,
        integration: None,
        dedup_key: Some(dedup_key.clone()),
        severity: Severity::Critical,
        title: title.clone(),
        summary: String::new(),
        details: Vec::new(),
        sent_details: None,
        at: None,
    };
    let labelled = Labelled {
        service: None,
        integration: None,
        dedup_key: dedup_key.clone(),
        severity: Severity::Critical,
        title: title.clone(),
        summary: String::new(),
        details: Vec::new(),
        starts_at: world.now,
        ends_at: world.now.plus_ms(60_000),
    };
    let fired = RuleFired {
        group: "web".to_owned(),
        rule: "Down".to_owned(),
        service: None,
        target: None,
        dedup_key,
        severity: Severity::Critical,
        title,
        summary: String::new(),
        details: Vec::new(),
        at: world.now,
        evidence: vec![sample(world.now)],
    };
    [
        triggered,
        AlertAsk::Labelled(Box::new(labelled)),
        AlertAsk::RuleFired(Box::new(fired)),
    ]
}

#[test]
fn a_title_or_note_of_a_person_of_which_nothing_can_be_seen_is_refused() {
    let mut world = World::set_up();
    world.respond(declare("The shop is closed"));
    let incident = world.incident().id;
    for blank in BLANK {
        let text = blank.to_owned();
        let asks = [
            declare(blank),
            RespondAsk::SetTitle {
                incident,
                title: text.clone(),
            },
            RespondAsk::noted(incident, text.clone()),
            RespondAsk::Resolve {
                incident,
                note: Some(text),
            },
        ];
        for ask in asks {
            let refusal = world.refused(ask);
            assert!(refusal.contains("must not be empty"), "{refusal}");
        }
    }
}

#[test]
fn a_reason_a_comment_or_a_request_of_which_nothing_can_be_seen_is_refused() {
    let mut world = World::with_apache();
    world.crash();
    let (target, incident, ada) = (world.target(), world.incident().id, world.ada());
    let service = *world.state.services.keys().next().unwrap();
    let (from, until) = (world.now, world.now.plus_ms(60_000));
    let span = Span::new(from, until);
    for blank in BLANK.into_iter().chain(["\u{7}", "\u{0}\u{200b}"]) {
        let reason = || blank.to_owned();
        let mute = WatchAsk::Mute {
            target,
            until,
            reason: reason(),
        };
        let work = WatchAsk::PlanMaintenance {
            target,
            from,
            until,
            reason: reason(),
        };
        let window = IntakeAsk::SetWindow {
            id: None,
            reason: reason(),
            services: vec![service],
            targets: Vec::new(),
            when: When::Once { span },
            matchers: None,
        };
        let silence = AskedSilence {
            id: None,
            comment: reason(),
            created_by: "ada".to_owned(),
            matchers: Vec::new(),
            span,
        };
        let help = RespondAsk::RequestResponders {
            incident,
            people: vec![ada],
            policy: None,
            message: reason(),
        };
        let asks = [
            Ask::Watch(mute),
            Ask::Watch(work),
            Ask::Intake(window),
            Ask::Intake(IntakeAsk::SetSilence(Box::new(silence))),
            Ask::Respond(help),
        ];
        for ask in asks {
            let refusal = world.try_ask(ask).expect_err("it is refused").to_string();
            assert!(
                refusal.contains("must not be empty"),
                "{blank:?}: {refusal}"
            );
        }
    }
}

#[test]
fn what_turns_the_direction_of_text_is_left_out_of_titles_and_notes_of_people() {
    let mut world = World::set_up();
    world.respond(declare("\u{feff}The \u{202e}shop\u{2069} is closed"));
    assert_eq!(world.incident().title, "The shop is closed");
    let incident = world.incident().id;
    let title = "Shut\u{202d}".to_owned();
    world.respond(RespondAsk::SetTitle { incident, title });
    assert_eq!(world.incident().title, "Shut");
    let text = "two\n\u{2066}lines".to_owned();
    world.respond(RespondAsk::noted(incident, text));
    let noted = |what: &IncidentWhat| matches!(what, IncidentWhat::NoteAdded { text, .. } if text == "two\nlines");
    assert_eq!(world.count(noted), 1);
}

#[test]
fn no_alert_is_refused_for_what_cannot_be_seen_of_its_title() {
    let check = |title: &str, shown: &str| {
        for way in 0..3 {
            let mut world = World::set_up();
            let [first, second, third] = said(&world, title);
            let ask = match way {
                0 => first,
                1 => second,
                _ => third,
            };
            world.ask(Ask::Alert(ask));
            assert_eq!(world.incident().title, shown, "{title:?}");
        }
    };
    for blank in BLANK {
        check(blank, NO_TITLE);
    }
    check("disk\u{202e} full\u{2066}", "disk full");
    check("\u{feff}disk full", "disk full");
}
