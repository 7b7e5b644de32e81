//! The whole screen, for a while. However it ends, the terminal is given back as it was: raw mode off, the other
//! screen gone, the cursor there.

use std::io::{self, Stdout, Write as _, stdout};
use std::panic;
use std::sync::atomic::{AtomicBool, Ordering};

use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::cursor::Show;
use ratatui::crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use ratatui::crossterm::style::force_color_output;
use ratatui::crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode};
use ratatui::crossterm::{execute, queue};
use ratatui::layout::{Position, Rect};
use ratatui::prelude::Buffer;

use super::capability::{Capability, Colour};

/// Whether there is something to give back.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// The screen; it is given back when this is dropped.
pub struct FullScreen {
    terminal: Terminal<CrosstermBackend<Stdout>>,
}

impl FullScreen {
    /// Takes the screen of stdout.
    pub fn enter(capability: Capability) -> io::Result<Self> {
        force_color_output(capability.colour != Colour::None);
        enable_raw_mode()?;
        TAKEN.store(true, Ordering::SeqCst);
        give_back_on_panic();
        // From here on a failure gives back what was taken.
        let taken = execute!(stdout(), EnterAlternateScreen, EnableBracketedPaste)
            .and_then(|()| Terminal::new(CrosstermBackend::new(stdout())));
        match taken {
            Ok(terminal) => Ok(Self { terminal }),
            Err(error) => {
                give_back();
                Err(error)
            }
        }
    }

    /// Shows what `paint` paints; the cursor stands where it says.
    pub fn draw(&mut self, paint: impl FnOnce(Rect, &mut Buffer) -> Option<Position>) -> io::Result<()> {
        let drawn = self.terminal.draw(|frame| {
            if let Some(cursor) = paint(frame.area(), frame.buffer_mut()) {
                frame.set_cursor_position(cursor);
            }
        });
        drawn.map(drop)
    }

    /// The next drawing begins with nothing: something else has written on the screen.
    pub fn forget(&mut self) -> io::Result<()> {
        self.terminal.clear()
    }
}

impl Drop for FullScreen {
    fn drop(&mut self) {
        give_back();
    }
}

/// Every step is tried whatever became of the one before it: nothing more can be done than trying. Done twice it would
/// put the cursor back onto what was written since: a panic's message.
fn give_back() {
    if !TAKEN.swap(false, Ordering::SeqCst) {
        return;
    }
    let _ = queue!(stdout(), DisableBracketedPaste, LeaveAlternateScreen, Show);
    let _ = stdout().flush();
    let _ = disable_raw_mode();
}

/// A panic's message is written on the screen that the user gets back.
fn give_back_on_panic() {
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        give_back();
        before(panic);
    }));
}
