//! A token on its way out.

use std::sync::Arc;
use std::time::Duration;

use scorpiox_wire::TokenAnswer;

use crate::clock::Timestamp;
use crate::domain::credential::Credential;
use crate::domain::freshness::is_renewable;
use crate::domain::token_set::TokenSet;
use crate::holding::Served;
use crate::printed::Printed;

/// What is handed out, and as of when.
#[derive(Debug)]
pub struct Handout {
    served: Arc<Served>,
    at: Timestamp,
    revalidate_after: Duration,
}

impl Handout {
    /// `None` when the credential has no tokens that could be read.
    pub fn of(served: Arc<Served>, at: Timestamp, revalidate_after: Duration) -> Option<Self> {
        served.credential.tokens.is_some().then_some(Self { served, at, revalidate_after })
    }

    /// Whose token it is.
    pub fn credential(&self) -> &Credential {
        &self.served.credential
    }

    /// The answer.
    pub fn answer(&self) -> TokenAnswer {
        let credential = &self.served.credential;
        let TokenSet { access_token, expires_at, .. } = credential.tokens.as_ref().expect("checked when it was made");
        TokenAnswer {
            access_token: access_token.clone(),
            token_type: "Bearer".to_owned(),
            expires_at: expires_at.as_unix(),
            expires_in: expires_at.as_unix() - self.at.as_unix(),
            revalidate_at: (self.at + self.revalidate_after).min(*expires_at).as_unix(),
            account_id: credential.owner.account_id.clone(),
            plan_type: credential.plan_type.clone(),
            credential: credential.id.as_str().to_owned(),
            generation: credential.rotation.generation,
            renewable: is_renewable(credential),
        }
    }

    /// The same in bytes.
    pub fn printed(&self) -> Arc<Printed> {
        self.served.printed(self.at, || Printed::of(&self.answer(), self.at))
    }
}

#[cfg(test)]
mod tests {
    use scorpiox_wire::Secret;

    use super::*;
    use crate::domain::credential::{CredentialId, Name, Owner, Pause};
    use crate::domain::fingerprint::Fingerprint;
    use crate::domain::rotation::Rotation;
    use crate::holding::Holding;

    const NOW: Timestamp = Timestamp::from_unix(1_700_000_000);

    fn served() -> Arc<Served> {
        let tokens = TokenSet {
            access_token: Secret::new("eyJ.at.x"),
            refresh_token: Secret::new("rt_1"),
            id_token: None,
            fingerprint: Fingerprint::from_bytes([1; 16]),
            expires_at: NOW + Duration::from_secs(900),
            obtained_at: NOW,
            earliest_refresh_at: None,
        };
        let credential = Credential {
            id: CredentialId::from_stored("4k2j9x0c7m1d".into()),
            name: Name::parse("main").unwrap(),
            owner: Owner { account_id: "6f0c1a2b".into(), user_id: None },
            email: None,
            plan_type: Some("team".into()),
            created_at: NOW,
            pause: Pause::None,
            rotation: Rotation::begun(7, 0),
            tokens: Some(tokens),
        };
        arc_swap::Guard::into_inner(Holding::new(credential).served())
    }

    fn handout(served: &Arc<Served>, at: Timestamp) -> Handout {
        Handout::of(Arc::clone(served), at, Duration::from_secs(300)).unwrap()
    }

    #[test]
    fn what_is_printed_is_the_answer_and_its_tag() {
        let handout = handout(&served(), NOW);
        let printed = handout.printed();
        assert_eq!(serde_json::from_slice::<TokenAnswer>(&printed.body()).unwrap(), handout.answer());
        assert_eq!(printed.etag(), "\"4k2j9x0c7m1d.7\"");
        assert!(!format!("{handout:?} {printed:?}").contains("eyJ"));
    }

    #[test]
    fn it_is_printed_once_a_second_and_never_says_another_seconds_times() {
        let served = served();
        let (first, second) = (handout(&served, NOW).printed(), handout(&served, NOW).printed());
        assert!(Arc::ptr_eq(&first, &second));
        for later in [1, 700, 701, 700, 0] {
            let handout = handout(&served, NOW + Duration::from_secs(later));
            let said: TokenAnswer = serde_json::from_slice(&handout.printed().body()).unwrap();
            assert_eq!(said, handout.answer());
            assert_eq!(said.expires_in, 900 - i64::try_from(later).unwrap());
            assert_eq!(said.revalidate_at, (NOW.as_unix() + 300 + i64::try_from(later).unwrap()).min(said.expires_at));
        }
    }

    #[test]
    fn nothing_is_handed_out_of_what_cannot_be_read() {
        let unreadable = Credential { tokens: None, ..served().credential.clone() };
        let served = arc_swap::Guard::into_inner(Holding::new(unreadable).served());
        assert!(Handout::of(served, NOW, Duration::ZERO).is_none());
    }
}
