//! Where the answer to a redemption belongs: the file may have changed since it was asked for. Pure.

use super::journal::Fingerprint;
use super::reading::Opened;
use super::rescue::Rescued;
use crate::oauth::answer::Grant;
use crate::token::claims::UnverifiedClaims;

/// Where an answer belongs.
pub(super) enum Place {
    /// Into the file.
    Home,
    /// The file has it.
    AlreadyThere,
    /// Nowhere.
    Aside(Aside),
}

#[derive(Clone, Copy)]
pub(super) enum Aside {
    /// Somebody logged in, or another program renewed, since.
    AnotherLogin,
    /// The tokens are not of the account that was asked for.
    AnotherAccount,
}

impl Aside {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::AnotherLogin => "came when the file already held another login",
            Self::AnotherAccount => "is of another account",
        }
    }
}

/// Where the tokens of a rescued answer belong, given the file as it is now.
pub(super) fn place(grant: &Grant, rescued: &Rescued, opened: &Opened) -> Place {
    let login = &opened.login;
    if grant.refresh_token.is_some() && grant.refresh_token == login.refresh_token {
        return Place::AlreadyThere;
    }
    if login.refresh_token.as_ref().map(Fingerprint::of).as_ref() != Some(&rescued.redeemed) {
        return Place::Aside(Aside::AnotherLogin);
    }
    let granted = [&grant.access_token, &grant.id_token].into_iter().flatten();
    let account = granted.into_iter().find_map(|token| UnverifiedClaims::of(token.expose()).account_id);
    match (&login.account_id, account) {
        (Some(ours), Some(theirs)) if *ours != theirs => Place::Aside(Aside::AnotherAccount),
        _ => Place::Home,
    }
}
