//! A clock that is moved by hand.

use std::time::Duration;

use tokio::sync::watch;

use crate::clock::{Clock, Monotonic, Sleep, Timestamp};

pub(crate) const START: Timestamp = Timestamp::from_unix(1_790_000_000);

#[derive(Clone)]
pub(crate) struct HandClock(watch::Sender<Duration>);

impl Default for HandClock {
    fn default() -> Self {
        Self(watch::Sender::new(Duration::ZERO))
    }
}

impl HandClock {
    pub(crate) fn advance(&self, span: Duration) {
        self.0.send_modify(|elapsed| *elapsed += span);
    }
}

impl Clock for HandClock {
    fn wall(&self) -> Timestamp {
        START + *self.0.borrow()
    }

    fn monotonic(&self) -> Monotonic {
        Monotonic::from_zero(*self.0.borrow())
    }

    fn sleep(&self, span: Duration) -> Sleep {
        let mut elapsed = self.0.subscribe();
        let end = *elapsed.borrow() + span;
        Box::pin(async move {
            // The clock outlives its sleepers in these tests; without it time stands still.
            if elapsed.wait_for(|now| *now >= end).await.is_err() {
                std::future::pending::<()>().await;
            }
        })
    }
}
