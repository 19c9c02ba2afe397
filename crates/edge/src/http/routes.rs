//! The table of routes. A route enters it only together with who may call it; what each does is not known here.

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::MethodRouter;
use serde_json::json;
use tocsin_domain::people::{Role, Scopes};
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{OpenApi, PathItem, Paths};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};

use crate::access::authenticate::gate;
use crate::access::scope;
use crate::access::who::{Front, Who};
use crate::app::App;
use crate::http::idempotency::once;
use crate::http::parameters::{Declared, only_declared};
use crate::http::refusals::{self, Refusals};

/// One method of one path, and who may call it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// `GET`, `POST`, ...
    pub method: String,
    /// The path, with `{parameters}`.
    pub path: String,
    /// Who may call it.
    pub who: Who,
    /// What a token that has scopes needs besides; none where nobody has said it, which shuts such tokens out.
    pub needs: Option<Scopes>,
}

/// All routes. There is no other way to register one than [`Table::add`].
pub(crate) struct Table {
    /// Without one, routes are described but not served.
    app: Option<App>,
    router: OpenApiRouter<App>,
    listed: Vec<Listed>,
    refusals: Refusals,
}

impl Table {
    pub(crate) fn new(app: Option<App>) -> Self {
        Self {
            app,
            router: OpenApiRouter::default(),
            listed: Vec::new(),
            refusals: Refusals::new(),
        }
    }

    /// Registers the handlers of one path that share who may call them.
    #[must_use]
    pub(crate) fn add(mut self, who: Who, routes: UtoipaMethodRouter<App>) -> Self {
        let (schemas, mut paths, handlers) = routes;
        // The handlers that are registered together are methods of one path.
        let needs = paths.paths.keys().next();
        let needs = needs.and_then(|path| scope::needed(path));
        let mut declared = Declared::default();
        for (path, item) in &mut paths.paths {
            let operations = [
                ("GET", &mut item.get),
                ("PUT", &mut item.put),
                ("POST", &mut item.post),
                ("DELETE", &mut item.delete),
                ("PATCH", &mut item.patch),
            ];
            for (method, operation) in operations {
                let Some(operation) = operation else { continue };
                operation.security = security_of(who);
                let scopes = needs.filter(|needs| takes_tokens(who) && !needs.is_empty());
                let scopes = scopes.map(|needs| needs.words(" "));
                // One extension alone: several stand in another order each time.
                let access = json!({"scopes": scopes, "who": who_words(who)});
                operation.extensions = Some([("x-access", access)].into_iter().collect());
                refusals::tell(operation, who, (method, path), &mut self.refusals);
                refusals::free_of_body(operation, who, method, &schemas);
                declared.add((method, path), operation);
                self.listed.push(Listed {
                    method: method.to_owned(),
                    path: path.clone(),
                    who,
                    needs,
                });
            }
        }
        let gated = match &self.app {
            None => handlers,
            Some(app) => {
                let keyed: MethodRouter<App> =
                    handlers.layer(from_fn_with_state(app.clone(), once));
                let read: MethodRouter<App> = if declared.is_empty() {
                    keyed
                } else {
                    keyed.layer(from_fn_with_state(Arc::new(declared), only_declared))
                };
                // The last layer is the outermost: nothing is looked at before the gate has spoken.
                read.layer(from_fn_with_state((app.clone(), who, needs), gate))
            }
        };
        self.router = self.router.routes((schemas, paths, gated));
        self
    }

    /// Registers the handlers of one path of a foreign front, there and again under the front's own prefix.
    #[must_use]
    pub(crate) fn add_front(
        self,
        who: Who,
        prefix: &str,
        (schemas, mut paths, handlers): UtoipaMethodRouter<App>,
    ) -> Self {
        let mut prefixed = Paths::new();
        for (path, item) in &mut paths.paths {
            let mut other = item.clone();
            let front = prefix.trim_start_matches('/');
            name_operations(item, front, "");
            name_operations(&mut other, front, "_prefixed");
            prefixed.paths.insert(format!("{prefix}{path}"), other);
        }
        self.add(who, (schemas.clone(), prefixed, handlers.clone()))
            .add(who, (schemas, paths, handlers))
    }

    /// The router, when there is something to serve.
    pub(crate) fn router(self) -> Option<Router> {
        let (router, _) = self.router.split_for_parts();
        self.app.map(|app| router.with_state(app))
    }

    /// The description of all routes.
    pub(crate) fn description(self) -> OpenApi {
        let mut openapi = self.router.into_openapi();
        let components = openapi.components.get_or_insert_default();
        components.responses.extend(self.refusals);
        refusals::add_schemas(components);
        openapi
    }

    /// All routes.
    pub(crate) fn listed(self) -> Vec<Listed> {
        self.listed
    }
}

/// Each operation gets a name of its own, also where one handler serves several methods.
fn name_operations(item: &mut PathItem, front: &str, suffix: &str) {
    let id_of = |operation: &Option<Operation>| operation.as_ref()?.operation_id.clone();
    let both = item.get.is_some() && id_of(&item.get) == id_of(&item.post);
    let of_post = if both { "_post" } else { "" };
    let operations = [
        (&mut item.get, ""),
        (&mut item.post, of_post),
        (&mut item.put, ""),
        (&mut item.delete, ""),
    ];
    for (operation, method) in operations {
        if let Some(Operation {
            operation_id: Some(id),
            ..
        }) = operation
        {
            *id = format!("{front}_{id}{method}{suffix}");
        }
    }
}

/// Who may call it, in the words of the description.
fn who_words(who: Who) -> &'static str {
    match who {
        Who::Public => "anybody",
        Who::Key(_) => "whoever has its key",
        Who::Session => "whoever is signed in by a browser",
        Who::Role(Role::Viewer) | Who::Token(_, Role::Viewer) => "a viewer",
        Who::Role(Role::Responder) | Who::Token(_, Role::Responder) => "a responder",
        Who::Role(Role::Admin) | Who::Token(_, Role::Admin) => "an administrator",
        Who::SelfOr(Role::Viewer) => "the person it is about, or a viewer",
        Who::SelfOr(Role::Responder) => "the person it is about, or a responder",
        Who::SelfOr(Role::Admin) => "the person it is about, or an administrator",
    }
}

/// Whether an API token may be what proves who calls.
fn takes_tokens(who: Who) -> bool {
    match who {
        Who::Role(_) | Who::SelfOr(_) | Who::Token(..) => true,
        Who::Key(front) => front == Front::Alertmanager,
        Who::Public | Who::Session => false,
    }
}

fn security_of(who: Who) -> Option<Vec<SecurityRequirement>> {
    let none: [&str; 0] = [];
    match who {
        Who::Public | Who::Key(_) => None,
        Who::Token(..) => Some(vec![SecurityRequirement::new("token", none)]),
        Who::Session => Some(vec![SecurityRequirement::new("session", none)]),
        Who::Role(_) | Who::SelfOr(_) => Some(vec![
            SecurityRequirement::new("token", none),
            SecurityRequirement::new("session", none),
        ]),
    }
}
