//! Lists by pages: a limit and a cursor, which is the id of the last item given. It knows no noun.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::problem::Problem;

/// Items of a page when none is asked for.
const LIMIT_DEFAULT: usize = 50;
/// Items of a page at most.
const LIMIT_MAX: usize = 200;

/// Which page of a list.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageQuery {
    /// Items wanted, 1 to 200; 50 when not given.
    #[param(minimum = 1, maximum = 200)]
    pub(crate) limit: Option<usize>,
    /// `next_cursor` of the page before.
    pub(crate) cursor: Option<String>,
}

/// One page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Page<T> {
    /// The items.
    pub(crate) items: Vec<T>,
    /// Asks for the next page; null on the last.
    pub(crate) next_cursor: Option<String>,
}

impl PageQuery {
    /// How many items are wanted.
    pub(crate) fn limit(&self) -> Result<usize, Problem> {
        match self.limit {
            None => Ok(LIMIT_DEFAULT),
            Some(limit) if (1..=LIMIT_MAX).contains(&limit) => Ok(limit),
            Some(_) => Err(Problem::bad(format!("limit: must be 1 to {LIMIT_MAX}"))),
        }
    }

    /// The cursor as a number, for lists that are ordered by one.
    pub(crate) fn after_number(&self) -> Result<Option<u64>, Problem> {
        let Some(cursor) = &self.cursor else {
            return Ok(None);
        };
        cursor.parse().map(Some).map_err(|_| stale_cursor())
    }

    /// Cuts a page out of the whole list. `key` names each item uniquely.
    pub(crate) fn cut<T>(&self, all: Vec<T>, key: impl Fn(&T) -> &str) -> Result<Page<T>, Problem> {
        let limit = self.limit()?;
        let skip = match &self.cursor {
            None => 0,
            Some(cursor) => {
                1 + all
                    .iter()
                    .position(|item| key(item) == cursor)
                    .ok_or_else(stale_cursor)?
            }
        };
        let total = all.len();
        let items: Vec<T> = all.into_iter().skip(skip).take(limit).collect();
        let more = skip + items.len() < total;
        let next_cursor = items
            .last()
            .filter(|_| more)
            .map(|item| key(item).to_owned());
        Ok(Page { items, next_cursor })
    }
}

fn stale_cursor() -> Problem {
    Problem::bad(
        "cursor: not one that was given here, or its item is gone; begin again without a cursor",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(
        limit: Option<usize>,
        cursor: Option<&str>,
    ) -> Result<(Vec<String>, Option<String>), Problem> {
        let all = ["a", "b", "c", "d", "e"].map(str::to_owned).to_vec();
        let query = PageQuery {
            limit,
            cursor: cursor.map(str::to_owned),
        };
        query
            .cut(all, |item| item.as_str())
            .map(|page| (page.items, page.next_cursor))
    }

    #[test]
    fn pages_follow_each_other_without_gap_or_overlap() {
        let strings = |items: &[&str]| {
            items
                .iter()
                .map(|item| (*item).to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(
            cut(Some(2), None).unwrap(),
            (strings(&["a", "b"]), Some("b".to_owned()))
        );
        assert_eq!(
            cut(Some(2), Some("b")).unwrap(),
            (strings(&["c", "d"]), Some("d".to_owned()))
        );
        assert_eq!(cut(Some(2), Some("d")).unwrap(), (strings(&["e"]), None));
        assert_eq!(cut(Some(5), None).unwrap().1, None);
        assert!(cut(Some(2), Some("z")).is_err());
        assert!(cut(Some(0), None).is_err());
        assert!(cut(Some(201), None).is_err());
    }
}
