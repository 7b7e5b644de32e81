//! One value: how it was written, and what it means as each type.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use scorpiox_wire::Secret;

use super::network::Network;

/// A value as somebody wrote it, before it has a type.
///
/// It has no `Debug` and no message repeats it: a person may have put a secret where it does not belong.
#[derive(Clone, PartialEq)]
pub(super) enum Raw {
    /// From the environment or the command line, where everything is text.
    Untyped(String),
    Text(String),
    Integer(i64),
    Float(f64),
    Boolean(bool),
    List(Vec<Self>),
    /// Something that no setting takes: a date, a table.
    Other(&'static str),
}

impl Raw {
    fn kind(&self) -> &'static str {
        match self {
            Self::Untyped(_) => "this text",
            Self::Text(_) => "a string",
            Self::Integer(_) => "a whole number",
            Self::Float(_) => "a decimal number",
            Self::Boolean(_) => "true or false",
            Self::List(_) => "a list",
            Self::Other(kind) => kind,
        }
    }
}

/// A type that a setting can have.
pub(super) trait Value: Sized {
    /// What a person should write, with an example.
    const EXPECTED: &'static str;

    /// The value, if this is one.
    fn read(raw: &Raw) -> Option<Self>;

    /// The same, or a sentence that says what was expected.
    fn explain(raw: &Raw) -> Result<Self, String> {
        Self::read(raw).ok_or_else(|| format!("{} is not accepted here; write {}", raw.kind(), Self::EXPECTED))
    }
}

impl<T: Value> Value for Option<T> {
    const EXPECTED: &'static str = T::EXPECTED;

    fn read(raw: &Raw) -> Option<Self> {
        match raw {
            Raw::Untyped(text) if text.is_empty() => Some(None),
            _ => T::read(raw).map(Some),
        }
    }
}

impl<T: Value> Value for Vec<T> {
    const EXPECTED: &'static str = T::EXPECTED;

    fn read(raw: &Raw) -> Option<Self> {
        match raw {
            Raw::Untyped(text) => {
                let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
                parts.map(|part| T::read(&Raw::Untyped(part.to_owned()))).collect()
            }
            Raw::List(items) => items.iter().map(T::read).collect(),
            _ => None,
        }
    }
}

impl Value for bool {
    const EXPECTED: &'static str = "true or false";

    fn read(raw: &Raw) -> Option<Self> {
        match raw {
            Raw::Boolean(value) => Some(*value),
            Raw::Untyped(text) => text.parse().ok(),
            _ => None,
        }
    }
}

macro_rules! whole_numbers {
    ($($number:ty),*) => {$(
        impl Value for $number {
            const EXPECTED: &'static str = "a whole number such as 64";

            fn read(raw: &Raw) -> Option<Self> {
                match raw {
                    Raw::Integer(value) => Self::try_from(*value).ok(),
                    Raw::Untyped(text) => text.parse().ok(),
                    _ => None,
                }
            }
        }
    )*};
}
whole_numbers!(u32, u64, usize);

impl Value for f64 {
    const EXPECTED: &'static str = "a decimal number such as 0.5";

    fn read(raw: &Raw) -> Option<Self> {
        match raw {
            Raw::Float(value) => Some(*value),
            Raw::Untyped(text) => text.parse().ok(),
            _ => None,
        }
    }
}

/// Types that are written as a string, in the file and elsewhere.
macro_rules! texts {
    ($($kind:ty, $expected:literal, $parse:expr;)*) => {$(
        impl Value for $kind {
            const EXPECTED: &'static str = $expected;

            fn read(raw: &Raw) -> Option<Self> {
                let parse: fn(&str) -> Option<Self> = $parse;
                match raw {
                    Raw::Text(text) | Raw::Untyped(text) => parse(text),
                    _ => None,
                }
            }
        }
    )*};
}
texts! {
    String, "a text in quotes", |text| (!text.is_empty()).then(|| text.to_owned());
    Secret, "a text in quotes", |text| (!text.is_empty()).then(|| Self::new(text));
    PathBuf, "a path in quotes such as \"/var/lib/scorpiox-broker\"", |text| (!text.is_empty()).then(|| text.into());
    SocketAddr, "an address with a port such as \"127.0.0.1:8443\" or \"[::]:8443\"", |text| text.parse().ok();
    Network, "an address or a network such as \"10.0.0.7\" or \"10.0.0.0/8\"", |text| text.parse().ok();
    Duration, "a number and its unit such as \"500ms\", \"30s\", \"5m\" or \"2h\"", span;
    super::LogFormat, "\"auto\", \"human\" or \"json\"", super::LogFormat::named;
}

/// `500ms`, `30s`, `5m`, `2h`, `7d`: one whole number and one unit.
pub fn span(text: &str) -> Option<Duration> {
    let digits = text.find(|character: char| !character.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().ok()?;
    let seconds = match unit.trim_start() {
        "ms" => return Some(Duration::from_millis(number)),
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86400,
        _ => return None,
    };
    number.checked_mul(seconds).map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_one_number_and_one_unit() {
        for (text, milliseconds) in
            [("500ms", 500), ("30s", 30_000), ("5m", 300_000), ("2h", 7_200_000), ("1d", 86_400_000), ("5 m", 300_000)]
        {
            assert_eq!(span(text), Some(Duration::from_millis(milliseconds)), "{text}");
        }
        for text in ["", "5", "s", "5x", "-5s", "1.5s", "1h30m", "99999999999999999999s", "18446744073709551615d"] {
            assert_eq!(span(text), None, "{text}");
        }
    }

    #[test]
    fn a_number_in_quotes_is_no_number_in_the_file_but_is_one_in_the_environment() {
        assert_eq!(u32::read(&Raw::Text("64".into())), None);
        assert_eq!(u32::read(&Raw::Untyped("64".into())), Some(64));
        assert_eq!(u32::read(&Raw::Integer(-1)), None);
    }

    #[test]
    fn a_list_in_the_environment_is_separated_by_commas() {
        let raw = Raw::Untyped("10.0.0.0/8, ::1".into());
        assert_eq!(Vec::<Network>::read(&raw).unwrap().len(), 2);
        assert_eq!(Vec::<Network>::read(&Raw::Untyped(String::new())), Some(Vec::new()));
        assert_eq!(Vec::<Network>::read(&Raw::Untyped("10.0.0.0/8,x".into())), None);
    }
}
