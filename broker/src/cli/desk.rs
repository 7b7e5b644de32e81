//! What an administration command works with.

use crate::admin_client::AdminClient;
use crate::clock::{SharedClock, Timestamp};

use serde::Serialize;

use super::failure::Failure;
use super::screen::{Form, Screen};
use super::wording::Wording;

/// A running broker, and the person who asks something of it.
pub(super) struct Desk {
    pub(super) broker: AdminClient,
    pub(super) screen: Screen,
    pub(super) clock: SharedClock,
    /// Where a browser may come back to, best first.
    pub(super) callback_ports: [u16; 2],
}

impl Desk {
    pub(super) fn now(&self) -> Timestamp {
        self.clock.wall()
    }

    /// Writes the answer as JSON, or as what `human` makes of it.
    pub(super) fn answer<T: Serialize>(
        &mut self,
        answer: &T,
        human: impl FnOnce(&T, &Wording) -> String,
    ) -> Result<(), Failure> {
        match self.screen.form() {
            Form::Json => self.screen.json(answer),
            Form::Human => {
                let wording = self.screen.wording(self.now());
                self.screen.answer(&human(answer, &wording))
            }
        }
    }

    /// Says that there is nothing yet, and the command that changes that.
    pub(super) fn nothing_yet(&mut self, sentence: &str, next: &str) {
        let next = self.screen.wording(self.now()).next(Some(next));
        self.screen.say(&format!("{sentence}{next}"));
    }
}

/// What was typed, carried out.
pub(super) trait Errand {
    async fn run(self, desk: &mut Desk) -> Result<(), Failure>;
}
