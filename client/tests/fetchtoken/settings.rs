//! Settings from the file and the environment (matrix C2).

use crate::machine::{Machine, key};
use crate::stub_broker::{StubBroker, token};

fn block(broker: &StubBroker) -> String {
    let key = key("000000000001", 'A');
    format!("CODEX_TOKEN_SOURCE=remote\r\nCODEX_REMOTE_URL={}\r\nTOKEN_HTTP_API_KEY={key}\r\n", broker.url())
}

#[test]
fn a_block_pasted_into_the_users_file_is_enough() {
    let broker = StubBroker::start(|_, _| token(7));
    let machine = Machine::new();
    machine.settings_file(format!("\u{feff}# our broker\r\n{}", block(&broker)));
    machine.raw().gave(7);
    let authorization = broker.asked()[0].authorization.clone();
    assert_eq!(authorization, Some(format!("Bearer {}", key("000000000001", 'A'))));
}

#[test]
fn an_unknown_setting_is_a_warning_with_file_and_line_beside_the_token() {
    let broker = StubBroker::start(|_, _| token(7));
    let machine = Machine::new();
    machine.settings_file(format!("{}CODEX_REMOTE_ULR=x\r\nMODEL=gpt-5.5\r\n", block(&broker)));
    let ended = machine.raw();
    ended.gave(7);
    assert!(ended.stderr.contains("scorpiox-env.txt, line 4: unknown setting CODEX_REMOTE_ULR"), "{ended:?}");
    assert_eq!(ended.stderr.lines().count(), 1);
}

#[test]
fn an_unknown_value_of_another_command_is_a_warning_with_file_and_line_beside_the_token() {
    let broker = StubBroker::start(|_, _| token(7));
    let machine = Machine::new();
    machine.settings_file(format!("{}TOOLS=perhaps\r\n", block(&broker)));
    let ended = machine.raw();
    ended.gave(7);
    assert!(ended.stderr.contains("scorpiox-env.txt, line 4): "), "{ended:?}");
    machine.settings_file(format!("{}PROVIDER=scorpiox\r\n", block(&broker)));
    machine.raw().failed(78, "set PROVIDER=codex");
}

#[test]
fn what_cannot_be_read_is_an_error_with_file_and_line_and_nothing_is_executed() {
    let machine = Machine::new();
    machine.settings_file("CODEX_TOKEN_SOURCE=remote\nno equals sign\n");
    machine.raw().failed(78, "scorpiox-env.txt, line 2: expected KEY=VALUE");
    machine.settings_file("CODEX_TOKEN_SOURCE=local\nCODEX_TOKEN_SOURCE=remote\n");
    machine.raw().failed(78, "line 2: CODEX_TOKEN_SOURCE already stands in line 1");
    machine.settings_file(
        "CODEX_TOKEN_SOURCE=remote\nCODEX_REMOTE_URL=https://b.example/codex\nTOKEN_HTTP_API_KEY=$(touch ran)\n",
    );
    machine.raw().failed(78, "line 3): a key is one word of visible ASCII characters");
    assert!(!machine.path("project/ran").exists());
}

#[test]
fn a_key_never_goes_to_an_address_that_the_user_did_not_set() {
    let machine = Machine::new().with("CODEX_TOKEN_SOURCE", "remote");
    let machine = machine.with("TOKEN_HTTP_API_KEY", key("000000000001", 'A'));
    machine.raw().failed(78, "set CODEX_REMOTE_URL");
    let broker = StubBroker::start(|_, _| token(7));
    machine.project_file(format!("MODEL=x\nCODEX_REMOTE_URL={}\n", broker.url()));
    machine.raw().failed(78, "scorpiox-env.txt, line 2): this project's settings are not trusted");
    assert_eq!(broker.count(), 0);
    machine.settings_file(format!("CODEX_REMOTE_URL={}\n", broker.url()));
    machine.project_file("MODEL=x\n");
    machine.raw().gave(7);
}

#[test]
fn the_ssh_source_without_a_machine_says_what_to_set() {
    Machine::new().with("CODEX_TOKEN_SOURCE", "ssh").raw().failed(78, "set CODEX_SSH_HOST");
}

#[test]
fn the_key_can_stand_in_a_file_of_its_own() {
    let broker = StubBroker::start(|_, _| token(7));
    let machine = Machine::for_broker(&broker).with("TOKEN_HTTP_API_KEY", "").with("TOKEN_HTTP_API_KEY_FILE", "key");
    machine.raw().failed(78, "does not exist");
    std::fs::write(machine.path("project/key"), format!("{}\n", key("000000000001", 'A'))).unwrap();
    let ended = machine.raw();
    ended.gave(7);
    assert!(ended.stderr.contains("chmod 600"), "{ended:?}");
}
