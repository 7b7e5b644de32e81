//! `import`.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::harness::{Broker, Person, changed, main_credential};

/// `{"email":"a@example.com"}`
const ID_TOKEN: &str = "eyJhbGciOiJub25lIn0.eyJlbWFpbCI6ImFAZXhhbXBsZS5jb20ifQ.c2ln";

fn auth_json() -> Value {
    json!({
        "auth_mode": "chatgpt",
        "OPENAI_API_KEY": null,
        "tokens": {
            "id_token": ID_TOKEN, "access_token": "eyJ.access.x", "refresh_token": "rt_made_up_1",
            "account_id": "6f0c1a2b-0000-4000-8000-000000000001",
        },
        "last_refresh": "2026-09-30T08:15:30.123456Z",
    })
}

fn tokens(changes: Value) -> Value {
    let mut file = auth_json();
    file["tokens"] = changed(file["tokens"].clone(), changes);
    file
}

fn written(content: &str) -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("auth.json");
    fs::write(&file, content).unwrap();
    (directory, file)
}

fn aside(file: &Path) -> PathBuf {
    file.with_file_name("auth.json.imported-by-scorpiox")
}

#[test]
fn a_stock_file_is_sent_and_the_way_to_put_it_aside_is_said() {
    let (_directory, file) = written(&auth_json().to_string());
    let broker = Broker::scripted([(200, main_credential())]);
    let seen = broker.runs(&["import", file.to_str().unwrap()]);
    assert_eq!(seen.code, 0, "{seen:?}");
    assert_eq!(
        seen.stdout,
        "main: taken over as anna@example.com, team, generation 7; 2 clients may fetch its token\n"
    );
    assert!(seen.stderr.contains("must not be used any more"), "{}", seen.stderr);
    let shown = file.canonicalize().unwrap();
    assert!(
        seen.stderr.contains(&format!("next: mv {0} {0}.imported-by-scorpiox\n", shown.display())),
        "{}",
        seen.stderr
    );
    assert!(file.exists() && !aside(&file).exists());
    let expected = json!({
        "name": "main", "access_token": "eyJ.access.x", "refresh_token": "rt_made_up_1", "id_token": ID_TOKEN,
        "account_id": "6f0c1a2b-0000-4000-8000-000000000001", "replace_account": false,
    });
    let asked = broker.asked();
    let body = asked[0].strip_prefix("POST /admin/v1/credentials ").unwrap();
    assert_eq!(serde_json::from_str::<Value>(body).unwrap(), expected);
    for secret in ["rt_made_up_1", "eyJ.access.x", ID_TOKEN] {
        assert!(!seen.stdout.contains(secret) && !seen.stderr.contains(secret));
    }
}

#[test]
fn the_file_is_renamed_when_asked_to_and_never_over_another() {
    for (person, options, renamed) in [
        (Person::default(), &["--rename"][..], true),
        (Person::answering("y\n"), &[], true),
        (Person::answering("n\n"), &[], false),
        (Person::answering("y\n"), &["--keep"], false),
        (Person::default(), &["--rename", "--json", "--replace-account", "--name", "team"], true),
    ] {
        let (_directory, file) = written(&auth_json().to_string());
        let broker = Broker::scripted([(200, main_credential())]);
        let line: Vec<_> = ["import", file.to_str().unwrap()].into_iter().chain(options.iter().copied()).collect();
        let seen = broker.serves(&person, &line);
        assert_eq!((seen.code, file.exists(), aside(&file).exists()), (0, !renamed, renamed), "{options:?} {seen:?}");
        if options.contains(&"--json") {
            assert_eq!(seen.json(), main_credential());
            assert!(
                broker.asked()[0].contains(r#""name":"team""#)
                    && broker.asked()[0].contains(r#""replace_account":true"#)
            );
        }
    }
    let (_directory, file) = written(&auth_json().to_string());
    fs::write(aside(&file), "older").unwrap();
    let broker = Broker::scripted([(200, main_credential())]);
    let seen = broker.runs(&["import", file.to_str().unwrap(), "--rename"]);
    assert_eq!((seen.code, fs::read_to_string(aside(&file)).unwrap().as_str()), (1, "older"));
    assert!(seen.stderr.contains("was taken over, but its file was not renamed"), "{}", seen.stderr);
}

#[test]
fn through_a_link_the_file_itself_is_put_aside() {
    let (directory, file) = written(&auth_json().to_string());
    let link = directory.path().join("link.json");
    std::os::unix::fs::symlink(&file, &link).unwrap();
    let broker = Broker::scripted([(200, main_credential())]);
    assert_eq!(broker.runs(&["import", link.to_str().unwrap(), "--rename"]).code, 0);
    assert!(!file.exists() && aside(&file).exists());
}

#[test]
fn a_refused_import_leaves_the_file_alone() {
    let (_directory, file) = written(&auth_json().to_string());
    let owned = json!({ "code": "conflict", "message": "this refresh token is or was owned by 'main'" });
    let seen = Broker::scripted([(409, owned)]).runs(&["import", file.to_str().unwrap(), "--rename"]);
    assert_eq!((seen.code, seen.stdout.as_str(), file.exists()), (1, "", true));
    assert!(!seen.stderr.contains("must not be used"), "{}", seen.stderr);
}

#[test]
fn what_cannot_be_taken_over_is_refused_with_its_reason() {
    let key = json!({ "OPENAI_API_KEY": "sk-1" });
    let cases = [
        (String::new(), "not the JSON"),
        ("{".to_owned(), "not the JSON"),
        ("[]".to_owned(), "not the JSON"),
        (r#"{"tokens":"x"}"#.to_owned(), "not the JSON"),
        ("{}".to_owned(), "holds no login"),
        (key.to_string(), "holds an API key"),
        (
            changed(auth_json(), json!({ "auth_mode": "apikey", "OPENAI_API_KEY": "sk-1" })).to_string(),
            "holds an API key",
        ),
        (changed(auth_json(), json!({ "auth_mode": "chatgptAuthTokens" })).to_string(), "mode is chatgptAuthTokens"),
        (changed(auth_json(), json!({ "auth_mode": "sk-1" })).to_string(), "does not know"),
        (r#"{"personal_access_token":"at-1"}"#.to_owned(), "mode is personalAccessToken"),
        (r#"{"bedrock_api_key":{"api_key":"k","region":"r"}}"#.to_owned(), "mode is bedrockApiKey"),
        (tokens(json!({ "account_id": null })).to_string(), "has no account id"),
        (tokens(json!({ "account_id": " " })).to_string(), "has no account id"),
        (tokens(json!({ "refresh_token": "" })).to_string(), "has no refresh token"),
        (tokens(json!({ "refresh_token": null })).to_string(), "has no refresh token"),
        (tokens(json!({ "access_token": "" })).to_string(), "has no access token"),
        (tokens(json!({ "id_token": "" })).to_string(), "no JWT"),
        (tokens(json!({ "id_token": "a.b" })).to_string(), "no JWT"),
        (tokens(json!({ "id_token": "a.!.c" })).to_string(), "no JWT"),
        (tokens(json!({ "id_token": "a.W10.c" })).to_string(), "no JWT"),
        (" ".repeat(300_000), "more than"),
    ];
    let broker = Broker::scripted([]);
    for (content, reason) in cases {
        let (_directory, file) = written(&content);
        let seen = broker.runs(&["import", file.to_str().unwrap()]);
        assert_eq!((seen.code, seen.stdout.as_str()), (1, ""), "{content:.80}");
        assert!(seen.stderr.contains(reason), "{reason}: {}", seen.stderr);
        assert!(!seen.stderr.contains("sk-1") && !seen.stderr.contains("rt_made_up"), "{}", seen.stderr);
    }
    let directory = tempfile::tempdir().unwrap();
    assert!(broker.runs(&["import", directory.path().to_str().unwrap()]).stderr.contains("no regular file"));
    assert_eq!(broker.runs(&["import", "/nowhere/auth.json"]).code, 1);
    assert!(broker.asked().is_empty());
}

#[test]
fn a_login_beside_an_api_key_is_taken_over() {
    let mut file = changed(auth_json(), json!({ "OPENAI_API_KEY": "sk-1" }));
    file.as_object_mut().unwrap().remove("auth_mode");
    let (_directory, file) = written(&file.to_string());
    assert_eq!(Broker::scripted([(200, main_credential())]).runs(&["import", file.to_str().unwrap()]).code, 0);
}
