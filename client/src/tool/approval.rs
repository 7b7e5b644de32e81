//! Whether a tool may run: decided here, asked and done elsewhere.

use std::collections::HashSet;

/// How much the person wants to be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// Nothing is changed and nothing is run.
    ReadOnly,
    /// Every change and every command is asked for.
    #[default]
    Ask,
    /// Files of a project are changed unasked, commands are asked for.
    AutoEdit,
    /// What is confined runs unasked.
    FullAuto,
}

impl Mode {
    /// All of them, from least to most.
    pub const ALL: [Self; 4] = [Self::ReadOnly, Self::Ask, Self::AutoEdit, Self::FullAuto];

    /// Reads a setting; the name is the one that a person writes.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.name() == name)
    }

    /// What a person writes.
    pub fn name(self) -> &'static str {
        match self {
            Self::ReadOnly => "read-only",
            Self::Ask => "ask",
            Self::AutoEdit => "auto-edit",
            Self::FullAuto => "full-auto",
        }
    }
}

/// What is to be decided about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action<'a> {
    /// It changes nothing, here or elsewhere, and runs nothing.
    Harmless,
    /// A file elsewhere is looked at, and so leaves the machine.
    LookElsewhere,
    /// Files below the working directory change.
    Edit,
    /// This command runs.
    Run(&'a str),
    /// This command runs, and the model wants a network for it.
    RunWithNetwork(&'a str),
}

/// What a command or an edit could reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confinement {
    /// The working directory, which is that of a project; no network, no secrets of ours.
    Confined,
    /// All that the person could; for an edit: a working directory that holds more than a project.
    Unconfined,
}

/// Whether there is somebody to ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Person {
    /// At the terminal.
    Present,
    /// Nobody.
    Absent,
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Go on.
    Allow,
    /// Ask the person.
    Ask,
    /// Tell the model that it may not, and why.
    Refuse(&'static str),
}

/// The rules of one session.
#[derive(Debug, Clone, Default)]
pub struct Approvals {
    /// How much the person wants to be asked.
    pub mode: Mode,
    /// Commands that the person has allowed for the session, to the letter.
    remembered: HashSet<String>,
}

const READ_ONLY: &str = "not allowed: the session is read-only";
const NOBODY: &str = "not allowed: it would need the approval of a person, and nobody is there";

impl Approvals {
    /// Rules of this mode, with nothing remembered.
    pub fn new(mode: Mode) -> Self {
        Self { mode, remembered: HashSet::new() }
    }

    /// The person allowed exactly this command for the rest of the session.
    pub fn remember(&mut self, command: &str) {
        self.remembered.insert(command.to_owned());
    }

    /// What is to be done about the action.
    pub fn decide(&self, action: Action, confinement: Confinement, person: Person) -> Decision {
        let decision = match (self.mode, action) {
            (_, Action::Harmless) => Decision::Allow,
            // No sandbox is around it that would hold it.
            (_, Action::LookElsewhere) => Decision::Ask,
            (Mode::ReadOnly, Action::Edit | Action::Run(_) | Action::RunWithNetwork(_)) => Decision::Refuse(READ_ONLY),
            (Mode::AutoEdit | Mode::FullAuto, Action::Edit) if confinement == Confinement::Confined => Decision::Allow,
            // Unasked edits belong into a project; in a home directory they could change what the next login runs.
            (Mode::Ask | Mode::AutoEdit | Mode::FullAuto, Action::Edit) => Decision::Ask,
            (_, Action::Run(command) | Action::RunWithNetwork(command)) if self.remembered.contains(command) => {
                Decision::Allow
            }
            (Mode::FullAuto, Action::Run(_)) if confinement == Confinement::Confined => Decision::Allow,
            // With a network it could hand out what it reads, whatever else holds it.
            (Mode::Ask | Mode::AutoEdit | Mode::FullAuto, Action::Run(_) | Action::RunWithNetwork(_)) => Decision::Ask,
        };
        match (decision, person) {
            (Decision::Ask, Person::Absent) => Decision::Refuse(NOBODY),
            (decision, Person::Present | Person::Absent) => decision,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_mode_decides_like_this() {
        use Confinement::{Confined, Unconfined};
        use Decision::{Allow, Ask, Refuse};
        use Mode::{AutoEdit, FullAuto, ReadOnly};
        let elsewhere = Action::LookElsewhere;
        let (edit, run, known) = (Action::Edit, Action::Run("make"), Action::Run("make test"));
        let (fetch, fetched) = (Action::RunWithNetwork("make"), Action::RunWithNetwork("make test"));
        #[rustfmt::skip]
        let table = [
            // mode, action, confinement, somebody is there, nobody is there
            (ReadOnly,  Action::Harmless, Unconfined, Allow,             Allow),
            (ReadOnly,  elsewhere,        Confined,   Ask,               Refuse(NOBODY)),
            (ReadOnly,  edit,             Confined,   Refuse(READ_ONLY), Refuse(READ_ONLY)),
            (ReadOnly,  run,              Confined,   Refuse(READ_ONLY), Refuse(READ_ONLY)),
            (ReadOnly,  known,            Confined,   Refuse(READ_ONLY), Refuse(READ_ONLY)),
            (ReadOnly,  fetch,            Confined,   Refuse(READ_ONLY), Refuse(READ_ONLY)),
            (ReadOnly,  fetched,          Confined,   Refuse(READ_ONLY), Refuse(READ_ONLY)),
            (Mode::Ask, Action::Harmless, Unconfined, Allow,             Allow),
            (Mode::Ask, edit,             Confined,   Ask,               Refuse(NOBODY)),
            (Mode::Ask, edit,             Unconfined, Ask,               Refuse(NOBODY)),
            (Mode::Ask, run,              Confined,   Ask,               Refuse(NOBODY)),
            (Mode::Ask, run,              Unconfined, Ask,               Refuse(NOBODY)),
            (Mode::Ask, known,            Unconfined, Allow,             Allow),
            (Mode::Ask, fetch,            Confined,   Ask,               Refuse(NOBODY)),
            (Mode::Ask, fetch,            Unconfined, Ask,               Refuse(NOBODY)),
            (Mode::Ask, fetched,          Confined,   Allow,             Allow),
            (AutoEdit,  edit,             Confined,   Allow,             Allow),
            (AutoEdit,  edit,             Unconfined, Ask,               Refuse(NOBODY)),
            (AutoEdit,  run,              Confined,   Ask,               Refuse(NOBODY)),
            (AutoEdit,  run,              Unconfined, Ask,               Refuse(NOBODY)),
            (AutoEdit,  known,            Unconfined, Allow,             Allow),
            (FullAuto,  elsewhere,        Confined,   Ask,               Refuse(NOBODY)),
            (AutoEdit,  fetch,            Confined,   Ask,               Refuse(NOBODY)),
            (AutoEdit,  fetch,            Unconfined, Ask,               Refuse(NOBODY)),
            (AutoEdit,  fetched,          Confined,   Allow,             Allow),
            (FullAuto,  edit,             Confined,   Allow,             Allow),
            (FullAuto,  edit,             Unconfined, Ask,               Refuse(NOBODY)),
            (FullAuto,  run,              Confined,   Allow,             Allow),
            (FullAuto,  run,              Unconfined, Ask,               Refuse(NOBODY)),
            (FullAuto,  known,            Unconfined, Allow,             Allow),
            (FullAuto,  fetch,            Confined,   Ask,               Refuse(NOBODY)),
            (FullAuto,  fetch,            Unconfined, Ask,               Refuse(NOBODY)),
            (FullAuto,  fetched,          Confined,   Allow,             Allow),
        ];
        for (mode, action, confinement, present, absent) in table {
            let mut approvals = Approvals::new(mode);
            approvals.remember("make test");
            let row = (mode, action, confinement);
            assert_eq!(approvals.decide(action, confinement, Person::Present), present, "{row:?}");
            assert_eq!(approvals.decide(action, confinement, Person::Absent), absent, "{row:?}");
        }
    }

    #[test]
    fn only_the_very_command_is_remembered() {
        let mut approvals = Approvals::default();
        approvals.remember("make test");
        for command in ["make test ", "make test; rm -rf x", "make", "MAKE TEST", ""] {
            let decision = approvals.decide(Action::Run(command), Confinement::Confined, Person::Present);
            assert_eq!(decision, Decision::Ask, "{command:?}");
        }
    }

    #[test]
    fn a_mode_is_written_like_this() {
        for name in ["read-only", "ask", "auto-edit", "full-auto"] {
            assert_eq!(Mode::parse(name).unwrap().name(), name);
        }
        assert_eq!(Mode::parse("yolo"), None);
        assert_eq!(Mode::default(), Mode::Ask);
    }
}
