//! A browser asks for a code (RFC 6749 §4.1), and a program redeems it, once.

use std::collections::HashMap;
use std::time::Duration;

use super::client::ClientId;
use super::loopback::{Loopback, NotLoopback};
use super::pkce::Challenge;
use crate::clock::Monotonic;

/// What a program that signs in here calls itself (`client_id`): one name for all, because it proves nothing.
pub const CLIENT: &str = "codex";
/// How long a code may be redeemed.
pub const CODE_LIFE: Duration = Duration::from_secs(60);
/// So long a second redemption is noticed, and ends what came of the first.
const REMEMBERED: Duration = Duration::from_secs(10 * 60);
/// Codes in memory. Each one costs an invite, so this is never met.
const MOST_CODES: usize = 1_000;
/// Longest `state` that is carried back.
const LONGEST_STATE: usize = 512;

/// A well-formed request for a code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorizationRequest {
    /// Where the browser goes afterwards.
    pub redirect: Loopback,
    /// What it takes back there unchanged.
    pub state: String,
    /// Who may redeem the code.
    pub challenge: Challenge,
}

/// Why there is no form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BadRequest {
    /// The browser is told, and sent nowhere: who asks is not known.
    Here(String),
    /// The program is told.
    Back {
        /// Where it listens.
        redirect: Box<Loopback>,
        /// Its own `state`, if there was one.
        state: Option<String>,
        /// The RFC's word.
        error: &'static str,
        /// A sentence.
        description: String,
    },
}

impl AuthorizationRequest {
    /// Reads the parameters, in whatever order. One that is given twice is refused; ones that are not known (`scope`,
    /// `resource`) are passed over.
    pub fn read<'a>(parameters: impl Iterator<Item = (&'a str, &'a str)>) -> Result<Self, BadRequest> {
        let mut given: HashMap<&str, &str> = HashMap::new();
        let mut twice = None;
        for (name, value) in parameters {
            if given.insert(name, value).is_some() {
                twice = Some(name);
            }
        }
        if let Some(name @ ("client_id" | "redirect_uri")) = twice {
            return Err(BadRequest::Here(format!("{name} is given twice")));
        }
        let client = given.get("client_id").copied();
        if client != Some(CLIENT) {
            return Err(BadRequest::Here(format!("client_id must be \"{CLIENT}\"")));
        }
        let redirect = given.get("redirect_uri").copied().ok_or(NotLoopback).and_then(Loopback::parse);
        let redirect = redirect.map_err(|error| BadRequest::Here(error.to_string()))?;
        let state = given.get("state").copied().filter(|state| !state.is_empty() && state.len() <= LONGEST_STATE);
        match Self::rest(&given, twice) {
            Ok((state, challenge)) => Ok(Self { redirect, state, challenge }),
            Err((error, description)) => Err(BadRequest::Back {
                redirect: Box::new(redirect),
                state: state.map(str::to_owned),
                error,
                description,
            }),
        }
    }

    fn rest(given: &HashMap<&str, &str>, twice: Option<&str>) -> Result<(String, Challenge), (&'static str, String)> {
        let invalid = |description: String| ("invalid_request", description);
        if let Some(name) = twice {
            // A name of the asker's choice goes into an address: only its plain part.
            let plain: String =
                name.chars().filter(|letter| letter.is_ascii_alphanumeric() || *letter == '_').collect();
            return Err(invalid(format!("{plain} is given twice")));
        }
        match given.get("response_type").copied() {
            Some("code") => {}
            Some(_) => return Err(("unsupported_response_type", "response_type must be code".to_owned())),
            None => return Err(invalid("response_type is missing".to_owned())),
        }
        let state = given.get("state").copied().unwrap_or_default();
        if state.is_empty() || state.len() > LONGEST_STATE {
            return Err(invalid(format!("state is missing, or longer than {LONGEST_STATE} bytes")));
        }
        let text = given.get("code_challenge").copied();
        let text = text.ok_or_else(|| invalid("code_challenge is missing".to_owned()))?;
        let challenge = Challenge::parse(text, given.get("code_challenge_method").copied());
        Ok((state.to_owned(), challenge.map_err(|error| invalid(error.to_string()))?))
    }
}

/// A code's name in memory: the SHA-256 of its text.
pub type CodeHash = [u8; 32];

/// What a program presents to redeem a code.
#[derive(Clone, Copy)]
pub struct Presented<'a> {
    /// Its `redirect_uri`, the same as when it asked.
    pub redirect_uri: &'a str,
    /// The verifier behind its challenge.
    pub verifier: &'a str,
}

/// What presenting a code comes to.
#[derive(Debug, PartialEq, Eq)]
pub enum Presentation<F> {
    /// The client that it was made for: to be followed by [`Codes::settle`] or [`Codes::give_back`].
    Good(ClientId),
    /// It was redeemed before: somebody else has it too. What came of it ends.
    Replayed(F),
    /// Unknown, too old, presented wrongly, or redeemed just now.
    Refused,
}

/// Whether what came of a code may stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Settled {
    /// Yes.
    Kept,
    /// The code was presented again meanwhile.
    Replayed,
}

/// The codes that were given out. They are in memory only: a restart ends those under way.
pub struct Codes<F> {
    known: HashMap<CodeHash, Known<F>>,
}

struct Known<F> {
    client: ClientId,
    redirect_uri: String,
    challenge: Challenge,
    issued: Monotonic,
    stage: Stage<F>,
}

enum Stage<F> {
    Fresh,
    Redeeming,
    /// Presented again while it was being redeemed, or wrongly.
    Ended,
    /// Redeemed; what came of it.
    Redeemed(F),
}

impl<F> Default for Codes<F> {
    fn default() -> Self {
        Self { known: HashMap::new() }
    }
}

impl<F: Clone> Codes<F> {
    /// A code for this client, bound to the request.
    pub fn issue(&mut self, code: CodeHash, client: ClientId, request: &AuthorizationRequest, now: Monotonic) {
        self.known.retain(|_, known| now.since(known.issued) < REMEMBERED);
        if self.known.len() >= MOST_CODES {
            let oldest = self.known.iter().min_by_key(|(_, known)| known.issued).map(|(code, _)| *code);
            oldest.and_then(|code| self.known.remove(&code));
        }
        let redirect_uri = request.redirect.as_written().to_owned();
        let known = Known { client, redirect_uri, challenge: request.challenge, issued: now, stage: Stage::Fresh };
        self.known.insert(code, known);
    }

    /// Somebody presents a code. One that is presented wrongly has ended: it is in wrong hands.
    pub fn present(&mut self, code: &CodeHash, presented: Presented<'_>, now: Monotonic) -> Presentation<F> {
        let Some(known) = self.known.get_mut(code) else { return Presentation::Refused };
        match &known.stage {
            Stage::Fresh => {}
            Stage::Redeemed(came_of_it) => {
                let came_of_it = came_of_it.clone();
                known.stage = Stage::Ended;
                return Presentation::Replayed(came_of_it);
            }
            Stage::Redeeming | Stage::Ended => {
                known.stage = Stage::Ended;
                return Presentation::Refused;
            }
        }
        let in_time = now.since(known.issued) < CODE_LIFE;
        let right = known.redirect_uri == presented.redirect_uri && known.challenge.is_met_by(presented.verifier);
        if !in_time || !right {
            known.stage = Stage::Ended;
            return Presentation::Refused;
        }
        known.stage = Stage::Redeeming;
        Presentation::Good(known.client.clone())
    }

    /// A good code brought this about.
    pub fn settle(&mut self, code: &CodeHash, came_of_it: F) -> Settled {
        match self.known.get_mut(code) {
            Some(known) if matches!(known.stage, Stage::Redeeming) => {
                known.stage = Stage::Redeemed(came_of_it);
                Settled::Kept
            }
            Some(_) => Settled::Replayed,
            // So long ago that it was forgotten.
            None => Settled::Kept,
        }
    }

    /// A good code brought nothing about, through no fault of who presented it.
    pub fn give_back(&mut self, code: &CodeHash) {
        if let Some(known) = self.known.get_mut(code)
            && matches!(known.stage, Stage::Redeeming)
        {
            known.stage = Stage::Fresh;
        }
    }
}

#[cfg(test)]
#[path = "authorization_tests.rs"]
mod tests;
