//! The server's side of SMTP (RFC 5321), as far as it takes mail for its own addresses: bytes in, steps out. It has no socket,
//! no clock and no notion of what an address means.
//!
//! It relays nothing and offers no sign-in. The line of a command ends with CR LF and nothing else. In a mail LF alone ends a line too,
//! since programs write mails so (Python's `EmailMessage.as_bytes`); the mail ends with nothing but CR LF, a dot and CR LF, since what
//! some read as two mails others must not read as one. What comes in the clear behind STARTTLS ends the connection.

mod command;
mod lines;

use command::Command;
use lines::{Line, Lines};

/// Bytes of a mail.
pub const MAIL_BYTES_MAX: usize = crate::inbound_mail::MAIL_BYTES_MAX;
/// Lines of a mail.
const MAIL_LINES_MAX: usize = 50_000;
/// Recipients of one mail.
const RECIPIENTS_MAX: usize = 20;
/// Mails of one connection.
const MAILS_MAX: usize = 50;
/// Commands of one connection.
const COMMANDS_MAX: usize = 500;
/// Commands that are wrong, and recipients that nobody knows, of one connection.
const FAULTS_MAX: usize = 10;
/// Bytes of the line of a command.
const COMMAND_BYTES_MAX: usize = 1_024;
/// Bytes of a line of a mail that are taken at once. Others refuse lines of more than 1,000, but programs do not keep to it: a longer one
/// is taken in pieces.
const MAIL_PIECE_BYTES_MAX: usize = 16 * 1_024;
/// The end of a line.
const END: &[u8] = b"\r\n";

/// What is to be done next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Send this.
    Reply(String),
    /// Send this, and speak TLS from then on; [`Session::secured`] when it is spoken.
    StartTls(String),
    /// Say with [`Session::recipient`] whether there is such an address here.
    Recipient(String),
    /// Say with [`Session::delivered`] what became of this mail.
    Mail(Incoming),
    /// Send this, and end the connection.
    Close(String),
}

/// A whole mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incoming {
    /// What stood before the `@` of each recipient that is known here.
    pub recipients: Vec<String>,
    /// The mail, with CR LF as the ends of its lines, also of those that came with LF alone.
    pub bytes: Vec<u8>,
}

/// What became of a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivered {
    /// It is on disk.
    Kept,
    /// Some of it is on disk, and the rest will never be taken.
    KeptInPart,
    /// It is to be sent again later; what was kept of it already is not kept twice.
    Later,
    /// It will never be taken.
    Refused,
}

/// Where a connection stands with TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// There is no certificate.
    Impossible,
    /// It is offered.
    Offered,
    /// It is spoken.
    Spoken,
}

#[derive(Debug)]
enum Phase {
    /// Commands come.
    Commands,
    /// The lines of a mail come.
    Data(Data),
    /// The caller is asked for a recipient.
    Asked(String),
    /// The caller is asked for a mail.
    Delivering,
    /// The caller is told to speak TLS.
    Securing,
    /// It is over.
    Closed,
}

#[derive(Debug, Default)]
struct Data {
    bytes: Vec<u8>,
    lines: usize,
    /// Whether the line before ended with LF alone: a dot after it ends no mail.
    after_bare: bool,
    /// Whether what comes is the rest of a line of which a piece was taken: a dot at its begin is one like others.
    goes_on: bool,
    too_large: bool,
}

/// One connection.
#[derive(Debug)]
pub struct Session {
    host: String,
    domain: String,
    security: Security,
    lines: Lines,
    phase: Phase,
    greeted: bool,
    /// The sender of the mail that is being sent; empty for one that nobody sent.
    sender: Option<String>,
    recipients: Vec<String>,
    commands: usize,
    faults: usize,
    mails: usize,
}

impl Session {
    /// A connection that begins; `host` is this server's name, `domain` the one it takes mail for.
    #[must_use]
    pub fn new(host: &str, domain: &str, security: Security) -> Self {
        Self {
            host: host.to_owned(),
            domain: domain.to_owned(),
            security,
            lines: Lines::default(),
            phase: Phase::Commands,
            greeted: false,
            sender: None,
            recipients: Vec::new(),
            commands: 0,
            faults: 0,
            mails: 0,
        }
    }

    /// The first line.
    #[must_use]
    pub fn greeting(&self) -> String {
        format!("220 {} ESMTP Tocsin takes alerts by mail\r\n", self.host)
    }

    /// Takes bytes that came. The caller gives no more before [`Session::step`] has nothing to do, so that memory is bounded.
    pub fn push(&mut self, bytes: &[u8]) {
        self.lines.push(bytes);
    }

    /// What is to be done next; nothing until more bytes come or an answer of the caller.
    pub fn step(&mut self) -> Option<Step> {
        loop {
            let limit = match self.phase {
                Phase::Commands => COMMAND_BYTES_MAX,
                Phase::Data(_) => MAIL_PIECE_BYTES_MAX,
                Phase::Asked(_) | Phase::Delivering | Phase::Securing | Phase::Closed => {
                    return None;
                }
            };
            let line = self.lines.next(limit)?;
            let step = match &mut self.phase {
                Phase::Data(data) => {
                    if take_line(data, &line) {
                        Some(self.mail_ended())
                    } else {
                        None
                    }
                }
                Phase::Commands
                | Phase::Asked(_)
                | Phase::Delivering
                | Phase::Securing
                | Phase::Closed => Some(match line {
                    Line::Whole(line) => self.command(&line),
                    Line::Part(_) => self.close("500 5.5.2 the line is too long"),
                }),
            };
            if step.is_some() {
                return step;
            }
        }
    }

    /// Whether there is such a recipient.
    pub fn recipient(&mut self, is_known: bool) -> Step {
        let phase = std::mem::replace(&mut self.phase, Phase::Commands);
        let Phase::Asked(recipient) = phase else {
            return self.close("451 4.3.0 this is a mistake of this server");
        };
        if !is_known {
            return self.fault("550 5.1.1 there is no such address here");
        }
        if !self.recipients.contains(&recipient) {
            self.recipients.push(recipient);
        }
        reply("250 2.1.5 ok")
    }

    /// What became of the mail.
    pub fn delivered(&mut self, what: Delivered) -> Step {
        self.phase = Phase::Commands;
        match what {
            Delivered::Kept => reply("250 2.0.0 it is on disk"),
            Delivered::KeptInPart => {
                reply("250 2.0.0 what can be taken of it is on disk, the rest was refused")
            }
            Delivered::Later => reply("451 4.3.0 not all of it was kept; send it again later"),
            Delivered::Refused => reply("550 5.7.1 it was not kept, and will not be"),
        }
    }

    /// TLS is spoken: what was said before counts for nothing.
    pub fn secured(&mut self) {
        self.phase = Phase::Commands;
        self.security = Security::Spoken;
        self.greeted = false;
        self.forget();
    }

    /// The words for a connection that has been silent for too long, or too long in all.
    #[must_use]
    pub fn timeout() -> String {
        "421 4.4.2 this takes too long\r\n".to_owned()
    }

    /// The words for a connection that is one too many.
    #[must_use]
    pub fn busy() -> String {
        "421 4.3.2 too many connections; try again later\r\n".to_owned()
    }

    fn forget(&mut self) {
        self.sender = None;
        self.recipients.clear();
    }

    fn close(&mut self, line: &str) -> Step {
        self.phase = Phase::Closed;
        Step::Close(format!("{line}\r\n"))
    }

    /// A refusal; whoever needs too many is sent away.
    fn fault(&mut self, line: &str) -> Step {
        self.faults += 1;
        if self.faults > FAULTS_MAX {
            return self.close("421 4.7.0 too many mistakes");
        }
        reply(line)
    }

    fn command(&mut self, line: &[u8]) -> Step {
        if !line.ends_with(END) {
            return self.close("521 5.5.2 lines end with CR LF");
        }
        self.commands += 1;
        if self.commands > COMMANDS_MAX {
            return self.close("421 4.7.0 too many commands");
        }
        match Command::read(line) {
            Ok(command) => self.obey(command),
            Err(why) => self.fault(why),
        }
    }

    fn obey(&mut self, command: Command) -> Step {
        match command {
            Command::Helo => {
                self.greeted = true;
                self.forget();
                Step::Reply(format!("250 {}\r\n", self.host))
            }
            Command::Ehlo => {
                self.greeted = true;
                self.forget();
                self.offers()
            }
            Command::StartTls => self.start_tls(),
            Command::Mail { sender, bytes } => self.mail(sender, bytes),
            Command::Recipient { local, domain } => self.to(local, &domain),
            Command::Data => self.data(),
            Command::Reset => {
                self.forget();
                reply("250 2.0.0 ok")
            }
            Command::Nothing => reply("250 2.0.0 ok"),
            Command::Verify => reply("252 2.1.5 send it, and see"),
            Command::Help => {
                reply("214 2.0.0 mail to an address of an integration raises an alert")
            }
            Command::Quit => self.close("221 2.0.0 bye"),
        }
    }

    fn offers(&self) -> Step {
        let mut lines = vec![
            self.host.clone(),
            format!("SIZE {MAIL_BYTES_MAX}"),
            "8BITMIME".to_owned(),
            "SMTPUTF8".to_owned(),
            "PIPELINING".to_owned(),
            "ENHANCEDSTATUSCODES".to_owned(),
        ];
        if self.security == Security::Offered {
            lines.push("STARTTLS".to_owned());
        }
        let last = lines.len() - 1;
        let lines = lines.iter().enumerate().map(|(index, line)| {
            let sign = if index == last { ' ' } else { '-' };
            format!("250{sign}{line}\r\n")
        });
        Step::Reply(lines.collect())
    }

    fn start_tls(&mut self) -> Step {
        match self.security {
            Security::Impossible => self.fault("502 5.5.1 there is no certificate here"),
            Security::Spoken => self.fault("503 5.5.1 TLS is spoken already"),
            // Somebody between could have put commands behind it that would count as said within TLS.
            Security::Offered if !self.lines.is_empty() => {
                self.close("554 5.5.0 nothing may follow STARTTLS in the clear")
            }
            Security::Offered => {
                self.phase = Phase::Securing;
                Step::StartTls("220 2.0.0 go ahead\r\n".to_owned())
            }
        }
    }

    fn mail(&mut self, sender: String, bytes: Option<usize>) -> Step {
        if !self.greeted {
            return self.fault("503 5.5.1 say EHLO first");
        }
        if self.sender.is_some() {
            return self.fault("503 5.5.1 a mail is being sent already");
        }
        if bytes.is_some_and(|bytes| bytes > MAIL_BYTES_MAX) {
            return self.fault("552 5.3.4 the mail is too large");
        }
        if self.mails == MAILS_MAX {
            return self.close("421 4.7.0 enough for one connection");
        }
        self.sender = Some(sender);
        reply("250 2.1.0 ok")
    }

    fn to(&mut self, local: String, domain: &str) -> Step {
        let Some(sender) = &self.sender else {
            return self.fault("503 5.5.1 say MAIL first");
        };
        if sender.is_empty() {
            return self.fault("550 5.7.1 these addresses take no bounces");
        }
        if !domain.eq_ignore_ascii_case(&self.domain) {
            return self.fault("550 5.7.1 this server passes nothing on");
        }
        if self.recipients.len() == RECIPIENTS_MAX {
            return self.fault("452 4.5.3 too many recipients");
        }
        self.phase = Phase::Asked(local.clone());
        Step::Recipient(local)
    }

    fn data(&mut self) -> Step {
        if self.recipients.is_empty() {
            return self.fault("503 5.5.1 name a recipient first");
        }
        self.phase = Phase::Data(Data::default());
        reply("354 send the mail, and a line with a single dot at its end")
    }

    fn mail_ended(&mut self) -> Step {
        self.mails += 1;
        let phase = std::mem::replace(&mut self.phase, Phase::Delivering);
        let recipients = std::mem::take(&mut self.recipients);
        self.forget();
        match phase {
            Phase::Data(Data {
                bytes,
                too_large: false,
                ..
            }) => Step::Mail(Incoming { recipients, bytes }),
            Phase::Data(_)
            | Phase::Commands
            | Phase::Asked(_)
            | Phase::Delivering
            | Phase::Securing
            | Phase::Closed => {
                self.phase = Phase::Commands;
                self.fault("552 5.3.4 the mail is too large")
            }
        }
    }
}

/// Takes a line of a mail, or a piece of one; true at the end of the mail. The end of a line becomes CR LF, and of a dot at its begin
/// with more behind it the dot goes, which its sender put there. What is too large is read to its end and thrown away.
fn take_line(data: &mut Data, line: &Line) -> bool {
    let (text, end, is_bare) = match line {
        Line::Whole(line) => match line.strip_suffix(END) {
            Some(text) => (text, END, false),
            None => (line.strip_suffix(b"\n").unwrap_or(line), END, true),
        },
        Line::Part(part) => (part.as_slice(), &END[..0], false),
    };
    let is_rest = std::mem::replace(&mut data.goes_on, end.is_empty());
    let after_bare = std::mem::replace(&mut data.after_bare, is_bare);
    let is_dot = text == b"." && !is_rest;
    if is_dot && !is_bare && !after_bare {
        return true;
    }
    let text = match text.strip_prefix(b".") {
        Some(rest) if !is_dot && !is_rest => rest,
        Some(_) | None => text,
    };
    data.lines += usize::from(!end.is_empty());
    let bytes = data.bytes.len() + text.len() + end.len();
    if data.lines > MAIL_LINES_MAX || bytes > MAIL_BYTES_MAX {
        data.too_large = true;
        data.bytes = Vec::new();
    }
    if !data.too_large {
        data.bytes.extend_from_slice(text);
        data.bytes.extend_from_slice(end);
    }
    false
}

fn reply(line: &str) -> Step {
    Step::Reply(format!("{line}\r\n"))
}

#[cfg(test)]
mod tests;
