//! How much of the plan's limits is in use, as an answer's headers and events say it. Pure.
//!
//! A window's place says nothing about it: a free plan has its week where others have their five hours. So windows are
//! told apart by their length.

use serde_json::Value;

use crate::conversation::event::{Event, Window};

/// The plan's own limit; limits of single features have headers of their own, which are passed over.
const PLAN_LIMIT: &str = "codex";
const PLACES: [&str; 2] = ["primary", "secondary"];

/// What the headers say; `header` looks one up. Nothing when they say nothing.
pub fn in_headers<'a>(header: &dyn Fn(&str) -> Option<&'a str>) -> Option<Event> {
    let windows = PLACES.iter().filter_map(|place| {
        let text = |what: &str| header(&format!("x-{PLAN_LIMIT}-{place}-{what}")).map(str::trim);
        let used = text("used-percent")?.parse().ok()?;
        let minutes = text("window-minutes").and_then(|text| text.parse().ok());
        window(used, minutes, text("reset-at").and_then(|text| text.parse().ok()))
    });
    event(windows.collect())
}

/// The same of an event `codex.rate_limits`.
pub(super) fn in_event(json: &Value) -> Option<Event> {
    let limit = json.get("metered_limit_name").and_then(Value::as_str);
    if limit.is_some_and(|name| name != PLAN_LIMIT) {
        return None;
    }
    let limits = json.get("rate_limits")?;
    let windows = PLACES.iter().filter_map(|place| {
        let said = limits.get(place)?;
        let minutes = said.get("window_minutes").and_then(Value::as_u64);
        window(said.get("used_percent")?.as_f64()?, minutes, said.get("reset_at").and_then(Value::as_i64))
    });
    event(windows.collect())
}

fn window(used_percent: f64, minutes: Option<u64>, resets_at: Option<i64>) -> Option<Window> {
    /// More than this was never used, whatever a header says.
    const MOST_PERCENT: f64 = 100_000.0;
    if !(used_percent.is_finite() && used_percent >= 0.0) {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and a million")]
    let used_per_mille = (used_percent.min(MOST_PERCENT) * 10.0) as u32;
    let resets_at = resets_at.filter(|at| *at > 0);
    Some(Window { minutes: minutes.filter(|minutes| *minutes > 0), used_per_mille, resets_at })
}

fn event(mut windows: Vec<Window>) -> Option<Event> {
    windows.sort_by_key(|window| window.minutes.unwrap_or(u64::MAX));
    (!windows.is_empty()).then_some(Event::Windows(windows))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIVE_HOURS: Window = Window { minutes: Some(300), used_per_mille: 275, resets_at: Some(1_782_770_922) };
    const WEEK: Window = Window { minutes: Some(10_080), used_per_mille: 40, resets_at: Some(1_783_357_722) };

    fn said(headers: &[(&str, &str)]) -> Option<Event> {
        in_headers(&|name| headers.iter().find(|(known, _)| *known == name).map(|(_, value)| *value))
    }

    #[test]
    fn headers_name_the_windows_in_any_order() {
        let headers = [
            ("x-codex-primary-used-percent", "4.0"),
            ("x-codex-primary-window-minutes", "10080"),
            ("x-codex-primary-reset-at", "1783357722"),
            ("x-codex-secondary-used-percent", " 27.5 "),
            ("x-codex-secondary-window-minutes", "300"),
            ("x-codex-secondary-reset-at", "1782770922"),
        ];
        assert_eq!(said(&headers), Some(Event::Windows(vec![FIVE_HOURS, WEEK])));
    }

    #[test]
    fn what_cannot_be_understood_is_left_out() {
        let unknown = Window { minutes: None, used_per_mille: 1_000, resets_at: None };
        let odd = [("x-codex-primary-used-percent", "100"), ("x-codex-primary-window-minutes", "soon")];
        assert_eq!(said(&odd), Some(Event::Windows(vec![unknown])));
        let zeros = [
            ("x-codex-primary-used-percent", "100"),
            ("x-codex-primary-window-minutes", "0"),
            ("x-codex-primary-reset-at", "0"),
        ];
        assert_eq!(said(&zeros), Some(Event::Windows(vec![unknown])));
        for used in ["", "-1", "NaN", "inf", "much"] {
            assert_eq!(said(&[("x-codex-primary-used-percent", used)]), None, "{used}");
        }
        assert_eq!(said(&[("x-other-primary-used-percent", "3")]), None);
    }

    #[test]
    fn an_event_says_the_same() {
        let json = serde_json::json!({"type": "codex.rate_limits", "metered_limit_name": "codex", "rate_limits": {
            "primary": {"used_percent": 27.5, "window_minutes": 300, "reset_at": 1_782_770_922},
            "secondary": {"used_percent": 4.0, "window_minutes": 10080, "reset_at": 1_783_357_722}}});
        assert_eq!(in_event(&json), Some(Event::Windows(vec![FIVE_HOURS, WEEK])));
        let other = serde_json::json!({"metered_limit_name": "x", "rate_limits": {"primary": {"used_percent": 1.0}}});
        assert_eq!(in_event(&other), None);
        assert_eq!(in_event(&serde_json::json!({"rate_limits": {"primary": null}})), None);
    }
}
