//! When a broker has come to rest: nothing can go on by itself any more, only time or the outside could move it.

use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Poll, Waker};

use scorpiox_broker::activity::Activity;

/// Watches one runtime. Its thread parks when no task can run; if no effect (database, file) is under way either, the
/// broker rests.
#[derive(Debug, Default)]
pub(super) struct Rest {
    activity: Activity,
    rests: AtomicBool,
    /// How many more times the thread parks before whoever waits is woken in the middle of things; 0: nobody counts.
    countdown: AtomicUsize,
    waiting: Mutex<Option<Waker>>,
}

impl Rest {
    pub(super) fn new(activity: Activity) -> Arc<Self> {
        Arc::new(Self { activity, ..Self::default() })
    }

    /// To be called when the runtime's thread is about to park.
    pub(super) fn about_to_park(&self) {
        let counted = self.countdown.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        if self.activity.count() > 0 && counted != Ok(1) {
            return;
        }
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(waker) = waiting {
            self.rests.store(true, Ordering::SeqCst);
            waker.wake();
        }
    }

    /// Returns when the thread has parked so many times, or the broker rests: possibly in the middle of an effect.
    pub(super) async fn come_after(&self, parks: usize) {
        self.countdown.store(parks, Ordering::SeqCst);
        self.come().await;
        self.countdown.store(0, Ordering::SeqCst);
    }

    /// Returns once the broker rests. Only the runtime's main future may wait for that.
    pub(super) async fn come(&self) {
        self.rests.store(false, Ordering::SeqCst);
        poll_fn(|cx| {
            if self.rests.load(Ordering::SeqCst) {
                return Poll::Ready(());
            }
            *self.waiting.lock().unwrap_or_else(PoisonError::into_inner) = Some(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }
}
