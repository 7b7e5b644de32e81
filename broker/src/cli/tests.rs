//! The command line against a broker that answers from a script.

mod alert;
mod audit;
mod client;
mod credential;
mod harness;
mod import;
mod local;
mod login;
mod reach;
mod sign_in;
mod typed;
