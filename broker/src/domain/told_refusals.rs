//! A flood of refusals is told in few lines: one in a while for each who is refused, and the others are counted.

use std::collections::HashMap;
use std::time::Duration;

use crate::clock::Timestamp;

/// So many are told apart; further ones are told together.
const MOST: usize = 1_000;
/// Stands for those.
const OTHERS: &str = "(others)";

/// Who was refused, and what was not told yet.
#[derive(Debug)]
pub struct ToldRefusals {
    span: Duration,
    told: HashMap<String, Told>,
}

/// One refusal, as the audit says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Who asked.
    pub actor: String,
    /// What was asked for.
    pub object: String,
    /// The code of the problem that was the answer.
    pub outcome: &'static str,
    /// The request id in the log.
    pub request_id: String,
    /// Where it came from.
    pub address: String,
}

#[derive(Debug)]
struct Told {
    at: Timestamp,
    untold: u64,
    last: Refused,
}

impl ToldRefusals {
    /// One line for each in so long.
    pub fn each(span: Duration) -> Self {
        Self { span, told: HashMap::new() }
    }

    /// Somebody was refused. When it is to be told: how many before it were not.
    pub fn refuse(&mut self, who: &str, refused: &Refused, now: Timestamp) -> Option<u64> {
        let who = if self.told.len() < MOST || self.told.contains_key(who) { who } else { OTHERS };
        match self.told.get_mut(who) {
            Some(told) if now < told.at + self.span => {
                told.untold += 1;
                told.last = refused.clone();
                None
            }
            Some(told) => {
                told.at = now;
                Some(std::mem::take(&mut told.untold))
            }
            None => {
                self.told.insert(who.to_owned(), Told { at: now, untold: 0, last: refused.clone() });
                Some(0)
            }
        }
    }

    /// What was counted and never told, because nothing came after it: how many, and the last of them.
    pub fn take_untold(&mut self) -> Vec<(u64, Refused)> {
        let untold = self.told.drain().filter(|(_, told)| told.untold > 0);
        let mut untold: Vec<_> = untold.map(|(_, told)| (told.untold, told.last)).collect();
        untold.sort_by(|(_, one), (_, other)| one.actor.cmp(&other.actor));
        untold
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(address: u64) -> Refused {
        let text = |text: &str| text.to_owned();
        let (actor, object, request_id) = (text("admin:anna"), text("admin:anna"), text("r"));
        Refused { actor, object, outcome: "unauthorized", request_id, address: address.to_string() }
    }

    #[test]
    fn a_flood_is_one_line_in_a_while_for_each_and_none_is_lost() {
        let mut refused = ToldRefusals::each(Duration::from_secs(60));
        let at = Timestamp::from_unix;
        assert_eq!(refused.refuse("anna", &from(0), at(1)), Some(0));
        for second in 1..8 {
            assert_eq!(refused.refuse("anna", &from(1), at(second)), None);
        }
        assert_eq!(refused.refuse("bert", &from(2), at(60)), Some(0));
        assert_eq!(refused.refuse("anna", &from(3), at(61)), Some(7));
        assert_eq!(refused.refuse("anna", &from(4), at(120)), None);
        assert_eq!(refused.take_untold(), [(1, from(4))], "with the last one's address");
        assert_eq!(refused.take_untold(), []);
    }

    #[test]
    fn a_flood_from_everywhere_takes_no_more_room_and_is_told_as_one() {
        let mut refused = ToldRefusals::each(Duration::from_secs(60));
        let lines = (0..5_000)
            .filter(|who| refused.refuse(&who.to_string(), &from(*who), Timestamp::from_unix(1)).is_some())
            .count();
        assert_eq!((lines, refused.told.len()), (MOST + 1, MOST + 1));
        let untold: u64 = refused.take_untold().iter().map(|(times, _)| times).sum();
        assert_eq!(untold, 5_000 - lines as u64);
    }
}
