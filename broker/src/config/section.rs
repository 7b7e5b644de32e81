//! The sections of the file: one line declares a setting's documentation, variable, type and default.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use scorpiox_wire::Secret;

use super::LogFormat;
use super::network::Network;
use super::value::{Raw, Value};
use super::written::{Fault, Field, WrittenConfig};

/// Takes settings out of what was written; what cannot be read is noted and replaced by its default.
pub(super) struct Reader<'a> {
    pub(super) written: &'a WrittenConfig,
    pub(super) faults: &'a mut Vec<Fault>,
}

impl Reader<'_> {
    fn take<T: Value>(&mut self, field: &Field) -> T {
        if let Some((raw, origin)) = self.written.get(field.name()) {
            match T::explain(raw) {
                Ok(value) => return value,
                Err(message) => {
                    let message = format!("{}: {message}", field.key);
                    self.faults.push(Fault { origin: origin.clone(), message });
                }
            }
        }
        T::read(&Raw::Untyped(field.default.to_owned())).expect("each default is a value of its type")
    }
}

/// A struct whose fields are settings, and their list.
macro_rules! section {
    (
        $(#[$about:meta])*
        $vis:vis $name:ident = $section:literal {
            $($(#[$doc:meta])* $variable:literal $field:ident: $kind:ty = $default:literal;)*
        }
    ) => {
        $(#[$about])*
        #[derive(Debug, Clone, PartialEq)]
        $vis struct $name {
            $(
                $(#[$doc])*
                ///
                #[doc = concat!("Variable `", $variable, "`, default `", $default, "`.")]
                $vis $field: $kind,
            )*
        }

        impl $name {
            /// The section's settings.
            $vis const FIELDS: &'static [Field] = &[$(Field {
                section: $section,
                key: stringify!($field),
                variable: $variable,
                default: $default,
            }),*];

            pub(super) fn read(reader: &mut Reader<'_>) -> Self {
                let mut fields = Self::FIELDS.iter();
                Self { $($field: reader.take(fields.next().expect("one entry for each field")),)* }
            }
        }
    };
}

section! {
    /// What stands above the first section.
    pub(super) Top = "" {
        /// The data directory (0700): database, keys, certificate, rescue slots, administration socket.
        "SCORPIOX_BROKER_DATA" data: Option<PathBuf> = "";
        /// Address and port of the client listener; port 0 takes any free one.
        "SCORPIOX_BROKER_LISTEN" listen: SocketAddr = "127.0.0.1:8443";
        /// The host name under which clients reach the broker: in the self-signed certificate and in what is printed.
        "SCORPIOX_BROKER_NAME" name: String = "localhost";
        /// What clients put into `CODEX_REMOTE_URL`, when it is not `https://NAME:PORT`.
        "SCORPIOX_BROKER_PUBLIC_URL" public_url: Option<String> = "";
        /// Threads that serve clients; none means one per core.
        "SCORPIOX_BROKER_WORKERS" workers: Option<usize> = "";
    }
}

section! {
    /// How the client listener is encrypted.
    pub Tls = "tls" {
        /// PEM file with the certificate chain, leaf first; read again when it changes. None: a self-signed one is made.
        "SCORPIOX_BROKER_TLS_CERTIFICATE" certificate: Option<PathBuf> = "";
        /// PEM file with the certificate's private key.
        "SCORPIOX_BROKER_TLS_KEY" key: Option<PathBuf> = "";
        /// Serve plain HTTP. Only for a loopback address, for instance behind a proxy on the same machine.
        "SCORPIOX_BROKER_TLS_PLAIN_HTTP" plain_http: bool = "false";
        /// Serve plain HTTP on any address. Whoever can listen on the network then has every token and key.
        "SCORPIOX_BROKER_TLS_PLAIN_HTTP_I_KNOW_TOKENS_TRAVEL_IN_THE_CLEAR"
        plain_http_i_know_tokens_travel_in_the_clear: bool = "false";
    }
}

section! {
    /// What one address, connection and request may cost.
    pub Limits = "limits" {
        /// Connections that one address (of IPv6: one /64) may hold at once.
        "SCORPIOX_BROKER_LIMITS_CONNECTIONS_PER_ADDRESS" connections_per_address: u32 = "64";
        /// Connections in all.
        "SCORPIOX_BROKER_LIMITS_CONNECTIONS" connections: u32 = "4096";
        /// Largest request line with headers, in bytes.
        "SCORPIOX_BROKER_LIMITS_HEADER_BYTES" header_bytes: usize = "16384";
        /// Largest request body, in bytes.
        "SCORPIOX_BROKER_LIMITS_BODY_BYTES" body_bytes: usize = "65536";
        /// How long a request's headers may take to arrive, from the first byte (of a new connection: from its start).
        "SCORPIOX_BROKER_LIMITS_HEADER_TIMEOUT" header_timeout: Duration = "5s";
        /// How long a TLS handshake may take.
        "SCORPIOX_BROKER_LIMITS_HANDSHAKE_TIMEOUT" handshake_timeout: Duration = "5s";
        /// How long a connection may be idle between two requests.
        "SCORPIOX_BROKER_LIMITS_KEEP_ALIVE" keep_alive: Duration = "30s";
        /// How long a request may take from its headers to its answer, its body included.
        "SCORPIOX_BROKER_LIMITS_REQUEST_TIMEOUT" request_timeout: Duration = "15s";
        /// How long a client may take to accept an answer.
        "SCORPIOX_BROKER_LIMITS_WRITE_TIMEOUT" write_timeout: Duration = "10s";
        /// How long a token request waits for a renewal before it is told to come again; our client waits 3.5 s in all.
        "SCORPIOX_BROKER_LIMITS_WAIT" wait: Duration = "3s";
        /// Token requests of one client in a minute, unless the client has a limit of its own; 0 for no limit.
        "SCORPIOX_BROKER_LIMITS_CLIENT_REQUESTS_PER_MINUTE" client_requests_per_minute: u32 = "600";
        /// Tokens for one client in an hour, unless it has a limit of its own; 0 for no limit. 304 answers do not count.
        "SCORPIOX_BROKER_LIMITS_CLIENT_HANDOUTS_PER_HOUR" client_handouts_per_hour: u32 = "600";
        /// Wrong keys and refresh tokens, also of administrators, from one address in a minute before it is slowed; 0 for
        /// no limit. Good ones are never slowed.
        "SCORPIOX_BROKER_LIMITS_FAILURES_PER_MINUTE" failures_per_minute: u32 = "100";
        /// Loopback addresses have no cap of their own and find a reserve when the total is reached.
        "SCORPIOX_BROKER_LIMITS_LOOPBACK_EXEMPT" loopback_exempt: bool = "true";
        /// Proxies (addresses or networks) whose `X-Forwarded-For` names the client.
        "SCORPIOX_BROKER_LIMITS_TRUSTED_PROXIES" trusted_proxies: Vec<Network> = "";
    }
}

section! {
    /// How logins are renewed.
    pub Rotation = "rotation" {
        /// The part of a token's life after which it is renewed (± 10 %).
        "SCORPIOX_BROKER_ROTATION_RENEW_AT_FRACTION" renew_at_fraction: f64 = "0.5";
        /// Rescue slots, preallocated: as many renewals may be under way at once.
        "SCORPIOX_BROKER_ROTATION_RESCUE_SLOTS" rescue_slots: usize = "16";
        /// A second directory for rescue slots, better on another volume; tried when the first fails.
        "SCORPIOX_BROKER_ROTATION_RESCUE_SECOND_DIRECTORY" rescue_second_directory: Option<PathBuf> = "";
        /// The high-water mark, better on another volume. None: in the data directory.
        "SCORPIOX_BROKER_ROTATION_HIGH_WATER_FILE" high_water_file: Option<PathBuf> = "";
        /// How long a doubtful renewal is left alone before it may be tried once more.
        "SCORPIOX_BROKER_ROTATION_QUIET_TIME" quiet_time: Duration = "2m";
        /// A refused token must be at least this old before a refusal renews it.
        "SCORPIOX_BROKER_ROTATION_MINIMUM_TOKEN_AGE" minimum_token_age: Duration = "60s";
    }
}

section! {
    /// Where logins are renewed.
    pub Provider = "provider" {
        /// The OAuth server; plain HTTP only on loopback.
        "SCORPIOX_BROKER_PROVIDER_ISSUER" issuer: String = "https://auth.openai.com";
        /// The OAuth client id that the logins belong to.
        "SCORPIOX_BROKER_PROVIDER_CLIENT_ID" client_id: String = "app_EMoamEEZ73f0CkXaXp7hrann";
        /// PEM file with the certificate authorities to trust. None: those of the system.
        "SCORPIOX_BROKER_PROVIDER_CA_FILE" ca_file: Option<PathBuf> = "";
        /// The version that the broker's `User-Agent` names.
        "SCORPIOX_BROKER_PROVIDER_CODEX_VERSION" codex_version: String = "0.169.0";
        /// The proxy for all connections to the provider: `http://[USER:PASSWORD@]HOST:PORT`. None: what `HTTPS_PROXY` says.
        "SCORPIOX_BROKER_PROVIDER_PROXY" proxy: Option<Secret> = "";
    }
}

section! {
    /// Where the keys lie that seal the database. None of them may be in the database or its backups.
    pub Keys = "keys" {
        /// The master key. None: in the data directory.
        "SCORPIOX_BROKER_KEYS_MASTER_KEY_FILE" master_key_file: Option<PathBuf> = "";
        /// The name of a credential of the service manager that holds the master key, in place of a file.
        "SCORPIOX_BROKER_KEYS_MASTER_KEY_CREDENTIAL" master_key_credential: Option<String> = "";
        /// A command that prints the master key, in place of a file: program (its whole path) and arguments.
        "SCORPIOX_BROKER_KEYS_MASTER_KEY_COMMAND" master_key_command: Vec<String> = "";
        /// A file with the passphrase that wraps the master key. None: the master key lies open (0600).
        "SCORPIOX_BROKER_KEYS_PASSPHRASE_FILE" passphrase_file: Option<PathBuf> = "";
        /// The pepper of the client keys. None: in the data directory.
        "SCORPIOX_BROKER_KEYS_PEPPER_FILE" pepper_file: Option<PathBuf> = "";
    }
}

section! {
    /// The administration: its socket, and its listener for the network.
    pub Admin = "admin" {
        /// The socket (0600). None: in the data directory.
        "SCORPIOX_BROKER_ADMIN_SOCKET" socket: Option<PathBuf> = "";
        /// A group, by name or number, that may administer too: the socket becomes 0660.
        "SCORPIOX_BROKER_ADMIN_SOCKET_GROUP" socket_group: Option<String> = "";
        /// Address and port of the administration over the network; port 0 takes any free one. None: only the socket.
        "SCORPIOX_BROKER_ADMIN_LISTEN" listen: Option<SocketAddr> = "";
        /// PEM file with its certificate chain, leaf first; read again when it changes. None: the clients' one.
        "SCORPIOX_BROKER_ADMIN_CERTIFICATE" certificate: Option<PathBuf> = "";
        /// PEM file with that certificate's private key.
        "SCORPIOX_BROKER_ADMIN_KEY" key: Option<PathBuf> = "";
        /// Serve it over plain HTTP. Only for a loopback address, for instance behind a proxy on the same machine.
        "SCORPIOX_BROKER_ADMIN_PLAIN_HTTP" plain_http: bool = "false";
    }
}

section! {
    /// The log, on standard error.
    pub Log = "log" {
        /// `auto`: for people on a terminal, JSON elsewhere.
        "SCORPIOX_BROKER_LOG_FORMAT" format: LogFormat = "auto";
        /// A level, or levels per module: `info,scorpiox_broker=debug`.
        "SCORPIOX_BROKER_LOG_LEVEL" level: String = "info";
    }
}

section! {
    /// The audit log.
    pub Audit = "audit" {
        /// Size of the preallocated file that takes entries while the database cannot, in bytes.
        "SCORPIOX_BROKER_AUDIT_SPOOL_BYTES" spool_bytes: u64 = "4194304";
        /// The file of anchors, better on another volume: the audit is proved against it. None: in the data directory.
        "SCORPIOX_BROKER_AUDIT_ANCHOR_FILE" anchor_file: Option<PathBuf> = "";
        /// An anchor is written after so many entries.
        "SCORPIOX_BROKER_AUDIT_ANCHOR_ENTRIES" anchor_entries: u64 = "1000";
        /// An anchor is written after this time, if there is something new.
        "SCORPIOX_BROKER_AUDIT_ANCHOR_INTERVAL" anchor_interval: Duration = "10m";
        /// Entries older than this are removed, once a day, in exchange for a sealed checkpoint; 0s keeps all for ever.
        "SCORPIOX_BROKER_AUDIT_KEEP" keep: Duration = "0s";
    }
}

section! {
    /// What clients are told.
    pub Serve = "serve" {
        /// How long a client may use a token before it asks whether it is still the current one.
        "SCORPIOX_BROKER_SERVE_REVALIDATE_AFTER" revalidate_after: Duration = "5m";
        /// How soon a stock client that signed in by browser comes back, at the latest; never later than its token ends.
        "SCORPIOX_BROKER_SERVE_GATEWAY_EXPIRES_IN" gateway_expires_in: Duration = "5m";
    }
}

section! {
    /// What a monitoring system may read.
    pub Metrics = "metrics" {
        /// Address and port of a listener for `GET /metrics`; plain HTTP on loopback, else TLS. None: only over the administration.
        "SCORPIOX_BROKER_METRICS_LISTEN" listen: Option<SocketAddr> = "";
        /// A file with the bearer that `GET /metrics` asks for: needed when `metrics.listen` is not loopback.
        "SCORPIOX_BROKER_METRICS_TOKEN_FILE" token_file: Option<PathBuf> = "";
        /// So many clients have a series of their own; the others are counted together.
        "SCORPIOX_BROKER_METRICS_MOST_CLIENTS" most_clients: usize = "1000";
    }
}

section! {
    /// Who is told when something needs a person.
    pub Alerts = "alerts" {
        /// Where alerts are posted as JSON: https, or http on loopback. Whoever knows it may be able to post there too.
        "SCORPIOX_BROKER_ALERTS_WEBHOOK_URL" webhook_url: Option<Secret> = "";
        /// A file with the key that signs what is posted (Standard Webhooks; `whsec_` and base64, or any text).
        "SCORPIOX_BROKER_ALERTS_WEBHOOK_SECRET_FILE" webhook_secret_file: Option<PathBuf> = "";
        /// A program with its arguments that gets each alert as JSON on its standard input; the program's path is absolute.
        "SCORPIOX_BROKER_ALERTS_COMMAND" command: Vec<String> = "";
    }
}

section! {
    /// Traces.
    pub Tracing = "telemetry" {
        /// Where traces are sent (OTLP over HTTP): `http://127.0.0.1:4318`. Needs a broker that was built with the feature `otlp`.
        "SCORPIOX_BROKER_TELEMETRY_OTLP_ENDPOINT" otlp_endpoint: Option<String> = "";
    }
}
