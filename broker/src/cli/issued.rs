//! A client key that was just made, handed over this once.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use scorpiox_wire::admin::ClientIssued;
use serde_json::json;

use super::desk::Desk;
use super::failure::{Exit, Failure};
use super::screen::Form;

/// Where the key goes.
pub(super) enum Destination {
    Screen,
    File(Reserved),
}

/// A new file that waits for its key, and goes away when none comes.
pub(super) struct Reserved {
    path: PathBuf,
    file: File,
    filled: bool,
}

impl Destination {
    /// Before the broker is asked: a key that was made and cannot be kept would be lost.
    pub(super) fn prepare(path: Option<PathBuf>) -> Result<Self, Failure> {
        let Some(path) = path else { return Ok(Self::Screen) };
        let path = std::path::absolute(&path).map_err(|error| Failure::of_file(&path, &error))?;
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        let file = file.map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => {
                Failure::new(Exit::Failed, format!("{} exists already and was left as it is", path.display()))
                    .next("choose another name for --key-file")
            }
            _ => Failure::of_file(&path, &error),
        })?;
        Ok(Self::File(Reserved { path, file, filled: false }))
    }

    /// Puts the key that `name` has now into its file, and says which; none when the screen is to show it. `undo` is the
    /// next step when the file cannot take it.
    pub(super) fn keep(self, name: &str, key: &str, undo: String) -> Result<Option<PathBuf>, Failure> {
        let Self::File(mut reserved) = self else { return Ok(None) };
        reserved.fill(key).map_err(|error| {
            let path = reserved.path.display();
            Failure::new(Exit::Failed, format!("{name} has a key, but {path} could not take it: {error}")).next(undo)
        })?;
        Ok(Some(reserved.path.clone()))
    }
}

impl Reserved {
    fn fill(&mut self, key: &str) -> io::Result<()> {
        self.file.write_all(format!("{key}\n").as_bytes())?;
        self.file.sync_all()?;
        self.filled = true;
        Ok(())
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        if !self.filled {
            // An empty file of ours that stays behind harms nobody.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Prints what the client's settings need, once.
pub(super) fn hand_over(desk: &mut Desk, destination: Destination, issued: ClientIssued) -> Result<(), Failure> {
    let name = &issued.client.name;
    let undo = format!("scorpiox-broker client rotate-key {name} --key-file FILE");
    let file = destination.keep(name, issued.key.expose(), undo)?;
    match desk.screen.form() {
        Form::Json => match &file {
            None => desk.screen.json(&issued),
            Some(file) => {
                let ClientIssued { client, key: _, url, pin } = &issued;
                desk.screen.json(&json!({ "client": client, "key_file": file, "url": url, "pin": pin }))
            }
        },
        Form::Human => {
            let what = match &file {
                None => "its key is shown this once; put these lines into its ~/.config/scorpiox/scorpiox-env.txt:"
                    .to_owned(),
                Some(file) => {
                    format!(
                        "its key is in {}; put these lines into its ~/.config/scorpiox/scorpiox-env.txt:",
                        file.display()
                    )
                }
            };
            desk.screen.say(&format!("{name} may fetch the token of {}; {what}", issued.client.credential));
            desk.screen.answer(&block(&issued, file.as_deref()))
        }
    }
}

/// The lines of `scorpiox-env.txt`, as the client's settings name them.
fn block(issued: &ClientIssued, file: Option<&Path>) -> String {
    let mut lines = vec!["CODEX_TOKEN_SOURCE=remote".to_owned(), format!("CODEX_REMOTE_URL={}", issued.url)];
    lines.extend(issued.pin.as_ref().map(|pin| format!("CODEX_REMOTE_PIN={pin}")));
    lines.push(match file {
        None => format!("TOKEN_HTTP_API_KEY={}", issued.key.expose()),
        Some(file) => format!("TOKEN_HTTP_API_KEY_FILE={}", file.display()),
    });
    lines.join("\n")
}
