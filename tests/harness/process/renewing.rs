//! Logins that are renewed again and again while something else happens.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use fake_provider::Account;

use super::Team;

/// Several logins.
#[derive(Debug)]
pub struct Renewing {
    /// Their names.
    pub names: Vec<String>,
}

impl Renewing {
    /// Puts in so many logins of different accounts.
    pub fn of(team: &Team, count: u32) -> Self {
        let names: Vec<String> = (1..=count).map(|number| format!("busy-{number}")).collect();
        for (name, number) in names.iter().zip(1..) {
            team.given_a_login_of(name, &Account::numbered(number));
        }
        Self { names }
    }

    /// Does something while all of them are renewed, again if no renewal ended meanwhile.
    ///
    /// # Panics
    /// When none ever does, or a renewal fails.
    pub fn meanwhile<T>(&self, team: &Team, mut something: impl FnMut() -> T) -> T {
        let over = AtomicBool::new(false);
        thread::scope(|scope| {
            for name in &self.names {
                scope.spawn(|| {
                    while !over.load(Ordering::Relaxed) {
                        team.given_longer_tokens();
                        team.admin().refresh(name).expect("a renewal while the broker is busy");
                    }
                });
            }
            let _over = OnDrop(&over);
            super::patience::until("a renewal meanwhile", || {
                let before = team.provider.refresh_count();
                let done = something();
                (team.provider.refresh_count() > before + self.names.len()).then_some(done)
            })
        })
    }
}

/// Ends the threads also when what happens meanwhile panics.
struct OnDrop<'a>(&'a AtomicBool);

impl Drop for OnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
