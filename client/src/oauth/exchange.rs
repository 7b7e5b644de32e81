//! The code that a person's consent brought becomes a login.

use scorpiox_wire::Secret;
use url::form_urlencoded;
use zeroize::Zeroizing;

use super::answer::{Grant, Verdict, classify, described};
use super::call::{Caller, Payload, RawAnswer};
use super::server::OAuthServer;
use super::{AuthorizationCode, CLIENT_ID};
use crate::failure::Failure;
use crate::token::claims::UnverifiedClaims;

/// A login with everything that a login needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewLogin {
    /// The bearer.
    pub access_token: Secret,
    /// Redeemed once, for the next.
    pub refresh_token: Secret,
    /// Who it is.
    pub id_token: Secret,
    /// The ChatGPT account (workspace).
    pub account_id: String,
    /// Before when the refresh token must not be redeemed, Unix seconds.
    pub earliest_refresh_at: Option<i64>,
}

/// Redeems the code, once. If the answer gets lost the person logs in again.
pub fn exchange(server: &OAuthServer, caller: &Caller<'_>, code: &AuthorizationCode) -> Result<NewLogin, Failure> {
    let answer = caller.post(&server.exchange(), Payload::Form(encode(code))).map_err(|no| no.into_failure())?;
    login(&answer)
}

fn encode(code: &AuthorizationCode) -> Zeroizing<Vec<u8>> {
    let AuthorizationCode { code, verifier, redirect_uri } = code;
    // A form makes at most three bytes of one; a text that grew would leave copies behind.
    let room = 160 + 3 * (code.expose().len() + verifier.expose().len() + redirect_uri.len());
    let body = form_urlencoded::Serializer::new(String::with_capacity(room))
        .append_pair("grant_type", "authorization_code")
        .append_pair("code", code.expose())
        .append_pair("redirect_uri", redirect_uri)
        .append_pair("client_id", CLIENT_ID)
        .append_pair("code_verifier", verifier.expose())
        .finish();
    Zeroizing::new(body.into_bytes())
}

fn login(answer: &RawAnswer) -> Result<NewLogin, Failure> {
    let grant = match classify(answer) {
        Verdict::Granted(grant) => grant,
        Verdict::Ended(_) => {
            let refused = format!("the login code was not accepted ({})", described(answer));
            return Err(Failure::person_must_act(refused).with_hint("it was used before or is too old; log in again"));
        }
        Verdict::NotConsumed { why, .. } | Verdict::Refused { why } | Verdict::Unknown { why } => {
            let failure = Failure::person_must_act(format!("the login server gave no login ({why})"));
            return Err(failure.with_hint("log in again"));
        }
    };
    complete(grant)
}

fn complete(grant: Grant) -> Result<NewLogin, Failure> {
    let missing = |what: &str| {
        let failure = Failure::person_must_act(format!("the login server's answer has no {what}"));
        failure.with_hint("this would be no usable login; log in again")
    };
    let access_token = grant.access_token.ok_or_else(|| missing("access token"))?;
    let refresh_token = grant.refresh_token.ok_or_else(|| missing("refresh token"))?;
    let id_token = grant.id_token.ok_or_else(|| missing("id token"))?;
    let account = |token: &Secret| UnverifiedClaims::of(token.expose()).account_id;
    let account_id = account(&access_token).or_else(|| account(&id_token)).ok_or_else(|| missing("account"))?;
    Ok(NewLogin { access_token, refresh_token, id_token, account_id, earliest_refresh_at: grant.earliest_refresh_at })
}
