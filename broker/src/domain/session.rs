//! How long a session of an administrator goes on.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::administrator::Account;
use crate::clock::Timestamp;

/// How long one token of a session is good.
pub const TOKEN_LIFE: Duration = Duration::from_secs(15 * 60);
/// How long a session goes on by renewing before the password is asked again.
pub const LONGEST: Duration = Duration::from_secs(12 * 60 * 60);
/// How long a key signs before another one does.
pub const KEY_LIFE: Duration = Duration::from_secs(24 * 60 * 60);
/// A token that was issued this long before its time is believed: the calendar may have been set back a little.
const LEEWAY: Duration = Duration::from_secs(60);

/// What a session's token says. What its administrator may do is not in it: that is looked up for each request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// The account's id.
    pub sub: String,
    /// The session: the same in all its tokens.
    pub sid: String,
    /// This token.
    pub jti: String,
    /// When it was issued.
    pub iat: i64,
    /// When it ends.
    pub exp: i64,
    /// When the password was typed (OpenID Connect Core §2).
    pub auth_time: i64,
    /// The account's epoch then.
    pub epoch: u64,
}

impl Claims {
    /// A session that begins: the password was right.
    pub fn begun(account: &Account, sid: String, jti: String, now: Timestamp) -> Self {
        Self {
            sub: account.id.clone(),
            sid,
            jti,
            epoch: account.session_epoch,
            auth_time: now.as_unix(),
            iat: 0,
            exp: 0,
        }
        .from(now)
    }

    /// The same session's next token. It never outlives the session.
    pub fn renewed(&self, jti: String, now: Timestamp) -> Self {
        Self { jti, ..self.clone() }.from(now)
    }

    fn from(self, now: Timestamp) -> Self {
        let end = (now + TOKEN_LIFE).min(self.renewable_until());
        Self { iat: now.as_unix(), exp: end.as_unix(), ..self }
    }

    /// When the password has to be typed again.
    pub fn renewable_until(&self) -> Timestamp {
        Timestamp::from_unix(self.auth_time) + LONGEST
    }

    /// Whether the token is good at this moment for this account.
    pub fn holds(&self, account: &Account, now: Timestamp) -> bool {
        let in_time = self.iat <= (now + LEEWAY).as_unix() && now.as_unix() < self.exp;
        in_time && self.sub == account.id && self.epoch == account.session_epoch
    }
}

/// Whether tokens may be signed with a key that was made then. One from the future tells of a calendar that was set back.
pub fn may_sign(made_at: Timestamp, now: Timestamp) -> bool {
    made_at <= now + LEEWAY && now < made_at + KEY_LIFE
}

/// Until when tokens are accepted that were signed with the key before one made then: all of them have ended by then.
pub fn accepted_until(successor_made_at: Timestamp) -> Timestamp {
    successor_made_at + TOKEN_LIFE + LEEWAY
}

#[cfg(test)]
mod tests {
    use scorpiox_wire::admin::Scope;
    use zeroize::Zeroizing;

    use super::*;
    use crate::domain::administrator::PasswordHash;
    use crate::domain::credential::Name;
    use crate::domain::scope::Scopes;

    const T: i64 = 1_790_000_000;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix(T + seconds)
    }

    fn account() -> Account {
        Account {
            id: "a1".into(),
            name: Name::parse("anna").unwrap(),
            scopes: Scopes::new([Scope::Read]).unwrap(),
            created_at: at(0),
            password: PasswordHash { salt: [0; 16], hash: Zeroizing::new([0; 32]) },
            password_set_at: at(0),
            session_epoch: 3,
        }
    }

    fn begun() -> Claims {
        Claims::begun(&account(), "s".into(), "t".into(), at(0))
    }

    #[test]
    fn a_token_is_good_for_fifteen_minutes() {
        let claims = begun();
        for (second, good) in [(-61, false), (-60, true), (0, true), (899, true), (900, false)] {
            assert_eq!(claims.holds(&account(), at(second)), good, "{second}");
        }
    }

    #[test]
    fn renewing_goes_on_for_twelve_hours_from_the_password() {
        let claims = begun().renewed("u".into(), at(12 * 3600 - 300));
        assert_eq!((claims.exp, claims.auth_time, claims.sid.as_str()), (T + 12 * 3600, T, "s"));
        assert!(!claims.holds(&account(), at(12 * 3600)));
    }

    #[test]
    fn another_epoch_or_another_account_of_the_same_name_ends_it() {
        let claims = begun();
        assert!(!claims.holds(&Account { session_epoch: 4, ..account() }, at(1)));
        assert!(!claims.holds(&Account { id: "a2".into(), ..account() }, at(1)));
    }

    #[test]
    fn a_key_signs_for_a_day_and_its_tokens_are_accepted_until_they_have_ended() {
        for (second, may) in [(-61, false), (0, true), (86_399, true), (86_400, false)] {
            assert_eq!(may_sign(at(0), at(second)), may, "{second}");
        }
        assert_eq!(accepted_until(at(86_400)), at(86_400 + 960));
    }
}
