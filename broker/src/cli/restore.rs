//! `restore`: a backup becomes the data directory of a fenced broker. Works on files; no broker is asked.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::backup::{failed, opener};
use super::failure::Failure;
use super::passphrase::PassphraseOptions;
use super::screen::{Form, Screen};
use crate::backup::unpack;
use crate::domain::words::counted;

/// Put a backup into an empty data directory
///
/// The broker that is started on it is fenced: it serves tokens that are still good and renews nothing, because refresh
/// tokens in the backup may have been used since. 'promote' says which, and ends the fence. The high-water mark, when it
/// lies on another volume and survived, is what knows: leave it where it is.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  scorpiox-broker restore broker.age --data /var/lib/scorpiox-broker\n  \
    scorpiox-broker serve --config /etc/scorpiox-broker/scorpiox-broker.toml\n  scorpiox-broker promote --check\n  \
    scorpiox-broker promote")]
pub(super) struct RestoreArguments {
    /// The backup
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The data directory: empty, or not there yet
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// A file with the age identity of a recipient, instead of a passphrase
    #[arg(long, value_name = "FILE", conflicts_with_all = ["passphrase_file", "passphrase_fd"])]
    identity_file: Option<PathBuf>,
    #[command(flatten)]
    passphrase: PassphraseOptions,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
}

impl RestoreArguments {
    pub(super) fn run(self, screen: &mut Screen) -> Result<(), Failure> {
        let opener = opener(self.identity_file.as_deref(), &self.passphrase, screen)?;
        // Afterwards: a descriptor of a process that is closed to everybody cannot be opened again.
        crate::startup::keep_secrets_in_memory();
        let restored = unpack::restore(&self.file, &opener, &self.data);
        let manifest = restored.map_err(|error| failed(&self.file, &error))?;
        let (data, taken_at) = (self.data.display(), screen.date(manifest.taken_at));
        if screen.form() == Form::Json {
            let logins = manifest.credentials.len();
            return screen.json(&json!({ "data": self.data, "taken_at": manifest.taken_at, "logins": logins }));
        }
        let logins = counted(manifest.credentials.len(), "login", "logins");
        screen.answer(&format!("{data} holds the backup of {taken_at} with {logins}; its broker will be fenced"))?;
        screen.say(&format!(
            "the keys are in {data}/master.key and {data}/pepper.key, without a passphrase: move them where [keys] says, and \
             give the files to the service's user\n\
             no administrator is logged in any more: over the network each logs in again\n  \
             next: start the broker, then scorpiox-broker promote --check"
        ));
        Ok(())
    }
}
