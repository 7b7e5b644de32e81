//! The keyboard between two prompts: what is typed while nobody reads is neither shown nor lost, and however the command
//! ends, the terminal is given back as it was found.

use std::io::{self, IsTerminal as _, stdin, stdout};
use std::panic;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, Once, OnceLock, PoisonError};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::termios::{InputModes, LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};

use super::sanitize::sanitized;

/// What is pasted comes between marks, so that its line feeds are no Enter.
const PASTES_MARKED: &str = "\u{1b}[?2004h";
/// Pastes unmarked, no style, the cursor there.
const AS_BEFORE: &str = "\u{1b}[?2004l\u{1b}[0m\u{1b}[?25h";
/// So much that was typed before a question is kept, in bytes.
const MOST_ASIDE: usize = 64 * 1024;

/// The terminal as it was found; there is one for each process.
static FOUND: OnceLock<Termios> = OnceLock::new();
/// Whether it has to be given back.
static TAKEN: AtomicBool = AtomicBool::new(false);
/// What was typed before somebody was asked.
static ASIDE: Mutex<Vec<u8>> = Mutex::new(Vec::new());
static HOOKED: Once = Once::new();

/// The keyboard is ours until this is dropped.
#[derive(Debug)]
pub struct Keyboard(());

impl Keyboard {
    /// Remembers how the terminal was found, and listens.
    pub fn take() -> io::Result<Self> {
        let found = tcgetattr(stdin())?;
        FOUND.get_or_init(|| found);
        HOOKED.call_once(give_back_on_panic);
        listen();
        Ok(Self(()))
    }
}

impl Drop for Keyboard {
    fn drop(&mut self) {
        give_back();
    }
}

/// What is typed from here on waits unseen until it is read; Ctrl-C still interrupts. Nothing when the keyboard is not
/// ours. Whoever has read with a mode of their own calls this again.
pub fn listen() {
    let Some(found) = FOUND.get() else { return };
    let mut quiet = found.clone();
    quiet.local_modes.remove(LocalModes::ECHO | LocalModes::ECHONL | LocalModes::ICANON);
    // Enter stays what it is: a line editor tells it from Ctrl-J.
    quiet.input_modes.remove(InputModes::ICRNL | InputModes::INLCR | InputModes::IGNCR);
    quiet.special_codes[SpecialCodeIndex::VMIN] = 1;
    quiet.special_codes[SpecialCodeIndex::VTIME] = 0;
    TAKEN.store(true, Ordering::SeqCst);
    let _ = tcsetattr(stdin(), OptionalActions::Now, &quiet);
    write(PASTES_MARKED);
}

/// The terminal is as it was found. Done twice it does nothing. Every step is tried whatever became of the one before
/// it: nothing more can be done than trying.
pub fn give_back() {
    if !TAKEN.swap(false, Ordering::SeqCst) {
        return;
    }
    if let Some(found) = FOUND.get() {
        let _ = tcsetattr(stdin(), OptionalActions::Now, found);
    }
    write(AS_BEFORE);
}

/// Does something with the terminal as it was found, and listens again.
pub fn lent<T>(task: impl FnOnce() -> T) -> T {
    give_back();
    let done = task();
    listen();
    done
}

/// Runs `stop`, which ends when the process goes on, with the terminal given back; then it is as it was before `stop`.
pub(super) fn given_back_while(stop: impl FnOnce()) {
    let before = tcgetattr(stdin());
    let was_taken = TAKEN.load(Ordering::SeqCst);
    give_back();
    stop();
    if was_taken {
        TAKEN.store(true, Ordering::SeqCst);
        if let Ok(before) = before {
            let _ = tcsetattr(stdin(), OptionalActions::Now, &before);
        }
        write(PASTES_MARKED);
    }
}

/// What was typed so far answers no question that comes now: it is kept for [`put_aside`].
pub fn put_away() -> io::Result<()> {
    let mut bytes = [0; 4096];
    while is_waiting()? {
        let count = rustix::io::read(stdin(), &mut bytes)?;
        if count == 0 {
            break;
        }
        let mut aside = ASIDE.lock().unwrap_or_else(PoisonError::into_inner);
        let room = MOST_ASIDE.saturating_sub(aside.len());
        aside.extend_from_slice(&bytes[..count.min(room)]);
    }
    Ok(())
}

/// What was put away, once, as text.
pub fn put_aside() -> Option<String> {
    let bytes = std::mem::take(&mut *ASIDE.lock().unwrap_or_else(PoisonError::into_inner));
    let text = typed(&String::from_utf8_lossy(&bytes));
    if text.is_empty() { None } else { Some(text) }
}

fn is_waiting() -> io::Result<bool> {
    let stdin = stdin();
    let mut input = [PollFd::new(&stdin, PollFlags::IN)];
    poll(&mut input, Some(&Timespec { tv_sec: 0, tv_nsec: 0 }))?;
    Ok(input[0].revents().contains(PollFlags::IN))
}

/// The text that these keys are: what was erased is gone, other keys than characters count for nothing.
fn typed(keys: &str) -> String {
    let mut text = String::new();
    for key in keys.chars() {
        match key {
            '\u{7f}' | '\u{8}' => drop(text.pop()),
            key => text.push(key),
        }
    }
    sanitized(&format!("{text}\n")).trim().to_owned()
}

/// Past the lock of stdout, which a thread may hold that is stopped in the middle of a line, and only when the terminal
/// takes it: one that was halted with Ctrl-S must not keep the command from ending.
fn write(sequence: &str) {
    let stdout = stdout();
    let mut output = [PollFd::new(&stdout, PollFlags::OUT)];
    let takes = poll(&mut output, Some(&Timespec { tv_sec: 0, tv_nsec: 0 }));
    if takes == Ok(1) && output[0].revents() == PollFlags::OUT && stdout.is_terminal() {
        let _ = rustix::io::write(&stdout, sequence.as_bytes());
    }
}

/// A panic's message is written on a terminal that shows it.
fn give_back_on_panic() {
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        give_back();
        before(panic);
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_the_text_that_is_left_of_them() {
        assert_eq!(typed("y\ry\r"), "y\ny");
        assert_eq!(typed("cat\u{7f}r\u{1b}[D\u{1b}[A"), "car");
        assert_eq!(typed("\u{1b}[200~one\rtwo\u{1b}[201~"), "one\ntwo");
        assert_eq!(typed("\u{7f}\u{3}\r"), "");
    }
}
