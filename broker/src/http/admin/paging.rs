//! Which part of a list.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, web};
use scorpiox_wire::Code;
use scorpiox_wire::admin::{PAGE_LIMIT, PAGE_LIMIT_MOST};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::domain::credential::Name;
use crate::http::error::{Refusal, unreadable_query};

/// The query of a list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct PageQuery {
    /// The `next` of the page before; without it the list begins.
    #[param(min_length = 1, max_length = 64, pattern = "^[A-Za-z0-9][A-Za-z0-9@._-]*$")]
    after: Option<String>,
    /// So many items at most.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<u32>,
}

/// Which part of a list is asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Paged {
    /// The cursor; each list knows its own.
    pub(super) after: Option<String>,
    /// Between 1 and [`PAGE_LIMIT_MOST`].
    pub(super) limit: u32,
}

impl Paged {
    fn read(query: &str) -> Result<Self, Refusal> {
        let query = web::Query::<PageQuery>::from_query(query).map_err(|error| unreadable_query(&error))?;
        // Names, and codes, which could be names.
        if query.after.as_deref().is_some_and(|after| Name::parse(after).is_err()) {
            return Err(strange_cursor());
        }
        Ok(Self { after: query.after.clone(), limit: limited(query.limit)? })
    }

    /// The cursor of a list in the order of names.
    pub(super) fn after_name(&self) -> Result<Option<Name>, Refusal> {
        let parse = |after: &str| Name::parse(after).map_err(|_| strange_cursor());
        self.after.as_deref().map(parse).transpose()
    }
}

impl FromRequest for Paged {
    type Error = Refusal;
    type Future = Ready<Result<Self, Refusal>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::read(request.query_string()))
    }
}

/// The limit, or why it is none.
pub(super) fn limited(limit: Option<u32>) -> Result<u32, Refusal> {
    match limit.unwrap_or(PAGE_LIMIT) {
        limit @ 1..=PAGE_LIMIT_MOST => Ok(limit),
        limit => Err(Refusal::new(
            Code::BadRequest,
            format!("a page has between 1 and {PAGE_LIMIT_MOST} items, not {limit}"),
        )),
    }
}

/// A cursor that no page of this list gave.
pub(super) fn strange_cursor() -> Refusal {
    Refusal::new(Code::BadRequest, "'after' is not the 'next' of a page of this list")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_begins_where_the_one_before_says_and_has_a_hundred_items() {
        let paged = |after: Option<&str>, limit| Ok(Paged { after: after.map(str::to_owned), limit });
        assert_eq!(Paged::read(""), paged(None, 100));
        assert_eq!(Paged::read("after=anna&limit=1"), paged(Some("anna"), 1));
        assert_eq!(Paged::read("limit=1000"), paged(None, 1000));
    }

    #[test]
    fn what_is_no_page_is_refused_and_named() {
        for (query, named) in [
            ("limit=0", "not 0"),
            ("limit=1001", "not 1001"),
            ("limit=-1", "invalid digit"),
            ("limit=", "cannot parse"),
            ("limit=1&limit=2", "duplicate field `limit`"),
            ("offset=7", "unknown field `offset`"),
            ("after=", "'after'"),
            ("after=%20", "'after'"),
            (&format!("after={}", "a".repeat(65)), "'after'"),
        ] {
            let refusal = Paged::read(query).unwrap_err();
            assert_eq!(refusal.problem.code, Code::BadRequest, "{query}");
            assert!(refusal.problem.message.contains(named), "{query}: {refusal}");
        }
    }
}
