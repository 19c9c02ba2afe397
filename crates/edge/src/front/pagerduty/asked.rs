//! A request of the REST API with all that handlers read of it: who calls, its parameters, its body, and where links lead. It
//! knows no noun.

use axum::extract::{self, FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use bytes::Bytes;
use serde::de::DeserializeOwned;
use tocsin_domain::time::Timestamp;
use tocsin_wire::pagerduty::rest::body::BODY_BYTES_MAX;
use tocsin_wire::pagerduty::rest::{Paging, Parameters, Refusal};

use super::PREFIX;
use super::place::Place;
use super::reply::Refused;
use crate::access::who::Caller;
use crate::app::App;
use crate::http::body;
use crate::http::problem::Problem;

/// Bytes of the address of whoever is spoken for, at most.
const FROM_BYTES_MAX: usize = 320;

/// A request.
#[derive(Clone)]
pub(crate) struct Asked {
    pub(crate) app: App,
    pub(crate) caller: Caller,
    pub(crate) parameters: Parameters,
    pub(crate) body: Bytes,
    pub(crate) place: Place,
    /// The address in the `From` header.
    pub(crate) from: Option<String>,
}

impl FromRequest<App> for Asked {
    type Rejection = Refused;

    async fn from_request(request: Request, app: &App) -> Result<Self, Refused> {
        let (parts, content) = request.into_parts();
        // Missing only when a public route asks for it, which is a mistake of ours: refuse.
        let caller = parts.extensions.get::<Caller>().cloned();
        let caller = caller.ok_or_else(|| Problem::unauthenticated("send an API token"))?;
        let query = parts.uri.query().unwrap_or_default();
        let pairs = form_urlencoded::parse(query.as_bytes());
        let pairs = pairs.map(|(name, value)| (name.into_owned(), value.into_owned()));
        let parameters = Parameters::new(pairs)?;
        let is_prefixed = parts.uri.path().starts_with(&format!("{PREFIX}/"));
        let from = parts.headers.get("from");
        let from = from.and_then(|value| value.to_str().ok()).map(str::trim);
        let from = from.filter(|text| !text.is_empty() && text.len() <= FROM_BYTES_MAX);
        let from = from.map(str::to_owned);
        let body = body::read(&parts.headers, content, BODY_BYTES_MAX).await?;
        Ok(Self {
            app: app.clone(),
            caller,
            parameters,
            body,
            place: Place::new(&app.settings.public_url, is_prefixed),
            from,
        })
    }
}

/// What a path names. One that cannot be read is refused in PagerDuty's form, as all else.
pub(crate) struct Path<T>(pub(crate) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refused> {
        let read = extract::Path::<T>::from_request_parts(parts, state).await;
        let extract::Path(named) = read.map_err(|error| {
            let why = format!("the path cannot be read: {}", error.body_text());
            if error.status().is_client_error() {
                Refusal::bad(why)
            } else {
                Refusal::failed(error.status().as_u16(), why)
            }
        })?;
        Ok(Self(named))
    }
}

impl Asked {
    /// The same by the clocks of the zone that `time_zone` names: times in the answer are written by them, and times in the
    /// parameters that say no offset are read by them. Only where PagerDuty has the parameter; elsewhere it means nothing.
    pub(crate) fn zoned(mut self) -> Result<Self, Refused> {
        if let Some(zone) = self.parameters.zone()? {
            self.place = self.place.in_zone(zone);
        }
        Ok(self)
    }

    /// The instant in a parameter.
    pub(crate) fn time(&self, name: &str) -> Result<Option<Timestamp>, Refused> {
        Ok(self.parameters.time(name, self.place.zone())?)
    }

    /// Does `work` in the turn of whoever changes the roster, and to the end: what it reads it may write back, and undoes no change of
    /// somebody else's. What is asked of the roster within it is asked for in this turn. The answer is made afterwards.
    pub(crate) async fn in_turn<T, W>(&self, work: impl FnOnce(Self) -> W) -> Result<T, Refused>
    where
        T: Send + 'static,
        W: Future<Output = Result<T, Refused>> + Send + 'static,
    {
        let work = work(self.clone());
        App::in_turn(&self.app.inner().roster_changes, work).await
    }

    /// Which page of a list is wanted.
    pub(crate) fn paging(&self) -> Result<Paging, Refused> {
        Ok(Paging::read(&self.parameters)?)
    }
}
