//! Joins the state to the terminal, to files and to the sources of tokens: what happens goes in, what is wanted is done.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::AsFd as _;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGWINCH};
use signal_hook::iterator::Signals;
use zeroize::Zeroizing;

use super::event::{Done, Effect, Event};
use super::keys::Decoder;
use super::model::Editor;
use super::view::{Theme, render};
use super::{files, trials};
use crate::failure::Failure;
use crate::settings::Surroundings;
use crate::settings::places::Level;
use crate::terminal::capability::Capability;
use crate::terminal::full_screen::FullScreen;

/// An Escape that is part of another key is followed by the rest sooner, also over a slow line.
const ESCAPE_ALONE: Duration = Duration::from_millis(60);
const FOREVER: Duration = Duration::from_secs(3600);

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
    /// From the terminal.
    Bytes(Zeroizing<Vec<u8>>),
    /// The screen may have another size.
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
    listen_to_keys(sender.clone()).map_err(|error| broken(&error))?;
    let mut session = Session { editor: Editor::new(ground), decoder: Decoder::default(), surroundings, sender };
    session.edit(&mut screen, Theme(capability), &incoming)
}

struct Session<'a> {
    editor: Editor,
    decoder: Decoder,
    surroundings: &'a Surroundings<'a>,
    sender: Sender<Incoming>,
}

impl Session<'_> {
    fn edit(&mut self, screen: &mut FullScreen, theme: Theme, incoming: &Receiver<Incoming>) -> Result<End, Failure> {
        loop {
            screen.draw(|area, buffer| render(&self.editor, theme, area, buffer)).map_err(|error| broken(&error))?;
            let first = self.next(incoming);
            // What has come meanwhile is taken before the next picture: a paste without brackets is hundreds of keys.
            for incoming in std::iter::once(first).chain(incoming.try_iter()) {
                if let Some(end) = self.take(incoming, screen)? {
                    return Ok(end);
                }
            }
        }
    }

    fn next(&mut self, incoming: &Receiver<Incoming>) -> Incoming {
        let patience = if self.decoder.is_waiting() { ESCAPE_ALONE } else { FOREVER };
        match incoming.recv_timeout(patience) {
            Ok(incoming) => incoming,
            Err(RecvTimeoutError::Timeout) => self.decoder.settle().map_or(Incoming::Repaint, Incoming::Event),
            Err(RecvTimeoutError::Disconnected) => unreachable!("the session holds a sender itself"),
        }
    }

    fn take(&mut self, incoming: Incoming, screen: &mut FullScreen) -> Result<Option<End>, Failure> {
        let events = match incoming {
            Incoming::Event(event) => vec![event],
            Incoming::Bytes(bytes) => self.decoder.feed(&bytes),
            Incoming::Repaint => Vec::new(),
            Incoming::Signal(signal) => return Ok(Some(End::Signal(signal))),
            Incoming::Closed(error) => return Err(broken(&error)),
        };
        for event in events {
            let effect = self.editor.update(event);
            if self.perform(effect, screen)? == Next::Leave {
                return Ok(Some(End::Left));
            }
        }
        Ok(None)
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

/// The thread ends with the process: nothing can wake it but a key. It reads bytes and leaves their meaning to the
/// session, because only time tells the Escape key from the beginning of another one.
fn listen_to_keys(sender: Sender<Incoming>) -> io::Result<()> {
    // Not `Stdin`: its buffer would keep a secret that was typed.
    let mut terminal = File::from(io::stdin().as_fd().try_clone_to_owned()?);
    thread::spawn(move || {
        let mut buffer = Zeroizing::new([0; 1024]);
        loop {
            let incoming = match terminal.read(&mut *buffer) {
                Ok(0) => Incoming::Closed(io::ErrorKind::UnexpectedEof.into()),
                Ok(length) => Incoming::Bytes(Zeroizing::new(buffer[..length].to_vec())),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => Incoming::Closed(error),
            };
            let is_last = matches!(incoming, Incoming::Closed(_));
            if sender.send(incoming).is_err() || is_last {
                return;
            }
        }
    });
    Ok(())
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
