//! The HTML part of an e-mail; everything that came from outside passes through `escape`.

use crate::page_message::{Kind, PageMessage, one_line, web_address};

use super::{ANSWER_LABEL, answer_link, lead, link_label};
use crate::markup::escape;

/// The whole HTML document, styled inline because mail programs drop the rest.
pub(super) fn body(message: &PageMessage) -> String {
    let colour = match message.kind {
        Kind::Page => "#b42318",
        Kind::Resolved => "#15703a",
        Kind::Acknowledged | Kind::Test | Kind::Handoff | Kind::Verification => "#1d4e89",
    };
    let rows: String = message
        .facts()
        .iter()
        .map(|(name, value)| row(name, value))
        .collect();
    let headline = escape(&message.headline());
    let lead = lead(message);
    let runbook = runbook(message);
    let button = button(message, colour);
    let key = escape(&one_line(&message.idempotency_key, 64));
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><title>{headline}</title></head>\n\
         <body style=\"margin:0;padding:16px;font:16px/1.45 system-ui,sans-serif;color:#1c1917;background:#ffffff\">\n\
         <h1 style=\"margin:0 0 8px;padding-left:12px;border-left:6px solid {colour};font-size:20px\">{headline}</h1>\n\
         <p style=\"margin:0 0 16px\">{lead}</p>\n{button}\
         <table style=\"border-collapse:collapse\">\n{rows}</table>\n{runbook}\
         <p style=\"margin:24px 0 0;color:#57534e;font-size:13px\">Tocsin, message {key}</p>\n</body></html>\n"
    )
}

fn row(name: &str, value: &str) -> String {
    format!(
        "<tr><th style=\"text-align:left;vertical-align:top;padding:3px 16px 3px 0;font-weight:600\">{}</th>\
         <td style=\"padding:3px 0;overflow-wrap:anywhere\">{}</td></tr>\n",
        escape(name),
        escape(value)
    )
}

fn button(message: &PageMessage, colour: &str) -> String {
    let answer = answer_link(message).map(|link| one_button(link, ANSWER_LABEL, colour));
    let open = web_address(&message.link);
    let open = open.map(|link| one_button(link, link_label(message.kind), colour));
    [answer, open].into_iter().flatten().collect()
}

fn one_button(link: &str, label: &str, colour: &str) -> String {
    format!(
        "<p style=\"margin:0 0 16px\"><a href=\"{}\" style=\"display:inline-block;padding:12px 20px;border-radius:6px;\
         background:{colour};color:#ffffff;text-decoration:none;font-weight:600\">{}</a></p>\n",
        escape(link),
        label
    )
}

fn runbook(message: &PageMessage) -> String {
    let Some(runbook) = &message.runbook else {
        return String::new();
    };
    let inside = match web_address(runbook) {
        Some(address) => format!("<a href=\"{0}\">{0}</a>", escape(address)),
        None => escape(&one_line(runbook, 2_048)),
    };
    format!("<p style=\"margin:16px 0 0\"><strong>Runbook:</strong> {inside}</p>\n")
}
