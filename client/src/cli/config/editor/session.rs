//! Joins the state to the terminal, to files and to the sources of tokens: what happens goes in, what is wanted is done.

use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use ratatui::crossterm::event as terminal_event;
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGWINCH};
use signal_hook::iterator::Signals;

use super::event::{Done, Effect, Event};
use super::model::Editor;
use super::view::{Theme, render};
use super::{files, keys, trials};
use crate::failure::Failure;
use crate::settings::Surroundings;
use crate::settings::places::Level;
use crate::terminal::capability::Capability;
use crate::terminal::full_screen::FullScreen;

/// How the editor ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The user left it.
    Left,
    /// This signal ended it.
    Signal(i32),
}

/// What reaches the session from its threads.
pub(super) enum Incoming {
    /// Something for the state.
    Event(Event),
    /// The screen has another size.
    Repaint,
    Signal(i32),
    /// There is no more to come from the terminal.
    Closed(io::Error),
}

/// Edits until the user leaves or a signal comes. The terminal is given back in any case.
pub fn run(surroundings: &Surroundings<'_>, capability: Capability) -> Result<End, Failure> {
    let ground = files::load(surroundings)?;
    let (sender, incoming) = channel();
    listen_to_signals(sender.clone())?;
    let mut screen = FullScreen::enter(capability).map_err(|error| broken(&error))?;
    listen_to_keys(sender.clone());
    let mut session = Session { editor: Editor::new(ground), surroundings, sender };
    session.edit(&mut screen, Theme(capability), &incoming)
}

struct Session<'a> {
    editor: Editor,
    surroundings: &'a Surroundings<'a>,
    sender: Sender<Incoming>,
}

impl Session<'_> {
    fn edit(&mut self, screen: &mut FullScreen, theme: Theme, incoming: &Receiver<Incoming>) -> Result<End, Failure> {
        loop {
            screen.draw(|area, buffer| render(&self.editor, theme, area, buffer)).map_err(|error| broken(&error))?;
            let first = incoming.recv().expect("the session holds a sender itself");
            // What has come meanwhile is taken before the next picture: a paste without brackets is hundreds of keys.
            for incoming in std::iter::once(first).chain(incoming.try_iter()) {
                let effect = match incoming {
                    Incoming::Event(event) => self.editor.update(event),
                    Incoming::Repaint => None,
                    Incoming::Signal(signal) => return Ok(End::Signal(signal)),
                    Incoming::Closed(error) => return Err(broken(&error)),
                };
                if self.perform(effect, screen)? == Next::Leave {
                    return Ok(End::Left);
                }
            }
        }
    }

    fn perform(&mut self, effect: Option<Effect>, screen: &mut FullScreen) -> Result<Next, Failure> {
        let done = match effect {
            None => return Ok(Next::Stay),
            Some(Effect::Leave) => return Ok(Next::Leave),
            Some(Effect::Repaint) => return screen.forget().map(|()| Next::Stay).map_err(|error| broken(&error)),
            Some(Effect::Try { run, sources }) => {
                let changes = self.editor.changes().to_vec();
                let plan = trials::Plan { run, sources, changes, level: self.editor.level() };
                trials::start(plan, self.surroundings, self.sender.clone());
                return Ok(Next::Stay);
            }
            Some(Effect::Save(level)) => self.save(level),
            Some(Effect::Trust) => {
                let shown = self.editor.ground.untrusted.as_ref();
                files::trust(shown, self.surroundings).map_err(|failure| failure.to_string())
            }
        };
        Ok(match self.editor.done(done) {
            Some(Effect::Leave) => Next::Leave,
            _ => Next::Stay,
        })
    }

    fn save(&self, level: Level) -> Done {
        files::save(level, self.editor.changes(), self.surroundings).map_err(|failure| failure.to_string())
    }
}

#[derive(PartialEq, Eq)]
enum Next {
    Stay,
    Leave,
}

fn broken(error: &io::Error) -> Failure {
    Failure::temporary(format!("the terminal: {error}"))
}

/// The thread ends with the process: nothing can wake it but a key.
fn listen_to_keys(sender: Sender<Incoming>) {
    thread::spawn(move || {
        loop {
            let incoming = match terminal_event::read() {
                Ok(raw) => keys::event(raw).map(Incoming::Event),
                Err(error) => Some(Incoming::Closed(error)),
            };
            let is_last = matches!(incoming, Some(Incoming::Closed(_)));
            if incoming.is_some_and(|incoming| sender.send(incoming).is_err()) || is_last {
                return;
            }
        }
    });
}

/// Before the first picture: a terminal that gets another size right after it must not be missed.
fn listen_to_signals(sender: Sender<Incoming>) -> Result<(), Failure> {
    let signals = Signals::new([SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGWINCH]);
    let mut signals = signals.map_err(|error| Failure::temporary(format!("signals cannot be heard: {error}")))?;
    thread::spawn(move || {
        signals.forever().try_for_each(|signal| match signal {
            SIGWINCH => sender.send(Incoming::Repaint),
            signal => sender.send(Incoming::Signal(signal)),
        })
    });
    Ok(())
}
