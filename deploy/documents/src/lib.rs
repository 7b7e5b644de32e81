//! Shell completions and man pages of every command, made of the definitions of their command lines. So they cannot say
//! anything else than `--help` does, and the commands themselves carry nothing of this.
//!
//! * [`commands`]: all of them.
//! * [`completion`]: what bash, zsh and fish read.
//! * [`manual`]: what `man` reads; a page for each subcommand too.
//! * [`write`]: all of it, where the systems look for it below a prefix such as `/usr/local`.

pub mod completion;
pub mod manual;

use std::io;
use std::path::{Path, PathBuf};

use clap::Command;

/// A file to be written.
#[derive(Debug)]
pub struct Document {
    /// Where, below the prefix.
    pub path: PathBuf,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// The definitions of all commands that people install.
pub fn commands() -> Vec<Command> {
    use scorpiox_client::cli;
    vec![
        scorpiox_broker::cli::command(),
        cli::config::command(),
        cli::fetchtoken::command(),
        cli::login::command(),
        cli::models::command(),
        cli::refreshtoken::command(),
        cli::sx::command(),
        cli::usage::command(),
    ]
}

/// Writes all documents below this prefix and returns where they are.
pub fn write(prefix: &Path) -> io::Result<Vec<PathBuf>> {
    let documents = commands().into_iter().flat_map(|command| {
        let completions = completion::documents(&command);
        completions.into_iter().chain(manual::documents(command))
    });
    documents.map(|document| write_one(prefix, &document)).collect()
}

fn write_one(prefix: &Path, document: &Document) -> io::Result<PathBuf> {
    let path = prefix.join(&document.path);
    let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
    let directory = path.parent().expect("a document's path has a directory");
    std::fs::create_dir_all(directory).and_then(|()| std::fs::write(&path, &document.bytes)).map_err(named)?;
    Ok(path)
}
