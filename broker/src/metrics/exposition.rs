//! Counts and state as text: OpenMetrics, which Prometheus reads.
//!
//! The registry is made for one answer and forgotten: what has no series in it cannot go stale, and a credential or a
//! client that was removed is gone with the next look.

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Metric, Registry, Unit};

use super::sight::HEALTH_WORDS;
use super::{Meters, Sight};
use crate::clock::Timestamp;
use crate::domain::alarm::{CertificateEnd, Listener};

/// What the answer is.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The label of all clients that have no series of their own. No client's name begins with a bracket.
const OTHERS: &str = "(other)";

type Labels = Vec<(&'static str, String)>;

/// The answer of `/metrics`.
pub fn exposition(meters: &Meters, sight: &Sight) -> String {
    let mut page = Page(Registry::default());
    page.process(sight);
    page.rotations(meters, sight);
    page.credentials(sight);
    page.answers(meters, sight);
    page.storage(sight);
    page.surroundings(meters, sight);
    let mut text = String::new();
    encode(&mut text, &page.0).expect("a string takes every write");
    text
}

struct Page(Registry);

impl Page {
    fn put(&mut self, name: &str, help: &str, metric: impl Metric) {
        self.0.register(format!("scorpiox_broker_{name}"), help, metric);
    }

    fn put_in(&mut self, unit: Unit, name: &str, help: &str, metric: impl Metric) {
        self.0.register_with_unit(format!("scorpiox_broker_{name}"), help, unit, metric);
    }

    fn state(&mut self, name: &str, help: &str, value: impl TryInto<i64>) {
        self.put(name, help, gauge(value));
    }

    fn process(&mut self, sight: &Sight) {
        let build = vec![("version", env!("CARGO_PKG_VERSION").to_owned())];
        self.put("build", "The running version", Info::new(build));
        let help = "When the process began to serve, in Unix time";
        self.0.register_with_unit("process_start_time", help, Unit::Seconds, moment(sight.started_at));
        self.state("serving", "1 while tokens can be handed out", i64::from(sight.serving));
        self.state("renewing", "1 while tokens can be renewed", i64::from(sight.renewing));
        self.state("fenced", "1 while the high-water mark is missing and nothing is renewed", i64::from(sight.fenced));
    }

    fn rotations(&mut self, meters: &Meters, sight: &Sight) {
        let rotations = Family::<Labels, Counter>::default();
        for (outcome, counter) in meters.rotations.counted() {
            rotations.get_or_create(&vec![("outcome", outcome.to_owned())]).inc_by(counter.get());
        }
        self.put("rotations", "Rotations that ended, by what came of them", rotations);
        self.state("rotations_in_flight", "Rotations under way", sight.in_flight);
        let help = "From the first byte of a redemption to the end of its answer";
        self.put_in(Unit::Seconds, "exchange_duration", help, meters.exchange.histogram().clone());
        let help = "From the end of an answer to its being synced in a rescue slot";
        self.put_in(Unit::Seconds, "rescue_duration", help, meters.rescue.histogram().clone());
        self.state("rescue_slots", "Rescue slots", sight.slots);
        self.state("rescue_slots_free", "Rescue slots that nobody holds", sight.slots_free);
        self.state("answers_memory_only", "Answers with tokens that are nowhere but in memory", sight.memory_only);
        self.state("answers_unsaved", "Answers that the database does not take", sight.unsaved);
    }

    fn credentials(&mut self, sight: &Sight) {
        let (expiry, planned) = (Family::<Labels, Gauge>::default(), Family::<Labels, Gauge>::default());
        let (health, generation) = (Family::<Labels, Gauge>::default(), Family::<Labels, Gauge>::default());
        for credential in &sight.credentials {
            let labels = vec![("credential", credential.name.clone())];
            expiry.get_or_create(&labels).set(credential.expires_in);
            generation.get_or_create(&labels).set(whole(credential.generation));
            if let Some(seconds) = credential.renew_in {
                planned.get_or_create(&labels).set(seconds);
            }
            health.get_or_create(&[labels, vec![("health", credential.health.to_owned())]].concat()).set(1);
        }
        let help = "Seconds until the access token ends; negative afterwards";
        self.put_in(Unit::Seconds, "credential_expiry", help, expiry);
        let help = "Seconds until the planned rotation; absent when none is planned";
        self.put_in(Unit::Seconds, "credential_planned_rotation", help, planned);
        self.put("credential_generation", "Token sets so far", generation);
        self.put("credential_health", "1 for the health that the credential has", health);
        let counts = Family::<Labels, Gauge>::default();
        for word in HEALTH_WORDS {
            let count = sight.credentials.iter().filter(|credential| credential.health == word).count();
            counts.get_or_create(&vec![("health", word.to_owned())]).set(whole(count));
        }
        self.put("credentials", "Credentials by health", counts);
    }

    fn answers(&mut self, meters: &Meters, sight: &Sight) {
        let answers = Family::<Labels, Counter>::default();
        for (kind, code, counter) in meters.answers.counted() {
            let labels = vec![("kind", kind.to_owned()), ("code", code.to_owned())];
            answers.get_or_create(&labels).inc_by(counter.get());
        }
        let help = "Answers to token requests, by kind and code; the unchanged ones (304) are hits of a client's cache";
        self.put("token_answers", help, answers);
        self.put("token_waits", "Token requests that waited for a rotation", meters.waited.clone());
        self.put("token_waiters", "Token requests that wait for a rotation now", meters.waiting.clone());
        let handouts = Family::<Labels, Counter>::default();
        let others = sight.handouts.others.map(|count| (OTHERS, count));
        let named = sight.handouts.named.iter().map(|(client, count)| (client.as_str(), *count));
        for (client, count) in named.chain(others) {
            handouts.get_or_create(&vec![("client", client.to_owned())]).inc_by(count);
        }
        let help = "Requests that were answered with a token, or with 304 because the client has it, by client";
        self.put("client_handouts", help, handouts);
        self.state("clients", "Clients that are not revoked", sight.clients);
        let ends = Family::<Labels, Gauge>::default();
        for (client, left) in &sight.client_ends {
            ends.get_or_create(&vec![("client", client.clone())]).set(*left);
        }
        let help = "Seconds until the end of a client that has one; negative afterwards";
        self.put_in(Unit::Seconds, "client_expiry", help, ends);
        let ends = Family::<Labels, Gauge>::default();
        for (key, left) in &sight.admin_key_ends {
            ends.get_or_create(&vec![("admin_key", key.clone())]).set(*left);
        }
        let help = "Seconds until the end of an admin key that has one; negative afterwards";
        self.put_in(Unit::Seconds, "admin_key_expiry", help, ends);
    }

    fn storage(&mut self, sight: &Sight) {
        self.state("audit_spooled_records", "Audit entries that wait in the spool for the database", sight.spooled);
        let help = "How long the oldest audit entry has waited in the spool";
        self.put_in(Unit::Seconds, "audit_lag", help, gauge(sight.spooled_for));
        let help = "1 while neither the database nor the spool takes the audit";
        self.state("audit_failing", help, i64::from(sight.audit_failing));
        self.put_in(Unit::Bytes, "database_size", "The database with its log", gauge(sight.database_bytes));
    }

    fn surroundings(&mut self, meters: &Meters, sight: &Sight) {
        let certificates = Family::<Labels, Gauge>::default();
        for CertificateEnd { listener, at } in &sight.certificates {
            let listener = match listener {
                Listener::Clients => "clients",
                Listener::Administration => "administration",
            };
            certificates.get_or_create(&vec![("listener", listener.to_owned())]).set(at.as_unix());
        }
        let help = "When the certificate of a listener ends, in Unix time";
        self.put_in(Unit::Seconds, "certificate_expiry_timestamp", help, certificates);
        let connections = Family::<Labels, Gauge>::default();
        for (listener, open) in meters.connections.named() {
            connections.get_or_create(&vec![("listener", listener.to_owned())]).set(open.get());
        }
        self.put("connections", "Open connections by listener", connections);
        let passwords = &meters.passwords;
        self.put("argon2_busy", "Password hashes being computed", passwords.busy.clone());
        self.put("argon2_queued", "Password hashes that wait for a thread", passwords.queued.clone());
        self.put("argon2_refused", "Logins turned away because too many waited", passwords.refused.clone());
        let alerts = Family::<Labels, Counter>::default();
        let told = &meters.alerts;
        for (outcome, counter) in
            [("delivered", &told.delivered), ("failed", &told.failed), ("given_up", &told.given_up)]
        {
            alerts.get_or_create(&vec![("outcome", outcome.to_owned())]).inc_by(counter.get());
        }
        self.put("alert_deliveries", "Attempts to deliver an alert, by what came of them", alerts);
    }
}

fn gauge(value: impl TryInto<i64>) -> Gauge {
    let gauge = Gauge::default();
    gauge.set(whole(value));
    gauge
}

fn moment(at: Timestamp) -> Gauge {
    gauge(at.as_unix())
}

fn whole(value: impl TryInto<i64>) -> i64 {
    value.try_into().unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{CredentialSight, Handouts};

    fn sight() -> Sight {
        let credential = |name: &str, health| CredentialSight {
            name: name.into(),
            health,
            generation: 7,
            expires_in: -5,
            renew_in: None,
        };
        Sight {
            credentials: vec![credential("main", "good"), credential("other", "in_doubt")],
            certificates: vec![CertificateEnd {
                listener: Listener::Administration,
                at: Timestamp::from_unix(1_800_000_000),
            }],
            ..Sight::default()
        }
    }

    #[test]
    fn a_state_is_told_in_base_units_and_by_its_labels() {
        let text = exposition(&Meters::default(), &sight());
        for line in [
            "scorpiox_broker_credential_expiry_seconds{credential=\"main\"} -5",
            "scorpiox_broker_credential_health{credential=\"other\",health=\"in_doubt\"} 1",
            "scorpiox_broker_credentials{health=\"in_doubt\"} 1",
            "scorpiox_broker_credentials{health=\"reauth\"} 0",
            "scorpiox_broker_certificate_expiry_timestamp_seconds{listener=\"administration\"} 1800000000",
            "scorpiox_broker_rotations_total{outcome=\"renewed\"} 0",
            "scorpiox_broker_token_answers_total{kind=\"refused\",code=\"too_soon\"} 0",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
        assert!(!text.contains("planned_rotation_seconds{"), "none is planned");
    }

    #[test]
    fn clients_without_a_series_of_their_own_share_one() {
        let named = (0..2).map(|number| (format!("c{number}"), 10)).collect();
        let handouts = Handouts { named, others: Some(30) };
        let text = exposition(&Meters::default(), &Sight { handouts, ..Sight::default() });
        let series: Vec<&str> = text.lines().filter(|line| line.contains("client_handouts_total{")).collect();
        assert_eq!(series.len(), 3, "{series:?}");
        assert!(series.contains(&"scorpiox_broker_client_handouts_total{client=\"(other)\"} 30"), "{series:?}");
    }

    #[test]
    fn clients_that_have_an_end_are_told() {
        let client_ends = vec![("a".to_owned(), -5), ("b".to_owned(), 60)];
        let text = exposition(&Meters::default(), &Sight { client_ends, ..Sight::default() });
        let series: Vec<&str> = text.lines().filter(|line| line.contains("client_expiry_seconds{")).collect();
        let expected =
            ["a\"} -5", "b\"} 60"].map(|end| format!("scorpiox_broker_client_expiry_seconds{{client=\"{end}"));
        assert_eq!(
            series.iter().copied().collect::<std::collections::BTreeSet<_>>(),
            expected.iter().map(String::as_str).collect()
        );
    }

    #[test]
    fn admin_keys_that_have_an_end_are_told() {
        let admin_key_ends = vec![("nightly".to_owned(), 60)];
        let text = exposition(&Meters::default(), &Sight { admin_key_ends, ..Sight::default() });
        let series: Vec<&str> = text.lines().filter(|line| line.contains("admin_key_expiry_seconds{")).collect();
        assert_eq!(series, ["scorpiox_broker_admin_key_expiry_seconds{admin_key=\"nightly\"} 60"]);
    }

    #[test]
    fn a_label_cannot_break_out_of_its_line() {
        let named = vec![("a\"} 1\nfoo 2 \\".to_owned(), 1)];
        let handouts = Handouts { named, others: None };
        let text = exposition(&Meters::default(), &Sight { handouts, ..Sight::default() });
        assert!(text.contains(r#"{client="a\"} 1\nfoo 2 \\"} 1"#), "{text}");
        assert!(!text.lines().any(|line| line.starts_with("foo")));
    }
}
