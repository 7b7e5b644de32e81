//! A flood of refused logins is told in few lines: one for a second and a name, and the others are counted.

use std::collections::HashMap;

use crate::clock::Timestamp;

/// Names that were refused, and what was not told yet.
#[derive(Debug, Default)]
pub struct RefusedLogins(HashMap<String, Told>);

#[derive(Debug)]
struct Told {
    at: Timestamp,
    untold: u64,
}

impl RefusedLogins {
    /// A login was refused. When it is to be told: how many before it were not.
    ///
    /// `name` is one that there is, or one for all that there are not: what strangers make up takes no memory.
    pub fn refuse(&mut self, name: &str, now: Timestamp) -> Option<u64> {
        match self.0.get_mut(name) {
            Some(told) if told.at == now => {
                told.untold += 1;
                None
            }
            Some(told) => {
                told.at = now;
                Some(std::mem::take(&mut told.untold))
            }
            None => {
                self.0.insert(name.to_owned(), Told { at: now, untold: 0 });
                Some(0)
            }
        }
    }

    /// What was counted and never told, because nothing came after it.
    pub fn take_untold(&mut self) -> Vec<(String, u64)> {
        let untold = self.0.drain().filter(|(_, told)| told.untold > 0);
        let mut untold: Vec<_> = untold.map(|(name, told)| (name, told.untold)).collect();
        untold.sort();
        untold
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_one_line_a_second_for_each_name_and_none_is_lost() {
        let mut refused = RefusedLogins::default();
        let at = Timestamp::from_unix;
        assert_eq!(refused.refuse("anna", at(1)), Some(0));
        for _ in 0..7 {
            assert_eq!(refused.refuse("anna", at(1)), None);
        }
        assert_eq!(refused.refuse("bert", at(1)), Some(0));
        assert_eq!(refused.refuse("anna", at(2)), Some(7));
        assert_eq!(refused.refuse("anna", at(2)), None);
        assert_eq!(refused.take_untold(), [("anna".to_owned(), 1)]);
        assert_eq!(refused.take_untold(), []);
    }
}
