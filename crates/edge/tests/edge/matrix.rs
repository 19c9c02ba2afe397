//! Every route against every caller, on an object that is Bob's: whoever adds a route says in [`rows`] who may call it, and this
//! finds out. Bob and Cal are responders of different teams. A team gives nobody a right: what is a team's is everybody's whose
//! role allows it, and what is a person's is theirs and an administrator's.

mod front_rows;
mod objects;
mod rows;

use std::collections::BTreeSet;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, StatusCode, header};
use serde_json::{Value, json};
use tocsin_domain::people::{Role, TokenBounds};
use tocsin_edge::ports::{Accounts, NewToken};
use tocsin_edge::{Front, Listed, Who as Gate};
use tower::ServiceExt;

use crate::fakes::START;
use crate::world::{PASSWORD, World, add_person};
use objects::{Made, make};
use rows::{Cell, Row};

/// Who calls, in the order of a row's cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    /// Nobody that is known.
    Nobody,
    /// Whoever has the key of the object: in the path or the body where a front has it there, else as a token.
    Key,
    /// A token of the installation with the scope of a viewer.
    Viewer,
    /// A token of the installation with the scope of a responder, so of no person.
    Responder,
    /// Bob, a responder, whose object it is, by a token.
    Owner,
    /// Cal, a responder of another team, by a token.
    Other,
    /// Ada, an administrator, by a token with the scope of a responder.
    Narrow,
    /// Ada, by a token with all her scope.
    Admin,
    /// Bob, in a browser.
    Browser,
    /// A token of the installation with all scope, which is no person: what needs one refuses it.
    Installation,
}

const CALLERS: [Who; 10] = [
    Who::Nobody,
    Who::Key,
    Who::Viewer,
    Who::Responder,
    Who::Owner,
    Who::Other,
    Who::Narrow,
    Who::Admin,
    Who::Browser,
    Who::Installation,
];

/// A world with all callers in it.
struct Cast {
    world: World,
    others: String,
    narrow: String,
    installation: String,
}

async fn cast() -> Cast {
    let world = World::new();
    let (engine, vault) = (&world.engine, world.vault.as_ref());
    let cal = add_person(engine, vault, "Cal", "cal@example.org", Role::Responder);
    let token = |role, user| {
        let new = NewToken {
            name: "t".to_owned(),
            role,
            user,
            made_by: Some(world.ada),
            expires_at: None,
            bounds: TokenBounds::default(),
        };
        world.doors.add_token(new, START).unwrap().1
    };
    let others = token(Role::Responder, Some(cal));
    let narrow = token(Role::Responder, Some(world.ada));
    let installation = token(Role::Admin, None);
    world
        .doors
        .set_password(world.bob, &PASSWORD.into())
        .unwrap();
    // What services there are is then the second's, which is Bob's.
    for (name, member) in [("Shop", cal), ("Web", world.bob)] {
        let team = json!({"name": name, "members": [member.to_string()]});
        let made = world.post("/teams", team).await;
        assert!(made.status.is_success(), "{}", made.text());
        give_default_policy(&world, &made.json()["id"]).await;
    }
    Cast {
        world,
        others,
        narrow,
        installation,
    }
}

/// Gives the policy that services follow to a team, and with it what is theirs.
async fn give_default_policy(world: &World, team: &Value) {
    let all = world.get("/escalation-policies").await.json();
    let mut policy = all["items"][0].clone();
    let path = format!("/escalation-policies/{}", policy["id"].as_str().unwrap());
    policy["team_id"] = team.clone();
    policy.as_object_mut().unwrap().remove("id");
    let set = world.call("PUT", &path, &world.admin, Some(policy)).await;
    assert!(set.status.is_success(), "{}", set.text());
}

impl Cast {
    /// The headers by which a caller proves who they are; `key` is that of the object.
    async fn proof(&self, who: Who, key: &str) -> Vec<(&'static str, String)> {
        let token = match who {
            Who::Nobody => return Vec::new(),
            Who::Key => key,
            Who::Viewer => &self.world.viewer,
            Who::Responder => &self.world.responder,
            Who::Owner => &self.world.bobs,
            Who::Other => &self.others,
            Who::Narrow => &self.narrow,
            Who::Admin => &self.world.admin,
            Who::Installation => &self.installation,
            Who::Browser => return self.browser().await,
        };
        vec![("authorization", format!("Bearer {token}"))]
    }

    async fn browser(&self) -> Vec<(&'static str, String)> {
        let body = json!({"email": "bob@example.org", "password": PASSWORD});
        let signed_in = self.world.call("POST", "/session", "", Some(body)).await;
        assert_eq!(signed_in.status, StatusCode::OK, "{}", signed_in.text());
        let cookie = signed_in.headers[header::SET_COOKIE].to_str().unwrap();
        let cookie = cookie.split(';').next().unwrap().to_owned();
        let csrf = signed_in.json()["csrf_token"].as_str().unwrap().to_owned();
        vec![
            ("cookie", cookie),
            ("x-csrf-token", csrf),
            ("sec-fetch-site", "same-origin".to_owned()),
        ]
    }

    /// The status of a call. The body is not read: a stream has no end.
    async fn status(&self, row: &Row, who: Who) -> StatusCode {
        let Made { path, body, key } = make(&self.world, row, who == Who::Key).await;
        let mut request = Request::builder().method(row.method).uri(&path);
        for (name, value) in self.proof(who, &key).await {
            request = request.header(name, value);
        }
        let content = match body {
            None => Body::empty(),
            Some(body) => {
                request = request.header(header::CONTENT_TYPE, "application/json");
                Body::from(body.to_string())
            }
        };
        let mut request = request.body(content).unwrap();
        let peer: std::net::SocketAddr = "127.0.0.1:5555".parse().unwrap();
        request.extensions_mut().insert(ConnectInfo(peer));
        let answer = self.world.router.clone().oneshot(request).await.unwrap();
        answer.status()
    }
}

/// What is wrong with an answer, if something is.
fn fault(row: &Row, cell: Cell, status: StatusCode) -> Option<String> {
    let refusals = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN];
    let (expected, good) = match cell {
        Cell::Passes => {
            let is_lost = status == StatusCode::NOT_FOUND && row.is_there();
            let is_shut =
                status == StatusCode::TOO_MANY_REQUESTS || status == StatusCode::METHOD_NOT_ALLOWED;
            let good = !refusals.contains(&status) && !is_lost && !is_shut;
            ("it passes".to_owned(), good)
        }
        Cell::Refused(expected) => (expected.to_string(), status == expected),
        Cell::NoKey => ("no key".to_owned(), status.is_client_error()),
    };
    (!good).then(|| format!("{status} where the row says: {expected}"))
}

#[tokio::test]
async fn every_caller_gets_of_every_route_what_its_row_says() {
    let mut faults = Vec::new();
    let mut left = None;
    for row in rows::all() {
        let cast = match left.take() {
            Some(cast) => cast,
            None => cast().await,
        };
        let mut is_as_it_was = !row.makes_of_few();
        // Who passes may change what the others need, so they come last.
        let mut cells: Vec<_> = CALLERS.into_iter().zip(row.cells).collect();
        cells.sort_by_key(|(_, cell)| *cell == Cell::Passes);
        for (who, cell) in cells {
            let status = cast.status(&row, who).await;
            is_as_it_was &= row.only_reads() || status.is_client_error();
            let told = fault(&row, cell, status);
            faults
                .extend(told.map(|told| format!("{} {} as {who:?}: {told}", row.method, row.path)));
        }
        // Making a world takes longer than asking in it. What one row wrote is never there for the next.
        left = is_as_it_was.then_some(cast);
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_route_has_a_row_and_every_row_a_route() {
    let rows = rows::all();
    let told: BTreeSet<(String, String)> = rows
        .iter()
        .map(|row| (row.method.to_owned(), row.path.clone()))
        .collect();
    assert_eq!(told.len(), rows.len(), "a route has two rows");
    let routes = tocsin_edge::routes();
    let pair = |route: &Listed| (route.method.clone(), route.path.clone());
    let without = routes.iter().filter(|route| !told.contains(&pair(route)));
    let drafts: Vec<String> = without.map(rows::draft).collect();
    assert!(
        drafts.is_empty(),
        "routes without a row. These are what their gates alone would do: name the object, and say what a handler refuses.\n{}",
        drafts.join("\n")
    );
    let known: BTreeSet<_> = routes.iter().map(pair).collect();
    let idle: Vec<_> = told.difference(&known).collect();
    assert!(idle.is_empty(), "rows without a route: {idle:#?}");
}

/// Whether an API token may be what proves who calls.
pub(crate) fn takes_tokens(route: &Listed) -> bool {
    match route.who {
        Gate::Role(_) | Gate::SelfOr(_) | Gate::Token(..) => true,
        Gate::Key(front) => front == Front::Alertmanager,
        Gate::Public | Gate::Session => false,
    }
}

#[test]
fn every_route_that_takes_a_token_says_which_scopes_it_needs() {
    let routes = tocsin_edge::routes();
    let open = routes
        .iter()
        .filter(|route| takes_tokens(route) && route.needs.is_none());
    let open: Vec<_> = open.map(|route| &route.path).collect();
    assert!(
        open.is_empty(),
        "routes that shut out every token with scopes: say in `access/scope.rs` what they need: {open:#?}"
    );
}
