//! Output without end costs bounded memory.

use std::fs;

use crate::project::{Project, exited};

fn most_memory_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[test]
fn gigabytes_of_output_cost_megabytes_of_memory() {
    let project = Project::sandboxed();
    let ended = project.run("echo first; head -c 2G /dev/zero; echo; echo last");
    assert_eq!(ended.ending, exited(0));
    assert!(ended.output.starts_with("first\n\0") && ended.output.ends_with("\0\nlast\n"));
    assert!(ended.output.contains("bytes were not kept"));
    assert!(ended.output.len() < 1_100_000);
    assert!(most_memory_kib() < 300_000, "{} KiB", most_memory_kib());
}

#[test]
fn binary_output_is_text_for_the_model() {
    let project = Project::sandboxed();
    project.run("printf 'a\\377\\000b'").printed("a\u{fffd}\0b");
}
