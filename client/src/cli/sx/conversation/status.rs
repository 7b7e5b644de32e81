//! What holds in this conversation.

use super::model::model_line;
use super::voice::say;
use super::{Conversation, profile, standing};
use crate::cli::sx::context::Context;

/// `/status`.
pub(super) fn status(conversation: &mut Conversation<'_>) {
    let sandbox = conversation.tools.as_mut().map(|tools| (tools.mode().name(), tools.held()));
    for (name, value) in lines(conversation, sandbox) {
        say(&format!("{name:<12} {value}"));
    }
    standing::lines(conversation).iter().for_each(|line| say(line));
}

fn lines(conversation: &Conversation<'_>, tools: Option<(&'static str, String)>) -> Vec<(&'static str, String)> {
    let Conversation { scene, driver, context, .. } = conversation;
    let manner = driver.manner();
    let sources: Vec<&str> = scene.settings.sources().iter().map(|source| source.as_str()).collect();
    let mut lines = vec![
        ("model", model_line(manner).trim_start_matches("model ").to_owned()),
        ("window", format!("{} tokens", manner.model.context_tokens)),
        ("token from", sources.join(", then ")),
        ("profile", profile::active(conversation).unwrap_or("none").to_owned()),
        ("directory", scene.surroundings.directory.display().to_string()),
        ("session", manner.session_id.clone()),
    ];
    match tools {
        Some((approvals, scripts)) => lines.extend([("approvals", approvals.to_owned()), ("scripts", scripts)]),
        None => lines.push(("tools", "none".to_owned())),
    }
    let instructions = context.as_ref().and_then(Context::line);
    let files = instructions.as_deref().map_or("none", |line| line.trim_start_matches("instructions: "));
    lines.push(("instructions", files.to_owned()));
    lines
}
