//! An image that is attached to a prompt: what the person is told of it, and how the model gets it.

use std::path::Path;

use super::attribute;
use crate::conversation::images;
use crate::conversation::item::{Content, Item};
use crate::failure::{Class, Failure, visible};
use crate::image::decode::Frame;
use crate::image::room::Detail;
use crate::image::{Picture, Unusable};
use crate::model::catalog::{Catalog, Model};
use crate::model::responses::Images;
use crate::talk::Talk;

/// An image with its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli::sx) struct Attached {
    /// As the person wrote it: a path, or what else it came from.
    name: String,
    picture: Picture,
}

impl Attached {
    /// The image in a file.
    pub(in crate::cli::sx) fn read(path: &Path) -> Result<Self, Failure> {
        let name = path.display().to_string();
        let picture = Picture::read(path, Detail::High).map_err(|unusable| unfit(&name, &unusable))?;
        Ok(Self { name, picture })
    }

    /// The image in these bytes.
    pub(in crate::cli::sx) fn of(name: &str, bytes: &[u8]) -> Result<Self, Failure> {
        let picture = Picture::of(bytes, Detail::High).map_err(|no_image| unfit(name, &no_image.into()))?;
        Ok(Self { name: name.to_owned(), picture })
    }

    /// A line for the person: `[image #1: shot.png 800x600]`.
    pub(in crate::cli::sx) fn in_words(&self, number: usize) -> String {
        let name = Path::new(&self.name).file_name().unwrap_or(self.name.as_ref()).to_string_lossy();
        format!("[image #{number}: {} {}]", visible(&name), self.picture.in_words())
    }

    /// What a person should know who does not see that line.
    pub(super) fn remark(&self, number: usize, talk: &mut Talk) {
        match self.picture.frame {
            Frame::Only => talk.detail(self.in_words(number)),
            Frame::FirstOfSeveral => talk.warn(self.in_words(number)),
        }
    }
}

/// How the model gets images: each between two texts that name it.
pub(in crate::cli::sx) fn parts(attached: &[Attached]) -> impl Iterator<Item = Content> {
    let text = |text: String| Content::InputText { text };
    attached.iter().zip(1..).flat_map(move |(Attached { name, picture }, number)| {
        let frame = match picture.frame {
            Frame::Only => "",
            Frame::FirstOfSeveral => " frame=\"the first of an animation\"",
        };
        let before = format!("<image name=[Image #{number}] path=\"{}\"{frame}>", attribute(name));
        [text(before), picture.content(), text("</image>".to_owned())]
    })
}

/// An error when this message has images and this model takes none.
pub(in crate::cli::sx) fn check(message: &Item, model: &Model, catalog: Option<&Catalog>) -> Result<(), Failure> {
    if images::count(message) == 0 || model.images != Images::LeftOut {
        return Ok(());
    }
    let failure = Failure::new(Class::Usage, format!("{} takes no images", model.slug));
    let others = catalog.into_iter().flat_map(Catalog::models);
    let others = others.filter(|model| model.visible && model.images != Images::LeftOut);
    let others: Vec<&str> = others.map(|model| model.slug.as_str()).collect();
    Err(match others.as_slice() {
        [] => failure.with_hint("no model of this login does"),
        others => failure.with_hint(format!("these do: {}; name one with -m, or with /model", others.join(", "))),
    })
}

fn unfit(name: &str, why: &Unusable) -> Failure {
    Failure::new(Class::Usage, format!("{name} {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conversation::item::Role;
    use crate::image::tests::png;

    #[test]
    fn an_image_stands_between_two_texts_and_is_said() {
        let attached = Attached::of("a/sh\"ot\u{1b}.png", &png(8, 6)).unwrap();
        assert_eq!(attached.in_words(2), "[image #2: sh\"ot?.png 8x6]");
        let parts: Vec<Content> = parts(&[attached.clone(), attached]).collect();
        let text = |text: &str| Content::InputText { text: text.to_owned() };
        assert_eq!(parts[0], text("<image name=[Image #1] path=\"a/sh?ot?.png\">"));
        assert!(matches!(&parts[1], Content::InputImage { detail: Some(detail), .. } if detail == "high"));
        assert_eq!(parts[2], text("</image>"));
        assert_eq!((parts.len(), &parts[3]), (6, &text("<image name=[Image #2] path=\"a/sh?ot?.png\">")));
    }

    #[test]
    fn a_model_that_takes_no_images_is_named_with_those_that_do() {
        let catalog = r#"{"models":[{"slug":"a","input_modalities":["text"]},{"slug":"b"},
            {"slug":"c","visibility":"hide"},{"slug":"d","input_modalities":["text","image"]}]}"#;
        let catalog = Catalog::parse(catalog).unwrap();
        let [blind, seeing] = ["a", "b"].map(|slug| catalog.get(slug).unwrap());
        let image = Attached::of("x", &png(4, 4)).unwrap();
        let with_image = Item::message(Role::User, parts(&[image]).collect());
        let refused = check(&with_image, blind, Some(&catalog)).unwrap_err();
        assert_eq!(refused.to_string(), "a takes no images; these do: b, d; name one with -m, or with /model");
        assert_eq!(refused.class.exit_code(), 64);
        assert_eq!(check(&with_image, seeing, Some(&catalog)), Ok(()));
        assert_eq!(check(&Item::user("x"), blind, Some(&catalog)), Ok(()));
    }
}
