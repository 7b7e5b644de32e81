//! What may be typed after `sx`, and what it means.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Parser;

use super::beginning::{Beginning, TypedBeginning};
use super::print::EVENTS;
use super::sessions::{Deed, Group};
use crate::cli::outcome;
use crate::failure::{Class, Failure};
use crate::settings::catalog::check;
use crate::settings::written::Key;
use crate::tool::approval::Mode;

pub(super) const NAME: &str = "sx";
const NOTES: &str = "\
Examples:
  sx                                                a conversation at the terminal; /help there says what there is
  sx \"why does the build fail\"                      the same, with its first prompt
  sx --profile work                                 with the settings of scorpiox-env/work.txt
  sx -p \"what does errno 28 mean\"
  sx -p \"why does this fail\" < build.log            standard input is attached when it is a pipe or a file
  sx -p \"what differs between these\" a.toml b.toml  files are attached: text, 1 MiB together, and images
  sx -p \"what is wrong here\" -i shot.png            an image; sx -i shot.png begins a conversation about it
  sx -p \"...\" -m gpt-5.5 -e CODEX_REASONING_EFFORT=high
  sx -p \"make the tests pass\" --approvals full-auto

On a terminal an answer appears as it arrives. With -p, into a pipe or a file goes the whole answer or nothing: what
broke off in the middle is never printed there.

Every conversation is kept, those of -p too: plain files for your eyes only, below $XDG_STATE_HOME/scorpiox/sessions,
else ~/.local/state. They hold what tools printed. --ephemeral keeps nothing; sx sessions lists, shows, exports and deletes.
--continue and --resume go on with one, with the model and the effort that it had unless you type others; -p too:
  sx --continue
  sx --resume 1a2b                                  as much of its id as no other has; without it you choose
  sx -p \"and in C?\" --continue

With -p the model has no tools unless --approvals is typed. In a conversation it may run scripts, change files below the
current directory and show a plan, unless TOOLS=0. You see every script and every change, spelled out, and are asked
before it happens:
  --approvals ask         before every script and every change (default)
  --approvals auto-edit   before every script
  --approvals full-auto   only before a script that cannot be confined
  --approvals read-only   nothing is run and nothing is changed
With -p there is nobody to ask: what you would be asked about is refused, and the model is told so; ask itself is not
taken. What is run, changed or refused is said on stderr, a line each; stdout stays the answer alone. The exit code says
whether there is an answer, not how a script ended.

Scripts run in a sandbox where this machine allows one: no network; logins, keys and settings cannot be read; only the
current directory, without .git, and a directory of the session can be changed. Where there is none, you are told so
and asked each time; nothing runs unconfined unseen. In the sandbox, \"always\" holds for the very same script until sx
ends.

Images are PNG, JPEG, WebP or GIF (the first frame), known by their content, up to 20 MiB and 50 million pixels. They are
scaled down to what a model looks at and encoded anew: only pixels are sent, without the place and camera of a photo. In
a conversation /image FILE attaches one, and so does an absolute path in a prompt, as terminals paste it for a file that
is dropped on them. The model may look at images below the current directory, and asks for those elsewhere. Of many
images in a conversation the latest are sent, at least ten. A model that takes none is not asked.

With tools the model is told what AGENTS.md says: yours, beside your settings; then the project's, from the directory
with .git down to the current one, the nearest last; 32 KiB in all. A project's files are text for the model only: they
set nothing and allow nothing. Links that lead out of the project are not followed.

A conversation that becomes too long is compacted: the model writes a summary, which takes the place of everything but
your latest messages, 20,000 tokens of them. /compact does it at once. Stopped with Ctrl-C, nothing has changed.

A function of your own is a program NAME with a description NAME.json in the folder functions beside your settings:
  {\"description\":\"...\",\"parameters\":{JSON schema of an object, all of it required},\"timeout_seconds\":60,\"network\":false}
It is offered to the model, asked about and held like a script. It reads its arguments, one JSON object, from standard
input; what it prints is told to the model.
";
const SETTINGS: &str = "\
Settings, from scorpiox-env.txt or the environment; -e sets one for this run only:
  CONTEXT_CLEAR_THRESHOLD tokens at which a conversation is compacted (190000), when the model's own limit is higher
  TOOLS                   0: no tools at all
  MODEL                   id, or alias: opus, sonnet (default), haiku; an alias that is not offered any more means the
                          first model that is
  CODEX_REASONING_EFFORT  off, minimal, low, medium, high, xhigh or max; else REASONING_EFFORT; else high when
                          THINKING=1; else the model's own
The token comes from where scorpiox-codex-fetchtoken gets it; see its help. A token that the backend refuses is renewed
once, without a word. CODEX_BASE_URL and CODEX_CLIENT_VERSION (environment only) are as for scorpiox-codex-models.
";
const EXIT_CODES: &str = "\
With -p Ctrl-C ends it at once; in a conversation once stops the answer and twice leaves. A shell then sees 130.";

/// Talks with a model at the terminal, or asks it one thing.
#[derive(Debug, Parser)]
#[command(name = NAME, version, args_conflicts_with_subcommands = true)]
#[command(after_help = format!("{NOTES}\n{EVENTS}\n{SETTINGS}\n{}\n{EXIT_CODES}", outcome::EXIT_CODES))]
pub(super) struct Typed {
    /// What to ask; without it a conversation begins on the terminal
    #[arg(short, long)]
    prompt: Option<String>,
    /// With -p: files to attach, text or images. Without: the first prompt of a conversation
    #[arg(value_name = "FILE|PROMPT")]
    rest: Vec<OsString>,
    /// An image for the prompt, or for the first one of a conversation; can be repeated
    #[arg(short, long = "image", value_name = "FILE")]
    images: Vec<PathBuf>,
    /// The model, by id or alias; as -e MODEL=...
    #[arg(short, long)]
    model: Option<String>,
    /// A setting for this run
    #[arg(short = 'e', long = "env", value_name = "KEY=VALUE")]
    settings: Vec<String>,
    /// Who answers; as -e PROVIDER=...
    #[arg(long, value_name = "NAME")]
    provider: Option<String>,
    /// A profile of settings for this run, or off for none; as -e ACTIVE_PROFILE=...
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
    /// How much you are asked about tools: ask, auto-edit, full-auto or read-only; with -p it gives the model tools
    #[arg(long, value_name = "MODE", value_parser = mode)]
    approvals: Option<Mode>,
    /// Print events, one JSON line each
    #[arg(long, requires = "prompt")]
    json: bool,
    #[command(flatten)]
    beginning: TypedBeginning,
    /// Say on stderr how the answer came about; never shows a secret
    #[arg(long, short)]
    verbose: bool,
    #[command(subcommand)]
    group: Option<Group>,
}

impl Typed {
    pub(super) fn is_verbose(&self) -> bool {
        self.verbose
    }
}

/// What is meant by what was typed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Invocation {
    pub(super) task: Task,
    /// For the prompt, or for the first one of a conversation.
    pub(super) images: Vec<PathBuf>,
    /// Settings of this run; each key once.
    pub(super) settings: Vec<(Key, String)>,
    /// Which conversation is held.
    pub(super) beginning: Beginning,
    pub(super) verbose: bool,
}

/// What is to be done.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Task {
    /// Answer one prompt; with tools when it was said how they are approved of.
    Answer { prompt: String, files: Vec<PathBuf>, form: Form, tools: Option<Mode> },
    /// Talk with a person.
    Converse(Opening),
    /// Look after the conversations that are kept.
    LookAfter(Deed),
}

/// How a conversation is to begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Opening {
    /// How much the person wants to be asked.
    pub(super) mode: Mode,
    /// The first prompt, when it was typed with the command.
    pub(super) prompt: Option<String>,
}

/// What is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Answer,
    Events,
}

impl TryFrom<Typed> for Invocation {
    type Error = Failure;

    fn try_from(typed: Typed) -> Result<Self, Failure> {
        let mut settings = Vec::new();
        let named = [(Key::Model, typed.model), (Key::Provider, typed.provider), (Key::ActiveProfile, typed.profile)];
        let named = named.into_iter().filter_map(|(key, value)| Some((key, value?)));
        for (key, value) in
            typed.settings.iter().map(|text| setting(text)).collect::<Result<Vec<_>, _>>()?.into_iter().chain(named)
        {
            check(key, &value).map_err(|why| wrong(&format!("{}: {why}", key.as_str())))?;
            settings.retain(|(known, _)| *known != key);
            settings.push((key, value));
        }
        let form = if typed.json { Form::Events } else { Form::Answer };
        let task = match (typed.group, typed.prompt) {
            (Some(group), _) => Task::LookAfter(group.into()),
            (None, None) => {
                let (mode, prompt) = (typed.approvals.unwrap_or_default(), first_prompt(typed.rest)?);
                Task::Converse(Opening { mode, prompt })
            }
            (None, Some(prompt)) if prompt.trim().is_empty() => return Err(wrong("the prompt is empty")),
            (None, Some(_)) if typed.approvals == Some(Mode::Ask) => return Err(nobody_to_ask()),
            (None, Some(prompt)) => {
                let files = typed.rest.into_iter().map(PathBuf::from).collect();
                Task::Answer { prompt, files, form, tools: typed.approvals }
            }
        };
        Ok(Self {
            task,
            images: typed.images,
            settings,
            beginning: typed.beginning.try_into()?,
            verbose: typed.verbose,
        })
    }
}

impl Invocation {
    /// The environment with this run's settings in front of it.
    pub(super) fn environment<'a>(
        &'a self,
        environment: &'a dyn Fn(&str) -> Option<OsString>,
    ) -> impl Fn(&str) -> Option<OsString> + 'a {
        move |name| {
            let set = self.settings.iter().find(|(key, _)| key.as_str() == name);
            set.map(|(_, value)| value.into()).or_else(|| environment(name))
        }
    }
}

/// Several words are most likely a prompt whose quotes were forgotten, or files whose -p was.
fn first_prompt(mut words: Vec<OsString>) -> Result<Option<String>, Failure> {
    if words.len() > 1 {
        let failure = Failure::new(Class::Usage, "a conversation begins with one prompt");
        return Err(failure.with_hint("quote it: sx \"PROMPT\"; files are attached with -p PROMPT FILE..."));
    }
    let Some(word) = words.pop() else { return Ok(None) };
    match word.into_string() {
        Ok(prompt) if prompt.trim().is_empty() => Err(wrong("the prompt is empty")),
        Ok(prompt) => Ok(Some(prompt)),
        Err(_) => Err(wrong("the prompt is not UTF-8")),
    }
}

fn mode(text: &str) -> Result<Mode, String> {
    Mode::parse(text).ok_or_else(|| "expected ask, auto-edit, full-auto or read-only".to_owned())
}

fn setting(text: &str) -> Result<(Key, String), Failure> {
    let (name, value) = text.split_once('=').ok_or_else(|| wrong("-e takes KEY=VALUE"))?;
    let key = Key::parse(name).ok_or_else(|| wrong(&format!("-e: there is no setting {name}")))?;
    Ok((key, value.trim().to_owned()))
}

fn nobody_to_ask() -> Failure {
    Failure::new(Class::Usage, "with -p there is nobody to ask, so --approvals ask would refuse everything")
        .with_hint("use --approvals auto-edit, full-auto or read-only, or leave out -p")
}

fn wrong(why: &str) -> Failure {
    Failure::new(Class::Usage, why).with_hint("see --help")
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    fn invocation(arguments: &[&str]) -> Result<Invocation, u8> {
        let typed = Typed::try_parse_from(std::iter::once(NAME).chain(arguments.iter().copied()));
        Invocation::try_from(typed.map_err(|_| 0)?).map_err(|failure| failure.class.exit_code())
    }

    #[test]
    fn what_is_typed_has_one_meaning() {
        Typed::command().debug_assert();
        let plain = invocation(&["-p", "why", "a.txt", "b.txt"]).unwrap();
        let files = vec!["a.txt".into(), "b.txt".into()];
        let expected = Task::Answer { prompt: "why".into(), files, form: Form::Answer, tools: None };
        assert_eq!(plain.task, expected);
        let with_tools = invocation(&["-p", "x", "--approvals", "full-auto"]).unwrap();
        assert!(matches!(with_tools.task, Task::Answer { tools: Some(Mode::FullAuto), .. }));
        let converse = |mode, prompt: Option<&str>| Task::Converse(Opening { mode, prompt: prompt.map(str::to_owned) });
        assert_eq!(invocation(&[]).unwrap().task, converse(Mode::Ask, None));
        assert_eq!(invocation(&["--approvals", "read-only"]).unwrap().task, converse(Mode::ReadOnly, None));
        assert_eq!(invocation(&["why is this"]).unwrap().task, converse(Mode::Ask, Some("why is this")));
        let images = invocation(&["-i", "a.png", "--image", "b.png"]).unwrap().images;
        assert_eq!(images, [PathBuf::from("a.png"), "b.png".into()]);
        assert_eq!(invocation(&["--approvals", "never"]), Err(0));
        let set = invocation(&["-p", "x", "-e", "MODEL=opus", "-e", "TOOLS=0", "-m", "gpt-5.5", "--json"]).unwrap();
        assert_eq!(set.settings, [(Key::Tools, "0".to_owned()), (Key::Model, "gpt-5.5".to_owned())]);
        assert!(matches!(set.task, Task::Answer { form: Form::Events, .. }));
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        let cases: [&[&str]; 10] = [
            &["-p", " "],
            &["-p", "x", "--approvals", "ask"],
            &[" "],
            &["why", "is", "this"],
            &["--profile", "../x"],
            &["-p", "x", "-e", "MODEL"],
            &["-p", "x", "-e", "PATH=/tmp"],
            &["-p", "x", "-e", "CODEX_BASE_URL=https://elsewhere.example/"],
            &["-p", "x", "-e", "CODEX_REASONING_EFFORT=enormous"],
            &["-p", "x", "-m", "a b"],
        ];
        for arguments in cases {
            assert_eq!(invocation(arguments), Err(64), "{arguments:?}");
        }
        for arguments in [&["--json"][..], &["-p"], &["-p", "x", "--wrong"]] {
            assert_eq!(invocation(arguments), Err(0), "{arguments:?}");
        }
    }

    #[test]
    fn a_setting_of_this_run_goes_before_the_environment() {
        let set = invocation(&["-p", "x", "-m", "opus"]).unwrap();
        let process = |name: &str| Some(OsString::from(format!("process {name}")));
        let environment = set.environment(&process);
        assert_eq!(environment("MODEL"), Some("opus".into()));
        assert_eq!(environment("HOME"), Some("process HOME".into()));
    }
}
