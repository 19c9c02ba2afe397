//! The levels that a route can demand of its caller, and the caller that a handler is given. It reads no request.

use std::convert::Infallible;
use std::net::SocketAddr;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use tocsin_domain::event::Actor;
use tocsin_domain::id::{TokenId, UserId};
use tocsin_domain::people::{Role, Scopes, TokenBounds};
use tocsin_domain::time::Timestamp;

use crate::http::problem::Problem;

/// Who may call a route. Every route names one when it is registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// Anybody.
    Public,
    /// Whoever has a key of that front; the handler checks it. Cookies are not looked at.
    Key(Front),
    /// A token of at least this role, in any form that clients of that front send. Cookies are not looked at.
    Token(Front, Role),
    /// Whoever is signed in by a browser.
    Session,
    /// A session or a token of at least this role.
    Role(Role),
    /// The person that the path's `id` names (by a token only when it has their whole role; a viewer by a session only: a
    /// viewer's token changes nothing), or at least this role.
    SelfOr(Role),
}

/// The foreign fronts, and the one of Tocsin itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Front {
    /// PagerDuty's Events API v2: the routing key is in the body.
    PagerDutyEvents,
    /// PagerDuty's REST API v2.
    PagerDutyRest,
    /// The page behind the link of a page: the key is in the path.
    AnswerLink,
    /// What a provider of texts and calls asks and tells: the key is its signature.
    Twilio,
    /// Prometheus' HTTP API and remote write.
    Prometheus,
    /// Jobs that must call in: the token is in the path.
    Heartbeats,
    /// JSON of any shape, and Grafana's: the key is in the path or a header.
    Webhook,
    /// Opsgenie's requests about alerts: the key is in a header.
    Opsgenie,
    /// Alertmanager's API v2; alerts may come with the key of an integration too.
    Alertmanager,
    /// Tocsin's own canary: the key is made at each start and leaves the process nowhere else.
    Canary,
}

/// How a caller proved who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Via {
    /// A session cookie.
    Session,
    /// The token of this id.
    Token(TokenId),
    /// Not at all: authentication is switched off.
    Open,
}

/// Who calls.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Caller {
    /// As whom it is journalled.
    pub(crate) actor: Actor,
    /// What they may do.
    pub(crate) role: Role,
    /// The person, when it is one.
    pub(crate) user: Option<UserId>,
    /// How they proved it.
    pub(crate) via: Via,
    /// Whether they stand for the person in all things: a token with a smaller role than its owner's does not, nor one with scopes.
    pub(crate) in_full: bool,
    /// What they are kept to beside their role: a token may be.
    pub(crate) bounds: TokenBounds,
    /// When the token by which they call stops to work; none where it does not, and of whoever calls by none.
    pub(crate) until: Option<Timestamp>,
}

impl Caller {
    /// The person who calls.
    pub(crate) fn person(&self) -> Result<UserId, Problem> {
        self.user.ok_or_else(|| {
            Problem::forbidden(
                "this needs a person: use a session or a token that belongs to somebody",
            )
        })
    }

    /// Whether the caller may do what `who` demands; `path_user` is the person that the path names.
    pub(crate) fn may(&self, who: Who, path_user: Option<UserId>) -> Result<(), Problem> {
        let allowed = match who {
            Who::Public | Who::Key(_) => true,
            Who::Session => self.via == Via::Session,
            Who::Role(role) | Who::Token(_, role) => self.role >= role,
            Who::SelfOr(role) => {
                let own = self.user.is_some() && self.user == path_user && self.in_full;
                let may_write = self.role >= Role::Responder || self.via == Via::Session;
                self.role >= role || (own && may_write)
            }
        };
        if allowed {
            Ok(())
        } else {
            Err(Problem::forbidden(demand(who)))
        }
    }

    /// Whether the caller may give somebody this role. An administrator is kept to nothing, so a token that is kept to some scopes makes
    /// none.
    pub(crate) fn may_give(&self, role: Role) -> Result<(), Problem> {
        if role < Role::Admin || self.bounds.admit(Some(Scopes::ALL)) {
            return Ok(());
        }
        Err(Problem::forbidden(
            "to make somebody an administrator needs a token without scopes, or with all of them",
        ))
    }

    /// Whether the scopes of the caller's token, where it has some, hold what a route needs.
    pub(crate) fn reach(&self, needed: Option<Scopes>) -> Result<(), Problem> {
        if self.bounds.admit(needed) {
            return Ok(());
        }
        Err(Problem::forbidden(match needed {
            Some(needed) => {
                let words = needed.words(", ");
                format!("this needs a token without scopes, or with these: {words}")
            }
            None => "this needs a token without scopes".to_owned(),
        }))
    }
}

fn demand(who: Who) -> String {
    match who {
        Who::Public | Who::Key(_) => "this is not allowed".to_owned(),
        Who::Session => "this needs a session of a browser, not a token".to_owned(),
        Who::Role(role) | Who::Token(_, role) => format!("this needs the role {}", role_word(role)),
        Who::SelfOr(role) => {
            format!(
                "this needs the role {}, or to be the person it is about",
                role_word(role)
            )
        }
    }
}

/// The word of a role in the API.
pub(crate) const fn role_word(role: Role) -> &'static str {
    match role {
        Role::Viewer => "viewer",
        Role::Responder => "responder",
        Role::Admin => "admin",
    }
}

/// The address that a request came from; none when it came by no socket.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) Option<SocketAddr>);

impl<S: Sync> FromRequestParts<S> for Peer {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(
            parts
                .extensions
                .get::<ConnectInfo<SocketAddr>>()
                .map(|info| info.0),
        ))
    }
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        // Missing only when a public route asks for it, which is a mistake of ours: refuse.
        parts
            .extensions
            .get::<Self>()
            .cloned()
            .ok_or_else(|| Problem::unauthenticated("sign in first"))
    }
}
