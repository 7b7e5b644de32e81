//! What shells read to complete a command line.

use clap::Command;
use clap_complete::{Shell, generate};

use super::Document;

/// Where a shell looks for the completions of a command.
type Place = fn(&str) -> String;

const SHELLS: [(Shell, Place); 3] = [
    (Shell::Bash, |name| format!("share/bash-completion/completions/{name}")),
    (Shell::Zsh, |name| format!("share/zsh/site-functions/_{name}")),
    (Shell::Fish, |name| format!("share/fish/vendor_completions.d/{name}.fish")),
];

/// The completions of one command for every shell.
pub fn documents(command: &Command) -> Vec<Document> {
    let document = |(shell, place): &(Shell, Place)| {
        let name = command.get_name();
        let mut bytes = Vec::new();
        generate(*shell, &mut command.clone(), name, &mut bytes);
        if *shell == Shell::Bash {
            bytes = with_one_name_for_each_state(bytes, name);
        }
        Document { path: place(name).into(), bytes }
    };
    SHELLS.iter().map(document).collect()
}

/// clap_complete 4.6 writes a dash of the command's own name in two ways, so that bash never gets from a subcommand to
/// its options.
fn with_one_name_for_each_state(script: Vec<u8>, name: &str) -> Vec<u8> {
    let script = String::from_utf8(script).expect("a script of names that are text is text");
    script.replace(&name.replace('-', "__subcmd__"), &name.replace('-', "__")).into_bytes()
}
