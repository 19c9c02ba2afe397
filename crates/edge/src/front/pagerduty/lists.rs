//! Lists of what has a name: found by a part of it, in its order, page by page. It knows no noun.

use serde_json::Value;
use tocsin_wire::pagerduty::rest::{Cut, Paging};

use super::asked::Asked;
use super::reply::{Answer, Refused, Reply};

impl Asked {
    /// One page of what has a name, of which `query` names a part.
    pub(crate) fn named_page(&self, name: &str, mut all: Vec<Value>) -> Answer {
        let paging = self.paging()?;
        let names = all.iter().enumerate().map(|(index, one)| {
            let name = one["name"].as_str().unwrap_or_default();
            (index, name, "")
        });
        let cut = self.named_cut(paging, names)?;
        let shown = cut.map(|index| all.get_mut(index).map(Value::take));
        Ok(Reply::page(paging, name, shown))
    }

    /// The same page before anything of it is shown: of each thing its name, and what else it is found by.
    pub(crate) fn named_cut<'a, I: Copy + Ord>(
        &self,
        paging: Paging,
        all: impl Iterator<Item = (I, &'a str, &'a str)>,
    ) -> Result<Cut<I>, Refused> {
        let sorts = self.parameters.sorts(&[("name", ())])?;
        let query = self.parameters.get("query").map(str::to_lowercase);
        let wanted = |text: &str| {
            let query = query.as_ref();
            query.is_none_or(|query| text.to_lowercase().contains(query))
        };
        let all = all.filter(|&(_, name, also)| wanted(name) || wanted(also));
        let mut found: Vec<(String, I)> = all
            .map(|(thing, name, _)| (name.to_lowercase(), thing))
            .collect();
        found.sort_unstable();
        if let Some((_, true)) = sorts.first() {
            found.reverse();
        }
        Ok(paging.cut(found).map(|(_, thing)| Some(thing)))
    }
}
