//! Which tokens exist and what they are worth: the truth that the OAuth server keeps. No clock, no socket.

use std::collections::HashMap;
use std::fmt;

use crate::account::Account;
use crate::fault::Twist;
use crate::jwt::{self, Claims, OddJwt};
use crate::random::Random;
use crate::serial::Serial;
use crate::settings::{RefreshReuse, Settings};

/// Every login and its tokens.
pub(crate) struct Ledger {
    families: Vec<Family>,
    refresh: HashMap<String, Serial>,
    access: HashMap<String, Serial>,
    random: Random,
}

#[derive(Debug)]
struct Family {
    account: Account,
    alive: bool,
    generations: Vec<Generation>,
}

struct Generation {
    tokens: Tokens,
    issued_at: i64,
    redeemed: bool,
    /// Refused from this moment on, although it has not expired.
    refused_from: Option<i64>,
}

/// What one login or one redemption gave.
#[derive(Clone, PartialEq, Eq)]
pub struct Tokens {
    /// Which they are.
    pub serial: Serial,
    /// The bearer token; empty if a fault says so.
    pub access_token: String,
    /// The next refresh token; `None`: the presented one stays good.
    pub refresh_token: Option<String>,
    /// Who logged in.
    pub id_token: String,
    /// When the access token is refused at the latest, in Unix seconds.
    pub expires_at: i64,
    /// Redeeming the refresh token before this burns it, in Unix seconds.
    pub earliest_refresh_at: Option<i64>,
    /// Whom they are for.
    pub account: Account,
}

/// Why a redemption is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    Reused,
    Invalidated,
    Expired,
    TooEarly,
}

/// Why a bearer token is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccessRefusal {
    /// Its life is over: `token_expired`.
    Expired,
    /// Refused before its end, or never issued here: `token_invalidated`.
    Invalidated,
}

impl AccessRefusal {
    /// The error code in the answer.
    pub fn code(self) -> &'static str {
        match self {
            Self::Expired => "token_expired",
            Self::Invalidated => "token_invalidated",
        }
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens")
            .field("serial", &self.serial)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The indexes have tokens as keys.
        f.debug_struct("Ledger").field("families", &self.families).finish_non_exhaustive()
    }
}

impl fmt::Debug for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.tokens.fmt(f)
    }
}

impl Ledger {
    pub(crate) fn new(seed: u64) -> Self {
        Self { families: Vec::new(), refresh: HashMap::new(), access: HashMap::new(), random: Random::seeded(seed) }
    }

    pub(crate) fn random(&mut self) -> &mut Random {
        &mut self.random
    }

    /// Opens a family.
    pub(crate) fn login(&mut self, account: &Account, settings: &Settings, now: i64) -> Tokens {
        self.families.push(Family { account: account.clone(), alive: true, generations: Vec::new() });
        let family = u32::try_from(self.families.len()).expect("fewer than four billion logins");
        self.issue(family, &[], settings, now)
    }

    /// Redeems a refresh token of ours.
    pub(crate) fn redeem(
        &mut self,
        serial: Serial,
        twists: &[Twist],
        settings: &Settings,
        now: i64,
    ) -> Result<Tokens, Refusal> {
        let family = &mut self.families[serial.family as usize - 1];
        let presented = &mut family.generations[serial.generation as usize - 1];
        if !family.alive {
            return Err(Refusal::Invalidated);
        }
        if presented.redeemed {
            family.alive = settings.refresh_reuse == RefreshReuse::RefuseOnly;
            return Err(Refusal::Reused);
        }
        if settings.refresh_token_life_s.is_some_and(|life| now >= presented.issued_at.saturating_add(life)) {
            return Err(Refusal::Expired);
        }
        if presented.tokens.earliest_refresh_at.is_some_and(|earliest| now < earliest) {
            presented.redeemed = true;
            return Err(Refusal::TooEarly);
        }
        presented.redeemed = settings.include_refresh_token && !twists.contains(&Twist::WithoutRefreshToken);
        let previous = family.generations.last_mut().expect("a family has the generation that was presented");
        if let Some(grace) = settings.previous_access_token_grace_s {
            let from = now.saturating_add(grace);
            previous.refused_from = Some(previous.refused_from.map_or(from, |earlier| earlier.min(from)));
        }
        Ok(self.issue(serial.family, twists, settings, now))
    }

    fn issue(&mut self, family: u32, twists: &[Twist], settings: &Settings, now: i64) -> Tokens {
        let generation = u32::try_from(self.families[family as usize - 1].generations.len() + 1)
            .expect("fewer than four billion rotations");
        let serial = Serial { family, generation };
        let tokens = self.make(serial, twists, settings, now);
        if let Some(token) = &tokens.refresh_token {
            self.refresh.insert(token.clone(), serial);
        }
        self.access.insert(tokens.access_token.clone(), serial);
        let record = Generation { tokens: tokens.clone(), issued_at: now, redeemed: false, refused_from: None };
        self.families[family as usize - 1].generations.push(record);
        tokens
    }

    fn make(&mut self, serial: Serial, twists: &[Twist], settings: &Settings, now: i64) -> Tokens {
        let mut account = self.families[serial.family as usize - 1].account.clone();
        let mut life = settings.access_token_life_s;
        let mut earliest = settings.earliest_refresh_after_s;
        let mut odd: Option<OddJwt> = None;
        for twist in twists {
            match twist {
                Twist::AnotherAccount(other) => account = other.clone(),
                Twist::AccessTokenLife(seconds) => life = *seconds,
                Twist::EarliestRefreshAfter(seconds) => earliest = Some(*seconds),
                Twist::Jwt(kind) => odd = Some(*kind),
                Twist::WithoutRefreshToken
                | Twist::WithoutIdToken
                | Twist::WithoutExpiresIn
                | Twist::EmptyAccessToken => {}
            }
        }
        let expires_at = now.saturating_add(life);
        let token_id = format!("{}-{}-{}", serial.family, serial.generation, self.random.text(16));
        let claims = Claims { account: &account, token_id, issued_at: now, expires_at };
        let access_token = match twists.contains(&Twist::EmptyAccessToken) {
            true => String::new(),
            false => jwt::access_token(&claims, odd, &mut self.random),
        };
        let id_token = jwt::id_token(&claims, &mut self.random);
        let rotates = settings.include_refresh_token || serial.generation == 1;
        let refresh_token = (rotates && !twists.contains(&Twist::WithoutRefreshToken))
            .then(|| format!("rt_{}_{}_{}", serial.family, serial.generation, self.random.text(32)));
        let earliest_refresh_at = earliest.map(|seconds| now.saturating_add(seconds));
        Tokens { serial, access_token, refresh_token, id_token, expires_at, earliest_refresh_at, account }
    }

    /// Whether a bearer token is good now.
    pub(crate) fn check_access(&self, token: &str, now: i64) -> Result<Serial, AccessRefusal> {
        let serial = *self.access.get(token).filter(|_| !token.is_empty()).ok_or(AccessRefusal::Invalidated)?;
        let generation = self.generation(serial).ok_or(AccessRefusal::Invalidated)?;
        if generation.refused_from.is_some_and(|from| now >= from) {
            return Err(AccessRefusal::Invalidated);
        }
        if now >= generation.tokens.expires_at { Err(AccessRefusal::Expired) } else { Ok(serial) }
    }

    /// From now on the access token of this generation is refused for good.
    pub(crate) fn refuse_access(&mut self, serial: Serial) -> bool {
        let generation = self
            .families
            .get_mut((serial.family as usize).wrapping_sub(1))
            .and_then(|family| family.generations.get_mut((serial.generation as usize).wrapping_sub(1)));
        generation.map(|generation| generation.refused_from = Some(i64::MIN)).is_some()
    }

    /// From now on every refresh token of this family is refused.
    pub(crate) fn end_family(&mut self, family: u32) -> bool {
        self.families.get_mut((family as usize).wrapping_sub(1)).map(|family| family.alive = false).is_some()
    }

    pub(crate) fn is_alive(&self, family: u32) -> bool {
        self.families.get((family as usize).wrapping_sub(1)).is_some_and(|family| family.alive)
    }

    pub(crate) fn refresh_serial(&self, token: &str) -> Option<Serial> {
        self.refresh.get(token).copied()
    }

    pub(crate) fn access_serial(&self, token: &str) -> Option<Serial> {
        self.access.get(token).copied()
    }

    fn generation(&self, serial: Serial) -> Option<&Generation> {
        let family = self.families.get((serial.family as usize).checked_sub(1)?)?;
        family.generations.get((serial.generation as usize).checked_sub(1)?)
    }

    pub(crate) fn tokens(&self, serial: Serial) -> Option<&Tokens> {
        self.generation(serial).map(|generation| &generation.tokens)
    }

    /// Whether the refresh token of this generation has been redeemed or burned.
    pub(crate) fn is_redeemed(&self, serial: Serial) -> bool {
        self.generation(serial).is_some_and(|generation| generation.redeemed)
    }

    /// The newest generation of each family that is alive.
    pub(crate) fn newest(&self) -> Vec<Serial> {
        let families = self.families.iter().zip(1_u32..).filter(|(family, _)| family.alive);
        families.filter_map(|(family, _)| family.generations.last().map(|last| last.tokens.serial)).collect()
    }

    /// Every secret that was ever issued.
    pub(crate) fn secrets(&self) -> Vec<String> {
        let all = self.families.iter().flat_map(|family| &family.generations);
        let each = all.flat_map(|generation| {
            let tokens = &generation.tokens;
            [Some(tokens.access_token.clone()), tokens.refresh_token.clone(), Some(tokens.id_token.clone())]
        });
        each.flatten().filter(|secret| !secret.is_empty()).collect()
    }
}
