//! Where a command speaks and listens: stdout is the answer, stderr is talk, stdin is a person.

use std::io::{self, BufRead, BufReader, IsTerminal, Read, Write};

use serde::Serialize;

use super::failure::Failure;
use super::text::{Paint, printable};
use super::wording::{Again, Wording};
use crate::clock::Timestamp;
use crate::local_time::LocalTime;

/// A line that a person types or pastes is never longer.
const LONGEST_LINE: u64 = 64 << 10;

/// Which of the three are terminals, and whether `NO_COLOR` lets them be coloured.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Terminals {
    pub(super) stdin: bool,
    pub(super) stdout: bool,
    pub(super) stderr: bool,
    pub(super) colour: bool,
}

/// How the answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Human,
    Json,
}

/// What a person said to a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reply {
    Yes,
    No,
    /// There is no terminal, so nobody was asked.
    Nobody,
}

pub(super) struct Screen {
    stdout: Box<dyn Write + Send>,
    stderr: Box<dyn Write + Send>,
    stdin: Box<dyn BufRead + Send>,
    terminals: Terminals,
    form: Form,
    again: Again,
    /// In which moments are told.
    local: LocalTime,
    /// A line of progress stands on the terminal without its line end.
    progress: bool,
}

impl Screen {
    /// The process's own. `colour` is false when `NO_COLOR` is set (<https://no-color.org>) or the terminal is dumb.
    pub(super) fn standard(colour: bool) -> Self {
        let terminals = Terminals {
            stdin: io::stdin().is_terminal(),
            stdout: io::stdout().is_terminal(),
            stderr: io::stderr().is_terminal(),
            colour,
        };
        let stdin = Box::new(BufReader::new(io::stdin()));
        let screen = Self::of(Box::new(io::stdout()), Box::new(io::stderr()), stdin, terminals);
        Self { local: LocalTime::system(), ..screen }
    }

    /// One that tells moments in UTC.
    pub(super) fn of(
        stdout: Box<dyn Write + Send>,
        stderr: Box<dyn Write + Send>,
        stdin: Box<dyn BufRead + Send>,
        terminals: Terminals,
    ) -> Self {
        let (again, local) = (Again::default(), LocalTime::utc());
        Self { stdout, stderr, stdin, terminals, form: Form::Human, again, local, progress: false }
    }

    pub(super) fn set_form(&mut self, form: Form) {
        self.form = form;
    }

    pub(super) fn form(&self) -> Form {
        self.form
    }

    /// Colours for what goes to stdout.
    pub(super) fn paint(&self) -> Paint {
        Paint::new(self.terminals.stdout && self.terminals.colour)
    }

    /// Colours for what goes to stderr.
    pub(super) fn talk_paint(&self) -> Paint {
        Paint::new(self.terminals.stderr && self.terminals.colour)
    }

    /// Writes the answer and its line end to stdout.
    pub(super) fn answer(&mut self, text: &str) -> Result<(), Failure> {
        self.end_progress();
        self.stdout.write_all(text.trim_end().as_bytes())?;
        self.stdout.write_all(b"\n")?;
        Ok(self.stdout.flush()?)
    }

    /// Writes the answer as one line of JSON to stdout.
    pub(super) fn json(&mut self, answer: &impl Serialize) -> Result<(), Failure> {
        let text = serde_json::to_string(answer).expect("a body of the contract can be written as JSON");
        self.answer(&text)
    }

    /// What a suggested command needs to reach the same broker.
    pub(super) fn set_again(&mut self, again: Again) {
        self.again = again;
    }

    pub(super) fn again(&self) -> &Again {
        &self.again
    }

    pub(super) fn wording(&self, now: Timestamp) -> Wording {
        Wording { paint: self.paint(), now, local: self.local.clone(), again: self.again.clone() }
    }

    /// A moment as this machine's clock shows it.
    pub(super) fn date(&self, unix: i64) -> String {
        self.local.exactly(Timestamp::from_unix(unix))
    }

    /// Says something on stderr. A stderr that nobody reads stops no command.
    pub(super) fn say(&mut self, text: &str) {
        self.end_progress();
        let _ = writeln!(self.stderr, "{}", text.trim_end());
        let _ = self.stderr.flush();
    }

    /// Shows a line of progress in place of the last one; only on a terminal.
    pub(super) fn progress(&mut self, text: &str) {
        if self.terminals.stderr {
            let _ = write!(self.stderr, "\r\x1b[K{}", printable(text));
            let _ = self.stderr.flush();
            self.progress = true;
        }
    }

    fn end_progress(&mut self) {
        if std::mem::take(&mut self.progress) {
            let _ = write!(self.stderr, "\r\x1b[K");
        }
    }

    /// Whether a person sits there who can be asked.
    pub(super) fn attended(&self) -> bool {
        self.terminals.stdin && self.terminals.stderr
    }

    /// Asks a question whose answer is no unless it is yes.
    pub(super) fn ask(&mut self, question: &str) -> Reply {
        if !self.attended() {
            return Reply::Nobody;
        }
        self.end_progress();
        let _ = write!(self.stderr, "{question} [y/N] ");
        let _ = self.stderr.flush();
        match self.read_line().as_deref().map(str::trim) {
            Some("y" | "Y" | "yes" | "Yes" | "YES") => Reply::Yes,
            Some(_) | None => Reply::No,
        }
    }

    /// Asks for something that is typed in on the same line, and does not echo it when stdin is the process's own.
    pub(super) fn ask_hidden(&mut self, question: &str) -> Option<String> {
        let _ = write!(self.stderr, "{question}: ");
        let _ = self.stderr.flush();
        let quiet = super::quiet::Quiet::begin();
        let line = self.read_line();
        drop(quiet);
        let _ = writeln!(self.stderr);
        line
    }

    fn read_line(&mut self) -> Option<String> {
        read_line(&mut self.stdin)
    }

    /// Hands stdin over to somebody who reads it in a thread; nobody is asked anything afterwards.
    pub(super) fn take_input(&mut self) -> Box<dyn BufRead + Send> {
        self.terminals.stdin = false;
        std::mem::replace(&mut self.stdin, Box::new(io::empty()))
    }
}

/// The next line without its end; none at the end of the input or when it cannot be read.
pub(super) fn read_line(input: &mut (impl BufRead + ?Sized)) -> Option<String> {
    let mut line = String::new();
    match input.take(LONGEST_LINE).read_line(&mut line) {
        Ok(0) | Err(_) => None,
        Ok(_) => Some(line.trim_end_matches(['\r', '\n']).to_owned()),
    }
}
