//! The last lines of what a command prints, while it runs: written again in place, and gone when it has ended.

use std::io::{self, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::screen::surface::{Cursor, Surface};
use crate::clock::{Clock, Deadline};
use crate::terminal::capability::Characters;
use crate::terminal::columns::{cut, width_of};
use crate::terminal::markdown::ink::{Style, paint};
use crate::terminal::sanitize::sanitized;
use crate::tool::shell::running::{Running, Waited};

const MOST_LINES: usize = 4;
/// As much is looked at, in bytes.
const LATEST: usize = 4 * 1024;
const BETWEEN_FRAMES: Duration = Duration::from_millis(150);
/// What ends sooner is not worth the flicker.
const PATIENCE: Duration = Duration::from_millis(500);

/// Waits for the end of a command as [`Running::wait`] does, and shows meanwhile what it prints, where that can be taken
/// back.
pub(super) fn watch(
    running: &Running,
    clock: &dyn Clock,
    at_most: Duration,
    stop: &AtomicBool,
    surface: Option<Surface>,
) -> Waited {
    let interrupted = || stop.load(Ordering::Relaxed);
    let Some(surface) = surface.filter(|surface| surface.cursor == Cursor::Moves) else {
        return running.wait(clock, at_most, &interrupted);
    };
    let (deadline, began) = (Deadline::within(at_most, clock), clock.elapsed());
    let mut tail = Tail { surface, shown: Vec::new() };
    loop {
        let waited = running.wait(clock, deadline.left().min(BETWEEN_FRAMES), &interrupted);
        if waited != Waited::TimeIsUp || deadline.left().is_zero() {
            write(&tail.taken_away());
            return waited;
        }
        let since = clock.elapsed().saturating_sub(began);
        if since >= PATIENCE {
            write(&tail.frame(&running.latest(LATEST), since));
        }
    }
}

/// Who cannot see it loses nothing.
fn write(text: &str) {
    let mut stdout = io::stdout().lock();
    let _ = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
}

/// What stands on the screen: some lines, and the cursor below them.
#[derive(Debug)]
struct Tail {
    surface: Surface,
    shown: Vec<String>,
}

impl Tail {
    /// What is to be written so that the screen shows the latest output; nothing when it does.
    fn frame(&mut self, latest: &[u8], since: Duration) -> String {
        let lines = self.lines(latest, since);
        if lines == self.shown {
            return String::new();
        }
        let mut frame = self.taken_away();
        for line in &lines {
            frame.push_str(&paint(line, Style::FAINT, self.surface.colour));
            frame.push('\n');
        }
        self.shown = lines;
        frame
    }

    /// What is to be written so that nothing of it is left.
    fn taken_away(&mut self) -> String {
        let columns = (self.surface.columns)().max(1);
        // Lines of a window that has become narrower take several rows.
        let rows: usize = self.shown.drain(..).map(|line| width_of(&line).div_ceil(columns).max(1)).sum();
        if rows == 0 { String::new() } else { format!("\r\u{1b}[{rows}A\u{1b}[J") }
    }

    fn lines(&self, latest: &[u8], since: Duration) -> Vec<String> {
        let room = (self.surface.columns)().saturating_sub(1);
        let text = sanitized(&String::from_utf8_lossy(latest)).replace('\t', "    ");
        let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
        let last = lines[lines.len().saturating_sub(MOST_LINES)..].iter();
        let dots = if self.surface.characters == Characters::Utf8 { "…" } else { "..." };
        let state = format!("[running{dots} {} s]", since.as_secs());
        last.copied().chain([state.as_str()]).map(|line| cut(&format!("  {line}"), room)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terminal::capability::Colour;

    fn tail(columns: fn() -> usize) -> Tail {
        let surface = Surface { colour: Colour::None, characters: Characters::Ascii, cursor: Cursor::Moves, columns };
        Tail { surface, shown: Vec::new() }
    }

    fn on_a_terminal(written: &str) -> String {
        let mut terminal = vt100::Parser::new(10, 20, 100);
        terminal.process(written.replace('\n', "\r\n").as_bytes());
        terminal.screen().contents()
    }

    #[test]
    fn only_the_last_lines_are_there_and_in_the_end_none() {
        let mut tail = tail(|| 20);
        let mut written = "$ make\n".to_owned();
        let mut output = String::new();
        for n in 1..=9 {
            output.push_str(&format!("\u{1b}[31mline {n}\u{1b}[0m of a long output\n\n"));
            written.push_str(&tail.frame(output.as_bytes(), Duration::from_secs(n)));
        }
        let expected = "$ make\n  line 6 of a long \n  line 7 of a long \n  line 8 of a long \n  line 9 of a long \n  [running... 9 s]";
        assert_eq!(on_a_terminal(&written), expected);
        assert_eq!(tail.frame(output.as_bytes(), Duration::from_secs(9)), "", "nothing is new");
        written.push_str(&tail.taken_away());
        assert_eq!(on_a_terminal(&(written + "  [exit code 0]\n")), "$ make\n  [exit code 0]");
    }

    #[test]
    fn a_line_never_takes_two_rows() {
        let tail = tail(|| 10);
        let lines = tail.lines("日本語日本語日本語\n\ta\rb".as_bytes(), Duration::ZERO);
        assert_eq!(lines, ["  日本語", "      a", "  b", "  [runnin"]);
        assert!(lines.iter().all(|line| width_of(line) < 10));
    }

    #[test]
    fn of_bytes_that_are_no_text_nothing_reaches_the_terminal() {
        let lines = tail(|| 80).lines(b"\xff\x1b]52;c;AAAA\x07x\x9b2J", Duration::ZERO);
        assert!(lines.iter().all(|line| !line.chars().any(char::is_control)), "{lines:?}");
    }
}
