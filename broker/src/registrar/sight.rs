//! The broker at one moment, for a monitoring system.

use std::path::{Path, PathBuf};
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use super::Registrar;
use super::overview::{is_renewing, is_serving};
use super::view::{health, planned};
use crate::clock::Timestamp;
use crate::gate::Caller;
use crate::holding::Holding;
use crate::metrics::sight::health_word;
use crate::metrics::{CredentialSight, Meters, Sight};

impl Registrar {
    /// What is counted.
    pub fn meters(&self) -> &Meters {
        &self.parts().meters
    }

    /// So many clients get a series of their own.
    pub fn show_clients(&self, most: usize) {
        self.most_clients.store(most, Ordering::Relaxed);
    }

    /// What somebody who looks now sees.
    pub fn sight(&self) -> Sight {
        let (parts, facade, now) = (self.parts(), self.facade(), self.now());
        let lag = self.auditor.lag();
        let mut credentials: Vec<_> = parts.holdings.all().iter().map(|holding| self.look_at(holding, now)).collect();
        credentials.sort_by(|one, other| one.name.cmp(&other.name));
        let callers = self.gate.callers();
        let mut handouts: Vec<_> =
            callers.iter().map(|caller| (caller.client.name.as_str().to_owned(), caller.handouts())).collect();
        handouts.sort_unstable();
        let mut client_ends: Vec<_> = callers.iter().filter_map(|caller| time_left(caller, now)).collect();
        client_ends.sort_unstable_by(|one, other| (one.1, &one.0).cmp(&(other.1, &other.0)));
        let most_clients = self.most_clients.load(Ordering::Relaxed);
        client_ends.truncate(most_clients);
        let keys = self.administrators.keys();
        let admin_key_ends = keys.iter().filter_map(|key| {
            let left = key.expires_at?.as_unix().saturating_sub(now.as_unix());
            Some((key.name.as_str().to_owned(), left))
        });
        let admin_key_ends = admin_key_ends.collect();
        let mut series = self.client_series.lock().unwrap_or_else(PoisonError::into_inner);
        let handouts = series.tell(handouts, most_clients);
        drop(series);
        Sight {
            now,
            started_at: facade.started_at,
            certificates: facade.certificates().collect(),
            fenced: parts.fence.reason().is_some(),
            serving: is_serving(&self.auditor),
            renewing: is_renewing(&self.rotator),
            credentials,
            clients: callers.len() as u64,
            handouts,
            client_ends,
            admin_key_ends,
            in_flight: self.rotator.in_flight() as u64,
            slots_free: parts.slots.free() as u64,
            slots: parts.slots.capacity() as u64,
            memory_only: self.rotator.memory_only() as u64,
            unsaved: self.rotator.unsaved() as u64,
            spooled: lag.map_or(0, |(count, _)| count),
            spooled_for: lag.map_or(0, |(_, since)| now.since(since).as_secs()),
            audit_failing: self.auditor.is_failing(),
            database_bytes: database_bytes(Path::new(&facade.data)),
        }
    }

    fn look_at(&self, holding: &Holding, now: Timestamp) -> CredentialSight {
        let desk = holding.desk();
        let credential = &desk.credential;
        let (health, _) = health(credential, desk.backoff.is_failing(), None);
        let seconds_to = |moment: Timestamp| moment.as_unix() - now.as_unix();
        CredentialSight {
            name: credential.name.as_str().to_owned(),
            health: health_word(health, credential.pause),
            generation: credential.rotation.generation,
            expires_in: credential.tokens.as_ref().map_or(0, |tokens| seconds_to(tokens.expires_at)),
            renew_in: planned(credential, now, &self.parts().policy).map(seconds_to),
        }
    }
}

/// A client that has an end, and the seconds until then.
fn time_left(caller: &Caller, now: Timestamp) -> Option<(String, i64)> {
    let end = caller.terms.load().limits.expires_at?;
    Some((caller.client.name.as_str().to_owned(), end.as_unix().saturating_sub(now.as_unix())))
}

/// The database and its log; what is not there has no size.
fn database_bytes(data: &Path) -> u64 {
    let files: [PathBuf; 2] = [data.join("broker.db"), data.join("broker.db-wal")];
    files.iter().filter_map(|file| std::fs::metadata(file).ok()).map(|metadata| metadata.len()).sum()
}
