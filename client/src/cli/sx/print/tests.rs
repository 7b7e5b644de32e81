use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use super::super::screen::Screen;
use super::*;
use crate::conversation::fault::Fault;
use crate::conversation::item::{Content, Message};
use crate::terminal::capability::Colour;

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
    printer.see(Sight::Asking);
    printer.see(Sight::Event(&text("Hel")));
    printer.see(Sight::Waiting { pause: Duration::from_millis(200), fault: &fault });
    printer.see(Sight::Asking);
    printer.see(Sight::Event(&message("Let me see.", Some("commentary"))));
    for delta in ["Hel", "lo\u{1b}[31m", "\u{202e}.\t1"] {
        printer.see(Sight::Event(&text(delta)));
    }
    printer.see(Sight::Event(&message("Hello\u{1b}[31m\u{202e}.\t1", Some("final_answer"))));
}

fn printed(make: impl FnOnce(Paper, Paper) -> Box<dyn Printer>, outcome: Result<Usage, &Failure>) -> (String, String) {
    let (out, talk) = (Paper::default(), Paper::default());
    let mut printer = make(out.clone(), talk.clone());
    see_two_attempts(&mut *printer);
    printer.end(outcome).unwrap();
    (out.text(), talk.text())
}

#[test]
fn a_person_sees_the_answer_arrive_and_what_is_waited_for() {
    let screen = |out, talk| Box::new(Screen::new(out, talk, Colour::None)) as Box<dyn Printer>;
    let (out, talk) = printed(screen, Ok(Usage::default()));
    assert_eq!(out, "Hel\nHello.\t1\n");
    assert_eq!(talk, "sx: cut; asking again in 0.2 s, from the beginning\n");
}

#[test]
fn what_the_model_thinks_is_dimmed_and_stands_apart() {
    let seen = |colour| {
        let out = Paper::default();
        let mut screen = Screen::new(out.clone(), Paper::default(), colour);
        let events = [
            Event::Summary("**Looking".into()),
            Event::Summary(" at it**\u{1b}]0;".into()),
            Event::SummarySection,
            Event::Summary("Now".into()),
            Event::Text("So: 4".into()),
            Event::Text("2.\n".into()),
            message("So: 42.\n", None),
        ];
        events.iter().for_each(|event| screen.see(Sight::Event(event)));
        Box::new(screen).end(Ok(Usage::default())).unwrap();
        out.text()
    };
    assert_eq!(seen(Colour::None), "**Looking at it**\nNow\nSo: 42.\n");
    let dimmed = "\u{1b}[2m**Looking at it**\n\u{1b}[0m\u{1b}[2mNow\n\u{1b}[0mSo: 42.\n";
    assert_eq!(seen(Colour::Sixteen), dimmed);
}

#[test]
fn a_pipe_gets_the_whole_answer_or_nothing() {
    let whole = |outcome| printed(|out, _| Box::new(Whole::new(out)), outcome).0;
    assert_eq!(whole(Ok(Usage::default())), "Hello[31m.\t1\n");
    assert_eq!(whole(Err(&Failure::temporary("away"))), "");
}

#[test]
fn a_program_gets_an_event_per_line() {
    let lines = |outcome| printed(|out, _| Box::new(Events::new(out, "gpt-5.5", "s")), outcome).0;
    let usage = Usage { input_tokens: 42, total_tokens: 49, ..Usage::default() };
    let expected = [
        r#"{"model":"gpt-5.5","schema":1,"session":"s","type":"begin"}"#,
        r#"{"type":"asking"}"#,
        r#"{"delta":"Hel","type":"text"}"#,
        r#"{"seconds":0.2,"type":"waiting","why":"cut"}"#,
        r#"{"type":"asking"}"#,
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
