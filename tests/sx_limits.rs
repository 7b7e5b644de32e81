//! `sx -p` and answers that are much too long: what it has in memory stays bounded.

use fake_provider::{Script, Step};
use scorpiox_tests::process::peak::{self, Peaked};
use scorpiox_tests::process::{FetchToken, Team};

const MIB: u64 = 1024 * 1024;
/// What a few connections, buffers and a cache may differ by.
const LITTLE: u64 = 16 * MIB;

fn a_team() -> (Team, FetchToken) {
    Team::with_a_developer(|plan| plan)
}

/// Asks for an answer in whose middle stands all this.
fn ask(team: &Team, machine: &FetchToken, middle: String) -> Peaked {
    let mut script = Script::message("Forty-two.");
    script.steps.insert(1, Step::Raw(middle));
    team.provider.script(script);
    let peaked = peak::run(machine.command_of("sx", &["-p", "How many?"]));
    assert_eq!((peaked.code, peaked.stdout.as_str()), (Some(0), "Forty-two.\n"), "{}", peaked.stderr);
    peaked
}

#[test]
fn a_million_small_events_cost_no_memory() {
    let (team, machine) = a_team();
    let usual = ask(&team, &machine, String::new()).most_bytes;
    let small = "data: {\"type\":\"response.output_text.delta\",\"delta\":\"x\"}\n\n".repeat(1_000_000);
    let many = ask(&team, &machine, small).most_bytes;
    assert!(many < usual + LITTLE, "{} MiB, usually {}", many / MIB, usual / MIB);
}

#[test]
fn an_event_of_twenty_megabytes_costs_a_few_times_its_length() {
    let (team, machine) = a_team();
    let usual = ask(&team, &machine, String::new()).most_bytes;
    let length = 20 * MIB;
    let pad = "x".repeat(usize::try_from(length).unwrap());
    let large = ask(&team, &machine, format!("data: {{\"type\":\"unknown\",\"pad\":\"{pad}\"}}\n\n")).most_bytes;
    // The event in a buffer that may be twice as long, as text, and read.
    assert!(large < usual + 5 * length + LITTLE, "{} MiB, usually {}", large / MIB, usual / MIB);
}
