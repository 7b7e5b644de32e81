//! What an administration command works with.

use crate::admin_client::AdminClient;
use crate::clock::{SharedClock, Timestamp};

use super::failure::Failure;
use super::screen::Screen;

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
}

/// What was typed, carried out.
pub(super) trait Errand {
    async fn run(self, desk: &mut Desk) -> Result<(), Failure>;
}
