//! The pure core: no async, no socket, no file, no clock and no environment. `now` and random bytes are arguments.
//!
//! * `letters`: codes that a person reads and types.
//! * [`invite`]: what a person types so that their program becomes a client.
//! * [`pkce`], [`loopback`], [`authorization`]: a browser asks for a code, a program redeems it.
//! * [`device_grant`]: a program without a browser asks, a person elsewhere decides.
//! * [`guesses`]: how often one address may be wrong.
//! * [`answer`]: what a provider's answer to a redemption means.
//! * [`fingerprint`]: the name of a refresh token that may be kept when the token may not.
//! * [`rotation`]: the rotation state machine.
//! * [`token_set`]: the tokens of one generation, and what an answer does to them.
//! * [`credential`]: one login: who, which tokens, how its rotation stands.
//! * [`network`]: an address or a network of addresses.
//! * [`client`]: who may fetch tokens.
//! * [`meter`]: so many in a span of time, and no more.
//! * [`limits`]: how much a client may ask for, from where and until when.
//! * [`admission`]: may this client ask now.
//! * [`permission`]: may this credential be renewed now, and if not, when.
//! * [`freshness`]: serve, renew, or refuse.
//! * [`recovery`]: what a start makes of a row, its slots and the mark.
//! * [`restoration`]: how the logins of a restored broker stand.
//! * [`words`]: why a login is not well.
//! * [`alarm`]: what needs a person, and what of it was told.
//! * [`scope`]: what an administrator may do.
//! * [`idempotency_key`]: a name for a change, so that asking twice does not do it twice.
//! * [`refusal`]: what a client's "the provider refused it" may cause.
//! * [`stand_in`]: refresh tokens of the broker's own, for clients that will not do without one.
//! * [`administrator`]: who may administer over the network.
//! * [`session`]: how long a session of an administrator goes on.
//! * [`login_throttle`], [`told_refusals`]: failed logins are slowed down; a flood of them is told in few lines.

pub mod administrator;
pub mod admission;
pub mod alarm;
pub mod answer;
pub mod authorization;
pub mod client;
pub mod credential;
pub mod device_grant;
pub mod fingerprint;
pub mod freshness;
pub mod guesses;
pub mod idempotency_key;
pub mod invite;
mod letters;
pub mod limits;
pub mod login_throttle;
pub mod loopback;
pub mod meter;
pub mod network;
pub mod permission;
pub mod pkce;
pub mod recovery;
pub mod refusal;
pub mod restoration;
pub mod rotation;
pub mod scope;
pub mod session;
pub mod stand_in;
pub mod token_set;
pub mod told_refusals;
pub mod words;
