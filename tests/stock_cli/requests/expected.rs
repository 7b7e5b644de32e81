//! The table of differences, each with its reason.

use std::collections::BTreeSet;

use super::difference::{Difference, Sides};
use Sides::{Differ, OnlyOurs, OnlyStock};

const EXPECTED: &[(&str, Sides, &str)] = &[
    // Headers.
    ("headers.originator", Differ, "who we are"),
    ("headers.user-agent", Differ, "who we are, in the stock client's form"),
    ("headers.version", OnlyOurs, "the stock CLI says it to its built-in provider only"),
    ("headers.x-codex-beta-features", OnlyStock, "names a feature that sx does not have"),
    ("headers.x-codex-turn-metadata", OnlyStock, "says about the person's machine and project what nobody needs"),
    ("headers.x-codex-window-id", OnlyStock, "the same conversation has the same session-id"),
    // What stands around the conversation.
    ("body.instructions", OnlyOurs, "the documented place; the stock CLI says it in a developer message"),
    (
        "body.preface",
        Differ,
        "rules stand in the instructions; AGENTS.md and environment in one message of other words",
    ),
    ("body.reasoning.summary", OnlyOurs, "a person sees what the model thinks"),
    ("body.client_metadata.root_turn_id", OnlyStock, "ids that serve the stock CLI's own statistics"),
    ("body.client_metadata.turn_id", OnlyStock, "the same"),
    ("body.client_metadata.x-codex-installation-id", OnlyStock, "the same; it would follow a person for ever"),
    ("body.client_metadata.x-codex-turn-metadata", OnlyStock, "as in the headers"),
    ("body.client_metadata.x-codex-window-id", OnlyStock, "as in the headers"),
    // Items. Their ids bind them to each other on the server, which is told to store nothing.
    ("body.input.custom_tool_call.id", OnlyStock, "nothing is stored, so nothing needs an id"),
    ("body.input.custom_tool_call_output.id", OnlyStock, "the same"),
    ("body.input.function_call.id", OnlyStock, "the same"),
    ("body.input.function_call_output.id", OnlyStock, "the same"),
    ("body.input.message assistant.id", OnlyStock, "the same"),
    ("body.input.message user.id", OnlyStock, "the same"),
    ("body.input.reasoning.id", OnlyStock, "the same"),
    (
        "body.input.custom_tool_call_output.output",
        Differ,
        "sx names files by the paths of the patch and in their order, and says no exit code and time of a patch",
    ),
    // Tools: names, kinds and parameters are compared, their descriptions are not.
    ("body.tools.apply_patch.format.definition", Differ, "the same language, written anew"),
    (
        "body.tools.exec_command.parameters.properties.login",
        OnlyStock,
        "a script's shell reads no profile: that may hold secrets",
    ),
    ("body.tools.exec_command.parameters.properties.prefix_rule", OnlyStock, "what is remembered is the very script"),
    ("body.tools.exec_command.parameters.properties.shell", OnlyStock, "there is one shell"),
    ("body.tools.exec_command.parameters.properties.timeout_ms", OnlyOurs, "a command may be given an end"),
    ("body.tools.update_plan", OnlyOurs, "the stock CLI offers it at the terminal, not to exec"),
    ("body.tools.create_goal", OnlyStock, "sx does not have it"),
    ("body.tools.get_goal", OnlyStock, "sx does not have it"),
    ("body.tools.update_goal", OnlyStock, "sx does not have it"),
    ("body.tools.multi_agent_v1", OnlyStock, "sx does not have it"),
    ("body.tools.request_user_input", OnlyStock, "sx does not have it"),
    ("body.tools.web_search", OnlyStock, "runs on the server and reaches the network, which sx has to be asked for"),
];

/// What was found and is not listed, and what is listed and was not found.
pub(super) fn surprises(found: BTreeSet<Difference>) -> Vec<String> {
    let is_listed = |difference: &Difference| {
        EXPECTED.iter().any(|(place, sides, _)| *place == difference.place && *sides == difference.sides)
    };
    let unlisted = found.iter().filter(|difference| !is_listed(difference));
    let unlisted = unlisted.map(|Difference { place, sides, values }| format!("{place} ({sides:?}): {values}"));
    let is_found = |place: &str, sides: Sides| {
        found.iter().any(|difference| difference.place == place && difference.sides == sides)
    };
    let stale = EXPECTED.iter().filter(|(place, sides, _)| !is_found(place, *sides));
    let stale = stale.map(|(place, sides, _)| format!("{place} ({sides:?}) is listed and does not differ that way"));
    unlisted.chain(stale).collect()
}
