//! JSON from elsewhere, made safe for a terminal without changing what it says.

/// The same JSON with every character escaped that a terminal might obey or not show. Outside of strings JSON has none.
pub(super) fn escaped_json(json: &str) -> String {
    let plain = |c: char| c.is_ascii_graphic() || c.is_alphanumeric() || matches!(c, ' ' | '\n' | '\t' | '\r');
    let mut escaped = String::with_capacity(json.len());
    for c in json.chars() {
        if plain(c) {
            escaped.push(c);
            continue;
        }
        let mut units = [0; 2];
        escaped.extend(c.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")));
    }
    escaped
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn what_a_terminal_might_obey_is_escaped_and_means_the_same() {
        let json = "{\"a\": \"\u{9b}31m \u{202e} é 漢 \u{1f600} \\n\",\n\t\"b\":[1]}";
        let escaped = escaped_json(json);
        assert_eq!(escaped, "{\"a\": \"\\u009b31m \\u202e é 漢 \\ud83d\\ude00 \\n\",\n\t\"b\":[1]}");
        let read = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        assert_eq!(read(&escaped), read(json));
    }
}
