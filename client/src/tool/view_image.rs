//! `view_image` as a tool: the model looks at a file. What it may look at is decided by where the file really is, as
//! found after it was opened: nothing that happens to links or directories meanwhile leads elsewhere.

use std::fs::File;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::json;

use crate::bounded_file::{self, Symlinks, Unread};
use crate::image::room::Detail;
use crate::image::{LONGEST_FILE, Picture, Unusable};
use crate::model::responses::Images;
use crate::model::tool_spec::ToolSpec;

/// The tool's name, which the models know.
pub const NAME: &str = "view_image";
/// What the model is told when a person does not want it.
pub const REJECTED: &str = "image rejected by user";

const DESCRIPTION: &str = "Shows you an image in a file: PNG, JPEG, WebP or GIF. Use it only when you have to see it.";
const CLOSED: &str = "is closed to tools: logins, keys and settings are there";

/// How the model is told of it; not at all when it takes no images.
pub fn spec(images: Images) -> Option<ToolSpec> {
    let mut properties = json!({
        "path": {"type": "string", "description": "The file, absolute or relative to the working directory."},
    });
    match images {
        Images::LeftOut => return None,
        Images::Sent => {}
        Images::SentInFull => {
            properties["detail"] = json!({
                "type": "string", "enum": ["high", "original"],
                "description": "high scales a large image down and is usual; original shows small print, and costs more.",
            });
        }
    }
    Some(ToolSpec::Function {
        name: NAME.to_owned(),
        description: DESCRIPTION.to_owned(),
        strict: false,
        parameters: json!({
            "type": "object", "properties": properties, "required": ["path"], "additionalProperties": false,
        }),
    })
}

/// What the model wants to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Absolute, or relative to the workspace.
    pub path: PathBuf,
    /// How closely.
    pub detail: Detail,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    path: String,
    detail: Option<String>,
}

/// What a call wants; the error is told to the model.
pub fn wanted(arguments: &str, images: Images) -> Result<Wanted, String> {
    let Arguments { path, detail } =
        serde_json::from_str(arguments).map_err(|error| format!("failed to parse function arguments: {error}"))?;
    let detail = match detail.as_deref().map(Detail::parse) {
        Some(None) => return Err("failed to parse function arguments: detail is high or original".to_owned()),
        Some(Some(detail)) => detail,
        None => Detail::default(),
    };
    match (images, detail) {
        (Images::LeftOut, _) => Err("this model takes no images".to_owned()),
        // It was not told of the other one.
        (Images::Sent, _) => Ok(Wanted { path: path.into(), detail: Detail::High }),
        (Images::SentInFull, detail) => Ok(Wanted { path: path.into(), detail }),
    }
}

/// A file that may be looked at, opened.
#[derive(Debug)]
pub struct Found {
    file: File,
    /// Where it really is, without links.
    pub place: PathBuf,
    /// Where that is to the person.
    pub reach: Reach,
}

/// Where a file is to the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// In the workspace.
    Inside,
    /// Anywhere else, or also anywhere else: it has a second name.
    Outside,
}

/// Opens the file. `hidden` are canonical paths that stay closed; the error is told to the model.
pub fn find(path: &Path, workspace: &Path, hidden: &[PathBuf]) -> Result<Found, String> {
    let told = |why: &dyn std::fmt::Display| format!("{} {why}", path.display());
    let named = workspace.join(path);
    let file = bounded_file::open(&named, Symlinks::Follow).map_err(|unread| told(&unread))?;
    let place = place_of(&file, &named).map_err(|error| told(&Unread::Io(error)))?;
    if hidden.iter().any(|hidden| place.starts_with(hidden)) {
        return Err(told(&CLOSED));
    }
    let metadata = file.metadata().map_err(|error| told(&Unread::Io(error)))?;
    let workspace = workspace.canonicalize().unwrap_or_else(|_| workspace.to_owned());
    let is_inside = place.starts_with(workspace) && metadata.nlink() <= 1;
    Ok(Found { file, place, reach: if is_inside { Reach::Inside } else { Reach::Outside } })
}

impl Found {
    /// The image in it; the error is told to the model.
    pub fn picture(self, detail: Detail) -> Result<Picture, String> {
        let told = |why: Unusable| format!("{} {why}", self.place.display());
        let content = bounded_file::read_from(self.file, LONGEST_FILE).map_err(|unread| told(unread.into()))?;
        Picture::of(&content.bytes, detail).map_err(|why| told(why.into()))
    }
}

/// Linux tells where an open file is; elsewhere the path is looked at a second time.
fn place_of(file: &File, path: &Path) -> std::io::Result<PathBuf> {
    std::fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd())).or_else(|_| path.canonicalize())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::image::tests::png;

    #[test]
    fn it_is_offered_as_the_model_looks_at_images() {
        assert_eq!(spec(Images::LeftOut), None);
        let parameters = |images| match spec(images) {
            Some(ToolSpec::Function { parameters, .. }) => parameters,
            other => panic!("{other:?}"),
        };
        assert!(parameters(Images::Sent)["properties"].get("detail").is_none());
        assert_eq!(parameters(Images::SentInFull)["properties"]["detail"]["enum"], json!(["high", "original"]));
    }

    #[test]
    fn a_call_is_read() {
        let of = |images, arguments: &str| wanted(arguments, images).map(|wanted| wanted.detail);
        let original = r#"{"path":"a.png","detail":"original"}"#;
        assert_eq!(of(Images::SentInFull, original), Ok(Detail::Original));
        assert_eq!(of(Images::Sent, original), Ok(Detail::High));
        assert_eq!(of(Images::SentInFull, r#"{"path":"a.png"}"#), Ok(Detail::High));
        assert!(of(Images::LeftOut, original).is_err());
        for broken in ["", "{}", r#"{"path":1}"#, r#"{"path":"a","detail":"low"}"#, r#"{"path":"a","also":1}"#] {
            let told = of(Images::Sent, broken).unwrap_err();
            assert!(told.starts_with("failed to parse function arguments: "), "{broken}: {told}");
        }
    }

    #[test]
    fn where_a_file_really_is_decides() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        let (workspace, secret) = (root.join("project"), root.join("secret"));
        for folder in [&workspace, &secret] {
            fs::create_dir(folder).unwrap();
            fs::write(folder.join("a.png"), png(4, 4)).unwrap();
        }
        fs::write(root.join("b.png"), png(4, 4)).unwrap();
        fs::write(workspace.join("text.png"), "a password").unwrap();
        symlink(root.join("b.png"), workspace.join("link.png")).unwrap();
        symlink(&secret, workspace.join("folder")).unwrap();
        fs::hard_link(root.join("b.png"), workspace.join("second.png")).unwrap();
        assert!(rustix::fs::mkfifoat(rustix::fs::CWD, workspace.join("fifo"), rustix::fs::Mode::RWXU).is_ok());

        let find = |path: &str| find(Path::new(path), &workspace, std::slice::from_ref(&secret));
        let reach = |path: &str| find(path).map(|found| found.reach);
        assert_eq!(reach("a.png"), Ok(Reach::Inside));
        assert_eq!(reach(workspace.join("a.png").to_str().unwrap()), Ok(Reach::Inside));
        assert_eq!(reach("../b.png"), Ok(Reach::Outside));
        assert_eq!(reach("link.png"), Ok(Reach::Outside), "as what it leads to");
        assert_eq!(
            reach("folder/../a.png"),
            Err("folder/../a.png does not exist".to_owned()),
            "that is above the secret"
        );
        for closed in ["../secret/a.png", "folder/a.png", secret.join("a.png").to_str().unwrap()] {
            assert_eq!(reach(closed), Err(format!("{closed} {CLOSED}")));
        }
        assert_eq!(reach("none.png"), Err("none.png does not exist".to_owned()));

        let picture = |path: &str| find(path).and_then(|found| found.picture(Detail::High));
        assert_eq!(picture("a.png").unwrap().in_words(), "4x4");
        assert!(picture("fifo").unwrap_err().ends_with("is a FIFO, not a file"));
        assert!(picture(".").unwrap_err().ends_with("is a directory, not a file"));
        let told = picture("text.png").unwrap_err();
        assert!(
            told.ends_with("is no image: PNG, JPEG, WebP and GIF are taken") && !told.contains("password"),
            "{told}"
        );
        fs::remove_file(root.join("b.png")).unwrap();
        assert_eq!(reach("second.png"), Ok(Reach::Inside), "the only name that is left");
        fs::hard_link(workspace.join("second.png"), root.join("b.png")).unwrap();
        assert_eq!(reach("second.png"), Ok(Reach::Outside));
    }
}
