//! What an event does to the state, and what it wants done: no terminal, no file, no clock.
//!
//! * [`list`]: moving, and what can be done from there. * [`value`]: choosing, ordering and typing a value.
//! * [`dialogue`]: testing, saving, leaving, trusting, help.

mod dialogue;
mod list;
mod value;

use super::event::{Done, Effect, Event, Press};
use super::field::Change;
use super::model::{Afterwards, Editor, Notice, Screen, Tone};
use crate::settings::key::Key;

impl Editor {
    /// Takes an event.
    pub fn update(&mut self, event: Event) -> Option<Effect> {
        match event {
            Event::Pressed(press) => self.press(press),
            Event::Pasted(text) => {
                self.paste(&text);
                None
            }
            Event::Tried { run, source, outcome } => {
                self.tried(run, &source, outcome);
                None
            }
        }
    }

    /// Takes what came of saving or trusting.
    pub fn done(&mut self, done: Done) -> Option<Effect> {
        let afterwards = match (&done, &self.screen) {
            (Ok(_), Screen::Saving(afterwards)) => *afterwards,
            _ => Afterwards::Stay,
        };
        if matches!(self.screen, Screen::Saving(_)) && done.is_ok() {
            self.changes.clear();
        }
        self.screen = Screen::List;
        match done {
            Ok((ground, text)) => {
                self.replace_ground(*ground);
                self.say(Tone::Good, text);
            }
            Err(text) => self.say(Tone::Bad, text),
        }
        match afterwards {
            Afterwards::Stay => None,
            Afterwards::Leave => Some(Effect::Leave),
        }
    }

    fn press(&mut self, press: Press) -> Option<Effect> {
        match press {
            Press::Control('c') => return Some(Effect::Leave),
            Press::Control('l') => return Some(Effect::Repaint),
            Press::Down | Press::PageDown if self.screen.is_read() => {
                self.scrolled += 1;
                return None;
            }
            Press::Up | Press::PageUp if self.screen.is_read() => {
                self.scrolled = self.scrolled.saturating_sub(1);
                return None;
            }
            _ => self.scrolled = 0,
        }
        // Taken out and put back, so that what is in front and what lies behind can be changed at once.
        match std::mem::replace(&mut self.screen, Screen::List) {
            Screen::List => self.press_in_list(press),
            Screen::Filtering => self.press_while_filtering(press),
            Screen::Choosing(choosing) => self.press_while_choosing(choosing, press),
            Screen::Ordering(ordering) => self.press_while_ordering(ordering, press),
            Screen::Typing(typing) => self.press_while_typing(typing, press),
            Screen::Testing(testing) => self.press_while_testing(testing, press),
            Screen::Saving(afterwards) => self.press_while_saving(afterwards, press),
            Screen::Leaving => self.press_while_leaving(press),
            Screen::Trusting => self.press_while_trusting(press),
            Screen::Help => None,
        }
    }

    fn paste(&mut self, text: &str) {
        match &mut self.screen {
            Screen::Typing(typing) => {
                typing.trouble = typing.line.insert(text).err().map(|error| error.to_string());
                if typing.trouble.is_none() {
                    typing.check();
                }
            }
            Screen::Filtering => {
                if let Err(error) = self.filter.insert(text) {
                    self.say(Tone::Bad, error.to_string());
                }
                self.point_at_something();
            }
            Screen::List
            | Screen::Choosing(_)
            | Screen::Ordering(_)
            | Screen::Testing(_)
            | Screen::Saving(_)
            | Screen::Leaving
            | Screen::Trusting
            | Screen::Help => {}
        }
    }

    /// Changes a setting, or takes the change back when it leads to what is there.
    fn change_to(&mut self, key: Key, text: &str) {
        let Some(field) = self.ground.field(key) else { return };
        let change = field.change_to(text, self.rank());
        self.put(key, change);
    }

    fn put(&mut self, key: Key, change: Option<Change>) {
        self.changes.retain(|(changed, _)| *changed != key);
        self.changes.extend(change.map(|change| (key, change)));
        self.point_at_something();
    }

    /// When what was pointed at is no longer listed, the nearest one before it is pointed at.
    fn point_at_something(&mut self) {
        let listed: Vec<Key> = self.listed().iter().map(|field| field.key()).collect();
        if listed.contains(&self.selected) {
            return;
        }
        let place = |key: Key| self.ground.fields.iter().position(|field| field.key() == key);
        let before = listed.iter().rev().find(|key| place(**key) < place(self.selected));
        if let Some(key) = before.or(listed.first()) {
            self.selected = *key;
        }
    }

    fn replace_ground(&mut self, ground: super::ground::Ground) {
        let level = self.level();
        self.ground = ground;
        self.edited = self.ground.files.iter().position(|file| file.level == level).unwrap_or(0);
        self.point_at_something();
    }

    fn next_file(&mut self) {
        self.edited = (self.edited + 1) % self.ground.files.len();
        self.point_at_something();
    }

    fn say(&mut self, tone: Tone, text: impl Into<String>) {
        self.notice = Some(Notice { tone, text: text.into() });
    }
}

#[cfg(test)]
#[path = "update/tests.rs"]
mod tests;
