//! A server without sockets: the router on the real engine, with people, tokens and sessions, asked in process.

use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Request, StatusCode, header};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use tocsin_domain::command::{Ask, Command, PeopleAsk};
use tocsin_domain::event::{Actor, EventBody, NotificationWhat};
use tocsin_domain::id::UserId;
use tocsin_domain::page::Outcome;
use tocsin_domain::people::{ChannelKind, Role, TokenBounds};
use tocsin_edge::app::{App, Parts, Settings};
use tocsin_edge::delivery::egress::Egress;
use tocsin_edge::delivery::pace::{Pace, RealTime};
use tocsin_edge::delivery::queue::Queue;
use tocsin_edge::delivery::tally::Tally;
use tocsin_edge::delivery::{Delivery, Needs};
use tocsin_edge::feed::Feed;
use tocsin_edge::ports::rules::Rules;
use tocsin_edge::ports::scrape::ScrapeTargets;
use tocsin_edge::ports::{Accounts, Metrics, NewToken, Vault, Watch, Watching};
use tocsin_edge::secret::key_hash;
use tocsin_edge::vigil::Vigil;
use tocsin_engine::handle::Ended;
use tocsin_engine::{Clock, Core, EngineHandle, Past};
use tower::ServiceExt;

use crate::evaluated::{FixedRules, FixedTargets};
use crate::fakes::{
    Committed, Doors, HandClock, Memory, NoSeries, OsEntropy, Outlets, START, Sight,
};
use crate::pace::HandPace;
use crate::samples::Samples;
use crate::vault::OpenVault;

pub(crate) const ROUTING_KEY: &str = "R0123456789ABCDEFGHIJabcdefghij0";
pub(crate) const PASSWORD: &str = "correct horse battery";
pub(crate) const BASE: &str = "/api/tocsin/v1";

pub(crate) struct World {
    pub(crate) router: Router,
    pub(crate) app: App,
    pub(crate) engine: EngineHandle,
    engine_thread: JoinHandle<Ended>,
    pub(crate) clock: Arc<HandClock>,
    pub(crate) journal: Memory,
    pub(crate) vault: Arc<OpenVault>,
    pub(crate) doors: Arc<Doors>,
    pub(crate) queue: Queue,
    pub(crate) committed: Committed,
    pub(crate) tally: Arc<Tally>,
    pub(crate) vigil: Arc<Vigil>,
    pub(crate) sight: Arc<Sight>,
    pub(crate) samples: Arc<Samples>,
    pub(crate) rules: Arc<FixedRules>,
    pub(crate) targets: Arc<FixedTargets>,
    /// Ada, the administrator.
    pub(crate) ada: UserId,
    pub(crate) admin: String,
    pub(crate) responder: String,
    pub(crate) viewer: String,
    /// A responder's token that belongs to Bob.
    pub(crate) bob: UserId,
    pub(crate) bobs: String,
}

pub(crate) struct Answered {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Vec<u8>,
}

impl Answered {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|_| panic!("not JSON: {}", self.text()))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    /// With other settings.
    #[expect(clippy::too_many_lines, reason = "a world written out")]
    pub(crate) fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let clock = Arc::new(HandClock(std::sync::Mutex::new(START)));
        let journal = Memory::default();
        let (queue, feed, tally) = (
            Queue::default(),
            Feed::default(),
            Arc::new(Tally::default()),
        );
        let committed = Committed::default();
        let vigil = Arc::new(Vigil::default());
        let outlets = Outlets {
            queue: queue.clone(),
            feed: feed.clone(),
            committed: committed.clone(),
            vigil: Arc::clone(&vigil),
        };
        let core = Core::new(
            Past::default(),
            journal.clone(),
            OsEntropy,
            outlets,
            Arc::new(NoSeries),
        );
        let (engine, engine_thread) =
            tocsin_engine::start(core, Arc::clone(&clock) as Arc<dyn Clock>);
        let (vault, doors) = (Arc::new(OpenVault::default()), Arc::new(Doors::default()));
        let mut settings = Settings {
            public_url: "http://tocsin.example".to_owned(),
            listen: "127.0.0.1:8700".parse().unwrap(),
            tls: false,
            behind_proxy: false,
            insecure_no_auth: false,
            egress: Egress::new(vec!["127.0.0.0/8".parse().unwrap()]),
            data_dir: "/".into(),
            mail_domain: Some("alerts.example".to_owned()),
            events_per_minute: 120,
            token_requests_per_minute: tocsin_edge::app::TOKEN_REQUESTS_PER_MINUTE,
            version: "0.0.0".to_owned(),
            answer_wait: tocsin_edge::app::ANSWER_WAIT,
        };
        change(&mut settings);
        let (samples, rules, targets) = (Arc::default(), Arc::default(), Arc::default());
        let sight = Arc::new(Sight(std::sync::Mutex::new(Watching::Running(Vec::new()))));
        let app = App::new(Parts {
            engine: engine.clone(),
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            events: Arc::new(journal.clone()),
            vault: Arc::clone(&vault) as Arc<dyn Vault>,
            accounts: Arc::clone(&doors) as Arc<dyn Accounts>,
            telemetry: Arc::new(NoSeries),
            metrics: Arc::clone(&samples) as Arc<dyn Metrics>,
            rules: Arc::clone(&rules) as Arc<dyn Rules>,
            scrape_targets: Arc::clone(&targets) as Arc<dyn ScrapeTargets>,
            evidences: Arc::new(NoSeries),
            health: Arc::new(journal.clone()),
            watch: Arc::clone(&sight) as Arc<dyn Watch>,
            feed,
            tally: Arc::clone(&tally),
            vigil: Arc::clone(&vigil),
            settings,
        });
        let router = tocsin_edge::router(app.clone());
        let ada = set_up(&engine, vault.as_ref());
        let bob = add_person(
            &engine,
            vault.as_ref(),
            "Bob",
            "bob@example.org",
            Role::Responder,
        );
        let token = |role, user| {
            let new = NewToken {
                name: "t".to_owned(),
                role,
                user,
                made_by: user,
                expires_at: None,
                bounds: TokenBounds::default(),
            };
            doors.add_token(new, START).unwrap().1
        };
        doors
            .set_password(ada, &SecretString::from(PASSWORD))
            .unwrap();
        Self {
            admin: token(Role::Admin, Some(ada)),
            responder: token(Role::Responder, None),
            viewer: token(Role::Viewer, None),
            bobs: token(Role::Responder, Some(bob)),
            router,
            app,
            engine,
            engine_thread,
            clock,
            journal,
            vault,
            doors,
            queue,
            committed,
            tally,
            vigil,
            sight,
            samples,
            rules,
            targets,
            ada,
            bob,
        }
    }

    /// The text of a new token.
    pub(crate) fn token(&self, role: Role, user: Option<UserId>) -> String {
        let new = NewToken {
            name: "t".to_owned(),
            role,
            user,
            made_by: user,
            expires_at: None,
            bounds: TokenBounds::default(),
        };
        self.doors.add_token(new, START).unwrap().1
    }

    /// Sends a request in process, from this machine.
    pub(crate) async fn send(&self, mut request: Request<Body>) -> Answered {
        let peer: SocketAddr = "127.0.0.1:5555".parse().unwrap();
        request.extensions_mut().insert(ConnectInfo(peer));
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.unwrap().to_vec();
        Answered {
            status: parts.status,
            headers: parts.headers,
            bytes,
        }
    }

    /// With a token and a JSON body.
    pub(crate) async fn call(
        &self,
        method: &str,
        path: &str,
        token: &str,
        body: Option<Value>,
    ) -> Answered {
        let path = format!("{BASE}{path}");
        self.call_at(method, &path, token, body).await
    }

    /// The same at any path.
    pub(crate) async fn call_at(
        &self,
        method: &str,
        path: &str,
        token: &str,
        body: Option<Value>,
    ) -> Answered {
        let mut request = Request::builder().method(method).uri(path);
        if !token.is_empty() {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let body = match body {
            None => Body::empty(),
            Some(body) => {
                request = request.header(header::CONTENT_TYPE, "application/json");
                Body::from(body.to_string())
            }
        };
        self.send(request.body(body).unwrap()).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answered {
        self.call("GET", path, &self.admin, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answered {
        self.call("POST", path, &self.admin, Some(body)).await
    }

    /// An event of PagerDuty's front.
    pub(crate) async fn enqueue(&self, body: &Value) -> Answered {
        let request = Request::post("/v2/enqueue").header(header::CONTENT_TYPE, "application/json");
        self.send(request.body(Body::from(body.to_string())).unwrap())
            .await
    }

    /// Raises an incident from outside and gives its id.
    pub(crate) async fn raise(&self, key: &str) -> String {
        let answer = self.enqueue(&trigger(key)).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text());
        let list = self.get("/incidents?limit=1").await.json();
        list["items"][0]["id"].as_str().unwrap().to_owned()
    }

    /// Ada, as she is called when she answers by a channel.
    pub(crate) const fn ada_by(&self, channel: ChannelKind) -> Actor {
        Actor::Channel {
            user: self.ada,
            channel,
        }
    }

    /// Gives a person one confirmed way to be reached, which is used at once.
    pub(crate) async fn reach(
        &self,
        user: UserId,
        kind: &str,
        address: &str,
        secret: Option<&str>,
    ) -> String {
        let base = format!("/users/{user}");
        let mut body = json!({"kind": kind, "label": "Phone", "address": address});
        if let Some(secret) = secret {
            body["secret"] = json!(secret);
        }
        let added = self.post(&format!("{base}/contact-methods"), body).await;
        assert_eq!(added.status, StatusCode::CREATED, "{}", added.text());
        let method = added.json()["id"].as_str().unwrap().to_owned();
        let code = self.code_of(user, &method);
        let verified = self
            .post(
                &format!("{base}/contact-methods/{method}/verify"),
                json!({"code": code}),
            )
            .await;
        assert_eq!(verified.status, StatusCode::OK, "{}", verified.text());
        let rules = json!([{"urgency": "high", "delay_minutes": 0, "contact_method_id": method}]);
        let set = self
            .call(
                "PUT",
                &format!("{base}/notification-rules"),
                &self.admin,
                Some(rules),
            )
            .await;
        assert_eq!(set.status, StatusCode::OK, "{}", set.text());
        method
    }

    /// A mail server is set up; nothing listens there.
    pub(crate) async fn set_up_mail(&self) {
        let body =
            json!({"host": "127.0.0.1", "port": 1, "from": "tocsin@example.org", "tls": "none"});
        let path = "/channels/email";
        let set = self.call("PUT", path, &self.admin, Some(body)).await;
        assert_eq!(set.status, StatusCode::OK, "{}", set.text());
    }

    /// The code that confirms a contact method, as a test page brings it.
    pub(crate) fn code_of(&self, user: UserId, method: &str) -> String {
        let row = self.engine.read(|state| {
            let method = state.users[&user]
                .contact_method(method.parse().unwrap())
                .unwrap();
            method.pending_code.unwrap()
        });
        self.vault
            .get(row)
            .unwrap()
            .unwrap()
            .expose_secret()
            .to_owned()
    }

    /// Ends the engine's thread; what is asked from now on finds it ended.
    pub(crate) fn end_engine(&mut self) {
        self.engine.stop();
        while !self.engine_thread.is_finished() {
            std::thread::yield_now();
        }
    }

    /// Starts delivery to where `egress` lets it.
    pub(crate) fn deliver(&self, egress: Egress, attempt_wait: Duration) -> Delivery {
        let needs = self.needs(egress);
        let often = Duration::from_millis(20);
        Delivery::start_asking(self.queue.clone(), needs, attempt_wait, often).unwrap()
    }

    /// Starts delivery that waits as `pace` says, and as long as in production.
    pub(crate) fn deliver_at(&self, egress: Egress, pace: &Arc<HandPace>) -> Delivery {
        let pace = Arc::clone(pace) as Arc<dyn Pace>;
        let needs = Needs {
            pace,
            ..self.needs(egress)
        };
        Delivery::start(self.queue.clone(), needs).unwrap()
    }

    /// What sending needs.
    pub(crate) fn needs(&self, egress: Egress) -> Needs {
        Needs {
            engine: self.engine.clone(),
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            vault: Arc::clone(&self.vault) as Arc<dyn Vault>,
            accounts: Arc::clone(&self.doors) as Arc<dyn Accounts>,
            egress,
            pace: Arc::new(RealTime),
            public_url: "http://tocsin.example".to_owned(),
            tally: Arc::clone(&self.tally),
            vigil: Arc::clone(&self.vigil),
        }
    }

    /// How the first attempt that ends went.
    pub(crate) fn first_outcome(&self) -> (Outcome, String) {
        self.committed.wait_for(|events| {
            events.iter().find_map(|event| match &event.body {
                EventBody::Notification(message) => match &message.what {
                    NotificationWhat::AttemptFinished {
                        outcome, detail, ..
                    } => Some((*outcome, detail.clone())),
                    _ => None,
                },
                _ => None,
            })
        })
    }

    /// Signs Ada in and gives her cookie and her CSRF token.
    pub(crate) async fn sign_in(&self) -> (String, String) {
        let answer = self
            .call(
                "POST",
                "/session",
                "",
                Some(json!({"email": "ada@example.org", "password": PASSWORD})),
            )
            .await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        let cookie = answer.headers[header::SET_COOKIE].to_str().unwrap();
        let cookie = cookie.split(';').next().unwrap().to_owned();
        (
            cookie,
            answer.json()["csrf_token"].as_str().unwrap().to_owned(),
        )
    }
}

pub(crate) fn trigger(key: &str) -> Value {
    json!({
        "routing_key": ROUTING_KEY,
        "event_action": "trigger",
        "dedup_key": key,
        "payload": {"summary": format!("{key} is down"), "source": "host", "severity": "critical"},
    })
}

fn set_up(engine: &EngineHandle, vault: &OpenVault) -> UserId {
    let email = vault
        .put(&SecretString::from("ada@example.org"), None)
        .unwrap();
    let ask = Ask::SetUp {
        name: "Ada".to_owned(),
        email,
        time_zone: "Europe/Paris".to_owned(),
        key_hash: key_hash(ROUTING_KEY),
    };
    engine
        .ask_and_wait(Command {
            actor: Actor::System,
            ask,
        })
        .unwrap();
    engine.read(|state| *state.users.keys().next().unwrap())
}

pub(crate) fn add_person(
    engine: &EngineHandle,
    vault: &OpenVault,
    name: &str,
    mail: &str,
    role: Role,
) -> UserId {
    let email = vault.put(&SecretString::from(mail), None).unwrap();
    let pending_code = vault.put(&SecretString::from("123456"), None).unwrap();
    let ask = Ask::People(PeopleAsk::Add {
        name: name.to_owned(),
        email,
        pending_code,
        role,
        about: None,
    });
    engine
        .ask_and_wait(Command {
            actor: Actor::System,
            ask,
        })
        .unwrap();
    engine.read(|state| {
        state
            .users
            .values()
            .find(|user| user.name == name)
            .unwrap()
            .id
    })
}
