//! Usage for people: a line per window with a bar, in at most 80 columns, readable without colour.

use std::fmt::Write as _;

use jiff::tz::TimeZone;

use crate::backend::usage::{Credits, Limit, Spend, Usage, Window};
use crate::cli::moment::moment;
use crate::failure::visible;

const BAR: usize = 20;
const MINUTE: i64 = 60;
const HOUR: i64 = 3_600;
const DAY: i64 = 86_400;
/// Names come from the backend.
const LONGEST_NAME: usize = 60;

/// The lines; `now` is in Unix seconds.
pub(in crate::cli) fn table(usage: &Usage, now: i64, zone: &TimeZone) -> String {
    let mut lines = format!("plan      {}\n", usage.plan.as_deref().map_or("unknown".into(), name));
    for (index, limit) in usage.limits.iter().enumerate() {
        lines.push_str(&limit_lines(limit, index > 0, now, zone));
    }
    if let Some(reached) = &usage.reached {
        let _ = writeln!(lines, "reached   {}", name(reached));
    }
    lines.extend(usage.credits.iter().map(|credits| format!("credits   {}\n", credits_text(credits))));
    lines.extend(usage.spend.iter().map(|spend| format!("spend     {}\n", spend_text(spend, now, zone))));
    if let Some(count @ 1..) = usage.reset_credits {
        let _ = writeln!(lines, "resets    {count} left to use by hand");
    }
    lines
}

fn limit_lines(limit: &Limit, named: bool, now: i64, zone: &TimeZone) -> String {
    let mut lines = String::new();
    if named {
        let _ = writeln!(lines, "\n{}", name(limit.name.as_deref().unwrap_or(&limit.id)));
    }
    if limit.windows.is_empty() {
        lines.push_str("limits    none are known\n");
    }
    for window in &limit.windows {
        let _ = writeln!(lines, "{}", window_line(window, now, zone));
    }
    if limit.reached == Some(true) {
        lines.push_str("          the limit is reached\n");
    }
    lines
}

fn window_line(window: &Window, now: i64, zone: &TimeZone) -> String {
    let length = window.seconds.map_or("unknown".to_owned(), length);
    let resets = window.resets_at.map(|at| format!("  resets {}", moment(at, now, zone))).unwrap_or_default();
    // Rounded towards the limit: 99.6 % is not 100 %, and 0.2 % is something.
    let percent = window.used_percent.floor().min(999.0);
    format!("{length:<9} {} {percent:>3} %{resets}", bar(window.used_percent))
}

/// `5 hours`, `7 days`; a length that is nearly one of these is meant as it, any other is said as it is.
pub(in crate::cli) fn length(seconds: i64) -> String {
    let usual = [(5 * HOUR, "5 hours"), (DAY, "1 day"), (7 * DAY, "7 days"), (30 * DAY, "30 days")];
    let near = usual.iter().find(|(usual, _)| (seconds - usual).abs() <= usual / 20);
    let said = |unit: i64, one: &str| {
        let plural = if seconds / unit == 1 { "" } else { "s" };
        format!("{} {one}{plural}", seconds / unit)
    };
    match (near, seconds) {
        (Some((_, name)), _) => (*name).to_owned(),
        (None, DAY..) if seconds % DAY == 0 => said(DAY, "day"),
        (None, HOUR..) if seconds % HOUR == 0 => said(HOUR, "hour"),
        (None, _) => format!("{} min", (seconds + MINUTE - 1) / MINUTE),
    }
}

/// Full only at the limit, empty only at nothing.
fn bar(used_percent: f64) -> String {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 20 by construction")]
    let full = (used_percent.clamp(0.0, 100.0) / 100.0 * BAR as f64) as usize;
    let full = if used_percent > 0.0 { full.max(1) } else { full };
    format!("[{}{}]", "#".repeat(full), ".".repeat(BAR - full))
}

fn credits_text(credits: &Credits) -> String {
    match credits {
        Credits { unlimited: true, .. } => "unlimited".to_owned(),
        Credits { balance: Some(balance), .. } => name(balance),
        Credits { available: true, balance: None, .. } => "some".to_owned(),
        Credits { available: false, balance: None, .. } => "none".to_owned(),
    }
}

fn spend_text(spend: &Spend, now: i64, zone: &TimeZone) -> String {
    let said = |amount: &Option<String>| amount.as_deref().map_or("?".to_owned(), name);
    let resets = spend.resets_at.map(|at| format!(", resets {}", moment(at, now, zone))).unwrap_or_default();
    format!("{} of {}{resets}", said(&spend.used), said(&spend.limit))
}

fn name(text: &str) -> String {
    visible(text).chars().take(LONGEST_NAME).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-06-29 20:29:42 in Berlin.
    const NOW: i64 = 1_782_757_782;

    fn berlin() -> TimeZone {
        // As a rule, so that no zone file is needed.
        TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap()
    }

    fn shown(body: &str) -> String {
        table(&Usage::parse(body, NOW).unwrap(), NOW, &berlin())
    }

    #[test]
    fn a_plan_is_shown_with_bars_and_local_times() {
        let body = r#"{"plan_type":"plus","rate_limit":{
            "primary_window":{"used_percent":27,"limit_window_seconds":18000,"reset_at":1782767922},
            "secondary_window":{"used_percent":4,"limit_window_seconds":604800,"reset_at":1783357722}},
            "additional_rate_limits":[{"limit_name":"Some model","metered_feature":"m","rate_limit":{"limit_reached":true,
                "primary_window":{"used_percent":104.7,"limit_window_seconds":5400,"reset_at":1}}}],
            "credits":{"has_credits":false,"unlimited":false,"balance":null},
            "spend_control":{"individual_limit":{"limit":"100","used":"40","reset_after_seconds":60}}}"#;
        let expected = "\
plan      plus
5 hours   [#####...............]  27 %  resets 23:18, in 2 h 49 min
7 days    [#...................]   4 %  resets Mon 06 Jul 19:08, in 6 d 22 h

Some model
90 min    [####################] 104 %  resets now
          the limit is reached
credits   none
spend     40 of 100, resets 20:30, in 1 min
";
        assert_eq!(shown(body), expected);
    }

    #[test]
    fn nothing_known_is_said_in_words() {
        assert_eq!(shown("{}"), "plan      unknown\nlimits    none are known\n");
    }

    #[test]
    fn no_line_is_wider_than_a_terminal_and_none_is_dangerous() {
        let long = format!("\u{1b}[31m{}", "n".repeat(500));
        let limit = |name: &str| {
            serde_json::json!({"limit_name": name, "metered_feature": name, "rate_limit": {"primary_window":
                {"used_percent": 1e9, "limit_window_seconds": 31_536_000, "reset_at": NOW + 8_000_000}}})
        };
        let body = serde_json::json!({"plan_type": long, "additional_rate_limits": [limit(&long)],
            "credits": {"balance": long}, "rate_limit_reached_type": long});
        let lines = shown(&body.to_string());
        assert!(!lines.contains('\u{1b}'));
        let widest = lines.lines().map(|line| line.chars().count()).max();
        assert!(widest <= Some(80), "{lines}");
    }

    #[test]
    fn a_window_is_called_by_its_length() {
        let cases = [
            (18_000, "5 hours"),
            (17_940, "5 hours"),
            (604_740, "7 days"),
            (86_400, "1 day"),
            (2_592_000, "30 days"),
            (259_200, "3 days"),
            (3_600, "1 hour"),
            (7_200, "2 hours"),
            (5_400, "90 min"),
            (59, "1 min"),
        ];
        for (seconds, name) in cases {
            assert_eq!(length(seconds), name);
        }
    }

    #[test]
    fn a_bar_is_full_only_at_the_limit_and_empty_only_at_nothing() {
        let full = |percent: f64| bar(percent).matches('#').count();
        assert_eq!([0.0, 0.1, 5.0, 9.9, 95.1, 99.9, 100.0, 250.0].map(full), [0, 1, 1, 1, 19, 19, 20, 20]);
    }
}
