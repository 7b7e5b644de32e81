//! What differs between two requests, each place once.

use std::collections::BTreeSet;

use serde_json::Value;

use super::captured::Captured;

/// Who has something there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sides {
    /// Only the stock CLI.
    OnlyStock,
    /// Only `sx`.
    OnlyOurs,
    /// Both, and not the same.
    Differ,
}

/// A difference: where, who has something there, and what.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Difference {
    /// `headers.originator`, `body.input.function_call_output.id`: an item stands there by its kind.
    pub(super) place: String,
    /// Who.
    pub(super) sides: Sides,
    /// For people.
    pub(super) values: String,
}

/// All differences of two requests.
pub(super) fn between(stock: &Captured, ours: &Captured) -> BTreeSet<Difference> {
    let mut found = BTreeSet::new();
    walk("", Some(&stock.0), Some(&ours.0), &mut found);
    found
}

fn walk(place: &str, stock: Option<&Value>, ours: Option<&Value>, found: &mut BTreeSet<Difference>) {
    match (stock, ours) {
        (Some(Value::Object(theirs)), Some(Value::Object(mine))) => {
            let names: BTreeSet<&String> = theirs.keys().chain(mine.keys()).collect();
            for name in names {
                walk(&below(place, name), theirs.get(name), mine.get(name), found);
            }
        }
        (Some(Value::Array(theirs)), Some(Value::Array(mine))) if theirs.len() == mine.len() => {
            for (theirs, mine) in theirs.iter().zip(mine) {
                let kind = [theirs, mine].map(kind);
                let place = if kind[0] == kind[1] { below(place, &kind[0]) } else { place.to_owned() };
                walk(&place, Some(theirs), Some(mine), found);
            }
        }
        (stock, ours) if stock == ours => {}
        (stock, ours) => {
            let sides = match (stock, ours) {
                (Some(_), None) => Sides::OnlyStock,
                (None, _) => Sides::OnlyOurs,
                (Some(_), Some(_)) => Sides::Differ,
            };
            let show =
                |value: Option<&Value>| value.map_or("nothing".to_owned(), |value| shortened(&value.to_string()));
            let values = format!("stock {}, ours {}", show(stock), show(ours));
            found.insert(Difference { place: place.to_owned(), sides, values });
        }
    }
}

fn below(place: &str, name: &str) -> String {
    match (place, name) {
        ("", name) => name.to_owned(),
        (place, "") => place.to_owned(),
        (place, name) => format!("{place}.{name}"),
    }
}

/// How an entry of a list is called: `message user`, `function_call`; nothing when it has no kind.
fn kind(entry: &Value) -> String {
    let words = [entry.get("type"), entry.get("role")].into_iter().flatten().filter_map(Value::as_str);
    words.collect::<Vec<_>>().join(" ")
}

fn shortened(text: &str) -> String {
    const MOST: usize = 300;
    let mut shown: String = text.chars().take(MOST).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}
