//! The log: one line per event on standard error, for people on a terminal, JSON elsewhere.
//!
//! * `line`: how a line looks.
//! * [`trace`]: what a collector of traces is told.

use std::io::IsTerminal;
use std::panic::PanicHookInfo;

use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::filter::{EnvFilter, FilterExt, FilterFn, LevelFilter, ParseError};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};
use tracing_subscriber::{Layer, Registry, fmt, reload};

use crate::config::{Log, LogFormat, parse_level};

mod line;
pub mod trace;

use line::{Line, Style};

/// A running log, whose level can still be changed.
#[derive(Clone)]
pub struct Telemetry {
    level: reload::Handle<EnvFilter, Registry>,
    #[cfg(feature = "otlp")]
    traces: Option<trace::Traces>,
}

/// Why the log did not start.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The level makes no sense.
    #[error("log.level: {0}")]
    Level(#[from] ParseError),
    /// Something else in this process has set up a log.
    #[error(transparent)]
    Started(#[from] TryInitError),
}

/// Starts the process's log on standard error. `no_colour` is what `NO_COLOR` says (<https://no-color.org>).
pub fn start(log: &Log, no_colour: bool) -> Result<Telemetry, TelemetryError> {
    start_with(
        log,
        no_colour,
        #[cfg(feature = "otlp")]
        None,
    )
}

/// The same, and the process's traces where there are any.
#[cfg(feature = "otlp")]
pub fn start_traced(log: &Log, no_colour: bool, traces: Option<trace::Traces>) -> Result<Telemetry, TelemetryError> {
    start_with(log, no_colour, traces)
}

fn start_with(
    log: &Log,
    no_colour: bool,
    #[cfg(feature = "otlp")] traces: Option<trace::Traces>,
) -> Result<Telemetry, TelemetryError> {
    let terminal = std::io::stderr().is_terminal();
    let style = match log.format {
        LogFormat::Json => Style::Json,
        LogFormat::Auto if !terminal => Style::Json,
        LogFormat::Auto | LogFormat::Human => Style::Human { colour: terminal && !no_colour },
    };
    let (level, handle) = reload::Layer::new(parse_level(&log.level)?);
    let lines = lines(style, std::io::stderr).with_filter(level.and(dependencies_are_capped()));
    let subscriber = tracing_subscriber::registry().with(lines);
    #[cfg(feature = "otlp")]
    let subscriber = subscriber.with(traces.as_ref().map(trace::Traces::layer));
    subscriber.try_init()?;
    std::panic::set_hook(Box::new(log_panic));
    Ok(Telemetry {
        level: handle,
        #[cfg(feature = "otlp")]
        traces,
    })
}

/// A panic is a line like any other, so that a log that is read by a program stays readable.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    let payload = panic.payload();
    let text = payload.downcast_ref::<&str>().copied().or_else(|| payload.downcast_ref().map(String::as_str));
    let message = text.unwrap_or("without a message");
    tracing::error!(place, "panicked: {message}");
}

impl Telemetry {
    /// Sends the traces that were collected; blocks.
    pub fn finish(&self) {
        #[cfg(feature = "otlp")]
        if let Some(traces) = &self.traces {
            traces.finish();
        }
    }

    /// Changes the level of the running log.
    pub fn set_level(&self, text: &str) -> Result<(), ParseError> {
        let level = parse_level(text)?;
        // Fails only when the subscriber is gone, and with it everything that could log.
        let _ = self.level.reload(level);
        Ok(())
    }
}

fn lines<S, W>(style: Style, writer: W) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    W: for<'writer> fmt::MakeWriter<'writer> + Send + Sync + 'static,
{
    let layer = fmt::layer().log_internal_errors(false).with_ansi(false).with_writer(writer);
    match style {
        Style::Json => Box::new(layer.fmt_fields(fmt::format::JsonFields::new()).event_format(Line::new(style))),
        Style::Human { .. } => Box::new(layer.event_format(Line::new(style))),
    }
}

/// Keeps what others log at DEBUG and TRACE out, whatever the level says: hyper, rustls, actix and sqlx print there the
/// bytes that they send and receive, and those are our tokens and keys.
fn dependencies_are_capped() -> FilterFn<fn(&Metadata<'_>) -> bool> {
    // Without a hint of its own it would hide that of the level, and each `log::trace!` of rustls would be looked at.
    FilterFn::new(may_be_logged as fn(&Metadata<'_>) -> bool).with_max_level_hint(LevelFilter::TRACE)
}

fn may_be_logged(event: &Metadata<'_>) -> bool {
    let target = event.target();
    let most = if target == trace::TARGET {
        // Their fields stand in the events already.
        return false;
    } else if target.starts_with("scorpiox") {
        return true;
    } else if target.starts_with("actix_http") {
        // It reports each client that sends nonsense as an ERROR of its own.
        return false;
    } else if target.starts_with("actix") {
        // It announces each of its threads at INFO.
        Level::WARN
    } else {
        Level::INFO
    };
    *event.level() <= most
}

#[cfg(test)]
mod tests;
