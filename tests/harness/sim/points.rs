//! What happens at failpoints: a rotation stops there for good, panics, or is slow.

use std::panic;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use scorpiox_broker::clock::Clock;
use scorpiox_broker::failpoint::{Hook, Point};
use scorpiox_broker::provider::Later;

use super::clock::SimClock;
use super::provider::SimProvider;

/// What the next rotation that reaches a point does there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// Never returns: whoever ends the life now has killed the broker at this point.
    Park,
    /// Panics.
    Panic,
    /// Is stopped for so long.
    Stop(Duration),
}

/// The failpoints of one life.
pub struct Points {
    clock: SimClock,
    provider: Arc<SimProvider>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    plan: Vec<(Point, Deed)>,
    parked: Vec<Point>,
    passed: Vec<Point>,
}

impl Points {
    pub(super) fn new(clock: SimClock, provider: Arc<SimProvider>) -> Arc<Self> {
        Arc::new(Self { clock, provider, state: Mutex::default() })
    }

    /// The next rotation that reaches `point` does this there.
    pub fn plan(&self, point: Point, deed: Deed) {
        self.state().plan.push((point, deed));
    }

    /// Forgets what was planned and has not happened.
    pub fn forget_plans(&self) {
        self.state().plan.clear();
    }

    /// Where rotations are parked.
    pub fn parked(&self) -> Vec<Point> {
        self.state().parked.clone()
    }

    /// All points that were reached in this life, in order.
    pub fn passed(&self) -> Vec<Point> {
        self.state().passed.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, point: Point) -> Option<Deed> {
        let mut state = self.state();
        state.passed.push(point);
        let at = state.plan.iter().position(|(planned, _)| *planned == point)?;
        let (_, deed) = state.plan.remove(at);
        if deed == Deed::Park {
            state.parked.push(point);
        }
        Some(deed)
    }
}

impl Hook for Points {
    fn reached(&self, point: Point) -> Later<'_, ()> {
        if point == Point::AfterRescue {
            self.provider.answer_is_safe();
        }
        Box::pin(async move {
            match self.take(point) {
                None => {}
                Some(Deed::Park) => std::future::pending().await,
                // Past the hook that prints: thousands of panics on purpose would hide the one that is none.
                Some(Deed::Panic) => panic::resume_unwind(Box::new(format!("failpoint {}", point.name()))),
                Some(Deed::Stop(span)) => self.clock.sleep(span).await,
            }
        })
    }
}
