//! Words that are the same wherever a person reads them: why a login is not well, and how many there are.

use super::answer::Ending;
use super::rotation::{Quarantine, Reauth};

/// `1 login`, `2 logins`.
pub fn counted(count: impl TryInto<u64>, one: &str, many: &str) -> String {
    match count.try_into().unwrap_or(u64::MAX) {
        1 => format!("1 {one}"),
        count => format!("{count} {many}"),
    }
}

/// How a login ended.
pub fn ending_in_words(reauth: &Reauth) -> String {
    let how = match reauth.ending {
        Ending::Reused => "the provider says the refresh token was used before",
        Ending::Expired => "the provider says the refresh token has expired",
        Ending::Invalidated => "the provider says the login was ended or revoked",
        Ending::InvalidGrant => "the provider does not accept the refresh token any more",
        Ending::RefusedThrice => "the provider refused the refresh token three times",
        Ending::DoubtTooLong => "its state was unknown until a day after its token ended",
    };
    match &reauth.after {
        Some(after) => format!("{how} ({after})"),
        None => how.to_owned(),
    }
}

/// Why a credential was set aside.
pub fn cause_in_words(cause: Quarantine) -> &'static str {
    match cause {
        Quarantine::BehindMark => "the database is older than the high-water mark: it was restored or lost writes",
        Quarantine::BehindWitness => {
            "a client has a newer token than the database knows: it was restored or lost writes"
        }
        Quarantine::OtherAccount => "the provider answered a renewal with another account's tokens",
        Quarantine::Restored => "restored from a backup, and its refresh token may have been used since",
        Quarantine::Damaged => "its sealed tokens do not open: the database was damaged or changed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_not_many() {
        let logins = |count: usize| counted(count, "login", "logins");
        assert_eq!([0, 1, 2].map(logins), ["0 logins", "1 login", "2 logins"]);
    }
}
