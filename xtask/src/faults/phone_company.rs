//! A provider of texts that speaks Twilio's API: it takes every text at once, and of what became of it says what it was told to say,
//! when it is asked or by itself with its signature. It does not know who sends.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha1::Sha1;

use crate::failure::{Because, Outcome, fail};
use crate::http::client::{Ask, ask};
use crate::http::server::{Request, Response, serve};
use crate::processes::wait_until;

/// Its customer.
const ACCOUNT: &str = "AC0123456789abcdef0123456789abcdef";
/// What both sign with.
const TOKEN: &str = "the-token-of-a-drill";
/// What it calls a phone that cannot be reached.
const UNREACHABLE: u32 = 30_003;
/// How long an answer to its word may take.
const ANSWER_LIMIT: Duration = Duration::from_secs(30);
const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");

/// A text that it took.
#[derive(Clone, Debug)]
pub(super) struct Text {
    id: String,
    pub(super) body: String,
    /// Where it is to say what became of it, if it can.
    pub(super) callback: Option<String>,
}

impl Text {
    /// The code of a text that proves a number.
    pub(super) fn code(&self) -> Option<String> {
        let mut lines = self.body.lines();
        lines.find_map(|line| line.strip_prefix("Code: ").map(str::to_owned))
    }
}

#[derive(Default)]
struct Books {
    texts: Vec<Text>,
    /// What it says when it is asked of any text.
    state: String,
    /// How often it was asked.
    asked: usize,
}

/// The provider.
pub(super) struct PhoneCompany {
    address: SocketAddr,
    books: Arc<Mutex<Books>>,
}

impl PhoneCompany {
    /// Opens on a free loopback port until the process ends.
    pub(super) fn open() -> Outcome<Self> {
        let books = Arc::new(Mutex::new(Books {
            state: "sent".to_owned(),
            ..Books::default()
        }));
        let written = Arc::clone(&books);
        let address = serve(move |request| answer(&request, &mut lock(&written)));
        Ok(Self {
            address: address.because("starting the provider of texts")?,
            books,
        })
    }

    /// The account at it, as Tocsin is told of it.
    pub(super) fn account(&self) -> Value {
        json!({"base_url": format!("http://{}", self.address), "account_id": ACCOUNT, "from": "+15005550006", "token": TOKEN})
    }

    /// From now on it says this of every text when it is asked.
    pub(super) fn say(&self, state: &str) {
        state.clone_into(&mut lock(&self.books).state);
    }

    pub(super) fn asked(&self) -> usize {
        lock(&self.books).asked
    }

    /// How many texts it took.
    pub(super) fn taken(&self) -> usize {
        lock(&self.books).texts.len()
    }

    /// The first text after `seen`; none when the time is over.
    pub(super) fn text(&self, seen: usize, limit: Duration) -> Option<Text> {
        wait_until(limit, || self.taken() > seen);
        lock(&self.books).texts.get(seen).cloned()
    }

    /// Says by itself what became of a text, at the callback that it was given, which is found at `tocsin`; gives back the status of
    /// the answer. `token`: what it signs with, when that is not the right one.
    pub(super) fn tell(
        &self,
        text: &Text,
        state: &str,
        tocsin: SocketAddr,
        token: Option<&str>,
    ) -> Outcome<u16> {
        let Some(callback) = &text.callback else {
            fail!("a text came without an address to tell what became of it")
        };
        let Some(path) = path_of(callback) else {
            fail!("{callback} is no address to tell anything at")
        };
        let code = UNREACHABLE.to_string();
        let fields = [
            ("ErrorCode", code.as_str()),
            ("MessageSid", text.id.as_str()),
            ("MessageStatus", state),
        ];
        let signature = signature(token.unwrap_or(TOKEN), callback, &fields);
        // None of the values has a letter that would have to be written otherwise.
        let body = fields
            .map(|(name, value)| format!("{name}={value}"))
            .join("&");
        let headers = [FORM, ("X-Twilio-Signature", signature.as_str())];
        let question = Ask {
            method: "POST",
            path,
            headers: &headers,
            body: body.as_bytes(),
            limit: ANSWER_LIMIT,
        };
        let answer = ask(tocsin, question).because("telling what became of a text")?;
        Ok(answer.status)
    }
}

fn lock(books: &Mutex<Books>) -> MutexGuard<'_, Books> {
    books.lock().unwrap_or_else(PoisonError::into_inner)
}

fn answer(request: &Request, books: &mut Books) -> Response {
    let said = |status, value: Value| {
        Response::new(status, value.to_string()).with("Content-Type", "application/json")
    };
    if request.method == "GET" {
        books.asked += 1;
        let code = (books.state == "undelivered").then_some(UNREACHABLE);
        let state = json!({"status": books.state, "error_code": code, "error_message": null});
        return said(200, state);
    }
    let fields = fields_of(&request.body);
    let field = |name: &str| {
        let mut fields = fields.iter();
        fields.find_map(|(known, value)| (known == name).then(|| value.clone()))
    };
    let text = Text {
        id: format!("SM{:032}", books.texts.len()),
        body: field("Body").unwrap_or_default(),
        callback: field("StatusCallback"),
    };
    let taken = json!({"sid": text.id, "status": "queued"});
    books.texts.push(text);
    said(201, taken)
}

/// The path of an address, from its slash on.
fn path_of(address: &str) -> Option<&str> {
    let (_, rest) = address.split_once("://")?;
    rest.find('/').map(|at| &rest[at..])
}

/// The fields of a form.
fn fields_of(form: &[u8]) -> Vec<(String, String)> {
    let form = String::from_utf8_lossy(form);
    let pairs = form.split('&').filter_map(|pair| pair.split_once('='));
    pairs
        .map(|(name, value)| (decoded(name), decoded(value)))
        .collect()
}

/// Text out of a form: `+` is a space, `%0A` the byte of that number.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, more)) = rest.split_first() {
        let code = more.get(..2).and_then(|two| str::from_utf8(two).ok());
        let code = code.and_then(|two| u8::from_str_radix(two, 16).ok());
        match (first, code) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &more[2..];
            }
            (b'+', _) => {
                bytes.push(b' ');
                rest = more;
            }
            (other, _) => {
                bytes.push(*other);
                rest = more;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// What proves that a request comes from the provider: over the address and the fields in their order.
fn signature(token: &str, url: &str, fields: &[(&str, &str)]) -> String {
    // HMAC takes keys of every length, so the error cannot happen.
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(token.as_bytes()) else {
        return String::new();
    };
    mac.update(url.as_bytes());
    let mut sorted = fields.to_vec();
    sorted.sort_unstable();
    for (name, value) in sorted {
        mac.update(name.as_bytes());
        mac.update(value.as_bytes());
    }
    base64(&mac.finalize().into_bytes())
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let byte = |place: usize| usize::from(three.get(place).copied().unwrap_or_default());
        let bits = (byte(0) << 16) | (byte(1) << 8) | byte(2);
        for place in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * place)) & 63];
            // So many bytes make one letter more, and the rest is filled up.
            text.push(if place > three.len() {
                '='
            } else {
                char::from(letter)
            });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_the_one_that_twilio_makes() {
        // The example of Twilio's own libraries.
        let fields = [
            ("To", "+18005551212"),
            ("CallSid", "CA1234567890ABCDE"),
            ("From", "+12349013030"),
            ("Caller", "+12349013030"),
            ("Digits", "1234"),
        ];
        let url = "https://mycompany.com/myapp.php?foo=1&bar=2";
        let signature = signature("12345", url, &fields);
        assert_eq!(signature, "0/KCTR6DLpKmkAf8muzZqo1nDgQ=");
    }

    #[test]
    fn bytes_of_every_length_are_written_in_base64() {
        for (bytes, text) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v")] {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
    }

    #[test]
    fn a_text_is_read_from_the_form_that_brings_it() {
        let form = b"To=%2B33123456789&Body=Confirm+this%0ACode%3A+123456&StatusCallback=http%3A%2F%2Fa.example%2Fx";
        let mut books = Books::default();
        let request = Request {
            method: "POST".to_owned(),
            path: String::new(),
            headers: crate::http::Headers::default(),
            body: form.to_vec(),
        };
        assert_eq!(answer(&request, &mut books).status, 201);
        let text = &books.texts[0];
        assert_eq!(text.code().as_deref(), Some("123456"));
        assert_eq!(text.callback.as_deref(), Some("http://a.example/x"));
        assert_eq!(path_of("http://a.example/x?y"), Some("/x?y"));
        assert_eq!(decoded("50%-1"), "50%-1");
    }
}
