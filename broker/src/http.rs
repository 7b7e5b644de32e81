//! Everything between a socket and a handler.
//!
//! Files in dependency order:
//!
//! * [`request_id`]: the name of one request.

pub mod request_id;
