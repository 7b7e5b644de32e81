use super::super::fake_session::FakeSession;
use super::*;

const GOOD: &str = r#"{"access_token":"one","expires_at":1700000900,"account_id":null,"source":"remote"}"#;
const NEXT: &str = r#"{"access_token":"two","expires_at":1700000900,"account_id":null,"source":"remote"}"#;
const MISSING_LINE: &str = "bash: scorpiox-codex-fetchtoken: command not found";

struct Outcome {
    result: Result<String, (u8, String)>,
    commands: Vec<String>,
    warnings: Vec<String>,
}

fn ask(command: &FarCommand, ask: &Ask, answers: &[(u32, &str, &str)]) -> Outcome {
    let answers = answers.iter().map(|(exit, out, err)| (*exit, (*out).to_owned(), (*err).to_owned())).collect();
    let mut session = FakeSession { answers, ..Default::default() };
    let mut talk = Talk::default();
    let mut far = FarSide { session: &mut session, command, host: "vault", now: 1_700_000_000 };
    let result = far.fetch(ask, &mut talk).expect("the connection holds");
    let result = result.map(|fetched| fetched.token.access_token.expose().to_owned());
    let result = result.map_err(|failure| (failure.class.exit_code(), failure.to_string()));
    let warnings = talk.lines(false).map(str::to_owned).collect();
    Outcome { result, commands: session.commands, warnings }
}

fn tag_of(line: &str) -> TokenTag {
    answer::read(line.as_bytes(), "vault", 0).unwrap().tag.unwrap()
}

#[test]
fn our_command_is_run_and_its_line_is_the_token() {
    let outcome = ask(&FarCommand::Usual, &Ask::Current, &[(0, GOOD, "scorpiox-codex-fetchtoken: mind\nnoise\n")]);
    assert_eq!(outcome.result, Ok("one".into()));
    assert_eq!(outcome.commands, ["scorpiox-codex-fetchtoken"]);
    assert_eq!(outcome.warnings, ["vault: mind"]);
}

#[test]
fn where_our_command_is_missing_the_token_file_is_read() {
    let file = r#"{"tokens":{"access_token":"filed","refresh_token":"rt_1"}}"#;
    for exit in [127, 126] {
        let outcome = ask(&FarCommand::Usual, &Ask::Current, &[(exit, "", MISSING_LINE), (0, file, "")]);
        assert_eq!(outcome.result, Ok("filed".into()));
        assert_eq!(outcome.commands[1], READ_FILE);
    }
    let outcome = ask(&FarCommand::Usual, &Ask::Current, &[(127, "", MISSING_LINE), (1, "", "cat: no such file")]);
    let (code, line) = outcome.result.unwrap_err();
    assert!(code == 78 && line.contains("neither"), "{line}");
    let outcome = ask(&FarCommand::Usual, &Ask::OtherThanLast, &[(127, "", MISSING_LINE), (0, file, "")]);
    assert_eq!(outcome.result, Ok("filed".into()));
    assert!(outcome.warnings[0].contains("may be the refused token"), "nobody can say, so a person is told");
    let chosen = FarCommand::Chosen("/opt/token".into());
    let outcome = ask(&chosen, &Ask::Current, &[(127, "", "sh: /opt/token: not found")]);
    assert_eq!(
        (outcome.result.unwrap_err().0, outcome.commands.len()),
        (78, 1),
        "what the user chose has no substitute"
    );
}

#[test]
fn the_other_sides_exit_codes_keep_their_meaning() {
    for (exit, code) in [(64, 78), (69, 69), (75, 75), (77, 77), (78, 78), (1, 78), (137, 75), (255, 78)] {
        let stderr = "motd\nscorpiox-codex-fetchtoken: the key was revoked\n";
        let outcome = ask(&FarCommand::Usual, &Ask::Current, &[(exit, GOOD, stderr)]);
        let (found, line) = outcome.result.unwrap_err();
        assert_eq!(found, code, "{exit}");
        assert_eq!(line, format!("on vault (exit code {exit}): the key was revoked"));
    }
}

#[test]
fn a_secret_in_the_other_sides_talk_is_not_repeated() {
    let secret = "eyJhbGciOiJSUzI1NiJ9".repeat(5);
    let outcome = ask(&FarCommand::Usual, &Ask::Current, &[(1, "", &format!("+ curl -H {secret} \u{1b}[2J"))]);
    let (_, line) = outcome.result.unwrap_err();
    assert!(line.contains("+ curl -H ... ?[2J"), "{line}");
}

#[test]
fn a_refusal_is_passed_on_only_while_the_other_side_still_has_the_refused_token() {
    let refused = Ask::OtherThan(tag_of(GOOD));
    let renewed = ask(&FarCommand::Usual, &refused, &[(0, NEXT, "")]);
    assert_eq!((renewed.result, renewed.commands.len()), (Ok("two".into()), 1));
    let told = ask(&FarCommand::Usual, &refused, &[(0, GOOD, ""), (0, NEXT, "")]);
    assert_eq!(told.result, Ok("two".into()));
    assert_eq!(told.commands[1], "scorpiox-codex-fetchtoken --refused");
    let insists = ask(&FarCommand::Usual, &refused, &[(0, GOOD, ""), (0, GOOD, "")]);
    assert_eq!(insists.result.unwrap_err().0, 69);
    let too_soon = ask(&FarCommand::Usual, &refused, &[(0, GOOD, ""), (75, "", "too soon")]);
    assert_eq!(too_soon.result.unwrap_err().0, 75);
}

#[test]
fn only_our_own_command_is_told_of_a_refusal() {
    for (command, expected) in [
        ("scorpiox-codex-fetchtoken --verbose", "scorpiox-codex-fetchtoken --verbose --refused"),
        ("/opt/bin/scorpiox-codex-fetchtoken", "/opt/bin/scorpiox-codex-fetchtoken --refused"),
        ("cat /run/token", "cat /run/token"),
        ("scorpiox-codex-fetchtoken | tee x", "scorpiox-codex-fetchtoken | tee x"),
    ] {
        let chosen = FarCommand::Chosen(command.into());
        assert_eq!(ask(&chosen, &Ask::OtherThanLast, &[(0, GOOD, "")]).commands, [expected]);
    }
    let chosen = FarCommand::Chosen("cat /run/token".into());
    let outcome = ask(&chosen, &Ask::OtherThan(tag_of(GOOD)), &[(0, GOOD, "")]);
    assert_eq!((outcome.result.unwrap_err().0, outcome.commands.len()), (69, 1));
}
