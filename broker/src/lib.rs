//! The broker: owns each login, is the only one that redeems its refresh token, and hands out access tokens.
//!
//! Files in dependency order:
//!
//! * [`clock`]: time as an argument.
//! * [`hex`]: bytes as text.
//! * [`local_time`]: moments as people on this machine say them.
//! * [`domain`]: the pure core.
//! * [`bounded_file`]: files that a person named, which may be anything.
//! * [`durable_file`]: small files that are on the disk whole or not at all.
//! * [`seal`]: sealing under the master key, bound to the place; MACs and fingerprints.
//! * [`key_file`], [`master_key`]: the file of a key; the master key and the pepper.
//! * [`key_ring`]: the keys of one data directory, and a change from one to the next.
//! * [`activity`]: counts the effects under way.
//! * [`provider`]: the OAuth server in steps: dial, send, classify; logging in.
//! * [`timeline`]: the broker's calendar, guarded against being set.
//! * [`backoff`]: how long to wait after failures that did no harm.
//! * [`rescue`]: room on the disk for answers that may exist only once.
//! * [`audit_chain`]: the audit as a chain of MACs, and lines that stay lines.
//! * [`anchors`]: the audit's newest link, now and then, in a file that is not the database.
//! * [`store`]: the embedded database; rows ↔ domain.
//! * [`high_water`]: how far every credential had come, kept apart from the database.
//! * [`spool`]: space for audit records that the database cannot take just now.
//! * [`vault`]: the keys of a running broker, and the files that they are kept in.
//! * [`backup`]: everything that a broker is, in one file that only its owner can open.
//! * [`failpoint`]: places where a test can kill or stop a rotation.
//! * [`rekey`]: a change of the master key while the broker serves.
//! * [`fence`]: the high-water mark, or the fence that stands where it is missing.
//! * [`printed`]: an answer in bytes.
//! * [`holding`]: one credential in memory.
//! * [`metrics`]: what a monitoring system is told.
//! * [`auditor`]: writes the audit, to the database or its spool.
//! * [`rotator`]: the effects of a rotation in their order.
//! * [`recovery`]: a start brings rows, slots and the mark together.
//! * [`scheduler`]: who is due next.
//! * [`anchorer`]: writes anchors in time.
//! * [`first_handout`]: the first hand-out of a generation is written once.
//! * [`failures`]: addresses that present keys, or stand-ins, that nobody has.
//! * [`gate`]: a key becomes a caller.
//! * [`administrators`]: who may administer over the network, and their sessions.
//! * [`handout`]: a token on its way out.
//! * [`issuer`]: a token request.
//! * [`oauth`]: the broker as the OAuth server of clients that know nothing of it.
//! * [`alerts`]: tells people what needs one.
//! * [`registrar`]: the operations of an administrator.
//! * [`sign_in`]: programs that a person signs in with a browser.
//! * [`config`]: sources to one typed configuration.
//! * [`secret_line`]: a secret out of a file or a descriptor: a passphrase, a bearer, a signing key.
//! * [`key_source`]: where the master key comes from: a file, a credential, a command.
//! * [`http`]: everything between a socket and a handler.
//! * [`telemetry`]: the log.
//! * [`startup`]: binds the parts together, serves, stops in order.
//! * [`admin_client`]: the administration operations as typed calls.
//! * [`cli`]: the command line.

pub mod activity;
pub mod admin_client;
pub mod administrators;
pub mod alerts;
pub mod anchorer;
pub mod anchors;
pub mod audit_chain;
pub mod auditor;
pub mod backoff;
pub mod backup;
pub mod bounded_file;
pub mod cli;
pub mod clock;
pub mod config;
pub mod domain;
pub mod durable_file;
pub mod failpoint;
pub mod failures;
pub mod fence;
pub mod first_handout;
pub mod gate;
pub mod handout;
pub mod hex;
pub mod high_water;
pub mod holding;
pub mod http;
pub mod issuer;
pub mod key_file;
pub mod key_ring;
pub mod key_source;
pub mod local_time;
pub mod master_key;
pub mod metrics;
pub mod oauth;
pub mod printed;
pub mod provider;
pub mod recovery;
pub mod registrar;
pub mod rekey;
pub mod rescue;
pub mod rotator;
pub mod scheduler;
pub mod seal;
pub mod secret_line;
pub mod sign_in;
pub mod spool;
pub mod startup;
pub mod store;
pub mod telemetry;
pub mod timeline;
pub mod vault;
