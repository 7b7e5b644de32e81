//! A stand-in as text.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use scorpiox_wire::Secret;

use crate::domain::credential::CredentialId;

const PREFIX: &str = "sxr_";
const ID_LENGTH: usize = 12;
const MAC_LENGTH: usize = 43;
/// Digits of the largest number.
const NUMBER_LENGTH: usize = 20;

/// Public name of a family: 12 of `0-9a-z`, random.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FamilyId(String);

impl FamilyId {
    /// From random bytes.
    pub fn from_random(bytes: [u8; ID_LENGTH]) -> Self {
        Self(CredentialId::from_random(bytes).as_str().to_owned())
    }

    /// From our own database, where only such ids are written.
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FamilyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// 256 random bits of a family, so that its stand-ins cannot be made from its name.
#[derive(Clone, PartialEq, Eq)]
pub struct Salt([u8; 32]);

impl Salt {
    /// From random or stored bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for Salt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Salt([redacted])")
    }
}

/// What the MAC of a stand-in is made of. No client key begins like this, and the pepper signs both.
pub fn seed(family: &FamilyId, number: u64, salt: &Salt) -> String {
    format!("scorpiox-broker stand-in 1|{family}|{number}|{}", crate::hex::encode(salt.as_bytes()).as_str())
}

/// A text of the right shape: whether it is genuine, the pepper knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presented {
    /// Which family it says it is of.
    pub family: FamilyId,
    /// Which of it.
    pub number: u64,
    mac: Mac,
}

#[derive(Clone, PartialEq, Eq)]
struct Mac([u8; 32]);

impl fmt::Debug for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// The text is no stand-in. It is never repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is no refresh token of this broker")]
pub struct MalformedStandIn;

impl Presented {
    /// The text of the stand-in with this MAC.
    pub fn compose(family: &FamilyId, number: u64, mac: &[u8; 32]) -> Secret {
        Secret::new(format!("{PREFIX}{family}_{number}_{}", URL_SAFE_NO_PAD.encode(mac)))
    }

    /// Reads one.
    pub fn parse(text: &str) -> Result<Self, MalformedStandIn> {
        let rest = text.strip_prefix(PREFIX).ok_or(MalformedStandIn)?;
        let (family, rest) = rest.split_once('_').ok_or(MalformedStandIn)?;
        let (number, mac) = rest.split_once('_').ok_or(MalformedStandIn)?;
        let in_id = |byte: u8| byte.is_ascii_digit() || byte.is_ascii_lowercase();
        if family.len() != ID_LENGTH || !family.bytes().all(in_id) || mac.len() != MAC_LENGTH {
            return Err(MalformedStandIn);
        }
        let is_plain = !number.starts_with('0') && number.bytes().all(|byte| byte.is_ascii_digit());
        if number.is_empty() || number.len() > NUMBER_LENGTH || !is_plain {
            return Err(MalformedStandIn);
        }
        let bytes = URL_SAFE_NO_PAD.decode(mac).map_err(|_| MalformedStandIn)?;
        Ok(Self {
            family: FamilyId(family.to_owned()),
            number: number.parse().map_err(|_| MalformedStandIn)?,
            mac: Mac(bytes.try_into().map_err(|_| MalformedStandIn)?),
        })
    }

    /// The MAC that it carries.
    pub fn mac(&self) -> &[u8; 32] {
        &self.mac.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stand_in_has_the_documented_shape() {
        let family = FamilyId::from_stored("7f3k9q2m1c0d".into());
        let text = Presented::compose(&family, 3, &[7; 32]);
        assert_eq!(text.expose(), format!("sxr_7f3k9q2m1c0d_3_{}", "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc"));
        let read = Presented::parse(text.expose()).unwrap();
        assert_eq!((&read.family, read.number, read.mac()), (&family, 3, &[7; 32]));
        assert!(!format!("{read:?}").contains('7') || !format!("{read:?}").contains("Bwc"));
    }

    #[test]
    fn anything_else_is_none() {
        let good = "sxr_7f3k9q2m1c0d_3_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc";
        assert!(Presented::parse(good).is_ok());
        for bad in [
            "",
            "sxr_",
            "rt_made_up_1",
            &good.replace("sxr_", "sxk_"),
            &good.replace("_3_", "_03_"),
            &good.replace("_3_", "_+3_"),
            &good.replace("_3_", "__"),
            &good.replace("_3_", "_99999999999999999999_"),
            &good.replace("7f3k", "7F3K"),
            &good.replace("7f3k", "7f3"),
            &good[..good.len() - 1],
            &format!("{good}x"),
            &good.replace("Bwc", "B c"),
        ] {
            assert_eq!(Presented::parse(bad), Err(MalformedStandIn), "{bad}");
        }
    }

    #[test]
    fn what_is_signed_names_family_number_and_salt() {
        let family = FamilyId::from_stored("7f3k9q2m1c0d".into());
        let seeds = [
            seed(&family, 3, &Salt::from_bytes([1; 32])),
            seed(&family, 4, &Salt::from_bytes([1; 32])),
            seed(&family, 3, &Salt::from_bytes([2; 32])),
            seed(&FamilyId::from_stored("7f3k9q2m1c0e".into()), 3, &Salt::from_bytes([1; 32])),
        ];
        let distinct: std::collections::BTreeSet<_> = seeds.iter().collect();
        assert_eq!(distinct.len(), seeds.len());
    }
}
