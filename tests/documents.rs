//! Shell completions and man pages, read by the programs that people read them with.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use scorpiox_tests::component;

struct Written {
    prefix: tempfile::TempDir,
    paths: Vec<PathBuf>,
}

fn written() -> Written {
    let prefix = tempfile::tempdir().unwrap();
    let paths = scorpiox_documents::write(prefix.path()).unwrap();
    Written { prefix, paths }
}

impl Written {
    fn path(&self, path: &str) -> PathBuf {
        self.prefix.path().join(path)
    }

    fn below(&self, directory: &str) -> impl Iterator<Item = &PathBuf> {
        let directory = self.path(directory);
        self.paths.iter().filter(move |path| path.starts_with(&directory))
    }
}

fn text(output: Output) -> String {
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// What bash offers for the last of these words.
fn offered(file: &Path, words: &[&str]) -> Vec<String> {
    let script = r#"
        source "$1" && shift
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
        function=$(complete -p "$1" | sed 's/.* -F \([^ ]*\) .*/\1/')
        "$function" "$1" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
        printf '%s\n' "${COMPREPLY[@]}""#;
    let mut bash = Command::new("bash");
    bash.args(["--norc", "--noprofile", "-c", script, "bash"]).arg(file).args(words);
    text(bash.output().unwrap()).lines().map(str::to_owned).collect()
}

#[test]
fn bash_completes_an_option_a_subcommand_and_a_value() {
    let written = written();
    let completions = |name: &str| written.path("share/bash-completion/completions").join(name);
    let fetch = "scorpiox-codex-fetchtoken";
    assert_eq!(offered(&completions(fetch), &[fetch, "--ra"]), ["--raw"]);
    assert!(offered(&completions(fetch), &[fetch, "--"]).contains(&"--repeat-means-refused".to_owned()));
    let broker = "scorpiox-broker";
    assert_eq!(offered(&completions(broker), &[broker, "cli"]), ["client"]);
    assert!(offered(&completions(broker), &[broker, "client", "ad"]).contains(&"add".to_owned()));
    assert!(offered(&completions(broker), &[broker, "client", "add", "--cred"]).contains(&"--credential".to_owned()));
}

#[test]
fn no_program_is_forgotten() {
    let programs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../client/src/bin");
    let names = fs::read_dir(programs).unwrap().map(|entry| entry.unwrap().path());
    let mut names: Vec<_> = names.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    names.push("scorpiox-broker".into());
    // `sx` runs it, and nobody else.
    names.retain(|name| name != "scorpiox-sandbox");
    names.sort();
    let mut documented: Vec<_> =
        scorpiox_documents::commands().iter().map(|command| command.get_name().to_owned()).collect();
    documented.sort();
    assert_eq!(documented, names);
}

#[test]
fn every_shell_has_a_file_for_every_command() {
    let written = written();
    for command in scorpiox_documents::commands() {
        let name = command.get_name();
        for path in [
            format!("share/bash-completion/completions/{name}"),
            format!("share/zsh/site-functions/_{name}"),
            format!("share/fish/vendor_completions.d/{name}.fish"),
            format!("share/man/man1/{name}.1"),
        ] {
            assert!(fs::metadata(written.path(&path)).unwrap().len() > 100, "{path}");
        }
    }
    for path in written.below("share/bash-completion") {
        text(Command::new("bash").arg("-n").arg(path).output().unwrap());
    }
}

/// The options of a command and of those below it, each with the name of its page and the first line of its help.
fn options(command: &clap::Command, found: &mut Vec<(String, String, String)>) {
    let page = command.get_display_name().unwrap_or(command.get_name()).to_owned();
    let shown = command.get_arguments().filter(|argument| !argument.is_hide_set());
    found.extend(shown.filter_map(|argument| {
        let help = argument.get_long_help().or(argument.get_help()).expect("every option has help").to_string();
        Some((page.clone(), format!("--{}", argument.get_long()?), help.lines().next()?.to_owned()))
    }));
    command.get_subcommands().filter(|below| !below.is_hide_set()).for_each(|below| options(below, found));
}

#[test]
fn every_option_of_the_help_is_in_the_manual() {
    let written = written();
    let mut checked = 0;
    for mut command in scorpiox_documents::commands() {
        command = command.disable_help_subcommand(true);
        command.build();
        let mut all = Vec::new();
        options(&command, &mut all);
        for (page, option, help) in all {
            let text = fs::read_to_string(written.path(&format!("share/man/man1/{page}.1"))).unwrap();
            let text = text.replace("\\-", "-").replace("\\*(Aq", "'");
            assert!(text.contains(&option) && text.contains(&help), "{page}: {option}: {help}");
            checked += 1;
        }
    }
    assert!(checked > 60, "{checked}");
}

#[test]
fn the_pages_can_be_read_and_keep_the_lines_of_their_tables() {
    let Some(groff) = component::require("groff") else { return };
    let written = written();
    let render = |path: &Path| {
        // At the width of a small terminal; a warning would be on stderr.
        let mut command = Command::new(&groff);
        command.args(["-man", "-Tutf8", "-k", "-ww", "-P-cbou", "-rLL=78n"]).arg(path);
        text(command.output().unwrap())
    };
    for path in written.below("share/man") {
        let page = render(path);
        assert!(page.contains("NAME") && page.contains("SYNOPSIS"), "{}:\n{page}", path.display());
    }
    let page = render(&written.path("share/man/man1/scorpiox-codex-fetchtoken.1"));
    let lines: Vec<_> = page.lines().map(str::trim).collect();
    // The last one is wider than the terminal: running text would be broken there.
    for line in [
        "EXIT CODES",
        "64  the command line is wrong",
        "args = [\"--raw\", \"--repeat-means-refused\"]",
        "scorpiox-codex-fetchtoken --raw --refused            another token: the provider refused the last one",
    ] {
        assert!(lines.contains(&line), "{line}:\n{page}");
    }
}
