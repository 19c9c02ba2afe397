//! Texts that a provider takes and that come to nobody. Expected: word that one was lost has the person's next way used at once,
//! whether the provider gives it by itself or when it is asked, and nobody else's word has; where it says nothing at all, the next
//! way is used after a minute.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use super::Ended;
use super::phone_company::{PhoneCompany, Text};
use super::scene::{Ground, PAGE_LIMIT, Scene, level_of};
use crate::failure::{Because, Failure, Outcome, fail};
use crate::site::{add_method, add_user, call, use_in_order};

/// How others reach it: a provider is told no address of this machine.
const PUBLIC_URL: &str = "http://tocsin.example";
const NUMBER: &str = "+33123456789";
/// The way after the text.
const OTHER: &str = "/third-other";
const LEVEL: Duration = Duration::from_secs(3_600);
/// Without word, a text counts as lost after so long.
const RECEIPT_WAIT: Duration = Duration::from_secs(60);
/// Whatever should not come has so long to.
const QUIET: Duration = Duration::from_secs(1);
/// The clock of the machine may be corrected meanwhile.
const CORRECTION: Duration = Duration::from_secs(1);

/// A lost text is told of by the provider itself.
pub(super) fn play_told(ground: &mut Ground) -> Outcome<Ended> {
    let mut phones = Phones::set(ground)?;
    let mut slowest = Duration::ZERO;
    let lost = ["undelivered", "failed"];
    for state in lost {
        let (incident, text) = phones.alert()?;
        phones.tells(&text, "delivered", Some("somebody else's token"), 401)?;
        phones.tells(&text, "sent", None, 204)?;
        thread::sleep(QUIET);
        if phones.scene.pages(&incident, OTHER) > 0 {
            fail!("the next way was used before anybody said that the text was lost");
        }
        let told = Instant::now();
        phones.tells(&text, state, None, 204)?;
        // Said once more, as providers do, it changes nothing.
        phones.tells(&text, state, None, 204)?;
        phones.scene.page(&incident, OTHER, PAGE_LIMIT)?;
        slowest = slowest.max(told.elapsed());
        phones.scene.tells(&incident, state)?;
    }
    phones.end(lost.len())?;
    Ok(Ended::Held(format!(
        "{} and {} texts: the next way was used within {:.1} s, and a forged word did nothing",
        lost[0],
        lost[1],
        slowest.as_secs_f64()
    )))
}

/// What became of a text is told when the provider is asked, or never.
pub(super) fn play_silent(ground: &mut Ground) -> Outcome<Ended> {
    let mut phones = Phones::set(ground)?;
    phones.company.say("undelivered");
    let sent = Instant::now();
    let (asked_about, _) = phones.alert()?;
    phones.scene.page(&asked_about, OTHER, PAGE_LIMIT)?;
    let asked = sent.elapsed();
    phones.company.say("sent");
    let questions = phones.company.asked();
    let sent = Instant::now();
    let (silent, _) = phones.alert()?;
    let page = phones
        .scene
        .page(&silent, OTHER, RECEIPT_WAIT + PAGE_LIMIT)?;
    let took = page.at.saturating_duration_since(sent);
    if took + CORRECTION < RECEIPT_WAIT {
        fail!(
            "the next way was used after {:.1} s, when the text might still have come",
            took.as_secs_f64()
        );
    }
    let questions = phones.company.asked() - questions;
    phones.scene.tells(&silent, "nothing was heard")?;
    phones.end(2)?;
    Ok(Ended::Held(format!(
        "undelivered when asked: the next way after {:.1} s; {questions} questions and no word: after {:.1} s",
        asked.as_secs_f64(),
        took.as_secs_f64()
    )))
}

/// A Tocsin with somebody who gets a text at first, and something else when that is lost.
struct Phones {
    scene: Scene,
    company: PhoneCompany,
    service: String,
}

impl Phones {
    fn set(ground: &mut Ground) -> Outcome<Self> {
        let serve = ground.prepare_known_as(PUBLIC_URL)?;
        let scene = Scene::set(serve, LEVEL, &mut ground.janitor)?;
        let company = PhoneCompany::open()?;
        let mut line = scene.site.line()?;
        let account = company.account();
        call(&mut line, "PUT", "/channels/accounts/twilio", &account)?;
        let person = add_user(&mut line, "third")?;
        let phone = json!({"kind": "sms", "label": "phone", "address": NUMBER});
        let text = add_method(&mut line, &person, &phone, || {
            company.text(0, PAGE_LIMIT)?.code()
        })?;
        let other = scene.site.add_webhook(&mut line, &person, OTHER)?;
        use_in_order(&mut line, &person, &[text, other])?;
        let service = scene.add_service(&mut line, "Phone shop", &[level_of(&person, LEVEL)])?;
        Ok(Self {
            scene,
            company,
            service,
        })
    }

    /// Raises a critical alert, and waits for its text.
    fn alert(&mut self) -> Outcome<(String, Text)> {
        let seen = self.company.taken();
        let incident = self.scene.alert_of(&self.service)?;
        let text = self.company.text(seen, PAGE_LIMIT);
        let text = text
            .ok_or_else(|| Failure::new(format!("no text about incident {incident} was sent")))?;
        Ok((incident, text))
    }

    /// The provider says what became of a text, which must be answered so.
    fn tells(&self, text: &Text, state: &str, token: Option<&str>, expected: u16) -> Outcome<()> {
        let tocsin = self.scene.site.address;
        let status = self.company.tell(text, state, tocsin, token);
        let status = status.because(format!("saying \"{state}\""))?;
        if status != expected {
            fail!("word that a text is {state} was answered {status} and not {expected}");
        }
        Ok(())
    }

    /// Each of so many alerts came in one text and one message by the next way.
    fn end(mut self, alerts: usize) -> Outcome<()> {
        thread::sleep(QUIET);
        let texts = self.company.taken();
        // One more proved the number.
        if texts != alerts + 1 {
            fail!("{texts} texts were sent for {alerts} alerts and a code");
        }
        for incident in self.scene.accepted.values() {
            let found = self.scene.pages(incident, OTHER);
            if found != 1 {
                fail!("the next way was used {found} times for incident {incident}");
            }
        }
        self.scene.nothing_is_lost(1)?;
        self.scene.end()
    }
}
