//! What may be typed, and what the help says.

use clap::CommandFactory;

use super::harness::Person;
use crate::cli::typed::Typed;

#[test]
fn the_parser_is_consistent() {
    Typed::command().debug_assert();
}

#[test]
fn a_wrong_command_line_is_usage() {
    for line in [
        &["nonsense"][..],
        &[],
        &["up", "now"],
        &["serve"],
        &["check-config"],
        &["login", "--name", "two words"],
        &["login", "--name", "../main"],
        &["login", "--password", "x"],
        &["import"],
        &["import", "auth.json", "--rename", "--keep"],
        &["credential"],
        &["credential", "show"],
        &["credential", "show", ".."],
        &["credential", "show", "a/b"],
        &["credential", "show", "a%2fb"],
        &["credential", "pause", "main", "--probe"],
        &["client", "add", "laptop"],
        &["client", "add", "laptop", "--credential"],
        &["client", "revoke", "laptop", "--yes"],
        &["audit", "-n", "501"],
        &["audit", "-n", "-1"],
        &["audit", "--verify", "--follow"],
        &["status", "--data", "d", "--socket", "s"],
        &["master-key", "wrap", "--passphrase", "x"],
    ] {
        let seen = Person::default().runs(line);
        assert_eq!((seen.code, seen.stdout.as_str()), (2, ""), "{line:?}: {seen:?}");
        assert!(!seen.stderr.is_empty(), "{line:?}");
    }
}

#[test]
fn options_of_place_and_form_may_stand_before_and_after_the_verb() {
    for line in [
        &["credential", "--data", "/nowhere", "--json", "list"][..],
        &["credential", "list", "--data", "/nowhere", "--json"],
        &["status", "--json", "--socket", "/nowhere/admin.sock"],
    ] {
        let seen = Person::default().runs(line);
        assert_eq!((seen.code, &seen.problem()["code"]), (69, &"unavailable".into()), "{line:?}");
    }
}

#[test]
fn every_command_shows_an_example_and_no_secret_is_an_option() {
    fn look(command: &clap::Command, path: &str) {
        for inner in command.get_subcommands().filter(|inner| inner.get_name() != "help") {
            let path = format!("{path} {}", inner.get_name());
            let examples = inner.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(examples.contains("Example"), "{path}");
            assert!(examples.contains(&format!("scorpiox-broker{path}")), "{path}: {examples}");
            for option in inner.get_arguments() {
                let name = option.get_id().as_str();
                let secret = ["key", "token", "password", "passphrase", "secret"].contains(&name);
                assert!(!secret, "{path}: {name}");
            }
            look(inner, &path);
        }
    }
    look(&Typed::command(), "");
}

#[test]
fn every_command_says_something_of_its_own() {
    let command = Typed::command();
    let abouts: Vec<_> = command.get_subcommands().map(|inner| inner.get_about().unwrap().to_string()).collect();
    let different: std::collections::BTreeSet<_> = abouts.iter().collect();
    assert_eq!(different.len(), abouts.len(), "{abouts:#?}");
    let seen = Person::default().runs(&["promote", "--help"]);
    assert!(seen.stdout.starts_with("End a fence") && seen.stdout.contains("high-water mark"), "{}", seen.stdout);
}

#[test]
fn every_example_can_be_typed() {
    fn look(command: &clap::Command) {
        let examples = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        for line in examples.lines().filter_map(|line| line.trim().strip_prefix("scorpiox-broker ")) {
            // What stands behind two spaces is a remark.
            let words = line.split("  ").next().unwrap_or_default().split(' ');
            let typed = Typed::command().try_get_matches_from(std::iter::once("scorpiox-broker").chain(words));
            assert!(typed.is_ok(), "{line}: {typed:?}");
        }
        command.get_subcommands().for_each(look);
    }
    look(&Typed::command());
}

#[test]
fn help_and_version_are_answers() {
    let help = Person::default().runs(&["--help"]);
    assert_eq!((help.code, help.stderr.as_str()), (0, ""));
    assert!(help.stdout.contains("Exit codes:") && help.stdout.contains("78"), "{}", help.stdout);
    assert!(!help.stdout.contains('\u{1b}'));
    let version = Person::default().runs(&["--version"]);
    let suffix = if cfg!(feature = "failpoints") { "+failpoints" } else { "" };
    assert_eq!(version.stdout, format!("scorpiox-broker {}{suffix}\n", env!("CARGO_PKG_VERSION")));
}
