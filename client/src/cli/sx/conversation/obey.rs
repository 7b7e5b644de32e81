//! A command of the person: one arm, one function of another file.

use super::{
    After, Conversation, anew, approvals, compact, config, help, image, model, profile, resume, status, undo, usage,
};
use crate::cli::sx::command::Command;
use crate::talk::Talk;

pub(super) fn obey(conversation: &mut Conversation<'_>, command: Command<'_>, talk: &mut Talk) -> After {
    match command {
        Command::Help => help::help(),
        Command::Model(word) => model::model(conversation, word, talk),
        Command::Effort(word) => model::effort(conversation, word, talk),
        Command::Approvals(word) => approvals::approvals(conversation, word, talk),
        Command::Status => status::status(conversation),
        Command::Profile(words) => profile::profile(conversation, words, talk),
        Command::Use(word) => profile::use_profile(conversation, word, talk),
        Command::Config => config::config(conversation, talk),
        Command::Usage => usage::usage(conversation, talk),
        Command::Resume(word) => resume::resume(conversation, word, talk),
        Command::Diff(word) => undo::diff(conversation, word, talk),
        Command::Undo(word) => undo::undo(conversation, word, talk),
        Command::Image(argument) => return image::image(conversation, argument, talk),
        Command::Compact(focus) => return compact::compact(conversation, focus, talk),
        Command::Clear => anew::clear(conversation),
        Command::Quit => return After::Leave,
    }
    After::GoOn
}
