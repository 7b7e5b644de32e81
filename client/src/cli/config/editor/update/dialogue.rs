//! Keys while something is tested, saved, left or trusted.

use super::super::event::{Effect, Outcome, Press};
use super::super::model::{Afterwards, Editor, Screen, Testing, Tone};

impl Editor {
    /// Asks for a test of these sources, in this order.
    pub(super) fn try_sources(&mut self, sources: Vec<String>) -> Option<Effect> {
        if sources.is_empty() {
            self.say(Tone::Bad, "no source is chosen: see CODEX_TOKEN_SOURCE");
            return None;
        }
        self.runs += 1;
        let waiting = sources.iter().map(|source| (source.clone(), None)).collect();
        self.screen = Screen::Testing(Testing { run: self.runs, sources: waiting });
        Some(Effect::Try { run: self.runs, sources })
    }

    /// An answer of a test that was left is nobody's any more.
    pub(super) fn tried(&mut self, run: u32, source: &str, outcome: Outcome) {
        let Screen::Testing(testing) = &mut self.screen else { return };
        if testing.run != run {
            return;
        }
        if let Some((_, waiting)) = testing.sources.iter_mut().find(|(name, _)| name == source) {
            *waiting = Some(outcome);
        }
    }

    pub(super) fn press_while_testing(&mut self, testing: Testing, press: Press) -> Option<Effect> {
        match press {
            Press::Escape | Press::Enter | Press::Char('q') => None,
            Press::Char('t') => self.try_sources(testing.sources.into_iter().map(|(name, _)| name).collect()),
            Press::Char('a') => self.try_sources(self.sources()),
            _ => {
                self.screen = Screen::Testing(testing);
                None
            }
        }
    }

    pub(super) fn press_while_saving(&mut self, afterwards: Afterwards, press: Press) -> Option<Effect> {
        match press {
            Press::Escape | Press::Char('q' | 'n') => return None,
            Press::Tab | Press::Up | Press::Down | Press::Char('j' | 'k') => self.next_file(),
            Press::Enter | Press::Char('s' | 'y') if !self.changes.is_empty() => {
                self.screen = Screen::Saving(afterwards);
                return Some(Effect::Save(self.level()));
            }
            _ => {}
        }
        self.screen = Screen::Saving(afterwards);
        None
    }

    pub(super) fn press_while_leaving(&mut self, press: Press) -> Option<Effect> {
        match press {
            Press::Char('s' | 'y') => self.screen = Screen::Saving(Afterwards::Leave),
            Press::Char('d' | 'n') => return Some(Effect::Leave),
            Press::Escape | Press::Char('q') => {}
            _ => self.screen = Screen::Leaving,
        }
        None
    }

    pub(super) fn press_while_trusting(&mut self, press: Press) -> Option<Effect> {
        match press {
            Press::Char('y') => {
                self.screen = Screen::Trusting;
                return Some(Effect::Trust);
            }
            Press::Escape | Press::Char('q' | 'n') => {}
            _ => self.screen = Screen::Trusting,
        }
        None
    }
}
