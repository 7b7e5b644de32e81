//! End-to-end stories.
//!
//! * [`administration`]: what an administrator does, as the provider and the clients see it (H5).
//! * [`administrators`]: who may administer over the network; a broker driven from elsewhere.
//! * [`alerts`]: somebody is told what needs a person. * [`metrics`]: counts and state for a monitoring system.
//! * [`traces`]: one trace from a request through the rotation.
//! * [`audit`]: written before a token leaves (H6, H7). * [`audit_export`]: each deed is a line of the export.
//!   * [`audit_refusals`]: so is what an administrator was refused.
//! * [`client_backend`]: usage and models, as the backend tells them.
//! * [`deployment`]: the container's root, run by chroot; what is in `deploy/`.
//! * [`backup`]: a backup, and back from it, with real processes. * [`disaster`]: the drill, two hundred renewals long.
//! * [`rekey`]: another master key, and where it comes from (S3, S4).
//! * [`conformance`]: the administration answers as its document says.
//! * [`documents`]: shell completions and man pages.
//! * [`client_login`]: a login on a developer's machine: by code, through a browser, in steps.
//! * [`client_renewal`]: a login of a developer's machine, renewed there (C1, C6).
//! * [`fetch`]: the developer's command against a real broker (C3, C4, C15).
//! * [`fetch_chain`]: several sources, the first of them a broker (C3, C14, H5).
//! * [`fetch_exec`]: a command that gets the token; other forms of it.
//! * [`fetch_ssh`]: the ssh source against a real OpenSSH server (C5).
//! * [`gateway`]: programs that a person signs in by browser or device code.
//! * [`hardening`]: clients that mean no good (H1–H4).
//! * [`idempotency`]: a change that is asked for twice under one name is made once.
//! * [`kills`]: SIGKILL of the real process, at failpoints and at random moments.
//! * [`limits`]: how much a client may ask for, from where, until when; wrong keys (H4).
//! * [`login`]: device code, browser, import, and what takes whose place.
//! * [`refusal`]: a client says that the provider refused its token.
//! * [`schedules`]: faults, kills and lost writes in any order, ten thousand times.
//! * [`rotation`]: rotations and crashes, rows R1–R19 of the fault matrix.
//! * [`secrets`]: the canary search; no cores, no readers.
//! * [`serving`]: a token request and its answer (R13, R15, R16, P3).
//! * [`withdrawal`]: what is taken away while a request waits is not handed out (H5).
//! * [`shutdown`]: the stop and the reload (R17).
//! * [`startup_files`]: keys, mark, database, lock (S1, S2, S2c, S3, S5, H8).
//! * [`stock_renewal`]: stock clients renew at the broker's token endpoint. * [`stock_file`]: their login's file.
//! * [`stock_cli`]: the stock Codex CLI over a token command of ours. * [`stock_opencode`]: opencode with a token of ours.
//! * [`sx`]: one prompt, one answer (C8). * [`sx_compaction`]: conversations that become too long.
//! * [`sx_conversation`]: many, at a terminal. * [`sx_images`]: images. * [`sx_instructions`]: AGENTS.md files (C12).
//! * [`sx_sessions`]: conversations that are kept, and gone on with. * [`sx_editor`]: what is typed, and the terminal afterwards.
//! * [`sx_screen`]: what a person sees of an answer, and a program reads of it (C11).
//! * [`sx_undo`]: what a turn changed, shown and taken back.
//! * [`sx_tools`]: tools of `sx -p`. * [`sx_limits`]: answers that are much too long.
//! * [`sx_adversity`]: tools when things go wrong (C8, C11, C13).
//! * [`sx_stream`]: an answer at its limits of time and size (C7).

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod administration;
mod administrators;
mod alerts;
mod audit;
mod audit_export;
mod audit_refusals;
mod backup;
mod client_backend;
mod client_login;
mod client_renewal;
mod conformance;
mod deployment;
mod disaster;
mod documents;
mod fetch;
mod fetch_chain;
mod fetch_exec;
mod fetch_ssh;
mod gateway;
mod hardening;
mod idempotency;
mod key_source;
mod kills;
mod limits;
mod login;
mod metrics;
mod refusal;
mod rekey;
mod rotation;
mod schedules;
mod secrets;
mod serving;
mod shutdown;
mod startup_files;
mod stock_cli;
mod stock_file;
mod stock_opencode;
mod stock_renewal;
mod sx;
mod sx_adversity;
mod sx_compaction;
mod sx_conversation;
mod sx_editor;
mod sx_images;
mod sx_instructions;
mod sx_limits;
mod sx_screen;
mod sx_sessions;
mod sx_stream;
mod sx_tools;
mod sx_undo;
mod traces;
mod withdrawal;
