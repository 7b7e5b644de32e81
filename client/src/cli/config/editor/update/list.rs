//! Keys while the list is in front.

use super::super::event::{Effect, Press};
use super::super::field::Change;
use super::super::line::TextLine;
use super::super::model::{Afterwards, Choosing, Editor, Ordering, Screen, Tone, Typing, split};
use crate::settings::catalog::{Kind, Secrecy};
use crate::settings::places::Level;

/// How far a page goes.
const PAGE: usize = 10;

impl Editor {
    pub(super) fn press_in_list(&mut self, press: Press) -> Option<Effect> {
        self.notice = None;
        match press {
            Press::Up | Press::Char('k') => self.point(|at, _| at.saturating_sub(1)),
            Press::Down | Press::Char('j') => self.point(|at, last| (at + 1).min(last)),
            Press::PageUp => self.point(|at, _| at.saturating_sub(PAGE)),
            Press::PageDown => self.point(|at, last| (at + PAGE).min(last)),
            Press::Home | Press::Char('g') => self.point(|_, _| 0),
            Press::End | Press::Char('G') => self.point(|_, last| last),
            Press::Enter => self.open(),
            Press::Char('d') | Press::Delete => self.unset(),
            Press::Char('u') => self.undo(),
            Press::Tab => self.change_level(),
            Press::Char('/') => self.screen = Screen::Filtering,
            Press::Char('?') => self.screen = Screen::Help,
            Press::Char('s') => self.ask_to_save(Afterwards::Stay),
            Press::Char('t') => return self.try_sources(self.to_be_tried()),
            Press::Char('T') => self.ask_for_trust(),
            Press::Escape if !self.filter.text().is_empty() => self.filter.clear(),
            Press::Char('q') | Press::Escape if self.changes.is_empty() => return Some(Effect::Leave),
            Press::Char('q') | Press::Escape => self.screen = Screen::Leaving,
            _ => {}
        }
        None
    }

    pub(super) fn press_while_filtering(&mut self, press: Press) -> Option<Effect> {
        self.screen = Screen::Filtering;
        match press {
            Press::Enter | Press::Down | Press::Up | Press::Tab => self.screen = Screen::List,
            Press::Escape => {
                self.filter.clear();
                self.screen = Screen::List;
            }
            Press::Char(character) => {
                let _ = self.filter.insert(character.encode_utf8(&mut [0; 4]));
            }
            Press::Backspace => self.filter.backspace(),
            Press::Control('u') => self.filter.clear(),
            _ => {}
        }
        // What is looked for is the first that is found; what was pointed at before stays when all is shown again.
        if !self.filter.text().is_empty() {
            self.point(|_, _| 0);
        }
        None
    }

    fn point(&mut self, to: impl Fn(usize, usize) -> usize) {
        let keys: Vec<_> = self.listed().iter().map(|field| field.key()).collect();
        let at = keys.iter().position(|key| *key == self.selected).unwrap_or(0);
        if let Some(key) = keys.get(to(at, keys.len().saturating_sub(1))) {
            self.selected = *key;
        }
    }

    fn open(&mut self) {
        let Some(field) = self.pointed() else { return };
        let key = field.key();
        let holding = self.holding(field);
        self.screen = match &field.entry.kind {
            Kind::Choice(choices) => {
                let chosen = choices.iter().position(|choice| choice.value == holding.text());
                Screen::Choosing(Choosing { key, choices, cursor: chosen.map_or(0, |row| row + 1) })
            }
            Kind::List(choices) => {
                let taken = split(holding.text());
                let place = |value: &str| taken.iter().position(|item| item == value);
                let mut ordered = choices.to_vec();
                ordered.sort_by_key(|choice| place(choice.value).unwrap_or(usize::MAX));
                let taken = ordered.iter().filter(|choice| place(choice.value).is_some()).count();
                Screen::Ordering(Ordering { key, choices: ordered, taken, cursor: 0 })
            }
            Kind::Number(_) | Kind::Path | Kind::Url | Kind::Text => {
                // A secret is typed anew: what is not on the screen cannot be edited.
                let text = match field.entry.secrecy {
                    Secrecy::Open => holding.text(),
                    Secrecy::Secret => "",
                };
                let mut typing = Typing { key, line: TextLine::new(text), trouble: None };
                typing.check();
                Screen::Typing(typing)
            }
        };
    }

    fn unset(&mut self) {
        let Some(field) = self.pointed() else { return };
        let (key, rank) = (field.key(), self.rank());
        let change = field.in_file(rank).map(|_| Change::Unset);
        let was_changed = self.change(key).is_some();
        if change.is_none() && !was_changed {
            let level = self.level().as_str();
            self.say(Tone::Bad, format!("{} is not in the {level} file", key.as_str()));
        }
        self.put(key, change);
    }

    fn undo(&mut self) {
        let key = self.selected;
        if self.change(key).is_some() {
            self.put(key, None);
            self.say(Tone::Good, format!("{} is as it was", key.as_str()));
        }
    }

    fn change_level(&mut self) {
        if self.ground.files.len() == 1 {
            let text = match self.level() {
                Level::User => "there is no project here: no .git above, and no scorpiox-env.txt",
                Level::Project => "there is no place for your own settings: HOME is not set",
            };
            self.say(Tone::Bad, text);
        }
        self.next_file();
    }

    pub(super) fn ask_to_save(&mut self, afterwards: Afterwards) {
        if self.changes.is_empty() {
            self.say(Tone::Good, "there is nothing to save");
        } else {
            self.screen = Screen::Saving(afterwards);
        }
    }

    fn ask_for_trust(&mut self) {
        match self.ground.untrusted {
            Some(_) => self.screen = Screen::Trusting,
            None => self.say(Tone::Good, "there is no file that waits for trust"),
        }
    }
}
