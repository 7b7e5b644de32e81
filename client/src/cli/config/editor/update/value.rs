//! Keys while a value is chosen, ordered or typed.

use super::super::event::{Effect, Press};
use super::super::model::{Choosing, Editor, Ordering, Screen, Typing};
use crate::settings::catalog;

impl Editor {
    pub(super) fn press_while_choosing(&mut self, mut choosing: Choosing, press: Press) -> Option<Effect> {
        let last = choosing.choices.len();
        match press {
            Press::Escape | Press::Char('q') => return None,
            Press::Enter | Press::Char(' ') => {
                let chosen = choosing.cursor.checked_sub(1).map_or("", |row| choosing.choices[row].value);
                self.change_to(choosing.key, chosen);
                return None;
            }
            Press::Up | Press::Char('k') => choosing.cursor = choosing.cursor.saturating_sub(1),
            Press::Down | Press::Char('j') => choosing.cursor = (choosing.cursor + 1).min(last),
            Press::Home | Press::PageUp => choosing.cursor = 0,
            Press::End | Press::PageDown => choosing.cursor = last,
            _ => {}
        }
        self.screen = Screen::Choosing(choosing);
        None
    }

    pub(super) fn press_while_ordering(&mut self, mut ordering: Ordering, press: Press) -> Option<Effect> {
        let last = ordering.choices.len() - 1;
        match press {
            Press::Escape | Press::Char('q') => return None,
            Press::Enter => {
                let taken: Vec<&str> = ordering.choices[..ordering.taken].iter().map(|choice| choice.value).collect();
                self.change_to(ordering.key, &taken.join(","));
                return None;
            }
            Press::Char(' ') => ordering.take_or_drop(),
            Press::Up | Press::Char('k') => ordering.cursor = ordering.cursor.saturating_sub(1),
            Press::Down | Press::Char('j') => ordering.cursor = (ordering.cursor + 1).min(last),
            Press::ShiftUp | Press::Char('K' | '-') => ordering.move_by(-1),
            Press::ShiftDown | Press::Char('J' | '+') => ordering.move_by(1),
            _ => {}
        }
        self.screen = Screen::Ordering(ordering);
        None
    }

    pub(super) fn press_while_typing(&mut self, mut typing: Typing, press: Press) -> Option<Effect> {
        match press {
            Press::Escape => return None,
            Press::Enter => {
                typing.check();
                if typing.trouble.is_none() {
                    self.take(&typing);
                    return None;
                }
            }
            press => typing.press(press),
        }
        self.screen = Screen::Typing(typing);
        None
    }

    /// An empty line takes a setting out; an empty secret is none that was typed, and changes nothing.
    fn take(&mut self, typing: &Typing) {
        let is_secret = self.ground.field(typing.key).is_some_and(|field| field.entry.is_secret());
        if !(typing.line.text().is_empty() && is_secret) {
            self.change_to(typing.key, typing.line.text().trim());
        }
    }
}

impl Typing {
    fn press(&mut self, press: Press) {
        match press {
            Press::Char(character) => {
                let inserted = self.line.insert(character.encode_utf8(&mut [0; 4]));
                self.check();
                if let Err(error) = inserted {
                    self.trouble = Some(error.to_string());
                }
                return;
            }
            Press::Left => self.line.left(),
            Press::Right => self.line.right(),
            Press::Home | Press::Control('a') => self.line.home(),
            Press::End | Press::Control('e') => self.line.end(),
            Press::Backspace => self.line.backspace(),
            Press::Delete => self.line.delete(),
            Press::Control('u') => self.line.clear(),
            _ => return,
        }
        self.check();
    }

    /// Says what is wrong with the value as it stands.
    pub(super) fn check(&mut self) {
        let text = self.line.text().trim();
        self.trouble = if text.is_empty() { None } else { catalog::check(self.key, text).err() };
    }
}

impl Ordering {
    /// What is taken comes last of those that are; what is dropped comes behind them.
    fn take_or_drop(&mut self) {
        let choice = self.choices.remove(self.cursor);
        if self.cursor < self.taken {
            self.taken -= 1;
            self.choices.insert(self.taken, choice);
            self.cursor = self.taken;
        } else {
            self.choices.insert(self.taken, choice);
            self.cursor = self.taken;
            self.taken += 1;
        }
    }

    fn move_by(&mut self, by: isize) {
        let to = self.cursor.checked_add_signed(by).filter(|to| *to < self.taken && self.cursor < self.taken);
        if let Some(to) = to {
            self.choices.swap(self.cursor, to);
            self.cursor = to;
        }
    }
}
