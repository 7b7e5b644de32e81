use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use super::*;
use crate::conversation::fault::Fault;
use crate::conversation::item::{Call, Content, Message};
use crate::drive::compacting::Why;

/// Paper that can still be read after it was given away.
#[derive(Clone, Default)]
struct Paper(Rc<RefCell<Vec<u8>>>);

impl Paper {
    fn text(&self) -> String {
        String::from_utf8(self.0.borrow().clone()).unwrap()
    }
}

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn message(text: &str, phase: Option<&str>) -> Event {
    Event::Item(Item::Message(Message {
        role: Role::Assistant,
        content: vec![Content::OutputText { text: text.into() }],
        phase: phase.map(Into::into),
    }))
}

/// An attempt that breaks off, and one that does not.
fn see_two_attempts(printer: &mut dyn Printer) {
    let fault = Fault::passing("cut");
    let text = |delta: &str| Event::Text(delta.into());
    printer.see(Sight::Asking(Attempt::First));
    printer.see(Sight::Event(&text("Hel")));
    printer.see(Sight::Waiting { pause: Duration::from_millis(200), fault: &fault });
    printer.see(Sight::Asking(Attempt::Again));
    printer.see(Sight::Event(&message("Let me see.", Some("commentary"))));
    for delta in ["Hel", "lo\u{1b}[31m", "\u{202e}.\t1"] {
        printer.see(Sight::Event(&text(delta)));
    }
    printer.see(Sight::Event(&message("Hello\u{1b}[31m\u{202e}.\t1", Some("final_answer"))));
}

fn printed(make: impl FnOnce(Paper) -> Box<dyn Printer>, outcome: Result<Usage, &Failure>) -> String {
    let out = Paper::default();
    let mut printer = make(out.clone());
    see_two_attempts(&mut *printer);
    printer.end(outcome).unwrap();
    out.text()
}

#[test]
fn a_pipe_gets_the_whole_answer_or_nothing() {
    let whole = |outcome| printed(|out| Box::new(Whole::new(out)), outcome);
    assert_eq!(whole(Ok(Usage::default())), "Hello.\t1\n");
    assert_eq!(whole(Err(&Failure::temporary("away"))), "");
}

#[test]
fn an_answer_in_parts_is_printed_whole_and_what_stood_before_a_call_is_not() {
    let out = Paper::default();
    let mut printer = Box::new(Whole::new(out.clone()));
    let call = Call { call_id: "c".into(), name: "n".into(), given: Given::Arguments("{}".into()) };
    let long = "x".repeat(10_000);
    let said = ["Let me see.", "One.", "Twice.", "Two\u{200b}\u{2028}.", &long].map(|text| message(text, None));
    printer.see(Sight::Asking(Attempt::First));
    printer.see(Sight::Event(&said[0]));
    printer.see(Sight::Calling(&call));
    for (attempt, event) in [(Attempt::First, &said[1]), (Attempt::First, &said[2]), (Attempt::Again, &said[3])] {
        printer.see(Sight::Asking(attempt));
        printer.see(Sight::Event(event));
    }
    printer.see(Sight::Event(&said[4]));
    printer.end(Ok(Usage::default())).unwrap();
    assert_eq!(out.text(), format!("One.\nTwo.\n{long}\n"));
}

#[test]
fn a_program_gets_an_event_per_line() {
    let lines = |outcome| printed(|out| Box::new(Events::new(out, "gpt-5.5", "s")), outcome);
    let usage = Usage { input_tokens: 42, total_tokens: 49, ..Usage::default() };
    let expected = [
        r#"{"model":"gpt-5.5","schema":1,"session":"s","type":"begin"}"#,
        r#"{"type":"asking","again":false}"#,
        r#"{"delta":"Hel","type":"text"}"#,
        r#"{"seconds":0.2,"type":"waiting","why":"cut"}"#,
        r#"{"type":"asking","again":true}"#,
        r#"{"phase":"commentary","text":"Let me see.","type":"message"}"#,
        r#"{"delta":"Hel","type":"text"}"#,
        r#"{"delta":"lo\u001b[31m","type":"text"}"#,
        r#"{"delta":"\u202e.\t1","type":"text"}"#,
        r#"{"phase":"final_answer","text":"Hello\u001b[31m\u202e.\t1","type":"message"}"#,
        r#"{"type":"end","usage":{"input_tokens":42,"cached_tokens":0,"output_tokens":0,"reasoning_tokens":0,"total_tokens":49}}"#,
    ];
    let good = lines(Ok(usage));
    let read = |line: &str| serde_json::from_str::<Value>(line).unwrap();
    assert_eq!(good.lines().map(read).collect::<Vec<_>>(), expected.map(read));
    assert!(!good.contains('\u{1b}') && !good.contains('\u{202e}'), "{good}");
    let failed = lines(Err(&Failure::temporary("away")));
    assert_eq!(read(failed.lines().last().unwrap()), json!({"type": "failed", "message": "away", "exit_code": 75}));
}

/// Paper that is full, or whose reader has gone.
struct Refusing(io::ErrorKind);

impl Write for Refusing {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(self.0.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_reader_that_has_gone_is_no_failure_and_a_full_disk_is_one() {
    let end = |kind| {
        let mut printer: Box<dyn Printer> = Box::new(Whole::new(Refusing(kind)));
        see_two_attempts(&mut *printer);
        printer.end(Ok(Usage::default())).map_err(|failure| failure.class.exit_code())
    };
    assert_eq!(end(io::ErrorKind::BrokenPipe), Ok(()));
    assert_eq!(end(io::ErrorKind::StorageFull), Err(75));
}

/// One of each kind that is printed.
fn one_of_each() -> Vec<Value> {
    let out = Paper::default();
    let mut events = Box::new(Events::new(out.clone(), "gpt-5.5", "s"));
    see_two_attempts(&mut *events);
    let reasoning =
        serde_json::from_value(json!({"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm"}]}));
    let window = Window { minutes: Some(300), used_per_mille: 275, resets_at: None };
    let completed = Completed { usage: Some(Usage::default()), ..Completed::default() };
    let seen = [
        Event::Windows(vec![window]),
        Event::Summary("Hm".into()),
        Event::Item(reasoning.unwrap()),
        Event::Completed(completed),
    ];
    seen.iter().for_each(|event| events.see(Sight::Event(event)));
    let call = |given| Call { call_id: "c".into(), name: "n".into(), given };
    let (function, freeform) = (call(Given::Arguments("{".into())), call(Given::Freeform("*** Begin".into())));
    events.see(Sight::Calling(&function));
    events.see(Sight::Calling(&freeform));
    events.see(Sight::Called(&freeform, &Output::Text("é".repeat(LONGEST_OUTPUT))));
    let away = Failure::temporary("away");
    events.see(Sight::Compacting(Compacting::Begun { why: Why::Asked, tokens: 2 }));
    events.see(Sight::Compacting(Compacting::Done { before: 2, after: 1 }));
    events.see(Sight::Compacting(Compacting::GivenUp(&away)));
    events.see(Sight::Quiet);
    events.end(Ok(Usage::default())).unwrap();
    let mut printed = out.text();
    let failing = Paper::default();
    Box::new(Events::new(failing.clone(), "m", "s")).end(Err(&Failure::temporary("away"))).unwrap();
    printed.push_str(&failing.text());
    printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The members of each kind, as the help says them; those of `call` in both of its forms.
fn documented() -> Vec<(String, Vec<String>)> {
    let examples = EVENTS.lines().filter_map(|line| {
        let line = line.trim_start().strip_prefix("{\"type\"")?;
        let end = line.rfind('}')?;
        Some(format!("{{\"type\"{}", &line[..=end]).replace("{...}", "{}").replace("[{}]", "[]"))
    });
    let members = |text: String| {
        let example: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
        let members = example.as_object().unwrap().keys().cloned().collect();
        (example["type"].as_str().unwrap().to_owned(), members)
    };
    examples.map(members).collect()
}

#[test]
fn every_event_that_is_printed_is_documented_and_the_other_way_round() {
    let (printed, documented) = (one_of_each(), documented());
    for event in &printed {
        let kind = event["type"].as_str().unwrap();
        let mut found: Vec<String> =
            event.as_object().unwrap().keys().map(|key| key.replace("input", "arguments")).collect();
        let (_, members) = documented.iter().find(|(name, _)| name == kind).unwrap_or_else(|| panic!("{kind}"));
        let mut members = members.clone();
        members.sort();
        found.sort();
        assert_eq!(found, members, "{kind}");
    }
    for (kind, _) in &documented {
        assert!(printed.iter().any(|event| event["type"] == kind.as_str()), "{kind} is never printed");
    }
}

#[test]
fn what_a_tool_answers_is_printed_up_to_a_length() {
    let events = one_of_each();
    let output = events.iter().find(|event| event["type"] == "output").unwrap();
    assert_eq!((output["text"].as_str().unwrap().len(), &output["cut"]), (LONGEST_OUTPUT, &json!(true)));
    let windows = events.iter().find(|event| event["type"] == "windows").unwrap();
    assert_eq!(windows["windows"], json!([{"minutes": 300, "used_percent": 27.5, "resets_at": null}]));
}
