//! One look at a request's head: everything that is refused before an application sees it.

use std::net::IpAddr;

use actix_http::RequestHead;
use actix_web::http::StatusCode;
use actix_web::http::header::{AUTHORIZATION, CONTENT_LENGTH, HeaderName};
use scorpiox_wire::{Code, Problem};

use super::error::Refusal;
use super::limits::Bounds;
use super::request_id::{self, RequestId};
use super::target;
use super::visitor::client_address;

/// Longest `Authorization` that any interface of ours could mean, in bytes.
const AUTHORIZATION_BYTES: usize = 4096;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// What one look at a request's head says.
pub(super) struct Seen {
    /// The id that the client or a proxy chose.
    pub(super) id: Option<RequestId>,
    /// The client, where the peer is a trusted proxy.
    pub(super) behind_proxy: Option<IpAddr>,
    /// Whether the application may see the request.
    pub(super) outcome: Result<(), Problem>,
}

/// One pass over the headers, and the target.
pub(super) fn inspect(head: &RequestHead, has_body: bool, bounds: &Bounds) -> Seen {
    let mut bytes = 0;
    let mut authorizations = 0;
    let mut too_long = false;
    let mut id = None;
    for (name, value) in head.headers() {
        // Name, colon, space, value, line end.
        bytes += name.as_str().len() + value.len() + 4;
        if name == AUTHORIZATION {
            authorizations += 1;
            too_long |= value.len() > AUTHORIZATION_BYTES;
        } else if name == request_id::HEADER {
            id = RequestId::from_header(value.as_bytes());
        }
    }
    let outcome = if bytes > bounds.header_bytes || too_long {
        Err(Refusal::from_status(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE).problem)
    } else if authorizations > 1 {
        // The framework would take the first and a proxy in front of us perhaps the last.
        Err(Problem::new(Code::BadRequest, "the request has two Authorization headers"))
    } else if has_body && declared_length(head).is_some_and(|length| length > bounds.body_bytes as u64) {
        Err(Refusal::from_status(StatusCode::PAYLOAD_TOO_LARGE).problem)
    } else {
        target::check(head.uri.path(), head.uri.query())
    };
    Seen { id, behind_proxy: behind_proxy(head, bounds), outcome }
}

fn declared_length(head: &RequestHead) -> Option<u64> {
    head.headers().get(CONTENT_LENGTH)?.to_str().ok()?.trim().parse().ok()
}

fn behind_proxy(head: &RequestHead, bounds: &Bounds) -> Option<IpAddr> {
    if bounds.trusted_proxies.is_empty() {
        return None;
    }
    let peer = head.peer_addr?.ip();
    // Values that are no text break the chain as any other entry that is no address.
    let forwarded = head.headers().get_all(FORWARDED_FOR).map(|value| value.to_str().unwrap_or("?"));
    let forwarded: Vec<&str> = forwarded.collect();
    Some(client_address(peer, &bounds.trusted_proxies, forwarded.into_iter()))
}
