//! What is said in a call and which keys are listened for, in TwiML. Text from outside is escaped and only ever spoken.

use crate::markup::escape;
use crate::page_message::{Kind, PageMessage, one_line};

/// Characters of a title that are spoken.
const TITLE_CHARS_MAX: usize = 160;
/// Characters at most that say where it fails.
const PLACE_CHARS_MAX: usize = 60;
/// Seconds that a key is waited for.
const KEY_WAIT_S: u32 = 10;
/// Bytes of what is sent along with a call: Twilio takes 4,000 characters (else error 32018), and whichever way it counts those, they
/// are no more than the bytes.
const SENT_BYTES_MAX: usize = 4_000;

/// What is said to who picks up, in a form that is sent along with the call. With `action`, keys are listened for and sent there;
/// without, or with one that leaves no room for the words, nothing can be pressed.
#[must_use]
pub fn announcement(message: &PageMessage, action: Option<&str>) -> String {
    let words = words(message);
    let action = action.filter(|_| message.kind == Kind::Page);
    let asked = action.map(|action| question(&words, action, message.others > 0));
    let asked = asked.filter(|text| text.len() <= SENT_BYTES_MAX);
    asked.unwrap_or_else(|| {
        let said = format!("<Say>{}</Say>", escape(&words));
        document(&format!("{said}<Pause length=\"1\"/>{said}"))
    })
}

/// Words, and the keys that answer them: what is pressed is sent to `action`. Several incidents are not resolved by one key.
#[must_use]
pub fn question(words: &str, action: &str, is_about_several: bool) -> String {
    let keys = if is_about_several {
        "Press 4 to acknowledge all of it."
    } else {
        "Press 4 to acknowledge, 6 to resolve."
    };
    let said = format!("<Say>{} {keys}</Say>", escape(words));
    // Said twice: the first time, nobody is quite awake. At the end nobody is asked how it stands by then, so nothing is said of that.
    document(&format!(
        "<Gather input=\"dtmf\" numDigits=\"1\" timeout=\"{KEY_WAIT_S}\" method=\"POST\" action=\"{}\">{said}\
         <Pause length=\"2\"/>{said}</Gather><Say>Nothing was pressed, so nothing was done.</Say>",
        escape(action)
    ))
}

/// One sentence, and the end of the call.
#[must_use]
pub fn farewell(sentence: &str) -> String {
    document(&format!("<Say>{}</Say><Hangup/>", escape(sentence)))
}

/// A text message as the answer to one.
#[must_use]
pub fn text_answer(text: &str) -> String {
    document(&format!("<Message>{}</Message>", escape(text)))
}

/// What a message says in a call.
#[must_use]
pub fn words(message: &PageMessage) -> String {
    let title = message.title_within(TITLE_CHARS_MAX);
    let place = message.place_beside_title();
    let place = place.map_or_else(String::new, |place| {
        format!(", on {}", one_line(place, PLACE_CHARS_MAX))
    });
    let title = format!("{title}{place}");
    let number = message.incident_number;
    let number = number
        .map(|number| format!(" {number}"))
        .unwrap_or_default();
    match message.kind {
        Kind::Page => format!("This is Tocsin with page{number}. {title}."),
        Kind::Resolved => format!("This is Tocsin. Incident{number} is over. {title}."),
        Kind::Acknowledged => format!("This is Tocsin. Incident{number} was taken. {title}."),
        Kind::Test | Kind::Handoff => format!("This is Tocsin. {title}."),
        Kind::Verification => {
            // Digits one by one, or they are read as one large number.
            let code = message.verification_code.as_deref().unwrap_or_default();
            let digits: Vec<String> = code.chars().take(20).map(String::from).collect();
            format!("This is Tocsin. Your code is: {}.", digits.join(", "))
        }
    }
}

fn document(inside: &str) -> String {
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response>{inside}</Response>")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page_message::tests::hostile_page;

    /// Whether XML 1.0 may hold it: its production `Char`.
    fn is_xml(symbol: char) -> bool {
        matches!(symbol, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..='\u{10ffff}')
    }

    #[test]
    fn a_page_is_spoken_and_keys_are_listened_for() {
        let mut page = hostile_page();
        page.title = "x</Say><Hangup/>&\u{1} is down".to_owned();
        let text = announcement(
            &page,
            Some("https://tocsin.example.org/twilio/voice/a\"b?c&d"),
        );
        assert!(
            text.contains(
                "with page 7. x&lt;/Say&gt;&lt;Hangup/&gt;&amp;  is down, on webserver-01."
            ),
            "{text}"
        );
        assert!(
            text.contains("action=\"https://tocsin.example.org/twilio/voice/a&quot;b?c&amp;d\"")
        );
        assert!(text.contains("Press 4 to acknowledge"));
        assert!(text.chars().all(is_xml), "{text:?}");
        page.others = 1;
        let text = announcement(&page, Some("https://tocsin.example.org/twilio/voice/a"));
        assert!(text.contains(
            "(and 1 more incident), on webserver-01. Press 4 to acknowledge all of it.<"
        ));
        let text = announcement(&hostile_page(), None);
        assert!(text.contains("&lt;/script&gt;  is down ."), "{text:?}");
        assert!(text.chars().all(is_xml), "{text:?}");
    }

    #[test]
    fn where_it_fails_is_spoken_where_the_title_does_not_say_it() {
        let mut page = hostile_page();
        page.title = "replication is late".to_owned();
        page.target = Some("db-1".to_owned());
        let text = announcement(&page, None);
        assert!(
            text.contains("page 7. replication is late, on db-1."),
            "{text}"
        );
    }

    #[test]
    fn what_goes_with_a_call_is_no_longer_than_is_taken() {
        let mut page = hostile_page();
        page.title = "\"".repeat(1_000);
        page.target = Some(format!("x{}", "\"".repeat(1_000)));
        let address = |chars: usize| format!("https://tocsin.example.org/{}", "x".repeat(chars));
        let text = announcement(&page, Some(&address(200)));
        assert!(text.contains("Press 4"), "{text}");
        assert!(text.len() <= SENT_BYTES_MAX, "{}", text.len());
        // It is said all the same.
        let text = announcement(&page, Some(&address(2_000)));
        assert!(
            text.contains("page 7.") && !text.contains("Gather"),
            "{text}"
        );
        assert!(text.len() <= SENT_BYTES_MAX, "{}", text.len());
    }

    #[test]
    fn a_code_is_spoken_digit_by_digit_and_nothing_can_be_pressed() {
        let mut page = hostile_page();
        page.kind = Kind::Verification;
        page.verification_code = Some("123456".to_owned());
        let text = announcement(&page, Some("https://x.example/"));
        assert!(text.contains("Your code is: 1, 2, 3, 4, 5, 6."), "{text}");
        assert!(!text.contains("Gather"));
    }

    #[test]
    fn short_answers_are_escaped() {
        assert!(farewell("a<b").contains("<Say>a&lt;b</Say><Hangup/>"));
        assert!(text_answer("a<b").contains("<Message>a&lt;b</Message>"));
        for text in [
            farewell("a\u{fffe}b\u{ffff}"),
            text_answer("a\u{fffe}b\u{ffff}"),
        ] {
            assert!(text.contains("a b "), "{text:?}");
            assert!(text.chars().all(is_xml), "{text:?}");
        }
    }
}
