//! What an administrator may do.
//!
//! Scopes stand beside each other: `clients` changes clients and does not look at the audit, `read` looks at everything
//! and changes nothing. Only `everything` holds the others. Which one an operation needs stands in its room's list.

use std::fmt;

pub use scorpiox_wire::admin::Scope;

/// What somebody may do: a set that is never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scopes(Vec<Scope>);

/// Nothing was named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("at least one scope is needed: read, clients, credentials or everything")]
pub struct NoScope;

impl Scopes {
    /// From any order, each once.
    pub fn new(scopes: impl IntoIterator<Item = Scope>) -> Result<Self, NoScope> {
        let mut scopes: Vec<_> = scopes.into_iter().collect();
        scopes.sort();
        scopes.dedup();
        if scopes.is_empty() { Err(NoScope) } else { Ok(Self(scopes)) }
    }

    /// What whoever may open the administration socket has.
    pub fn everything() -> Self {
        Self(vec![Scope::Everything])
    }

    /// As the database has them: `read,clients`.
    pub fn parse(text: &str) -> Option<Self> {
        let scopes: Result<Vec<Scope>, _> = text.split(',').map(str::parse).collect();
        Self::new(scopes.ok()?).ok()
    }

    /// In their order.
    pub fn to_vec(&self) -> Vec<Scope> {
        self.0.clone()
    }

    /// Whether an operation that needs `needed` may be done.
    pub fn allow(&self, needed: Scope) -> bool {
        self.0.contains(&needed) || self.0.contains(&Scope::Everything)
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, scope) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}{scope}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use Scope::{Clients, Credentials, Everything, Read};

    use super::*;

    #[test]
    fn only_everything_holds_another_scope() {
        for (held, allowed) in [
            (vec![Read], vec![Read]),
            (vec![Clients], vec![Clients]),
            (vec![Credentials], vec![Credentials]),
            (vec![Read, Clients], vec![Read, Clients]),
            (vec![Everything], Scope::ALL.to_vec()),
        ] {
            let scopes = Scopes::new(held.clone()).unwrap();
            let found: Vec<_> = Scope::ALL.into_iter().filter(|scope| scopes.allow(*scope)).collect();
            assert_eq!(found, allowed, "{held:?}");
        }
    }

    #[test]
    fn scopes_are_a_set_that_is_never_empty() {
        assert_eq!(Scopes::new([]), Err(NoScope));
        let scopes = Scopes::new([Clients, Read, Clients]).unwrap();
        assert_eq!(scopes.to_string(), "read,clients");
        assert_eq!(Scopes::parse("read,clients"), Some(scopes));
        for wrong in ["", "read,", "root"] {
            assert_eq!(Scopes::parse(wrong), None, "{wrong}");
        }
    }
}
