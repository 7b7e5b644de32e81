//! What the README and the sample configuration promise, held against the program.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use scorpiox_broker::config::Config;

const README: &str = include_str!("../../README.md");

/// `| setting | variable | default | meaning |`
fn rows() -> Vec<Vec<&'static str>> {
    let after = README.split_once("| setting | variable | default | meaning |").expect("the README has the table").1;
    let rows = after.lines().skip(2).take_while(|line| line.starts_with('|'));
    rows.map(|line| line.trim_matches('|').split('|').map(str::trim).collect()).collect()
}

#[test]
fn the_readme_lists_every_setting_with_its_variable_and_default() {
    let rows = rows();
    let listed: Vec<[String; 3]> = rows.iter().map(|row| [0, 1, 2].map(|cell| row[cell].to_owned())).collect();
    let there_are: Vec<[String; 3]> = Config::fields()
        .iter()
        .map(|field| {
            let section = if field.section.is_empty() { String::new() } else { format!("{}.", field.section) };
            let default = if field.default.is_empty() { "none".to_owned() } else { format!("`{}`", field.default) };
            [format!("`{section}{}`", field.key), format!("`{}`", field.variable), default]
        })
        .collect();
    for (listed, there_is) in listed.iter().zip(&there_are) {
        assert_eq!(listed, there_is);
    }
    assert_eq!(listed.len(), there_are.len());
    assert!(rows.iter().all(|row| row.len() == 4 && !row[3].is_empty()), "each setting is explained");
}

#[test]
fn every_file_that_the_readme_links_to_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let links = README.split("](").skip(1).map(|rest| rest.split_once(')').expect("a link ends").0);
    for link in links.filter(|link| !link.contains("://")) {
        assert!(root.join(link).exists(), "{link}");
    }
}

/// The program with the sample configuration, its data and its port moved to where a test may have them.
fn with_sample(data: &Path, verb: &str) -> Command {
    let sample: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/scorpiox-broker.toml");
    let mut command = Command::new(env!("CARGO_BIN_EXE_scorpiox-broker"));
    command.arg(verb).arg("--config").arg(sample);
    command.env_clear().env("SCORPIOX_BROKER_DATA", data).env("SCORPIOX_BROKER_LISTEN", "127.0.0.1:0");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn serves(data: &Path) -> bool {
    let mut status = Command::new(env!("CARGO_BIN_EXE_scorpiox-broker"));
    let status = status.args(["status", "--json"]).env_clear().env("SCORPIOX_BROKER_DATA", data).output().unwrap();
    status.status.success() && said(&status).contains("\"serving\":true")
}

/// Ends with the test, however that ends.
struct Started(Option<Child>);

impl Started {
    fn terminate(mut self) -> Output {
        let child = self.0.take().expect("it is ended once");
        let pid = Pid::from_child(&child);
        kill_process(pid, Signal::TERM).unwrap();
        child.wait_with_output().unwrap()
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

#[test]
fn the_sample_configuration_is_good_and_starts() {
    let place = tempfile::tempdir().unwrap();
    let data = place.path().join("data");
    let checked = with_sample(&data, "check-config").output().unwrap();
    assert!(checked.status.success(), "{}", said(&checked));
    assert!(!data.exists(), "checking makes nothing");

    let mut broker = Started(Some(with_sample(&data, "serve").spawn().unwrap()));
    for _ in 0..300 {
        let ended = broker.0.as_mut().and_then(|child| child.try_wait().unwrap());
        assert_eq!(ended, None, "it ended by itself");
        if serves(&data) {
            let output = broker.terminate();
            assert!(output.status.success(), "{}", said(&output));
            return;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("it did not serve within half a minute");
}
