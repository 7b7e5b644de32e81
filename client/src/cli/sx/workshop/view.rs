//! `view_image`: the model looks at a file.

use std::sync::atomic::Ordering;

use super::Workshop;
use crate::cli::sx::person::{Choices, Verdict};
use crate::conversation::item::{Content, Output};
use crate::image::decode::Frame;
use crate::terminal::sanitize::spelled_out;
use crate::tool::approval::{Action, Confinement, Decision};
use crate::tool::view_image::{self, Found, REJECTED, Reach};

impl Workshop<'_> {
    pub(super) fn view(&mut self, arguments: &str) -> Result<Output, String> {
        let wanted = view_image::wanted(arguments, self.images)?;
        let found = view_image::find(&wanted.path, &self.workspace, &self.hidden)?;
        let place = found.place.display().to_string();
        self.permit(&found, &place)?;
        let picture = found.picture(wanted.detail)?;
        self.person.sees(&format!("the model looks at {}: {}", spelled_out(&place), picture.in_words()));
        let remark = match picture.frame {
            Frame::Only => None,
            Frame::FirstOfSeveral => Some(Content::InputText { text: "The first frame of an animation.".to_owned() }),
        };
        Ok(Output::Parts(remark.into_iter().chain([picture.content()]).collect()))
    }

    /// In a project the model may look at everything; in a home directory, as elsewhere, are photos.
    fn permit(&self, found: &Found, place: &str) -> Result<(), String> {
        let action = match (found.reach, self.edits) {
            (Reach::Inside, Confinement::Confined) => Action::Harmless,
            (Reach::Inside, Confinement::Unconfined) | (Reach::Outside, _) => Action::LookElsewhere,
        };
        match self.approvals.decide(action, self.edits, self.person.presence()) {
            Decision::Allow => Ok(()),
            Decision::Refuse(why) => {
                self.person.sees_refusal(&format!("look at {place}"), why);
                Err(why.to_owned())
            }
            Decision::Ask => {
                self.person.sees(&format!("the model wants to look at {}", spelled_out(place)));
                match self.person.decides("show it this image?", Choices::YesNo) {
                    Verdict::Yes => Ok(()),
                    Verdict::Always | Verdict::No => Err(REJECTED.to_owned()),
                    Verdict::Stop => {
                        self.stop.store(true, Ordering::Relaxed);
                        Err(REJECTED.to_owned())
                    }
                }
            }
        }
    }
}
