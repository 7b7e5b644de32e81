use super::*;
use crate::conversation::event::Usage;
use crate::drive::record::Ending;
use crate::session::transcript::Lasting;

const ONE: &str = "aaaaaaaa-0000-4000-8000-000000000001";
const OTHER: &str = "aabbbbbb-0000-4000-8000-000000000002";

struct Kept {
    _dir: tempfile::TempDir,
    store: Store,
}

/// Two conversations; the second one was used last.
fn kept() -> Kept {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::at(dir.path().join("sessions"));
    for (id, directory, prompt, used) in [(ONE, "/p", "one", 1000), (OTHER, "/q", "other", 2000)] {
        let mut transcript = Transcript::create(&store.folder(id)).unwrap();
        let (id, directory, client) = (id.to_owned(), directory.to_owned(), "0".to_owned());
        let session = Session { schema: SCHEMA, id: id.clone(), directory, client, copy_of: None };
        let prompt = vec![Item::developer("context"), Item::user("material"), Item::user(prompt)];
        let entries = [
            Entry::Session(session),
            Entry::Turn { model: "m".to_owned(), effort: None, prompt },
            Entry::TurnEnd { how: Ending::Finished },
        ];
        for entry in entries {
            transcript.append(&Line::new(0, entry), Lasting::Now).unwrap();
        }
        touch(&store, &id, used);
    }
    Kept { _dir: dir, store }
}

fn touch(store: &Store, id: &str, seconds: u64) {
    let file = fs::File::options().append(true).open(store.folder(id).join(transcript::FILE_NAME)).unwrap();
    file.set_modified(std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(seconds)).unwrap();
}

#[test]
fn what_was_used_last_comes_first() {
    let Kept { store, .. } = &kept();
    let ids = || store.all().into_iter().map(|glance| glance.session.id).collect::<Vec<_>>();
    assert_eq!(ids(), [OTHER, ONE]);
    touch(store, ONE, 3000);
    assert_eq!(ids(), [ONE, OTHER]);
    let glance = store.all().remove(0);
    assert_eq!((glance.prompt.as_str(), glance.used_unix_ms, glance.began_unix_ms), ("one", 3_000_000, Some(0)));
    assert_eq!(store.latest_of(Path::new("/q")).unwrap().session.id, OTHER);
    assert!(store.latest_of(Path::new("/")).is_none());
}

#[test]
fn a_conversation_is_meant_by_as_much_of_its_id_as_no_other_has() {
    let Kept { store, .. } = &kept();
    assert_eq!(store.named("aaa").unwrap(), ONE);
    assert_eq!(store.named("AAB").unwrap(), OTHER);
    assert_eq!(store.named(ONE).unwrap(), ONE);
    assert_eq!(store.named("aa"), Err(NotFound::Several("aa".to_owned())));
    for word in ["", "b", "../aaaaaaaa", "."] {
        assert_eq!(store.named(word), Err(NotFound::Unknown(word.to_owned())));
    }
}

#[test]
fn what_is_no_conversation_is_passed_over() {
    let Kept { store, .. } = &kept();
    fs::create_dir(store.folder("notes")).unwrap();
    fs::create_dir(store.folder("cccccccc-0000-4000-8000-000000000003")).unwrap();
    let rubbish = store.folder("dddddddd-0000-4000-8000-000000000004");
    fs::create_dir(&rubbish).unwrap();
    fs::write(rubbish.join(transcript::FILE_NAME), "rubbish\n").unwrap();
    assert_eq!(store.all().len(), 2);
    assert!(Store::at("/does/not/exist".into()).all().is_empty());
}

#[test]
fn a_copy_is_another_conversation_with_the_same_words() {
    let Kept { store, .. } = &kept();
    const COPY: &str = "cccccccc-0000-4000-8000-000000000003";
    let (_held, original) = store.resume(ONE).unwrap();
    store.copy(ONE, COPY, 5).unwrap();
    let (_copy, copied) = store.resume(COPY).unwrap();
    assert_eq!(copied.history, original.history);
    assert_eq!((copied.session.id.as_str(), copied.session.copy_of.as_deref()), (COPY, Some(ONE)));
}

#[test]
fn what_is_held_is_not_removed_and_what_is_removed_is_gone() {
    let Kept { store, .. } = &kept();
    let held = store.resume(ONE).unwrap();
    assert!(matches!(store.remove(ONE), Err(NotOpened::Held)));
    drop(held);
    let tally = Tally::new(String::new(), String::new(), 1, Usage::default());
    tally.write(&store.folder(ONE)).unwrap();
    store.remove(ONE).unwrap();
    assert!(!store.folder(ONE).exists() && store.folder(OTHER).exists());
    assert!(matches!(store.remove(ONE), Err(NotOpened::Io(_))));
}
