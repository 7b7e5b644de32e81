//! One file per command: what was typed becomes what is meant, then it is done.

mod backend;
pub mod config;
mod escape;
pub mod fetchtoken;
pub mod login;
pub mod models;
mod moment;
mod outcome;
pub mod refreshtoken;
pub mod sx;
pub mod usage;
