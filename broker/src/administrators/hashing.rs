//! argon2id, a few at a time: a flood of logins may cost neither all memory nor the threads that serve.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use scorpiox_wire::Secret;
use subtle::ConstantTimeEq;
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use super::random;
use crate::activity::Activity;
use crate::domain::administrator::{LONGEST_PASSWORD, PasswordHash};
use crate::metrics::meters::{Counted, PasswordMeters};

/// So many hashes are made at once, 19 MiB each.
const AT_ONCE: usize = 2;
/// So many may wait.
const WAITING: usize = 16;

/// Too many passwords are waiting to be hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many passwords are being checked at once")]
pub struct Busy;

pub(super) struct Hashing {
    places: Arc<Semaphore>,
    under_way: AtomicUsize,
    activity: Activity,
    meters: PasswordMeters,
}

impl Hashing {
    pub(super) fn new(activity: Activity, meters: PasswordMeters) -> Self {
        Self { places: Arc::new(Semaphore::new(AT_ONCE)), under_way: AtomicUsize::new(0), activity, meters }
    }

    /// As if as many were under way as may be.
    #[cfg(test)]
    pub(super) fn fill_for_test(&self) {
        self.under_way.store(AT_ONCE + WAITING, Ordering::Release);
    }

    /// A new password's hash.
    pub(super) async fn make(&self, password: Secret) -> Result<PasswordHash, Busy> {
        let salt = random();
        let hash = self.stretch(password, salt).await?;
        Ok(PasswordHash { salt, hash })
    }

    /// Whether this is the password, compared in constant time.
    pub(super) async fn compare(&self, password: Secret, expected: PasswordHash) -> Result<bool, Busy> {
        // Nobody has one that long; hashing it would cost more than the others.
        let is_possible = password.expose().len() <= LONGEST_PASSWORD;
        let password = if is_possible { password } else { Secret::new("") };
        let hash = self.stretch(password, expected.salt).await?;
        Ok(is_possible && bool::from(hash.as_slice().ct_eq(expected.hash.as_slice())))
    }

    async fn stretch(&self, password: Secret, salt: [u8; 16]) -> Result<Zeroizing<[u8; 32]>, Busy> {
        let Some(_counted) = self.count() else {
            self.meters.refused.inc();
            return Err(Busy);
        };
        let queued = Counted::by(&self.meters.queued);
        let place = Arc::clone(&self.places).acquire_owned().await.map_err(|_| Busy)?;
        drop(queued);
        let busy = Counted::by(&self.meters.busy);
        let hash = self.activity.blocking(move || {
            // Both live as long as the thread: whoever goes away makes no room while the hash is still being made.
            let (_place, _busy) = (place, busy);
            argon2id(&password, &salt)
        });
        Ok(hash.await)
    }

    fn count(&self) -> Option<UnderWay<'_>> {
        let before = self.under_way.fetch_add(1, Ordering::AcqRel);
        let counted = UnderWay(&self.under_way);
        (before < AT_ONCE + WAITING).then_some(counted)
    }
}

struct UnderWay<'a>(&'a AtomicUsize);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

fn argon2id(password: &Secret, salt: &[u8]) -> Zeroizing<[u8; 32]> {
    let params = argon2::Params::new(PasswordHash::MEMORY_KIB, PasswordHash::ROUNDS, PasswordHash::LANES, Some(32));
    let params = params.expect("our own, and argon2 takes them");
    let argon = argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
    let mut hash = Zeroizing::new([0; 32]);
    argon
        .hash_password_into(password.expose().as_bytes(), salt, hash.as_mut_slice())
        .expect("salt and output have lengths that argon2 takes");
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_recognised_by_its_hash_and_no_other_is() {
        let hashing = Hashing::new(Activity::default(), PasswordMeters::default());
        let hash = hashing.make(Secret::new("correct horse battery")).await.unwrap();
        let compare = async |text: &str| hashing.compare(Secret::new(text), hash.clone()).await.unwrap();
        assert!(compare("correct horse battery").await);
        assert!(!compare("correct horse batterz").await);
        assert!(!compare(&"x".repeat(LONGEST_PASSWORD + 1)).await);
        let again = hashing.make(Secret::new("correct horse battery")).await.unwrap();
        assert_ne!(again, hash, "each has a salt of its own");
    }

    #[tokio::test]
    async fn two_are_hashed_sixteen_wait_and_the_next_is_told_to_come_again() {
        let hashing = Hashing::new(Activity::default(), PasswordMeters::default());
        let places = hashing.places.acquire_many(AT_ONCE as u32).await.unwrap();
        let hash = PasswordHash { salt: [0; 16], hash: Zeroizing::new([0; 32]) };
        let waiting = (0..AT_ONCE + WAITING).map(|_| hashing.compare(Secret::new("x"), hash.clone()));
        let mut waiting = Box::pin(futures_util::future::join_all(waiting));
        assert!(futures_util::poll!(&mut waiting).is_pending());
        assert_eq!(hashing.compare(Secret::new("x"), hash.clone()).await, Err(Busy));
        // Whoever goes away makes room.
        drop(waiting);
        drop(places);
        assert_eq!(hashing.compare(Secret::new("x"), hash).await, Ok(false));
        assert_eq!(hashing.places.available_permits(), AT_ONCE);
    }
}
