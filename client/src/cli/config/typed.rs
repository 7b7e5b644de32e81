//! What can be typed after `scorpiox-config`, and what is meant by it.

use std::path::PathBuf;

use clap::{ArgGroup, Args, CommandFactory as _, Parser, Subcommand, ValueEnum};

use crate::failure::{Class, Failure};
use crate::settings::catalog::{Entry, Section};
use crate::settings::key::Key;
use crate::settings::places::Level;
use crate::settings::tier::Tier;

pub(super) const NAME: &str = "scorpiox-config";
const EXAMPLES: &str = "\
Examples:
  scorpiox-config                                      the editor, on a terminal
  scorpiox-config --set CODEX_TOKEN_SOURCE remote,local
  scorpiox-config --set TOKEN_HTTP_API_KEY -           the secret is read from standard input
  scorpiox-config --set MODEL gpt-5.5 --level project
  scorpiox-config --get MODEL
  scorpiox-config --dump --show-source                 what holds, and where it stands
  scorpiox-config --check                              every settings file that holds here
  scorpiox-config doctor                               does every source that is set up give a token?
  scorpiox-config trust                                let this project's files say where tokens come from

Files, lowest precedence first; KEY=VALUE lines, # comments, nothing is expanded:
  global       scorpiox-env.txt beside the program
  user         ~/.claude/scorpiox-env.txt (read only), ~/.config/scorpiox/scorpiox-env.txt
  project      .claude/scorpiox-env.txt, scorpiox-env.txt, .scorpiox/scorpiox-env.txt in the nearest directory that has
               one, up to the .git
  profile      scorpiox-env/NAME.txt beside any of them, for ACTIVE_PROFILE=NAME
  environment  variables of the same names

Exit codes:
  0   done
  1   --get: not set, and nothing holds instead
  64  the command line is wrong
  69  a file cannot be written: a person must act
  75  another process is changing the same settings: try again
  78  a settings file is malformed, contradicts itself, is not safe or not trusted
doctor ends with 0 when every chosen source gives a token, else as the first that gives none: 69 a person must act,
75 try again later, 77 the key is not accepted, 78 settings. The editor ends with 128 and the number of a signal.";

/// Shows, checks and changes the settings of scorpiox; without arguments in an editor.
#[derive(Debug, Parser)]
#[command(name = NAME, version, args_conflicts_with_subcommands = true, disable_help_subcommand = true)]
#[command(group = ArgGroup::new("action").args(["get", "set", "unset", "dump", "check"]))]
pub(super) struct Typed {
    /// Print the value that holds; a secret is never printed
    #[arg(long, value_name = "KEY", value_parser = key)]
    get: Option<Key>,
    /// Write a value; - reads it from standard input, and a secret only comes from there
    #[arg(long, num_args = 2, value_names = ["KEY", "VALUE"])]
    set: Option<Vec<String>>,
    /// Remove a value
    #[arg(long, value_name = "KEY", value_parser = key)]
    unset: Option<Key>,
    /// Print every value that holds; secrets are masked
    #[arg(long)]
    dump: bool,
    /// Look for mistakes in every file: lines, keys, values, permissions, secrets that git can see
    #[arg(long)]
    check: bool,
    /// Which tier: user or project to change it (default: user), any to print what it says
    #[arg(long, value_name = "TIER", requires = "action")]
    level: Option<TypedTier>,
    /// With --dump: where each value stands
    #[arg(long, requires = "dump")]
    show_source: bool,
    /// With --dump: the files instead of the values
    #[arg(long, requires = "dump", conflicts_with_all = ["level", "show_source"])]
    files: bool,
    /// With --dump: JSON
    #[arg(long, requires = "dump")]
    json: bool,
    /// Say on stderr which files were read; never shows a secret
    #[arg(long, short, global = true)]
    verbose: bool,
    #[command(subcommand)]
    subcommand: Option<TypedSubcommand>,
}

#[derive(Debug, Subcommand)]
enum TypedSubcommand {
    /// Let a project's settings file say where secrets go and what is run
    Trust(TypedTrust),
    /// Fetch a token from every source that is set up, and say what to do where none comes
    Doctor(TypedDoctor),
}

#[derive(Debug, Args)]
struct TypedDoctor {
    /// One line of JSON: schema, exit_code, checks
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct TypedTrust {
    /// A settings file, or a project's directory
    #[arg(default_value = ".")]
    path: PathBuf,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
    /// Print what is trusted
    #[arg(long, conflicts_with_all = ["path", "yes", "forget"])]
    list: bool,
    /// Trust this file, or everything below this directory, no longer
    #[arg(long, value_name = "PATH", conflicts_with_all = ["path", "yes"])]
    forget: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum TypedTier {
    Default,
    Global,
    User,
    Project,
    Profile,
    Environment,
}

/// What is meant by what was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Invocation {
    pub(super) action: Action,
    pub(super) verbose: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Action {
    Edit,
    Get(Key),
    Set { key: Key, value: Given, level: Level },
    Unset { key: Key, level: Level },
    DumpValues { tier: Option<Tier>, form: Form },
    DumpFiles { form: Form },
    Check,
    Trust { path: PathBuf, consent: Consent },
    ListTrusted,
    Forget(PathBuf),
    Doctor { form: Form },
}

/// Where a new value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Given {
    Typed(String),
    StandardInput,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Lines,
    LinesWithSource,
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Consent {
    Ask,
    Given,
}

impl Typed {
    /// What is meant; most contradictions were found while it was parsed.
    pub(super) fn meant(self) -> Result<Invocation, Failure> {
        let verbose = self.verbose;
        self.action().map(|action| Invocation { action, verbose })
    }

    fn action(self) -> Result<Action, Failure> {
        match self.subcommand {
            Some(TypedSubcommand::Trust(trust)) => return Ok(trust.action()),
            Some(TypedSubcommand::Doctor(doctor)) => {
                let form = if doctor.json { Form::Json } else { Form::Lines };
                return Ok(Action::Doctor { form });
            }
            None => {}
        }
        if let Some(key) = self.get {
            return if self.level.is_some() {
                Err(usage("--level does not go with --get"))
            } else {
                Ok(Action::Get(key))
            };
        }
        if let Some([name, value]) = self.set.as_deref() {
            let key = key(name).map_err(usage)?;
            let value = if value == "-" { Given::StandardInput } else { Given::Typed(value.clone()) };
            return Ok(Action::Set { key, value, level: level(self.level)? });
        }
        if let Some(key) = self.unset {
            return Ok(Action::Unset { key, level: level(self.level)? });
        }
        let form = match (self.json, self.show_source) {
            (true, _) => Form::Json,
            (false, true) => Form::LinesWithSource,
            (false, false) => Form::Lines,
        };
        Ok(match (self.dump, self.files, self.check) {
            (true, true, _) => Action::DumpFiles { form },
            (true, false, _) => Action::DumpValues { tier: self.level.map(Tier::from), form },
            (false, _, true) if self.level.is_some() => return Err(usage("--level does not go with --check")),
            (false, _, true) => Action::Check,
            (false, _, false) => Action::Edit,
        })
    }
}

impl TypedTrust {
    fn action(self) -> Action {
        match (self.list, self.forget) {
            (true, _) => Action::ListTrusted,
            (false, Some(path)) => Action::Forget(path),
            (false, None) => {
                let consent = if self.yes { Consent::Given } else { Consent::Ask };
                Action::Trust { path: self.path, consent }
            }
        }
    }
}

impl From<TypedTier> for Tier {
    fn from(typed: TypedTier) -> Self {
        match typed {
            TypedTier::Default => Self::Default,
            TypedTier::Global => Self::Global,
            TypedTier::User => Self::User,
            TypedTier::Project => Self::Project,
            TypedTier::Profile => Self::Profile,
            TypedTier::Environment => Self::Environment,
        }
    }
}

fn usage(text: impl AsRef<str>) -> Failure {
    Failure::new(Class::Usage, text)
}

fn key(name: &str) -> Result<Key, String> {
    let unknown = || {
        let hint =
            Key::nearest(name).map_or("--help lists them".to_owned(), |key| format!("did you mean {}?", key.as_str()));
        format!("unknown setting {name}; {hint}")
    };
    Key::parse(name).ok_or_else(unknown)
}

fn level(typed: Option<TypedTier>) -> Result<Level, Failure> {
    match typed {
        None | Some(TypedTier::User) => Ok(Level::User),
        Some(TypedTier::Project) => Ok(Level::Project),
        Some(_) => Err(usage("only user and project can be changed").with_hint("use --level user or --level project")),
    }
}

/// The command with its whole help.
pub(super) fn command() -> clap::Command {
    Typed::command().after_help(format!("{}\n{EXAMPLES}", settings_help()))
}

fn settings_help() -> String {
    let mut help = String::from("Settings:\n");
    for section in Section::ALL {
        help.push_str(&format!("  {}\n", section.title()));
        for entry in Key::ALL.iter().map(|key| Entry::of(*key)).filter(|entry| entry.section == section) {
            let default = entry.default.map(|text| format!(" ({text})")).unwrap_or_default();
            help.push_str(&format!("    {:<24} {}{default}\n", entry.key.as_str(), entry.help));
        }
    }
    help
}

#[cfg(test)]
mod tests {
    use clap::FromArgMatches as _;

    use super::*;

    fn meant(arguments: &[&str]) -> Result<Action, String> {
        let all = std::iter::once(NAME).chain(arguments.iter().copied());
        let matches = command().try_get_matches_from(all).map_err(|error| error.to_string())?;
        let typed = Typed::from_arg_matches(&matches).map_err(|error| error.to_string())?;
        typed.meant().map(|invocation| invocation.action).map_err(|failure| failure.to_string())
    }

    #[test]
    fn what_is_typed_has_one_meaning() {
        command().debug_assert();
        let dump = |tier, form| Action::DumpValues { tier, form };
        let set = |value, level| Action::Set { key: Key::Model, value, level };
        let trust = |path: &str, consent| Action::Trust { path: path.into(), consent };
        let cases: [(&[&str], Action); 17] = [
            (&[], Action::Edit),
            (&["-v"], Action::Edit),
            (&["--get", "MODEL"], Action::Get(Key::Model)),
            (&["--set", "MODEL", "x"], set(Given::Typed("x".into()), Level::User)),
            (&["--set", "MODEL", "-", "--level", "project"], set(Given::StandardInput, Level::Project)),
            (&["--unset", "MODEL"], Action::Unset { key: Key::Model, level: Level::User }),
            (&["--dump"], dump(None, Form::Lines)),
            (&["--dump", "--show-source", "--level", "user"], dump(Some(Tier::User), Form::LinesWithSource)),
            (&["--dump", "--json"], dump(None, Form::Json)),
            (&["--dump", "--files"], Action::DumpFiles { form: Form::Lines }),
            (&["--check"], Action::Check),
            (&["doctor"], Action::Doctor { form: Form::Lines }),
            (&["doctor", "--json"], Action::Doctor { form: Form::Json }),
            (&["trust"], trust(".", Consent::Ask)),
            (&["trust", "/p", "--yes"], trust("/p", Consent::Given)),
            (&["trust", "--list"], Action::ListTrusted),
            (&["trust", "--forget", "/p"], Action::Forget("/p".into())),
        ];
        for (arguments, expected) in cases {
            assert_eq!(meant(arguments), Ok(expected), "{arguments:?}");
        }
    }

    #[test]
    fn what_contradicts_itself_is_refused() {
        let cases: [&[&str]; 12] = [
            &["--get", "NONSENSE"],
            &["--get", "model"],
            &["--set", "MODEL"],
            &["--set", "NONSENSE", "x"],
            &["--set", "MODEL", "x", "--level", "profile"],
            &["--get", "MODEL", "--level", "user"],
            &["--check", "--level", "user"],
            &["--get", "MODEL", "--dump"],
            &["--level", "user"],
            &["--json"],
            &["--dump", "trust"],
            &["trust", "--list", "--yes"],
        ];
        for arguments in cases {
            assert!(meant(arguments).is_err(), "{arguments:?}");
        }
    }

    #[test]
    fn help_names_every_setting() {
        let help = command().render_long_help().to_string();
        for key in Key::ALL {
            assert!(help.contains(&format!("    {} ", key.as_str())), "{}", key.as_str());
        }
        assert!(help.contains("Exit codes:"));
    }
}
