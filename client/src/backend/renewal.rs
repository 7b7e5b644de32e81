//! A request with a good token: when the provider refuses the one that it carried, another one is got, once.

use std::time::Duration;

use crate::failure::Failure;
use crate::talk::Talk;
use crate::token::chain::{Given, Wanted};
use crate::token::supply::Supply;
use crate::token::{Fetched, Token};

/// So long the sources of tokens have together, for each token.
const WITHIN: Duration = Duration::from_secs(10);

/// Where tokens come from.
pub trait Tokens {
    /// A token, or why there is none.
    fn fetch(&self, wanted: &Wanted, talk: &mut Talk) -> Result<Fetched, Failure>;
}

impl Tokens for Supply<'_> {
    fn fetch(&self, wanted: &Wanted, talk: &mut Talk) -> Result<Fetched, Failure> {
        self.fetch(wanted, WITHIN, talk).map_err(|unserved| {
            // The first source's reason is the failure; what the others said stands above it.
            unserved.lines().skip(1).for_each(|line| talk.warn(line));
            unserved.first().clone()
        })
    }
}

/// What became of a request.
#[derive(Debug)]
pub enum Sent<T> {
    /// It was answered, well or badly, by somebody who took the token.
    Answered(T),
    /// The provider refused the token.
    TokenRefused(Failure),
}

/// Sends with the current token and, when that is refused, once more with another one.
///
/// # Errors
/// What the source or the request says; after a second refusal, the provider's reason.
pub fn with_a_good_token<T>(
    tokens: &dyn Tokens,
    talk: &mut Talk,
    mut send: impl FnMut(&Token, &mut Talk) -> Result<Sent<T>, Failure>,
) -> Result<T, Failure> {
    let first = tokens.fetch(&Wanted::Current, talk)?;
    let refusal = match send(&first.token, talk)? {
        Sent::Answered(answer) => return Ok(answer),
        Sent::TokenRefused(refusal) => refusal,
    };
    talk.detail(format!("{refusal}; getting another token"));
    let second = tokens.fetch(&Wanted::OtherThan(Given::from(&first)), talk)?;
    if second.token.access_token == first.token.access_token {
        return Err(refusal);
    }
    match send(&second.token, talk)? {
        Sent::Answered(answer) => Ok(answer),
        Sent::TokenRefused(refusal) => Err(refusal),
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use scorpiox_wire::{Secret, TokenTag};

    use super::*;
    use crate::settings::SourceName;
    use crate::token::AccessToken;

    /// Gives these tokens in turn, and remembers how it was asked.
    struct Source {
        tokens: RefCell<Vec<(&'static str, Option<u64>)>>,
        asked: RefCell<Vec<Wanted>>,
    }

    impl Source {
        fn of(tokens: &[(&'static str, Option<u64>)]) -> Self {
            Self { tokens: RefCell::new(tokens.to_vec()), asked: RefCell::default() }
        }
    }

    fn tag(generation: u64) -> TokenTag {
        TokenTag { credential: "c1".into(), generation }
    }

    fn other_than(tag: Option<TokenTag>) -> Wanted {
        Wanted::OtherThan(Given { source: SourceName::Remote, tag })
    }

    impl Tokens for Source {
        fn fetch(&self, wanted: &Wanted, _: &mut Talk) -> Result<Fetched, Failure> {
            self.asked.borrow_mut().push(wanted.clone());
            let (text, generation) = self.tokens.borrow_mut().remove(0);
            let access_token = AccessToken::parse(&Secret::new(text)).unwrap();
            let token = Token { access_token, expires_at: None, account_id: None, source: SourceName::Remote };
            Ok(Fetched { token, tag: generation.map(tag) })
        }
    }

    /// A provider that takes only this token.
    fn send(source: &Source, good: &str) -> (Result<String, Failure>, usize) {
        let mut requests = 0;
        let sent = with_a_good_token(source, &mut Talk::default(), |token, _| {
            requests += 1;
            match token.access_token.expose() {
                text if text == good => Ok(Sent::Answered(text.to_owned())),
                _ => Ok(Sent::TokenRefused(Failure::person_must_act("refused"))),
            }
        });
        (sent, requests)
    }

    #[test]
    fn a_token_that_is_taken_costs_one_request() {
        let source = Source::of(&[("a", Some(1))]);
        assert_eq!(send(&source, "a"), (Ok("a".into()), 1));
        assert_eq!(*source.asked.borrow(), [Wanted::Current]);
    }

    #[test]
    fn a_refused_token_is_replaced_once_by_its_name() {
        let source = Source::of(&[("a", Some(7)), ("b", Some(8))]);
        assert_eq!(send(&source, "b"), (Ok("b".into()), 2));
        assert_eq!(*source.asked.borrow(), [Wanted::Current, other_than(Some(tag(7)))]);
        let nameless = Source::of(&[("a", None), ("b", None), ("c", None)]);
        let (sent, requests) = send(&nameless, "c");
        assert_eq!((sent.unwrap_err().to_string().as_str(), requests), ("refused", 2), "no third attempt");
        assert_eq!(nameless.asked.borrow()[1], other_than(None));
    }

    #[test]
    fn the_same_token_is_not_tried_again() {
        let source = Source::of(&[("a", Some(7)), ("a", Some(7))]);
        assert_eq!(send(&source, "b").1, 1);
    }
}
