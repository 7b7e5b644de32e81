//! An access token, and where one can come from.
//!
//! * [`local`]: a file of this machine. * [`remote`]: a broker, with [`cache`], [`failure_memory`], [`answer`], [`plain`]
//!   (what an answer of a broker or of another endpoint means) and [`transport`], [`tls`], [`proxy`] (how it is reached).
//! * [`ssh`]: another machine.
//! * [`chain`]: several sources in their order. * [`supply`]: the sources that the settings name.
//! * [`last_given`], [`repeat`]: which source gave the last token; a second call by the same parent as a refusal.

pub mod answer;
pub mod cache;
pub mod chain;
pub mod claims;
pub mod failure_memory;
pub mod last_given;
pub mod local;
pub mod plain;
pub mod proxy;
pub mod remote;
pub mod repeat;
pub mod ssh;
pub mod supply;
pub mod tls;
pub mod transport;

use scorpiox_wire::{Secret, TokenTag};
use serde::Serialize;

use crate::failure::Failure;
pub use crate::settings::SourceName;
use crate::talk::Talk;

/// The longest access token, in bytes: what fits into a header that servers still take.
const LONGEST_TOKEN: usize = 32 * 1024;
/// The longest account id, in bytes.
const LONGEST_ACCOUNT_ID: usize = 128;

/// A token that can be put into a header and printed: visible ASCII only, not empty, not endless.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AccessToken(#[serde(serialize_with = "scorpiox_wire::token::outward")] Secret);

impl AccessToken {
    /// `None` when the text is no token.
    pub fn parse(text: &Secret) -> Option<Self> {
        is_visible_ascii(text.expose(), LONGEST_TOKEN).then(|| Self(text.clone()))
    }

    /// The token itself.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

/// A good token: what a command prints as one JSON line.
///
/// ```json
/// {"access_token":"eyJ…","expires_at":1700000900,"account_id":"6f0c1a2b","source":"remote"}
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Token {
    /// The bearer.
    pub access_token: AccessToken,
    /// When the provider stops accepting it, Unix seconds; `null` when nobody knows.
    pub expires_at: Option<i64>,
    /// The ChatGPT account (workspace); `null` when nobody knows.
    pub account_id: Option<String>,
    /// Where it came from.
    pub source: SourceName,
}

/// A token and, when its source names its tokens, the name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// The token.
    pub token: Token,
    /// Its name.
    pub tag: Option<TokenTag>,
}

/// Which token is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// A good one.
    Current,
    /// Another one: the provider refused the one that was given last, whichever it was.
    OtherThanLast,
    /// Another one than this, which the provider refused.
    OtherThan(TokenTag),
}

/// Something that has tokens.
pub trait TokenSource {
    /// A token, or why there is none.
    fn fetch(&self, ask: &Ask, talk: &mut Talk) -> Result<Fetched, Failure>;
}

/// The account id when it can be put into a header.
fn account_id(text: &str) -> Option<String> {
    is_visible_ascii(text, LONGEST_ACCOUNT_ID).then(|| text.to_owned())
}

fn is_visible_ascii(text: &str, longest: usize) -> bool {
    !text.is_empty() && text.len() <= longest && text.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_visible_ascii_is_a_token() {
        for text in ["", "a b", "a\nb", "a\r", "é", "a\u{1b}[0m", "\u{7f}", "\0"] {
            assert_eq!(AccessToken::parse(&Secret::new(text)), None, "{text:?}");
        }
        assert!(AccessToken::parse(&Secret::new("eyJ~!.x-_y")).is_some());
        assert!(AccessToken::parse(&Secret::new("x".repeat(LONGEST_TOKEN + 1))).is_none());
    }

    #[test]
    fn a_token_is_this_line() {
        let token = Token {
            access_token: AccessToken::parse(&Secret::new("eyJ.x.y")).unwrap(),
            expires_at: Some(1_700_000_900),
            account_id: None,
            source: SourceName::Remote,
        };
        let line = r#"{"access_token":"eyJ.x.y","expires_at":1700000900,"account_id":null,"source":"remote"}"#;
        assert_eq!(serde_json::to_string(&token).unwrap(), line);
        assert!(!format!("{token:?}").contains("eyJ"));
    }
}
