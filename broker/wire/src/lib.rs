//! The contract between the broker and its clients: what goes over the wire, and nothing else.
//!
//! Files in dependency order:
//!
//! * [`secret`]: text that must not leak: redacts, zeroes, and has one named way to be read.
//! * [`client_key`]: the shape of a client's key, so that a typing error is found before it travels.
//! * [`admin_key`]: the same for the key of a program that administers.
//! * [`token`]: what `GET /codex` asks and answers.
//! * [`stock`]: what stock clients read: their file, a token endpoint's answer.
//! * [`problem`]: the one shape of an error, and its codes.
//! * [`admin`]: bodies of the administration operations.

pub mod admin;
pub mod admin_key;
pub mod client_key;
pub mod problem;
pub mod secret;
pub mod stock;
pub mod token;

pub use admin_key::AdminKey;
pub use client_key::ClientKey;
pub use problem::{Code, Problem};
pub use secret::Secret;
pub use token::{TokenAnswer, TokenTag};
