//! Lists come in pages.

use serde::{Deserialize, Serialize};

/// So many items are in a page when nobody says otherwise.
pub const PAGE_LIMIT: u32 = 100;
/// The most that may be asked for.
pub const PAGE_LIMIT_MOST: u32 = 1_000;

/// A part of a list.
///
/// ```json
/// {"items":[…],"next":"laptop-anna"}
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Page<T> {
    /// In the list's order.
    pub items: Vec<T>,
    /// What to pass as `after` for the next page; null when this is the last one.
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// The first `limit` of `items`. Whoever reads one more than the limit learns from it whether the list goes on.
    pub fn cut(mut items: Vec<T>, limit: u32, cursor: impl Fn(&T) -> String) -> Self {
        let limit = limit as usize;
        let goes_on = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| goes_on).map(cursor);
        Self { items, next }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_tells_whether_there_is_another_and_where_it_begins() {
        let page = |limit| Page::cut(vec!["a", "b", "c"], limit, |item| (*item).to_owned());
        assert_eq!(serde_json::to_string(&page(2)).unwrap(), r#"{"items":["a","b"],"next":"b"}"#);
        assert_eq!(serde_json::to_string(&page(3)).unwrap(), r#"{"items":["a","b","c"],"next":null}"#);
    }
}
