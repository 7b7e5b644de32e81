//! What was measured, as a table for people and as JSON for programs.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

/// A row of the table.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    /// What was measured.
    pub(crate) name: &'static str,
    /// Median of our figure.
    pub(crate) ours: f64,
    /// Median of the reference's figure, or the bound where there is nothing to compare with.
    pub(crate) reference: f64,
    /// Median of the rounds' ratios.
    pub(crate) ratio: f64,
    /// Lowest ratio of a round.
    pub(crate) low: f64,
    /// Highest ratio of a round.
    pub(crate) high: f64,
    /// Unit of `ours` and `reference`.
    pub(crate) unit: &'static str,
    /// The ratio that we want at most.
    pub(crate) goal: f64,
    /// What is compared with what.
    pub(crate) remark: String,
}

/// One round: our figure and the reference's, measured right after each other.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Round {
    pub(crate) ours: f64,
    pub(crate) reference: f64,
}

impl Row {
    /// From its rounds; there must be at least one.
    pub(crate) fn of(name: &'static str, rounds: &[Round], unit: &'static str, goal: f64, remark: String) -> Self {
        let ratios = sorted(rounds.iter().map(|round| round.ours / round.reference));
        Self {
            name,
            ours: median(&sorted(rounds.iter().map(|round| round.ours))),
            reference: median(&sorted(rounds.iter().map(|round| round.reference))),
            ratio: median(&ratios),
            low: ratios[0],
            high: ratios[ratios.len() - 1],
            unit,
            goal,
            remark,
        }
    }

    /// True when the median is within the goal.
    pub(crate) fn is_met(&self) -> bool {
        self.ratio <= self.goal
    }
}

/// Smallest first.
pub(crate) fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values
}

/// Of sorted values: the one in the middle, or between the two in the middle.
pub(crate) fn median(sorted: &[f64]) -> f64 {
    assert!(!sorted.is_empty(), "a row has rounds");
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[middle] } else { f64::midpoint(sorted[middle - 1], sorted[middle]) }
}

/// For people.
pub(crate) fn table(rows: &[Row]) -> String {
    let mut text = format!(
        "{:<17}{:>10}{:>11}  {:<5}{:>6}   {:<12} {:>5}\n",
        "row", "ours", "reference", "unit", "ratio", "range", "goal"
    );
    for row in rows {
        let range = format!("{:.2} .. {:.2}", row.low, row.high);
        let verdict = if row.is_met() { "" } else { "  NOT MET" };
        writeln!(
            text,
            "{:<17}{:>10.2}{:>11.2}  {:<5}{:>6.2}   {:<12} {:>5.2}{verdict}",
            row.name, row.ours, row.reference, row.unit, row.ratio, range, row.goal
        )
        .expect("writing to a text does not fail");
    }
    text.push('\n');
    for row in rows {
        writeln!(text, "{}: {}", row.name, row.remark).expect("writing to a text does not fail");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_the_median_of_its_rounds_with_their_range() {
        let rounds = [(10.0, 10.0), (30.0, 10.0), (12.0, 10.0)].map(|(ours, reference)| Round { ours, reference });
        let row = Row::of("serve", &rounds, "us", 1.25, String::new());
        assert_eq!((row.ours, row.reference, row.ratio, row.low, row.high), (12.0, 10.0, 1.2, 1.0, 3.0));
        assert!(row.is_met());
        assert_eq!(median(&[1.0, 2.0]), 1.5);
    }

    #[test]
    fn a_row_is_this_json() {
        let row = Row::of("rest", &[Round { ours: 1.0, reference: 2.0 }], "s", 1.0, "why".into());
        let json = concat!(
            r#"{"name":"rest","ours":1.0,"reference":2.0,"ratio":0.5,"low":0.5,"high":0.5,"unit":"s","goal":1.0,"#,
            r#""remark":"why"}"#
        );
        assert_eq!(serde_json::to_string(&row).unwrap(), json);
    }
}
