//! One file per command: what was typed becomes what is meant, then it is done.

pub mod config;
pub mod fetchtoken;
