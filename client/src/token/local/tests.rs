use std::fs;
use std::path::PathBuf;

use super::journal::{Doubt, Fingerprint};
use super::*;
use crate::settings::local::CredentialsFile;

#[path = "tests/home.rs"]
mod home;

use self::home::{Answer, Home, NOW, auth, code, granted, jwt, jwt_of};

#[test]
fn the_stock_clients_file_gives_its_token() {
    let token = Home::new().with(&auth(&jwt(NOW + 900), r#""a1""#), 0o600).fetch().unwrap();
    assert_eq!((token.access_token.expose(), token.expires_at), (jwt(NOW + 900).as_str(), Some(NOW + 900)));
    assert_eq!((token.account_id.as_deref(), token.source), (Some("a1"), SourceName::Local));
    let token = Home::new().with(&auth(&jwt(NOW + 900), "null"), 0o600).fetch().unwrap();
    assert_eq!(token.account_id.as_deref(), Some("claimed"));
    let token = Home::new().with(&auth("opaque", "null"), 0o600).fetch().unwrap();
    assert_eq!((token.expires_at, token.account_id), (None, None));
}

#[test]
fn each_fault_has_its_exit_code_and_its_next_step() {
    let good = auth(&jwt(NOW + 900), "null");
    let cases = [
        (auth(&jwt(NOW), "null"), 0o600, 75, "log in again"),
        (auth(&jwt(NOW + 359), "null"), 0o600, 75, "ends in 359 s"),
        (String::new(), 0o600, 78, "is empty"),
        (good[..good.len() / 2].to_owned(), 0o600, 78, "is not what the Codex CLI writes"),
        (auth(r"a\nb", "null"), 0o600, 78, "characters that no token has"),
        (auth("", "null"), 0o600, 78, "no ChatGPT login"),
        (r#"{"OPENAI_API_KEY":"sk-x"}"#.to_owned(), 0o600, 78, "no ChatGPT login"),
        (good.clone(), 0o644, 78, "chmod 600"),
        (good.clone(), 0o640, 78, "chmod 600"),
        (" ".repeat(300 * 1024), 0o600, 78, "longer than"),
    ];
    for (text, mode, code, says) in cases {
        let failure = Home::new().with(&text, mode).fetch().unwrap_err();
        assert_eq!(failure.class.exit_code(), code, "{failure}");
        assert!(failure.to_string().contains(says), "{failure}");
        assert!(!failure.to_string().contains("sk-x"));
    }
    let failure = Home::new().fetch().unwrap_err();
    assert!(failure.to_string().contains("CODEX_TOKEN_SOURCE=remote"), "{failure}");
}

#[test]
fn the_stock_file_is_read_with_any_mode_and_a_warning() {
    let home = Home::new().with(&auth(&jwt(NOW + 900), "null"), 0o644);
    let (token, talk) = home.fetch_as(CredentialsFile::Stock(home.path()));
    assert!(token.is_ok());
    assert!(talk.lines(false).next().unwrap().contains("chmod 600"));
}

/// A clock whose pause lets "the stock CLI" finish its write.
struct WriterGoesOn(PathBuf, String);

impl Clock for WriterGoesOn {
    fn unix_ms(&self) -> i64 {
        NOW * 1000
    }

    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }

    fn pause(&self, _: Duration) {
        fs::write(&self.0, &self.1).unwrap();
    }
}

#[test]
fn a_file_that_is_being_rewritten_is_read_again_until_it_is_whole() {
    let good = auth(&jwt(NOW + 900), "null");
    for first in ["", &good[..40]] {
        let home = Home::new().with(first, 0o600);
        let clock = WriterGoesOn(home.path(), good.clone());
        let opened = read_until_whole(&CredentialsFile::Chosen(home.path()), &clock, &mut Talk::default());
        assert!(opened.is_ok());
    }
}

#[test]
fn what_is_not_ours_is_never_changed_and_nothing_is_put_beside_it() {
    let text = auth(&jwt(NOW + 10), "null");
    let home = Home::new().with(&text, 0o600);
    for file in [CredentialsFile::Stock(home.path()), CredentialsFile::Chosen(home.path())] {
        let settings = LocalSettings { file, renewed_by: RenewedBy::Others };
        assert_eq!(home.ask(&settings, &Ask::Current).0.unwrap_err().class.exit_code(), 75);
        assert_eq!(home.ask(&settings, &Ask::OtherThanLast).0.unwrap_err().class.exit_code(), 69);
    }
    assert_eq!(fs::read_to_string(home.path()).unwrap(), text);
    assert_eq!(home.files(), ["auth.json"]);
}

#[test]
fn a_token_of_ours_that_ends_soon_is_renewed_and_the_rest_of_the_file_is_kept() {
    let old = auth(&jwt(NOW + 300), r#""claimed""#);
    let home = Home::new().with(&old, 0o600).answering([granted(&jwt(NOW + 9000), "rt_2")]);
    assert_eq!(home.renew(&Ask::Current).unwrap(), jwt(NOW + 9000));
    assert_eq!(home.renew(&Ask::Current).unwrap(), jwt(NOW + 9000));
    assert_eq!(home.shown(), ["rt_never"]);
    let text = fs::read_to_string(home.path()).unwrap();
    assert!(text.contains("rt_2") && text.contains(r#""id_token": "x""#) && text.contains("2023-11-14T22:13:20Z"));
    assert_eq!(fs::read_to_string(home.directory.path().join("auth.json.backup")).unwrap(), old);
    assert_eq!(home.files(), ["auth.json", "auth.json.backup", "auth.json.lock"]);
}

#[test]
fn a_refused_token_is_renewed_once_and_not_again_within_a_minute() {
    let old = auth(&jwt(NOW + 9000), "null");
    let home =
        Home::new().with(&old, 0o600).answering([granted(&jwt(NOW + 9001), "rt_2"), granted(&jwt(NOW + 9002), "rt_3")]);
    let tag = home.ask(&home.ours(), &Ask::Current).0.unwrap().tag.unwrap();
    assert_eq!(home.renew(&Ask::OtherThan(tag.clone())).unwrap(), jwt(NOW + 9001));
    assert_eq!(home.renew(&Ask::OtherThanLast).unwrap(), jwt(NOW + 9001));
    home.clock.advance(Duration::from_secs(61));
    assert_eq!(home.renew(&Ask::OtherThan(tag)).unwrap(), jwt(NOW + 9001), "that one is no longer in the file");
    assert_eq!(home.renew(&Ask::OtherThanLast).unwrap(), jwt(NOW + 9002));
    assert_eq!(home.shown(), ["rt_never", "rt_2"]);
}

#[test]
fn nothing_is_presented_before_it_is_on_record() {
    let answers = [Answer::Silence, granted(&jwt(NOW + 9000), "rt_2")];
    let home = Home::new().with(&auth(&jwt(NOW + 200), "null"), 0o600).answering(answers);
    home.renew(&Ask::Current).unwrap();
    home.clock.advance(Duration::from_secs(120));
    home.renew(&Ask::Current).unwrap();
    let refresh_token = Fingerprint::of(&Secret::new("rt_never"));
    let sent = |at: i64, presented| {
        Record::Sent(Doubt { refresh_token: refresh_token.clone(), since_ms: at * 1000, presented, refused: 0 })
    };
    assert_eq!(*home.server.on_record.borrow(), [sent(NOW, 1), sent(NOW + 120, 2)]);
}

#[test]
fn a_doubt_is_served_and_rests() {
    for unknown in [Answer::Silence, Answer::Says(502, String::new()), Answer::Says(200, "{".into())] {
        let answers = [unknown, granted(&jwt(NOW + 9000), "rt_2")];
        let home = Home::new().with(&auth(&jwt(NOW + 200), "null"), 0o600).answering(answers);
        assert_eq!(home.renew(&Ask::Current).unwrap(), jwt(NOW + 200));
        assert_eq!(home.renew(&Ask::OtherThanLast).unwrap_err().class.exit_code(), 75);
        home.clock.advance(Duration::from_secs(119));
        assert_eq!(home.renew(&Ask::Current).unwrap(), jwt(NOW + 200));
        assert_eq!(home.shown().len(), 1);
        home.clock.advance(Duration::from_secs(1));
        assert_eq!(home.renew(&Ask::Current).unwrap(), jwt(NOW + 9000));
        assert_eq!(home.shown(), ["rt_never", "rt_never"]);
    }
}

#[test]
fn a_doubt_from_the_future_begins_now() {
    let answers = [Answer::Silence, granted(&jwt(NOW + 9000), "rt_2")];
    let home = Home::new().with(&auth(&jwt(NOW + 200), "null"), 0o600).answering(answers);
    home.renew(&Ask::Current).unwrap();
    home.clock.unix_ms.set((NOW - 86_400) * 1000);
    assert!(home.renew(&Ask::OtherThanLast).is_err());
    home.clock.advance(Duration::from_secs(120));
    assert_eq!(home.renew(&Ask::OtherThanLast).unwrap(), jwt(NOW + 9000));
}

#[test]
fn a_rest_that_a_wrong_clock_wrote_ends_with_the_clock() {
    let answers = [code(429, "slow_down"), granted(&jwt(NOW + 9000), "rt_2")];
    let home = Home::new().with(&auth(&jwt(NOW + 200), "null"), 0o600).answering(answers);
    home.clock.unix_ms.set((NOW + 86_400) * 1000);
    assert!(home.renew(&Ask::Current).is_err(), "it rests, a day ahead");
    home.clock.unix_ms.set(NOW * 1000);
    assert_eq!(home.renew(&Ask::Current).unwrap(), jwt(NOW + 9000));
}

#[test]
fn a_verdict_is_remembered_and_the_token_served_until_its_end() {
    let home = Home::new().with(&auth(&jwt(NOW + 60), "null"), 0o600).answering([code(401, "refresh_token_reused")]);
    for _ in 0..3 {
        assert_eq!(home.renew(&Ask::Current).unwrap(), jwt(NOW + 60));
    }
    home.clock.advance(Duration::from_secs(60));
    let failure = home.renew(&Ask::Current).unwrap_err();
    assert_eq!(failure.class.exit_code(), 69);
    assert!(
        failure.to_string().contains("refresh_token_reused") && failure.to_string().contains("scorpiox-codex-login")
    );
    assert_eq!(home.shown().len(), 1);
    let home = home.with(&auth(&jwt(NOW + 60), "null").replace("rt_never", "rt_new"), 0o600);
    home.server.answers.borrow_mut().push(granted(&jwt(NOW + 9000), "rt_2"));
    assert_eq!(home.renew(&Ask::Current).unwrap(), jwt(NOW + 9000), "after a new login");
}

#[test]
fn what_was_not_redeemed_costs_nothing_but_a_rest() {
    for (not_consumed, rest) in [(Answer::NotReached, 10), (code(429, "slow_down"), 30), (code(403, ""), 30)] {
        let answers = [not_consumed, granted(&jwt(NOW + 9000), "rt_2")];
        let home = Home::new().with(&auth(&jwt(NOW), "null"), 0o600).answering(answers);
        let failure = home.renew(&Ask::Current).unwrap_err();
        assert_eq!((failure.class.exit_code(), failure.is_absence()), (75, true), "{failure}");
        home.clock.advance(Duration::from_secs(rest - 1));
        assert!(home.renew(&Ask::Current).is_err());
        home.clock.advance(Duration::from_secs(1));
        assert_eq!(home.renew(&Ask::Current).unwrap(), jwt(NOW + 9000));
    }
}

#[test]
fn a_refusal_that_nobody_knows_is_a_verdict_the_third_time() {
    let answers = [code(400, "odd"), code(401, ""), code(400, "odd")];
    let home = Home::new().with(&auth(&jwt(NOW + 300), "null"), 0o600).answering(answers);
    for _ in 0..3 {
        let _ = home.renew(&Ask::Current);
        home.clock.advance(Duration::from_secs(3599));
        let _ = home.renew(&Ask::Current);
        home.clock.advance(Duration::from_secs(1));
    }
    assert_eq!(home.renew(&Ask::Current).unwrap_err().class.exit_code(), 69);
    assert_eq!(home.shown().len(), 3);
}

#[test]
fn another_accounts_answer_is_kept_aside_and_not_used() {
    let other = granted(&jwt_of("other", NOW + 9000), "rt_2");
    let home = Home::new().with(&auth(&jwt(NOW), r#""claimed""#), 0o600).answering([other]);
    let failure = home.renew(&Ask::Current).unwrap_err();
    assert_eq!(failure.class.exit_code(), 69, "{failure}");
    assert!(!fs::read_to_string(home.path()).unwrap().contains("rt_2"));
    assert!(home.files().contains(&"auth.json.aside".to_owned()));
    assert!(home.renew(&Ask::Current).is_err());
    assert_eq!(home.shown().len(), 1);
}

#[test]
fn without_a_place_for_the_answer_nothing_is_presented() {
    let home = Home::new().with(&auth(&jwt(NOW + 60), "null"), 0o600);
    fs::create_dir(home.directory.path().join("auth.json.rescue")).unwrap();
    let (fetched, talk) = home.ask(&home.ours(), &Ask::Current);
    assert_eq!(fetched.unwrap().token.access_token.expose(), jwt(NOW + 60));
    assert!(talk.lines(false).any(|line| line.contains("disk")), "{talk:?}");
    assert_eq!(home.renew(&Ask::OtherThanLast).unwrap_err().class.exit_code(), 78);
    assert!(home.shown().is_empty());
}

#[test]
fn a_broken_record_is_no_permission_to_present() {
    let home = Home::new().with(&auth(&jwt(NOW), "null"), 0o600);
    fs::write(home.directory.path().join("auth.json.renewal"), "{").unwrap();
    assert_eq!(home.renew(&Ask::Current).unwrap_err().class.exit_code(), 78);
    assert!(home.shown().is_empty());
}

#[test]
fn a_failed_save_keeps_the_rotated_token() {
    let home = Home::new().with(&auth(&jwt(NOW + 60), "null"), 0o600).answering([granted(&jwt(NOW + 9000), "rt_2")]);
    // The copy cannot be written where a directory stands in its place.
    let in_the_way = home.directory.path().join("auth.json.new");
    fs::create_dir(&in_the_way).unwrap();
    assert_eq!(home.renew(&Ask::Current).unwrap(), jwt(NOW + 60));
    assert_eq!(home.shown().len(), 1);
    fs::remove_dir(&in_the_way).unwrap();
    assert_eq!(home.renew(&Ask::Current).unwrap(), jwt(NOW + 9000), "nothing is presented for it");
    assert_eq!(home.shown().len(), 1);
    assert!(fs::read_to_string(home.path()).unwrap().contains("rt_2"));
}

#[test]
fn a_rescued_answer_is_adopted_although_the_old_token_lives() {
    let home = Home::new().with(&auth(&jwt(NOW + 9000), "null"), 0o600).answering([granted(&jwt(NOW + 9001), "rt_2")]);
    let in_the_way = home.directory.path().join("auth.json.new");
    fs::create_dir(&in_the_way).unwrap();
    assert_eq!(home.renew(&Ask::OtherThanLast).unwrap_err().class.exit_code(), 78);
    fs::remove_dir(&in_the_way).unwrap();
    assert_eq!(home.renew(&Ask::Current).unwrap(), jwt(NOW + 9001));
    assert_eq!(home.shown().len(), 1);
}

#[test]
fn a_rescued_answer_does_not_undo_a_later_login() {
    let home = Home::new().with(&auth(&jwt(NOW + 60), "null"), 0o600).answering([granted(&jwt(NOW + 9001), "rt_2")]);
    let in_the_way = home.directory.path().join("auth.json.new");
    fs::create_dir(&in_the_way).unwrap();
    home.renew(&Ask::Current).unwrap();
    fs::remove_dir(&in_the_way).unwrap();
    let home = home.with(&auth(&jwt(NOW + 9002), "null").replace("rt_never", "rt_later"), 0o600);
    let (fetched, talk) = home.ask(&home.ours(), &Ask::Current);
    assert_eq!(fetched.unwrap().token.access_token.expose(), jwt(NOW + 9002));
    assert!(talk.lines(false).any(|line| line.contains("another login")), "{talk:?}");
    assert!(home.files().contains(&"auth.json.aside".to_owned()));
}

#[test]
fn an_answer_without_an_access_token_still_saves_the_refresh_token() {
    let home = Home::new().with(&auth(&jwt(NOW + 60), "null"), 0o600).answering([granted("", "rt_2")]);
    assert_eq!(home.renew(&Ask::Current).unwrap(), jwt(NOW + 60));
    assert!(fs::read_to_string(home.path()).unwrap().contains("rt_2"));
    assert_eq!(home.renew(&Ask::Current).unwrap(), jwt(NOW + 60), "not at once again");
    assert_eq!(home.shown().len(), 1);
}

#[test]
fn a_token_that_arrives_expired_causes_no_storm() {
    let answers = [granted(&jwt(NOW - 60), "rt_2"), granted(&jwt(NOW + 9000), "rt_3")];
    let home = Home::new().with(&auth(&jwt(NOW), "null"), 0o600).answering(answers);
    for _ in 0..3 {
        assert_eq!(home.renew(&Ask::Current).unwrap_err().class.exit_code(), 75);
    }
    home.clock.advance(Duration::from_secs(60));
    assert_eq!(home.renew(&Ask::Current).unwrap(), jwt(NOW + 9000));
    assert_eq!(home.shown(), ["rt_never", "rt_2"]);
}
