//! Tokens of sessions: JWTs (RFC 7519) under HS256, and the keys that sign them, a new one each day.

use std::sync::Arc;

use arc_swap::ArcSwap;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use scorpiox_wire::Secret;
use zeroize::Zeroizing;

use super::random;
use crate::clock::Timestamp;
use crate::domain::session::{Claims, accepted_until, may_sign};
use crate::hex;
use crate::store::administrators::SessionKey;
use crate::store::{Store, StoreError};

/// No token of ours is longer; a longer one is not decoded.
const LONGEST_TOKEN: usize = 1024;

pub(super) struct Signing {
    /// Oldest first; the last one signs.
    keys: ArcSwap<Vec<SessionKey>>,
    /// One new key at a time.
    making: tokio::sync::Mutex<()>,
}

impl Signing {
    pub(super) async fn read(store: &Store) -> Result<Self, StoreError> {
        Ok(Self { keys: ArcSwap::from_pointee(store.session_keys().await?), making: tokio::sync::Mutex::default() })
    }

    /// Signs, with a new key when the last one is a day old.
    pub(super) async fn sign(&self, store: &Store, claims: &Claims, now: Timestamp) -> Result<Secret, StoreError> {
        let key = self.current(store, now).await?;
        let header = Header { kid: Some(key.id), ..Header::new(Algorithm::HS256) };
        let token = jsonwebtoken::encode(&header, claims, &EncodingKey::from_secret(key.key.as_slice()));
        Ok(Secret::new(token.expect("our claims are JSON, and HS256 takes any key")))
    }

    /// What a token says, when one of our keys signed it and still counts.
    pub(super) fn verify(&self, token: &str, now: Timestamp) -> Option<Claims> {
        if token.len() > LONGEST_TOKEN {
            return None;
        }
        let id = jsonwebtoken::decode_header(token).ok()?.kid?;
        let keys = self.keys.load();
        let index = keys.iter().position(|key| key.id == id)?;
        if keys.get(index + 1).is_some_and(|successor| now >= accepted_until(successor.created_at)) {
            return None;
        }
        let key = DecodingKey::from_secret(keys[index].key.as_slice());
        jsonwebtoken::decode::<Claims>(token, &key, &validation()).ok().map(|data| data.claims)
    }

    #[cfg(test)]
    pub(super) fn keys_for_test(&self) -> Arc<Vec<SessionKey>> {
        self.keys.load_full()
    }

    async fn current(&self, store: &Store, now: Timestamp) -> Result<SessionKey, StoreError> {
        let good = |keys: &[SessionKey]| keys.last().filter(|key| may_sign(key.created_at, now)).cloned();
        if let Some(key) = good(&self.keys.load()) {
            return Ok(key);
        }
        let _making = self.making.lock().await;
        let before = self.keys.load_full();
        if let Some(key) = good(&before) {
            return Ok(key);
        }
        let id = hex::encode(&random::<8>()).to_string();
        let key = SessionKey { id, created_at: now, key: Zeroizing::new(random()) };
        let ended = before.windows(2).filter(|pair| now >= accepted_until(pair[1].created_at));
        let ended: Vec<String> = ended.map(|pair| pair[0].id.clone()).collect();
        store.add_session_key(&key, &ended).await?;
        let kept = before.iter().filter(|key| !ended.contains(&key.id)).cloned();
        self.keys.store(Arc::new(kept.chain([key.clone()]).collect()));
        Ok(key)
    }
}

/// The algorithm is fixed; times are judged by [`Claims::holds`], on the broker's own calendar.
fn validation() -> Validation {
    let mut validation = Validation::new(Algorithm::HS256);
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    validation
}
