use serde_json::json;

use super::*;
use crate::session::entry::SCHEMA;

fn item(item: Value) -> Item {
    serde_json::from_value(item).unwrap()
}

fn said(text: &str) -> Item {
    item(json!({"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": text}]}))
}

#[test]
fn a_conversation_reads_as_a_document() {
    let session = Session {
        schema: SCHEMA,
        id: "i".to_owned(),
        directory: "/p".to_owned(),
        client: "0.1.0".to_owned(),
        copy_of: None,
    };
    let thought = json!({"type": "reasoning", "summary": [{"type": "summary_text", "text": "Looking"}],
        "encrypted_content": "gAAAA"});
    let call = json!({"type": "function_call", "call_id": "a", "name": "shell_command", "arguments": "{\"command\":\"make\"}"});
    let output = json!({"type": "function_call_output", "call_id": "a", "output": "```\nmade\n"});
    let prompt = vec![Item::user("Make it.\n```\nopen")];
    let entries = [
        Entry::Session(session),
        Entry::Turn { model: "gpt-5.5".to_owned(), effort: Some("high".to_owned()), prompt },
        Entry::Items { items: vec![item(thought), item(call)], usage: None },
        Entry::Output { item: item(output) },
        Entry::Items { items: vec![said("Made.\n")], usage: None },
        Entry::TurnEnd { how: Ending::Stopped },
        Entry::Turn { model: "gpt-5.5".to_owned(), effort: None, prompt: vec![] },
    ];
    let mut document = Document::default();
    entries.into_iter().for_each(|entry| document.take(&Line::new(0, entry)));
    let expected = "\
# Conversation i

Begun 1970-01-01T00:00:00Z in `/p`, sx 0.1.0.

## 1970-01-01T00:00:00Z, gpt-5.5, effort high

**Person:**

> Make it.
> ```
> open

*Thought:*

> Looking

Tool `shell_command`:

```sh
make
```

Output:

````
```
made
````

Made.

*Stopped by the person.*

## 1970-01-01T00:00:00Z, gpt-5.5

*Cut off by the end of the program.*
";
    assert_eq!(document.finish(), expected);
}

#[test]
fn no_fence_within_ends_the_block() {
    for text in ["", "a", "```", "````\n", "a ``` b ````` c", "~~~"] {
        let block = fenced("", text);
        let fence: String = block.chars().take_while(|c| *c == '`').collect();
        let inner: Vec<&str> = block.lines().collect();
        assert!(inner[1..inner.len() - 1].iter().all(|line| !line.contains(&fence)), "{block}");
        assert_eq!(*inner.last().unwrap(), fence);
    }
}

#[test]
fn what_the_model_leaves_open_is_closed() {
    let cases = [
        ("plain", "plain"),
        ("```rust\nfn", "```rust\nfn\n```"),
        ("```\na\n```", "```\na\n```"),
        ("````\n```\n", "````\n```\n````"),
        ("~~~\n```\n~~~\n", "~~~\n```\n~~~\n"),
        ("  ~~~~ x\n", "  ~~~~ x\n~~~~"),
        ("    ```\nindented code", "    ```\nindented code"),
        ("``` a ` b\ninline", "``` a ` b\ninline"),
        ("```\n``` x\n", "```\n``` x\n```"),
    ];
    for (text, expected) in cases {
        assert_eq!(closed(text), expected, "{text:?}");
    }
}

#[test]
fn names_stay_within_their_line() {
    assert_eq!(code("/p"), "`/p`");
    assert_eq!(code("`a``b"), "``` `a``b ```");
    assert_eq!(code("a\nb"), "`a b`");
}

#[test]
fn an_image_is_not_spelled_out() {
    let output = item(json!({"type": "function_call_output", "call_id": "a", "output": [
        {"type": "input_image", "image_url": "data:image/png;base64,AAAA"}]}));
    assert_eq!(of(&[output]), "Output:\n\n```\n(an image, 26 bytes as text)\n```\n");
}
