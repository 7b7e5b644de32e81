use std::fs;

use super::*;
use crate::conversation::item::Item;
use crate::drive::record::Ending;
use crate::session::entry::{Entry, SCHEMA, Session};

impl Transcript {
    /// From now on nothing can be written.
    pub(in crate::session) fn fill_the_disk(&mut self) {
        self.file = OpenOptions::new().append(true).open("/dev/full").unwrap();
    }
}

fn entries() -> Vec<Line> {
    let session = Session {
        schema: SCHEMA,
        id: "i".to_owned(),
        directory: "/p".to_owned(),
        client: "0".to_owned(),
        copy_of: None,
    };
    let turn = |text: &str| Entry::Turn { model: "m".to_owned(), effort: None, prompt: vec![Item::user(text)] };
    let end = || Entry::TurnEnd { how: Ending::Finished };
    let items = || Entry::Items { items: vec![Item::developer("as if answered, \u{1f980}")], usage: None };
    let all = [Entry::Session(session), turn("one"), items(), end(), turn("two"), items(), end()];
    all.into_iter().map(|entry| Line::new(0, entry)).collect()
}

fn written() -> (tempfile::TempDir, Vec<u8>) {
    let dir = tempfile::tempdir().unwrap();
    let mut transcript = Transcript::create(&dir.path().join("s")).unwrap();
    for line in entries() {
        transcript.append(&line, Lasting::Now).unwrap();
    }
    let bytes = fs::read(dir.path().join("s").join(FILE_NAME)).unwrap();
    (dir, bytes)
}

#[test]
fn cut_at_any_byte_what_was_complete_stays_and_goes_on() {
    let (dir, bytes) = written();
    let folder = dir.path().join("s");
    let lines = entries();
    for cut in 0..=bytes.len() {
        fs::write(folder.join(FILE_NAME), &bytes[..cut]).unwrap();
        let whole = bytes[..cut].iter().filter(|byte| **byte == b'\n').count();
        let opened = Transcript::open(&folder);
        if whole == 0 {
            assert!(matches!(opened, Err(NotOpened::Unreadable(Unreadable::NoBeginning))), "{cut}");
            continue;
        }
        let (mut transcript, replayed) = opened.unwrap();
        let mut expected = Replay::default();
        lines[..whole].iter().for_each(|line| expected.take(&line.encode()).unwrap());
        let expected = expected.finish().unwrap();
        assert_eq!((&replayed.history, &replayed.told), (&expected.history, &expected.told), "{cut}");

        // What is added now is not glued to what was torn.
        transcript.append(&lines[4], Lasting::Later).unwrap();
        let after = read(&folder).unwrap();
        assert_eq!((after.told.turns, after.told.unreadable), (expected.told.turns + 1, 0), "{cut}");
    }
}

#[test]
fn only_one_process_appends_and_all_may_read() {
    let (dir, _) = written();
    let folder = dir.path().join("s");
    let (held, _) = Transcript::open(&folder).unwrap();
    assert!(matches!(Transcript::open(&folder), Err(NotOpened::Held)));
    assert_eq!(read(&folder).unwrap().told.turns, 2);
    drop(held);
    assert!(Transcript::open(&folder).is_ok());
    assert!(Transcript::create(&folder).is_err(), "what is there is not begun again");
}

#[test]
fn a_transcript_is_a_file_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(FILE_NAME);
    assert!(rustix::fs::mkfifoat(rustix::fs::CWD, &path, rustix::fs::Mode::RWXU).is_ok());
    assert!(matches!(read(dir.path()), Err(NotOpened::Io(_))));
    fs::remove_file(&path).unwrap();
    let (elsewhere, _) = written();
    std::os::unix::fs::symlink(elsewhere.path().join("s").join(FILE_NAME), &path).unwrap();
    assert!(matches!(read(dir.path()), Err(NotOpened::Io(_))));
}
