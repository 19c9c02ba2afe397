//! Lists of what has a name: found by a part of it, in its order, page by page. It knows no noun.

use serde_json::Value;

use super::asked::Asked;
use super::reply::{Answer, Reply};

impl Asked {
    /// One page of what has a name, of which `query` names a part.
    pub(crate) fn named_page(&self, name: &str, all: Vec<Value>) -> Answer {
        let paging = self.paging()?;
        let query = self.parameters.get("query").map(str::to_lowercase);
        let text = |one: &Value, field: &str| {
            let text = one[field].as_str().unwrap_or_default();
            text.to_lowercase()
        };
        let wanted = |one: &Value| {
            query.as_ref().is_none_or(|query| {
                text(one, "name").contains(query) || text(one, "email").contains(query)
            })
        };
        let mut found: Vec<Value> = all.into_iter().filter(wanted).collect();
        found.sort_by_cached_key(|one| (text(one, "name"), one["id"].to_string()));
        if self.parameters.get("sort_by") == Some("name:desc") {
            found.reverse();
        }
        Ok(Reply::page(paging, name, paging.cut(found)))
    }
}
