use super::*;

fn gather(files: &[(Tier, &str)], environment: &[(&str, &str)]) -> (Result<Written, Failure>, Vec<String>) {
    let files: Vec<_> = files
        .iter()
        .map(|(tier, text)| SettingsFile::with_text(&format!("/{tier}/scorpiox-env.txt"), *tier, text))
        .collect();
    let lookup = |name: &str| environment.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value));
    let mut talk = Talk::default();
    let written = Written::put_together(&files, &lookup, &mut talk);
    (written, talk.lines(false).map(str::to_owned).collect())
}

#[test]
fn the_environment_beats_the_file_unless_it_is_empty() {
    let text = "CODEX_REMOTE_URL=https://a/codex\nCODEX_TOKEN_SOURCE=remote\n";
    let environment = [("CODEX_REMOTE_URL", "https://b/codex"), ("CODEX_TOKEN_SOURCE", "")];
    let written = gather(&[(Tier::Project, text)], &environment).0.unwrap();
    let url = written.get(Key::RemoteUrl).unwrap();
    assert_eq!((url.text.as_str(), &url.origin), ("https://b/codex", &Origin::Environment));
    assert_eq!(written.get(Key::TokenSource).unwrap().origin.to_string(), "/project/scorpiox-env.txt, line 2");
}

#[test]
fn the_highest_tier_wins_and_what_it_shadows_is_kept() {
    let files =
        [(Tier::Global, "MODEL=a\nTOOLS=1"), (Tier::User, "MODEL=b\nTOOLS="), (Tier::Project, "# nothing\nMODEL=c")];
    let written = gather(&files, &[("MODEL", "d")]).0.unwrap();
    let models: Vec<_> = written.candidates(Key::Model).map(|v| (v.text.to_string(), v.origin.tier())).collect();
    let expected = [("d", Tier::Environment), ("c", Tier::Project), ("b", Tier::User), ("a", Tier::Global)];
    assert_eq!(models, expected.map(|(text, tier)| (text.to_owned(), tier)));
    assert_eq!(written.get(Key::Tools).unwrap().origin.tier(), Tier::Global, "an empty value is no value");
}

#[test]
fn a_profile_stands_between_the_project_and_the_environment() {
    let files = [(Tier::Project, "MODEL=project\nTHINKING=0\nTOOLS=1\nACTIVE_PROFILE=p")];
    let mut written = gather(&files, &[("THINKING", "1")]).0.unwrap();
    let mut talk = Talk::default();
    let text = "MODEL=profile\nTHINKING=0\nACTIVE_PROFILE=q";
    let profile = SettingsFile::with_text("/u/scorpiox-env/p.txt", Tier::Profile, text);
    written.add_profile(&profile, &mut talk).unwrap();
    let text = |key| written.get(key).unwrap().text.as_str();
    assert_eq!((text(Key::Model), text(Key::Thinking), text(Key::Tools)), ("profile", "1", "1"));
    assert_eq!(text(Key::ActiveProfile), "p");
    assert!(talk.lines(false).next().unwrap().contains("p.txt, line 3: ACTIVE_PROFILE in a profile is ignored"));
}

#[test]
fn of_two_that_say_the_same_the_higher_wins_and_two_in_one_place_contradict() {
    let one_of = |files: &[(Tier, &str)], environment: &[(&str, &str)]| {
        let written = gather(files, environment).0.unwrap();
        let chosen = written.one_of(Key::ApiKey, Key::ApiKeyFile);
        chosen.map(|value| value.map(|value| value.key)).map_err(|failure| failure.to_string())
    };
    let (key, file) = ("TOKEN_HTTP_API_KEY=k", "TOKEN_HTTP_API_KEY_FILE=f");
    assert_eq!(one_of(&[], &[]), Ok(None));
    assert_eq!(one_of(&[(Tier::User, key)], &[]), Ok(Some(Key::ApiKey)));
    assert_eq!(one_of(&[(Tier::User, key), (Tier::Project, file)], &[]), Ok(Some(Key::ApiKeyFile)));
    assert_eq!(one_of(&[(Tier::User, file)], &[("TOKEN_HTTP_API_KEY", "k")]), Ok(Some(Key::ApiKey)));
    let both = format!("{file}\n{key}");
    let contradiction = "TOKEN_HTTP_API_KEY (/user/scorpiox-env.txt, line 2): TOKEN_HTTP_API_KEY_FILE is set too; \
                         remove one of the two";
    assert_eq!(one_of(&[(Tier::User, &both)], &[]), Err(contradiction.to_owned()));
}

#[test]
fn an_unknown_key_is_a_warning_and_a_known_one_of_another_command_is_not() {
    let (written, warnings) = gather(&[(Tier::User, "PROVIDER=codex\nCODEX_REMOTE_ULR=x\n")], &[]);
    assert!(written.is_ok());
    assert_eq!(
        warnings,
        ["/user/scorpiox-env.txt, line 2: unknown setting CODEX_REMOTE_ULR is ignored; did you mean CODEX_REMOTE_URL?"]
    );
}

#[test]
fn a_key_written_twice_is_an_error_only_when_the_values_differ() {
    let (written, warnings) = gather(&[(Tier::User, "MODEL=a\nMODEL=a\n")], &[]);
    assert!(written.is_ok());
    assert_eq!(warnings, ["/user/scorpiox-env.txt, line 2: MODEL already stands in line 1"]);
    let (written, _) = gather(&[(Tier::User, "TOKEN_HTTP_API_KEY=aaa\nTOKEN_HTTP_API_KEY=bbb\n")], &[]);
    let message = written.unwrap_err().to_string();
    assert!(message.contains("line 2: TOKEN_HTTP_API_KEY already stands in line 1"), "{message}");
    assert!(!message.contains("bbb"), "{message}");
}

#[test]
fn debug_shows_no_value() {
    let (written, _) = gather(&[(Tier::User, "TOKEN_HTTP_API_KEY=sxk_x\n")], &[]);
    assert!(!format!("{written:?}").contains("sxk_x"));
}
