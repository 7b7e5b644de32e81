//! Counts the effects under way: what a clean stop waits for, and how a test knows that a broker has come to rest.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A shared count of effects (database, files) that have begun and not ended.
#[derive(Debug, Clone, Default)]
pub struct Activity(Arc<AtomicUsize>);

/// One effect under way; ends when dropped.
#[derive(Debug)]
pub struct UnderWay(Arc<AtomicUsize>);

impl Activity {
    /// An effect begins.
    pub fn begin(&self) -> UnderWay {
        self.0.fetch_add(1, Ordering::SeqCst);
        UnderWay(Arc::clone(&self.0))
    }

    /// How many are under way.
    pub fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }

    /// Runs a blocking effect (a file that is synced) on the threads that are kept for such.
    pub async fn blocking<T: Send + 'static>(&self, effect: impl FnOnce() -> T + Send + 'static) -> T {
        let under_way = self.begin();
        // Until its result has arrived here it is under way too, or a broker would seem to rest for a moment.
        let _awaited = self.begin();
        let joined = tokio::task::spawn_blocking(move || {
            let result = effect();
            drop(under_way);
            result
        })
        .await;
        match joined {
            Ok(result) => result,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}
