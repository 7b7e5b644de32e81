//! The developer's side of the token broker: where a good access token comes from, and the commands that print it.
//!
//! Files in dependency order:
//!
//! * [`clock`]: time as an argument.
//! * [`failure`]: why there is no token: one line, one exit code.
//! * [`talk`]: what a command says besides its answer.
//! * [`char_boundary`]: where a text may be cut.
//! * [`framing`]: a text of somebody else, which cannot pass for ours.
//! * [`bounded_file`]: reading a file that may be anything.
//! * [`durable_file`]: files that are whole after any end.
//! * [`json_object`]: a JSON object of which some members are replaced and all others kept.
//! * [`state_directory`]: the user's private directory for what survives a command.
//! * [`settings`]: as written, and as meant.
//! * [`mod@http`]: HTTP as every part of this crate speaks it.
//! * [`terminal`]: what it can show, and giving it back.
//! * [`oauth`]: the login server: what is said to it and what its answers mean.
//! * [`auth_file`]: a login in the shape of the stock CLI's file.
//! * [`token`]: an access token, and where one can come from.
//! * [`conversation`]: a conversation with a model, pure.
//! * [`mod@image`]: images for the model.
//! * [`model`]: how the model is asked, and how its answer is read.
//! * [`backend`]: what the ChatGPT backend is asked besides the conversation.
//! * [`random`]: random numbers of the system.
//! * [`drive`]: a turn of a conversation where it meets the world.
//! * [`session`]: a conversation that is kept.
//! * [`instructions`]: what the person and a project ask of every conversation.
//! * [`tool`]: what the model may do on this machine.
//! * [`cli`]: one file per command.
//!
//! Everything blocks, and the commands start as fast as `cat`. Only the ssh source has an asynchronous runtime: one
//! thread's, and only while it has a connection.

pub mod auth_file;
pub mod backend;
pub mod bounded_file;
pub mod char_boundary;
pub mod cli;
pub mod clock;
pub mod conversation;
pub mod drive;
pub mod durable_file;
pub mod failure;
pub mod framing;
pub mod http;
pub mod image;
pub mod instructions;
pub mod json_object;
pub mod model;
pub mod oauth;
pub mod random;
pub mod session;
pub mod settings;
pub mod state_directory;
pub mod talk;
pub mod terminal;
pub mod token;
pub mod tool;
