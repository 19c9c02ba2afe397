//! Tocsin itself, as a newcomer would run it: set up, served, and told whom to page; it is known only by its command line,
//! its API and its log.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use super::api::Api;
use super::inbox::Inbox;
use super::smtp_sink::{self, Mail};
use super::stage::Stage;
use super::webhook_sink::{self, Call, Secret, code_in};
use crate::clock;
use crate::failure::{Because, Failure, Outcome, fail};
use crate::http::free_address;
use crate::processes::wait_until;
use crate::screen::Step;
use crate::site::server::{Serve, Server, text};

/// The address that is paged.
pub(crate) const ONCALL: &str = "oncall@example.org";
/// Where Tocsin listens unless told otherwise.
const USUAL_PORT: u16 = 8700;
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Tocsin {
    pub(crate) api: Api,
    pub(crate) url: String,
    /// Logs the engineer on call in, once.
    pub(crate) login_url: String,
    pub(crate) mails: Inbox<Mail>,
    pub(crate) calls: Inbox<Call>,
    pub(crate) log: PathBuf,
    server: Server,
    mail_server: SocketAddr,
    webhook: SocketAddr,
    secret: Secret,
}

impl Tocsin {
    /// Sets Tocsin up in the stage's directory, serves, and waits until it answers.
    pub(crate) fn start(binary: &Path, stage: &mut Stage, usual_port: bool) -> Outcome<Self> {
        let (mail_server, mails) = smtp_sink::start().because("starting the mail server")?;
        let (webhook, calls, secret) =
            webhook_sink::start().because("starting the webhook's receiver")?;
        let address = address(usual_port)?;
        let config = config(address, &stage.fixture.apache.dir);
        let serve = Serve::prepare(binary, &stage.dir.join("tocsin"), address, &config)?;
        let credentials = serve.set_up(ONCALL, "Olivia Oncall")?;
        let log = serve.log.clone();
        let server = Server::start(serve, &mut stage.janitor)?;
        let url = format!("http://{address}");
        let api = Api::new(address, text(&credentials, "api_token")?);
        let token = text(&credentials, "login_url")?;
        let token = token
            .rsplit_once("token=")
            .map_or(token.as_str(), |(_, token)| token);
        let login_url = format!("{url}/ui/login?token={token}");
        Ok(Self {
            api,
            url,
            login_url,
            mails,
            calls,
            log,
            server,
            mail_server,
            webhook,
            secret,
        })
    }

    /// Gives the engineer on call a mail address and a webhook, both to be used at once.
    pub(crate) fn put_someone_on_call(&self) -> Outcome<()> {
        let port = self.mail_server.port();
        let channel =
            json!({"host": "127.0.0.1", "port": port, "from": "tocsin@example.org", "tls": "none"});
        self.api.put("/channels/email", &channel)?;
        let me = self.me()?;
        let id = text(&me, "id")?;
        let method = self.add_webhook(&id)?;
        let me = self.me()?;
        let mail = find(&me["contact_methods"], "kind", "email")?;
        let rule = |method: &Value| json!({"urgency": "high", "delay_minutes": 0, "contact_method_id": method["id"]});
        // What is done about less urgent things stays as it was set up.
        let mut rules = vec![rule(&mail), rule(&method)];
        let kept = me["notification_rules"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|rule| rule["urgency"] == "low");
        rules.extend(kept.map(without_id));
        self.api.put(
            &format!("/users/{id}/notification-rules"),
            &Value::Array(rules),
        )?;
        self.wait_until_ready()
    }

    /// Waits until webserver-01 was found and is healthy.
    pub(crate) fn wait_for_target(&mut self, step: &Step) -> Outcome<()> {
        let mut seen = String::from("nothing");
        let mut explained = false;
        let healthy = wait_until(PATIENCE, || {
            let Ok(targets) = self.api.list("/targets") else {
                return false;
            };
            let Some(target) = targets
                .iter()
                .find(|target| target["name"] == "webserver-01")
            else {
                return false;
            };
            if target["status_page"]["ok"] == false && !explained {
                step.say(format!(
                    "its status page: {}",
                    target["status_page"]["reason"]
                        .as_str()
                        .unwrap_or("unknown")
                ));
                explained = true;
            }
            seen = format!(
                "webserver-01, {}",
                target["state"].as_str().unwrap_or("in no state")
            );
            target["state"] == "healthy"
        });
        if !healthy {
            fail!(
                "webserver-01 was not found healthy within {} s; Tocsin sees {seen}",
                PATIENCE.as_secs()
            );
        }
        Ok(())
    }

    pub(crate) fn is_alive(&mut self) -> bool {
        self.server.is_alive()
    }

    /// Ends Tocsin as a power cut would.
    pub(crate) fn crash(&mut self) -> Outcome<()> {
        self.server.kill()
    }

    /// Serves again on the same data after a crash, and waits until it answers.
    pub(crate) fn serve_again(&mut self, stage: &mut Stage) -> Outcome<()> {
        self.server.start_again(&mut stage.janitor)
    }

    /// The end of the log, for a failure's message.
    pub(crate) fn last_words(&self) -> String {
        self.server.serve.last_words()
    }

    /// Asks Tocsin to end, and waits for it.
    pub(crate) fn end(mut self) {
        let _ = self.server.end();
    }

    fn wait_until_ready(&self) -> Outcome<()> {
        let mut said = String::from("nothing");
        let ready = wait_until(PATIENCE, || match self.api.public("/readyz") {
            Some((200, _)) => true,
            Some((_, text)) => {
                said = text;
                false
            }
            None => false,
        });
        if !ready {
            fail!("Tocsin says that it is not able to page: {said}");
        }
        Ok(())
    }

    /// The engineer on call, as the API shows them.
    fn me(&self) -> Outcome<Value> {
        let users = self.api.list("/users")?;
        let found = users.into_iter().find(|user| user["email"] == ONCALL);
        found.ok_or_else(|| Failure::new(format!("no user has the address {ONCALL}")))
    }

    /// Adds the webhook and proves, with the code that arrives there, that it is ours.
    fn add_webhook(&self, user: &str) -> Outcome<Value> {
        let methods = format!("/users/{user}/contact-methods");
        let address = format!("http://{}/page", self.webhook);
        let body = json!({"kind": "webhook", "label": "drill", "address": address});
        let method = self.api.post(&methods, &body)?;
        self.secret.set(&text(&method, "webhook_secret")?);
        let id = text(&method, "id")?;
        let since = clock::now();
        self.api.post(&format!("{methods}/{id}/test"), &json!({}))?;
        let Some(arrival) = self.calls.wait(since, PATIENCE) else {
            fail!(
                "the webhook's test message with its code did not arrive within {} s",
                PATIENCE.as_secs()
            );
        };
        let Some(code) = code_in(&arrival.item.body) else {
            fail!(
                "the webhook's test message carries no six-digit code: {}",
                arrival.item.body
            );
        };
        self.api
            .post(&format!("{methods}/{id}/verify"), &json!({"code": code}))
    }
}

fn address(usual_port: bool) -> Outcome<SocketAddr> {
    let usual = SocketAddr::from(([127, 0, 0, 1], USUAL_PORT));
    if usual_port && TcpListener::bind(usual).is_ok() {
        return Ok(usual);
    }
    free_address()
}

fn config(address: SocketAddr, watched: &Path) -> String {
    let watched = toml::Value::String(watched.display().to_string());
    format!(
        "# Written by `cargo xtask drill`: pages go to this machine, and only the drill's own Apache is watched.\n\
         public_url = \"http://{address}\"\n\n\
         [egress]\nallow = [\"127.0.0.0/8\"]\n\n\
         [watch]\nonly = [{watched}]\n"
    )
}

fn find(items: &Value, field: &str, wanted: &str) -> Outcome<Value> {
    match items
        .as_array()
        .into_iter()
        .flatten()
        .find(|item| item[field] == wanted)
    {
        Some(found) => Ok(found.clone()),
        None => fail!("nothing with {field} `{wanted}` in {items}"),
    }
}

fn without_id(rule: &Value) -> Value {
    json!({
        "urgency": rule["urgency"],
        "delay_minutes": rule["delay_minutes"],
        "contact_method_id": rule["contact_method_id"],
    })
}
