//! One event, one line, whatever text it carries.

use std::fmt::{self, Write as _};

use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, FormattedFields};
use tracing_subscriber::registry::LookupSpan;

use crate::http::request_id;

/// How a line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Human { colour: bool },
    Json,
}

/// Writes events as lines.
pub(super) struct Line {
    style: Style,
}

impl Line {
    pub(super) fn new(style: Style) -> Self {
        Self { style }
    }
}

impl<S, N> FormatEvent<S, N> for Line
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    N: for<'writer> FormatFields<'writer> + 'static,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut out: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let mut spans = Vec::new();
        for span in context.event_scope().into_iter().flat_map(|scope| scope.from_root()) {
            if let Some(text) = span.extensions().get::<FormattedFields<N>>() {
                spans.push(text.fields.clone());
            }
        }
        match self.style {
            Style::Human { colour } => human(&mut out, event, &fields, &spans, colour),
            Style::Json => json(&mut out, event, fields, &spans),
        }
    }
}

/// The message and the other fields of an event.
#[derive(Default)]
struct Fields {
    message: String,
    others: Map<String, Value>,
}

impl Fields {
    fn put(&mut self, field: &Field, value: Value) {
        match (field.name(), value) {
            ("message", Value::String(text)) => self.message = text,
            // What the bridge from the `log` crate adds: its target is the event's own.
            (name, _) if name.starts_with("log.") => {}
            (name, value) => {
                self.others.insert(name.to_owned(), value);
            }
        }
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, format!("{value:?}").into());
    }
    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value.into());
    }
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value.into());
    }
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value.into());
    }
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value.into());
    }
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value.into());
    }
    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        self.put(field, value.to_string().into());
    }
}

fn human(out: &mut Writer<'_>, event: &Event<'_>, fields: &Fields, spans: &[String], colour: bool) -> fmt::Result {
    SystemTime.format_time(out)?;
    let level = *event.metadata().level();
    let (paint, plain) = if colour { (colour_of(level), "\x1b[0m") } else { ("", "") };
    write!(out, " {paint}{level:>5}{plain} {}: ", event.metadata().target())?;
    let mut out = OneLine(out);
    out.write_str(&fields.message)?;
    for (name, value) in &fields.others {
        match value {
            Value::String(text) => write!(out, " {name}={text}")?,
            value => write!(out, " {name}={value}")?,
        }
    }
    for span in spans.iter().filter(|span| !span.is_empty()) {
        write!(out, " {span}")?;
    }
    if let Some(id) = request_id::current() {
        write!(out, " request={id}")?;
    }
    writeln!(out.0)
}

fn colour_of(level: Level) -> &'static str {
    match level {
        Level::ERROR => "\x1b[31m",
        Level::WARN => "\x1b[33m",
        Level::INFO => "\x1b[32m",
        Level::DEBUG => "\x1b[34m",
        Level::TRACE => "\x1b[35m",
    }
}

fn json(out: &mut Writer<'_>, event: &Event<'_>, fields: Fields, spans: &[String]) -> fmt::Result {
    let mut time = String::new();
    SystemTime.format_time(&mut Writer::new(&mut time))?;
    let mut line = Map::new();
    for span in spans {
        if let Ok(Value::Object(inherited)) = serde_json::from_str(span) {
            line.extend(inherited);
        }
    }
    line.extend(fields.others);
    line.insert("timestamp".to_owned(), time.into());
    line.insert("level".to_owned(), event.metadata().level().as_str().into());
    line.insert("target".to_owned(), event.metadata().target().into());
    line.insert("message".to_owned(), fields.message.into());
    if let Some(id) = request_id::current() {
        line.insert("request".to_owned(), id.as_str().into());
    }
    writeln!(out, "{}", Value::Object(line))
}

/// Replaces control characters, so that what a client sent cannot end a line or steer a terminal.
struct OneLine<W>(W);

impl<W: fmt::Write> fmt::Write for OneLine<W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for character in text.chars() {
            // U+202A to U+202E and U+2066 to U+2069 reorder what a terminal shows.
            let steers = matches!(character, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
            if character.is_control() || steers {
                write!(self.0, "{}", character.escape_default())?;
            } else {
                self.0.write_char(character)?;
            }
        }
        Ok(())
    }
}
