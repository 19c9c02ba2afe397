//! A mail server that takes everything and delivers nothing, and writes down when each mail came; no TLS, no login.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use super::inbox::Inbox;

/// The longest line that is taken, in bytes.
const LINE_BYTES_MAX: u64 = 64 * 1024;
/// The longest mail that is taken, in bytes.
const MAIL_BYTES_MAX: usize = 1024 * 1024;

/// One mail as it came, headers and all.
#[derive(Clone, Debug)]
pub(crate) struct Mail {
    pub(crate) to: Vec<String>,
    pub(crate) text: String,
}

impl Mail {
    /// The subject as it stands in the header, unfolded, not decoded.
    pub(crate) fn subject(&self) -> String {
        let mut lines = self
            .text
            .lines()
            .skip_while(|line| !line.to_ascii_lowercase().starts_with("subject:"));
        let mut subject = lines
            .next()
            .unwrap_or_default()
            .get("subject:".len()..)
            .unwrap_or_default()
            .to_owned();
        for folded in lines.take_while(|line| line.starts_with([' ', '\t'])) {
            subject.push_str(folded);
        }
        subject.trim().to_owned()
    }
}

/// Listens on a free loopback port until the process ends.
pub(crate) fn start() -> io::Result<(SocketAddr, Inbox<Mail>)> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let address = listener.local_addr()?;
    let inbox = Inbox::new();
    let filled = inbox.clone();
    thread::Builder::new()
        .name("smtp accept".into())
        .spawn(move || {
            for stream in listener.incoming().flatten() {
                let inbox = filled.clone();
                // A connection that cannot get a thread is closed; the sender tries again.
                let _ = thread::Builder::new()
                    .stack_size(256 * 1024)
                    .spawn(move || converse(stream, &inbox));
            }
        })?;
    Ok((address, inbox))
}

fn converse(stream: TcpStream, inbox: &Inbox<Mail>) -> io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(300)))?;
    stream.set_nodelay(true)?;
    let mut writer = stream.try_clone()?;
    let mut reader = BufReader::new(stream);
    let mut session = Session::default();
    writer.write_all(b"220 sink.example.org ready\r\n")?;
    loop {
        let Some(line) = read_line(&mut reader)? else {
            return Ok(());
        };
        match session.hear(&line) {
            Reply::Say(text) => writer.write_all(format!("{text}\r\n").as_bytes())?,
            Reply::TakeMail => {
                writer.write_all(b"354 go on, end with a single dot\r\n")?;
                let Some(text) = read_mail(&mut reader)? else {
                    return Ok(());
                };
                inbox.put(Mail {
                    to: std::mem::take(&mut session.to),
                    text,
                });
                writer.write_all(b"250 taken\r\n")?;
            }
            Reply::Close => return writer.write_all(b"221 bye\r\n"),
        }
    }
}

/// What has been said of the mail that is coming.
#[derive(Default)]
struct Session {
    from: bool,
    to: Vec<String>,
}

#[derive(Debug, PartialEq)]
enum Reply {
    Say(&'static str),
    TakeMail,
    Close,
}

impl Session {
    fn hear(&mut self, line: &str) -> Reply {
        let upper = line.to_ascii_uppercase();
        let verb = upper.split(' ').next().unwrap_or_default();
        match verb {
            "EHLO" => Reply::Say("250-sink.example.org\r\n250-8BITMIME\r\n250 SMTPUTF8"),
            "HELO" | "NOOP" => Reply::Say("250 fine"),
            "RSET" => {
                *self = Self::default();
                Reply::Say("250 forgotten")
            }
            "MAIL" => {
                *self = Self {
                    from: true,
                    to: Vec::new(),
                };
                Reply::Say("250 sender noted")
            }
            "RCPT" if self.from => {
                self.to.push(address_in(line));
                Reply::Say("250 recipient noted")
            }
            "DATA" if !self.to.is_empty() => Reply::TakeMail,
            "RCPT" | "DATA" => Reply::Say("503 not in this order"),
            "QUIT" => Reply::Close,
            _ => Reply::Say("502 not known here"),
        }
    }
}

fn address_in(line: &str) -> String {
    let inside = line
        .split_once('<')
        .and_then(|(_, rest)| rest.split_once('>'));
    inside
        .map(|(address, _)| address)
        .unwrap_or_default()
        .to_owned()
}

fn read_line(reader: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut line = Vec::new();
    reader.take(LINE_BYTES_MAX).read_until(b'\n', &mut line)?;
    if !line.ends_with(b"\n") {
        return Ok(None);
    }
    Ok(Some(
        String::from_utf8_lossy(&line)
            .trim_end_matches(['\r', '\n'])
            .to_owned(),
    ))
}

/// Everything up to the line with the single dot; none when the connection ends or the mail is too long.
fn read_mail(reader: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut text = String::new();
    loop {
        let Some(line) = read_line(reader)? else {
            return Ok(None);
        };
        if line == "." {
            return Ok(Some(text));
        }
        text.push_str(line.strip_prefix('.').unwrap_or(&line));
        text.push('\n');
        if text.len() > MAIL_BYTES_MAX {
            return Ok(None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Says `lines` to a sink one answer at a time; gives back the first digits of each answer.
    fn say(address: SocketAddr, lines: &[&str]) -> Vec<String> {
        let stream = TcpStream::connect(address).unwrap();
        let mut writer = stream.try_clone().unwrap();
        let mut reader = BufReader::new(stream);
        let mut codes = Vec::new();
        let mut hear = || loop {
            let mut answer = String::new();
            reader.read_line(&mut answer).unwrap();
            if answer.get(3..4) != Some("-") {
                codes.push(answer[..3].to_owned());
                return;
            }
        };
        hear();
        for line in lines {
            writer.write_all(format!("{line}\r\n").as_bytes()).unwrap();
            hear();
        }
        codes
    }

    #[test]
    fn a_mail_is_kept_with_its_recipients_and_its_text() {
        let (address, inbox) = start().unwrap();
        let mail = "Subject: Down:\r\n webserver-01\r\n\r\nfirst\r\n..second\r\n.";
        let script = [
            "EHLO me",
            "MAIL FROM:<a@b>",
            "RCPT TO:<oncall@example.org>",
            "DATA",
            mail,
            "QUIT",
        ];
        assert_eq!(
            say(address, &script),
            ["220", "250", "250", "250", "354", "250", "221"]
        );
        let arrival = inbox.wait(0, Duration::from_secs(5)).unwrap();
        assert_eq!(arrival.item.to, ["oncall@example.org"]);
        assert_eq!(arrival.item.subject(), "Down: webserver-01");
        assert!(
            arrival.item.text.ends_with("\nfirst\n.second\n"),
            "{}",
            arrival.item.text
        );
    }

    #[test]
    fn what_comes_in_the_wrong_order_is_refused_and_the_talk_goes_on() {
        let (address, inbox) = start().unwrap();
        let script = [
            "DATA",
            "RCPT TO:<x@y>",
            "STARTTLS",
            "NOOP",
            "MAIL FROM:<a@b>",
            "DATA",
            "QUIT",
        ];
        assert_eq!(
            say(address, &script),
            ["220", "503", "503", "502", "250", "250", "503", "221"]
        );
        assert!(inbox.since(0).is_empty());
    }
}
