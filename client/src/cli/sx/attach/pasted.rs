//! Images whose paths a person pasted or dropped into a prompt.

use std::path::{Path, PathBuf};

use super::picture::Attached;
use crate::bounded_file;
use crate::image::kind::{Kind, TELLING};
use crate::image::typed_path::{Mention, leading, mentions};
use crate::talk::Talk;

/// More are no images for the model, but a listing.
const MOST: usize = 10;

/// Where a path is meant that is not absolute.
#[derive(Debug, Clone, Copy)]
pub(in crate::cli::sx) struct Around<'a> {
    pub(in crate::cli::sx) directory: &'a Path,
    pub(in crate::cli::sx) home: Option<&'a Path>,
}

impl Around<'_> {
    /// The file that a command names at its beginning, and what follows it. A name with spaces need not be quoted when
    /// nothing follows.
    pub(in crate::cli::sx) fn file_and_rest<'t>(&self, text: &'t str) -> Option<(PathBuf, &'t str)> {
        let whole = self.directory.join(text.trim());
        if whole.is_file() {
            return Some((whole, ""));
        }
        let (path, rest) = leading(text, self.home)?;
        Some((self.directory.join(path), rest))
    }
}

/// A prompt with the images in it. In the text a number stands in place of each path. What is no image, or does not
/// exist, stays text: people talk about files, too. The numbers begin behind those of `before` images.
pub(in crate::cli::sx) fn images(
    prompt: &str,
    before: usize,
    around: Around<'_>,
    talk: &mut Talk,
) -> (String, Vec<Attached>) {
    let mut found = whole(prompt, around).map_or_else(|| mentions(prompt, around.home), |mention| vec![mention]);
    found.retain(|mention| is_image(&mention.path));
    if found.len() > MOST {
        talk.warn(format!("{} images are named; none was attached, /image attaches one", found.len()));
        return (prompt.to_owned(), Vec::new());
    }
    let (mut text, mut attached, mut copied) = (String::new(), Vec::new(), 0);
    for Mention { place, path } in found {
        match Attached::read(&path) {
            Ok(image) => {
                attached.push(image);
                text += &prompt[copied..place.start];
                text += &format!("[Image #{}]", before + attached.len());
                copied = place.end;
            }
            Err(failure) => talk.warn(format!("{failure}; it was not attached")),
        }
    }
    text += &prompt[copied..];
    (text, attached)
}

/// The prompt is nothing but a path: then it may be a relative one, or have spaces in it.
fn whole(prompt: &str, around: Around<'_>) -> Option<Mention> {
    let (path, rest) = around.file_and_rest(prompt)?;
    rest.is_empty().then_some(Mention { place: 0..prompt.len(), path })
}

fn is_image(path: &Path) -> bool {
    // Who looks at a device may change something in it.
    path.is_file() && bounded_file::beginning(path, TELLING).is_ok_and(|bytes| Kind::of(&bytes).is_some())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::image::tests::png;

    #[test]
    fn a_path_becomes_an_image_when_there_is_one() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name).display().to_string();
        for name in ["a.png", "my shot.png", "noname"] {
            fs::write(at(name), png(8, 6)).unwrap();
        }
        fs::write(at("text.png"), "a text").unwrap();
        fs::write(at("cut.png"), &png(8, 6)[..40]).unwrap();
        let around = Around { directory: dir.path(), home: None };
        let (a, shot, noname) = (at("a.png"), at("my shot.png"), at("noname"));
        let cases = [
            (a.clone(), "[Image #2]", 1),
            (shot.clone(), "[Image #2]", 1),
            (format!("'{shot}' "), "[Image #2]", 1),
            ("a.png".to_owned(), "[Image #2]", 1),
            (format!("what is in {a}?"), "what is in [Image #2]?", 1),
            (format!("compare {a}, '{shot}' and {noname}"), "compare [Image #2], [Image #3] and [Image #4]", 3),
            (format!("file://{}", shot.replace(' ', "%20")), "[Image #2]", 1),
        ];
        for (prompt, text, count) in cases {
            let mut talk = Talk::default();
            let (said, attached) = images(&prompt, 1, around, &mut talk);
            assert_eq!((said.as_str(), attached.len()), (text, count), "{prompt}");
            assert_eq!(talk.lines(true).count(), 0);
        }
        for prompt in ["fix a.png", &at("text.png"), &at("none.png"), "/etc/passwd is odd", "/dev/null", &at("")] {
            assert_eq!(images(prompt, 0, around, &mut Talk::default()), (prompt.to_owned(), Vec::new()));
        }
        let mut talk = Talk::default();
        let damaged = at("cut.png");
        assert_eq!(images(&damaged, 0, around, &mut talk), (damaged, Vec::new()));
        assert!(talk.lines(false).next().unwrap().contains("it was not attached"));
        let mut talk = Talk::default();
        let listing = format!("{a}\n").repeat(11);
        assert_eq!(images(&listing, 0, around, &mut talk), (listing, Vec::new()));
        assert_eq!(talk.lines(false).count(), 1);
    }

    #[test]
    fn a_command_names_a_file_and_perhaps_a_prompt() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("my shot.png"), "x").unwrap();
        let around = Around { directory: dir.path(), home: None };
        let in_it = |name: &str| dir.path().join(name);
        assert_eq!(around.file_and_rest("my shot.png"), Some((in_it("my shot.png"), "")));
        assert_eq!(around.file_and_rest("'my shot.png' why"), Some((in_it("my shot.png"), "why")));
        assert_eq!(around.file_and_rest("a.png why so"), Some((in_it("a.png"), "why so")));
        assert_eq!(around.file_and_rest("/x/a.png"), Some(("/x/a.png".into(), "")));
        assert_eq!(around.file_and_rest("'x"), None);
    }
}
