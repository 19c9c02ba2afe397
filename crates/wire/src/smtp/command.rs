//! The commands of SMTP, read from their lines. What is wrong is told in the words of a reply.

/// A command.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Command {
    Helo,
    Ehlo,
    StartTls,
    /// Who sends a mail (nobody: empty), and how large it will be.
    Mail {
        sender: String,
        bytes: Option<usize>,
    },
    Recipient {
        local: String,
        domain: String,
    },
    Data,
    Reset,
    Nothing,
    Verify,
    Help,
    Quit,
}

const SYNTAX: &str = "501 5.5.4 this cannot be read";
const UNKNOWN: &str = "502 5.5.1 this command is not known here";
const PARAMETER: &str = "555 5.5.4 a parameter is not known here";

impl Command {
    pub(super) fn read(line: &[u8]) -> Result<Self, &'static str> {
        let line = line.strip_suffix(b"\r\n").unwrap_or(line);
        let text = std::str::from_utf8(line).map_err(|_| "500 5.5.2 this is no text")?;
        if text.contains(char::is_control) {
            return Err("500 5.5.2 there are control characters in it");
        }
        let (verb, rest) = text.split_once(' ').unwrap_or((text, ""));
        let rest = rest.trim();
        let alone = |command: Self| {
            if rest.is_empty() {
                Ok(command)
            } else {
                Err(SYNTAX)
            }
        };
        match verb.to_ascii_uppercase().as_str() {
            "HELO" if !rest.is_empty() => Ok(Self::Helo),
            "EHLO" if !rest.is_empty() => Ok(Self::Ehlo),
            "HELO" | "EHLO" => Err(SYNTAX),
            "STARTTLS" => alone(Self::StartTls),
            "MAIL" => mail(rest),
            "RCPT" => recipient(rest),
            "DATA" => alone(Self::Data),
            "RSET" => alone(Self::Reset),
            "NOOP" => Ok(Self::Nothing),
            "VRFY" => Ok(Self::Verify),
            "HELP" => Ok(Self::Help),
            "QUIT" => alone(Self::Quit),
            _ => Err(UNKNOWN),
        }
    }
}

/// `FROM:<a@b> SIZE=1`: the address and the parameters.
fn path<'t>(text: &'t str, word: &str) -> Result<(&'t str, &'t str), &'static str> {
    let named = text
        .get(..word.len())
        .is_some_and(|found| found.eq_ignore_ascii_case(word));
    let rest = if named { &text[word.len()..] } else { "" };
    let rest = rest.trim_start().strip_prefix('<').ok_or(SYNTAX)?;
    let (address, rest) = rest.split_once('>').ok_or(SYNTAX)?;
    if address.len() > 320 || address.contains(['<', ' ', '"']) {
        return Err(SYNTAX);
    }
    // A route before the address (RFC 5321, appendix C) is passed over.
    let address = match address.strip_prefix('@') {
        Some(routed) => routed.split_once(':').ok_or(SYNTAX)?.1,
        None => address,
    };
    Ok((address, rest))
}

fn mail(text: &str) -> Result<Command, &'static str> {
    let (sender, rest) = path(text, "FROM:")?;
    let mut bytes = None;
    for parameter in rest.split_whitespace() {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        match name.to_ascii_uppercase().as_str() {
            // A number beyond all measure is too large as well.
            "SIZE" if value.bytes().all(|byte| byte.is_ascii_digit()) && !value.is_empty() => {
                bytes = Some(value.parse().unwrap_or(usize::MAX));
            }
            "BODY" | "SMTPUTF8" => {}
            _ => return Err(PARAMETER),
        }
    }
    let sender = sender.to_owned();
    Ok(Command::Mail { sender, bytes })
}

fn recipient(text: &str) -> Result<Command, &'static str> {
    let (address, rest) = path(text, "TO:")?;
    if !rest.trim().is_empty() {
        return Err(PARAMETER);
    }
    let (local, domain) = address.rsplit_once('@').ok_or(SYNTAX)?;
    if local.is_empty() || domain.is_empty() {
        return Err(SYNTAX);
    }
    Ok(Command::Recipient {
        local: local.to_owned(),
        domain: domain.to_owned(),
    })
}
