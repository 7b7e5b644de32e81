//! `import`: take over a login that a stock client keeps in its `auth.json`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::Args;
use scorpiox_wire::admin::ImportRequest;

use super::auth_file::AuthFile;
use super::desk::{Desk, Errand};
use super::failure::{Exit, Failure};
use super::login::welcome;
use super::screen::Reply;
use super::text::quoted;
use crate::domain::credential::Name;

/// Take over a login from a stock client's auth.json
///
/// From then on the broker owns the login: a program that still renews from the file would end it. So the file is to
/// be renamed; on a terminal the command asks, elsewhere it says how, and --rename does it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  scorpiox-broker import ~/.codex/auth.json\n  \
    scorpiox-broker import auth.json --name team --rename")]
pub(super) struct ImportArguments {
    /// The stock client's auth.json
    file: PathBuf,
    /// Name of the credential
    #[arg(long, default_value = "main", value_parser = Name::parse)]
    name: Name,
    /// Allow a login of another account to replace an existing one
    #[arg(long)]
    replace_account: bool,
    /// Rename the file afterwards, without asking
    #[arg(long, conflicts_with = "keep")]
    rename: bool,
    /// Leave the file where it is, without asking
    #[arg(long)]
    keep: bool,
}

impl Errand for ImportArguments {
    async fn run(self, desk: &mut Desk) -> Result<(), Failure> {
        let AuthFile { access_token, refresh_token, id_token, account_id } = AuthFile::read(&self.file)?;
        let request = ImportRequest {
            name: self.name.to_string(),
            access_token,
            refresh_token,
            id_token,
            account_id,
            replace_account: self.replace_account,
        };
        let view = desk.broker.import(&request).await?;
        desk.answer(&view, |view, wording| welcome(view, "taken over", wording))?;
        let file = self.file.display();
        desk.screen.say(&format!(
            "{file} must not be used any more: the broker renews this login now, and a second one that does ends it"
        ));
        put_away(desk, &self)
    }
}

/// Renames the file, or says how.
fn put_away(desk: &mut Desk, arguments: &ImportArguments) -> Result<(), Failure> {
    if arguments.keep {
        return Ok(());
    }
    // A symbolic link is often somebody's dotfile: what it points to is what must not be used.
    let file = fs::canonicalize(&arguments.file).map_err(|error| Failure::of_file(&arguments.file, &error))?;
    let aside = aside(&file);
    let wanted = match arguments.rename {
        true => Reply::Yes,
        false => desk.screen.ask(&format!("Rename it to {}?", aside.display())),
    };
    match wanted {
        Reply::Yes => {
            rename(&file, &aside)?;
            desk.screen.say(&format!("it is now {}", aside.display()));
        }
        Reply::No | Reply::Nobody => {
            desk.screen.say(&format!("  next: mv {} {}", quoted(&file), quoted(&aside)));
        }
    }
    Ok(())
}

fn aside(file: &Path) -> PathBuf {
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(".imported-by-scorpiox");
    file.with_file_name(name)
}

fn rename(file: &Path, aside: &Path) -> Result<(), Failure> {
    let outcome = match fs::symlink_metadata(aside) {
        Ok(_) => Err(io::Error::new(io::ErrorKind::AlreadyExists, "it exists already")),
        Err(_) => fs::rename(file, aside),
    };
    outcome.map_err(|error| {
        let message = format!("the login was taken over, but its file was not renamed to {}: {error}", aside.display());
        Failure::new(Exit::Failed, message).next(format!("move or delete {}", file.display()))
    })
}
