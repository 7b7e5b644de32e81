//! Which clients have a series of their own.
//!
//! A counter never goes down. So a client that has a series keeps it, one that came when there was no room stays among
//! the others, and what those were given is added up where it is told, not summed anew: it stays when they go.

use std::collections::{BTreeMap, BTreeSet};

/// What clients were given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Handouts {
    /// Clients with a series of their own.
    pub named: Vec<(String, u64)>,
    /// All others together; none as long as there was none.
    pub others: Option<u64>,
}

/// Who has a series of its own, and what the others were given.
#[derive(Debug, Default)]
pub struct ClientSeries {
    named: BTreeSet<String>,
    /// The others, with what was told of each.
    others: BTreeMap<String, u64>,
    sum: Option<u64>,
}

impl ClientSeries {
    /// Takes in what each client was given since it was loaded, and tells it as at most so many series and one.
    pub fn tell(&mut self, given: Vec<(String, u64)>, most: usize) -> Handouts {
        let here: BTreeSet<&str> = given.iter().map(|(client, _)| client.as_str()).collect();
        self.named.retain(|client| here.contains(client.as_str()));
        self.others.retain(|client, _| here.contains(client.as_str()));
        let mut named = Vec::new();
        for (client, count) in given {
            if self.has_series(&client, most) {
                named.push((client, count));
            } else {
                let told = self.others.insert(client, count).unwrap_or(0);
                // One of the same name that was made anew begins at nothing.
                let more = count.checked_sub(told).unwrap_or(count);
                self.sum = Some(self.sum.unwrap_or(0) + more);
            }
        }
        Handouts { named, others: self.sum }
    }

    fn has_series(&mut self, client: &str, most: usize) -> bool {
        let is_new = !self.named.contains(client) && !self.others.contains_key(client);
        if is_new && self.named.len() < most {
            self.named.insert(client.to_owned());
        }
        self.named.contains(client)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(counts: &[(&str, u64)]) -> Vec<(String, u64)> {
        counts.iter().map(|(client, count)| ((*client).to_owned(), *count)).collect()
    }

    #[test]
    fn clients_that_come_and_go_take_nothing_from_a_counter() {
        let mut series = ClientSeries::default();
        let mut tell = |counts: &[(&str, u64)]| {
            let told = series.tell(given(counts), 2);
            (told.named, told.others)
        };
        assert_eq!(tell(&[("b", 1), ("c", 1)]), (given(&[("b", 1), ("c", 1)]), None));
        // A new one before them in the order of names pushes nobody out.
        assert_eq!(tell(&[("a", 5), ("b", 2), ("c", 2)]), (given(&[("b", 2), ("c", 2)]), Some(5)));
        assert_eq!(tell(&[("a", 7), ("b", 2), ("c", 2), ("d", 1)]), (given(&[("b", 2), ("c", 2)]), Some(8)));
        // Room that somebody left goes to who comes next; who was counted with the others stays there.
        assert_eq!(tell(&[("a", 7), ("c", 2), ("d", 1), ("e", 9)]), (given(&[("c", 2), ("e", 9)]), Some(8)));
        // What the others were given stays when they go, and one of the same name begins anew.
        assert_eq!(tell(&[("c", 3), ("d", 1), ("e", 9)]), (given(&[("c", 3), ("e", 9)]), Some(8)));
        assert_eq!(tell(&[("a", 1), ("c", 3), ("d", 0), ("e", 9)]), (given(&[("c", 3), ("e", 9)]), Some(9)));
        assert_eq!(tell(&[]), (Vec::new(), Some(9)));
    }
}
