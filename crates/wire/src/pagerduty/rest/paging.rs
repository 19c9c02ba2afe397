//! Paging by offset, which every list has that is served.

use serde_json::{Map, Value, json};

use super::parameters::Parameters;
use super::refusal::Refusal;

/// Entries of a page when none says how many.
pub const LIMIT_DEFAULT: usize = 25;
/// Entries of a page at most; who asks for more is given so many, and told so.
pub const LIMIT_MAX: usize = 100;
/// Entries that can be reached by offset.
pub const REACH_MAX: usize = 10_000;

/// Which page of a list is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Paging {
    /// Entries of the page at most.
    pub limit: usize,
    /// Entries before it.
    pub offset: usize,
    /// Whether all entries are to be counted.
    pub counted: bool,
}

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut<T> {
    /// Its entries.
    pub items: Vec<T>,
    /// Whether there are more behind it.
    pub more: bool,
    /// How many there are in all.
    pub total: usize,
}

impl<T> Cut<T> {
    /// The same page of what becomes of each entry; one of which nothing becomes is left out.
    pub fn map<U>(self, show: impl FnMut(T) -> Option<U>) -> Cut<U> {
        Cut {
            items: self.items.into_iter().filter_map(show).collect(),
            more: self.more,
            total: self.total,
        }
    }
}

impl Paging {
    /// Reads `limit`, `offset` and `total`.
    ///
    /// # Errors
    /// One of them is no number, or the page lies beyond what can be reached.
    pub fn read(parameters: &Parameters) -> Result<Self, Refusal> {
        let limit = limit_of(parameters)?;
        let offset = parameters.number("offset")?.unwrap_or(0);
        if offset.saturating_add(limit) > REACH_MAX {
            let why = format!("'offset' + 'limit' is more than {REACH_MAX}: narrow the search");
            return Err(Refusal::bad(why));
        }
        let counted = parameters.flag("total")?;
        Ok(Self {
            limit,
            offset,
            counted,
        })
    }

    /// Cuts the page out of all entries.
    #[must_use]
    pub fn cut<T>(&self, all: Vec<T>) -> Cut<T> {
        let total = all.len();
        let more = total > self.offset + self.limit;
        let items = all.into_iter().skip(self.offset).take(self.limit).collect();
        Cut { items, more, total }
    }

    /// The body of a page: its entries under their name, and where it stands.
    #[must_use]
    pub fn body(&self, name: &str, cut: Cut<Value>) -> Value {
        let mut body = Map::new();
        body.insert(name.to_owned(), Value::Array(cut.items));
        body.insert("limit".to_owned(), json!(self.limit));
        body.insert("offset".to_owned(), json!(self.offset));
        let total = self.counted.then_some(cut.total);
        body.insert("total".to_owned(), json!(total));
        body.insert("more".to_owned(), json!(cut.more));
        Value::Object(body)
    }

    /// The end of the same body behind its entries, for whoever writes them at once.
    #[must_use]
    pub fn list_ends<T>(&self, cut: &Cut<T>) -> String {
        let total = self.counted.then_some(cut.total);
        let total = total.map_or_else(|| "null".to_owned(), |total| total.to_string());
        format!(
            "],\"limit\":{},\"offset\":{},\"total\":{total},\"more\":{}}}",
            self.limit, self.offset, cut.more
        )
    }
}

/// Entries of a page at most, as `limit` says it.
///
/// # Errors
/// It is no number, or zero.
pub fn limit_of(parameters: &Parameters) -> Result<usize, Refusal> {
    match parameters.number("limit")? {
        None => Ok(LIMIT_DEFAULT),
        Some(0) => Err(Refusal::bad("'limit' is invalid: it is 1 or more")),
        Some(limit) => Ok(limit.min(LIMIT_MAX)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(query: &[(&str, &str)]) -> Parameters {
        let pairs = query.iter();
        let pairs = pairs.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Parameters::new(pairs).unwrap()
    }

    fn read(query: &[(&str, &str)]) -> Option<(usize, usize, bool)> {
        let paging = Paging::read(&of(query)).ok()?;
        Some((paging.limit, paging.offset, paging.counted))
    }

    #[test]
    fn a_page_has_its_usual_size_and_never_more_than_a_hundred() {
        assert_eq!(read(&[]), Some((25, 0, false)));
        assert_eq!(
            read(&[("limit", "500"), ("offset", "7"), ("total", "true")]),
            Some((100, 7, true))
        );
        assert_eq!(read(&[("limit", "0")]), None);
        assert_eq!(
            read(&[("offset", "9900"), ("limit", "100")]),
            Some((100, 9_900, false))
        );
        assert_eq!(read(&[("offset", "9901"), ("limit", "100")]), None);
        assert_eq!(read(&[("offset", "18446744073709551615")]), None);
    }

    #[test]
    fn the_total_is_told_only_when_it_is_asked_for() {
        let body = |query| {
            let paging = Paging::read(&of(query)).unwrap();
            paging.body("users", paging.cut(vec![json!(1), json!(2), json!(3)]))
        };
        assert_eq!(
            body(&[("limit", "2")]),
            json!({"users": [1, 2], "limit": 2, "offset": 0, "total": null, "more": true})
        );
        assert_eq!(body(&[("total", "1")])["total"], json!(3));
    }

    #[test]
    fn a_page_reads_the_same_however_it_is_written() {
        for query in [&[("limit", "2")][..], &[("total", "1"), ("offset", "1")]] {
            let paging = Paging::read(&of(query)).unwrap();
            let cut = paging.cut(vec![json!({"id": 1}), json!(2), json!(3)]);
            let items: Vec<String> = cut.items.iter().map(Value::to_string).collect();
            let end = paging.list_ends(&cut);
            let written = format!("{{\"users\":[{}{end}", items.join(","));
            let written: Value = serde_json::from_str(&written).unwrap();
            assert_eq!(written, paging.body("users", cut));
        }
    }

    proptest! {
        #[test]
        fn pages_one_after_the_other_are_the_whole_list(count in 0_usize..300, limit in 1_usize..120) {
            let all: Vec<usize> = (0..count).collect();
            let (mut seen, mut offset) = (Vec::new(), 0);
            loop {
                let limit = limit.min(LIMIT_MAX);
                let cut = Paging { limit, offset, counted: false }.cut(all.clone());
                prop_assert_eq!(cut.total, count);
                offset += cut.items.len();
                seen.extend(cut.items);
                if !cut.more {
                    break;
                }
            }
            prop_assert_eq!(seen, all);
        }
    }
}
