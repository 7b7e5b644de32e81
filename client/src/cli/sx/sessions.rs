//! `sx sessions`: the conversations that are kept.
//!
//! * [`list`]: at a glance. * [`document`]: one of them, to read. * [`delete`]: for good.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Subcommand};

use self::delete::{Deletion, age};
use self::document::To;
use crate::clock::Clock;
use crate::failure::{Class, Failure};
use crate::session::store::{NotFound, Store};
use crate::session::transcript::NotOpened;
use crate::session::{self};
use crate::talk::Talk;

mod delete;
mod document;
pub(super) mod list;

const NOTES: &str = "\
Examples:
  sx sessions list                        what was talked about in this directory, the last one first
  sx sessions list --all --json           everywhere, a JSON object a line
  sx sessions show 1a2b                   as much of an id as no other has is enough
  sx sessions export 1a2b -o talk.md      a Markdown document; never overwrites a file
  sx sessions delete 1a2b 3c4d
  sx sessions delete --older-than 30d     not used for so long; h, d or w
  sx --resume 1a2b                        goes on with one; sx --continue with the last one of this directory

Conversations are plain files below $XDG_STATE_HOME/scorpiox/sessions (else ~/.local/state), for your eyes only: they hold
what was said and what tools printed, secrets among it if there were any. Nothing is deleted unless you do it.
";

/// What is typed behind `sx`.
#[derive(Debug, Subcommand)]
pub(super) enum Group {
    /// The conversations that are kept: list, show, export, delete
    #[command(after_help = NOTES)]
    Sessions(TypedDeed),
}

/// What is typed behind `sx sessions`.
#[derive(Debug, Args)]
pub(super) struct TypedDeed {
    #[command(subcommand)]
    deed: Deed,
}

/// What is to be done with conversations.
#[derive(Debug, PartialEq, Eq, Subcommand)]
pub(super) enum Deed {
    /// Conversations at a glance: id, last use, tokens, what was said first
    #[command(after_help = NOTES)]
    List {
        /// Those of all directories
        #[arg(long)]
        all: bool,
        /// A JSON object a line: id, began_at, used_at, directory, prompt, model, turns, usage
        #[arg(long)]
        json: bool,
    },
    /// Show one conversation
    Show {
        /// Its id, or as much of it as no other has
        #[arg(value_name = "ID")]
        id: String,
    },
    /// Write one conversation as a Markdown document
    Export {
        /// Its id, or as much of it as no other has
        #[arg(value_name = "ID")]
        id: String,
        /// A new file; standard output when there is none
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Delete conversations for good; asks on a terminal
    Delete {
        /// Their ids
        #[arg(value_name = "ID", required_unless_present = "older_than")]
        ids: Vec<String>,
        /// Those that were not used for so long: 12h, 30d, 8w
        #[arg(long, value_name = "AGE", conflicts_with = "ids", value_parser = age)]
        older_than: Option<std::time::Duration>,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

impl From<Group> for Deed {
    fn from(Group::Sessions(TypedDeed { deed }): Group) -> Self {
        deed
    }
}

/// Does it.
pub(super) fn run(
    deed: &Deed,
    environment: &dyn Fn(&str) -> Option<OsString>,
    clock: &dyn Clock,
    talk: &mut Talk,
) -> Result<(), Failure> {
    let store = store(environment)?;
    match deed {
        Deed::List { all, json } => list::list(&store, *all, *json, talk),
        Deed::Show { id } => document::write(&store, id, To::Person),
        Deed::Export { id, output: None } => document::write(&store, id, To::Stdout),
        Deed::Export { id, output: Some(path) } => document::write(&store, id, To::File(path)),
        Deed::Delete { ids, older_than, yes } => {
            let consent = if *yes { delete::Consent::Given } else { delete::Consent::Asked };
            let deletion = match older_than {
                None => Deletion::Named(ids),
                Some(age) => Deletion::OlderThan(*age),
            };
            delete::delete(&store, &deletion, consent, clock, talk)
        }
    }
}

/// The conversations of this user.
pub(super) fn store(environment: &dyn Fn(&str) -> Option<OsString>) -> Result<Store, Failure> {
    let nowhere = || Failure::configuration("there is no place for conversations").with_hint("set HOME");
    session::place(environment).map(Store::at).ok_or_else(nowhere)
}

/// The conversation that is meant.
pub(super) fn named(store: &Store, word: &str) -> Result<String, Failure> {
    store.named(word).map_err(|error| {
        let hint = match error {
            NotFound::Unknown(_) => "sx sessions list --all names them",
            NotFound::Several(_) => "type more of its id; sx sessions list --all names them",
        };
        Failure::new(Class::Usage, error.to_string()).with_hint(hint)
    })
}

/// Why a conversation is not at hand.
pub(super) fn not_at_hand(id: &str, error: &NotOpened) -> Failure {
    let text = format!("{}: {error}", short(id));
    match error {
        NotOpened::Held => Failure::temporary(text),
        NotOpened::Unreadable(_) => Failure::person_must_act(text),
        NotOpened::Io(_) => Failure::temporary(text),
    }
}

/// As much of an id as a person needs.
pub(super) fn short(id: &str) -> &str {
    id.get(..8).unwrap_or(id)
}
