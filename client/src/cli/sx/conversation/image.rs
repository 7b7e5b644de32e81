//! Images for the next prompt.

use super::voice::say;
use super::{After, Conversation, turn};
use crate::cli::sx::attach::pasted::{self, Around};
use crate::cli::sx::attach::picture::{self, Attached};
use crate::conversation::item::{Content, Item, Role};
use crate::drive::Ended;
use crate::failure::Class;
use crate::talk::Talk;

/// `/image FILE [PROMPT]`.
pub(super) fn image(conversation: &mut Conversation<'_>, argument: Option<&str>, talk: &mut Talk) -> After {
    let home = conversation.scene.surroundings.absolute_path("HOME");
    let around = Around { directory: &conversation.scene.surroundings.directory, home: home.as_deref() };
    let Some((path, prompt)) = argument.and_then(|argument| around.file_and_rest(argument)) else {
        talk.warn("/image takes a file, quoted if its name has spaces, and perhaps a prompt");
        return After::GoOn;
    };
    match Attached::read(&path) {
        Ok(attached) => {
            conversation.images.push(attached);
            let number = conversation.images.len();
            say(&conversation.images[number - 1].in_words(number));
        }
        Err(failure) => {
            talk.warn(failure.to_string());
            return After::GoOn;
        }
    }
    if prompt.is_empty() { After::GoOn } else { turn::answer(conversation, prompt, talk) }
}

/// What is attached from the beginning.
pub(super) fn greet(images: &[Attached]) {
    images.iter().zip(1..).for_each(|(image, number)| say(&image.in_words(number)));
}

/// The prompt with all images that belong to it; `None` when the model cannot take them, which has been said.
pub(super) fn message(conversation: &Conversation<'_>, prompt: &str, talk: &mut Talk) -> Option<Item> {
    let Conversation { scene, catalog, driver, images, .. } = conversation;
    let home = scene.surroundings.absolute_path("HOME");
    let around = Around { directory: &scene.surroundings.directory, home: home.as_deref() };
    let (text, pasted) = pasted::images(prompt, images.len(), around, talk);
    pasted.iter().zip(images.len() + 1..).for_each(|(image, number)| say(&image.in_words(number)));
    let all: Vec<Attached> = images.iter().cloned().chain(pasted).collect();
    let content = picture::parts(&all).chain([Content::InputText { text }]).collect();
    let message = Item::message(Role::User, content);
    match picture::check(&message, &driver.manner().model, catalog.as_ref()) {
        Ok(()) => Some(message),
        Err(failure) => {
            talk.warn(failure.to_string());
            None
        }
    }
}

/// What has been asked about waits no longer; it does when the same can be asked again.
pub(super) fn after<T>(images: &mut Vec<Attached>, turn: &Result<T, Ended>) {
    match turn {
        Err(Ended::Failed(failure)) if failure.class == Class::Temporary && !images.is_empty() => {
            say("the images are attached to the next prompt");
        }
        Err(Ended::NotBegun) => {}
        Ok(_) | Err(Ended::Failed(_) | Ended::Stopped) => images.clear(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_of_a_turn_that_was_not_begun_wait_for_the_next_prompt() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.png");
        std::fs::write(&path, crate::image::tests::png(8, 6)).unwrap();
        let mut images = vec![Attached::read(&path).unwrap()];
        after::<()>(&mut images, &Err(Ended::NotBegun));
        assert_eq!(images.len(), 1);
        after::<()>(&mut images, &Err(Ended::Stopped));
        assert!(images.is_empty());
    }
}
