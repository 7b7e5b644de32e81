//! `rekey`: another master key, while the broker serves.

use clap::Args;
use scorpiox_wire::admin::{RekeyRequest, RekeyView};

use super::desk::{Desk, Errand};
use super::failure::Failure;
use super::wording::Wording;
use crate::domain::words::counted;

/// Change the master key while the broker serves
///
/// Everything that is sealed is sealed anew under the new key, and the old one is taken out of its file only then. A
/// broker that is killed meanwhile goes on at its next start. Backups made before are opened as before: each has its
/// own key in it. Where the key comes from systemd or a command, give the next one in a file; the broker says when to
/// put it where the old one was.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  scorpiox-broker rekey\n  scorpiox-broker rekey --new-key-file /run/next.key\n  \
    scorpiox-broker rekey --check")]
pub(super) struct RekeyArguments {
    /// A file on the broker's machine with the next key: a key file, or 64 hexadecimal digits
    #[arg(long, value_name = "FILE", conflicts_with = "check")]
    new_key_file: Option<String>,
    /// Only say how a change stands
    #[arg(long)]
    check: bool,
}

impl Errand for RekeyArguments {
    async fn run(self, desk: &mut Desk) -> Result<(), Failure> {
        let view = if self.check {
            desk.broker.rekeying().await?
        } else {
            desk.broker.rekey(&RekeyRequest { new_key_file: self.new_key_file }).await?
        };
        desk.answer(&view, text)
    }
}

fn text(view: &RekeyView, wording: &Wording) -> String {
    let mut text = match &view.replaces {
        None => format!("everything is sealed under the master key {}", view.key_id),
        Some(old) => format!("sealed under the master key {} from now on; {old} is being replaced", view.key_id),
    };
    if view.moved > 0 {
        text.push_str(&format!("\n{} sealed anew", counted(view.moved, "cell was", "cells were")));
    }
    if view.damaged > 0 {
        text.push_str(&format!(
            "\n{} left as it was",
            counted(view.damaged, "cell does not open and was", "cells do not open; each was")
        ));
    }
    text + &wording.next(view.next.as_deref())
}
