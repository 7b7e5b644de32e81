//! What is left of a plan's limits. Pure but for the one request.
//!
//! Every object of the backend's answer may be missing or null, and a window's place says nothing about it: a free
//! plan has its week where others have their five hours. So windows are told apart by their length.

use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use super::answer::Good;
use super::exchange::{Backend, Get};
use crate::failure::Failure;
use crate::talk::Talk;

#[cfg(test)]
mod tests;

/// So long the endpoint has for its answer.
const WITHIN: Duration = Duration::from_secs(10);
/// The id of the plan's own limit, as the backend's headers call it.
const PLAN_LIMIT: &str = "codex";
const SCHEMA: u32 = 1;

/// What `--json` prints. Members may be added; none changes its meaning or goes away within a `schema`.
///
/// ```json
/// {"schema":1,"plan":"plus","limits":[{"id":"codex","name":null,"reached":false,"windows":[
///   {"seconds":18000,"used_percent":27.0,"resets_at":1782770922}]}],
///  "reached":null,"credits":{"available":false,"unlimited":false,"balance":null},"spend":null,"reset_credits":null}
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Usage {
    /// The version of this form.
    pub schema: u32,
    /// `plus`, `pro`, …
    pub plan: Option<String>,
    /// The plan's own limit first, then those of single models or features.
    pub limits: Vec<Limit>,
    /// Which kind of limit was reached, in the backend's words.
    pub reached: Option<String>,
    /// Credits beyond the plan.
    pub credits: Option<Credits>,
    /// What the workspace lets this member spend.
    pub spend: Option<Spend>,
    /// How often the limits may be reset by hand.
    pub reset_credits: Option<u64>,
}

/// A limit and its windows, the shortest first.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Limit {
    /// `codex` for the plan's own.
    pub id: String,
    /// What people call it.
    pub name: Option<String>,
    /// Whether nothing is left at the moment.
    pub reached: Option<bool>,
    /// At least one, except for the plan's own.
    pub windows: Vec<Window>,
}

/// A span of time within which so much may be used.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Window {
    /// Its length; `null` when the backend does not say.
    pub seconds: Option<i64>,
    /// 0 to 100, and more when more was used.
    pub used_percent: f64,
    /// When it begins anew, Unix seconds.
    pub resets_at: Option<i64>,
}

/// Credits beyond the plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Credits {
    /// Whether there are any.
    pub available: bool,
    /// Whether they never end.
    pub unlimited: bool,
    /// As the backend writes it; it names no currency.
    pub balance: Option<String>,
}

/// What the workspace lets this member spend.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Spend {
    /// As the backend writes it.
    pub limit: Option<String>,
    /// As the backend writes it.
    pub used: Option<String>,
    /// 0 to 100.
    pub used_percent: Option<f64>,
    /// When it begins anew, Unix seconds.
    pub resets_at: Option<i64>,
}

/// Asks the backend; `now` is in Unix seconds.
///
/// # Errors
/// There is no token, or no answer that can be read.
pub fn ask(backend: &Backend<'_>, now: i64, talk: &mut Talk) -> Result<Usage, Failure> {
    let url = backend.address.usage();
    let unreadable = || Failure::temporary(format!("the answer of {} is not about usage", backend.address.host()));
    match backend.get(Get { url: &url, have: None, within: WITHIN }, talk)? {
        Good::New { body, .. } => Usage::parse(&body, now).ok_or_else(unreadable),
        Good::Unchanged => Err(unreadable()),
    }
}

impl Usage {
    /// Reads the backend's answer; `None` when it is no JSON object.
    pub fn parse(body: &str, now: i64) -> Option<Self> {
        let body: Value = serde_json::from_str(body).ok()?;
        body.as_object()?;
        let own = limit(PLAN_LIMIT, None, &body["rate_limit"], now);
        let others = body["additional_rate_limits"].as_array().into_iter().flatten().filter_map(|other| {
            let id = text(&other["metered_feature"]).or_else(|| text(&other["limit_name"]))?;
            Some(limit(&id, text(&other["limit_name"]), &other["rate_limit"], now))
        });
        let others = others.filter(|limit| !limit.windows.is_empty());
        Some(Self {
            schema: SCHEMA,
            plan: text(&body["plan_type"]),
            limits: std::iter::once(own).chain(others).collect(),
            reached: text(&body["rate_limit_reached_type"]["type"]).or_else(|| text(&body["rate_limit_reached_type"])),
            credits: credits(&body["credits"]),
            spend: spend(&body["spend_control"]["individual_limit"], now),
            reset_credits: body["rate_limit_reset_credits"]["available_count"].as_u64(),
        })
    }
}

fn limit(id: &str, name: Option<String>, limit: &Value, now: i64) -> Limit {
    let places = [&limit["primary_window"], &limit["secondary_window"]];
    let mut windows: Vec<Window> = places.into_iter().filter_map(|place| window(place, now)).collect();
    windows.sort_by_key(|window| window.seconds.unwrap_or(i64::MAX));
    Limit { id: id.to_owned(), name, reached: limit["limit_reached"].as_bool(), windows }
}

fn window(window: &Value, now: i64) -> Option<Window> {
    window.as_object()?;
    let seconds = window["limit_window_seconds"].as_i64().filter(|seconds| *seconds > 0);
    // An object that says nothing is no window.
    let used_percent = number(&window["used_percent"])?;
    Some(Window { seconds, used_percent, resets_at: resets_at(window, now) })
}

fn credits(credits: &Value) -> Option<Credits> {
    credits.as_object()?;
    let flag = |name: &str| credits[name].as_bool().unwrap_or_default();
    let balance = amount(&credits["balance"]);
    Some(Credits { available: flag("has_credits"), unlimited: flag("unlimited"), balance })
}

fn spend(limit: &Value, now: i64) -> Option<Spend> {
    limit.as_object()?;
    Some(Spend {
        limit: amount(&limit["limit"]),
        used: amount(&limit["used"]),
        used_percent: number(&limit["used_percent"]),
        resets_at: resets_at(limit, now),
    })
}

fn resets_at(window: &Value, now: i64) -> Option<i64> {
    let after = window["reset_after_seconds"].as_i64().map(|after| now.saturating_add(after));
    window["reset_at"].as_i64().filter(|at| *at > 0).or(after)
}

fn number(value: &Value) -> Option<f64> {
    let number = value.as_f64().or_else(|| value.as_str()?.parse().ok())?;
    (number.is_finite() && number >= 0.0).then_some(number)
}

fn text(value: &Value) -> Option<String> {
    value.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

/// Amounts come as text or as numbers.
fn amount(value: &Value) -> Option<String> {
    text(value).or_else(|| value.as_number().map(ToString::to_string))
}
