//! What the model is told of a command, and how its end is called. Pure.

use std::time::Duration;

use super::capture::Output;
use super::running::Ending;
use crate::tool::output::{Budget, Captured, Told};
use crate::tool::sandbox::order::Report;

/// As shells say that a signal ended a command.
const SIGNALLED: i32 = 128;
const KILLED: i32 = SIGNALLED + 9;

/// How a command came to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// By itself, or it never began.
    Itself(Ending),
    /// Its time was up, after so long.
    TimeIsUp(Duration),
    /// The person stopped it.
    Interrupted,
    /// The model ended it.
    Wanted,
}

/// How it is with a command that may go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It goes on, under this number.
    GoesOn(u32),
    /// It has ended.
    Ended(End),
}

/// An end, as it is said: an exit code, and a remark in front of the output.
struct Said {
    code: i32,
    remark: String,
}

impl End {
    /// For people: `exit code 1`, `stopped`.
    pub fn in_words(&self) -> String {
        match self {
            Self::Itself(Ending::Reported(Report::Exited { code })) => format!("exit code {code}"),
            Self::Itself(Ending::Reported(Report::Signalled { signal })) => format!("ended by signal {signal}"),
            Self::Itself(Ending::Reported(Report::TooManyProcesses)) => "ended: too many processes".to_owned(),
            Self::Itself(Ending::Reported(Report::NotStarted { why })) => format!("not started: {why}"),
            Self::Itself(Ending::Reported(Report::TimeIsUp { after_ms })) => {
                Self::TimeIsUp(Duration::from_millis(*after_ms)).in_words()
            }
            Self::TimeIsUp(after) => format!("ended after {} s", after.as_secs_f32()),
            Self::Itself(Ending::Stopped) | Self::Interrupted => "stopped".to_owned(),
            Self::Wanted => "ended by the model".to_owned(),
        }
    }

    /// `Err`: there was never anything that could end.
    fn said(&self) -> Result<Said, String> {
        let said = |code, remark: String| Ok(Said { code, remark });
        let late = |ms: u128| said(KILLED, format!("command timed out after {ms} milliseconds\n"));
        match self {
            Self::Itself(Ending::Reported(report)) => match report {
                Report::Exited { code } => said(*code, String::new()),
                Report::Signalled { signal } => said(SIGNALLED + signal, String::new()),
                Report::TooManyProcesses => said(KILLED, "command ended: it had too many processes\n".to_owned()),
                Report::TimeIsUp { after_ms } => late(u128::from(*after_ms)),
                Report::NotStarted { why } => Err(format!("command not started: {why}")),
            },
            Self::TimeIsUp(after) => late(after.as_millis()),
            Self::Itself(Ending::Stopped) | Self::Interrupted => said(KILLED, "aborted by user\n".to_owned()),
            Self::Wanted => said(KILLED, String::new()),
        }
    }
}

/// What is told of `exec_command` and `write_stdin`.
///
/// ```text
/// Chunk ID: 3f9a1c
/// Wall time: 0.0512 seconds
/// Process exited with code 0        (or: Process running with session ID 17)
/// Original token count: 12345
/// Output:
/// …
/// ```
pub fn of_state(chunk_id: &str, state: &State, wall: Duration, output: &Output, budget: Budget) -> String {
    let (process, remark) = match state {
        State::GoesOn(number) => (format!("Process running with session ID {number}"), String::new()),
        State::Ended(end) => match end.said() {
            Ok(Said { code, remark }) => (format!("Process exited with code {code}"), remark),
            Err(nothing) => return nothing,
        },
    };
    let tokens = Budget::tokens(output.bytes());
    let text = match cut(output, budget) {
        Told::Whole(text) => text,
        Told::Cut { text, lines } => {
            format!("Warning: truncated output (original token count: {tokens})\nTotal output lines: {lines}\n\n{text}")
        }
    };
    let wall = wall.as_secs_f64();
    format!(
        "Chunk ID: {chunk_id}\nWall time: {wall:.4} seconds\n{process}\nOriginal token count: {tokens}\n\
         Output:\n{remark}{text}"
    )
}

/// What is told of a command that was waited for to its end.
///
/// ```text
/// Exit code: 0
/// Wall time: 1.3 seconds
/// Total output lines: 5120        (only when it was cut)
/// Output:
/// …
/// ```
pub fn of_end(end: &End, wall: Duration, output: &Output, budget: Budget) -> String {
    let Said { code, remark } = match end.said() {
        Ok(said) => said,
        Err(nothing) => return nothing,
    };
    let (lines, text) = match cut(output, budget) {
        Told::Whole(text) => (String::new(), text),
        Told::Cut { text, lines } => (format!("Total output lines: {lines}\n"), text),
    };
    format!("Exit code: {code}\nWall time: {:.1} seconds\n{lines}Output:\n{remark}{text}", wall.as_secs_f32())
}

fn cut(output: &Output, budget: Budget) -> Told {
    let mut captured = Captured::default();
    captured.take(output.text().as_bytes());
    match captured.told(budget) {
        Told::Cut { text, .. } => Told::Cut { text, lines: output.lines },
        whole @ Told::Whole(_) => whole,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(text: &str) -> Output {
        let lines = text.lines().count() as u64;
        Output { head: text.as_bytes().to_vec(), lines, ..Output::default() }
    }

    fn exited(code: i32) -> End {
        End::Itself(Ending::Reported(Report::Exited { code }))
    }

    #[test]
    fn the_model_is_told_like_this_of_what_was_waited_for() {
        let wall = Duration::from_millis(1_260);
        let say = |end: &End, text: &str| of_end(end, wall, &output(text), Budget::Bytes(10));
        assert_eq!(say(&exited(1), "no\n"), "Exit code: 1\nWall time: 1.3 seconds\nOutput:\nno\n");
        let cut =
            "Exit code: 0\nWall time: 1.3 seconds\nTotal output lines: 2\nOutput:\n01234…2 chars truncated…7\n89a";
        assert_eq!(say(&exited(0), "01234567\n89a"), cut);
        let late = say(&End::TimeIsUp(Duration::from_secs(2)), "");
        assert!(late.ends_with("Output:\ncommand timed out after 2000 milliseconds\n"), "{late}");
        let why = Report::NotStarted { why: "no such program".into() };
        assert_eq!(say(&End::Itself(Ending::Reported(why)), ""), "command not started: no such program");
        assert!(say(&End::Interrupted, "half").ends_with("aborted by user\nhalf"));
    }

    #[test]
    fn the_model_is_told_like_this_of_what_may_go_on() {
        let wall = Duration::from_millis(51);
        let say = |state: State, text: &str| of_state("3f9a1c", &state, wall, &output(text), Budget::Tokens(2));
        let head = "Chunk ID: 3f9a1c\nWall time: 0.0510 seconds\n";
        let rows = [
            (exited(0), "a\n", "Process exited with code 0\nOriginal token count: 1\nOutput:\na\n"),
            (
                exited(2),
                "01234567\n89a",
                "Process exited with code 2\nOriginal token count: 3\nOutput:\nWarning: truncated output (original token \
                 count: 3)\nTotal output lines: 2\n\n0123…1 tokens truncated…\n89a",
            ),
            (
                End::Itself(Ending::Reported(Report::TimeIsUp { after_ms: 1500 })),
                "x",
                "Process exited with code 137\nOriginal token count: 1\nOutput:\ncommand timed out after 1500 milliseconds\nx",
            ),
            (End::Wanted, "", "Process exited with code 137\nOriginal token count: 0\nOutput:\n"),
            (End::Interrupted, "", "Process exited with code 137\nOriginal token count: 0\nOutput:\naborted by user\n"),
        ];
        for (end, text, expected) in rows {
            assert_eq!(say(State::Ended(end), text), format!("{head}{expected}"));
        }
        let goes_on = "Process running with session ID 17\nOriginal token count: 1\nOutput:\nx";
        assert_eq!(say(State::GoesOn(17), "x"), format!("{head}{goes_on}"));
    }
}
