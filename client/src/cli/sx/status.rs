//! How a conversation stands: what the last answer cost, how full the model's window is, what is left of the plan. Pure.

use jiff::tz::TimeZone;

use crate::cli::moment::moment;
use crate::cli::usage::length;
use crate::conversation::event::{Completed, Event, Usage, Window};
use crate::failure::visible;
use crate::model::catalog::Model;

/// From here on a window is warned about.
const NEARLY_FULL_PER_MILLE: u32 = 900;

/// How a conversation stands. Lasts as long as it does.
#[derive(Debug, Default)]
pub(super) struct Standing {
    /// Of the last turn, all its answers together.
    spent: Usage,
    windows: Vec<Window>,
    /// The windows that were warned about: their lengths, and when they end.
    warned: Vec<(Option<u64>, Option<i64>)>,
}

impl Standing {
    /// Learns from what an answer brings.
    pub(super) fn saw(&mut self, event: &Event) {
        match event {
            Event::Windows(windows) => self.windows.clone_from(windows),
            // The window is as full as the last answer says, also when the turn has not come to its end.
            Event::Completed(Completed { usage: Some(usage), .. }) => self.spent.total_tokens = usage.total_tokens,
            _ => {}
        }
    }

    /// A turn has come to its end and cost this.
    pub(super) fn spent(&mut self, usage: Usage) {
        self.spent = usage;
    }

    /// The conversation was compacted to about so many tokens.
    pub(super) fn shortened(&mut self, tokens: u64) {
        self.spent.total_tokens = tokens;
    }

    /// The conversation begins anew, the plan does not.
    pub(super) fn begins_anew(&mut self) {
        self.spent = Usage::default();
    }

    /// Model and tokens on a line, the plan's windows on another when they are known; `now` in Unix seconds.
    pub(super) fn lines(&self, model: &Model, effort: Option<&str>, now: i64, zone: &TimeZone) -> Vec<String> {
        let windows = self.windows.iter().map(|window| in_words(*window, now, zone));
        let windows = windows.collect::<Vec<_>>().join("  ");
        let mut lines = vec![format!("[{}]", self.tokens(model, effort))];
        lines.extend((!windows.is_empty()).then(|| format!("[{windows}]")));
        lines
    }

    /// What is to be said about a window that is nearly full: once for each time that it fills.
    pub(super) fn warning(&mut self, now: i64, zone: &TimeZone) -> Option<String> {
        let warned = |window: &Window| self.warned.contains(&(window.minutes, window.resets_at));
        let full = self.windows.iter().filter(|window| window.used_per_mille >= NEARLY_FULL_PER_MILLE);
        let window = *full.into_iter().find(|window| !warned(window))?;
        self.warned.push((window.minutes, window.resets_at));
        Some(format!("what the plan allows is nearly used up: {}", in_words(window, now, zone)))
    }

    fn tokens(&self, model: &Model, effort: Option<&str>) -> String {
        let effort = effort.map(|effort| format!(" {effort}")).unwrap_or_default();
        let Usage { input_tokens, cached_tokens, output_tokens, reasoning_tokens, total_tokens } = self.spent;
        let left = 100 - (total_tokens.saturating_mul(100) / model.context_tokens.max(1)).min(100);
        let [read, cached, written, thought] =
            [input_tokens, cached_tokens, output_tokens, reasoning_tokens].map(short);
        let model = visible(&model.slug);
        format!("{model}{effort}  in {read}, cached {cached}  out {written}, thought {thought}  context {left} % left")
    }
}

/// `5 hours 27 %, resets 23:18`.
fn in_words(window: Window, now: i64, zone: &TimeZone) -> String {
    let seconds = window.minutes.and_then(|minutes| i64::try_from(minutes.saturating_mul(60)).ok());
    let name = seconds.map_or("limit".to_owned(), length);
    let resets = window.resets_at.map(|at| {
        let moment = moment(at, now, zone);
        format!(", resets {}", moment.split(',').next().unwrap_or_default())
    });
    // Rounded away from the limit: 99.6 % is not 100 %.
    format!("{name} {} %{}", (window.used_per_mille / 10).min(999), resets.unwrap_or_default())
}

/// Exact while it is short.
fn short(tokens: u64) -> String {
    match tokens {
        ..10_000 => tokens.to_string(),
        10_000..1_000_000 => format!("{}k", tokens / 1_000),
        _ => format!("{}.{}M", tokens / 1_000_000, tokens % 1_000_000 / 100_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-06-29 20:29:42 in Berlin.
    const NOW: i64 = 1_782_757_782;
    const FIVE_HOURS: Window = Window { minutes: Some(300), used_per_mille: 279, resets_at: Some(1_782_767_922) };
    const WEEK: Window = Window { minutes: Some(10_080), used_per_mille: 40, resets_at: Some(1_783_357_722) };

    fn berlin() -> TimeZone {
        TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap()
    }

    fn lines(standing: &Standing, effort: Option<&str>) -> Vec<String> {
        let model = Model { context_tokens: 200_000, ..Model::unknown("gpt-5.5") };
        standing.lines(&model, effort, NOW, &berlin())
    }

    #[test]
    fn the_state_of_things_fits_on_two_lines_of_eighty_columns() {
        let mut standing = Standing::default();
        let begun = "[gpt-5.5  in 0, cached 0  out 0, thought 0  context 100 % left]";
        assert_eq!(lines(&standing, None), [begun]);
        standing.saw(&Event::Windows(vec![FIVE_HOURS, WEEK]));
        let usage = Usage {
            input_tokens: 125_260,
            cached_tokens: 9_999,
            output_tokens: 12_310,
            reasoning_tokens: 1_234_567,
            total_tokens: 50_000,
        };
        standing.spent(usage);
        let expected = [
            "[gpt-5.5 medium  in 125k, cached 9999  out 12k, thought 1.2M  context 75 % left]",
            "[5 hours 27 %, resets 23:18  7 days 4 %, resets Mon 06 Jul 19:08]",
        ];
        assert_eq!(lines(&standing, Some("medium")), expected);
        assert!(expected.iter().all(|line| line.len() <= 80));
        standing.shortened(20_000);
        assert!(lines(&standing, None)[0].ends_with("context 90 % left]"), "it was compacted");
    }

    #[test]
    fn a_window_is_warned_about_once_each_time_that_it_fills() {
        let mut standing = Standing::default();
        let mut warned = |used_per_mille, resets_at| {
            let window = Window { used_per_mille, resets_at: Some(resets_at), ..FIVE_HOURS };
            standing.saw(&Event::Windows(vec![window, WEEK]));
            standing.warning(NOW, &berlin())
        };
        assert_eq!(warned(899, NOW + 3600), None);
        let warning = "what the plan allows is nearly used up: 5 hours 91 %, resets 21:29";
        assert_eq!(warned(911, NOW + 3600).as_deref(), Some(warning));
        assert_eq!(warned(950, NOW + 3600), None);
        assert!(warned(950, NOW + 7200).is_some(), "it has filled again");
    }
}
